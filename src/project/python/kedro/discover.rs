//! Finds pipelines by their folders: `kedro.framework.project.find_pipelines`.

use indexmap::IndexMap;

use super::super::call::Args;
use super::super::interp::{Eval, Interp, Stop};
use super::super::module::Imported;
use super::super::source::At;
use super::super::value::{Key, Value};
use crate::project::{Problem, Severity};

impl<'a> Interp<'a> {
    /// `find_pipelines(raise_errors=False, pipelines_to_find=None)`. Python lists folders in the
    /// file system's order; here they are sorted by name.
    pub(super) fn find_pipelines(&mut self, args: &Args<'a>, at: At<'a>) -> Eval<'a> {
        let [_, wanted] = args.bind(["raise_errors", "pipelines_to_find"]);
        let wanted = match wanted {
            None | Some(Value::None) => None,
            some => {
                let read = self.read_names(some, at)?;
                if let Some(why) = &read.missing {
                    self.report_missing("Which pipelines are looked for", why);
                }
                Some(read.names).filter(|names| !names.contains("__default__"))
            }
        };
        let package = self.metadata.package_name.clone();
        let mut entries = IndexMap::new();
        if wanted.is_none() {
            let found = match self.import(&format!("{package}.pipeline"))? {
                Imported::Project(module) => self.create_pipeline(&Value::Module(module), at)?,
                Imported::External | Imported::Missing => None,
            };
            let default = match found {
                Some(pipeline) => pipeline,
                None => self.pipeline(Vec::new(), None, at),
            };
            insert(&mut entries, "__default__", default);
        }
        for name in self.pipeline_folders(&package) {
            if wanted.as_ref().is_some_and(|wanted| !wanted.contains(&*name)) {
                continue;
            }
            let stopped = self.stopped.take();
            let found = self.import(&format!("{package}.pipelines.{name}"))?;
            if let Imported::Project(module) = found
                && let Some(mut pipeline) = self.create_pipeline(&Value::Module(module), at)?
            {
                // Kedro skips a pipeline whose module it can't import.
                if let (Some(why), Value::Pipeline(known)) = (&self.stopped, &pipeline) {
                    pipeline = self.pipeline(known.nodes.to_vec(), Some(why.clone()), at);
                }
                insert(&mut entries, &name, pipeline);
            }
            self.stopped = stopped.or(self.stopped.take());
        }
        for name in wanted.iter().flatten().filter(|name| !entries.contains_key(&key(name))) {
            let text = format!("there is no pipeline `{name}` to be found");
            self.kedro_error(at, text, "Correct the name, or make the pipeline.");
        }
        Ok(self.dict(entries, None))
    }

    fn pipeline_folders(&self, package: &str) -> Vec<String> {
        let folder = self.metadata.source_dir.join(package.replace('.', "/")).join("pipelines");
        let mut names: Vec<String> = std::fs::read_dir(folder)
            .into_iter()
            .flatten()
            .flatten()
            .filter(|entry| entry.path().is_dir())
            .filter_map(|entry| entry.file_name().into_string().ok())
            .filter(|name| name != "__pycache__" && !name.contains('.'))
            .collect();
        names.sort();
        names
    }

    /// `_create_pipeline`: the result of the module's `create_pipeline`.
    fn create_pipeline(
        &mut self,
        module: &Value<'a>,
        at: At<'a>,
    ) -> Result<Option<Value<'a>>, Stop<'a>> {
        let Value::Module(found) = module else { return Ok(None) };
        let place = Self::start_of(found).map_or_else(|| at.place(), At::place);
        let name = found.name.rsplit('.').next().unwrap_or_default().to_owned();
        let Some(create) = found.scope.own("create_pipeline") else {
            let why = found.scope.open.borrow().clone();
            match why {
                Some(why) => self.report_missing(&format!("Pipeline `{name}`"), &why),
                None => self.problem(Problem::new(
                    Severity::Warning,
                    Some(place),
                    format!(
                        "`{}` has no `create_pipeline`, so Kedro finds no pipeline in it.",
                        found.name
                    ),
                    "Define `create_pipeline`, or import it there.",
                )),
            }
            return Ok(None);
        };
        let result = self.call_with(&create, Vec::new(), at)?;
        match result {
            Value::Pipeline(_) => Ok(Some(result)),
            Value::Unknown(why) => {
                self.report_missing(&format!("Pipeline `{name}`"), &why);
                Ok(Some(self.pipeline(Vec::new(), Some(why), at)))
            }
            other => {
                self.problem(Problem::new(
                    Severity::Warning,
                    Some(place),
                    format!(
                        "`create_pipeline` of `{}` returns a `{}` instead of a pipeline, so Kedro leaves it out.",
                        found.name,
                        other.type_name()
                    ),
                    "Return a `Pipeline`.",
                ));
                Ok(None)
            }
        }
    }
}

fn key(name: &str) -> Key {
    Key::Str(name.into())
}

fn insert<'a>(
    entries: &mut IndexMap<Key, (Value<'a>, Value<'a>)>,
    name: &str,
    pipeline: Value<'a>,
) {
    entries.insert(key(name), (Value::str(name), pipeline));
}
