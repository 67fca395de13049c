//! Whether the terminal's background is dark or light: asks the terminal, else reads `COLORFGBG`.
//!
//! The question is OSC 11 of [XTerm's control sequences]. Terminals that do not know it say nothing, so the question
//! for the device attributes (DA1), which every terminal answers, follows it: its answer ends the waiting.
//! Answers share the input with the keyboard: [`Answers`] tells them from what is typed.
//!
//! [XTerm's control sequences]: https://invisible-island.net/xterm/ctlseqs/ctlseqs.html

use std::io::{self, Write};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use crate::ui::color::luminance;

/// OSC 11 with `?`, then DA1.
const QUESTION: &[u8] = b"\x1b]11;?\x07\x1b[c";

/// How long the first frame waits for an answer.
const LIMIT: Duration = Duration::from_millis(50);

/// The relative luminance at which black and white text have the same contrast (WCAG 2.2):
/// `(1.05) / (l + 0.05) = (l + 0.05) / (0.05)`.
const MIDDLE: f64 = 0.179;

/// No answer is longer.
const LONGEST: usize = 128;

/// The kind of background that a terminal has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Background {
    /// White text has more contrast.
    Dark,
    /// Black text has more contrast.
    Light,
}

impl Background {
    /// The background according to `COLORFGBG`, which rxvt, Konsole and others set: `15;0` or `15;default;0`, text
    /// first, background last. As in Vim, the colours 0 to 6 and 8 are dark.
    pub(super) fn of_variable(value: &str) -> Option<Background> {
        match value.rsplit(';').next()?.parse::<u8>().ok()? {
            0..=6 | 8 => Some(Background::Dark),
            7 | 9..=15 => Some(Background::Light),
            _ => None,
        }
    }

    fn of(rgb: [u8; 3]) -> Background {
        if luminance(rgb) > MIDDLE { Background::Light } else { Background::Dark }
    }
}

/// What bytes of the input are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// The beginning of an answer.
    Part,
    /// A whole answer to OSC 11; without a background if its colour is not understood.
    Colour(Option<Background>),
    /// A whole answer to DA1.
    Attributes,
    /// Something else.
    Other,
}

/// What these bytes are.
pub(super) fn shape(bytes: &[u8]) -> Shape {
    let part = |start: &[u8]| start.starts_with(bytes);
    let short = bytes.len() <= LONGEST;
    if part(b"\x1b]11;") || part(b"\x1b[?") {
        return Shape::Part;
    }
    if let Some(body) = bytes.strip_prefix(b"\x1b]11;") {
        let end = body.iter().position(|byte| matches!(byte, 0x07 | 0x1b));
        let (colour, end) = body.split_at(end.unwrap_or(body.len()));
        let plain = colour.iter().all(|byte| byte.is_ascii_alphanumeric() || b":/#".contains(byte));
        return match end {
            _ if !plain || !short => Shape::Other,
            [] | b"\x1b" => Shape::Part,
            b"\x07" | b"\x1b\\" => Shape::Colour(colour_of(colour).map(Background::of)),
            _ => Shape::Other,
        };
    }
    if let Some(body) = bytes.strip_prefix(b"\x1b[?") {
        let numbers =
            |bytes: &[u8]| bytes.iter().all(|byte| byte.is_ascii_digit() || *byte == b';');
        return match body {
            _ if !short => Shape::Other,
            [rest @ .., b'c'] if numbers(rest) => Shape::Attributes,
            rest if numbers(rest) => Shape::Part,
            _ => Shape::Other,
        };
    }
    Shape::Other
}

/// Red, green and blue of an X11 colour, `rgb:` with one to four hexadecimal digits for each (`XParseColor`), or
/// `rgba:` with a fourth part.
fn colour_of(text: &[u8]) -> Option<[u8; 3]> {
    let text = std::str::from_utf8(text).ok()?;
    let (kind, parts) = text.split_once(':')?;
    let count = match kind {
        "rgb" => 3,
        "rgba" => 4,
        _ => return None,
    };
    let parts: Vec<u8> = parts.split('/').map(part_of).collect::<Option<_>>()?;
    (parts.len() == count).then(|| [parts[0], parts[1], parts[2]])
}

/// One part of a colour, from its own scale to 0 to 255.
fn part_of(digits: &str) -> Option<u8> {
    let hex = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !hex || !(1..=4).contains(&digits.len()) {
        return None;
    }
    let most = (1u32 << (4 * digits.len())) - 1;
    u8::try_from(u32::from_str_radix(digits, 16).ok()? * 255 / most).ok()
}

/// The input after the question: answers, and what was typed meanwhile.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Answers {
    /// The background, if the terminal told it.
    pub background: Option<Background>,
    /// Whether an answer may still come.
    pub open: bool,
    /// What was typed.
    pub typed: Vec<u8>,
    /// The beginning of an answer.
    pub part: Vec<u8>,
}

impl Answers {
    /// Takes input.
    fn take(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.part.push(*byte);
            while !self.part.is_empty() {
                match shape(&self.part) {
                    Shape::Part => break,
                    Shape::Colour(background) => {
                        self.background = background;
                        self.part.clear();
                    }
                    Shape::Attributes => {
                        self.open = false;
                        self.part.clear();
                    }
                    Shape::Other => self.typed.push(self.part.remove(0)),
                }
            }
        }
    }
}

/// Asks the terminal, which is in raw mode and not read by anything else.
pub(super) fn ask() -> Answers {
    let mut answers = Answers { open: true, ..Answers::default() };
    let mut out = io::stdout();
    if out.write_all(QUESTION).and_then(|()| out.flush()).is_err() {
        return answers;
    }
    let (input, deadline) = (io::stdin(), Instant::now() + LIMIT);
    while answers.open {
        let left = deadline.saturating_duration_since(Instant::now());
        let left = Timespec { tv_sec: 0, tv_nsec: left.subsec_nanos().into() };
        let mut polled = [PollFd::new(&input, PollFlags::IN)];
        match poll(&mut polled, Some(&left)) {
            Ok(1..) => {}
            Err(Errno::INTR) => continue,
            Ok(0) | Err(_) => break,
        }
        let mut buffer = [0; 1024];
        match rustix::io::read(&input, &mut buffer) {
            Ok(0) => break,
            Ok(count) => answers.take(&buffer[..count]),
            Err(Errno::INTR | Errno::AGAIN) => {}
            Err(_) => break,
        }
    }
    answers
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn heard(bytes: &[u8]) -> Answers {
        let mut answers = Answers { open: true, ..Answers::default() };
        answers.take(bytes);
        answers
    }

    #[test]
    fn answers_tell_the_background() {
        for (answer, background) in [
            ("rgb:0000/0000/0000\x07", Some(Background::Dark)),
            ("rgb:ffff/ffff/ffff\x1b\\", Some(Background::Light)),
            ("rgb:fdfd/f6f6/e3e3\x07", Some(Background::Light)),
            ("rgb:f/f/f\x07", Some(Background::Light)),
            ("rgb:28/2c/34\x07", Some(Background::Dark)),
            ("rgb:100/100/100\x07", Some(Background::Dark)),
            ("rgba:ffff/ffff/ffff/0000\x07", Some(Background::Light)),
            ("rgb:ffff/ffff\x07", None),
            ("rgb:fffff/0/0\x07", None),
            ("rgb:+f/0/0\x07", None),
            ("#ffffff\x07", None),
            ("\x07", None),
        ] {
            let answers = heard(format!("\x1b]11;{answer}").as_bytes());
            assert_eq!(answers.background, background, "{answer:?}");
        }
    }

    #[test]
    fn what_is_typed_meanwhile_is_kept() {
        let answers = heard(b"2\x1b[A\x1b]11;rgb:0/0/0\x07j\x1b\x1b[?62;22ck\xc3\xa9\x1b");
        assert_eq!(answers.typed, b"2\x1b[Aj\x1bk\xc3\xa9");
        assert_eq!((answers.background, answers.open), (Some(Background::Dark), false));
        assert_eq!(answers.part, b"\x1b");
    }

    #[test]
    fn the_variable_tells_the_background() {
        for (value, background) in [
            ("15;0", Some(Background::Dark)),
            ("0;15", Some(Background::Light)),
            ("0;default;15", Some(Background::Light)),
            ("12;8", Some(Background::Dark)),
            ("0;7", Some(Background::Light)),
            ("15;default", None),
            ("7;99", None),
            ("", None),
        ] {
            assert_eq!(Background::of_variable(value), background, "{value:?}");
        }
    }

    /// Bytes of which answers and keys are made.
    fn input() -> impl Strategy<Value = Vec<u8>> {
        let piece = prop_oneof![
            Just(b"\x1b]11;rgb:ffff/ffff/ffff\x07".to_vec()),
            Just(b"\x1b]11;rgb:0/0/0\x1b\\".to_vec()),
            Just(b"\x1b[?62;c".to_vec()),
            Just(b"\x1b]1".to_vec()),
            Just(b"\x1b".to_vec()),
            prop::collection::vec(any::<u8>(), 0..8),
        ];
        prop::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn any_split_of_the_input_comes_to_the_same(bytes in input(), at in any::<prop::sample::Index>()) {
            let at = at.index(bytes.len() + 1);
            let mut answers = heard(&bytes[..at]);
            answers.take(&bytes[at..]);
            prop_assert_eq!(answers, heard(&bytes));
        }

        #[test]
        fn typed_text_is_never_lost(text in "[^\u{1b}]*") {
            prop_assert_eq!(heard(text.as_bytes()).typed, text.into_bytes());
        }
    }
}
