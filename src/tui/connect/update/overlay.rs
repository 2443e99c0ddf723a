//! Keys of what lies over the panes.

use ratatui::crossterm::event::{KeyCode, KeyEvent};

use super::Update;
use crate::input::{Input, slash};
use crate::model::control::Control;
use crate::tui::connect::action::Effect;
use crate::tui::connect::keymap::{Found, Verb};
use crate::tui::connect::search::Search;
use crate::tui::connect::state::{Focus, Overlay, palette};
use crate::tui::widget::line::Line;

impl Update<'_> {
    pub(super) fn key_in_overlay(&mut self, key: KeyEvent) {
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
    pub(super) fn scroll(&self, key: KeyEvent, at: usize) -> Option<usize> {
        let page = usize::from(self.state.size.height / 2).max(1);
        match key.code {
            KeyCode::Up | KeyCode::Char('k') => Some(at.saturating_sub(1)),
            KeyCode::Down | KeyCode::Char('j') => Some(at + 1),
            KeyCode::PageUp => Some(at.saturating_sub(page)),
            KeyCode::PageDown | KeyCode::Char(' ') => Some(at + page),
            _ => None,
        }
    }

    pub(super) fn type_filter(
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

    pub(super) fn choose_verb(
        &mut self,
        key: KeyEvent,
        mut line: Line,
        chosen: usize,
    ) -> Option<Overlay> {
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

    pub(super) fn close(&mut self, key: KeyEvent, mut line: Line) -> Option<Overlay> {
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
