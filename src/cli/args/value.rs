//! Parsers of single values: each error says what was typed and what is allowed.

use std::ffi::OsStr;
use std::net::IpAddr;
use std::time::Duration;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::error::ErrorKind;
use clap::{Arg, Command};
use url::Url;

use crate::bench::compare::Comparison;
use crate::bench::distribution::Distribution;
use crate::bench::fanout::AudienceChoice;
use crate::bench::plan::{MODES as BENCH_MODES, Mode as BenchMode};
use crate::bench::report::comparison::COMPARISONS;
use crate::bench::report::{Entry, Form, REPORTS};
use crate::cli::config::address;
use crate::command::bench::stored::check_name;
use crate::command::bench::{Place, Report};
use crate::input::pipe;
use crate::model::close::CloseCode;
use crate::model::units::{Rate, parse_count, parse_duration, parse_rate, parse_size};
use crate::serve::Address;
use crate::serve::files;
use crate::serve::limits::OnLimit;
use crate::serve::mode;
use crate::serve::queue::Overflow;
use crate::session::keepalive::Heartbeat;
use crate::text::nearest::nearest;
use crate::text::predicate::Predicate;
use crate::text::style::ColorChoice;
use crate::transcript::template::is_name;
use crate::tui::theme;
use crate::view;

/// `--wait`: a time, or for ever (`-1`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli) struct Wait(pub Option<Duration>);

/// `--heartbeat`: `None` is `off`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::cli) struct HeartbeatChoice(pub Option<Heartbeat>);

pub(super) fn wait(text: &str) -> Result<Wait, String> {
    if text == "-1" {
        return Ok(Wait(None));
    }
    parse_duration(text)
        .map(|time| Wait(Some(time)))
        .map_err(|error| format!("{error}; -1 waits for ever"))
}

pub(super) fn heartbeat(text: &str) -> Result<HeartbeatChoice, String> {
    Heartbeat::parse(text).map(HeartbeatChoice)
}

pub(super) fn positive_duration(text: &str) -> Result<Duration, String> {
    match parse_duration(text)? {
        Duration::ZERO => Err("must be more than 0".to_owned()),
        time => Ok(time),
    }
}

pub(super) fn size(text: &str) -> Result<usize, String> {
    match usize::try_from(parse_size(text)?) {
        Ok(0) => Err("must be more than 0".to_owned()),
        Ok(bytes) => Ok(bytes),
        Err(_) => Err(format!("\"{text}\" is more than this machine can address")),
    }
}

pub(super) fn theme() -> PossibleValuesParser {
    let themes = theme::THEMES.iter().map(|(name, _)| *name);
    PossibleValuesParser::new([theme::AUTO].into_iter().chain(themes))
}

pub(super) fn count(text: &str) -> Result<usize, String> {
    text.parse()
        .ok()
        .filter(|number| *number > 0)
        .ok_or_else(|| "takes a number from 1".to_owned())
}

/// Any code that a connection can be seen to end with, 1005 and 1006 too.
pub(super) fn close_code(text: &str) -> Result<CloseCode, String> {
    text.parse()
        .ok()
        .filter(|code| (1000..5000).contains(code))
        .map(CloseCode)
        .ok_or_else(|| "takes a close code from 1000 to 4999".to_owned())
}

/// A token (RFC 9110, section 5.6.2), as subprotocols and header names are.
pub(in crate::cli) fn token(text: &str) -> Result<String, String> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if text.is_empty() {
        return Err("must not be empty".to_owned());
    }
    match text.chars().find(|c| !u8::try_from(*c).is_ok_and(allowed)) {
        None => Ok(text.to_owned()),
        Some(wrong) => Err(format!("{wrong:?} may not be in it")),
    }
}

/// A header value (RFC 9110, section 5.5): no CR, LF, NUL or other control characters.
pub(in crate::cli) fn field(text: &str) -> Result<String, String> {
    match text.chars().find(|c| c.is_control() && *c != '\t') {
        None => Ok(text.trim().to_owned()),
        Some(wrong) => Err(format!("{wrong:?} may not be in a header")),
    }
}

/// `*`, `null`, or the origin of pages as browsers write it (RFC 6454, section 6.1).
pub(super) fn origin(text: &str) -> Result<String, String> {
    let text = text.trim();
    if matches!(text, "*" | "null" | "file://") {
        return Ok(text.to_owned());
    }
    let takes = "it takes *, null, or an origin such as https://app.example:8443";
    let Some((scheme, rest)) = text.split_once("://") else {
        return Err(takes.to_owned());
    };
    let url = Url::parse(text).map_err(|why| format!("{why}: {takes}"))?;
    let host = url.host_str().filter(|host| !host.is_empty());
    let Some(host) = host.filter(|_| !rest.starts_with(['/', '?', '#'])) else {
        return Err(format!("there is no host in it: {takes}"));
    };
    if host.contains('*') {
        return Err(format!("* is every origin, and no part of one: {takes}"));
    }
    // Browsers leave out the port that the scheme has anyway.
    let port = url.port().map(|port| format!(":{port}"));
    let origin = format!("{scheme}://{host}{}", port.unwrap_or_default());
    if rest.contains(['/', '\\', '?', '#', '@']) {
        return Err(format!("an origin is no more than {origin}"));
    }
    Ok(origin)
}

/// A path as requests name it: as URLs are read, which escape what may not be in one.
pub(super) fn path(text: &str) -> Result<String, String> {
    if !text.starts_with('/') {
        return Err(format!("a path begins with a slash: /{text}"));
    }
    if let Some(at) = text.find(['?', '#']) {
        let path = &text[..at];
        return Err(format!("a path ends before ? and #: {path} is one"));
    }
    match Url::parse(&format!("ws://host{text}")) {
        Ok(url) if url.path() == text => Ok(text.to_owned()),
        Ok(url) => Err(format!("clients ask for it as {}", url.path())),
        Err(why) => Err(why.to_string()),
    }
}

/// What the shell is to run.
pub(super) fn command(text: &str) -> Result<String, String> {
    if text.trim().is_empty() {
        Err("there is no command in it".to_owned())
    } else {
        Ok(text.to_owned())
    }
}

/// `HOST:PORT:IP`, where either side of the port may be an IPv6 address in brackets.
pub(super) fn resolve(text: &str) -> Result<(String, u16, IpAddr), String> {
    let parts = || {
        let (host, rest) = match text.strip_prefix('[') {
            Some(text) => text.split_once("]:")?,
            None => text.split_once(':')?,
        };
        let (port, ip) = rest.split_once(':')?;
        let ip = ip.trim_start_matches('[').trim_end_matches(']');
        let host = (!host.is_empty()).then(|| host.to_ascii_lowercase())?;
        Some((host, port.parse().ok()?, ip.parse().ok()?))
    };
    parts().ok_or_else(|| "takes HOST:PORT:IP, such as example.com:80:127.0.0.1".to_owned())
}

/// `PREDICATE=TEXT`: the text begins after the first `=` that ends a whole predicate. `json:/a` is
/// whole, but in `json:/a=1=TEXT` the longer predicate is meant, and `size=5=TEXT` likewise.
pub(super) fn reply(text: &str) -> Result<(Predicate, String), String> {
    let mut problem = None;
    for (at, _) in text.match_indices('=') {
        let (predicate, answer) = (&text[..at], &text[at + 1..]);
        if answer.contains('=') && takes_equals(predicate) {
            continue;
        }
        match Predicate::parse(predicate) {
            Ok(predicate) => return Ok((predicate, answer.to_owned())),
            Err(error) => problem = problem.or(Some(error)),
        }
    }
    Err(problem.map_or_else(
        || "takes PREDICATE=TEXT, such as '\"ping\"=pong'".to_owned(),
        |error| error.to_string(),
    ))
}

/// Whether a `=` that follows would belong to the last test of this predicate.
fn takes_equals(predicate: &str) -> bool {
    let last = predicate.rsplit(['&', '|', '!', '(', ' ']).next();
    last.is_some_and(|test| test == "size" || test.starts_with("json:") && !test.contains('='))
}

/// `NAME=VALUE` of a variable.
pub(in crate::cli) fn assignment(text: &str) -> Result<(String, String), String> {
    let Some((name, value)) = text.split_once('=') else {
        return Err("takes NAME=VALUE".to_owned());
    };
    if let Some(secret) = name.strip_prefix("secret_") {
        Err(format!(
            "{name} would be shown: --secret {secret}=... or WSCOPE_SECRET_{secret} keeps it secret"
        ))
    } else if is_name(name) {
        Ok((name.to_owned(), value.to_owned()))
    } else {
        Err(format!(
            "\"{name}\" is not a name (letters, digits, _ and -, a letter first)"
        ))
    }
}

pub(super) fn color() -> impl TypedValueParser<Value = ColorChoice> {
    PossibleValuesParser::new(ColorChoice::NAMES).try_map(|name| name.parse())
}

pub(super) fn input_format() -> impl TypedValueParser<Value = pipe::Format> {
    PossibleValuesParser::new(pipe::Format::NAMES).try_map(|name| name.parse())
}

pub(super) fn binary() -> impl TypedValueParser<Value = pipe::Binary> {
    PossibleValuesParser::new(pipe::Binary::NAMES).try_map(|name| name.parse())
}

pub(super) fn output_format() -> PossibleValuesParser {
    let formats = view::FORMATS.iter();
    PossibleValuesParser::new(formats.map(|one| PossibleValue::new(one.name).help(one.help)))
}

pub(super) fn overflow() -> impl TypedValueParser<Value = Overflow> {
    PossibleValuesParser::new(Overflow::NAMES).try_map(|name| name.parse())
}

/// A type of `--save-types`.
pub(super) fn save_type(text: &str) -> Result<String, String> {
    files::check_type(text).map(|()| text.to_owned())
}

pub(super) fn on_limit() -> impl TypedValueParser<Value = OnLimit> {
    PossibleValuesParser::new(OnLimit::NAMES).try_map(|name| name.parse())
}

/// `--mode`: an entry of the registry, and its rate.
#[derive(Debug, Clone)]
pub(in crate::cli) struct ModeChoice {
    pub entry: &'static mode::Entry,
    pub rate: Option<Rate>,
}

/// Reads `NAME`, or `NAME=RATE` for a mode that has one.
#[derive(Debug, Clone, Copy)]
pub(super) struct ServeMode;

impl TypedValueParser for ServeMode {
    type Value = ModeChoice;

    fn parse_ref(
        &self,
        command: &Command,
        arg: Option<&Arg>,
        value: &OsStr,
    ) -> Result<ModeChoice, clap::Error> {
        let text = value.to_str().unwrap_or_default();
        let (name, rate) = match text.split_once('=') {
            Some((name, rate)) => (name, Some(rate)),
            None => (text, None),
        };
        let refuse = |why: String| {
            let why = format!("invalid value '{text}' for '--mode <MODE>': {why}\n");
            clap::Error::raw(ErrorKind::ValueValidation, why).with_cmd(command)
        };
        let with_rate = |mode: &&mode::Entry| rate.is_none() || mode.takes_rate;
        let found = mode::MODES.iter().filter(with_rate);
        if let Some(entry) = found.into_iter().find(|mode| mode.name == name) {
            let rate = rate.map(parse_rate).transpose().map_err(refuse)?;
            return Ok(ModeChoice { entry, rate });
        }
        // It lists what there is, and says what is nearest.
        let names = PossibleValuesParser::new(mode::MODES.iter().map(|mode| mode.name));
        let refused = names.parse_ref(command, arg, OsStr::new(text));
        Err(refused
            .err()
            .unwrap_or_else(|| refuse(format!("{name} takes no rate"))))
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        let modes = mode::MODES.iter();
        Some(Box::new(
            modes.map(|mode| PossibleValue::new(mode.name).help(mode.help)),
        ))
    }
}

/// A number from 1 that may end in `k` or `m`.
pub(super) fn positive_count(text: &str) -> Result<usize, String> {
    match parse_count(text)? {
        0 => Err("must be more than 0".to_owned()),
        count => Ok(count),
    }
}

/// A number per second: `50k`, `0.5`, `1000/s`.
pub(super) fn rate(text: &str) -> Result<f64, String> {
    let number = text.trim_end_matches("/s");
    let count = parse_count(number).map(|count| count as f64);
    let rate = count.or_else(|wrong| number.parse::<f64>().map_err(|_| wrong))?;
    if rate.is_finite() && rate >= 0.0 {
        Ok(rate)
    } else {
        Err(format!("\"{text}\" is not a rate (try 500, 50k/s or 0.5)"))
    }
}

/// How long connections live: some time.
pub(super) fn lifetime(text: &str) -> Result<Distribution, String> {
    match text.parse()? {
        Distribution::Constant(Duration::ZERO) | Distribution::Exponential(Duration::ZERO) => {
            Err("must be more than 0".to_owned())
        }
        lifetime => Ok(lifetime),
    }
}

/// The rate of a load: no machine sends more than that.
pub(super) fn load_rate(text: &str) -> Result<f64, String> {
    match rate(text)? {
        0.0 => Err("must be more than 0".to_owned()),
        rate if rate > MOST_RATE => Err("must be at most 100m per second".to_owned()),
        rate => Ok(rate),
    }
}

const MOST_RATE: f64 = 1e8;

/// A size that may be 0. A message is made whole in memory.
pub(super) fn payload_size(text: &str) -> Result<usize, String> {
    match parse_size(text)? {
        bytes if bytes > MOST_PAYLOAD => Err("must be at most 1GiB".to_owned()),
        bytes => Ok(bytes as usize),
    }
}

const MOST_PAYLOAD: u64 = 1 << 30;

pub(super) fn bench_mode() -> impl TypedValueParser<Value = &'static BenchMode> {
    let names = BENCH_MODES
        .iter()
        .map(|mode| PossibleValue::new(mode.name).help(mode.help));
    PossibleValuesParser::new(names).map(|name| {
        let found = BENCH_MODES.iter().find(|mode| mode.name == name);
        found.unwrap_or(&BENCH_MODES[0])
    })
}

pub(super) fn audience() -> impl TypedValueParser<Value = AudienceChoice> {
    PossibleValuesParser::new(AudienceChoice::NAMES).try_map(|name| name.parse())
}

/// `NAME=FILE`, where the file may be `-`, or `NAME=:PORT`.
pub(super) fn bench_report(text: &str) -> Result<Report, String> {
    report(text, REPORTS.iter())
}

/// A report of a load that is over.
pub(super) fn written_report(text: &str) -> Result<Report, String> {
    report(text, written())
}

/// The reports that are written.
pub(super) fn written() -> impl Iterator<Item = &'static Entry> + Clone {
    REPORTS
        .iter()
        .filter(|entry| matches!(entry.form, Form::File(_)))
}

/// A report of `bench compare`.
pub(super) fn bench_comparison(text: &str) -> Result<Report<Comparison>, String> {
    report(text, COMPARISONS.iter())
}

fn report<T>(
    text: &str,
    registry: impl Iterator<Item = &'static Entry<T>> + Clone,
) -> Result<Report<T>, String> {
    let (name, place) = text.split_once('=').unwrap_or((text, ""));
    let names = registry.clone().map(|entry| entry.name);
    let entry = registry.into_iter().find(|entry| entry.name == name);
    let entry = entry.ok_or_else(|| {
        let meant = nearest(name, names.clone());
        let meant = meant.map_or_else(String::new, |meant| format!(" (did you mean {meant}?)"));
        let all: Vec<&str> = names.collect();
        format!(
            "there is no report \"{name}\"{meant}; there are {}",
            all.join(", ")
        )
    })?;
    let place = match (&entry.form, place) {
        (Form::File(_), "") if text.contains('=') => {
            return Err(format!("{name}= needs a file; - is stdout"));
        }
        (Form::File(_), "" | "-") => Place::Stdout,
        (Form::File(_), path) => Place::File(path.into()),
        (Form::Port, address) => match address::parse(address) {
            Some(Address::Tcp(address)) => Place::Port(address),
            _ => {
                return Err(format!(
                    "{name} takes :PORT or IP:PORT, such as {name}=:9464; 0 picks one"
                ));
            }
        },
    };
    Ok(Report { entry, place })
}

pub(super) fn baseline(text: &str) -> Result<String, String> {
    check_name(text).map(|()| text.to_owned())
}

/// A part: `5%` or `0.05`.
pub(super) fn noise(text: &str) -> Result<f64, String> {
    let number = |text: &str| text.trim().parse::<f64>().ok();
    let part = match text.strip_suffix('%') {
        Some(percent) => number(percent).map(|percent| percent / 100.0),
        None => number(text),
    };
    part.filter(|part| (0.0..1.0).contains(part))
        .ok_or_else(|| format!("\"{text}\" is not a share (try 5% or 0.05)"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_begins_after_the_whole_predicate() {
        for (text, predicate, answer) in [
            (r#""ping"=pong"#, r#""ping""#, "pong"),
            (r#""a=b"=c=d"#, r#""a=b""#, "c=d"),
            ("/a=b/=x", "/a=b/", "x"),
            ("size>=1k=big", "size>=1k", "big"),
            ("size=5=five", "size=5", "five"),
            (
                "json:/op=ping={\"op\"=\"pong\"}",
                "json:/op=ping",
                "{\"op\"=\"pong\"}",
            ),
            (r#"json:/op="a=b"=x"#, r#"json:/op="a=b""#, "x"),
            ("json:/op=here", "json:/op", "here"),
            (r#"dir:in & json:/a=1=x"#, "dir:in & json:/a=1", "x"),
            (r#""ping"="#, r#""ping""#, ""),
        ] {
            let expected = (Predicate::parse(predicate).unwrap(), answer.to_owned());
            assert_eq!(reply(text).unwrap(), expected, "{text}");
        }
        for text in ["", "hello", "/open=x"] {
            assert!(reply(text).is_err(), "{text}");
        }
    }

    #[test]
    fn minus_one_waits_for_ever() {
        assert_eq!(wait("-1"), Ok(Wait(None)));
        assert_eq!(wait("1"), Ok(Wait(Some(Duration::from_secs(1)))));
        assert!(wait("-2").unwrap_err().contains("-1"));
    }

    #[test]
    fn resolve_takes_both_families() {
        for (text, host, ip) in [
            ("Example.com:80:127.0.0.1", "example.com", "127.0.0.1"),
            ("a:80:[::1]", "a", "::1"),
            ("[::2]:80:::1", "::2", "::1"),
        ] {
            let expected = (host.to_owned(), 80, ip.parse().unwrap());
            assert_eq!(resolve(text), Ok(expected), "{text}");
        }
        for text in [
            "a:80",
            "a:x:127.0.0.1",
            ":80:127.0.0.1",
            "a:80:b",
            "a:99999:::1",
        ] {
            assert!(resolve(text).is_err(), "{text}");
        }
    }

    #[test]
    fn nothing_that_would_end_a_header_gets_into_one() {
        assert!(token("graphql-ws").is_ok());
        for text in ["", "a b", "a,b", "é", "a\r"] {
            assert!(token(text).is_err(), "{text:?}");
        }
        assert_eq!(field(" a\tb ").as_deref(), Ok("a\tb"));
        for text in ["a\r\nb", "a\0", "\x1b[31m"] {
            assert!(field(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn an_origin_is_what_browsers_say() {
        for (text, said) in [
            ("*", "*"),
            ("null", "null"),
            ("https://App.Example:443", "https://app.example"),
            ("http://[::1]:8080", "http://[::1]:8080"),
            ("chrome-extension://abc", "chrome-extension://abc"),
        ] {
            assert_eq!(origin(text).as_deref(), Ok(said));
        }
        for text in [
            "",
            "foo",
            "a:80",
            "http://",
            "http://a/",
            "http://u@a",
            "x:///",
        ] {
            assert!(origin(text).is_err(), "{text}");
        }
    }

    #[test]
    fn nothing_and_zero_are_not_sizes_or_times() {
        assert_eq!(size("1k"), Ok(1000));
        assert!(size("0").is_err() && size("x").is_err());
        assert!(positive_duration("0").is_err() && positive_duration("1ms").is_ok());
        assert!(count("0").is_err() && close_code("999").is_err() && close_code("1006").is_ok());
    }
}
