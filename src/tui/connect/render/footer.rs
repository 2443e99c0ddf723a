//! The last row: the keys that matter here, or what was just done.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Clear, Widget as _};

use super::Context;
use crate::text::{glyph, sanitize};
use crate::tui::connect::keymap::{Place, TABLE, Verb};
use crate::tui::connect::search::Search;
use crate::tui::connect::state::{Focus, Overlay};
use crate::tui::widget::bar::Bar;
use crate::tui::widget::pane::wrap;

/// A sentence takes no more rows than this.
const MOST_ROWS: usize = 4;

pub(super) fn render(context: &Context<'_>, buffer: &mut Buffer) {
    let (area, state, theme) = (context.layout.footer, context.state, context.theme);
    if area.is_empty() {
        return;
    }
    let search = state.list.search.as_ref();
    if let (Some(Overlay::Filter { .. }), Some(problem)) =
        (&state.overlay, search.and_then(Search::problem))
    {
        return sentence(context, problem, theme.error, buffer);
    }
    if let Some(said) = state.said() {
        return sentence(context, said, theme.hint, buffer);
    }
    if !state.begun.is_empty() {
        let keys: Vec<String> = state.begun.iter().map(ToString::to_string).collect();
        let text = format!(" {} ...", keys.join(" "));
        buffer.set_stringn(area.x, area.y, text, usize::from(area.width), theme.hint);
        return;
    }
    let area = Rect {
        x: area.x + 1,
        width: area.width.saturating_sub(2),
        ..area
    };
    let mut bar = Bar::default();
    if let Some(overlay) = &state.overlay {
        for (key, word) in keys_of(overlay) {
            bar.add(1, pair(context, key, word));
        }
    } else {
        let composing = state.focus == Focus::Composer && !state.zoomed;
        let here = if composing {
            Place::Composer
        } else {
            Place::Panes
        };
        let there = TABLE
            .iter()
            .filter(|entry| !entry.footer.is_empty())
            .filter(|entry| entry.place == here || entry.place == Place::Anywhere)
            // In the panes there is a letter for it.
            .filter(|entry| composing || entry.verb != Verb::Cancel);
        for (at, entry) in there.enumerate() {
            let keymap = &state.setup.keymap;
            let key = if composing {
                keymap.key_while_composing(entry.verb)
            } else {
                keymap.key(entry.verb)
            };
            let Some(key) = key else {
                continue;
            };
            // The help is where everything else is found: it stays.
            let rank = match entry.verb {
                Verb::Help => 0,
                Verb::Cancel => 1,
                _ => u8::try_from(at + 1).unwrap_or(u8::MAX),
            };
            let word = match entry.verb {
                // There it looks for a text in the message.
                Verb::Filter if state.focus == Focus::Inspector => "search",
                _ => entry.footer,
            };
            bar.add(rank, pair(context, &key, word));
        }
    }
    bar.render(area, buffer, &Span::raw("  "));
}

/// A sentence, whole: upwards from the last row, where one is too few for it.
fn sentence(context: &Context<'_>, text: &str, style: Style, buffer: &mut Buffer) {
    let footer = context.layout.footer;
    let room = usize::from(footer.width).saturating_sub(2);
    let mut rows = wrap(&sanitize::line(text), room);
    if rows.len() > MOST_ROWS {
        let rest = rows.split_off(MOST_ROWS - 1).join(" ");
        rows.push(glyph::fit(&rest, room, context.theme.glyphs.ascii));
    }
    for (y, row) in (buffer.area.top()..footer.bottom())
        .rev()
        .zip(rows.iter().rev())
    {
        let area = Rect {
            y,
            height: 1,
            ..footer
        };
        Clear.render(area, buffer);
        buffer.set_style(area, context.theme.text);
        buffer.set_stringn(area.x + 1, y, row, room, style);
    }
}

fn pair(context: &Context<'_>, key: &str, word: &str) -> Line<'static> {
    Line::from(vec![
        Span::styled(key.to_owned(), context.theme.key),
        Span::styled(format!(" {word}"), context.theme.dim),
    ])
}

/// The keys of what lies over the panes are fixed.
const fn keys_of(overlay: &Overlay) -> &'static [(&'static str, &'static str)] {
    match overlay {
        Overlay::Help(_) | Overlay::Events(_) => &[("Up Down", "scroll"), ("Esc", "back")],
        Overlay::Filter { .. } => &[("Enter", "keep it"), ("Esc", "no filter")],
        Overlay::Palette { .. } => &[("Enter", "do it"), ("Up Down", "choose"), ("Esc", "back")],
        Overlay::CopyAs(_) => &[
            ("Enter", "this one"),
            ("a", "the whole list"),
            ("Up Down", "choose"),
            ("Esc", "back"),
        ],
        Overlay::Save { .. } => &[("Enter", "save"), ("Esc", "back")],
        Overlay::Overwrite(_) => &[("y", "replace it"), ("Esc", "back")],
        Overlay::Close(_) => &[("Enter", "send Close"), ("Esc", "back")],
        Overlay::Quit { .. } => &[("y", "quit"), ("Esc", "stay")],
    }
}
