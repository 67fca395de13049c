//! `mlops-tui run` against `kedro run`: the same calls of hooks with the same arguments in the same
//! order, the same files, logs, failures and exit, for several versions of Kedro.
//!
//! Every case runs once through each, in fresh copies of a small project. One Python process runs
//! the cases of a version through Kedro's own command line; it forks for each of them.

#[path = "parity/cases.rs"]
mod cases;
mod common;
#[path = "parity/compare.rs"]
mod compare;
#[path = "parity/known.rs"]
mod known;
#[path = "parity/sides.rs"]
mod sides;

use std::fmt::Write;

use cases::CASES;
use common::python::environment;
use sides::{Kedro, Side};

fn same_as(kedro: Kedro) {
    let python = environment(kedro.requirements, kedro.python);
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().canonicalize().unwrap();
    let only = std::env::var("PARITY_CASE").ok();
    let cases: Vec<_> = (CASES.iter())
        .filter(|case| case.is_for(kedro.version))
        .filter(|case| only.as_ref().is_none_or(|only| case.name().contains(only.as_str())))
        .collect();
    let sides = |name: &str| -> Vec<Side> {
        let folder = |index: usize| folder.join(format!("{name}{index}"));
        cases
            .iter()
            .enumerate()
            .map(|(index, &&case)| Side::new(folder(index), kedro, case))
            .collect()
    };
    let (theirs, ours) = (sides("kedro"), sides("mlops"));
    let mut driver = sides::start_driver(&python, kedro, &theirs);
    let observed: Vec<_> = ours.iter().map(|side| side.run(&python)).collect();
    assert!(driver.wait().unwrap().success());

    let mut report = String::new();
    let mut known = known::Table::new(kedro.version);
    for ((case, theirs), ours) in cases.iter().zip(&theirs).zip(&observed) {
        let theirs = theirs.answer();
        let name = case.name();
        let found = compare::differences(ours, &theirs, case.concurrent());
        let found: Vec<_> = found.iter().filter(|line| !known.has(&name, line)).collect();
        if !found.is_empty() {
            let _ = writeln!(report, "=== {name}");
            found.iter().for_each(|line| {
                let _ = writeln!(report, "  {line}");
            });
        }
    }
    if only.is_none() {
        for reason in known.unseen() {
            let _ =
                writeln!(report, "=== no longer a difference; take it out of KNOWN\n  {reason}");
        }
    }
    assert!(report.is_empty(), "Kedro {}\n{report}", kedro.version);
}

#[test]
fn runs_are_those_of_kedro_1() {
    same_as(Kedro { version: "1.7.0", requirements: "tests/parity/kedro-1.txt", python: None });
}

#[test]
fn runs_are_those_of_kedro_0_19() {
    same_as(Kedro {
        version: "0.19.15",
        requirements: "tests/parity/kedro-0.19.txt",
        python: None,
    });
}

#[test]
fn runs_are_those_of_kedro_0_18() {
    same_as(Kedro {
        version: "0.18.14",
        requirements: "tests/parity/kedro-0.18.txt",
        python: Some("3.11"),
    });
}
