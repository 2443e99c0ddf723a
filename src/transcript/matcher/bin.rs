//! `< /bin hex:.. | base64:.. | file:PATH | sha256:..`: a binary message with these bytes.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

use super::{Arguments, Context, Matcher, Mismatch, Places, Test};
use crate::model::message::Kind;
use crate::model::secret::known::Known;
use crate::text::hex;
use crate::transcript::excerpt;
use crate::transcript::incoming::Incoming;
use crate::transcript::json::Bound;

pub(super) const MATCHER: Matcher = Matcher {
    name: "/bin",
    args: "[hex:..|base64:..|file:PATH|sha256:..]",
    about: "a binary message: these bytes, those of a file, or with this hash",
    places: Places::Everywhere,
    block: false,
    compile: |text| Ok(Box::new(Bin(Arguments::new(text, parse)?))),
};

/// Bytes that are shown of a difference.
const SHOWN: usize = 16;

#[derive(Debug)]
struct Bin(Arguments<Content>);

/// What the bytes should be.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Content {
    Any,
    Bytes(Vec<u8>),
    File(String),
    Hash([u8; 32]),
}

fn parse(text: &str) -> Result<Content, String> {
    let (form, rest) = text.split_once(':').unwrap_or((text, ""));
    let decoded = |bytes: Result<Vec<u8>, hex::DecodeError>| {
        bytes.map_err(|error| format!("this is not {form}: {error}"))
    };
    match form {
        "" if text.is_empty() => Ok(Content::Any),
        "hex" => decoded(hex::decode_hex(rest)).map(Content::Bytes),
        "base64" => decoded(hex::decode_base64(rest)).map(Content::Bytes),
        "file" if !rest.trim().is_empty() => Ok(Content::File(rest.trim().into())),
        "sha256" => decoded(hex::decode_hex(rest))?
            .try_into()
            .map(Content::Hash)
            .map_err(|_| "a SHA-256 hash has 64 hex digits".into()),
        _ => Err("give the bytes as hex:00ff, base64:AP8=, file:PATH or sha256:HASH".into()),
    }
}

impl Test for Bin {
    fn hold(&self, incoming: &Incoming, context: &mut Context<'_>) -> Result<Bound, Mismatch> {
        let content = self.0.value(context.variables)?;
        let got = match incoming {
            Incoming::Message(message) if message.kind == Kind::Binary => &message.payload,
            other => {
                let secrets = context.variables.secrets();
                return Err(Mismatch::kind("a binary message", other, secrets));
            }
        };
        match content {
            Content::Any => Ok(Vec::new()),
            Content::Bytes(expected) => same(&expected, got, context.variables.secrets()),
            Content::File(path) => {
                let expected = context.read(&path);
                let expected =
                    expected.map_err(|why| Mismatch::new("a file to compare with", why))?;
                same(&expected, got, context.variables.secrets())
            }
            Content::Hash(expected) => {
                let hash: [u8; 32] = Sha256::digest(got).into();
                if hash == expected {
                    return Ok(Vec::new());
                }
                let got = format!("{} ({})", digits(&hash), count(got.len()));
                Err(Mismatch::new(format!("SHA-256 {}", digits(&expected)), got))
            }
        }
    }
}

fn same(expected: &[u8], got: &[u8], secrets: &Known) -> Result<Bound, Mismatch> {
    if expected == got {
        return Ok(Vec::new());
    }
    let first = expected.iter().zip(got).take_while(|(a, b)| a == b).count();
    // From a little before the first difference, so that long messages show it too.
    let from = if first < SHOWN { 0 } else { first - 4 };
    let shown = |bytes: &[u8]| {
        let place = if from > 0 {
            format!(" from {from}")
        } else {
            String::new()
        };
        let rest = excerpt::bytes(bytes, from, SHOWN, secrets);
        format!("{}{place}: {rest}", count(bytes.len()))
            .trim_end_matches(": ")
            .to_owned()
    };
    Err(Mismatch::new(shown(expected), shown(got)))
}

fn count(bytes: usize) -> String {
    match bytes {
        1 => "1 byte".into(),
        _ => format!("{bytes} bytes"),
    }
}

fn digits(hash: &[u8]) -> String {
    hash.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String never fails.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
