//! Before much is sent to somebody else's machine, it is asked whether that is wanted.

use std::io::BufRead as _;
use std::net::{IpAddr, SocketAddr};

use super::{Plan, talk};
use crate::bench::plan::Pace;
use crate::error::Error;
use crate::model::units::Thousands;
use crate::text::output::Output;

/// More connections than this to a public address are asked about.
const MANY: usize = 1_000;

/// A load on somebody else's machine is not begun by a slip of the fingers.
pub(super) async fn ask_before_loading(
    plan: &Plan,
    address: SocketAddr,
    output: &Output,
) -> Result<(), Error> {
    let connections = plan.workload.most_connections();
    let open_loop = matches!(plan.workload.pace, Pace::Open { .. });
    if plan.yes || !is_public(address.ip()) || connections <= MANY && !open_loop {
        return Ok(());
    }
    let what = format!(
        "a load of {} connections on {address}",
        Thousands(connections as u64)
    );
    if !plan.interactive {
        return Err(Error::usage_hint(
            format!("{what}: it is a public address"),
            "--yes says that you may",
        ));
    }
    talk(output, &format!("{what}: is that yours to load? [y/N]"));
    let answer = tokio::task::spawn_blocking(|| {
        let mut line = String::new();
        std::io::stdin().lock().read_line(&mut line).map(|_| line)
    });
    match answer.await {
        Ok(Ok(line)) if matches!(line.trim(), "y" | "Y" | "yes") => Ok(()),
        _ => Err(Error::usage("nothing was loaded")),
    }
}

fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            !(address.is_loopback() || address.is_private() || address.is_link_local())
        }
        IpAddr::V6(address) => {
            !(address.is_loopback() || address.is_unique_local() || address.is_unicast_link_local())
        }
    }
}
