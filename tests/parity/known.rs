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
        kedro: ALL,
        case: "",
        line: r#"^\w+\.(run_params\.\w+|load_versions): null, Kedro's (\[\]|\{\}|\{"tuple":\[\]\})$"#,
        reason: "the worker hands over only what is set; Kedro's command line hands over all",
    },
    Known {
        kedro: &["1"],
        case: "PARITY_SESSION=own",
        line: "own session: ",
        reason: "the same, seen by the project's own session class",
    },
    Known {
        kedro: &["1"],
        case: "PARITY_SESSION=open",
        line: "",
        reason: "a session class whose `create` takes any keyword is said not to have the options",
    },
    Known {
        kedro: ALL,
        case: "shop",
        line: r"^sessions/store\.json\.cli: null",
        reason: "the session's store tells of the command line, and the worker has none",
    },
    Known {
        kedro: ALL,
        case: "",
        line: r"^state\.entry_points: 0 items more",
        reason: "the worker does not call the entry points `kedro.init` and `kedro.cli_hooks`",
    },
    Known {
        kedro: ALL,
        case: "",
        line: r#"^state\.command: .* \+\["-c"\]"#,
        reason: "the worker leaves `sys.argv` to `python -c`; Kedro's tells of the command",
    },
    Known {
        kedro: ALL,
        case: "--params=code=08",
        line: r"^((before|after)_\w+|sessions/store\.json)[.:]",
        reason: "values are typed in Rust before Kedro sees them, and unlike OmegaConf does: `08`, \
                 integers of over 64 bits, infinities, comments, tags, and keys in brackets",
    },
    Known {
        kedro: ALL,
        case: "KEDRO_LOGGING_CONFIG=plain_logging.yml",
        line: "^printed: Kedro does not have: ",
        reason: "the handler in the place of one that prints does not have its filters",
    },
    Known {
        kedro: &["0.19", "1"],
        case: "PARITY_LOGGING=files",
        line: r"^logs/(rich|own)\.log: only Kedro has: ",
        reason: "handlers are taken for ones that print: a RichHandler whose console is a file, and a \
                 StreamHandler with an `emit` of its own",
    },
    Known {
        kedro: &["1.0.0"],
        case: "",
        line: r"^logs/all\.log: .*(Loading data from|Saving data to) ",
        reason: "Kedro marks names up where there is a RichHandler, and the worker takes it out",
    },
    Known {
        kedro: &["0.19", "1"],
        case: "PARITY_LOGGING=basic",
        line: r"^(logs/basic\.log: only Kedro has: |state\.loggers\.root\.)",
        reason: "the root logger has a handler where it would have none, and `basicConfig` does nothing",
    },
    Known {
        kedro: ALL,
        case: "PARITY_CLI=own",
        line: "",
        reason: "the `run` command of the project's own `cli.py` is not called",
    },
    Known { kedro: &["1"], case: "--pipelines=", line: "", reason: "there is no such option yet" },
    Known {
        kedro: &["1"],
        case: "sample-project",
        line: r"^mlflow\.db\.tag mlflow\.source\.name: .*-c",
        reason: "the same, seen by MLflow",
    },
    Known {
        kedro: ALL,
        case: "--conf-source=nowhere",
        line: "^(calls|failure|logs/all.log|sessions/store.json|data/exit.txt): ",
        reason: "Kedro's command line refuses a missing folder before anything runs",
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
    Known {
        kedro: &["0.19.15"],
        case: "--namespaces=",
        line: "^logs/all.log: only Kedro has: (.*'--namespace' is deprecated| *$|.*warnings.warn)",
        reason: "this version's command line warns of its own option",
    },
    Known {
        kedro: &["0.18", "0.19.0"],
        case: "",
        line: "^state.path: 0 items more, 1 fewer .*/setuptools/_vendor\"\\]$",
        reason: "this version's command line imports setuptools, which adds to the path",
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
            .filter(|known| known.kedro.iter().any(|it| version.starts_with(it)))
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
