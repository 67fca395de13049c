//! Queries for experiments and runs.

use rusqlite::{Row, params_from_iter};

use super::query::{Sql, Writer};
use super::{SqliteStore, rows, text};
use crate::tracking::TrackingError;
use crate::tracking::entities::{DatasetInput, Experiment, Results, Run, RunQuery, View};
use crate::tracking::filter::{Attribute, Entity, Expr, Field, Order};

const RUN_COLUMNS: &str = "x.run_uuid, x.name, x.experiment_id, x.user_id, x.status, x.start_time, \
                           x.end_time, x.lifecycle_stage, x.artifact_uri";

impl SqliteStore {
    /// Experiments that match, newest first unless an order is given.
    ///
    /// # Errors
    /// When SQLite returns an error.
    pub fn experiments(
        &self,
        filter: &Expr,
        orders: &[Order],
        view: View,
        now: i64,
    ) -> Result<Vec<Experiment>, TrackingError> {
        let workspace = if self.schema.workspaces { "x.workspace" } else { "NULL" };
        let mut sql = Sql::default();
        sql.push(&format!(
            "SELECT x.experiment_id, x.name, x.artifact_location, x.lifecycle_stage, \
             x.creation_time, x.last_update_time, {workspace} FROM experiments x WHERE "
        ));
        self.in_view(&mut sql, view);
        self.in_workspace(&mut sql);
        let writer = self.writer(Entity::Experiment, now);
        writer.condition(&mut sql, filter);
        sql.push(" ORDER BY ");
        writer.order(&mut sql, orders);
        sql.push(match orders {
            [] => "x.creation_time DESC, x.experiment_id",
            _ => "x.experiment_id DESC",
        });
        let mut experiments = self.select(&sql, |row| {
            Ok(Experiment {
                id: row.get::<_, i64>(0)?.to_string(),
                name: text(row, 1)?,
                artifact_location: text(row, 2)?,
                lifecycle_stage: text(row, 3)?,
                creation_time: row.get(4)?,
                last_update_time: row.get(5)?,
                workspace: row.get(6)?,
                tags: Vec::new(),
            })
        })?;
        if self.has("experiment_tags") {
            let ids: Vec<String> =
                experiments.iter().map(|experiment| experiment.id.clone()).collect();
            let mut tags = self.keyed(
                &ids,
                "SELECT CAST(experiment_id AS TEXT), key, value FROM experiment_tags \
                 WHERE experiment_id IN (SELECT CAST(value AS INTEGER) FROM json_each(?1))",
                |row| text(row, 2),
            )?;
            for experiment in &mut experiments {
                experiment.tags = tags.remove(&experiment.id).unwrap_or_default();
            }
        }
        Ok(experiments)
    }

    /// Runs that match, with params, metrics and tags; their datasets are left out.
    ///
    /// # Errors
    /// When SQLite returns an error.
    pub fn search_runs(&self, query: &RunQuery) -> Result<Results<Run>, TrackingError> {
        let mut sql = Sql::default();
        sql.push(&format!("SELECT {RUN_COLUMNS} FROM runs x WHERE "));
        self.in_view(&mut sql, query.view);
        match &query.experiments {
            Some(ids) => {
                let numbers: Vec<serde_json::Value> =
                    ids.iter().filter_map(|id| id.parse::<i64>().ok()).map(Into::into).collect();
                sql.push("x.experiment_id");
                sql.is_one_of(&numbers);
                sql.push(" AND ");
            }
            None if self.schema.workspaces => {
                sql.push(
                    "x.experiment_id IN (SELECT experiment_id FROM experiments WHERE workspace = ",
                );
                sql.bind(self.workspace.clone());
                sql.push(") AND ");
            }
            None => {}
        }
        let writer = self.writer(Entity::Run, query.now);
        writer.condition(&mut sql, &query.filter);
        sql.push(" ORDER BY ");
        writer.order(&mut sql, &query.order);
        let by_start = |order: &Order| order.field == Field::Attribute(Attribute::Created);
        if !query.order.iter().any(by_start) {
            sql.push("x.start_time DESC, ");
        }
        sql.push("x.run_uuid");
        if let Some(limit) = query.limit {
            sql.push(" LIMIT ");
            sql.bind(i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1));
        }
        let mut found = Results::of(self.select(&sql, run)?, query.limit);
        self.complete(&mut found.items)?;
        Ok(found)
    }

    /// A run with its params, metrics, tags and datasets.
    ///
    /// # Errors
    /// When SQLite returns an error.
    pub fn run(&self, id: &str) -> Result<Option<Run>, TrackingError> {
        let mut sql = Sql::default();
        sql.push(&format!("SELECT {RUN_COLUMNS} FROM runs x WHERE x.run_uuid = "));
        sql.bind(id.to_owned());
        let mut runs = self.select(&sql, run)?;
        self.complete(&mut runs)?;
        self.add_datasets(&mut runs)?;
        let Some(mut run) = runs.pop() else { return Ok(None) };
        if self.has("logged_models") {
            let sql = "SELECT destination_id, step, source_type = 'RUN_OUTPUT' FROM inputs \
                       WHERE source_id = ?1 AND source_type IN ('RUN_OUTPUT', 'RUN_INPUT')";
            let models = self.ask(|connection| {
                rows(connection, sql, [id], |row| {
                    Ok((text(row, 0)?, row.get::<_, Option<i64>>(1)?, row.get::<_, bool>(2)?))
                })
            })?;
            for (model, step, is_output) in models {
                match is_output {
                    true => run.model_outputs.push((model, step.unwrap_or_default())),
                    false => run.model_inputs.push(model),
                }
            }
        }
        Ok(Some(run))
    }

    /// Adds the datasets that runs have read.
    ///
    /// # Errors
    /// When SQLite returns an error.
    pub fn add_datasets(&self, runs: &mut [Run]) -> Result<(), TrackingError> {
        if !self.has("inputs") || !self.has("datasets") {
            return Ok(());
        }
        let ids: Vec<String> = runs.iter().map(|run| run.id.clone()).collect();
        let mut datasets = self.keyed(
            &ids,
            "SELECT i.destination_id, i.input_uuid, d.name, d.digest, d.dataset_source_type, \
             d.dataset_source, d.dataset_schema, d.dataset_profile \
             FROM inputs i JOIN datasets d ON d.dataset_uuid = i.source_id \
             WHERE i.source_type = 'DATASET' AND i.destination_type = 'RUN' \
             AND i.destination_id IN (SELECT value FROM json_each(?1))",
            |row| {
                Ok(DatasetInput {
                    name: text(row, 2)?,
                    digest: text(row, 3)?,
                    source_type: text(row, 4)?,
                    source: text(row, 5)?,
                    schema: row.get(6)?,
                    profile: row.get(7)?,
                    tags: Vec::new(),
                })
            },
        )?;
        let inputs: Vec<String> =
            datasets.values().flatten().map(|(input, _)| input.clone()).collect();
        let mut tags = self.keyed(
            &inputs,
            "SELECT input_uuid, name, value FROM input_tags \
             WHERE input_uuid IN (SELECT value FROM json_each(?1))",
            |row| text(row, 2),
        )?;
        for run in runs {
            for (input, mut dataset) in datasets.remove(&run.id).unwrap_or_default() {
                dataset.tags = tags.remove(&input).unwrap_or_default();
                run.datasets.push(dataset);
            }
            run.datasets.sort_by(|a, b| (&a.name, &a.digest).cmp(&(&b.name, &b.digest)));
        }
        Ok(())
    }

    /// Adds the params, metrics and tags of runs.
    fn complete(&self, runs: &mut [Run]) -> Result<(), TrackingError> {
        const OF: &str = "WHERE run_uuid IN (SELECT value FROM json_each(?1))";
        let ids: Vec<String> = runs.iter().map(|run| run.id.clone()).collect();
        let sql = |table: &str| format!("SELECT run_uuid, key, value FROM {table} {OF}");
        let mut params = self.keyed(&ids, &sql("params"), |row| text(row, 2))?;
        let mut tags = self.keyed(&ids, &sql("tags"), |row| text(row, 2))?;
        let mut metrics = self.keyed(
            &ids,
            &format!("SELECT run_uuid, key, CASE WHEN is_nan THEN NULL ELSE value END FROM latest_metrics {OF}"),
            |row| Ok(row.get::<_, Option<f64>>(2)?.unwrap_or(f64::NAN)),
        )?;
        for run in runs {
            run.params = params.remove(&run.id).unwrap_or_default();
            run.tags = tags.remove(&run.id).unwrap_or_default();
            run.metrics = metrics.remove(&run.id).unwrap_or_default();
            if run.name.is_empty() {
                run.name = run.tag("mlflow.runName").unwrap_or_default().to_owned();
            }
        }
        Ok(())
    }

    pub(super) fn writer(&self, entity: Entity, now: i64) -> Writer<'_> {
        Writer { entity, now, store: self }
    }

    /// Whether any run has a metric with this name.
    pub(super) fn has_metric(&self, key: &str) -> bool {
        let sql = "SELECT 1 FROM latest_metrics WHERE key = ?1 LIMIT 1";
        self.ask(|connection| connection.prepare_cached(sql)?.exists([key])).unwrap_or(false)
    }

    pub(super) fn in_view(&self, sql: &mut Sql, view: View) {
        sql.push(match view {
            View::Active => "x.lifecycle_stage = 'active' AND ",
            View::Deleted => "x.lifecycle_stage = 'deleted' AND ",
            View::All => "",
        });
    }

    /// Restricts `x` to the workspace.
    pub(super) fn in_workspace(&self, sql: &mut Sql) {
        if self.schema.workspaces {
            sql.push("x.workspace = ");
            sql.bind(self.workspace.clone());
            sql.push(" AND ");
        }
    }

    pub(super) fn select<T>(
        &self,
        sql: &Sql,
        of: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, TrackingError> {
        self.ask(|connection| rows(connection, &sql.text, params_from_iter(&sql.values), of))
    }
}

fn run(row: &Row<'_>) -> rusqlite::Result<Run> {
    Ok(Run {
        id: row.get(0)?,
        name: text(row, 1)?,
        experiment_id: row.get::<_, i64>(2)?.to_string(),
        user_id: text(row, 3)?,
        status: text(row, 4)?,
        start_time: row.get(5)?,
        end_time: row.get(6)?,
        lifecycle_stage: text(row, 7)?,
        artifact_uri: text(row, 8)?,
        ..Run::default()
    })
}
