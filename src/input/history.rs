//! Where typed lines are remembered, and which.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

/// Entries that are remembered.
pub(super) const ENTRIES: usize = 1_000;

/// The longest entry in bytes: a pasted file is no history.
const LONGEST: usize = 64 * 1024;

/// `$XDG_STATE_HOME/wscope/history`, below `~/.local/state` where that is not set. `None` where
/// there is no home either: then nothing is remembered.
pub fn path(env: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let absolute = |name| {
        env(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    let state = absolute("XDG_STATE_HOME")
        .or_else(|| absolute("HOME").map(|home| home.join(".local/state")))?;
    Some(state.join("wscope").join("history"))
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
    fn the_file_is_below_the_state_folder() {
        let of = |vars: &[(&str, &str)]| {
            path(|name| {
                vars.iter()
                    .find(|(known, _)| *known == name)
                    .map(|(_, value)| OsString::from(value))
            })
        };
        for (vars, expected) in [
            (
                &[("XDG_STATE_HOME", "/s"), ("HOME", "/h")][..],
                Some("/s/wscope/history"),
            ),
            (
                &[("XDG_STATE_HOME", "relative"), ("HOME", "/h")],
                Some("/h/.local/state/wscope/history"),
            ),
            (&[("HOME", "")], None),
            (&[], None),
        ] {
            assert_eq!(of(vars), expected.map(PathBuf::from), "{vars:?}");
        }
    }

    #[test]
    fn a_line_that_begins_with_a_space_is_forgotten() {
        assert!(keeps("hello") && keeps("\thi"));
        assert!(!keeps(" secret") && !keeps(""));
        assert!(!keeps(&"x".repeat(LONGEST + 1)));
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
