//! The list of runs: newest first, filtered.

use std::collections::BTreeMap;

use rusqlite::types::Value;
use rusqlite::{OptionalExtension, Row, params_from_iter};

use super::database::{Store, StoreError};
use super::record::{NewRun, Outcome, Remote, RunId, RunRecord};
use crate::text::filter::Op;

/// A filter for runs; the default selects all of them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RunFilter {
    /// Runs with one of these outcomes; any outcome if empty.
    pub outcomes: Vec<Outcome>,
    /// Runs of this pipeline.
    pub pipeline: Option<String>,
    /// Runs that included this node.
    pub node: Option<String>,
    /// Runs in this environment.
    pub env: Option<String>,
    /// Runs with this text in the command, note, reason, failed node, branch or user, ignoring
    /// case.
    pub text: Option<String>,
    /// Runs that logged to this MLflow run.
    pub mlflow_run: Option<String>,
    /// Runs that started at this time or later, in seconds since the Unix epoch.
    pub since: Option<f64>,
    /// Runs that started before this time, in seconds since the Unix epoch.
    pub until: Option<f64>,
    /// Whether only pinned runs are selected.
    pub pinned: bool,
    /// Further terms, which must all match.
    pub terms: Vec<RunTerm>,
    /// The largest number of runs; unlimited if `None`.
    pub limit: Option<usize>,
    /// The number of matching runs to skip.
    pub offset: usize,
}

/// A term of a filter for runs.
#[derive(Debug, Clone, PartialEq)]
pub struct RunTerm {
    /// Whether the runs that match are left out.
    pub negated: bool,
    /// The alternatives, of which one must match.
    pub any: Vec<RunTest>,
}

/// What is asked of a run.
#[derive(Debug, Clone, PartialEq)]
pub enum RunTest {
    /// It has the outcome.
    Outcome(Outcome),
    /// It is pinned.
    Pinned,
    /// It has a note.
    Noted,
    /// It ran in the background.
    Detached,
    /// It ran on an engine.
    Remote,
    /// It ran on the engine of this profile.
    On(String),
    /// It is of this pipeline.
    Pipeline(String),
    /// It included this node.
    Node(String),
    /// This node failed.
    FailedNode(String),
    /// It was in this environment.
    Env(String),
    /// The user asked for it.
    User(String),
    /// It overrode this parameter, by its dotted key, perhaps with this value.
    Param(String, Option<String>),
    /// It logged to this MLflow run.
    Mlflow(String),
    /// It has this text in the command, note, reason, failed node, pipeline, branch or user, ignoring case.
    Text(String),
    /// It started at this time or later, in seconds since the Unix epoch.
    Since(f64),
    /// It started before this time.
    Until(f64),
    /// Its duration compares so with the seconds; a run that goes on is measured until `now`.
    Took {
        /// The comparison.
        op: Op,
        /// The seconds.
        seconds: f64,
        /// The time of the question.
        now: f64,
    },
    /// Its number of nodes compares so with this number.
    Nodes(Op, f64),
}

/// The text that a search looks into.
const SEARCHED: &str = r"(command || char(10) || COALESCE(note, '') || char(10) || COALESCE(reason, '')
    || char(10) || COALESCE(failed_node, '') || char(10) || pipeline
    || char(10) || COALESCE(git ->> '$.branch', '') || char(10) || COALESCE(user, ''))";

/// The condition that a run has this text, and the parameter value of the condition.
fn like(text: &str) -> (String, Value) {
    let escaped = text.replace('\\', r"\\").replace('%', r"\%").replace('_', r"\_");
    (format!(r"{SEARCHED} LIKE ? ESCAPE '\'"), Value::from(format!("%{escaped}%")))
}

impl RunTest {
    /// The SQL condition and its parameter values.
    fn condition(&self) -> (String, Vec<Value>) {
        let text = |condition: &str, text: &str| {
            (condition.to_owned(), vec![Value::from(text.to_owned())])
        };
        match self {
            RunTest::Outcome(outcome) => text("outcome = ?", outcome.as_str()),
            RunTest::Pinned => ("pinned".into(), Vec::new()),
            RunTest::Noted => ("COALESCE(note, '') <> ''".into(), Vec::new()),
            RunTest::Detached => ("detached".into(), Vec::new()),
            RunTest::Remote => ("remote IS NOT NULL".into(), Vec::new()),
            RunTest::On(profile) => text("remote ->> '$.profile' = ?", profile),
            RunTest::Pipeline(name) => text("pipeline = ?", name),
            RunTest::Node(name) => text("id IN (SELECT run FROM nodes WHERE node = ?)", name),
            RunTest::FailedNode(name) => text("failed_node = ?", name),
            RunTest::Env(name) => text("env = ?", name),
            RunTest::User(name) => text("user = ?", name),
            RunTest::Mlflow(id) => text("mlflow_run = ?", id),
            RunTest::Param(name, value) => {
                let params = "SELECT 1 FROM json_each(CASE WHEN json_valid(request) THEN request ELSE '{}' END, \
                    '$.params') AS param WHERE param.key = ?";
                let of_value = if value.is_some() { " AND param.value = ?" } else { "" };
                let values = [Some(name), value.as_ref()].into_iter().flatten();
                let values = values.map(|value| Value::from(value.clone())).collect();
                (format!("EXISTS ({params}{of_value})"), values)
            }
            RunTest::Text(text) => {
                let (condition, value) = like(text);
                (condition, vec![value])
            }
            RunTest::Since(time) => ("started_at >= ?".into(), vec![Value::from(*time)]),
            RunTest::Until(time) => ("started_at < ?".into(), vec![Value::from(*time)]),
            RunTest::Took { op, seconds, now } => (
                format!("COALESCE(ended_at, ?) - started_at {} ?", op.as_str()),
                vec![Value::from(*now), Value::from(*seconds)],
            ),
            RunTest::Nodes(op, count) => {
                (format!("nodes_total {} ?", op.as_str()), vec![Value::from(*count)])
            }
        }
    }
}

impl RunFilter {
    /// A filter for the newest `limit` runs.
    pub fn newest(limit: usize) -> Self {
        RunFilter { limit: Some(limit), ..RunFilter::default() }
    }

    /// The SQL condition and its parameter values.
    fn condition(&self) -> (String, Vec<Value>) {
        let mut parts = Vec::new();
        let mut values: Vec<Value> = Vec::new();
        if !self.outcomes.is_empty() {
            let signs = vec!["?"; self.outcomes.len()].join(", ");
            parts.push(format!("outcome IN ({signs})"));
            values.extend(
                self.outcomes.iter().map(|outcome| Value::from(outcome.as_str().to_owned())),
            );
        }
        let mut with = |part: &str, value: Option<Value>| {
            if let Some(value) = value {
                parts.push(part.to_owned());
                values.push(value);
            }
        };
        let text = |text: &Option<String>| text.clone().map(Value::from);
        with("pipeline = ?", text(&self.pipeline));
        with("env = ?", text(&self.env));
        with("mlflow_run = ?", text(&self.mlflow_run));
        with("id IN (SELECT run FROM nodes WHERE node = ?)", text(&self.node));
        with("started_at >= ?", self.since.map(Value::from));
        with("started_at < ?", self.until.map(Value::from));
        if let Some(text) = self.text.as_ref().filter(|text| !text.is_empty()) {
            let (condition, value) = like(text);
            with(&condition, Some(value));
        }
        if self.pinned {
            parts.push("pinned".to_owned());
        }
        for term in &self.terms {
            let (conditions, given): (Vec<String>, Vec<Vec<Value>>) =
                term.any.iter().map(RunTest::condition).unzip();
            let not = if term.negated { "NOT " } else { "" };
            parts.push(format!("{not}COALESCE({}, 0)", conditions.join(" OR ")));
            values.extend(given.into_iter().flatten());
        }
        let condition = if parts.is_empty() { "1".to_owned() } else { parts.join(" AND ") };
        (condition, values)
    }
}

const COLUMNS: &str = "id, started_at, pipeline, env, request, command, user, host, why, python, \
    worker, batch, detached, outcome, ended_at, nodes_total, nodes_done, failed_node, reason, \
    kedro_version, python_version, git, parameters, definitions, mlflow_run, pinned, note, log_lines, \
    remote, metrics, (SELECT json_group_array(json_array(dataset, json(metrics))) FROM datasets \
        WHERE run = id AND direction = 'save' AND json_valid(metrics)) AS measured";

impl Store {
    /// The runs that match the filter, newest first.
    ///
    /// # Errors
    /// When the store can't be read.
    pub fn runs(&mut self, filter: &RunFilter) -> Result<Vec<RunRecord>, StoreError> {
        let (condition, mut values) = filter.condition();
        values
            .push(Value::from(filter.limit.map_or(-1, |limit| i64::try_from(limit).unwrap_or(-1))));
        values.push(Value::from(i64::try_from(filter.offset).unwrap_or(i64::MAX)));
        let sql = format!(
            "SELECT {COLUMNS} FROM runs WHERE {condition} ORDER BY id DESC LIMIT ? OFFSET ?"
        );
        let runs = self.read(|connection| {
            connection.prepare(&sql)?.query_map(params_from_iter(&values), record)?.collect()
        })?;
        Ok(runs.unwrap_or_default())
    }

    /// The number of all runs.
    ///
    /// # Errors
    /// When the store can't be read.
    pub fn count_runs(&mut self) -> Result<usize, StoreError> {
        let sql = "SELECT COUNT(*) FROM runs";
        let count = self.read(|connection| connection.query_row(sql, [], |row| row.get(0)))?;
        Ok(count.and_then(|count: i64| usize::try_from(count).ok()).unwrap_or(0))
    }

    /// The run with this number; `None` if there is none.
    ///
    /// # Errors
    /// When the store can't be read.
    pub fn run(&mut self, id: RunId) -> Result<Option<RunRecord>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM runs WHERE id = ?1");
        let run = self.read(|connection| connection.query_row(&sql, [id], record).optional())?;
        Ok(run.flatten())
    }
}

fn record(row: &Row<'_>) -> rusqlite::Result<RunRecord> {
    let outcome: String = row.get("outcome")?;
    let git: Option<String> = row.get("git")?;
    Ok(RunRecord {
        id: RunId::new(row.get("id")?),
        new: NewRun {
            started_at: row.get("started_at")?,
            pipeline: row.get("pipeline")?,
            env: row.get("env")?,
            request: row.get("request")?,
            command: row.get("command")?,
            user: row.get("user")?,
            host: row.get("host")?,
            why: row.get("why")?,
            python: row.get("python")?,
            worker: row.get("worker")?,
            batch: row.get("batch")?,
            detached: row.get("detached")?,
            remote: row.get::<_, Option<String>>("remote")?.map(|json| remote(&json)),
        },
        outcome: Outcome::from_text(&outcome),
        ended_at: row.get("ended_at")?,
        nodes_total: row.get("nodes_total")?,
        nodes_done: row.get("nodes_done")?,
        failed_node: row.get("failed_node")?,
        reason: row.get("reason")?,
        kedro_version: row.get("kedro_version")?,
        python_version: row.get("python_version")?,
        code: git.and_then(|json| serde_json::from_str(&json).ok()),
        parameters: row.get("parameters")?,
        definitions: row.get("definitions")?,
        mlflow_run: row.get("mlflow_run")?,
        metrics: metrics(row.get("metrics")?, row.get("measured")?),
        pinned: row.get("pinned")?,
        note: row.get("note")?,
        log_lines: row.get::<_, i64>("log_lines")?.unsigned_abs(),
    })
}

/// A remote run whose text another version wrote in another format is still no local one.
fn remote(json: &str) -> Remote {
    serde_json::from_str(json).unwrap_or_default()
}

/// The metrics of the MLflow run, and those in datasets that it does not have.
fn metrics(logged: Option<String>, measured: Option<String>) -> BTreeMap<String, f64> {
    type Measured = Vec<(String, serde_json::Map<String, serde_json::Value>)>;
    let mut metrics: BTreeMap<String, f64> =
        logged.and_then(|json| serde_json::from_str(&json).ok()).unwrap_or_default();
    let measured: Measured =
        measured.and_then(|json| serde_json::from_str(&json).ok()).unwrap_or_default();
    for (dataset, values) in measured {
        for (key, value) in values {
            let name = format!("{dataset}.{key}");
            // kedro-mlflow logs `dataset.key`, other code often the key alone.
            let logged = metrics.contains_key(&key);
            if let Some(value) = value.as_f64().filter(|_| !logged) {
                metrics.insert(name, value);
            }
        }
    }
    metrics
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::run_id;
    use crate::store::{NodeRecord, Progress};

    #[test]
    fn a_metric_that_mlflow_and_a_dataset_have_is_listed_once() {
        let logged = Some(r#"{"mae": 1.0, "scores.r2": 0.5}"#.into());
        let measured = r#"[["scores", {"mae": 1.0, "r2": 0.5, "n": 3, "name": "x"}]]"#.into();
        let metrics = metrics(logged, Some(measured));
        let expected = [("mae", 1.0), ("scores.n", 3.0), ("scores.r2", 0.5)];
        let expected = expected.map(|(name, value)| (name.to_owned(), value));
        assert_eq!(metrics, BTreeMap::from(expected));
    }

    #[test]
    fn each_filter_selects_the_matching_runs() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::new(folder.path());
        assert_eq!(store.runs(&RunFilter::default()).unwrap(), []);
        for (at, pipeline, env, outcome, node) in [
            (10.0, "a", "base", Outcome::Succeeded, "n"),
            (20.0, "b", "cloud", Outcome::Failed, "n"),
            (30.0, "a", "cloud", Outcome::Running, "100%_done"),
        ] {
            let new = NewRun {
                started_at: at,
                pipeline: pipeline.into(),
                env: Some(env.into()),
                command: format!("kedro run --Pipeline={pipeline}"),
                request: format!(r#"{{"params": {{"model.depth": "{at}"}}}}"#),
                ..NewRun::default()
            };
            let mut record = store.add_run(&new).unwrap();
            record.outcome = outcome;
            record.failed_node = Some(node.into());
            let nodes = [NodeRecord { node: node.into(), ..NodeRecord::default() }];
            let progress =
                Progress { record: &record, first: 1, entries: &[], nodes: &nodes, datasets: &[] };
            store.record(&progress).unwrap();
        }
        store.pin(run_id(1), true).unwrap();
        let all = RunFilter::default;
        let term = |negated, any: &[RunTest]| RunFilter {
            terms: vec![RunTerm { negated, any: any.to_vec() }],
            ..all()
        };
        for (filter, ids) in [
            (all(), vec![3, 2, 1]),
            (RunFilter::newest(2), vec![3, 2]),
            (RunFilter { limit: Some(1), offset: 1, ..all() }, vec![2]),
            (RunFilter { offset: 2, ..all() }, vec![1]),
            (RunFilter { pipeline: Some("a".into()), ..all() }, vec![3, 1]),
            (RunFilter { env: Some("cloud".into()), ..all() }, vec![3, 2]),
            (RunFilter { node: Some("n".into()), ..all() }, vec![2, 1]),
            (RunFilter { since: Some(20.0), ..all() }, vec![3, 2]),
            (RunFilter { until: Some(20.0), ..all() }, vec![1]),
            (RunFilter { pinned: true, ..all() }, vec![1]),
            (RunFilter { text: Some("PIPELINE=b".into()), ..all() }, vec![2]),
            (RunFilter { text: Some("0%_d".into()), ..all() }, vec![3]),
            (RunFilter { text: Some("%".into()), ..all() }, vec![3]),
            (
                RunFilter { outcomes: vec![Outcome::Failed, Outcome::Succeeded], ..all() },
                vec![2, 1],
            ),
            (RunFilter { outcomes: vec![Outcome::Lost], ..all() }, vec![]),
            (term(false, &[RunTest::Outcome(Outcome::Failed), RunTest::Pinned]), vec![2, 1]),
            (term(true, &[RunTest::Env("cloud".into())]), vec![1]),
            (term(true, &[RunTest::User("ann".into())]), vec![3, 2, 1]),
            (term(false, &[RunTest::FailedNode("n".into())]), vec![2, 1]),
            (term(false, &[RunTest::Param("model.depth".into(), None)]), vec![3, 2, 1]),
            (term(false, &[RunTest::Param("model.depth".into(), Some("20".into()))]), vec![2]),
            (term(false, &[RunTest::Param("model".into(), None)]), vec![]),
            (
                term(false, &[RunTest::Took { op: Op::Greater, seconds: 75.0, now: 100.0 }]),
                vec![2, 1],
            ),
            (term(false, &[RunTest::Nodes(Op::GreaterOrEqual, 1.0)]), vec![]),
            (term(true, &[RunTest::Detached, RunTest::Noted]), vec![3, 2, 1]),
        ] {
            let runs = store.runs(&filter).unwrap();
            let ids: Vec<_> = ids.into_iter().map(RunId::new).collect();
            assert_eq!(runs.iter().map(|run| run.id).collect::<Vec<_>>(), ids, "{filter:?}");
        }
        assert_eq!(store.run(run_id(9)).unwrap(), None);
        assert_eq!(store.count_runs().unwrap(), 3);
    }
}
