//! What has changed since a time: the runs and task instances whose rows were written since then (`updated_at_gte`).
//!
//! No answer says when a row was written, and the lists can't be ordered by it. So the time to ask from comes from the
//! server's clock, and rows are read again that were written shortly before.

use std::collections::HashSet;
use std::hash::Hash;
use std::time::Instant;

use super::super::backend::RemoteError;
use super::super::model::Changes;
use super::PAGE;
use super::session::{Api, Session, segment, value};
use super::shapes::{DagRun, Runs, TaskInstance, TaskInstances};

/// Seconds before an answer that are asked for again. A row's time is that of a scheduler or worker, whose clock differs
/// from the API server's, and the row is seen only once its transaction ends.
const OVERLAP: f64 = 5.0;
/// How often a list is read until no row is missing. Rows can move to a page that was read already when others change
/// meanwhile, and Airflow 2 gives task instances in no order.
const READINGS: usize = 3;

/// What has changed since a time; without one, only the time to begin from.
///
/// # Errors
/// When the server does not answer, refuses, or does not say what time it is.
pub(super) fn since(
    session: &Session,
    pipeline: Option<&str>,
    since: Option<f64>,
) -> Result<Changes, RemoteError> {
    let dag = pipeline.map_or_else(|| "~".to_owned(), segment);
    let begin = Instant::now();
    let Some(since) = since else {
        let (_, date) = session.get_dated::<Runs>(&format!("dags/{dag}/dagRuns?limit=1"))?;
        let next = next(date, begin)?;
        return Ok(Changes { next, requests: 1, ..Changes::default() });
    };
    let since_text = value(&text(since));
    // Airflow 2 can't order task instances.
    let order = if session.api()? == Api::V2 { "&order_by=id" } else { "" };
    let path = format!("dags/{dag}/dagRuns?updated_at_gte={since_text}&order_by=id");
    let runs = rows(session, &path, |page: Runs| {
        let rows = page.dag_runs.into_iter().map(DagRun::run);
        (rows.map(|run| (run.id.clone(), run)).collect(), page.total_entries)
    })?;
    let next = next(runs.date, begin)?;
    let path = format!("dags/{dag}/dagRuns/~/taskInstances?updated_at_gte={since_text}{order}");
    let tasks = rows(session, &path, |page: TaskInstances| {
        let row = |found: TaskInstance| {
            let (id, task) = (found.run(), found.task());
            ((id.clone(), task.id.clone(), task.index), (id, task))
        };
        (page.task_instances.into_iter().map(row).collect(), page.total_entries)
    })?;
    Ok(Changes {
        // What may be missing comes with the next look.
        next: if runs.is_whole && tasks.is_whole { next } else { since.min(next) },
        requests: runs.requests + tasks.requests,
        runs: runs.rows,
        tasks: tasks.rows,
    })
}

/// Where to ask from after an answer of this time: the rows were read before it.
fn next(date: Option<f64>, begin: Instant) -> Result<f64, RemoteError> {
    let date = date.ok_or(RemoteError::Unable(
        "The server's answers have no date, so it can't be asked what has changed.",
    ))?;
    Ok(date - begin.elapsed().as_secs_f64() - OVERLAP)
}

/// A time for a query. It needs a zone.
fn text(seconds: f64) -> String {
    jiff::Timestamp::from_microsecond((seconds * 1e6) as i64).unwrap_or_default().to_string()
}

/// All pages of a list.
struct Rows<R> {
    rows: Vec<R>,
    /// Whether no row is missing.
    is_whole: bool,
    /// The server's time of the first answer.
    date: Option<f64>,
    requests: usize,
}

fn rows<T: serde::de::DeserializeOwned, K: Eq + Hash, R>(
    session: &Session,
    path: &str,
    of: impl Fn(T) -> (Vec<(K, R)>, Option<usize>),
) -> Result<Rows<R>, RemoteError> {
    let mut all = Rows { rows: Vec::new(), is_whole: true, date: None, requests: 0 };
    let mut keys = HashSet::new();
    let (mut offset, mut readings) = (0, 1);
    loop {
        let page = format!("{path}&limit={PAGE}&offset={offset}");
        let (answer, date) = session.get_dated(&page)?;
        let (found, total) = of(answer);
        all.requests += 1;
        all.date = all.date.or(date);
        let is_empty = found.is_empty();
        offset += found.len();
        for (key, row) in found {
            keys.insert(key);
            all.rows.push(row);
        }
        if is_empty || total.is_none_or(|total| offset >= total) {
            all.is_whole = total.is_none_or(|total| keys.len() >= total);
            if all.is_whole || readings == READINGS {
                return Ok(all);
            }
            (offset, readings) = (0, readings + 1);
        }
    }
}
