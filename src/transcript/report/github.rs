//! `github`: failures as annotations of GitHub Actions, at the line of the transcript.

use super::{Report, details, sentence};
use crate::text::sanitize;
use crate::transcript::outcome::{Outcome, Trouble};

pub(super) const REPORT: Report = Report {
    name: "github",
    about: "failures as annotations of GitHub Actions",
    is_whole: false,
    write,
};

fn write(outcome: &Outcome) -> String {
    let mut lines = String::new();
    for file in &outcome.files {
        for (step, failure) in file.failures() {
            let mut text = vec![sanitize::line(&step.line).into_owned()];
            text.extend(details(step, failure));
            let place = Some((step.place.line, step.place.column));
            let text = text.join("\n");
            lines.push_str(&annotation(&step.path, place, &sentence(failure), &text));
        }
        for trouble in &file.trouble {
            lines.push_str(&of_trouble(&file.path, trouble));
        }
    }
    lines
}

fn of_trouble(file: &str, trouble: &Trouble) -> String {
    let (path, place) = match &trouble.place {
        Some((path, place)) => (path.as_str(), Some((place.line, place.column))),
        None => (file, None),
    };
    let text = sanitize::block(&trouble.rendered);
    let title = sanitize::line(&trouble.message);
    annotation(path, place, &title, text.trim_end())
}

fn annotation(path: &str, place: Option<(usize, usize)>, title: &str, text: &str) -> String {
    let place = place.map_or_else(String::new, |(line, column)| {
        format!(",line={line},col={column}")
    });
    let file = property(&sanitize::line(path));
    format!(
        "::error file={file}{place},title={}::{}\n",
        property(title),
        data(text)
    )
}

fn data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transcript::report::sample;

    #[test]
    fn an_annotation_is_one_line_at_the_failure() {
        let written = write(&sample::outcome());
        insta::assert_snapshot!(written);
        assert_eq!(written.lines().count(), 2);
    }
}
