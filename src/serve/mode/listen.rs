//! What `listen PORT` serves with: messages are shown, the person at the terminal answers.

use super::{Behaviour, Entry};

pub(super) const ENTRY: Entry = Entry {
    name: "listen",
    help: "hear only",
    takes_rate: false,
    behaviour: Behaviour::Answering(|_, _| None),
};
