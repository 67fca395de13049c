//! The exception in the log of a task, as Python or the engine prints it.

use std::path::Path;
use std::sync::LazyLock;

use regex::Regex;
use serde_json::{Value as Json, json};

use super::model::LogLine;
use crate::text::secrets::redact;

/// The line that a traceback begins with.
pub const HEAD: &str = "Traceback (most recent call last):";

#[expect(clippy::unwrap_used, reason = "the pattern is constant")]
static FRAME: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r#"^\s+File "([^"]+)", line (\d+)(?:, in (.+))?$"#).unwrap());

/// The exception that a task failed with, in the form of a local failure, and the place of its first line. Of several
/// tracebacks it is the last one that leads into the project, else the first one. Paths of project files are those in
/// `root`, wherever the engine has the project.
pub fn last(lines: &[LogLine], root: &Path, package: &str) -> Option<(usize, Json)> {
    let heads = lines.iter().enumerate().filter(|(_, line)| line.text.trim_end() == HEAD);
    let mut found: Option<(usize, Json)> = None;
    for (at, _) in heads {
        let (failure, in_project) = parse(&lines[at..], root, package);
        if in_project || found.is_none() {
            found = Some((at, failure));
        }
    }
    found
}

/// The exception whose traceback begins at the first line, and whether a frame of it is in the project.
fn parse(lines: &[LogLine], root: &Path, package: &str) -> (Json, bool) {
    let mut frames = Vec::new();
    let mut in_project = false;
    let mut end = 1;
    for line in &lines[1..] {
        if !line.text.starts_with(' ') {
            break;
        }
        end += 1;
        let Some(frame) = FRAME.captures(&line.text) else { continue };
        let file = &frame[1];
        let own = own_file(file, root, package);
        in_project |= own.is_some();
        frames.push(json!({
            "file": own.as_deref().unwrap_or(file),
            "line": frame[2].parse::<u32>().unwrap_or(0),
            "function": frame.get(3).map_or("", |name| name.as_str()),
            "in_project": own.is_some(),
        }));
    }
    // A message of several lines goes on as long as nothing else is logged.
    let is_of_it = |line: &&LogLine| line.at == lines[0].at && line.text.trim_end() != HEAD;
    let message: Vec<&str> =
        lines[end..].iter().take_while(is_of_it).map(|line| line.text.as_str()).collect();
    let cut = message.iter().position(|line| line.is_empty() && message.len() > 1);
    let message = message[..cut.unwrap_or(message.len())].join("\n");
    let (kind, text) = message.split_once(": ").unwrap_or((message.as_str(), ""));
    let head = lines[..end].iter().map(|line| line.text.as_str()).collect::<Vec<_>>().join("\n");
    let failure = json!({
        "kind": kind,
        "message": redact(text),
        "traceback": redact(&format!("{head}\n{message}")),
        "frames": frames,
    });
    (failure, in_project)
}

/// The file of the project in `root` that a path on another machine ends like, relative to `root`. An installed package is
/// the project's only if it is `package`.
fn own_file(file: &str, root: &Path, package: &str) -> Option<String> {
    let file = file.replace('\\', "/");
    let names: Vec<&str> =
        file.split('/').filter(|name| !matches!(*name, "" | "." | "..")).collect();
    let installed =
        names.iter().rposition(|name| matches!(*name, "site-packages" | "dist-packages"));
    let first = match installed {
        Some(at) if names.get(at + 1) != Some(&package) => return None,
        Some(at) => at + 1,
        None => 0,
    };
    // The name of a file alone could be any other one.
    let last = names.len().checked_sub(1)?;
    let is_there = |path: &String| root.join(path).is_file();
    (first..last).find_map(|at| {
        let end = names[at..].join("/");
        let below = format!("src/{end}");
        [end, below].into_iter().find(is_there)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<LogLine> {
        let line = |text: &str| match text.split_once("@ ") {
            Some((at, text)) => LogLine { at: at.parse().ok(), level: None, text: text.into() },
            None => LogLine { at: None, level: None, text: text.into() },
        };
        text.lines().map(line).collect()
    }

    #[test]
    fn an_exception_is_read_with_its_places_in_this_project() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        std::fs::create_dir_all(root.join("src/bikes/nodes")).unwrap();
        std::fs::write(root.join("src/bikes/nodes/train.py"), "").unwrap();
        // As Airflow 2 prints it: twice, the second time as the failure of its own job.
        let log = lines(
            "1@ Task failed\n\
             Traceback (most recent call last):\n\
             \x20 File \"/opt/python/site-packages/airflow/task.py\", line 7, in run\n\
             \x20   return self.func()\n\
             \x20 File \"/opt/airflow/bikes/src/bikes/nodes/train.py\", line 12, in train\n\
             \x20   raise ValueError(text)\n\
             ValueError: password=hush9Hush and\n\
             a second line\n\
             2@ Failed to execute job\n\
             Traceback (most recent call last):\n\
             \x20 File \"/opt/python/site-packages/airflow/cli.py\", line 9, in main\n\
             airflow.exceptions.TaskFailed\n\
             3@ Marked as failed",
        );
        let (at, failure) = last(&log, root, "bikes").unwrap();
        assert_eq!((at, &failure["kind"]), (1, &json!("ValueError")));
        assert_eq!(failure["message"], "password=<redacted> and\na second line");
        let frame = |file: &str, line: u32, function: &str, own: bool| json!({"file": file, "line": line, "function": function, "in_project": own});
        assert_eq!(
            failure["frames"],
            json!([
                frame("/opt/python/site-packages/airflow/task.py", 7, "run", false),
                frame("src/bikes/nodes/train.py", 12, "train", true),
            ])
        );
        let traceback = failure["traceback"].as_str().unwrap();
        assert!(traceback.starts_with(HEAD) && traceback.ends_with("a second line"));
        assert!(!traceback.contains("hush9Hush"), "{traceback}");
    }

    #[test]
    fn the_first_exception_counts_where_none_is_in_the_project() {
        let folder = tempfile::tempdir().unwrap();
        let log = lines(
            "Traceback (most recent call last):\nA: 1\nTraceback (most recent call last):\nB",
        );
        let (_, failure) = last(&log, folder.path(), "bikes").unwrap();
        assert_eq!((&failure["kind"], &failure["message"]), (&json!("A"), &json!("1")));
        assert_eq!(last(&lines("A: 1"), folder.path(), "bikes"), None);
    }

    #[test]
    fn only_the_projects_own_files_are_found() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        std::fs::create_dir_all(root.join("src/bikes")).unwrap();
        for file in ["src/bikes/a.py", "run.py", "src/bikes/run.py"] {
            std::fs::write(root.join(file), "").unwrap();
        }
        let own = root.join("src/bikes/a.py").display().to_string();
        for (file, found) in [
            (own.as_str(), Some("src/bikes/a.py")),
            ("/srv/other/src/bikes/a.py", Some("src/bikes/a.py")),
            (r"C:\work\src\bikes\a.py", Some("src/bikes/a.py")),
            ("/opt/lib/site-packages/bikes/a.py", Some("src/bikes/a.py")),
            ("/opt/lib/site-packages/kedro/bikes/a.py", None),
            ("/opt/run.py", None),
            ("run.py", None),
            ("", None),
            ("/srv/../../src/bikes/b.py", None),
        ] {
            assert_eq!(own_file(file, root, "bikes").as_deref(), found, "{file}");
        }
    }
}
