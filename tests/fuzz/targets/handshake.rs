//! The heads of the opening handshake, in both roles: whatever comes, however it is cut, there is an
//! end; an answer is judged the same, a request that upgrades does so with the same frames behind it.
//!
//! The first byte chooses the role, the second how many of the following are the sizes of pieces.
#![no_main]

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use libfuzzer_sys::fuzz_target;
use tokio::io::{self, AsyncRead, AsyncReadExt as _, AsyncWrite, ReadBuf};
use wscope::model::handshake::RequestHead;
use wscope::wire::accept::{self, Asked, accept};
use wscope::wire::target::Target;
use wscope::wire::upgrade::{self, upgrade};
use wscope_fuzz::pieces;

fuzz_target!(|input: &[u8]| {
    let [role, count, rest @ ..] = input else {
        return;
    };
    let (sizes, bytes) = rest.split_at(rest.len().min(usize::from(count % 16)));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(async {
        if role % 2 == 0 {
            assert_eq!(answered(bytes, sizes).await, answered(bytes, &[]).await);
        } else if let Some(whole) = upgraded(bytes, &[]).await {
            assert_eq!(upgraded(bytes, sizes).await, Some(whole));
        } else {
            assert_eq!(upgraded(bytes, sizes).await, None);
        }
    });
});

/// What a client makes of an answer. The key is the one of RFC 6455, so that there is a right one.
async fn answered(bytes: &[u8], sizes: &[u8]) -> String {
    let target = Target::parse("ws://example.test/").unwrap();
    let request = upgrade::request(
        &target,
        &upgrade::Plan::default(),
        "dGhlIHNhbXBsZSBub25jZQ==",
    );
    let mut stream = Wire::new(bytes, sizes);
    let mut buffer = BytesMut::new();
    let answer = upgrade(&mut stream, &request, &mut buffer, &mut |_| {}).await;
    match answer {
        Ok(upgrade::Answer::Upgraded(upgraded)) => {
            let mut frames = upgraded.read_ahead.to_vec();
            stream.read_to_end(&mut frames).await.unwrap();
            format!("{:?} {:?} {frames:?}", upgraded.head, upgraded.deflate)
        }
        refused => format!("{refused:?}"),
    }
}

/// The request and the frames behind it, where a server upgrades.
async fn upgraded(bytes: &[u8], sizes: &[u8]) -> Option<String> {
    let answer = |_: &RequestHead, asked: Asked<'_>| match asked {
        Asked::Upgrade => accept::Answer::Upgrade {
            subprotocol: None,
            headers: Vec::new(),
        },
        Asked::Http(_) => accept::Answer::Http {
            status: 200,
            headers: Vec::new(),
            body: Bytes::new(),
        },
    };
    let accepted = accept(Wire::new(bytes, sizes), Duration::from_secs(10), answer).await;
    let mut accepted = accepted.ok()?;
    let mut frames = accepted.read_ahead.to_vec();
    accepted.stream.read_to_end(&mut frames).await.unwrap();
    Some(format!("{:?} {frames:?}", accepted.request))
}

/// A connection whose other end sends these pieces, then no more, and takes everything.
struct Wire {
    pieces: VecDeque<Bytes>,
}

impl Wire {
    fn new(bytes: &[u8], sizes: &[u8]) -> Self {
        Self {
            pieces: pieces(bytes, sizes).map(Bytes::copy_from_slice).collect(),
        }
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if let Some(mut piece) = self.pieces.pop_front() {
            let taken = piece.split_to(piece.len().min(buffer.remaining()));
            buffer.put_slice(&taken);
            if !piece.is_empty() {
                self.pieces.push_front(piece);
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
