//! The machine that the load comes from: its limits, and what the run takes of it. What a system
//! does not tell is `None` or zero, and is shown as such.

use std::time::Duration;

/// What a process takes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// CPU time so far, of all its threads.
    pub cpu: Duration,
    /// Resident memory in bytes.
    pub rss: u64,
}

/// CPU time of the calling thread so far; of the process where the system does not tell it.
#[cfg(unix)]
pub fn thread_cpu() -> Duration {
    use nix::sys::resource::UsageWho;
    #[cfg(target_os = "linux")]
    const WHO: UsageWho = UsageWho::RUSAGE_THREAD;
    #[cfg(not(target_os = "linux"))]
    const WHO: UsageWho = UsageWho::RUSAGE_SELF;
    cpu_of(WHO)
}

#[cfg(unix)]
fn cpu_of(who: nix::sys::resource::UsageWho) -> Duration {
    use nix::sys::time::TimeValLike as _;
    nix::sys::resource::getrusage(who).map_or(Duration::ZERO, |usage| {
        let micros = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
        Duration::from_micros(micros.unsigned_abs())
    })
}

#[cfg(not(unix))]
pub fn thread_cpu() -> Duration {
    Duration::ZERO
}

/// What this process takes.
pub fn own_usage() -> Usage {
    #[cfg(unix)]
    let cpu = cpu_of(nix::sys::resource::UsageWho::RUSAGE_SELF);
    #[cfg(not(unix))]
    let cpu = Duration::ZERO;
    Usage {
        cpu,
        rss: usage_of(std::process::id()).map_or(0, |usage| usage.rss),
    }
}

/// What a process group takes, all its processes together (`--spawn`).
pub fn usage_of_group(group: u32) -> Option<Usage> {
    let processes = std::fs::read_dir("/proc").ok()?.flatten();
    let mut pids = processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let of_group = |pid: &u32| {
        stat(*pid).is_some_and(|stat| stat.get(GROUP).is_some_and(|of| *of == u64::from(group)))
    };
    let mut all = None;
    for usage in pids.by_ref().filter(of_group).filter_map(usage_of) {
        let Usage { cpu, rss } = all.unwrap_or_default();
        all = Some(Usage {
            cpu: cpu + usage.cpu,
            rss: rss + usage.rss,
        });
    }
    all
}

/// The place of the process group in [`stat`].
const GROUP: usize = 2;

/// The fields of /proc/PID/stat after the name of the process; letters are zero.
fn stat(pid: u32) -> Option<Vec<u64>> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name in parentheses may hold anything.
    let fields = stat.rsplit_once(')')?.1.split_whitespace();
    Some(fields.map(|field| field.parse().unwrap_or(0)).collect())
}

/// What another process takes (`--pid`); `None` where it is gone or not told.
#[cfg(target_os = "linux")]
pub fn usage_of(pid: u32) -> Option<Usage> {
    /// Linux counts the time of processes in hundredths of a second (USER_HZ).
    const TICKS: u64 = 100;
    let fields = stat(pid)?;
    let ticks = fields.get(11)? + fields.get(12)?;
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    Some(Usage {
        cpu: Duration::from_millis(ticks * 1000 / TICKS),
        rss: kibibytes(&status, "VmRSS:"),
    })
}

#[cfg(not(target_os = "linux"))]
pub fn usage_of(_: u32) -> Option<Usage> {
    None
}

/// The limits on open files: what is in force, and what it may be raised to.
#[cfg(unix)]
pub fn file_limits() -> (u64, u64) {
    use nix::sys::resource::{Resource, getrlimit};
    getrlimit(Resource::RLIMIT_NOFILE).unwrap_or((0, 0))
}

/// Raises the limit on open files as far as it goes without asking anybody.
#[cfg(unix)]
pub fn raise_file_limit() {
    use nix::sys::resource::{Resource, setrlimit};
    let (soft, hard) = file_limits();
    if soft < hard {
        // What cannot be raised is found by the check before the load.
        let _ = setrlimit(Resource::RLIMIT_NOFILE, hard, hard);
    }
}

#[cfg(not(unix))]
pub fn file_limits() -> (u64, u64) {
    (u64::MAX, u64::MAX)
}

#[cfg(not(unix))]
pub fn raise_file_limit() {}

/// How many descriptors this process has open.
pub fn open_files() -> u64 {
    std::fs::read_dir("/proc/self/fd").map_or(0, |entries| entries.count() as u64)
}

/// The ports that the system gives to those who connect.
pub fn port_range() -> (u16, u16) {
    let numbers = setting("/proc/sys/net/ipv4/ip_local_port_range");
    match numbers.as_slice() {
        [low, high] => (*low as u16, *high as u16),
        // RFC 6335, section 6.
        _ => (49_152, 65_535),
    }
}

/// How many ports one address has towards one destination.
pub fn ports() -> usize {
    let (low, high) = port_range();
    usize::from(high.saturating_sub(low))
}

/// The sizes of TCP's receive buffers: least, default, most.
pub fn tcp_rmem() -> Vec<u64> {
    setting("/proc/sys/net/ipv4/tcp_rmem")
}

fn setting(path: &str) -> Vec<u64> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    text.split_whitespace()
        .filter_map(|number| number.parse().ok())
        .collect()
}

/// All memory, in bytes.
pub fn memory() -> u64 {
    let text = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    kibibytes(&text, "MemTotal:")
}

/// The bytes of a line such as `VmRSS:  1234 kB`.
fn kibibytes(text: &str, name: &str) -> u64 {
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    let number = line.map(|line| line.trim().trim_end_matches("kB").trim());
    number
        .and_then(|number| number.parse::<u64>().ok())
        .unwrap_or_default()
        * 1024
}

/// Processors that this process may use.
pub fn cpus() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// The name of this machine.
pub fn host() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    name.trim().to_owned()
}

/// The name and the release of the system.
pub fn system() -> String {
    let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    format!("{} {}", std::env::consts::OS, release.trim())
        .trim()
        .to_owned()
}
