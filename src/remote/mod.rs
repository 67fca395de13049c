//! Remote runs: the same pipeline on an engine.
//!
//! - [`found`] detects the engines that a project is set up for.
//! - [`Backend`] is what an engine can be asked for. What it can't do is data: [`Backend::can`].
//! - [`model`] has the runs, tasks and logs, in the same words for every engine.
//!
//! Nothing here knows of the screen. All requests block, so screens make them on threads of their own.

mod backend;
pub mod dag_file;
pub mod dag_settings;
mod dag_template;
pub mod deploy;
mod found;
pub mod model;
pub mod plan;
mod slug;

pub use backend::{Action, Backend, Check, RemoteError};
pub use dag_file::{Airflow, DagFile};
pub use dag_settings::DagSettings;
pub use deploy::{Change, Deployment};
pub use found::{Found, found};
pub use plan::{Grouping, Plan, PlanError, PlannedTask};
