//! Untrusted text made safe for a terminal: what a terminal would obey, or a reader could not
//! see, is shown in its escaped form instead.
//!
//! Shown are C0 and C1 controls, DEL, bidirectional controls, zero-width and other invisible
//! characters, line and paragraph separators, the byte order mark, tag characters, and bytes that
//! are not UTF-8. `\x1b` stands for a byte, `\u{202e}` for a character. Variation selectors stay:
//! they change nothing but the look of the character before them, and emoji need them.
//! Text that is clean is returned as it is, at the cost of one look at each byte.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Which of the harmless controls stay as they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// Everything on one line: line feeds and tabs are shown as `\n` and `\t`.
    Line,
    /// Line feeds and tabs are obeyed.
    Block,
}

/// The text on one line.
pub fn line(text: &str) -> Cow<'_, str> {
    sanitize(text, Layout::Line)
}

/// The text with its own line feeds and tabs.
pub fn block(text: &str) -> Cow<'_, str> {
    sanitize(text, Layout::Block)
}

/// Bytes on one line; those that are not UTF-8 are shown as `\xNN`.
pub fn line_bytes(bytes: &[u8]) -> Cow<'_, str> {
    sanitize_bytes(bytes, Layout::Line)
}

/// Bytes with their own line feeds and tabs; those that are not UTF-8 are shown as `\xNN`.
pub fn block_bytes(bytes: &[u8]) -> Cow<'_, str> {
    sanitize_bytes(bytes, Layout::Block)
}

/// The bytes in pieces of at most 64 KiB that cut no character, so that a large text can be made
/// safe piece by piece.
pub fn pieces(mut bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    const PIECE: usize = 64 << 10;
    /// Of the four bytes that a character has at most.
    const CONTINUATIONS: usize = 3;
    std::iter::from_fn(move || {
        let mut end = bytes.len().min(PIECE);
        if end < bytes.len() {
            let is_continuation = |at: usize| bytes[at] & 0xC0 == 0x80;
            let start = (end - CONTINUATIONS..=end)
                .rev()
                .find(|at| !is_continuation(*at));
            end = start.unwrap_or(end);
        }
        let piece = bytes.split_off(..end)?;
        (!piece.is_empty()).then_some(piece)
    })
}

pub fn sanitize(text: &str, layout: Layout) -> Cow<'_, str> {
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return Cow::Borrowed(text);
    }
    let Some(first) = text.find(|c| is_shown(c, layout)) else {
        return Cow::Borrowed(text);
    };
    let mut safe = String::with_capacity(text.len() + 16);
    safe.push_str(&text[..first]);
    push(&mut safe, &text[first..], layout);
    Cow::Owned(safe)
}

pub fn sanitize_bytes(bytes: &[u8], layout: Layout) -> Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return sanitize(text, layout);
    }
    let mut safe = String::with_capacity(bytes.len() + 16);
    for chunk in bytes.utf8_chunks() {
        push(&mut safe, chunk.valid(), layout);
        for byte in chunk.invalid() {
            push_formatted(&mut safe, format_args!("\\x{byte:02x}"));
        }
    }
    Cow::Owned(safe)
}

/// Whether a terminal would obey this character or a reader could not see it.
pub const fn is_hostile(c: char) -> bool {
    match c {
        ' '..='~' => false,
        '\0'..='\x1f'
        | '\x7f'..='\u{9f}'
        | '\u{ad}'
        | '\u{34f}'
        | '\u{61c}'
        | '\u{115f}'..='\u{1160}'
        | '\u{17b4}'..='\u{17b5}'
        | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{3164}'
        | '\u{feff}'
        | '\u{ffa0}'
        | '\u{fff0}'..='\u{fffb}'
        | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e0fff}' => true,
        _ => false,
    }
}

const fn is_shown(c: char, layout: Layout) -> bool {
    match (c, layout) {
        ('\n' | '\t', Layout::Block) => false,
        _ => is_hostile(c),
    }
}

fn push(safe: &mut String, text: &str, layout: Layout) {
    for c in text.chars() {
        if is_shown(c, layout) {
            push_escaped(safe, c);
        } else {
            safe.push(c);
        }
    }
}

fn push_escaped(safe: &mut String, c: char) {
    match c {
        '\n' => safe.push_str("\\n"),
        '\r' => safe.push_str("\\r"),
        '\t' => safe.push_str("\\t"),
        '\0'..='\x7f' => push_formatted(safe, format_args!("\\x{:02x}", u32::from(c))),
        _ => push_formatted(safe, format_args!("\\u{{{:x}}}", u32::from(c))),
    }
}

fn push_formatted(safe: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a String never fails.
    let _ = safe.write_fmt(text);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn hostile_text_is_shown_and_not_obeyed() {
        for (hostile, shown) in [
            ("\x1b[2J", "\\x1b[2J"),
            ("\x1b]0;PWNED\x07", "\\x1b]0;PWNED\\x07"),
            ("a\u{9b}31mb", "a\\u{9b}31mb"),
            ("\x7f\0", "\\x7f\\x00"),
            ("abc\u{202e}def", "abc\\u{202e}def"),
            ("\u{2066}x\u{2069}", "\\u{2066}x\\u{2069}"),
            ("a\u{200b}b\u{200d}c", "a\\u{200b}b\\u{200d}c"),
            ("\u{feff}hi", "\\u{feff}hi"),
            ("a\u{2028}b", "a\\u{2028}b"),
            ("\u{e0041}", "\\u{e0041}"),
            ("one\r\n\ttwo", "one\\r\\n\\ttwo"),
        ] {
            assert_eq!(line(hostile), shown);
        }
        assert_eq!(block("one\r\n\ttwo"), "one\\r\n\ttwo");
    }

    #[test]
    fn clean_text_costs_nothing() {
        for clean in [
            "",
            "hello",
            "{\"a\": \"ü\"}",
            "日本語",
            "❤\u{fe0f}",
            "\\x1b",
        ] {
            assert!(matches!(line(clean), Cow::Borrowed(_)), "{clean}");
        }
    }

    #[test]
    fn bytes_that_are_not_utf8_are_shown() {
        assert_eq!(line_bytes(b"a\xff\xfeb\xc3"), "a\\xff\\xfeb\\xc3");
        assert_eq!(line_bytes(b"\xed\xa0\x80"), "\\xed\\xa0\\x80");
        assert_eq!(block_bytes(b"\xff\n"), "\\xff\n");
    }

    #[test]
    fn pieces_cut_no_character_and_lose_nothing() {
        for filler in 0..4 {
            let text = "x".repeat(filler) + &"🦀".repeat(100_000);
            let joined: String = pieces(text.as_bytes())
                .map(|piece| std::str::from_utf8(piece).unwrap())
                .collect();
            assert!(joined == text);
        }
        let wild = vec![0x80; 100_000];
        assert_eq!(pieces(&wild).map(<[u8]>::len).sum::<usize>(), wild.len());
    }

    proptest! {
        #[test]
        fn nothing_hostile_survives(bytes in proptest::collection::vec(any::<u8>(), 0..64), text: String) {
            for safe in [line_bytes(&bytes), line(&text)] {
                prop_assert!(!safe.chars().any(is_hostile));
                prop_assert_eq!(line(&safe), safe.as_ref());
            }
            let safe = block(&text);
            prop_assert!(!safe.chars().any(|c| is_hostile(c) && c != '\n' && c != '\t'));
        }
    }
}
