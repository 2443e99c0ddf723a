//! `{{secret_NAME}}`: what a recording has in the place of a secret, so that it can be played again
//! with the secret given from outside, and what was replaced can be said.
//!
//! Secret is what `--secret` declares and what a handshake shows in a secret header or under a secret
//! query name. Such a value is replaced there, and wherever it is repeated: in messages of either
//! side, close reasons, other headers. Values of fewer than [`SHORTEST_SOUGHT`] bytes are not looked
//! for, unless they were declared: a cookie `lang=en` would take the "en" out of every word.

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;

use super::known::{Known, Named, Piece, is_name};
use super::{
    REDACTED, Secret, bearer_protocol, credentials, is_secret_header, is_secret_query,
    is_url_header,
};
use crate::model::event::{ConnId, Event, What};
use crate::model::handshake::{Headers, RequestHead};

/// Different secrets that get names of their own; peers make them up, so there is a bound. Later
/// ones share the name of their kind, and are not looked for.
const MOST_NAMES: usize = 64;
/// The shortest value of a handshake that is looked for elsewhere, in bytes.
pub const SHORTEST_SOUGHT: usize = 6;
/// All values of handshakes that are looked for, in bytes.
const MOST_SOUGHT: usize = 64 << 10;

/// The stand-ins of one recording.
#[derive(Debug, Default)]
pub struct StandIns {
    all: Vec<StandIn>,
    /// Those that were written, in the order in which they first were.
    written: Vec<usize>,
    /// What is looked for; made anew when something was added.
    known: Option<Known>,
    /// Bytes of values that are looked for and were not declared.
    sought: usize,
    /// What the request of each connection says that is opening or open.
    openings: HashMap<ConnId, Opening>,
}

/// A secret, and what stands for it.
#[derive(Debug)]
pub struct StandIn {
    /// Without `secret_`.
    pub name: String,
    /// Where it stood first: `header Cookie`, `query token`, `--secret`.
    pub place: String,
    value: Secret<String>,
    is_sought: bool,
}

#[derive(Debug, Default)]
struct Opening {
    /// The request target with stand-ins.
    target: String,
    /// Of a URL with user and password.
    password: Option<String>,
}

impl StandIn {
    /// As it stands in the recording.
    pub fn written(&self) -> String {
        written(&self.name)
    }
}

/// The name of the stand-in that a text is.
pub fn name_in(text: &str) -> Option<&str> {
    let name = text.strip_prefix("{{secret_")?.strip_suffix("}}")?;
    is_name(name).then_some(name)
}

/// How a stand-in is written.
fn written(name: &str) -> String {
    format!("{{{{secret_{name}}}}}")
}

impl StandIns {
    pub fn new(declared: &Known) -> Self {
        let all = declared.values().iter().map(|named| StandIn {
            name: named.name.clone(),
            place: "--secret".to_owned(),
            value: named.value.clone(),
            is_sought: true,
        });
        Self {
            all: all.collect(),
            ..Self::default()
        }
    }

    /// What was replaced so far, in order.
    pub fn found(&self) -> impl ExactSizeIterator<Item = &StandIn> {
        self.written.iter().map(|at| &self.all[*at])
    }

    /// Where texts have this stand-in already, it stays one.
    pub fn keep(&mut self, name: &str) {
        self.name(name, "as recorded", &written(name));
    }

    /// The values that stand-ins stand for, as far as they are known.
    pub fn values(&self) -> impl Iterator<Item = Named> {
        let is_value = |it: &&StandIn| *it.value.reveal() != it.written();
        self.all.iter().filter(is_value).map(StandIn::named)
    }

    /// The event with stand-ins in the place of secrets.
    pub fn replace(&mut self, event: &Event) -> Event {
        self.learn(event);
        let mut replaced = event.clone();
        let known = self.known();
        known.replace(&mut replaced, &mut |name| self.write(name));
        self.replace_listed(event, &mut replaced);
        replaced
    }

    /// Text with stand-ins in the place of secrets; `plain` writes what is between them.
    pub fn fill(&mut self, bytes: &[u8], plain: impl Fn(&[u8]) -> String) -> String {
        let known = self.known();
        let Some(pieces) = known.pieces(bytes) else {
            return plain(bytes);
        };
        let pieces = pieces.into_iter().map(|piece| match piece {
            Piece::Plain(bytes) => plain(bytes),
            Piece::Secret(name) => self.write(name),
        });
        pieces.collect()
    }

    /// The payload with `***` in the place of secrets, for what cannot hold a stand-in; whether
    /// there were any.
    pub fn redact(&mut self, payload: &mut Bytes) -> bool {
        self.known().redact_payload(payload)
    }

    /// What is looked for.
    fn known(&mut self) -> Known {
        let known = self.known.get_or_insert_with(|| {
            // Within the bound on what is looked for, the finder can be made.
            Known::new(self.all.iter().map(StandIn::named)).unwrap_or_default()
        });
        known.clone()
    }

    /// How a stand-in is written; it is one of those that were found then.
    fn write(&mut self, name: &str) -> String {
        if let Some(at) = self.all.iter().position(|it| it.name == name)
            && !self.written.contains(&at)
        {
            self.written.push(at);
        }
        written(name)
    }

    // --- what is secret by its place -----------------------------------------------------------

    fn learn(&mut self, event: &Event) {
        match &event.what {
            What::Request(head) => self.learn_request(head),
            What::Response(head) => self.learn_headers(&head.headers),
            What::Refused(refused) => self.learn_headers(&refused.headers),
            _ => {}
        }
    }

    /// Looks for what is secret in a request by its place.
    pub fn learn_request(&mut self, head: &RequestHead) {
        self.learn_target(&head.target);
        self.learn_headers(&head.headers);
    }

    fn learn_target(&mut self, target: &str) {
        let query = target.split_once('?').map_or("", |(_, query)| query);
        for (name, value) in query.split('&').filter_map(|pair| pair.split_once('=')) {
            if is_secret_query(name) {
                let place = format!("query {name}");
                self.name(name, &place, value);
                for (decoded, _) in url::form_urlencoded::parse(value.as_bytes()).take(1) {
                    self.look_for(name, &place, &decoded);
                }
            }
        }
    }

    fn learn_headers(&mut self, headers: &Headers) {
        for (name, value) in headers {
            let place = format!("header {name}");
            if is_url_header(name) {
                self.learn_target(value);
            } else if let Some((_, token)) = bearer_protocol(name, value) {
                self.name("bearer", &place, token);
            } else if is_secret_header(name) {
                let (scheme, credentials) = credentials(name, value);
                self.name(name, &place, credentials);
                if let Some(password) = basic_password(scheme, credentials) {
                    self.name("password", &format!("password in {place}"), &password);
                }
                self.learn_cookies(name, value);
            }
        }
    }

    fn learn_cookies(&mut self, header: &str, value: &str) {
        let most = match header.to_ascii_lowercase().as_str() {
            "cookie" => usize::MAX,
            // The others are attributes.
            "set-cookie" => 1,
            _ => 0,
        };
        for (name, value) in value
            .split(';')
            .take(most)
            .filter_map(|it| it.split_once('='))
        {
            let name = name.trim();
            let value = value.trim().trim_matches('"');
            self.look_for(&format!("cookie_{name}"), &format!("cookie {name}"), value);
        }
    }

    /// Gives a value a name, where it is worth to look for it.
    fn look_for(&mut self, kind: &str, place: &str, value: &str) {
        if self.is_worth(value) {
            self.name(kind, place, value);
        }
    }

    fn is_worth(&self, value: &str) -> bool {
        value.len() >= SHORTEST_SOUGHT && self.sought + value.len() <= MOST_SOUGHT
    }

    /// Gives a value the name of its kind, with a number where another has that.
    fn name(&mut self, kind: &str, place: &str, value: &str) {
        if value.is_empty() || self.name_of(value).is_some() || self.all.len() >= MOST_NAMES {
            return;
        }
        let kind = identifier(kind);
        let numbered = (2..).map(|number| format!("{kind}_{number}"));
        let name = std::iter::once(kind.clone())
            .chain(numbered)
            .find(|name| !self.all.iter().any(|it| it.name == *name))
            .unwrap_or(kind);
        let is_sought = self.is_worth(value);
        if is_sought {
            self.sought += value.len();
        }
        self.all.push(StandIn {
            name,
            place: place.to_owned(),
            value: Secret::new(value.to_owned()),
            is_sought,
        });
        self.known = None;
    }

    fn name_of(&mut self, value: &str) -> Option<String> {
        self.known().name_of(value).map(str::to_owned)
    }

    /// The stand-in of a value that is secret by its place.
    fn stand_in(&mut self, kind: &str, value: &str) -> String {
        if value.is_empty() {
            return String::new();
        }
        let name = self.name_of(value).unwrap_or_else(|| identifier(kind));
        self.write(&name)
    }

    fn replace_listed(&mut self, original: &Event, event: &mut Event) {
        match (&original.what, &mut event.what) {
            (What::Request(original), What::Request(head)) => {
                head.target = self.target(&original.target);
                self.headers(&original.headers, &mut head.headers);
                if let Some(conn) = event.conn {
                    let opening = Opening {
                        target: head.target.clone(),
                        password: self.password(&original.headers),
                    };
                    self.openings.insert(conn, opening);
                }
            }
            (What::Response(original), What::Response(head)) => {
                self.headers(&original.headers, &mut head.headers);
            }
            (_, What::Open(open)) => open.url = self.url(&open.url, event.conn),
            (What::Refused(original), What::Refused(refused)) => {
                refused.url = self.url(&refused.url, event.conn);
                self.headers(&original.headers, &mut refused.headers);
            }
            (_, What::Close(_) | What::Retry { .. }) => {
                event.conn.map(|conn| self.openings.remove(&conn));
            }
            _ => {}
        }
    }

    fn headers(&mut self, original: &Headers, headers: &mut Headers) {
        for ((name, original), (_, value)) in original.iter().zip(headers) {
            if is_url_header(name) {
                *value = self.target(original);
            } else if let Some((before, token)) = bearer_protocol(name, original) {
                *value = format!("{before}{}", self.stand_in("bearer", token));
            } else if is_secret_header(name) {
                let (scheme, credentials) = credentials(name, original);
                let stand_in = self.stand_in(name, credentials);
                *value = format!("{scheme} {stand_in}").trim_start().to_owned();
            }
        }
    }

    fn password(&mut self, headers: &Headers) -> Option<String> {
        let (name, value) = headers
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case("authorization"))?;
        let (scheme, credentials) = credentials(name, value);
        self.name_of(&basic_password(scheme, credentials)?)
    }

    fn target(&mut self, target: &str) -> String {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let Some((path, query)) = target.split_once('?') else {
            return self.fill(target.as_bytes(), text);
        };
        let pairs: Vec<String> = query
            .split('&')
            .map(|pair| match pair.split_once('=') {
                Some((name, value)) if is_secret_query(name) => {
                    format!("{name}={}", self.stand_in(name, value))
                }
                _ => self.fill(pair.as_bytes(), text),
            })
            .collect();
        format!("{}?{}", self.fill(path.as_bytes(), text), pairs.join("&"))
    }

    /// The URL of an event has `***` for what the request of its connection told.
    fn url(&mut self, url: &str, conn: Option<ConnId>) -> String {
        let (place, query) = url.split_once('?').unwrap_or((url, ""));
        let mut place = place.to_owned();
        let opening = conn.and_then(|conn| self.openings.get(&conn));
        let known = opening.and_then(|opening| opening.target.split_once('?'));
        let query = known.map_or_else(|| query.to_owned(), |(_, query)| query.to_owned());
        if place.contains(":***@") {
            let name = opening.and_then(|opening| opening.password.clone());
            let password = match name {
                Some(name) => self.write(&name),
                // Its value is not known here, nor needed: a URL has one.
                None => {
                    self.name("password", "password of the URL", REDACTED);
                    self.stand_in("password", REDACTED)
                }
            };
            place = place.replacen(REDACTED, &password, 1);
        }
        if query.is_empty() {
            place
        } else {
            format!("{place}?{query}")
        }
    }
}

impl StandIn {
    fn named(&self) -> Named {
        Named {
            name: self.name.clone(),
            value: self.value.clone(),
            is_sought: self.is_sought,
        }
    }
}

/// The password in what is the base64 of user and password (RFC 7617, section 2).
fn basic_password(scheme: &str, credentials: &str) -> Option<String> {
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let both = String::from_utf8(BASE64.decode(credentials).ok()?).ok()?;
    both.split_once(':')
        .map(|(_, password)| password.to_owned())
}

/// `X-Api-Key` as a variable's name: `x_api_key`.
fn identifier(name: &str) -> String {
    name.chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
        .collect::<String>()
        .to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::*;
    use crate::model::event::{Direction, Open};
    use crate::model::handshake::Timings;
    use crate::model::message::Message;

    fn event(conn: ConnId, what: What) -> Event {
        Event {
            time: SystemTime::UNIX_EPOCH,
            at: Duration::ZERO,
            conn: Some(conn),
            name: None,
            what,
        }
    }

    fn request(conn: ConnId, target: &str, headers: &[(&str, &str)]) -> Event {
        let headers = headers.iter();
        let headers = headers.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let head = RequestHead {
            method: "GET".into(),
            target: target.into(),
            headers: headers.collect(),
        };
        event(conn, What::Request(Box::new(head)))
    }

    fn target(event: Event) -> String {
        match event.what {
            What::Request(head) => head.target,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn secrets_get_the_names_of_their_places_and_each_its_own() {
        let mut names = StandIns::default();
        let first = request(1, "/?token=a&room=1", &[("Cookie", "c=1"), ("X", "y")]);
        let What::Request(head) = names.replace(&first).what else {
            panic!("a request stays one");
        };
        assert_eq!(head.target, "/?token={{secret_token}}&room=1");
        assert_eq!(head.headers[0].1, "{{secret_cookie}}");
        assert_eq!(head.headers[1].1, "y");
        for (asked, expected) in [
            ("/?token=a", "/?token={{secret_token}}"),
            ("/?token=b", "/?token={{secret_token_2}}"),
            ("/?X-key=b", "/?X-key=b"),
        ] {
            assert_eq!(target(names.replace(&request(2, asked, &[]))), expected);
        }
        let places: Vec<&str> = names.found().map(|it| it.place.as_str()).collect();
        assert_eq!(places, ["query token", "header Cookie", "query token"]);
    }

    #[test]
    fn the_url_of_an_open_has_the_stand_ins_of_its_request() {
        let mut names = StandIns::default();
        names.replace(&request(1, "/c?a=1&jwt=x", &[]));
        let open = Open {
            url: "ws://ann:***@h/c?a=1&jwt=***".into(),
            subprotocol: None,
            extensions: Vec::new(),
            peer: String::new(),
            tls: None,
            timings: Timings::default(),
        };
        let What::Open(open) = names.replace(&event(1, What::Open(Box::new(open)))).what else {
            panic!("an open stays one");
        };
        let expected = "ws://ann:{{secret_password}}@h/c?a=1&jwt={{secret_jwt}}";
        assert_eq!(open.url, expected);
    }

    #[test]
    fn a_declared_value_has_its_declared_name_wherever_it_stands() {
        let values = [Named::declared(
            "mine".to_owned(),
            Secret::new("hunter2".to_owned()),
        )];
        let mut names = StandIns::new(&Known::new(values).unwrap());
        let replaced = target(names.replace(&request(1, "/hunter2?token=hunter2", &[])));
        assert_eq!(replaced, "/{{secret_mine}}?token={{secret_mine}}");
        let message = What::Message {
            dir: Direction::Out,
            message: Message::text("my hunter2"),
            frames: 1,
            wire: 1,
            json: None,
        };
        let What::Message { message, .. } = names.replace(&event(1, message)).what else {
            panic!("a message stays one");
        };
        assert_eq!(&message.payload[..], b"my {{secret_mine}}");
        assert_eq!(names.found().len(), 1);
    }

    #[test]
    fn peers_cannot_make_names_without_end() {
        let mut names = StandIns::default();
        for token in 0..1000 {
            names.replace(&request(1, &format!("/?token={token}"), &[]));
        }
        assert_eq!(names.found().len(), MOST_NAMES);
        let long = "x".repeat(MOST_SOUGHT);
        names = StandIns::default();
        for token in 0..10 {
            names.replace(&request(1, &format!("/?token={long}{token}"), &[]));
        }
        assert_eq!(names.sought, 0);
    }

    fn message(text: &str) -> Event {
        let what = What::Message {
            dir: Direction::In,
            message: Message::text(text),
            frames: 1,
            wire: 1,
            json: None,
        };
        event(1, what)
    }

    #[test]
    fn what_a_handshake_shows_is_replaced_wherever_it_is_repeated() {
        let basic = BASE64.encode("ann:open sesame");
        let headers = [
            ("Authorization", "Bearer tok/en+1"),
            ("Proxy-Authorization", &format!("Basic {basic}")),
            ("Cookie", "sid=s3ss10n; lang=en"),
            ("X-Api-Key", "apikey-7"),
            ("Sec-WebSocket-Protocol", "chat, bearer, jwt.jwt"),
        ];
        for (said, recorded) in [
            ("you are tok/en+1", "you are {{secret_authorization}}"),
            (
                r#"{"t":"tok\/en+1"}"#,
                r#"{"t":"{{secret_authorization}}"}"#,
            ),
            ("tok%2Fen%2B1", "{{secret_authorization}}"),
            (basic.as_str(), "{{secret_proxy_authorization}}"),
            ("open sesame", "{{secret_password}}"),
            ("open+sesame", "{{secret_password}}"),
            ("sid is s3ss10n", "sid is {{secret_cookie_sid}}"),
            ("then apikey-7", "then {{secret_x_api_key}}"),
            ("jwt.jwt", "{{secret_bearer}}"),
            ("a=b c d", "{{secret_token_2}}"),
            ("a%3Db+c%20d", "{{secret_token}}"),
        ] {
            let mut names = StandIns::default();
            let target = "/?token=a%3Db+c%20d&key=abcde";
            let What::Request(head) = names.replace(&request(1, target, &headers)).what else {
                panic!("a request stays one");
            };
            assert_eq!(head.target, "/?token={{secret_token}}&key={{secret_key}}");
            let values: Vec<&str> = head.headers.iter().map(|(_, it)| it.as_str()).collect();
            assert_eq!(
                values,
                [
                    "Bearer {{secret_authorization}}",
                    "Basic {{secret_proxy_authorization}}",
                    "{{secret_cookie}}",
                    "{{secret_x_api_key}}",
                    "chat, bearer, {{secret_bearer}}",
                ]
            );
            let What::Message { message, .. } = names.replace(&message(said)).what else {
                panic!("a message stays one");
            };
            assert_eq!(
                String::from_utf8_lossy(&message.payload),
                recorded,
                "{said}"
            );
            // Too short to be looked for.
            assert_eq!(names.fill(b"abcde", |it| format!("<{}>", it.len())), "<5>");
        }
    }

    #[test]
    fn a_stand_in_that_is_kept_stays_what_it_is() {
        let mut names = StandIns::default();
        names.keep("room");
        let text = names.fill(b"{{secret_room}} {{x}}", |plain| {
            String::from_utf8_lossy(plain).replace("{{", "{{{{")
        });
        assert_eq!(text, "{{secret_room}} {{{{x}}");
        assert_eq!(names.values().count(), 0);
        assert_eq!(names.found().count(), 1);
    }
}
