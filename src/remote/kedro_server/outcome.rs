//! What becomes of a run: the server's answer, or what is known when there is none.
//!
//! A lost connection does not stop a run. Only the server's word makes a run succeed or fail; everything else that happens
//! after the request was sent leaves the run's fate unknown.

use serde_json::Value as Json;

use super::client::{Failure, Health};
use super::{exception, state};
use crate::remote::model::{Phase, Run};

/// The end of what can be learned of a run.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Outcome {
    name: &'static str,
    phase: Phase,
    error: Option<String>,
    /// The server's own id of the run.
    run_id: Option<String>,
}

impl Outcome {
    /// What the answer to `/run` says. When there is none that is understood, `health` asks the server how it is.
    pub fn of(
        answer: Result<Json, Failure>,
        health: impl FnOnce() -> Result<Health, Failure>,
    ) -> Self {
        let not_run = |name, reason: String| Outcome {
            name,
            phase: Phase::Failed,
            error: Some(format!("{reason} The run was not started.")),
            run_id: None,
        };
        match answer {
            Ok(answer) => Outcome::said(&answer).unwrap_or_else(|| {
                let reason = "The server's answer is not that of a Kedro server to a run.";
                Outcome::unknown(reason, health())
            }),
            Err(Failure::NotSent(reason)) => not_run("not sent", reason),
            Err(Failure::Status { status, text }) if status < 500 => not_run("refused", text),
            Err(failure) => Outcome::unknown(&failure.to_string(), health()),
        }
    }

    fn said(answer: &Json) -> Option<Self> {
        let run_id = Some(answer["run_id"].as_str()?.to_owned());
        match answer["status"].as_str()? {
            "success" => {
                Some(Outcome { name: "success", phase: Phase::Succeeded, error: None, run_id })
            }
            "failure" => {
                let error = Some(exception(&answer["error"])?);
                Some(Outcome { name: "failure", phase: Phase::Failed, error, run_id })
            }
            _ => None,
        }
    }

    fn unknown(reason: &str, health: Result<Health, Failure>) -> Self {
        let now = match health {
            Ok(health) => format!(
                "The server answers now (Kedro {}), so the run may still be going on; its log tells how the run ends.",
                health.version
            ),
            Err(failure) => format!(
                "The server could not be asked afterwards ({}). If it still lives, the run may still be going on: check the \
                 connection, or look at the server's log. If its process has ended, the run has ended with it.",
                failure.to_string().trim_end_matches('.')
            ),
        };
        Outcome {
            name: "unknown",
            phase: Phase::Lost,
            error: Some(format!("What became of the run is not known. {reason} {now}")),
            run_id: None,
        }
    }

    /// Writes the outcome into the run. A run with an unknown fate has no end.
    pub fn store(self, run: &mut Run, at: f64) {
        run.state = state(self.name, self.phase);
        run.ended = (self.phase != Phase::Lost).then_some(at);
        run.error = self.error;
        if let Some(run_id) = self.run_id {
            let id = format!("run_id of the server: {run_id}");
            run.note = Some(match run.note.take() {
                Some(note) => format!("{note}\n{id}"),
                None => id,
            });
        }
    }
}
