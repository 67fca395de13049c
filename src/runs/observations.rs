//! What is found out beside a run while it goes on, and the fingerprints of its nodes that follow from it.
//!
//! Nothing is waited for: what is sought comes back as [`Observation`] through a channel.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use tokio::sync::mpsc;

use super::event::{RunEvent, Stamped};
use super::subject::Subject;
use super::surroundings::{self, Moved, Surroundings};
use crate::dag::staleness::Content;
use crate::project::{Node, is_parameter, strip_transcoding};
use crate::store::{DatasetRecord, Direction, Keeping, Kept, RunId, RunRecord, StoredFingerprint};

/// Something that was found out.
pub(super) enum Observation {
    /// What is known of the run's surroundings.
    Surroundings(Box<Surroundings>),
    /// The files of datasets, and what they hold.
    Datasets(Vec<DatasetRecord>, Vec<Moved>),
    /// The MLflow run that it logged to.
    MlflowRun(Option<String>),
}

/// What datasets held, by name without transcoding.
type Contents = BTreeMap<String, Content>;

/// What is known so far.
pub(super) struct Observations {
    run: RunId,
    /// Whether it saves elsewhere and leaves the project as it was.
    apart: bool,
    /// Files of kept datasets that the run takes.
    taken: HashMap<String, String>,
    surroundings: Option<Arc<Surroundings>>,
    /// What was loaded and saved and not looked at yet.
    moved: Vec<DatasetRecord>,
    contents: HashMap<(String, Direction), Content>,
    /// Files of the datasets in memory that this run keeps.
    kept: HashMap<String, String>,
    /// Nodes that ended well, and whose fingerprints are not made yet.
    done: Vec<String>,
    found: mpsc::UnboundedSender<Observation>,
    /// How much is being found out.
    seeking: usize,
    /// How much of that is about datasets.
    looking: usize,
}

impl Observations {
    pub(super) fn new(found: mpsc::UnboundedSender<Observation>) -> Self {
        Observations {
            run: 0,
            apart: false,
            taken: HashMap::new(),
            surroundings: None,
            moved: Vec::new(),
            contents: HashMap::new(),
            kept: HashMap::new(),
            done: Vec::new(),
            found,
            seeking: 0,
            looking: 0,
        }
    }

    /// Whether something is still being found out.
    pub(super) fn are_sought(&self) -> bool {
        self.seeking > 0
    }

    /// Begins to find out what is known beside the run.
    pub(super) fn begin(&mut self, run: RunId, subject: Subject) {
        let Subject { root, request, asked, taken } = subject;
        (self.run, self.apart, self.taken) = (run, request.apart.is_some(), taken);
        let found = self.found.clone();
        self.seeking += 1;
        tokio::spawn(async move {
            let surroundings = surroundings::find(root, request, asked.python).await;
            let _ = found.send(Observation::Surroundings(Box::new(surroundings)));
        });
    }

    /// Follows the run. Gives what becomes of kept datasets.
    pub(super) fn notice(
        &mut self,
        event: &Stamped,
        moved: Option<DatasetRecord>,
    ) -> Option<Keeping> {
        self.moved.extend(moved);
        match &event.event {
            _ if self.apart => None,
            RunEvent::NodeFinished { node, .. } => {
                self.done.push(node.clone());
                None
            }
            // Saved anew, it is not what was kept before; whether it is kept comes after.
            RunEvent::DatasetSaved { dataset, .. } => {
                let base = strip_transcoding(dataset);
                self.kept.remove(base);
                Some(Keeping::Outdated(base.to_owned()))
            }
            RunEvent::DatasetKept { dataset, node, file, bytes, .. } => {
                let base = strip_transcoding(dataset).to_owned();
                self.kept.insert(base.clone(), file.clone());
                Some(Keeping::Kept(Kept {
                    dataset: base,
                    file: file.clone(),
                    bytes: *bytes,
                    node: node.clone(),
                    run: self.run,
                    made_at: event.at,
                }))
            }
            _ => None,
        }
    }

    /// Takes in the surroundings.
    pub(super) fn know(&mut self, surroundings: Box<Surroundings>) {
        self.seeking -= 1;
        self.surroundings = Some(Arc::from(surroundings));
    }

    /// Takes in what datasets hold.
    pub(super) fn saw(&mut self, contents: Vec<Moved>) {
        self.seeking -= 1;
        self.looking -= 1;
        self.contents.extend(contents);
    }

    /// The search for the MLflow run is over.
    pub(super) fn looked_for_mlflow_run(&mut self) {
        self.seeking -= 1;
    }

    /// Begins to look at what was loaded and saved, once it is known where it lies. Gives the fingerprints of
    /// nodes of which all is known.
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
        let run = self.run;
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
        let done = std::mem::take(&mut self.done);
        let fingerprint = |name: String| {
            let node = surroundings.node(&record.new.pipeline, &name)?;
            let mut fingerprint = surroundings.fingerprint(node);
            (fingerprint.inputs, fingerprint.outputs) = self.contents_of(surroundings, node);
            let json = serde_json::to_string(&fingerprint).ok()?;
            Some(StoredFingerprint { node: name, run: self.run, json })
        };
        done.into_iter().filter_map(fingerprint).collect()
    }

    fn contents_of(&self, surroundings: &Surroundings, node: &Node) -> (Contents, Contents) {
        let of = |base: &str, direction| self.contents.get(&(base.to_owned(), direction)).cloned();
        let kept = |file: &String| Content::Kept(file.clone());
        let saved = |base: &str| {
            let kept = self.kept.get(base).map(kept);
            kept.or_else(|| of(base, Direction::Save))
        };
        let loaded = |base: &str| {
            saved(base)
                .filter(|_| self.kept.contains_key(base))
                .or_else(|| of(base, Direction::Load))
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

    /// Begins to look for the MLflow run of a run that has ended.
    pub(super) fn seek_mlflow_run(&mut self, record: &RunRecord) {
        let (Some(surroundings), Some(end)) = (self.surroundings.clone(), record.ended_at) else {
            return;
        };
        let (found, begin) = (self.found.clone(), record.new.started_at);
        self.seeking += 1;
        tokio::task::spawn_blocking(move || {
            let run = surroundings::mlflow_run(&surroundings.snapshot, begin, end);
            let _ = found.send(Observation::MlflowRun(run));
        });
    }
}
