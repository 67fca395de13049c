//! The methods of `str`.

use super::call::Args;
use super::interp::{Eval, Interp, Stop};
use super::source::At;
use super::value::Value;

impl<'a> Interp<'a> {
    pub(super) fn str_method(
        &mut self,
        text: &str,
        name: &str,
        args: &Args<'a>,
        at: At<'a>,
    ) -> Eval<'a> {
        if name == "format" {
            return self.str_format(text, args, at);
        }
        if let Some(why) = &args.open {
            return Ok(Value::Unknown(why.clone()));
        }
        // Every method reads the string once, and each of its arguments.
        self.bytes(text.len())?;
        self.elements(args.positional.len())?;
        let unknown = args.positional.iter().find(|value| matches!(value, Value::Unknown(_)));
        if let Some(unknown) = unknown {
            return Ok(unknown.clone());
        }
        if name == "join" {
            let Some(parts) = args.positional.first() else { return Ok(self.not_evaluated(at)) };
            let unordered = self.without_order(parts, at);
            let (parts, open) = self.items(parts, at)?;
            let open = open.or(unordered);
            if let Some(why) = open {
                return Ok(Value::Unknown(why));
            }
            self.room(parts.len())?;
            let mut texts = Vec::with_capacity(parts.len());
            for part in &parts {
                match part {
                    Value::Str(part) => texts.push(&**part),
                    other => return Ok(Value::Unknown(self.why(other, at))),
                }
            }
            let gaps = text.len().saturating_mul(texts.len().saturating_sub(1));
            let len = texts.iter().fold(gaps, |len, part| len.saturating_add(part.len()));
            return self.text_of(len, at, || texts.join(text));
        }
        let words: Vec<&str> = args.positional.iter().filter_map(Value::as_str).collect();
        for word in &words {
            self.bytes(word.len())?;
        }
        Ok(match (name, &words[..], args.positional.len()) {
            ("upper", [], 0) => return self.text(text.to_uppercase(), at),
            ("lower", [], 0) => return self.text(text.to_lowercase(), at),
            // Beyond ASCII, Python's rules for these methods differ from Rust's library.
            (
                "casefold" | "title" | "capitalize" | "swapcase" | "isdigit" | "isalpha"
                | "isalnum",
                [],
                0,
            ) if !text.is_ascii() => self.not_evaluated(at),
            ("casefold", [], 0) => return self.text(text.to_lowercase(), at),
            ("title", [], 0) => return self.text(title(text), at),
            ("capitalize", [], 0) => return self.text(capitalize(text), at),
            ("swapcase", [], 0) => {
                let swap = |c: char| match c.is_ascii_uppercase() {
                    true => c.to_ascii_lowercase(),
                    false => c.to_ascii_uppercase(),
                };
                return self.text(text.chars().map(swap).collect(), at);
            }
            ("strip", [], 0) => Value::str(text.trim_matches(is_space)),
            ("lstrip", [], 0) => Value::str(text.trim_start_matches(is_space)),
            ("rstrip", [], 0) => Value::str(text.trim_end_matches(is_space)),
            // Every character is searched for in the given set of characters.
            ("strip" | "lstrip" | "rstrip", [chars], 1)
                if self.budget.elements(text.len().saturating_mul(chars.len()) / 64).is_err() =>
            {
                self.not_evaluated(at)
            }
            ("strip", [chars], 1) => Value::str(text.trim_matches(|c| chars.contains(c))),
            ("lstrip", [chars], 1) => Value::str(text.trim_start_matches(|c| chars.contains(c))),
            ("rstrip", [chars], 1) => Value::str(text.trim_end_matches(|c| chars.contains(c))),
            ("removeprefix", [prefix], 1) => Value::str(text.strip_prefix(prefix).unwrap_or(text)),
            ("removesuffix", [suffix], 1) => Value::str(text.strip_suffix(suffix).unwrap_or(text)),
            ("replace", [old, new], 2) => {
                let len = replaced_len(text, old, new, usize::MAX);
                return self.text_of(len, at, || text.replace(old, new));
            }
            ("startswith" | "endswith", _, 1) => {
                let starts = name == "startswith";
                let matches = |part: &str| {
                    if starts { text.starts_with(part) } else { text.ends_with(part) }
                };
                match &args.positional[0] {
                    Value::Str(part) => Value::Bool(matches(part)),
                    Value::Tuple(parts) => {
                        self.elements(parts.len())?;
                        for part in parts.iter().filter_map(Value::as_str) {
                            self.elements(part.len().min(text.len()) / 64)?;
                        }
                        Value::Bool(parts.iter().filter_map(Value::as_str).any(matches))
                    }
                    _ => self.not_evaluated(at),
                }
            }
            ("split", [], 0) => {
                self.parts(text.split(is_space).count())?;
                let parts = text.split(is_space).filter(|part| !part.is_empty());
                let parts = parts.map(Value::str).collect();
                self.list(parts)
            }
            ("split" | "rsplit", [separator], given) if !separator.is_empty() => {
                self.parts(text.matches(separator).count())?;
                let limit = args.positional.get(1).cloned().or_else(|| args.named("maxsplit"));
                let parts: Vec<_> = match limit {
                    None | Some(Value::Int(-1)) => text.split(separator).map(Value::str).collect(),
                    Some(Value::Int(limit @ 0..)) if given <= 2 => {
                        let count = usize::try_from(limit).unwrap_or(usize::MAX).saturating_add(1);
                        if name == "split" {
                            text.splitn(count, separator).map(Value::str).collect()
                        } else {
                            let mut parts: Vec<_> =
                                text.rsplitn(count, separator).map(Value::str).collect();
                            parts.reverse();
                            parts
                        }
                    }
                    Some(_) => return Ok(self.not_evaluated(at)),
                };
                self.list(parts)
            }
            ("splitlines", [], 0) if text.replace("\r\n", "").contains(is_odd_line_end) => {
                self.not_evaluated(at)
            }
            ("splitlines", [], 0) => {
                self.parts(text.matches('\n').count())?;
                let lines = text.lines().map(Value::str).collect();
                self.list(lines)
            }
            ("partition", [separator], 1) => {
                let (before, middle, after) = match text.split_once(separator) {
                    Some((before, after)) => (before, *separator, after),
                    None => (text, "", ""),
                };
                self.tuple(vec![Value::str(before), Value::str(middle), Value::str(after)])
            }
            ("rpartition", [separator], 1) => {
                let (before, middle, after) = match text.rsplit_once(separator) {
                    Some((before, after)) => (before, *separator, after),
                    None => ("", "", text),
                };
                self.tuple(vec![Value::str(before), Value::str(middle), Value::str(after)])
            }
            ("count", [part], 1) if !part.is_empty() => {
                Value::Int(i64::try_from(text.matches(part).count()).unwrap_or(i64::MAX))
            }
            ("find", [part], 1) => match text.find(part) {
                Some(index) => {
                    Value::Int(i64::try_from(text[..index].chars().count()).unwrap_or(i64::MAX))
                }
                None => Value::Int(-1),
            },
            ("zfill", _, 1) => match &args.positional[0] {
                Value::Int(width @ 0..=10_000) => {
                    let missing =
                        usize::try_from(*width).unwrap_or(0).saturating_sub(text.chars().count());
                    let (sign, digits) = match text.chars().next() {
                        Some('-' | '+') => text.split_at(1),
                        _ => ("", text),
                    };
                    Value::str(format!("{sign}{}{digits}", "0".repeat(missing)))
                }
                _ => self.not_evaluated(at),
            },
            ("isdigit", [], 0) => {
                Value::Bool(!text.is_empty() && text.chars().all(|c| c.is_ascii_digit()))
            }
            ("isalpha" | "isalnum", [], 0) => {
                let fits =
                    |c: char| c.is_ascii_alphabetic() || (name == "isalnum" && c.is_ascii_digit());
                Value::Bool(!text.is_empty() && text.chars().all(fits))
            }
            ("ljust" | "rjust" | "center", _, 1 | 2) if self.budget.bytes(4 * WIDEST).is_err() => {
                self.not_evaluated(at)
            }
            ("ljust" | "rjust" | "center", _, 1 | 2) => match just(name, text, &args.positional) {
                Some(text) => Value::str(text),
                None => self.not_evaluated(at),
            },
            ("replace", [old, new], 3) if !old.is_empty() => match args.positional[2] {
                Value::Int(count @ 0..) => {
                    let count = usize::try_from(count).unwrap_or(usize::MAX);
                    let len = replaced_len(text, old, new, count);
                    return self.text_of(len, at, || text.replacen(old, new, count));
                }
                _ => self.not_evaluated(at),
            },
            ("isupper", [], 0) => Value::Bool(
                text.chars().any(char::is_uppercase) && !text.chars().any(char::is_lowercase),
            ),
            ("islower", [], 0) => Value::Bool(
                text.chars().any(char::is_lowercase) && !text.chars().any(char::is_uppercase),
            ),
            ("isidentifier", [], 0) => {
                let mut chars = text.chars();
                let first = chars.next().is_some_and(|c| c == '_' || c.is_alphabetic());
                Value::Bool(first && chars.all(|c| c == '_' || c.is_alphanumeric()))
            }
            _ => self.not_evaluated(at),
        })
    }
}

impl<'a> Interp<'a> {
    /// Charges a list of strings that a string is split into at `count` positions.
    fn parts(&self, count: usize) -> Result<(), Stop<'a>> {
        const PART_BYTES: usize = 32;
        self.room(count)?;
        self.elements(count)?;
        self.bytes(count.saturating_mul(PART_BYTES))
    }
}

/// The widest field that a string is padded to.
const WIDEST: usize = 10_000;

/// The length of `text` with up to `limit` occurrences of `old` replaced.
fn replaced_len(text: &str, old: &str, new: &str, limit: usize) -> usize {
    let count = text.matches(old).take(limit).count();
    text.len().saturating_add(count.saturating_mul(new.len()))
}

/// Whether Python treats `c` as whitespace when it strips and splits.
fn is_space(c: char) -> bool {
    c.is_whitespace() || ('\x1c'..='\x1f').contains(&c)
}

/// Whether Python treats `c` as a line end where Rust does not.
fn is_odd_line_end(c: char) -> bool {
    matches!(c, '\r' | '\x0b' | '\x0c' | '\x1c'..='\x1e' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// `str.ljust`, `str.rjust` and `str.center`.
fn just(name: &str, text: &str, args: &[Value<'_>]) -> Option<String> {
    let Some(Value::Int(width)) = args.first() else { return None };
    let fill = match args.get(1) {
        None => ' ',
        Some(Value::Str(fill)) => {
            let mut chars = fill.chars();
            chars.next().filter(|_| chars.next().is_none())?
        }
        Some(_) => return None,
    };
    let width = usize::try_from(*width).unwrap_or(0);
    if width > WIDEST {
        return None;
    }
    let missing = width.saturating_sub(text.chars().count());
    let left = match name {
        "ljust" => 0,
        "rjust" => missing,
        // If both gap and width are odd, CPython puts the odd space on the left.
        _ => missing / 2 + (missing & width & 1),
    };
    let pad = |count: usize| fill.to_string().repeat(count);
    Some(pad(left) + text + &pad(missing - left))
}

/// `str.title`: capitalises the first letter of every run of letters.
fn title(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut inside = false;
    for c in text.chars() {
        if inside {
            out.extend(c.to_lowercase());
        } else {
            out.extend(c.to_uppercase());
        }
        inside = c.is_alphabetic();
    }
    out
}

fn capitalize(text: &str) -> String {
    let mut chars = text.chars();
    let first: String = chars.next().into_iter().flat_map(char::to_uppercase).collect();
    first + &chars.as_str().to_lowercase()
}
