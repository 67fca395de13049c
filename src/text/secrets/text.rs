//! Removes secrets from texts: URLs, assignments, well-known tokens, diffs.

use std::ops::Range;
use std::sync::LazyLock;

use regex::{Captures, Regex};

use super::{REDACTED, known_in, names_secret};

#[expect(clippy::unwrap_used, reason = "the patterns are constant")]
fn regex(pattern: &str) -> Regex {
    Regex::new(pattern).unwrap()
}

/// A URL in a text: scheme, authority, path, query and fragment.
static URL: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r#"([A-Za-z][A-Za-z0-9+.\-]*://)([^\s'"<>/?#]*)([^\s'"<>?#]*)(\?[^\s'"<>#]*)?(#[^\s'"<>]*)?"#,
    )
});

/// Credentials with characters that are invalid in URLs, up to the last `@` before the host, such as `u:p/w#x` in
/// `postgresql://u:p/w#x@host`.
static ODD_PASSWORD: LazyLock<Regex> =
    LazyLock::new(|| regex(r#"([A-Za-z][A-Za-z0-9+.\-]*://)([^\s'"<>/:@]+:[^\s'"<>]*)@"#));

/// Name and separator of `name=value`, `name: value`, `"name": "value"` and `--name=value`.
static NAMED: LazyLock<Regex> =
    LazyLock::new(|| regex(r#"([A-Za-z_][A-Za-z0-9_.\-]*)["'\]]{0,2}\s{0,4}(?:=>|=|:)\s{0,4}"#));

/// Characters that end an unquoted value, besides blanks.
const VALUE_ENDS: [char; 8] = [',', ';', '&', ')', '}', ']', '"', '\''];

/// An OmegaConf reference with a default, such as `oc.env:DB_PASSWORD,hush`: the name of the variable, and the default.
static VARIABLE: LazyLock<Regex> =
    LazyLock::new(|| regex(r"(oc\.env:\s*([A-Za-z0-9_]+)\s*,)([^}]*)"));

/// The formats of keys and tokens that services issue, and private keys. They are ASCII, and the
/// word boundaries are too: with Unicode boundaries, `regex` falls back to a slower search.
static TOKEN: LazyLock<Regex> = LazyLock::new(|| {
    regex(concat!(
        r"(?s)-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*-----|\z)",
        r"|(?-u:\b)(?:AKIA|ASIA)[0-9A-Z]{16}(?-u:\b)|(?-u:\b)gh[pousr]_[A-Za-z0-9]{20,}|(?-u:\b)github_pat_[A-Za-z0-9_]{20,}|(?-u:\b)glpat-[A-Za-z0-9_\-]{20,}",
        r"|(?-u:\b)xox[abprs]-[A-Za-z0-9_\-]{10,}|(?-u:\b)hf_[A-Za-z0-9]{30,}|(?-u:\b)AIza[A-Za-z0-9_\-]{35}|(?-u:\b)sk-[A-Za-z0-9_\-]{20,}|(?-u:\b)dapi[0-9a-f]{32}",
        r"|(?-u:\b)eyJ[A-Za-z0-9_\-]{10,}\.[A-Za-z0-9_\-]{10,}\.[A-Za-z0-9_\-]*",
    ))
});

/// `Bearer` or `Basic` followed by credentials, as in an authorisation header.
static BEARER: LazyLock<Regex> =
    LazyLock::new(|| regex(r"(?i)(?-u:\b)(bearer|basic)\s+([A-Za-z0-9._~+/=\-]{8,})"));

/// The text without secrets: user names, passwords, queries and fragments of URLs
/// (`kedro.io.core._redact_url_credentials`), values under secret names, tokens, and all known
/// secrets.
pub fn redact(text: &str) -> String {
    redact_with(text, &|_| REDACTED.to_owned())
}

/// Like [`redact`], with the result of `mask` in place of each secret.
pub fn redact_with(text: &str, mask: &dyn Fn(&str) -> String) -> String {
    // In prose, `key` and `auth` are ordinary words.
    redact_text(text, mask, &|name| names_secret(name) && !matches!(name, "key" | "auth" | "Key"))
}

/// Masks known secrets, tokens, parts of URLs, defaults of `oc.env`, credentials after `Bearer`, and the values of names for
/// which `is_secret` is true, in this order.
fn redact_text(
    text: &str,
    mask: &dyn Fn(&str) -> String,
    is_secret: &dyn Fn(&str) -> bool,
) -> String {
    let mut text = text.to_owned();
    for known in known_in(&text) {
        text = text.replace(&*known, &mask(&known));
    }
    if TOKEN.is_match(&text) {
        text = TOKEN.replace_all(&text, |found: &Captures<'_>| mask(&found[0])).into_owned();
    }
    if !text.contains([':', '=', '@']) {
        return redact_bearer(text, mask);
    }
    text = urls(&text, mask);
    if text.contains("oc.env:") {
        let masked = |found: &Captures<'_>| match names_secret(&found[2]) {
            true => format!("{}{}", &found[1], mask(&found[3])),
            false => found[0].to_owned(),
        };
        text = VARIABLE.replace_all(&text, masked).into_owned();
    }
    assignments(&redact_bearer(text, mask), mask, is_secret)
}

fn redact_bearer(text: String, mask: &dyn Fn(&str) -> String) -> String {
    if !BEARER.is_match(&text) {
        return text;
    }
    // Without a digit this is probably prose, such as "basic configuration".
    let masked = |found: &Captures<'_>| match found[2].contains(|c: char| c.is_ascii_digit()) {
        true => format!("{} {}", &found[1], mask(&found[2])),
        false => found[0].to_owned(),
    };
    BEARER.replace_all(&text, masked).into_owned()
}

/// Redacts URLs. A text without a scheme is unchanged unless it starts with `name:password@host`: a
/// `#` in a local path is no secret.
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
    let masked = |found: &Captures<'_>| {
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
        // `host:8080/...@` has a port and an `@` in its path. Without `/`, `?` or `#` the URL is valid, and `URL`
        // matches it.
        match after[digits..].starts_with('/') && digits > 0 || !after.contains(['/', '?', '#']) {
            true => found[0].to_owned(),
            false => format!("{}{}@", &found[1], mask(&found[2])),
        }
    };
    let text = ODD_PASSWORD.replace_all(text, odd);
    URL.replace_all(&text, masked).into_owned()
}

/// Masks the values of assignments to names for which `is_secret` is true.
fn assignments(
    text: &str,
    mask: &dyn Fn(&str) -> String,
    is_secret: &dyn Fn(&str) -> bool,
) -> String {
    let mut out = String::new();
    let mut done = 0;
    // The search continues at the start of a value that is not masked, because the value may be an assignment
    // itself: in `can't log in: password=x`, `in` has the value `password=x`.
    let mut at = 0;
    let mut ends = NextMatch::default();
    let mut brackets = NextMatch::default();
    while let Some(found) = NAMED.captures_at(text, at) {
        let (whole, name) = (found.get_match(), &found[1]);
        at = whole.end();
        let Some((value, quoted)) = value_at(text, at, &mut ends) else { continue };
        if !is_secret(name.rsplit('.').next().unwrap_or_default()) {
            continue;
        }
        let inner = &text[value.clone()];
        // The result of a function call is no secret.
        let is_code =
            !quoted && brackets.find_from(text, at, |c| matches!(c, '(' | '[')) < value.end;
        if is_code || is_placeholder(inner) {
            continue;
        }
        out.push_str(&text[done..value.start]);
        out.push_str(&mask(inner));
        (done, at) = (value.end, value.end + usize::from(quoted));
    }
    out + &text[done..]
}

/// The range of the value that starts at `at`, without its quotes, and whether it is quoted.
fn value_at(text: &str, at: usize, ends: &mut NextMatch) -> Option<(Range<usize>, bool)> {
    let first = text[at..].chars().next()?;
    if matches!(first, '"' | '\'') {
        let mut escaped = false;
        let closes = |c| match c {
            _ if escaped => {
                escaped = false;
                false
            }
            '\\' => {
                escaped = true;
                false
            }
            c => c == first,
        };
        let length = text[at + 1..].find(closes)?;
        return Some((at + 1..at + 1 + length, true));
    }
    let is_end = |c: char| c.is_whitespace() || VALUE_ENDS.contains(&c);
    if is_end(first) || matches!(first, '=' | '>') {
        return None;
    }
    Some((at..ends.find_from(text, at, is_end), false))
}

/// Finds the next character of one kind. Queries must go from left to right; they share one pass
/// over the text, so a long text takes linear time.
#[derive(Default)]
struct NextMatch(Option<usize>);

impl NextMatch {
    /// The position of the first such character at or after `at`, or the text's end.
    fn find_from(&mut self, text: &str, at: usize, matches: impl Fn(char) -> bool) -> usize {
        match self.0 {
            Some(place) if place >= at => place,
            _ => *self.0.insert(text[at..].find(matches).map_or(text.len(), |length| at + length)),
        }
    }
}

/// Whether a value can't be a secret: empty, a constant of YAML or Python, the name of a scheme, or a reference such as
/// `<redacted>`, `*alias`, `$VAR` or `{template}`.
fn is_placeholder(value: &str) -> bool {
    const LONGEST: usize = "bearer".len();
    const NOTHING: [&str; 13] =
        ["", "none", "null", "~", "true", "false", "str", "???", "|", ">", "bearer", "basic", "-"];
    (value.len() <= LONGEST && NOTHING.contains(&value.to_ascii_lowercase().as_str()))
        || value.starts_with(['<', '*', '$', '{', '\\'])
}

/// A git diff without its secrets. Outside of Python files, the value of a secret name is masked up to the end of its
/// line, as are the more deeply indented lines that follow. A private key is masked from its BEGIN to its END.
pub fn redact_diff(diff: &str, mask: &dyn Fn(&str) -> String) -> String {
    let mut out = String::with_capacity(diff.len());
    let mut is_python = false;
    // The indentation of the key whose nested values are secret.
    let mut secret_indent: Option<usize> = None;
    let mut in_private_key = false;
    for line in diff.split_inclusive('\n') {
        let (line, end) = match line.strip_suffix('\n') {
            Some(line) => (line, "\n"),
            None => (line, ""),
        };
        if let Some(names) = line.strip_prefix("diff --git ") {
            is_python = names.trim_end_matches('"').ends_with(".py");
            (secret_indent, in_private_key) = (None, false);
        }
        let is_header = ["diff --git ", "index ", "--- ", "+++ ", "@@"]
            .iter()
            .any(|start| line.starts_with(start));
        if is_header {
            // The header of a hunk quotes a line of the file.
            let head = match line.rfind("@@").filter(|at| *at > 0 && line.starts_with("@@")) {
                Some(at) => &line[..at + 2],
                None => line,
            };
            (secret_indent, in_private_key) = (None, false);
            out.push_str(head);
            out.push_str(end);
            continue;
        }
        let (sign, rest) = line.split_at(line.chars().next().map_or(0, char::len_utf8));
        let indent = rest.len() - rest.trim_start().len();
        let content = rest.trim();
        out.push_str(sign);
        let ends_key = content.contains("-----END");
        if in_private_key || content.contains("PRIVATE KEY-----") {
            in_private_key = !ends_key;
            out.push_str(&mask(content));
        } else if secret_indent.is_some_and(|key_indent| {
            indent > key_indent || (indent == key_indent && content.starts_with("- "))
        }) && !content.is_empty()
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
            secret_indent = if content.is_empty() { secret_indent } else { None };
            let key = (!is_python).then(|| key_and_value(content)).flatten();
            match key.filter(|(key, _)| names_secret(key)) {
                Some((_, value))
                    if matches!(
                        value.split('#').next().map(str::trim),
                        Some("" | "|" | ">" | "|-" | ">-")
                    ) =>
                {
                    secret_indent = Some(indent);
                    out.push_str(rest);
                }
                Some((_, value)) if !is_placeholder(value) => {
                    out.push_str(&rest[..rest.trim_end().len() - value.len()]);
                    out.push_str(&mask(value));
                }
                _ => out.push_str(&redact_text(rest, mask, &|name| names_secret(name))),
            }
        }
        out.push_str(end);
    }
    out
}

/// Splits `key: value`, `- key: value` and `key = value`.
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
    fn secrets_in_urls_are_redacted() {
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
            ("token=a token=f(1) token=b", "token=<redacted> token=f(1) token=<redacted>"),
            (r#"password="a\"b" c"#, r#"password="<redacted>" c"#),
            ("password=\"open", "password=\"open"),
            (
                "a\n-----BEGIN RSA PRIVATE KEY-----\nxyz\n-----END RSA PRIVATE KEY-----\nb",
                "a\n<redacted>\nb",
            ),
        ] {
            assert_eq!(redact(text), expected, "{text}");
        }
    }

    #[test]
    fn long_texts_of_assignments_take_linear_time() {
        for (unit, count) in
            [("oc.select:${", 100_000), ("token:a(", 100_000), ("'token':'", 100_000)]
        {
            assert!(redact(&unit.repeat(count)).len() >= unit.len());
        }
    }

    #[test]
    fn a_diff_keeps_its_lines_without_secrets() {
        let diff = "diff --git a/c.yml b/c.yml\nindex 1..2\n--- a/c.yml\n+++ b/c.yml\n@@ -1,2 +1,3 @@ password: hush\n n: 1\n\
                    +password: two (hush) words\n+x: {key: hush, n: 1}\n+url: https://u:hush@h/x\n+token:\n+  value: hush\n+  - hush\n+n: 2\n\
                    +secret: |\n+  hush\n+b: 1\ndiff --git a/c.py b/c.py\n+PW = \"hush\"\n+token = f(1)\n+n = 3\n";
        let redacted = redact_diff(diff, &|_| "?".into());
        assert!(!redacted.contains("hush"), "{redacted}");
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
            assert!(redacted.contains(line), "{line}: {redacted}");
        }
        assert_eq!(redacted.lines().count(), diff.lines().count());
    }
}
