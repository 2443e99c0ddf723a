//! The text exposition format of Prometheus, version 0.0.4.

use std::fmt::{Display, Write as _};

/// What HTTP calls it.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// A page of metrics. Writing to a String never fails.
#[derive(Debug, Default)]
pub struct Page(String);

impl Page {
    /// What the samples that follow are; `kind` is `counter`, `gauge` or `histogram`.
    pub fn head(&mut self, name: &str, kind: &str, help: &str) {
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    /// A value with labels, as [`label`] makes them.
    pub fn sample(&mut self, name: &str, labels: &str, value: impl Display) {
        let _ = writeln!(self.0, "{name}{{{labels}}} {value}");
    }

    /// A metric that has one value.
    pub fn one(&mut self, name: &str, kind: &str, help: &str, value: impl Display) {
        self.head(name, kind, help);
        let _ = writeln!(self.0, "{name} {value}");
    }

    /// A metric with a value for each of some labels.
    pub fn each<V: Display>(
        &mut self,
        name: &str,
        kind: &str,
        help: &str,
        samples: impl IntoIterator<Item = (String, V)>,
    ) {
        self.head(name, kind, help);
        for (labels, value) in samples {
            self.sample(name, &labels, value);
        }
    }

    pub fn into_text(self) -> String {
        self.0
    }
}

/// `name="value"`, whatever the value is.
pub fn label(name: &str, value: &str) -> String {
    let value = value
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n");
    format!("{name}=\"{value}\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_stays_within_its_quotes() {
        assert_eq!(label("a", "x\"} 1\n\\"), r#"a="x\"} 1\n\\""#);
        let mut page = Page::default();
        page.one("up", "gauge", "It is up.", 1);
        page.sample("n", &label("a", "b"), 0.5);
        assert_eq!(
            page.into_text(),
            "# HELP up It is up.\n# TYPE up gauge\nup 1\nn{a=\"b\"} 0.5\n"
        );
    }
}
