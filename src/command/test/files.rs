//! The files of a run: which there are, and what they may read.

use std::cell::RefCell;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use bytes::Bytes;

use crate::error::{Error, cause_text};
use crate::model::secret::known::Named;
use crate::model::secret::stand_in::StandIns;
use crate::transcript::har;
use crate::transcript::load::{self, Wrong};
use crate::transcript::matcher::Files;
use crate::transcript::parse::MAX_FILE;
use crate::transcript::syntax::Transcript;

/// The largest file that `/file` and `/bin file:` read, and the largest recording of a browser, in
/// bytes.
const MAX_DATA: u64 = 64 << 20;
/// How deep folders are looked into.
const MAX_DEPTH: usize = 32;

/// The transcripts that are named, and those below the folders that are: in the order of their
/// names. `only` is a part of the path.
///
/// # Errors
/// A path that is not there, or nothing to play.
pub(super) fn find(paths: &[PathBuf], only: Option<&str>) -> Result<Vec<PathBuf>, Error> {
    let mut found = Vec::new();
    for path in paths {
        let metadata = fs::metadata(path)
            .map_err(|cause| Error::usage(format!("{}: {}", path.display(), cause_text(&cause))))?;
        if metadata.is_dir() {
            below(path, 0, &mut found)?;
        } else {
            found.push(path.clone());
        }
    }
    let all = found.len();
    found.retain(|path| only.is_none_or(|only| path.to_string_lossy().contains(only)));
    if found.is_empty() {
        return Err(match only {
            Some(only) if all > 0 => {
                Error::usage(format!("none of {all} files has \"{only}\" in its path"))
            }
            _ => Error::usage_hint(
                "there is no transcript there",
                "the names of transcripts end in .wst",
            ),
        });
    }
    Ok(found)
}

fn below(folder: &Path, depth: usize, found: &mut Vec<PathBuf>) -> Result<(), Error> {
    let failed = |cause: std::io::Error| {
        Error::usage(format!("{}: {}", folder.display(), cause_text(&cause)))
    };
    let mut entries: Vec<PathBuf> = fs::read_dir(folder)
        .map_err(failed)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()
        .map_err(failed)?;
    entries.sort();
    for path in entries {
        if path.is_dir() && depth < MAX_DEPTH {
            below(&path, depth + 1, found)?;
        } else if path.extension().is_some_and(|extension| extension == "wst") {
            found.push(path);
        }
    }
    Ok(())
}

/// A transcript with what it includes.
pub(super) struct Loaded {
    pub(super) transcript: Transcript,
    /// The secrets that are in it: of a browser's recording, where names stand for them.
    pub(super) secrets: Vec<Named>,
}

/// Reads a transcript, or a browser's recording as one.
///
/// # Errors
/// What does not parse or cannot be read.
pub(super) fn load(path: &Path, folder: &Folder) -> Result<Loaded, Wrong> {
    let shown = path.display().to_string();
    let secrets = RefCell::new(Vec::new());
    let read = |file: &str| {
        if file == shown && is_archive(path) {
            let archive = read(path, &shown, MAX_DATA)?;
            let mut names = StandIns::default();
            let text = har::transcript(&archive, &mut names)
                .map_err(|problem| format!("{shown}: {problem}"))?;
            secrets.borrow_mut().extend(names.values());
            return Ok(text);
        }
        folder.transcript(file, file == shown)
    };
    let transcript = load::load(&shown, &read)?;
    Ok(Loaded {
        transcript,
        secrets: secrets.into_inner(),
    })
}

/// A browser's recording.
pub(super) fn is_archive(path: &Path) -> bool {
    path.extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case("har"))
}

/// The folder that a transcript may read files from.
#[derive(Debug, Clone)]
pub(super) struct Folder {
    /// The transcript's own: what it names is named from here.
    own: PathBuf,
    /// Nothing outside of it is read.
    root: PathBuf,
}

impl Folder {
    pub(super) fn of(script: &Path, root: Option<&Path>) -> Self {
        let own = match script.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
            _ => PathBuf::from("."),
        };
        Self {
            root: root.unwrap_or(&own).to_owned(),
            own,
        }
    }

    /// The text of a transcript. The one that was named may be anywhere.
    ///
    /// # Errors
    /// Why not, as a sentence that names the file.
    fn transcript(&self, path: &str, named: bool) -> Result<String, String> {
        if !named {
            self.check(Path::new(path), path)?;
        }
        let bytes = read(Path::new(path), path, MAX_FILE as u64)?;
        String::from_utf8(bytes).map_err(|error| {
            let before = &error.as_bytes()[..error.utf8_error().valid_up_to()];
            let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
            format!("{path}: line {line} is not UTF-8")
        })
    }

    fn check(&self, file: &Path, named: &str) -> Result<(), String> {
        let real = |path: &Path| {
            path.canonicalize()
                .map_err(|cause| format!("{named}: {}", cause_text(&cause)))
        };
        if real(file)?.starts_with(real(&self.root)?) {
            Ok(())
        } else {
            let root = self.root.display();
            Err(format!(
                "{named} is not below {root}, and nothing else is read (--file-root DIR)"
            ))
        }
    }
}

impl Files for Folder {
    fn read(&self, path: &str) -> Result<Bytes, String> {
        let file = self.own.join(path);
        self.check(&file, path)?;
        read(&file, path, MAX_DATA).map(Bytes::from)
    }
}

fn read(file: &Path, named: &str, most: u64) -> Result<Vec<u8>, String> {
    let failed = |cause: std::io::Error| format!("{named}: {}", cause_text(&cause));
    // Looked at before it is opened: opening a named pipe would wait for its writer.
    if !fs::metadata(file).map_err(failed)?.is_file() {
        return Err(format!("{named} is not a regular file"));
    }
    let mut bytes = Vec::new();
    fs::File::open(file)
        .and_then(|file| file.take(most + 1).read_to_end(&mut bytes))
        .map_err(failed)?;
    if bytes.len() as u64 > most {
        return Err(format!("{named} is larger than {most} bytes"));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_below_the_folder_is_read() {
        let home = tempfile::tempdir().unwrap();
        let at = |name: &str| home.path().join(name);
        fs::create_dir_all(at("tests/data")).unwrap();
        for name in ["secret", "tests/data/a.bin", "tests/a.wst"] {
            fs::write(at(name), name).unwrap();
        }
        let folder = Folder::of(&at("tests/a.wst"), None);
        assert_eq!(folder.read("data/a.bin").unwrap(), "tests/data/a.bin");
        for outside in [
            "../secret",
            at("secret").to_str().unwrap(),
            "data/../../secret",
        ] {
            let why = folder.read(outside).unwrap_err();
            assert!(why.contains("--file-root"), "{why}");
        }
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink(at("secret"), at("tests/link")).unwrap();
            assert!(folder.read("link").unwrap_err().contains("--file-root"));
        }
        assert!(folder.read("data").unwrap_err().contains("regular"));
        assert!(folder.read("none").unwrap_err().contains("no such file"));
        let wider = Folder::of(&at("tests/a.wst"), Some(home.path()));
        assert_eq!(wider.read("../secret").unwrap(), "secret");
    }

    #[test]
    fn folders_are_looked_into_in_the_order_of_names() {
        let home = tempfile::tempdir().unwrap();
        fs::create_dir(home.path().join("b")).unwrap();
        for name in ["c.wst", "b/x.wst", "a.wst", "a.txt"] {
            fs::write(home.path().join(name), "").unwrap();
        }
        let found = |only| {
            let found = find(&[home.path().to_owned()], only);
            found.map(|found| {
                let names = found
                    .iter()
                    .map(|path| path.strip_prefix(home.path()).unwrap().to_owned());
                names
                    .map(|name| name.display().to_string())
                    .collect::<Vec<_>>()
            })
        };
        assert_eq!(found(None).unwrap(), ["a.wst", "b/x.wst", "c.wst"]);
        assert_eq!(found(Some("x.w")).unwrap(), ["b/x.wst"]);
        assert!(
            found(Some("zz"))
                .unwrap_err()
                .to_string()
                .contains("none of 3")
        );
    }
}
