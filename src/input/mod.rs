//! What a person types or a pipe delivers, as Commands for the wire and Controls for the program.
//!
//! Both sources read on threads of their own and hand over [`Batch`]es through a short queue: who
//! does not take them stops the reading, and a thread that still waits for input never keeps the
//! program from ending.

pub mod compose;
pub mod file;
pub mod history;
pub mod pipe;
pub mod readline;
pub mod slash;

mod decode;
mod desk;
mod ndjson;
mod resize;
mod split;
mod terminal;

use std::path::PathBuf;

use crate::error::Error;
use crate::model::command::Command;
use crate::model::control::Control;

/// One thing that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    Command(Command),
    Control(Control),
    /// A file that is sent in pieces ([`file::Pieces`]), when its turn comes.
    File(PathBuf),
    /// A slash command that was not understood: a sentence to show, which ends nothing.
    Wrong(String),
}

/// What came in one go, in order.
#[derive(Debug, Default)]
pub struct Batch {
    pub inputs: Vec<Input>,
    /// What ended the input, after `inputs`.
    pub error: Option<Error>,
}

/// Batches that may wait to be taken.
const QUEUE: usize = 2;

impl Batch {
    fn is_empty(&self) -> bool {
        self.inputs.is_empty() && self.error.is_none()
    }
}
