//! How latencies are spread while a run goes on: their percentiles, worked out once a second.

use hdrhistogram::Histogram;

use super::figures::{Figures, Latency};
use super::plan::Workload;
use super::result::PERCENTILES;
use super::script::Step;

/// Microseconds; `None` where there are not samples enough for it to mean something.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Spread {
    pub count: u64,
    pub min: Option<u64>,
    pub p50: Option<u64>,
    pub p90: Option<u64>,
    pub p99: Option<u64>,
    pub p99_9: Option<u64>,
    pub p99_99: Option<u64>,
    pub max: Option<u64>,
}

impl Spread {
    pub fn of(samples: &Histogram<u64>) -> Self {
        let count = samples.len();
        let any = |value: u64| (count > 0).then_some(value);
        let percentile = |percentile: f64| {
            let known = PERCENTILES.iter().find(|(known, _)| *known == percentile);
            let least = known.map_or(1, |(_, least)| *least);
            (count >= least).then(|| samples.value_at_quantile(percentile / 100.0))
        };
        Self {
            count,
            min: any(samples.min()),
            p50: percentile(50.0),
            p90: percentile(90.0),
            p99: percentile(99.0),
            p99_9: percentile(99.9),
            p99_99: percentile(99.99),
            max: any(samples.max()),
        }
    }
}

/// A row of the table of latencies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    pub name: String,
    pub total: Spread,
    pub last: Spread,
}

/// What is shown beside the latency that the load is mainly about, where there is any: what matters
/// most comes first.
const OTHERS: [Latency; 17] = [
    Latency::Rtt,
    Latency::Delivery,
    Latency::LastSubscriber,
    Latency::StormRecovery,
    Latency::StormHandshake,
    Latency::Handshake,
    Latency::FirstMessage,
    Latency::Service,
    Latency::Ping,
    Latency::SendStall,
    Latency::SchedLag,
    Latency::Upgrade,
    Latency::Tls,
    Latency::Tcp,
    Latency::Proxy,
    Latency::Dns,
    Latency::Session,
];

/// The table: of all that was measured, and of the last second.
pub fn table(total: &Figures, last: &Figures, workload: &Workload, steps: &[Step]) -> Vec<Row> {
    let main = workload.main_latency();
    let row = |latency: Latency| Row {
        name: latency.name().replace(['_', '.'], " "),
        total: Spread::of(total.latency(latency)),
        last: Spread::of(last.latency(latency)),
    };
    let mut rows = vec![row(main)];
    let counted = steps.iter().zip(&total.steps).enumerate();
    rows.extend(
        counted
            .filter(|(_, (_, counted))| !counted.latency.is_empty())
            .map(|(place, (step, counted))| {
                let last = last.steps.get(place);
                Row {
                    name: format!("step {}", step.name),
                    total: Spread::of(&counted.latency),
                    last: last.map_or_else(Spread::default, |last| Spread::of(&last.latency)),
                }
            }),
    );
    let others = OTHERS.into_iter().filter(|latency| *latency != main);
    rows.extend(
        others
            .filter(|latency| !total.latency(*latency).is_empty())
            .map(row),
    );
    rows
}
