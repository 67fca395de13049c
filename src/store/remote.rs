//! Runs on engines in the history. A remote run has a record like a local one, and one record only, however often it is
//! looked at. No process of this machine records it.

use rusqlite::{OptionalExtension, Transaction, TransactionBehavior};

use super::database::{Store, StoreError};
use super::record::{NewRun, Remote, RunId, RunRecord};
use super::runs::insert;

pub(super) fn create(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    transaction.execute_batch(
        "-- Which run on which engine it is, as JSON; NULL for local runs.
        ALTER TABLE runs ADD COLUMN remote TEXT;
        CREATE UNIQUE INDEX remote_runs ON runs
            (remote ->> '$.profile', remote ->> '$.pipeline', remote ->> '$.run')
            WHERE remote IS NOT NULL;",
    )
}

const FIND: &str = "SELECT id FROM runs WHERE remote IS NOT NULL
    AND remote ->> '$.profile' = ?1 AND remote ->> '$.pipeline' = ?2 AND remote ->> '$.run' = ?3";

impl Store {
    /// The record of a run on an engine; `None` if there is none.
    ///
    /// # Errors
    /// When the store can't be read.
    pub fn remote_run(&mut self, remote: &Remote) -> Result<Option<RunRecord>, StoreError> {
        let keys = [&remote.profile, &remote.pipeline, &remote.run];
        let id = self.read(|connection| {
            connection.query_row(FIND, keys, |row| row.get::<_, RunId>(0)).optional()
        })?;
        match id.flatten() {
            Some(id) => self.run(id),
            None => Ok(None),
        }
    }

    /// The record of the run on an engine that `new` is about. Adds one if there is none.
    ///
    /// # Errors
    /// When the store can't be written.
    pub fn add_remote_run(
        &mut self,
        remote: &Remote,
        new: &NewRun,
    ) -> Result<RunRecord, StoreError> {
        let new = NewRun { remote: Some(remote.clone()), ..new.clone() };
        let keys = [&remote.profile, &remote.pipeline, &remote.run];
        let id = self.write(|connection| {
            let transaction =
                connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let known = transaction.query_row(FIND, keys, |row| row.get::<_, i64>(0)).optional()?;
            let id = match known {
                Some(id) => id,
                None => insert(&transaction, &new, 0, "")?,
            };
            transaction.commit()?;
            Ok(id)
        })?;
        let id = RunId::new(id);
        let stored = id.map(|id| self.run(id)).transpose()?.flatten();
        Ok(stored.unwrap_or_else(|| RunRecord::begun(id, new)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{
        Claim, NodeOutcome, NodeRecord, Outcome, Progress, PruneLimits, Recording, RunFilter,
        RunTerm, RunTest,
    };

    fn remote(profile: &str, run: &str) -> Remote {
        Remote {
            profile: profile.into(),
            engine: "airflow".into(),
            pipeline: "bikes".into(),
            run: run.into(),
        }
    }

    fn new(started_at: f64) -> NewRun {
        NewRun { started_at, pipeline: "__default__".into(), ..NewRun::default() }
    }

    fn finish(store: &mut Store, run: &RunRecord, outcome: Outcome, seconds: f64) {
        let run = RunRecord { outcome, ..run.clone() };
        let node = NodeRecord {
            node: "train".into(),
            outcome: NodeOutcome::Succeeded,
            seconds: Some(seconds),
            ..NodeRecord::default()
        };
        let nodes = [node];
        let progress =
            Progress { record: &run, first: 1, entries: &[], nodes: &nodes, datasets: &[] };
        store.record(&progress).unwrap();
    }

    #[test]
    fn a_remote_run_has_one_record() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::new(folder.path());
        assert_eq!(store.remote_run(&remote("prod", "a")).unwrap(), None);
        let first = store.add_remote_run(&remote("prod", "a"), &new(1.0)).unwrap();
        assert_eq!(first.new.remote, Some(remote("prod", "a")));
        assert_eq!(store.add_remote_run(&remote("prod", "a"), &new(2.0)).unwrap(), first);
        // The engine's kind is no part of the name.
        let renamed = Remote { engine: "other".into(), ..remote("prod", "a") };
        assert_eq!(store.remote_run(&renamed).unwrap(), Some(first.clone()));
        let others = [
            remote("test", "a"),
            remote("prod", "b"),
            Remote { pipeline: "cars".into(), ..remote("prod", "a") },
        ];
        for other in &others {
            assert_ne!(store.add_remote_run(other, &new(1.0)).unwrap().id, first.id, "{other:?}");
        }
        assert!(store.add_run(&NewRun { remote: first.new.remote.clone(), ..new(3.0) }).is_err());
        assert_eq!(store.count_runs().unwrap(), 4);
    }

    #[test]
    fn a_remote_run_begins_when_its_first_task_does() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::new(folder.path());
        let mut run = store.add_remote_run(&remote("prod", "a"), &new(10.0)).unwrap();
        run.new.started_at = 15.0;
        finish(&mut store, &run, Outcome::Running, 1.0);
        assert_eq!(store.run(run.id.unwrap()).unwrap().unwrap().new.started_at, 15.0);
    }

    #[test]
    fn no_process_of_this_machine_stands_for_a_remote_run() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::new(folder.path());
        let run = store.add_remote_run(&remote("prod", "a"), &new(10.0)).unwrap();
        let id = run.id.unwrap();
        let silent = "UPDATE runs SET seen_at = 0, host = 'elsewhere'";
        store.write(|connection| connection.execute(silent, [])).unwrap();
        assert_eq!(store.recover().unwrap(), []);
        assert_eq!(store.run(id).unwrap().unwrap().outcome, Outcome::Running);
        assert_eq!(store.recording(id).unwrap(), Recording::Remote(remote("prod", "a")));
        finish(&mut store, &run, Outcome::Failed, 1.0);
        assert_eq!(store.recording(id).unwrap(), Recording::Ended);
    }

    #[test]
    fn times_on_an_engine_are_no_local_timings() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::new(folder.path());
        let far = store.add_remote_run(&remote("prod", "a"), &new(10.0)).unwrap();
        finish(&mut store, &far, Outcome::Succeeded, 900.0);
        assert!(store.timings(2).unwrap().is_empty());
        for seconds in [1.0, 2.0] {
            let near = store.add_run(&new(20.0)).unwrap();
            finish(&mut store, &near, Outcome::Succeeded, seconds);
            let far = remote("prod", &format!("after {seconds}"));
            let far = store.add_remote_run(&far, &new(30.0)).unwrap();
            finish(&mut store, &far, Outcome::Succeeded, 800.0);
        }
        // Remote runs take no place among the last two either.
        let timing = store.timings(2).unwrap()["train"];
        assert_eq!((timing.median, timing.last, timing.runs), (1.5, 2.0, 2));
    }

    #[test]
    fn a_remote_run_claims_no_data_here() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::new(folder.path());
        store.add_remote_run(&remote("prod", "a"), &new(10.0)).unwrap();
        assert!(Claim::take(folder.path(), &["data/model.pkl".into()]).unwrap().is_ok());
    }

    #[test]
    fn remote_runs_are_filtered_by_where_they_ran() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::new(folder.path());
        let local = store.add_run(&new(1.0)).unwrap().id;
        let prod = store.add_remote_run(&remote("prod", "a"), &new(2.0)).unwrap().id;
        let test = store.add_remote_run(&remote("test", "a"), &new(3.0)).unwrap().id;
        for (negated, asked, expected) in [
            (false, RunTest::Remote, vec![test, prod]),
            (true, RunTest::Remote, vec![local]),
            (false, RunTest::On("prod".into()), vec![prod]),
            (true, RunTest::On("prod".into()), vec![test, local]),
        ] {
            let terms = vec![RunTerm { negated, any: vec![asked] }];
            let filter = RunFilter { terms, ..RunFilter::default() };
            let ids: Vec<_> = store.runs(&filter).unwrap().iter().map(|run| run.id).collect();
            assert_eq!(ids, expected, "{filter:?}");
        }
    }

    #[test]
    fn remote_runs_are_deleted_and_pruned_like_others() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::new(folder.path());
        let run = store.add_remote_run(&remote("prod", "a"), &new(1.0)).unwrap();
        let limits = PruneLimits { runs: Some(0), ..PruneLimits::default() };
        assert_eq!(store.prune(&limits).unwrap().runs, [], "it may go on");
        // The engine may be gone for ever, so that its end is never seen.
        assert!(store.delete_run(run.id.unwrap()).unwrap().is_some());
        // Looked at again, it is a run of the history again.
        let run = store.add_remote_run(&remote("prod", "a"), &new(1.0)).unwrap();
        finish(&mut store, &run, Outcome::Succeeded, 1.0);
        assert_eq!(store.prune(&limits).unwrap().runs, [run.id.unwrap()]);
        assert_eq!(store.count_runs().unwrap(), 0);
    }
}
