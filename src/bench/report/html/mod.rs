//! `html`: one file that needs no network and no script, in light and dark. The verdict comes first, then
//! charts as inline SVG, then tables. Everything that a peer or a file says is text: [`text`] is the way
//! into the page, and a policy of the page itself forbids it to load or run anything.

mod axis;
mod chart;
mod compare;
mod phases;
mod svg;
mod tables;
mod timeline;

use std::fmt::Write as _;

use self::chart::Drawn;
pub(super) use self::compare::COMPARISON;
use self::compare::figures;
use self::timeline::slots;
use super::words::{Word, heading, millis, verdict, word};
use super::{Entry, Form};
use crate::bench::result::BenchResult;
use crate::model::units::Thousands;
use crate::text::{markup, sanitize};

pub(super) const ENTRY: Entry = Entry {
    name: "html",
    help: "a page with charts, in one file",
    form: Form::File(|result, _| write(result).into_bytes()),
};

const STYLE: &str = include_str!("style.css");
/// Nothing is loaded, run or sent; only the style sheet within the page counts.
const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

/// Text as text, on one line: what could not be seen is shown.
fn text(text: &str) -> String {
    markup::escaped(&sanitize::line(text))
}

/// Text as text, with its own line feeds.
fn lines(text: &str) -> String {
    markup::escaped(&sanitize::block(text))
}

fn write(result: &BenchResult) -> String {
    let mut body = String::new();
    head(result, &mut body);
    tiles(result, &mut body);
    body += &tables::thresholds(result);
    body += &tables::find_max(result);
    if let Some(baseline) = &result.baseline {
        let title = format!("Baseline {}", baseline.name);
        body += &figures(&title, &baseline.figures, ["baseline", "this run"]);
    }
    body += &charts(&[Drawn {
        name: "",
        result,
        slots: slots(result),
    }]);
    body += &tables::latencies(result);
    body += &tables::troubles(result);
    body += &tables::shards(result);
    body += &tables::facts(result);
    let made = format!("run {}", result.run.id);
    document(
        &format!("{} {}", result.workload.mode, verdict(result)),
        &body,
        &made,
    )
}

/// A page; title and foot are text, the body is HTML.
fn document(title: &str, body: &str, foot: &str) -> String {
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>wscope bench: {}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n{body}<footer>{} wscope {}. The numbers of a chart are shown at the pointer.</footer>\n</main>\n</body>\n</html>\n",
        text(title),
        text(foot),
        env!("CARGO_PKG_VERSION"),
    )
}

// Writing to a String never fails.

fn head(result: &BenchResult, html: &mut String) {
    let class = match word(result) {
        Word::Fail => "fail",
        Word::Suspect => "suspect",
        Word::Pass => "pass",
    };
    let shown = verdict(result);
    let (first, rest) = shown.split_once("   ").unwrap_or((&shown, ""));
    let _ = writeln!(
        html,
        "<header class=\"{class}\"><h1><b>{}</b> &nbsp;{}</h1>",
        text(first),
        text(rest)
    );
    let run = &result.run;
    let _ = writeln!(
        html,
        "<p>bench {} &nbsp;<strong>{}</strong> &nbsp;<span class=\"soft\">{}Z &nbsp; run {} &nbsp; seed {}</span></p>",
        text(&result.workload.mode),
        text(&result.workload.targets.join(" ")),
        text(run.started_at.get(..19).unwrap_or_default()),
        text(&run.id),
        text(&run.seed),
    );
    let verdict = &result.verdict;
    let mut remarks = verdict
        .invalid_reasons
        .iter()
        .chain(&verdict.warnings)
        .peekable();
    if remarks.peek().is_some() {
        html.push_str("<ul class=\"remarks\">");
        for remark in remarks {
            let _ = write!(html, "<li>{}</li>", text(&remark.text));
        }
        html.push_str("</ul>\n");
    }
    html.push_str("</header>\n");
}

fn tiles(result: &BenchResult, html: &mut String) {
    let main = result.main_latency();
    let (info, title) = ((main.get)(result), heading(main));
    let (messages, connections) = (&result.messages, &result.connections);
    let mut tiles = vec![
        (
            format!(
                "{} of {}",
                Thousands(connections.peak as u64),
                Thousands(connections.target as u64)
            ),
            "connections held".to_owned(),
        ),
        (
            format!("{}/s", Thousands(messages.received_rate as u64)),
            format!("received, {} in all", Thousands(messages.received)),
        ),
        (format!("{} ms", millis(info.p50)), format!("{title} p50")),
        (format!("{} ms", millis(info.p99)), format!("{title} p99")),
        (format!("{} ms", millis(info.max)), format!("{title} max")),
        (
            Thousands(result.errors_counted()).to_string(),
            "errors".to_owned(),
        ),
    ];
    if let Some(played) = &result.iterations {
        tiles[1] = (
            format!("{:.1}/s", played.rate),
            format!("scripts, {} passed", Thousands(played.passed)),
        );
    }
    html.push_str("<div class=\"tiles\">");
    for (value, name) in tiles {
        let _ = write!(
            html,
            "<div><b>{}</b><span class=\"soft\">{}</span></div>",
            text(&value),
            text(&name)
        );
    }
    html.push_str("</div>\n");
}

/// The charts of one run, or of two in the same pictures.
fn charts(runs: &[Drawn<'_>]) -> String {
    let drawn = [
        chart::latency(runs),
        chart::throughput(runs),
        chart::spectrum(runs),
    ];
    let mut figures: Vec<String> = drawn
        .into_iter()
        .flatten()
        .map(|chart| chart.figure())
        .collect();
    if let [run] = runs {
        figures.extend(phases::phases(run.result));
        figures.extend(chart::errors(runs).map(|chart| chart.figure()));
    }
    format!("<div class=\"charts\">\n{}</div>\n", figures.concat())
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn a_page_has_everything_and_loads_nothing() {
        let page = write(&sample::result());
        for title in [
            "RTT over time",
            "Throughput and connections",
            "RTT by percentile",
            "Opening by step",
            "Errors over time",
            "Thresholds",
            "Latency (ms)",
            "Closes",
            "Generator and environment",
        ] {
            assert!(page.contains(title), "{title}");
        }
        for sign in [
            "<script", "http://", "https://", "src=", "href=", "url(", "@import",
        ] {
            assert!(!page.contains(sign), "{sign}");
        }
        assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;"));
        assert!(!page.contains('\u{202e}'));
    }

    #[test]
    fn a_run_in_which_nothing_was_measured_has_a_page_too() {
        let mut result = sample::result();
        let nothing = crate::bench::result::latency_info(&crate::bench::figures::histogram());
        result.latency.rtt = nothing.clone();
        result.latency.service = nothing.clone();
        result.latency.first_message = nothing.clone();
        result.latency.ping = nothing;
        result.series.rows.clear();
        result.series.histograms.clear();
        let page = write(&result);
        assert!(!page.contains("NaN") && !page.contains("inf"), "{page}");
        assert!(page.contains("Generator and environment"));
    }

    #[test]
    fn any_number_in_a_file_can_be_drawn() {
        let mut result = sample::result();
        let odd = [f64::MAX, -1.0, 1e300, 0.0, -0.0];
        for (at, value) in result.series.rows.iter_mut().flatten().enumerate() {
            *value = odd[at % odd.len()];
        }
        result.run.ramp_s = 1e300;
        result.run.measured_s = -1.0;
        result.thresholds[0].limit = 1e300;
        result.thresholds[1].limit = -5.0;
        let page = write(&result);
        assert!(!page.contains("NaN") && !page.contains("inf\""));
    }
}
