//! `< /any`: a message, whatever it says.

use super::{Context, Matcher, Mismatch, Places, Test};
use crate::transcript::incoming::Incoming;
use crate::transcript::json::Bound;
use crate::transcript::template::Fault;

pub(super) const MATCHER: Matcher = Matcher {
    name: "/any",
    args: "",
    about: "a message, whatever it says",
    places: Places::Everywhere,
    block: false,
    compile: |text| {
        if text.raw.is_empty() {
            return Ok(Box::new(Any));
        }
        let fault = Fault::new(0..text.raw.len(), "nothing may follow /any");
        Err(fault.hint("/contains TEXT or /match REGEX look at the message"))
    },
};

#[derive(Debug)]
struct Any;

impl Test for Any {
    fn hold(&self, incoming: &Incoming, context: &mut Context<'_>) -> Result<Bound, Mismatch> {
        match incoming {
            Incoming::Message(_) => Ok(Vec::new()),
            other => {
                let secrets = context.variables.secrets();
                Err(Mismatch::kind("a message", other, secrets))
            }
        }
    }
}
