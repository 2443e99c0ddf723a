//! Who a client is, and whether it may come in. Pure: requests and times in, verdicts out.
//!
//! A client shows what it has in one of several places ([`credential`]); what that is worth is
//! found in [`Keys`]: the token of the plan, a [`jwt`], a user's name and password, and what the
//! server gave out itself ([`issued`]). Secrets are compared by their hashes in constant time, and
//! never printed.

mod credential;
mod issued;
mod jwt;

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use self::credential::Credential;
use self::issued::{Issued, SESSION, TICKET};
use crate::model::close::{CloseCode, CloseFrame};
use crate::model::event::What;
use crate::model::handshake::RequestHead;
use crate::model::secret::Secret;
use crate::model::secret::known::{Known, Named};

pub(super) use credential::{BEARER, subprotocols};
pub(super) use issued::random_word;

/// What has to be shown to come in. By default nothing has.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    /// `--token`: one secret for all.
    pub token: Option<Secret<String>>,
    /// `--jwt-secret-file`: what tokens are signed with (HS256).
    pub jwt: Option<Secret<Vec<u8>>>,
    /// `--user`: names and passwords, for `POST /api/login`.
    pub users: Vec<(String, Secret<String>)>,
    /// `--basic`: users may come in with Basic authentication.
    pub basic: bool,
    /// `--auth-first-message`: who shows nothing may do so in its first message, within this time.
    pub first_message: Option<Duration>,
    /// `--ban`: users who may not come in, whatever they show.
    pub bans: Vec<String>,
    /// `--auth-reject`.
    pub reject: Reject,
}

/// How a client is told that it may not come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Reject {
    /// By a close code after 101, which a page in a browser can read.
    #[default]
    Close,
    /// By the status of the handshake.
    Http,
}

impl Plan {
    /// Whether anything has to be shown.
    pub fn is_on(&self) -> bool {
        self.token.is_some() || self.jwt.is_some() || !self.users.is_empty()
    }

    /// The target of a request without what has to be shown, and what it shows, wherever they stand.
    pub(super) fn shown_target(&self, request: &RequestHead) -> String {
        let mut target = request.target.clone();
        if !self.is_on() {
            return target;
        }
        let shown = credential::of(request).into_iter().map(Credential::secret);
        // What is shorter is no secret, and stands in every other word.
        let shown = shown.filter(|secret| secret.reveal().len() >= 4);
        let passwords = self.users.iter().map(|(_, password)| password.clone());
        let secrets = self.token.iter().cloned().chain(passwords).chain(shown);
        let named = secrets.map(|secret| Named::declared(String::new(), secret));
        // A head is not so long that it could not be looked for.
        if let Ok(known) = Known::new(named) {
            known.redact_text(&mut target);
        }
        target
    }
}

/// Somebody who may come in; without a name where what was shown is shared by many.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Identity {
    pub user: Option<Arc<str>>,
}

impl Identity {
    pub(super) fn event(&self) -> What {
        What::Auth {
            user: self.user.as_deref().map(str::to_owned),
            result: "ok",
        }
    }
}

/// Why somebody may not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rejection {
    /// Nothing was shown.
    Missing,
    /// What was shown is not right.
    Wrong,
    /// It was right once.
    Expired,
    Banned(Arc<str>),
}

impl Rejection {
    /// The `result` of the `auth` event.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Missing | Self::Wrong => "unauthorized",
            Self::Expired => "expired",
            Self::Banned(_) => "banned",
        }
    }

    pub(super) fn event(&self) -> What {
        What::Auth {
            user: match self {
                Self::Banned(user) => Some(user.to_string()),
                Self::Missing | Self::Wrong | Self::Expired => None,
            },
            result: self.name(),
        }
    }

    pub fn close(&self) -> CloseFrame {
        let code = match self {
            Self::Missing | Self::Wrong => 4001,
            Self::Expired => 4002,
            Self::Banned(_) => 4003,
        };
        CloseFrame {
            code: CloseCode(code),
            reason: self.name().to_owned(),
        }
    }

    pub const fn status(&self) -> u16 {
        match self {
            Self::Banned(_) => 403,
            Self::Missing | Self::Wrong | Self::Expired => 401,
        }
    }
}

/// What a session's token or a ticket is, and for how long.
#[derive(Debug)]
pub struct Grant {
    pub word: Secret<String>,
    pub lasts: Duration,
}

/// Checks what clients show, and remembers what they were given.
#[derive(Debug)]
pub struct Keys {
    plan: Plan,
    issued: Issued,
}

impl Keys {
    pub fn new(plan: Plan) -> Self {
        Self {
            plan,
            issued: Issued::default(),
        }
    }

    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Judges the request of a handshake, or of an API call.
    ///
    /// # Errors
    /// The [`Rejection`]. [`Rejection::Missing`] is one even where a first message may mend it.
    pub fn judge(&mut self, request: &RequestHead, now: SystemTime) -> Result<Identity, Rejection> {
        if !self.plan.is_on() {
            return Ok(Identity::default());
        }
        let mut rejection = Rejection::Missing;
        for credential in credential::of(request) {
            match self.check(&credential, now) {
                Ok(identity) => return self.unless_banned(identity),
                Err(why) => rejection = why,
            }
        }
        Err(rejection)
    }

    /// Judges a token that came in a first message.
    ///
    /// # Errors
    /// The [`Rejection`].
    pub fn judge_token(&mut self, token: &str, now: SystemTime) -> Result<Identity, Rejection> {
        let credential = Credential::Token(Secret::new(token.to_owned()));
        let identity = self.check(&credential, now)?;
        self.unless_banned(identity)
    }

    /// Judges a name and a password, whether or not `--basic` is given.
    ///
    /// # Errors
    /// The [`Rejection`].
    pub fn judge_password(&self, name: &str, password: &str) -> Result<Identity, Rejection> {
        let identity = self.check_password(name, password)?;
        self.unless_banned(identity)
    }

    /// A session's token for somebody who logged in. `word` is a [`random_word`].
    pub fn grant_session(&mut self, who: Identity, word: String, now: SystemTime) -> Grant {
        self.issued.grant(SESSION, who, word, now)
    }

    /// A ticket, good for one handshake.
    pub fn grant_ticket(&mut self, who: Identity, word: String, now: SystemTime) -> Grant {
        self.issued.grant(TICKET, who, word, now)
    }

    fn check(&mut self, credential: &Credential, now: SystemTime) -> Result<Identity, Rejection> {
        match credential {
            Credential::Ticket(word) => self.issued.spend(TICKET, word.reveal(), now),
            Credential::Basic { name, password } if self.plan.basic => {
                self.check_password(name, password.reveal())
            }
            Credential::Basic { .. } => Err(Rejection::Wrong),
            Credential::Token(token) => self.check_token(token.reveal(), now),
        }
    }

    fn check_token(&self, token: &str, now: SystemTime) -> Result<Identity, Rejection> {
        if let Some(ours) = &self.plan.token
            && is_same(ours.reveal(), token)
        {
            return Ok(Identity::default());
        }
        if let Some(secret) = &self.plan.jwt
            && jwt::looks_like_one(token)
        {
            return jwt::check(token, secret.reveal(), now);
        }
        self.issued.look_up(SESSION, token, now)
    }

    fn check_password(&self, name: &str, password: &str) -> Result<Identity, Rejection> {
        let mut found = false;
        // All are looked at, so that the time does not tell which names there are.
        for (known, secret) in &self.plan.users {
            found |= is_same(known, name) & is_same(secret.reveal(), password);
        }
        if found {
            Ok(Identity {
                user: Some(name.into()),
            })
        } else {
            Err(Rejection::Wrong)
        }
    }

    fn unless_banned(&self, identity: Identity) -> Result<Identity, Rejection> {
        match &identity.user {
            Some(user) if self.plan.bans.iter().any(|banned| **banned == **user) => {
                Err(Rejection::Banned(Arc::clone(user)))
            }
            _ => Ok(identity),
        }
    }
}

/// Whether two texts are the same, in a time that does not tell how much of them is.
fn is_same(ours: &str, theirs: &str) -> bool {
    Sha256::digest(ours).ct_eq(&Sha256::digest(theirs)).into()
}
