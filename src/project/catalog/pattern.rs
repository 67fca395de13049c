//! Dataset factory patterns: matching names and filling placeholders in, as Kedro does with the
//! `parse` library and `str.format_map`.

use std::cmp::Reverse;

use indexmap::IndexMap;
use regex::Regex;

/// A pattern such as `{namespace}.{name}_model`.
#[derive(Debug, Clone)]
pub(super) struct Matcher {
    expression: Option<Regex>,
    fields: Vec<String>,
}

/// Whether a catalog key is a pattern (`CatalogConfigResolver.is_pattern`).
pub(super) fn is_pattern(name: &str) -> bool {
    name.contains('{')
}

/// The key by which Kedro sorts patterns: characters outside braces, then braces, most first, then
/// by name (`_sort_patterns`).
pub(super) fn rank(pattern: &str) -> (Reverse<usize>, Reverse<usize>, &str) {
    (Reverse(specificity(pattern)), Reverse(pattern.matches('{').count()), pattern)
}

/// How many characters stand outside braces; a pattern with none catches all.
pub(super) fn specificity(pattern: &str) -> usize {
    let inside: usize = placeholders(pattern).iter().map(|part| part.chars().count()).sum();
    pattern.chars().count() - inside
}

/// All `{...}` in a text, braces included (`re.findall(r"\{.*?\}", ...)`).
pub(super) fn placeholders(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find('{') {
        let Some(length) = rest[start..].find('}') else { break };
        found.push(&rest[start..=start + length]);
        rest = &rest[start + length + 1..];
    }
    found
}

impl Matcher {
    /// A matcher; a pattern of a kind that is not understood matches nothing.
    pub(super) fn new(pattern: &str) -> Self {
        let mut expression = String::from("(?is)^");
        let mut fields = Vec::new();
        let mut rest = pattern;
        let mut understood = true;
        while !rest.is_empty() {
            if let Some(after) = rest.strip_prefix("{{") {
                expression.push_str(r"\{");
                rest = after;
            } else if let Some(after) = rest.strip_prefix("}}") {
                expression.push_str(r"\}");
                rest = after;
            } else if let Some((field, after)) =
                rest.strip_prefix('{').and_then(|rest| rest.split_once('}'))
            {
                understood &= field.chars().all(|c| c.is_alphanumeric() || c == '_');
                expression.push_str("(.+?)");
                fields.push(field.to_owned());
                rest = after;
            } else {
                let mut braces =
                    rest.char_indices().skip(1).filter(|(_, c)| matches!(c, '{' | '}'));
                let end = braces.next().map_or(rest.len(), |(at, _)| at);
                expression.push_str(&regex::escape(&rest[..end]));
                rest = &rest[end..];
            }
        }
        expression.push('$');
        let expression = if understood { Regex::new(&expression).ok() } else { None };
        Matcher { expression, fields }
    }

    /// Whether the pattern is of a kind that is understood.
    pub(super) fn understood(&self) -> bool {
        self.expression.is_some()
    }

    /// What each placeholder stands for in `name`; `None` where it does not match.
    pub(super) fn matches(&self, name: &str) -> Option<IndexMap<String, String>> {
        let captures = self.expression.as_ref()?.captures(name)?;
        let mut values = IndexMap::new();
        for (index, field) in self.fields.iter().enumerate() {
            let value = captures.get(index + 1).map_or("", |part| part.as_str());
            // A placeholder that stands twice must be the same both times.
            match values.get(field) {
                Some(other) if other != value => return None,
                _ => drop(values.insert(field.clone(), value.to_owned())),
            }
        }
        Some(values)
    }
}

/// `text.format_map(values)`; `None` where it names what is not there, or formats in other ways.
pub(super) fn fill(text: &str, values: &IndexMap<String, String>) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['{', '}']) {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        if let Some(after) = rest.strip_prefix("{{") {
            out.push('{');
            rest = after;
        } else if let Some(after) = rest.strip_prefix("}}") {
            out.push('}');
            rest = after;
        } else {
            let (field, after) = rest.strip_prefix('{')?.split_once('}')?;
            out.push_str(values.get(field)?);
            rest = after;
        }
    }
    out.push_str(rest);
    Some(out)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_shortest_match_wins_and_case_does_not_matter() {
        let values = |pattern: &str, name: &str| {
            let found = Matcher::new(pattern).matches(name)?;
            Some(found.into_iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>())
        };
        assert_eq!(values("{a}.{b}", "x.y.z"), Some(vec!["a=x".into(), "b=y.z".into()]));
        assert_eq!(values("{n}_Model", "linear_model"), Some(vec!["n=linear".into()]));
        assert_eq!(values("{n}_model", "model"), None);
        assert_eq!(values("{n}", "line\nbreak"), Some(vec!["n=line\nbreak".into()]));
        assert_eq!(values("{n}-{n}", "a-a"), Some(vec!["n=a".into()]));
        assert_eq!(values("{n}-{n}", "a-b"), None);
        assert_eq!(values("a+{n}", "a+b"), Some(vec!["n=b".into()]));
    }

    #[test]
    fn patterns_are_tried_from_the_most_specific_on() {
        let mut patterns = ["{name}", "{namespace}.{name}", "{namespace}.int_{name}", "{a}_{b}"];
        patterns.sort_by_key(|pattern| rank(pattern));
        assert_eq!(patterns, ["{namespace}.int_{name}", "{a}_{b}", "{namespace}.{name}", "{name}"]);
        assert_eq!(specificity("{name}"), 0);
    }

    #[test]
    fn braces_are_filled_as_python_fills_them() {
        let values = IndexMap::from([("n".to_owned(), "x".to_owned())]);
        assert_eq!(fill("data/{n}/{{n}}.csv", &values).as_deref(), Some("data/x/{n}.csv"));
        assert_eq!(fill("{other}", &values), None);
        assert_eq!(fill("}", &values), None);
    }

    proptest! {
        #[test]
        fn a_filled_pattern_matches_back(a in "[a-z]{1,6}", b in "[a-z]{1,6}") {
            let values = IndexMap::from([("a".to_owned(), a), ("b".to_owned(), b)]);
            let name = fill("{a}.{b}_v", &values).unwrap();
            prop_assert_eq!(Matcher::new("{a}.{b}_v").matches(&name), Some(values));
        }

        #[test]
        fn nothing_panics(pattern in ".{0,20}", name in ".{0,20}") {
            let matcher = Matcher::new(&pattern);
            let _ = (matcher.matches(&name), fill(&pattern, &IndexMap::new()), specificity(&pattern));
        }
    }
}
