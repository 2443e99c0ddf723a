//! The config file: `[defaults]` and endpoints, whose keys are the names of the long flags.
//!
//! ```toml
//! [defaults]
//! heartbeat = "mobile"
//! timestamps = true
//!
//! [endpoint.staging]
//! url = "wss://staging.example.com/ws"
//! headers = { X-Team = "blue" }
//! bearer = "env:STAGING_TOKEN"
//! on_open = ['{"op":"subscribe"}']
//!
//! [keys]
//! pause = "p"
//! quit = ["q", "ctrl+q"]
//!
//! [keys.bench]
//! hold = "h"
//!
//! [theme]
//! incoming = "light-green"
//! error = "bold white on red"
//! ```
//!
//! Every key and value is checked when the file is read, used or not, by the parser of the flag
//! itself: an error names the file, the line and the nearest name. Which of the flags then count is
//! `merge`'s to say.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Display;
use std::ops::Range;
use std::path::{Path, PathBuf};

use clap::{Arg, ArgAction, Command};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::cli::typed::{Kind, first_line};
use crate::error::Error;
use crate::text::nearest::nearest;
use crate::tui::keymap::{Conflict, Keymap, Verb};
use crate::tui::theme::Colours;
use crate::tui::{bench, connect, serve};

/// A config file that was read and checked.
#[derive(Debug)]
pub(super) struct File {
    pub path: PathBuf,
    pub defaults: Vec<Entry>,
    pub endpoints: BTreeMap<String, Endpoint>,
    /// The keys of the full screens, with what `[keys]` changes.
    pub keys: Keys,
    /// Its colours, as `[theme]` changes them.
    pub colours: Colours,
}

/// The keys of each screen.
#[derive(Debug, Clone, Default)]
pub(super) struct Keys {
    /// `[keys]`.
    pub connect: connect::keymap::Keymap,
    /// `[keys.serve]`.
    pub serve: serve::keymap::Keymap,
    /// `[keys.bench]`.
    pub bench: bench::keymap::Keymap,
}

#[derive(Debug)]
pub(super) struct Endpoint {
    pub url: String,
    pub entries: Vec<Entry>,
}

/// A flag and its values; none for one that is only switched on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub flag: String,
    pub values: Vec<String>,
}

/// Flags that say something about one run, or about the file itself.
const NOT_IN_A_FILE: [&str; 5] = ["config", "no-config", "help", "force", "list-faults"];

/// Names for flags that read better for a list.
const PLURALS: [(&str, &str); 3] = [
    ("headers", "header"),
    ("cookies", "cookie"),
    ("subprotocols", "subprotocol"),
];

/// Bytes of a config file.
const MOST: u64 = 4 << 20;

impl File {
    pub(super) fn read(path: &Path) -> Result<Self, Error> {
        let text = String::from_utf8(super::read(path, "config file", MOST)?)
            .map_err(|_| Error::usage(format!("config file: {} is not UTF-8", path.display())))?;
        Self::parse(path, &text)
    }

    fn parse(path: &Path, text: &str) -> Result<Self, Error> {
        let reader = Reader {
            path,
            text,
            commands: Kind::ALL.map(Kind::command),
        };
        let table = DeTable::parse(text)
            .map_err(|error| reader.wrong(&error.span().unwrap_or_default(), error.message()))?;
        let mut file = Self {
            path: path.to_owned(),
            defaults: Vec::new(),
            endpoints: BTreeMap::new(),
            keys: Keys::default(),
            colours: Colours::default(),
        };
        for (key, value) in table.get_ref() {
            match key.get_ref().as_ref() {
                "defaults" => {
                    let section = reader.section(reader.table(value)?)?;
                    if let Some(url) = section.url {
                        return Err(reader.wrong(&url.span(), "a url belongs into [endpoint.NAME]"));
                    }
                    file.defaults = section.entries;
                }
                "endpoint" => file.endpoints = reader.endpoints(reader.table(value)?)?,
                "keys" => file.keys = reader.keys(reader.table(value)?)?,
                "theme" if value.get_ref().is_table() => {
                    file.colours = reader.colours(reader.table(value)?)?;
                }
                _ => return Err(reader.misplaced(key)),
            }
        }
        Ok(file)
    }
}

/// What turns tables into entries, and knows where they stand.
struct Reader<'a> {
    path: &'a Path,
    text: &'a str,
    commands: [Command; Kind::ALL.len()],
}

struct Section {
    url: Option<Spanned<String>>,
    entries: Vec<Entry>,
}

impl Reader<'_> {
    fn endpoints(&self, table: &DeTable<'_>) -> Result<BTreeMap<String, Endpoint>, Error> {
        let mut endpoints = BTreeMap::new();
        for (name, value) in table {
            let Section { url, entries } = self.section(self.table(value)?)?;
            let Some(url) = url.map(Spanned::into_inner) else {
                let message = format!("endpoint {} has no url", name.get_ref());
                return Err(self.wrong(&name.span(), message));
            };
            endpoints.insert(name.get_ref().to_string(), Endpoint { url, entries });
        }
        Ok(endpoints)
    }

    /// The keys of `connect`, and tables with those of the other screens.
    fn keys(&self, table: &DeTable<'_>) -> Result<Keys, Error> {
        let mut keys = Keys::default();
        let mut own = Vec::new();
        for (key, value) in table {
            match key.get_ref().as_ref() {
                "serve" => self.bind_all(&mut keys.serve, self.table(value)?)?,
                "bench" => self.bind_all(&mut keys.bench, self.table(value)?)?,
                _ => own.push((key, value)),
            }
        }
        self.bind(&mut keys.connect, &own, &["serve", "bench"])?;
        Ok(keys)
    }

    fn bind_all<V: Verb>(&self, keymap: &mut Keymap<V>, table: &DeTable<'_>) -> Result<(), Error> {
        self.bind(keymap, &table.iter().collect::<Vec<_>>(), &[])
    }

    /// Changes the keys of a screen; `tables` may stand beside their names.
    fn bind<V: Verb>(
        &self,
        keymap: &mut Keymap<V>,
        keys: &[(&Spanned<Cow<'_, str>>, &Spanned<DeValue<'_>>)],
        tables: &[&'static str],
    ) -> Result<(), Error> {
        for (key, value) in keys {
            let name = key.get_ref().replace('_', "-");
            if !Keymap::<V>::names().any(|known| known == name) {
                let names = Keymap::<V>::names().chain(tables.iter().copied());
                return Err(self.unknown(key, names));
            }
            let keys = match value.get_ref() {
                DeValue::Array(array) => array.iter().map(|item| self.key(item)).collect(),
                _ => self.key(value).map(|key| vec![key]),
            }?;
            keymap
                .bind(&name, &keys)
                .map_err(|problem| self.wrong(&value.span(), problem))?;
        }
        let Some(Conflict { keys: both, names }) = keymap.conflict() else {
            return Ok(());
        };
        let changed = keys.iter().find(|(key, _)| {
            let name = key.get_ref().replace('_', "-");
            names.contains(&name.as_str())
        });
        let [one, other] = names;
        let message =
            format!("{both} means both {one} and {other}: give one of them another key in [keys]");
        Err(self.wrong(&changed.map_or(0..0, |(_, value)| value.span()), message))
    }

    fn key(&self, value: &Spanned<DeValue<'_>>) -> Result<String, Error> {
        match value.get_ref() {
            DeValue::String(text) => Ok(text.to_string()),
            _ => Err(self.wrong(
                &value.span(),
                "a key stands in quotes: \"q\", \"ctrl+x\", or [\"q\", \"f10\"]",
            )),
        }
    }

    fn colours(&self, table: &DeTable<'_>) -> Result<Colours, Error> {
        let mut colours = Colours::default();
        for (key, value) in table {
            let role = key.get_ref().replace('_', "-");
            if !Colours::roles().any(|known| known == role) {
                return Err(self.unknown(key, Colours::roles()));
            }
            colours
                .set(&role, &self.scalar(value)?)
                .map_err(|problem| self.wrong(&value.span(), problem))?;
        }
        Ok(colours)
    }

    fn section(&self, table: &DeTable<'_>) -> Result<Section, Error> {
        let mut section = Section {
            url: None,
            entries: Vec::new(),
        };
        for (key, value) in table {
            if key.get_ref() == "url" {
                section.url = Some(Spanned::new(value.span(), self.scalar(value)?));
                continue;
            }
            let name = key.get_ref().replace('_', "-");
            let name = PLURALS
                .iter()
                .find(|(plural, _)| *plural == name)
                .map_or(name.as_str(), |(_, flag)| flag);
            let (command, arg) = self
                .flag(name)
                .ok_or_else(|| self.unknown(key, self.flags().chain(["url"])))?;
            if let Some(entry) = self.entry(command, arg, name, value)? {
                section.entries.push(entry);
            }
        }
        Ok(section)
    }

    /// A flag with the values that it is given here; `None` where it is switched off.
    fn entry(
        &self,
        command: &Command,
        arg: &Arg,
        name: &str,
        value: &Spanned<DeValue<'_>>,
    ) -> Result<Option<Entry>, Error> {
        let values = match (arg.get_action(), value.get_ref()) {
            (ArgAction::SetTrue, DeValue::Boolean(true)) => Vec::new(),
            (ArgAction::SetTrue, DeValue::Boolean(false)) => return Ok(negated(command, name)),
            (ArgAction::SetTrue, _) => {
                return Err(self.wrong(&value.span(), format!("{name} is true or false")));
            }
            (ArgAction::Append, DeValue::Array(array)) => array
                .iter()
                .map(|item| self.scalar(item))
                .collect::<Result<_, _>>()?,
            (ArgAction::Append, DeValue::Table(table)) if name == "header" => table
                .iter()
                .map(|(key, value)| Ok(format!("{}: {}", key.get_ref(), self.scalar(value)?)))
                .collect::<Result<_, Error>>()?,
            _ => vec![self.scalar(value)?],
        };
        let entry = Entry {
            flag: name.to_owned(),
            values,
        };
        // The command may miss other arguments; only what is said about this one counts.
        let words = std::iter::once("wscope".into()).chain(entry.words());
        match command.clone().try_get_matches_from(words) {
            Err(error) if is_about_value(&error) => {
                Err(self.wrong(&value.span(), first_line(&error)))
            }
            _ => Ok(Some(entry)),
        }
    }

    fn table<'v>(&self, value: &'v Spanned<DeValue<'v>>) -> Result<&'v DeTable<'v>, Error> {
        let table = value.get_ref().as_table();
        table.ok_or_else(|| self.wrong(&value.span(), "a table is needed here"))
    }

    /// Text, or a number as it was written.
    fn scalar(&self, value: &Spanned<DeValue<'_>>) -> Result<String, Error> {
        match value.get_ref() {
            DeValue::String(text) => Ok(text.to_string()),
            DeValue::Integer(number) if number.radix() == 10 => Ok(number.as_str().to_owned()),
            DeValue::Float(number) => Ok(number.as_str().to_owned()),
            _ => Err(self.wrong(&value.span(), "a text or a number is needed here")),
        }
    }

    /// The flag of that name, and a command that has it.
    fn flag(&self, name: &str) -> Option<(&Command, &Arg)> {
        if NOT_IN_A_FILE.contains(&name) {
            return None;
        }
        self.commands.iter().find_map(|command| {
            let arg = command
                .get_arguments()
                .find(|arg| arg.get_long() == Some(name));
            Some((command, arg?))
        })
    }

    fn flags(&self) -> impl Iterator<Item = &str> {
        self.commands
            .iter()
            .flat_map(Command::get_arguments)
            .filter_map(Arg::get_long)
            .filter(|name| !NOT_IN_A_FILE.contains(name))
    }

    fn unknown<'n>(
        &self,
        key: &Spanned<impl AsRef<str>>,
        names: impl IntoIterator<Item = &'n str>,
    ) -> Error {
        let name = key.get_ref().as_ref();
        let message = match nearest(&name.replace('_', "-"), names) {
            Some(meant) => format!("unknown key \"{name}\" (did you mean {meant}?)"),
            None => format!("unknown key \"{name}\""),
        };
        self.wrong(&key.span(), message)
    }

    /// A key that stands outside of all tables, or a table of no meaning.
    fn misplaced(&self, key: &Spanned<impl AsRef<str>>) -> Error {
        let name = key.get_ref().as_ref().replace('_', "-");
        let place = if name == "url" {
            "[endpoint.NAME]"
        } else if self.flag(&name).is_some() {
            "[defaults] or [endpoint.NAME]"
        } else if connect::keymap::Keymap::names().any(|known| known == name) {
            "[keys]"
        } else {
            return self.unknown(key, ["defaults", "endpoint", "keys", "theme"]);
        };
        self.wrong(&key.span(), format!("{name} belongs below {place}"))
    }

    fn wrong(&self, span: &Range<usize>, message: impl Display) -> Error {
        let before = self.text.get(..span.start).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        Error::usage(format!("{}, line {line}: {message}", self.path.display()))
    }
}

impl Entry {
    /// The headers that it holds, as they are typed.
    pub(super) fn headers(&self) -> &[String] {
        if self.flag == "header" {
            &self.values
        } else {
            &[]
        }
    }

    /// The entry as words of a command line.
    pub(super) fn words(&self) -> impl Iterator<Item = std::ffi::OsString> {
        let flag = &self.flag;
        let switch = self.values.is_empty().then(|| format!("--{flag}").into());
        let values = self
            .values
            .iter()
            .map(move |value| format!("--{flag}={value}").into());
        switch.into_iter().chain(values)
    }
}

/// The flag that switches one off which is on by default (`compress = false`); the others are off
/// anyway.
fn negated(command: &Command, name: &str) -> Option<Entry> {
    let flag = format!("no-{name}");
    let mut args = command.get_arguments();
    args.any(|arg| arg.get_long() == Some(&flag))
        .then(|| Entry {
            flag,
            values: Vec::new(),
        })
}

fn is_about_value(error: &clap::Error) -> bool {
    use clap::error::ErrorKind::{InvalidValue, NoEquals, TooManyValues, ValueValidation};
    matches!(
        error.kind(),
        InvalidValue | ValueValidation | TooManyValues | NoEquals
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::connect::keymap::Verb;

    fn parse(text: &str) -> Result<File, String> {
        File::parse(Path::new("c.toml"), text).map_err(|error| error.to_string())
    }

    fn entry(flag: &str, values: &[&str]) -> Entry {
        Entry {
            flag: flag.to_owned(),
            values: values.iter().map(|value| (*value).to_owned()).collect(),
        }
    }

    #[test]
    fn keys_are_flags() {
        let file = parse(
            "[defaults]\nheartbeat = 'mobile'\nconnect_timeout = 2\nwait = -1\njson = true\nframes = false\ncompress = false\n\
             [endpoint.staging]\nurl = 'ws://h'\nheaders = { X-Team = 'blue' }\nsubprotocol = ['a', 'b']\non_open = '{}'\n",
        )
        .unwrap();
        assert_eq!(
            file.defaults,
            [
                entry("no-compress", &[]),
                entry("connect-timeout", &["2"]),
                entry("heartbeat", &["mobile"]),
                entry("json", &[]),
                entry("wait", &["-1"]),
            ]
        );
        let staging = &file.endpoints["staging"];
        assert_eq!(staging.url, "ws://h");
        assert_eq!(
            staging.entries,
            [
                entry("header", &["X-Team: blue"]),
                entry("on-open", &["{}"]),
                entry("subprotocol", &["a", "b"]),
            ]
        );
    }

    #[test]
    fn keys_of_the_screen_are_changed() {
        let file = parse("[keys]\npause = 'p'\nonly_hits = ['o', 'ctrl+o']\n").unwrap();
        assert_eq!(file.keys.connect.keys(Verb::Pause), "p");
        assert_eq!(file.keys.connect.keys(Verb::OnlyHits), "o Ctrl+O");
        assert_eq!(file.keys.connect.keys(Verb::Quit), "q");
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        for (text, said) in [
            (
                "[defaults]\n\nhartbeat = 'off'\n",
                "c.toml, line 3: unknown key \"hartbeat\" (did you mean heartbeat?)",
            ),
            (
                "[default]\n",
                "c.toml, line 1: unknown key \"default\" (did you mean defaults?)",
            ),
            ("[colours]\n", "c.toml, line 1: unknown key \"colours\""),
            (
                "\nheartbeat = 'off'\n",
                "c.toml, line 2: heartbeat belongs below [defaults] or [endpoint.NAME]",
            ),
            (
                "theme = 'dark'\n",
                "c.toml, line 1: theme belongs below [defaults] or [endpoint.NAME]",
            ),
            (
                "pause = 'p'\n",
                "c.toml, line 1: pause belongs below [keys]",
            ),
            (
                "url = 'ws://h'\n",
                "c.toml, line 1: url belongs below [endpoint.NAME]",
            ),
            (
                "[keys]\nquit = 'x'\npause = 'f'\nfollow = 'G'\n",
                "c.toml, line 2: x means both hex and quit: give one of them another key",
            ),
            (
                "[theme]\nincomming = 'red'\n",
                "c.toml, line 2: unknown key \"incomming\" (did you mean incoming?)",
            ),
            (
                "[theme]\nincoming = 'rde'\n",
                "c.toml, line 2: \"rde\" is no colour (did you mean red?)",
            ),
            (
                "[keys]\nsend = 'x'\n",
                "c.toml, line 2: \"x\" types a letter of the message: send needs another key",
            ),
            (
                "[keys]\nquit = 5\n",
                "c.toml, line 2: a key stands in quotes",
            ),
            ("[keys]\nquit = []\n", "c.toml, line 2: quit needs a key"),
            (
                "[keys]\npauze = 'p'\n",
                "c.toml, line 2: unknown key \"pauze\" (did you mean pause?)",
            ),
            (
                "[keys]\npause = 'ctrl+'\n",
                "c.toml, line 2: \"ctrl+\" is not a key",
            ),
            (
                "[defaults]\nheartbeat = 'often'\n",
                "c.toml, line 2: invalid value 'often'",
            ),
            (
                "[defaults]\noutput = 'xml'\n",
                "c.toml, line 2: invalid value 'xml'",
            ),
            (
                "[defaults]\njson = 'yes'\n",
                "c.toml, line 2: json is true or false",
            ),
            (
                "[defaults]\nwait = [1]\n",
                "c.toml, line 2: a text or a number",
            ),
            (
                "[defaults]\nurl = 'ws://h'\n",
                "c.toml, line 2: a url belongs",
            ),
            (
                "[defaults]\nconfig = 'x'\n",
                "c.toml, line 2: unknown key \"config\"",
            ),
            (
                "\n[endpoint.a]\njson = true\n",
                "c.toml, line 2: endpoint a has no url",
            ),
            ("a = \n", "c.toml, line 1: "),
            ("defaults = 1\n", "c.toml, line 1: a table"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.starts_with(said), "{error}");
        }
    }
}
