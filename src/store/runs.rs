//! Runs in the store: adding them, recording their progress, and recovering those whose process is
//! gone.

use std::time::{SystemTime, UNIX_EPOCH};

use rusqlite::{Connection, TransactionBehavior, params};

use super::database::{Store, StoreError};
use super::record::{Entry, NewRun, Outcome, Progress, Remote, RunId, RunRecord};
use super::{liveness, log, nodes};

/// A run on another machine counts as lost after this many seconds without a write. The recording
/// process writes much more often.
const SILENCE: f64 = 120.0;

impl Store {
    /// Adds a run that starts now and is recorded by this process.
    ///
    /// # Errors
    /// When the store can't be written.
    pub fn add_run(&mut self, new: &NewRun) -> Result<RunRecord, StoreError> {
        let pid = std::process::id();
        let started = liveness::started(pid).unwrap_or_default();
        let id = self.write(|connection| insert(connection, new, pid, &started))?;
        Ok(RunRecord::begun(RunId::new(id), new.clone()))
    }

    /// Sets another process as the one that records the run; [`Store::recover`] checks that
    /// process.
    ///
    /// # Errors
    /// When the store can't be written.
    pub fn set_process(&mut self, id: RunId, pid: u32) -> Result<(), StoreError> {
        let started = liveness::started(pid).unwrap_or_default();
        self.write(|connection| {
            connection.execute(
                "UPDATE runs SET pid = ?2, process_started = ?3 WHERE id = ?1",
                params![id, pid, started],
            )?;
            Ok(())
        })
    }

    /// Stores the progress of a run in one transaction. Entries that are already stored (by number)
    /// are skipped, so that the call can be repeated after any error.
    ///
    /// # Errors
    /// When the store can't be written.
    pub fn record(&mut self, progress: &Progress<'_>) -> Result<(), StoreError> {
        let seen_at = now();
        self.write(|connection| {
            let transaction =
                connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            // A deleted run is not restored.
            if let Some(id) = progress.record.id
                && update(&transaction, progress.record, seen_at)? > 0
            {
                append(&transaction, id, progress)?;
                nodes::save(&transaction, id, progress.nodes, progress.datasets)?;
            }
            transaction.commit()
        })
    }

    /// All events of a run in order, as JSON, without log lines.
    ///
    /// # Errors
    /// When the store can't be read.
    pub fn events(&mut self, id: RunId) -> Result<Vec<String>, StoreError> {
        let events = self.read(|connection| {
            connection
                .prepare("SELECT json FROM events WHERE run = ?1 ORDER BY number")?
                .query_map([id], |row| row.get(0))?
                .collect()
        })?;
        Ok(events.unwrap_or_default())
    }

    /// Pins a run, so that pruning keeps it, or unpins it. Returns whether there is such a run.
    ///
    /// # Errors
    /// When the store can't be written.
    pub fn pin(&mut self, id: RunId, pinned: bool) -> Result<bool, StoreError> {
        let changed = self.write(|connection| {
            connection.execute("UPDATE runs SET pinned = ?2 WHERE id = ?1", params![id, pinned])
        })?;
        Ok(changed > 0)
    }

    /// Sets the note of a run; an empty note removes it. Returns whether there is such a run.
    ///
    /// # Errors
    /// When the store can't be written.
    pub fn note(&mut self, id: RunId, note: &str) -> Result<bool, StoreError> {
        let note = Some(note.trim()).filter(|note| !note.is_empty());
        let changed = self.write(|connection| {
            connection.execute("UPDATE runs SET note = ?2 WHERE id = ?1", params![id, note])
        })?;
        Ok(changed > 0)
    }

    /// Marks running runs whose recording process is gone as lost, and returns their numbers. Call
    /// this when a project is opened.
    ///
    /// # Errors
    /// When the store can't be read or written.
    pub fn recover(&mut self) -> Result<Vec<RunId>, StoreError> {
        let running = self.read(running)?.unwrap_or_default();
        let host = liveness::host();
        let mut lost = Vec::new();
        for run in running {
            let alive = match run.recording(host.as_deref()) {
                Recording::By(_) | Recording::Remote(_) => true,
                Recording::Elsewhere(_) => {
                    run.seen_at.is_some_and(|seen_at| now() - seen_at < SILENCE)
                }
                Recording::Gone | Recording::Ended => false,
            };
            if !alive && self.write(|connection| lose(connection, run.id))? {
                lost.push(run.id);
            }
        }
        Ok(lost)
    }

    /// The process that records a run.
    ///
    /// # Errors
    /// When the store can't be read.
    pub fn recording(&mut self, id: RunId) -> Result<Recording, StoreError> {
        let remote = self.run(id)?.filter(|run| run.outcome == Outcome::Running);
        if let Some(remote) = remote.and_then(|run| run.new.remote) {
            return Ok(Recording::Remote(remote));
        }
        let running = self.read(running)?.unwrap_or_default();
        let run = running.iter().find(|run| run.id == id);
        Ok(run.map_or(Recording::Ended, |run| run.recording(liveness::host().as_deref())))
    }
}

/// The process that records a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recording {
    /// The run has ended, or there is no such run.
    Ended,
    /// The recording process is gone.
    Gone,
    /// A process on the machine with this name, which can't be checked from here.
    Elsewhere(String),
    /// The process with this number, on this machine.
    By(u32),
    /// An engine runs it, and whoever looks at it there records it.
    Remote(Remote),
}

/// Inserts a run that goes on, and returns its number. No process records a run with the number 0.
pub(super) fn insert(
    connection: &Connection,
    new: &NewRun,
    pid: u32,
    process_started: &str,
) -> rusqlite::Result<i64> {
    let remote = new.remote.as_ref().and_then(|remote| serde_json::to_string(remote).ok());
    connection.execute(
        "INSERT INTO runs (started_at, pipeline, env, request, command, user, host, why, python,
             worker, batch, detached, outcome, pid, process_started, seen_at, remote)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)",
        params![
            new.started_at,
            new.pipeline,
            new.env,
            new.request,
            new.command,
            new.user,
            new.host,
            new.why,
            new.python,
            new.worker,
            new.batch,
            new.detached,
            Outcome::Running.as_str(),
            pid,
            process_started,
            now(),
            remote,
        ],
    )?;
    Ok(connection.last_insert_rowid())
}

fn update(connection: &Connection, record: &RunRecord, seen_at: f64) -> rusqlite::Result<usize> {
    let git = record.code.as_ref().and_then(|code| serde_json::to_string(code).ok());
    let metrics =
        serde_json::to_string(&record.metrics).ok().filter(|_| !record.metrics.is_empty());
    connection
        .prepare_cached(
            "UPDATE runs SET env = ?2, outcome = ?3, ended_at = ?4, nodes_total = ?5, nodes_done = ?6,
                 failed_node = ?7, reason = ?8, kedro_version = ?9, python_version = ?10, git = ?11,
                 parameters = ?12, mlflow_run = ?13, worker = ?14, seen_at = ?15, definitions = ?16,
                 metrics = ?17, started_at = ?18 WHERE id = ?1",
        )?
        .execute(params![
            record.id,
            record.new.env,
            record.outcome.as_str(),
            record.ended_at,
            record.nodes_total,
            record.nodes_done,
            record.failed_node,
            record.reason,
            record.kedro_version,
            record.python_version,
            git,
            record.parameters,
            record.mlflow_run,
            record.new.worker,
            seen_at,
            record.definitions,
            metrics,
            // Known from the beginning, but for remote runs that were waiting.
            record.new.started_at,
        ])
}

/// Appends the entries that are not stored yet.
fn append(connection: &Connection, id: RunId, progress: &Progress<'_>) -> rusqlite::Result<()> {
    if progress.entries.is_empty() {
        return Ok(());
    }
    let (stored, lines): (i64, i64) = connection
        .prepare_cached("SELECT entries, log_lines FROM runs WHERE id = ?1")?
        .query_row([id], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let (stored, lines) = (stored.unsigned_abs(), lines.unsigned_abs());
    let known = usize::try_from((stored + 1).saturating_sub(progress.first)).unwrap_or(usize::MAX);
    let Some(new) = progress.entries.get(known..).filter(|new| !new.is_empty()) else {
        return Ok(());
    };
    let mut insert = connection
        .prepare_cached("INSERT INTO events (run, number, at, json) VALUES (?1, ?2, ?3, ?4)")?;
    for (number, entry) in (progress.first + known as u64..).zip(new) {
        if let Entry::Event(at, json) = entry {
            insert.execute(params![id, number as i64, at, json])?;
        }
    }
    let of_log = new.iter().filter_map(|entry| match entry {
        Entry::Line(line) => Some(*line),
        Entry::Event(..) => None,
    });
    let added = log::append(connection, id, lines + 1, of_log)?;
    let last = progress.first + progress.entries.len() as u64 - 1;
    connection
        .prepare_cached("UPDATE runs SET entries = ?2, log_lines = ?3 WHERE id = ?1")?
        .execute(params![id, last as i64, (lines + added) as i64])?;
    Ok(())
}

/// A run that is running, as far as the store knows.
struct Running {
    id: RunId,
    pid: u32,
    process_started: String,
    host: Option<String>,
    seen_at: Option<f64>,
}

impl Running {
    fn recording(&self, here: Option<&str>) -> Recording {
        match &self.host {
            Some(host) if Some(host.as_str()) != here => Recording::Elsewhere(host.clone()),
            _ if liveness::started(self.pid).as_ref() == Some(&self.process_started) => {
                Recording::By(self.pid)
            }
            _ => Recording::Gone,
        }
    }
}

/// The runs that go on and that a process records. Only its engine knows whether a remote run goes on.
fn running(connection: &mut Connection) -> rusqlite::Result<Vec<Running>> {
    connection
        .prepare(
            "SELECT id, pid, process_started, host, seen_at FROM runs
             WHERE outcome = ?1 AND remote IS NULL",
        )?
        .query_map([Outcome::Running.as_str()], |row| {
            Ok(Running {
                id: row.get(0)?,
                pid: row.get(1)?,
                process_started: row.get(2)?,
                host: row.get(3)?,
                seen_at: row.get(4)?,
            })
        })?
        .collect()
}

/// Marks a run and its unfinished nodes as lost. Returns whether the run was still running.
fn lose(connection: &mut Connection, id: RunId) -> rusqlite::Result<bool> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let changed = transaction.execute(
        "UPDATE runs SET outcome = ?2, reason = ?3, ended_at = MAX(started_at,
             COALESCE((SELECT at FROM events WHERE run = id ORDER BY number DESC LIMIT 1), 0),
             COALESCE((SELECT ended_at FROM log WHERE run = id ORDER BY first DESC LIMIT 1), 0))
         WHERE id = ?1 AND outcome = ?4",
        params![
            id,
            Outcome::Lost.as_str(),
            "the program that followed the run ended before the run did",
            Outcome::Running.as_str(),
        ],
    )?;
    if changed > 0 {
        transaction.execute(
            "UPDATE nodes SET outcome = 'stopped' WHERE run = ?1 AND outcome IN ('waiting', 'running')",
            [id],
        )?;
    }
    transaction.commit()?;
    Ok(changed > 0)
}

/// The current time in seconds since the Unix epoch, as in the store and in events.
pub fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::run_id;
    use crate::store::{Level, Line, LogFilter, NodeOutcome, NodeRecord, RunFilter, Source};

    fn new(pipeline: &str) -> NewRun {
        NewRun { started_at: 10.0, pipeline: pipeline.into(), ..NewRun::default() }
    }

    fn event(at: f64, json: &str) -> Entry<'static> {
        Entry::Event(at, json.into())
    }

    fn line(at: f64, text: &str) -> Entry<'_> {
        let source = Source {
            level: Level::Info,
            node: Some("n"),
            stream: "stdout",
            level_name: None,
            logger: None,
        };
        Entry::Line(Line { at, source, text })
    }

    fn progress<'a>(record: &'a RunRecord, first: u64, entries: &'a [Entry<'a>]) -> Progress<'a> {
        Progress { record, first, entries, nodes: &[], datasets: &[] }
    }

    fn texts(store: &mut Store, id: RunId) -> Vec<String> {
        let lines =
            store.log(id, &LogFilter::default(), super::super::LogCursor::Line(1), 100).unwrap();
        lines.into_iter().map(|line| line.text).collect()
    }

    #[test]
    fn runs_come_newest_first_with_their_events_in_order() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::new(folder.path());
        let first = store.add_run(&new("a")).unwrap();
        let asked =
            NewRun { user: Some("ada".into()), why: Some("r".into()), detached: true, ..new("b") };
        let mut second = store.add_run(&asked).unwrap();
        store.record(&progress(&second, 1, &[event(11.0, "1"), line(11.5, "one")])).unwrap();
        second.outcome = Outcome::Failed;
        second.ended_at = Some(14.0);
        second.failed_node = Some("n".into());
        second.nodes_total = 3;
        second.kedro_version = Some("1.7.0".into());
        second.code = Some(crate::store::CodeVersion {
            commit: Some("abc".into()),
            dirty: true,
            untracked: vec!["new.py".into()],
            ..Default::default()
        });
        store.record(&progress(&second, 3, &[event(12.0, "2"), event(13.0, "3")])).unwrap();

        let mut store = Store::new(folder.path());
        second.log_lines = 1;
        assert_eq!(store.runs(&RunFilter::newest(10)).unwrap(), [second.clone(), first.clone()]);
        assert_eq!(store.run(second.id.unwrap()).unwrap(), Some(second.clone()));
        assert_eq!(store.events(second.id.unwrap()).unwrap(), ["1", "2", "3"]);
        assert_eq!(store.events(first.id.unwrap()).unwrap(), Vec::<String>::new());
    }

    #[test]
    fn repeated_progress_is_stored_once() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::new(folder.path());
        let run = store.add_run(&new("a")).unwrap();
        let all = [event(1.0, "1"), line(2.0, "two"), line(3.0, "three"), event(4.0, "4")];
        for (first, end) in [(1, 2), (1, 2), (1, 4), (2, 3), (3, 4), (4, 4)] {
            store.record(&progress(&run, first as u64, &all[first - 1..end])).unwrap();
        }
        assert_eq!(store.events(run.id.unwrap()).unwrap(), ["1", "4"]);
        assert_eq!(texts(&mut store, run.id.unwrap()), ["two", "three"]);
        assert_eq!(store.run(run.id.unwrap()).unwrap().unwrap().log_lines, 2);
    }

    #[test]
    fn a_pin_a_note_and_a_deletion_survive_later_progress() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::new(folder.path());
        let mut run = store.add_run(&new("a")).unwrap();
        assert!(store.pin(run.id.unwrap(), true).unwrap());
        assert!(store.note(run.id.unwrap(), " the good one\n").unwrap());
        assert!(!store.pin(run_id(99), true).unwrap() && !store.note(run_id(99), "x").unwrap());
        run.outcome = Outcome::Succeeded;
        store.record(&progress(&run, 1, &[event(1.0, "1")])).unwrap();
        let stored = store.run(run.id.unwrap()).unwrap().unwrap();
        assert_eq!((stored.pinned, stored.note.as_deref()), (true, Some("the good one")));
        store.note(run.id.unwrap(), "  ").unwrap();
        assert_eq!(store.run(run.id.unwrap()).unwrap().unwrap().note, None);
        assert!(store.delete_run(run.id.unwrap()).unwrap().is_some());
        store.record(&progress(&run, 2, &[event(1.0, "2"), line(1.0, "x")])).unwrap();
        assert_eq!(store.run(run.id.unwrap()).unwrap(), None);
        assert_eq!(store.events(run.id.unwrap()).unwrap(), Vec::<String>::new());
    }

    #[test]
    fn several_programs_write_at_once() {
        let folder = tempfile::tempdir().unwrap();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    let mut store = Store::new(folder.path());
                    for _ in 0..10 {
                        let run = store.add_run(&new("a")).unwrap();
                        store
                            .record(&progress(&run, 1, &[event(1.0, "{}"), line(1.0, "x")]))
                            .unwrap();
                    }
                });
            }
        });
        assert_eq!(Store::new(folder.path()).runs(&RunFilter::newest(100)).unwrap().len(), 40);
    }

    #[test]
    fn a_run_is_lost_when_its_process_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::new(folder.path());
        assert_eq!(store.recover().unwrap(), Vec::<RunId>::new());
        let own = store.add_run(&new("own")).unwrap();
        let gone = store.add_run(&new("gone")).unwrap();
        let node = |name: &str, outcome| NodeRecord {
            node: name.into(),
            outcome,
            ..NodeRecord::default()
        };
        let nodes = [node("a", NodeOutcome::Succeeded), node("b", NodeOutcome::Running)];
        let entries = [event(12.0, "{}"), line(12.5, "x")];
        let progress = Progress { nodes: &nodes, ..progress(&gone, 1, &entries) };
        store.record(&progress).unwrap();
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let pid = child.id();
        child.wait().unwrap();
        store.set_process(gone.id.unwrap(), pid).unwrap();
        let reused = store.add_run(&new("reused")).unwrap();
        let set = |store: &mut Store, sql: &'static str| {
            store.write(|connection| connection.execute(sql, [])).unwrap();
        };
        set(&mut store, "UPDATE runs SET process_started = 'before' WHERE pipeline = 'reused'");
        assert_eq!(store.recover().unwrap(), [gone.id.unwrap(), reused.id.unwrap()]);
        let mut find = |id| store.run(id).unwrap().unwrap();
        assert_eq!(find(own.id.unwrap()).outcome, Outcome::Running);
        assert_eq!(
            (find(gone.id.unwrap()).outcome, find(gone.id.unwrap()).ended_at),
            (Outcome::Lost, Some(12.5))
        );
        assert_eq!(find(reused.id.unwrap()).ended_at, Some(10.0));
        assert!(find(gone.id.unwrap()).reason.is_some());
        let nodes = store.nodes(gone.id.unwrap()).unwrap();
        assert_eq!(nodes[0].outcome, NodeOutcome::Succeeded);
        assert_eq!(nodes[1].outcome, NodeOutcome::Stopped);
    }

    #[test]
    fn a_run_on_another_machine_is_lost_when_it_is_silent() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::new(folder.path());
        let elsewhere = NewRun { host: Some("another.machine".into()), ..new("a") };
        let run = store.add_run(&elsewhere).unwrap();
        store.set_process(run.id.unwrap(), u32::MAX - 1).unwrap();
        assert_eq!(store.recover().unwrap(), Vec::<RunId>::new());
        store
            .write(|connection| connection.execute("UPDATE runs SET seen_at = seen_at - 121", []))
            .unwrap();
        assert_eq!(store.recover().unwrap(), [run.id.unwrap()]);
    }
}
