//! What RFC 6455 demands of a single frame, and the sentence and close code for each breach.
//!
//! Rules over several frames (fragmentation, the size of a message) are with the message that is
//! being put together, in `assembly`.

use super::header::Header;
use crate::model::close::{CloseCode, CloseFrame, MAX_REASON};
use crate::model::frame::Opcode;

/// Which end of the connection we are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    Client,
    Server,
}

/// A rule of the RFC that the peer broke, and the code to close with (section 7.4.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    pub code: CloseCode,
    /// A sentence for people: which rule, with the offending value.
    pub rule: String,
    /// The code that was in the peer's Close frame, where that frame is what broke the rule.
    pub received: Option<CloseCode>,
}

/// The longest payload of a control frame (section 5.5).
pub(super) const MAX_CONTROL: usize = 125;

impl Violation {
    pub(super) fn protocol(rule: impl Into<String>) -> Self {
        Self {
            code: CloseCode::PROTOCOL_ERROR,
            rule: rule.into(),
            received: None,
        }
    }

    pub(super) fn not_utf8(place: &str) -> Self {
        Self {
            code: CloseCode::INVALID_PAYLOAD,
            rule: format!("invalid UTF-8 in a {place} (RFC 6455, section 8.1)"),
            received: None,
        }
    }

    pub(super) fn corrupt(why: &str) -> Self {
        Self {
            code: CloseCode::INVALID_PAYLOAD,
            rule: format!("a compressed message does not inflate: {why} (RFC 7692, section 7.2.2)"),
            received: None,
        }
    }

    pub(super) fn too_big(size: u64, limit: usize) -> Self {
        Self {
            code: CloseCode::TOO_BIG,
            rule: format!("a message of at least {size} bytes, the limit is {limit}"),
            received: None,
        }
    }

    /// The Close that tells the peer. The rules are ASCII, so characters are bytes here.
    pub(super) fn close_frame(&self) -> CloseFrame {
        CloseFrame {
            code: self.code,
            reason: self.rule.chars().take(MAX_REASON).collect(),
        }
    }
}

/// Checks what a header shows without knowing the frames before it. `role` is ours, `deflate`
/// says whether permessage-deflate was negotiated.
pub(super) fn check_header(header: &Header, role: Role, deflate: bool) -> Result<(), Violation> {
    check_reserved(header, deflate)?;
    match (role, header.mask) {
        (Role::Server, None) => Err(Violation::protocol(
            "a client frame must be masked (RFC 6455, section 5.1)",
        )),
        (Role::Client, Some(_)) => Err(Violation::protocol(
            "a server frame must not be masked (RFC 6455, section 5.1)",
        )),
        _ => Ok(()),
    }?;
    check_length(header)?;
    if header.opcode.is_control() {
        check_control(header)?;
    }
    Ok(())
}

/// Reserved opcodes and bits (section 5.2). The one place that knows which extensions give a
/// meaning to RSV1-3: permessage-deflate gives one to RSV1 where a message begins (RFC 7692,
/// section 6).
fn check_reserved(header: &Header, deflate: bool) -> Result<(), Violation> {
    if header.opcode.is_reserved() {
        return Err(Violation::protocol(format!(
            "reserved opcode {} (RFC 6455, section 5.2)",
            header.opcode.value()
        )));
    }
    let [rsv1, rsv2, rsv3] = header.rsv;
    let starts = matches!(header.opcode, Opcode::TEXT | Opcode::BINARY);
    if deflate && rsv1 && !starts {
        return Err(Violation::protocol(format!(
            "RSV1 is set on a {} frame (RFC 7692, section 6.1)",
            header.opcode
        )));
    }
    match [rsv1 && !deflate, rsv2, rsv3].iter().position(|set| *set) {
        None => Ok(()),
        Some(at) => Err(Violation::protocol(format!(
            "RSV{} is set but no extension gives it a meaning (RFC 6455, section 5.2)",
            at + 1
        ))),
    }
}

fn check_length(header: &Header) -> Result<(), Violation> {
    let length = header.payload_len;
    if length >> 63 != 0 {
        return Err(Violation::protocol(format!(
            "payload length {length} has the highest bit set (RFC 6455, section 5.2)"
        )));
    }
    if !header.is_minimal() {
        return Err(Violation::protocol(format!(
            "payload length {length} is not in its shortest form (RFC 6455, section 5.2)"
        )));
    }
    Ok(())
}

fn check_control(header: &Header) -> Result<(), Violation> {
    let name = header.opcode.name();
    if !header.fin {
        return Err(Violation::protocol(format!(
            "a {name} frame must not be fragmented (RFC 6455, section 5.5)"
        )));
    }
    if header.payload_len > MAX_CONTROL as u64 {
        return Err(Violation::protocol(format!(
            "a {name} frame of {} bytes, at most {MAX_CONTROL} are allowed (RFC 6455, section 5.5)",
            header.payload_len
        )));
    }
    Ok(())
}

/// Reads the body of a Close frame (section 5.5.1).
pub(super) fn close_body(body: &[u8]) -> Result<Option<CloseFrame>, Violation> {
    let Some((code, reason)) = body.split_first_chunk() else {
        return if body.is_empty() {
            Ok(None)
        } else {
            Err(Violation::protocol(
                "a close frame with a body of 1 byte (RFC 6455, section 5.5.1)",
            ))
        };
    };
    let code = CloseCode(u16::from_be_bytes(*code));
    let broken = |violation| Violation {
        received: Some(code),
        ..violation
    };
    if !code.may_be_sent() {
        return Err(broken(Violation::protocol(format!(
            "close code {code} must not be on the wire (RFC 6455, section 7.4)"
        ))));
    }
    match std::str::from_utf8(reason) {
        Ok(reason) => Ok(Some(CloseFrame {
            code,
            reason: reason.to_owned(),
        })),
        Err(_) => Err(broken(Violation::not_utf8("close reason"))),
    }
}

/// A frame inside a message, or a continuation outside of one (section 5.4).
pub(super) fn out_of_sequence(opcode: Opcode) -> Violation {
    Violation::protocol(if opcode == Opcode::CONTINUATION {
        "a continuation frame without a message to continue (RFC 6455, section 5.4)".to_owned()
    } else {
        format!("a {opcode} frame inside a fragmented message (RFC 6455, section 5.4)")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_rule_of_a_header_has_its_sentence() {
        let key = Some([0; 4]);
        let whole = |opcode, len| Header::whole(opcode, len, key);
        let fin = |fin, header| Header { fin, ..header };
        let text = whole(Opcode::TEXT, 5);
        for (header, expected) in [
            (whole(Opcode::new(3), 0), "reserved opcode 3"),
            (whole(Opcode::new(11), 0), "reserved opcode 11"),
            (
                Header {
                    rsv: [true, false, false],
                    ..text
                },
                "RSV1 is set",
            ),
            (
                Header {
                    rsv: [false, false, true],
                    ..text
                },
                "RSV3 is set",
            ),
            (
                Header::whole(Opcode::TEXT, 5, None),
                "a client frame must be masked",
            ),
            (
                Header {
                    header_len: 8,
                    ..text
                },
                "payload length 5 is not in its shortest form",
            ),
            (
                whole(Opcode::TEXT, 1 << 63),
                "payload length 9223372036854775808 has the highest bit",
            ),
            (
                fin(false, whole(Opcode::PING, 0)),
                "a ping frame must not be fragmented",
            ),
            (
                whole(Opcode::PONG, 126),
                "a pong frame of 126 bytes, at most 125",
            ),
        ] {
            let violation = check_header(&header, Role::Server, false).unwrap_err();
            assert_eq!(violation.code, CloseCode::PROTOCOL_ERROR);
            assert!(violation.rule.starts_with(expected), "{}", violation.rule);
            assert_eq!(violation.close_frame().reason, violation.rule);
        }
        assert_eq!(check_header(&text, Role::Server, false), Ok(()));
        let masked = check_header(&text, Role::Client, false).unwrap_err();
        assert!(masked.rule.starts_with("a server frame must not be masked"));
    }

    #[test]
    fn rsv1_is_for_the_first_frame_of_a_message_where_deflate_was_agreed() {
        let check = |opcode, rsv, deflate| {
            let header = Header {
                rsv,
                ..Header::whole(opcode, 5, None)
            };
            check_header(&header, Role::Client, deflate).map_err(|violation| violation.rule)
        };
        let rsv1 = [true, false, false];
        assert_eq!(check(Opcode::TEXT, rsv1, true), Ok(()));
        assert_eq!(check(Opcode::BINARY, rsv1, true), Ok(()));
        for (opcode, rsv, deflate, expected) in [
            (Opcode::TEXT, rsv1, false, "RSV1 is set but no extension"),
            (Opcode::TEXT, [true, true, false], true, "RSV2 is set but"),
            (Opcode::TEXT, [false, false, true], true, "RSV3 is set but"),
            (Opcode::CONTINUATION, rsv1, true, "RSV1 is set on a cont"),
            (Opcode::PING, rsv1, true, "RSV1 is set on a ping frame"),
            (Opcode::CLOSE, rsv1, true, "RSV1 is set on a close frame"),
        ] {
            let rule = check(opcode, rsv, deflate).unwrap_err();
            assert!(rule.starts_with(expected), "{rule}");
        }
    }

    #[test]
    fn a_close_body_is_empty_or_a_legal_code_with_text() {
        assert_eq!(close_body(&[]), Ok(None));
        for code in [1000, 1003, 1007, 1014, 3000, 4999_u16] {
            let frame = close_body(&code.to_be_bytes()).unwrap();
            assert_eq!(frame, Some(CloseFrame::bare(CloseCode(code))));
        }
        for code in [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535_u16] {
            let violation = close_body(&code.to_be_bytes()).unwrap_err();
            assert_eq!(violation.code, CloseCode::PROTOCOL_ERROR);
            assert_eq!(violation.received, Some(CloseCode(code)));
            let expected = format!("close code {code} must not be on the wire");
            assert!(violation.rule.starts_with(&expected), "{}", violation.rule);
        }
        assert_eq!(
            close_body(&[3]).unwrap_err().code,
            CloseCode::PROTOCOL_ERROR
        );
        let not_text = close_body(&[0x03, 0xE8, 0xFF]).unwrap_err();
        assert_eq!(not_text.code, CloseCode::INVALID_PAYLOAD);
        assert_eq!(not_text.received, Some(CloseCode::NORMAL));
    }
}
