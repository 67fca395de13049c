//! Decides by a name whether its value is a secret.

/// A name with one of these endings denotes a secret.
const ENDS: [&str; 37] = [
    "password",
    "passwords",
    "passwd",
    "pwd",
    "pw",
    "passphrase",
    "passcode",
    "secret",
    "secrets",
    "token",
    "apikey",
    "apikeys",
    "sas",
    "credential",
    "credentials",
    "creds",
    "auth",
    "authorization",
    "bearer",
    "cookie",
    "cookies",
    "dsn",
    "connstr",
    "accesskey",
    "accountkey",
    "secretkey",
    "privatekey",
    "pat",
    "api tokens",
    "access tokens",
    "auth tokens",
    "conn str",
    "connection string",
    "connection uri",
    "webhook url",
    "access key id",
    "sas url",
];

/// A name that contains one of these denotes a secret, unless its last word is in [`ABOUT`].
const ANYWHERE: [&str; 5] = ["password", "passwd", "pwd", "passphrase", "secret"];

/// Last words of names that describe a secret without being one.
const ABOUT: [&str; 18] = [
    "file", "path", "length", "policy", "column", "columns", "field", "min", "max", "type",
    "expiry", "name", "manager", "scope", "env", "provider", "version", "required",
];

/// Suffixes of a secret's name that say which of several it is.
const WHICH: [&str; 8] = ["prod", "production", "dev", "staging", "test", "local", "value", "hash"];

/// Words before `token` that belong to the vocabulary of language models.
const MODEL_TOKENS: [&str; 27] = [
    "pad", "padding", "eos", "bos", "unk", "unknown", "mask", "sep", "cls", "special", "max",
    "min", "start", "end", "stop", "per", "next", "n", "num", "image", "prefix", "suffix", "first",
    "last", "oov", "text", "blank",
];

/// Words before `key` that make it a key of data, not of a lock.
const DATA_KEYS: [&str; 58] = [
    "primary",
    "foreign",
    "partition",
    "sort",
    "sorting",
    "join",
    "group",
    "grouping",
    "index",
    "cache",
    "object",
    "row",
    "natural",
    "surrogate",
    "composite",
    "unique",
    "range",
    "merge",
    "lookup",
    "public",
    "idempotency",
    "dedup",
    "order",
    "dataset",
    "column",
    "feature",
    "id",
    "date",
    "time",
    "dict",
    "map",
    "json",
    "record",
    "entity",
    "business",
    "s3",
    "file",
    "metric",
    "target",
    "label",
    "param",
    "parameter",
    "config",
    "shard",
    "cluster",
    "clustering",
    "distribution",
    "dist",
    "routing",
    "hot",
    "user",
    "customer",
    "item",
    "product",
    "random",
    "prng",
    "node",
    "layer",
];

/// Whether the value of a key, variable or argument with this name is a secret. Names from models
/// and tables (`max_tokens`, `primary_key`, `tokenizer`) are not secret.
pub fn names_secret(name: &str) -> bool {
    let words = words(name);
    let mut words: Vec<&str> = words.iter().map(String::as_str).collect();
    while words.len() > 1
        && words
            .last()
            .is_some_and(|word| WHICH.contains(word) || word.bytes().all(|c| c.is_ascii_digit()))
    {
        words.pop();
    }
    let Some((last, before)) = words.split_last() else { return false };
    let previous = before.last().copied();
    match (*last, previous) {
        ("token", Some(previous)) => return !MODEL_TOKENS.contains(&previous),
        ("key", Some(previous)) => return !DATA_KEYS.contains(&previous),
        ("keys", Some(previous)) => {
            return ["api", "access", "private", "secret", "account"].contains(&previous);
        }
        ("key", None) => return true,
        _ => {}
    }
    let joined = words.join(" ");
    let ends = |end: &&str| {
        joined.strip_suffix(end).is_some_and(|rest| rest.is_empty() || rest.ends_with(' '))
    };
    ENDS.iter().any(ends)
        || last.ends_with("password")
        || words.iter().any(|word| ANYWHERE.contains(word)) && !ABOUT.contains(last)
}

/// The words of a name in lower case; `dbPassword`, `DB-PASSWORD` and `db_password` give the same
/// words.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut was_lower = false;
    for c in name.chars() {
        if !c.is_alphanumeric() {
            words.push(String::new());
        } else {
            if c.is_uppercase() && was_lower {
                words.push(String::new());
            }
            if let Some(word) = words.last_mut() {
                word.extend(c.to_lowercase());
            }
        }
        was_lower = c.is_lowercase() || c.is_ascii_digit();
    }
    words.retain(|word| !word.is_empty());
    // A trailing number is dropped: `password1` is a password.
    if let Some(last) = words.last_mut()
        && last.starts_with(|c: char| c.is_alphabetic())
    {
        let end = last.trim_end_matches(|c: char| c.is_ascii_digit()).len();
        last.truncate(end);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_secrets_are_distinguished_from_names_of_data_and_models() {
        let secrets = "password DB-Password dbPassword MYSQL_PWD PW passphrase db_password_2 password1 PASSWORD_PROD \
             password_hash dbpassword secret client_secret aws_secret_access_key aws_access_key_id SECRET_KEY \
             secrets token api_token GITHUB_TOKEN hf_token sas sas_token sas_url api_key apikey apiKey API_KEYS \
             account_key private_key key encryption_key storage-key connection_string conn_str \
             credentials creds auth basic_auth authorization bearer cookie dsn access_tokens webhook_url";
        for name in secrets.split_whitespace() {
            assert!(names_secret(name), "{name} names a secret");
        }
        let others = "tokenizer max_tokens tokens n_tokens pad_token eos_token mask_token token_count token_pattern \
             primary_key foreign_key partition_key sort_key keys key_column keyword monkey join_key \
             author authors auth_type filepath password_column password_length secret_name passenger sas7bdat \
             SASDataset compass seed cookiecutter secretary bucket random_key passes keyring";
        for name in others.split_whitespace() {
            assert!(!names_secret(name), "{name} names no secret");
        }
        assert!(!names_secret("") && !names_secret("_"));
    }
}
