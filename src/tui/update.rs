//! What every screen does with an action: which part of its update takes it. Pure.

use ratatui::crossterm::event::{KeyCode, KeyEvent, MouseEvent};
use ratatui::layout::Size;

/// Something that may change a screen; `O` is what only one screen knows.
#[derive(Debug, Clone)]
pub(super) enum Action<O> {
    Key(KeyEvent),
    Paste(String),
    Mouse(MouseEvent),
    Resize(u16, u16),
    /// Something happened, or time passed.
    Look,
    Own(O),
}

/// An update of a screen under way.
pub(super) trait Update: Sized {
    /// Actions that only this screen has.
    type Own;
    /// What an update asks of the world.
    type Effect;

    /// The letter after Esc, where Alt with it means nothing.
    fn after_escape(&self, key: KeyEvent) -> Option<KeyEvent>;
    fn key(&mut self, key: KeyEvent);
    fn paste(&mut self, text: &str);
    fn mouse(&mut self, mouse: MouseEvent);
    fn resize(&mut self, size: Size);
    fn own(&mut self, own: Self::Own);
    /// Brings in order what the action left behind.
    fn settle(self) -> Vec<Self::Effect>;

    /// Takes an action in.
    fn take(mut self, action: Action<Self::Own>) -> Vec<Self::Effect> {
        match action {
            Action::Key(key) => {
                if let Some(letter) = self.after_escape(key) {
                    self.key(KeyEvent::from(KeyCode::Esc));
                    self.key(letter);
                } else {
                    self.key(key);
                }
            }
            Action::Paste(text) => self.paste(&text),
            Action::Mouse(mouse) => self.mouse(mouse),
            Action::Resize(width, height) => self.resize(Size { width, height }),
            Action::Look => {}
            Action::Own(own) => self.own(own),
        }
        self.settle()
    }
}
