//! The static reading: combines all parts of a project into one snapshot.

use std::collections::{BTreeSet, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use indexmap::IndexMap;

use super::code::{self, Code, CodeCache};
use super::python::SourceCache;
use super::{Budget, Located, Metadata, Problem, Reading, Snapshot, Value, is_parameter};
use super::{catalog, config, discovery, mistakes, python, secrets};
use crate::text::secrets::names_secret;

/// The options for reading a project.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Options {
    /// The run environment; the project's default if `None`.
    pub env: Option<String>,
    /// Runtime parameters, nested as Kedro nests dotted keys: a [`super::Value::Map`] or null.
    pub runtime_params: Located,
    /// The configuration folder; overrides the one in the settings.
    pub conf_source: Option<PathBuf>,
    /// Glob patterns of further kinds of configuration, which a plugin adds. The settings' own
    /// patterns take precedence.
    pub further_patterns: IndexMap<String, Vec<String>>,
    /// The kinds of configuration to read, besides the globals; all if empty.
    pub kinds: Vec<String>,
}

/// Runtime parameters from keys and YAML texts, nested like `OmegaConf.from_dotlist` does: the keys
/// `a.b` and `a[b]` set `b` in `a`. Secrets are not kept.
pub fn runtime_params<'a>(pairs: impl IntoIterator<Item = (&'a String, &'a String)>) -> Located {
    let mut root = IndexMap::new();
    for (key, text) in pairs {
        let mut map = &mut root;
        let parts = key.split(['.', '[']).map(|part| part.trim_end_matches(']'));
        let mut parts = parts.enumerate().filter(|(at, part)| *at == 0 || !part.is_empty());
        let mut parts = parts.by_ref().map(|(_, part)| part).peekable();
        while let Some(part) = parts.next() {
            let slot: &mut Located = map.entry(part.to_owned()).or_default();
            if parts.peek().is_none() {
                slot.value = config::value(text);
                break;
            }
            if slot.value.as_map().is_none() {
                slot.value = Value::Map(IndexMap::new());
            }
            let Value::Map(inner) = &mut slot.value else { break };
            map = inner;
        }
    }
    let mut root = Located { value: Value::Map(root), origin: None };
    secrets::remove("parameters", &mut root);
    root
}

/// The configuration of a project, with problems of the configuration and the settings.
#[derive(Debug)]
pub struct Configuration {
    /// The project's names and folders.
    pub metadata: Metadata,
    /// All kinds of configuration; their problems are in `problems`.
    pub config: config::Config,
    /// Problems of the project file, the settings and the configuration.
    pub problems: Vec<Problem>,
}

/// Reads one project repeatedly and caches the parsed files that did not change.
#[derive(Debug)]
pub struct Reader {
    root: PathBuf,
    cache: SourceCache,
    code: CodeCache,
}

impl Reader {
    /// A reader of the project in `root`, which [`discovery::find`] returns.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Reader { root: root.into(), cache: SourceCache::default(), code: CodeCache::default() }
    }

    /// The project's folder, as given to [`Reader::new`].
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Reads only the configuration, but all kinds.
    pub fn configuration(&mut self, options: &Options) -> Configuration {
        let (mut metadata, mut problems) = discovery::metadata(&self.root);
        let mut for_settings = Budget::of_sixteenths(1);
        let mut settings = python::read_settings(&metadata, &mut self.cache, &mut for_settings);
        problems.extend(settings.problems.iter().cloned());
        for (kind, patterns) in &options.further_patterns {
            settings.config_patterns.entry(kind.clone()).or_insert_with(|| patterns.clone());
        }
        metadata.conf_source = match &options.conf_source {
            Some(folder) => self.root.join(folder),
            None => self.root.join(&settings.conf_source),
        };
        if !options.kinds.is_empty() {
            settings
                .config_patterns
                .retain(|kind, _| kind == "globals" || options.kinds.contains(kind));
        }
        let secret = settings.config_patterns.iter().filter(|(kind, _)| names_secret(kind));
        metadata.secret_patterns = secret.flat_map(|(_, patterns)| patterns).cloned().collect();
        let request = config::Request {
            root: self.root.clone(),
            conf_source: metadata.conf_source.clone(),
            env: options.env.clone(),
            runtime_params: options.runtime_params.clone(),
            settings: &settings,
        };
        let mut config = config::load(&request, &mut Budget::of_sixteenths(6));
        problems.append(&mut config.problems);
        Configuration { metadata, config, problems }
    }

    /// Reads only the project's code: its definitions, and what each one reaches.
    pub fn code(&mut self, metadata: &Metadata) -> Code {
        python::on_large_stack(|| code::link(metadata, &mut self.cache, &mut self.code))
    }

    /// Reads the project. Broken parts are listed as problems in the snapshot; the rest is still
    /// read.
    pub fn read(&mut self, options: &Options) -> Snapshot {
        let Configuration { metadata, mut config, mut problems } = self.configuration(options);
        let mut registry = if metadata.package_name.is_empty() {
            python::Registry::default()
        } else {
            python::read_registry(&metadata, &mut self.cache, &mut Budget::of_sixteenths(8))
        };
        let code = self.code(&metadata);
        code.set_reaches(&mut registry.pipelines);
        let credentials: BTreeSet<String> = config
            .kinds
            .get("credentials")
            .and_then(|located| located.value.as_map())
            .map(|map| map.keys().cloned().collect())
            .unwrap_or_default();
        let used = used_datasets(&registry.pipelines);
        let definitions = config.kinds.get_mut("catalog").map(std::mem::take).unwrap_or_default();
        let for_catalog = Budget::of_sixteenths(1);
        let catalog = catalog::resolve(&definitions, &credentials, &used, &for_catalog);
        drop(definitions);

        problems.extend(registry.problems);
        problems.extend(catalog.problems);
        let parameters = config.kinds.get_mut("parameters").map(std::mem::take).unwrap_or_default();
        let mut snapshot = Snapshot {
            metadata,
            reading: Reading::Static,
            env: config.env,
            environments: config.environments,
            pipelines: registry.pipelines,
            datasets: catalog.datasets,
            patterns: catalog.patterns,
            parameters,
            undefined_params: config.undefined_params,
            credentials: credentials.into_iter().collect(),
            code: Arc::new(code),
            problems,
        };
        mistakes::drop_read_params(&mut snapshot);
        snapshot.problems.extend(mistakes::find(&snapshot));
        Problem::sort(&mut snapshot.problems);
        snapshot
    }
}

/// Dataset names in order of first use, without parameters.
fn used_datasets(pipelines: &[super::Pipeline]) -> Vec<String> {
    let mut seen = HashSet::new();
    pipelines
        .iter()
        .flat_map(|pipeline| &pipeline.nodes)
        .flat_map(|node| node.inputs.iter().chain(&node.outputs))
        .filter(|name| !is_parameter(name) && seen.insert(name.as_str()))
        .cloned()
        .collect()
}
