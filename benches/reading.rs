//! How long the static reading of a large project takes: 1,000 nodes in 100 pipelines, over 420
//! files, when it is read first, when nothing has changed, and after one file is saved; and how much
//! of that is to tell what project code each node reaches.
//!
//! `cargo bench --bench reading` prints the medians in milliseconds, as a table in Markdown.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

use mlops_tui::project::{Options, Reader, discovery};

const PIPELINES: usize = 100;
const NODES: usize = 10;
const ROUNDS: usize = 15;

fn main() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path();
    generate(root);
    let options = Options::default();
    let saved = root.join("src/big/pipelines/p50/nodes.py");
    let text = fs::read_to_string(&saved).expect("the nodes");
    let (metadata, _) = discovery::metadata(root);

    let first = median(5, || {
        let mut reader = Reader::new(root);
        timed(|| drop(reader.read(&options)))
    });
    let mut reader = Reader::new(root);
    let snapshot = reader.read(&options);
    let nodes = &snapshot.pipelines[0].nodes;
    let reached: usize = nodes
        .iter()
        .filter_map(|node| node.reach.as_ref())
        .map(|reach| reach.definitions.len())
        .sum();
    assert_eq!(nodes.len(), PIPELINES * NODES, "{:?}", snapshot.problems);
    let again = median(ROUNDS, || timed(|| drop(reader.read(&options))));
    let mut count = 0;
    let mut save = || {
        count += 1;
        fs::write(&saved, format!("{text}\ndef new_{count}():\n    return 1\n")).expect("saved");
    };
    let after = median(ROUNDS, || {
        save();
        timed(|| drop(reader.read(&options)))
    });
    let code = median(ROUNDS, || {
        save();
        timed(|| drop(reader.code(&metadata)))
    });

    println!(
        "{} definitions, {reached} reached by {} nodes\n",
        snapshot.code.definitions().len(),
        nodes.len()
    );
    println!("| what | median |");
    println!("|---|---:|");
    for (what, time) in [
        ("first reading", first),
        ("reading again, nothing changed", again),
        ("reading after one file is saved", after),
        ("of that, the definitions and what each refers to", code),
    ] {
        println!("| {what} | {:.1} ms |", time.as_secs_f64() * 1000.0);
    }
}

fn timed(work: impl FnOnce()) -> Duration {
    let begin = Instant::now();
    work();
    begin.elapsed()
}

fn median(count: usize, mut measure: impl FnMut() -> Duration) -> Duration {
    let mut times: Vec<Duration> = (0..count).map(|_| measure()).collect();
    times.sort();
    times[count / 2]
}

/// A project whose pipelines have helpers of their own and share a library of others.
fn generate(root: &Path) {
    let write = |path: String, text: &str| {
        let path = root.join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(&path, text).expect("written");
        // The clock of a file system is coarse: what was just written is always read again.
        let long_ago = SystemTime::now() - Duration::from_secs(60 * 60);
        let file = fs::File::options().write(true).open(&path).expect("the file");
        file.set_modified(long_ago).expect("its time");
    };
    let pyproject = "[tool.kedro]\npackage_name = \"big\"\nproject_name = \"Big\"\n\
                     kedro_init_version = \"1.0.0\"\n";
    write("pyproject.toml".into(), pyproject);
    write("conf/base/catalog.yml".into(), "");
    write("src/big/__init__.py".into(), "");
    write("src/big/pipelines/__init__.py".into(), "");
    write("src/big/library/__init__.py".into(), "from .shared_0 import step_0\n");
    for shared in 0..20 {
        let mut text = String::from("import numpy as np\nimport pandas as pd\n\nLIMIT = 10\n\n");
        for step in 0..20 {
            let next = if step > 0 { format!("step_{}(x)", step - 1) } else { "x".to_owned() };
            let _ = write!(text, "def step_{step}(x):\n    return np.log({next}) + LIMIT\n\n");
        }
        write(format!("src/big/library/shared_{shared}.py"), &text);
    }
    for pipeline in 0..PIPELINES {
        let folder = format!("src/big/pipelines/p{pipeline}");
        let shared = pipeline % 20;
        write(
            format!("{folder}/__init__.py"),
            "from .pipeline import create_pipeline\n\n__all__ = [\"create_pipeline\"]\n",
        );
        let mut helpers = String::from("import pandas as pd\n\n");
        let mut nodes = format!(
            "import logging\n\nimport pandas as pd\n\nfrom big.library import shared_{shared} as shared\n\
             from .helpers import *\n\nlog = logging.getLogger(__name__)\nCOLUMNS = ['a', 'b']\n\n"
        );
        let mut made = String::from(
            "from kedro.pipeline import node, pipeline\n\nfrom . import nodes\n\n\ndef create_pipeline(**kwargs):\n    return pipeline([\n",
        );
        for node in 0..NODES {
            let _ = write!(helpers, "def help_{node}(frame):\n    return frame.dropna()\n\n");
            let _ = write!(
                nodes,
                "def node_{node}(frame: pd.DataFrame, limit: int = 3) -> pd.DataFrame:\n    \"\"\"Makes a table.\n\n    Args:\n        frame: A table.\n    \"\"\"\n    log.info(\"%s rows\", len(frame))\n    kept = help_{node}(frame)[COLUMNS]\n    for column in COLUMNS:\n        kept[column] = kept[column].clip(upper=limit)\n    return shared.step_{node}(kept)\n\n"
            );
            let input = if node == 0 {
                format!("raw_{pipeline}")
            } else {
                format!("d_{pipeline}_{}", node - 1)
            };
            let _ = writeln!(
                made,
                "        node(nodes.node_{node}, \"{input}\", \"d_{pipeline}_{node}\", name=\"n_{pipeline}_{node}\"),"
            );
        }
        made.push_str("    ])\n");
        write(format!("{folder}/helpers.py"), &helpers);
        write(format!("{folder}/nodes.py"), &nodes);
        write(format!("{folder}/pipeline.py"), &made);
    }
    write(
        "src/big/pipeline_registry.py".into(),
        "from kedro.framework.project import find_pipelines\n\n\ndef register_pipelines():\n    pipelines = find_pipelines()\n    pipelines[\"__default__\"] = sum(pipelines.values())\n    return {\"__default__\": pipelines[\"__default__\"], **pipelines}\n",
    );
}
