use std::time::Duration;

use super::*;
use crate::error::Error;
use crate::view::sample::{self, open, problem, received, refused, sent};

fn closed(code: u16, by: ClosedBy) -> Event {
    sample::close(code, by, "", Duration::ZERO)
}

fn by_peer(code: u16) -> Event {
    closed(code, ClosedBy::Peer)
}

fn dropped() -> Event {
    closed(1006, ClosedBy::Transport)
}

fn error(kind: &'static str) -> Event {
    problem(kind, "x", None)
}

fn run(conditions: &Conditions, events: &[Event], stop: Option<Stop>) -> u8 {
    let mut outcome = Outcome::new(conditions.clone());
    for event in events {
        outcome.observe(event);
    }
    if let Some(stop) = stop {
        outcome.stop(stop);
    }
    outcome.exit_code().0
}

#[test]
fn the_close_decides_where_nothing_else_was_asked_for() {
    for (events, code) in [
        (vec![], 0),
        (vec![open(), by_peer(1000)], 0),
        (vec![open(), by_peer(1001)], 0),
        (vec![open(), by_peer(1005)], 0),
        (vec![open(), by_peer(1011)], 8),
        (vec![open(), by_peer(4001)], 8),
        (vec![open(), dropped()], 8),
        (vec![open(), closed(4001, ClosedBy::Us)], 0),
        (
            vec![open(), error("protocol"), closed(1002, ClosedBy::Us)],
            9,
        ),
        (
            vec![open(), error("timeout"), closed(1006, ClosedBy::Us)],
            7,
        ),
        (vec![open(), error("timeout"), dropped()], 7),
        (vec![refused(403, &[], b"")], 5),
        (vec![refused(403, &[], b""), error("refused")], 5),
        (vec![error("dns")], 3),
        (vec![error("connect")], 3),
        (vec![error("handshake")], 5),
        (vec![error("tls")], 6),
        (vec![error("timeout")], 7),
        (vec![error("usage")], 2),
        (vec![error("io")], 1),
    ] {
        assert_eq!(
            run(&Conditions::default(), &events, None),
            code,
            "{events:?}"
        );
    }
}

#[test]
fn a_reconnect_wipes_the_slate_and_the_last_failure_stays() {
    for (events, code) in [
        (vec![open(), dropped(), open(), by_peer(1000)], 0),
        (vec![open(), by_peer(1000), open(), dropped()], 8),
        (vec![open(), dropped(), error("connect")], 3),
        (
            vec![open(), dropped(), error("connect"), error("retries")],
            3,
        ),
        (vec![open(), error("closed"), dropped()], 8),
        (vec![open(), dropped(), refused(503, &[], b"")], 5),
        (
            vec![open(), error("protocol"), by_peer(1002), open(), dropped()],
            8,
        ),
    ] {
        assert_eq!(
            run(&Conditions::default(), &events, None),
            code,
            "{events:?}"
        );
    }
}

#[test]
fn what_was_asked_for_has_to_happen() {
    let count = |count| Conditions {
        count: Some(count),
        ..Conditions::default()
    };
    let until = |text| Conditions {
        until: Some(Predicate::parse(text).unwrap()),
        ..Conditions::default()
    };
    let both = Conditions {
        count: Some(2),
        ..until("done")
    };
    let filtered = Conditions {
        select: Select {
            filter: Some(Predicate::parse("x").unwrap()),
            ..Select::default()
        },
        ..count(2)
    };
    let [a, x, done] = ["a", "x", "done"].map(received);
    let bye = by_peer(1000);
    for (conditions, events, code) in [
        (&count(2), vec![&a, &x, &dropped()], 0),
        (&count(2), vec![&a, &sent("b"), &bye], 4),
        (&count(2), vec![&a, &dropped()], 4),
        (&count(2), vec![&a, &error("closed"), &dropped()], 4),
        (&count(2), vec![&a, &error("protocol"), &dropped()], 9),
        (&count(2), vec![&error("dns")], 3),
        (&count(1), vec![&a, &error("protocol"), &dropped()], 0),
        (&until("done"), vec![&a, &done, &by_peer(1011)], 0),
        (&until("done"), vec![&a, &bye], 4),
        (&until("done"), vec![&sent("done"), &bye], 4),
        (&until("done & dir:out"), vec![&sent("done"), &bye], 0),
        (&until("code:1006"), vec![&a, &dropped()], 0),
        (&both, vec![&done], 0),
        (&both, vec![&a, &a], 4),
        (&filtered, vec![&x, &a, &bye], 4),
        (&filtered, vec![&x, &a, &x, &bye], 0),
    ] {
        let events: Vec<Event> = [&open()].into_iter().chain(events).cloned().collect();
        assert_eq!(
            run(conditions, &events, None),
            code,
            "{conditions:?} {events:?}"
        );
    }
}

#[test]
fn an_expected_close_is_a_good_end_and_another_is_not() {
    let expect = |code| Conditions {
        expect_close: Some(CloseCode(code)),
        ..Conditions::default()
    };
    for (expected, events, code) in [
        (4001, vec![open(), by_peer(4001)], 0),
        (1006, vec![open(), dropped()], 0),
        (4001, vec![open(), by_peer(1000)], 4),
        (4001, vec![open(), dropped()], 4),
        (4001, vec![open()], 4),
        (4001, vec![error("dns")], 3),
        (
            1002,
            vec![open(), error("protocol"), closed(1002, ClosedBy::Us)],
            0,
        ),
        (
            1000,
            vec![open(), error("protocol"), closed(1002, ClosedBy::Us)],
            9,
        ),
    ] {
        assert_eq!(run(&expect(expected), &events, None), code, "{events:?}");
    }
}

#[test]
fn why_it_was_stopped_comes_first() {
    let person = Conditions {
        interactive: true,
        ..Conditions::default()
    };
    let server = Conditions {
        serving: true,
        ..Conditions::default()
    };
    let nobody = Conditions::default();
    let counting = Conditions {
        count: Some(1),
        ..Conditions::default()
    };
    let signal = |code| Some(Stop::Signal(code));
    let events = [open(), dropped()];
    for (conditions, stop, code) in [
        (&nobody, signal(ExitCode::SIGINT), 130),
        (&nobody, signal(ExitCode::SIGTERM), 143),
        (&nobody, signal(ExitCode::SIGHUP), 129),
        (&person, signal(ExitCode::SIGINT), 0),
        (&server, signal(ExitCode::SIGTERM), 0),
        (&server, signal(ExitCode::SIGHUP), 129),
        (&nobody, Some(Stop::MaxTime), 7),
        (&nobody, Some(Stop::OnPurpose), 0),
        (&counting, Some(Stop::OnPurpose), 4),
        (&counting, Some(Stop::ReaderGone), 0),
        (&nobody, None, 8),
        (&server, None, 0),
    ] {
        assert_eq!(
            run(conditions, &events, stop),
            code,
            "{conditions:?} {stop:?}"
        );
    }
    let mut outcome = Outcome::new(nobody);
    outcome.stop(Stop::MaxTime);
    outcome.stop(Stop::Signal(ExitCode::SIGINT));
    assert_eq!(outcome.exit_code(), ExitCode::TIMEOUT);
}

#[test]
fn a_server_that_cannot_listen_fails_and_its_clients_do_not_matter() {
    let server = Conditions {
        serving: true,
        ..Conditions::default()
    };
    let mut bind = error("bind");
    bind.conn = None;
    assert_eq!(run(&server, &[bind], None), 3);
    assert_eq!(
        run(&server, &[open(), error("protocol"), dropped()], None),
        0
    );
}

#[test]
fn of_several_targets_each_has_to_end_well() {
    let named = |name: &str, mut event: Event| {
        event.name = Some(Arc::from(name));
        event
    };
    let events = [
        named("a", open()),
        named("b", open()),
        named("a", dropped()),
        named("b", by_peer(1000)),
    ];
    assert_eq!(run(&Conditions::default(), &events, None), 8);
    assert_eq!(run(&Conditions::default(), &events[1..2], None), 0);
}

#[test]
fn kinds_have_the_exit_codes_of_their_errors() {
    let io = || std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
    let (address, message) = (String::new, String::new);
    for error in [
        Error::usage("x"),
        Error::Dns {
            host: String::new(),
            cause: String::new(),
        },
        Error::Connect {
            address: address(),
            cause: io(),
        },
        Error::Timeout {
            doing: String::new(),
            after: Duration::ZERO,
        },
        Error::Refused {
            address: address(),
            status: 403,
            reason: String::new(),
            hint: None,
        },
        Error::Handshake {
            address: address(),
            message: message(),
            hint: None,
        },
        Error::Dropped {
            address: address(),
            doing: "x",
            cause: None,
            hint: None,
        },
        Error::Bind {
            address: address(),
            cause: io(),
        },
        Error::Io {
            doing: String::new(),
            cause: io(),
        },
        Error::Internal(message()),
    ] {
        assert_eq!(code_of(error.kind()), error.exit_code(), "{error}");
    }
}

#[test]
fn the_end_has_the_totals_and_the_code() {
    let mut outcome = Outcome::new(Conditions::default());
    let rtt = Duration::from_millis(5);
    for event in [
        open(),
        sent("ab"),
        received("abc"),
        sample::ping(Direction::Out, b"1"),
        sample::pong(b"1", Some(rtt)),
        by_peer(1011),
    ] {
        outcome.observe(&event);
    }
    let end = outcome.end();
    assert_eq!(
        (end.sent.messages, end.sent.payload, end.sent.ping),
        (1, 2, 1)
    );
    assert_eq!(
        (end.received.text, end.received.wire, end.received.pong),
        (1, 5, 1)
    );
    assert_eq!((end.sent.close, end.received.close), (1, 1));
    assert_eq!(end.rtt.unwrap().p99, rtt);
    assert_eq!(end.exit, 8);
}

#[test]
fn pongs_that_did_not_come_count_least() {
    let two = Conditions {
        pongs: Some(2),
        ..Conditions::default()
    };
    let pong = || sample::pong(b"1", Some(Duration::ZERO));
    for (events, code) in [
        (vec![open(), pong(), pong(), closed(1000, ClosedBy::Us)], 0),
        (vec![open(), pong(), by_peer(1000)], 4),
        (vec![open(), pong(), by_peer(1011)], 8),
        (vec![open(), pong(), dropped()], 8),
        (
            vec![open(), error("timeout"), closed(1000, ClosedBy::Us)],
            7,
        ),
        (vec![error("connect")], 3),
        // Nobody asked for this one.
        (
            vec![open(), pong(), sample::pong(b"", None), by_peer(1000)],
            4,
        ),
    ] {
        assert_eq!(run(&two, &events, None), code, "{events:?}");
    }
}

#[test]
fn two_implementations_that_differ_are_4_and_else_ours_decides() {
    let checked = Conditions {
        cross_check: true,
        ..Conditions::default()
    };
    let theirs = |mut event: Event| {
        event.name = Some(crate::wire::reference::NAME.into());
        event
    };
    let refused = || vec![refused(403, &[], b""), error("refused")];
    let closed = || vec![open(), closed(1000, ClosedBy::Us)];
    for (ours, other, code) in [
        (closed(), closed(), 0),
        (refused(), refused(), 5),
        (closed(), refused(), 4),
        (refused(), closed(), 4),
    ] {
        let events: Vec<_> = ours
            .into_iter()
            .chain(other.into_iter().map(theirs))
            .collect();
        assert_eq!(run(&checked, &events, None), code, "{events:?}");
        let interrupted = Some(Stop::Signal(ExitCode::SIGINT));
        assert_eq!(run(&checked, &events, interrupted), 130);
    }
}
