//! When a thread opens its next connection: as many as there should be, at the rate and with the
//! concurrency that were asked for. Pure.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use rand::RngExt as _;
use rand::rngs::StdRng;

use super::super::pacer::Pacer;
use super::super::plan::Workload;
use super::super::shared::part;

/// How long after a failure the next attempt is made, give or take a fifth.
const PAUSE: Duration = Duration::from_secs(1);

/// The places for connections that are free, and why they are not taken yet.
#[derive(Debug)]
pub(super) struct Dialer {
    /// Places to take, the next one last.
    free: Vec<usize>,
    /// Places that were lost or refused, and when they may be taken again.
    paused: VecDeque<(Instant, usize)>,
    /// Places that stay empty.
    gone: usize,
    /// How many places there are.
    all: usize,
    connecting: usize,
    /// Places that are taken again at once, whatever else is to be kept to.
    at_once: usize,
    concurrency: usize,
    pacer: Option<Pacer>,
    stopped: bool,
}

impl Dialer {
    pub(super) fn new(
        workload: &Workload,
        index: usize,
        places: usize,
        chance: &mut StdRng,
        now: Instant,
    ) -> Self {
        let ramp = &workload.ramp;
        let rate = ramp.rate.map(|rate| rate / workload.threads as f64);
        Self {
            free: (0..places).rev().collect(),
            paused: VecDeque::new(),
            gone: 0,
            all: places,
            connecting: 0,
            at_once: 0,
            concurrency: part(ramp.concurrency, index, workload.threads).max(1),
            pacer: rate.map(|rate| Pacer::new(rate, chance.random(), now)),
            stopped: false,
        }
    }

    /// Places where there is a connection, or will be one soon.
    fn taken(&self) -> usize {
        self.all - self.free.len() - self.paused.len() - self.gone
    }

    /// The next place to open a connection at, if it is time.
    pub(super) fn next(&mut self, target: usize, now: Instant) -> Option<usize> {
        while let Some(&(at, slot)) = self.paused.front()
            && at <= now
        {
            self.paused.pop_front();
            self.free.push(slot);
        }
        let wanted = target.saturating_sub(self.gone + self.paused.len());
        if self.stopped || self.taken() >= wanted || self.free.is_empty() {
            return None;
        }
        if self.at_once > 0 {
            self.at_once -= 1;
        } else {
            if self.connecting >= self.concurrency {
                return None;
            }
            if let Some(pacer) = &mut self.pacer {
                pacer.take(now)?;
            }
        }
        self.connecting += 1;
        self.free.pop()
    }

    /// When it is worth asking again, beside when something has happened.
    pub(super) fn next_due(&self, now: Instant) -> Option<Instant> {
        let may_dial = !self.stopped && !self.free.is_empty() && self.connecting < self.concurrency;
        let pacer = self.pacer.as_ref().filter(|_| may_dial);
        let paced = pacer.and_then(Pacer::next_due).filter(|due| *due > now);
        let paused = self.paused.front().map(|(at, _)| *at);
        [paced, paused].into_iter().flatten().min()
    }

    pub(super) const fn connecting(&self) -> usize {
        self.connecting
    }

    /// Whether there is no connection, nor one that is being opened.
    pub(super) fn is_idle(&self) -> bool {
        self.taken() == 0
    }

    /// An opening has come to its end.
    pub(super) const fn opened(&mut self) {
        self.connecting = self.connecting.saturating_sub(1);
    }

    pub(super) fn failed(&mut self, slot: usize, now: Instant, chance: &mut StdRng) {
        self.opened();
        self.lost(slot, now, chance);
    }

    /// A connection that is to come again is gone.
    pub(super) fn lost(&mut self, slot: usize, now: Instant, chance: &mut StdRng) {
        let pause = PAUSE.mul_f64(chance.random_range(0.8..1.2));
        self.paused.push_back((now + pause, slot));
    }

    /// A connection was dropped, and is to be there again at once.
    pub(super) fn dropped(&mut self, slot: usize) {
        self.free.push(slot);
        self.at_once += 1;
    }

    /// A connection ended as it should.
    pub(super) fn ended(&mut self, slot: usize) {
        self.free.push(slot);
    }

    /// A connection was lost, and its place stays empty.
    pub(super) const fn gone(&mut self) {
        self.gone += 1;
    }

    /// Nothing is opened any more.
    pub(super) const fn stop(&mut self) {
        self.stopped = true;
    }
}
