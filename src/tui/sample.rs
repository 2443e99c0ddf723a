//! What the tests of all screens share.

use std::fmt::Debug;

use proptest::prelude::*;
use ratatui::crossterm::event::{
    KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind,
};
use ratatui::layout::{Rect, Size};

use super::update::Action;

/// How often 1,000 steps are taken; `PROPTEST_CASES=100` takes 100,000, in two minutes.
pub(super) fn cases() -> ProptestConfig {
    let mut config = ProptestConfig::default();
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = 8;
    }
    config
}

/// What a person may do at a terminal: mostly press keys.
pub(super) fn any_action<O: Clone + Debug + 'static>() -> impl Strategy<Value = Action<O>> {
    prop_oneof![
        60 => key().prop_map(Action::Key),
        3 => mouse().prop_map(Action::Mouse),
        2 => size().prop_map(|(width, height)| Action::Resize(width, height)),
        1 => any::<String>().prop_map(Action::Paste),
    ]
}

fn key() -> impl Strategy<Value = KeyEvent> {
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
    (code, modifiers).prop_map(|(code, modifiers)| KeyEvent::new(code, modifiers))
}

fn mouse() -> impl Strategy<Value = MouseEvent> {
    let kind = proptest::sample::select(vec![
        MouseEventKind::Down(MouseButton::Left),
        MouseEventKind::ScrollUp,
        MouseEventKind::ScrollDown,
        MouseEventKind::Moved,
    ]);
    (kind, 0..210_u16, 0..70_u16).prop_map(|(kind, column, row)| MouseEvent {
        kind,
        column,
        row,
        modifiers: KeyModifiers::NONE,
    })
}

fn size() -> impl Strategy<Value = (u16, u16)> {
    prop_oneof![
        (0..50_u16, 0..20_u16),
        (60..220_u16, 15..70_u16),
        Just((80, 24)),
        Just((200, 60)),
    ]
}

/// Looks through the panes of a layout at many sizes: each is on the screen, and none meets another.
pub(super) fn panes_do_not_meet(panes: impl Fn(Size) -> Vec<Rect>) {
    for width in (0..240).step_by(3) {
        for height in 0..80 {
            let screen = Rect::new(0, 0, width, height);
            let panes = panes(Size { width, height });
            for (at, area) in panes.iter().enumerate() {
                assert!(area.is_empty() || screen.intersection(*area) == *area);
                let others = panes[..at].iter().filter(|other| !other.is_empty());
                for other in others {
                    assert!(area.is_empty() || area.intersection(*other).is_empty());
                }
            }
        }
    }
}
