//! What is said of a run while it goes on: one plain line a second.

use super::figures::Latency;
use super::run::Second;
use super::shared::Phase;
use super::threshold;
use crate::model::units::Thousands;

/// One second on one line.
pub fn line(second: &Second) -> String {
    let seconds = second.at.as_secs();
    let took = second.took.as_secs_f64().max(1e-3);
    let rate = |count: u64| Thousands((count as f64 / took).round() as u64);
    let measured = [Latency::Rtt, Latency::Session, Latency::Delivery].into_iter();
    let mut measured = measured.filter(|latency| !second.figures.latency(*latency).is_empty());
    let latency = measured.next().map_or_else(String::new, |latency| {
        let times = second.figures.latency(latency);
        let millis = |quantile| times.value_at_quantile(quantile) as f64 / 1e3;
        let (p50, p99) = (millis(0.5), millis(0.99));
        format!("   {} p50 {p50:.2} p99 {p99:.2} ms", latency.name())
    });
    let messages = second.figures.messages;
    format!(
        "{:02}:{:02} {:8} open {}   sent {}/s   received {}/s{latency}   errors {}\n",
        seconds / 60,
        seconds % 60,
        word(second.phase),
        Thousands(second.open as u64),
        rate(messages.sent),
        rate(messages.received),
        Thousands(threshold::errors(&second.figures)),
    )
}

const fn word(phase: Phase) -> &'static str {
    match phase {
        Phase::Ramp => "ramp",
        Phase::WarmUp => "warm-up",
        Phase::Measure => "run",
        Phase::Drain => "drain",
        Phase::Close | Phase::Stop => "close",
    }
}
