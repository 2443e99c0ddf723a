//! Where a server listens, as it is typed: `PORT`, `:PORT`, `IP:PORT`, `[v6]:PORT`, `unix:PATH`.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use crate::serve::Address;

/// The address that a text means; `None` where it is none. A port alone is on this machine only.
pub(in crate::cli) fn parse(text: &str) -> Option<Address> {
    if let Some(path) = text.strip_prefix("unix:") {
        return (!path.is_empty()).then(|| Address::Unix(PathBuf::from(path)));
    }
    let digits = text.strip_prefix(':').unwrap_or(text);
    if digits.bytes().all(|byte| byte.is_ascii_digit()) {
        let port = digits.parse().ok()?;
        return Some(Address::Tcp((Ipv4Addr::LOCALHOST, port).into()));
    }
    text.parse::<SocketAddr>().ok().map(Address::Tcp)
}

/// What [`parse`] takes, for an error.
pub(super) const SPELLINGS: &str = "PORT, :PORT, IP:PORT, [IPV6]:PORT or unix:PATH";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_alone_is_on_this_machine_only() {
        for (text, address) in [
            ("8080", "127.0.0.1:8080"),
            (":8080", "127.0.0.1:8080"),
            ("0", "127.0.0.1:0"),
            ("0.0.0.0:80", "0.0.0.0:80"),
            ("[::1]:80", "[::1]:80"),
        ] {
            let expected = Address::Tcp(address.parse().unwrap());
            assert_eq!(parse(text), Some(expected), "{text}");
        }
        assert_eq!(parse("unix:/a b"), Some(Address::Unix("/a b".into())));
        for text in [
            "",
            ":",
            "unix:",
            "localhost:80",
            "65536",
            "1.2.3.4",
            "::1:x",
            "ws://h",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
