//! `bench` as a plan: the workload, how each connection is opened, what is reported.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::bench_tool::{folder, stored};
use super::screen::{is_utf8, of_bench};
use super::test::{base_url, surroundings};
use super::{DEMO, Environment, Setup, connection, target};
use crate::bench::fanout::{Fanout, marker};
use crate::bench::feed::Feed;
use crate::bench::machine;
use crate::bench::payload::{Content, Part, Payload};
use crate::bench::plan::{End, FANOUT, Mode, Pace, Ping, Ramp, Rate, SCRIPT, Sources, Workload};
use crate::bench::reply::Match;
use crate::bench::report::Glyphs;
use crate::bench::search::{FindMax, What};
use crate::bench::shard::{Choice, Shard, detect};
use crate::bench::stages::Stages;
use crate::bench::start::StartAt;
use crate::bench::template::Template;
use crate::cli::args::{Bench, Load, Messages, Results, Shards};
use crate::command::bench::baseline::Baselines;
use crate::command::bench::stored::Baseline;
use crate::command::bench::{Only, Plan, script};
use crate::command::test::URL;
use crate::error::Error;
use crate::model::message::Kind;
use crate::model::units::show_duration;
use crate::protocol::deflate;
use crate::session::connection::Plan as Upkeep;
use crate::session::keepalive::Heartbeat;

/// How connections are pinged in a search, unless told: a step is too short for the usual pings.
const STEP_PING: Ping = Ping {
    interval: Duration::from_secs(1),
    timeout: Duration::from_secs(10),
};
/// Connections per second unless told.
const CONNECT_RATE: f64 = 1_000.0;
const DURATION: Duration = Duration::from_secs(10);
/// Each step of a search.
const STEP: Duration = Duration::from_secs(5);
const WARM_UP: Duration = Duration::from_secs(1);
/// How long an answer is waited for, and the first of all.
const TIMEOUT: Duration = Duration::from_secs(10);
const PATIENCE: Duration = Duration::from_secs(2);

pub(super) fn bench(setup: &Setup<'_>) -> Result<Plan, Error> {
    let url = setup.typed.values::<String>("url").into_iter().next();
    let url = url.unwrap_or_default();
    let endpoint = setup.endpoint(&url)?;
    let args: Bench = setup.args(endpoint)?;
    check_mode(setup, &args.load)?;
    let url = endpoint.map_or(url.as_str(), |endpoint| &endpoint.url);
    let feed = args.messages.feed.as_deref().map(Feed::read).transpose()?;
    let feed = feed.unwrap_or_default().in_groups(args.load.groups);
    let mut notes = Vec::new();
    let shard = shard(&args.shards, setup.environment, &mut notes)?;
    check_shard(&args.load, shard)?;
    let client = connection::client(
        target(&first(url, &feed)?)?,
        &args.connection,
        args.messages.compress.then_some(deflate::Parameters::OFFER),
        Upkeep {
            max_message_size: args.messages.max_message_size,
            auto_pong: true,
            report_frames: false,
            heartbeat: None,
            stall: None,
        },
        Vec::new(),
        setup.environment,
        &mut notes,
    )?;
    let environment = setup.environment;
    let live = of_bench(setup, &args)?;
    Ok(Plan {
        workload: workload(&args, feed.clone(), shard)?,
        shard,
        start_at: start_at(&args.shards)?,
        find_max: find_max(&args)?,
        script: script(&args, url, setup.environment)?,
        spawn: spawn(&args, url)?,
        baselines: baselines(&args.results, shard, environment)?,
        client,
        url: url.to_owned(),
        feed,
        demo: url == DEMO,
        thresholds: args.results.threshold,
        strict: args.results.strict,
        pid: args.results.pid,
        reports: args.results.report,
        glyphs: glyphs(environment),
        live,
        only: match (args.results.dry_run, args.results.debug) {
            (true, _) => Some(Only::DryRun),
            (_, true) => Some(Only::Debug),
            _ => None,
        },
        yes: args.results.yes,
        interactive: environment.is_conversation(),
        max_time: args.connection.max_time,
        notes,
    })
}

/// What is looked for, and whether it is said how far.
fn find_max(args: &Bench) -> Result<Option<FindMax>, Error> {
    let load = &args.load;
    match &load.find_max {
        Some(sought) if sought.what == What::Rate && load.rate.is_none() => Err(Error::usage_hint(
            "--find-max rate: needs to know how far to go",
            "--rate says up to how many messages per second",
        )),
        Some(_) if load.mode.once && load.script.is_none() => Err(Error::usage(format!(
            "--find-max does not belong to --mode {}",
            load.mode.name
        ))),
        sought => Ok(sought.clone()),
    }
}

fn baselines(
    results: &Results,
    shard: Shard,
    environment: &Environment,
) -> Result<Baselines, Error> {
    if !shard.is_whole() && (results.baseline.is_some() || results.save_baseline.is_some()) {
        return Err(Error::usage_hint(
            "a shard is only a part, and neither a baseline nor to be compared with one",
            "bench merge makes the whole, and bench compare BASELINE WHOLE.json compares it",
        ));
    }
    let with = results.baseline.clone();
    let save = results.save_baseline.clone().map(|name| {
        let folder = folder(environment).ok_or_else(|| {
            Error::usage_hint(
                "--save-baseline: there is no folder to save it in: neither XDG_STATE_HOME nor HOME is set",
                "--report json=FILE writes a file, and --baseline FILE takes one",
            )
        });
        Ok::<_, Error>(Baseline { name, folder: folder? })
    });
    Ok(Baselines {
        with: with.map(|name| stored(name, environment)),
        noise: results.noise,
        save: save.transpose()?,
    })
}

/// What a summary may be drawn with.
pub(super) fn glyphs(environment: &Environment) -> Glyphs {
    if is_utf8(environment) {
        Glyphs::Unicode
    } else {
        Glyphs::Ascii
    }
}

/// Flags that mean nothing in the mode that was chosen.
fn check_mode(setup: &Setup<'_>, load: &Load) -> Result<(), Error> {
    let typed = |id: &&str| setup.typed.has(id);
    if load.script.is_some() && typed(&"mode") && *load.mode != SCRIPT {
        return Err(Error::usage(format!(
            "--mode {} and --script exclude each other",
            load.mode.name
        )));
    }
    if load.mode.sends || load.script.is_some() {
        return Ok(());
    }
    match OF_MESSAGES.iter().find(|id| typed(id)) {
        Some(id) => Err(Error::usage(format!(
            "--{} has no effect: --mode {} sends nothing",
            id.replace('_', "-"),
            load.mode.name
        ))),
        None => Ok(()),
    }
}

/// What is about messages that are sent.
const OF_MESSAGES: [&str; 8] = [
    "message",
    "message_file",
    "payload_size",
    "binary",
    "rate",
    "rate_per_conn",
    "pipeline",
    "think",
];

/// The URL of connection 1.
fn first(url: &str, feed: &Feed) -> Result<String, Error> {
    let template =
        Template::parse(url, feed).map_err(|wrong| Error::usage(format!("the URL: {wrong}")))?;
    let mut text = String::new();
    template.render(feed, 1, 1, &mut text);
    Ok(text)
}

/// Which part of the load this process is.
fn shard(
    shards: &Shards,
    environment: &Environment,
    notes: &mut Vec<String>,
) -> Result<Shard, Error> {
    match shards.shard {
        None => Ok(Shard::WHOLE),
        Some(Choice::Given(shard)) => Ok(shard),
        Some(Choice::Auto(count)) => {
            let variable = |name: &str| environment.get(name)?.into_string().ok();
            let found = detect(count, variable).map_err(|wrong| {
                Error::usage_hint(format!("--shard: {wrong}"), "--shard 1/4 says it itself")
            })?;
            notes.push(format!("shard {} ({})", found.shard, found.by));
            Ok(found.shard)
        }
    }
}

/// What one process has to do alone.
fn check_shard(load: &Load, shard: Shard) -> Result<(), Error> {
    let indivisible = [
        (
            *load.mode == FANOUT,
            "--mode fanout",
            "who gets a message, and how late, is seen by the one clock of a process that has them all",
        ),
        (
            load.storm.is_some(),
            "--storm",
            "when all connections are back is known only where all of them are",
        ),
        (
            load.slow.is_some(),
            "--slow",
            "which connections are slow is counted within one process",
        ),
        (
            load.find_max.is_some(),
            "--find-max",
            "each step of a search follows from what the whole load came to",
        ),
    ];
    let mut wrong = indivisible.iter().filter(|(given, ..)| *given);
    match wrong.next() {
        Some((_, flag, why)) if !shard.is_whole() => Err(Error::usage_hint(
            format!("{flag} cannot be divided into shards: {why}"),
            format!("leave out --shard, or {flag}"),
        )),
        _ => Ok(()),
    }
}

fn start_at(shards: &Shards) -> Result<Option<SystemTime>, Error> {
    let resolve = |at: StartAt| at.resolve(SystemTime::now());
    let at = shards.start_at.map(resolve).transpose();
    at.map_err(|wrong| Error::usage(format!("--start-at: {wrong}")))
}

/// The whole load; `command` takes the part of it that falls to this process.
fn workload(args: &Bench, feed: Feed, shard: Shard) -> Result<Workload, Error> {
    let Bench { load, messages, .. } = args;
    let mode = if load.script.is_some() {
        &SCRIPT
    } else {
        load.mode
    };
    let connections = load.connections;
    let threads = load.threads.unwrap_or_else(machine::cpus).min(connections);
    let once = mode.once;
    let is_script = load.script.is_some();
    let default_rate = if once && !is_script {
        None
    } else {
        Some(CONNECT_RATE)
    };
    let fanout = fanout(args, mode)?;
    let is_counted = load.messages.is_some() || load.rate_stages.is_some();
    // Subscribers are given time to be known to the server.
    let measures_at_once =
        is_counted && fanout.is_none() || load.stages.is_some() || once || !mode.sends;
    let workload = Workload {
        mode,
        connections,
        pace: pace(load, mode)?,
        rate_stages: load.rate_stages.clone(),
        end: end(load),
        payload: match fanout {
            Some(_) => marked(messages, &feed)?,
            None => payload(messages, &feed)?,
        },
        how: if mode.answered {
            messages.how.clone()
        } else {
            Match::Nothing
        },
        opening: opening(messages, &feed)?,
        feed,
        ramp: Ramp {
            rate: load
                .connect_rate
                .map_or(default_rate, |rate| (rate > 0.0).then_some(rate)),
            concurrency: load.connect_concurrency,
            stages: load.stages.clone(),
        },
        warmup: load.warmup.unwrap_or(if measures_at_once {
            Duration::ZERO
        } else {
            WARM_UP
        }),
        grace: load.grace,
        timeout: load.timeout.unwrap_or(TIMEOUT),
        patience: load.timeout.unwrap_or(PATIENCE),
        lifetime: load.lifetime,
        reconnect: load.reconnect,
        storm: load.storm,
        slow: load.slow,
        sync: load.sync,
        ping: ping(load),
        fanout,
        script: None,
        sources: Sources::new(load.source_ip.clone(), machine::ports()),
        threads,
        // All shards share it.
        seed: match shard.is_whole() {
            true => load.seed.unwrap_or_else(rand::random),
            false => load.seed.unwrap_or(0),
        },
        shard: Shard::WHOLE,
        first: 1,
        hold: Arc::default(),
    };
    check_storm(&workload)?;
    check_slow(&workload)?;
    Ok(workload)
}

fn check_storm(workload: &Workload) -> Result<(), Error> {
    let Some(every) = workload.storm else {
        return Ok(());
    };
    if workload.mode.once {
        return Err(Error::usage(format!(
            "--storm does not belong to --mode {}, which opens connections all the time",
            workload.mode.name
        )));
    }
    match workload.end.duration {
        Some(duration) if every >= duration => Err(Error::usage_hint(
            format!(
                "--storm {}: there is none within the {} that are measured",
                show_duration(every),
                show_duration(duration)
            ),
            "a longer --duration, or a storm more often",
        )),
        _ => Ok(()),
    }
}

fn check_slow(workload: &Workload) -> Result<(), Error> {
    match &workload.slow {
        Some(slow) if workload.slow_connections() == 0 => Err(Error::usage_hint(
            format!(
                "--slow {slow}: that is none of {} connections",
                workload.peak()
            ),
            "a larger share, or more --connections",
        )),
        Some(slow) if workload.mode.once => Err(Error::usage(format!(
            "--slow {slow} does not belong to --mode {}, whose connections end after one message",
            workload.mode.name
        ))),
        _ => Ok(()),
    }
}

/// Who publishes, in mode `fanout`.
fn fanout(args: &Bench, mode: &Mode) -> Result<Option<Fanout>, Error> {
    let Bench { load, messages, .. } = args;
    if *mode != FANOUT {
        let given = [
            ("--publishers", load.publishers.is_some()),
            ("--audience", load.audience.is_some()),
        ];
        return match given.iter().find(|(_, given)| *given) {
            Some((flag, _)) => Err(Error::usage_hint(
                format!("{flag} is for --mode fanout"),
                format!("in --mode {} all connections do the same", mode.name),
            )),
            None => Ok(None),
        };
    }
    if !matches!(messages.how, Match::Echo) {
        return Err(Error::usage_hint(
            "--match does not belong to --mode fanout: a message is known again by its marker",
            "-m '{\"id\":\"{{marker}}\"}' puts it where the server passes it on",
        ));
    }
    let fanout = Fanout {
        publishers: load.publishers.unwrap_or(load.groups),
        groups: load.groups,
        audience: load.audience.and_then(|choice| choice.0),
    };
    let stages = load.stages.as_ref();
    fanout.check(stages.map_or(load.connections, Stages::peak))?;
    if load.pipeline > fanout.places() {
        return Err(Error::usage(format!(
            "--pipeline {}: with {} publishers up to {} messages of each are kept track of",
            load.pipeline,
            fanout.publishers,
            fanout.places()
        )));
    }
    Ok(Some(fanout))
}

/// The script of `--script`, which `--mode script` needs.
fn script(
    args: &Bench,
    url: &str,
    environment: &Environment,
) -> Result<Option<script::Plan>, Error> {
    let load = &args.load;
    match &load.script {
        None if *load.mode == SCRIPT => Err(Error::usage_hint(
            "--mode script needs a transcript",
            "--script FILE names it",
        )),
        None => Ok(None),
        Some(path) => {
            let mut given = surroundings(environment)?;
            given.variables.extend(load.var.iter().cloned());
            given.variables.insert(URL.into(), base_url(url)?);
            Ok(Some(script::Plan {
                path: path.clone(),
                given,
            }))
        }
    }
}

fn spawn(args: &Bench, url: &str) -> Result<Option<String>, Error> {
    match &args.results.spawn {
        Some(_) if url == DEMO => Err(Error::usage_hint(
            "demo is a server already, and --spawn starts one",
            "name the URL at which the started server listens",
        )),
        command => Ok(command.clone()),
    }
}

fn pace(load: &Load, mode: &Mode) -> Result<Pace, Error> {
    let rate = match (load.rate, load.rate_per_conn) {
        (Some(rate), _) => Some(Rate::Total(rate)),
        (_, Some(rate)) => Some(Rate::PerConnection(rate)),
        _ => load
            .rate_stages
            .as_ref()
            .map(|stages| Rate::Total(stages.peak() as f64)),
    };
    match rate {
        Some(_) if mode.once && *mode != SCRIPT => Err(Error::usage_hint(
            format!("--mode {} has no rate of messages", mode.name),
            "--connect-rate sets how many connections are opened per second",
        )),
        Some(rate) => Ok(Pace::Open {
            rate,
            max_inflight: load.max_inflight,
        }),
        None => Ok(Pace::Closed {
            pipeline: if mode.once { 1 } else { load.pipeline },
            think: load.think,
        }),
    }
}

fn end(load: &Load) -> End {
    let stages = load.stages.as_ref().or(load.rate_stages.as_ref());
    let stages = stages.map(Stages::total);
    let usual = match load.find_max {
        Some(_) => STEP,
        None => DURATION,
    };
    let default = load.messages.is_none().then_some(usual);
    End {
        duration: load.duration.or(stages).or(default),
        messages: load.messages.map(|count| count as u64),
    }
}

/// Bytes of `--message-file`, as of every file that is one message.
const MOST_OF_MESSAGE: u64 = 64 << 20;

fn payload(messages: &Messages, feed: &Feed) -> Result<Payload, Error> {
    let kind = if messages.binary {
        Kind::Binary
    } else {
        Kind::Text
    };
    let constant = |bytes| Payload {
        kind,
        content: Content::Constant(bytes),
    };
    if let Some(path) = &messages.message_file {
        let bytes = super::read(path, "--message-file", MOST_OF_MESSAGE)?;
        if kind == Kind::Text && std::str::from_utf8(&bytes).is_err() {
            return Err(Error::usage_hint(
                format!("--message-file {}: it is not UTF-8", path.display()),
                "--binary sends it as it is",
            ));
        }
        return Ok(constant(bytes));
    }
    let Some(text) = &messages.message else {
        return Ok(Payload::generated(kind, messages.payload_size));
    };
    let template = template("--message", text, feed)?;
    Ok(match template.constant() {
        Some(text) => constant(text.as_bytes().to_vec()),
        None => Payload {
            kind,
            content: Content::Varying(template),
        },
    })
}

/// What is published: it has a marker.
fn marked(messages: &Messages, feed: &Feed) -> Result<Payload, Error> {
    let Payload { kind, content } = match &messages.message {
        None => payload(messages, feed)?,
        Some(_) => Payload::generated(Kind::Text, 0),
    };
    let kind = if messages.binary { Kind::Binary } else { kind };
    let marked = |before, after| Payload {
        kind,
        content: Content::Marked { before, after },
    };
    let part = |template: Template| match template.constant() {
        Some(text) => Part::Bytes(text.as_bytes().to_vec()),
        None => Part::Varying(template),
    };
    let hint = "a message is known again by it: -m '{\"id\":\"{{marker}}\"}'";
    if let Some(text) = &messages.message {
        let (before, after) = Template::parse_around_marker(text, feed)
            .map_err(|wrong| Error::usage_hint(format!("--message: {wrong}"), hint))?;
        return Ok(marked(part(before), part(after)));
    }
    if let (Some(path), Content::Constant(bytes)) = (&messages.message_file, &content) {
        const MARKER: &[u8] = b"{{marker}}";
        let mut places = bytes.windows(MARKER.len()).enumerate();
        let at = places.find_map(|(at, window)| (window == MARKER).then_some(at));
        let at = at.ok_or_else(|| {
            let wrong = format!(
                "--message-file {}: {{{{marker}}}} is not in it",
                path.display()
            );
            Error::usage_hint(
                wrong,
                "a message is known again by what is put in its place",
            )
        })?;
        let (before, after) = (&bytes[..at], &bytes[at + MARKER.len()..]);
        return Ok(marked(
            Part::Bytes(before.to_vec()),
            Part::Bytes(after.to_vec()),
        ));
    }
    if messages.payload_size < marker::LEN {
        return Err(Error::usage(format!(
            "--payload-size {}: in --mode fanout a message has a marker, of {} bytes",
            messages.payload_size,
            marker::LEN
        )));
    }
    Ok(Payload::marked(kind, messages.payload_size))
}

fn opening(messages: &Messages, feed: &Feed) -> Result<Vec<Template>, Error> {
    let texts = messages.execute.iter();
    texts
        .map(|text| template("--execute", text, feed))
        .collect()
}

fn template(flag: &str, text: &str, feed: &Feed) -> Result<Template, Error> {
    Template::parse(text, feed).map_err(|wrong| Error::usage(format!("{flag}: {wrong}")))
}

/// Connections are pinged unless that is turned off.
fn ping(load: &Load) -> Option<Ping> {
    if load.find_max.is_some() && load.heartbeat.is_none() {
        return Some(STEP_PING);
    }
    let standard = Some(Heartbeat::STANDARD);
    let chosen = load
        .heartbeat
        .as_ref()
        .map_or(standard, |choice| choice.0.clone());
    chosen.map(|heartbeat| Ping {
        interval: heartbeat.interval,
        timeout: heartbeat.timeout,
    })
}
