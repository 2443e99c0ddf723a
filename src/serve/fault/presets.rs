//! Faults that often come together. Each stands for others, which are listed.

use super::{Effect, Entry, Family, Moment};

pub(super) const FAMILY: Family = Family {
    name: "Presets",
    faults: &[WIFI, ALB, DEPLOY, FLAKY],
};

const WIFI: Entry = Entry {
    name: "wifi",
    args: "",
    help: "a bad radio link",
    client: "bears the delays, and notices a stall by its heartbeat",
    moment: Moment::Preset,
    make: |_| {
        Ok(Effect::Preset(&[
            "delay=20ms,60ms",
            "delay=300ms,700ms:p=0.03",
            "rate=500k",
            "stall@30s:p=0.2",
        ]))
    },
};

const ALB: Entry = Entry {
    name: "alb",
    args: "",
    help: "a load balancer that ends idle connections",
    client: "sends heartbeats more often than that",
    moment: Moment::Preset,
    make: |_| Ok(Effect::Preset(&["idle-cut=60s"])),
};

const DEPLOY: Entry = Entry {
    name: "deploy",
    args: "",
    help: "a new version is rolled out",
    client: "connects again, with a longer pause after each refusal",
    moment: Moment::Preset,
    make: |_| {
        Ok(Effect::Preset(&[
            "close=1012@10s:times=1",
            "refuse=503:conn=2-3",
        ]))
    },
};

const FLAKY: Entry = Entry {
    name: "flaky",
    args: "",
    help: "a little of everything",
    client: "connects again, and does without what is lost",
    moment: Moment::Preset,
    make: |_| {
        Ok(Effect::Preset(&[
            "refuse=503:p=0.1",
            "cut@10s:p=0.2",
            "lose:p=0.01",
            "dup:p=0.01",
            "delay=200ms,300ms:p=0.05",
        ]))
    },
};
