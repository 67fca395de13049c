//! The verbs that look at models, asked of the program itself.

use serde_json::{Value as Json, json};

use crate::verbs::{ask_of, csv};

/// What `models` prints of a corpus.
fn text(kind: &str, arguments: &[&str]) -> String {
    let (out, complaint, code) = ask_of("models", kind, arguments);
    assert_eq!((complaint.as_str(), code), ("", 0), "{arguments:?}");
    out
}

fn json(kind: &str, arguments: &[&str]) -> Json {
    serde_json::from_str(&text(kind, &[arguments, &["--json"]].concat())).unwrap()
}

fn refused(arguments: &[&str]) -> (String, i32) {
    let (out, complaint, code) = ask_of("models", "sqlite", arguments);
    assert_eq!(out, "", "{arguments:?}");
    (complaint, code)
}

#[test]
fn a_model_is_shown_with_the_signature_of_a_version() {
    for kind in ["sqlite", "files"] {
        let shown = json(kind, &["show", "iris classifier"]);
        let model = &shown["model"];
        assert_eq!(model["versions"][0]["version"], 6, "{kind}");
        let described = &model["mlmodel"];
        assert_eq!(described["version"], 6);
        assert_eq!(described["flavors"], json!(["python_function", "sklearn"]));
        let inputs = described["signature"]["inputs"].as_array().unwrap();
        assert_eq!(inputs[0]["name"], "sepal length (cm)");
        assert_eq!(described["signature"]["params"][0]["default"], 0.5);
        for (name, version) in
            [("iris classifier/2", 2), ("iris classifier@champion", 2), ("iris classifier@Ünï", 1)]
        {
            assert_eq!(
                json(kind, &["show", name])["model"]["mlmodel"]["version"],
                version,
                "{name}"
            );
        }
        let shown = text(kind, &["show", "iris classifier@challenger"]);
        assert!(
            shown.contains("\nversion 3\n") && shown.contains("sepal length (cm) double"),
            "{shown}"
        );
        assert!(shown.contains("  takes: opt boolean, optional\n"), "{shown}");
    }
    let (complaint, code) = refused(&["show", "iris classifier@none"]);
    assert_eq!(
        (code, complaint.contains("no version and no alias `none`")),
        (1, true),
        "{complaint}"
    );
    assert!(refused(&["show", "none"]).0.contains("No model is named `none`"));
    assert!(refused(&["show", "none/1"]).0.contains("No model is named `none/1`"));
    // A version whose files are not there is shown all the same.
    let shown = text("sqlite", &["show", "ünï 実験 'q'.x"]);
    assert!(shown.contains("Its signature is not known: "), "{shown}");
}

#[test]
fn logged_models_are_searched_as_mlflow_does() {
    let ids = |filter: &str, order: &str| -> Vec<String> {
        let mut arguments = vec!["logged", filter];
        if !order.is_empty() {
            arguments.extend(["--order-by", order]);
        }
        let found = json("sqlite", &arguments);
        assert_eq!(found["truncated"], false);
        let models = found["logged_models"].as_array().unwrap();
        models.iter().map(|model| model["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(ids("name = 'pending'", ""), ["pending"]);
    assert_eq!(ids("name LIKE 'ri%'", "").len(), 2);
    let mut sorted = ids("", "name ASC");
    assert!(sorted.len() > 5);
    sorted.dedup();
    assert!(sorted.is_sorted(), "{sorted:?}");
    let (complaint, code) = refused(&["logged", "nothing = 1"]);
    assert_eq!((code, complaint.is_empty()), (2, false));
    let all = json("sqlite", &["logged"]);
    let metric = all["logged_models"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|model| model["metrics"].as_array().unwrap());
    assert!(metric.clone().any(|metric| metric["dataset_name"].is_string()), "metrics by dataset");
    let one = json("sqlite", &["logged", "--limit", "1"]);
    assert_eq!(
        (one["logged_models"].as_array().unwrap().len(), &one["truncated"]),
        (1, &json!(true))
    );
}

#[test]
fn lists_are_printed_as_csv() {
    let rows = csv(&text("sqlite", &["list", "--csv"]));
    assert_eq!(rows[0][0], "name");
    let model = rows.iter().find(|row| row[0] == "iris classifier").unwrap();
    assert_eq!(model[3], "Predicts *species*.\nSecond line.");
    let aliases: Json = serde_json::from_str(&model[6]).unwrap();
    assert_eq!(aliases["champion"], 2);
    let rows = csv(&text("sqlite", &["search", "name = 'iris classifier'", "--csv"]));
    assert_eq!(rows[0][..4], ["name", "version", "current_stage", "aliases"]);
    assert_eq!(rows.len(), 6);
    let second = rows.iter().find(|row| row[1] == "2").unwrap();
    assert_eq!(second[2..4], ["Production", r#"["also-champion","champion"]"#]);
    let rows = csv(&text("sqlite", &["logged", "--csv"]));
    assert_eq!(rows[0][..2], ["model_id", "name"]);
    assert!(rows.len() > 6);
    let (out, _, _) = ask_of("experiments", "sqlite", &["list", "--csv"]);
    let rows = csv(&out);
    assert_eq!(rows[0][..2], ["experiment_id", "name"]);
    assert!(rows.iter().any(|row| row[1] == "main"));
}

#[test]
fn traces_are_counted() {
    let count = |kind: &str, arguments: &[&str]| -> Json {
        let (out, _, _) = ask_of("experiments", kind, &[&["list", "--json"], arguments].concat());
        serde_json::from_str::<Json>(&out).unwrap()["traces"].clone()
    };
    assert_eq!(count("sqlite", &["--traces"]), 3);
    assert_eq!(count("files", &["--traces"]), 3);
    assert_eq!(count("sqlite", &["--traces", "name = 'Default'"]), 0);
    assert_eq!(count("sqlite", &[]), Json::Null);
}
