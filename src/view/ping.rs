//! What `ping` prints: how the connection was opened, each round trip, and a verdict in one line.
//!
//! A line begins with the word that a script would look for (`phases`, `certificate`, `pong 2`),
//! and the last one with `up:` or `failing:`. A connection that never opened leaves nothing here:
//! its error is said on stderr, as everywhere.

use std::time::{Duration, SystemTime};

use bytes::Bytes;

use crate::model::event::{Close, ClosedBy, Direction, End, Event, Open, TlsInfo, What};
use crate::model::handshake::Timings;
use crate::model::ndjson::rfc3339;
use crate::model::units::show_duration;
use crate::text::sanitize;
use crate::text::style::{Ink, Style};

use super::{Format, FormatEntry, Page, Plan, closing};

pub(super) const REPORT: FormatEntry = FormatEntry {
    name: "ping",
    help: "steps of the opening, round trips and a verdict, for people",
    talks: true,
    make: |plan| Box::new(Report::new(plan.data_style)),
};

/// `--quiet`.
pub(super) const QUIET: FormatEntry = FormatEntry {
    name: "quiet",
    help: "nothing but errors",
    talks: true,
    make: |_: &Plan| Box::new(Quiet),
};

/// Wide enough for the longest label.
const LABEL_WIDTH: usize = 13;
const DAY: Duration = Duration::from_secs(24 * 3600);

struct Report {
    style: Style,
    opened: bool,
    pings: u64,
    answered: u64,
    /// The ping that no pong has answered yet.
    waiting: Option<Bytes>,
    least: Duration,
    sum: Duration,
    /// Which way the last ping or pong went.
    last: Option<Direction>,
    /// How it ended, in words.
    close: Option<String>,
}

struct Quiet;

impl Format for Quiet {
    fn event(&mut self, _event: &Event, _page: &mut Page) {}
}

impl Report {
    const fn new(style: Style) -> Self {
        Self {
            style,
            opened: false,
            pings: 0,
            answered: 0,
            waiting: None,
            least: Duration::MAX,
            sum: Duration::ZERO,
            last: None,
            close: None,
        }
    }

    fn opened(&mut self, open: &Open, now: SystemTime, page: &mut Page) {
        self.opened = true;
        self.line("url", &open.url, page);
        self.line("peer", &open.peer, page);
        self.line("phases", &phases(&open.timings), page);
        if let Some(subprotocol) = &open.subprotocol {
            self.line("subprotocol", subprotocol, page);
        }
        if !open.extensions.is_empty() {
            self.line("extensions", &open.extensions.join(", "), page);
        }
        if let Some(tls) = &open.tls {
            self.line("tls", &format!("{}, {}", tls.version, tls.cipher), page);
            self.line("certificate", &certificate(tls, now), page);
        }
    }

    fn pinged(&mut self, payload: &Bytes, page: &mut Page) {
        self.gave_up_waiting(page);
        self.pings += 1;
        self.last = Some(Direction::Out);
        self.waiting = Some(payload.clone());
    }

    fn ponged(&mut self, payload: &Bytes, rtt: Duration, page: &mut Page) {
        let number = String::from_utf8_lossy(payload);
        let mut text = show_duration(rtt);
        self.last = Some(Direction::In);
        if self.waiting.as_ref() == Some(payload) {
            self.waiting = None;
            self.answered += 1;
            self.least = self.least.min(rtt);
            self.sum += rtt;
        } else {
            text.push_str(", too late");
        }
        self.line(&format!("pong {number}"), &text, page);
    }

    fn gave_up_waiting(&mut self, page: &mut Page) {
        if let Some(payload) = self.waiting.take() {
            let number = String::from_utf8_lossy(&payload);
            self.line(&format!("ping {number}"), "no pong", page);
        }
    }

    fn verdict(&self, end: &End, page: &mut Page) {
        let (word, ink) = match end.exit {
            0 => ("up", Ink::Control),
            129.. => ("interrupted", Ink::Hint),
            _ => ("failing", Ink::Error),
        };
        let lost = self.pings - self.answered;
        let pings = match self.pings {
            1 => "1 ping".to_owned(),
            many => format!("{many} pings"),
        };
        let mut text = format!("{pings}, {lost} lost");
        if let (Some(all), Ok(count @ 1..)) = (&end.rtt, u32::try_from(self.answered)) {
            text.push_str(&format!(
                "; round trip min {}, avg {}, p50 {}, max {}",
                show_duration(self.least),
                show_duration(self.sum / count),
                show_duration(all.p50),
                show_duration(all.max)
            ));
        }
        text.push_str("; ");
        text.push_str(self.close.as_deref().unwrap_or("not closed"));
        let text = sanitize::line(&text);
        let line = format!("{}: {text}\n", self.style.paint(ink, word));
        page.data.extend_from_slice(line.as_bytes());
    }

    fn line(&self, label: &str, text: &str, page: &mut Page) {
        let label = format!("{:LABEL_WIDTH$}", sanitize::line(label));
        let line = format!(
            "{}{}\n",
            self.style.paint(Ink::Dim, &label),
            sanitize::line(text)
        );
        page.data.extend_from_slice(line.as_bytes());
    }
}

impl Format for Report {
    fn event(&mut self, event: &Event, page: &mut Page) {
        match &event.what {
            What::Open(open) => self.opened(open, event.time, page),
            What::Ping {
                dir: Direction::Out,
                payload,
            } => self.pinged(payload, page),
            What::Pong {
                dir: Direction::In,
                payload,
                rtt: Some(rtt),
            } => self.ponged(payload, *rtt, page),
            What::Close(close) => {
                self.gave_up_waiting(page);
                self.close = Some(ending(close, self.last));
            }
            What::End(end) if self.opened => {
                self.gave_up_waiting(page);
                self.verdict(end, page);
            }
            _ => {}
        }
    }
}

/// `dns 3.1ms, tcp 20ms, upgrade 20ms, total 43ms`: the steps that were taken.
fn phases(timings: &Timings) -> String {
    let taken = timings
        .steps()
        .chain([("total", timings.total)])
        .map(|(name, step)| format!("{name} {}", show_duration(step)));
    taken.collect::<Vec<_>>().join(", ")
}

fn certificate(tls: &TlsInfo, now: SystemTime) -> String {
    let mut text = tls.subject.clone().unwrap_or_else(|| "no name".to_owned());
    if let Some(expires) = tls.expires {
        let time = rfc3339(expires);
        let day = time.split('T').next().unwrap_or_default();
        text.push_str(&match expires.duration_since(now) {
            Ok(left) => format!(", {} left (until {day})", days(left)),
            Err(past) => format!(", expired {} ago (on {day})", days(past.duration())),
        });
    }
    if !tls.checked {
        text.push_str(", NOT checked");
    }
    text
}

/// Whole days.
fn days(time: Duration) -> String {
    match time.as_secs() / DAY.as_secs() {
        0 => "less than a day".to_owned(),
        1 => "1 day".to_owned(),
        days => format!("{days} days"),
    }
}

fn ending(close: &Close, last: Option<Direction>) -> String {
    if close.by == ClosedBy::Us && close.clean {
        format!("closed cleanly with {}", close.code)
    } else {
        closing::sentence(close, last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::event::RoundTrips;
    use crate::view::sample::{close, event, open, ping, plan, pong};

    fn written(events: &[Event]) -> String {
        let mut report = (REPORT.make)(&plan("ping"));
        let mut page = Page::default();
        for event in events {
            report.event(event, &mut page);
        }
        String::from_utf8(page.data).unwrap()
    }

    fn end(exit: u8, longest: Option<u64>) -> Event {
        let rtt = longest.map(|millis| RoundTrips {
            p50: Duration::from_millis(2),
            p99: Duration::from_millis(millis),
            max: Duration::from_millis(millis),
        });
        event(What::End(Box::new(End {
            rtt,
            exit,
            ..End::default()
        })))
    }

    fn after(millis: u64) -> Option<Duration> {
        Some(Duration::from_millis(millis))
    }

    const OPENED: &str = "url          ws://127.0.0.1:9001/chat\n\
                          peer         127.0.0.1:9001\n\
                          phases       tcp 1.0ms, upgrade 2.0ms, total 3.0ms\n";

    #[test]
    fn a_good_server_is_up() {
        let text = written(&[
            open(),
            ping(Direction::Out, b"1"),
            pong(b"1", after(1)),
            ping(Direction::In, b"theirs"),
            ping(Direction::Out, b"2"),
            pong(b"2", after(4)),
            close(1000, ClosedBy::Us, "", Duration::ZERO),
            end(0, Some(4)),
        ]);
        let expected = "pong 1       1.0ms\n\
                        pong 2       4.0ms\n\
                        up: 2 pings, 0 lost; round trip min 1.0ms, avg 2.5ms, p50 2.0ms, max 4.0ms; \
                        closed cleanly with 1000\n";
        assert_eq!(text, format!("{OPENED}{expected}"));
    }

    #[test]
    fn what_was_lost_and_what_came_too_late_is_told() {
        let text = written(&[
            open(),
            ping(Direction::Out, b"1"),
            ping(Direction::Out, b"2"),
            pong(b"1", after(6000)),
            pong(b"nobody asked", None),
            close(1011, ClosedBy::Peer, "boom", Duration::ZERO),
            end(7, Some(6000)),
        ]);
        let expected = "ping 1       no pong\n\
                        pong 1       6.00s, too late\n\
                        ping 2       no pong\n\
                        failing: 2 pings, 2 lost; closed 1011 (internal error) by the peer: \
                        \"boom\": the server failed, its log may say how\n";
        assert_eq!(text, format!("{OPENED}{expected}"));
    }

    #[test]
    fn who_leaves_early_says_so() {
        let text = written(&[open(), ping(Direction::Out, b"1"), end(130, None)]);
        let expected = "ping 1       no pong\ninterrupted: 1 ping, 1 lost; not closed\n";
        assert_eq!(text, format!("{OPENED}{expected}"));
    }

    #[test]
    fn what_never_opened_leaves_nothing() {
        assert_eq!(written(&[end(3, None)]), "");
    }

    #[test]
    fn a_certificate_counts_its_days() {
        let now = SystemTime::UNIX_EPOCH + 20_000 * DAY;
        let info = |expires, checked| TlsInfo {
            version: "TLSv1.3".into(),
            cipher: "X".into(),
            subject: Some("CN=a".into()),
            expires: Some(expires),
            checked,
        };
        for (expires, checked, want) in [
            (
                now + 71 * DAY,
                true,
                "CN=a, 71 days left (until 2024-12-14)",
            ),
            (now + DAY, true, "CN=a, 1 day left (until 2024-10-05)"),
            (
                now + DAY / 2,
                true,
                "CN=a, less than a day left (until 2024-10-04)",
            ),
            (
                now - 3 * DAY,
                false,
                "CN=a, expired 3 days ago (on 2024-10-01), NOT checked",
            ),
        ] {
            assert_eq!(certificate(&info(expires, checked), now), want);
        }
    }

    #[test]
    fn nothing_of_the_peers_reaches_a_terminal_raw() {
        let mut opening = open();
        let What::Open(open) = &mut opening.what else {
            panic!("an open");
        };
        open.subprotocol = Some("a\x1b[2Jb".into());
        let goodbye = close(4000, ClosedBy::Peer, "\x1b]0;x\x07", Duration::ZERO);
        let text = written(&[opening, goodbye, end(8, None)]);
        assert!(!text.contains('\x1b'), "{text:?}");
    }
}
