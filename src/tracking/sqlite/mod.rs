//! MLflow's SQLite store, read in place. Each query is a short read of its own, because an open transaction
//! would block a trainer from writing. The schemas of MLflow 2 and 3 differ in tables and columns; [`Schema`]
//! looks them up.

pub(super) mod database;
mod follow;
mod histories;
mod history;
mod models;
mod query;
mod runs;

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};

use indexmap::IndexMap;
use rusqlite::{Connection, Params, Row};

pub use follow::Follower;

use super::TrackingError;

/// Number of runs, models or versions whose params, metrics and tags are read at once.
const CHUNK: usize = 200;

/// An open SQLite store.
#[derive(Debug)]
pub struct SqliteStore {
    connection: Connection,
    limit: database::Limit,
    path: PathBuf,
    schema: Schema,
    /// The workspace to read, if the schema has workspaces.
    workspace: String,
}

/// The differences between the schemas of MLflow versions.
#[derive(Debug, Default)]
struct Schema {
    /// Names of the tables.
    tables: HashSet<String>,
    /// Whether experiments and models belong to workspaces.
    workspaces: bool,
    /// Whether there is an index of metrics by run, key and step.
    steps_indexed: bool,
}

impl SqliteStore {
    /// Opens an MLflow database read-only. `workspace` is the one to read, by default `default`.
    ///
    /// # Errors
    /// When it is not a readable MLflow database.
    pub fn open(path: &Path, workspace: Option<&str>) -> Result<Self, TrackingError> {
        let open = || -> rusqlite::Result<SqliteStore> {
            let (connection, limit) = database::open(path)?;
            let tables: Vec<String> = rows(
                &connection,
                "SELECT name FROM sqlite_master WHERE type = 'table'",
                [],
                |row| row.get(0),
            )?;
            let count = |sql| connection.query_row(sql, [], |row| row.get::<_, bool>(0));
            let schema = Schema {
                tables: tables.into_iter().collect(),
                workspaces: count(
                    "SELECT count(*) > 0 FROM pragma_table_info('experiments') WHERE name = 'workspace'",
                )?,
                steps_indexed: count(
                    "SELECT count(*) > 0 FROM sqlite_master WHERE name = 'index_metrics_run_uuid_key_step'",
                )?,
            };
            let workspace = workspace.unwrap_or("default").to_owned();
            Ok(SqliteStore { connection, limit, path: path.to_owned(), schema, workspace })
        };
        let store = open().map_err(|source| failed(path, source))?;
        match store.has("experiments") && store.has("runs") {
            true => Ok(store),
            false => Err(TrackingError::Foreign(path.display().to_string())),
        }
    }

    /// Whether the schema has a table.
    fn has(&self, table: &str) -> bool {
        self.schema.tables.contains(table)
    }

    /// Runs a query; an error names the database.
    fn ask<T>(
        &self,
        question: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, TrackingError> {
        self.limit.renew();
        question(&self.connection).map_err(|source| failed(&self.path, source))
    }

    /// Keys and values of the entities with these ids, sorted by key for each entity. `sql` selects id, key
    /// and value, for the list of ids `?1`.
    fn keyed<T>(
        &self,
        ids: &[String],
        sql: &str,
        value: impl Fn(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<BTreeMap<String, Vec<(String, T)>>, TrackingError> {
        let mut found: IndexMap<String, Vec<(String, T)>> = IndexMap::new();
        // Most rows belong to the same entity as the row before, so the search is needed only for another id.
        let mut place = 0;
        for chunk in ids.chunks(CHUNK) {
            let list = serde_json::Value::from(chunk).to_string();
            self.ask(|connection| {
                let mut statement = connection.prepare_cached(sql)?;
                let mut rows = statement.query([list])?;
                while let Some(row) = rows.next()? {
                    let id = row.get_ref(0)?.as_str()?;
                    if found.get_index(place).is_none_or(|(last, _)| last != id) {
                        let entry = found.entry(id.to_owned());
                        place = entry.index();
                        entry.or_default();
                    }
                    found[place].push((text(row, 1)?, value(row)?));
                }
                Ok(())
            })?;
        }
        found.values_mut().for_each(|list| list.sort_by(|a, b| a.0.cmp(&b.0)));
        Ok(found.into_iter().collect())
    }
}

fn failed(path: &Path, source: rusqlite::Error) -> TrackingError {
    TrackingError::Sqlite { path: path.display().to_string(), source }
}

/// All rows of a query. The statement, and with it the read lock, is released before this returns.
fn rows<T>(
    connection: &Connection,
    sql: &str,
    params: impl Params,
    of: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Vec<T>> {
    connection.prepare_cached(sql)?.query_map(params, of)?.collect()
}

/// A text column; `NULL` is read as an empty text.
fn text(row: &Row<'_>, index: usize) -> rusqlite::Result<String> {
    Ok(row.get::<_, Option<String>>(index)?.unwrap_or_default())
}
