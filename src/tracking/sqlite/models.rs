//! The model registry and the logged models.

use rusqlite::Row;

use super::query::Sql;
use super::{SqliteStore, text};
use crate::tracking::TrackingError;
use crate::tracking::entities::{LoggedModel, Model, ModelMetric, ModelVersion};
use crate::tracking::filter::{Comparator, Compare, Entity, Expr, Field, Order, Value};
use crate::tracking::searched::{DELETED, IS_PROMPT};

impl SqliteStore {
    /// Registered models that match, sorted by name unless an order is given.
    ///
    /// # Errors
    /// When SQLite returns an error.
    pub fn models(
        &self,
        filter: &Expr,
        orders: &[Order],
        now: i64,
    ) -> Result<Vec<Model>, TrackingError> {
        if !self.has("registered_models") {
            return Ok(Vec::new());
        }
        let mut sql = Sql::default();
        sql.push(&format!(
            "SELECT x.name, x.creation_time, x.last_updated_time, x.description, {} \
             FROM registered_models x WHERE ",
            self.workspace_column()
        ));
        let tags_of = "registered_model_tags";
        self.matching(&mut sql, Entity::RegisteredModel, filter, orders, now, tags_of);
        sql.push("x.name");
        let mut models = self.select(&sql, |row| {
            Ok(Model {
                name: text(row, 0)?,
                creation_timestamp: row.get(1)?,
                last_updated_timestamp: row.get(2)?,
                description: row.get(3)?,
                workspace: row.get(4)?,
                ..Model::default()
            })
        })?;
        let names: Vec<String> = models.iter().map(|model| model.name.clone()).collect();
        let mut tags =
            self.keyed(&names, &self.by_name("key, value", tags_of), |row| text(row, 2))?;
        let mut aliases = self.aliases(&names)?;
        for model in &mut models {
            model.tags = tags.remove(&model.name).unwrap_or_default();
            model.aliases = aliases.remove(&model.name).unwrap_or_default();
        }
        Ok(models)
    }

    /// Versions of registered models that match, most recently changed first unless an order is given.
    ///
    /// # Errors
    /// When SQLite returns an error.
    pub fn versions(
        &self,
        filter: &Expr,
        orders: &[Order],
        now: i64,
    ) -> Result<Vec<ModelVersion>, TrackingError> {
        if !self.has("model_versions") {
            return Ok(Vec::new());
        }
        let mut sql = Sql::default();
        sql.push(&format!(
            "SELECT x.name, x.version, x.creation_time, x.last_updated_time, x.description, \
             x.user_id, x.current_stage, x.source, x.run_id, x.run_link, x.status, \
             x.status_message, {} FROM model_versions x \
             WHERE x.current_stage != '{DELETED}' AND ",
            self.workspace_column()
        ));
        let tags_of = "model_version_tags";
        self.matching(&mut sql, Entity::ModelVersion, filter, orders, now, tags_of);
        sql.push(match orders {
            [] => "x.last_updated_time DESC, x.name, x.version DESC",
            _ => "x.name, x.version DESC",
        });
        let mut versions = self.select(&sql, version)?;
        let mut names: Vec<String> = versions.iter().map(|version| version.name.clone()).collect();
        names.sort_unstable();
        names.dedup();
        let tags = self.keyed(&names, &self.by_name("key, value, version", tags_of), |row| {
            Ok((row.get::<_, i64>(3)?, text(row, 2)?))
        })?;
        let aliases = self.aliases(&names)?;
        for version in &mut versions {
            let tags = tags.get(&version.name).into_iter().flatten();
            let own = tags.filter(|(_, (number, _))| *number == version.version);
            version.tags = own.map(|(key, (_, value))| (key.clone(), value.clone())).collect();
            let aliases = aliases.get(&version.name).into_iter().flatten();
            let own = aliases.filter(|(_, number)| *number == version.version);
            version.aliases = own.map(|(alias, _)| alias.clone()).collect();
        }
        Ok(versions)
    }

    /// Logged models that match, newest first unless an order is given; empty before MLflow 3. `experiments`
    /// restricts them to some experiments.
    ///
    /// # Errors
    /// When SQLite returns an error.
    pub fn logged_models(
        &self,
        experiments: Option<&[String]>,
        filter: &Expr,
        orders: &[Order],
        now: i64,
    ) -> Result<Vec<LoggedModel>, TrackingError> {
        if !self.has("logged_models") {
            return Ok(Vec::new());
        }
        let mut sql = Sql::default();
        sql.push(
            "SELECT x.model_id, x.experiment_id, x.name, x.artifact_location, \
             x.creation_timestamp_ms, x.last_updated_timestamp_ms, x.model_type, x.source_run_id, \
             x.status, x.status_message, x.lifecycle_stage FROM logged_models x \
             WHERE x.lifecycle_stage != 'deleted' AND ",
        );
        if let Some(ids) = experiments {
            let numbers = ids.iter().filter_map(|id| id.parse::<i64>().ok()).map(Into::into);
            sql.push("x.experiment_id");
            sql.is_one_of(&numbers.collect::<Vec<serde_json::Value>>());
            sql.push(" AND ");
        }
        let writer = self.writer(Entity::LoggedModel, now);
        writer.condition(&mut sql, filter);
        sql.push(" ORDER BY ");
        writer.order(&mut sql, orders);
        sql.push("x.creation_timestamp_ms DESC, x.model_id");
        let mut models = self.select(&sql, logged_model)?;
        let ids: Vec<String> = models.iter().map(|model| model.id.clone()).collect();
        let select = |table: &str, columns: &str| {
            format!(
                "SELECT model_id, {columns} FROM {table} \
                 WHERE model_id IN (SELECT value FROM json_each(?1))"
            )
        };
        let sql = select("logged_model_params", "param_key, param_value");
        let mut params = self.keyed(&ids, &sql, |row| text(row, 2))?;
        let sql = select("logged_model_tags", "tag_key, tag_value");
        let mut tags = self.keyed(&ids, &sql, |row| text(row, 2))?;
        let sql = select(
            "logged_model_metrics",
            "metric_name, metric_value, metric_step, metric_timestamp_ms, run_id, dataset_name, \
             dataset_digest",
        );
        let mut metrics = self.keyed(&ids, &sql, model_metric)?;
        for model in &mut models {
            model.params = params.remove(&model.id).unwrap_or_default();
            model.tags = tags.remove(&model.id).unwrap_or_default();
            let own = metrics.remove(&model.id).unwrap_or_default();
            model.metrics = own.into_iter().map(|(_, metric)| metric).collect();
            let by = |metric: &ModelMetric| {
                (metric.key.clone(), metric.timestamp, metric.step, metric.run_id.clone())
            };
            model.metrics.sort_by_key(by);
        }
        Ok(models)
    }

    /// The number of traces in experiments.
    ///
    /// # Errors
    /// When SQLite returns an error.
    pub fn traces(&self, experiments: &[String]) -> Result<u64, TrackingError> {
        if !self.has("trace_info") {
            return Ok(0);
        }
        let ids = serde_json::Value::from(experiments).to_string();
        // Ids are texts here, but numbers in the database.
        let sql = "SELECT count(*) FROM trace_info
                   WHERE CAST(experiment_id AS TEXT) IN (SELECT value FROM json_each(?1))";
        self.ask(|connection| connection.query_row(sql, [&ids], |row| row.get::<_, i64>(0)))
            .map(|count| count.unsigned_abs())
    }

    /// Adds the condition and the order of a search in the registry.
    fn matching(
        &self,
        sql: &mut Sql,
        entity: Entity,
        filter: &Expr,
        orders: &[Order],
        now: i64,
        tags: &str,
    ) {
        self.in_workspace(sql);
        let writer = self.writer(entity, now);
        match without_prompts(filter) {
            None => writer.condition(sql, filter),
            Some(rest) => {
                writer.condition(sql, &rest);
                let link = match self.schema.workspaces {
                    true => "p.workspace = x.workspace AND p.name = x.name",
                    false => "p.name = x.name",
                };
                sql.push(&format!(
                    " AND NOT EXISTS (SELECT 1 FROM {tags} p WHERE {link} \
                     AND p.key = '{IS_PROMPT}' AND p.value = 'true')"
                ));
            }
        }
        sql.push(" ORDER BY ");
        writer.order(sql, orders);
    }

    fn workspace_column(&self) -> &'static str {
        if self.schema.workspaces { "x.workspace" } else { "NULL" }
    }

    /// Selects columns of a registry table for the names in `?1`.
    fn by_name(&self, columns: &str, table: &str) -> String {
        let workspace = match self.schema.workspaces {
            true => format!("workspace = '{}' AND ", self.workspace.replace('\'', "''")),
            false => String::new(),
        };
        format!(
            "SELECT name, {columns} FROM {table} \
             WHERE {workspace}name IN (SELECT value FROM json_each(?1))"
        )
    }

    /// Aliases of models with their version numbers.
    fn aliases(
        &self,
        names: &[String],
    ) -> Result<std::collections::BTreeMap<String, Vec<(String, i64)>>, TrackingError> {
        match self.has("registered_model_aliases") {
            true => {
                let sql = self.by_name("alias, version", "registered_model_aliases");
                self.keyed(names, &sql, |row| row.get(2))
            }
            false => Ok(Default::default()),
        }
    }
}

/// The filter without its conditions on prompts, if it does not ask for prompts; MLflow hides prompts then.
/// `None` if it asks for them (`_is_querying_prompt`).
fn without_prompts(filter: &Expr) -> Option<Expr> {
    let of_prompts = |part: &Expr| match part {
        Expr::Compare(compare) if compare.field == Field::Tag(IS_PROMPT.to_owned()) => {
            Some(compare.clone())
        }
        _ => None,
    };
    let Expr::And(parts) = filter else { return Some(filter.clone()) };
    let asks = |compare: Compare| match (compare.comparator, &compare.value) {
        (Comparator::Equal, Value::Text(text)) => text.eq_ignore_ascii_case("true"),
        (Comparator::NotEqual, Value::Text(text)) => text.eq_ignore_ascii_case("false"),
        _ => false,
    };
    if parts.iter().find_map(of_prompts).is_some_and(asks) {
        return None;
    }
    let others = parts.iter().filter(|part| of_prompts(part).is_none());
    Some(Expr::And(others.cloned().collect()))
}

fn version(row: &Row<'_>) -> rusqlite::Result<ModelVersion> {
    Ok(ModelVersion {
        name: text(row, 0)?,
        version: row.get(1)?,
        creation_timestamp: row.get(2)?,
        last_updated_timestamp: row.get(3)?,
        description: row.get(4)?,
        user_id: row.get(5)?,
        stage: text(row, 6)?,
        source: row.get(7)?,
        run_id: row.get(8)?,
        run_link: row.get(9)?,
        status: text(row, 10)?,
        status_message: row.get(11)?,
        workspace: row.get(12)?,
        ..ModelVersion::default()
    })
}

fn logged_model(row: &Row<'_>) -> rusqlite::Result<LoggedModel> {
    Ok(LoggedModel {
        id: text(row, 0)?,
        experiment_id: row.get::<_, i64>(1)?.to_string(),
        name: text(row, 2)?,
        artifact_location: text(row, 3)?,
        creation_timestamp: row.get(4)?,
        last_updated_timestamp: row.get(5)?,
        model_type: row.get(6)?,
        source_run_id: row.get(7)?,
        // The numbers of `mlflow.entities.LoggedModelStatus`.
        status: match row.get::<_, i64>(8)? {
            1 => "PENDING",
            2 => "READY",
            3 => "FAILED",
            _ => "UNSPECIFIED",
        }
        .to_owned(),
        status_message: row.get(9)?,
        lifecycle_stage: text(row, 10)?,
        ..LoggedModel::default()
    })
}

fn model_metric(row: &Row<'_>) -> rusqlite::Result<ModelMetric> {
    let (name, digest): (Option<String>, Option<String>) = (row.get(6)?, row.get(7)?);
    Ok(ModelMetric {
        key: text(row, 1)?,
        value: row.get::<_, Option<f64>>(2)?.unwrap_or(f64::NAN),
        step: row.get(3)?,
        timestamp: row.get(4)?,
        run_id: text(row, 5)?,
        dataset: name.map(|name| (name, digest.unwrap_or_default())),
    })
}
