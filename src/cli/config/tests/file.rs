//! The config file among what is typed and the environment.

use super::{authorization, connecting, error, plan_in, surroundings, text, texts};
use crate::cli::config::environment::Environment;
use crate::command::connect;
use crate::command::source::Source;
use crate::input::pipe;
use crate::text::style::Style;

/// A config file, and surroundings that know nothing else.
struct Configured {
    file: tempfile::NamedTempFile,
    environment: Environment,
}

impl Configured {
    fn new(text: &str) -> Self {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        Self {
            file,
            environment: surroundings(false),
        }
    }

    fn line(&self, line: &str) -> String {
        format!("{line} --config {}", self.file.path().display())
    }

    fn connect(&self, line: &str) -> connect::Plan {
        connecting(&self.environment, &self.line(line))
    }

    fn error(&self, line: &str) -> String {
        plan_in(&self.environment, &self.line(line)).unwrap_err()
    }
}

const CONFIG: &str = "
[defaults]
heartbeat = 'alb'
output = 'hex'
headers = ['A: default', 'B: default']
max_retries = 3
color = 'always'
echo_prefix = '> '

[endpoint.staging]
url = 'ws://staging/ws'
headers = { A = 'staging' }
subprotocol = 'chat'
json = true
bearer = 'env:TOKEN'
on_open = ['hello']
";

#[test]
fn flags_beat_endpoints_and_endpoints_beat_defaults() {
    let mut config = Configured::new(CONFIG);
    config
        .environment
        .variables
        .insert("TOKEN".into(), "t".into());

    let plan = config.connect("ws://h");
    assert_eq!(plan.view.format, "hex");
    assert_eq!(plan.clients[0].request.headers.len(), 2);
    assert_ne!(plan.view.data_style, Style::PLAIN);
    assert!(plan.clients[0].reconnect.is_none());
    assert_eq!(
        config.connect("ws://h -r").clients[0]
            .reconnect
            .unwrap()
            .max_retries,
        3
    );
    assert_eq!(config.connect("ws://h --json").view.format, "ndjson");
    assert_eq!(
        config.connect("ws://h --plain").view.data_style,
        Style::PLAIN
    );
    assert_eq!(
        config.connect("ws://h --heartbeat off").clients[0]
            .connection
            .heartbeat,
        None
    );

    let plan = config.connect("@staging -H 'b: typed' -H 'C: typed'");
    let client = &plan.clients[0];
    assert_eq!(client.target.redacted(), "ws://staging/ws");
    let headers = [("A", "staging"), ("b", "typed"), ("C", "typed")];
    assert_eq!(
        client.request.headers,
        headers.map(|(name, value)| (name.to_owned(), value.to_owned()))
    );
    assert_eq!(client.request.subprotocols, ["chat"]);
    assert_eq!(authorization(client).as_deref(), Some("Bearer t"));
    assert_eq!(plan.view.format, "ndjson");
    assert_eq!(texts(&plan), [text("hello")]);
    // First messages are not -x: the input is read all the same.
    assert!(matches!(plan.source, Source::Pipe(pipe::Plan { .. })));
    assert_eq!(
        texts(&config.connect("@staging -x a")),
        [text("hello"), text("a")]
    );
    let plan = config.connect("@staging --auth u:p");
    let basic = authorization(&plan.clients[0]).unwrap();
    assert!(basic.starts_with("Basic "));
    let plan = config.connect("@staging -H 'Authorization: typed'");
    assert_eq!(authorization(&plan.clients[0]), None);

    config
        .environment
        .variables
        .insert("NO_COLOR".into(), "1".into());
    assert_eq!(config.connect("ws://h").view.data_style, Style::PLAIN);
}

#[test]
fn several_endpoints_keep_their_own_settings() {
    let config = Configured::new(
        "[endpoint.a]\nurl = 'ws://a'\nheader = 'A: 1'\n[endpoint.b]\nurl = 'ws://b'\njson = true\n",
    );
    let plan = config.connect("listen @a @b");
    let names: Vec<_> = plan
        .clients
        .iter()
        .map(|client| client.name.as_deref())
        .collect();
    assert_eq!(names, [Some("a"), Some("b")]);
    let headers: Vec<_> = plan
        .clients
        .iter()
        .map(|client| client.request.headers.len())
        .collect();
    assert_eq!(headers, [1, 0]);
    assert_eq!(plan.view.format, "raw");
    assert_eq!(config.connect("listen @b").view.format, "ndjson");
}

#[test]
fn an_endpoint_that_is_not_there_is_named_with_what_is() {
    let config = Configured::new("[endpoint.staging]\nurl = 'ws://h'\n");
    assert!(config.error("@stagin").contains("@stagin"));
    assert!(error("@staging").contains("@staging"));
    assert!(error("ws://h --config /no/such").contains("/no/such"));
}

#[test]
fn the_config_file_is_found_unless_ci_or_a_flag_says_no() {
    let directory = tempfile::tempdir().unwrap();
    let folder = directory.path().join("wscope");
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("config.toml"), "[defaults]\njson = true\n").unwrap();
    let mut environment = surroundings(false);
    assert_eq!(connecting(&environment, "ws://h").view.format, "raw");
    environment
        .variables
        .insert("XDG_CONFIG_HOME".into(), directory.path().into());
    assert_eq!(connecting(&environment, "ws://h").view.format, "ndjson");
    assert_eq!(
        connecting(&environment, "ws://h --no-config").view.format,
        "raw"
    );
    environment.variables.insert("CI".into(), "true".into());
    assert_eq!(connecting(&environment, "ws://h").view.format, "raw");
}

#[test]
fn what_is_on_by_default_can_be_switched_off() {
    let config = Configured::new(
        "[defaults]\ncompress = false\n[endpoint.a]\nurl = 'ws://h'\ncompress = true\n",
    );
    let offers = |line| config.connect(line).clients[0].request.deflate.is_some();
    assert!(!offers("ws://h"));
    assert!(offers("ws://h --compress"));
    assert!(offers("@a"));
    assert!(!offers("@a --no-compress"));
}
