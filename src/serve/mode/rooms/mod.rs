//! `rooms`: clients join rooms and talk in them, in JSON of one of two [`shape`](crate::serve::shape)s. Everyone hears
//! in the shape that it speaks.
//!
//! What the server does not know is passed on to the sender's rooms with the sender's identity, so
//! that a game's `move` needs nothing from it. A client is in any number of rooms up to a bound;
//! rooms come with their first member and go with their last, but for their [`history`].

mod history;
mod name;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::value::RawValue;

use self::history::{History, Offset};
use super::{Action, Behaviour, Departure, Entry, Mode, Scene};
use crate::model::event::What;
use crate::model::message::Message;
use crate::serve::bus::{Audience, Member};
use crate::serve::roster::{Channel, Client, Kind, Roster};
use crate::serve::shape::{Fields, Incoming, Outgoing, Shape};

pub(super) const ENTRY: Entry = Entry {
    name: "rooms",
    help: "rooms, topics, presence and history, in JSON (see docs/serve.md)",
    takes_rate: false,
    behaviour: Behaviour::Kept(|plan| {
        Box::new(Rooms {
            include_sender: plan.include_sender,
            history: History::new(plan.history),
            shapes: BTreeMap::new(),
        })
    }),
};

/// Rooms that one client may be in, and topics that it may have subscribed to.
const MAX_CHANNELS: usize = 128;

struct Rooms {
    include_sender: bool,
    history: History,
    /// How each client spoke last.
    shapes: BTreeMap<Member, Shape>,
}

/// A member as others see it.
#[derive(Serialize)]
struct Person<'a> {
    id: String,
    node: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<&'a str>,
}

impl<'a> Person<'a> {
    fn of(client: &'a Client) -> Self {
        Self {
            id: client.member.to_string(),
            node: client.member.node.0,
            user: client.user.as_deref(),
        }
    }
}

/// Why a message was not acted on: a word for programs, and a sentence.
type Wrong = (&'static str, String);

/// The message that is being answered.
struct Request<'a> {
    from: &'a Client,
    scene: &'a Scene<'a>,
    incoming: Incoming,
    actions: Vec<Action>,
}

impl Mode for Rooms {
    fn message(&mut self, from: &Client, message: Message, scene: &Scene<'_>) -> Vec<Action> {
        let Some(text) = message.as_text() else {
            return self.pass_on_binary(from, &message, scene);
        };
        if text == "ping" {
            return vec![Action::send(from.member.conn, Message::text("pong"))];
        }
        let incoming = match Incoming::read(&text) {
            Ok(incoming) => incoming,
            Err(wrong) => {
                let shape = self.shape(from.member);
                return vec![error(from, wrong, None, shape)];
            }
        };
        self.shapes.insert(from.member, incoming.shape);
        let mut request = Request {
            from,
            scene,
            incoming,
            actions: Vec::new(),
        };
        match self.answer(&mut request) {
            Ok(()) => request.actions,
            Err(wrong) => {
                let Incoming { id, shape, .. } = request.incoming;
                vec![error(from, wrong, id, shape)]
            }
        }
    }

    /// It is taken out of every room, and those who are there hear of it.
    fn gone(&mut self, client: &Client, departure: Departure, scene: &Scene<'_>) -> Vec<Action> {
        self.shapes.remove(&client.member);
        let state = match departure {
            Departure::Closed(_) => "left",
            Departure::Lost => "lost",
        };
        let mut actions = Vec::new();
        for room in rooms_of(scene.roster, client.member, Kind::Room) {
            self.announce(client, room, state, scene.roster, &mut actions);
        }
        actions
    }
}

impl Rooms {
    fn answer(&mut self, request: &mut Request<'_>) -> Result<(), Wrong> {
        match request.incoming.kind.as_str() {
            "ping" => request.answer(Outgoing::new("pong")),
            "join" => return self.join(request),
            "leave" => return self.leave(request),
            "presence" => return presence(request),
            "direct" => return self.direct(request),
            "subscribe" => return subscribe(request),
            "unsubscribe" => return unsubscribe(request),
            "publish" => return self.publish(request),
            _ => return self.say(request),
        }
        Ok(())
    }

    fn join(&self, request: &mut Request<'_>) -> Result<(), Wrong> {
        let room = request.room()?;
        let since: Option<Offset> = request.number("since")?;
        let (from, roster) = (request.from, request.scene.roster);
        let is_in = roster.is_in(from.member, &room);
        if !is_in {
            request.check_channels(Kind::Room, "rooms")?;
        }
        let mut members: Vec<_> = people(roster, roster.members(&room));
        if !is_in {
            members.push(Person::of(from));
        }
        let mut joined = Outgoing::new("joined")
            .in_room(&room.name)
            .with("member", Person::of(from))
            .with("members", members);
        let catch_up = self.history.after(&room, since);
        if self.history.is_kept() {
            joined = joined.with("offset", catch_up.last);
        }
        if catch_up.gap {
            joined = joined.with("gap", true);
        }
        request.answer(joined);
        for message in catch_up.messages {
            request.send(message);
        }
        if !is_in {
            request.tell_room(&room, "join");
            request
                .actions
                .push(Action::Join(from.member, room.clone()));
            self.announce(from, &room, "joined", roster, &mut request.actions);
        }
        Ok(())
    }

    fn leave(&self, request: &mut Request<'_>) -> Result<(), Wrong> {
        let room = request.room_it_is_in()?;
        let (from, roster) = (request.from, request.scene.roster);
        request.answer(Outgoing::new("left").in_room(&room.name));
        request.tell_room(&room, "leave");
        request
            .actions
            .push(Action::Leave(from.member, room.clone()));
        self.announce(from, &room, "left", roster, &mut request.actions);
        Ok(())
    }

    /// A `message`, or any type that the server does not know: to the room it names, or to all of
    /// the sender's.
    fn say(&mut self, request: &mut Request<'_>) -> Result<(), Wrong> {
        let (from, roster) = (request.from, request.scene.roster);
        let rooms: Vec<Channel> = if request.incoming.room.is_some() {
            vec![request.room_it_is_in()?]
        } else {
            rooms_of(roster, from.member, Kind::Room).cloned().collect()
        };
        if rooms.is_empty() {
            return if request.scene.is_stored {
                Ok(())
            } else {
                Err(in_no_room())
            };
        }
        let mut ack = Outgoing::new("ack");
        for room in &rooms {
            let mut message = request.passed_on().in_room(&room.name);
            if self.history.is_kept() {
                let (offset, numbered) = self.history.add(room, message);
                message = numbered;
                if let [_] = &rooms[..] {
                    ack = ack.in_room(&room.name).with("offset", offset);
                }
            }
            let to = roster.members(room);
            let to = to.filter(|member| self.include_sender || *member != from.member);
            self.deliver(&message, to, &mut request.actions);
        }
        request.acknowledge(ack);
        Ok(())
    }

    /// To a connection, or to all connections of a user, on the same path. A member's id goes first:
    /// it is the server's, while a user may be called like one.
    fn direct(&self, request: &mut Request<'_>) -> Result<(), Wrong> {
        let to: Option<String> = request.incoming.body.read("to");
        let to = to.ok_or_else(|| bad_field("to", "a user or the id of a member"))?;
        let (from, roster) = (request.from, request.scene.roster);
        let mut here = roster.at(&from.path);
        let meant: Vec<_> = match here.find(|client| client.member.to_string() == to) {
            Some(client) => vec![client.member],
            None => roster
                .at(&from.path)
                .filter(|client| client.user.as_deref() == Some(&to))
                .map(|client| client.member)
                .collect(),
        };
        if meant.is_empty() {
            let message = format!("nobody here is {}", shortened(&to));
            return Err(("no_such_peer", message));
        }
        let message = request.passed_on();
        self.deliver(&message, meant.into_iter(), &mut request.actions);
        request.acknowledge(Outgoing::new("ack"));
        Ok(())
    }

    fn publish(&self, request: &mut Request<'_>) -> Result<(), Wrong> {
        let topic = request.topic(name::check)?;
        let (from, roster) = (request.from, request.scene.roster);
        let mut members: Vec<Member> = roster
            .channels(&from.path, Kind::Topic)
            .filter(|channel| name::matches(&channel.name, &topic))
            .flat_map(|channel| roster.members(channel))
            .filter(|member| self.include_sender || *member != from.member)
            .collect();
        // Who subscribed to several patterns hears it once.
        members.sort_unstable();
        members.dedup();
        let message = request.passed_on();
        self.deliver(&message, members.into_iter(), &mut request.actions);
        request.acknowledge(Outgoing::new("ack"));
        Ok(())
    }

    /// Tells the others in a room that somebody came or went.
    fn announce(
        &self,
        client: &Client,
        room: &Channel,
        state: &'static str,
        roster: &Roster,
        actions: &mut Vec<Action>,
    ) {
        let presence = What::Presence {
            room: room.name.to_string(),
            user: identity(client),
            state,
        };
        actions.push(Action::Tell(Some(client.member.conn), presence));
        let message = Outgoing::new("presence")
            .in_room(&room.name)
            .with("state", state)
            .with("member", Person::of(client));
        let others = roster.members(room);
        let others = others.filter(|member| *member != client.member);
        self.deliver(&message, others, actions);
    }

    /// Sends a message to each in its own shape.
    fn deliver(
        &self,
        message: &Outgoing,
        to: impl Iterator<Item = Member>,
        actions: &mut Vec<Action>,
    ) {
        let (flat, enveloped): (Vec<_>, Vec<_>) =
            to.partition(|member| self.shape(*member) == Shape::Flat);
        for (members, shape) in [(flat, Shape::Flat), (enveloped, Shape::Enveloped)] {
            if !members.is_empty() {
                actions.push(Action::Publish {
                    to: Audience::Members(members),
                    except: None,
                    message: message.message(shape),
                });
            }
        }
    }

    /// A binary message is the rest of a `file-meta`, say: it goes where texts go, as it is.
    fn pass_on_binary(&self, from: &Client, message: &Message, scene: &Scene<'_>) -> Vec<Action> {
        let roster = scene.roster;
        let mut rooms = rooms_of(roster, from.member, Kind::Room).peekable();
        if rooms.peek().is_none() && !scene.is_stored {
            return vec![error(from, in_no_room(), None, self.shape(from.member))];
        }
        let mut members: Vec<Member> = rooms
            .flat_map(|room| roster.members(room))
            .filter(|member| self.include_sender || *member != from.member)
            .collect();
        members.sort_unstable();
        members.dedup();
        vec![Action::Publish {
            to: Audience::Members(members),
            except: None,
            message: message.clone(),
        }]
    }

    fn shape(&self, member: Member) -> Shape {
        self.shapes.get(&member).copied().unwrap_or_default()
    }
}

fn in_no_room() -> Wrong {
    let message = "join a room first: {\"type\":\"join\",\"room\":\"lobby\"}".to_owned();
    ("not_in_room", message)
}

/// Who is in a room, or on the whole path.
fn presence(request: &mut Request<'_>) -> Result<(), Wrong> {
    let (from, roster) = (request.from, request.scene.roster);
    let answer = if request.incoming.room.is_some() {
        let room = request.room()?;
        let members = people(roster, roster.members(&room));
        Outgoing::new("presence")
            .in_room(&room.name)
            .with("members", members)
    } else {
        let everyone: Vec<_> = roster.at(&from.path).map(Person::of).collect();
        Outgoing::new("presence").with("members", everyone)
    };
    request.answer(answer);
    Ok(())
}

fn subscribe(request: &mut Request<'_>) -> Result<(), Wrong> {
    let pattern = request.topic(name::check_pattern)?;
    let topic = Channel::topic(request.from.path.clone(), pattern);
    let member = request.from.member;
    if !request.scene.roster.is_in(member, &topic) {
        request.check_channels(Kind::Topic, "topics")?;
        request.tell_room(&topic, "subscribe");
        request.actions.push(Action::Join(member, topic.clone()));
    }
    request.answer(Outgoing::new("subscribed").with("topic", &*topic.name));
    Ok(())
}

fn unsubscribe(request: &mut Request<'_>) -> Result<(), Wrong> {
    let pattern = request.topic(name::check_pattern)?;
    let topic = Channel::topic(request.from.path.clone(), pattern);
    request.tell_room(&topic, "unsubscribe");
    request.answer(Outgoing::new("unsubscribed").with("topic", &*topic.name));
    request
        .actions
        .push(Action::Leave(request.from.member, topic));
    Ok(())
}

impl Request<'_> {
    /// Answers the sender, with the id that it gave.
    fn answer(&mut self, mut outgoing: Outgoing) {
        outgoing.id.clone_from(&self.incoming.id);
        self.send(&outgoing);
    }

    /// Answers a sender that gave an id and wants to know that its message was taken.
    fn acknowledge(&mut self, ack: Outgoing) {
        if self.incoming.id.is_some() {
            self.answer(ack);
        }
    }

    fn send(&mut self, outgoing: &Outgoing) {
        let message = outgoing.message(self.incoming.shape);
        self.actions
            .push(Action::send(self.from.member.conn, message));
    }

    /// The message as others hear it.
    fn passed_on(&self) -> Outgoing {
        let mut stamp = Fields::default().and("from", self.from.member.to_string());
        if let Some(user) = &self.from.user {
            stamp = stamp.and("user", &**user);
        }
        Outgoing {
            kind: self.incoming.kind.clone(),
            id: self.incoming.id.clone(),
            room: None,
            body: self.incoming.body.clone(),
            stamp,
        }
    }

    fn room(&self) -> Result<Channel, Wrong> {
        let name = self.incoming.room.as_deref().unwrap_or_default();
        if name.is_empty() {
            // None was given, or it is no text, or an empty one.
            let message = "room takes a text that is not empty: \"lobby\"".to_owned();
            return Err(("bad_name", message));
        }
        let name = name::check(name).map_err(|why| ("bad_name", format!("room: {why}")))?;
        Ok(Channel::room(self.from.path.clone(), name))
    }

    fn room_it_is_in(&self) -> Result<Channel, Wrong> {
        let room = self.room()?;
        if self.scene.roster.is_in(self.from.member, &room) {
            Ok(room)
        } else {
            Err(("not_in_room", format!("you are not in room {}", room.name)))
        }
    }

    fn topic<T>(&self, check: fn(&str) -> Result<T, String>) -> Result<T, Wrong> {
        let topic: Option<String> = self.incoming.body.read("topic");
        let topic = topic.ok_or_else(|| bad_field("topic", "the name of a topic"))?;
        check(&topic).map_err(|why| ("bad_name", format!("topic: {why}")))
    }

    fn number(&self, field: &str) -> Result<Option<u64>, Wrong> {
        match self.incoming.body.get(field) {
            None => Ok(None),
            Some(_) => match self.incoming.body.read(field) {
                Some(number) => Ok(Some(number)),
                None => Err(bad_field(field, "a whole number")),
            },
        }
    }

    fn check_channels(&self, kind: Kind, what: &str) -> Result<(), Wrong> {
        let count = rooms_of(self.scene.roster, self.from.member, kind).count();
        if count < MAX_CHANNELS {
            Ok(())
        } else {
            let message = format!("you are in {MAX_CHANNELS} {what} already");
            Err(("too_many", message))
        }
    }

    fn tell_room(&mut self, channel: &Channel, action: &'static str) {
        let room = What::Room {
            room: channel.name.to_string(),
            action,
        };
        let conn = Some(self.from.member.conn);
        self.actions.push(Action::Tell(conn, room));
    }
}

fn rooms_of(roster: &Roster, member: Member, kind: Kind) -> impl Iterator<Item = &Channel> {
    roster
        .channels_of(member)
        .filter(move |channel| channel.kind == kind)
}

fn people(roster: &Roster, members: impl Iterator<Item = Member>) -> Vec<Person<'_>> {
    members
        .filter_map(|member| roster.client(member))
        .map(Person::of)
        .collect()
}

/// Who somebody is: its user name, or its connection.
fn identity(client: &Client) -> String {
    let member = || client.member.to_string();
    client.user.as_deref().map_or_else(member, str::to_owned)
}

fn bad_field(field: &str, takes: &str) -> Wrong {
    ("bad_field", format!("\"{field}\" takes {takes}"))
}

/// What somebody wrote, short enough to be quoted.
fn shortened(text: &str) -> String {
    text.chars().take(name::MAX_NAME).collect()
}

fn error(to: &Client, (code, message): Wrong, id: Option<Box<RawValue>>, shape: Shape) -> Action {
    let mut error = Outgoing::new("error")
        .with("code", code)
        .with("message", message);
    error.id = id;
    Action::send(to.member.conn, error.message(shape))
}
