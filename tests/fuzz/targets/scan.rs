//! Headers are found the same however the bytes are cut, and a header in its shortest form is what
//! encoding it gives.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wscope::protocol::encode;
use wscope::protocol::header::Header;
use wscope::protocol::scan::Scanner;
use wscope_fuzz::pieces;

fuzz_target!(|input: (&[u8], &[u8])| {
    let (sizes, bytes) = input;
    let whole = scan(bytes, &[]);
    assert_eq!(scan(bytes, sizes), whole);
    for (at, header) in whole {
        if header.is_minimal() {
            let encoded = encode::header(&header);
            let end = at + usize::from(header.header_len);
            assert_eq!(encoded.as_ref(), &bytes[at..end]);
        }
    }
});

/// Every header whole, and where it begins; payloads are skipped.
fn scan(bytes: &[u8], sizes: &[u8]) -> Vec<(usize, Header)> {
    let mut scanner = Scanner::default();
    let mut headers = Vec::new();
    let mut seen = 0;
    let mut payload = 0;
    for mut piece in pieces(bytes, sizes) {
        let end = seen + piece.len();
        loop {
            let skipped = usize::try_from(payload)
                .unwrap_or(usize::MAX)
                .min(piece.len());
            piece = &piece[skipped..];
            payload -= skipped as u64;
            if piece.is_empty() {
                break;
            }
            let Some(header) = scanner.next(&mut piece) else {
                assert!(piece.is_empty());
                break;
            };
            let start = end - piece.len() - usize::from(header.header_len);
            headers.push((start, header));
            payload = header.payload_len;
        }
        seen = end;
    }
    headers
}
