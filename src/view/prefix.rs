//! What stands before a line: when it happened, and to whom where there are several.

use std::io::Write as _;
use std::time::SystemTime;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::model::event::{Event, What};
use crate::text::sanitize;
use crate::text::style::{Ink, Style};

use super::Plan;

/// Writes prefixes; in most runs there is nothing to write.
#[derive(Debug, Clone)]
pub(super) struct Prefix {
    /// Set where `--timestamps` asks for them.
    zone: Option<TimeZone>,
    /// A server runs here: its clients are told apart by their ordinal.
    serving: bool,
    style: Style,
}

impl Prefix {
    pub(super) fn new(plan: &Plan, style: Style) -> Self {
        Self {
            zone: plan.timestamps.then(TimeZone::system),
            serving: false,
            style,
        }
    }

    pub(super) const fn set_style(&mut self, style: Style) {
        self.style = style;
    }

    /// To be shown every event: whoever listens has clients.
    pub(super) const fn observe(&mut self, what: &What) {
        if matches!(what, What::Listening { .. }) {
            self.serving = true;
        }
    }

    pub(super) const fn is_serving(&self) -> bool {
        self.serving
    }

    /// `14:02:11.340 `, in the local time zone.
    pub(super) fn time(&self, time: SystemTime, out: &mut Vec<u8>) {
        let (Some(zone), Ok(stamp)) = (&self.zone, Timestamp::try_from(time)) else {
            return;
        };
        let text = stamp
            .to_zoned(zone.clone())
            .strftime("%H:%M:%S%.3f")
            .to_string();
        // Writing to a Vec never fails, here and below.
        let _ = write!(out, "{} ", self.style.paint(Ink::Dim, &text));
    }

    /// The target's name, or `#2` for the second client of a server.
    pub(super) fn who(&self, event: &Event, out: &mut Vec<u8>) {
        let _ = match (&event.name, event.conn) {
            (Some(name), _) => {
                let name = sanitize::line(name);
                write!(out, "{} ", self.style.paint(Ink::Dim, &name))
            }
            (None, Some(conn)) if self.serving => {
                write!(out, "{} ", self.style.paint(Ink::Dim, &format!("#{conn}")))
            }
            _ => Ok(()),
        };
    }

    /// Both, in this order.
    pub(super) fn both(&self, event: &Event, out: &mut Vec<u8>) {
        self.time(event.time, out);
        self.who(event, out);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::*;
    use crate::view::sample::received;

    fn shown(prefix: &Prefix, event: &Event) -> String {
        let mut out = Vec::new();
        prefix.both(event, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn it_says_when_and_who_only_where_that_is_a_question() {
        let mut prefix = Prefix {
            zone: None,
            serving: false,
            style: Style::PLAIN,
        };
        let mut event = received("x");
        event.time += Duration::from_millis(3_661_007);
        assert_eq!(shown(&prefix, &event), "");
        prefix.zone = Some(TimeZone::UTC);
        assert_eq!(shown(&prefix, &event), "01:01:01.007 ");
        prefix.zone = None;
        prefix.observe(&What::Listening { url: String::new() });
        assert_eq!(shown(&prefix, &event), "#1 ");
        event.name = Some(Arc::from("a\x1b"));
        assert_eq!(shown(&prefix, &event), "a\\x1b ");
    }
}
