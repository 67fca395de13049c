//! The data catalog: dataset definitions and dataset factories, from the resolved configuration.
//!
//! The rules are those of `CatalogConfigResolver` and `DataCatalog` in Kedro. Secrets written into
//! definitions, and credentials in URLs, are taken out here: nothing above sees them.

mod pattern;

use std::collections::BTreeSet;
use std::sync::LazyLock;

use indexmap::IndexMap;
use regex::Regex;

use super::{Dataset, Located, Pattern, Place, Problem, Severity, Value};
use pattern::{Matcher, fill, is_pattern, placeholders, rank, specificity};

/// The catalog of a project for one environment.
#[derive(Debug, Clone, Default)]
pub struct Catalog {
    /// Concrete datasets, as [`super::Snapshot::datasets`] lists them.
    pub datasets: IndexMap<String, Dataset>,
    /// Factory patterns in Kedro's matching order.
    pub patterns: Vec<Pattern>,
    /// What is wrong with the definitions.
    pub problems: Vec<Problem>,
}

/// Resolves the `catalog` configuration for the dataset names that pipelines use.
///
/// `used` are names without `params:`/`parameters`, transcoding kept, in the order of their use.
pub fn resolve(catalog: &Located, credentials: &BTreeSet<String>, used: &[String]) -> Catalog {
    let mut found = Catalog::default();
    let entries = match &catalog.value {
        Value::Map(map) => map,
        _ => return found,
    };
    let entries = || entries.iter().filter(|(name, _)| !name.starts_with('_'));
    for (name, entry) in entries() {
        check(&mut found.problems, name, entry, credentials);
        // What is no mapping is no dataset; Kedro's inspection leaves it out as well.
        if entry.value.as_map().is_none() {
            continue;
        }
        if is_pattern(name) {
            found.patterns.push(Pattern { pattern: name.clone(), definition: redacted(entry) });
        } else {
            found.datasets.insert(name.clone(), dataset(name, entry, None));
        }
    }
    found.patterns.sort_by(|a, b| rank(&a.pattern).cmp(&rank(&b.pattern)));
    check_catch_all(&mut found);

    let matchers: Vec<Matcher> =
        found.patterns.iter().map(|pattern| Matcher::new(&pattern.pattern)).collect();
    for (pattern, matcher) in found.patterns.iter().zip(&matchers) {
        if !matcher.understood() {
            found.problems.push(
                Problem::new(
                    Severity::Info,
                    place_of(&pattern.definition),
                    format!(
                        "Which datasets `{}` makes can't be told without running Python.",
                        pattern.pattern
                    ),
                    "The exact reading, by Kedro itself, tells it.",
                )
                .hiding(),
            );
        }
    }
    for name in used {
        if found.datasets.contains_key(name) {
            continue;
        }
        let mut tried = found.patterns.iter().zip(&matchers);
        let matched = tried.find_map(|(pattern, matcher)| Some((pattern, matcher.matches(name)?)));
        if let Some((pattern, values)) = matched {
            let definition = filled(&pattern.definition, &values);
            let dataset = dataset(name, &definition, Some(pattern.pattern.clone()));
            found.datasets.insert(name.clone(), dataset);
        }
    }
    found
}

fn dataset(name: &str, entry: &Located, pattern: Option<String>) -> Dataset {
    let text = |key: &str| entry.value.get(key).and_then(|it| it.value.as_str()).map(str::to_owned);
    let layer = entry
        .value
        .get("metadata")
        .and_then(|metadata| metadata.value.get("kedro-viz"))
        .and_then(|viz| viz.value.get("layer"))
        .and_then(|layer| layer.value.as_str())
        .map(str::to_owned);
    let inner = entry.value.get("dataset").and_then(|inner| inner.value.get("credentials"));
    let credentials = text("credentials")
        .or_else(|| inner.and_then(|inner| inner.value.as_str()).map(str::to_owned));
    Dataset {
        name: name.to_owned(),
        type_name: text("type").unwrap_or_default(),
        filepath: text("filepath").filter(|path| !path.is_empty()).map(|path| redact_url(&path)),
        layer: layer.or_else(|| text("layer")),
        versioned: matches!(entry.value.get("versioned"), Some(it) if it.value == Value::Bool(true)),
        credentials,
        pattern,
        definition: redacted(entry),
    }
}

/// What Kedro refuses when it makes the catalog.
fn check(problems: &mut Vec<Problem>, name: &str, entry: &Located, credentials: &BTreeSet<String>) {
    let mut error = |at: &Located, text: String, remedy: String| {
        let place = place_of(at).or_else(|| place_of(entry));
        problems.push(Problem::new(Severity::Error, place, text, remedy));
    };
    let Some(map) = entry.value.as_map() else {
        if !matches!(entry.value, Value::Unknown(_)) {
            error(
                entry,
                format!("`{name}` is not a dataset: a mapping with a `type` is needed."),
                format!(
                    "Give it a `type`, or call it `_{name}` if it is there for interpolation alone."
                ),
            );
        }
        return;
    };
    if !map.contains_key("type") {
        let text = format!("`type` is missing for dataset `{name}`.");
        error(entry, text, "Add `type: pandas.CSVDataset`, or whichever kind it is.".into());
    }
    for (at, wanted) in named_credentials(entry) {
        if !credentials.contains(wanted) && !is_pattern(wanted) {
            error(
                at,
                format!("Dataset `{name}` uses credentials `{wanted}`, which are not defined."),
                format!("Add `{wanted}` to conf/local/credentials.yml, or correct the name."),
            );
        }
    }
    if is_pattern(name) {
        let known: BTreeSet<&str> = placeholders(name).into_iter().collect();
        let mut wrong: Vec<(&Located, String)> = Vec::new();
        visit(entry, &mut |at| {
            if let Value::Str(text) = &at.value
                && text.contains('}')
            {
                let unknown = placeholders(text).into_iter().filter(|part| !known.contains(part));
                wrong.extend(unknown.map(|part| (at, part.to_owned())));
            }
        });
        for (at, part) in wrong {
            error(
                at,
                format!("`{part}` does not stand in the name of the pattern `{name}`."),
                "Use the placeholders of the name alone.".into(),
            );
        }
    }
}

fn check_catch_all(found: &mut Catalog) {
    let all: Vec<&Pattern> =
        found.patterns.iter().filter(|it| specificity(&it.pattern) == 0).collect();
    if let [first, second, ..] = all.as_slice() {
        found.problems.push(Problem::new(
            Severity::Error,
            place_of(&second.definition),
            format!("`{}` and `{}` both match every name.", first.pattern, second.pattern),
            "Keep one pattern that matches everything, and remove the others.",
        ));
    }
}

/// All `credentials: name` in a definition, at any depth (`_resolve_credentials`).
fn named_credentials(entry: &Located) -> Vec<(&Located, &str)> {
    let mut found = Vec::new();
    let mut maps = vec![entry];
    while let Some(at) = maps.pop() {
        for (key, inner) in at.value.as_map().into_iter().flatten() {
            match &inner.value {
                Value::Str(name) if key == "credentials" => found.push((inner, name.as_str())),
                Value::Map(_) => maps.push(inner),
                _ => {}
            }
        }
    }
    found
}

fn visit<'l>(at: &'l Located, each: &mut impl FnMut(&'l Located)) {
    each(at);
    match &at.value {
        Value::Map(map) => map.values().for_each(|inner| visit(inner, each)),
        Value::List(items) => items.iter().for_each(|inner| visit(inner, each)),
        _ => {}
    }
}

fn place_of(at: &Located) -> Option<Place> {
    let own = at.origin.as_ref().map(|origin| origin.place.clone());
    own.or_else(|| at.value.as_map().into_iter().flat_map(|map| map.values()).find_map(place_of))
}

/// The definition with placeholders filled in, in the texts that hold one; keys stay.
fn filled(at: &Located, values: &IndexMap<String, String>) -> Located {
    let value = match &at.value {
        Value::Str(text) if text.contains('}') => match fill(text, values) {
            Some(text) => Value::Str(text),
            None => Value::Unknown(text.clone()),
        },
        Value::Map(map) => Value::Map(
            map.iter().map(|(key, inner)| (key.clone(), filled(inner, values))).collect(),
        ),
        Value::List(items) => Value::List(items.iter().map(|it| filled(it, values)).collect()),
        value => value.clone(),
    };
    Located { value, origin: at.origin.clone() }
}

/// The definition without what must not be seen: credentials written into it, and those in URLs.
fn redacted(at: &Located) -> Located {
    let value = match &at.value {
        Value::Str(text) => Value::Str(redact_url(text)),
        Value::Map(map) => {
            let inner = map.iter().map(|(key, inner)| {
                let secret =
                    key == "credentials" && !matches!(inner.value, Value::Str(_) | Value::Null);
                let inner = match secret {
                    true => Located { value: Value::Secret, origin: inner.origin.clone() },
                    false => redacted(inner),
                };
                (key.clone(), inner)
            });
            Value::Map(inner.collect())
        }
        Value::List(items) => Value::List(items.iter().map(redacted).collect()),
        value => value.clone(),
    };
    Located { value, origin: at.origin.clone() }
}

#[expect(clippy::unwrap_used, reason = "the expression is constant and a test uses it")]
static URL: LazyLock<Regex> =
    LazyLock::new(|| Regex::new("[A-Za-z][A-Za-z0-9+.-]*://[^\\s'\"<>)\\]]+").unwrap());

/// The text without user names, passwords, query strings and fragments of the URLs in it, each
/// `<redacted>` (`_redact_url_credentials` in Kedro).
pub fn redact_url(text: &str) -> String {
    let clean = |captures: &regex::Captures<'_>| redact_one(&captures[0]);
    if text.contains("://") {
        return URL.replace_all(text, clean).into_owned();
    }
    // Kedro takes the scheme off some paths, so an authority may come first.
    let first = text.find(['/', '?', '#']);
    let authority = first.is_some_and(|at| text[..at].contains('@'));
    if !text.contains(' ') && (authority || text.contains(['?', '#'])) {
        redact_one(text)
    } else {
        text.to_owned()
    }
}

fn redact_one(url: &str) -> String {
    let (scheme, rest) = match url.split_once("://") {
        Some((scheme, rest)) => (format!("{scheme}://"), rest),
        None => (String::new(), url),
    };
    let (rest, fragment) =
        rest.split_once('#').map_or((rest, false), |(rest, it)| (rest, !it.is_empty()));
    let (rest, query) =
        rest.split_once('?').map_or((rest, false), |(rest, it)| (rest, !it.is_empty()));
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let authority = match authority.rsplit_once('@') {
        Some((_, host)) => format!("<redacted>@{host}"),
        None => authority.to_owned(),
    };
    let query = if query { "?<redacted>" } else { "" };
    let fragment = if fragment { "#<redacted>" } else { "" };
    format!("{scheme}{authority}{path}{query}{fragment}")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A catalog from YAML; places and environments do not matter here.
    fn located(value: &serde_yaml::Value) -> Located {
        let value = match value {
            serde_yaml::Value::Bool(value) => Value::Bool(*value),
            serde_yaml::Value::Number(number) => Value::Int(number.as_i64().unwrap_or(0)),
            serde_yaml::Value::String(text) => Value::Str(text.clone()),
            serde_yaml::Value::Sequence(items) => Value::List(items.iter().map(located).collect()),
            serde_yaml::Value::Mapping(map) => Value::Map(
                map.iter()
                    .map(|(key, inner)| {
                        (key.as_str().unwrap_or_default().to_owned(), located(inner))
                    })
                    .collect(),
            ),
            _ => Value::Null,
        };
        Located { value, origin: None }
    }

    fn read(yaml: &str, used: &[&str]) -> Catalog {
        let catalog = located(&serde_yaml::from_str(yaml).unwrap());
        let used: Vec<String> = used.iter().map(ToString::to_string).collect();
        resolve(&catalog, &BTreeSet::from(["known".to_owned()]), &used)
    }

    fn texts(catalog: &Catalog) -> Vec<&str> {
        catalog.problems.iter().map(|problem| problem.text.as_str()).collect()
    }

    #[test]
    fn entries_come_first_and_patterns_make_what_else_is_used() {
        let catalog = read(
            "a: {type: pandas.CSVDataset, filepath: a.csv, versioned: true}\n\
             '{ns}.model': {type: pickle.PickleDataset, filepath: 'models/{ns}.pkl'}\n\
             '{default}': {type: MemoryDataset}\n\
             _hidden: {type: x}\n",
            &["b", "linear.model", "a"],
        );
        assert_eq!(texts(&catalog), Vec::<&str>::new());
        let names: Vec<&str> = catalog.datasets.keys().map(String::as_str).collect();
        assert_eq!(names, ["a", "b", "linear.model"]);
        let model = &catalog.datasets["linear.model"];
        assert_eq!(model.filepath.as_deref(), Some("models/linear.pkl"));
        assert_eq!(model.pattern.as_deref(), Some("{ns}.model"));
        assert_eq!(catalog.datasets["b"].type_name, "MemoryDataset");
        assert!(catalog.datasets["a"].versioned);
        let patterns: Vec<&str> = catalog.patterns.iter().map(|it| it.pattern.as_str()).collect();
        assert_eq!(patterns, ["{ns}.model", "{default}"]);
    }

    #[test]
    fn layers_are_found_in_both_of_their_places() {
        let catalog = read(
            "a: {type: x, metadata: {kedro-viz: {layer: raw}}}\nb: {type: x, layer: primary}\n",
            &[],
        );
        assert_eq!(catalog.datasets["a"].layer.as_deref(), Some("raw"));
        assert_eq!(catalog.datasets["b"].layer.as_deref(), Some("primary"));
    }

    #[test]
    fn what_kedro_refuses_is_told() {
        let catalog = read(
            "a: 3\nb: {filepath: x}\nc: {type: x, credentials: missing}\n\
             d: {type: x, dataset: {type: y, credentials: known}}\n\
             '{n}': {type: '{m}'}\n'{o}': {type: x}\n",
            &[],
        );
        assert_eq!(
            texts(&catalog),
            [
                "`a` is not a dataset: a mapping with a `type` is needed.",
                "`type` is missing for dataset `b`.",
                "Dataset `c` uses credentials `missing`, which are not defined.",
                "`{m}` does not stand in the name of the pattern `{n}`.",
                "`{n}` and `{o}` both match every name.",
            ]
        );
        assert_eq!(catalog.datasets["d"].credentials.as_deref(), Some("known"));
    }

    #[test]
    fn secrets_are_taken_out() {
        let catalog = read(
            "a: {type: x, filepath: 's3://me:pw@bucket/a.csv?sig=1', credentials: {key: abc}}\n\
             b: {type: x, load_args: {con: 'postgresql://u:p@host/db'}}\n",
            &[],
        );
        assert_eq!(
            catalog.datasets["a"].filepath.as_deref(),
            Some("s3://<redacted>@bucket/a.csv?<redacted>")
        );
        let shown = format!("{:?}", catalog.datasets);
        for secret in ["pw", "abc", "sig=", "u:p"] {
            assert!(!shown.contains(secret), "{secret} is in {shown}");
        }
        assert_eq!(redact_url("data/a.csv"), "data/a.csv");
        assert_eq!(redact_url("u@h/p?q=1"), "<redacted>@h/p?<redacted>");
        assert_eq!(redact_url("report@2024.csv"), "report@2024.csv");
        let text = redact_url("see https://x@h/p#f and b");
        assert_eq!(text, "see https://<redacted>@h/p#<redacted> and b");
    }
}
