//! The verbs that compare, group and draw runs, asked of the program itself.

use std::process::Command;

use serde_json::{Value as Json, json};

use crate::corpus::corpus;

/// What the program prints, what it complains, and its exit code.
fn ask(kind: &str, arguments: &[&str]) -> (String, String, i32) {
    ask_of("experiments", kind, arguments)
}

/// The same of another command.
pub(crate) fn ask_of(command: &str, kind: &str, arguments: &[&str]) -> (String, String, i32) {
    let folder = corpus("3.17.2", kind, false).folder;
    let uri = match kind {
        "sqlite" => format!("sqlite:///{}/mlflow.db", folder.display()),
        _ => format!("file://{}/mlruns", folder.display()),
    };
    let asked = Command::new(env!("CARGO_BIN_EXE_mlops-tui"))
        .args([command, "--tracking-uri", &uri])
        .args(arguments)
        .env("TZ", "UTC")
        .env("COLUMNS", "60")
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (text(asked.stdout), text(asked.stderr), asked.status.code().unwrap())
}

fn text(arguments: &[&str]) -> String {
    let (out, complaint, code) = ask("sqlite", arguments);
    assert_eq!((complaint.as_str(), code), ("", 0), "{arguments:?}");
    out
}

fn json(arguments: &[&str]) -> Json {
    let out = text(&[arguments, &["--json"]].concat());
    serde_json::from_str(&out).unwrap()
}

/// Rows of cells, read as RFC 4180 says.
pub(crate) fn csv(text: &str) -> Vec<Vec<String>> {
    let mut rows = vec![vec![String::new()]];
    let mut quoted = false;
    let mut signs = text.chars().peekable();
    while let Some(sign) = signs.next() {
        let row = rows.last_mut().unwrap();
        match sign {
            '"' if quoted && signs.peek() == Some(&'"') => {
                signs.next();
                row.last_mut().unwrap().push('"');
            }
            '"' => quoted = !quoted,
            ',' if !quoted => row.push(String::new()),
            '\n' if !quoted => rows.push(vec![String::new()]),
            sign => row.last_mut().unwrap().push(sign),
        }
    }
    assert_eq!(rows.pop(), Some(vec![String::new()]), "the last line is ended");
    assert!(rows.iter().all(|row| row.len() == rows[0].len()), "all rows have all cells");
    rows
}

/// pandas' own rank correlation of a metric with each param that is a number in every run that has it, over the runs that
/// have the metric, and the size of MLflow's table.
const SPEARMAN: &str = r#"
import json, sqlite3, sys
import pandas
store = sqlite3.connect(sys.argv[1])
runs = pandas.read_sql("""
    select m.run_uuid as run, m.value as metric from latest_metrics m join runs r on r.run_uuid = m.run_uuid
    join experiments e on e.experiment_id = r.experiment_id
    where m.key = 'rmse' and m.is_nan = 0 and r.lifecycle_stage = 'active' and e.lifecycle_stage = 'active'""", store)
params = pandas.read_sql("select run_uuid as run, key, value from params", store)
found = {}
for key, own in params.groupby("key"):
    both = runs.merge(own, on="run")
    numbers = pandas.to_numeric(both["value"], errors="coerce")
    if len(both) > 2 and numbers.notna().all() and numbers.nunique() > 1 and both["metric"].nunique() > 1:
        found[key] = [both["metric"].rank().corr(numbers.rank()), len(both)]
print(json.dumps(found))
"#;

#[test]
fn rank_correlations_are_those_of_pandas() {
    let corpus = corpus("3.17.2", "sqlite", false);
    let requirements = "tests/tracking/requirements-3.17.2.txt";
    let theirs = Command::new(crate::python::environment(requirements, Some("3.11")))
        .args(["-c", SPEARMAN])
        .arg(corpus.folder.join("mlflow.db"))
        .output()
        .unwrap();
    let theirs: Json = serde_json::from_slice(&theirs.stdout)
        .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&theirs.stderr)));
    let theirs = theirs.as_object().unwrap();
    assert!(!theirs.is_empty());
    let ours = json(&["correlate", "rmse"]);
    for (param, expected) in theirs {
        let row = ours["params"].as_array().unwrap().iter().find(|row| row["param"] == *param);
        let row = row.unwrap_or_else(|| panic!("{param} is not in {ours}"));
        let strength = row["strength"].as_f64().unwrap();
        let signed = if row["rises"] == true { strength } else { -strength };
        assert!(
            (signed - expected[0].as_f64().unwrap()).abs() < 1e-9,
            "{param}: {row}, {expected}"
        );
        assert_eq!(row["runs"], expected[1], "{param}");
    }
    assert!(text(&["correlate", "rmse"]).starts_with("param "));
    let (_, complaint, code) = ask("sqlite", &["correlate", "nothing"]);
    assert!(complaint.contains("No run has the metric `nothing`."), "{complaint}");
    assert_eq!(code, 1);
}

#[test]
fn runs_are_compared_by_what_differs() {
    let found = json(&["compare", "grid-00", "grid-02", "grid-07"]);
    assert_eq!(found["schema"], 1);
    assert_eq!(found["runs"][1]["run_name"], "grid-02");
    let differences = &found["differences"];
    assert_eq!(differences["params"]["lr"], json!(["0.1", "0.1", "0.01"]));
    assert_eq!(differences["params"]["depth"], json!([null, null, "7"]));
    assert_eq!(differences["metrics"]["rmse"], json!([1.0, 1.0 / 3.0, null]));
    assert_eq!(differences["tags"]["stage"], json!(["dev", "dev", "prod"]));
    assert_eq!(differences["tags"].get("mlflow.user"), None);
    let pair = &json(&["compare", "grid-00", "grid-02"])["differences"];
    assert_eq!(pair["params"].get("lr"), None);
    let all = &json(&["compare", "grid-00", "grid-02", "--all"])["differences"];
    assert_eq!(all["params"]["lr"], json!(["0.1", "0.1"]));
    assert_eq!(all["tags"]["mlflow.user"], json!(["ada", "o'neil"]));
    let (out, _, _) = ask("files", &["compare", "grid-00", "grid-02", "grid-07", "--json"]);
    let files: Json = serde_json::from_str(&out).unwrap();
    for kind in ["params", "tags"] {
        assert_eq!(files["differences"][kind], differences[kind]);
    }
    assert_eq!(
        json(&["compare", "special values", "curve"])["differences"]["metrics"]["nan"][0],
        "NaN"
    );
    let shown = text(&["compare", "grid-00", "grid-07"]);
    assert!(shown.contains("\n  depth") && shown.contains("\n  rmse   1.000\n"), "{shown}");
    assert!(text(&["compare", "curve", "curve"]).ends_with("the same metrics, params and tags.\n"));
}

#[test]
fn csv_is_quoted_and_complete() {
    let rows = csv(&text(&["compare", "values", "curve", "--csv"]));
    assert_eq!(rows[0][..2], ["kind", "key"]);
    let cell = |kind: &str, key: &str| {
        rows.iter().find(|row| row[0] == kind && row[1] == key).unwrap()[2].clone()
    };
    assert_eq!(cell("params", "p.newline"), "line one\nline two\n");
    assert_eq!(cell("params", "p.double"), "say \"hi\"");
    assert_eq!(cell("params", "p.json"), r#"{"a": [1, 2]}"#);
    assert_eq!(cell("params", "p.escape"), "\u{1b}[31mred\u{1b}[0m");
    assert_eq!(cell("params", "p.long6000").len(), 6000);
    let rows = csv(&text(&["search", "attributes.run_name LIKE 'grid%'", "--csv"]));
    assert_eq!(rows.len(), 19);
    assert_eq!(rows[0][..3], ["run_id", "run_name", "experiment_id"]);
    assert!(rows[0].contains(&"tags.mlflow.user".to_owned()));
    let chosen =
        ["search", "name LIKE 'grid-0%'", "--csv", "--columns", "rmse,params.lr,start_time"];
    let chosen = [&chosen[..1], &["attributes.run_name LIKE 'grid-0%'"], &chosen[2..]].concat();
    let rows = csv(&text(&[chosen.as_slice(), &["--order-by", "metrics.acc DESC"]].concat()));
    assert_eq!(rows[0], ["run_id", "metrics.rmse", "params.lr", "start_time"]);
    assert_eq!(rows[1][1..], ["0.1", "0.01", "1700000540000"]);
}

#[test]
fn columns_are_chosen_and_nested_runs_are_a_tree() {
    let children = ["search", "params.fold IS NOT NULL", "--differing"];
    let shown = text(&children);
    let head = shown.lines().next().unwrap();
    assert!(head.ends_with("rmse  fold"), "{shown}");
    let tree = text(&[
        "search",
        "attributes.run_name ILIKE '%child%' or attributes.run_name = 'parent'",
        "--tree",
    ]);
    let names: Vec<&str> = tree.lines().skip(1).map(|line| &line[15..]).collect();
    let at =
        |name: &str| names.iter().position(|line| line.trim_start().starts_with(name)).unwrap();
    let depth = |name: &str| names[at(name)].len() - names[at(name)].trim_start().len();
    assert_eq!(["parent", "child-0", "grandchild-0", "great"].map(depth), [0, 2, 4, 6], "{tree}");
    assert!(at("parent") < at("child-0") && at("child-0") < at("grandchild-1"), "{tree}");
    let (_, complaint, code) = ask("sqlite", &["search", "--columns", "nothing"]);
    assert_eq!(
        (complaint.as_str(), code),
        ("mlops-tui: No run has a metric, param or tag `nothing`.\n", 1)
    );
}

#[test]
fn groups_sum_metrics_up() {
    let grid = "attributes.run_name LIKE 'grid%'";
    let found = json(&["search", grid, "--group-by", "lr", "--columns", "rmse"]);
    assert_eq!(
        (&found["schema"], &found["by"], &found["truncated"]),
        (&json!(1), &json!(["lr"]), &json!(false))
    );
    let groups = found["groups"].as_array().unwrap();
    let lr: Vec<&Json> = groups.iter().map(|group| &group["params"]["lr"]).collect();
    assert_eq!(lr, ["1e-3", "0.01", "0.1"]);
    assert_eq!(groups[1]["runs"].as_array().unwrap().len(), 6);
    // Run 7 has no rmse.
    let values: Vec<f64> = [6, 8, 9, 10, 11].iter().map(|n| 1.0 / f64::from(n + 1)).collect();
    let mean = values.iter().sum::<f64>() / 5.0;
    let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / 4.0;
    let rmse = &groups[1]["metrics"]["rmse"];
    assert_eq!(
        (&rmse["count"], &rmse["nan"], &rmse["min"]),
        (&json!(5), &json!(0), &json!(1.0 / 12.0))
    );
    let near = |found: &Json, expected: f64| (found.as_f64().unwrap() - expected).abs() < 1e-12;
    assert!(near(&rmse["mean"], mean) && near(&rmse["std"], variance.sqrt()), "{rmse}");
    assert_eq!(groups[1]["metrics"].as_object().unwrap().len(), 1);
    let rows = csv(&text(&[
        "search",
        grid,
        "--group-by",
        "lr",
        "--group-by",
        "params.model",
        "--columns",
        "rmse,acc",
        "--csv",
    ]));
    assert_eq!(rows[0][..4], ["params.lr", "params.model", "runs", "metric"]);
    assert_eq!(rows.len(), 1 + 9 * 2);
    // Only fold and nothing else differs between children.
    let found = json(&["search", "params.fold IS NOT NULL", "--group-by", "auto"]);
    assert_eq!(
        (&found["by"], &found["groups"][0]["metrics"]["rmse"]["count"]),
        (&json!([]), &json!(5))
    );
    let (_, complaint, code) = ask("sqlite", &["search", grid, "--group-by", "nothing"]);
    assert_eq!((complaint.as_str(), code), ("mlops-tui: No run has a param `nothing`.\n", 1));
}

#[test]
fn datasets_name_their_readers() {
    for kind in ["sqlite", "files"] {
        let (out, complaint, code) = ask(kind, &["datasets", "--json"]);
        assert_eq!((complaint.as_str(), code), ("", 0));
        let found: Json = serde_json::from_str(&out).unwrap();
        let datasets = found["datasets"].as_array().unwrap();
        let names: Vec<String> = datasets
            .iter()
            .map(|dataset| format!("{} {}", dataset["name"], dataset["digest"]))
            .collect();
        let expected = [
            r#""Datensätze_%" "d4""#,
            r#""Test set's \"x\"" "d3""#,
            r#""train" "d1""#,
            r#""train" "d2""#,
        ];
        assert_eq!(names, expected);
        let readers = datasets[2]["runs"].as_array().unwrap();
        let reader = |name: &str| readers.iter().find(|reader| reader["run_name"] == name).unwrap();
        assert_eq!(reader("grid-00")["contexts"], json!(["training"]));
        assert_eq!(reader("grid-09")["contexts"], json!([]));
        assert!(reader("grid-10")["contexts"].as_array().unwrap().contains(&json!("training")));
        assert!(!readers.iter().any(|reader| reader["run_name"] == "deleted-0"));
    }
    assert_eq!(csv(&text(&["datasets", "d2", "--csv"])).len(), 4);
    let (_, complaint, code) = ask("sqlite", &["datasets", "none"]);
    assert!(complaint.contains("No run has read a dataset `none`.") && code == 1, "{complaint}");
}

/// The drawing of `mixed` of the run `special values`: 1, NaN, infinity, its negative, and 2.
const MIXED: &str = "\
mixed  special values  adb26665  5 values
2.000 ┤                                                 ⢀⡠⠔⠊
      │                                              ⣀⠤⠊⠁
      │                                          ⢀⡠⠔⠉
      │                                       ⣀⠔⠊⠁
      │                                   ⢀⡠⠒⠉
      │                                ⡠⠔⠊⠁
      │                            ⢀⠤⠒⠉
1.500 ┤                        ⢀⡠⠔⠊⠁
      │                     ⣀⠤⠒⠁
      │                 ⢀⡠⠔⠊
      │              ⣀⠤⠊⠁
      │          ⢀⡠⠔⠉
      │       ⣀⠔⠊⠁
      │   ⢀⡠⠒⠉
1.000 ┤⡠⠔⠊⠁
      └─────────────×────────────×────────────×─────────────
       1                       step                        5
× 1 value is NaN.
× 1 value is infinite.
× 1 value is negative infinity.
";

#[test]
fn a_history_is_drawn() {
    assert_eq!(text(&["history", "special values", "mixed", "--plot"]), MIXED);
    let plot = text(&[
        "history", "curve", "loss", "--plot", "--log", "--smooth", "0.6", "--axis", "relative",
    ]);
    assert!(plot.lines().all(|line| line.chars().count() <= 60), "{plot}");
    assert!(plot.starts_with("loss  curve  ") && plot.contains("250 values, smoothed by 0.6"));
    assert!(plot.trim_end().ends_with("4 min 9 s"), "{plot}");
    let none = text(&["history", "special values", "all nan", "--plot"]);
    assert!(
        none.ends_with("There is no value that can be drawn.\n× 2 values are NaN.\n"),
        "{none}"
    );
}

#[test]
fn what_is_not_there_is_refused() {
    let refused = |arguments: &[&str], expected: &str, code: i32| {
        let (out, complaint, found) = ask("sqlite", arguments);
        assert!(complaint.contains(expected) && found == code, "{found}: {complaint}");
        assert_eq!(out, "");
    };
    refused(&["compare", "grid-00", "nobody"], "No run is named `nobody`.", 1);
    refused(&["compare", "grid-00", "same"], "`same` means several runs: ", 1);
    refused(&["compare", "grid-00"], "RUN", 2);
    refused(&["history", "curve", "nothing", "--plot"], "has no metric `nothing`; it has ", 1);
    refused(&["history", "curve", "loss", "--plot", "--smooth", "1"], "from 0 to below 1", 2);
    refused(&["history", "curve", "loss", "--smooth", "0.5"], "--plot", 2);
}

#[test]
fn runs_are_exported_in_the_format_of_the_ending() {
    let folder = tempfile::tempdir().unwrap();
    let to = |name: &str| folder.path().join(name).display().to_string();
    let file = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
    let export = |name: &str, more: &[&str]| {
        let (runs, to) = (["export", "grid-00", "grid-02"], to(name));
        ask("sqlite", &[&runs[..], &["--to", &to], more].concat())
    };
    let done = (String::new(), String::new(), 0);
    for name in ["runs.html", "runs.csv", "runs.md"] {
        assert_eq!(export(name, &[]), done);
    }
    let html = file("runs.html");
    assert!(html.starts_with("<!doctype html>") && html.ends_with("</html>\n"));
    assert!(html.contains("Comparison of 2 runs") && html.contains(">grid-02</th>"));
    let rows = csv(&file("runs.csv"));
    assert_eq!((rows.len(), rows[0][0].as_str()), (3, "run_id"));
    assert_eq!(file("runs.md").lines().count(), 4);
    let (_, why, code) = export("runs.csv", &[]);
    assert!(why.contains("exists already") && code == 1, "{why}");
    let (_, why, code) = export("runs.xls", &[]);
    assert!(why.contains("Use one of .html, .csv, .md, .svg") && code == 1, "{why}");
    let (_, why, code) = export("runs.svg", &[]);
    assert!(why.contains("name it with --metric") && code == 1, "{why}");
    let (_, why, code) = export("none.svg", &["--metric", "no such"]);
    assert!(why.contains("None of the runs has a metric") && code == 1, "{why}");
    assert!(!folder.path().join("none.svg").exists());
}

#[test]
fn curves_of_a_metric_are_printed() {
    let found = json(&["search", "--limit", "1"]);
    let run = found["runs"][0]["run_id"].as_str().unwrap();
    let metric = found["runs"][0]["metrics"].as_object().unwrap().keys().next().unwrap();
    let svg = text(&["export", run, "--metric", metric, "--to", "-"]);
    assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"), "{svg}");
    let values = csv(&text(&["export", run, "--metric", metric, "--to", "-", "--format", "csv"]));
    let history = csv(&text(&["history", run, metric, "--csv"]));
    let own: Vec<_> = values.iter().map(|row| row[3..].to_vec()).collect();
    assert_eq!((own[0].join(","), own.len()), ("step,timestamp,value".into(), history.len()));
    assert_eq!(own[1][..2], history[1][..2]);
}
