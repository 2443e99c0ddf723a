//! `{{secret_NAME}}`: what a recording has in the place of a secret, so that it can be played again
//! with the secret given from outside, and what was replaced can be said.

use std::collections::HashMap;

use super::declared::Declared;
use super::{REDACTED, Secret, is_secret_header, is_url_header, replace_query};
use crate::model::event::{ConnId, Event, What};
use crate::model::handshake::Headers;

/// Different secrets that get names of their own; peers make them up, so there is a bound. Later
/// ones share the name of their kind.
const MOST_NAMES: usize = 64;

/// The stand-ins of one recording.
#[derive(Debug, Default)]
pub struct StandIns {
    declared: Declared,
    /// Nothing is replaced.
    reveals: bool,
    found: Vec<StandIn>,
    /// The request target of each connection that is opening or open, with stand-ins.
    targets: HashMap<ConnId, String>,
}

/// A secret that was replaced.
#[derive(Debug)]
pub struct StandIn {
    /// Without `secret_`.
    pub name: String,
    /// Where it stood first: `header Cookie`, `query token`, `--secret`.
    pub place: String,
    value: Secret<String>,
}

impl StandIn {
    /// As it stands in the recording.
    pub fn written(&self) -> String {
        written(&self.name)
    }
}

/// Whether a text is the stand-in of a secret and no secret.
pub(super) fn is_one(text: &str) -> bool {
    text.starts_with("{{secret_") && text.ends_with("}}")
}

/// How a stand-in is written.
fn written(name: &str) -> String {
    format!("{{{{secret_{name}}}}}")
}

impl StandIns {
    pub fn new(declared: Declared) -> Self {
        Self {
            declared,
            ..Self::default()
        }
    }

    /// Stand-ins that replace nothing: what is written is played at once and not kept.
    pub fn revealing() -> Self {
        Self {
            reveals: true,
            ..Self::default()
        }
    }

    /// The declared values, for whoever looks for them himself.
    pub const fn declared(&self) -> &Declared {
        &self.declared
    }

    /// What was replaced so far.
    pub fn found(&self) -> &[StandIn] {
        &self.found
    }

    /// The event with stand-ins in the place of secrets.
    pub fn replace(&mut self, event: &Event) -> Event {
        let mut event = event.clone();
        if self.reveals {
            return event;
        }
        self.replace_listed(&mut event);
        let declared = self.declared.clone();
        declared.replace(&mut event, &mut |name| self.declared_one(name));
        event
    }

    /// The stand-in of a declared value.
    pub fn declared_one(&mut self, name: &str) -> String {
        if !self.found.iter().any(|found| found.name == name) {
            self.found.push(StandIn {
                name: name.to_owned(),
                place: "--secret".to_owned(),
                value: Secret::new(String::new()),
            });
        }
        written(name)
    }

    /// What is secret by its header or its query name.
    fn replace_listed(&mut self, event: &mut Event) {
        match &mut event.what {
            What::Request(head) => {
                head.target = self.target(&head.target);
                self.headers(&mut head.headers);
                if let Some(conn) = event.conn {
                    self.targets.insert(conn, head.target.clone());
                }
            }
            What::Response(head) => self.headers(&mut head.headers),
            What::Open(open) => open.url = self.url(&open.url, event.conn),
            What::Refused(refused) => {
                refused.url = self.url(&refused.url, event.conn);
                self.headers(&mut refused.headers);
            }
            What::Close(_) | What::Retry { .. } => {
                event.conn.map(|conn| self.targets.remove(&conn));
            }
            _ => {}
        }
    }

    fn headers(&mut self, headers: &mut Headers) {
        for (name, value) in headers {
            if is_secret_header(name) {
                *value = self.stand_in(name, &format!("header {name}"), value);
            } else if is_url_header(name) {
                *value = self.target(value);
            }
        }
    }

    fn target(&mut self, target: &str) -> String {
        let Some((path, query)) = target.split_once('?') else {
            return target.to_owned();
        };
        let query = replace_query(query, |name, value| {
            self.stand_in(name, &format!("query {name}"), value)
        });
        format!("{path}?{query}")
    }

    /// The URL of an event has `***` for what the request of its connection told.
    fn url(&mut self, url: &str, conn: Option<ConnId>) -> String {
        let (place, query) = url.split_once('?').unwrap_or((url, ""));
        let mut place = place.to_owned();
        if place.contains(":***@") {
            // Its value is not known here, nor needed: a URL has one.
            let password = self.stand_in("password", "password of the URL", REDACTED);
            place = place.replacen(REDACTED, &password, 1);
        }
        let target = conn.and_then(|conn| self.targets.get(&conn));
        match target.and_then(|target| target.split_once('?')) {
            Some((_, query)) => format!("{place}?{query}"),
            None if query.is_empty() => place,
            None => format!("{place}?{query}"),
        }
    }

    fn stand_in(&mut self, kind: &str, place: &str, value: &str) -> String {
        if let Some(name) = self.declared.name_of(value).map(str::to_owned) {
            return self.declared_one(&name);
        }
        let kind = identifier(kind);
        let same =
            |found: &&StandIn| found.value.reveal() == value && found.name.starts_with(&kind);
        if let Some(found) = self.found.iter().find(same) {
            return written(&found.name);
        }
        if self.found.len() == MOST_NAMES {
            return written(&kind);
        }
        let numbered = (2..).map(|number| format!("{kind}_{number}"));
        let name = std::iter::once(kind.clone())
            .chain(numbered)
            .find(|name| !self.found.iter().any(|found| found.name == *name))
            .unwrap_or(kind);
        self.found.push(StandIn {
            name: name.clone(),
            place: place.to_owned(),
            value: Secret::new(value.to_owned()),
        });
        written(&name)
    }
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
    use crate::model::handshake::{RequestHead, Timings};
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
        let places: Vec<&str> = names.found().iter().map(|it| it.place.as_str()).collect();
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
        let values = [("mine".to_owned(), Secret::new("hunter2".to_owned()))];
        let mut names = StandIns::new(Declared::new(values).unwrap());
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
    }
}
