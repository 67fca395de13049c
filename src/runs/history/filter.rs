//! The filter language for runs: `is:failed node:train_model took>1m -env:cloud good`.

use strum::VariantArray;

use crate::store::{Outcome, RunFilter, RunTerm, RunTest};
use crate::text::UserError;
use crate::text::filter::{self, FilterError, Key, Kind, Test, Value, key, value};

/// The keys for runs.
pub const KEYS: &[Key] = &[
    key(
        "is",
        Kind::Values(&[
            value("failed", "a node or the start failed"),
            value("succeeded", "ended without an error"),
            value("running", "going on"),
            value("cancelled", "cancelled by a person"),
            value("lost", "ended without a result"),
            value("pinned", "kept when the history is pruned"),
            value("noted", "with a note"),
            value("remote", "ran on an engine"),
            Value { name: "detached", alias: "background", help: "ran in the background" },
        ]),
        "outcome, or a mark",
    ),
    key("node", Kind::Text, "runs that had the node"),
    key("failed", Kind::Text, "runs in which the node failed"),
    key("pipeline", Kind::Text, "runs of the pipeline"),
    key("env", Kind::Text, "runs in the environment"),
    key("on", Kind::Text, "runs on the engine of the profile"),
    key("took", Kind::Duration, "duration of the run"),
    key("nodes", Kind::Number, "number of nodes"),
    key("param", Kind::Text, "runs that overrode it: param:lr, param:lr=0.1"),
    key("since", Kind::Checked("7d", check_time), "began since: 7d, 12h, 2026-11-02"),
    key("until", Kind::Checked("2026-11-02", check_time), "began before"),
    Key { name: "user", aliases: &["by"], kind: Kind::Text, help: "runs of the user" },
    key("mlflow", Kind::Text, "runs that logged to the MLflow run"),
];

fn check_time(text: &str) -> Result<(), UserError> {
    parse_time(text, 0.0).map(drop)
}

/// Parses a filter.
///
/// # Errors
/// When a word has an unknown key or value.
pub fn parse(text: &str, now: f64) -> Result<RunFilter, FilterError> {
    let parsed = filter::parse(text, KEYS)?;
    let terms = parsed.terms.into_iter().map(|term| {
        let any = match term.test {
            Test::Word(word) => vec![RunTest::Text(word)],
            Test::Is(key, values) => {
                values.into_iter().filter_map(|value| test(key, value, now)).collect()
            }
            Test::Compare("took", op, seconds, _) => vec![RunTest::Took { op, seconds, now }],
            Test::Compare(_, op, number, _) => vec![RunTest::Nodes(op, number)],
        };
        RunTerm { negated: term.negated, any }
    });
    Ok(RunFilter { terms: terms.collect(), ..RunFilter::default() })
}

/// What a value of a key asks of a run.
fn test(key: &str, value: String, now: f64) -> Option<RunTest> {
    Some(match (key, value.as_str()) {
        ("is", "pinned") => RunTest::Pinned,
        ("is", "noted") => RunTest::Noted,
        ("is", "detached") => RunTest::Detached,
        ("is", "remote") => RunTest::Remote,
        ("on", _) => RunTest::On(value),
        ("is", outcome) => RunTest::Outcome(parse_outcome(outcome).ok()?),
        ("node", _) => RunTest::Node(value),
        ("failed", _) => RunTest::FailedNode(value),
        ("pipeline", _) => RunTest::Pipeline(value),
        ("env", _) => RunTest::Env(value),
        ("user", _) => RunTest::User(value),
        ("mlflow", _) => RunTest::Mlflow(value),
        ("param", _) => match value.split_once('=') {
            Some((name, value)) => RunTest::Param(name.into(), Some(value.into())),
            None => RunTest::Param(value, None),
        },
        // Checked by the parser.
        ("since", time) => RunTest::Since(parse_time(time, now).ok()?),
        ("until", time) => RunTest::Until(parse_time(time, now).ok()?),
        _ => return None,
    })
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
        let term = |negated, any: &[RunTest]| RunTerm { negated, any: any.to_vec() };
        for (text, expected) in [
            (
                "is:failed,lost",
                term(false, &[RunTest::Outcome(Outcome::Failed), RunTest::Outcome(Outcome::Lost)]),
            ),
            ("is:pinned", term(false, &[RunTest::Pinned])),
            ("-is:remote", term(true, &[RunTest::Remote])),
            ("on:prod", term(false, &[RunTest::On("prod".into())])),
            ("-node:\"my node\"", term(true, &[RunTest::Node("my node".into())])),
            ("env:cloud", term(false, &[RunTest::Env("cloud".into())])),
            ("good", term(false, &[RunTest::Text("good".into())])),
            ("params=a:1", term(false, &[RunTest::Text("params=a:1".into())])),
            ("since:1d", term(false, &[RunTest::Since(NOW - 86_400.0)])),
            ("param:lr=0.1", term(false, &[RunTest::Param("lr".into(), Some("0.1".into()))])),
            (
                "took>=1m",
                term(
                    false,
                    &[RunTest::Took { op: filter::Op::GreaterOrEqual, seconds: 60.0, now: NOW }],
                ),
            ),
        ] {
            assert_eq!(parse(text, NOW).map(|filter| filter.terms), Ok(vec![expected]), "{text}");
        }
        let error = parse("is:good", NOW).unwrap_err();
        assert_eq!(error.at, 3);
        assert!(error.text.contains("is not among: failed, succeeded"), "{error}");
        assert_eq!(parse("good since:then", NOW).unwrap_err().at, 11);
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
