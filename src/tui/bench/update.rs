//! What a key does: from a state and an action to the next state and what it asks of the world. Pure.

use std::convert::Infallible;
use std::time::Duration;

use ratatui::crossterm::event::{KeyEvent, MouseEvent, MouseEventKind};
use ratatui::layout::Size;

use super::keymap::Verb;
use super::scene::Scene;
use super::screen::Request;
use super::state::{Overlay, State, What};
use crate::bench::spread::Spread;
use crate::tui::update::{self, Update as _};

/// Rows that a turn of the wheel moves.
const WHEEL: isize = 3;

/// Something that may change the screen.
pub(super) type Action = update::Action<Infallible>;

/// What an update asks of the world.
#[derive(Debug)]
pub(super) enum Effect {
    Ask(Request),
    /// Draw everything anew.
    Redraw,
    /// Stop the program until the shell continues it.
    Suspend,
}

/// Takes an action in.
pub(super) fn update(
    state: &mut State,
    scene: &Scene,
    now: Duration,
    action: Action,
) -> Vec<Effect> {
    state.now = now;
    let update = Update {
        state,
        scene,
        effects: Vec::new(),
    };
    update.take(action)
}

/// One update under way.
struct Update<'a> {
    state: &'a mut State,
    scene: &'a Scene,
    effects: Vec<Effect>,
}

impl update::Update for Update<'_> {
    type Own = Infallible;
    type Effect = Effect;

    fn after_escape(&self, key: KeyEvent) -> Option<KeyEvent> {
        let State { setup, begun, .. } = &*self.state;
        setup.keymap.after_escape(begun, key)
    }

    fn key(&mut self, key: KeyEvent) {
        let State { setup, begun, .. } = &mut *self.state;
        match (setup.keymap.press(begun, key), self.state.overlay) {
            (Some(verb), Some(overlay)) => self.act_over(overlay, verb),
            (Some(verb), None) => self.act(verb),
            (None, _) => {}
        }
    }

    /// Nothing is typed here.
    fn paste(&mut self, _: &str) {}

    fn mouse(&mut self, mouse: MouseEvent) {
        let is_over = self.state.overlay.is_some();
        match mouse.kind {
            MouseEventKind::ScrollUp if is_over => self.scroll(-WHEEL),
            MouseEventKind::ScrollDown if is_over => self.scroll(WHEEL),
            MouseEventKind::ScrollUp => self.state.step_window(true),
            MouseEventKind::ScrollDown => self.state.step_window(false),
            _ => {}
        }
    }

    fn resize(&mut self, size: Size) {
        self.state.size = size;
    }

    fn own(&mut self, own: Infallible) {
        match own {}
    }

    fn settle(self) -> Vec<Effect> {
        self.state.settle(self.scene);
        self.effects
    }
}

impl Update<'_> {
    /// In a list: what does not move in it closes it, and does nothing else but end the run.
    fn act_over(&mut self, overlay: Overlay, verb: Verb) {
        let page = isize::try_from(self.state.size.height / 2).unwrap_or(1);
        match verb {
            Verb::Up => self.scroll(-1),
            Verb::Down => self.scroll(1),
            Verb::PageUp => self.scroll(-page),
            Verb::PageDown => self.scroll(page),
            Verb::Interrupt | Verb::Abort | Verb::Suspend | Verb::Redraw | Verb::Theme => {
                self.act(verb);
            }
            Verb::Errors | Verb::Log | Verb::Help => {
                self.act(verb);
                if self
                    .state
                    .overlay
                    .is_some_and(|now| now.what == overlay.what)
                {
                    self.state.overlay = None;
                }
            }
            _ => self.state.overlay = None,
        }
    }

    /// Moves in what lies over the panes; bounded when it is drawn.
    fn scroll(&mut self, rows: isize) {
        if let Some(overlay) = &mut self.state.overlay {
            let most = super::render::rows_of(overlay.what, self.scene).saturating_sub(1);
            overlay.top = overlay.top.saturating_add_signed(rows).min(most);
        }
    }

    fn act(&mut self, verb: Verb) {
        let over = |what| Some(Overlay { what, top: 0 });
        match verb {
            Verb::Stop => self.stop(Request::Stop, "stopping: waiting for answers"),
            Verb::Abort => self.ask(Request::Abort, "aborted"),
            Verb::Interrupt => self.stop(Request::Interrupt, "interrupted: waiting for answers"),
            Verb::Hold => self.hold(),
            Verb::PreviousMetric => self.state.step_metric(false),
            Verb::NextMetric => self.state.step_metric(true),
            Verb::Closer => self.state.step_window(true),
            Verb::Longer => self.state.step_window(false),
            Verb::Whole => self.state.show_whole(),
            Verb::Scale => {
                self.state.linear = !self.state.linear;
                let scale = if self.state.linear {
                    "linear"
                } else {
                    "logarithmic"
                };
                self.state.say(format!("times are {scale}"));
            }
            Verb::Baseline => self.baseline(),
            Verb::Errors => self.state.overlay = over(What::Errors),
            Verb::Log => self.state.overlay = over(What::Log),
            Verb::Help => self.state.overlay = over(What::Help),
            Verb::Snapshot => self.snapshot(),
            Verb::Theme => self.state.next_theme(),
            Verb::Redraw => self.effects.push(Effect::Redraw),
            Verb::Suspend => self.effects.push(Effect::Suspend),
            Verb::Up | Verb::Down | Verb::PageUp | Verb::PageDown | Verb::Back => {}
        }
    }

    /// Ends the run; once it is over, leaves.
    fn stop(&mut self, request: Request, word: &str) {
        if self.scene.end.is_some() {
            return self.effects.push(Effect::Ask(Request::Leave));
        }
        let again = std::mem::replace(&mut self.state.stopping, true);
        if again && matches!(request, Request::Stop) {
            let key = self.state.setup.keymap.keys(Verb::Abort);
            return self
                .state
                .say(format!("still waiting for answers; {key} does not wait"));
        }
        self.ask(request, word);
    }

    fn ask(&mut self, request: Request, word: &str) {
        if self.scene.end.is_some() {
            return self.effects.push(Effect::Ask(Request::Leave));
        }
        self.effects.push(Effect::Ask(request));
        self.state.say(word);
    }

    fn hold(&mut self) {
        match self.scene.about.workload.may_hold(self.scene.now.phase) {
            Err(why) => self.state.say(why),
            Ok(()) if self.scene.now.held => self.ask(Request::Hold, "goes on"),
            Ok(()) => {
                let key = self.state.setup.keymap.keys(Verb::Hold);
                self.ask(Request::Hold, &format!("held; {key} lets it go on"));
            }
        }
    }

    /// Shows the baseline beside this run, or this run alone again.
    fn baseline(&mut self) {
        let Some(past) = &self.scene.about.past else {
            return self.state.say("no --baseline was given");
        };
        let said = if self.state.past {
            self.state.past = false;
            format!("{} is not shown any more", past.name())
        } else if let Some(why) = self.scene.not_compared() {
            format!("not compared: {why}")
        } else {
            self.state.past = true;
            let main = self.scene.table.first();
            past.beside(&main.map_or_else(Spread::default, |row| row.total))
        };
        self.state.say(said);
    }

    fn snapshot(&mut self) {
        if self.scene.seeking.is_some() {
            let text = "a search is saved when it is over: --report json=FILE";
            return self.state.say(text);
        }
        if self.scene.end.is_some() {
            self.state
                .say("it is over: --report json=FILE writes the result");
        } else {
            self.ask(Request::Snapshot, "a snapshot is saved after this second");
        }
    }
}
