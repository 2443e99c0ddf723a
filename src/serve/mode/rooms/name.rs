//! Names of rooms and topics, and patterns of topics. Pure.

use std::sync::Arc;

/// The longest name.
pub(super) const MAX_NAME: usize = 64;

/// Checks the name of a room or a topic: `[A-Za-z0-9:_.-]{1,64}`.
pub(super) fn check(name: &str) -> Result<Arc<str>, String> {
    if name.is_empty() {
        return Err("a name may not be empty".to_owned());
    }
    if name.len() > MAX_NAME {
        let len = name.len();
        return Err(format!(
            "a name has at most {MAX_NAME} characters, not {len}"
        ));
    }
    match name.chars().find(|&c| !is_of_name(c)) {
        None => Ok(name.into()),
        Some(wrong) => Err(format!(
            "{wrong:?} may not be in a name: it takes letters, digits and : _ . -"
        )),
    }
}

/// Checks a topic to subscribe to, in which `*` may stand for a part between dots.
pub(super) fn check_pattern(pattern: &str) -> Result<Arc<str>, String> {
    let mut parts = pattern.split('.').filter(|part| part.contains('*'));
    if parts.any(|part| part != "*") {
        return Err("* stands for a whole part between dots, as in sensors.*".to_owned());
    }
    check(&pattern.replace('*', "-"))?;
    Ok(pattern.into())
}

/// Whether a topic is one of those that a pattern means.
pub(super) fn matches(pattern: &str, topic: &str) -> bool {
    let mut parts = topic.split('.');
    let fits = |wanted: &str| {
        parts
            .next()
            .is_some_and(|part| wanted == "*" || wanted == part)
    };
    pattern.split('.').all(fits) && parts.next().is_none()
}

const fn is_of_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, ':' | '_' | '.' | '-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_plain() {
        for name in ["a", "lobby-2", "game:7_x.y", &"n".repeat(64)] {
            assert!(check(name).is_ok(), "{name}");
        }
        for (name, said) in [
            ("", "empty"),
            ("../etc", "'/'"),
            ("a b", "' '"),
            ("é", "'é'"),
            ("\u{202e}", "\\u{202e}"),
            ("*", "'*'"),
            (&"n".repeat(65), "64"),
        ] {
            let problem = check(name).unwrap_err();
            assert!(problem.contains(said), "{name}: {problem}");
        }
    }

    #[test]
    fn a_star_stands_for_one_part() {
        for (pattern, topic, is_match) in [
            ("sensors.*", "sensors.temp", true),
            ("sensors.*", "sensors.temp.1", false),
            ("sensors.*", "sensors", false),
            ("*.temp", "kitchen.temp", true),
            ("sensors", "sensors", true),
            ("*", "a", true),
        ] {
            assert_eq!(matches(pattern, topic), is_match, "{pattern} {topic}");
        }
        assert!(check_pattern("a.*.b").is_ok());
        assert!(check_pattern("a.b*").is_err() && check_pattern("a/*").is_err());
    }
}
