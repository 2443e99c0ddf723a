//! The arguments of a fault, read one after another by the file of its family.

use std::time::Duration;

use super::syntax::{Places, Spec, Wrong, micros};
use crate::model::units::{Rate, parse_duration, parse_rate, parse_size};

/// What follows the `=`.
pub(super) struct Args<'a> {
    spec: &'a Spec,
    places: &'a Places,
    next: usize,
}

impl<'a> Args<'a> {
    pub(super) const fn new(spec: &'a Spec, places: &'a Places) -> Self {
        Self {
            spec,
            places,
            next: 0,
        }
    }

    /// The next one as text; `None` where there is none.
    pub(super) fn text(&mut self) -> Option<&'a str> {
        let arg = self.spec.args.get(self.next)?;
        self.next += 1;
        Some(arg)
    }

    /// The next one, or what it is unless given.
    pub(super) fn or<T>(
        &mut self,
        unless: T,
        read: impl FnOnce(&str) -> Result<T, String>,
    ) -> Result<T, Wrong> {
        match self.text() {
            Some(text) => read(text).map_err(|why| self.wrong(why)),
            None => Ok(unless),
        }
    }

    /// The next one, which has to be there; `takes` says what it is.
    pub(super) fn need<T>(
        &mut self,
        takes: &str,
        read: impl FnOnce(&str) -> Result<T, String>,
    ) -> Result<T, Wrong> {
        match self.text() {
            Some(text) => read(text).map_err(|why| self.wrong(why)),
            None => {
                let action = &self.spec.action;
                let why = format!("{action} takes {takes}: {action}={takes}");
                Err(Wrong::new(self.places.end_of_args, why))
            }
        }
    }

    /// Nothing may be left.
    pub(super) fn finish(mut self) -> Result<(), Wrong> {
        match self.text() {
            None => Ok(()),
            Some(_) => {
                let number = match self.next - 1 {
                    0 => "no argument".to_owned(),
                    1 => "one argument".to_owned(),
                    more => format!("{more} arguments"),
                };
                Err(self.wrong(format!("{} takes {number}", self.spec.action)))
            }
        }
    }

    /// Something is wrong with the argument that was read last.
    pub(super) fn wrong(&self, why: String) -> Wrong {
        let place = self.next.checked_sub(1);
        let place = place.and_then(|at| self.places.args.get(at));
        Wrong::new(place.copied().unwrap_or(self.places.end_of_args), why)
    }
}

pub(super) fn duration(text: &str) -> Result<Duration, String> {
    parse_duration(text).map(micros)
}

/// A time that is more than nothing.
pub(super) fn time(text: &str) -> Result<Duration, String> {
    let time = duration(text)?;
    if time.is_zero() {
        return Err("the time must be more than 0".to_owned());
    }
    Ok(time)
}

pub(super) fn rate(text: &str) -> Result<Rate, String> {
    parse_rate(text)
}

/// A number of bytes from 1 to `most`.
pub(super) fn size(text: &str, most: u64) -> Result<usize, String> {
    let size = parse_size(text)?;
    if !(1..=most).contains(&size) {
        return Err(format!("the size is from 1 to {most} bytes"));
    }
    usize::try_from(size).map_err(|_| format!("\"{text}\" is more than this machine can address"))
}

/// A number in a range; `what` names it.
pub(super) fn number(text: &str, what: &str, from: u16, to: u16) -> Result<u16, String> {
    let number = text
        .parse()
        .ok()
        .filter(|number| (from..=to).contains(number));
    number.ok_or_else(|| format!("{what} is a number from {from} to {to}"))
}
