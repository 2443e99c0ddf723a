//! The one filter grammar: what `--until`, `--filter`, `--exclude` and `--reply` take.
//!
//! | test | is true for |
//! |---|---|
//! | `"text"`, `text` | messages that contain it |
//! | `/regex/` | messages that it matches (linear time; `/(?i)x/` without case) |
//! | `json:/pointer=value` | JSON messages with that value there, compared as JSON or as text |
//! | `json:/pointer`, `json:` | JSON messages that have something there; that are JSON at all |
//! | `op:text` | one kind of traffic: text, binary, ping, pong, close |
//! | `dir:in`, `dir:out` | what came, what went |
//! | `size>1k` | payloads by size: `<` `<=` `>` `>=` `=` |
//! | `code:1006` | a connection that ended with this code |
//!
//! `!` binds tightest, then `&`, then `|`; parentheses group. Only traffic is ever matched:
//! messages, pings, pongs and closes.
//!
//! A test can be beside the question: `"text"` asks nothing about a ping, `code:` nothing about a
//! message. Such a test is neither true nor false, and its negation neither (Kleene's logic), so
//! that `!"hello"` means "a message without hello" and not "any pong".

mod parse;

use std::fmt::{self, Write as _};

use regex::bytes::Regex;
use serde_json::Value;

use crate::model::close::CloseCode;
use crate::model::event::{ClosedBy, Direction, What};
use crate::model::message::Kind;

pub use parse::ParseError;

/// A parsed filter. [`fmt::Display`] prints it so that parsing that gives the same filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Predicate {
    root: Node,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Node {
    Test(Test),
    Not(Box<Node>),
    /// Two or more, as for `Or`.
    And(Vec<Node>),
    Or(Vec<Node>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Test {
    Contains(Pattern),
    Matches(Pattern),
    Json {
        pointer: String,
        /// `None` asks only whether there is something.
        value: Option<Wanted>,
    },
    Op(Op),
    Dir(Direction),
    Size(Compare, u64),
    Code(CloseCode),
}

/// What to look for as it was typed, and compiled.
#[derive(Debug, Clone)]
struct Pattern {
    source: String,
    regex: Regex,
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source
    }
}

impl Eq for Pattern {}

/// A value that a JSON pointer should lead to.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Wanted {
    /// Typed as a JSON string, object or array: equal to it.
    Exact { source: String, value: Value },
    /// Typed without quotes: equal to the JSON that it spells, or to the string of these letters.
    Bare(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Op {
    Text,
    Binary,
    Ping,
    Pong,
    Close,
}

impl Op {
    const ALL: [Self; 5] = [
        Self::Text,
        Self::Binary,
        Self::Ping,
        Self::Pong,
        Self::Close,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Binary => "binary",
            Self::Ping => "ping",
            Self::Pong => "pong",
            Self::Close => "close",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Compare {
    Less,
    LessOrEqual,
    Equal,
    MoreOrEqual,
    More,
}

impl Compare {
    /// Two-letter signs first, so that the first that fits is the right one.
    const ALL: [Self; 5] = [
        Self::LessOrEqual,
        Self::MoreOrEqual,
        Self::Less,
        Self::More,
        Self::Equal,
    ];

    const fn sign(self) -> &'static str {
        match self {
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Equal => "=",
            Self::MoreOrEqual => ">=",
            Self::More => ">",
        }
    }

    const fn holds(self, size: u64, bound: u64) -> bool {
        match self {
            Self::Less => size < bound,
            Self::LessOrEqual => size <= bound,
            Self::Equal => size == bound,
            Self::MoreOrEqual => size >= bound,
            Self::More => size > bound,
        }
    }
}

impl Predicate {
    /// # Errors
    /// What is wrong, at which character, and what is allowed.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        parse::whole(text).map(|root| Self { root })
    }

    /// Whether this event is traffic that the filter is true for.
    pub fn matches(&self, what: &What) -> bool {
        Traffic::of(what).is_some_and(|traffic| self.root.eval(&traffic) == Some(true))
    }

    /// Whether a `dir:` test is in it. Where none is, `--until` and `--reply` mean what comes in.
    pub fn names_direction(&self) -> bool {
        self.root.any(&|test| matches!(test, Test::Dir(_)))
    }
}

/// The one shape in which tests look at traffic.
struct Traffic<'a> {
    op: Op,
    dir: Direction,
    payload: &'a [u8],
    json: Option<&'a Value>,
    code: Option<CloseCode>,
}

impl<'a> Traffic<'a> {
    fn of(what: &'a What) -> Option<Self> {
        let control = |op, dir, payload| Self {
            op,
            dir,
            payload,
            json: None,
            code: None,
        };
        match what {
            What::Message {
                dir, message, json, ..
            } => Some(Self {
                op: match message.kind {
                    Kind::Text => Op::Text,
                    Kind::Binary => Op::Binary,
                },
                dir: *dir,
                payload: &message.payload,
                json: json.as_deref(),
                code: None,
            }),
            What::Ping { dir, payload } => Some(control(Op::Ping, *dir, payload)),
            What::Pong { dir, payload, .. } => Some(control(Op::Pong, *dir, payload)),
            What::Close(close) => {
                let dir = match close.by {
                    ClosedBy::Us => Direction::Out,
                    ClosedBy::Peer | ClosedBy::Transport => Direction::In,
                };
                Some(Self {
                    code: Some(close.code),
                    ..control(Op::Close, dir, close.reason.as_bytes())
                })
            }
            _ => None,
        }
    }

    const fn is_message(&self) -> bool {
        matches!(self.op, Op::Text | Op::Binary)
    }
}

impl Node {
    /// `None` where the question does not arise.
    fn eval(&self, traffic: &Traffic<'_>) -> Option<bool> {
        match self {
            Self::Test(test) => test.eval(traffic),
            Self::Not(node) => node.eval(traffic).map(|holds| !holds),
            Self::And(nodes) => fold(nodes, traffic, false),
            Self::Or(nodes) => fold(nodes, traffic, true),
        }
    }

    fn any(&self, test: &impl Fn(&Test) -> bool) -> bool {
        match self {
            Self::Test(leaf) => test(leaf),
            Self::Not(node) => node.any(test),
            Self::And(nodes) | Self::Or(nodes) => nodes.iter().any(|node| node.any(test)),
        }
    }
}

/// `decisive` decides alone: false for "and", true for "or". Else one that does not arise leaves
/// the whole open.
fn fold(nodes: &[Node], traffic: &Traffic<'_>, decisive: bool) -> Option<bool> {
    let mut whole = Some(!decisive);
    for node in nodes {
        match node.eval(traffic) {
            Some(holds) if holds == decisive => return Some(decisive),
            Some(_) => {}
            None => whole = None,
        }
    }
    whole
}

impl Test {
    fn eval(&self, traffic: &Traffic<'_>) -> Option<bool> {
        let is_message = traffic.is_message();
        match self {
            Self::Contains(pattern) | Self::Matches(pattern) => {
                is_message.then(|| pattern.regex.is_match(traffic.payload))
            }
            Self::Json { pointer, value } => {
                is_message.then(|| has_json(traffic, pointer, value.as_ref()))
            }
            Self::Op(op) => Some(traffic.op == *op),
            Self::Dir(dir) => Some(traffic.dir == *dir),
            // The lossless conversion: a payload in memory has a length below 2^64.
            Self::Size(compare, bound) => (traffic.code.is_none())
                .then(|| compare.holds(traffic.payload.len() as u64, *bound)),
            Self::Code(code) => traffic.code.map(|closed| closed == *code),
        }
    }
}

fn has_json(traffic: &Traffic<'_>, pointer: &str, wanted: Option<&Wanted>) -> bool {
    let parsed;
    let document = match traffic.json {
        Some(document) => document,
        None => match serde_json::from_slice::<Value>(traffic.payload) {
            Ok(document) => {
                parsed = document;
                &parsed
            }
            Err(_) => return false,
        },
    };
    match (document.pointer(pointer), wanted) {
        (None, _) => false,
        (Some(_), None) => true,
        (Some(found), Some(Wanted::Exact { value, .. })) => found == value,
        (Some(found), Some(Wanted::Bare(word))) => {
            found.as_str() == Some(word)
                || serde_json::from_str::<Value>(word).is_ok_and(|value| is_same(found, &value))
        }
    }
}

/// Equal, where 7 and 7.0 are the same number.
fn is_same(found: &Value, wanted: &Value) -> bool {
    found == wanted
        || (found.is_f64() || wanted.is_f64())
            && found
                .as_f64()
                .is_some_and(|number| wanted.as_f64() == Some(number))
}

impl fmt::Display for Predicate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.root.fmt(f)
    }
}

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Test(test) => test.fmt(f),
            Self::Not(node) => {
                f.write_char('!')?;
                node.fmt_inside(f, matches!(**node, Self::And(_) | Self::Or(_)))
            }
            Self::And(nodes) => joined(f, nodes, " & ", |node| {
                matches!(node, Self::And(_) | Self::Or(_))
            }),
            Self::Or(nodes) => joined(f, nodes, " | ", |node| matches!(node, Self::Or(_))),
        }
    }
}

impl Node {
    fn fmt_inside(&self, f: &mut fmt::Formatter<'_>, grouped: bool) -> fmt::Result {
        if grouped {
            write!(f, "({self})")
        } else {
            write!(f, "{self}")
        }
    }
}

fn joined(
    f: &mut fmt::Formatter<'_>,
    nodes: &[Node],
    between: &str,
    grouped: impl Fn(&Node) -> bool,
) -> fmt::Result {
    for (at, node) in nodes.iter().enumerate() {
        if at > 0 {
            f.write_str(between)?;
        }
        node.fmt_inside(f, grouped(node))?;
    }
    Ok(())
}

impl fmt::Display for Test {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Contains(pattern) => Quoted(&pattern.source).fmt(f),
            Self::Matches(pattern) => write!(f, "/{}/", pattern.source),
            Self::Json { pointer, value } => {
                f.write_str("json:")?;
                if pointer.chars().any(parse::ends_word) || pointer.contains('=') {
                    Quoted(pointer).fmt(f)?;
                } else {
                    f.write_str(pointer)?;
                }
                match value {
                    None => Ok(()),
                    Some(Wanted::Exact { source, .. } | Wanted::Bare(source)) => {
                        write!(f, "={source}")
                    }
                }
            }
            Self::Op(op) => write!(f, "op:{}", op.name()),
            Self::Dir(dir) => write!(f, "dir:{}", dir.name()),
            Self::Size(compare, bound) => write!(f, "size{}{bound}", compare.sign()),
            Self::Code(code) => write!(f, "code:{code}"),
        }
    }
}

/// A text as a JSON string.
struct Quoted<'a>(&'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&serde_json::to_string(self.0).map_err(|_| fmt::Error)?)
    }
}

#[cfg(test)]
mod tests;
