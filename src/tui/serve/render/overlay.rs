//! What lies over the panes: help, details, the code to close with.

use ratatui::buffer::Buffer;
use ratatui::layout::Position;
use ratatui::text::{Line, Span};

use super::{Context, details};
use crate::tui::serve::keymap::TABLE;
use crate::tui::serve::state::Overlay;
use crate::tui::widget::pane::window;

/// Rows of details at most.
const DETAILS: usize = 16;

pub(super) fn render(
    context: &Context<'_>,
    overlay: &Overlay,
    buffer: &mut Buffer,
) -> Option<Position> {
    match overlay {
        // It is typed where the log is.
        Overlay::Filter { .. } => None,
        Overlay::Help(at) => {
            help(context, *at, buffer);
            None
        }
        Overlay::Details(id) => {
            let connection = context.scene.connections.get(id);
            let rows = connection.map_or(1, |one| details::facts(context, one).len());
            let rows = u16::try_from(rows.min(DETAILS)).unwrap_or(1);
            let inner = window(
                &format!("Connection {id}"),
                (70, rows),
                buffer,
                context.theme,
            );
            details::draw(context, Some(*id), inner, buffer);
            None
        }
        Overlay::Close(id, line) => {
            let title = format!("Close connection {id} with code and reason");
            let inner = window(&title, (60, 1), buffer, context.theme);
            line.render(inner, buffer, context.theme.text)
        }
    }
}

fn help(context: &Context<'_>, at: usize, buffer: &mut Buffer) {
    let theme = context.theme;
    let row = |keys: String, about: &'static str| {
        Line::from(vec![
            Span::styled(format!(" {keys:<15} "), theme.key),
            Span::styled(about, theme.text),
        ])
    };
    let mut lines: Vec<Line<'_>> = TABLE
        .iter()
        .map(|entry| row(context.state.setup.keymap.keys(entry.verb), entry.about))
        .collect();
    lines.push(Line::default());
    for (sign, about) in [
        ("rx tx", "messages that came from a client, that went to it"),
        (
            "queue",
            "bytes that wait for it to read; ! where some were dropped",
        ),
        ("~", "a topic, among the rooms"),
    ] {
        lines.push(row(sign.to_owned(), about));
    }
    let height = u16::try_from(lines.len()).unwrap_or(u16::MAX);
    let inner = window("Keys", (76, height), buffer, context.theme);
    let most = lines.len().saturating_sub(usize::from(inner.height));
    let first = at.min(most);
    for (y, line) in (inner.top()..inner.bottom()).zip(&lines[first..]) {
        buffer.set_line(inner.x, y, line, inner.width);
    }
    if first < most && inner.bottom() < buffer.area.bottom() {
        let more = Line::styled(format!(" {} more below ", most - first), theme.hint);
        buffer.set_line(inner.x, inner.bottom(), &more, inner.width);
    }
}
