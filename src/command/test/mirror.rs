//! The mirror of a transcript: `serve --script FILE`.

use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use super::files::{Folder, load};
use crate::error::Error;
use crate::transcript::diagnostic::Diagnostic;
use crate::transcript::mirror::Mirror;
use crate::transcript::syntax::Source;
use crate::transcript::variables::{Given, Variables};

/// Reads a transcript and turns it round.
///
/// # Errors
/// [`Error::Usage`] with every line that does not parse or cannot be mirrored.
pub fn mirror(path: &Path, given: &Given) -> Result<Arc<Mirror>, Error> {
    let folder = Folder::of(path, None);
    let loaded =
        load(path, &folder).map_err(|wrong| unusable(&wrong.diagnostics, &wrong.sources))?;
    let given = given
        .with(loaded.secrets)
        .map_err(|problem| Error::usage(format!("--script: {problem}")))?;
    // Nothing random has a mirror, so it does not matter from where it would begin.
    let variables = Variables::new(&given, 0, SystemTime::now());
    match Mirror::of(&loaded.transcript, variables, &folder) {
        Ok(mirror) => Ok(Arc::new(mirror)),
        Err(wrong) => Err(unusable(&wrong, &loaded.transcript.sources)),
    }
}

fn unusable(wrong: &[Diagnostic], sources: &[Source]) -> Error {
    let rendered: String = wrong.iter().map(|one| one.render(sources)).collect();
    Error::usage(format!("--script: {}", rendered.trim_end()))
}
