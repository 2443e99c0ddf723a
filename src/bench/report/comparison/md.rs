//! `md`: a comparison as Markdown, for a comment on a pull request.

use std::fmt::Write as _;

use super::super::md::text;
use super::text::verdict;
use crate::bench::compare::{Change, Comparison, Figure};
use crate::bench::report::{Entry, Form};

pub(super) const ENTRY: Entry<Comparison> = Entry {
    name: "md",
    help: "Markdown, for a comment on a pull request",
    form: Form::File(|comparison, _| write(comparison).into_bytes()),
};

fn write(comparison: &Comparison) -> String {
    let mut page = format!(
        "### wscope bench compare: {}\n\n",
        text(&verdict(comparison))
    );
    for note in &comparison.notes {
        // Writing to a String never fails.
        let _ = writeln!(page, "- differs: {}", text(note));
    }
    let [before, now] = comparison.names.each_ref().map(|name| text(name));
    table(&comparison.figures, [&before, &now], &mut page);
    page
}

/// The figures with a head; what is text in it is Markdown already.
pub(in super::super) fn table(figures: &[Figure], names: [&str; 2], page: &mut String) {
    let [before, now] = names;
    let _ = writeln!(
        page,
        "\n| | {before} | {now} | change | noise | |\n|---|--:|--:|--:|--:|---|"
    );
    for figure in figures {
        let verdict = match figure.verdict {
            Change::Same => String::new(),
            Change::Worse => "**WORSE**".to_owned(),
            other => other.name().to_owned(),
        };
        let _ = writeln!(
            page,
            "| {} | {} | {} | {} | {}% | {verdict} |",
            text(&figure.metric),
            text(&figure.show(figure.baseline)),
            text(&figure.show(figure.value)),
            figure.change(),
            figure.noise_percent,
        );
    }
    page.push('\n');
}
