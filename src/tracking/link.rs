//! Links between runs of the project and tracked runs, in both directions.

use std::path::Path;

use super::entities::{Run, RunQuery, View};
use super::filter::{Attribute, Comparator, Compare, Expr, Field, Value};
use super::{Store, TrackingError};
use crate::store::{self, RunFilter, RunRecord, StoreError};

/// Tolerance in seconds: MLflow's clock has milliseconds, and is read slightly later than ours.
const SLACK: f64 = 0.01;
/// The tag of kedro-mlflow with the project's folder.
const PROJECT_PATH: &str = "project_path";

/// The id of the tracked run that began between two times (seconds since the Unix epoch) and has
/// kedro-mlflow's tag with the project's path. `None` if there is none, or more than one, because the result
/// must be certain.
///
/// # Errors
/// When the store can't be read.
/// When the store can't be read.
pub fn run_between(
    root: &Path,
    store: &Store,
    begin: f64,
    end: f64,
) -> Result<Option<String>, TrackingError> {
    let compare = |field, comparator, value| Expr::Compare(Compare { field, comparator, value });
    let time = |comparator, seconds: f64| {
        let value = Value::Number((seconds * 1e3).floor());
        compare(Field::Attribute(Attribute::Created), comparator, value)
    };
    let path = Value::Text(root.display().to_string());
    let filter = Expr::And(vec![
        compare(Field::Tag(PROJECT_PATH.to_owned()), Comparator::Equal, path),
        time(Comparator::GreaterOrEqual, begin - SLACK),
        time(Comparator::LessOrEqual, end + SLACK),
    ]);
    let query = RunQuery { filter, view: View::All, ..RunQuery::default() };
    let found = store.search_runs(&query)?.items.into_iter();
    // Nested runs have a tag that names their parent.
    let found: Vec<Run> = found.filter(|run| run.parent().is_none()).take(2).collect();
    Ok(<[Run; 1]>::try_from(found).ok().map(|[run]| run.id))
}

/// The tracked runs that the tasks of an Airflow run have logged to, newest first. Our DAG files have the tasks tag them.
///
/// # Errors
/// When the store can't be read.
pub fn runs_of_airflow(store: &Store, dag: &str, run: &str) -> Result<Vec<Run>, TrackingError> {
    let tag = |key: &str, text: &str| {
        let (field, value) = (Field::Tag(key.to_owned()), Value::Text(text.to_owned()));
        Expr::Compare(Compare { field, comparator: Comparator::Equal, value })
    };
    let filter = Expr::And(vec![tag("airflow.dag_id", dag), tag("airflow.run_id", run)]);
    Ok(store.search_runs(&RunQuery { filter, ..RunQuery::default() })?.items)
}

/// The pipeline runs of the project's history that have logged to a tracked run, or to its parent; newest
/// first. Empty if there is no history.
///
/// # Errors
/// When the history can't be read.
pub fn pipeline_runs(root: &Path, tracked: &Run) -> Result<Vec<RunRecord>, StoreError> {
    let mut store = store::Store::new(root);
    if !store.path().exists() {
        return Ok(Vec::new());
    }
    let ids = [Some(tracked.id.as_str()), tracked.parent()];
    for id in ids.into_iter().flatten() {
        let filter = RunFilter { mlflow_run: Some(id.to_owned()), ..RunFilter::default() };
        let found = store.runs(&filter)?;
        if !found.is_empty() {
            return Ok(found);
        }
    }
    Ok(Vec::new())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::store::NewRun;
    use crate::tracking::files::FileStore;

    #[test]
    fn the_one_run_of_the_time_and_project_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("mlruns");
        let write = |path: String, text: &str| {
            let path = root.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write("0/meta.yaml".to_owned(), "experiment_id: '0'\nname: Default\n");
        let runs = [("before", 9_000), ("own", 11_000), ("child", 12_000), ("other", 12_000)];
        for (id, start) in runs.into_iter().chain([("later", 21_000), ("latest", 22_000)]) {
            let meta = format!("run_id: {id}\nexperiment_id: '0'\nstart_time: {start}\n");
            write(format!("0/{id}/meta.yaml"), &meta);
            let project = if id == "other" { "/q" } else { "/p" };
            write(format!("0/{id}/tags/project_path"), project);
        }
        write("0/child/tags/mlflow.parentRunId".to_owned(), "own");
        let store = Store::Files(FileStore::new(&root));
        let between = |begin, end| run_between(Path::new("/p"), &store, begin, end).unwrap();
        assert_eq!(between(10.0, 20.0).as_deref(), Some("own"));
        assert_eq!(between(12.5, 20.0), None);
        assert_eq!(between(10.0, 30.0), None, "it could be either");
        assert_eq!(between(11.0, 11.0).as_deref(), Some("own"));
    }

    #[test]
    fn the_runs_of_an_airflow_run_are_found_by_their_tags() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("mlruns");
        let write = |path: String, text: &str| {
            let path = root.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write("0/meta.yaml".to_owned(), "experiment_id: '0'\nname: Default\n");
        let runs =
            [("a", "shop", "r1"), ("b", "shop", "r1"), ("c", "shop", "r2"), ("d", "other", "r1")];
        for (number, (id, dag, run)) in runs.into_iter().enumerate() {
            let meta = format!("run_id: {id}\nexperiment_id: '0'\nstart_time: {}000\n", number + 1);
            write(format!("0/{id}/meta.yaml"), &meta);
            write(format!("0/{id}/tags/airflow.dag_id"), dag);
            write(format!("0/{id}/tags/airflow.run_id"), run);
        }
        let store = Store::Files(FileStore::new(&root));
        let found = runs_of_airflow(&store, "shop", "r1").unwrap();
        assert_eq!(found.iter().map(|run| run.id.as_str()).collect::<Vec<_>>(), ["b", "a"]);
    }

    #[test]
    fn a_tracked_run_leads_to_the_run_that_made_it() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        let tracked = |id: &str, parent: Option<&str>| Run {
            id: id.to_owned(),
            tags: parent
                .map(|id| ("mlflow.parentRunId".to_owned(), id.to_owned()))
                .into_iter()
                .collect(),
            ..Run::default()
        };
        assert_eq!(pipeline_runs(root, &tracked("a", None)).unwrap(), []);
        let mut store = store::Store::new(root);
        let mut record = store.add_run(&NewRun::default()).unwrap();
        record.mlflow_run = Some("a".to_owned());
        let progress =
            store::Progress { record: &record, first: 0, entries: &[], nodes: &[], datasets: &[] };
        store.record(&progress).unwrap();
        let ids = |run: &Run| {
            pipeline_runs(root, run).unwrap().iter().map(|run| run.id).collect::<Vec<_>>()
        };
        assert_eq!(ids(&tracked("a", None)), [record.id]);
        assert_eq!(ids(&tracked("child", Some("a"))), [record.id]);
        assert!(ids(&tracked("b", None)).is_empty());
    }
}
