//! `--echo` and `--reply`: messages that are answered by rule.

use std::collections::VecDeque;

use super::sessions::Sessions;
use crate::model::command::Command;
use crate::model::event::{Direction, What};
use crate::model::message::Message;
use crate::model::state::ReadyState;
use crate::session::connection::MOST_UNREAD;
use crate::text::predicate::Predicate;

/// The rules.
#[derive(Debug, Default)]
pub struct Plan {
    /// `--echo`: return every message as it came.
    pub echo: bool,
    /// `--reply PREDICATE=TEXT`: the first that matches answers.
    pub replies: Vec<(Predicate, String)>,
}

impl Plan {
    fn answer(&self, what: &What) -> Option<Message> {
        let What::Message {
            dir: Direction::In,
            message,
            ..
        } = what
        else {
            return None;
        };
        if self.echo {
            return Some(message.clone());
        }
        let rule = self
            .replies
            .iter()
            .find(|(predicate, _)| predicate.matches(what));
        rule.map(|(_, text)| Message::text(text.clone()))
    }
}

/// Answers on their way. While there are some, nothing is read from the peers.
pub(super) struct Answers {
    plan: Plan,
    /// With the number of the client that each belongs to.
    waiting: VecDeque<(usize, Message)>,
}

impl Answers {
    pub(super) fn new(plan: Plan) -> Self {
        let waiting = VecDeque::new();
        Self { plan, waiting }
    }

    /// Whether any message may be answered.
    pub(super) fn are_wanted(&self) -> bool {
        self.plan.echo || !self.plan.replies.is_empty()
    }

    /// Something happened to client `at`: makes the answer, where there is one.
    pub(super) fn consider(&mut self, at: usize, what: &What, sessions: &Sessions) {
        if !sessions.get(at).is_broken()
            && let Some(answer) = self.plan.answer(what)
        {
            self.waiting.push_back((at, answer));
        }
    }

    /// Hands answers over as far as there is room, and lets no more be read while some wait.
    pub(super) fn pass_on(&mut self, sessions: &mut Sessions) {
        while let Some((at, _)) = self.waiting.front() {
            let hearer = sessions.get_mut(*at);
            if !hearer.can_send() && !hearer.is_broken() && hearer.state() == ReadyState::Open {
                break;
            }
            if let Some((_, answer)) = self.waiting.pop_front() {
                // A connection that has closed meanwhile does not want its answer any more.
                let _ = hearer.send(Command::Send(answer));
            }
        }
        for client in sessions.iter_mut() {
            let much_unread = self.plan.echo && client.held() > MOST_UNREAD;
            client.set_waiting(!self.waiting.is_empty() || much_unread);
        }
    }
}
