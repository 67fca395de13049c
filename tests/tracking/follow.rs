//! Following a store that MLflow writes to: each point comes once, and the trainer meets no lock.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::Value as Json;

use crate::python;

/// How long the trainer logs, in seconds, and how many points a second.
const SECONDS: &str = "5";
const RATE: &str = "1000";

fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64()
}

#[test]
fn each_point_is_reported_once_while_mlflow_writes() {
    let python = python::environment("tests/tracking/requirements-3.17.2.txt", Some("3.11"));
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("mlflow.db");
    let mut trainer = Command::new(python)
        .arg("tests/tracking/train.py")
        .args([database.as_os_str(), SECONDS.as_ref(), RATE.as_ref()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut printed = BufReader::new(trainer.stdout.take().unwrap());
    let mut line = String::new();
    printed.read_line(&mut line).unwrap();
    assert_eq!(line, "ready\n");
    let mut follower = Command::new(env!("CARGO_BIN_EXE_mlops-tui"))
        .args(["experiments", "follow", "--json", "--tracking-uri"])
        .arg(format!("sqlite:///{}", database.display()))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(follower.stdout.take().unwrap());
    let reader = std::thread::spawn(move || {
        let line = |line: std::io::Result<String>| {
            let line: Json = serde_json::from_str(&line.unwrap()).unwrap();
            (now(), line)
        };
        lines.lines().map(line).collect::<Vec<(f64, Json)>>()
    });
    std::thread::sleep(Duration::from_millis(500));
    trainer.stdin.take().unwrap().write_all(b"go\n").unwrap();
    let mut rest = String::new();
    printed.read_to_string(&mut rest).unwrap();
    let mut errors = String::new();
    trainer.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
    assert!(trainer.wait().unwrap().success(), "{errors}");
    assert!(!errors.contains("locked"), "{errors}");
    let trained: Json = serde_json::from_str(&rest).unwrap();
    // The end of the run comes last.
    std::thread::sleep(Duration::from_secs(1));
    follower.kill().unwrap();
    follower.wait().unwrap();
    let reported = reader.join().unwrap();
    let of = |event: &str| {
        reported.iter().filter(move |(_, it)| it["event"] == event).collect::<Vec<&(f64, Json)>>()
    };
    let points = trained["points"].as_array().unwrap();
    let metrics = of("metric");
    assert_eq!(metrics.len(), points.len());
    let mut delays = Vec::new();
    for ((at, metric), point) in std::iter::zip(metrics, points) {
        assert_eq!(metric["run_id"], trained["run"]);
        assert_eq!([&metric["step"], &metric["value"]], [&point[0], &point[1]]);
        delays.push(at - point[2].as_f64().unwrap());
    }
    delays.sort_by(f64::total_cmp);
    println!("{} points, median delay {:.0} ms", delays.len(), delays[delays.len() / 2] * 1e3);
    let ended = of("run");
    assert_eq!(ended.last().map(|(_, run)| &run["status"]), Some(&"FINISHED".into()));
}
