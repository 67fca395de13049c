//! Parses YAML text into values that know their place.
//!
//! Built on the parser's events, with PyYAML's rules where they differ from YAML 1.2: merge keys,
//! duplicate keys, types of scalars. A syntax error hides only the top-level entry that contains
//! it; the other entries stay readable.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use indexmap::IndexMap;
use saphyr_parser::{Event, Parser, ScalarStyle, Span, Tag};

use super::layout::{self, Layout};
use super::scalar::{python_text, type_plain, type_tagged};
use super::size::{self, DEEPEST};
use crate::project::budget::STEP;
use crate::project::{ASK_KEDRO, Budget, Located, Origin, Place, Problem, Severity, Value};

/// The largest number of problems kept per file; nobody would read more.
const MOST_PROBLEMS: usize = 1_000;

/// A parsed configuration file.
#[derive(Debug, Default)]
pub(super) struct Document {
    /// The top-level mapping; empty if there is none.
    pub entries: IndexMap<String, Located>,
    /// Top-level keys that are not strings; Kedro accepts them only in parameters.
    pub odd_keys: Vec<(String, Place)>,
    /// Errors and warnings for this file.
    pub problems: Vec<Problem>,
}

/// Parses a whole file within `budget`. Interpolations are left unresolved.
pub(super) fn read(text: &str, file: &Arc<Path>, env: &Arc<str>, budget: &Budget) -> Document {
    let mut document = Document::default();
    let walked = layout::examine(text);
    let place = |line: usize, column: usize| Place {
        file: Arc::clone(file),
        line: u32::try_from(line).unwrap_or(u32::MAX),
        column: u32::try_from(column + 1).unwrap_or(u32::MAX),
    };
    let refuse = |place: Place, text: String, remedy: &str| {
        Problem::new(Severity::Error, Some(place), text, remedy).hiding()
    };
    if let Some((line, column, c)) = layout::unprintable(text) {
        document.problems.push(refuse(
            place(line, column),
            format!("The character U+{:04X} can't stand in YAML.", u32::from(c)),
            "Remove it, or write it as an escape in double quotes.",
        ));
    }
    let reported = document.problems.len();
    let mut found = parse(text, 0, &HashMap::new(), file, env, budget, &mut document);
    if found.is_err() && !budget.is_spent() {
        // Second attempt: libyaml allows any indentation within brackets and quotes.
        let Layout { text, shifts, .. } = &walked;
        let mut again = Document::default();
        if let Ok(root) = parse(text, 0, shifts, file, env, budget, &mut again) {
            document.problems.truncate(reported);
            document.problems.append(&mut again.problems);
            document.odd_keys = again.odd_keys;
            found = Ok(root);
        }
    }
    match found {
        Ok(root) => {
            for (line, column, text) in walked.faults {
                let remedy = "Indent with spaces, and give each anchor a name of its own.";
                document.problems.push(refuse(
                    place(line, column),
                    format!("This is not valid YAML: {text}."),
                    remedy,
                ));
            }
            if let Some(root) = root {
                document.take(root);
            }
        }
        Err(problem) => {
            document.problems.push(problem);
            let none = HashMap::new();
            for (line, chunk) in top_level_chunks(text) {
                // The errors are already listed; a chunk yields its entry or nothing.
                if budget.is_spent() {
                    break;
                }
                let mut part = Document::default();
                if let Ok(Some(root)) = parse(chunk, line, &none, file, env, budget, &mut part) {
                    if let Value::Map(map) = root.value {
                        document.entries.extend(map);
                    }
                }
            }
        }
    }
    document
}

/// The value of a whole text.
///
/// # Errors
/// The first problem, with its line and column, if the text is not valid YAML.
pub(super) fn value(text: &str) -> Result<Value, Problem> {
    let (file, env) = (Arc::from(Path::new("")), Arc::from(""));
    let mut document = Document::default();
    let budget = Budget::default();
    let root = parse(text, 0, &HashMap::new(), &file, &env, &budget, &mut document)?;
    match document.problems.into_iter().next() {
        Some(problem) => Err(problem),
        None => Ok(root.map_or(Value::Null, |root| root.value)),
    }
}

impl Document {
    fn take(&mut self, root: Located) {
        match root.value {
            Value::Map(map) => self.entries = map,
            Value::Null => {}
            // `OmegaConf.load` treats a bare string as a name without a value.
            Value::Str(name) => {
                self.problems.push(Problem::new(
                    Severity::Warning,
                    root.origin.as_ref().map(|origin| origin.place.clone()),
                    format!("Kedro reads this file as one entry `{name}` that holds nothing."),
                    "Write `name: value` entries, with a space after the `:`.",
                ));
                let nothing = Located { value: Value::Null, origin: root.origin };
                self.entries.insert(name, nothing);
            }
            _ => self.problems.push(
                Problem::new(
                    Severity::Error,
                    root.origin.map(|origin| origin.place),
                    "The file does not hold a mapping at its top.",
                    "Write `name: value` entries, starting in the first column.",
                )
                .hiding(),
            ),
        }
    }
}

/// Splits the text before each line that starts with a key in the first column. Each chunk comes
/// with the number of lines above it.
fn top_level_chunks(text: &str) -> Vec<(usize, &str)> {
    let mut starts = Vec::new();
    let mut offset = 0;
    for (number, line) in layout::lines(text).enumerate() {
        let begins = line.starts_with(|c: char| !c.is_whitespace() && !"#-]})".contains(c));
        if begins {
            starts.push((number, offset));
        }
        offset += line.len();
    }
    let ends = starts.iter().skip(1).map(|(_, at)| *at).chain([text.len()]);
    starts.iter().zip(ends).map(|((number, at), end)| (*number, &text[*at..end])).collect()
}

fn parse(
    text: &str,
    lines_above: usize,
    shifts: &HashMap<usize, usize>,
    file: &Arc<Path>,
    env: &Arc<str>,
    budget: &Budget,
    document: &mut Document,
) -> Result<Option<Located>, Problem> {
    let mut builder = Builder {
        file,
        env,
        lines_above,
        end: layout::end(text),
        shifts,
        anchors: HashMap::new(),
        open: Vec::new(),
        root: None,
        budget,
        problems: &mut document.problems,
        odd_keys: &mut document.odd_keys,
    };
    let mut documents = 0;
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| {
            let marker = error.marker();
            let place = builder.place(marker.line(), marker.col());
            Problem::new(
                Severity::Error,
                Some(place),
                format!("This is not valid YAML: {}.", error.info()),
                "Mend the syntax here or in the lines above.",
            )
            .hiding()
        })?;
        if matches!(event, Event::DocumentStart(_)) {
            documents += 1;
            if documents > 1 {
                return Err(Problem::new(
                    Severity::Error,
                    Some(builder.at(&span)),
                    "A second YAML document begins here; Kedro reads files of one document.",
                    "Remove the `---` line, or move what follows to a file of its own.",
                )
                .hiding());
            }
        }
        builder.take(event, &span)?;
    }
    Ok(builder.root)
}

/// A list or mapping whose end event has not arrived yet.
enum Open {
    List { items: Vec<Located>, origin: Origin, anchor: usize },
    Map { map: Mapping, key: Option<(Key, Place)>, origin: Origin, anchor: usize },
}

#[derive(Default)]
struct Mapping {
    merged: Vec<IndexMap<String, Located>>,
    own: IndexMap<String, Located>,
    /// Keys of this mapping that are not strings.
    odd: HashSet<String>,
}

enum Key {
    Merge,
    Named(String),
}

struct Builder<'a> {
    file: &'a Arc<Path>,
    env: &'a Arc<str>,
    lines_above: usize,
    /// The position of the text's end: line from 1, column from 0.
    end: (usize, usize),
    shifts: &'a HashMap<usize, usize>,
    anchors: HashMap<usize, Located>,
    open: Vec<Open>,
    root: Option<Located>,
    budget: &'a Budget,
    problems: &'a mut Vec<Problem>,
    odd_keys: &'a mut Vec<(String, Place)>,
}

impl Builder<'_> {
    fn place(&self, line: usize, column: usize) -> Place {
        let number = |value: usize| u32::try_from(value).unwrap_or(u32::MAX);
        // The parser adds a final line of its own.
        let (line, column) = (line, column).min(self.end);
        let shift = self.shifts.get(&line).copied().unwrap_or(0);
        Place {
            file: Arc::clone(self.file),
            line: number(line.max(1) + self.lines_above),
            column: number(column.saturating_sub(shift) + 1),
        }
    }

    fn at(&self, span: &Span) -> Place {
        self.place(span.start.line(), span.start.col())
    }

    fn origin(&self, span: &Span) -> Origin {
        Origin { place: self.at(span), env: Arc::clone(self.env) }
    }

    fn error(&self, place: Place, text: impl Into<String>, remedy: &str) -> Problem {
        Problem::new(Severity::Error, Some(place), text, remedy).hiding()
    }

    fn take(&mut self, event: Event<'_>, span: &Span) -> Result<(), Problem> {
        // The bytes of a key or value and its entry, and the work of parsing it.
        let bytes = match &event {
            Event::Scalar(text, ..) => size_of::<Located>() + text.len(),
            Event::MappingStart(..) => 2 * size_of::<Located>(),
            _ => size_of::<Located>(),
        };
        let paid = self.budget.bytes(bytes).and_then(|()| self.budget.elements(STEP));
        paid.map_err(|_| self.too_large(span))?;
        self.problems.truncate(MOST_PROBLEMS);
        let origin = self.origin(span);
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                if self.waits_for_key() {
                    return self.key(&text, style, tag.as_deref(), anchor, span);
                }
                let value = self.scalar(&text, style, tag.as_deref(), span);
                self.value(Located { value, origin: Some(origin) }, anchor)
            }
            Event::SequenceStart(anchor, tag) => {
                self.check_collection_tag(tag.as_deref(), "seq", span);
                self.open_collection(Open::List { items: Vec::new(), origin, anchor }, span)
            }
            Event::MappingStart(anchor, tag) => {
                self.check_collection_tag(tag.as_deref(), "map", span);
                let map = Mapping::default();
                self.open_collection(Open::Map { map, key: None, origin, anchor }, span)
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(),
            Event::Alias(anchor) => {
                let Some(value) = self.anchors.get(&anchor) else {
                    return Err(self.error(
                        self.at(span),
                        "This alias names an anchor that is not complete here.",
                        "Define the anchor (`&name`) above, and not around the alias.",
                    ));
                };
                size::charge(&value.value, self.budget).map_err(|_| self.too_large(span))?;
                let value = value.clone();
                if self.waits_for_key() {
                    let Value::Str(text) = &value.value else {
                        return Err(self.not_a_key(span));
                    };
                    return self.key(text, ScalarStyle::DoubleQuoted, None, 0, span);
                }
                if self.open.len() + size::depth(&value.value) > DEEPEST {
                    return Err(self.too_deep(span));
                }
                self.value(value, 0)
            }
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd => Ok(()),
        }
    }

    fn waits_for_key(&self) -> bool {
        matches!(self.open.last(), Some(Open::Map { key: None, .. }))
    }

    fn not_a_key(&self, span: &Span) -> Problem {
        self.error(
            self.at(span),
            "A list or mapping can't be a key.",
            "Write a plain name before the `:`.",
        )
    }

    fn check_collection_tag(&mut self, tag: Option<&Tag>, name: &str, span: &Span) {
        if let Some(tag) = tag {
            let plain = is_non_specific(tag) || tag.is_yaml_core_schema() && tag.suffix == name;
            if !plain {
                self.unknown_tag(tag, span);
            }
        }
    }

    fn unknown_tag(&mut self, tag: &Tag, span: &Span) {
        let written = format!("{}{}", tag.handle, tag.suffix);
        let text =
            format!("The tag `{written}` is not one that Kedro's loader knows, or does not fit.");
        self.problems.push(self.error(self.at(span), text, "Remove the tag."));
    }

    fn open_collection(&mut self, open: Open, span: &Span) -> Result<(), Problem> {
        if self.waits_for_key() {
            return Err(self.not_a_key(span));
        }
        if self.open.len() >= DEEPEST {
            return Err(self.too_deep(span));
        }
        self.open.push(open);
        Ok(())
    }

    fn too_deep(&self, span: &Span) -> Problem {
        self.error(
            self.at(span),
            format!("Values are nested more than {DEEPEST} deep."),
            "Flatten the structure.",
        )
    }

    fn too_large(&self, span: &Span) -> Problem {
        self.error(
            self.at(span),
            "The configuration grows too large here to be read.",
            "Use fewer aliases of large anchors, and keep data out of the configuration.",
        )
    }

    fn close(&mut self) -> Result<(), Problem> {
        let (value, origin, anchor) = match self.open.pop() {
            Some(Open::List { mut items, origin, anchor }) => {
                items.shrink_to_fit();
                (Value::List(items), origin, anchor)
            }
            Some(Open::Map { map, origin, anchor, .. }) => {
                (Value::Map(map.flatten()), origin, anchor)
            }
            // The parser closes only what it opened.
            None => return Ok(()),
        };
        self.value(Located { value, origin: Some(origin) }, anchor)
    }

    fn key(
        &mut self,
        text: &str,
        style: ScalarStyle,
        tag: Option<&Tag>,
        anchor: usize,
        span: &Span,
    ) -> Result<(), Problem> {
        let place = self.at(span);
        let value = self.scalar(text, style, tag, span);
        let is_text = matches!(value, Value::Str(_));
        let is_null = matches!(value, Value::Null);
        let merge = style == ScalarStyle::Plain && text == "<<";
        let name = python_text(&value).unwrap_or_else(|| text.to_owned());
        if anchor != 0 {
            let located = Located { value, origin: Some(self.origin(span)) };
            self.anchors.insert(anchor, located);
        }
        if is_null {
            self.problems.push(self.error(
                place.clone(),
                "OmegaConf does not take null as a key.",
                "Put the key in quotes.",
            ));
        }
        if !is_text && self.open.len() == 1 {
            self.odd_keys.push((name.clone(), place.clone()));
        }
        let Some(Open::Map { map, key, .. }) = self.open.last_mut() else { return Ok(()) };
        if !merge && map.own.contains_key(&name) && map.odd.contains(&name) == is_text {
            let problem = Problem::new(
                Severity::Error,
                Some(place.clone()),
                format!("`{name}` stands twice in this mapping, as text and as another type."),
                "Kedro refuses the file; remove or rename one of the two.",
            );
            self.problems.push(problem.hiding());
        }
        if !is_text {
            map.odd.insert(name.clone());
        }
        if is_text && !merge && !map.odd.contains(&name) {
            if let Some(first) = map.own.get(&name) {
                let line = first.origin.as_ref().map_or(0, |origin| origin.place.line);
                let text = format!("`{name}` stands twice in this mapping, first in line {line}.");
                *key = Some((Key::Named(name), place.clone()));
                let problem = Problem::new(
                    Severity::Error,
                    Some(place),
                    text,
                    "Kedro refuses the file; remove or rename one of the two.",
                );
                self.problems.push(problem.hiding());
                return Ok(());
            }
        }
        *key = Some((if merge { Key::Merge } else { Key::Named(name) }, place));
        Ok(())
    }

    fn scalar(&mut self, text: &str, style: ScalarStyle, tag: Option<&Tag>, span: &Span) -> Value {
        let Some(tag) = tag.filter(|tag| !is_non_specific(tag)) else {
            if tag.is_none() && style != ScalarStyle::Plain {
                return Value::Str(text.to_owned());
            }
            // PyYAML's tags `value` and `merge`, which no constructor handles.
            if matches!(text, "=" | "<<") && !self.waits_for_key() {
                self.problems.push(self.error(
                    self.at(span),
                    format!("A plain `{text}` is no value to Kedro's loader."),
                    "Put it in quotes.",
                ));
            }
            return match tag {
                Some(_) if text.is_empty() => Value::Str(String::new()),
                _ => type_plain(text),
            };
        };
        let core = tag.is_yaml_core_schema().then(|| type_tagged(&tag.suffix, text)).flatten();
        match core {
            Some(value) => value,
            None => {
                if tag.is_yaml_core_schema() && tag.suffix == "binary" {
                    let problem = Problem::new(
                        Severity::Info,
                        Some(self.at(span)),
                        "Binary values are not decoded here.",
                        ASK_KEDRO,
                    );
                    self.problems.push(problem.hiding());
                } else {
                    self.unknown_tag(tag, span);
                }
                Value::Unknown(text.to_owned())
            }
        }
    }

    /// Adds a finished value to its list or mapping.
    fn value(&mut self, located: Located, anchor: usize) -> Result<(), Problem> {
        if anchor != 0 {
            size::charge(&located.value, self.budget).map_err(|_| {
                let place = located.origin.as_ref().map(|origin| origin.place.clone());
                Problem { place, ..self.too_large(&Span::default()) }
            })?;
            self.anchors.insert(anchor, located.clone());
        }
        match self.open.last_mut() {
            None => self.root = Some(located),
            Some(Open::List { items, .. }) => items.push(located),
            Some(Open::Map { map, key, .. }) => match key.take() {
                Some((Key::Merge, place)) => {
                    if !map.merge(located.value) {
                        return Err(self.error(
                            place,
                            "`<<` takes a mapping or a list of mappings.",
                            "Name an anchor of a mapping: `<<: *name`.",
                        ));
                    }
                }
                Some((Key::Named(name), place)) => {
                    let located = at_key(located, place);
                    map.own.insert(name, located);
                }
                // A value without a key is impossible, because keys are read first.
                None => {}
            },
        }
        Ok(())
    }
}

/// Moves a collection's place to its key, which may be lines above its first value. Aliased values
/// keep the place of their definition.
fn at_key(mut located: Located, key: Place) -> Located {
    if matches!(located.value, Value::List(_) | Value::Map(_)) {
        if let Some(origin) = &mut located.origin {
            if origin.place.line >= key.line {
                origin.place = key;
            }
        }
    }
    located
}

impl Mapping {
    /// `flatten_mapping` in PyYAML: among merged mappings the earlier one wins; the mapping's own
    /// keys win over all.
    fn merge(&mut self, value: Value) -> bool {
        match value {
            Value::Map(map) => self.merged.push(map),
            Value::List(items) => {
                let mut maps = Vec::new();
                for item in items {
                    match item.value {
                        Value::Map(map) => maps.push(map),
                        _ => return false,
                    }
                }
                self.merged.extend(maps.into_iter().rev());
            }
            _ => return false,
        }
        true
    }

    fn flatten(self) -> IndexMap<String, Located> {
        let mut map = self.own;
        if !self.merged.is_empty() {
            let own = map;
            map = self.merged.into_iter().flatten().collect();
            map.extend(own);
        }
        // Most mappings are small, and growth has reserved too much room.
        map.shrink_to_fit();
        map
    }
}

/// Whether the tag is a lone `!`, which has no effect on the type.
fn is_non_specific(tag: &Tag) -> bool {
    tag.handle.is_empty() && tag.suffix == "!" || tag.handle == "!" && tag.suffix.is_empty()
}

#[cfg(test)]
mod tests;
