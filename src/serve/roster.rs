//! Who is here, and who is in which room: clients of every node. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::bus::{Audience, Member};

/// What is known of a connected client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Client {
    pub member: Member,
    /// Where it connected: a namespace, within which its rooms are.
    pub path: Arc<str>,
    /// Who it is, where it had to say.
    pub user: Option<Arc<str>>,
}

/// A room: the same name on two paths is two rooms.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Room {
    pub path: Arc<str>,
    pub name: Arc<str>,
}

/// All clients and rooms.
#[derive(Debug, Default)]
pub struct Roster {
    clients: BTreeMap<Member, Entry>,
    rooms: BTreeMap<Room, BTreeSet<Member>>,
}

#[derive(Debug)]
struct Entry {
    client: Client,
    rooms: BTreeSet<Room>,
}

impl Roster {
    pub(super) fn connected(&mut self, client: Client) {
        let entry = Entry {
            client,
            rooms: BTreeSet::new(),
        };
        self.clients.insert(entry.client.member, entry);
    }

    /// Removes a client from every room too.
    pub(super) fn gone(&mut self, member: Member) {
        let Some(entry) = self.clients.remove(&member) else {
            return;
        };
        for room in entry.rooms {
            self.remove(member, &room);
        }
    }

    pub(super) fn joined(&mut self, member: Member, room: Room) {
        if let Some(entry) = self.clients.get_mut(&member) {
            entry.rooms.insert(room.clone());
            self.rooms.entry(room).or_default().insert(member);
        }
    }

    pub(super) fn left(&mut self, member: Member, room: &Room) {
        if let Some(entry) = self.clients.get_mut(&member) {
            entry.rooms.remove(room);
            self.remove(member, room);
        }
    }

    fn remove(&mut self, member: Member, room: &Room) {
        if let Some(members) = self.rooms.get_mut(room) {
            members.remove(&member);
            if members.is_empty() {
                self.rooms.remove(room);
            }
        }
    }

    pub fn client(&self, member: Member) -> Option<&Client> {
        self.clients.get(&member).map(|entry| &entry.client)
    }

    /// Everyone on a path.
    pub fn at<'a>(&'a self, path: &'a str) -> impl Iterator<Item = &'a Client> {
        self.clients().filter(move |client| *client.path == *path)
    }

    pub fn clients(&self) -> impl Iterator<Item = &Client> {
        self.clients.values().map(|entry| &entry.client)
    }

    /// The rooms that a client is in, in the order of their names.
    pub fn rooms_of(&self, member: Member) -> impl Iterator<Item = &Room> {
        let entry = self.clients.get(&member);
        entry.into_iter().flat_map(|entry| &entry.rooms)
    }

    /// Who is in a room.
    pub fn members(&self, room: &Room) -> impl Iterator<Item = Member> {
        self.rooms.get(room).into_iter().flatten().copied()
    }

    pub fn is_in(&self, member: Member, room: &Room) -> bool {
        let members = self.rooms.get(room);
        members.is_some_and(|members| members.contains(&member))
    }

    /// How many rooms have somebody in them.
    pub fn room_count(&self) -> usize {
        self.rooms.len()
    }

    /// Calls `tell` with everyone who hears a message.
    pub(super) fn hearers(&self, to: &Audience, mut tell: impl FnMut(Member)) {
        match to {
            Audience::Everyone => self.clients.keys().copied().for_each(tell),
            Audience::Path(path) => self.at(path).for_each(|client| tell(client.member)),
            Audience::Members(members) => members.iter().copied().for_each(tell),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::serve::bus::NodeId;

    fn client(conn: u64, path: &str) -> Client {
        Client {
            member: Member::local(conn),
            path: path.into(),
            user: None,
        }
    }

    fn room(path: &str) -> Room {
        Room {
            path: path.into(),
            name: "lobby".into(),
        }
    }

    fn hearers(roster: &Roster, to: &Audience) -> Vec<Member> {
        let mut members = Vec::new();
        roster.hearers(to, |member| members.push(member));
        members
    }

    #[test]
    fn a_path_is_a_namespace() {
        let mut roster = Roster::default();
        roster.connected(client(1, "/chat"));
        roster.connected(client(2, "/game"));
        roster.joined(Member::local(1), room("/chat"));
        roster.joined(Member::local(2), room("/game"));
        let in_chat: Vec<_> = roster.members(&room("/chat")).collect();
        assert_eq!(in_chat, [Member::local(1)]);
        let game = Audience::Path("/game".into());
        assert_eq!(hearers(&roster, &game), [Member::local(2)]);
        assert_eq!(hearers(&roster, &Audience::Everyone).len(), 2);
    }

    #[test]
    fn who_is_gone_is_in_no_room_and_empty_rooms_are_forgotten() {
        let mut roster = Roster::default();
        roster.connected(client(1, "/"));
        roster.joined(Member::local(1), room("/"));
        roster.joined(Member::local(2), room("/"));
        assert_eq!(roster.members(&room("/")).count(), 1, "2 is not here");
        roster.gone(Member::local(1));
        assert!(!roster.is_in(Member::local(1), &room("/")));
        assert_eq!((roster.room_count(), roster.clients().count()), (0, 0));
        roster.left(Member::local(1), &room("/"));
    }

    #[test]
    fn members_of_other_nodes_say_so() {
        let far = Member {
            node: NodeId(2),
            conn: 7,
        };
        assert_eq!(
            (far.to_string(), Member::local(7).to_string()),
            ("m7.2".into(), "m7".into())
        );
    }
}
