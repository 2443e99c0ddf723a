//! The opening handshake against peers that behave in every way, both as client and as server.

mod client;
mod dialing;
mod server;

use std::time::Duration;

use tokio::time::timeout;
use wscope::model::handshake::RequestHead;
use wscope::wire::target::Target;
use wscope::wire::upgrade::{Plan, request};

/// The key and the accept of RFC 6455, section 1.3.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const RIGHT: &str = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\
    Connection: keep-alive, Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
const FRAMES: &[u8] = b"\x81\x02hi\x89\x00";

/// Longer than anything here takes; a test that reaches it hangs.
async fn soon<T>(future: impl Future<Output = T>) -> T {
    timeout(Duration::from_secs(20), future)
        .await
        .expect("this hangs")
}

fn opening(plan: &Plan) -> RequestHead {
    let target = Target::parse("ws://example.test:8080/chat?x").unwrap();
    request(&target, plan, KEY)
}
