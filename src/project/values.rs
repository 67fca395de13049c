//! Configuration values as JSON.

use serde_json::{Value as Json, json};

use super::model::Value;
use crate::text::secrets::{Key, Secret};

/// A configuration value as plain JSON. What JSON can't say is a string: infinities and NaN as
/// Python writes them, secrets as what may be shown of them, the unknown as it is written.
pub fn value_to_json(value: &Value) -> Json {
    told_json(value, &|secret| secret.shown().to_owned())
}

/// A configuration value as it is kept: secrets as marks that tell one from another.
pub fn kept_json(value: &Value, key: Option<&Key>) -> Json {
    told_json(value, &|secret| {
        key.map_or_else(|| secret.shown().to_owned(), |key| secret.kept(key))
    })
}

fn told_json(value: &Value, told: &dyn Fn(&Secret) -> String) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Bool(value) => Json::Bool(*value),
        Value::Int(value) => json!(value),
        Value::BigInt(digits) => Json::String(digits.clone()),
        Value::Float(value) if value.is_finite() => json!(value),
        Value::Float(value) if value.is_nan() => json!("nan"),
        Value::Float(value) => json!(if *value > 0.0 { "inf" } else { "-inf" }),
        Value::Str(text) => Json::String(text.clone()),
        Value::List(items) => items.iter().map(|item| told_json(&item.value, told)).collect(),
        Value::Map(map) => Json::Object(
            map.iter().map(|(key, item)| (key.clone(), told_json(&item.value, told))).collect(),
        ),
        Value::Secret(secret) => json!(told(secret)),
        Value::Unknown(text) => Json::String(text.clone()),
    }
}
