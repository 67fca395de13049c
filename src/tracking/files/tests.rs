use std::fs;
use std::path::Path;

use super::*;
use crate::tracking::filter::{Entity, parse};

const RUN: &str = "0123456789abcdef0123456789abcdef";

fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// A store with one experiment.
fn store() -> (tempfile::TempDir, FileStore, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("mlruns");
    write(&root.join("0/meta.yaml"), "experiment_id: '0'\nname: Default\n");
    let store = FileStore::new(&root);
    (folder, store, root)
}

fn run(root: &Path, id: &str, more: &str) -> PathBuf {
    let folder = root.join("0").join(id);
    let meta = format!("experiment_id: '0'\nrun_id: {id}\nstatus: 3\n{more}");
    write(&folder.join("meta.yaml"), &meta);
    folder
}

fn search(store: &FileStore, filter: &str) -> Results<Run> {
    let filter = parse(Entity::Run, filter).unwrap();
    store.search_runs(&RunQuery { filter, ..RunQuery::default() }).unwrap()
}

#[test]
fn a_broken_run_hides_no_other() {
    let (_folder, store, root) = store();
    let good = run(&root, RUN, "run_name: good\nstart_time: 5\n");
    write(&good.join("params/a/b"), "1\n");
    write(&good.join("metrics/fine"), "1 0.5 0\n");
    write(&good.join("metrics/broken"), "1 0.5 0\n1 0.5\n1 a b c d e\n");
    write(&good.join("tags/odd"), "x");
    fs::write(good.join("tags/binary"), [0xff]).unwrap();
    write(&root.join("0/1/meta.yaml"), "experiment_id: [\n");
    write(&root.join("0/2/meta.yaml"), "experiment_id: '0'\nrun_id: '3'\n");
    write(&root.join("0/3/meta.yaml"), "experiment_id: '7'\nrun_id: '3'\n");
    fs::create_dir_all(root.join("0/4/params")).unwrap();
    write(&root.join("0/5/picture.png"), "an artifact");
    let found = search(&store, "");
    let [run] = found.items.as_slice() else { panic!("{found:?}") };
    assert_eq!(run.name, "good");
    assert_eq!(run.params, [("a/b".to_owned(), "1\n".to_owned())]);
    assert_eq!(run.metrics, [("fine".to_owned(), 0.5)]);
    assert_eq!(run.tags, [("odd".to_owned(), "x".to_owned())]);
    let mut reasons = found.problems.iter().map(|reason| reason.replace(RUN, "RUN"));
    let mut next = || reasons.next().unwrap_or_default();
    let line = "line 3: it has 6 fields, and a metric has 2, 3 or 5";
    assert_eq!(next(), format!("mlruns/0/RUN/metrics/broken: {line}"));
    assert_eq!(next(), "mlruns/0/RUN/tags/binary: it is not written in UTF-8");
    assert!(next().starts_with("mlruns/0/1/meta.yaml: "));
    assert_eq!(next(), "mlruns/0/2/meta.yaml: it describes a run of another folder");
    assert_eq!(next(), "mlruns/0/3/meta.yaml: it describes a run of another folder");
    assert_eq!(next(), "mlruns/0/4: the run has no meta.yaml");
    assert_eq!(next(), "");
    let error = store.history(RUN, "broken").unwrap_err().to_string();
    assert!(error.ends_with(&format!("metrics/broken: {line}.")), "{error}");
    assert_eq!(store.history(RUN, "none").unwrap(), []);
    assert_eq!(store.history(RUN, "../params/a/b").unwrap(), []);
}

#[test]
fn numeric_names_and_ids_are_texts() {
    let (_folder, store, root) = store();
    let id = "00000000000000000000000000000e10";
    run(&root, id, "run_name: 1e5\nuser_id: null\nstart_time: null\n");
    let (run, _) = store.run(id).unwrap().unwrap();
    assert_eq!((run.id.as_str(), run.name.as_str(), run.user_id.as_str()), (id, "1e5", ""));
    assert_eq!((run.status.as_str(), run.lifecycle_stage.as_str()), ("FINISHED", "active"));
    for odd in ["", ".", "..", "../0", "/etc", "tags", "absent"] {
        assert_eq!(store.run(odd).unwrap(), None, "{odd}");
    }
}

#[test]
fn histories_are_filtered_by_summaries() {
    let (_folder, store, root) = store();
    for (id, values) in [("a", [3, 1, 2]), ("b", [5, 4, 6])] {
        let folder = run(&root, id, "");
        let lines: Vec<String> =
            (0..3).map(|step| format!("{step} {} {step}\n", values[step])).collect();
        write(&folder.join("metrics/rmse"), &lines.concat());
    }
    let ids = |filter: &str| -> Vec<String> {
        search(&store, filter).items.into_iter().map(|run| run.id).collect()
    };
    assert_eq!(ids("metrics.rmse.min < 2"), ["a"]);
    assert_eq!(ids("metrics.rmse.max >= 3"), ["a", "b"]);
    assert_eq!(ids("metrics.rmse.mean = 5"), ["b"]);
    assert_eq!(ids("metrics.rmse = 2 OR metrics.rmse.best = 4"), ["a", "b"]);
}

#[test]
fn pipes_and_links_to_folders_are_not_read() {
    let (outside, store, root) = store();
    let folder = run(&root, RUN, "");
    write(&outside.path().join("secrets/key"), "hidden");
    write(&folder.join("params/a"), "1");
    write(&folder.join("metrics/a"), "1 2 3\n");
    write(&outside.path().join("secrets/metric"), "1 2 3\n");
    for part in ["params/link", "metrics/link"] {
        let link = folder.join(part);
        std::os::unix::fs::symlink(outside.path().join("secrets"), link).unwrap();
    }
    let (kind, mode) = (rustix::fs::FileType::Fifo, rustix::fs::Mode::RWXU);
    rustix::fs::mknodat(rustix::fs::CWD, folder.join("params/pipe"), kind, mode, 0).unwrap();
    let found = search(&store, "");
    assert_eq!(found.items[0].params, [("a".to_owned(), "1".to_owned())]);
    assert_eq!(found.problems.len(), 3, "{:?}", found.problems);
    assert_eq!(store.history(RUN, "a").unwrap().len(), 1);
    assert_eq!(store.history(RUN, "link/metric").unwrap(), []);
}

#[test]
fn a_limit_drops_the_oldest() {
    let (_folder, store, root) = store();
    for (id, start) in [("a", "1"), ("b", "3"), ("c", "2"), ("d", "3"), ("e", "null")] {
        run(&root, id, &format!("start_time: {start}\n"));
    }
    let query = RunQuery { limit: Some(3), ..RunQuery::default() };
    let found = store.search_runs(&query).unwrap();
    let ids: Vec<&str> = found.items.iter().map(|run| run.id.as_str()).collect();
    assert_eq!((ids, found.truncated), (vec!["b", "d", "c"], true));
    let absent = FileStore::new(root.join("absent"));
    assert!(absent.experiments(View::All).unwrap_err().to_string().contains("absent"));
}
