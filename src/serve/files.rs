//! `--save-dir`: files that clients send, as a message `{"type":"file-meta","name":N,"size":S}` and
//! then binary messages until S bytes are there.
//!
//! A name is only a wish: what is not plain in it is replaced, nothing leads out of the folder, and
//! nothing that is there is overwritten. A file appears under its name when it is whole; what broke
//! off is removed. Disks are fast beside networks, so writing does not leave the peer's task.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::{Value, json};

use crate::model::event::{Problem, What};
use crate::model::message::Message;
use crate::text::nearest::did_you_mean;

/// The largest file.
const MAX_SIZE: u64 = 1 << 30;
/// The longest name.
const MAX_NAME: usize = 100;
/// Bytes that the type of a file is told by, at most; [`infer`] looks no further than this.
const TELLING: usize = 8 << 10;
/// Files of one name that are kept.
const MOST_OF_A_NAME: u32 = 1000;

/// Where files go, and which.
#[derive(Debug, Clone)]
pub struct Plan {
    /// `--save-dir`.
    pub dir: PathBuf,
    /// `--save-types`: extensions or media types (`png`, `image/png`, `image/*`), told by content;
    /// empty for all.
    pub types: Vec<String>,
}

/// The files of one client.
#[derive(Debug)]
pub(super) struct Receiver {
    plan: Plan,
    expected: Expected,
}

/// What the binary messages are that come next.
#[derive(Debug)]
enum Expected {
    /// Nothing of a file.
    Nothing,
    /// More of this one.
    More(Incoming),
    /// So many bytes of a file that is not taken.
    Refused(u64),
}

/// What a message is to the files of its client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Taken {
    /// It belongs to no file.
    Other,
    /// It belongs to a file, and this became of it, if that is known now; and before that of the one
    /// that it replaces.
    Piece(Vec<Done>),
}

/// A file that is not whole yet.
#[derive(Debug)]
struct Incoming {
    name: String,
    size: u64,
    got: u64,
    /// How it begins, as long as its type is not told.
    start: Vec<u8>,
    is_judged: bool,
    part: Part,
}

impl Incoming {
    /// Another one was announced before it was whole.
    fn given_up(self) -> Done {
        let Self {
            name, size, got, ..
        } = self;
        let why = format!("{name} was not whole: another file came after {got} of {size} bytes");
        Done::Failed("file_incomplete", why)
    }
}

/// The file on its way; removed where it does not become whole.
#[derive(Debug)]
struct Part {
    file: File,
    path: PathBuf,
}

impl Drop for Part {
    fn drop(&mut self) {
        // Once it is whole it has another name too, and this one is not needed either.
        let _ = fs::remove_file(&self.path);
    }
}

#[derive(Deserialize)]
struct Meta {
    name: String,
    size: u64,
}

/// What became of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Done {
    Saved {
        name: String,
        size: u64,
    },
    /// A word for programs and a sentence.
    Failed(&'static str, String),
}

impl Done {
    /// What the client is told.
    pub(super) fn answer(&self) -> Message {
        let value = match self {
            Self::Saved { name, size } => json!({"type": "file-saved", "name": name, "size": size}),
            Self::Failed(code, message) => {
                json!({"type": "error", "code": code, "message": message})
            }
        };
        Message::text(value.to_string())
    }
}

impl Done {
    /// What the log is told.
    pub(super) fn event(&self) -> What {
        match self {
            Self::Saved { name, size } => What::Saved {
                name: name.clone(),
                size: *size,
            },
            Self::Failed(_, why) => What::Error(Box::new(Problem {
                kind: "file",
                message: format!("a file was not stored: {why}"),
                hint: None,
            })),
        }
    }
}

impl Receiver {
    pub(super) const fn new(plan: Plan) -> Self {
        Self {
            plan,
            expected: Expected::Nothing,
        }
    }

    /// Looks at a message of the client's.
    pub(super) fn take(&mut self, message: &Message) -> Taken {
        let size = message.payload.len() as u64;
        let mut replaced = None;
        // With what is still to come of the file, should it not be taken.
        let (step, left) = if message.is_text() {
            let Some(meta) = meta_of(message) else {
                return Taken::Other;
            };
            if let Expected::More(incoming) = self.expect(Expected::Nothing) {
                replaced = Some(incoming.given_up());
            }
            let left = meta.as_ref().map_or(0, |meta| meta.size);
            (self.begin(meta), left)
        } else {
            match self.expect(Expected::Nothing) {
                Expected::Nothing => return Taken::Other,
                Expected::Refused(left) => {
                    self.refuse(left.saturating_sub(size));
                    return Taken::Piece(Vec::new());
                }
                Expected::More(incoming) => {
                    let left = (incoming.size - incoming.got).saturating_sub(size);
                    (self.go_on(incoming, &message.payload), left)
                }
            }
        };
        let done = match step {
            Ok(Step::More(incoming)) => {
                self.expected = Expected::More(incoming);
                None
            }
            Ok(Step::Whole(saved)) => Some(saved),
            Err((code, why)) => {
                self.refuse(left);
                Some(Done::Failed(code, why))
            }
        };
        Taken::Piece(replaced.into_iter().chain(done).collect())
    }

    /// Changes what is expected; returns what was.
    const fn expect(&mut self, next: Expected) -> Expected {
        std::mem::replace(&mut self.expected, next)
    }

    fn refuse(&mut self, left: u64) {
        self.expected = match left {
            0 => Expected::Nothing,
            left => Expected::Refused(left),
        };
    }

    fn begin(&self, meta: Result<Meta, String>) -> Result<Step, Failed> {
        let Meta { name, size } = meta.map_err(|why| ("file_meta", why))?;
        if size > MAX_SIZE {
            let why = format!("a file has at most {MAX_SIZE} bytes, not {size}");
            return Err(("file_too_large", why));
        }
        let name = plain(&name);
        let part = Part::create(&self.plan.dir, &name).map_err(|error| failed(&error))?;
        let mut incoming = Incoming {
            name,
            size,
            got: 0,
            start: Vec::new(),
            is_judged: self.plan.types.is_empty(),
            part,
        };
        if size == 0 {
            self.judge(&mut incoming)?;
        }
        self.look(incoming)
    }

    fn go_on(&self, mut incoming: Incoming, chunk: &[u8]) -> Result<Step, Failed> {
        incoming.got += chunk.len() as u64;
        if !incoming.is_judged {
            let room = TELLING - incoming.start.len();
            incoming.start.extend(chunk.iter().take(room));
            if incoming.start.len() == TELLING || incoming.got >= incoming.size {
                self.judge(&mut incoming)?;
            }
        }
        if incoming.got > incoming.size {
            let why = format!(
                "more than the {} bytes of {} came",
                incoming.size, incoming.name
            );
            return Err(("file_size", why));
        }
        incoming
            .part
            .file
            .write_all(chunk)
            .map_err(|error| failed(&error))?;
        self.look(incoming)
    }

    /// Looks at how a file begins, once that is enough to tell its type or all that there is.
    fn judge(&self, incoming: &mut Incoming) -> Result<(), Failed> {
        if !self.is_welcome(&incoming.start) {
            let types = self.plan.types.join(", ");
            let why = format!("{} is none of {types}", incoming.name);
            return Err(("file_type", why));
        }
        incoming.start = Vec::new();
        incoming.is_judged = true;
        Ok(())
    }

    /// Gives a file its name once it is whole.
    fn look(&self, incoming: Incoming) -> Result<Step, Failed> {
        if incoming.got < incoming.size {
            return Ok(Step::More(incoming));
        }
        let Incoming {
            name, size, part, ..
        } = incoming;
        let name = part
            .name_it(&self.plan.dir, &name)
            .map_err(|error| failed(&error))?;
        Ok(Step::Whole(Done::Saved { name, size }))
    }

    /// Whether a file that begins like this may be stored.
    fn is_welcome(&self, start: &[u8]) -> bool {
        if self.plan.types.is_empty() {
            return true;
        }
        let is_text = || is_text(start);
        let (media, extension) = match infer::get(start) {
            Some(kind) => (kind.mime_type(), kind.extension()),
            None if is_text() => ("text/plain", "txt"),
            None => ("application/octet-stream", "bin"),
        };
        self.plan
            .types
            .iter()
            .any(|wanted| match wanted.strip_suffix('*') {
                Some(prefix) => media.starts_with(prefix),
                None => {
                    wanted == media
                        || wanted == extension
                        || (wanted == "jpeg" && extension == "jpg")
                }
            })
    }
}

/// Whether this may be the beginning of a text, of an empty one too; the last character may be cut.
fn is_text(start: &[u8]) -> bool {
    let is_utf8 = match std::str::from_utf8(start) {
        Ok(_) => true,
        Err(wrong) => start.len() == TELLING && wrong.error_len().is_none(),
    };
    is_utf8 && !start.contains(&0)
}

/// Types that are suggested for a wrong one: of those that can be told by content, what people send.
const NEAREST: &[&str] = &[
    "png",
    "jpg",
    "jpeg",
    "gif",
    "webp",
    "avif",
    "heif",
    "bmp",
    "tif",
    "ico",
    "pdf",
    "epub",
    "zip",
    "tar",
    "gz",
    "bz2",
    "xz",
    "7z",
    "rar",
    "zst",
    "mp3",
    "wav",
    "ogg",
    "flac",
    "m4a",
    "mp4",
    "mov",
    "avi",
    "webm",
    "mkv",
    "doc",
    "docx",
    "xls",
    "xlsx",
    "ppt",
    "pptx",
    "odt",
    "ods",
    "rtf",
    "html",
    "wasm",
    "exe",
    "elf",
    "woff",
    "woff2",
    "ttf",
    "otf",
    "sqlite",
    "txt",
    "bin",
    "image/*",
    "audio/*",
    "video/*",
    "text/*",
    "font/*",
    "application/*",
    "image/png",
    "image/jpeg",
    "image/gif",
    "image/webp",
    "application/pdf",
    "application/zip",
    "text/plain",
    "text/html",
    "video/mp4",
    "audio/mpeg",
    "application/octet-stream",
];

/// Checks a type of `--save-types`.
///
/// # Errors
/// A sentence, where no content is of that type.
pub fn check_type(kind: &str) -> Result<(), String> {
    if is_known(kind) {
        return Ok(());
    }
    let meant = did_you_mean(kind, NEAREST.iter().copied());
    Err(format!(
        "no content is told to be of that type{meant} (png, application/pdf, image/*; txt is any other text)"
    ))
}

fn is_known(kind: &str) -> bool {
    const FAMILIES: [&str; 6] = ["application", "audio", "font", "image", "text", "video"];
    match kind.strip_suffix('*') {
        Some("") => true,
        Some(prefix) => FAMILIES.iter().any(|family| {
            let rest = prefix.strip_prefix(family);
            rest.is_some_and(|rest| rest.starts_with('/'))
        }),
        None => {
            matches!(
                kind,
                "jpeg" | "txt" | "text/plain" | "bin" | "application/octet-stream"
            ) || infer::is_supported(kind)
                || infer::is_mime_supported(kind)
        }
    }
}

/// What became of a file by a message.
enum Step {
    More(Incoming),
    Whole(Done),
}

/// A word for programs and a sentence.
type Failed = (&'static str, String);

impl Part {
    fn create(dir: &Path, name: &str) -> io::Result<Self> {
        for number in 0..MOST_OF_A_NAME {
            let path = dir.join(format!("{}.part", numbered(name, number)));
            // It never follows a link, and never opens what is there.
            match OpenOptions::new().write(true).create_new(true).open(&path) {
                Ok(file) => return Ok(Self { file, path }),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Err(io::ErrorKind::AlreadyExists.into())
    }

    /// Gives it its name, or one with a number where that is taken.
    fn name_it(&self, dir: &Path, name: &str) -> io::Result<String> {
        for number in 0..MOST_OF_A_NAME {
            let name = numbered(name, number);
            match fs::hard_link(&self.path, dir.join(&name)) {
                Ok(()) => return Ok(name),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Err(io::ErrorKind::AlreadyExists.into())
    }
}

/// The announcement of a file, flat or enveloped; `None` for any other message.
fn meta_of(message: &Message) -> Option<Result<Meta, String>> {
    let value: Value = serde_json::from_slice(&message.payload).ok()?;
    if value["type"] != "file-meta" {
        return None;
    }
    let fields = value.get("payload").cloned().unwrap_or(value);
    let wrong = |_| "file-meta takes a \"name\" and a \"size\" in bytes".to_owned();
    Some(serde_json::from_value(fields).map_err(wrong))
}

/// What is left of a name that a peer gave: its last part, plain and short, and not hidden.
fn plain(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let kept = |c: char| {
        if c.is_ascii_alphanumeric() || "._-".contains(c) {
            c
        } else {
            '_'
        }
    };
    let plain: String = last.chars().map(kept).take(MAX_NAME).collect();
    match plain.trim_matches('.') {
        "" => "file".to_owned(),
        plain => plain.to_owned(),
    }
}

/// `name.txt`, `name-1.txt`, `name-2.txt`.
fn numbered(name: &str, number: u32) -> String {
    match (number, name.rsplit_once('.')) {
        (0, _) => name.to_owned(),
        (number, Some((stem, extension))) => format!("{stem}-{number}.{extension}"),
        (number, None) => format!("{name}-{number}"),
    }
}

fn failed(error: &io::Error) -> Failed {
    ("file_not_stored", crate::error::cause_text(error))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn receiver(dir: &Path, types: &[&str]) -> Receiver {
        Receiver::new(Plan {
            dir: dir.to_owned(),
            types: types.iter().map(|&kind| kind.to_owned()).collect(),
        })
    }

    fn meta(name: &str, size: u64) -> Message {
        Message::text(json!({"type": "file-meta", "name": name, "size": size}).to_string())
    }

    fn code(taken: &Taken) -> &'static str {
        match taken {
            Taken::Piece(done) => match done.last() {
                Some(Done::Failed(code, _)) => code,
                Some(Done::Saved { .. }) => "saved",
                None => "goes on",
            },
            Taken::Other => "no file",
        }
    }

    fn files(dir: &Path) -> Vec<String> {
        let entries = fs::read_dir(dir).unwrap();
        let mut names: Vec<_> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_comes_in_chunks_and_overwrites_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let mut receiver = receiver(dir.path(), &[]);
        for _ in 0..2 {
            assert_eq!(
                code(&receiver.take(&meta("../../etc/a b.txt", 6))),
                "goes on"
            );
            assert_eq!(code(&receiver.take(&Message::binary("abc"))), "goes on");
            assert_eq!(code(&receiver.take(&Message::text("hello"))), "no file");
            assert_eq!(code(&receiver.take(&Message::binary("def"))), "saved");
        }
        assert_eq!(files(dir.path()), ["a_b-1.txt", "a_b.txt"]);
        let stored = fs::read(dir.path().join("a_b.txt")).unwrap();
        assert_eq!(stored, b"abcdef");
        assert_eq!(code(&receiver.take(&meta("empty", 0))), "saved");
        assert_eq!(code(&receiver.take(&Message::binary("stray"))), "no file");
    }

    #[test]
    fn what_is_wrong_leaves_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let mut receiver = receiver(dir.path(), &["image/*", "pdf"]);
        receiver.take(&meta("a", 2));
        assert_eq!(
            code(&receiver.take(&Message::binary("no image"))),
            "file_type"
        );
        receiver.take(&meta("a.png", 8));
        assert_eq!(
            code(&receiver.take(&Message::binary(&b"\x89PNG\r\n\x1a\n!"[..]))),
            "file_size"
        );
        assert_eq!(code(&receiver.take(&meta("a", u64::MAX))), "file_too_large");
        // What still comes of it is no file, and nothing else either.
        assert_eq!(code(&receiver.take(&Message::binary("abc"))), "goes on");
        let no_size = Message::text(r#"{"type":"file-meta","name":"a"}"#);
        assert_eq!(code(&receiver.take(&no_size)), "file_meta");
        receiver.take(&meta("a.png", 100));
        receiver.take(&Message::binary(&b"\x89PNG\r\n\x1a\n"[..]));
        assert_eq!(files(dir.path()), ["a.png.part"]);
        drop(receiver);
        assert_eq!(files(dir.path()), Vec::<String>::new());
    }

    /// A type is told by how the file begins, however it is cut; an empty one is a text.
    #[test]
    fn a_type_is_told_by_the_file_and_not_by_its_first_message() {
        let dir = tempfile::tempdir().unwrap();
        let png = b"\x89PNG\r\n\x1a\nabcd";
        let html = format!("<html>{}", "é".repeat(10_000));
        let text = format!("x{}", "é".repeat(10_000));
        let gif = [&b"GIF89a"[..], &[0; 20_000]].concat();
        for (types, content, expected) in [
            ("image/*", &png[..], "saved"),
            ("pdf", &png[..], "file_type"),
            ("image/*", &gif, "saved"),
            ("txt", &gif, "file_type"),
            ("html", html.as_bytes(), "saved"),
            ("txt", text.as_bytes(), "saved"),
            ("txt", b"caf\xc3", "file_type"),
            ("image/*", b"", "file_type"),
            ("txt", b"", "saved"),
        ] {
            for step in [1, 7, 64 << 10] {
                let mut receiver = receiver(dir.path(), &[types]);
                let mut last = receiver.take(&meta("a", content.len() as u64));
                for piece in content.chunks(step) {
                    assert_ne!(code(&last), "saved");
                    if code(&last) == "goes on" {
                        last = receiver.take(&Message::binary(piece.to_vec()));
                    }
                }
                assert_eq!(code(&last), expected, "{types} by {step}");
            }
        }
    }

    #[test]
    fn an_announcement_ends_the_file_before_it() {
        let dir = tempfile::tempdir().unwrap();
        let mut receiver = receiver(dir.path(), &[]);
        receiver.take(&meta("a", 6));
        receiver.take(&Message::binary("abc"));
        let taken = receiver.take(&meta("b", 0));
        let Taken::Piece(done) = &taken else {
            panic!("{taken:?}");
        };
        let [
            Done::Failed("file_incomplete", why),
            Done::Saved { name, .. },
        ] = &done[..]
        else {
            panic!("{done:?}");
        };
        assert_eq!(why, "a was not whole: another file came after 3 of 6 bytes");
        assert_eq!((&**name, files(dir.path())), ("b", vec!["b".to_owned()]));
        let taken = receiver.take(&meta("c", 1));
        assert_eq!(taken, Taken::Piece(Vec::new()), "b was whole");
    }

    #[test]
    fn types_are_those_that_can_be_told() {
        for kind in [
            "png",
            "jpeg",
            "txt",
            "application/pdf",
            "image/*",
            "text/plain",
            "*",
        ] {
            assert_eq!(check_type(kind), Ok(()));
        }
        for (kind, said) in [
            ("pgn", "did you mean png?"),
            ("imag/*", "did you mean image/*?"),
            ("image/pgn", "did you mean image/png?"),
            ("csv", "txt"),
            ("", "txt"),
            ("*/*", "txt"),
        ] {
            let why = check_type(kind).unwrap_err();
            assert!(why.contains(said), "{kind}: {why}");
        }
        let unknown = NEAREST.iter().find(|kind| !is_known(kind));
        assert_eq!(unknown, None);
    }

    #[test]
    fn names_are_plain() {
        for (name, expected) in [
            ("photo.jpg", "photo.jpg"),
            ("..", "file"),
            ("", "file"),
            ("C:\\boot.ini", "boot.ini"),
            (".bashrc", "bashrc"),
            ("a\u{202e}b\0", "a_b_"),
        ] {
            assert_eq!(plain(name), expected);
        }
        assert_eq!(plain(&"n".repeat(500)).len(), MAX_NAME);
    }
}
