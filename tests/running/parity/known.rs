//! Differences that are known, and why they are there.

use regex::Regex;

/// A difference that is known.
struct Known {
    /// The versions of Kedro, by the beginning of their numbers.
    kedro: &'static [&'static str],
    /// A part of the case's name; empty for all.
    case: &'static str,
    /// An expression that is found in the difference's line.
    line: &'static str,
    /// Why it is there, or what has to be done.
    reason: &'static str,
}

const ALL: &[&str] = &[""];

const KNOWN: &[Known] = &[
    Known {
        kedro: &["0.18", "0.19.15", "1.7"],
        case: "shop",
        line: r"^(sessions/store\.json\.cli\.command_path|state\.command): ",
        reason: "the command's options have an order of their own, and paths are absolute",
    },
    Known {
        kedro: ALL,
        case: "--params=alone",
        line: "^(failure: none|logs/all.log: only Kedro has: INFO kedro.framework.project )",
        reason: "our own command line refuses the option, and no Python is started",
    },
    Known {
        kedro: ALL,
        case: "--pipeline=exit_with_0",
        line: "^exit: success false",
        reason: "a run that a node has left did not succeed, whatever the node says",
    },
    Known {
        kedro: &["0.19", "1"],
        case: " in notebooks",
        line: r"^(state\.(cwd|loggers\.)|logs/all.log: Kedro does not have: )",
        reason: "the worker's folder is the project's; Kedro's is the shell's, where it finds no \
                 conf/logging.yml",
    },
];

/// The known differences of one version, and which of them were seen.
pub struct Table {
    rows: Vec<Row>,
}

struct Row {
    known: &'static Known,
    line: Regex,
    seen: bool,
}

impl Table {
    /// The rows that a version and cases of these names may have.
    pub fn new(version: &str, cases: &[String]) -> Self {
        let rows = KNOWN
            .iter()
            .filter(|known| known.kedro.iter().any(|kedro| version.starts_with(kedro)))
            .filter(|known| cases.iter().any(|case| case.contains(known.case)));
        let row = |known: &'static Known| Row {
            known,
            line: Regex::new(known.line).unwrap(),
            seen: false,
        };
        Table { rows: rows.map(row).collect() }
    }

    /// Whether the difference is known.
    pub fn has(&mut self, case: &str, line: &str) -> bool {
        let mut rows = self.rows.iter_mut();
        let row = rows.find(|row| case.contains(row.known.case) && row.line.is_match(line));
        if let Some(row) = row {
            row.seen = true;
            return true;
        }
        false
    }

    /// Rows that nothing was like.
    pub fn unseen(&self) -> impl Iterator<Item = &'static str> {
        self.rows.iter().filter(|row| !row.seen).map(|row| row.known.reason)
    }
}
