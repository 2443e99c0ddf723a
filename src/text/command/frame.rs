//! `/frame op=1 fin=0 rsv=100 hex:...`: a raw frame, spelled out.
//!
//! Parameters come first, in any order, each once: `op` is the opcode, a number from 0 to 15 or the
//! RFC's name for it; `fin` is 1 unless it is given; `rsv` are the bits RSV1 to RSV3 as `--frames`
//! shows them, or 0 for none of them. The rest of the line is the payload: `hex:..`, `base64:..`, or
//! text. Nothing is checked against the RFC, for breaking it is what the command is for; only
//! masking and the length are always right.

use bytes::Bytes;

use super::split_word;
use crate::model::command::Command;
use crate::model::frame::{Opcode, RawFrame};
use crate::text::sanitize;

/// # Errors
/// What is wrong, and what is allowed.
pub fn parse(args: &str) -> Result<Command, String> {
    let (mut op, mut fin, mut rsv) = (None, None, None);
    let mut rest = args;
    let payload = loop {
        let (word, after) = split_word(rest);
        match word.split_once('=') {
            Some(("op", value)) => once(&mut op, "op", opcode(value)?)?,
            Some(("fin", value)) => once(&mut fin, "fin", bit(value)?)?,
            Some(("rsv", value)) => once(&mut rsv, "rsv", reserved(value)?)?,
            _ => break rest,
        }
        rest = after;
    };
    let payload = match super::bytes(payload)? {
        Some(bytes) => bytes.into(),
        None => Bytes::copy_from_slice(payload.as_bytes()),
    };
    let frame = RawFrame {
        fin: fin.unwrap_or(true),
        rsv: rsv.unwrap_or_default(),
        opcode: op.ok_or("give an opcode, as in /frame op=1 hello")?,
        payload,
    };
    Ok(Command::Frame(frame))
}

/// Text that begins like a parameter is told from one by this; `hex:` can spell it.
fn once<T>(slot: &mut Option<T>, name: &str, value: T) -> Result<(), String> {
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => Err(format!("{name} is given twice")),
    }
}

fn opcode(value: &str) -> Result<Opcode, String> {
    let named = (0..16)
        .map(Opcode::new)
        .find(|opcode| !opcode.is_reserved() && opcode.name() == value);
    let numbered = value.parse().ok().filter(|number| *number < 16);
    named.or(numbered.map(Opcode::new)).ok_or_else(|| {
        let value = sanitize::line(value);
        format!("op is a number from 0 to 15 or a name such as text, not \"{value}\"")
    })
}

fn bit(value: &str) -> Result<bool, String> {
    match value {
        "0" => Ok(false),
        "1" => Ok(true),
        _ => Err(format!("fin is 0 or 1, not \"{}\"", sanitize::line(value))),
    }
}

fn reserved(value: &str) -> Result<[bool; 3], String> {
    match value.as_bytes() {
        b"0" => Ok([false; 3]),
        &[rsv1 @ b'0'..=b'1', rsv2 @ b'0'..=b'1', rsv3 @ b'0'..=b'1'] => {
            Ok([rsv1, rsv2, rsv3].map(|bit| bit == b'1'))
        }
        _ => Err(format!(
            "rsv is 0 or three bits such as 100, not \"{}\"",
            sanitize::line(value)
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(fin: bool, rsv: [bool; 3], opcode: Opcode, payload: &'static [u8]) -> Command {
        Command::Frame(RawFrame {
            fin,
            rsv,
            opcode,
            payload: Bytes::from_static(payload),
        })
    }

    #[test]
    fn what_is_spelled_is_what_is_sent() {
        const NONE: [bool; 3] = [false; 3];
        for (args, expected) in [
            (
                "op=1 hi  there",
                frame(true, NONE, Opcode::TEXT, b"hi  there"),
            ),
            ("op=ping", frame(true, NONE, Opcode::PING, b"")),
            (
                "op=1 fin=0 rsv=0 hex:00 ff",
                frame(false, NONE, Opcode::TEXT, b"\0\xff"),
            ),
            (
                "rsv=101  fin=1 op=15 base64:AP8=",
                frame(true, [true, false, true], Opcode::new(15), b"\0\xff"),
            ),
            (
                "op=continuation a=b op=c",
                frame(true, NONE, Opcode::CONTINUATION, b"a=b op=c"),
            ),
        ] {
            assert_eq!(parse(args), Ok(expected), "{args}");
        }
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (args, part) in [
            ("", "op=1 hello"),
            ("hello", "op=1 hello"),
            ("op=16", "from 0 to 15"),
            ("op=reserved", "not \"reserved\""),
            ("op=\x1b[2J", "\\x1b[2J"),
            ("op=1 fin=2", "fin is 0 or 1"),
            ("op=1 rsv=4", "three bits"),
            ("op=1 rsv=1000", "three bits"),
            ("op=1 op=2 x", "op is given twice"),
            ("op=1 hex:0", "without its second"),
        ] {
            let said = parse(args).unwrap_err();
            assert!(said.contains(part), "{args}: {said}");
        }
    }
}
