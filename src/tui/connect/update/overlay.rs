//! Keys of what lies over the panes.

use ratatui::crossterm::event::{KeyCode, KeyEvent};

use super::Update;
use crate::input::{Input, slash};
use crate::tui::chord::Chord;
use crate::tui::connect::action::Effect;
use crate::tui::connect::keymap::{Found, Verb};
use crate::tui::connect::render::help;
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
            Overlay::Help(_) | Overlay::Events(_) if self.leads_back(key) => None,
            Overlay::Help(at) => {
                let most = help::most(self.state);
                Some(Overlay::Help(self.scroll(key, at.min(most), most)))
            }
            // The newest stands below: up leads back.
            Overlay::Events(back) => {
                let most = self.scene.notes.len().saturating_sub(1);
                let back = self.scroll(mirrored(key), back, most);
                Some(Overlay::Events(back))
            }
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
            Overlay::Quit { keep } => {
                if is_yes(key) || key.code == KeyCode::Char(if keep { 'Q' } else { 'q' }) {
                    self.quit(keep);
                }
                None
            }
        };
    }

    /// Whether a key is a letter of a message, and what lies over the composer only tells something:
    /// no letter is lost, and none means something else.
    pub(super) fn is_written_through(&self, key: KeyEvent) -> bool {
        let tells = matches!(
            self.state.overlay,
            Some(Overlay::Help(_) | Overlay::Events(_))
        );
        tells && self.is_composing() && Chord::of(key).typed().is_some()
    }

    /// Whether a key that opens the help, or would leave the screen, leaves what tells something.
    fn leads_back(&self, key: KeyEvent) -> bool {
        let found = self.state.setup.keymap.find(self.is_composing(), &[], key);
        matches!(found, Found::Verb(Verb::Help | Verb::Quit))
    }

    /// How many rows are scrolled away after this key, of `most`.
    fn scroll(&self, key: KeyEvent, at: usize, most: usize) -> usize {
        let page = usize::from(self.state.size.height / 2).max(1);
        let at = match key.code {
            KeyCode::Up | KeyCode::Char('k') => at.saturating_sub(1),
            KeyCode::Down | KeyCode::Char('j') => at + 1,
            KeyCode::PageUp => at.saturating_sub(page),
            KeyCode::PageDown | KeyCode::Char(' ') => at + page,
            KeyCode::Home | KeyCode::Char('g') => 0,
            KeyCode::End | KeyCode::Char('G') => most,
            _ => at,
        };
        at.min(most)
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
        KeyCode::Home | KeyCode::Char('g') => KeyCode::End,
        KeyCode::End | KeyCode::Char('G') => KeyCode::Home,
        other => other,
    };
    KeyEvent { code, ..key }
}

const fn is_yes(key: KeyEvent) -> bool {
    matches!(key.code, KeyCode::Char('y' | 'Y') | KeyCode::Enter)
}
