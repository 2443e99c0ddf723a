//! The heartbeat of a connection: when to ping, how long to wait for the answer, and the round
//! trips of matched pongs. Pure: time is an argument.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::model::message::Message;
use crate::model::units::parse_duration;
use crate::text::nearest::did_you_mean;

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
    /// 30 s between pings, 10 s for the pong.
    pub const STANDARD: Self = Self::of(30, 10);

    const fn of(interval: u64, timeout: u64) -> Self {
        Self {
            interval: Duration::from_secs(interval),
            timeout: Duration::from_secs(timeout),
            message: None,
        }
    }

    /// Reads `standard`, `mobile`, `alb` or `INTERVAL/TIMEOUT`; `off` is `None`.
    ///
    /// # Errors
    /// A sentence that lists what is allowed.
    pub fn parse(text: &str) -> Result<Option<Self>, String> {
        Ok(Some(match text {
            "off" => return Ok(None),
            "standard" => Self::STANDARD,
            "mobile" => Self::of(15, 5),
            "alb" => Self::of(55, 10),
            _ => {
                let (interval, timeout) = text.split_once('/').ok_or_else(|| {
                    let meant = did_you_mean(text, ["standard", "mobile", "alb", "off"]);
                    format!(
                        "\"{text}\" is not a heartbeat (standard, mobile, alb, off, or INTERVAL/TIMEOUT such as 30/10){meant}"
                    )
                })?;
                let (interval, timeout) = (parse_duration(interval)?, parse_duration(timeout)?);
                if interval.is_zero() || timeout.is_zero() {
                    return Err(format!(
                        "\"{text}\": interval and timeout must be more than 0"
                    ));
                }
                Self {
                    interval,
                    timeout,
                    message: None,
                }
            }
        }))
    }
}

/// What a heartbeat wants now.
#[derive(Debug, PartialEq, Eq)]
pub enum Beat {
    Ping(Bytes),
    /// A message heartbeat.
    Send(Message),
    /// No answer came in time: the peer is a ghost.
    Dead,
}

/// The heartbeat of one open connection.
#[derive(Debug)]
pub struct Keepalive {
    heartbeat: Heartbeat,
    /// When the next beat is due, or when its answer is overdue.
    due: Instant,
    /// The payload of the ping that waits for its pong; empty for a message heartbeat.
    waiting: Option<Bytes>,
    beats: u64,
}

impl Keepalive {
    pub fn new(heartbeat: Heartbeat, now: Instant) -> Self {
        Self {
            due: now + heartbeat.interval,
            heartbeat,
            waiting: None,
            beats: 0,
        }
    }

    pub fn deadline(&self) -> Instant {
        self.due
    }

    /// The same while nothing is read of what the peer sends: its answer may be there, so that none is
    /// overdue, unless the peer has taken nothing of what is written since `stuck`.
    pub fn deadline_unread(&self, stuck: Option<Instant>) -> Option<Instant> {
        if self.waiting.is_none() {
            return Some(self.due);
        }
        stuck.map(|since| self.due.max(since + self.heartbeat.timeout))
    }

    /// What the peer sends is read again: the answer that is waited for gets its whole time anew.
    pub fn resume(&mut self, now: Instant) {
        self.progress(now);
    }

    /// What to do at `now`; `None` before the deadline.
    pub fn poll(&mut self, now: Instant) -> Option<Beat> {
        if now < self.due {
            return None;
        }
        if self.waiting.is_some() {
            return Some(Beat::Dead);
        }
        self.beats += 1;
        self.due = now + self.heartbeat.timeout;
        Some(match &self.heartbeat.message {
            Some(message) => {
                self.waiting = Some(Bytes::new());
                Beat::Send(Message::text(message.text.clone()))
            }
            None => {
                let payload = Bytes::from(self.beats.to_string());
                self.waiting = Some(payload.clone());
                Beat::Ping(payload)
            }
        })
    }

    pub fn pong(&mut self, payload: &[u8], now: Instant) {
        if self.heartbeat.message.is_none() && self.waiting.as_deref() == Some(payload) {
            self.answered(now);
        }
    }

    pub fn message(&mut self, message: &Message, now: Instant) {
        let Some(expected) = &self.heartbeat.message else {
            return;
        };
        let counts = match &expected.reply {
            Some(reply) => message.is_text() && message.payload == reply.as_bytes(),
            None => true,
        };
        if counts && self.waiting.is_some() {
            self.answered(now);
        }
    }

    /// Part of a long message arrived: the answer may be behind it, so the wait starts anew.
    pub fn progress(&mut self, now: Instant) {
        if self.waiting.is_some() {
            self.due = self.due.max(now + self.heartbeat.timeout);
        }
    }

    pub fn timeout(&self) -> Duration {
        self.heartbeat.timeout
    }

    fn answered(&mut self, now: Instant) {
        self.waiting = None;
        self.due = now + self.heartbeat.interval;
    }
}

/// Pings on the way, so that a pong tells its round trip.
#[derive(Debug, Default)]
pub struct Pings {
    sent: VecDeque<(Bytes, Instant)>,
}

impl Pings {
    /// Pings remembered at most; older ones are forgotten first.
    const MOST: usize = 64;

    /// Stamps a ping. To be called before it is written: after it, a fast pong would already be here.
    pub fn sent(&mut self, payload: Bytes, now: Instant) {
        if self.sent.len() == Self::MOST {
            self.sent.pop_front();
        }
        self.sent.push_back((payload, now));
    }

    /// The round trip of the ping that `payload` answers, if it answers one. A pong answers all
    /// earlier pings too (RFC 6455, section 5.5.3).
    pub fn pong(&mut self, payload: &[u8], now: Instant) -> Option<Duration> {
        let at = self.sent.iter().position(|(sent, _)| sent == payload)?;
        let (_, stamp) = self.sent.drain(..=at).next_back()?;
        Some(now.saturating_duration_since(stamp))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heartbeat(message: Option<HeartbeatMessage>) -> (Keepalive, Instant) {
        let start = Instant::now();
        let mut heartbeat = Heartbeat::STANDARD;
        heartbeat.message = message;
        (Keepalive::new(heartbeat, start), start)
    }

    const fn seconds(count: u64) -> Duration {
        Duration::from_secs(count)
    }

    #[test]
    fn a_ping_that_is_answered_keeps_the_peer_alive() {
        let (mut keepalive, start) = heartbeat(None);
        assert_eq!(keepalive.poll(start + seconds(29)), None);
        let ping = Beat::Ping(Bytes::from_static(b"1"));
        assert_eq!(keepalive.poll(start + seconds(30)), Some(ping));
        keepalive.pong(b"other", start + seconds(31));
        assert_eq!(keepalive.deadline(), start + seconds(40));
        keepalive.pong(b"1", start + seconds(31));
        assert_eq!(keepalive.deadline(), start + seconds(61));
    }

    #[test]
    fn a_ping_that_is_not_answered_finds_a_ghost() {
        let (mut keepalive, start) = heartbeat(None);
        keepalive.poll(start + seconds(30));
        assert_eq!(keepalive.poll(start + seconds(39)), None);
        assert_eq!(keepalive.poll(start + seconds(40)), Some(Beat::Dead));
    }

    #[test]
    fn a_long_message_on_its_way_is_no_silence() {
        let (mut keepalive, start) = heartbeat(None);
        keepalive.poll(start + seconds(30));
        keepalive.progress(start + seconds(39));
        assert_eq!(keepalive.poll(start + seconds(40)), None);
        assert_eq!(keepalive.poll(start + seconds(49)), Some(Beat::Dead));
    }

    #[test]
    fn an_answer_that_is_not_read_is_not_overdue() {
        let (mut keepalive, start) = heartbeat(None);
        let before = keepalive.deadline_unread(None);
        assert_eq!(before, Some(start + seconds(30)), "a ping may go out");
        keepalive.poll(start + seconds(30));
        assert_eq!(keepalive.deadline_unread(None), None);
        keepalive.resume(start + seconds(100));
        assert_eq!(keepalive.poll(start + seconds(109)), None);
        assert_eq!(keepalive.poll(start + seconds(110)), Some(Beat::Dead));
    }

    #[test]
    fn who_takes_nothing_is_a_ghost_whether_it_is_read_or_not() {
        let (mut keepalive, start) = heartbeat(None);
        keepalive.poll(start + seconds(30));
        let deadline = |stuck| keepalive.deadline_unread(Some(start + seconds(stuck)));
        assert_eq!(deadline(10), Some(start + seconds(40)));
        assert_eq!(deadline(35), Some(start + seconds(45)));
    }

    #[test]
    fn a_message_heartbeat_counts_its_reply_only() {
        let (mut keepalive, start) = heartbeat(Some(HeartbeatMessage {
            text: "ping".into(),
            reply: Some("pong".into()),
        }));
        let beat = keepalive.poll(start + seconds(30));
        assert_eq!(beat, Some(Beat::Send(Message::text("ping"))));
        keepalive.message(&Message::text("other"), start + seconds(31));
        assert_eq!(keepalive.deadline(), start + seconds(40));
        keepalive.message(&Message::text("pong"), start + seconds(32));
        assert_eq!(keepalive.deadline(), start + seconds(62));
    }

    #[test]
    fn a_pong_is_matched_to_its_ping_and_ends_the_earlier_ones() {
        let mut pings = Pings::default();
        let start = Instant::now();
        for (n, name) in [b"a", b"b", b"c"].into_iter().enumerate() {
            pings.sent(Bytes::from_static(name), start + seconds(n as u64));
        }
        assert_eq!(pings.pong(b"x", start + seconds(5)), None);
        assert_eq!(pings.pong(b"b", start + seconds(5)), Some(seconds(4)));
        assert_eq!(pings.pong(b"a", start + seconds(5)), None);
        assert_eq!(pings.pong(b"c", start + seconds(5)), Some(seconds(3)));
    }

    #[test]
    fn heartbeats_have_names() {
        assert_eq!(Heartbeat::parse("standard"), Ok(Some(Heartbeat::STANDARD)));
        assert_eq!(Heartbeat::parse("off"), Ok(None));
        assert!(Heartbeat::parse("300ms/100ms").is_ok());
        assert!(Heartbeat::parse("0/1").is_err());
        assert!(
            Heartbeat::parse("fast")
                .unwrap_err()
                .contains("INTERVAL/TIMEOUT")
        );
    }
}
