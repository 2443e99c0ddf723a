//! `--start-at`: when the load begins, so that processes on several machines begin together. Pure.

use std::str::FromStr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::model::ndjson::rfc3339;
use crate::model::units::{parse_duration, show_duration};

/// A time that was typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StartAt {
    /// `+30s`
    In(Duration),
    /// RFC 3339, or seconds since 1970.
    At(SystemTime),
}

/// A time that is over for longer than this is a mistake, or a clock that is wrong.
const MOST_LATE: Duration = Duration::from_secs(5);

/// A wait that is longer than this is one too.
const LONGEST: Duration = Duration::from_secs(24 * 3600);

impl FromStr for StartAt {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(wait) = text.strip_prefix('+') {
            return parse_duration(wait).map(Self::In);
        }
        let seconds = || {
            let since = Duration::try_from_secs_f64(text.parse().ok()?).ok()?;
            UNIX_EPOCH.checked_add(since)
        };
        let stamp = || text.parse::<jiff::Timestamp>().ok().map(SystemTime::from);
        seconds().or_else(stamp).map(Self::At).ok_or_else(|| {
            format!(
                "\"{text}\" is not a time (try 2026-11-28T14:30:00Z, +30s, or seconds since 1970)"
            )
        })
    }
}

impl StartAt {
    /// The time that is meant.
    ///
    /// # Errors
    /// It is over, or far away.
    pub fn resolve(self, now: SystemTime) -> Result<SystemTime, String> {
        let (wait, at) = match self {
            Self::In(wait) => (wait, now.checked_add(wait)),
            Self::At(at) => (at.duration_since(now).unwrap_or_default(), Some(at)),
        };
        let at = at.filter(|_| wait <= LONGEST).ok_or_else(|| {
            format!(
                "it would be waited for {}, which is more than a day",
                show_duration(wait)
            )
        })?;
        match now.duration_since(at) {
            Ok(late) if late > MOST_LATE => Err(format!(
                "{} was {} ago (it is {} here)",
                rfc3339(at),
                show_duration(late),
                rfc3339(now)
            )),
            _ => Ok(at),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_typed_in_three_ways() {
        let at = UNIX_EPOCH + Duration::from_secs(1_795_876_200);
        for text in [
            "2026-11-28T14:30:00Z",
            "2026-11-28T15:30:00+01:00",
            "1795876200",
            "1795876200.0",
        ] {
            assert_eq!(text.parse(), Ok(StartAt::At(at)), "{text}");
        }
        assert_eq!("+30s".parse(), Ok(StartAt::In(Duration::from_secs(30))));
        for text in ["", "noon", "-5", "NaN", "1e300", "2026-11-28", "+soon"] {
            assert!(text.parse::<StartAt>().is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_over_or_far_away_is_a_mistake() {
        let now = UNIX_EPOCH + Duration::from_secs(1_000_000);
        let resolve = |at: SystemTime| StartAt::At(at).resolve(now);
        let seconds = Duration::from_secs;
        assert_eq!(resolve(now - seconds(4)), Ok(now - seconds(4)));
        let late = resolve(now - seconds(60)).unwrap_err();
        assert!(
            late.contains("was 60.0 s ago") || late.contains("ago"),
            "{late}"
        );
        assert!(
            resolve(now + seconds(90_000))
                .unwrap_err()
                .contains("more than a day")
        );
        assert_eq!(StartAt::In(seconds(30)).resolve(now), Ok(now + seconds(30)));
        assert!(StartAt::In(Duration::MAX).resolve(now).is_err());
    }
}
