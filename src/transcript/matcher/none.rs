//! `< /none 200ms`: no data message and no Close comes for that long.

use std::time::Duration;

use super::{Context, Matcher, Mismatch, Places, Test};
use crate::model::units::{exact_duration, parse_duration};
use crate::transcript::incoming::Incoming;
use crate::transcript::json::Bound;
use crate::transcript::template::Fault;

pub(super) const MATCHER: Matcher = Matcher {
    name: "/none",
    args: "TIME",
    about: "no message and no Close comes for that long",
    places: Places::Alone,
    block: false,
    compile: |text| {
        let time = parse_duration(&text.raw);
        let time = time.map_err(|message| Fault::new(0..text.raw.len(), message))?;
        Ok(Box::new(Nothing(time)))
    },
};

#[derive(Debug)]
struct Nothing(Duration);

impl Test for Nothing {
    fn hold(&self, incoming: &Incoming, context: &mut Context<'_>) -> Result<Bound, Mismatch> {
        let expected = format!("nothing for {}", exact_duration(self.0));
        let secrets = context.variables.secrets();
        Err(Mismatch::kind(&expected, incoming, secrets))
    }

    fn silence(&self) -> Option<Duration> {
        Some(self.0)
    }
}
