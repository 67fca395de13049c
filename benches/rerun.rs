//! How long one node's rerun takes after an edit, beside the peer in the same run:
//!
//! - `mlops-tui`: from the saved file to the run's end, with a warm worker, and what of it is not
//!   the node's own time;
//! - `kedro run --nodes`: from the start of the process to its end.
//!
//! And how long the Python prompt of a node takes (`b`): from the key to the prompt, out of the warm worker, beside
//! the verb `debug`, which starts Python.
//!
//! `cargo bench --bench rerun` prints the medians and the ratios, as tables in Markdown.

#[path = "../tests/common/mod.rs"]
mod common;

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use common::project::copy_of_sample;
use common::python::python;
use common::terminal::Terminal;
use mlops_tui::dag::Slice;
use mlops_tui::runs::{Prepared, RunEvent, RunRequest, Served, Spec, Warmth, Worker};

const OURS: usize = 15;
const PEERS: usize = 3;
const PROMPTS: usize = 5;
const NODES: [(&str, &str); 2] =
    [("clean_stations", "data_processing"), ("linear.train_model", "modelling")];

fn main() {
    let (_folder, root) = copy_of_sample();
    let kedro = python().with_file_name("kedro");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    // What the nodes need is made first.
    finish(Command::new(&kedro).arg("run").current_dir(&root));
    let worker = runtime.block_on(async { Worker::warm(Spec::new(python(), &root)) });
    runtime.block_on(async {
        // The first run teaches what to import, the second one waits for it.
        run(&worker, NODES[0].0).await;
        run(&worker, NODES[1].0).await;
        let mut warmth = worker.warmth();
        warmth.wait_for(|warmth| matches!(warmth, Warmth::Warm { .. })).await.expect("a worker");
    });
    println!(
        "| node | rerun after an edit | of it not the node's own | `kedro run --nodes` | ratio |"
    );
    println!("|---|---:|---:|---:|---:|");
    for (node, module) in NODES {
        let file = root.join(format!("src/harbour_bikes/pipelines/{module}/nodes.py"));
        let mut times: Vec<(Duration, Duration)> = (0..OURS)
            .map(|number| {
                edit(&file, number);
                let begin = Instant::now();
                let own = runtime.block_on(run(&worker, node));
                let whole = begin.elapsed();
                (whole, whole.saturating_sub(own))
            })
            .collect();
        times.sort();
        let (whole, beyond) = times[OURS / 2];
        let mut peers: Vec<Duration> = (0..PEERS)
            .map(|number| {
                edit(&file, number);
                let begin = Instant::now();
                finish(Command::new(&kedro).args(["run", "--nodes", node]).current_dir(&root));
                begin.elapsed()
            })
            .collect();
        peers.sort();
        let peer = peers[PEERS / 2];
        println!(
            "| `{node}` | {} ms | {} ms | {:.1} s | {:.1} |",
            whole.as_millis(),
            beyond.as_millis(),
            peer.as_secs_f64(),
            peer.as_secs_f64() / whole.as_secs_f64()
        );
    }
    drop(worker);
    prompts(&root);
}

/// Prints how long the prompt of a node takes, warm and cold.
fn prompts(root: &Path) {
    let home = tempfile::tempdir().expect("a folder");
    let (project, python) = (root.to_str().expect("a path"), python().to_str().expect("a path"));
    let env = [("KEDRO_DISABLE_TELEMETRY", "1"), ("DO_NOT_TRACK", "1"), ("LC_ALL", "C.UTF-8")];
    let is_prompt = |screen: &str| screen.trim_end().ends_with(">>>");
    let mut terminal = Terminal::start(home.path(), 120, 40, &[project, "--python", python], &env);
    terminal.wait_for("15 nodes");
    terminal.keys("Ey");
    terminal.wait_for("worker warm");
    terminal.wait_for("exact ✓");
    // The screen that the prompts share keeps the earlier ones.
    let mut warm: Vec<Duration> = (1..=PROMPTS)
        .map(|count| {
            let begin = Instant::now();
            terminal.keys("b");
            terminal.wait("the prompt", |screen| {
                screen.matches("Ctrl-D goes back.").count() == count && is_prompt(screen)
            });
            let taken = begin.elapsed();
            terminal.keys("<c-d>");
            terminal.wait_for("15 nodes");
            taken
        })
        .collect();
    terminal.keys("q");
    terminal.wait_exit();
    let mut cold: Vec<Duration> = (0..PEERS)
        .map(|_| {
            let begin = Instant::now();
            let arguments = ["debug", "clean_stations", project, "--python", python];
            let mut terminal = Terminal::start(home.path(), 120, 40, &arguments, &env);
            terminal.wait("the prompt", is_prompt);
            let taken = begin.elapsed();
            terminal.keys("<c-d>");
            terminal.wait_exit();
            taken
        })
        .collect();
    warm.sort();
    cold.sort();
    let (warm, cold) = (warm[PROMPTS / 2], cold[PEERS / 2]);
    println!();
    println!("| prompt from the warm worker | from a new Python | ratio |");
    println!("|---:|---:|---:|");
    println!(
        "| {} ms | {:.1} s | {:.1} |",
        warm.as_millis(),
        cold.as_secs_f64(),
        cold.as_secs_f64() / warm.as_secs_f64()
    );
}

/// Runs one node; how long it took by itself.
async fn run(worker: &Worker, node: &str) -> Duration {
    let request = RunRequest { slice: Slice::nodes([node]), ..RunRequest::default() };
    let mut process = worker.start(&Prepared::as_asked(request)).expect("Python starts");
    let mut own = Duration::ZERO;
    while let Some(stamped) = process.next().await {
        match stamped.event {
            RunEvent::RunStarted { worker, .. } => assert_eq!(worker, Served::Warm),
            RunEvent::NodeFinished { seconds, .. } => own = Duration::from_secs_f64(seconds),
            RunEvent::RunFinished { .. } => {
                // What follows is the end of its process, which nobody waits for.
                tokio::spawn(async move { while process.next().await.is_some() {} });
                return own;
            }
            event => assert!(!event.ends_run(), "{event:?}"),
        }
    }
    panic!("the run has no end");
}

fn edit(file: &Path, number: usize) {
    let text = fs::read_to_string(file).expect("the nodes");
    let text = text.trim_end_matches(|c: char| c.is_ascii_digit());
    let text = text.strip_suffix("\nEDIT = ").unwrap_or(text);
    fs::write(file, format!("{text}\nEDIT = {number}")).expect("saved");
}

fn finish(command: &mut Command) {
    let command = command.env("KEDRO_DISABLE_TELEMETRY", "1").env("DO_NOT_TRACK", "1");
    let command = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let status = command.status().expect("the program is there");
    assert!(status.success(), "{command:?}: {status}");
}
