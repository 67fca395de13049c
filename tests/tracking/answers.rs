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

fn of_experiment(experiment: &Experiment) -> Json {
    json!({
        "experiment_id": experiment.id, "name": experiment.name,
        "artifact_location": experiment.artifact_location,
        "lifecycle_stage": experiment.lifecycle_stage, "creation_time": experiment.creation_time,
        "last_update_time": experiment.last_update_time, "workspace": experiment.workspace,
        "tags": object(&experiment.tags),
    })
}

fn of_dataset(input: &DatasetInput) -> Json {
    let dataset = json!({
        "name": input.name, "digest": input.digest, "source_type": input.source_type,
        "source": input.source, "schema": input.schema, "profile": input.profile,
    });
    json!({"dataset": dataset, "tags": object(&input.tags)})
}

fn of_run(store: &Store, id: &str) -> Json {
    let run = store.run(id).unwrap().unwrap();
    let metrics: Map<String, Json> =
        run.metrics.iter().map(|(key, value)| (key.clone(), number(*value))).collect();
    let history = |key: &str| -> Vec<Json> {
        let points = store.history(id, key).unwrap();
        points
            .iter()
            .map(|point| json!([point.step, point.timestamp, number(point.value)]))
            .collect()
    };
    let histories: Map<String, Json> =
        run.metrics.iter().map(|(key, _)| (key.clone(), history(key).into())).collect();
    json!({
        "run_id": run.id, "run_name": run.name, "experiment_id": run.experiment_id,
        "user_id": run.user_id, "status": run.status, "start_time": run.start_time,
        "end_time": run.end_time, "lifecycle_stage": run.lifecycle_stage,
        "artifact_uri": run.artifact_uri, "params": object(&run.params), "metrics": metrics,
        "tags": object(&run.tags),
        "datasets": run.datasets.iter().map(of_dataset).collect::<Vec<Json>>(),
        "model_outputs": run.model_outputs, "history": histories,
    })
}

fn of_model(model: &Model) -> Json {
    let aliases: Map<String, Json> = model
        .aliases
        .iter()
        .map(|(alias, version)| (alias.clone(), version.to_string().into()))
        .collect();
    json!({
        "name": model.name, "creation_timestamp": model.creation_timestamp,
        "last_updated_timestamp": model.last_updated_timestamp, "description": model.description,
        "workspace": model.workspace, "tags": object(&model.tags), "aliases": aliases,
    })
}

fn of_version(version: &ModelVersion) -> Json {
    json!({
        "name": version.name, "version": version.version.to_string(),
        "creation_timestamp": version.creation_timestamp,
        "last_updated_timestamp": version.last_updated_timestamp,
        "description": version.description, "user_id": version.user_id,
        "current_stage": version.stage, "source": version.source, "run_id": version.run_id,
        "run_link": version.run_link, "status": version.status,
        "status_message": version.status_message, "tags": object(&version.tags),
        "aliases": version.aliases,
    })
}

fn of_logged_model(model: &LoggedModel) -> Json {
    let metric = |metric: &mlops_tui::tracking::entities::ModelMetric| {
        let (name, digest) = metric.dataset.clone().unzip();
        json!([
            metric.key,
            metric.step,
            metric.timestamp,
            number(metric.value),
            metric.run_id,
            name,
            digest
        ])
    };
    json!({
        "experiment_id": model.experiment_id, "model_id": model.id, "name": model.name,
        "artifact_location": model.artifact_location,
        "creation_timestamp": model.creation_timestamp,
        "last_updated_timestamp": model.last_updated_timestamp, "model_type": model.model_type,
        "source_run_id": model.source_run_id, "status_message": model.status_message,
        "status": model.status, "tags": object(&model.tags), "params": object(&model.params),
        "metrics": sorted(model.metrics.iter().map(metric).collect()),
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
    let ids = |view| {
        experiments(view).into_iter().map(|experiment| experiment.id).collect::<Vec<String>>()
    };
    let runs = |view| -> Vec<String> {
        let query = RunQuery { experiments: Some(ids(View::All)), view, ..RunQuery::default() };
        store.search_runs(&query).unwrap().items.into_iter().map(|run: Run| run.id).collect()
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
            store.search_runs(&query).unwrap().items.into_iter().map(|run| run.id).collect()
        }
        Entity::Experiment => store
            .experiments(&filter, &order, view, NOW)
            .unwrap()
            .items
            .into_iter()
            .map(|experiment| experiment.id)
            .collect(),
        Entity::RegisteredModel => store
            .models(&filter, &order, NOW)
            .unwrap()
            .items
            .into_iter()
            .map(|model| model.name)
            .collect(),
        Entity::ModelVersion => store
            .versions(&filter, &order, NOW)
            .unwrap()
            .items
            .into_iter()
            .map(|version| format!("{}/{}", version.name, version.version))
            .collect(),
        Entity::LoggedModel => store
            .logged_models(None, &filter, &order, NOW)
            .unwrap()
            .items
            .into_iter()
            .map(|model| model.id)
            .collect(),
    })
}
