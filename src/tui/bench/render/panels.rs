//! The counts: connections, messages, and what the load takes of this machine.

use ratatui::buffer::Buffer;
use ratatui::text::{Line, Span};

use super::{Context, fanout, pane, put, titled};
use crate::bench::figures::Latency;
use crate::bench::report::millis;
use crate::bench::spread::Spread;
use crate::bench::threshold;
use crate::model::units::Thousands;
use crate::tui::widget::bar::Bar;
use crate::tui::widget::numbers::{compact, short};

pub(super) fn render(context: &Context<'_>, buffer: &mut Buffer) {
    let layout = context.layout;
    let is_single = !layout.boxed && layout.messages.is_empty();
    let connections = pane(
        context,
        layout.connections,
        titled(context, if is_single { "Load" } else { "Connections" }, ""),
        buffer,
    );
    let fans_out = context.scene.fans_out();
    if is_single {
        // Where one pane has to do, the first row of each says most.
        let lines = self::connections(context).into_iter().take(1);
        let width = connections.width;
        let more = if fans_out {
            fanout::rows(context, width, 2)
        } else {
            traffic(context, width)
        };
        put(lines.chain(more), connections, buffer);
    } else {
        put(self::connections(context), connections, buffer);
    }
    if fans_out && !is_single {
        fanout::render(context, buffer);
    }
    if !fans_out || !layout.fanout.is_empty() {
        messages(context, buffer);
    }
    generator(context, buffer);
}

fn messages(context: &Context<'_>, buffer: &mut Buffer) {
    let name = if plays(context) {
        "Script and messages, last 1s"
    } else {
        "Messages, last 1s"
    };
    let area = context.layout.messages;
    let inner = pane(context, area, titled(context, name, ""), buffer);
    put(traffic(context, inner.width), inner, buffer);
}

fn plays(context: &Context<'_>) -> bool {
    context.scene.main() == Latency::Session
}

fn named<'a>(context: &Context<'_>, name: &'static str, value: String) -> [Span<'a>; 2] {
    [
        Span::styled(format!("{name} "), context.theme.dim),
        Span::styled(value, context.theme.text),
    ]
}

/// The same, which is no good if there is any.
fn bad<'a>(context: &Context<'_>, name: &'static str, count: u64) -> [Span<'a>; 2] {
    let theme = context.theme;
    let style = if count > 0 { theme.error } else { theme.text };
    [
        Span::styled(format!("{name} "), theme.dim),
        Span::styled(format!("{:>6}", Thousands(count).to_string()), style),
    ]
}

fn connections(context: &Context<'_>) -> Vec<Line<'static>> {
    let (scene, theme) = (context.scene, context.theme);
    let counted = scene.total.connections;
    let gap = || Span::raw("   ");
    let number = |count: u64| format!("{:>7}", Thousands(count).to_string());
    let mut open = Line::default();
    open.push_span(Span::styled("open    ", theme.dim));
    open.push_span(Span::styled(number(scene.now.open as u64), theme.title));
    let wanted = if scene.about.workload.mode.once {
        scene.about.workload.peak()
    } else {
        scene.wanted()
    };
    open.push_span(Span::styled(
        format!(" of {}", Thousands(wanted as u64)),
        theme.dim,
    ));
    let mut second = Line::default();
    second.extend(named(context, "opening", number(scene.connecting as u64)));
    second.push_span(gap());
    second.extend(bad(context, "lost  ", counted.lost));
    let mut third = Line::default();
    third.push_span(Span::styled("failed  ", theme.dim));
    let style = if counted.failed > 0 {
        theme.error
    } else {
        theme.text
    };
    third.push_span(Span::styled(number(counted.failed), style));
    third.push_span(gap());
    third.extend(named(
        context,
        "reconn",
        format!("{:>6}", Thousands(counted.reconnected).to_string()),
    ));
    let mut fourth = Line::default();
    fourth.extend(named(context, "opened ", number(counted.opened)));
    fourth.push_span(gap());
    let rate = short(scene.last().opened.round() as u64);
    fourth.extend(named(
        context,
        "at    ",
        format!("{:>6}", format!("{rate}/s")),
    ));
    vec![open, second, third, fourth]
}

/// What was sent and received, in so many columns.
fn traffic(context: &Context<'_>, width: u16) -> Vec<Line<'static>> {
    let (scene, theme) = (context.scene, context.theme);
    let (last, total) = (scene.last(), &scene.total);
    let messages = total.messages;
    let way = |name, style, rate: f64, bytes: f64, all: u64| {
        let rate = Thousands(rate.round() as u64).to_string();
        let bytes = compact(bytes.round() as u64);
        let mut line = Line::from(vec![
            Span::styled(name, style),
            Span::styled(format!(" {rate:>9}/s"), theme.title),
            Span::styled(format!(" {bytes:>9}/s"), theme.text),
        ]);
        let all = format!(" {:>13}", Thousands(all).to_string());
        // A number that is cut would be another one.
        if line.width() + all.len() <= usize::from(width) {
            line.push_span(Span::styled(all, theme.dim));
        }
        line
    };
    let sent = way(
        "sent",
        theme.outgoing,
        last.sent,
        last.bytes_out,
        messages.sent,
    );
    let received = way(
        "recv",
        theme.incoming,
        last.received,
        last.bytes_in,
        messages.received,
    );
    let share =
        |part: u64, whole: u64| format!("{:.1}%", part as f64 * 100.0 / whole.max(1) as f64);
    let gap = || Span::raw("  ");
    let mut third = Line::default();
    third.extend(trimmed(bad(context, "lost", messages.unanswered)));
    third.push_span(gap());
    third.extend(trimmed(bad(context, "dropped", messages.dropped)));
    third.push_span(gap());
    third.extend(named(context, "late", share(messages.late, messages.sent)));
    let in_flight = Thousands(last.in_flight as u64).to_string();
    let in_flight = named(context, "in flight", in_flight);
    if scene.fans_out() {
        // Duplicates and the order are told of there.
        let mut fourth = Line::from(in_flight.to_vec());
        fourth.push_span(gap());
        fourth.extend(trimmed(bad(context, "unexpected", messages.unexpected)));
        return vec![sent, received, third, fourth];
    }
    third.push_span(gap());
    third.extend(in_flight);
    let mut fourth = Line::default();
    fourth.extend(trimmed(bad(context, "duplicate", messages.duplicate)));
    fourth.push_span(gap());
    fourth.extend(trimmed(bad(context, "out of order", messages.out_of_order)));
    fourth.push_span(gap());
    fourth.extend(named(
        context,
        "unexpected",
        Thousands(messages.unexpected).to_string(),
    ));
    if !plays(context) {
        return vec![sent, received, third, fourth];
    }
    let played = total.iterations;
    let mut script = Line::default();
    script.push_span(Span::styled("played", theme.dim));
    script.push_span(Span::styled(
        format!(" {:>7}/s", format!("{:.1}", last.played)),
        theme.title,
    ));
    script.push_span(gap());
    script.extend(named(
        context,
        "passed",
        Thousands(played.passed).to_string(),
    ));
    script.push_span(gap());
    script.extend(trimmed(bad(context, "failed", played.failed)));
    script.push_span(gap());
    script.extend(trimmed(bad(context, "dropped", played.dropped)));
    let (held, broken) = threshold::checks(total, &scene.about.steps);
    let mut checks = Line::default();
    checks.extend(named(context, "checks", Thousands(held).to_string()));
    checks.push_span(gap());
    checks.extend(trimmed(bad(context, "not met", broken)));
    checks.push_span(gap());
    checks.extend(named(
        context,
        "playing",
        Thousands(last.in_flight as u64).to_string(),
    ));
    vec![script, checks, sent, received]
}

/// Without the blanks that put a number in its column.
fn trimmed<'a>([name, value]: [Span<'a>; 2]) -> [Span<'a>; 2] {
    let text = value.content.trim_start().to_owned();
    [name, Span::styled(text, value.style)]
}

/// Whether this machine keeps up, and what that takes.
fn generator(context: &Context<'_>, buffer: &mut Buffer) {
    let (area, theme) = (context.layout.generator, context.theme);
    let (scene, layout) = (context.scene, context.layout);
    let inner = pane(context, area, titled(context, "Generator", ""), buffer);
    let used = scene.generator;
    let lag = Spread::of(scene.total.latency(Latency::SchedLag));
    let is_ok = scene.verdict.is_valid();
    let state = if is_ok {
        Span::styled("ok", theme.good)
    } else {
        let codes: Vec<&str> = scene
            .verdict
            .invalid
            .iter()
            .map(|remark| remark.code)
            .collect();
        Span::styled(format!("SUSPECT: {}", codes.join(", ")), theme.error)
    };
    let cpu = format!("{:.0}% of {}", scene.last().cpu * 100.0, scene.about.cpus);
    let busiest = format!("{:.0}%", used.busiest * 100.0);
    let p99 = format!("p99 {} ms", millis(lag.p99));
    let (open, limit) = (Thousands(used.files_peak), Thousands(scene.about.files));
    let files = format!("{open}/{limit}");
    let ports = format!("{:.0}%", used.ports * 100.0);
    let memory = compact(used.rss_peak);
    if layout.boxed {
        // A number that is cut would be another one.
        let row = |parts: Vec<Vec<Span<'static>>>| {
            let mut bar = Bar::default();
            for (rank, part) in (0..).zip(parts) {
                bar.add(rank, Line::from(part));
            }
            bar.line(usize::from(inner.width), &Span::raw("   "))
        };
        let named = |name, value| named(context, name, value).to_vec();
        let p50 = format!("p50 {}", millis(lag.p50));
        let lines = [
            row(vec![vec![state], named("rss", memory)]),
            row(vec![named("cpu  ", cpu), named("busiest thread", busiest)]),
            row(vec![named("lag  ", format!("{p50}  {p99}"))]),
            row(vec![named("fds  ", files), named("ports", ports)]),
        ];
        return put(lines, inner, buffer);
    }
    // What fits, in the order of what matters.
    let mut bar = Bar::default().with(0, state);
    for (rank, name, value) in [
        (1, "cpu", cpu),
        (5, "busiest", busiest),
        (2, "lag", p99),
        (3, "fds", files),
        (4, "ports", ports),
    ] {
        bar.add(rank, Line::from(named(context, name, value).to_vec()));
    }
    bar.render(inner, buffer, &Span::raw("  "));
}
