//! Runs and their events in the store.

use rusqlite::{Row, params};

use super::database::{Store, StoreError};
use super::liveness;
use super::record::{NewRun, Outcome, RunId, RunRecord};

const COLUMNS: &str = "id, started_at, pipeline, env, request, command, outcome, ended_at, \
                       nodes_total, nodes_done, failed_node, reason";

impl Store {
    /// Adds a run that begins now, recorded by this process.
    ///
    /// # Errors
    /// When the store can't be written.
    pub fn add_run(&mut self, new: &NewRun) -> Result<RunRecord, StoreError> {
        let pid = std::process::id();
        let started = liveness::started(pid).unwrap_or_default();
        let id = self.write(|connection| {
            connection.execute(
                "INSERT INTO runs (started_at, pipeline, env, request, command, outcome, pid, process_started)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                params![
                    new.started_at,
                    new.pipeline,
                    new.env,
                    new.request,
                    new.command,
                    to_text(Outcome::Running),
                    pid,
                    started,
                ],
            )?;
            Ok(connection.last_insert_rowid())
        })?;
        Ok(RunRecord {
            id,
            new: new.clone(),
            outcome: Outcome::Running,
            ended_at: None,
            nodes_total: 0,
            nodes_done: 0,
            failed_node: None,
            reason: None,
        })
    }

    /// Says that another process than this one records the run: [`Store::recover`] looks for it.
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

    /// Stores how a run stands.
    ///
    /// # Errors
    /// When the store can't be written.
    pub fn update_run(&mut self, record: &RunRecord) -> Result<(), StoreError> {
        self.write(|connection| {
            connection.execute(
                "UPDATE runs SET env = ?2, outcome = ?3, ended_at = ?4, nodes_total = ?5,
                 nodes_done = ?6, failed_node = ?7, reason = ?8 WHERE id = ?1",
                params![
                    record.id,
                    record.new.env,
                    to_text(record.outcome),
                    record.ended_at,
                    record.nodes_total,
                    record.nodes_done,
                    record.failed_node,
                    record.reason,
                ],
            )?;
            Ok(())
        })
    }

    /// Appends events to a run, all or none: their times (seconds since the Unix epoch) and JSON.
    ///
    /// # Errors
    /// When the store can't be written.
    pub fn append_events(&mut self, id: RunId, events: &[(f64, String)]) -> Result<(), StoreError> {
        if events.is_empty() {
            return Ok(());
        }
        self.write(|connection| {
            let transaction =
                connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
            let first: i64 = transaction.query_row(
                "SELECT COALESCE(MAX(number), 0) + 1 FROM events WHERE run = ?1",
                [id],
                |row| row.get(0),
            )?;
            {
                let mut insert = transaction.prepare_cached(
                    "INSERT INTO events (run, number, at, json) VALUES (?1, ?2, ?3, ?4)",
                )?;
                for (number, (at, json)) in (first..).zip(events) {
                    insert.execute(params![id, number, at, json])?;
                }
            }
            transaction.commit()
        })
    }

    /// The newest `limit` runs, newest first.
    ///
    /// # Errors
    /// When the store can't be read.
    pub fn runs(&mut self, limit: usize) -> Result<Vec<RunRecord>, StoreError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let runs = self.read(|connection| {
            let sql = format!("SELECT {COLUMNS} FROM runs ORDER BY id DESC LIMIT ?1");
            connection.prepare(&sql)?.query_map([limit], record)?.collect()
        })?;
        Ok(runs.unwrap_or_default())
    }

    /// All events of a run in their order, as JSON.
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

    /// Marks the runs as lost whose recording process is gone, and returns their numbers. To be
    /// called when a project is opened.
    ///
    /// # Errors
    /// When the store can't be read or written.
    pub fn recover(&mut self) -> Result<Vec<RunId>, StoreError> {
        let running: Option<Vec<(RunId, u32, String)>> = self.read(|connection| {
            connection
                .prepare("SELECT id, pid, process_started FROM runs WHERE outcome = ?1")?
                .query_map([to_text(Outcome::Running)], |row| {
                    Ok((row.get(0)?, row.get(1)?, row.get(2)?))
                })?
                .collect()
        })?;
        let mut lost = Vec::new();
        for (id, pid, started) in running.unwrap_or_default() {
            if liveness::started(pid).as_ref() == Some(&started) {
                continue;
            }
            self.write(|connection| {
                connection.execute(
                    "UPDATE runs SET outcome = ?2, reason = ?3, ended_at =
                     COALESCE((SELECT at FROM events WHERE run = id ORDER BY number DESC LIMIT 1), started_at)
                     WHERE id = ?1 AND outcome = ?4",
                    params![
                        id,
                        to_text(Outcome::Lost),
                        "the program that followed the run ended before the run did",
                        to_text(Outcome::Running),
                    ],
                )?;
                Ok(())
            })?;
            lost.push(id);
        }
        Ok(lost)
    }
}

fn record(row: &Row<'_>) -> rusqlite::Result<RunRecord> {
    let outcome: String = row.get(6)?;
    Ok(RunRecord {
        id: row.get(0)?,
        new: NewRun {
            started_at: row.get(1)?,
            pipeline: row.get(2)?,
            env: row.get(3)?,
            request: row.get(4)?,
            command: row.get(5)?,
        },
        outcome: from_text(&outcome),
        ended_at: row.get(7)?,
        nodes_total: row.get(8)?,
        nodes_done: row.get(9)?,
        failed_node: row.get(10)?,
        reason: row.get(11)?,
    })
}

fn to_text(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Running => "running",
        Outcome::Succeeded => "succeeded",
        Outcome::Failed => "failed",
        Outcome::Cancelled => "cancelled",
        Outcome::Lost => "lost",
    }
}

fn from_text(text: &str) -> Outcome {
    match text {
        "running" => Outcome::Running,
        "succeeded" => Outcome::Succeeded,
        "failed" => Outcome::Failed,
        "cancelled" => Outcome::Cancelled,
        _ => Outcome::Lost,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn new(pipeline: &str) -> NewRun {
        NewRun { started_at: 10.0, pipeline: pipeline.into(), ..NewRun::default() }
    }

    #[test]
    fn runs_come_newest_first_with_their_events_in_order() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::new(folder.path());
        assert_eq!(store.runs(10).unwrap(), []);
        let first = store.add_run(&new("a")).unwrap();
        let mut second = store.add_run(&new("b")).unwrap();
        store.append_events(second.id, &[(11.0, "1".into()), (12.0, "2".into())]).unwrap();
        store.append_events(second.id, &[(13.0, "3".into())]).unwrap();
        store.append_events(second.id, &[]).unwrap();
        second.outcome = Outcome::Failed;
        second.ended_at = Some(14.0);
        second.failed_node = Some("n".into());
        second.nodes_total = 3;
        store.update_run(&second).unwrap();

        let mut store = Store::new(folder.path());
        assert_eq!(store.runs(10).unwrap(), [second.clone(), first.clone()]);
        assert_eq!(store.runs(1).unwrap(), [second.clone()]);
        assert_eq!(store.events(second.id).unwrap(), ["1", "2", "3"]);
        assert_eq!(store.events(first.id).unwrap(), Vec::<String>::new());
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
                        store.append_events(run.id, &[(1.0, "{}".into())]).unwrap();
                    }
                });
            }
        });
        assert_eq!(Store::new(folder.path()).runs(100).unwrap().len(), 40);
    }

    #[test]
    fn a_run_is_lost_when_its_process_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::new(folder.path());
        assert_eq!(store.recover().unwrap(), Vec::<RunId>::new());
        let own = store.add_run(&new("own")).unwrap();
        let gone = store.add_run(&new("gone")).unwrap();
        store.append_events(gone.id, &[(12.5, "{}".into())]).unwrap();
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let pid = child.id();
        child.wait().unwrap();
        store.set_process(gone.id, pid).unwrap();
        let reused = store.add_run(&new("reused")).unwrap();
        store
            .write(|connection| {
                connection.execute(
                    "UPDATE runs SET process_started = 'before' WHERE id = ?1",
                    [reused.id],
                )
            })
            .unwrap();
        assert_eq!(store.recover().unwrap(), [gone.id, reused.id]);
        let runs = store.runs(10).unwrap();
        let of = |id| runs.iter().find(|run| run.id == id).unwrap();
        assert_eq!(of(own.id).outcome, Outcome::Running);
        assert_eq!((of(gone.id).outcome, of(gone.id).ended_at), (Outcome::Lost, Some(12.5)));
        assert_eq!(of(reused.id).ended_at, Some(10.0));
        assert!(of(gone.id).reason.is_some());
    }
}
