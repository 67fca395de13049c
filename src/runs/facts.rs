//! What is found out about a run beside it: its code, its parameters, its Python, its datasets' files.
//!
//! None of it is needed for the run to go on, so nothing here is waited for.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use super::code_version;
use super::request::RunRequest;
use crate::datasets;
use crate::project::json::value_to_json;
use crate::project::reader::runtime_params;
use crate::project::{Options, Reader, Snapshot};
use crate::store::{CodeVersion, DatasetRecord, Direction, Store, StoreError};
use crate::tracking;

/// How long Python may take to say its version.
const LIMIT: Duration = Duration::from_secs(10);

/// What is known of a run's surroundings.
#[derive(Debug, Clone, Default)]
pub(super) struct Facts {
    /// The project as its files tell it, for this run's environment and parameters.
    pub snapshot: Arc<Snapshot>,
    pub code: Option<CodeVersion>,
    /// Hash of the kept parameters.
    pub parameters: Option<String>,
    pub python_version: Option<String>,
}

/// Finds them out.
pub(super) async fn find(root: PathBuf, request: RunRequest, python: String) -> Facts {
    let of = root.clone();
    let read = tokio::task::spawn_blocking(move || {
        let options = Options {
            env: request.env.clone(),
            runtime_params: runtime_params(&request.params),
            conf_source: request.conf_source.as_ref().map(PathBuf::from),
        };
        Reader::new(of).read(&options)
    });
    let code = async {
        let snapshot = read.await.unwrap_or_default();
        let code = code_version::of(&root, &snapshot.metadata.conf_source).await;
        (Arc::new(snapshot), code)
    };
    let ((snapshot, code), python_version) = tokio::join!(code, python_version(&python));
    let mut facts = Facts { snapshot, python_version, ..Facts::default() };
    let parameters = value_to_json(&facts.snapshot.parameters.value).to_string();
    let kept = tokio::task::spawn_blocking(move || keep(&root, code, &parameters)).await;
    match kept {
        Ok(Ok((code, parameters))) => {
            facts.code = code;
            facts.parameters = Some(parameters);
        }
        Ok(Err(error)) => tracing::debug!(%error, "code and parameters are not kept"),
        Err(error) => tracing::debug!(%error, "code and parameters are not kept"),
    }
    facts
}

/// Keeps the texts, and gives the code's version and the parameters' hash.
fn keep(
    root: &Path,
    code: Option<code_version::Code>,
    parameters: &str,
) -> Result<(Option<CodeVersion>, String), StoreError> {
    let mut store = Store::new(root);
    let code = match code {
        Some(code_version::Code { mut version, diff }) => {
            version.diff = diff.map(|diff| store.keep_text(&diff)).transpose()?;
            Some(version)
        }
        None => None,
    };
    Ok((code, store.keep_text(parameters)?))
}

/// What the interpreter says of itself; nothing of the project or its packages is imported.
async fn python_version(python: &str) -> Option<String> {
    let code = "import sys; print('%d.%d.%d' % sys.version_info[:3])";
    let output = tokio::process::Command::new(python)
        .args(["-I", "-S", "-c", code])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = tokio::time::timeout(LIMIT, output).await.ok()?.ok()?;
    let version = String::from_utf8(output.stdout).ok()?.trim().to_owned();
    (output.status.success() && !version.is_empty()).then_some(version)
}

/// The MLflow run that a run has logged to, where it is known for sure.
pub(super) fn mlflow_run(root: &Path, snapshot: &Snapshot, begin: f64, end: f64) -> Option<String> {
    let uri = std::env::var("MLFLOW_TRACKING_URI").ok().filter(|uri| !uri.is_empty());
    let conf = &snapshot.metadata.conf_source;
    let location = tracking::locate(root, conf, &snapshot.env, uri.as_deref())?;
    tracking::run_between(root, &location, begin, end).ok().flatten()
}

/// Looks at the files of what was loaded and saved; gives back those that have one.
pub(super) fn look(snapshot: &Snapshot, moved: Vec<DatasetRecord>) -> Vec<DatasetRecord> {
    let root = &snapshot.metadata.root;
    // What many nodes load is looked at once.
    let mut seen: HashMap<String, Option<datasets::Stamp>> = HashMap::new();
    let mut found = Vec::new();
    for mut record in moved {
        let Some(dataset) = snapshot.datasets.get(&record.dataset) else { continue };
        if record.direction == Direction::Save {
            seen.remove(&record.dataset);
        }
        let stamp =
            seen.entry(record.dataset.clone()).or_insert_with(|| datasets::stamp(root, dataset));
        let Some(stamp) = stamp else { continue };
        record.bytes = Some(stamp.bytes);
        record.stamp = Some(stamp.text.clone());
        record.metrics =
            stamp.metrics.as_ref().and_then(|metrics| serde_json::to_string(metrics).ok());
        found.push(record);
    }
    found
}
