//! One line of the list: what an entry looks like in a few columns.

use std::borrow::Cow;
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::model::event::{Close, Direction, Open, What};
use crate::model::frame::FrameInfo;
use crate::model::handshake::Timings;
use crate::model::message::Message;
use crate::model::units::{show_duration, show_size};
use crate::text::{hex, sanitize};
use crate::view::ring::Entry;

/// What kind of thing a row tells of; decides its colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::tui) enum Kind {
    Incoming,
    Outgoing,
    Control,
    Happening,
    Trouble,
}

/// The columns of an entry, but for number and time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::tui) struct Row<'a> {
    pub(in crate::tui) kind: Kind,
    /// `<` in, `>` out, `*` opened, `!` trouble.
    pub(in crate::tui) sign: &'static str,
    pub(in crate::tui) op: &'static str,
    pub(in crate::tui) size: String,
    /// Safe to be shown, on one line.
    pub(in crate::tui) preview: Cow<'a, str>,
}

impl<'a> Row<'a> {
    /// `room` is how many columns the preview can have.
    pub(in crate::tui) fn of(entry: &'a Entry, room: usize) -> Self {
        match &entry.event.what {
            What::Message { dir, message, .. } => Self {
                kind: way(*dir),
                sign: sign(*dir),
                op: if message.is_text() { "TXT" } else { "BIN" },
                size: compact_size(message.payload.len()),
                preview: preview(message, room),
            },
            What::Ping { dir, payload } => Self {
                kind: Kind::Control,
                sign: sign(*dir),
                op: "PING",
                size: compact_size(payload.len()),
                preview: control_payload(payload, room),
            },
            What::Pong { dir, payload, rtt } => Self {
                kind: Kind::Control,
                sign: sign(*dir),
                op: "PONG",
                size: compact_size(payload.len()),
                preview: match rtt {
                    Some(rtt) => format!("rtt {}", show_duration(*rtt)).into(),
                    None => control_payload(payload, room),
                },
            },
            What::Frame { dir, frame } => Self {
                kind: way(*dir),
                sign: sign(*dir),
                op: "FRM",
                size: compact_size(usize::try_from(frame.payload_len).unwrap_or(usize::MAX)),
                preview: framed(frame).into(),
            },
            What::Open(open) => Self::happening(Kind::Happening, "*", "OPEN", opened(open)),
            What::Close(close) => {
                let fine = close.code.is_ordinary() && close.unsent == 0;
                let kind = if fine { Kind::Happening } else { Kind::Trouble };
                Self::happening(kind, if fine { "*" } else { "!" }, "CLOS", closed(close))
            }
            What::Refused(refused) => {
                let reason = sanitize::line(&refused.reason);
                let text = format!("HTTP {} {reason}", refused.status);
                Self::happening(Kind::Trouble, "!", "HTTP", text)
            }
            What::Error(problem) => {
                let text = sanitize::line(&problem.message).into_owned();
                Self::happening(Kind::Trouble, "!", "ERR", text)
            }
            What::Retry { attempt, delay, .. } => {
                let text = format!("reconnect #{attempt} in {}", show_duration(*delay));
                Self::happening(Kind::Trouble, "!", "WAIT", text)
            }
            What::Dropped {
                count,
                bytes,
                place,
            } => {
                let text = format!("dropped {count} messages ({}): {place}", show_size(*bytes));
                Self::happening(Kind::Trouble, "!", "DROP", text)
            }
            other => Self::happening(Kind::Happening, "*", "", other.name().to_owned()),
        }
    }

    fn happening(kind: Kind, sign: &'static str, op: &'static str, text: String) -> Self {
        Self {
            kind,
            sign,
            op,
            size: String::new(),
            preview: text.into(),
        }
    }
}

const fn way(dir: Direction) -> Kind {
    match dir {
        Direction::In => Kind::Incoming,
        Direction::Out => Kind::Outgoing,
    }
}

const fn sign(dir: Direction) -> &'static str {
    match dir {
        Direction::In => "<",
        Direction::Out => ">",
    }
}

/// The beginning of a message: no more of it is looked at than can be seen.
fn preview(message: &Message, room: usize) -> Cow<'_, str> {
    let most = room.saturating_mul(4).min(message.payload.len());
    if !message.is_text() {
        return bytes(&message.payload, room).into();
    }
    let start = &message.payload[..most];
    // A character that was cut in half is no part of what can be seen.
    let valid = start.utf8_chunks().next().map_or("", |chunk| chunk.valid());
    sanitize::line(valid)
}

fn control_payload(payload: &[u8], room: usize) -> Cow<'_, str> {
    match std::str::from_utf8(payload) {
        Ok(text) if !text.chars().any(sanitize::is_hostile) => Cow::Borrowed(text),
        _ => bytes(payload, room).into(),
    }
}

/// `08 96 01`, as many as fit.
fn bytes(payload: &[u8], room: usize) -> String {
    hex::preview(payload, (room / 3).max(1))
}

/// `text (1) fin=0 rsv=100`.
fn framed(frame: &FrameInfo) -> String {
    let [rsv1, rsv2, rsv3] = frame.rsv.map(u8::from);
    format!(
        "{} ({}) fin={} rsv={rsv1}{rsv2}{rsv3}",
        frame.opcode,
        frame.opcode.value(),
        u8::from(frame.fin)
    )
}

fn opened(open: &Open) -> String {
    let mut text = format!("101 in {}", show_duration(open.timings.total));
    let steps = steps(&open.timings);
    if !steps.is_empty() {
        text.push_str(": ");
        text.push_str(&steps.join(" "));
    }
    text
}

/// `dns 1ms`, for each step that was taken.
pub(in crate::tui) fn steps(timings: &Timings) -> Vec<String> {
    let short = |name| if name == "upgrade" { "up" } else { name };
    let steps = timings.steps();
    steps
        .map(|(name, took)| format!("{} {}", short(name), show_duration(took)))
        .collect()
}

fn closed(close: &Close) -> String {
    let mut text = format!("{} {}", close.code, close.code.name());
    if !close.reason.is_empty() {
        text.push_str(&format!(": {}", sanitize::line(&close.reason)));
    }
    if close.unsent > 0 {
        text.push_str(&format!(", {} unsent", close.unsent));
    }
    text
}

/// `212B`, `4.1kB`: five letters at most.
pub(in crate::tui) fn compact_size(bytes: usize) -> String {
    show_size(bytes as u64).replace(' ', "")
}

/// `+0.8ms`, `+636ms`, `+1.6s`, `+12m`: seven letters at most.
pub(in crate::tui) fn delta(since: Duration) -> String {
    let micros = since.as_micros();
    match micros {
        0..10_000 => format!("+{:.1}ms", since.as_secs_f64() * 1e3),
        10_000..1_000_000 => format!("+{}ms", since.as_millis()),
        1_000_000..60_000_000 => format!("+{:.1}s", since.as_secs_f64()),
        60_000_000..3_600_000_000 => format!("+{}m", since.as_secs() / 60),
        _ => format!("+{}h", since.as_secs() / 3600),
    }
}

/// `14:02:11.340`.
pub(in crate::tui) fn clock(time: SystemTime, zone: &TimeZone) -> String {
    Timestamp::try_from(time).map_or_else(
        |_| "--:--:--.---".to_owned(),
        |stamp| {
            let zoned = stamp.to_zoned(zone.clone());
            zoned.strftime("%H:%M:%S%.3f").to_string()
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_sizes_are_short() {
        for (micros, shown) in [
            (0, "+0.0ms"),
            (800, "+0.8ms"),
            (9_960, "+10.0ms"),
            (22_900, "+22ms"),
            (636_000, "+636ms"),
            (1_611_000, "+1.6s"),
            (59_900_000, "+59.9s"),
            (754_000_000, "+12m"),
            (7_200_000_000, "+2h"),
        ] {
            assert_eq!(delta(Duration::from_micros(micros)), shown);
        }
        assert_eq!(compact_size(212), "212B");
        assert_eq!(compact_size(4_100), "4.1kB");
    }

    #[test]
    fn a_preview_reads_no_more_than_it_shows_and_is_safe() {
        let message = Message::text(format!("\x1b[2Jé{}", "x".repeat(1_000_000)));
        for room in 0..40 {
            let shown = preview(&message, room);
            assert!(shown.len() <= room * 4 + 8, "{room}: {}", shown.len());
            assert!(!shown.chars().any(sanitize::is_hostile));
        }
        let half = Message::text("éé");
        assert_eq!(preview(&half, 0), "");
        assert_eq!(control_payload(b"\x00\x01", 80), "00 01");
    }
}
