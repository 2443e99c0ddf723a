use std::time::{Duration, SystemTime};

use bytes::Bytes;
use proptest::prelude::*;

use super::*;
use crate::model::event::{Direction, Event};
use crate::model::frame::{FrameInfo, Opcode};
use crate::model::handshake::{RequestHead, ResponseHead};
use crate::model::message::Message;
use crate::view::ring::Entry;

fn entry(number: u64, what: What) -> Entry {
    Entry {
        number,
        event: Event {
            time: SystemTime::UNIX_EPOCH,
            at: Duration::ZERO,
            conn: Some(1),
            name: None,
            what,
        },
        frames: vec![FrameInfo {
            fin: true,
            rsv: [true, false, false],
            opcode: Opcode::TEXT,
            masked: false,
            payload_len: 45,
            wire_len: 47,
        }],
    }
}

fn message(number: u64, message: Message) -> Entry {
    let what = What::Message {
        dir: Direction::In,
        wire: 47,
        message,
        frames: 1,
        json: None,
    };
    entry(number, what)
}

fn subject(entry: &Entry) -> Subject<'_> {
    Subject {
        entry,
        request: None,
        response: None,
        reply: None,
        marked: None,
    }
}

fn key(code: KeyCode) -> KeyEvent {
    KeyEvent::new(code, KeyModifiers::NONE)
}

/// The heading and the picture, after everything was read.
fn picture(inspector: &mut Inspector, subject: &Subject<'_>, width: u16, height: u16) -> String {
    let area = Rect::new(0, 0, width, height);
    while inspector.look(subject, area) {}
    let mut buffer = Buffer::empty(area);
    inspector.render(subject, true, area, &mut buffer, &Theme::DARK);
    let mut lines = vec![inspector.heading(subject, &Theme::DARK).to_string()];
    for y in 0..height {
        let mut line = String::new();
        let mut x = 0;
        while x < width {
            let symbol = buffer[(x, y)].symbol();
            line.push_str(symbol);
            x += u16::try_from(crate::text::glyph::width(symbol).max(1)).unwrap();
        }
        lines.push(line.trim_end().to_owned());
    }
    lines.join("\n")
}

const JSON: &str =
    r#"{"id":7,"ok":true,"server":{"node":"eu-3","at":[1,2,3],"name":"日本 \u00e9"},"none":null}"#;

#[test]
fn pictures() {
    let json = message(18501, Message::text(JSON));
    let mut other = message(
        2,
        Message::text(JSON.replace("eu-3", "us-1").replace("7", "8")),
    );
    other.frames.clear();
    let hostile = message(
        3,
        Message::text("a\u{1b}[2J\u{202e}b\tc\nשלום e\u{301}\n\nlast"),
    );
    let binary = message(4, Message::binary((0..40).collect::<Vec<u8>>()));
    let broken = message(5, Message::text("{\"a\":1,\noops\nmore"));
    let long = message(
        6,
        Message::text(format!("[\"{}\"]", "0123456789".repeat(9))),
    );
    let request = RequestHead {
        method: "GET".into(),
        target: "/v1?token=abc".into(),
        headers: vec![
            ("Host".into(), "h".into()),
            ("Authorization".into(), "Bearer x".into()),
        ],
    };
    let response = ResponseHead {
        status: 101,
        reason: "Switching Protocols".into(),
        headers: vec![("Upgrade".into(), "websocket".into())],
        ..ResponseHead::default()
    };
    let full = Subject {
        request: Some(&request),
        response: Some(&response),
        reply: Some((18500, "/id", Duration::from_micros(23_100))),
        marked: Some(&other),
        ..subject(&json)
    };
    let mut shown = Vec::new();
    let mut show = |tab: Tab, subject: &Subject<'_>, width, height| {
        let mut inspector = Inspector::default();
        inspector.show(tab);
        shown.push(picture(&mut inspector, subject, width, height));
    };
    show(Tab::Json, &full, 66, 22);
    show(Tab::Json, &full, 78, 5);
    show(Tab::Headers, &full, 90, 14);
    show(Tab::Diff, &full, 60, 24);
    show(Tab::Hex, &subject(&binary), 80, 9);
    show(Tab::Hex, &subject(&binary), 66, 9);
    show(Tab::Hex, &subject(&binary), 48, 9);
    show(Tab::Json, &subject(&binary), 30, 9);
    show(Tab::Raw, &subject(&hostile), 40, 9);
    show(Tab::Json, &subject(&broken), 70, 9);
    show(Tab::Json, &subject(&long), 40, 9);
    insta::assert_snapshot!(shown.join("\n----\n"));
}

#[test]
fn containers_fold_and_unfold() {
    let entry = message(1, Message::text(JSON));
    let subject = subject(&entry);
    let mut inspector = Inspector::default();
    picture(&mut inspector, &subject, 60, 20);
    for _ in 0..3 {
        inspector.handle(key(KeyCode::Down));
    }
    assert_eq!(inspector.handle(key(KeyCode::Left)), Some(Outcome::Changed));
    let folded = picture(&mut inspector, &subject, 60, 20);
    assert!(
        folded.contains(">▸  \"server\": { 7 rows }\n    \"none\": null"),
        "{folded}"
    );
    inspector.handle(key(KeyCode::Down));
    assert_eq!(inspector.handle(key(KeyCode::Enter)), None);
    inspector.handle(key(KeyCode::Up));
    inspector.handle(key(KeyCode::Enter));
    let unfolded = picture(&mut inspector, &subject, 60, 20);
    assert!(unfolded.contains("\"node\""), "{unfolded}");
}

#[test]
fn a_search_finds_moves_and_unfolds() {
    let list: Vec<String> = (0..200).map(|at| format!("{{\"n\":{at}}}")).collect();
    let entry = message(
        1,
        Message::text(format!("{{\"list\":[{}]}}", list.join(","))),
    );
    let subject = subject(&entry);
    let mut inspector = Inspector::default();
    picture(&mut inspector, &subject, 40, 12);
    inspector.handle(key(KeyCode::Char('-')));
    inspector.handle(key(KeyCode::Char('/')));
    assert!(inspector.is_typing());
    for letter in "\"N\": 150".chars() {
        inspector.handle(key(KeyCode::Char(letter)));
    }
    let found = picture(&mut inspector, &subject, 40, 12);
    assert!(found.contains(">       \"n\": 150"), "{found}");
    inspector.handle(key(KeyCode::Enter));
    inspector.handle(key(KeyCode::Char('n')));
    let again = picture(&mut inspector, &subject, 40, 12);
    assert!(again.contains("from the other end"), "{again}");
    inspector.handle(key(KeyCode::Char('/')));
    for letter in "zzz".chars() {
        inspector.handle(key(KeyCode::Char(letter)));
    }
    assert!(picture(&mut inspector, &subject, 40, 12).contains("not found"));
    inspector.handle(key(KeyCode::Esc));
    assert_eq!(inspector.handle(key(KeyCode::Esc)), None);
}

#[test]
fn sixty_four_megabytes_of_json_are_shown_at_once() {
    let element = "{\"type\":\"tick\",\"price\":1.25},";
    let mut text = String::from("[");
    while text.len() < (64 << 20) - element.len() {
        text.push_str(element);
    }
    text.push_str("{}]");
    let entry = message(1, Message::text(text));
    let subject = subject(&entry);
    let mut inspector = Inspector::default();
    let area = Rect::new(0, 0, 80, 24);
    // One look reads a bounded piece and no more.
    assert!(inspector.look(&subject, area));
    let mut buffer = Buffer::empty(area);
    inspector.render(&subject, true, area, &mut buffer, &Theme::DARK);
    let second: String = (0..80).map(|x| buffer[(x, 2)].symbol()).collect();
    assert!(second.contains("\"type\": \"tick\""), "{second}");
    let last: String = (0..80).map(|x| buffer[(x, 21)].symbol()).collect();
    assert!(last.contains("reading 1 %"), "{last}");
    inspector.handle(key(KeyCode::End));
    assert!(inspector.look(&subject, area));
}

#[test]
fn another_entry_begins_at_its_top() {
    let first = message(1, Message::text("a\n".repeat(100)));
    let second = message(2, Message::text("b\n".repeat(100)));
    let mut inspector = Inspector::default();
    picture(&mut inspector, &subject(&first), 20, 4);
    inspector.handle(key(KeyCode::End));
    assert!(picture(&mut inspector, &subject(&first), 20, 4).contains("> a"));
    assert_eq!(
        inspector.sheets[Tab::Raw as usize]
            .as_ref()
            .map(Sheet::cursor),
        Some(99)
    );
    picture(&mut inspector, &subject(&second), 20, 4);
    assert_eq!(
        inspector.sheets[Tab::Raw as usize]
            .as_ref()
            .map(Sheet::cursor),
        Some(0)
    );
}

proptest! {
    // Each case is many pictures.
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_key_no_size_and_no_content_breaks_it(
        text in prop_oneof!["[\\[\\]{}\",:0-9a\\n\\t\u{1b}\u{202e}日\u{301}א]{0,200}", any::<String>()],
        bytes in proptest::collection::vec(any::<u8>(), 0..100),
        is_text: bool,
        keys in proptest::collection::vec((0_u8..24, any::<char>(), 0_u16..90, 0_u16..24), 0..25),
    ) {
        let new = if is_text { Message::text(text) } else { Message::binary(bytes) };
        let (entry, old) = (message(1, new), message(2, Message::text("{\"a\":[1]}")));
        let subject = Subject { marked: Some(&old), reply: Some((1, "/id", Duration::ZERO)), ..subject(&entry) };
        let mut inspector = Inspector::default();
        for (which, letter, width, height) in keys {
            match which {
                0..5 => inspector.show(Tab::ALL[usize::from(which)]),
                5 => inspector.toggle_wrap(),
                _ => {
                    let codes = [KeyCode::Up, KeyCode::Down, KeyCode::PageUp, KeyCode::PageDown, KeyCode::Home, KeyCode::End, KeyCode::Left, KeyCode::Right, KeyCode::Enter, KeyCode::Esc, KeyCode::Backspace];
                    let letters = ['/', 'n', 'N', '-', '+', '<', '>'];
                    let code = codes.get(usize::from(which) - 6).copied().unwrap_or_else(|| {
                        KeyCode::Char(letters.get(usize::from(which) - 17).copied().unwrap_or(letter))
                    });
                    inspector.handle(key(code));
                }
            }
            let area = Rect::new(3, 2, width, height);
            inspector.look(&subject, area);
            let mut buffer = Buffer::empty(Rect::new(0, 0, 100, 30));
            inspector.render(&subject, true, area, &mut buffer, &Theme::DARK);
            for y in 0..30 {
                for x in 0..100 {
                    if !area.contains(ratatui::layout::Position::new(x, y)) {
                        prop_assert_eq!(buffer[(x, y)].symbol(), " ");
                    }
                }
            }
        }
    }
}

#[test]
fn what_is_empty_says_so() {
    for message in [Message::text(""), Message::binary(Bytes::new())] {
        let entry = self::message(1, message);
        assert!(picture(&mut Inspector::default(), &subject(&entry), 20, 4).contains("(empty)"));
    }
}
