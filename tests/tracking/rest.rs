//! Tracking servers of several versions: all that is read equals what that version's client answers about the
//! database behind them, filters find what they find there, and each new point of a metric is reported once.

use std::fs;
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use mlops_tui::tracking::entities::RunQuery;
use mlops_tui::tracking::rest::RestStore;
use mlops_tui::tracking::{ServerUri, Store};
use serde_json::Value as Json;

use crate::answers::{answer, comparable, ours};
use crate::corpus::{corpus, differences, questions};
use crate::follow::follow;
use crate::python;

/// Versions whose server is asked.
const SERVERS: [&str; 2] = ["3.17.2", "2.22.1"];

/// A running `mlflow server`.
struct Server {
    child: Child,
    uri: String,
    _folder: tempfile::TempDir,
}

impl Server {
    /// With a copy of a database, which it may change, or without any runs.
    fn start(version: &str, copied: Option<&Path>) -> Self {
        let requirements = format!("tests/tracking/requirements-{version}.txt");
        let python = python::environment(&requirements, Some("3.11"));
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("mlflow.db");
        copied.map(|copied| fs::copy(copied, &database).unwrap());
        let port = free_port();
        let log = fs::File::create(folder.path().join("log")).unwrap();
        let child = Command::new(python.with_file_name("mlflow"))
            .args(["server", "--host", "127.0.0.1", "--workers", "1", "--port", &port.to_string()])
            .args(["--backend-store-uri", &format!("sqlite:///{}", database.display())])
            .env("MLFLOW_DISABLE_TELEMETRY", "true")
            .env("PATH", path_with(python.parent().unwrap()))
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .process_group(0)
            .spawn()
            .unwrap();
        let uri = format!("http://127.0.0.1:{port}");
        let server = Server { child, uri, _folder: folder };
        let deadline = Instant::now() + Duration::from_secs(180);
        while server.store().info().is_err() {
            let log = fs::read_to_string(server._folder.path().join("log")).unwrap();
            assert!(Instant::now() < deadline, "the server does not answer:\n{log}");
            std::thread::sleep(Duration::from_millis(500));
        }
        server
    }

    fn store(&self) -> RestStore {
        let none = |name: &str| (name == "MLFLOW_HTTP_REQUEST_MAX_RETRIES").then(|| "0".to_owned());
        RestStore::open_with(&ServerUri::new(&*self.uri), None, &none).unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let group = rustix::process::Pid::from_child(&self.child);
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        let _ = self.child.wait();
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn path_with(folder: &Path) -> std::ffi::OsString {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(folder.to_owned()).chain(std::env::split_paths(&path));
    std::env::join_paths(folders).unwrap()
}

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
        let server = Server::start(version, Some(&corpus.folder.join("mlflow.db")));
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
