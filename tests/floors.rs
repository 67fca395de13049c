//! The floors of the house: a module uses only modules of the floors below it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Modules by floor, from the ground up. Modules of one floor do not use each other.
const FLOORS: [&[&str]; 8] = [
    &["text", "system"],
    &["store", "project"],
    &["dag", "datasets"],
    &["tracking"],
    &["runs", "remote"],
    &["app"],
    &["ui"],
    &["tui", "cli"],
];

/// The command line hands over to the interactive program.
const EXCEPTIONS: [(&str, &str); 1] = [("cli", "tui")];

fn floor(module: &str) -> Option<usize> {
    FLOORS.iter().position(|floor| floor.contains(&module))
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|end| end == "rs") {
            found.push(path);
        }
    }
}

/// Modules named after `crate::` anywhere in a source, `use crate::{a, b}` included.
fn used(text: &str) -> BTreeSet<String> {
    let mut modules = BTreeSet::new();
    for (at, _) in text.match_indices("crate::") {
        let rest = &text[at + "crate::".len()..];
        let name = |text: &str| -> String {
            text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
        };
        match rest.strip_prefix('{') {
            None => drop(modules.insert(name(rest))),
            Some(list) => {
                let mut depth = 0;
                let mut start = true;
                for (index, c) in list.char_indices() {
                    match c {
                        '{' => depth += 1,
                        '}' if depth == 0 => break,
                        '}' => depth -= 1,
                        ',' if depth == 0 => start = true,
                        c if start && c.is_alphanumeric() => {
                            modules.insert(name(&list[index..]));
                            start = false;
                        }
                        _ => {}
                    }
                }
            }
        }
    }
    modules
}

#[test]
fn a_floor_uses_only_the_floors_below_it() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    assert!(files.len() > 10, "the sources are found");
    let mut faults = Vec::new();
    let mut checked = 0;
    for file in files {
        let relative = file.strip_prefix(&root).unwrap();
        let first = relative.components().next().unwrap().as_os_str().to_string_lossy();
        let module = first.trim_end_matches(".rs").to_owned();
        if matches!(module.as_str(), "lib" | "main") {
            continue;
        }
        let own = floor(&module).unwrap_or_else(|| panic!("`{module}` has no floor: add it"));
        for used in used(&fs::read_to_string(&file).unwrap()) {
            let Some(other) = floor(&used) else { continue };
            checked += 1;
            let allowed = used == module
                || other < own
                || EXCEPTIONS.contains(&(module.as_str(), used.as_str()));
            if !allowed {
                faults.push(format!("{} uses crate::{used}", relative.display()));
            }
        }
    }
    assert!(checked > 5, "uses are found");
    assert_eq!(faults, Vec::<String>::new());
}

/// Git runs programs that a repository names, unless it is called as `runs/git.rs` does.
#[test]
fn git_is_called_in_one_place() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    let calls = |file: &&PathBuf| {
        let text = fs::read_to_string(file).unwrap();
        let own = text.split("#[cfg(test)]").next().unwrap();
        ["find(\"git\")", "new(\"git\")"].iter().any(|call| own.contains(call))
    };
    let callers: Vec<_> = files.iter().filter(calls).collect();
    assert_eq!(callers, [&root.join("runs/git.rs")]);
}

#[test]
fn grouped_uses_are_seen() {
    let text = "use crate::{app::{State, event}, ui};\nfn f() { crate::dag::layout() }";
    assert_eq!(used(text).into_iter().collect::<Vec<_>>(), ["app", "dag", "ui"]);
}
