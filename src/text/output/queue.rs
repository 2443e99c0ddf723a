//! What is to be written, in its order, between those who say it and the thread that writes.

use std::collections::VecDeque;
use std::io;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use super::progress::Progress;
use super::{BOUND, Later, Printer};

pub(super) struct Shared {
    pub(super) queue: Mutex<Queue>,
    pub(super) work: Condvar,
    pub(super) status: watch::Sender<Status>,
    pub(super) progress: Progress,
    /// stdout is the real one and no terminal.
    pub(super) watch_stdout: bool,
}

#[derive(Default)]
pub(super) struct Queue {
    pub(super) pieces: VecDeque<Piece>,
    /// Bytes in `pieces` and in the hands of the writer.
    pub(super) bytes: usize,
    /// In its place unless the writer is printing.
    pub(super) printer: Option<Box<dyn Printer>>,
    /// Counts loans and their ends, so that the writer puts back no printer of an ended one.
    pub(super) borrower: u64,
    pub(super) ending: bool,
    pub(super) failure: Option<io::Error>,
}

pub(super) struct Piece {
    pub(super) stream: Stream,
    pub(super) content: Content,
}

pub(super) enum Content {
    Bytes(Vec<u8>),
    Later { bytes: usize, make: Later },
}

impl Piece {
    /// What it counts for in the queue.
    pub(super) fn len(&self) -> usize {
        match &self.content {
            Content::Bytes(bytes) => bytes.len(),
            Content::Later { bytes, .. } => *bytes,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Stream {
    Data,
    Talk,
}

/// What the async side waits for.
pub(super) struct Status {
    pub(super) room: bool,
    /// Nothing is queued or being written.
    pub(super) idle: bool,
    pub(super) open: bool,
    pub(super) done: bool,
}

impl Shared {
    pub(super) fn new(progress: Progress, watch_stdout: bool) -> Self {
        Self {
            queue: Mutex::default(),
            work: Condvar::new(),
            status: watch::Sender::new(Status {
                room: true,
                idle: true,
                open: true,
                done: false,
            }),
            progress,
            watch_stdout,
        }
    }

    /// The queue. A thread that panicked left it whole: no call below stops halfway.
    pub(super) fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn push(&self, stream: Stream, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        let mut queue = self.lock();
        if let Some(last) = queue.pieces.back_mut()
            && last.stream == stream
            && let Content::Bytes(joined) = &mut last.content
        {
            joined.extend_from_slice(bytes);
            queue.bytes += bytes.len();
            self.update_room(&queue);
            return;
        }
        drop(queue);
        self.enqueue(Piece {
            stream,
            content: Content::Bytes(bytes.to_vec()),
        });
    }

    pub(super) fn enqueue(&self, piece: Piece) {
        let mut queue = self.lock();
        queue.bytes += piece.len();
        queue.pieces.push_back(piece);
        self.update_room(&queue);
        drop(queue);
        self.work.notify_one();
    }

    pub(super) fn update_room(&self, queue: &Queue) {
        let room = queue.bytes < BOUND;
        let idle = queue.bytes == 0;
        self.status.send_if_modified(|status| {
            let changed = status.room != room || status.idle != idle;
            status.room = room;
            status.idle = idle;
            changed
        });
    }

    /// stdout takes nothing more.
    pub(super) fn close(&self, failure: Option<io::Error>) {
        let mut queue = self.lock();
        let dropped: usize = queue
            .pieces
            .iter()
            .filter(|piece| piece.stream == Stream::Data)
            .map(Piece::len)
            .sum();
        queue.pieces.retain(|piece| piece.stream != Stream::Data);
        queue.bytes -= dropped;
        queue.failure = queue.failure.take().or(failure);
        self.update_room(&queue);
        self.status.send_modify(|status| status.open = false);
    }

    pub(super) async fn wait_for(&self, condition: impl FnMut(&Status) -> bool) {
        // The sender is a field of `self`: it cannot go away meanwhile.
        let _ = self.status.subscribe().wait_for(condition).await;
    }
}
