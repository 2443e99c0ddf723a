//! The way through the list: steps, hits, marks, and what is inspected.

use super::Update;
use crate::tui::connect::keymap::Verb;
use crate::tui::connect::search::Search;
use crate::tui::connect::state::{Focus, Overlay};
use crate::tui::widget::inspector::Tab;
use crate::tui::widget::line::Line;

impl Update<'_> {
    pub(super) fn page(&self) -> isize {
        let rows = self.state.layout().rows.height.max(2);
        isize::try_from(rows - 1).unwrap_or(1)
    }

    pub(super) fn step(&mut self, rows: isize) {
        if self.state.focus == Focus::Events {
            let most = self.scene.notes.len();
            let back = self.state.events_back.saturating_add_signed(-rows);
            self.state.events_back = back.min(most.saturating_sub(1));
        } else {
            self.state.list.step(&self.scene.ring, rows);
        }
    }

    pub(super) fn open_filter(&mut self) {
        let before = self
            .state
            .list
            .search
            .as_ref()
            .map(|search| search.text.clone());
        self.state.overlay = Some(Overlay::Filter {
            line: Line::new(before.clone().unwrap_or_default()),
            before,
        });
    }

    /// Takes another filter; an empty one is none.
    pub(super) fn filter(&mut self, text: Option<&str>) {
        let text = text.filter(|text| !text.trim().is_empty());
        self.state.list.filter(text.map(Search::new));
        self.state.list.scan(&self.scene.ring);
    }

    pub(super) fn go_to_hit(&mut self, forwards: bool) {
        if self.state.list.search.is_none() {
            self.need_filter();
        } else if !self.state.list.go_to_hit(&self.scene.ring, forwards) {
            self.state.say("no hits");
        }
    }

    pub(super) fn need_filter(&mut self) {
        let key = self.state.setup.keymap.keys(Verb::Filter);
        self.state
            .say(format!("there is no filter ({key} sets one)"));
    }

    pub(super) fn toggle_control(&mut self) {
        self.state.list.toggle_control();
        self.state.say(if self.state.list.hides_control() {
            "pings and pongs are hidden"
        } else {
            "pings and pongs are listed"
        });
    }

    pub(super) fn mark(&mut self) {
        let chosen = self.state.list.chosen(&self.scene.ring);
        let Some(number) = chosen.map(|entry| entry.number) else {
            return self.nothing_chosen();
        };
        self.state.list.choose(number);
        let mark = (self.state.list.mark != Some(number)).then_some(number);
        self.state.list.mark = mark;
        self.state.say(match mark {
            Some(number) => format!("#{number} is marked"),
            None => "the mark is gone".to_owned(),
        });
    }

    pub(super) fn diff(&mut self) {
        if self.state.list.mark.is_none() {
            let key = self.state.setup.keymap.keys(Verb::Mark);
            self.state
                .say(format!("mark another message first ({key})"));
        } else {
            self.show(Tab::Diff);
        }
    }

    pub(super) fn zoom(&mut self) {
        if self.state.list.chosen(&self.scene.ring).is_none() {
            return self.nothing_chosen();
        }
        self.state.zoomed = !self.state.zoomed;
        self.hold();
        self.state.focus = if self.state.zoomed {
            Focus::Inspector
        } else {
            Focus::Frames
        };
    }

    /// Stays where the list is: what is looked at does not move on.
    pub(super) fn hold(&mut self) {
        let chosen = self.state.list.chosen(&self.scene.ring);
        if let Some(number) = chosen.map(|entry| entry.number) {
            self.state.list.choose(number);
        }
    }

    pub(super) fn show(&mut self, tab: Tab) {
        self.hold();
        self.state.inspector.show(tab);
    }

    pub(super) fn nothing_chosen(&mut self) {
        self.state.say("there is nothing yet");
    }
}
