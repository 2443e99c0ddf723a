//! Scenarios: who says what, and who hears what.

use std::time::{Instant, SystemTime};

use serde_json::Value;

use super::*;
use crate::model::close::{CloseCode, CloseFrame};
use crate::model::command::Command;
use crate::serve::mode::Plan;

/// A server with clients, played without any I/O.
struct Stage {
    mode: Box<dyn Mode>,
    roster: Roster,
    /// What everyone heard, in order.
    heard: Vec<(u64, String)>,
    events: Vec<What>,
}

impl Stage {
    fn new(history: usize) -> Self {
        let plan = Plan {
            history,
            ..Plan::of(&ENTRY)
        };
        Self {
            mode: plan.make(),
            roster: Roster::default(),
            heard: Vec::new(),
            events: Vec::new(),
        }
    }

    /// Clients come, named by their numbers.
    fn with(mut self, conns: &[u64]) -> Self {
        for conn in conns {
            self.roster.connected(client(*conn, "/"));
        }
        self
    }

    fn says(&mut self, conn: u64, text: &str) {
        let from = self.roster.client(Member::local(conn)).unwrap().clone();
        let actions = self
            .mode
            .message(&from, Message::text(text), &scene(&self.roster));
        self.act(actions);
    }

    fn goes(&mut self, conn: u64, departure: Departure) {
        let client = self.roster.client(Member::local(conn)).unwrap().clone();
        let actions = self.mode.gone(&client, departure, &scene(&self.roster));
        self.act(actions);
        self.roster.gone(client.member);
    }

    fn act(&mut self, actions: Vec<Action>) {
        for action in actions {
            match action {
                Action::Send {
                    to,
                    command: Command::Send(message),
                } => self.hear(to, &message),
                Action::Publish { to, message, .. } => {
                    for member in self.hearers(to) {
                        self.hear(member.conn, &message);
                    }
                }
                Action::Join(member, channel) => self.roster.joined(member, channel),
                Action::Leave(member, channel) => self.roster.left(member, &channel),
                Action::Tell(_, what) => self.events.push(what),
                other => panic!("{other:?}"),
            }
        }
    }

    fn hearers(&self, to: Audience) -> Vec<Member> {
        let members = |client: &Client| client.member;
        match to {
            Audience::Everyone => self.roster.clients().map(members).collect(),
            Audience::Path(path) => self.roster.at(&path).map(members).collect(),
            Audience::Members(members) => members,
        }
    }

    fn hear(&mut self, conn: u64, message: &Message) {
        let text = message
            .as_text()
            .map_or("binary".into(), |text| text.into_owned());
        self.heard.push((conn, text));
    }

    /// What was heard since the last call, in order.
    fn heard(&mut self) -> Vec<(u64, String)> {
        std::mem::take(&mut self.heard)
    }

    /// The codes of the errors, and the types of all else, that one has heard.
    fn types(&mut self, conn: u64) -> Vec<String> {
        let heard = self.heard();
        let mine = heard.iter().filter(|(hearer, _)| *hearer == conn);
        mine.map(|(_, text)| {
            let value: Value = serde_json::from_str(text).unwrap();
            let kind = value.get("code").unwrap_or(&value["type"]);
            kind.as_str().unwrap().to_owned()
        })
        .collect()
    }
}

fn client(conn: u64, path: &str) -> Client {
    Client {
        member: Member::local(conn),
        path: path.into(),
        user: match conn {
            8 => Some("m1".into()),
            9 => Some("ann".into()),
            _ => None,
        },
    }
}

fn scene(roster: &Roster) -> Scene<'_> {
    Scene {
        roster,
        now: Instant::now(),
        time: || SystemTime::UNIX_EPOCH,
        is_stored: false,
    }
}

fn owned(heard: &[(u64, &str)]) -> Vec<(u64, String)> {
    heard
        .iter()
        .map(|(conn, text)| (*conn, (*text).to_owned()))
        .collect()
}

#[test]
fn a_move_reaches_the_room_with_its_senders_identity() {
    let mut stage = Stage::new(0).with(&[1, 2, 3]);
    stage.says(1, r#"{"type":"join","room":"game","id":"j1"}"#);
    assert_eq!(
        stage.heard(),
        owned(&[(
            1,
            r#"{"type":"joined","id":"j1","room":"game","member":{"id":"m1","node":1},"members":[{"id":"m1","node":1}]}"#
        )])
    );
    stage.says(2, r#"{"type":"join","room":"game"}"#);
    stage.heard();
    stage.says(1, r#"{"type":"move","x":1,"y":2,"from":"m2"}"#);
    assert_eq!(
        stage.heard(),
        owned(&[(
            2,
            r#"{"type":"move","room":"game","x":1,"y":2,"from":"m1"}"#
        )])
    );
    stage.says(3, r#"{"type":"move","x":1}"#);
    assert_eq!(stage.types(3), ["not_in_room"]);
    stage.says(3, r#"{"type":"join","room":5}"#);
    let (_, heard) = &stage.heard()[0];
    assert!(
        heard.contains("room takes a text that is not empty"),
        "{heard}"
    );
}

#[test]
fn what_belongs_to_a_file_needs_no_room() {
    let mut stage = Stage::new(0).with(&[1, 2]);
    let from = client(1, "/");
    let meta = r#"{"type":"file-meta","name":"a","size":1}"#;
    for message in [Message::text(meta), Message::binary("x")] {
        for (is_stored, heard) in [(false, vec!["not_in_room"]), (true, vec![])] {
            let scene = Scene {
                is_stored,
                ..scene(&stage.roster)
            };
            let actions = stage.mode.message(&from, message.clone(), &scene);
            stage.act(actions);
            assert_eq!(stage.types(1), heard, "{message:?}");
        }
    }
    for conn in [1, 2] {
        stage.says(conn, r#"{"type":"join","room":"r"}"#);
    }
    stage.heard();
    let actions = stage
        .mode
        .message(&from, Message::binary("x"), &scene(&stage.roster));
    stage.act(actions);
    assert_eq!(stage.heard(), owned(&[(2, "binary")]));
}

#[test]
fn everyone_hears_in_the_shape_that_it_speaks() {
    let mut stage = Stage::new(0).with(&[1, 9]);
    stage.says(1, r#"{"type":"join","room":"r"}"#);
    stage.says(
        9,
        r#"{"type":"join","id":5,"meta":{},"payload":{"roomId":"r"}}"#,
    );
    let heard = stage.heard();
    assert_eq!(
        heard[1..],
        owned(&[
            (
                9,
                r#"{"type":"joined","id":5,"meta":{},"payload":{"roomId":"r","member":{"id":"m9","node":1,"user":"ann"},"members":[{"id":"m1","node":1},{"id":"m9","node":1,"user":"ann"}]}}"#
            ),
            (
                1,
                r#"{"type":"presence","room":"r","state":"joined","member":{"id":"m9","node":1,"user":"ann"}}"#
            ),
        ])
    );
    stage.says(1, r#"{"type":"message","id":"a","room":"r","text":"hi"}"#);
    stage.says(
        9,
        r#"{"type":"message","payload":{"roomId":"r","text":"ho"}}"#,
    );
    assert_eq!(
        stage.heard(),
        owned(&[
            (
                9,
                r#"{"type":"message","id":"a","meta":{"from":"m1"},"payload":{"roomId":"r","text":"hi"}}"#
            ),
            (1, r#"{"type":"ack","id":"a"}"#),
            (
                1,
                r#"{"type":"message","room":"r","text":"ho","from":"m9","user":"ann"}"#
            ),
        ])
    );
}

#[test]
fn who_comes_back_catches_up() {
    let mut stage = Stage::new(10).with(&[1, 2]);
    stage.says(1, r#"{"type":"join","room":"r"}"#);
    stage.says(2, r#"{"type":"join","room":"r"}"#);
    stage.says(1, r#"{"type":"move","n":1,"id":1}"#);
    assert!(
        stage
            .heard()
            .contains(&(1, r#"{"type":"ack","id":1,"room":"r","offset":1}"#.into()))
    );
    stage.goes(2, Departure::Lost);
    assert_eq!(stage.types(1), ["presence"]);
    stage.says(1, r#"{"type":"move","n":2}"#);
    let mut stage = stage.with(&[3]);
    stage.says(3, r#"{"type":"join","room":"r","since":1}"#);
    let heard = stage.heard();
    assert!(heard[0].1.contains(r#""offset":2"#), "{heard:?}");
    assert_eq!(
        heard[1],
        (
            3,
            r#"{"type":"move","room":"r","n":2,"from":"m1","offset":2}"#.into()
        )
    );
    let lost = What::Presence {
        room: "r".into(),
        user: "m2".into(),
        state: "lost",
    };
    assert!(stage.events.contains(&lost));
}

#[test]
fn direct_messages_reach_a_user_or_a_connection_on_the_same_path() {
    let mut stage = Stage::new(0).with(&[1, 9]);
    stage.roster.connected(client(3, "/other"));
    stage.says(1, r#"{"type":"direct","to":"ann","text":"psst"}"#);
    let psst = r#"{"type":"direct","to":"ann","text":"psst","from":"m1"}"#;
    assert_eq!(stage.heard(), owned(&[(9, psst)]));
    stage.says(9, r#"{"type":"direct","to":"m1","text":"yes?"}"#);
    assert_eq!(stage.types(1), ["direct"]);
    // The user m1 is another.
    stage.roster.connected(client(8, "/"));
    stage.says(9, r#"{"type":"direct","to":"m1","text":"still you?"}"#);
    let heard: Vec<u64> = stage.heard().into_iter().map(|(conn, _)| conn).collect();
    assert_eq!(heard, [1]);
    stage.says(1, r#"{"type":"direct","to":"m3"}"#);
    stage.says(1, r#"{"type":"direct","to":3}"#);
    assert_eq!(stage.types(1), ["no_such_peer", "bad_field"]);
}

#[test]
fn topics_reach_who_subscribed_once() {
    let mut stage = Stage::new(0).with(&[1, 2]);
    for topic in ["sensors.*", "sensors.temp"] {
        let text = format!(r#"{{"type":"subscribe","topic":"{topic}"}}"#);
        stage.says(1, &text);
    }
    assert_eq!(stage.types(1), ["subscribed", "subscribed"]);
    stage.says(
        2,
        r#"{"type":"publish","topic":"sensors.temp","data":21.50}"#,
    );
    let published = r#"{"type":"publish","topic":"sensors.temp","data":21.50,"from":"m2"}"#;
    assert_eq!(stage.heard(), owned(&[(1, published)]));
    stage.says(1, r#"{"type":"unsubscribe","topic":"sensors.*"}"#);
    stage.says(2, r#"{"type":"publish","topic":"sensors.hum"}"#);
    assert_eq!(stage.types(1), ["unsubscribed"]);
    stage.says(2, r#"{"type":"publish","topic":"sensors.*"}"#);
    assert_eq!(stage.types(2), ["bad_name"]);
}

#[test]
fn wrong_messages_are_told_so_and_change_nothing() {
    let mut stage = Stage::new(0).with(&[1]);
    for (text, code) in [
        ("hello", "bad_json"),
        (r#"{"type":"join"}"#, "bad_name"),
        (r#"{"type":"join","room":"../../etc"}"#, "bad_name"),
        (r#"{"type":"join","room":7}"#, "bad_name"),
        (r#"{"type":"join","room":"a","since":-1}"#, "bad_field"),
        (r#"{"type":"leave","room":"a"}"#, "not_in_room"),
        (r#"{"type":"message","room":"a"}"#, "not_in_room"),
        (r#"{"type":"subscribe"}"#, "bad_field"),
    ] {
        stage.says(1, text);
        assert_eq!(stage.types(1), [code], "{text}");
    }
    stage.says(
        1,
        r#"{"type":"join","room":"","payload":{"roomId":""},"id":3}"#,
    );
    let heard = stage.heard();
    assert!(
        heard[0]
            .1
            .starts_with(r#"{"type":"error","id":3,"meta":{},"payload":{"code":"bad_name""#)
    );
    assert_eq!(stage.roster.channel_count(), 0);
    stage.says(1, "ping");
    assert_eq!(stage.heard(), owned(&[(1, "pong")]));
}

#[test]
fn rooms_of_one_client_are_bounded() {
    let mut stage = Stage::new(0).with(&[1]);
    for number in 0..10_000 {
        stage.says(1, &format!(r#"{{"type":"join","room":"r{number}"}}"#));
    }
    let types = stage.types(1);
    assert_eq!(types[127..129], ["joined", "too_many"]);
    assert_eq!((types.len(), stage.roster.channel_count()), (10_000, 128));
    stage.says(1, r#"{"type":"join","room":"r0"}"#);
    assert_eq!(stage.types(1), ["joined"], "it is in that one");
    stage.goes(1, Departure::Closed(CloseFrame::bare(CloseCode::NORMAL)));
    assert_eq!(stage.roster.channel_count(), 0);
}

#[test]
fn presence_tells_who_is_there() {
    let mut stage = Stage::new(0).with(&[1, 9]);
    stage.says(9, r#"{"type":"join","room":"r"}"#);
    stage.heard();
    stage.says(1, r#"{"type":"presence","room":"r"}"#);
    stage.says(1, r#"{"type":"presence"}"#);
    let ann = r#"{"id":"m9","node":1,"user":"ann"}"#;
    assert_eq!(
        stage.heard(),
        [
            (
                1,
                format!(r#"{{"type":"presence","room":"r","members":[{ann}]}}"#)
            ),
            (
                1,
                format!(r#"{{"type":"presence","members":[{{"id":"m1","node":1}},{ann}]}}"#)
            ),
        ]
    );
    stage.says(9, r#"{"type":"leave","room":"r","id":1}"#);
    assert_eq!(
        stage.heard(),
        owned(&[(9, r#"{"type":"left","id":1,"room":"r"}"#)])
    );
}
