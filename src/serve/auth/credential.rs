//! Where a client shows what it has: the query, `Authorization`, a cookie, or the subprotocols,
//! which are all that a page in a browser can set beside the URL.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use url::form_urlencoded;

use crate::model::handshake::{Headers, RequestHead, header, values};
use crate::model::secret::Secret;

/// The subprotocol that says that the next one is a token: `new WebSocket(url, ["bearer", token])`.
pub(in crate::serve) const BEARER: &str = "bearer";

/// What a client shows.
#[derive(Debug)]
pub(super) enum Credential {
    /// A token of any kind.
    Token(Secret<String>),
    Ticket(Secret<String>),
    Basic {
        name: String,
        password: Secret<String>,
    },
}

impl Credential {
    /// What nobody else may see of it.
    pub(super) fn secret(self) -> Secret<String> {
        match self {
            Self::Token(secret)
            | Self::Ticket(secret)
            | Self::Basic {
                password: secret, ..
            } => secret,
        }
    }
}

/// Everything that a request shows.
pub(super) fn of(request: &RequestHead) -> Vec<Credential> {
    let mut all = Vec::new();
    let query = request
        .target
        .split_once('?')
        .map_or("", |(_, query)| query);
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        match name.as_ref() {
            "token" | "access_token" => all.push(Credential::Token(Secret::new(value.into()))),
            "ticket" => all.push(Credential::Ticket(Secret::new(value.into()))),
            _ => {}
        }
    }
    all.extend(header(&request.headers, "authorization").and_then(authorization));
    let cookies = values(&request.headers, "cookie").flat_map(|line| line.split(';'));
    let tokens = cookies.filter_map(|cookie| cookie.trim().strip_prefix("token="));
    all.extend(tokens.map(|token| Credential::Token(Secret::new(token.to_owned()))));
    all.extend(in_protocols(&request.headers));
    all
}

fn authorization(value: &str) -> Option<Credential> {
    let (scheme, rest) = value.split_once(' ')?;
    let rest = rest.trim();
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some(Credential::Token(Secret::new(rest.to_owned())));
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let pair = String::from_utf8(BASE64.decode(rest).ok()?).ok()?;
    let (name, password) = pair.split_once(':')?;
    Some(Credential::Basic {
        name: name.to_owned(),
        password: Secret::new(password.to_owned()),
    })
}

fn in_protocols(headers: &Headers) -> Option<Credential> {
    let token = subprotocols(headers).token?;
    Some(Credential::Token(Secret::new(token.to_owned())))
}

/// What a client offers as subprotocols.
pub(in crate::serve) struct Offered<'a> {
    /// Those that may be chosen, in its order: not the token, which must not be repeated.
    pub(in crate::serve) names: Vec<&'a str>,
    /// What stands after `bearer`.
    pub(in crate::serve) token: Option<&'a str>,
}

pub(in crate::serve) fn subprotocols(headers: &Headers) -> Offered<'_> {
    let lines = values(headers, "sec-websocket-protocol");
    let all = lines.flat_map(|value| value.split(',')).map(str::trim);
    let mut names: Vec<&str> = all.filter(|name| !name.is_empty()).collect();
    let bearer = names.iter().position(|name| *name == BEARER);
    let token = bearer.filter(|at| at + 1 < names.len());
    let token = token.map(|at| names.remove(at + 1));
    if let Some(token) = token {
        names.retain(|name| *name != token);
    }
    Offered { names, token }
}
