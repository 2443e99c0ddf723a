//! The file of a recording: private, whole after each write, put into order at the end.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;

use crate::view::har::Part;

#[derive(Debug)]
pub(super) struct RecordFile {
    file: File,
    /// How much at the end is written over by what comes next.
    tail: usize,
}

impl RecordFile {
    /// A file that was there keeps its place, but neither its contents nor its mode.
    pub(super) fn create(path: &Path, overwrite: bool) -> io::Result<Self> {
        let mut options = private();
        if overwrite {
            options.create(true);
        } else {
            options.create_new(true);
        }
        let file = options.open(path)?;
        // A pipe or a device keeps its mode.
        if file.metadata()?.is_file() {
            #[cfg(unix)]
            file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
            file.set_len(0)?;
        }
        Ok(Self { file, tail: 0 })
    }

    /// Writes text and tail over the tail before, in one write: whoever looks finds a whole file.
    pub(super) fn append(&mut self, text: &mut Vec<u8>, tail: &[u8]) -> io::Result<()> {
        if self.tail > 0 {
            let back = i64::try_from(self.tail).unwrap_or_default();
            self.file.seek(SeekFrom::Current(-back))?;
        }
        text.extend_from_slice(tail);
        self.tail = tail.len();
        self.file.write_all(text)
    }

    /// Writes the parts to a file beside it, which then takes its place.
    pub(super) fn put_together(&self, path: &Path, parts: &[Part]) -> io::Result<()> {
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(".part");
        let beside = path.with_file_name(name);
        let mut written = File::open(path)?;
        let ordered = private().create_new(true).open(&beside)?;
        copy(&mut written, parts, ordered)
            .and_then(|()| std::fs::rename(&beside, path))
            .inspect_err(|_| {
                // What could not be written is not left lying about either.
                let _ = std::fs::remove_file(&beside);
            })
    }
}

fn copy(written: &mut File, parts: &[Part], ordered: File) -> io::Result<()> {
    let mut ordered = io::BufWriter::new(ordered);
    for part in parts {
        match part {
            Part::Text(text) => ordered.write_all(text)?,
            Part::Written(range) => {
                written.seek(SeekFrom::Start(range.start))?;
                let mut piece = written.take(range.end - range.start);
                io::copy(&mut piece, &mut ordered)?;
            }
        }
    }
    ordered.flush()
}

/// For writing; a file that is made is readable by its owner only.
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}
