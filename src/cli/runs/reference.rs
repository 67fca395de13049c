//! How runs are named on the command line.

use std::str::FromStr;

use color_eyre::eyre::{Result, eyre};

use crate::store::{Outcome, RunFilter, RunId, RunRecord, Store};
use crate::text::UserError;

/// The name of a run: `12`, `last`, `last-failed`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RunName {
    Number(RunId),
    Last,
    LastFailed,
}

impl FromStr for RunName {
    type Err = UserError;

    fn from_str(text: &str) -> Result<Self, UserError> {
        match text {
            "last" => Ok(RunName::Last),
            "last-failed" => Ok(RunName::LastFailed),
            _ => match text.parse().ok().and_then(RunId::new) {
                Some(number) => Ok(RunName::Number(number)),
                None => Err(UserError::hinted(
                    format!("`{text}` is no run"),
                    "A run is a number, `last` or `last-failed`.",
                )),
            },
        }
    }
}

impl RunName {
    /// Finds the run of this name: its number and its record.
    pub(super) fn find(self, store: &mut Store) -> Result<(RunId, RunRecord)> {
        let newest = |outcomes: Vec<Outcome>| RunFilter { outcomes, ..RunFilter::newest(1) };
        let (run, missing) = match self {
            RunName::Number(id) => (store.run(id)?, format!("There is no run {id}.")),
            RunName::Last => {
                (store.runs(&newest(Vec::new()))?.pop(), "No run is recorded yet.".to_owned())
            }
            RunName::LastFailed => {
                let failed = newest(vec![Outcome::Failed, Outcome::Lost]);
                (store.runs(&failed)?.pop(), "No run has failed.".to_owned())
            }
        };
        let hint = "`mlops-tui runs list` lists the runs.";
        let found = run.and_then(|run| Some((run.id?, run)));
        found.ok_or_else(|| eyre!(UserError::hinted(missing, hint)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::run_id;

    #[test]
    fn runs_are_named_by_number_or_place() {
        assert_eq!("12".parse(), Ok(RunName::Number(run_id(12))));
        assert_eq!("last-failed".parse(), Ok(RunName::LastFailed));
        for wrong in ["0", "-1", "first", ""] {
            assert!(wrong.parse::<RunName>().is_err(), "{wrong}");
        }
    }
}
