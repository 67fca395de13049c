//! Writes a run to the store while it is running.
//!
//! A task owns the store and receives events from a bounded channel: a slow disk slows down the project's
//! printing, and memory stays bounded. If the store fails (locked, disk full), the user is notified once, the
//! run continues, and the pending events are written again later; beyond a bound, lines of the log are
//! dropped and counted. Observations from the background are added as they arrive.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until, timeout_at};

use super::event::{RunEvent, Stamped};
use super::history::{self, Asked, Course};
use super::observations::{Observation, Observations};
use super::plan::BUDGET;
use super::process::Process;
use super::request::RunRequest;
pub use super::subject::Subject;
use crate::store::{
    DatasetRecord, Keeping, NodeRecord, Progress, RunRecord, Store, StoreError, StoredFingerprint,
};
use crate::text::UserError;

/// Events that arrive within this time are recorded together.
const BURST: Duration = Duration::from_millis(50);
/// Most events in one burst.
const MOST: usize = 2_000;
/// Capacity of the channel to the store, in bursts.
const QUEUE: usize = 8;
/// Most bytes of events that wait for the store. Beyond this bound no more events are received; while the
/// store fails, lines of the log are dropped instead.
const PENDING: usize = 32 << 20;
/// Time from a failed write to the next attempt.
const RETRY: Duration = Duration::from_secs(1);
/// How often a run without events updates its heartbeat in the store.
const HEARTBEAT: Duration = Duration::from_secs(30);
/// How long the end of a run waits for the store and for background observations.
const FAREWELL: Duration = Duration::from_secs(6);

/// Records one run.
#[derive(Debug)]
pub struct Recorder {
    events: mpsc::Sender<Vec<Stamped>>,
    task: JoinHandle<RunRecord>,
}

/// The first event and those that follow within 50 ms.
pub async fn burst(process: &mut Process, first: Stamped) -> Vec<Stamped> {
    let end = Instant::now() + BURST;
    let mut events = vec![first];
    while events.len() < MOST && !events.last().is_some_and(|last| last.event.ends_run()) {
        match timeout_at(end, process.next()).await {
            Ok(Some(event)) => events.push(event),
            Ok(None) | Err(_) => break,
        }
    }
    events
}

impl Recorder {
    /// Adds a run that begins now; returns its record, without a number when the run can't be recorded.
    /// Error messages, now or later, go to `notify`. Needs a tokio runtime.
    pub async fn start(
        store: Store,
        subject: Subject,
        notify: impl Fn(String) + Send + 'static,
    ) -> (Recorder, RunRecord) {
        let new = history::new_run(&subject.request, &subject.asked, None);
        let record = RunRecord::begun(None, new);
        let (found, answers) = mpsc::unbounded_channel();
        let mut keeper = Keeper {
            store: None,
            course: Course::new(record.clone()),
            notify: Box::new(notify),
            pending: Pending { first: 1, ..Pending::default() },
            trouble: None,
            missing: 0,
            observations: Observations::new(found),
        };
        let (store, added) = add(store, record.new.clone(), subject.request.clone()).await;
        match added {
            Ok(record) => {
                keeper.store = store;
                if let Some(id) = record.id {
                    keeper.observations.begin(id, subject);
                }
                keeper.course.record = record;
            }
            Err(error) => (keeper.notify)(format!("{error} This run is not kept in the history.")),
        }
        let record = keeper.course.record.clone();
        let (events, receiver) = mpsc::channel(QUEUE);
        let task = tokio::spawn(keeper.keep(receiver, answers));
        (Recorder { events, task }, record)
    }

    /// Records events, in order. Waits while the store is far behind.
    pub async fn record(&self, events: Vec<Stamped>) {
        // The task ends with this handle, unless it panicked.
        let _ = self.events.send(events).await;
    }

    /// Waits (for a limited time) until all events are stored; returns the final record.
    pub async fn finish(self) -> Option<RunRecord> {
        drop(self.events);
        self.task.await.ok()
    }
}

async fn add(
    mut store: Store,
    mut new: crate::store::NewRun,
    request: RunRequest,
) -> (Option<Store>, Result<RunRecord, UserError>) {
    let task = tokio::task::spawn_blocking(move || {
        if let Ok(key) = store.new_key() {
            new.request = history::new_run(&request, &Asked::default(), key.as_ref()).request;
        }
        let added = store.add_run(&new).map_err(UserError::plain);
        (store, added)
    });
    match task.await {
        Ok((store, added)) => (Some(store), added),
        Err(error) => (None, Err(format!("The store failed: {error}.").into())),
    }
}

/// Data that waits to be stored.
#[derive(Debug, Default)]
struct Pending {
    /// Number of the first event.
    first: u64,
    events: Vec<Stamped>,
    /// Approximate memory of the events, in bytes.
    bytes: usize,
    nodes: BTreeSet<usize>,
    datasets: Vec<DatasetRecord>,
    kept: Vec<Keeping>,
    fingerprints: Vec<StoredFingerprint>,
    record: bool,
}

impl Pending {
    fn is_empty(&self) -> bool {
        self.events.is_empty()
            && self.datasets.is_empty()
            && self.kept.is_empty()
            && self.fingerprints.is_empty()
            && !self.record
    }

    /// Appends later data to data that could not be stored.
    fn append(&mut self, later: Pending) {
        self.events.extend(later.events);
        self.bytes += later.bytes;
        self.nodes.extend(later.nodes);
        self.datasets.extend(later.datasets);
        self.kept.extend(later.kept);
        self.fingerprints.extend(later.fingerprints);
        self.record |= later.record;
    }
}

/// The result of a write: the store, the data, and whether writing succeeded.
type Written = (Store, Pending, Result<(), StoreError>);

struct Keeper {
    /// `None` while a write is under way, and for a run that is not recorded.
    store: Option<Store>,
    course: Course,
    notify: Box<dyn Fn(String) + Send>,
    pending: Pending,
    /// When a failed write is tried again.
    trouble: Option<Instant>,
    /// Number of log lines that were dropped.
    missing: u64,
    observations: Observations,
}

impl Keeper {
    async fn keep(
        mut self,
        mut events: mpsc::Receiver<Vec<Stamped>>,
        mut answers: mpsc::UnboundedReceiver<Observation>,
    ) -> RunRecord {
        let recorded = self.course.record.id.is_some();
        let mut writing: Option<JoinHandle<Written>> = None;
        let mut heartbeat = tokio::time::interval(HEARTBEAT);
        let mut end: Option<Instant> = None;
        loop {
            let ended = end.is_some();
            if writing.is_none() && recorded && self.is_due(ended) {
                writing = self.write();
            }
            let at_work =
                writing.is_some() || self.observations.are_sought() || !self.pending.is_empty();
            if ended && !(recorded && at_work) {
                break;
            }
            let room = self.pending.bytes < PENDING || self.trouble.is_some();
            let retry = self.trouble.unwrap_or_else(Instant::now);
            tokio::select! {
                batch = events.recv(), if !ended && room => match batch {
                    Some(batch) => self.take(batch, recorded),
                    None => end = Some(Instant::now() + FAREWELL),
                },
                written = join(&mut writing), if writing.is_some() => {
                    writing = None;
                    self.written(written);
                }
                Some(found) = answers.recv() => self.answer(found),
                () = sleep_until(retry), if writing.is_none() && self.trouble.is_some() => {}
                _ = heartbeat.tick() => self.pending.record = true,
                () = sleep_until(end.unwrap_or_else(Instant::now)), if ended => {
                    self.give_up(writing.is_some());
                    break;
                }
            }
        }
        self.course.record
    }

    fn is_due(&self, ended: bool) -> bool {
        let waits = self.trouble.is_some_and(|retry| !ended && Instant::now() < retry);
        !self.pending.is_empty() && !waits
    }

    fn take(&mut self, batch: Vec<Stamped>, recorded: bool) {
        for event in batch {
            // Only the last state of a line that rewrites itself is stored; that one comes without the flag.
            if matches!(event.event, RunEvent::Output { partial: true, .. }) {
                continue;
            }
            let output = matches!(event.event, RunEvent::Output { .. });
            if output && self.trouble.is_some() && self.pending.bytes >= PENDING {
                self.missing += 1;
                continue;
            }
            let news = self.course.apply(&event);
            if !recorded {
                continue;
            }
            self.pending.record |= news.record;
            self.pending.nodes.extend(news.nodes);
            self.pending.datasets.extend(news.dataset.clone());
            self.pending.kept.extend(self.observations.notice(&event, news.dataset));
            if event.event.ends_run() {
                self.observations.seek_mlflow_run(&self.course.record);
            }
            self.pending.bytes += bytes_of(&event);
            self.pending.events.push(event);
        }
        self.pending.fingerprints.extend(self.observations.look(&self.course.record));
    }

    /// Starts to write the pending data in the background.
    fn write(&mut self) -> Option<JoinHandle<Written>> {
        let mut store = self.store.take()?;
        let next = self.pending.first + self.pending.events.len() as u64;
        let later = Pending { first: next, ..Pending::default() };
        let pending = std::mem::replace(&mut self.pending, later);
        let record = self.course.record.clone();
        let nodes: Vec<NodeRecord> =
            pending.nodes.iter().map(|index| self.course.nodes[*index].clone()).collect();
        Some(tokio::task::spawn_blocking(move || {
            let entries: Vec<_> = pending.events.iter().map(history::entry).collect();
            let stored = store.record(&Progress {
                record: &record,
                first: pending.first,
                entries: &entries,
                nodes: &nodes,
                datasets: &pending.datasets,
            });
            drop(entries);
            let env = record.new.env.as_deref().unwrap_or_default();
            let stored = stored.and_then(|()| keep(&mut store, env, &pending));
            (store, pending, stored)
        }))
    }

    fn written(&mut self, written: Option<Written>) {
        let Some((store, mut pending, stored)) = written else {
            (self.notify)("The store failed; the rest of this run is not kept.".into());
            return;
        };
        self.store = Some(store);
        let Err(error) = stored else {
            if self.trouble.take().is_some() {
                self.recovered();
            }
            return;
        };
        pending.append(std::mem::take(&mut self.pending));
        self.pending = pending;
        if self.trouble.replace(Instant::now() + RETRY).is_none() {
            (self.notify)(format!(
                "{error} The run continues; its history is written as soon as possible."
            ));
        }
    }

    /// A write succeeded after a failure.
    fn recovered(&mut self) {
        let run = self.course.record.name();
        let missing = std::mem::take(&mut self.missing);
        if missing == 0 {
            (self.notify)(format!("The history of {run} is complete again."));
            return;
        }
        let text = format!("{missing} lines are missing here: the store could not be written.");
        (self.notify)(format!("The history of {run} continues; {text}"));
        self.take(vec![Stamped::log("WARNING", Some("mlops-tui"), text)], true);
    }

    fn give_up(&self, writing: bool) {
        if writing || (!self.pending.is_empty() && self.trouble.is_some()) {
            let run = self.course.record.name();
            (self.notify)(format!("The end of {run} is not in the history."));
        }
    }

    fn answer(&mut self, found: Observation) {
        let record = &mut self.course.record;
        match found {
            Observation::Surroundings(surroundings) => {
                record.code.clone_from(&surroundings.code);
                record.parameters.clone_from(&surroundings.parameters);
                record.definitions.clone_from(&surroundings.definitions);
                record.python_version.clone_from(&surroundings.python_version);
                self.observations.know(surroundings);
                self.pending.record = true;
                self.observations.seek_mlflow_run(record);
            }
            Observation::Datasets(datasets, contents) => {
                self.pending.datasets.extend(datasets);
                self.observations.saw(contents);
            }
            Observation::MlflowRun(run) => {
                self.observations.looked_for_mlflow_run();
                if let Some((id, metrics)) = run {
                    // An id reported by the worker is certain and is not replaced.
                    record.mlflow_run.get_or_insert(id);
                    record.metrics = metrics;
                    self.pending.record = true;
                }
            }
        }
        self.pending.fingerprints.extend(self.observations.look(&self.course.record));
    }
}

/// Stores kept datasets and the fingerprints of nodes.
fn keep(store: &mut Store, env: &str, pending: &Pending) -> Result<(), StoreError> {
    if !pending.kept.is_empty() {
        if let Err(error) = store.make_room(BUDGET) {
            tracing::debug!(%error, "kept datasets can't be removed");
        }
        store.keep(env, &pending.kept)?;
    }
    match pending.fingerprints.as_slice() {
        [] => Ok(()),
        fingerprints => store.save_fingerprints(env, fingerprints),
    }
}

async fn join(writing: &mut Option<JoinHandle<Written>>) -> Option<Written> {
    match writing {
        Some(task) => task.await.ok(),
        None => None,
    }
}

fn bytes_of(event: &Stamped) -> usize {
    let own = match &event.event {
        RunEvent::Output { text, .. } => text.len(),
        RunEvent::NodeFailed { failure, .. } | RunEvent::RunFailed { failure } => {
            failure.traceback.len() + failure.message.len()
        }
        RunEvent::RunStarted { nodes, .. } => nodes.iter().map(|node| node.len() + 24).sum(),
        _ => 0,
    };
    own + size_of::<Stamped>() + 32
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::runs::Stream;
    use crate::store::run_id;
    use crate::store::{LogCursor, LogFilter, NodeOutcome, Outcome};

    fn at(at: f64, event: RunEvent) -> Stamped {
        Stamped { at, event }
    }

    fn line(text: String) -> Stamped {
        let node = Some("a".into());
        let stream = Stream::Stdout;
        at(2.0, RunEvent::Output { node, stream, level: None, logger: None, text, partial: false })
    }

    fn begin() -> Vec<Stamped> {
        let started = RunEvent::RunStarted {
            pipeline: "p".into(),
            env: "local".into(),
            nodes: vec!["a".into()],
            kedro_version: "1.7.0".into(),
            runner: "SequentialRunner".into(),
            worker: crate::runs::Served::Fresh,
        };
        vec![at(1.0, started), at(1.5, RunEvent::NodeStarted { node: "a".into() })]
    }

    fn end() -> Vec<Stamped> {
        let saved = RunEvent::DatasetSaved {
            dataset: "metrics".into(),
            node: Some("a".into()),
            seconds: 0.1,
        };
        let finished = RunEvent::NodeFinished { node: "a".into(), seconds: 1.0 };
        vec![at(2.5, saved), at(2.5, finished), at(3.0, RunEvent::RunFinished { seconds: 2.0 })]
    }

    /// A project with a metrics dataset.
    fn project() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        write(
            "pyproject.toml",
            "[tool.kedro]\npackage_name = \"shop\"\nproject_name = \"Shop\"\nkedro_init_version = \"1.7.0\"\n",
        );
        write("conf/base/parameters.yml", "size: 3\n");
        write("conf/base/catalog.yml", "metrics: {type: json.JSONDataset, filepath: m.json}\n");
        write("m.json", "{\"mae\": 2.5}");
        write("src/shop/pipeline_registry.py", "def register_pipelines():\n    return {}\n");
        folder
    }

    struct Notices(Arc<Mutex<Vec<String>>>);

    impl Notices {
        fn texts(&self) -> Vec<String> {
            self.0.lock().unwrap().clone()
        }

        /// Waits until a message contains `text`.
        async fn wait(&self, text: &str) {
            for _ in 0..2_000 {
                if self.texts().iter().any(|message| message.contains(text)) {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            panic!("`{text}` is in no notice: {:?}", self.texts());
        }
    }

    async fn start(root: &Path, store: Store) -> (Recorder, RunRecord, Notices) {
        let subject = Subject {
            taken: std::collections::HashMap::new(),
            root: root.to_owned(),
            request: RunRequest {
                params: [("size".into(), "4".into())].into(),
                ..Default::default()
            },
            asked: Asked { python: "no/python".into(), ..Asked::default() },
        };
        let notices = Arc::new(Mutex::new(Vec::new()));
        let to = notices.clone();
        let notify = move |text| to.lock().unwrap().push(text);
        let (recorder, record) = Recorder::start(store, subject, notify).await;
        (recorder, record, Notices(notices))
    }

    fn lines(store: &mut Store) -> Vec<String> {
        let lines =
            store.log(run_id(1), &LogFilter::default(), LogCursor::Line(1), usize::MAX).unwrap();
        lines.into_iter().map(|line| line.text).collect()
    }

    #[tokio::test]
    async fn a_run_is_stored_with_all_observations() {
        let project = project();
        let root = project.path();
        let (recorder, record, notices) = start(root, Store::new(root)).await;
        assert_eq!(record.id, Some(run_id(1)));
        recorder.record(begin()).await;
        recorder.record(vec![line("hello".into())]).await;
        recorder.record(end()).await;
        let record = recorder.finish().await.unwrap();
        let mut store = Store::new(root);
        let stored = store.run(run_id(1)).unwrap().unwrap();
        assert_eq!(stored.metrics, [("metrics.mae".to_owned(), 2.5)].into());
        let metrics = stored.metrics.clone();
        assert_eq!(stored, RunRecord { log_lines: 1, metrics, ..record });
        assert_eq!(stored.outcome, Outcome::Succeeded);
        let parameters = store.text(stored.parameters.as_deref().unwrap()).unwrap();
        assert_eq!(parameters.as_deref(), Some(r#"{"size":4}"#));
        assert_eq!(store.nodes(run_id(1)).unwrap()[0].outcome, NodeOutcome::Succeeded);
        let saved = &store.datasets(run_id(1)).unwrap()[0];
        assert_eq!((saved.number, saved.bytes), (4, Some(12)));
        assert_eq!(saved.metrics.as_deref(), Some(r#"{"mae":2.5}"#));
        assert_eq!(lines(&mut store), ["hello"]);
        assert_eq!(notices.texts(), [] as [&str; 0]);
    }

    #[tokio::test]
    async fn a_run_continues_while_the_store_is_locked_and_nothing_is_lost_or_doubled() {
        let project = project();
        let root = project.path();
        let (recorder, _, notices) = start(root, Store::new(root)).await;
        recorder.record(begin()).await;
        let lock = rusqlite::Connection::open(Store::new(root).path()).unwrap();
        lock.busy_timeout(Duration::from_secs(10)).unwrap();
        lock.execute_batch("BEGIN IMMEDIATE").unwrap();
        for number in 0..50 {
            recorder.record(vec![line(number.to_string())]).await;
        }
        notices.wait("is locked by another program").await;
        recorder.record(vec![line("50".into())]).await;
        lock.execute_batch("ROLLBACK").unwrap();
        notices.wait("is complete again").await;
        recorder.record(end()).await;
        recorder.finish().await;
        let expected: Vec<String> = (0..=50).map(|number| number.to_string()).collect();
        assert_eq!(lines(&mut Store::new(root)), expected);
        assert_eq!(notices.texts().len(), 2, "{:?}", notices.texts());
    }

    /// This many lines take several times the bound; they hardly compress.
    const MANY: usize = 3 * PENDING / 16_384;

    async fn print_much(recorder: &Recorder) {
        let text: String =
            (0..256).map(|n: u32| blake3::hash(&n.to_le_bytes()).to_hex().to_string()).collect();
        for number in 0..MANY {
            recorder.record(vec![line(format!("{number} {text}"))]).await;
        }
    }

    #[tokio::test]
    async fn pending_data_is_bounded_and_the_log_says_what_is_missing() {
        let project = project();
        let root = project.path();
        let (recorder, _, notices) = start(root, Store::new(root)).await;
        recorder.record(begin()).await;
        let lock = rusqlite::Connection::open(Store::new(root).path()).unwrap();
        lock.busy_timeout(Duration::from_secs(10)).unwrap();
        lock.execute_batch("BEGIN IMMEDIATE").unwrap();
        print_much(&recorder).await;
        lock.execute_batch("ROLLBACK").unwrap();
        notices.wait("lines are missing here").await;
        recorder.record(end()).await;
        let run = recorder.finish().await.unwrap();
        assert_eq!(run.outcome, Outcome::Succeeded);
        let lines = lines(&mut Store::new(root));
        let (last, kept) = lines.split_last().unwrap();
        let missing: usize = last.split(' ').next().unwrap().parse().unwrap();
        assert!(last.ends_with("lines are missing here: the store could not be written."));
        assert_eq!(kept.len() + missing, MANY);
        for (number, line) in kept.iter().enumerate() {
            assert!(line.starts_with(&format!("{number} ")));
        }
    }

    #[tokio::test]
    async fn a_full_disk_is_reported_and_does_not_stop_the_run() {
        let project = project();
        let root = project.path();
        let mut store = Store::new(root);
        let full = |connection: &mut rusqlite::Connection| {
            connection.pragma_update(None, "max_page_count", 200)
        };
        store.write(full).unwrap();
        let (recorder, _, notices) = start(root, store).await;
        recorder.record(begin()).await;
        print_much(&recorder).await;
        recorder.record(end()).await;
        assert_eq!(recorder.finish().await.unwrap().outcome, Outcome::Succeeded);
        assert!(
            notices.texts()[0].contains("the disk is full. Make room"),
            "{:?}",
            notices.texts()
        );
        assert!(notices.texts()[1].contains("The end of run 1 is not in the history"));
    }

    #[tokio::test]
    async fn a_store_that_cannot_be_made_does_not_stop_the_run() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(".mlops-tui"), "a file in its place").unwrap();
        let (recorder, record, notices) = start(folder.path(), Store::new(folder.path())).await;
        assert_eq!(record.id, None);
        recorder.record(begin()).await;
        recorder.record(end()).await;
        assert_eq!(recorder.finish().await.unwrap().outcome, Outcome::Succeeded);
        assert!(notices.texts()[0].ends_with("This run is not kept in the history."));
    }
}
