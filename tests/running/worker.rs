//! The worker with real Kedro.

mod hostile;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use indexmap::IndexMap;
use mlops_tui::dag::Slice;
use mlops_tui::runs::{
    Failure, Prepared, Process, RunEvent, RunRequest, Served, Spec, Stamped, Stream, Warmth,
    Worker, exact,
};

use crate::common::project::{copy_of_sample, project};
use crate::common::python::python;
use crate::common::run_id;

/// A run of real Kedro takes seconds; one that takes this long hangs.
const HANGS: Duration = Duration::from_secs(120);

fn start(root: &Path, request: &RunRequest) -> Process {
    let spec = Spec { grace: Duration::from_secs(2), ..Spec::new(python(), root) };
    Worker::fresh(spec, "a test").start(&Prepared::as_asked(request.clone())).unwrap()
}

fn fresh(root: &Path) -> Worker {
    with(python(), root)
}

fn with(python: &Path, root: &Path) -> Worker {
    Worker::fresh(Spec::new(python, root), "a test")
}

pub(crate) async fn rest(process: &mut Process) -> Vec<RunEvent> {
    let mut events = Vec::new();
    let all = async {
        while let Some(Stamped { event, .. }) = process.next().await {
            events.push(event);
        }
    };
    tokio::time::timeout(HANGS, all).await.expect("the worker ends");
    events
}

async fn run(root: &Path, request: &RunRequest) -> Vec<RunEvent> {
    rest(&mut start(root, request)).await
}

async fn until(process: &mut Process, wanted: impl Fn(&RunEvent) -> bool) {
    let all = async {
        while let Some(Stamped { event, .. }) = process.next().await {
            if wanted(&event) {
                return;
            }
            assert!(!event.ends_run(), "{event:?}");
        }
        panic!("the event does not come");
    };
    tokio::time::timeout(HANGS, all).await.expect("the event comes");
}

fn started(name: &str) -> impl Fn(&RunEvent) -> bool {
    move |event| matches!(event, RunEvent::NodeStarted { node } if node == name)
}

fn texts(events: &[RunEvent], wanted: Option<&str>, from: Stream) -> Vec<String> {
    events
        .iter()
        .filter_map(|event| match event {
            RunEvent::Output { node, stream, text, .. }
                if node.as_deref() == wanted && *stream == from =>
            {
                Some(text.clone())
            }
            _ => None,
        })
        .collect()
}

fn failure(events: &[RunEvent]) -> &Failure {
    match events.last() {
        Some(RunEvent::RunFailed { failure }) => failure,
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn assert_dies(pid: u32) {
    let began = Instant::now();
    while mlops_tui::store::liveness::started(pid).is_some() {
        assert!(began.elapsed() < Duration::from_secs(10), "process {pid} is left behind");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[tokio::test]
async fn kedro_tells_what_the_sample_project_is() {
    let (_folder, root) = copy_of_sample();
    let answer = exact::snapshot(&fresh(&root), None, &IndexMap::new()).await.unwrap();
    let pipelines = answer["pipelines"].as_array().unwrap();
    let names: Vec<&str> = pipelines.iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert!(names.contains(&"__default__") && names.contains(&"training"), "{names:?}");
    let node = pipelines
        .iter()
        .flat_map(|pipeline| pipeline["nodes"].as_array().unwrap())
        .find(|node| node["name"] == "forest.train_model")
        .unwrap();
    assert_eq!(node["func_name"], "train_model");
    assert_eq!(node["namespace"], "forest");
    assert_eq!(node["source"]["filepath"], "src/harbour_bikes/pipelines/modelling/nodes.py");
    assert!(answer["datasets"]["stations_raw"]["filepath"].as_str().unwrap().ends_with(".csv"));
    assert!(answer["parameter_values"].is_object());
    let read = mlops_tui::project::Snapshot::default();
    let snapshot = mlops_tui::project::json::from_exact(&answer, &read).unwrap();
    assert_eq!(snapshot.pipelines.len(), pipelines.len());
}

/// Kedro's own inspection is the oracle where the installed Kedro has it.
#[tokio::test]
async fn the_answer_is_that_of_kedros_inspection() {
    let (_folder, root) = copy_of_sample();
    let script = "import dataclasses, json, sys\n\
        from kedro.inspection import get_project_snapshot\n\
        answer = dataclasses.asdict(get_project_snapshot(sys.argv[1], env='cloud'))\n\
        print('\\n' + json.dumps(answer))\n";
    let told = std::process::Command::new(python())
        .args(["-c", script])
        .arg(&root)
        .current_dir(&root)
        .output()
        .unwrap();
    let text = String::from_utf8(told.stdout).unwrap();
    let expected: serde_json::Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
    let none = IndexMap::new();
    let answer = exact::snapshot(&fresh(&root), Some("cloud"), &none).await.unwrap();
    for key in ["metadata", "pipelines", "datasets", "parameters"] {
        assert_eq!(answer[key], expected[key], "{key}");
    }
}

#[test]
fn the_tests_run_with_the_packages_of_the_sample_project() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let packages = |file: &str| -> Vec<String> {
        let text = fs::read_to_string(root.join(file)).unwrap();
        text.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect()
    };
    assert_eq!(packages("tests/requirements.txt"), packages("sample-project/requirements.txt"));
}

#[tokio::test]
async fn one_node_of_the_sample_project_runs() {
    let (_folder, root) = copy_of_sample();
    let request = RunRequest { slice: Slice::nodes(["clean_stations"]), ..RunRequest::default() };
    let events = run(&root, &request).await;
    let RunEvent::RunStarted { nodes, env, kedro_version, runner, pipeline, .. } =
        events.iter().find(|event| matches!(event, RunEvent::RunStarted { .. })).unwrap()
    else {
        unreachable!()
    };
    assert_eq!(nodes, &["clean_stations"]);
    assert_eq!((env.as_str(), pipeline.as_str()), ("local", "__default__"));
    assert_eq!(runner, "SequentialRunner");
    assert!(kedro_version.contains('.'));
    let position = |wanted: &str| {
        events.iter().position(|event| match event {
            RunEvent::NodeStarted { .. } => wanted == "started",
            RunEvent::DatasetLoaded { dataset, .. } => {
                wanted == "loaded" && dataset == "stations_raw"
            }
            RunEvent::DatasetSaved { dataset, .. } => wanted == "saved" && dataset == "stations",
            RunEvent::NodeFinished { seconds, .. } => wanted == "finished" && *seconds > 0.0,
            _ => false,
        })
    };
    let order = ["started", "loaded", "saved", "finished"].map(position);
    assert!(order.iter().all(Option::is_some) && order.is_sorted(), "{order:?}");
    assert!(matches!(events.last(), Some(RunEvent::RunFinished { .. })), "{:?}", events.last());
    let logged = texts(&events, Some("clean_stations"), Stream::Log);
    assert!(logged.iter().any(|line| line.contains("stations are open")), "{logged:?}");
}

#[tokio::test]
async fn the_answer_keeps_secrets_and_takes_parameters() {
    let folder = project(
        "def make(node):\n    return [node(len, \"params:model.name\", \"n\", name=\"a\")]\n",
    );
    let params = mlops_tui::runs::request::parse_params("model.name=big,size=4").unwrap();
    let answer = exact::snapshot(&fresh(folder.path()), Some("base"), &params).await.unwrap();
    assert_eq!(
        answer["parameter_values"],
        serde_json::json!({"size": 4, "model": {"depth": 2, "name": "big"}})
    );
    let text = answer.to_string();
    assert!(!text.contains("hush") && !text.contains("word"), "{text}");
    assert!(text.contains("@host/x"));
}

#[tokio::test]
async fn a_pipeline_that_kedro_leaves_out_is_named() {
    let folder = project("");
    let write = |name: &str, text: &str| {
        let path = folder.path().join("src/shop").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    write(
        "pipeline_registry.py",
        "from kedro.framework.project import find_pipelines\n\n\ndef register_pipelines():\n    return find_pipelines()\n",
    );
    write("pipelines/__init__.py", "");
    write("pipelines/broken/__init__.py", "import a_package_that_is_missing\n");
    let answer = exact::snapshot(&fresh(folder.path()), None, &IndexMap::new()).await.unwrap();
    let warnings = answer["warnings"].as_array().unwrap();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    let text = warnings[0].as_str().unwrap();
    assert!(text.contains("'shop.pipelines.broken'"), "{text}");
    assert!(text.ends_with("No module named 'a_package_that_is_missing'"), "{text}");
}

#[tokio::test]
async fn output_belongs_to_the_node_that_wrote_it() {
    let folder = project(
        r#"
import ctypes, logging, os, subprocess, sys, warnings

print("while importing")

def first():
    print("plain", end="")
    print(" line")
    print("to stderr", file=sys.stderr)
    logging.getLogger("shop.deep").warning("two\nlines")
    warnings.warn("careful")
    ctypes.CDLL(None).puts(b"from C")
    subprocess.run(["sh", "-c", "echo from a subprocess; printf unfinished >&2"])
    os.write(1, b"bytes \xff\n")
    return 1

def second(x):
    print("second", x)
    print("x" * 40000)
    sys.stdout.buffer.write(b"no line end")

def make(node):
    return [node(first, None, "x", name="first"), node(second, "x", None, name="second")]
"#,
    );
    let events = run(folder.path(), &RunRequest::default()).await;
    assert!(matches!(events.last(), Some(RunEvent::RunFinished { .. })), "{events:#?}");
    assert_eq!(texts(&events, None, Stream::Stdout), ["while importing"]);
    let out = texts(&events, Some("first"), Stream::Stdout);
    for line in ["plain line", "from C", "from a subprocess", "bytes \u{fffd}"] {
        assert!(out.iter().any(|text| text == line), "{line}: {out:?}");
    }
    assert_eq!(texts(&events, Some("first"), Stream::Stderr), ["to stderr", "unfinished"]);
    let logged: Vec<String> = texts(&events, Some("first"), Stream::Log);
    assert!(logged.windows(2).any(|lines| lines == ["two", "lines"]), "{logged:?}");
    let warned = texts(&events, Some("first"), Stream::Warning);
    assert!(warned.iter().any(|line| line.contains("careful")), "{warned:?}");
    let out = texts(&events, Some("second"), Stream::Stdout);
    for line in ["second 1", "no line end"] {
        assert!(out.iter().any(|text| text == line), "{line}: {out:?}");
    }
    assert!(out.iter().all(|line| !line.is_empty()), "{out:?}");
    assert_eq!(out.concat().matches('x').count(), 40_000, "a long line comes in pieces");
    let levels = events.iter().any(|event| {
        matches!(event, RunEvent::Output { level: Some(level), logger: Some(logger), .. }
            if level == "WARNING" && logger == "shop.deep")
    });
    assert!(levels);
}

#[tokio::test]
async fn a_failing_node_says_where_in_the_project() {
    let folder = project(
        "def inner(x):\n    raise ValueError(f\"bad {x}\")\n\n\ndef outer():\n    try:\n        inner(1)\n    \
         except ValueError as error:\n        raise RuntimeError(\"no luck\") from error\n\n\n\
         def make(node):\n    return [node(outer, None, \"x\", name=\"outer\")]\n",
    );
    let events = run(folder.path(), &RunRequest::default()).await;
    let node = events.iter().find_map(|event| match event {
        RunEvent::NodeFailed { node, failure, .. } => Some((node, failure)),
        _ => None,
    });
    let (node, of_node) = node.unwrap();
    assert_eq!(node, "outer");
    for failure in [of_node, failure(&events)] {
        assert_eq!(failure.kind, "builtins.RuntimeError");
        assert_eq!(failure.message, "no luck");
        assert!(failure.traceback.contains("ValueError: bad 1"), "{}", failure.traceback);
        assert!(!failure.traceback.contains("mlops-tui worker"), "{}", failure.traceback);
        let frame = failure.project_frame().unwrap();
        assert_eq!((frame.file.as_str(), frame.line), ("src/shop/nodes.py", 9));
        assert_eq!(frame.function, "outer");
    }
}

#[tokio::test]
async fn every_way_to_fail_is_told() {
    let make = "def make(node):\n    return [node(act, None, \"x\", name=\"act\")]\n";
    let cases = [
        ("def make(:\n", "builtins.SyntaxError", Some(1)),
        ("import a_package_that_is_missing\n", "builtins.ModuleNotFoundError", Some(1)),
        (
            &format!("import sys\ndef act():\n    sys.exit(3)\n{make}"),
            "builtins.SystemExit",
            Some(3),
        ),
        (
            &format!("def act():\n    raise KeyboardInterrupt\n{make}"),
            "builtins.KeyboardInterrupt",
            Some(2),
        ),
    ];
    for (nodes, kind, line) in cases {
        let folder = project(nodes);
        let events = run(folder.path(), &RunRequest::default()).await;
        let failure = failure(&events);
        assert_eq!(failure.kind, kind, "{failure:?}");
        assert_eq!(failure.project_frame().map(|frame| frame.line), line, "{failure:?}");
    }
    for (act, reason) in [
        (
            "import os, sys\ndef act():\n    print('last words')\n    os._exit(3)\n",
            "exit code 3, while `act` ran",
        ),
        (
            "import os\ndef act():\n    print('last words')\n    os.abort()\n",
            "signal 6 (SIGABRT), while `act` ran",
        ),
    ] {
        let folder = project(&format!("{act}{make}"));
        let events = run(folder.path(), &RunRequest::default()).await;
        assert_eq!(texts(&events, Some("act"), Stream::Stdout), ["last words"]);
        let told = &failure(&events).message;
        assert!(told.contains(reason), "{told}");
    }
}

#[tokio::test]
async fn a_broken_catalog_names_its_line() {
    let folder =
        project("def make(node):\n    return [node(len, \"secret\", \"n\", name=\"a\")]\n");
    fs::write(folder.path().join("conf/base/catalog.yml"), "a:\n  type: [x\nb: 1\n").unwrap();
    let failure = exact::snapshot(&fresh(folder.path()), None, &IndexMap::new()).await.unwrap_err();
    let frame = failure.project_frame().unwrap();
    assert_eq!(frame.file, "conf/base/catalog.yml");
    assert!((2..=3).contains(&frame.line), "{frame:?}");
}

const SLEEPER: &str = r#"
import os, pathlib, subprocess, time

def sleep():
    child = subprocess.Popen(["sleep", "600"])
    # A daemon: it has left the group and the session, and holds nothing of the run's.
    reading, writing = os.pipe()
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.write(writing, str(os.getpid()).encode())
            os.closerange(0, 5000)
            time.sleep(600)
        os._exit(0)
    os.wait()
    daemon = os.read(reading, 100).decode()
    pathlib.Path("pids").write_text(f"{os.getpid()} {child.pid} {daemon}")
    print("asleep")
    while True:
        try:
            time.sleep(600)
        except BaseException:
            if not os.environ.get("STUBBORN") and not pathlib.Path("stubborn").exists():
                raise

def make(node):
    return [node(sleep, None, "x", name="sleep")]
"#;

async fn asleep(folder: &tempfile::TempDir) -> (Process, Vec<u32>) {
    let mut process = start(folder.path(), &RunRequest::default());
    until(&mut process, |event| matches!(event, RunEvent::Output { text, .. } if text == "asleep"))
        .await;
    let pids = fs::read_to_string(folder.path().join("pids")).unwrap();
    let pids = pids.split(' ').map(|pid| pid.parse().unwrap());
    let pids = pids.chain([process.server_pid()]).collect();
    (process, pids)
}

#[tokio::test]
async fn a_cancelled_run_ends_even_when_its_code_resists() {
    for stubborn in [false, true] {
        let folder = project(SLEEPER);
        if stubborn {
            fs::write(folder.path().join("stubborn"), "").unwrap();
        }
        let (mut process, pids) = asleep(&folder).await;
        process.cancel();
        let events = rest(&mut process).await;
        assert_eq!(events.last(), Some(&RunEvent::RunCancelled));
        pids.into_iter().for_each(assert_dies);
    }
}

fn kill(pid: u32) {
    let status = std::process::Command::new("kill").args(["-9", &pid.to_string()]).status();
    assert!(status.unwrap().success());
}

#[tokio::test]
async fn a_killed_worker_is_told_and_leaves_nothing_behind() {
    for server in [true, false] {
        let folder = project(SLEEPER);
        let (mut process, mut pids) = asleep(&folder).await;
        // A daemon that holds nothing of the run's is found through the server alone.
        let daemon = server.then(|| pids.remove(2));
        kill(if server { process.server_pid() } else { process.pid().unwrap() });
        let events = rest(&mut process).await;
        let reason = match events.last() {
            Some(RunEvent::RunLost { reason }) if server => reason,
            Some(RunEvent::RunFailed { failure }) if !server => &failure.message,
            other => panic!("{other:?}"),
        };
        assert!(reason.contains("killed by signal 9"), "{reason}");
        daemon.into_iter().for_each(kill);
        pids.into_iter().for_each(assert_dies);
    }
}

#[tokio::test]
async fn a_dropped_run_leaves_nothing_behind() {
    let folder = project(SLEEPER);
    let (process, pids) = asleep(&folder).await;
    drop(process);
    tokio::task::yield_now().await;
    let wait = tokio::task::spawn_blocking(move || pids.into_iter().for_each(assert_dies));
    wait.await.unwrap();
}

/// The program that followed the run is killed: the worker finds its socket closed.
#[test]
fn a_run_ends_with_the_program_that_started_it() {
    let folder = project(SLEEPER);
    let mut program = std::process::Command::new(env!("CARGO_BIN_EXE_mlops-tui"))
        .args(["run", "--json", "--python"])
        .arg(python())
        .arg(folder.path())
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let file: PathBuf = folder.path().join("pids");
    let began = Instant::now();
    while !fs::read_to_string(&file).is_ok_and(|text| text.split(' ').count() == 3) {
        assert!(began.elapsed() < HANGS && program.try_wait().unwrap().is_none());
        std::thread::sleep(Duration::from_millis(50));
    }
    kill(program.id());
    program.wait().unwrap();
    let pids = fs::read_to_string(&file).unwrap();
    pids.split(' ').map(|pid| pid.parse().unwrap()).for_each(assert_dies);
    let mut store = mlops_tui::store::Store::new(folder.path());
    assert_eq!(store.recover().unwrap(), [run_id(1)]);
    assert_eq!(store.run(run_id(1)).unwrap().unwrap().outcome, mlops_tui::store::Outcome::Lost);
}

#[tokio::test]
async fn threads_and_processes_are_followed() {
    let folder = project(
        "import time\n\n\ndef one():\n    print(\"in one\")\n    time.sleep(1)\n    return 1\n\n\n\
         def two():\n    print(\"in two\")\n    time.sleep(1)\n    return 2\n\n\n\
         def bad(x):\n    raise ValueError(x)\n\n\n\
         def make(node):\n    return [\n        node(one, None, \"x\", name=\"one\"),\n        \
         node(two, None, \"y\", name=\"two\"),\n        node(bad, \"x\", \"z\", name=\"bad\"),\n    ]\n",
    );
    for runner in ["ThreadRunner", "ParallelRunner"] {
        let slice = Slice::nodes(["one", "two"]);
        let runner_name = Some(runner.to_owned());
        let request = RunRequest { slice, runner: runner_name.clone(), ..RunRequest::default() };
        let events = run(folder.path(), &request).await;
        assert!(matches!(events.last(), Some(RunEvent::RunFinished { .. })), "{events:#?}");
        for node in ["one", "two"] {
            assert!(events.iter().any(started(node)), "{runner} {node}: {events:#?}");
            let finished = |event: &RunEvent| matches!(event, RunEvent::NodeFinished { node: name, .. } if name == node);
            assert!(events.iter().any(finished), "{runner} {node}: {events:#?}");
            assert_eq!(texts(&events, Some(node), Stream::Stdout), [format!("in {node}")]);
        }
        let request = RunRequest { runner: runner_name, ..RunRequest::default() };
        let events = run(folder.path(), &request).await;
        let frame = failure(&events).project_frame().unwrap();
        assert_eq!((frame.file.as_str(), frame.line), ("src/shop/nodes.py", 17), "{runner}");
    }
}

#[tokio::test]
async fn selections_reach_kedro() {
    let folder = project(
        "def f(x=None):\n    return x or 1\n\n\ndef make(node):\n    return [\n        \
         node(f, None, \"a\", name=\"a\", tags=\"t\"),\n        node(f, \"a\", \"b\", name=\"b\"),\n        \
         node(f, \"b\", \"c\", name=\"c\"),\n    ]\n",
    );
    let named = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    for (slice, expected) in [
        (Slice { to_nodes: named(&["b"]), ..Slice::default() }, vec!["a", "b"]),
        (Slice { tags: named(&["t"]), ..Slice::default() }, vec!["a"]),
        (Slice { to_outputs: named(&["b"]), ..Slice::default() }, vec!["a", "b"]),
    ] {
        let request = RunRequest { slice, is_async: true, ..RunRequest::default() };
        let events = run(folder.path(), &request).await;
        let nodes: Vec<&str> = events
            .iter()
            .filter_map(|event| match event {
                RunEvent::NodeFinished { node, .. } => Some(node.as_str()),
                _ => None,
            })
            .collect();
        assert_eq!(nodes, expected);
    }
    let request = RunRequest { pipeline: Some("gone".into()), ..RunRequest::default() };
    let events = run(folder.path(), &request).await;
    assert!(failure(&events).message.contains("gone"));
}

#[tokio::test]
async fn a_python_without_kedro_or_none_at_all_is_told() {
    let folder = project("");
    let python = folder.path().join("python");
    fs::write(&python, "#!/bin/sh\necho 'no Python today' >&2\nexit 7\n").unwrap();
    std::process::Command::new("chmod").arg("+x").arg(&python).status().unwrap();
    let params = IndexMap::new();
    let failure = exact::snapshot(&with(&python, folder.path()), None, &params).await.unwrap_err();
    assert!(failure.message.contains("exit code 7: no Python today"), "{}", failure.message);
    let gone = folder.path().join("gone");
    let failure = exact::snapshot(&with(&gone, folder.path()), None, &params).await.unwrap_err();
    assert!(failure.message.contains("gone"), "{}", failure.message);
}

async fn run_with(worker: &Worker, request: &RunRequest) -> Vec<RunEvent> {
    rest(&mut worker.start(&Prepared::as_asked(request.clone())).unwrap()).await
}

async fn until_warm(worker: &Worker) -> usize {
    let mut warmth = worker.warmth();
    let warm = warmth.wait_for(|warmth| matches!(warmth, Warmth::Warm { .. } | Warmth::Fresh(_)));
    let warm = tokio::time::timeout(HANGS, warm).await.expect("the worker gets warm").unwrap();
    match &*warm {
        Warmth::Warm { modules, .. } => *modules,
        other => panic!("{other:?}"),
    }
}

fn result(folder: &Path) -> String {
    fs::read_to_string(folder.join("result.txt")).unwrap()
}

pub(crate) fn served(events: &[RunEvent]) -> Served {
    let worker = events.iter().find_map(|event| match event {
        RunEvent::RunStarted { worker, .. } => Some(*worker),
        _ => None,
    });
    worker.unwrap_or_else(|| panic!("{events:#?}"))
}

/// Whatever of the project is edited between two runs of a warm worker is in effect.
#[tokio::test]
async fn an_edit_is_in_effect_in_the_next_run_of_a_warm_worker() {
    let folder = project(
        "from shop import near\n\n\ndef act(size, secret):\n    text = f\"one {near.far()} {size} {len(secret)}\"\n    \
         open(\"result.txt\", \"w\").write(text)\n\n\n\
         def make(node):\n    return [node(act, [\"params:size\", \"table\"], None, name=\"act\")]\n",
    );
    let root = folder.path();
    let write = |name: &str, text: &str| fs::write(root.join(name), text).unwrap();
    let replace = |name: &str, from: &str, to: &str| {
        let text = fs::read_to_string(root.join(name)).unwrap();
        assert!(text.contains(from), "{text}");
        write(name, &text.replace(from, to));
    };
    write("src/shop/near.py", "from shop.distant import far\n");
    write("src/shop/distant.py", "def far():\n    return \"far\"\n");
    write("conf/base/catalog.yml", "table:\n  type: shop.near_data.Text\n  filepath: a.txt\n");
    write(
        "src/shop/near_data.py",
        "from kedro.io import AbstractDataset\n\n\nclass Text(AbstractDataset):\n    \
         def __init__(self, filepath, metadata=None):\n        self.path = filepath\n\n    \
         def _load(self):\n        return open(self.path).read()\n\n    \
         def _save(self, data):\n        pass\n\n    def _describe(self):\n        return {}\n\n    \
         load = _load\n    save = _save\n",
    );
    write("a.txt", "1");
    write("b.txt", "22");
    let worker = Worker::warm(Spec::new(python(), root));
    let request = RunRequest::default();
    let run = async || {
        let events = run_with(&worker, &request).await;
        assert!(matches!(events.last(), Some(RunEvent::RunFinished { .. })), "{events:#?}");
        assert_eq!(served(&events), Served::Warm);
        result(root)
    };
    assert_eq!(run().await, "one far 3 1");
    assert!(until_warm(&worker).await > 100);
    replace("src/shop/nodes.py", "f\"one", "f\"two");
    assert_eq!(run().await, "two far 3 1");
    replace("src/shop/distant.py", "\"far\"", "\"away\"");
    assert_eq!(run().await, "two away 3 1");
    replace("conf/base/parameters.yml", "size: 3", "size: 4");
    assert_eq!(run().await, "two away 4 1");
    replace("conf/base/catalog.yml", "a.txt", "b.txt");
    assert_eq!(run().await, "two away 4 2");
    write(
        "src/shop/hooks.py",
        "from kedro.framework.hooks import hook_impl\n\n\nclass Hooks:\n    @hook_impl\n    \
         def after_node_run(self):\n        open(\"result.txt\", \"a\").write(\" hooked\")\n",
    );
    let settings = fs::read_to_string(root.join("src/shop/settings.py")).unwrap();
    let hooks = "from shop.hooks import Hooks\n\nHOOKS = (Hooks(),)\n";
    write("src/shop/settings.py", &format!("{settings}{hooks}"));
    assert_eq!(run().await, "two away 4 2 hooked");
    replace("src/shop/hooks.py", "hooked", "hooked again");
    assert_eq!(run().await, "two away 4 2 hooked again");
}
