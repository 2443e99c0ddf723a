//! The mouse.

use ratatui::crossterm::event::{KeyCode, KeyEvent, MouseButton, MouseEvent, MouseEventKind};
use ratatui::layout::Position;

use super::Update;
use crate::tui::connect::state::Focus;

/// Rows that a turn of the wheel moves.
const WHEEL: isize = 3;

impl Update<'_> {
    pub(super) fn point(&mut self, mouse: MouseEvent) {
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

    pub(super) fn click(&mut self, at: Position) {
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
}
