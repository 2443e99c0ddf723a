//! How things look: a style for each meaning, and the signs that are drawn.
//!
//! Colour never carries meaning alone: a style only repeats what a sign or a word already says, so
//! that a theme without colours loses nothing.

mod colours;

pub use colours::Colours;

use ratatui::style::{Color, Modifier, Style};
use ratatui::symbols::border;

use crate::model::state::ReadyState;
use crate::text::style::Ink;

/// A look: named styles and signs.
#[derive(Debug, Clone, PartialEq)]
pub struct Theme {
    pub text: Style,
    /// What the eye may skip: times, sizes, suggestions.
    pub dim: Style,
    /// Titles of panes.
    pub title: Style,
    pub border: Style,
    /// The border of the pane that has the keys.
    pub focus: Style,
    /// The row that is chosen.
    pub selected: Style,
    /// What a filter matches.
    pub hit: Style,
    /// A marked row.
    pub mark: Style,
    /// A key in the footer and the help.
    pub key: Style,
    pub incoming: Style,
    pub outgoing: Style,
    /// Pings, pongs, opens and ordinary closes.
    pub control: Style,
    pub error: Style,
    /// What to look at, or to try.
    pub hint: Style,
    /// As it should be: `json ok`.
    pub good: Style,
    pub json_key: Style,
    pub json_string: Style,
    pub json_number: Style,
    /// `true`, `false` and `null`.
    pub json_literal: Style,
    /// Lines and bars of charts.
    pub chart: Style,
    /// By readyState: CONNECTING, OPEN, CLOSING, CLOSED.
    pub states: [Style; 4],
    pub glyphs: Glyphs,
}

/// The signs that need more than ASCII, or stand in for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Glyphs {
    /// Whether everything drawn is ASCII.
    pub ascii: bool,
    pub border: border::Set<'static>,
    /// Eight heights of a bar, lowest first.
    pub bars: [&'static str; 8],
    /// A filled cell of a bar that lies.
    pub fill: &'static str,
    /// Where a text was cut.
    pub ellipsis: &'static str,
}

impl Glyphs {
    pub const UNICODE: Self = Self {
        ascii: false,
        border: border::ROUNDED,
        bars: ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"],
        fill: "█",
        ellipsis: "…",
    };

    pub const ASCII: Self = Self {
        ascii: true,
        border: border::Set {
            top_left: "+",
            top_right: "+",
            bottom_left: "+",
            bottom_right: "+",
            vertical_left: "|",
            vertical_right: "|",
            horizontal_top: "-",
            horizontal_bottom: "-",
        },
        bars: ["_", "_", ".", ".", "-", "-", "~", "~"],
        fill: "#",
        ellipsis: "~",
    };
}

/// The word for the theme that suits the terminal.
pub const AUTO: &str = "auto";
/// The name of the theme without colours.
pub const MONO: &str = "mono";

/// Every theme by its name; what is shown where nobody chose is [`auto`].
pub const THEMES: [(&str, Theme); 4] = [
    ("dark", Theme::DARK),
    ("light", Theme::LIGHT),
    ("colour-blind", Theme::COLOUR_BLIND),
    ("mono", Theme::MONO),
];

/// The name of the theme that suits a terminal: by `COLORFGBG`, which some set to tell the colours
/// of text and background, as in `0;15`. Dark where it is not told.
pub fn auto(colours: Option<&str>) -> &'static str {
    let background = colours.and_then(|colours| colours.rsplit(';').next()?.parse().ok());
    match background {
        Some(7 | 9..=15) => "light",
        _ => "dark",
    }
}

/// The colours that a theme is made of.
struct Palette {
    muted: Color,
    focus: Color,
    incoming: Color,
    outgoing: Color,
    good: Color,
    bad: Color,
    hint: Color,
    mark: Color,
    key: Color,
    string: Color,
    number: Color,
    /// Text on a background of `hint`, `good` and `bad`.
    on_hint: Color,
    on_good: Color,
    on_bad: Color,
}

impl Theme {
    /// For a dark background, of the sixteen colours that every terminal has.
    pub const DARK: Self = Self::of(&Palette {
        muted: Color::DarkGray,
        focus: Color::Cyan,
        incoming: Color::Cyan,
        outgoing: Color::LightBlue,
        good: Color::Green,
        bad: Color::LightRed,
        hint: Color::Yellow,
        mark: Color::Magenta,
        key: Color::LightBlue,
        string: Color::Green,
        number: Color::Cyan,
        on_hint: Color::Black,
        on_good: Color::Black,
        on_bad: Color::Black,
    });

    /// For a light background: yellow and the light colours cannot be read there.
    pub const LIGHT: Self = Self::of(&Palette {
        muted: Color::DarkGray,
        focus: Color::Blue,
        incoming: Color::Indexed(30),
        outgoing: Color::Blue,
        good: Color::Indexed(28),
        bad: Color::Indexed(160),
        hint: Color::Indexed(130),
        mark: Color::Magenta,
        key: Color::Blue,
        string: Color::Indexed(28),
        number: Color::Indexed(30),
        on_hint: Color::White,
        on_good: Color::White,
        on_bad: Color::White,
    });

    /// The colours of Okabe and Ito, which are told apart with every kind of colour vision.
    pub const COLOUR_BLIND: Self = Self::of(&Palette {
        muted: Color::Indexed(245),
        focus: Color::Indexed(74),
        incoming: Color::Indexed(74),
        outgoing: Color::Indexed(214),
        good: Color::Indexed(36),
        bad: Color::Indexed(166),
        hint: Color::Indexed(227),
        mark: Color::Indexed(175),
        key: Color::Indexed(74),
        string: Color::Indexed(36),
        number: Color::Indexed(214),
        on_hint: Color::Black,
        on_good: Color::Black,
        on_bad: Color::Black,
    });

    /// Without any colour (`NO_COLOR`): weight, underline and reverse say the same.
    pub const MONO: Self = Self {
        text: Style::new(),
        dim: Style::new().add_modifier(Modifier::DIM),
        title: Style::new().add_modifier(Modifier::BOLD),
        border: Style::new().add_modifier(Modifier::DIM),
        focus: Style::new().add_modifier(Modifier::BOLD),
        selected: Style::new().add_modifier(Modifier::REVERSED),
        hit: Style::new().add_modifier(Modifier::UNDERLINED),
        mark: Style::new()
            .add_modifier(Modifier::BOLD)
            .add_modifier(Modifier::UNDERLINED),
        key: Style::new().add_modifier(Modifier::BOLD),
        incoming: Style::new(),
        outgoing: Style::new().add_modifier(Modifier::BOLD),
        control: Style::new().add_modifier(Modifier::DIM),
        error: Style::new().add_modifier(Modifier::BOLD),
        hint: Style::new().add_modifier(Modifier::UNDERLINED),
        good: Style::new(),
        json_key: Style::new().add_modifier(Modifier::BOLD),
        json_string: Style::new(),
        json_number: Style::new(),
        json_literal: Style::new(),
        chart: Style::new(),
        states: [Style::new().add_modifier(Modifier::REVERSED); 4],
        glyphs: Glyphs::UNICODE,
    };

    const fn of(palette: &Palette) -> Self {
        const fn ink(colour: Color) -> Style {
            Style::new().fg(colour)
        }
        let waiting = ink(palette.on_hint).bg(palette.hint);
        Self {
            text: Style::new(),
            dim: ink(palette.muted),
            title: Style::new().add_modifier(Modifier::BOLD),
            border: ink(palette.muted),
            focus: ink(palette.focus),
            // One colour across: those of what is in the row would make patches of it.
            selected: ink(Color::Reset)
                .bg(Color::Reset)
                .add_modifier(Modifier::REVERSED),
            hit: ink(palette.hint),
            mark: ink(palette.mark),
            key: ink(palette.focus).add_modifier(Modifier::BOLD),
            incoming: ink(palette.incoming),
            outgoing: ink(palette.outgoing),
            control: ink(palette.good),
            error: ink(palette.bad).add_modifier(Modifier::BOLD),
            hint: ink(palette.hint),
            good: ink(palette.good),
            json_key: ink(palette.key),
            json_string: ink(palette.string),
            json_number: ink(palette.number),
            json_literal: ink(palette.mark),
            chart: ink(palette.focus),
            states: [
                waiting,
                ink(palette.on_good).bg(palette.good),
                waiting,
                ink(palette.on_bad).bg(palette.bad),
            ],
            glyphs: Glyphs::UNICODE,
        }
    }

    /// The same with ASCII signs.
    #[must_use]
    pub const fn ascii(mut self) -> Self {
        self.glyphs = Glyphs::ASCII;
        self
    }

    /// The same in colours that a person chose.
    #[must_use]
    pub fn with(mut self, colours: &Colours) -> Self {
        colours.apply(&mut self);
        self
    }

    pub const fn state(&self, state: ReadyState) -> Style {
        self.states[state as usize]
    }

    /// The style of what line mode paints in this ink.
    pub const fn ink(&self, ink: Ink) -> Style {
        match ink {
            Ink::Incoming => self.incoming,
            Ink::Outgoing => self.outgoing,
            Ink::Control => self.control,
            Ink::Error => self.error,
            Ink::Hint => self.hint,
            Ink::Dim => self.dim,
            Ink::Key => self.json_key,
            Ink::String => self.json_string,
            Ink::Number => self.json_number,
            Ink::Literal => self.json_literal,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn styles(theme: &Theme) -> Vec<Style> {
        let mut styles = vec![
            theme.text,
            theme.dim,
            theme.title,
            theme.border,
            theme.focus,
            theme.selected,
            theme.hit,
            theme.mark,
            theme.key,
            theme.incoming,
            theme.outgoing,
            theme.control,
            theme.error,
            theme.hint,
            theme.good,
            theme.json_key,
            theme.json_string,
            theme.json_number,
            theme.json_literal,
            theme.chart,
        ];
        styles.extend(theme.states);
        styles
    }

    #[test]
    fn mono_has_no_colour_and_the_others_have_no_background_of_their_own() {
        for style in styles(&Theme::MONO) {
            assert_eq!((style.fg, style.bg), (None, None));
        }
        for (name, theme) in THEMES {
            assert_eq!(theme.text, Style::new(), "{name}");
            assert_ne!(theme.incoming, theme.outgoing, "{name}");
            assert_ne!(theme.error, theme.text, "{name}");
            assert_ne!(theme.selected, theme.text, "{name}");
        }
    }

    #[test]
    fn a_light_background_is_told_by_the_environment() {
        for (colours, name) in [
            (None, "dark"),
            (Some("15;0"), "dark"),
            (Some("0;15"), "light"),
            (Some("0;default;7"), "light"),
            (Some("12;8"), "dark"),
            (Some("0;default"), "dark"),
        ] {
            assert_eq!(auto(colours), name, "{colours:?}");
            assert!(THEMES.iter().any(|(known, _)| *known == name));
        }
    }
}
