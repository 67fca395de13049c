use super::*;
use crate::project::json::value_to_json;

fn document(text: &str) -> Document {
    let budget = Budget::default();
    read(text, &Path::new("conf/base/a.yml").into(), &"base".into(), &budget)
}

fn json(text: &str) -> String {
    let document = document(text);
    assert_eq!(document.problems, [], "{text}");
    value_to_json(&Value::Map(document.entries)).to_string()
}

#[test]
fn merge_keys_anchors_and_odd_keys_read_as_in_pyyaml() {
    for (text, expected) in [
        (
            "a: &x {p: 1, q: 2}\nb: {<<: *x, q: 3, r: 4}",
            r#"{"a":{"p":1,"q":2},"b":{"p":1,"q":3,"r":4}}"#,
        ),
        (
            "a: &x {p: 1}\nb: &y {p: 2, q: 2}\nc: {<<: [*x, *y]}",
            r#"{"a":{"p":1},"b":{"p":2,"q":2},"c":{"p":1,"q":2}}"#,
        ),
        ("b: {q: 3, <<: {q: 1, z: 0}}", r#"{"b":{"q":3,"z":0}}"#),
        ("1: a\ntrue: b\n1.5: c", r#"{"1":"a","True":"b","1.5":"c"}"#),
        ("a: !!str 1\nb: ! '2'\nc: !!float 3", r#"{"a":"1","b":2,"c":3.0}"#),
        ("a: 'yes'\nb: |\n  x\n  y\nc: >-\n  x\n  y", r#"{"a":"yes","b":"x\ny\n","c":"x y"}"#),
        ("{\"a\": [1, {\"b\": null}]}", r#"{"a":[1,{"b":null}]}"#),
        ("", "{}"),
        ("# nothing\n", "{}"),
    ] {
        assert_eq!(json(text), expected, "{text}");
    }
}

#[test]
fn places_are_those_of_scalars_and_of_the_keys_of_collections() {
    let document = document("a:\n  b: 1\n\nc:\n  - x\n  - y: 2\n");
    let line = |located: &Located| {
        let place = &located.origin.as_ref().unwrap().place;
        (place.line, place.column)
    };
    let a = &document.entries["a"];
    assert_eq!((line(a), line(a.value.get("b").unwrap())), ((1, 1), (2, 6)));
    let Value::List(items) = &document.entries["c"].value else { panic!("a list") };
    assert_eq!((line(&document.entries["c"]), line(&items[0])), ((4, 1), (5, 5)));
    assert_eq!(line(items[1].value.get("y").unwrap()), (6, 8));
}

#[test]
fn no_place_is_beyond_the_end_of_the_text() {
    for text in ["a: b\n: ? ", "? a\n: ? ", "a:\r\rb: c\0", "a: [\n1\n]\nb:", "a:\n? x"] {
        let document = document(text);
        let values = document.entries.values();
        let inner =
            values.clone().filter_map(|value| value.value.as_map()).flat_map(|map| map.values());
        let origins = values.chain(inner).filter_map(|value| value.origin.as_ref());
        let problem_places = document.problems.iter().filter_map(|problem| problem.place.as_ref());
        for place in origins.map(|origin| &origin.place).chain(problem_places) {
            let (line, column) = layout::end(text);
            let end = (line as u32, column as u32 + 1);
            assert!((place.line, place.column) <= end, "{text:?}: {place}");
        }
    }
}

#[test]
fn a_broken_entry_leaves_the_others_readable() {
    let document = document("a:\n  type: x\nb:\n  type: [1, 2\nc:\n  type: z\n");
    assert_eq!(document.problems.len(), 1);
    let problem = &document.problems[0];
    assert!(problem.hides && problem.place.as_ref().unwrap().line >= 4, "{problem:?}");
    assert_eq!(document.entries.keys().collect::<Vec<_>>(), ["a", "c"]);
    let place = &document.entries["c"].value.get("type").unwrap().origin.as_ref().unwrap().place;
    assert_eq!(place.line, 6);
}

#[test]
fn faults_are_named_with_their_place() {
    for (text, line, expected) in [
        ("a: 1\na: 2", 2, "stands twice"),
        ("x:\n  b: 1\n  b: 2", 3, "stands twice"),
        ("a: 1\n---\nb: 2", 2, "second YAML document"),
        ("- a\n- b", 1, "does not hold a mapping"),
        ("a: !thing 1", 1, "the tag"),
        ("a: {<<: 3}", 1, "`<<` takes"),
        ("a: *x", 1, "not valid YAML"),
        ("a: 1\n b: 2", 2, "not valid YAML"),
    ] {
        let document = document(text);
        assert!(
            document.problems.iter().any(|problem| {
                problem.text.to_lowercase().contains(&expected.to_lowercase())
                    && problem.place.as_ref().is_some_and(|place| place.line == line)
                    && !problem.remedy.is_empty()
            }),
            "{text:?}: {:?}",
            document.problems
        );
    }
}

#[test]
fn alias_bombs_and_deep_nesting_are_refused() {
    let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..9 {
        let aliases = vec![format!("*a{}", level - 1); 10].join(", ");
        bomb += &format!("a{level}: &a{level} [{aliases}]\n");
    }
    assert!(!document(&bomb).problems.is_empty());
    let deep = format!("a: {}{}", "[".repeat(5_000), "]".repeat(5_000));
    assert!(!document(&deep).problems.is_empty());
}

proptest::proptest! {
    #[test]
    fn any_text_is_read_without_panic(text in "[ -~\n\t]{0,200}") {
        document(&text);
    }
}
