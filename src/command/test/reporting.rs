//! `--report NAME[=FILE]`: where the reports of a run go.

use std::fs::File;
use std::io::Write as _;
use std::path::PathBuf;

use crate::error::{Error, cause_text};
use crate::text::output::Output;
use crate::transcript::outcome::Outcome;
use crate::transcript::report::{REPORTS, Report};

/// One report and its place.
#[derive(Debug, Clone)]
pub struct Reporting {
    report: &'static Report,
    /// `None` is stdout.
    file: Option<PathBuf>,
}

/// A report whose file is there.
#[derive(Debug)]
pub(super) struct Prepared {
    reporting: Reporting,
    file: Option<File>,
}

impl Reporting {
    /// `junit=out.xml`, `tap=-`, `github`.
    ///
    /// # Errors
    /// A sentence that lists the formats.
    pub fn parse(typed: &str) -> Result<Self, String> {
        let (name, file) = typed.split_once('=').unwrap_or((typed, "-"));
        let report = REPORTS.iter().find(|report| report.name == name);
        let report = report.ok_or_else(|| {
            let names: Vec<&str> = REPORTS.iter().map(|report| report.name).collect();
            format!(
                "takes {} and a file, such as junit=out.xml",
                names.join(", ")
            )
        })?;
        Ok(Self {
            report,
            file: match file {
                "-" | "" => None,
                file => Some(file.into()),
            },
        })
    }

    /// Whether nothing else may be on stdout: it is for a program.
    pub(super) fn has_stdout(&self) -> bool {
        self.file.is_none() && self.report.is_whole
    }

    /// Makes the file before anything is played, so that a wrong name is known in time.
    ///
    /// # Errors
    /// [`Error::Usage`]: it cannot be made.
    pub(super) fn prepare(&self) -> Result<Prepared, Error> {
        let made = self.file.as_ref().map(|path| {
            File::create(path).map_err(|cause| {
                let name = self.report.name;
                let message = format!("--report {name}={}: {}", path.display(), cause_text(&cause));
                Error::usage_hint(message, "name a file that you may write, or - for stdout")
            })
        });
        Ok(Prepared {
            reporting: self.clone(),
            file: made.transpose()?,
        })
    }
}

impl Prepared {
    /// # Errors
    /// [`Error::Io`]: the disk is full, for example.
    pub(super) fn write(self, outcome: &Outcome, output: &Output) -> Result<(), Error> {
        let Self { reporting, file } = self;
        let text = (reporting.report.write)(outcome);
        let Some(mut file) = file else {
            output.data(text.as_bytes());
            return Ok(());
        };
        file.write_all(text.as_bytes()).map_err(|cause| Error::Io {
            doing: format!("writing the {} report", reporting.report.name),
            cause,
        })
    }
}
