//! permessage-deflate: any bytes inflate to the same however they are cut, and to no more than is
//! allowed; what is compressed inflates to what it was; an answer to an offer is taken by the
//! client that made it, and both ends understand it alike.
#![no_main]

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use wscope::model::command::Command;
use wscope::model::frame::Opcode;
use wscope::model::message::Message;
use wscope::protocol::deflate::{self, Side};
use wscope::protocol::encode;
use wscope::protocol::engine::{Incoming, Role};
use wscope::protocol::header::Header;
use wscope_fuzz::{LIMIT, agreed, engine, read, write};

#[derive(Debug, Arbitrary)]
enum Input<'a> {
    Inflate {
        context_takeover: bool,
        messages: Vec<&'a [u8]>,
        sizes: &'a [u8],
    },
    RoundTrip {
        context_takeover: bool,
        window: u8,
        messages: Vec<(&'a [u8], u8)>,
    },
    Negotiate {
        offers: Vec<&'a str>,
        answer: &'a str,
    },
}

fuzz_target!(|input: Input<'_>| {
    match input {
        Input::Inflate {
            context_takeover,
            messages,
            sizes,
        } => inflate(side(context_takeover, 15), &messages, sizes),
        Input::RoundTrip {
            context_takeover,
            window,
            messages,
        } => round_trip(side(context_takeover, 8 + window % 8), &messages),
        Input::Negotiate { offers, answer } => negotiate(&offers, answer),
    }
});

fn side(context_takeover: bool, window_bits: u8) -> Side {
    Side {
        context_takeover,
        window_bits,
    }
}

fn inflate(side: Side, messages: &[&[u8]], sizes: &[u8]) {
    let mut bytes = Vec::new();
    for payload in messages {
        let rsv = [true, false, false];
        let header = Header::new(true, rsv, Opcode::BINARY, payload.len() as u64, None);
        bytes.extend(encode::frame(&header, payload));
    }
    let deflate = Some(agreed(side));
    let whole = read(&mut engine(Role::Client, deflate), &bytes, &[]);
    let cut = read(&mut engine(Role::Client, deflate), &bytes, sizes);
    assert_eq!(cut, whole);
}

/// Each message is a text that is repeated, or it would not be worth compressing.
fn round_trip(side: Side, messages: &[(&[u8], u8)]) {
    let deflate = Some(agreed(side));
    let mut sender = engine(Role::Client, deflate);
    let mut expected = Vec::new();
    for (text, times) in messages {
        let mut payload = text.repeat(usize::from(*times));
        payload.truncate(LIMIT);
        let message = Message::binary(payload);
        sender.send(Command::Send(message.clone())).unwrap();
        expected.push(message);
    }
    let bytes = write(&mut sender);
    let happened = read(&mut engine(Role::Server, deflate), &bytes, &[]);
    let messages: Vec<Message> = happened
        .into_iter()
        .filter_map(|incoming| match incoming {
            Incoming::Message { message, .. } => Some(message),
            Incoming::Frame(_) => None,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(messages, expected);
}

fn negotiate(offers: &[&str], answer: &str) {
    // Whatever a server says: no more than that it is wrong.
    let _judged = deflate::check(offers.iter().copied(), [answer]);
    let Ok(Some(accepted)) = deflate::accept(offers.iter().copied()) else {
        return;
    };
    // A client makes one offer. Of more the server may have taken any.
    if let [offer] = offers
        && !offer.contains(',')
    {
        let answer = accepted.answer.to_string();
        let agreed = deflate::check([*offer], [answer.as_str()])
            .unwrap()
            .unwrap();
        assert_eq!(agreed.own, accepted.agreed.peer);
        assert_eq!(agreed.peer, accepted.agreed.own);
    }
}
