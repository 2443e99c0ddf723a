//! What is taken out of the list: copied, saved, sent again.

use ratatui::crossterm::event::{KeyCode, KeyEvent};

use super::Update;
use crate::input::compose::Kind;
use crate::model::event::What;
use crate::text::{hex, sanitize};
use crate::tui::connect::action::{Copy, Effect};
use crate::tui::connect::copy::Form;
use crate::tui::connect::save::{self, Content, NotSaved, Save};
use crate::tui::connect::state::{Focus, Overlay};
use crate::tui::widget::line::Line;

impl Update<'_> {
    pub(super) fn copy(&mut self) {
        let Some(entry) = self.state.list.chosen(&self.scene.ring) else {
            return self.nothing_chosen();
        };
        let text = match &entry.event.what {
            What::Message { message, .. } => message.as_text().map_or_else(
                || hex::preview(&message.payload, usize::MAX),
                |text| text.into_owned(),
            ),
            What::Ping { payload, .. } | What::Pong { payload, .. } => {
                String::from_utf8_lossy(payload).into_owned()
            }
            _ => return self.state.say("only messages are copied"),
        };
        self.hold();
        self.effects.push(Effect::Copy(Copy {
            text,
            note: String::new(),
        }));
    }

    pub(super) fn open_copy_as(&mut self) {
        if self.state.list.chosen(&self.scene.ring).is_none() {
            return self.nothing_chosen();
        }
        self.hold();
        self.state.overlay = Some(Overlay::CopyAs(0));
    }

    pub(super) fn choose_shape(&mut self, key: KeyEvent, chosen: usize) -> Option<Overlay> {
        let last = Form::all().count().saturating_sub(1);
        let all = match key.code {
            KeyCode::Up | KeyCode::Char('k') => {
                return Some(Overlay::CopyAs(chosen.saturating_sub(1)));
            }
            KeyCode::Down | KeyCode::Char('j') => {
                return Some(Overlay::CopyAs((chosen + 1).min(last)));
            }
            KeyCode::Enter => false,
            KeyCode::Char('a') => true,
            _ => return Some(Overlay::CopyAs(chosen)),
        };
        if let Some(form) = Form::all().nth(chosen.min(last)) {
            self.copy_as(form, all);
        }
        None
    }

    /// The chosen entry, or the whole list.
    pub(super) fn copy_as(&mut self, form: Form, all: bool) {
        let Some(entry) = self.state.list.chosen(&self.scene.ring) else {
            return;
        };
        let copied = if all {
            form.list(self.scene, &self.state.list, entry)
        } else {
            form.one(self.scene, entry)
        };
        match copied {
            Ok(copied) => {
                let secrets = copied.secrets.iter().map(|name| format!("{{{{{name}}}}}"));
                let notes: Vec<String> = secrets
                    .map(|name| format!("{name} stands for a secret"))
                    .chain(copied.notes)
                    .collect();
                self.effects.push(Effect::Copy(Copy {
                    text: copied.text,
                    note: notes.join("; "),
                }));
            }
            Err(problem) => self.state.say(problem),
        }
    }

    /// Asks where to, with a name that says what it is.
    pub(super) fn open_save(&mut self, is_list: bool) {
        let Some(entry) = self.state.list.chosen(&self.scene.ring) else {
            return self.nothing_chosen();
        };
        let name = if is_list {
            "messages.ndjson".to_owned()
        } else if let Some((name, _)) = save::payload(entry) {
            name
        } else {
            return self
                .state
                .say("only payloads of messages, pings and pongs are saved");
        };
        self.hold();
        let line = Line::new(name);
        self.state.overlay = Some(Overlay::Save { line, is_list });
    }

    pub(super) fn save(&mut self, key: KeyEvent, mut line: Line, is_list: bool) -> Option<Overlay> {
        if key.code != KeyCode::Enter || line.text().is_empty() {
            line.handle(key);
            return Some(Overlay::Save { line, is_list });
        }
        let (list, ring) = (&self.state.list, &self.scene.ring);
        let content = if is_list {
            Content::Events(save::events(list, self.scene))
        } else {
            let (_, payload) = list.chosen(ring).and_then(save::payload)?;
            Content::Payload(payload)
        };
        self.effects.push(Effect::Save(Box::new(Save {
            path: line.text().into(),
            overwrite: false,
            content,
        })));
        None
    }

    /// What became of it.
    pub(super) fn saved(&mut self, mut save: Box<Save>, outcome: Result<(), NotSaved>) {
        match outcome {
            Ok(()) => {
                let path = save.path.to_string_lossy();
                let path = sanitize::line(&path);
                let said = format!("{} saved to {path}", save.content.size());
                self.state.say(said);
            }
            Err(NotSaved::Exists) => {
                save.overwrite = true;
                self.state.overlay = Some(Overlay::Overwrite(save));
            }
            Err(NotSaved::Failed(why)) => self.state.say(why),
        }
    }

    pub(super) fn resend(&mut self) {
        let Some(entry) = self.state.list.chosen(&self.scene.ring) else {
            return self.nothing_chosen();
        };
        let (kind, text) = match &entry.event.what {
            What::Message { message, .. } => match message.as_text() {
                // A slash would be obeyed.
                Some(text) if text.starts_with('/') => (Kind::Text, format!("/{text}")),
                Some(text) => (Kind::Text, text.into_owned()),
                None => (Kind::Binary, hex::preview(&message.payload, usize::MAX)),
            },
            What::Ping { payload, .. } | What::Pong { payload, .. } => {
                (Kind::Ping, String::from_utf8_lossy(payload).into_owned())
            }
            _ => return self.state.say("only messages can be sent again"),
        };
        self.hold();
        self.state.composer.edit(kind, &text);
        self.focus(Focus::Composer);
    }
}
