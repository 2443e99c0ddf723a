//! The engine against tungstenite, a second, independent implementation: the same random frame
//! sequences, valid and broken, cut anywhere, must have the same outcome.
//!
//! `WSCOPE_DIFFERENTIAL_CASES` says how many sequences (2,000 by default). A failure names its
//! case; the cases are the same in every run.
//!
//! The reference has no permessage-deflate: where messages are compressed for the engine, the
//! reference gets what they should inflate to.
//!
//! Known differences are taken out in [`expected`], each by name. Nothing else may differ.

mod case;
mod compressed;
mod outcome;

use std::io::{IoSlice, Write};

use bytes::Bytes;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use wscope::model::close::{CloseCode, CloseFrame};
use wscope::model::command::Command;
use wscope::model::message::Message;
use wscope::protocol::engine::Role;

use case::{Case, cuts, text};
use compressed::Compressed;
use outcome::{End, Happened, Outcome, engine, ours, theirs};

/// The largest message, for both.
const LIMIT: usize = 70_000;

fn cases() -> u64 {
    std::env::var("WSCOPE_DIFFERENTIAL_CASES")
        .map_or(2_000, |cases| cases.parse().expect("a number of cases"))
}

#[test]
fn both_implementations_agree() {
    let cases = cases();
    let mut ends = [0_u64; 3];
    for seed in 0..cases {
        let case = Case::random(&mut StdRng::seed_from_u64(seed));
        let ours = ours(engine(case.role, None), case.sent(), &case.cuts);
        let expected = expected(&case, &ours);
        assert_eq!(ours, expected, "case {seed}: {case:x?}");
        ends[match ours.end {
            End::Close(_) => 0,
            End::Failed(_) => 1,
            End::Eof => 2,
        }] += 1;
    }
    // The sequences must reach all ends, or the agreement says little.
    assert!(ends.iter().all(|count| *count * 20 > cases), "{ends:?}");
}

#[test]
fn they_agree_on_what_compressed_messages_inflate_to() {
    let mut ends = [0_u64; 3];
    let cases = cases();
    for seed in 0..cases {
        let case = Compressed::random(&mut StdRng::seed_from_u64(seed));
        let engine = engine(case.role, Some(case.agreed));
        let ours = ours(engine, &case.compressed, &case.cuts);
        let theirs = theirs(case.role, &case.plain, &case.cuts);
        assert_eq!(ours, theirs, "case {seed}: {:?}", case.agreed);
        ends[match ours.end {
            End::Close(_) => 0,
            End::Failed(_) => 1,
            End::Eof => 2,
        }] += 1;
    }
    assert!(ends.iter().all(|count| *count > cases / 20), "{ends:?}");
}

#[test]
fn the_reference_reads_what_the_engine_writes() {
    for seed in 0..200 {
        let mut random = StdRng::seed_from_u64(seed);
        let role = *[Role::Client, Role::Server].choose(&mut random).unwrap();
        let mut engine = engine(role, None);
        let mut sent = Vec::new();
        for _ in 0..random.random_range(0..10) {
            let payload = Bytes::from(text(&mut random));
            let message = Message::text(String::from_utf8(payload.to_vec()).unwrap());
            engine.send(Command::Send(message)).unwrap();
            sent.push(Happened::Text(payload));
        }
        let close = CloseFrame::new(CloseCode(4000), "done").unwrap();
        engine.send(Command::Close(Some(close))).unwrap();

        let mut bytes = Vec::new();
        while engine.has_to_write() {
            let mut slices = [IoSlice::new(&[]); 3];
            let filled = engine.to_write(&mut slices);
            let count = Write::write_vectored(&mut bytes, &slices[..filled]).unwrap();
            engine.written(count);
        }
        let other = match role {
            Role::Client => Role::Server,
            Role::Server => Role::Client,
        };
        let read = theirs(other, &bytes, &cuts(&mut random));
        let end = End::Close(Some((4000, "done".into())));
        assert_eq!(
            read,
            Outcome {
                happened: sent,
                end
            },
            "case {seed}"
        );
    }
}

/// What the engine should say: what the reference says, but for the known differences.
fn expected(case: &Case, ours: &Outcome) -> Outcome {
    // Known difference, lengths: the reference accepts lengths that are not in their shortest
    // form, and calls one with the highest bit set too big (1009). Both break section 5.2 (1002).
    // So the reference reads up to that frame, and if it gets there, the engine must fail.
    if let Some(header) = &case.bad_header
        && header.end <= case.end()
    {
        let mut outcome = theirs(case.role, &case.bytes[..header.start], &case.cuts);
        if outcome.end == End::Eof {
            outcome.end = End::Failed(1002);
        }
        return outcome;
    }

    let mut outcome = theirs(case.role, case.sent(), &case.cuts);

    // Known difference, close codes: the reference turns a code that it does not know into a
    // Close with 1002. 1014 is registered and legal; the others may not be on the wire.
    let translated = Some((1002, "Protocol violation".to_owned()));
    if outcome.end == End::Close(translated) {
        outcome.end = match &case.close {
            Some((1014, reason)) => End::Close(Some((1014, reason.clone()))),
            _ => End::Failed(1002),
        };
    }

    // Known difference, speed: the reference judges whole frames, the engine headers and the text
    // that has arrived. When the bytes end inside a frame, it may have failed already, but only
    // with what the reference says when it gets the whole frame.
    if case.truncated > 0 && outcome.end == End::Eof && matches!(ours.end, End::Failed(_)) {
        outcome = theirs(case.role, &case.bytes, &case.cuts);
    }
    outcome
}
