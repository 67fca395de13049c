//! An evaluator for the subset of Python in which pipeline code and settings are written.
//!
//! [`read_registry`] and [`read_settings`] are the entry points. The evaluator is a small
//! interpreter: it walks the syntax tree of `ruff_python_parser` (`stmt`, `expr`) over its own
//! values (`value`), imports only modules of the project (`module`), and creates Kedro's nodes and
//! pipelines itself (`kedro`). A value that it can't compute is an unknown value with a reason and
//! a place. No Python process is started and no code of a library runs; a budget bounds the work.
//!
//! Besides these, `bindings`, `scope` and `names` know which names exist, `poison` handles code that may or may not
//! run (a condition that is unknown), `call`, `classes` and `matching` bind arguments, make objects and match
//! patterns, `builtins`, `methods`, `strings`, `format` and `library` are the supported parts of Python's library, and
//! `registry` and `settings` read the two files.

mod assign;
mod attr;
pub(super) mod bindings;
mod block;
mod builtins;
pub(super) mod cache;
mod call;
mod classes;
mod expr;
mod format;
pub mod highlight;
mod interp;
mod kedro;
mod library;
mod matching;
mod methods;
mod module;
pub(super) mod names;
mod ops;
mod paths;
mod poison;
mod registry;
mod repr;
mod scope;
mod settings;
mod sort;
pub(super) mod source;
mod spec;
mod stmt;
mod strings;
mod value;

#[cfg(test)]
mod tests;

use super::{Budget, Metadata, Pipeline, Problem};
use crate::text::secrets;

pub use cache::SourceCache;
pub use repr::{float_repr, str_repr};

/// The registered pipelines, as far as they could be evaluated.
#[derive(Debug, Clone, Default)]
pub struct Registry {
    /// The pipelines, in the registry's order.
    pub pipelines: Vec<Pipeline>,
    /// Errors in the code, and values that could not be evaluated.
    pub problems: Vec<Problem>,
}

/// Evaluates `settings.py`, within `budget`.
pub fn read_settings(
    metadata: &Metadata,
    cache: &mut SourceCache,
    budget: &mut Budget,
) -> super::settings::Settings {
    on_large_stack(move || settings::read(metadata, cache, budget))
}

/// Evaluates `pipeline_registry.py` and all that it imports from the project, within `budget`.
pub fn read_registry(
    metadata: &Metadata,
    cache: &mut SourceCache,
    budget: &mut Budget,
) -> Registry {
    on_large_stack(move || registry::read(metadata, cache, budget))
}

/// Deeply nested code needs a deep stack. Only the touched pages of the stack use memory.
const STACK_BYTES: usize = 256 << 20;

/// Runs `work` on a new thread with a large stack.
pub(super) fn on_large_stack<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    let keeps = secrets::keeps();
    let work = move || if keeps { secrets::keeping(work) } else { work() };
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(STACK_BYTES).spawn_scoped(scope, work);
        match thread {
            Ok(handle) => match handle.join() {
                Ok(value) => value,
                Err(panic) => std::panic::resume_unwind(panic),
            },
            // There is no fallback without a thread: the caller's stack may be too small.
            Err(error) => panic!("a thread to read Python with can't be started: {error}"),
        }
    })
}
