//! Tracking servers of several versions: all that is read equals what that version's client answers about the
//! database behind them, filters find what they find there, and each new point of a metric is reported once.

use std::path::Path;

use mlops_tui::tracking::Store;
use mlops_tui::tracking::entities::RunQuery;
use serde_json::Value as Json;

use crate::answers::{answer, comparable, compare_artifacts, ours};
use crate::corpus::{corpus, differences, questions};
use crate::follow::follow;
use crate::servers::{SERVERS, Server};

/// About every eighth question, and more of those about datasets.
fn sample(questions: &[Json]) -> Vec<usize> {
    let is_asked = |(index, question): &(usize, &Json)| {
        let text = question.to_string();
        // Orders by a metric of one dataset have no text.
        !text.contains("dataset_")
            && (index % 8 == 0 || text.contains("dataset.") && index % 3 == 0)
    };
    questions.iter().enumerate().filter(is_asked).map(|(index, _)| index).collect()
}

#[test]
fn servers_answer_as_the_client_does_about_their_database() {
    for version in SERVERS {
        let corpus = corpus(version, "sqlite", true);
        let server = Server::of(version, &corpus.folder.join("mlflow.db"));
        server.wait();
        let info = server.store().info().unwrap();
        assert_eq!(info.version, version);
        let store = Store::Rest(Box::new(server.store()));
        let mut theirs = comparable(&corpus.read);
        // Servers leave out an empty description, and the workspace of a model.
        for kind in ["registered_models", "model_versions"] {
            for model in theirs[kind].as_array_mut().unwrap() {
                if kind == "registered_models" && model.get("workspace").is_some() {
                    model["workspace"] = Json::Null;
                }
                if model["description"] == "" {
                    model["description"] = Json::Null;
                }
            }
        }
        let mut found = Vec::new();
        differences(version, &ours(&store, &theirs), &theirs, &mut found);
        let count = found.len();
        assert_eq!(count, 0, "{count} places differ:\n{}", found[..count.min(30)].join("\n"));

        let mut with_paths = corpus.read.clone();
        // Relative paths are relative to the folder of the server.
        let is_absolute = |run: &Json| {
            let uri = run["artifact_uri"].as_str().unwrap();
            uri.starts_with('/') || uri.starts_with("file:")
        };
        with_paths["runs"].as_array_mut().unwrap().retain(is_absolute);
        let compared = compare_artifacts(&store, Path::new(""), &with_paths);
        assert!(compared.0 > 10 && compared.1 > 0, "{compared:?} artifacts and models");

        let mut runs = store.search_runs(&RunQuery::default()).unwrap().items;
        store.add_datasets(&mut runs).unwrap();
        let read = runs.iter().filter(|run| !run.datasets.is_empty());
        assert!(read.clone().count() > 5, "runs of the corpus have read datasets");
        for run in read.take(3) {
            assert_eq!(run.datasets, store.run(&run.id).unwrap().unwrap().datasets);
        }

        let questions = questions();
        let (mut wrong, mut same, mut more) = (Vec::new(), 0, 0);
        for index in sample(&questions) {
            let (question, theirs) = (&questions[index], &corpus.answers[index]);
            let ours = answer(&store, question);
            match (ours, theirs.get("ids")) {
                (None, None) => {}
                // What a later version refuses.
                (None, Some(_)) if version != "3.17.2" => more += 1,
                // An extension, or what a later version answers.
                (Some(_), None) => more += 1,
                (Some(ours), Some(ids)) if Json::from(ours.clone()) == *ids => same += 1,
                (ours, _) => {
                    wrong.push(format!("{question}\n   ours {ours:?}\n   MLflow's {theirs}"));
                }
            }
        }
        assert!(wrong.is_empty(), "{} differ, {same} do not:\n{}", wrong.len(), wrong.join("\n"));
        assert!(same > 100 && more < same / 2, "{same} answers are compared, {more} are not");

        follow(&server.uri, "200");
    }
}
