//! Whatever is pressed, whatever happens, at whatever size: nothing panics.

use proptest::prelude::*;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::action::{Action, Own};
use super::render::render;
use super::sample::{Told, state};
use super::update::update;
use crate::model::event::Direction;
use crate::model::message::Message;
use crate::tui::sample::{any_action, cases};

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

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        66 => any_action().prop_map(Step::Act),
        1 => any::<String>().prop_map(|text| Step::Act(Action::Own(Own::Edited(Ok(text))))),
        6 => any::<String>().prop_map(Step::Receive),
        1 => Just(Step::Receive(r#"{"id":7,"a":[1,{"b":null}]}"#.into())),
        2 => proptest::collection::vec(any::<u8>(), 0..200).prop_map(Step::Send),
        2 => Just(Step::Ping),
        1 => Just(Step::Drop),
        1 => Just(Step::Open),
        3 => Just(Step::Draw),
    ]
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
