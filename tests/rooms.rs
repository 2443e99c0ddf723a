//! `serve --mode rooms` through the program, with clients that are not ours and with our own.

mod harness;

use harness::peers::{self, Implementation};
use harness::program::wscope;
use harness::raw::Peer;
use harness::running::{Running, Signal};
use harness::served::{Served, serve};
use serde_json::{Value, json};

/// A client that talks JSON.
struct Client(Peer);

impl Client {
    #[track_caller]
    fn at(server: &Served, path: &str) -> Self {
        let first = format!("GET {path} HTTP/1.1");
        let host = format!("Host: {}", server.address());
        let mut head = vec![first.as_str(), &host];
        head.extend_from_slice(harness::raw::UPGRADE);
        let peer = Peer::connect(server.address(), &head);
        assert!(peer.head.starts_with("HTTP/1.1 101"), "{}", peer.head);
        Self(peer)
    }

    fn says(&mut self, message: &Value) {
        self.0.send_text(&message.to_string());
    }

    #[track_caller]
    fn hears(&mut self) -> Value {
        let text = self.0.text();
        serde_json::from_str(&text).unwrap_or_else(|_| panic!("no JSON: {text}"))
    }

    /// The next message of a type; those of others are passed over.
    #[track_caller]
    fn hears_of(&mut self, kind: &str) -> Value {
        loop {
            let message = self.hears();
            if message["type"] == kind {
                return message;
            }
        }
    }

    fn joins(&mut self, room: &str) -> Value {
        self.says(&json!({"type": "join", "room": room}));
        self.hears_of("joined")
    }
}

/// A moves, B and C hear it, C drops, A and B go on, C returns and catches up.
#[test]
fn three_players() {
    let server = serve(&["--mode=rooms", "--history=100"]);
    // One after the other, so that they are m1, m2 and m3.
    let [mut a, mut b, mut c] = [(); 3].map(|()| {
        let mut player = Client::at(&server, "/game");
        player.joins("match:7");
        player
    });
    let moved = |x: u32| json!({"type": "move", "x": x});
    a.says(&moved(1));
    for other in [&mut b, &mut c] {
        let heard = other.hears_of("move");
        assert_eq!(
            (&heard["x"], &heard["from"], &heard["offset"]),
            (&json!(1), &json!("m1"), &json!(1))
        );
    }
    c.0.reset();
    drop(c);
    let lost = b.hears_of("presence");
    assert_eq!(
        (&lost["state"], &lost["member"]["id"]),
        (&json!("lost"), &json!("m3"))
    );
    a.says(&moved(2));
    assert_eq!(b.hears_of("move")["x"], 2);
    b.says(&moved(3));
    assert_eq!(a.hears_of("move")["x"], 3);

    let mut c = Client::at(&server, "/game");
    c.says(&json!({"type": "join", "room": "match:7", "since": 1}));
    let joined = c.hears_of("joined");
    assert_eq!((&joined["offset"], joined.get("gap")), (&json!(3), None));
    assert_eq!(
        [c.hears()["x"].clone(), c.hears()["x"].clone()],
        [json!(2), json!(3)]
    );
    a.says(&moved(4));
    assert_eq!(c.hears_of("move")["offset"], 4);
    let output = server.stop(Signal::Terminate).code(0);
    let joins = output.events_of("room");
    assert_eq!(
        joins
            .iter()
            .filter(|event| event["action"] == "join")
            .count(),
        4,
        "{output}"
    );
    assert!(
        output
            .events_of("presence")
            .iter()
            .any(|event| event["state"] == "lost")
    );
}

#[test]
fn three_players_are_a_transcript() {
    let server = serve(&["--mode=rooms", "--history=100"]);
    wscope(&["test", "game.wst", "--url", server.url()])
        .file("game.wst", include_str!("harness/peers/game.wst"))
        .run()
        .code(0);
}

/// A is a transcript, B a browser's, C on node `ws`: it is killed, and returns.
#[test]
fn three_players_on_three_implementations() {
    if !Implementation::NodeWs.is_installed() || !peers::has_browser() {
        return;
    }
    let server = serve(&["--mode=rooms", "--history=100"]);
    let mut a = wscope(&["test", "game.wst", "--timeout=30s", "--url", server.url()])
        .file("game.wst", include_str!("harness/peers/game_mixed.wst"))
        .spawn();
    let url = format!("{}game", server.url());
    let join = |since: u32| format!(r#"{{"type":"join","room":"match:7","since":{since}}}"#);
    let moved = |x: u32| format!(r#"{{"type":"move","x":{x}}}"#);
    let hears = |player: &Running, x: u32| {
        let line = player.stdout.line(&format!(r#""x":{x},"#));
        let heard: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(
            (&heard["type"], &heard["offset"]),
            (&json!("move"), &json!(x))
        );
    };
    // A waits for B before C.
    let mut b = peers::player("browser", &url);
    let mut c = peers::player("node", &url);
    b.send(&join(0));
    b.stdout.line("joined");
    c.send(&join(0));
    hears(&b, 1);
    hears(&c, 1);
    c.signal(Signal::Kill);
    hears(&b, 2);
    b.send(&moved(3));

    let mut c = peers::player("node", &url);
    c.send(&join(1));
    hears(&c, 2);
    hears(&c, 3);
    let missed = String::from_utf8(c.stdout.so_far()).unwrap();
    assert!(!missed.contains(r#""x":1,"#), "it has heard that: {missed}");
    c.send(&moved(4));
    hears(&b, 4);
    hears(&c, 5);
    b.send(&moved(6));
    hears(&c, 6);
    a.end_input();
    a.wait().code(0);
    for player in [&mut b, &mut c] {
        player.end_input();
    }
    b.wait().code(0);
    c.wait().code(0);
}

#[test]
fn the_same_room_on_two_paths_is_two_rooms() {
    let server = serve(&["--mode=rooms", "--path=/chat", "--path=/news"]);
    let mut chat = Client::at(&server, "/chat");
    let mut news = Client::at(&server, "/news");
    chat.joins("lobby");
    let joined = news.joins("lobby");
    assert_eq!(joined["members"].as_array().unwrap().len(), 1, "{joined}");
    chat.says(&json!({"type": "message", "room": "lobby", "text": "psst", "id": 1}));
    assert_eq!(chat.hears_of("ack")["id"], 1);
    news.says(&json!({"type": "ping"}));
    assert_eq!(news.hears()["type"], "pong", "nothing came before it");
}

#[test]
fn our_client_and_theirs_share_a_room() {
    let server = serve(&["--mode=rooms"]);
    let mut raw = Client::at(&server, "/");
    raw.joins("lobby");
    let join = r#"{"type":"join","id":1,"payload":{"roomId":"lobby"}}"#;
    let say = r#"{"type":"message","id":2,"payload":{"roomId":"lobby","text":"hello"}}"#;
    let run = wscope(&["connect", server.url(), "-x", join, "-x", say, "-n", "2"]).run();
    let stdout = String::from_utf8(run.code(0).stdout).unwrap();
    let lines: Vec<Value> = stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines[0]["payload"]["members"].as_array().unwrap().len(), 2);
    assert_eq!(
        lines[1],
        json!({"type": "ack", "id": 2, "meta": {}, "payload": {}})
    );
    assert_eq!(
        raw.hears_of("message"),
        json!({"type": "message", "id": 2, "room": "lobby", "text": "hello", "from": "m2"})
    );
    let url = server.url().to_owned();
    let theirs = [Implementation::NodeWs, Implementation::PythonWebsockets];
    let installed = theirs.map(Implementation::is_installed);
    let theirs = theirs.map(|theirs| {
        let url = url.clone();
        std::thread::spawn(move || {
            theirs.client(&["say", &url, r#"{"type":"join","room":"lobby"}"#])
        })
    });
    let installed = installed.into_iter().filter(|installed| *installed);
    for _ in installed {
        while raw.hears_of("presence")["state"] != "joined" {}
    }
    server.stop(Signal::Terminate).code(0);
    for output in theirs
        .into_iter()
        .filter_map(|theirs| theirs.join().unwrap())
    {
        let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(
            stdout.contains("joined") && stdout.contains("1001"),
            "{stdout}"
        );
    }
}

#[test]
fn sink_says_nothing_and_flood_counts() {
    let server = serve(&["--mode=sink"]);
    let mut client = Client::at(&server, "/");
    client.says(&json!({"type": "ping"}));
    client.0.send_frame(harness::raw::PING, "first");
    assert_eq!(client.0.frame().expect("a pong").opcode, harness::raw::PONG);

    let server = serve(&["--mode=flood=200/s"]);
    let mut client = Client::at(&server, "/");
    for n in 1..=20 {
        let message = client.hears();
        assert_eq!(
            (&message["type"], &message["n"]),
            (&json!("flood"), &json!(n))
        );
        assert!(message["time"].as_str().unwrap().ends_with('Z'));
    }
}

#[test]
fn modes_and_rates_that_there_are_not_are_told() {
    for (args, says) in [
        (&["--mode=roms"][..], &["roms", "rooms"][..]),
        (&["--mode=flood=fast"], &["fast", "100/s"]),
        (&["--mode=echo=5"], &["echo=5"]),
        (&["--history=5"], &["--history", "--mode rooms"]),
        (&["--overflow=drop"], &["drop", "drop-oldest"]),
        (&["--overflow=block"], &["--overflow", "--mode echo"]),
        (
            &["--overflow=block", "--mode=sink"],
            &["--overflow", "--mode sink"],
        ),
        (
            &["--save-dir=.", "--save-types=pgn"],
            &["--save-types", "did you mean png?"],
        ),
    ] {
        let mut all = vec!["serve", "0"];
        all.extend_from_slice(args);
        wscope(&all).run().code(2).stdout("").says(says);
    }
}

/// Somebody fills a path with messages: rooms of that path lose theirs, and who comes back to one is told;
/// rooms of another path lose none.
#[test]
fn what_a_full_history_lost_is_told() {
    let server = serve(&["--mode=rooms", "--history=10"]);
    let text = "x".repeat(900_000);
    for (quiet, noisy) in [("/a", "/a"), ("/b", "/c")] {
        let [mut a, mut b] = [(); 2].map(|()| {
            let mut client = Client::at(&server, quiet);
            client.joins("q");
            client
        });
        let mut says_three = |first: u32| {
            for offset in first..first + 3 {
                a.says(&json!({"type": "message", "id": offset, "room": "q"}));
                assert_eq!(a.hears_of("ack")["offset"], offset);
            }
        };
        says_three(1);
        b.says(&json!({"type": "leave", "room": "q"}));
        b.hears_of("left");
        let mut filler = Client::at(&server, noisy);
        for room in 0..30 {
            let room = format!("r{room}");
            filler.joins(&room);
            filler.says(&json!({"type": "message", "id": 1, "room": room, "text": text}));
            filler.hears_of("ack");
        }
        says_three(4);
        let lost = quiet == noisy;
        for (since, gap) in [(1, lost), (3, false)] {
            b.says(&json!({"type": "join", "room": "q", "since": since}));
            let joined = b.hears_of("joined");
            assert_eq!(joined["offset"], 6);
            assert_eq!(joined.get("gap").is_some(), gap, "{joined}");
            let first = if lost { 4 } else { since + 1 };
            for offset in first..=6 {
                assert_eq!(b.hears_of("message")["offset"], offset);
            }
        }
    }
    server.stop(Signal::Terminate).code(0);
}
