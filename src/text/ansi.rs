//! The colours of what programs print: SGR sequences (ECMA-48, 8.3.117) as styles, and nothing else of
//! what a terminal would obey.

use super::sanitize;

/// What a colour stands for; themes say how that looks.
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

/// A part of a line in one style; harmless.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Part {
    /// The text.
    pub text: String,
    /// Its colour; `None` for the usual one.
    pub hue: Option<Hue>,
    /// Whether it stands out.
    pub bold: bool,
}

/// The line in parts of one style each.
pub fn parts(line: &str) -> Vec<Part> {
    let mut found = Vec::new();
    let mut style = Part::default();
    let mut rest = line;
    let mut push = |text: &str, style: &Part| {
        let text = sanitize(text);
        if !text.is_empty() {
            found.push(Part { text, ..style.clone() });
        }
    };
    while let Some((start, codes, end)) = next(rest) {
        push(&rest[..start], &style);
        apply(codes, &mut style);
        rest = &rest[end..];
    }
    push(rest, &style);
    found
}

/// Where the next SGR sequence begins, its parameters, and where it ends.
fn next(text: &str) -> Option<(usize, &str, usize)> {
    let mut from = 0;
    while let Some(at) = text[from..].find("\x1b[") {
        let start = from + at;
        let body = &text[start + 2..];
        let length = body.find(|c: char| !matches!(c, '0'..='9' | ';' | ':'))?;
        if body[length..].starts_with('m') {
            return Some((start, &body[..length], start + 2 + length + 1));
        }
        from = start + 2;
    }
    None
}

fn apply(codes: &str, style: &mut Part) {
    let mut codes = codes.split([';', ':']).map(|code| code.parse::<u8>().unwrap_or(0));
    while let Some(code) = codes.next() {
        match code {
            0 => *style = Part::default(),
            1 => style.bold = true,
            2 => style.hue = style.hue.or(Some(Hue::Grey)),
            22 => style.bold = false,
            30..=37 => style.hue = basic(code - 30),
            90..=97 => style.hue = basic(code - 90).or((code == 90).then_some(Hue::Grey)),
            39 => style.hue = None,
            38 => style.hue = extended(&mut codes),
            // A background would hide what the theme draws; its colour is passed over.
            48 => drop(extended(&mut codes)),
            _ => {}
        }
    }
}

/// The hue of one of the eight colours; black and white are the usual one.
fn basic(number: u8) -> Option<Hue> {
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

/// `5;N` of 256 colours, or `2;R;G;B`.
fn extended(codes: &mut impl Iterator<Item = u8>) -> Option<Hue> {
    match codes.next()? {
        5 => match codes.next()? {
            number @ 0..=7 => basic(number),
            number @ 8..=15 => basic(number - 8).or((number == 8).then_some(Hue::Grey)),
            number @ 16..=231 => {
                let cube = number - 16;
                nearest(cube / 36 * 51, cube / 6 % 6 * 51, cube % 6 * 51)
            }
            number => (number < 248).then_some(Hue::Grey),
        },
        2 => nearest(codes.next()?, codes.next()?, codes.next()?),
        _ => None,
    }
}

/// By which of red, green and blue are strong; what has no colour is the usual one.
fn nearest(red: u8, green: u8, blue: u8) -> Option<Hue> {
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

    fn seen(line: &str) -> Vec<(String, Option<Hue>, bool)> {
        parts(line).into_iter().map(|part| (part.text, part.hue, part.bold)).collect()
    }

    #[test]
    fn colours_are_kept_and_everything_else_is_harmless() {
        let text = |text: &str| text.to_owned();
        assert_eq!(seen("plain"), [(text("plain"), None, false)]);
        assert_eq!(
            seen("\x1b[1;31mbad\x1b[0m and \x1b[38;5;46mgood\x1b[39m, \x1b[38;2;30;30;250mblue"),
            [
                (text("bad"), Some(Hue::Red), true),
                (text(" and "), None, false),
                (text("good"), Some(Hue::Green), false),
                (text(", "), None, false),
                (text("blue"), Some(Hue::Blue), false),
            ]
        );
        assert_eq!(
            seen("\x1b[2J\x1b[90ma\x1b]0;title\x07b"),
            [(text("ab"), Some(Hue::Grey), false)]
        );
        assert_eq!(seen("\x1b[48;5;1mon red\x1b[31"), [(text("on red"), None, false)]);
        for broken in ["\x1b[", "\x1b[3", "\x1b[31;", "\x1b[38;5m", "\x1b[999999m", "\x1b\x1b[31m"]
        {
            assert!(parts(broken).iter().all(|part| !part.text.contains('\x1b')), "{broken:?}");
        }
    }
}
