//! `broadcast`: every message goes to everyone on the same path.

use super::{Action, Behaviour, Entry, Mode, Scene};
use crate::model::message::Message;
use crate::serve::bus::Audience;
use crate::serve::roster::Client;

pub(super) const ENTRY: Entry = Entry {
    name: "broadcast",
    help: "send every message to everyone on the same path (--exclude-sender: but its sender)",
    takes_rate: false,
    behaviour: Behaviour::Kept(|plan| {
        Box::new(Broadcast {
            exclude_sender: plan.exclude_sender,
        })
    }),
};

struct Broadcast {
    exclude_sender: bool,
}

impl Mode for Broadcast {
    fn message(&mut self, from: &Client, message: Message, _scene: &Scene<'_>) -> Vec<Action> {
        vec![Action::Publish {
            to: Audience::Path(from.path.clone()),
            except: self.exclude_sender.then_some(from.member),
            message,
        }]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::serve::bus::Member;
    use crate::serve::mode::sample::answer;

    #[test]
    fn the_sender_is_left_out_when_asked() {
        for (exclude_sender, except) in [(false, None), (true, Some(Member::local(1)))] {
            let message = Message::text("hi");
            let actions = answer(&mut Broadcast { exclude_sender }, message.clone());
            let to = Audience::Path("/".into());
            let publish = Action::Publish {
                to,
                except,
                message,
            };
            assert_eq!(actions, [publish]);
        }
    }
}
