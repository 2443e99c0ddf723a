//! TLS under a connection, as client and as server: rustls with aws-lc-rs, TLS 1.2 and 1.3.
//!
//! A client loads a [`Plan`] into a [`Connector`], which reads files and so may fail before
//! anything is sent; a server loads a [`ServerPlan`] into an [`Acceptor`]. Roots are the
//! platform's (SSL_CERT_FILE and SSL_CERT_DIR replace them) or those of `--ca`; the chain is always
//! checked by rustls, so that the same fault has the same words on every platform. Revocation is
//! not checked. Every failure says its cause in words, and the flag that helps ([`explain`]).

mod certificate;
mod client;
mod explain;
mod key_log;
mod nonblocking;
mod pem;
mod server;
mod verify;

use std::sync::Arc;

use rustls::crypto::{CryptoProvider, aws_lc_rs};

pub use certificate::Pin;
pub use client::{Connected, Connector, Identity, Plan, explain_end};
pub use nonblocking::{NonBlocking, take_apart};
pub use server::{Acceptor, NotAccepted, ServerPlan};

use crate::model::event::TlsInfo;

/// What we speak over TLS (RFC 7301); browsers offer the same for wss.
const ALPN: &[u8] = b"http/1.1";

/// The one provider of this program, named each time: there is no global default.
fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

/// What was agreed on: version and cipher, as OpenSSL and IANA write them.
fn agreed(connection: &rustls::CommonState) -> TlsInfo {
    let version = match connection.protocol_version() {
        Some(rustls::ProtocolVersion::TLSv1_2) => "TLSv1.2".to_owned(),
        Some(rustls::ProtocolVersion::TLSv1_3) => "TLSv1.3".to_owned(),
        other => other.map_or_else(String::new, |version| format!("{version:?}")),
    };
    let suite = connection
        .negotiated_cipher_suite()
        .and_then(|suite| suite.suite().as_str())
        .unwrap_or_default();
    TlsInfo {
        version,
        cipher: suite.replacen("TLS13_", "TLS_", 1),
        subject: None,
        expires: None,
        checked: true,
    }
}
