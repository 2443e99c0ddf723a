//! Whatever is pressed, whatever happens, at whatever size: nothing panics.

use proptest::prelude::*;
use ratatui::buffer::Buffer;
use ratatui::crossterm::event::{
    KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind,
};
use ratatui::layout::Rect;

use super::render::render;
use super::sample::{Told, state};
use super::update::{Action, update};
use crate::model::event::ConnId;

/// One thing that happens.
#[derive(Debug, Clone)]
enum Step {
    Act(Action),
    Open(ConnId, String),
    Close(ConnId),
    Room(ConnId, String, bool),
    Say(ConnId, String),
    Measure(ConnId, usize),
    Draw,
}

fn action() -> impl Strategy<Value = Action> {
    let code = prop_oneof![
        12 => proptest::char::range(' ', '~').prop_map(KeyCode::Char),
        1 => any::<char>().prop_map(KeyCode::Char),
        8 => proptest::sample::select(vec![
            KeyCode::Enter, KeyCode::Esc, KeyCode::Tab, KeyCode::BackTab, KeyCode::Backspace,
            KeyCode::Up, KeyCode::Down, KeyCode::Home, KeyCode::End, KeyCode::PageUp,
            KeyCode::PageDown, KeyCode::F(1), KeyCode::Null,
        ]),
    ];
    let modifiers = prop_oneof![
        6 => Just(KeyModifiers::NONE),
        1 => Just(KeyModifiers::CONTROL),
        1 => Just(KeyModifiers::ALT),
    ];
    let key = (code, modifiers);
    let key = key.prop_map(|(code, modifiers)| Action::Key(KeyEvent::new(code, modifiers)));
    let kind = proptest::sample::select(vec![
        MouseEventKind::Down(MouseButton::Left),
        MouseEventKind::ScrollUp,
        MouseEventKind::ScrollDown,
    ]);
    let mouse = (kind, 0..210_u16, 0..70_u16).prop_map(|(kind, column, row)| {
        Action::Mouse(MouseEvent {
            kind,
            column,
            row,
            modifiers: KeyModifiers::NONE,
        })
    });
    let size = prop_oneof![
        (0..50_u16, 0..20_u16),
        (60..220_u16, 15..70_u16),
        Just((80, 24)),
    ];
    prop_oneof![
        60 => key,
        4 => mouse,
        3 => size.prop_map(|(width, height)| Action::Resize(width, height)),
        1 => any::<String>().prop_map(Action::Paste),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let conn = || 1..9_u64;
    prop_oneof![
        60 => action().prop_map(Step::Act),
        4 => (conn(), any::<String>()).prop_map(|(conn, url)| Step::Open(conn, url)),
        2 => conn().prop_map(Step::Close),
        3 => (conn(), "[a-c]", any::<bool>()).prop_map(|(conn, room, joins)| Step::Room(conn, room, joins)),
        6 => (conn(), any::<String>()).prop_map(|(conn, text)| Step::Say(conn, text)),
        1 => conn().prop_map(|conn| Step::Say(conn, r#"{"type":"m","room":"a"}"#.into())),
        1 => (conn(), any::<usize>()).prop_map(|(conn, bytes)| Step::Measure(conn, bytes >> 8)),
        3 => Just(Step::Draw),
    ]
}

/// So often 1,000 steps are taken.
fn cases() -> ProptestConfig {
    let mut config = ProptestConfig::default();
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = 8;
    }
    config
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn nothing_panics(steps in proptest::collection::vec(step(), 1_000)) {
        let mut told = Told::begin("rooms");
        let mut state = state(&told, 80, 24);
        for step in steps {
            told.after(700);
            match step {
                Step::Act(action) => {
                    update(&mut state, &told.scene, told.now, action);
                }
                Step::Open(conn, url) => {
                    if !told.scene.connections.contains_key(&conn) {
                        told.opens(conn, &url);
                    }
                }
                Step::Close(conn) => {
                    told.closes(conn);
                }
                Step::Room(conn, room, joins) => {
                    told.room(conn, &room, if joins { "join" } else { "leave" });
                }
                Step::Say(conn, text) => {
                    told.says(conn, &text);
                }
                Step::Measure(conn, bytes) => told.scene.measure(&[(conn, bytes)].into()),
                Step::Draw => {
                    state.read_on(&told.scene);
                    update(&mut state, &told.scene, told.now, Action::Look);
                    let area = Rect::new(0, 0, state.size.width, state.size.height);
                    let cursor = render(&state, &told.scene, &mut Buffer::empty(area));
                    prop_assert!(cursor.is_none_or(|cursor| area.contains(cursor)));
                }
            }
        }
        let members: usize = told.scene.rooms.values().map(|room| room.members).sum();
        let places: usize = told.scene.connections.values().map(|one| one.places.len()).sum();
        prop_assert_eq!(members, places);
    }
}
