//! The filter language for runs: `is:failed node:train_model since:7d good one`.

use strum::VariantArray;

use crate::store::{Outcome, RunFilter};
use crate::text::UserError;

/// The placeholder of the filter prompt.
pub const HINT: &str =
    "text, is:failed, is:pinned, node:NAME, pipeline:NAME, env:NAME, since:7d, until:2026-11-02";

/// The keys of the filter language.
const KEYS: [&str; 6] = ["is:", "node:", "pipeline:", "env:", "since:", "until:"];

/// Parses a filter: words with a key filter by that key; all other words together are a text to search for.
/// Quotes keep blanks in a value: `node:"my node"`.
///
/// # Errors
/// When a word has an unknown key or value; the error lists the valid ones.
pub fn parse(text: &str, now: f64) -> Result<RunFilter, UserError> {
    let mut filter = RunFilter::default();
    let mut words = Vec::new();
    for word in split(text) {
        match word.split_once(':') {
            Some(("is", "pinned")) => filter.pinned = true,
            Some(("is", outcome)) => filter.outcomes.push(parse_outcome(outcome)?),
            Some(("node", name)) => filter.node = Some(name.to_owned()),
            Some(("pipeline", name)) => filter.pipeline = Some(name.to_owned()),
            Some(("env", name)) => filter.env = Some(name.to_owned()),
            Some(("since", time)) => filter.since = Some(parse_time(time, now)?),
            Some(("until", time)) => filter.until = Some(parse_time(time, now)?),
            _ => words.push(word),
        }
    }
    let text = words.join(" ");
    filter.text = Some(text).filter(|text| !text.is_empty());
    Ok(filter)
}

/// The part of an unfinished text that can be searched already: without the last word if it is the beginning
/// of a key, as `no` may become `node:`.
pub fn settled(text: &str) -> &str {
    let last = text.rsplit(char::is_whitespace).next().unwrap_or_default();
    let begins = |key: &&str| !last.is_empty() && key.starts_with(last);
    match KEYS.iter().any(begins) {
        true => text[..text.len() - last.len()].trim_end(),
        false => text,
    }
}

/// Splits at blanks, except in quotes.
fn split(text: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quoted = false;
    for c in text.chars() {
        match c {
            '"' => quoted = !quoted,
            c if c.is_whitespace() && !quoted => words.push(String::new()),
            c => words.last_mut().into_iter().for_each(|word| word.push(c)),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// Parses an outcome, such as `failed`.
///
/// # Errors
/// When the word is not an outcome; the error lists the valid ones.
pub fn parse_outcome(text: &str) -> Result<Outcome, UserError> {
    let found = Outcome::VARIANTS.iter().copied().find(|outcome| outcome.as_str() == text);
    found.ok_or_else(|| {
        let names: Vec<&str> = Outcome::VARIANTS.iter().map(|outcome| outcome.as_str()).collect();
        UserError::hinted(
            format!("`{text}` is no outcome"),
            format!("There are: {}.", names.join(", ")),
        )
    })
}

/// Parses a time: an age (`30d`, `12h`, `90min`, `2w`) before `now`, or a local date or time (`2026-11-02`,
/// `2026-11-02T15:30`). Returns seconds since the Unix epoch.
///
/// # Errors
/// When the text is neither.
pub fn parse_time(text: &str, now: f64) -> Result<f64, UserError> {
    if let Some(age) = parse_age(text) {
        return Ok(now - age);
    }
    let written = text.replace(' ', "T");
    let time = written.parse::<jiff::Timestamp>().ok().or_else(|| {
        let time: jiff::civil::DateTime = written.parse().ok()?;
        jiff::tz::TimeZone::system().to_timestamp(time).ok()
    });
    time.map(|time| time.as_microsecond() as f64 / 1e6).ok_or_else(|| {
        UserError::hinted(
            format!("`{text}` is no time"),
            "Write an age (30d, 12h, 90min) or a date (2026-11-02).",
        )
    })
}

/// Parses an age, such as `30d`, to seconds.
fn parse_age(text: &str) -> Option<f64> {
    let unit_at = text.find(|c: char| !c.is_ascii_digit() && c != '.')?;
    let (number, unit) = text.split_at(unit_at);
    let unit = match unit.trim() {
        "s" => 1.0,
        "min" | "m" => 60.0,
        "h" => 3600.0,
        "d" => 86_400.0,
        "w" => 7.0 * 86_400.0,
        _ => return None,
    };
    Some(number.parse::<f64>().ok()? * unit).filter(|age| age.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: f64 = 1_793_600_000.0;

    #[test]
    fn words_with_keys_filter_and_the_others_are_searched() {
        assert_eq!(parse("  ", NOW), Ok(RunFilter::default()));
        let filter = parse("is:failed is:lost node:\"my node\" good env:cloud one since:1d", NOW);
        let expected = RunFilter {
            outcomes: vec![Outcome::Failed, Outcome::Lost],
            node: Some("my node".into()),
            env: Some("cloud".into()),
            text: Some("good one".into()),
            since: Some(NOW - 86_400.0),
            ..RunFilter::default()
        };
        assert_eq!(filter, Ok(expected));
        let filter = parse("is:pinned pipeline:p params=a:1", NOW).unwrap();
        assert!(filter.pinned && filter.text.as_deref() == Some("params=a:1"));
        assert!(
            parse("is:good", NOW).unwrap_err().line().contains("There are: running, succeeded")
        );
        assert!(parse("since:then", NOW).is_err());
    }

    #[test]
    fn a_word_that_may_become_a_key_is_not_searched_yet() {
        for (typed, tried) in [
            ("good no", "good"),
            ("is:", ""),
            ("good", "good"),
            ("is:failed e", "is:failed"),
            ("a ", "a "),
        ] {
            assert_eq!(settled(typed), tried);
        }
    }

    #[test]
    fn times_are_ages_or_dates() {
        for (text, ago) in
            [("30d", 30.0 * 86_400.0), ("1.5h", 5400.0), ("90min", 5400.0), ("2w", 1_209_600.0)]
        {
            assert_eq!(parse_time(text, NOW), Ok(NOW - ago), "{text}");
        }
        assert_eq!(parse_time("2026-11-02T00:00:00Z", NOW), Ok(1_793_577_600.0));
        assert!(parse_time("2026-11-02", NOW).is_ok());
        assert!(parse_time("2026-11-02 10:30", NOW).is_ok());
        for wrong in ["yesterday", "d", "3", "2026-13-02"] {
            assert!(parse_time(wrong, NOW).unwrap_err().line().contains("is no time"), "{wrong}");
        }
        let endless = format!("{}d", "9".repeat(400));
        assert!(parse_time(&endless, NOW).is_err());
    }
}
