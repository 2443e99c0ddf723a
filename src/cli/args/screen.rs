//! Flags of the full screen.

use super::value;

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Full screen")]
pub(in crate::cli) struct Screen {
    /// Open the full screen, whatever else would be shown
    ///
    /// connect does so anyway on a terminal of 60x15 or more, unless --line, --plain, --json, --output,
    /// -x, -n or --until is given. /line and F2 leave it, /tui and F2 come back.
    #[arg(long, conflicts_with_all = ["json", "output", "parse", "input", "binary"])]
    pub tui: bool,

    #[command(flatten)]
    pub look: Look,
}

/// That of a server.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Full screen")]
pub(in crate::cli) struct ServeScreen {
    /// Show connections, rooms, traffic, queues, faults and the log live, on the full screen
    ///
    /// ? lists the keys; q closes every connection and ends.
    #[arg(long, conflicts_with_all = ["json", "output", "parse", "exec"])]
    pub tui: bool,

    #[command(flatten)]
    pub look: Look,
}

/// That of a load.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Full screen")]
pub(in crate::cli) struct BenchScreen {
    /// Keep the full screen after the end, until q closes it
    #[arg(long)]
    pub stay: bool,

    #[command(flatten)]
    pub look: Look,
}

/// How a full screen looks and listens.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Full screen")]
pub(in crate::cli) struct Look {
    /// How it looks; t goes through them
    ///
    /// auto: dark or light as the terminal says it is (COLORFGBG), mono without colours.
    #[arg(long, value_name = "NAME", value_parser = value::theme())]
    pub theme: Option<String>,

    /// Draw with ASCII signs only
    ///
    /// The default where the locale is not UTF-8.
    #[arg(long)]
    pub ascii: bool,

    /// Let the mouse scroll and choose; the terminal's own selection then needs Shift
    #[arg(long)]
    pub mouse: bool,
}
