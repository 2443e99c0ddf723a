//! JUnit's XML, judged by the schema of Jenkins' xUnit plugin.

use std::path::Path;
use std::process::{Command, Stdio};

use super::peers::skip;
use super::program::Output;

/// A file that a run has left.
#[track_caller]
pub fn is_valid(output: &Output, name: &str) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let python = root.join("target/peers/python/bin/python");
    let check = "import sys\nfrom lxml import etree\n\
                 etree.XMLSchema(file=sys.argv[1]).assertValid(etree.parse(sys.argv[2]))\n";
    let probe = Command::new(&python)
        .args(["-c", "import lxml"])
        .stderr(Stdio::null())
        .status();
    if !probe.is_ok_and(|status| status.success()) {
        skip("lxml is not installed: run tests/harness/peers/install.sh");
        return;
    }
    let file = output.home.path().join(name);
    let checked = Command::new(python)
        .args(["-c", check])
        .arg(root.join("tests/harness/junit-10.xsd"))
        .arg(&file)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&checked.stderr);
    let xml = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(checked.status.success(), "{said}\n{xml}");
}
