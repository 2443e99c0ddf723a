//! TLS and proxy flags, and the variables that stand for them, as plans.

use crate::cli::args::Reach;
use crate::error::Error;
use crate::session::secret_source::SecretSource;
use crate::wire::{proxy, tls};

use super::environment::Environment;

pub(super) fn tls(args: &Reach, environment: &Environment) -> tls::Plan {
    tls::Plan {
        ca: args.ca.clone(),
        identity: args.cert.clone().map(|certificate| tls::Identity {
            certificate,
            key: args.key.clone(),
            passphrase: None,
        }),
        insecure: args.insecure,
        sni: args.sni.clone(),
        pins: args.pin.clone(),
        key_log: environment.get("SSLKEYLOGFILE").map(Into::into),
    }
}

pub(super) fn proxy(args: &Reach, environment: &Environment) -> Result<proxy::Plan, Error> {
    match &args.proxy {
        Some(url) => proxy::Plan::explicit(url),
        None if args.no_proxy => Ok(proxy::Plan::default()),
        None => Ok(proxy::Plan::from_environment(|name| {
            environment.get(name)?.into_string().ok()
        })),
    }
}

/// The source of a secret that `flag` was given.
pub(super) fn secret(
    flag: &str,
    typed: &str,
    environment: &Environment,
) -> Result<SecretSource, Error> {
    SecretSource::parse(flag, typed, |name| {
        environment.get(name)?.into_string().ok()
    })
}
