//! The independent implementations: node `ws` and python `websockets`, as servers and as clients, and
//! undici as a client.
//! `tests/harness/peers/install.sh` installs them below `target/`.
//!
//! The servers have paths that do what their name says; see `peers/server.mjs`. Where an
//! implementation is missing the test says that it is skipped; with `CI=true` that is a failure.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use super::captured::Captured;
use super::program::Output;
use super::running::Running;

#[derive(Clone, Copy, Debug)]
pub enum Implementation {
    NodeWs,
    PythonWebsockets,
}

impl Implementation {
    /// Starts its server; `None` where it is not installed.
    #[track_caller]
    pub fn serve(self) -> Option<PeerServer> {
        self.command("server").map(PeerServer::start)
    }

    /// Starts a chat on it (`chat.mjs`), with these variables set.
    #[track_caller]
    pub fn chat(self, variables: &[(&str, &str)]) -> Option<PeerServer> {
        let mut command = self.command("chat")?;
        command.envs(variables.iter().copied());
        Some(PeerServer::start(command))
    }

    /// Runs its client to its end: `check URL` or `say URL TEXT`.
    #[track_caller]
    pub fn client(self, args: &[&str]) -> Option<Output> {
        let mut command = self.command("client")?;
        command.args(args).stdin(Stdio::null());
        Some(Running::start(command, tempfile::tempdir().unwrap()).wait())
    }

    /// Whether its client and its server can run; where not, the test says that it is skipped.
    #[track_caller]
    pub fn is_installed(self) -> bool {
        self.command("client").is_some()
    }

    fn command(self, role: &str) -> Option<Command> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let scripts = root.join("tests/harness/peers");
        let (interpreter, script, needs) = match self {
            Self::NodeWs => (
                PathBuf::from("node"),
                scripts.join(format!("{role}.mjs")),
                root.join("target/peers/node/node_modules/ws"),
            ),
            Self::PythonWebsockets => (
                root.join("target/peers/python/bin/python"),
                scripts.join(format!("{role}.py")),
                root.join("target/peers/python/installed"),
            ),
        };
        let mut probe = Command::new(&interpreter);
        let runs = probe
            .arg("--version")
            .stdout(Stdio::null())
            .status()
            .is_ok_and(|status| status.success());
        if !runs || !needs.exists() {
            skip(&format!(
                "{self:?} is not installed: run tests/harness/peers/install.sh"
            ));
            return None;
        }
        let mut command = Command::new(interpreter);
        command.arg(script);
        Some(command)
    }
}

/// Runs `peers/fault.mjs` on a client of node's, `ws` or `undici`; `None` where that is not installed.
#[track_caller]
pub fn fault_client(package: &str, args: &[&str]) -> Option<Output> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let modules = root.join("target/peers/node/node_modules");
    if !modules.join(package).exists() {
        skip(&format!(
            "{package} is not installed: run tests/harness/peers/install.sh"
        ));
        return None;
    }
    let mut command = Command::new("node");
    command
        .arg(root.join("tests/harness/peers/fault.mjs"))
        .arg(package)
        .args(args)
        .stdin(Stdio::null());
    Some(Running::start(command, tempfile::tempdir().unwrap()).wait())
}

/// Whether headless Chromium can be driven; where not, the test says that it is skipped.
#[track_caller]
pub fn has_browser() -> bool {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let driver = root.join("target/peers/node/node_modules/playwright-core");
    let chromium = std::env::var("CHROMIUM").unwrap_or_else(|_| "/usr/bin/chromium".into());
    let is_installed = driver.exists() && Path::new(&chromium).exists();
    if !is_installed {
        skip("Chromium or playwright-core is not installed: run tests/harness/peers/install.sh");
    }
    is_installed
}

/// A WebSocket on another implementation that the test talks through, a message a line
/// (`peers/player.mjs`): `kind` is `node` or `browser`, which have to be installed.
#[track_caller]
pub fn player(kind: &str, url: &str) -> Running {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut command = Command::new("node");
    let script = root.join("tests/harness/peers/player.mjs");
    command.arg(script).args([kind, url]).stdin(Stdio::piped());
    let running = Running::start(command, tempfile::tempdir().unwrap());
    running.stdout.line("open");
    running
}

/// The test page of a server in headless Chromium (`peers/page.mjs`); `None` where that or
/// playwright-core is not installed.
#[track_caller]
pub fn page(url: &str) -> Option<PeerServer> {
    chromium("page.mjs", &[url])
}

/// The network panel of Chromium (`peers/panel.mjs`): saves what a page says to the echo at `url` to
/// one archive and opens the other.
#[track_caller]
pub fn panel(url: &str, saved: &Path, opened: &Path) -> Option<PeerServer> {
    let name = |path: &Path| path.display().to_string();
    chromium("panel.mjs", &[url, &name(saved), &name(opened)])
}

/// A report of `bench` in headless Chromium, at two widths and in two colour schemes
/// (`peers/report.mjs`).
#[track_caller]
pub fn report(file: &Path) -> Option<PeerServer> {
    chromium("report.mjs", &[&file.display().to_string()])
}

#[track_caller]
fn chromium(script: &str, args: &[&str]) -> Option<PeerServer> {
    if !has_browser() {
        return None;
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut command = Command::new("node");
    command
        .arg(root.join("tests/harness/peers").join(script))
        .args(args);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let log = Captured::follow(child.stdout.take().unwrap());
    Some(PeerServer {
        child,
        log,
        port: 0,
    })
}

/// Says that the running test is skipped, past the test runner's capture of output.
#[track_caller]
pub fn skip(why: &str) {
    let name = std::thread::current().name().unwrap_or("a test").to_owned();
    assert!(
        std::env::var("CI").as_deref() != Ok("true"),
        "{name}: {why}; with CI=true nothing may be skipped"
    );
    let _unseen = writeln!(std::io::stderr(), "{name} ... skipped: {why}");
}

/// A server of one of the implementations. It ends with its stdin.
pub struct PeerServer {
    child: Child,
    /// What it saw: `connection PATH`, `text "DATA"`, `binary HEX`, `ping "DATA"`,
    /// `close CODE "REASON"`.
    pub log: Captured,
    port: u16,
}

impl PeerServer {
    #[track_caller]
    fn start(mut command: Command) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let log = Captured::follow(child.stdout.take().unwrap());
        let port = log.line("").parse().expect("the port on its first line");
        Self { child, log, port }
    }

    /// The URL of a path such as `/echo` or `/close?code=4001`.
    pub fn url(&self, path: &str) -> String {
        format!("ws://127.0.0.1:{}{path}", self.port)
    }

    pub fn port(&self) -> u16 {
        self.port
    }
}

impl Drop for PeerServer {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _gone = self.child.kill();
        let _status = self.child.wait();
        let log = String::from_utf8_lossy(&self.log.so_far()).into_owned();
        assert!(
            log.lines().count() > 1 || std::thread::panicking(),
            "nobody talked to the server"
        );
    }
}
