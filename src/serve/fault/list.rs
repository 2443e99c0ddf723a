//! `--list-faults`: the grammar, and every fault with what a correct client does.

use std::fmt::Write as _;

use super::args::Args;
use super::syntax::{Places, Spec};
use super::{Effect, Entry, FAULTS};

const GRAMMAR: &str = "\
--fault ACTION[=ARGS][@WHEN][:KEY=VALUE]...     may be given several times

  --fault refuse=503:conn=1-3          the first three attempts to open are refused
  --fault close=4002@3msg              each connection is closed when its third message has come
  --fault delay=200ms,50ms             each message is sent 200 to 250 ms later
  --fault lose:p=0.1                   a tenth of the messages is not sent
  --fault cut@5s:times=1               one connection is cut 5 s after it has opened

WHEN is when it happens, or begins; without it a fault happens when the connection opens, or to each message.
  open      the connection has opened
  3msg      the third message has come, and what it leads to was sent; of faults of messages: the third one
  5s        so long after the opening
  close     the closing handshake begins
  /regex/   each message that matches, as for 3msg
KEYs say how often, and to whom.
  conn=1-3  the numbers of the attempts to open that it concerns, from 1: 2, 1-3, 4-
  path=/a   only connections of this path
  p=0.1     with this probability (or 10%)
  every=3   every third message, or attempt to open
  times=2   twice at most, on all connections together
What has : @ , or blanks in it is written in double quotes: redirect=\"ws://host/\" (a quote in it twice).
--fault-seed N draws the same each time. Each hit is an event (fault) and is counted in /metrics.
";

/// The text.
pub fn list() -> String {
    let mut text = GRAMMAR.to_owned();
    for family in FAULTS {
        let _ = writeln!(text, "\n{}", family.name);
        for entry in family.faults {
            let _ = writeln!(text, "  {:<23}  {}", entry.spelling(), entry.help);
            if let Some(faults) = entry.stands_for() {
                let _ = writeln!(text, "  {:23}  = {}", "", faults.join(" "));
            }
            let _ = writeln!(text, "  {:23}  a correct client {}", "", entry.client);
        }
    }
    text
}

impl Entry {
    /// `close=CODE[,REASON]`, `slow-close[=TIME]`
    pub fn spelling(&self) -> String {
        match (self.args, self.args.strip_prefix('[')) {
            ("", _) => self.name.to_owned(),
            (_, Some(args)) => format!("{}[={args}", self.name),
            (args, None) => format!("{}={args}", self.name),
        }
    }

    /// The faults that a preset stands for.
    fn stands_for(&self) -> Option<&'static [&'static str]> {
        let spec = Spec::parse(self.name).ok()?;
        match (self.make)(&mut Args::new(&spec, &Places::default())) {
            Ok(Effect::Preset(faults)) => Some(faults),
            _ => None,
        }
    }
}
