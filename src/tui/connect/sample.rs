//! A session for the tests of this folder: the one that the documentation shows.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use jiff::tz::TimeZone;
use ratatui::layout::Size;

use super::keymap::Keymap;
use super::scene::{Note, Scene, Weight};
use super::state::{Setup, State};
use crate::model::close::CloseCode;
use crate::model::event::{Close, ClosedBy, Direction, Event, Open, TlsInfo, What};
use crate::model::frame::{FrameInfo, Opcode};
use crate::model::handshake::{RequestHead, ResponseHead, Timings};
use crate::model::message::Message;
use crate::model::state::ReadyState;
use crate::tui::theme::Colours;
use crate::tui::widget::composer::Composer;

/// 14:00:00 UTC.
const BEGAN: Duration = Duration::from_secs(1_795_183_200);

/// A scene that is being told.
pub(super) struct Told {
    pub(super) scene: Scene,
    pub(super) now: Duration,
    conn: u64,
}

impl Told {
    pub(super) fn begin() -> Self {
        let scene = Scene {
            url: "wss://api.example.com/v1/stream".into(),
            setup: vec![
                "on open 2 messages".into(),
                "heartbeat 5.00s".into(),
                "reconnects, 8 retries".into(),
            ],
            ..Scene::default()
        };
        Self {
            scene,
            now: Duration::ZERO,
            conn: 1,
        }
    }

    pub(super) fn after(&mut self, micros: u64) -> &mut Self {
        self.now += Duration::from_micros(micros);
        self
    }

    pub(super) fn hear(&mut self, what: What) -> &mut Self {
        self.scene.hear(Event {
            time: SystemTime::UNIX_EPOCH + BEGAN + self.now,
            at: self.now,
            conn: Some(self.conn),
            name: None,
            what,
        });
        self
    }

    pub(super) fn message(&mut self, dir: Direction, message: Message) -> &mut Self {
        let size = message.payload.len() as u64;
        let opcode = if message.is_text() {
            Opcode::TEXT
        } else {
            Opcode::BINARY
        };
        let frame = FrameInfo {
            fin: true,
            rsv: [false; 3],
            opcode,
            masked: dir == Direction::Out,
            payload_len: size,
            wire_len: size + 2,
        };
        self.hear(What::Frame { dir, frame });
        self.hear(What::Message {
            dir,
            message,
            frames: 1,
            wire: size / 3 + 2,
            json: None,
        })
    }

    pub(super) fn received(&mut self, text: &str) -> &mut Self {
        self.message(Direction::In, Message::text(text))
    }

    pub(super) fn sent(&mut self, text: &str) -> &mut Self {
        self.message(Direction::Out, Message::text(text))
    }

    pub(super) fn opens(&mut self) -> &mut Self {
        self.hear(What::State(ReadyState::Connecting));
        self.hear(What::Request(Box::new(RequestHead {
            method: "GET".into(),
            target: "/v1/stream".into(),
            headers: vec![("Host".into(), "api.example.com".into())],
        })));
        self.hear(What::Response(Box::new(ResponseHead {
            status: 101,
            is_http_1_0: false,
            reason: "Switching Protocols".into(),
            headers: vec![("Upgrade".into(), "websocket".into())],
        })));
        self.after(84_000);
        self.hear(What::State(ReadyState::Open));
        let millis = |count| Some(Duration::from_millis(count));
        self.hear(What::Open(Box::new(Open {
            url: "wss://api.example.com/v1/stream".into(),
            subprotocol: Some("json.v2".into()),
            extensions: vec!["permessage-deflate".into()],
            peer: "203.0.113.7:443".into(),
            tls: Some(TlsInfo {
                version: "TLSv1.3".into(),
                cipher: "TLS13_AES_256_GCM_SHA384".into(),
                subject: None,
                expires: None,
                checked: true,
            }),
            timings: Timings {
                dns: millis(1),
                tcp: millis(21),
                proxy: None,
                tls: millis(38),
                upgrade: millis(24),
                total: Duration::from_millis(84),
            },
        })));
        self.note(
            Weight::Info,
            "connected to wss://api.example.com/v1/stream in 84ms",
        )
    }

    pub(super) fn drops(&mut self) -> &mut Self {
        self.hear(What::Close(Box::new(Close {
            code: CloseCode::ABNORMAL,
            reason: String::new(),
            clean: false,
            by: ClosedBy::Transport,
            wire_code: None,
            idle: Duration::from_millis(77),
            unsent: 0,
        })));
        self.hear(What::State(ReadyState::Closed));
        self.note(Weight::Warning, "closed 1006 (abnormal closure)");
        self.hear(What::Retry {
            attempt: 1,
            max: 8,
            delay: Duration::from_millis(1_600),
            reason: "closed 1006 (abnormal closure)".into(),
        });
        self.conn += 1;
        self.note(Weight::Warning, "retry 1 of 8 in 1.60s")
    }

    pub(super) fn ping(&mut self, rtt: u64) -> &mut Self {
        let payload = Bytes::from_static(b"\0\0\x01\x8f\x2a\x11\x9c\x40");
        self.hear(What::Ping {
            dir: Direction::Out,
            payload: payload.clone(),
        });
        self.after(rtt);
        self.hear(What::Pong {
            dir: Direction::In,
            payload,
            rtt: Some(Duration::from_micros(rtt)),
        })
    }

    fn note(&mut self, weight: Weight, text: &str) -> &mut Self {
        self.scene.note(Note {
            time: SystemTime::UNIX_EPOCH + BEGAN + self.now,
            weight,
            text: text.into(),
        });
        self
    }
}

/// A tick of a price.
fn tick(number: usize) -> String {
    let symbol = ["EURUSD", "GBPUSD", "USDJPY"][number % 3];
    format!("{{\"type\":\"tick\",\"sym\":\"{symbol}\",\"bid\":1.08{number:03},\"seq\":{number}}}")
}

/// The session of the documentation: ticks, a request and its reply, a lost connection, and another.
pub(super) fn session() -> Told {
    let mut told = Told::begin();
    told.opens();
    told.sent("{\"op\":\"hello\",\"token\":\"***\"}");
    for number in 0..40 {
        told.after(21_000).received(&tick(number));
        if number % 8 == 0 {
            told.after(3_000).ping(20_000 + 900 * number as u64);
        }
    }
    told.after(22_000)
        .sent("{\"op\":\"sub\",\"ch\":\"trades\",\"id\":7}");
    told.after(23_100).received(
        "{\"id\":7,\"ok\":true,\"ch\":\"trades\",\"server\":{\"node\":\"eu-3\",\"epoch\":1795183331}}",
    );
    let binary = [0x08, 0x96, 0x01, 0x12, 0x07, b't', b'e', b's', b't'].repeat(400);
    told.after(1_100)
        .message(Direction::In, Message::binary(binary));
    told.after(636_000).ping(23_100);
    told.after(77_000).drops();
    told.after(1_600_000).opens();
    for number in 40..48 {
        told.after(9_000).received(&tick(number));
    }
    told
}

pub(super) fn setup() -> Setup {
    Setup {
        theme: Setup::theme("dark", &Colours::default(), false),
        colours: Colours::default(),
        ascii: false,
        mouse: false,
        keymap: Keymap::default(),
        zone: TimeZone::UTC,
        filter: None,
    }
}

/// A screen that has just opened on this.
pub(super) fn state(told: &Told, width: u16, height: u16) -> State {
    let mut state = State::new(setup(), Composer::new(Vec::new()), Size::new(width, height));
    state.now = told.now;
    state.settle(&told.scene);
    state
}
