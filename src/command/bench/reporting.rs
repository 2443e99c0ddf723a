//! `--report NAME=FILE`: where the reports of a result go.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use crate::bench::report::{Entry, Glyphs};
use crate::bench::result::BenchResult;
use crate::error::{Error, cause_text};
use crate::text::output::Output;
use crate::text::sanitize;

/// One report and its place.
#[derive(Debug, Clone)]
pub struct Report<T: 'static = BenchResult> {
    pub entry: &'static Entry<T>,
    pub place: Place,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    Stdout,
    File(PathBuf),
    /// Where it is served while the load runs.
    Port(SocketAddr),
}

impl<T> Report<T> {
    pub(super) fn name(&self) -> String {
        let place = match &self.place {
            Place::Stdout => "-".to_owned(),
            Place::File(path) => path.display().to_string(),
            Place::Port(address) => address.to_string(),
        };
        format!("--report {}={place}", self.entry.name)
    }
}

/// Whether each report has a place of its own.
///
/// # Errors
/// [`Error::Usage`]: two reports would go to the same place, and neither could be read.
pub(super) fn check<T>(reports: &[Report<T>]) -> Result<(), Error> {
    for (at, report) in reports.iter().enumerate() {
        if reports[..at]
            .iter()
            .any(|other| other.place == report.place)
        {
            return Err(Error::usage_hint(
                format!("{}: another report goes there too", report.name()),
                "give each report a place of its own; one of them may be - (stdout)",
            ));
        }
    }
    Ok(())
}

/// Reports that are written, with their files open.
pub(super) struct Prepared<T: 'static = BenchResult> {
    reports: Vec<(Report<T>, Option<File>)>,
}

impl<T: Clone> Prepared<T> {
    /// Opens the files before there is anything to write, so that a wrong name is known in time. What
    /// a file holds stays until it is written.
    ///
    /// # Errors
    /// [`Error::Usage`]: a file cannot be written.
    pub(super) fn new(reports: &[Report<T>]) -> Result<Self, Error> {
        let mut opened = Vec::new();
        for report in reports {
            let file = match &report.place {
                Place::Port(_) => continue,
                Place::Stdout => None,
                Place::File(path) => Some(open(path).map_err(|cause| {
                    Error::usage_hint(
                        format!("{}: {}", report.name(), cause_text(&cause)),
                        "name a file that you may write, or - for stdout",
                    )
                })?),
            };
            opened.push((report.clone(), file));
        }
        Ok(Self { reports: opened })
    }

    /// Says what is for people: on stderr where a report takes stdout.
    pub(super) fn say(&self, text: &str, output: &Output) {
        let takes_stdout = |(report, _): &(Report<T>, _)| report.place == Place::Stdout;
        if self.reports.iter().any(takes_stdout) {
            output.talk(text.as_bytes());
        } else {
            output.data(text.as_bytes());
        }
    }

    /// Writes them all, and says where they are.
    ///
    /// # Errors
    /// [`Error::Io`]: the disk is full, for example.
    pub(super) fn write(self, of: &T, glyphs: Glyphs, output: &Output) -> Result<(), Error> {
        let mut saved = Vec::new();
        for (report, file) in &self.reports {
            let bytes = report.entry.written(of, glyphs);
            match (&report.place, file) {
                (Place::File(path), Some(file)) => {
                    replace(path, file, &bytes).map_err(|cause| Error::Io {
                        doing: format!("writing {}", path.display()),
                        cause,
                    })?;
                    saved.push(path.display().to_string());
                }
                _ => output.data(&bytes),
            }
        }
        for path in saved {
            let line = sanitize::line(&format!("Saved        {path}")).into_owned();
            self.say(&format!("{line}\n"), output);
        }
        Ok(())
    }
}

fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false).open(path)
}

/// Writes what a file holds from now on: beside it first, so that there is never a part of it where the
/// disk is full. A pipe or a device, or a file whose folder takes no other, is written as it is.
fn replace(path: &Path, mut file: &File, bytes: &[u8]) -> io::Result<()> {
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return file.write_all(bytes);
    }
    // Where it is a link, the file that it leads to is replaced and not the link.
    let path = path.canonicalize()?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let beside = path.with_file_name(format!(".{name}.{}", std::process::id()));
    let created = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(&beside);
    let Ok(mut whole) = created else {
        file.set_len(0)?;
        return file.write_all(bytes);
    };
    let written = whole
        .set_permissions(metadata.permissions())
        .and_then(|()| whole.write_all(bytes))
        .and_then(|()| whole.sync_all())
        .and_then(|()| fs::rename(&beside, &path));
    written.inspect_err(|_| {
        // What is half written is of no use to anybody.
        let _ = fs::remove_file(&beside);
    })
}
