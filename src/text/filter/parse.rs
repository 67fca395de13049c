//! The parser of the filter language. Its errors tell the place of the wrong character.

use std::ops::Range;

use super::super::{did_you_mean, sanitize, width};
use super::{Filter, Key, Kind, Op, Term, Test, parse_duration};

/// What is wrong in a filter, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct FilterError {
    /// The first wrong character, counted from 0.
    pub at: usize,
    /// What is wrong, and what to write instead.
    pub text: String,
}

impl FilterError {
    /// The error with the text of the filter below it, and a caret under the wrong character.
    pub fn pointed(&self, text: &str) -> String {
        let before: String = text.chars().take(self.at).collect();
        let (text, indent) = (sanitize(text), " ".repeat(width(&sanitize(&before))));
        format!("{}\n  {text}\n  {indent}^", self.text)
    }
}

/// A character of a term, and whether quotes surround it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Letter {
    pub at: usize,
    pub c: char,
    pub quoted: bool,
}

/// A term before its parts are understood. Quotes are left out.
#[derive(Debug, Default)]
pub(super) struct Raw {
    pub letters: Vec<Letter>,
    pub span: Range<usize>,
    /// Where a quote begins that does not end.
    pub unclosed: Option<usize>,
}

/// Splits a text at blanks outside quotes.
pub(super) fn split(text: &str) -> Vec<Raw> {
    let mut terms = Vec::new();
    let mut open: Option<Raw> = None;
    for (at, c) in text.chars().enumerate() {
        let quoted = open.as_ref().is_some_and(|raw| raw.unclosed.is_some());
        if c.is_whitespace() && !quoted {
            terms.extend(open.take());
            continue;
        }
        let raw = open.get_or_insert_with(|| Raw { span: at..at, ..Raw::default() });
        raw.span.end = at + 1;
        match c {
            '"' => raw.unclosed = (!quoted).then_some(at),
            c => raw.letters.push(Letter { at, c, quoted }),
        }
    }
    terms.extend(open);
    terms
}

/// The parts of a term.
pub(super) struct Parts<'a> {
    pub negated: bool,
    /// The key as written, and where it begins.
    pub key: Option<(String, usize)>,
    /// `:`, `<` or `>`, with a `=` that follows.
    pub op: String,
    /// What follows, or the whole term without its sign.
    pub value: &'a [Letter],
}

/// Takes a term apart.
pub(super) fn parts(raw: &Raw) -> Parts<'_> {
    let letters = raw.letters.as_slice();
    // `--params` is a word, as in a command line, and so is a sign alone.
    let negated = match letters {
        [sign, next, ..] if !sign.quoted => {
            matches!(sign.c, '-' | '!') && (next.quoted || next.c != sign.c)
        }
        [sign] if !sign.quoted => matches!(sign.c, '-' | '!') && raw.span.len() > 1,
        _ => false,
    };
    let letters = &letters[usize::from(negated)..];
    let in_key = |letter: &Letter| {
        !letter.quoted && (letter.c.is_ascii_alphabetic() || matches!(letter.c, '-' | '_'))
    };
    let end = letters.iter().position(|letter| !in_key(letter)).unwrap_or(letters.len());
    let name: String = letters[..end].iter().map(|letter| letter.c).collect();
    let op =
        letters.get(end).filter(|letter| !letter.quoted && matches!(letter.c, ':' | '<' | '>'));
    // Kedro's own names of parameters are words.
    let (Some(op), false) = (op, name.is_empty() || name == "params") else {
        return Parts { negated, key: None, op: String::new(), value: letters };
    };
    let equal = letters.get(end + 1).is_some_and(|letter| !letter.quoted && letter.c == '=');
    let with_equal = op.c != ':' && equal;
    Parts {
        negated,
        key: Some((name, letters[0].at)),
        op: format!("{}{}", op.c, if with_equal { "=" } else { "" }),
        value: &letters[end + 1 + usize::from(with_equal)..],
    }
}

/// The key that is written so.
pub(super) fn find<'a>(keys: &'a [Key], name: &str) -> Option<&'a Key> {
    keys.iter().find(|key| {
        let mut names = [key.name].into_iter().chain(key.aliases.iter().copied());
        names.any(|other| other.eq_ignore_ascii_case(name))
    })
}

/// Parses a filter.
///
/// # Errors
/// When a key is unknown, a value does not fit its key, or a quote is not closed.
pub fn parse(text: &str, keys: &'static [Key]) -> Result<Filter, FilterError> {
    let terms = split(text).into_iter().map(|raw| term(&raw, keys));
    // `""` asks for nothing.
    let terms = terms
        .filter(|term| !matches!(term, Ok(Term { test: Test::Word(word), .. }) if word.is_empty()));
    Ok(Filter { terms: terms.collect::<Result<_, _>>()? })
}

fn term(raw: &Raw, keys: &'static [Key]) -> Result<Term, FilterError> {
    if let Some(at) = raw.unclosed {
        return Err(FilterError { at, text: "This quote is not closed.".into() });
    }
    let parts = parts(raw);
    let test = match &parts.key {
        None => Test::Word(parts.value.iter().map(|letter| letter.c).collect()),
        Some((name, at)) => keyed(raw, &parts, (name, *at), keys)?,
    };
    Ok(Term { span: raw.span.clone(), negated: parts.negated, test })
}

fn keyed(
    raw: &Raw,
    parts: &Parts<'_>,
    (name, at): (&str, usize),
    keys: &'static [Key],
) -> Result<Test, FilterError> {
    let Some(key) = find(keys, name) else {
        let names = keys.iter().map(|key| key.name);
        let meant = did_you_mean(name, names);
        let hint = match meant.is_empty() {
            true => " Put it in quotes to look for the text.",
            false => meant.as_str(),
        };
        return Err(FilterError { at, text: format!("There is no key `{name}`.{hint}") });
    };
    let after = parts.value.first().map_or(raw.span.end, |letter| letter.at);
    let op = match parts.op.as_str() {
        "<" => Some(Op::Less),
        "<=" => Some(Op::LessOrEqual),
        ">" => Some(Op::Greater),
        ">=" => Some(Op::GreaterOrEqual),
        _ => None,
    };
    let name = key.name;
    match (&key.kind, op) {
        (Kind::Duration | Kind::Number, None) => {
            let example = if matches!(key.kind, Kind::Duration) { "1s" } else { "3" };
            let text = format!("`{name}` is compared: {name}>{example} or {name}<{example}.");
            Err(FilterError { at, text })
        }
        (Kind::Duration, Some(op)) => {
            let text: String = parts.value.iter().map(|letter| letter.c).collect();
            let seconds = parse_duration(&text).ok_or_else(|| FilterError {
                at: after,
                text: format!("{} Write 200ms, 1s, 2m or 1h30m.", no("duration", &text)),
            })?;
            Ok(Test::Compare(name, op, seconds, "s"))
        }
        (Kind::Number, Some(op)) => {
            let text: String = parts.value.iter().map(|letter| letter.c).collect();
            let number = text.parse().ok().filter(|number: &f64| number.is_finite());
            let fault = || FilterError { at: after, text: no("number", &text) };
            Ok(Test::Compare(name, op, number.ok_or_else(fault)?, ""))
        }
        (_, Some(_)) => {
            let text = format!("`{name}` has no order. Write {name}: before the value.");
            Err(FilterError { at, text })
        }
        (_, None) => {
            let mut values = Vec::new();
            let mut start = 0;
            for value in alternatives(parts.value) {
                let at = parts.value.get(start).map_or(raw.span.end, |letter| letter.at);
                start += value.len() + 1;
                values.push(one(key, value, at)?);
            }
            Ok(Test::Is(name, values))
        }
    }
}

fn no(kind: &str, text: &str) -> String {
    match text.is_empty() {
        true => format!("A {kind} is missing here."),
        false => format!("`{text}` is no {kind}."),
    }
}

/// Splits a value at commas outside quotes.
pub(super) fn alternatives(value: &[Letter]) -> Vec<&[Letter]> {
    value.split(|letter| letter.c == ',' && !letter.quoted).collect()
}

/// A single value of a key, checked.
fn one(key: &'static Key, letters: &[Letter], at: usize) -> Result<String, FilterError> {
    let text: String = letters.iter().map(|letter| letter.c).collect();
    let fault = |text: String| FilterError { at, text };
    if text.is_empty() {
        return Err(fault(format!("A value of `{}` is missing here.", key.name)));
    }
    match &key.kind {
        Kind::Values(values) => {
            let found = values.iter().find(|value| {
                let is = |name: &str| name.eq_ignore_ascii_case(&text);
                is(value.name) || is(value.alias)
            });
            found.map(|value| value.name.to_owned()).ok_or_else(|| {
                let names = || values.iter().map(|value| value.name);
                let meant = did_you_mean(&text, names());
                fault(match meant.is_empty() {
                    true => {
                        let names = names().collect::<Vec<_>>().join(", ");
                        format!("`{text}` is not among: {names}.")
                    }
                    false => format!("`{}:` has no value `{text}`.{meant}", key.name),
                })
            })
        }
        Kind::Checked(_, check) => {
            check(&text).map_err(|error| fault(error.line()))?;
            Ok(text)
        }
        _ => Ok(text),
    }
}
