//! Secrets that are given by where they come from: looked up at each dial, so that a reconnect
//! gets a fresh token. None is ever shown, in an error neither; nor is a command, which may hold one.

use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::Command;
use tokio::time::timeout;

use crate::error::{Error, cause_text};
use crate::model::secret::Secret;
use crate::model::secret::known::{Known, Named, is_name};
use crate::wire::{tls, upgrade};

/// A command may ask a cloud, or a person for a finger.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(30);
/// The longest secret.
const MAX_SECRET: u64 = 64 * 1024;
/// How much of what a failed command complains is shown.
const MAX_COMPLAINT: usize = 200;

/// Where a secret comes from.
#[derive(Debug, Clone)]
pub enum SecretSource {
    Literal(Secret<String>),
    /// `@FILE`.
    File(PathBuf),
    /// `cmd:COMMAND`, run by the shell; what it prints is the secret.
    Command(Secret<String>),
}

/// A secret that was given a name: `--secret NAME=VALUE`.
#[derive(Debug, Clone)]
pub struct NamedSecret {
    pub name: String,
    source: SecretSource,
}

/// What a connection is opened with that must not be kept from dial to dial.
#[derive(Debug, Clone, Default)]
pub struct Secrets {
    pub authorization: Option<Authorization>,
    /// `--passphrase`, of the key of `--cert`.
    pub passphrase: Option<SecretSource>,
}

/// The credentials of the Authorization header.
#[derive(Debug, Clone)]
pub struct Authorization {
    scheme: Scheme,
    source: SecretSource,
}

#[derive(Debug, Clone, Copy)]
enum Scheme {
    /// `--auth USER:PASS` (RFC 7617, section 2).
    Basic,
    /// `--bearer TOKEN` (RFC 6750, section 2.1).
    Bearer,
}

impl SecretSource {
    /// `@FILE`, `env:NAME`, `cmd:COMMAND`, or else the secret itself; `flag` is who gave it. The
    /// environment of a process does not change, so it is asked at once.
    ///
    /// # Errors
    /// [`Error::Usage`] for a variable that is not set.
    pub fn parse(
        flag: &str,
        text: &str,
        environment: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, Error> {
        if let Some(path) = text.strip_prefix('@') {
            return Ok(Self::File(path.into()));
        }
        if let Some(command) = text.strip_prefix("cmd:") {
            return Ok(Self::Command(Secret::new(command.to_owned())));
        }
        let value = match text.strip_prefix("env:") {
            Some(name) => environment(name).ok_or_else(|| {
                Error::usage(format!(
                    "{flag}: the environment variable {name} is not set"
                ))
            })?,
            None => text.to_owned(),
        };
        Ok(Self::Literal(Secret::new(value)))
    }

    /// Looks the secret up. Line ends at its end are not part of it.
    ///
    /// # Errors
    /// [`Error::Usage`] that names `flag` and what went wrong.
    pub async fn resolve(&self, flag: &str) -> Result<Secret<String>, Error> {
        let wrong = |problem: String| Error::usage(format!("{flag}: {problem}"));
        let bytes = match self {
            Self::Literal(secret) => return Ok(secret.clone()),
            Self::File(path) => {
                let shown = path.display();
                read_file(path.clone())
                    .await
                    .map_err(|cause| wrong(format!("{shown}: {}", cause_text(&cause))))?
            }
            Self::Command(command) => run(command).await.map_err(wrong)?,
        };
        if bytes.len() as u64 > MAX_SECRET {
            return Err(wrong(format!(
                "the secret is longer than {MAX_SECRET} bytes"
            )));
        }
        let text = String::from_utf8(bytes).map_err(|_| wrong("the secret is not UTF-8".into()))?;
        let secret = text.trim_end_matches(['\r', '\n']);
        if secret.is_empty() {
            return Err(wrong("the secret is empty".into()));
        }
        Ok(Secret::new(secret.to_owned()))
    }
}

impl NamedSecret {
    /// `NAME=` and what [`SecretSource::parse`] takes.
    ///
    /// # Errors
    /// [`Error::Usage`] without the value, which may be a secret that was given without a name.
    pub fn parse(typed: &str, environment: impl Fn(&str) -> Option<String>) -> Result<Self, Error> {
        let named = typed.split_once('=').filter(|(name, _)| is_name(name));
        let Some((name, source)) = named else {
            return Err(Error::usage_hint(
                "--secret takes NAME=VALUE",
                "a name has letters, digits, _ and -; the value may be @FILE or env:VARIABLE",
            ));
        };
        let flag = format!("--secret {name}");
        let source = SecretSource::parse(&flag, source, environment)?;
        if matches!(&source, SecretSource::Literal(value) if value.reveal().is_empty()) {
            return Err(Error::usage(format!("{flag}: the secret is empty")));
        }
        Ok(Self {
            name: name.to_owned(),
            source,
        })
    }

    /// One whose value is known already.
    pub const fn literal(name: String, value: Secret<String>) -> Self {
        Self {
            name,
            source: SecretSource::Literal(value),
        }
    }

    /// # Errors
    /// [`Error::Usage`] for a secret that cannot be had.
    pub async fn resolve(&self) -> Result<Secret<String>, Error> {
        self.source
            .resolve(&format!("--secret {}", self.name))
            .await
    }
}

/// The values that are to be shown nowhere.
///
/// # Errors
/// [`Error::Usage`] for a secret that cannot be had.
pub async fn declare(secrets: &[NamedSecret]) -> Result<Known, Error> {
    let mut values = Vec::with_capacity(secrets.len());
    for secret in secrets {
        let value = secret.resolve().await?;
        values.push(Named::declared(secret.name.clone(), value));
    }
    Known::new(values).map_err(|problem| Error::usage(format!("--secret: {problem}")))
}

impl Secrets {
    /// Whether each dial has to ask anew.
    pub fn vary(&self) -> bool {
        let sources = [
            self.authorization.as_ref().map(|given| &given.source),
            self.passphrase.as_ref(),
        ];
        let command = |source: &&SecretSource| matches!(source, SecretSource::Command(_));
        sources.into_iter().flatten().any(|source| command(&source))
    }

    /// The plans with the secrets of now in them.
    ///
    /// # Errors
    /// [`Error::Usage`] for a secret that cannot be had, or that has not the right form.
    pub async fn fill(
        &self,
        request: &upgrade::Plan,
        tls: &tls::Plan,
    ) -> Result<(upgrade::Plan, tls::Plan), Error> {
        let (mut request, mut tls) = (request.clone(), tls.clone());
        if let Some(authorization) = &self.authorization {
            request.authorization = Some(authorization.value().await?);
        }
        if let (Some(source), Some(identity)) = (&self.passphrase, &mut tls.identity) {
            identity.passphrase = Some(source.resolve("--passphrase").await?);
        }
        Ok((request, tls))
    }
}

impl Authorization {
    /// # Errors
    /// [`Error::Usage`] for a literal that has not the right form; others are seen at the dial.
    pub fn basic(source: SecretSource) -> Result<Self, Error> {
        Self::new(Scheme::Basic, source)
    }

    /// # Errors
    /// [`Error::Usage`] for a literal that has not the right form; others are seen at the dial.
    pub fn bearer(source: SecretSource) -> Result<Self, Error> {
        Self::new(Scheme::Bearer, source)
    }

    fn new(scheme: Scheme, source: SecretSource) -> Result<Self, Error> {
        if let SecretSource::Literal(secret) = &source {
            scheme.header(secret.reveal())?;
        }
        Ok(Self { scheme, source })
    }

    /// The value of the header.
    async fn value(&self) -> Result<Secret<String>, Error> {
        let secret = self.source.resolve(self.scheme.flag()).await?;
        self.scheme.header(secret.reveal())
    }
}

impl Scheme {
    const fn flag(self) -> &'static str {
        match self {
            Self::Basic => "--auth",
            Self::Bearer => "--bearer",
        }
    }

    fn header(self, secret: &str) -> Result<Secret<String>, Error> {
        let wrong = |problem: &str| Error::usage(format!("{}: {problem}", self.flag()));
        if secret.is_empty() {
            return Err(wrong("the secret is empty"));
        }
        if secret.chars().any(char::is_control) {
            return Err(wrong("the secret holds a control character"));
        }
        Ok(Secret::new(match self {
            Self::Bearer => format!("Bearer {secret}"),
            Self::Basic if secret.contains(':') => format!("Basic {}", BASE64.encode(secret)),
            Self::Basic => {
                return Err(Error::usage_hint(
                    "--auth takes USER:PASS",
                    "end the user name with a colon for an empty password",
                ));
            }
        }))
    }
}

/// The file may be a pipe (`@/dev/fd/3`), so it is read off the thread that runs the connections.
async fn read_file(path: PathBuf) -> std::io::Result<Vec<u8>> {
    use std::io::Read as _;

    let read = move || {
        let mut bytes = Vec::new();
        std::fs::File::open(path)?
            .take(MAX_SECRET + 1)
            .read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    tokio::task::spawn_blocking(read)
        .await
        .map_err(std::io::Error::other)?
}

/// What a command prints. It gets no input, and is killed when it takes too long or is not
/// waited for any more.
async fn run(command: &Secret<String>) -> Result<Vec<u8>, String> {
    let started = shell(command.reveal())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn();
    let mut child =
        started.map_err(|cause| format!("its command does not start: {}", cause_text(&cause)))?;
    let (output, errors) = (child.stdout.take(), child.stderr.take());
    let ended = timeout(COMMAND_TIMEOUT, async {
        let (output, errors) = tokio::join!(read_bounded(output), read_bounded(errors));
        (output, errors, child.wait().await)
    });
    let (output, errors, status) = ended.await.map_err(|_| {
        format!(
            "its command took longer than {} s",
            COMMAND_TIMEOUT.as_secs()
        )
    })?;
    match status {
        // The pipe was closed on it: how it ended says nothing.
        _ if output.len() as u64 > MAX_SECRET => Ok(output),
        Ok(status) if status.success() => Ok(output),
        Ok(status) => Err(complaint(status, &errors)),
        Err(cause) => Err(format!("its command: {}", cause_text(&cause))),
    }
}

#[cfg(unix)]
fn shell(command: &str) -> Command {
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(command);
    shell
}

#[cfg(not(unix))]
fn shell(command: &str) -> Command {
    let mut shell = Command::new("cmd");
    shell.arg("/C").arg(command);
    shell
}

/// The most that a secret can be and one byte more. Closing the pipe then ends a command that
/// prints for ever.
async fn read_bounded(pipe: Option<impl AsyncRead + Unpin>) -> Vec<u8> {
    let mut bytes = Vec::new();
    if let Some(pipe) = pipe {
        // What was read until an error is what the command said.
        let _ = pipe.take(MAX_SECRET + 1).read_to_end(&mut bytes).await;
    }
    bytes
}

/// How the command ended, and the last that it said to stderr.
fn complaint(status: ExitStatus, errors: &[u8]) -> String {
    let text = String::from_utf8_lossy(errors);
    let last = text.lines().map(str::trim).rfind(|line| !line.is_empty());
    match last {
        Some(line) => {
            let end = line
                .char_indices()
                .nth(MAX_COMPLAINT)
                .map_or(line.len(), |(at, _)| at);
            format!("its command ended with {status}: {}", &line[..end])
        }
        None => format!("its command ended with {status}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn resolve(text: &str) -> Result<String, String> {
        let environment = |name: &str| (name == "TOKEN").then(|| "from env".to_owned());
        match SecretSource::parse("--bearer", text, environment) {
            Ok(source) => source.resolve("--bearer").await,
            Err(error) => Err(error),
        }
        .map(|secret| secret.reveal().clone())
        .map_err(|error| error.to_string())
    }

    #[tokio::test]
    async fn each_source_gives_its_secret() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "from file\r\n").unwrap();
        let by_file = format!("@{}", file.path().display());
        for (text, want) in [
            ("itself", "itself"),
            ("env:TOKEN", "from env"),
            (by_file.as_str(), "from file"),
            ("cmd:echo from command", "from command"),
        ] {
            assert_eq!(resolve(text).await.as_deref(), Ok(want));
        }
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn what_is_wrong_is_said_without_the_secret() {
        for (text, want) in [
            (
                "env:NOPE",
                "--bearer: the environment variable NOPE is not set",
            ),
            (
                "@/no/such/file",
                "--bearer: /no/such/file: no such file or directory",
            ),
            (
                "cmd:echo hunter2; echo one >&2; echo two >&2; exit 3",
                "--bearer: its command ended with exit status: 3: two",
            ),
            ("cmd:true", "--bearer: the secret is empty"),
            ("cmd:printf '\\377'", "--bearer: the secret is not UTF-8"),
            (
                "cmd:yes hunter2",
                "--bearer: the secret is longer than 65536 bytes",
            ),
        ] {
            assert_eq!(resolve(text).await, Err(want.to_owned()));
        }
    }

    #[tokio::test]
    async fn credentials_become_a_header() {
        let literal = |text: &str| SecretSource::Literal(Secret::new(text.to_owned()));
        let basic = Authorization::basic(literal("ann:pw")).unwrap();
        assert_eq!(basic.value().await.unwrap().reveal(), "Basic YW5uOnB3");
        let bearer = Authorization::bearer(literal("t")).unwrap();
        assert_eq!(bearer.value().await.unwrap().reveal(), "Bearer t");
        for wrong in [
            Authorization::basic(literal("hunter2")),
            Authorization::bearer(literal("hunter2\r\nX: y")),
            Authorization::bearer(literal("")),
        ] {
            let error = wrong.unwrap_err().to_string();
            assert!(!error.contains("hunter2"), "{error}");
        }
        let late = Authorization::basic(SecretSource::Command(Secret::new("echo hunter2".into())));
        let error = late.unwrap().value().await.unwrap_err().to_string();
        assert_eq!(error, "--auth takes USER:PASS");
    }
}
