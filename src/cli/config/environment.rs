//! What surrounds the process: variables and terminals, taken once, so that planning is a function
//! of values.

use std::collections::HashMap;
use std::ffi::OsString;
use std::path::PathBuf;

/// A snapshot of the surroundings.
#[derive(Debug, Clone, Default)]
pub(in crate::cli) struct Environment {
    pub variables: HashMap<OsString, OsString>,
    pub stdin_is_terminal: bool,
    pub stdout_is_terminal: bool,
    pub stderr_is_terminal: bool,
}

impl Environment {
    /// A variable that is set to more than nothing.
    pub(super) fn get(&self, name: &str) -> Option<OsString> {
        let value = self.variables.get(std::ffi::OsStr::new(name))?;
        (!value.is_empty()).then(|| value.clone())
    }

    /// Where a kind of file lives (XDG Base Directory Specification): `variable`, if it is an
    /// absolute path as that asks for, or the `fallback` below the home directory.
    pub(super) fn directory(&self, variable: &str, fallback: &str) -> Option<PathBuf> {
        self.get(variable)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
            .or_else(|| Some(PathBuf::from(self.get("HOME")?).join(fallback)))
            .map(|base| base.join("wscope"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_follows_xdg_and_then_home() {
        let mut environment = Environment::default();
        assert_eq!(environment.directory("XDG_CONFIG_HOME", ".config"), None);
        environment.variables.insert("HOME".into(), "/home/a".into());
        environment.variables.insert("XDG_CONFIG_HOME".into(), "relative".into());
        let found = environment.directory("XDG_CONFIG_HOME", ".config");
        assert_eq!(found, Some("/home/a/.config/wscope".into()));
        environment.variables.insert("XDG_CONFIG_HOME".into(), "/x".into());
        let found = environment.directory("XDG_CONFIG_HOME", ".config");
        assert_eq!(found, Some("/x/wscope".into()));
    }
}
