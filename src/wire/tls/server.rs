//! The server's side: a certificate from files, or one made for this run.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rcgen::{
    CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, KeyPair, SanType,
};
use rustls::ServerConfig;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::io::AsyncWriteExt as _;
use tokio_rustls::TlsAcceptor;

use super::certificate::{Facts, Pin};
use super::explain::explain_client;
use super::{ALPN, agreed, pem, provider};
use crate::error::Error;
use crate::model::event::TlsInfo;
use crate::model::secret::Secret;
use crate::wire::accept::linger;
use crate::wire::stream::{Socket, Stream};

/// How long a self-signed certificate is valid.
const LIFETIME: Duration = Duration::from_secs(90 * 24 * 3600);
/// Clocks that are behind ours accept it too.
const BACKDATED: Duration = Duration::from_secs(3600);

/// How a TLS record of a handshake begins (RFC 8446, section 5.1); HTTP begins with a letter.
const HANDSHAKE_RECORD: u8 = 0x16;

/// To a client that speaks plain HTTP.
const SPEAKS_TLS: &str = "This port speaks TLS: use wss:// or https://.\n";

/// How a server speaks TLS.
#[derive(Debug, Clone)]
pub enum ServerPlan {
    /// `--tls-self-signed`: for localhost, 127.0.0.1 and ::1.
    SelfSigned,
    /// `--tls-cert` and `--tls-key`.
    Files {
        certificate: PathBuf,
        /// The file of the certificate unless told.
        key: Option<PathBuf>,
        passphrase: Option<Secret<String>>,
    },
}

/// A plan whose files have been read, or whose certificate has been made.
#[derive(Debug)]
pub struct Acceptor {
    config: Arc<ServerConfig>,
    pin: Option<Pin>,
}

/// Why a client did not get through.
#[derive(Debug)]
pub enum NotAccepted {
    /// It spoke plain HTTP, and was told.
    Plain,
    /// It complained, or spoke TLS wrongly: why, in words.
    Tls(String),
    /// The connection ended.
    Io(io::Error),
}

impl Acceptor {
    /// # Errors
    /// [`Error::Usage`] that names the file.
    pub fn new(plan: &ServerPlan) -> Result<Self, Error> {
        let (chain, key) = match plan {
            ServerPlan::SelfSigned => self_signed().map_err(|error| {
                Error::Internal(format!("no certificate could be made: {error}"))
            })?,
            ServerPlan::Files {
                certificate,
                key,
                passphrase,
            } => {
                let (flag, path) = match key {
                    Some(path) => ("--tls-key", path),
                    None => ("--tls-cert", certificate),
                };
                (
                    pem::certificates("--tls-cert", certificate)?,
                    pem::private_key(flag, path, passphrase.as_ref())?,
                )
            }
        };
        let pin = chain
            .first()
            .and_then(|leaf| Facts::of(leaf))
            .map(|facts| facts.pin);
        let mut config = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(|error| Error::Internal(error.to_string()))?
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .map_err(|error| match error {
                rustls::Error::InconsistentKeys(_) => Error::usage(
                    "--tls-key: the key does not belong to the certificate of --tls-cert",
                ),
                other => Error::usage(format!("--tls-cert: {other}")),
            })?;
        config.alpn_protocols = vec![ALPN.to_vec()];
        Ok(Self {
            config: Arc::new(config),
            pin,
        })
    }

    /// The key's hash, as `--pin` takes it.
    pub const fn pin(&self) -> Option<Pin> {
        self.pin
    }

    /// Shakes hands. The caller bounds the time.
    ///
    /// # Errors
    /// [`NotAccepted`]; the connection has ended.
    pub async fn accept(&self, socket: Socket) -> Result<(Stream, TlsInfo), NotAccepted> {
        if let Some(tcp) = socket.tcp() {
            let mut first = [0];
            let count = tcp.peek(&mut first).await.map_err(NotAccepted::Io)?;
            if count == 0 {
                return Err(NotAccepted::Io(io::ErrorKind::UnexpectedEof.into()));
            }
            if first[0] != HANDSHAKE_RECORD {
                tell_plain(socket).await;
                return Err(NotAccepted::Plain);
            }
        }
        let stream = TlsAcceptor::from(Arc::clone(&self.config))
            .accept(socket)
            .await
            .map_err(|error| {
                let tls = error.get_ref().and_then(|cause| cause.downcast_ref());
                match tls.map(explain_client) {
                    Some(words) => NotAccepted::Tls(words),
                    None => NotAccepted::Io(error),
                }
            })?;
        let info = agreed(stream.get_ref().1);
        Ok((Stream::Tls(Box::new(stream.into())), info))
    }
}

async fn tell_plain(mut socket: Socket) {
    let answer = format!(
        "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n{SPEAKS_TLS}",
        SPEAKS_TLS.len()
    );
    // Who went already needs no answer.
    if socket.write_all(answer.as_bytes()).await.is_ok() {
        linger(socket).await;
    }
}

type Credentials = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

fn self_signed() -> Result<Credentials, rcgen::Error> {
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::new(vec!["localhost".to_owned()])?;
    for ip in [
        IpAddr::from(Ipv4Addr::LOCALHOST),
        Ipv6Addr::LOCALHOST.into(),
    ] {
        params.subject_alt_names.push(SanType::IpAddress(ip));
    }
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, "localhost");
    name.push(DnType::OrganizationName, "wscope serve");
    params.distinguished_name = name;
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let now = SystemTime::now();
    params.not_before = (now - BACKDATED).into();
    params.not_after = (now + LIFETIME).into();
    let certificate = params.self_signed(&key)?;
    let key = PrivatePkcs8KeyDer::from(key.serialize_der());
    Ok((vec![certificate.der().clone()], key.into()))
}
