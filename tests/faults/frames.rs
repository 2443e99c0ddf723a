//! Frames that are wrong.

use super::{faulty, frame, hits, is_told};
use crate::harness::raw::{PING, Peer, TEXT};
use crate::harness::served::serve;

#[test]
fn frames_are_as_wrong_as_they_are_to_be() {
    let masked = crate::harness::raw::encode(0x81, Some([0x37, 0xFA, 0x21, 0x3D]), b"masked");
    let interleaved = [
        frame(TEXT, b"one "),
        frame(0x80 | TEXT, b"other"),
        frame(0x80, b"message"),
    ];
    for (fault, expected) in [
        ("masked", masked),
        ("rsv1", frame(0xC0 | TEXT, b"\xFF\xFFrsv1")),
        ("opcode", frame(0x83, b"")),
        ("opcode=11", frame(0x8B, b"")),
        ("fin0-ping", frame(PING, b"half")),
        ("big-ping", frame(0x80 | PING, &[b'x'; 126])),
        ("interleave", interleaved.concat()),
        ("orphan-cont", frame(0x80, b"orphan")),
        ("bad-utf8", frame(0x80 | TEXT, b"caf\xE9")),
        (
            "split-utf8",
            [frame(TEXT, b"caf\xC3"), frame(0x80, b"\xA9")].concat(),
        ),
        ("len-msb", vec![0x81, 127, 0x80, 0, 0, 0, 0, 0, 0, 0]),
        ("huge=1MiB", vec![0x81, 127, 0, 0, 0, 0, 0, 0x10, 0, 0]),
    ] {
        let fault = format!("{fault}@1msg");
        let server = faulty(&[&fault]);
        let mut client = Peer::connect_open(server.address());
        client.send_text("hello");
        client.end_sending();
        let expected = [frame(0x80 | TEXT, b"hello"), expected].concat();
        assert_eq!(client.rest(), expected, "{fault}");
        is_told(server, &fault);
    }
}

#[test]
fn messages_go_out_in_fragments() {
    for flags in [&[][..], &["--mode=broadcast"]] {
        let mut args = vec!["--fault=fragment=3", "--no-compress"];
        args.extend(flags);
        let server = serve(&args);
        let mut client = Peer::connect_open(server.address());
        client.send_text("hello!!");
        let pieces = [(); 3].map(|()| client.frame().expect("a piece"));
        let shape = pieces.map(|piece| (piece.fin, piece.opcode, piece.text()));
        let expected = [(false, TEXT, "hel"), (false, 0, "lo!"), (true, 0, "!")];
        assert_eq!(
            shape,
            expected.map(|(fin, opcode, text)| (fin, opcode, text.to_owned()))
        );
        let (output, _) = hits(server);
        let messages = output.events_of("message");
        assert_eq!(
            messages.last().expect("the echo")["wire"],
            7 + 3 * 2,
            "{output}"
        );
    }
}
