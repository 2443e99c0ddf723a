//! The list of frames.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::header::short;
use super::{Context, boxed, on_rule, on_rule_right, pane_name, rule};
use crate::model::units::Thousands;
use crate::text::glyph;
use crate::tui::connect::keymap::Verb;
use crate::tui::connect::row::{Kind, Row, clock, delta};
use crate::tui::connect::search::Search;
use crate::tui::connect::state::{Focus, Overlay};
use crate::tui::widget::bar::Bar;
use crate::view::ring::Entry;

/// Widths of the columns before the preview; 0 for one that is not there.
struct Columns {
    number: usize,
    time: usize,
    delta: usize,
    target: usize,
    op: usize,
    size: usize,
}

/// Columns of a target's name at most, by the width of the list.
const TARGETS: [(u16, usize); 3] = [(100, 24), (64, 14), (0, 7)];

impl Columns {
    fn of(width: u16, newest: u64, targets: &[Option<Arc<str>>]) -> Self {
        let digits = newest.checked_ilog10().unwrap_or(0) as usize + 1;
        Self {
            number: digits.max(5),
            time: if width >= 56 { 12 } else { 8 },
            delta: if width >= 64 { 7 } else { 0 },
            target: Self::target(width, targets),
            op: 4,
            size: 6,
        }
    }

    /// Of several targets each row says its own.
    fn target(width: u16, targets: &[Option<Arc<str>>]) -> usize {
        let names = targets.iter().flatten();
        let longest = names.map(|name| glyph::width(bare(name))).max();
        let most = TARGETS.iter().find(|(least, _)| width >= *least);
        longest.unwrap_or(0).min(most.map_or(0, |(_, most)| *most))
    }

    /// Where the preview begins.
    fn total(&self) -> usize {
        let optional = |width| if width > 0 { width + 1 } else { 0 };
        let optional = optional(self.delta) + optional(self.target);
        // The marker, and a space after each column; the sign has one before it.
        1 + self.number + 1 + self.time + 1 + optional + 3 + self.op + 1 + self.size + 2
    }
}

/// Draws it; returns where the cursor is while a filter is typed.
pub(super) fn render(context: &Context<'_>, buffer: &mut Buffer) -> Option<Position> {
    let layout = context.layout;
    if layout.rows.is_empty() {
        return None;
    }
    let ring = context.state.list.ring(&context.scene.ring);
    let targets = context.scene.vitals.targets.iter();
    let targets: Vec<_> = targets.map(|(name, _)| name.clone()).collect();
    let columns = Columns::of(layout.rows.width, ring.last(), &targets);
    let count = usize::from(layout.rows.height);
    let rows = context.state.list.rows(&context.scene.ring, count);
    head(context, &columns, buffer);
    let mut before = rows
        .first()
        .and_then(|first| ring.get(first.number - 1))
        .map(|entry| entry.event.at);
    for (at, entry) in rows.iter().enumerate() {
        let area = Rect {
            // `at` is below the number of rows.
            y: layout.rows.y + u16::try_from(at).unwrap_or(0),
            height: 1,
            ..layout.rows
        };
        let since = before.map(|before| entry.event.at.saturating_sub(before));
        row(context, &columns, entry, since, area, buffer);
        before = Some(entry.event.at);
    }
    if rows.is_empty() {
        empty(context, buffer);
    }
    foot(context, buffer)
}

fn head(context: &Context<'_>, columns: &Columns, buffer: &mut Buffer) {
    let (layout, theme) = (context.layout, context.theme);
    if layout.frames_head.is_empty() {
        return;
    }
    let style = context.border(Focus::Frames);
    if !layout.panels.is_empty() {
        boxed(layout.frames_box(), buffer, theme, style);
        let mut title = Line::from(vec![Span::raw(" "), pane_name("Frames", 1, theme)]);
        let room = usize::from(layout.frames_head.width).saturating_sub(title.width() + 5);
        title.extend(position(context).line(room, &Span::raw("  ")).spans);
        title.push_span(" ");
        on_rule(layout.frames_head, buffer, &title);
    } else {
        rule(layout.frames_head, buffer, theme, style);
    }
    column_names(context, columns, buffer);
}

fn column_names(context: &Context<'_>, columns: &Columns, buffer: &mut Buffer) {
    let (area, theme) = (context.layout.column_names, context.theme);
    let name = |name: &str, width: usize| match width {
        0 => String::new(),
        _ => format!("{name:>width$} "),
    };
    let text = format!(
        " {}{}{}{}dir {:<op$} {}  preview ",
        name("#", columns.number),
        name("time", columns.time),
        name("dt", columns.delta),
        name(
            "target",
            columns.target.max(6 * usize::from(columns.target > 0))
        ),
        "op",
        name("size", columns.size).trim_end(),
        op = columns.op - 1,
    );
    for (x, letter) in (area.left()..area.right()).zip(text.chars()) {
        // On a rule, the rule goes on between the names.
        if letter != ' ' {
            buffer[(x, area.y)].set_char(letter).set_style(theme.dim);
        }
    }
}

fn row(
    context: &Context<'_>,
    columns: &Columns,
    entry: &Entry,
    since: Option<Duration>,
    area: Rect,
    buffer: &mut Buffer,
) {
    let (state, theme) = (context.state, context.theme);
    let list = &state.list;
    let room = usize::from(area.width).saturating_sub(columns.total());
    let row = Row::of(entry, room);
    let chosen = list.chosen(&context.scene.ring).map(|chosen| chosen.number);
    let is_chosen = chosen == Some(entry.number)
        && (!list.follows() || state.focus == Focus::Frames && state.overlay.is_none());
    let is_hit = list
        .search
        .as_ref()
        .is_some_and(|search| search.is_hit(entry.number));
    let is_marked = list.mark == Some(entry.number);
    let marker = match (is_chosen, is_marked, is_hit) {
        (true, ..) => ">",
        (_, true, _) => "'",
        (_, _, true) => "*",
        _ => " ",
    };
    let number = match (is_marked, is_hit) {
        (true, _) => theme.mark,
        (_, true) => theme.hit,
        _ => theme.dim,
    };
    let kind = match row.kind {
        Kind::Incoming => theme.incoming,
        Kind::Outgoing => theme.outgoing,
        Kind::Control | Kind::Happening => theme.control,
        Kind::Trouble => theme.error,
    };
    let preview = match row.kind {
        Kind::Incoming | Kind::Outgoing => theme.text,
        Kind::Control | Kind::Happening => theme.dim,
        Kind::Trouble => theme.error,
    };
    let mut line = Line::from(vec![
        Span::styled(marker, number),
        Span::styled(
            format!("{:>width$} ", entry.number, width = columns.number),
            number,
        ),
        Span::styled(
            format!("{} ", time(context, entry.event.time, columns.time)),
            theme.dim,
        ),
    ]);
    if columns.delta > 0 {
        let since = since.map(delta).unwrap_or_default();
        line.push_span(Span::styled(
            format!("{since:>width$} ", width = columns.delta),
            theme.dim,
        ));
    }
    if columns.target > 0 {
        let name = entry.event.name.as_deref().map_or("", bare);
        let name = glyph::ends(name, columns.target, theme.glyphs.ascii);
        let padding = columns.target - glyph::width(&name);
        line.push_span(Span::styled(format!("{name}{:padding$} ", ""), theme.title));
    }
    line.push_span(Span::styled(
        format!(" {} {:<width$} ", row.sign, row.op, width = columns.op),
        kind,
    ));
    line.push_span(Span::styled(
        format!("{:>width$}  ", row.size, width = columns.size),
        theme.dim,
    ));
    line.push_span(Span::styled(row.preview, preview));
    buffer.set_line(area.x, area.y, &line, area.width);
    if is_chosen {
        buffer.set_style(area, theme.selected);
    }
}

/// A target's name without what many have.
fn bare(name: &str) -> &str {
    let name = name
        .trim_start_matches("wss://")
        .trim_start_matches("ws://");
    name.trim_end_matches('/')
}

/// The time of day, as much of it as there is room for.
fn time(context: &Context<'_>, time: SystemTime, width: usize) -> String {
    let mut text = clock(time, &context.state.setup.zone);
    text.truncate(width);
    text
}

/// What an empty list says.
fn empty(context: &Context<'_>, buffer: &mut Buffer) {
    let area = context.layout.rows;
    let text = if context.state.list.shows_only_hits() {
        "no hits"
    } else {
        "nothing yet: what arrives is listed here, what you type is sent"
    };
    buffer.set_stringn(
        area.x + 1,
        area.y,
        text,
        usize::from(area.width - 1),
        context.theme.dim,
    );
}

/// Where the list stands, and whether it follows.
fn position<'a>(context: &Context<'_>) -> Bar<'a> {
    let (state, theme, live) = (context.state, context.theme, &context.scene.ring);
    let list = &state.list;
    let chosen = list.chosen(live).map_or(0, |entry| entry.number);
    let place = format!("{chosen}/{}", live.last());
    let mut bar = Bar::default();
    if list.is_paused() {
        bar.add(0, Span::styled(format!("PAUSED {place}"), theme.hint));
    } else if list.follows() {
        let text = format!("{} following", Thousands(live.last()));
        bar.add(0, Span::styled(text, theme.dim));
    } else {
        bar.add(0, Span::styled(place, theme.hint));
    }
    if list.is_paused() || !list.follows() {
        let key = state.setup.keymap.key(Verb::Follow).unwrap_or_default();
        match list.unseen(live) {
            0 => {}
            new => bar.add(
                1,
                Span::styled(format!("{} new", Thousands(new)), theme.hint),
            ),
        }
        bar.add(2, Span::styled(format!("({key} follow)"), theme.hint));
    }
    if list.hides_control() {
        let key = state.setup.keymap.key(Verb::Control).unwrap_or_default();
        bar.add(3, Span::styled(format!("no pings ({key})"), theme.dim));
    }
    if live.evicted() > 0 {
        let text = format!("{} older left", short(live.evicted()));
        bar.add(4, Span::styled(text, theme.dim));
    }
    bar
}

/// The least of a filter that is worth its room.
const LEAST_FILTER: usize = 6;

fn foot(context: &Context<'_>, buffer: &mut Buffer) -> Option<Position> {
    let (area, theme) = (context.layout.frames_foot, context.theme);
    let compact = context.layout.panels.is_empty();
    if compact {
        rule(area, buffer, theme, context.border(Focus::Frames));
    }
    if let Some(Overlay::Filter { line, .. }) = &context.state.overlay {
        return typing(context, line, buffer);
    }
    let search = context.state.list.search.as_ref();
    let verdict = search.map(|search| hits(context, search));
    let verdict_width = verdict.as_ref().map_or(0, |verdict| verdict.width() + 4);
    // The rule goes on at both ends.
    let room = usize::from(area.width).saturating_sub(3);
    let mut left = Line::default();
    if compact {
        let position = position(context);
        let kept = room.saturating_sub(verdict_width + 2);
        left.push_span(" ");
        left.extend(position.line(kept, &Span::raw("  ")).spans);
        left.push_span(" ");
        on_rule(area, buffer, &left);
    }
    if let (Some(search), Some(verdict)) = (search, verdict) {
        let label = " filter: ";
        let rest = room.saturating_sub(left.width() + label.len() + verdict.width() + 2);
        let mut right = if rest >= LEAST_FILTER {
            let text = glyph::fit(&search.text, rest, theme.glyphs.ascii);
            Line::styled(format!("{label}{text}"), theme.text)
        } else {
            Line::styled(" /", theme.text)
        };
        right.push_span(verdict);
        right.push_span(" ");
        on_rule_right(area, buffer, &right, left.width());
    }
    None
}

fn hits(context: &Context<'_>, search: &Search) -> Span<'static> {
    let theme = context.theme;
    if search.problem().is_some() {
        // What is wrong is said in the footer, where there is room for it.
        return Span::styled("  wrong", theme.error);
    }
    let keymap = &context.state.setup.keymap;
    let keys = format!(
        "{}/{}",
        keymap.key(Verb::NextHit).unwrap_or_default(),
        keymap.key(Verb::PreviousHit).unwrap_or_default()
    );
    let ring = context.state.list.ring(&context.scene.ring);
    let more = if search.is_behind(ring) { "+" } else { "" };
    let only = if context.state.list.shows_only_hits() {
        " only"
    } else {
        ""
    };
    let hits = match search.count() {
        1 => "hit",
        _ => "hits",
    };
    let count = Thousands(search.count() as u64);
    let text = format!("  {count}{more} {hits}{only} ({keys})");
    Span::styled(text, theme.hit)
}

/// The filter while it is typed.
fn typing(
    context: &Context<'_>,
    line: &crate::tui::widget::line::Line,
    buffer: &mut Buffer,
) -> Option<Position> {
    let (area, theme) = (context.layout.frames_foot, context.theme);
    let label = " filter: ";
    let label_width = 9;
    let clear = Rect {
        x: area.x + 1,
        width: area.width.saturating_sub(2),
        ..area
    };
    for x in clear.left()..clear.right() {
        buffer[(x, clear.y)]
            .set_char(' ')
            .set_style(Style::reset().patch(theme.text));
    }
    buffer.set_stringn(
        clear.x,
        clear.y,
        label,
        usize::from(clear.width),
        theme.title,
    );
    let verdict = match &context.state.list.search {
        Some(search) => Line::from(vec![hits(context, search), Span::raw(" ")]),
        None => Line::styled("  \"text\" /regex/ json:/id=7 op:ping size>1k ", theme.dim),
    };
    let verdict_width = verdict.width().min(usize::from(clear.width) * 2 / 3);
    // It is at most two thirds of the area's width.
    let verdict_columns = u16::try_from(verdict_width).unwrap_or(0);
    let room = clear.width.saturating_sub(label_width + verdict_columns);
    let place = Rect {
        x: clear.x + label_width.min(clear.width),
        width: room,
        ..clear
    };
    let cursor = line.render(place, buffer, theme.text);
    buffer.set_line(
        clear.right() - verdict_columns,
        clear.y,
        &verdict,
        verdict_columns,
    );
    cursor
}
