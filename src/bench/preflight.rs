//! What will not fit, found before anything is sent: file descriptors, ports, memory. Pure.

use super::plan::{PER_SOURCE, Workload};
use crate::error::Error;
use crate::model::units::show_size;

/// The machine's limits.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Open files that this process may have, once raised as far as it goes.
    pub files: u64,
    /// Ports that one source address has towards one destination.
    pub ports: usize,
    /// Memory of the machine, in bytes; 0 where it is not told.
    pub memory: u64,
}

/// Descriptors that the program has beside its connections.
const OWN_FILES: u64 = 32;
/// Memory for a connection: plain, and with TLS or compression.
const PLAIN: u64 = 2 << 10;
const RICH: u64 = 64 << 10;

/// What a run needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Needs {
    pub connections: usize,
    pub files: u64,
    /// Source addresses that it should have, and those that are named.
    pub sources: usize,
    pub named: usize,
    pub memory: u64,
}

/// What so many connections need; `rich` with TLS or compression.
pub fn needs(workload: &Workload, rich: bool) -> Needs {
    let connections = workload.most_connections();
    let each = if rich { RICH } else { PLAIN };
    Needs {
        connections,
        files: connections as u64 + OWN_FILES,
        sources: connections.div_ceil(PER_SOURCE).max(1),
        named: workload.sources.addresses.len(),
        memory: connections as u64 * each,
    }
}

/// # Errors
/// [`Error::Usage`] with the limit and how to raise it.
pub fn check(needs: Needs, limits: Limits) -> Result<(), Error> {
    let connections = needs.connections;
    if needs.files > limits.files {
        return Err(Error::usage_hint(
            format!(
                "{connections} connections need {} open files, and this process may have {}",
                needs.files, limits.files
            ),
            format!(
                "ulimit -n {} (or LimitNOFILE=, or --ulimit nofile= of docker), or spread the load over machines",
                needs.files
            ),
        ));
    }
    let sources = needs.named.max(1);
    if connections > sources * limits.ports {
        return Err(Error::usage_hint(
            format!(
                "{connections} connections need more ports than {sources} source addresses have ({} each)",
                limits.ports
            ),
            "name more with --source-ip, or widen net.ipv4.ip_local_port_range",
        ));
    }
    if limits.memory > 0 && needs.memory > limits.memory {
        return Err(Error::usage(format!(
            "{connections} connections need about {} of memory, and the machine has {}",
            show_size(needs.memory),
            show_size(limits.memory)
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_said_with_its_remedy() {
        let needs = Needs {
            connections: 40_000,
            files: 40_064,
            sources: 3,
            named: 0,
            memory: 80 << 20,
        };
        let limits = Limits {
            files: 50_000,
            ports: 28_000,
            memory: 8 << 30,
        };
        let wrong = |needs, limits| {
            let error = check(needs, limits).expect_err("it does not fit");
            format!("{error}\n{}", error.hint().unwrap_or_default())
        };
        let files = wrong(
            needs,
            Limits {
                files: 1024,
                ..limits
            },
        );
        assert!(files.contains("40064 open files") && files.contains("ulimit -n 40064"));
        let ports = wrong(needs, limits);
        assert!(
            ports.contains("1 source addresses have (28000 each)"),
            "{ports}"
        );
        assert!(ports.contains("--source-ip"), "{ports}");
        let named = Needs { named: 2, ..needs };
        assert!(check(named, limits).is_ok());
        let memory = wrong(
            named,
            Limits {
                memory: 1 << 20,
                ..limits
            },
        );
        assert!(memory.contains("of memory"), "{memory}");
        // Where the system does not tell, nothing is refused.
        assert!(
            check(
                named,
                Limits {
                    memory: 0,
                    ..limits
                }
            )
            .is_ok()
        );
    }
}
