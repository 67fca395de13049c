//! Answers of the terminal that come when keys are already read, and keys that were typed before.
//!
//! crossterm does not know answers to OSC 11: it reads `ESC ] 11 ; rgb:... BEL` as the keys `alt-]`, `1`, `1` and so on,
//! and `ctrl-g`. [`Late`] takes such keys out of the input.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::background::{Answers, Background, Shape, shape};

/// How long an answer is expected. Connections are seldom slower.
const EXPECTED: Duration = Duration::from_secs(10);

/// How long keys are kept that may be two bytes of an answer: its bytes mostly follow each other at once.
const SHORT: Duration = Duration::from_millis(20);

/// How long the rest of an answer is waited for. Nobody types three of its bytes at once.
const LONG: Duration = Duration::from_secs(1);

/// Takes late answers out of the keys.
#[derive(Debug, Default)]
pub(super) struct Late {
    /// The end of the expectation; nothing is expected without it.
    until: Option<Instant>,
    /// The beginning of an answer.
    bytes: Vec<u8>,
    /// How many of `bytes` were given up and count as typed. The rest of the answer may follow all the same: a slow
    /// connection can separate the first byte, which is also the Escape key, from the others.
    given_up: usize,
    /// The keys that the other `bytes` were read as.
    kept: Vec<KeyEvent>,
    since: Option<Instant>,
    ready: VecDeque<KeyEvent>,
    background: Option<Background>,
}

impl Late {
    /// Goes on after a question that got these answers so far.
    pub(super) fn after(answers: Answers, now: Instant) -> Late {
        let open = answers.open || !answers.part.is_empty();
        Late {
            until: open.then(|| now + EXPECTED),
            kept: keys(&answers.part),
            since: (!answers.part.is_empty()).then_some(now),
            bytes: answers.part,
            given_up: 0,
            ready: keys(&answers.typed).into(),
            background: None,
        }
    }

    /// Takes a key.
    pub(super) fn take(&mut self, key: KeyEvent, now: Instant) {
        if self.until.is_none_or(|until| until < now) && self.held() == 0 {
            self.forget();
            return self.ready.push_back(key);
        }
        let Some(bytes) = bytes(key) else {
            self.release();
            return self.ready.push_back(key);
        };
        self.bytes.extend(&bytes);
        let mut found = shape(&self.bytes);
        if found == Shape::Other {
            self.release_before(bytes.len());
            found = shape(&bytes);
        }
        self.kept.push(key);
        self.since = Some(now);
        match found {
            Shape::Part => {}
            Shape::Other => self.release(),
            // This answer is the last one.
            Shape::Attributes => {
                self.until = None;
                self.forget();
            }
            Shape::Colour(background) => {
                self.background = background;
                self.forget();
            }
        }
    }

    /// When kept keys are given up, if there are any.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let limit = if self.held() > 2 { LONG } else { SHORT };
        Some(self.since? + limit)
    }

    /// Gives up the kept keys: they are typed, or, if they can't be, the answer is incomplete.
    pub(super) fn give_up(&mut self) {
        if self.held() > 2 {
            return self.forget();
        }
        self.ready.extend(self.kept.drain(..));
        self.given_up = self.bytes.len();
        self.since = None;
    }

    /// How many bytes are kept.
    fn held(&self) -> usize {
        self.bytes.len() - self.given_up
    }

    /// The next key that was typed.
    pub(super) fn next(&mut self) -> Option<KeyEvent> {
        self.ready.pop_front()
    }

    /// The background, if an answer told it since the last time.
    pub(super) fn background(&mut self) -> Option<Background> {
        self.background.take()
    }

    fn release(&mut self) {
        self.ready.extend(self.kept.drain(..));
        self.forget();
    }

    /// Releases all but the last `count` bytes, whose key is not among the kept ones yet.
    fn release_before(&mut self, count: usize) {
        let last = self.bytes.split_off(self.bytes.len() - count);
        self.release();
        self.bytes = last;
    }

    fn forget(&mut self) {
        self.kept.clear();
        self.bytes.clear();
        self.given_up = 0;
        self.since = None;
    }
}

/// The bytes that crossterm reads as this key, if they can be in an answer.
fn bytes(key: KeyEvent) -> Option<Vec<u8>> {
    let alt = key.modifiers.contains(KeyModifiers::ALT);
    let byte = match key.code {
        KeyCode::Esc if !alt => return Some(vec![0x1b]),
        KeyCode::Char('g') if key.modifiers == KeyModifiers::CONTROL => 0x07,
        KeyCode::Char(c) if !key.modifiers.contains(KeyModifiers::CONTROL) => {
            u8::try_from(c).ok().filter(u8::is_ascii)?
        }
        _ => return None,
    };
    Some(if alt { vec![0x1b, byte] } else { vec![byte] })
}

/// The keys that these bytes are: characters, control characters, and keys with a sequence of their own. The mouse,
/// pasted text and reports of the focus are off while these bytes are read.
fn keys(bytes: &[u8]) -> Vec<KeyEvent> {
    let text = String::from_utf8_lossy(bytes);
    let (mut rest, mut keys) = (&*text, Vec::new());
    while let Some(c) = rest.chars().next() {
        let after = &rest[c.len_utf8()..];
        let sequence = (c == '\x1b').then(|| after.strip_prefix(['[', 'O'])).flatten();
        if let Some(sequence) = sequence {
            let end = sequence.find(|c: char| !c.is_ascii_digit() && c != ';');
            // A sequence without an end is no key.
            let Some(end) = end else { break };
            let last = sequence[end..].chars().next().map_or(0, char::len_utf8);
            let code = named(&sequence[..end], &sequence[end..end + last]);
            keys.extend(code.map(KeyEvent::from));
            rest = &sequence[end + last..];
            continue;
        }
        let alt = after.chars().next().filter(|next| c == '\x1b' && *next != '\x1b');
        if let Some(next) = alt {
            let key = character(next);
            keys.push(KeyEvent::new(key.code, key.modifiers | KeyModifiers::ALT));
            rest = &after[next.len_utf8()..];
        } else {
            keys.push(character(c));
            rest = after;
        }
    }
    keys
}

/// The key of a sequence: `CSI` or `SS3`, numbers, and a final character.
fn named(numbers: &str, last: &str) -> Option<KeyCode> {
    Some(match (numbers.split(';').next(), last) {
        (_, "A") => KeyCode::Up,
        (_, "B") => KeyCode::Down,
        (_, "C") => KeyCode::Right,
        (_, "D") => KeyCode::Left,
        (_, "H") | (Some("1" | "7"), "~") => KeyCode::Home,
        (_, "F") | (Some("4" | "8"), "~") => KeyCode::End,
        (_, "Z") => KeyCode::BackTab,
        (Some("2"), "~") => KeyCode::Insert,
        (Some("3"), "~") => KeyCode::Delete,
        (Some("5"), "~") => KeyCode::PageUp,
        (Some("6"), "~") => KeyCode::PageDown,
        _ => return None,
    })
}

fn character(c: char) -> KeyEvent {
    let control = |c: u8| KeyEvent::new(KeyCode::Char(c.into()), KeyModifiers::CONTROL);
    match c {
        '\r' => KeyCode::Enter.into(),
        '\t' => KeyCode::Tab.into(),
        '\x7f' => KeyCode::Backspace.into(),
        '\x1b' => KeyCode::Esc.into(),
        '\0' => control(b' '),
        '\x01'..='\x1a' => control(c as u8 - 1 + b'a'),
        '\x1c'..='\x1f' => control(c as u8 - 0x1c + b'4'),
        c if c.is_uppercase() => KeyEvent::new(KeyCode::Char(c), KeyModifiers::SHIFT),
        c => KeyCode::Char(c).into(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn waiting(part: &[u8]) -> Late {
        let answers = Answers { open: true, part: part.to_vec(), ..Answers::default() };
        Late::after(answers, Instant::now())
    }

    fn codes(late: &mut Late) -> Vec<KeyCode> {
        std::iter::from_fn(|| late.next()).map(|key| key.code).collect()
    }

    /// Takes characters one by one, as keys.
    fn take_all(late: &mut Late, text: &str, now: Instant) {
        text.chars().for_each(|c| late.take(character(c), now));
    }

    #[test]
    fn a_late_answer_is_no_key_wherever_the_question_ended() {
        for answer in ["\x1b]11;rgb:ffff/ffff/ffff\x07", "\x1b]11;rgb:ffff/ffff/ffff\x1b\\"] {
            for at in 0..answer.len() {
                let mut late = waiting(&answer.as_bytes()[..at]);
                let rest = [&answer.as_bytes()[at..], b"q"].concat();
                for key in keys(&rest) {
                    late.take(key, Instant::now());
                }
                assert_eq!(codes(&mut late), [KeyCode::Char('q')], "{answer:?} at {at}");
                assert_eq!(late.background(), Some(Background::Light));
            }
        }
        let mut late = waiting(b"\x1b[?6");
        for key in keys(b"2;1cq") {
            late.take(key, Instant::now());
        }
        assert_eq!(codes(&mut late), [KeyCode::Char('q')]);
    }

    #[test]
    fn a_key_that_begins_as_an_answer_is_given_back() {
        let (mut late, now) = (waiting(b""), Instant::now());
        late.take(KeyCode::Esc.into(), now);
        assert_eq!((codes(&mut late), late.deadline()), (vec![], Some(now + SHORT)));
        late.give_up();
        assert_eq!((codes(&mut late), late.deadline()), (vec![KeyCode::Esc], None));
        late.take(KeyCode::Esc.into(), now);
        late.take(KeyCode::Up.into(), now);
        assert_eq!(codes(&mut late), [KeyCode::Esc, KeyCode::Up]);
        late.take(KeyCode::Esc.into(), now + EXPECTED + SHORT);
        assert_eq!(codes(&mut late), [KeyCode::Esc], "no answer is expected any more");
    }

    #[test]
    fn the_rest_of_an_answer_is_no_key_after_its_start_was_given_up() {
        for (answer, background) in
            [("\x1b]11;rgb:ffff/ffff/ffff\x07", Some(Background::Light)), ("\x1b[?62;22c", None)]
        {
            for (at, typed) in [(1, KeyCode::Esc), (2, KeyCode::Char(answer.as_bytes()[1].into()))]
            {
                let (mut late, now) = (waiting(b""), Instant::now());
                let start = match at {
                    1 => KeyCode::Esc.into(),
                    _ => KeyEvent::new(typed, KeyModifiers::ALT),
                };
                late.take(start, now);
                late.give_up();
                take_all(&mut late, &answer[at..], now);
                late.take(KeyCode::Char('q').into(), now);
                assert_eq!(codes(&mut late), [typed, KeyCode::Char('q')], "{answer:?} at {at}");
                assert_eq!(late.background(), background);
            }
        }
    }

    #[test]
    fn keys_that_are_typed_one_by_one_are_never_lost() {
        let (mut late, mut now) = (waiting(b""), Instant::now());
        let all = [KeyCode::Esc, KeyCode::Char('['), KeyCode::Char('?'), KeyCode::Char('2')];
        for code in all {
            late.take(code.into(), now);
            assert_eq!(late.deadline(), Some(now + SHORT), "{code:?}");
            late.give_up();
            assert_eq!((codes(&mut late), late.deadline()), (vec![code], None));
            now += EXPECTED / 8;
        }
        late.take(KeyCode::Char(';').into(), now + EXPECTED);
        assert_eq!(codes(&mut late), [KeyCode::Char(';')], "no answer is expected any more");
        late.take(KeyCode::Esc.into(), now + EXPECTED);
        assert_eq!(codes(&mut late), [KeyCode::Esc]);
    }

    #[test]
    fn the_attributes_after_the_background_are_the_last_answer() {
        let (colour, attributes) = ("\x1b]11;rgb:0/0/0\x07", "\x1b[?62;22c");
        let now = Instant::now();
        let known =
            Answers { open: true, background: Some(Background::Dark), ..Answers::default() };
        for (mut late, before) in [(waiting(b""), colour), (Late::after(known, now), "")] {
            take_all(&mut late, before, now);
            take_all(&mut late, attributes, now);
            assert_eq!(codes(&mut late), [], "{before:?}");
            late.take(KeyCode::Esc.into(), now);
            assert_eq!(codes(&mut late), [KeyCode::Esc], "nothing is expected any more");
        }
    }

    #[test]
    fn an_answer_without_its_end_is_dropped() {
        let mut late = waiting(b"\x1b]11;rgb:ff");
        assert!(late.deadline().is_some());
        late.give_up();
        assert_eq!((codes(&mut late), late.deadline()), (vec![], None));
    }

    #[test]
    fn keys_typed_before_are_read() {
        let all = keys("2é\x1b[A\x1bOB\x1b[5~\r\t\x7f\x03\x1bx\x1b\x1b".as_bytes());
        let expected = [
            KeyCode::Char('2').into(),
            KeyCode::Char('é').into(),
            KeyCode::Up.into(),
            KeyCode::Down.into(),
            KeyCode::PageUp.into(),
            KeyCode::Enter.into(),
            KeyCode::Tab.into(),
            KeyCode::Backspace.into(),
            KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL),
            KeyEvent::new(KeyCode::Char('x'), KeyModifiers::ALT),
            KeyCode::Esc.into(),
            KeyCode::Esc.into(),
        ];
        assert_eq!(all, expected);
    }

    proptest! {
        #[test]
        fn any_input_is_read(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            let mut late = waiting(b"");
            for key in keys(&bytes) {
                late.take(key, Instant::now());
            }
            late.give_up();
        }

        #[test]
        fn plain_text_is_never_lost(text in "[ -~]*") {
            let mut late = waiting(b"");
            for key in keys(text.as_bytes()) {
                late.take(key, Instant::now());
            }
            let typed: Vec<KeyCode> = text.chars().map(KeyCode::Char).collect();
            prop_assert_eq!(codes(&mut late), typed);
        }
    }
}
