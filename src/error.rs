//! What can go wrong, one variant for each thing that a user can act on, with what was tried and
//! where; the hint and the exit code belong to the variant.

use std::fmt;
use std::time::Duration;

use crate::model::event::Problem;
use crate::model::units::show_duration;

/// Exit codes: the one table. `--help`, the man page and the README print [`ExitCode::TABLE`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExitCode(pub u8);

impl ExitCode {
    pub const DONE: Self = Self(0);
    pub const INTERNAL: Self = Self(1);
    pub const USAGE: Self = Self(2);
    pub const CONNECT: Self = Self(3);
    pub const NOT_MET: Self = Self(4);
    pub const REFUSED: Self = Self(5);
    pub const TLS: Self = Self(6);
    pub const TIMEOUT: Self = Self(7);
    pub const CLOSED: Self = Self(8);
    pub const PROTOCOL: Self = Self(9);
    pub const SUSPECT: Self = Self(10);
    pub const SIGHUP: Self = Self(129);
    pub const SIGINT: Self = Self(130);
    pub const SIGTERM: Self = Self(143);

    /// Code and meaning, in order.
    pub const TABLE: &[(&str, &str)] = &[
        (
            "0",
            "done; the peer closed with 1000, 1001 or no code; --duration reached; Ctrl-C in an interactive session; SIGINT or SIGTERM to serve or listen PORT",
        ),
        ("1", "internal error"),
        ("2", "wrong usage, bad URL, a file that does not parse"),
        ("3", "could not connect: DNS, refused, unreachable, proxy"),
        (
            "4",
            "not met: an expectation, -n, --until, --expect-close, a threshold, a baseline",
        ),
        (
            "5",
            "handshake refused: not 101, wrong accept, subprotocol or extension",
        ),
        ("6", "TLS"),
        (
            "7",
            "timeout (--connect-timeout, --max-time, heartbeat; --exec still running at --duration)",
        ),
        ("8", "closed with any other code, or dropped (1006)"),
        ("9", "the peer broke the protocol"),
        (
            "10",
            "the result is suspect, and --strict, --baseline or --save-baseline was given (bench)",
        ),
        (
            "129, 130, 143",
            "SIGHUP, SIGINT, SIGTERM when not interactive",
        ),
    ];
}

/// An error that ends what was asked for.
#[derive(Debug)]
pub enum Error {
    /// What was typed, or a file that was named, cannot be used.
    Usage {
        message: String,
        hint: Option<String>,
    },
    /// A name did not resolve.
    Dns { host: String, cause: String },
    /// No address could be connected; `address` is the last one tried.
    Connect {
        address: String,
        cause: std::io::Error,
    },
    /// The deadline passed; `doing` says in which step, such as `connecting to 127.0.0.1:9`.
    Timeout { doing: String, after: Duration },
    /// A proxy could not be reached, or did not lead on.
    Proxy {
        address: String,
        message: String,
        hint: Option<String>,
    },
    /// TLS could not be agreed on, or the server is not whom it should be.
    Tls {
        address: String,
        message: String,
        hint: Option<String>,
    },
    /// The answer to the opening handshake was another status than 101.
    Refused {
        address: String,
        status: u16,
        reason: String,
        hint: Option<String>,
    },
    /// A 101 that is wrong, or an answer that is not HTTP.
    Handshake {
        address: String,
        message: String,
        hint: Option<String>,
    },
    /// The connection ended during the opening handshake.
    Dropped {
        address: String,
        doing: &'static str,
        cause: Option<std::io::Error>,
        hint: Option<String>,
    },
    /// A server could not listen.
    Bind {
        address: String,
        cause: std::io::Error,
    },
    /// A local file or terminal failed.
    Io {
        doing: String,
        cause: std::io::Error,
    },
    /// What was expected of the server did not come.
    Unmet {
        message: String,
        hint: Option<String>,
    },
    /// A bug, said plainly.
    Internal(String),
}

impl Error {
    pub fn usage(message: impl Into<String>) -> Self {
        Self::Usage {
            message: message.into(),
            hint: None,
        }
    }

    pub fn usage_hint(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Usage {
            message: message.into(),
            hint: Some(hint.into()),
        }
    }

    /// A stable word for the `kind` field of an `error` event.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Usage { .. } => "usage",
            Self::Dns { .. } => "dns",
            Self::Connect { .. } => "connect",
            Self::Timeout { .. } => "timeout",
            Self::Proxy { .. } => "proxy",
            Self::Tls { .. } => "tls",
            Self::Refused { .. } => "refused",
            Self::Handshake { .. } => "handshake",
            Self::Dropped { .. } => "dropped",
            Self::Bind { .. } => "bind",
            Self::Io { .. } => "io",
            Self::Unmet { .. } => "unmet",
            Self::Internal(_) => "internal",
        }
    }

    pub const fn exit_code(&self) -> ExitCode {
        match self {
            Self::Usage { .. } => ExitCode::USAGE,
            Self::Dns { .. }
            | Self::Connect { .. }
            | Self::Proxy { .. }
            | Self::Dropped { .. }
            | Self::Bind { .. } => ExitCode::CONNECT,
            Self::Tls { .. } => ExitCode::TLS,
            Self::Timeout { .. } => ExitCode::TIMEOUT,
            Self::Refused { .. } | Self::Handshake { .. } => ExitCode::REFUSED,
            Self::Unmet { .. } => ExitCode::NOT_MET,
            Self::Io { .. } | Self::Internal(_) => ExitCode::INTERNAL,
        }
    }

    /// What to try.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Usage { hint, .. }
            | Self::Proxy { hint, .. }
            | Self::Tls { hint, .. }
            | Self::Dropped { hint, .. }
            | Self::Refused { hint, .. }
            | Self::Handshake { hint, .. }
            | Self::Unmet { hint, .. } => hint.clone(),
            Self::Dns { .. } => {
                Some("check the spelling, or give the address with --resolve HOST:PORT:IP".into())
            }
            Self::Connect { cause, .. }
                if cause.kind() == std::io::ErrorKind::ConnectionRefused =>
            {
                Some("is the server running? --wait-for-server 30s waits for it".into())
            }
            Self::Timeout { .. } => Some("--connect-timeout allows more time".into()),
            Self::Bind { address, cause } => match cause.kind() {
                std::io::ErrorKind::AddrInUse if address.starts_with("unix:") => {
                    Some("another program listens there: end it, or take another path".into())
                }
                std::io::ErrorKind::AddrInUse => {
                    Some("another program listens there; port 0 picks a free one".into())
                }
                std::io::ErrorKind::AlreadyExists => {
                    Some("it is left as it is: remove it, or take another path".into())
                }
                _ => None,
            },
            Self::Internal(_) => Some("this is a bug in wscope: please report it".into()),
            _ => None,
        }
    }

    /// The error as an event.
    pub fn problem(&self) -> Problem {
        Problem {
            kind: self.kind(),
            message: self.to_string(),
            hint: self.hint(),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage { message, .. } | Self::Unmet { message, .. } => f.write_str(message),
            Self::Dns { host, cause } => write!(f, "could not resolve {host}: {cause}"),
            Self::Connect { address, cause } => {
                write!(f, "could not connect to {address}: {}", cause_text(cause))
            }
            Self::Timeout { doing, after } => {
                write!(f, "timed out after {} while {doing}", show_duration(*after))
            }
            Self::Proxy {
                address, message, ..
            } => write!(f, "proxy {address}: {message}"),
            Self::Tls {
                address, message, ..
            } => write!(f, "TLS with {address} failed: {message}"),
            Self::Refused {
                address,
                status,
                reason,
                ..
            } => {
                write!(f, "{address} refused the handshake: HTTP {status}")?;
                if reason.is_empty() {
                    Ok(())
                } else {
                    write!(f, " {reason}")
                }
            }
            Self::Handshake {
                address, message, ..
            } => {
                write!(f, "handshake with {address} failed: {message}")
            }
            Self::Dropped {
                address,
                doing,
                cause,
                ..
            } => {
                write!(f, "{address} closed the connection while {doing}")?;
                cause
                    .as_ref()
                    .map_or(Ok(()), |cause| write!(f, ": {}", cause_text(cause)))
            }
            Self::Bind { address, cause } => {
                write!(f, "could not listen on {address}: {}", cause_text(cause))
            }
            Self::Io { doing, cause } => write!(f, "{doing}: {}", cause_text(cause)),
            Self::Internal(message) => write!(f, "internal error: {message}"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Connect { cause, .. } | Self::Bind { cause, .. } | Self::Io { cause, .. } => {
                Some(cause)
            }
            Self::Dropped { cause, .. } => cause.as_ref().map(|cause| cause as _),
            _ => None,
        }
    }
}

/// The operating system's words without Rust's `(os error N)`, in lower case.
pub fn cause_text(cause: &std::io::Error) -> String {
    let text = cause.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    let mut letters = text.chars();
    letters
        .next()
        .map(|first| first.to_lowercase().chain(letters).collect())
        .unwrap_or_default()
}
