//! Secrets as they are typed: themselves, `@FILE` or `env:NAME`. None is ever shown, in an error
//! neither.

use std::path::Path;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use super::environment::Environment;
use crate::cli::args::value::field;
use crate::error::Error;
use crate::model::secret::Secret;

/// The value of Authorization for `--auth USER:PASS`.
pub(super) fn basic(typed: &str, environment: &Environment) -> Result<Secret<String>, Error> {
    let pair = resolve("--auth", typed, environment)?;
    if !pair.contains(':') {
        return Err(Error::usage_hint(
            "--auth takes USER:PASS",
            "end the user name with a colon for an empty password",
        ));
    }
    let encoded = BASE64_STANDARD.encode(pair);
    Ok(Secret::new(format!("Basic {encoded}")))
}

/// The value of Authorization for `--bearer TOKEN`.
pub(super) fn bearer(typed: &str, environment: &Environment) -> Result<Secret<String>, Error> {
    let token = resolve("--bearer", typed, environment)?;
    let token = field(&token).map_err(|problem| Error::usage(format!("--bearer: {problem}")))?;
    if token.is_empty() {
        return Err(Error::usage("--bearer: the token is empty"));
    }
    Ok(Secret::new(format!("Bearer {token}")))
}

fn resolve(flag: &str, typed: &str, environment: &Environment) -> Result<String, Error> {
    let wrong = |problem: String| Error::usage(format!("{flag}: {problem}"));
    if let Some(path) = typed.strip_prefix('@') {
        let text = String::from_utf8(super::read(Path::new(path), flag)?)
            .map_err(|_| wrong(format!("{path} is not UTF-8")))?;
        return Ok(text.trim_end_matches(['\r', '\n']).to_owned());
    }
    if let Some(name) = typed.strip_prefix("env:") {
        return environment
            .get(name)
            .ok_or_else(|| wrong(format!("the environment variable {name} is not set")))?
            .into_string()
            .map_err(|_| wrong(format!("the environment variable {name} is not UTF-8")));
    }
    if typed.starts_with("cmd:") {
        return Err(wrong("secrets from commands are not supported".to_owned()));
    }
    Ok(typed.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_come_from_the_line_a_file_or_the_environment() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "ann:pw\n").unwrap();
        let mut environment = Environment::default();
        environment.variables.insert("PAIR".into(), "ann:pw".into());
        let path = format!("@{}", file.path().display());
        for typed in ["ann:pw", "env:PAIR", &path] {
            let secret = basic(typed, &environment).unwrap();
            assert_eq!(secret.reveal(), "Basic YW5uOnB3", "{typed}");
        }
        assert_eq!(bearer("t", &environment).unwrap().reveal(), "Bearer t");
    }

    #[test]
    fn what_is_wrong_is_said_without_the_secret() {
        let environment = Environment::default();
        for (typed, said) in [
            ("hunter2", "USER:PASS"),
            ("env:NOPE", "NOPE"),
            ("@/no/such/file", "/no/such/file"),
            ("cmd:pass show x", "not supported"),
        ] {
            let error = basic(typed, &environment).unwrap_err().to_string();
            assert!(error.contains(said), "{error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
        assert!(bearer("a\r\nX: y", &environment).is_err());
    }
}
