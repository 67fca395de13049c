//! What is secret, decided in one place: [`names_secret`] by a name, [`redact`] within a text.
//!
//! A [`Secret`] stands for a value that is not kept: it tells what may be shown of the value, and, with a
//! [`Key`], a mark by which two values can be told apart. A secret that was met once is also taken out of
//! every text that goes through [`redact`] later, such as an exception's message.

mod names;
mod text;

use std::collections::BTreeSet;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock, PoisonError, RwLock};

use regex::Regex;

pub use names::names_secret;
pub use text::{redact, redact_diff, redact_with};

/// What stands in a text for what was removed, as in Kedro (`kedro.io.core._REDACTED`).
pub const REDACTED: &str = "<redacted>";
/// What is shown in the place of a secret.
pub const HIDDEN: &str = "********";
/// What is shown for a secret of a run in the history.
pub const SECRET: &str = "<secret>";
/// What is shown for a secret that is not the one that it was.
pub const CHANGED: &str = "<secret, changed>";

/// A value that is not kept. Two are equal when the values were.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret {
    /// The value with its secret parts removed; `None` when all of it is secret.
    shown: Option<Arc<str>>,
    digest: [u8; 16],
    /// The value, after [`keep_values`] alone.
    value: Option<Arc<str>>,
}

impl Secret {
    /// A value that is secret as a whole.
    pub fn of(value: &str) -> Self {
        remember(value);
        Secret { shown: None, digest: digest(value), value: kept(value) }
    }

    /// A value of which `shown` is no secret.
    pub fn partly(value: &str, shown: &str) -> Self {
        Secret { shown: Some(shown.into()), digest: digest(value), value: kept(value) }
    }

    /// A text with secrets in it, made of their [`Secret::material`].
    pub fn joined(material: &str, shown: &str) -> Self {
        Secret { shown: Some(shown.into()), digest: digest(material), value: None }
    }

    /// What may be shown.
    pub fn shown(&self) -> &str {
        self.shown.as_deref().unwrap_or(HIDDEN)
    }

    /// What may be shown, where that is more than that it is a secret.
    pub fn part(&self) -> Option<&str> {
        self.shown.as_deref()
    }

    /// The same secret with something else shown of it.
    pub fn showing(&self, shown: &str) -> Self {
        Secret { shown: Some(shown.into()), digest: self.digest, value: None }
    }

    /// The value itself, for a person who asks for it; see [`keep_values`].
    pub fn reveal(&self) -> Option<&str> {
        self.value.as_deref()
    }

    /// What is kept of it: what may be shown, and a mark.
    pub fn kept(&self, key: &Key) -> String {
        let mark = key.mark(&self.digest);
        match &self.shown {
            Some(shown) => format!("{shown} {mark}"),
            None => mark,
        }
    }

    /// A text that is another one for every other secret; it is never kept.
    pub fn material(&self) -> String {
        self.digest.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({})", self.shown())
    }
}

static KEEPS_VALUES: AtomicBool = AtomicBool::new(false);

/// From now on secrets hold their value. That is for the one verb that reveals one; no other process
/// keeps any.
pub fn keep_values() {
    KEEPS_VALUES.store(true, Ordering::Relaxed);
}

fn kept(value: &str) -> Option<Arc<str>> {
    KEEPS_VALUES.load(Ordering::Relaxed).then(|| value.into())
}

fn digest(value: &str) -> [u8; 16] {
    let mut digest = [0; 16];
    digest.copy_from_slice(&blake3::hash(value.as_bytes()).as_bytes()[..16]);
    digest
}

/// The key of a store, with which marks of secrets are made: without it a mark tells nothing, not even
/// to who guesses the secret.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Key([u8; 32]);

impl Key {
    /// The key with these bytes.
    pub fn new(bytes: [u8; 32]) -> Self {
        Key(bytes)
    }

    /// `<secret 0f3a...>`, the same for the same secret.
    fn mark(&self, digest: &[u8]) -> String {
        format!("<secret {}>", &blake3::keyed_hash(&self.0, digest).to_hex()[..16])
    }

    /// The mark of a secret text.
    pub fn mark_of(&self, value: &str) -> String {
        self.mark(&digest(value))
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key")
    }
}

#[expect(clippy::unwrap_used, reason = "the pattern is constant")]
static MARK: LazyLock<Regex> = LazyLock::new(|| Regex::new("<secret [0-9a-f]{16}>").unwrap());

/// A kept text as it is shown: marks say only that there is a secret.
pub fn without_marks(text: &str) -> String {
    MARK.replace_all(text, SECRET).into_owned()
}

/// Two kept texts that differ, as they are shown.
pub fn changed(from: &str, to: &str) -> (String, String) {
    let (first, mut second) = (without_marks(from), without_marks(to));
    if first == second && from != to {
        second = second.replace(SECRET, CHANGED);
    }
    (first, second)
}

/// Whether the text stands for a secret that was not kept.
pub fn is_hidden(text: &str) -> bool {
    text == HIDDEN || text == SECRET || MARK.find(text).is_some_and(|mark| mark.len() == text.len())
}

/// Secrets that are looked for in texts.
static KNOWN: RwLock<BTreeSet<Arc<str>>> = RwLock::new(BTreeSet::new());
/// More are not looked for.
const MOST_KNOWN: usize = 4_000;

/// From now on the value is removed from texts. What could be a word or a number is not looked for: it
/// would be removed where it means something else.
fn remember(value: &str) {
    let letters = |c: char| c.is_ascii_lowercase() || matches!(c, '_' | '-' | '.' | ' ');
    let word = value.chars().all(letters) || value.chars().all(|c| c.is_ascii_digit() || c == '.');
    if word || !(8..=4_096).contains(&value.len()) || is_hidden(value) {
        return;
    }
    let is_known = KNOWN.read().unwrap_or_else(PoisonError::into_inner).contains(value);
    if !is_known {
        let mut known = KNOWN.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() < MOST_KNOWN {
            known.insert(value.into());
        }
    }
}

/// The text without its secrets, as [`redact`] gives it. They are removed from later texts, too.
pub fn remove(text: &str) -> String {
    let shown = redact(text);
    redact_with(text, &|secret| {
        remember(secret);
        String::new()
    });
    shown
}

/// The secrets that occur in the text, the longest first.
fn known_in(text: &str) -> Vec<Arc<str>> {
    let known = KNOWN.read().unwrap_or_else(PoisonError::into_inner);
    let mut found: Vec<_> = known.iter().filter(|it| text.contains(&***it)).cloned().collect();
    found.sort_by_key(|it| std::cmp::Reverse(it.len()));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_told_from_another_one_by_its_mark_alone() {
        let (key, other) = (Key::new([1; 32]), Key::new([2; 32]));
        let (one, two) = (Secret::of("hunter2!!"), Secret::of("hunter3!!"));
        assert_eq!(one.kept(&key), Secret::of("hunter2!!").kept(&key));
        assert_ne!(one.kept(&key), two.kept(&key));
        assert_ne!(one.kept(&key), one.kept(&other));
        assert!(is_hidden(&one.kept(&key)));
        assert_eq!(without_marks(&one.kept(&key)), SECRET);
        let (first, second) = changed(&one.kept(&key), &two.kept(&key));
        assert_eq!((first.as_str(), second.as_str()), (SECRET, CHANGED));
        assert_eq!(format!("{one:?}"), "Secret(********)");
    }

    #[test]
    fn a_secret_that_was_met_is_removed_from_later_texts() {
        let _ = Secret::of("Xy7-unusual-text");
        assert_eq!(redact("login with Xy7-unusual-text failed"), "login with <redacted> failed");
        let url = "https://me:Xy8-other-text@host/a?sig=Xy9-third-text";
        assert_eq!(remove(url), "https://<redacted>@host/a?<redacted>");
        assert_eq!(remove(url), remove(url), "what is known by now is shown as before");
        assert_eq!(redact("as me:Xy8-other-text"), "as <redacted>");
        // This could be a word.
        let _ = Secret::of("customers");
        assert_eq!(redact("no customers"), "no customers");
    }
}
