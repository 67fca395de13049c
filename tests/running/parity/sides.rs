//! The two sides of a case: what a run through Kedro, and one through `mlops-tui run`, leave behind.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;

use regex::{Captures, Regex};
use serde_json::{Value as Json, json};

use super::cases::Case;
use crate::common::project;

/// A version of Kedro, and how its command line has it.
#[derive(Debug, Clone, Copy)]
pub struct Kedro {
    /// Exact, as in `kedro_init_version`.
    pub version: &'static str,
}

/// One side of a case: a copy of the project, and the place where its hooks write.
pub struct Side {
    folder: PathBuf,
    root: PathBuf,
    case: Case,
}

/// What a run did.
pub struct Observed {
    pub succeeded: bool,
    pub failure: Option<Failure>,
    pub calls: Vec<Json>,
    /// Files of the project afterwards, logs apart, by path.
    pub files: BTreeMap<String, Vec<u8>>,
    /// Lines of what logging wrote, by path.
    pub logs: BTreeMap<String, Vec<String>>,
    /// Lines of standard output, and of what logging writes in its place.
    pub printed: Vec<String>,
}

#[derive(Debug, PartialEq)]
pub struct Failure {
    pub kind: String,
    pub message: String,
}

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// The environment of all processes.
fn environ() -> Vec<(String, String)> {
    let kept = ["PATH", "HOME", "TMPDIR", "LANG", "USER"];
    let kept = kept.map(|name| (name, std::env::var(name).unwrap_or_default()));
    let fixed = [
        ("PYTHONHASHSEED", "0".to_owned()), // the order of sets follows from it
        ("PYTHONPATH", path("tests/running/parity/plugin").display().to_string()),
        ("KEDRO_DISABLE_TELEMETRY", "1".to_owned()),
        ("DO_NOT_TRACK", "1".to_owned()),
    ];
    let all = kept.into_iter().filter(|(_, value)| !value.is_empty()).chain(fixed);
    all.map(|(name, value)| (name.to_owned(), value)).collect()
}

impl Side {
    pub fn new(folder: PathBuf, kedro: Kedro, case: Case) -> Self {
        let root = folder.join("project");
        project::copy(&path(case.project), &root);
        let settings = root.join("pyproject.toml");
        let text = fs::read_to_string(&settings).unwrap();
        fs::write(settings, text.replace("KEDRO_VERSION", kedro.version)).unwrap();
        Side { folder, root, case }
    }

    fn environ(&self) -> Vec<(String, String)> {
        let mut environ = environ();
        let own = self.case.environ.iter();
        environ.extend(own.map(|&(name, value)| (name.to_owned(), value.to_owned())));
        environ.push(("PARITY_RECORD".into(), self.record().display().to_string()));
        environ
    }

    fn record(&self) -> PathBuf {
        self.folder.join("calls.jsonl")
    }

    fn options(&self) -> Vec<String> {
        let options = self.case.options.iter().map(|&option| option.to_owned());
        options.chain(self.case.runner.map(|runner| format!("--runner={runner}"))).collect()
    }

    /// The case as the driver takes it.
    fn request(&self, kedro: Kedro) -> Json {
        json!({
            "folder": self.root.join(self.case.folder),
            "arguments": self.options().iter().map(|text| kedro.option(text)).collect::<Vec<_>>(),
            "environ": BTreeMap::from_iter(self.environ()),
            "printed": self.folder.join("printed.txt"),
            "errors": self.folder.join("errors.txt"),
            "result": self.folder.join("result.json"),
        })
    }

    /// Runs the case through `mlops-tui run`.
    pub fn run(&self, python: &Path) -> Observed {
        let output = Command::new(env!("CARGO_BIN_EXE_mlops-tui"))
            .args(["run", "--json", "--strict", "--python"])
            .arg(python)
            .args(self.options())
            .env_clear()
            .envs(self.environ())
            .current_dir(self.root.join(self.case.folder))
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let events: Vec<Json> =
            text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        let printed = (events.iter())
            .filter(|event| matches!(event["stream"].as_str(), Some("stdout" | "log")))
            .map(|event| self.normal(event["text"].as_str().unwrap()));
        let last = events
            .iter()
            .find(|event| matches!(event["event"].as_str(), Some("run_failed" | "run_lost")));
        let failure = last.map(|event| match event["failure"].as_object() {
            Some(failure) => Failure::new(self, &failure["kind"], &failure["message"]),
            None => Failure::new(self, &json!("lost"), &event["reason"]),
        });
        self.observed(output.status.success(), failure, printed.collect())
    }

    /// What the driver has left.
    pub fn answer(&self) -> Observed {
        let [printed, errors] = ["printed.txt", "errors.txt"]
            .map(|name| fs::read_to_string(self.folder.join(name)).unwrap_or_default());
        let result = fs::read_to_string(self.folder.join("result.json"))
            .unwrap_or_else(|error| panic!("{}: {error}\n{errors}", self.case.name()));
        let result: Json = serde_json::from_str(&result).unwrap();
        let failure = (result["failure"].as_object())
            .map(|failure| Failure::new(self, &failure["kind"], &failure["message"]));
        let printed = printed.lines().map(|line| self.normal(line)).collect();
        self.observed(result["status"] == 0, failure, printed)
    }

    fn observed(
        &self,
        succeeded: bool,
        failure: Option<Failure>,
        printed: Vec<String>,
    ) -> Observed {
        let calls = fs::read_to_string(self.record()).unwrap_or_default();
        let calls = calls.lines().map(|line| serde_json::from_str(&self.normal(line)).unwrap());
        let mut observed = Observed {
            succeeded,
            failure,
            calls: calls.collect(),
            files: BTreeMap::new(),
            logs: BTreeMap::new(),
            printed,
        };
        self.collect(&self.root, &mut observed);
        observed
    }

    fn collect(&self, folder: &Path, observed: &mut Observed) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(&self.root).unwrap().to_str().unwrap();
            if name == ".mlops-tui" || name.ends_with("__pycache__") {
                continue;
            }
            if path.is_dir() {
                self.collect(&path, observed);
                continue;
            }
            let content = match name {
                "mlflow.db" => tracked(&path).into_bytes(),
                _ => fs::read(&path).unwrap(),
            };
            if name.ends_with(".log") {
                let text = self.normal(&String::from_utf8(content).unwrap());
                observed.logs.insert(name.into(), text.lines().map(str::to_owned).collect());
            } else {
                let content = match String::from_utf8(content) {
                    Ok(text) => self.normal(&text).into_bytes(),
                    Err(error) => error.into_bytes(),
                };
                observed.files.insert(self.normal(name), content);
            }
        }
    }

    /// The text without what is the run's own: folder, time, addresses, numbers of processes.
    fn normal(&self, text: &str) -> String {
        static OWN: LazyLock<Regex> = LazyLock::new(|| {
            let version = r"(?<version>\d{4}-\d\d-\d\dT\d\d\.\d\d\.\d\d\.\d{3}Z)";
            let uuid = r"(?<uuid>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})";
            let id = r"(?<id>\b[0-9a-f]{32}\b)";
            let address = r"(?<address>0x[0-9a-f]{6,})";
            let time = r"(?<time>\d+\.\d+ ?s(?:ec)?\b)";
            let process = r"(?<process>(?:Fork|Spawn)?(?:Pool)?Process-\d+(?::\d+)*)";
            Regex::new(&[version, uuid, id, address, time, process].join("|")).unwrap()
        });
        let text = text.replace(self.root.to_str().unwrap(), "<root>");
        let replaced = OWN.replace_all(&text, |found: &Captures<'_>| {
            let whole = &found[0];
            if whole.starts_with("2024-01-01T") || whole.starts_with("2025-06-01T") {
                return whole.to_owned(); // versions that came with the project
            }
            let name = OWN.capture_names().flatten().find(|name| found.name(name).is_some());
            format!("<{}>", name.unwrap_or_default())
        });
        replaced.into_owned()
    }
}

/// What a run has left in MLflow's database, but for times and numbers.
fn tracked(path: &Path) -> String {
    let database = rusqlite::Connection::open(path).unwrap();
    let rows = "select 'tag ' || key, value from tags
        union all select 'param ' || key, value from params
        union all select 'metric ' || key || ' ' || step, value from metrics
        union all select 'run ' || name, status from runs
        union all select 'experiment ' || name, lifecycle_stage from experiments
        order by 1, 2";
    let mut rows = database.prepare(rows).unwrap();
    let row = |row: &rusqlite::Row<'_>| {
        let value: rusqlite::types::Value = row.get(1)?;
        Ok((row.get::<_, String>(0)?, format!("{value:?}")))
    };
    let all: BTreeMap<String, String> =
        rows.query_map([], row).unwrap().map(Result::unwrap).collect();
    serde_json::to_string(&all).unwrap()
}

impl Failure {
    fn new(side: &Side, kind: &Json, message: &Json) -> Self {
        Failure {
            kind: kind.as_str().unwrap().to_owned(),
            message: side.normal(message.as_str().unwrap()),
        }
    }
}

impl Kedro {
    /// The option as this version's command line has it, and does not only warn of it.
    fn option(self, option: &str) -> String {
        let renamed = [
            ("--namespaces", "--namespace", !self.reaches("1")),
            ("--pipeline", "--pipelines", self.reaches("1.2")),
            ("--async", "--runner-params=is_async=True", self.reaches("1.6")),
        ];
        let (name, value) = option.split_once('=').map_or((option, None), |(a, b)| (a, Some(b)));
        let new = renamed.iter().find(|(old, _, here)| *here && *old == name);
        let name = new.map_or(name, |(_, new, _)| new);
        value.map_or(name.to_owned(), |value| format!("{name}={value}"))
    }

    /// Whether this version is not older than another.
    pub fn reaches(self, other: &str) -> bool {
        let numbers = |text: &str| -> Vec<u32> {
            text.split('.').map(|number| number.parse().unwrap()).collect()
        };
        numbers(self.version) >= numbers(other)
    }
}

/// Starts the process that runs all cases through Kedro's own command line.
pub fn start_driver(python: &Path, kedro: Kedro, sides: &[Side]) -> Child {
    let mut child = Command::new(python)
        .arg(path("tests/running/parity/driver.py"))
        .env_clear()
        .envs(environ())
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let requests: Vec<Json> = sides.iter().map(|side| side.request(kedro)).collect();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(&serde_json::to_vec(&requests).unwrap()).unwrap();
    child
}
