//! Stores that MLflow's versions write, and what their clients answer about them. Each is made once and kept
//! beside the build.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value as Json;

use crate::python;

/// Versions of MLflow that are compared with, the oldest first.
pub const VERSIONS: [&str; 4] = ["2.9.2", "2.22.1", "3.5.1", "3.17.2"];

/// A store and what MLflow says of it.
pub struct Corpus {
    /// Its folder.
    pub folder: PathBuf,
    /// What `read.py` prints.
    pub read: Json,
    /// What `filters.py` prints for the questions, one for each; empty where it was not asked.
    pub answers: Vec<Json>,
}

/// The questions of `filters.jsonl`.
pub fn questions() -> Vec<Json> {
    let text = fs::read_to_string("tests/tracking/filters.jsonl").unwrap();
    text.lines()
        .filter(|line| !line.trim().is_empty())
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// The corpus of a version; `kind` is `sqlite` or `files`.
pub fn corpus(version: &str, kind: &str, with_answers: bool) -> Corpus {
    let requirements = format!("tests/tracking/requirements-{version}.txt");
    let python = python::environment(&requirements, Some("3.11"));
    let mut hasher = blake3::Hasher::new();
    for source in [
        &requirements,
        "tests/tracking/write.py",
        "tests/tracking/read.py",
        "tests/tracking/filters.py",
        "tests/tracking/filters.jsonl",
    ] {
        hasher.update(&fs::read(source).unwrap());
    }
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let folder =
        target.join(format!("mlflow-{version}-{kind}-{}", &hasher.finalize().to_hex()[..12]));
    let lock = File::create(folder.with_extension("lock")).unwrap();
    lock.lock().unwrap();
    let (store, read, answers) =
        (folder.join("store"), folder.join("read.json"), folder.join("answers.jsonl"));
    let uri = match kind {
        "files" => format!("file://{}/mlruns", store.display()),
        _ => format!("sqlite:///{}/mlflow.db", store.display()),
    };
    if !read.exists() {
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&store).unwrap();
        ask(
            &python,
            kind,
            &["tests/tracking/write.py", kind, store.to_str().unwrap()],
            None,
            &folder.join("written"),
        );
        ask(&python, kind, &["tests/tracking/read.py", &uri], None, &read);
    }
    if with_answers && !answers.exists() {
        ask(
            &python,
            kind,
            &["tests/tracking/filters.py", &uri],
            Some("tests/tracking/filters.jsonl"),
            &answers,
        );
    }
    let parse = |path: &Path| fs::read_to_string(path).unwrap();
    Corpus {
        read: serde_json::from_str(&parse(&read)).unwrap(),
        answers: match with_answers {
            true => {
                parse(&answers).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
            }
            false => Vec::new(),
        },
        folder: store,
    }
}

/// The database of a version as a later one has migrated it, and what its client answers. It is made anew, for
/// reading it with a client is what migrates it.
pub fn migrated(from: &str, to: &str) -> (Corpus, tempfile::TempDir) {
    let before = corpus(from, "sqlite", false);
    let requirements = format!("tests/tracking/requirements-{to}.txt");
    let python = python::environment(&requirements, Some("3.11"));
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("mlflow.db");
    fs::copy(before.folder.join("mlflow.db"), &database).unwrap();
    let read = folder.path().join("read.json");
    let uri = format!("sqlite:///{}", database.display());
    ask(&python, "sqlite", &["tests/tracking/read.py", &uri], None, &read);
    let read = serde_json::from_str(&fs::read_to_string(&read).unwrap()).unwrap();
    (Corpus { read, answers: Vec::new(), folder: folder.path().to_owned() }, folder)
}

/// Runs a script; its output is there when all of it is.
fn ask(python: &Path, kind: &str, arguments: &[&str], input: Option<&str>, output: &Path) {
    let part = output.with_extension("part");
    let input = input.map_or_else(Stdio::null, |path| File::open(path).unwrap().into());
    let errors = output.with_extension("err");
    let status = Command::new(python)
        .args(arguments)
        .env("MLFLOW_ENABLE_WORKSPACES", (kind == "workspaces").to_string())
        .env("MLFLOW_WORKSPACE", "default")
        .stdin(input)
        .stdout(File::create(&part).unwrap())
        .stderr(File::create(&errors).unwrap())
        .status()
        .unwrap();
    assert!(status.success(), "{arguments:?}: {}", fs::read_to_string(&errors).unwrap());
    fs::rename(part, output).unwrap();
}

/// A number as `read.py` prints it.
pub fn number(value: f64) -> Json {
    match value {
        _ if value.is_nan() => "NaN".into(),
        f64::INFINITY => "Infinity".into(),
        f64::NEG_INFINITY => "-Infinity".into(),
        _ => value.into(),
    }
}

/// Where two values differ, each place on a line.
pub fn differences(path: &str, ours: &Json, theirs: &Json, found: &mut Vec<String>) {
    match (ours, theirs) {
        (Json::Object(a), Json::Object(b)) => {
            for key in a.keys().chain(b.keys().filter(|key| !a.contains_key(*key))) {
                let null = Json::Null;
                let (a, b) = (a.get(key).unwrap_or(&null), b.get(key).unwrap_or(&null));
                differences(&format!("{path}.{key}"), a, b, found);
            }
        }
        (Json::Array(a), Json::Array(b)) if a.len() == b.len() => {
            for (index, (a, b)) in std::iter::zip(a, b).enumerate() {
                differences(&format!("{path}[{index}]"), a, b, found);
            }
        }
        (Json::Number(a), Json::Number(b)) if a.as_f64() == b.as_f64() => {}
        (a, b) if a == b => {}
        (a, b) => {
            let short = |json: &Json| json.to_string().chars().take(300).collect::<String>();
            found.push(format!("{path}: ours {}, MLflow's {}", short(a), short(b)));
        }
    }
}
