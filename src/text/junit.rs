//! JUnit's XML as CI systems read it: what has cases that pass and fail, as a document.

use std::time::Duration;

use super::markup::escaped;
use super::sanitize;

/// Cases that belong together.
#[derive(Debug)]
pub struct Suite {
    pub name: String,
    pub cases: Vec<Case>,
    pub time: Duration,
}

#[derive(Debug)]
pub struct Case {
    pub name: String,
    pub time: Duration,
    pub result: Result,
}

#[derive(Debug)]
pub enum Result {
    Passed,
    Skipped,
    /// It was tried, and did not hold.
    Failed(Problem),
    /// It could not be tried.
    Error(Problem),
}

#[derive(Debug)]
pub struct Problem {
    /// One line.
    pub message: String,
    /// The exit code that it leads to.
    pub code: u8,
    pub text: String,
}

/// How many cases ended in which way.
#[derive(Default)]
struct Totals {
    tests: usize,
    failures: usize,
    errors: usize,
    skipped: usize,
}

impl Totals {
    fn of<'a>(cases: impl IntoIterator<Item = &'a Case>) -> Self {
        let mut totals = Self::default();
        for case in cases {
            totals.tests += 1;
            match case.result {
                Result::Passed => {}
                Result::Skipped => totals.skipped += 1,
                Result::Failed(_) => totals.failures += 1,
                Result::Error(_) => totals.errors += 1,
            }
        }
        totals
    }
}

/// The whole document.
pub fn document(name: &str, suites: &[Suite], time: Duration) -> String {
    let totals = Totals::of(suites.iter().flat_map(|suite| &suite.cases));
    let mut xml = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"{}\" time=\"{}\">\n",
        attribute(name),
        totals.tests,
        totals.failures,
        totals.errors,
        seconds(time),
    );
    for suite in suites {
        write(suite, &mut xml);
    }
    xml.push_str("</testsuites>\n");
    xml
}

fn write(suite: &Suite, xml: &mut String) {
    let totals = Totals::of(&suite.cases);
    let name = attribute(&suite.name);
    xml.push_str(&format!(
        "  <testsuite name=\"{name}\" tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\" time=\"{}\">\n",
        totals.tests,
        totals.failures,
        totals.errors,
        totals.skipped,
        seconds(suite.time),
    ));
    for case in &suite.cases {
        let time = match case.result {
            // It took no time that was measured.
            Result::Error(_) => "0".to_owned(),
            _ => seconds(case.time),
        };
        xml.push_str(&format!(
            "    <testcase name=\"{}\" classname=\"{name}\" time=\"{time}\"",
            attribute(&case.name),
        ));
        match &case.result {
            Result::Passed => xml.push_str("/>\n"),
            Result::Skipped => xml.push_str(">\n      <skipped/>\n    </testcase>\n"),
            Result::Failed(why) => problem("failure", why, xml),
            Result::Error(why) => problem("error", why, xml),
        }
    }
    xml.push_str("  </testsuite>\n");
}

fn problem(element: &str, why: &Problem, xml: &mut String) {
    xml.push_str(&format!(
        ">\n      <{element} message=\"{}\" type=\"exit {}\">{}</{element}>\n    </testcase>\n",
        attribute(&why.message),
        why.code,
        escaped(&why.text),
    ));
}

/// The schema knows milliseconds.
fn seconds(time: Duration) -> String {
    format!("{:.3}", time.as_secs_f64())
}

fn attribute(text: &str) -> String {
    escaped(&sanitize::line(text))
}
