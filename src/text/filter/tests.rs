//! The filter language.

use proptest::prelude::*;

use super::*;

const KEYS: &[Key] = &[
    Key {
        name: "is",
        aliases: &["status"],
        kind: Kind::Values(&[
            value("failed", "the last run failed"),
            value("fresh", "up to date"),
            Value { name: "never", alias: "never-run", help: "no known run" },
        ]),
        help: "state",
    },
    key("tag", Kind::Text, "nodes with the tag"),
    key("type", Kind::Text, "type of the dataset"),
    key("took", Kind::Duration, "duration of the last run"),
    key("nodes", Kind::Number, "number of nodes"),
    key(
        "since",
        Kind::Checked("7d", |text| match text {
            "7d" => Ok(()),
            _ => Err(format!("`{text}` is no time").into()),
        }),
        "began since",
    ),
];

struct Node;

impl Row for Node {
    fn contains(&self, word: &str) -> bool {
        "train_model".contains(word)
    }

    fn is(&self, key: &str, value: &str) -> bool {
        matches!((key, value), ("is", "failed") | ("tag", "my tag" | "slow"))
    }

    fn number(&self, key: &str) -> Option<f64> {
        (key == "took").then_some(2.0)
    }
}

#[test]
fn all_terms_must_match_and_a_comma_means_or() {
    for (text, matches) in [
        ("", true),
        ("TRAIN", true),
        ("train model", true),
        ("train score", false),
        ("-score", true),
        ("!train", false),
        ("is:failed", true),
        ("is:fresh", false),
        ("is:fresh,failed", true),
        ("-is:fresh,failed", false),
        ("status:FAILED tag:slow", true),
        ("tag:\"my tag\"", true),
        ("tag:other,\"my tag\"", true),
        ("tag:\"other,my tag\"", false),
        ("took>1s", true),
        ("took>=2s took<=2000ms", true),
        ("took>1m", false),
        ("-took>1m", true),
        ("nodes>0", false),
        ("\"is:failed\"", false),
        ("params:train", false),
        ("--model", false),
    ] {
        let filter = parse(text, KEYS).expect(text);
        assert_eq!(filter.matches(&Node), matches, "{text}");
    }
}

#[test]
fn errors_stand_under_the_wrong_character() {
    for (text, at, expected) in [
        ("is:fialed", 3, "`is:` has no value `fialed`. Did you mean `failed`?"),
        ("is:odd", 3, "`odd` is not among: failed, fresh, never."),
        ("is:failed,frsh", 10, "`is:` has no value `frsh`. Did you mean `fresh`?"),
        ("é tga:x", 2, "There is no key `tga`. Did you mean `tag`?"),
        ("-where:x", 1, "There is no key `where`. Put it in quotes to look for the text."),
        ("tag:", 4, "A value of `tag` is missing here."),
        ("is:failed, ", 10, "A value of `is` is missing here."),
        ("a tag:\"my tag", 6, "This quote is not closed."),
        ("took>", 5, "A duration is missing here. Write 200ms, 1s, 2m or 1h30m."),
        ("took>1", 5, "`1` is no duration. Write 200ms, 1s, 2m or 1h30m."),
        ("took:1s", 0, "`took` is compared: took>1s or took<1s."),
        ("nodes>=many", 7, "`many` is no number."),
        ("tag>a", 0, "`tag` has no order. Write tag: before the value."),
        ("since:then", 6, "`then` is no time"),
    ] {
        let error = parse(text, KEYS).expect_err(text);
        assert_eq!((error.at, error.text.as_str()), (at, expected), "{text}");
    }
}

#[test]
fn durations_have_units() {
    for (text, seconds) in
        [("200ms", 0.2), ("1s", 1.0), ("1.5s", 1.5), ("2m", 120.0), ("1h30m", 5_400.0)]
    {
        assert_eq!(parse_duration(text), Some(seconds), "{text}");
    }
    for wrong in ["", "1", "s", "1x", "1s2", "-1s", "1..2s"] {
        assert_eq!(parse_duration(wrong), None, "{wrong}");
    }
    assert_eq!(parse_duration(&format!("{}h", "9".repeat(400))), None);
}

#[test]
fn keys_and_values_are_completed_at_the_cursor() {
    let known = |key: &str| match key {
        "tag" => vec!["my tag".into(), "slow".into()],
        _ => Vec::new(),
    };
    for (before, from, candidates, hint) in [
        ("", 0, "is: tag: type: took> nodes> since:", ""),
        ("a ", 2, "is: tag: type: took> nodes> since:", ""),
        ("a t", 2, "tag: type: took>", ""),
        ("-t", 1, "tag: type: took>", ""),
        ("is:f", 3, "failed fresh", ""),
        ("is:failed,n", 10, "never", ""),
        ("tag:", 4, "\"my tag\" slow", "nodes with the tag"),
        ("tag:\"my", 4, "\"my tag\"", "nodes with the tag"),
        ("tag:s", 4, "slow", "nodes with the tag"),
        ("took>", 5, "", "a duration: 200ms, 1s, 2m, 1h30m"),
        ("since:", 6, "", "such as since:7d"),
        ("gone:", 5, "", ""),
    ] {
        let found = complete(before, KEYS, known);
        let texts: Vec<&str> = found.candidates.iter().map(|one| one.text.as_str()).collect();
        assert_eq!((found.from, texts.join(" ").as_str()), (from, candidates), "{before}");
        assert_eq!(found.hint, hint, "{before}");
    }
}

#[test]
fn a_term_that_is_being_typed_is_not_applied_yet() {
    for (typed, applied) in [
        ("good no", "good"),
        ("good nox", "good nox"),
        ("is:", ""),
        ("is:fa", ""),
        ("is:failed", "is:failed"),
        ("is:failed t", "is:failed"),
        ("tag:\"my", ""),
        ("took>1", ""),
        ("took>1x", "took>1x"),
        ("a ", "a "),
        ("t ", "t "),
    ] {
        assert_eq!(settled(typed, KEYS), applied, "{typed}");
    }
}

/// Texts that look like filters more often than random ones do.
fn texts() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "is:", "failed", "fresh", ",", "tag:", "\"", " ", "-", "!", "took", ">", "<", "=", "1s",
        "5", "nodes", "since:", "7d", "é", "params:", "word", "\t", "日", ":",
    ]);
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn any_text_is_parsed_or_refused_within_its_bounds(text in prop_oneof![texts(), any::<String>()]) {
        let length = text.chars().count();
        match parse(&text, KEYS) {
            Ok(filter) => {
                for term in &filter.terms {
                    prop_assert!(term.span.start < term.span.end && term.span.end <= length);
                }
                let written = filter.to_string();
                let again = parse(&written, KEYS);
                let tests = |filter: &Filter| -> Vec<(bool, Test)> {
                    filter.terms.iter().map(|term| (term.negated, term.test.clone())).collect()
                };
                prop_assert_eq!(again.as_ref().map(tests), Ok(tests(&filter)), "{}", written);
                prop_assert_eq!(again.map(|again| again.to_string()), Ok(written));
            }
            Err(error) => prop_assert!(error.at <= length),
        }
        prop_assert!(text.starts_with(settled(&text, KEYS)));
        let found = complete(&text, KEYS, |_| vec!["my tag".into()]);
        prop_assert!(found.from <= length);
    }
}
