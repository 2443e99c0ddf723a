//! A pseudo-terminal with the program in it: keys go in, a screen comes out.

use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use portable_pty::{
    ChildKiller, CommandBuilder, ExitStatus, MasterPty, PtySize, native_pty_system,
};
use tempfile::TempDir;
use vt100::{Parser, Screen};

use super::DEADLINE;
use super::captured::Captured;
use super::program::clean_environment;

pub const ENTER: &str = "\r";
pub const CTRL_C: &str = "\x03";
pub const CTRL_D: &str = "\x04";
pub const UP: &str = "\x1b[A";
pub const TAB: &str = "\t";
pub const ESC: &str = "\x1b";
pub const F2: &str = "\x1bOQ";
pub const CTRL_Z: &str = "\x1a";

/// Columns and rows of a terminal unless told.
pub const SIZE: (u16, u16) = (80, 24);

pub struct Terminal {
    size: (u16, u16),
    output: Captured,
    keyboard: Box<dyn Write + Send>,
    master: Box<dyn MasterPty + Send>,
    ended: Receiver<ExitStatus>,
    killer: Box<dyn ChildKiller + Send + Sync>,
    process: u32,
    modes_before: String,
    home: TempDir,
}

impl Terminal {
    /// Starts `wscope ARGS...` on a terminal of 80 columns and 24 rows.
    pub fn start(args: &[&str]) -> Self {
        Self::start_with(args, None)
    }

    /// Starts it and waits until it is connected: what is typed before stays in the line.
    #[track_caller]
    pub fn connected(args: &[&str]) -> Self {
        let terminal = Self::start(args);
        terminal.says("connected to");
        terminal
    }

    /// Starts it with one more environment variable.
    pub fn start_with(args: &[&str], variable: Option<(&str, &str)>) -> Self {
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_wscope"));
        command.args(args);
        Self::run(command, SIZE, variable, Captured::follow)
    }

    /// Starts it on a terminal of this size.
    pub fn sized(args: &[&str], size: (u16, u16)) -> Self {
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_wscope"));
        command.args(args);
        Self::run(command, size, None, Captured::follow)
    }

    /// Runs any program on a terminal whose output is read by `follow`.
    pub fn run(
        mut command: CommandBuilder,
        size: (u16, u16),
        variable: Option<(&str, &str)>,
        follow: impl FnOnce(Box<dyn Read + Send>) -> Captured,
    ) -> Self {
        let home = tempfile::tempdir().unwrap();
        let pty = native_pty_system().openpty(pty_size(size)).unwrap();
        command.cwd(home.path());
        command.env_clear();
        command.env("TERM", "xterm-256color");
        for (name, value) in clean_environment(home.path()) {
            command.env(name, value);
        }
        if let Some((name, value)) = variable {
            command.env(name, value);
        }
        let modes_before = modes(pty.master.as_ref());
        let mut child = pty.slave.spawn_command(command).unwrap();
        drop(pty.slave);
        let killer = child.clone_killer();
        let process = child.process_id().unwrap();
        let (tell, ended) = mpsc::channel();
        thread::spawn(move || tell.send(child.wait().unwrap()));
        Self {
            size,
            output: follow(pty.master.try_clone_reader().unwrap()),
            keyboard: pty.master.take_writer().unwrap(),
            master: pty.master,
            ended,
            killer,
            process,
            modes_before,
            home,
        }
    }

    /// Types these keys.
    pub fn keys(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).unwrap();
        self.keyboard.flush().unwrap();
    }

    /// Types a line and Enter.
    pub fn line(&mut self, text: &str) {
        self.keys(&format!("{text}{ENTER}"));
    }

    /// Pastes as terminals do it that know bracketed paste.
    pub fn paste(&mut self, text: &str) {
        self.keys(&format!("\x1b[200~{text}\x1b[201~"));
    }

    /// Gives it another size.
    pub fn resize(&mut self, size: (u16, u16)) {
        self.size = size;
        self.master.resize(pty_size(size)).unwrap();
    }

    /// Sends the program a signal by its name, such as `TERM`.
    pub fn signal(&self, name: &str) {
        let status = std::process::Command::new("kill")
            .args([format!("-{name}"), self.process.to_string()])
            .status();
        assert!(status.unwrap().success());
    }

    /// The number of its process.
    pub fn process(&self) -> u32 {
        self.process
    }

    /// Waits until the terminal's modes are as they were before, though it still runs.
    #[track_caller]
    pub fn is_given_back(&self) {
        self.has_modes(&self.modes_before);
    }

    /// Waits until a SIGSTOP has come.
    #[track_caller]
    pub fn is_stopped(&self) {
        self.wait(|it| {
            let ps = std::process::Command::new("ps")
                .args(["-o", "stat=", "-p", &it.process.to_string()])
                .output();
            ps.unwrap().stdout.starts_with(b"T")
        });
    }

    /// Gives it the modes that a shell gives it.
    pub fn is_used_by_a_shell(&self) {
        let name = self.master.tty_name().expect("a terminal has a name");
        let stty = std::process::Command::new("stty")
            .args(["-F", name.to_str().unwrap(), "sane"])
            .status();
        assert!(stty.unwrap().success());
    }

    /// Its modes, to be waited for again.
    pub fn modes(&self) -> String {
        modes(self.master.as_ref())
    }

    /// Waits until it has these modes.
    #[track_caller]
    pub fn has_modes(&self, wanted: &str) {
        self.wait(|it| it.modes() == wanted);
    }

    #[track_caller]
    fn wait(&self, is_so: impl Fn(&Self) -> bool) {
        let deadline = Instant::now() + DEADLINE;
        while !is_so(self) {
            assert!(Instant::now() < deadline, "it did not become so");
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Waits until `text` was written, even if it has left the screen since.
    #[track_caller]
    pub fn says(&self, text: &str) {
        self.output
            .wait_until(&format!("output with {text:?}"), |bytes| {
                String::from_utf8_lossy(bytes).contains(text).then_some(())
            });
    }

    /// Waits until the screen shows `text`.
    #[track_caller]
    pub fn shows(&self, text: &str) {
        self.until(text, |screen| screen.contents().contains(text));
    }

    /// Waits until the screen is as it should be.
    #[track_caller]
    pub fn until(&self, what: &str, mut is_so: impl FnMut(&Screen) -> bool) {
        self.output
            .wait_until(&format!("a screen with {what:?}"), |bytes| {
                is_so(parse(bytes, self.size).screen()).then_some(())
            });
    }

    /// The screen as it is now.
    pub fn screen(&self) -> Screen {
        parse(&self.output.so_far(), self.size).screen().clone()
    }

    /// Everything that was written to the terminal so far, escapes and all.
    pub fn raw(&self) -> Vec<u8> {
        self.output.so_far()
    }

    /// Waits for the end, whatever the terminal shows by then; the exit code.
    #[track_caller]
    pub fn ends(&mut self) -> u32 {
        let Ok(status) = self.ended.recv_timeout(DEADLINE) else {
            let _gone = self.killer.kill();
            panic!("the program did not end");
        };
        assert_eq!(status.signal(), None, "it was killed");
        status.exit_code()
    }

    /// Waits for the end; the exit code. The terminal must be as it was before: line mode and echo
    /// on, cursor shown, no alternate screen, no bracketed paste, no mouse.
    #[track_caller]
    pub fn exits(&mut self) -> (u32, Vec<u8>) {
        let Ok(status) = self.ended.recv_timeout(DEADLINE) else {
            let _gone = self.killer.kill();
            panic!(
                "the program did not end; its screen:\n{}",
                self.screen().contents()
            );
        };
        assert_eq!(status.signal(), None, "it was killed");
        let modes_after = modes(self.master.as_ref());
        assert_eq!(self.modes_before, modes_after, "terminal modes");
        // What it wrote last may still be on its way to us.
        let deadline = Instant::now() + DEADLINE;
        let written = self.output.until_end(deadline);
        let written = written.expect("nobody else has the terminal");
        let parser = parse(&written, self.size);
        let screen = parser.screen();
        let is_plain =
            !screen.hide_cursor() && !screen.alternate_screen() && !screen.bracketed_paste();
        assert!(
            is_plain,
            "no cursor, or an alternate screen, or bracketed paste:\n{}",
            screen.contents()
        );
        (status.exit_code(), written)
    }

    pub fn home(&self) -> &std::path::Path {
        self.home.path()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _gone = self.killer.kill();
    }
}

const fn pty_size((columns, rows): (u16, u16)) -> PtySize {
    PtySize {
        rows,
        cols: columns,
        pixel_width: 0,
        pixel_height: 0,
    }
}

fn parse(bytes: &[u8], (columns, rows): (u16, u16)) -> Parser {
    let size = |cells| NonZeroU16::new(cells).expect("a terminal has cells");
    let mut parser = Parser::new(size(rows), size(columns), 0);
    parser.process(bytes);
    parser
}

fn modes(master: &dyn MasterPty) -> String {
    let modes = master.get_termios().expect("a terminal has modes");
    format!(
        "{:?} {:?} {:?}",
        modes.input_flags, modes.output_flags, modes.local_flags
    )
}
