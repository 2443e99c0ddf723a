//! What the screen remembers between two keys.

use std::time::Duration;

use jiff::tz::TimeZone;
use ratatui::layout::Size;

use super::keymap::{Keymap, TABLE, Verb};
use super::layout::{Layout, Wants};
use super::list::List;
use super::save::Save;
use super::scene::Scene;
use super::search::Search;
use crate::model::event::{Direction, What};
use crate::model::state::ReadyState;
use crate::tui::chord::Chord;
use crate::tui::theme::{Colours, MONO, THEMES, Theme};
use crate::tui::widget::Subject;
use crate::tui::widget::composer::Composer;
use crate::tui::widget::inspector::Inspector;
use crate::tui::widget::line::Line;
use crate::view::reply::{Reply, reply};

/// How long a word about what was done stays.
const SAID: Duration = Duration::from_secs(4);

/// How the screen looks and listens when it opens.
#[derive(Debug, Clone)]
pub struct Setup {
    /// The name and the look; `t` goes through [`THEMES`].
    pub theme: (&'static str, Theme),
    /// What a person changed of every theme that has colours.
    pub colours: Colours,
    pub ascii: bool,
    pub mouse: bool,
    pub keymap: Keymap,
    pub zone: TimeZone,
    /// A filter to begin with: only its hits are listed.
    pub filter: Option<String>,
}

impl Setup {
    /// A theme of [`THEMES`] by its name; the first where there is none of it.
    pub fn theme(name: &str, colours: &Colours, ascii: bool) -> (&'static str, Theme) {
        let named = THEMES.iter().find(|(known, _)| *known == name);
        let (name, theme) = named.unwrap_or(&THEMES[0]);
        let theme = if *name == MONO {
            theme.clone()
        } else {
            theme.clone().with(colours)
        };
        (*name, if ascii { theme.ascii() } else { theme })
    }

    /// Goes on to the next theme.
    pub fn next_theme(&mut self) {
        let at = THEMES.iter().position(|(name, _)| *name == self.theme.0);
        let next = at.map_or(0, |at| (at + 1) % THEMES.len());
        self.theme = Self::theme(THEMES[next].0, &self.colours, self.ascii);
    }
}

/// The whole of it.
#[derive(Debug)]
pub(super) struct State {
    pub(super) setup: Setup,
    pub(super) size: Size,
    /// The time of the session's clock.
    pub(super) now: Duration,
    pub(super) focus: Focus,
    pub(super) overlay: Option<Overlay>,
    pub(super) list: List,
    pub(super) composer: Composer,
    pub(super) inspector: Inspector,
    /// What the chosen entry answers.
    pub(super) reply: Option<Reply>,
    /// The number of the entry for which that was looked up: what came before it does not change.
    reply_of: u64,
    /// Rows that the events are scrolled back.
    pub(super) events_back: usize,
    pub(super) zoomed: bool,
    /// The inspector has read only a part of its message.
    is_reading: bool,
    /// The first keys of a sequence.
    pub(super) begun: Vec<Chord>,
    said: Option<(String, Duration)>,
    /// The last number when something was sent whose own is to be told.
    sent_after: Option<u64>,
}

/// Which pane has the keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Focus {
    Frames,
    Inspector,
    Events,
    Composer,
}

/// What lies over the panes and has the keys.
#[derive(Debug, Clone)]
pub(super) enum Overlay {
    /// The keys; so many rows are scrolled away.
    Help(usize),
    /// The filter that is being typed, and the one before.
    Filter { line: Line, before: Option<String> },
    /// Verbs by name.
    Palette { line: Line, chosen: usize },
    /// `/close` with what is typed.
    Close(Line),
    /// What was said, where there is no pane for it; so many rows are scrolled back.
    Events(usize),
    /// In which of the shapes the chosen message is copied.
    CopyAs(usize),
    /// Where to save the payload, or the list.
    Save { line: Line, is_list: bool },
    /// Whether to replace the file that is there.
    Overwrite(Box<Save>),
    /// Whether to quit although something is typed; and keep the screen's text.
    Quit { keep: bool },
}

impl State {
    pub(super) fn new(setup: Setup, composer: Composer, size: Size) -> Self {
        let mut list = List::default();
        list.filter(setup.filter.as_deref().map(Search::new));
        if list.search.is_some() {
            list.toggle_only_hits();
        }
        Self {
            setup,
            size,
            now: Duration::ZERO,
            focus: Focus::Composer,
            overlay: None,
            list,
            composer,
            inspector: Inspector::default(),
            reply: None,
            reply_of: 0,
            events_back: 0,
            zoomed: false,
            is_reading: false,
            begun: Vec::new(),
            said: None,
            sent_after: None,
        }
    }

    pub(super) const fn theme(&self) -> &Theme {
        &self.setup.theme.1
    }

    pub(super) fn layout(&self) -> Layout {
        let rows = self.composer.wanted_rows(self.size.width.saturating_sub(2));
        Layout::of(
            self.size,
            Wants {
                composer: u16::try_from(rows).unwrap_or(u16::MAX),
                inspector: !self.list.follows() || self.focus == Focus::Inspector,
                zoomed: self.zoomed,
            },
        )
    }

    /// What the inspector is shown.
    pub(super) fn subject<'a>(&'a self, scene: &'a Scene) -> Option<Subject<'a>> {
        subject(&self.list, self.reply.as_ref(), scene)
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

    /// Something is being sent: where the list does not follow, its number is told once it has one.
    pub(super) fn watch_sent(&mut self, scene: &Scene) {
        self.sent_after = (!self.list.follows()).then_some(scene.ring.last());
    }

    fn tell_sent(&mut self, scene: &Scene) {
        let Some(after) = self.sent_after else {
            return;
        };
        let is_sent = |number: &u64| {
            let what = scene.ring.get(*number).map(|entry| &entry.event.what);
            let out = Direction::Out;
            matches!(what, Some(What::Message { dir, .. } | What::Frame { dir, .. }) if *dir == out)
        };
        let first = (after + 1).max(scene.ring.first());
        match (first..=scene.ring.last()).find(is_sent) {
            Some(number) => {
                self.sent_after = None;
                self.say(format!("sent as #{number}"));
            }
            None => self.sent_after = Some(scene.ring.last()),
        }
    }

    /// Brings everything in line with what the session wrote.
    pub(super) fn settle(&mut self, scene: &Scene) {
        if scene.vitals.state() == ReadyState::Open {
            self.composer.connected();
        }
        self.tell_sent(scene);
        let layout = self.layout();
        self.list
            .settle(&scene.ring, usize::from(layout.rows.height));
        let chosen = self.list.chosen(&scene.ring);
        let chosen = chosen.filter(|_| !self.list.follows());
        let number = chosen.map_or(0, |entry| entry.number);
        if self.reply_of != number {
            self.reply_of = number;
            self.reply = chosen.and_then(|entry| reply(self.list.ring(&scene.ring), entry));
        }
        self.is_reading = match subject(&self.list, self.reply.as_ref(), scene) {
            Some(subject) if !layout.inspector.is_empty() => {
                self.inspector.look(&subject, layout.inspector_inner)
            }
            _ => false,
        };
    }

    /// Goes on with what takes longer than a moment: hits, and the text of a large message. Says
    /// whether there is more.
    pub(super) fn read_on(&mut self, scene: &Scene) -> bool {
        let seeks = self.list.scan(&scene.ring);
        if self.is_reading {
            self.settle(scene);
        }
        seeks || self.is_reading
    }
}

/// An entry, and what is known around it.
fn subject<'a>(list: &'a List, reply: Option<&'a Reply>, scene: &'a Scene) -> Option<Subject<'a>> {
    let entry = list.chosen(&scene.ring)?;
    Some(Subject {
        entry,
        request: scene.handshakes.request(entry.event.conn),
        response: scene.handshakes.response(entry.event.conn),
        reply: reply.map(|reply| (reply.to, reply.pointer, reply.after)),
        marked: list.mark.and_then(|mark| list.ring(&scene.ring).get(mark)),
    })
}

/// The verbs of the palette whose name or description has all the words that are typed.
pub(super) fn palette(typed: &str) -> Vec<Verb> {
    let words: Vec<String> = typed.split_whitespace().map(str::to_lowercase).collect();
    TABLE
        .iter()
        .filter(|entry| {
            let about = format!("{} {}", entry.name, entry.about).to_lowercase();
            words.iter().all(|word| about.contains(word))
        })
        .map(|entry| entry.verb)
        .collect()
}
