//! Keeping secrets out of what is read: inline credentials, passwords by their key, and what URLs
//! carry.

use std::sync::LazyLock;

use regex::{Captures, Regex};

use crate::project::{Located, Value};

/// What stands in a URL for what was removed, as in Kedro (`kedro.io.core._REDACTED`).
const REDACTED: &str = "<redacted>";

/// Ends of keys that name a secret.
const SECRET_KEYS: [&str; 15] = [
    "password",
    "passwd",
    "pwd",
    "secret",
    "secret_key",
    "token",
    "api_key",
    "apikey",
    "access_key",
    "access_key_id",
    "account_key",
    "private_key",
    "sas_token",
    "connection_string",
    "passphrase",
];

/// Removes the secrets from a dataset's definition.
pub(super) fn remove(definition: &mut Located) {
    match &mut definition.value {
        Value::Map(map) => {
            for (key, located) in map.iter_mut() {
                match (&located.value, key.as_str()) {
                    (Value::Map(_) | Value::List(_), "credentials") => conceal(located),
                    (Value::Str(_) | Value::Unknown(_), _) if names_secret(key) => {
                        located.value = Value::Secret;
                    }
                    _ => remove(located),
                }
            }
        }
        Value::List(items) => items.iter_mut().for_each(remove),
        Value::Str(text) | Value::Unknown(text) => *text = redact(text),
        _ => {}
    }
}

/// Every leaf becomes a secret.
fn conceal(located: &mut Located) {
    match &mut located.value {
        Value::Map(map) => map.values_mut().for_each(conceal),
        Value::List(items) => items.iter_mut().for_each(conceal),
        Value::Null => {}
        value => *value = Value::Secret,
    }
}

fn names_secret(key: &str) -> bool {
    let key = key.to_ascii_lowercase().replace('-', "_");
    SECRET_KEYS.iter().any(|end| key.ends_with(end))
}

/// A URL in a text: scheme, authority, path, query, fragment.
static URL: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r#"([A-Za-z][A-Za-z0-9+.\-]*://)([^\s'"<>/?#]*)([^\s'"<>?#]*)(\?[^\s'"<>#]*)?(#[^\s'"<>]*)?"#,
    )
    .unwrap_or_else(|error| unreachable!("a constant pattern: {error}"))
});

/// A text with user names, passwords, queries and fragments of its URLs removed
/// (`kedro.io.core._redact_url_credentials`). Text without a scheme stays as it is unless it
/// begins with `name:password@host`: a `#` in a local path is no secret.
pub(super) fn redact(text: &str) -> String {
    if !text.contains("://") {
        let authority = text.split(['/', '?', '#']).next().unwrap_or_default();
        return match authority.rsplit_once('@') {
            Some((user, _)) if user.contains(':') && !text.contains(' ') => {
                format!("{REDACTED}{}", &text[user.len()..])
            }
            _ => text.to_owned(),
        };
    }
    let without = |found: &Captures<'_>| {
        let part = |index| found.get(index).map_or("", |part| part.as_str());
        let (scheme, authority, path) = (part(1), part(2), part(3));
        let mut url = scheme.to_owned();
        match authority.rsplit_once('@') {
            Some((_, host)) => url += &format!("{REDACTED}@{host}"),
            None => url += authority,
        }
        url += path;
        for (mark, rest) in [("?", part(4)), ("#", part(5))] {
            if rest.len() > 1 {
                url += &format!("{mark}{REDACTED}");
            }
        }
        url
    };
    URL.replace_all(text, without).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_lose_what_could_be_secret() {
        for (text, expected) in [
            ("s3://key:secret@bucket/a.csv", "s3://<redacted>@bucket/a.csv"),
            ("s3://bucket/a.csv", "s3://bucket/a.csv"),
            ("https://h/a?sig=1&b=2#c", "https://h/a?<redacted>#<redacted>"),
            ("postgresql://u:p@h:5432/d", "postgresql://<redacted>@h:5432/d"),
            ("from s3://a:b@c/d to s3://e/f", "from s3://<redacted>@c/d to s3://e/f"),
            ("data/a#b.csv", "data/a#b.csv"),
            ("data/a@b.csv", "data/a@b.csv"),
            ("key:secret@bucket/a.csv", "<redacted>@bucket/a.csv"),
            ("s3://u:p@{bucket}/{name}.csv", "s3://<redacted>@{bucket}/{name}.csv"),
            ("", ""),
        ] {
            assert_eq!(redact(text), expected, "{text}");
        }
    }

    #[test]
    fn only_ends_of_keys_name_secrets() {
        for (key, secret) in [
            ("password", true),
            ("DB-Password", true),
            ("aws_secret_access_key", true),
            ("token", true),
            ("tokenizer", false),
            ("max_tokens", false),
            ("filepath", false),
        ] {
            assert_eq!(names_secret(key), secret, "{key}");
        }
    }
}
