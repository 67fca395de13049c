//! A real Kedro server in a copy of the sample project.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use mlops_tui::project::{Options, Reader};
use mlops_tui::remote::kedro_server::KedroServer;
use mlops_tui::remote::model::{Mark, Phase, Run, RunId, RunsQuery, Submission, Task};
use mlops_tui::remote::{Action, Backend, RemoteError};
use serde_json::{Value, json};

use crate::ports::free_port;
use crate::project::copy_of_sample;
use crate::python;

const SESSION: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/common/session.py");

/// A pipeline whose nodes each leave a mark and then wait for the file `go`.
const WAITING: &str = r#"
        "waiting": Pipeline([Node(one, None, "one", name="one"), Node(two, None, "two", name="two")]),
        **pipelines,
    }


def one():
    return wait("one")


def two():
    return wait("two")


def wait(mark):
    import pathlib
    import time

    pathlib.Path(mark).touch()
    while not pathlib.Path("go").exists():
        time.sleep(0.05)
    return mark
"#;

/// A running server. It ends with this value, or with the test process.
struct Server {
    root: PathBuf,
    port: u16,
    session: Child,
    /// Deleted by the session.
    _folder: tempfile::TempDir,
}

impl Server {
    /// Starts one, and waits until it answers.
    fn start() -> Self {
        let python = python::environment("tests/remote/requirements-kedro-server.txt", None);
        let (folder, root) = copy_of_sample();
        let registry = root.join("src/harbour_bikes/pipeline_registry.py");
        let text = fs::read_to_string(&registry).unwrap();
        let text = text
            .replace("import Pipeline\n", "import Node, Pipeline\n")
            .replace("\n        **pipelines,\n    }\n", WAITING);
        fs::write(registry, text).unwrap();
        let port = free_port();
        let kedro = python.with_file_name("kedro");
        let start =
            format!("cd {} && exec {} server start --port {port}", root.display(), kedro.display());
        let session = Command::new(&python)
            .arg(SESSION)
            .arg(folder.path())
            .arg(json!([["sh", "-c", start]]).to_string())
            .env("DO_NOT_TRACK", "1")
            .env("MLFLOW_DISABLE_TELEMETRY", "true")
            .env("PYTHONWARNINGS", "ignore")
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        let mut server = Server { root, port, session, _folder: folder };
        let deadline = Instant::now() + Duration::from_secs(300);
        while server.connection().check()[0].found.is_err() {
            let has_ended = server.session.try_wait().unwrap().is_some();
            let log = || fs::read_to_string(server.root.with_file_name("log")).unwrap_or_default();
            assert!(!has_ended && Instant::now() < deadline, "no answer; its log:\n{}", log());
            std::thread::sleep(Duration::from_millis(200));
        }
        server
    }

    fn connection(&self) -> KedroServer {
        let address = format!("http://127.0.0.1:{}/", self.port);
        KedroServer::open(&address, Some("harbour_bikes")).unwrap()
    }

    /// Kills it with all that it runs.
    fn kill(&mut self) {
        drop(self.session.stdin.take());
        self.session.wait().unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The server of the tests that let it live, lent to one at a time: Kedro 1.7 mixes up the configuration of requests that
/// begin at the same moment.
fn server() -> MutexGuard<'static, Server> {
    static SERVER: OnceLock<Mutex<Server>> = OnceLock::new();
    let server = SERVER.get_or_init(|| Mutex::new(Server::start()));
    server.lock().unwrap_or_else(PoisonError::into_inner)
}

fn submission(pipeline: &str, id: &str, conf: Value) -> Submission {
    Submission { pipeline: pipeline.to_owned(), id: id.to_owned(), conf, note: None }
}

fn until_over(server: &KedroServer, id: &RunId) -> Run {
    let deadline = Instant::now() + Duration::from_secs(300);
    loop {
        let run = server.run(id).unwrap();
        if !matches!(run.state.phase, Phase::Waiting | Phase::Running) {
            return run;
        }
        assert!(Instant::now() < deadline, "{run:?}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn until_exists(path: &Path) {
    let deadline = Instant::now() + Duration::from_secs(300);
    while !path.exists() {
        assert!(Instant::now() < deadline, "{}", path.display());
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn ids(tasks: &[Task]) -> Vec<&str> {
    tasks.iter().map(|task| task.id.as_str()).collect()
}

#[test]
fn the_check_names_version_project_and_danger() {
    let server = server();
    let found = |connection: KedroServer| {
        connection.check().into_iter().map(|part| (part.what, part.found)).collect::<Vec<_>>()
    };
    let address = format!("http://127.0.0.1:{}", server.port);
    let project = "Harbour Bikes (package `harbour_bikes`)";
    assert_eq!(
        found(server.connection()),
        [
            ("address", Ok(format!("{address} answers"))),
            ("health", Ok("healthy".into())),
            ("version", Ok("Kedro 1.7.0".into())),
            ("project", Ok(project.into())),
            (
                "permissions",
                Ok("no authentication, no TLS: whoever reaches the port runs code".into())
            ),
        ]
    );
    let other = KedroServer::open(&address, Some("spaceflights")).unwrap();
    let expected = format!(
        "The server runs another project: {project}. The package of this one is `spaceflights`."
    );
    assert_eq!(found(other)[3], ("project", Err(expected)));
}

#[test]
fn pipelines_and_nodes_are_those_that_the_files_say() {
    let server = server();
    let connection = server.connection();
    let read = Reader::new(&server.root).read(&Options::default());
    let mut names: Vec<_> = read.pipelines.iter().map(|pipeline| pipeline.name.as_str()).collect();
    names.sort_unstable();
    let deployed = connection.pipelines().unwrap();
    assert_eq!(deployed.iter().map(|one| one.id.as_str()).collect::<Vec<_>>(), names);
    for (number, pipeline) in read.pipelines.iter().enumerate() {
        // A runner that is not there makes runs fail before any node.
        let conf = json!({"_mlops_tui": {"runner": "NoSuchRunner"}});
        let id = format!("nodes-{number}");
        let run = connection.submit(&submission(&pipeline.name, &id, conf)).unwrap();
        let run = until_over(&connection, &run.id);
        let nodes: Vec<_> = pipeline.nodes.iter().map(|node| node.name.as_str()).collect();
        assert_eq!(ids(&connection.tasks(&run.id).unwrap()), nodes, "{}", pipeline.name);
        assert_eq!((run.state.name.as_str(), run.state.phase), ("failure", Phase::Failed));
        assert!(run.error.unwrap().contains("NoSuchRunner"));
    }
}

#[test]
fn a_slice_runs_to_success_with_its_nodes() {
    let server = server();
    let connection = server.connection();
    let conf = json!({
        "trips": {"min_minutes": 5},
        "_mlops_tui": {"to_nodes": ["count_daily_trips"], "pipeline_names": ["training", "data_processing"]},
    });
    let mut asked = submission("data_processing", "first", conf.clone());
    asked.note = Some("a try".to_owned());
    let run = connection.submit(&asked).unwrap();
    assert_eq!((run.state.name.as_str(), run.state.phase), ("waiting", Phase::Waiting));
    assert_eq!((run.kind.as_str(), &run.conf, run.ended), ("manual", &conf, None));
    assert!(matches!(connection.submit(&asked), Err(RemoteError::Conflict(_))));

    let run = until_over(&connection, &run.id);
    assert_eq!((run.state.name.as_str(), run.state.phase), ("success", Phase::Succeeded));
    assert_eq!(run.error, None);
    let note = run.note.as_deref().unwrap();
    assert!(note.starts_with("a try\nrun_id of the server: 2"), "{note}");
    assert!(run.queued < run.started && run.started < run.ended);
    let tasks = connection.tasks(&run.id).unwrap();
    let mut nodes = ids(&tasks);
    assert_eq!(nodes.last(), Some(&"count_daily_trips"));
    nodes.sort_unstable();
    assert_eq!(nodes, ["clean_stations", "clean_trips", "count_daily_trips"]);
    for task in &tasks {
        assert_eq!((task.state.name.as_str(), task.attempt), ("success", 1));
    }
}

#[test]
fn a_failed_run_is_shown_with_its_error() {
    let server = server();
    let connection = server.connection();
    let conf =
        json!({"trips": {"min_minutes": "soon"}, "_mlops_tui": {"node_names": ["clean_trips"]}});
    let run = connection.submit(&submission("__default__", "broken", conf)).unwrap();
    let run = until_over(&connection, &run.id);
    assert_eq!((run.state.name.as_str(), run.state.phase), ("failure", Phase::Failed));
    assert!(run.ended.is_some());
    let error = run.error.unwrap();
    assert!(
        error.starts_with("TypeError: ") || error.starts_with("ArrowNotImplementedError: "),
        "{error}"
    );
    let tasks = connection.tasks(&run.id).unwrap();
    assert_eq!(ids(&tasks), ["clean_trips"]);
    assert_eq!((tasks[0].state.name.as_str(), tasks[0].attempt), ("not reported", 0));
    assert_eq!(tasks[0].state.phase, Phase::Unknown);
}

#[test]
fn an_unknown_pipeline_and_a_bad_runner_are_told() {
    let server = server();
    let connection = server.connection();
    let run = connection.submit(&submission("trainign", "typo", Value::Null)).unwrap();
    let run = until_over(&connection, &run.id);
    assert_eq!(run.state.phase, Phase::Failed);
    let error = run.error.unwrap();
    assert!(
        error.starts_with("ValueError: Failed to find the pipeline named 'trainign'"),
        "{error}"
    );
    assert_eq!(
        connection.tasks(&run.id).unwrap_err(),
        RemoteError::Missing(
            "The server's project has no pipeline `trainign`. Did you mean `training`?".to_owned()
        )
    );

    let conf = json!({"_mlops_tui": {"runner": "not a name"}});
    let run = connection.submit(&submission("training", "runner", conf)).unwrap();
    let run = until_over(&connection, &run.id);
    assert_eq!((run.state.name.as_str(), run.state.phase), ("refused", Phase::Failed));
    let error = run.error.unwrap();
    assert!(error.contains("(422): `runner`: Value error, runner 'not a name' is not"), "{error}");
}

#[test]
fn two_runs_go_on_at_once_and_are_listed_newest_first() {
    let server = server();
    let connection = server.connection();
    let start = |node: &str| {
        let conf = json!({"_mlops_tui": {"node_names": [node]}});
        let run = connection.submit(&submission("waiting", node, conf)).unwrap();
        until_exists(&server.root.join(node));
        run.id
    };
    let (one, two) = (start("one"), start("two"));
    let listed = |query: RunsQuery| {
        let runs = connection.runs(&query).unwrap();
        runs.into_iter().map(|run| (run.id.run, run.state.name)).collect::<Vec<_>>()
    };
    let pair = |run: &str, state: &str| (run.to_owned(), state.to_owned());
    let tasks = connection.tasks(&one).unwrap();
    assert_eq!((ids(&tasks), tasks[0].state.phase), (vec!["one"], Phase::Unknown));
    let all = RunsQuery::default();
    assert_eq!(listed(all.clone()), [pair("two", "running"), pair("one", "running")]);
    assert_eq!(listed(RunsQuery { limit: 1, ..all.clone() }), [pair("two", "running")]);
    assert_eq!(listed(RunsQuery { pipeline: Some("training".into()), ..all.clone() }), []);
    assert_eq!(listed(RunsQuery { states: vec!["success".into()], ..all.clone() }), []);
    // Another connection does not have them.
    assert!(matches!(server.connection().run(&one), Err(RemoteError::Missing(_))));

    File::create(server.root.join("go")).unwrap();
    for id in [&one, &two] {
        assert_eq!(until_over(&connection, id).state.phase, Phase::Succeeded);
    }
    let ended =
        RunsQuery { pipeline: Some("waiting".into()), states: vec!["success".into()], ..all };
    assert_eq!(listed(ended), [pair("two", "success"), pair("one", "success")]);
}

#[test]
fn a_server_that_dies_leaves_the_fate_of_its_run_unknown() {
    let mut server = Server::start();
    let connection = server.connection();
    let run = connection.submit(&submission("waiting", "x", Value::Null)).unwrap();
    until_exists(&server.root.join("one"));
    assert_eq!(connection.run(&run.id).unwrap().state.phase, Phase::Running);
    server.kill();
    let run = until_over(&connection, &run.id);
    assert_eq!((run.state.name.as_str(), run.state.phase), ("unknown", Phase::Lost));
    assert_eq!(run.ended, None);
    let error = run.error.unwrap();
    assert!(error.starts_with("What became of the run is not known. http://127.0.0.1:"), "{error}");
    assert!(error.contains("/run: the connection broke: "), "{error}");
    assert!(error.contains("The server could not be asked afterwards"), "{error}");
    assert!(error.contains("the run may still be going on"), "{error}");
    // Nothing is listening any more, so the next one is not submitted.
    let next = connection.submit(&submission("waiting", "y", Value::Null)).unwrap_err();
    assert!(matches!(next, RemoteError::Unanswered(_)), "{next:?}");
    assert_eq!(connection.runs(&RunsQuery::default()).unwrap().len(), 1);
}

#[test]
fn what_the_server_cannot_do_is_refused_with_the_reason() {
    let connection = KedroServer::open("http://127.0.0.1:9", None).unwrap();
    let able = [Action::Pipelines, Action::Tasks, Action::Submit];
    assert!(able.iter().all(|action| connection.can(*action).is_ok()));
    let id = RunId { pipeline: "p".to_owned(), run: "r".to_owned() };
    let unable = |action| RemoteError::Unable(connection.can(action).unwrap_err());
    assert_eq!(connection.cancel(&id), Err(unable(Action::Cancel)));
    assert_eq!(connection.mark(&id, None, Mark::Failed), Err(unable(Action::Mark)));
    assert_eq!(connection.retry(&id), Err(unable(Action::Retry)));
    assert_eq!(connection.pause("p", true), Err(unable(Action::Pause)));
    for action in [Action::Runs, Action::Logs, Action::Deploy, Action::Mark] {
        assert!(connection.can(action).unwrap_err().contains("Kedro server"));
    }
    let missing = connection.run(&id).unwrap_err();
    assert!(missing.to_string().contains("keeps no list of runs"), "{missing}");
}
