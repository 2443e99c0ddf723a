//! Binary payloads as people read and type them: hex dumps, previews, and the decoding of hex and
//! base64 with errors that name the position.

use std::fmt::{self, Write as _};

use base64::Engine as _;
use base64::alphabet::{self, Alphabet};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// Bytes on a line of a dump.
const ROW: usize = 16;
const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// A dump with offsets and an ASCII column, each line ended by a line feed. Nothing for no bytes.
pub fn dump(bytes: &[u8]) -> String {
    rows(bytes).collect()
}

/// The lines of a dump, one by one.
pub fn rows(bytes: &[u8]) -> impl Iterator<Item = String> {
    bytes
        .chunks(ROW)
        .enumerate()
        .map(|(row, chunk)| dump_row(row * ROW, chunk))
}

fn dump_row(offset: usize, chunk: &[u8]) -> String {
    let mut text = String::with_capacity(79);
    push(&mut text, format_args!("{offset:08x} "));
    for column in 0..ROW {
        if column % 8 == 0 {
            text.push(' ');
        }
        match chunk.get(column) {
            Some(byte) => {
                let digits =
                    [byte >> 4, byte & 0xF].map(|digit| char::from(DIGITS[usize::from(digit)]));
                text.extend(digits);
                text.push(' ');
            }
            None => text.push_str("   "),
        }
    }
    text.push_str(" |");
    text.extend(chunk.iter().map(|byte| match byte {
        b' '..=b'~' => char::from(*byte),
        _ => '.',
    }));
    text.push_str("|\n");
    text
}

/// The first bytes, `08 96 01`, with ` ...` where there are more than `most`.
pub fn preview(bytes: &[u8], most: usize) -> String {
    let shown = &bytes[..bytes.len().min(most)];
    let mut text = String::with_capacity(shown.len() * 3 + 4);
    for (at, byte) in shown.iter().enumerate() {
        let gap = if at > 0 { " " } else { "" };
        push(&mut text, format_args!("{gap}{byte:02x}"));
    }
    if shown.len() < bytes.len() {
        text.push_str(if shown.is_empty() { "..." } else { " ..." });
    }
    text
}

/// Why a text is not hex or base64, and at which byte of it (from 0).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecodeError {
    pub at: usize,
    pub message: String,
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at character {}", self.message, self.at + 1)
    }
}

impl std::error::Error for DecodeError {}

/// Decodes pairs of hex digits. White space and colons may stand between pairs, `0x` in front.
///
/// # Errors
/// The first byte that is no digit, or a digit without its second.
pub fn decode_hex(text: &str) -> Result<Vec<u8>, DecodeError> {
    let start = if text.starts_with("0x") { 2 } else { 0 };
    let mut bytes = Vec::with_capacity(text.len() / 2);
    let mut high: Option<(usize, u8)> = None;
    for (at, c) in text.char_indices().skip(start) {
        match (c.to_digit(16), high) {
            // A hex digit is less than 16.
            (Some(digit), None) => high = Some((at, digit as u8)),
            (Some(digit), Some((_, first))) => {
                bytes.push(first << 4 | digit as u8);
                high = None;
            }
            (None, None) if c == ':' || c.is_whitespace() => {}
            (None, _) => {
                let message = format!("{c:?} is not a hex digit");
                return Err(DecodeError { at, message });
            }
        }
    }
    match high {
        None => Ok(bytes),
        Some((at, _)) => Err(DecodeError {
            at,
            message: "a hex digit without its second (bytes are two digits)".into(),
        }),
    }
}

/// Decodes base64 in the standard or the URL-safe alphabet, padded or not.
///
/// # Errors
/// The first byte that does not fit.
pub fn decode_base64(text: &str) -> Result<Vec<u8>, DecodeError> {
    let trimmed = text.trim_start();
    let offset = text.len() - trimmed.len();
    let alphabet = if trimmed.contains(['-', '_']) {
        &alphabet::URL_SAFE
    } else {
        &alphabet::STANDARD
    };
    let trimmed = trimmed.trim_end();
    lenient(alphabet)
        .decode(trimmed)
        .map_err(|error| decode_error(&error, trimmed, offset))
}

fn lenient(alphabet: &Alphabet) -> GeneralPurpose {
    let config =
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    GeneralPurpose::new(alphabet, config)
}

fn decode_error(error: &base64::DecodeError, text: &str, offset: usize) -> DecodeError {
    use base64::DecodeError as Cause;
    let (at, message) = match *error {
        Cause::InvalidByte(at, byte) => (
            at,
            match text.get(at..).and_then(|rest| rest.chars().next()) {
                Some(c) => format!("{c:?} is not a base64 character"),
                None => format!("byte {byte:#04x} is not a base64 character"),
            },
        ),
        Cause::InvalidLastSymbol { offset: at, .. } => {
            (at, "the last base64 character is wrong".into())
        }
        Cause::InvalidLength(_) => (text.len(), "base64 ends too early".into()),
        Cause::InvalidPadding => (text.len(), "wrong base64 padding".into()),
    };
    DecodeError {
        at: offset + at,
        message,
    }
}

fn push(text: &mut String, piece: fmt::Arguments<'_>) {
    // Writing to a String never fails.
    let _ = text.write_fmt(piece);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dump_has_offsets_and_an_ascii_column() {
        let bytes: Vec<u8> = (0x3b..0x3b + 19).collect();
        let expected = "\
00000000  3b 3c 3d 3e 3f 40 41 42  43 44 45 46 47 48 49 4a  |;<=>?@ABCDEFGHIJ|
00000010  4b 4c 4d                                          |KLM|
";
        assert_eq!(dump(&bytes), expected);
        assert_eq!(dump(b""), "");
        assert!(dump(b"\x1b\xff").ends_with("|..|\n"));
    }

    #[test]
    fn a_preview_says_that_there_is_more() {
        assert_eq!(preview(&[8, 0x96, 1], 3), "08 96 01");
        assert_eq!(preview(&[8, 0x96, 1], 2), "08 96 ...");
        assert_eq!(preview(&[], 2), "");
    }

    #[test]
    fn hex_is_read_as_people_write_it() {
        for text in ["ff00a1", "FF 00 a1", "ff:00:a1", "0xff00a1", " ff00a1\n"] {
            assert_eq!(decode_hex(text).unwrap(), [0xff, 0, 0xa1], "{text}");
        }
        for (text, at) in [("fx", 1), ("ff0", 2), ("f f", 1), ("ff ü", 3)] {
            assert_eq!(decode_hex(text).unwrap_err().at, at, "{text}");
        }
        let error = decode_hex("ffzz").unwrap_err();
        assert_eq!(error.to_string(), "'z' is not a hex digit at character 3");
    }

    #[test]
    fn base64_is_read_in_both_alphabets_padded_or_not() {
        for text in ["//4=", "//4", "__4=", " __4 "] {
            assert_eq!(decode_base64(text).unwrap(), [0xff, 0xfe], "{text}");
        }
        assert!(decode_base64("").unwrap().is_empty());
        for (text, at) in [("a", 1), ("aG*s", 2), (" a!bc", 2)] {
            assert_eq!(decode_base64(text).unwrap_err().at, at, "{text}");
        }
    }
}
