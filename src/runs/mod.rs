//! Local runs: the request, the worker that runs it, and the events that come back.
//!
//! [`RunRequest`] holds the options of `kedro run`; [`interpreter::choose`] finds the project's Python;
//! [`Worker`] serves requests with the Python half in `worker/`, which is embedded in the binary;
//! [`event::RunEvent`] is one event of a run; [`recorder::Recorder`] writes the events to the store, and
//! [`history`] reads them back. Drawing runs and deciding when to start one are not part of this module.

pub mod claims;
pub mod code_version;
pub mod debug;
mod definitions;
pub mod detach;
pub mod environment;
pub mod event;
pub mod exact;
mod exit;
#[cfg(fuzzing)]
pub mod fuzzing;
mod git;
pub mod grid;
mod group;
pub mod history;
pub mod interpreter;
mod lines;
mod observations;
pub mod packages;
pub mod params;
mod pipes;
pub mod plan;
pub mod process;
mod protocol;
pub mod recorder;
pub mod request;
mod server;
mod spec;
pub mod staleness;
mod subject;
mod surroundings;
pub mod warm;

pub use event::{Failure, Frame, RunEvent, Served, Stamped, Stream};
pub use interpreter::Interpreter;
pub use plan::{Plan, Prepared};
pub use process::{Process, Spec};
pub use recorder::Recorder;
pub use request::RunRequest;
pub use warm::{Warmth, Worker};
