//! `broadcast`: every message goes to everyone on the same path.

use std::sync::Arc;

use super::{Action, Entry, Mode};
use crate::model::event::ConnId;
use crate::model::message::Message;

pub(super) const ENTRY: Entry = Entry {
    name: "broadcast",
    help: "send every message to everyone on the same path (--exclude-sender: but its sender)",
    make: |plan| {
        Arc::new(Broadcast {
            exclude_sender: plan.exclude_sender,
        })
    },
};

struct Broadcast {
    exclude_sender: bool,
}

impl Mode for Broadcast {
    fn message(&self, from: ConnId, message: Message) -> Option<Action> {
        Some(Action::Everyone {
            message,
            except: self.exclude_sender.then_some(from),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sender_is_left_out_when_asked() {
        for (exclude_sender, except) in [(false, None), (true, Some(7))] {
            let message = Message::text("hi");
            let action = Broadcast { exclude_sender }.message(7, message.clone());
            assert_eq!(action, Some(Action::Everyone { message, except }));
        }
    }
}
