use std::collections::BTreeSet;
use std::path::Path;

use super::*;
use crate::project::settings::Settings;
use crate::project::{Budget, config};
use crate::text::secrets::Secret;

/// The catalog of a project whose only file is `conf/base/catalog.yml`.
fn catalog(yaml: &str, used: &[&str]) -> Catalog {
    let folder = tempfile::tempdir().unwrap();
    for env in ["base", "local"] {
        std::fs::create_dir_all(folder.path().join("conf").join(env)).unwrap();
    }
    std::fs::write(folder.path().join("conf/base/catalog.yml"), yaml).unwrap();
    let settings = Settings::default();
    let request = config::Request {
        root: folder.path().to_owned(),
        conf_source: folder.path().join("conf"),
        env: None,
        runtime_params: Located::default(),
        settings: &settings,
    };
    let config = config::load(&request, &mut Budget::default());
    assert_eq!(config.problems, [], "the configuration loads: {yaml}");
    let credentials = BTreeSet::from(["db".to_owned(), "s3".to_owned()]);
    let used: Vec<String> = used.iter().map(ToString::to_string).collect();
    resolve(&config.kinds["catalog"], &credentials, &used, &Budget::default())
}

/// The only problem of the catalog: severity, line, text and remedy.
fn problem(yaml: &str, used: &[&str]) -> (Severity, u32, String, String) {
    let catalog = catalog(yaml, used);
    let [problem] = catalog.problems.as_slice() else { panic!("{yaml}: {:?}", catalog.problems) };
    assert!(!problem.remedy.is_empty(), "{problem:?}");
    let place = problem.place.as_ref().expect("a place");
    assert_eq!(&*place.file, Path::new("conf/base/catalog.yml"));
    (problem.severity, place.line, problem.text.clone(), problem.remedy.clone())
}

fn json(located: &Located) -> String {
    value_to_json(&located.value).to_string()
}

#[test]
fn entries_come_in_file_order_then_used_names_in_order_of_use() {
    let catalog = catalog(
        "_type: pandas.CSVDataset\n\
         zebras: {type: pandas.CSVDataset, filepath: z.csv}\n\
         '{name}_model': {type: pickle.PickleDataset, filepath: '{name}.pkl'}\n\
         apes: {type: text.TextDataset}\n",
        &["tree_model", "zebras", "loose", "boosted_model", "tree_model"],
    );
    assert_eq!(catalog.problems, []);
    let names: Vec<&String> = catalog.datasets.keys().collect();
    assert_eq!(names, ["zebras", "apes", "tree_model", "boosted_model"]);
    assert_eq!(catalog.datasets["zebras"].pattern, None);
    let tree = &catalog.datasets["tree_model"];
    assert_eq!(tree.pattern.as_deref(), Some("{name}_model"));
    assert_eq!(tree.type_name, "pickle.PickleDataset");
    assert_eq!(tree.filepath.as_deref(), Some("tree.pkl"));
    assert_eq!(catalog.patterns[0].pattern, "{name}_model");
    assert_eq!(
        json(&catalog.patterns[0].definition),
        r#"{"type":"pickle.PickleDataset","filepath":"{name}.pkl"}"#
    );
}

#[test]
fn every_value_keeps_its_origin_through_a_pattern() {
    let catalog =
        catalog("'{name}_x':\n  type: a.B\n  load_args:\n    sheet: '{name}'\n", &["q_x"]);
    let definition = &catalog.datasets["q_x"].definition;
    let line = |located: &Located| located.origin.as_ref().unwrap().place.line;
    assert_eq!(line(definition), 1);
    let sheet = definition.value.get("load_args").unwrap().value.get("sheet").unwrap();
    assert_eq!((line(sheet), sheet.value.as_str()), (4, Some("q")));
}

#[test]
fn explicit_entries_shadow_patterns_and_the_most_specific_pattern_wins() {
    let catalog = catalog(
        "'{default}': {type: a.Any}\n\
         '{name}_csv': {type: a.Csv}\n\
         'raw_{name}_csv': {type: a.Raw}\n\
         raw_b_csv: {type: a.Own}\n",
        &["raw_a_csv", "raw_b_csv", "RAW_c_CSV", "x_csv", "x"],
    );
    let types: Vec<&str> = catalog.datasets.values().map(|d| d.type_name.as_str()).collect();
    assert_eq!(types, ["a.Own", "a.Raw", "a.Raw", "a.Csv", "a.Any"]);
    let order: Vec<&str> = catalog.patterns.iter().map(|p| p.pattern.as_str()).collect();
    assert_eq!(order, ["raw_{name}_csv", "{name}_csv", "{default}"]);
}

#[test]
fn values_in_nested_maps_and_lists_are_filled_and_keys_are_not() {
    let catalog = catalog(
        "'{a}.{b}':\n  type: x.{a}\n  args: {'{a}': ['{b}', {deep: '{a}/{b}'}], n: 1}\n  plain: '{{'\n",
        &["m.n"],
    );
    assert_eq!(catalog.problems, []);
    assert_eq!(
        json(&catalog.datasets["m.n"].definition),
        r#"{"type":"x.m","args":{"{a}":["n",{"deep":"m/n"}],"n":1},"plain":"{{"}"#
    );
}

#[test]
fn transcoded_names_are_entries_of_their_own() {
    let both =
        "cars@pandas: {type: a.P, filepath: cars.pq}\ncars@spark: {type: a.S, filepath: FILE}\n";
    let shared = catalog(&both.replace("FILE", "cars.pq"), &["cars@pandas", "cars@spark", "cars"]);
    assert_eq!(shared.problems, []);
    assert_eq!(shared.datasets.keys().collect::<Vec<_>>(), ["cars@pandas", "cars@spark"]);
    let (severity, line, text, _) = problem(&both.replace("FILE", "other.pq"), &[]);
    assert_eq!((severity, line), (Severity::Warning, 2));
    assert_eq!(
        text,
        "`cars@pandas` and `cars@spark` are one dataset to pipelines, but their file paths differ."
    );
    let from_pattern =
        catalog("'{name}@pandas': {type: a.P, filepath: '{name}.pq'}", &["x@pandas"]);
    assert_eq!(from_pattern.datasets["x@pandas"].filepath.as_deref(), Some("x.pq"));
}

#[test]
fn layers_versions_and_credentials_are_read() {
    let catalog = catalog(
        "a: {type: t, versioned: true, credentials: db, metadata: {kedro-viz: {layer: raw}}}\n\
         b: {type: t, versioned: no, layer: primary}\n\
         c: {type: t, dataset: {type: u, credentials: s3}}\n\
         d: {type: t, metadata: {owner: me}}\n",
        &[],
    );
    assert_eq!(catalog.problems, []);
    let facts: Vec<_> = catalog
        .datasets
        .values()
        .map(|d| (d.layer.as_deref(), d.versioned, d.credentials.as_deref()))
        .collect();
    assert_eq!(
        facts,
        [
            (Some("raw"), true, Some("db")),
            (Some("primary"), false, None),
            (None, false, Some("s3")),
            (None, false, None),
        ]
    );
}

#[test]
fn secrets_are_not_kept() {
    let yaml = "a:\n  type: t\n  filepath: s3://key:hush@bucket/a.csv?sig=hush\n  credentials: {key: hush, client: {secret: hush}}\n  save_args: {token: hush, tokenizer: bert}\n\
                b: {type: t, con: 'postgresql://me:hush@host/db', dataset: {type: u, credentials: {key: hush}}}\n\
                '{n}_c': {type: t, filepath: 's3://key:hush@bucket/{n}', credentials: {key: hush}}\n";
    let catalog = catalog(yaml, &["x_c"]);
    assert!(!format!("{catalog:?}").contains("hush"), "{catalog:?}");
    let a = &catalog.datasets["a"];
    assert_eq!(a.filepath.as_deref(), Some("s3://<redacted>@bucket/a.csv?<redacted>"));
    let value = |key: &str| a.definition.value.get(key).unwrap();
    assert_eq!(
        value("credentials").value.get("key").unwrap().value,
        Value::Secret(Secret::of("hush"))
    );
    assert_eq!(json(value("save_args")), r#"{"token":"********","tokenizer":"bert"}"#);
    assert_eq!(catalog.datasets["x_c"].filepath.as_deref(), Some("s3://<redacted>@bucket/x"));
}

#[test]
fn errors_are_reported_with_place_and_remedy() {
    for (yaml, used, severity, line, text) in [
        (
            "\na: 3\n",
            &[][..],
            Severity::Error,
            2,
            "`a` is not a dataset: a mapping with a `type` is missing.",
        ),
        ("a: {filepath: x}\n", &[], Severity::Error, 1, "`type` is missing for dataset `a`."),
        (
            "a:\n  type: t\n  dataset:\n    credentials: nope\n",
            &[],
            Severity::Error,
            4,
            "`a` needs the credentials `nope`, which are not defined.",
        ),
        (
            "'{n}_a':\n  type: t\n  credentials: '{n}'\n",
            &[],
            Severity::Error,
            3,
            "`{n}_a` needs the credentials `{n}`, which are not defined.",
        ),
        (
            "'{n}_a':\n  type: t\n  filepath: '{nam}.csv'\n",
            &["x_a"],
            Severity::Error,
            3,
            "`{nam}` is not a placeholder of pattern `{n}_a`.",
        ),
        (
            "'{n}_a':\n  type: t\n  filepath: 'a}'\n",
            &["x_a", "y_a"],
            Severity::Error,
            3,
            "`a}` in pattern `{n}_a` can't be filled: a `}` stands without its `{`.",
        ),
        (
            "'{_n}_a':\n  type: t\n  filepath: '{_n}'\n",
            &["x_a"],
            Severity::Error,
            3,
            "`{_n}` in pattern `{_n}_a` can't be filled: nothing fills `{_n}`.",
        ),
        (
            "'{b}': {type: t}\n'{a}': {type: t}\n",
            &[],
            Severity::Error,
            1,
            "`{b}` matches every name, as `{a}` does; Kedro takes one such pattern.",
        ),
        (
            "'{n}_a': {filepath: x}\n",
            &["x_a", "y_a"],
            Severity::Error,
            1,
            "`type` is missing for pattern `{n}_a`, which makes `x_a`.",
        ),
        (
            "'{n:d}_a': {type: t}\n",
            &["1_a"],
            Severity::Info,
            1,
            "Which names pattern `{n:d}_a` matches is not known here, for the format in `{n:d}`.",
        ),
    ] {
        let found = problem(yaml, used);
        assert_eq!((found.0, found.1, found.2.as_str()), (severity, line, text), "{yaml}");
    }
}

#[test]
fn an_unresolved_value_stays_unknown_and_is_not_reported_twice() {
    let map = IndexMap::from([
        ("a".to_owned(), Located { value: Value::Unknown("${f:1}".into()), origin: None }),
        (
            "b".to_owned(),
            Located {
                value: Value::Map(IndexMap::from([(
                    "type".to_owned(),
                    Located { value: Value::Unknown("${f:2}".into()), origin: None },
                )])),
                origin: None,
            },
        ),
    ]);
    let located = Located { value: Value::Map(map), origin: None };
    let catalog = resolve(&located, &BTreeSet::new(), &[], &Budget::default());
    assert_eq!(catalog.problems, []);
    assert_eq!(catalog.datasets["b"].type_name, "${f:2}");
    assert_eq!(catalog.datasets["a"].type_name, "");
}
