//! The parameters of one offer or answer (RFC 7692, section 7.1) as a value: parsed from the
//! header, and printed into it.

use std::fmt;

use super::extensions::Extension;
use super::{NAME, Side, Wrong};

const SERVER_NO_CONTEXT_TAKEOVER: &str = "server_no_context_takeover";
const CLIENT_NO_CONTEXT_TAKEOVER: &str = "client_no_context_takeover";
const SERVER_MAX_WINDOW_BITS: &str = "server_max_window_bits";
const CLIENT_MAX_WINDOW_BITS: &str = "client_max_window_bits";

/// The largest window there is, and the one where nothing else is said.
pub(super) const LARGEST_WINDOW: u8 = 15;

/// An offer, or an answer to one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Parameters {
    pub server_no_context_takeover: bool,
    pub client_no_context_takeover: bool,
    /// 8 to 15.
    pub server_max_window_bits: Option<u8>,
    /// 8 to 15. In an offer it says that the server may choose one, and 15 stands for the
    /// parameter without a value.
    pub client_max_window_bits: Option<u8>,
}

impl Parameters {
    /// What a client offers unless told otherwise: everything, and the server may choose the
    /// window.
    pub const OFFER: Self = Self {
        server_no_context_takeover: false,
        client_no_context_takeover: false,
        server_max_window_bits: None,
        client_max_window_bits: Some(LARGEST_WINDOW),
    };

    /// Reads an offer.
    pub(super) fn of_offer(extension: &Extension) -> Result<Self, Wrong> {
        let valued = |name: &str, value: Option<&str>| match (name, value) {
            (CLIENT_MAX_WINDOW_BITS, None) => Ok(LARGEST_WINDOW),
            _ => window_bits(name, value),
        };
        Self::read(extension, valued)
    }

    /// Reads an answer: every window has its value there.
    pub(super) fn of_answer(extension: &Extension) -> Result<Self, Wrong> {
        Self::read(extension, window_bits)
    }

    /// Unknown, doubled and bad parameters make an offer or answer void (section 7).
    fn read(
        extension: &Extension,
        window_bits: impl Fn(&str, Option<&str>) -> Result<u8, Wrong>,
    ) -> Result<Self, Wrong> {
        let mut read = Self::default();
        for (name, value) in &extension.params {
            let name = name.to_ascii_lowercase();
            let value = value.as_deref();
            let doubled = match name.as_str() {
                SERVER_NO_CONTEXT_TAKEOVER => {
                    no_value(&name, value)?;
                    std::mem::replace(&mut read.server_no_context_takeover, true)
                }
                CLIENT_NO_CONTEXT_TAKEOVER => {
                    no_value(&name, value)?;
                    std::mem::replace(&mut read.client_no_context_takeover, true)
                }
                SERVER_MAX_WINDOW_BITS => {
                    let bits = window_bits(&name, value)?;
                    read.server_max_window_bits.replace(bits).is_some()
                }
                CLIENT_MAX_WINDOW_BITS => {
                    let bits = window_bits(&name, value)?;
                    read.client_max_window_bits.replace(bits).is_some()
                }
                _ => return Err(Wrong(format!("{NAME} has no parameter {name:?}"))),
            };
            if doubled {
                return Err(Wrong(format!("{name} is there twice")));
            }
        }
        Ok(read)
    }

    /// What an answer says of the server's messages.
    pub(super) fn server(&self) -> Side {
        Side {
            context_takeover: !self.server_no_context_takeover,
            window_bits: self.server_max_window_bits.unwrap_or(LARGEST_WINDOW),
        }
    }

    /// What an answer says of the client's messages.
    pub(super) fn client(&self) -> Side {
        Side {
            context_takeover: !self.client_no_context_takeover,
            window_bits: self.client_max_window_bits.unwrap_or(LARGEST_WINDOW),
        }
    }
}

/// As an element of Sec-WebSocket-Extensions.
impl fmt::Display for Parameters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(NAME)?;
        if self.server_no_context_takeover {
            write!(f, "; {SERVER_NO_CONTEXT_TAKEOVER}")?;
        }
        if self.client_no_context_takeover {
            write!(f, "; {CLIENT_NO_CONTEXT_TAKEOVER}")?;
        }
        if let Some(bits) = self.server_max_window_bits {
            write!(f, "; {SERVER_MAX_WINDOW_BITS}={bits}")?;
        }
        match self.client_max_window_bits {
            Some(LARGEST_WINDOW) => write!(f, "; {CLIENT_MAX_WINDOW_BITS}"),
            Some(bits) => write!(f, "; {CLIENT_MAX_WINDOW_BITS}={bits}"),
            None => Ok(()),
        }
    }
}

fn no_value(name: &str, value: Option<&str>) -> Result<(), Wrong> {
    match value {
        None => Ok(()),
        Some(value) => Err(Wrong(format!(
            "{name} has the value {value:?} and takes none (RFC 7692, section 7.1.1)"
        ))),
    }
}

/// A decimal without leading zeroes, from 8 to 15.
fn window_bits(name: &str, value: Option<&str>) -> Result<u8, Wrong> {
    let Some(value) = value else {
        return Err(Wrong(format!(
            "{name} has no value (RFC 7692, section 7.1.2)"
        )));
    };
    (8..=LARGEST_WINDOW)
        .find(|bits| bits.to_string() == value)
        .ok_or_else(|| {
            Wrong(format!(
                "{name} is {value:?} and not 8 to 15 (RFC 7692, section 7.1.2)"
            ))
        })
}
