//! The clipboard of the person's machine, by way of the terminal: OSC 52.
//!
//! It works over ssh, for the terminal does it, and not every terminal does. tmux takes the sequence
//! where `set-clipboard` is on and passes it through where `allow-passthrough` is; which of them is
//! not known, so there it is sent both ways.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use crate::model::units::show_size;

/// Bytes that every terminal takes that takes any: 100,000 of the sequence.
pub const MOST: usize = 74_000;

/// What makes the terminal put a text into the clipboard.
///
/// # Errors
/// A sentence: it is too large.
pub fn sequence(text: &[u8], is_tmux: bool) -> Result<String, String> {
    if text.len() > MOST {
        return Err(format!(
            "{} are too many for the clipboard, which takes {}: save it to a file",
            show_size(text.len() as u64),
            show_size(MOST as u64)
        ));
    }
    let plain = format!("\x1b]52;c;{}\x07", BASE64.encode(text));
    if !is_tmux {
        return Ok(plain);
    }
    let passed = format!("\x1bPtmux;{}\x1b\\", plain.replace('\x1b', "\x1b\x1b"));
    Ok(plain + &passed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_wrapped_for_the_terminal() {
        assert_eq!(sequence(b"hi", false).unwrap(), "\x1b]52;c;aGk=\x07");
        assert_eq!(
            sequence(b"hi", true).unwrap(),
            "\x1b]52;c;aGk=\x07\x1bPtmux;\x1b\x1b]52;c;aGk=\x07\x1b\\"
        );
    }

    #[test]
    fn what_is_too_large_says_so() {
        assert!(sequence(&vec![b'x'; MOST], true).unwrap().len() < 210_000);
        let error = sequence(&vec![b'x'; MOST + 1], false).unwrap_err();
        assert_eq!(
            error,
            "74 kB are too many for the clipboard, which takes 74 kB: save it to a file"
        );
    }
}
