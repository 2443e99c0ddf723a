//! The examples of `docs/scale.md`, played against a local server: what is started on several machines
//! there is started several times here, with smaller numbers.

mod harness;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use harness::program::{shell, wscope};
use harness::served::serve;
use serde_json::{Map, Value, json};

const PAGE: &str = include_str!("../docs/scale.md");

/// The blocks of a language below a heading of the page.
fn blocks(heading: &str, language: &str) -> Vec<String> {
    let heading = format!("\n## {heading}\n");
    let (_, section) = PAGE.split_once(&heading).expect(&heading);
    let section = section.split("\n## ").next().unwrap_or(section);
    let mut fences = section.split("\n```").skip(1).step_by(2);
    let mut blocks = Vec::new();
    for fence in fences.by_ref() {
        if let Some(block) = fence.strip_prefix(language) {
            blocks.push(format!("{}\n", block.trim()));
        }
    }
    assert!(!blocks.is_empty(), "no {language} below {heading}");
    blocks
}

/// The page's load, as small as a test can bear it.
fn smaller(text: &str, url: &str) -> String {
    let mut text = text.to_owned();
    for (large, small) in [
        ("wss://server.example.com/ws", url),
        ("40k", "40"),
        ("20k", "400"),
        ("60s", "1s"),
        ("250ms", "1h"),
        ("+ 15)", "+ 3)"),
        ("+ 5)", "+ 3)"),
    ] {
        text = text.replace(large, small);
    }
    text
}

/// Programs of the page, which stand in the folder `bin`: the first is `wscope` itself, others play on
/// this machine what they would have others do.
fn programs(home: &Path) {
    let parallel = r#"shift 2; command=$1; shift 2
for input in "$@"; do
  PARALLEL_SEQ=$((PARALLEL_SEQ + 1))
  PARALLEL_SEQ=$PARALLEL_SEQ sh -c "$(echo "$command" | sed "s/{#}/$PARALLEL_SEQ/g")" &
done
wait"#;
    for (name, script) in [
        ("wscope", r#"exec "$WSCOPE" "$@""#),
        ("ssh", r#"shift; exec sh -c "$*""#),
        ("parallel", &format!("export PARALLEL_SEQ=0\n{parallel}")),
    ] {
        let path = home.join("bin").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }
}

/// Runs a script of the page, and reads what it has made: the shards' results and the whole.
#[track_caller]
fn play(script: &str) -> (Vec<Value>, Value) {
    let run = shell(&format!("PATH=\"$PWD/bin:$PATH\"\nset -e\n{script}"));
    programs(run.home());
    let output = run.run().code(0);
    let read = |path: &Path| -> Value {
        let text = fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        serde_json::from_slice(&text).unwrap()
    };
    let home = output.home.path();
    let mut shards: Vec<_> = fs::read_dir(home)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            let name = path.file_name().unwrap().to_string_lossy();
            name.starts_with("shard-") && name.ends_with(".json")
        })
        .collect();
    shards.sort();
    let shards = shards.iter().map(|path| read(path)).collect();
    (shards, read(&home.join("load.json")))
}

/// All that the shards did is in the whole, and nothing else.
#[track_caller]
fn assert_whole(shards: &[Value], whole: &Value, count: usize) {
    assert_eq!(shards.len(), count);
    assert_eq!(whole["shards"].as_array().unwrap().len(), count);
    for pointer in [
        "/messages/sent",
        "/messages/matched",
        "/connections/opened",
        "/latency/rtt/count",
        "/bytes/sent_wire",
    ] {
        let number = |result: &Value| result.pointer(pointer).and_then(Value::as_u64).unwrap();
        let sum: u64 = shards.iter().map(number).sum();
        assert_eq!(number(whole), sum, "{pointer}");
    }
    assert_eq!(whole["connections"]["opened"], 40);
    assert_eq!(whole["connections"]["open_at_end"], 40);
    assert_eq!(whole["verdict"]["partial"], false);
}

#[test]
fn machines_are_loaded_from_by_ssh() {
    let server = serve(&[]);
    let script = smaller(&blocks("Several machines by ssh", "sh")[0], server.url());
    let (shards, whole) = play(&script);
    assert_whole(&shards, &whole, 3);
    assert!(whole["messages"]["sent"].as_u64() > Some(0), "{whole}");
}

#[test]
fn gnu_parallel_starts_them_on_one_machine() {
    let server = serve(&[]);
    let script = smaller(
        &blocks("One machine with GNU parallel", "sh")[0],
        server.url(),
    );
    let (shards, whole) = play(&script);
    assert_whole(&shards, &whole, 4);
    assert_eq!(whole["workload"]["mode"], "hold");
}

#[test]
fn a_kubernetes_job_makes_the_whole_load() {
    let job = yaml(&blocks("A Kubernetes Indexed Job", "yaml")[0]);
    let spec = &job["spec"];
    assert_eq!(
        (&job["apiVersion"], &job["kind"]),
        (&json!("batch/v1"), &json!("Job"))
    );
    assert_eq!(spec["completionMode"], "Indexed");
    assert_eq!(spec["completions"], spec["parallelism"]);
    let pod = &spec["template"]["spec"];
    assert_eq!(pod["restartPolicy"], "Never");
    let container = &pod["containers"][0];
    let count: usize = spec["completions"].as_str().unwrap().parse().unwrap();
    assert_eq!(
        container["env"],
        json!([{"name": "WSCOPE_SHARDS", "value": count.to_string()}])
    );
    assert_eq!(
        container["volumeMounts"][0]["name"],
        pod["volumes"][0]["name"]
    );
    let folder = container["volumeMounts"][0]["mountPath"].as_str().unwrap();

    let server = serve(&[]);
    let results = tempfile::tempdir().unwrap();
    let here = results.path().display().to_string();
    let start = seconds_from_now(3);
    let pods: Vec<_> = (0..count)
        .map(|index| {
            let words = [&container["command"], &container["args"]];
            let words = words.iter().flat_map(|list| list.as_array().unwrap());
            let words: Vec<String> = words
                .map(|word| {
                    smaller(word.as_str().unwrap(), server.url())
                        .replace("$(JOB_COMPLETION_INDEX)", &index.to_string())
                        .replace("START_AT", &start)
                        .replace(folder, &here)
                })
                .collect();
            assert_eq!(words[0], "wscope");
            let words: Vec<&str> = words[1..].iter().map(String::as_str).collect();
            wscope(&words)
                .env("JOB_COMPLETION_INDEX", &index.to_string())
                .env("WSCOPE_SHARDS", &count.to_string())
                .spawn()
        })
        .collect();
    for pod in pods {
        pod.wait().code(0);
    }
    let merge = &blocks("A Kubernetes Indexed Job", "sh")[0];
    let script = smaller(merge, server.url()).replace(folder, ".");
    let copy = format!("cp {here}/*.json .\n{script}");
    let (shards, whole) = play(&copy);
    assert_whole(&shards, &whole, count);
}

#[test]
fn gitlab_runs_them_side_by_side() {
    let pipeline = yaml(&blocks("GitLab", "yaml")[0]);
    let load = &pipeline["load"];
    let count: usize = load["parallel"].as_str().unwrap().parse().unwrap();
    assert_eq!(pipeline["verdict"]["needs"], json!(["load"]));
    assert_eq!(load["artifacts"]["paths"], json!(["shard-*.json"]));
    let script = |job: &Value| {
        let lines = job["script"].as_array().unwrap().iter();
        lines
            .map(|line| line.as_str().unwrap())
            .collect::<Vec<_>>()
            .join("\n")
    };
    let server = serve(&[]);
    // The pipeline is as old as the example says, but for three seconds.
    let all = format!(
        "export CI_PIPELINE_CREATED_AT=$(date -u -d '-297 seconds' +%FT%TZ)
         export TARGET={url} CI_NODE_TOTAL={count}
         for CI_NODE_INDEX in $(seq {count}); do export CI_NODE_INDEX; (set -e\n{load}\n) & done
         wait\n{verdict}\n",
        url = server.url(),
        load = script(load),
        verdict = script(&pipeline["verdict"]),
    );
    let (shards, whole) = play(&smaller(&all, server.url()));
    assert_whole(&shards, &whole, count);
}

/// Seconds since 1970, as `--start-at` takes them.
fn seconds_from_now(seconds: u64) -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    (now.unwrap().as_secs() + seconds).to_string()
}

/// The YAML of the page: mappings and lists in blocks, and scalars, which are all texts.
fn yaml(text: &str) -> Value {
    let lines: Vec<(usize, &str)> = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .map(|line| (line.len() - line.trim_start().len(), line.trim()))
        .collect();
    let mut at = 0;
    let value = node(&lines, &mut at, 0);
    assert_eq!(at, lines.len(), "not read: {:?}", lines.get(at));
    value
}

/// What begins at a line, indented by `indent` at least.
fn node(lines: &[(usize, &str)], at: &mut usize, indent: usize) -> Value {
    let Some(&(depth, first)) = lines.get(*at).filter(|(depth, _)| *depth >= indent) else {
        return Value::Null;
    };
    if first.starts_with("- ") {
        let mut list = Vec::new();
        while let Some(&(depth_of, line)) = lines.get(*at)
            && depth_of == depth
            && let Some(item) = line.strip_prefix("- ")
        {
            if item.contains(": ") && !item.starts_with(['"', '\'']) && is_key(item) {
                // A mapping that begins behind the dash goes on below it.
                let mut own: Vec<(usize, &str)> = vec![(depth + 2, item)];
                let rest = lines[*at + 1..].iter();
                own.extend(rest.take_while(|(below, _)| *below > depth));
                let mut inner = 0;
                list.push(node(&own, &mut inner, depth + 2));
                *at += inner;
            } else {
                list.push(scalar(item));
                *at += 1;
            }
        }
        return Value::Array(list);
    }
    let mut map = Map::new();
    while let Some(&(depth_of, line)) = lines.get(*at)
        && depth_of == depth
    {
        *at += 1;
        match line.split_once(": ") {
            Some((key, value)) => map.insert(key.into(), scalar(value)),
            None => {
                let key = line
                    .strip_suffix(':')
                    .unwrap_or_else(|| panic!("no YAML: {line}"));
                map.insert(key.into(), node(lines, at, depth + 1))
            }
        };
    }
    Value::Object(map)
}

fn is_key(item: &str) -> bool {
    let key = item.split(": ").next().unwrap_or_default();
    !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric())
}

fn scalar(text: &str) -> Value {
    Value::from(text.trim_matches('"'))
}
