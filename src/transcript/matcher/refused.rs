//! `< /refused [STATUS]`: the handshake is refused; stands right after the `connect`.

use super::{Arguments, Context, Matcher, Mismatch, Places, Test};
use crate::transcript::incoming::Incoming;
use crate::transcript::json::Bound;

pub(super) const MATCHER: Matcher = Matcher {
    name: "/refused",
    args: "[STATUS]",
    about: "the handshake is refused with that status; right after connect",
    places: Places::Alone,
    block: false,
    compile: |text| Ok(Box::new(Refused(Arguments::new(text, parse)?))),
};

#[derive(Debug)]
struct Refused(Arguments<Option<u16>>);

fn parse(text: &str) -> Result<Option<u16>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    let status = text
        .parse()
        .ok()
        .filter(|status| (200..600).contains(status));
    status
        .map(Some)
        .ok_or_else(|| format!("\"{text}\" is not a status such as 401"))
}

impl Test for Refused {
    fn hold(&self, incoming: &Incoming, context: &mut Context<'_>) -> Result<Bound, Mismatch> {
        let expected = self.0.value(context.variables)?;
        match (expected, incoming) {
            (None, Incoming::Refused { .. }) => Ok(Vec::new()),
            (Some(expected), Incoming::Refused { status, .. }) if expected == *status => {
                Ok(Vec::new())
            }
            (expected, other) => {
                let expected = match expected {
                    Some(status) => format!("HTTP {status}"),
                    None => "a refused handshake".into(),
                };
                Err(Mismatch::kind(
                    &expected,
                    other,
                    context.variables.secrets(),
                ))
            }
        }
    }

    fn is_about_handshake(&self) -> bool {
        true
    }

    fn wanted(&self) -> &'static str {
        "a refused handshake"
    }
}
