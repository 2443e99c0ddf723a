//! What comes in and what goes out of an update.

use ratatui::crossterm::event::{KeyEvent, MouseEvent};

use super::save::{NotSaved, Save};
use crate::input::Input;

/// Something that may change the screen.
#[derive(Debug, Clone)]
pub(super) enum Action {
    Key(KeyEvent),
    Paste(String),
    Mouse(MouseEvent),
    Resize(u16, u16),
    /// The session wrote something, or time passed.
    Look,
    /// `$EDITOR` ended with this text, or failed.
    Edited(Result<String, String>),
    /// What became of a [`Effect::Save`].
    Saved(Box<Save>, Result<(), NotSaved>),
}

/// What an update asks of the world.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Effect {
    /// Something for the session. Typed lines are remembered.
    Input { input: Input, line: Option<String> },
    /// Text for the clipboard, and what is to be said about it.
    Copy { text: String, note: String },
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
