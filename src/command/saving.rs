//! What a person saves from the full screen.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::Path;

use super::recording::{self, Recording};
use crate::error::{Error, cause_text};
use crate::model::event::Event;
use crate::model::secret::known::Known;
use crate::tui::connect::save::{Content, NotSaved, Save};

/// Writes it, readable by its owner only.
///
/// # Errors
/// There is such a file, or it cannot be written.
pub fn save(save: &Save) -> Result<(), NotSaved> {
    if !save.overwrite && save.path.exists() {
        return Err(NotSaved::Exists);
    }
    match &save.content {
        Content::Payload(payload) => write(&save.path, save.overwrite, payload).map_err(|cause| {
            let path = save.path.display();
            NotSaved::Failed(format!("{path}: {}", cause_text(&cause)))
        }),
        Content::Events(events) => record(&save.path, save.overwrite, events).map_err(|error| {
            let hint = error.hint().map(|hint| format!(" ({hint})"));
            NotSaved::Failed(format!("{error}{}", hint.unwrap_or_default()))
        }),
    }
}

fn write(path: &Path, overwrite: bool, payload: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true);
    if overwrite {
        options.create(true).truncate(true);
    } else {
        options.create_new(true);
    }
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?.write_all(payload)
}

/// As `--record` writes them. What `--secret` declares is in no event of the list any more.
fn record(path: &Path, overwrite: bool, events: &[Event]) -> Result<(), Error> {
    let plan = recording::Plan::new(path.to_owned(), overwrite)?;
    let mut recording = Recording::start(&plan, &Known::default())?;
    events.iter().try_for_each(|event| recording.write(event))?;
    recording.finish()
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    #[test]
    fn a_payload_is_saved_byte_for_byte_and_nothing_is_overwritten_unasked() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("message-1.bin");
        let mut asked = Save {
            path: path.clone(),
            overwrite: false,
            content: Content::Payload(Bytes::from_static(b"\0\n\xff")),
        };
        save(&asked).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"\0\n\xff");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = std::fs::metadata(&path).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        asked.content = Content::Payload(Bytes::from_static(b"new"));
        assert_eq!(save(&asked), Err(NotSaved::Exists));
        asked.overwrite = true;
        save(&asked).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"new");
    }

    #[test]
    fn what_cannot_be_saved_says_why() {
        let folder = tempfile::tempdir().unwrap();
        let failed = |name: &str, content| {
            let path = folder.path().join(name);
            let asked = Save {
                path,
                overwrite: false,
                content,
            };
            match save(&asked) {
                Err(NotSaved::Failed(why)) => why,
                other => panic!("{other:?}"),
            }
        };
        let why = failed("no/such/folder", Content::Payload(Bytes::new()));
        assert!(why.contains("o such file"), "{why}");
        let why = failed("list.txt", Content::Events(Vec::new()));
        assert!(why.contains(".ndjson"), "{why}");
    }
}
