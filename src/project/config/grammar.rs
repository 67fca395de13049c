//! OmegaConf's interpolation grammar: parses text with `${...}` into a small tree.
//!
//! Interpolations are `${a.b}`, `${.a}`, `${a[0]}`, `${a.${b}}` and resolver calls
//! `${name:argument,...}`, whose arguments are quoted or typed, lists or mappings.

use crate::text::UserError;

/// A piece of a string.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Part {
    /// Text without interpolations.
    Text(String),
    /// A path to another value: `${a.b}`.
    Path(KeyPath),
    /// A resolver call: `${name:...}`.
    Call(Call),
}

/// A path to another value.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct KeyPath {
    /// The number of leading dots: 0 starts at the top, 1 at the mapping that contains the value,
    /// each further dot one level up.
    pub dots: usize,
    /// The keys; each may contain interpolations.
    pub keys: Vec<Vec<Part>>,
}

/// A call of a resolver.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Call {
    /// The resolver, such as `globals` or `oc.env`.
    pub name: String,
    /// The arguments of the call.
    pub arguments: Vec<Argument>,
}

/// An argument of a resolver.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Argument {
    /// Unquoted: typed as a number, boolean or null if it looks like one.
    Plain(Vec<Part>),
    /// Quoted: always a string.
    Quoted(Vec<Part>),
    /// A list such as `[a, b]`.
    List(Vec<Argument>),
    /// A mapping such as `{a: b}`.
    Map(Vec<(String, Argument)>),
}

/// Whether a string contains interpolations or escaped interpolations.
pub(super) fn concerns(text: &str) -> bool {
    text.contains("${")
}

/// Parses a string with interpolations.
///
/// # Errors
/// A clause that describes the error, such as `` a `}` is missing ``.
pub(super) fn parse(text: &str) -> Result<Vec<Part>, UserError> {
    let mut parser = Parser { rest: text, depth: 0 };
    let parts = parser.text(|_| false)?;
    Ok(parts)
}

/// The deepest nesting of interpolations; a configuration needs far less.
const DEEPEST: usize = 30;

struct Parser<'a> {
    rest: &'a str,
    depth: usize,
}

impl<'a> Parser<'a> {
    /// Parses text and interpolations up to a character that `ends` accepts, or to the end of the
    /// input.
    fn text(&mut self, ends: impl Fn(char) -> bool) -> Result<Vec<Part>, UserError> {
        let mut parts = Vec::new();
        let mut text = String::new();
        while let Some(c) = self.rest.chars().next() {
            if c == '\\' {
                // Backslashes count only before `${`: each pair is one backslash, an odd one
                // escapes the `${`.
                let count = self.rest.len() - self.rest.trim_start_matches('\\').len();
                let after = &self.rest[count..];
                if let Some(escaped) = after.strip_prefix("${") {
                    text.extend(std::iter::repeat_n('\\', count / 2));
                    self.rest = after;
                    if count % 2 == 1 {
                        text.push_str("${");
                        self.rest = escaped;
                    }
                    continue;
                }
                if after.starts_with(&ends) {
                    text.extend(std::iter::repeat_n('\\', count / 2));
                    self.rest = after;
                    if count % 2 == 1 {
                        text.extend(self.bump());
                        continue;
                    }
                    break;
                }
                text.push_str(&self.rest[..count]);
                self.rest = after;
                continue;
            }
            if self.rest.starts_with("${") {
                if !text.is_empty() {
                    parts.push(Part::Text(std::mem::take(&mut text)));
                }
                parts.push(self.interpolation()?);
                continue;
            }
            if ends(c) {
                break;
            }
            text.push(c);
            self.bump();
        }
        if !text.is_empty() {
            parts.push(Part::Text(text));
        }
        Ok(parts)
    }

    fn bump(&mut self) -> Option<char> {
        let c = self.rest.chars().next()?;
        self.rest = &self.rest[c.len_utf8()..];
        Some(c)
    }

    fn skip_space(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn expect(&mut self, c: char) -> Result<(), UserError> {
        self.skip_space();
        match self.rest.strip_prefix(c) {
            Some(rest) => {
                self.rest = rest;
                Ok(())
            }
            None => Err(format!("a `{c}` is missing").into()),
        }
    }

    fn interpolation(&mut self) -> Result<Part, UserError> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err("interpolations are nested too deep".into());
        }
        self.rest = &self.rest[2..];
        self.skip_space();
        let part = match self.resolver_name() {
            Some(name) => {
                let arguments = self.arguments('}')?;
                Part::Call(Call { name, arguments })
            }
            None => Part::Path(self.path()?),
        };
        self.expect('}')?;
        self.depth -= 1;
        Ok(part)
    }

    /// A dotted name that is followed by `:`.
    fn resolver_name(&mut self) -> Option<String> {
        let end = self
            .rest
            .find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '.' | '-')))
            .filter(|end| *end > 0)?;
        let rest = self.rest[end..].trim_start().strip_prefix(':')?;
        let name = self.rest[..end].to_owned();
        self.rest = rest;
        Some(name)
    }

    fn path(&mut self) -> Result<KeyPath, UserError> {
        let dots = self.rest.len() - self.rest.trim_start_matches('.').len();
        self.rest = &self.rest[dots..];
        let mut keys = Vec::new();
        loop {
            if let Some(rest) = self.rest.strip_prefix('[') {
                self.rest = rest;
                keys.push(trim(self.text(|c| c == ']')?));
                self.expect(']')?;
            } else {
                let key = trim(self.text(|c| matches!(c, '.' | '[' | '}' | ':' | ' '))?);
                if key.is_empty() {
                    return Err("a name is missing".into());
                }
                keys.push(key);
            }
            if let Some(rest) = self.rest.strip_prefix('.') {
                self.rest = rest;
            } else if !self.rest.starts_with('[') {
                return Ok(KeyPath { dots, keys });
            }
        }
    }

    fn arguments(&mut self, end: char) -> Result<Vec<Argument>, UserError> {
        let mut arguments = Vec::new();
        self.skip_space();
        if self.rest.starts_with(end) {
            return Ok(arguments);
        }
        loop {
            arguments.push(self.argument(end)?);
            self.skip_space();
            match self.rest.strip_prefix(',') {
                Some(rest) => self.rest = rest,
                None => return Ok(arguments),
            }
        }
    }

    fn argument(&mut self, end: char) -> Result<Argument, UserError> {
        self.skip_space();
        match self.rest.chars().next() {
            Some(quote @ ('"' | '\'')) => {
                self.bump();
                let text = self.text(|c| c == quote)?;
                self.expect_exactly(quote)?;
                Ok(Argument::Quoted(text))
            }
            Some('[') => self.nested(|parser| {
                let items = parser.arguments(']')?;
                parser.expect(']')?;
                Ok(Argument::List(items))
            }),
            Some('{') => self.nested(Self::mapping),
            _ => self.plain(end),
        }
    }

    /// An unquoted argument: OmegaConf's grammar allows only few characters in it, and escapes.
    fn plain(&mut self, end: char) -> Result<Argument, UserError> {
        let mut parts = Vec::new();
        // Trailing blanks are dropped, except escaped ones.
        let mut kept = 0;
        let mut text = String::new();
        while let Some(c) = self.rest.chars().next() {
            if self.rest.starts_with("${") {
                if !text.is_empty() {
                    parts.push(Part::Text(std::mem::take(&mut text)));
                }
                kept = 0;
                parts.push(self.interpolation()?);
                continue;
            }
            if c == ',' || c == end {
                break;
            }
            self.bump();
            let escaped = self
                .rest
                .starts_with(['\\', '(', ')', '[', ']', '{', '}', ':', '=', ',', ' ', '\t']);
            if c == '\\' && escaped {
                text.extend(self.bump());
                kept = text.len();
                continue;
            }
            let taken = c.is_ascii_alphanumeric()
                || matches!(c, ' ' | '\t' | '\n')
                || "_/-\\+.$%*@?|:".contains(c);
            if !taken {
                return Err(format!("`{c}` needs quotes around the argument").into());
            }
            text.push(c);
        }
        let end = text.trim_end().len().max(kept);
        text.truncate(end);
        if !text.is_empty() {
            parts.push(Part::Text(text));
        }
        Ok(Argument::Plain(parts))
    }

    fn nested(
        &mut self,
        parse_inner: impl FnOnce(&mut Self) -> Result<Argument, UserError>,
    ) -> Result<Argument, UserError> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err("interpolations are nested too deep".into());
        }
        self.bump();
        let argument = parse_inner(self)?;
        self.depth -= 1;
        Ok(argument)
    }

    fn mapping(&mut self) -> Result<Argument, UserError> {
        let mut entries = Vec::new();
        self.skip_space();
        while !self.rest.starts_with('}') {
            let end = self.rest.find(':').ok_or("a `:` is missing in a mapping")?;
            let key = self.rest[..end].trim().trim_matches(['"', '\'']).to_owned();
            self.rest = &self.rest[end + 1..];
            entries.push((key, self.argument('}')?));
            self.skip_space();
            match self.rest.strip_prefix(',') {
                Some(rest) => self.rest = rest.trim_start(),
                None => break,
            }
        }
        self.expect('}')?;
        Ok(Argument::Map(entries))
    }

    fn expect_exactly(&mut self, c: char) -> Result<(), UserError> {
        match self.rest.strip_prefix(c) {
            Some(rest) => {
                self.rest = rest;
                Ok(())
            }
            None => Err(format!("the closing `{c}` is missing").into()),
        }
    }
}

/// Removes blanks at both ends, as OmegaConf does for unquoted arguments.
fn trim(mut parts: Vec<Part>) -> Vec<Part> {
    if let Some(Part::Text(text)) = parts.first_mut() {
        *text = text.trim_start().to_owned();
    }
    if let Some(Part::Text(text)) = parts.last_mut() {
        *text = text.trim_end().to_owned();
    }
    parts.retain(|part| *part != Part::Text(String::new()));
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Part {
        Part::Text(text.to_owned())
    }

    fn path(dots: usize, keys: &[&str]) -> Part {
        Part::Path(KeyPath { dots, keys: keys.iter().map(|key| vec![text(key)]).collect() })
    }

    fn call(name: &str, arguments: Vec<Argument>) -> Part {
        Part::Call(Call { name: name.to_owned(), arguments })
    }

    #[test]
    fn paths_calls_and_escapes_are_distinguished() {
        let plain = |word: &str| Argument::Plain(vec![text(word)]);
        for (written, parts) in [
            ("a", vec![text("a")]),
            ("${a.b}/c", vec![path(0, &["a", "b"]), text("/c")]),
            ("${ a.b }", vec![path(0, &["a", "b"])]),
            ("${..a}", vec![path(2, &["a"])]),
            ("${a[0].b}", vec![path(0, &["a", "0", "b"])]),
            ("\\${a}", vec![text("${a}")]),
            ("\\\\${a}", vec![text("\\"), path(0, &["a"])]),
            ("C:\\x", vec![text("C:\\x")]),
            ("${globals:a.b}", vec![call("globals", vec![plain("a.b")])]),
            (
                "${oc.env:HOME, \"x, y\"}",
                vec![call("oc.env", vec![plain("HOME"), Argument::Quoted(vec![text("x, y")])])],
            ),
            ("${f:}", vec![call("f", vec![])]),
            (
                "${f:[1, a],{k: 2}}",
                vec![call(
                    "f",
                    vec![
                        Argument::List(vec![plain("1"), plain("a")]),
                        Argument::Map(vec![("k".into(), plain("2"))]),
                    ],
                )],
            ),
        ] {
            assert_eq!(parse(written), Ok(parts), "{written}");
        }
        assert_eq!(
            parse("${a.${b}}"),
            Ok(vec![Part::Path(KeyPath {
                dots: 0,
                keys: vec![vec![text("a")], vec![path(0, &["b"])]]
            })])
        );
    }

    #[test]
    fn broken_interpolations_say_what_is_missing() {
        for (written, reason) in [
            ("${a", "a `}` is missing"),
            ("${}", "a name is missing"),
            ("${f:'a}", "the closing `'` is missing"),
            ("${a[0}", "a `]` is missing"),
        ] {
            assert_eq!(parse(written), Err(reason.into()), "{written}");
        }
        assert!(parse(&"${a.".repeat(10_000)).is_err());
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_parsed_without_panic(text in "[a-z${}:.,'\"\\[\\]\\\\ ]{0,60}") {
            let _ = parse(&text);
        }
    }
}
