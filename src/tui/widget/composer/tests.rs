use proptest::prelude::*;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use super::*;
use crate::input::slash;
use crate::model::command::Command;
use crate::model::message::Message;
use crate::tui::theme::Theme;

fn key(code: KeyCode) -> KeyEvent {
    KeyEvent::new(code, KeyModifiers::NONE)
}

fn control(letter: char) -> KeyEvent {
    KeyEvent::new(KeyCode::Char(letter), KeyModifiers::CONTROL)
}

fn typed(text: &str) -> Composer {
    let mut composer = Composer::new(vec!["hello old".into(), "{\"op\":\"sub\"}".into()]);
    type_in(&mut composer, text);
    composer
}

fn type_in(composer: &mut Composer, text: &str) {
    for letter in text.chars() {
        composer.handle(key(KeyCode::Char(letter)));
    }
}

/// The picture, the heading above it and the cursor marked.
fn picture(composer: &Composer, width: u16, height: u16) -> String {
    let area = Rect::new(0, 0, width, height);
    let mut buffer = Buffer::empty(area);
    let cursor = composer.render(area, &mut buffer, &Theme::DARK);
    let mut lines = vec![composer.heading(&Theme::DARK).to_string()];
    for y in 0..height {
        let mut line = String::new();
        let mut skipped = 0;
        for x in 0..width {
            if cursor == Some(Position::new(x, y)) {
                line.push('▏');
            }
            if skipped > 0 {
                skipped -= 1;
                continue;
            }
            let symbol = buffer[(x, y)].symbol();
            skipped = glyph::width(symbol).saturating_sub(1);
            line.push_str(symbol);
        }
        lines.push(line.trim_end().to_owned());
    }
    lines.join("\n")
}

#[test]
fn what_is_typed_is_sent_and_remembered() {
    let mut composer = typed("hi");
    let outcome = composer.submit(true).unwrap();
    let input = Command::Send(Message::text("hi")).into();
    assert_eq!(
        outcome,
        Outcome::Submit {
            input,
            line: "hi".into()
        }
    );
    assert_eq!(composer.text(), "");
    composer.handle(key(KeyCode::Up));
    assert_eq!(composer.text(), "hi");
    assert_eq!(composer.submit(false), Some(Outcome::Changed));
    assert!(composer.heading(&Theme::DARK).to_string().contains("stays"));
    assert_eq!(composer.text(), "hi");
}

#[test]
fn other_kinds_are_remembered_as_slash_commands() {
    let mut composer = Composer::default();
    for (kind, text, line) in [
        (Kind::Binary, "00 ff", "/bin hex:00 ff"),
        (Kind::Binary, "base64:AP8=", "/bin base64:AP8="),
        (Kind::Ping, "x", "/ping x"),
        (Kind::Close, "", "/close"),
        (Kind::Close, "1000 bye", "/close 1000 bye"),
    ] {
        composer.edit(kind, text);
        let Some(Outcome::Submit { line: kept, input }) = composer.submit(true) else {
            panic!("{text} is not sent");
        };
        assert_eq!(kept, line);
        assert_eq!(slash::parse(&kept), input);
    }
}

#[test]
fn the_history_is_walked_and_left_again() {
    let mut composer = typed("new");
    composer.handle(key(KeyCode::Up));
    composer.handle(key(KeyCode::Up));
    assert_eq!(composer.text(), "hello old");
    assert_eq!(composer.handle(key(KeyCode::Up)), None);
    composer.handle(key(KeyCode::Down));
    composer.handle(key(KeyCode::Down));
    assert_eq!(composer.text(), "new");
}

#[test]
fn the_history_is_searched() {
    let mut composer = typed("draft");
    composer.search();
    type_in(&mut composer, "l");
    assert_eq!(composer.text(), "hello old");
    type_in(&mut composer, "zz");
    assert!(
        composer
            .heading(&Theme::DARK)
            .to_string()
            .contains("nothing has lzz")
    );
    composer.handle(key(KeyCode::Esc));
    assert_eq!(composer.text(), "draft");
    composer.search();
    composer.search();
    assert_eq!(composer.text(), "{\"op\":\"sub\"}");
    composer.search();
    composer.submit(true);
    assert_eq!(composer.text(), "hello old");
    assert!(matches!(
        composer.submit(true),
        Some(Outcome::Submit { .. })
    ));
}

#[test]
fn json_that_is_not_complete_goes_on_in_a_line() {
    let mut composer = typed("{\"a\":");
    assert_eq!(composer.submit(true), Some(Outcome::Changed));
    assert_eq!(composer.text(), "{\"a\":\n");
    type_in(&mut composer, "1}");
    assert!(matches!(
        composer.submit(true),
        Some(Outcome::Submit { .. })
    ));
    composer.edit(Kind::Json, "{a}");
    composer.submit(true);
    let heading = composer.heading(&Theme::DARK).to_string();
    assert_eq!(heading, "expected a member name in quotes or } at column 2");
}

#[test]
fn slash_commands_are_completed() {
    let mut composer = typed("/p");
    assert!(
        composer
            .heading(&Theme::DARK)
            .to_string()
            .contains("/ping /pong")
    );
    composer.handle(key(KeyCode::Tab));
    assert_eq!(composer.text(), "/ping ");
    composer.handle(key(KeyCode::Tab));
    assert_eq!(composer.text(), "/pong ");
    composer.handle(key(KeyCode::Char('x')));
    assert_eq!(composer.handle(key(KeyCode::Tab)), None);
    assert_eq!(typed("hi").handle(key(KeyCode::Tab)), None);
}

#[test]
fn an_editor_and_undo_are_behind_ctrl_x() {
    let mut composer = typed("one");
    assert_eq!(composer.handle(control('x')), Some(Outcome::Changed));
    assert_eq!(composer.handle(control('e')), Some(Outcome::Edit));
    composer.replace("two");
    composer.handle(control('x'));
    composer.handle(control('u'));
    assert_eq!(composer.text(), "one");
}

#[test]
fn a_paste_is_one_text() {
    let mut composer = Composer::default();
    composer.paste("{\r\n  \"a\": 1\r}");
    assert_eq!(composer.text(), "{\n  \"a\": 1\n}");
    composer.paste(&"x".repeat(super::super::draft::MOST));
    assert!(composer.heading(&Theme::DARK).to_string().contains("/file"));
}

#[test]
fn a_suggestion_is_taken_over_at_the_end() {
    let mut composer = typed("hel");
    composer.handle(key(KeyCode::Right));
    assert_eq!(composer.text(), "hello old");
}

#[test]
fn pictures() {
    let mut json = Composer::default();
    json.paste("{\"op\":\"unsub\",\n \"ch\":\"trades\",\"id\":8}");
    let mut wide = Composer::default();
    wide.paste("日本語 ae\u{301} \u{1b}[2J שלום");
    let mut long = Composer::default();
    long.paste(&"0123456789".repeat(30));
    let mut binary = Composer::default();
    binary.edit(Kind::Binary, "00 fx");
    let shown: Vec<String> = [
        (&typed("hel"), 80, 2),
        (&json, 80, 3),
        (&wide, 60, 2),
        (&wide, 14, 4),
        (&long, 60, 3),
        (&binary, 80, 1),
        (&typed("/cl"), 80, 1),
        (&typed("{\"a\": oops"), 80, 1),
        (&Composer::default(), 30, 1),
    ]
    .into_iter()
    .map(|(composer, width, height)| picture(composer, width, height))
    .collect();
    insta::assert_snapshot!(shown.join("\n----\n"));
}

proptest! {
    #[test]
    fn no_key_and_no_size_breaks_it(
        keys in proptest::collection::vec((0_u8..24, any::<char>(), 0_u8..8), 0..40),
        paste in "[a {}\\[\"\\n日\u{301}\u{1b}\u{202e}א]{0,30}",
        width in 0_u16..90, height in 0_u16..6,
    ) {
        let mut composer = Composer::new(vec!["one".into(), "two\nlines".into()]);
        composer.paste(&paste);
        for (which, letter, modifiers) in keys {
            let modifiers = KeyModifiers::from_bits_truncate(modifiers);
            let code = match which {
                0 => KeyCode::Left, 1 => KeyCode::Right, 2 => KeyCode::Up, 3 => KeyCode::Down,
                4 => KeyCode::Home, 5 => KeyCode::End, 6 => KeyCode::Backspace, 7 => KeyCode::Delete,
                8 => KeyCode::Enter, 9 => KeyCode::Tab, 10 => KeyCode::Esc,
                11 => { composer.search(); continue }
                12 => { composer.next_kind(); continue }
                13 => { composer.submit(letter.is_alphabetic()); continue }
                14..=19 => KeyCode::Char(char::from(b'a' + letter as u8 % 26)),
                _ => KeyCode::Char(letter),
            };
            composer.handle(KeyEvent::new(code, modifiers));
        }
        let area = Rect::new(3, 2, width, height);
        let mut buffer = Buffer::empty(Rect::new(0, 0, 100, 10));
        let cursor = composer.render(area, &mut buffer, &Theme::DARK);
        composer.heading(&Theme::DARK);
        if let Some(cursor) = cursor {
            prop_assert!(area.contains(cursor));
        }
        for y in 0..10 {
            for x in 0..100 {
                if !area.contains(Position::new(x, y)) {
                    prop_assert_eq!(buffer[(x, y)].symbol(), " ");
                }
            }
        }
    }
}
