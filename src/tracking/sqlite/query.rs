//! Converts filters and orders to SQL over MLflow's tables, like `SqlAlchemyStore` (3.17). The table of the
//! entity has the alias `x`.

use rusqlite::types::Value as SqlValue;

use super::SqliteStore;
use crate::tracking::filter::{
    Attribute, Comparator, Compare, DatasetField, Entity, Expr, Field, Order, Summary, Value,
    summary,
};

/// SQL text with the values of its `?` parameters.
#[derive(Debug, Default)]
pub(super) struct Sql {
    pub text: String,
    pub values: Vec<SqlValue>,
}

impl Sql {
    pub fn push(&mut self, text: &str) {
        self.text.push_str(text);
    }

    pub fn bind(&mut self, value: impl Into<SqlValue>) {
        self.text.push('?');
        self.values.push(value.into());
    }

    /// Adds an `IN` condition with the texts or numbers of a list.
    pub fn is_one_of(&mut self, list: &[serde_json::Value]) {
        self.push(" IN (SELECT value FROM json_each(");
        self.bind(serde_json::Value::from(list).to_string());
        self.push("))");
    }
}

/// A table of an entity's keys and values.
struct Side {
    table: &'static str,
    /// The join condition of its rows (alias `t`) with `x`.
    link: &'static str,
    key: &'static str,
    value: &'static str,
}

const fn side(
    table: &'static str,
    link: &'static str,
    key: &'static str,
    value: &'static str,
) -> Side {
    Side { table, link, key, value }
}

const RUN: &str = "t.run_uuid = x.run_uuid";
const LOGGED: &str = "t.model_id = x.model_id";

/// Writes filters as SQL.
pub(super) struct Writer<'a> {
    pub entity: Entity,
    /// Current time, in milliseconds.
    pub now: i64,
    /// The store, to look up the names of metrics.
    pub store: &'a SqliteStore,
}

impl Writer<'_> {
    /// Adds a condition.
    pub fn condition(&self, sql: &mut Sql, expr: &Expr) {
        match expr {
            Expr::And(parts) => self.joined(sql, parts, " AND ", "1"),
            Expr::Or(parts) => self.joined(sql, parts, " OR ", "0"),
            Expr::Not(part) => {
                // `NULL` (unknown) counts as false.
                sql.push("NOT coalesce(");
                self.condition(sql, part);
                sql.push(", 0)");
            }
            Expr::Last(milliseconds) => {
                sql.push(self.column(Attribute::Created));
                sql.push(" >= ");
                sql.bind(self.now - milliseconds);
            }
            Expr::Named(word) => {
                sql.push("is_like(");
                sql.push(self.column(Attribute::Name));
                sql.push(", ");
                sql.bind(word.clone());
                sql.push(")");
            }
            Expr::Compare(compare) => self.compare(sql, compare),
        }
    }

    fn joined(&self, sql: &mut Sql, parts: &[Expr], sign: &str, none: &str) {
        if parts.is_empty() {
            return sql.push(none);
        }
        sql.push("(");
        for (index, part) in parts.iter().enumerate() {
            sql.push(if index > 0 { sign } else { "" });
            self.condition(sql, part);
        }
        sql.push(")");
    }

    fn compare(&self, sql: &mut Sql, compare: &Compare) {
        match &compare.field {
            // Runs of MLflow 1 have no name in the column: use the tag.
            Field::Attribute(Attribute::Name) if self.entity == Entity::Run => {
                let tag = side("tags", RUN, "t.key", "t.value");
                self.exists(sql, &tag, "mlflow.runName", compare);
            }
            Field::Attribute(attribute) => {
                let is_id = self.entity == Entity::Experiment && *attribute == Attribute::Id;
                operation(sql, self.column(*attribute), compare, is_id);
            }
            Field::Dataset(field) => dataset(sql, *field, compare),
            Field::Metric(key) => self.metric(sql, key, compare),
            Field::Param(key) => self.exists(sql, &self.params(), key, compare),
            Field::Tag(key) => self.exists(sql, &self.tags(), key, compare),
        }
    }

    fn metric(&self, sql: &mut Sql, key: &str, compare: &Compare) {
        if self.entity == Entity::LoggedModel {
            return self.exists(sql, &self.metrics(), key, compare);
        }
        if let Some((plain, of)) = summary(key).filter(|_| !self.store.has_metric(key)) {
            let function = match of {
                Summary::Min => "min",
                Summary::Max => "max",
                Summary::Mean => "avg",
            };
            sql.push("(SELECT ");
            sql.push(function);
            sql.push("(t.value) FROM metrics t WHERE t.run_uuid = x.run_uuid AND NOT t.is_nan AND t.key = ");
            sql.bind(plain.to_owned());
            return operation(sql, ")", compare, false);
        }
        sql.push(
            "EXISTS (SELECT 1 FROM latest_metrics t WHERE t.run_uuid = x.run_uuid AND t.key = ",
        );
        sql.bind(key.to_owned());
        // NaN is stored as 0 with a flag: it differs from every number, and no other comparison is true.
        let differs = compare.comparator == Comparator::NotEqual;
        sql.push(if differs { " AND (t.is_nan OR " } else { " AND (NOT t.is_nan AND " });
        operation(sql, "t.value", compare, false);
        sql.push("))");
    }

    fn exists(&self, sql: &mut Sql, side: &Side, key: &str, compare: &Compare) {
        if compare.comparator == Comparator::IsNull {
            sql.push("NOT ");
        }
        sql.push(&format!("EXISTS (SELECT 1 FROM {} t WHERE {}", side.table, side.link));
        if self.store.schema.workspaces
            && matches!(self.entity, Entity::RegisteredModel | Entity::ModelVersion)
        {
            sql.push(" AND t.workspace = x.workspace");
        }
        sql.push(&format!(" AND {} = ", side.key));
        sql.bind(key.to_owned());
        if !matches!(compare.comparator, Comparator::IsNull | Comparator::IsNotNull) {
            sql.push(" AND ");
            operation(sql, side.value, compare, false);
        }
        sql.push(")");
    }

    fn tags(&self) -> Side {
        match self.entity {
            Entity::Run => side("tags", RUN, "t.key", "t.value"),
            Entity::Experiment => {
                side("experiment_tags", "t.experiment_id = x.experiment_id", "t.key", "t.value")
            }
            Entity::RegisteredModel => {
                side("registered_model_tags", "t.name = x.name", "t.key", "t.value")
            }
            Entity::ModelVersion => {
                let link = "t.name = x.name AND t.version = x.version";
                side("model_version_tags", link, "t.key", "t.value")
            }
            Entity::LoggedModel => side("logged_model_tags", LOGGED, "t.tag_key", "t.tag_value"),
        }
    }

    fn params(&self) -> Side {
        match self.entity {
            Entity::LoggedModel => {
                side("logged_model_params", LOGGED, "t.param_key", "t.param_value")
            }
            _ => side("params", RUN, "t.key", "t.value"),
        }
    }

    fn metrics(&self) -> Side {
        match self.entity {
            Entity::LoggedModel => {
                side("logged_model_metrics", LOGGED, "t.metric_name", "t.metric_value")
            }
            _ => side("latest_metrics", RUN, "t.key", "t.value"),
        }
    }

    /// The column of an attribute.
    pub fn column(&self, attribute: Attribute) -> &'static str {
        use Attribute::*;
        match (self.entity, attribute) {
            (Entity::Run, Id) => "x.run_uuid",
            (Entity::Run, Created) => "x.start_time",
            (Entity::LoggedModel, Id) => "x.model_id",
            (Entity::LoggedModel, ArtifactUri) => "x.artifact_location",
            (Entity::LoggedModel, Created) => "x.creation_timestamp_ms",
            (Entity::LoggedModel, Updated) => "x.last_updated_timestamp_ms",
            (Entity::LoggedModel, RunId) => "x.source_run_id",
            (Entity::Experiment, Updated) => "x.last_update_time",
            (Entity::Experiment, Id) | (_, ExperimentId) => "x.experiment_id",
            (_, Created) => "x.creation_time",
            (_, Updated) => "x.last_updated_time",
            (_, Id | Name) => "x.name",
            (_, Status) => "x.status",
            (_, UserId) => "x.user_id",
            (_, ArtifactUri) => "x.artifact_uri",
            (_, Ended) => "x.end_time",
            (_, Version) => "x.version",
            (_, RunId) => "x.run_id",
            (_, Source) => "x.source",
            (_, LifecycleStage) => "x.lifecycle_stage",
            (_, ModelType) => "x.model_type",
            (_, StatusMessage) => "x.status_message",
        }
    }

    /// Adds the `ORDER BY` clauses: values, then NaN, then missing ones, in both directions.
    pub fn order(&self, sql: &mut Sql, orders: &[Order]) {
        for order in orders {
            let direction = if order.ascending { "ASC" } else { "DESC" };
            if let Field::Attribute(attribute) = order.field {
                let column = self.column(attribute);
                sql.push(&format!("{column} IS NULL, {column} {direction}, "));
                continue;
            }
            let (side, key) = match &order.field {
                Field::Metric(key) => (self.metrics(), key),
                Field::Param(key) => (self.params(), key),
                Field::Tag(key) => (self.tags(), key),
                Field::Attribute(_) | Field::Dataset(_) => continue,
            };
            let is_metric = matches!(order.field, Field::Metric(_));
            if is_metric && self.entity == Entity::Run {
                self.value(sql, &side, "CASE WHEN t.is_nan THEN 1 ELSE 0 END", key);
                sql.push(" IS NULL, ");
                self.value(sql, &side, "CASE WHEN t.is_nan THEN 1 ELSE 0 END", key);
                sql.push(", ");
            } else {
                self.value(sql, &side, side.value, key);
                sql.push(" IS NULL, ");
            }
            self.value(sql, &side, side.value, key);
            sql.push(&format!(" {direction}, "));
        }
    }

    /// Adds a subquery for the value of a key, the newest if there are several.
    fn value(&self, sql: &mut Sql, side: &Side, column: &str, key: &str) {
        sql.push(&format!(
            "(SELECT {column} FROM {} t WHERE {} AND {} = ",
            side.table, side.link, side.key
        ));
        sql.bind(key.to_owned());
        if side.table == "logged_model_metrics" {
            sql.push(" ORDER BY t.metric_timestamp_ms DESC, t.metric_step DESC, t.run_id LIMIT 1");
        }
        sql.push(")");
    }
}

fn dataset(sql: &mut Sql, field: DatasetField, compare: &Compare) {
    sql.push(
        "EXISTS (SELECT 1 FROM inputs i JOIN datasets d ON d.dataset_uuid = i.source_id \
         WHERE i.destination_id = x.run_uuid AND ",
    );
    match field {
        DatasetField::Name => operation(sql, "d.name", compare, false),
        DatasetField::Digest => operation(sql, "d.digest", compare, false),
        DatasetField::Context => {
            sql.push(
                "EXISTS (SELECT 1 FROM input_tags t WHERE t.input_uuid = i.input_uuid \
                 AND t.name = 'mlflow.data.context' AND ",
            );
            operation(sql, "t.value", compare, false);
            sql.push(")");
        }
    }
    sql.push(")");
}

/// Adds a comparison of a column; `is_id` means that texts are compared as whole numbers.
fn operation(sql: &mut Sql, column: &str, compare: &Compare, is_id: bool) {
    let value = |text: &str| -> serde_json::Value {
        let number = text.trim().parse::<i64>().ok().filter(|_| is_id);
        number.map_or_else(|| text.into(), Into::into)
    };
    let sign = match compare.comparator {
        Comparator::Equal => " = ",
        Comparator::NotEqual => " != ",
        Comparator::Less => " < ",
        Comparator::LessOrEqual => " <= ",
        Comparator::Greater => " > ",
        Comparator::GreaterOrEqual => " >= ",
        Comparator::Like => " LIKE ",
        Comparator::ILike => " LIKE lower(",
        Comparator::Matches => ", ",
        Comparator::In => "",
        Comparator::NotIn => " NOT",
        Comparator::IsNull | Comparator::IsNotNull => return sql.push("1"),
    };
    let before = match compare.comparator {
        Comparator::ILike => "lower(",
        Comparator::Matches => "matches(",
        _ => "",
    };
    sql.push(before);
    sql.push(column);
    sql.push(if compare.comparator == Comparator::ILike { ")" } else { "" });
    sql.push(sign);
    match &compare.value {
        Value::Integer(integer) => sql.bind(*integer),
        Value::Number(number) => sql.bind(*number),
        Value::Text(text) => match value(text) {
            serde_json::Value::Number(number) => sql.bind(number.as_i64().unwrap_or_default()),
            _ => sql.bind(text.clone()),
        },
        Value::List(list) => {
            let list: Vec<serde_json::Value> = list.iter().map(|text| value(text)).collect();
            sql.is_one_of(&list);
        }
        Value::Nothing => sql.push("NULL"),
    }
    sql.push(if before.is_empty() { "" } else { ")" });
}
