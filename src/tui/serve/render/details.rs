//! All about one connection.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::Context;
use super::connections::age;
use crate::model::event::ConnId;
use crate::model::units::{Thousands, show_duration, show_size};
use crate::text::{glyph, sanitize};
use crate::tui::serve::scene::{Connection, Count};

/// Columns of the names of facts.
const NAME: usize = 9;

/// The pane of wide screens.
pub(super) fn pane(context: &Context<'_>, buffer: &mut Buffer) {
    let (area, theme) = (context.layout.details, context.theme);
    if area.is_empty() {
        return;
    }
    let title = match context.state.chosen {
        Some(id) => format!("Connection {id}"),
        None => "Connection".to_owned(),
    };
    let title = Line::from(Span::styled(title, theme.title));
    super::pane(context, area, None, title, buffer);
    let inner = Rect {
        x: area.x + 2,
        y: area.y + 1,
        width: area.width.saturating_sub(4),
        height: area.height.saturating_sub(2),
    };
    draw(context, context.state.chosen, inner, buffer);
}

/// The facts, as many as there are rows.
pub(super) fn draw(context: &Context<'_>, id: Option<ConnId>, area: Rect, buffer: &mut Buffer) {
    let theme = context.theme;
    let connection = id.and_then(|id| context.scene.connections.get(&id));
    let Some(connection) = connection else {
        let text = match id {
            Some(_) => "it is gone",
            None => "nobody is connected",
        };
        buffer.set_stringn(area.x, area.y, text, usize::from(area.width), theme.dim);
        return;
    };
    let room = usize::from(area.width).saturating_sub(NAME + 1);
    let facts = facts(context, connection);
    for (y, (name, text)) in (area.top()..area.bottom()).zip(facts) {
        let text = glyph::fit(&sanitize::line(&text), room, theme.glyphs.ascii);
        let line = Line::from(vec![
            Span::styled(format!("{name:<NAME$} "), theme.dim),
            Span::styled(text, theme.text),
        ]);
        buffer.set_line(area.x, y, &line, area.width);
    }
}

/// Names and values, what matters most first.
pub(super) fn facts(context: &Context<'_>, connection: &Connection) -> Vec<(&'static str, String)> {
    let open = &connection.open;
    let count = |count: Count| {
        let (messages, bytes) = (Thousands(count.messages), show_size(count.bytes));
        format!("{messages} messages, {bytes}")
    };
    let or_none = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    let open_for = age(context.now.saturating_sub(connection.since).as_secs());
    let since = open.timings.since;
    let before = since.map_or_else(
        || "no attempt".to_owned(),
        |since| format!("an attempt {} earlier", show_duration(since)),
    );
    let tls = open.tls.as_ref();
    let tls = tls.map(|tls| format!("{} {}", tls.version, tls.cipher));
    let mut facts = vec![
        ("address", open.peer.clone()),
        ("url", open.url.clone()),
        ("user", or_none(connection.user.clone())),
        ("open for", open_for),
        ("before", before),
        ("received", count(connection.received)),
        ("sent", count(connection.sent)),
        ("queued", show_size(connection.queued as u64)),
    ];
    if connection.dropped > 0 {
        let dropped = format!("{} messages", Thousands(connection.dropped));
        facts.push(("dropped", dropped));
    }
    facts.extend([
        ("rtt", or_none(connection.rtt.map(show_duration))),
        ("protocol", or_none(open.subprotocol.clone())),
        ("tls", or_none(tls)),
    ]);
    let extensions = match open.extensions.as_slice() {
        [] => "-".to_owned(),
        extensions => extensions.join(", "),
    };
    facts.push(("extension", extensions));
    for place in &connection.places {
        let kind = if place.is_topic { "topic" } else { "room" };
        facts.push((kind, place.name.to_string()));
    }
    facts
}
