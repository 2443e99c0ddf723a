//! Authentication flags as the plan of a server.

use crate::cli::args::Auth;
use crate::error::Error;
use crate::model::secret::Secret;
use crate::serve::auth::{Plan, Reject};

use super::environment::Environment;
use super::read;

/// Bytes of a file of secrets.
const MOST: u64 = 1 << 20;

pub(super) fn auth(args: &Auth, environment: &Environment) -> Result<Plan, Error> {
    let jwt = args.jwt_secret_file.as_ref();
    let jwt = jwt
        .map(|path| read(path, "--jwt-secret-file", MOST))
        .transpose()?;
    let token = args.token.as_ref();
    let token = token
        .map(|typed| secret("--token", typed, environment))
        .transpose()?;
    let users = args.user.iter().map(|typed| user(typed, environment));
    let users: Vec<_> = users.collect::<Result<_, _>>()?;
    let mut names: Vec<&str> = users.iter().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    if let Some(twice) = names.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(Error::usage_hint(
            format!("--user: {} is given twice", twice[0]),
            "a user has one password",
        ));
    }
    let plan = Plan {
        token,
        // An editor ends a file with a line break, which nobody means to be part of a secret.
        jwt: jwt.map(|secret| Secret::new(secret.trim_ascii_end().to_vec())),
        users,
        basic: args.basic,
        first_message: args.auth_first_message,
        bans: args.ban.clone(),
        reject: match args.auth_reject.as_str() {
            "http" => Reject::Http,
            _ => Reject::Close,
        },
    };
    let refines = [
        (args.auth_first_message.is_some(), "--auth-first-message"),
        (!args.ban.is_empty(), "--ban"),
        (plan.reject == Reject::Http, "--auth-reject http"),
    ];
    for (is_given, flag) in refines {
        if is_given && !plan.is_on() {
            return Err(Error::usage_hint(
                format!("{flag} has no effect where nothing has to be shown"),
                "--token, --jwt-secret-file and --user say what clients have to show",
            ));
        }
    }
    if plan
        .jwt
        .as_ref()
        .is_some_and(|secret| secret.reveal().is_empty())
    {
        return Err(Error::usage("--jwt-secret-file: the file is empty"));
    }
    Ok(plan)
}

fn user(typed: &str, environment: &Environment) -> Result<(String, Secret<String>), Error> {
    // What was typed is not repeated: it holds a password.
    let (name, password) = typed
        .split_once(':')
        .filter(|(name, _)| !name.is_empty())
        .ok_or_else(|| Error::usage("--user takes NAME:PASS"))?;
    if password.is_empty() {
        let message = format!("--user: there is no password after {name}:");
        return Err(Error::usage(message));
    }
    Ok((name.to_owned(), secret("--user", password, environment)?))
}

/// A secret, or where it is: `@FILE` or `env:NAME`.
fn secret(flag: &str, typed: &str, environment: &Environment) -> Result<Secret<String>, Error> {
    let text = if let Some(path) = typed.strip_prefix('@') {
        let bytes = read(path.as_ref(), flag, MOST)?;
        let text = String::from_utf8(bytes);
        text.map_err(|_| Error::usage(format!("{flag}: {path} is not text")))?
    } else if let Some(name) = typed.strip_prefix("env:") {
        let value = environment
            .get(name)
            .and_then(|value| value.into_string().ok());
        value.ok_or_else(|| Error::usage(format!("{flag}: the variable {name} is not set")))?
    } else {
        typed.to_owned()
    };
    let text = text.trim_end_matches(['\r', '\n']).to_owned();
    if text.is_empty() {
        return Err(Error::usage(format!(
            "{flag}: an empty secret lets everyone in"
        )));
    }
    Ok(Secret::new(text))
}
