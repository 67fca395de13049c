//! Parser of lists of Python's string literals, such as `('a', "b")`. MLflow parses them with `ast.literal_eval`
//! (`_parse_list_from_sql_token`).

use super::FilterError;

/// Parses a list such as `('a', "b")`. `at` is the list's offset in the filter.
///
/// # Errors
/// When the list is empty, or contains anything but strings.
pub(super) fn texts(list: &str, at: usize) -> Result<Vec<String>, FilterError> {
    let texts = read(list, at, &|reader| reader.item())?;
    match texts.is_empty() {
        false => Ok(texts),
        true => Err(FilterError::new(
            "While parsing a list in the query, expected a non-empty list of string values, \
             but got empty list",
            at,
        )),
    }
}

/// Like [`texts`], but the list may be empty, and may contain whole numbers, which are returned as strings of their
/// digits: MLflow does not check the lists of logged models, and SQLite converts a number before it compares the
/// number with a text. `list` must begin with `(`.
///
/// # Errors
/// When the list contains anything else.
pub(super) fn items(list: &str, at: usize) -> Result<Vec<String>, FilterError> {
    let items = read(list, at, &|reader| reader.digits().or_else(|| reader.item()))?;
    // A single number in parentheses is not a list in Python.
    let is_number = list[1..].trim_start().starts_with(|c: char| c.is_ascii_digit());
    match is_number && items.len() == 1 && !list.contains(',') {
        false => Ok(items),
        true => Err(FilterError::new("A number in parentheses is not a list", at)),
    }
}

fn read(
    list: &str,
    at: usize,
    item: &dyn Fn(&mut Reader<'_>) -> Option<String>,
) -> Result<Vec<String>, FilterError> {
    // In Python `(('a', 'b'))` is the list `('a', 'b')`. If the inner text is not a list, as in `(('a'), 'b')`, the
    // parentheses belong to the first item.
    let inner = list.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')).map(str::trim);
    if let Some(inner) = inner.filter(|inner| inner.starts_with('(') && inner.contains(',')) {
        if let Ok(items) = read(inner, at, item) {
            return Ok(items);
        }
    }
    let mut reader = Reader { rest: list };
    let refused = |reader: &Reader<'_>| {
        FilterError::new(
            "While parsing a list in the query, expected a non-empty list of string values, \
             but got ill-formed list.",
            at + list.len() - reader.rest.len(),
        )
    };
    reader.blanks();
    if !reader.accept('(') {
        return Err(refused(&reader));
    }
    let mut items = Vec::new();
    loop {
        reader.blanks();
        if reader.accept(')') {
            break;
        }
        items.push(item(&mut reader).ok_or_else(|| refused(&reader))?);
        reader.blanks();
        if !reader.accept(',') {
            if reader.accept(')') {
                break;
            }
            return Err(refused(&reader));
        }
    }
    reader.blanks();
    match reader.rest.is_empty() {
        true => Ok(items),
        false => Err(refused(&reader)),
    }
}

struct Reader<'a> {
    rest: &'a str,
}

impl Reader<'_> {
    fn blanks(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn accept(&mut self, c: char) -> bool {
        match self.rest.strip_prefix(c) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    /// Parses a whole number.
    fn digits(&mut self) -> Option<String> {
        let length = self.rest.bytes().take_while(u8::is_ascii_digit).count();
        let (digits, rest) = self.rest.split_at(length);
        self.rest = rest;
        (length > 0).then(|| digits.to_owned())
    }

    /// Parses one text, or several adjacent ones, which Python joins; parentheses around them are ignored.
    fn item(&mut self) -> Option<String> {
        if self.rest.starts_with('(') {
            self.accept('(');
            self.blanks();
            let item = self.item()?;
            self.blanks();
            return self.accept(')').then_some(item);
        }
        let mut item = self.text()?;
        loop {
            self.blanks();
            if !self.rest.starts_with(['\'', '"']) {
                return Some(item);
            }
            item += &self.text()?;
        }
    }

    fn text(&mut self) -> Option<String> {
        let quote = self.rest.chars().next().filter(|first| matches!(first, '\'' | '"'))?;
        self.accept(quote);
        let mut text = String::new();
        while let Some(sign) = self.next() {
            match sign {
                _ if sign == quote => return Some(text),
                '\n' => return None,
                '\\' => self.escape(&mut text)?,
                _ => text.push(sign),
            }
        }
        None
    }

    /// Parses an escape after a backslash; unknown escapes are kept as they are.
    fn escape(&mut self, text: &mut String) -> Option<()> {
        let sign = self.next()?;
        let plain = match sign {
            '\n' => return Some(()),
            'n' => '\n',
            't' => '\t',
            'r' => '\r',
            'a' => '\u{7}',
            'b' => '\u{8}',
            'f' => '\u{c}',
            'v' => '\u{b}',
            '\\' | '\'' | '"' => sign,
            'x' => self.code(2)?,
            'u' => self.code(4)?,
            'U' => self.code(8)?,
            '0'..='7' => {
                let more = self.rest.bytes().take(2).take_while(|b| (b'0'..=b'7').contains(b));
                let more = more.count();
                let digits = format!("{sign}{}", &self.rest[..more]);
                self.rest = &self.rest[more..];
                char::from_u32(u32::from_str_radix(&digits, 8).ok()?)?
            }
            _ => {
                text.push('\\');
                sign
            }
        };
        text.push(plain);
        Some(())
    }

    fn code(&mut self, digits: usize) -> Option<char> {
        let hex = self.rest.get(..digits)?;
        let code = hex.bytes().all(|b| b.is_ascii_hexdigit()).then(|| u32::from_str_radix(hex, 16));
        self.rest = &self.rest[digits..];
        char::from_u32(code?.ok()?)
    }

    fn next(&mut self) -> Option<char> {
        let sign = self.rest.chars().next()?;
        self.rest = &self.rest[sign.len_utf8()..];
        Some(sign)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_read_as_python_reads_them() {
        let read = |list| texts(list, 0).ok();
        let list = |texts: &[&str]| Some(texts.iter().map(|text| (*text).to_owned()).collect());
        assert_eq!(read("('a', \"b\")"), list(&["a", "b"]));
        assert_eq!(read("('a')"), list(&["a"]));
        assert_eq!(read("('a' 'b',)"), list(&["ab"]));
        assert_eq!(read(r"('a\'b\n\x41\u00e9\q')"), list(&["a'b\nAé\\q"]));
        assert_eq!(read("(('a'), 'b')"), list(&["a", "b"]));
        assert_eq!(read("( ('a', 'b') )"), list(&["a", "b"]));
        assert_eq!(read("(('a', 'b'), 'c')"), None);
        for refused in ["()", "(1)", "('a', 1)", "('a'", "('a' + 'b')", "(a)", "('a\n')", "('a')x"]
        {
            assert_eq!(read(refused), None, "{refused}");
        }
        assert_eq!(texts("('a', 1)", 7).unwrap_err().at, 13);
        assert_eq!(items("('a', 1)", 0).ok(), list(&["a", "1"]));
        assert_eq!(items("()", 0).ok(), list(&[]));
    }
}
