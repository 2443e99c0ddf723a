//! Whom a client trusts: the server's certificate against roots, against pins, or not at all.

use std::sync::{Arc, OnceLock};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::{self, WebPkiSupportedAlgorithms};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, Error, SignatureScheme};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};

use super::certificate::{Facts, Pin};

#[derive(Debug, Clone)]
pub(super) enum Trust {
    /// `-k`.
    Anyone,
    /// `--pin`: one of these keys, whatever else the certificate says.
    Pins(Arc<[Pin]>),
    Roots(Roots),
}

#[derive(Debug, Clone)]
pub(super) struct Roots {
    /// `None` where there is not one root.
    pub(super) verifier: Option<Arc<WebPkiServerVerifier>>,
    /// The certificates of `--ca`, each of which may itself be the server's.
    pub(super) given: Arc<[CertificateDer<'static>]>,
}

/// Checks the certificate of one connection, and keeps it for those who tell of it.
#[derive(Debug)]
pub(super) struct Check {
    pub(super) trust: Trust,
    /// The URL's host: `--sni` changes only what is sent.
    pub(super) host: ServerName<'static>,
    pub(super) algorithms: WebPkiSupportedAlgorithms,
    pub(super) sent: OnceLock<Sent>,
}

/// The certificates that a server sent.
#[derive(Debug)]
pub(super) struct Sent {
    pub(super) leaf: CertificateDer<'static>,
    /// The last of those that should lead to a root, if there is one.
    pub(super) last: Option<CertificateDer<'static>>,
}

impl ServerCertVerifier for Check {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        chain: &[CertificateDer<'_>],
        _sent_name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        // It is set already in a renegotiation only, which rustls does not do.
        let _ = self.sent.set(Sent {
            leaf: leaf.clone().into_owned(),
            last: chain.last().map(|last| last.clone().into_owned()),
        });
        match &self.trust {
            Trust::Anyone => Ok(ServerCertVerified::assertion()),
            Trust::Pins(pins) => Facts::of(leaf)
                .filter(|facts| pins.contains(&facts.pin))
                .map(|_| ServerCertVerified::assertion())
                .ok_or_else(|| CertificateError::ApplicationVerificationFailure.into()),
            Trust::Roots(roots) => roots.verify(leaf, chain, &self.host, ocsp, now),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        if matches!(self.trust, Trust::Anyone) {
            // Who trusts any key learns nothing from a proof that the peer has it; without this
            // certificates of X.509 version 1, which webpki does not read, could not be reached.
            return Ok(HandshakeSignatureValid::assertion());
        }
        crypto::verify_tls12_signature(message, certificate, signature, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        if matches!(self.trust, Trust::Anyone) {
            return Ok(HandshakeSignatureValid::assertion());
        }
        crypto::verify_tls13_signature(message, certificate, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

impl Roots {
    fn verify(
        &self,
        leaf: &CertificateDer<'_>,
        chain: &[CertificateDer<'_>],
        host: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let Some(verifier) = &self.verifier else {
            return Err(CertificateError::UnknownIssuer.into());
        };
        match verifier.verify_server_cert(leaf, chain, host, ocsp, now) {
            // `openssl req -x509` makes servers' certificates that say they are a CA's; webpki
            // has checked their dates by then and refuses that. One that the user named is fine.
            Err(Error::InvalidCertificate(CertificateError::Other(_)))
                if self.given.iter().any(|given| given == leaf) =>
            {
                verify_server_name(&ParsedCertificate::try_from(leaf)?, host)?;
                Ok(ServerCertVerified::assertion())
            }
            verified => verified,
        }
    }
}
