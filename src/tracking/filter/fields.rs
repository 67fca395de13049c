//! The fields of filters, and the valid comparators and values of each (MLflow's `SearchUtils` and its
//! subclasses, and `search_logged_model_utils`).

use super::group::{Comparison, Right};
use super::{Comparator, Compare, Entity, Field, FilterError, Value, literal, slice, unquoted};

/// A property of an entity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attribute {
    /// Id of a run, experiment or logged model, depending on the entity.
    Id,
    /// Id of the experiment.
    ExperimentId,
    /// Name of the entity.
    Name,
    /// Status of the entity.
    Status,
    /// User who started the run.
    UserId,
    /// URI of the artifacts.
    ArtifactUri,
    /// Start or creation time, in milliseconds.
    Created,
    /// End time, in milliseconds.
    Ended,
    /// Time of the last change, in milliseconds.
    Updated,
    /// Number of a model version.
    Version,
    /// Id of the run that made the model.
    RunId,
    /// URI that a model version was created from.
    Source,
    /// Lifecycle stage of a logged model.
    LifecycleStage,
    /// Type of a logged model.
    ModelType,
    /// Message about the status of a logged model.
    StatusMessage,
}

impl Attribute {
    /// Whether the values are numbers.
    pub fn is_numeric(self) -> bool {
        use Attribute::*;
        matches!(self, Created | Ended | Updated | Version)
    }
}

/// A property of a dataset that a run has read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DatasetField {
    /// Name of the dataset.
    Name,
    /// Digest of its content.
    Digest,
    /// Purpose of reading the dataset, such as `training`.
    Context,
}

/// A name of an attribute; `order` says whether it is valid in filters, in orders, or in both.
struct Name {
    name: &'static str,
    attribute: Attribute,
    order: Use,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Use {
    Filter,
    Order,
    Both,
}

const fn name(name: &'static str, attribute: Attribute, order: Use) -> Name {
    Name { name, attribute, order }
}

const RUN: [Name; 12] = [
    name("run_id", Attribute::Id, Use::Both),
    name("run_name", Attribute::Name, Use::Both),
    name("run name", Attribute::Name, Use::Filter),
    name("Run name", Attribute::Name, Use::Filter),
    name("Run Name", Attribute::Name, Use::Filter),
    name("status", Attribute::Status, Use::Both),
    name("user_id", Attribute::UserId, Use::Both),
    name("artifact_uri", Attribute::ArtifactUri, Use::Both),
    name("start_time", Attribute::Created, Use::Both),
    name("created", Attribute::Created, Use::Both),
    name("Created", Attribute::Created, Use::Both),
    name("end_time", Attribute::Ended, Use::Both),
];
const EXPERIMENT: [Name; 4] = [
    name("name", Attribute::Name, Use::Both),
    name("experiment_id", Attribute::Id, Use::Both),
    name("creation_time", Attribute::Created, Use::Both),
    name("last_update_time", Attribute::Updated, Use::Both),
];
const REGISTERED_MODEL: [Name; 4] = [
    name("name", Attribute::Name, Use::Both),
    name("creation_timestamp", Attribute::Created, Use::Order),
    name("last_updated_timestamp", Attribute::Updated, Use::Order),
    name("timestamp", Attribute::Updated, Use::Order),
];
const MODEL_VERSION: [Name; 6] = [
    name("name", Attribute::Name, Use::Both),
    name("version_number", Attribute::Version, Use::Both),
    name("run_id", Attribute::RunId, Use::Filter),
    name("source_path", Attribute::Source, Use::Filter),
    name("creation_timestamp", Attribute::Created, Use::Order),
    name("last_updated_timestamp", Attribute::Updated, Use::Order),
];
const LOGGED_MODEL: [Name; 14] = [
    name("model_id", Attribute::Id, Use::Both),
    name("experiment_id", Attribute::ExperimentId, Use::Both),
    name("name", Attribute::Name, Use::Both),
    name("artifact_location", Attribute::ArtifactUri, Use::Both),
    name("creation_time", Attribute::Created, Use::Both),
    name("creation_timestamp", Attribute::Created, Use::Both),
    name("creation_timestamp_ms", Attribute::Created, Use::Both),
    name("last_updated_timestamp", Attribute::Updated, Use::Both),
    name("last_updated_timestamp_ms", Attribute::Updated, Use::Both),
    name("status", Attribute::Status, Use::Both),
    name("lifecycle_stage", Attribute::LifecycleStage, Use::Both),
    name("model_type", Attribute::ModelType, Use::Both),
    name("source_run_id", Attribute::RunId, Use::Both),
    name("status_message", Attribute::StatusMessage, Use::Both),
];

fn names(entity: Entity) -> &'static [Name] {
    match entity {
        Entity::Run => &RUN,
        Entity::Experiment => &EXPERIMENT,
        Entity::RegisteredModel => &REGISTERED_MODEL,
        Entity::ModelVersion => &MODEL_VERSION,
        Entity::LoggedModel => &LOGGED_MODEL,
    }
}

/// The attribute with a name, for orders if `ordering`, else for filters.
pub(super) fn attribute(entity: Entity, key: &str, ordering: bool) -> Option<Attribute> {
    let other = if ordering { Use::Filter } else { Use::Order };
    let mut names = names(entity).iter();
    names.find(|name| name.name == key && name.order != other).map(|name| name.attribute)
}

/// The first name of an attribute, for orders if `ordering`, else for filters.
pub(super) fn name_of(
    entity: Entity,
    attribute: Attribute,
    ordering: bool,
) -> Option<&'static str> {
    let other = if ordering { Use::Filter } else { Use::Order };
    let mut names = names(entity).iter();
    names.find(|name| name.attribute == attribute && name.order != other).map(|name| name.name)
}

/// Parses the name of a field. `at` is its offset in the text.
///
/// # Errors
/// When MLflow has no such field.
pub(super) fn field(
    entity: Entity,
    written: &str,
    at: usize,
    ordering: bool,
) -> Result<Field, FilterError> {
    if entity == Entity::LoggedModel {
        return logged_model_field(written, at);
    }
    let (prefix, key) = match written.split_once('.') {
        Some((prefix, key)) => (Some(prefix), key),
        None => (None, written),
    };
    let kind = match prefix {
        None => Prefix::Attribute,
        Some(prefix) => read_prefix(entity, prefix).ok_or_else(|| {
            let (what, valid) = match entity {
                Entity::Run => {
                    ("Valid values are", "['metric', 'parameter', 'tag', 'attribute', 'dataset']")
                }
                _ => ("Valid entity types are", "('attribute', 'tag', 'tags')"),
            };
            FilterError::new(format!("Invalid entity type '{prefix}'. {what} {valid}"), at)
        })?,
    };
    let key_at = at + written.len() - key.len();
    let plain = unquoted(key, &['\'', '"']).unwrap_or(key);
    let plain = unquoted(plain, &['`']).unwrap_or(plain);
    // MLflow's registry looks up the key before it removes quotes.
    let in_registry = matches!(entity, Entity::RegisteredModel | Entity::ModelVersion);
    let looked_up = if in_registry && !ordering { key } else { plain };
    Ok(match kind {
        Prefix::Metric => Field::Metric(plain.to_owned()),
        Prefix::Param => Field::Param(plain.to_owned()),
        Prefix::Tag => Field::Tag(plain.to_owned()),
        Prefix::Attribute => {
            Field::Attribute(attribute(entity, looked_up, ordering).ok_or_else(|| {
                FilterError::new(
                    format!(
                        "Invalid attribute key '{looked_up}' specified. Valid keys are {}",
                        valid_keys(entity, ordering)
                    ),
                    key_at,
                )
            })?)
        }
        Prefix::Dataset => Field::Dataset(match plain {
            "name" => DatasetField::Name,
            "digest" => DatasetField::Digest,
            "context" => DatasetField::Context,
            _ => {
                let message = format!(
                    "Invalid dataset key '{plain}' specified. Valid keys are 'name', 'digest', 'context'"
                );
                return Err(FilterError::new(message, key_at));
            }
        }),
    })
}

fn valid_keys(entity: Entity, ordering: bool) -> String {
    let other = if ordering { Use::Filter } else { Use::Order };
    let names = names(entity).iter().filter(|name| name.order != other);
    names.map(|name| format!("'{}'", name.name)).collect::<Vec<_>>().join(", ")
}

enum Prefix {
    Metric,
    Param,
    Tag,
    Attribute,
    Dataset,
}

fn read_prefix(entity: Entity, prefix: &str) -> Option<Prefix> {
    if entity != Entity::Run {
        return match prefix {
            "attribute" => Some(Prefix::Attribute),
            "tag" | "tags" => Some(Prefix::Tag),
            _ => None,
        };
    }
    Some(match unquoted(prefix, &['`']).unwrap_or(prefix) {
        "metric" | "metrics" => Prefix::Metric,
        "param" | "params" | "parameter" | "parameters" => Prefix::Param,
        "tag" | "tags" => Prefix::Tag,
        "attribute" | "attributes" | "attr" | "run" => Prefix::Attribute,
        "dataset" | "datasets" => Prefix::Dataset,
        _ => return None,
    })
}

/// MLflow has a separate parser for logged models (`search_logged_model_utils.Entity.from_str`).
fn logged_model_field(written: &str, at: usize) -> Result<Field, FilterError> {
    let lower =
        |prefix: &&str| !prefix.is_empty() && prefix.bytes().all(|b| b.is_ascii_lowercase());
    let split = written.split_once('.').filter(|(prefix, key)| lower(prefix) && !key.is_empty());
    let (prefix, key) = split.unwrap_or(("attributes", written));
    let key = key.trim_matches('`');
    Ok(match prefix {
        "metrics" => Field::Metric(key.to_owned()),
        "params" => Field::Param(key.to_owned()),
        "tags" => Field::Tag(key.to_owned()),
        "attributes" => {
            // Column names are valid with a prefix, aliases without.
            let is_alias =
                matches!(key, "creation_time" | "creation_timestamp" | "last_updated_timestamp");
            let found =
                attribute(Entity::LoggedModel, key, false).filter(|_| split.is_none() || !is_alias);
            Field::Attribute(found.ok_or_else(|| {
                let valid = valid_keys(Entity::LoggedModel, false);
                let message =
                    format!("Invalid attribute key '{key}' specified. Valid keys are {valid}");
                FilterError::new(message, at)
            })?)
        }
        _ => {
            let message = format!(
                "Invalid entity type: '{prefix}'. Expected one of ['attributes', 'metrics', 'params', 'tags']."
            );
            return Err(FilterError::new(message, at));
        }
    })
}

/// Checks the field, comparator and value of a comparison.
///
/// # Errors
/// When MLflow rejects the field, the comparator, the value, or their combination.
pub(super) fn compare(
    entity: Entity,
    text: &str,
    comparison: &Comparison,
) -> Result<Compare, FilterError> {
    let field = field(entity, slice(text, &comparison.field), comparison.field.start, false)?;
    let value = value(entity, &field, text, &comparison.right)?;
    let comparator = comparator(entity, &field, text, comparison)?;
    Ok(Compare { field, comparator, value })
}

fn comparator(
    entity: Entity,
    field: &Field,
    text: &str,
    comparison: &Comparison,
) -> Result<Comparator, FilterError> {
    use Comparator::*;
    let written = slice(text, &comparison.comparator);
    let comparator = match &comparison.right {
        Right::Null => Some(IsNull),
        Right::NotNull => Some(IsNotNull),
        _ if written.eq_ignore_ascii_case("in") => Some(In),
        _ if written.get(..3).is_some_and(|not| not.eq_ignore_ascii_case("not"))
            && written
                .get(written.len() - 2..)
                .is_some_and(|end| end.eq_ignore_ascii_case("in")) =>
        {
            Some(NotIn)
        }
        _ => Comparator::read(written).filter(|comparator| *comparator != Matches),
    };
    let numeric = [Equal, NotEqual, Less, LessOrEqual, Greater, GreaterOrEqual].as_slice();
    let texts = [Equal, NotEqual, Like, ILike].as_slice();
    let lists = [Equal, NotEqual, Like, ILike, In, NotIn].as_slice();
    let keyed = [Equal, NotEqual, Like, ILike, IsNull, IsNotNull].as_slice();
    let valid = match field {
        Field::Metric(_) => numeric,
        Field::Param(_) | Field::Tag(_) if entity == Entity::LoggedModel => lists,
        Field::Param(_) => keyed,
        Field::Tag(_) => match entity {
            Entity::Run | Entity::Experiment => keyed,
            _ => texts,
        },
        Field::Dataset(_) => lists,
        Field::Attribute(attribute) => match (entity, attribute) {
            (_, attribute) if attribute.is_numeric() => numeric,
            (Entity::Experiment, Attribute::Id) => &[Equal, NotEqual, In, NotIn],
            (Entity::Experiment, _) => texts,
            (Entity::ModelVersion, Attribute::Source) => texts,
            _ => lists,
        },
    };
    // Experiments accept only upper-case comparators, except for those of two words, which MLflow normalizes.
    let exact = entity != Entity::Experiment
        || written == written.to_ascii_uppercase()
        || matches!(comparator, Some(NotIn | IsNull | IsNotNull));
    let accepted = comparator.filter(|comparator| exact && valid.contains(comparator));
    // Lists are valid only with `IN` and `NOT IN`.
    let is_list = matches!(comparison.right, Right::List(_));
    let fits = |comparator: &Comparator| matches!(comparator, In | NotIn) == is_list;
    accepted.filter(fits).ok_or_else(|| {
        FilterError::new(
            format!("Invalid comparator '{}'", written.to_ascii_uppercase()),
            comparison.comparator.start,
        )
    })
}

fn value(entity: Entity, field: &Field, text: &str, right: &Right) -> Result<Value, FilterError> {
    let Some(at) = right.at() else {
        return match field {
            Field::Tag(_) | Field::Param(_) if entity != Entity::LoggedModel => Ok(Value::Nothing),
            _ => Err(FilterError::new(
                "IS NULL / IS NOT NULL is only supported for tags and params",
                0,
            )),
        };
    };
    let written = slice(text, at);
    let refused = |message: String| Err(FilterError::new(message, at.start));
    if entity == Entity::LoggedModel {
        return logged_model_value(field, written, at.start);
    }
    let quoted = || match unquoted(written, &['\'', '"']) {
        Some(text) => Ok(Value::Text(text.to_owned())),
        None => Err(FilterError::new(
            format!(
                "Parameter value is either not quoted or unidentified quote types used for string \
                 value {written}. Use either single or double quotes."
            ),
            at.start,
        )),
    };
    match field {
        Field::Metric(_) => match right {
            Right::Integer(_) | Right::Float(_) => number(written, at.start).map(Value::Number),
            _ => refused(format!("Expected numeric value type for metric. Found {written}")),
        },
        Field::Param(_) | Field::Tag(_) => match right {
            Right::Text(_) | Right::Identifier(_) => quoted(),
            _ => {
                let kind = if matches!(field, Field::Param(_)) { "parameter" } else { "tag" };
                refused(format!(
                    "Expected a quoted string value for {kind} (e.g. 'my-value'). Got value {written}"
                ))
            }
        },
        Field::Attribute(attribute) if attribute.is_numeric() => {
            // Only times of runs may have fractions.
            let whole = entity != Entity::Run;
            match right {
                Right::Integer(_) => match written.parse() {
                    Ok(integer) => Ok(Value::Integer(integer)),
                    Err(_) => refused(format!("{written} is too large for a whole number")),
                },
                // The number of a version may be quoted.
                Right::Text(_) | Right::Identifier(_) if entity == Entity::ModelVersion => {
                    let digits = unquoted(written, &['\'', '"']).map(str::trim);
                    match digits.and_then(|digits| digits.parse().ok()) {
                        Some(integer) => Ok(Value::Integer(integer)),
                        None => refused(format!("Invalid value for numeric attribute: {written}")),
                    }
                }
                Right::Float(_) if !whole => number(written, at.start).map(Value::Number),
                _ => refused(format!(
                    "Expected numeric value type for numeric attribute. Found {written}"
                )),
            }
        }
        Field::Attribute(attribute) => match right {
            Right::Text(_) | Right::Identifier(_) => {
                let value = quoted()?;
                match (entity, attribute, &value) {
                    (Entity::Experiment, Attribute::Id, Value::Text(id)) => {
                        experiment_id(id, at.start)?;
                        Ok(value)
                    }
                    _ => Ok(value),
                }
            }
            Right::List(_) => {
                let takes_lists = match entity {
                    Entity::Run | Entity::Experiment => *attribute == Attribute::Id,
                    Entity::RegisteredModel => *attribute == Attribute::Name,
                    _ => matches!(attribute, Attribute::Name | Attribute::RunId),
                };
                if !takes_lists {
                    return refused(
                        "This attribute does not support comparison with a list of quoted string values."
                            .to_owned(),
                    );
                }
                let texts = literal::texts(written, at.start)?;
                if entity == Entity::Experiment {
                    texts.iter().try_for_each(|id| experiment_id(id, at.start))?;
                }
                Ok(Value::List(texts))
            }
            _ => refused(format!(
                "Expected a quoted string value for attributes. Got value {written}"
            )),
        },
        Field::Dataset(_) => match right {
            Right::Text(_) | Right::Identifier(_) => quoted(),
            Right::List(_) => literal::texts(written, at.start).map(Value::List),
            _ => refused(format!(
                "Expected a quoted string value for dataset attributes. Got value {written}"
            )),
        },
    }
}

/// Parses a number like Python's `float`: digits may be separated by underscores.
fn number(written: &str, at: usize) -> Result<f64, FilterError> {
    let parted = written.contains('_')
        && written.split('_').all(|part| {
            let ends = [part.chars().next(), part.chars().next_back()];
            ends.iter().all(|end| end.is_some_and(|c| c.is_ascii_digit() || "+-.".contains(c)))
        });
    let digits = if parted { written.replace('_', "") } else { written.to_owned() };
    digits.parse().map_err(|_| FilterError::new(format!("Invalid number {written}"), at))
}

/// Experiment ids are numbers in the database (`_parse_experiment_id`).
fn experiment_id(id: &str, at: usize) -> Result<(), FilterError> {
    match id.trim().parse::<i64>() {
        Ok(_) => Ok(()),
        Err(_) => Err(FilterError::new(format!("Invalid experiment ID: '{id}'"), at)),
    }
}

fn logged_model_value(field: &Field, written: &str, at: usize) -> Result<Value, FilterError> {
    let numeric = match field {
        Field::Metric(_) => true,
        Field::Attribute(attribute) => attribute.is_numeric(),
        _ => false,
    };
    if numeric {
        return number(written, at).map(Value::Number);
    }
    if written.starts_with('(') && written.ends_with(')') {
        return literal::items(written, at).map(Value::List);
    }
    Ok(Value::Text(written.trim_matches('\'').to_owned()))
}
