//! Format specifications, the part after the colon in `f"{value:>8.2f}"`.

use std::iter::Peekable;
use std::str::Chars;

use super::repr::float_repr;
use super::value::Value;

/// Most characters of a number without padding: `f64::MAX` has 309 digits, 102 separators, a sign and 6
/// decimals.
const MOST_OF_NUMBER: usize = 420;

/// A format specification: `[[fill]align][sign][0][width][, or _][.precision][type]`. A sign is `+` or `-`.
///
/// Specifications with `#`, `z`, a blank as the sign, or the types `c`, `e`, `g` and `n` are not supported.
pub(super) struct FormatSpec {
    fill: char,
    align: Option<char>,
    /// Whether `0` stands before the width, which fills up with zeros.
    zeros: bool,
    sign: Option<char>,
    width: usize,
    grouping: Option<char>,
    precision: Option<usize>,
    kind: Option<char>,
}

impl FormatSpec {
    /// Parses a specification; `None` if it is not supported.
    pub(super) fn parse(text: &str) -> Option<FormatSpec> {
        let is_align = |c: &char| matches!(c, '<' | '>' | '^' | '=');
        let mut rest = text.chars().peekable();
        let mut fill = None;
        let mut align = None;
        if text.chars().nth(1).as_ref().is_some_and(is_align) {
            fill = rest.next();
            align = rest.next();
        } else if rest.peek().is_some_and(is_align) {
            align = rest.next();
        }
        let sign = rest.next_if(|c| matches!(c, '+' | '-'));
        let zeros = fill.is_none() && rest.next_if_eq(&'0').is_some();
        let width = take_number(&mut rest)?.unwrap_or(0);
        let grouping = rest.next_if(|c| matches!(c, ',' | '_'));
        let precision = match rest.next_if_eq(&'.') {
            Some(_) => Some(take_number(&mut rest)??),
            None => None,
        };
        let kind = rest.next();
        let is_supported =
            rest.next().is_none() && width <= 10_000 && precision.unwrap_or(0) <= 1_000;
        is_supported.then_some(FormatSpec {
            fill: fill.unwrap_or(if zeros { '0' } else { ' ' }),
            align,
            zeros,
            sign,
            width,
            grouping,
            precision,
            kind,
        })
    }

    /// Most characters of a result, without those of a formatted string.
    pub(super) fn most_chars(&self) -> usize {
        self.width + self.precision.unwrap_or(0) + MOST_OF_NUMBER
    }

    /// The result of `format(value, self)`; `None` if Python raises an error, or the combination is not
    /// supported.
    pub(super) fn apply(&self, value: &Value<'_>) -> Option<String> {
        match value {
            Value::Str(text) => self.string(text),
            Value::Int(_) | Value::Float(_) => {
                let number = self.number(value)?;
                let sign =
                    if self.sign == Some('+') && !number.starts_with('-') { "+" } else { "" };
                let align = self.align.unwrap_or(if self.zeros { '=' } else { '>' });
                // Python would separate the zeros into groups, too.
                if (self.fill, align) == ('0', '=') && self.grouping.is_some() {
                    return None;
                }
                Some(self.pad(format!("{sign}{number}"), align))
            }
            _ => None,
        }
    }

    fn string(&self, text: &str) -> Option<String> {
        // Before Python 3.10, `0` is an error for strings.
        let is_valid = matches!(self.kind, None | Some('s'))
            && self.sign.is_none()
            && self.grouping.is_none()
            && self.align != Some('=')
            && !(self.zeros && self.align.is_none());
        let text = text.chars().take(self.precision.unwrap_or(usize::MAX)).collect();
        is_valid.then(|| self.pad(text, self.align.unwrap_or('<')))
    }

    /// A number without padding and without a `+`.
    fn number(&self, value: &Value<'_>) -> Option<String> {
        match (value, self.kind) {
            (Value::Int(int), None | Some('d')) if self.precision.is_none() => {
                Some(self.group(&int.to_string()))
            }
            (Value::Int(int), Some(kind @ ('x' | 'X' | 'o' | 'b')))
                if self.precision.is_none() && self.grouping.is_none() =>
            {
                let sign = if *int < 0 { "-" } else { "" };
                let size = int.unsigned_abs();
                Some(match kind {
                    'x' => format!("{sign}{size:x}"),
                    'X' => format!("{sign}{size:X}"),
                    'o' => format!("{sign}{size:o}"),
                    _ => format!("{sign}{size:b}"),
                })
            }
            (_, Some(kind @ ('f' | 'F' | '%'))) => {
                let number = super::ops::number(value)?;
                let (number, percent) =
                    if kind == '%' { (number * 100.0, "%") } else { (number, "") };
                let digits = format!("{number:.*}", self.precision.unwrap_or(6));
                number.is_finite().then(|| self.group(&digits) + percent)
            }
            (Value::Float(float), None) if self.precision.is_none() => {
                let text = float_repr(*float);
                let is_plain = float.is_finite() && !text.contains('e');
                (is_plain || self.grouping.is_none()).then(|| self.group(&text))
            }
            _ => None,
        }
    }

    /// Separates the digits before the point into groups of three.
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

    fn pad(&self, text: String, align: char) -> String {
        let missing = self.width.saturating_sub(text.chars().count());
        let fill = |count: usize| self.fill.to_string().repeat(count);
        match align {
            '<' => text + &fill(missing),
            '^' => fill(missing / 2) + &text + &fill(missing - missing / 2),
            '=' => match text.strip_prefix(['-', '+']) {
                Some(digits) => text[..1].to_owned() + &fill(missing) + digits,
                None => fill(missing) + &text,
            },
            _ => fill(missing) + &text,
        }
    }
}

/// Takes the digits at the start of `rest`, and returns their number: `Some(None)` if there are no digits,
/// `None` if the number is too large.
fn take_number(rest: &mut Peekable<Chars<'_>>) -> Option<Option<usize>> {
    let mut digits = String::new();
    while let Some(digit) = rest.next_if(char::is_ascii_digit) {
        digits.push(digit);
    }
    if digits.is_empty() { Some(None) } else { digits.parse().ok().map(Some) }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    /// Prints a line of JSON for each value and specification: their indexes, and Python's result or null.
    const PYTHON: &str = r"
import json
values = [5, -5, 0, 255, 1234, -1234567, 0.5, -0.0, 1234.5, 1e20, float('inf'), float('nan'), 'a', '', '\u65e5\u672c']
signs, kinds = ['', '+', '-'], ['', 'd', 'f', 'F', '%', 'x', 'X', 'o', 'b', 's', 'e', 'g', 'n', 'c', 'q']
starts = ['', '<', '^', '>', '=', '*<', 'x=', '0>', '+^']
widths = ['', '0', '5', '05', '08', '00', '010', '8,', '08,', ',', '_', '8_']
for value in values:
    for start in starts:
        for sign in signs:
            for width in widths:
                for precision in ['', '.0', '.2']:
                    for kind in kinds:
                        spec = start + sign + width + precision + kind
                        try:
                            result = format(value, spec)
                        except Exception:
                            result = None
                        print(json.dumps([repr(value), spec, result]))
";

    #[test]
    fn results_are_those_of_python() {
        let output = Command::new("python3").args(["-c", PYTHON]).output().unwrap();
        let lines = String::from_utf8(output.stdout).unwrap();
        let mut known = 0;
        for line in lines.lines() {
            let (written, spec, expected): (String, String, Option<String>) =
                serde_json::from_str(line).unwrap();
            let value = match written.strip_prefix('\'') {
                Some(text) => Value::Str(text.trim_end_matches('\'').into()),
                None => match written.parse() {
                    Ok(int) => Value::Int(int),
                    Err(_) => Value::Float(written.parse().unwrap()),
                },
            };
            let found = FormatSpec::parse(&spec).and_then(|spec| spec.apply(&value));
            if found.is_some() {
                known += 1;
                assert_eq!(found, expected, "format({written}, {spec:?})");
            }
        }
        assert_eq!((lines.lines().count(), known), (218_700, 39_285));
    }
}
