//! The client's opening handshake (RFC 6455, section 4.1): httparse with our own writer, so that
//! header order, case and duplicates are sent and shown as they are.

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite};

use super::target::Target;
use crate::error::Error;
use crate::model::handshake::{Headers, Refusal, RequestHead, ResponseHead};
use crate::model::secret::Secret;

/// What the request says beside what the RFC prescribes.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    /// `-H`, in order, duplicates kept. Holds neither CR nor LF and none of the names that are
    /// ours ([`is_ours`]): the command line sees to that.
    pub headers: Headers,
    pub subprotocols: Vec<String>,
    pub origin: Option<String>,
    pub host: Option<String>,
    /// Default `wscope/VERSION`.
    pub user_agent: Option<String>,
    /// `--auth`, `--bearer`: the whole value of Authorization. The URL's userinfo comes after it,
    /// and a `-H Authorization` before both.
    pub authorization: Option<Secret<String>>,
    /// `--cookie K=V` and the cookies of Netscape files that match the target.
    pub cookies: Vec<super::cookies::Cookie>,
    /// `-p 8`: the Sec-WebSocket-Version, 13 unless told.
    pub version: Option<u8>,
}

/// How the server answered.
#[derive(Debug)]
pub enum Answer {
    Upgraded(Upgraded),
    /// Any status but 101.
    Refused(Refusal),
}

#[derive(Debug)]
pub struct Upgraded {
    pub head: ResponseHead,
    pub subprotocol: Option<String>,
    pub extensions: Vec<String>,
    /// Bytes after the head: the first frames. They go into the engine first.
    pub read_ahead: Bytes,
}

/// Whether a header name belongs to the handshake itself and is not the user's to set:
/// `Upgrade`, `Connection`, `Sec-WebSocket-*` (and `Content-Length`, `Transfer-Encoding`).
pub fn is_ours(name: &str) -> bool {
    todo!()
}

/// The request that [`upgrade`] would send to `target`, with `key` as Sec-WebSocket-Key.
pub fn request(target: &Target, plan: &Plan, key: &str) -> RequestHead {
    todo!()
}

/// Sends the request and reads the answer. 1xx answers are skipped, a refused body is read
/// (dechunked, 64 KiB, bounded wait, never waits for EOF). `seen` is shown every response head, 1xx too.
/// The caller bounds the time.
///
/// # Errors
/// [`Error::Handshake`] for a wrong 101 (accept, token, subprotocol or extension not offered) or
/// an answer that is not HTTP, [`Error::Dropped`] when the connection ends inside it.
pub async fn upgrade<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    request: &RequestHead,
    seen: &mut (dyn FnMut(&ResponseHead) + Send),
) -> Result<Answer, Error> {
    todo!()
}
pub fn new_key() -> String {
    todo!()
}
pub fn refusal_hint(head: &ResponseHead, target: &Target) -> Option<String> {
    todo!()
}
