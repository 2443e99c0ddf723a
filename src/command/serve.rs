//! `serve`: a test server, its ready line, one line per event, and its end on a signal.

use super::audience::Audience;
use super::leaving::{self, Bounds};
use super::signals::Signals;
use crate::error::{Error, ExitCode};
use crate::model::event::What;
use crate::serve::log::LogReader;
use crate::serve::{self, Server};
use crate::session::stamp::Stamp;
use crate::text::output::Output;
use crate::view;
use crate::view::outcome::{Conditions, Stop};
use crate::wire::tls::ServerPlan;

/// What `serve` does.
#[derive(Debug)]
pub struct Plan {
    pub server: serve::Plan,
    pub view: view::Plan,
    pub notes: Vec<String>,
}

/// Runs it to its end.
///
/// # Errors
/// It cannot listen.
pub async fn run(plan: Plan, output: Output) -> Result<ExitCode, Error> {
    let mut signals = Signals::listen()?;
    let stamp = Stamp::start();
    let self_signed = matches!(plan.server.tls, Some(ServerPlan::SelfSigned));
    let (server, mut log) = Server::bind(plan.server, stamp.clone()).await?;
    let conditions = Conditions {
        serving: true,
        ..Conditions::default()
    };
    let mut audience = Audience::new(plan.view, conditions, stamp, output.clone());
    for note in &plan.notes {
        audience.note(note);
    }
    audience.tell(What::Listening {
        url: server.url().to_owned(),
    });
    if let Some(pin) = server.pin().filter(|_| self_signed) {
        audience.note(&format!("clients trust it with --pin {pin}"));
    }
    audience.flush();
    let (end, ended) = tokio::sync::oneshot::channel::<()>();
    let server = tokio::spawn(server.run(async {
        // Dropping the sender is the signal too.
        let _ = ended.await;
    }));
    tokio::select! {
        signal = signals.next() => audience.stop(Stop::Signal(signal.exit_code())),
        () = follow(&mut log, &mut audience) => {}
        () = output.closed() => audience.stop(Stop::ReaderGone),
    }
    drop(end);
    tokio::select! {
        _ = server => {}
        _ = signals.next() => {}
        () = follow(&mut log, &mut audience) => {}
    }
    while let Some(event) = log.try_next() {
        audience.hear(event);
    }
    audience.end(0);
    leaving::leave(&mut audience, &mut signals, Bounds::default()).await
}

/// Tells the audience what is in the log, in batches, as long as there is a server that writes it.
pub(super) async fn follow(log: &mut LogReader, audience: &mut Audience) {
    while let Some(event) = log.next().await {
        audience.hear(event);
        // What is not flushed yet is not known to the output.
        while !audience.has_much() {
            let Some(event) = log.try_next() else { break };
            audience.hear(event);
        }
        if let Some(dropped) = log.dropped() {
            audience.tell(dropped);
        }
        audience.flush();
        audience.output.room().await;
    }
}
