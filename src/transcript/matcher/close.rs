//! `< /close [CODE [REASON]]`: the end of the connection.

use super::{Arguments, Context, Matcher, Mismatch, Places, Test};
use crate::model::close::CloseCode;
use crate::transcript::excerpt::quoted;
use crate::transcript::incoming::Incoming;
use crate::transcript::json::Bound;

pub(super) const MATCHER: Matcher = Matcher {
    name: "/close",
    args: "[CODE [REASON]]",
    about: "a Close; 1005 is one without a code, 1006 an end without a Close",
    places: Places::Several,
    block: false,
    compile: |text| Ok(Box::new(Close(Arguments::new(text, parse)?))),
};

#[derive(Debug)]
struct Close(Arguments<(Option<CloseCode>, Option<String>)>);

fn parse(text: &str) -> Result<(Option<CloseCode>, Option<String>), String> {
    let (code, reason) = match text.split_once(char::is_whitespace) {
        Some((code, reason)) => (code, Some(reason.trim().to_owned())),
        None => (text, None),
    };
    if code.is_empty() {
        return Ok((None, None));
    }
    let number = code
        .parse()
        .ok()
        .filter(|number| (1000..5000).contains(number));
    let code = number.ok_or_else(|| format!("\"{code}\" is not a close code from 1000 to 4999"))?;
    Ok((Some(CloseCode(code)), reason))
}

impl Test for Close {
    fn hold(&self, incoming: &Incoming, context: &mut Context<'_>) -> Result<Bound, Mismatch> {
        let Incoming::Close { code, reason } = incoming else {
            let secrets = context.variables.secrets();
            return Err(Mismatch::kind("a Close", incoming, secrets));
        };
        let (expected_code, expected_reason) = self.0.value(context.variables)?;
        let secrets = context.variables.secrets();
        let words = |code: CloseCode| format!("a Close with code {code} ({})", code.name());
        match (expected_code, expected_reason) {
            (Some(expected), _) if expected != *code => {
                let reason = if reason.is_empty() {
                    String::new()
                } else {
                    format!(": {}", quoted(reason, secrets))
                };
                Err(Mismatch::new(words(expected), words(*code) + &reason))
            }
            (_, Some(expected)) if expected != *reason => Err(Mismatch::new(
                format!("the reason {}", quoted(&expected, secrets)),
                quoted(reason, secrets),
            )),
            _ => Ok(Vec::new()),
        }
    }

    fn wanted(&self) -> &'static str {
        "a Close"
    }
}
