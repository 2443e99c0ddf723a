//! Events as people and programs read them: one file per format, all in [`FORMATS`].

pub mod hex;
pub mod line;
pub mod ndjson;
pub mod outcome;
pub mod raw;

use crate::model::event::Event;
use crate::text::style::Style;

/// What a format wrote: data for stdout, talk for stderr, each in order.
#[derive(Debug, Default)]
pub struct Page {
    pub data: Vec<u8>,
    pub talk: Vec<u8>,
}

/// What to show, whatever the format.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The name of an entry of [`FORMATS`].
    pub format: &'static str,
    /// Someone reads along on a terminal: say what goes on, not only what went wrong.
    pub interactive: bool,
    /// `--parse`: NDJSON messages carry a `json` member.
    pub parse: bool,
    /// `-P`.
    pub ping_pong: bool,
    /// `-F`.
    pub frames: bool,
    /// `-v`: the opening handshake both ways.
    pub verbose: bool,
    /// `--timestamps`.
    pub timestamps: bool,
    /// Styles of stdout and of stderr.
    pub data_style: Style,
    pub talk_style: Style,
    pub select: select::Select,
}
