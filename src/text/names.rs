//! Short names for dotted ones.

use std::collections::HashMap;

/// For each dotted name its last parts, as few as tell it apart from the others.
pub fn short_names<'k>(keys: impl Iterator<Item = &'k String>) -> HashMap<String, String> {
    let keys: Vec<&String> = keys.collect();
    let ends = |key: &str, parts: usize| -> String {
        let dots = key.rmatch_indices('.').nth(parts - 1);
        dots.map_or(key, |(dot, _)| &key[dot + 1..]).to_owned()
    };
    let mut names: HashMap<String, String> = HashMap::new();
    let mut open = keys;
    for parts in 1.. {
        let mut seen: HashMap<String, usize> = HashMap::new();
        for key in &open {
            *seen.entry(ends(key, parts)).or_default() += 1;
        }
        open.retain(|key| {
            let short = ends(key, parts);
            let settled = seen.get(&short) == Some(&1) || short == **key;
            if settled {
                names.insert((*key).clone(), short);
            }
            !settled
        });
        if open.is_empty() {
            break;
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_few_parts_as_tell_names_apart() {
        let keys = ["a.lr", "b.lr", "model.depth", "lr"].map(str::to_owned);
        let names = short_names(keys.iter());
        let short: Vec<&str> = keys.iter().map(|key| names[key].as_str()).collect();
        assert_eq!(short, ["a.lr", "b.lr", "depth", "lr"]);
    }
}
