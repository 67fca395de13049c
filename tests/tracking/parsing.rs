//! Generated filters: accepted as MLflow accepts them, and understood in the same way.

use std::io::Write;
use std::process::{Command, Stdio};

use mlops_tui::tracking::filter::{
    Attribute, Comparator, Compare, DatasetField, Entity, Expr, Field, Value, parse,
};
use serde_json::{Value as Json, json};

use crate::dice::Dice;
use crate::python;

/// How many filters are made.
const FILTERS: usize = 3_000;

const KINDS: [(&str, Entity); 5] = [
    ("runs", Entity::Run),
    ("experiments", Entity::Experiment),
    ("registered_models", Entity::RegisteredModel),
    ("model_versions", Entity::ModelVersion),
    ("logged_models", Entity::LoggedModel),
];

const FIELDS: [&str; 54] = [
    "metrics.a",
    "metric.`a b`",
    "metrics.\"a/b\"",
    "metrics.a.b",
    "metrics.1a",
    "metrics.a-b",
    "metrics.a[0]",
    "`metrics`.a",
    "Metrics.a",
    "params.a",
    "param.'a'",
    "parameters.`a.b`",
    "parameter.a",
    "tags.a",
    "tag.b",
    "tags.mlflow.user",
    "tags.`mlflow.note.content`",
    "attributes.status",
    "attribute.run_id",
    "attr.start_time",
    "run.end_time",
    "run_id",
    "run_name",
    "`run name`",
    "\"Run Name\"",
    "status",
    "start_time",
    "created",
    "Created",
    "end_time",
    "user_id",
    "artifact_uri",
    "name",
    "\"name\"",
    "`name`",
    "attribute.name",
    "experiment_id",
    "creation_time",
    "last_update_time",
    "version_number",
    "source_path",
    "creation_timestamp",
    "last_updated_timestamp",
    "model_id",
    "model_type",
    "datasets.name",
    "dataset.digest",
    "datasets.context",
    "dataset.x",
    "foo",
    "foo.bar",
    "metrics.values",
    "params.and",
    "tags. a",
];
const COMPARATORS: [&str; 23] = [
    "=",
    "!=",
    "<",
    "<=",
    ">",
    ">=",
    "LIKE",
    "ilike",
    "==",
    "<>",
    "=>",
    "NOT LIKE",
    "RLIKE",
    "IN",
    "NOT IN",
    "not  in",
    "IS NULL",
    "is not null",
    "IS",
    "BETWEEN",
    "!",
    "=",
    "=",
];
const VALUES: [&str; 44] = [
    "1",
    "1.5",
    "-1",
    "+1",
    ".5",
    "1.",
    "1e3",
    "1E-2",
    "1e+5",
    "0x10",
    "1_0",
    "12a",
    "1.25a",
    "99999999999999999999",
    "'a'",
    "\"a\"",
    "`a`",
    "a",
    "'a b'",
    "'it''s'",
    "'it\\'s'",
    "'%a_'",
    "''",
    "\"\"",
    "'a",
    "a'",
    "'1'",
    "('a')",
    "('a', 'b')",
    "(\"a\",)",
    "()",
    "('a', 1)",
    "(1)",
    "('a' 'b')",
    "(a)",
    "('a'",
    "NULL",
    "nan",
    "'é ß'",
    "'A'",
    "\"a\".\"b\"",
    "1 DESC",
    "'a' -- b",
    "(('a'), 'b')",
];
const JOINS: [&str; 14] = [
    " AND ",
    " and ",
    " And  ",
    "\nAND\t",
    " OR ",
    " ",
    " AND NOT ",
    ", ",
    "; ",
    " AND AND ",
    " /* c */ AND ",
    " AND (",
    ") AND ",
    " && ",
];

/// Fields, comparators and values that belong together, by kind of entity.
const SENSIBLE: [&[(&str, &str, &str)]; 5] = [
    &[
        (
            "metrics.a metric.`a+b` metrics.\"a/b\" metrics.1a metrics.a[0] metrics.a.b",
            NUMERIC,
            NUMBERS,
        ),
        ("start_time created attributes.end_time attr.Created", NUMERIC, NUMBERS),
        (
            "params.a param.'a' parameters.`a.b` tags.mlflow.user tag.`x+y` params.and",
            TEXTUAL,
            TEXTS,
        ),
        ("run_id attribute.run_id", "IN in NOT+IN not+in", LISTS),
        (
            "status run_name `run+name` \"Run+Name\" user_id artifact_uri run.status run_id",
            TEXTUAL,
            TEXTS,
        ),
        ("datasets.name dataset.digest datasets.`context`", TEXTUAL, TEXTS),
        ("datasets.name dataset.digest datasets.context", "IN NOT+IN", LISTS),
        ("params.a tags.`b+c` params.x.y", "IS+NULL is+not+null IS++NOT++NULL", ""),
    ],
    &[
        ("name attribute.name \"name\" `name` tags.a tag.`b+c`", TEXTUAL, TEXTS),
        ("creation_time last_update_time attribute.creation_time", NUMERIC, NUMBERS),
        (
            "experiment_id attribute.experiment_id",
            "= != IN NOT+IN",
            "'1' '+2+' 'a' ('1','2') ('a') \"3\"",
        ),
        ("tags.a tag.b", "IS+NULL IS+NOT+NULL", ""),
    ],
    &[
        ("name attribute.name tags.a tag.`b+c` `name`", TEXTUAL, TEXTS),
        ("name", "IN NOT+IN", LISTS),
    ],
    &[
        ("name run_id source_path tags.a tag.`b+c`", TEXTUAL, TEXTS),
        ("version_number attribute.version_number", NUMERIC, NUMBERS),
        ("name run_id source_path", "IN NOT+IN", LISTS),
    ],
    &[
        (
            "name model_id status params.a tags.`b+c` attributes.name source_run_id `name`",
            TEXTUAL,
            TEXTS,
        ),
        (
            "metrics.a metrics.`a+b` creation_time last_updated_timestamp creation_timestamp_ms",
            NUMERIC,
            NUMBERS,
        ),
        ("name model_id tags.a", "IN NOT+IN", LISTS),
    ],
];
const NUMERIC: &str = "= != < <= > >=";
const TEXTUAL: &str = "= != LIKE ILIKE like iLike";
const NUMBERS: &str = "1 1.5 -1 .5 -.5 1. 1e3 1.5E-2 0 99999999999999";
const TEXTS: &str =
    "'a' \"a\" 'a+b' 'it''s' 'it\\'s' '%a_' '' 'é+ß' \"a\".\"b\" 'AND' '(a)' \"it's\"";
const LISTS: &str = "('a') ('a','b') (\"a\",) ('A',+'b') ('a'+'b') (('a'),'b')";

fn clause(dice: &mut Dice, kind: usize) -> String {
    if dice.below(3) > 0 {
        let (fields, comparators, values) = SENSIBLE[kind][dice.below(SENSIBLE[kind].len())];
        let (field, comparator) = (dice.word(fields), dice.word(comparators));
        return format!("{field} {comparator} {}", dice.word(values));
    }
    let blank = |dice: &mut Dice| if dice.below(4) == 0 { "" } else { " " };
    let comparator = dice.one(&COMPARATORS);
    let spaced = comparator.starts_with(|c: char| c.is_alphabetic());
    let (before, after) = (blank(dice), blank(dice));
    let (before, after) = if spaced && dice.below(8) > 0 { (" ", " ") } else { (before, after) };
    let value = if comparator.contains("NULL") || comparator.contains("null") && dice.below(9) > 0 {
        ""
    } else if comparator.to_lowercase().ends_with("in") && dice.below(3) > 0 {
        dice.one(&VALUES[27..34])
    } else {
        dice.one(&VALUES)
    };
    format!("{}{before}{comparator}{after}{value}", dice.one(&FIELDS))
}

fn filter(dice: &mut Dice, kind: usize) -> String {
    let mut text = clause(dice, kind);
    for _ in 0..dice.below(3) {
        let join = if dice.below(3) > 0 { JOINS[dice.below(4)] } else { dice.one(&JOINS) };
        text = text + join + &clause(dice, kind);
    }
    match dice.below(12) {
        0 => format!(" {text}"),
        1 => format!("{text} "),
        2 => format!("{text} AND"),
        3 => format!("({text})"),
        _ => text,
    }
}

/// The attribute's name in MLflow, whichever alias was written.
fn attribute(entity: Entity, attribute: Attribute) -> &'static str {
    use Attribute::*;
    match (entity, attribute) {
        (Entity::Run, Id) => "run_id",
        (Entity::Run, Name) => "run_name",
        (Entity::Run, Created) => "start_time",
        (Entity::Run, Ended) => "end_time",
        (Entity::Experiment, Id) => "experiment_id",
        (Entity::Experiment, Created) => "creation_time",
        (Entity::Experiment, Updated) => "last_update_time",
        (Entity::LoggedModel, Id) => "model_id",
        (Entity::LoggedModel, Created) => "creation_timestamp_ms",
        (Entity::LoggedModel, Updated) => "last_updated_timestamp_ms",
        (Entity::LoggedModel, ArtifactUri) => "artifact_location",
        (Entity::LoggedModel, RunId) => "source_run_id",
        (_, Name) => "name",
        (_, Status) => "status",
        (_, UserId) => "user_id",
        (_, ArtifactUri) => "artifact_uri",
        (_, Version) => "version_number",
        (_, RunId) => "run_id",
        (_, Source) => "source_path",
        (_, ModelType) => "model_type",
        (_, LifecycleStage) => "lifecycle_stage",
        (_, StatusMessage) => "status_message",
        (_, ExperimentId) => "experiment_id",
        (_, Id | Created | Ended | Updated) => "?",
    }
}

/// The comparisons of a filter as `parse.py` prints them; `None` where it has an extension.
fn plain(entity: Entity, expr: &Expr) -> Option<Json> {
    let Expr::And(parts) = expr else { return None };
    let one = |part: &Expr| match part {
        Expr::Compare(compare) if compare.comparator != Comparator::Matches => {
            Some(comparison(entity, compare))
        }
        _ => None,
    };
    parts.iter().map(one).collect::<Option<Vec<Json>>>().map(Json::from)
}

fn comparison(entity: Entity, compare: &Compare) -> Json {
    let (kind, key) = match &compare.field {
        Field::Metric(key) => ("metric", key.clone()),
        Field::Param(key) => ("parameter", key.clone()),
        Field::Tag(key) => ("tag", key.clone()),
        Field::Attribute(field) => ("attribute", attribute(entity, *field).to_owned()),
        Field::Dataset(field) => (
            "dataset",
            match field {
                DatasetField::Name => "name",
                DatasetField::Digest => "digest",
                DatasetField::Context => "context",
            }
            .to_owned(),
        ),
    };
    let comparator = match compare.comparator {
        Comparator::Equal => "=",
        Comparator::NotEqual => "!=",
        Comparator::Less => "<",
        Comparator::LessOrEqual => "<=",
        Comparator::Greater => ">",
        Comparator::GreaterOrEqual => ">=",
        Comparator::Like => "LIKE",
        Comparator::ILike => "ILIKE",
        Comparator::In => "IN",
        Comparator::NotIn => "NOT IN",
        Comparator::IsNull => "IS NULL",
        Comparator::IsNotNull => "IS NOT NULL",
        Comparator::Matches => "~",
    };
    let value = match &compare.value {
        Value::Integer(integer) => json!(*integer as f64),
        Value::Number(number) => json!(number),
        Value::Text(text) => json!(text),
        Value::List(list) => json!(list),
        Value::Nothing => Json::Null,
    };
    json!([kind, key, comparator, value])
}

/// MLflow's answer in the same form: numbers as numbers, aliases as what they stand for.
fn normal(answer: &Json) -> Json {
    let Some(parts) = answer.as_array() else { return Json::Null };
    let one = |part: &Json| {
        let (mut kind, mut key) = (part[0].as_str().unwrap().to_owned(), part[1].clone());
        for (plural, singular) in [
            ("metrics", "metric"),
            ("params", "parameter"),
            ("tags", "tag"),
            ("attributes", "attribute"),
        ] {
            if kind == plural {
                kind = singular.to_owned();
            }
        }
        if kind == "attribute" {
            key = match key.as_str().unwrap() {
                "created" | "Created" => json!("start_time"),
                "run name" | "Run name" | "Run Name" => json!("run_name"),
                name => json!(name),
            };
        }
        let value = match &part[3] {
            Json::String(number) if kind == "metric" => json!(number.parse::<f64>().unwrap()),
            Json::String(number) if key == "version_number" => {
                json!(number.parse::<f64>().unwrap())
            }
            Json::Number(number) => json!(number.as_f64()),
            value => value.clone(),
        };
        json!([kind, key, part[2], value])
    };
    parts.iter().map(one).collect::<Vec<Json>>().into()
}

/// Whether comparisons stand in parentheses, which is an extension.
fn is_in_parentheses(filter: &str) -> bool {
    let filter = filter.trim();
    filter.starts_with('(') && filter.ends_with(')') || filter.contains("AND (")
}

#[test]
fn generated_filters_are_read_as_mlflow_reads_them() {
    let python = python::environment("tests/tracking/requirements-3.17.2.txt", Some("3.11"));
    let folder = tempfile::tempdir().unwrap();
    let mut dice = Dice(0x5eed);
    let asked: Vec<(usize, String)> = (0..FILTERS)
        .map(|_| {
            let kind = if dice.below(2) == 0 { 0 } else { dice.below(5) };
            (kind, filter(&mut dice, kind))
        })
        .collect();
    let mut child = Command::new(python)
        .arg("tests/tracking/parse.py")
        .arg(folder.path().join("mlflow.db"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = String::new();
    for (kind, filter) in &asked {
        lines += &json!({"kind": KINDS[*kind].0, "filter": filter}).to_string();
        lines.push('\n');
    }
    let mut input = child.stdin.take().unwrap();
    let writer = std::thread::spawn(move || input.write_all(lines.as_bytes()).unwrap());
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    let answers: Vec<Json> = String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(answers.len(), asked.len());
    let mut wrong = Vec::new();
    let mut accepted = 0;
    for ((kind, filter), answer) in std::iter::zip(&asked, &answers) {
        let (name, entity) = KINDS[*kind];
        let ours = parse(entity, filter);
        let same = match (&ours, answer) {
            (Err(_), Json::Null) => true,
            // Extensions are not MLflow's.
            (Ok(expr), Json::Null) => is_in_parentheses(filter) || plain(entity, expr).is_none(),
            (Ok(expr), answer) => {
                accepted += 1;
                plain(entity, expr) == Some(normal(answer))
            }
            (Err(_), _) => false,
        };
        if !same {
            wrong.push(format!("{name}: {filter:?}\n  MLflow: {answer}\n  ours: {ours:?}"));
        }
    }
    assert!(accepted > FILTERS / 10, "only {accepted} filters were accepted");
    let shown: Vec<&str> = wrong.iter().take(25).map(String::as_str).collect();
    assert!(wrong.is_empty(), "{} of {FILTERS} differ:\n{}", wrong.len(), shown.join("\n"));
}
