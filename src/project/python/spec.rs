//! Format specifications, the part after the colon in `f"{value:>8.2f}"`.

use super::repr::float_repr;
use super::value::Value;

/// A format specification: `[[fill]align][sign][0][width][,][.precision][type]`.
pub(super) struct Spec {
    fill: char,
    align: Option<char>,
    plus: bool,
    width: usize,
    grouping: Option<char>,
    precision: Option<usize>,
    kind: Option<char>,
}

impl Spec {
    pub(super) fn parse(text: &str) -> Option<Spec> {
        let mut chars: Vec<char> = text.chars().collect();
        chars.reverse();
        let is_align = |c: Option<&char>| matches!(c, Some('<' | '>' | '^' | '='));
        let (mut fill, mut align) = (' ', None);
        if chars.len() > 1 && is_align(chars.get(chars.len() - 2)) {
            fill = chars.pop()?;
            align = chars.pop();
        } else if is_align(chars.last()) {
            align = chars.pop();
        }
        let plus = match chars.last() {
            Some('+') => chars.pop().is_some(),
            Some('-') => chars.pop().is_none(),
            _ => false,
        };
        if chars.last() == Some(&'0') && align.is_none() {
            chars.pop();
            (fill, align) = ('0', Some('='));
        }
        let width = digits(&mut chars)?.unwrap_or(0);
        let grouping = match chars.last() {
            Some(',' | '_') => chars.pop(),
            _ => None,
        };
        let precision = match chars.last() {
            Some('.') => {
                chars.pop();
                Some(digits(&mut chars)??)
            }
            _ => None,
        };
        let kind = chars.pop();
        (chars.is_empty() && width <= 10_000 && precision.unwrap_or(0) <= 1_000).then_some(Spec {
            fill,
            align,
            plus,
            width,
            grouping,
            precision,
            kind,
        })
    }

    /// An upper bound of the result's width in characters, including the digits of a number.
    pub(super) fn width(&self) -> usize {
        self.width + self.precision.unwrap_or(0) + 400
    }

    pub(super) fn apply(&self, value: &Value<'_>) -> Option<String> {
        let (body, numeric) = match (value, self.kind) {
            (Value::Str(text), None | Some('s')) => {
                let text: String =
                    text.chars().take(self.precision.unwrap_or(usize::MAX)).collect();
                (text, false)
            }
            (Value::Int(int), None | Some('d')) if self.precision.is_none() => {
                (self.group(&int.to_string()), true)
            }
            (Value::Int(int), Some('x')) => (signed(*int, |n| format!("{n:x}")), true),
            (Value::Int(int), Some('o')) => (signed(*int, |n| format!("{n:o}")), true),
            (Value::Int(int), Some('X')) => (signed(*int, |n| format!("{n:X}")), true),
            (Value::Int(int), Some('b')) => (signed(*int, |n| format!("{n:b}")), true),
            (Value::Int(_) | Value::Float(_), Some('f' | 'F')) => {
                let number = super::ops::number(value)?;
                (self.group(&format!("{number:.*}", self.precision.unwrap_or(6))), true)
            }
            (Value::Int(_) | Value::Float(_), Some('%')) => {
                let number = super::ops::number(value)? * 100.0;
                (format!("{number:.*}%", self.precision.unwrap_or(6)), true)
            }
            (Value::Float(float), None) if self.precision.is_none() => {
                let text = float_repr(*float);
                if self.grouping.is_some() && !text.ends_with(|c: char| c.is_ascii_digit()) {
                    return None;
                }
                if self.grouping.is_some() && text.contains('e') {
                    return None;
                }
                (self.group(&text), true)
            }
            _ => return None,
        };
        let body =
            if self.plus && numeric && !body.starts_with('-') { format!("+{body}") } else { body };
        Some(self.pad(body, numeric))
    }

    fn group(&self, digits: &str) -> String {
        let Some(separator) = self.grouping else { return digits.to_owned() };
        let (sign, digits) = match digits.strip_prefix('-') {
            Some(rest) => ("-", rest),
            None => ("", digits),
        };
        let (whole, fraction) = match digits.find('.') {
            Some(index) => digits.split_at(index),
            None => (digits, ""),
        };
        let mut out = sign.to_owned();
        for (index, digit) in whole.chars().enumerate() {
            if index > 0 && (whole.len() - index).is_multiple_of(3) {
                out.push(separator);
            }
            out.push(digit);
        }
        out + fraction
    }

    fn pad(&self, body: String, numeric: bool) -> String {
        let missing = self.width.saturating_sub(body.chars().count());
        if missing == 0 {
            return body;
        }
        let fill = |count: usize| self.fill.to_string().repeat(count);
        match self.align.unwrap_or(if numeric { '>' } else { '<' }) {
            '<' => body + &fill(missing),
            '^' => fill(missing / 2) + &body + &fill(missing - missing / 2),
            '=' => match body.strip_prefix(['-', '+']) {
                Some(digits) => body[..1].to_owned() + &fill(missing) + digits,
                None => fill(missing) + &body,
            },
            _ => fill(missing) + &body,
        }
    }
}

fn signed(int: i64, digits: impl Fn(u64) -> String) -> String {
    let text = digits(int.unsigned_abs());
    if int < 0 { format!("-{text}") } else { text }
}

/// The digits at the end of the text, which is given reversed; `Some(None)` if there are none.
fn digits(reversed: &mut Vec<char>) -> Option<Option<usize>> {
    let mut text = String::new();
    while let Some(c) = reversed.last().filter(|c| c.is_ascii_digit()) {
        text.push(*c);
        reversed.pop();
    }
    if text.is_empty() { Some(None) } else { text.parse().ok().map(Some) }
}
