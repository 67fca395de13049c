//! The exact reading: Kedro's own answer, from the store if no source has changed since, else from
//! the worker. Dropping the task kills its process.

use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::time::Duration;

use super::context::Context;
use super::reading;
use crate::app::{effect::Generation, event::Report};
use crate::project::Options;
use crate::project::json::exact_without_secrets;
use crate::project::reader::runtime_params;
use crate::runs::params::{self, Params};
use crate::runs::{Failure, exact, interpreter};
use crate::store::{Store, now};

/// What to read.
pub(super) struct Task {
    pub generation: Generation,
    pub env: Option<String>,
    pub params: Params,
    /// Whether there was an earlier request: the user is editing, and may save again soon.
    pub again: bool,
    pub reading: Sender<reading::Request>,
}

/// How long a repeated exact reading waits for further changes, because each takes seconds of CPU time.
const CALM: Duration = Duration::from_millis(1_500);

/// Reads, and reports the answer through the reading service, which merges it with the static reading.
pub(super) async fn read(context: Arc<Context>, task: Task) {
    let generation = task.generation;
    if task.again {
        tokio::time::sleep(CALM).await;
    }
    if let Err(failure) = attempt(&context, &task).await {
        context.send(Report::Exact { generation, result: Err(failure), stored: false }).await;
    }
}

async fn attempt(context: &Context, task: &Task) -> Result<(), Failure> {
    let (root, named) = (context.root.clone(), context.python.clone());
    let chosen = tokio::task::spawn_blocking(move || interpreter::choose(&root, named.as_deref()));
    let python = match chosen.await {
        Ok(Ok(python)) => python,
        Ok(Err(error)) => {
            return Err(Failure { message: error.line(), ..Failure::default() });
        }
        Err(error) => return Err(Failure { message: error.to_string(), ..Failure::default() }),
    };
    let report = Report::ExactStarted {
        generation: task.generation,
        python: python.path.display().to_string(),
        reason: python.reason.clone(),
    };
    context.send(report).await;

    let worker = context.working.worker(&python.path);
    worker.warm_up();
    let snapshot = context.snapshot();
    let (path, root) = (python.path.clone(), context.root.clone());
    let fingerprint = tokio::task::spawn_blocking(move || {
        let (conf, source) = match snapshot.map(|snapshot| snapshot.metadata.clone()) {
            Some(metadata) => (metadata.conf_source, metadata.source_dir),
            None => (root.join("conf"), root.join("src")),
        };
        exact::fingerprint(&root, &conf, &source, &path)
    });
    let fingerprint = fingerprint.await.unwrap_or_default();
    let mut key = exact::key(task.env.as_deref(), &python.path);
    let with_secrets = context.store.ask(Store::key).await.and_then(Result::ok).flatten();
    for (name, value) in &task.params {
        let value = match (params::is_secret(name, value), with_secrets) {
            (true, Some(key)) => key.mark_of(value),
            (true, None) => String::new(),
            (false, _) => value.clone(),
        };
        key += &format!("\n{name}={value}");
    }

    let (of, with) = (key.clone(), fingerprint.clone());
    let stored = context.store.ask(move |store| store.reading(&of, &with)).await;
    let stored = stored.and_then(Result::ok).flatten();
    let stored = stored.and_then(|text| serde_json::from_str(&text).ok());
    let (answer, stored) = match stored {
        Some(answer) => (answer, true),
        None => {
            let env = task.env.as_deref();
            let answer = exact::snapshot(&worker, env, &task.params).await?;
            let read = context.snapshot();
            // Only the static reading knows which values are secrets.
            if let Some(read) = read {
                let text = exact_without_secrets(&answer, &read).to_string();
                let now = now();
                context.store.tell(move |store| store.save_reading(&key, &fingerprint, now, &text));
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
