//! `--bless`: what came is written into the lines that failed.

use std::path::Path;

use super::files::is_archive;
use crate::error::cause_text;
use crate::transcript::bless::blessed;
use crate::transcript::outcome::{Failure, FileOutcome, StepOutcome};

/// The most lines that are rewritten in one file: each takes a run of its own.
const MAX_REWRITES: usize = 200;

/// A file that is being rewritten.
#[derive(Debug, Default)]
pub(super) struct Blessing {
    written: Vec<Written>,
}

/// What was rewritten: a line, and in JSON the value.
#[derive(Debug, PartialEq, Eq)]
struct Rewrite {
    path: String,
    line: usize,
    pointer: Option<String>,
}

/// A rewrite that is in its file.
#[derive(Debug)]
struct Written {
    rewrite: Rewrite,
    /// What the file was before.
    before: String,
}

impl Blessing {
    /// Rewrites the line that failed.
    ///
    /// # Errors
    /// Why it stays as it is: there is nothing new to play.
    pub(super) fn write(&mut self, outcome: &FileOutcome) -> Result<(), String> {
        let Some((step, failure)) = outcome.failures().next() else {
            let path = &outcome.path;
            return Err(format!(
                "{path} is not blessed: no line that expects a message failed"
            ));
        };
        let rewrite = Rewrite {
            path: step.path.clone(),
            line: step.place.line,
            pointer: failure.pointer.clone(),
        };
        let before = self
            .rewrite(&rewrite, step, failure)
            .map_err(|why| format!("{}:{} is not blessed: {why}", rewrite.path, rewrite.line))?;
        self.written.push(Written { rewrite, before });
        Ok(())
    }

    /// Takes back a rewrite, and those after it, which were found with it in place.
    fn take_back(&mut self, from: usize) -> Result<(), String> {
        for one in self.written.drain(from..).rev() {
            let path = &one.rewrite.path;
            std::fs::write(path, one.before)
                .map_err(|cause| format!("{path}: {}", cause_text(&cause)))?;
        }
        Ok(())
    }

    /// What the file was before.
    fn rewrite(
        &mut self,
        rewrite: &Rewrite,
        step: &StepOutcome,
        failure: &Failure,
    ) -> Result<String, String> {
        let path = Path::new(&step.path);
        if is_archive(path) {
            return Err(format!(
                "a browser's recording stays as it is; wscope test --convert {} makes a transcript of it",
                step.path
            ));
        }
        let same = |one: &Written| one.rewrite == *rewrite;
        if let Some(at) = self.written.iter().position(same) {
            self.take_back(at)?;
            return Err(changes(failure));
        }
        if self.written.len() == MAX_REWRITES {
            return Err(format!(
                "{MAX_REWRITES} lines were rewritten; look at them, then bless again"
            ));
        }
        let text = std::fs::read_to_string(path).map_err(|cause| cause_text(&cause))?;
        let new = blessed(&text, step, failure)?;
        std::fs::write(path, new).map_err(|cause| cause_text(&cause))?;
        Ok(text)
    }

    /// What was rewritten, for people; `None` where nothing was.
    pub(super) fn told(&self) -> Option<String> {
        let told: Vec<String> = self
            .written
            .iter()
            .map(|Written { rewrite: one, .. }| {
                let pointer = one.pointer.as_deref().filter(|it| !it.is_empty());
                let pointer = pointer.map_or_else(String::new, |it| format!(" {it}"));
                format!("{}:{}{pointer}", one.path, one.line)
            })
            .collect();
        (!told.is_empty()).then(|| format!("blessed {}", told.join(", ")))
    }
}

/// A line that was rewritten and differs again.
fn changes(failure: &Failure) -> String {
    match failure.pointer.as_deref() {
        Some("") => "this JSON is different each time".to_owned(),
        Some(pointer) => {
            format!("{pointer} is different each time; \"{{{{*}}}}\" there accepts anything")
        }
        None => "what comes is different each time; /any, /match or /contains says what matters"
            .to_owned(),
    }
}
