//! Artifacts of runs and files of models, from the server.

use std::io::Read;

use serde::Deserialize;
use serde_json::json;

use super::shapes::whole;
use super::transport::Failure;
use super::{RestStore, get};
use crate::tracking::TrackingError;
use crate::tracking::artifacts::{Artifact, MOST_ENTRIES};

#[derive(Deserialize)]
struct OfFile {
    path: String,
    #[serde(default)]
    is_dir: bool,
    #[serde(default, deserialize_with = "whole")]
    file_size: Option<i64>,
}

impl RestStore {
    /// The entries of a folder among a run's artifacts, sorted by name, and whether there are more; empty if
    /// there is no such folder.
    ///
    /// # Errors
    /// When the request to the server fails.
    pub fn artifacts(
        &self,
        run_id: &str,
        folder: &str,
    ) -> Result<(Vec<Artifact>, bool), TrackingError> {
        let mut asked = json!({"run_id": run_id});
        if !folder.is_empty() {
            asked["path"] = folder.into();
        }
        let (mut found, mut more) = (Vec::new(), false);
        let ask = get("/api/2.0/mlflow/artifacts/list", asked);
        self.pages(&ask, "files", MOST_ENTRIES, |file: OfFile| {
            more = found.len() == MOST_ENTRIES;
            if !more {
                // The server omits a size of zero.
                let size = u64::try_from(file.file_size.unwrap_or(0)).ok();
                found.push(Artifact {
                    path: file.path,
                    is_dir: file.is_dir,
                    size: size.filter(|_| !file.is_dir),
                });
            }
            !more
        })
        .map_err(|failure| self.failed(failure))?;
        found.sort_by(|a, b| a.path.cmp(&b.path));
        Ok((found, more))
    }

    /// A file among a run's artifacts, as a stream.
    ///
    /// # Errors
    /// When the request to the server fails, or the server has no such file.
    pub fn artifact(&self, run_id: &str, path: &str) -> Result<Box<dyn Read>, TrackingError> {
        self.file("/get-artifact", json!({"run_id": run_id, "path": path}))
    }

    /// A file of a version of a registered model, as a stream.
    ///
    /// # Errors
    /// When the request to the server fails, or the server has no such file.
    pub fn model_file(
        &self,
        model: &str,
        version: i64,
        path: &str,
    ) -> Result<Box<dyn Read>, TrackingError> {
        let asked = json!({"name": model, "version": version.to_string(), "path": path});
        self.file("/model-versions/get-artifact", asked)
    }

    fn file(
        &self,
        path: &'static str,
        asked: serde_json::Value,
    ) -> Result<Box<dyn Read>, TrackingError> {
        let file: Result<_, Failure> = self.transport.open(&get(path, asked));
        file.map(|file| Box::new(file) as Box<dyn Read>).map_err(|failure| self.failed(failure))
    }
}
