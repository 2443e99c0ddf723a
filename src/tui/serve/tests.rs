//! Whatever is pressed, whatever happens, at whatever size: nothing panics.

use proptest::prelude::*;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::render::render;
use super::sample::{Told, state};
use super::update::{Action, update};
use crate::model::event::ConnId;
use crate::tui::sample::{any_action, cases};

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

fn step() -> impl Strategy<Value = Step> {
    let conn = || 1..9_u64;
    prop_oneof![
        60 => any_action().prop_map(Step::Act),
        4 => (conn(), any::<String>()).prop_map(|(conn, url)| Step::Open(conn, url)),
        2 => conn().prop_map(Step::Close),
        3 => (conn(), "[a-c]", any::<bool>()).prop_map(|(conn, room, joins)| Step::Room(conn, room, joins)),
        6 => (conn(), any::<String>()).prop_map(|(conn, text)| Step::Say(conn, text)),
        1 => conn().prop_map(|conn| Step::Say(conn, r#"{"type":"m","room":"a"}"#.into())),
        1 => (conn(), any::<usize>()).prop_map(|(conn, bytes)| Step::Measure(conn, bytes >> 8)),
        3 => Just(Step::Draw),
    ]
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
