//! `sink`: messages are read and nothing comes of them.

use super::{Action, Entry, Mode, Scene};
use crate::model::message::Message;
use crate::serve::roster::Client;

pub(super) const ENTRY: Entry = Entry {
    name: "sink",
    help: "read every message and say nothing",
    takes_rate: false,
    make: |_| Box::new(Sink),
};

struct Sink;

impl Mode for Sink {
    fn message(&mut self, _from: &Client, _message: Message, _scene: &Scene<'_>) -> Vec<Action> {
        Vec::new()
    }
}
