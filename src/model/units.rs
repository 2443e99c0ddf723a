//! Durations, sizes and numbers as people type and read them.

use std::fmt;
use std::time::Duration;

/// Parses a duration: `300ms`, `5s`, `5m`, `1h30m`, `250us`; a bare number is seconds.
///
/// # Errors
/// A sentence that names what was typed and what is allowed.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let wrong =
        || format!("\"{text}\" is not a duration (try 500ms, 5s, 2m or a number of seconds)");
    let mut rest = text.trim();
    if rest.is_empty() {
        return Err(wrong());
    }
    let mut total = Duration::ZERO;
    while !rest.is_empty() {
        let digits = rest
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(rest.len());
        let number: f64 = rest[..digits].parse().map_err(|_| wrong())?;
        let unit_end = rest[digits..]
            .find(|c: char| c.is_ascii_digit())
            .map_or(rest.len(), |at| digits + at);
        let seconds = match &rest[digits..unit_end] {
            "us" | "µs" => number / 1e6,
            "ms" => number / 1e3,
            "" | "s" => number,
            "m" | "min" => number * 60.0,
            "h" => number * 3600.0,
            "d" => number * 86_400.0,
            _ => return Err(wrong()),
        };
        let part = Duration::try_from_secs_f64(seconds).map_err(|_| wrong())?;
        total = total.checked_add(part).ok_or_else(wrong)?;
        rest = &rest[unit_end..];
    }
    Ok(total)
}

/// Shows a duration with three digits at most: `84ms`, `1.62s`, `12m41s`, `230us`.
pub fn show_duration(duration: Duration) -> String {
    let micros = duration.as_micros();
    match micros {
        0..1_000 => format!("{micros}us"),
        1_000..10_000 => format!("{:.1}ms", duration.as_secs_f64() * 1e3),
        10_000..1_000_000 => format!("{}ms", duration.as_millis()),
        1_000_000..10_000_000 => format!("{:.2}s", duration.as_secs_f64()),
        10_000_000..60_000_000 => format!("{:.1}s", duration.as_secs_f64()),
        _ => {
            let seconds = duration.as_secs();
            if seconds < 3600 {
                format!("{}m{:02}s", seconds / 60, seconds % 60)
            } else {
                format!("{}h{:02}m", seconds / 3600, seconds % 3600 / 60)
            }
        }
    }
}

/// A duration as [`parse_duration`] reads it back: `200ms`, `1.5s`, `2s`, to the microsecond.
pub fn exact_duration(duration: Duration) -> String {
    let micros = duration.as_micros();
    if micros.is_multiple_of(1000) && micros < 1_000_000 {
        return format!("{}ms", micros / 1000);
    }
    let fraction = format!("{:06}", micros % 1_000_000);
    match fraction.trim_end_matches('0') {
        "" => format!("{}s", micros / 1_000_000),
        fraction => format!("{}.{fraction}s", micros / 1_000_000),
    }
}

/// Milliseconds with microsecond precision, as NDJSON carries them.
pub fn millis(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e6).round() / 1e3
}

/// Parses a size in bytes: `64MiB`, `1k`, `10kB`, `512`. `k`, `M`, `G` are powers of 1,000,
/// `Ki`, `Mi`, `Gi` of 1,024; a final `B` may follow.
///
/// # Errors
/// A sentence that names what was typed and what is allowed.
pub fn parse_size(text: &str) -> Result<u64, String> {
    let wrong = || format!("\"{text}\" is not a size (try 512, 64k, 1MiB)");
    let trimmed = text.trim();
    let digits = trimmed
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(trimmed.len());
    let number: f64 = trimmed[..digits].parse().map_err(|_| wrong())?;
    let unit = trimmed[digits..].trim().to_ascii_lowercase();
    let factor: u64 = match unit.strip_suffix('b').unwrap_or(&unit) {
        "" => 1,
        "k" => 1_000,
        "m" => 1_000_000,
        "g" => 1_000_000_000,
        "ki" => 1 << 10,
        "mi" => 1 << 20,
        "gi" => 1 << 30,
        _ => return Err(wrong()),
    };
    let bytes = number * factor as f64;
    if bytes.is_finite() && bytes < u64::MAX as f64 {
        Ok(bytes as u64)
    } else {
        Err(wrong())
    }
}

/// How often something happens.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rate(f64);

impl Rate {
    /// More is not told from it.
    const MOST: f64 = 1e9;

    /// `count` is to be more than 0.
    pub const fn per_second(count: f64) -> Self {
        Self(count)
    }

    /// How often it has happened in a time.
    pub fn count_in(self, time: Duration) -> u64 {
        // A float has more digits than a clock; without the margin 0.1 s times 10/s would be 0.
        (time.as_secs_f64() * self.0 + 1e-9) as u64
    }

    /// When it has happened `count` times.
    pub fn time_of(self, count: u64) -> Duration {
        // Further away nobody waits for it, and a clock can be added to it.
        const FAR: Duration = Duration::from_secs(365 * 86_400);
        let seconds = count as f64 / self.0;
        Duration::try_from_secs_f64(seconds).map_or(FAR, |time| time.min(FAR))
    }
}

/// Parses a rate: `100/s`, `5k/s`, `30/m`; a bare number is per second.
///
/// # Errors
/// A sentence that names what was typed and what is allowed.
pub fn parse_rate(text: &str) -> Result<Rate, String> {
    let wrong = || format!("\"{text}\" is not a rate (try 100/s, 5k/s, 30/m)");
    let (count, per) = text.split_once('/').unwrap_or((text, "s"));
    let (count, factor) = match count.strip_suffix('k') {
        Some(count) => (count, 1e3),
        None => (count, 1.0),
    };
    let seconds = match per {
        "s" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3600.0,
        _ => return Err(wrong()),
    };
    let count: f64 = count.trim().parse().map_err(|_| wrong())?;
    let rate = count * factor / seconds;
    if rate > 0.0 && rate <= Rate::MOST {
        Ok(Rate(rate))
    } else {
        Err(wrong())
    }
}

/// Parses a whole number that may end in `k` or `m`: `50`, `10k`, `1.5m`.
///
/// # Errors
/// A sentence that names what was typed and what is allowed.
pub fn parse_count(text: &str) -> Result<usize, String> {
    let wrong = || format!("\"{text}\" is not a number (try 50, 10k or 1m)");
    let (digits, factor) = match text.trim().to_ascii_lowercase() {
        text if text.ends_with('k') => (text[..text.len() - 1].to_owned(), 1e3),
        text if text.ends_with('m') => (text[..text.len() - 1].to_owned(), 1e6),
        text => (text, 1.0),
    };
    if digits.is_empty()
        || !digits
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.')
    {
        return Err(wrong());
    }
    let number = digits.parse::<f64>().map_err(|_| wrong())? * factor;
    if number.fract() == 0.0 && number < 1e15 {
        Ok(number as usize)
    } else {
        Err(wrong())
    }
}

/// Shows a size with powers of 1,000: `61 B`, `4.1 kB`, `64 MB`.
pub fn show_size(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["kB", "MB", "GB", "TB", "PB"];
    if bytes < 1_000 {
        return format!("{bytes} B");
    }
    let mut value = bytes as f64 / 1e3;
    let mut unit = 0;
    while value >= 999.5 && unit + 1 < UNITS.len() {
        value /= 1e3;
        unit += 1;
    }
    if value < 9.95 {
        format!("{value:.1} {}", UNITS[unit])
    } else {
        format!("{value:.0} {}", UNITS[unit])
    }
}

/// A whole number with thousands separators: `19,400`.
pub struct Thousands(pub u64);

impl fmt::Display for Thousands {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.0.to_string();
        let mut shown = String::with_capacity(digits.len() + digits.len() / 3);
        for (at, digit) in digits.chars().enumerate() {
            if at > 0 && (digits.len() - at).is_multiple_of(3) {
                shown.push(',');
            }
            shown.push(digit);
        }
        f.pad(&shown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_seconds_unless_they_say_otherwise() {
        for (text, micros) in [
            ("5", 5_000_000),
            ("0.3", 300_000),
            ("300ms", 300_000),
            ("5m", 300_000_000),
            ("1h30m", 5_400_000_000),
            ("250us", 250),
            ("1m0.5s", 60_500_000),
        ] {
            assert_eq!(
                parse_duration(text),
                Ok(Duration::from_micros(micros)),
                "{text}"
            );
        }
        for text in [
            "",
            "-1",
            "5x",
            "ms",
            "1e400",
            "..",
            "nan",
            "99999999999999999999h",
        ] {
            assert!(parse_duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn an_exact_duration_is_read_back() {
        for (micros, text) in [
            (200_000, "200ms"),
            (1_500_000, "1.5s"),
            (61_000_000, "61s"),
            (7, "0.000007s"),
        ] {
            let duration = Duration::from_micros(micros);
            assert_eq!(exact_duration(duration), text);
            assert_eq!(parse_duration(text), Ok(duration));
        }
    }

    #[test]
    fn sizes_know_both_kinds_of_kilo() {
        for (text, bytes) in [
            ("512", 512),
            ("1k", 1_000),
            ("1kB", 1_000),
            ("64MiB", 64 << 20),
            ("1Ki", 1_024),
            ("1.5k", 1_500),
        ] {
            assert_eq!(parse_size(text), Ok(bytes), "{text}");
        }
        for text in ["", "k", "-1", "1x", "1e9"] {
            assert!(parse_size(text).is_err(), "{text}");
        }
    }

    #[test]
    fn rates_are_per_second_unless_they_say_otherwise() {
        let second = Duration::from_secs(1);
        for (text, in_a_minute) in [
            ("100/s", 6000),
            ("100", 6000),
            ("1.5k/s", 90_000),
            ("30/m", 30),
        ] {
            let rate = parse_rate(text).unwrap();
            assert_eq!(rate.count_in(60 * second), in_a_minute, "{text}");
        }
        assert_eq!(Rate::per_second(10.0).count_in(second / 10), 1);
        assert_eq!(Rate::per_second(10.0).time_of(5), second / 2);
        assert!(parse_rate("1e-300").unwrap().time_of(1) > 86_400 * second);
        for text in ["", "0", "-1/s", "x/s", "1/day", "/s", "nan", "inf"] {
            assert!(parse_rate(text).is_err(), "{text}");
        }
    }

    #[test]
    fn numbers_take_k_and_m() {
        assert_eq!(parse_count("10k"), Ok(10_000));
        assert_eq!(parse_count("1.5m"), Ok(1_500_000));
        for text in ["", "k", "-1", "1.5", "ten", "1e9", "inf"] {
            assert!(parse_count(text).is_err(), "{text}");
        }
    }

    #[test]
    fn figures_are_short() {
        assert_eq!(show_duration(Duration::from_micros(1_620_000)), "1.62s");
        assert_eq!(show_duration(Duration::from_secs(761)), "12m41s");
        assert_eq!(show_size(999), "999 B");
        assert_eq!(show_size(4_120), "4.1 kB");
        assert_eq!(show_size(999_900), "1.0 MB");
        assert_eq!(Thousands(1_234_567).to_string(), "1,234,567");
        assert_eq!(Thousands(123).to_string(), "123");
    }
}
