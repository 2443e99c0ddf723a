//! The full screen as a source of input, and what it needs of the world: history, editor, clipboard,
//! files.

use std::ffi::OsString;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, SystemTime};

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Size};

use super::action::{Action, Copy, Effect, Own};
use super::render::render;
use super::save::{NotSaved, Save, Saver};
use super::scene::{Board, Note, Scene, Weight};
use super::state::{Setup, State};
use super::update::update;
use crate::error::Error;
use crate::input::history::History;
use crate::input::{Batch, Input};
use crate::model::control::Control;
use crate::session::stamp::Stamp;
use crate::text::output::Output;
use crate::tui::stage::{Play, Running, Stage};
use crate::tui::widget::composer::Composer;
use crate::tui::{clipboard, editor};

/// How often the picture is made anew where only time passes.
const TICK: Duration = Duration::from_secs(1);
/// The same while a countdown runs.
const COUNTDOWN: Duration = Duration::from_millis(100);

/// How the full screen is made.
#[derive(Debug, Clone)]
pub struct Plan {
    pub setup: Setup,
    /// Where lines are remembered between sessions.
    pub history: Option<PathBuf>,
    /// The person's editor, with its arguments, as a shell reads it.
    pub editor: OsString,
    /// The terminal is tmux's, which has to be asked to pass the clipboard on.
    pub is_tmux: bool,
    /// Writes what a person saves.
    pub saver: Saver,
}

/// A full screen on the terminal. Dropping it gives the terminal back.
pub struct Screen(Running<Session>);

/// What is left of a screen.
#[derive(Debug, Default)]
pub struct Left {
    /// What was typed and not sent.
    pub draft: String,
    /// The last picture as text, if it was to be kept.
    pub picture: Option<String>,
}

impl Screen {
    /// Takes the terminal over, with this text in the composer.
    ///
    /// # Errors
    /// There is no terminal, or a thread cannot be started.
    pub fn start(
        plan: Plan,
        draft: &str,
        board: &Board,
        stamp: Stamp,
        output: &Output,
    ) -> Result<Self, Error> {
        let session = |size| Session::new(plan, draft, size);
        Running::start(session, board, stamp, output).map(Self)
    }

    /// What was asked for next; `None` when the screen is gone. Cancel-safe.
    pub async fn next(&mut self) -> Option<Batch> {
        self.0.next().await
    }

    /// The program goes on after it was stopped: takes the terminal over again.
    pub fn refresh(&self) {
        self.0.refresh();
    }

    /// Gives the terminal back.
    pub fn stop(mut self) -> Left {
        self.0.end()
    }
}

/// The screen, and what it has of the world.
struct Session {
    state: State,
    history: History,
    plan: Plan,
    /// Leave the last picture's text behind.
    keep: bool,
}

/// What threads of this screen tell it.
enum Told {
    Saved(Box<Save>, Result<(), NotSaved>),
    /// What tmux said to a text for its buffer.
    Loaded(Copy, Result<(), String>),
}

impl Play for Session {
    type Scene = Scene;
    type Own = Own;
    type Effect = Effect;
    type Told = Told;
    type Request = Batch;
    type Left = Left;

    const REQUESTS: usize = 256;

    fn gone() -> Batch {
        Batch {
            inputs: vec![Control::Quit.into()],
            error: None,
        }
    }

    fn failed(error: Error) -> Batch {
        Batch {
            inputs: Vec::new(),
            error: Some(error),
        }
    }

    fn note(scene: &mut Scene, line: &str) {
        scene.note(Note {
            time: SystemTime::now(),
            weight: Weight::Info,
            text: line.to_owned(),
        });
    }

    fn size(&self) -> Size {
        self.state.size
    }

    fn mouse(&self) -> bool {
        self.state.setup.mouse
    }

    fn update(&mut self, scene: &Scene, now: Duration, action: Action) -> Vec<Effect> {
        update(&mut self.state, scene, now, action)
    }

    fn render(&self, scene: &Scene, buffer: &mut Buffer) -> Option<Position> {
        render(&self.state, scene, buffer)
    }

    fn read_on(&mut self, scene: &Scene) -> bool {
        self.state.read_on(scene)
    }

    fn tick(&self, scene: &Scene) -> Duration {
        if scene.vitals.backoff.is_some() {
            COUNTDOWN
        } else {
            TICK
        }
    }

    fn carry_out(stage: &mut Stage<Self>, effect: Effect) {
        match effect {
            Effect::Input { input, line } => submit(stage, input, line),
            Effect::Copy(copy) if stage.play.plan.is_tmux => load_tmux(stage, copy),
            Effect::Copy(copy) => offer(stage, &copy),
            Effect::Save(save) => start_saving(stage, save),
            Effect::Edit(text) => edit(stage, text),
            Effect::Mouse(mouse) => stage.painter.set_mouse(mouse),
            Effect::Redraw => stage.painter.forget(),
            Effect::Suspend => stage.suspend(),
            Effect::Keep => stage.play.keep = true,
        }
    }

    fn told(stage: &mut Stage<Self>, told: Told) {
        match told {
            Told::Saved(save, outcome) => stage.update(Action::Own(Own::Saved(save, outcome))),
            Told::Loaded(copy, outcome) => loaded(stage, &copy, outcome.is_ok()),
        }
    }

    fn left(stage: &Stage<Self>) -> Left {
        Left {
            draft: stage.play.state.composer.text().to_owned(),
            picture: stage.play.keep.then(|| text_of(&stage.picture().buffer)),
        }
    }
}

impl Session {
    fn new(plan: Plan, draft: &str, size: Size) -> Self {
        let (history, problem) = History::load(plan.history.clone());
        let mut composer = Composer::new(history.lines().cloned().collect());
        composer.replace(draft);
        let mut state = State::new(plan.setup.clone(), composer, size);
        if let Some(problem) = problem {
            state.say(problem);
        }
        Self {
            state,
            history,
            plan,
            keep: false,
        }
    }
}

fn submit(stage: &mut Stage<Session>, input: Input, line: Option<String>) {
    let batch = Batch {
        inputs: vec![input],
        error: None,
    };
    if !stage.request(batch) {
        let state = &mut stage.play.state;
        if let Some(line) = line {
            state.composer.replace(&line);
        }
        state.say("the connection takes no more just now");
        return;
    }
    let Session { state, history, .. } = &mut stage.play;
    let remembered = line.map(|line| history.remember(&line));
    if let Some(Err(problem)) = remembered {
        state.say(problem);
    }
}

/// Asks the terminal to copy, which does not say whether it does.
fn offer(stage: &mut Stage<Session>, copy: &Copy) {
    match clipboard::sequence(copy.text.as_bytes(), stage.play.plan.is_tmux) {
        Ok(sequence) => {
            stage.painter.write(sequence.into_bytes());
            let said = copy.said("given to the terminal's clipboard");
            stage.play.state.say(said);
        }
        Err(problem) => stage.play.state.say(problem),
    }
}

fn load_tmux(stage: &Stage<Session>, copy: Copy) {
    let bell = stage.bell();
    thread::spawn(move || {
        let passes_on = copy.text.len() <= clipboard::MOST;
        let outcome = clipboard::load_tmux(copy.text.as_bytes(), passes_on);
        bell.tell(Told::Loaded(copy, outcome));
    });
}

fn loaded(stage: &mut Stage<Session>, copy: &Copy, is_loaded: bool) {
    if !is_loaded {
        offer(stage, copy);
    } else if copy.text.len() <= clipboard::MOST {
        let said = copy.said("in tmux's buffer, and offered to the clipboard");
        stage.play.state.say(said);
    } else {
        let said = copy.said("in tmux's buffer, too large for the clipboard");
        stage.play.state.say(said);
    }
    stage.changed();
}

/// On a thread of its own: a disk may be slow, and a name may be a pipe that nobody reads.
fn start_saving(stage: &Stage<Session>, save: Box<Save>) {
    let (saver, bell) = (stage.play.plan.saver, stage.bell());
    thread::spawn(move || {
        let outcome = saver(&save);
        bell.tell(Told::Saved(save, outcome));
    });
}

fn edit(stage: &mut Stage<Session>, text: String) {
    let command = stage.play.plan.editor.clone();
    let edited = stage.lend(move || editor::edit(&text, "txt", &command));
    let edited = edited.unwrap_or_else(|| Err("the session has ended".into()));
    stage.update(Action::Own(Own::Edited(edited)));
}

/// The letters of a picture, line by line.
fn text_of(buffer: &Buffer) -> String {
    let mut text = String::new();
    for y in buffer.area.top()..buffer.area.bottom() {
        let mut line = String::new();
        for x in buffer.area.left()..buffer.area.right() {
            line.push_str(buffer[(x, y)].symbol());
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}
