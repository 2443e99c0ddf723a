//! The opening handshake as a curl command: every curl can make it, and shows what answers.

use super::quote::shell;
use super::{Copied, Handshake, Item, Shape};

pub(super) const SHAPE: Shape = Shape {
    name: "curl",
    about: "the opening handshake as a curl command",
    write,
};

/// Sixteen bytes in base64, as the header wants them.
const KEY: &str = "d3Njb3BlLWNvcHktYXMtMQ==";

#[expect(clippy::unnecessary_wraps, reason = "the signature of every shape")]
fn write(handshake: &Handshake, items: &[Item], copied: &mut Copied) -> Result<(), String> {
    // Names of secrets are in braces, which curl would expand.
    let mut command = String::from("curl --include --no-buffer --globoff --http1.1");
    let mut option = |flag: &str, value: &str| {
        command.push_str(&format!(" \\\n  {flag} {}", shell(value)));
    };
    let mut header = |name: &str, value: &str| option("--header", &format!("{name}: {value}"));
    header("Connection", "Upgrade");
    header("Upgrade", "websocket");
    header("Sec-WebSocket-Version", "13");
    header("Sec-WebSocket-Key", KEY);
    if !handshake.subprotocols.is_empty() {
        header("Sec-WebSocket-Protocol", &handshake.subprotocols.join(", "));
    }
    if let Some(origin) = &handshake.origin {
        header("Origin", origin);
    }
    for (name, value) in &handshake.headers {
        header(name, value);
    }
    let url = match handshake.url.strip_prefix("ws+unix:") {
        Some(rest) => {
            let (path, uri) = rest.split_once(':').unwrap_or((rest, "/"));
            option("--unix-socket", path);
            format!("http://localhost{uri}")
        }
        // ws is http, and wss https.
        None => match handshake.url.strip_prefix("ws") {
            Some(rest) => format!("http{rest}"),
            None => handshake.url.clone(),
        },
    };
    command.push_str(&format!(" \\\n  {}", shell(&url)));
    if !items.is_empty() {
        copied
            .notes
            .push("curl makes the handshake; messages are not in it".into());
    }
    copied.text = command;
    Ok(())
}
