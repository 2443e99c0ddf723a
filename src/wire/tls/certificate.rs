//! What a certificate says about itself, read leniently: it is shown, not trusted.

use std::fmt;
use std::str::FromStr;
use std::time::SystemTime;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use sha2::{Digest as _, Sha256};
use x509_cert::certificate::{CertificateInner, Raw};
use x509_cert::der::{Decode as _, Encode as _};

/// The parts of a certificate that people are told.
#[derive(Debug)]
pub(super) struct Facts {
    /// As RFC 4514 writes names: `CN=example.com,O=Example`.
    pub(super) subject: String,
    pub(super) issuer: String,
    pub(super) expires: SystemTime,
    pub(super) pin: Pin,
}

impl Facts {
    /// `None` for what is no X.509 certificate.
    pub(super) fn of(der: &[u8]) -> Option<Self> {
        let certificate = CertificateInner::<Raw>::from_der(der).ok()?;
        let body = certificate.tbs_certificate();
        let key = body.subject_public_key_info().to_der().ok()?;
        Some(Self {
            subject: body.subject().to_string(),
            issuer: body.issuer().to_string(),
            expires: body.validity().not_after.to_system_time(),
            pin: Pin(Sha256::digest(key).into()),
        })
    }

    pub(super) fn is_self_signed(&self) -> bool {
        self.subject == self.issuer
    }
}

/// The SHA-256 of a public key (the whole SubjectPublicKeyInfo, as in RFC 7469, section 2.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pin([u8; 32]);

impl fmt::Display for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256/{}", BASE64.encode(self.0))
    }
}

/// The digits of base64 that 32 bytes take, without padding.
const DIGITS: usize = 43;

/// `sha256/BASE64`, or with two slashes as curl writes it.
impl FromStr for Pin {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let encoded = text.strip_prefix("sha256/").map(|rest| {
            let digits = rest.trim_end_matches('=');
            // `/` is a digit of base64 too: only where there is one too many is it curl's.
            let curls = digits.strip_prefix('/').filter(|rest| rest.len() == DIGITS);
            curls.unwrap_or(digits)
        });
        encoded
            .and_then(|encoded| {
                base64::engine::general_purpose::STANDARD_NO_PAD
                    .decode(encoded)
                    .ok()
            })
            .and_then(|bytes| bytes.try_into().ok())
            .map(Self)
            .ok_or_else(|| {
                format!("{text:?} is not sha256/ and the base64 of the 32 bytes of a hash")
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pins_are_read_as_they_are_written() {
        for first in [0, 0xff] {
            let pin = Pin([first; 32]);
            let text = pin.to_string();
            let spellings = [
                text.clone(),
                text.replacen('/', "//", 1),
                text.trim_end_matches('=').to_owned(),
            ];
            for spelling in spellings {
                assert_eq!(spelling.parse(), Ok(pin), "{spelling}");
            }
        }
        for wrong in ["", "sha256/", "sha256/AAAA", "sha1/AAAA", "sha256/#"] {
            let problem = wrong.parse::<Pin>().unwrap_err();
            assert!(problem.contains("32 bytes"), "{problem}");
        }
    }
}
