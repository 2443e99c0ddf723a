//! A text is a filter or is refused with a place in it, and a filter printed is the same filter,
//! which finds the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wscope::model::event::{Direction, What};
use wscope::model::message::Message;
use wscope::text::predicate::Predicate;

fuzz_target!(|input: &str| {
    // The first line is the filter, the rest what it is held against.
    let (text, message) = input.split_once('\n').unwrap_or((input, ""));
    let filter = match Predicate::parse(text) {
        Ok(filter) => filter,
        Err(wrong) => {
            let told = wrong.to_string();
            assert!(told.contains('^'), "{told}");
            return;
        }
    };
    let printed = filter.to_string();
    let again = Predicate::parse(&printed).expect(&printed);
    assert_eq!(again, filter, "{printed}");
    let what = What::Message {
        dir: Direction::In,
        message: Message::text(message),
        frames: 1,
        wire: 0,
        json: None,
    };
    assert_eq!(again.matches(&what), filter.matches(&what));
});
