//! `--find-max`: loads of different sizes, one after another, until it is known how much the server bears.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::time::sleep;

use super::live::Viewer;
use super::{Ended, Load, Played, exit_code, play, talk};
use crate::bench::result::{self, BenchResult, RemarkInfo};
use crate::bench::run::{Setting, Watch};
use crate::bench::search::{self, FindMax, Judgement, Search};
use crate::command::signals::Signals;
use crate::error::{Error, ExitCode};
use crate::text::output::Output;

/// A server is given so long to notice that the connections of the step before are gone.
const PAUSE: Duration = Duration::from_millis(500);

pub(super) async fn search(
    load: &Load,
    sought: &FindMax,
    watcher: &mut dyn Watch,
    viewer: &mut Viewer,
    deadline: Option<Instant>,
    signals: &mut Signals,
    output: &Output,
) -> Result<Ended, Error> {
    let full = &load.plan.workload;
    let mut search = Search::new(full.least(sought.what), full.most(sought.what));
    let mut steps = Vec::new();
    let mut best: Option<BenchResult> = None;
    let mut last = None;
    let (mut signalled, mut timed_out) = (None, false);
    while let Some(number) = search.next() {
        if !steps.is_empty() {
            sleep(PAUSE).await;
        }
        let workload = Arc::new(full.sized(sought.what, number));
        let setting = Setting {
            workload: Arc::clone(&workload),
            refusals_end: true,
            shared: Arc::default(),
            ..load.setting.clone()
        };
        viewer.try_next(&setting, sought, number);
        let Played {
            finished,
            signalled: by,
            timed_out: over,
            stopped,
        } = play(setting, watcher, viewer, deadline, signals).await?;
        (signalled, timed_out) = (by, over);
        let result = result::result(&finished, &load.facets(&workload, &workload));
        if stopped {
            search.stop();
            last = Some(result);
            break;
        }
        let measured = result::measured(&finished, &workload);
        let judged = search::judge(&sought.condition, &result, &measured);
        let step = search::step(number, judged, &sought.condition, &result);
        talk(output, &search::line(sought, &step));
        viewer.judged(&step);
        steps.push(step);
        search.judged(number, judged.0);
        if judged.0 == Judgement::Held {
            best = Some(result);
        } else {
            last = Some(result);
        }
    }
    // One that was stopped before anything was known says nothing.
    let is_found = best.is_some() || steps.is_empty();
    let Some(mut result) = best.or(last) else {
        return Err(Error::usage("--find-max has nothing to try"));
    };
    let limited = search.limited_by();
    if limited == "generator" {
        result.verdict.valid = false;
        result.verdict.invalid_reasons.push(RemarkInfo {
            code: "generator_limit".into(),
            text: format!(
                "this machine was the limit of the search, and not the server: more than {} may do",
                search.found().unwrap_or(0)
            ),
        });
    }
    result.find_max = Some(search.told(sought, steps));
    let code = if is_found {
        exit_code(&result, load.plan.strict)
    } else {
        ExitCode::NOT_MET
    };
    Ok(Ended {
        result,
        code,
        signalled,
        timed_out,
    })
}
