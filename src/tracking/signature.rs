//! The signature of a model in its `MLmodel` file (`mlflow.models.Model`): inputs, outputs and parameters.

use std::io::Read;
use std::path::Path;

use serde::Deserialize;
use serde_json::Value as Json;

use super::artifacts::{self, Named};
use super::entities::{ModelVersion, Run};
use super::filter::{Attribute, Comparator, Compare, Expr, Field, Value};
use super::{Store, TrackingError};
use crate::text::UserError;

/// The file that describes a model.
pub const FILE: &str = "MLmodel";
/// Most bytes of the file that are read; wide tables have thousands of columns.
const MOST_BYTES: u64 = 4 << 20;

/// The relevant contents of an `MLmodel` file.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Described {
    /// Flavors by name, such as `python_function` and `sklearn`.
    pub flavors: Vec<String>,
    /// The signature, if the model has one.
    pub signature: Option<Signature>,
}

/// A signature like `ModelSignature.to_dict`, with its texts parsed as JSON: lists of columns or tensors.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Signature {
    /// Columns or tensors of the input.
    pub inputs: Json,
    /// Columns or tensors of the output.
    pub outputs: Json,
    /// Parameters of predictions.
    pub params: Json,
}

/// A column or a tensor of a signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// What it is for a model.
    pub part: Part,
    /// The name; tensors often have none.
    pub name: String,
    /// The type, the default value, and whether it is optional.
    pub kind: String,
}

/// The parts of a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// What predictions take.
    Inputs,
    /// What predictions give.
    Outputs,
    /// Parameters of predictions.
    Params,
}

impl Signature {
    /// All columns in their order.
    pub fn columns(&self) -> Vec<Column> {
        let parts = [
            (Part::Inputs, &self.inputs),
            (Part::Outputs, &self.outputs),
            (Part::Params, &self.params),
        ];
        let columns = parts.into_iter().flat_map(|(part, columns)| {
            columns.as_array().into_iter().flatten().map(move |column| of_column(part, column))
        });
        columns.collect()
    }
}

fn of_column(part: Part, column: &Json) -> Column {
    let word = |json: &Json| json.as_str().map(str::to_owned).unwrap_or_else(|| json.to_string());
    let kind = match &column["tensor-spec"] {
        Json::Null => word(&column["type"]),
        spec => format!("{} {}", word(&spec["dtype"]), spec["shape"]),
    };
    let optional = if column["required"] == false { ", optional" } else { "" };
    let default = match &column["default"] {
        Json::Null => String::new(),
        default => format!(" = {default}"),
    };
    let name = column["name"].as_str().unwrap_or_default().to_owned();
    Column { part, name, kind: format!("{kind}{default}{optional}") }
}

/// Parses an `MLmodel` file.
///
/// # Errors
/// When it can't be read, or is not an `MLmodel` file.
pub fn read(file: impl Read) -> Result<Described, UserError> {
    #[derive(Deserialize)]
    struct File {
        #[serde(default)]
        flavors: serde_yaml::Mapping,
        #[serde(default)]
        signature: Option<Texts>,
    }
    #[derive(Deserialize)]
    struct Texts {
        inputs: Option<String>,
        outputs: Option<String>,
        params: Option<String>,
    }
    let mut text = String::new();
    file.take(MOST_BYTES).read_to_string(&mut text).map_err(UserError::plain)?;
    let file: File = serde_yaml::from_str(&text).map_err(UserError::plain)?;
    let json = |text: Option<String>| match text {
        Some(text) => serde_json::from_str(&text).map_err(UserError::plain),
        None => Ok(Json::Null),
    };
    let signature = file.signature.map(|signature| -> Result<Signature, UserError> {
        Ok(Signature {
            inputs: json(signature.inputs)?,
            outputs: json(signature.outputs)?,
            params: json(signature.params)?,
        })
    });
    let names = file.flavors.keys().filter_map(|name| name.as_str().map(str::to_owned));
    let mut flavors: Vec<String> = names.collect();
    flavors.sort();
    Ok(Described { flavors, signature: signature.transpose()? })
}

/// Reads the `MLmodel` file of a version of a registered model. `near` is the folder of the store.
///
/// # Errors
/// When it is neither on this machine nor on the server, or can't be read: why.
pub fn of_version(
    store: &Store,
    near: &Path,
    version: &ModelVersion,
) -> Result<Described, UserError> {
    if let Store::Rest(server) = store {
        let file = server.model_file(&version.name, version.version, FILE);
        return read(file.map_err(UserError::plain)?);
    }
    let source = version.source.as_deref().unwrap_or_default();
    let run = |id: &str| store.run(id).map_err(UserError::plain);
    let of_run = |run: &Run, path: &str| {
        let path = format!("{}/{FILE}", path.trim_matches('/'));
        file(artifacts::named(store, near, run, path.trim_start_matches('/')))
    };
    if let Some((id, path)) = source.strip_prefix("runs:/").and_then(|rest| rest.split_once('/')) {
        let run = run(id)?.ok_or_else(|| format!("its run {id} is not there"))?;
        return of_run(&run, path);
    }
    let folder = match source.strip_prefix("models:/") {
        None => source.to_owned(),
        Some(id) => logged(store, id).map_err(UserError::plain)?,
    };
    if let Some(folder) = artifacts::local(&folder, near).filter(|folder| folder.is_dir()) {
        return file(artifacts::open(&folder, FILE));
    }
    // A store that was copied with its artifacts still has their old location.
    match (&version.run_id, folder.rsplit_once("/artifacts/")) {
        (Some(id), Some((_, path))) if !id.is_empty() => {
            let run = run(id)?.ok_or_else(|| format!("its run {id} is not there"))?;
            of_run(&run, path)
        }
        _ => Err(UserError::plain(artifacts::elsewhere(&folder))),
    }
}

fn file(named: Result<Named, artifacts::ArtifactError>) -> Result<Described, UserError> {
    match named.map_err(UserError::plain)? {
        Named::File(file) => read(file),
        Named::Folder(..) => Err(format!("its {FILE} is a folder").into()),
    }
}

/// The location of a logged model's files.
fn logged(store: &Store, id: &str) -> Result<String, TrackingError> {
    let filter = Expr::Compare(Compare {
        field: Field::Attribute(Attribute::Id),
        comparator: Comparator::Equal,
        value: Value::Text(id.to_owned()),
    });
    let found = store.logged_models(None, &filter, &[], 0)?.items.into_iter().next();
    Ok(found.map(|model| model.artifact_location).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn flavors_and_signature_are_read() {
        let text = "flavors:\n  sklearn: {a: 1}\n  python_function: {}\nsignature:\n  \
                    inputs: '[{\"type\": \"double\", \"name\": \"x\"}]'\n  outputs: null\n  params: null\n";
        let described = read(text.as_bytes()).unwrap();
        assert_eq!(described.flavors, ["python_function", "sklearn"]);
        let signature = described.signature.unwrap();
        assert_eq!(signature.inputs, json!([{"type": "double", "name": "x"}]));
        assert_eq!(signature.outputs, Json::Null);
        let x = Column { part: Part::Inputs, name: "x".into(), kind: "double".into() };
        assert_eq!(signature.columns(), [x]);
        let tensor =
            json!({"type": "tensor", "tensor-spec": {"dtype": "float32", "shape": [-1, 3]}});
        let param = json!({"name": "top", "type": "long", "default": 5, "required": false});
        let other =
            Signature { outputs: json!([tensor]), params: json!([param]), ..Signature::default() };
        let words: Vec<String> =
            other.columns().into_iter().map(|column| column.name + ":" + &column.kind).collect();
        assert_eq!(words, [":float32 [-1,3]", "top:long = 5, optional"]);
        assert_eq!(read("flavors: {}\n".as_bytes()).unwrap(), Described::default());
        for broken in ["[", "signature: {inputs: '['}\n", "flavors: 1\n"] {
            assert!(read(broken.as_bytes()).is_err(), "{broken}");
        }
    }
}
