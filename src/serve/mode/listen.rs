//! What `listen PORT` serves with: messages are shown, the person at the terminal answers.

use std::sync::Arc;

use super::{Action, Entry, Mode};
use crate::model::event::ConnId;
use crate::model::message::Message;

pub(super) const ENTRY: Entry = Entry {
    name: "listen",
    help: "hear only",
    make: |_| Arc::new(Listen),
};

struct Listen;

impl Mode for Listen {
    fn message(&self, _from: ConnId, _message: Message) -> Option<Action> {
        None
    }
}
