//! Close codes: their names, their ranges, and which of them may be on the wire
//! (RFC 6455, section 7.4, and the IANA registry).

use std::fmt;

use serde::Serialize;

/// A close code, whatever its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct CloseCode(pub u16);

/// The longest reason, in bytes: a control frame carries 125, the code takes two.
pub const MAX_REASON: usize = 123;

impl CloseCode {
    pub const NORMAL: Self = Self(1000);
    pub const GOING_AWAY: Self = Self(1001);
    pub const PROTOCOL_ERROR: Self = Self(1002);
    pub const UNSUPPORTED: Self = Self(1003);
    /// Stands for "no code was in the Close frame"; never on the wire.
    pub const NO_STATUS: Self = Self(1005);
    /// Stands for "no Close frame came"; never on the wire.
    pub const ABNORMAL: Self = Self(1006);
    pub const INVALID_PAYLOAD: Self = Self(1007);
    pub const POLICY: Self = Self(1008);
    pub const TOO_BIG: Self = Self(1009);
    pub const MANDATORY_EXTENSION: Self = Self(1010);
    pub const INTERNAL_ERROR: Self = Self(1011);
    pub const SERVICE_RESTART: Self = Self(1012);
    pub const TRY_AGAIN_LATER: Self = Self(1013);
    pub const BAD_GATEWAY: Self = Self(1014);

    /// The registered name in words; what its range means where there is none.
    pub const fn name(self) -> &'static str {
        match self.0 {
            1000 => "normal closure",
            1001 => "going away",
            1002 => "protocol error",
            1003 => "unsupported data",
            1005 => "no status received",
            1006 => "abnormal closure",
            1007 => "invalid payload data",
            1008 => "policy violation",
            1009 => "message too big",
            1010 => "mandatory extension",
            1011 => "internal error",
            1012 => "service restart",
            1013 => "try again later",
            1014 => "bad gateway",
            1015 => "TLS handshake",
            3000 => "unauthorized",
            3003 => "forbidden",
            3008 => "timeout",
            3001..=3999 => "registered for a library or framework",
            4000..=4999 => "private use",
            _ => "reserved",
        }
    }

    /// Whether an endpoint may put this code into a Close frame (section 7.4.2): 1000-1003,
    /// 1007-1014 and 3000-4999. 1004, 1005, 1006, 1015 and the rest may not.
    pub const fn may_be_sent(self) -> bool {
        matches!(self.0, 1000..=1003 | 1007..=1014 | 3000..=4999)
    }

    /// Whether a close with this code counts as an ordinary end (exit code 0).
    pub const fn is_ordinary(self) -> bool {
        matches!(self.0, 1000 | 1001 | 1005)
    }
}

impl fmt::Display for CloseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The body of a Close frame: a code and a reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CloseFrame {
    pub code: CloseCode,
    pub reason: String,
}

/// Why a close code or a reason cannot be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CloseError {
    Code(CloseCode),
    Reason { bytes: usize },
}

impl CloseFrame {
    /// # Errors
    /// The code may not be on the wire, or the reason is longer than [`MAX_REASON`] bytes.
    pub fn new(code: CloseCode, reason: impl Into<String>) -> Result<Self, CloseError> {
        let reason = reason.into();
        if !code.may_be_sent() {
            return Err(CloseError::Code(code));
        }
        if reason.len() > MAX_REASON {
            return Err(CloseError::Reason {
                bytes: reason.len(),
            });
        }
        Ok(Self { code, reason })
    }

    /// A code of this file that may be sent, without a reason.
    pub const fn bare(code: CloseCode) -> Self {
        Self {
            code,
            reason: String::new(),
        }
    }
}

impl fmt::Display for CloseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => write!(
                f,
                "close code {code} may not be sent (use 1000-1003, 1007-1014 or 3000-4999)"
            ),
            Self::Reason { bytes } => write!(
                f,
                "the close reason has {bytes} bytes, at most {MAX_REASON} fit into a Close frame"
            ),
        }
    }
}

impl std::error::Error for CloseError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_that_only_stand_for_something_are_never_sent() {
        for code in [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535] {
            assert!(!CloseCode(code).may_be_sent(), "{code}");
        }
        for code in [1000, 1003, 1007, 1014, 3000, 4999] {
            assert!(CloseCode(code).may_be_sent(), "{code}");
        }
    }

    #[test]
    fn a_reason_is_counted_in_bytes() {
        assert!(CloseFrame::new(CloseCode::NORMAL, "é".repeat(61)).is_ok());
        let error = CloseFrame::new(CloseCode::NORMAL, "é".repeat(62)).unwrap_err();
        assert_eq!(error, CloseError::Reason { bytes: 124 });
    }
}
