//! Syntax highlighting: Python source as lines of coloured parts.

use ruff_python_ast::token::TokenKind as T;
use ruff_python_parser::{Mode, ParseOptions, parse_unchecked};
use ruff_text_size::Ranged;

use crate::text::sanitize;

/// The kind of a part of the code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Token {
    /// Names, brackets, punctuation and spaces.
    Plain,
    /// Keywords and constants of the language.
    Keyword,
    /// String literals, f-strings included.
    String,
    /// Integer, float and complex literals.
    Number,
    /// Comments, including the `#`.
    Comment,
    /// The name of a function or class where it is defined or called.
    Function,
    /// Operators such as `+` or `=`; brackets and punctuation are plain.
    Operator,
    /// The `@` of a decorator or matrix product.
    Decorator,
}

/// The highlighted lines of a file. Each part is safe to print in a terminal; tabs are four spaces.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Highlighted {
    /// The lines, starting with line 1.
    pub lines: Vec<Vec<(Token, String)>>,
}

/// Highlights `text`. A file with syntax errors is highlighted as far as it can be split into
/// tokens. Runs on a large stack because nested code is parsed recursively.
pub fn highlight(text: &str) -> Highlighted {
    super::on_large_stack(|| highlight_on_this_stack(text))
}

pub(in crate::project) fn highlight_on_this_stack(text: &str) -> Highlighted {
    let mut parts: Vec<(usize, usize, Token)> = Vec::new();
    let parsed = parse_unchecked(text, ParseOptions::from(Mode::Module));
    for token in parsed.tokens() {
        let (kind, range) = (token.kind(), token.range());
        let (start, end) = (range.start().to_usize(), range.end().to_usize());
        let token = match kind {
            T::Comment => Token::Comment,
            T::String
            | T::FStringStart
            | T::FStringMiddle
            | T::FStringEnd
            | T::TStringStart
            | T::TStringMiddle
            | T::TStringEnd => Token::String,
            T::Int | T::Float | T::Complex => Token::Number,
            T::At => Token::Decorator,
            T::Name => Token::Plain,
            T::Lpar => {
                if let Some(last) = parts.last_mut()
                    && last.2 == Token::Plain
                    && last.1 == start
                {
                    last.2 = Token::Function;
                }
                continue;
            }
            kind if kind.is_keyword() => Token::Keyword,
            kind if kind.is_operator() => match kind {
                T::Rpar
                | T::Lsqb
                | T::Rsqb
                | T::Lbrace
                | T::Rbrace
                | T::Comma
                | T::Colon
                | T::Dot
                | T::Semi => continue,
                _ => Token::Operator,
            },
            _ => continue,
        };
        if end > start {
            parts.push((start, end, token));
        }
    }
    split(text, &parts)
}

/// Splits a text that is not Python into lines without colours.
pub fn plain(text: &str) -> Highlighted {
    split(text, &[])
}

/// The lines of a text whose `parts` (start, end) have these tokens and whose other parts are plain.
pub(in crate::project) fn split(text: &str, parts: &[(usize, usize, Token)]) -> Highlighted {
    let mut lines = Vec::new();
    let mut next = 0;
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let end = start + line.trim_end_matches(['\n', '\r']).len();
        let mut out: Vec<(Token, String)> = Vec::new();
        let mut at = start;
        let mut push = |token: Token, from: usize, to: usize| {
            let piece = text.get(from..to).unwrap_or_default();
            if !piece.is_empty() {
                out.push((token, sanitize(&piece.replace('\t', "    "))));
            }
        };
        let mut index = next;
        while let Some((from, to, token)) = parts.get(index).copied() {
            if from >= end {
                break;
            }
            let (from, to_here) = (from.max(start), to.min(end));
            push(Token::Plain, at, from);
            push(token, from, to_here);
            at = to_here.max(at);
            if to > end {
                break;
            }
            index += 1;
        }
        next = index;
        push(Token::Plain, at, end);
        lines.push(out);
        start += line.len();
    }
    Highlighted { lines }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(text: &str) -> Vec<Vec<(Token, String)>> {
        let plain = |part: &(Token, String)| part.0 != Token::Plain;
        highlight(text)
            .lines
            .into_iter()
            .map(|line| line.into_iter().filter(plain).collect())
            .collect()
    }

    #[test]
    fn keywords_strings_numbers_calls_and_comments_get_different_tokens() {
        use Token::{Comment, Function, Keyword, Number, Operator, String};
        let part = |token, text: &str| (token, text.to_owned());
        assert_eq!(
            tokens("def f(x):  # why\n    return g('a') + 1\n"),
            [
                vec![part(Keyword, "def"), part(Function, "f"), part(Comment, "# why")],
                vec![
                    part(Keyword, "return"),
                    part(Function, "g"),
                    part(String, "'a'"),
                    part(Operator, "+"),
                    part(Number, "1")
                ],
            ]
        );
    }

    #[test]
    fn a_string_over_several_lines_keeps_its_colour_and_no_text_is_lost() {
        let text = "a = '''one\n\ttwo\n'''\nb = (\n";
        let lines = highlight(text).lines;
        assert_eq!(lines.len(), 4);
        assert_eq!(lines[1], [(Token::String, "    two".to_owned())]);
        let whole: Vec<String> =
            lines.iter().map(|line| line.iter().map(|(_, text)| text.as_str()).collect()).collect();
        assert_eq!(whole, ["a = '''one", "    two", "'''", "b = ("]);
    }
}
