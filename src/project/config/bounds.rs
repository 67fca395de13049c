//! No configuration exceeds the budget or overflows the stack, however much it multiplies or nests
//! values. A value beyond the limits is reported with its place, and the rest is read.

use std::fmt::Write as _;
use std::fs;

use super::{Config, Request, load};
use crate::project::settings::Settings;
use crate::project::{Budget, Located, Value};

/// The configuration of a project whose only file is `conf/base/parameters.yml`.
fn parameters(yaml: &str, mut budget: Budget) -> Config {
    let folder = tempfile::tempdir().unwrap();
    for env in ["base", "local"] {
        fs::create_dir_all(folder.path().join("conf").join(env)).unwrap();
    }
    fs::write(folder.path().join("conf/base/parameters.yml"), yaml).unwrap();
    fs::write(folder.path().join("conf/base/catalog.yml"), "a: {type: x.Y}").unwrap();
    let settings = Settings::default();
    let request = Request {
        root: folder.path().to_owned(),
        conf_source: folder.path().join("conf"),
        env: None,
        runtime_params: Located::default(),
        settings: &settings,
    };
    load(&request, &mut budget)
}

fn value<'c>(config: &'c Config, name: &str) -> Option<&'c Value> {
    config.kinds["parameters"].value.get(name).map(|located| &located.value)
}

/// Asserts that a problem located in the parameters file contains `text`.
fn assert_reported(config: &Config, text: &str) {
    let placed = |problem: &&crate::project::Problem| {
        problem.place.as_ref().is_some_and(|place| place.file.ends_with("conf/base/parameters.yml"))
    };
    let found = config.problems.iter().filter(placed).find(|problem| problem.text.contains(text));
    let Some(problem) = found else {
        panic!("`{text}` is not told: {:?}", config.problems.first())
    };
    assert!(problem.hides);
}

/// The entries `a0` to `a<count>`, last one first; `link` makes each from the name of the previous
/// one.
fn chain(count: usize, link: impl Fn(&str) -> String) -> String {
    let mut yaml = String::new();
    for n in (1..=count).rev() {
        let _ = writeln!(yaml, "a{n}: {}", link(&format!("a{}", n - 1)));
    }
    yaml + "a0: k\nmap: {k: k}\n"
}

#[test]
fn long_chains_of_interpolations_are_followed() {
    type Link = fn(&str) -> String;
    let links: [(&str, Link); 3] = [
        ("${a}", |before| format!("${{{before}}}")),
        ("${oc.select:a}", |before| format!("${{oc.select:{before}}}")),
        ("${map.${a}}", |before| format!("${{map.${{{before}}}}}")),
    ];
    for (link, make) in links {
        let config = parameters(&chain(4_801, make), Budget::default());
        assert_eq!(value(&config, "a4801"), Some(&Value::Str("k".into())), "{link}");
        let config = parameters(&chain(20_000, make), Budget::default());
        assert_reported(&config, "interpolations lead from one to the next");
        assert_eq!(value(&config, "a0"), Some(&Value::Str("k".into())), "{link}");
    }
}

#[test]
fn interpolations_that_nest_values_deeply_are_refused() {
    for make in [(|before| format!("[\"${{{before}}}\"]")) as fn(&str) -> String, |before| {
        format!("{{x: \"${{{before}}}\"}}")
    }] {
        let config = parameters(&chain(400, make), Budget::default());
        assert_reported(&config, "nested more than 100 deep");
        assert_eq!(value(&config, "a0"), Some(&Value::Str("k".into())));
    }
}

#[test]
fn values_that_multiply_are_charged_by_their_expanded_size() {
    let mut laughs = "a0: &a0 [1, 2, 3, 4, 5, 6, 7, 8, 9]\n".to_owned();
    for n in 1..12 {
        let alias = format!("*a{}", n - 1);
        let _ = writeln!(laughs, "a{n}: &a{n} [{}]", [alias.as_str(); 9].join(", "));
    }
    let text = chain(60, |before| format!("${{{before}}}${{{before}}}"));
    let lists = chain(60, |before| format!("[\"${{{before}}}\", \"${{{before}}}\"]"));
    for yaml in [laughs, text, lists] {
        let config = parameters(&yaml, Budget::small());
        assert_reported(&config, "grows too large");
        assert!(config.kinds["catalog"].value.as_map().is_some());
    }
}

#[test]
fn deep_nesting_in_any_form_is_refused_and_the_rest_is_read() {
    let block: String = (0..2_000).map(|n| format!("{}a:\n", " ".repeat(n))).collect();
    for deep in [
        format!("a: {}{}\n", "[".repeat(100_000), "]".repeat(100_000)),
        format!("a: {}1{}\n", "{a: ".repeat(100_000), "}".repeat(100_000)),
        format!("a:\n  {}1\n", "- ".repeat(100_000)),
        block,
    ] {
        let start: String = deep.chars().take(20).collect();
        let config = parameters(&format!("{deep}b: 1\n"), Budget::default());
        assert!(
            config.problems.iter().any(|problem| problem.hides && problem.place.is_some()),
            "{start}"
        );
        assert_eq!(value(&config, "b"), Some(&Value::Int(1)), "{start}");
    }
}

#[test]
fn oversized_files_are_refused() {
    let config = parameters(&format!("a: \"{}\"\n", "x".repeat(17 << 20)), Budget::default());
    assert_reported(&config, "larger than 16 MB");
}
