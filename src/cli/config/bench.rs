//! `bench` as a plan: the workload, how each connection is opened, what is reported.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::bench_tool::{folder, stored};
use super::screen::{is_utf8, of_bench};
use super::test::{base_url, surroundings};
use super::{DEMO, Environment, Setup, connection, target};
use crate::bench::feed::Feed;
use crate::bench::machine;
use crate::bench::payload::{Content, Payload};
use crate::bench::plan::{End, MODES, Mode, Pace, Ping, Ramp, Rate, SCRIPT, Sources, Workload};
use crate::bench::reply::Match;
use crate::bench::report::Glyphs;
use crate::bench::shard::{Choice, Shard, detect};
use crate::bench::start::StartAt;
use crate::bench::template::Template;
use crate::cli::args::{Bench, Load, Messages, Results, Shards};
use crate::command::bench::baseline::Baselines;
use crate::command::bench::stored::Baseline;
use crate::command::bench::{Only, Plan, script};
use crate::command::test::URL;
use crate::error::Error;
use crate::model::message::Kind;
use crate::protocol::deflate;
use crate::session::connection::Plan as Upkeep;
use crate::session::keepalive::Heartbeat;

/// Connections per second unless told.
const CONNECT_RATE: f64 = 1_000.0;
const DURATION: Duration = Duration::from_secs(10);
const WARM_UP: Duration = Duration::from_secs(1);

pub(super) fn bench(setup: &Setup<'_>) -> Result<Plan, Error> {
    let url = setup.typed.values::<String>("url").into_iter().next();
    let url = url.unwrap_or_default();
    let endpoint = setup.endpoint(&url)?;
    let args: Bench = setup.args(endpoint)?;
    let url = endpoint.map_or(url.as_str(), |endpoint| &endpoint.url);
    let feed = args.messages.feed.as_deref().map(Feed::read).transpose()?;
    let feed = feed.unwrap_or_default();
    let mut notes = Vec::new();
    let shard = shard(&args.shards, setup.environment, &mut notes)?;
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
    let measures_at_once = load.messages.is_some() || load.stages.is_some() || once || !mode.sends;
    Ok(Workload {
        mode,
        connections,
        pace: pace(load, mode)?,
        end: end(load),
        payload: payload(messages, &feed)?,
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
        timeout: load.timeout,
        lifetime: load.lifetime,
        reconnect: load.reconnect,
        sync: load.sync,
        ping: ping(load),
        script: None,
        sources: Sources {
            addresses: load.source_ip.clone(),
        },
        threads,
        // All shards share it.
        seed: match shard.is_whole() {
            true => load.seed.unwrap_or_else(rand::random),
            false => load.seed.unwrap_or(0),
        },
        shard: Shard::WHOLE,
        first: 1,
        hold: Arc::default(),
    })
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
        Some(_) if *load.mode != SCRIPT && *load.mode != MODES[0] => Err(Error::usage(format!(
            "--mode {} and --script exclude each other",
            load.mode.name
        ))),
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
        _ => None,
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
    let stages = load.stages.as_ref().map(|stages| stages.total());
    let default = load.messages.is_none().then_some(DURATION);
    End {
        duration: load.duration.or(stages).or(default),
        messages: load.messages.map(|count| count as u64),
    }
}

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
        let bytes = super::read(path, "--message-file")?;
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
