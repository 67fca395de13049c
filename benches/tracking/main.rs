//! How fast MLflow's stores are read, beside MLflow itself and a plain reading of the same bytes in the same run:
//!
//! - a database of 2,000 runs with 20 params and 20 metrics each, up to the table in its order;
//! - a metric of a million points, up to the curve of 200 columns;
//! - a file store of 2,000 runs, which the plain reading walks;
//! - the curves of 100 runs with 100 metrics of 1,000 values each;
//! - 10,000 runs in memory, sorted and filtered.
//!
//! `cargo bench --bench tracking` prints the medians and the ratios, as tables in Markdown; with `-- database`,
//! `-- files` `-- many` or `-- memory` only a part of them. It makes an environment with MLflow first, once.

#[path = "../../tests/common/python.rs"]
#[expect(dead_code, reason = "only an environment of MLflow is asked for")]
mod python;

mod database;
mod files;
mod many;
mod memory;

use std::fmt::Display;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const RUNS: u32 = 2_000;
const KEYS: u32 = 20;

fn main() {
    let python = python::environment("tests/tracking/requirements-3.17.2.txt", Some("3.11"));
    println!(
        "| what | `mlops-tui` | MLflow | MLflow / ours | plain reading | ours / plain |\n|---|---:|---:|---:|---:|---:|"
    );
    let only: Vec<String> =
        std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let is_asked = |part: &str| only.is_empty() || only.iter().any(|name| name == part);
    if is_asked("database") {
        database::measure(&python);
    }
    let made = is_asked("files").then(|| files::measure(&python));
    println!("\n| what | time |\n|---|---:|");
    made.iter().for_each(files::measure_parts);
    if is_asked("many") {
        many::measure(&python);
    }
    if is_asked("memory") {
        memory::measure();
    }
}

/// A row of the table of comparisons. Ours and the plain reading take turns, so that both meet the same machine.
fn compare(what: &str, peers: Duration, mut ours: impl FnMut(), mut plain: impl FnMut()) {
    let mut times = (Vec::new(), Vec::new());
    for _ in 0..9 {
        times.0.push(time(&mut ours));
        times.1.push(time(&mut plain));
    }
    let (ours, plain) = (middle(times.0), middle(times.1));
    let ratio = |a: Duration, b: Duration| a.as_secs_f64() / b.as_secs_f64();
    println!(
        "| {what} | {:.0} ms | {:.2} s | {:.0} | {:.0} ms | {:.2} |",
        millis(ours),
        peers.as_secs_f64(),
        ratio(peers, ours),
        millis(plain),
        ratio(ours, plain)
    );
}

/// A row of the table of our own times.
fn row(what: &str, act: impl FnMut()) {
    println!("| {what} | {:.2} ms |", millis(median(act)));
}

fn median(mut act: impl FnMut()) -> Duration {
    middle((0..9).map(|_| time(&mut act)).collect())
}

fn time(act: &mut impl FnMut()) -> Duration {
    let begin = Instant::now();
    act();
    begin.elapsed()
}

fn middle(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// Lets MLflow do something a few times: the median of what it says, or zero where it says nothing.
fn peer(python: &Path, what: &str, place: &Path, numbers: &[&dyn Display]) -> Duration {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/tracking/peer.py");
    let output = Command::new(python)
        .args([Path::new(script), Path::new(what), place])
        .args(numbers.iter().map(ToString::to_string))
        .stderr(Stdio::piped())
        .output()
        .expect("Python starts");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{what}: {}: {errors}", output.status);
    let text = String::from_utf8(output.stdout).expect("numbers");
    let seconds = text.lines().map(|line| line.parse().expect("seconds"));
    let times: Vec<Duration> = seconds.map(Duration::from_secs_f64).collect();
    if times.is_empty() { Duration::ZERO } else { middle(times) }
}
