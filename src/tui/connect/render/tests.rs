//! Pictures of the whole screen and of its parts, at the sizes that matter.

use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};

use super::super::action::{Action, Effect};
use super::super::sample::{Told, session, state};
use super::super::state::{Setup, State};
use super::super::update::update;
use super::render;
use crate::input::Input;
use crate::model::control::Control;
use crate::model::event::{Direction, What};
use crate::model::frame::{FrameInfo, Opcode};
use crate::tui::chord::Chord;
use crate::tui::theme::Colours;

/// A screen on which these keys were pressed: `esc`, `/`, `ctrl+o`, ...
fn pressed(told: &Told, size: (u16, u16), keys: &[&str]) -> State {
    let mut state = state(told, size.0, size.1);
    for key in keys {
        press(&mut state, told, key);
    }
    while state.read_on(&told.scene) {}
    state
}

fn press(state: &mut State, told: &Told, key: &str) {
    let event = match key {
        "esc" => KeyEvent::from(KeyCode::Esc),
        "enter" => KeyEvent::from(KeyCode::Enter),
        "tab" => KeyEvent::from(KeyCode::Tab),
        "f1" => KeyEvent::from(KeyCode::F(1)),
        "end" => KeyEvent::from(KeyCode::End),
        "home" => KeyEvent::from(KeyCode::Home),
        _ => {
            let mut letters = key.chars();
            let letter = letters.next_back().expect("a key");
            let control = if key.starts_with("ctrl+") {
                KeyModifiers::CONTROL
            } else {
                KeyModifiers::NONE
            };
            KeyEvent::new(KeyCode::Char(letter), control)
        }
    };
    assert!(key.len() == 1 || Chord::of(event) == key.parse().expect("a key"));
    update(state, &told.scene, told.now, Action::Key(event));
}

fn typed(text: &str) -> Vec<&str> {
    text.split("").filter(|letter| !letter.is_empty()).collect()
}

fn picture(state: &State, told: &Told) -> Buffer {
    let mut buffer = Buffer::empty(Rect::new(0, 0, state.size.width, state.size.height));
    render(state, &told.scene, &mut buffer);
    buffer
}

/// The letters of a picture; a wide one stands in two cells.
fn text(buffer: &Buffer) -> String {
    let rows = buffer.area.top()..buffer.area.bottom();
    let row = |y| {
        let cells = (buffer.area.left()..buffer.area.right()).map(|x| buffer[(x, y)].symbol());
        cells.collect::<String>().trim_end().to_owned()
    };
    rows.map(row).collect::<Vec<_>>().join("\n")
}

fn shown(told: &Told, size: (u16, u16), keys: &[&str]) -> String {
    text(&picture(&pressed(told, size, keys), told))
}

/// Keys that choose the reply to the request, with a filter that hits it.
const CHOOSES: [&str; 14] = [
    "esc", "/", "j", "s", "o", "n", ":", "/", "i", "d", "=", "7", "enter", "N",
];

#[test]
fn following_at_every_size() {
    let told = session();
    for (name, size) in [
        ("30x5", (30, 5)),
        ("40x10", (40, 10)),
        ("80x24", (80, 24)),
        ("140x40", (140, 40)),
        ("200x60", (200, 60)),
    ] {
        insta::assert_snapshot!(format!("following_{name}"), shown(&told, size, &[]));
    }
}

#[test]
fn a_reply_is_found_and_inspected_at_every_size() {
    let told = session();
    for (name, size) in [
        ("40x10", (40, 10)),
        ("80x24", (80, 24)),
        ("140x40", (140, 40)),
        ("200x60", (200, 60)),
    ] {
        let keys = [&CHOOSES[..], &["n"]].concat();
        insta::assert_snapshot!(format!("chosen_{name}"), shown(&told, size, &keys));
    }
}

#[test]
fn what_lies_over_the_panes() {
    let told = session();
    let over = |keys: &[&str]| shown(&told, (80, 24), keys);
    insta::assert_snapshot!("help", over(&["esc", "?"]));
    insta::assert_snapshot!("palette", over(&["esc", ":", "h", "e", "x"]));
    insta::assert_snapshot!("copy_as", over(&["esc", "k", "Y"]));
    insta::assert_snapshot!("close", over(&["esc", "c"]));
    insta::assert_snapshot!("events", over(&["esc", "3"]));
    let unsent = [&typed("unsent")[..], &["esc", "q"]].concat();
    insta::assert_snapshot!("quit", over(&unsent));
    let wrong = [&["esc", "/"][..], &typed("size>")].concat();
    insta::assert_snapshot!("wrong_filter", over(&wrong));
}

#[test]
fn paused_while_more_comes_and_then_zoomed() {
    let mut told = session();
    let mut state = pressed(&told, (80, 24), &["esc", "k", "k", "ctrl+l"]);
    press(&mut state, &told, " ");
    for number in 0..1_204 {
        told.after(900).received(&format!("more {number}"));
    }
    update(&mut state, &told.scene, told.now, Action::Look);
    insta::assert_snapshot!("paused", text(&picture(&state, &told)));
    press(&mut state, &told, "enter");
    insta::assert_snapshot!("zoomed", text(&picture(&state, &told)));
    press(&mut state, &told, "esc");
    press(&mut state, &told, "f");
    assert!(text(&picture(&state, &told)).contains("more 1203"));
}

#[test]
fn a_countdown_runs() {
    let mut told = Told::begin();
    told.opens().after(500_000).drops();
    let mut state = state(&told, 80, 24);
    update(
        &mut state,
        &told.scene,
        told.now + Duration::from_millis(300),
        Action::Look,
    );
    let shown = text(&picture(&state, &told));
    assert!(shown.contains("3 CLOSED"), "{shown}");
    assert!(shown.contains("retry 1 of 8 in 1.3s"), "{shown}");
    insta::assert_snapshot!("countdown", shown);
    told.scene.url = format!("wss://api.example.com/{}", "v1/".repeat(40));
    for (width, height) in [(40, 10), (60, 15), (80, 24)] {
        update(
            &mut state,
            &told.scene,
            told.now + Duration::from_millis(300),
            Action::Resize(width, height),
        );
        let shown = text(&picture(&state, &told));
        assert!(shown.contains("retry 1 of 8 in 1.3s"), "{shown}");
    }
}

#[test]
fn either_way_to_quit_asks_about_a_draft() {
    let told = session();
    for key in ["q", "Q"] {
        let unsent = [&typed("unsent")[..], &["esc", key]].concat();
        let mut state = pressed(&told, (80, 24), &unsent);
        assert!(text(&picture(&state, &told)).contains("was not sent. Quit?"));
        let yes = Action::Key(KeyEvent::from(KeyCode::Char('y')));
        let effects = update(&mut state, &told.scene, told.now, yes);
        assert_eq!(effects.contains(&Effect::Keep), key == "Q");
        assert!(effects.iter().any(|effect| matches!(
            effect,
            Effect::Input {
                input: Input::Control(Control::Quit),
                ..
            }
        )));
    }
}

#[test]
fn what_was_sent_is_told_where_the_list_does_not_follow() {
    let mut told = session();
    let keys = [&["esc", "k", "i"][..], &typed("hello"), &["enter"]].concat();
    let mut state = pressed(&told, (80, 24), &keys);
    told.received("first").sent("hello");
    update(&mut state, &told.scene, told.now, Action::Look);
    let shown = text(&picture(&state, &told));
    let number = told.scene.ring.last();
    assert!(shown.contains(&format!("sent as #{number}")), "{shown}");
}

#[test]
fn a_frame_of_its_own_is_a_row() {
    let mut told = session();
    told.hear(What::Frame {
        dir: Direction::Out,
        frame: FrameInfo {
            fin: false,
            rsv: [true, false, false],
            opcode: Opcode::TEXT,
            masked: true,
            payload_len: 5,
            wire_len: 11,
        },
    });
    let shown = shown(&told, (80, 24), &[]);
    assert!(shown.contains("> FRM"), "{shown}");
    assert!(shown.contains("text (1) fin=0 rsv=100"), "{shown}");
}

#[test]
fn a_long_sentence_is_said_whole() {
    let told = session();
    let mut state = state(&told, 40, 10);
    state.say(
        "/a/folder/with/a/name/that/is/longer/than/a/row: No such file or directory (os error 2)",
    );
    let shown = text(&picture(&state, &told));
    assert!(shown.ends_with("(os error 2)"), "{shown}");
}

#[test]
fn no_letter_is_lost_to_the_help() {
    let told = session();
    let keys = [&["f1"][..], &typed("jhello ?")].concat();
    let state = pressed(&told, (80, 24), &keys);
    assert!(state.overlay.is_none());
    assert_eq!(state.composer.text(), "jhello ?");
    let keys = [&typed("/help")[..], &["enter"], &typed("/nonsense 3")].concat();
    let state = pressed(&told, (80, 24), &keys);
    assert_eq!(state.composer.text(), "/nonsense 3");
    // What is no letter and not its own does nothing, least of all sends what is typed.
    let keys = [&typed("draft")[..], &["f1", "enter"]].concat();
    let state = pressed(&told, (80, 24), &keys);
    assert!(state.overlay.is_some());
    assert_eq!(state.composer.text(), "draft");
    let state = pressed(&told, (80, 24), &["esc", "?", "x", "?"]);
    assert!(state.overlay.is_none());
}

#[test]
fn the_help_is_whole_at_every_size() {
    let told = session();
    for size in [(40, 10), (60, 15), (80, 24)] {
        let end = shown(&told, size, &["f1", "end"]);
        assert!(end.contains("marked"), "{end}");
        assert!(end.contains("Esc back"), "{end}");
        assert_eq!(
            shown(&told, size, &["f1", "end", "home"]),
            shown(&told, size, &["f1"])
        );
        let commands = [&typed("/help")[..], &["enter"]].concat();
        let commands = shown(&told, size, &commands);
        assert!(commands.contains("/ping [text]"), "{commands}");
    }
}

#[test]
fn nothing_yet() {
    let told = Told::begin();
    insta::assert_snapshot!("nothing_yet", shown(&told, (80, 24), &[]));
    assert!(shown(&told, (140, 40), &["esc", "k", "enter", "d", "y"]).contains("nothing yet"));
}

#[test]
fn ascii_is_ascii() {
    let told = session();
    for size in [(40, 10), (80, 24), (140, 40)] {
        let mut state = pressed(&told, size, &CHOOSES);
        state.setup.theme = Setup::theme("dark", &Colours::default(), true);
        let shown = text(&picture(&state, &told));
        let strange: String = shown.chars().filter(|c| !c.is_ascii()).collect();
        assert_eq!(strange, "", "{shown}");
    }
}

/// The style of the first cell of a text.
fn style_of(buffer: &Buffer, wanted: &str) -> Style {
    let rows = buffer.area.top()..buffer.area.bottom();
    for y in rows {
        let cells: Vec<&str> = (buffer.area.left()..buffer.area.right())
            .map(|x| buffer[(x, y)].symbol())
            .collect();
        let line = cells.concat();
        if let Some(at) = line.find(wanted) {
            let x = line[..at].chars().count();
            // The screen is narrower than that.
            return buffer[(u16::try_from(x).expect("a column"), y)].style();
        }
    }
    panic!("there is no {wanted:?}");
}

#[test]
fn colours_say_again_what_signs_say() {
    let told = session();
    let state = pressed(&told, (80, 24), &["esc", "k", "k"]);
    let buffer = picture(&state, &told);
    let theme = state.theme();
    for (text, style) in [
        ("< TXT", theme.incoming),
        ("! CLOS", theme.error),
        ("* OPEN", theme.control),
        (" 1 OPEN", theme.states[1]),
        ("? help", theme.key),
        ("retries 1", theme.hint),
    ] {
        assert_eq!(style_of(&buffer, text).fg, style.fg, "{text}");
    }
    let number = state.subject(&told.scene).expect("a row").entry.number;
    let chosen = style_of(&buffer, &format!(">{number:>5}"));
    assert!(
        chosen.add_modifier.contains(Modifier::REVERSED),
        "{chosen:?}"
    );
}

#[test]
fn without_colours_nothing_has_one() {
    let told = session();
    let mut state = pressed(&told, (140, 40), &CHOOSES);
    state.setup.theme = Setup::theme("mono", &Colours::default(), false);
    let buffer = picture(&state, &told);
    let coloured = buffer.content().iter().find(|cell| {
        use ratatui::style::Color::Reset;
        cell.fg != Reset || cell.bg != Reset
    });
    assert_eq!(coloured, None);
}

#[test]
fn numbers_are_whole_or_have_a_unit() {
    let mut told = Told::begin();
    told.opens();
    for _ in 0..110_000 {
        told.received("x");
    }
    for number in 1..=30 {
        told.ping(number * 1_000);
    }
    let large = shown(&told, (110, 30), &["esc", "k"]);
    for whole in ["kept 100k  evicted 10k", "text    110k", " 30ms "] {
        assert!(large.contains(whole), "{whole}: {large}");
    }
    let small = shown(&told, (40, 10), &["esc", "k"]);
    assert!(small.contains("─ 110060/110061  (f follow)"), "{small}");
}

#[test]
fn only_what_came_since_is_new() {
    let mut told = session();
    let mut state = pressed(&told, (80, 24), &["esc", "g"]);
    let text_of = |state: &State, told: &Told| text(&picture(state, told));
    assert!(text_of(&state, &told).contains("─ 1/68  (f follow)"));
    press(&mut state, &told, "z");
    told.received("one").ping(1_000).received("two");
    update(&mut state, &told.scene, told.now, Action::Look);
    assert!(text_of(&state, &told).contains("─ 1/72  2 new  (f follow)"));
    for _ in 0..100 {
        press(&mut state, &told, "j");
    }
    press(&mut state, &told, "g");
    let shown = text_of(&state, &told);
    assert!(shown.contains("─ 1/72  (f follow)"), "{shown}");
}

#[test]
fn hits_are_counted_however_long_the_filter_is() {
    let told = session();
    let filter =
        typed("json:/id=7 | \"a text that is in no message of this session whatever it says\"");
    let keys = [&["esc", "/"][..], &filter, &["enter", "o"]].concat();
    for size in [(40, 10), (80, 24), (140, 40)] {
        let shown = shown(&told, size, &keys);
        assert!(shown.contains("2 hits only (n/N)"), "{shown}");
    }
    let one = [&["esc", "/"][..], &typed("trades & dir:out"), &["enter"]].concat();
    assert!(shown(&told, (80, 24), &one).contains(" 1 hit (n/N)"));
}

#[test]
fn what_is_wrong_with_a_filter_is_said_whole() {
    let told = session();
    let keys = [&["esc", "/"][..], &typed("/(/")].concat();
    let shown = shown(&told, (80, 24), &keys);
    let said = " wrong regular expression: unclosed group, at column 1";
    assert!(shown.ends_with(said), "{shown}");
}

#[test]
fn that_nobody_was_connected_is_no_news_once_somebody_is() {
    let mut told = Told::begin();
    let keys = [&typed("hello")[..], &["enter"]].concat();
    let mut state = pressed(&told, (80, 24), &keys);
    let says = |state: &State, told: &Told| {
        text(&picture(state, told)).contains("not connected: it stays here")
    };
    assert!(says(&state, &told));
    told.opens();
    update(&mut state, &told.scene, told.now, Action::Look);
    assert!(!says(&state, &told));
    assert_eq!(state.composer.text(), "hello");
}
