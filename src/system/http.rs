//! What all HTTP clients need: the causes of failures in words, pauses between tries, and queries.

use std::error::Error;
use std::time::Duration;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::blocking::Response;
use reqwest::header::{DATE, RETRY_AFTER};
use serde_json::{Map, Value as Json};

/// Exponential backoff after some tries, with a jitter of 25 %, so that clients that failed together do not retry
/// together.
pub fn backoff(first: Duration, tries: u32) -> Duration {
    let random = getrandom::u64().unwrap_or_default() as f64 / u64::MAX as f64;
    first.mul_f64(f64::from(2_u32.saturating_pow(tries - 1)) * (0.75 + random / 2.0))
}

/// An error with its causes; repeated texts are left out.
pub fn causes(error: &dyn Error) -> String {
    let mut report = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        if !report.contains(&text) {
            report = format!("{report}: {text}");
        }
        cause = error.source();
    }
    report
}

/// The root cause of an error.
pub fn root(error: &dyn Error) -> String {
    let mut error = error;
    while let Some(cause) = error.source() {
        error = cause;
    }
    error.to_string()
}

/// Whether reading a body took too long.
pub fn is_timeout(error: &std::io::Error) -> bool {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<reqwest::Error>());
    error.kind() == std::io::ErrorKind::TimedOut || inner.is_some_and(reqwest::Error::is_timeout)
}

/// Whether a failure, given with its causes, is one of TLS.
pub fn is_of_tls(reason: &str) -> bool {
    let reason = reason.to_lowercase();
    ["certificate", "tls", "handshake", "unknownissuer", "received corrupt message"]
        .iter()
        .any(|word| reason.contains(word))
}

/// `Retry-After`, in seconds or as a date.
pub fn retry_after(response: &Response) -> Option<Duration> {
    let text = response.headers().get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse::<u32>() {
        return Some(Duration::from_secs(seconds.into()));
    }
    let at = jiff::fmt::rfc2822::parse(text).ok()?.timestamp();
    // By the clock that the date was made with; ours may be another.
    let now = date(response).unwrap_or_else(jiff::Timestamp::now);
    Duration::try_from(at.duration_since(now)).ok()
}

/// The time that a server says it is.
pub fn date(response: &Response) -> Option<jiff::Timestamp> {
    let text = response.headers().get(DATE)?.to_str().ok()?;
    Some(jiff::fmt::rfc2822::parse(text).ok()?.timestamp())
}

/// The fields as a URL query; a list repeats its field.
pub fn query(fields: &Map<String, Json>) -> String {
    let mut pairs = Vec::new();
    for (name, value) in fields {
        let values = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
        for value in values {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            pairs.push(format!("{name}={}", utf8_percent_encode(&text, NON_ALPHANUMERIC)));
        }
    }
    match pairs.is_empty() {
        true => String::new(),
        false => format!("?{}", pairs.join("&")),
    }
}
