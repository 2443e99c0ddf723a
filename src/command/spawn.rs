//! Commands of the shell that run beside us, and end with all that they started; among them
//! `--spawn`, the server of a run.

use std::io;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;
use tokio::process::{Child, ChildStderr, Command};
use tokio::time::{Instant, sleep, timeout};

use crate::error::{Error, cause_text};
use crate::model::units::exact_duration;
use crate::text::output::Output;
use crate::wire::target::Target;

/// How long a server may take until it listens.
const START: Duration = Duration::from_secs(30);
/// Between two looks at its port.
const STEP: Duration = Duration::from_millis(25);
/// How long it may take to end after SIGTERM.
const END: Duration = Duration::from_secs(3);

/// Bytes of a line that a server says; longer ones are broken.
const LONGEST: usize = 4096;

/// A command in a process group of its own, which what it starts is in too. Dropped, all of them
/// are asked to end.
pub(super) struct Group {
    child: Child,
    /// None once it has ended.
    id: Option<i32>,
}

/// A server that was started.
pub(super) struct Spawned {
    group: Group,
    /// Where it listens.
    address: String,
}

impl Group {
    /// Starts what [`shell`] has made.
    ///
    /// # Errors
    /// The shell does not start.
    pub(super) fn start(shell: &mut Command) -> io::Result<Self> {
        let child = shell.kill_on_drop(true).spawn()?;
        Ok(Self {
            id: child.id().and_then(|id| i32::try_from(id).ok()),
            child,
        })
    }

    /// Waits until the command itself has ended; what it has left behind goes on. Cancel-safe.
    ///
    /// # Errors
    /// The system does not tell.
    pub(super) async fn wait(&mut self) -> io::Result<ExitStatus> {
        self.child.wait().await
    }

    /// Asks all of it to end, waits until the command has and `gone` is so, and kills what has not
    /// ended within 3 s.
    async fn end(mut self, gone: impl Future<Output = ()>) {
        self.signal(Signal::Terminate);
        let ended = async {
            // It has no other end than that.
            let _ = self.child.wait().await;
            gone.await;
        };
        if timeout(END, ended).await.is_err() {
            self.signal(Signal::Kill);
        }
        self.id = None;
    }

    /// Asks all of it to end, waits until nothing of it is left, and kills what has not ended within
    /// 3 s.
    pub(super) async fn end_all(self) {
        let id = self.id;
        self.end(async move {
            while id.is_some_and(is_there) {
                sleep(STEP).await;
            }
        })
        .await;
    }

    #[cfg(unix)]
    fn signal(&self, signal: Signal) {
        use nix::sys::signal;
        use nix::unistd::Pid;
        let signal = match signal {
            Signal::Terminate => signal::SIGTERM,
            Signal::Kill => signal::SIGKILL,
        };
        if let Some(group) = self.id {
            // Where nothing of it is left, there is nobody to tell.
            let _ = signal::killpg(Pid::from_raw(group), signal);
        }
    }

    #[cfg(not(unix))]
    fn signal(&self, _: Signal) {
        // Dropping the child kills it.
    }
}

/// Whether somebody is left in a process group.
#[cfg(unix)]
fn is_there(group: i32) -> bool {
    nix::sys::signal::killpg(nix::unistd::Pid::from_raw(group), None).is_ok()
}

#[cfg(not(unix))]
const fn is_there(_: i32) -> bool {
    false
}

impl Spawned {
    /// Starts a command with the shell and waits until something listens where `url` leads, for so
    /// long at most (30 s where nothing is said).
    ///
    /// # Errors
    /// It does not start, ends at once, or does not listen.
    pub(super) async fn start(
        command: &str,
        url: Option<&Target>,
        wait: Option<Duration>,
        listener: Option<Output>,
    ) -> Result<Self, Error> {
        let Some(url) = url else {
            return Err(Error::usage_hint(
                "--spawn needs to know what to wait for",
                "--url says where the server listens",
            ));
        };
        if TcpStream::connect((url.host(), url.port())).await.is_ok() {
            let address = url.address();
            return Err(Error::usage_hint(
                format!("something listens on {address} before --spawn has started it"),
                "it would be tested in place of the new server",
            ));
        }
        let mut shell = shell(command);
        // Some servers end with their input, so it has to stay open.
        shell.stdin(Stdio::piped()).stdout(Stdio::null());
        if listener.is_some() {
            shell.stderr(Stdio::piped());
        }
        let mut group = Group::start(&mut shell).map_err(|cause| Error::Io {
            doing: "starting the server".into(),
            cause,
        })?;
        if let (Some(listener), Some(stderr)) = (listener, group.child.stderr.take()) {
            tokio::spawn(pass_on(stderr, listener));
        }
        let mut spawned = Self {
            group,
            address: format!("{}:{}", url.host(), url.port()),
        };
        spawned.listens(url, wait.unwrap_or(START)).await?;
        Ok(spawned)
    }

    async fn listens(&mut self, url: &Target, wait: Duration) -> Result<(), Error> {
        let failed = |message: String| {
            Err(Error::Connect {
                address: url.address(),
                cause: io::Error::other(message),
            })
        };
        let deadline = Instant::now() + wait;
        while TcpStream::connect((url.host(), url.port())).await.is_err() {
            match self.group.child.try_wait() {
                Ok(None) => {}
                Ok(Some(status)) => return failed(format!("the server ended with {status}")),
                Err(cause) => return failed(cause_text(&cause)),
            }
            if Instant::now() >= deadline {
                let wait = exact_duration(wait);
                return failed(format!("the server does not listen there within {wait}"));
            }
            sleep(STEP).await;
        }
        Ok(())
    }

    /// The process group of it and of what it starts.
    pub(super) fn group(&self) -> Option<u32> {
        self.group.id.and_then(|group| u32::try_from(group).ok())
    }

    /// How it has ended, if it does within this time.
    pub(super) async fn ended(&mut self, wait: Duration) -> Option<ExitStatus> {
        timeout(wait, self.group.wait()).await.ok()?.ok()
    }

    /// Ends it and all that it started, and waits until nothing listens there any more.
    pub(super) async fn stop(self) {
        let Self { group, address } = self;
        group
            .end(async {
                while TcpStream::connect(&*address).await.is_ok() {
                    sleep(STEP).await;
                }
            })
            .await;
    }
}

/// Says what a server says, line by line, until its end.
async fn pass_on(mut stderr: ChildStderr, output: Output) {
    let mut line = Vec::new();
    let mut piece = [0; LONGEST];
    while let Ok(count @ 1..) = stderr.read(&mut piece).await {
        for byte in &piece[..count] {
            if *byte == b'\n' || line.len() == LONGEST {
                line.push(b'\n');
                output.talk(&line);
                line.clear();
            }
            if *byte != b'\n' {
                line.push(*byte);
            }
        }
        output.room().await;
    }
    if !line.is_empty() {
        line.push(b'\n');
        output.talk(&line);
    }
}

/// How strongly a command is asked to end.
#[derive(Debug, Clone, Copy)]
enum Signal {
    Terminate,
    Kill,
}

impl Drop for Group {
    /// Where the run is left early, it ends too.
    fn drop(&mut self) {
        self.signal(Signal::Terminate);
    }
}

/// A command for the shell.
#[cfg(unix)]
pub(super) fn shell(command: &str) -> Command {
    let mut shell = Command::new("sh");
    // A group of its own, so that what the shell starts ends with it.
    shell.arg("-c").arg(command).process_group(0);
    shell
}

/// A command for the shell.
#[cfg(not(unix))]
pub(super) fn shell(command: &str) -> Command {
    let mut shell = Command::new("cmd");
    shell.arg("/C").arg(command);
    shell
}
