//! Backends: engines that run the same pipeline elsewhere.

/// An engine that the project is set up for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backend {
    /// Its name, such as `Airflow`.
    pub name: &'static str,
    /// The Kedro plug-in for it.
    pub plugin: &'static str,
    /// Its configuration files, relative to the project's folder.
    pub config: Vec<String>,
    /// Whether the project's requirements name the plug-in.
    pub required: bool,
}
