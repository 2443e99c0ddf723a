//! `--record FILE`: every event of a session, written to a file as it happens.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::model::event::Event;

/// Where to record.
#[derive(Debug, Clone)]
pub struct Plan {
    pub path: PathBuf,
    /// `--force`: replace a file that is there.
    pub overwrite: bool,
}

/// A recording that is being made.
#[derive(Debug)]
pub struct Recording {
    file: File,
    path: PathBuf,
    line: Vec<u8>,
}

impl Recording {
    /// Creates the file, readable by its owner only.
    ///
    /// # Errors
    /// [`Error::Usage`] where the file is there already, [`Error::Io`] where it cannot be made.
    pub fn start(plan: &Plan) -> Result<Self, Error> {
        let mut options = OpenOptions::new();
        options.write(true);
        if plan.overwrite {
            options.create(true).truncate(true);
        } else {
            options.create_new(true);
        }
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options
            .open(&plan.path)
            .map_err(|cause| match cause.kind() {
                io::ErrorKind::AlreadyExists => Error::usage_hint(
                    format!("{} is there already", plan.path.display()),
                    "--force overwrites it",
                ),
                _ => failed(&plan.path, cause),
            })?;
        Ok(Self {
            file,
            path: plan.path.clone(),
            line: Vec::new(),
        })
    }

    /// Writes one event; it is in the file when this returns.
    ///
    /// # Errors
    /// [`Error::Io`]: the disk is full, for example.
    pub fn write(&mut self, event: &Event) -> Result<(), Error> {
        self.line.clear();
        serde_json::to_writer(&mut self.line, event)
            .map_err(|cause| failed(&self.path, cause.into()))?;
        self.line.push(b'\n');
        self.file
            .write_all(&self.line)
            .map_err(|cause| failed(&self.path, cause))
    }

    pub fn path(&self) -> &Path {
        &self.path
    }
}

fn failed(path: &Path, cause: io::Error) -> Error {
    Error::Io {
        doing: format!("recording to {}", path.display()),
        cause,
    }
}
