//! The files of a run: which there are, and what they may read.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

use bytes::Bytes;

use crate::error::{Error, ExitCode, cause_text};
use crate::model::secret::known::Named;
use crate::model::secret::stand_in::StandIns;
use crate::text::bounded;
use crate::transcript::har;
use crate::transcript::load::{self, Wrong, includes};
use crate::transcript::matcher::Files;
use crate::transcript::outcome::Trouble;
use crate::transcript::parse::MAX_FILE;
use crate::transcript::program::Program;
use crate::transcript::survey::survey;
use crate::transcript::syntax::Transcript;
use crate::transcript::variables::Given;

/// The largest file that `/file` and `/bin file:` read, and the largest recording of a browser, in
/// bytes.
const MAX_DATA: u64 = 64 << 20;
/// How deep folders are looked into.
const MAX_DEPTH: usize = 32;

/// The transcripts that are named, and those below the folders that are: in the order of their
/// names. Of a folder, those that others of it include are parts of these. `only` is a part of the
/// path.
///
/// # Errors
/// A path that is not there, or nothing to play.
pub(super) fn find(paths: &[PathBuf], only: Option<&str>) -> Result<Vec<PathBuf>, Error> {
    let mut found = Vec::new();
    for path in paths {
        let metadata = fs::metadata(path)
            .map_err(|cause| Error::usage(format!("{}: {}", path.display(), cause_text(&cause))))?;
        if metadata.is_dir() {
            let mut all = Vec::new();
            below(path, 0, &mut HashSet::new(), &mut all)?;
            found.extend(without_parts(all));
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

/// The files that no other one includes, directly or not; all of those that include each other in a
/// circle, which is told of when they are read.
fn without_parts(files: Vec<PathBuf>) -> Vec<PathBuf> {
    let real: Vec<PathBuf> = files
        .iter()
        .map(|file| file.canonicalize().unwrap_or_else(|_| file.clone()))
        .collect();
    let numbers: HashMap<&PathBuf, usize> = real.iter().zip(0..).collect();
    let includes: Vec<Vec<usize>> = files
        .iter()
        .enumerate()
        .map(|(at, file)| {
            let named = included_by(file).into_iter();
            let found = named.filter_map(|path| numbers.get(&path.canonicalize().ok()?).copied());
            found.filter(|other| *other != at).collect()
        })
        .collect();
    let included: HashSet<usize> = includes.iter().flatten().copied().collect();
    let mut parts = HashSet::new();
    let mut open: Vec<usize> = (0..files.len())
        .filter(|at| !included.contains(at))
        .collect();
    while let Some(at) = open.pop() {
        open.extend(includes[at].iter().filter(|part| parts.insert(**part)));
    }
    let mut at = 0..;
    let mut files = files;
    files.retain(|_| !at.next().is_some_and(|at| parts.contains(&at)));
    files
}

/// The files that a transcript says it includes; none of one that cannot be read.
fn included_by(file: &Path) -> Vec<PathBuf> {
    let path = file.to_string_lossy();
    let text = read(&path, MAX_FILE as u64)
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok());
    let named = text.map_or_else(Vec::new, |text| includes(&path, &text));
    named.into_iter().map(PathBuf::from).collect()
}

/// Looks into each folder once, wherever links lead: `seen` are those that it was in.
fn below(
    folder: &Path,
    depth: usize,
    seen: &mut HashSet<PathBuf>,
    found: &mut Vec<PathBuf>,
) -> Result<(), Error> {
    let failed = |cause: std::io::Error| {
        Error::usage(format!("{}: {}", folder.display(), cause_text(&cause)))
    };
    if !seen.insert(folder.canonicalize().map_err(failed)?) {
        return Ok(());
    }
    let mut entries: Vec<PathBuf> = fs::read_dir(folder)
        .map_err(failed)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()
        .map_err(failed)?;
    entries.sort();
    for path in entries {
        if path.is_dir() && depth < MAX_DEPTH {
            below(&path, depth + 1, seen, found)?;
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
            let archive = read(&shown, MAX_DATA)?;
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

/// A file, checked, and the values that it gets: those from outside, and what is in a recording.
///
/// # Errors
/// What is wrong with it, each with its line and a caret.
pub(in crate::command) fn program(
    path: &Path,
    folder: &Folder,
    given: &Given,
) -> Result<(Program, Given), Vec<Trouble>> {
    let Loaded {
        transcript,
        secrets,
    } = load(path, folder).map_err(|wrong| troubles(&wrong))?;
    let given = given.with(secrets).map_err(|message| {
        vec![Trouble {
            code: ExitCode::USAGE,
            place: None,
            rendered: format!("   {message}\n"),
            message,
        }]
    })?;
    let survey = survey(&transcript, &given.variables);
    let program = Program::new(transcript, given.names());
    let program = program.map_err(|wrong| troubles(&wrong))?;
    match survey.check(folder) {
        wrong if wrong.is_empty() => Ok((program, given)),
        diagnostics => Err(troubles(&Wrong {
            sources: program.sources,
            diagnostics,
        })),
    }
}

/// What is wrong with a file, for the report.
fn troubles(wrong: &Wrong) -> Vec<Trouble> {
    let wrong_lines = wrong.diagnostics.iter();
    wrong_lines
        .map(|one| Trouble::of(one, ExitCode::USAGE, &wrong.sources))
        .collect()
}

/// A browser's recording.
pub(super) fn is_archive(path: &Path) -> bool {
    path.extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case("har"))
}

/// The folder that a transcript may read files from: nothing outside of it is read.
#[derive(Debug, Clone)]
pub(in crate::command) struct Folder {
    root: PathBuf,
}

impl Folder {
    pub(in crate::command) fn of(script: &Path, root: Option<&Path>) -> Self {
        let own = match script.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        Self {
            root: root.unwrap_or(own).to_owned(),
        }
    }

    /// The text of a transcript. The one that was named may be anywhere.
    ///
    /// # Errors
    /// Why not, as a sentence that names the file.
    fn transcript(&self, path: &str, named: bool) -> Result<String, String> {
        if !named {
            self.allows(path)?;
        }
        let bytes = read(path, MAX_FILE as u64)?;
        String::from_utf8(bytes).map_err(|error| {
            let before = &error.as_bytes()[..error.utf8_error().valid_up_to()];
            let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
            format!("{path}: line {line} is not UTF-8")
        })
    }

    fn allows(&self, named: &str) -> Result<(), String> {
        let real = |path: &Path| {
            let path = match path.as_os_str().is_empty() {
                true => Path::new("."),
                false => path,
            };
            path.canonicalize().map_err(|cause| failed(named, &cause))
        };
        let file = Path::new(named);
        let root = real(&self.root)?;
        // What is not there is where its folder is: of what lies outside, nothing is said.
        let nearest = file.ancestors().find_map(|folder| real(folder).ok());
        if nearest.is_some_and(|nearest| nearest.starts_with(root)) {
            real(file).map(drop)
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
        self.allows(path)?;
        read(path, MAX_DATA).map(Bytes::from)
    }

    fn check(&self, path: &str) -> Result<(), String> {
        self.allows(path)?;
        open(path, MAX_DATA).map(drop)
    }
}

fn read(path: &str, most: u64) -> Result<Vec<u8>, String> {
    // It may grow meanwhile.
    bounded::take(open(path, most)?, most).map_err(|cause| failed(path, &cause))
}

fn open(path: &str, most: u64) -> Result<fs::File, String> {
    // Looked at before it is opened: opening a named pipe would wait for its writer.
    let metadata = fs::metadata(path).map_err(|cause| failed(path, &cause))?;
    if !metadata.is_file() {
        return Err(format!("{path} is not a regular file"));
    }
    if metadata.len() > most {
        return Err(too_large(path, most));
    }
    fs::File::open(path).map_err(|cause| failed(path, &cause))
}

fn failed(path: &str, cause: &std::io::Error) -> String {
    format!("{path}: {}", cause_text(cause))
}

fn too_large(path: &str, most: u64) -> String {
    format!("{path} is larger than {most} bytes")
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
        let read = |folder: &Folder, name: &str| {
            let path = at(name).to_str().unwrap().to_owned();
            assert_eq!(folder.check(&path).is_ok(), folder.read(&path).is_ok());
            folder.read(&path)
        };
        assert_eq!(
            read(&folder, "tests/data/a.bin").unwrap(),
            "tests/data/a.bin"
        );
        for outside in [
            "tests/../secret",
            "secret",
            "tests/data/../../secret",
            "tests/../none",
        ] {
            let why = read(&folder, outside).unwrap_err();
            assert!(why.contains("--file-root"), "{why}");
        }
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink(at("secret"), at("tests/link")).unwrap();
            let why = read(&folder, "tests/link").unwrap_err();
            assert!(why.contains("--file-root"), "{why}");
        }
        let why = |name| read(&folder, name).unwrap_err();
        assert!(why("tests/data").contains("regular"));
        assert!(why("tests/none").contains("no such file"));
        let wider = Folder::of(&at("tests/a.wst"), Some(home.path()));
        assert_eq!(read(&wider, "tests/../secret").unwrap(), "secret");
    }

    #[test]
    fn what_others_include_is_no_transcript_of_its_own() {
        let home = tempfile::tempdir().unwrap();
        fs::create_dir(home.path().join("parts")).unwrap();
        for (name, text) in [
            (
                "a.wst",
                "include parts/login.wst\nrepeat 2\ninclude b.wst\nend\n",
            ),
            ("b.wst", "> x\n"),
            ("c.wst", "include d.wst\n"),
            ("d.wst", "include c.wst\n"),
            ("parts/login.wst", "include more.wst\n"),
            ("parts/more.wst", "not a statement"),
            ("self.wst", "include self.wst\n"),
        ] {
            fs::write(home.path().join(name), text).unwrap();
        }
        let names = |paths: &[PathBuf]| -> Vec<String> {
            let found = find(paths, None).unwrap().into_iter();
            let named = found.map(|path| path.strip_prefix(home.path()).unwrap().to_owned());
            named.map(|path| path.display().to_string()).collect()
        };
        let all = [home.path().to_owned()];
        assert_eq!(names(&all), ["a.wst", "c.wst", "d.wst", "self.wst"]);
        assert_eq!(names(&[home.path().join("b.wst")]), ["b.wst"]);
    }

    #[cfg(unix)]
    #[test]
    fn a_link_to_a_folder_above_leads_nowhere() {
        let home = tempfile::tempdir().unwrap();
        fs::write(home.path().join("a.wst"), "> x\n").unwrap();
        std::os::unix::fs::symlink(".", home.path().join("loop")).unwrap();
        let found = find(&[home.path().to_owned()], None).unwrap();
        assert_eq!(found, [home.path().join("a.wst")]);
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
