//! What `test` does with transcripts without playing them: `--check`, `--convert`, `--suggest`.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::files::{self, Folder, Loaded, load};
use crate::error::{Error, ExitCode, cause_text};
use crate::model::secret::stand_in::StandIns;
use crate::session::secret_source::{self, NamedSecret};
use crate::text::bounded;
use crate::text::output::Output;
use crate::text::sanitize;
use crate::transcript::diagnostic::Diagnostic;
use crate::transcript::har;
use crate::transcript::program::Program;
use crate::transcript::suggest::suggest;
use crate::transcript::survey::{Survey, survey};
use crate::transcript::syntax::Source;

/// What is to be done.
#[derive(Debug)]
pub struct Plan {
    pub task: Task,
    /// Files and folders, as they were named.
    pub paths: Vec<PathBuf>,
    /// `--file-root`
    pub file_root: Option<PathBuf>,
    /// Values from outside, as far as they are given.
    pub variables: HashMap<String, String>,
}

#[derive(Debug)]
pub enum Task {
    /// `--check`: what is wrong, and what would be used.
    Check {
        /// `--json`: an object on a line for each file.
        json: bool,
    },
    /// `--convert page.har`: the recording as a transcript, without what `--secret` declares.
    Convert { secrets: Vec<NamedSecret> },
    /// `--suggest a.wst b.wst`
    Suggest,
}

/// Runs it to its end.
///
/// # Errors
/// A file that cannot be read, or that is not what it should be.
pub async fn run(plan: Plan, output: Output) -> Result<ExitCode, Error> {
    let code = match &plan.task {
        Task::Check { json } => check(&plan, *json, &output)?,
        Task::Convert { secrets } => convert(&plan, secrets, &output).await?,
        Task::Suggest => suggestions(&plan, &output)?,
    };
    output.finish().await.map(|()| code)
}

// --- --check -------------------------------------------------------------------------------------

fn check(plan: &Plan, json: bool, output: &Output) -> Result<ExitCode, Error> {
    let mut code = ExitCode::DONE;
    for path in files::find(&plan.paths, None)? {
        let (survey, sources, diagnostics) = look_at(&path, plan);
        if !diagnostics.is_empty() {
            code = ExitCode::USAGE;
        }
        let path = path.display().to_string();
        let text = if json {
            format!("{}\n", as_json(&path, &survey, &sources, &diagnostics))
        } else {
            as_text(&path, &survey, &sources, &diagnostics)
        };
        output.data(text.as_bytes());
    }
    Ok(code)
}

/// A value that comes from outside is not missing: it is listed.
fn look_at(path: &Path, plan: &Plan) -> (Survey, Vec<Source>, Vec<Diagnostic>) {
    let folder = Folder::of(path, plan.file_root.as_deref());
    let Loaded {
        transcript,
        secrets,
    } = match load(path, &folder) {
        Ok(loaded) => loaded,
        Err(wrong) => return (Survey::default(), wrong.sources, wrong.diagnostics),
    };
    let mut survey = survey(&transcript, &plan.variables);
    let given = survey.variables.iter().chain(&survey.secrets).cloned();
    let given: Vec<String> = given.collect();
    for secret in secrets {
        survey.secrets.remove(&format!("secret_{}", secret.name));
    }
    let wrong = survey.check(&folder);
    match Program::new(transcript, given) {
        Ok(program) => (survey, program.sources, wrong),
        Err(mut more) => {
            more.diagnostics.extend(wrong);
            let place = |one: &Diagnostic| (one.span.file, one.span.start);
            more.diagnostics.sort_by_key(place);
            (survey, more.sources, more.diagnostics)
        }
    }
}

fn as_text(path: &str, survey: &Survey, sources: &[Source], wrong: &[Diagnostic]) -> String {
    if !wrong.is_empty() {
        return wrong.iter().map(|one| one.render(sources)).collect();
    }
    let mut text = format!("{}: fine\n", sanitize::line(path));
    for (what, names) in [
        ("connects to", &survey.hosts),
        ("variables", &survey.variables),
        ("secrets", &survey.secrets),
        ("files", &survey.files),
    ] {
        if !names.is_empty() {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            let names = names.join(", ");
            text.push_str(&format!("  {what:<12} {}\n", sanitize::line(&names)));
        }
    }
    text
}

fn as_json(path: &str, survey: &Survey, sources: &[Source], wrong: &[Diagnostic]) -> Value {
    let wrong: Vec<Value> = wrong.iter().map(|one| diagnostic(one, sources)).collect();
    json!({
        "path": path,
        "ok": wrong.is_empty(),
        "diagnostics": wrong,
        "hosts": survey.hosts,
        "variables": survey.variables,
        "secrets": survey.secrets,
        "files": survey.files,
    })
}

fn diagnostic(diagnostic: &Diagnostic, sources: &[Source]) -> Value {
    let place = diagnostic.place(sources);
    let end = place.map(|(source, _)| source.place(diagnostic.span.end));
    let begin = place.map(|(_, begin)| begin);
    json!({
        "path": place.map(|(source, _)| &source.path),
        "line": begin.map(|begin| begin.line),
        "column": begin.map(|begin| begin.column),
        "end_line": end.map(|end| end.line),
        "end_column": end.map(|end| end.column),
        "message": diagnostic.message,
        "hint": diagnostic.hint,
    })
}

// --- --convert -----------------------------------------------------------------------------------

/// Bytes of a HAR file, as of a result of `bench`.
const MOST_OF_HAR: u64 = 256 << 20;

async fn convert(plan: &Plan, secrets: &[NamedSecret], output: &Output) -> Result<ExitCode, Error> {
    let declared = secret_source::declare(secrets).await?;
    for path in &plan.paths {
        let shown = path.display();
        let archive = bounded::read(path, MOST_OF_HAR)
            .map_err(|cause| Error::usage(format!("{shown}: {}", cause_text(&cause))))?;
        let mut secrets = StandIns::new(&declared);
        let text = har::transcript(&archive, &mut secrets).map_err(|problem| {
            Error::usage_hint(
                format!("{shown}: {problem}"),
                "save one in the network panel: \"Export HAR (with sensitive data)\" keeps cookies and messages",
            )
        })?;
        output.data(text.as_bytes());
    }
    Ok(ExitCode::DONE)
}

// --- --suggest -----------------------------------------------------------------------------------

fn suggestions(plan: &Plan, output: &Output) -> Result<ExitCode, Error> {
    let [first, second] = plan.paths.as_slice() else {
        return Err(Error::usage_hint(
            "--suggest takes two recordings of the same conversation",
            "wscope test --suggest a.wst b.wst > chat.wst",
        ));
    };
    let mut both = Vec::with_capacity(2);
    for path in [first, second] {
        match load(path, &Folder::of(path, plan.file_root.as_deref())) {
            Ok(loaded) => both.push(loaded.transcript),
            Err(wrong) => {
                let rendered = wrong.diagnostics.iter();
                let text: String = rendered.map(|one| one.render(&wrong.sources)).collect();
                output.talk(text.as_bytes());
                return Ok(ExitCode::USAGE);
            }
        }
    }
    let suggestions = suggest(&both[0], &both[1]);
    for note in &suggestions.notes {
        output.talk(format!("{}\n", sanitize::line(note)).as_bytes());
    }
    if suggestions.parted {
        output.talk(b"wscope: nothing is suggested: these are not the same conversation\n");
        return Ok(ExitCode::USAGE);
    }
    if suggestions.notes.is_empty() {
        output.talk(b"wscope: the two say the same\n");
    }
    output.data(suggestions.text.as_bytes());
    Ok(ExitCode::DONE)
}
