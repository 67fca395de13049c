//! The exact reading: Kedro's own answer, from the store where no source changed since, else from
//! the worker. It owns the worker's process; dropping the task kills it.

use std::path::PathBuf;
use std::sync::PoisonError;
use std::sync::mpsc::Sender;
use std::time::Duration;

use super::storing::Storing;
use super::working::Working;
use super::{Current, Reports, reading};
use crate::app::{effect::Generation, event::Report};
use crate::project::Options;
use crate::project::json::exact_without_secrets;
use crate::project::reader::runtime_params;
use crate::runs::params::{self, Params};
use crate::runs::{Failure, exact, interpreter};
use crate::store::{Store, now};

/// What to read, and with what.
pub(super) struct Task {
    pub generation: Generation,
    pub env: Option<String>,
    pub params: Params,
    /// Whether it is not the first one: somebody is at work, and may save again.
    pub again: bool,
    pub root: PathBuf,
    pub python: Option<PathBuf>,
    pub working: Working,
    pub current: Current,
    pub store: Storing,
    pub reading: Sender<reading::Request>,
    pub reports: Reports,
}

/// How long an exact reading waits for the next change; each takes seconds of a core.
const CALM: Duration = Duration::from_millis(1_500);

/// Reads, and reports the answer through the reading service, which has the static one to lay it over.
pub(super) async fn read(task: Task) {
    let generation = task.generation;
    if task.again {
        tokio::time::sleep(CALM).await;
    }
    if let Err(failure) = attempt(&task).await {
        let report = Report::Exact { generation, result: Err(failure), stored: false };
        let _ = task.reports.send(report.into()).await;
    }
}

async fn attempt(task: &Task) -> Result<(), Failure> {
    let (root, named) = (task.root.clone(), task.python.clone());
    let chosen = tokio::task::spawn_blocking(move || interpreter::choose(&root, named.as_deref()));
    let python = match chosen.await {
        Ok(Ok(python)) => python,
        Ok(Err(message)) => return Err(Failure { message, ..Failure::default() }),
        Err(error) => return Err(Failure { message: error.to_string(), ..Failure::default() }),
    };
    let report = Report::ExactStarted {
        generation: task.generation,
        python: python.path.display().to_string(),
        reason: python.reason.clone(),
    };
    let _ = task.reports.send(report.into()).await;

    let worker = task.working.worker(&python.path);
    worker.warm_up();
    let metadata = {
        let current = task.current.lock().unwrap_or_else(PoisonError::into_inner);
        current.as_ref().map(|snapshot| snapshot.metadata.clone())
    };
    let (path, root) = (python.path.clone(), task.root.clone());
    let fingerprint = tokio::task::spawn_blocking(move || {
        let (conf, source) = match &metadata {
            Some(metadata) => (metadata.conf_source.clone(), metadata.source_dir.clone()),
            None => (root.join("conf"), root.join("src")),
        };
        exact::fingerprint(&root, &conf, &source, &path)
    });
    let fingerprint = fingerprint.await.unwrap_or_default();
    let mut key = exact::key(task.env.as_deref(), &python.path);
    let with_secrets = task.store.ask(Store::key).await.and_then(Result::ok).flatten();
    for (name, value) in &task.params {
        let value = match (params::is_secret(name, value), with_secrets) {
            (true, Some(key)) => key.mark_of(value),
            (true, None) => String::new(),
            (false, _) => value.clone(),
        };
        key += &format!("\n{name}={value}");
    }

    let (of, with) = (key.clone(), fingerprint.clone());
    let stored = task.store.ask(move |store| store.reading(&of, &with)).await;
    let stored = stored.and_then(Result::ok).flatten();
    let stored = stored.and_then(|text| serde_json::from_str(&text).ok());
    let (answer, stored) = match stored {
        Some(answer) => (answer, true),
        None => {
            let env = task.env.as_deref();
            let answer = exact::snapshot(&worker, env, &task.params).await?;
            let read = task.current.lock().unwrap_or_else(PoisonError::into_inner).clone();
            // Without the static reading it is not known which values are secrets.
            if let Some(read) = read {
                let text = exact_without_secrets(&answer, &read).to_string();
                let now = now();
                task.store.tell(&task.reports, move |store| {
                    store.save_reading(&key, &fingerprint, now, &text)
                });
            }
            (answer, false)
        }
    };
    let runtime_params = runtime_params(&task.params);
    let options = Options { env: task.env.clone(), runtime_params, ..Options::default() };
    let _ = task.reading.send(reading::Request::Exact {
        generation: task.generation,
        options,
        answer: Box::new(answer),
        stored,
    });
    Ok(())
}
