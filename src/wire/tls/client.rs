//! The client's side: what `--ca`, `--cert`, `--pin` and the like ask for, and the handshake.

use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use rustls::client::{ResolvesClientCert, Resumption, WebPkiServerVerifier};
use rustls::crypto::CryptoProvider;
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, KeyLog, RootCertStore, SignatureScheme};
use rustls_pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;

use super::certificate::{Facts, Pin};
use super::explain::Situation;
use super::key_log::KeyLogFile;
use super::verify::{Check, Roots, Trust};
use super::{ALPN, agreed, pem, provider};
use crate::error::Error;
use crate::model::event::TlsInfo;
use crate::model::secret::Secret;
use crate::wire::stream::Stream;
use crate::wire::target::Target;

/// How a client speaks TLS. The default trusts the platform's roots.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    /// `--ca`: the certificates that are trusted, instead of the platform's roots.
    pub ca: Vec<PathBuf>,
    pub identity: Option<Identity>,
    /// `-k`: any certificate is fine.
    pub insecure: bool,
    /// `--sni`: the name that is sent; the certificate is still checked for the URL's host.
    pub sni: Option<String>,
    /// `--pin`: a server with one of these keys is trusted, and no other.
    pub pins: Vec<Pin>,
    /// SSLKEYLOGFILE.
    pub key_log: Option<PathBuf>,
}

/// Who the client says it is.
#[derive(Debug, Clone)]
pub struct Identity {
    /// `--cert`: the certificate, then those that lead to the server's root.
    pub certificate: PathBuf,
    /// `--key`: the file of the certificate unless told.
    pub key: Option<PathBuf>,
    /// `--passphrase`: where the key is encrypted.
    pub passphrase: Option<Secret<String>>,
}

/// A plan whose files have been read.
#[derive(Debug)]
pub struct Connector {
    provider: Arc<CryptoProvider>,
    trust: Trust,
    identity: Option<Arc<CertifiedKey>>,
    sni: Option<ServerName<'static>>,
    key_log: Option<Arc<dyn KeyLog>>,
}

/// A connection that speaks TLS.
#[derive(Debug)]
pub struct Connected<B> {
    pub stream: Stream<B>,
    pub info: TlsInfo,
    /// The server asked for a certificate, and there was none to give.
    pub wanted_identity: bool,
}

impl Connector {
    /// Reads the files that the plan names, and the platform's roots where they are needed.
    ///
    /// # Errors
    /// [`Error::Usage`] that names the file, or the name that cannot be an SNI.
    pub fn new(plan: &Plan) -> Result<Self, Error> {
        let provider = provider();
        let key_log = plan.key_log.as_deref().map(KeyLogFile::open).transpose()?;
        Ok(Self {
            trust: trust(plan, &provider)?,
            identity: plan
                .identity
                .as_ref()
                .map(|identity| identity.load(&provider).map(Arc::new))
                .transpose()?,
            sni: plan
                .sni
                .as_deref()
                .map(|name| server_name("--sni", name))
                .transpose()?,
            key_log: key_log.map(|file| Arc::new(file) as _),
            provider,
        })
    }

    /// Shakes hands with the server of `target` over `base`. The caller bounds the time.
    ///
    /// # Errors
    /// [`Error::Tls`] with the cause; [`Error::Dropped`] when the connection ends.
    pub async fn connect<B>(&self, base: B, target: &Target) -> Result<Connected<B>, Error>
    where
        B: AsyncRead + AsyncWrite + Unpin,
    {
        let host = server_name("the URL", target.host())?;
        let sent_name = self.sni.clone().unwrap_or_else(|| host.clone());
        let check = Arc::new(Check {
            trust: self.trust.clone(),
            host,
            algorithms: self.provider.signature_verification_algorithms,
            sent: OnceLock::new(),
        });
        let presenter = Arc::new(Presenter {
            identity: self.identity.clone(),
            asked: AtomicBool::new(false),
        });
        let config = self.config(Arc::clone(&check), Arc::clone(&presenter))?;
        let connected = TlsConnector::from(Arc::new(config))
            .connect(sent_name, base)
            .await;
        let sent = check.sent.get();
        let last = sent.and_then(|sent| Facts::of(sent.last.as_ref()?));
        let wanted_identity = presenter.wanted();
        let address = target.address();
        let situation = Situation {
            host: target.host(),
            address: &address,
            facts: sent.and_then(|sent| Facts::of(&sent.leaf)),
            last_issuer: last.map(|last| last.issuer),
            has_roots: self.has_roots(),
            wants_identity: wanted_identity,
        };
        let stream = connected.map_err(|cause| failed(cause, &situation))?;
        let info = TlsInfo {
            subject: situation.facts.as_ref().map(|facts| facts.subject.clone()),
            expires: situation.facts.as_ref().map(|facts| facts.expires),
            checked: !matches!(self.trust, Trust::Anyone),
            ..agreed(stream.get_ref().1)
        };
        Ok(Connected {
            stream: Stream::Tls(Box::new(stream.into())),
            info,
            wanted_identity,
        })
    }

    fn config(&self, check: Arc<Check>, presenter: Arc<Presenter>) -> Result<ClientConfig, Error> {
        let mut config = ClientConfig::builder_with_provider(Arc::clone(&self.provider))
            .with_safe_default_protocol_versions()
            .map_err(internal)?
            .dangerous()
            .with_custom_certificate_verifier(check)
            .with_client_cert_resolver(presenter);
        config.alpn_protocols = vec![ALPN.to_vec()];
        // Each connection shows the whole handshake and checks the certificate anew.
        config.resumption = Resumption::disabled();
        if let Some(key_log) = &self.key_log {
            config.key_log = Arc::clone(key_log);
        }
        Ok(config)
    }

    const fn has_roots(&self) -> bool {
        !matches!(self.trust, Trust::Roots(Roots { verifier: None, .. }))
    }
}

/// The error for a connection that ended after the TLS handshake as the client saw it: in TLS 1.3
/// a server judges the client's certificate, or the lack of one, only then.
///
/// Any other error is returned as it is.
pub fn explain_end(error: Error, target: &Target, wanted_identity: bool) -> Error {
    let Error::Dropped { cause, .. } = &error else {
        return error;
    };
    let address = target.address();
    let situation = Situation {
        host: target.host(),
        address: &address,
        facts: None,
        last_issuer: None,
        has_roots: true,
        wants_identity: wanted_identity,
    };
    let words = match cause.as_ref().and_then(tls_error) {
        Some(error) => Some(situation.explain(error)),
        None => situation.wanted_identity(),
    };
    match words {
        Some((message, hint)) => Error::Tls {
            address,
            message,
            hint,
        },
        None => error,
    }
}

fn failed(cause: io::Error, situation: &Situation<'_>) -> Error {
    let words = match tls_error(&cause) {
        Some(error) => Some(situation.explain(error)),
        None => situation.wanted_identity(),
    };
    let address = situation.address.to_owned();
    match words {
        Some((message, hint)) => Error::Tls {
            address,
            message,
            hint,
        },
        None => Error::Dropped {
            hint: Some(format!("it may be a port without TLS: try ws://{address}")),
            address,
            doing: "TLS was being agreed on",
            // rustls says "tls handshake eof" where TCP says nothing.
            cause: Some(cause).filter(|cause| cause.kind() != io::ErrorKind::UnexpectedEof),
        },
    }
}

fn tls_error(cause: &io::Error) -> Option<&rustls::Error> {
    cause.get_ref()?.downcast_ref()
}

fn trust(plan: &Plan, provider: &Arc<CryptoProvider>) -> Result<Trust, Error> {
    if plan.insecure {
        return Ok(Trust::Anyone);
    }
    if !plan.pins.is_empty() {
        return Ok(Trust::Pins(plan.pins.as_slice().into()));
    }
    let mut given = Vec::new();
    for path in &plan.ca {
        given.extend(pem::certificates("--ca", path)?);
    }
    let mut store = RootCertStore::empty();
    if given.is_empty() {
        // What of the platform's store cannot be read is not trusted; where all of it is missing
        // the error of the handshake says so.
        store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    } else {
        store.add_parsable_certificates(given.iter().cloned());
    }
    Ok(Trust::Roots(Roots {
        verifier: verifier(store, provider)?,
        given: given.into(),
    }))
}

fn verifier(
    store: RootCertStore,
    provider: &Arc<CryptoProvider>,
) -> Result<Option<Arc<WebPkiServerVerifier>>, Error> {
    if store.is_empty() {
        return Ok(None);
    }
    WebPkiServerVerifier::builder_with_provider(Arc::new(store), Arc::clone(provider))
        .build()
        .map(Some)
        .map_err(internal)
}

impl Identity {
    fn load(&self, provider: &CryptoProvider) -> Result<CertifiedKey, Error> {
        let chain: Vec<CertificateDer<'static>> = pem::certificates("--cert", &self.certificate)?;
        let (flag, path) = match &self.key {
            Some(path) => ("--key", path),
            None => ("--cert", &self.certificate),
        };
        let key = pem::private_key(flag, path, self.passphrase.as_ref())?;
        CertifiedKey::from_der(chain, key, provider).map_err(|error| match error {
            rustls::Error::InconsistentKeys(_) => Error::usage(format!(
                "the key in {} does not belong to the certificate in {}",
                path.display(),
                self.certificate.display()
            )),
            other => Error::usage(format!("{flag} {}: {other}", path.display())),
        })
    }
}

/// Gives the client's certificate to a server that asks, and remembers that it asked.
#[derive(Debug)]
struct Presenter {
    identity: Option<Arc<CertifiedKey>>,
    asked: AtomicBool,
}

impl Presenter {
    fn wanted(&self) -> bool {
        self.identity.is_none() && self.asked.load(Ordering::Relaxed)
    }
}

impl ResolvesClientCert for Presenter {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.asked.store(true, Ordering::Relaxed);
        self.identity.clone()
    }

    fn has_certs(&self) -> bool {
        self.identity.is_some()
    }
}

fn server_name(place: &str, name: &str) -> Result<ServerName<'static>, Error> {
    ServerName::try_from(name.to_owned()).map_err(|_| {
        Error::usage(format!(
            "{place}: {name:?} is not a name that TLS can ask for"
        ))
    })
}

#[expect(clippy::needless_pass_by_value, reason = "the signature of map_err")]
fn internal(error: impl ToString) -> Error {
    Error::Internal(error.to_string())
}
