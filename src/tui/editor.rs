//! A text in the person's own editor: `$VISUAL`, `$EDITOR`, or vi.
//!
//! The text goes through a file that only its owner can read. It is removed afterwards, unless what
//! is in it could not be taken over: then it stays, and the error says where. The terminal must have
//! been given back before, and be taken again after.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use super::widget::draft;
use crate::model::units::show_size;
use crate::text::sanitize;

/// What to run, with its arguments, as a shell reads it.
pub fn command(env: impl Fn(&str) -> Option<OsString>) -> OsString {
    ["VISUAL", "EDITOR"]
        .into_iter()
        .filter_map(env)
        .find(|command| !command.is_empty())
        .unwrap_or_else(|| "vi".into())
}

/// Lets a person edit a text, and returns it. `extension` tells the editor what it is: `json`.
///
/// # Errors
/// A sentence for the person.
pub fn edit(text: &str, extension: &str, command: &OsString) -> Result<String, String> {
    let (path, mut file) = create(extension)
        .map_err(|error| format!("no file could be made for the editor: {error}"))?;
    let edited = file
        .write_all(text.as_bytes())
        .map_err(|error| format!("{}: {error}", path.display()))
        .and_then(|()| run(command, &path))
        .and_then(|()| read(&path));
    if edited.is_ok() || fs::read(&path).is_ok_and(|bytes| bytes == text.as_bytes()) {
        // If it cannot be removed, nothing is lost but its room.
        let _ = fs::remove_file(&path);
        return edited;
    }
    edited.map_err(|error| format!("{error} (the text is in {})", path.display()))
}

fn create(extension: &str) -> io::Result<(PathBuf, File)> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let name = format!("wscope-{:016x}.{extension}", rand::random::<u64>());
    let path = std::env::temp_dir().join(name);
    options.open(&path).map(|file| (path, file))
}

/// By the shell, so that `code --wait` is a command with an argument.
fn run(command: &OsString, path: &Path) -> Result<(), String> {
    let mut script = command.clone();
    script.push(" \"$1\"");
    let status = Command::new("sh")
        .arg("-c")
        .arg(script)
        .arg("sh")
        .arg(path)
        .status()
        .map_err(|error| format!("the editor could not be started: {error}"))?;
    if status.success() {
        Ok(())
    } else {
        let command = command.to_string_lossy();
        Err(format!("{} ended with {status}", sanitize::line(&command)))
    }
}

/// What is in the file now, without the line feed that editors put at the end.
fn read(path: &Path) -> Result<String, String> {
    let bytes = fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
    if bytes.len() > draft::MOST {
        return Err(format!(
            "more than {} do not fit here",
            show_size(draft::MOST as u64)
        ));
    }
    let mut text = String::from_utf8(bytes).map_err(|_| "that is not UTF-8".to_owned())?;
    if text.ends_with('\n') {
        text.pop();
    }
    Ok(text)
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn with(script: &str, text: &str) -> Result<String, String> {
        // The path is the last argument: $0 of a script that is given to sh -c.
        edit(text, "txt", &OsString::from(format!("sh -c '{script}'")))
    }

    #[test]
    fn what_the_editor_leaves_is_taken_over() {
        assert_eq!(with("echo more >> \"$0\"", "one\n").unwrap(), "one\nmore");
        assert_eq!(with("true", "one").unwrap(), "one");
    }

    #[test]
    fn the_file_is_its_owners_alone_and_is_removed() {
        let shown = with(
            "stat -c \"%a %n\" \"$0\" > \"$0.out\"; cp \"$0.out\" \"$0\"; rm \"$0.out\"",
            "x",
        )
        .unwrap();
        let (mode, path) = shown.split_once(' ').unwrap();
        assert_eq!(mode, "600");
        assert!(path.ends_with(".txt") && !Path::new(path).exists());
    }

    #[test]
    fn nothing_is_lost_where_it_goes_wrong() {
        let error = with("exit 3", "one").unwrap_err();
        assert!(
            error.contains("exit status: 3") && !error.contains("the text is in"),
            "{error}"
        );
        let error = with("printf \"\\\\377\" > \"$0\"", "one").unwrap_err();
        assert!(
            error.starts_with("that is not UTF-8 (the text is in "),
            "{error}"
        );
        let path = Path::new(error.rsplit(' ').next().unwrap().trim_end_matches(')'));
        assert_eq!(
            fs::metadata(path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        fs::remove_file(path).unwrap();
    }

    #[test]
    fn visual_comes_before_editor() {
        let of = |vars: &[(&str, &str)]| {
            command(|name| {
                let var = vars.iter().find(|(known, _)| *known == name);
                var.map(|(_, value)| OsString::from(value))
            })
        };
        assert_eq!(
            of(&[("EDITOR", "nano"), ("VISUAL", "code --wait")]),
            "code --wait"
        );
        assert_eq!(of(&[("EDITOR", "nano"), ("VISUAL", "")]), "nano");
        assert_eq!(of(&[]), "vi");
    }
}
