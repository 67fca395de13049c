//! SQLite stores of several versions: all that is read equals what that version's client answers, and the
//! database stays as it was.

use std::fs;

use mlops_tui::tracking::entities::RunQuery;
use mlops_tui::tracking::filter::Expr;
use mlops_tui::tracking::{Location, Store};
use serde_json::Value as Json;

use crate::answers::{answer, comparable, compare_artifacts, ours};
use crate::corpus::{Corpus, VERSIONS, corpus, differences, migrated, questions};

fn open(corpus: &Corpus) -> Store {
    Store::open(&Location::Sqlite(corpus.folder.join("mlflow.db")), None).unwrap()
}

#[test]
fn all_that_is_read_equals_the_clients_answers() {
    for version in VERSIONS {
        let corpus = corpus(version, "sqlite", version == "3.17.2");
        let database = corpus.folder.join("mlflow.db");
        let before = fs::read(&database).unwrap();
        let mut theirs = comparable(&corpus.read);
        let mut ours = ours(&open(&corpus), &theirs);
        if version == "3.5.1" {
            // Its search leaves out the models that a run has made.
            for runs in [&mut ours["runs"], &mut theirs["runs"]] {
                let runs = runs.as_array_mut().into_iter().flatten();
                runs.for_each(|run| run["model_outputs"] = Json::Null);
            }
        }
        let mut found = Vec::new();
        differences(version, &ours, &theirs, &mut found);
        assert!(
            found.is_empty(),
            "{} places differ:\n{}",
            found.len(),
            found[..found.len().min(30)].join("\n")
        );
        let compared = compare_artifacts(&open(&corpus), &corpus.folder, &corpus.read);
        assert!(compared.0 > 10 && compared.1 > 0, "{compared:?} artifacts and models");
        assert!(before == fs::read(&database).unwrap(), "the database of {version} was changed");
        assert!(!corpus.folder.join("mlflow.db-journal").exists());
    }
}

#[test]
fn a_migrated_copy_is_read_as_its_client_reads_it() {
    let (corpus, _folder) = migrated("2.9.2", "3.17.2");
    let theirs = comparable(&corpus.read);
    let mut found = Vec::new();
    differences("migrated", &ours(&open(&corpus), &theirs), &theirs, &mut found);
    assert!(found.is_empty(), "{} places differ:\n{}", found.len(), found.join("\n"));
    assert!(theirs["runs"].as_array().unwrap().len() > 20);
}

#[test]
fn a_workspace_is_read_as_its_client_reads_it() {
    // A client sees one workspace at a time: this one was asked about the default one.
    let corpus = corpus("3.17.2", "workspaces", false);
    let theirs = comparable(&corpus.read);
    let mut found = Vec::new();
    differences("workspaces", &ours(&open(&corpus), &theirs), &theirs, &mut found);
    assert!(found.is_empty(), "{} places differ:\n{}", found.len(), found.join("\n"));

    let location = Location::Sqlite(corpus.folder.join("mlflow.db"));
    let other = Store::open(&location, Some("team-b")).unwrap();
    let runs = other.search_runs(&RunQuery::default()).unwrap().items;
    let names: Vec<&str> = runs.iter().map(|run| run.name.as_str()).collect();
    assert_eq!(names, ["of team b"]);
    let models = other.models(&Expr::default(), &[], 0).unwrap().items;
    let described: Vec<_> =
        models.iter().map(|model| (&*model.name, model.description.as_deref())).collect();
    assert_eq!(described, [("iris classifier", Some("team b's"))]);
    let none = Store::open(&location, Some("team-c")).unwrap();
    assert_eq!(none.search_runs(&RunQuery::default()).unwrap().items, []);
}

/// Whether a filter uses an extension, which MLflow refuses.
fn extends(question: &Json) -> bool {
    let text = question["filter"].as_str().unwrap_or_default().to_uppercase();
    let is_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | ' ');
    let is_name = |part: &str| !part.trim().is_empty() && part.chars().all(is_word);
    [" OR ", "NOT ", "(", "~"].iter().any(|sign| text.contains(sign))
        || text.split(" AND ").any(is_name)
}

/// Orders of models that MLflow's file store takes and its database refuses.
fn is_of_file_stores(question: &Json) -> bool {
    let order = question["order_by"].to_string();
    question["kind"] == "registered_models"
        && ["creation_timestamp", "attribute.name", r#"\"name\""#]
            .iter()
            .any(|field| order.contains(field))
}

/// What is not read as MLflow reads it: digits of other scripts, and an order of logged models as a text.
const ODD: [&str; 2] =
    ["metrics.rmse < ٣", r#""kind":"logged_models","filter":"","order_by":["name"]"#];

#[test]
fn filters_find_what_mlflow_finds_and_refuse_what_it_refuses() {
    let corpus = corpus("3.17.2", "sqlite", true);
    let store = open(&corpus);
    let questions = questions();
    assert_eq!(questions.len(), corpus.answers.len());
    let (mut wrong, mut same) = (Vec::new(), 0);
    for (question, theirs) in std::iter::zip(&questions, &corpus.answers) {
        if question.to_string().contains("dataset_") {
            // Orders by a metric of one dataset have no text.
            continue;
        }
        let ours = answer(&store, question);
        let expected: Option<Vec<String>> = theirs.get("ids").map(|ids| {
            ids.as_array().unwrap().iter().map(|id| id.as_str().unwrap().to_owned()).collect()
        });
        let more = expected.is_none() && (extends(question) || is_of_file_stores(question));
        let odd = ODD.iter().any(|odd| question.to_string().contains(odd));
        match ours == expected || more || odd {
            true => same += 1,
            false => wrong.push(format!("{question}\n   ours {ours:?}\n   MLflow's {theirs}")),
        }
    }
    let shown: Vec<String> =
        wrong.iter().take(30).map(|text| text.chars().take(600).collect()).collect();
    assert!(wrong.is_empty(), "{} differ, {same} do not:\n{}", wrong.len(), shown.join("\n"));
}
