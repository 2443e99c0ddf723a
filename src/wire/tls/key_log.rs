//! SSLKEYLOGFILE: the secrets of a session, written for Wireshark (the format of NSS).

use std::fmt::Write as _;
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::Path;

use rustls::KeyLog;

use crate::error::Error;

/// Appends to a file, one line a secret. Only the owner may read a file that it made.
#[derive(Debug)]
pub(super) struct KeyLogFile(File);

impl KeyLogFile {
    /// # Errors
    /// [`Error::Usage`] when the file cannot be opened for writing.
    pub(super) fn open(path: &Path) -> Result<Self, Error> {
        let mut options = OpenOptions::new();
        options.append(true).create(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(path).map(Self).map_err(|cause| {
            let cause = crate::error::cause_text(&cause);
            Error::usage(format!("SSLKEYLOGFILE {}: {cause}", path.display()))
        })
    }
}

impl KeyLog for KeyLogFile {
    fn log(&self, label: &str, client_random: &[u8], secret: &[u8]) {
        let line = format!("{label} {} {}\n", hex(client_random), hex(secret));
        // One write in append mode: lines of several connections do not mix. A full disk must
        // not end the connection.
        let _ = (&self.0).write_all(line.as_bytes());
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
