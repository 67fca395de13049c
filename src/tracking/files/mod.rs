//! MLflow's file store (`mlruns/`), read in place: a folder for each experiment with a folder for each run,
//! deleted experiments in `.trash/`, registered models in `models/`.
//!
//! Nothing is written. A folder that can't be read is listed among the problems; all others are still read.

mod follow;
mod lines;
mod logged;
mod reader;
mod registry;
mod runs;
#[cfg(test)]
mod tests;

use std::path::PathBuf;

pub use follow::Follower;
use serde::Deserialize;

use self::reader::Reader;
use super::TrackingError;
use super::entities::{
    Experiment, LoggedModel, Model, ModelVersion, Point, Results, Run, RunQuery, View,
};
use super::filter::{Attribute, Expr, Field, Matcher, Order, Searched, compare_by};
use super::searched::without_prompts;

/// Folder of deleted experiments.
const TRASH: &str = ".trash";
/// Folder of registered models; inside an experiment, of its logged models.
const MODELS: &str = "models";
/// Folder of an experiment's traces.
const TRACES: &str = "traces";
/// Folders of an experiment that are not runs.
const RESERVED: [&str; 4] = ["tags", "datasets", TRACES, MODELS];

/// A file store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileStore {
    root: PathBuf,
}

/// The folder of an experiment.
struct Place {
    id: String,
    folder: PathBuf,
    deleted: bool,
}

#[derive(Deserialize)]
struct Meta {
    experiment_id: String,
    name: String,
    #[serde(default)]
    artifact_location: Option<String>,
    #[serde(default)]
    lifecycle_stage: Option<String>,
    #[serde(default)]
    creation_time: Option<i64>,
    #[serde(default)]
    last_update_time: Option<i64>,
    #[serde(default)]
    workspace: Option<String>,
}

impl FileStore {
    /// The store in a folder, such as `mlruns`.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        FileStore { root: root.into() }
    }

    /// The experiments, newest first.
    ///
    /// # Errors
    /// When the store's folder can't be read.
    pub fn experiments(&self, view: View) -> Result<Vec<Experiment>, TrackingError> {
        self.search_experiments(&Expr::default(), &[], view).map(|found| found.items)
    }

    /// The experiments that match a filter, in MLflow's order.
    ///
    /// # Errors
    /// When the store's folder can't be read.
    pub fn search_experiments(
        &self,
        filter: &Expr,
        order: &[Order],
        view: View,
    ) -> Result<Results<Experiment>, TrackingError> {
        let mut reader = self.reader()?;
        let mut places = self.places(&mut reader);
        places.retain(|place| match view {
            View::Active => !place.deleted,
            View::Deleted => place.deleted,
            View::All => true,
        });
        let matcher = Matcher::new(filter, 0);
        let found = reader.all(&places, |reader, place| {
            experiment(reader, place).filter(|experiment| matcher.accepts(experiment))
        });
        let default = [by(Attribute::Created, false), by(Attribute::Id, true)];
        let ties = [by(Attribute::Id, false)];
        Ok(sorted(reader, found, order, &default, &ties))
    }

    /// The runs that match, in MLflow's order.
    ///
    /// # Errors
    /// When the store's folder can't be read.
    pub fn search_runs(&self, query: &RunQuery) -> Result<Results<Run>, TrackingError> {
        let mut reader = self.reader()?;
        let mut folders = Vec::new();
        for place in self.asked(&mut reader, query.experiments.as_deref()) {
            let runs = reader.folders(&place.folder).into_iter();
            let runs = runs.filter(|(name, _)| !RESERVED.contains(&name.as_str()));
            folders.extend(runs.map(|(_, folder)| (place.id.clone(), folder)));
        }
        let matcher = Matcher::new(&query.filter, query.now);
        let mut found = reader.all(&folders, |reader, (experiment, folder)| {
            let run = runs::read(reader, experiment, folder, query.view)?;
            let held = runs::Held { run, folder: folder.clone(), root: &self.root };
            matcher.accepts(&held).then_some(held.run)
        });
        query.sort(&mut found);
        Ok(Results { problems: reader.problems, ..Results::of(found, query.limit) })
    }

    /// The run with an id, and messages about unreadable parts; `None` if there is no such run.
    ///
    /// # Errors
    /// When the store's folder can't be read.
    pub fn run(&self, id: &str) -> Result<Option<(Run, Vec<String>)>, TrackingError> {
        let mut reader = self.reader()?;
        let folders = self.run_folders(&mut reader, id);
        let run =
            folders.iter().find_map(|(id, folder)| runs::read(&mut reader, id, folder, View::All));
        Ok(run.map(|run| (run, reader.problems)))
    }

    /// All values of a metric in the order in which they were logged; empty if the run has no such metric.
    ///
    /// # Errors
    /// When the store's folder or the metric's file can't be read; the error has the number of an invalid
    /// line.
    pub fn history(&self, run_id: &str, metric: &str) -> Result<Vec<Point>, TrackingError> {
        let mut reader = self.reader()?;
        for (_, folder) in self.run_folders(&mut reader, run_id) {
            match reader.metric(&folder.join("metrics"), metric, lines::history) {
                Ok(Some(points)) => return Ok(points),
                Ok(None) => {}
                Err((path, reason)) => {
                    return Err(TrackingError::Files { path: reader.named(&path), reason });
                }
            }
        }
        Ok(Vec::new())
    }

    /// The registered models that match, in MLflow's order; without prompts, unless the filter names their
    /// tag.
    ///
    /// # Errors
    /// When the store's folder can't be read.
    pub fn models(&self, filter: &Expr, order: &[Order]) -> Result<Results<Model>, TrackingError> {
        let mut reader = self.reader()?;
        let folders = reader.folders(&self.root.join(MODELS));
        let matcher = Matcher::new(&without_prompts(filter), 0);
        let found = reader.all(&folders, |reader, (_, folder)| {
            registry::model(reader, folder).filter(|model| matcher.accepts(model))
        });
        let ties = [by(Attribute::Name, true)];
        Ok(sorted(reader, found, order, &ties, &ties))
    }

    /// The model versions that match, in MLflow's order; without prompts, unless the filter names their tag.
    ///
    /// # Errors
    /// When the store's folder can't be read.
    pub fn versions(
        &self,
        filter: &Expr,
        order: &[Order],
    ) -> Result<Results<ModelVersion>, TrackingError> {
        let mut reader = self.reader()?;
        let folders = reader.folders(&self.root.join(MODELS));
        let matcher = Matcher::new(&without_prompts(filter), 0);
        let found = reader.all(&folders, |reader, (_, folder)| {
            let mut versions = registry::versions(reader, folder);
            versions.retain(|version| matcher.accepts(version));
            Some(versions)
        });
        let ties = [by(Attribute::Name, true), by(Attribute::Version, false)];
        let default = [&[by(Attribute::Updated, false)], &ties[..]].concat();
        Ok(sorted(reader, found.concat(), order, &default, &ties))
    }

    /// The logged models that match, in MLflow's order, of some experiments or of all.
    ///
    /// # Errors
    /// When the store's folder can't be read.
    pub fn logged_models(
        &self,
        experiments: Option<&[String]>,
        filter: &Expr,
        order: &[Order],
    ) -> Result<Results<LoggedModel>, TrackingError> {
        let mut reader = self.reader()?;
        let mut folders = Vec::new();
        for place in self.asked(&mut reader, experiments) {
            let models = reader.folders(&place.folder.join(MODELS)).into_iter();
            folders.extend(models.map(|(_, folder)| (place.id.clone(), folder)));
        }
        let matcher = Matcher::new(filter, 0);
        let mut found = reader.all(&folders, |reader, (experiment, folder)| {
            logged::read(reader, experiment, folder).filter(|model| matcher.accepts(model))
        });
        let ties = [by(Attribute::Created, false), by(Attribute::Id, true)];
        let order = [order, &ties].concat();
        found.sort_by(|a, b| compare_by(&order, &logged::Ordered(a), &logged::Ordered(b)));
        Ok(Results { problems: reader.problems, ..Results::of(found, None) })
    }

    /// The number of traces in experiments.
    ///
    /// # Errors
    /// When the store's folder can't be read.
    pub fn traces(&self, experiments: &[String]) -> Result<u64, TrackingError> {
        let mut reader = self.reader()?;
        let places = self.asked(&mut reader, Some(experiments)).into_iter();
        let count = places.map(|place| reader.folders(&place.folder.join(TRACES)).len() as u64);
        Ok(count.sum())
    }

    fn reader(&self) -> Result<Reader<'_>, TrackingError> {
        match std::fs::read_dir(&self.root) {
            Ok(_) => Ok(Reader::new(&self.root)),
            Err(error) => Err(TrackingError::Files {
                path: self.root.display().to_string(),
                reason: format!("the file store can't be read: {error}"),
            }),
        }
    }

    /// The folders of all experiments.
    fn places(&self, reader: &mut Reader<'_>) -> Vec<Place> {
        let mut places = Vec::new();
        for (folder, deleted) in [(self.root.clone(), false), (self.root.join(TRASH), true)] {
            let folders = reader.folders(&folder).into_iter();
            // The folder of the model registry is at the same level, and other programs may add folders.
            let folders = folders.filter(|(id, _)| is_id(id) && (deleted || id != MODELS));
            places.extend(folders.map(|(id, folder)| Place { id, folder, deleted }));
        }
        places
    }

    /// The folders of the experiments with these ids, or of all.
    fn asked(&self, reader: &mut Reader<'_>, ids: Option<&[String]>) -> Vec<Place> {
        let mut places = self.places(reader);
        if let Some(ids) = ids {
            places.retain(|place| ids.contains(&place.id));
        }
        places
    }

    /// The possible folders of a run with their experiments; more than one only if folders were copied.
    fn run_folders(&self, reader: &mut Reader<'_>, id: &str) -> Vec<(String, PathBuf)> {
        if !is_id(id) || RESERVED.contains(&id) {
            return Vec::new();
        }
        let places = self.places(reader).into_iter();
        let mut folders: Vec<_> = places.map(|place| (place.id, place.folder.join(id))).collect();
        folders.retain(|(_, folder)| folder.join(reader::META).is_file());
        folders
    }
}

/// Whether a text can be an id, and so is safe as the name of a subfolder (`_validate_run_id`).
fn is_id(text: &str) -> bool {
    let letter = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-');
    text.starts_with(char::is_alphanumeric) && text.chars().all(letter)
}

fn experiment(reader: &mut Reader<'_>, place: &Place) -> Option<Experiment> {
    let Some(meta) = reader.meta::<Meta>(&place.folder) else {
        if !place.folder.join(reader::META).exists() {
            reader.note(&place.folder, "the experiment has no meta.yaml");
        }
        return None;
    };
    if meta.experiment_id != place.id {
        reader.note(&place.folder.join(reader::META), "it describes another experiment");
        return None;
    }
    Some(Experiment {
        id: meta.experiment_id,
        name: meta.name,
        artifact_location: meta.artifact_location.unwrap_or_default(),
        lifecycle_stage: meta.lifecycle_stage.unwrap_or_else(|| "active".to_owned()),
        creation_time: meta.creation_time,
        last_update_time: meta.last_update_time,
        workspace: meta.workspace,
        tags: reader.texts(&place.folder.join("tags")),
    })
}

fn by(attribute: Attribute, ascending: bool) -> Order {
    Order { field: Field::Attribute(attribute), ascending }
}

/// Sorts by `orders`, then by `ties`; if there is no order, in the default order.
fn sorted<T: Searched>(
    reader: Reader<'_>,
    mut found: Vec<T>,
    order: &[Order],
    default: &[Order],
    ties: &[Order],
) -> Results<T> {
    let order = match order {
        [] => default.to_vec(),
        order => [order, ties].concat(),
    };
    found.sort_by(|a, b| compare_by(&order, a, b));
    Results { problems: reader.problems, ..Results::of(found, None) }
}
