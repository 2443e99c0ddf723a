//! Whatever is pressed, whatever happens, at whatever size: nothing panics.

use proptest::prelude::*;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::render::render;
use super::sample::{Told, echoes, failures, fanning_out, opened, state, with_baseline, workload};
use super::update::{Action, update};
use crate::bench::shared::Phase;
use crate::tui::sample::{any_action, cases};

/// One thing that happens.
#[derive(Debug, Clone)]
enum Step {
    Act(Action),
    Second(u64, usize),
    Fail,
    Phase(Phase),
    Hold,
    Say(String),
    End,
    Draw,
}

fn step() -> impl Strategy<Value = Step> {
    let phases = vec![
        Phase::Ramp,
        Phase::WarmUp,
        Phase::Measure,
        Phase::Drain,
        Phase::Close,
    ];
    prop_oneof![
        60 => any_action().prop_map(Step::Act),
        6 => (any::<u32>(), any::<u16>()).prop_map(|(slowest, open)| Step::Second(slowest.into(), open.into())),
        2 => Just(Step::Fail),
        2 => proptest::sample::select(phases).prop_map(Step::Phase),
        1 => Just(Step::Hold),
        1 => any::<String>().prop_map(Step::Say),
        1 => Just(Step::End),
        4 => Just(Step::Draw),
    ]
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn nothing_panics(steps in proptest::collection::vec(step(), 300), staged: bool, fans_out: bool, compared: bool) {
        let mut workload = workload();
        if staged {
            workload.ramp.stages = Some("2s:10,0s:20,3s:0".parse().unwrap());
        }
        if fans_out {
            workload.fanout = (*fanning_out().scene.about.workload).clone().fanout;
        }
        let mut told = Told::begin(workload, &["rtt.p99<1s", "connections.open>5"]);
        if compared {
            told = with_baseline(told);
        }
        let mut state = state(&told, 80, 24);
        let mut phase = Phase::Ramp;
        for step in steps {
            match step {
                Step::Act(action) => {
                    update(&mut state, &told.scene, told.now, action);
                }
                Step::Second(slowest, open) => {
                    told.second(phase, open, |figures| {
                        opened(figures, 3);
                        echoes(figures, slowest);
                    });
                }
                Step::Fail => {
                    told.second(phase, 0, failures);
                }
                Step::Phase(next) => phase = next,
                Step::Hold => {
                    let mut now = told.scene.now;
                    now.held = !now.held;
                    told.scene.glance(now);
                }
                Step::Say(text) => told.scene.say(&text),
                Step::End => told.scene.end("it is over"),
                Step::Draw => {
                    update(&mut state, &told.scene, told.now, Action::Look);
                    let area = Rect::new(0, 0, state.size.width, state.size.height);
                    render(&state, &told.scene, &mut Buffer::empty(area));
                }
            }
        }
    }
}
