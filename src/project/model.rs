//! What a project is, as read: the [`Snapshot`] and its parts.

use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use indexmap::IndexMap;
use serde::Serialize;

use super::code::{Code, Reach};
use crate::text::secrets::{Secret, redact};

/// Everything known about a Kedro project in one environment, and everything that could not be known.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    /// Names, versions and folders, from `pyproject.toml`.
    pub metadata: Metadata,
    /// Whether Kedro itself answered, or the files were read without Python.
    pub reading: Reading,
    /// The run environment that the configuration was resolved for.
    pub env: String,
    /// All environments found in the configuration folder, the base one first, then by name.
    pub environments: Vec<String>,
    /// The registered pipelines in the registry's order.
    pub pipelines: Vec<Pipeline>,
    /// Concrete datasets by name: catalog entries in file order, then names that only pipelines
    /// mention and a factory pattern resolves. In-memory datasets are not listed, as in Kedro.
    pub datasets: IndexMap<String, Dataset>,
    /// Dataset factory patterns, in the order in which Kedro tries them.
    pub patterns: Vec<Pattern>,
    /// The resolved parameters, a [`Value::Map`] at the top.
    pub parameters: Located,
    /// Names of credentials entries; their values are never kept.
    pub credentials: Vec<String>,
    /// The definitions of the project's code, which the nodes' reaches point into.
    pub code: Arc<Code>,
    /// What is wrong or could not be known, most severe first.
    pub problems: Vec<Problem>,
}

impl Snapshot {
    /// Whether nothing had to be left out: no problem says that a part is unknown.
    pub fn complete(&self) -> bool {
        !self.problems.iter().any(|problem| problem.hides)
    }

    /// The pipeline registered under `name`.
    pub fn pipeline(&self, name: &str) -> Option<&Pipeline> {
        self.pipelines.iter().find(|pipeline| pipeline.name == name)
    }
}

/// Which of the two readings made a snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Reading {
    /// The files alone, read in Rust; nothing of the project was executed.
    #[default]
    Static,
    /// Kedro's own answer, through the worker.
    Exact,
}

/// The project's names and folders.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Metadata {
    /// The project's folder, absolute: where `pyproject.toml` lies.
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
    /// Patterns of the configuration's kinds that are secret (`config_patterns`), within an environment.
    pub secret_patterns: Vec<String>,
}

impl Metadata {
    /// Leading numeric parts of the Kedro version, `(1, 0)` for `1.0.0` and when it says nothing.
    pub fn kedro_major_minor(&self) -> (u32, u32) {
        let mut parts = self.kedro_version.split('.').map(str::parse::<u32>);
        match (parts.next(), parts.next()) {
            (Some(Ok(major)), Some(Ok(minor))) => (major, minor),
            (Some(Ok(major)), _) => (major, 0),
            _ => (1, 0),
        }
    }
}

/// One registered pipeline.
#[derive(Debug, Clone, Default)]
pub struct Pipeline {
    /// Its key in the registry.
    pub name: String,
    /// Its nodes in Kedro's topological order (`Pipeline.nodes`).
    pub nodes: Vec<Arc<Node>>,
    /// Free inputs, sorted, transcoding kept.
    pub inputs: Vec<String>,
    /// Final outputs, sorted, transcoding kept.
    pub outputs: Vec<String>,
    /// False where a part of it could not be evaluated; a problem says which.
    pub complete: bool,
}

/// One node of a pipeline.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Node {
    /// Full name with its namespace (`Node.name`); for an unnamed node the one that Kedro makes.
    pub name: String,
    /// Readable function name (`Node._func_name`).
    pub func_name: String,
    /// Dotted namespace.
    pub namespace: Option<String>,
    /// Tags.
    pub tags: BTreeSet<String>,
    /// Input dataset names in order, as `Node.inputs` lists them.
    pub inputs: Vec<String>,
    /// Output dataset names in order, as `Node.outputs` lists them.
    pub outputs: Vec<String>,
    /// Where the function's definition stands, decorators included, as Python's `inspect` counts.
    pub source: Option<SourceRange>,
    /// Where the node is made: the `node(...)` call. Only the static reading knows it.
    pub call: Option<Place>,
    /// What it calls, and how. Only the static reading knows it.
    pub callable: Option<Callable>,
    /// The project code that it reaches, in [`Snapshot::code`]; `None` where its function is not known.
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

/// What a node calls: the code that its function is made from, and what is bound to it beforehand.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Callable {
    /// Dotted name, such as `pkg.nodes.train` or `functools.partial`.
    pub name: String,
    /// Where the code is found, each once.
    pub entries: Vec<Entry>,
    /// Values that are set before the call, by name: the arguments of a partial (`#1` for the
    /// first by position), the variables that a closure has captured, the defaults of a lambda, and
    /// `self` for the object of a bound method.
    pub bound: Vec<(String, Bound)>,
    /// How inputs are passed: `[a, b]` by position, `{x: a, y: b}` by argument.
    pub takes: String,
    /// How results become outputs: `a` as a whole, `[a, b]` one by one, `{x: a, y: b}` by key.
    pub gives: String,
}

/// Where code is found that a node calls.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Entry {
    /// In a project file: the name in a `def` or `class` statement, or the start of a lambda.
    Code(Place),
    /// By a dotted name: outside the project, or a whole module of it.
    Name(String),
}

/// A value bound to a node's function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Bound {
    /// The value in Python's notation; the same text means the same value.
    Known(String),
    /// It can't be told without running Python.
    Unknown {
        /// Why: the end of a sentence that begins with "because".
        reason: String,
        /// Where that begins.
        place: Place,
    },
}

/// A range of whole lines in a project file.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct SourceRange {
    /// Path relative to the project's folder, `/` as separator.
    pub filepath: String,
    /// First line, from 1.
    pub line_start: u32,
    /// Last line, inclusive.
    pub line_end: u32,
}

/// A place in a file that a person can be sent to.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place {
    /// Path relative to the project's folder where it lies inside, else absolute.
    pub file: Arc<Path>,
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
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

/// Where a configuration value comes from.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Origin {
    /// File and position of the value.
    pub place: Place,
    /// The environment whose folder holds the file, or what else set it (`--params`).
    pub env: Arc<str>,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.place, self.env)
    }
}

/// A configuration value and where it comes from.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Located {
    /// The value.
    pub value: Value,
    /// Its origin; `None` for what Kedro makes itself.
    pub origin: Option<Origin>,
}

/// A configuration value, typed as OmegaConf's YAML loader types it.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum Value {
    /// `null`, `~` or nothing.
    #[default]
    Null,
    /// A boolean.
    Bool(bool),
    /// An integer; Python's are unbounded, so those beyond 64 bits keep their digits.
    Int(i64),
    /// An integer beyond 64 bits, in decimal digits.
    BigInt(String),
    /// A float, infinities and NaN included.
    Float(f64),
    /// Text.
    Str(String),
    /// A list.
    List(Vec<Located>),
    /// A mapping; keys that YAML types otherwise are kept as Python's `str()` writes them.
    Map(IndexMap<String, Located>),
    /// A secret: its place is known, its value is not kept.
    Secret(Secret),
    /// What can't be known without running Python, with the expression as written.
    Unknown(String),
}

impl Value {
    /// The mapping, where it is one.
    pub fn as_map(&self) -> Option<&IndexMap<String, Located>> {
        match self {
            Value::Map(map) => Some(map),
            _ => None,
        }
    }

    /// The text, where it is text; of a text with secrets in it what may be shown.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Value::Str(text) => Some(text),
            Value::Secret(secret) => secret.part(),
            _ => None,
        }
    }

    /// The value under `key`, where this is a mapping that has it.
    pub fn get(&self, key: &str) -> Option<&Located> {
        self.as_map().and_then(|map| map.get(key))
    }
}

/// A concrete dataset: a catalog entry, or a name that a factory pattern resolves.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Dataset {
    /// Name in the catalog.
    pub name: String,
    /// The `type` as written, such as `pandas.CSVDataset`.
    pub type_name: String,
    /// `filepath` as configured, URL credentials removed.
    pub filepath: Option<String>,
    /// The layer (`metadata.kedro-viz.layer`, or the top-level `layer` of Kedro 0.18).
    pub layer: Option<String>,
    /// Whether it is versioned.
    pub versioned: bool,
    /// Name of its `credentials` entry.
    pub credentials: Option<String>,
    /// The factory pattern that made it.
    pub pattern: Option<String>,
    /// The resolved definition, with an origin on every value; secrets removed.
    pub definition: Located,
}

/// A dataset factory pattern.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Pattern {
    /// The pattern, such as `{namespace}.{name}_model`.
    pub pattern: String,
    /// Its definition as written, placeholders unfilled.
    pub definition: Located,
}

/// How bad a problem is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The project can't run like this.
    Error,
    /// Likely a mistake, or something Kedro would warn of.
    Warning,
    /// Something worth knowing, such as a part that only the exact reading can tell.
    Info,
}

/// Something wrong or unknown, with its place and its remedy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// How bad it is.
    pub severity: Severity,
    /// Where it is.
    pub place: Option<Place>,
    /// What is wrong: a sentence.
    pub text: String,
    /// What to do: a sentence, or nothing.
    pub remedy: String,
    /// Whether because of it a part of the project is missing from the snapshot.
    pub hides: bool,
}

impl Problem {
    /// Sorts problems: the most severe first, then by file and line; the same problem once.
    pub(super) fn sort(problems: &mut Vec<Problem>) {
        problems
            .sort_by(|a, b| (a.severity, &a.place, &a.text).cmp(&(b.severity, &b.place, &b.text)));
        problems.dedup();
    }

    /// A problem of the given severity that hides nothing. Secrets in the texts are removed.
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

/// The dataset name without its transcoding: `a@pandas` is `a`.
pub fn strip_transcoding(name: &str) -> &str {
    name.split_once('@').map_or(name, |(base, _)| base)
}

/// What the nodes make: each dataset, without its transcoding, with its node. In a pipeline that Kedro accepts, no
/// dataset comes twice.
pub fn makers<'a>(
    nodes: impl IntoIterator<Item = &'a Node>,
) -> impl Iterator<Item = (&'a str, &'a Node)> {
    let made = |node: &'a Node| node.outputs.iter().map(move |it| (strip_transcoding(it), node));
    nodes.into_iter().flat_map(made)
}

/// Whether a dataset name stands for parameters (`parameters` or `params:...`).
pub fn is_parameter(name: &str) -> bool {
    name == "parameters" || name.starts_with("params:")
}

#[cfg(test)]
mod tests {
    use super::*;

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
