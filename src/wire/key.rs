//! Sec-WebSocket-Key and its answer, Sec-WebSocket-Accept (RFC 6455, sections 4.1 and 4.2.2).

use base64::Engine as _;
use base64::alphabet;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use sha1::{Digest, Sha1};

/// What RFC 6455 appends to every key.
const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// The length of a key before base64.
const KEY_BYTES: usize = 16;

/// Takes keys whose unused last bits are not zero: RFC 6455's own example in section 4.1,
/// `AQIDBAUGBwgJCgsMDQ4PEC==`, is one of them.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true),
);

/// A fresh Sec-WebSocket-Key.
pub fn new_key() -> String {
    STANDARD.encode(rand::random::<[u8; KEY_BYTES]>())
}

/// The Sec-WebSocket-Accept that answers `key`.
pub(super) fn accept_of(key: &str) -> String {
    let mut hash = Sha1::new();
    hash.update(key.as_bytes());
    hash.update(GUID);
    STANDARD.encode(hash.finalize())
}

pub(super) fn is_valid(key: &str) -> bool {
    LENIENT
        .decode(key)
        .is_ok_and(|bytes| bytes.len() == KEY_BYTES)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_rfc() {
        assert_eq!(
            accept_of("dGhlIHNhbXBsZSBub25jZQ=="),
            "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
        );
    }

    #[test]
    fn keys_are_sixteen_bytes() {
        assert!(is_valid(&new_key()));
        assert!(is_valid("AQIDBAUGBwgJCgsMDQ4PEC=="));
        for wrong in [
            "",
            "AQID",
            "not base64 at all!!",
            "AQIDBAUGBwgJCgsMDQ4PEBE=",
        ] {
            assert!(!is_valid(wrong), "{wrong}");
        }
        assert_ne!(new_key(), new_key());
    }
}
