//! An evaluator for the plain part of Python that pipeline code and settings are written in.

use super::settings::Settings;
use super::{Metadata, Pipeline, Problem};

/// Parsed source files, kept between readings and renewed when a file's content changes.
#[derive(Debug, Default)]
pub struct SourceCache {}

/// The registered pipelines as far as they could be evaluated.
#[derive(Debug, Clone, Default)]
pub struct Registry {
    /// Pipelines in the registry's order.
    pub pipelines: Vec<Pipeline>,
    /// What is wrong or unknown.
    pub problems: Vec<Problem>,
}

/// Evaluates `settings.py`.
pub fn read_settings(_metadata: &Metadata, _cache: &mut SourceCache) -> Settings {
    Settings::default()
}

/// Evaluates `pipeline_registry.py` and all that it imports from the project.
pub fn read_registry(_metadata: &Metadata, _cache: &mut SourceCache) -> Registry {
    Registry::default()
}
