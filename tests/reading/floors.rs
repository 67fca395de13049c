//! The floors of the house: a module uses only modules of the floors below it.

use std::collections::{BTreeMap, BTreeSet};
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

/// A module by its path below the crate, such as `["app", "screens", "runs"]`.
type Module = Vec<String>;

/// Source text without comments and unit tests.
fn code(text: &str) -> String {
    let own = text.split("#[cfg(test)]").next().unwrap_or_default();
    let code = own.lines().map(|line| line.split("//").next().unwrap_or_default());
    code.collect::<Vec<_>>().join("\n")
}

/// The paths that a source of `module` names from the crate or from a module around it, groups of a `use`
/// taken apart.
fn paths(module: &[String], text: &str) -> Vec<Module> {
    let mut found = Vec::new();
    let starts = ["crate::", "super::"].iter().flat_map(|start| text.match_indices(start));
    for (at, start) in starts {
        let before = text[..at].chars().next_back();
        if before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':') {
            continue;
        }
        let mut base = match start {
            "crate::" => Vec::new(),
            _ => module[..module.len() - 1].to_vec(),
        };
        let mut rest = &text[at + start.len()..];
        while let Some(outer) = rest.strip_prefix("super::") {
            base.pop();
            rest = outer;
        }
        tree(&base, &mut rest.trim_start(), &mut found);
    }
    found
}

/// Reads what follows `base::`: a name, a path, or a group of them in braces.
fn tree(base: &[String], rest: &mut &str, found: &mut Vec<Module>) {
    if let Some(inner) = rest.strip_prefix('{') {
        *rest = inner.trim_start();
        while !rest.is_empty() && !rest.starts_with('}') {
            let before = rest.len();
            tree(base, rest, found);
            *rest = rest.trim_start().trim_start_matches(',').trim_start();
            if rest.len() == before {
                return;
            }
        }
        *rest = rest.strip_prefix('}').unwrap_or(rest);
        return;
    }
    let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
    let (name, after) = rest.split_at(end);
    let path = [base, &[name.to_owned()]].concat();
    match after.strip_prefix("::") {
        Some(inner) => {
            *rest = inner.trim_start();
            tree(&path, rest, found);
        }
        None => {
            // What follows, such as `as other`, ends at the next comma or brace.
            let end = after.find([',', '}', ';', '{', '(', '\n']).unwrap_or(after.len());
            *rest = &after[end..];
            found.push(path);
        }
    }
}

/// All modules with the text of their sources.
fn modules() -> BTreeMap<Module, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    assert!(files.len() > 10, "the sources are found");
    let module = |file: PathBuf| {
        let relative = file.strip_prefix(&root).unwrap().with_extension("");
        let parts = relative.components().map(|part| part.as_os_str().to_string_lossy().into());
        let mut module: Module = parts.collect();
        module.pop_if(|last| last == "mod");
        (module, code(&fs::read_to_string(&file).unwrap()))
    };
    files.into_iter().map(module).collect()
}

#[test]
fn a_floor_uses_only_the_floors_below_it() {
    let mut faults = Vec::new();
    let mut checked = 0;
    for (module, text) in modules() {
        let first = module[0].as_str();
        if matches!(first, "lib" | "main") {
            continue;
        }
        let own = floor(first).unwrap_or_else(|| panic!("`{first}` has no floor: add it"));
        for path in paths(&module, &text) {
            let Some(other) = floor(&path[0]) else { continue };
            checked += 1;
            let used = path[0].as_str();
            let allowed = used == first || other < own || EXCEPTIONS.contains(&(first, used));
            if !allowed {
                faults.push(format!("{} uses {}", module.join("::"), path.join("::")));
            }
        }
    }
    assert!(checked > 1_000, "uses are found");
    assert_eq!(faults, Vec::<String>::new());
}

/// Modules that use each other in a circle can be understood only together. A module and the modules inside
/// it may use each other.
#[test]
fn no_modules_of_the_app_use_each_other_in_a_circle() {
    let modules = modules();
    let in_app: Vec<&Module> =
        modules.keys().filter(|module| module[0] == "app" && module.len() > 1).collect();
    let uses = |module: &Module| -> BTreeSet<usize> {
        let paths = paths(module, &modules[module]).into_iter();
        let used = paths.filter_map(|path| {
            let ends = (1..=path.len()).rev();
            ends.filter_map(|end| in_app.iter().position(|other| other[..] == path[..end])).next()
        });
        let aside = |other: &[String]| other.starts_with(module) || module.starts_with(other);
        used.filter(|other| !aside(in_app[*other])).collect()
    };
    let graph: Vec<BTreeSet<usize>> = in_app.iter().map(|module| uses(module)).collect();
    assert!(graph.iter().map(BTreeSet::len).sum::<usize>() > 100, "uses are found");
    let reached = |from: usize| {
        let (mut seen, mut next) = (BTreeSet::new(), vec![from]);
        while let Some(at) = next.pop() {
            next.extend(graph[at].iter().copied().filter(|other| seen.insert(*other)));
        }
        seen
    };
    let all: Vec<BTreeSet<usize>> = (0..graph.len()).map(reached).collect();
    let name = |at: usize| in_app[at].join("::");
    let faults: Vec<String> = (0..graph.len())
        .flat_map(|from| graph[from].iter().map(move |to| (from, *to)))
        .filter(|(from, to)| all[*to].contains(from))
        .map(|(from, to)| format!("{} uses {}", name(from), name(to)))
        .collect();
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
fn uses_are_seen_in_groups_and_relative_to_a_module() {
    let text = "use crate::{app::{State, event}, ui};\nfn f() { crate::dag::layout() }\n\
                use super::super::text::{self, width as cells};\nfn g() { super::draw(Area { x: 1 }) }";
    let module = ["ui", "screens", "runs"].map(str::to_owned);
    let found = paths(&module, &code(text)).into_iter().map(|path| path.join("::"));
    let expected = [
        "app::State",
        "app::event",
        "dag::layout",
        "ui",
        "ui::screens::draw",
        "ui::text::self",
        "ui::text::width",
    ];
    assert_eq!(found.collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>(), expected);
}
