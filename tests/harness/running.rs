//! A run of the program that a test talks with while it goes on.

use std::io::Write;
use std::process::{ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::DEADLINE;
use super::captured::Captured;
use super::program::Output;

pub struct Running {
    pub stdout: Captured,
    pub stderr: Captured,
    stdin: Option<ChildStdin>,
    pid: u32,
    ended: Receiver<ExitStatus>,
    command: String,
    home: Option<TempDir>,
}

#[derive(Clone, Copy)]
pub enum Signal {
    Hangup,
    Interrupt,
    Terminate,
    Kill,
}

impl Running {
    #[track_caller]
    pub fn start(mut command: Command, home: TempDir) -> Self {
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (tell, ended) = mpsc::channel();
        let running = Self {
            stdout: Captured::follow(child.stdout.take().unwrap()),
            stderr: Captured::follow(child.stderr.take().unwrap()),
            stdin: child.stdin.take(),
            pid: child.id(),
            ended,
            command: described(&command),
            home: Some(home),
        };
        thread::spawn(move || tell.send(child.wait().unwrap()));
        running
    }

    /// Types a line.
    #[track_caller]
    pub fn send(&mut self, line: &str) {
        let pipe = self.stdin.as_mut().expect("stdin is open");
        pipe.write_all(format!("{line}\n").as_bytes()).unwrap();
    }

    /// Ends its input.
    pub fn end_input(&mut self) {
        self.stdin = None;
    }

    pub fn take_stdin(&mut self) -> ChildStdin {
        self.stdin.take().expect("stdin is open")
    }

    /// The most memory that it held so far, in bytes.
    pub fn peak_memory(&self) -> u64 {
        peak_memory(self.pid)
    }

    /// Follows its memory to its end.
    pub fn watch_memory(&self) -> MemoryWatch {
        let path = format!("/proc/{}/status", self.pid);
        MemoryWatch(thread::spawn(move || {
            let mut peak = 0;
            // The last look before the end is what counts; the kernel keeps the highest mark.
            while let Some(bytes) = high_water_mark(&path) {
                peak = bytes;
                thread::sleep(Duration::from_millis(5));
            }
            peak
        }))
    }

    pub fn signal(&self, signal: Signal) {
        let name = match signal {
            Signal::Hangup => "-HUP",
            Signal::Interrupt => "-INT",
            Signal::Terminate => "-TERM",
            Signal::Kill => "-KILL",
        };
        let status = Command::new("kill")
            .args([name, &self.pid.to_string()])
            .status();
        assert!(status.is_ok_and(|status| status.success()), "kill {name}");
    }

    /// Waits for its end; stdin stays as it is. A run that does not end is killed, and the test
    /// fails.
    #[track_caller]
    pub fn wait(mut self) -> Output {
        let deadline = Instant::now() + DEADLINE;
        let status = self.ended.recv_timeout(DEADLINE);
        let home = self.home.take().expect("wait takes self");
        let (Ok(status), Some(stdout), Some(stderr)) = (
            status,
            self.stdout.until_end(deadline),
            self.stderr.until_end(deadline),
        ) else {
            self.signal(Signal::Kill);
            panic!(
                "{} did not end\nstdout: {:?}\nstderr: {:?}",
                self.command,
                String::from_utf8_lossy(&self.stdout.so_far()),
                String::from_utf8_lossy(&self.stderr.so_far())
            );
        };
        Output::new(self.command.clone(), stdout, stderr, status, home)
    }
}

/// The memory of a run, followed by a thread.
pub struct MemoryWatch(thread::JoinHandle<u64>);

impl MemoryWatch {
    /// The most that it held, in bytes, once it has ended; 0 where the system does not tell.
    pub fn peak(self) -> u64 {
        self.0.join().unwrap()
    }
}

/// The most memory that a process held so far, in bytes.
pub fn peak_memory(pid: u32) -> u64 {
    high_water_mark(&format!("/proc/{pid}/status")).expect("it still runs")
}

/// `VmHWM` of a `/proc/PID/status`; `None` for a process that has ended.
fn high_water_mark(path: &str) -> Option<u64> {
    let status = std::fs::read_to_string(path).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kibibytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kibibytes * 1024)
}

impl Drop for Running {
    fn drop(&mut self) {
        // The channel has nothing as long as the process lives; only then is the id still its own.
        if self.home.is_some() && matches!(self.ended.try_recv(), Err(mpsc::TryRecvError::Empty)) {
            self.signal(Signal::Kill);
        }
    }
}

fn described(command: &Command) -> String {
    let args: Vec<_> = command
        .get_args()
        .map(|arg| arg.to_string_lossy())
        .collect();
    format!("wscope {}", args.join(" "))
}
