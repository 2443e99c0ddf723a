//! Opening connections: by the event loop itself where TCP and one request are enough, else by the
//! [`opener`](super::super::opener).

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use mio::{Interest, Token};
use rand::RngExt as _;

use super::super::codec::Codec;
use super::super::failure::Failure;
use super::super::figures::Latency;
use super::super::opener;
use super::super::opener::Opened;
use super::super::shared::{Phase, part};
use super::super::slow::Trickle;
use super::super::timer::Timer;
use super::super::user::User;
use super::slot::{Connecting, Open, State};
use super::{Route, Worker};
use crate::wire::nonblocking::Socket;
use crate::wire::upgrade::{Answer, Handshake};
use crate::wire::{nonblocking, upgrade};

impl Worker {
    pub(super) fn dial(&mut self, now: Instant) {
        let shared = &self.common.shared;
        if self.phase >= Phase::Drain || shared.gave_up() {
            return;
        }
        let elapsed = now.saturating_duration_since(self.common.started);
        let target = self.common.workload.target(elapsed);
        let target = part(target, self.index, self.common.workload.threads);
        while self.open.len() + self.dialer.connecting() > target
            && let Some(&slot) = self.open.last()
        {
            self.close(slot, now);
        }
        while let Some(slot) = self.dialer.next(target, now) {
            self.begin_opening(slot, now);
        }
    }

    pub(super) fn begin_opening(&mut self, slot: usize, now: Instant) {
        self.figures.connections.attempted += 1;
        let number = self.slots[slot].number;
        self.slots[slot].generation += 1;
        match (&self.route, &self.opener) {
            (Route::Direct(address), _) => {
                let address = *address;
                match self.connect(slot, number, address, now) {
                    Ok(connecting) => {
                        self.slots[slot].state = State::Connecting(Box::new(connecting));
                    }
                    Err(failure) => self.failed(slot, failure, now),
                }
            }
            (_, Some(opener)) => {
                opener.open(slot, number, self.receive_buffer(slot));
                self.slots[slot].state = State::Opening;
            }
            (_, None) => {}
        }
    }

    pub(super) fn connect(
        &self,
        slot: usize,
        number: u64,
        address: SocketAddr,
        now: Instant,
    ) -> Result<Connecting, Failure> {
        let plan = self.request.of(number);
        let plan = plan.map_err(|error| Failure::opening(&error, b""))?;
        let head = upgrade::request(&plan.target, &plan.request, &upgrade::new_key());
        let handshake = Handshake::new(head);
        let bytes = handshake.bytes();
        let bytes = bytes.map_err(|error| Failure::opening(&error, b""))?;
        let source = self.common.workload.sources.of(number);
        let socket = nonblocking::connect(address, source, self.receive_buffer(slot));
        let mut socket = socket.map_err(|cause| Failure::connect(&cause))?;
        let interest = Interest::READABLE | Interest::WRITABLE;
        let registered = self
            .poll
            .registry()
            .register(&mut socket, Token(slot), interest);
        registered.map_err(|cause| Failure::connect(&cause))?;
        Ok(Connecting {
            socket,
            begun: now,
            connected: None,
            unsent: bytes,
            handshake,
        })
    }

    pub(super) fn failed(&mut self, slot: usize, failure: Failure, now: Instant) {
        self.figures.connections.failed += 1;
        let number = self.slots[slot].number;
        self.figures.failed(failure, number);
        self.slots[slot].state = State::Idle;
        self.dialer.failed(slot, now, &mut self.chance);
    }

    /// Goes on with an opening of our own.
    pub(super) fn go_on_opening(&mut self, slot: usize) {
        let now = Instant::now();
        let State::Connecting(connecting) = &mut self.slots[slot].state else {
            return;
        };
        match connecting.go_on(&mut self.buffer, now) {
            Ok(None) => {}
            Ok(Some(Answer::Upgraded(upgraded))) => {
                let state = std::mem::replace(&mut self.slots[slot].state, State::Idle);
                let State::Connecting(connecting) = state else {
                    return;
                };
                // Request and answer may have passed since.
                let now = Instant::now();
                let (tcp, upgrade, total) = connecting.took(now);
                self.figures.record(Latency::Tcp, tcp);
                self.figures.record(Latency::Upgrade, upgrade);
                self.record_handshake(slot, total);
                let codec = Codec::new(upgraded.deflate, self.max_message_size());
                self.is_open(slot, connecting.socket, codec, &upgraded.read_ahead, now);
            }
            Ok(Some(Answer::Refused(refusal))) => {
                let sample = if refusal.body.is_empty() {
                    refusal.head.reason
                } else {
                    String::from_utf8_lossy(&refusal.body).trim().to_owned()
                };
                self.failed(slot, Failure::status(refusal.head.status, sample), now);
            }
            Err(failure) => self.failed(slot, failure, now),
        }
    }

    pub(super) fn take_opened(&mut self) {
        while let Ok(Opened { slot, result }) = self.opened.try_recv() {
            let now = Instant::now();
            if !matches!(self.slots[slot].state, State::Opening) {
                continue;
            }
            self.slots[slot].state = State::Idle;
            match result {
                Err(failure) => self.failed(slot, failure, now),
                Ok(_) if self.phase >= Phase::Close => self.dialer.ended(slot),
                Ok(mut ready) => {
                    let interest = Interest::READABLE | Interest::WRITABLE;
                    let registry = self.poll.registry();
                    if let Err(cause) = registry.register(&mut ready.socket, Token(slot), interest)
                    {
                        self.failed(slot, Failure::connect(&cause), now);
                        continue;
                    }
                    for (step, took) in Latency::STEPS
                        .into_iter()
                        .zip(opener::steps(&ready.timings))
                    {
                        if let Some(took) = took {
                            self.figures.record(step, took);
                        }
                    }
                    self.record_handshake(slot, ready.timings.total);
                    let codec = Codec::new(ready.deflate, self.max_message_size());
                    self.is_open(slot, ready.socket, codec, &ready.read_ahead, now);
                }
            }
        }
    }

    /// What the system is to keep of what comes, where it is not its choice.
    fn receive_buffer(&self, slot: usize) -> Option<u32> {
        let workload = &self.common.workload;
        let slow = workload.is_slow(slot * workload.threads + self.index);
        slow.map(|slow| slow.receive_buffer())
    }

    fn record_handshake(&mut self, slot: usize, took: Duration) {
        self.figures.record(Latency::Handshake, took);
        if self.slots[slot].dropped {
            self.figures.record(Latency::StormHandshake, took);
        }
    }

    pub(super) fn max_message_size(&self) -> usize {
        self.request.base().connection.max_message_size
    }

    pub(super) fn is_open(
        &mut self,
        slot: usize,
        socket: Socket,
        codec: Codec,
        ahead: &[u8],
        now: Instant,
    ) {
        let number = self.slots[slot].number;
        self.figures.connections.opened += 1;
        self.figures.connections.reconnected += u64::from(self.slots[slot].was_lost);
        self.slots[slot].was_lost = false;
        self.common.shared.opened();
        self.dialer.opened();
        let phase = self.chance.random();
        let workload = &self.common.workload;
        let ordinal = slot * workload.threads + self.index;
        let slow = workload.is_slow(ordinal);
        let mut user = User::new(number, codec, workload, phase, now);
        // What a slow one gets is not waited for.
        if let Some(exchange) = &self.common.exchange
            && slow.is_none()
        {
            user.join(exchange, ordinal);
        }
        let speaks = self.common.exchange.is_none() || user.publishes();
        let speaking = speaks.then_some(self.speaking.len());
        if speaks {
            self.speaking.push(slot);
        }
        if std::mem::take(&mut self.slots[slot].dropped) {
            self.is_back(now);
        }
        self.slots[slot].state = State::Open(Box::new(Open {
            socket,
            user,
            unwritten: Vec::new(),
            stalled: None,
            closing: None,
            was_reset: false,
            trickle: slow.map(|slow| Trickle::new(slow, now)),
            place: self.open.len(),
            speaking,
        }));
        self.open.push(slot);
        if let Some(lifetime) = self.common.workload.lifetime {
            let timer = Timer::Lifetime {
                slot,
                generation: self.slots[slot].generation,
            };
            self.timers
                .set(now + lifetime.draw(&mut self.chance), timer);
        }
        self.with_user(slot, |user, scene| user.open(scene));
        self.write_out(slot);
        if self.is_loading() {
            self.begin_user(slot, now, Duration::ZERO);
        }
        if !ahead.is_empty() {
            self.take_in(slot, ahead);
        }
        // What came meanwhile is told by no event any more.
        self.turns.push(slot);
    }
}
