//! `sink`: messages are read and nothing comes of them.

use super::{Behaviour, Entry};

pub(super) const ENTRY: Entry = Entry {
    name: "sink",
    help: "read every message and say nothing",
    takes_rate: false,
    behaviour: Behaviour::Answering(|_, _| None),
};
