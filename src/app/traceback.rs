//! Tracebacks for reading: short paths, and the frames of libraries folded.

use std::path::Path;

use crate::text::{sanitize, width};

/// The fewest frames of libraries in a row that are folded.
const FEW: usize = 2;

/// The lines of a traceback, with paths relative to the project or to the installed packages, shortened in their middle so
/// that a line has at most `room` cells: the line number is never cut off.
pub fn lines(text: &str, root: &Path, room: usize) -> Vec<String> {
    let line = |line: &str| {
        let line = sanitize(&line.replace('\t', "    "));
        match Frame::parse(&line) {
            Some(frame) => frame.shown(root, room),
            None => line,
        }
    };
    text.trim_end().lines().map(line).collect()
}

/// The same lines without the frames of libraries, but for the one that raised. Each row of frames that is left out is
/// counted in its place. `None` if there is nothing to fold.
pub fn folded(lines: &[String]) -> Option<Vec<String>> {
    let mut shown = Vec::new();
    let mut row: Vec<&[String]> = Vec::new();
    let mut any = false;
    let mut at = 0;
    while at < lines.len() {
        let end = frame_end(lines, at);
        match library(&lines[at]) {
            Some(_) => row.push(&lines[at..end]),
            None => {
                let is_last = Frame::parse(&lines[at]).is_none();
                any |= fold(&mut shown, &row, is_last);
                row.clear();
                shown.extend_from_slice(&lines[at..end]);
            }
        }
        at = end;
    }
    any |= fold(&mut shown, &row, true);
    any.then_some(shown)
}

/// Adds a row of frames of libraries, or how many they are. The last one raised the exception if nothing follows.
fn fold(shown: &mut Vec<String>, row: &[&[String]], is_last: bool) -> bool {
    let (hidden, kept) = row.split_at(row.len() - usize::from(is_last && !row.is_empty()));
    let folds = hidden.len() >= FEW;
    if folds {
        let mut names: Vec<&str> = Vec::new();
        for name in hidden.iter().filter_map(|frame| library(&frame[0])) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        shown.push(format!("  … {} frames of {}", hidden.len(), names.join(", ")));
    } else {
        hidden.iter().for_each(|frame| shown.extend_from_slice(frame));
    }
    kept.iter().for_each(|frame| shown.extend_from_slice(frame));
    folds
}

/// The path of a frame of the project's own code, as [`lines`] shows it. A path with its middle left out is none, and that
/// of a library neither: it is not complete.
pub fn own_path(line: &str) -> Option<&str> {
    let path = Frame::parse(line)?.path;
    let complete = library(line).is_none() && !path.split('/').any(|part| part == "…");
    complete.then_some(path)
}

/// The line after a frame: its code, and the marks below, are indented further.
fn frame_end(lines: &[String], at: usize) -> usize {
    if Frame::parse(&lines[at]).is_none() {
        return at + 1;
    }
    let code = lines[at + 1..].iter().take_while(|line| line.starts_with("    "));
    at + 1 + code.count()
}

/// The library that a frame belongs to; `None` for a frame of the project and for other lines.
fn library(line: &str) -> Option<&str> {
    let path = Frame::parse(line)?.path;
    if let Some(rest) = path.strip_prefix("site-packages/") {
        let name = rest.split('/').next()?;
        return Some(name.strip_suffix(".py").unwrap_or(name));
    }
    (path.starts_with("python3") || path.starts_with('<')).then_some("Python")
}

/// `  File "PATH", line NUMBER, in FUNCTION`
struct Frame<'a> {
    path: &'a str,
    rest: &'a str,
}

impl Frame<'_> {
    fn parse(line: &str) -> Option<Frame<'_>> {
        let (path, rest) = line.strip_prefix("  File \"")?.split_once("\", line ")?;
        Some(Frame { path, rest })
    }

    fn shown(&self, root: &Path, room: usize) -> String {
        let path = short(self.path, root);
        let around = "  File \"\", line ".len() + width(self.rest);
        let path = within(&path, room.saturating_sub(around));
        format!("  File \"{path}\", line {}", self.rest)
    }
}

/// A path relative to the project, to the installed packages, or to Python's library.
fn short(path: &str, root: &Path) -> String {
    for folder in ["/site-packages/", "/dist-packages/"] {
        if let Some((_, inner)) = path.rsplit_once(folder) {
            return format!("site-packages/{inner}");
        }
    }
    if let Some(inner) = Path::new(path).strip_prefix(root).ok().and_then(Path::to_str) {
        return inner.to_owned();
    }
    match path.rsplit_once("/lib/python3") {
        Some((_, inner)) => format!("python3{inner}"),
        None => path.to_owned(),
    }
}

/// A path with its middle left out, so that it has at most `room` cells, if possible. The name of the file stays, and the
/// package of a library.
fn within(path: &str, room: usize) -> String {
    let parts: Vec<&str> = path.split('/').collect();
    let head = if parts[0] == "site-packages" { 2 } else { 1 }.min(parts.len());
    let mut kept = parts.len() - head;
    let mut shown = path.to_owned();
    while width(&shown) > room && kept > 1 {
        kept -= 1;
        let (first, last) = (&parts[..head], &parts[parts.len() - kept..]);
        shown = format!("{}/…/{}", first.join("/"), last.join("/"));
    }
    match parts[..] {
        [_, .., file] if width(&shown) > room && head == 1 => format!("…/{file}"),
        _ => shown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"Traceback (most recent call last):
  File "/env/lib/python3.11/site-packages/kedro/runner/task.py", line 88, in execute
    node = self._run_node()
           ^^^^^^^^^^^^^^^^
  File "/env/lib/python3.11/site-packages/pluggy/_hooks.py", line 513, in __call__
    return self._hookexec()
  File "<frozen importlib._bootstrap>", line 12, in load
  File "/project/src/shop/nodes.py", line 26, in clean
    return table["duration"]
  File "/env/lib/python3.11/site-packages/pandas/core/frame.py", line 4102, in __getitem__
    indexer = self.columns.get_loc(key)
  File "/env/lib/python3.11/site-packages/pandas/core/indexes/base.py", line 3812, in get_loc
    raise KeyError(key) from err
KeyError: 'duration'
"#;

    #[test]
    fn paths_are_short_and_libraries_fold_but_for_the_frame_that_raised() {
        let lines = lines(TEXT, Path::new("/project"), 120);
        assert_eq!(lines[1], r#"  File "site-packages/kedro/runner/task.py", line 88, in execute"#);
        assert_eq!(lines[7], r#"  File "src/shop/nodes.py", line 26, in clean"#);
        let folded = folded(&lines).unwrap();
        assert_eq!(
            folded,
            [
                "Traceback (most recent call last):",
                "  … 3 frames of kedro, pluggy, Python",
                r#"  File "src/shop/nodes.py", line 26, in clean"#,
                r#"    return table["duration"]"#,
                r#"  File "site-packages/pandas/core/frame.py", line 4102, in __getitem__"#,
                "    indexer = self.columns.get_loc(key)",
                r#"  File "site-packages/pandas/core/indexes/base.py", line 3812, in get_loc"#,
                "    raise KeyError(key) from err",
                "KeyError: 'duration'",
            ]
        );
        assert_eq!(super::folded(&folded), None, "one frame of a library is not folded");
        let narrow = super::lines(TEXT, Path::new("/project"), 50);
        let folded = super::folded(&narrow).unwrap();
        assert_eq!(
            folded[1], "  … 3 frames of kedro, pluggy, Python",
            "narrow lines name them, too"
        );
    }

    #[test]
    fn only_frames_of_the_project_have_a_complete_path() {
        let found = |room: usize| -> Vec<String> {
            let lines = lines(TEXT, Path::new("/project"), room);
            lines.iter().filter_map(|line| own_path(line)).map(str::to_owned).collect()
        };
        assert_eq!(found(120), ["src/shop/nodes.py"]);
        assert_eq!(found(42), [""; 0], "the middle is left out");
    }

    #[test]
    fn the_line_number_is_never_cut_off() {
        for room in 0..100 {
            for line in lines(TEXT, Path::new("/project"), room) {
                let Some(frame) = Frame::parse(&line) else { continue };
                assert!(frame.rest.starts_with(|c: char| c.is_ascii_digit()), "{line}");
                let least = width("  File \"site-packages/pandas/…/frame.py\", line ");
                assert!(width(&line) <= room.max(least + width(frame.rest)), "{room}: {line}");
            }
        }
        let lines = lines(TEXT, Path::new("/project"), 70);
        assert_eq!(
            lines[11],
            r#"  File "site-packages/pandas/…/indexes/base.py", line 3812, in get_loc"#
        );
    }
}
