//! What `>` puts on the wire.

use super::matcher::{Context, filling};
use super::syntax::Sending;
use super::template::{Filling, Template};
use crate::model::command::Command;
use crate::model::message::Message;
use crate::text::command;

/// A command of `connect` that a transcript sends too.
pub struct Verb {
    /// With its slash.
    pub name: &'static str,
    pub args: &'static str,
    /// What follows the name as a command; an error is a sentence.
    pub parse: fn(&str) -> Result<Command, String>,
}

/// All of them; `/json` and `/file` mean more here than there.
pub const VERBS: &[Verb] = &[
    Verb {
        name: "/bin",
        args: "hex:00ff, or base64:AP8=",
        parse: command::binary,
    },
    Verb {
        name: "/ping",
        args: "[TEXT]",
        parse: command::ping,
    },
    Verb {
        name: "/pong",
        args: "[TEXT]",
        parse: command::pong,
    },
    Verb {
        name: "/close",
        args: "[CODE [REASON]]",
        parse: command::close,
    },
    Verb {
        name: "/frame",
        args: "op=1 [fin=0] [rsv=100] hex:.., base64:.. or text",
        parse: command::frame,
    },
];

impl Verb {
    pub fn named(name: &str) -> Option<&'static Self> {
        VERBS.iter().find(|verb| verb.name == name)
    }
}

/// The command that a line sends now, its placeholders filled in.
///
/// # Errors
/// A sentence: a file that cannot be read, a value that does not fit.
pub fn command(sending: &Sending, context: &mut Context<'_>) -> Result<Command, String> {
    match sending {
        Sending::Text(text) => {
            let template = parse(&text.raw)?;
            let filled = fill(&template, filling(&template), context)?;
            Ok(Command::Send(Message::text(filled)))
        }
        Sending::Json(text) => {
            let filled = fill(&parse(&text.raw)?, Filling::Json, context)?;
            Ok(Command::Send(Message::text(filled)))
        }
        Sending::File { path, text } => {
            let path = fill(&parse(&path.raw)?, Filling::Plain, context)?;
            let bytes = context.read(&path)?;
            if !text {
                return Ok(Command::Send(Message::binary(bytes)));
            }
            let text = String::from_utf8(bytes.into()).map_err(|_| not_text(&path))?;
            Ok(Command::Send(Message::text(text)))
        }
        Sending::Wire { verb, args } => {
            let args = fill(&parse(&args.raw)?, Filling::Plain, context)?;
            let verb = Verb::named(verb).ok_or_else(|| format!("{verb} sends nothing"))?;
            (verb.parse)(&args)
        }
    }
}

/// Why a file cannot be sent as text.
pub(super) fn not_text(path: &str) -> String {
    format!("{path} is not UTF-8, so it cannot be a text message")
}

fn parse(raw: &str) -> Result<Template, String> {
    Template::parse(raw).map_err(|fault| fault.message)
}

fn fill(template: &Template, how: Filling, context: &mut Context<'_>) -> Result<String, String> {
    let rendered = template.render(how, context.variables);
    rendered
        .map(|rendered| rendered.text)
        .map_err(|why| why.to_string())
}
