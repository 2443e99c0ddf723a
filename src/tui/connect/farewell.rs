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
    let mut first = open.url.clone();
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
