//! Source text as it is displayed, coloured by the ending of its file's name.
//!
//! Python is coloured by ruff's tokens ([`super::python::highlight`]). YAML, SQL, JSON, TOML, Markdown and diffs are
//! coloured by syntect and the grammars that `grammars/` packs; any other text is plain. A text may come from anywhere, so
//! the work on it is bounded: what is too large, too long or too slow stays plain.

use std::path::Path;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use syntect::dumps::from_uncompressed_data;
use syntect::parsing::{ParseState, Scope, ScopeStack, SyntaxReference, SyntaxSet};

use super::python::highlight::{
    Highlighted, Token, highlight as python, highlight_on_this_stack, plain, split,
};

/// Larger texts stay plain.
const LARGEST: usize = 1 << 20;
/// Longer lines stay plain: nobody reads them, and patterns may need the square of their length.
const LONGEST_LINE: usize = 500;
/// Longer code in tracebacks stays plain; this much can't be nested too deeply for any stack.
const LONGEST_CODE: usize = 240;
/// What lies further on after this time stays plain.
const TIME: Duration = Duration::from_millis(500);

/// The lines of a file's text, coloured by what its name ends in.
pub fn highlight(file: &Path, text: &str) -> Highlighted {
    within(file, text, TIME)
}

fn within(file: &Path, text: &str, time: Duration) -> Highlighted {
    let ending = file.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    if let "py" | "pyi" = ending {
        return python(text);
    }
    match grammars().and_then(|all| Some((all, all.set.find_syntax_by_extension(ending)?))) {
        Some((all, grammar)) if text.len() <= LARGEST => {
            split(text, &all.parts(grammar, text, time))
        }
        _ => plain(text),
    }
}

/// The coloured parts of a traceback's lines as Python prints them: its frames and their code. Other lines, such as the
/// error itself, have none.
pub fn traceback(lines: &[String]) -> Vec<Vec<(Token, String)>> {
    let parts = |line: &String| frame(line).or_else(|| code(line)).unwrap_or_default();
    lines.iter().map(parts).collect()
}

/// `File "PATH", line NUMBER, in FUNCTION`
fn frame(line: &str) -> Option<Vec<(Token, String)>> {
    let (path, rest) = line.strip_prefix("  File ")?.split_once(", line ")?;
    let (number, function) = rest.split_once(", in ").unwrap_or((rest, ""));
    let mut parts = vec![
        (Token::Plain, "  File "),
        (Token::String, path),
        (Token::Plain, ", line "),
        (Token::Number, number),
    ];
    if !function.is_empty() {
        parts.extend([(Token::Plain, ", in "), (Token::Function, function)]);
    }
    Some(parts.into_iter().map(|(token, text)| (token, text.to_owned())).collect())
}

/// The code of a frame, or the marks below it.
fn code(line: &str) -> Option<Vec<(Token, String)>> {
    let text = line.strip_prefix("    ").filter(|_| line.len() <= LONGEST_CODE)?;
    if text.chars().all(|c| matches!(c, ' ' | '^' | '~')) {
        return Some(vec![(Token::Comment, line.to_owned())]);
    }
    highlight_on_this_stack(line).lines.into_iter().next()
}

/// What texts are coloured by.
struct Grammars {
    set: SyntaxSet,
    tokens: Vec<(Scope, Token)>,
    /// The scope of the keys of JSON, which are text as well.
    key: Scope,
}

/// Scopes of Sublime's grammars (<https://www.sublimetext.com/docs/scope_naming.html>) that have a colour here. The innermost
/// scope that is listed decides, by its first row.
const TOKENS: [(&str, Token); 22] = [
    ("comment", Token::Comment),
    ("constant.numeric", Token::Number),
    ("constant.language", Token::Keyword),
    ("constant.character", Token::String),
    ("string", Token::String),
    ("keyword.operator", Token::Operator),
    ("keyword", Token::Keyword),
    ("storage", Token::Keyword),
    ("entity.name.function", Token::Function),
    ("entity.name.section", Token::Function),
    ("entity.name.tag", Token::Keyword),
    ("entity.other.document", Token::Keyword),
    ("support.function", Token::Function),
    ("variable.function", Token::Function),
    ("meta.diff.header", Token::Comment),
    ("meta.diff.range", Token::Function),
    ("markup.inserted", Token::String),
    ("markup.deleted", Token::Keyword),
    ("markup.heading", Token::Function),
    ("markup.raw", Token::String),
    ("markup.underline.link", Token::String),
    ("markup.quote", Token::Comment),
];

/// The grammars, unpacked when the first text needs them.
fn grammars() -> Option<&'static Grammars> {
    static GRAMMARS: OnceLock<Option<Grammars>> = OnceLock::new();
    let unpack = || {
        let set = from_uncompressed_data(include_bytes!("../../grammars/grammars.bin")).ok()?;
        let tokens = TOKENS.iter().map(|(scope, token)| Some((Scope::new(scope).ok()?, *token)));
        let key = Scope::new("meta.structure.dictionary.key").ok()?;
        Some(Grammars { set, tokens: tokens.collect::<Option<_>>()?, key })
    };
    GRAMMARS.get_or_init(unpack).as_ref()
}

impl Grammars {
    /// The coloured parts of a text: where each begins and ends.
    fn parts(
        &self,
        grammar: &SyntaxReference,
        text: &str,
        time: Duration,
    ) -> Vec<(usize, usize, Token)> {
        let began = Instant::now();
        let mut parts: Vec<(usize, usize, Token)> = Vec::new();
        let mut state = ParseState::new(grammar);
        let mut scopes = ScopeStack::new();
        let mut start = 0;
        for line in text.split_inclusive('\n') {
            let end = start + line.len();
            if line.len() <= LONGEST_LINE {
                let Ok(changes) = state.parse_line(line, &self.set) else { break };
                let mut at = start;
                for (place, change) in changes {
                    self.push(&mut parts, at, start + place, &scopes);
                    at = start + place;
                    if scopes.apply(&change).is_err() {
                        return parts;
                    }
                }
                self.push(&mut parts, at, end, &scopes);
            }
            start = end;
            if began.elapsed() > time {
                break;
            }
        }
        parts
    }

    fn push(
        &self,
        parts: &mut Vec<(usize, usize, Token)>,
        from: usize,
        to: usize,
        scopes: &ScopeStack,
    ) {
        let Some(token) = self.token(scopes).filter(|_| to > from) else { return };
        match parts.last_mut() {
            Some(last) if last.1 == from && last.2 == token => last.1 = to,
            _ => parts.push((from, to, token)),
        }
    }

    fn token(&self, scopes: &ScopeStack) -> Option<Token> {
        let scopes = scopes.as_slice();
        let token = scopes.iter().rev().find_map(|scope| {
            let row = self.tokens.iter().find(|(prefix, _)| prefix.is_prefix_of(*scope));
            row.map(|(_, token)| *token)
        });
        match token {
            Some(Token::String) if scopes.iter().any(|scope| self.key.is_prefix_of(*scope)) => {
                Some(Token::Keyword)
            }
            token => token,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The coloured parts of a file's text: `token text`.
    fn coloured(file: &str, text: &str) -> String {
        // However slow the machine is.
        let lines = within(Path::new(file), text, Duration::MAX).lines;
        let coloured = lines.iter().flatten().filter(|(token, _)| *token != Token::Plain);
        let shown = coloured.map(|(token, text)| format!("{token:?} {}", text.trim()));
        shown.collect::<Vec<_>>().join(", ")
    }

    #[test]
    fn each_language_is_coloured_by_its_own_grammar() {
        let cases = [
            (
                "catalog.yml",
                "# why\na:\n  b: \"x\"\n  c: 3\n  d: true\n",
                "Comment # why, Keyword a, Keyword b, String \"x\", Keyword c, Number 3, Keyword d, Keyword true",
            ),
            (
                "query.sql",
                "-- why\nSELECT a FROM b WHERE c = 'x'\n",
                "Comment -- why, Keyword SELECT, Keyword FROM, Keyword WHERE, Operator =, String 'x'",
            ),
            (
                "metrics.json",
                "{\"a\": \"x\", \"b\": [1, true]}\n",
                "Keyword \"a\", String \"x\", Keyword \"b\", Number 1, Keyword true",
            ),
            (
                "pyproject.toml",
                "# why\n[tool.kedro]\na = \"x\"\nb = [1, true]\nc = { d = 'y' }\n",
                "Comment # why, Function [tool.kedro], Keyword a, Operator =, String \"x\", Keyword b, Operator =, \
                 Number 1, Keyword true, Keyword c, Operator =, Keyword d, Operator =, String 'y'",
            ),
            (
                "README.md",
                "# Title\n\nSome `code` and [a](http://b).\n",
                "Function # Title, String `code`, String http://b",
            ),
            (
                "code.diff",
                "--- a\n+++ b\n@@ -1 +1 @@\n-old\n+new\n",
                "Comment --- a, Comment +++ b, Function @@ -1 +1 @@, Keyword -old, String +new",
            ),
            ("nodes.py", "x = 1 # why\n", "Operator =, Number 1, Comment # why"),
            ("notes.unknown", "x = 1 # why\n", ""),
        ];
        for (file, text, expected) in cases {
            assert_eq!(coloured(file, text), expected, "{file}");
        }
    }

    /// The lines without their colours.
    fn whole(lines: &Highlighted) -> Vec<String> {
        let texts =
            |line: &Vec<(Token, String)>| line.iter().map(|(_, text)| text.as_str()).collect();
        lines.lines.iter().map(texts).collect()
    }

    #[test]
    fn no_text_is_lost() {
        let lines = highlight(Path::new("a.yaml"), "a: |\n  one\n\ttwo\r\nb: 'ü' # c\n");
        assert_eq!(whole(&lines), ["a: |", "  one", "    two", "b: 'ü' # c"]);
    }

    #[test]
    fn hostile_texts_end_and_are_whole() {
        for ending in ["yml", "sql", "json", "toml", "md", "diff"] {
            let file = format!("file.{ending}");
            for piece in ["[", "{", "\"", " ", "a: ", "(", "*", "> "] {
                let line = piece.repeat(LONGEST_LINE / piece.len() - 1);
                let deep = format!("{line}\n").repeat(200);
                let long = piece.repeat(100_000);
                for text in [deep, long] {
                    let lines = within(Path::new(&file), &text, Duration::from_millis(20));
                    let expected: Vec<&str> = text.lines().collect();
                    assert_eq!(whole(&lines), expected, "{file} {piece}");
                }
            }
        }
    }

    #[test]
    fn frames_of_a_traceback_and_their_code_are_coloured() {
        let text = "Traceback (most recent call last):\n  File \"/p/nodes.py\", line 3, in clean\n    \
                    return 1 / x\n           ~~^~~\nZeroDivisionError: division by zero";
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let parts = traceback(&lines);
        assert!(parts[0].is_empty() && parts[4].is_empty());
        for (line, parts) in std::iter::zip(&lines, &parts).skip(1).take(3) {
            let whole: String = parts.iter().map(|(_, text)| text.as_str()).collect();
            assert_eq!(whole, *line);
        }
        let part = |token, text: &str| (token, text.to_owned());
        assert!(parts[1].contains(&part(Token::String, "\"/p/nodes.py\"")));
        assert!(parts[1].contains(&part(Token::Number, "3")));
        assert!(parts[1].contains(&part(Token::Function, "clean")));
        assert!(parts[2].contains(&part(Token::Keyword, "return")));
        assert_eq!(parts[3], [part(Token::Comment, &lines[3])]);
    }
}
