//! Flags of what lies between a client and its endpoint: TLS and proxies.

use std::path::PathBuf;

use crate::wire::tls::Pin;

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "TLS and proxies")]
pub(in crate::cli) struct Reach {
    /// Do not check the server's certificate
    #[arg(short = 'k', long, conflicts_with_all = ["ca", "pin"])]
    pub insecure: bool,

    /// Trust the certificates in this file instead of the system's; may be repeated
    ///
    /// A CA's certificate, or the server's own. Without it the system's roots are trusted, or those
    /// of SSL_CERT_FILE and SSL_CERT_DIR.
    #[arg(long, value_name = "FILE", conflicts_with = "pin")]
    pub ca: Vec<PathBuf>,

    /// Trust the server with this key, whatever else its certificate says; may be repeated
    ///
    /// The hash of its public key, as errors about certificates and `serve --tls-self-signed` print it.
    #[arg(long, value_name = "sha256/HASH")]
    pub pin: Vec<Pin>,

    /// Present this certificate to the server (PEM)
    #[arg(long, value_name = "FILE")]
    pub cert: Option<PathBuf>,

    /// The private key of --cert, where it is not in the same file
    #[arg(long, value_name = "FILE")]
    pub key: Option<PathBuf>,

    /// What the key is encrypted with
    ///
    /// @FILE reads it from a file, env:NAME from an environment variable, cmd:COMMAND from what a
    /// command prints.
    #[arg(long, value_name = "TEXT")]
    pub passphrase: Option<String>,

    /// Ask the server for this name; the certificate is still checked for the URL's host
    #[arg(long, value_name = "NAME")]
    pub sni: Option<String>,

    /// Go through this proxy
    ///
    /// http://, socks5:// (names are resolved here) or socks5h:// (names are resolved there); http
    /// is meant where there is no scheme. Without it https_proxy (for wss), http_proxy (for ws),
    /// all_proxy and no_proxy are read from the environment, and loopback is reached directly.
    #[arg(
        long,
        value_name = "[SCHEME://][USER:PASS@]HOST[:PORT]",
        conflicts_with = "no_proxy"
    )]
    pub proxy: Option<String>,

    /// Connect directly, whatever the environment says
    #[arg(long)]
    pub no_proxy: bool,
}
