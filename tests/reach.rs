//! What lies between the program and its endpoint, end to end: TLS, proxies, addresses, redirects,
//! and secrets that are looked up at each connect. What is said where it fails is in `errors.rs`.

mod harness;

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

use harness::certificates::{Ca, local};
use harness::program::{shell, wscope};
use harness::raw::{QuietPort, RawServer};
use harness::running::Running;
use harness::served::Served;

/// A server with a certificate of its own, and the pin that it says.
fn self_signed() -> (Served, String) {
    let running = wscope(&["serve", "0", "--json", "--tls-self-signed"]).spawn();
    let pin = pin_of(&running);
    (Served::start(running), pin)
}

fn pin_of(running: &Running) -> String {
    let line = running.stderr.line("--pin");
    let pin = line.split_once("--pin ").expect("a pin").1;
    assert!(pin.starts_with("sha256/"), "{line}");
    pin.to_owned()
}

#[test]
fn a_self_signed_server_is_trusted_by_the_pin_that_it_says() {
    let (server, pin) = self_signed();
    assert!(server.url().starts_with("wss://127.0.0.1:"));
    let output = wscope(&["connect", server.url(), "--pin", &pin, "-x", "hi", "-v"]).run();
    output
        .code(0)
        .stdout("hi\n")
        .says(&[
            "TLSv1.3 with TLS_",
            "certificate O=wscope serve,CN=localhost, valid until 2",
        ])
        .never_says(&["NOT checked"]);
}

#[test]
fn insecure_is_said_each_time() {
    let (server, _) = self_signed();
    for args in [["connect", server.url(), "-k"], ["-n", "-c", server.url()]] {
        let output = wscope(&[&args[..], &["-x", "hi"]].concat()).run();
        output
            .code(0)
            .stdout("hi\n")
            .says(&["certificate NOT checked"]);
    }
}

#[test]
fn an_untrusted_server_is_exit_code_6_and_is_not_tried_again() {
    let (server, pin) = self_signed();
    let output = wscope(&["connect", server.url(), "-r"]).run();
    output
        .code(6)
        .stdout("")
        .says(&["the certificate is self-signed", &pin, "-k"])
        .never_says(&["retry"]);
    // Somebody must have been there: the harness sees to that.
    wscope(&["connect", server.url(), "-k", "-x", "hi"])
        .run()
        .code(0);
}

#[test]
fn the_open_event_tells_of_tls() {
    let (server, pin) = self_signed();
    let output = wscope(&["connect", server.url(), "--json", "--pin", &pin, "-x", "hi"]).run();
    let open = &output.events_of("open")[0];
    let tls = &open["tls"];
    assert_eq!(tls["version"], "TLSv1.3");
    assert_eq!(tls["subject"], "O=wscope serve,CN=localhost");
    assert_eq!(tls["checked"], true);
    assert!(
        tls["expires"]
            .as_str()
            .is_some_and(|time| time.ends_with('Z'))
    );
    assert!(open["ms"]["tls"].is_f64() && open["ms"]["proxy"].is_null());
}

#[test]
fn the_variables_of_openssl_and_wireshark_are_read() {
    let (server, _) = self_signed();
    // Another root than the one that is wanted.
    let output = wscope(&["connect", server.url(), "-x", "hi"])
        .file("empty.pem", "")
        .env("SSL_CERT_FILE", "empty.pem")
        .env("SSLKEYLOGFILE", "keys.log")
        .run();
    assert!(output.home.path().join("keys.log").exists());
    output.code(6).says(&["self-signed"]);
    wscope(&["connect", server.url(), "-k", "-x", "hi"])
        .run()
        .code(0);
}

#[test]
fn a_ca_is_trusted_by_flag_and_by_variable() {
    let ca = Ca::new();
    let root = ca.pair.certificate.pem();
    let pair = ca.issue(&local());
    let key = pair.key.serialize_pem();
    let serve = wscope(&[
        "serve",
        "0",
        "--json",
        "--tls-cert",
        "c.pem",
        "--tls-key",
        "k.pem",
    ])
    .file("c.pem", pair.certificate.pem())
    .file("k.pem", key);
    let server = Served::start(serve.spawn());
    let talk = |more: &[&str]| {
        let args = ["connect", server.url(), "-x", "hi"];
        wscope(&[&args[..], more].concat()).file("ca.pem", &root)
    };
    talk(&["--ca", "ca.pem"]).run().code(0).stdout("hi\n");
    let by_variable = talk(&[]).env("SSL_CERT_FILE", "ca.pem");
    by_variable.run().code(0).stdout("hi\n");
    talk(&[]).run().code(6).says(&["which is not trusted"]);
}

/// A proxy that takes one connection and leads it on, whatever its name.
fn http_proxy() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    thread::spawn(move || {
        let (mut near, _) = listener.accept().unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            near.read_exact(&mut byte).unwrap();
            head.extend(byte);
        }
        let head = String::from_utf8(head).unwrap();
        let authority = head.split(' ').nth(1).unwrap();
        let port = authority.rsplit(':').next().unwrap();
        let far = TcpStream::connect(format!("127.0.0.1:{port}")).unwrap();
        near.write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
        let (mut near_too, mut far_too) = (near.try_clone().unwrap(), far.try_clone().unwrap());
        thread::spawn(move || std::io::copy(&mut near_too, &mut far_too));
        let (mut near, mut far) = (near, far);
        let _ = std::io::copy(&mut far, &mut near);
    });
    address
}

#[test]
fn a_proxy_comes_from_the_flag_or_the_environment() {
    let server = harness::served::serve(&[]);
    let port = server.address().rsplit(':').next().unwrap().to_owned();
    let url = format!("ws://somewhere.test:{port}/");
    // The server wants to be called by a name of this machine.
    let talk = |more: &[&str]| {
        let args = ["connect", &url, "--host", "localhost", "-x", "hi"];
        wscope(&[&args[..], more].concat())
    };
    let proxy = http_proxy();
    talk(&["--proxy", &proxy]).run().code(0).stdout("hi\n");

    let proxy = format!("http://{}", http_proxy());
    let through = talk(&[]).env("http_proxy", &proxy);
    through.run().code(0).stdout("hi\n");

    // Loopback goes around it, and --no-proxy everything.
    let quiet = QuietPort::reserve();
    let dead = format!("http://{}", quiet.address());
    let around = wscope(&["connect", server.url(), "-x", "hi"]).env("all_proxy", &dead);
    around.run().code(0).stdout("hi\n");
    let resolve = format!("somewhere.test:{port}:127.0.0.1");
    let direct = talk(&["--no-proxy", "--resolve", &resolve]).env("all_proxy", &dead);
    direct.run().code(0).stdout("hi\n");
    let output = talk(&[]).env("all_proxy", &dead).run();
    output
        .code(3)
        .says(&["proxy 127.0.0.1:", "connection refused", "--no-proxy"]);
}

#[test]
fn the_exchange_with_a_proxy_is_shown_without_its_password() {
    let server = harness::served::serve(&[]);
    let port = server.address().rsplit(':').next().unwrap().to_owned();
    let proxy = format!("ann:hunter2@{}", http_proxy());
    let url = format!("ws://localhost:{port}/");
    let output = wscope(&["connect", &url, "--proxy", &proxy, "-x", "hi", "-v"]).run();
    let lines = String::from_utf8(output.stderr.clone()).unwrap();
    let expected = format!(
        "> CONNECT localhost:{port} HTTP/1.1\n> Host: localhost:{port}\n\
         > User-Agent: wscope/{}\n> Proxy-Authorization: ***\n>\n< HTTP/1.1 200 OK\n<\n\
         > GET / HTTP/1.1\n",
        env!("CARGO_PKG_VERSION")
    );
    assert!(lines.starts_with(&expected), "{lines}");
    output
        .code(0)
        .stdout("hi\n")
        .never_says(&["hunter2", "Basic"]);
}

/// A listener whose queue is full, so that nobody who connects gets an answer; and those who fill
/// it. `None` where this system has no IPv6 or queues in another way.
fn black_hole() -> Option<(socket2::Socket, Vec<socket2::Socket>)> {
    let stream = || {
        let socket = socket2::Socket::new(socket2::Domain::IPV6, socket2::Type::STREAM, None)?;
        socket.set_nonblocking(true)?;
        std::io::Result::Ok(socket)
    };
    let any: std::net::SocketAddr = "[::1]:0".parse().unwrap();
    let hole = stream().ok()?;
    hole.bind(&any.into()).ok()?;
    hole.listen(0).ok()?;
    let address = hole.local_addr().unwrap();
    let fill = (0..4).map(|_| {
        let socket = stream().unwrap();
        // It goes on in the background.
        let _pending = socket.connect(&address);
        socket
    });
    let fill = fill.collect();
    cfg!(target_os = "linux").then_some((hole, fill))
}

#[test]
fn a_family_that_does_not_answer_gives_way_to_the_other() {
    let Some((hole, _full)) = black_hole() else {
        return;
    };
    let port = hole.local_addr().unwrap().as_socket().unwrap().port();
    let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
    let server = RawServer::on(listener, 1, |_, peer| {
        peer.read_head();
        peer.accept();
        peer.finish_close();
    });
    let (six, four) = (
        format!("name.test:{port}:::1"),
        format!("name.test:{port}:127.0.0.1"),
    );
    let url = format!("ws://name.test:{port}/");
    let args = [
        "connect",
        &url,
        "--resolve",
        &six,
        "--resolve",
        &four,
        "--json",
        "-w",
        "0",
    ];
    let output = wscope(&args).run().code(0);
    let open = &output.events_of("open")[0];
    assert_eq!(open["peer"], server.address());
    // The other family gets its head start (RFC 8305, section 5).
    assert!(open["ms"]["tcp"].as_f64().unwrap() >= 250.0, "{open}");
}

#[test]
fn addresses_with_a_zone_and_names_below_localhost_lead_here() {
    let server = harness::served::serve(&[]);
    let port = server.address().rsplit(':').next().unwrap();
    for host in ["localhost.", "some.localhost"] {
        let url = format!("ws://{host}:{port}/");
        wscope(&["connect", &url, "-x", "hi"])
            .run()
            .code(0)
            .stdout("hi\n");
    }
    if TcpListener::bind("[::1]:0").is_ok() {
        let running = wscope(&["serve", "[::1]:0", "--json"]).spawn();
        let server = Served::start(running);
        let url = server.url().replace("[::1]", "[::1%251]");
        wscope(&["connect", &url, "-x", "hi"])
            .run()
            .code(0)
            .stdout("hi\n");
    }
}

/// Redirects the first connection to `location`, and talks with the next.
fn redirecting(
    location: &str,
    check: impl Fn(usize, &harness::raw::Peer) + Send + 'static,
) -> RawServer {
    let answer = format!("HTTP/1.1 307 Temporary Redirect\r\nLocation: {location}\r\n\r\n");
    let count = if location.contains("//") { 1 } else { 2 };
    RawServer::each(count, move |number, peer| {
        peer.read_head();
        check(number, peer);
        if number == 1 {
            peer.send(&answer);
        } else {
            peer.accept();
            peer.finish_close();
        }
    })
}

const SECRETS: &[&str] = &[
    "-w",
    "0",
    "-L",
    "--bearer",
    "hunter2",
    "--cookie",
    "a=hunter2",
    "-H",
    "X-Api-Key: hunter2",
    "-H",
    "X-Other: yes",
    "--host",
    "first.test",
];

#[test]
fn a_redirect_on_the_same_host_keeps_everything() {
    let server = redirecting("chat?room=1", |number, peer| {
        let target = ["/a/b", "/a/chat?room=1"][number - 1];
        assert!(
            peer.head.starts_with(&format!("GET {target} HTTP/1.1\r\n")),
            "{}",
            peer.head
        );
        assert_eq!(peer.head.matches("hunter2").count(), 3, "{}", peer.head);
        assert_eq!(peer.header("host"), ["first.test"]);
    });
    let url = format!("{}a/b#fragment", server.url());
    wscope(&[&["connect", &url], SECRETS].concat())
        .run()
        .code(0);
}

#[test]
fn a_redirect_to_another_host_or_port_drops_what_is_secret() {
    for host in ["localhost", "127.0.0.1"] {
        let far = RawServer::open(|peer| {
            assert!(!peer.head.contains("hunter2"), "{}", peer.head);
            assert_eq!(peer.header("x-other"), ["yes"]);
            peer.finish_close();
        });
        let near = redirecting(&format!("http://{host}:{}/", far.port()), |_, _| {});
        wscope(&[&["connect", &near.url()], SECRETS].concat())
            .run()
            .code(0);
    }
}

#[test]
fn a_command_gives_each_connect_a_fresh_token() {
    let server = RawServer::each(2, |number, peer| {
        peer.read_head();
        assert_eq!(
            peer.header("authorization"),
            [format!("Bearer token-{number}")]
        );
        peer.accept();
        if number == 2 {
            peer.send_close(1000, "");
        }
    });
    let script = format!(
        "echo 0 > count; exec \"$WSCOPE\" connect {} -r --backoff base=20ms,jitter=0 -v --stay -x hi \
         --bearer 'cmd:n=$(($(cat count) + 1)); echo $n > count; echo token-$n'",
        server.url()
    );
    shell(&script).run().code(0).never_says(&["token-"]);
}

#[test]
fn a_command_that_fails_says_why_and_nothing_secret() {
    let output = wscope(&[
        "connect",
        "ws://127.0.0.1:1/",
        "--auth",
        "cmd:echo ann:hunter2; echo the vault is sealed >&2; exit 1",
    ])
    .run();
    output
        .code(2)
        .stdout("")
        .says(&["--auth: its command ended with exit status: 1: the vault is sealed"])
        .never_says(&["hunter2"]);
}
