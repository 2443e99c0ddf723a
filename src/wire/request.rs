//! The client's opening request, written by us: header order, case and duplicates are sent as the
//! user gave them, which no HTTP client crate allows (RFC 6455, section 4.1).

use super::cookies::{self, Cookie};
use super::target::Target;
use crate::error::Error;
use crate::model::handshake::{Headers, RequestHead, values};
use crate::model::secret::Secret;
use crate::protocol::deflate;

const USER_AGENT: &str = concat!("wscope/", env!("CARGO_PKG_VERSION"));

/// The only version since RFC 6455; older drafts are sent to see what a server says to them.
const VERSION: u8 = 13;

/// What the request says beside what the RFC prescribes.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    /// `-H`, in order, duplicates kept. Holds neither CR nor LF and none of the names that are
    /// ours ([`is_ours`]): the command line sees to that.
    pub headers: Headers,
    pub subprotocols: Vec<String>,
    /// What is offered for permessage-deflate.
    pub deflate: Option<deflate::Parameters>,
    pub origin: Option<String>,
    pub host: Option<String>,
    /// Default `wscope/VERSION`.
    pub user_agent: Option<String>,
    /// `--auth`, `--bearer`: the whole value of Authorization. The URL's userinfo comes after it,
    /// and a `-H Authorization` before both.
    pub authorization: Option<Secret<String>>,
    /// `--cookie K=V` and the cookies of Netscape files that match the target.
    pub cookies: Vec<Cookie>,
    /// `-p 8`: the Sec-WebSocket-Version, 13 unless told.
    pub version: Option<u8>,
}

/// Whether a header name belongs to the handshake itself and is not the user's to set:
/// `Upgrade`, `Connection`, `Sec-WebSocket-*` (and `Content-Length`, `Transfer-Encoding`).
pub fn is_ours(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name.starts_with("sec-websocket-")
        || [
            "upgrade",
            "connection",
            "content-length",
            "transfer-encoding",
        ]
        .contains(&name.as_str())
}

/// The request that [`upgrade`](super::upgrade::upgrade) would send to `target`, with `key` as
/// Sec-WebSocket-Key. A header that the user named takes the place of our own.
pub fn request(target: &Target, plan: &Plan, key: &str) -> RequestHead {
    let version = plan.version.unwrap_or(VERSION);
    // Before version 13 the header of the origin had another name.
    let origin_name = if version < VERSION {
        "Sec-WebSocket-Origin"
    } else {
        "Origin"
    };
    let subprotocols = (!plan.subprotocols.is_empty()).then(|| plan.subprotocols.join(", "));
    let ours = [
        (
            "Host",
            Some(plan.host.clone().unwrap_or_else(|| target.authority())),
        ),
        ("Upgrade", Some("websocket".to_owned())),
        ("Connection", Some("Upgrade".to_owned())),
        ("Sec-WebSocket-Key", Some(key.to_owned())),
        ("Sec-WebSocket-Version", Some(version.to_string())),
        ("Sec-WebSocket-Protocol", subprotocols),
        (
            "Sec-WebSocket-Extensions",
            plan.deflate.map(|offer| offer.to_string()),
        ),
        (origin_name, plan.origin.clone()),
        (
            "User-Agent",
            Some(plan.user_agent.as_deref().unwrap_or(USER_AGENT).to_owned()),
        ),
        ("Authorization", authorization(target, plan)),
        ("Cookie", cookies::header_value(&plan.cookies, target)),
    ];
    let headers = ours
        .into_iter()
        .filter(|(name, _)| values(&plan.headers, name).next().is_none())
        .filter_map(|(name, value)| Some((name.to_owned(), value?)))
        .chain(plan.headers.iter().cloned())
        .collect();
    RequestHead {
        method: "GET".to_owned(),
        target: target.request_target(),
        headers,
    }
}

fn authorization(target: &Target, plan: &Plan) -> Option<String> {
    use base64::Engine as _;

    if let Some(given) = &plan.authorization {
        return Some(given.reveal().clone());
    }
    let (user, password) = target.credentials()?.reveal();
    let pair = base64::engine::general_purpose::STANDARD.encode(format!("{user}:{password}"));
    Some(format!("Basic {pair}"))
}

/// The bytes of `request`.
///
/// # Errors
/// [`Error::Usage`] for a header that would not arrive as one: this is the last place before the
/// wire, so a line break in a cookie or in the output of a token command cannot become a header.
pub(super) fn encode(request: &RequestHead) -> Result<Vec<u8>, Error> {
    let RequestHead {
        method,
        target,
        headers,
    } = request;
    let mut bytes = format!("{method} {target} HTTP/1.1\r\n").into_bytes();
    for (name, value) in headers {
        if !is_token(name) {
            return Err(Error::usage(format!("{name:?} is not a header name")));
        }
        if value.contains(['\r', '\n', '\0']) {
            return Err(Error::usage(format!(
                "the value of the header {name} holds a line break or a zero byte"
            )));
        }
        bytes.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
    }
    bytes.extend_from_slice(b"\r\n");
    Ok(bytes)
}

/// RFC 9110, section 5.6.2.
fn is_token(name: &str) -> bool {
    !name.is_empty()
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(url: &str, plan: &Plan) -> String {
        let target = Target::parse(url).unwrap();
        String::from_utf8(encode(&request(&target, plan, "KEY")).unwrap()).unwrap()
    }

    fn pair(name: &str, value: &str) -> (String, String) {
        (name.to_owned(), value.to_owned())
    }

    #[test]
    fn the_least_request() {
        let want = format!(
            "GET /a?b HTTP/1.1\r\nHost: h:8080\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Key: KEY\r\nSec-WebSocket-Version: 13\r\nUser-Agent: {USER_AGENT}\r\n\r\n"
        );
        assert_eq!(text("ws://h:8080/a?b#c", &Plan::default()), want);
    }

    #[test]
    fn all_that_can_be_said_in_order() {
        let plan = Plan {
            headers: vec![
                pair("x-dup", "1"),
                pair("X-Dup", "2"),
                pair("X-Name", "Zoë"),
            ],
            subprotocols: vec!["a".into(), "b".into()],
            deflate: Some(deflate::Parameters::OFFER),
            origin: Some("https://o".into()),
            host: Some("other".into()),
            user_agent: Some("me/1".into()),
            authorization: Some(Secret::new("Bearer t".into())),
            cookies: cookies::parse_words("k=v").unwrap(),
            version: None,
        };
        assert_eq!(
            text("ws://ann:pw@h/", &plan),
            "GET / HTTP/1.1\r\nHost: other\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Key: KEY\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: a, b\r\n\
             Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\
             Origin: https://o\r\nUser-Agent: me/1\r\nAuthorization: Bearer t\r\nCookie: k=v\r\n\
             x-dup: 1\r\nX-Dup: 2\r\nX-Name: Zoë\r\n\r\n"
        );
    }

    #[test]
    fn named_headers_replace_ours() {
        let plan = Plan {
            headers: vec![
                pair("host", "one"),
                pair("AUTHORIZATION", "mine"),
                pair("user-agent", "ua"),
                pair("Origin", "o"),
                pair("cookie", "c"),
            ],
            origin: Some("https://not-me".into()),
            cookies: cookies::parse_words("not=me").unwrap(),
            ..Plan::default()
        };
        let text = text("ws://ann:pw@h/", &plan);
        assert!(!text.contains("Host: h") && !text.contains("not"), "{text}");
        assert!(
            !text.contains("Basic") && !text.contains("wscope"),
            "{text}"
        );
        assert!(text.ends_with(
            "host: one\r\nAUTHORIZATION: mine\r\nuser-agent: ua\r\nOrigin: o\r\ncookie: c\r\n\r\n"
        ));
    }

    #[test]
    fn userinfo_becomes_basic_auth() {
        let text = text("ws://an%40n:pw@h/", &Plan::default());
        // printf 'an@n:pw' | base64
        assert!(
            text.contains("\r\nAuthorization: Basic YW5Abjpwdw==\r\n"),
            "{text}"
        );
    }

    #[test]
    fn older_drafts_call_the_origin_otherwise() {
        let plan = Plan {
            origin: Some("https://o".into()),
            version: Some(8),
            ..Plan::default()
        };
        let text = text("ws://h/", &plan);
        assert!(text.contains("Sec-WebSocket-Version: 8\r\nSec-WebSocket-Origin: https://o\r\n"));
    }

    #[test]
    fn no_line_break_reaches_the_wire() {
        for (name, value) in [("X", "a\r\nY: b"), ("X", "a\nb"), ("X Y", "a"), ("", "a")] {
            let head = RequestHead {
                headers: vec![pair(name, value)],
                ..RequestHead::default()
            };
            assert_eq!(encode(&head).unwrap_err().kind(), "usage");
        }
    }

    #[test]
    fn some_names_are_ours() {
        for name in [
            "Upgrade",
            "CONNECTION",
            "sec-websocket-key",
            "Content-Length",
        ] {
            assert!(is_ours(name), "{name}");
        }
        for name in [
            "Host",
            "Origin",
            "Sec-Fetch-Mode",
            "Upgrade-Insecure-Requests",
        ] {
            assert!(!is_ours(name), "{name}");
        }
    }
}
