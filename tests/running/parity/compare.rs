//! Differences between the two sides of a case, one line each.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use serde_json::Value as Json;

use super::cases::Case;
use super::sides::{Failure, Observed};

/// Every difference; empty where there is none.
pub fn differences(ours: &Observed, kedros: &Observed, case: &Case) -> BTreeSet<String> {
    let concurrent = case.concurrent();
    let mut found = BTreeSet::new();
    if ours.succeeded != kedros.succeeded {
        found.insert(format!("exit: success {}, Kedro's {}", ours.succeeded, kedros.succeeded));
    }
    failures(&mut found, ours.failure.as_ref(), kedros.failure.as_ref());
    if concurrent {
        for (name, ours, kedros) in both(&by_node(&ours.calls), &by_node(&kedros.calls)) {
            calls(&mut found, &format!("calls for {name}"), ours, kedros);
        }
        order(&mut found, &ours.calls);
    } else {
        let (ours, kedros): (Vec<_>, Vec<_>) =
            (ours.calls.iter().collect(), kedros.calls.iter().collect());
        calls(&mut found, "calls", &ours, &kedros);
    }
    for (name, ours, kedros) in both(&ours.logs, &kedros.logs) {
        lines(&mut found, name, ours, kedros, concurrent);
    }
    if case.prints_plainly() {
        lines(&mut found, "printed", &ours.printed, &kedros.printed, true);
    }
    for name in ours.files.keys().chain(kedros.files.keys()) {
        match (ours.files.get(name), kedros.files.get(name)) {
            (Some(ours), Some(kedros)) if ours == kedros => {}
            (Some(ours), Some(kedros)) => {
                match [ours, kedros].map(|bytes| serde_json::from_slice(bytes)) {
                    [Ok(ours), Ok(kedros)] => values(&mut found, name, &ours, &kedros),
                    _ => drop(found.insert(format!("{name}: other bytes"))),
                }
            }
            (Some(_), None) => drop(found.insert(format!("{name}: Kedro has no such file"))),
            (None, _) => drop(found.insert(format!("{name}: only Kedro has this file"))),
        }
    }
    found
}

type Both<'a, T> = Vec<(&'a str, &'a [T], &'a [T])>;

fn both<'a, T>(
    ours: &'a BTreeMap<String, Vec<T>>,
    kedros: &'a BTreeMap<String, Vec<T>>,
) -> Both<'a, T> {
    let names: BTreeSet<&String> = ours.keys().chain(kedros.keys()).collect();
    let of = |all: &'a BTreeMap<String, Vec<T>>, name| all.get(name).map_or(&[][..], Vec::as_slice);
    names.into_iter().map(|name| (name.as_str(), of(ours, name), of(kedros, name))).collect()
}

fn failures(found: &mut BTreeSet<String>, ours: Option<&Failure>, kedros: Option<&Failure>) {
    // For these, the worker says it in words of its own.
    let words = ["builtins.SystemExit", "builtins.KeyboardInterrupt"];
    let same = match (ours, kedros) {
        (Some(ours), Some(kedros)) if words.contains(&ours.kind.as_str()) => {
            ours.kind == kedros.kind
        }
        _ => ours == kedros,
    };
    if !same {
        let text = |failure: Option<&Failure>| {
            failure
                .map_or("none".into(), |failure| format!("{}: {}", failure.kind, failure.message))
        };
        found.insert(format!("failure: {}\n    Kedro's {}", text(ours), text(kedros)));
    }
}

/// Name of the call: who is called for what, and where.
fn name(call: &Json) -> String {
    let mut name = String::new();
    for key in ["source", "hook", "node", "dataset"] {
        if let Some(text) = call[key].as_str() {
            let _ = write!(name, "{text} ");
        }
    }
    for (key, text) in [("main_process", "elsewhere"), ("main_thread", "in a thread")] {
        if call[key] == false {
            let _ = write!(name, "{text} ");
        }
    }
    name.trim_end().to_owned()
}

/// Calls in their order for each node (and dataset: these may be loaded in threads), and those for
/// the whole run.
fn by_node(calls: &[Json]) -> BTreeMap<String, Vec<&Json>> {
    let mut groups: BTreeMap<String, Vec<&Json>> = BTreeMap::new();
    for call in calls {
        let part = |key: &str| call[key].as_str().unwrap_or_default().to_owned();
        groups.entry(format!("{} {}", part("node"), part("dataset"))).or_default().push(call);
    }
    groups
}

fn calls(found: &mut BTreeSet<String>, what: &str, ours: &[&Json], kedros: &[&Json]) {
    for (at, (ours, kedros)) in ours.iter().zip(kedros).enumerate() {
        if name(ours) != name(kedros) {
            found.insert(format!("{what}: {at} is {}, Kedro's {}", name(ours), name(kedros)));
            return;
        }
        let hook = ours["hook"].as_str().unwrap();
        values(found, hook, &ours["arguments"], &kedros["arguments"]);
        values(found, "state", &ours["state"], &kedros["state"]);
    }
    if ours.len() != kedros.len() {
        let next = ours.get(kedros.len()).or(kedros.get(ours.len()));
        let next = next.map(|call| name(call)).unwrap_or_default();
        found.insert(format!(
            "{what}: {} in all, Kedro's {}; next {next}",
            ours.len(),
            kedros.len()
        ));
    }
}

/// What holds in every run, whatever the interleaving.
fn order(found: &mut BTreeSet<String>, calls: &[Json]) {
    let at = |wanted: &dyn Fn(&Json) -> bool| calls.iter().position(wanted);
    let is = |call: &Json, hooks: &[&str]| hooks.contains(&call["hook"].as_str().unwrap());
    let begin = at(&|call| is(call, &["before_pipeline_run"]));
    let end = at(&|call| is(call, &["after_pipeline_run", "on_pipeline_error"]));
    for (index, call) in calls.iter().enumerate().filter(|(_, call)| call["node"].is_string()) {
        if begin.is_none_or(|begin| index < begin) || end.is_some_and(|end| index > end) {
            found.insert(format!("order: {} out of the run", name(call)));
        }
        if is(call, &["before_dataset_loaded"]) {
            let saved = calls.iter().rposition(|other| {
                is(other, &["after_dataset_saved"]) && other["dataset"] == call["dataset"]
            });
            if saved.is_some_and(|saved| saved > index) {
                found.insert(format!("order: {} before it is saved", name(call)));
            }
        }
    }
}

fn lines(
    found: &mut BTreeSet<String>,
    file: &str,
    ours: &[String],
    kedros: &[String],
    any_order: bool,
) {
    let (mut ours, mut kedros) = (ours.to_vec(), kedros.to_vec());
    if any_order {
        ours.sort();
        kedros.sort();
    }
    if ours == kedros {
        return;
    }
    let only = |these: &[String], those: &[String]| {
        let mut rest = those.to_vec();
        let mut only = Vec::new();
        for line in these {
            match rest.iter().position(|other| other == line) {
                Some(at) => drop(rest.swap_remove(at)),
                None => only.push(line.clone()),
            }
        }
        only
    };
    let (added, left_out) = (only(&ours, &kedros), only(&kedros, &ours));
    if added.is_empty() && left_out.is_empty() {
        found.insert(format!("{file}: lines in another order"));
    }
    found.extend(added.into_iter().map(|line| format!("{file}: Kedro does not have: {line}")));
    found.extend(left_out.into_iter().map(|line| format!("{file}: only Kedro has: {line}")));
}

fn values(found: &mut BTreeSet<String>, place: &str, ours: &Json, kedros: &Json) {
    match (ours, kedros) {
        (Json::Object(these), Json::Object(those)) => {
            for key in these.keys().chain(those.keys().filter(|key| !these.contains_key(*key))) {
                values(found, &format!("{place}.{key}"), &ours[key], &kedros[key]);
            }
        }
        (Json::Array(these), Json::Array(those)) if these.len() == those.len() => {
            for (at, (ours, kedros)) in these.iter().zip(those).enumerate() {
                values(found, &format!("{place}.{at}"), ours, kedros);
            }
        }
        _ if ours == kedros => {}
        (Json::Array(these), Json::Array(those)) => {
            let only = |these: &[Json], those: &[Json]| -> Vec<Json> {
                these.iter().filter(|item| !those.contains(item)).cloned().collect()
            };
            let (added, left_out) = (only(these, those), only(those, these));
            found.insert(format!(
                "{place}: {} items more, {} fewer than Kedro's: +{} -{}",
                added.len(),
                left_out.len(),
                Json::Array(added),
                Json::Array(left_out)
            ));
        }
        _ => drop(found.insert(format!("{place}: {ours}, Kedro's {kedros}"))),
    }
}
