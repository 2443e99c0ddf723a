//! What a key does: from a state and an action to the next state and what it asks of the world. Pure.

use std::convert::Infallible;
use std::time::Duration;

use ratatui::crossterm::event::{KeyCode, KeyEvent, MouseButton, MouseEvent, MouseEventKind};
use ratatui::layout::{Position, Rect, Size};

use super::keymap::{TABLE, Verb};
use super::layout::below_names;
use super::scene::Scene;
use super::state::{Focus, Overlay, State};
use crate::model::command::Command;
use crate::model::event::ConnId;
use crate::text::command;
use crate::tui::chord::Chord;
use crate::tui::update::{self, Update as _};
use crate::tui::widget::line::Line;
use crate::tui::widget::pane::inside;

/// Rows that a turn of the wheel moves.
const WHEEL: isize = 3;

/// Something that may change the screen.
pub(super) type Action = update::Action<Infallible>;

/// What an update asks of the world.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Effect {
    Close(ConnId, Command),
    Quit,
    /// Draw everything anew.
    Redraw,
    /// Stop the program until the shell continues it.
    Suspend,
}

/// Takes an action in.
pub(super) fn update(
    state: &mut State,
    live: &Scene,
    now: Duration,
    action: Action,
) -> Vec<Effect> {
    state.now = now;
    let update = Update {
        state,
        live,
        effects: Vec::new(),
    };
    update.take(action)
}

/// One update under way.
struct Update<'a> {
    state: &'a mut State,
    live: &'a Scene,
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
        if let Some(overlay) = self.state.overlay.take() {
            self.state.overlay = self.key_in_overlay(overlay, key);
        } else if let Some(verb) = self.verb(key) {
            self.act(verb);
        }
    }

    fn paste(&mut self, text: &str) {
        match &mut self.state.overlay {
            Some(Overlay::Close(_, line)) => line.insert(text),
            Some(Overlay::Filter { line, .. }) => {
                line.insert(text);
                let text = line.text().to_owned();
                self.filter(&text);
            }
            Some(Overlay::Help(_) | Overlay::Details(_)) | None => {}
        }
    }

    fn mouse(&mut self, mouse: MouseEvent) {
        if self.state.overlay.is_some() {
            return;
        }
        let layout = self.state.layout();
        let at = Position::new(mouse.column, mouse.row);
        let panes = [
            (layout.connections, Focus::Connections),
            (layout.rooms, Focus::Rooms),
            (layout.log, Focus::Log),
        ];
        let hit = |(area, _): &(Rect, Focus)| area.contains(at);
        let Some((_, focus)) = panes.into_iter().find(hit) else {
            return;
        };
        match mouse.kind {
            MouseEventKind::ScrollUp => self.step_in(focus, -WHEEL),
            MouseEventKind::ScrollDown => self.step_in(focus, WHEEL),
            MouseEventKind::Down(MouseButton::Left) => {
                self.state.focus = focus;
                let rows = below_names(layout.connections);
                if focus == Focus::Connections && rows.contains(at) {
                    let row = self.state.top + usize::from(mouse.row - rows.y);
                    let clicked = self.state.rows.get(row).copied();
                    self.state.chosen = clicked.or(self.state.chosen);
                }
            }
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
        self.state.settle(self.live);
        self.effects
    }
}

impl Update<'_> {
    fn verb(&mut self, key: KeyEvent) -> Option<Verb> {
        let State { setup, begun, .. } = &mut *self.state;
        setup.keymap.press(begun, key)
    }

    fn act(&mut self, verb: Verb) {
        match verb {
            Verb::Up => self.step(-1),
            Verb::Down => self.step(1),
            Verb::PageUp => self.step(-self.page()),
            Verb::PageDown => self.step(self.page()),
            Verb::First => self.step(isize::MIN),
            Verb::Last => self.step(isize::MAX),
            Verb::NextPane => self.next_pane(true),
            Verb::PreviousPane => self.next_pane(false),
            Verb::Connections => self.state.focus = Focus::Connections,
            Verb::Rooms => self.state.focus = Focus::Rooms,
            Verb::Log => self.state.focus = Focus::Log,
            Verb::Details => self.state.overlay = self.chosen().map(Overlay::Details),
            Verb::Close => {
                let line = Line::suggesting("1000");
                self.state.overlay = self.chosen().map(|conn| Overlay::Close(conn, line));
            }
            Verb::Sort => {
                self.state.sort = self.state.sort.next();
                self.state.is_descending = self.state.sort.is_descending();
                self.choose_first();
                let name = self.state.sort.name();
                self.state.say(format!("sorted by {name}"));
            }
            Verb::Reverse => {
                self.state.is_descending = !self.state.is_descending;
                self.choose_first();
            }
            Verb::Filter => self.open_filter(),
            Verb::Back => {
                self.state.filter(None);
                self.state.focus = Focus::Connections;
            }
            Verb::Pause => {
                let paused = self.state.frozen.is_none();
                let now = self.state.now;
                self.state.frozen = paused.then(|| Box::new((self.live.clone(), now)));
            }
            Verb::Control => self.state.log.toggle_control(),
            Verb::Theme => {
                self.state.setup.next_theme();
                let name = self.state.setup.theme.0;
                self.state.say(format!("theme {name}"));
            }
            Verb::Redraw => self.effects.push(Effect::Redraw),
            Verb::Suspend => self.effects.push(Effect::Suspend),
            Verb::Help => self.state.overlay = Some(Overlay::Help(0)),
            Verb::Quit => self.effects.push(Effect::Quit),
        }
    }

    /// The chosen connection; where there is none, that is said.
    fn chosen(&mut self) -> Option<ConnId> {
        if self.state.chosen.is_none() {
            self.state.say("nobody is connected");
        }
        self.state.chosen
    }

    /// In another order, what comes first is what one looks for.
    fn choose_first(&mut self) {
        self.state.chosen = None;
        self.state.top = 0;
    }

    fn page(&self) -> isize {
        let layout = self.state.layout();
        let area = match self.state.focus {
            Focus::Connections => below_names(layout.connections),
            Focus::Rooms => inside(layout.rooms),
            Focus::Log => inside(layout.log),
        };
        isize::try_from(area.height.max(2) - 1).unwrap_or(1)
    }

    fn next_pane(&mut self, forwards: bool) {
        use Focus::{Connections, Log, Rooms};

        let has_rooms = !self.state.layout().rooms.is_empty();
        self.state.focus = match (self.state.focus, forwards) {
            (Connections, true) | (Log, false) if has_rooms => Rooms,
            (Connections, true) | (Rooms, true) => Log,
            (Connections, false) => Log,
            (Rooms, false) | (Log, _) => Connections,
        };
    }

    /// Moves the choice, or what is seen, by so many rows; as far as there are any.
    fn step(&mut self, rows: isize) {
        self.step_in(self.state.focus, rows);
    }

    fn step_in(&mut self, focus: Focus, rows: isize) {
        match focus {
            Focus::Connections => {
                let at = self.state.chosen.and_then(|conn| self.state.position(conn));
                let last = self.state.rows.len().saturating_sub(1);
                let at = at.unwrap_or(0).saturating_add_signed(rows).min(last);
                self.state.chosen = self.state.rows.get(at).copied();
            }
            // Bounded when it is settled.
            Focus::Rooms => {
                let top = self.state.rooms_top.saturating_add_signed(rows);
                self.state.rooms_top = top;
            }
            Focus::Log => {
                let scene = match self.state.frozen.as_deref() {
                    Some((frozen, _)) => frozen,
                    None => self.live,
                };
                match rows {
                    isize::MAX => self.state.log.follow(),
                    isize::MIN => self.state.log.oldest(&scene.ring),
                    rows => self.state.log.step(&scene.ring, rows),
                }
            }
        }
    }

    fn open_filter(&mut self) {
        let search = self.state.log.search.as_ref();
        let before = search.map(|search| search.text.clone());
        self.state.overlay = Some(Overlay::Filter {
            line: Line::new(before.clone().unwrap_or_default()),
            before,
        });
    }

    fn filter(&mut self, text: &str) {
        self.state
            .filter(Some(text).filter(|text| !text.is_empty()));
    }

    /// What is over the panes after the key, if anything is.
    fn key_in_overlay(&mut self, overlay: Overlay, key: KeyEvent) -> Option<Overlay> {
        let verb = self.verb(key);
        // Where one types, a letter is a letter; elsewhere it closes what is over the panes.
        if verb == Some(Verb::Quit) && Chord::of(key).typed().is_none() {
            self.effects.push(Effect::Quit);
            return Some(overlay);
        }
        match overlay {
            Overlay::Help(at) => key_in_help(at, verb),
            Overlay::Details(conn) => match verb {
                Some(verb @ (Verb::Up | Verb::Down)) => {
                    self.act(verb);
                    self.state.chosen.map(Overlay::Details)
                }
                Some(Verb::Close) => Some(Overlay::Close(conn, Line::suggesting("1000"))),
                _ => None,
            },
            Overlay::Filter { line, before } => self.key_in_filter(line, before, key),
            Overlay::Close(conn, line) => self.key_in_close(conn, line, key),
        }
    }

    fn key_in_filter(
        &mut self,
        mut line: Line,
        before: Option<String>,
        key: KeyEvent,
    ) -> Option<Overlay> {
        match key.code {
            KeyCode::Enter => {
                self.state.focus = Focus::Log;
                return None;
            }
            KeyCode::Esc => {
                self.state.filter(before.as_deref());
                return None;
            }
            _ => {}
        }
        if line.handle(key).is_some() {
            let text = line.text().to_owned();
            self.filter(&text);
        }
        Some(Overlay::Filter { line, before })
    }

    fn key_in_close(&mut self, conn: ConnId, mut line: Line, key: KeyEvent) -> Option<Overlay> {
        match key.code {
            KeyCode::Esc => return None,
            KeyCode::Enter => match command::close(line.text().trim()) {
                Ok(command) => {
                    self.effects.push(Effect::Close(conn, command));
                    return None;
                }
                // What commands say of a wrong code names a command, which there is none of here.
                Err(_) if !begins_with_number(line.text()) => {
                    self.state
                        .say("a close code is a number from 1000 to 4999, as in 1000 bye");
                }
                Err(problem) => self.state.say(problem),
            },
            _ => {
                line.handle(key);
            }
        }
        Some(Overlay::Close(conn, line))
    }
}

/// Whether the first word may be a code.
fn begins_with_number(text: &str) -> bool {
    let first = text.split_whitespace().next();
    first.is_some_and(|word| word.parse::<u16>().is_ok())
}

const fn key_in_help(at: usize, verb: Option<Verb>) -> Option<Overlay> {
    let step = match verb {
        Some(Verb::Up) => -1,
        Some(Verb::Down) => 1,
        Some(Verb::PageUp) => -8,
        Some(Verb::PageDown) => 8,
        _ => return None,
    };
    let at = at.saturating_add_signed(step);
    let most = TABLE.len();
    Some(Overlay::Help(if at < most { at } else { most }))
}
