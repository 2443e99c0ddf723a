//! What a load sends.

use crate::bench::fanout::marker;
use crate::bench::feed::Feed;
use crate::bench::payload::{Content, Part, Payload};
use crate::bench::template::Template;
use crate::cli::args::Messages;
use crate::error::Error;
use crate::model::message::Kind;

/// Bytes of `--message-file`, as of every file that is one message.
const MOST_OF_MESSAGE: u64 = 64 << 20;

pub(super) fn payload(messages: &Messages, feed: &Feed) -> Result<Payload, Error> {
    let kind = if messages.binary {
        Kind::Binary
    } else {
        Kind::Text
    };
    let constant = |bytes| Payload {
        kind,
        content: Content::Constant(bytes),
    };
    if let Some(path) = &messages.message_file {
        let bytes = crate::cli::config::read(path, "--message-file", MOST_OF_MESSAGE)?;
        if kind == Kind::Text && std::str::from_utf8(&bytes).is_err() {
            return Err(Error::usage_hint(
                format!("--message-file {}: it is not UTF-8", path.display()),
                "--binary sends it as it is",
            ));
        }
        return Ok(constant(bytes));
    }
    let Some(text) = &messages.message else {
        return Ok(Payload::generated(kind, messages.payload_size));
    };
    let template = template("--message", text, feed)?;
    Ok(match template.constant() {
        Some(text) => constant(text.as_bytes().to_vec()),
        None => Payload {
            kind,
            content: Content::Varying(template),
        },
    })
}

/// What is published: it has a marker.
pub(super) fn marked(messages: &Messages, feed: &Feed) -> Result<Payload, Error> {
    let Payload { kind, content } = match &messages.message {
        None => payload(messages, feed)?,
        Some(_) => Payload::generated(Kind::Text, 0),
    };
    let kind = if messages.binary { Kind::Binary } else { kind };
    let marked = |before, after| Payload {
        kind,
        content: Content::Marked { before, after },
    };
    let part = |template: Template| match template.constant() {
        Some(text) => Part::Bytes(text.as_bytes().to_vec()),
        None => Part::Varying(template),
    };
    let hint = "a message is known again by it: -m '{\"id\":\"{{marker}}\"}'";
    if let Some(text) = &messages.message {
        let (before, after) = Template::parse_around_marker(text, feed)
            .map_err(|wrong| Error::usage_hint(format!("--message: {wrong}"), hint))?;
        return Ok(marked(part(before), part(after)));
    }
    if let (Some(path), Content::Constant(bytes)) = (&messages.message_file, &content) {
        const MARKER: &[u8] = b"{{marker}}";
        let mut places = bytes.windows(MARKER.len()).enumerate();
        let at = places.find_map(|(at, window)| (window == MARKER).then_some(at));
        let at = at.ok_or_else(|| {
            let wrong = format!(
                "--message-file {}: {{{{marker}}}} is not in it",
                path.display()
            );
            Error::usage_hint(
                wrong,
                "a message is known again by what is put in its place",
            )
        })?;
        let (before, after) = (&bytes[..at], &bytes[at + MARKER.len()..]);
        return Ok(marked(
            Part::Bytes(before.to_vec()),
            Part::Bytes(after.to_vec()),
        ));
    }
    if messages.payload_size < marker::LEN {
        return Err(Error::usage(format!(
            "--payload-size {}: in --mode fanout a message has a marker, of {} bytes",
            messages.payload_size,
            marker::LEN
        )));
    }
    Ok(Payload::marked(kind, messages.payload_size))
}

pub(super) fn opening(messages: &Messages, feed: &Feed) -> Result<Vec<Template>, Error> {
    let texts = messages.execute.iter();
    texts
        .map(|text| template("--execute", text, feed))
        .collect()
}

fn template(flag: &str, text: &str, feed: &Feed) -> Result<Template, Error> {
    Template::parse(text, feed).map_err(|wrong| Error::usage(format!("{flag}: {wrong}")))
}
