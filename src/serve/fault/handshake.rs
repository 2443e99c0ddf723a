//! Faults of the opening handshake: the answer is another one.

use bytes::Bytes;

use super::args::number;
use super::frames::frame;
use super::{Effect, Entry, Family, Moment, Wrong};
use crate::model::frame::Opcode;
use crate::model::handshake::{Headers, RequestHead, header};
use crate::serve::http::{text, with_header};
use crate::wire::accept::{Answer, switching};

pub(super) const FAMILY: Family = Family {
    name: "Opening handshake",
    faults: &[
        REFUSE,
        REDIRECT,
        HANG,
        WRONG_ACCEPT,
        NO_UPGRADE,
        ADD_PROTOCOL,
        ADD_EXTENSION,
        EARLY_FRAME,
        HTTP_AFTER_101,
    ],
};

const NEVER_OPENS: &str = "never opens, and ends TCP";

/// How the answer is another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Answering {
    Refuse(u16),
    Redirect(String),
    Hang,
    WrongAccept,
    NoUpgrade,
    AddProtocol(String),
    AddExtension(String),
    EarlyFrame(String),
    HttpAfter101,
}

const REFUSE: Entry = Entry {
    name: "refuse",
    args: "STATUS",
    help: "answers with this status: 503",
    client: "never opens; it tries again after 5xx and 429 only",
    moment: Moment::Answer,
    make: |args| {
        let status = args.need("STATUS", |text| number(text, "a status", 200, 599))?;
        answer(Answering::Refuse(status))
    },
};

const REDIRECT: Entry = Entry {
    name: "redirect",
    args: "URL",
    help: "answers with 302 and this Location",
    client: "never opens, or follows if it was told to (browsers do not)",
    moment: Moment::Answer,
    make: |args| {
        let url = args.need("\"URL\"", header_value)?;
        answer(Answering::Redirect(url))
    },
};

const HANG: Entry = Entry {
    name: "hang",
    args: "",
    help: "never answers, and leaves TCP open",
    client: "gives up after a timeout",
    moment: Moment::Answer,
    make: |_| answer(Answering::Hang),
};

const WRONG_ACCEPT: Entry = Entry {
    name: "wrong-accept",
    args: "",
    help: "101 with a Sec-WebSocket-Accept for another key",
    client: NEVER_OPENS,
    moment: Moment::Answer,
    make: |_| answer(Answering::WrongAccept),
};

const NO_UPGRADE: Entry = Entry {
    name: "no-upgrade",
    args: "",
    help: "101 without an Upgrade header",
    client: NEVER_OPENS,
    moment: Moment::Answer,
    make: |_| answer(Answering::NoUpgrade),
};

const ADD_PROTOCOL: Entry = Entry {
    name: "add-protocol",
    args: "[NAME]",
    help: "101 with a subprotocol that was not offered (unasked)",
    client: NEVER_OPENS,
    moment: Moment::Answer,
    make: |args| {
        let name = args.or("unasked".to_owned(), header_value)?;
        answer(Answering::AddProtocol(name))
    },
};

const ADD_EXTENSION: Entry = Entry {
    name: "add-extension",
    args: "[NAME]",
    help: "101 with an extension that was not offered (x-unasked)",
    client: NEVER_OPENS,
    moment: Moment::Answer,
    make: |args| {
        let name = args.or("x-unasked".to_owned(), header_value)?;
        answer(Answering::AddExtension(name))
    },
};

const EARLY_FRAME: Entry = Entry {
    name: "early-frame",
    args: "[TEXT]",
    help: "a text right behind the 101, in one write (early; that is legal)",
    client: "delivers it once it has opened",
    moment: Moment::Answer,
    make: |args| {
        let text = args.or("early".to_owned(), |text| Ok(text.to_owned()))?;
        answer(Answering::EarlyFrame(text))
    },
};

const HTTP_AFTER_101: Entry = Entry {
    name: "http-after-101",
    args: "",
    help: "an answer of HTTP right behind the 101",
    client: "opens, and closes with 1002",
    moment: Moment::Answer,
    make: |_| answer(Answering::HttpAfter101),
};

fn answer(answering: Answering) -> Result<Effect, Wrong> {
    Ok(Effect::Answer(answering))
}

fn header_value(text: &str) -> Result<String, String> {
    match text.chars().find(|c| !(' '..='~').contains(c)) {
        None => Ok(text.to_owned()),
        Some(wrong) => Err(format!("{wrong:?} may not be in a header")),
    }
}

const LATE_HTTP: &[u8] =
    b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello";

impl Answering {
    /// What becomes of an answer that lets a client in, or of what another fault made of it.
    pub(super) fn change(&self, given: Answer, request: &RequestHead) -> Answer {
        let (mut headers, mut behind) = match given {
            Answer::Upgrade {
                subprotocol,
                headers,
            } => (switching(request, subprotocol, headers), Bytes::new()),
            Answer::Spelled { headers, behind } => (headers, behind),
            given => return given,
        };
        match self {
            Self::Refuse(status) => return refusal(*status),
            Self::Redirect(url) => {
                return with_header(text(302, "moved (--fault redirect)\n"), "Location", url);
            }
            Self::Hang => return Answer::Silence,
            Self::WrongAccept => {
                let right = header(&headers, "sec-websocket-accept").unwrap_or_default();
                let first = if right.starts_with('A') { "B" } else { "A" };
                let wrong = format!("{first}{}", right.get(1..).unwrap_or_default());
                set(&mut headers, "sec-websocket-accept", &wrong);
            }
            Self::NoUpgrade => headers.retain(|(name, _)| !name.eq_ignore_ascii_case("upgrade")),
            Self::AddProtocol(name) => set(&mut headers, "sec-websocket-protocol", name),
            Self::AddExtension(name) => set(&mut headers, "sec-websocket-extensions", name),
            Self::EarlyFrame(text) => {
                let early = frame(true, [false; 3], Opcode::TEXT, text.as_bytes());
                behind = [&behind[..], &early].concat().into();
            }
            Self::HttpAfter101 => behind = [&behind[..], LATE_HTTP].concat().into(),
        }
        Answer::Spelled { headers, behind }
    }

    /// What is told of it.
    pub(super) fn detail(&self) -> &'static str {
        match self {
            Self::Refuse(_) | Self::Redirect(_) => "refused",
            Self::Hang => "not answered",
            _ => "answered",
        }
    }
}

fn refusal(status: u16) -> Answer {
    let answer = text(status, format!("refused (--fault refuse={status})\n"));
    match status {
        401 => with_header(answer, "WWW-Authenticate", "Basic realm=\"wscope\""),
        426 => with_header(answer, "Upgrade", "websocket"),
        429 | 503 => with_header(answer, "Retry-After", "1"),
        _ => answer,
    }
}

fn set(headers: &mut Headers, name: &str, value: &str) {
    headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
    headers.push((name.to_owned(), value.to_owned()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_accept_is_wrong_for_every_key() {
        // The key of RFC 6455, section 1.3, too.
        for key in ["dGhlIHNhbXBsZSBub25jZQ==", "AQIDBAUGBwgJCgsMDQ4PEA=="] {
            let request = RequestHead {
                headers: vec![("Sec-WebSocket-Key".to_owned(), key.to_owned())],
                ..RequestHead::default()
            };
            let right = switching(&request, None, Vec::new());
            let right = header(&right, "sec-websocket-accept").unwrap().to_owned();
            let given = Answer::Upgrade {
                subprotocol: None,
                headers: Vec::new(),
            };
            let Answer::Spelled { headers, .. } = Answering::WrongAccept.change(given, &request)
            else {
                panic!("it is spelled");
            };
            let accept = header(&headers, "sec-websocket-accept").unwrap();
            assert_eq!(accept.len(), right.len());
            assert_ne!(accept, right);
        }
    }
}
