//! `mlops-tui run` against `kedro run`: the same calls of hooks with the same arguments in the same
//! order, the same files, logs, failures and exit, for several versions of Kedro.
//!
//! Every case runs once through each, in fresh copies of a small project. One Python process runs
//! the cases of a version through Kedro's own command line; it forks for each of them. What differs
//! with a reason is in `known.rs`. `PARITY_CASE=--tags cargo test --test running kedro_1_7_0` runs the cases
//! whose names have that part.

mod cases;
mod compare;
mod known;
mod sides;

use std::fmt::Write;
use std::path::Path;

use cases::{CASES, Case, FEW, SAMPLE};
use sides::{Kedro, Side};

use crate::common::python::{environment, python};

fn compare(kedro: Kedro, python: &Path, cases: &[Case]) {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().canonicalize().unwrap();
    let only = std::env::var("PARITY_CASE").ok();
    let cases: Vec<_> = (cases.iter())
        .filter(|case| kedro.reaches(case.since))
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
    let mut driver = sides::start_driver(python, kedro, &theirs);
    let observed: Vec<_> = ours.iter().map(|side| side.run(python)).collect();
    assert!(driver.wait().unwrap().success());

    let mut report = String::new();
    let names: Vec<String> = cases.iter().map(|case| case.name()).collect();
    let mut known = known::Table::new(kedro.version, &names);
    for (((case, name), theirs), ours) in cases.iter().zip(&names).zip(&theirs).zip(&observed) {
        let found = compare::differences(ours, &theirs.answer(), case);
        let found: Vec<_> = found.iter().filter(|line| !known.has(name, line)).collect();
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

/// In an environment of the version's own.
fn same_as(version: &'static str, cases: &[Case]) {
    // The packages of 0.18 do not take the newest Python.
    let python = version.starts_with("0.18.").then_some("3.11");
    let python = environment(&format!("tests/running/parity/kedro-{version}.txt"), python);
    compare(Kedro { version }, &python, cases);
}

#[test]
fn runs_are_those_of_kedro_1_7_0() {
    same_as("1.7.0", CASES);
}

#[test]
fn runs_are_those_of_kedro_1_0_0() {
    same_as("1.0.0", FEW);
}

#[test]
fn runs_are_those_of_kedro_0_19_15() {
    same_as("0.19.15", CASES);
}

#[test]
fn runs_are_those_of_kedro_0_19_0() {
    same_as("0.19.0", FEW);
}

#[test]
fn runs_are_those_of_kedro_0_18_14() {
    same_as("0.18.14", CASES);
}

#[test]
fn runs_of_the_sample_project_are_those_of_kedro() {
    compare(Kedro { version: "1.7.0" }, python(), SAMPLE);
}
