//! Dataset factory patterns: their order, matching, and filling a definition with the matched text.
//! The rules are those of `CatalogConfigResolver` and the `parse` library.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use regex::Regex;

use crate::project::budget::STEP;
use crate::text::UserError;

/// The largest number of pieces in a pattern; keeps the recursion of the matcher shallow.
const MOST_PIECES: usize = 200;

/// The number of steps after which a name counts as not matched, for patterns with repeated
/// placeholders.
const MOST_STEPS: usize = 200_000;

/// A pattern compiled to a sequence of literal texts and placeholders.
#[derive(Debug, Clone)]
pub(super) struct Matcher {
    pieces: Vec<Piece>,
    /// Whether a placeholder occurs twice.
    repeats: bool,
    /// The longest literal text in lower case, if it is ASCII.
    text: Option<String>,
}

#[derive(Debug, Clone, PartialEq)]
enum Piece {
    Text(Vec<char>),
    /// The first occurrence of a named placeholder: matches any non-empty text.
    Named(String),
    /// A repeated placeholder: matches the same text again.
    Again(String),
    /// A placeholder whose name does not start with a letter; its text is discarded.
    Nameless,
}

/// Whether a catalog key is a pattern (`CatalogConfigResolver.is_pattern`).
pub(super) fn is_pattern(key: &str) -> bool {
    key.contains('{')
}

/// The number of characters outside braces (`CatalogConfigResolver._pattern_specificity`).
pub(super) fn specificity(pattern: &str) -> usize {
    PLACEHOLDER.replace_all(pattern, "").chars().count()
}

/// Sorts patterns as Kedro tries them (`CatalogConfigResolver._sort_patterns`): most characters
/// outside braces first, then most placeholders, then by name.
pub(super) fn sort<T>(patterns: &mut [T], name: impl Fn(&T) -> &str) {
    patterns.sort_by(|a, b| {
        let (a, b) = (name(a), name(b));
        let key = |pattern: &str| (specificity(pattern), pattern.matches('{').count());
        key(b).cmp(&key(a)).then_with(|| a.cmp(b))
    });
}

/// Placeholders as written, with braces, in order of occurrence.
pub(super) fn placeholders(text: &str) -> impl Iterator<Item = &str> {
    PLACEHOLDER.find_iter(text).map(|found| found.as_str())
}

fn constant(text: &str) -> Regex {
    // The patterns are constants, and every test compiles them.
    Regex::new(text).unwrap_or_else(|error| unreachable!("a constant pattern: {error}"))
}

static PLACEHOLDER: LazyLock<Regex> = LazyLock::new(|| constant(r"\{.*?\}"));

/// `parse.PARSE_RE`: the fields of a format string.
static FIELD: LazyLock<Regex> =
    LazyLock::new(|| constant(r"\{\{|\}\}|\{[\w-]*(?:\.[\w-]+|\[[^]]+\])*(?::[^}]+)?\}"));

impl Matcher {
    /// Compiles a pattern as `parse.Parser` does.
    ///
    /// # Errors
    /// The part of the pattern that only Python can interpret: a format such as `{name:d}`.
    pub(super) fn new(pattern: &str) -> Result<Matcher, UserError> {
        let mut pieces = Vec::new();
        let mut known = HashSet::new();
        let mut repeats = false;
        let mut end = 0;
        for found in FIELD.find_iter(pattern) {
            push_text(&mut pieces, &pattern[end..found.start()]);
            end = found.end();
            match found.as_str() {
                "{{" => push_text(&mut pieces, "{"),
                "}}" => push_text(&mut pieces, "}"),
                field => {
                    let name = &field[1..field.len() - 1];
                    if name.contains(':') {
                        return Err(format!("the format in `{field}`").into());
                    }
                    if !name.starts_with(char::is_alphabetic) {
                        pieces.push(Piece::Nameless);
                    } else if known.insert(name) {
                        pieces.push(Piece::Named(name.to_owned()));
                    } else {
                        repeats = true;
                        pieces.push(Piece::Again(name.to_owned()));
                    }
                }
            }
        }
        push_text(&mut pieces, &pattern[end..]);
        if pieces.len() > MOST_PIECES {
            return Err("its length".into());
        }
        let texts = pieces.iter().filter_map(|piece| match piece {
            Piece::Text(text) => Some(text),
            _ => None,
        });
        let longest =
            texts.max_by_key(|text| text.len()).map(|text| text.iter().collect::<String>());
        let text = longest.filter(|text| text.is_ascii()).map(|text| text.to_ascii_lowercase());
        Ok(Matcher { pieces, repeats, text })
    }

    /// A quick check on the lower-case name: `false` means that the name can't match.
    pub(super) fn may_match(&self, lower: &str) -> bool {
        match &self.text {
            Some(text) if lower.is_ascii() => lower.contains(text),
            _ => true,
        }
    }

    /// The cost of [`Self::matches`] for `name`, in elements.
    pub(super) fn cost(&self, name: &str) -> usize {
        STEP + name.len().saturating_mul(2 * self.pieces.len())
    }

    /// The text of each placeholder if the whole of `name` matches (`parse.parse`). Case is
    /// ignored, and each placeholder matches as little as possible.
    pub(super) fn matches(&self, name: &str) -> Option<HashMap<String, String>> {
        let name: Vec<char> = name.chars().collect();
        let mut attempt = Attempt {
            matcher: self,
            name: &name,
            spans: HashMap::new(),
            failed: HashSet::new(),
            steps: 0,
        };
        attempt.matches_from(0, 0).then(|| {
            let text = |(start, end): (usize, usize)| name[start..end].iter().collect::<String>();
            attempt.spans.iter().map(|(field, span)| ((*field).to_owned(), text(*span))).collect()
        })
    }
}

fn push_text(pieces: &mut Vec<Piece>, text: &str) {
    match pieces.last_mut() {
        _ if text.is_empty() => {}
        Some(Piece::Text(before)) => before.extend(text.chars()),
        _ => pieces.push(Piece::Text(text.chars().collect())),
    }
}

/// One name tried against one pattern, by backtracking.
struct Attempt<'a> {
    matcher: &'a Matcher,
    name: &'a [char],
    spans: HashMap<&'a str, (usize, usize)>,
    /// Pairs of piece and position that are known to fail.
    failed: HashSet<(usize, usize)>,
    steps: usize,
}

impl<'a> Attempt<'a> {
    fn matches_from(&mut self, piece: usize, at: usize) -> bool {
        self.steps += 1;
        let given_up = self.matcher.repeats && self.steps > MOST_STEPS;
        if given_up || self.failed.contains(&(piece, at)) {
            return false;
        }
        let matcher = self.matcher;
        let matched = match matcher.pieces.get(piece) {
            None => at == self.name.len(),
            Some(Piece::Text(text)) => {
                self.is_text_at(text, at) && self.matches_from(piece + 1, at + text.len())
            }
            Some(Piece::Again(field)) => {
                let (start, end) = self.spans.get(field.as_str()).copied().unwrap_or_default();
                let name = self.name;
                self.is_text_at(&name[start..end], at)
                    && self.matches_from(piece + 1, at + end - start)
            }
            Some(Piece::Nameless) => {
                (at + 1..=self.name.len()).any(|end| self.matches_from(piece + 1, end))
            }
            Some(Piece::Named(field)) => (at + 1..=self.name.len()).any(|end| {
                self.spans.insert(field, (at, end));
                self.matches_from(piece + 1, end)
            }),
        };
        if !matched && !matcher.repeats {
            self.failed.insert((piece, at));
        }
        matched
    }

    fn is_text_at(&self, text: &[char], at: usize) -> bool {
        self.name
            .get(at..at + text.len())
            .is_some_and(|part| part.iter().zip(text).all(|(a, b)| same_letter(*a, *b)))
    }
}

/// Compares letters like `re.IGNORECASE`.
fn same_letter(a: char, b: char) -> bool {
    a == b || a.to_lowercase().eq(b.to_lowercase()) || a.to_uppercase().eq(b.to_uppercase())
}

/// Fills the placeholders of a text, like `str.format_map`.
///
/// # Errors
/// A clause that says what is wrong with the text.
pub(super) fn fill(text: &str, values: &HashMap<String, String>) -> Result<String, UserError> {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(['{', '}']) {
        out += &rest[..at];
        let brace = &rest[at..=at];
        let after = &rest[at + 1..];
        if let Some(after) = after.strip_prefix(brace) {
            out += brace;
            rest = after;
        } else if brace == "}" {
            return Err("a `}` stands without its `{`".into());
        } else {
            let Some(end) = after.find('}') else {
                return Err("a `{` stands without its `}`".into());
            };
            let name = &after[..end];
            match values.get(name) {
                // A dot would access an attribute of the value.
                Some(value) if !name.contains('.') => out += value,
                _ => return Err(format!("nothing fills `{{{name}}}`").into()),
            }
            rest = &after[end + 1..];
        }
    }
    out += rest;
    Ok(out)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn matched(pattern: &str, name: &str) -> Option<Vec<(String, String)>> {
        let values = Matcher::new(pattern).unwrap().matches(name)?;
        let mut values: Vec<_> = values.into_iter().collect();
        values.sort();
        Some(values)
    }

    fn pairs(list: &[(&str, &str)]) -> Option<Vec<(String, String)>> {
        Some(list.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect())
    }

    #[test]
    fn names_match_as_in_the_parse_library() {
        for (pattern, name, expected) in [
            ("{name}_model", "tree_model", pairs(&[("name", "tree")])),
            ("{name}_model", "_model", None),
            ("{name}_model", "tree_models", None),
            ("{name}_MODEL", "tree_model", pairs(&[("name", "tree")])),
            ("{a}_{b}", "x_y_z", pairs(&[("a", "x"), ("b", "y_z")])),
            ("{a}_{b}", "__z", pairs(&[("a", "_"), ("b", "z")])),
            ("{a}_{b}", "_z", None),
            ("{a}_{b}", "___", pairs(&[("a", "_"), ("b", "_")])),
            ("{a}{b}", "xyz", pairs(&[("a", "x"), ("b", "yz")])),
            ("{a}.{a}", "x.x", pairs(&[("a", "x")])),
            ("{a}.{a}", "x.X", pairs(&[("a", "x")])),
            ("{a}.{a}", "x.y", None),
            ("{a}{a}", "abab", pairs(&[("a", "ab")])),
            ("{name}@pandas", "cars@pandas", pairs(&[("name", "cars")])),
            ("{_x}_{y}", "a_b", pairs(&[("y", "b")])),
            ("{}_{y}", "a_b", pairs(&[("y", "b")])),
            ("a{{{x}}}", "a{1}", pairs(&[("x", "1")])),
            ("{a b}", "{a b}", pairs(&[])),
            ("{x-y}.csv", "a.csv", pairs(&[("x-y", "a")])),
            ("{x}ß", "gross", None),
            ("{x}", "", None),
            ("{x}", "a\nb", pairs(&[("x", "a\nb")])),
        ] {
            assert_eq!(matched(pattern, name), expected, "{pattern} {name}");
        }
        assert!(Matcher::new("{a:d}").is_err());
    }

    #[test]
    fn patterns_sort_by_specificity_then_placeholders_then_name() {
        let mut patterns = [
            "{name}",
            "{b}_x",
            "{a}_x",
            "{a}{b}_x",
            "{namespace}.{name}",
            "model_{name}",
            "{namespace}.int_{name}",
        ];
        sort(&mut patterns, |pattern| pattern);
        assert_eq!(
            patterns,
            [
                "model_{name}",
                "{namespace}.int_{name}",
                "{a}{b}_x",
                "{a}_x",
                "{b}_x",
                "{namespace}.{name}",
                "{name}",
            ]
        );
        assert_eq!((specificity("{a}é{b}"), specificity("{a}{b}")), (1, 0));
    }

    #[test]
    fn texts_are_filled_as_format_map_fills_them() {
        let values = HashMap::from([("a".to_owned(), "1".to_owned())]);
        for (text, expected) in [
            ("x/{a}.csv", Ok("x/1.csv")),
            ("{a}{a}", Ok("11")),
            ("{{a}}", Ok("{a}")),
            ("a}}b", Ok("a}b")),
            ("{b}", Err("nothing fills `{b}`")),
            ("a}", Err("a `}` stands without its `{`")),
            ("} {a", Err("a `}` stands without its `{`")),
            ("{a} {a", Err("a `{` stands without its `}`")),
        ] {
            assert_eq!(
                fill(text, &values).as_deref().map_err(|error| error.text.as_str()),
                expected,
                "{text}"
            );
        }
    }

    #[test]
    fn a_pattern_with_exponential_backtracking_ends_soon() {
        let pattern: String =
            (0..40).map(|index| format!("{{a{index}}}")).collect::<String>() + "{a0}";
        assert_eq!(matched(&(pattern + "!"), &"x".repeat(200)), None);
        let plain: String = (0..60).map(|index| format!("{{a{index}}}")).collect();
        assert_eq!(matched(&(plain + "!"), &"x".repeat(300)), None);
    }

    proptest! {
        #[test]
        fn any_pattern_and_name_are_tried_without_panic(
            pattern in "[a-c{}_.\\[\\]: é-]{0,30}", name in "[a-c{}_.É]{0,30}",
        ) {
            if let Ok(matcher) = Matcher::new(&pattern) {
                if let Some(values) = matcher.matches(&name) {
                    let _ = fill(&pattern, &values);
                }
            }
            specificity(&pattern);
        }

        #[test]
        fn a_filled_pattern_matches_back(
            texts in prop::collection::vec("[a-z_.@]{0,4}", 1..4),
            values in prop::collection::vec("[a-zA-Z0-9_]{1,5}", 4),
        ) {
            let names = ["one", "two", "three", "four"];
            let mut pattern = String::new();
            for (text, name) in texts.iter().zip(names) {
                pattern += &format!("{text}{{{name}}}");
            }
            let given: HashMap<String, String> =
                names.iter().zip(&values).map(|(name, value)| (name.to_string(), value.clone())).collect();
            let name = fill(&pattern, &given).unwrap();
            // Another split may come first. Filled again, it gives the same name up to case.
            let found = Matcher::new(&pattern).unwrap().matches(&name).expect("it matches");
            let again = fill(&pattern, &found).unwrap();
            prop_assert_eq!(again.to_lowercase(), name.to_lowercase());
        }
    }
}
