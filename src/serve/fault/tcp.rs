//! Faults of the TCP connection, below TLS.

use std::time::Duration;

use bytes::Bytes;

use super::args::{duration, size, time};
use super::{Act, Effect, Entry, Family, Moment, Wrong};
use crate::model::frame::Opcode;
use crate::protocol::encode;
use crate::protocol::header::Header;
use crate::wire::impaired::Strain;

pub(super) const FAMILY: Family = Family {
    name: "TCP, below TLS",
    faults: &[
        CUT, RESET, STALL, SLICE, RATE, DRIP, SLOW_CLOSE, GARBAGE, TRUNCATE,
    ],
};

const CUT: Entry = Entry {
    name: "cut",
    args: "",
    help: "ends TCP without a Close (FIN)",
    client: "tells 1006, and connects again after a pause",
    moment: Moment::Open,
    make: |_| Ok(Effect::Do(vec![Act::Line(Strain::Cut)])),
};

const RESET: Entry = Entry {
    name: "reset",
    args: "",
    help: "ends TCP with a reset (RST)",
    client: "tells 1006, and connects again after a pause",
    moment: Moment::Open,
    make: |_| Ok(Effect::Do(vec![Act::Line(Strain::Reset)])),
};

const STALL: Entry = Entry {
    name: "stall",
    args: "",
    help: "reads and writes nothing any more, TCP stays open (half-open)",
    client: "notices by its own heartbeat, and gives the connection up",
    moment: Moment::Open,
    make: |_| {
        // Our own heartbeat would end it.
        let acts = vec![Act::WithholdPings, Act::Line(Strain::Stall)];
        Ok(Effect::Do(acts))
    },
};

const SLICE: Entry = Entry {
    name: "slice",
    args: "BYTES[,PAUSE]",
    help: "writes pieces of so many bytes, with pauses (1ms)",
    client: "puts frames together however TCP cuts them",
    moment: Moment::Start,
    make: |args| {
        let bytes = args.need("BYTES", |text| size(text, 1 << 20))?;
        let gap = args.or(Duration::from_millis(1), duration)?;
        pace(bytes, gap)
    },
};

const RATE: Entry = Entry {
    name: "rate",
    args: "BYTES",
    help: "writes so many bytes a second: 64k",
    client: "waits, and its heartbeat does not take slowness for silence",
    moment: Moment::Start,
    make: |args| {
        let rate = args.need("BYTES", rate_of_bytes)?;
        // Twenty pieces a second, or one byte at a time.
        let bytes = (rate / 20.0).max(1.0);
        let gap = Duration::from_secs_f64(bytes.floor() / rate);
        pace(bytes as usize, gap)
    },
};

const DRIP: Entry = Entry {
    name: "drip",
    args: "PAUSE",
    help: "writes one byte at a time, with pauses",
    client: "puts frames together however TCP cuts them",
    moment: Moment::Start,
    make: |args| {
        let gap = args.need("PAUSE", time)?;
        pace(1, gap)
    },
};

const SLOW_CLOSE: Entry = Entry {
    name: "slow-close",
    args: "[TIME]",
    help: "leaves TCP open for a while after both Close frames (10s)",
    client: "tells the close at once, or after a timeout of its own, and ends TCP itself",
    moment: Moment::Open,
    make: |args| {
        let hold = args.or(Duration::from_secs(10), time)?;
        Ok(Effect::Do(vec![Act::HoldEnd(hold)]))
    },
};

const GARBAGE: Entry = Entry {
    name: "garbage",
    args: "[BYTES]",
    help: "puts random bytes into the stream (64)",
    client: "closes with 1002; over TLS it drops the connection",
    moment: Moment::Open,
    make: |args| {
        let count = args.or(64, |text| size(text, 1 << 20))?;
        Ok(Effect::Garbage(count))
    },
};

const TRUNCATE: Entry = Entry {
    name: "truncate",
    args: "",
    help: "ends TCP in the middle of a message",
    client: "delivers nothing of that message, and tells 1006",
    moment: Moment::Open,
    make: |_| {
        let header = Header::whole(Opcode::TEXT, 100, None);
        let mut half = encode::header(&header).as_ref().to_vec();
        half.extend([b'x'; 50]);
        let acts = vec![Act::Bytes(Bytes::from(half)), Act::Line(Strain::Cut)];
        Ok(Effect::Do(acts))
    },
};

fn pace(bytes: usize, gap: Duration) -> Result<Effect, Wrong> {
    Ok(Effect::Do(vec![Act::Line(Strain::Pace { bytes, gap })]))
}

fn rate_of_bytes(text: &str) -> Result<f64, String> {
    let text = text.strip_suffix("/s").unwrap_or(text);
    size(text, 1 << 40).map(|bytes| bytes as f64)
}
