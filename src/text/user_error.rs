//! Errors for the user, with a hint.

use std::fmt;

/// An error for the user: what is wrong, and what to do about it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UserError {
    /// What is wrong, and where.
    pub text: String,
    /// What to do, a sentence. It is shown on a line of its own, or after the text.
    pub hint: Option<String>,
}

impl UserError {
    /// An error with a hint.
    pub fn hinted(text: impl Into<String>, hint: impl Into<String>) -> Self {
        UserError { text: text.into(), hint: Some(hint.into()) }
    }

    /// An error with the text of another one and without a hint.
    pub fn plain(text: impl fmt::Display) -> Self {
        UserError { text: text.to_string(), hint: None }
    }

    /// The error with `context: ` before its text, such as the name of a field.
    #[must_use]
    pub fn within(self, context: &str) -> Self {
        UserError { text: format!("{context}: {}", self.text), ..self }
    }

    /// Text and hint on one line.
    pub fn line(&self) -> String {
        match &self.hint {
            None => self.text.clone(),
            Some(hint) => {
                let text = self.text.trim_end_matches('.');
                format!("{text}. {hint}")
            }
        }
    }
}

impl fmt::Display for UserError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for UserError {}

impl From<String> for UserError {
    fn from(text: String) -> Self {
        UserError { text, hint: None }
    }
}

impl From<&str> for UserError {
    fn from(text: &str) -> Self {
        UserError { text: text.to_owned(), hint: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hint_follows_the_text() {
        let error = UserError::hinted("`x` is no size", "Write 500MB or 2GB.");
        assert_eq!(error.clone().within("room").to_string(), "room: `x` is no size");
        assert_eq!(error.line(), "`x` is no size. Write 500MB or 2GB.");
        assert_eq!(UserError::from("Nothing was run.").line(), "Nothing was run.");
    }
}
