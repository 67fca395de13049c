//! Converts configuration values to JSON.

use serde_json::{Value as Json, json};

use super::model::Value;
use crate::text::secrets::{Key, Secret};

/// A configuration value as plain JSON. Values without a JSON form become strings: infinities and
/// NaN as Python writes them, secrets as the part that may be shown, unknown values as written.
pub fn value_to_json(value: &Value) -> Json {
    json_with(value, &|secret| secret.shown().to_owned())
}

/// A configuration value in the form that is stored: each secret becomes a mark that is equal for
/// equal secrets.
pub fn kept_json(value: &Value, key: Option<&Key>) -> Json {
    json_with(value, &|secret| {
        key.map_or_else(|| secret.shown().to_owned(), |key| secret.kept(key))
    })
}

fn json_with(value: &Value, secret_text: &dyn Fn(&Secret) -> String) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Bool(value) => Json::Bool(*value),
        Value::Int(value) => json!(value),
        Value::BigInt(digits) => Json::String(digits.clone()),
        Value::Float(value) if value.is_finite() => json!(value),
        Value::Float(value) if value.is_nan() => json!("nan"),
        Value::Float(value) => json!(if *value > 0.0 { "inf" } else { "-inf" }),
        Value::Str(text) => Json::String(text.clone()),
        Value::List(items) => {
            items.iter().map(|item| json_with(&item.value, secret_text)).collect()
        }
        Value::Map(map) => Json::Object(
            map.iter()
                .map(|(key, item)| (key.clone(), json_with(&item.value, secret_text)))
                .collect(),
        ),
        Value::Secret(secret) => json!(secret_text(secret)),
        Value::Unknown(text) => Json::String(text.clone()),
    }
}
