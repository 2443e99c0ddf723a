//! Who is here, and who is in which room or topic: clients of every node. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::bus::Member;

/// What is known of a connected client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Client {
    pub member: Member,
    /// Where it connected: a namespace, which its rooms are in.
    pub path: Arc<str>,
    /// Who it is, where it had to say.
    pub user: Option<Arc<str>>,
}

/// What a client may be in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Room,
    /// Topics that fit a pattern.
    Topic,
}

/// A room or a topic: the same name on two paths is two of them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Channel {
    pub path: Arc<str>,
    pub kind: Kind,
    pub name: Arc<str>,
}

impl Channel {
    pub const fn room(path: Arc<str>, name: Arc<str>) -> Self {
        Self {
            path,
            kind: Kind::Room,
            name,
        }
    }

    pub const fn topic(path: Arc<str>, name: Arc<str>) -> Self {
        Self {
            path,
            kind: Kind::Topic,
            name,
        }
    }
}

/// All clients, rooms and topics.
#[derive(Debug, Default)]
pub struct Roster {
    clients: BTreeMap<Member, Entry>,
    channels: BTreeMap<Channel, BTreeSet<Member>>,
}

#[derive(Debug)]
struct Entry {
    client: Client,
    channels: BTreeSet<Channel>,
}

impl Roster {
    pub(super) fn connected(&mut self, client: Client) {
        let entry = Entry {
            client,
            channels: BTreeSet::new(),
        };
        self.clients.insert(entry.client.member, entry);
    }

    /// Removes a client from everything that it is in too.
    pub(super) fn gone(&mut self, member: Member) {
        let Some(entry) = self.clients.remove(&member) else {
            return;
        };
        for channel in entry.channels {
            self.remove(member, &channel);
        }
    }

    pub(super) fn joined(&mut self, member: Member, channel: Channel) {
        if let Some(entry) = self.clients.get_mut(&member) {
            entry.channels.insert(channel.clone());
            self.channels.entry(channel).or_default().insert(member);
        }
    }

    pub(super) fn left(&mut self, member: Member, channel: &Channel) {
        if let Some(entry) = self.clients.get_mut(&member) {
            entry.channels.remove(channel);
            self.remove(member, channel);
        }
    }

    fn remove(&mut self, member: Member, channel: &Channel) {
        if let Some(members) = self.channels.get_mut(channel) {
            members.remove(&member);
            if members.is_empty() {
                self.channels.remove(channel);
            }
        }
    }

    pub fn client(&self, member: Member) -> Option<&Client> {
        self.clients.get(&member).map(|entry| &entry.client)
    }

    pub fn clients(&self) -> impl Iterator<Item = &Client> {
        self.clients.values().map(|entry| &entry.client)
    }

    /// Everyone on a path.
    pub fn at<'a>(&'a self, path: &'a str) -> impl Iterator<Item = &'a Client> {
        self.clients().filter(move |client| *client.path == *path)
    }

    /// What a client is in, in the order of kinds and names.
    pub fn channels_of(&self, member: Member) -> impl Iterator<Item = &Channel> {
        let entry = self.clients.get(&member);
        entry.into_iter().flat_map(|entry| &entry.channels)
    }

    /// The rooms or topics of a path that somebody is in.
    pub fn channels(&self, path: &Arc<str>, kind: Kind) -> impl Iterator<Item = &Channel> {
        // No name is less than the empty one.
        let first = Channel {
            path: Arc::clone(path),
            kind,
            name: Arc::from(""),
        };
        let on_from_there = self.channels.range(first..).map(|(channel, _)| channel);
        on_from_there.take_while(move |channel| channel.path == *path && channel.kind == kind)
    }

    /// Who is in a room or topic.
    pub fn members(&self, channel: &Channel) -> impl Iterator<Item = Member> {
        self.channels.get(channel).into_iter().flatten().copied()
    }

    pub fn is_in(&self, member: Member, channel: &Channel) -> bool {
        let members = self.channels.get(channel);
        members.is_some_and(|members| members.contains(&member))
    }

    /// How many rooms and topics have somebody in them.
    pub fn channel_count(&self) -> usize {
        self.channels.len()
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

    fn room(path: &str) -> Channel {
        Channel::room(path.into(), "lobby".into())
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
        let topic = Channel::topic("/chat".into(), "a".into());
        roster.joined(Member::local(1), topic.clone());
        let path = Arc::from("/chat");
        let names = |kind| roster.channels(&path, kind).cloned().collect::<Vec<_>>();
        assert_eq!(names(Kind::Room), [room("/chat")]);
        assert_eq!(names(Kind::Topic), [topic]);
        assert_eq!(roster.at("/game").count(), 1);
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
        assert_eq!((roster.channel_count(), roster.clients().count()), (0, 0));
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
