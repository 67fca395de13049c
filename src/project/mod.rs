//! A Kedro project on disk, read into a [`Snapshot`].
//!
//! [`Reader`] is the entry point: it finds the project's files, evaluates settings and pipeline
//! code in [`python`], computes in [`code`] what each node reaches, loads the configuration in
//! [`config`], resolves the catalog in [`catalog`], and lists everything that it could not
//! determine, and probable misspellings ([`mistakes`]), as problems. Nothing here starts Python or executes project code; the exact reading
//! (by Kedro itself) arrives as JSON through [`json`]. Start reading at [`model`], which defines
//! the types that all other layers use.

pub mod budget;
pub mod catalog;
pub mod code;
pub mod config;
pub mod discovery;
pub mod highlight;
pub mod json;
pub mod mistakes;
pub mod model;
pub mod params;
pub mod python;
pub mod reader;
mod secrets;
pub mod settings;
mod values;
pub mod watch;

pub use budget::Budget;
pub use code::{Code, Definition, DefinitionKind, Reach, Unseen};
pub use mistakes::undefined_param;
use model::ASK_KEDRO;
pub use model::{
    Bound, Callable, Dataset, Entry, Located, Metadata, Node, Origin, Pattern, Pipeline, Place,
    Problem, Reading, Severity, Snapshot, SourceRange, Value, is_parameter, makers,
    strip_transcoding,
};
pub use reader::{Options, Reader};
