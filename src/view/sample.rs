//! Events for the tests of this folder.

use std::time::{Duration, SystemTime};

use bytes::Bytes;

use crate::model::close::CloseCode;
use crate::model::event::{
    Close, ClosedBy, ConnId, Direction, Event, Open, Problem, Refused, What,
};
use crate::model::message::Message;
use crate::text::style::Style;

use super::Plan;
use super::select::Select;

pub(super) const URL: &str = "ws://127.0.0.1:9001/chat";

/// Something that happened to the first connection.
pub(super) fn event(what: What) -> Event {
    on(1, what)
}

pub(super) fn on(conn: ConnId, what: What) -> Event {
    Event {
        time: SystemTime::UNIX_EPOCH,
        at: Duration::ZERO,
        conn: Some(conn),
        name: None,
        what,
    }
}

pub(super) fn received(text: &str) -> Event {
    event(message(Direction::In, Message::text(text)))
}

pub(super) fn sent(text: &str) -> Event {
    event(message(Direction::Out, Message::text(text)))
}

pub(super) fn message(dir: Direction, message: Message) -> What {
    What::Message {
        dir,
        wire: message.payload.len() as u64 + 2,
        message,
        frames: 1,
        json: None,
    }
}

pub(super) fn ping(dir: Direction, payload: &'static [u8]) -> Event {
    event(What::Ping {
        dir,
        payload: Bytes::from_static(payload),
    })
}

pub(super) fn pong(payload: &'static [u8], rtt: Option<Duration>) -> Event {
    event(What::Pong {
        dir: Direction::In,
        payload: Bytes::from_static(payload),
        rtt,
    })
}

pub(super) fn open() -> Event {
    let mut open = Open {
        url: URL.into(),
        subprotocol: None,
        extensions: Vec::new(),
        peer: "127.0.0.1:9001".into(),
        timings: crate::model::handshake::Timings::default(),
    };
    open.timings.tcp = Some(Duration::from_millis(1));
    open.timings.upgrade = Some(Duration::from_millis(2));
    open.timings.total = Duration::from_millis(3);
    event(What::Open(Box::new(open)))
}

pub(super) fn refused(status: u16, headers: &[(&str, &str)], body: &'static [u8]) -> Event {
    event(What::Refused(Box::new(Refused {
        url: URL.into(),
        status,
        reason: "Forbidden".into(),
        headers: headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
        body: Bytes::from_static(body),
        timings: crate::model::handshake::Timings::default(),
    })))
}

pub(super) fn problem(kind: &'static str, message: &str, hint: Option<&str>) -> Event {
    event(What::Error(Box::new(Problem {
        kind,
        message: message.into(),
        hint: hint.map(Into::into),
    })))
}

/// A close as `code` usually comes: 1006 from the transport, all else clean.
pub(super) fn close(code: u16, by: ClosedBy, reason: &str, idle: Duration) -> Event {
    let stands_for_none = matches!(code, 1005 | 1006);
    event(What::Close(Box::new(Close {
        code: CloseCode(code),
        reason: reason.into(),
        clean: code != 1006,
        by,
        wire_code: (!stands_for_none).then_some(CloseCode(code)),
        idle,
        unsent: 0,
    })))
}

/// A plain pipe.
pub(super) fn plan(format: &'static str) -> Plan {
    Plan {
        format,
        talk_is_data: false,
        interactive: false,
        data_terminal: false,
        echo_sent: false,
        parse: false,
        ping_pong: false,
        frames: false,
        verbose: false,
        timestamps: false,
        data_style: Style::PLAIN,
        talk_style: Style::PLAIN,
        select: Select::default(),
    }
}
