//! In which forms a message, or what the list shows, is copied.

use super::list::List;
use super::save;
use super::scene::Scene;
use crate::model::event::{Event, What};
use crate::model::secret::stand_in::StandIns;
use crate::model::units::show_size;
use crate::transcript::record::Recorder;
use crate::view::copy_as::{Copied, Origin, SHAPES, Shape};
use crate::view::ring::Entry;

/// A transcript is no longer than this; a longer one is saved to a file.
const MOST: usize = 1 << 20;

/// Something that messages are copied as.
#[derive(Clone, Copy)]
pub(super) enum Form {
    /// Commands and snippets that send again.
    Shape(&'static Shape),
    /// Lines of the language that `wscope test` plays: also what was received.
    Transcript,
}

impl Form {
    /// All of them.
    pub(super) fn all() -> impl Iterator<Item = Self> {
        SHAPES.iter().map(Self::Shape).chain([Self::Transcript])
    }

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Shape(shape) => shape.name,
            Self::Transcript => "transcript",
        }
    }

    pub(super) const fn about(self) -> &'static str {
        match self {
            Self::Shape(shape) => shape.about,
            Self::Transcript => "transcript lines, which wscope test plays",
        }
    }

    /// One entry.
    ///
    /// # Errors
    /// A sentence: it cannot be copied in this form.
    pub(super) fn one(self, scene: &Scene, entry: &Entry) -> Result<Copied, String> {
        match self {
            Self::Shape(shape) => shape.one(origin(scene, entry), &entry.event.what),
            Self::Transcript => line(scene, &entry.event),
        }
    }

    /// What the list shows: all that was sent, and in a transcript what was received too.
    ///
    /// # Errors
    /// As for one entry.
    pub(super) fn list(self, scene: &Scene, list: &List, chosen: &Entry) -> Result<Copied, String> {
        match self {
            Self::Shape(shape) => {
                let listed = list.listed(&scene.ring);
                shape.sent(origin(scene, chosen), listed.map(|entry| &entry.event.what))
            }
            Self::Transcript => {
                let mut script = Script::default();
                for event in save::events(list, scene) {
                    script.write(&event)?;
                }
                script.copied()
            }
        }
    }
}

/// Where a message went.
fn origin<'a>(scene: &'a Scene, entry: &Entry) -> Origin<'a> {
    let handshakes = &scene.handshakes;
    let open = handshakes.open(entry.event.conn);
    Origin {
        url: open.map_or_else(|| scene.url(), |open| &open.url),
        request: handshakes.request(entry.event.conn),
    }
}

/// The lines of one entry, without how its connection opened.
fn line(scene: &Scene, event: &Event) -> Result<Copied, String> {
    let mut script = Script::default();
    let opens = matches!(event.what, What::Open(_));
    let opening = event
        .conn
        .map_or(&[][..], |conn| scene.handshakes.events(conn));
    for event in opening {
        if !opens || !matches!(event.what, What::Open(_)) {
            script.write(event)?;
        }
    }
    if !opens {
        script.text.clear();
    }
    script.write(event)?;
    script.copied()
}

/// A transcript that is being written.
#[derive(Default)]
struct Script {
    recorder: Recorder,
    // What --secret declares is in no event of the list any more.
    secrets: StandIns,
    text: Vec<u8>,
}

impl Script {
    fn write(&mut self, event: &Event) -> Result<(), String> {
        self.recorder
            .event(event, &mut self.secrets, &mut self.text);
        if self.text.len() > MOST {
            return Err(format!(
                "more than {} are too many to copy: save the list to a .wst file",
                show_size(MOST as u64)
            ));
        }
        Ok(())
    }

    fn copied(self) -> Result<Copied, String> {
        let text = String::from_utf8_lossy(&self.text).trim().to_owned();
        let says_nothing = text.lines().all(|line| line.starts_with('#'));
        if says_nothing {
            return Err("a transcript has no line for this".into());
        }
        let found = self.secrets.found();
        let secrets = found.map(|found| format!("secret_{}", found.name));
        Ok(Copied {
            secrets: secrets
                .filter(|name| text.contains(name.as_str()))
                .collect(),
            text: text + "\n",
            notes: Vec::new(),
        })
    }
}
