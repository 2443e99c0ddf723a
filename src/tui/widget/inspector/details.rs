//! What can be said of an entry in words: its title, its frames, its handshake, and what happened
//! where it is no message.

use bytes::Bytes;
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};

use super::{Subject, safe, size};
use crate::model::event::{ClosedBy, Direction, Open, Refused, What};
use crate::model::frame::FrameInfo;
use crate::model::handshake::Headers;
use crate::model::message::Message;
use crate::model::ndjson::rfc3339;
use crate::model::secret;
use crate::model::units::{show_duration, show_size};
use crate::tui::theme::Theme;

/// What a part of a row is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tone {
    Plain,
    Dim,
    Title,
    Key,
    In,
    Out,
    Good,
    Hint,
    Error,
    /// The part of a line that makes the difference.
    Changed(Direction),
}

impl Tone {
    pub(super) const fn style(self, theme: &Theme) -> Style {
        match self {
            Self::Plain => theme.text,
            Self::Dim => theme.dim,
            Self::Title => theme.title,
            Self::Key => theme.json_key,
            Self::In => theme.incoming,
            Self::Out => theme.outgoing,
            Self::Good => theme.good,
            Self::Hint => theme.hint,
            Self::Error => theme.error,
            Self::Changed(dir) => {
                let style = match dir {
                    Direction::In => theme.good,
                    Direction::Out => theme.error,
                };
                style.add_modifier(Modifier::REVERSED)
            }
        }
    }
}

/// A piece of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) tone: Tone,
    pub(super) text: String,
}

impl Part {
    pub(super) fn new(tone: Tone, text: impl Into<String>) -> Self {
        Self {
            tone,
            text: text.into(),
        }
    }
}

/// One row in words.
pub(super) type Words = Vec<Part>;

/// A name and what it is.
fn field(name: &str, value: impl Into<String>) -> Words {
    vec![
        Part::new(Tone::Key, format!("{name:<12} ")),
        Part::new(Tone::Plain, value),
    ]
}

/// Whether a message is worth reading as JSON: it begins like an object or an array.
pub(super) fn looks_like_json(message: &Message) -> bool {
    let head = &message.payload[..message.payload.len().min(256)];
    let is_text = message.is_text()
        || match std::str::from_utf8(head) {
            Ok(_) => true,
            // The head may end inside of a character.
            Err(error) => error.error_len().is_none(),
        };
    is_text && matches!(head.trim_ascii_start().first(), Some(b'{' | b'['))
}

/// The payload of an entry that has one.
pub(super) fn payload(what: &What) -> Option<Bytes> {
    match what {
        What::Message { message, .. } => Some(message.payload.clone()),
        What::Ping { payload, .. } | What::Pong { payload, .. } => Some(payload.clone()),
        _ => None,
    }
}

/// `#18501 < TEXT 61 B`.
pub(super) fn title(subject: &Subject<'_>, theme: &Theme) -> Line<'static> {
    let entry = subject.entry;
    let (dir, name) = match &entry.event.what {
        What::Message { dir, message, .. } => (
            Some(*dir),
            if message.is_text() { "TEXT" } else { "BINARY" },
        ),
        What::Ping { dir, .. } => (Some(*dir), "PING"),
        What::Pong { dir, .. } => (Some(*dir), "PONG"),
        What::Frame { dir, .. } => (Some(*dir), "FRAME"),
        What::Close(_) => (None, "CLOSE"),
        What::Open(_) => (None, "OPEN"),
        other => (None, other.name()),
    };
    let (sign, style) = match dir {
        Some(Direction::In) => ("< ", theme.incoming),
        Some(Direction::Out) => ("> ", theme.outgoing),
        None => ("", theme.control),
    };
    let mut line = Line::from(vec![
        Span::styled(format!("#{} ", entry.number), theme.title),
        Span::styled(format!("{sign}{name}"), style),
    ]);
    if let Some(payload) = payload(&entry.event.what) {
        line.push_span(Span::styled(
            format!(" {}", show_size(payload.len() as u64)),
            theme.dim,
        ));
    }
    line
}

/// The frames that carried it, and what it answers.
pub(super) fn facts(subject: &Subject<'_>) -> Vec<Words> {
    let mut facts = Vec::new();
    if let Some(frames) = frames_fact(subject) {
        facts.push(frames);
    }
    if let Some((to, pointer, after)) = subject.reply {
        let after = show_duration(after);
        facts.push(vec![
            Part::new(Tone::Hint, format!("reply to #{to}")),
            Part::new(Tone::Dim, format!(" (json:{pointer})")),
            Part::new(Tone::Plain, format!(" after {after}")),
        ]);
    }
    facts
}

fn frames_fact(subject: &Subject<'_>) -> Option<Words> {
    let entry = subject.entry;
    let (count, wire, length) = match &entry.event.what {
        What::Message {
            frames,
            wire,
            message,
            ..
        } => (*frames, Some(*wire), message.payload.len() as u64),
        What::Pong { rtt: Some(rtt), .. } => {
            let text = format!("round trip {}", show_duration(*rtt));
            return Some(vec![Part::new(Tone::Plain, text)]);
        }
        What::Ping { payload, .. } | What::Pong { payload, .. } => (1, None, payload.len() as u64),
        _ => return None,
    };
    let shape = match entry.frames.as_slice() {
        [frame] => bits(frame),
        _ if count == 1 => "1 frame".to_owned(),
        _ => format!("{count} frames"),
    };
    let mut words = vec![Part::new(Tone::Plain, shape)];
    if let Some(wire) = wire {
        words.push(Part::new(Tone::Dim, format!("  wire {}", show_size(wire))));
        if wire < length && wire > 0 {
            let ratio = length as f64 / wire as f64;
            words.push(Part::new(Tone::Dim, format!("  deflate {ratio:.1}x")));
        }
    }
    Some(words)
}

fn bits(frame: &FrameInfo) -> String {
    let rsv: String = frame
        .rsv
        .iter()
        .map(|bit| if *bit { '1' } else { '0' })
        .collect();
    let masked = if frame.masked { "masked" } else { "unmasked" };
    format!(
        "fin {}  rsv {rsv}  opcode {} {}  {masked}",
        u8::from(frame.fin),
        frame.opcode.value(),
        frame.opcode,
    )
}

/// Each frame, then the opening handshake both ways.
pub(super) fn headers(subject: &Subject<'_>) -> Vec<Words> {
    let mut rows = Vec::new();
    let frames = &subject.entry.frames;
    if !frames.is_empty() {
        rows.push(vec![Part::new(Tone::Title, "frames")]);
        for (at, frame) in frames.iter().enumerate() {
            let sizes = format!(
                "  payload {}  wire {}",
                show_size(frame.payload_len),
                show_size(frame.wire_len)
            );
            rows.push(vec![
                Part::new(Tone::Dim, format!("{:>3}  ", at + 1)),
                Part::new(Tone::Plain, bits(frame)),
                Part::new(Tone::Dim, sizes),
            ]);
        }
        if let What::Message { frames: count, .. } = &subject.entry.event.what
            && *count > frames.len() as u64
        {
            let more = count - frames.len() as u64;
            rows.push(vec![Part::new(Tone::Dim, format!("     and {more} more"))]);
        }
        rows.push(Vec::new());
    }
    if let Some(head) = subject.request {
        let target = secret::redact_target(&head.target);
        let first = format!("> {} {target} HTTP/1.1", head.method);
        push_head(&mut rows, Tone::Out, &first, "> ", &head.headers);
    }
    if let Some(head) = subject.response {
        let minor = if head.is_http_1_0 { 0 } else { 1 };
        let first = format!("< HTTP/1.{minor} {} {}", head.status, head.reason);
        push_head(&mut rows, Tone::In, first.trim_end(), "< ", &head.headers);
    }
    if subject.request.is_none() && subject.response.is_none() {
        let text = "the opening handshake of this connection is not known";
        rows.push(vec![Part::new(Tone::Dim, text)]);
    }
    rows
}

fn push_head(rows: &mut Vec<Words>, tone: Tone, first: &str, sign: &str, headers: &Headers) {
    rows.push(vec![Part::new(tone, safe(first))]);
    for (name, value) in secret::redact_headers(headers) {
        rows.push(vec![
            Part::new(tone, sign),
            Part::new(Tone::Key, safe(&name)),
            Part::new(Tone::Dim, ": "),
            Part::new(Tone::Plain, safe(&value)),
        ]);
    }
    rows.push(Vec::new());
}

/// What happened, of an entry without a payload.
pub(super) fn happening(what: &What) -> Vec<Words> {
    match what {
        What::Open(open) => opened(open),
        What::Refused(refused) => self::refused(refused),
        What::Close(close) => vec![
            field("code", format!("{} {}", close.code, close.code.name())),
            field("reason", safe(&close.reason)),
            field(
                "by",
                match close.by {
                    ClosedBy::Us => "us",
                    ClosedBy::Peer => "the peer",
                    ClosedBy::Transport => "the transport, without a closing handshake",
                },
            ),
            field(
                "clean",
                if close.clean {
                    "yes: a Close went both ways"
                } else {
                    "no"
                },
            ),
            field("idle before", show_duration(close.idle)),
            field("unsent", close.unsent.to_string()),
        ],
        What::Error(problem) => {
            let mut rows = vec![
                vec![Part::new(Tone::Error, safe(&problem.message))],
                field("kind", problem.kind),
            ];
            if let Some(hint) = &problem.hint {
                rows.push(vec![Part::new(Tone::Hint, safe(hint))]);
            }
            rows
        }
        What::Retry {
            attempt,
            max,
            delay,
            reason,
        } => vec![
            field("attempt", format!("{attempt} of {max}")),
            field("in", show_duration(*delay)),
            field("because", safe(reason)),
        ],
        What::Dropped {
            count,
            bytes,
            place,
        } => vec![
            field(
                "dropped",
                format!("{count} messages, {}", show_size(*bytes)),
            ),
            field("where", *place),
        ],
        _ => Vec::new(),
    }
}

fn opened(open: &Open) -> Vec<Words> {
    let mut rows = vec![
        field("url", safe(&open.url)),
        field("peer", safe(&open.peer)),
        field(
            "subprotocol",
            open.subprotocol.as_deref().map_or("none".into(), safe),
        ),
        field(
            "extensions",
            match open.extensions.as_slice() {
                [] => "none".into(),
                extensions => safe(&extensions.join(", ")),
            },
        ),
    ];
    if let Some(tls) = &open.tls {
        rows.push(field("tls", format!("{} {}", tls.version, tls.cipher)));
        if let Some(subject) = &tls.subject {
            rows.push(field("certificate", safe(subject)));
        }
        if let Some(expires) = tls.expires {
            rows.push(field("expires", rfc3339(expires)));
        }
        if !tls.checked {
            rows.push(vec![Part::new(Tone::Error, "certificate NOT checked")]);
        }
    }
    let timings = &open.timings;
    let steps: Vec<String> = timings
        .steps()
        .map(|(name, step)| format!("{name} {}", show_duration(step)))
        .collect();
    rows.push(field(
        "opened in",
        format!("{}: {}", show_duration(timings.total), steps.join(", ")),
    ));
    rows
}

fn refused(refused: &Refused) -> Vec<Words> {
    let mut rows = Vec::new();
    let first = format!("< HTTP/1.1 {} {}", refused.status, refused.reason);
    push_head(
        &mut rows,
        Tone::In,
        first.trim_end(),
        "< ",
        &refused.headers,
    );
    let body = String::from_utf8_lossy(&refused.body);
    rows.extend(
        body.lines()
            .map(|line| vec![Part::new(Tone::Plain, safe(line))]),
    );
    if refused.body.is_empty() {
        rows.push(vec![Part::new(Tone::Dim, "no body")]);
    } else {
        rows.push(vec![Part::new(
            Tone::Dim,
            format!("body {}", size(refused.body.len())),
        )]);
    }
    rows
}
