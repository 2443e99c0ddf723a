//! `--baseline`: a run held against an earlier one, and `--save-baseline`: kept to be that.

use super::reporting::Prepared;
use super::stored::{Baseline, Stored};
use super::talk;
use crate::bench::compare::{self, compare, refusals};
use crate::bench::figures::Latency;
use crate::bench::result::{BaselineInfo, BenchResult, WorkloadInfo};
use crate::error::{Error, ExitCode};
use crate::text::output::Output;
use crate::tui::bench::past::Past;

/// What is asked for.
#[derive(Debug, Default)]
pub struct Baselines {
    pub with: Option<Stored>,
    /// `--noise`, as a part: 0.05 is 5 %.
    pub noise: Option<f64>,
    pub save: Option<Baseline>,
}

/// What is ready before the load.
#[derive(Default)]
pub(super) struct Ready {
    with: Option<(String, BenchResult)>,
    noise: Option<f64>,
    save: Option<Baseline>,
    /// The run should have been compared, and could not be.
    refused: bool,
}

impl Baselines {
    /// Standard input belongs to whoever answers questions before a load.
    ///
    /// # Errors
    /// [`Error::Usage`].
    pub(super) fn check(&self) -> Result<(), Error> {
        match &self.with {
            Some(stored) if stored.name == "-" => Err(Error::usage_hint(
                "--baseline takes a name or a file, not standard input",
                "--baseline main, or --baseline result.json",
            )),
            _ => Ok(()),
        }
    }

    /// Reads the baseline, and makes the folder of the one that is to be saved.
    ///
    /// # Errors
    /// [`Error::Usage`]: there is no such baseline, or no such folder.
    pub(super) fn prepare(&self, is_load: bool) -> Result<Ready, Error> {
        if !is_load {
            return Ok(Ready::default());
        }
        let with = self
            .with
            .as_ref()
            .map(|stored| Ok((stored.name.clone(), stored.read()?)));
        if let Some(save) = &self.save {
            save.prepare()?;
        }
        Ok(Ready {
            with: with.transpose()?,
            noise: self.noise,
            save: self.save.clone(),
            refused: false,
        })
    }
}

impl Ready {
    /// Whether the load that is about to begin can be compared at all.
    ///
    /// # Errors
    /// [`Error::Usage`] with every reason.
    pub(super) fn check(&self, workload: &WorkloadInfo) -> Result<(), Error> {
        let Some((name, baseline)) = &self.with else {
            return Ok(());
        };
        let reasons = compare::workload_refusals(baseline, workload, [name, "this run"]);
        if reasons.is_empty() {
            return Ok(());
        }
        Err(Error::usage_hint(
            format!(
                "this run cannot be compared with {name}:\n  {}",
                reasons.join("\n  ")
            ),
            "ask for the same load, or save another baseline (--save-baseline)",
        ))
    }

    /// The baseline, to be shown beside a run that is mainly about `main` while it goes on.
    pub(super) fn past(&self, main: Latency) -> Option<Past> {
        let (name, baseline) = self.with.as_ref()?;
        Some(Past::of(name, baseline, main))
    }

    /// Compares, and puts that into the result. What forbids it is said.
    pub(super) fn compare(&mut self, result: &mut BenchResult, output: &Output) {
        let Some((name, baseline)) = self.with.take() else {
            return;
        };
        let reasons = refusals([&baseline, result], [&name, "this run"]);
        if !reasons.is_empty() {
            self.refused = true;
            for reason in reasons {
                talk(output, &format!("not compared with {name}: {reason}"));
            }
            return;
        }
        let (id, started_at) = (baseline.run.id.clone(), baseline.run.started_at.clone());
        let names = [name.clone(), "this run".to_owned()];
        let compared = compare([vec![baseline], vec![result.clone()]], names, self.noise);
        let worse = compared.is_worse();
        result.verdict.passed &= !worse;
        result.baseline = Some(BaselineInfo {
            name,
            id,
            started_at,
            worse,
            figures: compared.figures,
            notes: compared.notes,
        });
    }

    /// Whether a result that is not valid fails the run: it was wanted for a comparison.
    pub(super) const fn needs_validity(&self) -> bool {
        self.refused || self.save.is_some()
    }

    /// Saves a run that went well.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub(super) fn save(
        &self,
        result: &BenchResult,
        code: ExitCode,
        reports: &Prepared,
        output: &Output,
    ) -> Result<(), Error> {
        let Some(save) = &self.save else {
            return Ok(());
        };
        if code != ExitCode::DONE {
            let name = &save.name;
            talk(
                output,
                &format!(
                    "the baseline {name} was not saved: only a run that passes and is valid can be one"
                ),
            );
            return Ok(());
        }
        save.save(result)?;
        let line = format!(
            "Saved        baseline {} ({})\n",
            save.name,
            save.path().display()
        );
        reports.say(&line, output);
        Ok(())
    }
}
