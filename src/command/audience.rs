//! Everyone who hears what happens: the view, the exit code, the recording.

use std::path::PathBuf;

use bytes::Bytes;

use crate::error::Error;
use crate::input::slash::SLASH;
use crate::model::control::Control;
use crate::model::event::{Direction, Event, Problem, What};
use crate::model::secret::known::Known;
use crate::session::stamp::Stamp;
use crate::text::output::Output;
use crate::tui::connect::scene::{Board, Note, Weight};
use crate::view::outcome::{Conditions, Outcome, Stop};
use crate::view::{self, Page, View};

use super::prologue::Prologue;
use super::recording::{self, Recording};

/// The consumers of a run's events.
pub(super) struct Audience {
    stamp: Stamp,
    view: View,
    parse_json: bool,
    page: Page,
    pub(super) output: Output,
    pub(super) outcome: Outcome,
    recording: Option<Recording>,
    /// What a recording begins with that is begun later.
    prologue: Prologue,
    /// What nobody is to see (`--secret`).
    declared: Known,
    /// Where a person can look at everything; with what is not written there yet.
    board: Option<Board>,
    heard: Vec<Event>,
    /// The board is on the screen: nothing goes to stdout or stderr.
    on_screen: bool,
}

impl Audience {
    pub(super) fn new(
        view: view::Plan,
        conditions: Conditions,
        stamp: Stamp,
        output: Output,
    ) -> Self {
        Self {
            stamp,
            parse_json: view.parse,
            view: View::new(view),
            page: Page::default(),
            output,
            outcome: Outcome::new(conditions),
            recording: None,
            prologue: Prologue::default(),
            declared: Known::default(),
            board: None,
            heard: Vec::new(),
            on_screen: false,
        }
    }

    /// From now on none of these values is shown.
    pub(super) fn hide(&mut self, declared: Known) {
        self.declared = declared;
    }

    pub(super) const fn declared(&self) -> &Known {
        &self.declared
    }

    /// From now on what happens is recorded too.
    ///
    /// # Errors
    /// The file cannot be made.
    pub(super) fn record(&mut self, plan: &recording::Plan) -> Result<(), Error> {
        let mut recording = Recording::start(plan, &self.declared)?;
        for event in self.prologue.events() {
            recording.write(event)?;
        }
        self.recording = Some(recording);
        Ok(())
    }

    /// Writes everything that happens from now on to the board too.
    pub(super) fn set_board(&mut self, board: Board) {
        self.board = Some(board);
    }

    /// Whether the board is on the screen: then what would be printed becomes a note there.
    pub(super) fn set_on_screen(&mut self, on_screen: bool) {
        self.flush();
        self.on_screen = on_screen;
        self.view.set_on_screen(on_screen);
    }

    /// Tells everyone of an event.
    pub(super) fn hear(&mut self, mut event: Event) {
        if event.what.is_repeated() {
            return;
        }
        let before = self.page.data.len();
        if let What::Message {
            dir, message, json, ..
        } = &mut event.what
        {
            if *dir == Direction::In && self.outcome.is_reached() {
                return;
            }
            if self.parse_json && message.is_text() {
                *json = serde_json::from_slice(&message.payload).ok().map(Box::new);
            }
        }
        self.outcome.observe(&event);
        self.prologue.event(&event);
        let recorded = match &mut self.recording {
            Some(recording) => recording.write(&event),
            None => Ok(()),
        };
        self.declared.redact(&mut event);
        if self.on_screen {
            self.view.watch(&event, &mut self.page);
            self.hang_up(Weight::of(&event.what));
        } else {
            self.view.event(&event, &mut self.page);
            self.keep_order(before);
            if self.page.rest.is_some() {
                self.flush();
            }
        }
        if let Err(error) = recorded {
            self.recording = None;
            self.tell(What::Error(Box::new(error.problem())));
        }
        if self.board.is_some() {
            self.heard.push(event);
        }
    }

    /// Makes notes of what was written.
    fn hang_up(&mut self, weight: Weight) {
        if self.page.is_empty() {
            return;
        }
        if let Some(board) = &self.board {
            let time = self.stamp.time();
            let text = String::from_utf8_lossy(&self.page.talk);
            board.write(|scene| {
                for line in text.lines() {
                    scene.note(Note {
                        time,
                        weight,
                        text: line.to_owned(),
                    });
                }
            });
        }
        self.page.clear();
    }

    /// Where stdout and stderr are one terminal, what is said of an event comes after the data of
    /// those before it, which end at `before`, and ahead of its own.
    fn keep_order(&mut self, before: usize) {
        if before > 0 && !self.page.talk.is_empty() {
            self.output.data(&self.page.data[..before]);
            self.page.data.drain(..before);
        }
        if !self.page.talk.is_empty() {
            self.output.talk(&self.page.talk);
            self.page.talk.clear();
        }
    }

    /// Something that happened to the program rather than to a connection.
    pub(super) fn tell(&mut self, what: What) {
        let event = self.stamp.event(None, None, what);
        self.hear(event);
    }

    /// A sentence for the person who reads along.
    pub(super) fn note(&mut self, text: &str) {
        let mut text = text.to_owned();
        self.declared.redact_text(&mut text);
        self.view.note(&text, &mut self.page);
        if self.on_screen {
            self.hang_up(Weight::Info);
        }
    }

    /// A person sent a ping and wants to see its pong.
    pub(super) fn ask_for_pong(&mut self, payload: Bytes) {
        self.view.ask_for_pong(payload);
    }

    /// Carries out what a person asks of the views; what concerns the session is handed back.
    pub(super) fn control(&mut self, control: Control) -> Option<Control> {
        match control {
            Control::Help => {
                for slash in SLASH {
                    let usage = format!("{} {}", slash.name, slash.args);
                    self.note(&format!("{usage:24}{}", slash.about));
                }
            }
            Control::Json => {
                let indented = self.view.toggle_json();
                self.note(if indented {
                    "JSON is indented"
                } else {
                    "JSON stays as it came"
                });
            }
            Control::Headers => self.view.headers(&mut self.page),
            Control::Stats => self.view.stats(&self.outcome.end(), &mut self.page),
            Control::Record(Some(path)) => self.start_recording(path),
            Control::Record(None) => match self.recording.take() {
                Some(recording) => {
                    self.note(&format!("recorded to {}", recording.path().display()));
                    self.finish_recording(&recording);
                }
                None => self.note("nothing is being recorded (/record FILE starts)"),
            },
            other => return Some(other),
        }
        None
    }

    fn start_recording(&mut self, path: PathBuf) {
        let shown = path.display().to_string();
        let before = self.recording.take();
        match recording::Plan::new(path, false).and_then(|plan| self.record(&plan)) {
            Ok(()) => {
                if let Some(before) = before {
                    self.note(&format!("recorded to {}", before.path().display()));
                    self.finish_recording(&before);
                }
                self.note(&format!("recording to {shown}"));
            }
            Err(error) => {
                self.recording = before;
                self.note(&with_hint(&error));
            }
        }
    }

    fn finish_recording(&mut self, recording: &Recording) {
        if let Err(error) = recording.finish() {
            self.tell(What::Error(Box::new(error.problem())));
        }
        if let Some(replaced) = recording.replaced() {
            let path = recording.path().display();
            self.note(&format!("{path} has {replaced} in the place of secrets"));
        }
    }

    /// Whether so much was written that it should be handed over before there is more.
    pub(super) fn has_much(&self) -> bool {
        const MUCH: usize = 64 << 10;
        self.page.data.len() + self.page.talk.len() >= MUCH
    }

    /// Hands what was written over to stdout and stderr, and what happened to the board.
    pub(super) fn flush(&mut self) {
        if let Some(board) = &self.board
            && !self.heard.is_empty()
        {
            board.write(|scene| self.heard.drain(..).for_each(|event| scene.hear(event)));
        }
        if self.on_screen {
            self.hang_up(Weight::Info);
        }
        if !self.page.data.is_empty() {
            self.output.data(&self.page.data);
        }
        if let Some((bytes, make)) = self.page.rest.take() {
            self.output.data_later(bytes, make);
        }
        if !self.page.talk.is_empty() {
            self.output.talk(&self.page.talk);
        }
        self.page.clear();
    }

    /// The run is over: tells the totals, and how it went.
    pub(super) fn end(&mut self, unsent: u64) {
        if let Some(message) = self.outcome.unmet() {
            self.tell(What::Error(Box::new(Problem {
                kind: "unmet",
                message,
                hint: None,
            })));
        }
        let mut end = self.outcome.end();
        end.unsent += unsent;
        self.tell(What::End(Box::new(end)));
        if let Some(recording) = self.recording.take() {
            self.finish_recording(&recording);
        }
        self.flush();
    }

    pub(super) fn stop(&mut self, stop: Stop) {
        if stop == Stop::ReaderGone {
            self.view.hush();
        }
        self.outcome.stop(stop);
    }
}

/// An error in one sentence, for those who go on.
fn with_hint(error: &Error) -> String {
    match error.hint() {
        Some(hint) => format!("{error} ({hint})"),
        None => error.to_string(),
    }
}
