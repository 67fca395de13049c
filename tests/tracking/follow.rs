//! Following a store that MLflow writes to: each point comes once, and the trainer meets no lock.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::Value as Json;

use crate::python;

/// How long the trainer logs, in seconds.
const SECONDS: &str = "5";

fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64()
}

/// Trains into a store while it is followed; how long after its commit each point was reported, in seconds.
pub(crate) fn follow(uri: &str, rate: &str) -> Vec<f64> {
    let python = python::environment("tests/tracking/requirements-3.17.2.txt", Some("3.11"));
    let folder = tempfile::tempdir().unwrap();
    let mut trainer = Command::new(python)
        .arg(Path::new("tests/tracking/train.py").canonicalize().unwrap())
        .args([uri, SECONDS, rate])
        .env("MLFLOW_ALLOW_FILE_STORE", "true")
        .current_dir(&folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut printed = BufReader::new(trainer.stdout.take().unwrap());
    let mut line = String::new();
    printed.read_line(&mut line).unwrap();
    let mut errors = String::new();
    if line != "ready\n" {
        trainer.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
        panic!("{line}{errors}");
    }
    let mut follower = Command::new(env!("CARGO_BIN_EXE_mlops-tui"))
        .args(["experiments", "follow", "--json", "--tracking-uri", uri])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut complaints = BufReader::new(follower.stderr.take().unwrap());
    complaints.read_line(&mut line).unwrap();
    assert_eq!(line, "ready\nFollowing; Ctrl-C ends it.\n");
    let lines = BufReader::new(follower.stdout.take().unwrap());
    let ended = Arc::new(AtomicBool::new(false));
    let heard = ended.clone();
    let reader = std::thread::spawn(move || {
        let line = |line: std::io::Result<String>| {
            let line: Json = serde_json::from_str(&line.unwrap()).unwrap();
            heard.fetch_or(line["status"] == "FINISHED", Ordering::Relaxed);
            (now(), line)
        };
        lines.lines().map(line).collect::<Vec<(f64, Json)>>()
    });
    trainer.stdin.take().unwrap().write_all(b"go\n").unwrap();
    let mut rest = String::new();
    printed.read_to_string(&mut rest).unwrap();
    trainer.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
    assert!(trainer.wait().unwrap().success(), "{errors}");
    assert!(!errors.contains("locked"), "{errors}");
    let trained: Json = serde_json::from_str(&rest).unwrap();
    let deadline = Instant::now() + Duration::from_secs(60);
    while !ended.load(Ordering::Relaxed) && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(50));
    }
    // Nothing may follow the end of the run.
    std::thread::sleep(Duration::from_millis(500));
    follower.kill().unwrap();
    follower.wait().unwrap();
    let reported = reader.join().unwrap();
    let points = trained["points"].as_array().unwrap();
    let metrics = reported.iter().filter(|(_, news)| news["event"] == "metric").collect::<Vec<_>>();
    let mut delays = Vec::new();
    for ((at, metric), point) in std::iter::zip(&metrics, points) {
        assert_eq!(metric["run_id"], trained["run"]);
        assert_eq!([&metric["step"], &metric["value"]], [&point[0], &point[1]]);
        delays.push(at - point[2].as_f64().unwrap());
    }
    assert_eq!(metrics.len(), points.len());
    let (_, last) = reported.last().unwrap();
    assert_eq!([&last["event"], &last["status"]], ["run", "FINISHED"], "{last}");
    delays.sort_by(f64::total_cmp);
    println!("{} points, median delay {:.0} ms", delays.len(), delays[delays.len() / 2] * 1e3);
    delays
}

#[test]
fn each_point_of_a_database_is_reported_once_while_mlflow_writes() {
    let folder = tempfile::tempdir().unwrap();
    follow(&format!("sqlite:///{}", folder.path().join("mlflow.db").display()), "1000");
}

#[test]
fn each_point_of_a_file_store_is_reported_once_while_mlflow_writes() {
    let folder = tempfile::tempdir().unwrap();
    follow(folder.path().join("mlruns").to_str().unwrap(), "1000");
}
