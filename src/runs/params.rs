//! Values of `--params`, typed as Kedro types them: YAML through OmegaConf's loader.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::{Value as Json, json};

/// The value that Kedro makes of the text after `=`. What JSON can't say (infinities, NaN) stays
/// text, and so does what is not valid YAML.
pub(super) fn typed(text: &str) -> Json {
    let text = text.trim();
    if text.starts_with(['[', '{', '"', '\'']) || text.contains(": ") || text.starts_with("- ") {
        return match serde_yaml::from_str::<serde_yaml::Value>(text) {
            Ok(value) => from_yaml(value),
            Err(_) => Json::String(text.to_owned()),
        };
    }
    plain(text)
}

fn from_yaml(value: serde_yaml::Value) -> Json {
    serde_json::to_value(value).unwrap_or(Json::Null)
}

/// A plain scalar of YAML 1.1.
fn plain(text: &str) -> Json {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Json::Null,
        "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            return Json::Bool(true);
        }
        "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            return Json::Bool(false);
        }
        _ => {}
    }
    if INT.is_match(text) {
        if let Some(value) = int(&text.replace('_', "")) {
            return json!(value);
        }
    }
    if FLOAT.is_match(text) {
        if let Ok(value) = text.replace('_', "").parse::<f64>() {
            if value.is_finite() {
                return json!(value);
            }
        }
    }
    Json::String(text.to_owned())
}

fn int(text: &str) -> Option<i64> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let value = if let Some(hex) = digits.strip_prefix("0x") {
        i64::from_str_radix(hex, 16).ok()?
    } else if let Some(binary) = digits.strip_prefix("0b") {
        i64::from_str_radix(binary, 2).ok()?
    } else if digits.contains(':') {
        // Base 60: `1:30` is 90.
        digits.split(':').try_fold(0_i64, |sum, part| {
            sum.checked_mul(60)?.checked_add(part.parse::<i64>().ok()?)
        })?
    } else if digits.len() > 1 && digits.starts_with('0') {
        i64::from_str_radix(digits, 8).ok()?
    } else {
        digits.parse().ok()?
    };
    Some(sign * value)
}

fn pattern(text: &str) -> Regex {
    // The patterns are constants; a test uses each.
    Regex::new(text).unwrap_or_else(|error| unreachable!("a constant pattern: {error}"))
}

static INT: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"^[-+]?(0b[01_]+|0[0-7_]+|0|[1-9][0-9_]*|0x[0-9a-fA-F_]+|[1-9][0-9_]*(:[0-5]?[0-9])+)$",
    )
});

static FLOAT: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"^[-+]?([0-9][0-9_]*(\.[0-9_]*)?|\.[0-9][0-9_]*)([eE][-+]?[0-9]+)?$")
});

/// The value as it is written in `--params`, so that [`typed`] makes the same of it.
pub(super) fn as_written(value: &Json) -> String {
    match value {
        Json::String(text) if typed(text) != *value => format!("'{}'", text.replace('\'', "''")),
        Json::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_have_the_types_that_omegaconf_gives_them() {
        for (text, value) in [
            ("1", json!(1)),
            ("-3", json!(-3)),
            ("1e3", json!(1000.0)),
            (".5", json!(0.5)),
            ("0x10", json!(16)),
            ("010", json!(8)),
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
        ] {
            assert_eq!(typed(text), value, "{text}");
        }
    }

    #[test]
    fn what_is_written_is_read_again_as_the_same() {
        for value in [json!("1"), json!("yes"), json!("it's"), json!(1.5), json!(null), json!([1])]
        {
            assert_eq!(typed(&as_written(&value)), value);
        }
    }
}
