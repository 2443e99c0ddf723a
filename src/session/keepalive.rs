//! The heartbeat of a connection.

use std::time::Duration;

/// When to ping and how long to wait for the answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heartbeat {
    pub interval: Duration,
    pub timeout: Duration,
    /// A text message in place of a ping (`--heartbeat-message`).
    pub message: Option<HeartbeatMessage>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeartbeatMessage {
    pub text: String,
    /// The reply that counts; `None`: any message does.
    pub reply: Option<String>,
}

impl Heartbeat {
    /// Reads `standard`, `mobile`, `alb` or `INTERVAL/TIMEOUT`; `off` is `None`.
    ///
    /// # Errors
    /// A sentence that lists what is allowed.
    pub fn parse(text: &str) -> Result<Option<Self>, String> {
        use crate::model::units::parse_duration;
        let of = |interval, timeout| Self {
            interval,
            timeout,
            message: None,
        };
        let seconds = Duration::from_secs;
        Ok(Some(match text {
            "off" => return Ok(None),
            "standard" => of(seconds(30), seconds(10)),
            "mobile" => of(seconds(15), seconds(5)),
            "alb" => of(seconds(55), seconds(10)),
            _ => {
                let (interval, timeout) = text.split_once('/').ok_or_else(|| {
                    format!("\"{text}\" is not a heartbeat (standard, mobile, alb, off, or INTERVAL/TIMEOUT such as 30/10)")
                })?;
                let (interval, timeout) = (parse_duration(interval)?, parse_duration(timeout)?);
                if interval.is_zero() || timeout.is_zero() {
                    return Err(format!("\"{text}\": interval and timeout must be more than 0"));
                }
                of(interval, timeout)
            }
        }))
    }
}
