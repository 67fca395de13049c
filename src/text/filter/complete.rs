//! Completion: what can be typed next in a filter.

use std::borrow::Cow;

use super::parse::{alternatives, find, parts, split};
use super::{Key, Kind, quoted};

/// What can be typed at the cursor.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Completion {
    /// The first character that a candidate replaces, counted from 0; the last one is before the cursor.
    pub from: usize,
    /// The candidates.
    pub candidates: Vec<Candidate>,
    /// What is expected, if it can't be listed.
    pub hint: Cow<'static, str>,
}

/// A text that can be typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The text as it is inserted.
    pub text: String,
    /// What it selects, in a few words; empty for a name of the project.
    pub help: &'static str,
}

/// What can be typed after `before`, the text up to the cursor. `known` lists the known values of a key of any text.
pub fn complete(
    before: &str,
    keys: &'static [Key],
    known: impl FnOnce(&'static str) -> Vec<String>,
) -> Completion {
    let end = before.chars().count();
    let terms = split(before);
    let last = terms.last().filter(|raw| raw.span.end == end);
    let Some(raw) = last else {
        return Completion { from: end, candidates: starting(keys, ""), hint: "".into() };
    };
    let parts = parts(raw);
    let text_of = |letters: &[super::parse::Letter]| -> String {
        letters.iter().map(|letter| letter.c).collect()
    };
    let Some((name, _)) = &parts.key else {
        let typed = text_of(parts.value);
        let from = parts.value.first().map_or(raw.span.end, |letter| letter.at);
        let plain = parts.value.iter().all(|letter| !letter.quoted) && raw.unclosed.is_none();
        let candidates = if plain { starting(keys, &typed) } else { Vec::new() };
        return Completion { from, candidates, hint: "".into() };
    };
    let Some(key) = find(keys, name) else {
        return Completion { from: end, ..Completion::default() };
    };
    let values = alternatives(parts.value);
    let value = values.last().copied().unwrap_or_default();
    let typed = text_of(value).to_lowercase();
    let quote = raw.unclosed.or_else(|| {
        let first = value.first().filter(|letter| letter.quoted)?;
        Some(first.at - 1)
    });
    let from = match (quote, value.first()) {
        (Some(at), _) => at,
        (None, Some(letter)) => letter.at,
        (None, None) => end,
    };
    let (candidates, hint): (Vec<Candidate>, Cow<'static, str>) = match &key.kind {
        Kind::Values(values) => {
            let fitting = values.iter().filter(|value| value.name.starts_with(&typed));
            let candidate =
                |value: &super::Value| Candidate { text: value.name.into(), help: value.help };
            (fitting.map(candidate).collect(), "".into())
        }
        Kind::Text => {
            let mut names = known(key.name);
            names.retain(|name| name.to_lowercase().starts_with(&typed) && !name.contains('"'));
            let candidate = |name: &String| Candidate { text: quoted(name), help: "" };
            (names.iter().map(candidate).collect(), key.help.into())
        }
        Kind::Checked(example, _) => (Vec::new(), format!("such as {}:{example}", key.name).into()),
        Kind::Duration => (Vec::new(), "a duration: 200ms, 1s, 2m, 1h30m".into()),
        Kind::Number => (Vec::new(), "a number".into()),
    };
    Completion { from, candidates, hint }
}

/// The keys whose names start so.
fn starting(keys: &'static [Key], typed: &str) -> Vec<Candidate> {
    let typed = typed.to_lowercase();
    let fitting = keys.iter().filter(|key| key.name.starts_with(&typed));
    fitting
        .map(|key| {
            let sign = match key.kind {
                Kind::Duration | Kind::Number => '>',
                _ => ':',
            };
            Candidate { text: format!("{}{sign}", key.name), help: key.help }
        })
        .collect()
}

/// The part of a text before the term that contains a character, if that is the last term.
pub fn before_last(text: &str, at: usize) -> Option<&str> {
    let start = split(text).last().map(|raw| raw.span.start).filter(|start| *start <= at)?;
    let (start, _) = text.char_indices().nth(start)?;
    Some(text[..start].trim_end())
}

/// The part of an unfinished text that can be applied already: without the last term while it may still become a key
/// or one of its values, as `no` may become `node:` and `is:fa` may become `is:failed`.
pub fn settled<'a>(text: &'a str, keys: &'static [Key]) -> &'a str {
    let end = text.chars().count();
    let terms = split(text);
    let Some(raw) = terms.last().filter(|raw| raw.span.end == end) else { return text };
    let parts = parts(raw);
    let unfinished = match &parts.key {
        None => {
            raw.unclosed.is_some() || {
                let plain = parts.value.iter().all(|letter| !letter.quoted);
                let typed: String = parts.value.iter().map(|letter| letter.c).collect();
                plain && !starting(keys, &typed).is_empty()
            }
        }
        Some((name, _)) => find(keys, name).is_some_and(|key| {
            let values = alternatives(parts.value);
            let last: String =
                values.last().copied().unwrap_or_default().iter().map(|letter| letter.c).collect();
            let begins = |value: &super::Value| {
                let typed = last.to_lowercase();
                value.name.starts_with(&typed) && value.name != typed
            };
            raw.unclosed.is_some()
                || match &key.kind {
                    Kind::Values(values) => values.iter().any(begins),
                    Kind::Text => last.is_empty(),
                    Kind::Checked(_, check) => check(&last).is_err() && last.len() < 20,
                    Kind::Duration => last.chars().all(|c| c.is_ascii_digit() || c == '.'),
                    Kind::Number => last.is_empty(),
                }
        }),
    };
    match unfinished {
        true => {
            let start = text.char_indices().nth(raw.span.start).map_or(text.len(), |(at, _)| at);
            text[..start].trim_end()
        }
        false => text,
    }
}
