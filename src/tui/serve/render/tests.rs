//! Pictures of the whole screen, at the sizes that matter.

use ratatui::buffer::Buffer;
use ratatui::crossterm::event::{KeyCode, KeyEvent};
use ratatui::layout::Rect;

use super::render;
use crate::model::command::Command;
use crate::tui::connect;
use crate::tui::serve::sample::{Told, served, state};
use crate::tui::serve::state::State;
use crate::tui::serve::update::{Action, Effect, update};
use crate::tui::theme::Colours;

fn press(state: &mut State, told: &Told, keys: &str) -> Vec<Effect> {
    let keys = keys.chars().map(|key| match key {
        '\n' => KeyEvent::from(KeyCode::Enter),
        '\x1b' => KeyEvent::from(KeyCode::Esc),
        '\x08' => KeyEvent::from(KeyCode::Backspace),
        letter => KeyEvent::from(KeyCode::Char(letter)),
    });
    let effects = keys
        .flat_map(|key| update(state, &told.scene, told.now, Action::Key(key)))
        .collect();
    while state.read_on(&told.scene) {}
    update(state, &told.scene, told.now, Action::Look);
    effects
}

fn picture(state: &State, told: &Told) -> String {
    let mut buffer = Buffer::empty(Rect::new(0, 0, state.size.width, state.size.height));
    render(state, &told.scene, &mut buffer);
    let rows = buffer.area.top()..buffer.area.bottom();
    let row = |y| {
        let cells = (buffer.area.left()..buffer.area.right()).map(|x| buffer[(x, y)].symbol());
        cells.collect::<String>().trim_end().to_owned()
    };
    rows.map(row).collect::<Vec<_>>().join("\n")
}

fn shown(told: &Told, size: (u16, u16), keys: &str) -> String {
    let mut state = state(told, size.0, size.1);
    press(&mut state, told, keys);
    picture(&state, told)
}

#[test]
fn a_game_at_every_size() {
    let told = served();
    for (name, size) in [
        ("30x5", (30, 5)),
        ("40x10", (40, 10)),
        ("80x24", (80, 24)),
        ("140x40", (140, 40)),
    ] {
        insta::assert_snapshot!(format!("game_{name}"), shown(&told, size, ""));
    }
}

#[test]
fn nobody_yet() {
    let told = Told::begin("echo");
    insta::assert_snapshot!("nobody_yet", shown(&told, (80, 24), ""));
}

#[test]
fn what_lies_over_the_panes() {
    let told = served();
    insta::assert_snapshot!("help", shown(&told, (80, 24), "?"));
    insta::assert_snapshot!("details", shown(&told, (80, 24), "jj\n"));
    insta::assert_snapshot!("close", shown(&told, (80, 24), "jc"));
    insta::assert_snapshot!("filter", shown(&told, (80, 24), "/json:/x=7"));
    insta::assert_snapshot!("wrong_filter", shown(&told, (140, 40), "/size>\n"));
}

#[test]
fn the_largest_queue_comes_first_when_it_is_sorted_by_it() {
    let told = served();
    let mut state = state(&told, 80, 24);
    // Address, path, user, rooms, rx, tx, queue.
    press(&mut state, &told, "sssssss");
    assert_eq!(state.rows[..2], [3, 2]);
    assert_eq!(state.chosen, Some(3));
    press(&mut state, &told, "S");
    assert_eq!(state.rows[11..], [2, 3]);
    assert_eq!(state.chosen, Some(state.rows[0]));
}

#[test]
fn a_connection_is_closed_with_what_is_typed() {
    let told = served();
    let mut state = state(&told, 80, 24);
    let effects = press(&mut state, &told, "jc4001 go away\n");
    let [Effect::Close(2, Command::Close(Some(frame)))] = &effects[..] else {
        panic!("{effects:?}");
    };
    assert_eq!((frame.code.0, frame.reason.as_str()), (4001, "go away"));
    assert!(press(&mut state, &told, "c9\n").is_empty(), "no such code");
    press(&mut state, &told, "\x1b");
    let effects = press(&mut state, &told, "c bye\n");
    let [Effect::Close(2, Command::Close(Some(frame)))] = &effects[..] else {
        panic!("{effects:?}");
    };
    assert_eq!((frame.code.0, frame.reason.as_str()), (1000, "bye"));
    assert!(press(&mut state, &told, "c40014001\n").is_empty());
    let said = picture(&state, &told);
    assert!(
        said.contains("as in 1000 bye") && !said.contains("/close"),
        "{said}"
    );
    press(&mut state, &told, "\x1b");
    assert!(press(&mut state, &told, "\x1bq") == [Effect::Quit]);
}

#[test]
fn a_pause_stands_still_while_the_server_goes_on() {
    let mut told = served();
    let mut state = state(&told, 80, 24);
    press(&mut state, &told, " ");
    let paused = picture(&state, &told);
    assert!(paused.contains("PAUSED"), "{paused}");
    told.after(3_000).opens(99, "/new").closes(1);
    update(&mut state, &told.scene, told.now, Action::Look);
    assert_eq!(picture(&state, &told), paused);
    press(&mut state, &told, " ");
    assert!(picture(&state, &told).contains("/new"));
    assert_eq!(state.chosen, Some(2), "the next one is chosen");
}

#[test]
fn ascii_is_ascii() {
    let told = served();
    for size in [(40, 10), (80, 24), (140, 40)] {
        let mut state = state(&told, size.0, size.1);
        state.setup.theme = connect::Setup::theme("dark", &Colours::default(), true);
        let shown = picture(&state, &told);
        let strange: String = shown.chars().filter(|c| !c.is_ascii()).collect();
        assert_eq!(strange, "", "{shown}");
    }
}
