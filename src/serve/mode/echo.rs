//! `echo`: every message goes back as it came.

use super::{Action, Entry, Mode, Scene};
use crate::model::message::Message;
use crate::serve::roster::Client;

pub(super) const ENTRY: Entry = Entry {
    name: "echo",
    help: "return every message as it came",
    takes_rate: false,
    make: |plan| {
        Box::new(Echo {
            prefix: plan.prefix.clone(),
        })
    },
};

struct Echo {
    prefix: Option<String>,
}

impl Mode for Echo {
    fn message(&mut self, from: &Client, message: Message, _scene: &Scene<'_>) -> Vec<Action> {
        let echo = match (&self.prefix, message.as_text()) {
            (Some(prefix), Some(text)) => Message::text(format!("{prefix}{text}")),
            _ => message,
        };
        vec![Action::send(from.member.conn, echo)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::serve::mode::sample::answer;

    #[test]
    fn a_prefix_stands_before_texts_only() {
        let mut echo = Echo {
            prefix: Some("you said: ".into()),
        };
        let reply = answer(&mut echo, Message::text("hi"));
        assert_eq!(reply, [Action::send(1, Message::text("you said: hi"))]);
        let binary = Message::binary(vec![0, 1]);
        let reply = answer(&mut echo, binary.clone());
        assert_eq!(reply, [Action::send(1, binary)]);
    }
}
