//! What surrounds the process: variables and terminals, taken once, so that planning is a function
//! of values.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};

use crate::tui::terminal;

/// A snapshot of the surroundings.
#[derive(Debug, Clone, Default)]
pub(in crate::cli) struct Environment {
    pub variables: HashMap<OsString, OsString>,
    pub stdin_is_terminal: bool,
    pub stdout_is_terminal: bool,
    pub stderr_is_terminal: bool,
    /// Columns and rows.
    pub terminal_size: Option<(u16, u16)>,
    /// The terminal is ours to read, not that of another job.
    pub in_foreground: bool,
    /// One of the files is there that container runtimes make.
    pub has_container_file: bool,
}

/// Where typed lines are remembered, in the state folder.
pub(super) const HISTORY: &str = "history";

/// Those of Docker and of Podman.
const CONTAINER_FILES: [&str; 2] = ["/.dockerenv", "/run/.containerenv"];

impl Environment {
    pub(in crate::cli) fn of_process() -> Self {
        Self {
            variables: std::env::vars_os().collect(),
            stdin_is_terminal: std::io::stdin().is_terminal(),
            stdout_is_terminal: std::io::stdout().is_terminal(),
            stderr_is_terminal: std::io::stderr().is_terminal(),
            terminal_size: terminal::size(),
            in_foreground: terminal::is_in_foreground(),
            has_container_file: CONTAINER_FILES.iter().any(|file| Path::new(file).exists()),
        }
    }

    /// A variable that is set to more than nothing.
    pub(super) fn get(&self, name: &str) -> Option<OsString> {
        let value = self.variables.get(OsStr::new(name))?;
        (!value.is_empty()).then(|| value.clone())
    }

    /// This is a container: others reach it by an address of its own.
    pub(super) fn is_container(&self) -> bool {
        self.has_container_file || self.get("KUBERNETES_SERVICE_HOST").is_some()
    }

    /// Someone reads along on a terminal.
    pub(super) const fn is_watched(&self) -> bool {
        self.stdout_is_terminal && self.stderr_is_terminal
    }

    /// Someone sits at the terminal and can answer.
    pub(super) const fn is_conversation(&self) -> bool {
        self.stdin_is_terminal && self.stdout_is_terminal
    }

    /// `$XDG_CONFIG_HOME/wscope/config.toml`, below `~/.config` where that is not set.
    pub(super) fn config_file(&self) -> Option<PathBuf> {
        let folder = self.own_folder("XDG_CONFIG_HOME", ".config")?;
        Some(folder.join("config.toml"))
    }

    /// `$XDG_STATE_HOME/wscope`, below `~/.local/state` where that is not set. `None` where there is
    /// no home either: then nothing is remembered.
    pub(super) fn state_folder(&self) -> Option<PathBuf> {
        self.own_folder("XDG_STATE_HOME", ".local/state")
    }

    /// A variable that is not absolute counts as not set (XDG Base Directory Specification).
    fn own_folder(&self, variable: &str, below_home: &str) -> Option<PathBuf> {
        let absolute = |name: &str| {
            let path = self.get(name).map(PathBuf::from);
            path.filter(|path| path.is_absolute())
        };
        let base =
            absolute(variable).or_else(|| absolute("HOME").map(|home| home.join(below_home)))?;
        Some(base.join("wscope"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_config_file_follows_xdg_and_then_home() {
        let mut environment = Environment::default();
        assert_eq!(environment.config_file(), None);
        for (name, value, found) in [
            ("HOME", "/home/a", "/home/a/.config/wscope/config.toml"),
            (
                "XDG_CONFIG_HOME",
                "relative",
                "/home/a/.config/wscope/config.toml",
            ),
            ("XDG_CONFIG_HOME", "/x", "/x/wscope/config.toml"),
        ] {
            environment.variables.insert(name.into(), value.into());
            assert_eq!(environment.config_file(), Some(found.into()));
        }
        assert_eq!(
            environment.state_folder(),
            Some("/home/a/.local/state/wscope".into())
        );
        environment
            .variables
            .insert("XDG_STATE_HOME".into(), "/s".into());
        assert_eq!(environment.state_folder(), Some("/s/wscope".into()));
    }
}
