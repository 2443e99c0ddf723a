//! The command line from outside: what is wrong is said on stderr with exit code 2, and the files
//! that are made from the declarations are those in the repository.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// Runs wscope without a terminal, config file, or input.
fn wscope(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_wscope"))
        .args(args)
        .env("CI", "true")
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// The stderr of a line that is wrong; stdout has to be empty, as it is data.
fn complaint(args: &[&str]) -> String {
    let output = wscope(args);
    assert_eq!(output.status.code(), Some(2), "{args:?}: {output:?}");
    assert_eq!(text(&output.stdout), "", "{args:?}");
    text(&output.stderr).to_owned()
}

/// The stdout of a line that only asks for a text.
fn answer(args: &[&str]) -> String {
    let output = wscope(args);
    assert_eq!(output.status.code(), Some(0), "{args:?}: {output:?}");
    assert_eq!(text(&output.stderr), "", "{args:?}");
    text(&output.stdout).to_owned()
}

#[test]
fn a_wrong_line_is_exit_2_and_says_what_to_try() {
    for (args, begins, hint) in [
        (
            &["conect", "ws://h"][..],
            "wscope: \"conect\" is neither a subcommand nor a URL\n",
            "did you mean connect?",
        ),
        (&["connect"], "wscope: no URL was given\n", "connect demo"),
        (&[""], "wscope: the URL is empty\n", "demo"),
        (&["ftp://h"], "wscope: ", "ws://"),
        (
            &["ws://h", "-H", "nocolon"],
            "wscope: -H: the header \"nocolon\" has no colon\n",
            "'Name: value'",
        ),
        (
            &["ws://h", "-H", "A: b\r\nC: d"],
            "wscope: -H: header A: '\\r'",
            "'Name: value'",
        ),
        (
            &["ws://h", "-4", "-6"],
            "wscope: the argument '--ipv4' cannot be used with '--ipv6'\n",
            "--help",
        ),
        (
            &["ws://h", "--jsn"],
            "wscope: unexpected argument '--jsn' found\n",
            "--json",
        ),
        (
            &["ws://h", "-w", "soon"],
            "wscope: invalid value 'soon' for '--wait <TIME>'",
            "-1 waits for ever",
        ),
        (
            &["ws://h", "--until", "size>"],
            "wscope: invalid value 'size>' for '--until <PREDICATE>'",
            "--help",
        ),
        (
            &["ws://h", "--record", "a.txt"],
            "wscope: cannot record to a.txt: the name's ending says what is written\n",
            ".ndjson (every event",
        ),
        (
            &["ws://h", "--tui"],
            "wscope: --tui needs a terminal for input and output\n",
            "in lines",
        ),
        (
            &["ws://h", "--auth", "hunter2"],
            "wscope: --auth takes USER:PASS\n",
            "colon",
        ),
        (
            &["@nowhere"],
            "wscope: there is no endpoint @nowhere\n",
            "because CI is set",
        ),
        (
            &["listen", "localhost:80"],
            "wscope: \"localhost:80\" is neither a URL nor a port\n",
            "ws://localhost:80",
        ),
        (
            &["serve", "localhost:80"],
            "wscope: \"localhost:80\" is not an address to serve on\n",
            "unix:PATH",
        ),
        (
            &["-c", "ws://h", "-p", "12"],
            "wscope: invalid value '12' for '--protocol <VERSION>'",
            "8, 13",
        ),
        (
            &["--generate", "mann"],
            "wscope: --generate takes man, completions, readme-flags, not \"mann\"\n",
            "did you mean man?",
        ),
    ] {
        let said = complaint(args);
        assert!(said.starts_with(begins), "{args:?}: {said}");
        assert!(said.contains(hint), "{args:?}: {said}");
        assert!(!said.contains("hunter2"), "{said}");
    }
}

#[test]
fn wscope_alone_gives_examples_and_is_no_success() {
    let said = complaint(&[]);
    let examples = said.lines().filter(|line| line.starts_with("  ")).count();
    assert_eq!(examples, 5, "{said}");
}

#[test]
fn help_is_an_answer_and_has_the_exit_codes() {
    for args in [
        &["--help"][..],
        &["connect", "--help"],
        &["listen", "--help"],
        &["serve", "--help"],
        &["ping", "--help"],
        &["help", "connect"],
        &["-c", "ws://h", "--help"],
    ] {
        let help = answer(args);
        for (code, _) in wscope::error::ExitCode::TABLE {
            let row = format!("\n  {code} ");
            assert!(help.contains(&row), "{args:?} has no {code}: {help}");
        }
    }
    assert_eq!(
        answer(&["-V"]),
        format!("wscope {}\n", env!("CARGO_PKG_VERSION"))
    );
    assert_eq!(answer(&["-V"]), answer(&["-c", "ws://h", "-V"]));
}

#[test]
fn in_wscats_form_the_letters_are_wscats() {
    let help = answer(&["-c", "ws://h", "-h"]);
    for line in [
        "-c, --connect <URL>",
        "-n, --no-check",
        "-p, --protocol",
        "-w, --wait",
        "-P, --show-ping-pong",
    ] {
        assert!(help.contains(line), "{line}: {help}");
    }
    assert!(answer(&["-l", "8080", "-h"]).contains("-l, --listen <PORT>"));
    assert!(answer(&["connect", "-h"]).contains("-n, --count"));
}

#[test]
fn a_config_file_that_is_wrong_is_named_with_its_line() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("c.toml");
    fs::write(&path, "[defaults]\nheartbeet = 'off'\n").unwrap();
    let path = path.to_str().unwrap();
    let said = complaint(&["ws://h", "--config", path]);
    let expected =
        format!("wscope: {path}, line 2: unknown key \"heartbeet\" (did you mean heartbeat?)\n");
    assert_eq!(said, expected);
}

/// Compares what `--generate` writes into an empty directory with the repository.
fn generated(what: &str) {
    let directory = tempfile::tempdir().unwrap();
    answer(&["--generate", what, directory.path().to_str().unwrap()]);
    let names = |path: &Path| {
        let mut names: Vec<_> = fs::read_dir(path)
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        names.sort();
        names
    };
    let committed = Path::new(env!("CARGO_MANIFEST_DIR")).join(what);
    let refresh = format!("run: cargo run -- --generate {what}");
    assert_eq!(names(directory.path()), names(&committed), "{refresh}");
    for name in names(&committed) {
        let [made, kept] = [directory.path(), &committed]
            .map(|path| fs::read_to_string(path.join(&name)).unwrap());
        assert!(
            made == kept,
            "{what}/{} is out of date: {refresh}",
            name.display()
        );
    }
}

#[test]
fn man_pages_are_up_to_date() {
    generated("man");
}

#[test]
fn completions_are_up_to_date() {
    generated("completions");
}

#[test]
fn the_readme_lists_the_flags_that_there_are() {
    let readme = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md"));
    let Some(section) = readme.as_deref().ok().and_then(|text| {
        let (_, rest) = text.split_once("<!-- flags -->\n")?;
        Some(rest.split_once("<!-- /flags -->")?.0)
    }) else {
        return;
    };
    let flags = answer(&["--generate", "readme-flags"]);
    assert_eq!(
        section.trim(),
        flags.trim(),
        "run: cargo run -- --generate readme-flags"
    );
}

#[test]
fn the_readme_has_the_table_of_exit_codes() {
    let readme =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    let rows: String = wscope::error::ExitCode::TABLE
        .iter()
        .map(|(code, meaning)| format!("| {code} | {meaning} |\n"))
        .collect();
    assert!(readme.contains(&rows), "the table is:\n{rows}");
}
