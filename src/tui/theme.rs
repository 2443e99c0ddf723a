//! How things look: a style for each meaning, and the signs that are drawn.
//!
//! Colour never carries meaning alone: a style only repeats what a sign or a word already says, so
//! that a theme without colours loses nothing.

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

impl Theme {
    /// Colours for a dark background, of the sixteen that every terminal has.
    pub const DARK: Self = Self {
        text: Style::new(),
        dim: Style::new().fg(Color::DarkGray),
        title: Style::new().add_modifier(Modifier::BOLD),
        border: Style::new().fg(Color::DarkGray),
        focus: Style::new().fg(Color::Cyan),
        selected: Style::new().add_modifier(Modifier::REVERSED),
        hit: Style::new().fg(Color::Yellow),
        mark: Style::new().fg(Color::Magenta),
        key: Style::new().fg(Color::Cyan).add_modifier(Modifier::BOLD),
        incoming: Style::new().fg(Color::Cyan),
        outgoing: Style::new().fg(Color::LightBlue),
        control: Style::new().fg(Color::Green),
        error: Style::new()
            .fg(Color::LightRed)
            .add_modifier(Modifier::BOLD),
        hint: Style::new().fg(Color::Yellow),
        good: Style::new().fg(Color::Green),
        json_key: Style::new().fg(Color::LightBlue),
        json_string: Style::new().fg(Color::Green),
        json_number: Style::new().fg(Color::Cyan),
        json_literal: Style::new().fg(Color::Magenta),
        chart: Style::new().fg(Color::Cyan),
        states: [
            Style::new().fg(Color::Black).bg(Color::Yellow),
            Style::new().fg(Color::Black).bg(Color::Green),
            Style::new().fg(Color::Black).bg(Color::Yellow),
            Style::new().fg(Color::White).bg(Color::Red),
        ],
        glyphs: Glyphs::UNICODE,
    };

    /// The same with ASCII signs.
    #[must_use]
    pub const fn ascii(mut self) -> Self {
        self.glyphs = Glyphs::ASCII;
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
