//! A `wscope` command that connects in the same way and sends the same.
//!
//! Text of one harmless line is an `-x`; all else goes through a pipe as NDJSON, in which everything
//! can be spelled in printable characters.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::quote::{json, shell};
use super::{Copied, Handshake, Item, Shape};
use crate::text::sanitize;

pub(super) const SHAPE: Shape = Shape {
    name: "command",
    about: "a wscope command that sends it",
    write,
};

/// Longer words are more than a command line takes.
const LONGEST_WORD: usize = 64 * 1024;

#[expect(clippy::unnecessary_wraps, reason = "the signature of every shape")]
fn write(handshake: &Handshake, items: &[Item], copied: &mut Copied) -> Result<(), String> {
    let words: Option<Vec<&str>> = items.iter().map(word).collect();
    let mut command = String::new();
    if words.is_none() {
        command.push_str("printf '%s\\n'");
        for item in items {
            command.push_str(" \\\n  ");
            command.push_str(&shell(&ndjson(item)));
        }
        command.push_str(" |\n");
    }
    command.push_str("wscope connect ");
    command.push_str(&shell(&handshake.url));
    let mut option = |flag: &str, value: &str| {
        command.push_str(&format!(" {flag} {}", shell(value)));
    };
    for name in &handshake.subprotocols {
        option("-s", name);
    }
    if let Some(origin) = &handshake.origin {
        option("-o", origin);
    }
    for (name, value) in &handshake.headers {
        option("-H", &format!("{name}: {value}"));
    }
    match words {
        Some(words) => words.iter().for_each(|word| option("-x", word)),
        None => command.push_str(" -i ndjson"),
    }
    copied.text = command;
    Ok(())
}

/// The text of an item that can be an argument.
fn word(item: &Item) -> Option<&str> {
    let Item::Message(message) = item else {
        return None;
    };
    let text = std::str::from_utf8(&message.payload)
        .ok()
        .filter(|_| message.is_text())?;
    let fits = text.len() <= LONGEST_WORD && !text.chars().any(sanitize::is_hostile);
    fits.then_some(text)
}

fn ndjson(item: &Item) -> String {
    match item {
        Item::Message(message) => match message.as_text() {
            Some(text) => format!("{{\"kind\":\"text\",\"data\":{}}}", json(&text)),
            None => format!("{{\"base64\":\"{}\"}}", BASE64.encode(&message.payload)),
        },
        Item::Ping(payload) => {
            let base64 = BASE64.encode(payload);
            format!("{{\"event\":\"ping\",\"base64\":\"{base64}\"}}")
        }
        Item::Close(None) => "{\"event\":\"close\"}".to_owned(),
        Item::Close(Some(frame)) => format!(
            "{{\"event\":\"close\",\"code\":{},\"reason\":{}}}",
            frame.code,
            json(&frame.reason)
        ),
    }
}
