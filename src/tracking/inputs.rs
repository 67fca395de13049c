//! Datasets with the runs that have read them: the other direction of a run's own list.

use std::collections::BTreeMap;

use super::entities::Run;

/// A dataset, one for each name and digest.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ReadDataset {
    /// Name.
    pub name: String,
    /// Digest of its content.
    pub digest: String,
    /// Kind of source, such as `local`.
    pub source_type: String,
    /// Where it was read from, as JSON.
    pub source: String,
    /// The runs that have read it, in their order.
    pub readers: Vec<Reader>,
}

/// A run that has read a dataset.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reader {
    /// Index of the run.
    pub run: usize,
    /// What it was read for, such as `training`; sorted.
    pub contexts: Vec<String>,
}

/// The datasets that the runs have read, by name and digest. Where runs name several sources, it is that of
/// the first run.
pub fn datasets(runs: &[Run]) -> Vec<ReadDataset> {
    let mut found: BTreeMap<(&str, &str), ReadDataset> = BTreeMap::new();
    for (index, run) in runs.iter().enumerate() {
        for input in &run.datasets {
            let dataset =
                found.entry((&input.name, &input.digest)).or_insert_with(|| ReadDataset {
                    name: input.name.clone(),
                    digest: input.digest.clone(),
                    source_type: input.source_type.clone(),
                    source: input.source.clone(),
                    readers: Vec::new(),
                });
            let contexts = input.context().map(str::to_owned);
            match dataset.readers.last_mut().filter(|reader| reader.run == index) {
                Some(reader) => {
                    reader.contexts.extend(contexts);
                    reader.contexts.sort();
                    reader.contexts.dedup();
                }
                None => {
                    let contexts = contexts.into_iter().collect();
                    dataset.readers.push(Reader { run: index, contexts });
                }
            }
        }
    }
    found.into_values().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tracking::entities::DatasetInput;

    #[test]
    fn a_dataset_is_one_for_each_name_and_digest() {
        let input = |name: &str, digest: &str, context: &str| DatasetInput {
            name: name.to_owned(),
            digest: digest.to_owned(),
            tags: vec![("mlflow.data.context".to_owned(), context.to_owned())],
            ..DatasetInput::default()
        };
        let run = |datasets| Run { datasets, ..Run::default() };
        let runs = [
            run(vec![input("b", "1", "train"), input("a", "2", "x"), input("b", "1", "eval")]),
            run(Vec::new()),
            run(vec![input("b", "1", "train"), input("b", "0", "train")]),
        ];
        let found = datasets(&runs);
        let shown: Vec<_> = found.iter().map(|it| format!("{}{}", it.name, it.digest)).collect();
        assert_eq!(shown, ["a2", "b0", "b1"]);
        let reader = |run, contexts: &[&str]| Reader {
            run,
            contexts: contexts.iter().map(|it| (*it).to_owned()).collect(),
        };
        assert_eq!(found[2].readers, [reader(0, &["eval", "train"]), reader(2, &["train"])]);
    }
}
