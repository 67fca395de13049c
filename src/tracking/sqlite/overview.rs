//! The newest runs and the registered models at a glance. The schema is that of MLflow 2.x and 3.x: only columns that both have
//! are asked for.

use std::collections::HashMap;
use std::path::Path;

use rusqlite::Connection;

use super::{database, has_table, rows};
use crate::text::secrets::{HIDDEN, names_secret, redact};
use crate::tracking::{MOST_RUNS, Overview, RegisteredModel, Run, TrackingError};

pub(in crate::tracking) fn read(path: &Path, name: String) -> Result<Overview, TrackingError> {
    read_all(path, &name).map_err(|source| TrackingError::Sqlite { path: name, source })
}

fn read_all(path: &Path, name: &str) -> rusqlite::Result<Overview> {
    let connection = database::open(path)?;
    let mut overview = Overview { source: name.to_owned(), ..Overview::default() };
    if !has_table(&connection, "runs")? {
        return Ok(overview);
    }
    overview.runs = rows(
        &connection,
        &format!(
            "SELECT r.run_uuid, COALESCE(r.name, ''), e.name, r.status, r.start_time, r.end_time
             FROM runs r JOIN experiments e USING (experiment_id)
             WHERE r.lifecycle_stage = 'active'
             ORDER BY r.start_time DESC, r.run_uuid LIMIT {MOST_RUNS}"
        ),
        [],
        |row| {
            Ok(Run {
                id: row.get(0)?,
                name: row.get(1)?,
                experiment: row.get(2)?,
                status: row.get(3)?,
                started_at: seconds(row.get(4)?).unwrap_or(0.0),
                ended_at: seconds(row.get(5)?),
                ..Run::default()
            })
        },
    )?;
    let index: HashMap<String, usize> =
        overview.runs.iter().enumerate().map(|(index, run)| (run.id.clone(), index)).collect();
    for (id, key, value) in rows(
        &connection,
        "SELECT run_uuid, key, CASE WHEN is_nan THEN NULL ELSE value END FROM latest_metrics ORDER BY key",
        [],
        |row| Ok((row.get::<_, String>(0)?, row.get(1)?, row.get::<_, Option<f64>>(2)?)),
    )? {
        if let Some(run) = index.get(&id) {
            overview.runs[*run].metrics.push((key, value.unwrap_or(f64::NAN)));
        }
    }
    for (id, key, value) in
        rows(&connection, "SELECT run_uuid, key, value FROM params ORDER BY key", [], |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get::<_, String>(2)?))
        })?
    {
        if let Some(run) = index.get(&id) {
            let value = if names_secret(&key) { HIDDEN.into() } else { redact(&value) };
            overview.runs[*run].params.push((key, value));
        }
    }
    overview.models = models(&connection)?;
    Ok(overview)
}

fn models(connection: &Connection) -> rusqlite::Result<Vec<RegisteredModel>> {
    if !has_table(connection, "registered_models")? {
        return Ok(Vec::new());
    }
    let mut models = rows(
        connection,
        "SELECT m.name, m.last_updated_time, MAX(v.version)
         FROM registered_models m LEFT JOIN model_versions v ON v.name = m.name
         GROUP BY m.name ORDER BY m.name",
        [],
        |row| {
            Ok(RegisteredModel {
                name: row.get(0)?,
                updated_at: seconds(row.get(1)?).unwrap_or(0.0),
                latest_version: row.get(2)?,
                aliases: Vec::new(),
            })
        },
    )?;
    if has_table(connection, "registered_model_aliases")? {
        for (name, alias, version) in rows(
            connection,
            "SELECT name, alias, version FROM registered_model_aliases ORDER BY alias",
            [],
            |row| Ok((row.get::<_, String>(0)?, row.get(1)?, row.get(2)?)),
        )? {
            if let Some(model) = models.iter_mut().find(|model| model.name == name) {
                model.aliases.push((alias, version));
            }
        }
    }
    Ok(models)
}

fn seconds(milliseconds: Option<i64>) -> Option<f64> {
    // Times in milliseconds stay far below 2^53.
    milliseconds.map(|milliseconds| milliseconds as f64 / 1000.0)
}
