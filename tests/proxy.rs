//! Proxies: a small one of each kind that really leads on, and those of others. What is said of
//! those that do not is in `tests/errors.rs`.

use std::io::Write as _;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use wscope::error::Error;
use wscope::serve::{self, Server, mode};
use wscope::session::client;
use wscope::session::opening::{Opened, open};
use wscope::session::stamp::Stamp;
use wscope::wire::proxy;
use wscope::wire::target::Target;
use wscope::wire::tls::{Pin, ServerPlan};

/// Longer than anything here takes; a test that reaches it hangs.
async fn soon<T>(future: impl Future<Output = T>) -> T {
    timeout(Duration::from_secs(20), future)
        .await
        .expect("this hangs")
}

async fn listener() -> (TcpListener, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

/// A server of ours: its port, and its pin where it speaks TLS.
async fn server(tls: Option<ServerPlan>) -> (u16, Option<Pin>) {
    let mut plan = serve::Plan::new(mode::Plan::of(&mode::MODES[0]));
    plan.tls = tls;
    let (server, _log) = Server::bind(plan, Stamp::start()).await.unwrap();
    let port = Target::parse(server.url()).unwrap().port();
    let pin = server.pin();
    tokio::spawn(server.run(std::future::pending()));
    (port, pin)
}

fn plan(url: &str, proxy: &str) -> client::Plan {
    let mut plan = client::Plan::new(Target::parse(url).unwrap());
    plan.proxy = proxy::Plan::explicit(proxy).unwrap();
    plan
}

async fn opened(plan: &client::Plan) -> Opened {
    match soon(open(plan)).await.result {
        Ok(opened) => opened,
        Err(failure) => panic!("{} {:?}", failure.error, failure.error.hint()),
    }
}

async fn failed(plan: &client::Plan) -> Error {
    soon(open(plan)).await.result.expect_err("it opened").error
}

/// The whole of what a user is told.
fn told(error: &Error) -> String {
    format!(
        "{} {error}\n{}",
        error.exit_code().0,
        error.hint().unwrap_or_default()
    )
}

/// Reads the head of a request.
async fn head(socket: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    while !bytes.ends_with(b"\r\n\r\n") {
        bytes.push(socket.read_u8().await.unwrap());
    }
    String::from_utf8(bytes).unwrap()
}

/// An HTTP proxy for one connection; every name is this machine. It gives the request's head.
async fn http_proxy() -> (u16, JoinHandle<String>) {
    let (listener, port) = listener().await;
    let proxy = tokio::spawn(async move {
        let (mut near, _) = listener.accept().await.unwrap();
        let head = head(&mut near).await;
        let authority = head.split(' ').nth(1).unwrap();
        let port: u16 = authority.rsplit_once(':').unwrap().1.parse().unwrap();
        let mut far = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        near.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")
            .await
            .unwrap();
        tokio::spawn(async move { copy_bidirectional(&mut near, &mut far).await });
        head
    });
    (port, proxy)
}

/// A SOCKS5 proxy for one connection. With `login` it wants that user and password. It gives the
/// destination as it was asked for.
async fn socks_proxy(login: Option<(&'static str, &'static str)>) -> (u16, JoinHandle<String>) {
    let (listener, port) = listener().await;
    let proxy = tokio::spawn(async move {
        let (mut near, _) = listener.accept().await.unwrap();
        let mut greeting = vec![0; 2];
        near.read_exact(&mut greeting).await.unwrap();
        let mut methods = vec![0; usize::from(greeting[1])];
        near.read_exact(&mut methods).await.unwrap();
        let method = u8::from(login.is_some()) * 2;
        assert!(greeting[0] == 5 && methods.contains(&method));
        near.write_all(&[5, method]).await.unwrap();
        if let Some((user, password)) = login {
            assert_eq!(near.read_u8().await.unwrap(), 1);
            let right = string(&mut near).await == user && string(&mut near).await == password;
            near.write_all(&[1, u8::from(!right)]).await.unwrap();
            if !right {
                return String::new();
            }
        }
        let mut request = [0; 4];
        near.read_exact(&mut request).await.unwrap();
        assert_eq!(request[..3], [5, 1, 0]);
        let host = match request[3] {
            1 => {
                let mut ip = [0; 4];
                near.read_exact(&mut ip).await.unwrap();
                std::net::Ipv4Addr::from(ip).to_string()
            }
            3 => format!("name {}", string(&mut near).await),
            other => panic!("address of kind {other}"),
        };
        let port = near.read_u16().await.unwrap();
        let mut far = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        // The bound address as a name, which is the rarest kind.
        near.write_all(b"\x05\x00\x00\x03\x01x\x00\x00")
            .await
            .unwrap();
        tokio::spawn(async move { copy_bidirectional(&mut near, &mut far).await });
        host
    });
    (port, proxy)
}

async fn string(socket: &mut TcpStream) -> String {
    let length = socket.read_u8().await.unwrap();
    let mut bytes = vec![0; usize::from(length)];
    socket.read_exact(&mut bytes).await.unwrap();
    String::from_utf8(bytes).unwrap()
}

#[tokio::test]
async fn connect_leads_to_names_that_only_the_proxy_knows() {
    let (port, _) = server(None).await;
    let (proxy_port, proxy) = http_proxy().await;
    let proxy_url = format!("ann:p%40w@127.0.0.1:{proxy_port}");
    let plan = plan(&format!("ws://localhost:{port}/chat"), &proxy_url);
    let opened = opened(&plan).await;
    assert_eq!(
        opened.open.peer,
        format!("localhost:{port} via 127.0.0.1:{proxy_port}")
    );
    let timings = opened.open.timings;
    assert!(timings.proxy.is_some() && timings.tcp.is_some() && timings.dns.is_none());
    assert_eq!(
        soon(proxy).await.unwrap(),
        format!(
            "CONNECT localhost:{port} HTTP/1.1\r\nHost: localhost:{port}\r\n\
             User-Agent: wscope/{}\r\nProxy-Authorization: Basic YW5uOnBAdw==\r\n\r\n",
            env!("CARGO_PKG_VERSION")
        )
    );
}

#[tokio::test]
async fn tls_goes_through_both_kinds() {
    for kind in ["http", "socks5h"] {
        let (port, pin) = server(Some(ServerPlan::SelfSigned)).await;
        let (proxy_port, _proxy) = match kind {
            "http" => http_proxy().await,
            _ => socks_proxy(None).await,
        };
        let proxy = format!("{kind}://127.0.0.1:{proxy_port}");
        let mut plan = plan(&format!("wss://localhost:{port}/"), &proxy);
        plan.tls.pins = vec![pin.unwrap()];
        let opened = opened(&plan).await;
        assert!(opened.open.tls.is_some() && opened.open.timings.proxy.is_some());
    }
}

#[tokio::test]
async fn socks_resolves_there_or_here() {
    for (scheme, want) in [("socks5h", "name localhost"), ("socks5", "127.0.0.1")] {
        let (port, _) = server(None).await;
        let (proxy_port, proxy) = socks_proxy(Some(("ann", "pw"))).await;
        let proxy_url = format!("{scheme}://ann:pw@127.0.0.1:{proxy_port}");
        let mut plan = plan(&format!("ws://localhost:{port}/"), &proxy_url);
        plan.dial.resolve = vec![("localhost".into(), port, "127.0.0.1".parse().unwrap())];
        opened(&plan).await;
        assert_eq!(soon(proxy).await.unwrap(), want);
    }
}

/// Proxies of others, where this machine has them; ours above run everywhere.
#[tokio::test]
async fn proxies_of_others_lead_on() {
    let socks = ["-i", "127.0.0.1", "-u", "ann", "-P", "pw", "-p"];
    lead_on("http", "tinyproxy", |port, config| {
        let settings = "Listen 127.0.0.1\nTimeout 30\nBasicAuth ann pw\nLogLevel Critical\n";
        std::fs::write(config, format!("Port {port}\n{settings}")).unwrap();
        vec!["-d".into(), "-c".into(), config.display().to_string()]
    })
    .await;
    lead_on("socks5h", "microsocks", |port, _| {
        let mut args = socks.map(str::to_owned).to_vec();
        args.push(port.to_string());
        args
    })
    .await;
}

async fn lead_on(scheme: &str, program: &str, args: impl Fn(u16, &Path) -> Vec<String>) {
    let (unused, proxy_port) = listener().await;
    drop(unused);
    let config = tempfile::NamedTempFile::new().unwrap();
    let started = tokio::process::Command::new(program)
        .args(args(proxy_port, config.path()))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn();
    let Ok(_running) = started else {
        // install.sh installs it where it can.
        let _unseen = writeln!(std::io::stderr(), "{program} is not installed: not tried");
        return;
    };
    let reachable = async {
        while TcpStream::connect(("127.0.0.1", proxy_port)).await.is_err() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    soon(reachable).await;
    let (port, pin) = server(Some(ServerPlan::SelfSigned)).await;
    let url = format!("wss://127.0.0.1:{port}/");
    let mut good = plan(&url, &format!("{scheme}://ann:pw@127.0.0.1:{proxy_port}"));
    good.tls.pins = vec![pin.unwrap()];
    opened(&good).await;
    let stranger = plan(&url, &format!("{scheme}://127.0.0.1:{proxy_port}"));
    let shown = told(&failed(&stranger).await);
    assert!(
        shown.contains("it wants a user and a password ("),
        "{shown}"
    );
}
