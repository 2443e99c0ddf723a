//! What a person or a pipe says goes to the sessions, as soon as there is room for it.

use std::time::Instant;

use super::Talk;
use crate::command::source::Face;
use crate::command::upload::Upload;
use crate::input::{Batch, Input};
use crate::model::command::Command;
use crate::model::control::Control;
use crate::model::event::What;
use crate::view::outcome::Stop;

impl Talk {
    /// Passes on what waits, as far as there is room for it.
    pub(super) fn pass_on(&mut self) {
        self.answers.pass_on(&mut self.sessions);
        self.upload();
        while !self.finishing && self.may_take_next() {
            match self.inputs.take_next() {
                Some(Input::Command(command)) => self.send(&command),
                Some(Input::Control(control)) => self.control(control),
                Some(Input::File(path)) => {
                    self.inputs.begin_upload(&path, &mut self.audience);
                    self.upload();
                }
                Some(Input::Wrong(sentence)) => self.audience.note(&sentence),
                None => {}
            }
        }
        let reading = self.audience.output.has_room();
        for client in self.sessions.iter_mut() {
            client.set_reading(reading);
        }
        self.watch_input_end();
        self.audience.flush();
    }

    /// Whether it is the turn of the next input. What is asked of the program itself needs no room;
    /// from a pipe it keeps its place among the messages.
    fn may_take_next(&self) -> bool {
        // A person's words pass a file, or wait in it.
        if self.inputs.upload().is_some() && !self.feed.is_person() {
            return false;
        }
        match self.inputs.front() {
            Some(Input::Command(_) | Input::File(_)) => self.sessions.can_send(),
            Some(Input::Control(_) | Input::Wrong(_)) => {
                self.feed.is_person() || self.sessions.has_written_all()
            }
            None => false,
        }
    }

    pub(super) fn takes_input(&self) -> bool {
        !self.feed.has_ended()
            && (!self.finishing || self.feed.face() == Some(Face::Screen))
            && self.inputs.is_empty()
            && self.inputs.upload().is_none_or(Upload::has_room)
            && (self.feed.is_person()
                || self.sessions.can_send() && self.audience.output.has_room())
    }

    fn send(&mut self, command: &Command) {
        if let Command::Ping(payload) = command
            && self.feed.is_person()
        {
            self.audience.ask_for_pong(payload.clone());
        }
        if let Some(patience) = self.timer.patience() {
            patience.sent(Instant::now());
        }
        if let Err(sentence) = self.sessions.send(command) {
            self.audience.note(&sentence);
        }
    }

    /// Sends more of a file, as far as there is room for it.
    fn upload(&mut self) {
        self.watch_upload();
        while self.sessions.can_send()
            && !self.finishing
            && let Some(piece) = self.inputs.next_piece(&mut self.audience)
        {
            self.send(&piece);
        }
    }

    /// Says that a file has been sent, or that it never will be.
    pub(super) fn watch_upload(&mut self) {
        let Some(upload) = self.inputs.upload() else {
            return;
        };
        if !self.sessions.is_open() || self.finishing {
            // Whoever leaves does so on purpose.
            self.inputs.cut(!self.finishing, &mut self.audience);
        } else if upload.is_handed_over() && self.sessions.has_written_all() {
            self.inputs.sent(&mut self.audience);
        }
    }

    pub(super) fn take(&mut self, batch: Option<Batch>) {
        let Some(batch) = batch else {
            if self.feed.is_person() {
                self.finish(Stop::OnPurpose);
            }
            return;
        };
        self.inputs.extend(batch.inputs);
        if let Some(error) = batch.error {
            self.pass_on();
            self.audience.tell(What::Error(Box::new(error.problem())));
            self.finish(Stop::OnPurpose);
        }
    }

    fn control(&mut self, control: Control) {
        match self.audience.control(control) {
            Some(Control::Quit) => self.finish(Stop::OnPurpose),
            Some(Control::Reconnect) => {
                self.sessions.reconnect();
                self.is_over = false;
            }
            Some(Control::Screen) => self.switching = Some(Face::Screen),
            Some(Control::Line) => self.switching = Some(Face::Lines),
            Some(Control::State) => {
                for sentence in self.sessions.states() {
                    self.audience.note(&sentence);
                }
            }
            Some(Control::To(..)) => self
                .audience
                .note("/to is for listen PORT: there is one peer here"),
            _ => {}
        }
    }

    fn watch_input_end(&mut self) {
        let all_sent = self.feed.has_ended()
            && self.inputs.is_empty()
            && self.inputs.upload().is_none()
            && self.sessions.is_idle();
        if let Some(patience) = self.timer.patience()
            && all_sent
        {
            patience.all_sent(Instant::now());
        }
    }
}
