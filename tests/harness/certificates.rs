//! Certificates and the servers' TLS that goes with them, made for each test.

use std::io::Write as _;
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, Issuer, KeyPair, SanType,
};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, SupportedProtocolVersion};
use rustls_pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use tempfile::NamedTempFile;

/// A certificate and its key.
pub struct Pair {
    pub certificate: rcgen::Certificate,
    pub key: KeyPair,
}

pub struct Ca {
    pub pair: Pair,
    pub params: CertificateParams,
}

pub fn named(common_name: &str, hosts: &[&str]) -> CertificateParams {
    let mut params = CertificateParams::new(
        hosts
            .iter()
            .map(|host| (*host).to_owned())
            .collect::<Vec<_>>(),
    )
    .unwrap();
    params.distinguished_name = DistinguishedName::new();
    params
        .distinguished_name
        .push(DnType::CommonName, common_name);
    params
}

pub fn local() -> CertificateParams {
    let mut params = named("server", &["localhost"]);
    params
        .subject_alt_names
        .push(SanType::IpAddress(IpAddr::V4(Ipv4Addr::LOCALHOST)));
    params
}

impl Ca {
    pub fn new() -> Self {
        let mut params = named("Test CA", &[]);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        let pair = Pair { certificate, key };
        Self { pair, params }
    }

    pub fn issue(&self, params: &CertificateParams) -> Pair {
        let issuer = Issuer::from_params(&self.params, &self.pair.key);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &issuer).unwrap();
        Pair { certificate, key }
    }

    /// A CA of its own that this one has issued.
    pub fn between(&self, common_name: &str) -> Self {
        let mut params = named(common_name, &[]);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let pair = self.issue(&params);
        Self { pair, params }
    }

    pub fn file(&self) -> NamedTempFile {
        file(&self.pair.certificate.pem())
    }
}

impl Pair {
    pub fn self_signed(params: &CertificateParams) -> Self {
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        Self { certificate, key }
    }

    pub fn chain(&self) -> Vec<CertificateDer<'static>> {
        vec![self.certificate.der().clone()]
    }

    pub fn key(&self) -> PrivatePkcs8KeyDer<'static> {
        PrivatePkcs8KeyDer::from(self.key.serialize_der())
    }

    pub fn pin(&self) -> String {
        use base64::Engine as _;
        use rcgen::PublicKeyData as _;
        use sha2::Digest as _;

        let hash = sha2::Sha256::digest(self.key.subject_public_key_info());
        format!(
            "sha256/{}",
            base64::engine::general_purpose::STANDARD.encode(hash)
        )
    }
}

pub fn file(text: &str) -> NamedTempFile {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file
}

pub fn path(file: &NamedTempFile) -> PathBuf {
    file.path().to_owned()
}

pub fn builder(
    versions: &[&'static SupportedProtocolVersion],
) -> rustls::ConfigBuilder<ServerConfig, rustls::WantsVerifier> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .unwrap()
}

pub fn config(pair: &Pair) -> ServerConfig {
    builder(rustls::ALL_VERSIONS)
        .with_no_client_auth()
        .with_single_cert(pair.chain(), pair.key().into())
        .unwrap()
}

/// Wants a client certificate of `ca`.
pub fn mutual(
    pair: &Pair,
    ca: &Ca,
    versions: &[&'static SupportedProtocolVersion],
) -> ServerConfig {
    let mut roots = RootCertStore::empty();
    roots.add(ca.pair.certificate.der().clone()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build();
    builder(versions)
        .with_client_cert_verifier(verifier.unwrap())
        .with_single_cert(pair.chain(), pair.key().into())
        .unwrap()
}
