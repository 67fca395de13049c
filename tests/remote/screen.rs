//! The Remote screen in a real terminal with a real Airflow: a pipeline is deployed, submitted, followed, mended, tried again
//! and stopped, and an address where nobody answers is shown as such.

use std::fs;
use std::path::Path;

use crate::airflow::{ADMIN, Airflow, Version};
use crate::project::project;
use crate::server;
use crate::terminal::Terminal;

/// Three tasks: one that waits on request, one that fails for a negative size, and one behind it.
const NODES: &str = r#"import time


def wait(seconds):
    time.sleep(seconds)
    return seconds


def root(waited, size):
    print(f"the size is {size}")
    if size < 0:
        raise ValueError(f"no root of {size}")
    return size ** 0.5


def tell(result):
    print(f"the root is {result}")


def make(node):
    return [
        node(wait, "params:seconds", "waited", name="wait"),
        node(root, ["waited", "params:size"], "result", name="root"),
        node(tell, "result", None, name="tell"),
    ]
"#;

/// A password of the profile that nobody answers.
const OTHER: &str = "pw-of-the-Box";

fn shop(airflow: &Airflow) -> tempfile::TempDir {
    let folder = project(NODES);
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    write(
        "conf/base/catalog.yml",
        "waited: {type: pickle.PickleDataset, filepath: data/waited.pkl}\n\
         result: {type: pickle.PickleDataset, filepath: data/result.pkl}\n",
    );
    write("conf/base/parameters.yml", "size: 9\nseconds: 0\n");
    write("conf/base/airflow.yml", "default: {retries: 0}\n");
    let (url, dags) = (airflow.address(), airflow.dags_folder());
    write(
        "conf/base/remote.yml",
        &format!(
            "lab:\n  engine: airflow\n  url: {url}\n  credentials: of_lab\n  folder: {}\n\
             box:\n  engine: airflow\n  url: http://127.0.0.1:1\n  credentials: of_box\n",
            dags.display()
        ),
    );
    write(
        "conf/local/credentials.yml",
        &format!(
            "of_lab: {{username: {}, password: {}}}\nof_box: {{username: box, password: {OTHER}}}\n",
            ADMIN.0, ADMIN.1
        ),
    );
    folder
}

#[test]
fn a_pipeline_is_deployed_run_mended_retried_and_stopped_from_the_screen() {
    let airflow = server(Version::Three);
    let folder = shop(&airflow);
    let home = tempfile::tempdir().unwrap();
    let root = folder.path().to_str().unwrap();
    let python = airflow.python().to_str().unwrap();
    let env = [("NO_PROXY", "*"), ("LC_ALL", "C.UTF-8"), ("KEDRO_DISABLE_TELEMETRY", "1")];
    let mut terminal = Terminal::start(home.path(), 110, 30, &[root, "--python", python], &env);
    terminal.wait_for("1 Pipeline");

    // Nothing is sent before the project is trusted.
    terminal.keys("7");
    terminal.wait_for("asked once you trust the project");
    terminal.keys("c");
    terminal.wait_for("Trust this project?");
    terminal.keys("y");
    terminal.wait_for("✓  lab");
    terminal.wait_for("✗  box");
    terminal.wait_for("no connection to http");
    terminal.keys("k<enter>");
    terminal.wait_for("No pipeline of this project is on the engine.");

    // The whole file is shown before it is written.
    terminal.keys("d");
    terminal.wait_for("shop_dag.py");
    assert!(!airflow.dags_folder().join("shop_dag.py").exists());
    terminal.keys("<enter>");
    terminal.wait_for("There is no run yet.");
    assert!(airflow.dags_folder().join("shop_dag.py").exists());

    submit(&mut terminal, "size=-4");
    terminal.wait_for("failed 1/3");
    // The logs of all tasks are searched at once.
    terminal.keys("Sno root of -\\d<enter>");
    terminal.wait_for("ValueError: no root of -4");
    terminal.wait_for("in 1 of 2 logs");
    terminal.keys("<esc>");
    terminal.wait_for("upstream_failed");
    // What failed is selected, so its log is one key away, and shows its end.
    terminal.keys("<enter>");
    terminal.wait_for("ValueError: no root of -4");
    terminal.keys("/THE SIZE<enter>");
    terminal.wait_for("the size is -4");
    terminal.keys("/valueerror<enter>");
    terminal.wait_for("ValueError: no root of -4");

    let nodes = folder.path().join("src/shop/nodes.py");
    fs::write(
        &nodes,
        NODES
            .replace("return size ** 0.5", "return abs(size) ** 0.5")
            .replace("size < 0", "size is None"),
    )
    .unwrap();
    // An escape and a letter at once would be one key.
    terminal.keys("<esc>");
    terminal.wait_for("upstream_failed");
    terminal.keys("C");
    terminal.wait_for("success 3/3");
    let screen = terminal.screen();
    assert!(screen.contains("success, try 2"), "{screen}");
    terminal.keys("<enter>");
    terminal.wait_for("try 2 of 2");
    terminal.keys(",");
    terminal.wait_for("try 1 of 2");
    terminal.wait_for("ValueError: no root of -4");

    terminal.keys("<esc>");
    terminal.wait_for("success, try 2");
    terminal.keys("<esc>");
    terminal.wait_gone("Remote > lab > ");
    submit(&mut terminal, "seconds=300");
    terminal.wait_for("running 0/3");
    terminal.keys("x");
    terminal.wait_for("Stop this run?");
    terminal.keys("y");
    terminal.wait_for("failed 0/3");

    terminal.keys("q");
    assert!(terminal.wait_exit().success());
    let written = terminal.written();
    // Tokens of Airflow begin with the letters of an encoded `{"`.
    for secret in [ADMIN.1, "Ada/1915", "Ada%2F1915", OTHER, "eyJhbGciOi"] {
        assert!(!written.contains(secret), "{secret} was on the screen");
        for kept in [home.path().to_owned(), folder.path().join(".mlops-tui")] {
            assert_eq!(holding(&kept, secret), Vec::<String>::new(), "{secret}");
        }
    }
}

/// Submits the pipeline with a parameter, and waits for the page of the run.
fn submit(terminal: &mut Terminal, params: &str) {
    terminal.keys("r");
    terminal.wait_for("Submit shop to lab");
    terminal.keys(params);
    terminal.keys("<enter>");
    terminal.wait_gone("Submit shop to lab");
    terminal.wait_for("Remote > lab > ");
}

/// The files below a folder that hold a text.
fn holding(folder: &Path, text: &str) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let of = |entry: fs::DirEntry| match entry.path() {
        path if path.is_dir() => holding(&path, text),
        path => {
            let bytes = fs::read(&path).unwrap_or_default();
            let has = bytes.windows(text.len()).any(|part| part == text.as_bytes());
            has.then(|| path.display().to_string()).into_iter().collect()
        }
    };
    entries.flatten().flat_map(of).collect()
}
