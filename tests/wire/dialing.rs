//! Which address is dialled, and what is said of those that fail.

use tokio::net::TcpListener;
use wscope::wire::dial::{self, Family, dial};
use wscope::wire::target::Target;

use super::soon;

fn plan(port: u16, ips: &[&str]) -> dial::Plan {
    dial::Plan {
        resolve: ips
            .iter()
            .map(|ip| ("name.test".to_owned(), port, ip.parse().unwrap()))
            .collect(),
        ..dial::Plan::default()
    }
}

async fn listener() -> (TcpListener, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

#[tokio::test]
async fn a_failed_address_gives_way_to_the_next() {
    let (_listener, port) = listener().await;
    let target = Target::parse(&format!("name.test:{port}/")).unwrap();
    // Nobody listens on 127.0.0.2 at that port.
    let plan = plan(port, &["127.0.0.2", "127.0.0.1"]);
    let dialed = soon(dial(&target, &plan)).await.unwrap();
    assert_eq!(dialed.peer, format!("127.0.0.1:{port}"));
    assert_eq!(dialed.dns, None);
}

#[tokio::test]
async fn the_error_names_the_last_address() {
    let (listener, port) = listener().await;
    drop(listener);
    let target = Target::parse(&format!("name.test:{port}/")).unwrap();
    let plan = plan(port, &["127.0.0.2", "127.0.0.1"]);
    let error = soon(dial(&target, &plan)).await.unwrap_err();
    assert_eq!((error.kind(), error.exit_code().0), ("connect", 3));
    assert!(
        error
            .to_string()
            .contains(&format!("127.0.0.1:{port}: connection refused")),
        "{error}"
    );
}

#[tokio::test]
async fn names_are_looked_up_and_measured() {
    let (_listener, port) = listener().await;
    let target = Target::parse(&format!("localhost:{port}/")).unwrap();
    let plan = dial::Plan {
        family: Some(Family::V4),
        ..dial::Plan::default()
    };
    let dialed = soon(dial(&target, &plan)).await.unwrap();
    assert!(dialed.dns.is_some());
}

#[cfg(unix)]
#[tokio::test]
async fn unix_sockets_by_url_and_by_plan() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("s.sock");
    let _listener = tokio::net::UnixListener::bind(&path).unwrap();
    let by_url = Target::parse(&format!("ws+unix:{}:/uri", path.display())).unwrap();
    let dialed = soon(dial(&by_url, &dial::Plan::default())).await.unwrap();
    assert_eq!(dialed.peer, path.display().to_string());

    let by_plan = dial::Plan {
        unix_socket: Some(path.clone()),
        ..dial::Plan::default()
    };
    let target = Target::parse("ws://unresolvable.test/").unwrap();
    assert!(soon(dial(&target, &by_plan)).await.is_ok());

    let missing = dial::Plan {
        unix_socket: Some(path.with_extension("no")),
        ..dial::Plan::default()
    };
    let error = soon(dial(&target, &missing)).await.unwrap_err();
    assert!(error.to_string().contains("s.no"), "{error}");
}
