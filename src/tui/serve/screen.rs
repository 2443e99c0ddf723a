//! The screen of a server on a terminal, and what it asks of the server.

use std::convert::Infallible;
use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Size};

use super::render::render;
use super::scene::{Board, Scene};
use super::state::State;
use super::update::{Action, Effect, update};
use crate::error::Error;
use crate::model::command::Command;
use crate::model::event::ConnId;
use crate::session::stamp::Stamp;
use crate::text::output::Output;
use crate::tui::stage::{Play, Running, Stage};

pub use super::state::Setup;

/// What a person asks of the server.
#[derive(Debug)]
pub enum Request {
    Close(ConnId, Command),
    Quit,
    /// The screen cannot go on.
    Failed(Error),
}

/// A full screen on the terminal. Dropping it gives the terminal back.
pub struct Screen(Running<State>);

impl Screen {
    /// Takes the terminal over.
    ///
    /// # Errors
    /// There is no terminal, or a thread cannot be started.
    pub fn start(
        setup: Setup,
        board: &Board,
        stamp: Stamp,
        output: &Output,
    ) -> Result<Self, Error> {
        let state = |size| State::new(setup, size);
        Running::start(state, board, stamp, output).map(Self)
    }

    /// What was asked for next; `None` when the screen is gone. Cancel-safe.
    pub async fn next(&mut self) -> Option<Request> {
        self.0.next().await
    }
}

impl Play for State {
    type Scene = Scene;
    type Own = Infallible;
    type Effect = Effect;
    type Told = Infallible;
    type Request = Request;
    type Left = ();

    const REQUESTS: usize = 64;

    fn gone() -> Request {
        Request::Quit
    }

    fn failed(error: Error) -> Request {
        Request::Failed(error)
    }

    fn note(scene: &mut Scene, line: &str) {
        scene.note(line);
    }

    fn size(&self) -> Size {
        self.size
    }

    fn mouse(&self) -> bool {
        self.setup.mouse
    }

    fn update(&mut self, scene: &Scene, now: Duration, action: Action) -> Vec<Effect> {
        update(self, scene, now, action)
    }

    fn render(&self, scene: &Scene, buffer: &mut Buffer) -> Option<Position> {
        render(self, scene, buffer)
    }

    fn read_on(&mut self, scene: &Scene) -> bool {
        Self::read_on(self, scene)
    }

    fn carry_out(stage: &mut Stage<Self>, effect: Effect) {
        let request = match effect {
            Effect::Close(conn, command) => Request::Close(conn, command),
            Effect::Quit => Request::Quit,
            Effect::Redraw => return stage.painter.forget(),
            Effect::Suspend => return stage.suspend(),
        };
        if !stage.request(request) {
            stage.play.say("the server takes no more just now");
        }
    }

    fn told(_: &mut Stage<Self>, told: Infallible) {
        match told {}
    }

    fn left(_: &Stage<Self>) {}
}
