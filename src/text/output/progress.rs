//! Whether a stream takes anything: tells a slow reader from one that reads nothing.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Bytes that are written in one call: as many as a pipe takes at once.
const PIECE: usize = 64 * 1024;

/// How often something was written; clones share the count.
#[derive(Clone, Default)]
pub(super) struct Progress(Arc<AtomicU64>);

impl Progress {
    pub(super) fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    /// `sink`, with its writes counted.
    pub(super) fn of(&self, sink: impl Write + Send + 'static) -> Box<dyn Write + Send> {
        Box::new(Counted {
            sink,
            progress: self.clone(),
        })
    }
}

struct Counted<W> {
    sink: W,
    progress: Progress,
}

impl<W: Write> Write for Counted<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.sink.write(&bytes[..bytes.len().min(PIECE)])?;
        self.progress.0.fetch_add(1, Ordering::Relaxed);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.sink.flush()
    }
}
