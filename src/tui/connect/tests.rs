//! Whatever is pressed, whatever happens, at whatever size: nothing panics.

use proptest::prelude::*;
use ratatui::buffer::Buffer;
use ratatui::crossterm::event::{
    KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind,
};
use ratatui::layout::Rect;

use super::action::Action;
use super::render::render;
use super::sample::{Told, state};
use super::update::update;
use crate::model::event::Direction;
use crate::model::message::Message;

/// One thing that happens to a screen.
#[derive(Debug, Clone)]
enum Step {
    Act(Action),
    Receive(String),
    Send(Vec<u8>),
    Ping,
    Drop,
    Open,
    Draw,
}

fn key() -> impl Strategy<Value = Action> {
    let code = prop_oneof![
        12 => proptest::char::range(' ', '~').prop_map(KeyCode::Char),
        1 => any::<char>().prop_map(KeyCode::Char),
        8 => proptest::sample::select(vec![
            KeyCode::Enter, KeyCode::Esc, KeyCode::Tab, KeyCode::BackTab, KeyCode::Backspace,
            KeyCode::Delete, KeyCode::Up, KeyCode::Down, KeyCode::Left, KeyCode::Right,
            KeyCode::Home, KeyCode::End, KeyCode::PageUp, KeyCode::PageDown, KeyCode::F(1),
            KeyCode::F(2), KeyCode::Insert, KeyCode::Null,
        ]),
    ];
    let modifiers = prop_oneof![
        6 => Just(KeyModifiers::NONE),
        1 => Just(KeyModifiers::CONTROL),
        1 => Just(KeyModifiers::ALT),
        1 => Just(KeyModifiers::SHIFT),
    ];
    (code, modifiers).prop_map(|(code, modifiers)| Action::Key(KeyEvent::new(code, modifiers)))
}

fn mouse() -> impl Strategy<Value = Action> {
    let kind = proptest::sample::select(vec![
        MouseEventKind::Down(MouseButton::Left),
        MouseEventKind::ScrollUp,
        MouseEventKind::ScrollDown,
        MouseEventKind::Moved,
    ]);
    (kind, 0..210_u16, 0..70_u16).prop_map(|(kind, column, row)| {
        Action::Mouse(MouseEvent {
            kind,
            column,
            row,
            modifiers: KeyModifiers::NONE,
        })
    })
}

fn resize() -> impl Strategy<Value = Action> {
    prop_oneof![
        (0..50_u16, 0..14_u16),
        (60..150_u16, 15..45_u16),
        Just((80, 24)),
        Just((200, 60)),
    ]
    .prop_map(|(width, height)| Action::Resize(width, height))
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        60 => key().prop_map(Step::Act),
        2 => mouse().prop_map(Step::Act),
        2 => resize().prop_map(Step::Act),
        1 => any::<String>().prop_map(|text| Step::Act(Action::Paste(text))),
        1 => any::<String>().prop_map(|text| Step::Act(Action::Edited(Ok(text)))),
        6 => any::<String>().prop_map(Step::Receive),
        1 => Just(Step::Receive(r#"{"id":7,"a":[1,{"b":null}]}"#.into())),
        2 => proptest::collection::vec(any::<u8>(), 0..200).prop_map(Step::Send),
        2 => Just(Step::Ping),
        1 => Just(Step::Drop),
        1 => Just(Step::Open),
        3 => Just(Step::Draw),
    ]
}

/// So often 1,000 steps are taken; `PROPTEST_CASES=100` takes 100,000, in two minutes.
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
        let mut told = Told::begin();
        told.opens();
        let mut state = state(&told, 80, 24);
        for step in steps {
            told.after(7_000);
            match step {
                Step::Act(action) => {
                    update(&mut state, &told.scene, told.now, action);
                }
                Step::Receive(text) => {
                    told.received(&text);
                }
                Step::Send(bytes) => {
                    told.message(Direction::Out, Message::binary(bytes));
                }
                Step::Ping => {
                    told.ping(900);
                }
                Step::Drop => {
                    told.drops();
                }
                Step::Open => {
                    told.opens();
                }
                Step::Draw => {
                    state.read_on(&told.scene);
                    update(&mut state, &told.scene, told.now, Action::Look);
                    let area = Rect::new(0, 0, state.size.width, state.size.height);
                    let cursor = render(&state, &told.scene, &mut Buffer::empty(area));
                    prop_assert!(cursor.is_none_or(|cursor| area.contains(cursor)));
                }
            }
        }
    }
}
