//! MLflow's file store, written by several versions of MLflow and compared with what these say about it.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use mlops_tui::tracking::entities::{
    DatasetInput, Experiment, LoggedModel, Model, ModelVersion, Run, RunQuery, View,
};
use mlops_tui::tracking::files::FileStore;
use mlops_tui::tracking::filter::{Entity, Field, FilterError, Order, parse, parse_order};
use serde_json::{Value as Json, json};

use crate::python;

/// A store of one version of MLflow.
struct Written {
    folder: tempfile::TempDir,
    python: PathBuf,
    store: FileStore,
}

impl Written {
    fn by(version: &str) -> Self {
        let requirements = format!("tests/tracking/requirements-{version}.txt");
        let python = python::environment(&requirements, Some("3.11"));
        let folder = tempfile::tempdir().unwrap();
        let mut write = Command::new(&python);
        write.arg("tests/tracking/write.py").arg("files").arg(folder.path());
        assert!(write.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap().success());
        let store = FileStore::new(folder.path().join("mlruns"));
        Written { folder, python, store }
    }

    /// What a script of the same version says about the store.
    fn ask(&self, script: &str, input: Stdio) -> String {
        let uri = format!("file://{}/mlruns", self.folder.path().display());
        let mut command = Command::new(&self.python);
        command.arg(Path::new("tests/tracking").join(script)).arg(uri);
        let output = command.stdin(input).stderr(Stdio::null()).output().unwrap();
        assert!(output.status.success(), "{script}: {}", output.status);
        String::from_utf8(output.stdout).unwrap()
    }
}

fn number(value: f64) -> Json {
    match value {
        value if value.is_nan() => json!("NaN"),
        value if value.is_infinite() => json!(if value > 0.0 { "Infinity" } else { "-Infinity" }),
        value => json!(value),
    }
}

/// Numbers as fractions, so that 1 and 1.0 are one.
fn plain(json: &Json) -> Json {
    match json {
        Json::Number(number) => json!(number.as_f64()),
        Json::Array(items) => items.iter().map(plain).collect(),
        Json::Object(map) => map.iter().map(|(key, it)| (key.clone(), plain(it))).collect(),
        other => other.clone(),
    }
}

/// The fields of MLflow's answer that ours has.
fn same(what: &str, ours: &Json, theirs: &Json) -> Vec<String> {
    let fields = ours.as_object().unwrap();
    let differ = fields.iter().filter_map(|(key, value)| {
        // Older versions have no workspaces.
        let other = theirs.get(key).cloned().unwrap_or(Json::Null);
        (plain(value) != plain(&other)).then(|| format!("{what} {key}: {value}, MLflow: {other}"))
    });
    differ.collect()
}

fn map(pairs: &[(String, String)]) -> Json {
    pairs
        .iter()
        .map(|(key, value)| (key.clone(), json!(value)))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

fn of_experiment(it: &Experiment) -> Json {
    json!({
        "experiment_id": it.id, "name": it.name, "artifact_location": it.artifact_location,
        "lifecycle_stage": it.lifecycle_stage, "creation_time": it.creation_time,
        "last_update_time": it.last_update_time, "workspace": it.workspace, "tags": map(&it.tags),
    })
}

fn of_dataset(it: &DatasetInput) -> Json {
    json!({
        "dataset": {
            "name": it.name, "digest": it.digest, "source_type": it.source_type,
            "source": it.source, "schema": it.schema, "profile": it.profile,
        },
        "tags": map(&it.tags),
    })
}

fn of_run(store: &FileStore, it: &Run) -> Json {
    let points = |key: &str| -> Json {
        let points = store.history(&it.id, key).unwrap();
        points.iter().map(|it| json!([it.step, it.timestamp, number(it.value)])).collect()
    };
    let history: serde_json::Map<_, _> =
        it.metrics.iter().map(|(key, _)| (key.clone(), points(key))).collect();
    let metrics: serde_json::Map<_, _> =
        it.metrics.iter().map(|(key, value)| (key.clone(), number(*value))).collect();
    json!({
        "run_id": it.id, "run_name": it.name, "experiment_id": it.experiment_id,
        "user_id": it.user_id, "status": it.status, "start_time": it.start_time,
        "end_time": it.end_time, "lifecycle_stage": it.lifecycle_stage,
        "artifact_uri": it.artifact_uri, "params": map(&it.params), "metrics": metrics,
        "tags": map(&it.tags), "history": history,
        "datasets": it.datasets.iter().map(of_dataset).collect::<Json>(),
    })
}

/// Sorts the lists that MLflow gives in the order of a folder.
fn in_order(entity: &mut Json) {
    for key in ["datasets", "metrics"] {
        if let Some(Json::Array(list)) = entity.get_mut(key) {
            *list = list.iter().map(plain).collect();
            list.sort_by_key(Json::to_string);
        }
    }
}

fn of_model(it: &Model) -> Json {
    let aliases =
        it.aliases.iter().map(|(name, version)| (name.clone(), json!(version.to_string())));
    json!({
        "name": it.name, "creation_timestamp": it.creation_timestamp,
        "last_updated_timestamp": it.last_updated_timestamp, "description": it.description,
        "workspace": it.workspace, "tags": map(&it.tags),
        "aliases": aliases.collect::<serde_json::Map<_, _>>(),
    })
}

fn of_version(it: &ModelVersion) -> Json {
    json!({
        "name": it.name, "version": it.version.to_string(),
        "creation_timestamp": it.creation_timestamp,
        "last_updated_timestamp": it.last_updated_timestamp, "description": it.description,
        "user_id": it.user_id, "current_stage": it.stage, "source": it.source,
        "run_id": it.run_id, "run_link": it.run_link, "status": it.status,
        "status_message": it.status_message, "tags": map(&it.tags), "aliases": it.aliases,
    })
}

fn of_logged(it: &LoggedModel) -> Json {
    let metric = |it: &mlops_tui::tracking::entities::ModelMetric| {
        let (name, digest) = it.dataset.clone().unzip();
        json!([it.key, it.step, it.timestamp, number(it.value), it.run_id, name, digest])
    };
    json!({
        "experiment_id": it.experiment_id, "model_id": it.id, "name": it.name,
        "artifact_location": it.artifact_location, "creation_timestamp": it.creation_timestamp,
        "last_updated_timestamp": it.last_updated_timestamp, "model_type": it.model_type,
        "source_run_id": it.source_run_id, "status": it.status,
        "status_message": it.status_message, "params": map(&it.params), "tags": map(&it.tags),
        "metrics": it.metrics.iter().map(metric).collect::<Json>(),
    })
}

/// Compares lists in their order.
fn lists<T>(what: &str, ours: &[T], of: impl Fn(&T) -> Json, theirs: &Json) -> Vec<String> {
    let theirs = theirs.as_array().map(Vec::as_slice).unwrap_or_default();
    if ours.len() != theirs.len() {
        return vec![format!("{} {what}, MLflow: {}", ours.len(), theirs.len())];
    }
    let mut differ = Vec::new();
    for (index, (ours, theirs)) in std::iter::zip(ours, theirs).enumerate() {
        let (mut ours, mut theirs) = (of(ours), theirs.clone());
        in_order(&mut ours);
        in_order(&mut theirs);
        differ.extend(same(&format!("{what} {index}"), &ours, &theirs));
    }
    differ
}

/// What differs between the store as we read it and MLflow's answer.
fn differences(store: &FileStore, mlflow: &Json) -> Vec<String> {
    let ids = |list: Vec<String>| Json::from(list);
    let mut differ = Vec::new();
    let experiments = store.search_experiments(&Default::default(), &[], View::All).unwrap();
    let of_view = |view| {
        let runs = store.search_runs(&RunQuery { view, ..RunQuery::default() }).unwrap();
        assert_eq!(runs.problems, [""; 0]);
        runs.items
    };
    let of_ids = |view| store.experiments(view).unwrap().into_iter().map(|it| it.id).collect();
    let models = store.models(&Default::default(), &[]).unwrap();
    let versions = store.versions(&Default::default(), &[]).unwrap();
    let logged = store.logged_models(None, &Default::default(), &[]).unwrap();
    for problems in [&experiments.problems, &models.problems, &versions.problems, &logged.problems]
    {
        assert_eq!(problems, &[""; 0]);
    }
    let runs = of_view(View::All);
    differ.extend(lists("experiment", &experiments.items, of_experiment, &mlflow["experiments"]));
    differ.extend(lists("run", &runs, |run| of_run(store, run), &mlflow["runs"]));
    differ.extend(lists("model", &models.items, of_model, &mlflow["registered_models"]));
    differ.extend(lists("version", &versions.items, of_version, &mlflow["model_versions"]));
    differ.extend(lists("logged model", &logged.items, of_logged, &mlflow["logged_models"]));
    let run_ids = |view| ids(of_view(view).into_iter().map(|run| run.id).collect());
    let listed = json!({
        "active_experiments": ids(of_ids(View::Active)),
        "deleted_experiments": ids(of_ids(View::Deleted)),
        "active_runs": run_ids(View::Active),
        "deleted_runs": run_ids(View::Deleted),
    });
    differ.extend(same("store", &listed, mlflow));
    for run in &runs {
        let (alone, problems) = store.run(&run.id).unwrap().unwrap();
        assert!(problems.is_empty());
        // NaN is not equal to itself.
        assert_eq!(format!("{alone:?}"), format!("{run:?}"));
    }
    differ
}

/// The ids that we find for a question.
fn answer(store: &FileStore, question: &Json) -> Result<Vec<String>, FilterError> {
    let kind = question["kind"].as_str().unwrap();
    let entity = match kind {
        "runs" => Entity::Run,
        "experiments" => Entity::Experiment,
        "registered_models" => Entity::RegisteredModel,
        "model_versions" => Entity::ModelVersion,
        _ => Entity::LoggedModel,
    };
    let filter = parse(entity, question["filter"].as_str().unwrap())?;
    let clause = |clause: &Json| match clause.as_str() {
        Some(text) => parse_order(entity, text),
        None => {
            let name = clause["field_name"].as_str().unwrap_or_default();
            let ascending = clause["ascending"].as_bool().unwrap_or(true);
            let field = match name.strip_prefix("metrics.") {
                Some(key) => Field::Metric(key.to_owned()),
                None => parse_order(entity, name)?.field,
            };
            Ok(Order { field, ascending })
        }
    };
    let order = question["order_by"].as_array().map(Vec::as_slice).unwrap_or_default();
    let order = order.iter().map(clause).collect::<Result<Vec<Order>, FilterError>>()?;
    let view = match question["view"].as_str() {
        Some("ALL") => View::All,
        Some("DELETED_ONLY") => View::Deleted,
        _ => View::Active,
    };
    Ok(match entity {
        Entity::Run => {
            let query = RunQuery { filter, order, view, ..RunQuery::default() };
            store.search_runs(&query).unwrap().items.into_iter().map(|it| it.id).collect()
        }
        Entity::Experiment => {
            let found = store.search_experiments(&filter, &order, view).unwrap();
            found.items.into_iter().map(|it| it.id).collect()
        }
        Entity::RegisteredModel => {
            let found = store.models(&filter, &order).unwrap();
            found.items.into_iter().map(|it| it.name).collect()
        }
        Entity::ModelVersion => {
            let found = store.versions(&filter, &order).unwrap();
            found.items.into_iter().map(|it| format!("{}/{}", it.name, it.version)).collect()
        }
        Entity::LoggedModel => {
            let found = store.logged_models(None, &filter, &order).unwrap();
            found.items.into_iter().map(|it| it.id).collect()
        }
    })
}

/// Questions that MLflow's file store answers in another way than we do, below the reason.
const KNOWN: &str = include_str!("known-files.txt");

#[test]
fn filters_find_what_mlflow_finds_in_files() {
    let written = Written::by("3.17.2");
    let questions = "tests/tracking/filters.jsonl";
    let asked = std::fs::read_to_string(questions).unwrap();
    let answers = written.ask("filters.py", File::open(questions).unwrap().into());
    let json = |line: &str| -> Json { serde_json::from_str(line).unwrap() };
    let mut known: Vec<Json> = KNOWN.lines().filter(|it| !it.starts_with('#')).map(json).collect();
    let mut wrong = Vec::new();
    assert_eq!(asked.lines().count(), answers.lines().count());
    for (question, theirs) in std::iter::zip(asked.lines(), answers.lines()) {
        let (question, theirs) = (json(question), json(theirs));
        let ours = answer(&written.store, &question);
        let agree = match (&ours, theirs.get("ids")) {
            (Ok(ours), Some(theirs)) => json!(ours) == *theirs,
            (Err(_), None) => true,
            _ => false,
        };
        let is_known = known.iter().position(|it| *it == question);
        match (agree, is_known) {
            (true, None) => {}
            (false, Some(index)) => drop(known.swap_remove(index)),
            (true, Some(_)) => wrong.push(format!("{question}: it is no difference any more")),
            (false, None) => {
                wrong.push(format!("{question}\n  MLflow: {theirs}\n  ours: {ours:?}"))
            }
        }
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
    assert_eq!(known, Vec::<Json>::new(), "these are not asked any more");
    compare(&written);
}

fn compare(written: &Written) {
    let mlflow = serde_json::from_str(&written.ask("read.py", Stdio::null())).unwrap();
    let differ = differences(&written.store, &mlflow);
    assert!(differ.is_empty(), "{} differ:\n{}", differ.len(), differ.join("\n"));
}

#[test]
fn files_of_mlflow_2_9_are_read() {
    compare(&Written::by("2.9.2"));
}

#[test]
fn files_of_mlflow_2_22_are_read() {
    compare(&Written::by("2.22.1"));
}

#[test]
fn files_of_mlflow_3_5_are_read() {
    compare(&Written::by("3.5.1"));
}
