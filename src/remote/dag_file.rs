//! The file of an Airflow DAG that runs a pipeline of the project.
//!
//! [`DagFile::text`] is our own form, and [`DagFile::rendered`] fills the project's own template, with the variables
//! that kedro-airflow gives to templates. Nothing here writes files: see [`super::deploy`].

use std::fmt::Write as _;
use std::path::Path;

use super::dag_settings::DagSettings;
use super::dag_template;
use super::plan::{Plan, PlannedTask};
use super::slug::slug;
use crate::project::Snapshot;
use crate::project::python::str_repr;
use crate::text::UserError;

/// The key in a run's `conf` under which there is what is not a parameter: `env`, and the run's id.
pub const OWN_KEY: &str = "_mlops_tui";

/// The pipeline and the environment that names of files and DAGs leave out, as with kedro-airflow.
const DEFAULT_PIPELINE: &str = "__default__";
const DEFAULT_ENV: &str = "local";

/// Our own functions in a DAG file.
const TASKS: &str = include_str!("dag_file/tasks.py");

/// Which line of Airflow releases a file is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Airflow {
    /// 2.4 and later of the 2 line.
    Two,
    /// The 3 line.
    Three,
}

/// What a DAG file is made of.
#[derive(Debug, Clone, Copy)]
pub struct DagFile<'a> {
    /// The tasks.
    pub plan: &'a Plan,
    /// Schedule, retries and the like.
    pub settings: &'a DagSettings,
    /// The Airflow that reads the file.
    pub airflow: Airflow,
    /// The project's package.
    pub package: &'a str,
    /// The project's folder on the machines that run tasks.
    pub project: &'a Path,
    /// The configuration folder on the machines that run tasks.
    pub conf_source: &'a Path,
    /// The run environment, unless a run names another one.
    pub env: &'a str,
    /// Version of the project's code, such as the id of a commit.
    pub code: Option<&'a str>,
}

impl<'a> DagFile<'a> {
    /// A file for the project where it is on this machine.
    pub fn new(
        snapshot: &'a Snapshot,
        plan: &'a Plan,
        settings: &'a DagSettings,
        airflow: Airflow,
    ) -> Self {
        DagFile {
            plan,
            settings,
            airflow,
            package: &snapshot.metadata.package_name,
            project: &snapshot.metadata.root,
            conf_source: &snapshot.metadata.conf_source,
            env: &snapshot.env,
            code: None,
        }
    }

    /// Package, environment and pipeline, the latter two unless they are the default.
    fn stem(&self) -> String {
        let env = Some(self.env).filter(|env| *env != DEFAULT_ENV);
        let pipeline = Some(self.plan.pipeline.as_str()).filter(|name| *name != DEFAULT_PIPELINE);
        let parts = [Some(self.package), env, pipeline];
        parts.into_iter().flatten().collect::<Vec<_>>().join("_")
    }

    /// Id of the DAG.
    pub fn id(&self) -> String {
        slug(&self.stem())
    }

    /// Name of the file, as kedro-airflow names it.
    pub fn name(&self) -> String {
        let harmless = |c: char| match c {
            c if c.is_alphanumeric() || "-_.".contains(c) => c,
            _ => '_',
        };
        format!("{}_dag.py", self.stem().chars().map(harmless).collect::<String>())
    }

    /// The file in our own form.
    ///
    /// # Errors
    /// When a setting has a wrong type.
    pub fn text(&self) -> Result<String, UserError> {
        let import = match self.airflow {
            Airflow::Two => "airflow.decorators",
            Airflow::Three => "airflow.sdk",
        };
        let mut text = format!(
            "\"\"\"A pipeline of a Kedro project as an Airflow DAG. Made by mlops-tui, which writes it anew at each deployment.\"\"\"\n\n\
             import inspect\nimport json\nimport logging\nimport os\nimport sys\nfrom datetime import datetime, timedelta\nfrom pathlib import Path\n\n\
             from {import} import dag, task\n\n"
        );
        let constants = [
            ("PROJECT", self.project.display().to_string()),
            ("CONF_SOURCE", self.conf_source.display().to_string()),
            ("ENV", self.env.to_owned()),
            ("PIPELINE", self.plan.pipeline.clone()),
        ];
        for (name, value) in constants {
            let _ = writeln!(text, "{name} = {}", str_repr(&value));
        }
        text.push_str(TASKS);
        let _ = write!(text, "\n\n@dag(\n    dag_id={},\n", str_repr(&self.id()));
        let _ = writeln!(text, "    doc_md={},", str_repr(&self.doc()));
        text.push_str(&self.settings.arguments()?);
        text.push_str(")\ndef pipeline():\n    tasks = {}\n");
        for task in &self.plan.tasks {
            let id = str_repr(&task.id);
            let nodes = listed(&task.nodes);
            let doc = str_repr(&doc(task));
            let _ = writeln!(text, "    tasks[{id}] = make_task({id}, {nodes}, {doc})");
        }
        for task in &self.plan.tasks {
            for above in &task.upstream {
                let _ = writeln!(
                    text,
                    "    tasks[{}] >> tasks[{}]",
                    str_repr(above),
                    str_repr(&task.id)
                );
            }
        }
        text.push_str("\n\npipeline()\n");
        Ok(text)
    }

    /// The project's own template, filled.
    ///
    /// # Errors
    /// When the template has a mistake.
    pub fn rendered(&self, template: &str) -> Result<String, UserError> {
        dag_template::render(self, template)
    }

    fn doc(&self) -> String {
        let mut doc = format!("Kedro pipeline `{}` of `{}`.", self.plan.pipeline, self.package);
        if let Some(code) = self.code {
            let _ = write!(doc, "\n\nCode version: `{code}`.");
        }
        doc
    }
}

/// The documentation of a task: the names of its nodes as JSON, for [`nodes_of`].
fn doc(task: &PlannedTask) -> String {
    format!("{DOC_START}{}{DOC_END}", serde_json::json!(task.nodes))
}

const DOC_START: &str = "Kedro nodes:\n\n```json\n";
const DOC_END: &str = "\n```";

/// The nodes of a task, from its documentation on the engine; `None` for a task that is not ours.
pub fn nodes_of(doc: &str) -> Option<Vec<String>> {
    let names = doc.trim().strip_prefix(DOC_START)?.strip_suffix(DOC_END)?;
    serde_json::from_str(names).ok()
}

fn listed(names: &[String]) -> String {
    let names: Vec<_> = names.iter().map(|name| str_repr(name)).collect();
    format!("[{}]", names.join(", "))
}

#[cfg(test)]
mod tests;
