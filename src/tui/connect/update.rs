//! What a key does: from a state and an action to the next state and what it asks of the world. Pure.

mod browse;
mod mouse;
mod overlay;
mod take;

use std::time::Duration;

use ratatui::crossterm::event::{KeyEvent, MouseEvent};
use ratatui::layout::Size;

use super::action::{Action, Effect, Own};
use super::keymap::{Found, Verb};
use super::render::help;
use super::scene::Scene;
use super::state::{Focus, Overlay, State};
use crate::input::Input;
use crate::model::command::Command;
use crate::model::control::Control;
use crate::model::state::ReadyState;
use crate::tui::chord::{Chord, after_escape};
use crate::tui::update::{self, Update as _};
use crate::tui::widget::composer::Outcome;
use crate::tui::widget::inspector::Tab;
use crate::tui::widget::line::Line;

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
    type Own = Own;
    type Effect = Effect;

    fn after_escape(&self, key: KeyEvent) -> Option<KeyEvent> {
        let composing = self.is_composing() && self.state.overlay.is_none();
        let keymap = &self.state.setup.keymap;
        let means_something = keymap.find(composing, &self.state.begun, key) != Found::Nothing
            || composing && self.state.composer.takes(key);
        after_escape(key).filter(|_| !means_something)
    }

    fn key(&mut self, key: KeyEvent) {
        if self.is_written_through(key) {
            self.state.overlay = None;
        }
        if self.state.overlay.is_some() {
            return self.key_in_overlay(key);
        }
        // A search in the inspector is typed.
        let has_inspector = self.state.focus == Focus::Inspector || self.state.zoomed;
        if has_inspector && self.state.inspector.is_typing() {
            self.state.inspector.handle(key);
            return;
        }
        let composing = self.is_composing();
        let begun = std::mem::take(&mut self.state.begun);
        match self.state.setup.keymap.find(composing, &begun, key) {
            Found::Begun => {
                self.state.begun = begun;
                self.state.begun.push(Chord::of(key));
            }
            // What ends a search or completes a command is the composer's own first.
            Found::Verb(Verb::Leave | Verb::NextPane)
                if composing && self.state.composer.handle(key).is_some() => {}
            Found::Verb(verb) => {
                if !self.key_in_inspector(key) {
                    self.act(verb);
                }
            }
            Found::Nothing if composing => self.compose(key),
            Found::Nothing => {
                if !self.key_in_inspector(key) && Chord::of(key).typed().is_some() {
                    self.state.focus = Focus::Composer;
                    self.state.zoomed = false;
                    self.compose(key);
                }
            }
        }
    }

    fn paste(&mut self, text: &str) {
        match &mut self.state.overlay {
            Some(
                Overlay::Filter { line, .. }
                | Overlay::Palette { line, .. }
                | Overlay::Save { line, .. }
                | Overlay::Close(line),
            ) => line.insert(text),
            Some(Overlay::CopyAs(_) | Overlay::Overwrite(_) | Overlay::Quit { .. }) => {}
            Some(Overlay::Help(_) | Overlay::Events(_)) | None => {
                self.state.overlay = None;
                self.focus(Focus::Composer);
                self.state.composer.paste(text);
            }
        }
    }

    fn mouse(&mut self, mouse: MouseEvent) {
        self.point(mouse);
    }

    fn resize(&mut self, size: Size) {
        self.state.size = size;
    }

    fn own(&mut self, own: Own) {
        match own {
            Own::Edited(Ok(text)) => {
                self.state.composer.replace(&text);
                self.state.focus = Focus::Composer;
            }
            Own::Edited(Err(problem)) => self.state.say(problem),
            Own::Saved(save, outcome) => self.saved(save, outcome),
        }
    }

    fn settle(self) -> Vec<Effect> {
        self.state.settle(self.scene);
        self.effects
    }
}

impl Update<'_> {
    fn is_composing(&self) -> bool {
        self.state.focus == Focus::Composer && !self.state.zoomed
    }

    fn is_connected(&self) -> bool {
        self.scene.vitals.state() == ReadyState::Open
    }

    fn compose(&mut self, key: KeyEvent) {
        let outcome = self.state.composer.handle(key);
        self.composed(outcome);
    }

    fn composed(&mut self, outcome: Option<Outcome>) {
        match outcome {
            Some(Outcome::Submit { input, line }) => self.submit(input, Some(line)),
            Some(Outcome::Edit) => self.edit(),
            Some(Outcome::Changed) | None => {}
        }
    }

    /// Keys that move around in the inspector are its own while it has them.
    fn key_in_inspector(&mut self, key: KeyEvent) -> bool {
        let has_keys = self.state.focus == Focus::Inspector || self.state.zoomed;
        has_keys && self.state.inspector.handle(key).is_some()
    }

    fn submit(&mut self, input: Input, line: Option<String>) {
        match input {
            Input::Control(Control::Help) => {
                let at = help::commands_at(self.state);
                self.state.overlay = Some(Overlay::Help(at));
            }
            Input::Control(Control::Headers) => {
                self.state.focus = Focus::Inspector;
                self.state.inspector.show(Tab::Headers);
            }
            Input::Control(Control::Json) => self.state.inspector.show(Tab::Json),
            input => {
                // What answers these is said among the events.
                if matches!(
                    input,
                    Input::Wrong(_)
                        | Input::Control(Control::Stats | Control::State | Control::Record(_))
                ) {
                    self.show_events();
                }
                if let Input::Command(Command::Send(_) | Command::Frame(_)) = input {
                    self.state.watch_sent(self.scene);
                }
                self.effects.push(Effect::Input { input, line });
                return;
            }
        }
        if let Some(line) = line {
            // It is remembered all the same.
            let input = Input::Wrong(String::new());
            self.effects.push(Effect::Input {
                input,
                line: Some(line),
            });
        }
    }

    fn send(&mut self, input: impl Into<Input>) {
        self.submit(input.into(), None);
    }

    fn act(&mut self, verb: Verb) {
        match verb {
            Verb::Send => {
                let connected = self.is_connected();
                let outcome = self.state.composer.submit(connected);
                self.composed(outcome);
            }
            Verb::NewLine => self.state.composer.newline(),
            Verb::NextKind => self.state.composer.next_kind(),
            Verb::SearchHistory => self.state.composer.search(),
            Verb::OpenEditor => self.edit(),
            Verb::Leave => self.focus(Focus::Frames),
            Verb::Compose | Verb::SendPane => self.focus(Focus::Composer),
            Verb::FramesPane => self.focus(Focus::Frames),
            Verb::InspectPane => self.focus(Focus::Inspector),
            Verb::EventsPane => self.show_events(),
            Verb::NextPane => self.next_pane(true),
            Verb::PreviousPane => self.next_pane(false),
            Verb::Up => self.step(-1),
            Verb::Down => self.step(1),
            Verb::PageUp => self.step(-self.page()),
            Verb::PageDown => self.step(self.page()),
            Verb::Oldest => self.state.list.oldest(&self.scene.ring),
            Verb::Follow => self.state.list.follow(),
            Verb::Pause => self.state.list.pause(&self.scene.ring),
            Verb::Filter => self.open_filter(),
            Verb::NextHit => self.go_to_hit(true),
            Verb::PreviousHit => self.go_to_hit(false),
            Verb::OnlyHits => {
                if !self.state.list.toggle_only_hits() {
                    self.need_filter();
                }
            }
            Verb::Control => self.toggle_control(),
            Verb::Mark => self.mark(),
            Verb::Diff => self.diff(),
            Verb::Inspect => self.zoom(),
            Verb::Back if self.state.zoomed => self.zoom(),
            Verb::Back => self.state.list.filter(None),
            Verb::NextFrame => self.state.list.step(&self.scene.ring, 1),
            Verb::PreviousFrame => self.state.list.step(&self.scene.ring, -1),
            Verb::Json => self.show(Tab::Json),
            Verb::Raw => self.show(Tab::Raw),
            Verb::Hex => self.show(Tab::Hex),
            Verb::Headers => self.show(Tab::Headers),
            Verb::Wrap => self.state.inspector.toggle_wrap(),
            Verb::Copy => self.copy(),
            Verb::CopyAs => self.open_copy_as(),
            Verb::Save => self.open_save(false),
            Verb::SaveList => self.open_save(true),
            Verb::Resend => self.resend(),
            Verb::Ping => self.ping(),
            Verb::Reconnect => self.send(Control::Reconnect),
            Verb::Close => self.state.overlay = Some(Overlay::Close(Line::suggesting("1000"))),
            Verb::Theme => self.next_theme(),
            Verb::Mouse => self.toggle_mouse(),
            Verb::LineMode => self.send(Control::Line),
            Verb::Help => self.state.overlay = Some(Overlay::Help(0)),
            Verb::Palette => {
                self.state.overlay = Some(Overlay::Palette {
                    line: Line::default(),
                    chosen: 0,
                });
            }
            Verb::Redraw => self.effects.push(Effect::Redraw),
            Verb::Suspend => self.effects.push(Effect::Suspend),
            Verb::Cancel => self.cancel(),
            Verb::Quit if self.state.zoomed => self.zoom(),
            Verb::Quit => self.ask_to_quit(false),
            Verb::QuitAndKeep => self.ask_to_quit(true),
        }
    }

    fn focus(&mut self, focus: Focus) {
        self.state.focus = focus;
        self.state.zoomed &= focus == Focus::Inspector;
        if focus == Focus::Frames && self.state.list.follows() {
            self.state.settle(self.scene);
        }
    }

    fn show_events(&mut self) {
        self.state.events_back = 0;
        if self.state.layout().events.is_empty() {
            self.state.overlay = Some(Overlay::Events(0));
        } else if self.state.focus != Focus::Composer {
            self.focus(Focus::Events);
        }
    }

    fn next_pane(&mut self, forwards: bool) {
        let layout = self.state.layout();
        let all = [
            Focus::Frames,
            Focus::Inspector,
            Focus::Events,
            Focus::Composer,
        ];
        let there: Vec<Focus> = all
            .into_iter()
            .filter(|focus| match focus {
                Focus::Inspector => !layout.inspector.is_empty(),
                Focus::Events => !layout.events.is_empty(),
                Focus::Frames | Focus::Composer => true,
            })
            .collect();
        let at = there.iter().position(|focus| *focus == self.state.focus);
        let step = if forwards { 1 } else { there.len() - 1 };
        let next = (at.unwrap_or(0) + step) % there.len();
        self.focus(there[next]);
    }

    fn ping(&mut self) {
        if self.is_connected() {
            self.send(Command::Ping("wscope".into()));
            self.state.say("ping sent");
        } else {
            self.state.say("not connected");
        }
    }

    fn edit(&mut self) {
        let text = self.state.composer.text().to_owned();
        self.effects.push(Effect::Edit(text));
    }

    fn next_theme(&mut self) {
        self.state.setup.next_theme();
        let name = self.state.setup.theme.0;
        self.state.say(format!("theme {name}"));
    }

    fn toggle_mouse(&mut self) {
        let mouse = !self.state.setup.mouse;
        self.state.setup.mouse = mouse;
        self.effects.push(Effect::Mouse(mouse));
        self.state.say(if mouse {
            "the mouse scrolls and chooses"
        } else {
            "the mouse selects text"
        });
    }

    fn cancel(&mut self) {
        if self.state.composer.clear() {
            let key = self.state.setup.keymap.keys(Verb::Cancel);
            self.state.say(format!("cleared; {key} again quits"));
        } else {
            self.send(Control::Quit);
        }
    }

    /// Quits; asks first where something is typed.
    fn ask_to_quit(&mut self, keep: bool) {
        if self.state.composer.text().is_empty() {
            self.quit(keep);
        } else {
            self.state.overlay = Some(Overlay::Quit { keep });
        }
    }

    fn quit(&mut self, keep: bool) {
        if keep {
            self.effects.push(Effect::Keep);
        }
        self.send(Control::Quit);
    }
}
