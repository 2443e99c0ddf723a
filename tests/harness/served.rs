//! `wscope serve` as the server of a test.

use super::program::{Output, wscope};
use super::running::{Running, Signal};

/// An echo server: `wscope serve 0 --json ARGS...`.
#[track_caller]
#[must_use]
pub fn serve(args: &[&str]) -> Served {
    let mut all = vec!["serve", "0", "--json"];
    all.extend_from_slice(args);
    Served::start(wscope(&all).spawn())
}

pub struct Served {
    running: Option<Running>,
    url: String,
}

impl Served {
    /// Waits for the ready line, which must be the first.
    #[track_caller]
    pub fn start(running: Running) -> Self {
        let first = running.stdout.line("");
        let event: serde_json::Value = serde_json::from_str(&first).expect("the ready line");
        assert_eq!(event["event"], "listening", "{first}");
        Self {
            url: event["url"].as_str().expect("a URL").to_owned(),
            running: Some(running),
        }
    }

    /// `ws://127.0.0.1:PORT/`
    pub fn url(&self) -> &str {
        &self.url
    }

    /// `127.0.0.1:PORT`
    pub fn address(&self) -> &str {
        let rest = self.url.strip_prefix("ws://").expect("a ws URL");
        rest.split('/').next().unwrap_or(rest)
    }

    pub fn running(&mut self) -> &mut Running {
        self.running.as_mut().expect("stop takes self")
    }

    /// Waits for it to end by itself and returns what it printed.
    #[track_caller]
    pub fn wait(mut self) -> Output {
        self.running.take().expect("wait takes self").wait()
    }

    /// Asks it to leave and returns what it printed.
    #[track_caller]
    pub fn stop(mut self, signal: Signal) -> Output {
        let running = self.running.take().expect("stop takes self");
        running.signal(signal);
        running.wait()
    }
}

impl Served {
    /// Waits for its end, where something else has asked it to leave.
    #[track_caller]
    pub fn end(mut self) -> Output {
        self.running.take().expect("end takes self").wait()
    }
}

impl Drop for Served {
    /// Ends it as its user would, which must work every time. A server that nobody talked to means
    /// that the test did not test what it says.
    fn drop(&mut self) {
        let Some(running) = self.running.take() else {
            return;
        };
        if std::thread::panicking() {
            return;
        }
        running.signal(Signal::Terminate);
        let output = running.wait().code(0);
        assert!(
            !output.events_of("open").is_empty(),
            "nobody talked to {}\n{output}",
            self.url
        );
    }
}
