//! The program as a user starts it: arguments, environment, standard input; and what it left
//! behind: standard output, standard error, exit status.

use std::io::Write;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::thread;

use tempfile::TempDir;

use super::running::Running;

/// `wscope ARGS...`, in a clean environment with a home of its own.
#[must_use]
pub fn wscope(args: &[&str]) -> Wscope {
    let home = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_wscope"));
    command.args(args).env_clear().current_dir(home.path());
    command.envs(clean_environment(home.path()));
    Wscope {
        command,
        stdin: Input::Null,
        home,
    }
}

/// `sh -c SCRIPT`, in which `$WSCOPE` is the program.
#[must_use]
pub fn shell(script: &str) -> Wscope {
    let mut prepared = wscope(&[]);
    let mut command = Command::new("sh");
    command.args(["-c", script]).env_clear();
    command.envs(clean_environment(prepared.home.path()));
    command.env("WSCOPE", env!("CARGO_BIN_EXE_wscope"));
    command.current_dir(prepared.home.path());
    prepared.command = command;
    prepared
}

/// No CI, NO_COLOR, proxy or configuration of the machine's reaches the program.
pub fn clean_environment(home: &Path) -> Vec<(&'static str, String)> {
    let below = |name: &str| home.join(name).display().to_string();
    vec![
        ("PATH", std::env::var("PATH").unwrap_or_default()),
        ("LANG", "C.UTF-8".into()),
        ("HOME", home.display().to_string()),
        ("XDG_CONFIG_HOME", below("config")),
        ("XDG_STATE_HOME", below("state")),
        ("XDG_CACHE_HOME", below("cache")),
        ("XDG_DATA_HOME", below("data")),
    ]
}

/// A run that is being prepared.
pub struct Wscope {
    command: Command,
    stdin: Input,
    home: TempDir,
}

enum Input {
    Null,
    Bytes(Vec<u8>),
}

impl Wscope {
    /// These bytes and then the end of input; without it stdin is /dev/null.
    pub fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.stdin = Input::Bytes(bytes.into());
        self
    }

    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    /// Writes a file below the run's home, which is also its working directory.
    pub fn file(self, name: &str, contents: impl AsRef<[u8]>) -> Self {
        let path = self.home.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, contents).unwrap();
        self
    }

    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// Runs it to its end.
    #[track_caller]
    pub fn run(mut self) -> Output {
        let stdin = std::mem::replace(&mut self.stdin, Input::Null);
        match stdin {
            Input::Null => {
                self.command.stdin(Stdio::null());
                Running::start(self.command, self.home).wait()
            }
            Input::Bytes(bytes) => {
                let mut running = self.spawn();
                let mut pipe = running.take_stdin();
                // In a thread, for neither side may wait for the other; the program may also leave
                // before it has read everything.
                thread::spawn(move || pipe.write_all(&bytes));
                running.wait()
            }
        }
    }

    /// Starts it with an open stdin.
    #[track_caller]
    pub fn spawn(mut self) -> Running {
        self.command.stdin(Stdio::piped());
        Running::start(self.command, self.home)
    }
}

/// What a finished run left behind. Each check returns it again, so that they can be chained, and
/// shows all of it when it fails.
#[derive(Debug)]
pub struct Output {
    pub stdout: Vec<u8>,
    pub stderr: Vec<u8>,
    status: ExitStatus,
    command: String,
    /// Kept until the test has looked at the files that the run wrote.
    pub home: TempDir,
}

impl Output {
    #[track_caller]
    pub fn new(
        command: String,
        stdout: Vec<u8>,
        stderr: Vec<u8>,
        status: ExitStatus,
        home: TempDir,
    ) -> Self {
        let output = Self {
            stdout,
            stderr,
            status,
            command,
            home,
        };
        let talk = String::from_utf8_lossy(&output.stderr);
        let raw = |c: char| c.is_control() && c != '\n' && c != '\t';
        assert!(
            !talk.chars().any(raw),
            "a control character on stderr\n{output}"
        );
        assert!(!talk.contains("panicked at"), "a panic\n{output}");
        output
    }

    /// The exit status is `code`.
    #[track_caller]
    pub fn code(self, code: i32) -> Self {
        assert_eq!(self.status.code(), Some(code), "exit status\n{self}");
        self
    }

    /// The exit code; a run that a signal ended has none.
    pub fn exit(&self) -> i32 {
        self.status.code().unwrap_or(-1)
    }

    /// Stdout is exactly `expected`.
    #[track_caller]
    pub fn stdout(self, expected: impl AsRef<[u8]>) -> Self {
        let expected = expected.as_ref();
        assert!(
            self.stdout == expected,
            "stdout should be {:?}\n{self}",
            String::from_utf8_lossy(expected)
        );
        self
    }

    /// Stderr is exactly `expected`.
    #[track_caller]
    pub fn stderr(self, expected: &str) -> Self {
        assert!(
            self.stderr == expected.as_bytes(),
            "stderr should be {expected:?}\n{self}"
        );
        self
    }

    /// Each of these texts is on stderr, whatever their case.
    #[track_caller]
    pub fn says(self, texts: &[&str]) -> Self {
        let talk = String::from_utf8_lossy(&self.stderr).to_lowercase();
        for text in texts {
            assert!(
                talk.contains(&text.to_lowercase()),
                "stderr should say {text:?}\n{self}"
            );
        }
        self
    }

    /// Each of these texts is on stdout.
    #[track_caller]
    pub fn prints(self, texts: &[&str]) -> Self {
        let printed = String::from_utf8_lossy(&self.stdout);
        for text in texts {
            assert!(
                printed.contains(text),
                "stdout should have {text:?}\n{self}"
            );
        }
        self
    }

    /// None of these texts is on stdout or stderr.
    #[track_caller]
    pub fn never_says(self, texts: &[&str]) -> Self {
        let all = format!("{self}");
        let all = all.split_once('\n').map_or("", |(_, streams)| streams);
        for text in texts {
            assert!(!all.contains(text), "{text:?} should be nowhere\n{self}");
        }
        self
    }

    /// The events of a `--json` run. Each line must be one.
    #[track_caller]
    pub fn events(&self) -> Vec<serde_json::Value> {
        let text = std::str::from_utf8(&self.stdout).expect("NDJSON is UTF-8");
        text.lines()
            .map(|line| {
                serde_json::from_str(line).unwrap_or_else(|error| {
                    panic!("not an event: {error}: {line:?}\n{self}");
                })
            })
            .collect()
    }

    /// The events of one kind.
    #[track_caller]
    pub fn events_of(&self, kind: &str) -> Vec<serde_json::Value> {
        let mut events = self.events();
        events.retain(|event| event["event"] == kind);
        events
    }
}

impl std::fmt::Display for Output {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{} ended with {}", self.command, self.status)?;
        writeln!(f, "stdout: {:?}", shortened(&self.stdout))?;
        write!(f, "stderr: {:?}", shortened(&self.stderr))
    }
}

fn shortened(bytes: &[u8]) -> String {
    let shown = &bytes[..bytes.len().min(8 * 1024)];
    String::from_utf8_lossy(shown).into_owned()
}
