//! Two recordings, and what is suggested of them.

use super::*;
use crate::transcript::parse::parse;

fn transcript(text: &str) -> Transcript {
    Transcript {
        sources: vec![Source::new("a.wst", text)],
        statements: parse(text, 0).unwrap(),
    }
}

#[test]
fn what_is_used_again_is_captured_and_what_is_not_is_accepted() {
    let recording = |id: u32, time: &str, session: &str| {
        format!(
            "# kept\nconnect ws://h/\n> {{\"type\":\"join\"}}\n\
             < /json {{\"member\":{{\"id\":{id}}},\"time\":\"{time}\",\"room\":\"a\"}}\n\
             > {{\"to\":{id},\"text\":\"hi\"}}\n\
             < /json \"\"\"\n  {{\n    \"from\": {id}, \"session\": \"{session}\"\n  }}\n  \"\"\"\n\
             > {{\"session\":\"{session}\"}}\n"
        )
    };
    let first = transcript(&recording(7, "12:00", "s-1"));
    let second = transcript(&recording(9, "12:05", "s-2"));
    let suggestions = suggest(&first, &second);
    assert_eq!(
        suggestions.text,
        "# kept\nconnect ws://h/\n> {\"type\":\"join\"}\n\
         < /json {\"member\":{\"id\":\"{{*}}\"},\"time\":\"{{*}}\",\"room\":\"a\"}\n\
         \u{20} let id = /member/id\n\
         > {\"to\":{{id}},\"text\":\"hi\"}\n\
         < /json \"\"\"\n  {\n    \"from\": \"{{id}}\", \"session\": \"{{*}}\"\n  }\n  \"\"\"\n\
         \u{20} let session = /session\n\
         > {\"session\":{{session}}}\n"
    );
    assert!(parse(&suggestions.text, 0).is_ok());
    assert!(
        suggestions.notes[0].starts_with("line 4: /member/id was 7 and 9, and it is used again"),
        "{:#?}",
        suggestions.notes
    );
}

#[test]
fn what_cannot_be_suggested_is_told_of() {
    let first = transcript("connect ws://h/\n< hello 1\n> {\"n\":1}\n< a\n> b\n");
    let second = transcript("connect ws://h/\n< hello, 2\n> {\"n\":2}\n> b\n");
    let suggestions = suggest(&first, &second);
    assert_eq!(suggestions.text, first.sources[0].text);
    assert_eq!(
        suggestions.notes,
        [
            "line 2: the text changed: /match or /contains says what matters",
            "line 3: /n was sent as 1 and as 2",
            "from line 4 on the recordings have different steps",
        ]
    );
}

#[test]
fn parts_of_texts_are_values_too() {
    let recording = |id: &str, member: u32, time: &str| {
        format!(
            "connect ws://h/\n\
             < welcome, your id: {id} (it is {time})\n\
             > {{\"path\":\"/rooms/{id}/join\",\"note\":\"{time}\"}}\n\
             < /json {{\"url\":\"/rooms/{id}/m-{member}\",\"member\":{member}}}\n\
             > join {id} as {member}\n\
             < {member} is in {id}\n\
             b: connect ws://h/rooms/{id}?as={member}\n\
             b< at {time}\n"
        )
    };
    let first = transcript(&recording("7f3a-1", 7, "12:00"));
    let second = transcript(&recording("81cc-2", 9, "13:05"));
    let suggestions = suggest(&first, &second);
    assert_eq!(
        suggestions.text,
        "connect ws://h/\n\
         < /match ^welcome, your id: (?<id>\\S+) \\(it is (?<value>\\S+)\\)$\n\
         > {\"path\":\"/rooms/{{id}}/join\",\"note\":{{value}}}\n\
         < /json {\"url\":\"{{*}}\",\"member\":\"{{*}}\"}\n\
         \u{20} let member = /member\n\
         > join {{id}} as {{member}}\n\
         < {{member}} is in {{id}}\n\
         b: connect ws://h/rooms/{{id}}?as={{member}}\n\
         b< at {{value}}\n",
        "{:#?}",
        suggestions.notes
    );
    assert!(parse(&suggestions.text, 0).is_ok());
    for note in [
        "line 2: \"7f3a-1\" was \"81cc-2\", and it is used again: /match names it {{id}}",
        "line 3: a part of /path is {{id}}",
        "line 7: a part of the text is {{member}}",
    ] {
        assert!(
            suggestions.notes.iter().any(|one| one == note),
            "{:#?}",
            suggestions.notes
        );
    }
}

#[test]
fn a_text_with_a_value_of_another_names_it_there() {
    let recording = |id: &str, other: &str| {
        format!("connect ws://h/\n< id={id}\n< id={id} by={other}\n> bye {other}\n")
    };
    let suggestions = suggest(
        &transcript(&recording("a1", "b1")),
        &transcript(&recording("a2", "b2")),
    );
    assert_eq!(
        suggestions.text,
        "connect ws://h/\n< /match ^id=(?<id>\\S+)$\n\
         < /match ^id={{id}} by=(?<by>\\S+)$\n> bye {{by}}\n"
    );
}

#[test]
fn a_value_has_its_name_only_after_its_message_and_a_secret_stays_one() {
    let recording = |id: &str, time: &str| {
        format!(
            "connect ws://h/\n< hi {{{{secret_token}}}}, {{{{{{{{it}}}} is {time}\n\
             < /json {{\"id\":\"{id}\",\"path\":\"/r/{id}\",\"again\":\"{id}\"}}\n> {id}\n"
        )
    };
    let suggestions = suggest(
        &transcript(&recording("a1", "12")),
        &transcript(&recording("a2", "13")),
    );
    assert_eq!(
        suggestions.text,
        "connect ws://h/\n< /match ^hi {{secret_token}}, \\{\\{it\\}\\} is \\S+$\n\
         < /json {\"id\":\"{{*}}\",\"path\":\"{{*}}\",\"again\":\"{{*}}\"}\n\
         \u{20} let id = /id\n> {{id}}\n"
    );
}
