//! The table of latencies, and how the main one is distributed.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::{Context, pane, put, titled};
use crate::bench::figures::Latency;
use crate::bench::plan::Pace;
use crate::bench::report::{Glyphs, buckets, millis};
use crate::bench::spread::{Row, Spread};
use crate::model::units::Thousands;
use crate::text::glyph;

/// Columns of a name, of what it is of, and of a number.
const NAME: usize = 16;
const OF: usize = 7;
const NUMBER: usize = 9;

/// A column: its name, how many letters it takes, its place in the order of what matters, and its
/// value.
type Column = (&'static str, usize, u8, fn(&Spread) -> Option<u64>);

const COLUMNS: [Column; 8] = [
    ("count", 12, 6, |spread| Some(spread.count)),
    ("min", NUMBER, 7, |spread| spread.min),
    ("p50", NUMBER, 1, |spread| spread.p50),
    ("p90", NUMBER, 3, |spread| spread.p90),
    ("p99", NUMBER, 0, |spread| spread.p99),
    ("p99.9", NUMBER, 4, |spread| spread.p99_9),
    ("p99.99", NUMBER, 8, |spread| spread.p99_99),
    ("max", NUMBER, 2, |spread| spread.max),
];
/// The place of the column with the p99 of the last second.
const LAST: u8 = 5;

pub(super) fn render(context: &Context<'_>, buffer: &mut Buffer) {
    table(context, buffer);
    distribution(context, buffer);
}

fn table(context: &Context<'_>, buffer: &mut Buffer) {
    let (area, theme, scene) = (context.layout.latency, context.theme, context.scene);
    let is_scheduled = matches!(scene.about.workload.pace, Pace::Open { .. });
    let title = match scene.main() {
        Latency::Rtt | Latency::Session if is_scheduled => "Latency, ms from due time",
        _ => "Latency, ms",
    };
    let inner = pane(context, area, titled(context, title, ""), buffer);
    let room = usize::from(inner.width);
    let columns = chosen(room.saturating_sub(NAME + OF));
    let title_end = usize::from(area.x) + 3 + title.len();
    let mut x = NAME + OF;
    for (name, width, ..) in &columns {
        // The names of columns stand on the border.
        let start = x + width - name.len();
        let at = inner.x + u16::try_from(start).unwrap_or(0);
        if usize::from(at) > title_end + 1 && start + name.len() <= room {
            let name = format!(" {name}");
            buffer.set_string(at - 1, area.y, name, theme.dim);
        }
        x += width;
    }
    let before = context.past().map(|past| Row {
        name: "  baseline".into(),
        total: past.spread,
        last: Spread::default(),
    });
    let rows = scene.table.iter().enumerate().flat_map(|(at, row)| {
        // Of the main one the last second is shown too, and what it was before.
        let is_main = at == 0;
        let last = is_main.then(|| numbers(context, row, "last 1s", &row.last, &columns));
        let total = numbers(context, row, "total", &row.total, &columns);
        let before = before.as_ref().filter(|_| is_main);
        let before = before.map(|row| numbers(context, row, "total", &row.total, &columns));
        last.into_iter().chain([total]).chain(before)
    });
    put(rows, inner, buffer);
}

/// The columns that fit, those that matter most first, in the order of the table.
fn chosen(mut room: usize) -> Vec<Column> {
    let last: Column = ("1s p99", NUMBER, LAST, |spread| spread.p99);
    let mut all: Vec<Column> = COLUMNS.into_iter().chain([last]).collect();
    let mut ranks: Vec<(u8, usize)> = all
        .iter()
        .map(|(_, width, rank, _)| (*rank, *width))
        .collect();
    ranks.sort_unstable();
    let fits = ranks.iter().take_while(|(_, width)| {
        let fits = room >= *width;
        room = room.saturating_sub(*width);
        fits
    });
    let shown: Vec<u8> = fits.map(|(rank, _)| *rank).collect();
    all.retain(|(_, _, rank, _)| shown.contains(rank));
    all
}

fn numbers(
    context: &Context<'_>,
    row: &Row,
    of: &'static str,
    spread: &Spread,
    columns: &[Column],
) -> Line<'static> {
    let theme = context.theme;
    let name = glyph::fit(&row.name, NAME - 1, theme.glyphs.ascii);
    let gap = " ".repeat(NAME - glyph::width(&name));
    let mut line = Line::from(vec![
        Span::styled(format!("{name}{gap}"), theme.text),
        Span::styled(format!("{of:<OF$}"), theme.dim),
    ]);
    for (title, width, rank, value) in columns {
        let value = match *rank {
            LAST => millis(row.last.p99),
            _ if *title == "count" => Thousands(spread.count).to_string(),
            _ => millis(value(spread)),
        };
        let style = if *title == "p99" {
            theme.title
        } else {
            Style::new()
        };
        line.push_span(Span::styled(format!("{value:>width$}"), style));
    }
    line
}

/// Columns before and behind the bar of a distribution.
const LABEL: usize = 9;
const SHARE: usize = 7;

fn distribution(context: &Context<'_>, buffer: &mut Buffer) {
    let (area, theme, scene) = (context.layout.distribution, context.theme, context.scene);
    if area.is_empty() {
        return;
    }
    let main = scene.main();
    let title = format!("{} distribution, ms", main.name().replace('_', " "));
    let inner: Rect = pane(context, area, titled(context, title, ""), buffer);
    let samples = scene.total.latency(main);
    let glyphs = if theme.glyphs.ascii {
        Glyphs::Ascii
    } else {
        Glyphs::Unicode
    };
    let width = usize::from(inner.width).saturating_sub(LABEL + SHARE);
    let all = samples.len().max(1) as f64;
    let rows = buckets(samples).into_iter().map(|bucket| {
        let open = if bucket.is_open { "+" } else { " " };
        Line::from(vec![
            Span::styled(format!("{:>7}{open} ", bucket.label), theme.dim),
            Span::styled(
                format!("{:<width$}", glyphs.bar(bucket.part, width)),
                theme.chart,
            ),
            Span::styled(
                format!("{:>6.1}%", bucket.count as f64 * 100.0 / all),
                theme.text,
            ),
        ])
    });
    let mut rows = rows.peekable();
    if rows.peek().is_none() {
        put([Line::styled("nothing yet", theme.dim)], inner, buffer);
    }
    put(rows, inner, buffer);
}
