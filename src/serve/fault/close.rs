//! Faults of the closing handshake (RFC 6455, sections 5.5.1 and 7).

use bytes::Bytes;

use super::args::number;
use super::frames::frame;
use super::{Act, Effect, Entry, Family, Moment};
use crate::model::close::{CloseCode, CloseFrame, MAX_REASON};
use crate::model::command::Command;
use crate::model::frame::Opcode;

pub(super) const FAMILY: Family = Family {
    name: "Closing",
    faults: &[
        CLOSE,
        BAD_CLOSE,
        CLOSE_1BYTE,
        NO_CLOSE_REPLY,
        DATA_AFTER_CLOSE,
    ],
};

const CLOSE: Entry = Entry {
    name: "close",
    args: "CODE[,REASON]",
    help: "closes with a code that may be sent",
    client: "answers with the same code, tells code and reason, and ends",
    moment: Moment::Open,
    make: |args| {
        let code = args.need("CODE[,REASON]", |text| {
            let code = number(text, "a close code", 1000, 4999).map(CloseCode)?;
            CloseFrame::new(code, "").map(|_| code).map_err(|_| {
                format!("close code {code} may not be sent: bad-close={code} sends it nevertheless")
            })
        })?;
        let reason = args.or(String::new(), |text| match text.len() {
            0..=MAX_REASON => Ok(text.to_owned()),
            _ => Err(format!("a close reason has at most {MAX_REASON} bytes")),
        })?;
        let close = Command::Close(Some(CloseFrame { code, reason }));
        Ok(Effect::Do(vec![Act::Command(close)]))
    },
};

const BAD_CLOSE: Entry = Entry {
    name: "bad-close",
    args: "CODE",
    help: "closes with a code that may not be on the wire: 999, 1005, 1006",
    client: "closes with 1002",
    moment: Moment::Open,
    make: |args| {
        let code = args.need("CODE", |text| {
            let code = number(text, "a close code", 0, u16::MAX)?;
            if CloseCode(code).may_be_sent() {
                return Err(format!("close code {code} may be sent: close={code} does"));
            }
            Ok(code)
        })?;
        let close = CloseFrame::bare(CloseCode(code));
        Ok(Effect::Do(vec![last(&code.to_be_bytes(), Some(close))]))
    },
};

const CLOSE_1BYTE: Entry = Entry {
    name: "close-1byte",
    args: "",
    help: "closes with half a code",
    client: "closes with 1002",
    moment: Moment::Open,
    make: |_| Ok(Effect::Do(vec![last(&[3], None)])),
};

const NO_CLOSE_REPLY: Entry = Entry {
    name: "no-close-reply",
    args: "",
    help: "does not answer the client's Close, and leaves TCP open",
    client: "ends TCP after a timeout",
    moment: Moment::Open,
    make: |_| Ok(Effect::Do(vec![Act::WithholdClose])),
};

const DATA_AFTER_CLOSE: Entry = Entry {
    name: "data-after-close",
    args: "",
    help: "sends a text behind its Close: the answer to the client's, or with @WHEN its own",
    client: "does not deliver the text",
    moment: Moment::Close,
    make: |_| {
        let mut both = frame(true, NONE, Opcode::CLOSE, &NORMAL.0.to_be_bytes());
        both.extend(frame(true, NONE, Opcode::TEXT, b"after the Close"));
        let (bytes, close) = (Bytes::from(both), Some(CloseFrame::bare(NORMAL)));
        Ok(Effect::Do(vec![Act::LastBytes { bytes, close }]))
    },
};

const NONE: [bool; 3] = [false; 3];
const NORMAL: CloseCode = CloseCode::NORMAL;

/// A Close frame with this payload, which says `close`.
fn last(payload: &[u8], close: Option<CloseFrame>) -> Act {
    let bytes = Bytes::from(frame(true, NONE, Opcode::CLOSE, payload));
    Act::LastBytes { bytes, close }
}
