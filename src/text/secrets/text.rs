//! Removing secrets from texts: URLs, assignments, well-known tokens, differences of files.

use std::sync::LazyLock;

use regex::{Captures, Regex};

use super::{REDACTED, known_in, names_secret};

#[expect(clippy::unwrap_used, reason = "the patterns are constant")]
fn regex(pattern: &str) -> Regex {
    Regex::new(pattern).unwrap()
}

/// A URL in a text: scheme, authority, path, query, fragment.
static URL: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r#"([A-Za-z][A-Za-z0-9+.\-]*://)([^\s'"<>/?#]*)([^\s'"<>?#]*)(\?[^\s'"<>#]*)?(#[^\s'"<>]*)?"#,
    )
});

/// A password with signs that no URL has, up to the last `@` before the host.
static ODD_PASSWORD: LazyLock<Regex> =
    LazyLock::new(|| regex(r#"([A-Za-z][A-Za-z0-9+.\-]*://)([^\s'"<>/:@]+:[^\s'"<>]*)@"#));

/// `name=value`, `name: value`, `"name": "value"`, `--name=value`.
static ASSIGNMENT: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r#"([A-Za-z_][A-Za-z0-9_.\-]*)(["'\]]{0,2}\s{0,4}(?:=>|=|:)\s{0,4})("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[^\s,;&)}\]"'=>][^\s,;&)}\]"']*)"#,
    )
});

/// The default of an environment variable in a configuration.
static VARIABLE: LazyLock<Regex> =
    LazyLock::new(|| regex(r"(oc\.env:\s*([A-Za-z0-9_]+)\s*,)([^}]*)"));

/// The forms of keys and tokens that services give out; a private key.
static TOKEN: LazyLock<Regex> = LazyLock::new(|| {
    regex(concat!(
        r"(?s)-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*-----|\z)",
        r"|\b(?:AKIA|ASIA)[0-9A-Z]{16}\b|\bgh[pousr]_[A-Za-z0-9]{20,}|\bgithub_pat_\w{20,}|\bglpat-[\w\-]{20,}",
        r"|\bxox[abprs]-[\w\-]{10,}|\bhf_[A-Za-z0-9]{30,}|\bAIza[\w\-]{35}|\bsk-[\w\-]{20,}|\bdapi[0-9a-f]{32}",
        r"|\beyJ[\w\-]{10,}\.[\w\-]{10,}\.[\w\-]*",
    ))
});

/// `Authorization: Bearer x`.
static BEARER: LazyLock<Regex> =
    LazyLock::new(|| regex(r"(?i)\b(bearer|basic)\s+([A-Za-z0-9._~+/=\-]{8,})"));

/// The text without its secrets: user names, passwords, queries and fragments of URLs
/// (`kedro.io.core._redact_url_credentials`), values under names of secrets, tokens, and all secrets that
/// were met before.
pub fn redact(text: &str) -> String {
    redact_with(text, &|_| REDACTED.to_owned())
}

/// The same with what `mask` gives in the place of each secret.
pub fn redact_with(text: &str, mask: &dyn Fn(&str) -> String) -> String {
    // `key` and `auth` are words, too.
    general(text, mask, &|name| names_secret(name) && !matches!(name, "key" | "auth" | "Key"))
}

fn general(text: &str, mask: &dyn Fn(&str) -> String, names: &dyn Fn(&str) -> bool) -> String {
    let mut text = text.to_owned();
    for known in known_in(&text) {
        text = text.replace(&*known, &mask(&known));
    }
    if TOKEN.is_match(&text) {
        text = TOKEN.replace_all(&text, |found: &Captures<'_>| mask(&found[0])).into_owned();
    }
    if !text.contains([':', '=', '@']) {
        return with_bearer(text, mask);
    }
    text = urls(&text, mask);
    if text.contains("oc.env:") {
        let without = |found: &Captures<'_>| match names_secret(&found[2]) {
            true => format!("{}{}", &found[1], mask(&found[3])),
            false => found[0].to_owned(),
        };
        text = VARIABLE.replace_all(&text, without).into_owned();
    }
    assignments(&with_bearer(text, mask), mask, names)
}

fn with_bearer(text: String, mask: &dyn Fn(&str) -> String) -> String {
    if !BEARER.is_match(&text) {
        return text;
    }
    let without = |found: &Captures<'_>| match found[2].contains(|c: char| c.is_ascii_digit()) {
        true => format!("{} {}", &found[1], mask(&found[2])),
        false => found[0].to_owned(),
    };
    BEARER.replace_all(&text, without).into_owned()
}

/// Text without a scheme stays as it is unless it begins with `name:password@host`: a `#` in a local path
/// is no secret.
fn urls(text: &str, mask: &dyn Fn(&str) -> String) -> String {
    if !text.contains("://") {
        let authority = text.split(['/', '?', '#']).next().unwrap_or_default();
        return match authority.rsplit_once('@') {
            Some((user, _)) if user.contains(':') && !text.contains(' ') => {
                format!("{}{}", mask(user), &text[user.len()..])
            }
            _ => text.to_owned(),
        };
    }
    let without = |found: &Captures<'_>| {
        let part = |index| found.get(index).map_or("", |part| part.as_str());
        let (scheme, authority, path) = (part(1), part(2), part(3));
        let mut url = scheme.to_owned();
        match authority.rsplit_once('@') {
            Some((user, host)) => url += &format!("{}@{host}", mask(user)),
            None => url += authority,
        }
        url += path;
        for (sign, rest) in [("?", part(4)), ("#", part(5))] {
            if rest.len() > 1 {
                url += &format!("{sign}{}", mask(&rest[1..]));
            }
        }
        url
    };
    let odd = |found: &Captures<'_>| {
        let after = found[2].split_once(':').map_or("", |(_, after)| after);
        let digits = after.bytes().take_while(u8::is_ascii_digit).count();
        // A port, and an `@` in the path.
        match after[digits..].starts_with('/') && digits > 0 || !after.contains(['/', '?', '#']) {
            true => found[0].to_owned(),
            false => format!("{}{}@", &found[1], mask(&found[2])),
        }
    };
    let text = ODD_PASSWORD.replace_all(text, odd);
    URL.replace_all(&text, without).into_owned()
}

fn assignments(text: &str, mask: &dyn Fn(&str) -> String, names: &dyn Fn(&str) -> bool) -> String {
    let mut out = String::new();
    let mut done = 0;
    // A value may be an assignment itself: `can't log in: password=x`.
    let mut at = 0;
    while let Some(found) = ASSIGNMENT.captures_at(text, at) {
        let (Some(name), Some(value)) = (found.get(1), found.get(3)) else { break };
        at = value.start();
        let last = name.as_str().rsplit('.').next().unwrap_or_default();
        // The result of a call is no secret.
        let called = text[value.end()..].starts_with(['(', '[']);
        let (text_of, quoted) = match value.as_str().chars().next() {
            Some('"' | '\'') => (value.start() + 1..value.end() - 1, true),
            _ => (value.range(), false),
        };
        let inner = &text[text_of.clone()];
        let is_code = !quoted && (called || inner.contains(['(', '[']));
        if !names(last) || is_code || says_nothing(inner) {
            continue;
        }
        out.push_str(&text[done..text_of.start]);
        out.push_str(&mask(inner));
        (done, at) = (text_of.end, value.end());
    }
    out + &text[done..]
}

fn says_nothing(value: &str) -> bool {
    const NOTHING: [&str; 13] =
        ["", "none", "null", "~", "true", "false", "str", "???", "|", ">", "bearer", "basic", "-"];
    NOTHING.contains(&value.to_ascii_lowercase().as_str())
        || value.starts_with(['<', '*', '$', '{', '\\'])
}

/// The difference of files as git writes it without its secrets. In files that are not code, all of the
/// line after a secret's name is one, and so are deeper lines that follow.
pub fn redact_diff(diff: &str, mask: &dyn Fn(&str) -> String) -> String {
    let mut out = String::with_capacity(diff.len());
    let mut code = false;
    // How deep the key lies whose values are secret.
    let mut deep: Option<usize> = None;
    let mut in_key = false;
    for line in diff.split_inclusive('\n') {
        let (line, end) = match line.strip_suffix('\n') {
            Some(line) => (line, "\n"),
            None => (line, ""),
        };
        if let Some(names) = line.strip_prefix("diff --git ") {
            code = names.trim_end_matches('"').ends_with(".py");
            (deep, in_key) = (None, false);
        }
        let is_header =
            ["diff --git ", "index ", "--- ", "+++ ", "@@"].iter().any(|it| line.starts_with(it));
        if is_header {
            // A hunk's head quotes a line of the file.
            let head = match line.rfind("@@").filter(|at| *at > 0 && line.starts_with("@@")) {
                Some(at) => &line[..at + 2],
                None => line,
            };
            (deep, in_key) = (None, false);
            out.push_str(head);
            out.push_str(end);
            continue;
        }
        let (sign, rest) = line.split_at(line.chars().next().map_or(0, char::len_utf8));
        let indent = rest.len() - rest.trim_start().len();
        let content = rest.trim();
        out.push_str(sign);
        let ends_key = content.contains("-----END");
        if in_key || content.contains("PRIVATE KEY-----") {
            in_key = !ends_key;
            out.push_str(&mask(content));
        } else if deep
            .is_some_and(|key| indent > key || (indent == key && content.starts_with("- ")))
            && !content.is_empty()
        {
            out.push_str(&rest[..indent]);
            out.push_str(&match content.split_once(':') {
                Some((key, value)) if !value.trim().is_empty() && value.starts_with(' ') => {
                    format!("{key}: {}", mask(value.trim()))
                }
                Some((_, "")) => content.to_owned(),
                _ => mask(content),
            });
        } else {
            deep = if content.is_empty() { deep } else { None };
            let key = (!code).then(|| key_and_value(content)).flatten();
            match key.filter(|(key, _)| names_secret(key)) {
                Some((_, value))
                    if matches!(
                        value.split('#').next().map(str::trim),
                        Some("" | "|" | ">" | "|-" | ">-")
                    ) =>
                {
                    deep = Some(indent);
                    out.push_str(rest);
                }
                Some((_, value)) if !says_nothing(value) => {
                    out.push_str(&rest[..rest.trim_end().len() - value.len()]);
                    out.push_str(&mask(value));
                }
                _ => out.push_str(&general(rest, mask, &|name| names_secret(name))),
            }
        }
        out.push_str(end);
    }
    out
}

/// `key: value`, `- key: value` and `key = value`.
fn key_and_value(line: &str) -> Option<(&str, &str)> {
    let at = line.find([':', '='])?;
    let key = line[..at].trim().trim_start_matches("- ").trim_start_matches("export ");
    let key = key.trim_matches(['"', '\'']);
    let is_key = !key.is_empty() && key.chars().all(|c| c.is_alphanumeric() || "_-. ".contains(c));
    is_key.then(|| (key, line[at + 1..].trim()))
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
            ("postgresql://u:p/w#x@h:5432/d", "postgresql://<redacted>@h:5432/d"),
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
    fn texts_lose_values_under_names_of_secrets_and_tokens() {
        for (text, expected) in [
            ("can't log in: password=hush, user=me", "can't log in: password=<redacted>, user=me"),
            ("{'password': 'two words', 'n': 1}", "{'password': '<redacted>', 'n': 1}"),
            ("AccountName=a;AccountKey=x/y+z==;E=c", "AccountName=a;AccountKey=<redacted>;E=c"),
            (
                "jdbc:sqlserver://h:1;user=me;password=hush;",
                "jdbc:sqlserver://h:1;user=me;password=<redacted>;",
            ),
            ("host=h dbname=d password='a b'", "host=h dbname=d password='<redacted>'"),
            ("Authorization: Bearer abc.def-123", "Authorization: Bearer <redacted>"),
            ("id AKIAABCDEFGHIJKLMNOP here", "id <redacted> here"),
            ("${oc.env:DB_PASSWORD,hush}", "${oc.env:DB_PASSWORD,<redacted>}"),
            ("${oc.env:HOME,x}", "${oc.env:HOME,x}"),
            ("token = make_token()", "token = make_token()"),
            ("password: str = None", "password: str = None"),
            ("max_tokens=100, primary_key: id", "max_tokens=100, primary_key: id"),
            ("KeyError: 'a'", "KeyError: 'a'"),
            (
                "a\n-----BEGIN RSA PRIVATE KEY-----\nxyz\n-----END RSA PRIVATE KEY-----\nb",
                "a\n<redacted>\nb",
            ),
        ] {
            assert_eq!(redact(text), expected, "{text}");
        }
    }

    #[test]
    fn a_difference_keeps_its_lines_without_secrets() {
        let diff = "diff --git a/c.yml b/c.yml\nindex 1..2\n--- a/c.yml\n+++ b/c.yml\n@@ -1,2 +1,3 @@ password: hush\n n: 1\n\
                    +password: two (hush) words\n+x: {key: hush, n: 1}\n+url: https://u:hush@h/x\n+token:\n+  value: hush\n+  - hush\n+n: 2\n\
                    +secret: |\n+  hush\n+b: 1\ndiff --git a/c.py b/c.py\n+PW = \"hush\"\n+token = f(1)\n+n = 3\n";
        let told = redact_diff(diff, &|_| "?".into());
        assert!(!told.contains("hush"), "{told}");
        for line in [
            "+password: ?\n",
            "+x: {key: ?, n: 1}\n",
            "+url: https://?@h/x\n",
            "+  value: ?\n",
            "+n: 2\n",
            "+b: 1\n",
            "+PW = \"?\"\n",
            "+token = f(1)\n",
            "+n = 3\n",
        ] {
            assert!(told.contains(line), "{line}: {told}");
        }
        assert_eq!(told.lines().count(), diff.lines().count());
    }
}
