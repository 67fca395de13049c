//! How runs and sizes are written on the command line.

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
    fn runs_and_sizes_are_read() {
        assert_eq!("12".parse(), Ok(RunName::Number(12)));
        assert_eq!("last-failed".parse(), Ok(RunName::LastFailed));
        for wrong in ["0", "-1", "first", ""] {
            assert!(wrong.parse::<RunName>().is_err(), "{wrong}");
        }
        for (text, bytes) in
            [("500MB", 500_000_000), ("1.5 gb", 1_500_000_000), ("64k", 64_000), ("7", 7)]
        {
            assert_eq!(parse_size(text), Ok(bytes), "{text}");
        }
        assert!(parse_size("lots").is_err() && parse_size("5 apples").is_err());
    }
}
