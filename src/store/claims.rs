//! Claims: which process is going to write which data, so that two runs do not write the same at the same time.
//!
//! A claim is taken before a run starts and released when it ends. A process that is gone holds no claim.

use std::path::Path;

use rusqlite::{Connection, Transaction, TransactionBehavior, params};

use super::{RunId, Store, StoreError, liveness, now};

/// How long a claim of another machine holds, in seconds: its process can't be checked from here.
const AWAY: f64 = 24.0 * 3600.0;

/// The data that a run writes: a path, or the name of a dataset without one.
pub type Target = String;

/// Why data can't be claimed: another run writes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// The data.
    pub target: Target,
    /// The run, once it has a number.
    pub run: Option<RunId>,
}

/// The right to write data. It ends when the value is dropped.
#[derive(Debug)]
pub struct Claim {
    store: Store,
    number: i64,
}

pub(super) fn create(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    transaction.execute_batch(
        "CREATE TABLE claims (
            target TEXT PRIMARY KEY,
            claim INTEGER NOT NULL,
            pid INTEGER NOT NULL,
            process_started TEXT NOT NULL,
            host TEXT,
            at REAL NOT NULL,
            run INTEGER
        ) WITHOUT ROWID;",
    )
}

impl Claim {
    /// Claims all of `targets` for this process, or none of them.
    ///
    /// # Errors
    /// When the store can't be written.
    pub fn take(root: &Path, targets: &[Target]) -> Result<Result<Claim, Taken>, StoreError> {
        let mut store = Store::new(root);
        let pid = std::process::id();
        let (host, started) = (liveness::host(), liveness::started(pid).unwrap_or_default());
        let at = now();
        let taken = store.write(|connection| {
            let transaction =
                connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            release_gone(&transaction, host.as_deref(), at)?;
            let number: i64 = transaction.query_row(
                "SELECT COALESCE(MAX(claim), 0) + 1 FROM claims",
                [],
                |row| row.get(0),
            )?;
            for target in targets {
                let holder = "SELECT run FROM claims WHERE target = ?1";
                let mut holder = transaction.prepare_cached(holder)?;
                let mut rows = holder.query([target])?;
                if let Some(row) = rows.next()? {
                    return Ok(Err(Taken { target: target.clone(), run: row.get(0)? }));
                }
                transaction
                    .prepare_cached("INSERT INTO claims VALUES (?1, ?2, ?3, ?4, ?5, ?6, NULL)")?
                    .execute(params![target, number, pid, started, host, at])?;
            }
            transaction.commit()?;
            Ok(Ok(number))
        })?;
        Ok(taken.map(|number| Claim { store, number }))
    }

    /// Sets the number of the run, which others are told.
    pub fn set_run(&mut self, run: RunId) {
        let number = self.number;
        let set = self.store.write(|connection| {
            connection.execute("UPDATE claims SET run = ?2 WHERE claim = ?1", params![number, run])
        });
        if let Err(error) = set {
            tracing::warn!(%error, "the run of a claim is not stored");
        }
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        let number = self.number;
        let released = self.store.write(|connection| {
            connection.execute("DELETE FROM claims WHERE claim = ?1", [number])
        });
        if let Err(error) = released {
            tracing::warn!(%error, "a claim is not released before this process ends");
        }
    }
}

/// Releases the claims of processes that are gone.
fn release_gone(connection: &Connection, here: Option<&str>, at: f64) -> rusqlite::Result<()> {
    let holders: Vec<(i64, u32, String, Option<String>, f64)> = connection
        .prepare("SELECT DISTINCT claim, pid, process_started, host, at FROM claims")?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?)))?
        .collect::<Result<_, _>>()?;
    for (claim, pid, started, host, since) in holders {
        let holds = match host.as_deref() {
            Some(host) if Some(host) != here => at - since < AWAY,
            _ => liveness::started(pid) == Some(started),
        };
        if !holds {
            connection.execute("DELETE FROM claims WHERE claim = ?1", [claim])?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::run_id;

    fn targets(names: &str) -> Vec<Target> {
        names.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn what_is_claimed_is_refused_until_it_is_released() {
        let folder = tempfile::tempdir().unwrap();
        let take = |names: &str| Claim::take(folder.path(), &targets(names)).unwrap();
        let mut first = take("a b").unwrap();
        first.set_run(run_id(7));
        let other = take("c").unwrap();
        assert_eq!(take("d b").unwrap_err(), Taken { target: "b".into(), run: Some(run_id(7)) });
        assert_eq!(take("c").unwrap_err(), Taken { target: "c".into(), run: None });
        drop(take("d").unwrap());
        drop(first);
        let again = take("d b").unwrap();
        drop((again, other));
        drop(take("a b c d").unwrap());
    }

    #[test]
    fn a_process_that_is_gone_holds_nothing() {
        let folder = tempfile::tempdir().unwrap();
        std::mem::forget(Claim::take(folder.path(), &targets("a b")).unwrap());
        let set = |column: &str, value: &str| {
            let text = format!("UPDATE claims SET {column} = {value}");
            Store::new(folder.path()).write(|connection| connection.execute(&text, [])).unwrap();
        };
        let is_free = || Claim::take(folder.path(), &targets("a")).unwrap().is_ok();
        assert!(!is_free());
        set("host", "'elsewhere'");
        assert!(!is_free(), "a process of another machine may be alive");
        set("at", "at - 100000");
        assert!(is_free());
        std::mem::forget(Claim::take(folder.path(), &targets("b")).unwrap());
        set("process_started", "'another boot'");
        assert!(is_free());
    }

    #[test]
    fn of_two_at_once_one_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        let begin = std::sync::Barrier::new(8);
        std::thread::scope(|scope| {
            let claims: Vec<_> = (0..8)
                .map(|number| {
                    let begin = &begin;
                    scope.spawn(move || {
                        begin.wait();
                        Claim::take(root, &targets(&format!("own{number} both"))).unwrap()
                    })
                })
                .collect();
            let claims: Vec<_> = claims.into_iter().map(|claim| claim.join().unwrap()).collect();
            assert_eq!(claims.iter().filter(|claim| claim.is_ok()).count(), 1);
        });
    }
}
