//! The examples of `docs/serve.md`, run as they stand there.

mod harness;

use harness::program::shell;
use harness::running::Signal;
use harness::served::Served;

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

#[track_caller]
fn run(command: &str, url: &str, example: &Example) {
    let output = shell(command).env("URL", url).run();
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(printed, example.prints, "{example:?}\n{output}");
}
