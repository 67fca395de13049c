//! The packages installed for an interpreter, read without starting it: Python's version from `pyvenv.cfg`,
//! and distributions from their `*.dist-info` folders (the "Recording installed projects" specification).

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::system::files;

/// The Python version and the packages of an environment.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Installed {
    /// The version of Python; `None` if the interpreter is not in an environment.
    pub python: Option<String>,
    /// Versions by import name: `sklearn` has the version of `scikit-learn`.
    pub packages: BTreeMap<String, String>,
}

/// The `site-packages` folders of an environment's interpreter.
pub(super) fn folders(python: &Path) -> Vec<PathBuf> {
    let Some(prefix) = python.parent().and_then(Path::parent) else { return Vec::new() };
    let Ok(versions) = fs::read_dir(prefix.join("lib")) else { return Vec::new() };
    let mut found: Vec<PathBuf> = versions
        .flatten()
        .map(|version| version.path().join("site-packages"))
        .filter(|packages| packages.is_dir())
        .collect();
    found.sort();
    found
}

/// Whether the environment of `python` has a package of this import name. Without an environment, or with the
/// package elsewhere on Python's path, the answer is false.
pub fn has(python: &Path, package: &str) -> bool {
    folders(python).iter().any(|folder| folder.join(package).join("__init__.py").is_file())
}

/// A cache that reads the packages again only when a `site-packages` folder has changed.
#[derive(Debug, Default)]
pub struct Looker {
    seen: Option<(PathBuf, Vec<Option<SystemTime>>, Installed)>,
}

impl Looker {
    /// The packages installed for `python`.
    pub fn look(&mut self, python: &Path) -> &Installed {
        let folders = folders(python);
        let times = folders.iter().map(|folder| folder.metadata().ok()?.modified().ok()).collect();
        let same = |(path, then, _): &(PathBuf, Vec<_>, _)| path == python && *then == times;
        if !self.seen.as_ref().is_some_and(same) {
            self.seen = Some((python.to_owned(), times, installed(python, &folders)));
        }
        &self.seen.get_or_insert_default().2
    }
}

fn installed(python: &Path, folders: &[PathBuf]) -> Installed {
    let mut packages = BTreeMap::new();
    for folder in folders {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let Some(stem) = name.to_str().and_then(|name| name.strip_suffix(".dist-info")) else {
                continue;
            };
            let Some((distribution, version)) = stem.rsplit_once('-') else { continue };
            for module in modules(&entry.path(), distribution) {
                packages.insert(module, version.to_owned());
            }
        }
    }
    Installed { python: version(python), packages }
}

/// The import names of a distribution.
fn modules(info: &Path, distribution: &str) -> Vec<String> {
    if let Ok(text) = files::read_text(&info.join("top_level.txt")) {
        return text
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
            .map(str::to_owned)
            .collect();
    }
    let Ok(record) = files::read_text(&info.join("RECORD")) else {
        return vec![distribution.to_lowercase()];
    };
    let mut found: Vec<String> = record
        .lines()
        .filter_map(|line| {
            let path = line.split(',').next()?;
            let first = match path.split_once('/') {
                Some((folder, _)) => folder,
                None => path.strip_suffix(".py")?,
            };
            let name = first.chars().all(|c| c.is_alphanumeric() || c == '_');
            (name && !first.is_empty()).then(|| first.to_owned())
        })
        .collect();
    found.sort();
    found.dedup();
    found
}

/// Parses `version = 3.11.9` or `version_info = 3.11.9.final.0` in `pyvenv.cfg`.
fn version(python: &Path) -> Option<String> {
    let text = files::read_text(&python.parent()?.parent()?.join("pyvenv.cfg")).ok()?;
    let line = text.lines().find_map(|line| {
        let (key, value) = line.split_once('=')?;
        matches!(key.trim(), "version" | "version_info").then(|| value.trim().to_owned())
    })?;
    Some(line.split('.').take(3).collect::<Vec<_>>().join("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn import_names_have_the_versions_of_their_distributions() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        let site = root.join("lib/python3.11/site-packages");
        let info = |name: &str, file: &str, text: &str| {
            let folder = site.join(format!("{name}.dist-info"));
            fs::create_dir_all(&folder).unwrap();
            fs::write(folder.join(file), text).unwrap();
        };
        info("scikit_learn-1.5.0", "top_level.txt", "sklearn\n");
        info(
            "pandas-3.0.0",
            "RECORD",
            "pandas/__init__.py,,\npandas-3.0.0.dist-info/RECORD,,\n../../bin/x,,\n",
        );
        info("six-1.16.0", "RECORD", "six.py,sha256=x,1\n");
        info("PyYAML-6.0.3", "METADATA", "");
        fs::write(root.join("pyvenv.cfg"), "home = /usr\nversion_info = 3.11.9.final.0\n").unwrap();
        let mut looker = Looker::default();
        let found = looker.look(&root.join("bin/python"));
        assert_eq!(found.python.as_deref(), Some("3.11.9"));
        let packages: Vec<_> = found.packages.iter().map(|(a, b)| format!("{a} {b}")).collect();
        assert_eq!(packages, ["pandas 3.0.0", "pyyaml 6.0.3", "six 1.16.0", "sklearn 1.5.0"]);
        assert_eq!(*looker.look(Path::new("/nowhere/bin/python")), Installed::default());
    }
}
