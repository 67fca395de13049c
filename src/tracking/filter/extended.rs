//! Extensions of MLflow's filter language: `OR`, `NOT` and parentheses around comparisons, `~` for regular
//! expressions, `last 7 days`, and plain words that match names.

use super::lexer::{Token, TokenKind};
use super::{
    Comparator, Compare, Entity, Expr, Field, FilterError, Value, fields, group, slice, unquoted,
};

/// Deepest nesting that is accepted.
const DEEPEST: usize = 50;

/// Parses a filter with extensions; `None` if the filter uses none.
pub(super) fn parse(
    entity: Entity,
    text: &str,
    tokens: &[Token],
) -> Option<Result<Expr, FilterError>> {
    let mut parser = Parser { entity, text, tokens, at: 0, depth: 0, extends: false };
    let parsed = parser.either().and_then(|expr| match parser.peek() {
        None => Ok(expr),
        Some(token) => Err(parser.unexpected(token)),
    });
    (parser.extends || parser.may_extend()).then_some(parsed)
}

struct Parser<'a> {
    entity: Entity,
    text: &'a str,
    tokens: &'a [Token],
    at: usize,
    depth: usize,
    /// Whether an extension was found.
    extends: bool,
}

impl<'a> Parser<'a> {
    fn peek(&self) -> Option<&'a Token> {
        self.tokens.get(self.at)
    }

    /// Whether the token is this keyword. If a parenthesis follows, sqlparse treats the keyword as the name
    /// of a call.
    fn is(&self, token: &Token, kind: TokenKind, word: &str) -> bool {
        token.kind == kind
            || token.kind == TokenKind::Name
                && slice(self.text, &token.at).eq_ignore_ascii_case(word)
    }

    fn take(&mut self, kind: TokenKind, word: &str) -> bool {
        let is = self.peek().is_some_and(|token| self.is(token, kind, word));
        self.at += usize::from(is);
        is
    }

    /// Whether the text contains a sign of an extension, so that its error should be reported.
    fn may_extend(&self) -> bool {
        let mut before = None;
        self.tokens.iter().any(|token| {
            let begins = matches!(
                before,
                None | Some(TokenKind::And | TokenKind::Or | TokenKind::Not | TokenKind::Open)
            );
            let extends = token.kind == TokenKind::Or
                || token.kind == TokenKind::Open && begins
                || token.kind == TokenKind::Comparator && slice(self.text, &token.at) == "~";
            before = Some(token.kind);
            extends
        })
    }

    fn unexpected(&self, token: &Token) -> FilterError {
        let word = slice(self.text, &token.at);
        FilterError::new(format!("Nothing is expected here, found '{word}'"), token.at.start)
    }

    fn end(&self) -> FilterError {
        FilterError::new("A comparison is missing", self.text.len())
    }

    fn either(&mut self) -> Result<Expr, FilterError> {
        let mut parts = vec![self.all()?];
        while self.take(TokenKind::Or, "OR") {
            self.extends = true;
            parts.push(self.all()?);
        }
        Ok(one_or(parts, Expr::Or))
    }

    fn all(&mut self) -> Result<Expr, FilterError> {
        let mut parts = vec![self.one()?];
        while self.take(TokenKind::And, "AND") {
            parts.push(self.one()?);
        }
        Ok(one_or(parts, Expr::And))
    }

    fn one(&mut self) -> Result<Expr, FilterError> {
        let first = self.peek().ok_or_else(|| self.end())?;
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(FilterError::new("Parentheses are nested too deep", first.at.start));
        }
        let expr = if self.take(TokenKind::Not, "NOT") {
            self.extends = true;
            Expr::Not(Box::new(self.one()?))
        } else if self.take(TokenKind::Open, "(") {
            self.extends = true;
            let expr = self.either()?;
            match self.peek() {
                Some(token) if token.kind == TokenKind::Close => self.at += 1,
                Some(token) => return Err(self.unexpected(token)),
                None => return Err(FilterError::new("A `)` is missing", self.text.len())),
            }
            expr
        } else {
            self.clause()?
        };
        self.depth -= 1;
        Ok(expr)
    }

    /// Parses a part without extension keywords: comparisons, `last 7 days`, or words.
    fn clause(&mut self) -> Result<Expr, FilterError> {
        let from = self.at;
        let mut open = 0;
        while let Some(token) = self.peek() {
            match token.kind {
                TokenKind::Open => open += 1,
                TokenKind::Close if open == 0 => break,
                TokenKind::Close => open -= 1,
                _ if open > 0 => {}
                _ if self.is(token, TokenKind::And, "AND")
                    || self.is(token, TokenKind::Or, "OR") =>
                {
                    break;
                }
                _ => {}
            }
            self.at += 1;
        }
        let tokens = &self.tokens[from..self.at];
        let (Some(first), Some(last)) = (tokens.first(), tokens.last()) else {
            return Err(self.peek().map_or_else(|| self.end(), |token| self.unexpected(token)));
        };
        let written = &self.text[first.at.start..last.at.end];
        if let Some(expr) = self.last(written).or_else(|| self.words(written)) {
            self.extends = true;
            return Ok(expr);
        }
        if let Some(expr) = self.matches(tokens) {
            self.extends = true;
            return expr;
        }
        let parts: Result<Vec<Expr>, FilterError> =
            group::comparisons(self.entity, self.text, tokens)?
                .iter()
                .map(|part| fields::compare(self.entity, self.text, part).map(Expr::Compare))
                .collect();
        Ok(one_or(parts?, Expr::And))
    }

    /// Parses `last 7 days`.
    fn last(&self, written: &str) -> Option<Expr> {
        const MINUTE: i64 = 60_000;
        let mut words = written.split_whitespace();
        let is_last = words.next()?.eq_ignore_ascii_case("last");
        let count: i64 = words.next().filter(|_| is_last)?.parse().ok()?;
        let unit = match words.next()?.to_ascii_lowercase().as_str() {
            "minute" | "minutes" | "min" => MINUTE,
            "hour" | "hours" | "h" => 60 * MINUTE,
            "day" | "days" | "d" => 24 * 60 * MINUTE,
            "week" | "weeks" | "w" => 7 * 24 * 60 * MINUTE,
            _ => return None,
        };
        let is_all = words.next().is_none() && count >= 0;
        is_all.then(|| count.checked_mul(unit)).flatten().map(Expr::Last)
    }

    /// Parses plain words that are not fields.
    fn words(&self, written: &str) -> Option<Expr> {
        const KEYWORDS: [&str; 18] = [
            "is",
            "in",
            "null",
            "like",
            "ilike",
            "between",
            "true",
            "false",
            "metric",
            "metrics",
            "param",
            "params",
            "parameter",
            "parameters",
            "tag",
            "tags",
            "dataset",
            "datasets",
        ];
        let is_plain = |word: &str| {
            word.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-'))
                && word.starts_with(|c: char| c.is_alphanumeric())
                && !word.bytes().all(|b| b.is_ascii_digit())
                && !KEYWORDS.iter().any(|keyword| keyword.eq_ignore_ascii_case(word))
                && fields::attribute(self.entity, word, false).is_none()
        };
        let words: Vec<&str> = written.split_whitespace().collect();
        let named = |word: &&str| Expr::Named((*word).to_owned());
        words
            .iter()
            .all(|word| is_plain(word))
            .then(|| one_or(words.iter().map(named).collect(), Expr::And))
    }

    /// Parses `field ~ 'regular expression'`.
    fn matches(&self, tokens: &[Token]) -> Option<Result<Expr, FilterError>> {
        let [left @ .., sign, right] = tokens else { return None };
        if sign.kind != TokenKind::Comparator || slice(self.text, &sign.at) != "~" {
            return None;
        }
        Some(self.match_of(left, right))
    }

    fn match_of(&self, left: &[Token], right: &Token) -> Result<Expr, FilterError> {
        let at = group::identifier(left).ok_or_else(|| {
            FilterError::new(
                "A field's name is missing before `~`",
                left.first().map_or(0, |token| token.at.start),
            )
        })?;
        let field = fields::field(self.entity, slice(self.text, &at), at.start, false)?;
        let is_number = match &field {
            Field::Metric(_) => true,
            Field::Attribute(attribute) => attribute.is_numeric(),
            _ => false,
        };
        if is_number {
            return Err(FilterError::new("`~` compares texts, and this is a number", at.start));
        }
        let pattern = unquoted(slice(self.text, &right.at), &['\'', '"'])
            .ok_or_else(|| FilterError::new("`~` needs a quoted pattern", right.at.start))?;
        if let Err(error) = regex::Regex::new(pattern) {
            let reason = error.to_string();
            let reason = reason.lines().last().unwrap_or_default().trim_start_matches("error: ");
            return Err(FilterError::new(format!("Invalid pattern: {reason}"), right.at.start));
        }
        let value = Value::Text(pattern.to_owned());
        Ok(Expr::Compare(Compare { field, comparator: Comparator::Matches, value }))
    }
}

fn one_or(mut parts: Vec<Expr>, many: fn(Vec<Expr>) -> Expr) -> Expr {
    match parts.len() {
        1 => parts.remove(0),
        _ => many(parts),
    }
}
