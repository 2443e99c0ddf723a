//! A transcript made ready to run: its statements in one row, each expectation compiled, and
//! everything checked that can be known before anything is sent.

use std::collections::{HashMap, HashSet};
use std::ptr;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value as Json;

use super::diagnostic::Diagnostic;
use super::incoming::Incoming;
use super::json::Bound;
use super::load::Wrong;
use super::matcher::{Matcher, Mismatch, Test};
use super::outcome::StepKind;
use super::syntax::{
    Capture, CaptureFrom, Connect, ConnectModifiers, Expectation, Peer, Place, Sending, Source,
    Span, Statement, Step, Text, Transcript,
};
use super::template::{BUILT_IN, Piece, Placeholder, Template};
use super::variables::{LARGE_VALUE, MAX_VALUE, Value};
use crate::model::secret::known::Known;
use crate::model::secret::mask_passwords;
use crate::text::nearest::nearest;

/// Where a peer connects to that no line connects.
pub(super) const URL: &str = "{{url}}";
/// The most steps that one run of a file may take.
pub const MAX_STEPS: u64 = 100_000;

/// A transcript that can be played, by many players at once.
#[derive(Debug)]
pub struct Program {
    pub sources: Vec<Source>,
    pub(super) operations: Vec<Operation>,
    /// Pings and pongs are of interest: somebody expects one.
    pub(super) hears_control: bool,
}

/// One thing to do, and where it is written.
#[derive(Debug)]
pub(super) struct Operation {
    pub span: Span,
    pub what: What,
    /// No line says it: the line at `span` only needs it.
    pub is_implied: bool,
}

impl Operation {
    /// Where it is told of, and the line there.
    pub(super) fn line<'s>(&self, sources: &'s [Source]) -> (Place, &'s str) {
        let source = &sources[self.span.file];
        let place = source.place(self.span.start);
        if self.is_implied {
            (Place { column: 1, ..place }, IMPLIED_CONNECT)
        } else {
            (place, source.line(place.line))
        }
    }
}

/// How the `connect` is told of that no line says.
const IMPLIED_CONNECT: &str = "connect {{url}} (implied: no line says connect)";

#[derive(Debug)]
pub(super) enum What {
    Connect(Box<Connect>),
    Send {
        peer: Peer,
        sending: Sending,
    },
    Expect(Box<Expecting>),
    All {
        peer: Peer,
        within: Option<Duration>,
        items: Arc<[Compiled]>,
    },
    Wait(Duration),
    Set {
        name: String,
        value: Text,
    },
    Ignore {
        peer: Option<Peer>,
        compiled: Compiled,
    },
    /// The beginning of a `repeat`.
    Repeat(u32),
    /// Its end: goes back to the operation after [`What::Repeat`] until all rounds are done.
    Again,
}

#[derive(Debug)]
pub(super) struct Expecting {
    pub peer: Peer,
    pub skip: bool,
    pub within: Option<Duration>,
    pub compiled: Compiled,
}

/// An expectation with what is captured once it holds.
#[derive(Debug, Clone)]
pub(super) struct Compiled {
    pub test: Arc<dyn Test>,
    pub text: Text,
    /// Of the expectation, from the matcher's word on.
    pub span: Span,
    pub captures: Arc<[Capture]>,
}

impl What {
    /// What kind of step it is; nothing for what takes no time and cannot fail.
    pub(super) const fn kind(&self) -> Option<StepKind> {
        match self {
            Self::Connect(_) => Some(StepKind::Connect),
            Self::Send { .. } => Some(StepKind::Send),
            Self::Expect(_) | Self::All { .. } => Some(StepKind::Expect),
            Self::Wait(_) => Some(StepKind::Wait),
            Self::Set { .. } | Self::Ignore { .. } | Self::Repeat(_) | Self::Again => None,
        }
    }

    pub(super) fn peer(&self) -> Peer {
        match self {
            Self::Connect(connect) => connect.peer.clone(),
            Self::Send { peer, .. } | Self::All { peer, .. } => peer.clone(),
            Self::Expect(expecting) => expecting.peer.clone(),
            _ => Peer::UNNAMED,
        }
    }
}

impl Program {
    /// Makes a transcript ready. `given` are the names that have values from outside.
    ///
    /// # Errors
    /// Unknown variables and peers, a `/refused` without its `connect`, more steps than
    /// [`MAX_STEPS`].
    pub fn new(
        transcript: Transcript,
        given: impl IntoIterator<Item = String>,
    ) -> Result<Self, Wrong> {
        let given: HashSet<String> = given.into_iter().collect();
        let steps = count(&transcript.statements);
        let mut compiler = Compiler {
            needs_connect: needs_connect(&transcript.statements),
            known: given.clone(),
            given,
            sizes: HashMap::new(),
            peers: HashSet::new(),
            hears_control: false,
            operations: Vec::new(),
            diagnostics: Vec::new(),
        };
        if steps > MAX_STEPS {
            let span = transcript
                .statements
                .first()
                .map_or_else(Span::default, |one| one.span);
            let message = format!("this takes {steps} steps, at most {MAX_STEPS} are played");
            compiler
                .diagnostics
                .push(Diagnostic::new(span, message).hint("repeat less often"));
        } else {
            compiler.statements(&transcript.statements);
            let is_step = |one: &Operation| one.what.kind().is_some();
            if compiler.diagnostics.is_empty() && !compiler.operations.iter().any(is_step) {
                let nothing = Diagnostic::new(Span::default(), "there is nothing to play");
                let hint = "a line such as: > hello";
                compiler.diagnostics.push(nothing.hint(hint));
            }
        }
        let Compiler {
            operations,
            hears_control,
            diagnostics,
            ..
        } = compiler;
        let sources = transcript.sources;
        if diagnostics.is_empty() {
            Ok(Self {
                sources,
                operations,
                hears_control,
            })
        } else {
            Err(Wrong {
                sources,
                diagnostics,
            })
        }
    }
}

/// A step as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The file that it stands in.
    pub path: String,
    /// From 1.
    pub line: usize,
    /// Its first line, without passwords.
    pub text: String,
    pub kind: StepKind,
    /// The `connect` that a file without one begins with: it stands at the line of another step.
    pub is_implied: bool,
}

impl Program {
    /// What takes time or can fail, in the order in which it is written: those of a `repeat` once.
    pub fn steps(&self) -> impl Iterator<Item = Written> {
        self.operations.iter().filter_map(|operation| {
            let (place, line) = operation.line(&self.sources);
            Some(Written {
                path: self.sources[operation.span.file].path.clone(),
                line: place.line,
                text: mask_passwords(line.trim()).into_owned(),
                kind: operation.what.kind()?,
                is_implied: operation.is_implied,
            })
        })
    }

    /// How many peers it has.
    pub fn peers(&self) -> usize {
        let connects = self.operations.iter().filter_map(|one| match &one.what {
            What::Connect(connect) => Some(&connect.peer),
            _ => None,
        });
        connects.collect::<HashSet<_>>().len()
    }
}

/// The steps of all rounds.
fn count(statements: &[Statement]) -> u64 {
    let steps = statements.iter().map(|statement| match &statement.step {
        Step::Repeat {
            count: rounds,
            body,
        } => u64::from(*rounds).saturating_mul(count(body)),
        Step::Include { body, .. } => count(body),
        _ => 1,
    });
    steps.fold(0, u64::saturating_add)
}

struct Compiler<'t> {
    /// Before this the peer without a name connects, though no line says so.
    needs_connect: Option<&'t Statement>,
    /// The variables that have a value at this point.
    known: HashSet<String>,
    /// Those of them that came from outside: `set` does not change them.
    given: HashSet<String>,
    /// How large the values are at least that `set` gave them, in bytes.
    sizes: HashMap<String, usize>,
    /// The peers that were connected before this point.
    peers: HashSet<Peer>,
    hears_control: bool,
    operations: Vec<Operation>,
    diagnostics: Vec<Diagnostic>,
}

impl<'t> Compiler<'t> {
    /// Lines from a terminal have no `connect`: where the peer without a name has none, it connects
    /// to `{{url}}` before the first that needs it.
    fn connect_unnamed(&mut self, first: &Statement) {
        if !self.known.contains("url") {
            let diagnostic = Diagnostic::new(first.span, "nothing says where to connect to");
            let hint =
                "connect ws://localhost:8080/ as the first line, or --url on the command line";
            self.diagnostics.push(diagnostic.hint(hint));
        }
        self.peers.insert(Peer::UNNAMED);
        self.operations.push(Operation {
            span: first.span,
            what: What::Connect(Box::new(Connect {
                peer: Peer::UNNAMED,
                url: Text::new(URL),
                modifiers: ConnectModifiers::default(),
            })),
            is_implied: true,
        });
    }

    fn statements(&mut self, statements: &'t [Statement]) {
        for (at, statement) in statements.iter().enumerate() {
            if self
                .needs_connect
                .is_some_and(|one| ptr::eq(one, statement))
            {
                self.connect_unnamed(statement);
            }
            let before = at.checked_sub(1).map(|before| &statements[before].step);
            if let Some(what) = self.step(statement, before) {
                self.push(statement.span, what);
            }
        }
    }

    fn push(&mut self, span: Span, what: What) {
        self.operations.push(Operation {
            span,
            what,
            is_implied: false,
        });
    }

    fn step(&mut self, statement: &'t Statement, before: Option<&Step>) -> Option<What> {
        match &statement.step {
            Step::Connect(connect) => {
                self.connect(connect);
                Some(What::Connect(Box::new(connect.clone())))
            }
            Step::Send(send) => {
                self.peer(&send.peer, statement.span);
                match &send.sending {
                    Sending::Text(text) | Sending::Json(text) => self.text(text),
                    Sending::File { path, .. } => self.text(path),
                    Sending::Wire { args, .. } => self.text(args),
                }
                Some(What::Send {
                    peer: send.peer.clone(),
                    sending: send.sending.clone(),
                })
            }
            Step::Expect(expect) => {
                self.peer(&expect.peer, statement.span);
                let compiled = self.expectation(&expect.expectation, &expect.captures)?;
                let follows = matches!(before, Some(Step::Connect(one)) if one.peer == expect.peer);
                if compiled.test.is_about_handshake() && !follows {
                    let message = "/refused stands right after the connect that is refused";
                    let diagnostic = Diagnostic::new(statement.span, message);
                    self.diagnostics
                        .push(diagnostic.hint("nothing may stand between them"));
                }
                self.bind(&compiled);
                Some(What::Expect(Box::new(Expecting {
                    peer: expect.peer.clone(),
                    skip: expect.skip,
                    within: expect.within,
                    compiled,
                })))
            }
            Step::All(all) => {
                self.peer(&all.peer, statement.span);
                let items = all
                    .items
                    .iter()
                    .map(|item| self.expectation(&item.expectation, &item.captures));
                let items: Option<Arc<[Compiled]>> = items.collect();
                let items = items?;
                for item in &*items {
                    self.bind(item);
                }
                Some(What::All {
                    peer: all.peer.clone(),
                    within: all.within,
                    items,
                })
            }
            Step::Wait(time) => Some(What::Wait(*time)),
            Step::Set { name, value } => {
                self.text(value);
                self.weigh(name, value);
                self.known.insert(name.clone());
                Some(What::Set {
                    name: name.clone(),
                    value: value.clone(),
                })
            }
            Step::Ignore { peer, expectation } => {
                let compiled = self.expectation(expectation, &[])?;
                Some(What::Ignore {
                    peer: peer.clone(),
                    compiled,
                })
            }
            Step::Repeat { count, body } => {
                self.push(statement.span, What::Repeat(*count));
                self.statements(body);
                Some(What::Again)
            }
            Step::Include { body, .. } => {
                self.statements(body);
                None
            }
        }
    }

    fn connect(&mut self, connect: &Connect) {
        self.text(&connect.url);
        let modifiers = &connect.modifiers;
        let texts = modifiers.headers.iter().chain(&modifiers.subprotocols);
        texts
            .chain(&modifiers.origin)
            .for_each(|text| self.text(text));
        self.peers.insert(connect.peer.clone());
    }

    fn peer(&mut self, peer: &Peer, span: Span) {
        if self.peers.contains(peer) {
            return;
        }
        let diagnostic = match peer.name() {
            None => Diagnostic::new(span, "this peer is not connected yet")
                .hint("a line before it says: connect URL"),
            Some(name) => {
                let names = self.peers.iter().filter_map(Peer::name);
                let hint = match nearest(name, names) {
                    Some(meant) => format!("did you mean {meant}?"),
                    None => format!("a line before it says: {name}: connect URL"),
                };
                Diagnostic::new(span, format!("{name} is not connected yet")).hint(hint)
            }
        };
        self.diagnostics.push(diagnostic);
        // Once is enough.
        self.peers.insert(peer.clone());
    }

    fn expectation(&mut self, expectation: &Expectation, captures: &[Capture]) -> Option<Compiled> {
        self.text(&expectation.text);
        let matcher = Matcher::named(expectation.matcher)?;
        let text = &expectation.text;
        match matcher.compile(text) {
            Ok(test) => {
                self.hears_control |= matches!(matcher.name, "/ping" | "/pong");
                Some(Compiled {
                    test: test.into(),
                    text: text.clone(),
                    span: expectation.span,
                    captures: captures.into(),
                })
            }
            Err(fault) => {
                let position = |at| text.position(at);
                self.diagnostics
                    .push(Diagnostic::of_fault(fault, text.span.file, position));
                None
            }
        }
    }

    /// What has a value once this held.
    fn bind(&mut self, compiled: &Compiled) {
        let captures = compiled.captures.iter();
        let captures = captures.map(|capture| capture.name.clone());
        for name in compiled.test.binds().into_iter().chain(captures) {
            self.sizes.remove(&name);
            self.given.remove(&name);
            self.known.insert(name);
        }
    }

    /// Tells of a `set` whose value will be too large, as far as that is known.
    fn weigh(&mut self, name: &str, value: &Text) {
        let template = Template::parse(&value.raw).unwrap_or_default();
        let sizes = template.parts.iter().map(|part| match &part.what {
            Piece::Literal(text) => text.len(),
            Piece::Placeholder(Placeholder::Variable(name)) => {
                self.sizes.get(name).copied().unwrap_or_default()
            }
            Piece::Placeholder(_) => 0,
        });
        let size = sizes.fold(0, usize::saturating_add);
        if size > MAX_VALUE {
            let range = value.position(0)..value.position(value.raw.len());
            let diagnostic = Diagnostic::new(Span::new(value.span.file, range), LARGE_VALUE);
            let hint = "what is that large is sent from a file: > /file PATH";
            self.diagnostics.push(diagnostic.hint(hint));
            self.sizes.remove(name);
        } else if !self.given.contains(name) {
            self.sizes.insert(name.to_owned(), size);
        }
    }

    /// Checks the variables of a text.
    fn text(&mut self, text: &Text) {
        // A text that is no template was told of by the parser.
        let template = Template::parse(&text.raw).unwrap_or_default();
        for (placeholder, at) in template.placeholders() {
            let Placeholder::Variable(name) = placeholder else {
                continue;
            };
            if self.known.contains(name) {
                continue;
            }
            let range = text.position(at.start)..text.position(at.end);
            let span = Span::new(text.span.file, range);
            let message = format!("{{{{{name}}}}} has no value here");
            let diagnostic = Diagnostic::new(span, message).hint(self.who_gives(name));
            self.diagnostics.push(diagnostic);
        }
    }

    fn who_gives(&self, name: &str) -> String {
        if let Some(meant) = nearest(name, self.known.iter().map(String::as_str)) {
            return format!("did you mean {{{{{meant}}}}}?");
        }
        if let Some(secret) = name.strip_prefix("secret_") {
            return format!("--secret {secret}=... or WSCOPE_SECRET_{secret} gives it one");
        }
        if name == "url" {
            return "--url ws://localhost:8080/ gives it one".into();
        }
        let given = format!("--var {name}=..., set or let gives it one");
        // Shorter names are like all of them.
        let built_in = nearest(name, BUILT_IN).filter(|_| name.len() > 2);
        match built_in {
            Some("random") => format!("did you mean {{{{random:1..100}}}}? Else {given}"),
            Some(meant) => format!("did you mean {{{{{meant}}}}}? Else {given}"),
            None => given,
        }
    }
}

/// The statement before which the peer without a name connects, though no line says so: the first
/// that is about it, or the `repeat` that this is in.
pub(super) fn needs_connect(statements: &[Statement]) -> Option<&Statement> {
    let connects =
        |step: &Step| matches!(step, Step::Connect(connect) if connect.peer == Peer::UNNAMED);
    let uses = |step: &Step| match step {
        Step::Send(send) => send.peer == Peer::UNNAMED,
        Step::Expect(expect) => expect.peer == Peer::UNNAMED,
        Step::All(all) => all.peer == Peer::UNNAMED,
        _ => false,
    };
    match find(statements, &connects) {
        Some(_) => None,
        None => find(statements, &uses),
    }
}

/// The first statement whose step is wanted, or the block that it is in; included files are looked
/// into.
fn find<'s>(statements: &'s [Statement], wanted: &impl Fn(&Step) -> bool) -> Option<&'s Statement> {
    statements
        .iter()
        .find_map(|statement| match &statement.step {
            Step::Repeat { body, .. } => find(body, wanted).map(|_| statement),
            Step::Include { body, .. } => find(body, wanted),
            step => wanted(step).then_some(statement),
        })
}

impl Compiled {
    /// What its captures find in a message.
    ///
    /// # Errors
    /// The first of them that finds nothing.
    pub(super) fn capture(&self, incoming: &Incoming, secrets: &Known) -> Result<Bound, Mismatch> {
        let text = match incoming {
            Incoming::Message(message) => message.as_text(),
            Incoming::Ping(payload) | Incoming::Pong(payload) => {
                Some(String::from_utf8_lossy(payload))
            }
            Incoming::Close { reason, .. } => Some(reason.as_str().into()),
            Incoming::Refused { .. } | Incoming::Opened => None,
        };
        let json: Option<Json> = text
            .as_deref()
            .and_then(|text| serde_json::from_str(text).ok());
        let find = |capture: &Capture| match (&capture.from, &text, &json) {
            (CaptureFrom::Whole, Some(text), _) => Ok(Value::Text(text.clone().into_owned())),
            (CaptureFrom::Whole, None, _) => {
                Err(Mismatch::no_capture(capture, &incoming.words(secrets)))
            }
            (CaptureFrom::Pointer(_), _, None) => {
                Err(Mismatch::no_capture(capture, "a message that is not JSON"))
            }
            (CaptureFrom::Pointer(pointer), _, Some(json)) => match json.pointer(pointer) {
                Some(value) => Ok(Value::Json(value.clone())),
                None => Err(Mismatch::no_capture(capture, "no such member")),
            },
        };
        let captures = self.captures.iter();
        captures
            .map(|capture| Ok((capture.name.clone(), find(capture)?)))
            .collect()
    }
}
