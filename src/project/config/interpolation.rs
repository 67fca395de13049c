//! Resolves `${...}` in a merged configuration, like `OmegaConf.to_container(resolve=True)` with
//! the resolvers that Kedro registers.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet};

use indexmap::IndexMap;

use super::grammar::{self, Argument, Call, KeyPath, Part};
use super::scalar::{python_text, type_plain};
use super::size;
use crate::project::budget::Spent;
use crate::project::{ASK_KEDRO, Budget, Located, Origin, Problem, Severity, Value, secrets};
use crate::text::secrets::{HIDDEN, Secret, names_secret, redact};

/// The values that interpolations of one kind of configuration can refer to.
#[derive(Clone, Copy)]
pub(super) struct Scope<'a> {
    /// The kind of configuration, such as `catalog` or `parameters`.
    pub kind: &'a str,
    /// The merged configuration itself, unresolved.
    pub root: &'a Located,
    /// Resolved globals; `None` in globals themselves.
    pub globals: Option<&'a Located>,
    /// Runtime parameters; `None` in globals, where Kedro does not allow them.
    pub runtime_params: Option<&'a Located>,
    /// Whether `oc.env` is registered: always for credentials, otherwise only by the project.
    pub env_allowed: bool,
    /// The project's own resolvers, each with its value if that is a constant.
    pub custom: &'a IndexMap<String, Value>,
    /// The remaining budget of the whole load.
    pub budget: &'a Budget,
}

/// The longest text that is searched for interpolations, in bytes.
const LONGEST_TEXT: usize = 1 << 16;

/// The longest chain of interpolations that lead from one to the next.
const DEEPEST_CHAIN: u32 = 5_000;

/// The largest number of problems of one resolution; nobody would read more.
const MOST_PROBLEMS: usize = 1_000;

/// Resolves a whole configuration. A value that can't be resolved becomes [`Value::Unknown`], with
/// a problem.
pub(super) fn resolve(scope: Scope<'_>) -> (Located, Vec<Problem>) {
    let resolver = Resolver {
        scope,
        resolved_values: RefCell::default(),
        in_progress: RefCell::default(),
        problems: RefCell::default(),
        depth: Cell::new(0),
        spent: Cell::new(false),
    };
    let resolved = resolver.tree(scope.root, &mut Vec::new());
    (resolved, resolver.problems.into_inner())
}

/// Why a value could not be resolved.
enum Fault {
    /// Kedro would raise: the error text and the remedy.
    Error(String, String),
    /// Only Python can compute the value; the text says why.
    Unknown(String),
    /// The cause is already reported where it originates.
    Reported,
    /// The budget is spent.
    Spent,
}

impl From<Spent> for Fault {
    fn from(_: Spent) -> Self {
        Fault::Spent
    }
}

impl Fault {
    fn error(text: impl Into<String>, remedy: impl Into<String>) -> Self {
        Fault::Error(text.into(), remedy.into())
    }
}

struct Resolver<'a> {
    scope: Scope<'a>,
    /// Resolved values of interpolated strings by path, so that each is resolved only once.
    resolved_values: RefCell<HashMap<Vec<String>, Located>>,
    in_progress: RefCell<HashSet<Vec<String>>>,
    problems: RefCell<Vec<Problem>>,
    /// The current length of the chain of interpolations.
    depth: Cell<u32>,
    /// Whether the spent budget is already reported.
    spent: Cell<bool>,
}

impl Resolver<'_> {
    /// The value at `path`, fully resolved.
    fn tree(&self, at: &Located, path: &mut Vec<String>) -> Located {
        if let Err(fault) = self.charge(size::of_one(at)) {
            return self.fault(fault, "", at.origin.as_ref());
        }
        let value = match &at.value {
            Value::Str(text) if grammar::concerns(text) => {
                return self.string(text, at.origin.as_ref(), path);
            }
            Value::List(items) => Value::List(
                items
                    .iter()
                    .enumerate()
                    .map(|(index, item)| {
                        path.push(index.to_string());
                        let item = self.tree(item, path);
                        path.pop();
                        item
                    })
                    .collect(),
            ),
            Value::Map(map) => Value::Map(
                map.iter()
                    .map(|(key, item)| {
                        path.push(key.clone());
                        let item = self.tree(item, path);
                        path.pop();
                        (key.clone(), item)
                    })
                    .collect(),
            ),
            other => other.clone(),
        };
        Located { value, origin: at.origin.clone() }
    }

    fn string(&self, text: &str, origin: Option<&Origin>, path: &[String]) -> Located {
        let is_secret = secrets::names_secret_at(self.scope.kind, path);
        let quoted = if is_secret { HIDDEN } else { text };
        if text.len() > LONGEST_TEXT {
            let fault = Fault::error(
                format!("`{}…` is too long for a text with interpolations.", short(quoted)),
                "Split it, or put it into a file.",
            );
            return self.fault(fault, text, origin);
        }
        let bytes = path.iter().map(|key| key.len() + 48).sum::<usize>() + text.len();
        let paid =
            self.charge(2 * bytes).and_then(|()| match self.resolved_values.borrow().get(path) {
                Some(resolved) => self.copy(resolved).map(Some),
                None => Ok(None),
            });
        match paid {
            Ok(Some(resolved)) => return resolved,
            Ok(None) => {}
            Err(fault) => return self.fault(fault, text, origin),
        }
        if self.depth.get() >= DEEPEST_CHAIN {
            let fault = Fault::error(
                format!("More than {DEEPEST_CHAIN} interpolations lead from one to the next here."),
                "Shorten the chain: Kedro fails at far fewer.",
            );
            return self.fault(fault, text, origin);
        }
        if !self.in_progress.borrow_mut().insert(path.to_vec()) {
            let fault = Fault::error(
                format!("`{quoted}` leads back to itself."),
                "Break the circle: one of these values must stand by itself.",
            );
            return self.fault(fault, text, origin);
        }
        self.depth.set(self.depth.get() + 1);
        let resolved = match grammar::parse(text) {
            Err(reason) => Err(Fault::error(
                format!("`{quoted}` is not a valid interpolation: {reason}."),
                "Write `${name}` or `${resolver:argument}`; `\\${` for the characters themselves.",
            )),
            Ok(parts) => self.parts(&parts, path),
        };
        self.depth.set(self.depth.get() - 1);
        self.in_progress.borrow_mut().remove(path);
        // The resolved value is stored in place of the interpolation and must respect the nesting
        // limit at that depth.
        let resolved = resolved.and_then(|value| {
            if path.len() + size::depth(&value) > size::DEEPEST {
                return Err(Fault::error(
                    format!(
                        "With what `{}` stands for, values are nested more than {} deep.",
                        short(quoted),
                        size::DEEPEST
                    ),
                    "Flatten the structure.",
                ));
            }
            self.charge_copy(&value)?;
            Ok(secrets::at_path(self.scope.kind, path, value))
        });
        let located = match resolved {
            Ok(value) => Located { value, origin: origin.cloned() },
            Err(fault) => self.fault(fault, text, origin),
        };
        self.resolved_values.borrow_mut().insert(path.to_vec(), located.clone());
        located
    }

    fn fault(&self, fault: Fault, text: &str, origin: Option<&Origin>) -> Located {
        let place = origin.map(|origin| origin.place.clone());
        let fault = match fault {
            _ if self.problems.borrow().len() >= MOST_PROBLEMS => Fault::Reported,
            Fault::Spent if self.spent.replace(true) => Fault::Reported,
            Fault::Spent => Fault::error(
                "The configuration grows too large here to be read: interpolations and aliases multiply it.",
                "Use fewer of them. The exact reading asks Kedro for the rest.",
            ),
            fault => fault,
        };
        match fault {
            Fault::Error(text, remedy) => {
                let text = short(&text).to_owned();
                let problem = Problem::new(Severity::Error, place, text, remedy);
                self.problems.borrow_mut().push(problem.hiding());
            }
            Fault::Unknown(text) => {
                let problem = Problem::new(Severity::Info, place, text, ASK_KEDRO);
                self.problems.borrow_mut().push(problem.hiding());
            }
            Fault::Reported | Fault::Spent => {}
        }
        Located { value: Value::Unknown(text.to_owned()), origin: origin.cloned() }
    }

    /// Charges `bytes` for new text and values.
    fn charge(&self, bytes: usize) -> Result<(), Fault> {
        Ok(self.scope.budget.bytes(bytes)?)
    }

    /// Charges for a copy of `value`.
    fn charge_copy(&self, value: &Value) -> Result<(), Fault> {
        Ok(size::charge(value, self.scope.budget)?)
    }

    /// A copy of a resolved value; the copy is charged.
    fn copy(&self, located: &Located) -> Result<Located, Fault> {
        self.charge_copy(&located.value)?;
        Ok(located.clone())
    }

    /// A single part keeps its type; several parts are joined into a string.
    fn parts(&self, parts: &[Part], path: &[String]) -> Result<Value, Fault> {
        match parts {
            [part] => self.part(part, path),
            parts => {
                let mut text = String::new();
                // If a part is a secret, the joined string is one too, with its own shown text and
                // material.
                let mut shown = String::new();
                let mut is_secret = false;
                for part in parts {
                    let value = self.part(part, path)?;
                    if let Value::Secret(secret) = &value {
                        is_secret = true;
                        text += &secret.material();
                        shown += secret.part().unwrap_or(HIDDEN);
                        continue;
                    }
                    if let Value::Str(part) = &value {
                        self.charge(2 * part.len())?;
                    }
                    let part = python_text(&value).ok_or_else(|| match value {
                        Value::Unknown(_) => Fault::Reported,
                        _ => Fault::Unknown(
                            "A list or mapping stands within a text, as Python writes it."
                                .to_owned(),
                        ),
                    })?;
                    text += &part;
                    shown += &part;
                }
                Ok(match is_secret {
                    true => Value::Secret(Secret::joined(&text, &redact(&shown))),
                    false => Value::Str(text),
                })
            }
        }
    }

    fn part(&self, part: &Part, path: &[String]) -> Result<Value, Fault> {
        match part {
            Part::Text(text) => {
                self.charge(text.len())?;
                Ok(Value::Str(text.clone()))
            }
            Part::Path(target) => self.path(target, path),
            Part::Call(call) => self.call(call, path),
        }
    }

    fn path(&self, target: &KeyPath, path: &[String]) -> Result<Value, Fault> {
        // One dot is the mapping that contains the value; each further dot goes up one level.
        let mut keys = match target.dots {
            0 => Vec::new(),
            dots => {
                let keep = path.len().checked_sub(dots).ok_or_else(|| {
                    Fault::error("The interpolation leads above the top.", "Use fewer dots.")
                })?;
                path[..keep].to_vec()
            }
        };
        for key in &target.keys {
            let value = self.parts(key, path)?;
            keys.push(python_text(&value).ok_or(Fault::Reported)?);
        }
        let selected = self.select(&keys);
        if matches!(&selected, Some(Ok(Value::Str(text))) if text == "???") {
            return Err(Fault::error(
                format!("`{}` is `???`, a value that is still to be given.", keys.join(".")),
                "Give it a value.",
            ));
        }
        selected.ok_or_else(|| {
            Fault::error(
                format!("Nothing is named `{}` in this configuration.", keys.join(".")),
                "Correct the name, or define it; values from `globals.yml` need `${globals:...}`.",
            )
        })?
    }

    /// The resolved value at a path from the top; `None` if there is no such path.
    fn select(&self, keys: &[String]) -> Option<Result<Value, Fault>> {
        let mut at = self.scope.root;
        let held;
        for (depth, key) in keys.iter().enumerate() {
            if let Value::Str(text) = &at.value {
                if grammar::concerns(text) {
                    held = self.string(text, at.origin.as_ref(), &keys[..depth]);
                    // Everything below an interpolation is already resolved.
                    return match select(&held, &keys[depth..]) {
                        Some(located) => {
                            Some(self.copy(located).and_then(|copy| known(copy.value)))
                        }
                        None if matches!(held.value, Value::Unknown(_)) => {
                            Some(Err(Fault::Reported))
                        }
                        None => None,
                    };
                }
            }
            at = child(at, key)?;
        }
        if self.scope.budget.is_spent() {
            return Some(Err(Fault::Spent));
        }
        let located = self.tree(at, &mut keys.to_vec());
        Some(known(located.value))
    }

    fn call(&self, call: &Call, path: &[String]) -> Result<Value, Fault> {
        let arguments: Vec<Value> = call
            .arguments
            .iter()
            .map(|argument| self.argument(argument, path))
            .collect::<Result<_, _>>()?;
        if let Some(value) = self.scope.custom.get(&call.name) {
            return match value {
                // The project registered OmegaConf's own `oc.env`.
                Value::Unknown(_) if call.name == "oc.env" => self.env(&arguments),
                Value::Unknown(_) => Err(Fault::Unknown(format!(
                    "`{}` is a resolver of the project's own; only Python can tell its value.",
                    call.name
                ))),
                value => {
                    self.charge_copy(value)?;
                    Ok(match names_secret(&call.name) {
                        true => secrets::at_path("secrets", &[], value.clone()),
                        false => value.clone(),
                    })
                }
            };
        }
        match call.name.as_str() {
            "globals" => self.look_up("globals", self.scope.globals, &arguments),
            "runtime_params" => {
                self.look_up("runtime_params", self.scope.runtime_params, &arguments)
            }
            "oc.env" if self.scope.env_allowed => self.env(&arguments),
            "oc.env" => Err(Fault::error(
                "`oc.env` works in credentials alone.",
                "Move the value to credentials.yml, or register `oc.env` in `custom_resolvers` in settings.py.",
            )),
            "oc.select" => self.oc_select(&arguments, path),
            "oc.dict.keys" | "oc.dict.values" => self.oc_dict(&call.name, &arguments, path),
            "oc.create" => {
                arguments.into_iter().next().ok_or_else(|| argument_missing("oc.create"))
            }
            "oc.decode" => match arguments.first() {
                Some(Value::Str(text)) => self.decode(text, path),
                Some(other) => Ok(other.clone()),
                None => Err(argument_missing("oc.decode")),
            },
            name => Err(Fault::error(
                format!("There is no resolver `{name}`."),
                "Register it in `custom_resolvers` in settings.py, or correct the name.",
            )),
        }
    }

    /// `_get_globals_value` and `_get_runtime_value` in Kedro.
    fn look_up(
        &self,
        resolver: &str,
        source: Option<&Located>,
        arguments: &[Value],
    ) -> Result<Value, Fault> {
        let Some(source) = source else {
            return Err(Fault::error(
                format!("`{resolver}` does not work in globals."),
                "Write the value itself.",
            ));
        };
        let Some(name) = arguments.first().and_then(python_text) else {
            return Err(argument_missing(resolver));
        };
        if resolver == "globals" && name.starts_with('_') {
            return Err(Fault::error(
                format!("`{name}` can't be read: keys of globals that start with `_` are private."),
                "Rename the key.",
            ));
        }
        if arguments.len() > 2 {
            return Err(Fault::error(
                format!("`{resolver}` takes a name and a default, and no more."),
                "Put a default that holds commas in quotes or brackets.",
            ));
        }
        let keys: Vec<String> = split_path(&name);
        if let Some(key) = not_an_index(source, &keys) {
            return Err(Fault::error(
                format!("`{key}` in `{name}` is no index of a list."),
                "Use a number from 0.",
            ));
        }
        match select(source, &keys) {
            Some(located) => known(self.copy(located)?.value),
            None => match arguments.get(1) {
                Some(default) => known(secrets::at_path("parameters", &keys, default.clone())),
                None if resolver == "globals" => Err(Fault::error(
                    format!("`{name}` is not in globals, and there is no default."),
                    "Add it to globals.yml, or give a default: `${globals:name,default}`.",
                )),
                None => Err(Fault::error(
                    format!(
                        "The runtime parameter `{name}` is not given, and there is no default."
                    ),
                    "Pass it with --params, or give a default: `${runtime_params:name,default}`.",
                )),
            },
        }
    }

    /// `omegaconf.resolvers.oc.env`. The value is not kept if the variable's name denotes a secret.
    fn env(&self, arguments: &[Value]) -> Result<Value, Fault> {
        let Some(name) = arguments.first().and_then(python_text) else {
            return Err(argument_missing("oc.env"));
        };
        let value = self.variable(&name, arguments)?;
        Ok(match names_secret(&name) {
            true => secrets::at_path("secrets", &[], value),
            false => value,
        })
    }

    fn variable(&self, name: &str, arguments: &[Value]) -> Result<Value, Fault> {
        match std::env::var(name) {
            Ok(value) => Ok(Value::Str(value)),
            Err(_) => match arguments.get(1) {
                Some(Value::Null) => Ok(Value::Null),
                Some(secret @ Value::Secret(_)) => Ok(secret.clone()),
                Some(default) => Ok(python_text(default).map_or(Value::Null, Value::Str)),
                None => Err(Fault::error(
                    format!("The environment variable `{name}` is not set."),
                    format!(
                        "Set it before starting, or give a default: `${{oc.env:{name},default}}`."
                    ),
                )),
            },
        }
    }

    /// `omegaconf.resolvers.oc.decode`: parses the text like a resolver argument.
    fn decode(&self, text: &str, path: &[String]) -> Result<Value, Fault> {
        self.charge(4 * text.len())?;
        let parts = grammar::parse(&format!("${{oc.decode:{text}}}")).unwrap_or_default();
        match parts.as_slice() {
            [Part::Call(Call { arguments, .. })] if arguments.len() == 1 => {
                self.argument(&arguments[0], path)
            }
            _ => Err(Fault::error(
                format!("`oc.decode` can't read `{text}`."),
                "Write a number, a word, a list or a mapping.",
            )),
        }
    }

    /// The value under a dotted name; leading dots make the name relative.
    fn select_named(&self, name: &str, path: &[String]) -> Option<Result<Value, Fault>> {
        let rest = name.trim_start_matches('.');
        let dots = name.len() - rest.len();
        let mut keys = match dots {
            0 => Vec::new(),
            dots => path[..path.len().checked_sub(dots)?].to_vec(),
        };
        keys.extend(split_path(rest));
        self.select(&keys)
    }

    fn oc_select(&self, arguments: &[Value], path: &[String]) -> Result<Value, Fault> {
        let Some(name) = arguments.first().and_then(python_text) else {
            return Err(argument_missing("oc.select"));
        };
        match self.select_named(&name, path) {
            Some(value) => value,
            None => {
                let default = arguments.get(1).cloned().unwrap_or_default();
                Ok(secrets::at_path("parameters", &split_path(&name), default))
            }
        }
    }

    fn oc_dict(
        &self,
        resolver: &str,
        arguments: &[Value],
        path: &[String],
    ) -> Result<Value, Fault> {
        let value = match arguments.first() {
            Some(Value::Str(name)) => self.select_named(name, path).unwrap_or(Ok(Value::Null))?,
            Some(value) => value.clone(),
            None => return Err(argument_missing(resolver)),
        };
        let Value::Map(map) = value else {
            return Err(Fault::error(
                format!("`{resolver}` needs a mapping."),
                "Name one: `${oc.dict.keys:name}`.",
            ));
        };
        Ok(Value::List(if resolver == "oc.dict.keys" {
            map.into_keys().map(|key| Located { value: Value::Str(key), origin: None }).collect()
        } else {
            map.into_values().collect()
        }))
    }

    fn argument(&self, argument: &Argument, path: &[String]) -> Result<Value, Fault> {
        Ok(match argument {
            Argument::Quoted(parts) => match self.parts(parts, path)? {
                value @ Value::Str(_) => value,
                value => python_text(&value).map_or(value, Value::Str),
            },
            Argument::Plain(parts) => match parts.as_slice() {
                [] => Value::Str(String::new()),
                [Part::Text(text)] => typed(text),
                parts => self.parts(parts, path)?,
            },
            Argument::List(items) => Value::List(
                items
                    .iter()
                    .map(|item| Ok(Located { value: self.argument(item, path)?, origin: None }))
                    .collect::<Result<_, Fault>>()?,
            ),
            Argument::Map(entries) => Value::Map(
                entries
                    .iter()
                    .map(|(key, item)| {
                        Ok((
                            key.clone(),
                            Located { value: self.argument(item, path)?, origin: None },
                        ))
                    })
                    .collect::<Result<_, Fault>>()?,
            ),
        })
    }
}

fn argument_missing(resolver: &str) -> Fault {
    Fault::error(
        format!("`{resolver}` needs an argument."),
        format!("Name what it shall give: `${{{resolver}:name}}`."),
    )
}

/// The first 1,000 bytes of a text, for messages.
fn short(text: &str) -> &str {
    &text[..text.floor_char_boundary(1_000)]
}

/// Turns an unknown value into a fault, whose cause is already reported.
fn known(value: Value) -> Result<Value, Fault> {
    match value {
        Value::Unknown(_) => Err(Fault::Reported),
        value => Ok(value),
    }
}

fn split_path(name: &str) -> Vec<String> {
    name.replace('[', ".").replace(']', "").split('.').map(str::to_owned).collect()
}

fn child<'a>(at: &'a Located, key: &str) -> Option<&'a Located> {
    match &at.value {
        Value::Map(map) => map.get(key),
        // A negative index counts from the end.
        Value::List(items) => match key.parse::<isize>().ok()? {
            index @ 0.. => items.get(index.unsigned_abs()),
            index => items.get(items.len().checked_sub(index.unsigned_abs())?),
        },
        _ => None,
    }
}

/// The first key that indexes a list with something other than a number.
fn not_an_index<'a>(mut at: &Located, keys: &'a [String]) -> Option<&'a str> {
    for key in keys {
        if matches!(at.value, Value::List(_)) && key.parse::<isize>().is_err() {
            return Some(key);
        }
        at = child(at, key)?;
    }
    None
}

fn select<'a>(at: &'a Located, keys: &[String]) -> Option<&'a Located> {
    keys.iter().try_fold(at, |at, key| child(at, key))
}

/// Types an unquoted argument as OmegaConf's grammar does: only `true`, `false`, `null` and decimal
/// numbers are not strings.
fn typed(text: &str) -> Value {
    match text.to_ascii_lowercase().as_str() {
        "true" => Value::Bool(true),
        "false" => Value::Bool(false),
        "null" => Value::Null,
        "inf" | "+inf" => Value::Float(f64::INFINITY),
        "-inf" => Value::Float(f64::NEG_INFINITY),
        "nan" => Value::Float(f64::NAN),
        lower => {
            let body = lower.trim_start_matches(['-', '+']);
            let zeros = body.len() > 1 && body.starts_with('0') && !body.starts_with("0.");
            let number = body.starts_with(|c: char| c.is_ascii_digit() || c == '.')
                && !body.contains(':')
                && !zeros
                && !text.ends_with('_')
                && !text.contains("__")
                && !lower.starts_with("0x");
            match type_plain(text) {
                value @ (Value::Int(_) | Value::Float(_) | Value::BigInt(_)) if number => value,
                _ => Value::Str(text.to_owned()),
            }
        }
    }
}
