//! `text`: what `bench compare` prints, and the block of a baseline in the summary of a run.

use crate::bench::compare::{Change, Comparison, Figure};
use crate::bench::report::{Entry, Form};
use crate::text::sanitize;

pub(super) const ENTRY: Entry<Comparison> = Entry {
    name: "text",
    help: "what is printed without --report",
    form: Form::File(|comparison, _| write(comparison).into_bytes()),
};

fn write(comparison: &Comparison) -> String {
    let mut lines = vec![
        format!("wscope bench compare   {}", verdict(comparison)),
        String::new(),
    ];
    for (side, (name, runs)) in comparison.names.iter().zip(&comparison.sides).enumerate() {
        let started = runs
            .iter()
            .map(|run| run.run.started_at.get(..19).unwrap_or_default());
        let started: Vec<String> = started.map(|time| format!("{time}Z")).collect();
        lines.push(format!(
            "{}            {name}   {}",
            ["A", "B"][side],
            started.join("   ")
        ));
    }
    lines.extend(
        comparison
            .notes
            .iter()
            .map(|note| format!("differs      {note}")),
    );
    lines.push(String::new());
    lines.push(format!(
        "{:<24}{:>14}{:>14}{:>10}{:>9}",
        "", "A", "B", "change", "noise"
    ));
    lines.extend(comparison.figures.iter().map(row));
    let mut text = String::new();
    for line in lines {
        text.push_str(&sanitize::line(line.trim_end()));
        text.push('\n');
    }
    text
}

/// `WORSE   1 of 24 figures worse, 2 better`
pub(in super::super) fn verdict(comparison: &Comparison) -> String {
    let word = match (comparison.is_worse(), comparison.count(Change::Better)) {
        (true, _) => "WORSE",
        (false, 0) => "SAME",
        (false, _) => "BETTER",
    };
    format!("{word}   {}", counts(&comparison.figures))
}

/// How many figures changed in which way.
pub(in super::super) fn counts(figures: &[Figure]) -> String {
    let count = |change| {
        figures
            .iter()
            .filter(|figure| figure.verdict == change)
            .count()
    };
    let judged = figures.len() - count(Change::Unjudged);
    format!(
        "{} of {judged} figures worse, {} better",
        count(Change::Worse),
        count(Change::Better)
    )
}

/// A figure on one line.
pub(in super::super) fn row(figure: &Figure) -> String {
    let noise = match figure.verdict {
        Change::Unjudged => "-".to_owned(),
        _ => format!("{}%", figure.noise_percent),
    };
    let verdict = match figure.verdict {
        Change::Same => "",
        other => other.name(),
    };
    format!(
        "{:<24}{:>14}{:>14}{:>10}{noise:>9}   {verdict}",
        figure.metric,
        figure.show(figure.baseline),
        figure.show(figure.value),
        figure.change(),
    )
}

#[cfg(test)]
mod tests {
    use super::super::super::sample;
    use super::*;
    use crate::bench::compare::compare;

    #[test]
    fn two_runs_beside_each_other() {
        let before = sample::result();
        let mut now = before.clone();
        now.messages.received_rate *= 0.8;
        now.workload.targets = vec![format!("ws://h/{}", sample::HOSTILE)];
        let names = ["main".to_owned(), "b.json".to_owned()];
        insta::assert_snapshot!(write(&compare([vec![before], vec![now]], names, None)));
    }
}
