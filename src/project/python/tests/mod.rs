//! Robustness of the evaluator: no code may make it panic or hang, and settings are evaluated too.
//! The results for given code, and its problems, are covered by the pages in `tests/evaluator/`.

mod bounds;
mod budget;
mod callable;
mod settings;

use std::fmt::Write as _;
use std::fs;

use super::{Registry, SourceCache, read_registry, read_settings};
use crate::project::settings::Settings;
use crate::project::{Budget, Metadata};

const REGISTRY: &str = "
from kedro.pipeline import Pipeline
from pkg.pipeline import create_pipeline

def register_pipelines():
    return {'__default__': create_pipeline()}
";

const HEAD: &str = "from kedro.pipeline import Pipeline, node, pipeline
def f(*args): return args
";

struct Project {
    folder: tempfile::TempDir,
    metadata: Metadata,
}

impl Project {
    fn new(files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().to_owned();
        let metadata = Metadata {
            package_name: "pkg".into(),
            kedro_version: "1.7.0".into(),
            source_dir: root.join("src"),
            conf_source: root.join("conf"),
            root,
            ..Metadata::default()
        };
        let project = Project { folder, metadata };
        project.write("__init__.py", "");
        project.write("pipeline_registry.py", REGISTRY);
        for (path, text) in files {
            project.write(path, text);
        }
        project
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.folder.path().join("src/pkg").join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn registry(&self) -> Registry {
        self.registry_within(Budget::default())
    }

    fn registry_within(&self, mut budget: Budget) -> Registry {
        read_registry(&self.metadata, &mut SourceCache::default(), &mut budget)
    }

    fn settings(&self) -> Settings {
        self.settings_within(Budget::default())
    }

    fn settings_within(&self, mut budget: Budget) -> Settings {
        read_settings(&self.metadata, &mut SourceCache::default(), &mut budget)
    }
}

/// The registry of a project whose `pipeline.py` consists of the imports and `code`.
fn read(code: &str) -> Registry {
    Project::new(&[("pipeline.py", &format!("{HEAD}{code}"))]).registry()
}

fn names(registry: &Registry) -> Vec<&str> {
    let nodes = registry.pipelines.iter().flat_map(|pipeline| &pipeline.nodes);
    nodes.map(|node| node.name.as_str()).collect()
}

/// All problems as one text, each with its place.
fn problem_text(registry: &Registry) -> String {
    let mut out = String::new();
    for problem in &registry.problems {
        let place = problem.place.as_ref().map(ToString::to_string).unwrap_or_default();
        let _ = writeln!(out, "{place}: {}", problem.text);
    }
    out
}
