//! The help: every key, every slash command, and what the signs mean.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::{Context, on_rule};
use crate::input::slash::SLASH;
use crate::tui::connect::keymap::{Place, TABLE};
use crate::tui::connect::state::State;
use crate::tui::widget::pane::{window, wrap};

/// Columns of the widest window: more make no line shorter.
const WIDTH: u16 = 76;
/// Columns of the keys, and of the usage of a command.
const KEYS: usize = 17;
const USAGE: usize = 25;
/// Where fewer are left for a sentence, it stands below.
const LEAST: usize = 20;

/// The rows above the slash commands.
pub(in crate::tui::connect) fn commands_at(state: &State) -> usize {
    let commands = lines(state).1;
    commands.min(most(state))
}

/// How many rows can be scrolled away.
pub(in crate::tui::connect) fn most(state: &State) -> usize {
    // The border and the footer.
    let room = usize::from(state.size.height.saturating_sub(3));
    lines(state).0.len().saturating_sub(room)
}

pub(super) fn render(context: &Context<'_>, at: usize, buffer: &mut Buffer) {
    let lines = lines(context.state).0;
    let height = u16::try_from(lines.len()).unwrap_or(u16::MAX);
    let inner = window("Help", (WIDTH, height), buffer, context.theme);
    let first = at.min(most(context.state));
    for (y, line) in (inner.top()..inner.bottom()).zip(&lines[first..]) {
        buffer.set_line(inner.x, y, line, inner.width);
    }
    let below = (lines.len() - first).saturating_sub(usize::from(inner.height));
    if below > 0 {
        let more = Line::styled(format!(" {below} more below "), context.theme.hint);
        let foot = Rect {
            x: inner.x.saturating_sub(2),
            y: inner.bottom(),
            width: inner.width + 4,
            height: 1,
        };
        on_rule(foot.intersection(buffer.area), buffer, &more);
    }
}

/// All rows, and the number of the one where the slash commands begin.
fn lines(state: &State) -> (Vec<Line<'static>>, usize) {
    let theme = state.theme();
    let width = usize::from(state.size.width.saturating_sub(4).min(WIDTH));
    let mut lines = Vec::new();
    let section = |lines: &mut Vec<Line<'static>>, name: &'static str| {
        if !lines.is_empty() {
            lines.push(Line::default());
        }
        lines.push(Line::styled(name, theme.title));
    };
    let pair = |lines: &mut Vec<Line<'static>>, lead: &str, columns: usize, about: &str| {
        let is_roomy = width >= columns + LEAST;
        let indent = if is_roomy { columns } else { 3 };
        let mut key = Some(Span::styled(
            format!(" {lead:<0$} ", columns - 2),
            theme.key,
        ));
        if !is_roomy {
            lines.extend(key.take().map(Line::from));
        }
        for row in wrap(about, width.saturating_sub(indent)) {
            let lead = key.take().unwrap_or_else(|| " ".repeat(indent).into());
            lines.push(Line::from(vec![lead, Span::styled(row, theme.text)]));
        }
    };
    for (place, name) in [
        (Place::Composer, "While you type"),
        (Place::Panes, "In the panes (Esc leaves the composer)"),
        (Place::Anywhere, "Everywhere"),
    ] {
        section(&mut lines, name);
        for entry in TABLE.iter().filter(|entry| entry.place == place) {
            let keys = state.setup.keymap.keys(entry.verb);
            pair(&mut lines, &keys, KEYS, entry.about);
        }
    }
    section(&mut lines, "Commands, typed as a message");
    let commands = lines.len() - 1;
    for slash in SLASH {
        let usage = format!("{} {}", slash.name, slash.args);
        pair(&mut lines, &usage, USAGE, slash.about);
    }
    pair(&mut lines, "//text", USAGE, "send /text");
    section(&mut lines, "In the filter");
    for (form, about) in [
        ("text", "messages that contain it; case matters"),
        ("/(?i)text/", "the same in any case"),
        ("json:/id=7", "JSON with that value there"),
        ("op:ping dir:in", "kinds of traffic, what came or went"),
        ("! & | ( )", "not, and, or; text with these needs quotes"),
    ] {
        pair(&mut lines, form, KEYS, about);
    }
    section(&mut lines, "In the list");
    for (sign, about) in [
        ("< >", "came in, went out"),
        ("*  !", "the connection: as it should be, or not"),
        (
            "> * '",
            "before the number: chosen, hit by the filter, marked",
        ),
    ] {
        pair(&mut lines, sign, KEYS, about);
    }
    (lines, commands)
}
