//! What makes a load, as one short text: runs with the same hash ask the same of a server. Shards of one
//! load have it in common; the part that each takes, the seed, the machine and the address of the
//! server are not in it.

use std::fmt::Debug;

use sha2::{Digest as _, Sha256};

use super::super::payload::{Content, Payload};
use super::super::plan::{Ramp, Workload};

/// `sha256:` and the digest of a whole load.
pub(super) fn workload_hash(whole: &Workload, compress: bool, tls: bool) -> String {
    // Without `..`, so that whatever is added to a load has to be decided about here.
    let Workload {
        mode,
        connections,
        pace,
        rate_stages,
        end,
        payload,
        how,
        opening,
        feed,
        ramp,
        warmup,
        grace,
        timeout,
        patience: _,
        lifetime,
        reconnect,
        storm,
        slow,
        sync,
        ping,
        fanout,
        script,
        sources: _,
        threads: _,
        seed: _,
        shard: _,
        first: _,
        hold: _,
    } = whole;
    let Ramp {
        rate,
        concurrency,
        stages,
    } = ramp;
    let mut hash = Hash(Sha256::new());
    hash.add("mode", &mode.name);
    hash.add("connections", connections);
    hash.add("pace", pace);
    hash.add("rate stages", rate_stages);
    hash.add("end", end);
    hash.payload(payload);
    hash.add("match", how);
    hash.add("opening", opening);
    hash.add("groups", &feed.groups());
    for row in feed.table() {
        hash.add("feed", &row);
    }
    hash.add("ramp", &(rate, concurrency, stages));
    hash.add("times", &(warmup, grace, timeout, lifetime));
    hash.add("flags", &(reconnect, sync, compress, tls));
    hash.add("ping", ping);
    // Whom the messages reach is up to the server.
    hash.add(
        "fanout",
        &fanout.map(|fanout| (fanout.publishers, fanout.groups)),
    );
    hash.add("storm", storm);
    hash.add("slow", slow);
    for step in script.iter().flat_map(|script| &script.steps) {
        hash.add("step", &(&step.name, &step.text));
    }
    hash.end()
}

struct Hash(Sha256);

impl Hash {
    /// Each value is a line; within it line breaks are escaped, so that no two loads have the same
    /// lines.
    fn add(&mut self, name: &str, value: &dyn Debug) {
        self.0.update(format!("{name} {value:?}\n"));
    }

    fn payload(&mut self, payload: &Payload) {
        self.add("kind", &payload.kind);
        match &payload.content {
            Content::Numbered { filler } => self.add("numbered", &filler.len()),
            Content::Constant(bytes) => {
                self.add("constant", &bytes.len());
                self.0.update(bytes);
            }
            Content::Varying(template) => self.add("varying", template),
            Content::Marked { before, after } => self.add("marked", &(before, after)),
        }
    }

    fn end(self) -> String {
        let digits: Vec<String> = self
            .0
            .finalize()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        format!("sha256:{}", digits.concat())
    }
}
