//! `bench`: loads a server with many connections, and says how that went.

use std::io::BufRead as _;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::time::sleep;

use super::at;
use super::demo::Demo;
use super::signals::{Signal, Signals};
use crate::bench::failure::Name;
use crate::bench::feed::Feed;
use crate::bench::plan::{PER_SOURCE, Pace, Sources, Workload};
use crate::bench::preflight::{self, Limits, Needs};
use crate::bench::probe::{self, Probed};
use crate::bench::report::{self, REPORTS};
use crate::bench::request::Request;
use crate::bench::result::{self, BenchResult, Facets};
use crate::bench::run::{self, Finished, Second, Setting, Stop};
use crate::bench::threshold::Threshold;
use crate::bench::worker::Route;
use crate::bench::{live, machine};
use crate::error::{Error, ExitCode};
use crate::model::units::{Thousands, show_size};
use crate::session::{client, opening};
use crate::text::output::Output;
use crate::text::{hex, sanitize};
use crate::wire::tls::Connector;

/// What `bench` does.
#[derive(Debug)]
pub struct Plan {
    /// How each connection is opened.
    pub client: client::Plan,
    /// The URL as it was typed, where it may hold variables.
    pub url: String,
    pub feed: Feed,
    /// Load an echo server inside the process: its address replaces the target.
    pub demo: bool,
    pub workload: Workload,
    pub thresholds: Vec<Threshold>,
    /// `--strict`: a result that is not valid ends with exit code 10.
    pub strict: bool,
    /// `--pid`: the server's process.
    pub pid: Option<u32>,
    /// `--report NAME=FILE`.
    pub reports: Vec<Report>,
    /// Say every second how it goes.
    pub live: bool,
    pub only: Option<Only>,
    /// `--yes`: do not ask before loading a public address.
    pub yes: bool,
    /// There is a person to ask.
    pub interactive: bool,
    /// `--max-time`: then exit 7.
    pub max_time: Option<Duration>,
    /// Said before anything else: dropped headers, credentials over plain ws.
    pub notes: Vec<String>,
}

/// Where a report goes.
#[derive(Debug, Clone)]
pub struct Report {
    /// The name of an entry of [`REPORTS`].
    pub name: &'static str,
    /// `None` for stdout, which the summary then leaves to it.
    pub path: Option<PathBuf>,
}

/// What is done instead of a load.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Only {
    /// `--dry-run`: say what would be done.
    DryRun,
    /// `--debug`: one connection and one message, shown.
    Debug,
}

/// More connections than this to a public address are asked about.
const MANY: usize = 1_000;
/// How long a failed first connect waits before it is tried again (`--wait-for-server`).
const AGAIN: Duration = Duration::from_millis(200);

/// Runs it to its end.
///
/// # Errors
/// What keeps it from beginning: the first connection says why, before there are many.
pub async fn run(mut plan: Plan, output: Output) -> Result<ExitCode, Error> {
    let demo = if plan.demo {
        Some(Demo::start().await?)
    } else {
        None
    };
    for note in &plan.notes {
        talk(&output, &format!("note: {note}"));
    }
    fill_secrets(&mut plan.client).await?;
    let url = demo.is_none().then_some(plan.url.as_str());
    if let Some(demo) = &demo {
        plan.client.target = demo.target().clone();
    }
    let request = Request::new(plan.client.clone(), url, &plan.feed)?;
    machine::raise_file_limit();
    let rich = request.base().target.is_tls() || request.base().request.deflate.is_some();
    let needs = preflight::needs(&plan.workload, rich);
    if plan.only == Some(Only::DryRun) {
        output.data(dry_run(&plan, request.base(), needs).as_bytes());
        output.finish().await?;
        return Ok(ExitCode::DONE);
    }
    preflight::check(&plan.workload, needs, limits())?;
    let mut signals = Signals::listen()?;
    let load = tokio::select! {
        load = load(plan, request, &output) => load?,
        signal = signals.next() => return Ok(signal.exit_code()),
    };
    load.run(&mut signals, output).await
}

/// Secrets that stay the same are looked up once and not for each of many connections.
async fn fill_secrets(client: &mut client::Plan) -> Result<(), Error> {
    if !client.secrets.vary() {
        let (request, tls) = client.secrets.fill(&client.request, &client.tls).await?;
        client.request = request;
        client.tls = tls;
        client.secrets = Default::default();
    }
    Ok(())
}

fn limits() -> Limits {
    let (low, high) = machine::port_range();
    Limits {
        files: machine::file_limits().0,
        ports: usize::from(high.saturating_sub(low)),
        memory: machine::memory(),
    }
}

/// A load whose first connection has been seen to work.
struct Load {
    plan: Plan,
    setting: Setting,
    probed: Probed,
    compress: bool,
}

async fn load(mut plan: Plan, request: Request, output: &Output) -> Result<Load, Error> {
    let base = request.base();
    let tls = match base.target.is_tls() {
        true => Some(Arc::new(opening::load(base.tls.clone()).await?)),
        false => None,
    };
    let first = request.of(1)?;
    let probed = first_connection(&first, tls.clone(), &plan.workload).await?;
    let address = probed.open.peer.parse::<SocketAddr>().ok();
    if let Some(address) = address {
        ask_before_loading(&plan, address, output).await?;
        choose_sources(&mut plan.workload, address);
    }
    let direct = !base.target.is_tls()
        && base.request.deflate.is_none()
        && base.redirects.is_none()
        && !base.secrets.vary()
        && matches!(base.proxy.choose(&base.target), Ok(None));
    let route = match address {
        Some(address) if direct => Route::Direct(address),
        _ => Route::Opener {
            runtime: tokio::runtime::Handle::current(),
            tls,
        },
    };
    let setting = Setting {
        workload: Arc::new(plan.workload.clone()),
        route,
        thresholds: plan.thresholds.clone(),
        pid: plan.pid,
        dns: probed.open.timings.dns,
        request: Arc::new(request),
    };
    let compress = probed
        .open
        .extensions
        .iter()
        .any(|name| name.starts_with("permessage-deflate"));
    Ok(Load {
        plan,
        setting,
        probed,
        compress,
    })
}

/// The first connection; tried again while a server is still starting, if that was asked for.
async fn first_connection(
    plan: &client::Plan,
    tls: Option<Arc<Connector>>,
    workload: &Workload,
) -> Result<Probed, Error> {
    let started = Instant::now();
    loop {
        match probe::probe(plan, tls.clone(), workload).await {
            Err(Error::Connect { .. })
                if plan
                    .wait_for_server
                    .is_some_and(|limit| started.elapsed() < limit) =>
            {
                sleep(AGAIN).await;
            }
            probed => return probed,
        }
    }
}

/// A load on somebody else's machine is not begun by a slip of the fingers.
async fn ask_before_loading(
    plan: &Plan,
    address: SocketAddr,
    output: &Output,
) -> Result<(), Error> {
    let connections = plan.workload.peak();
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

/// This machine can be loaded from as many addresses as are needed: all of 127/8 are its own.
fn choose_sources(workload: &mut Workload, address: SocketAddr) {
    let needed = workload.peak().div_ceil(PER_SOURCE);
    if workload.sources.addresses.is_empty()
        && needed > 1
        && address.ip().is_loopback()
        && address.is_ipv4()
    {
        let source = |at: usize| IpAddr::V4(Ipv4Addr::new(127, 0, (at >> 8) as u8, (at + 1) as u8));
        workload.sources = Sources {
            addresses: (0..needed).map(source).collect(),
        };
    }
}

impl Load {
    async fn run(self, signals: &mut Signals, output: Output) -> Result<ExitCode, Error> {
        if self.plan.only == Some(Only::Debug) {
            output.data(debug(&self.probed).as_bytes());
            output.finish().await?;
            return Ok(ExitCode::DONE);
        }
        let Self {
            plan,
            setting,
            probed,
            compress,
        } = self;
        let live_output = output.clone();
        let says = plan.live;
        let mut live = move |second: &Second| {
            if says {
                live_output.talk(live::line(second).as_bytes());
            }
        };
        let target = setting.request.base().target.clone();
        let is_tls = target.is_tls();
        let (stop, stopping) = watch::channel(Stop::GoOn);
        let load = run::run(setting, stopping, &mut live);
        tokio::pin!(load);
        let deadline = plan.max_time.map(|limit| Instant::now() + limit);
        let (mut signalled, mut timed_out) = (None, false);
        let finished = loop {
            tokio::select! {
                finished = &mut load => break finished?,
                signal = signals.next() => {
                    let asked = if signalled.is_some() { Stop::Now } else { Stop::Gently };
                    signalled.get_or_insert(signal);
                    stop.send_replace(asked);
                }
                () = at(deadline), if !timed_out => {
                    timed_out = true;
                    stop.send_replace(Stop::Now);
                }
            }
        };
        let facets = Facets {
            workload: &plan.workload,
            target: target.redacted(),
            tls: is_tls,
            compress,
            local: probed
                .open
                .peer
                .parse()
                .is_ok_and(|peer: SocketAddr| peer.ip().is_loopback()),
            thresholds: &plan.thresholds,
        };
        let mut result = result::result(&finished, &facets);
        let code = if timed_out {
            ExitCode::TIMEOUT
        } else {
            exit_code(signalled, &finished, &result, plan.strict)
        };
        result.run.exit_code = code.0;
        tell(&plan, &result, &output)?;
        output.finish().await.map(|()| code)
    }
}

/// 130, then 3, 5 or 6 where nothing opened, then 4, then 10, then 0.
fn exit_code(
    signal: Option<Signal>,
    finished: &Finished,
    result: &BenchResult,
    strict: bool,
) -> ExitCode {
    if let Some(signal) = signal {
        return signal.exit_code();
    }
    if finished.figures.connections.opened == 0 {
        let most = finished
            .figures
            .errors
            .iter()
            .max_by_key(|(_, seen)| seen.count);
        return most.map_or(ExitCode::CONNECT, |(Name { phase, .. }, _)| match *phase {
            "tls" => ExitCode::TLS,
            "handshake" => ExitCode::REFUSED,
            _ => ExitCode::CONNECT,
        });
    }
    if !result.verdict.passed {
        ExitCode::NOT_MET
    } else if strict && !result.verdict.valid {
        ExitCode::SUSPECT
    } else {
        ExitCode::DONE
    }
}

/// Writes the reports; the summary goes to stdout, or to stderr where a report takes stdout.
fn tell(plan: &Plan, result: &BenchResult, output: &Output) -> Result<(), Error> {
    let summary = report::summary(result);
    if plan.reports.iter().any(|report| report.path.is_none()) {
        output.talk(summary.as_bytes());
    } else {
        output.data(summary.as_bytes());
    }
    for wanted in &plan.reports {
        let Some(entry) = REPORTS.iter().find(|entry| entry.name == wanted.name) else {
            continue;
        };
        let bytes = (entry.write)(result);
        match &wanted.path {
            None => output.data(&bytes),
            Some(path) => {
                std::fs::write(path, bytes).map_err(|cause| Error::Io {
                    doing: format!("writing {}", path.display()),
                    cause,
                })?;
                output.data(format!("Saved        {}\n", path.display()).as_bytes());
            }
        }
    }
    Ok(())
}

fn talk(output: &Output, sentence: &str) {
    output.talk(format!("wscope: {sentence}\n").as_bytes());
}

/// What a load would need and do.
fn dry_run(plan: &Plan, client: &client::Plan, needs: Needs) -> String {
    let workload = &plan.workload;
    let limits = limits();
    let rate = workload.ramp.rate.map_or_else(
        || "as fast as they go".to_owned(),
        |rate| format!("{} new ones per second", Thousands(rate as u64)),
    );
    let proxied = !matches!(client.proxy.choose(&client.target), Ok(None));
    let fits = match preflight::check(workload, needs, limits) {
        Ok(()) => "yes".to_owned(),
        Err(error) => format!(
            "no: {error}\n  hint         {}",
            error.hint().unwrap_or_default()
        ),
    };
    format!(
        "target       {}{}\nmode         {}: {}\nconnections  {}, {rate}, {} handshakes at once\nthreads      {}\nfiles        {} of {}\nsources      {} needed, {} ports each\nmemory       about {} for connections\nfits         {fits}\n",
        client.target.redacted(),
        if proxied { " through a proxy" } else { "" },
        workload.mode.name,
        workload.mode.help,
        Thousands(workload.peak() as u64),
        workload.ramp.concurrency,
        workload.threads,
        Thousands(needs.files),
        Thousands(limits.files),
        needs.sources,
        Thousands(limits.ports as u64),
        show_size(needs.memory),
    )
}

/// The first connection, shown.
fn debug(probed: &Probed) -> String {
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
