//! Logs of Airflow as lines. Version 3 sends events; version 2 sends the text inside of Python's `repr` of a list of
//! pairs of host and text.

use serde_json::Value as Json;

use super::super::model::{LogLine, LogPage};
use super::shapes::seconds;

/// A part of a log from its answer. A part without lines is the last one: servers repeat the token of an ended log for
/// ever.
pub(super) fn page(answer: &Json) -> LogPage {
    let mut lines = Vec::new();
    match &answer["content"] {
        Json::Array(events) => events.iter().for_each(|event| of_event(event, &mut lines)),
        Json::String(text) => {
            for part in texts(text) {
                lines.extend(part.lines().map(of_line));
            }
        }
        _ => {}
    }
    let next = answer["continuation_token"].as_str().filter(|_| !lines.is_empty());
    LogPage { lines, next: next.map(str::to_owned) }
}

/// The lines of an event: its text, and the traceback of its exceptions.
fn of_event(event: &Json, lines: &mut Vec<LogLine>) {
    let Some(text) = event.as_str().or(event["event"].as_str()) else { return };
    let at = event["timestamp"].as_str().and_then(seconds);
    let level = event["level"].as_str().map(str::to_lowercase);
    let mut add = |text: &str| {
        let line = |text: &str| LogLine { at, level: level.clone(), text: text.to_owned() };
        lines.extend(text.lines().map(line));
    };
    add(text);
    for exception in event["error_detail"].as_array().into_iter().flatten() {
        add("Traceback (most recent call last):");
        for frame in exception["frames"].as_array().into_iter().flatten() {
            add(&format!(
                "  File \"{}\", line {}, in {}",
                frame["filename"].as_str().unwrap_or_default(),
                frame["lineno"],
                frame["name"].as_str().unwrap_or_default()
            ));
        }
        let kind = exception["exc_type"].as_str().unwrap_or("Exception");
        match exception["exc_value"].as_str().unwrap_or_default() {
            "" => add(kind),
            value => add(&format!("{kind}: {value}")),
        }
    }
}

/// A line such as `[2026-12-01T01:05:44.827+0000] {job.py:123} INFO - text`, taken apart.
fn of_line(line: &str) -> LogLine {
    let whole = || LogLine { at: None, level: None, text: line.to_owned() };
    let Some((time, rest)) = line.strip_prefix('[').and_then(|line| line.split_once("] {")) else {
        return whole();
    };
    let Some((_, rest)) = rest.split_once("} ") else { return whole() };
    let Some((level, text)) = rest.split_once(" - ") else { return whole() };
    // `+0000` has no colon, which the parser of times wants.
    let zoned = match time.len().checked_sub(2).filter(|at| time.is_char_boundary(*at)) {
        Some(at) if time.contains('+') && !time.ends_with(":00") => {
            format!("{}:{}", &time[..at], &time[at..])
        }
        _ => time.to_owned(),
    };
    match seconds(&zoned) {
        Some(at) => LogLine {
            at: Some(at),
            level: Some(level.trim().to_lowercase()),
            text: text.to_owned(),
        },
        None => whole(),
    }
}

/// The second texts of the pairs in Python's `repr` of a list of pairs of texts. Anything else is one text.
fn texts(repr: &str) -> Vec<String> {
    let mut strings = Vec::new();
    let mut characters = repr.trim().chars();
    if characters.next() != Some('[') {
        return vec![repr.to_owned()];
    }
    while let Some(character) = characters.next() {
        match character {
            '\'' | '"' => match string(&mut characters, character) {
                Some(text) => strings.push(text),
                None => return vec![repr.to_owned()],
            },
            '(' | ')' | ',' | ' ' | ']' => {}
            _ => return vec![repr.to_owned()],
        }
    }
    strings.into_iter().skip(1).step_by(2).collect()
}

/// The rest of a Python string that ends with `quote`; `None` if it does not end.
fn string(characters: &mut std::str::Chars<'_>, quote: char) -> Option<String> {
    let mut text = String::new();
    loop {
        match characters.next()? {
            character if character == quote => return Some(text),
            '\\' => match characters.next()? {
                'n' => text.push('\n'),
                't' => text.push('\t'),
                'r' => text.push('\r'),
                kind @ ('x' | 'u' | 'U') => {
                    let digits = match kind {
                        'x' => 2,
                        'u' => 4,
                        _ => 8,
                    };
                    let code: String = characters.by_ref().take(digits).collect();
                    text.push(
                        u32::from_str_radix(&code, 16)
                            .ok()
                            .and_then(char::from_u32)
                            .unwrap_or('\u{fffd}'),
                    );
                }
                other => text.push(other),
            },
            character => text.push(character),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recorded(version: &str, name: &str) -> Json {
        let path = format!(
            "{}/tests/remote/answers/airflow-{version}/{name}.json",
            env!("CARGO_MANIFEST_DIR")
        );
        let text = std::fs::read_to_string(path).unwrap();
        serde_json::from_str::<Json>(&text).unwrap()["answer"].take()
    }

    #[test]
    fn the_logs_of_both_versions_are_the_same_lines() {
        for version in ["3", "2"] {
            let page = page(&recorded(version, "log-failed"));
            let error = page
                .lines
                .iter()
                .position(|line| line.text.contains("RuntimeError: the chain is off"));
            let error = error.unwrap_or_else(|| panic!("{version}: {:#?}", page.lines));
            assert!(
                page.lines[..error]
                    .iter()
                    .any(|line| line.text == "Traceback (most recent call last):")
            );
            assert!(
                page.lines[..error].iter().any(|line| line.text.contains("in break_down")),
                "{version}"
            );
            assert!(
                page.lines
                    .iter()
                    .any(|line| line.level.as_deref() == Some("error") && line.at.is_some())
            );
            assert_eq!(page.next.is_some(), version == "2", "version 3 knows the end");
            assert!(page.lines.iter().all(|line| !line.text.contains('\n')));
        }
    }

    #[test]
    fn texts_come_out_of_pythons_repr() {
        assert_eq!(
            texts(r#"[('h', 'a\'b\n"c"'), ("h", "it's\t\xe9\\n")]"#),
            ["a'b\n\"c\"", "it's\té\\n"]
        );
        assert_eq!(texts("[]"), [] as [String; 0]);
        assert_eq!(texts("plain text"), ["plain text"]);
        assert_eq!(texts("[('h', 'open"), ["[('h', 'open"]);
        assert_eq!(texts("[INFO] text"), ["[INFO] text"]);
    }

    #[test]
    fn a_line_is_taken_apart() {
        let line = of_line("[2026-12-01T01:05:44.827+0000] {job.py:123} WARNING - a - b");
        assert_eq!(
            (line.at, line.level.as_deref(), line.text.as_str()),
            (Some(1_796_087_144.827), Some("warning"), "a - b")
        );
        for odd in ["*** Found local files:", "[x] {y} z", "[", "[2026] {a} INFO - b"] {
            assert_eq!(of_line(odd), LogLine { at: None, level: None, text: odd.to_owned() });
        }
    }

    #[test]
    fn an_empty_part_is_the_last_one() {
        let token = "continuation_token";
        assert_eq!(page(&serde_json::json!({"content": [], token: "t"})).next, None);
        assert_eq!(page(&serde_json::json!({"content": "[('h', '')]", token: "t"})).next, None);
        assert_eq!(page(&serde_json::json!({"content": null})), LogPage::default());
        assert_eq!(
            page(&serde_json::json!({"content": ["plain"], token: "t"})).next.as_deref(),
            Some("t")
        );
    }
}
