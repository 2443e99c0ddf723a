//! What a person asks of the program itself, not of the peer.

use std::path::PathBuf;

use super::command::Command;

/// A request to the program. Carried out in `command/`, where the parts meet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Control {
    /// `/help`: the list of slash commands.
    Help,
    /// `/json`: toggle pretty-printing of JSON messages.
    Json,
    /// `/headers`: show the opening handshake, both ways.
    Headers,
    /// `/stats`: counters, rates and round trips so far.
    Stats,
    /// `/state`: readyState, address, how long.
    State,
    /// `/reconnect`: close and dial again now.
    Reconnect,
    /// `/record FILE`: start recording; without a file, stop.
    Record(Option<PathBuf>),
    /// `/to ID ...`: a command for one client (`listen PORT`).
    To(u64, Command),
    /// `/tui`: go on in the full screen.
    Screen,
    /// `/line`: go on in lines.
    Line,
    /// `/quit`: close with 1000 and leave.
    Quit,
}
