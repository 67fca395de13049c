//! Any text as the code of a project: `pipeline_registry.py`, and after a line `# ---` the module `pkg.pipeline`. The
//! first part is read as `settings.py`, too.

#![no_main]

use std::fs;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use mlops_tui::project::python::{SourceCache, read_registry, read_settings};
use mlops_tui::project::{Budget, Metadata};

/// The project, in a folder that this process alone writes to.
static PROJECT: LazyLock<Metadata> = LazyLock::new(|| {
    let root = std::env::temp_dir().join(format!("mlops-tui-fuzz-{}", std::process::id()));
    fs::create_dir_all(root.join("src/pkg")).unwrap();
    fs::write(root.join("src/pkg/__init__.py"), "").unwrap();
    Metadata {
        package_name: "pkg".into(),
        kedro_version: "1.7.0".into(),
        source_dir: root.join("src"),
        conf_source: root.join("conf"),
        root,
        ..Metadata::default()
    }
});

/// The budget of one text: little, so that many are tried in a second.
fn budget() -> Budget {
    Budget::new(1_000_000, 16 << 20)
}

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let (registry, pipeline) = text.split_once("\n# ---\n").unwrap_or((text, ""));
    let package = PROJECT.source_dir.join("pkg");
    for (file, text) in
        [("pipeline_registry.py", registry), ("pipeline.py", pipeline), ("settings.py", registry)]
    {
        fs::write(package.join(file), text).unwrap();
    }
    let mut cache = SourceCache::default();
    read_registry(&PROJECT, &mut cache, &mut budget());
    read_settings(&PROJECT, &mut cache, &mut budget());
});
