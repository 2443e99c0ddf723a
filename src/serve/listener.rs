//! Accepts connections and owns their tasks, until it is told to end.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::net::TcpListener;
#[cfg(unix)]
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::auth::Keys;
use super::fault::Faults;
use super::http::Page;
use super::hub::Hub;
use super::log::{LogReader, log};
use super::{Address, Plan, Shared, peer};
use crate::error::{Error, cause_text};
use crate::model::event::{Problem, What};
use crate::session::stamp::Stamp;
use crate::wire::stream::Socket;
use crate::wire::tls::{Acceptor, Pin};

/// After an accept that failed for want of file descriptors or memory.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// What connections have to say that they ended, once `--drain` is over.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// A server that listens.
pub struct Server {
    listener: Listener,
    url: String,
    shared: Arc<Shared>,
}

enum Listener {
    Tcp(TcpListener),
    #[cfg(unix)]
    Unix(
        UnixListener,
        #[expect(dead_code, reason = "held for its Drop")] SocketFile,
    ),
}

/// The file of a unix socket; removed when the server ends.
#[cfg(unix)]
struct SocketFile(std::path::PathBuf);

#[cfg(unix)]
impl Drop for SocketFile {
    fn drop(&mut self) {
        // Somebody else removed it already: nothing is left to do.
        let _ = std::fs::remove_file(&self.0);
    }
}

/// How long whoever listens on a socket may take to be connected to.
#[cfg(unix)]
const ANSWER: Duration = Duration::from_secs(1);

/// Listens on a path. The file of a server that was killed is still there: where it refuses connections,
/// nobody listens, and it is replaced.
///
/// # Errors
/// Somebody listens there (`AddrInUse`), or there is something that is no socket (`AlreadyExists`).
#[cfg(unix)]
async fn listen_at(path: &std::path::Path) -> io::Result<UnixListener> {
    use std::os::unix::fs::FileTypeExt as _;

    let taken = match UnixListener::bind(path) {
        Err(cause) if cause.kind() == io::ErrorKind::AddrInUse => cause,
        bound => return bound,
    };
    let kind = std::fs::symlink_metadata(path)?.file_type();
    if !kind.is_socket() {
        let what = if kind.is_dir() { "a folder" } else { "a file" };
        let why = format!("there is {what} that is no socket");
        return Err(io::Error::new(io::ErrorKind::AlreadyExists, why));
    }
    // One that neither refuses nor answers is not ours to remove.
    match timeout(ANSWER, UnixStream::connect(path)).await {
        Ok(Err(cause)) if cause.kind() == io::ErrorKind::ConnectionRefused => {
            std::fs::remove_file(path)?;
            UnixListener::bind(path)
        }
        _ => Err(taken),
    }
}

impl Server {
    /// Binds; what happens on its connections can be read from the log.
    ///
    /// # Errors
    /// [`Error::Bind`]; [`Error::Usage`] for a certificate or key that cannot be used.
    pub async fn bind(plan: Plan, stamp: Stamp) -> Result<(Self, LogReader), Error> {
        let failed = |address: &dyn std::fmt::Display, cause| Error::Bind {
            address: address.to_string(),
            cause,
        };
        let acceptor = plan.tls.as_ref().map(Acceptor::new).transpose()?;
        let (listener, url) = match &plan.address {
            Address::Tcp(address) => {
                let listener = TcpListener::bind(address)
                    .await
                    .map_err(|cause| failed(address, cause))?;
                let bound = listener
                    .local_addr()
                    .map_err(|cause| failed(address, cause))?;
                let scheme = if acceptor.is_some() { "wss" } else { "ws" };
                (Listener::Tcp(listener), format!("{scheme}://{bound}/"))
            }
            #[cfg(unix)]
            Address::Unix(path) => {
                let listener = listen_at(path)
                    .await
                    .map_err(|cause| failed(&format!("unix:{}", path.display()), cause))?;
                let url = format!("ws+unix:{}:/", path.display());
                (Listener::Unix(listener, SocketFile(path.clone())), url)
            }
            #[cfg(not(unix))]
            Address::Unix(path) => {
                let cause = io::Error::from(io::ErrorKind::Unsupported);
                return Err(failed(&path.display(), cause));
            }
        };
        let (log, reader) = log(plan.log, stamp);
        let shared = Arc::new(Shared {
            places: Arc::new(Semaphore::new(places(&plan) as usize)),
            keys: Mutex::new(Keys::new(plan.auth.clone())),
            handshakes: Mutex::default(),
            attempts: Mutex::default(),
            path: Mutex::new("/".into()),
            page: Page::default(),
            faults: Faults::new(&plan.faults),
            is_ending: AtomicBool::new(false),
            hub: Arc::new(Hub::new(plan.mode.make(), log.clone())),
            plan,
            acceptor,
            log,
        });
        let server = Self {
            listener,
            url,
            shared,
        };
        Ok((server, reader))
    }

    /// Where clients reach it.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The hash of its TLS key, as a client's `--pin` takes it.
    pub fn pin(&self) -> Option<Pin> {
        self.shared.acceptor.as_ref()?.pin()
    }

    pub fn hub(&self) -> Arc<Hub> {
        Arc::clone(&self.shared.hub)
    }

    /// Serves until `end` completes; then everyone is closed with 1001 and waited for, as long as
    /// the plan's drain allows. Until then plain HTTP is answered, so that whoever asks `/readyz`
    /// learns of it.
    pub async fn run(self, end: impl Future<Output = ()>) {
        let mut peers = JoinSet::new();
        self.serve_until(end, &mut peers).await;
        let shared = &self.shared;
        shared.is_ending.store(true, Ordering::Relaxed);
        shared.hub.end(shared.plan.drain);
        let all_left = || shared.places.acquire_many(places(&shared.plan));
        let drained = async {
            if timeout(shared.plan.drain, all_left()).await.is_err() {
                // Some have not answered, or have not even read what is ahead of their Close.
                shared.hub.cut_short();
                drop(timeout(LAST_WORDS, all_left()).await);
            }
        };
        self.serve_until(drained, &mut peers).await;
    }

    async fn serve_until(&self, end: impl Future<Output = ()>, peers: &mut JoinSet<()>) {
        let time = self.shared.hub.keep_time();
        tokio::pin!(end, time);
        let mut is_told = false;
        loop {
            tokio::select! {
                () = &mut end => break,
                never = &mut time => match never {},
                Some(_) = peers.join_next() => {}
                accepted = self.listener.accept() => match accepted {
                    Ok((socket, address)) => {
                        is_told = false;
                        peers.spawn(peer::serve(Arc::clone(&self.shared), socket, address));
                    }
                    Err(cause) => {
                        if !std::mem::replace(&mut is_told, true) {
                            self.shared.log.tell(None, not_accepted(&cause));
                        }
                        sleep(ACCEPT_PAUSE).await;
                    }
                },
            }
        }
    }
}

/// Why clients have to wait: most likely there are no more file descriptors.
fn not_accepted(cause: &io::Error) -> What {
    What::Error(Box::new(Problem {
        kind: "accept",
        message: format!("clients have to wait: {}", cause_text(cause)),
        hint: Some("ulimit -n says how many files may be open".to_owned()),
    }))
}

/// How many connections may be open: a number that can be waited for at once.
fn places(plan: &Plan) -> u32 {
    const MOST: u32 = 1 << 28;
    let places = plan.max_connections.map(u32::try_from);
    places
        .and_then(Result::ok)
        .map_or(MOST, |places| places.min(MOST))
}

impl Listener {
    async fn accept(&self) -> io::Result<(Socket, String)> {
        match self {
            Self::Tcp(listener) => {
                let (stream, address) = listener.accept().await?;
                // Without it small frames would wait for the ACK of earlier ones.
                stream.set_nodelay(true)?;
                Ok((Socket::Tcp(stream), address.to_string()))
            }
            #[cfg(unix)]
            Self::Unix(listener, _) => {
                let (stream, _) = listener.accept().await?;
                Ok((Socket::Unix(stream), "unix".to_owned()))
            }
        }
    }
}
