//! Loads the kinds of configuration: reads files, merges them, resolves interpolations and overlays
//! environments (`OmegaConfigLoader.__getitem__` in Kedro).

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use indexmap::IndexMap;
use regex::Regex;

use super::files;
use super::interpolation::{self, Scope};
use super::undefined::Defined;
use super::yaml::{self, Document};
use super::{Config, Request};
use crate::project::budget::Spent;
use crate::project::{ASK_KEDRO, Budget, Located, Place, Problem, Severity, Value, secrets};
use crate::system::files as plain;

/// Loads all kinds that a request asks for, within `budget`.
pub(super) fn load(request: &Request<'_>, budget: &Budget) -> Config {
    let settings = request.settings;
    let env = request.env.clone().unwrap_or_else(|| settings.default_run_env.clone());
    let mut loader = Loader {
        request,
        budget,
        problems: Vec::new(),
        defined: Defined::default(),
        files: HashMap::new(),
        globs: HashMap::new(),
    };
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
                ASK_KEDRO,
            )
            .hiding(),
        );
    }
    // Globals come first, because all other kinds may refer to them.
    let mut globals = loader.kind("globals", &folders, None);
    secrets::remove("globals", &mut globals);
    for kind in settings.config_patterns.keys() {
        let mut located = match kind.as_str() {
            "globals" => globals.clone(),
            kind => loader.kind(kind, &folders, Some(&globals)),
        };
        secrets::remove(kind, &mut located);
        config.kinds.insert(kind.clone(), located);
    }
    config.undefined_params = loader.defined.missing(&request.runtime_params);
    config.problems = loader.problems;
    config
}

struct Loader<'a> {
    request: &'a Request<'a>,
    budget: &'a Budget,
    problems: Vec<Problem>,
    /// What the configuration says about the runtime parameters.
    defined: Defined,
    /// Candidate files by environment.
    files: HashMap<String, Vec<PathBuf>>,
    /// Compiled glob patterns by kind.
    globs: HashMap<String, Vec<Regex>>,
}

impl Loader<'_> {
    fn list_files(&mut self, environments: &[String]) {
        for env in environments {
            let folder = self.request.conf_source.join(env);
            if folder.is_dir() {
                let (files, all) = files::candidates(&folder, self.request.settings.ignore_hidden);
                if !all {
                    let shown = folder.strip_prefix(&self.request.root).unwrap_or(&folder);
                    self.problems.push(Problem::new(
                        Severity::Error,
                        None,
                        format!(
                            "`{}` holds more than {} files and folders; the rest is not read.",
                            shown.display(),
                            files::LOOKED_AT
                        ),
                        "Move what is no configuration away, or remove the link that leads to it.",
                    ));
                }
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
        let mut found = false;
        for env in environments {
            let (resolved, has_files) = self.environment(kind, env, globals);
            found |= has_files;
            let (Value::Map(base), Value::Map(over)) = (&mut result.value, resolved.value) else {
                continue;
            };
            if soft {
                merge_maps(base, over, &mut self.problems);
            } else {
                base.extend(over);
            }
        }
        match kind {
            // `KedroContext` accepts runtime parameters without a parameters file, but requires a
            // catalog file.
            "parameters" if !found => {
                if let value @ Value::Map(_) = &self.request.runtime_params.value {
                    result.value = value.clone();
                }
            }
            "catalog" if !found => self.problems.push(Problem::new(
                Severity::Error,
                None,
                format!("No catalog file is in {}.", environments.join(" or ")),
                "Make a `catalog.yml`; it may be empty.",
            )),
            _ => {}
        }
        result
    }

    /// One environment's configuration of a kind: files merged, interpolations resolved; and
    /// whether any file of that kind exists.
    fn environment(&mut self, kind: &str, env: &str, globals: Option<&Located>) -> (Located, bool) {
        let documents = self.documents(kind, env);
        self.report_duplicates(kind, &documents);
        let has_files = !documents.is_empty();
        let mut merged = IndexMap::new();
        for (_, mut document) in documents {
            if kind == "credentials" {
                // Kedro resolves each of these files separately (`_resolve_environment_variables`).
                let root = Located { value: Value::Map(document), origin: None };
                let (resolved, problems) = interpolation::resolve(self.scope(&root, kind, globals));
                self.problems.extend(problems);
                let Value::Map(map) = resolved.value else { continue };
                document = map;
            }
            merge_maps(&mut merged, document, &mut self.problems);
        }
        if self.request.runtime_params.value.as_map().is_some_and(|given| !given.is_empty()) {
            self.defined.uses(&merged);
            if kind == "parameters" {
                self.defined.parameters(&merged);
            }
        }
        if kind == "parameters" && has_files {
            if let Value::Map(runtime) = &self.request.runtime_params.value {
                merge_maps(&mut merged, runtime.clone(), &mut self.problems);
            }
        }
        secrets::remove_plain(kind, &mut merged);
        let root = Located { value: Value::Map(merged), origin: None };
        let mut resolved = if kind == "credentials" {
            root
        } else {
            let (resolved, problems) = interpolation::resolve(self.scope(&root, kind, globals));
            self.problems.extend(problems);
            resolved
        };
        if kind != "parameters" {
            if let Value::Map(map) = &mut resolved.value {
                map.retain(|key, _| !key.starts_with('_'));
            }
        }
        (resolved, has_files)
    }

    fn scope<'b>(
        &'b self,
        root: &'b Located,
        kind: &'b str,
        globals: Option<&'b Located>,
    ) -> Scope<'b> {
        Scope {
            root,
            globals,
            runtime_params: globals.map(|_| &self.request.runtime_params),
            kind,
            env_allowed: kind == "credentials",
            custom: &self.request.settings.custom_resolvers,
            budget: self.budget,
        }
    }

    fn documents(&mut self, kind: &str, env: &str) -> Vec<(PathBuf, IndexMap<String, Located>)> {
        let patterns = self.request.settings.config_patterns.get(kind);
        let globs = self.globs.entry(kind.to_owned()).or_insert_with(|| {
            patterns.into_iter().flatten().filter_map(|pattern| files::glob(pattern)).collect()
        });
        let globs = globs.clone();
        let candidates = self.files.get(env).cloned().unwrap_or_default();
        let folder = self.request.conf_source.join(env);
        let env: Arc<str> = env.into();
        candidates
            .into_iter()
            .filter(|file| files::matches(&globs, file))
            .map(|file| {
                let path = folder.join(file);
                let shown = path.strip_prefix(&self.request.root).unwrap_or(&path).to_owned();
                let document = self.read(&path, &shown, &env);
                self.problems.extend(document.problems);
                for (key, place) in document.odd_keys {
                    if kind != "parameters" {
                        self.problems.push(Problem::new(
                            Severity::Error,
                            Some(place),
                            format!("`{key}` is not text; Kedro needs names here."),
                            "Put it in quotes.",
                        ));
                    }
                }
                (shown, document.entries)
            })
            .collect()
    }

    fn read(&self, path: &Path, shown: &Path, env: &Arc<str>) -> Document {
        let file: Arc<Path> = shown.into();
        let unreadable = |reason: String| Document {
            problems: vec![
                Problem::new(
                    Severity::Error,
                    Some(Place::line(Arc::clone(&file), 1)),
                    format!("The file can't be read: {reason}."),
                    "Make it a readable UTF-8 text file.",
                )
                .hiding(),
            ],
            ..Document::default()
        };
        match plain::read(path, plain::TEXT) {
            Ok(bytes) => match String::from_utf8(bytes) {
                Ok(text) => {
                    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
                    yaml::read(text, &file, env, self.budget)
                }
                Err(error) => unreadable(error.utf8_error().to_string()),
            },
            Err(error) => unreadable(error.to_string()),
        }
    }

    /// Reports keys that occur in two files of one environment (`_check_duplicates` in Kedro).
    /// Parameters are compared leaf by leaf, other kinds by top-level key; keys that start with `_`
    /// may repeat.
    fn report_duplicates(
        &mut self,
        kind: &str,
        documents: &[(PathBuf, IndexMap<String, Located>)],
    ) {
        let mut first_places: HashMap<String, Option<Place>> = HashMap::new();
        for (_, entries) in documents {
            let mut keys = Vec::new();
            for (key, located) in entries {
                let leaves = kind == "parameters";
                if collect_keys(key.clone(), located, leaves, &mut keys, self.budget).is_err() {
                    // Duplicates are not reported then. The spent budget is reported where the
                    // configuration grows too large.
                    return;
                }
            }
            for (key, place) in &keys {
                let Some(first) = first_places.get(key) else { continue };
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
            first_places.extend(keys);
        }
    }
}

fn collect_keys(
    key: String,
    located: &Located,
    leaves: bool,
    keys: &mut Vec<(String, Option<Place>)>,
    budget: &Budget,
) -> Result<(), Spent> {
    match &located.value {
        Value::Map(map) if leaves => {
            for (child, located) in map {
                budget.bytes(key.len() + child.len())?;
                collect_keys(format!("{key}.{child}"), located, leaves, keys, budget)?;
            }
        }
        _ => keys.push((key, located.origin.as_ref().map(|origin| origin.place.clone()))),
    }
    Ok(())
}

/// Merges mappings and replaces everything else (`OmegaConf.merge`). A list and a mapping under the
/// same key are an error.
fn merge_maps(
    base: &mut IndexMap<String, Located>,
    over: IndexMap<String, Located>,
    problems: &mut Vec<Problem>,
) {
    for (key, located) in over {
        match (base.get_mut(&key), located) {
            (
                Some(Located { value: Value::Map(base), .. }),
                Located { value: Value::Map(over), .. },
            ) => merge_maps(base, over, problems),
            (Some(Located { value: Value::List(_), origin }), located)
                if matches!(located.value, Value::Map(_)) =>
            {
                let first = origin.as_ref().map(|origin| format!(" in {}", origin.place));
                let text = format!(
                    "`{key}` is a mapping here and a list{}; Kedro can't merge the two.",
                    first.unwrap_or_default()
                );
                let place = located.origin.as_ref().map(|origin| origin.place.clone());
                problems.push(Problem::new(Severity::Error, place, text, "Make both of one kind."));
                base.insert(key, located);
            }
            (_, located) => drop(base.insert(key, located)),
        }
    }
}
