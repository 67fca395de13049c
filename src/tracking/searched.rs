//! The fields of a store's entities, as filters and orders see them.

use super::entities::{Experiment, LoggedModel, Model, ModelVersion, Run, of};
use super::filter::{
    Attribute, Cell, Comparator, Compare, DatasetField, Expr, Field, Near, Searched, Value,
};

/// The tag that marks prompts, which are stored as models.
pub const IS_PROMPT: &str = "mlflow.prompt.is_prompt";
/// The stage of deleted model versions.
pub const DELETED: &str = "Deleted_Internal";

fn text(text: &str) -> Option<Cell<'_>> {
    Some(Cell::Text(text))
}

fn time(at: Option<i64>) -> Option<Cell<'static>> {
    // Times in milliseconds are far below 2^53, so the conversion is exact.
    at.map(|at| Cell::Number(at as f64))
}

fn keyed<'a>(sorted: &'a [(String, String)], key: &str) -> Option<Cell<'a>> {
    of(sorted, key).map(Cell::Text)
}

impl Searched for Run {
    fn cell(&self, field: &Field) -> Option<Cell<'_>> {
        match field {
            Field::Metric(key) => self.metric(key).map(Cell::Number),
            Field::Param(key) => keyed(&self.params, key),
            Field::Tag(key) => keyed(&self.tags, key),
            Field::Attribute(attribute) => match attribute {
                Attribute::Id | Attribute::RunId => text(&self.id),
                Attribute::ExperimentId => text(&self.experiment_id),
                Attribute::Name => text(&self.name),
                Attribute::Status => text(&self.status),
                Attribute::UserId => text(&self.user_id),
                Attribute::ArtifactUri => text(&self.artifact_uri),
                Attribute::LifecycleStage => text(&self.lifecycle_stage),
                Attribute::Created => time(self.start_time),
                Attribute::Ended => time(self.end_time),
                _ => None,
            },
            Field::Dataset(_) => None,
        }
    }

    fn cell_near(&self, field: &Field, near: &Near) -> Option<Cell<'_>> {
        match field {
            Field::Metric(key) => near.find(&self.metrics, key).copied().map(Cell::Number),
            Field::Param(key) => near.find(&self.params, key).map(|value| Cell::Text(value)),
            Field::Tag(key) => near.find(&self.tags, key).map(|value| Cell::Text(value)),
            _ => self.cell(field),
        }
    }

    fn datasets(&self, field: DatasetField) -> Vec<&str> {
        let values = self.datasets.iter().filter_map(|dataset| match field {
            DatasetField::Name => Some(dataset.name.as_str()),
            DatasetField::Digest => Some(dataset.digest.as_str()),
            DatasetField::Context => dataset.context(),
        });
        values.collect()
    }
}

impl Searched for Experiment {
    fn cell(&self, field: &Field) -> Option<Cell<'_>> {
        match field {
            Field::Tag(key) => keyed(&self.tags, key),
            Field::Attribute(attribute) => match attribute {
                Attribute::Id | Attribute::ExperimentId => text(&self.id),
                Attribute::Name => text(&self.name),
                Attribute::ArtifactUri => text(&self.artifact_location),
                Attribute::LifecycleStage => text(&self.lifecycle_stage),
                Attribute::Created => time(self.creation_time),
                Attribute::Updated => time(self.last_update_time),
                _ => None,
            },
            _ => None,
        }
    }
}

impl Searched for Model {
    fn cell(&self, field: &Field) -> Option<Cell<'_>> {
        match field {
            Field::Tag(key) => keyed(&self.tags, key),
            Field::Attribute(attribute) => match attribute {
                Attribute::Id | Attribute::Name => text(&self.name),
                Attribute::Created => time(self.creation_timestamp),
                Attribute::Updated => time(self.last_updated_timestamp),
                _ => None,
            },
            _ => None,
        }
    }
}

impl Searched for ModelVersion {
    fn cell(&self, field: &Field) -> Option<Cell<'_>> {
        match field {
            Field::Tag(key) => keyed(&self.tags, key),
            Field::Attribute(attribute) => match attribute {
                Attribute::Name => text(&self.name),
                // Version numbers are small, so the conversion is exact.
                Attribute::Version => Some(Cell::Number(self.version as f64)),
                Attribute::RunId => self.run_id.as_deref().map(Cell::Text),
                Attribute::Source => self.source.as_deref().map(Cell::Text),
                Attribute::Status => text(&self.status),
                Attribute::StatusMessage => self.status_message.as_deref().map(Cell::Text),
                Attribute::UserId => self.user_id.as_deref().map(Cell::Text),
                Attribute::Created => time(self.creation_timestamp),
                Attribute::Updated => time(self.last_updated_timestamp),
                _ => None,
            },
            _ => None,
        }
    }
}

impl Searched for LoggedModel {
    /// If a metric has several values, the first counts, as in MLflow's file store.
    fn cell(&self, field: &Field) -> Option<Cell<'_>> {
        match field {
            Field::Metric(key) => {
                let found = self.metrics.iter().find(|metric| metric.key == *key);
                found.map(|metric| Cell::Number(metric.value))
            }
            Field::Param(key) => keyed(&self.params, key),
            Field::Tag(key) => keyed(&self.tags, key),
            Field::Attribute(attribute) => match attribute {
                Attribute::Id => text(&self.id),
                Attribute::ExperimentId => text(&self.experiment_id),
                Attribute::Name => text(&self.name),
                Attribute::ArtifactUri => text(&self.artifact_location),
                Attribute::Status => text(&self.status),
                Attribute::StatusMessage => self.status_message.as_deref().map(Cell::Text),
                Attribute::LifecycleStage => text(&self.lifecycle_stage),
                Attribute::ModelType => self.model_type.as_deref().map(Cell::Text),
                Attribute::RunId => self.source_run_id.as_deref().map(Cell::Text),
                Attribute::Created => time(self.creation_timestamp),
                Attribute::Updated => time(self.last_updated_timestamp),
                _ => None,
            },
            Field::Dataset(_) => None,
        }
    }
}

/// Adds MLflow's implicit condition on prompts to a filter of models or versions: prompts are excluded unless
/// the filter names their tag, and a missing tag means that a model is no prompt
/// (`add_prompt_filter_string`).
pub fn without_prompts(filter: &Expr) -> Expr {
    let tag = || Field::Tag(IS_PROMPT.to_owned());
    let compare = |comparator, value| Expr::Compare(Compare { field: tag(), comparator, value });
    match names_prompts(filter) {
        true => untagged(filter),
        false => {
            let is = compare(Comparator::Equal, Value::Text("true".to_owned()));
            Expr::And(vec![filter.clone(), Expr::Not(Box::new(is))])
        }
    }
}

/// Whether a filter names the tag of prompts.
pub fn names_prompts(filter: &Expr) -> bool {
    match filter {
        Expr::And(parts) | Expr::Or(parts) => parts.iter().any(names_prompts),
        Expr::Not(part) => names_prompts(part),
        Expr::Compare(compare) => matches!(&compare.field, Field::Tag(key) if key == IS_PROMPT),
        Expr::Last(_) | Expr::Named(_) => false,
    }
}

/// Rewrites a filter such that a missing prompt tag counts as `false`.
fn untagged(filter: &Expr) -> Expr {
    let all = |parts: &[Expr]| parts.iter().map(untagged).collect();
    match filter {
        Expr::And(parts) => Expr::And(all(parts)),
        Expr::Or(parts) => Expr::Or(all(parts)),
        Expr::Not(part) => Expr::Not(Box::new(untagged(part))),
        Expr::Compare(compare) if names_prompts(filter) && is_no_prompt(compare) => {
            let (field, comparator) = (compare.field.clone(), Comparator::IsNull);
            let missing = Compare { field, comparator, value: Value::Nothing };
            Expr::Or(vec![Expr::Compare(missing), filter.clone()])
        }
        other => other.clone(),
    }
}

/// Whether the comparison is `= 'false'` or `!= 'true'`.
fn is_no_prompt(compare: &Compare) -> bool {
    match (compare.comparator, &compare.value) {
        (Comparator::Equal, Value::Text(value)) => value == "false",
        (Comparator::NotEqual, Value::Text(value)) => value == "true",
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tracking::filter::{Entity, Matcher, parse};

    #[test]
    fn prompts_are_shown_only_on_request() {
        let model = |tag: Option<&str>| Model {
            tags: tag.map(|tag| (IS_PROMPT.to_owned(), tag.to_owned())).into_iter().collect(),
            ..Model::default()
        };
        let models = [model(None), model(Some("true")), model(Some("false"))];
        let shown = |filter: &str| {
            let filter = without_prompts(&parse(Entity::RegisteredModel, filter).unwrap());
            let matcher = Matcher::new(&filter, 0);
            models.iter().map(|model| matcher.accepts(model)).collect::<Vec<_>>()
        };
        assert_eq!(shown(""), [true, false, true]);
        assert_eq!(shown("tags.`mlflow.prompt.is_prompt` = 'true'"), [false, true, false]);
        assert_eq!(shown("tags.`mlflow.prompt.is_prompt` != 'true'"), [true, false, true]);
        assert_eq!(shown("tags.`mlflow.prompt.is_prompt` = 'false'"), [true, false, true]);
        assert_eq!(shown("tags.`mlflow.prompt.is_prompt` != 'x'"), [false, true, true]);
    }
}
