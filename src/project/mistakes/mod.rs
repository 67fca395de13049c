//! Names that are probably misspelled: parts of a snapshot that do not fit together.
//!
//! Each is a problem of its own, with the similar name that was probably meant.

mod types;

use std::collections::HashSet;

use super::config::undefined::overlap;
use super::{Located, Problem, Severity, Snapshot, Value, is_parameter, makers, strip_transcoding};
use crate::text::did_you_mean;

/// Words with fewer letters tell names apart; in words with at least the other number, two letters may be wrong.
const SHORT_WORD: usize = 4;
const LONG_WORD: usize = 8;

/// More parameters than this are not compared with a missing one.
const MOST_KEYS: usize = 10_000;

/// All probable mistakes of a snapshot.
pub(super) fn find(snapshot: &Snapshot) -> Vec<Problem> {
    let mut problems = missing_parameters(snapshot);
    problems.extend(unmade_datasets(snapshot));
    problems.extend(types::misspelled(snapshot));
    problems.extend(snapshot.undefined_params.iter().map(|name| undefined_param(snapshot, name)));
    problems
}

/// Removes the runtime parameters that a node reads from those that nothing defines: such a parameter may be given by
/// every run.
pub(super) fn drop_read_params(snapshot: &mut Snapshot) {
    let mut undefined = std::mem::take(&mut snapshot.undefined_params);
    if !undefined.is_empty() {
        let read = snapshot.nodes().flat_map(|node| &node.inputs);
        let read: HashSet<&str> = read.filter_map(|input| input.strip_prefix("params:")).collect();
        undefined.retain(|name| !read.iter().any(|read| overlap(read, name)));
    }
    snapshot.undefined_params = undefined;
}

/// The warning about a runtime parameter that nothing defines.
pub fn undefined_param(snapshot: &Snapshot, name: &str) -> Problem {
    let defined = keys(&snapshot.parameters);
    let others = defined.iter().map(String::as_str);
    let others =
        others.filter(|key| !snapshot.undefined_params.iter().any(|name| overlap(key, name)));
    let meant = did_you_mean(name, others);
    Problem::new(
        Severity::Warning,
        None,
        format!("Runtime parameter `{name}` is in no parameters file.{meant}"),
        "Correct the name; a run takes it as it is, but nothing may read it.",
    )
}

/// Reports `params:` inputs that no parameters file defines; Kedro fails only when the node loads them. Of similar
/// parameters, one that no node reads is the likeliest.
fn missing_parameters(snapshot: &Snapshot) -> Vec<Problem> {
    let read: HashSet<&str> = snapshot
        .nodes()
        .flat_map(|node| &node.inputs)
        .filter_map(|input| input.strip_prefix("params:"))
        .collect();
    let parameters = &snapshot.parameters;
    let mut seen = HashSet::new();
    let mut problems = Vec::new();
    for node in snapshot.nodes() {
        for key in node.inputs.iter().filter_map(|input| input.strip_prefix("params:")) {
            if has_parameter(parameters, key) || !seen.insert((node.name.as_str(), key)) {
                continue;
            }
            let defined = keys(parameters);
            let (used, unused): (Vec<&str>, Vec<&str>) =
                defined.iter().map(String::as_str).partition(|key| read.contains(key));
            let mut meant = did_you_mean(key, unused);
            if meant.is_empty() {
                meant = did_you_mean(key, used);
            }
            problems.push(Problem::new(
                Severity::Error,
                node.call.clone(),
                format!(
                    "Node `{}` reads parameter `{key}`, which no parameters file defines.{meant}",
                    node.name
                ),
                format!(
                    "Add `{key}` to a parameters file, or correct the name in the node's inputs."
                ),
            ));
        }
    }
    problems
}

/// Reports inputs that no node makes and that no catalog entry matches, if a similar dataset exists. Without a similar one
/// the dataset may come from a hook. Nothing is reported while nodes are missing from the snapshot.
fn unmade_datasets(snapshot: &Snapshot) -> Vec<Problem> {
    if !snapshot.pipelines.iter().all(|pipeline| pipeline.complete) {
        return Vec::new();
    }
    let made = makers(snapshot.nodes()).map(|(dataset, _)| dataset);
    let entries = snapshot.datasets.keys().map(|name| strip_transcoding(name));
    let known: HashSet<&str> = made.chain(entries).collect();
    let mut names: Vec<&str> = known.iter().copied().collect();
    names.sort_unstable();
    let mut seen = HashSet::new();
    let mut problems = Vec::new();
    for node in snapshot.nodes() {
        for input in node.inputs.iter().filter(|input| !is_parameter(input)) {
            let dataset = strip_transcoding(input);
            if known.contains(dataset) || !seen.insert((node.name.as_str(), dataset)) {
                continue;
            }
            let similar = names.iter().copied().filter(|name| is_misspelling(dataset, name));
            let meant = did_you_mean(dataset, similar);
            if !meant.is_empty() {
                problems.push(Problem::new(
                    Severity::Warning,
                    node.call.clone(),
                    format!("Nothing makes dataset `{dataset}`, an input of node `{}`, and no catalog entry matches it.{meant}", node.name),
                    "Correct the name in the node's inputs, or add an entry to the catalog.",
                ));
            }
        }
    }
    problems
}

/// Whether one name is probably a misspelling of the other: a long word of it has a wrong letter or two. Names that differ
/// in a short word or in a number, such as `model_a` and `model_b`, are different names.
fn is_misspelling(a: &str, b: &str) -> bool {
    let words = |name: &str| -> Vec<String> {
        let words = name.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
        words.map(str::to_lowercase).collect()
    };
    let similar = |a: &str, b: &str| {
        let plain = |word: &str| word.trim_end_matches(|c: char| c.is_ascii_digit()).to_owned();
        let length = a.chars().count().min(b.chars().count());
        let most = if length < LONG_WORD { 1 } else { 2 };
        a == b || length >= SHORT_WORD && plain(a) != plain(b) && strsim::osa_distance(a, b) <= most
    };
    let (a, b) = (words(a), words(b));
    match a.len() == b.len() {
        true => a.iter().zip(&b).all(|(a, b)| similar(a, b)),
        // A separator is missing, or one too many.
        false => similar(&a.concat(), &b.concat()),
    }
}

/// Whether a parameter of this dotted name is defined, or may be: it can be inside a value that is not known.
pub(super) fn has_parameter(parameters: &Located, key: &str) -> bool {
    if parameters.value.get(key).is_some() {
        return true;
    }
    let mut at = &parameters.value;
    for part in key.split('.') {
        match at {
            Value::Unknown(_) => return true,
            _ => match at.get(part) {
                Some(located) => at = &located.value,
                None => return false,
            },
        }
    }
    true
}

/// The dotted names of all parameters, of groups too.
pub(super) fn keys(parameters: &Located) -> Vec<String> {
    let mut keys = Vec::new();
    let mut open = vec![(String::new(), parameters)];
    while let Some((prefix, located)) = open.pop() {
        for (key, value) in located.value.as_map().into_iter().flatten() {
            let key = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
            open.push((key.clone(), value));
            keys.push(key);
        }
        if keys.len() > MOST_KEYS {
            break;
        }
    }
    keys.sort_unstable();
    keys
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_are_meant_to_differ_are_no_misspellings() {
        for (a, b, expected) in [
            ("X_trian", "X_train", true),
            ("x_train", "X_train", true),
            ("comapnies", "companies", true),
            ("preprocesed_shutles", "preprocessed_shuttles", true),
            ("ns.model_input_tabel", "ns.model_input_table", true),
            ("modelinput", "model_input", true),
            ("model_a", "model_b", false),
            ("ns1.model", "ns2.model", false),
            ("level", "level_4", false),
            ("clean", "clean10", false),
            ("train_x", "train_y", false),
            ("X_test", "X_train", false),
            ("raw", "row", false),
            ("", "a", false),
        ] {
            assert_eq!(is_misspelling(a, b), expected, "{a} and {b}");
        }
    }
}
