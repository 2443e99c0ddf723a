//! `--report prom=:PORT`: the figures of a load that runs, for whoever asks over HTTP.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

use super::reporting::{Place, Report};
use super::talk;
use crate::bench::report::prom::Live;
use crate::bench::run::Second;
use crate::error::Error;
use crate::model::handshake::RequestHead;
use crate::text::exposition::CONTENT_TYPE;
use crate::text::output::Output;
use crate::wire::accept::{Answer, accept};

/// Who asks has to be done in this time, and so many may ask at once: others wait.
const TIME: Duration = Duration::from_secs(10);
const AT_ONCE: usize = 16;
const PATH: &str = "/metrics";

/// What is served, until it is dropped.
#[derive(Default)]
pub(super) struct Exposition {
    live: Arc<Mutex<Live>>,
    tasks: Vec<JoinHandle<()>>,
}

impl Exposition {
    /// Listens on the ports of the reports that have one, and says where.
    ///
    /// # Errors
    /// [`Error::Bind`].
    pub(super) async fn start(reports: &[Report], output: &Output) -> Result<Self, Error> {
        let mut exposition = Self::default();
        for report in reports {
            if let Place::Port(address) = report.place {
                let listener = listen(address).await?;
                let address = listener.local_addr().unwrap_or(address);
                talk(output, &format!("metrics are on http://{address}{PATH}"));
                let live = Arc::clone(&exposition.live);
                exposition.tasks.push(tokio::spawn(serve(listener, live)));
            }
        }
        Ok(exposition)
    }

    pub(super) fn observe(&self, second: &Second) {
        if !self.tasks.is_empty() {
            // A page that could not be made leaves the figures as they were.
            let mut live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
            live.observe(second);
        }
    }
}

impl Drop for Exposition {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

async fn listen(address: SocketAddr) -> Result<TcpListener, Error> {
    let bound = TcpListener::bind(address).await;
    bound.map_err(|cause| Error::Bind {
        address: address.to_string(),
        cause,
    })
}

async fn serve(listener: TcpListener, live: Arc<Mutex<Live>>) {
    let places = Arc::new(Semaphore::new(AT_ONCE));
    loop {
        // The semaphore is never closed.
        let place = Arc::clone(&places).acquire_owned().await;
        let Ok((stream, _)) = listener.accept().await else {
            // Out of files, for example: the load goes on, and the next one may be lucky.
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let live = Arc::clone(&live);
        tokio::spawn(async move {
            // How it ended is of no interest to the load.
            let _ = accept(stream, TIME, move |head, _| answer(head, &live)).await;
            drop(place);
        });
    }
}

fn answer(head: &RequestHead, live: &Mutex<Live>) -> Answer {
    let path = head.target.split('?').next().unwrap_or_default();
    let (status, headers, body) = match (head.method.as_str(), path) {
        ("GET" | "HEAD", PATH) => {
            let live = live.lock().unwrap_or_else(PoisonError::into_inner);
            (200, vec![("Content-Type", CONTENT_TYPE)], live.text())
        }
        ("GET" | "HEAD", _) => (404, Vec::new(), format!("the metrics are at {PATH}\n")),
        _ => (405, vec![("Allow", "GET")], "not that method\n".to_owned()),
    };
    let named = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    Answer::Http {
        status,
        headers: headers.into_iter().map(named).collect(),
        body: body.into(),
    }
}
