//! Records as inputs: text, binary in hex or base64, slash commands, or NDJSON.

use super::pipe::{Binary, Format, Plan};
use super::split::{Problem, Record, SplitError, Splitter};
use super::{Batch, Input, ndjson, slash};
use crate::error::Error;
use crate::model::command::Command;
use crate::model::message::{Kind, Message};
use crate::model::units::show_size;
use crate::text::hex;
use crate::text::sanitize;

/// How much longer than its message a record may be: a JSON escape takes six bytes for one, hex
/// three with its spaces, and a line of NDJSON has other members besides.
const ENCODED: usize = 8;

pub(super) fn splitter(plan: &Plan) -> Splitter {
    let encoded =
        plan.format == Format::Ndjson || matches!(plan.binary, Some(Binary::Hex | Binary::Base64));
    let most = if encoded {
        plan.max_message_size.saturating_mul(ENCODED)
    } else {
        plan.max_message_size
    };
    match plan.format {
        Format::Lines | Format::Ndjson => Splitter::lines(most),
        Format::Json => Splitter::json(most),
        Format::Null => Splitter::null(most),
        Format::Raw => Splitter::whole(most),
    }
}

/// The record without the carriage return of a CRLF, which ends a line as a line feed does.
fn without_carriage_return(mut record: Record) -> Record {
    if record.bytes.last() == Some(&b'\r') {
        record.bytes.truncate(record.bytes.len() - 1);
    }
    record
}

/// The inputs of some records, and the error that ends them: the first of theirs, or else the one
/// that came after them.
pub(super) fn batch(plan: &Plan, records: Vec<Record>, end: Option<SplitError>) -> Batch {
    let mut inputs = Vec::with_capacity(records.len());
    for record in records {
        match input(plan, record) {
            Ok(input) => inputs.extend(input),
            Err(error) => {
                let error = Some(error);
                return Batch { inputs, error };
            }
        }
    }
    let error = end.map(|error| split_error(plan, &error));
    Batch { inputs, error }
}

/// What a record asks for; `None` where it is to be skipped.
fn input(plan: &Plan, record: Record) -> Result<Option<Input>, Error> {
    let is_line = plan.format == Format::Lines && plan.binary != Some(Binary::Raw);
    let record = if is_line {
        without_carriage_return(record)
    } else {
        record
    };
    let line = record.line;
    if plan.format == Format::Ndjson {
        let text = text(&record)?;
        let command = ndjson::command(text).map_err(|problem| ndjson_error(line, &problem))?;
        return command
            .map(|command| sized(plan, line, command))
            .transpose();
    }
    if plan.slash
        && record.bytes.starts_with(b"/")
        && let Ok(text) = std::str::from_utf8(&record.bytes)
    {
        return Ok(Some(match slash::parse(text) {
            Input::Wrong(problem) => Input::Wrong(format!("line {line}: {problem}")),
            input => input,
        }));
    }
    let message = match plan.binary {
        None => {
            text(&record)?;
            Message {
                kind: Kind::Text,
                payload: record.bytes,
            }
        }
        Some(Binary::Raw) => Message::binary(record.bytes),
        Some(Binary::Hex) => decoded(&record, "hex", hex::decode_hex)?,
        Some(Binary::Base64) => decoded(&record, "base64", hex::decode_base64)?,
    };
    sized(plan, line, Command::Send(message)).map(Some)
}

/// The error of an input that cannot be cut into records any further.
fn split_error(plan: &Plan, error: &SplitError) -> Error {
    let line = error.line;
    match error.problem {
        Problem::TooLong => too_long(plan, line),
        Problem::Json { column, expected } => Error::usage_hint(
            format!("line {line}, column {column} of the input is not JSON: {expected}"),
            "-i lines sends each line as it is",
        ),
    }
}

fn text(record: &Record) -> Result<&str, Error> {
    std::str::from_utf8(&record.bytes).map_err(|error| {
        let at = error.valid_up_to();
        let before = &record.bytes[..at];
        let line = record.line + before.iter().filter(|byte| **byte == b'\n').count() as u64;
        let start = before.iter().rposition(|byte| *byte == b'\n');
        let column = at - start.map_or(0, |start| start + 1) + 1;
        let byte = record.bytes[at];
        Error::usage_hint(
            format!("line {line}, column {column} of the input is not UTF-8 (byte 0x{byte:02x})"),
            "-b raw sends it as a binary message",
        )
    })
}

fn decoded(
    record: &Record,
    name: &str,
    decode: impl Fn(&str) -> Result<Vec<u8>, hex::DecodeError>,
) -> Result<Message, Error> {
    let text = text(record)?;
    decode(text).map(Message::binary).map_err(|error| {
        Error::usage_hint(
            format!(
                "line {}, column {} of the input is not {name}: {}",
                record.line,
                error.at + 1,
                sanitize::line(&error.message)
            ),
            "-b takes hex, base64 or raw; without it lines are text",
        )
    })
}

fn ndjson_error(line: u64, problem: &str) -> Error {
    Error::usage_hint(
        format!(
            "line {line} of the input is no event: {}",
            sanitize::line(problem)
        ),
        "-i ndjson takes what --json prints, such as {\"data\":\"hi\"}",
    )
}

fn sized(plan: &Plan, line: u64, command: Command) -> Result<Input, Error> {
    match &command {
        Command::Send(message) if message.payload.len() > plan.max_message_size => {
            Err(too_long(plan, line))
        }
        _ => Ok(command.into()),
    }
}

fn too_long(plan: &Plan, line: u64) -> Error {
    let most = show_size(plan.max_message_size as u64);
    Error::usage_hint(
        format!("the message that begins on line {line} of the input is larger than {most}"),
        "--max-message-size allows more",
    )
}
