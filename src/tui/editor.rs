//! A text in the person's own editor.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};

use crate::error::cause_text;

/// A text that comes back larger is not taken.
const MOST: u64 = 4 << 20;

/// An editor that is open, and its file; dropping it removes the file.
pub(super) struct Editor {
    child: Child,
    path: PathBuf,
}

impl Editor {
    /// Opens `command` (words as a shell reads them) on a file with this text, which only its owner
    /// can read.
    ///
    /// # Errors
    /// A sentence that says what failed.
    pub(super) fn open(command: &str, text: &str) -> Result<Self, String> {
        let name = format!("wscope-{:016x}.txt", rand::random::<u64>());
        let path = std::env::temp_dir().join(name);
        let fail = |cause: std::io::Error| format!("{}: {}", path.display(), cause_text(&cause));
        create(&path)
            .and_then(|mut file| file.write_all(text.as_bytes()))
            .map_err(fail)?;
        let child = shell(command, &path).spawn();
        match child {
            Ok(child) => Ok(Self { child, path }),
            Err(cause) => {
                let _ = std::fs::remove_file(&path);
                Err(format!("{command}: {}", cause_text(&cause)))
            }
        }
    }

    /// The text, once the editor has ended; `None` before.
    pub(super) fn poll(&mut self) -> Option<Result<String, String>> {
        match self.child.try_wait() {
            Ok(None) => None,
            Ok(Some(status)) => Some(self.result(status)),
            Err(cause) => Some(Err(cause_text(&cause))),
        }
    }

    fn result(&self, status: ExitStatus) -> Result<String, String> {
        if !status.success() {
            return Err(format!("the editor ended with {status}: the text stays"));
        }
        let mut text = Vec::new();
        File::open(&self.path)
            .and_then(|file| file.take(MOST + 1).read_to_end(&mut text))
            .map_err(|cause| cause_text(&cause))?;
        if text.len() as u64 > MOST {
            return Err("the text is too large: it stays as it was".to_owned());
        }
        let text = String::from_utf8(text).map_err(|_| "the text is not UTF-8".to_owned())?;
        // Editors end files with a line feed.
        Ok(text.strip_suffix('\n').unwrap_or(&text).to_owned())
    }
}

impl Drop for Editor {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
        let _ = std::fs::remove_file(&self.path);
    }
}

fn create(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

#[cfg(unix)]
fn shell(command: &str, path: &Path) -> Command {
    let mut shell = Command::new("sh");
    // `$EDITOR` may have arguments.
    shell
        .args(["-c", &format!("{command} \"$1\""), "sh"])
        .arg(path);
    shell
}

#[cfg(not(unix))]
fn shell(command: &str, path: &Path) -> Command {
    let mut words = command.split_whitespace();
    let mut editor = Command::new(words.next().unwrap_or("notepad"));
    editor.args(words).arg(path);
    editor
}

#[cfg(all(test, unix))]
mod tests {
    use std::thread;
    use std::time::Duration;

    use super::*;

    fn edited(command: &str) -> Result<String, String> {
        let mut editor = Editor::open(command, "one\ntwo")?;
        loop {
            if let Some(result) = editor.poll() {
                return result;
            }
            thread::sleep(Duration::from_millis(5));
        }
    }

    #[test]
    fn the_text_comes_back_as_the_editor_left_it() {
        assert_eq!(edited("true"), Ok("one\ntwo".into()));
        assert_eq!(
            edited("sh -c 'echo three >> \"$0\"'"),
            Ok("one\ntwothree".into())
        );
        assert!(edited("false").unwrap_err().contains("the text stays"));
        assert!(edited("printf '\\377' >").unwrap_err().contains("UTF-8"));
    }

    #[test]
    fn the_file_is_gone_afterwards_and_so_is_the_editor() {
        let editor = Editor::open("sleep 60 #", "secret").unwrap();
        let path = editor.path.clone();
        assert!(path.exists());
        drop(editor);
        assert!(!path.exists());
    }
}
