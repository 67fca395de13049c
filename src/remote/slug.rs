//! Names of nodes as ids of tasks.
//!
//! The ids are those that kedro-airflow makes with python-slugify, so that a DAG which replaces one of
//! kedro-airflow's keeps the history of its tasks.

/// The longest id. Airflow takes 250 characters, but a folder of logs is named `task_id=` and the id, and file
/// systems take 255 bytes.
const LONGEST: usize = 240;

/// The id for a name: lower-case ASCII letters, digits and single dashes between them. Empty if the name has no
/// letter and no digit.
pub(super) fn slug(name: &str) -> String {
    let ascii = deunicode::deunicode_with_tofu(&name.replace('\'', "-"), "-");
    let plain: Vec<char> = ascii.to_ascii_lowercase().chars().filter(|c| *c != '\'').collect();
    let is_digit =
        |at: Option<usize>| at.and_then(|at| plain.get(at)).is_some_and(char::is_ascii_digit);
    let mut words = vec![String::new()];
    for (at, c) in plain.iter().enumerate() {
        match c {
            c if c.is_ascii_alphanumeric() => words.last_mut().expect("a word").push(*c),
            // The comma in `1,000`.
            ',' if is_digit(at.checked_sub(1)) && is_digit(Some(at + 1)) => {}
            _ => words.push(String::new()),
        }
    }
    words.retain(|word| !word.is_empty());
    shortened(words.join("-"))
}

/// An id that is too long keeps its beginning, and gets a mark of the whole, so that it stays the same and differs from others.
fn shortened(id: String) -> String {
    if id.len() <= LONGEST {
        return id;
    }
    let mark = blake3::hash(id.as_bytes()).to_hex();
    let begin = id[..LONGEST - 9].trim_end_matches('-');
    format!("{begin}-{}", &mark[..8])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_ids() {
        let cases = [
            ("split_node", "split-node"),
            ("linear.train_model", "linear-train-model"),
            ("f([a;b]) -> [c]", "f-a-b-c"),
            ("  Ünïcode Größe ", "unicode-grosse"),
            ("it's 1,000", "it-s-1000"),
            ("a,1", "a-1"),
            ("1,a", "1-a"),
            (",1", "1"),
            ("...", ""),
            ("", ""),
        ];
        for (name, wanted) in cases {
            assert_eq!(slug(name), wanted, "{name}");
        }
    }

    #[test]
    fn long_ids_are_cut_and_stay_different() {
        let longest = "a".repeat(LONGEST);
        assert_eq!(slug(&longest), longest);
        let (one, other) = (slug(&(longest.clone() + "b")), slug(&(longest + "c")));
        assert_eq!((one.len(), other.len()), (LONGEST, LONGEST));
        assert_ne!(one, other);
        assert_eq!(one[..LONGEST - 9], "a".repeat(LONGEST - 9));
    }
}
