//! Local runs: what to run, the worker that runs it, and the events that come back.
//!
//! [`RunRequest`] says what to run, as `kedro run` would be told; [`event::RunEvent`] is what
//! happens; `process` starts the Python half in `worker/`, which is embedded in the binary.
//! What is drawn of a run and when one is started is not decided here.

pub mod event;
pub mod request;

pub use event::{Failure, Frame, RunEvent, Stamped, Stream};
pub use request::RunRequest;
