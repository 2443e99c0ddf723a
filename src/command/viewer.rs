//! Whoever watches a server on the full screen (`serve --tui`), if anyone does.

use std::future::pending;
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};

use crate::error::Error;
use crate::model::units::Thousands;
use crate::serve::hub::Hub;
use crate::session::stamp::Stamp;
use crate::text::output::Output;
use crate::tui::serve::scene::Board;
use crate::tui::serve::screen::{Request, Screen, Setup};
use crate::view;

/// How often queues are measured.
const MEASURE: Duration = Duration::from_millis(500);

/// The screen and what it shows.
pub(super) struct Viewer {
    screen: Option<Screen>,
    board: Board,
}

impl Viewer {
    /// Takes the terminal over where a screen is asked for.
    ///
    /// # Errors
    /// There is no terminal, or a thread cannot be started.
    pub(super) async fn open(
        setup: Option<Setup>,
        board: Board,
        stamp: Stamp,
        output: &Output,
    ) -> Result<Self, Error> {
        let screen = match setup {
            None => None,
            Some(setup) => {
                // What is being written would end up on the screen.
                output.settled().await;
                Some(Screen::start(setup, &board, stamp, output)?)
            }
        };
        Ok(Self { screen, board })
    }

    pub(super) const fn is_open(&self) -> bool {
        self.screen.is_some()
    }

    /// Where what happens is to be written, if anyone looks.
    pub(super) fn board(&self) -> Option<Board> {
        self.is_open().then(|| self.board.clone())
    }

    /// Does what is asked of the server, until that is to end; for ever where nobody watches.
    ///
    /// # Errors
    /// The screen has failed.
    pub(super) async fn serve(&mut self, hub: &Hub) -> Result<(), Error> {
        let Some(screen) = &mut self.screen else {
            return pending().await;
        };
        let mut measure = interval(MEASURE);
        measure.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                request = screen.next() => match request {
                    Some(Request::Close(conn, command)) => {
                        // Where it has gone meanwhile, the screen shows that.
                        hub.command(conn, command);
                    }
                    Some(Request::Quit) | None => return Ok(()),
                    Some(Request::Failed(error)) => return Err(error),
                },
                _ = measure.tick() => {
                    let queued = hub.queued();
                    self.board.write(|scene| scene.measure(&queued));
                }
            }
        }
    }

    /// Gives the terminal back; what stays there are some lines.
    pub(super) fn close(&mut self) -> Vec<String> {
        if self.screen.take().is_none() {
            return Vec::new();
        }
        let scene = self.board.read();
        let (opened, lost) = (Thousands(scene.opened), Thousands(scene.lost));
        let mut lines = vec![format!("{}, {opened} connections, {lost} lost", scene.url)];
        lines.extend(view::stats(&scene.totals()).into_iter().take(2));
        lines
    }
}
