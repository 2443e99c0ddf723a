//! Files that are sent: whole, as one message, or in pieces, as `serve --save-dir` and its test page
//! know them: a text `{"type":"file-meta","name":N,"size":S}`, then binary messages until S bytes
//! are there. In pieces a file is never in memory as a whole.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use serde::Serialize;

use crate::error::cause_text;
use crate::model::command::Command;
use crate::model::message::Message;
use crate::model::units::show_size;
use crate::text::sanitize;

/// The largest file that is sent as one message.
const MAX_FILE: u64 = 64 << 20;

/// Bytes of a file in one message.
pub const CHUNK: usize = 64 << 10;

/// A file as one binary message.
///
/// # Errors
/// A sentence: it cannot be read, or is too large.
pub(super) fn whole(path: &str) -> Result<Message, String> {
    let shown = sanitize::line(path);
    let fail = |cause| format!("{shown}: {}", cause_text(&cause));
    let too_large = || {
        let most = show_size(MAX_FILE);
        format!("{shown} is larger than {most}; --chunks sends it in pieces")
    };
    let file = open(Path::new(path))?;
    if file.metadata().map_err(fail)?.len() > MAX_FILE {
        return Err(too_large());
    }
    let mut payload = Vec::new();
    file.take(MAX_FILE + 1)
        .read_to_end(&mut payload)
        .map_err(fail)?;
    // It may have grown, or say of itself that it is empty.
    if payload.len() as u64 > MAX_FILE {
        return Err(too_large());
    }
    Ok(Message::binary(payload))
}

/// Opens a regular file.
fn open(path: &Path) -> Result<File, String> {
    let shown = path.to_string_lossy();
    let shown = sanitize::line(&shown);
    let fail = |cause| format!("{shown}: {}", cause_text(&cause));
    // Looked at before it is opened: opening a named pipe would wait for its writer.
    if !std::fs::metadata(path).map_err(fail)?.is_file() {
        return Err(format!("{shown} is not a regular file"));
    }
    File::open(path).map_err(fail)
}

/// A file that is sent in pieces.
#[derive(Debug)]
pub struct Pieces {
    file: File,
    /// Its last name, as others are told.
    name: String,
    size: u64,
    is_announced: bool,
    read: u64,
}

#[derive(Serialize)]
struct Meta<'a> {
    r#type: &'static str,
    name: &'a str,
    size: u64,
}

impl Pieces {
    /// # Errors
    /// A sentence: it cannot be read.
    pub fn open(path: &Path) -> Result<Self, String> {
        let file = open(path)?;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let size = file
            .metadata()
            .map_err(|cause| format!("{}: {}", sanitize::line(&name), cause_text(&cause)))?
            .len();
        Ok(Self {
            file,
            name: name.into_owned(),
            size,
            is_announced: false,
            read: 0,
        })
    }

    /// Its name, fit to be shown.
    pub fn name(&self) -> String {
        sanitize::line(&self.name).into_owned()
    }

    /// In bytes, as it was announced.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The messages that are left.
    pub const fn left(&self) -> u64 {
        (self.size - self.read).div_ceil(CHUNK as u64) + !self.is_announced as u64
    }

    /// The next message; `None` when all have been made. Disks are fast beside networks, so it is
    /// read where it is needed.
    ///
    /// # Errors
    /// A sentence: the file cannot be read any more, or has become shorter.
    pub fn take_next(&mut self) -> Result<Option<Command>, String> {
        if !self.is_announced {
            self.is_announced = true;
            return Ok(Some(Command::Send(self.meta())));
        }
        let left = self.size - self.read;
        if left == 0 {
            return Ok(None);
        }
        let mut chunk = vec![0; usize::try_from(left).map_or(CHUNK, |left| left.min(CHUNK))];
        self.file.read_exact(&mut chunk).map_err(|cause| {
            let (name, at) = (self.name(), show_size(self.read));
            if cause.kind() == io::ErrorKind::UnexpectedEof {
                return format!("{name} has become shorter: it ended after {at}");
            }
            format!("{name}: after {at}: {}", cause_text(&cause))
        })?;
        self.read += chunk.len() as u64;
        Ok(Some(Command::Send(Message::binary(chunk))))
    }

    fn meta(&self) -> Message {
        let meta = Meta {
            r#type: "file-meta",
            name: &self.name,
            size: self.size,
        };
        // A name and a number are JSON, always.
        Message::text(serde_json::to_string(&meta).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(bytes: &[u8]) -> (tempfile::TempDir, std::path::PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a \"b\".bin");
        std::fs::write(&path, bytes).unwrap();
        (dir, path)
    }

    fn all(pieces: &mut Pieces) -> Vec<Message> {
        let next = || pieces.take_next().unwrap();
        std::iter::from_fn(next)
            .map(|command| match command {
                Command::Send(message) => message,
                other => panic!("{other:?}"),
            })
            .collect()
    }

    #[test]
    fn a_file_is_announced_and_cut_into_pieces() {
        let bytes: Vec<u8> = (0..CHUNK * 2 + 1).map(|at| (at % 251) as u8).collect();
        let (_dir, path) = file(&bytes);
        let mut pieces = Pieces::open(&path).unwrap();
        assert_eq!(pieces.left(), 4);
        let messages = all(&mut pieces);
        assert_eq!(pieces.left(), 0);
        assert_eq!(
            messages[0].as_text().unwrap(),
            format!(
                r#"{{"type":"file-meta","name":"a \"b\".bin","size":{}}}"#,
                bytes.len()
            )
        );
        let sizes: Vec<_> = messages[1..]
            .iter()
            .map(|message| message.payload.len())
            .collect();
        assert_eq!(sizes, [CHUNK, CHUNK, 1]);
        let joined: Vec<u8> = messages[1..]
            .iter()
            .flat_map(|message| message.payload.to_vec())
            .collect();
        assert_eq!(joined, bytes);
    }

    #[test]
    fn an_empty_file_is_only_announced() {
        let (_dir, path) = file(b"");
        assert_eq!(all(&mut Pieces::open(&path).unwrap()).len(), 1);
    }

    #[test]
    fn a_file_that_shrinks_is_told_and_one_that_grows_is_sent_as_announced() {
        let (_dir, path) = file(&[1; 10]);
        let mut pieces = Pieces::open(&path).unwrap();
        std::fs::write(&path, [1; 100]).unwrap();
        assert_eq!(all(&mut pieces)[1].payload.len(), 10);
        let mut pieces = Pieces::open(&path).unwrap();
        std::fs::write(&path, [1; 10]).unwrap();
        assert!(pieces.take_next().is_ok());
        assert!(
            pieces
                .take_next()
                .unwrap_err()
                .contains("has become shorter")
        );
    }
}
