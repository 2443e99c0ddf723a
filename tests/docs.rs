//! The examples of `docs/serve.md` and `docs/bench.md`, and the test and the workflow of the README, run as they
//! stand there.

mod harness;

use std::fs;
use std::sync::LazyLock;

use harness::program::{Output, shell};
use harness::raw::RawServer;
use harness::running::Signal;
use harness::served::{Served, serve};
use regex::Regex;

/// A command of the page, the flags of the server that it is run against, and what it prints.
#[derive(Debug)]
struct Example {
    serve: Option<String>,
    command: String,
    prints: String,
}

fn examples(page: &str) -> Vec<Example> {
    let mut examples: Vec<Example> = Vec::new();
    let mut serve = None;
    for line in page.lines() {
        let Some(line) = line.strip_prefix("    ") else {
            serve = None;
            continue;
        };
        if let Some(flags) = line.strip_prefix("serve") {
            serve = Some(flags.to_owned());
        } else if let Some(command) = line.strip_prefix("$ ") {
            examples.push(Example {
                serve: serve.take(),
                command: command.to_owned(),
                prints: String::new(),
            });
        } else if let Some(last) = examples.last_mut() {
            last.prints += line;
            last.prints.push('\n');
        }
    }
    examples
}

#[test]
fn the_examples_of_serve_do_what_they_say() {
    let examples = examples(include_str!("../docs/serve.md"));
    assert!(examples.len() > 10, "{examples:?}");
    run_all(examples);
}

#[test]
fn the_examples_of_bench_do_what_they_say() {
    let mut examples = examples(include_str!("../docs/bench.md"));
    // Those below "Reports, baselines" are a story of their own.
    examples.retain(|example| example.serve.is_some());
    assert!(examples.len() > 5, "{examples:?}");
    run_all(examples);
}

#[track_caller]
fn run_all(examples: Vec<Example>) {
    for example in examples {
        let command = example.command.replace("wscope", "\"$WSCOPE\"");
        let Some(flags) = &example.serve else {
            run(&command, "", &example);
            continue;
        };
        let line = format!("exec \"$WSCOPE\" serve 0 --json {flags}");
        let server = Served::start(shell(&line).spawn());
        run(&command, server.url(), &example);
        server.stop(Signal::Terminate).code(0);
    }
}

/// The commands below a heading of the page on `bench`, in their order.
fn commands(heading: &str) -> Vec<String> {
    let page = include_str!("../docs/bench.md");
    let (_, section) = page.split_once(heading).expect(heading);
    let section = section.split_once("\n## ").map_or(section, |(own, _)| own);
    let lines = section
        .lines()
        .filter_map(|line| line.strip_prefix("    $ "));
    lines
        .map(|line| line.replace("wscope ", "\"$WSCOPE\" "))
        .collect()
}

#[test]
fn the_examples_of_reports_and_baselines_work() {
    let commands = commands("## Reports, baselines");
    assert!(commands.len() > 10, "{commands:#?}");
    let server = serve(&[]);
    let script = format!("set -e\n{}", commands.join("\n"));
    let output = shell(&script).env("URL", server.url()).run().code(0);
    for name in [
        "bench.html",
        "bench.xml",
        "bench.hlog",
        "again.html",
        "compare.html",
        "b3.json",
    ] {
        assert!(output.home.path().join(name).exists(), "{name}");
    }
}

/// The steps of the workflow in the README: their shell scripts, with the server and the load small
/// enough for a test.
#[test]
fn the_workflow_of_the_readme_runs() {
    let readme = include_str!("../README.md");
    let (_, block) = readme
        .split_once("```yaml\n- name: Load\n")
        .expect("the workflow");
    let block = block.split_once("```").expect("its end").0;
    let mut steps: Vec<String> = Vec::new();
    for line in block.lines() {
        if let Some(one) = line.strip_prefix("  run: ") {
            steps.push(one.trim_start_matches('|').to_owned());
        } else if let (Some(script), Some(step)) = (line.strip_prefix("    "), steps.last_mut()) {
            // What follows a step that is not a script is deeper than its `run`.
            if !line.contains("name: bench") && !line.contains("path: ") {
                step.push_str(&format!("{script}\n"));
            }
        }
    }
    let [load, summary] = &steps[..] else {
        panic!("{steps:#?}");
    };
    let server = serve(&[]);
    let small = |script: &str| {
        script
            .replace("wscope bench", "\"$WSCOPE\" bench")
            .replace("ws://localhost:8080/", server.url())
            .replace(
                "--spawn 'node server.js' -c 200 -d 20s",
                "-c 200 -n 20k --warmup 0",
            )
    };
    let first = load
        .replace("--baseline bench/main.json --noise 15%", "")
        .replace("bench.json", "bench/main.json");
    let script = format!(
        "mkdir bench\n{}\n{} || test $? = 4\n{summary}",
        small(&first),
        small(load).trim_end(),
    );
    let run = shell(&script)
        .env("GITHUB_STEP_SUMMARY", "summary.md")
        .run()
        .code(0);
    let told = fs::read_to_string(run.home.path().join("summary.md")).unwrap();
    assert!(
        told.contains("### wscope bench: ") && told.contains("rtt.p99"),
        "{told}"
    );
    for name in ["bench.html", "bench.xml", "bench.json"] {
        assert!(run.home.path().join(name).exists(), "{name}");
    }
}

#[track_caller]
fn run(command: &str, url: &str, example: &Example) {
    let output = shell(command).env("URL", url).run();
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(printed, example.prints, "{example:?}\n{output}");
}

/// The blocks of code below a heading of the README that have commands.
fn blocks(heading: &str) -> Vec<Vec<&'static str>> {
    let readme = include_str!("../README.md");
    let (_, section) = readme.split_once(heading).expect(heading);
    let section = section.split_once("\n**").map_or(section, |(own, _)| own);
    let mut blocks = vec![Vec::new()];
    for line in section.lines() {
        match line.strip_prefix("    ") {
            Some(code) => blocks.last_mut().unwrap().push(code),
            None if line.is_empty() => blocks.last_mut().unwrap().push(""),
            None => blocks.push(Vec::new()),
        }
    }
    blocks.retain(|block| block.iter().any(|line| line.starts_with("$ ")));
    blocks
}

/// Runs the commands of a block against a server; what they print has to be what stands there, but
/// for times and the address.
#[track_caller]
fn play(block: &[&str], url: &str, file: Option<&str>) -> Output {
    static TIME: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\b[0-9.]+ ?(ms|us|s)\b").unwrap());
    let (commands, prints): (Vec<&str>, Vec<&str>) =
        block.iter().partition(|line| line.starts_with("$ "));
    let commands: Vec<String> = commands
        .iter()
        .map(|line| {
            let command = line.trim_start_matches("$ ");
            let command = command.replace("ws://localhost:8080/", url);
            match command.strip_prefix("wscope ") {
                Some(rest) => format!("\"$WSCOPE\" {rest}"),
                None => command,
            }
        })
        .collect();
    let mut run = shell(&commands.join(" && "));
    if let Some(text) = file {
        run = run.file("chat.wst", text);
    }
    let output = run.run();
    let times = |text: &str| TIME.replace_all(text.trim(), "TIME").into_owned();
    let printed = String::from_utf8_lossy(&output.stdout).replace(url, "ws://localhost:8080/");
    assert_eq!(times(&printed), times(&prints.join("\n")), "{output}");
    output
}

#[test]
fn the_test_of_the_readme_is_recorded_and_played_and_fails_as_it_says() {
    let blocks = blocks("**A test.**");
    let [good, bad] = &blocks[..] else {
        panic!("{blocks:#?}");
    };
    let server = serve(&[]);
    let recorded = play(good, server.url(), None).code(0);
    let report =
        |output: &Output| fs::read_to_string(output.home.path().join("report.xml")).unwrap();
    let told = report(&recorded);
    assert!(
        told.contains("tests=\"4\"") && !told.contains("<failure"),
        "{told}"
    );
    let transcript = fs::read_to_string(recorded.home.path().join("chat.wst")).unwrap();
    let changed = RawServer::open(|peer| {
        let text = peer.text();
        peer.send_text(&text.replace("Hello", "hello"));
        peer.drain();
    });
    let url = format!("{}/", changed.url().trim_end_matches('/'));
    let transcript = transcript.replace(server.url(), &url);
    let failed = play(bad, &url, Some(&transcript)).code(4);
    let told = report(&failed);
    assert!(
        told.contains("<failure") && told.contains("expected &quot;Hello!&quot;"),
        "{told}"
    );
}
