//! Stand-in.
use ratatui::buffer::Buffer;
use ratatui::crossterm::event::KeyEvent;
use ratatui::layout::Rect;

use super::Subject;
use crate::tui::theme::Theme;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tab {
    #[default]
    Json,
    Raw,
    Hex,
    Headers,
    Diff,
}

#[derive(Debug, Default)]
pub struct Inspector {
    tab: Tab,
}

impl Inspector {
    pub fn show(&mut self, tab: Tab) {
        self.tab = tab;
    }
    pub fn toggle_wrap(&mut self) {}
    pub fn handle(&mut self, _key: KeyEvent) -> Option<()> {
        None
    }
    pub fn render(&self, subject: &Subject<'_>, area: Rect, buffer: &mut Buffer, theme: &Theme) {
        let text = format!("{:?}", subject.entry.event.what);
        buffer.set_stringn(area.x, area.y, text, usize::from(area.width), theme.text);
    }
}
