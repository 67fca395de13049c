//! The start of the warm worker: a project's packages are imported once, whoever asks meanwhile.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::Duration;

use mlops_tui::runs::{
    Prepared, Process, RunEvent, RunRequest, Served, Spec, Warmth, Worker, exact,
};

use crate::common::project::project;
use crate::common::python::python;
use crate::worker::{rest, served};

/// A project that imports an installed package, which writes down the process of each import.
struct Shop {
    folder: tempfile::TempDir,
    python: PathBuf,
}

impl Shop {
    fn new(package: &str) -> Self {
        let folder = project(
            "import heavy\n\n\ndef make(node):\n    return [node(lambda size: size, \"params:size\", \"x\", name=\"one\")]\n",
        );
        let at = |name: &str| folder.path().join(name);
        // An environment on top of the tests' own; a script in Python's place could not be started while another
        // thread forks.
        let prefix = python().parent().and_then(Path::parent).expect("an environment");
        let lib = fs::read_dir(prefix.join("lib")).unwrap().next().unwrap().unwrap().path();
        let own = at("env/lib").join(lib.file_name().unwrap()).join("site-packages");
        fs::create_dir_all(own.join("heavy")).unwrap();
        fs::create_dir_all(at("env/bin")).unwrap();
        fs::copy(prefix.join("pyvenv.cfg"), at("env/pyvenv.cfg")).unwrap();
        symlink(python(), at("env/bin/python")).unwrap();
        fs::write(own.join("tests.pth"), lib.join("site-packages").display().to_string()).unwrap();
        let record = format!(
            "import os, time\n\nwith open({:?}, \"a\") as file:\n    file.write(\"%d\\n\" % os.getpid())\n",
            at("imports")
        );
        fs::write(own.join("heavy/__init__.py"), format!("{record}{package}")).unwrap();
        Shop { python: at("env/bin/python"), folder }
    }

    fn worker(&self) -> Worker {
        Worker::warm(Spec::new(&self.python, self.folder.path()))
    }

    /// The processes that have imported the package.
    fn imports(&self) -> Vec<String> {
        let text = fs::read_to_string(self.folder.path().join("imports")).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }
}

fn start(worker: &Worker) -> Process {
    worker.start(&Prepared::as_asked(RunRequest::default())).unwrap()
}

#[tokio::test]
async fn a_reading_and_a_run_at_the_first_start_import_the_packages_once() {
    let shop = Shop::new("time.sleep(1)\n");
    let worker = shop.worker();
    let params = Default::default();
    let mut process = start(&worker);
    let (read, events) = tokio::join!(exact::snapshot(&worker, None, &params), rest(&mut process));
    read.unwrap();
    assert!(matches!(events.last(), Some(RunEvent::RunFinished { .. })), "{events:#?}");
    assert_eq!(served(&events), Served::Warm);
    assert_eq!(shop.imports(), [process.server_pid().to_string()]);
}

#[tokio::test]
async fn a_run_that_waits_for_the_packages_can_be_cancelled() {
    let shop = Shop::new("time.sleep(60)\n");
    let worker = shop.worker();
    let mut process = start(&worker);
    while shop.imports().is_empty() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    process.cancel();
    let ended = tokio::time::timeout(Duration::from_secs(20), rest(&mut process)).await;
    assert_eq!(ended.expect("it ends at once"), [RunEvent::RunCancelled]);
}

#[tokio::test]
async fn a_run_that_waits_is_served_when_a_package_makes_forking_unsafe() {
    let shop = Shop::new(
        "import threading\n\nthreading.Thread(target=time.sleep, args=(60,), daemon=True).start()\n",
    );
    let worker = shop.worker();
    let mut process = start(&worker);
    let first = process.server_pid();
    let events = rest(&mut process).await;
    assert!(matches!(events.last(), Some(RunEvent::RunFinished { .. })), "{events:#?}");
    assert_ne!(process.server_pid(), first, "the server that has threads does not fork");
    // The next server leaves the package out.
    let mut warmth = worker.warmth();
    warmth.wait_for(|warmth| matches!(warmth, Warmth::Warm { .. })).await.unwrap();
    let events = rest(&mut start(&worker)).await;
    assert_eq!(served(&events), Served::Warm);
}
