//! Making room: old runs are deleted, and the file becomes smaller.

use std::path::PathBuf;

use rusqlite::{Connection, TransactionBehavior, params};

use super::apart::{Left, Swept};
use super::database::{Store, StoreError};
use super::full;
use super::record::{Outcome, RunId};

/// Which runs may stay. Pinned and running ones always do.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Room {
    /// Runs that began before then go; seconds since the Unix epoch.
    pub before: Option<f64>,
    /// The oldest go until the others take no more bytes than this.
    pub bytes: Option<u64>,
    /// The oldest go until so many are left.
    pub runs: Option<usize>,
}

/// What pruning deletes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pruned {
    /// The runs, oldest first.
    pub runs: Vec<RunId>,
    /// Bytes that they take in the store, about.
    pub bytes: u64,
    /// Folders of grids' runs.
    pub folders: Vec<PathBuf>,
    /// What stays though its run is gone, and why.
    pub left: Vec<Left>,
}

impl Pruned {
    fn with(self, swept: Swept) -> Self {
        Pruned { folders: swept.folders, left: swept.left, ..self }
    }
}

impl Store {
    /// Deletes a run that is not going on with all that is kept of it; `None` when there was none. The
    /// file shrinks with the next [`Store::prune`].
    ///
    /// # Errors
    /// When the store can't be written, or was set aside.
    pub fn delete_run(&mut self, id: RunId) -> Result<Option<Pruned>, StoreError> {
        let deleted = self.write_freeing(|connection| {
            connection.execute(
                "DELETE FROM runs WHERE id = ?1 AND outcome != ?2",
                params![id, Outcome::Running.as_str()],
            )
        })?;
        let pruned = Pruned::default().with(self.sweep(&[])?);
        Ok((deleted > 0).then(|| Pruned { runs: vec![id], ..pruned }))
    }

    /// What [`Store::prune`] would delete.
    ///
    /// # Errors
    /// When the store can't be read, or was set aside.
    pub fn prunable(&mut self, room: &Room) -> Result<Pruned, StoreError> {
        let sizes = self.read(sizes)?;
        self.refuse_set_aside()?;
        let pruned = choose(&sizes.unwrap_or_default(), room);
        let swept = self.sweepable(&pruned.runs)?;
        Ok(pruned.with(swept))
    }

    /// What [`Store::delete_run`] would delete of these runs.
    ///
    /// # Errors
    /// When the store can't be read, or was set aside.
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

    /// Deletes what there is no room for and gives the space back to the disk.
    ///
    /// # Errors
    /// When the store can't be written, or was set aside: nothing is deleted then.
    pub fn prune(&mut self, room: &Room) -> Result<Pruned, StoreError> {
        let pruned = self.prunable(room)?;
        if !self.path().exists() {
            return Ok(pruned);
        }
        // Folders can be removed where the database can't be written.
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
                "DELETE FROM texts WHERE hash NOT IN (
                     SELECT parameters FROM runs WHERE parameters IS NOT NULL
                     UNION SELECT git ->> '$.diff' FROM runs WHERE git ->> '$.diff' IS NOT NULL)",
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

/// A run's number, begin, whether it stays in any case, and its bytes in the store.
type Size = (RunId, f64, bool, u64);

/// All runs, newest first.
fn sizes(connection: &mut Connection) -> rusqlite::Result<Vec<Size>> {
    // The lengths of packed lines are known without reading them. Texts count for each run that
    // names them.
    connection
        .prepare(
            "SELECT id, started_at, pinned OR outcome = 'running',
                 512 + length(request) + length(command)
                 + COALESCE((SELECT SUM(length(packed) + length(sources) + 64) FROM log WHERE run = id), 0)
                 + COALESCE((SELECT SUM(length(json) + 32) FROM events WHERE run = id), 0)
                 + COALESCE((SELECT SUM(2 * length(node) + 64 + COALESCE(length(failure), 0)) FROM nodes WHERE run = id), 0)
                 + COALESCE((SELECT SUM(length(dataset) + 128 + COALESCE(length(metrics), 0)) FROM datasets WHERE run = id), 0)
                 + COALESCE((SELECT SUM(length(packed)) FROM texts WHERE hash IN (parameters, git ->> '$.diff')), 0)
             FROM runs ORDER BY id DESC",
        )?
        .query_map([], |row| {
            let bytes: i64 = row.get(3)?;
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, bytes.unsigned_abs()))
        })?
        .collect()
}

fn choose(sizes: &[Size], room: &Room) -> Pruned {
    let mut pruned = Pruned::default();
    let (mut kept, mut bytes) = (0, 0);
    // What stays in any case takes its place first.
    for (_, _, _, size) in sizes.iter().filter(|(_, _, stays, _)| *stays) {
        kept += 1;
        bytes += size;
    }
    let mut full = false;
    for (run, at, _, size) in sizes.iter().filter(|(_, _, stays, _)| !stays) {
        // Once there is no room, nothing older stays either: the history has no holes.
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

/// Gives free pages back to the disk.
fn shrink(connection: &mut Connection) -> rusqlite::Result<()> {
    const INCREMENTAL: i64 = 2;
    let mode: i64 = connection.pragma_query_value(None, "auto_vacuum", |row| row.get(0))?;
    if mode == INCREMENTAL {
        // Each row of its answer is a page.
        let mut statement = connection.prepare("PRAGMA incremental_vacuum")?;
        let mut rows = statement.query([])?;
        while rows.next()?.is_some() {}
    } else {
        // A store of the first version: it is written anew once.
        connection.pragma_update(None, "auto_vacuum", "incremental")?;
        connection.execute_batch("VACUUM")?;
    }
    // The file itself shrinks when the journal is written back; others may be reading.
    let _ = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Entry, Level, Line, NewRun, Progress, RunFilter, Source};

    /// Five runs, begun at 1 to 5, that end well; each with a log that does not shrink.
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
    fn the_oldest_go_and_what_is_pinned_or_runs_stays() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::new(folder.path());
        assert_eq!(store.prune(&Room::default()).unwrap(), Pruned::default());
        assert!(!store.path().exists(), "nothing is made to be pruned");
        filled(&mut store);
        store.pin(1, true).unwrap();
        let running = store.add_run(&NewRun { started_at: 0.5, ..NewRun::default() }).unwrap().id;
        let mut prunable = |room: &Room| store.prunable(room).unwrap();
        let all = Room::default;
        assert_eq!(prunable(&all()), Pruned::default());
        assert_eq!(prunable(&Room { before: Some(4.0), ..all() }).runs, [2, 3]);
        assert_eq!(prunable(&Room { runs: Some(4), ..all() }).runs, [2, 3]);
        assert_eq!(prunable(&Room { runs: Some(0), ..all() }).runs, [2, 3, 4, 5]);
        let each = prunable(&Room { before: Some(3.0), ..all() }).bytes;
        assert!(each > 64_000, "{each}");
        let bytes = Some(each * 3 + each / 2);
        assert_eq!(prunable(&Room { bytes, ..all() }).runs, [2, 3]);

        let room = Room { runs: Some(0), ..all() };
        assert_eq!(store.prune(&room).unwrap().runs, [2, 3, 4, 5]);
        let left = store.runs(&RunFilter::default()).unwrap();
        assert_eq!(left.iter().map(|run| run.id).collect::<Vec<_>>(), [running, 1]);
        assert!(store.delete_run(running).unwrap().is_none(), "it is going on");
        assert!(store.delete_run(1).unwrap().is_some() && store.delete_run(1).unwrap().is_none());
    }

    #[test]
    fn the_file_shrinks_and_texts_go_with_their_last_run() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::new(folder.path());
        filled(&mut store);
        let (old, shared) = (store.keep_text("old").unwrap(), store.keep_text("shared").unwrap());
        for (id, text) in [(1, &old), (2, &shared), (5, &shared)] {
            let mut record = store.run(id).unwrap().unwrap();
            record.parameters = Some(text.clone());
            let code = crate::store::CodeVersion { diff: Some(text.clone()), ..Default::default() };
            record.code = Some(code);
            let progress =
                Progress { record: &record, first: 1, entries: &[], nodes: &[], datasets: &[] };
            store.record(&progress).unwrap();
        }
        let size = |store: &Store| std::fs::metadata(store.path()).unwrap().len();
        store.write(|it| it.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))).unwrap();
        let before = size(&store);
        store.prune(&Room { runs: Some(1), ..Room::default() }).unwrap();
        assert!(size(&store) < before / 2, "{} of {before}", size(&store));
        assert_eq!(store.text(&old).unwrap(), None);
        assert_eq!(store.text(&shared).unwrap().as_deref(), Some("shared"));
    }

    #[test]
    fn an_old_store_is_written_anew_once() {
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
        store.prune(&Room { runs: Some(1), ..Room::default() }).unwrap();
        assert!(std::fs::metadata(store.path()).unwrap().len() < before / 2);
        assert_eq!(store.runs(&RunFilter::default()).unwrap().len(), 1);
    }
}
