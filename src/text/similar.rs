//! Names that are similar to one that was misspelled.

use std::fmt::Write as _;

/// The name most similar to `wanted`, if at most a third of the letters, or two, differ; the first one of equals. A
/// change of case counts less than another letter, and two swapped letters count once (the optimal string alignment
/// distance).
pub fn closest<'a>(wanted: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let letters = wanted.chars().count();
    let limit = letters.div_ceil(3).max(2);
    let lower = wanted.to_lowercase();
    names
        .into_iter()
        .filter(|name| *name != wanted && name.chars().count().abs_diff(letters) <= limit)
        .map(|name| {
            let without_case = strsim::osa_distance(&lower, &name.to_lowercase());
            ((without_case, strsim::osa_distance(wanted, name)), name)
        })
        .filter(|((distance, _), _)| *distance <= limit && *distance < letters)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// A sentence that asks for the most similar name, with a space before it; empty if no name is similar.
pub fn did_you_mean<'a>(wanted: &str, names: impl IntoIterator<Item = &'a str>) -> String {
    let mut text = String::new();
    if let Some(name) = closest(wanted, names) {
        let _ = write!(text, " Did you mean `{name}`?");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_similar_name_is_found() {
        let names = ["X_train", "X_test", "model", "Model_2", "raw"];
        for (wanted, found) in [
            ("X_trian", Some("X_train")),
            ("x_TEST", Some("X_test")),
            ("modle", Some("model")),
            ("model_2", Some("Model_2")),
            ("model", Some("Model_2")),
            ("rw", Some("raw")),
            ("x", None),
            ("companies", None),
            ("", None),
        ] {
            assert_eq!(closest(wanted, names), found, "{wanted}");
        }
        assert_eq!(did_you_mean("X_trian", names), " Did you mean `X_train`?");
        assert_eq!(did_you_mean("companies", names), "");
    }
}
