//! Faults of heartbeats (RFC 6455, sections 5.5.2 and 5.5.3).

use std::time::Duration;

use super::args::{rate, time};
use super::{Act, Effect, Entry, Family, Moment};

pub(super) const FAMILY: Family = Family {
    name: "Heartbeat",
    faults: &[NO_PONG, NO_PING, WRONG_PONG, PING_FLOOD, IDLE_CUT],
};

const NO_PONG: Entry = Entry {
    name: "no-pong",
    args: "",
    help: "does not answer pings any more",
    client: "gives the connection up when its heartbeat is not answered in time",
    moment: Moment::Open,
    make: |_| Ok(Effect::Do(vec![Act::WithholdPongs])),
};

const NO_PING: Entry = Entry {
    name: "no-ping",
    args: "",
    help: "sends no heartbeat any more",
    client: "does not rely on it: it sends its own, or gives a silent server up",
    moment: Moment::Open,
    make: |_| Ok(Effect::Do(vec![Act::WithholdPings])),
};

const WRONG_PONG: Entry = Entry {
    name: "wrong-pong",
    args: "",
    help: "answers pings with a payload that is not theirs",
    client: "takes such a pong for no answer, and gives the connection up",
    moment: Moment::Open,
    make: |_| Ok(Effect::WrongPong),
};

const PING_FLOOD: Entry = Entry {
    name: "ping-flood",
    args: "RATE",
    help: "sends pings at a rate: 1000/s",
    client: "answers them, the last ones at least, and goes on with its work",
    moment: Moment::Open,
    make: |args| {
        let rate = args.need("RATE", rate)?;
        Ok(Effect::PingFlood(rate))
    },
};

const IDLE_CUT: Entry = Entry {
    name: "idle-cut",
    args: "[TIME]",
    help: "ends TCP when there was no traffic for so long, as load balancers do (60s)",
    client: "sends heartbeats more often than that",
    moment: Moment::Open,
    make: |args| {
        let idle = args.or(Duration::from_secs(60), time)?;
        Ok(Effect::IdleCut(idle))
    },
};
