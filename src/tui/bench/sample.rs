//! A load for the tests of this folder.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use ratatui::layout::Size;

use super::keymap::Keymap;
use super::past::Past;
use super::scene::{About, Glance, Scene};
use super::state::{Setup, State};
use super::update::{Action, update};
use crate::bench::failure::Failure;
use crate::bench::fanout::{Audience, Fanout};
use crate::bench::feed::Feed;
use crate::bench::figures::{Close, ClosedBy, Figures, Latency};
use crate::bench::payload::Payload;
use crate::bench::plan::{End, FANOUT, MODES, Pace, Ramp, Rate, SCRIPT, Sources, Workload};
use crate::bench::reply::Match;
use crate::bench::result::{BenchResult, SearchStep, SeriesHistograms, hdr, latency_info, read};
use crate::bench::run::{Generator, Second};
use crate::bench::script::Step;
use crate::bench::search::{FindMax, Judgement};
use crate::bench::shard::Shard;
use crate::bench::shared::Phase;
use crate::bench::threshold::Threshold;
use crate::model::message::Kind;
use crate::transcript::outcome::StepKind;
use crate::tui::connect;
use crate::tui::theme::Colours;

/// What a peer may say.
pub(super) const HOSTILE: &str = "bye\x1b[2J\u{202e}now";

pub(super) fn workload() -> Workload {
    Workload {
        mode: &MODES[0],
        connections: 10_000,
        pace: Pace::Open {
            rate: Rate::Total(50_000.0),
            max_inflight: 100_000,
        },
        rate_stages: None,
        end: End {
            duration: Some(Duration::from_secs(60)),
            messages: None,
        },
        payload: Payload::generated(Kind::Text, 128),
        how: Match::Echo,
        opening: Vec::new(),
        feed: Feed::default(),
        ramp: Ramp {
            rate: Some(1_000.0),
            concurrency: 256,
            stages: None,
        },
        warmup: Duration::ZERO,
        grace: Duration::from_secs(5),
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
        threads: 16,
        seed: 7,
        shard: Shard::WHOLE,
        first: 1,
        hold: Arc::default(),
    }
}

/// A scene that is being told.
pub(super) struct Told {
    pub(super) scene: Scene,
    pub(super) now: Duration,
}

impl Told {
    pub(super) fn begin(workload: Workload, thresholds: &[&str]) -> Self {
        let thresholds = thresholds.iter();
        let about = About {
            url: "ws://127.0.0.1:9001/".into(),
            workload: Arc::new(workload),
            steps: Vec::new(),
            thresholds: thresholds
                .map(|text| Threshold::parse(text).unwrap())
                .collect(),
            past: None,
            dns: None,
            local: true,
            cpus: 16,
            files: 65_536,
        };
        Self {
            scene: Scene::new(about),
            now: Duration::ZERO,
        }
    }

    /// A second passes in a phase, after which so many connections are open.
    pub(super) fn second(
        &mut self,
        phase: Phase,
        open: usize,
        tell: impl FnOnce(&mut Figures),
    ) -> &mut Self {
        self.glance(phase, open);
        self.now += Duration::from_secs(1);
        let mut figures = Figures::default();
        tell(&mut figures);
        self.scene.hear(&Second {
            at: self.now,
            phase,
            open,
            connecting: if phase == Phase::Ramp { 32 } else { 0 },
            in_flight: 456,
            figures,
            cpu: 9.76,
            took: Duration::from_secs(1),
            generator: Generator {
                cpu: 9.7,
                busiest: 0.74,
                rss_peak: 432_013_312,
                files_peak: open as u64 + 18,
                ports: 0.26,
            },
        });
        self.glance(phase, open)
    }

    pub(super) fn glance(&mut self, phase: Phase, open: usize) -> &mut Self {
        let held = self.scene.now.held;
        self.scene.glance(Glance {
            at: self.now,
            phase,
            open,
            lost: Duration::ZERO,
            held,
        });
        self
    }
}

/// Messages of a second whose slowest answers took `slowest`.
pub(super) fn echoes(figures: &mut Figures, slowest: u64) {
    for at in 0..2_000 {
        let micros = 400 + at % 700 + at / 40 * 30;
        figures.record(Latency::Rtt, Duration::from_micros(micros));
        figures.record(Latency::Service, Duration::from_micros(micros - 20));
        figures.record(Latency::SchedLag, Duration::from_micros(40 + at % 260));
    }
    figures.record(Latency::Rtt, Duration::from_micros(slowest));
    figures.messages.sent = 49_998;
    figures.messages.received = 49_871;
    figures.messages.late = 100;
    figures.bytes.sent_wire = 6_400_000;
    figures.bytes.received_wire = 6_399_000;
}

pub(super) fn opened(figures: &mut Figures, count: u64) {
    figures.connections.attempted += count;
    figures.connections.opened += count;
    for at in 0..count.min(400) {
        let micros = 900 + at * 17 % 4_000;
        figures.record(Latency::Tcp, Duration::from_micros(micros / 3));
        figures.record(Latency::Upgrade, Duration::from_micros(micros / 2));
        figures.record(Latency::Handshake, Duration::from_micros(micros));
        figures.record(Latency::FirstMessage, Duration::from_micros(micros + 300));
    }
}

/// What goes wrong in a second; the peer is hostile.
pub(super) fn failures(figures: &mut Figures) {
    figures.connections.failed += 18;
    figures.connections.attempted += 18;
    figures.connections.lost += 11;
    for at in 0..18 {
        let failure = match at {
            0..11 => Failure::new("connect", "refused", "Connection refused (os error 111)"),
            _ => Failure::status(503, format!("overloaded {HOSTILE}")),
        };
        figures.failed(failure, 4_411 + at);
    }
    for seen in figures.errors.values_mut() {
        seen.first_at = SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_183_200);
    }
    let close = |code, by, detail| Close { code, by, detail };
    for _ in 0..11 {
        figures.closed(close(1006, ClosedBy::Transport, Some("rst")), None);
    }
    for _ in 0..7 {
        figures.closed(close(4001, ClosedBy::Peer, None), Some(HOSTILE));
    }
    figures.messages.unanswered += 12;
}

/// Twenty seconds of an open loop, with a stall in them.
pub(super) fn running(thresholds: &[&str]) -> Told {
    let mut told = Told::begin(workload(), thresholds);
    for second in 1..=3 {
        told.second(Phase::Ramp, second * 3_000, |figures| {
            opened(figures, 3_000);
        });
    }
    for second in 0..20_u64 {
        let slowest = if second == 14 {
            212_400
        } else {
            19_000 + second * 100
        };
        told.second(Phase::Measure, 10_000, |figures| echoes(figures, slowest));
    }
    told
}

/// Users of a script.
pub(super) fn playing() -> Told {
    let mut workload = workload();
    workload.mode = &SCRIPT;
    workload.connections = 200;
    workload.pace = Pace::Closed {
        pipeline: 1,
        think: None,
    };
    let mut told = Told::begin(workload, &["step.7.p99<100ms", "checks.rate>=99%"]);
    let step = |name: &str, kind| Step {
        name: name.into(),
        text: String::new(),
        kind,
    };
    told.scene.about.steps = vec![
        step("connect", StepKind::Connect),
        step("6", StepKind::Send),
        step("7", StepKind::Expect),
    ];
    for second in 0..8_u64 {
        told.second(Phase::Measure, 200, |figures| {
            opened(figures, 40);
            for at in 0..40 {
                let took = Duration::from_micros(30_000 + at * 900 + second * 100);
                figures.record(Latency::Session, took);
                figures.step(0).ended(true, Some(took / 9));
                figures.step(1).ended(true, None);
                figures.step(2).ended(at > 0, (at > 0).then_some(took / 2));
            }
            figures.iterations.started = 41;
            figures.iterations.passed = 39;
            figures.iterations.failed = 1;
            figures.iterations.unmet = 1;
            figures.messages.sent = 40;
            figures.messages.received = 39;
        });
    }
    told
}

/// Five publishers and what came to their groups.
pub(super) fn fanning_out() -> Told {
    let mut workload = workload();
    workload.mode = &FANOUT;
    workload.pace = Pace::Open {
        rate: Rate::Total(200.0),
        max_inflight: 100_000,
    };
    workload.fanout = Some(Fanout {
        publishers: 5,
        groups: 5,
        audience: Some(Audience::default()),
    });
    let mut told = Told::begin(workload, &["delivery.p99<50ms", "fanout.reach>99.5%"]);
    told.second(Phase::Ramp, 10_000, |figures| opened(figures, 10_000));
    for second in 0..12_u64 {
        told.second(Phase::Measure, 10_000, |figures| {
            for at in 0..2_000 {
                let took = Duration::from_micros(600 + at * 3 % 1_900 + second * 10);
                figures.record(Latency::Delivery, took);
                figures.record(Latency::SchedLag, took / 20);
            }
            for at in 0..200 {
                let took = Duration::from_micros(2_600 + at * 7);
                figures.record(Latency::LastSubscriber, took);
            }
            figures.messages.sent = 200;
            figures.messages.received = 399_798;
            figures.bytes.sent_wire = 26_800;
            figures.bytes.received_wire = 52_000_000;
            figures.fanout.published = 200;
            figures.fanout.expected = 399_800;
            figures.fanout.delivered = 399_798;
            figures.fanout.skipped = 2;
            figures.fanout.duplicate = second % 2;
        });
    }
    told
}

/// A search in its fifth step.
pub(super) fn seeking() -> Told {
    let sought: FindMax = "connections:rtt.p99<50ms".parse().unwrap();
    let mut told = Told::begin(workload(), &[]);
    for (number, judged) in [
        (320, Judgement::Held),
        (640, Judgement::Held),
        (1_280, Judgement::Failed),
        (960, Judgement::Generator),
        (800, Judgement::Held),
    ] {
        let mut workload = workload();
        workload.connections = number;
        told.scene.try_next(&sought, number, Arc::new(workload));
        told.now = Duration::ZERO;
        told.second(Phase::Measure, number, |figures| echoes(figures, 20_000));
        if number == 800 {
            break;
        }
        let is_too_much = judged == Judgement::Failed;
        told.scene.judged(SearchStep {
            value: number,
            judged: judged.name().into(),
            measured: Some(number as f64 * 40.0),
            unit: "us".into(),
            opened: number as u64,
            failed: if is_too_much { 12 } else { 0 },
            lost: 0,
            sent_rate: 1_000.0,
            reasons: vec!["lag".into()],
        });
    }
    told
}

/// A run of before with faster answers; its file came from elsewhere.
pub(super) fn earlier() -> BenchResult {
    let first = include_bytes!("../../../tests/cases/bench/first.v1.json");
    let mut run = read(first).unwrap();
    let mut all = Figures::default();
    run.series.columns = ["t", "open", "sent", "received"].map(String::from).into();
    run.series.rows.clear();
    run.run.ramp_s = 5.0;
    run.workload.warmup_s = 0.0;
    let mut data = Vec::new();
    for second in 0..30_u64 {
        let mut figures = Figures::default();
        if second >= 5 {
            for at in 0..1_000 {
                let micros = 200 + at % 350 + second * 4;
                figures.record(Latency::Rtt, Duration::from_micros(micros));
            }
        }
        data.push(hdr::encoded(figures.latency(Latency::Rtt)));
        all.merge(&figures);
        let rate = if second >= 5 { 30_000.0 } else { 0.0 };
        let row = vec![second as f64 + 1.0, 10_000.0, rate, rate];
        run.series.rows.push(row);
    }
    run.latency.rtt = latency_info(all.latency(Latency::Rtt));
    run.series.histograms = vec![SeriesHistograms {
        metric: "rtt".into(),
        data,
    }];
    run
}

/// Shows that beside a load.
pub(super) fn with_baseline(mut told: Told) -> Told {
    let name = format!("main{HOSTILE}.json");
    let past = Past::of(&name, &earlier(), told.scene.main());
    told.scene.about.past = Some(Arc::new(past));
    told
}

/// A screen that shows it.
pub(super) fn state(told: &Told, width: u16, height: u16) -> State {
    let setup = Setup {
        theme: connect::Setup::theme("dark", &Colours::default(), false),
        colours: Colours::default(),
        ascii: false,
        mouse: false,
        keymap: Keymap::default(),
        stay: false,
    };
    let mut state = State::new(setup, Size { width, height });
    update(&mut state, &told.scene, told.now, Action::Look);
    state
}
