//! What a key does: from a state and an action to the next state and what it asks of the world. Pure.

use std::time::Duration;

use ratatui::crossterm::event::{KeyCode, KeyEvent, MouseButton, MouseEvent, MouseEventKind};
use ratatui::layout::{Position, Size};

use super::action::{Action, Effect};
use super::keymap::{Found, Verb};
use super::save::{self, Content, NotSaved, Save};
use super::scene::Scene;
use super::search::Search;
use super::state::{Focus, Overlay, State, palette};
use crate::input::compose::Kind;
use crate::input::{Input, slash};
use crate::model::command::Command;
use crate::model::control::Control;
use crate::model::event::What;
use crate::model::state::ReadyState;
use crate::text::{hex, sanitize};
use crate::tui::chord::Chord;
use crate::tui::widget::composer::Outcome;
use crate::tui::widget::inspector::Tab;
use crate::tui::widget::line::Line;
use crate::view::copy_as::{Origin, SHAPES, Shape};

/// Rows that a turn of the wheel moves.
const WHEEL: isize = 3;

/// Takes an action in.
pub(super) fn update(
    state: &mut State,
    scene: &Scene,
    now: Duration,
    action: Action,
) -> Vec<Effect> {
    state.now = now;
    let mut update = Update {
        state,
        scene,
        effects: Vec::new(),
    };
    match action {
        Action::Key(key) => update.key(key),
        Action::Paste(text) => update.paste(&text),
        Action::Mouse(mouse) => update.mouse(mouse),
        Action::Resize(width, height) => update.state.size = Size { width, height },
        Action::Look => {}
        Action::Edited(Ok(text)) => {
            update.state.composer.replace(&text);
            update.state.focus = Focus::Composer;
        }
        Action::Edited(Err(problem)) => update.state.say(problem),
        Action::Saved(save, outcome) => update.saved(save, outcome),
    }
    let effects = update.effects;
    state.settle(scene);
    effects
}

/// One update under way.
struct Update<'a> {
    state: &'a mut State,
    scene: &'a Scene,
    effects: Vec<Effect>,
}

impl Update<'_> {
    fn key(&mut self, key: KeyEvent) {
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
            Input::Control(Control::Help) => self.state.overlay = Some(Overlay::Help(0)),
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
            Verb::Close => self.state.overlay = Some(Overlay::Close(Line::new("1000"))),
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
            Verb::Quit => self.quit(),
            Verb::QuitAndKeep => {
                self.effects.push(Effect::Keep);
                self.send(Control::Quit);
            }
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

    fn page(&self) -> isize {
        let rows = self.state.layout().rows.height.max(2);
        isize::try_from(rows - 1).unwrap_or(1)
    }

    fn step(&mut self, rows: isize) {
        if self.state.focus == Focus::Events {
            let most = self.scene.notes.len();
            let back = self.state.events_back.saturating_add_signed(-rows);
            self.state.events_back = back.min(most.saturating_sub(1));
        } else {
            self.state.list.step(&self.scene.ring, rows);
        }
    }

    fn open_filter(&mut self) {
        let before = self
            .state
            .list
            .search
            .as_ref()
            .map(|search| search.text.clone());
        self.state.overlay = Some(Overlay::Filter {
            line: Line::new(before.clone().unwrap_or_default()),
            before,
        });
    }

    fn go_to_hit(&mut self, forwards: bool) {
        if self.state.list.search.is_none() {
            self.need_filter();
        } else if !self.state.list.go_to_hit(&self.scene.ring, forwards) {
            self.state.say("no hits");
        }
    }

    fn need_filter(&mut self) {
        let key = self.state.setup.keymap.keys(Verb::Filter);
        self.state
            .say(format!("there is no filter ({key} sets one)"));
    }

    fn toggle_control(&mut self) {
        self.state.list.toggle_control();
        self.state.say(if self.state.list.hides_control() {
            "pings and pongs are hidden"
        } else {
            "pings and pongs are listed"
        });
    }

    fn mark(&mut self) {
        let chosen = self.state.list.chosen(&self.scene.ring);
        let Some(number) = chosen.map(|entry| entry.number) else {
            return self.nothing_chosen();
        };
        self.state.list.choose(number);
        let mark = (self.state.list.mark != Some(number)).then_some(number);
        self.state.list.mark = mark;
        self.state.say(match mark {
            Some(number) => format!("#{number} is marked"),
            None => "the mark is gone".to_owned(),
        });
    }

    fn diff(&mut self) {
        if self.state.list.mark.is_none() {
            let key = self.state.setup.keymap.keys(Verb::Mark);
            self.state
                .say(format!("mark another message first ({key})"));
        } else {
            self.show(Tab::Diff);
        }
    }

    fn zoom(&mut self) {
        if self.state.list.chosen(&self.scene.ring).is_none() {
            return self.nothing_chosen();
        }
        self.state.zoomed = !self.state.zoomed;
        self.hold();
        self.state.focus = if self.state.zoomed {
            Focus::Inspector
        } else {
            Focus::Frames
        };
    }

    /// Stays where the list is: what is looked at does not move on.
    fn hold(&mut self) {
        let chosen = self.state.list.chosen(&self.scene.ring);
        if let Some(number) = chosen.map(|entry| entry.number) {
            self.state.list.choose(number);
        }
    }

    fn show(&mut self, tab: Tab) {
        self.hold();
        self.state.inspector.show(tab);
    }

    fn nothing_chosen(&mut self) {
        self.state.say("there is nothing yet");
    }

    fn copy(&mut self) {
        let Some(entry) = self.state.list.chosen(&self.scene.ring) else {
            return self.nothing_chosen();
        };
        let text = match &entry.event.what {
            What::Message { message, .. } => message.as_text().map_or_else(
                || hex::preview(&message.payload, usize::MAX),
                |text| text.into_owned(),
            ),
            What::Ping { payload, .. } | What::Pong { payload, .. } => {
                String::from_utf8_lossy(payload).into_owned()
            }
            _ => return self.state.say("only messages are copied"),
        };
        self.hold();
        self.effects.push(Effect::Copy {
            text,
            note: String::new(),
        });
    }

    fn open_copy_as(&mut self) {
        if self.state.list.chosen(&self.scene.ring).is_none() {
            return self.nothing_chosen();
        }
        self.hold();
        self.state.overlay = Some(Overlay::CopyAs(0));
    }

    fn choose_shape(&mut self, key: KeyEvent, chosen: usize) -> Option<Overlay> {
        let last = SHAPES.len().saturating_sub(1);
        match key.code {
            KeyCode::Up | KeyCode::Char('k') => Some(Overlay::CopyAs(chosen.saturating_sub(1))),
            KeyCode::Down | KeyCode::Char('j') => Some(Overlay::CopyAs((chosen + 1).min(last))),
            KeyCode::Enter => {
                self.copy_as(&SHAPES[chosen.min(last)], false);
                None
            }
            KeyCode::Char('a') => {
                self.copy_as(&SHAPES[chosen.min(last)], true);
                None
            }
            _ => Some(Overlay::CopyAs(chosen)),
        }
    }

    /// The chosen entry, or everything of the list that was sent.
    fn copy_as(&mut self, shape: &Shape, all: bool) {
        let Some(entry) = self.state.list.chosen(&self.scene.ring) else {
            return;
        };
        let vitals = &self.scene.vitals;
        let handshake = vitals.handshake(entry.event.conn);
        let origin = Origin {
            url: self.scene.url(),
            request: handshake.and_then(|heads| heads.request.as_deref()),
        };
        let copied = if all {
            let listed = self.state.list.listed(&self.scene.ring);
            shape.sent(origin, listed.map(|entry| &entry.event.what))
        } else {
            shape.one(origin, &entry.event.what)
        };
        match copied {
            Ok(copied) => {
                let secrets = copied.secrets.iter().map(|name| format!("{{{{{name}}}}}"));
                let notes: Vec<String> = secrets
                    .map(|name| format!("{name} stands for a secret"))
                    .chain(copied.notes)
                    .collect();
                self.effects.push(Effect::Copy {
                    text: copied.text,
                    note: notes.join("; "),
                });
            }
            Err(problem) => self.state.say(problem),
        }
    }

    /// Asks where to, with a name that says what it is.
    fn open_save(&mut self, is_list: bool) {
        let Some(entry) = self.state.list.chosen(&self.scene.ring) else {
            return self.nothing_chosen();
        };
        let name = if is_list {
            "messages.ndjson".to_owned()
        } else if let Some((name, _)) = save::payload(entry) {
            name
        } else {
            return self
                .state
                .say("only payloads of messages, pings and pongs are saved");
        };
        self.hold();
        let line = Line::new(name);
        self.state.overlay = Some(Overlay::Save { line, is_list });
    }

    fn save(&mut self, key: KeyEvent, mut line: Line, is_list: bool) -> Option<Overlay> {
        if key.code != KeyCode::Enter || line.text().is_empty() {
            line.handle(key);
            return Some(Overlay::Save { line, is_list });
        }
        let (list, ring) = (&self.state.list, &self.scene.ring);
        let content = if is_list {
            Content::Events(save::events(list, ring))
        } else {
            let (_, payload) = list.chosen(ring).and_then(save::payload)?;
            Content::Payload(payload)
        };
        self.effects.push(Effect::Save(Box::new(Save {
            path: line.text().into(),
            overwrite: false,
            content,
        })));
        None
    }

    /// What became of it.
    fn saved(&mut self, mut save: Box<Save>, outcome: Result<(), NotSaved>) {
        match outcome {
            Ok(()) => {
                let path = save.path.to_string_lossy();
                let path = sanitize::line(&path);
                let said = format!("{} saved to {path}", save.content.size());
                self.state.say(said);
            }
            Err(NotSaved::Exists) => {
                save.overwrite = true;
                self.state.overlay = Some(Overlay::Overwrite(save));
            }
            Err(NotSaved::Failed(why)) => self.state.say(why),
        }
    }

    fn resend(&mut self) {
        let Some(entry) = self.state.list.chosen(&self.scene.ring) else {
            return self.nothing_chosen();
        };
        let (kind, text) = match &entry.event.what {
            What::Message { message, .. } => match message.as_text() {
                // A slash would be obeyed.
                Some(text) if text.starts_with('/') => (Kind::Text, format!("/{text}")),
                Some(text) => (Kind::Text, text.into_owned()),
                None => (Kind::Binary, hex::preview(&message.payload, usize::MAX)),
            },
            What::Ping { payload, .. } | What::Pong { payload, .. } => {
                (Kind::Ping, String::from_utf8_lossy(payload).into_owned())
            }
            _ => return self.state.say("only messages can be sent again"),
        };
        self.hold();
        self.state.composer.edit(kind, &text);
        self.focus(Focus::Composer);
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

    fn quit(&mut self) {
        if self.state.zoomed {
            self.zoom();
        } else if self.state.composer.text().is_empty() {
            self.send(Control::Quit);
        } else {
            self.state.overlay = Some(Overlay::Quit);
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
            Some(
                Overlay::Help(_)
                | Overlay::Events(_)
                | Overlay::CopyAs(_)
                | Overlay::Overwrite(_)
                | Overlay::Quit,
            ) => {}
            None => {
                self.focus(Focus::Composer);
                self.state.composer.paste(text);
            }
        }
    }

    fn mouse(&mut self, mouse: MouseEvent) {
        let layout = self.state.layout();
        let at = Position::new(mouse.column, mouse.row);
        let rows = match mouse.kind {
            MouseEventKind::ScrollUp => -WHEEL,
            MouseEventKind::ScrollDown => WHEEL,
            MouseEventKind::Down(MouseButton::Left) => return self.click(at),
            _ => return,
        };
        if layout.inspector.contains(at) {
            let code = if rows < 0 { KeyCode::Up } else { KeyCode::Down };
            for _ in 0..rows.unsigned_abs() {
                self.state.inspector.handle(KeyEvent::from(code));
            }
        } else if layout.rows.contains(at) {
            self.state.list.step(&self.scene.ring, rows);
        }
    }

    fn click(&mut self, at: Position) {
        let layout = self.state.layout();
        if layout.rows.contains(at) {
            let rows = self
                .state
                .list
                .rows(&self.scene.ring, usize::from(layout.rows.height));
            let row = usize::from(at.y - layout.rows.y);
            let number = rows.get(row).map(|entry| entry.number);
            self.focus(Focus::Frames);
            if let Some(number) = number {
                self.state.list.choose(number);
            }
        } else if layout.inspector.contains(at) {
            self.focus(Focus::Inspector);
        } else if layout.events.contains(at) {
            self.focus(Focus::Events);
        } else if layout.composer.contains(at) || layout.composer_head.contains(at) {
            self.focus(Focus::Composer);
        }
    }

    fn key_in_overlay(&mut self, key: KeyEvent) {
        let Some(overlay) = self.state.overlay.take() else {
            return;
        };
        let is_ctrl_c = matches!(
            self.state.setup.keymap.find(true, &[], key),
            Found::Verb(Verb::Cancel)
        );
        self.state.overlay = match overlay {
            Overlay::Filter { before, .. } if key.code == KeyCode::Esc || is_ctrl_c => {
                // Esc takes a filter away that was there; a new one is not begun.
                let search = before.filter(|_| is_ctrl_c);
                self.filter(search.as_deref());
                None
            }
            _ if key.code == KeyCode::Esc || is_ctrl_c => None,
            Overlay::Help(at) => self.scroll(key, at).map(Overlay::Help),
            // The newest stands below: up leads back.
            Overlay::Events(back) => self.scroll(mirrored(key), back).map(Overlay::Events),
            Overlay::Filter { line, before } => self.type_filter(key, line, before),
            Overlay::Palette { line, chosen } => self.choose_verb(key, line, chosen),
            Overlay::Close(line) => self.close(key, line),
            Overlay::CopyAs(chosen) => self.choose_shape(key, chosen),
            Overlay::Save { line, is_list } => self.save(key, line, is_list),
            Overlay::Overwrite(save) => {
                if is_yes(key) {
                    self.effects.push(Effect::Save(save));
                }
                None
            }
            Overlay::Quit => {
                if is_yes(key) || key.code == KeyCode::Char('q') {
                    self.send(Control::Quit);
                }
                None
            }
        };
    }

    /// How many rows are scrolled away after this key; `None` where it is no key for that.
    fn scroll(&self, key: KeyEvent, at: usize) -> Option<usize> {
        let page = usize::from(self.state.size.height / 2).max(1);
        match key.code {
            KeyCode::Up | KeyCode::Char('k') => Some(at.saturating_sub(1)),
            KeyCode::Down | KeyCode::Char('j') => Some(at + 1),
            KeyCode::PageUp => Some(at.saturating_sub(page)),
            KeyCode::PageDown | KeyCode::Char(' ') => Some(at + page),
            _ => None,
        }
    }

    fn type_filter(
        &mut self,
        key: KeyEvent,
        mut line: Line,
        before: Option<String>,
    ) -> Option<Overlay> {
        if key.code == KeyCode::Enter {
            self.focus(Focus::Frames);
            let wrong = self.state.list.search.as_ref().and_then(Search::problem);
            if wrong.is_none() {
                // To the newest hit; nothing was chosen yet.
                if self.state.list.follows() {
                    self.state.list.go_to_hit(&self.scene.ring, false);
                }
                return None;
            }
            return Some(Overlay::Filter { line, before });
        }
        let was = line.text().to_owned();
        line.handle(key);
        if line.text() != was {
            let text = line.text().to_owned();
            self.filter(Some(&text));
        }
        Some(Overlay::Filter { line, before })
    }

    /// Takes another filter; an empty one is none.
    fn filter(&mut self, text: Option<&str>) {
        let text = text.filter(|text| !text.trim().is_empty());
        self.state.list.filter(text.map(Search::new));
        self.state.list.scan(&self.scene.ring);
    }

    fn choose_verb(&mut self, key: KeyEvent, mut line: Line, chosen: usize) -> Option<Overlay> {
        let verbs = palette(line.text());
        let last = verbs.len().saturating_sub(1);
        let chosen = match key.code {
            KeyCode::Enter => {
                if let Some(verb) = verbs.get(chosen.min(last)) {
                    self.act(*verb);
                }
                // The verb may have opened something.
                return self.state.overlay.take();
            }
            KeyCode::Up => chosen.min(last).saturating_sub(1),
            KeyCode::Down => (chosen + 1).min(last),
            _ => {
                line.handle(key);
                0
            }
        };
        Some(Overlay::Palette { line, chosen })
    }

    fn close(&mut self, key: KeyEvent, mut line: Line) -> Option<Overlay> {
        if key.code != KeyCode::Enter {
            line.handle(key);
            return Some(Overlay::Close(line));
        }
        match slash::parse(format!("/close {}", line.text()).trim_end()) {
            Input::Wrong(problem) => {
                self.state.say(problem);
                Some(Overlay::Close(line))
            }
            _ if !self.is_connected() => {
                self.state.say("not connected");
                None
            }
            input => {
                self.send(input);
                None
            }
        }
    }
}

/// The key that moves the other way.
fn mirrored(key: KeyEvent) -> KeyEvent {
    let code = match key.code {
        KeyCode::Up | KeyCode::Char('k') => KeyCode::Down,
        KeyCode::Down | KeyCode::Char('j') => KeyCode::Up,
        KeyCode::PageUp => KeyCode::PageDown,
        KeyCode::PageDown => KeyCode::PageUp,
        other => other,
    };
    KeyEvent { code, ..key }
}

const fn is_yes(key: KeyEvent) -> bool {
    matches!(key.code, KeyCode::Char('y' | 'Y') | KeyCode::Enter)
}
