//! What is encoded is scanned to the same, the payload unmasked from any place in it included.
#![no_main]

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use wscope::model::frame::Opcode;
use wscope::protocol::header::Header;
use wscope::protocol::scan::Scanner;
use wscope::protocol::{encode, mask};

#[derive(Debug, Arbitrary)]
struct Input<'a> {
    fin: bool,
    rsv: [bool; 3],
    opcode: u8,
    announced: u64,
    key: Option<[u8; 4]>,
    cut: usize,
    payload: &'a [u8],
}

fuzz_target!(|input: Input<'_>| {
    let opcode = Opcode::new(input.opcode);
    let header = |length| Header::new(input.fin, input.rsv, opcode, length, input.key);

    let announced = header(input.announced);
    let bytes = encode::header(&announced);
    assert_eq!(
        Scanner::default().next(&mut bytes.as_ref()),
        Some(announced)
    );

    let header = header(input.payload.len() as u64);
    let frame = encode::frame(&header, input.payload);
    let mut rest = &frame[..];
    assert_eq!(Scanner::default().next(&mut rest), Some(header));
    let mut payload = rest.to_vec();
    if let Some(key) = input.key {
        let cut = input.cut % (payload.len() + 1);
        let (first, second) = payload.split_at_mut(cut);
        mask::apply(second, key, cut as u64);
        mask::apply(first, key, 0);
    }
    assert_eq!(payload, input.payload);
});
