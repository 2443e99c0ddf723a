//! Golden files: what the program says of many cases, one below the other, to be read side by side.
//! What differs from run to run (ports, times, keys) is replaced by a word.
//!
//! They are in `tests/snapshots/`; `INSTA_UPDATE=always cargo test --test NAME` writes them anew.

use regex::Regex;

use super::program::Output;

/// A golden file in the making.
#[derive(Default)]
pub struct Golden {
    text: String,
}

impl Golden {
    /// A case: what it is, and all that a run printed.
    pub fn add(&mut self, case: &str, output: &Output) {
        self.text
            .push_str(&format!("=== {case}\n{}\n", printed(output)));
    }

    /// More about the case before.
    pub fn add_remark(&mut self, remark: &str, output: &Output) {
        self.text
            .push_str(&format!("--- {remark}\n{}\n", printed(output)));
    }

    /// A case: what it is, and text about it.
    pub fn add_text(&mut self, case: &str, text: &str) {
        self.text.push_str(&format!("=== {case}\n{text}\n"));
    }

    /// Compares all of it with the file of that name.
    #[track_caller]
    pub fn check(&self, name: &str) {
        let mut settings = insta::Settings::clone_current();
        settings.set_prepend_module_to_snapshot(false);
        settings.set_snapshot_path("../snapshots");
        settings.set_omit_expression(true);
        settings.bind(|| insta::assert_snapshot!(name, self.text));
    }
}

/// Exit code, stdout and stderr, without what differs from run to run.
pub fn printed(output: &Output) -> String {
    let stdout = replaced(
        &String::from_utf8_lossy(&output.stdout),
        &[(r"\b\d+(\.\d+)?(us|ms|s)\b", "~")],
    );
    let stderr = String::from_utf8_lossy(&output.stderr);
    let both = format!("{stdout}{stderr}exit {}\n", output.exit());
    replaced(
        &both,
        &[
            (
                r"(127\.0\.0\.1|\[::1\]|localhost|\.test):\d{4,5}\b",
                "$1:PORT",
            ),
            (
                r#"Accept is "(.*?)" and not ".*?""#,
                r#"Accept is "$1" and not "KEY""#,
            ),
            (r"\d+ B came", "N B came"),
            // The resolver's words.
            (r"(could not resolve name.invalid: ).*", "$1NO"),
            (r"sha256/[A-Za-z0-9+/]{43}=", "sha256/PIN"),
            (r"\d+ days (ago|left)", "N days $1"),
            (r"(until|on) 20[2-9]\d-\d\d-\d\d\)", "$1 DATE)"),
        ],
    )
}

pub fn replaced(text: &str, patterns: &[(&str, &str)]) -> String {
    patterns
        .iter()
        .fold(text.to_owned(), |text, (pattern, word)| {
            let pattern = Regex::new(pattern).unwrap();
            pattern.replace_all(&text, *word).into_owned()
        })
}
