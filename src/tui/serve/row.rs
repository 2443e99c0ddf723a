//! One line of the log.

use std::borrow::Cow;

use crate::model::event::What;
use crate::model::units::show_size;
use crate::text::sanitize;
use crate::tui::connect::row::{Kind, Row};
use crate::view::ring::Entry;

/// What a server's entry looks like; `room` is how many columns the preview can have.
pub(super) fn row(entry: &Entry, room: usize) -> Row<'_> {
    let told = |kind, op, text: String| Row {
        kind,
        sign: if kind == Kind::Trouble { "!" } else { "*" },
        op,
        size: String::new(),
        preview: Cow::Owned(text),
    };
    let fine = |op, text| told(Kind::Happening, op, text);
    let trouble = |op, text| told(Kind::Trouble, op, text);
    match &entry.event.what {
        What::Open(open) => fine("OPEN", format!("{} at {}", open.peer, shown(&open.url))),
        What::Auth { user, result } => {
            let user = user.as_deref().map(shown);
            match (user, *result) {
                (Some(user), "ok") => fine("AUTH", format!("is {user}")),
                (None, "ok") => fine("AUTH", "is whoever has the token".to_owned()),
                (Some(user), why) => trouble("AUTH", format!("{user} may not come in: {why}")),
                (None, why) => trouble("AUTH", format!("may not come in: {why}")),
            }
        }
        What::Room { room, action } => fine("ROOM", format!("{action} {}", shown(room))),
        What::Presence { room, user, state } => {
            let (user, room) = (shown(user), shown(room));
            fine("PRES", format!("{user} {state} {room}"))
        }
        What::Saved { name, size } => {
            let (name, size) = (shown(name), show_size(*size));
            fine("FILE", format!("stored as {name} ({size})"))
        }
        What::Limit { limit, action, .. } => trouble("LIM", format!("{limit}: {action}")),
        What::Fault { detail, .. } => trouble("FLT", shown(detail).into_owned()),
        _ => Row::of(entry, room),
    }
}

fn shown(text: &str) -> Cow<'_, str> {
    sanitize::line(text)
}
