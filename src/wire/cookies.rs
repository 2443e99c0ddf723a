//! Cookies for the opening handshake: `K=V` words and Netscape cookie files (RFC 6265, section 5.4).

use std::path::Path;

use super::target::Target;
use crate::error::Error;
use crate::model::secret::Secret;

/// A cookie and the requests that it belongs to.
#[derive(Debug, Clone)]
pub struct Cookie {
    pub name: String,
    pub value: Secret<String>,
    /// `None`: sent to every host.
    pub domain: Option<String>,
    pub include_subdomains: bool,
    pub path: String,
    pub secure: bool,
}

impl Cookie {
    /// Whether the cookie goes to `target` (domain, path, secure).
    pub fn matches(&self, target: &Target) -> bool {
        todo!()
    }
}

/// `K=V`, several joined by `; ` allowed.
pub fn parse_words(text: &str) -> Result<Vec<Cookie>, Error> {
    todo!()
}

/// Reads a Netscape cookie file; expired cookies are left out.
pub fn read_file(path: &Path) -> Result<Vec<Cookie>, Error> {
    todo!()
}
