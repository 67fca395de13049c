//! A history of runs as the store keeps it.

use mlops_tui::store::{
    CodeVersion, DatasetRecord, Direction, Entry, Level, Line, NewRun, NodeOutcome, NodeRecord,
    Outcome, Progress, RunId, Source, Store, text_hash,
};

use super::project::project;

/// 2026-11-02, in seconds since the Unix epoch.
pub const BEGAN: f64 = 1_793_600_000.0;

/// A line of a log.
pub fn line<'a>(at: f64, node: Option<&'a str>, level: Level, text: &'a str) -> Entry<'a> {
    let source = Source { level, node, stream: "stdout", level_name: None, logger: None };
    Entry::Line(Line { at, source, text })
}

/// A node that began so many seconds after [`BEGAN`].
pub fn node(
    name: &str,
    position: u32,
    outcome: NodeOutcome,
    start: f64,
    seconds: f64,
) -> NodeRecord {
    NodeRecord {
        node: name.into(),
        position,
        outcome,
        started_at: Some(BEGAN + start),
        seconds: Some(seconds),
        failure: None,
    }
}

/// Adds a run that ended well, with so many lines that don't shrink when they are packed.
pub fn noisy_run(store: &mut Store, new: &NewRun, lines: usize) -> RunId {
    let mut record = store.add_run(new).unwrap();
    record.outcome = Outcome::Succeeded;
    let id = record.id.unwrap();
    let text = |number| blake3::hash(format!("{id} {number}").as_bytes()).to_hex();
    let texts: Vec<String> = (0..lines).map(|number| text(number).to_string()).collect();
    let entries: Vec<Entry<'_>> =
        texts.iter().map(|text| line(new.started_at, None, Level::Info, text)).collect();
    let progress =
        Progress { record: &record, first: 1, entries: &entries, nodes: &[], datasets: &[] };
    store.record(&progress).unwrap();
    id
}

/// Keeps the definitions that the nodes of a run use: those of the second run differ in two of them.
fn definitions(store: &mut Store, id: i64) -> String {
    let train = format!(
        "def train(table, size):\n    \"\"\"Fit the model.\"\"\"\n    rows = table.dropna()\n    \
         model = fit(rows, size)\n    if model is None:\n        return None\n    \
         model.seed = {id}\n    model.label = \"run {id}, with a text that is longer than the pane is wide, or so\"\n    \
         return model\n"
    );
    let added = "def fit(rows, size):\n    return Model(size).fit(rows)\n".to_owned();
    let kept = |name: &str, line: u32, text: &str| {
        let (hash, key) = (blake3::hash(text.as_bytes()).to_hex(), text_hash(text));
        serde_json::json!({
            "name": format!("shop.nodes.{name}"), "hash": hash.as_str(), "file": "src/shop/nodes.py",
            "line": line, "text": key,
        })
    };
    let clean = "def clean(rows):\n    return rows\n".to_owned();
    let mut all = vec![kept("clean", 4, &clean), kept("train", 9, &train)];
    let mut parts = vec![clean, train];
    let mut train = vec![1];
    if id == 2 {
        all.push(kept("fit", 30, &added));
        parts.push(added);
        train.push(2);
    }
    let json = serde_json::json!({
        "all": all, "nodes": {"clean": [0], "count": [0], "train": train},
    });
    store.keep_parts(&json.to_string(), &parts).unwrap()
}

/// A project with two runs: one that ended well, and one that failed a day later.
pub fn two_runs() -> (tempfile::TempDir, Store) {
    let folder = project("def make(node):\n    return []\n");
    let mut store = Store::new(folder.path());
    for (id, outcome) in [(1, Outcome::Succeeded), (2, Outcome::Failed)] {
        let later = if id == 2 { 86_400.0 } else { 0.0 };
        let new = NewRun {
            started_at: BEGAN + later,
            pipeline: "__default__".into(),
            env: Some("local".into()),
            request: format!("{{\"params\": {{\"size\": {id}}}}}"),
            command: format!("kedro run --params=size={id}"),
            user: Some("ada".into()),
            host: Some("here".into()),
            why: Some("the screen's run-pipeline".into()),
            ..NewRun::default()
        };
        let mut run = store.add_run(&new).unwrap();
        run.outcome = outcome;
        run.ended_at = Some(BEGAN + later + 9.0);
        (run.nodes_total, run.nodes_done) = (3, if id == 1 { 3 } else { 1 });
        run.kedro_version = Some("1.7.0".into());
        run.parameters = Some(store.keep_text(&format!("{{\"size\":{id},\"seed\":7}}")).unwrap());
        let diff = format!("diff --git a/src/shop/nodes.py b/src/shop/nodes.py\n+size = {id}\n");
        run.code = Some(CodeVersion {
            commit: Some("0123456789abcdef".into()),
            branch: Some("main".into()),
            dirty: true,
            diff: Some(store.keep_text(&diff).unwrap()),
            untracked: Vec::new(),
        });
        run.definitions = Some(definitions(&mut store, id));
        let (mut second, third) = match outcome {
            Outcome::Failed => {
                run.failed_node = Some("train".into());
                run.reason = Some("bad \u{1b}[31mluck".into());
                (NodeOutcome::Failed, NodeOutcome::Stopped)
            }
            _ => (NodeOutcome::Succeeded, NodeOutcome::Succeeded),
        };
        let mut nodes = vec![
            node("clean", 0, NodeOutcome::Succeeded, later + 1.0, 2.0),
            node("count", 1, std::mem::take(&mut second), later + 3.0, 1.0),
            node("train", 2, third, later + 3.0, 4.0),
        ];
        if id == 2 {
            nodes[1].outcome = NodeOutcome::Succeeded;
            nodes[2].outcome = NodeOutcome::Failed;
            nodes[2].failure = Some(
                r#"{"kind":"builtins.ValueError","message":"bad luck","traceback":"",
                    "frames":[{"file":"src/shop/nodes.py","line":9,"function":"train","in_project":true}]}"#
                    .into(),
            );
        }
        let moved = |number, node: &str, direction, dataset: &str, stamp: &str| DatasetRecord {
            number,
            node: Some(node.into()),
            dataset: dataset.into(),
            direction,
            at: BEGAN,
            seconds: 0.5,
            bytes: Some(4_210),
            stamp: Some(stamp.into()),
            metrics: (dataset == "metrics").then(|| format!("{{\"mae\":{id}.25}}")),
        };
        let datasets = [
            moved(1, "clean", Direction::Save, "table", "same"),
            moved(2, "train", Direction::Load, "table", "same"),
            moved(3, "train", Direction::Save, "metrics", &id.to_string()),
        ];
        let entries = [
            line(BEGAN + 1.0, Some("clean"), Level::Info, "reading \u{1b}[2Jrows"),
            line(BEGAN + 4.0, Some("train"), Level::Warning, "it does not converge"),
            line(BEGAN + 5.0, None, Level::Error, "Disk slow"),
        ];
        store
            .record(&Progress {
                record: &run,
                first: 1,
                entries: &entries,
                nodes: &nodes,
                datasets: &datasets,
            })
            .unwrap();
    }
    (folder, store)
}
