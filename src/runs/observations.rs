//! Observations of a run in the background (code version, files of datasets, MLflow run), and the
//! fingerprints of nodes computed from them.
//!
//! Nothing here blocks the run: results come back as [`Observation`] through a channel.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use tokio::sync::mpsc;

use super::event::{RunEvent, Stamped};
use super::subject::Subject;
use super::surroundings::{self, Moved, Surroundings};
use crate::dag::staleness::Content;
use crate::project::{Node, is_parameter, strip_transcoding};
use crate::store::{DatasetRecord, Direction, Keeping, Kept, RunId, RunRecord, StoredFingerprint};

/// A result of a background task.
pub(super) enum Observation {
    /// The surroundings of the run, such as its code version and interpreter.
    Surroundings(Box<Surroundings>),
    /// The files of datasets, and the content of each.
    Datasets(Vec<DatasetRecord>, Vec<Moved>),
    /// Id of the MLflow run that the run logged to, and its metrics; `None` if there is none for sure.
    MlflowRun(Option<(String, BTreeMap<String, f64>)>),
}

/// Contents of datasets, by name without transcoding.
type Contents = BTreeMap<String, Content>;

/// The observations so far.
pub(super) struct Observations {
    /// Number of the run; `None` until the run is recorded.
    run: Option<RunId>,
    /// Whether the run saves to its own folder and leaves the project's data alone.
    apart: bool,
    /// Files of kept datasets that the run loads, by dataset.
    taken: HashMap<String, String>,
    surroundings: Option<Arc<Surroundings>>,
    /// Loads and saves whose files were not examined yet.
    moved: Vec<DatasetRecord>,
    contents: HashMap<(String, Direction), Content>,
    /// Files of the in-memory datasets that this run keeps, by dataset.
    kept: HashMap<String, String>,
    /// The last save of each dataset, by name without transcoding.
    saves: HashMap<String, DatasetRecord>,
    /// Nodes that finished without an error and have no fingerprint yet.
    done: Vec<String>,
    found: mpsc::UnboundedSender<Observation>,
    /// Number of background tasks.
    seeking: usize,
    /// Number of those tasks that examine datasets.
    looking: usize,
}

impl Observations {
    pub(super) fn new(found: mpsc::UnboundedSender<Observation>) -> Self {
        Observations {
            run: None,
            apart: false,
            taken: HashMap::new(),
            surroundings: None,
            moved: Vec::new(),
            contents: HashMap::new(),
            kept: HashMap::new(),
            saves: HashMap::new(),
            done: Vec::new(),
            found,
            seeking: 0,
            looking: 0,
        }
    }

    /// Whether background tasks are running.
    pub(super) fn are_sought(&self) -> bool {
        self.seeking > 0
    }

    /// Starts the background task that reads the run's surroundings.
    pub(super) fn begin(&mut self, run: RunId, subject: Subject) {
        let Subject { root, request, asked, taken } = subject;
        (self.run, self.apart, self.taken) = (Some(run), request.apart.is_some(), taken);
        let found = self.found.clone();
        self.seeking += 1;
        tokio::spawn(async move {
            let surroundings = surroundings::find(root, request, asked.python).await;
            let _ = found.send(Observation::Surroundings(Box::new(surroundings)));
        });
    }

    /// Takes note of an event. Returns a kept dataset for the store, if the event is about one.
    pub(super) fn notice(
        &mut self,
        event: &Stamped,
        moved: Option<DatasetRecord>,
    ) -> Option<Keeping> {
        if let Some(moved) = moved {
            if moved.direction == Direction::Save {
                self.saves.insert(strip_transcoding(&moved.dataset).to_owned(), moved.clone());
            }
            self.moved.push(moved);
        }
        match &event.event {
            _ if self.apart => None,
            RunEvent::NodeFinished { node, .. } => {
                self.done.push(node.clone());
                None
            }
            // A saved dataset replaces the one kept before; if the new one is kept, a later event says so.
            RunEvent::DatasetSaved { dataset, .. } => {
                let base = strip_transcoding(dataset);
                self.kept.remove(base);
                Some(Keeping::Outdated(base.to_owned()))
            }
            RunEvent::DatasetKept { dataset, node, file, bytes, .. } => {
                let base = strip_transcoding(dataset).to_owned();
                self.kept.insert(base.clone(), file.clone());
                // The name of the file is a hash of the content.
                let saved = self.saves.remove(&base);
                let stamp = Some(format!("kept:{}", file.trim_end_matches(".pickle")));
                let size = Some(*bytes);
                let record = saved.map(|saved| DatasetRecord { stamp, bytes: size, ..saved });
                self.moved.extend(record);
                let run = self.run?;
                Some(Keeping::Kept(Kept {
                    dataset: base,
                    file: file.clone(),
                    bytes: *bytes,
                    node: node.clone(),
                    run,
                    made_at: event.at,
                }))
            }
            _ => None,
        }
    }

    /// Stores the surroundings.
    pub(super) fn know(&mut self, surroundings: Box<Surroundings>) {
        self.seeking -= 1;
        self.surroundings = Some(Arc::from(surroundings));
    }

    /// Stores the contents of datasets.
    pub(super) fn saw(&mut self, contents: Vec<Moved>) {
        self.seeking -= 1;
        self.looking -= 1;
        self.contents.extend(contents);
    }

    /// The search for the MLflow run has ended.
    pub(super) fn looked_for_mlflow_run(&mut self) {
        self.seeking -= 1;
    }

    /// Starts to examine the datasets that were loaded and saved, once the surroundings are known. Returns
    /// the fingerprints of nodes for which all contents are known.
    pub(super) fn look(&mut self, record: &RunRecord) -> Vec<StoredFingerprint> {
        let Some(surroundings) = self.surroundings.clone() else { return Vec::new() };
        if self.moved.is_empty() {
            return if self.looking == 0 {
                self.fingerprints(&surroundings, record)
            } else {
                Vec::new()
            };
        }
        let (found, moved) = (self.found.clone(), std::mem::take(&mut self.moved));
        let Some(run) = self.run else { return Vec::new() };
        self.seeking += 1;
        self.looking += 1;
        tokio::task::spawn_blocking(move || {
            let (datasets, contents) = surroundings::look(&surroundings, run, moved);
            let _ = found.send(Observation::Datasets(datasets, contents));
        });
        Vec::new()
    }

    /// The fingerprints of nodes that ended.
    fn fingerprints(
        &mut self,
        surroundings: &Surroundings,
        record: &RunRecord,
    ) -> Vec<StoredFingerprint> {
        let Some(run) = self.run else { return Vec::new() };
        let done = std::mem::take(&mut self.done);
        let fingerprint = |name: String| {
            let node = surroundings.node(&record.new.pipeline, &name)?;
            let mut fingerprint = surroundings.fingerprint(node);
            (fingerprint.inputs, fingerprint.outputs) = self.contents_of(surroundings, node);
            let json = serde_json::to_string(&fingerprint).ok()?;
            Some(StoredFingerprint { node: name, run, json })
        };
        done.into_iter().filter_map(fingerprint).collect()
    }

    fn contents_of(&self, surroundings: &Surroundings, node: &Node) -> (Contents, Contents) {
        let seen =
            |base: &str, direction| self.contents.get(&(base.to_owned(), direction)).cloned();
        let kept = |file: &String| Content::Kept(file.clone());
        let saved = |base: &str| {
            let kept = self.kept.get(base).map(kept);
            kept.or_else(|| seen(base, Direction::Save))
        };
        let loaded = |base: &str| {
            saved(base)
                .filter(|_| self.kept.contains_key(base))
                .or_else(|| seen(base, Direction::Load))
                .or_else(|| saved(base))
                .or_else(|| self.taken.get(base).map(kept))
                .or_else(|| surroundings.made.get(base).cloned())
        };
        let each = |names: &[String], content: &dyn Fn(&str) -> Option<Content>| {
            let names = names.iter().filter(|name| !is_parameter(name));
            names
                .map(|name| {
                    let base = strip_transcoding(name);
                    (base.to_owned(), content(base).unwrap_or(Content::Unseen))
                })
                .collect()
        };
        (each(&node.inputs, &loaded), each(&node.outputs, &saved))
    }

    /// Starts to search for the MLflow run of a run that has ended.
    pub(super) fn seek_mlflow_run(&mut self, record: &RunRecord) {
        let (Some(surroundings), Some(end)) = (self.surroundings.clone(), record.ended_at) else {
            return;
        };
        let (found, begin) = (self.found.clone(), record.new.started_at);
        let known = record.mlflow_run.clone();
        self.seeking += 1;
        tokio::task::spawn_blocking(move || {
            let run = surroundings::mlflow_run(&surroundings.snapshot, known, begin, end);
            let _ = found.send(Observation::MlflowRun(run));
        });
    }
}
