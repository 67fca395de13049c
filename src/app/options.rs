//! The form of a run's options: all options of `kedro run`, with the resulting command.

use ratatui_textarea::TextArea;

use super::picker::{line, text};
use crate::dag::Slice;
use crate::project::Snapshot;
use crate::runs::request::{parse_load_versions, parse_params, split_list, split_node_names};
use crate::runs::{RunRequest, plan};
use crate::text::UserError;

/// A field of the form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldKind {
    /// Text; several names are separated by commas.
    Text,
    /// A switch.
    Switch,
}

/// The fields: the option's name in `kedro run` (the last two are this program's own), its kind and a hint.
pub const FIELDS: [(&str, FieldKind, &str); 19] = [
    ("nodes", FieldKind::Text, "node names"),
    ("from-nodes", FieldKind::Text, "node names"),
    ("to-nodes", FieldKind::Text, "node names"),
    ("from-inputs", FieldKind::Text, "dataset names"),
    ("to-outputs", FieldKind::Text, "dataset names"),
    ("tags", FieldKind::Text, "any of these tags"),
    ("namespaces", FieldKind::Text, "any of these namespaces"),
    ("params", FieldKind::Text, "key=value, nested.key=value"),
    ("pipeline", FieldKind::Text, ""),
    ("pipelines", FieldKind::Text, "in the place of one pipeline; Kedro 1.2 and later"),
    ("env", FieldKind::Text, "the project's default"),
    ("runner", FieldKind::Text, "SequentialRunner, ThreadRunner, ParallelRunner"),
    ("runner-params", FieldKind::Text, "key=value, for the runner; Kedro 1.2 and later"),
    ("load-versions", FieldKind::Text, "dataset:version"),
    ("conf-source", FieldKind::Text, "another configuration folder"),
    ("async", FieldKind::Switch, "load and save in threads"),
    ("only-missing-outputs", FieldKind::Switch, "skip nodes whose outputs exist"),
    ("keep-going", FieldKind::Switch, "after a failure, run what does not depend on it"),
    ("detach", FieldKind::Switch, "the run outlives this screen"),
];

fn position(name: &str) -> Option<usize> {
    FIELDS.iter().position(|(other, ..)| *other == name)
}

/// The state of the form.
#[derive(Debug, Clone)]
pub struct Form {
    /// Texts of the fields; `yes` for a switch that is on.
    pub fields: Vec<TextArea<'static>>,
    /// The field that has the cursor.
    pub at: usize,
}

impl Form {
    /// A form with these nodes, the pipeline and the run environment filled in.
    pub fn new(nodes: &[String], pipeline: &str, env: &str) -> Self {
        let fields = FIELDS.iter().map(|_| line("")).collect();
        let mut form = Form { fields, at: 0 };
        form.set("nodes", &nodes.join(","));
        form.set("pipeline", pipeline);
        form.set("env", env);
        form
    }

    /// A form with all options of a request filled in; the cursor is at the parameters.
    pub fn of(request: &RunRequest) -> Self {
        let fields = FIELDS.iter().map(|_| line("")).collect();
        let mut form = Form { fields, at: position("params").unwrap_or_default() };
        for option in request.to_options() {
            let (name, value) = option
                .trim_start_matches('-')
                .split_once('=')
                .unwrap_or((option.trim_start_matches('-'), "yes"));
            form.set(name, value);
        }
        if request.keep_going {
            form.set("keep-going", "yes");
        }
        form
    }

    /// The text of a field.
    pub fn text(&self, name: &str) -> String {
        position(name).map(|index| text(&self.fields[index]).trim().to_owned()).unwrap_or_default()
    }

    fn set(&mut self, name: &str, text: &str) {
        if let Some(index) = position(name) {
            self.fields[index] = line(text);
        }
    }

    /// Turns a switch.
    pub fn toggle(&mut self) {
        let on = text(&self.fields[self.at]) == "yes";
        self.fields[self.at] = line(if on { "" } else { "yes" });
    }

    /// The request that the form describes.
    ///
    /// # Errors
    /// A sentence that names the field.
    pub fn request(&self) -> Result<RunRequest, UserError> {
        let some = |name: &str| Some(self.text(name)).filter(|text| !text.is_empty());
        let list = |name: &str| split_list(&self.text(name));
        let nodes = |name: &str| split_node_names(&self.text(name));
        Ok(RunRequest {
            pipeline: some("pipeline").filter(|_| self.text("pipelines").is_empty()),
            pipelines: list("pipelines"),
            slice: Slice {
                from_nodes: nodes("from-nodes"),
                to_nodes: nodes("to-nodes"),
                nodes: nodes("nodes"),
                from_inputs: list("from-inputs"),
                to_outputs: list("to-outputs"),
                tags: list("tags"),
                namespaces: list("namespaces"),
            },
            env: some("env"),
            params: parse_params(&self.text("params")).map_err(|error| error.within("params"))?,
            runner: some("runner"),
            runner_params: some("runner-params"),
            is_async: self.text("async") == "yes",
            load_versions: parse_load_versions(&self.text("load-versions"))
                .map_err(|error| error.within("load-versions"))?,
            config: None,
            conf_source: some("conf-source"),
            only_missing_outputs: self.text("only-missing-outputs") == "yes",
            keep_going: self.text("keep-going") == "yes",
            apart: None,
        })
    }

    /// The number of nodes that the request selects.
    ///
    /// # Errors
    /// A sentence.
    pub fn chosen(&self, snapshot: Option<&Snapshot>) -> Result<usize, UserError> {
        let request = self.request()?;
        let snapshot = snapshot.ok_or("the project is not read yet")?;
        let mut names = request.pipeline.iter().chain(&request.pipelines);
        if let Some(name) = names.find(|name| snapshot.pipeline(name).is_none()) {
            return Err(format!("there is no pipeline `{name}`").into());
        }
        let pipeline = plan::pipeline(snapshot, &request).ok_or("the pipeline is not known yet")?;
        request
            .slice
            .apply(&pipeline)
            .map(|nodes| nodes.len())
            .map_err(|error| error.to_string().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_comes_back_from_its_form() {
        let request = RunRequest {
            pipeline: Some("training".into()),
            slice: Slice {
                tags: vec!["a".into(), "b".into()],
                ..Slice::nodes(["f([x,y]) -> [z]"])
            },
            env: Some("prod".into()),
            params: parse_params("model.lr=0.1,name=x y").unwrap(),
            runner: Some("ThreadRunner".into()),
            is_async: true,
            load_versions: parse_load_versions("m:2026-01-31T12.00.00.000Z").unwrap(),
            only_missing_outputs: true,
            keep_going: true,
            ..RunRequest::default()
        };
        let form = Form::of(&request);
        assert_eq!(form.request().unwrap(), request);
        assert_eq!(FIELDS[form.at].0, "params");
        assert_eq!(Form::of(&RunRequest::default()).request().unwrap(), RunRequest::default());
    }
}
