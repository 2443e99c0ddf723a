//! Faults of frames (RFC 6455, section 5): put into the out queue, in turn with the messages.

use bytes::Bytes;

use super::args::size;
use super::messages::Tampering;
use super::{Act, Effect, Entry, Family, Moment, Wrong};
use crate::model::frame::Opcode;
use crate::protocol::encode;
use crate::protocol::header::Header;

pub(super) const FAMILY: Family = Family {
    name: "Frames",
    faults: &[
        MASKED,
        RSV1,
        OPCODE,
        FIN0_PING,
        BIG_PING,
        FRAGMENT,
        INTERLEAVE,
        ORPHAN_CONT,
        BAD_UTF8,
        SPLIT_UTF8,
        LEN_MSB,
        HUGE,
    ],
};

const PROTOCOL_ERROR: &str = "closes with 1002";
const NONE: [bool; 3] = [false; 3];

const MASKED: Entry = Entry {
    name: "masked",
    args: "",
    help: "a frame that is masked, as only a client's are",
    client: PROTOCOL_ERROR,
    moment: Moment::Open,
    make: |_| {
        let header = Header::whole(Opcode::TEXT, 6, Some([0x37, 0xFA, 0x21, 0x3D]));
        bytes(encode::frame(&header, b"masked"))
    },
};

const RSV1: Entry = Entry {
    name: "rsv1",
    args: "",
    help: "a frame with RSV1 set",
    client: "closes with 1002; where compression was agreed on it cannot inflate it: 1002 or 1007",
    moment: Moment::Open,
    make: |_| {
        bytes(frame(
            true,
            [true, false, false],
            Opcode::TEXT,
            b"\xFF\xFFrsv1",
        ))
    },
};

const OPCODE: Entry = Entry {
    name: "opcode",
    args: "[3..7|11..15]",
    help: "a frame with a reserved opcode (3)",
    client: PROTOCOL_ERROR,
    moment: Moment::Open,
    make: |args| {
        let opcode = args.or(Opcode::new(3), reserved)?;
        bytes(frame(true, NONE, opcode, b""))
    },
};

const FIN0_PING: Entry = Entry {
    name: "fin0-ping",
    args: "",
    help: "a ping in fragments",
    client: PROTOCOL_ERROR,
    moment: Moment::Open,
    make: |_| bytes(frame(false, NONE, Opcode::PING, b"half")),
};

const BIG_PING: Entry = Entry {
    name: "big-ping",
    args: "",
    help: "a ping of 126 bytes, one more than may be",
    client: PROTOCOL_ERROR,
    moment: Moment::Open,
    make: |_| bytes(frame(true, NONE, Opcode::PING, &[b'x'; 126])),
};

const FRAGMENT: Entry = Entry {
    name: "fragment",
    args: "BYTES",
    help: "sends messages in fragments of so many bytes (that is legal)",
    client: "puts them together",
    moment: Moment::Message,
    make: |args| {
        let most = args.need("BYTES", |text| size(text, 1 << 30))?;
        Ok(Effect::Tamper(Tampering::Fragment(most)))
    },
};

const INTERLEAVE: Entry = Entry {
    name: "interleave",
    args: "",
    help: "a message between the fragments of another",
    client: PROTOCOL_ERROR,
    moment: Moment::Open,
    make: |_| {
        let mut both = frame(false, NONE, Opcode::TEXT, b"one ");
        both.extend(frame(true, NONE, Opcode::TEXT, b"other"));
        both.extend(frame(true, NONE, Opcode::CONTINUATION, b"message"));
        bytes(both)
    },
};

const ORPHAN_CONT: Entry = Entry {
    name: "orphan-cont",
    args: "",
    help: "a continuation of nothing",
    client: PROTOCOL_ERROR,
    moment: Moment::Open,
    make: |_| bytes(frame(true, NONE, Opcode::CONTINUATION, b"orphan")),
};

const BAD_UTF8: Entry = Entry {
    name: "bad-utf8",
    args: "",
    help: "a text that is not UTF-8",
    client: "closes with 1007",
    moment: Moment::Open,
    make: |_| bytes(frame(true, NONE, Opcode::TEXT, b"caf\xE9")),
};

const SPLIT_UTF8: Entry = Entry {
    name: "split-utf8",
    args: "",
    help: "the text \"caf\u{e9}\" in fragments, cut within its last character (that is legal)",
    client: "puts it together",
    moment: Moment::Open,
    make: |_| {
        let mut both = frame(false, NONE, Opcode::TEXT, b"caf\xC3");
        both.extend(frame(true, NONE, Opcode::CONTINUATION, b"\xA9"));
        bytes(both)
    },
};

const LEN_MSB: Entry = Entry {
    name: "len-msb",
    args: "",
    help: "a length of 64 bits whose highest bit is set",
    client: "closes with 1002, or with 1009 for the length that it seems to be",
    moment: Moment::Open,
    make: |_| bytes(header_of(1 << 63)),
};

const HUGE: Entry = Entry {
    name: "huge",
    args: "[SIZE]",
    help: "the header of a message of this size, and nothing of the message (1TB)",
    client: "closes with 1009 without waiting for it, where that is more than it takes",
    moment: Moment::Open,
    make: |args| {
        let size = args.or(1_000_000_000_000, |text| size(text, (1 << 63) - 1))?;
        bytes(header_of(size as u64))
    },
};

fn bytes(frames: Vec<u8>) -> Result<Effect, Wrong> {
    Ok(Effect::Do(vec![Act::Bytes(Bytes::from(frames))]))
}

/// An unmasked frame with the right length.
pub(super) fn frame(fin: bool, rsv: [bool; 3], opcode: Opcode, payload: &[u8]) -> Vec<u8> {
    let header = Header::new(fin, rsv, opcode, payload.len() as u64, None);
    encode::frame(&header, payload)
}

/// The header of a text of this size.
fn header_of(size: u64) -> Vec<u8> {
    let header = Header::whole(Opcode::TEXT, size, None);
    encode::header(&header).as_ref().to_vec()
}

fn reserved(text: &str) -> Result<Opcode, String> {
    let number = text.parse().ok().filter(|number| *number < 16);
    let opcode = number
        .map(Opcode::new)
        .filter(|opcode| opcode.is_reserved());
    opcode.ok_or_else(|| "a reserved opcode is 3 to 7 or 11 to 15".to_owned())
}
