//! Projects for tests, in folders of their own.

use std::fs;
use std::path::{Path, PathBuf};

/// A small project of one pipeline, whose nodes are given as Python.
pub fn project(nodes: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    write(
        "pyproject.toml",
        "[tool.kedro]\npackage_name = \"shop\"\nproject_name = \"Shop\"\nkedro_init_version = \"1.7.0\"\n",
    );
    write(
        "conf/base/catalog.yml",
        "secret:\n  type: pickle.PickleDataset\n  filepath: https://me:word@host/x\n",
    );
    write("conf/base/parameters.yml", "size: 3\nmodel:\n  depth: 2\n");
    write("conf/local/credentials.yml", "db: {password: hush}\n");
    write("src/shop/__init__.py", "");
    // The plug-ins of the environment take seconds to import and have no part in this.
    write(
        "src/shop/settings.py",
        "import pluggy\n\n\
         pluggy.PluginManager.load_setuptools_entrypoints = lambda *_, **__: 0\n",
    );
    write("src/shop/nodes.py", nodes);
    write(
        "src/shop/pipeline_registry.py",
        "from kedro.pipeline import Pipeline, node\nfrom . import nodes\n\n\ndef register_pipelines():\n    \
         return {\"__default__\": Pipeline(nodes.make(node))}\n",
    );
    folder
}

/// A copy of the sample project; it goes with the returned folder. What runs have made is left out.
pub fn copy_of_sample() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    // Canonical, for the system's own folder of temporary files may be a link.
    let root = folder.path().canonicalize().unwrap().join("harbour-bikes");
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("sample-project");
    copy(&sample, &root);
    (folder, root)
}

/// Copies a project's folder, without what runs have made.
pub fn copy(from: &Path, to: &Path) {
    const MADE: [&str; 6] =
        [".mlops-tui", ".venv", "__pycache__", "mlflow.db", "mlruns", "mlartifacts"];
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name();
        if MADE.contains(&name.to_str().unwrap()) {
            continue;
        }
        let target = to.join(&name);
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
