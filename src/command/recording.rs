//! `--record FILE` and `/record FILE`: what happens in a session, written to a file as it happens,
//! with `{{secret_NAME}}` in the place of secrets.
//!
//! The name's ending says what is written; [`RECORDERS`] is the registry. What a recorder makes of an
//! event is in the file before the next event is looked at.

mod file;

use std::io;
use std::path::{Path, PathBuf};

use self::file::RecordFile;
use crate::error::{Error, cause_text};
use crate::model::event::Event;
use crate::model::secret::known::Known;
use crate::model::secret::stand_in::StandIns;
use crate::transcript::record::Recorder;
use crate::view::har::{Har, Part};
use crate::view::mermaid::Mermaid;

/// Where to record.
#[derive(Debug, Clone)]
pub struct Plan {
    path: PathBuf,
    recorder: &'static Entry,
    /// `--force`: replace a file that is there.
    overwrite: bool,
}

/// What a file with some ending holds.
#[derive(Debug)]
pub struct Entry {
    /// Of the file's name, without the dot.
    pub ending: &'static str,
    pub about: &'static str,
    make: fn() -> Box<dyn Record>,
}

/// Every kind of recording.
pub const RECORDERS: &[Entry] = &[
    Entry {
        ending: "ndjson",
        about: "every event as a line of JSON, as --json prints them",
        make: || Box::new(Ndjson),
    },
    Entry {
        ending: "wst",
        about: "a transcript that wscope test plays",
        make: || Box::<Recorder>::default(),
    },
    Entry {
        ending: "har",
        about: "an HTTP archive, which Chrome's network panel opens",
        make: || Box::<Har>::default(),
    },
    Entry {
        ending: "mmd",
        about: "a Mermaid sequence diagram",
        make: || Box::<Mermaid>::default(),
    },
];

/// Turns events into what a file holds.
trait Record: Send {
    /// Appends what is to be written of an event.
    fn event(&mut self, event: &Event, secrets: &mut StandIns, out: &mut Vec<u8>);

    /// What stands at the end of the file until there is more: it is written over then.
    fn tail(&self) -> &'static [u8] {
        b""
    }

    /// How the file is to be put together at the end; `None` where it is as it should be.
    fn order(&self) -> Option<Vec<Part>> {
        None
    }
}

/// A recording that is being made.
pub struct Recording {
    file: RecordFile,
    path: PathBuf,
    recorder: Box<dyn Record>,
    secrets: StandIns,
    text: Vec<u8>,
}

impl Plan {
    /// # Errors
    /// [`Error::Usage`] for a name whose ending says nothing.
    pub fn new(path: PathBuf, overwrite: bool) -> Result<Self, Error> {
        let ending = path.extension().and_then(|ending| ending.to_str());
        let recorder = ending.and_then(|ending| {
            let mut recorders = RECORDERS.iter();
            recorders.find(|entry| entry.ending.eq_ignore_ascii_case(ending))
        });
        let Some(recorder) = recorder else {
            let endings: Vec<String> = RECORDERS
                .iter()
                .map(|entry| format!(".{} ({})", entry.ending, entry.about))
                .collect();
            return Err(Error::usage_hint(
                format!(
                    "cannot record to {}: the name's ending says what is written",
                    path.display()
                ),
                format!("end it in {}", endings.join(" or ")),
            ));
        };
        Ok(Self {
            path,
            recorder,
            overwrite,
        })
    }
}

impl Recording {
    /// Creates the file, readable by its owner only.
    ///
    /// # Errors
    /// [`Error::Usage`] where the file is there already or cannot be made.
    pub fn start(plan: &Plan, declared: &Known) -> Result<Self, Error> {
        let file = RecordFile::create(&plan.path, plan.overwrite);
        Ok(Self {
            file: file.map_err(|cause| not_made(&plan.path, &cause))?,
            path: plan.path.clone(),
            recorder: (plan.recorder.make)(),
            secrets: StandIns::new(declared),
            text: Vec::new(),
        })
    }

    /// Writes one event; it is in the file when this returns.
    ///
    /// # Errors
    /// [`Error::Io`]: the disk is full, for example.
    pub fn write(&mut self, event: &Event) -> Result<(), Error> {
        self.text.clear();
        self.recorder
            .event(event, &mut self.secrets, &mut self.text);
        if self.text.is_empty() {
            return Ok(());
        }
        let written = self.file.append(&mut self.text, self.recorder.tail());
        written.map_err(|cause| self.failed(cause))
    }

    /// The recording is over: brings the file into its order.
    ///
    /// # Errors
    /// [`Error::Io`]. The file stays what it was.
    pub fn finish(&self) -> Result<(), Error> {
        let Some(parts) = self.recorder.order() else {
            return Ok(());
        };
        let done = self.file.put_together(&self.path, &parts);
        done.map_err(|cause| self.failed(cause))
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What stands in the file in the place of secrets, for people; `None` where none was replaced.
    pub fn replaced(&self) -> Option<String> {
        let found: Vec<String> = self
            .secrets
            .found()
            .map(|it| format!("{} ({})", it.written(), it.place))
            .collect();
        (!found.is_empty()).then(|| found.join(", "))
    }

    fn failed(&self, cause: io::Error) -> Error {
        Error::Io {
            doing: format!("recording to {}", self.path.display()),
            cause,
        }
    }
}

fn not_made(path: &Path, cause: &io::Error) -> Error {
    let shown = path.display();
    if cause.kind() == io::ErrorKind::AlreadyExists {
        return Error::usage_hint(format!("{shown} is there already"), "--force overwrites it");
    }
    let message = format!("cannot record to {shown}: {}", cause_text(cause));
    match (cause.kind(), path.parent()) {
        (io::ErrorKind::NotFound, Some(folder)) => Error::usage_hint(
            message,
            format!("make the folder {} first", folder.display()),
        ),
        _ => Error::usage_hint(message, "name a file that you may write"),
    }
}

/// `.ndjson`: the serde form of events.
struct Ndjson;

impl Record for Ndjson {
    fn event(&mut self, event: &Event, secrets: &mut StandIns, out: &mut Vec<u8>) {
        let start = out.len();
        match serde_json::to_writer(&mut *out, &secrets.replace(event)) {
            Ok(()) => out.push(b'\n'),
            // Neither the writer nor the event can fail; half a line would be worse than none.
            Err(_) => out.truncate(start),
        }
    }
}

impl Record for Recorder {
    fn event(&mut self, event: &Event, secrets: &mut StandIns, out: &mut Vec<u8>) {
        Self::event(self, event, secrets, out);
    }
}

impl Record for Har {
    fn event(&mut self, event: &Event, secrets: &mut StandIns, out: &mut Vec<u8>) {
        Self::event(self, &secrets.replace(event), out);
    }

    fn tail(&self) -> &'static [u8] {
        Self::tail(self)
    }

    fn order(&self) -> Option<Vec<Part>> {
        Self::order(self)
    }
}

impl Record for Mermaid {
    fn event(&mut self, event: &Event, secrets: &mut StandIns, out: &mut Vec<u8>) {
        Self::event(self, &secrets.replace(event), out);
    }
}
