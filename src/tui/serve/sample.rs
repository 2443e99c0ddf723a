//! A server for the tests of this folder.

use std::time::{Duration, SystemTime};

use jiff::tz::TimeZone;
use ratatui::layout::Size;

use super::keymap::Keymap;
use super::scene::Scene;
use super::state::{Setup, State};
use super::update::{Action, update};
use crate::model::close::CloseCode;
use crate::model::event::{Close, ClosedBy, ConnId, Direction, Event, Open, What};
use crate::model::handshake::Timings;
use crate::model::message::Message;
use crate::tui::connect;
use crate::tui::theme::Colours;

/// 14:00:00 UTC.
const BEGAN: Duration = Duration::from_secs(1_795_183_200);

/// A scene that is being told.
pub(super) struct Told {
    pub(super) scene: Scene,
    pub(super) now: Duration,
}

impl Told {
    pub(super) fn begin(mode: &'static str) -> Self {
        let mut scene = Scene::default();
        scene.url = "ws://127.0.0.1:8080/".into();
        scene.mode = mode;
        Self {
            scene,
            now: Duration::ZERO,
        }
    }

    pub(super) fn after(&mut self, millis: u64) -> &mut Self {
        self.now += Duration::from_millis(millis);
        self
    }

    pub(super) fn hear(&mut self, conn: Option<ConnId>, what: What) -> &mut Self {
        self.scene.hear(Event {
            time: SystemTime::UNIX_EPOCH + BEGAN + self.now,
            at: self.now,
            conn,
            name: None,
            what,
        });
        self
    }

    pub(super) fn opens(&mut self, conn: ConnId, url: &str) -> &mut Self {
        let open = Open {
            url: url.to_owned(),
            subprotocol: None,
            extensions: vec!["permessage-deflate".into()],
            peer: format!("127.0.0.1:{}", 40_000 + conn),
            tls: None,
            timings: Timings::default(),
        };
        self.hear(Some(conn), What::Open(Box::new(open)))
    }

    pub(super) fn room(&mut self, conn: ConnId, room: &str, action: &'static str) -> &mut Self {
        let room = room.to_owned();
        self.hear(Some(conn), What::Room { room, action })
    }

    pub(super) fn message(&mut self, conn: ConnId, dir: Direction, text: &str) -> &mut Self {
        let message = What::Message {
            dir,
            message: Message::text(text),
            frames: 1,
            wire: text.len() as u64 + 2,
            json: None,
        };
        self.hear(Some(conn), message)
    }

    pub(super) fn says(&mut self, conn: ConnId, text: &str) -> &mut Self {
        self.message(conn, Direction::In, text)
    }

    pub(super) fn closes(&mut self, conn: ConnId) -> &mut Self {
        let close = Close {
            code: CloseCode::NORMAL,
            reason: String::new(),
            clean: true,
            by: ClosedBy::Peer,
            wire_code: Some(CloseCode::NORMAL),
            idle: Duration::ZERO,
            unsent: 0,
        };
        self.hear(Some(conn), What::Close(Box::new(close)))
    }
}

/// A game and some who are slow, as the documentation would show it.
pub(super) fn served() -> Told {
    let mut told = Told::begin("rooms");
    for conn in 1..=14 {
        told.after(1_200).opens(conn, "/game?token=***");
        let user = ["ann", "bob", "cem"].get(conn as usize - 1);
        let user = user.map(|user| (*user).to_owned());
        told.hear(Some(conn), What::Auth { user, result: "ok" });
    }
    for conn in 1..=3 {
        told.after(100).room(conn, "match:7", "join");
    }
    told.room(4, "lobby", "join")
        .room(1, "scores.*", "subscribe");
    for x in 0..12 {
        let text = format!(r#"{{"type":"move","x":{x}}}"#);
        told.after(250).says(1, &text);
        for conn in 2..=3 {
            told.message(conn, Direction::Out, &text);
        }
    }
    let rtt = Some(Duration::from_micros(840));
    let pong = What::Pong {
        dir: Direction::In,
        payload: "1".into(),
        rtt,
    };
    told.hear(Some(2), pong);
    let dropped = What::Dropped {
        count: 12,
        bytes: 40_000,
        place: "queue",
    };
    told.after(900).hear(Some(3), dropped);
    let limit = What::Limit {
        limit: "rate",
        action: "delay",
        again: false,
    };
    told.hear(Some(5), limit);
    let fault = What::Fault {
        action: "delay",
        detail: "delay=200ms:conn=2, 212ms".into(),
    };
    told.hear(Some(2), fault);
    told.after(600).closes(9);
    told.scene.measure(&[(2, 1_200), (3, 640_000)].into());
    told.scene.note("other machines can connect");
    told.after(2_000);
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
        zone: TimeZone::UTC,
        filter: None,
    };
    let mut state = State::new(setup, Size { width, height });
    update(&mut state, &told.scene, told.now, Action::Look);
    state
}
