//! Cases in Markdown: the pages of `tests/evaluator/` as projects, with what must be read of them.
//!
//! A section with code is a case. A `py` block is the file `pipelines/a/pipeline.py`, or the one that the line before it
//! names, as in "`pipelines/a/nodes.py`:". A block `py each` holds alternatives, with an empty line between them: each
//! takes the place of the `...` in the code. The `text` block is what must be read.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The file that a block without a name is.
const PIPELINE: &str = "pipelines/a/pipeline.py";

/// What must hold of a project's two readings, beyond never being silently different.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Word {
    /// The static reading knows everything.
    Complete,
    /// A part of it can't be known without Python.
    Partial,
    /// Kedro can't read the project here, the static reading can, completely.
    Alone,
    /// Kedro raises, and the static reading says so.
    Refused,
}

/// A project and what must be read of it.
#[derive(Debug, Clone)]
pub struct Case {
    /// The page, the line of the heading, and the heading, with the alternative.
    pub title: String,
    /// Contents by path, relative to the package or, with a leading `/`, to the project.
    pub files: BTreeMap<String, String>,
    pub word: Word,
    /// What must be read, without its first line; empty where only Kedro is asked.
    pub lines: Vec<String>,
    /// The page and the numbers, from 0, of the lines of the `text` block after its first.
    pub place: (PathBuf, std::ops::Range<usize>),
}

/// A section of a page, as far as it was read.
#[derive(Default)]
struct Section {
    heading: String,
    line: usize,
    files: BTreeMap<String, String>,
    each: Vec<String>,
    expected: Option<(std::ops::Range<usize>, Vec<String>)>,
}

/// The cases of all pages of a folder.
///
/// # Panics
/// Where a page is not written as it should be; the message has the page and the line.
pub fn cases(folder: &Path) -> Vec<Case> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut pages: Vec<PathBuf> =
        entries.filter(|path| path.extension().is_some_and(|ending| ending == "md")).collect();
    pages.sort();
    pages.iter().flat_map(|page| cases_of(page, &fs::read_to_string(page).unwrap())).collect()
}

fn cases_of(page: &Path, text: &str) -> Vec<Case> {
    let name = page.file_name().unwrap().display();
    let mut sections = vec![Section::default()];
    let mut file: Option<String> = None;
    let mut lines = text.lines().enumerate();
    while let Some((at, line)) = lines.next() {
        let place = format!("{name}:{}", at + 1);
        let section = sections.last_mut().unwrap();
        if let Some(heading) = line.strip_prefix('#') {
            let heading = heading.trim_start_matches('#').trim().to_owned();
            sections.push(Section { heading, line: at + 1, ..Section::default() });
            file = None;
        } else if let Some(path) = line.strip_prefix('`').and_then(|rest| rest.strip_suffix("`:")) {
            file = Some(path.to_owned());
        } else if let Some(kind) = line.strip_prefix("```") {
            let inside: Vec<&str> =
                lines.by_ref().map(|(_, line)| line).take_while(|line| *line != "```").collect();
            let content = || inside.iter().map(|line| format!("{line}\n")).collect::<String>();
            match kind {
                "text" => {
                    let range = at + 2..at + 1 + inside.len();
                    let inside = inside.iter().map(|line| (*line).to_owned()).collect();
                    let before = section.expected.replace((range, inside));
                    assert!(before.is_none(), "{place}: a second `text` block in a section");
                }
                "py each" => {
                    let parts = content().trim_end().split("\n\n").map(str::to_owned).collect();
                    section.each = parts;
                }
                _ => {
                    let unnamed = (kind == "py").then(|| PIPELINE.to_owned());
                    let path = file.take().or(unnamed);
                    let path = path.unwrap_or_else(|| panic!("{place}: which file is this?"));
                    let before = section.files.insert(path, content());
                    assert!(before.is_none(), "{place}: the same file twice");
                }
            }
        }
    }
    let is_case = |section: &Section| !section.files.is_empty() || section.expected.is_some();
    let sections = sections.into_iter().filter(is_case);
    sections.flat_map(|section| section.cases(page)).collect()
}

impl Section {
    fn cases(self, page: &Path) -> Vec<Case> {
        let name = page.file_name().unwrap().display();
        let title = format!("tests/evaluator/{name}:{}: {}", self.line, self.heading);
        assert!(!self.files.is_empty(), "{title}: no code");
        let Some((range, expected)) = self.expected else {
            panic!("{title}: no `text` block says what must be read");
        };
        let word = match expected.first().map(String::as_str) {
            Some("complete") => Word::Complete,
            Some("partial") => Word::Partial,
            Some("alone") => Word::Alone,
            Some("refused") => Word::Refused,
            _ => {
                panic!("{title}: the `text` block begins with complete, partial, alone or refused")
            }
        };
        let case = Case {
            title,
            files: self.files,
            word,
            lines: expected[1..].to_vec(),
            place: (page.to_owned(), range),
        };
        if self.each.is_empty() {
            return vec![case];
        }
        let before = case.files.clone();
        let put = |part: &String| {
            let mut case = case.clone();
            case.title = format!("{} ({part})", case.title);
            case.files.values_mut().for_each(|text| *text = filled(text, part));
            assert_ne!(case.files, before, "{}: no code has a `...`", case.title);
            case
        };
        self.each.iter().map(put).collect()
    }
}

/// Code with a part in the place of its `...`, indented as that is.
fn filled(text: &str, part: &str) -> String {
    let Some((before, after)) = text.split_once("...") else { return text.to_owned() };
    let line = before.rsplit('\n').next().unwrap();
    let indent = &line[..line.len() - line.trim_start().len()];
    format!("{before}{}{after}", part.replace('\n', &format!("\n{indent}")))
}
