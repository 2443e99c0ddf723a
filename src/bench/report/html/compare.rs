//! Two sides in one page: their lines in the same charts, their figures in one table.

use std::fmt::Write as _;

use super::super::{Entry, Form};
use super::chart::Drawn;
use super::tables::{Cell, number, table};
use super::timeline::slots;
use super::{charts, document, text};
use crate::bench::compare::{Change, Comparison, Figure};
use crate::bench::report::comparison::text::verdict;

pub(in super::super) const COMPARISON: Entry<Comparison> = Entry {
    name: "html",
    help: "a page with both in the same charts, in one file",
    form: Form::File(|comparison, _| write(comparison).into_bytes()),
};

fn write(comparison: &Comparison) -> String {
    let shown = verdict(comparison);
    let (first, rest) = shown.split_once("   ").unwrap_or((&shown, ""));
    let class = if comparison.is_worse() {
        "fail"
    } else {
        "pass"
    };
    // Writing to a String never fails.
    let mut body = format!(
        "<header class=\"{class}\"><h1><b>{}</b> &nbsp;{}</h1>\n",
        text(first),
        text(rest)
    );
    let sides = ["A", "B"]
        .into_iter()
        .zip(&comparison.names)
        .zip(&comparison.sides);
    for ((letter, name), runs) in sides.clone() {
        let run = runs.first().map(|run| {
            format!(
                "bench {} {} {}Z",
                run.workload.mode,
                run.workload.targets.join(" "),
                run.run.started_at.get(..19).unwrap_or_default()
            )
        });
        let _ = writeln!(
            body,
            "<p>{letter} &nbsp;<strong>{}</strong> &nbsp;<span class=\"soft\">{}{}</span></p>",
            text(name),
            text(&run.unwrap_or_default()),
            match runs.len() {
                1 => String::new(),
                many => format!(" and {} more", many - 1),
            }
        );
    }
    if !comparison.notes.is_empty() {
        body.push_str("<ul class=\"remarks\">");
        for note in &comparison.notes {
            let _ = write!(body, "<li>{}</li>", text(note));
        }
        body.push_str("</ul>\n");
    }
    body.push_str("</header>\n");
    let drawn = sides.filter_map(|((name, _), runs)| {
        let result = runs.first()?;
        Some(Drawn {
            name,
            result,
            slots: slots(result),
        })
    });
    body += &charts(&drawn.collect::<Vec<_>>());
    body += &figures("Figures", &comparison.figures, ["A", "B"]);
    document(&format!("compare {shown}"), &body, "")
}

/// The figures of both sides.
pub(super) fn figures(title: &str, figures: &[Figure], names: [&str; 2]) -> String {
    let row = |figure: &Figure| -> Vec<Cell> {
        let class = match figure.verdict {
            Change::Worse => "fail",
            Change::Better => "ok",
            Change::Same | Change::Unjudged => "",
        };
        vec![
            number(figure.metric.clone()),
            number(figure.show(figure.baseline)),
            number(figure.show(figure.value)),
            number(figure.change()),
            number(format!("{}%", figure.noise_percent)),
            (class, figure.verdict.name().to_owned()),
        ]
    };
    let rows: Vec<_> = figures.iter().map(row).collect();
    let [before, now] = names;
    table(title, &["", before, now, "change", "noise", ""], &rows)
}

#[cfg(test)]
mod tests {
    use super::super::super::sample;
    use super::*;
    use crate::bench::compare::compare;

    #[test]
    fn both_runs_are_in_one_page() {
        let names = ["main".to_owned(), sample::HOSTILE.to_owned()];
        let sides = [vec![sample::result()], vec![sample::result(); 3]];
        let page = write(&compare(sides, names, None));
        for part in [
            "class=\"line a\"",
            "class=\"line b\"",
            "rtt.p99",
            "and 2 more",
            "&lt;script&gt;",
        ] {
            assert!(page.contains(part), "{part}");
        }
        assert!(!page.contains("<script"));
    }
}
