//! Staleness of a project of 1,000 nodes in 100 modules after one save: reading the changed file, and
//! comparing all nodes with what they were last run with.
//!
//!     cargo bench --bench staleness

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant, UNIX_EPOCH};

use mlops_tui::dag::staleness::{Content, Fingerprint as NodeFingerprint, Freshness, facts};
use mlops_tui::project::{Options, Reader, Snapshot};
use mlops_tui::runs::staleness::Staleness;
use mlops_tui::store::{RunId, Store, StoredFingerprint};

const MODULES: usize = 100;
const NODES: usize = 10;
const TIMES: usize = 15;

fn main() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path();
    generate(root);
    let mut reader = Reader::new(root);
    let began = Instant::now();
    let snapshot = reader.read(&Options::default());
    let first = began.elapsed();
    let pipeline = snapshot.pipeline("__default__").expect("a pipeline");
    assert!(pipeline.complete && pipeline.nodes.len() == MODULES * NODES);
    let mut store = Store::new(root);
    store.save_fingerprints(&snapshot.env, &fingerprints(root, &snapshot)).expect("a store");
    let mut staleness = Staleness::default();
    staleness.load(&mut store, &snapshot.env).expect("fingerprints");
    let stale = staleness.look(&snapshot, pipeline, None);
    assert!(stale.values().all(|status| *status == Freshness::Fresh), "all are fresh at first");

    let (mut reads, mut looks, mut both) = (Vec::new(), Vec::new(), Vec::new());
    for time in 0..TIMES {
        let file = root.join("src/big/part50.py");
        let text = fs::read_to_string(&file).expect("a module");
        let from = text.find("    factor = ").expect("a constant");
        let end = from + text[from..].find('\n').expect("a line");
        fs::write(&file, format!("{}    factor = {}{}", &text[..from], time + 2, &text[end..]))
            .expect("an edit");
        let began = Instant::now();
        let snapshot = reader.read(&Options::default());
        let read = began.elapsed();
        let pipeline = snapshot.pipeline("__default__").expect("a pipeline");
        staleness.load(&mut store, &snapshot.env).expect("fingerprints");
        let stale = staleness.look(&snapshot, pipeline, None);
        let all = began.elapsed();
        // `node_50_0` and what follows from it.
        let count = stale.values().filter(|status| status.is_due()).count();
        assert!(count > 1 && count <= MODULES * NODES / 2, "{count} are stale");
        reads.push(read);
        looks.push(all.checked_sub(read).unwrap_or_default());
        both.push(all);
    }
    println!("1,000 nodes, 100 modules, 1,000 datasets on disk; median of {TIMES} saves");
    println!("first reading        {:>8.1} ms", first.as_secs_f64() * 1e3);
    for (what, times) in
        [("reading after a save", reads), ("staleness of all", looks), ("both", both)]
    {
        println!("{what:<20} {:>8.1} ms", median(times).as_secs_f64() * 1e3);
    }
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

/// Each node reads what the one before in its module made, and calls helpers in three modules.
fn generate(root: &Path) {
    let write = |name: &str, text: &str| {
        let path = root.join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, text).expect("a file");
    };
    write(
        "pyproject.toml",
        "[tool.kedro]\npackage_name = \"big\"\nproject_name = \"Big\"\nkedro_init_version = \"1.7.0\"\n",
    );
    write("src/big/__init__.py", "");
    write("src/big/settings.py", "");
    write("conf/base/parameters.yml", "size: 3\nmodel:\n  depth: 2\n");
    write("conf/local/.gitkeep", "");
    let mut helpers = String::from("import json\n\nLIMIT = 10\n\n\n");
    for index in 0..40 {
        let next = index + 1;
        let call = if index < 39 { format!("help_{next}(value)") } else { "value + LIMIT".into() };
        let _ = write!(helpers, "def help_{index}(value):\n    return {call}\n\n\n");
    }
    write("src/big/helpers.py", &helpers);
    let mut registry = String::from("from kedro.pipeline import Pipeline, node\n");
    let mut nodes = String::new();
    let mut catalog = String::new();
    for module in 0..MODULES {
        let mut text = String::from("from .helpers import help_0, help_20\n\n\n");
        for index in 0..NODES {
            let _ = write!(
                text,
                "def work_{index}(value, size):\n    factor = 1\n    return help_0(value) * factor + local_{index}(size)\n\n\n\
                 def local_{index}(size):\n    return help_20(size)\n\n\n"
            );
            let input = match (module, index) {
                (0, 0) => "start".to_owned(),
                (_, 0) => format!("out_{}_0", module - 1),
                _ => format!("out_{module}_{}", index - 1),
            };
            let output = format!("out_{module}_{index}");
            let _ = writeln!(
                nodes,
                "            node(part{module}.work_{index}, [\"{input}\", \"params:size\"], \"{output}\", name=\"node_{module}_{index}\"),"
            );
            let _ = write!(
                catalog,
                "{output}:\n  type: json.JSONDataset\n  filepath: data/{output}.json\n\n"
            );
            write(&format!("data/{output}.json"), "1");
        }
        write(&format!("src/big/part{module}.py"), &text);
        let _ = writeln!(registry, "from . import part{module}");
    }
    catalog += "start:\n  type: json.JSONDataset\n  filepath: data/start.json\n";
    write("data/start.json", "1");
    write("conf/base/catalog.yml", &catalog);
    let _ = write!(
        registry,
        "\n\ndef register_pipelines():\n    return {{\n        \"__default__\": Pipeline([\n{nodes}        ])\n    }}\n"
    );
    write("src/big/pipeline_registry.py", &registry);
}

/// What a run of all nodes would have left.
fn fingerprints(root: &Path, snapshot: &Snapshot) -> Vec<StoredFingerprint> {
    let content = |name: &String| {
        let metadata = fs::metadata(root.join(format!("data/{name}.json"))).expect("a dataset");
        let modified = metadata.modified().expect("a time").duration_since(UNIX_EPOCH);
        let modified = modified.expect("a time").as_secs_f64();
        let hash = Some(blake3_of("1"));
        (name.clone(), Content::File { bytes: metadata.len(), modified, hash })
    };
    let nodes = snapshot.pipelines.iter().flat_map(|pipeline| &pipeline.nodes);
    nodes
        .map(|node| {
            let (facts, unknown) = facts(snapshot, node, None, &BTreeMap::new(), None);
            let inputs = node.inputs.iter().filter(|input| !input.starts_with("params:"));
            let fingerprint = NodeFingerprint {
                facts,
                unknown,
                inputs: inputs.map(content).collect(),
                outputs: node.outputs.iter().map(content).collect(),
            };
            let json = serde_json::to_string(&fingerprint).expect("JSON");
            let run = RunId::new(1).expect("a positive number");
            StoredFingerprint { node: node.name.clone(), run, json }
        })
        .collect()
}

fn blake3_of(text: &str) -> String {
    blake3::hash(text.as_bytes()).to_hex()[..32].to_owned()
}
