//! Golden cases: `tests/cases/TOPIC/NAME.wst` is played through the program; `.out`, `.err` and
//! `.exit` are what it has to print, where it prints anything, and how it has to end, where that is
//! not 0. `BLESS=1 cargo test --test cases` writes them.
//!
//! A case may begin with `# needs node` (or `url`, `tls`, `deaf`, `broken`) and `# args --flag ...`. Echo servers
//! are at `{{url}}` and, of node `ws`, below `{{node}}`.

mod harness;

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};

use harness::peers::{Implementation, PeerServer};
use harness::program::{Output, wscope};
use harness::raw::RawServer;
use harness::served::{Served, serve};
use regex::Regex;

#[test]
fn sending() {
    play("send");
}

#[test]
fn expecting() {
    play("expect");
}

#[test]
fn variables() {
    play("variables");
}

#[test]
fn flow() {
    play("flow");
}

/// Nothing of these is sent: there is no server.
#[test]
fn what_does_not_parse() {
    play("parse");
}

#[test]
fn there_are_cases_for_every_form() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let topics = fs::read_dir(&root)
        .unwrap()
        .map(|topic| topic.unwrap().file_name());
    let all: Vec<String> = topics
        .flat_map(|topic| cases(&root.join(topic)))
        .map(|case| case.text)
        .collect();
    assert!(all.len() >= 80, "{} cases", all.len());
    for matcher in wscope::transcript::matcher::MATCHERS {
        let written = if matcher.name.is_empty() {
            "< hello"
        } else {
            matcher.name
        };
        assert!(
            all.iter().any(|text| text.contains(written)),
            "no case has {written}"
        );
    }
    for verb in wscope::transcript::sending::VERBS {
        let written = format!("> {}", verb.name);
        assert!(
            all.iter().any(|text| text.contains(&written)),
            "no case has {written}"
        );
    }
}

struct Case {
    path: PathBuf,
    name: String,
    text: String,
}

impl Case {
    /// The words of a line `# WORD ...` at its beginning.
    fn said(&self, word: &str) -> Vec<String> {
        let begin = format!("# {word} ");
        let line = self.text.lines().find_map(|line| line.strip_prefix(&begin));
        line.unwrap_or_default()
            .split_whitespace()
            .map(str::to_owned)
            .collect()
    }
}

fn cases(folder: &Path) -> Vec<Case> {
    let mut paths: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "wst"))
        .collect();
    paths.sort();
    let case = |path: PathBuf| Case {
        name: path.file_name().unwrap().to_str().unwrap().to_owned(),
        text: String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned(),
        path,
    };
    paths.into_iter().map(case).collect()
}

/// Servers that the cases of a topic need.
#[derive(Default)]
struct Servers {
    echo: Option<Served>,
    node: Option<PeerServer>,
    /// Its certificate is its own.
    tls: Option<Served>,
    /// Accepts connections and says nothing.
    deaf: Option<TcpListener>,
    broken: Vec<RawServer>,
}

#[track_caller]
fn play(topic: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/cases")
        .join(topic);
    let mut servers = Servers::default();
    let mut wrong = Vec::new();
    for case in cases(&folder) {
        let Some(args) = servers.args(&case, topic) else {
            continue;
        };
        let output = run(&folder, &case, &args);
        wrong.extend(compare(&case, &output));
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

impl Servers {
    /// The arguments of a case, its servers started; `None` where one is not installed.
    fn args(&mut self, case: &Case, topic: &str) -> Option<Vec<String>> {
        let mut args = case.said("args");
        let needs = case.said("needs");
        if topic == "parse" {
            args.extend(["--url".into(), "ws://127.0.0.1:1/".into()]);
        } else if case.text.contains("{{url}}") || needs.contains(&"url".to_owned()) {
            let echo = self.echo.get_or_insert_with(|| serve(&[]));
            args.extend(["--url".into(), echo.url().into()]);
        }
        let mut var =
            |name: &str, url: String| args.extend(["--var".into(), format!("{name}={url}")]);
        match needs.first().map(String::as_str) {
            Some("node") => {
                if self.node.is_none() {
                    self.node = Implementation::NodeWs.serve();
                }
                var("node", self.node.as_ref()?.url(""));
            }
            Some("deaf") => {
                let deaf = self
                    .deaf
                    .get_or_insert_with(|| TcpListener::bind("127.0.0.1:0").unwrap());
                var("deaf", format!("ws://{}/", deaf.local_addr().unwrap()));
            }
            Some("tls") => {
                let tls = self
                    .tls
                    .get_or_insert_with(|| serve(&["--tls-self-signed"]));
                var("tls", tls.url().into());
            }
            Some("broken") => {
                // A frame with reserved bits.
                let broken = RawServer::open(|peer| {
                    peer.send(b"\xf1\x02hi");
                    peer.drain();
                });
                var("broken", broken.url());
                self.broken.push(broken);
            }
            _ => {}
        }
        Some(args)
    }
}

fn run(folder: &Path, case: &Case, args: &[String]) -> Output {
    let mut words = vec!["test", case.name.as_str()];
    words.extend(args.iter().map(String::as_str));
    let mut prepared = wscope(&words)
        .env("WSCOPE_VAR_c", "from environment")
        .file(&case.name, fs::read(&case.path).unwrap());
    if let Ok(data) = fs::read_dir(folder.join("data")) {
        for entry in data.map(Result::unwrap) {
            let name = format!("data/{}", entry.file_name().to_str().unwrap());
            prepared = prepared.file(&name, fs::read(entry.path()).unwrap());
        }
    }
    prepared.run()
}

/// What a case printed that it should not have.
fn compare(case: &Case, output: &Output) -> Vec<String> {
    let exit = match output.exit() {
        0 => String::new(),
        code => format!("{code}\n"),
    };
    let printed = [
        ("out", normal(&output.stdout)),
        ("err", normal(&output.stderr)),
        ("exit", exit),
    ];
    let mut wrong = Vec::new();
    for (extension, came) in printed {
        let path = case.path.with_extension(extension);
        let expected = fs::read_to_string(&path).unwrap_or_default();
        if came == expected {
            continue;
        }
        if std::env::var_os("BLESS").is_some() {
            if came.is_empty() {
                fs::remove_file(&path).unwrap();
            } else {
                fs::write(&path, &came).unwrap();
            }
        } else {
            wrong.push(format!(
                "{}\n--- expected\n{expected}--- came\n{came}",
                path.display()
            ));
        }
    }
    wrong
}

/// Without what differs from run to run: times, ports and keys.
fn normal(text: &[u8]) -> String {
    let text = String::from_utf8(text.to_vec()).expect("reports are UTF-8");
    let text = Regex::new(r"127\.0\.0\.1:[0-9]{4,5}")
        .unwrap()
        .replace_all(&text, "127.0.0.1:PORT");
    let text = Regex::new(r"sha256/[A-Za-z0-9+/]{43}=")
        .unwrap()
        .replace_all(&text, "sha256/PIN");
    let verbose = Regex::new(r"(?m)^ +[0-9.]+(us|ms|s)  ").unwrap();
    let text = verbose.replace_all(&text, "    TIME  ");
    let time =
        Regex::new(r"(steps?, |step [0-9]+ of [0-9]+, |after )[0-9.]+ ?(us|ms|s)\b").unwrap();
    time.replace_all(&text, "${1}TIME").into_owned()
}
