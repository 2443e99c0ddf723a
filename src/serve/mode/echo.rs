//! `echo`: every message goes back as it came.

use std::sync::Arc;

use super::{Action, Entry, Mode};
use crate::model::event::ConnId;
use crate::model::message::Message;

pub(super) const ENTRY: Entry = Entry {
    name: "echo",
    help: "return every message as it came",
    make: |plan| {
        Arc::new(Echo {
            prefix: plan.prefix.clone(),
        })
    },
};

struct Echo {
    prefix: Option<String>,
}

impl Mode for Echo {
    fn message(&self, _from: ConnId, message: Message) -> Option<Action> {
        Some(Action::Reply(match (&self.prefix, message.as_text()) {
            (Some(prefix), Some(text)) => Message::text(format!("{prefix}{text}")),
            _ => message,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_stands_before_texts_only() {
        let echo = Echo {
            prefix: Some("you said: ".into()),
        };
        let reply = echo.message(1, Message::text("hi"));
        assert_eq!(reply, Some(Action::Reply(Message::text("you said: hi"))));
        let binary = Message::binary(vec![0, 1]);
        assert_eq!(echo.message(1, binary.clone()), Some(Action::Reply(binary)));
    }
}
