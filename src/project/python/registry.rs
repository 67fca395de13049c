//! The registered pipelines: evaluates `pipeline_registry.py` and everything that it imports from
//! the project.

use super::Registry;
use super::cache::{Opened, Purpose, SourceCache};
use super::interp::{Interp, Stop};
use super::module::Imported;
use super::source::At;
use super::value::Value;
use crate::project::{Budget, Metadata, Pipeline, Place, Problem, Severity};

/// The cost of a node in each pipeline that lists it, in elements: every occurrence is written out.
const LISTED: usize = 160;

/// Evaluates `register_pipelines()` and converts the result.
pub(super) fn read(metadata: &Metadata, cache: &mut SourceCache, budget: &Budget) -> Registry {
    let opened = Opened::default();
    let mut interp = Interp::new(metadata, &opened, cache, Purpose::Registry, budget);
    let pipelines = match interp.registered() {
        Ok(pipelines) => pipelines,
        Err(Stop::Exhausted) => {
            interp.exhausted();
            Vec::new()
        }
        Err(Stop::Raised(raised)) => {
            let text = format!("Python stops here: {}.", raised.text);
            interp.problem(
                Problem::new(Severity::Error, Some(raised.place), text, "Correct the code.")
                    .hiding(),
            );
            Vec::new()
        }
    };
    let problems = std::mem::take(&mut interp.problems).into_values().collect();
    Registry { pipelines, problems }
}

impl<'a> Interp<'a> {
    fn registered(&mut self) -> Result<Vec<Pipeline>, Stop<'a>> {
        let package = self.metadata.package_name.clone();
        let name = format!("{package}.pipeline_registry");
        let module = match self.import(&name)? {
            Imported::Project(module) => module,
            found => {
                let missing = match found {
                    Imported::External => "",
                    _ => "/pipeline_registry.py",
                };
                let path = self.metadata.source_dir.join(package.replace('.', "/"));
                let shown = path.strip_prefix(&self.metadata.root).unwrap_or(&path);
                self.problem(
                    Problem::new(
                        Severity::Error,
                        Some(Place::line(std::path::Path::new("pyproject.toml"), 1)),
                        format!("`{}{missing}` does not exist, so there are no pipelines.", shown.display()),
                        "Create it, or correct `package_name` or `source_dir` under `[tool.kedro]`.",
                    )
                    .hiding(),
                );
                return Ok(Vec::new());
            }
        };
        let Some(at) = Self::start_of(&module) else { return Ok(Vec::new()) };
        let Some(register) = module.scope.own("register_pipelines") else {
            let why = module.scope.open.borrow().clone();
            match why {
                Some(why) => self.report_missing("The pipelines", &why),
                None => self.problem(
                    Problem::new(
                        Severity::Error,
                        Some(at.place()),
                        "`pipeline_registry.py` has no `register_pipelines`, so there are no pipelines.",
                        "Define `register_pipelines()`, which returns pipelines by name.",
                    )
                    .hiding(),
                ),
            }
            return Ok(Vec::new());
        };
        let result = self.call_with(&register, Vec::new(), at)?;
        self.by_name(&result, at)
    }

    fn by_name(&mut self, result: &Value<'a>, at: At<'a>) -> Result<Vec<Pipeline>, Stop<'a>> {
        let Value::Dict(dict) = result else {
            match result {
                Value::Unknown(_) | Value::External(_) | Value::Instance(_) => {
                    let why = self.why(result, at);
                    self.report_missing("The pipelines", &why);
                }
                other => {
                    let text = format!(
                        "`register_pipelines` returns a `{}` instead of a dictionary",
                        other.type_name()
                    );
                    self.raise(at, "TypeError", text, "Return pipelines by name.")?;
                }
            }
            return Ok(Vec::new());
        };
        if let Some(why) = dict.open.borrow().clone() {
            self.report_missing("A part of the pipeline registry", &why);
        }
        let entries: Vec<_> = dict.entries.borrow().values().cloned().collect();
        let mut pipelines = Vec::with_capacity(entries.len());
        let mut too_many = false;
        for (key, value) in entries {
            let Value::Str(name) = &key else { continue };
            match &value {
                Value::Pipeline(pipeline) => {
                    let count = pipeline.nodes.len();
                    let paid = self.elements(LISTED * count).and_then(|()| self.bytes(16 * count));
                    if paid.is_ok() {
                        pipelines.push(self.snapshot(name, pipeline));
                        continue;
                    }
                    // This pipeline and all later ones get no nodes.
                    if !std::mem::replace(&mut too_many, true) {
                        self.reached_bounds(pipeline.at);
                        self.exhausted();
                    }
                    pipelines.push(Pipeline { name: name.to_string(), ..Pipeline::default() });
                }
                Value::Unknown(_) | Value::External(_) | Value::Instance(_) => {
                    let why = self.why(&value, at);
                    self.report_missing(&format!("Pipeline `{name}`"), &why);
                    pipelines.push(Pipeline { name: name.to_string(), ..Pipeline::default() });
                }
                // `sum([])` and the like: Kedro fails only when this pipeline is run.
                other => {
                    let text = format!(
                        "Pipeline `{name}` is registered as a `{}`, which is no pipeline.",
                        other.type_name()
                    );
                    let remedy = "Register a `Pipeline`.";
                    self.problem(Problem::new(Severity::Error, Some(at.place()), text, remedy));
                }
            }
        }
        Ok(pipelines)
    }
}
