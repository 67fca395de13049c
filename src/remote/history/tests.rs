use super::super::model::{RunId, State};
use super::*;
use crate::store::{LogCursor, LogFilter};

fn origin() -> Origin {
    Origin {
        profile: "prod".into(),
        engine: "airflow".into(),
        address: "https://airflow.example.com".into(),
        pipeline: "__default__".into(),
        ..Origin::default()
    }
}

fn state(phase: Phase) -> State {
    State { name: format!("{phase:?}").to_lowercase(), phase }
}

fn run(phase: Phase) -> Run {
    Run {
        id: RunId { pipeline: "bikes".into(), run: "manual__1".into() },
        state: state(phase),
        queued: Some(90.0),
        started: None,
        ended: None,
        kind: "manual".into(),
        conf: Json::Null,
        note: None,
        error: None,
    }
}

fn task(id: &str, phase: Phase, started: Option<f64>, ended: Option<f64>) -> Task {
    Task {
        id: id.into(),
        index: None,
        state: state(phase),
        attempt: 1,
        attempts: 2,
        started,
        ended,
        host: None,
    }
}

fn nodes() -> HashMap<String, Vec<String>> {
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    HashMap::from([
        ("clean".into(), names(&["clean"])),
        ("split-fit".into(), names(&["split", "fit"])),
        ("judge".into(), names(&["judge"])),
    ])
}

fn store() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::new(folder.path());
    (folder, store)
}

/// The nodes of a record as `name outcome start seconds`.
fn written(store: &mut Store, record: &RunRecord) -> Vec<String> {
    let number = |number: Option<f64>| number.map_or("-".to_owned(), |number| number.to_string());
    let line = |node: NodeRecord| {
        let (start, seconds) = (number(node.started_at), number(node.seconds));
        format!("{} {} {start} {seconds}", node.node, node.outcome.as_str())
    };
    store.nodes(record.id.unwrap()).unwrap().into_iter().map(line).collect()
}

#[test]
fn a_run_that_is_looked_at_again_stays_one_record() {
    let (_folder, mut store) = store();
    let waiting = task("split-fit", Phase::Waiting, None, None);
    let judge = task("judge", Phase::Waiting, None, None);
    let tasks = [task("clean", Phase::Running, Some(101.0), None), waiting, judge.clone()];
    let first = record(&mut store, &origin(), &run(Phase::Waiting), &tasks, &nodes()).unwrap();
    assert_eq!(
        (first.outcome, first.new.started_at, first.ended_at),
        (Outcome::Running, 90.0, None)
    );
    assert_eq!((first.nodes_done, first.nodes_total), (0, 4));
    assert_eq!(
        written(&mut store, &first),
        ["clean running 101 -", "split waiting - -", "fit waiting - -", "judge waiting - -"]
    );

    let began = Run { started: Some(100.0), ..run(Phase::Running) };
    let tasks = [
        task("clean", Phase::Succeeded, Some(101.0), Some(103.5)),
        task("split-fit", Phase::Retrying, Some(104.0), Some(105.0)),
        judge,
    ];
    let second = record(&mut store, &origin(), &began, &tasks, &nodes()).unwrap();
    assert_eq!((second.id, second.new.started_at, second.nodes_done), (first.id, 100.0, 1));
    assert_eq!(
        written(&mut store, &second),
        [
            "clean succeeded 101 2.5",
            "split running 104 -",
            "fit running 104 -",
            "judge waiting - -"
        ]
    );

    let ended = Run { ended: Some(120.0), started: Some(100.0), ..run(Phase::Failed) };
    let tasks = [
        tasks[0].clone(),
        task("split-fit", Phase::Failed, Some(110.0), Some(114.0)),
        task("judge", Phase::UpstreamFailed, None, Some(114.0)),
    ];
    let third = record(&mut store, &origin(), &ended, &tasks, &nodes()).unwrap();
    assert_eq!((third.outcome, third.ended_at), (Outcome::Failed, Some(120.0)));
    assert_eq!(third.failed_node.as_deref(), Some("split"));
    assert_eq!(
        written(&mut store, &third),
        ["clean succeeded 101 2.5", "split failed 110 4", "fit failed 110 4", "judge stopped - -"]
    );
    assert_eq!(record(&mut store, &origin(), &ended, &tasks, &nodes()).unwrap(), third);
    assert_eq!(store.count_runs().unwrap(), 1);
    // What ran elsewhere makes nothing here fresh, and says nothing about the durations here.
    assert!(store.fingerprints("local").unwrap().is_empty());
    assert!(store.timings(9).unwrap().is_empty());

    // A retry goes on with the same record.
    let again = Run { started: Some(100.0), ..run(Phase::Running) };
    let fourth = record(&mut store, &origin(), &again, &tasks[..1], &nodes()).unwrap();
    assert_eq!((fourth.id, fourth.outcome, fourth.ended_at), (first.id, Outcome::Running, None));
}

#[test]
fn each_phase_has_its_outcome() {
    for (phase, of_run, of_node, of_node_at_end) in [
        (Phase::Waiting, Outcome::Running, NodeOutcome::Waiting, NodeOutcome::Stopped),
        (Phase::Running, Outcome::Running, NodeOutcome::Running, NodeOutcome::Stopped),
        (Phase::Retrying, Outcome::Running, NodeOutcome::Running, NodeOutcome::Stopped),
        (Phase::Succeeded, Outcome::Succeeded, NodeOutcome::Succeeded, NodeOutcome::Succeeded),
        (Phase::Failed, Outcome::Failed, NodeOutcome::Failed, NodeOutcome::Failed),
        (Phase::UpstreamFailed, Outcome::Failed, NodeOutcome::Stopped, NodeOutcome::Stopped),
        (Phase::Skipped, Outcome::Cancelled, NodeOutcome::Stopped, NodeOutcome::Stopped),
        (Phase::Unknown, Outcome::Running, NodeOutcome::Waiting, NodeOutcome::Stopped),
        (Phase::Lost, Outcome::Lost, NodeOutcome::Stopped, NodeOutcome::Stopped),
    ] {
        assert_eq!(outcome(phase, Outcome::Running), of_run, "{phase:?}");
        assert_eq!(node_outcome(phase, false), of_node, "{phase:?}");
        assert_eq!(node_outcome(phase, true), of_node_at_end, "{phase:?}");
    }
}

#[test]
fn a_run_that_was_cancelled_here_stays_cancelled_until_it_goes_on() {
    let (_folder, mut store) = store();
    let stopped = record(&mut store, &origin(), &run(Phase::Failed), &[], &nodes()).unwrap();
    cancelled(&mut store, &stopped).unwrap();
    let mut seen =
        |phase| record(&mut store, &origin(), &run(phase), &[], &nodes()).unwrap().outcome;
    assert_eq!(seen(Phase::Failed), Outcome::Cancelled);
    assert_eq!(seen(Phase::Running), Outcome::Running);
    assert_eq!(seen(Phase::Failed), Outcome::Failed);
}

#[test]
fn parameters_are_kept_without_secrets_and_without_our_own_key() {
    let (folder, mut store) = store();
    let conf = json!({
        "model": {"alpha": 0.5, "name": "it's 7"}, "db": {"password": "hush9Hush"},
        "_mlops_tui": {"env": "cloud", "id": "x"},
    });
    let submitted = Run { conf, note: Some("token=hush9Hush".into()), ..run(Phase::Waiting) };
    let found = record(&mut store, &origin(), &submitted, &[], &nodes()).unwrap();
    let request: Json = serde_json::from_str(&found.new.request).unwrap();
    assert_eq!((&request["env"], &request["pipeline"]), (&json!("cloud"), &Json::Null));
    assert_eq!(request["params"]["model.alpha"], "0.5");
    assert!(request["params"]["db.password"].as_str().unwrap().starts_with("<secret "));
    assert_eq!(request["params"].as_object().unwrap().len(), 3);
    assert_eq!(found.new.env.as_deref(), Some("cloud"));
    assert_eq!(found.new.host.as_deref(), Some("https://airflow.example.com"));
    assert_eq!(found.new.why.as_deref(), Some("manual"));
    assert_eq!(
        found.new.command,
        r"mlops-tui remote submit --profile prod --pipeline bikes --params 'model.alpha=0.5,model.name=it'\''s 7,db.password=********'"
    );
    let line = LogLine { at: None, level: None, text: "the password is hush9Hush".into() };
    let ended = task("clean", Phase::Succeeded, Some(1.0), Some(2.0));
    keep_log(&mut store, &found, (&ended, 1), &[line], &[], (folder.path(), "bikes")).unwrap();
    let bytes = format!(
        "{:?}{:?}",
        store.run(found.id.unwrap()).unwrap(),
        store.log(found.id.unwrap(), &LogFilter::default(), LogCursor::Line(1), 9).unwrap()
    );
    assert!(!bytes.contains("hush9Hush"), "{bytes}");
}

#[test]
fn an_address_is_kept_without_credentials() {
    for (url, kept) in [
        ("https://ada:hush@air.example.com/flow/?token=hush#x", "https://air.example.com/flow"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
    ] {
        assert_eq!(address(url), kept);
    }
}

#[test]
fn a_node_of_several_tasks_has_the_state_that_matters_most() {
    let (_folder, mut store) = store();
    let mapped = |index, phase, start, end| Task {
        index: Some(index),
        ..task("clean", phase, Some(start), Some(end))
    };
    let tasks = [mapped(0, Phase::Succeeded, 5.0, 7.0), mapped(1, Phase::Failed, 4.0, 9.0)];
    let found = record(&mut store, &origin(), &run(Phase::Failed), &tasks, &nodes()).unwrap();
    assert_eq!(written(&mut store, &found), ["clean failed 4 5"]);
    let unknown = [task("notify", Phase::Succeeded, Some(1.0), Some(2.0))];
    let found = record(&mut store, &origin(), &run(Phase::Succeeded), &unknown, &nodes()).unwrap();
    assert!(written(&mut store, &found).contains(&"notify succeeded 1 1".to_owned()));
}

#[test]
fn a_log_is_stored_once_and_its_exception_becomes_the_nodes() {
    let (folder, mut store) = store();
    let root = folder.path();
    std::fs::create_dir_all(root.join("src/bikes")).unwrap();
    std::fs::write(root.join("src/bikes/nodes.py"), "").unwrap();
    let failed = task("split-fit", Phase::Failed, Some(101.0), Some(103.0));
    let ended = Run { ended: Some(104.0), ..run(Phase::Failed) };
    let found =
        record(&mut store, &origin(), &ended, std::slice::from_ref(&failed), &nodes()).unwrap();
    let line = |at: f64, level: &str, text: &str| LogLine {
        at: Some(at),
        level: Some(level.into()),
        text: text.into(),
    };
    let lines = [
        line(101.0, "info", "Running node: split: f([a]) -> [b]"),
        line(102.0, "info", "Running node: fit: g([b]) -> [c]"),
        line(103.0, "error", "Task failed"),
        line(103.0, "error", "Traceback (most recent call last):"),
        line(103.0, "error", "  File \"/opt/x/src/bikes/nodes.py\", line 7, in fit"),
        line(103.0, "error", "bikes.errors.NoFit: too few days"),
    ];
    let both = &nodes()["split-fit"];
    for _ in 0..2 {
        assert_eq!(store.run(found.id.unwrap()).unwrap().unwrap().log_lines % 6, 0);
        keep_log(&mut store, &found, (&failed, 1), &lines, both, (root, "bikes")).unwrap();
        assert!(has_log(&mut store, &found, &failed, 1).unwrap());
    }
    assert!(!has_log(&mut store, &found, &failed, 2).unwrap());
    let id = found.id.unwrap();
    let of_fit = LogFilter { node: Some("fit".into()), ..LogFilter::default() };
    let kept = store.log(id, &of_fit, LogCursor::Line(1), 99).unwrap();
    assert_eq!(kept.iter().map(|line| line.number).collect::<Vec<_>>(), [2, 3, 4, 5, 6]);
    assert_eq!((kept[0].level, kept[1].level), (Level::Info, Level::Error));
    let seen =
        record(&mut store, &origin(), &ended, std::slice::from_ref(&failed), &nodes()).unwrap();
    assert_eq!(seen.log_lines, 6);
    assert_eq!(seen.failed_node.as_deref(), Some("fit"));
    assert_eq!(seen.reason.as_deref(), Some("NoFit: too few days"));
    let failure = |store: &mut Store, node: &str| -> Option<Json> {
        let nodes = store.nodes(id).unwrap();
        let node = nodes.into_iter().find(|one| one.node == node)?;
        serde_json::from_str(&node.failure?).ok()
    };
    assert_eq!(failure(&mut store, "fit").unwrap()["frames"][0]["file"], "src/bikes/nodes.py");
    assert_eq!(failure(&mut store, "split"), None);

    // The next try fails otherwise: its exception is not that of the first one.
    let later = Task { attempt: 2, started: Some(110.0), ended: Some(111.0), ..failed };
    record(&mut store, &origin(), &ended, std::slice::from_ref(&later), &nodes()).unwrap();
    assert_eq!(failure(&mut store, "fit"), None);
    keep_log(&mut store, &found, (&later, 1), &lines, both, (root, "bikes")).unwrap();
    keep_log(&mut store, &found, (&later, 2), &lines[..1], both, (root, "bikes")).unwrap();
    assert_eq!(store.run(id).unwrap().unwrap().log_lines, 7);
}
