//! Pruning: deletes old runs and shrinks the database file.

use std::path::PathBuf;

use rusqlite::{Connection, TransactionBehavior, params};

use super::apart::{Left, Swept};
use super::database::{Store, StoreError};
use super::full;
use super::record::{Outcome, RunId};

/// The limits for pruning. Pinned and running runs are never deleted.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PruneLimits {
    /// Deletes runs that started before this time, in seconds since the Unix epoch.
    pub before: Option<f64>,
    /// Deletes the oldest runs until the others take at most this many bytes.
    pub bytes: Option<u64>,
    /// Deletes the oldest runs until at most this many are left.
    pub runs: Option<usize>,
}

/// The result of pruning, or a preview of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pruned {
    /// The deleted runs, oldest first.
    pub runs: Vec<RunId>,
    /// The approximate bytes of these runs in the store.
    pub bytes: u64,
    /// The removed result folders of grid runs.
    pub folders: Vec<PathBuf>,
    /// Folders that stay although their run is deleted, with the reason.
    pub left: Vec<Left>,
}

impl Pruned {
    fn with(self, swept: Swept) -> Self {
        Pruned { folders: swept.folders, left: swept.left, ..self }
    }
}

impl Store {
    /// Deletes a run that is not running here, with everything stored for it; `None` if there is no such
    /// run. The file shrinks with the next [`Store::prune`].
    ///
    /// # Errors
    /// If the store can't be written or was set aside.
    pub fn delete_run(&mut self, id: RunId) -> Result<Option<Pruned>, StoreError> {
        let deleted = self.write_freeing(|connection| {
            connection.execute(
                // What runs on an engine is not disturbed; looked at again, it has a new record.
                "DELETE FROM runs WHERE id = ?1 AND (outcome != ?2 OR remote IS NOT NULL)",
                params![id, Outcome::Running.as_str()],
            )
        })?;
        let pruned = Pruned::default().with(self.sweep(&[])?);
        Ok((deleted > 0).then(|| Pruned { runs: vec![id], ..pruned }))
    }

    /// A preview of [`Store::prune`].
    ///
    /// # Errors
    /// If the store can't be read or was set aside.
    pub fn prunable(&mut self, room: &PruneLimits) -> Result<Pruned, StoreError> {
        let sizes = self.read(sizes)?;
        self.refuse_set_aside()?;
        let pruned = choose(&sizes.unwrap_or_default(), room);
        let swept = self.sweepable(&pruned.runs)?;
        Ok(pruned.with(swept))
    }

    /// A preview of [`Store::delete_run`] for several runs.
    ///
    /// # Errors
    /// If the store can't be read or was set aside.
    pub fn deletable(&mut self, ids: &[RunId]) -> Result<Pruned, StoreError> {
        let sizes = self.read(sizes)?.unwrap_or_default();
        self.refuse_set_aside()?;
        let mut pruned = Pruned::default();
        for (id, _, _, bytes) in sizes.iter().rev().filter(|(id, ..)| ids.contains(id)) {
            pruned.runs.push(*id);
            pruned.bytes += bytes;
        }
        let swept = self.sweepable(ids)?;
        Ok(pruned.with(swept))
    }

    /// Deletes the runs beyond the limits and returns the space to the disk.
    ///
    /// # Errors
    /// If the store can't be written or was set aside; nothing is deleted then.
    pub fn prune(&mut self, room: &PruneLimits) -> Result<Pruned, StoreError> {
        let pruned = self.prunable(room)?;
        if !self.path().exists() {
            return Ok(pruned);
        }
        // On a full disk, folders are removed first: that works even if the database can't be
        // written.
        let mut early = Vec::new();
        if full::is_full_at(&self.root().join(super::FOLDER)) {
            early = self.sweep(&pruned.runs)?.folders;
        }
        self.write_freeing(|connection| {
            let transaction =
                connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            for run in &pruned.runs {
                transaction.execute(
                    "DELETE FROM runs WHERE id = ?1 AND outcome != ?2 AND NOT pinned",
                    params![run, Outcome::Running.as_str()],
                )?;
            }
            transaction.execute(
                "DELETE FROM parts WHERE whole NOT IN (
                     SELECT definitions FROM runs WHERE definitions IS NOT NULL)",
                [],
            )?;
            transaction.execute(
                "DELETE FROM texts WHERE hash NOT IN (
                     SELECT parameters FROM runs WHERE parameters IS NOT NULL
                     UNION SELECT git ->> '$.diff' FROM runs WHERE git ->> '$.diff' IS NOT NULL
                     UNION SELECT definitions FROM runs WHERE definitions IS NOT NULL
                     UNION SELECT part FROM parts)",
                [],
            )?;
            transaction.commit()
        })?;
        self.write_freeing(shrink)?;
        let mut swept = self.sweep(&[])?;
        swept.folders.splice(..0, early);
        Ok(pruned.with(swept))
    }
}

/// A run's number, start time, whether it always stays, and its bytes in the store.
type Size = (RunId, f64, bool, u64);

/// All runs, newest first.
fn sizes(connection: &mut Connection) -> rusqlite::Result<Vec<Size>> {
    // The lengths of compressed lines are known without reading them. Shared texts count for each
    // run that uses them.
    connection
        .prepare(
            "SELECT id, started_at, pinned OR outcome = 'running',
                 512 + length(request) + length(command)
                 + COALESCE((SELECT SUM(length(packed) + length(sources) + 64) FROM log WHERE run = id), 0)
                 + COALESCE((SELECT SUM(length(json) + 32) FROM events WHERE run = id), 0)
                 + COALESCE((SELECT SUM(2 * length(node) + 64 + COALESCE(length(failure), 0)) FROM nodes WHERE run = id), 0)
                 + COALESCE((SELECT SUM(length(dataset) + 128 + COALESCE(length(metrics), 0)) FROM datasets WHERE run = id), 0)
                 + COALESCE((SELECT SUM(length(packed)) FROM texts WHERE hash IN (parameters, git ->> '$.diff', definitions)), 0)
                 + COALESCE((SELECT SUM(length(packed) + 64) FROM parts JOIN texts ON hash = part WHERE whole = definitions), 0)
             FROM runs ORDER BY id DESC",
        )?
        .query_map([], |row| {
            let bytes: i64 = row.get(3)?;
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, bytes.unsigned_abs()))
        })?
        .collect()
}

fn choose(sizes: &[Size], room: &PruneLimits) -> Pruned {
    let mut pruned = Pruned::default();
    let (mut kept, mut bytes) = (0, 0);
    // Runs that always stay are counted first.
    for (_, _, _, size) in sizes.iter().filter(|(_, _, stays, _)| *stays) {
        kept += 1;
        bytes += size;
    }
    let mut full = false;
    for (run, at, _, size) in sizes.iter().filter(|(_, _, stays, _)| !stays) {
        // Once a limit is reached, all older runs are deleted too, so that the history has no gaps.
        full = full
            || room.bytes.is_some_and(|most| bytes + size > most)
            || room.runs.is_some_and(|most| kept >= most);
        if full || room.before.is_some_and(|before| *at < before) {
            pruned.runs.push(*run);
            pruned.bytes += size;
        } else {
            kept += 1;
            bytes += size;
        }
    }
    pruned.runs.reverse();
    pruned
}

/// Returns free pages to the disk.
fn shrink(connection: &mut Connection) -> rusqlite::Result<()> {
    const INCREMENTAL: i64 = 2;
    let mode: i64 = connection.pragma_query_value(None, "auto_vacuum", |row| row.get(0))?;
    if mode == INCREMENTAL {
        // Each result row is one freed page.
        let mut statement = connection.prepare("PRAGMA incremental_vacuum")?;
        let mut rows = statement.query([])?;
        while rows.next()?.is_some() {}
    } else {
        // A store of the first version is rewritten once.
        connection.pragma_update(None, "auto_vacuum", "incremental")?;
        connection.execute_batch("VACUUM")?;
    }
    // The file itself shrinks at the checkpoint. A concurrent reader may prevent that.
    let _ = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::run_id;
    use crate::store::{Entry, Level, Line, NewRun, Progress, RunFilter, Source};

    /// Five successful runs, started at 1 to 5, each with an incompressible log.
    fn filled(store: &mut Store) {
        for at in 1..=5 {
            let new = NewRun { started_at: f64::from(at), ..NewRun::default() };
            let mut record = store.add_run(&new).unwrap();
            record.outcome = Outcome::Succeeded;
            let source = Source {
                level: Level::Info,
                node: None,
                stream: "stdout",
                level_name: None,
                logger: None,
            };
            let texts: Vec<String> = (0..2000)
                .map(|line| blake3::hash(format!("{at} {line}").as_bytes()).to_hex().to_string())
                .collect();
            let entries: Vec<Entry<'_>> =
                texts.iter().map(|text| Entry::Line(Line { at: 1.0, source, text })).collect();
            let progress = Progress {
                record: &record,
                first: 1,
                entries: &entries,
                nodes: &[],
                datasets: &[],
            };
            store.record(&progress).unwrap();
        }
    }

    #[test]
    fn the_oldest_runs_are_deleted_and_pinned_or_running_ones_stay() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::new(folder.path());
        assert_eq!(store.prune(&PruneLimits::default()).unwrap(), Pruned::default());
        assert!(!store.path().exists(), "nothing is made to be pruned");
        filled(&mut store);
        store.pin(run_id(1), true).unwrap();
        let running =
            store.add_run(&NewRun { started_at: 0.5, ..NewRun::default() }).unwrap().id.unwrap();
        let mut prunable = |room: &PruneLimits| store.prunable(room).unwrap();
        let all = PruneLimits::default;
        assert_eq!(prunable(&all()), Pruned::default());
        assert_eq!(prunable(&PruneLimits { before: Some(4.0), ..all() }).runs, [2, 3].map(run_id));
        assert_eq!(prunable(&PruneLimits { runs: Some(4), ..all() }).runs, [2, 3].map(run_id));
        assert_eq!(
            prunable(&PruneLimits { runs: Some(0), ..all() }).runs,
            [2, 3, 4, 5].map(run_id)
        );
        let each = prunable(&PruneLimits { before: Some(3.0), ..all() }).bytes;
        assert!(each > 64_000, "{each}");
        let bytes = Some(each * 3 + each / 2);
        assert_eq!(prunable(&PruneLimits { bytes, ..all() }).runs, [2, 3].map(run_id));

        let room = PruneLimits { runs: Some(0), ..all() };
        assert_eq!(store.prune(&room).unwrap().runs, [2, 3, 4, 5].map(run_id));
        let left = store.runs(&RunFilter::default()).unwrap();
        assert_eq!(
            left.iter().map(|run| run.id).collect::<Vec<_>>(),
            [Some(running), RunId::new(1)]
        );
        assert!(store.delete_run(running).unwrap().is_none(), "it is going on");
        assert!(
            store.delete_run(run_id(1)).unwrap().is_some()
                && store.delete_run(run_id(1)).unwrap().is_none()
        );
    }

    #[test]
    fn the_file_shrinks_and_texts_are_deleted_with_their_last_run() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::new(folder.path());
        filled(&mut store);
        let (old, shared) = (store.keep_text("old").unwrap(), store.keep_text("shared").unwrap());
        for (id, text) in [(1, &old), (2, &shared), (5, &shared)] {
            let mut record = store.run(run_id(id)).unwrap().unwrap();
            record.parameters = Some(text.clone());
            let code = crate::store::CodeVersion { diff: Some(text.clone()), ..Default::default() };
            record.code = Some(code);
            let progress =
                Progress { record: &record, first: 1, entries: &[], nodes: &[], datasets: &[] };
            store.record(&progress).unwrap();
        }
        let size = |store: &Store| std::fs::metadata(store.path()).unwrap().len();
        store
            .write(|connection| {
                connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
            })
            .unwrap();
        let before = size(&store);
        store.prune(&PruneLimits { runs: Some(1), ..PruneLimits::default() }).unwrap();
        assert!(size(&store) < before / 2, "{} of {before}", size(&store));
        assert_eq!(store.text(&old).unwrap(), None);
        assert_eq!(store.text(&shared).unwrap().as_deref(), Some("shared"));
    }

    #[test]
    fn an_old_store_is_rewritten_once() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::new(folder.path());
        filled(&mut store);
        store
            .write(|connection| {
                connection.pragma_update(None, "journal_mode", "delete")?;
                connection.pragma_update(None, "auto_vacuum", "none")?;
                connection.execute_batch("VACUUM")?;
                connection.pragma_update(None, "journal_mode", "wal")
            })
            .unwrap();
        let before = std::fs::metadata(store.path()).unwrap().len();
        store.prune(&PruneLimits { runs: Some(1), ..PruneLimits::default() }).unwrap();
        assert!(std::fs::metadata(store.path()).unwrap().len() < before / 2);
        assert_eq!(store.runs(&RunFilter::default()).unwrap().len(), 1);
    }
}
