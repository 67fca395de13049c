//! Checks the layout of lines, tabs and anchors in a YAML text by the rules of libyaml, which Kedro
//! uses. Compared with our parser, libyaml is laxer within brackets and quotes, and stricter about
//! tabs and anchors.

use std::collections::{HashMap, HashSet};

/// The result of examining a text.
#[derive(Debug, Default)]
pub(super) struct Layout {
    /// The text for our parser: lines within brackets and quotes are indented further.
    pub text: String,
    /// The number of columns added in front of each line, by line number from 1.
    pub shifts: HashMap<usize, usize>,
    /// What libyaml rejects: line from 1, column from 0, and the error.
    pub faults: Vec<(usize, usize, String)>,
}

const TAB: &str = "a tab stands where only spaces may";

/// Examines the layout of a text.
pub(super) fn examine(text: &str) -> Layout {
    let mut walk = Walk::default();
    for (index, line) in lines(text).enumerate() {
        walk.number = index + 1;
        walk.line(&line.chars().collect::<Vec<_>>());
    }
    walk.layout
}

/// The lines of a text with their line ends. YAML has three: `\n`, `\r\n` and `\r`.
pub(super) fn lines(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let ends = |at: usize| at + if rest[at..].starts_with("\r\n") { 2 } else { 1 };
        let (line, after) = rest.split_at(rest.find(['\n', '\r']).map_or(rest.len(), ends));
        rest = after;
        (!line.is_empty()).then_some(line)
    })
}

/// The position of the text's end: line from 1, column from 0.
pub(super) fn end(text: &str) -> (usize, usize) {
    let (line, last) = lines(text).enumerate().last().unwrap_or_default();
    match last.ends_with(['\n', '\r']) {
        true => (line + 2, 0),
        false => (line + 1, last.chars().count()),
    }
}

#[derive(Default)]
struct Walk {
    layout: Layout,
    number: usize,
    anchors: HashSet<String>,
    /// The columns of the open brackets, outermost first.
    brackets: Vec<usize>,
    /// The open quote and its column.
    quote: Option<(char, usize)>,
    /// The indentation of the line that the current block scalar belongs to.
    block: Option<usize>,
    /// The indentation of the line in which a plain scalar began, if the last line ended within
    /// one.
    plain: Option<usize>,
    /// Whether a token may start at the current position.
    fresh: bool,
    /// Whether the last character closed a quote or bracket.
    closed: bool,
}

impl Walk {
    fn line(&mut self, line: &[char]) {
        let lead = line.iter().take_while(|c| matches!(c, ' ' | '\t')).count();
        let spaces = line.iter().take_while(|c| **c == ' ').count();
        let blank = line[lead..].iter().all(|c| c.is_whitespace());
        if let Some(parent) = self.block {
            if blank || spaces > parent {
                self.layout.text.extend(line);
                return;
            }
            self.block = None;
        }
        let opening = self.quote.map(|(_, column)| column).or(self.brackets.last().copied());
        if let Some(opening) = opening {
            if self.quote.is_some() && is_document_mark(line) {
                let text = "a document mark stands within quotes".to_owned();
                self.layout.faults.push((self.number, 0, text));
            }
            if !blank {
                // Leading spaces have no meaning within brackets and quotes.
                self.layout.text.extend(std::iter::repeat_n(' ', opening + 1 + lead));
                self.layout.shifts.insert(self.number, opening + 1);
            }
            self.closed = false;
        } else {
            let continued = self.plain.is_some_and(|indent| lead > indent && !blank);
            if spaces < lead && !((continued || blank && self.plain.is_some()) && spaces > 0) {
                self.layout.faults.push((self.number, spaces, TAB.to_owned()));
            }
            self.layout.text.extend(&line[..lead]);
            self.fresh = !continued;
            self.closed = false;
            if !continued && !blank {
                self.plain = None;
            }
        }
        self.rest(line, lead);
    }

    /// Examines a line from its first non-blank character.
    fn rest(&mut self, line: &[char], lead: usize) {
        let mut at = lead;
        while at < line.len() {
            let c = line[at];
            if let Some((quote, _)) = self.quote {
                at = self.quoted(line, at, quote);
                continue;
            }
            let next = line.get(at + 1).copied().unwrap_or('\n');
            let after_blank = at == 0 || line[at - 1].is_whitespace();
            let in_brackets = !self.brackets.is_empty();
            let was_closed = std::mem::take(&mut self.closed);
            match c {
                '#' if after_blank || was_closed || in_brackets && self.fresh => {
                    if !after_blank {
                        self.layout.text.push(' ');
                    }
                    self.layout.text.extend(&line[at..]);
                    return;
                }
                '\t' if self.fresh => self.layout.text.push(' '),
                c if c.is_whitespace() => {
                    self.layout.text.push(c);
                    self.closed = was_closed;
                }
                '[' | '{' if self.fresh => {
                    self.layout.text.push(c);
                    self.brackets.push(at);
                }
                ']' | '}' if in_brackets => {
                    self.layout.text.push(c);
                    self.brackets.pop();
                    self.fresh = false;
                    self.closed = true;
                }
                ',' if in_brackets => {
                    self.layout.text.push(c);
                    self.fresh = true;
                }
                ':' if next.is_whitespace()
                    || in_brackets && (was_closed || ",[]{}".contains(next)) =>
                {
                    self.layout.text.push(c);
                    self.fresh = true;
                }
                '-' | '?' if self.fresh && next.is_whitespace() => {
                    self.layout.text.push(c);
                    let blanks = line[at + 1..].iter().take_while(|c| matches!(c, ' ' | '\t'));
                    let tab = blanks.clone().position(|c| *c == '\t');
                    if let (Some(tab), false) = (tab, in_brackets) {
                        self.layout.faults.push((self.number, at + 1 + tab, TAB.to_owned()));
                    }
                }
                '\'' | '"' if self.fresh => {
                    self.layout.text.push(c);
                    self.quote = Some((c, at));
                }
                '&' | '!' if self.fresh => at = self.property(line, at),
                '|' | '>' if self.fresh && !in_brackets && is_header(&line[at + 1..]) => {
                    self.layout.text.extend(&line[at..]);
                    self.block = Some(lead);
                    return;
                }
                c => {
                    self.layout.text.push(c);
                    if self.fresh && !in_brackets && self.plain.is_none() {
                        self.plain = Some(lead);
                    }
                    self.fresh = false;
                }
            }
            // A new value starts: the text before the `:` was a key.
            if self.fresh || self.closed {
                self.plain = None;
            }
            at += 1;
        }
    }

    /// Examines a character within quotes; returns the position after it.
    fn quoted(&mut self, line: &[char], at: usize, quote: char) -> usize {
        let c = line[at];
        self.layout.text.push(c);
        let next = line.get(at + 1).copied();
        let escapes = match quote {
            '"' => c == '\\',
            _ => c == '\'' && next == Some('\''),
        };
        if escapes {
            self.layout.text.extend(next);
            return at + 2;
        }
        if c == quote {
            self.quote = None;
            self.fresh = false;
            self.closed = true;
        }
        at + 1
    }

    /// Examines an anchor or tag; returns the position of its last character.
    fn property(&mut self, line: &[char], at: usize) -> usize {
        let name: String = line[at..]
            .iter()
            .take_while(|c| !c.is_whitespace() && !",[]{}".contains(**c))
            .collect();
        self.layout.text += &name;
        let length = name.chars().count().max(1);
        if let Some(anchor) = name.strip_prefix('&') {
            if !self.anchors.insert(anchor.to_owned()) {
                let text = format!("the anchor `&{anchor}` is defined twice");
                self.layout.faults.push((self.number, at, text));
            }
        }
        at + length - 1
    }
}

/// Whether the text after `|` or `>` is a valid block scalar header.
fn is_header(rest: &[char]) -> bool {
    let text: String = rest.iter().collect();
    let text = text.trim_start_matches(|c: char| c == '-' || c == '+' || c.is_ascii_digit());
    text.trim().is_empty() || text.starts_with([' ', '\t']) && text.trim().starts_with('#')
}

/// Whether a line starts with a `---` or `...` token.
fn is_document_mark(line: &[char]) -> bool {
    let mark = line.starts_with(&['-'; 3]) || line.starts_with(&['.'; 3]);
    mark && line.get(3).is_none_or(|c| c.is_whitespace())
}

/// The first character that PyYAML's reader rejects (`Reader.NON_PRINTABLE`), with its line from 1
/// and column from 0.
pub(super) fn unprintable(text: &str) -> Option<(usize, usize, char)> {
    lines(text).enumerate().find_map(|(index, line)| {
        let refused = |c: char| {
            c.is_control() && !matches!(c, '\t' | '\n' | '\r' | '\u{85}')
                || matches!(c, '\u{fffe}' | '\u{ffff}')
        };
        let (column, c) = line.chars().enumerate().find(|(_, c)| refused(*c))?;
        Some((index + 1, column, c))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tabs_and_anchors_that_libyaml_refuses_are_found() {
        for (text, faults) in [
            ("a:\n\tb: 1\n", vec![(2, 0)]),
            ("\ta: 1\n", vec![(1, 0)]),
            ("a:\n  -\tb\n", vec![(2, 3)]),
            ("a: 1\n\t\nb: 2\n", vec![(2, 0)]),
            ("a:\t1\t# c\n", vec![]),
            ("a: |\n  x\n\ty: 1\n", vec![(3, 0)]),
            ("a: |\n  x\n  \ty\n", vec![]),
            ("a: [\n\t1\n\t]\n", vec![]),
            ("a: 'x\n\ty'\n", vec![]),
            ("a: x\n  \ty\n", vec![]),
            ("a: &x 1\nb: &x 2\n", vec![(2, 3)]),
            ("a: &x 1\nb: 'c &x' # &x\nc: d &x\n", vec![]),
        ] {
            let found: Vec<_> =
                examine(text).faults.into_iter().map(|(line, column, _)| (line, column)).collect();
            assert_eq!(found, faults, "{text:?}");
        }
    }

    #[test]
    fn lines_end_as_in_yaml() {
        let found: Vec<_> = lines("a\r\nb\rc\n\r\n\rd").collect();
        assert_eq!(found, ["a\r\n", "b\r", "c\n", "\r\n", "\r", "d"]);
        assert_eq!(lines("").count(), 0);
        assert_eq!([end(""), end("a\nbc"), end("a\r\n")], [(1, 0), (2, 2), (2, 0)]);
        assert_eq!(unprintable("a\rb\0"), Some((2, 1, '\0')));
        let faults = examine("a:\r\tb: 1\r").faults;
        assert_eq!(faults.first().map(|(line, column, _)| (*line, *column)), Some((2, 0)));
    }

    #[test]
    fn lines_within_brackets_and_quotes_are_indented() {
        let layout = examine("a: [\n1,#c\n]\nb: 'x\ny'\n");
        assert_eq!(layout.text, "a: [\n    1, #c\n    ]\nb: 'x\n    y'\n");
        assert_eq!(layout.shifts, HashMap::from([(2, 4), (3, 4), (5, 4)]));
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_walked_without_panic(text in "[ \\[\\]{}\"'#:,&!|>?a\n\t-]{0,80}") {
            examine(&text);
        }
    }
}
