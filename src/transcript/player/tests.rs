//! Scenarios: a transcript, and what happens at which millisecond.

use std::collections::HashMap;

use super::*;
use crate::model::secret::Secret;
use crate::model::secret::known::{Known, Named};
use crate::transcript::parse::parse;
use crate::transcript::syntax::{Source, Transcript};

/// No files.
struct Nothing;

impl Files for Nothing {
    fn read(&self, path: &str) -> Result<bytes::Bytes, String> {
        Err(format!("{path}: no such file"))
    }
}

/// A player and its clock.
struct Stage {
    player: Player,
    began: Instant,
    now: Instant,
    /// What was done, in short.
    did: Vec<String>,
}

impl Stage {
    fn new(text: &str) -> Self {
        Self::with_secret(text, "hunter2")
    }

    /// `{{secret_key}}` has this value.
    fn with_secret(text: &str, value: &str) -> Self {
        let transcript = Transcript {
            sources: vec![Source::new("t.wst", text)],
            statements: parse(text, 0).unwrap(),
        };
        let key = Named::declared("key".into(), Secret::new(value.into()));
        let given = Given {
            variables: HashMap::from([("url".into(), "ws://h".into())]),
            secrets: Known::new([key]).unwrap(),
            hidden: Vec::new(),
        };
        let program = Program::new(transcript, given.names()).unwrap();
        let settings = Settings {
            timeout: Duration::from_secs(1),
            given: Arc::new(given),
            files: Arc::new(Nothing),
        };
        let now = Instant::now();
        let start = Start {
            now,
            wall: SystemTime::UNIX_EPOCH,
            seed: 1,
        };
        Self {
            player: Player::new(Arc::new(program), settings, start),
            began: now,
            now,
            did: Vec::new(),
        }
    }

    /// Does what there is to do, opening and closing at once, until it waits; until when.
    fn run(&mut self) -> Option<Duration> {
        loop {
            match self.player.poll(self.now) {
                Next::Open(id, opening) => {
                    self.did.push(format!("{id} open {}", opening.url));
                    if !opening.url.contains("refuse") {
                        self.hear(id, Heard::Opened);
                    }
                }
                Next::Send(id, command) => {
                    self.did.push(format!(
                        "{id} {}",
                        shown(&command, &Known::default()).unwrap()
                    ));
                    if let Command::Close(_) = command {
                        self.hear(id, closed(1000, true));
                    }
                }
                Next::Wait(deadline) => return deadline.map(|deadline| deadline - self.began),
                Next::Done => return None,
            }
        }
    }

    fn hear(&mut self, id: PeerId, heard: Heard) {
        self.player.heard(id, heard, self.now);
    }

    fn say(&mut self, id: PeerId, text: &str) -> Option<Duration> {
        self.hear(id, Heard::Message(Message::text(text)));
        self.run()
    }

    fn pass(&mut self, millis: u64) -> Option<Duration> {
        self.now += Duration::from_millis(millis);
        self.run()
    }

    fn end(mut self) -> FileOutcome {
        assert_eq!(self.run(), None);
        self.player.outcome("t.wst".into(), self.now)
    }

    /// It has passed.
    #[track_caller]
    fn passed(self) -> FileOutcome {
        let outcome = self.end();
        assert_eq!(outcome.code(), ExitCode::DONE, "{outcome:#?}");
        outcome
    }

    /// The failure that it ended with: place, expected, got, exit code.
    #[track_caller]
    fn failed(self) -> (String, String, String, u8) {
        let outcome = self.end();
        let (_, failure) = outcome
            .failures()
            .next()
            .unwrap_or_else(|| panic!("{outcome:#?}"));
        (
            failure.place.to_string(),
            failure.expected.clone(),
            failure.got.clone(),
            failure.code.0,
        )
    }
}

fn closed(code: u16, by_us: bool) -> Heard {
    Heard::Closed {
        code: CloseCode(code),
        reason: String::new(),
        by_us,
    }
}

const fn millis(count: u64) -> Option<Duration> {
    Some(Duration::from_millis(count))
}

fn failure(place: &str, expected: &str, got: &str, code: u8) -> (String, String, String, u8) {
    (place.into(), expected.into(), got.into(), code)
}

#[test]
fn a_conversation_is_played_and_closed() {
    let mut stage =
        Stage::new("connect ws://h/{{seq}}\n> {\"n\":{{seq}}}\n< ok\n  let x = whole\n> {{x}}!\n");
    assert_eq!(stage.run(), millis(1000));
    stage.pass(5);
    assert_eq!(stage.say(0, "ok"), None);
    assert_eq!(
        stage.did,
        ["0 open ws://h/1", "0 {\"n\":2}", "0 ok!", "0 /close 1000"]
    );
    let outcome = stage.passed();
    assert_eq!(outcome.totals().passed, 4);
    assert_eq!(outcome.steps[2].latency, Duration::from_millis(5));
    assert_eq!(
        (
            outcome.steps[2].line.as_str(),
            outcome.steps[2].place.column
        ),
        ("< ok", 3)
    );
}

#[test]
fn without_a_connect_the_url_from_outside_is_used() {
    let mut stage = Stage::new("> hi\n");
    stage.run();
    assert_eq!(stage.did, ["0 open ws://h", "0 hi", "0 /close 1000"]);
    stage.passed();
}

#[test]
fn the_implied_connect_is_made_once_and_where_it_is_needed() {
    let mut stage = Stage::new("a: connect x\nrepeat 2\n> hi\nend\n");
    stage.run();
    assert_eq!(
        stage.did[..4],
        ["0 open x", "1 open ws://h", "1 hi", "1 hi"]
    );
    let outcome = stage.passed();
    let implied = &outcome.steps[1];
    assert_eq!(implied.place.to_string(), "2:1");
    assert!(
        implied.line.starts_with("connect {{url}} (implied"),
        "{implied:?}"
    );
}

#[test]
fn a_step_has_its_own_time_from_its_start() {
    let mut stage = Stage::new("connect x\nwait 300ms\n< a\n< b\n  within 100ms\n");
    assert_eq!(stage.run(), millis(300));
    assert_eq!(stage.pass(300), millis(1300));
    assert_eq!(stage.pass(900), millis(1300));
    assert_eq!(stage.say(0, "a"), millis(1300));
    assert_eq!(stage.pass(99), millis(1300));
    stage.pass(1);
    assert_eq!(
        stage.failed(),
        failure("4:3", "a message", "none within 100ms", 4)
    );
}

#[test]
fn what_came_early_waits_in_a_queue_of_its_peer() {
    let mut stage = Stage::new("a: connect x\nb: connect x\nwait 1s\na< 1\nb< 2\na< 3\n");
    stage.run();
    for (id, text) in [(0, "1"), (1, "2"), (0, "3")] {
        stage.say(id, text);
    }
    stage.pass(1000);
    let outcome = stage.passed();
    assert!(
        outcome.steps[3..]
            .iter()
            .all(|step| step.latency == Duration::ZERO)
    );
}

#[test]
fn a_difference_is_pointed_at() {
    let mut stage = Stage::new("connect x\n< /json {\"a\":{\"b\":1}}\n> never\n");
    stage.run();
    stage.pass(12);
    stage.say(0, "{\"a\":{\"b\":2}}");
    let outcome = stage.end();
    let (step, failure) = outcome.failures().next().unwrap();
    assert_eq!(
        (step.place.to_string(), failure.place.to_string()),
        ("2:3".into(), "2:15".into())
    );
    assert_eq!(failure.pointer.as_deref(), Some("/a/b"));
    let received = failure.message.as_ref().unwrap();
    assert_eq!(
        (received.ordinal, received.after),
        (Some(1), Duration::from_millis(12))
    );
    assert_eq!(outcome.totals().skipped, 1);
}

#[test]
fn skipping_ends_at_a_close() {
    let mut stage = Stage::new("connect x\n<~ c\n<~ d\n");
    stage.run();
    for text in ["a", "b", "c", "x"] {
        stage.say(0, text);
    }
    stage.hear(0, closed(1011, false));
    assert_eq!(
        stage.failed(),
        failure(
            "3:4",
            "the text \"d\"",
            "a Close with code 1011 (internal error)",
            8
        )
    );
}

#[test]
fn none_holds_when_its_time_has_passed_without_a_message() {
    let script = "connect x\nignore tick\n< /none 200ms\n< a\n";
    let mut stage = Stage::new(script);
    assert_eq!(stage.run(), millis(200));
    stage.pass(100);
    assert_eq!(stage.say(0, "tick"), millis(200));
    stage.hear(0, Heard::Ping("x".into()));
    stage.pass(100);
    stage.say(0, "a");
    assert_eq!(stage.passed().steps[1].latency, Duration::from_millis(200));

    let mut late = Stage::new(script);
    late.run();
    // The driver looks again only when the message is there: it came after the time.
    late.now += Duration::from_millis(250);
    late.say(0, "a");
    late.passed();

    let mut early = Stage::new(script);
    early.run();
    early.pass(199);
    early.say(0, "a");
    assert_eq!(
        early.failed(),
        failure("3:9", "nothing for 200ms", "a text message", 4)
    );
}

#[test]
fn all_are_met_in_any_order_and_give_way_to_each_other() {
    let script =
        "connect x\n< /all\n  /contains a\n    let x = whole\n  /contains ab\nend\n> {{x}}\n";
    let mut stage = Stage::new(script);
    stage.run();
    stage.say(0, "abc");
    stage.say(0, "a");
    assert_eq!(stage.did[1], "0 a");
    stage.passed();

    let mut wrong = Stage::new(script);
    wrong.run();
    wrong.say(0, "ab");
    wrong.say(0, "b");
    assert_eq!(wrong.failed().2, "\"b\"");

    let mut missing = Stage::new(script);
    missing.run();
    missing.say(0, "ab");
    missing.pass(1000);
    assert_eq!(
        missing.failed(),
        failure("5:3", "1 more of 2 messages", "none within 1s", 4)
    );
}

#[test]
fn repeats_nest_and_values_are_made_anew() {
    let mut stage = Stage::new("connect x\nrepeat 2\nrepeat 2\n> {{seq}}\nend\n> x\nend\n");
    stage.run();
    assert_eq!(stage.did[1..7], ["0 1", "0 2", "0 x", "0 3", "0 4", "0 x"]);
    assert_eq!(stage.passed().totals().passed, 7);
}

#[test]
fn a_close_that_nobody_expects_fails() {
    for (code, by_us, exit) in [
        (1000, false, 0),
        (1001, false, 0),
        (1005, false, 0),
        (4000, true, 0),
        (1011, false, 8),
        (1006, false, 8),
    ] {
        let mut stage = Stage::new("connect x\nwait 1s\n");
        stage.run();
        stage.hear(0, closed(code, by_us));
        stage.pass(1000);
        assert_eq!(stage.end().code().0, exit, "{code}");
    }
    let mut stage = Stage::new("connect x\n< /close 1011\nconnect y\n");
    stage.run();
    stage.hear(0, closed(1011, false));
    stage.run();
    assert_eq!(stage.did, ["0 open x", "0 open y", "0 /close 1000"]);
    stage.passed();
}

#[test]
fn a_second_connect_needs_a_closed_peer() {
    let mut stage = Stage::new("a: connect x\na: connect y\n");
    stage.run();
    let (place, expected, ..) = stage.failed();
    assert_eq!(
        (place.as_str(), expected.as_str()),
        ("2:1", "a to be closed before it connects again")
    );
}

#[test]
fn nothing_is_sent_on_a_connection_that_is_over() {
    let mut stage = Stage::new("connect x\nwait 1s\n> hi\n");
    stage.run();
    stage.hear(0, closed(1000, false));
    stage.pass(1000);
    let (_, expected, got, code) = stage.failed();
    assert_eq!(expected, "");
    assert_eq!(
        (got.as_str(), code),
        (
            "nothing can be sent: there was a Close with code 1000 (normal closure)",
            4
        )
    );
}

#[test]
fn a_refusal_is_right_only_where_it_is_expected() {
    let refuse = |text: &str| {
        let mut stage = Stage::new(text);
        stage.run();
        stage.hear(
            0,
            Heard::Refused {
                status: 401,
                reason: "Unauthorized".into(),
            },
        );
        let failed = Failed {
            code: ExitCode::REFUSED,
            message: "ws://refuse refused the handshake: HTTP 401 Unauthorized".into(),
            hint: Some("try a token".into()),
        };
        stage.hear(0, Heard::Failed(failed));
        stage
    };
    refuse("connect refuse\n< /refused 401\nconnect x\n").passed();
    let other = refuse("connect refuse\n< /refused 403\n").failed();
    assert_eq!(
        other,
        failure("2:12", "HTTP 403", "HTTP 401 Unauthorized", 4)
    );
    let unexpected = refuse("connect refuse\n< x\n").end();
    let (_, failure) = unexpected.failures().next().unwrap();
    assert_eq!(
        (failure.code.0, failure.hint.as_deref()),
        (5, Some("try a token"))
    );
    let mut opened = Stage::new("connect x\n< /refused\n");
    opened.run();
    assert_eq!(opened.failed().2, "101: the connection is open");
}

#[test]
fn a_capture_that_finds_nothing_fails_at_its_line() {
    let mut stage = Stage::new("connect x\n< /any\n  let a = /x\n");
    stage.run();
    stage.say(0, "{}");
    assert_eq!(
        stage.failed(),
        failure("3:3", "a value at /x for a", "no such member", 4)
    );
}

#[test]
fn secrets_are_in_no_outcome() {
    let mut stage = Stage::new("connect x?t={{secret_key}}\n> {{secret_key}}\n< {{secret_key}}x\n");
    stage.run();
    assert_eq!(stage.did[1], "0 hunter2");
    stage.say(0, "hunter2y");
    let outcome = stage.end();
    assert!(!format!("{outcome:?}").contains("hunter2"), "{outcome:#?}");
}

#[test]
fn no_part_of_a_secret_is_in_an_outcome() {
    let long: String = (0..30).map(|at| format!("S{at}c")).collect();
    for value in [
        "key\"Secret",
        "key\\Sec\tret",
        "\u{1b}[31mkey\nSec.ret",
        &long,
    ] {
        let json = serde_json::json!({ "pad": "b".repeat(30), "k": value }).to_string();
        let text = |text: &str| Heard::Message(Message::text(text.to_owned()));
        let around = format!("{}{value}{}", "b".repeat(55), "a".repeat(9));
        let came = [
            text(value),
            text(&around),
            text(&json),
            Heard::Message(Message::binary(value.as_bytes().to_vec())),
            Heard::Message(Message::binary(around.as_bytes()[44..].to_vec())),
            Heard::Closed {
                code: CloseCode(4000),
                reason: value.into(),
                by_us: false,
            },
        ];
        for line in [
            "< nope",
            "< {{secret_key}}x",
            "< {\"k\":\"{{secret_key}}x\"}",
            "< /json {\"k\":\"x{{secret_key}}\"}",
            "< /json [\"{{secret_key}}\"]",
            "< /exactly {\"pad\":{{*}}}",
            "< /exactly {}",
            "< /match ^x{{secret_key}}$",
            "< /contains x{{secret_key}}",
            "< /bin hex:00",
            "< /close 1000 {{secret_key}}",
            "< /close 4000 x{{secret_key}}",
            "< /none 1s",
            "< /ping",
            "<~ nope",
            "< /any\n  let x = /k/x",
        ] {
            let script = format!("connect x\n{line}\n");
            for what in &came {
                let mut stage = Stage::with_secret(&script, value);
                stage.run();
                stage.hear(0, what.clone());
                stage.run();
                stage.pass(2000);
                let outcome = stage.end();
                // What the peer said of the secret is shown as `***`, whole.
                let shown = format!("{:?}", outcome.steps).replace("{{secret_key}}", "");
                for part in ["key", "ret", "6b 65 79", "6b6579", "S1c", "53 31 63"] {
                    assert!(!shown.contains(part), "{line}: {part} {outcome:#?}");
                }
            }
        }
    }
}

#[test]
fn a_peer_that_is_not_listened_to_is_not_read_for_ever() {
    let mut stage = Stage::new("a: connect x\nb: connect x\nwait 1s\nb< /any\n");
    stage.run();
    let large = Message::binary(vec![0; 1 << 20]);
    for _ in 0..17 {
        stage.hear(1, Heard::Message(large.clone()));
    }
    assert!(stage.player.has_room(0) && !stage.player.has_room(1));
}

#[test]
fn what_cannot_be_sent_in_time_fails_where_it_stands() {
    let mut stage = Stage::new("connect x\n> a\n> b\n");
    assert!(matches!(stage.player.poll(stage.now), Next::Open(..)));
    stage.hear(0, Heard::Opened);
    assert!(matches!(stage.player.poll(stage.now), Next::Send(..)));
    stage.now += stage.player.timeout();
    stage.player.not_sent(stage.now);
    let outcome = stage.end();
    let (step, failure) = outcome.failures().next().unwrap();
    assert_eq!(
        (step.line.as_str(), failure.code),
        ("> a", ExitCode::NOT_MET)
    );
    assert!(failure.got.contains("does not read"), "{failure:?}");
    assert_eq!(step.latency, Duration::from_secs(1));
    let totals = outcome.totals();
    assert_eq!((totals.passed, totals.failed, totals.skipped), (1, 1, 1));
}

#[test]
fn a_value_does_not_grow_without_bound() {
    let grow = "connect x\nset a = x\nrepeat 40\nset a = {{a}}{{a}}\nend\n> hi\n";
    let mut stage = Stage::new(grow);
    stage.run();
    let larger = "this value is larger than 1 MiB";
    assert_eq!(stage.failed(), failure("4:1", "", larger, 4));
    let mut stage = Stage::new("connect x\n< /any\n  let a = whole\n");
    stage.run();
    stage.say(0, &"x".repeat((1 << 20) + 1));
    assert_eq!(stage.failed(), failure("2:3", "", larger, 4));
}

#[test]
fn what_ends_it_while_peers_are_being_closed_is_told_too() {
    let mut stage = Stage::new("connect x\n");
    assert!(matches!(stage.player.poll(stage.now), Next::Open(..)));
    stage.hear(0, Heard::Opened);
    assert!(matches!(stage.player.poll(stage.now), Next::Send(..)));
    assert!(matches!(stage.player.poll(stage.now), Next::Wait(None)));
    assert!(
        !stage
            .player
            .interrupt(ExitCode::TIMEOUT, "--max-time has passed")
    );
    let outcome = stage.player.outcome("t.wst".into(), stage.now);
    assert_eq!(outcome.code(), ExitCode::TIMEOUT);
}

#[test]
fn what_cannot_be_played_is_found_before() {
    let wrong = |text: &str| -> String {
        let statements = parse(text, 0).unwrap();
        let transcript = Transcript {
            sources: Vec::new(),
            statements,
        };
        let wrong = Program::new(transcript, ["room".to_owned()]).unwrap_err();
        wrong
            .diagnostics
            .iter()
            .map(|one| format!("{}: {}\n", one.message, one.hint.as_deref().unwrap_or("")))
            .collect()
    };
    let doubled: String = (1..12)
        .map(|at| {
            format!(
                "set a{at} = {{{{a{before}}}}}{{{{a{before}}}}}\n",
                before = at - 1
            )
        })
        .collect();
    for (text, said) in [
        (
            "connect x\n> {{rom}}",
            "{{rom}} has no value here: did you mean {{room}}?",
        ),
        ("connect {{secret_t}}", "--secret t=..."),
        (
            "connect x\n> {{a}}\n< /any\n let a = whole",
            "{{a}} has no value here",
        ),
        ("> hi", "nothing says where to connect to"),
        (
            &format!("set a0 = {}\n{doubled}> x", "x".repeat(1 << 10)),
            "this value is larger than 1 MiB",
        ),
        ("# nothing\nset a = b", "there is nothing to play"),
        ("alice: connect x\nalcie> hi", "did you mean alice?"),
        ("connect x\n> a\n< /refused 401", "right after the connect"),
        (
            "connect x\nrepeat 99999\nrepeat 99\n> x\nend\nend",
            "at most 100000",
        ),
    ] {
        assert!(wrong(text).contains(said), "{text}: {}", wrong(text));
    }
}
