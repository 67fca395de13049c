//! The colours of program output: parses SGR sequences (ECMA-48, 8.3.117) into styles and drops all
//! other escape sequences.

use vte::{Params, Parser, Perform};

use super::sanitize;

/// The meaning of a colour; themes define its appearance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Hue {
    Grey,
    Red,
    Green,
    Yellow,
    Blue,
    Magenta,
    Cyan,
}

/// A part of a line in one style, without control characters.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Part {
    /// The text of the part.
    pub text: String,
    /// The colour; `None` for the default one.
    pub hue: Option<Hue>,
    /// Whether the text is bold.
    pub bold: bool,
}

/// Splits a line into parts of one style each.
pub fn parts(line: &str) -> Vec<Part> {
    let mut reading = Reading::default();
    Parser::new().advance(&mut reading, line.as_bytes());
    reading.end_part();
    reading.found
}

/// Collects parts while a line is parsed.
#[derive(Default)]
struct Reading {
    found: Vec<Part>,
    /// The current style, with the text in it so far.
    part: Part,
}

impl Reading {
    fn end_part(&mut self) {
        let text = sanitize(&std::mem::take(&mut self.part.text));
        if !text.is_empty() {
            self.found.push(Part { text, ..self.part.clone() });
        }
    }
}

impl Perform for Reading {
    fn print(&mut self, c: char) {
        self.part.text.push(c);
    }

    fn execute(&mut self, byte: u8) {
        if matches!(byte, b'\t' | b'\n') {
            self.part.text.push(byte.into());
        }
    }

    fn csi_dispatch(&mut self, params: &Params, intermediates: &[u8], _: bool, action: char) {
        if action == 'm' && intermediates.is_empty() {
            self.end_part();
            apply(params, &mut self.part);
        }
    }
}

fn apply(params: &Params, style: &mut Part) {
    let mut codes = params.iter();
    while let Some(code) = codes.next() {
        match *code {
            [0] => *style = Part::default(),
            [1] => style.bold = true,
            [2] => style.hue = style.hue.or(Some(Hue::Grey)),
            [22] => style.bold = false,
            [code @ 30..=37] => style.hue = basic(code - 30),
            [code @ 90..=97] => style.hue = basic(code - 90).or((code == 90).then_some(Hue::Grey)),
            [39] => style.hue = None,
            [38, ref inner @ ..] => style.hue = extended(inner, &mut codes),
            // Background colours are dropped: they would hide what the theme draws. Underline
            // colours have no counterpart.
            [48 | 58, ref inner @ ..] => drop(extended(inner, &mut codes)),
            _ => {}
        }
    }
}

/// The hue of one of the eight basic colours; black and white are the default colour.
fn basic(number: u16) -> Option<Hue> {
    match number {
        1 => Some(Hue::Red),
        2 => Some(Hue::Green),
        3 => Some(Hue::Yellow),
        4 => Some(Hue::Blue),
        5 => Some(Hue::Magenta),
        6 => Some(Hue::Cyan),
        _ => None,
    }
}

/// Parses `5;N` (256 colours) or `2;R;G;B`: either as the next codes, or after colons within one
/// code, perhaps with a colour space before R.
fn extended<'a>(inner: &[u16], codes: &mut impl Iterator<Item = &'a [u16]>) -> Option<Hue> {
    let mut next = || codes.next()?.first().copied();
    match *inner {
        [] => match next()? {
            5 => indexed(next()?),
            2 => nearest(next()?, next()?, next()?),
            _ => None,
        },
        [5, number] => indexed(number),
        [2, red, green, blue] | [2, _, red, green, blue, ..] => nearest(red, green, blue),
        _ => None,
    }
}

/// The hue of one of the 256 colours of xterm.
fn indexed(number: u16) -> Option<Hue> {
    match number {
        0..=7 => basic(number),
        8..=15 => basic(number - 8).or((number == 8).then_some(Hue::Grey)),
        16..=231 => {
            let cube = number - 16;
            nearest(cube / 36 * 51, cube / 6 % 6 * 51, cube % 6 * 51)
        }
        232..=247 => Some(Hue::Grey),
        _ => None,
    }
}

/// The hue by the strongest of red, green and blue; greys are the default colour.
fn nearest(red: u16, green: u16, blue: u16) -> Option<Hue> {
    let most = red.max(green).max(blue);
    let least = red.min(green).min(blue);
    if most - least < 40 {
        return (most > 60 && most < 180).then_some(Hue::Grey);
    }
    let middle = least + (most - least) / 2;
    match (red > middle, green > middle, blue > middle) {
        (true, true, _) => Some(Hue::Yellow),
        (true, _, true) => Some(Hue::Magenta),
        (_, true, true) => Some(Hue::Cyan),
        (true, ..) => Some(Hue::Red),
        (_, true, _) => Some(Hue::Green),
        _ => Some(Hue::Blue),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn styled(line: &str) -> Vec<(String, Option<Hue>, bool)> {
        parts(line).into_iter().map(|part| (part.text, part.hue, part.bold)).collect()
    }

    #[test]
    fn colours_are_kept_and_everything_else_is_harmless() {
        let text = |text: &str| text.to_owned();
        assert_eq!(styled("plain"), [(text("plain"), None, false)]);
        assert_eq!(
            styled("\x1b[1;31mbad\x1b[0m and \x1b[38;5;46mgood\x1b[39m, \x1b[38;2;30;30;250mblue"),
            [
                (text("bad"), Some(Hue::Red), true),
                (text(" and "), None, false),
                (text("good"), Some(Hue::Green), false),
                (text(", "), None, false),
                (text("blue"), Some(Hue::Blue), false),
            ]
        );
        assert_eq!(
            styled("\x1b[2J\x1b[90ma\x1b]0;title\x07b"),
            [(text("ab"), Some(Hue::Grey), false)]
        );
        assert_eq!(styled("\x1b[48;5;1mon red\x1b[31"), [(text("on red"), None, false)]);
        for (line, hue) in [
            ("\x1b[38:5:46mx", Some(Hue::Green)),
            ("\x1b[38:2:30:30:250mx", Some(Hue::Blue)),
            ("\x1b[38:2::30:30:250mx", Some(Hue::Blue)),
            ("\x1b[31;4:3;58:5:1mx", Some(Hue::Red)),
            ("\x1b[31;58;5;1mx", Some(Hue::Red)),
            ("\x1b[31;999mx", Some(Hue::Red)),
            ("\x1b[>4;1mx", None),
        ] {
            assert_eq!(styled(line), [(text("x"), hue, false)], "{line:?}");
        }
        assert_eq!(styled("a\tb\nc\r"), [(text("a b␊c"), None, false)]);
        for broken in ["\x1b[", "\x1b[3", "\x1b[31;", "\x1b[38;5m", "\x1b[999999m", "\x1b\x1b[31m"]
        {
            assert!(parts(broken).iter().all(|part| !part.text.contains('\x1b')), "{broken:?}");
        }
    }
}
