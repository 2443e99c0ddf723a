//! Which of the config file's flags count: flags beat environment beats file.
//!
//! A flag that was typed replaces the file's, and so it does the file's that contradict it: `--json`
//! beats `output = "raw"`. An endpoint's flags beat the defaults in the same way. Only headers add
//! up, because a set of them is rarely typed twice; one of the same name is replaced.

use std::ffi::OsString;

use clap::{Arg, Command};

use super::environment::Environment;
use super::file::Entry;
use super::header;
use crate::cli::typed::Typed;

/// The file's flags that count, as words to put before what was typed. `layers` are in rising order
/// of precedence.
pub(super) fn words(
    typed: &Typed,
    environment: &Environment,
    layers: &[&[Entry]],
) -> Vec<OsString> {
    let command = typed.command();
    let mut entries: Vec<(Entry, &Arg)> = Vec::new();
    for layer in layers {
        let layer: Vec<(Entry, &Arg)> = layer
            .iter()
            .filter_map(|entry| Some((entry.clone(), find(command, &entry.flag)?)))
            .collect();
        let ids = layer.iter().map(|(_, arg)| arg.get_id().as_str());
        let headers = layer.iter().flat_map(|(entry, _)| entry.headers());
        Winners::new(ids, headers).beat(command, &mut entries);
        entries.extend(layer);
    }
    let headers: Vec<String> = typed.values("header");
    let no_color = environment.get("NO_COLOR").map(|_| "color");
    let ids = typed.given().map(|arg| arg.get_id().as_str());
    Winners::new(ids.chain(no_color), &headers).beat(command, &mut entries);
    entries
        .iter()
        .flat_map(|(entry, _)| entry.words())
        .collect()
}

/// The argument with that long name, if this command has it.
fn find<'c>(command: &'c Command, flag: &str) -> Option<&'c Arg> {
    command
        .get_arguments()
        .find(|arg| arg.get_long() == Some(flag))
}

/// What takes precedence: arguments by their ids, and headers by their names.
struct Winners<'a> {
    ids: Vec<&'a str>,
    headers: Vec<&'a str>,
}

/// The arguments that write the header Authorization, so that it contradicts them.
const AUTHORIZING: [&str; 2] = ["auth", "bearer"];

impl<'a> Winners<'a> {
    fn new(
        ids: impl IntoIterator<Item = &'a str>,
        headers: impl IntoIterator<Item = &'a String>,
    ) -> Self {
        let mut ids: Vec<&str> = ids.into_iter().collect();
        let headers = headers.into_iter();
        let mut headers: Vec<&str> = headers.filter_map(|text| header::name(text)).collect();
        let authorized = headers
            .iter()
            .any(|name| name.eq_ignore_ascii_case(header::AUTHORIZATION));
        if ids.iter().any(|id| AUTHORIZING.contains(id)) {
            headers.push(header::AUTHORIZATION);
        }
        if authorized {
            ids.extend(AUTHORIZING);
        }
        Self { ids, headers }
    }

    fn beat(&self, command: &Command, entries: &mut Vec<(Entry, &Arg)>) {
        entries.retain_mut(|(entry, arg)| {
            if entry.flag == "header" {
                entry.values.retain(|text| !self.has_header(text));
                return !entry.values.is_empty();
            }
            !command
                .get_arguments()
                .filter(|other| self.ids.contains(&other.get_id().as_str()))
                .any(|other| other.get_id() == arg.get_id() || exclude(command, other, arg))
        });
    }

    fn has_header(&self, text: &str) -> bool {
        header::name(text).is_some_and(|name| {
            self.headers
                .iter()
                .any(|other| other.eq_ignore_ascii_case(name))
        })
    }
}

/// Whether one of them names the other in its `conflicts_with`.
fn exclude(command: &Command, one: &Arg, other: &Arg) -> bool {
    let names = |from: &Arg, to: &Arg| {
        let rivals = command.get_arg_conflicts_with(from);
        rivals.iter().any(|rival| rival.get_id() == to.get_id())
    };
    names(one, other) || names(other, one)
}
