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
