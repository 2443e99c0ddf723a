//! What stays in the terminal when the full screen is left: three lines.

use std::time::Duration;

use super::scene::{Scene, Weight};
use crate::model::units::show_duration;
use crate::view::stats;

/// The summary of a session; what went wrong where there never was one.
pub fn farewell(scene: &Scene, now: Duration) -> Vec<String> {
    let vitals = &scene.vitals;
    let Some(open) = &vitals.open else {
        let wrong = scene
            .notes
            .iter()
            .filter(|note| note.weight != Weight::Info);
        return wrong.map(|note| note.text.clone()).collect();
    };
    let mut first = match vitals.open_of() {
        Some((_, targets)) => format!("{targets} targets"),
        None => open.url.clone(),
    };
    if let Some(time) = open_time(scene, now) {
        first.push_str(&format!(", open for {}", show_duration(time)));
    }
    match vitals.retries {
        0 => {}
        1 => first.push_str(", 1 retry"),
        count => first.push_str(&format!(", {count} retries")),
    }
    if let Some((_, code)) = &vitals.last_close {
        first.push_str(&format!(", closed {code} ({})", code.name()));
        if vitals.is_unanswered {
            first.push_str(" by us: the peer did not answer our Close");
        }
    }
    let mut lines = vec![first];
    lines.extend(stats(&vitals.totals()).into_iter().take(2));
    lines
}

/// How long a connection was open, all together.
fn open_time(scene: &Scene, now: Duration) -> Option<Duration> {
    use crate::model::state::ReadyState;

    let mut since = None;
    let mut total = Duration::ZERO;
    for (at, state) in &scene.vitals.changes {
        if *state == ReadyState::Open {
            since.get_or_insert(*at);
        } else if let Some(since) = since.take() {
            total += at.saturating_sub(since);
        }
    }
    if let Some(since) = since {
        total += now.saturating_sub(since);
    }
    (!total.is_zero()).then_some(total)
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;
    use crate::model::close::CloseCode;
    use crate::model::event::{Close, ClosedBy, Event, What};
    use crate::model::state::ReadyState;
    use crate::tui::connect::sample::Told;

    #[test]
    fn a_close_that_nobody_answered_is_told() {
        let mut told = Told::begin();
        told.opens().hear(What::Close(Box::new(Close {
            code: CloseCode(1000),
            reason: String::new(),
            clean: false,
            by: ClosedBy::Us,
            wire_code: None,
            idle: Duration::ZERO,
            unsent: 0,
        })));
        let first = &farewell(&told.scene, told.now)[0];
        let end = "closed 1000 (normal closure) by us: the peer did not answer our Close";
        assert!(first.ends_with(end), "{first}");
    }

    #[test]
    fn of_several_targets_none_stands_for_all() {
        let mut told = Told::begin();
        told.opens();
        told.scene.hear(Event {
            time: SystemTime::UNIX_EPOCH,
            at: told.now,
            conn: Some(9),
            name: Some("other".into()),
            what: What::State(ReadyState::Open),
        });
        let first = &farewell(&told.scene, told.now)[0];
        assert!(first.starts_with("2 targets"), "{first}");
    }
}
