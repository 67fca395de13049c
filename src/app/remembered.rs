//! What a project's screen looks like from one session to the next: the pipeline, the environment, the tab, the drawing,
//! folds, selections, pane sizes and filters.
//!
//! [`super::update::remember`] takes the value from the state and restores it. What only exists after a reading waits in
//! [`Memory`]. `tui` reads and writes the file.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::screens::experiments::columns::{Choices, View};
use super::screens::pipeline::zoom::Zoom;
use crate::dag::VertexKind;
use crate::dag::view::{Detail, Fold};

/// A vertex: its kind and name.
type Spot = (VertexKind, String);

/// The look of a project's screen. What is as at the first start is left out.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Remembered {
    /// The title of the tab.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tab: Option<String>,
    /// The run environment that was chosen on the screen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) env: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) pipeline: Option<String>,
    /// Width of the side pane in hundredths of the screen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) side: Option<u16>,
    /// Height of the log in rows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) log_rows: Option<u16>,
    /// Whether the log is shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) log: Option<bool>,
    pub(super) graph: Graph,
    pub(super) catalog: Rows,
    pub(super) parameters: Rows,
    /// The filter of the list of runs.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) runs_filter: String,
    pub(super) experiments: Experiments,
}

/// The look of the table of tracked runs.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Experiments {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) filter: String,
    pub(super) table: Choices,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) views: BTreeMap<String, View>,
}

/// The look of the graph.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Graph {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) selected: Option<Spot>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) filter: String,
    /// The kinds of vertices that the user wants to see.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) detail: Option<Detail>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) folds: BTreeMap<String, Fold>,
    pub(super) layers: bool,
    /// How the graph is drawn, if the user has chosen it; otherwise the drawing is fitted to the window.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) drawing: Option<Drawing>,
}

/// A way to draw the graph that the user has chosen.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Drawing {
    pub(super) zoom: Zoom,
    /// Whether edges point to the right.
    pub(super) sideways: bool,
    /// Whether the user has chosen that, for all pipelines.
    pub(super) turned: bool,
    pub(super) lanes: bool,
    /// Whether namespaces without a fold of their own are expanded; `None` decides by their number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) expanded: Option<bool>,
    /// The displayed kinds of vertices, if they are fewer than the wanted ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) shown: Option<Detail>,
}

/// The look of a list.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Rows {
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub(super) closed: BTreeSet<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) selected: Option<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) filter: String,
}

/// What the file holds, and what of it waits for a reading of the project.
#[derive(Debug, Default)]
pub struct Memory {
    /// The run environment that was chosen on the screen, now or earlier.
    pub env: Option<String>,
    /// Whether the run environment comes from the file, and no reading has confirmed that it exists.
    pub(super) env_is_unsure: bool,
    /// A pipeline that no reading has contained yet, and the selection on it.
    pub pipeline: Option<(String, Option<Spot>)>,
    /// The selected rows.
    pub(super) catalog: Option<String>,
    pub(super) parameters: Option<String>,
    /// What the file holds.
    pub(super) written: Remembered,
    /// The time of the last write, in seconds since the Unix epoch.
    pub(super) written_at: f64,
}
