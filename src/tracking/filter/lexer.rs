//! Tokenizer of filters, like `sqlparse.lexer`, which defines MLflow's filter language. Rules that can only
//! lead to a rejection are left out.

use std::ops::Range;

/// The kind of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TokenKind {
    /// A bare word, or one in backticks or brackets.
    Name,
    /// `"text"`.
    Symbol,
    /// `'text'`.
    Text,
    /// `1`, `-1`.
    Integer,
    /// `1.5`, `.5`, `2E3`.
    Float,
    /// `0x1F`.
    Hex,
    /// `=`, `!=`, `LIKE` and so on, any run of `<>=~!`.
    Comparator,
    /// `AND`.
    And,
    /// `OR`.
    Or,
    /// `NOT`.
    Not,
    /// `NOT NULL`.
    NotNull,
    /// `NULL`.
    Null,
    /// `IS`.
    Is,
    /// `IN`.
    In,
    /// `ASC` or `DESC`.
    Order,
    /// `.`, `->`, `->>`: join names.
    Period,
    /// `::`: joins any operands.
    Cast,
    /// `*`.
    Wildcard,
    /// `(`.
    Open,
    /// `)`.
    Close,
    /// `[`.
    OpenBracket,
    /// `]`.
    CloseBracket,
    /// An operator between values, such as `+`.
    Operator,
    /// Anything else, which is invalid in filters.
    Other,
}

/// A token and its byte range in the text. Blanks are not tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    pub kind: TokenKind,
    pub at: Range<usize>,
}

/// All tokens of a text, without blanks.
pub(super) fn tokens(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(first) = text[at..].chars().next() {
        let (kind, length) = token(text, at, first);
        if let Some(kind) = kind {
            tokens.push(Token { kind, at: at..at + length });
        }
        at += length;
    }
    tokens
}

/// The kind of the token at an offset (`None` for blanks), and its length in bytes.
fn token(text: &str, at: usize, first: char) -> (Option<TokenKind>, usize) {
    let rest = &text[at..];
    if first.is_whitespace() {
        return (None, first.len_utf8());
    }
    let before = text[..at].chars().next_back();
    let (kind, length) = comment(rest)
        .or_else(|| sign(rest))
        .or_else(|| quoted(rest, first))
        .or_else(|| placeholder(rest, before))
        .or_else(|| word(rest, first, before))
        .or_else(|| number(rest))
        .or_else(|| bracketed(rest, before))
        .or_else(|| phrase(rest))
        .or_else(|| plain_word(rest))
        .or_else(|| punctuation(rest, first))
        .unwrap_or((TokenKind::Other, first.len_utf8()));
    (Some(kind), length)
}

fn comment(rest: &str) -> Option<(TokenKind, usize)> {
    if rest.starts_with("--") || rest.starts_with("# ") {
        return Some((TokenKind::Other, rest.find(['\r', '\n']).unwrap_or(rest.len())));
    }
    let length = rest.strip_prefix("/*")?.find("*/")?;
    Some((TokenKind::Other, length + 4))
}

fn sign(rest: &str) -> Option<(TokenKind, usize)> {
    [(":=", TokenKind::Other), ("::", TokenKind::Cast), ("*", TokenKind::Wildcard)]
        .into_iter()
        .find_map(|(sign, kind)| rest.starts_with(sign).then_some((kind, sign.len())))
}

fn quoted(rest: &str, first: char) -> Option<(TokenKind, usize)> {
    let kind = match first {
        '`' | '´' => TokenKind::Name,
        '\'' => TokenKind::Text,
        '"' => TokenKind::Symbol,
        _ => return None,
    };
    // Inside, the quote is doubled, or in texts escaped by a backslash. If no closing quote is found, the
    // last of these quotes closes the text.
    let mut fallback = None;
    let mut signs = rest.char_indices().skip(1).peekable();
    while let Some((at, sign)) = signs.next() {
        let end = at + sign.len_utf8();
        if sign == first {
            if signs.next_if(|(_, next)| *next == first).is_none() {
                return Some((kind, end));
            }
            fallback = Some(end);
        } else if sign == '\\' && kind != TokenKind::Name {
            if let Some((at, _)) = signs.next_if(|(_, next)| *next == first) {
                fallback = Some(at + first.len_utf8());
            }
        }
    }
    fallback.map(|end| (kind, end))
}

/// Placeholders `?`, `%s`, `$1`: sqlparse treats them as names.
fn placeholder(rest: &str, before: Option<char>) -> Option<(TokenKind, usize)> {
    if rest.starts_with('?') {
        return Some((TokenKind::Name, 1));
    }
    if let Some(after) = rest.strip_prefix('%') {
        let inner = after.strip_prefix('(').and_then(|inner| {
            let end = word_length(inner);
            (end > 0 && inner[end..].starts_with(')')).then_some(end + 2)
        });
        let length = inner.unwrap_or(0);
        return after[length..].starts_with(['s', 'S']).then_some((TokenKind::Name, length + 2));
    }
    if rest.starts_with(['$', ':']) && !before.is_some_and(is_word) {
        let length = word_length(&rest[1..]);
        return (length > 0).then_some((TokenKind::Name, length + 1));
    }
    let length = word_length(rest.strip_prefix('\\')?);
    (length > 0).then_some((TokenKind::Other, length + 1))
}

/// Words that are names because of the characters around them, and the few words that never are.
fn word(rest: &str, first: char, before: Option<char>) -> Option<(TokenKind, usize)> {
    let length = word_length(rest);
    let (word, after) = rest.split_at(length);
    if word.eq_ignore_ascii_case("in") {
        return Some((TokenKind::In, length));
    }
    if ["case", "values", "using", "from", "as"]
        .iter()
        .any(|other| word.eq_ignore_ascii_case(other))
    {
        return Some((TokenKind::Other, length));
    }
    let sign = rest.len() - rest.trim_start_matches('#').len();
    if matches!((first, sign), ('@', _) | ('#', 1 | 2)) {
        let sign = sign.max(1);
        let length = word_length(&rest[sign..]);
        let starts = rest[sign..].starts_with(is_letter);
        return (starts && length > 1).then_some((TokenKind::Name, sign + length));
    }
    if !is_letter(first) {
        return None;
    }
    let period = after.trim_start().strip_prefix('.');
    let joins = period.is_some_and(|after| !after.starts_with(|c: char| c.is_ascii_digit()));
    let is_name = joins || before == Some('.') || after.starts_with('(');
    is_name.then_some((TokenKind::Name, length))
}

fn number(rest: &str) -> Option<(TokenKind, usize)> {
    let sign = usize::from(rest.starts_with('-'));
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let unsigned = &rest[sign..];
    if let Some(hex) = unsigned.get(..2).filter(|start| start.eq_ignore_ascii_case("0x")) {
        let length = unsigned[hex.len()..].bytes().take_while(u8::is_ascii_hexdigit).count();
        if length > 0 {
            return Some((TokenKind::Hex, sign + 2 + length));
        }
    }
    let whole = digits(unsigned);
    let fraction = unsigned[whole..].strip_prefix('.').map(digits);
    // An exponent needs digits before it, and after a decimal point.
    if whole > 0 {
        let mantissa = match fraction {
            Some(0) | None => whole,
            Some(fraction) => whole + 1 + fraction,
        };
        if let Some(exponent) = unsigned[mantissa..].strip_prefix(['e', 'E']) {
            let minus = usize::from(exponent.starts_with('-'));
            let length = digits(&exponent[minus..]);
            if length > 0 {
                return Some((TokenKind::Float, sign + mantissa + 1 + minus + length));
            }
        }
    }
    // If a letter follows, sqlparse leaves the last digit out of the number, unless it is the only digit.
    let shortened = |length: usize, spare: usize| match unsigned[length..].chars().next() {
        Some(c) if c == '_' || is_letter(c) => (spare > 0).then(|| length - 1),
        _ => Some(length),
    };
    if let Some(fraction) = fraction {
        let spare = if whole > 0 { fraction } else { fraction.saturating_sub(1) };
        if whole + fraction > 0 {
            if let Some(length) = shortened(whole + 1 + fraction, spare) {
                return Some((TokenKind::Float, sign + length));
            }
        }
    }
    let length = (whole > 0).then(|| shortened(whole, whole - 1)).flatten()?;
    Some((TokenKind::Integer, sign + length))
}

/// `[a b]` in a position where it can't be an index.
fn bracketed(rest: &str, before: Option<char>) -> Option<(TokenKind, usize)> {
    if before.is_some_and(|c| is_word(c) || matches!(c, ']' | ')')) {
        return None;
    }
    let inner = rest.strip_prefix('[')?;
    let length = inner.find(['[', ']']).filter(|length| *length > 0)?;
    inner[length..].starts_with(']').then_some((TokenKind::Name, length + 2))
}

/// Keywords of one or two words.
fn phrase(rest: &str) -> Option<(TokenKind, usize)> {
    let first = word_length(rest);
    let blanks = rest[first..].len() - rest[first..].trim_start().len();
    let second = &rest[first + blanks..];
    let second = &second[..word_length(second)];
    let both = first + blanks + second.len();
    let is = |word: &str, names: &[&str]| names.iter().any(|name| word.eq_ignore_ascii_case(name));
    const LIKE: [&str; 4] = ["LIKE", "ILIKE", "RLIKE", "REGEXP"];
    match &rest[..first] {
        word if is(word, &["NOT"]) && blanks > 0 && is(second, &["NULL"]) => {
            // MLflow expects exactly one blank in this keyword.
            let exact = rest[..both].eq_ignore_ascii_case("NOT NULL");
            Some((if exact { TokenKind::NotNull } else { TokenKind::Other }, both))
        }
        word if is(word, &["NOT"]) && blanks > 0 && is(second, &LIKE) => {
            Some((TokenKind::Comparator, both))
        }
        word if is(word, &["ASC", "DESC"]) => Some((TokenKind::Order, first)),
        word if is(word, &LIKE) => Some((TokenKind::Comparator, first)),
        word if is(word, &["AND"]) => Some((TokenKind::And, first)),
        word if is(word, &["OR"]) => Some((TokenKind::Or, first)),
        word if is(word, &["NOT"]) => Some((TokenKind::Not, first)),
        word if is(word, &["NULL"]) => Some((TokenKind::Null, first)),
        word if is(word, &["IS"]) => Some((TokenKind::Is, first)),
        _ => None,
    }
}

fn plain_word(rest: &str) -> Option<(TokenKind, usize)> {
    if !rest.starts_with(is_word) {
        return None;
    }
    let in_word = |c: char| is_word(c) || matches!(c, '$' | '#');
    Some((TokenKind::Name, rest.find(|c| !in_word(c)).unwrap_or(rest.len())))
}

fn punctuation(rest: &str, first: char) -> Option<(TokenKind, usize)> {
    let kind = match first {
        '(' => TokenKind::Open,
        ')' => TokenKind::Close,
        '[' => TokenKind::OpenBracket,
        ']' => TokenKind::CloseBracket,
        '.' => TokenKind::Period,
        ';' | ':' | ',' => TokenKind::Other,
        _ => {
            for arrow in ["->>", "->"] {
                if rest.starts_with(arrow) {
                    return Some((TokenKind::Period, arrow.len()));
                }
            }
            for operator in ["#>>", "#>", "@>", "<@", "-", "#-"] {
                if rest.starts_with(operator) {
                    return Some((TokenKind::Operator, operator.len()));
                }
            }
            let run = |signs: &[char]| rest.len() - rest.trim_start_matches(signs).len();
            return match run(&['<', '>', '=', '~', '!']) {
                0 => match run(&['+', '/', '@', '#', '%', '^', '&', '|', '-']) {
                    0 => None,
                    length => Some((TokenKind::Operator, length)),
                },
                length => Some((TokenKind::Comparator, length)),
            };
        }
    };
    Some((kind, 1))
}

fn word_length(text: &str) -> usize {
    text.find(|c| !is_word(c)).unwrap_or(text.len())
}

fn is_word(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}

/// The letters that start names in sqlparse's rules: `A-ZÀ-Ü`, ignoring case.
fn is_letter(c: char) -> bool {
    c.is_ascii_alphabetic() || matches!(c, 'À'..='Ü' | 'à'..='ü')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str) -> Vec<(TokenKind, &str)> {
        tokens(text).into_iter().map(|token| (token.kind, &text[token.at])).collect()
    }

    #[test]
    fn words_signs_and_quotes_have_their_kinds() {
        use TokenKind::*;
        assert_eq!(
            kinds("metrics.a >= -1.5 and tags.`b c` NOT  LIKE 'it''s'"),
            [
                (Name, "metrics"),
                (Period, "."),
                (Name, "a"),
                (Comparator, ">="),
                (Float, "-1.5"),
                (And, "and"),
                (Name, "tags"),
                (Period, "."),
                (Name, "`b c`"),
                (Comparator, "NOT  LIKE"),
                (Text, "'it''s'"),
            ]
        );
        assert_eq!(kinds(r"'a\' b' c"), [(Text, r"'a\' b'"), (Name, "c")]);
        assert_eq!(kinds(r"'a\'"), [(Text, r"'a\'")]);
        assert_eq!(kinds("'a''"), [(Text, "'a'"), (Other, "'")]);
        assert_eq!(
            kinds("run_id IN('a')")[1..],
            [(In, "IN"), (Open, "("), (Text, "'a'"), (Close, ")")]
        );
        assert_eq!(kinds("AND('a')")[0], (Name, "AND"));
        assert_eq!(kinds("a.and"), [(Name, "a"), (Period, "."), (Name, "and")]);
        assert_eq!(kinds("x is not null"), [(Name, "x"), (Is, "is"), (NotNull, "not null")]);
    }

    #[test]
    fn numbers_are_cut_where_sqlparse_cuts_them() {
        use TokenKind::*;
        for (text, expected) in [
            ("1e3", vec![(Float, "1e3")]),
            ("1.5E-3", vec![(Float, "1.5E-3")]),
            ("1.", vec![(Float, "1.")]),
            ("-.5", vec![(Float, "-.5")]),
            ("0x1F", vec![(Hex, "0x1F")]),
            ("12a", vec![(Integer, "1"), (Name, "2a")]),
            ("1a", vec![(Name, "1a")]),
            ("1_0", vec![(Name, "1_0")]),
            ("1.25a", vec![(Float, "1.2"), (Name, "5a")]),
            ("1e+5", vec![(Name, "1e"), (Operator, "+"), (Integer, "5")]),
            ("+1", vec![(Operator, "+"), (Integer, "1")]),
        ] {
            assert_eq!(kinds(text), expected, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn tokens_lie_in_order_and_cover_all_but_blanks(text in r#"[a-z0-9é.'"`\[\]()<=>\\ $#%:*-]{0,40}"#) {
            let mut at = 0;
            for token in tokens(&text) {
                proptest::prop_assert!(text[at..token.at.start].trim().is_empty());
                proptest::prop_assert!(token.at.start < token.at.end);
                at = token.at.end;
            }
            proptest::prop_assert!(text[at..].trim().is_empty());
        }
    }
}
