//! The filter line of the tracked runs, in MLflow's filter language: what can be typed next, and which part of an
//! unfinished text applies already.

use std::collections::BTreeSet;
use std::ops::Range;

use super::columns;
use regex::Regex;

use crate::text::filter::{Candidate, Completion, FilterError};
use crate::tracking::Overview;
use crate::tracking::entities::Run;
use crate::tracking::filter::{self, Cell, Entity, Expr, Field, Searched};
use crate::tracking::table::title;

/// Most values of a param or tag that are listed.
const MOST_VALUES: usize = 200;

/// Attributes that are offered, with what they are.
const ATTRIBUTES: [(&str, &str); 5] = [
    ("status", "how the run ended, or that it goes on"),
    ("run_name", "the name of the run"),
    ("start_time", "when it began, in milliseconds"),
    ("user_id", "who started it"),
    ("run_id", "its id"),
];
const STATES: [&str; 5] = ["FINISHED", "RUNNING", "FAILED", "KILLED", "SCHEDULED"];

/// Parses a filter.
///
/// # Errors
/// If MLflow would refuse it, and it uses none of our extensions.
pub fn parse(text: &str) -> Result<Expr, FilterError> {
    filter::parse(Entity::Run, text.trim_end()).map_err(|error| FilterError {
        at: text.get(..error.at).unwrap_or(text).chars().count(),
        text: error.message,
    })
}

/// Parses the regular expression that chooses metrics.
///
/// # Errors
/// If it is none.
pub fn regex(text: &str) -> Result<Regex, FilterError> {
    Regex::new(text).map_err(|error| {
        // The message has the expression and a caret below it, both indented by four cells, and the reason at its end.
        let message = error.to_string();
        let caret = message.lines().find_map(|line| line.find('^'));
        let reason = message.lines().last().unwrap_or_default().trim_start_matches("error: ");
        FilterError { at: caret.unwrap_or(4).saturating_sub(4), text: reason.to_owned() }
    })
}

/// A part of the text of a filter.
#[derive(Debug, Clone, PartialEq)]
struct Token {
    span: Range<usize>,
    sign: bool,
}

/// What comes next in a filter.
#[derive(Debug, Clone, PartialEq)]
enum Next {
    /// A field, or a word of a name.
    Field,
    /// A comparator for the field that begins and ends here, unless that is a word of a name.
    Comparator(Range<usize>),
    /// A value for the field.
    Value(Range<usize>),
    /// `and`, `or`, or another word.
    Connector,
}

/// How far a text is understood.
#[derive(Debug)]
struct Progress {
    next: Next,
    /// The end of the part that stands for itself, in bytes.
    complete: usize,
    /// The token that the text ends in.
    last: Option<Token>,
}

fn tokens(text: &str) -> Vec<Token> {
    let mut tokens: Vec<Token> = Vec::new();
    let mut quote = None;
    let mut open = false;
    for (at, c) in text.char_indices() {
        let end = at + c.len_utf8();
        let sign = quote.is_none() && matches!(c, '<' | '>' | '=' | '!' | '~');
        let single = quote.is_none() && matches!(c, '(' | ')' | ',');
        if quote.is_none() && c.is_whitespace() {
            open = false;
            continue;
        }
        match tokens.last_mut().filter(|token| open && !single && token.sign == sign) {
            Some(token) => token.span.end = end,
            None => tokens.push(Token { span: at..end, sign }),
        }
        open = !single;
        if matches!(c, '\'' | '"' | '`') {
            quote = match quote {
                None => Some(c),
                Some(begun) if begun == c => None,
                kept => kept,
            };
        }
    }
    tokens
}

fn progress(text: &str) -> Progress {
    let mut tokens = tokens(text);
    let last = tokens.pop_if(|token| token.span.end == text.len() && !token.sign);
    let (mut next, mut complete, mut depth) = (Next::Field, 0, 0_usize);
    for token in tokens {
        let word = text[token.span.clone()].to_ascii_lowercase();
        next = match (word.as_str(), next) {
            ("(", Next::Value(field)) => Next::Value(field),
            ("(", _) => {
                depth += 1;
                Next::Field
            }
            (")", _) => {
                depth = depth.saturating_sub(1);
                Next::Connector
            }
            ("and" | "or", Next::Comparator(_) | Next::Connector) => Next::Field,
            ("not", Next::Field) => Next::Field,
            ("like" | "ilike" | "in" | "is" | "not", Next::Comparator(field)) => Next::Value(field),
            ("in" | "not" | ",", Next::Value(field)) => Next::Value(field),
            (_, Next::Comparator(field)) if token.sign => Next::Value(field),
            (_, Next::Value(_)) => Next::Connector,
            _ => Next::Comparator(token.span.clone()),
        };
        // A word is part of a name unless a comparator follows, which would come before the next token.
        if depth == 0 && matches!(next, Next::Connector) {
            complete = token.span.end;
        }
    }
    Progress { next, complete, last }
}

/// The part of an unfinished text that applies already: without a comparison that lacks its value, and without a last
/// word that may become the name of a field.
pub fn settled<'a>(text: &'a str, overview: &Overview) -> &'a str {
    let progress = progress(text);
    match (&progress.next, &progress.last) {
        // The value may be complete already.
        (Next::Value(_), Some(_)) if parse(text).is_ok() => text,
        (Next::Value(_), _) => &text[..progress.complete],
        (Next::Connector, None) => text,
        (Next::Connector, Some(last)) => {
            match text[last.span.clone()].to_ascii_lowercase().as_str() {
                "a" | "an" | "and" | "o" | "or" => &text[..progress.complete],
                _ => text,
            }
        }
        (Next::Field, Some(last)) if !begins_field(overview, &text[last.span.clone()]) => text,
        (Next::Field, _) => &text[..progress.complete],
        (Next::Comparator(_), Some(last)) => {
            let word = text[last.span.clone()].to_ascii_lowercase();
            let comparator = ["like", "ilike", "in", "is", "not", "and", "or"];
            match comparator.iter().any(|other| other.starts_with(&word)) {
                true => &text[..progress.complete],
                false => text,
            }
        }
        (Next::Comparator(field), None) => match begins_field(overview, &text[field.clone()]) {
            true => &text[..progress.complete],
            false => text,
        },
    }
}

fn begins_field(overview: &Overview, word: &str) -> bool {
    !fields(overview, word).is_empty()
}

/// What can be typed after `before`, the text up to the cursor.
pub fn complete(before: &str, overview: &Overview) -> Completion {
    let progress = progress(before);
    let start = progress.last.as_ref().map_or(before.len(), |last| last.span.start);
    let typed = &before[start..];
    let from = before[..start].chars().count();
    let (candidates, hint) = match &progress.next {
        Next::Field => (fields(overview, typed), ""),
        Next::Comparator(field) => (comparators(&before[field.clone()], typed), ""),
        Next::Value(field) => values(overview, &before[field.clone()], typed),
        Next::Connector => (listed(&["and", "or"], typed, ""), ""),
    };
    Completion { from, candidates, hint: hint.into() }
}

fn listed(words: &[&str], typed: &str, help: &'static str) -> Vec<Candidate> {
    let typed = typed.to_ascii_lowercase();
    let fitting = words.iter().filter(|word| word.to_ascii_lowercase().starts_with(&typed));
    fitting.map(|word| Candidate { text: format!("{word} "), help }).collect()
}

/// The fields whose names begin with what was typed, then those that contain it.
fn fields(overview: &Overview, typed: &str) -> Vec<Candidate> {
    let typed = typed.replace('`', "").to_lowercase();
    let [params, metrics, tags] = columns::fields(overview);
    let named = metrics.iter().chain(&params).chain(&tags);
    let named = named.filter_map(|field| Some((written(field)?, "")));
    let own = ATTRIBUTES.iter().map(|(name, help)| ((*name).to_owned(), *help));
    let mut found: Vec<(bool, String, &'static str)> = named
        .chain(own)
        .filter_map(|(name, help)| {
            let lower = name.replace('`', "").to_lowercase();
            let begins = lower.starts_with(&typed);
            (begins || lower.contains(&typed)).then_some((!begins, name, help))
        })
        .collect();
    found.sort_by_key(|(inside, ..)| *inside);
    found.into_iter().map(|(_, text, help)| Candidate { text: text + " ", help }).collect()
}

/// The name of a field as it is written in a filter, with quotes only if it needs them.
fn written(field: &Field) -> Option<String> {
    let sample = if matches!(field, Field::Metric(_)) { "1" } else { "'x'" };
    let means = |name: &str| match filter::parse(Entity::Run, &format!("{name} = {sample}")) {
        Ok(Expr::And(parts)) => {
            matches!(parts.as_slice(), [Expr::Compare(compare)] if compare.field == *field)
        }
        _ => false,
    };
    let plain = title(field);
    let (kind, key) = plain.split_once('.')?;
    let quoted = format!("{kind}.`{key}`");
    [plain, quoted].into_iter().find(|name| means(name))
}

fn field_of(name: &str) -> Option<Field> {
    filter::field_of(Entity::Run, name).ok()
}

fn comparators(field: &str, typed: &str) -> Vec<Candidate> {
    match field_of(field) {
        Some(Field::Metric(_)) => listed(&["<", "<=", ">", ">=", "=", "!="], typed, ""),
        Some(Field::Attribute(attribute)) if attribute.is_numeric() => {
            listed(&["<", "<=", ">", ">=", "=", "!="], typed, "")
        }
        Some(_) => listed(&["=", "!=", "LIKE", "ILIKE", "~", "IS NULL"], typed, ""),
        None => listed(&["and", "or"], typed, ""),
    }
}

fn values(overview: &Overview, field: &str, typed: &str) -> (Vec<Candidate>, &'static str) {
    let typed = typed.trim_start_matches(['\'', '"']).to_lowercase();
    let texts: BTreeSet<&str> = match field_of(field) {
        Some(Field::Metric(_)) => return (Vec::new(), "a number"),
        Some(Field::Attribute(attribute)) if attribute.is_numeric() => {
            return (Vec::new(), "milliseconds since 1970; `last 7 days` is shorter");
        }
        Some(_) if field.ends_with("status") => STATES.into(),
        Some(field) => {
            let text = |run: &'_ Run| match run.cell(&field) {
                Some(Cell::Text(text)) => Some(text.to_owned()),
                _ => None,
            };
            let found: BTreeSet<String> = overview.runs.iter().filter_map(text).collect();
            return (quoted(found.iter().map(String::as_str), &typed), "a text in quotes");
        }
        None => return (Vec::new(), ""),
    };
    (quoted(texts.into_iter(), &typed), "a text in quotes")
}

fn quoted<'t>(texts: impl Iterator<Item = &'t str>, typed: &str) -> Vec<Candidate> {
    let fitting = texts
        .filter(|text| text.to_lowercase().starts_with(typed) && !text.contains(['\'', '\n']))
        .take(MOST_VALUES);
    fitting.map(|text| Candidate { text: format!("'{text}' "), help: "" }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn overview() -> Overview {
        let run = |lr: &str| Run {
            metrics: vec![("val loss".into(), 1.0), ("mae".into(), 2.0)],
            params: vec![("lr".into(), lr.into()), ("model".into(), "tree".into())],
            ..Run::default()
        };
        Overview { runs: vec![run("0.1"), run("0.2")], ..Overview::default() }
    }

    fn offered(before: &str) -> Vec<String> {
        let completion = complete(before, &overview());
        completion.candidates.into_iter().map(|candidate| candidate.text.trim().into()).collect()
    }

    #[test]
    fn names_comparators_values_and_connectors_are_offered() {
        assert_eq!(offered("ma"), ["metrics.mae"]);
        assert_eq!(offered("loss"), ["metrics.`val loss`"]);
        assert_eq!(offered("params."), ["params.lr", "params.model"]);
        assert_eq!(offered("mod"), ["params.model"]);
        assert_eq!(offered("metrics.mae ")[..2], ["<", "<="]);
        assert_eq!(offered("params.lr ")[..2], ["=", "!="]);
        assert_eq!(offered("params.lr="), ["'0.1'", "'0.2'"]);
        assert_eq!(offered("params.lr = '0.2"), ["'0.2'"]);
        assert_eq!(offered("status = fi"), ["'FINISHED'"]);
        assert_eq!(offered("metrics.mae < 1 "), ["and", "or"]);
        assert_eq!(offered("metrics.mae < 1 and st"), ["status", "start_time"]);
        assert_eq!(complete("metrics.mae < ", &overview()).hint, "a number");
        assert_eq!(complete("metrics.mae < 1 and st", &overview()).from, 20);
        for field in ["metrics.`val loss`", "metrics.mae"] {
            assert!(parse(&format!("{field} < 1")).is_ok());
        }
    }

    #[test]
    fn an_unfinished_text_applies_as_far_as_it_stands_for_itself() {
        for (text, part) in [
            ("", ""),
            ("metr", ""),
            ("metrics.mae", ""),
            ("metrics.mae ", ""),
            ("metrics.mae <", ""),
            ("metrics.mae < 1", "metrics.mae < 1"),
            ("metrics.mae < 1 a", "metrics.mae < 1"),
            ("metrics.mae < 1 and", "metrics.mae < 1"),
            ("metrics.mae < 1 and par", "metrics.mae < 1"),
            ("metrics.mae < 1 and params.lr = '0", "metrics.mae < 1"),
            ("metrics.mae < 1 and params.lr = '0'", "metrics.mae < 1 and params.lr = '0'"),
            ("ridge", "ridge"),
            ("ridge best", "ridge best"),
        ] {
            assert_eq!(settled(text, &overview()), part, "{text}");
            assert!(parse(part).is_ok());
        }
    }

    #[test]
    fn an_error_counts_characters() {
        let error = parse("params.ä = 'é' and metrics.a < 'x'").unwrap_err();
        assert_eq!(error.at, 31);
        assert!(error.text.contains("Expected numeric"), "{}", error.text);
    }
}
