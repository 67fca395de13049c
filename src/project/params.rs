//! Values of `--params`: YAML texts by dotted keys.

use indexmap::IndexMap;
use serde::{Deserialize, Deserializer};
use serde_json::Value as Json;

use super::config;
use super::json::value_to_json;
use crate::text::secrets::{Secret, is_hidden, names_secret, redact};

/// Dotted keys to YAML texts. Kedro gets the texts as they are and parses them itself.
pub type Params = IndexMap<String, String>;

/// The value that Kedro parses from the text, in versions that parse it with OmegaConf (since 0.18.5).
pub fn typed(text: &str) -> Json {
    value_to_json(&config::value(text))
}

/// The parameters as one object, nested by their dotted keys as Kedro nests them. Secrets are in it as they are.
pub fn nested(params: &Params) -> Json {
    let mut root = serde_json::Map::new();
    for (key, text) in params {
        let mut map = &mut root;
        let mut parts = key.split('.').peekable();
        while let Some(part) = parts.next() {
            if parts.peek().is_none() {
                map.insert(part.to_owned(), typed(text));
                break;
            }
            let slot = map.entry(part).or_insert(Json::Null);
            if !slot.is_object() {
                *slot = Json::Object(serde_json::Map::new());
            }
            let Json::Object(inner) = slot else { break };
            map = inner;
        }
    }
    Json::Object(root)
}

/// The text that `typed` parses to this value.
pub fn as_written(value: &Json) -> String {
    match value {
        Json::String(text) if typed(text) == *value => text.clone(),
        // Text with control characters would be folded or is invalid in YAML; it is escaped as in JSON
        // instead.
        Json::String(text) if !text.contains(char::is_control) => {
            format!("'{}'", text.replace('\'', "''"))
        }
        other => other.to_string(),
    }
}

/// The leaves of an object by dotted keys, as [`nested`] takes them; lists are leaves. Empty for anything else.
pub fn dotted(object: &Json) -> Params {
    fn walk(prefix: &str, json: &Json, found: &mut Params) {
        match json {
            Json::Object(map) if !map.is_empty() => {
                for (key, value) in map {
                    let dot = if prefix.is_empty() { "" } else { "." };
                    walk(&format!("{prefix}{dot}{key}"), value, found);
                }
            }
            _ => drop(found.insert(prefix.to_owned(), as_written(json))),
        }
    }
    let mut found = Params::new();
    if object.as_object().is_some_and(|map| !map.is_empty()) {
        walk("", object, &mut found);
    }
    found
}

/// Whether the value is, or contains, a secret.
pub fn is_secret(key: &str, text: &str) -> bool {
    key.split(['.', '[']).any(|part| names_secret(part.trim_end_matches(']')))
        || redact(text) != text
}

/// The parameters with each secret replaced by its `mask`. From then on these secrets are removed from all
/// texts.
pub fn masked(params: &Params, mask: &dyn Fn(&str) -> String) -> Params {
    let shown = |(key, text): (&String, &String)| {
        let text = match is_secret(key, text) && !is_hidden(text) {
            true => {
                drop(Secret::of(text));
                mask(text)
            }
            false => text.clone(),
        };
        (key.clone(), text)
    };
    params.iter().map(shown).collect()
}

/// Deserializes values; those that are not texts are converted to text.
pub fn lenient<'de, D: Deserializer<'de>>(from: D) -> Result<Params, D::Error> {
    let values = IndexMap::<String, Json>::deserialize(from)?;
    let text = |value| match value {
        Json::String(text) => text,
        other => as_written(&other),
    };
    Ok(values.into_iter().map(|(key, value)| (key, text(value))).collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn dotted_keys_are_nested() {
        let pairs = [("a.b", "1"), ("a.c.d", "x"), ("e", "[1, 2]"), ("a.c", "5"), ("a.c.f", "yes")];
        let params =
            pairs.iter().map(|(key, text)| ((*key).to_owned(), (*text).to_owned())).collect();
        assert_eq!(nested(&params), json!({"a": {"b": 1, "c": {"f": true}}, "e": [1, 2]}));
        assert_eq!(nested(&Params::new()), json!({}));
    }

    #[test]
    fn nested_parameters_come_back_by_their_keys() {
        let object = json!({"a": {"b": 1, "c": {"d": "2", "e": {}}}, "f": [1, {"g": 2}]});
        let texts = [("a.b", "1"), ("a.c.d", "'2'"), ("a.c.e", "{}"), ("f", r#"[1,{"g":2}]"#)];
        let found = dotted(&object);
        assert_eq!(found.iter().map(|(k, v)| (&**k, &**v)).collect::<Vec<_>>(), texts);
        assert_eq!(nested(&found), object);
        assert_eq!((dotted(&Json::Null), dotted(&json!({}))), (Params::new(), Params::new()));
    }

    #[test]
    fn values_have_the_types_that_omegaconf_gives_them() {
        for (text, value) in [
            ("1", json!(1)),
            ("-3", json!(-3)),
            ("1e3", json!(1000.0)),
            (".5", json!(0.5)),
            ("0x10", json!(16)),
            ("010", json!(8)),
            ("08", json!("08")),
            ("1_000", json!(1000)),
            ("1:30", json!(90)),
            ("yes", json!(true)),
            ("off", json!(false)),
            ("None", json!("None")),
            ("null", json!(null)),
            ("", json!(null)),
            ("'1'", json!("1")),
            ("[1]", json!([1])),
            ("{x: 1}", json!({"x": 1})),
            ("[1", json!("[1")),
            ("2020-01-01", json!("2020-01-01")),
            ("a b", json!("a b")),
            ("a #1", json!("a")),
            ("!!str 1", json!("1")),
        ] {
            assert_eq!(typed(text), value, "{text}");
        }
    }

    #[test]
    fn a_written_value_parses_to_itself() {
        for value in [
            json!("1"),
            json!("yes"),
            json!("it's"),
            json!("{x: 1}"),
            json!("two\nlines: \t\"quoted\""),
            json!(1.5),
            json!(null),
            json!([1, {"a": "b, c"}]),
        ] {
            assert_eq!(typed(&as_written(&value)), value);
        }
    }
}
