//! File stores of several versions: all that is read equals what that version's client answers.

use mlops_tui::tracking::{Location, Store};
use serde_json::Value as Json;

use crate::answers::{answer, comparable, compare_artifacts, ours};
use crate::corpus::{Corpus, VERSIONS, corpus, differences, questions};

fn open(corpus: &Corpus) -> Store {
    Store::open(&Location::Files(corpus.folder.join("mlruns")), None).unwrap()
}

#[test]
fn all_that_is_read_from_files_equals_the_clients_answers() {
    for version in VERSIONS {
        let corpus = corpus(version, "files", version == "3.17.2");
        let theirs = comparable(&corpus.read);
        let mut found = Vec::new();
        differences(version, &ours(&open(&corpus), &theirs), &theirs, &mut found);
        assert!(found.is_empty(), "{} places differ:\n{}", found.len(), found.join("\n"));
        let near = corpus.folder.join("mlruns");
        let compared = compare_artifacts(&open(&corpus), &near, &corpus.read);
        assert!(compared.0 > 10 && compared.1 > 0, "{compared:?} artifacts and models");
    }
}

/// Questions that MLflow's file store answers in another way than we do, below the reason.
const KNOWN: &str = include_str!("known-files.txt");

#[test]
fn filters_find_what_mlflow_finds_in_files() {
    let corpus = corpus("3.17.2", "files", true);
    let store = open(&corpus);
    let json = |line: &str| -> Json { serde_json::from_str(line).unwrap() };
    let mut known: Vec<Json> =
        KNOWN.lines().filter(|line| !line.starts_with('#')).map(json).collect();
    let mut wrong = Vec::new();
    let questions = questions();
    assert_eq!(questions.len(), corpus.answers.len());
    for (question, theirs) in std::iter::zip(questions, &corpus.answers) {
        let ours = answer(&store, &question);
        let agree = ours.as_ref().map(|ids| Json::from(ids.clone())) == theirs.get("ids").cloned();
        let is_known = known.iter().position(|other| *other == question);
        match (agree, is_known) {
            (true, None) => {}
            (false, Some(index)) => drop(known.swap_remove(index)),
            (true, Some(_)) => wrong.push(format!("{question}: it is no difference any more")),
            (false, None) => {
                wrong.push(format!("{question}\n  MLflow: {theirs}\n  ours: {ours:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
    assert_eq!(known, Vec::<Json>::new(), "these are not asked any more");
}
