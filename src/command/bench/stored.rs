//! Results that were written before: files (`bench --report json=FILE`), and baselines by their names
//! (`--save-baseline NAME`), which are files in a folder of the user's.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use crate::bench::result::{self, BenchResult};
use crate::error::{Error, cause_text};
use crate::text::bounded;
use crate::text::nearest::nearest;

/// A file that is larger is no result: an hour with a histogram for each second has some 20 MB.
const MOST: u64 = 256 << 20;
/// The longest name of a baseline.
const LONGEST: usize = 64;

/// Where a result is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// As it was typed.
    pub name: String,
    /// Where baselines are; `None` where there is no home.
    pub folder: Option<PathBuf>,
}

/// The file of a baseline that is to be saved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Baseline {
    pub name: String,
    pub folder: PathBuf,
}

/// Whether a text may be the name of a baseline: nothing that leads out of its folder, or that is
/// hidden in it.
///
/// # Errors
/// What is allowed.
pub fn check_name(name: &str) -> Result<(), String> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let is_name = !name.is_empty()
        && name.len() <= LONGEST
        && name.chars().all(allowed)
        && !name.starts_with(['.', '-']);
    if is_name {
        return Ok(());
    }
    Err(format!(
        "a baseline has a name of letters, digits, . _ and -, such as main; at most {LONGEST}, and a letter or digit first"
    ))
}

fn file(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("{name}.json"))
}

impl Stored {
    /// Reads it: standard input where it is `-`, else the baseline of that name, else the file.
    ///
    /// # Errors
    /// [`Error::Usage`]: there is none, it cannot be read, is too large, or is something else.
    pub(super) fn read(&self) -> Result<BenchResult, Error> {
        if self.name == "-" {
            return understood("standard input", bounded::take(io::stdin().lock(), MOST));
        }
        let baseline = self
            .folder
            .as_deref()
            .filter(|_| check_name(&self.name).is_ok());
        let baseline = baseline.map(|folder| file(folder, &self.name));
        let path = match baseline.filter(|path| path.is_file()) {
            Some(path) => path,
            None => PathBuf::from(&self.name),
        };
        match File::open(&path) {
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => Err(self.missing()),
            opened => understood(
                &path.display().to_string(),
                opened.and_then(|file| bounded::take(file, MOST)),
            ),
        }
    }

    /// Neither a file nor a baseline has that name.
    fn missing(&self) -> Error {
        let saved = self.folder.as_deref().map(saved).unwrap_or_default();
        let name = &self.name;
        let message = format!("there is no file {name}, and no baseline of that name");
        let hint = match nearest(name, saved.iter().map(String::as_str)) {
            Some(meant) => format!("did you mean {meant}?"),
            None if saved.is_empty() => {
                "bench URL --report json=FILE writes a file, --save-baseline NAME a baseline"
                    .to_owned()
            }
            None => format!("baselines are {}", saved.join(", ")),
        };
        Error::usage_hint(message, hint)
    }
}

/// The names of the baselines that there are.
fn saved(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let names = entries.filter_map(|entry| {
        let name = entry.file_name().into_string().ok()?;
        name.strip_suffix(".json").map(str::to_owned)
    });
    let mut names: Vec<String> = names.filter(|name| check_name(name).is_ok()).collect();
    names.sort();
    names
}

fn understood(name: &str, bytes: io::Result<Vec<u8>>) -> Result<BenchResult, Error> {
    let bytes = bytes.map_err(|cause| {
        let what = match cause.kind() {
            io::ErrorKind::FileTooLarge => format!("{name} is no result"),
            _ => format!("could not read {name}"),
        };
        Error::usage(format!("{what}: {}", cause_text(&cause)))
    })?;
    result::read(&bytes).map_err(|wrong| {
        let hint = wrong.hint();
        Error::usage_hint(format!("{name} {wrong}"), hint)
    })
}

impl Baseline {
    pub(super) fn path(&self) -> PathBuf {
        file(&self.folder, &self.name)
    }

    /// Makes the folder, so that it is known in time whether anything can be saved.
    ///
    /// # Errors
    /// [`Error::Usage`]: it cannot be made.
    pub(super) fn prepare(&self) -> Result<(), Error> {
        fs::create_dir_all(&self.folder).map_err(|cause| {
            let folder = self.folder.display();
            Error::usage_hint(
                format!("--save-baseline: {folder}: {}", cause_text(&cause)),
                "XDG_STATE_HOME names another folder; --report json=FILE writes a file",
            )
        })
    }

    /// Saves a result under the name, in place of what was there. Who reads meanwhile reads one or the
    /// other.
    ///
    /// # Errors
    /// [`Error::Io`]: the disk is full, for example.
    pub(super) fn save(&self, result: &BenchResult) -> Result<(), Error> {
        // Its keys are strings and its numbers finite: nothing in it cannot be JSON.
        let bytes = serde_json::to_vec(result).unwrap_or_default();
        let path = self.path();
        let beside = self
            .folder
            .join(format!(".{}.{}", self.name, std::process::id()));
        let written = File::create(&beside).and_then(|mut file| {
            file.write_all(&bytes)?;
            file.sync_all()?;
            fs::rename(&beside, &path)
        });
        written.map_err(|cause| {
            // What is half written is of no use to anybody.
            let _ = fs::remove_file(&beside);
            Error::Io {
                doing: format!("saving the baseline {}", path.display()),
                cause,
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_stays_in_its_folder() {
        for name in ["main", "v1.2", "a_b-c", "9"] {
            assert_eq!(check_name(name), Ok(()), "{name}");
        }
        let long = "x".repeat(LONGEST + 1);
        for name in [
            "", ".", "..", "../a", "a/b", "a\\b", ".hidden", "-x", "a b", "a\0", "\u{e9}", &long,
        ] {
            assert!(check_name(name).is_err(), "{name}");
        }
    }
}
