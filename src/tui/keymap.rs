//! Which key does what on a screen: made from the screen's table, which the help and the footer are made
//! of too, and changed by `[keys]` of the config file.

use std::marker::PhantomData;

use ratatui::crossterm::event::KeyEvent;

use super::chord::{self, Chord};

/// What keys of a screen can be bound to.
pub trait Verb: Copy + PartialEq + 'static {
    /// Every key, in the order of the help and of the footer.
    const TABLE: &'static [Entry<Self>];

    /// Whether the screen is of no use where no key does it.
    fn is_needed(self) -> bool;
}

/// Where a key means something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    Anywhere,
    /// Where one types.
    Composer,
    /// Everywhere else.
    Panes,
}

/// An entry of the table.
#[derive(Debug)]
pub struct Entry<V> {
    pub verb: V,
    /// What `[keys]` calls it.
    pub name: &'static str,
    pub place: Place,
    /// Alternatives; a space stands between keys that are pressed one after the other.
    keys: &'static [&'static str],
    pub about: &'static str,
    /// The word in the footer; empty for none.
    pub footer: &'static str,
}

pub(super) const fn entry<V: Copy>(
    verb: V,
    name: &'static str,
    place: Place,
    keys: &'static [&'static str],
    about: &'static str,
    footer: &'static str,
) -> Entry<V> {
    Entry {
        verb,
        name,
        place,
        keys,
        about,
        footer,
    }
}

/// Which key does what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keymap<V> {
    /// For each entry of [`Verb::TABLE`] the sequences that lead to it.
    sequences: Vec<Vec<Vec<Chord>>>,
    of: PhantomData<V>,
}

/// What a key leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found<V> {
    Verb(V),
    /// More keys are needed.
    Begun,
    Nothing,
}

impl<V: Verb> Default for Keymap<V> {
    fn default() -> Self {
        let sequences = V::TABLE
            .iter()
            .map(|entry| {
                entry
                    .keys
                    .iter()
                    .filter_map(|keys| parse(keys).ok())
                    .collect()
            })
            .collect();
        Self {
            sequences,
            of: PhantomData,
        }
    }
}

impl<V: Verb> Keymap<V> {
    /// The names that `[keys]` may use.
    pub fn names() -> impl Iterator<Item = &'static str> {
        V::TABLE.iter().map(|entry| entry.name)
    }

    /// Gives an entry other keys. Two may have the same then: see [`Self::conflict`].
    ///
    /// # Errors
    /// There is no such name, or one of the keys is none, or types a letter where one types.
    pub fn bind(&mut self, name: &str, keys: &[String]) -> Result<(), String> {
        let at = V::TABLE
            .iter()
            .position(|entry| entry.name == name)
            .ok_or_else(|| format!("there is no key \"{name}\""))?;
        let bound = keys
            .iter()
            .map(|keys| parse(keys))
            .collect::<Result<Vec<_>, _>>()?;
        if bound.is_empty() && V::TABLE[at].verb.is_needed() {
            return Err(format!("{name} needs a key"));
        }
        let typed = bound
            .iter()
            .zip(keys)
            .find(|(sequence, _)| V::TABLE[at].place == Place::Composer && !counts(sequence, true));
        if let Some((_, keys)) = typed {
            return Err(format!(
                "\"{keys}\" types a letter of the message: {name} needs another key \
                 (try ctrl+{keys}, alt+enter, f2)"
            ));
        }
        self.sequences[at] = bound;
        Ok(())
    }

    /// Two entries of which one can never be reached in some place, because a key of the other is
    /// the same or the beginning of its keys.
    pub fn conflict(&self) -> Option<Conflict> {
        let all = || V::TABLE.iter().zip(&self.sequences);
        all().enumerate().find_map(|(at, (one, theirs))| {
            let mut others = all().skip(at + 1);
            others.find_map(|(other, sequences)| {
                let pairs = theirs.iter().flat_map(|mine| {
                    let same = |its: &&Vec<Chord>| mine.starts_with(its) || its.starts_with(mine);
                    sequences.iter().find(same).map(|its| (mine, its))
                });
                let mut pairs = pairs.filter(|_| meet(one.place, other.place));
                pairs.next().map(|(mine, its)| Conflict {
                    keys: shown_sequence(if mine.len() < its.len() { mine } else { its }),
                    names: [one.name, other.name],
                })
            })
        })
    }

    /// What a key does after `begun`, which led nowhere yet.
    pub fn find(&self, composing: bool, begun: &[Chord], key: KeyEvent) -> Found<V> {
        let here = if composing {
            Place::Composer
        } else {
            Place::Panes
        };
        let pressed: Vec<Chord> = begun.iter().copied().chain([Chord::of(key)]).collect();
        let mut found = Found::Nothing;
        for (entry, sequences) in V::TABLE.iter().zip(&self.sequences) {
            if !meet(entry.place, here) {
                continue;
            }
            for sequence in sequences
                .iter()
                .filter(|sequence| counts(sequence, composing))
            {
                if *sequence == pressed {
                    return Found::Verb(entry.verb);
                }
                if sequence.starts_with(&pressed) {
                    found = Found::Begun;
                }
            }
        }
        found
    }

    /// What a key means, where it is the last that is needed; that more are needed is remembered in
    /// `begun`. For screens on which nobody types.
    pub fn press(&self, begun: &mut Vec<Chord>, key: KeyEvent) -> Option<V> {
        match self.find(false, begun, key) {
            Found::Begun => {
                begun.push(Chord::of(key));
                None
            }
            Found::Verb(verb) => {
                begun.clear();
                Some(verb)
            }
            Found::Nothing => {
                begun.clear();
                None
            }
        }
    }

    /// The letter after Esc, where Alt with it means nothing; for screens on which nobody types.
    pub fn after_escape(&self, begun: &[Chord], key: KeyEvent) -> Option<KeyEvent> {
        let letter = chord::after_escape(key)?;
        (self.find(false, begun, key) == Found::Nothing).then_some(letter)
    }

    /// The keys of an entry as they are shown: `f G End`.
    pub fn keys(&self, verb: V) -> String {
        self.shown(verb, false).collect::<Vec<_>>().join(" ")
    }

    /// The first of them: `f`.
    pub fn key(&self, verb: V) -> Option<String> {
        self.shown(verb, false).next()
    }

    /// The first of them that means something while one types.
    pub fn key_while_composing(&self, verb: V) -> Option<String> {
        self.shown(verb, true).next()
    }

    fn shown(&self, verb: V, composing: bool) -> impl Iterator<Item = String> {
        let at = V::TABLE.iter().position(|entry| entry.verb == verb);
        let sequences = at.and_then(|at| self.sequences.get(at));
        sequences
            .into_iter()
            .flatten()
            .filter(move |sequence| counts(sequence, composing))
            .map(|sequence| shown_sequence(sequence))
    }
}

/// Keys that mean two things.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    pub keys: String,
    /// As `[keys]` calls them.
    pub names: [&'static str; 2],
}

fn shown_sequence(sequence: &[Chord]) -> String {
    let chords: Vec<String> = sequence.iter().map(Chord::to_string).collect();
    chords.join(" ")
}

/// Where one types, what types a letter is a letter.
fn counts(sequence: &[Chord], composing: bool) -> bool {
    let types = sequence.first().and_then(|chord| chord.typed());
    !composing || types.is_none()
}

fn parse(keys: &str) -> Result<Vec<Chord>, String> {
    let chords: Vec<Chord> = keys.split(' ').map(str::parse).collect::<Result<_, _>>()?;
    Ok(chords)
}

/// Whether a key can mean either.
fn meet(one: Place, other: Place) -> bool {
    one == other || one == Place::Anywhere || other == Place::Anywhere
}

/// Looks through the table of a screen.
#[cfg(test)]
pub(super) fn every_key_means_one_thing<V: Verb>() {
    let keymap = Keymap::<V>::default();
    assert_eq!(keymap.conflict(), None);
    for (at, entry) in V::TABLE.iter().enumerate() {
        let name = entry.name;
        assert_eq!(keymap.sequences[at].len(), entry.keys.len(), "{name}");
        assert!(!entry.about.is_empty(), "{name}");
        for rival in &V::TABLE[at + 1..] {
            let same = name == rival.name || entry.verb == rival.verb;
            assert!(!same, "{name} stands there twice");
        }
    }
}
