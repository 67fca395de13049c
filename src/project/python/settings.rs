//! Evaluates the configuration settings in `settings.py`.

use indexmap::IndexMap;

use super::cache::{Opened, Purpose, SourceCache};
use super::interp::{Interp, Stop};
use super::module::Imported;
use super::source::At;
use super::value::{Dict, MAX_NESTING, Value};
use crate::project::settings::Settings;
use crate::project::{Budget, Located, Metadata, Value as Config};

/// Evaluates `settings.py`. A project without that file has Kedro's defaults.
pub(super) fn read(metadata: &Metadata, cache: &mut SourceCache, budget: &Budget) -> Settings {
    let opened = Opened::default();
    let mut settings = Settings::default();
    if metadata.package_name.is_empty() {
        return settings;
    }
    let mut interp = Interp::new(metadata, &opened, cache, Purpose::Settings, budget);
    if let Err(stop) = interp.settings(&mut settings) {
        if matches!(stop, Stop::Exhausted) {
            interp.exhausted();
        }
    }
    settings.problems = std::mem::take(&mut interp.problems).into_values().collect();
    settings
}

impl<'a> Interp<'a> {
    fn settings(&mut self, settings: &mut Settings) -> Result<(), Stop<'a>> {
        let name = format!("{}.settings", self.metadata.package_name);
        let Imported::Project(module) = self.import(&name)? else { return Ok(()) };
        let Some(at) = Self::start_of(&module) else { return Ok(()) };
        let get = |name: &str| module.scope.own(name);
        match get("CONF_SOURCE") {
            Some(Value::Str(text) | Value::Path(text)) => settings.conf_source = text.to_string(),
            Some(value @ (Value::Unknown(_) | Value::External(_) | Value::Instance(_))) => {
                let why = self.why(&value, at);
                self.unsure("`CONF_SOURCE`", &why);
            }
            _ => {}
        }
        match get("CONFIG_LOADER_CLASS") {
            Some(Value::External(name)) => {
                let class = name.rsplit('.').next().unwrap_or(&name);
                settings.config_loader_class = class.to_owned();
            }
            Some(Value::Class(class)) => {
                settings.config_loader_class = class.def.name.to_string();
            }
            Some(Value::Unknown(why)) => self.unsure("`CONFIG_LOADER_CLASS`", &why),
            _ => {}
        }
        match get("CONFIG_LOADER_ARGS") {
            Some(Value::Dict(args)) => self.loader_args(&args, settings, at)?,
            Some(Value::Unknown(why)) => self.unsure("`CONFIG_LOADER_ARGS`", &why),
            _ => {}
        }
        Ok(())
    }

    fn loader_args(
        &mut self,
        args: &Dict<'a>,
        settings: &mut Settings,
        at: At<'a>,
    ) -> Result<(), Stop<'a>> {
        // Dynaconf merges nothing here: a key missing from the dictionary takes the loader's own
        // default, which is the empty name for both environments.
        settings.base_env = String::new();
        settings.default_run_env = String::new();
        if let Some(why) = args.open.borrow().clone() {
            self.unsure("A part of `CONFIG_LOADER_ARGS`", &why);
        }
        let entries: Vec<_> = args.entries.borrow().values().cloned().collect();
        for (key, value) in entries {
            let Value::Str(key) = key else { continue };
            if let Value::Unknown(why) = &value {
                self.unsure(&format!("`{key}` in `CONFIG_LOADER_ARGS`"), why);
                continue;
            }
            match (&*key, &value) {
                ("base_env", Value::Str(name)) => settings.base_env = name.to_string(),
                ("default_run_env", Value::Str(name)) => {
                    settings.default_run_env = name.to_string();
                }
                ("ignore_hidden", value) => {
                    settings.ignore_hidden = self.truth(value, at).unwrap_or(true);
                }
                ("config_patterns", Value::Dict(patterns)) => {
                    for (kind, value) in text_keys(patterns) {
                        let names = self.read_texts(&value, at)?;
                        settings.config_patterns.insert(kind, names);
                    }
                }
                ("merge_strategy", Value::Dict(strategies)) => {
                    settings.merge_strategy = text_keys(strategies)
                        .filter_map(|(kind, value)| Some((kind, value.as_str()?.to_owned())))
                        .collect();
                }
                ("custom_resolvers", Value::Dict(resolvers)) => {
                    settings.custom_resolvers = self.resolvers(resolvers, at)?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn read_texts(&mut self, value: &Value<'a>, at: At<'a>) -> Result<Vec<String>, Stop<'a>> {
        let (items, _) = self.items(value, at)?;
        Ok(items.iter().filter_map(Value::as_str).map(ToOwned::to_owned).collect())
    }

    /// A resolver without parameters whose value is known is a constant.
    fn resolvers(
        &mut self,
        resolvers: &Dict<'a>,
        at: At<'a>,
    ) -> Result<IndexMap<String, Config>, Stop<'a>> {
        let mut found = IndexMap::new();
        for (name, function) in text_keys(resolvers) {
            let constant = match &function {
                Value::Function(code)
                    if code.decorated.is_none()
                        && code
                            .code
                            .parameters()
                            .is_none_or(|parameters| parameters.is_empty()) =>
                {
                    let value = self.call_with(&function, Vec::new(), at)?;
                    plain(&value, MAX_NESTING, self.budget)
                }
                _ => None,
            };
            let unknown = || Config::Unknown(format!("${{{name}:}}"));
            let value = constant.unwrap_or_else(unknown);
            found.insert(name, value);
        }
        Ok(found)
    }
}

fn text_keys<'a>(dict: &Dict<'a>) -> impl Iterator<Item = (String, Value<'a>)> + use<'a> {
    let entries: Vec<_> = dict.entries.borrow().values().cloned().collect();
    entries.into_iter().filter_map(|(key, value)| Some((key.as_str()?.to_owned(), value)))
}

/// A value as configuration data; `None` if it is not plain data, is nested more than `levels`
/// deep, or is larger than the budget covers.
fn plain(value: &Value<'_>, levels: u32, budget: &Budget) -> Option<Config> {
    let levels = levels.checked_sub(1)?;
    budget.bytes(size_of::<Located>() + value.as_str().map_or(0, str::len)).ok()?;
    let located =
        |value: &Value<'_>| Some(Located { value: plain(value, levels, budget)?, origin: None });
    if value.open().is_some() {
        return None;
    }
    Some(match value {
        Value::None => Config::Null,
        Value::Bool(value) => Config::Bool(*value),
        Value::Int(value) => Config::Int(*value),
        Value::Float(value) => Config::Float(*value),
        Value::Str(text) => Config::Str(text.to_string()),
        Value::List(list) => {
            Config::List(list.items.borrow().iter().map(located).collect::<Option<_>>()?)
        }
        Value::Tuple(items) => Config::List(items.iter().map(located).collect::<Option<_>>()?),
        Value::Dict(dict) => Config::Map(
            text_keys(dict)
                .map(|(key, value)| Some((key, located(&value)?)))
                .collect::<Option<_>>()?,
        ),
        _ => return None,
    })
}
