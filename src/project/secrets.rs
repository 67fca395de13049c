//! Removes secrets from configuration: whole kinds, values by their keys, and parts of strings.

use indexmap::IndexMap;

use super::values::value_to_json;
use super::{Located, Value};
use crate::text::secrets::{self, Secret, names_secret, redact};

/// Removes the secrets from the resolved configuration of one kind.
pub(super) fn remove(kind: &str, located: &mut Located) {
    match &mut located.value {
        _ if names_secret(kind) => conceal(located),
        // The names of datasets do not indicate secrets.
        Value::Map(entries) if kind == "catalog" => {
            entries.values_mut().for_each(remove_from_definition);
        }
        _ => walk(located, kind, true),
    }
}

/// Removes the secrets from a dataset's definition.
pub(super) fn remove_from_definition(definition: &mut Located) {
    walk(definition, "catalog", true);
}

/// Conceals values under secret names before interpolations are resolved, so that values referring
/// to them become secrets too. Values that are interpolations themselves are left to [`at_path`].
pub(super) fn remove_plain(kind: &str, map: &mut IndexMap<String, Located>) {
    if names_secret(kind) {
        return;
    }
    for (key, located) in map {
        if kind == "catalog" {
            walk(located, kind, false);
        } else {
            entry(key, located, kind, false);
        }
    }
}

/// A resolved value, concealed if one of the keys on its path denotes a secret.
pub(super) fn at_path(kind: &str, path: &[String], value: Value) -> Value {
    if !names_secret_at(kind, path) {
        return value;
    }
    let mut located = Located { value, origin: None };
    conceal(&mut located);
    located.value
}

/// Whether one of the keys on a value's path denotes a secret.
pub(super) fn names_secret_at(kind: &str, path: &[String]) -> bool {
    let keys = path.get(usize::from(kind == "catalog")..).unwrap_or_default();
    names_secret(kind) || keys.iter().any(|key| names_secret(key) && !names_entry(kind, key))
}

/// Removes the secrets from parameters that Kedro returned. A secret that was also read from the
/// files keeps its identity.
pub(super) fn remove_from_exact(parameters: &mut Located, read: &Located) {
    lay_over(parameters, read);
    remove("parameters", parameters);
}

fn lay_over(exact: &mut Located, read: &Located) {
    match (&mut exact.value, &read.value) {
        (Value::Map(exact), Value::Map(read)) => {
            for (key, located) in exact {
                if let Some(read) = read.get(key) {
                    lay_over(located, read);
                }
            }
        }
        (Value::List(exact), Value::List(read)) => {
            exact.iter_mut().zip(read).for_each(|(exact, read)| lay_over(exact, read));
        }
        (exact, Value::Secret(secret)) => *exact = Value::Secret(secret.clone()),
        _ => {}
    }
}

/// Conceals every leaf of a value.
fn conceal(located: &mut Located) {
    conceal_but(located, &|_, _| false);
}

fn conceal_but(located: &mut Located, is_kept: &dyn Fn(&str, &Value) -> bool) {
    match &mut located.value {
        Value::Map(map) => {
            let secret = map.iter_mut().filter(|(key, located)| !is_kept(key, &located.value));
            secret.for_each(|(_, located)| conceal_but(located, is_kept));
        }
        Value::List(items) => items.iter_mut().for_each(|item| conceal_but(item, is_kept)),
        Value::Null | Value::Bool(_) | Value::Secret(_) => {}
        Value::Str(text) if text.is_empty() || text == "???" => {}
        Value::Str(text) | Value::Unknown(text) => located.value = Value::Secret(Secret::of(text)),
        number => *number = Value::Secret(Secret::of(&value_to_json(number).to_string())),
    }
}

/// Whether a string under this key is the name of a credentials entry, as in the catalog.
fn names_entry(kind: &str, key: &str) -> bool {
    key == "credentials" && !matches!(kind, "parameters" | "globals")
}

fn walk(located: &mut Located, kind: &str, resolved: bool) {
    match &mut located.value {
        Value::Map(map) => {
            map.iter_mut().for_each(|(key, located)| entry(key, located, kind, resolved));
        }
        Value::List(items) => items.iter_mut().for_each(|item| walk(item, kind, resolved)),
        Value::Str(text) if resolved => {
            let shown = secrets::remove(text);
            if shown != *text {
                located.value = Value::Secret(Secret::partly(text, &shown));
            }
        }
        Value::Unknown(text) => *text = redact(text),
        _ => {}
    }
}

fn entry(key: &str, located: &mut Located, kind: &str, resolved: bool) {
    let is_name = |key: &str, value: &Value| {
        names_entry(kind, key) && matches!(value, Value::Str(_) | Value::Unknown(_))
    };
    let is_open = |value: &Value| value.as_str().is_some_and(|text| text.contains("${"));
    match &located.value {
        value if is_name(key, value) => walk(located, kind, resolved),
        // Tables are joined by `key` columns, so a collection under `key` is no secret.
        Value::Map(_) | Value::List(_) if key == "key" => walk(located, kind, resolved),
        value if !names_secret(key) || !resolved && is_open(value) => walk(located, kind, resolved),
        _ => conceal_but(located, &|key, value| is_name(key, value) || !resolved && is_open(value)),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use crate::project::{Options, Reader};

    /// The whole configuration of a project with these files, as one text.
    fn config_text(files: &[(&str, &str)]) -> String {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write("pyproject.toml", "[tool.kedro]\npackage_name = \"shop\"\nproject_name = \"Shop\"\n");
        write(
            "src/shop/settings.py",
            "from omegaconf.resolvers import oc\nCONFIG_LOADER_ARGS = {'base_env': 'base', 'default_run_env': 'local', 'config_patterns': {\n\
             'secrets': ['secrets*'], 'credentials': ['credentials*', 'cred/**'], 'mlflow': ['mlflow*']},\n\
             'custom_resolvers': {'oc.env': oc.env}}\n",
        );
        write("conf/local/x", "");
        write("conf/base/catalog.yml", "{}");
        for (name, text) in files {
            write(name, text);
        }
        let read = Reader::new(folder.path()).configuration(&Options::default());
        let kinds = read.config.kinds.values();
        let json = kinds.map(|located| crate::project::json::located_to_json(located).to_string());
        json.collect::<Vec<_>>().join("\n") + &format!("{:?}", read.problems)
    }

    #[test]
    fn a_secret_is_hidden_wherever_it_lands() {
        let text = config_text(&[
            (
                "conf/base/globals.yml",
                "db_password: S_1\nplain: seen_1\nsite: https://u:S_2@h/x?y=S_3\n",
            ),
            ("conf/base/secrets.yml", "k: S_4\nl: [S_5, {m: S_6}]\n"),
            ("conf/local/cred/z.yml", "z: {p: S_7}\n"),
            (
                "conf/base/mlflow.yml",
                "server: {credentials: seen_2, uri: 'https://u:S_8@h', token: S_9}\n",
            ),
            (
                "conf/base/parameters.yml",
                "a: ${globals:db_password}\nb: 'x ${globals:db_password} seen_3'\nc: ${globals:site}\n\
                 api_key: S_10\nd: ${api_key}\nlist: [{token: S_11}]\nauth: {user: S_12}\n\
                 e: ${oc.env:SOME_TOKEN,S_13}\npassword: ${f}\nf: S_14\ng: ${password}\nsecret: '${nothing:S_15}'\n\
                 key: [seen_4]\npad_token: seen_5\nh: ${oc.select:api_key}\ncredentials: S_16\n\
                 i: ${runtime_params:login_password,S_19}\nj: ${oc.select:a_token,S_20}\n",
            ),
            (
                "conf/base/catalog.yml",
                "a: {type: t, credentials: seen_6, load_args: {storage_options: {key: S_17}}}\ntoken: {type: seen_7}\n\
                 b: {type: t, credentials: {client: S_18}, filepath: '${globals:site}/seen_8'}\n",
            ),
        ]);
        // No name marks the value of `f` itself as a secret.
        let found: Vec<&str> = text.match_indices("S_").map(|(at, _)| &text[at..at + 5]).collect();
        assert_eq!(found, ["S_14\""], "{text}");
        for number in 1..=8 {
            assert!(text.contains(&format!("seen_{number}")), "seen_{number}: {text}");
        }
    }
}
