//! What a submission may hold, and the body of `/run` that follows from it.

use serde_json::{Map, Value as Json, json};

use crate::remote::model::Submission;
use crate::text::did_you_mean;

/// The key beside the parameters of a submission that holds the options of `/run`: which nodes to run, and how.
pub const OPTIONS: &str = "_mlops_tui";

#[derive(Clone, Copy)]
enum Kind {
    Names,
    Flag,
    Name,
    Versions,
}

const KEYS: [(&str, Kind); 12] = [
    ("from_nodes", Kind::Names),
    ("to_nodes", Kind::Names),
    ("node_names", Kind::Names),
    ("tags", Kind::Names),
    ("pipeline_names", Kind::Names),
    ("namespaces", Kind::Names),
    ("from_inputs", Kind::Names),
    ("to_outputs", Kind::Names),
    ("only_missing_outputs", Kind::Flag),
    ("runner", Kind::Name),
    ("is_async", Kind::Flag),
    ("load_versions", Kind::Versions),
];

impl Kind {
    fn fits(self, value: &Json) -> bool {
        match self {
            Kind::Names => value.as_array().is_some_and(|names| names.iter().all(Json::is_string)),
            Kind::Flag => value.is_boolean(),
            Kind::Name => value.is_string(),
            Kind::Versions => {
                value.as_object().is_some_and(|map| map.values().all(Json::is_string))
            }
        }
    }

    fn described(self) -> &'static str {
        match self {
            Kind::Names => "a list of names",
            Kind::Flag => "true or false",
            Kind::Name => "a name",
            Kind::Versions => "an object with a version for each dataset",
        }
    }
}

/// The body of `/run`.
///
/// # Errors
/// When the submission holds something that `/run` does not take. Nothing was sent then.
pub(super) fn body(submission: &Submission) -> Result<Map<String, Json>, String> {
    let mut params = match &submission.conf {
        Json::Null => Map::new(),
        Json::Object(params) => params.clone(),
        _ => return Err("The parameters of a run must be an object.".to_owned()),
    };
    let mut body = match params.shift_remove(OPTIONS) {
        None => Map::new(),
        Some(Json::Object(options)) => options,
        Some(_) => return Err(format!("`{OPTIONS}` must be an object.")),
    };
    let is_unknown = |key: &&String| KEYS.iter().all(|(known, _)| known != key);
    let unknown: Vec<_> = body.keys().filter(is_unknown).collect();
    if !unknown.is_empty() {
        let hints = unknown.iter().map(|key| did_you_mean(key, KEYS.map(|(known, _)| known)));
        let hints: String = hints.collect();
        let unknown: Vec<_> = unknown.iter().map(|key| format!("`{key}`")).collect();
        return Err(format!("`/run` has no option {}.{hints}", unknown.join(", ")));
    }
    for (key, kind) in KEYS {
        if body.get(key).is_some_and(|value| !kind.fits(value)) {
            return Err(format!("`{OPTIONS}`: `{key}` must be {}.", kind.described()));
        }
    }
    let pipeline = &submission.pipeline;
    let pipelines = body.entry("pipeline_names").or_insert_with(|| json!([pipeline]));
    if !pipelines.as_array().is_some_and(|names| names.contains(&json!(pipeline))) {
        return Err(format!(
            "`{OPTIONS}`: `pipeline_names` must have `{pipeline}` among its names, the pipeline that is submitted."
        ));
    }
    if !params.is_empty() {
        body.insert("params".to_owned(), Json::Object(params));
    }
    Ok(body)
}

/// The names under a key of the body.
pub(super) fn names(body: &Map<String, Json>, key: &str) -> Vec<String> {
    let names = body.get(key).and_then(Json::as_array).into_iter().flatten();
    names.filter_map(Json::as_str).map(str::to_owned).collect()
}
