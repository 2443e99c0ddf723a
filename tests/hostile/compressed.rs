//! What a hostile peer compresses, apart from the program's own codec.

use zlib_rs::{Deflate, DeflateFlush};

/// A compressed message (RFC 7692, section 7.2.1).
pub(crate) fn compressed(payload: &[u8]) -> Vec<u8> {
    let mut bytes = flushed(payload);
    bytes.truncate(bytes.len() - TAIL);
    bytes
}

/// A message of that many MiB of zeroes, about a thousandth of that on the wire.
pub(crate) fn bomb(mebibytes: usize) -> Vec<u8> {
    // Each piece ends with a flush and refers to no more than zeroes, so it can be repeated.
    let mut bytes = flushed(&vec![0; 1 << 20]).repeat(mebibytes);
    bytes.truncate(bytes.len() - TAIL);
    bytes
}

/// The length of the empty block that a flush appends, and that is left out on the wire.
const TAIL: usize = 4;

fn flushed(payload: &[u8]) -> Vec<u8> {
    let mut stream = Deflate::new(6, false, 15);
    let mut bytes = vec![0; payload.len() + 1024];
    stream
        .compress(payload, &mut bytes, DeflateFlush::SyncFlush)
        .unwrap();
    bytes.truncate(usize::try_from(stream.total_out()).unwrap());
    bytes
}
