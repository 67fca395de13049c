//! Loading kinds of configuration: reading files, merging, resolving, laying environments over one
//! another (`OmegaConfigLoader.__getitem__` in Kedro).

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use indexmap::IndexMap;

use super::files;
use super::interpolation::{self, Scope};
use super::yaml::{self, Document};
use super::{Config, Request};
use crate::project::{Located, Place, Problem, Severity, Value};

/// Loads all kinds for a request.
pub(super) fn load(request: &Request<'_>) -> Config {
    let settings = request.settings;
    let env = request.env.clone().unwrap_or_else(|| settings.default_run_env.clone());
    let mut loader = Loader { request, problems: Vec::new(), files: HashMap::new() };
    let mut config = Config {
        environments: files::environments(&request.conf_source, &settings.base_env),
        env: env.clone(),
        ..Config::default()
    };
    let mut folders = vec![settings.base_env.clone()];
    if env != settings.base_env {
        folders.push(env);
    }
    loader.list_files(&folders);
    if settings.config_loader_class != "OmegaConfigLoader" {
        loader.problems.push(
            Problem::new(
                Severity::Info,
                None,
                format!(
                    "The project loads its configuration with `{}`; it is read here as OmegaConfigLoader would.",
                    settings.config_loader_class
                ),
                "The exact reading asks Kedro for it.",
            )
            .hiding(),
        );
    }
    // Globals come first: all others may use them.
    let globals = loader.kind("globals", &folders, None);
    for kind in settings.config_patterns.keys() {
        let located = match kind.as_str() {
            "globals" => globals.clone(),
            kind => loader.kind(kind, &folders, Some(&globals)),
        };
        config.kinds.insert(kind.clone(), located);
    }
    if let Some(credentials) = config.kinds.get_mut("credentials") {
        conceal(credentials);
    }
    config.problems = loader.problems;
    config
}

struct Loader<'a> {
    request: &'a Request<'a>,
    problems: Vec<Problem>,
    /// Candidates by environment.
    files: HashMap<String, Vec<PathBuf>>,
}

impl Loader<'_> {
    fn list_files(&mut self, environments: &[String]) {
        for env in environments {
            let folder = self.request.conf_source.join(env);
            if folder.is_dir() {
                let files = files::candidates(&folder, self.request.settings.ignore_hidden);
                self.files.insert(env.clone(), files);
            } else {
                let shown = folder.strip_prefix(&self.request.root).unwrap_or(&folder);
                self.problems.push(Problem::new(
                    Severity::Error,
                    None,
                    format!("The environment `{env}` has no folder `{}`; Kedro does not start without it.", shown.display()),
                    format!("Make it: mkdir -p {}", shown.display()),
                ));
            }
        }
    }

    fn kind(&mut self, kind: &str, environments: &[String], globals: Option<&Located>) -> Located {
        let mut result = Located { value: Value::Map(IndexMap::new()), origin: None };
        let soft = match self.request.settings.merge_strategy.get(kind).map(String::as_str) {
            None | Some("destructive") => false,
            Some("soft") => true,
            Some(other) => {
                self.problems.push(Problem::new(
                    Severity::Error,
                    None,
                    format!("`{other}` is not a merge strategy (for `{kind}`, in settings.py)."),
                    "Use `soft` or `destructive`.",
                ));
                false
            }
        };
        for env in environments {
            let resolved = self.environment(kind, env, globals);
            let (Value::Map(base), Value::Map(over)) = (&mut result.value, resolved.value) else {
                continue;
            };
            if soft {
                merge_maps(base, over);
            } else {
                base.extend(over);
            }
        }
        result
    }

    /// One environment's configuration of a kind: files merged, interpolations resolved.
    fn environment(&mut self, kind: &str, env: &str, globals: Option<&Located>) -> Located {
        let documents = self.documents(kind, env);
        self.report_duplicates(kind, &documents);
        let mut merged = IndexMap::new();
        for (_, document) in documents {
            merge_maps(&mut merged, document);
        }
        if kind == "parameters" && !merged.is_empty() {
            if let Value::Map(runtime) = &self.request.runtime_params.value {
                merge_maps(&mut merged, runtime.clone());
            }
        }
        let root = Located { value: Value::Map(merged), origin: None };
        let custom = &self.request.settings.custom_resolvers;
        let (mut resolved, problems) = interpolation::resolve(Scope {
            root: &root,
            globals,
            runtime_params: globals.map(|_| &self.request.runtime_params),
            env_allowed: kind == "credentials",
            custom,
        });
        self.problems.extend(problems);
        if kind != "parameters" {
            if let Value::Map(map) = &mut resolved.value {
                map.retain(|key, _| !key.starts_with('_'));
            }
        }
        resolved
    }

    fn documents(&mut self, kind: &str, env: &str) -> Vec<(PathBuf, IndexMap<String, Located>)> {
        let patterns = self.request.settings.config_patterns.get(kind);
        let globs: Vec<_> =
            patterns.into_iter().flatten().filter_map(|pattern| files::glob(pattern)).collect();
        let candidates = self.files.get(env).cloned().unwrap_or_default();
        let folder = self.request.conf_source.join(env);
        let env: Arc<str> = env.into();
        candidates
            .into_iter()
            .filter(|file| files::matches(&globs, file))
            .filter_map(|file| {
                let path = folder.join(file);
                let shown = path.strip_prefix(&self.request.root).unwrap_or(&path).to_owned();
                let document = self.read(&path, &shown, &env);
                self.problems.extend(document.problems);
                (!document.entries.is_empty()).then_some((shown, document.entries))
            })
            .collect()
    }

    fn read(&self, path: &Path, shown: &Path, env: &Arc<str>) -> Document {
        let file: Arc<Path> = shown.into();
        let unreadable = |reason: String| Document {
            entries: IndexMap::new(),
            problems: vec![
                Problem::new(
                    Severity::Error,
                    Some(Place::line(Arc::clone(&file), 1)),
                    format!("The file can't be read: {reason}."),
                    "Make it a readable UTF-8 text file.",
                )
                .hiding(),
            ],
        };
        match std::fs::read(path) {
            Ok(bytes) => match String::from_utf8(bytes) {
                Ok(text) => {
                    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
                    yaml::read(text, &file, env)
                }
                Err(error) => unreadable(error.utf8_error().to_string()),
            },
            Err(error) => unreadable(error.to_string()),
        }
    }

    /// The same key in two files of one environment (`_check_duplicates` in Kedro). Parameters are
    /// compared leaf by leaf, all else by top-level key; keys that start with `_` may repeat.
    fn report_duplicates(
        &mut self,
        kind: &str,
        documents: &[(PathBuf, IndexMap<String, Located>)],
    ) {
        let mut seen: HashMap<String, Option<Place>> = HashMap::new();
        for (_, entries) in documents {
            let mut keys = Vec::new();
            for (key, located) in entries {
                collect_keys(key.clone(), located, kind == "parameters", &mut keys);
            }
            for (key, place) in &keys {
                let Some(first) = seen.get(key) else { continue };
                if key.starts_with('_') {
                    continue;
                }
                let first = first.as_ref().map(Place::to_string).unwrap_or_default();
                self.problems.push(
                    Problem::new(
                        Severity::Error,
                        place.clone(),
                        format!("`{key}` is defined here and in {first}; Kedro refuses both."),
                        "Remove or rename one of the two.",
                    )
                    .hiding(),
                );
            }
            seen.extend(keys);
        }
    }
}

fn collect_keys(
    key: String,
    located: &Located,
    leaves: bool,
    keys: &mut Vec<(String, Option<Place>)>,
) {
    match &located.value {
        Value::Map(map) if leaves => map.iter().for_each(|(child, located)| {
            collect_keys(format!("{key}.{child}"), located, leaves, keys);
        }),
        _ => keys.push((key, located.origin.as_ref().map(|origin| origin.place.clone()))),
    }
}

/// Mappings merge, everything else is replaced (`OmegaConf.merge`).
fn merge_maps(base: &mut IndexMap<String, Located>, over: IndexMap<String, Located>) {
    for (key, located) in over {
        match (base.get_mut(&key), located) {
            (
                Some(Located { value: Value::Map(base), .. }),
                Located { value: Value::Map(over), .. },
            ) => merge_maps(base, over),
            (_, located) => drop(base.insert(key, located)),
        }
    }
}

/// Replaces every leaf by a secret.
fn conceal(located: &mut Located) {
    match &mut located.value {
        Value::List(items) => items.iter_mut().for_each(conceal),
        Value::Map(map) => map.values_mut().for_each(conceal),
        Value::Null => {}
        value => *value = Value::Secret,
    }
}
