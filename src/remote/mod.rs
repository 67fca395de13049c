//! Remote runs: the same pipeline on an engine.
//!
//! - [`found`] detects the engines that a project is set up for.
//! - [`Profile`] is a connection that a project names: an engine, its address and credentials.
//! - [`Backend`] is what an engine can be asked for. What it can't do is data: [`Backend::can`].
//! - [`kedro_server`] is a Kedro server as a backend.
//! - [`model`] has the runs, tasks and logs, in the same words for every engine.
//! - [`Follower`] looks at a run again and again, [`Watcher`] at many runs of one engine.
//! - [`Plan`] says which nodes share a task, [`DagFile`] writes an Airflow DAG of it, and [`Deployment`] puts it into a folder.
//! - [`history`] records runs in the project's history, [`kept`] what is seen of them on an engine.
//! - [`traceback`] finds the exception in a log.
//! - [`search`] looks for a regular expression in the logs of a run.
//! - [`AirflowServer`] is Apache Airflow 2 and 3 over its REST API.
//!
//! Nothing here knows of the screen. All requests block, so screens make them on threads of their own.

mod airflow;
mod backend;
pub mod dag_file;
pub mod dag_settings;
mod dag_template;
pub mod deploy;
mod follow;
mod found;
pub mod history;
mod http;
pub mod kedro_server;
pub mod kept;
pub mod model;
pub mod plan;
mod profile;
pub mod search;
mod slug;
pub mod traceback;
mod watch;

pub use airflow::AirflowServer;
pub use backend::{Action, Backend, Check, RemoteError};
pub use dag_file::{Airflow, DagFile};
pub use dag_settings::DagSettings;
pub use deploy::{Change, Deployment};
pub use follow::{Follower, News};
pub use found::{Found, found};
pub use kedro_server::KedroServer;
pub use plan::{Grouping, Plan, PlanError, PlannedTask};
pub use profile::{Credentials, Engine, Profile, Profiles};
pub use watch::{Seen, Watcher};

/// Prepares a connection to the engine of a profile, for the project with this package; nothing is sent.
///
/// # Errors
/// When the address, a certificate or the proxy can't be used.
pub fn connect(
    profile: &Profile,
    package: &str,
) -> Result<Box<dyn Backend>, crate::text::UserError> {
    match profile.engine {
        Engine::Airflow => Ok(Box::new(AirflowServer::new(profile)?)),
        Engine::KedroServer => Ok(Box::new(KedroServer::of(profile, Some(package))?)),
    }
}
