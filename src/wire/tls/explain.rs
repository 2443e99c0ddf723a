//! Failures of TLS in words: the cause, and the flag that helps.

use std::net::IpAddr;
use std::time::{Duration, SystemTime};

use rustls::{AlertDescription, CertificateError, Error, InvalidMessage, PeerIncompatible};
use rustls_pki_types::UnixTime;

use super::certificate::Facts;

/// How many names of a certificate are listed.
const MAX_NAMES: usize = 5;

const UNCHECKED: &str = "-k connects without checking the certificate";

/// A cause and what to try.
pub(super) type Words = (String, Option<String>);

/// What is known of a client's handshake that failed.
#[derive(Debug)]
pub(super) struct Situation<'a> {
    /// The URL's host, as the certificate should name it.
    pub(super) host: &'a str,
    /// Host and port.
    pub(super) address: &'a str,
    /// The server's certificate, where it got so far.
    pub(super) facts: Option<Facts>,
    /// The issuer of the last certificate that it sent beside its own.
    pub(super) last_issuer: Option<String>,
    pub(super) has_roots: bool,
    /// It asked for a client's certificate and there was none.
    pub(super) wants_identity: bool,
}

impl Situation<'_> {
    pub(super) fn explain(&self, error: &Error) -> Words {
        match error {
            Error::InvalidCertificate(error) => self.certificate(error),
            Error::AlertReceived(alert) => self.alert(*alert),
            // The record layer found no record in what came: it is another protocol.
            Error::InvalidMessage(
                InvalidMessage::InvalidContentType
                | InvalidMessage::UnknownProtocolVersion
                | InvalidMessage::MessageTooLarge,
            ) => not_tls(self.address),
            Error::PeerIncompatible(PeerIncompatible::ServerDoesNotSupportTls12Or13) => old(),
            other => (other.to_string(), None),
        }
    }

    /// The connection ended instead of an answer.
    pub(super) fn wanted_identity(&self) -> Option<Words> {
        self.wants_identity.then(|| {
            (
                "the server wants a client certificate".to_owned(),
                Some("--cert FILE and --key FILE give one".to_owned()),
            )
        })
    }

    fn certificate(&self, error: &CertificateError) -> Words {
        let unchecked = || Some(UNCHECKED.to_owned());
        match error {
            CertificateError::ExpiredContext { time, not_after } => (
                format!(
                    "the certificate expired on {}, {}",
                    date(*not_after),
                    ago(time.as_secs().saturating_sub(not_after.as_secs()))
                ),
                unchecked(),
            ),
            CertificateError::NotValidYetContext { not_before, .. } => (
                format!("the certificate is not valid before {}", date(*not_before)),
                Some(format!("is the clock of this machine right? {UNCHECKED}")),
            ),
            CertificateError::NotValidForNameContext { presented, .. } => {
                self.wrong_host(presented)
            }
            CertificateError::ApplicationVerificationFailure => self.wrong_key(),
            CertificateError::UnknownIssuer | CertificateError::Other(_)
                if self.facts.as_ref().is_some_and(Facts::is_self_signed) =>
            {
                (
                    "the certificate is self-signed".to_owned(),
                    Some(self.how_to_trust("it")),
                )
            }
            CertificateError::UnknownIssuer => self.unknown_issuer(),
            CertificateError::Revoked => ("the certificate was revoked".to_owned(), unchecked()),
            CertificateError::BadSignature => (
                "the certificate or its use is forged: a signature is wrong".to_owned(),
                Some(
                    "a CA that was made anew under the same name has another key: \
                     --ca FILE names the one that issued it"
                        .to_owned(),
                ),
            ),
            CertificateError::InvalidPurposeContext { .. } => {
                ("the certificate is not for servers".to_owned(), unchecked())
            }
            other => (
                format!("the certificate cannot be used: {other}"),
                unchecked(),
            ),
        }
    }

    fn wrong_host(&self, presented: &[String]) -> Words {
        let host = self.host;
        if presented.is_empty() {
            return (
                format!("the certificate names no host at all, so not {host} either"),
                Some(format!(
                    "a common name alone does not count (RFC 6125); {}",
                    match &self.facts {
                        Some(Facts { pin, .. }) =>
                            format!("--pin {pin} trusts the server's key, -k everybody"),
                        None => UNCHECKED.to_owned(),
                    }
                )),
            );
        }
        let mut names: Vec<String> = presented.iter().map(|name| bare_name(name)).collect();
        let more = names.len().saturating_sub(MAX_NAMES);
        names.truncate(MAX_NAMES);
        let mut list = names.join(", ");
        if more > 0 {
            list.push_str(&format!(" and {more} more"));
        }
        (
            format!("the certificate is for {list} and not for {host}"),
            Some(format!(
                "connect by a name of the certificate (--resolve NAME:PORT:IP says where it is); \
                 {UNCHECKED}"
            )),
        )
    }

    fn wrong_key(&self) -> Words {
        match &self.facts {
            Some(Facts { pin, .. }) => (
                format!("the server's key is {pin} and not the one of --pin"),
                Some(format!(
                    "if its key was changed on purpose, --pin {pin} trusts the new one"
                )),
            ),
            None => (
                "the certificate cannot be read, so --pin cannot match".to_owned(),
                None,
            ),
        }
    }

    fn unknown_issuer(&self) -> Words {
        let issuer = self.facts.as_ref().map(|facts| facts.issuer.as_str());
        let message = match (issuer, &self.last_issuer) {
            (Some(issuer), Some(last)) if issuer != last => format!(
                "the certificate was issued by {issuer}, and that leads to {last}, \
                 which is not trusted"
            ),
            (Some(issuer), _) => {
                format!("the certificate was issued by {issuer}, which is not trusted")
            }
            (None, _) => "the certificate's issuer is not trusted".to_owned(),
        };
        let mut hint = self.how_to_trust("its issuer");
        if self.last_issuer.is_none() {
            hint.push_str(
                "; if that is an intermediate CA, the server should send its certificate",
            );
        }
        if self.has_roots {
            (message, Some(hint))
        } else {
            let no_roots = "this machine has no root certificates (package ca-certificates)";
            (message, Some(format!("{no_roots}; {hint}")))
        }
    }

    fn how_to_trust(&self, whom: &str) -> String {
        match &self.facts {
            Some(Facts { pin, .. }) => {
                format!("--ca FILE trusts {whom}, --pin {pin} the server's key, -k everybody")
            }
            None => format!("--ca FILE trusts {whom}, -k everybody"),
        }
    }

    fn alert(&self, alert: AlertDescription) -> Words {
        use AlertDescription as Alert;

        if let Some(words) = self.wanted_identity() {
            return words;
        }
        let (meaning, hint) = match alert {
            Alert::CertificateRequired => (
                "the server wants a client certificate",
                Some("--cert FILE and --key FILE give one"),
            ),
            Alert::BadCertificate
            | Alert::UnsupportedCertificate
            | Alert::CertificateRevoked
            | Alert::CertificateExpired
            | Alert::CertificateUnknown
            | Alert::UnknownCA
            // rustls says so of a signature in it that is wrong.
            | Alert::DecryptError
            | Alert::AccessDenied => (
                "the server does not accept the client certificate",
                Some("--cert FILE and --key FILE give another one"),
            ),
            Alert::UnrecognisedName => (
                "the server does not know this host name",
                Some("--sni NAME asks for another one"),
            ),
            Alert::NoApplicationProtocol => (
                "the server does not speak HTTP/1.1 on this port",
                Some("it may speak only HTTP/2: WebSockets need HTTP/1.1"),
            ),
            Alert::ProtocolVersion => return old(),
            Alert::HandshakeFailure | Alert::InsufficientSecurity => (
                "the server found no cipher or key exchange that both know",
                Some("it may be too old, or want another host name: --sni NAME"),
            ),
            _ => ("the server ended the handshake", None),
        };
        (
            format!("{meaning} ({})", alert_name(alert)),
            hint.map(str::to_owned),
        )
    }
}

/// What the peer of a server of ours complains about.
pub(super) fn explain_client(error: &Error) -> String {
    match error {
        Error::AlertReceived(
            alert @ (AlertDescription::UnknownCA
            | AlertDescription::BadCertificate
            | AlertDescription::CertificateUnknown),
        ) => format!("it does not trust the certificate ({})", alert_name(*alert)),
        Error::AlertReceived(alert) => format!("it ended the handshake ({})", alert_name(*alert)),
        other => other.to_string(),
    }
}

fn not_tls(address: &str) -> Words {
    (
        "the answer is not TLS".to_owned(),
        Some(format!(
            "this looks like a port without TLS: try ws://{address}"
        )),
    )
}

fn old() -> Words {
    (
        "the server speaks neither TLS 1.2 nor 1.3".to_owned(),
        Some("older versions are not safe and not supported".to_owned()),
    )
}

/// `handshake_failure`, as RFC 8446 writes it, with its number.
fn alert_name(alert: AlertDescription) -> String {
    let mut name = String::from("alert ");
    let camel = format!("{alert:?}");
    let mut before_upper = true;
    for letter in camel.chars() {
        if letter.is_ascii_uppercase() && !before_upper {
            name.push('_');
        }
        before_upper = letter.is_ascii_uppercase();
        name.push(letter.to_ascii_lowercase());
    }
    format!("{name}, {}", u8::from(alert))
}

/// A name of a certificate as webpki shows it, such as `DnsName("a.test")`, without the frame.
fn bare_name(shown: &str) -> String {
    let bare = shown
        .split_once('(')
        .and_then(|(_, rest)| rest.strip_suffix(')'))
        .unwrap_or(shown)
        .trim_matches('"');
    // It writes ::1 as 0::1.
    bare.parse::<IpAddr>()
        .map_or_else(|_| bare.to_owned(), |ip| ip.to_string())
}

/// In whole days.
fn ago(seconds: u64) -> String {
    match seconds / (24 * 3600) {
        0 => "less than a day ago".to_owned(),
        1 => "1 day ago".to_owned(),
        days => format!("{days} days ago"),
    }
}

/// The day in UTC.
fn date(time: UnixTime) -> String {
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(time.as_secs());
    jiff::Timestamp::try_from(time).map_or_else(
        |_| "a date beyond all bounds".to_owned(),
        |at| at.strftime("%F").to_string(),
    )
}
