//! Detects the engines that a project is set up for, from the configuration files and requirements of Kedro's
//! plug-ins.

use std::path::Path;

use crate::system::files;

/// An engine that the project is set up for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Name of the engine, such as `Airflow`.
    pub name: &'static str,
    /// The Kedro plug-in for it.
    pub plugin: &'static str,
    /// Its configuration files in the project, relative to the project's folder.
    pub config: Vec<String>,
    /// Whether the project's requirements name the plug-in.
    pub required: bool,
}

/// Engine, plug-in, and the stem of its configuration file in `conf/<env>/`.
const ENGINES: [(&str, &str, &str); 6] = [
    ("Airflow", "kedro-airflow", "airflow"),
    ("Snowflake", "kedro-snowflake", "snowflake"),
    ("Kubeflow", "kedro-kubeflow", "kubeflow"),
    ("SageMaker", "kedro-sagemaker", "sagemaker"),
    ("Vertex AI", "kedro-vertexai", "vertexai"),
    ("AzureML", "kedro-azureml", "azureml"),
];

/// The engines for which the project in `root` has configuration or requirements.
pub fn found(root: &Path, conf_source: &Path, environments: &[String]) -> Vec<Found> {
    let requirements: String = ["requirements.txt", "pyproject.toml"]
        .iter()
        .filter_map(|file| files::read_text(&root.join(file)).ok())
        .collect();
    ENGINES
        .iter()
        .map(|(name, plugin, stem)| Found {
            name,
            plugin,
            config: environments
                .iter()
                .flat_map(|env| {
                    ["yml", "yaml"].map(|end| conf_source.join(env).join(format!("{stem}.{end}")))
                })
                .filter(|path| path.is_file())
                .map(|path| path.strip_prefix(root).unwrap_or(&path).display().to_string())
                .collect(),
            required: requirements.contains(plugin),
        })
        .filter(|backend| backend.required || !backend.config.is_empty())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn engines_are_found_by_configuration_and_by_requirement() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        let conf = root.join("conf");
        fs::create_dir_all(conf.join("cloud")).unwrap();
        let environments = ["base".to_owned(), "cloud".to_owned()];
        assert_eq!(found(root, &conf, &environments), []);
        fs::write(conf.join("cloud/snowflake.yml"), "").unwrap();
        fs::write(root.join("requirements.txt"), "kedro-airflow==0.11.0\n").unwrap();
        let found = found(root, &conf, &environments);
        assert_eq!(
            found.iter().map(|b| (b.name, b.required)).collect::<Vec<_>>(),
            [("Airflow", true), ("Snowflake", false)]
        );
        assert_eq!(found[1].config, ["conf/cloud/snowflake.yml"]);
    }
}
