//! A tracking server, read over MLflow's REST API (2.0, as spoken by servers of MLflow 2 and 3).
//!
//! The server filters and sorts where MLflow's language can express the filter; the rest is evaluated here,
//! page by page. Nothing is changed on the server.

mod artifacts;
mod follow;
mod pages;
mod plan;
mod search;
mod settings;
mod shapes;
mod transport;

use std::fmt;
use std::time::Duration;

pub use follow::Follower;
use serde::Deserialize;
use serde_json::{Map, Value as Json, json};

use self::settings::Settings;
use self::transport::{Ask, Failure, Method, Transport};
use super::entities::{Point, Run};
use super::{ServerUri, TrackingError};

/// A client for a tracking server.
pub struct RestStore {
    transport: Transport,
}

/// Information about a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerInfo {
    /// Version of the server's MLflow, such as `3.17.2`.
    pub version: String,
    /// Kind of its store, such as `SqlStore`, if the server reports it.
    pub store: Option<String>,
    /// Whether the server has workspaces.
    pub workspaces: bool,
}

/// Traces per page; servers return no more.
const TRACES: usize = 500;
/// Most experiments in one request for traces: their ids are in the URL.
const EXPERIMENTS: usize = 50;
/// Points of a metric per page.
const POINTS: usize = 25_000;

impl RestStore {
    /// A client for the server with a URI; credentials, certificates and time-outs come from the environment.
    /// Nothing is sent yet.
    ///
    /// # Errors
    /// When the URI is not that of a server, or a setting is invalid.
    pub fn open(uri: &ServerUri, workspace: Option<&str>) -> Result<Self, TrackingError> {
        Self::open_with(uri, workspace, &|name| std::env::var(name).ok())
    }

    /// Like [`Self::open`], with the given variables instead of the environment.
    ///
    /// # Errors
    /// When the URI is not that of a server, or a setting is invalid.
    pub fn open_with(
        uri: &ServerUri,
        workspace: Option<&str>,
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, TrackingError> {
        let failed = |reason| TrackingError::Server { server: uri.to_string(), reason };
        let scheme = uri.whole().split("://").next().unwrap_or_default().to_lowercase();
        if !matches!(scheme.as_str(), "http" | "https") {
            return Err(failed(no_server(uri, &scheme)));
        }
        let settings =
            Settings::read(uri, workspace, variable).map_err(|error| failed(error.text))?;
        let transport = Transport::new(settings).map_err(|error| failed(error.text))?;
        Ok(RestStore { transport })
    }

    /// Requests information about the server.
    ///
    /// # Errors
    /// When the request fails, or the server is not MLflow's.
    pub fn info(&self) -> Result<ServerInfo, TrackingError> {
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Answer {
            store_type: Option<String>,
            workspaces_enabled: bool,
        }
        let ask = |path| Ask { method: Method::Get, path, fields: Map::new() };
        let version =
            self.transport.ask(&ask("/version")).map_err(|failure| self.failed(failure))?;
        let version = String::from_utf8_lossy(&version).trim().to_owned();
        if version.len() > 40 || !version.starts_with(|c: char| c.is_ascii_digit()) {
            let reason = "version: it answers with no version of MLflow. The URI may not be that of an MLflow server.";
            return Err(self.failed(Failure::Other(reason.to_owned())));
        }
        // Servers before MLflow 3 have no such endpoint.
        let more: Answer = self
            .transport
            .ask(&ask("/api/3.0/mlflow/server-info"))
            .ok()
            .and_then(|body| serde_json::from_slice(&body).ok())
            .unwrap_or_default();
        Ok(ServerInfo { version, store: more.store_type, workspaces: more.workspaces_enabled })
    }

    /// A run with its params, metrics, tags and datasets.
    ///
    /// # Errors
    /// When the request to the server fails.
    pub fn run(&self, id: &str) -> Result<Option<Run>, TrackingError> {
        #[derive(Deserialize)]
        struct Answer {
            run: shapes::OfRun,
        }
        let ask = get("/api/2.0/mlflow/runs/get", json!({"run_id": id}));
        match self.read::<Answer>(&ask) {
            Ok(answer) => Ok(Some(answer.run.into())),
            Err(failure) if is_missing(&failure) => Ok(None),
            Err(failure) => Err(self.failed(failure)),
        }
    }

    /// All values of a metric of a run, in the server's order; empty if the run has no such metric.
    ///
    /// # Errors
    /// When the request to the server fails.
    pub fn history(&self, run_id: &str, key: &str) -> Result<Vec<Point>, TrackingError> {
        self.points(run_id, key).map_err(|failure| self.failed(failure))
    }

    /// The number of traces in experiments; all of them are requested, page by page.
    ///
    /// # Errors
    /// When the request to the server fails.
    pub fn traces(&self, experiments: &[String]) -> Result<u64, TrackingError> {
        let mut count = 0;
        for ids in experiments.chunks(EXPERIMENTS) {
            let ask = get("/api/2.0/mlflow/traces", json!({"experiment_ids": ids}));
            let read = self.pages(&ask, "traces", TRACES, |_: serde::de::IgnoredAny| {
                count += 1;
                true
            });
            match read {
                // Servers before 2.14 have no traces.
                Err(Failure::Refused { status: 404, code, .. }) if code.is_empty() => return Ok(0),
                read => read.map_err(|failure| self.failed(failure))?,
            }
        }
        Ok(count)
    }

    fn points(&self, run_id: &str, key: &str) -> Result<Vec<Point>, Failure> {
        let ask = get(
            "/api/2.0/mlflow/metrics/get-history",
            json!({"run_id": run_id, "metric_key": key}),
        );
        let mut points = Vec::new();
        let read = self.pages(&ask, "metrics", POINTS, |point: shapes::OfPoint| {
            points.push(point.into());
            true
        });
        match read {
            Ok(()) => Ok(points),
            Err(failure) if is_missing(&failure) => Ok(Vec::new()),
            Err(failure) => Err(failure),
        }
    }

    /// Sends each request once, and waits at most this long for the answer.
    pub(super) fn hurried(mut self, most: Duration) -> Self {
        self.transport.hurry(most);
        self
    }

    /// Sends each request once: the caller retries.
    fn without_retries(mut self) -> Self {
        self.transport.without_retries();
        self
    }

    fn read<T: serde::de::DeserializeOwned>(&self, ask: &Ask) -> Result<T, Failure> {
        let body = self.transport.ask(ask)?;
        serde_json::from_slice(&body).map_err(|error| self.transport.odd(ask, &error))
    }

    fn failed(&self, failure: Failure) -> TrackingError {
        TrackingError::Server { server: self.transport.server(), reason: failure.to_string() }
    }
}

impl fmt::Debug for RestStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RestStore({})", self.transport.server())
    }
}

/// A request with its fields in the URL.
fn get(path: &'static str, fields: Json) -> Ask {
    ask(Method::Get, path, fields)
}

fn ask(method: Method, path: &'static str, fields: Json) -> Ask {
    let Json::Object(fields) = fields else { return Ask { method, path, fields: Map::new() } };
    Ask { method, path, fields }
}

/// Whether the failure means that there is no such run.
fn is_missing(failure: &Failure) -> bool {
    let Failure::Refused { status, code, .. } = failure else { return false };
    matches!(
        (status, code.as_str()),
        (404, "RESOURCE_DOES_NOT_EXIST") | (400, "INVALID_PARAMETER_VALUE")
    )
}

/// Explains why a URI can't be read, and what to do instead.
fn no_server(uri: &ServerUri, scheme: &str) -> String {
    let kind = scheme.split('+').next().unwrap_or_default();
    match kind {
        "databricks" | "databricks-uc" | "uc" => {
            "Databricks is not supported. Servers of MLflow (http://, https://), \
             SQLite stores and file stores are."
                .to_owned()
        }
        "postgresql" | "postgres" | "mysql" | "mssql" | "mariadb" | "oracle" => format!(
            "a database is read through a tracking server alone. Start one with \
             `mlflow server --backend-store-uri '{uri}'`, with the user name and the password put in, and name it: \
             --tracking-uri http://127.0.0.1:5000."
        ),
        _ => "this kind of URI is not read; http://, https://, sqlite:/// and file:// are."
            .to_owned(),
    }
}
