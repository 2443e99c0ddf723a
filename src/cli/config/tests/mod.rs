//! Command lines and the plans that they lead to.

mod file;
mod server;

use std::ffi::OsString;
use std::time::Duration;

use super::environment::Environment;
use super::{Plan, plan};
use crate::cli::typed::{self, Request};
use crate::command::connect;
use crate::command::source::Source;
use crate::model::command::Command;
use crate::model::message::Message;
use crate::session::client;
use crate::session::keepalive::Heartbeat;
use crate::text::style::Style;

/// Words as a shell would cut them; quotes are single.
fn words(line: &str) -> Vec<OsString> {
    let mut words = Vec::new();
    for (at, part) in line.split('\'').enumerate() {
        if at % 2 == 1 {
            words.push(part.into());
        } else {
            words.extend(part.split_whitespace().map(OsString::from));
        }
    }
    words
}

/// A terminal each way, or none, and no variables.
fn surroundings(terminal: bool) -> Environment {
    Environment {
        stdin_is_terminal: terminal,
        stdout_is_terminal: terminal,
        stderr_is_terminal: terminal,
        terminal_size: terminal.then_some((80, 24)),
        in_foreground: terminal,
        ..Environment::default()
    }
}

fn plan_in(environment: &Environment, line: &str) -> Result<Plan, String> {
    match typed::parse(words(line)) {
        Ok(Request::Run(typed)) => plan(&typed, environment).map_err(|error| error.to_string()),
        Ok(Request::Say(answer)) => Err(answer.text),
        Ok(Request::Generate(_)) => Err("--generate".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

fn connecting(environment: &Environment, line: &str) -> connect::Plan {
    match plan_in(environment, line) {
        Ok(Plan::Connect(plan)) => *plan,
        other => panic!("{line}: {other:?}"),
    }
}

fn piped(line: &str) -> connect::Plan {
    connecting(&surroundings(false), line)
}

fn typed_at_terminal(line: &str) -> connect::Plan {
    connecting(&surroundings(true), line)
}

fn error(line: &str) -> String {
    plan_in(&surroundings(false), line)
        .map_or_else(|error| error, |plan| panic!("{line}: {plan:?}"))
}

fn texts(plan: &connect::Plan) -> Vec<Command> {
    plan.clients[0].on_open.clone()
}

/// The Authorization that its handshake has.
fn authorization(client: &client::Plan) -> Option<String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let filled = runtime.block_on(client.secrets.fill(&client.request, &client.tls));
    let authorization = filled.unwrap().0.authorization;
    authorization.map(|value| value.reveal().clone())
}

fn text(text: &str) -> Command {
    Command::Send(Message::text(text))
}

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn the_source_is_a_pipe_an_editor_or_nothing() {
    assert!(matches!(piped("ws://h").source, Source::Pipe(_)));
    assert!(matches!(
        typed_at_terminal("ws://h").source,
        Source::Person(_)
    ));
    for line in ["ws://h --plain", "ws://h -i json", "ws://h -b hex"] {
        assert!(
            matches!(typed_at_terminal(line).source, Source::Pipe(_)),
            "{line}"
        );
    }
    for line in [
        "ws://h -x hi",
        "ws://h --echo",
        "ws://h --reply '\"a\"=b'",
        "listen ws://h",
    ] {
        assert!(matches!(piped(line).source, Source::Nothing), "{line}");
    }
    for line in [
        "ws://h -x hi -i lines",
        "ws://h --echo -i lines",
        "ws://h -x hi --stay",
        "listen ws://h --stdin",
    ] {
        assert!(matches!(piped(line).source, Source::Pipe(_)), "{line}");
    }
    let mut dumb = surroundings(true);
    dumb.variables.insert("TERM".into(), "dumb".into());
    assert!(matches!(
        connecting(&dumb, "ws://h").source,
        Source::Pipe(_)
    ));
}

#[test]
fn slash_commands_are_for_people_unless_asked_for() {
    let slash = |plan: connect::Plan| match plan.source {
        Source::Pipe(plan) => plan.slash,
        other => panic!("{other:?}"),
    };
    assert!(!slash(piped("ws://h")));
    assert!(slash(piped("ws://h --slash")));
    assert!(slash(typed_at_terminal("ws://h --plain")));
    assert_eq!(texts(&piped("ws://h -x /ping")), [text("/ping")]);
    let ping = Command::Ping("a b".into());
    assert_eq!(
        texts(&piped("ws://h --slash -x '/ping a b' -x //x")),
        [ping, text("/x")]
    );
    assert!(error("ws://h --slash -x /stats").contains("/stats"));
    assert!(error("ws://h --slash -x '/close 9'").contains("close code 9"));
}

#[test]
fn the_end_of_input_ends_a_session_but_for_those_that_have_another_end() {
    for (line, input_end, wait) in [
        ("ws://h", true, Some(5 * SECOND)),
        ("ws://h -x hi", true, Some(5 * SECOND)),
        ("ws://h -w -1", true, None),
        ("ws://h -w 0.5", true, Some(SECOND / 2)),
        ("ws://h --duration 3", false, Some(5 * SECOND)),
        ("ws://h --duration 3 -w 1", true, Some(SECOND)),
        ("ws://h --echo", false, Some(5 * SECOND)),
    ] {
        let limits = piped(line).limits;
        assert_eq!((limits.input_end, limits.wait), (input_end, wait), "{line}");
    }
    assert!(!piped("listen ws://h").limits.input_end);
    assert_eq!(
        piped("ws://h --max-time 2m").limits.max_time,
        Some(120 * SECOND)
    );
}

#[test]
fn output_is_pretty_for_people_and_raw_in_a_pipe() {
    for (line, person, format) in [
        ("ws://h", true, "pretty"),
        ("ws://h", false, "raw"),
        ("ws://h --json", true, "ndjson"),
        ("ws://h --parse", false, "ndjson"),
        ("ws://h --parse --output ndjson", false, "ndjson"),
        ("ws://h --output hex", false, "hex"),
    ] {
        let plan = connecting(&surroundings(person), line);
        assert_eq!(plan.view.format, format, "{line}");
    }
    assert!(error("ws://h --parse --output raw").contains("--parse"));
    assert!(error("ws://h --json --output raw").contains("cannot be used with"));
}

#[test]
fn colour_follows_the_flags_then_the_environment_then_the_terminal() {
    let mut quiet = surroundings(true);
    quiet.variables.insert("NO_COLOR".into(), "1".into());
    for (environment, line, colour) in [
        (&surroundings(true), "ws://h", true),
        (&surroundings(true), "ws://h --plain", false),
        (&surroundings(true), "ws://h --color never", false),
        (&surroundings(true), "-c ws://h --no-color", false),
        (&surroundings(false), "ws://h", false),
        (&quiet, "ws://h", false),
        (&quiet, "ws://h --color always", true),
    ] {
        let style = connecting(environment, line).view.data_style;
        assert_eq!(style != Style::PLAIN, colour, "{line}");
    }
}

#[test]
fn demo_is_what_a_person_gets_who_names_nothing() {
    assert_eq!(typed_at_terminal("connect").demo, [0]);
    assert_eq!(piped("connect demo").demo, [0]);
    assert_eq!(piped("demo -x hi").demo, [0]);
    assert_eq!(piped("listen ws://h demo").demo, [1]);
    assert!(error("connect").contains("no URL"));
    assert!(error("connect ''").contains("empty"));
}

#[test]
fn wscat_lines_are_the_long_form_in_other_letters() {
    let shown = |plan: connect::Plan| format!("{plan:?}");
    for (wscat, long) in [
        (
            "-c ws://h -x hi -w 1 -n -P -H 'A: b' -s proto -o http://o --auth u:p --slash --no-color -p 13",
            "connect ws://h -x hi --duration 1 -k -P -H 'A: b' -s proto -o http://o --auth u:p --slash --color never --protocol 13 -w 1",
        ),
        (
            "-c h:1/p -L --max-redirects 3 -p 8",
            "connect h:1/p -L --max-redirects 3 --protocol 8 -w 2",
        ),
        (
            "-c ws://h --host a -x 1 -x 2 -w -1",
            "connect ws://h --host a -x 1 -x 2 -w -1",
        ),
        ("-nPc ws://h", "connect ws://h --insecure -P -w 2"),
        (
            "-c ws://h --json --count 3",
            "connect ws://h --json -n 3 -w 2",
        ),
    ] {
        // wscat waits all of the time after -x, where we end early if replies have come.
        let mut long_plan = piped(long);
        if wscat.contains("-x") {
            long_plan.limits.input_end = false;
        }
        assert_eq!(shown(piped(wscat)), shown(long_plan), "{wscat}");
    }
    assert_eq!(piped("-c ws://h -x hi").limits.duration, Some(2 * SECOND));
    assert!(error("-c ws://h -p 12").contains("13"));
    assert!(error("-c ws://h -l 80").contains("-l"));
}

#[test]
fn contradictions_are_errors() {
    for (line, said) in [
        ("ws://h -4 -6", "cannot be used with"),
        ("ws://h --auth a:b --bearer c", "cannot be used with"),
        (
            "ws://h --auth a:b -H 'authorization: c'",
            "-H Authorization contradicts --auth",
        ),
        (
            "ws://h --bearer a -H 'Authorization: c'",
            "-H Authorization contradicts --bearer",
        ),
        ("ws://h --echo --reply '\"a\"=b'", "cannot be used with"),
        ("ws://h --plain --color always", "cannot be used with"),
        ("ws://h --unix-socket /s -4", "cannot be used with"),
        (
            "ws://h --max-retries 3",
            "--max-retries has no effect without --reconnect",
        ),
        (
            "ws://h --backoff base=1",
            "--backoff has no effect without --reconnect",
        ),
        (
            "ws://h --max-redirects 3",
            "--max-redirects has no effect without --location",
        ),
        (
            "ws://h --heartbeat-reply a",
            "--heartbeat-reply has no effect",
        ),
        ("ws://h --force", "--force has no effect without --record"),
        (
            "ws://h --heartbeat off --heartbeat-message a",
            "--heartbeat off",
        ),
        ("ws://h -i ndjson -b hex", "--binary"),
        ("ws://h --record a.txt", "ending"),
        ("ws://h --record a", "ending"),
        ("ws://h -s a,a", "given twice"),
        ("ws://h --tui", "--tui needs a terminal"),
        ("ws://h --tui --line", "cannot be used with"),
        ("ws://h --tui --json", "cannot be used with"),
        ("listen 8080 --tui", "--tui has no meaning for listen 8080"),
        ("ws://h --theme pink", "invalid value 'pink'"),
        ("wss://h -k --pin sha256/x", "32 bytes"),
        ("wss://h -k --ca f", "cannot be used with"),
        ("wss://h --key f", "--key has no effect without --cert"),
        ("ws://h --proxy ftp://p", "not a kind of proxy"),
        ("ws://h --proxy p --no-proxy", "cannot be used with"),
        ("ws://h --auth hunter2", "--auth takes USER:PASS"),
        ("ws://h --bearer env:NOPE", "NOPE is not set"),
        (
            "serve --tls-self-signed --tls-cert f",
            "cannot be used with",
        ),
        (
            "serve --tls-key f",
            "--tls-key has no effect without --tls-cert",
        ),
        ("ws://h -x 0 -b hex", "--execute"),
        ("ws://h --execute-file /no/such", "/no/such: no such file"),
        ("conect ws://h", "conect"),
    ] {
        assert!(error(line).contains(said), "{line}: {}", error(line));
    }
}

#[test]
fn a_credential_in_the_clear_is_noted_unless_it_stays_on_this_machine() {
    for (line, notes) in [
        ("ws://example.com --auth a:b", 1),
        ("ws://a:b@example.com", 1),
        ("ws://example.com -H 'authorization: x'", 1),
        ("ws://example.com --cookie a=b", 1),
        ("ws://example.com", 0),
        ("demo --auth a:b", 0),
        ("ws://127.0.0.1 --auth a:b", 0),
        ("ws://localhost --bearer t", 0),
        ("ws://example.com --auth a:b --unix-socket /s", 0),
        ("ws://h -H 'Upgrade: x'", 1),
    ] {
        assert_eq!(
            piped(line).notes.len(),
            notes,
            "{line}: {:?}",
            piped(line).notes
        );
    }
}

#[test]
fn messages_come_from_the_line_and_from_files() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let line = format!("ws://h -x a --execute-file {}", file.path().display());
    for (contents, expected) in [
        ("", vec![text("a")]),
        (
            "b\n\nc\r\n",
            vec![text("a"), text("b"), text(""), text("c\r")],
        ),
        ("b", vec![text("a"), text("b")]),
    ] {
        std::fs::write(file.path(), contents).unwrap();
        assert_eq!(texts(&piped(&line)), expected);
    }
    std::fs::write(file.path(), b"b\n\xff\n").unwrap();
    assert!(error(&line).contains(", line 2: the line is not UTF-8"));
    let binary = Command::Send(Message::binary(vec![0, 255]));
    assert_eq!(texts(&piped("ws://h -b hex -x 00ff")), [binary]);
    assert_eq!(texts(&piped("ws://h -x -v")), [text("-v")]);
}

#[test]
fn heartbeats_are_off_for_clients_unless_asked_for() {
    let heartbeat = |line| piped(line).clients.remove(0).connection.heartbeat;
    assert_eq!(heartbeat("ws://h"), None);
    assert_eq!(
        heartbeat("ws://h --heartbeat mobile").unwrap().interval,
        15 * SECOND
    );
    let by_message = heartbeat("ws://h --heartbeat-message ping --heartbeat-reply pong").unwrap();
    assert_eq!(by_message.interval, 30 * SECOND);
    assert_eq!(by_message.message.unwrap().reply.as_deref(), Some("pong"));
}

/// Whether the full screen opens at first.
fn opens_screen(environment: &Environment, line: &str) -> bool {
    let plan = connecting(environment, line);
    matches!(plan.source, Source::Person(person) if person.begins_on_screen)
}

#[test]
fn the_screen_opens_where_a_person_has_room_and_nothing_asks_for_lines() {
    let changed = |change: fn(&mut Environment)| {
        let mut environment = surroundings(true);
        change(&mut environment);
        environment
    };
    for (environment, opens) in [
        (surroundings(true), true),
        (surroundings(false), false),
        (changed(|env| env.terminal_size = Some((60, 15))), true),
        (changed(|env| env.terminal_size = Some((59, 15))), false),
        (changed(|env| env.terminal_size = Some((60, 14))), false),
        (changed(|env| env.terminal_size = None), false),
        (changed(|env| env.in_foreground = false), false),
        (changed(|env| env.stdin_is_terminal = false), false),
        (changed(|env| env.stdout_is_terminal = false), false),
        (changed(|env| set(env, "CI", "true")), false),
        (changed(|env| set(env, "TERM", "dumb")), false),
        (changed(|env| set(env, "TERM", "xterm")), true),
    ] {
        assert_eq!(
            opens_screen(&environment, "ws://h"),
            opens,
            "{environment:?}"
        );
    }
    for line in [
        "ws://h --line",
        "ws://h --plain",
        "ws://h --json",
        "ws://h --parse",
        "ws://h --output hex",
        "ws://h -x hi",
        "ws://h -x hi --stay",
        "ws://h -n 1",
        "ws://h --until x",
        "ws://h -b hex",
        "-c ws://h",
    ] {
        assert!(!opens_screen(&surroundings(true), line), "{line}");
    }
    for line in [
        "ws://h -r -P -F",
        "connect",
        "ws://h --filter x",
        "ws://h --stay",
        "listen ws://h --tui",
    ] {
        assert!(opens_screen(&surroundings(true), line), "{line}");
    }
    let small = changed(|env| env.terminal_size = Some((10, 10)));
    assert!(opens_screen(&small, "ws://h --tui"));
}

fn set(environment: &mut Environment, name: &str, value: &str) {
    environment.variables.insert(name.into(), value.into());
}

#[test]
fn heartbeats_are_on_where_the_screen_is() {
    let heartbeat = |line| {
        typed_at_terminal(line).clients[0]
            .connection
            .heartbeat
            .clone()
    };
    assert_eq!(heartbeat("ws://h"), Some(Heartbeat::STANDARD));
    assert_eq!(heartbeat("ws://h --heartbeat off"), None);
    assert_eq!(heartbeat("ws://h --line"), None);
}

#[test]
fn the_screen_is_made_for_its_surroundings() {
    let screen = |environment: &Environment, line: &str| match connecting(environment, line).source
    {
        Source::Person(person) => person.screen.setup,
        other => panic!("{other:?}"),
    };
    let with = |name: &str, value: &str| {
        let mut environment = surroundings(true);
        set(&mut environment, name, value);
        environment
    };
    for (environment, line, theme, ascii) in [
        (surroundings(true), "ws://h", "dark", false),
        (with("NO_COLOR", "1"), "ws://h", "mono", false),
        (
            with("NO_COLOR", "1"),
            "ws://h --theme light",
            "light",
            false,
        ),
        (surroundings(true), "ws://h --color never", "mono", false),
        (with("COLORFGBG", "0;15"), "ws://h", "light", false),
        (
            with("COLORFGBG", "0;15"),
            "ws://h --theme dark",
            "dark",
            false,
        ),
        (with("LANG", "C"), "ws://h", "dark", true),
        (with("LC_ALL", "de_DE.UTF-8"), "ws://h", "dark", false),
        (surroundings(true), "ws://h --ascii", "dark", true),
    ] {
        let setup = screen(&environment, line);
        assert_eq!(
            (setup.theme.0, setup.ascii),
            (theme, ascii),
            "{line} {environment:?}"
        );
    }
    let setup = screen(
        &surroundings(true),
        "ws://h --only text --exclude a --mouse",
    );
    assert_eq!(setup.filter.as_deref(), Some("(op:text) & !(\"a\")"));
    assert!(setup.mouse);
}
