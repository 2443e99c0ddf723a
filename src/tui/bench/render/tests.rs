//! Pictures of the whole screen, at the sizes that matter.

use std::sync::Arc;

use ratatui::buffer::Buffer;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::layout::Rect;

use super::render;
use crate::bench::plan::Pace;
use crate::bench::shared::Phase;
use crate::tui::bench::past::{Before, Past};
use crate::tui::bench::sample::{
    Told, earlier, echoes, failures, fanning_out, opened, playing, running, seeking, state,
    with_baseline, workload,
};
use crate::tui::bench::screen::Request;
use crate::tui::bench::state::State;
use crate::tui::bench::update::{Action, Effect, update};
use crate::tui::connect;
use crate::tui::theme::{Colours, MONO};

const SIZES: [(u16, u16); 3] = [(80, 24), (100, 30), (140, 40)];
const FAILING: [&str; 3] = ["rtt.p99<50ms", "errors.rate<0.5%", "rtt.max<200ms"];

fn press(state: &mut State, told: &Told, keys: &str) -> Vec<Effect> {
    let keys = keys.chars().map(|key| match key {
        '\x1b' => KeyEvent::from(KeyCode::Esc),
        '\x03' => KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL),
        letter => KeyEvent::from(KeyCode::Char(letter)),
    });
    keys.flat_map(|key| update(state, &told.scene, told.now, Action::Key(key)))
        .collect()
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

fn at_every_size(name: &str, told: &Told) {
    for size in SIZES {
        let name = format!("{name}_{}x{}", size.0, size.1);
        insta::assert_snapshot!(name, shown(told, size, ""));
    }
}

#[test]
fn connections_are_opened() {
    let mut told = Told::begin(workload(), &FAILING);
    told.second(Phase::Ramp, 1_000, |figures| opened(figures, 1_000));
    told.glance(Phase::Ramp, 1_480);
    at_every_size("ramp", &told);
}

#[test]
fn an_open_loop_runs() {
    let told = running(&["rtt.p99<50ms", "errors.rate<0.5%"]);
    at_every_size("running", &told);
    insta::assert_snapshot!("running_40x10", shown(&told, (40, 10), ""));
    insta::assert_snapshot!("running_60x18", shown(&told, (60, 18), ""));
    insta::assert_snapshot!("running_200x60", shown(&told, (200, 60), ""));
    insta::assert_snapshot!("too_small", shown(&told, (30, 5), ""));
}

#[test]
fn a_threshold_fails() {
    at_every_size("failing", &running(&FAILING));
}

#[test]
fn much_goes_wrong() {
    let mut told = running(&["errors.rate<0.5%"]);
    told.second(Phase::Measure, 9_989, |figures| {
        echoes(figures, 20_000);
        failures(figures);
    });
    at_every_size("errors", &told);
    insta::assert_snapshot!("errors_list", shown(&told, (80, 24), "e"));
    insta::assert_snapshot!("log", shown(&told, (80, 24), "l"));
    for size in SIZES {
        for keys in ["", "e", "l"] {
            let shown = shown(&told, size, keys);
            assert!(!shown.contains(['\x1b', '\u{202e}']), "{shown}");
        }
    }
}

#[test]
fn a_script_is_played() {
    at_every_size("script", &playing());
}

#[test]
fn a_fan_out_says_who_gets_what() {
    let mut told = fanning_out();
    at_every_size("fanout", &told);
    for size in [(60, 18), (115, 36)] {
        let name = format!("fanout_{}x{}", size.0, size.1);
        insta::assert_snapshot!(name, shown(&told, size, ""));
    }
    // Before anything was published nothing is known, and reach is not rounded up.
    let begun = Told::begin((*told.scene.about.workload).clone(), &[]);
    assert!(shown(&begun, (80, 24), "").contains("reach -"));
    told.second(Phase::Measure, 10_000, |figures| {
        figures.fanout.expected = 100_000_000;
        figures.fanout.delivered = 99_999_999;
    });
    assert!(shown(&told, (80, 24), "").contains("reach 99.9999%"));
}

#[test]
fn a_search_shows_what_it_knows_by_now() {
    let mut told = seeking();
    for size in [(60, 18), (80, 24), (140, 40)] {
        let name = format!("search_{}x{}", size.0, size.1);
        insta::assert_snapshot!(name, shown(&told, size, ""));
    }
    // What happened in the steps before is not forgotten, and is told apart.
    insta::assert_snapshot!("search_log", shown(&told, (80, 24), "l"));
    let mut state = state(&told, 80, 24);
    assert!(press(&mut state, &told, "s").is_empty());
    assert!(picture(&state, &told).contains("a search is saved when it is over"));
    told.scene.end("PASS");
    assert!(!shown(&told, (80, 24), "").contains("\n  ..."));
}

#[test]
fn the_baseline_is_shown_beside_the_run() {
    let told = with_baseline(running(&[]));
    for size in [(80, 24), (140, 40)] {
        let name = format!("baseline_{}x{}", size.0, size.1);
        let mut state = state(&told, size.0, size.1);
        let before = picture(&state, &told);
        press(&mut state, &told, "b");
        insta::assert_snapshot!(name, picture(&state, &told));
        assert!(state.said().unwrap().contains("rtt p99 0.64 ms, now 2.45"));
        press(&mut state, &told, "b");
        assert!(picture(&state, &told).contains("is not shown any more"));
        state.now += std::time::Duration::from_secs(60);
        assert_eq!(picture(&state, &told), before);
    }
    // Also of what is counted; what no result has by the second is not there.
    insta::assert_snapshot!("baseline_messages", shown(&told, (80, 24), "b]]"));
    assert!(shown(&told, (80, 24), "b]").contains("not in main"));
    let mut state = state(&told, 80, 24);
    state.setup.theme = connect::Setup::theme("dark", &Colours::default(), true);
    press(&mut state, &told, "b");
    insta::assert_snapshot!("baseline_ascii", picture(&state, &told));
}

#[test]
fn what_cannot_be_compared_says_why() {
    let alone = running(&[]);
    assert!(shown(&alone, (80, 24), "b").contains("no --baseline was given"));
    assert!(!shown(&alone, (140, 40), "").contains("b baseline"));
    let mut told = with_baseline(running(&[]));
    assert!(shown(&told, (140, 40), "").contains("b baseline"));
    let mut state = state(&told, 140, 40);
    press(&mut state, &told, "b");
    told.second(Phase::Measure, 10_000, |figures| {
        figures.messages.dropped = 3;
    });
    let late = shown(&told, (140, 40), "b");
    assert!(
        late.contains("not compared: this run is suspect: 3 messages were due but not sent"),
        "{late}"
    );
    assert!(!late.contains("  baseline  "), "{late}");
    // Where it was shown already, it says that it is not any more.
    let shown = picture(&state, &told);
    assert!(shown.contains("suspect"), "{shown}");
    assert!(!shown.contains("dotted") && !shown.contains("  baseline  "));
}

#[test]
fn a_baseline_may_hold_anything() {
    let mut run = earlier();
    let row = |at: f64, value: f64| vec![at, value, value, value];
    let strange = [
        row(-5.0, 1.0),
        row(1e300, 1.0),
        row(3.0, 1e300),
        row(9.0, -1.0),
        row(2.0, 5.0),
        vec![],
        vec![4.0],
    ];
    run.series.rows.splice(3..3, strange);
    run.series
        .rows
        .extend((0..40_000).map(|at| row(f64::from(at), 1.0)));
    run.run.ramp_s = -1e300;
    run.latency.rtt.p99 = Some(u64::MAX);
    run.latency.rtt.p99_9 = Some(0);
    let mut told = running(&[]);
    let latency = told.scene.main();
    let past = Past::of("x", &run, latency);
    let kept = past.line(Before::Column("open"), None);
    assert!((10_000..=4 * 3600).contains(&kept.len()), "{}", kept.len());
    let is_sane = |value: &f64| (0.0..1e13).contains(value);
    assert!(kept.iter().all(|(at, value)| is_sane(at) && is_sane(value)));
    told.scene.about.past = Some(Arc::new(past));
    for size in [(40, 10), (80, 24), (140, 40)] {
        for keys in ["b", "b]]", "b]]]", "b++++++", "bg"] {
            shown(&told, size, keys);
        }
    }
}

#[test]
fn stages_are_held() {
    let mut workload = workload();
    workload.ramp.stages = Some("20s:5k,20s:10k,20s:0".parse().unwrap());
    workload.pace = Pace::Closed {
        pipeline: 1,
        think: None,
    };
    let mut told = Told::begin(workload, &[]);
    for second in 0..25 {
        told.second(Phase::Measure, 250 * second, |figures| {
            opened(figures, 250);
            echoes(figures, 9_000);
        });
    }
    let mut state = state(&told, 80, 24);
    let effects = press(&mut state, &told, "p");
    assert!(matches!(effects[..], [Effect::Ask(Request::Hold)]));
    let mut now = told.scene.now;
    now.held = true;
    told.scene.glance(now);
    update(&mut state, &told.scene, told.now, Action::Look);
    insta::assert_snapshot!("held", picture(&state, &told));
}

#[test]
fn what_cannot_be_held_says_why() {
    let mut told = Told::begin(workload(), &[]);
    told.glance(Phase::Ramp, 10);
    let mut state = state(&told, 80, 24);
    assert!(press(&mut state, &told, "p").is_empty());
    assert!(picture(&state, &told).contains("connections are still being opened"));
    let mut counted = workload();
    counted.end.duration = None;
    counted.end.messages = Some(10);
    let mut told = Told::begin(counted, &[]);
    told.glance(Phase::Measure, 10);
    let mut state = self::state(&told, 80, 24);
    assert!(press(&mut state, &told, "p").is_empty());
    assert!(picture(&state, &told).contains("ends with its messages"));
}

#[test]
fn keys_ask_for_the_end() {
    let told = running(&[]);
    let mut state = state(&told, 80, 24);
    let effects = press(&mut state, &told, "q");
    assert!(matches!(effects[..], [Effect::Ask(Request::Stop)]));
    assert!(press(&mut state, &told, "q").is_empty(), "it waits already");
    assert!(picture(&state, &told).contains("Q does not wait"));
    let effects = press(&mut state, &told, "Q");
    assert!(matches!(effects[..], [Effect::Ask(Request::Abort)]));
    let effects = press(&mut state, &told, "\x03\x03");
    let interrupts = |effect: &Effect| matches!(effect, Effect::Ask(Request::Interrupt));
    assert!(effects.len() == 2 && effects.iter().all(interrupts));
    // In a list a letter only closes it.
    assert!(press(&mut state, &told, "eq").is_empty());
    assert!(state.overlay.is_none());
}

#[test]
fn after_the_end_a_key_leaves() {
    let mut told = running(&[]);
    told.scene.end("PASS   no thresholds, result valid");
    let mut state = state(&told, 140, 40);
    insta::assert_snapshot!("done", picture(&state, &told));
    for key in ["q", "Q", "\x03"] {
        let effects = press(&mut state, &told, key);
        assert!(
            matches!(effects[..], [Effect::Ask(Request::Leave)]),
            "{key}"
        );
    }
}

#[test]
fn charts_show_what_is_asked_for() {
    let told = running(&[]);
    insta::assert_snapshot!("help", shown(&told, (80, 24), "?"));
    insta::assert_snapshot!("messages", shown(&told, (80, 24), "]]"));
    insta::assert_snapshot!("linear_last_30s", shown(&told, (140, 40), "g++++++"));
    let mut state = state(&told, 80, 24);
    let before = picture(&state, &told);
    press(&mut state, &told, "]]]]]]]]]");
    assert_eq!(picture(&state, &told), before, "all round");
    press(&mut state, &told, "[");
    assert!(picture(&state, &told).contains("cpu of the load"));
}

#[test]
fn nothing_needs_a_colour() {
    let told = running(&FAILING);
    for size in SIZES {
        let mut state = state(&told, size.0, size.1);
        state.setup.theme = connect::Setup::theme(MONO, &Colours::default(), false);
        let mut buffer = Buffer::empty(Rect::new(0, 0, size.0, size.1));
        render(&state, &told.scene, &mut buffer);
        for cell in &buffer.content {
            let colours = (cell.fg, cell.bg);
            assert_eq!(
                colours,
                (ratatui::style::Color::Reset, ratatui::style::Color::Reset)
            );
        }
        assert!(picture(&state, &told).contains("FAIL"));
    }
}

#[test]
fn ascii_is_ascii() {
    let mut told = running(&FAILING);
    told.second(Phase::Measure, 9_989, failures);
    for size in [(40, 10), (80, 24), (140, 40)] {
        for keys in ["", "?", "e", "l"] {
            let mut state = state(&told, size.0, size.1);
            state.setup.theme = connect::Setup::theme("dark", &Colours::default(), true);
            press(&mut state, &told, keys);
            let shown = picture(&state, &told);
            // What a peer said is shown with the signs that stand for what it may not say.
            let own = shown.replace(['␛', '\u{fffd}'], "");
            let strange: String = own.chars().filter(|c| !c.is_ascii()).collect();
            assert_eq!(strange, "", "{shown}");
        }
    }
    let mut state = state(&told, 80, 24);
    state.setup.theme = connect::Setup::theme("dark", &Colours::default(), true);
    insta::assert_snapshot!("ascii", picture(&state, &told));
}
