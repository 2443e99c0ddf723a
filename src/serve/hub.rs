//! Everyone who is connected: what the mode makes of what they do, and who gets a message.
//!
//! One lock holds the mode, the roster and the seats, so that what happened first is answered
//! first, and two who hear the same room hear it in the same order. The mode's actions become
//! notices on the [`Bus`] and come back from it. A message for many is encoded once and shared; it
//! is queued under the lock and written after it.

use std::collections::{BTreeMap, HashMap};
use std::convert::Infallible;
use std::future::pending;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use tokio::sync::Notify;
use tokio::time::sleep_until;

use super::bus::{Audience, Bus, Local, Member, Notice};
use super::log::Log;
use super::metrics::Gauges;
use super::mode::{Action, Control, Departure, Mode, Scene};
use super::queue::Order;
use super::roster::Roster;
use super::seat::{Delivery, Seat};
use crate::model::close::{CloseCode, CloseFrame};
use crate::model::command::Command;
use crate::model::event::{ConnId, What};
use crate::model::message::Message;
use crate::protocol::encode;

/// All peers of a server.
pub struct Hub {
    floor: Mutex<Floor>,
    log: Log,
    /// The mode wants to be called at another time than before.
    rescheduled: Notify,
}

/// What the lock holds.
struct Floor {
    mode: Box<dyn Mode>,
    bus: Box<dyn Bus>,
    house: House,
    /// When the mode wants to be called.
    deadline: Option<Instant>,
    /// The server ends: who comes now is told so, and has so long to answer.
    ending: Option<Duration>,
}

/// Who is here, and how they are reached.
struct House {
    roster: Roster,
    seats: BTreeMap<ConnId, Arc<Seat>>,
    log: Log,
}

impl Hub {
    pub(super) fn new(mode: Box<dyn Mode>, log: Log) -> Self {
        Self {
            floor: Mutex::new(Floor {
                mode,
                bus: Box::new(Local),
                house: House {
                    roster: Roster::default(),
                    seats: BTreeMap::new(),
                    log: log.clone(),
                },
                deadline: None,
                ending: None,
            }),
            log,
            rescheduled: Notify::new(),
        }
    }

    // --- what peers do -----------------------------------------------------------------------

    /// A peer has come, as `told` tells; whoever hears of that can send to it.
    pub(super) fn connected(&self, seat: &Arc<Seat>, told: Vec<What>, delivery: &mut Delivery) {
        let mut floor = self.floor();
        floor.house.seats.insert(seat.id(), Arc::clone(seat));
        for what in told {
            self.log.tell(Some(seat.id()), what);
        }
        floor.tell(Notice::Connected(seat.client.clone()), None, delivery);
        if let Some(patience) = floor.ending {
            seat.close_within(going_away(), patience);
        }
        self.run(&mut floor, Some(seat), delivery, |mode, scene| {
            mode.connected(&seat.client, scene)
        });
    }

    /// `is_stored`: it belongs to a file that is stored, whatever the mode makes of it.
    pub(super) fn message(
        &self,
        seat: &Arc<Seat>,
        message: Message,
        is_stored: bool,
        delivery: &mut Delivery,
    ) {
        let mut floor = self.floor();
        self.run(&mut floor, Some(seat), delivery, |mode, scene| {
            let scene = Scene {
                is_stored,
                ..*scene
            };
            mode.message(&seat.client, message, &scene)
        });
    }

    pub(super) fn control(&self, seat: &Arc<Seat>, control: Control, delivery: &mut Delivery) {
        let mut floor = self.floor();
        self.run(&mut floor, Some(seat), delivery, |mode, scene| {
            mode.control(&seat.client, control, scene)
        });
    }

    pub(super) fn gone(&self, seat: &Arc<Seat>, departure: Departure) {
        seat.end();
        let mut delivery = Delivery::default();
        let mut floor = self.floor();
        floor.house.seats.remove(&seat.id());
        self.run(&mut floor, None, &mut delivery, |mode, scene| {
            mode.gone(&seat.client, departure, scene)
        });
        floor.tell(Notice::Gone(seat.client.member), None, &mut delivery);
        drop(floor);
        delivery.flush(&self.log);
    }

    /// Calls the mode at the times it asks for, for ever.
    pub(super) async fn keep_time(&self) -> Infallible {
        loop {
            let deadline = self.floor().deadline;
            let due = async {
                match deadline {
                    Some(deadline) => sleep_until(deadline.into()).await,
                    None => pending().await,
                }
            };
            tokio::select! {
                () = self.rescheduled.notified() => continue,
                () = due => {}
            }
            let mut delivery = Delivery::default();
            self.run(&mut self.floor(), None, &mut delivery, |mode, scene| {
                mode.tick(scene)
            });
            delivery.flush(&self.log);
        }
    }

    /// Asks the mode, and does what it says. `seat` is whose doing it is.
    fn run(
        &self,
        floor: &mut Floor,
        seat: Option<&Arc<Seat>>,
        delivery: &mut Delivery,
        ask: impl FnOnce(&mut dyn Mode, &Scene<'_>) -> Vec<Action>,
    ) {
        let scene = Scene {
            roster: &floor.house.roster,
            is_stored: false,
            now: Instant::now(),
            time: SystemTime::now,
        };
        for action in ask(&mut *floor.mode, &scene) {
            floor.carry_out(action, seat, delivery);
        }
        let deadline = floor.mode.deadline();
        if deadline != floor.deadline {
            floor.deadline = deadline;
            self.rescheduled.notify_one();
        }
    }

    // --- what the program does ---------------------------------------------------------------

    pub fn len(&self) -> usize {
        self.floor().house.seats.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How things are now.
    pub(super) fn gauges(&self) -> Gauges {
        let floor = self.floor();
        let seats = &floor.house.seats;
        Gauges {
            connections: seats.len(),
            channels: floor.house.roster.channel_count(),
            queued: seats.values().map(|seat| seat.queued()).sum(),
        }
    }

    /// The bytes that wait for each peer, of those for whom some do.
    pub fn queued(&self) -> HashMap<ConnId, usize> {
        let floor = self.floor();
        let queued = floor.house.seats.iter();
        let queued = queued.map(|(id, seat)| (*id, seat.queued()));
        queued.filter(|(_, bytes)| *bytes > 0).collect()
    }

    /// Whether there is somebody, and nobody's queue is more than half full.
    pub fn has_room(&self) -> bool {
        let floor = self.floor();
        let seats = &floor.house.seats;
        !seats.is_empty() && seats.values().all(|seat| seat.has_room())
    }

    /// Sends a message or a command to everyone; to how many.
    pub fn everyone(&self, command: &Command) -> usize {
        let mut delivery = Delivery::default();
        let mut floor = self.floor();
        let count = floor.house.seats.len();
        if let Command::Send(message) = command {
            let published = Notice::Published {
                from: None,
                to: Audience::Everyone,
                except: None,
                message: message.clone(),
            };
            floor.tell(published, None, &mut delivery);
        } else {
            for seat in floor.house.seats.values() {
                let order = Order::Command(command.clone());
                delivery.add(seat, seat.push(order, false, &self.log));
            }
        }
        drop(floor);
        delivery.flush(&self.log);
        count
    }

    /// A command for one peer; false where there is none of that number.
    pub fn command(&self, id: ConnId, command: Command) -> bool {
        let mut delivery = Delivery::default();
        let sent = self.floor().house.send(id, command, None, &mut delivery);
        delivery.flush(&self.log);
        sent
    }

    /// Closes everyone, and who comes from now on: the server ends. They have so long to answer.
    pub(super) fn end(&self, patience: Duration) {
        let mut floor = self.floor();
        floor.ending = Some(patience);
        let seats: Vec<_> = floor.house.seats.values().cloned().collect();
        drop(floor);
        for seat in seats {
            seat.close_within(going_away(), patience);
            seat.flush(&self.log);
        }
    }

    /// Ends those who are still here: their time to answer is over.
    pub(super) fn cut_short(&self) {
        let seats: Vec<_> = self.floor().house.seats.values().cloned().collect();
        for seat in seats {
            seat.cut_short(going_away());
        }
    }

    fn floor(&self) -> MutexGuard<'_, Floor> {
        // A mode that panicked may have lost a message; the others go on.
        self.floor.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn going_away() -> CloseFrame {
    CloseFrame {
        code: CloseCode::GOING_AWAY,
        reason: "the server is shutting down".to_owned(),
    }
}

impl Floor {
    fn carry_out(&mut self, action: Action, seat: Option<&Arc<Seat>>, delivery: &mut Delivery) {
        let notice = match action {
            Action::Send { to, command } => {
                self.house.send(to, command, seat, delivery);
                return;
            }
            Action::Tell(conn, what) => return self.house.log.tell(conn, what),
            Action::Publish {
                to,
                except,
                message,
            } => Notice::Published {
                from: seat.map(|seat| seat.client.member),
                to,
                except,
                message,
            },
            Action::Join(member, channel) => Notice::Joined(member, channel),
            Action::Leave(member, channel) => Notice::Left(member, channel),
        };
        self.tell(notice, seat, delivery);
    }

    fn tell(&mut self, notice: Notice, seat: Option<&Arc<Seat>>, delivery: &mut Delivery) {
        let house = &mut self.house;
        self.bus
            .tell(notice, &mut |notice| house.take_in(notice, seat, delivery));
    }
}

impl House {
    /// A notice has arrived, of this node or of another.
    fn take_in(&mut self, notice: Notice, seat: Option<&Arc<Seat>>, delivery: &mut Delivery) {
        match notice {
            Notice::Connected(client) => self.roster.connected(client),
            Notice::Gone(member) => self.roster.gone(member),
            Notice::Joined(member, channel) => self.roster.joined(member, channel),
            Notice::Left(member, channel) => self.roster.left(member, &channel),
            Notice::Published {
                from,
                to,
                except,
                message,
            } => {
                let sender = seat.filter(|seat| from == Some(seat.client.member));
                self.publish(&to, except, &message, sender, delivery);
            }
        }
    }

    /// Queues a message for all who hear it here; it is encoded once.
    fn publish(
        &self,
        to: &Audience,
        except: Option<Member>,
        message: &Message,
        sender: Option<&Arc<Seat>>,
        delivery: &mut Delivery,
    ) {
        let frame = encode::message(message);
        delivery.count(frame.len());
        self.hearers(to, |seat| {
            if Some(seat.client.member) != except {
                let order = Order::Frame(frame.clone());
                delivery.add(seat, seat.push(order, sender.is_some(), &self.log));
            }
        });
    }

    /// Those of an audience who are here.
    fn hearers(&self, to: &Audience, mut tell: impl FnMut(&Arc<Seat>)) {
        match to {
            Audience::Everyone => self.seats.values().for_each(tell),
            Audience::Path(path) => {
                // Most share the name of their path, and that is near while a seat is not.
                let is_same = |its: &Arc<str>| Arc::ptr_eq(its, path) || its == path;
                let at_path = |seat: &&Arc<Seat>| is_same(&seat.client.path);
                self.seats.values().filter(at_path).for_each(tell);
            }
            Audience::Members(members) => {
                for member in members {
                    if let Some(seat) = self.seats.get(&member.conn)
                        && seat.client.member == *member
                    {
                        tell(seat);
                    }
                }
            }
        }
    }

    /// A command for one peer: an answer where `sender` is that peer.
    fn send(
        &self,
        to: ConnId,
        command: Command,
        sender: Option<&Arc<Seat>>,
        delivery: &mut Delivery,
    ) -> bool {
        let Some(seat) = self.seats.get(&to) else {
            return false;
        };
        let order = Order::Command(command);
        if sender.is_some_and(|sender| sender.id() == to) {
            // Its own task is at work and goes on with it.
            seat.answer(order);
            return true;
        }
        delivery.add(seat, seat.push(order, sender.is_some(), &self.log));
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::engine::Role;
    use crate::serve::log::{self, LogReader, log};
    use crate::serve::mode::{self, MODES};
    use crate::serve::queue::{self, Pushed};
    use crate::serve::roster::Client;
    use crate::session::connection::{self, Connection};
    use crate::session::stamp::Stamp;
    use crate::wire::stream::{Socket, Stream};
    use tokio::io::AsyncReadExt as _;
    use tokio::net::UnixStream;

    fn hub() -> Hub {
        hub_and_log().0
    }

    fn hub_and_log() -> (Hub, LogReader) {
        let plan = log::Plan {
            traffic: true,
            room: log::ROOM,
        };
        let (log, reader) = log(plan, Stamp::start());
        (Hub::new(mode::Plan::of(&MODES[0]).make(), log), reader)
    }

    /// A peer of the hub, and the other end of its connection.
    fn peer(hub: &Hub, conn: ConnId, path: &str) -> (Arc<Seat>, UnixStream) {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let plan = connection::Plan::default();
        let stream = Stream::Plain(Socket::Unix(ours));
        let connection = Connection::new(stream, Role::Server, &plan, None, &[]);
        let client = Client {
            member: Member::local(conn),
            path: path.into(),
            user: None,
        };
        let seat = Arc::new(Seat::new(client, connection, queue::Plan::default()));
        hub.connected(&seat, Vec::new(), &mut Delivery::default());
        (seat, theirs)
    }

    #[tokio::test]
    async fn a_message_is_written_at_once_without_the_task_of_its_peer() {
        let hub = hub();
        let (_ann, mut ann) = peer(&hub, 1, "/");
        let (bob_seat, _bob) = peer(&hub, 2, "/");
        assert_eq!(hub.everyone(&Command::Send(Message::text("hi"))), 2);
        let mut bytes = [0; 4];
        ann.read_exact(&mut bytes).await.unwrap();
        assert_eq!(&bytes, b"\x81\x02hi");
        hub.gone(
            &bob_seat,
            Departure::Closed(CloseFrame::bare(CloseCode::NORMAL)),
        );
        assert_eq!(hub.everyone(&Command::Ping("!".into())), 1);
        assert!(!hub.command(2, Command::Close(None)) && hub.command(1, Command::Close(None)));
    }

    #[tokio::test]
    async fn who_does_not_read_is_closed_and_grows_nothing() {
        let (hub, mut log) = hub_and_log();
        let (seat, _deaf) = peer(&hub, 1, "/");
        let message = Command::Send(Message::binary(vec![0; 100_000]));
        for _ in 0..1000 {
            hub.everyone(&message);
        }
        // Its task closes the connection, and gives up what waits.
        let closing = std::future::poll_fn(|cx| seat.poll_next(cx, false, &hub.log));
        let what = closing.await;
        assert!(
            matches!(what, Some(What::Message { .. } | What::State(_))),
            "{what:?}"
        );
        assert!(seat.has_room());
        let told = std::iter::from_fn(|| log.try_next());
        let limits = told.filter(|event| matches!(event.what, What::Limit { .. }));
        assert_eq!(limits.count(), 1);
    }

    #[tokio::test]
    async fn who_reads_is_not_too_slow_because_much_came_at_once() {
        let hub = hub();
        let (ours, _theirs) = UnixStream::pair().unwrap();
        let stream = Stream::Plain(Socket::Unix(ours));
        let plan = connection::Plan::default();
        let connection = Connection::new(stream, Role::Server, &plan, None, &[]);
        let client = Client {
            member: Member::local(1),
            path: "/".into(),
            user: None,
        };
        let queue = queue::Plan {
            bytes: 2000,
            ..queue::Plan::default()
        };
        let seat = Seat::new(client, connection, queue);
        // All of it fits into the socket, which is not written to in between.
        for _ in 0..10 {
            let frame = encode::message(&Message::binary(vec![0; 1000]));
            let pushed = seat.push(Order::Frame(frame), true, &hub.log);
            assert_eq!(pushed, Pushed::Queued);
        }
    }
}
