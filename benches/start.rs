//! How long it takes until a project is seen, beside the peers in the same run:
//!
//! - `mlops-tui`: from the start of the process to the full first frame in a real terminal;
//! - `kedro viz run`: to the answer of `/api/main`, which is its graph;
//! - `kedro registry list`: to its end, which is the names of the pipelines alone;
//! - and from a saved file to the new graph on the screen.
//!
//! `cargo bench --bench start` prints the medians and the ratios, as a table in Markdown. The
//! environment of the peers is made once from `benches/requirements.txt`; `MLOPS_TUI_BENCH_PYTHON`
//! names one that is there already.

#[path = "../tests/common/mod.rs"]
mod common;

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use common::project::copy_of_sample;
use common::terminal::Terminal;

const OURS: usize = 15;
const PEERS: usize = 3;

fn main() {
    let python = match std::env::var_os("MLOPS_TUI_BENCH_PYTHON") {
        Some(path) => PathBuf::from(path),
        None => common::python::environment("benches/requirements.txt", None),
    };
    let kedro = python.with_file_name("kedro");
    let (_folder, root) = copy_of_sample();
    let frame = median(OURS, || first_frame(&root));
    let inspect = median(OURS, || {
        let begin = Instant::now();
        let mut command = Command::new(env!("CARGO_BIN_EXE_mlops-tui"));
        finish(command.arg("inspect").arg(&root).arg("--json"));
        begin.elapsed()
    });
    let saved = median(OURS, || save_to_screen(&root));
    let registry = median(PEERS, || {
        let begin = Instant::now();
        finish(Command::new(&kedro).args(["registry", "list"]).current_dir(&root));
        begin.elapsed()
    });
    let viz = median(PEERS, || viz(&kedro, &root));

    println!("| what | median | times the first frame |");
    println!("|---|---:|---:|");
    for (what, time) in [
        ("`mlops-tui`: start to the full first frame", frame),
        ("`mlops-tui inspect --json`", inspect),
        ("`mlops-tui`: saved file to the new graph on screen", saved),
        ("`kedro registry list`", registry),
        ("`kedro viz run`: start to serving its graph", viz),
    ] {
        let times = time.as_secs_f64() / frame.as_secs_f64();
        println!("| {what} | {} | {times:.1} |", show(time));
    }
}

fn show(time: Duration) -> String {
    match time.as_secs_f64() {
        s if s < 1.0 => format!("{:.0} ms", s * 1000.0),
        s => format!("{s:.1} s"),
    }
}

fn median(count: usize, mut measure: impl FnMut() -> Duration) -> Duration {
    let mut times: Vec<Duration> = (0..count).map(|_| measure()).collect();
    times.sort();
    times[count / 2]
}

fn finish(command: &mut Command) {
    let command = quiet(command).stdout(Stdio::null()).stderr(Stdio::null());
    let status = command.status().expect("the program is there");
    assert!(status.success(), "{command:?}: {status}");
}

fn quiet(command: &mut Command) -> &mut Command {
    command.env("KEDRO_DISABLE_TELEMETRY", "1").env("DO_NOT_TRACK", "1").stdin(Stdio::null())
}

/// A frame is full when the graph, the details with their source, and the key bar are there.
fn full(screen: &str) -> bool {
    ["15 nodes", "clean_stations", "def clean_stations", "q quit"]
        .iter()
        .all(|part| screen.contains(part))
}

fn first_frame(root: &Path) -> Duration {
    let home = tempfile::tempdir().expect("a folder");
    let begin = Instant::now();
    let mut terminal = Terminal::start(home.path(), 120, 40, &[root.to_str().expect("UTF-8")], &[]);
    terminal.wait("the full first frame", full);
    let time = begin.elapsed();
    terminal.keys("q");
    terminal.wait_exit();
    time
}

fn save_to_screen(root: &Path) -> Duration {
    let file = root.join("src/harbour_bikes/pipelines/data_processing/pipeline.py");
    let text = fs::read_to_string(&file).expect("the pipeline");
    let home = tempfile::tempdir().expect("a folder");
    let mut terminal = Terminal::start(home.path(), 120, 40, &[root.to_str().expect("UTF-8")], &[]);
    terminal.wait("the full first frame", full);
    // The watches are set once the project is read.
    std::thread::sleep(Duration::from_millis(300));
    let begin = Instant::now();
    fs::write(&file, text.replace("name=\"clean_stations\"", "name=\"renamed_node\""))
        .expect("saved");
    terminal.wait_for("renamed_node");
    let time = begin.elapsed();
    fs::write(&file, text).expect("saved");
    terminal.keys("q");
    terminal.wait_exit();
    time
}

fn viz(kedro: &Path, root: &Path) -> Duration {
    let port =
        std::net::TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    let port = port.expect("a free port").port();
    let begin = Instant::now();
    let mut command = Command::new(kedro);
    command.args(["viz", "run", "--no-browser", "--port"]).arg(port.to_string()).current_dir(root);
    // It starts processes of its own; all of them end with the group.
    command.process_group(0).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = quiet(&mut command).spawn().expect("kedro viz");
    while !serves(port) {
        assert!(begin.elapsed() < Duration::from_secs(180), "kedro viz does not serve");
        assert!(child.try_wait().expect("a child").is_none(), "kedro viz has ended");
        std::thread::sleep(Duration::from_millis(20));
    }
    let time = begin.elapsed();
    let group = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw);
    let _ =
        rustix::process::kill_process_group(group.expect("an id"), rustix::process::Signal::KILL);
    let _ = child.wait();
    time
}

fn serves(port: u16) -> bool {
    let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) else { return false };
    let mut answer = String::new();
    let sent = stream.write_all(b"GET /api/main HTTP/1.0\r\nHost: localhost\r\n\r\n");
    sent.is_ok() && stream.read_to_string(&mut answer).is_ok() && answer.starts_with("HTTP/1.1 200")
}
