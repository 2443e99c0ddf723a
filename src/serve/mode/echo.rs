//! `echo`: every message goes back as it came.

use super::{Behaviour, Entry, Plan};
use crate::model::message::Message;

pub(super) const ENTRY: Entry = Entry {
    name: "echo",
    help: "return every message as it came",
    takes_rate: false,
    behaviour: Behaviour::Answering(answer),
};

fn answer(plan: &Plan, message: Message) -> Option<Message> {
    Some(match (&plan.prefix, message.as_text()) {
        (Some(prefix), Some(text)) => Message::text(format!("{prefix}{text}")),
        _ => message,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_stands_before_texts_only() {
        let plan = Plan {
            prefix: Some("you said: ".into()),
            ..Plan::of(&ENTRY)
        };
        let reply = answer(&plan, Message::text("hi"));
        assert_eq!(reply, Some(Message::text("you said: hi")));
        let binary = Message::binary(vec![0, 1]);
        assert_eq!(answer(&plan, binary.clone()), Some(binary));
    }
}
