//! File stores: all runs, and what is asked of one.

use std::fs;
use std::hint::black_box;
use std::io::Write;
use std::path::{Path, PathBuf};

use mlops_tui::tracking::entities::RunQuery;
use mlops_tui::tracking::files::FileStore;
use mlops_tui::tracking::filter::{Entity, parse};
use tempfile::TempDir;

use crate::{KEYS, RUNS, compare, peer, row};

const LINES: u32 = 3_000_000;

/// A file store that is gone with this.
pub struct Made {
    _folder: TempDir,
    root: PathBuf,
}

/// All runs, beside MLflow and a walk that reads every file.
pub fn measure(python: &Path) -> Made {
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path().join("mlruns");
    write(&root);
    let store = FileStore::new(&root);
    // Once, since it takes a minute.
    let peers = peer(python, "files", &root, &[&1, &RUNS]);
    let all = || {
        let runs = store.search_runs(&RunQuery::default()).expect("runs").items;
        assert_eq!(runs.len(), RUNS as usize);
        black_box(runs);
    };
    let what = format!("{RUNS} runs of a file store");
    compare(&what, peers, all, || assert!(black_box(walk(&root)) > 0));
    Made { _folder: folder, root }
}

/// Parts of the store.
pub fn measure_parts(made: &Made) {
    let root = &made.root;
    let store = FileStore::new(root);
    let filter = parse(Entity::Run, "metrics.m3.min < 0.1").expect("a filter");
    let query = RunQuery { filter, ..RunQuery::default() };
    row("files: runs by a metric's history", || {
        drop(black_box(store.search_runs(&query).expect("runs")));
    });
    let id = format!("{:032x}", 7);
    row("files: one run", || drop(black_box(store.run(&id).expect("a run"))));
    let mut file = fs::File::create(root.join("0").join(&id).join("metrics/long")).expect("a file");
    file.write_all(lines(LINES).as_bytes()).expect("lines");
    row(&format!("files: a history of {LINES} lines"), || {
        drop(black_box(store.history(&id, "long").expect("a history")));
    });
    row("files: its run", || drop(black_box(store.run(&id).expect("a run"))));
}

fn lines(count: u32) -> String {
    let line = |step| format!("17000008{step:05} {} {step}\n", 0.5 / f64::from(step + 1));
    (0..count).map(line).collect()
}

/// The bytes of all files, read on one thread.
fn walk(folder: &Path) -> usize {
    let entries = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry"));
    entries
        .map(|entry| match entry.file_type().expect("a type").is_dir() {
            true => walk(&entry.path()),
            false => fs::read(entry.path()).expect("a file").len(),
        })
        .sum()
}

fn write(root: &Path) {
    fs::create_dir_all(root.join("0")).expect("a folder");
    let experiment = "artifact_location: file:///x/0\nexperiment_id: '0'\nlifecycle_stage: active\nname: Default\n";
    fs::write(root.join("0/meta.yaml"), experiment).expect("a file");
    for run in 0..RUNS {
        let id = format!("{run:032x}");
        let folder = root.join("0").join(&id);
        for part in ["params", "metrics", "tags", "artifacts"] {
            fs::create_dir_all(folder.join(part)).expect("a folder");
        }
        let start = 1_700_000_831_000_u64 + u64::from(run);
        let meta = format!(
            "artifact_uri: file:///x/0/{id}/artifacts\nend_time: {start}\nentry_point_name: ''\n\
             experiment_id: '0'\nlifecycle_stage: active\nrun_id: '{id}'\nrun_name: run-{run}\n\
             source_name: ''\nsource_type: 4\nsource_version: ''\nstart_time: {start}\nstatus: 3\n\
             tags: []\nuser_id: ada\n"
        );
        fs::write(folder.join("meta.yaml"), meta).expect("a file");
        for key in 0..KEYS {
            fs::write(folder.join(format!("params/p{key}")), format!("{}", run * key))
                .expect("a file");
            fs::write(folder.join(format!("metrics/m{key}")), lines(10)).expect("a file");
        }
        for tag in ["mlflow.user", "mlflow.source.name", "mlflow.source.type", "mlflow.runName"] {
            fs::write(folder.join("tags").join(tag), "ada").expect("a file");
        }
    }
}
