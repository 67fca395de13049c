//! How fast the history is written and read, measured by `cargo bench --bench history`:
//! log lines appended, pages of a log of three million lines, the list, the estimates.

use std::hint::black_box;
use std::time::{Duration, Instant};

use mlops_tui::store::{
    Entry, Level, Line, LogCursor, LogFilter, NewRun, NodeOutcome, NodeRecord, Outcome, Progress,
    RunFilter, RunId, RunRecord, Source, Store,
};

/// Lines of the log: 100,000 a second for 30 seconds.
const LINES: usize = 3_000_000;
/// Lines in one write; the screen's bursts.
const BURST: usize = 2_000;
/// Runs in the list, and nodes in each.
const RUNS: usize = 5_000;
const NODES: usize = 20;

fn main() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut store = Store::new(folder.path());
    println!("| what | time | |\n|---|---:|---:|");
    let run = write_log(&mut store);
    read_log(&mut store, run);
    drop(store);

    let folder = tempfile::tempdir().expect("a folder");
    let mut store = Store::new(folder.path());
    list(&mut store);
}

fn row(what: &str, time: Duration, note: &str) {
    let millis = time.as_secs_f64() * 1e3;
    println!("| {what} | {millis:.1} ms | {note} |");
}

fn median(times: usize, mut act: impl FnMut(usize)) -> Duration {
    let mut taken: Vec<Duration> = (0..times)
        .map(|time| {
            let begin = Instant::now();
            act(time);
            begin.elapsed()
        })
        .collect();
    taken.sort();
    taken[times / 2]
}

/// Lines as a training loop prints them: every seventh a log record, few of them warnings.
fn lines() -> Vec<String> {
    let mut random = 0x2545_F491_4F6C_DD1D_u64;
    let mut next = move || {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        random
    };
    let text = |line: u64, a: u64, b: u64| {
        format!(
            "epoch {} batch {} loss={:.6} mae {:.4} rows {}",
            line / 1000,
            line % 1000,
            (a >> 33) as f64 / 1e9,
            (b >> 40) as f64 / 1e6,
            b >> 50
        )
    };
    (0..LINES as u64).map(|line| text(line, next(), next())).collect()
}

fn write_log(store: &mut Store) -> RunId {
    let texts = lines();
    let record = store.add_run(&NewRun::default()).expect("a store");
    let sources = [
        source("train_model", "stdout", Level::Info, None),
        source("train_model", "log", Level::Info, Some("INFO")),
        source("evaluate_model", "log", Level::Warning, Some("WARNING")),
    ];
    let begin = Instant::now();
    let mut slowest = Duration::ZERO;
    for (burst, part) in texts.chunks(BURST).enumerate() {
        let begin = Instant::now();
        let entries: Vec<Entry<'_>> = part
            .iter()
            .enumerate()
            .map(|(index, text)| {
                let number = burst * BURST + index;
                let source = sources[match number {
                    _ if number.is_multiple_of(1_000) => 2,
                    _ if number.is_multiple_of(7) => 1,
                    _ => 0,
                }];
                Entry::Line(Line { at: 1_793_600_000.0 + number as f64 / 1e5, source, text })
            })
            .collect();
        record_entries(store, &record, (burst * BURST) as u64 + 1, &entries);
        slowest = slowest.max(begin.elapsed());
    }
    let time = begin.elapsed();
    let speed = LINES as f64 / time.as_secs_f64();
    let bytes: usize = texts.iter().map(String::len).sum();
    let size = std::fs::metadata(store.path()).map_or(0, |metadata| metadata.len());
    row(&format!("{LINES} lines appended"), time, &format!("{speed:.0} lines/s"));
    row("slowest burst of 2,000", slowest, &format!("{} MB as {} MB", bytes >> 20, size >> 20));
    record.id.expect("a store that can be written")
}

fn source<'a>(
    node: &'a str,
    stream: &'a str,
    level: Level,
    level_name: Option<&'a str>,
) -> Source<'a> {
    Source { level, node: Some(node), stream, level_name, logger: level_name.map(|_| "shop") }
}

fn record_entries(store: &mut Store, record: &RunRecord, first: u64, entries: &[Entry<'_>]) {
    let progress = Progress { record, first, entries, nodes: &[], datasets: &[] };
    store.record(&progress).expect("room");
}

fn read_log(store: &mut Store, run: RunId) {
    let all = LogFilter::default();
    let mut page = |name: &str, filter: &LogFilter, from: &dyn Fn(usize) -> LogCursor| {
        let mut found = 0;
        let time = median(9, |time| {
            found = black_box(store.log(run, filter, from(time), 100).expect("a log")).len();
        });
        row(name, time, &format!("{found} lines"));
    };
    page("page at a line", &all, &|time| LogCursor::Line((time * 333_333) as u64 + 1));
    page("last page", &all, &|_| LogCursor::Before(u64::MAX));
    let warnings = LogFilter { level: Some(Level::Warning), ..LogFilter::default() };
    page("page of warnings", &warnings, &|time| LogCursor::Line((time * 300_000) as u64 + 1));
    let node = LogFilter { node: Some("evaluate_model".into()), ..LogFilter::default() };
    page("last page of a node", &node, &|_| LogCursor::Before(u64::MAX));
    let text = LogFilter { text: Some("batch 777".into()), ..LogFilter::default() };
    page("page with a text", &text, &|_| LogCursor::Line(1_500_000));
    let absent = LogFilter { text: Some("no such text".into()), ..LogFilter::default() };
    page("a text that is nowhere", &absent, &|_| LogCursor::Line(1));
}

fn list(store: &mut Store) {
    for index in 0..RUNS {
        let new = NewRun { started_at: index as f64, ..NewRun::default() };
        let mut record = store.add_run(&new).expect("a store");
        record.outcome = Outcome::Succeeded;
        let nodes: Vec<NodeRecord> = (0..NODES)
            .map(|node| NodeRecord {
                node: format!("node_{node}"),
                position: node as u32,
                outcome: NodeOutcome::Succeeded,
                seconds: Some(node as f64),
                ..NodeRecord::default()
            })
            .collect();
        let progress =
            Progress { record: &record, first: 1, entries: &[], nodes: &nodes, datasets: &[] };
        store.record(&progress).expect("room");
    }
    let newest = RunFilter::newest(500);
    let time = median(9, |_| drop(black_box(store.runs(&newest).expect("runs"))));
    row(&format!("newest 500 of {RUNS} runs"), time, "");
    let node = RunFilter { node: Some("node_7".into()), ..RunFilter::newest(500) };
    let time = median(9, |_| drop(black_box(store.runs(&node).expect("runs"))));
    row("the same with a node", time, "");
    let time = median(9, |_| drop(black_box(store.timings(20).expect("timings"))));
    row("estimates of all nodes", time, "");
}
