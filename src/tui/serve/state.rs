//! What the screen remembers between two keys.

use std::time::Duration;

use jiff::tz::TimeZone;
use ratatui::layout::Size;

use super::keymap::Keymap;
use super::layout::{Layout, below_names};
use super::order::{Column, ordered};
use super::scene::Scene;
use crate::model::event::ConnId;
use crate::tui::chord::Chord;
use crate::tui::connect;
use crate::tui::connect::list::List;
use crate::tui::connect::search::Search;
use crate::tui::theme::{Colours, THEMES, Theme};
use crate::tui::widget::line::Line;
use crate::tui::widget::pane::inside;

/// How long a word about what was done stays.
const SAID: Duration = Duration::from_secs(4);

/// How the screen looks when it opens.
#[derive(Debug, Clone)]
pub struct Setup {
    /// The name and the look.
    pub theme: (&'static str, Theme),
    /// What a person changed of every theme that has colours.
    pub colours: Colours,
    pub ascii: bool,
    pub mouse: bool,
    pub keymap: Keymap,
    pub zone: TimeZone,
    /// A filter of the log to begin with.
    pub filter: Option<String>,
}

impl Setup {
    /// Goes on to the next theme.
    pub(super) fn next_theme(&mut self) {
        let at = THEMES.iter().position(|(name, _)| *name == self.theme.0);
        let next = at.map_or(0, |at| (at + 1) % THEMES.len());
        self.theme = connect::Setup::theme(THEMES[next].0, &self.colours, self.ascii);
    }
}

/// The whole of it.
#[derive(Debug)]
pub(super) struct State {
    pub(super) setup: Setup,
    pub(super) size: Size,
    /// The time of the server's clock.
    pub(super) now: Duration,
    pub(super) focus: Focus,
    pub(super) overlay: Option<Overlay>,
    pub(super) sort: Column,
    pub(super) is_descending: bool,
    /// The connections as they are listed.
    pub(super) rows: Vec<ConnId>,
    pub(super) chosen: Option<ConnId>,
    /// The first connection that is shown.
    pub(super) top: usize,
    /// The first room that is shown.
    pub(super) rooms_top: usize,
    pub(super) log: List,
    /// What a pause looks at, and when it began.
    pub(super) frozen: Option<Box<(Scene, Duration)>>,
    /// The first keys of a sequence.
    pub(super) begun: Vec<Chord>,
    said: Option<(String, Duration)>,
}

/// Which pane has the keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Focus {
    Connections,
    Rooms,
    Log,
}

/// What lies over the panes and has the keys.
#[derive(Debug, Clone)]
pub(super) enum Overlay {
    /// The keys; so many rows are scrolled away.
    Help(usize),
    /// All about a connection.
    Details(ConnId),
    /// The filter that is being typed, and the one before.
    Filter { line: Line, before: Option<String> },
    /// `/close` for a connection, with what is typed.
    Close(ConnId, Line),
}

impl State {
    pub(super) fn new(setup: Setup, size: Size) -> Self {
        let mut state = Self {
            setup,
            size,
            now: Duration::ZERO,
            focus: Focus::Connections,
            overlay: None,
            sort: Column::Number,
            is_descending: false,
            rows: Vec::new(),
            chosen: None,
            top: 0,
            rooms_top: 0,
            log: List::default(),
            frozen: None,
            begun: Vec::new(),
            said: None,
        };
        let filter = state.setup.filter.clone();
        state.filter(filter.as_deref());
        state
    }

    pub(super) const fn theme(&self) -> &Theme {
        &self.setup.theme.1
    }

    pub(super) fn layout(&self) -> Layout {
        Layout::of(self.size)
    }

    /// What is looked at: how things are, or how they were when the pause began; and when that is.
    pub(super) fn scene<'a>(&'a self, live: &'a Scene) -> (&'a Scene, Duration) {
        match self.frozen.as_deref() {
            Some((frozen, at)) => (frozen, *at),
            None => (live, self.now),
        }
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

    /// Lists in the log what a filter hits, or everything again.
    pub(super) fn filter(&mut self, text: Option<&str>) {
        let had_one = self.log.search.is_some();
        self.log.filter(text.map(Search::new));
        if text.is_some() && !had_one {
            self.log.toggle_only_hits();
        }
    }

    /// Brings everything in line with what happened.
    pub(super) fn settle(&mut self, live: &Scene) {
        let layout = self.layout();
        let frozen = self.frozen.take();
        let scene = frozen.as_deref().map_or(live, |(scene, _)| scene);
        self.rows = ordered(scene, self.sort, self.is_descending);
        let room = usize::from(below_names(layout.connections).height);
        let at = self.chosen.and_then(|chosen| self.position(chosen));
        // Where the chosen one has gone, the one in its place is next.
        let last = self.rows.len().saturating_sub(1);
        let at = at.unwrap_or_else(|| self.top.min(last));
        self.chosen = self.rows.get(at).copied();
        let lowest = (at + 1).saturating_sub(room);
        self.top = self.top.clamp(lowest, at.max(lowest));
        self.top = self.top.min(self.rows.len().saturating_sub(room));
        let room = usize::from(inside(layout.rooms).height);
        self.rooms_top = self.rooms_top.min(scene.rooms.len().saturating_sub(room));
        let room = usize::from(inside(layout.log).height);
        self.log.settle(&scene.ring, room);
        self.frozen = frozen;
    }

    /// Where a connection is in the list.
    pub(super) fn position(&self, conn: ConnId) -> Option<usize> {
        self.rows.iter().position(|row| *row == conn)
    }

    /// Goes on with the filter; says whether there is more to look through.
    pub(super) fn read_on(&mut self, live: &Scene) -> bool {
        let scene = self.frozen.as_deref().map_or(live, |(scene, _)| scene);
        self.log.scan(&scene.ring)
    }
}
