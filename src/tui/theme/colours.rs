//! `[theme]` of the config file: colours by what they mean, over those of any theme that has some.

use std::str::FromStr as _;

use ratatui::style::{Color, Modifier, Style};

use super::Theme;
use crate::text::nearest::nearest;

/// What has a style of its own: the name in `[theme]`, and where the theme keeps it.
type Role = (&'static str, fn(&mut Theme) -> &mut Style);

/// All of them.
const ROLES: &[Role] = &[
    ("text", |theme| &mut theme.text),
    ("dim", |theme| &mut theme.dim),
    ("title", |theme| &mut theme.title),
    ("border", |theme| &mut theme.border),
    ("focus", |theme| &mut theme.focus),
    ("selected", |theme| &mut theme.selected),
    ("hit", |theme| &mut theme.hit),
    ("mark", |theme| &mut theme.mark),
    ("key", |theme| &mut theme.key),
    ("incoming", |theme| &mut theme.incoming),
    ("outgoing", |theme| &mut theme.outgoing),
    ("control", |theme| &mut theme.control),
    ("error", |theme| &mut theme.error),
    ("hint", |theme| &mut theme.hint),
    ("good", |theme| &mut theme.good),
    ("json-key", |theme| &mut theme.json_key),
    ("json-string", |theme| &mut theme.json_string),
    ("json-number", |theme| &mut theme.json_number),
    ("json-literal", |theme| &mut theme.json_literal),
    ("chart", |theme| &mut theme.chart),
    ("connecting", |theme| &mut theme.states[0]),
    ("open", |theme| &mut theme.states[1]),
    ("closing", |theme| &mut theme.states[2]),
    ("closed", |theme| &mut theme.states[3]),
];

const MODIFIERS: &[(&str, Modifier)] = &[
    ("bold", Modifier::BOLD),
    ("dim", Modifier::DIM),
    ("italic", Modifier::ITALIC),
    ("underlined", Modifier::UNDERLINED),
    ("reversed", Modifier::REVERSED),
];

/// Styles that a person chose.
#[derive(Debug, Clone, Default)]
pub struct Colours(Vec<(&'static Role, Style)>);

impl Colours {
    /// The names that `[theme]` may use.
    pub fn roles() -> impl Iterator<Item = &'static str> {
        ROLES.iter().map(|(name, _)| *name)
    }

    /// Gives a role another style, as in `bold light-blue on black`.
    ///
    /// # Errors
    /// A sentence: there is no such role, or that is no style.
    pub fn set(&mut self, role: &str, style: &str) -> Result<(), String> {
        let role = ROLES
            .iter()
            .find(|(name, _)| *name == role)
            .ok_or_else(|| format!("there is no \"{role}\" to colour"))?;
        self.0.push((role, read(style)?));
        Ok(())
    }

    pub(super) fn apply(&self, theme: &mut Theme) {
        for ((_, place), style) in &self.0 {
            *place(theme) = *style;
        }
    }
}

/// Words in any order: modifiers, the colour of the letters, and after `on` that behind them.
fn read(text: &str) -> Result<Style, String> {
    let mut style = Style::new();
    let mut words = text.split_whitespace();
    let mut is_empty = true;
    while let Some(word) = words.next() {
        is_empty = false;
        if word == "on" {
            let colour = words.next().ok_or("after \"on\" a colour is missing")?;
            style.bg = Some(self::colour(colour)?);
        } else if let Some((_, modifier)) = MODIFIERS.iter().find(|(name, _)| *name == word) {
            style = style.add_modifier(*modifier);
        } else {
            style.fg = Some(colour(word)?);
        }
    }
    if is_empty {
        return Err("a style is needed here, such as \"bold light-blue on black\"".into());
    }
    Ok(style)
}

/// The sixteen colours by their names, the 256 by their numbers, and all others as `#rrggbb`.
const NAMES: [&str; 17] = [
    "black",
    "red",
    "green",
    "yellow",
    "blue",
    "magenta",
    "cyan",
    "gray",
    "dark-gray",
    "light-red",
    "light-green",
    "light-yellow",
    "light-blue",
    "light-magenta",
    "light-cyan",
    "white",
    "reset",
];

fn colour(word: &str) -> Result<Color, String> {
    Color::from_str(word).map_err(|_| {
        let modifiers = MODIFIERS.iter().map(|(name, _)| *name);
        let meant = nearest(word, NAMES.into_iter().chain(modifiers));
        let hint = meant.map_or_else(
            || "try light-blue, 208 or #ff8800".to_owned(),
            |meant| format!("did you mean {meant}?"),
        );
        format!("\"{word}\" is no colour ({hint})")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn styles_are_read() {
        for (text, style) in [
            ("red", Style::new().fg(Color::Red)),
            ("light-blue", Style::new().fg(Color::LightBlue)),
            ("208", Style::new().fg(Color::Indexed(208))),
            (
                "bold #ff8800 on black",
                Style::new()
                    .fg(Color::Rgb(255, 136, 0))
                    .bg(Color::Black)
                    .add_modifier(Modifier::BOLD),
            ),
            ("reversed", Style::new().add_modifier(Modifier::REVERSED)),
        ] {
            assert_eq!(read(text), Ok(style), "{text}");
        }
        for (text, said) in [
            ("rde", "\"rde\" is no colour (did you mean red?)"),
            ("blod", "\"blod\" is no colour (did you mean bold?)"),
            ("qqqqqqqq", "\"qqqqqqqq\" is no colour (try light-blue"),
            ("red on", "after \"on\" a colour is missing"),
            ("", "a style is needed here"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.starts_with(said), "{error}");
        }
    }

    #[test]
    fn every_role_is_a_place_of_its_own_and_every_named_colour_is_one() {
        let theme = Theme::DARK;
        for (at, role) in Colours::roles().enumerate() {
            let mut colours = Colours::default();
            colours.set(role, "#010203").unwrap();
            let mut other = theme.clone();
            colours.apply(&mut other);
            assert_ne!(other, theme, "{role}");
            for (_, place) in &ROLES[at + 1..] {
                assert_eq!(place(&mut other), place(&mut theme.clone()), "{role}");
            }
        }
        assert!(NAMES.iter().all(|name| colour(name).is_ok()));
        assert!(Colours::default().set("colour", "red").is_err());
    }
}
