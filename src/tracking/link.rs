//! Which tracked run a run of the project has logged to.

use std::path::Path;

use super::sqlite::database;
use super::{Location, TrackingError};

/// MLflow's clock has milliseconds, and is read a moment after ours.
const SLACK: f64 = 0.01;

/// The id of the tracked run that began between two times (seconds since the Unix epoch) and that
/// kedro-mlflow has tagged with the project's path; `None` where there is none, or more than one: what
/// is not certain is not told.
///
/// # Errors
/// When SQLite refuses.
pub fn run_between(
    root: &Path,
    location: &Location,
    begin: f64,
    end: f64,
) -> Result<Option<String>, TrackingError> {
    let Location::Sqlite(path) = location else { return Ok(None) };
    find(path, &root.display().to_string(), begin, end)
        .map_err(|source| TrackingError::Sqlite { path: path.display().to_string(), source })
}

fn find(path: &Path, root: &str, begin: f64, end: f64) -> rusqlite::Result<Option<String>> {
    let connection = database::open(path)?;
    // Runs within a run have a tag of their own that names it.
    let found: Vec<String> = connection
        .prepare(
            "SELECT r.run_uuid FROM runs r
             JOIN tags p ON p.run_uuid = r.run_uuid AND p.key = 'project_path' AND p.value = ?1
             WHERE r.start_time BETWEEN ?2 AND ?3 AND NOT EXISTS (
                 SELECT 1 FROM tags t WHERE t.run_uuid = r.run_uuid AND t.key = 'mlflow.parentRunId')
             LIMIT 2",
        )?
        .query_map(
            rusqlite::params![root, ((begin - SLACK) * 1e3) as i64, ((end + SLACK) * 1e3) as i64],
            |row| row.get(0),
        )?
        .collect::<Result<_, _>>()?;
    Ok(<[String; 1]>::try_from(found).ok().map(|[id]| id))
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::*;

    #[test]
    fn the_one_run_of_the_time_and_project_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mlflow.db");
        // MLflow's own tables, with the columns that are asked for.
        let database = Connection::open(&path).unwrap();
        database
            .execute_batch(
                "CREATE TABLE runs (run_uuid TEXT, start_time INTEGER);
                 CREATE TABLE tags (run_uuid TEXT, key TEXT, value TEXT);
                 INSERT INTO runs VALUES ('before', 9000), ('own', 11000), ('child', 12000),
                     ('other', 12000), ('later', 21000), ('latest', 22000);
                 INSERT INTO tags SELECT run_uuid, 'project_path', '/p' FROM runs WHERE run_uuid != 'other';
                 INSERT INTO tags VALUES ('other', 'project_path', '/q'),
                     ('child', 'mlflow.parentRunId', 'own');",
            )
            .unwrap();
        let location = Location::Sqlite(path);
        let between = |begin, end| run_between(Path::new("/p"), &location, begin, end).unwrap();
        assert_eq!(between(10.0, 20.0).as_deref(), Some("own"));
        assert_eq!(between(12.5, 20.0), None);
        assert_eq!(between(10.0, 30.0), None, "it could be either");
        let files = Location::Files("mlruns".into());
        assert_eq!(run_between(Path::new("/p"), &files, 0.0, 9e9).unwrap(), None);
    }
}
