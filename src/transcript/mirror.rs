//! The server's side of a transcript: what its client expects is sent, what its client sends is
//! expected. What cannot be turned round is found before anybody is served.
//!
//! Everything is filled in when the file is read. `none`, `let`, `within` and `ignore` are the
//! client's and mean nothing here; pings are answered by the connection itself, so that neither they
//! nor their pongs are steps. `wait` is waited on this side too.

use std::time::Duration;

use super::diagnostic::Diagnostic;
use super::json::equal;
use super::matcher::{Context, Files};
use super::sending;
use super::syntax::{Expectation, Peer, Sending, Source, Span, Statement, Step, Text, Transcript};
use super::template::{Fault, Filling, Placeholder, Template};
use super::variables::{Value, Variables};
use crate::model::command::Command;
use crate::model::message::Message;

/// The most steps of a mirror, repeats counted out.
const MOST_STEPS: usize = 100_000;

const VAGUE: &str = "this does not say what to send, so it cannot be mirrored";

/// The server's side, ready to be played.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Mirror {
    /// For each `connect` the path at which its client arrives.
    pub clients: Vec<String>,
    pub steps: Vec<Turn>,
}

/// One step, and the client that it is about: a place in [`Mirror::clients`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turn {
    pub client: usize,
    pub act: Act,
    /// The file and line where it is written, for people.
    pub place: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// The client has to be there.
    Connect,
    Send(Command),
    Expect(Message),
    /// The client closes.
    ExpectClose,
    Wait(Duration),
}

impl Mirror {
    /// # Errors
    /// Everything that cannot be mirrored.
    pub fn of(
        transcript: &Transcript,
        variables: Variables,
        files: &dyn Files,
    ) -> Result<Self, Vec<Diagnostic>> {
        let mut turner = Turner {
            sources: &transcript.sources,
            variables,
            files,
            peers: Vec::new(),
            mirror: Self::default(),
            wrong: Vec::new(),
        };
        turner.statements(&transcript.statements);
        if turner.wrong.is_empty() {
            Ok(turner.mirror)
        } else {
            Err(turner.wrong)
        }
    }
}

/// Whether a message is what its client's line says: JSON is compared as a value.
pub fn is_same(expected: &Message, got: &Message) -> bool {
    let json = |message: &Message| serde_json::from_slice(&message.payload).ok();
    expected == got
        || expected.is_text()
            && got.is_text()
            && matches!((json(expected), json(got)), (Some(a), Some(b)) if equal(&a, &b))
}

struct Turner<'t> {
    sources: &'t [Source],
    variables: Variables,
    files: &'t dyn Files,
    /// The client that a peer is at this point.
    peers: Vec<(Peer, usize)>,
    mirror: Mirror,
    wrong: Vec<Diagnostic>,
}

/// It was told of.
struct Wrong;

impl Turner<'_> {
    fn statements(&mut self, statements: &[Statement]) {
        for statement in statements {
            if self.mirror.steps.len() > MOST_STEPS {
                let message = format!("a mirror has at most {MOST_STEPS} steps");
                self.wrong.push(Diagnostic::new(statement.span, message));
                return;
            }
            // What is wrong was told of; what follows is looked at too.
            let _ = self.statement(statement);
        }
    }

    fn statement(&mut self, statement: &Statement) -> Result<(), Wrong> {
        let span = statement.span;
        match &statement.step {
            Step::Connect(connect) => {
                let path = path(&connect.url.raw);
                if path.contains("{{") {
                    return self.refuse(span, "the path of a mirrored connect has no placeholders");
                }
                let client = self.mirror.clients.len();
                self.mirror.clients.push(path);
                self.peers.retain(|(peer, _)| *peer != connect.peer);
                self.peers.push((connect.peer.clone(), client));
                self.push(client, Act::Connect, span);
            }
            Step::Send(send) => {
                let client = self.client(&send.peer);
                if let Some(act) = self.sent(&send.sending, span)? {
                    self.push(client, act, span);
                }
            }
            Step::Expect(expect) => {
                let client = self.client(&expect.peer);
                if let Some(command) = self.expected(&expect.expectation, span)? {
                    self.push(client, Act::Send(command), span);
                }
            }
            Step::All(all) => {
                let client = self.client(&all.peer);
                for item in &all.items {
                    if let Some(command) = self.expected(&item.expectation, item.span)? {
                        self.push(client, Act::Send(command), item.span);
                    }
                }
            }
            Step::Wait(time) => {
                let client = self.mirror.clients.len().saturating_sub(1);
                self.push(client, Act::Wait(*time), span);
            }
            Step::Set { name, value } => {
                self.check(value)?;
                if let Ok(template) = Template::parse(&value.raw)
                    && let Ok(rendered) = template.render(Filling::Plain, &mut self.variables)
                {
                    self.variables.set(name, Value::Text(rendered.text));
                }
            }
            Step::Ignore { .. } => {}
            Step::Repeat { count, body } => {
                for _ in 0..*count {
                    let wrong = self.wrong.len();
                    self.statements(body);
                    // The same would be told of again.
                    if self.wrong.len() > wrong {
                        break;
                    }
                }
            }
            Step::Include { body, .. } => self.statements(body),
        }
        Ok(())
    }

    /// The client that a peer is; a peer that never connects is one that comes to `/`.
    fn client(&mut self, peer: &Peer) -> usize {
        let known = self.peers.iter().find(|(known, _)| known == peer);
        if let Some((_, client)) = known {
            return *client;
        }
        let client = self.mirror.clients.len();
        self.mirror.clients.push("/".into());
        self.peers.push((peer.clone(), client));
        self.push(client, Act::Connect, Span::default());
        client
    }

    fn push(&mut self, client: usize, act: Act, span: Span) {
        let place = self
            .sources
            .get(span.file)
            .map_or_else(String::new, |source| {
                format!("{}:{}", source.path, source.place(span.start).line)
            });
        self.mirror.steps.push(Turn { client, act, place });
    }

    /// What is expected where a client sends this.
    fn sent(&mut self, sending: &Sending, span: Span) -> Result<Option<Act>, Wrong> {
        Ok(match self.command(sending, span)? {
            Command::Send(message) => Some(Act::Expect(message)),
            Command::Close(_) => Some(Act::ExpectClose),
            // The connection answers them.
            Command::Ping(_) | Command::Pong(_) => None,
            Command::Frame(_) => {
                return self.refuse(span, "a raw frame cannot be mirrored: it is no message");
            }
        })
    }

    /// What is sent where a client expects this.
    fn expected(
        &mut self,
        expectation: &Expectation,
        span: Span,
    ) -> Result<Option<Command>, Wrong> {
        let text = &expectation.text;
        let wire = |verb, args: &str| Sending::Wire {
            verb,
            args: Text {
                raw: args.to_owned(),
                ..text.clone()
            },
        };
        let raw = text.raw.as_str();
        let sending = match expectation.matcher {
            "" => Sending::Text(text.clone()),
            "/json" if raw.contains("\"...\"") => return self.refuse(span, VAGUE),
            "/json" | "/exactly" => Sending::Json(text.clone()),
            "/bin" if raw.starts_with("hex:") || raw.starts_with("base64:") => wire("/bin", raw),
            "/bin" => match raw.strip_prefix("file:") {
                Some(path) => Sending::File {
                    path: Text::new(path.trim()),
                    text: false,
                },
                None => return self.refuse(span, VAGUE),
            },
            "/close" => wire("/close", if raw == "1005" { "" } else { raw }),
            "/ping" => wire("/ping", raw),
            // Pongs answer pings, which the connection does; nothing is the absence of something.
            "/pong" | "/none" => return Ok(None),
            _ => return self.refuse(span, VAGUE),
        };
        self.command(&sending, span).map(Some)
    }

    /// A line as a command, with the values that are set in the file or given from outside.
    fn command(&mut self, sending: &Sending, span: Span) -> Result<Command, Wrong> {
        match sending {
            Sending::Text(text) | Sending::Json(text) => self.check(text)?,
            Sending::File { path, .. } => self.check(path)?,
            Sending::Wire { args, .. } => self.check(args)?,
        }
        let mut context = Context {
            variables: &mut self.variables,
            files: self.files,
        };
        sending::command(sending, &mut context).map_err(|why| self.tell(span, &why))
    }

    /// Only what has one value can be sent or expected.
    fn check(&mut self, text: &Text) -> Result<(), Wrong> {
        let template = match Template::parse(&text.raw) {
            Ok(template) => template,
            Err(fault) => return Err(self.fault(fault, text)),
        };
        for (placeholder, at) in template.placeholders() {
            let fault = match placeholder {
                Placeholder::Variable(_) if self.variables.value(placeholder).is_ok() => continue,
                Placeholder::Variable(name) => Fault::new(
                    at.clone(),
                    format!("{{{{{name}}}}} has no value, so this cannot be mirrored"),
                )
                .hint(
                    "what a client captures is not known to its server; values come from set, \
                     WSCOPE_VAR_name and WSCOPE_SECRET_name",
                ),
                _ => Fault::new(
                    at.clone(),
                    "this has no one value, so it cannot be mirrored",
                )
                .hint("write what the server is to send or to get"),
            };
            return Err(self.fault(fault, text));
        }
        Ok(())
    }

    fn fault(&mut self, fault: Fault, text: &Text) -> Wrong {
        let diagnostic = Diagnostic::of_fault(fault, text.span.file, |at| text.position(at));
        self.wrong.push(diagnostic);
        Wrong
    }

    fn tell(&mut self, span: Span, why: &str) -> Wrong {
        let hint = "a text, /json, /exactly, /bin with its bytes, /ping and /close can be mirrored";
        self.wrong.push(Diagnostic::new(span, why).hint(hint));
        Wrong
    }

    fn refuse<T>(&mut self, span: Span, why: &str) -> Result<T, Wrong> {
        Err(self.tell(span, why))
    }
}

/// The path of a URL, which may begin with `{{url}}`.
fn path(url: &str) -> String {
    let rest = match url.split_once("://") {
        Some((_, rest)) => rest.find('/').map_or("", |at| &rest[at..]),
        None => url.strip_prefix("{{url}}").unwrap_or(url),
    };
    let path = rest.split(['?', '#']).next().unwrap_or_default();
    if path.starts_with('/') {
        path.to_owned()
    } else {
        format!("/{path}")
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::transcript::parse::parse;

    struct NoFiles;

    impl Files for NoFiles {
        fn read(&self, path: &str) -> Result<Bytes, String> {
            Err(format!("{path}: no such file"))
        }
    }

    fn mirror(text: &str) -> Result<Mirror, Vec<Diagnostic>> {
        let transcript = Transcript {
            sources: vec![Source {
                path: "t.wst".into(),
                text: text.into(),
            }],
            statements: parse(text, 0).unwrap(),
        };
        Mirror::of(&transcript, Variables::fixed(), &NoFiles)
    }

    #[test]
    fn what_one_side_expects_the_other_sends() {
        let text = "\
set room = general
alice: connect {{url}}/chat?token={{secret_token}}
alice> {\"room\":\"{{room}}\"}
alice< /json {\"ok\":true}
  let ok = /ok
  within 1s
alice> /ping x
alice< /pong x
alice< /none 100ms
wait 5ms
bob: connect wss://h:1/
bob< /bin hex:00ff
alice> /close 1000 bye
bob< /close 1001
";
        let mirror = mirror(text).unwrap();
        assert_eq!(mirror.clients, ["/chat", "/"]);
        let turn = |client, line: usize, act| Turn {
            client,
            act,
            place: format!("t.wst:{line}"),
        };
        let close = crate::text::command::close("1001").unwrap();
        assert_eq!(
            mirror.steps,
            [
                turn(0, 2, Act::Connect),
                turn(0, 3, Act::Expect(Message::text("{\"room\":\"general\"}"))),
                turn(
                    0,
                    4,
                    Act::Send(Command::Send(Message::text("{\"ok\":true}")))
                ),
                turn(0, 10, Act::Wait(Duration::from_millis(5))),
                turn(1, 11, Act::Connect),
                turn(
                    1,
                    12,
                    Act::Send(Command::Send(Message::binary(vec![0, 0xff])))
                ),
                turn(0, 13, Act::ExpectClose),
                turn(1, 14, Act::Send(close)),
            ]
        );
    }

    #[test]
    fn what_cannot_be_mirrored_is_told_with_its_place() {
        for (line, part) in [
            ("< /any", "does not say what to send"),
            ("< /match a", "does not say what to send"),
            ("< /contains a", "does not say what to send"),
            ("< /json [1,\"...\"]", "does not say what to send"),
            ("< /json {\"a\":\"{{*}}\"}", "no one value"),
            ("< /bin sha256:00", "does not say what to send"),
            ("> {{uuid}}", "no one value"),
            ("> {{id}}", "{{id}} has no value"),
            ("> /frame op=1 x", "raw frame"),
            ("> /file a.bin", "no such file"),
        ] {
            let text = format!("connect ws://h/\n{line}\n");
            let Ok(_) = parse(&text, 0) else { continue };
            let wrong = mirror(&text).unwrap_err();
            assert_eq!(wrong.len(), 1, "{line}");
            assert!(wrong[0].message.contains(part), "{line}: {wrong:?}");
            assert!(wrong[0].span.start >= "connect ws://h/\n".len(), "{line}");
        }
    }

    #[test]
    fn json_is_compared_as_a_value() {
        let text = |text: &str| Message::text(text);
        assert!(is_same(
            &text("{\"a\":1,\"b\":2}"),
            &text("{ \"b\": 2.0, \"a\": 1 }")
        ));
        assert!(!is_same(&text("{\"a\":1}"), &text("{\"a\":2}")));
        assert!(is_same(&text("hi"), &text("hi")) && !is_same(&text("hi"), &text("hi ")));
    }
}
