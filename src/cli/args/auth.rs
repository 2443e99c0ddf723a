//! Authentication flags: what clients of `serve` have to show.

use std::path::PathBuf;
use std::time::Duration;

use super::value;

/// What clients have to show.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Authentication")]
pub(in crate::cli) struct Auth {
    /// Let those in who show this token
    ///
    /// In the query (?token=), as a Bearer, as the cookie token, or as the subprotocol after bearer.
    /// @FILE and env:NAME say where it is.
    #[arg(long, value_name = "TOKEN")]
    pub token: Option<String>,

    /// Let those in who show a JSON Web Token that was signed with this secret (HS256)
    #[arg(long, value_name = "FILE")]
    pub jwt_secret_file: Option<PathBuf>,

    /// Let this user log in with POST /api/login; may be repeated
    ///
    /// The answer holds a token for one hour. The password may be @FILE or env:NAME.
    #[arg(long, value_name = "NAME:PASS")]
    pub user: Vec<String>,

    /// Let users in with Basic authentication too
    #[arg(long)]
    pub basic: bool,

    /// Keep this user out (close code 4003); may be repeated
    #[arg(long, value_name = "USER")]
    pub ban: Vec<String>,

    /// Let clients that show nothing send a token in their first message, within this time
    ///
    /// The message is {"type":"auth","token":"..."}.
    #[arg(long, value_name = "TIME", value_parser = value::positive_duration)]
    pub auth_first_message: Option<Duration>,

    /// Tell who may not come in by a close code after 101 (4001, 4002, 4003), or by an HTTP status
    #[arg(long, value_name = "HOW", default_value = "close", value_parser = ["close", "http"])]
    pub auth_reject: String,
}
