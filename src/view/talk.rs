//! What is said on stderr while a run goes on.
//!
//! To a person: that a connection opened and closed, every retry, every error. To a pipe only what
//! went wrong, with the program's name in front, so that a run without trouble is silent. Whatever
//! text is quoted, [`Talk::say`] makes it safe: all lines go through it.

mod handshake;

use std::io::Write as _;
use std::sync::Arc;

use crate::model::event::{
    Close, ClosedBy, ConnId, Direction, End, Event, Open, Problem, TlsInfo, Traffic, What,
};
use crate::model::handshake::{RequestHead, ResponseHead};
use crate::model::units::{Thousands, show_duration, show_size};
use crate::text::sanitize;
use crate::text::style::{Ink, Style};

use super::prefix::Prefix;
use super::{Plan, closing};

pub(super) struct Talk {
    prefix: Prefix,
    style: Style,
    interactive: bool,
    verbose: bool,
    /// Which way the last traffic went, and on which connection.
    last_traffic: Option<(Option<ConnId>, Direction)>,
    /// What was said last, and of which target: it may explain what comes next.
    explained: Option<(Option<Arc<str>>, Explained)>,
    knows_engine_io: bool,
    /// How connections end is not told any more.
    hushed: bool,
    request: Option<Box<RequestHead>>,
    response: Option<Box<ResponseHead>>,
    tls: Option<TlsInfo>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Explained {
    Refused,
    Error,
    Close,
}

impl Talk {
    pub(super) fn new(plan: &Plan) -> Self {
        Self {
            prefix: Prefix::new(plan, plan.talk_style),
            style: plan.talk_style,
            interactive: plan.interactive,
            verbose: plan.verbose,
            last_traffic: None,
            explained: None,
            knows_engine_io: false,
            hushed: false,
            request: None,
            response: None,
            tls: None,
        }
    }

    pub(super) const fn set_style(&mut self, style: Style) {
        self.style = style;
        self.prefix.set_style(style);
    }

    pub(super) fn event(&mut self, event: &Event, out: &mut Vec<u8>) {
        match &event.what {
            What::Message { dir, .. } => {
                self.last_traffic = Some((event.conn, *dir));
                if !self.knows_engine_io {
                    self.look_for_engine_io(event, out);
                }
            }
            What::Ping { dir, .. } | What::Pong { dir, .. } => {
                self.last_traffic = Some((event.conn, *dir));
            }
            What::State(_) | What::Frame { .. } | What::End(_) => {}
            What::Auth { user, result } => {
                let who = user.as_deref().unwrap_or("whoever has the token");
                let (ink, text) = match *result {
                    "ok" => (Ink::Control, format!("is {who}")),
                    result => (Ink::Error, format!("may not come in: {result}")),
                };
                self.say(Some(event), ink, &text, out);
            }
            What::Room { room, action } => {
                self.say(Some(event), Ink::Control, &format!("{action} {room}"), out);
            }
            // What came and went by request has been told.
            What::Presence { room, user, state } => {
                if *state == "lost" {
                    let text = format!("{user} is lost from {room}");
                    self.say(Some(event), Ink::Control, &text, out);
                }
            }
            What::Saved { name, size } => {
                let text = format!("sent a file: stored as {name} ({})", show_size(*size));
                self.say(Some(event), Ink::Control, &text, out);
            }
            What::Limit { limit, action, .. } => {
                let text = format!("over the limit of its {limit}: {action}");
                self.say(Some(event), Ink::Error, &text, out);
            }
            What::Fault { detail, .. } => {
                self.say(Some(event), Ink::Error, &format!("fault {detail}"), out);
            }
            What::Listening { url } => {
                self.prefix.observe(&event.what);
                self.say(
                    Some(event),
                    Ink::Control,
                    &format!("listening on {url}"),
                    out,
                );
            }
            What::Request(head) => self.requested(event, head, out),
            What::Response(head) => self.responded(event, head, out),
            What::Open(open) => self.opened(event, open, out),
            What::Refused(refused) => {
                self.refused(event, refused, out);
                self.explain(event, Explained::Refused);
            }
            What::Error(problem) => self.failed(event, problem, out),
            What::Close(close) => self.closed(event, close, out),
            What::Retry {
                attempt,
                max,
                delay,
                reason,
            } => {
                let of = match *max {
                    u32::MAX => String::new(),
                    max => format!(" of {max}"),
                };
                let delay = show_duration(*delay);
                let mut text = format!("retry {attempt}{of} in {delay}");
                // Where a close or a refusal was said just now, it was the reason.
                if self.take_explained(event).is_none() && !reason.is_empty() {
                    text.push_str(&format!(": {reason}"));
                }
                self.say(Some(event), Ink::Hint, &text, out);
            }
            What::Dropped {
                count,
                bytes,
                place,
            } => {
                let text = format!(
                    "dropped {} messages ({}): {place}",
                    Thousands(*count),
                    show_size(*bytes)
                );
                self.say(Some(event), Ink::Error, &text, out);
            }
        }
    }

    /// A sentence that belongs to no event.
    pub(super) fn note(&self, text: &str, out: &mut Vec<u8>) {
        for line in text.lines() {
            self.say(None, Ink::Hint, line, out);
        }
    }

    fn opened(&mut self, event: &Event, open: &Open, out: &mut Vec<u8>) {
        self.take_explained(event);
        self.last_traffic = None;
        if let Some(tls) = &open.tls {
            self.secured(event, tls, out);
        }
        self.tls.clone_from(&open.tls);
        if !self.tells_all() && !self.verbose {
            return;
        }
        let serving = self.prefix.is_serving();
        let mut text = if serving {
            format!("connected from {} at {}", open.peer, open.url)
        } else {
            format!("connected to {}", open.url)
        };
        let mut agreed: Vec<String> = Vec::new();
        agreed.extend(
            open.subprotocol
                .iter()
                .map(|name| format!("subprotocol {name}")),
        );
        agreed.extend(open.extensions.iter().cloned());
        if !agreed.is_empty() {
            text.push_str(&format!(" ({})", agreed.join(", ")));
        }
        if !serving {
            text.push_str(&format!(" in {}", show_duration(open.timings.total)));
        }
        self.say(Some(event), Ink::Control, &text, out);
    }

    fn failed(&mut self, event: &Event, problem: &Problem, out: &mut Vec<u8>) {
        // A refusal has been told already, with more than the error knows.
        if self.take_explained(event) != Some(Explained::Refused) {
            let error = if self.tells_all() { "error: " } else { "" };
            let text = format!("{error}{}", problem.message);
            self.say(Some(event), Ink::Error, &text, out);
        }
        // That a connection broke says less than the close that follows.
        if problem.kind != "closed" {
            self.explain(event, Explained::Error);
        }
        if let Some(hint) = &problem.hint {
            self.detail(Ink::Hint, &format!("hint: {hint}"), out);
        }
    }

    pub(super) const fn hush(&mut self) {
        self.hushed = true;
    }

    fn closed(&mut self, event: &Event, close: &Close, out: &mut Vec<u8>) {
        if self.hushed {
            return;
        }
        let is_fine = close.unsent == 0
            && match close.by {
                ClosedBy::Us => close.clean,
                _ => close.code.is_ordinary(),
            };
        let was_explained = self.take_explained(event) == Some(Explained::Error);
        self.explain(event, Explained::Close);
        if !self.tells_all() && (is_fine || was_explained && close.unsent == 0) {
            return;
        }
        let last = self.last_traffic.take();
        let last = last.filter(|(conn, _)| *conn == event.conn);
        let text = closing::sentence(close, last.map(|(_, dir)| dir));
        let ink = if is_fine { Ink::Control } else { Ink::Error };
        self.say(Some(event), ink, &text, out);
    }

    /// Socket.IO servers speak Engine.IO below it, and a first message shows which is meant.
    fn look_for_engine_io(&mut self, event: &Event, out: &mut Vec<u8>) {
        let What::Message {
            dir: Direction::In,
            message,
            ..
        } = &event.what
        else {
            return;
        };
        self.knows_engine_io = true;
        if message.payload.starts_with(b"0{\"sid\"") {
            let text = "this is Engine.IO (Socket.IO): it ends the connection unless each 2 is \
                        answered with 3 (--reply '/^2$/=3'), and wants 40 first (-x 40)";
            self.say(Some(event), Ink::Hint, text, out);
        }
    }

    fn explain(&mut self, event: &Event, explained: Explained) {
        self.explained = Some((event.name.clone(), explained));
    }

    /// What was said of this event's target, if that was the last thing said.
    fn take_explained(&mut self, event: &Event) -> Option<Explained> {
        let (name, explained) = self.explained.take()?;
        (name == event.name).then_some(explained)
    }

    /// Whether ordinary things are told too: to a person, and by a server.
    const fn tells_all(&self) -> bool {
        self.interactive || self.prefix.is_serving()
    }

    /// One line. Nothing reaches `out` but through here and [`Self::detail`].
    fn say(&self, event: Option<&Event>, ink: Ink, text: &str, out: &mut Vec<u8>) {
        if let Some(event) = event {
            self.prefix.time(event.time, out);
        }
        if !self.tells_all() {
            out.extend_from_slice(b"wscope: ");
        }
        if let Some(event) = event {
            self.prefix.who(event, out);
        }
        self.line(ink, text, out);
    }

    /// A line that belongs to the one before it.
    fn detail(&self, ink: Ink, text: &str, out: &mut Vec<u8>) {
        out.extend_from_slice(b"  ");
        self.line(ink, text, out);
    }

    fn line(&self, ink: Ink, text: &str, out: &mut Vec<u8>) {
        // Writing to a Vec never fails.
        let _ = writeln!(out, "{}", self.style.paint(ink, &sanitize::line(text)));
    }
}

/// The answer to `/stats`, a line each: received, sent, and round trips if there were any.
pub fn stats(end: &End) -> Vec<String> {
    let way = |name, traffic: &Traffic| {
        format!(
            "{name} {} {}, {} ({} on the wire{}); {} {}, {} {}",
            Thousands(traffic.messages),
            plural(traffic.messages, "message", "messages"),
            show_size(traffic.payload),
            show_size(traffic.wire),
            ratio(traffic),
            Thousands(traffic.ping),
            plural(traffic.ping, "ping", "pings"),
            Thousands(traffic.pong),
            plural(traffic.pong, "pong", "pongs"),
        )
    };
    let mut lines = vec![way("received", &end.received), way("sent", &end.sent)];
    if let Some(rtt) = &end.rtt {
        lines.push(format!(
            "round trip p50 {}, p99 {}, max {}",
            show_duration(rtt.p50),
            show_duration(rtt.p99),
            show_duration(rtt.max)
        ));
    }
    lines
}

const fn plural(count: u64, one: &'static str, many: &'static str) -> &'static str {
    if count == 1 { one } else { many }
}

/// How much smaller compression made the messages, where it did: `, 12.5:1`.
fn ratio(traffic: &Traffic) -> String {
    if traffic.wire == 0 || traffic.wire >= traffic.payload {
        return String::new();
    }
    // A ratio needs no more digits than these have.
    format!(", {:.1}:1", traffic.payload as f64 / traffic.wire as f64)
}

#[cfg(test)]
mod tests;
