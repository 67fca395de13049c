//! Watch mode: saves run what they made stale.

use std::collections::HashMap;

use mlops_tui::app::event::Report;
use mlops_tui::dag::Slice;
use mlops_tui::dag::staleness::{Freshness, Reason};
use mlops_tui::runs::{Failure, RunEvent};

use crate::common::app::TestApp;

/// The statuses of the sample's nodes: `stale` ones, and fresh others.
fn statuses(app: &mut TestApp, stale: &[&str]) {
    let pipeline = app.state.shared.shown_pipeline().unwrap();
    let status = |name: &str| match stale.contains(&name) {
        true => Freshness::Stale { reasons: vec![Reason::InputChanged { dataset: "x".into() }] },
        false => Freshness::Fresh,
    };
    let statuses: HashMap<String, Freshness> =
        pipeline.nodes.iter().map(|node| (node.name.clone(), status(&node.name))).collect();
    app.report(Report::Staleness { pipeline: "__default__".into(), statuses });
}

fn save(app: &mut TestApp) {
    app.report(Report::Changed { files: vec!["src/nodes.py".into()], tracking: false });
}

/// The nodes of the last run that was requested since the last call.
fn asked(app: &mut TestApp) -> Option<Slice> {
    let slice = app.asked_run().map(|request| request.slice.clone());
    app.effects.clear();
    slice
}

#[test]
fn a_save_runs_what_it_made_stale_once() {
    let mut app = TestApp::open(120, 36);
    statuses(&mut app, &["clean_stations"]);
    app.keys("A");
    assert!(app.screen().contains("saves run"), "{}", app.screen());
    statuses(&mut app, &["clean_stations"]);
    assert_eq!(asked(&mut app), None, "nothing was saved yet");
    save(&mut app);
    statuses(&mut app, &[]);
    assert_eq!(asked(&mut app), None, "the save made nothing stale so far");
    statuses(&mut app, &["clean_stations", "clean_trips"]);
    assert_eq!(asked(&mut app), Some(Slice::nodes(["clean_stations", "clean_trips"])));
    app.start_run(&["clean_stations", "clean_trips"]);
    save(&mut app);
    statuses(&mut app, &["clean_stations"]);
    assert_eq!(asked(&mut app), None, "a run is going on");
    app.happens_in_run(1.0, RunEvent::RunFailed { failure: Failure::default() });
    statuses(&mut app, &["clean_stations"]);
    assert_eq!(asked(&mut app), Some(Slice::nodes(["clean_stations"])), "saved during the run");
    app.refuse_run();
    statuses(&mut app, &["clean_stations"]);
    assert_eq!(asked(&mut app), None, "the next save tries again");
    app.keys("A");
    save(&mut app);
    statuses(&mut app, &["clean_stations"]);
    assert_eq!(asked(&mut app), None, "watch mode is over");
    assert!(!app.screen().contains("saves run"));
}

#[test]
fn with_marks_only_the_marked_nodes_and_those_below_are_run() {
    let mut app = TestApp::open(200, 60);
    app.keys("/clean_weather<enter><space>A");
    assert!(app.screen().contains("saves run 1 node"), "{}", app.screen());
    save(&mut app);
    statuses(&mut app, &["clean_stations"]);
    assert_eq!(asked(&mut app), None);
    statuses(&mut app, &["clean_stations", "clean_weather", "build_features"]);
    let nodes = asked(&mut app).expect("a run").nodes;
    assert!(nodes.contains(&"clean_weather".into()), "{nodes:?}");
    assert!(!nodes.contains(&"clean_stations".into()), "{nodes:?}");
}

#[test]
fn a_node_without_a_run_is_run_if_it_is_new() {
    let mut app = TestApp::open(120, 36);
    let mut snapshot = (**app.state.shared.project.snapshot.as_ref().unwrap()).clone();
    let pipeline = snapshot.pipelines.iter_mut().find(|one| one.name == "__default__").unwrap();
    let removed = pipeline.nodes.pop().unwrap();
    let whole = app.state.shared.project.snapshot.clone().unwrap();
    save(&mut app);
    app.report(Report::Static { generation: 2.into(), result: Ok(snapshot.into()) });
    app.keys("A");
    save(&mut app);
    app.report(Report::Static { generation: 3.into(), result: Ok(whole) });
    let never = |name: &str| (name.to_owned(), Freshness::NeverRun);
    let statuses = [never(&removed.name), never("clean_stations")].into_iter().collect();
    app.report(Report::Staleness { pipeline: "__default__".into(), statuses });
    assert_eq!(asked(&mut app), Some(Slice::nodes([&removed.name])));
}

#[test]
fn without_trust_there_is_no_watch_mode() {
    let mut app = TestApp::open(120, 36);
    app.report(Report::Trust(false));
    app.keys("A");
    assert!(app.screen().contains("Trust this project?"), "{}", app.screen());
    app.keys("n");
    assert!(!app.screen().contains("saves run"), "{}", app.screen());
    app.keys("Ay");
    assert!(app.screen().contains("saves run"), "{}", app.screen());
}
