//! `demo`: an echo server inside the process, for those who have no server at hand.

use std::future::pending;

use tokio::task::JoinHandle;

use crate::error::Error;
use crate::serve::mode::{self, MODES};
use crate::serve::{self, Server};
use crate::session::stamp::Stamp;
use crate::wire::target::Target;

/// The word that stands for it where a URL may stand.
pub const WORD: &str = "demo";

/// A running echo server on a free port of 127.0.0.1; it ends with this value.
#[derive(Debug)]
pub struct Demo {
    task: JoinHandle<()>,
    target: Target,
}

impl Demo {
    /// # Errors
    /// [`Error::Bind`] where not even a free port can be listened on.
    pub async fn start() -> Result<Self, Error> {
        let plan = serve::Plan::new(mode::Plan::of(&MODES[0]));
        // Its connections are numbered by a stamp of their own: they are not the user's.
        let (server, _log) = Server::bind(plan, Stamp::start()).await?;
        let target = Target::parse(server.url())?;
        let task = tokio::spawn(server.run(pending()));
        Ok(Self { task, target })
    }

    pub fn target(&self) -> &Target {
        &self.target
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        self.task.abort();
    }
}
