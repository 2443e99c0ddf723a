//! A snippet for the console of a browser, or for node.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::quote::json;
use super::{Copied, Handshake, Item, Shape};
use crate::text::sanitize;

pub(super) const SHAPE: Shape = Shape {
    name: "browser",
    about: "JavaScript for a browser or node that sends it",
    write,
};

fn write(handshake: &Handshake, items: &[Item], copied: &mut Copied) -> Result<(), String> {
    if handshake.url.starts_with("ws+unix:") {
        return Err("a browser cannot reach a unix socket".into());
    }
    let mut script = String::new();
    let unsaid: Vec<&str> = handshake
        .headers
        .iter()
        .map(|(name, _)| name.as_str())
        .collect();
    if !unsaid.is_empty() {
        let names = sanitize::line(&unsaid.join(", ")).into_owned();
        script.push_str(&format!(
            "// A browser cannot send these headers: {names}\n"
        ));
        copied.notes.push(format!("a browser cannot send {names}"));
    }
    let url = json(&handshake.url);
    let protocols: Vec<String> = handshake
        .subprotocols
        .iter()
        .map(|name| json(name))
        .collect();
    let arguments = match protocols.as_slice() {
        [] => url,
        _ => format!("{url}, [{}]", protocols.join(", ")),
    };
    script.push_str(&format!("const ws = new WebSocket({arguments});\n"));
    script.push_str("ws.binaryType = \"arraybuffer\";\n");
    script.push_str("ws.onopen = () => {\n");
    for item in items {
        script.push_str(&format!("  {}\n", statement(item)));
    }
    script.push_str("};\n");
    script.push_str("ws.onmessage = ({ data }) => console.log(data);\n");
    script.push_str("ws.onclose = ({ code, reason }) => console.log(\"closed\", code, reason);\n");
    if items.iter().any(|item| matches!(item, Item::Ping(_))) {
        copied.notes.push("a browser cannot send pings".into());
    }
    // Headers are not in it, and so are their secrets.
    copied.secrets.retain(|name| script.contains(name.as_str()));
    copied.text = script;
    Ok(())
}

fn statement(item: &Item) -> String {
    match item {
        Item::Message(message) => match message.as_text() {
            Some(text) => format!("ws.send({});", json(&text)),
            None => {
                let base64 = BASE64.encode(&message.payload);
                format!("ws.send(Uint8Array.from(atob(\"{base64}\"), (c) => c.charCodeAt(0)));")
            }
        },
        Item::Ping(_) => "// a ping: a browser sends none".to_owned(),
        Item::Close(None) => "ws.close();".to_owned(),
        Item::Close(Some(frame)) => {
            format!("ws.close({}, {});", frame.code, json(&frame.reason))
        }
    }
}
