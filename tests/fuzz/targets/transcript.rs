//! A text is a transcript or is refused, each time at a place in it; a transcript printed is the same
//! transcript.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wscope::transcript::parse::parse;
use wscope::transcript::print::print;
use wscope::transcript::program::Program;
use wscope::transcript::syntax::{Source, Transcript};

fuzz_target!(|input: &str| {
    let source = Source::new("a.wst", input);
    let statements = match parse(input, 0) {
        Ok(statements) => statements,
        Err(wrong) => {
            assert!(!wrong.is_empty());
            for one in &wrong {
                let told = one.render(std::slice::from_ref(&source));
                assert!(told.contains('^'), "{told}");
            }
            return;
        }
    };
    let printed = print(&statements);
    let again = parse(&printed, 0);
    assert_eq!(again.as_ref(), Ok(&statements), "{printed}");
    // Checking it may find fault with it, but comes to an end.
    let transcript = Transcript {
        sources: vec![source],
        statements,
    };
    let _checked = Program::new(transcript, ["url".to_owned()]);
});
