//! What the server gave out itself: sessions after a login, and tickets. Kept by the hash of the
//! word, so that looking one up tells nothing about those that there are.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use sha2::{Digest as _, Sha256};

use super::{Grant, Identity, Rejection};
use crate::model::secret::Secret;

/// What is kept at most; the oldest is forgotten first.
const MOST: usize = 10_000;

/// One of the kinds of words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Kind {
    name: &'static str,
    lasts: Duration,
}

pub(super) const SESSION: Kind = Kind {
    name: "session",
    lasts: Duration::from_secs(3600),
};

/// For a page that cannot set a header and does not want its token in a URL, where logs keep it.
pub(super) const TICKET: Kind = Kind {
    name: "ticket",
    lasts: Duration::from_secs(30),
};

type Hash = [u8; 32];

#[derive(Debug, Default)]
pub(super) struct Issued {
    words: HashMap<Hash, Word>,
    /// In the order in which they were given out.
    order: VecDeque<Hash>,
}

#[derive(Debug)]
struct Word {
    kind: Kind,
    who: Identity,
    ends: SystemTime,
}

/// A word that nobody can guess.
pub(in crate::serve) fn random_word() -> String {
    BASE64.encode(rand::random::<[u8; 32]>())
}

impl Issued {
    pub(super) fn grant(
        &mut self,
        kind: Kind,
        who: Identity,
        word: String,
        now: SystemTime,
    ) -> Grant {
        let hash = hash(&word);
        let ends = now + kind.lasts;
        self.words.insert(hash, Word { kind, who, ends });
        self.order.push_back(hash);
        if self.order.len() > MOST
            && let Some(oldest) = self.order.pop_front()
        {
            self.words.remove(&oldest);
        }
        Grant {
            word: Secret::new(word),
            lasts: kind.lasts,
        }
    }

    pub(super) fn look_up(
        &self,
        kind: Kind,
        word: &str,
        now: SystemTime,
    ) -> Result<Identity, Rejection> {
        let word = self.words.get(&hash(word));
        match word.filter(|word| word.kind == kind) {
            None => Err(Rejection::Wrong),
            Some(word) if now >= word.ends => Err(Rejection::Expired),
            Some(word) => Ok(word.who.clone()),
        }
    }

    /// The same, for a word that is good once.
    pub(super) fn spend(
        &mut self,
        kind: Kind,
        word: &str,
        now: SystemTime,
    ) -> Result<Identity, Rejection> {
        let found = self.look_up(kind, word, now)?;
        self.words.remove(&hash(word));
        Ok(found)
    }
}

fn hash(word: &str) -> Hash {
    Sha256::digest(word).into()
}
