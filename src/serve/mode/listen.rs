//! What `listen PORT` serves with: messages are shown, the person at the terminal answers.

use super::{Action, Entry, Mode, Scene};
use crate::model::message::Message;
use crate::serve::roster::Client;

pub(super) const ENTRY: Entry = Entry {
    name: "listen",
    help: "hear only",
    takes_rate: false,
    make: |_| Box::new(Listen),
};

struct Listen;

impl Mode for Listen {
    fn message(&mut self, _from: &Client, _message: Message, _scene: &Scene<'_>) -> Vec<Action> {
        Vec::new()
    }
}
