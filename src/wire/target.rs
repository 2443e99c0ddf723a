//! Where a connection goes: a URL as people type it, made definite.

use std::path::{Path, PathBuf};

use url::Url;

use crate::error::Error;
use crate::model::secret::Secret;

/// A parsed endpoint. Accepts `ws wss http https` (http means ws), `ws+unix:/path:/uri`, and a
/// bare `host:port/path`, which means ws.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Always `ws` or `wss`, without userinfo and fragment.
    url: Url,
    credentials: Option<Secret<(String, String)>>,
    unix: Option<PathBuf>,
}

impl Target {
    /// # Errors
    /// [`Error::Usage`] that says what is wrong with the text and what to try.
    pub fn parse(text: &str) -> Result<Self, Error> {
        todo!()
    }

    /// Where a `Location` header leads from here (relative references allowed).
    pub fn join(&self, location: &str) -> Result<Self, Error> {
        todo!()
    }

    pub fn is_tls(&self) -> bool {
        todo!()
    }
    /// Host without brackets.
    pub fn host(&self) -> &str {
        todo!()
    }
    pub fn port(&self) -> u16 {
        todo!()
    }
    pub fn unix(&self) -> Option<&Path> {
        todo!()
    }
    /// The value of the Host header: the port only where it is not the scheme's default.
    pub fn authority(&self) -> String {
        todo!()
    }
    /// Path and query, as the request line carries them.
    pub fn request_target(&self) -> String {
        todo!()
    }
    /// User and password of the URL (Basic auth).
    pub fn credentials(&self) -> Option<&Secret<(String, String)>> {
        self.credentials.as_ref()
    }
    /// For people and events: secrets replaced.
    pub fn redacted(&self) -> String {
        todo!()
    }
    pub fn is_loopback(&self) -> bool {
        todo!()
    }
}
