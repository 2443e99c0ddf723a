//! `bench`: loads a server with many connections, and says how that went.

pub mod baseline;
pub mod compare;
mod consent;
mod exposition;
pub mod live;
pub mod merge;
mod preview;
pub mod report;
mod reporting;
mod results;
pub mod script;
mod search;
mod shards;
pub mod stored;
pub mod tool;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use tokio::sync::watch;
use tokio::time::sleep;

use self::baseline::Baselines;
use self::consent::ask_before_loading;
use self::live::{Asked, Live, Viewer};
use self::preview::{debug, dry_run};
pub use self::reporting::{Place, Report};
use self::results::Results;
use self::search::search;
use super::at;
use super::demo::Demo;
use super::leaving::{self, Bounds, Left};
use super::signals::{Signal, Signals};
use super::spawn::Spawned;
use super::test::URL;
use crate::bench::failure::Name;
use crate::bench::fanout::{self, Audience};
use crate::bench::feed::Feed;
use crate::bench::machine;
use crate::bench::plan::{Sources, Workload};
use crate::bench::preflight::{self, Limits};
use crate::bench::probe::{self, Probed};
use crate::bench::report::{Glyphs, verdict};
use crate::bench::request::Request;
use crate::bench::result::{self, BenchResult, Facets};
use crate::bench::run::{self, EndReason, Finished, Setting, Stop, Users, Watch, Watched};
use crate::bench::search::FindMax;
use crate::bench::shard::Shard;
use crate::bench::threshold::Threshold;
use crate::bench::worker::Route;
use crate::error::{Error, ExitCode};
use crate::model::event::Open;
use crate::model::units::Thousands;
use crate::session::{client, opening};
use crate::text::output::Output;
use crate::wire::target::Target;
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
    /// Of all shards together, until the run takes its own part.
    pub workload: Workload,
    /// `--shard`: which part of the load this process is.
    pub shard: Shard,
    /// `--start-at`.
    pub start_at: Option<SystemTime>,
    pub thresholds: Vec<Threshold>,
    /// `--find-max`: many loads, to find the largest.
    pub find_max: Option<FindMax>,
    /// `--strict`: a result that is not valid ends with exit code 10.
    pub strict: bool,
    /// What each user plays.
    pub script: Option<script::Plan>,
    /// `--spawn`: the command that starts the server.
    pub spawn: Option<String>,
    /// `--pid`: the server's process.
    pub pid: Option<u32>,
    /// `--report NAME=FILE`.
    pub reports: Vec<Report>,
    pub baselines: Baselines,
    /// What the summary may be drawn with.
    pub glyphs: Glyphs,
    /// What is shown while it goes on.
    pub live: Live,
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

/// What is done instead of a load.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Only {
    /// `--dry-run`: say what would be done.
    DryRun,
    /// `--debug`: one connection and one message, shown.
    Debug,
}

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
    if let Some(note) = repeated_rows(&plan) {
        talk(&output, &note);
    }
    let request = Request::new(plan.client.clone(), url, &plan.feed)?;
    let tls = match request.base().target.is_tls() {
        true => Some(Arc::new(opening::load(request.base().tls.clone()).await?)),
        false => None,
    };
    if let Some(script) = &mut plan.script {
        if let Some(demo) = &demo {
            let url = format!("ws://{}", demo.target().address());
            script.given.variables.insert(URL.into(), url);
        }
        let timeout = plan.workload.timeout;
        let script = script.read(request.base(), tls.clone(), &plan.feed, timeout);
        let script = script.map_err(|trouble| script::unreadable(&trouble))?;
        plan.workload.script = Some(Arc::new(script));
    }
    check_thresholds(&plan)?;
    let whole = plan.workload.clone();
    plan.workload = shards::part(&whole, plan.shard)?;
    if let Ok(address) = request.base().target.host().parse() {
        choose_sources(&mut plan.workload, address);
    }
    if let Some(pid) = plan.pid
        && cfg!(target_os = "linux")
        && machine::usage_of(pid).is_none()
    {
        return Err(Error::usage(format!(
            "--pid {pid}: there is no such process"
        )));
    }
    machine::raise_file_limit();
    let rich =
        tls.is_some() || request.base().request.deflate.is_some() || plan.workload.script.is_some();
    let needs = preflight::needs(&plan.workload, rich);
    if plan.only == Some(Only::DryRun) {
        output.data(dry_run(&plan, request.base(), needs).as_bytes());
        output.finish().await?;
        let fits = preflight::check(needs, limits()).is_ok();
        return Ok(if fits {
            ExitCode::DONE
        } else {
            ExitCode::USAGE
        });
    }
    preflight::check(needs, limits())?;
    let results = Results::prepare(&plan, &output).await?;
    let mut signals = Signals::listen()?;
    let begin = async {
        let target = &request.base().target;
        let spawned = match &plan.spawn {
            Some(command) => {
                let wait = request.base().wait_for_server;
                // On a screen what the server says is an event.
                let listener = matches!(plan.live, Live::Screen(_)).then(|| output.clone());
                Some(Spawned::start(command, Some(target), wait, listener).await?)
            }
            None => None,
        };
        let start_at = plan.start_at;
        let begun = begin(plan, whole, request, tls, results, &output).await?;
        if let (Begun::Load(..), Some(at)) = (&begun, start_at) {
            shards::wait_until(at, &output).await;
        }
        Ok::<_, Error>((begun, spawned))
    };
    let (begun, spawned) = tokio::select! {
        begun = begin => begun?,
        signal = signals.next() => return Ok(signal.exit_code()),
    };
    let code = match begun {
        Begun::Load(mut load, results) => {
            let group = spawned.as_ref().and_then(Spawned::group);
            load.setting.watched = group.map(Watched::Group).or(load.setting.watched);
            load.run(*results, &mut signals, &output).await?
        }
        Begun::Ended(code) => code,
    };
    if let Some(spawned) = spawned {
        spawned.stop().await;
    }
    leave(code, &mut signals, &output).await
}

/// Rows of `--feed` that several connections have, which is no good for what may be used once.
fn repeated_rows(plan: &Plan) -> Option<String> {
    let (rows, connections) = (plan.feed.len(), plan.workload.peak());
    (rows > 0 && connections > rows).then(|| {
        format!(
            "note: --feed has fewer rows ({}) than there are connections ({}): the rows begin again",
            Thousands(rows as u64),
            Thousands(connections as u64)
        )
    })
}

/// Whether the run measures what thresholds are about.
fn check_thresholds(plan: &Plan) -> Result<(), Error> {
    let steps = plan
        .workload
        .script
        .as_ref()
        .map(|script| &script.steps[..]);
    let Workload { fanout, storm, .. } = &plan.workload;
    let sought = plan.find_max.as_ref().map(|sought| &sought.condition);
    for threshold in plan.thresholds.iter().chain(sought) {
        let checked = threshold.check_flags(fanout.is_some(), storm.is_some());
        let checked = checked.and_then(|()| threshold.check(steps));
        checked.map_err(|wrong| {
            let flag = match sought {
                Some(condition) if std::ptr::eq(condition, threshold) => "--find-max",
                _ => "--threshold",
            };
            Error::usage(format!("{flag}: {}", wrong.show(&threshold.text)))
        })?;
        shards::check_threshold(threshold, plan.shard)?;
    }
    Ok(())
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
    Limits {
        files: machine::file_limits().0,
        ports: machine::ports(),
        memory: machine::memory(),
    }
}

/// What came of the first connection.
enum Begun {
    Load(Box<Load>, Box<Results>),
    /// There is no load: it was not asked for, or would make no sense.
    Ended(ExitCode),
}

/// A load whose first connection has been seen to work.
struct Load {
    plan: Plan,
    /// Of all shards together.
    whole: Workload,
    setting: Setting,
    target: Target,
    /// The server's address, where it has one.
    address: Option<SocketAddr>,
    compress: bool,
}

async fn begin(
    mut plan: Plan,
    whole: Workload,
    request: Request,
    tls: Option<Arc<Connector>>,
    results: Results,
    output: &Output,
) -> Result<Begun, Error> {
    let debugs = plan.only == Some(Only::Debug);
    let open = match plan.workload.script.clone() {
        None => {
            let (probed, heard_by) = first_connection(&request, &tls, &plan.workload).await?;
            if let Some(fanout) = &mut plan.workload.fanout {
                fanout.audience = fanout.audience.or(heard_by);
            }
            if debugs {
                output.data(debug(&probed).as_bytes());
                return Ok(Begun::Ended(ExitCode::DONE));
            }
            Some(probed.open)
        }
        Some(script) => {
            let wait = request.base().wait_for_server;
            let rehearsal = script::rehearse(&script, plan.workload.first, wait, debugs).await;
            let told = script::told(&rehearsal.outcome, debugs);
            if debugs {
                output.data(told.as_bytes());
                return Ok(Begun::Ended(rehearsal.outcome.code()));
            }
            if !rehearsal.outcome.has_passed() {
                talk(
                    output,
                    "the first user did not come to the end of the script:",
                );
                output.talk(told.as_bytes());
                return Ok(Begun::Ended(rehearsal.outcome.code()));
            }
            rehearsal.open
        }
    };
    load(plan, whole, request, tls, open, results, output).await
}

/// Makes everything ready, once it is known where the connections lead.
async fn load(
    mut plan: Plan,
    whole: Workload,
    request: Request,
    tls: Option<Arc<Connector>>,
    open: Option<Open>,
    results: Results,
    output: &Output,
) -> Result<Begun, Error> {
    let address = open.as_ref().and_then(|open| open.peer.parse().ok());
    if let Some(address) = address {
        ask_before_loading(&plan, address, output).await?;
        choose_sources(&mut plan.workload, address.ip());
    }
    let base = request.base();
    let (target, connect_timeout) = (base.target.clone(), base.connect_timeout);
    let direct = tls.is_none()
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
    let users = match &plan.workload.script {
        Some(script) => Users::Players(Arc::clone(script)),
        None => Users::Connections {
            request: Arc::new(request),
            route,
        },
    };
    let setting = Setting {
        workload: Arc::new(plan.workload.clone()),
        users,
        connect_timeout,
        thresholds: plan.thresholds.clone(),
        watched: plan.pid.map(Watched::Process),
        dns: open.as_ref().and_then(|open| open.timings.dns),
        refusals_end: false,
        shared: Arc::default(),
    };
    let compress = open.is_some_and(|open| {
        let mut names = open.extensions.iter();
        names.any(|name| name.starts_with("permessage-deflate"))
    });
    let load = Load {
        plan,
        whole,
        setting,
        target,
        address,
        compress,
    };
    Ok(Begun::Load(Box::new(load), Box::new(results)))
}

/// The first connection; tried again while a server is still starting, if that was asked for.
async fn first_connection(
    request: &Request,
    tls: &Option<Arc<Connector>>,
    workload: &Workload,
) -> Result<(Probed, Option<Audience>), Error> {
    let started = Instant::now();
    let mut first = request.of(workload.first)?;
    if let Some(source) = workload.sources.of(workload.first) {
        first.to_mut().dial.source = Some(source);
    }
    loop {
        let probed = match workload.fanout {
            None => {
                let probed = probe::probe(&first, tls.clone(), workload).await;
                probed.map(|probed| (probed, None))
            }
            Some(fanout) => {
                let probed = fanout::probe::probe(request, tls.clone(), workload, fanout).await;
                probed.map(|(probed, heard_by)| (probed, Some(heard_by)))
            }
        };
        match probed {
            Err(Error::Connect { .. })
                if first
                    .wait_for_server
                    .is_some_and(|limit| started.elapsed() < limit) =>
            {
                sleep(AGAIN).await;
            }
            probed => return probed,
        }
    }
}

/// This machine can be loaded from as many addresses as are needed: all of 127/8 are its own. The
/// shards before this one have the addresses before those of its connections.
fn choose_sources(workload: &mut Workload, address: IpAddr) {
    let last = workload.first as usize - 1 + workload.peak();
    let needed = Sources::wanted(last, machine::ports());
    if workload.sources.addresses.is_empty()
        && needed > 1
        && address.is_loopback()
        && address.is_ipv4()
    {
        let source = |at: usize| IpAddr::V4(Ipv4Addr::new(127, 0, (at >> 8) as u8, (at + 1) as u8));
        workload.sources = Sources::new((0..needed).map(source).collect(), machine::ports());
    }
}

impl Load {
    /// Loads, and says how that went; the exit code of it.
    async fn run(
        self,
        mut results: Results,
        signals: &mut Signals,
        output: &Output,
    ) -> Result<ExitCode, Error> {
        let plan = &self.plan;
        let facets = self.facets(&plan.workload, &self.whole);
        results.check(&result::workload_info(&self.whole, &facets))?;
        let mut viewer = Viewer::open(&plan.live, &self.setting, &facets, &results, output).await?;
        let exposition = results.exposition();
        let mut watcher = viewer.watcher(&plan.live, &facets, exposition, output);
        let deadline = plan.max_time.map(|limit| Instant::now() + limit);
        let ended = match &plan.find_max {
            Some(sought) => {
                let watch = &mut watcher;
                search(&self, sought, watch, &mut viewer, deadline, signals, output).await?
            }
            None => {
                let setting = self.setting.clone();
                let played = play(setting, &mut watcher, &mut viewer, deadline, signals).await?;
                viewer.over();
                let mut result = result::result(&played.finished, &facets);
                let strict = results.compare(&mut result, output) || plan.strict;
                let code = match exit_code(&result, strict) {
                    _ if nothing_opened(&played.finished) => why_not_opened(&played.finished),
                    ExitCode::DONE => cut_short(&played.finished).unwrap_or(ExitCode::DONE),
                    code => code,
                };
                Ended {
                    result,
                    code,
                    signalled: played.signalled,
                    timed_out: played.timed_out,
                }
            }
        };
        let code = match ended.signalled {
            _ if ended.timed_out => ExitCode::TIMEOUT,
            Some(signal) => signal.exit_code(),
            None => ended.code,
        };
        let mut result = ended.result;
        result.run.exit_code = code.0;
        viewer.close(&verdict(&result), signals).await;
        results.write(&result, plan.glyphs, output)?;
        Ok(code)
    }

    /// Of `workload`, which is this process's part of `whole`.
    fn facets<'a>(&'a self, workload: &'a Workload, whole: &'a Workload) -> Facets<'a> {
        Facets {
            workload,
            whole,
            start_at: self.plan.start_at,
            target: self.target.redacted(),
            tls: self.target.is_tls(),
            compress: self.compress,
            local: self.target.unix().is_some()
                || self.address.is_some_and(|peer| peer.ip().is_loopback()),
            inside: self.plan.demo,
            thresholds: &self.plan.thresholds,
        }
    }
}

/// What a load, or a search, came to.
struct Ended {
    result: BenchResult,
    /// Where nothing ended it from outside.
    code: ExitCode,
    signalled: Option<Signal>,
    timed_out: bool,
}

/// A load that has ended, and what ended it from outside.
struct Played {
    finished: Finished,
    signalled: Option<Signal>,
    timed_out: bool,
    /// It was one of these, or a person who ended it.
    stopped: bool,
}

async fn play(
    setting: Setting,
    watcher: &mut dyn Watch,
    viewer: &mut Viewer,
    deadline: Option<Instant>,
    signals: &mut Signals,
) -> Result<Played, Error> {
    let (stop, stopping) = watch::channel(Stop::GoOn);
    let load = run::run(setting, stopping, watcher);
    tokio::pin!(load);
    let (mut signalled, mut timed_out) = (None, false);
    let finished = loop {
        let asked = tokio::select! {
            finished = &mut load => break finished?,
            signal = signals.next() => Asked::Signal(signal),
            () = at(deadline), if !timed_out => {
                timed_out = true;
                Asked::Stop(Stop::Now)
            }
            asked = viewer.next() => asked?,
        };
        let wanted = match asked {
            Asked::Stop(stop) => stop,
            Asked::Signal(_) if signalled.is_some() => Stop::Now,
            Asked::Signal(signal) => {
                signalled = Some(signal);
                Stop::Gently
            }
        };
        stop.send_modify(|stop| *stop = wanted.max(*stop));
    };
    Ok(Played {
        finished,
        signalled,
        timed_out,
        stopped: *stop.borrow() > Stop::GoOn,
    })
}

/// Waits until all that was said has been read, as long as somebody reads.
async fn leave(code: ExitCode, signals: &mut Signals, output: &Output) -> Result<ExitCode, Error> {
    let bounds = Bounds {
        timed: true,
        max_time: None,
        ..Bounds::default()
    };
    let is_urgent = matches!(
        code,
        ExitCode::SIGINT | ExitCode::SIGTERM | ExitCode::SIGHUP | ExitCode::TIMEOUT
    );
    Ok(
        match leaving::read(output, signals, bounds, is_urgent).await? {
            Left::Read | Left::MaxTime => code,
            Left::Signal(signal) => signal.exit_code(),
        },
    )
}

/// Whether connections were wanted, and none came to be.
fn nothing_opened(finished: &Finished) -> bool {
    let connections = finished.figures.connections;
    connections.opened == 0 && connections.attempted > 0
}

/// The server ended the load before its time.
fn cut_short(finished: &Finished) -> Option<ExitCode> {
    match finished.end_reason {
        EndReason::ConnectsFailed => Some(why_not_opened(finished)),
        EndReason::AllLost => Some(ExitCode::CLOSED),
        _ => None,
    }
}

/// 3, 5 or 6: the most frequent reason why connections did not open.
fn why_not_opened(finished: &Finished) -> ExitCode {
    let errors = finished.figures.errors.iter();
    let most = errors.max_by_key(|(_, seen)| seen.count);
    most.map_or(ExitCode::CONNECT, |(Name { phase, .. }, _)| match *phase {
        "tls" => ExitCode::TLS,
        "handshake" => ExitCode::REFUSED,
        _ => ExitCode::CONNECT,
    })
}

/// 4, then 10, then 0.
const fn exit_code(result: &BenchResult, strict: bool) -> ExitCode {
    if !result.verdict.passed {
        ExitCode::NOT_MET
    } else if strict && !result.verdict.valid {
        ExitCode::SUSPECT
    } else {
        ExitCode::DONE
    }
}

fn talk(output: &Output, sentence: &str) {
    output.talk(format!("wscope: {sentence}\n").as_bytes());
}
