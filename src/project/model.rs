//! The data model of a project: the [`Snapshot`] and its parts.

use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use indexmap::IndexMap;
use serde::Serialize;

use super::code::{Code, Reach};
use crate::text::UserError;
use crate::text::secrets::{Secret, redact};

/// Everything known about a Kedro project in one environment, and everything that could not be
/// determined.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    /// Names, versions and folders, from `pyproject.toml`.
    pub metadata: Metadata,
    /// Whether Kedro itself answered, or only the files were analysed.
    pub reading: Reading,
    /// The run environment that the configuration was resolved for.
    pub env: String,
    /// All environments found in the configuration folder, the base one first, then by name.
    pub environments: Vec<String>,
    /// The registered pipelines in the registry's order.
    pub pipelines: Vec<Pipeline>,
    /// Concrete datasets by name: catalog entries in file order, then names that only pipelines use
    /// and that a factory pattern resolves. In-memory datasets are not listed, as in Kedro.
    pub datasets: IndexMap<String, Dataset>,
    /// Dataset factory patterns, in the order in which Kedro tries them.
    pub patterns: Vec<Pattern>,
    /// The resolved parameters, a [`Value::Map`] at the top.
    pub parameters: Located,
    /// Dotted names of the runtime parameters that no parameters file defines, no value of the configuration reads, and no
    /// node takes: probably misspelled.
    pub undefined_params: Vec<String>,
    /// Names of the credentials entries; their values are never stored.
    pub credentials: Vec<String>,
    /// The definitions of the project's code, to which the nodes' reaches refer.
    pub code: Arc<Code>,
    /// Errors, and parts that could not be determined; most severe first.
    pub problems: Vec<Problem>,
}

impl Snapshot {
    /// Whether the snapshot is complete: no problem hides a part of the project.
    pub fn complete(&self) -> bool {
        !self.problems.iter().any(|problem| problem.hides)
    }

    /// The pipeline registered under `name`.
    pub fn pipeline(&self, name: &str) -> Option<&Pipeline> {
        self.pipelines.iter().find(|pipeline| pipeline.name == name)
    }

    /// The nodes of all pipelines, one after the other; a node of several pipelines comes several times.
    pub fn nodes(&self) -> impl Iterator<Item = &Node> {
        self.pipelines.iter().flat_map(|pipeline| &pipeline.nodes).map(|node| &**node)
    }
}

/// How a snapshot was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Reading {
    /// By analysing the files; nothing of the project was executed.
    #[default]
    Static,
    /// From Kedro's own answer, through the worker.
    Exact,
}

/// The project's names and folders.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Metadata {
    /// The project's folder, absolute: the one with `pyproject.toml`.
    pub root: PathBuf,
    /// `project_name` in `[tool.kedro]`.
    pub project_name: String,
    /// `package_name` in `[tool.kedro]`.
    pub package_name: String,
    /// `kedro_init_version` in `[tool.kedro]`.
    pub kedro_version: String,
    /// The folder that holds the package, absolute (`source_dir`, `src` by default).
    pub source_dir: PathBuf,
    /// The configuration folder, absolute (`CONF_SOURCE` in `settings.py`, `conf` by default).
    pub conf_source: PathBuf,
    /// Glob patterns of the secret kinds of configuration (from `config_patterns`), relative to an
    /// environment's folder.
    pub secret_patterns: Vec<String>,
}

impl Metadata {
    /// Major and minor number of the Kedro version: `(1, 0)` for `1.0.0` and for a missing version.
    pub fn kedro_major_minor(&self) -> (u32, u32) {
        let mut parts = self.kedro_version.split('.').map(str::parse::<u32>);
        match (parts.next(), parts.next()) {
            (Some(Ok(major)), Some(Ok(minor))) => (major, minor),
            (Some(Ok(major)), _) => (major, 0),
            _ => (1, 0),
        }
    }
}

/// One pipeline of the registry.
#[derive(Debug, Clone, Default)]
pub struct Pipeline {
    /// The key in the registry, such as `__default__`.
    pub name: String,
    /// The nodes in Kedro's topological order (`Pipeline.nodes`).
    pub nodes: Vec<Arc<Node>>,
    /// Free inputs, sorted, with transcoding.
    pub inputs: Vec<String>,
    /// Final outputs, sorted, with transcoding.
    pub outputs: Vec<String>,
    /// False if a part of the pipeline could not be evaluated; a problem names the part.
    pub complete: bool,
}

/// One node of a pipeline.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Node {
    /// The full name with its namespace (`Node.name`); for an unnamed node, the name that Kedro
    /// generates.
    pub name: String,
    /// The readable function name (`Node._func_name`).
    pub func_name: String,
    /// The dotted namespace, such as `training.candidate`.
    pub namespace: Option<String>,
    /// The node's tags, including those added by its pipeline.
    pub tags: BTreeSet<String>,
    /// Input dataset names in order, as `Node.inputs` lists them.
    pub inputs: Vec<String>,
    /// Output dataset names in order, as `Node.outputs` lists them.
    pub outputs: Vec<String>,
    /// The lines of the function's definition, decorators included, as Python's `inspect` counts
    /// them.
    pub source: Option<SourceRange>,
    /// The `node(...)` call that makes the node; known only to the static reading.
    pub call: Option<Place>,
    /// The function and the way it is called; known only to the static reading.
    pub callable: Option<Callable>,
    /// The project code that the node reaches, in [`Snapshot::code`]; `None` if its function is
    /// unknown.
    pub reach: Option<Arc<Reach>>,
}

impl Node {
    /// The name without the namespace.
    pub fn short_name(&self) -> &str {
        match &self.namespace {
            Some(namespace) => self
                .name
                .strip_prefix(namespace.as_str())
                .and_then(|rest| rest.strip_prefix('.'))
                .unwrap_or(&self.name),
            None => &self.name,
        }
    }
}

/// The function of a node: its code, and the values that are bound to it before the call.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Callable {
    /// Dotted name, such as `pkg.nodes.train` or `functools.partial`.
    pub name: String,
    /// The code of the function, without duplicates.
    pub entries: Vec<Entry>,
    /// Values that are set before the call, by name: the arguments of a partial (`#1` is the first
    /// positional one), the variables captured by a closure, the defaults of a lambda, and `self`
    /// for the object of a bound method.
    pub bound: Vec<(String, Bound)>,
    /// How inputs are passed: `[a, b]` by position, `{x: a, y: b}` by keyword.
    pub takes: String,
    /// How the result maps to outputs: `a` as a whole, `[a, b]` one by one, `{x: a, y: b}` by key.
    pub gives: String,
}

/// A piece of code that a node calls.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Entry {
    /// In a project file: the name in a `def` or `class` statement, or the start of a lambda.
    Code(Place),
    /// A dotted name: code outside the project, or a whole module of the project.
    Name(String),
}

/// A value bound to a node's function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Bound {
    /// The value in Python's notation; equal texts mean equal values.
    Known(String),
    /// The value is unknown without running Python.
    Unknown {
        /// The reason: a clause that can follow "because".
        reason: String,
        /// The place of the cause.
        place: Place,
    },
}

/// A range of whole lines in a project file.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct SourceRange {
    /// Path relative to the project's folder, `/` as separator.
    pub filepath: String,
    /// First line, counted from 1.
    pub line_start: u32,
    /// Last line, counted from 1, inclusive.
    pub line_end: u32,
}

/// A position in a file that a user can jump to.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place {
    /// The path: relative to the project's folder if inside it, otherwise absolute.
    pub file: Arc<Path>,
    /// Line, counted from 1.
    pub line: u32,
    /// Column in characters, counted from 1.
    pub column: u32,
}

impl Place {
    /// The start of line `line` of `file`.
    pub fn line(file: impl Into<Arc<Path>>, line: u32) -> Self {
        Place { file: file.into(), line, column: 1 }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file.display(), self.line)
    }
}

/// The origin of a configuration value.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Origin {
    /// File and position of the value.
    pub place: Place,
    /// The environment whose folder contains the file, or another source such as `--params`.
    pub env: Arc<str>,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.place, self.env)
    }
}

/// A configuration value with its origin.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Located {
    /// The value itself; nested values carry their own origins.
    pub value: Value,
    /// The origin; `None` for values that Kedro itself creates.
    pub origin: Option<Origin>,
}

/// A configuration value, typed as OmegaConf's YAML loader types it.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum Value {
    /// `null`, `~` or an empty value.
    #[default]
    Null,
    /// `true` or `false`, in YAML 1.1 also `yes`, `no`, `on` and `off`.
    Bool(bool),
    /// An integer of up to 64 bits.
    Int(i64),
    /// An integer beyond 64 bits, in decimal digits.
    BigInt(String),
    /// A float; may be infinite or NaN.
    Float(f64),
    /// A string; empty strings are not null.
    Str(String),
    /// A list; every item has an origin.
    List(Vec<Located>),
    /// A mapping; keys of other types are kept as Python's `str()` writes them.
    Map(IndexMap<String, Located>),
    /// A secret: only its place and the part that may be shown are kept.
    Secret(Secret),
    /// A value that can't be determined without running Python: the expression as written.
    Unknown(String),
}

impl Value {
    /// The mapping, if this is one.
    pub fn as_map(&self) -> Option<&IndexMap<String, Located>> {
        match self {
            Value::Map(map) => Some(map),
            _ => None,
        }
    }

    /// The string, if this is one; for a partly secret string, the part that may be shown.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Value::Str(text) => Some(text),
            Value::Secret(secret) => secret.part(),
            _ => None,
        }
    }

    /// The value under `key`, if this is a mapping that has the key.
    pub fn get(&self, key: &str) -> Option<&Located> {
        self.as_map().and_then(|map| map.get(key))
    }
}

/// A concrete dataset: a catalog entry, or a name that a factory pattern resolves.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Dataset {
    /// The name in the catalog, with transcoding.
    pub name: String,
    /// The `type` as written, such as `pandas.CSVDataset`.
    pub type_name: String,
    /// `filepath` as configured, URL credentials removed.
    pub filepath: Option<String>,
    /// The layer (`metadata.kedro-viz.layer`, or the top-level `layer` of Kedro 0.18).
    pub layer: Option<String>,
    /// Whether the definition has `versioned: true`.
    pub versioned: bool,
    /// The name of its `credentials` entry.
    pub credentials: Option<String>,
    /// The factory pattern that resolved the name.
    pub pattern: Option<String>,
    /// The resolved definition, with an origin for every value and without secrets.
    pub definition: Located,
}

impl Dataset {
    /// Whether the dataset lives in memory, so that no other process can read it: a `MemoryDataset`, or a
    /// `CachedDataset` of one.
    pub fn in_memory(&self) -> bool {
        match class(&self.type_name) {
            "CachedDataset" | "CachedDataSet" => {
                let inner = self.definition.value.get("dataset").map(|inner| &inner.value);
                let type_name = inner.and_then(|inner| match inner.get("type") {
                    Some(named) => named.value.as_str(),
                    None => inner.as_str(),
                });
                type_name.is_some_and(is_memory)
            }
            _ => is_memory(&self.type_name),
        }
    }
}

fn is_memory(type_name: &str) -> bool {
    matches!(
        class(type_name),
        "MemoryDataset" | "MemoryDataSet" | "SharedMemoryDataset" | "SharedMemoryDataSet"
    )
}

/// The last part of a dotted name.
fn class(type_name: &str) -> &str {
    type_name.rsplit('.').next().unwrap_or_default()
}

/// A dataset factory pattern.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Pattern {
    /// The pattern, such as `{namespace}.{name}_model`.
    pub pattern: String,
    /// The definition with unfilled placeholders.
    pub definition: Located,
}

/// The severity of a problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The project can't run.
    Error,
    /// Probably a mistake, or something that Kedro warns about.
    Warning,
    /// Information, such as a part that only the exact reading knows.
    Info,
}

/// An error, a warning or an unknown part, with its place and remedy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// How severe the problem is.
    pub severity: Severity,
    /// The place of the cause, if the cause is in a file.
    pub place: Option<Place>,
    /// The description: one sentence or more.
    pub text: String,
    /// The remedy: a sentence, or an empty string.
    pub remedy: String,
    /// Whether a part of the project is missing from the snapshot because of this problem.
    pub hides: bool,
}

impl From<&Problem> for UserError {
    /// The problem with its place, and its remedy as a hint.
    fn from(problem: &Problem) -> Self {
        let place = problem.place.as_ref().map(|place| format!("{place}: ")).unwrap_or_default();
        let hint = Some(problem.remedy.clone()).filter(|remedy| !remedy.is_empty());
        UserError { text: format!("{place}{}", problem.text), hint }
    }
}

impl Problem {
    /// Sorts problems by severity (most severe first), then by file and line, and removes
    /// duplicates.
    pub(super) fn sort(problems: &mut Vec<Problem>) {
        problems
            .sort_by(|a, b| (a.severity, &a.place, &a.text).cmp(&(b.severity, &b.place, &b.text)));
        problems.dedup();
    }

    /// A problem that hides nothing. Secrets in the texts are removed.
    pub fn new(
        severity: Severity,
        place: Option<Place>,
        text: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        let (text, remedy) = (redact(&text.into()), redact(&remedy.into()));
        Problem { severity, place, text, remedy, hides: false }
    }

    /// The same problem, marked as hiding a part of the project.
    pub fn hiding(self) -> Self {
        Problem { hides: true, ..self }
    }
}

/// The remedy where only Kedro knows a value.
pub(super) const ASK_KEDRO: &str = "The exact reading, by Kedro itself, gives the answer.";

/// The dataset name without its transcoding: `a` for `a@pandas`.
pub fn strip_transcoding(name: &str) -> &str {
    name.split_once('@').map_or(name, |(base, _)| base)
}

/// Each output dataset of the nodes, without transcoding, with the node that makes it. In a
/// pipeline that Kedro accepts, no dataset occurs twice.
pub fn makers<'a>(
    nodes: impl IntoIterator<Item = &'a Node>,
) -> impl Iterator<Item = (&'a str, &'a Node)> {
    let made =
        |node: &'a Node| node.outputs.iter().map(move |output| (strip_transcoding(output), node));
    nodes.into_iter().flat_map(made)
}

/// Whether a dataset name denotes parameters (`parameters` or `params:...`).
pub fn is_parameter(name: &str) -> bool {
    name == "parameters" || name.starts_with("params:")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dataset_is_in_memory_by_its_type_or_by_the_one_that_it_caches() {
        let text = |text: &str| Located { value: Value::Str(text.to_owned()), origin: None };
        let map = |key: &str, value: Located| Located {
            value: Value::Map([(key.to_owned(), value)].into_iter().collect()),
            origin: None,
        };
        let cached = |inner: Located| ("kedro.io.CachedDataset", map("dataset", inner));
        let cases = [
            (("MemoryDataset", Located::default()), true),
            (("kedro.io.MemoryDataSet", Located::default()), true),
            (("pandas.CSVDataset", Located::default()), false),
            (cached(text("kedro.io.MemoryDataset")), true),
            (cached(map("type", text("MemoryDataset"))), true),
            (cached(map("type", text("pandas.CSVDataset"))), false),
        ];
        for ((type_name, definition), wanted) in cases {
            let dataset = Dataset { type_name: type_name.into(), definition, ..Dataset::default() };
            assert_eq!(dataset.in_memory(), wanted, "{dataset:?}");
        }
    }

    #[test]
    fn makers_are_found_by_names_without_transcoding() {
        let node = |name: &str, outputs: &[&str]| {
            let outputs = outputs.iter().map(|&output| output.to_owned()).collect();
            Node { name: name.into(), outputs, ..Node::default() }
        };
        let nodes = [node("split", &["cars@pandas", "model.x"]), node("end", &[])];
        let found: Vec<_> = makers(&nodes).map(|(dataset, node)| (dataset, &*node.name)).collect();
        assert_eq!(found, [("cars", "split"), ("model.x", "split")]);
    }
}
