//! What a run has loaded or saved: the size of a dataset's file, a stamp that tells its content from
//! another one, and the numbers in it, for metrics.

use std::fs;
use std::path::Path;

use serde_json::{Map, Value as Json};

use super::{Status, newest, status};
use crate::project::Dataset;

/// Files up to this size are known by a hash of their content, larger ones and folders by size and
/// time.
const HASHED: u64 = 16 << 20;
/// Files up to this size are looked into for metrics.
const METRICS: u64 = 64 << 10;
/// Most numbers that are kept of one dataset.
const NUMBERS: usize = 200;

/// A dataset as it is on disk.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Stamp {
    /// Its size in bytes.
    pub bytes: u64,
    /// `blake3:...` of the content, or `size:...,time:...`.
    pub text: String,
    /// The numbers in it by dotted keys, for JSON files that hold an object.
    pub metrics: Option<Map<String, Json>>,
}

/// Looks at a dataset of the project in `root`; `None` where it has no file here.
pub fn stamp(root: &Path, dataset: &Dataset) -> Option<Stamp> {
    let Status::Present { bytes, modified, .. } = status(root, dataset) else { return None };
    let by_time = || format!("size:{bytes},time:{modified:.6}");
    let file = newest(root, dataset).filter(|file| file.is_file());
    let content = file.filter(|_| bytes <= HASHED).and_then(|file| fs::read(file).ok());
    let Some(content) = content else {
        return Some(Stamp { bytes, text: by_time(), metrics: None });
    };
    let text = format!("blake3:{}", &blake3::hash(&content).to_hex()[..32]);
    let json = dataset.type_name.ends_with("JSONDataset")
        || dataset.type_name.ends_with("JSONDataSet")
        || dataset.type_name.contains("Metric");
    let metrics = (json && bytes <= METRICS).then(|| numbers(&content)).flatten();
    Some(Stamp { bytes, text, metrics })
}

/// The numbers of a JSON object by dotted keys; `None` where there are none.
fn numbers(content: &[u8]) -> Option<Map<String, Json>> {
    let Json::Object(object) = serde_json::from_slice(content).ok()? else { return None };
    let mut found = Map::new();
    collect("", &object, &mut found);
    (!found.is_empty()).then_some(found)
}

fn collect(prefix: &str, object: &Map<String, Json>, found: &mut Map<String, Json>) {
    for (key, value) in object {
        if found.len() == NUMBERS {
            return;
        }
        match value {
            Json::Number(_) => drop(found.insert(format!("{prefix}{key}"), value.clone())),
            Json::Object(inner) => collect(&format!("{prefix}{key}."), inner, found),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_is_told_apart_and_metrics_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        let dataset = |name: &str, type_name: &str| Dataset {
            filepath: Some(name.into()),
            type_name: type_name.into(),
            ..Dataset::default()
        };
        let json = dataset("m.json", "json.JSONDataset");
        assert_eq!(stamp(root, &json), None);
        fs::write(root.join("m.json"), r#"{"mae": 1.5, "by": {"day": 2, "name": "x"}, "l": [1]}"#)
            .unwrap();
        let first = stamp(root, &json).unwrap();
        assert_eq!(serde_json::to_string(&first.metrics).unwrap(), r#"{"mae":1.5,"by.day":2}"#);
        assert!(first.text.starts_with("blake3:") && first.bytes == 53, "{first:?}");
        fs::write(root.join("m.json"), "[1, 2]").unwrap();
        let second = stamp(root, &json).unwrap();
        assert_eq!(second.metrics, None);
        assert_ne!(second.text, first.text);
        let text = dataset("m.json", "text.TextDataset");
        assert_eq!(stamp(root, &text).unwrap().text, second.text);
        fs::create_dir(root.join("parts")).unwrap();
        let parts = dataset("parts", "partitions.PartitionedDataset");
        assert!(stamp(root, &parts).unwrap().text.starts_with("size:0,time:"));
    }
}
