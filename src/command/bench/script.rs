//! `bench --script`: reads the transcript, and lets one user play it before the many do.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::bench::feed::Feed;
use crate::bench::script::{Parts, Script, values};
use crate::command::at;
use crate::command::test::files::{self, Folder};
use crate::error::{Error, ExitCode};
use crate::model::event::{Open, What};
use crate::play::{Play, Stage};
use crate::session::client;
use crate::session::stamp::Stamp;
use crate::text::style::Style;
use crate::transcript::outcome::{FileOutcome, Trouble};
use crate::transcript::report::text::Text;
use crate::transcript::variables::Given;
use crate::wire::tls::Connector;

/// How long the first user may play before the others do.
const REHEARSAL: Duration = Duration::from_secs(2);

/// A transcript, and the values that it gets from outside.
#[derive(Debug)]
pub struct Plan {
    pub path: PathBuf,
    pub given: Given,
}

impl Plan {
    /// Reads it.
    ///
    /// # Errors
    /// What is wrong with it, with line and caret, in the words of `test`.
    pub(super) fn read(
        &self,
        client: &client::Plan,
        connector: Option<Arc<Connector>>,
        feed: &Feed,
        timeout: Duration,
    ) -> Result<Script, Vec<Trouble>> {
        let path = self.path.display().to_string();
        let folder = Folder::of(&self.path, None);
        let given = values(&self.given, feed, 1);
        let (program, given) = files::program(&self.path, &folder, &given)?;
        let mut client = client.clone();
        // The first user has waited for all.
        client.wait_for_server = None;
        Ok(Script::new(Parts {
            path,
            stage: Stage {
                client,
                stamp: Stamp::start(),
                connector,
            },
            program,
            files: Arc::new(folder),
            given,
            feed: feed.clone(),
            timeout,
        }))
    }
}

/// How it went with the first user.
pub(super) struct Rehearsal {
    pub(super) outcome: FileOutcome,
    /// The first connection that was opened.
    pub(super) open: Option<Open>,
}

/// Plays a script once. One that takes longer than a moment is cut short, unless all of it is
/// wanted: what is wrong later is for the load to find.
pub(super) async fn rehearse(
    script: &Script,
    user: u64,
    wait_for_server: Option<Duration>,
    whole: bool,
) -> Rehearsal {
    let mut stage = script.stage().clone();
    stage.client.wait_for_server = wait_for_server;
    let mut play = Play::new(&stage, script.player(user, rand::random()));
    let mut open = None;
    let mut deadline = None;
    loop {
        tokio::select! {
            happened = play.next() => match happened {
                Some((_, What::Open(opened))) if open.is_none() => {
                    open = Some(*opened);
                    deadline = (!whole).then(|| Instant::now() + REHEARSAL);
                }
                Some(_) => {}
                None => break,
            },
            () = at(deadline) => {
                deadline = None;
                play.interrupt(ExitCode::DONE, "this is enough to see");
            }
        }
    }
    let outcome = play
        .into_player()
        .outcome(script.path.clone(), Instant::now());
    Rehearsal { outcome, open }
}

/// How a play went, in the words of `test`.
pub(super) fn told(outcome: &FileOutcome, verbose: bool) -> String {
    let style = Style::PLAIN;
    Text { verbose, style }.file(outcome)
}

/// A transcript that cannot be played, in one error.
pub(super) fn unreadable(trouble: &[Trouble]) -> Error {
    let text: String = trouble.iter().map(|one| one.rendered.as_str()).collect();
    Error::usage(text.trim_end())
}
