//! What will not fit, found before anything is sent: file descriptors, ports, memory. Pure.

use super::plan::Workload;
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
    /// Source addresses that it has.
    pub sources: usize,
    /// The most connections that come from one of them.
    pub most_of_one: usize,
    pub memory: u64,
}

/// What so many connections need; `rich` with TLS or compression.
pub fn needs(workload: &Workload, rich: bool) -> Needs {
    let connections = workload.most_connections();
    let each = if rich { RICH } else { PLAIN };
    Needs {
        connections,
        files: connections as u64 + OWN_FILES,
        sources: workload.sources.addresses.len().max(1),
        most_of_one: workload.sources.most_of_one(workload.first, connections),
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
    if needs.most_of_one > limits.ports {
        let have = match needs.sources {
            1 => "1 source address has".to_owned(),
            more => format!("{more} source addresses have"),
        };
        return Err(Error::usage_hint(
            format!(
                "{connections} connections need more ports than {have} ({} each)",
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
            sources: 1,
            most_of_one: 40_000,
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
            ports.contains("1 source address has (28000 each)"),
            "{ports}"
        );
        assert!(ports.contains("--source-ip"), "{ports}");
        let named = Needs {
            sources: 2,
            most_of_one: 20_000,
            ..needs
        };
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
