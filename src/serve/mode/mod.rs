//! What a server does with a message: one file per mode, all in [`MODES`].

/// The mode and its options.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The name of an entry of [`MODES`]: `echo`, `broadcast` or `listen`.
    pub name: &'static str,
    /// `--echo-prefix`.
    pub prefix: Option<String>,
    /// `--exclude-sender`.
    pub exclude_sender: bool,
}
