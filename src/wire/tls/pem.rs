//! Certificates and private keys from files: PEM, or one certificate as DER.

use std::path::Path;

use pkcs8::{EncryptedPrivateKeyInfoRef, SecretDocument};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

use crate::error::{Error, cause_text};
use crate::model::secret::Secret;
use crate::text::bounded;

const ENCRYPTED_BEGIN: &str = "-----BEGIN ENCRYPTED PRIVATE KEY-----";
const ENCRYPTED_END: &str = "-----END ENCRYPTED PRIVATE KEY-----";
/// How OpenSSL encrypted keys before PKCS#8 (RFC 1421, section 4.6.1.1).
const LEGACY: &str = "Proc-Type: 4,ENCRYPTED";

/// All certificates of a file, at least one; `flag` is who named it.
pub(super) fn certificates(flag: &str, path: &Path) -> Result<Vec<CertificateDer<'static>>, Error> {
    let bytes = read(flag, path)?;
    let unusable = |problem: &str| {
        Error::usage_hint(
            format!("{flag} {}: {problem}", path.display()),
            "it should hold -----BEGIN CERTIFICATE-----",
        )
    };
    let found: Vec<_> = CertificateDer::pem_slice_iter(&bytes)
        .collect::<Result<_, _>>()
        .map_err(|error| unusable(&format!("broken PEM: {error}")))?;
    match (found.is_empty(), bytes.first()) {
        (false, _) => Ok(found),
        // A DER file begins with a SEQUENCE.
        (true, Some(0x30)) => Ok(vec![CertificateDer::from(bytes)]),
        (true, _) => Err(unusable("there is no certificate in it")),
    }
}

/// The first private key of a file.
pub(super) fn private_key(
    flag: &str,
    path: &Path,
    passphrase: Option<&Secret<String>>,
) -> Result<PrivateKeyDer<'static>, Error> {
    let bytes = read(flag, path)?;
    let unusable = |problem: &str, hint: &str| {
        Error::usage_hint(format!("{flag} {}: {problem}", path.display()), hint)
    };
    let text = String::from_utf8_lossy(&bytes);
    if text.contains(LEGACY) {
        return Err(unusable(
            "the key is encrypted in the old way of OpenSSL",
            "openssl pkcs8 -topk8 -in KEY -out NEW converts it",
        ));
    }
    if let Some(pem) = encrypted_section(&text) {
        let Some(passphrase) = passphrase else {
            return Err(unusable("the key is encrypted", "--passphrase opens it"));
        };
        return decrypt(pem, passphrase).map_err(|problem| {
            unusable(
                &problem,
                "is the passphrase right? openssl pkcs8 -topk8 -v2 aes-256-cbc writes keys that work",
            )
        });
    }
    PrivateKeyDer::from_pem_slice(&bytes).map_err(|_| {
        unusable(
            "there is no private key in it",
            "it should hold -----BEGIN PRIVATE KEY-----; --key names another file",
        )
    })
}

fn encrypted_section(text: &str) -> Option<&str> {
    let start = text.find(ENCRYPTED_BEGIN)?;
    let end = start + text[start..].find(ENCRYPTED_END)? + ENCRYPTED_END.len();
    Some(&text[start..end])
}

/// PKCS#8 with PBES2 (RFC 8018): PBKDF2 or scrypt, and AES.
fn decrypt(pem: &str, passphrase: &Secret<String>) -> Result<PrivateKeyDer<'static>, String> {
    let (_, document) =
        SecretDocument::from_pem(pem).map_err(|error| format!("broken PEM: {error}"))?;
    let key = EncryptedPrivateKeyInfoRef::try_from(document.as_bytes())
        .and_then(|encrypted| encrypted.decrypt(passphrase.reveal()))
        .map_err(|_| "the passphrase does not open the key".to_owned())?;
    Ok(PrivatePkcs8KeyDer::from(key.as_bytes().to_vec()).into())
}

/// Bytes of a file of certificates or keys.
const MOST: u64 = 16 << 20;

fn read(flag: &str, path: &Path) -> Result<Vec<u8>, Error> {
    bounded::read(path, MOST)
        .map_err(|cause| Error::usage(format!("{flag} {}: {}", path.display(), cause_text(&cause))))
}
