//! What is read from a store, and what questions find, in the form in which MLflow's clients are asked.

use std::path::Path;

use mlops_tui::tracking::artifacts::{self, Named};
use mlops_tui::tracking::entities::{
    DatasetInput, Experiment, LoggedModel, Model, ModelVersion, Run, RunQuery, View,
};
use mlops_tui::tracking::filter::{Entity, Expr, parse, parse_orders};
use mlops_tui::tracking::{Store, signature};
use serde_json::{Map, Value as Json, json};

use crate::corpus::number;

const NOW: i64 = 1_800_000_000_000;

fn object(pairs: &[(String, String)]) -> Json {
    pairs
        .iter()
        .map(|(key, value)| (key.clone(), json!(value)))
        .collect::<Map<String, Json>>()
        .into()
}

fn of_experiment(it: &Experiment) -> Json {
    json!({
        "experiment_id": it.id, "name": it.name, "artifact_location": it.artifact_location,
        "lifecycle_stage": it.lifecycle_stage, "creation_time": it.creation_time,
        "last_update_time": it.last_update_time, "workspace": it.workspace, "tags": object(&it.tags),
    })
}

fn of_dataset(it: &DatasetInput) -> Json {
    let dataset = json!({
        "name": it.name, "digest": it.digest, "source_type": it.source_type, "source": it.source,
        "schema": it.schema, "profile": it.profile,
    });
    json!({"dataset": dataset, "tags": object(&it.tags)})
}

fn of_run(store: &Store, id: &str) -> Json {
    let it = store.run(id).unwrap().unwrap();
    let metrics: Map<String, Json> =
        it.metrics.iter().map(|(key, value)| (key.clone(), number(*value))).collect();
    let history = |key: &str| -> Vec<Json> {
        let points = store.history(id, key).unwrap();
        points
            .iter()
            .map(|point| json!([point.step, point.timestamp, number(point.value)]))
            .collect()
    };
    let histories: Map<String, Json> =
        it.metrics.iter().map(|(key, _)| (key.clone(), history(key).into())).collect();
    json!({
        "run_id": it.id, "run_name": it.name, "experiment_id": it.experiment_id, "user_id": it.user_id,
        "status": it.status, "start_time": it.start_time, "end_time": it.end_time,
        "lifecycle_stage": it.lifecycle_stage, "artifact_uri": it.artifact_uri,
        "params": object(&it.params), "metrics": metrics, "tags": object(&it.tags),
        "datasets": it.datasets.iter().map(of_dataset).collect::<Vec<Json>>(),
        "model_outputs": it.model_outputs, "history": histories,
    })
}

fn of_model(it: &Model) -> Json {
    let aliases: Map<String, Json> = it
        .aliases
        .iter()
        .map(|(alias, version)| (alias.clone(), version.to_string().into()))
        .collect();
    json!({
        "name": it.name, "creation_timestamp": it.creation_timestamp,
        "last_updated_timestamp": it.last_updated_timestamp, "description": it.description,
        "workspace": it.workspace, "tags": object(&it.tags), "aliases": aliases,
    })
}

fn of_version(it: &ModelVersion) -> Json {
    json!({
        "name": it.name, "version": it.version.to_string(), "creation_timestamp": it.creation_timestamp,
        "last_updated_timestamp": it.last_updated_timestamp, "description": it.description,
        "user_id": it.user_id, "current_stage": it.stage, "source": it.source, "run_id": it.run_id,
        "run_link": it.run_link, "status": it.status, "status_message": it.status_message,
        "tags": object(&it.tags), "aliases": it.aliases,
    })
}

fn of_logged_model(it: &LoggedModel) -> Json {
    let metric = |it: &mlops_tui::tracking::entities::ModelMetric| {
        let (name, digest) = it.dataset.clone().unzip();
        json!([it.key, it.step, it.timestamp, number(it.value), it.run_id, name, digest])
    };
    json!({
        "experiment_id": it.experiment_id, "model_id": it.id, "name": it.name,
        "artifact_location": it.artifact_location, "creation_timestamp": it.creation_timestamp,
        "last_updated_timestamp": it.last_updated_timestamp, "model_type": it.model_type,
        "source_run_id": it.source_run_id, "status_message": it.status_message, "status": it.status,
        "tags": object(&it.tags), "params": object(&it.params),
        "metrics": sorted(it.metrics.iter().map(metric).collect()),
    })
}

fn sorted(mut list: Vec<Json>) -> Json {
    list.sort_by_key(Json::to_string);
    list.into()
}

/// The client's answer without what is not read from the database, in an order of its own where the client
/// has none.
pub fn comparable(read: &Json) -> Json {
    let mut read = read.clone();
    for run in read["runs"].as_array_mut().unwrap() {
        let run = run.as_object_mut().unwrap();
        for key in ["latest", "artifacts", "signatures", "model_inputs"] {
            run.remove(key);
        }
        let datasets = run["datasets"].as_array().unwrap().clone();
        run["datasets"] = sorted(datasets);
    }
    for version in read["model_versions"].as_array_mut().unwrap() {
        let version = version.as_object_mut().unwrap();
        for key in [
            "model_id",
            "params",
            "deployment_job_state",
            "metrics",
            "searched_aliases",
            "download_uri",
        ] {
            version.remove(key);
        }
    }
    for model in read["registered_models"].as_array_mut().unwrap() {
        model.as_object_mut().unwrap().remove("latest_versions");
    }
    for model in read.get_mut("logged_models").and_then(Json::as_array_mut).into_iter().flatten() {
        let metrics = model["metrics"].as_array().unwrap().clone();
        model["metrics"] = sorted(metrics);
        model.as_object_mut().unwrap().remove("artifacts");
    }
    read.as_object_mut().unwrap().remove("mlflow");
    read
}

pub fn ours(store: &Store, theirs: &Json) -> Json {
    let all = Expr::default();
    let experiments = |view| store.experiments(&all, &[], view, NOW).unwrap().items;
    let ids = |view| experiments(view).into_iter().map(|it| it.id).collect::<Vec<String>>();
    let runs = |view| -> Vec<String> {
        let query = RunQuery { experiments: Some(ids(View::All)), view, ..RunQuery::default() };
        store.search_runs(&query).unwrap().items.into_iter().map(|it: Run| it.id).collect()
    };
    let mut read = json!({
        "experiments": experiments(View::All).iter().map(of_experiment).collect::<Vec<Json>>(),
        "active_experiments": ids(View::Active),
        "deleted_experiments": ids(View::Deleted),
        "active_runs": runs(View::Active),
        "deleted_runs": runs(View::Deleted),
        "runs": runs(View::All).iter().map(|id| of_run(store, id)).collect::<Vec<Json>>(),
        "registered_models": store.models(&all, &[], NOW).unwrap().items.iter().map(of_model).collect::<Vec<Json>>(),
        "model_versions": store.versions(&all, &[], NOW).unwrap().items.iter().map(of_version).collect::<Vec<Json>>(),
    });
    for run in read["runs"].as_array_mut().unwrap() {
        let datasets = run["datasets"].as_array().unwrap().clone();
        run["datasets"] = sorted(datasets);
    }
    if theirs.get("logged_models").is_some() {
        let models = store.logged_models(Some(&ids(View::All)), &all, &[], NOW).unwrap();
        read["logged_models"] = models.items.iter().map(of_logged_model).collect();
    }
    if theirs.get("traces").is_some() {
        read["traces"] = store.traces(&ids(View::All)).unwrap().into();
    }
    read
}

/// All artifacts below a folder of a run's, as `read.py` lists them.
fn walk(store: &Store, near: &Path, run: &Run, folder: &str, found: &mut Vec<Json>) {
    let Ok(Named::Folder(entries, _)) = artifacts::named(store, near, run, folder) else { return };
    for entry in entries {
        found.push(json!({"path": entry.path, "is_dir": entry.is_dir, "file_size": entry.size}));
        if entry.is_dir {
            walk(store, near, run, &entry.path, found);
        }
    }
}

/// Compares the artifacts of all runs, and what their models take and give; how many files there are, and how
/// many models.
pub fn compare_artifacts(store: &Store, near: &Path, read: &Json) -> (usize, usize) {
    let (mut files, mut models) = (0, 0);
    for theirs in read["runs"].as_array().unwrap() {
        // What the client can't list lies elsewhere.
        let Some(listed) = theirs["artifacts"].as_array() else { continue };
        let run = store.run(theirs["run_id"].as_str().unwrap()).unwrap().unwrap();
        let mut ours = Vec::new();
        walk(store, near, &run, "", &mut ours);
        assert_eq!(sorted(ours), sorted(listed.clone()), "{}", run.artifact_uri);
        files += listed.len();
        for (path, theirs) in theirs["signatures"].as_object().unwrap() {
            let Ok(Named::File(file)) = artifacts::named(store, near, &run, path) else {
                panic!("{path} is a file");
            };
            let described = signature::read(file).unwrap();
            assert_eq!(json!(described.flavors), theirs["flavors"], "{path}");
            let json = |text: &Json| -> Option<Json> {
                text.as_str().map(|text| serde_json::from_str(text).unwrap())
            };
            match described.signature {
                None => assert_eq!(theirs["signature"], Json::Null),
                Some(ours) => {
                    let theirs = &theirs["signature"];
                    assert_eq!(ours.inputs, json(&theirs["inputs"]).unwrap_or_default());
                    assert_eq!(ours.outputs, json(&theirs["outputs"]).unwrap_or_default());
                    assert_eq!(ours.params, json(&theirs["params"]).unwrap_or_default());
                }
            }
            models += 1;
        }
    }
    (files, models)
}

/// A clause of an order; those of logged models are objects.
fn clause(json: &Json) -> String {
    match json.as_str() {
        Some(text) => text.to_owned(),
        None => {
            let descends = json.get("ascending") == Some(&Json::Bool(false));
            let name = json.get("field_name").and_then(Json::as_str).unwrap_or_default();
            format!("{name} {}", if descends { "DESC" } else { "ASC" })
        }
    }
}

/// What a question finds, as `filters.py` prints it; `None` where it is refused.
pub fn answer(store: &Store, question: &Json) -> Option<Vec<String>> {
    let text = question["filter"].as_str().unwrap_or_default();
    let clauses = question.get("order_by").and_then(Json::as_array).into_iter().flatten();
    let clauses: Vec<String> = clauses.map(clause).collect();
    let view = match question.get("view").and_then(Json::as_str) {
        Some("ALL") => View::All,
        Some("DELETED_ONLY") => View::Deleted,
        _ => View::Active,
    };
    let entity = match question["kind"].as_str().unwrap() {
        "runs" => Entity::Run,
        "experiments" => Entity::Experiment,
        "registered_models" => Entity::RegisteredModel,
        "model_versions" => Entity::ModelVersion,
        _ => Entity::LoggedModel,
    };
    let filter = parse(entity, text).ok()?;
    let order = parse_orders(entity, &clauses).ok()?;
    Some(match entity {
        Entity::Run => {
            let query = RunQuery { filter, order, view, now: NOW, ..RunQuery::default() };
            store.search_runs(&query).unwrap().items.into_iter().map(|it| it.id).collect()
        }
        Entity::Experiment => store
            .experiments(&filter, &order, view, NOW)
            .unwrap()
            .items
            .into_iter()
            .map(|it| it.id)
            .collect(),
        Entity::RegisteredModel => store
            .models(&filter, &order, NOW)
            .unwrap()
            .items
            .into_iter()
            .map(|it| it.name)
            .collect(),
        Entity::ModelVersion => store
            .versions(&filter, &order, NOW)
            .unwrap()
            .items
            .into_iter()
            .map(|it| format!("{}/{}", it.name, it.version))
            .collect(),
        Entity::LoggedModel => store
            .logged_models(None, &filter, &order, NOW)
            .unwrap()
            .items
            .into_iter()
            .map(|it| it.id)
            .collect(),
    })
}
