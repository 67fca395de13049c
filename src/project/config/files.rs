//! Finds configuration files: environments, glob patterns, hidden files.

use std::path::{Path, PathBuf};

use regex::Regex;

/// The environments of a configuration folder (its subfolders): `base` first, then by name.
pub(super) fn environments(conf_source: &Path, base: &str) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(conf_source)
        .into_iter()
        .flatten()
        .flatten()
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| !name.starts_with('.'))
        .collect();
    names.sort_by_key(|name| (name != base, name.clone()));
    names
}

/// The largest number of files and folders visited in an environment; a symbolic link may lead to a
/// whole disk.
pub(super) const LOOKED_AT: usize = 20_000;

/// Files in an environment's folder that a loader could read, as sorted relative paths, and whether
/// the list is complete.
pub(super) fn candidates(folder: &Path, ignore_hidden: bool) -> (Vec<PathBuf>, bool) {
    let mut visited = 0;
    let mut files: Vec<PathBuf> = ignore::WalkBuilder::new(folder)
        .standard_filters(false)
        .hidden(ignore_hidden)
        .follow_links(true)
        .max_depth(Some(20))
        .build()
        .inspect(|_| visited += 1)
        .take(LOOKED_AT)
        .flatten()
        // A pipe, device or socket under a configuration file's name is reported when it is read.
        .filter(|entry| !entry.path().is_dir() && is_configuration(entry.path()))
        .filter_map(|entry| entry.path().strip_prefix(folder).map(Path::to_owned).ok())
        .collect();
    files.sort();
    (files, visited < LOOKED_AT)
}

/// `_is_valid_config_path` in Kedro: whether the file extension is that of a configuration file.
fn is_configuration(path: &Path) -> bool {
    matches!(path.extension().and_then(|end| end.to_str()), Some("yml" | "yaml" | "json"))
}

/// Whether any of the glob patterns matches the file, as fsspec's `glob` does.
pub(super) fn matches(patterns: &[Regex], file: &Path) -> bool {
    let text = file.to_string_lossy().replace('\\', "/");
    patterns.iter().any(|pattern| pattern.is_match(&text))
}

/// A glob as a regular expression: `*` and `?` stay within a folder, `**/` matches any number of
/// folders, a final `**` matches anything below (`fsspec.utils.glob_translate`). `None` if the
/// pattern is invalid.
pub(super) fn glob(pattern: &str) -> Option<Regex> {
    let mut out = String::from("^");
    let mut rest = pattern.trim_end_matches('/');
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix("**/") {
            out += "(?:.+/)?";
            rest = after;
        } else if let Some(after) = rest.strip_prefix("**") {
            out += if after.is_empty() { ".+" } else { "[^/]*" };
            rest = after;
        } else if let Some(after) = rest.strip_prefix('[') {
            let end = after.find(']')?;
            let body = after[..end].replace('\\', "\\\\");
            let body = body.strip_prefix('!').map_or(body.clone(), |body| format!("^{body}"));
            out += &format!("[{body}]");
            rest = &after[end + 1..];
        } else {
            let c = rest.chars().next()?;
            match c {
                '*' => out += "[^/]*",
                '?' => out += "[^/]",
                c => out += &regex::escape(&c.to_string()),
            }
            rest = &rest[c.len_utf8()..];
        }
    }
    Regex::new(&(out + "$")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs_match_as_in_fsspec() {
        for (pattern, file, expected) in [
            ("catalog*", "catalog.yml", true),
            ("catalog*", "catalog_a.yml", true),
            ("catalog*", "sub/catalog.yml", false),
            ("catalog*/**", "catalog/a.yml", true),
            ("catalog*/**", "catalog_x/deep/a.yml", true),
            ("catalog*/**", "catalog.yml", false),
            ("**/catalog*", "a/b/catalog_x.yml", true),
            ("**/catalog*", "catalog.yml", true),
            ("**/catalog*", "a/mycatalog.yml", false),
            ("globals.yml", "globals.yml", true),
            ("globals.yml", "globalsXyml", false),
            ("p[ab]?.yml", "pa1.yml", true),
            ("p[!ab]?.yml", "pa1.yml", false),
        ] {
            let glob = glob(pattern).unwrap();
            assert_eq!(matches(&[glob], Path::new(file)), expected, "{pattern} {file}");
        }
    }
}
