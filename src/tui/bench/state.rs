//! What the screen remembers between two keys.

use std::time::Duration;

use ratatui::layout::Size;

use super::keymap::Keymap;
use super::metric::METRICS;
use super::scene::Scene;
use crate::tui::chord::Chord;
use crate::tui::connect;
use crate::tui::theme::{Colours, THEMES, Theme};

/// How long a word about what was done stays.
const SAID: Duration = Duration::from_secs(4);

/// Seconds that charts may show, beside the whole run.
const WINDOWS: [u32; 6] = [30, 60, 120, 300, 900, 3600];

/// How the screen looks and listens when it opens.
#[derive(Debug, Clone)]
pub struct Setup {
    /// The name and the look.
    pub theme: (&'static str, Theme),
    /// What a person changed of every theme that has colours.
    pub colours: Colours,
    pub ascii: bool,
    pub mouse: bool,
    pub keymap: Keymap,
    /// `--stay`: after the end the picture stays until a key closes it.
    pub stay: bool,
}

/// The whole of it.
#[derive(Debug)]
pub(super) struct State {
    pub(super) setup: Setup,
    pub(super) size: Size,
    /// The time of the screen's clock.
    pub(super) now: Duration,
    pub(super) overlay: Option<Overlay>,
    /// Which of [`METRICS`] the chart shows.
    pub(super) metric: usize,
    /// Which of [`WINDOWS`]; `None` for the whole run.
    window: Option<usize>,
    pub(super) linear: bool,
    /// The baseline is shown, as far as it can be compared.
    pub(super) past: bool,
    /// It was asked to stop, and is waited for.
    pub(super) stopping: bool,
    /// The first keys of a sequence.
    pub(super) begun: Vec<Chord>,
    said: Option<(String, Duration)>,
    /// The number of the last word that was heard.
    heard: u64,
}

/// What lies over the panes and has the keys; so many rows are scrolled away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Overlay {
    pub(super) what: What,
    pub(super) top: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    Help,
    Errors,
    Log,
}

impl State {
    pub(super) const fn new(setup: Setup, size: Size) -> Self {
        Self {
            setup,
            size,
            now: Duration::ZERO,
            overlay: None,
            metric: 0,
            window: None,
            linear: false,
            past: false,
            stopping: false,
            begun: Vec::new(),
            said: None,
            heard: 0,
        }
    }

    pub(super) const fn theme(&self) -> &Theme {
        &self.setup.theme.1
    }

    /// Says in the footer what was done or why not.
    pub(super) fn say(&mut self, text: impl Into<String>) {
        self.said = Some((text.into(), self.now + SAID));
    }

    /// What is said just now.
    pub(super) fn said(&self) -> Option<&str> {
        let (text, until) = self.said.as_ref()?;
        (self.now < *until).then_some(text.as_str())
    }

    /// Takes over what the run has to say.
    pub(super) fn settle(&mut self, scene: &Scene) {
        let (number, word) = &scene.word;
        if *number > self.heard {
            self.heard = *number;
            self.say(word.clone());
        }
    }

    pub(super) fn step_metric(&mut self, forwards: bool) {
        let step = if forwards { 1 } else { METRICS.len() - 1 };
        self.metric = (self.metric + step) % METRICS.len();
    }

    /// Shows a shorter time, or a longer one.
    pub(super) fn step_window(&mut self, closer: bool) {
        let last = WINDOWS.len() - 1;
        self.window = match (self.window, closer) {
            (None, true) => Some(last),
            (Some(at), true) => Some(at.saturating_sub(1)),
            (Some(at), false) if at < last => Some(at + 1),
            (Some(_) | None, false) => None,
        };
        let shown = match self.window() {
            Some(seconds) => format!("charts show the last {seconds:.0} s"),
            None => "charts show the whole run".to_owned(),
        };
        self.say(shown);
    }

    pub(super) fn show_whole(&mut self) {
        self.window = Some(WINDOWS.len() - 1);
        self.step_window(false);
    }

    /// Seconds that charts show, unless it is the whole run.
    pub(super) fn window(&self) -> Option<f64> {
        self.window.map(|at| f64::from(WINDOWS[at]))
    }

    pub(super) fn next_theme(&mut self) {
        let setup = &mut self.setup;
        let at = THEMES.iter().position(|(name, _)| *name == setup.theme.0);
        let next = at.map_or(0, |at| (at + 1) % THEMES.len());
        setup.theme = connect::Setup::theme(THEMES[next].0, &setup.colours, setup.ascii);
        let name = setup.theme.0;
        self.say(format!("theme {name}"));
    }
}
