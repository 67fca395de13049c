//! Local runs: what to run, the worker that runs it, and the events that come back.
//!
//! [`RunRequest`] says what to run, as `kedro run` would be told; [`interpreter::choose`] finds the
//! project's Python; [`Worker`] serves requests with the Python half in `worker/`, which is embedded
//! in the binary; [`event::RunEvent`] is what happens; [`recorder::Recorder`] brings it into the
//! store, and [`history`] tells of it later.
//! What is drawn of a run and when one is started is not decided here.

pub mod code_version;
pub mod debug;
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
