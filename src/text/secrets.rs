//! Decides what is secret: [`names_secret`] by a name, [`redact`] within a text.
//!
//! A [`Secret`] replaces a value that is not kept: it holds the part of the value that may be shown
//! and, with a [`Key`], yields a mark for comparing values. A known secret is also removed from
//! every text that [`redact`] processes later, such as an exception's message.

mod names;
mod text;

use std::cell::Cell;
use std::collections::BTreeSet;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock, PoisonError, RwLock};

use regex::Regex;

pub use names::names_secret;
pub use text::{redact, redact_diff, redact_with};

/// Replaces a removed part of a text, as in Kedro (`kedro.io.core._REDACTED`).
pub const REDACTED: &str = "<redacted>";
/// Shown in place of a secret.
pub const HIDDEN: &str = "********";
/// Shown for a secret in the history of a run.
pub const SECRET: &str = "<secret>";
/// Shown for a secret that differs from the one it is compared with.
pub const CHANGED: &str = "<secret, changed>";

/// A value that is not kept. Two secrets are equal if their values were.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret {
    /// The value without its secret parts; `None` if all of it is secret.
    shown: Option<Arc<str>>,
    digest: [u8; 16],
    /// The value itself; kept only after [`keep_values`].
    value: Option<Arc<str>>,
}

impl Secret {
    /// A secret whose whole value is secret.
    pub fn of(value: &str) -> Self {
        remember(value);
        Secret { shown: None, digest: digest(value), value: kept(value) }
    }

    /// A secret of which the text `shown` may be shown.
    pub fn partly(value: &str, shown: &str) -> Self {
        Secret { shown: Some(shown.into()), digest: digest(value), value: kept(value) }
    }

    /// A string that contains secrets; `material` is built from their [`Secret::material`].
    pub fn joined(material: &str, shown: &str) -> Self {
        Secret { shown: Some(shown.into()), digest: digest(material), value: None }
    }

    /// The text that may be shown.
    pub fn shown(&self) -> &str {
        self.shown.as_deref().unwrap_or(HIDDEN)
    }

    /// The part that may be shown; `None` if the whole value is secret.
    pub fn part(&self) -> Option<&str> {
        self.shown.as_deref()
    }

    /// The same secret with another shown text.
    pub fn showing(&self, shown: &str) -> Self {
        Secret { shown: Some(shown.into()), digest: self.digest, value: None }
    }

    /// The value itself, for a user who asks for it; see [`keep_values`].
    pub fn reveal(&self) -> Option<&str> {
        self.value.as_deref()
    }

    /// The form that is stored: the shown text and a mark.
    pub fn kept(&self, key: &Key) -> String {
        let mark = key.mark(&self.digest);
        match &self.shown {
            Some(shown) => format!("{shown} {mark}"),
            None => mark,
        }
    }

    /// A text that is unique for each secret; never stored.
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

/// Makes later secrets keep their values. Only the command that reveals a secret calls this; other
/// processes keep a value only as in [`keeping`].
pub fn keep_values() {
    KEEPS_VALUES.store(true, Ordering::Relaxed);
}

thread_local! {
    static KEEPS_HERE: Cell<bool> = const { Cell::new(false) };
}

/// Does something while secrets that are made on this thread keep their values: they are to be sent where they belong.
pub fn keeping<T>(act: impl FnOnce() -> T) -> T {
    let before = KEEPS_HERE.replace(true);
    let result = act();
    KEEPS_HERE.set(before);
    result
}

/// Whether secrets that are made on this thread keep their values.
pub fn keeps() -> bool {
    KEEPS_VALUES.load(Ordering::Relaxed) || KEEPS_HERE.get()
}

fn kept(value: &str) -> Option<Arc<str>> {
    keeps().then(|| value.into())
}

fn digest(value: &str) -> [u8; 16] {
    let mut digest = [0; 16];
    digest.copy_from_slice(&blake3::hash(value.as_bytes()).as_bytes()[..16]);
    digest
}

/// The key of a store, from which marks of secrets are computed. Without the key, a mark does not
/// even confirm a guess of the secret.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Key([u8; 32]);

impl Key {
    /// The key with these bytes.
    pub fn new(bytes: [u8; 32]) -> Self {
        Key(bytes)
    }

    /// The mark `<secret 0f3a...>`, equal for equal secrets.
    fn mark(&self, digest: &[u8]) -> String {
        format!("<secret {}>", &blake3::keyed_hash(&self.0, digest).to_hex()[..16])
    }

    /// The mark for a secret text.
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

/// A stored text for display, with each mark replaced by [`SECRET`].
pub fn without_marks(text: &str) -> String {
    MARK.replace_all(text, SECRET).into_owned()
}

/// Two different stored texts for display; see [`CHANGED`].
pub fn changed(from: &str, to: &str) -> (String, String) {
    let (first, mut second) = (without_marks(from), without_marks(to));
    if first == second && from != to {
        second = second.replace(SECRET, CHANGED);
    }
    (first, second)
}

/// Whether the text is a placeholder for a secret that was not kept.
pub fn is_hidden(text: &str) -> bool {
    text == HIDDEN || text == SECRET || MARK.find(text).is_some_and(|mark| mark.len() == text.len())
}

/// The known secrets that are removed from texts.
static KNOWN: RwLock<BTreeSet<Arc<str>>> = RwLock::new(BTreeSet::new());
/// The largest number of known secrets; later ones are not remembered.
const MOST_KNOWN: usize = 4_000;

/// Remembers a value, so that later texts are redacted. A value that could be a word or a number is
/// not remembered, because it would also be removed where it has another meaning.
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

/// Redacts the text like [`redact`], and remembers the removed secrets for later texts.
pub fn remove(text: &str) -> String {
    let shown = redact(text);
    redact_with(text, &|secret| {
        remember(secret);
        String::new()
    });
    shown
}

/// The known secrets that occur in the text, longest first.
fn known_in(text: &str) -> Vec<Arc<str>> {
    let known = KNOWN.read().unwrap_or_else(PoisonError::into_inner);
    let mut found: Vec<_> =
        known.iter().filter(|secret| text.contains(&***secret)).cloned().collect();
    found.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_distinguished_only_by_their_marks() {
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
    fn a_known_secret_is_removed_from_later_texts() {
        let _ = Secret::of("Xy7-unusual-text");
        assert_eq!(redact("login with Xy7-unusual-text failed"), "login with <redacted> failed");
        let url = "https://me:Xy8-other-text@host/a?sig=Xy9-third-text";
        assert_eq!(remove(url), "https://<redacted>@host/a?<redacted>");
        assert_eq!(remove(url), remove(url), "what is known by now is shown as before");
        assert_eq!(redact("as me:Xy8-other-text"), "as <redacted>");
        // This secret could be an ordinary word.
        let _ = Secret::of("customers");
        assert_eq!(redact("no customers"), "no customers");
    }
}
