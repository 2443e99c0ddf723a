//! Where typed lines are remembered, and which.

use std::io;
use std::path::{Path, PathBuf};

use rustyline::Config;
use rustyline::error::ReadlineError;
use rustyline::history::{FileHistory, History as _};

/// Entries that are remembered.
pub(super) const ENTRIES: usize = 1_000;

/// The longest entry in bytes: a pasted file is no history.
const LONGEST: usize = 64 * 1024;

/// The lines that were typed, for an editor that is not rustyline: the same lines in the same file.
pub struct History {
    lines: FileHistory,
    /// `None` where they are remembered for this run only.
    path: Option<PathBuf>,
}

impl History {
    /// What the file holds; nothing where there is none yet.
    ///
    /// # Errors
    /// A sentence for the person; what is typed from now on is remembered for this run only.
    pub fn load(path: Option<PathBuf>) -> (Self, Option<String>) {
        let config = Config::builder()
            .max_history_size(ENTRIES)
            .map_or_else(|_| Config::default(), rustyline::config::Builder::build);
        let mut history = Self {
            lines: FileHistory::with_config(&config),
            path,
        };
        let problem = history.read().err().map(|error| history.give_up(&error));
        (history, problem)
    }

    fn read(&mut self) -> Result<(), ReadlineError> {
        let Some(path) = &self.path else {
            return Ok(());
        };
        make_folder(path)?;
        match self.lines.load(path) {
            Err(ReadlineError::Io(error)) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            loaded => loaded,
        }
    }

    /// Remembers a line, unless it is one that is not to be remembered.
    ///
    /// # Errors
    /// A sentence for the person, once: the file is not tried again.
    pub fn remember(&mut self, line: &str) -> Result<(), String> {
        if !keeps(line) {
            return Ok(());
        }
        let added = self.lines.add(line);
        let saved = match (&self.path, added) {
            (Some(path), Ok(true)) => self.lines.append(path),
            (_, added) => added.map(drop),
        };
        saved.map_err(|error| self.give_up(&error))
    }

    fn give_up(&mut self, error: &ReadlineError) -> String {
        let path = self.path.take().unwrap_or_default();
        format!(
            "typed lines are not remembered: {}: {error}",
            path.display()
        )
    }

    /// Oldest first.
    pub fn lines(&self) -> impl DoubleEndedIterator<Item = &String> {
        self.lines.iter()
    }
}

/// Whether a line is remembered. One that begins with a space is not, nor is one that is empty or
/// huge.
pub(super) fn keeps(line: &str) -> bool {
    !line.is_empty() && !line.starts_with(' ') && line.len() <= LONGEST
}

/// Makes the folder of the file, for its owner only.
pub(super) fn make_folder(path: &Path) -> io::Result<()> {
    let Some(folder) = path.parent() else {
        return Ok(());
    };
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_begins_with_a_space_is_forgotten() {
        assert!(keeps("hello") && keeps("\thi"));
        assert!(!keeps(" secret") && !keeps(""));
        assert!(!keeps(&"x".repeat(LONGEST + 1)));
    }

    #[test]
    fn lines_come_back_from_the_file() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("state/history");
        let (mut history, problem) = History::load(Some(file.clone()));
        assert_eq!(problem, None);
        for line in ["one", " secret", "two\n\\lines"] {
            history.remember(line).unwrap();
        }
        let (again, _) = History::load(Some(file));
        assert_eq!(again.lines().collect::<Vec<_>>(), ["one", "two\n\\lines"]);
    }

    #[test]
    fn a_file_that_cannot_be_written_is_told_once() {
        let home = tempfile::tempdir().unwrap();
        let (mut history, problem) = History::load(Some(home.path().join("x")));
        assert_eq!(problem, None);
        std::fs::create_dir(home.path().join("x")).unwrap();
        let said = history.remember("one").unwrap_err();
        assert!(said.starts_with("typed lines are not remembered"), "{said}");
        history.remember("two").unwrap();
        assert_eq!(history.lines().count(), 2);
    }

    #[test]
    fn the_folder_is_made() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("a/b/history");
        make_folder(&file).unwrap();
        make_folder(&file).unwrap();
        assert!(file.parent().unwrap().is_dir());
    }
}
