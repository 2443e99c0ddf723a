//! What a child has written so far, and a way to wait for more.

use std::io::Read;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread;
use std::time::Instant;

use super::DEADLINE;

/// The bytes of one stream, read by a thread of its own; clones share them.
#[derive(Clone)]
pub struct Captured {
    shared: Arc<(Mutex<Stream>, Condvar)>,
}

#[derive(Default)]
struct Stream {
    bytes: Vec<u8>,
    ended: bool,
}

impl Captured {
    pub fn follow(mut source: impl Read + Send + 'static) -> Self {
        let captured = Self {
            shared: Arc::default(),
        };
        let writer = captured.clone();
        thread::spawn(move || {
            let mut buffer = [0; 64 * 1024];
            // A pseudo-terminal ends with EIO instead of end of file.
            while let Ok(count @ 1..) = source.read(&mut buffer) {
                writer.change(|stream| stream.bytes.extend_from_slice(&buffer[..count]));
            }
            writer.change(|stream| stream.ended = true);
        });
        captured
    }

    /// Waits until `find` finds something in what has come so far.
    #[track_caller]
    pub fn wait_until<T>(&self, what: &str, mut find: impl FnMut(&[u8]) -> Option<T>) -> T {
        let deadline = Instant::now() + DEADLINE;
        let mut stream = self.lock();
        loop {
            if let Some(found) = find(&stream.bytes) {
                return found;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if stream.ended || left.is_zero() {
                let state = if stream.ended {
                    "ended"
                } else {
                    "stands still"
                };
                let text = String::from_utf8_lossy(&stream.bytes).into_owned();
                drop(stream);
                panic!("waited for {what}, but the stream {state}; it has:\n{text}");
            }
            stream = self.shared.1.wait_timeout(stream, left).unwrap().0;
        }
    }

    /// Waits for a whole line that contains `text` and returns it without its newline.
    #[track_caller]
    pub fn line(&self, text: &str) -> String {
        self.wait_until(&format!("a line with {text:?}"), |bytes| {
            let whole = &bytes[..bytes.iter().rposition(|&byte| byte == b'\n')?];
            String::from_utf8_lossy(whole)
                .lines()
                .find(|line| line.contains(text))
                .map(str::to_owned)
        })
    }

    /// Waits for the end of the stream and returns all of it; `None` after the deadline.
    pub fn until_end(&self, deadline: Instant) -> Option<Vec<u8>> {
        let mut stream = self.lock();
        while !stream.ended {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return None;
            }
            stream = self.shared.1.wait_timeout(stream, left).unwrap().0;
        }
        Some(stream.bytes.clone())
    }

    /// What has come so far.
    pub fn so_far(&self) -> Vec<u8> {
        self.lock().bytes.clone()
    }

    fn change(&self, change: impl FnOnce(&mut Stream)) {
        change(&mut self.lock());
        self.shared.1.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Stream> {
        self.shared.0.lock().unwrap()
    }
}
