//! Claiming what a run writes, so that two runs do not write the same data at the same time, whoever started them.

use std::path::Path;

use super::plan::Prepared;
use crate::store::{Claim, Taken};
use crate::text::UserError;

/// Claims what a prepared run writes, until the claim is dropped. `None` if it is known to write nothing, or if the store
/// can't be written: a run does not depend on its history.
///
/// # Errors
/// If another run is writing some of it; the error names the data and the run.
pub fn claim(root: &Path, prepared: &Prepared) -> Result<Option<Claim>, UserError> {
    if prepared.writes.is_empty() {
        return Ok(None);
    }
    match Claim::take(root, &prepared.writes) {
        Ok(Ok(claim)) => Ok(Some(claim)),
        Ok(Err(taken)) => Err(refusal(root, &taken)),
        Err(error) => {
            tracing::warn!(%error, "what the run writes is not claimed");
            Ok(None)
        }
    }
}

fn refusal(root: &Path, taken: &Taken) -> UserError {
    let target = Path::new(&taken.target);
    let target = target.strip_prefix(root).unwrap_or(target).display();
    match taken.run {
        Some(run) => UserError::hinted(
            format!("Run {run} is going on and writes {target}."),
            format!("Wait until it ends, or cancel it: mlops-tui runs cancel {run}"),
        ),
        None => UserError::hinted(
            format!("A run that is starting writes {target}."),
            "Wait until it ends, or cancel it.",
        ),
    }
}
