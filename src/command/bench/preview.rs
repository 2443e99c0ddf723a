//! What is shown instead of a load: what it would need (`--dry-run`), and its first connection
//! (`--debug`).

use super::{Plan, limits};
use crate::bench::preflight::{self, Needs};
use crate::bench::probe::Probed;
use crate::model::units::{Thousands, show_size};
use crate::session::client;
use crate::text::{hex, sanitize};

/// What a load would need and do.
pub(super) fn dry_run(plan: &Plan, client: &client::Plan, needs: Needs) -> String {
    let workload = &plan.workload;
    let limits = limits();
    let rate = workload.ramp.rate.map_or_else(
        || "as fast as they go".to_owned(),
        |rate| format!("{} new ones per second", Thousands(rate as u64)),
    );
    let proxied = !matches!(client.proxy.choose(&client.target), Ok(None));
    let fits = match preflight::check(needs, limits) {
        Ok(()) => "yes".to_owned(),
        Err(error) => format!(
            "no: {error}\n  hint         {}",
            error.hint().unwrap_or_default()
        ),
    };
    let shard = match workload.shard.is_whole() {
        true => String::new(),
        false => format!(
            "shard        {} of {}: connections {} to {}\n",
            workload.shard.index + 1,
            workload.shard.count,
            Thousands(workload.first),
            Thousands(workload.first - 1 + workload.peak() as u64),
        ),
    };
    let fanout = workload
        .fanout
        .map_or_else(String::new, |fanout| format!("fan-out      {fanout}\n"));
    format!(
        "target       {}{}\nmode         {}: {}\n{fanout}{shard}connections  {}, {rate}, {} handshakes at once\nthreads      {}\nfiles        {} of {}\nsources      {}, at most {} connections from one, which has {} ports\nmemory       about {} for connections\nfits         {fits}\n",
        client.target.redacted(),
        if proxied { " through a proxy" } else { "" },
        workload.mode.name,
        workload.mode.help,
        Thousands(workload.peak() as u64),
        workload.ramp.concurrency,
        workload.threads,
        Thousands(needs.files),
        Thousands(limits.files),
        match needs.sources {
            _ if workload.sources.addresses.is_empty() => "as the system chooses".to_owned(),
            some => Thousands(some as u64).to_string(),
        },
        Thousands(needs.most_of_one as u64),
        Thousands(limits.ports as u64),
        show_size(needs.memory),
    )
}

/// The first connection, shown.
pub(super) fn debug(probed: &Probed) -> String {
    let open = &probed.open;
    let mut text = format!("opened       {} at {}\n", open.url, open.peer);
    if !open.extensions.is_empty() {
        text.push_str(&format!(
            "extensions   {}\n",
            sanitize::line(&open.extensions.join(", "))
        ));
    }
    for (what, bytes) in &probed.exchange {
        let shown = match std::str::from_utf8(bytes) {
            Ok(text) => sanitize::line(text).into_owned(),
            Err(_) => hex::preview(bytes, 64),
        };
        text.push_str(&format!("{what:<12} {} bytes: {shown}\n", bytes.len()));
    }
    text
}
