//! Whatever a run came to: cut into shards, written, read and merged it is the same run again.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use proptest::prelude::*;
use proptest::sample::Index;

use super::super::failure::Failure;
use super::super::feed::Feed;
use super::super::figures::{Close, ClosedBy, Figures, Latency};
use super::super::payload::Payload;
use super::super::plan::{End, MODES, PER_SOURCE, Pace, Ramp, Rate, Sources, Workload};
use super::super::reply::Match;
use super::super::result::{BenchResult, Facets, read, result};
use super::super::run::{EndReason, Finished, Generator, Second};
use super::super::shard::{Shard, divide};
use super::super::shared::Phase;
use super::super::threshold::Threshold;
use super::*;
use crate::model::message::Kind;

const SECONDS: usize = 4;
/// What a failure is among the things that happen.
const FAILURE: u8 = 3;

fn sample(micros: u64) -> String {
    format!("busy {}", micros % 3)
}

/// Something that happened on a connection of a shard, in some second.
#[derive(Debug, Clone)]
struct Happened {
    shard: usize,
    second: usize,
    latency: usize,
    micros: u64,
    what: u8,
}

fn happened() -> impl Strategy<Value = Happened> {
    let micros = prop_oneof![1..2_000_u64, 1..10_000_000_u64];
    (
        0..12_usize,
        0..SECONDS,
        0..Latency::ALL.len(),
        micros,
        0..7_u8,
    )
        .prop_map(|(shard, second, latency, micros, what)| Happened {
            shard,
            second,
            latency,
            micros,
            what,
        })
}

impl Happened {
    fn count(&self, figures: &mut Figures) {
        let took = Duration::from_micros(self.micros);
        let latency = Latency::ALL[self.latency];
        // A load is about messages that are answered, or about others.
        if !matches!(latency, Latency::Session | Latency::Delivery) {
            figures.record(latency, took);
        }
        figures.record(Latency::Rtt, took);
        figures.messages.sent += 1;
        figures.bytes.sent_wire += self.micros;
        figures.frames_sent[1] += 1;
        figures.frames_received[usize::from(self.what)] += 1;
        match self.what {
            0 => figures.connections.opened += 1,
            1 => figures.connections.lost += 1,
            2 => figures.messages.unanswered += 1,
            FAILURE => figures.failed(Failure::status(503, sample(self.micros)), self.micros),
            4 => {
                let close = Close {
                    code: 1000 + (self.micros % 3) as u16,
                    by: ClosedBy::Peer,
                    detail: None,
                };
                figures.closed(close, Some(&format!("reason {}", self.micros % 5)));
            }
            _ => figures.messages.received += 1,
        }
    }
}

fn load() -> Workload {
    Workload {
        mode: &MODES[0],
        connections: 120,
        pace: Pace::Closed {
            pipeline: 1,
            think: None,
        },
        rate_stages: None,
        end: End {
            duration: Some(Duration::from_secs(SECONDS as u64)),
            messages: None,
        },
        payload: Payload::generated(Kind::Text, 128),
        how: Match::Echo,
        opening: Vec::new(),
        feed: Feed::default(),
        ramp: Ramp {
            rate: None,
            concurrency: 128,
            stages: None,
        },
        warmup: Duration::ZERO,
        grace: Duration::ZERO,
        timeout: Duration::from_secs(10),
        patience: Duration::from_secs(2),
        lifetime: None,
        reconnect: false,
        storm: None,
        slow: None,
        sync: false,
        ping: None,
        fanout: None,
        script: None,
        sources: Sources::default(),
        threads: 2,
        seed: 7,
        shard: Shard::WHOLE,
        first: 1,
        hold: Arc::default(),
    }
}

/// The result of a shard in which this happened, as it comes out of its file. Its clock's second begins
/// `late` after that of others.
fn ran(shard: Shard, events: &[&Happened], late: Duration) -> Part {
    let whole = load();
    let workload = divide(&whole, shard).unwrap();
    let seconds: Vec<Second> = (0..SECONDS)
        .map(|at| {
            let mut figures = Figures::default();
            for event in events.iter().filter(|event| event.second == at) {
                event.count(&mut figures);
            }
            Second {
                at: Duration::from_secs(at as u64 + 1),
                phase: Phase::Measure,
                open: workload.connections,
                connecting: 0,
                in_flight: 0,
                figures,
                cpu: 0.3,
                took: Duration::from_secs(1),
                generator: Generator::default(),
            }
        })
        .collect();
    let mut total = Figures::default();
    for second in &seconds {
        total.merge(&second.figures);
    }
    // Failures are stamped with the clock, which has nothing to do with what happened here.
    let failures = events.iter().filter(|event| event.what == FAILURE);
    if let (Some(seen), Some(first)) = (
        total.errors.values_mut().next(),
        failures.map(|event| event.micros).min(),
    ) {
        seen.first_at = UNIX_EPOCH + Duration::from_secs(2_000_000 + first);
        seen.connection = first;
        seen.sample = sample(first);
    }
    let started_at = UNIX_EPOCH + Duration::from_secs(1_000_000) + late;
    let finished = Finished {
        started_at,
        ended_at: started_at + Duration::from_secs(SECONDS as u64),
        end_reason: EndReason::Duration,
        figures: total,
        seconds,
        peak: workload.connections,
        open_at_end: workload.connections,
        ramp: Duration::ZERO,
        measured: Duration::from_secs(SECONDS as u64),
        drain: Duration::ZERO,
        held: Duration::ZERO,
        generator: Generator {
            cpu: 0.3,
            ..Generator::default()
        },
        target: None,
    };
    let thresholds = ["rtt.p99<1ms", "messages.sent>=10", "errors.rate<50%"];
    let facets = Facets {
        workload: &workload,
        whole: &whole,
        start_at: None::<SystemTime>,
        target: "ws://h/".into(),
        tls: false,
        compress: false,
        local: shard.index == 1,
        inside: false,
        thresholds: &thresholds.map(|text| Threshold::parse(text).unwrap()),
    };
    let mut result = result(&finished, &facets);
    result.run.id = format!("{:04x}", shard.index);
    Part {
        name: format!("{shard}.json"),
        result: again(&result),
    }
}

/// Written and read.
fn again(result: &BenchResult) -> BenchResult {
    read(&serde_json::to_vec_pretty(result).unwrap()).unwrap()
}

fn shards(events: &[Happened], count: usize) -> Vec<Part> {
    let each = (0..count).map(|index| {
        let own: Vec<&Happened> = events
            .iter()
            .filter(|one| one.shard % count == index)
            .collect();
        ran(
            Shard { index, count },
            &own,
            Duration::from_millis(40 * index as u64),
        )
    });
    each.collect()
}

fn merged(parts: &[Part]) -> Part {
    let options = Options {
        thresholds: &[],
        partial: true,
    };
    let result = merge(parts, &options).unwrap_or_else(|why| panic!("{why:#?}"));
    Part {
        name: "merged".into(),
        result: again(&result),
    }
}

fn text(part: &Part) -> String {
    serde_json::to_string_pretty(&part.result).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn the_shards_together_are_the_whole(
        events in prop::collection::vec(happened(), 0..100),
        count in 1..6_usize,
    ) {
        let all: Vec<&Happened> = events.iter().collect();
        let whole = ran(Shard::WHOLE, &all, Duration::ZERO).result;
        let merged = merged(&shards(&events, count)).result;
        // Bucket for bucket: the encoded histograms are the same text.
        prop_assert_eq!(&merged.latency, &whole.latency);
        prop_assert_eq!(&merged.messages, &whole.messages);
        prop_assert_eq!(&merged.connections, &whole.connections);
        prop_assert_eq!(&merged.bytes, &whole.bytes);
        prop_assert_eq!(&merged.frames, &whole.frames);
        prop_assert_eq!(&merged.errors, &whole.errors);
        prop_assert_eq!(&merged.workload, &whole.workload);
        prop_assert_eq!(&merged.thresholds, &whole.thresholds);
        prop_assert_eq!(merged.verdict.passed, whole.verdict.passed);
        prop_assert_eq!(&merged.series.histograms, &whole.series.histograms);
        let counts = |result: &BenchResult| {
            let each = result.closes.iter();
            each.map(|close| (close.code, close.by.clone(), close.count)).collect::<Vec<_>>()
        };
        prop_assert_eq!(counts(&merged), counts(&whole));
        // A latency that has no histogram of each second, and what each process takes.
        let differs = |name: &str| matches!(name, "lag_p99" | "cpu");
        for (ours, theirs) in merged.series.rows.iter().zip(&whole.series.rows) {
            for ((ours, theirs), name) in ours.iter().zip(theirs).zip(&whole.series.columns) {
                prop_assert!(ours == theirs || differs(name), "{}: {} and {}", name, ours, theirs);
            }
        }
        prop_assert_eq!(merged.series.rows.len(), whole.series.rows.len());
    }

    #[test]
    fn neither_order_nor_grouping_shows(
        events in prop::collection::vec(happened(), 0..40),
        order in Just(vec![0_usize, 1, 2, 3]).prop_shuffle(),
        cut in any::<Index>(),
    ) {
        let parts = shards(&events, 4);
        let at_once = text(&merged(&parts));
        let shuffled: Vec<Part> = order.iter().map(|at| parts[*at].clone()).collect();
        prop_assert_eq!(&text(&merged(&shuffled)), &at_once);
        let (left, right) = shuffled.split_at(1 + cut.index(3));
        let grouped = [merged(left), merged(right)];
        prop_assert_eq!(&text(&merged(&grouped)), &at_once);
        let nested = [merged(left)].into_iter().chain(right.iter().cloned());
        let nested: Vec<Part> = nested.collect();
        prop_assert_eq!(&text(&merged(&nested)), &at_once);
        // What is merged already stays what it is.
        prop_assert_eq!(&text(&merged(&[merged(&parts)])), &at_once);
    }
}

#[track_caller]
fn refused(parts: &[Part], reasons: &[&str]) {
    let why = merge(parts, &Options::default()).expect_err("it is refused");
    assert_eq!(why.len(), reasons.len(), "{why:#?}");
    for (why, reason) in why.iter().zip(reasons) {
        assert!(why.contains(reason), "{why:#?}");
    }
}

#[test]
fn what_is_not_the_same_load_is_refused_with_every_reason() {
    let parts = shards(&[], 3);
    assert!(merge(&parts, &Options::default()).is_ok());
    refused(&parts[..2], &["1 of 3 shards are missing: 3 (--partial"]);
    refused(
        &[
            parts[0].clone(),
            parts[0].clone(),
            parts[1].clone(),
            parts[2].clone(),
        ],
        &["1/3.json and 1/3.json have the same run, 0000"],
    );
    let changed = |change: fn(&mut BenchResult)| {
        let mut parts = parts.clone();
        change(&mut parts[1].result);
        parts
    };
    refused(
        &changed(|result| {
            result.workload.hash = "sha256:0".into();
            result.workload.connections = 9;
            result.run.seed = "8".into();
            result.shard.index = 0;
            result.thresholds.clear();
        }),
        &[
            "1/3.json and 2/3.json are of different loads: connections 120 and 9",
            "different seeds, 7 and 8",
            "different thresholds: \"rtt.p99<1ms messages.sent>=10 errors.rate<50%\" and \"\"",
            "are both shard 1 of 3",
            "1 of 3 shards are missing: 2",
        ],
    );
    refused(
        &changed(|result| result.shard.count = 4),
        &["are of 3 and 4 shards"],
    );
    refused(
        &changed(|result| result.schema_version = 2),
        &["schema_version is 2"],
    );
    refused(
        &changed(|result| result.messages.sent = u64::MAX),
        &["2/3.json: it has a number beyond"],
    );
    refused(
        &changed(|result| result.latency.rtt.count = 5),
        &["the histogram of rtt has 0 samples, and its count is 5"],
    );
    refused(
        &changed(|result| result.latency.ping.hdr.data = "AAAA".into()),
        &["the histogram of ping cannot be read"],
    );
    refused(
        &changed(|result| drop(result.series.columns.pop())),
        &["its series has other columns"],
    );
    refused(
        &changed(|result| result.series.rows[1][0] = -1.0),
        &["row 2 of its series is not whole"],
    );
    refused(
        &changed(|result| {
            result.storms = Some(super::super::result::Storms {
                every_s: 1.0,
                begun: 1,
                recovered: 1,
                dropped: 1,
                cut: 0,
            });
        }),
        &["2/3.json: it is of --storm, which one process has to do alone"],
    );
    let delivery = [Threshold::parse("delivery.p99<1ms").unwrap()];
    let asked = Options {
        thresholds: &delivery,
        partial: false,
    };
    let why = merge(&parts, &asked).expect_err("nothing was delivered");
    assert!(
        why[0].contains("only --mode fanout measures delivery.p99"),
        "{why:#?}"
    );
    refused(&[], &["nothing to merge"]);
    let alone = ran(Shard::WHOLE, &[], Duration::ZERO);
    refused(
        &[
            alone.clone(),
            Part {
                result: {
                    let mut other = alone.result.clone();
                    other.run.id = "ffff".into();
                    other
                },
                ..alone
            },
        ],
        &["are loads of one process each: bench --shard I/N"],
    );
}

/// A message in the first second.
fn answered(shard: usize) -> Happened {
    Happened {
        shard,
        second: 0,
        latency: 7,
        micros: 500,
        what: 5,
    }
}

#[test]
fn the_verdict_says_which_shard_it_comes_from() {
    let events: Vec<Happened> = (0..3).map(answered).collect();
    let mut parts = shards(&events, 3);
    parts[1].result.verdict.valid = false;
    parts[1].result.verdict.invalid_reasons = vec![RemarkInfo {
        code: "lag".into(),
        text: "too slow".into(),
    }];
    let result = merged(&parts).result;
    assert!(
        !result.verdict.valid && !result.verdict.partial,
        "{:#?}",
        result.verdict
    );
    assert_eq!(result.verdict.invalid_reasons[0].text, "shard 2: too slow");
    let result = merged(&parts[1..]).result;
    assert!(result.verdict.partial);
    assert_eq!(
        result.verdict.warnings[0].text,
        "1 of 3 shards are missing: 1"
    );
    assert_eq!(result.shard.index, 1);
    // Those that did not run at the same time are no one load.
    let apart = [0, 10].map(|late| {
        let index = usize::from(late > 0);
        let late = Duration::from_secs(late);
        ran(Shard { index, count: 2 }, &[&answered(index)], late)
    });
    let result = merged(&apart).result;
    assert_eq!(result.verdict.invalid_reasons[0].code, "skew");
    assert!(
        result.verdict.invalid_reasons[0]
            .text
            .contains("for 0.0 of 4.0 s")
    );
}

#[test]
fn thresholds_are_judged_on_the_whole() {
    let events: Vec<Happened> = (0..12).map(answered).collect();
    let parts = shards(&events, 3);
    assert!(
        parts
            .iter()
            .all(|part| part.result.thresholds[1].left_to_merge)
    );
    let more = [Threshold::parse("connections.open>=121").unwrap()];
    let options = Options {
        thresholds: &more,
        partial: false,
    };
    let result = merge(&parts, &options).unwrap();
    let judged: Vec<(bool, Option<f64>)> = result
        .thresholds
        .iter()
        .map(|one| (one.passed, one.value))
        .collect();
    assert_eq!(judged[1], (true, Some(12.0)));
    assert_eq!(judged[3], (false, Some(120.0)));
    assert!(result.thresholds.iter().all(|one| !one.left_to_merge));
    assert!(!result.verdict.passed);
}

#[test]
fn the_parts_of_a_load_make_the_whole() {
    let mut whole = load();
    whole.end.messages = Some(1_003);
    whole.ramp.rate = Some(100.0);
    whole.pace = Pace::Open {
        rate: Rate::Total(500.0),
        max_inflight: 1_000,
    };
    for stages in [None, Some("10s:97,10s:0")] {
        whole.ramp.stages = stages.map(|text| text.parse().unwrap());
        for count in 1..9 {
            let parts = (0..count).map(|index| divide(&whole, Shard { index, count }).unwrap());
            let parts: Vec<Workload> = parts.collect();
            let sum = |get: &dyn Fn(&Workload) -> u64| parts.iter().map(get).sum::<u64>();
            assert_eq!(sum(&|part| part.peak() as u64), whole.peak() as u64);
            assert_eq!(sum(&|part| part.end.messages.unwrap_or(0)), 1_003);
            for seconds in 0..21 {
                let at = Duration::from_secs(seconds);
                assert_eq!(sum(&|part| part.target(at) as u64), whole.target(at) as u64);
            }
            let rates = parts.iter().map(|part| match part.pace {
                Pace::Open {
                    rate: Rate::Total(rate),
                    ..
                } => rate,
                _ => 0.0,
            });
            assert!((rates.sum::<f64>() - 500.0).abs() < 1e-9);
            // Their connections have all numbers from 1 on, and no address has more than it may.
            let mut first = 1;
            for part in &parts {
                assert_eq!((part.first, part.number(0, 0)), (first, first));
                first += part.peak() as u64;
            }
            assert_eq!(first - 1, whole.peak() as u64);
        }
    }
    assert!(
        divide(
            &whole,
            Shard {
                index: 0,
                count: 98
            }
        )
        .is_err()
    );
}

#[test]
fn source_addresses_are_those_of_the_whole_load() {
    let addresses = (1..=5).map(|last| [127, 0, 0, last].into()).collect();
    let sources = Sources::new(addresses, 28_231);
    // The second of four shards of 60,000 connections.
    assert_eq!(sources.of(15_001), sources.of(28_000));
    assert_ne!(sources.of(28_000), sources.of(28_001));
    assert_eq!(sources.most_of_one(15_001, 15_000), 13_000);
    assert_eq!(sources.most_of_one(1, 60_000), PER_SOURCE);
    assert_eq!(Sources::default().most_of_one(1, 20_000), 20_000);
}
