use std::time::Duration;

use super::super::syntax::{Source, Step};
use super::*;

fn steps(text: &str) -> Vec<Step> {
    let statements = parse(text, 0).unwrap_or_else(|wrong| panic!("{text}: {wrong:#?}"));
    statements
        .into_iter()
        .map(|statement| statement.step)
        .collect()
}

fn one(text: &str) -> Step {
    let mut steps = steps(text);
    assert_eq!(steps.len(), 1, "{steps:#?}");
    steps.remove(0)
}

/// What is wrong with a text, as people read it.
fn wrong(text: &str) -> String {
    let source = Source::new("t.wst", text);
    let wrong = parse(text, 0).expect_err(text);
    wrong
        .iter()
        .map(|one| one.render(std::slice::from_ref(&source)))
        .collect()
}

#[test]
fn lines_from_a_terminal_are_a_transcript() {
    let all = steps("# a comment\n\n  > hello  \r\n< {\"a\": 1}\n>\nalice> //x\nbob< //\n");
    let shown: Vec<String> = all
        .iter()
        .map(|step| match step {
            Step::Send(send) => format!("{}>{:?}", send.peer, send.sending),
            Step::Expect(expect) => format!("{}<{}", expect.peer, expect.expectation.text.raw),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(shown.len(), 5);
    assert!(shown[0].contains("raw: \"hello\""), "{}", shown[0]);
    assert_eq!(shown[1], "<{\"a\": 1}");
    assert!(shown[2].contains("raw: \"\""), "{}", shown[2]);
    assert!(
        shown[3].starts_with("alice>") && shown[3].contains("raw: \"/x\""),
        "{}",
        shown[3]
    );
    assert_eq!(shown[4], "bob</");
}

#[test]
fn blocks_keep_blanks_and_lines() {
    for (text, raw) in [
        ("> \"\"\"\n  a\n    b \n  \"\"\"", "a\n  b "),
        ("> \"\"\"\n\n\n\"\"\"", "\n"),
        ("> \"\"\"\n\"\"\"", ""),
        ("> \"\"\"\"\n\"\"\"\n\"\"\"\"", "\"\"\""),
        ("> \"\"\"\r\n  a\r\n  b\r\n  \"\"\"\r\n", "a\nb"),
        ("> \"\"\"\na\r\n\"\"\"", "a\r"),
        ("> \"\"\"x", "\"\"\"x"),
    ] {
        let Step::Send(send) = one(text) else {
            panic!("{text}")
        };
        let super::super::syntax::Sending::Text(sent) = send.sending else {
            panic!("{text}")
        };
        assert_eq!(sent.raw, raw, "{text:?}");
        for (at, line) in sent.raw.split('\n').enumerate() {
            let start: usize = sent
                .raw
                .split('\n')
                .take(at)
                .map(|line| line.len() + 1)
                .sum();
            assert!(
                text[sent.position(start)..].starts_with(line),
                "{text:?}: {line}"
            );
        }
    }
}

#[test]
fn modifiers_belong_to_the_step_above() {
    let Step::Expect(expect) =
        one("a< /any\n\n  # why\n within 2\n\tlet x = /a~1b/0\n let y = whole")
    else {
        panic!()
    };
    assert_eq!(expect.within, Some(Duration::from_secs(2)));
    assert_eq!(expect.captures.len(), 2);
    let Step::Connect(connect) =
        one("a: connect ws://h/{{x}}\nheader A: b: c\nsubprotocol x\ncompress\ntimeout 5")
    else {
        panic!()
    };
    assert_eq!(connect.modifiers.headers[0].raw, "A: b: c");
    assert_eq!(connect.modifiers.compress, Some(true));
}

#[test]
fn each_mistake_is_shown_with_what_is_allowed() {
    insta::assert_snapshot!(
        [
            "hello",
            "alice > hi",
            "conect ws://h",
            "alice: hello",
            "wait> hi",
            "9a> hi",
            "> /jsn {}",
            "> /json {\"a\":1,}",
            "> /json {\"a\":",
            "> {{x",
            "> {\"a\":{{*}}}",
            "> /bin 00",
            "> /close 1006",
            "> /file",
            "< /jason {}",
            "< /json {\"a\" 1}",
            "< /match a(",
            "< /none",
            "< /none 1s\n  let x = whole",
            "<~ /none 1s",
            "ignore /close",
            "ignore",
            "< /all\n  /any\n",
            "< /all\nend",
            "< /all\n  /refused 401\nend",
            "< /all x\n  /any\n  let = /x\nend",
            "repeat 0\nend",
            "repeat 2\n> x",
            "end",
            "let x = /a",
            "> hi\n  within 2s",
            "< hi\n  let x = a",
            "< hi\n  within soon\n  header A: b",
            "connect",
            "connect ws://h y",
            "connect ws://h\n  header nocolon\n  within 2s\n  timeout 1\n  timeout 2",
            "set uuid = 1",
            "set secret_a = 1",
            "set x",
            "include",
            "> \"\"\"\n  a\n",
            "> \"\"\"\n a\n  \"\"\"",
        ]
        .map(wrong)
        .join("\n")
    );
}

#[test]
fn no_more_is_told_than_anybody_reads() {
    let wrong = parse(&"hello\n".repeat(1000), 0).unwrap_err();
    assert_eq!(wrong.len(), MAX_DIAGNOSTICS);
    let nested = "repeat 2\n".repeat(10_000);
    assert!(parse(&nested, 0).unwrap_err().len() <= MAX_DIAGNOSTICS + MAX_DEPTH + 1);
}

#[test]
fn within_all_and_after_ignore_no_line_is_a_statement() {
    for (text, place, said) in [
        ("< /all\n  < /any\nend", "2:3", "write it without: /any"),
        (
            "< /all\n  bob<~ hi\nend",
            "2:3",
            "no marker may stand inside of /all",
        ),
        ("< /all\n  /any\n> hi", "3:1", "only end closes it"),
        ("< /all\n  wait 1s\nend", "2:3", "the statement wait"),
        ("< /all\n  bob: connect x\nend", "2:3", "no marker"),
        ("ignore > x", "1:8", "no marker may stand after ignore"),
        ("bob: ignore <", "1:13", "such as /any"),
    ] {
        let wrong = wrong(text);
        assert!(
            wrong.contains(&format!("t.wst:{place}: ")),
            "{text}: {wrong}"
        );
        assert!(wrong.contains(said), "{text}: {wrong}");
    }
    for fine in [
        "< /all\n  bob: hello\n  a < b\n  \"\"\"\n  <p>\n  \"\"\"\nend",
        "ignore wait 1s",
        "ignore \"\"\"\n> x\n\"\"\"",
        "< wait 1s",
        "< < /any",
    ] {
        steps(fine);
    }
}

#[test]
fn within_after_an_end_is_told_where_it_belongs() {
    let wrong = wrong("< /all\n  /any\nend\n# more\n  within 2s");
    assert!(wrong.contains("t.wst:5:3: "), "{wrong}");
    assert!(wrong.contains("right below the line with /all"), "{wrong}");
}
