//! `serve` among many hostile clients: who behaves is served as if it were alone.

mod harness;

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::time::Duration;

use harness::raw::{PING, Peer, UPGRADE, encode};
use harness::running::{Running, Signal};
use harness::served::serve;
use serde_json::Value;

/// More memory than all of this may take.
const MOST: u64 = 100 << 20;

/// An open connection with as little as possible around it.
fn open(host: &str) -> TcpStream {
    let mut stream = TcpStream::connect(host).unwrap();
    let request = format!(
        "GET / HTTP/1.1\r\nHost: {host}\r\n{}\r\n\r\n",
        UPGRADE.join("\r\n")
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        head.push(byte[0]);
    }
    stream
}

#[track_caller]
fn is_served(client: &mut Peer) {
    client.send_frame(PING, "still there?");
    while client.frame().expect("it is served").text() != "still there?" {}
}

#[test]
fn half_open_handshakes_and_endless_heads_hold_nobody_up() {
    let mut server = serve(&[]);
    let mut client = Peer::connect_open(server.address());
    let before = server.running().peak_memory();
    let half: Vec<_> = (0..200)
        .map(|number| {
            let mut stream = TcpStream::connect(server.address()).unwrap();
            let start = if number % 2 == 0 {
                "GET / HTTP/1.1\r\nHost: h\r\nX: "
            } else {
                ""
            };
            stream.write_all(start.as_bytes()).unwrap();
            stream
        })
        .collect();
    is_served(&mut client);
    for mut stream in half {
        stream
            .set_write_timeout(Some(Duration::from_secs(1)))
            .unwrap();
        // The server stops reading, or answers 431 and ends it; either way it keeps little.
        let _ended = stream.write_all(&[b'x'; 256 << 10]);
    }
    is_served(&mut client);
    let late = Peer::connect_open(server.address());
    drop(late);
    assert!(server.running().peak_memory() < before + MOST);
}

#[test]
fn a_thousand_clients_that_are_gone_at_once_are_taken_out_of_their_rooms() {
    const CLIENTS: usize = 1000;
    // They answer no pings, and a thousand times a thousand messages take their time.
    let mut server = serve(&["--mode=rooms", "--heartbeat=off"]);
    let mut client = Peer::connect_open(server.address());
    client.send_text(r#"{"type":"join","room":"lobby"}"#);
    client.text();
    let before = server.running().peak_memory();
    let join = encode(0x81, Some([0; 4]), br#"{"type":"join","room":"lobby"}"#);
    let crowd: Vec<_> = (0..CLIENTS)
        .map(|_| {
            let mut stream = open(server.address());
            stream.write_all(&join).unwrap();
            stream
        })
        .collect();
    let mut count = |state: &str| {
        for _ in 0..CLIENTS {
            let presence: Value = serde_json::from_str(&client.text()).unwrap();
            assert_eq!(presence["state"], state, "{presence}");
        }
    };
    count("joined");
    for stream in &crowd {
        let socket = socket2::SockRef::from(stream);
        socket.set_linger(Some(Duration::ZERO)).unwrap();
    }
    drop(crowd);
    count("lost");
    client.send_text(r#"{"type":"presence","room":"lobby"}"#);
    let presence: Value = serde_json::from_str(&client.text()).unwrap();
    assert_eq!(presence["members"].as_array().unwrap().len(), 1);
    assert!(server.running().peak_memory() < before + MOST);
}

#[test]
fn pings_whose_pongs_nobody_reads_do_not_grow_it() {
    let mut server = serve(&["--mode=sink"]);
    let mut client = Peer::connect_open(server.address());
    let before = server.running().peak_memory();
    let ping = encode(0x89, Some([0; 4]), &[b'p'; 125]);
    let batch = ping.repeat(1000);
    let mut flood = open(server.address());
    flood
        .set_write_timeout(Some(Duration::from_secs(1)))
        .unwrap();
    for _ in 0..500 {
        if flood.write_all(&batch).is_err() {
            break;
        }
    }
    is_served(&mut client);
    assert!(server.running().peak_memory() < before + MOST);
}

/// Where a child of this test finds the server to which it holds many connections, until it is killed.
const CROWD: &str = "WSCOPE_TEST_CROWD";
const CROWD_SIZE: usize = 1000;
/// Who hears of whom is small in each of them.
const CROWD_ROOMS: usize = 50;

#[test]
fn the_crowd_that_is_killed() {
    let Ok(address) = std::env::var(CROWD) else {
        return;
    };
    let crowd: Vec<_> = (0..CROWD_SIZE)
        .map(|number| {
            let mut stream = open(&address);
            let room = number % CROWD_ROOMS;
            let join = format!(r#"{{"type":"join","room":"room{room}"}}"#);
            let join = encode(0x81, Some([0; 4]), join.as_bytes());
            stream.write_all(&join).unwrap();
            stream
        })
        .collect();
    std::io::stdout().write_all(b"\nall are in\n").unwrap();
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).unwrap();
    drop(crowd);
}

#[test]
fn a_process_with_a_thousand_clients_is_killed_and_nobody_else_notices() {
    let mut server = serve(&["--mode=rooms", "--heartbeat=off"]);
    let mut member = Peer::connect_open(server.address());
    member.send_text(r#"{"type":"join","room":"room0"}"#);
    member.text();
    let mut others = [(); 2].map(|()| {
        let mut peer = Peer::connect_open(server.address());
        peer.send_text(r#"{"type":"join","room":"elsewhere"}"#);
        peer
    });
    let before = server.running().peak_memory();
    let mut child = Command::new(std::env::current_exe().unwrap());
    child
        .args(["--exact", "the_crowd_that_is_killed", "--nocapture"])
        .env(CROWD, server.address())
        .stdin(Stdio::piped());
    let crowd = Running::start(child, tempfile::tempdir().unwrap());
    crowd.stdout.line("all are in");
    let mut hears = |state: &str| {
        for _ in 0..CROWD_SIZE / CROWD_ROOMS {
            let presence: Value = serde_json::from_str(&member.text()).unwrap();
            assert_eq!(presence["state"], state, "{presence}");
        }
    };
    hears("joined");
    crowd.signal(Signal::Kill);
    // While they are cleared away, two others talk, and a new one comes in.
    let [ann, bob] = &mut others;
    bob.send_text(r#"{"type":"ping"}"#);
    while !bob.text().contains("pong") {}
    for number in 0..200 {
        ann.send_text(&format!(r#"{{"type":"message","n":{number}}}"#));
        let heard: Value = serde_json::from_str(&bob.text()).unwrap();
        assert_eq!(heard["n"], number, "{heard}");
    }
    is_served(&mut Peer::connect_open(server.address()));
    hears("lost");
    // Who is left on the path: the member, the two others, and who asks.
    let mut asks = Peer::connect_open(server.address());
    let mut left = 0;
    while left != 4 {
        asks.send_text(r#"{"type":"presence"}"#);
        let presence: Value = serde_json::from_str(&asks.text()).unwrap();
        left = presence["members"].as_array().unwrap().len();
    }
    assert!(server.running().peak_memory() < before + MOST);
    drop(crowd);
}

#[test]
fn ten_thousand_joins_end_at_the_bound() {
    const JOINS: usize = 10_000;
    let mut server = serve(&["--mode=rooms", "--history=10"]);
    let mut client = Peer::connect_open(server.address());
    let mut other = Peer::connect_open(server.address());
    let before = server.running().peak_memory();
    let mut answers = client.reader();
    let sending = std::thread::spawn(move || {
        for number in 0..JOINS {
            client.send_text(&format!(r#"{{"type":"join","room":"room{number}"}}"#));
            client.send_text(&format!(r#"{{"type":"subscribe","topic":"t{number}.*"}}"#));
        }
        client
    });
    let mut counts = std::collections::BTreeMap::<String, usize>::new();
    for _ in 0..2 * JOINS {
        let answer: Value = serde_json::from_str(&answers.text()).unwrap();
        let word = answer.get("code").unwrap_or(&answer["type"]);
        *counts.entry(word.as_str().unwrap().to_owned()).or_default() += 1;
    }
    let expected = [
        ("joined", 128),
        ("subscribed", 128),
        ("too_many", 2 * JOINS - 256),
    ];
    assert_eq!(
        counts,
        expected
            .map(|(word, count)| (word.to_owned(), count))
            .into()
    );
    is_served(&mut other);
    let client = sending.join().unwrap();
    drop((client, answers));
    assert!(server.running().peak_memory() < before + MOST);
}

#[test]
fn names_and_paths_are_what_they_look_like() {
    let server = serve(&["--mode=rooms", "--path=/chat", "--path=/news"]);
    let at = |path: &str| {
        let host = format!("Host: {}", server.address());
        let first = format!("GET {path} HTTP/1.1");
        let mut head = vec![first.as_str(), &host];
        head.extend_from_slice(UPGRADE);
        Peer::connect(server.address(), &head)
    };
    let long = format!("/{}", "a".repeat(8_000));
    let paths = [
        "/",
        "/Chat",
        "/chat/",
        "//chat",
        "/./chat",
        "/news/../chat",
        "/chat/../chat",
        "/%63hat",
        "/chat%00",
        "/chat;x",
        "/..%2fchat",
        &long,
    ];
    for path in paths {
        let peer = at(path);
        let head = &peer.head;
        assert!(head.starts_with("HTTP/1.1 404"), "{path}: {head}");
    }
    assert!(at("/chat?room=/news").head.starts_with("HTTP/1.1 101"));
    let mut client = at("/chat");
    let mut answer = |message: String| -> Value {
        client.send_text(&message);
        serde_json::from_str(&client.text()).unwrap()
    };
    let long = "n".repeat(65);
    let names = [
        "",
        "/",
        "../chat",
        "a/b",
        "a b",
        "lobby\n",
        "lobby\0",
        "lob\u{200b}by",
        "l\u{43e}bby",
        "*",
        "lobby*",
        "\u{202e}ybbol",
        &long,
    ];
    for name in names {
        let join = serde_json::json!({"type": "join", "room": name});
        let error = answer(join.to_string());
        assert_eq!(error["code"], "bad_name", "{name:?}: {error}");
    }
    for room in ["7", "null", "{}", "[\"lobby\"]"] {
        let error = answer(format!(r#"{{"type":"join","room":{room}}}"#));
        assert_eq!(error["code"], "bad_name", "{room}: {error}");
    }
    // Dots are letters here, and so is the case.
    for name in ["..", "__proto__", "Lobby", "lobby"] {
        let joined = answer(format!(r#"{{"type":"join","room":"{name}"}}"#));
        assert_eq!(
            joined["members"].as_array().map(Vec::len),
            Some(1),
            "{joined}"
        );
    }
}

#[test]
fn json_that_is_nested_without_end_is_refused_wherever_json_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().to_str().unwrap();
    let deep = |open: &str| open.repeat(100_000);
    let arrays = format!(r#"{{"type":"file-meta","name":{}"#, deep("["));
    let objects = format!(r#"{{"type":"join","payload":{}"#, deep("{\"a\":"));
    let mut server = serve(&["--mode=rooms", "--save-dir", folder]);
    let mut other = Peer::connect_open(server.address());
    let before = server.running().peak_memory();
    let mut client = Peer::connect_open(server.address());
    for text in [&arrays, &objects] {
        for _ in 0..20 {
            client.send_text(text);
            let error: Value = serde_json::from_str(&client.text()).unwrap();
            assert_eq!(error["code"], "bad_json", "{error}");
        }
    }
    is_served(&mut other);
    assert!(server.running().peak_memory() < before + MOST);

    let server = serve(&["--auth-first-message=5s", "--token=t", "--user=ann:x"]);
    let mut client = Peer::connect_open(server.address());
    // As deep as 64 KiB allow.
    client.send_text(&format!(
        r#"{{"type":"auth","token":{}"#,
        "[".repeat(60_000)
    ));
    assert_eq!(client.close_frame().0, 4001);
    let body = format!(r#"{{"user":{}"#, "[".repeat(60_000));
    let mut login = Peer::dial(server.address());
    login.send(format!(
        "POST /api/login HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n{body}",
        server.address(),
        body.len()
    ));
    login.read_head();
    assert!(login.head.starts_with("HTTP/1.1 400"), "{}", login.head);
}
