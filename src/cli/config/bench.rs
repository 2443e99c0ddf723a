//! `bench` as a plan: the workload, how each connection is opened, what is reported.

mod payload;
mod shard;
mod workload;

use self::shard::{check_shard, shard, start_at};
use self::workload::workload;
use super::bench_tool::{folder, stored};
use super::screen::{is_utf8, of_bench};
use super::test::{base_url, surroundings};
use super::{DEMO, Environment, Setup, connection, target};
use crate::bench::feed::Feed;
use crate::bench::plan::SCRIPT;
use crate::bench::report::Glyphs;
use crate::bench::search::{FindMax, What};
use crate::bench::shard::Shard;
use crate::bench::template::Template;
use crate::cli::args::{Bench, Load, Results};
use crate::command::bench::baseline::Baselines;
use crate::command::bench::stored::Baseline;
use crate::command::bench::{Only, Plan, script};
use crate::command::test::URL;
use crate::error::Error;
use crate::protocol::deflate;
use crate::session::connection::Plan as Upkeep;

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
