//! How runs, times and sizes are written on the command line.

use std::str::FromStr;

use color_eyre::eyre::{Result, eyre};

use crate::store::{Outcome, RunFilter, RunId, RunRecord, Store};

/// A run as it is named: `12`, `last`, `last-failed`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RunName {
    Number(RunId),
    Last,
    LastFailed,
}

impl FromStr for RunName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "last" => Ok(RunName::Last),
            "last-failed" => Ok(RunName::LastFailed),
            _ => match text.parse() {
                Ok(number @ 1..) => Ok(RunName::Number(number)),
                _ => Err("a run is a number, `last` or `last-failed`".into()),
            },
        }
    }
}

impl RunName {
    /// The run of that name.
    pub(super) fn find(self, store: &mut Store) -> Result<RunRecord> {
        let newest = |outcomes: Vec<Outcome>| RunFilter { outcomes, ..RunFilter::newest(1) };
        let (run, missing) = match self {
            RunName::Number(id) => (store.run(id)?, format!("There is no run {id}.")),
            RunName::Last => {
                (store.runs(&newest(Vec::new()))?.pop(), "Nothing was run yet.".to_owned())
            }
            RunName::LastFailed => {
                let failed = newest(vec![Outcome::Failed, Outcome::Lost]);
                (store.runs(&failed)?.pop(), "No run has failed.".to_owned())
            }
        };
        run.ok_or_else(|| eyre!("{missing} `mlops-tui runs list` names those that there are."))
    }
}

/// A time: an age (`30d`, `12h`, `90min`, `2w`) before `now`, or a date or time of this machine's clock
/// (`2026-11-02`, `2026-11-02T15:30`); seconds since the Unix epoch.
pub(super) fn parse_time(text: &str, now: f64) -> Result<f64, String> {
    if let Some(age) = parse_age(text) {
        return Ok(now - age);
    }
    let written = text.replace(' ', "T");
    let time = written.parse::<jiff::Timestamp>().ok().or_else(|| {
        let time: jiff::civil::DateTime = written.parse().ok()?;
        jiff::tz::TimeZone::system().to_timestamp(time).ok()
    });
    time.map(|time| time.as_microsecond() as f64 / 1e6).ok_or_else(|| {
        format!("`{text}` is no time; write an age (30d, 12h, 90min) or a date (2026-11-02)")
    })
}

/// An age in seconds: `30d`.
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
    Some(number.parse::<f64>().ok()? * unit)
}

/// A size in bytes: `500MB`, `2GB`, `64k`; powers of a thousand, as disks are sold.
pub(super) fn parse_size(text: &str) -> Result<u64, String> {
    let number_end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(number_end);
    let unit = match unit.trim().to_ascii_lowercase().trim_end_matches('b') {
        "" => 1.0,
        "k" => 1e3,
        "m" => 1e6,
        "g" => 1e9,
        "t" => 1e12,
        _ => return Err(format!("`{text}` is no size; write 500MB or 2GB")),
    };
    let number: f64 =
        number.parse().map_err(|_| format!("`{text}` is no size; write 500MB or 2GB"))?;
    Ok((number * unit) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_times_and_sizes_are_read() {
        assert_eq!("12".parse(), Ok(RunName::Number(12)));
        assert_eq!("last-failed".parse(), Ok(RunName::LastFailed));
        for wrong in ["0", "-1", "first", ""] {
            assert!(wrong.parse::<RunName>().is_err(), "{wrong}");
        }
        let now = 1_793_600_000.0;
        for (text, ago) in
            [("30d", 30.0 * 86_400.0), ("1.5h", 5400.0), ("90min", 5400.0), ("2w", 1_209_600.0)]
        {
            assert_eq!(parse_time(text, now), Ok(now - ago), "{text}");
        }
        assert_eq!(parse_time("2026-11-02T00:00:00Z", now), Ok(1_793_577_600.0));
        assert!(
            parse_time("2026-11-02", now).is_ok() && parse_time("2026-11-02 10:30", now).is_ok()
        );
        for wrong in ["yesterday", "d", "3", "2026-13-02"] {
            assert!(parse_time(wrong, now).unwrap_err().contains("is no time"), "{wrong}");
        }
        for (text, bytes) in
            [("500MB", 500_000_000), ("1.5 gb", 1_500_000_000), ("64k", 64_000), ("7", 7)]
        {
            assert_eq!(parse_size(text), Ok(bytes), "{text}");
        }
        assert!(parse_size("lots").is_err() && parse_size("5 apples").is_err());
    }
}
