//! Lines and screen: a person goes from one to the other, and the terminal is given back in the end.

use super::Talk;
use crate::command::source::{Face, Stage};
use crate::model::event::What;
use crate::tui::connect::farewell::farewell;
use crate::view::outcome::Stop;

impl Talk {
    /// Whether the run goes on although no connection is left: a person looks at what there was. Where
    /// there never was one, what is wrong is said at once.
    pub(super) fn stays(&self) -> bool {
        self.stays && !self.finishing && self.was_open && !self.feed.has_ended()
    }

    pub(super) fn over(&mut self) {
        self.is_over = true;
        let text = "the connection has ended: /reconnect connects again, /quit leaves";
        self.audience.note(text);
    }

    /// Goes on where a person wants it.
    pub(super) async fn switch(&mut self) {
        let Some(face) = self.switching.take() else {
            return;
        };
        if face == Face::Screen {
            self.stays = true;
            self.audience.set_on_screen(true);
        }
        let output = self.audience.output.clone();
        let stage = Stage {
            board: &self.board,
            stamp: &self.stamp,
            output: &output,
        };
        let switched = self.feed.switch(face, &stage).await;
        if self.feed.face() != Some(Face::Screen) {
            self.audience.set_on_screen(false);
        }
        match switched {
            Ok(()) if face == Face::Lines => {
                let text = "in lines now; /tui or F2 goes back to the full screen";
                self.audience.note(text);
            }
            Ok(()) => {}
            Err(error) => {
                self.audience.tell(What::Error(Box::new(error.problem())));
                self.finish(Stop::OnPurpose);
            }
        }
        self.feed.set_ready(self.sessions.is_open());
        self.audience.flush();
    }

    /// Takes the terminal over again after a shell has used it.
    pub(super) async fn refresh(&mut self) {
        let output = self.audience.output.clone();
        let stage = Stage {
            board: &self.board,
            stamp: &self.stamp,
            output: &output,
        };
        let refreshed = self.feed.refresh(&stage).await;
        self.feed.set_ready(self.sessions.is_open());
        if let Err(error) = refreshed {
            self.audience.tell(What::Error(Box::new(error.problem())));
            self.finish(Stop::OnPurpose);
        }
    }

    /// Gives the terminal back, and leaves a summary there.
    pub(super) fn leave_screen(&mut self) {
        self.audience.flush();
        if self.feed.face() != Some(Face::Screen) {
            return;
        }
        let picture = self.feed.leave();
        self.audience.set_on_screen(false);
        if let Some(picture) = picture {
            self.audience.output.talk(picture.as_bytes());
        }
        let lines = farewell(&self.board.read(), self.stamp.now());
        for line in lines {
            self.audience.note(&line);
        }
        self.audience.flush();
    }
}
