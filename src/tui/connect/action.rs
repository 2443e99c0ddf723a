//! What comes in and what goes out of an update.

use super::save::{NotSaved, Save};
use crate::input::Input;
use crate::model::units::show_size;
use crate::tui::update;

/// Something that may change the screen.
pub(super) type Action = update::Action<Own>;

/// What only this screen is told.
#[derive(Debug, Clone)]
pub(super) enum Own {
    /// `$EDITOR` ended with this text, or failed.
    Edited(Result<String, String>),
    /// What became of a [`Effect::Save`].
    Saved(Box<Save>, Result<(), NotSaved>),
}

/// Text for the clipboard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Copy {
    pub(super) text: String,
    /// What is to be said about it; may be empty.
    pub(super) note: String,
}

impl Copy {
    /// `61 B are` at some place, and the note.
    pub(super) fn said(&self, place: &str) -> String {
        let size = show_size(self.text.len() as u64);
        let gap = if self.note.is_empty() { "" } else { "; " };
        format!("{size} are {place}{gap}{}", self.note)
    }
}

/// What an update asks of the world.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Effect {
    /// Something for the session. Typed lines are remembered.
    Input {
        input: Input,
        line: Option<String>,
    },
    Copy(Copy),
    /// Something for a file.
    Save(Box<Save>),
    /// Let a person edit this text in `$EDITOR`.
    Edit(String),
    /// The mouse is wanted, or not any more.
    Mouse(bool),
    /// Draw everything anew.
    Redraw,
    /// Stop the program until the shell continues it.
    Suspend,
    /// Leave this picture's text behind when the screen is left.
    Keep,
}
