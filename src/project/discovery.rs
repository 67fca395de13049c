//! Finds the project and reads `pyproject.toml`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use toml_edit::{Document, Item, Table};

use super::model::{Metadata, Place, Problem, Severity};
use crate::system::files;

/// The file that marks a Kedro project.
pub const PYPROJECT: &str = "pyproject.toml";

const KEYS: [&str; 6] = [
    "package_name",
    "project_name",
    "kedro_init_version",
    "source_dir",
    "tools",
    "example_pipeline",
];

/// Why no project can be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Neither the folder nor one above it is a Kedro project.
    #[error(
        "No Kedro project in {} or above it.\nA Kedro project has a `pyproject.toml` with a `[tool.kedro]` section. \
         Go into one, or name it: mlops-tui PATH",
        .0.display()
    )]
    NotFound(PathBuf),
    /// The path does not exist or can't be read.
    #[error("{}: {source}.", path.display())]
    Unreadable {
        /// The path that the user asked for.
        path: PathBuf,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// The path is not valid UTF-8, which Kedro and YAML require.
    #[error("{} is not valid UTF-8. Rename the folder, or open the project through a link.", .0.display())]
    NotText(PathBuf),
}

/// The project folder that contains `start` (a folder or a file): the nearest folder, starting at
/// `start` itself, whose `pyproject.toml` has a `[tool.kedro]` section (`find_kedro_project` in
/// Kedro).
///
/// # Errors
/// If there is no such folder, or `start` can't be read.
pub fn find(start: &Path) -> Result<PathBuf, OpenError> {
    let absolute = start
        .canonicalize()
        .map_err(|source| OpenError::Unreadable { path: start.to_owned(), source })?;
    if absolute.to_str().is_none() {
        return Err(OpenError::NotText(absolute));
    }
    absolute
        .ancestors()
        .find(|folder| {
            files::read_text(&folder.join(PYPROJECT))
                .is_ok_and(|text| text.contains("[tool.kedro]"))
        })
        .map(Path::to_owned)
        .ok_or_else(|| OpenError::NotFound(start.to_owned()))
}

/// Reads `[tool.kedro]` of the project in `root`. Missing or wrong entries are listed as problems;
/// the metadata then contains Kedro's defaults.
pub fn metadata(root: &Path) -> (Metadata, Vec<Problem>) {
    let mut found = Metadata {
        root: root.to_owned(),
        source_dir: root.join("src"),
        conf_source: root.join("conf"),
        ..Metadata::default()
    };
    let file: Arc<Path> = Path::new(PYPROJECT).into();
    let error = |line: u32, text: String, remedy: &str| {
        Problem::new(Severity::Error, Some(Place::line(file.clone(), line)), text, remedy)
    };
    let text = match files::read_text(&root.join(PYPROJECT)) {
        Ok(text) => text,
        Err(reason) => {
            let text = format!("`pyproject.toml` can't be read: {reason}.");
            return (found, vec![error(1, text, "Make the file readable.").hiding()]);
        }
    };
    let document = match Document::parse(text.as_str()) {
        Ok(document) => document,
        Err(reason) => {
            let line = line_at(&text, reason.span().map_or(0, |span| span.start));
            let text = format!("`pyproject.toml` is not valid TOML: {}.", reason.message().trim());
            return (found, vec![error(line, text, "Mend the syntax at this line.").hiding()]);
        }
    };
    let Some(kedro) =
        document.get("tool").and_then(|tool| tool.get("kedro")).and_then(Item::as_table)
    else {
        let text = "`pyproject.toml` has no `[tool.kedro]` section.".to_owned();
        return (
            found,
            vec![
                error(
                    1,
                    text,
                    "Add the section with `package_name`, `project_name` and `kedro_init_version`.",
                )
                .hiding(),
            ],
        );
    };
    let section_line = line_at(&text, kedro.span().map_or(0, |span| span.start));
    let mut problems = Vec::new();
    let mut string = |key: &'static str, required: bool| -> Option<String> {
        match kedro.get(key) {
            Some(item) => match item.as_str() {
                Some(value) => Some(value.to_owned()),
                None => {
                    let line = line_at(&text, item.span().map_or(0, |span| span.start));
                    problems.push(error(
                        line,
                        format!("`{key}` in `[tool.kedro]` is not a string."),
                        "Put it in quotes.",
                    ));
                    None
                }
            },
            None if required => {
                problems.push(error(
                    section_line,
                    format!("`{key}` is missing in `[tool.kedro]`; Kedro refuses the project without it."),
                    "Add it under this line.",
                ));
                None
            }
            None => None,
        }
    };
    let package = string("package_name", true);
    found.project_name = string("project_name", true).unwrap_or_default();
    found.kedro_version = string("kedro_init_version", true).unwrap_or_default();
    if let Some(source_dir) = string("source_dir", false) {
        found.source_dir = root.join(source_dir);
    }
    match package {
        Some(package) => {
            found.package_name = package;
            if !found.source_dir.join(&found.package_name).is_dir() {
                let folder = found.source_dir.join(&found.package_name);
                let folder = folder.strip_prefix(root).unwrap_or(&folder).display().to_string();
                problems.push(
                    error(
                        key_line(&text, kedro, "package_name"),
                        format!("The package folder `{folder}` does not exist."),
                        "Correct `package_name` or `source_dir`.",
                    )
                    .hiding(),
                );
            }
        }
        None => problems.iter_mut().for_each(|problem| problem.hides = true),
    }
    problems.extend(kedro.iter().filter(|(key, _)| !KEYS.contains(key)).map(|(key, _)| {
        error(
            key_line(&text, kedro, key),
            format!(
                "`{key}` is not a key of `[tool.kedro]`; Kedro refuses the project because of it."
            ),
            &format!("Remove it; allowed are {}.", KEYS.join(", ")),
        )
    }));
    if found.project_name.is_empty() {
        found.project_name =
            root.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    }
    (found, problems)
}

fn key_line(text: &str, table: &Table, key: &str) -> u32 {
    let span = table.key(key).and_then(toml_edit::Key::span);
    line_at(text, span.map_or(0, |span| span.start))
}

fn line_at(text: &str, offset: usize) -> u32 {
    let before = text.as_bytes().iter().take(offset);
    1 + u32::try_from(before.filter(|byte| **byte == b'\n').count()).unwrap_or(u32::MAX - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn project(pyproject: &str) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("src/shop/pipelines")).unwrap();
        std::fs::write(folder.path().join(PYPROJECT), pyproject).unwrap();
        folder
    }

    const GOOD: &str = "[tool.kedro]\npackage_name = \"shop\"\nproject_name = \"Shop\"\nkedro_init_version = \"1.7.0\"\n";

    #[test]
    fn a_project_is_found_from_any_folder_inside_it() {
        let folder = project(GOOD);
        let root = folder.path().canonicalize().unwrap();
        assert_eq!(find(folder.path()).unwrap(), root);
        assert_eq!(find(&folder.path().join("src/shop/pipelines")).unwrap(), root);
        assert_eq!(find(&folder.path().join(PYPROJECT)).unwrap(), root);
        let elsewhere = tempfile::tempdir().unwrap();
        assert!(matches!(find(elsewhere.path()), Err(OpenError::NotFound(_))));
        assert!(matches!(find(&elsewhere.path().join("gone")), Err(OpenError::Unreadable { .. })));
    }

    #[test]
    fn good_metadata_has_no_problems() {
        let folder = project(GOOD);
        let (metadata, problems) = metadata(folder.path());
        assert_eq!(problems, []);
        assert_eq!(
            (metadata.package_name.as_str(), metadata.project_name.as_str()),
            ("shop", "Shop")
        );
        assert_eq!(metadata.kedro_major_minor(), (1, 7));
    }

    #[test]
    fn each_error_names_its_line_and_remedy() {
        for (pyproject, line, text) in [
            ("[tool.kedro\n", 1, "not valid TOML"),
            ("[tool.other]\n", 1, "no `[tool.kedro]`"),
            (
                "\n[tool.kedro]\nproject_name = \"S\"\nkedro_init_version = \"1.0\"\n",
                2,
                "`package_name` is missing",
            ),
            (
                "[tool.kedro]\npackage_name = 3\nproject_name = \"S\"\nkedro_init_version = \"1.0\"\n",
                2,
                "not a string",
            ),
            (
                "[tool.kedro]\nproject_name = \"S\"\nkedro_init_version = \"1.0\"\npackage_name = \"gone\"\n",
                4,
                "does not exist",
            ),
            (
                "[tool.kedro]\npackage_name = \"shop\"\nproject_name = \"S\"\nkedro_init_version = \"1.0\"\ncolour = 1\n",
                5,
                "`colour` is not a key",
            ),
        ] {
            let folder = project(pyproject);
            let (_, problems) = metadata(folder.path());
            assert!(
                problems.iter().any(|problem| problem.text.contains(text)
                    && problem.place.as_ref().is_some_and(|place| place.line == line)
                    && !problem.remedy.is_empty()),
                "{pyproject}: {problems:?}"
            );
        }
    }
}
