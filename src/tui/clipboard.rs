//! The clipboard of the person's machine.
//!
//! A terminal is asked by OSC 52, which works over ssh; whether it obeys, it does not say. In tmux the
//! text goes into a buffer of tmux, which passes it on to its terminals. Where that fails the terminal
//! is asked there too: tmux takes the sequence where `set-clipboard` is on and passes it through where
//! `allow-passthrough` is; which of them is not known, so it is sent both ways.

use std::io::Write as _;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use crate::model::units::show_size;

/// Bytes that every terminal takes that takes any: 100,000 of the sequence.
pub const MOST: usize = 74_000;

/// How long tmux may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// How often it is asked whether it is done.
const GLANCE: Duration = Duration::from_millis(5);

/// What makes the terminal put a text into the clipboard.
///
/// # Errors
/// A sentence: it is too large.
pub fn sequence(text: &[u8], is_tmux: bool) -> Result<String, String> {
    if text.len() > MOST {
        return Err(format!(
            "{} are too many for the clipboard, which takes {}: save it to a file",
            show_size(text.len() as u64),
            show_size(MOST as u64)
        ));
    }
    let plain = format!("\x1b]52;c;{}\x07", BASE64.encode(text));
    if !is_tmux {
        return Ok(plain);
    }
    let passed = format!("\x1bPtmux;{}\x1b\\", plain.replace('\x1b', "\x1b\x1b"));
    Ok(plain + &passed)
}

/// Puts a text into a buffer of the tmux around this program, which passes it on to the clipboard of
/// its terminals where `passes_on` is said. Takes a moment.
///
/// # Errors
/// There is no tmux, it is too old to pass anything on, or it takes too long.
pub fn load_tmux(text: &[u8], passes_on: bool) -> Result<(), String> {
    let mut command = Command::new("tmux");
    command.arg("load-buffer");
    if passes_on {
        command.arg("-w");
    }
    command
        .arg("-")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let mut child = command.spawn().map_err(|cause| format!("tmux: {cause}"))?;
    let (stdin, text) = (child.stdin.take(), text.to_vec());
    // It need not read what it is given.
    let writing = thread::spawn(move || stdin.map(|mut stdin| stdin.write_all(&text)));
    let done = wait(&mut child);
    if done.is_ok() && !matches!(writing.join(), Ok(Some(Ok(())))) {
        return Err("tmux did not take it".into());
    }
    done
}

fn wait(child: &mut Child) -> Result<(), String> {
    let until = Instant::now() + PATIENCE;
    loop {
        match child.try_wait() {
            Ok(Some(status)) if status.success() => return Ok(()),
            Ok(Some(status)) => return Err(format!("tmux ended with {status}")),
            Ok(None) if Instant::now() < until => thread::sleep(GLANCE),
            Ok(None) | Err(_) => {
                // Where it has ended meanwhile there is nothing to end.
                let _ = child.kill();
                let _ = child.wait();
                return Err("tmux does not answer".into());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_wrapped_for_the_terminal() {
        assert_eq!(sequence(b"hi", false).unwrap(), "\x1b]52;c;aGk=\x07");
        assert_eq!(
            sequence(b"hi", true).unwrap(),
            "\x1b]52;c;aGk=\x07\x1bPtmux;\x1b\x1b]52;c;aGk=\x07\x1b\\"
        );
    }

    #[test]
    fn what_is_too_large_says_so() {
        assert!(sequence(&vec![b'x'; MOST], true).unwrap().len() < 210_000);
        let error = sequence(&vec![b'x'; MOST + 1], false).unwrap_err();
        assert_eq!(
            error,
            "74 kB are too many for the clipboard, which takes 74 kB: save it to a file"
        );
    }
}
