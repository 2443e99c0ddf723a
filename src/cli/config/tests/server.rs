//! `serve`, and `listen` in both of its forms.

use super::{SECOND, error, piped, plan_in, surroundings};
use crate::cli::config::Plan;
use crate::command::source::Source;
use crate::serve::Address;

#[test]
fn wscat_listens_where_listen_does() {
    let of = |line| format!("{:?}", plan_in(&surroundings(false), line).unwrap());
    assert_eq!(of("-l 8080 -P -n"), of("listen 8080 -P"));
}

#[test]
fn listen_accepts_on_ports_and_subscribes_to_urls() {
    match plan_in(&surroundings(false), "listen :0 -s a --heartbeat 3/1") {
        Ok(Plan::Listen(plan)) => {
            assert_eq!(
                plan.server.address,
                Address::Tcp("127.0.0.1:0".parse().unwrap())
            );
            assert_eq!(plan.server.subprotocols, ["a"]);
            assert_eq!(
                plan.server.connection.heartbeat.as_ref().unwrap().interval,
                3 * SECOND
            );
            assert!(matches!(plan.source, Source::Pipe(pipe) if pipe.slash));
        }
        other => panic!("{other:?}"),
    }
    let names = |line| {
        let clients = piped(line).clients;
        clients
            .into_iter()
            .map(|client| client.name.map(|name| name.to_string()))
            .collect::<Vec<_>>()
    };
    assert_eq!(names("listen ws://a"), [None]);
    let named = names("listen ws://a ws://b ws://a");
    assert_eq!(
        named,
        ["ws://a/", "ws://b/", "ws://a/#2"].map(|name| Some(name.to_owned()))
    );
    assert_eq!(names("listen demo ws://a")[0].as_deref(), Some("demo"));
    for (line, said) in [
        ("listen localhost:80", "localhost:80"),
        ("listen 80 81", "one address only"),
        ("listen 80 -H 'A: b'", "--header has no meaning"),
        ("listen 80 -x hi", "--execute has no meaning"),
        (
            "listen ws://h --allow-origin http://a",
            "--allow-origin has no meaning",
        ),
        ("listen ws://h -i json", "--stdin"),
        ("listen", "TARGET"),
    ] {
        assert!(error(line).contains(said), "{line}: {}", error(line));
    }
}

#[test]
fn serve_has_a_default_for_everything() {
    let serving = |line| match plan_in(&surroundings(false), line) {
        Ok(Plan::Serve(plan)) => *plan,
        other => panic!("{other:?}"),
    };
    let plan = serving("serve");
    assert_eq!(
        plan.server.address,
        Address::Tcp("127.0.0.1:8080".parse().unwrap())
    );
    assert_eq!(plan.server.mode.mode.name, "echo");
    assert_eq!(
        plan.server.connection.heartbeat.unwrap().interval,
        30 * SECOND
    );
    assert_eq!(plan.view.format, "pretty");
    let plan =
        serving("serve 9 --mode broadcast --exclude-sender --heartbeat off --path /a --path /b");
    assert!(plan.server.mode.exclude_sender && plan.server.connection.heartbeat.is_none());
    assert_eq!(plan.server.paths, ["/a", "/b"]);
    for (line, said) in [
        ("serve localhost:80", "localhost:80"),
        ("serve --exclude-sender", "--mode broadcast"),
        ("serve --mode broadcast --echo-prefix x", "--mode echo"),
        ("serve --mode chat", "echo, broadcast"),
        ("serve --path a", "/a"),
    ] {
        let error = error(line);
        assert!(error.contains(said), "{line}: {error}");
    }
}

#[test]
fn in_a_container_a_loopback_bind_says_how_to_bind_wider() {
    let mut environment = surroundings(false);
    let notes = |environment: &_, line| match plan_in(environment, line) {
        Ok(Plan::Serve(plan)) => plan.notes.join(" "),
        other => panic!("{other:?}"),
    };
    assert_eq!(notes(&environment, "serve 9000"), "");
    environment.has_container_file = true;
    for line in ["serve 9000", "serve [::1]:9000"] {
        let note = notes(&environment, line);
        assert!(note.contains("wscope serve 0.0.0.0:9000"), "{note}");
    }
    assert_eq!(notes(&environment, "serve unix:/tmp/s"), "");
    assert_eq!(notes(&environment, "serve 0"), "");
    assert!(!notes(&environment, "serve 0.0.0.0:9000").contains("container"));
    environment.has_container_file = false;
    let name = "KUBERNETES_SERVICE_HOST".into();
    environment.variables.insert(name, "10.0.0.1".into());
    assert!(notes(&environment, "serve").contains("container"));
}

#[test]
fn compression_is_on_until_it_is_switched_off() {
    let offers = |line| piped(line).clients[0].request.deflate.is_some();
    assert!(offers("ws://h") && offers("ws://h --compress") && offers("listen ws://h"));
    assert!(!offers("ws://h --no-compress") && !offers("listen ws://h --no-compress"));
    let takes = |line| match plan_in(&surroundings(false), line) {
        Ok(Plan::Serve(plan)) => plan.server.compress,
        Ok(Plan::Listen(plan)) => plan.server.compress,
        other => panic!("{other:?}"),
    };
    assert!(takes("serve") && takes("listen :0"));
    assert!(!takes("serve --no-compress") && !takes("listen :0 --no-compress"));
    let both = error("ws://h --compress --no-compress");
    assert!(both.contains("cannot be used with"), "{both}");
}

#[test]
fn messages_are_logged_where_somebody_wants_them() {
    let logs = |line| match plan_in(&surroundings(false), line) {
        Ok(Plan::Serve(plan)) => plan.server.log.traffic,
        other => panic!("{other:?}"),
    };
    for line in ["serve", "serve --only close", "serve --json --only close"] {
        assert!(!logs(line), "{line}");
    }
    for line in [
        "serve --json",
        "serve -v",
        "serve --only close,ping",
        "serve --only close --frames",
    ] {
        assert!(logs(line), "{line}");
    }
}
