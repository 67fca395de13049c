//! Types plain YAML scalars like OmegaConf's loader: PyYAML's YAML 1.1 resolvers, with OmegaConf's
//! own float pattern and without timestamps (`get_yaml_loader` in `omegaconf/_yaml.py`).

use std::sync::LazyLock;

use regex::Regex;

use crate::project::Value;

/// The typed value of a plain (unquoted, untagged) scalar.
pub(super) fn type_plain(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Value::Null,
        "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            return Value::Bool(true);
        }
        "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            return Value::Bool(false);
        }
        _ => {}
    }
    if !text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '.')) {
        return Value::Str(text.to_owned());
    }
    // PyYAML tries its resolvers in the order of their registration: float, int, OmegaConf's float.
    if FLOAT.is_match(text) {
        return float(text);
    }
    if INT.is_match(text) {
        return int(text);
    }
    if OMEGACONF_FLOAT.is_match(text) {
        return float(text);
    }
    Value::Str(text.to_owned())
}

/// A scalar with an explicit core tag (`int`, `float`, `bool`, `str`, `null`); `None` for another
/// tag or if the text does not fit the tag.
pub(super) fn type_tagged(tag: &str, text: &str) -> Option<Value> {
    match tag {
        "str" => Some(Value::Str(text.to_owned())),
        "null" => Some(Value::Null),
        "bool" => match text.to_ascii_lowercase().as_str() {
            "yes" | "true" | "on" => Some(Value::Bool(true)),
            "no" | "false" | "off" => Some(Value::Bool(false)),
            _ => None,
        },
        "int" => INT.is_match(text).then(|| int(text)),
        "float" => {
            let fits = FLOAT.is_match(text) || OMEGACONF_FLOAT.is_match(text) || INT.is_match(text);
            fits.then(|| float(text))
        }
        _ => None,
    }
}

fn pattern(text: &str) -> Regex {
    // The patterns are constants, and a test compiles each of them.
    Regex::new(text).unwrap_or_else(|error| unreachable!("a constant pattern: {error}"))
}

/// The float pattern of PyYAML's `SafeLoader`.
static FLOAT: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"^(?:[-+]?(?:[0-9][0-9_]*)\.[0-9_]*(?:[eE][-+][0-9]+)?|\.[0-9][0-9_]*(?:[eE][-+][0-9]+)?|[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+\.[0-9_]*|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$",
    )
});

/// The integer pattern of PyYAML's `SafeLoader`.
static INT: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"^(?:[-+]?0b[0-1_]+|[-+]?0[0-7_]+|[-+]?(?:0|[1-9][0-9_]*)|[-+]?0x[0-9a-fA-F_]+|[-+]?[1-9][0-9_]*(?::[0-5]?[0-9])+)$",
    )
});

/// OmegaConf's float: an exponent needs neither a sign nor a decimal point.
static OMEGACONF_FLOAT: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"^(?:[-+]?[0-9]+(?:_[0-9]+)*\.[0-9_]*(?:[eE][-+]?[0-9]+)?|[-+]?[0-9]+(?:_[0-9]+)*(?:[eE][-+]?[0-9]+)|\.[0-9]+(?:_[0-9]+)*(?:[eE][-+][0-9]+)?|[-+]?[0-9]+(?:_[0-9]+)*(?::[0-5]?[0-9])+\.[0-9_]*|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$",
    )
});

/// Converts an integer like `SafeConstructor.construct_yaml_int`.
fn int(text: &str) -> Value {
    let digits = text.replace('_', "");
    let (negative, digits) = match digits.as_bytes().first() {
        Some(b'-') => (true, &digits[1..]),
        Some(b'+') => (false, &digits[1..]),
        _ => (false, digits.as_str()),
    };
    let (radix, body) = if let Some(body) = digits.strip_prefix("0b") {
        (2, body)
    } else if let Some(body) = digits.strip_prefix("0x") {
        (16, body)
    } else if digits.len() > 1 && digits.starts_with('0') {
        (8, &digits[1..])
    } else if digits.contains(':') {
        let value = digits.split(':').try_fold(0i64, |value, part| {
            value.checked_mul(60)?.checked_add(part.parse::<i64>().ok()?)
        });
        return match value {
            Some(value) => Value::Int(if negative { -value } else { value }),
            None => Value::Str(text.to_owned()),
        };
    } else {
        (10, digits)
    };
    let sign = if negative { "-" } else { "" };
    match i64::from_str_radix(&format!("{sign}{body}"), radix) {
        Ok(value) => Value::Int(value),
        Err(_) if radix == 10 => Value::BigInt(format!("{sign}{body}")),
        Err(_) => match decimal(body, radix) {
            Some(digits) => Value::BigInt(format!("{sign}{digits}")),
            None => Value::Str(text.to_owned()),
        },
    }
}

/// Digits of a number beyond 64 bits, converted to decimal.
fn decimal(digits: &str, radix: u32) -> Option<String> {
    if digits.is_empty() || digits.len() > 1000 {
        return None;
    }
    // Decimal digits, least significant first.
    let mut number = vec![0u32];
    for c in digits.chars() {
        let mut carry = c.to_digit(radix)?;
        for digit in &mut number {
            let value = *digit * radix + carry;
            *digit = value % 10;
            carry = value / 10;
        }
        while carry > 0 {
            number.push(carry % 10);
            carry /= 10;
        }
    }
    Some(number.iter().rev().filter_map(|digit| char::from_digit(*digit, 10)).collect())
}

/// Converts a float like `SafeConstructor.construct_yaml_float`.
fn float(text: &str) -> Value {
    let digits = text.replace('_', "").to_ascii_lowercase();
    let (sign, digits) = match digits.as_bytes().first() {
        Some(b'-') => (-1.0, &digits[1..]),
        Some(b'+') => (1.0, &digits[1..]),
        _ => (1.0, digits.as_str()),
    };
    let value = match digits {
        ".inf" => Some(f64::INFINITY),
        ".nan" => Some(f64::NAN),
        _ => digits
            .split(':')
            .try_fold(0.0, |value, part| Some(value * 60.0 + part.parse::<f64>().ok()?)),
    };
    value.map_or_else(|| Value::Str(text.to_owned()), |value| Value::Float(sign * value))
}

/// A scalar as Python's `str()` writes it; `None` for lists, mappings and unknown values.
pub(super) fn python_text(value: &Value) -> Option<String> {
    Some(match value {
        Value::Null => "None".to_owned(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::Int(value) => value.to_string(),
        Value::BigInt(digits) => digits.clone(),
        Value::Float(value) => python_float(*value),
        Value::Str(text) => text.clone(),
        Value::List(_) | Value::Map(_) | Value::Secret(_) | Value::Unknown(_) => return None,
    })
}

/// `repr(float)`: the shortest digits; an exponent below 1e-4 and from 1e16.
fn python_float(value: f64) -> String {
    if value.is_nan() {
        return "nan".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "inf" } else { "-inf" }.to_owned();
    }
    let magnitude = value.abs();
    if magnitude != 0.0 && !(1e-4..1e16).contains(&magnitude) {
        let text = format!("{value:e}");
        let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let (sign, digits) = match exponent.strip_prefix('-') {
            Some(digits) => ('-', digits),
            None => ('+', exponent),
        };
        return format!("{mantissa}e{sign}{digits:0>2}");
    }
    let text = format!("{value}");
    if text.contains('.') { text } else { format!("{text}.0") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_scalars_are_typed_as_omegaconf_types_them() {
        let string = |text: &str| Value::Str(text.to_owned());
        for (text, value) in [
            ("", Value::Null),
            ("~", Value::Null),
            ("Null", Value::Null),
            ("nULL", string("nULL")),
            ("yes", Value::Bool(true)),
            ("Off", Value::Bool(false)),
            ("y", string("y")),
            ("0", Value::Int(0)),
            ("-17", Value::Int(-17)),
            ("1_000", Value::Int(1000)),
            ("010", Value::Int(8)),
            ("08", string("08")),
            ("0o10", string("0o10")),
            ("0x1F", Value::Int(31)),
            ("0b11", Value::Int(3)),
            ("1:30", Value::Int(90)),
            ("1:30.5", Value::Float(90.5)),
            ("12345678901234567890", Value::BigInt("12345678901234567890".into())),
            ("0x8000000000000000", Value::BigInt("9223372036854775808".into())),
            ("1.", Value::Float(1.0)),
            ("1.5e3", Value::Float(1500.0)),
            ("1e3", Value::Float(1000.0)),
            ("1E-3", Value::Float(0.001)),
            (".5", Value::Float(0.5)),
            ("-.inf", Value::Float(f64::NEG_INFINITY)),
            ("2026-11-23", string("2026-11-23")),
            ("1.2.3", string("1.2.3")),
            ("=", string("=")),
            ("e3", string("e3")),
        ] {
            assert_eq!(type_plain(text), value, "{text:?}");
        }
        assert!(matches!(type_plain(".NaN"), Value::Float(value) if value.is_nan()));
    }

    #[test]
    fn explicit_tags_force_a_type() {
        assert_eq!(type_tagged("str", "1"), Some(Value::Str("1".into())));
        assert_eq!(type_tagged("float", "1"), Some(Value::Float(1.0)));
        assert_eq!(type_tagged("int", "a"), None);
        assert_eq!(type_tagged("set", "a"), None);
    }

    #[test]
    fn floats_are_written_as_python_writes_them() {
        for (value, text) in [
            (1.0, "1.0"),
            (0.1, "0.1"),
            (1e16, "1e+16"),
            (1.5e-7, "1.5e-07"),
            (123456789.0, "123456789.0"),
            (-0.0001, "-0.0001"),
            (f64::NEG_INFINITY, "-inf"),
        ] {
            assert_eq!(python_float(value), text);
        }
    }
}
