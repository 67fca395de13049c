//! A node that prints 100,000 lines a second for 30 seconds, with the screen in a real terminal: whether
//! all are in the store, how soon a key is answered meanwhile, and how much memory that takes.
//!
//!     cargo bench --bench flood

#[path = "../tests/common/mod.rs"]
mod common;

use std::time::{Duration, Instant};

use common::python::python;
use common::terminal::Terminal;
use mlops_tui::store::{RunFilter, Store};

const SECONDS: u64 = 30;
const RATE: u64 = 100_000;

/// Prints in parts of a hundredth of a second, as fast as the rate asks and no faster.
const NODES: &str = r#"
import time


def flood(size):
    begin = time.perf_counter()
    for part in range(PARTS):
        for line in range(LINES):
            print("part", part, "line", line, "and what a line says")
        early = begin + (part + 1) / 100 - time.perf_counter()
        if early > 0:
            time.sleep(early)
    return time.perf_counter() - begin


def make(node):
    return [node(flood, "params:size", "took", name="flood")]
"#;

fn main() {
    let nodes = NODES
        .replace("PARTS", &(SECONDS * 100).to_string())
        .replace("LINES", &(RATE / 100).to_string());
    let folder = common::project::project(&nodes);
    let root = folder.path().canonicalize().expect("a folder");
    let home = tempfile::tempdir().expect("a folder");
    let arguments = [root.to_str().expect("UTF-8"), "--python", python().to_str().expect("UTF-8")];
    let log = [("MLOPS_TUI_LOG", "mlops_tui::tui=trace")];
    let mut terminal = Terminal::start(home.path(), 200, 60, &arguments, &log);
    terminal.wait_for("1 node");
    terminal.keys("ry");
    terminal.wait_for("what a line says");
    let begin = Instant::now();
    let mut answers = Vec::new();
    let mut memory = 0;
    while !terminal.screen().contains("succeeded 1/1") {
        assert!(begin.elapsed() < Duration::from_secs(300), "{}", terminal.screen());
        for (key, shown, gone) in [("2", "took", "flood()"), ("1", "flood()", "  type")] {
            let pressed = Instant::now();
            terminal.keys(key);
            terminal.wait("the other tab", |screen| {
                screen.contains("succeeded 1/1")
                    || (screen.contains(shown) && !screen.contains(gone))
            });
            answers.push(pressed.elapsed());
            std::thread::sleep(Duration::from_millis(50));
        }
        memory = memory.max(resident(terminal.pid()));
    }
    let took = begin.elapsed();
    terminal.keys("q");
    terminal.wait_exit();
    let runs = Store::new(&root).runs(&RunFilter::default()).expect("the history");
    let lines = runs.first().map_or(0, |run| run.log_lines);
    answers.sort_unstable();
    let at = |part: f64| answers[((answers.len() - 1) as f64 * part) as usize].as_secs_f64() * 1e3;
    let log = std::fs::read_to_string(home.path().join("state/mlops-tui.log")).expect("the log");
    let mut frames: Vec<f64> = log
        .lines()
        .filter_map(|line| line.split("micros=").nth(1)?.trim().parse::<f64>().ok())
        .map(|micros| micros / 1e3)
        .collect();
    frames.sort_unstable_by(f64::total_cmp);
    let frame = |part: f64| frames[((frames.len() - 1) as f64 * part) as usize];
    println!("lines printed        {:>12}", SECONDS * RATE);
    println!("lines in the store   {lines:>12}");
    println!("lines a second       {:>12.0}", (SECONDS * RATE) as f64 / took.as_secs_f64());
    println!(
        "key to its frame, ms  {:.0} median, {:.0} 99 %, {:.0} most",
        at(0.5),
        at(0.99),
        at(1.0)
    );
    println!(
        "{} frames, ms        {:.1} median, {:.1} 99 %, {:.1} most",
        frames.len(),
        frame(0.5),
        frame(0.99),
        frame(1.0)
    );
    println!("memory of the screen {:>9} MB", memory >> 20);
}

/// Bytes of a process that are in memory.
fn resident(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|kb| kb.parse::<u64>().ok()).unwrap_or(0) << 10
}
