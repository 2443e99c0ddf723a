//! The screen of a load on a terminal, and what it asks of the run.

use std::convert::Infallible;
use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Size};

use super::render::render;
use super::scene::{Board, Scene};
use super::state::State;
use super::update::{Action, Effect, update};
use crate::error::Error;
use crate::session::stamp::Stamp;
use crate::text::output::Output;
use crate::tui::stage::{Play, Running, Stage};

pub use super::state::Setup;

/// What a person asks of the run.
#[derive(Debug)]
pub enum Request {
    /// Send nothing any more, wait for answers, report.
    Stop,
    /// Report at once.
    Abort,
    /// The same as SIGINT.
    Interrupt,
    /// Hold the course, or let it go on.
    Hold,
    /// Save what there is so far.
    Snapshot,
    /// Close the screen of a run that has ended.
    Leave,
    /// There is no terminal any more.
    Gone,
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
    pub fn start(setup: Setup, board: &Board, output: &Output) -> Result<Self, Error> {
        let state = |size| State::new(setup, size);
        Running::start(state, board, Stamp::start(), output).map(Self)
    }

    /// What was asked for next; `None` when the screen is gone. Cancel-safe.
    pub async fn next(&mut self) -> Option<Request> {
        self.0.next().await
    }

    /// The program goes on after it was stopped: takes the terminal over again.
    pub fn refresh(&self) {
        self.0.refresh();
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
    /// What it shows changes once a second, or a little sooner: more would only cost the load.
    const EVERY: Duration = Duration::from_millis(100);

    fn gone() -> Request {
        Request::Gone
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
        render(self, scene, buffer);
        None
    }

    fn carry_out(stage: &mut Stage<Self>, effect: Effect) {
        match effect {
            Effect::Ask(request) => {
                if !stage.request(request) {
                    stage.play.say("the run takes no more just now");
                }
            }
            Effect::Redraw => stage.painter.forget(),
            Effect::Suspend => stage.suspend(),
        }
    }

    fn told(_: &mut Stage<Self>, told: Infallible) {
        match told {}
    }

    fn left(_: &Stage<Self>) {}
}
