//! What the screen remembers from one session to the next.

use std::sync::Arc;

use mlops_tui::app::effect::Effect;
use mlops_tui::app::event::{Event, Report};
use mlops_tui::app::remembered::Remembered;
use mlops_tui::app::screens::pipeline::{Sizing, Zoom};
use mlops_tui::app::settings::Settings;
use mlops_tui::app::tab::Tab;
use mlops_tui::app::update::remember;
use mlops_tui::app::{State, update};
use mlops_tui::project::json::from_exact;
use mlops_tui::project::{Pipeline, Snapshot};
use serde_json::json;

use crate::common::app::{NOW, TestApp};

/// What the file would hold after this session.
fn file(app: &TestApp) -> Remembered {
    let text = serde_json::to_string(&remember::look(&app.state)).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// Another session of the same project.
fn reopen(app: &TestApp, env: Option<&str>) -> TestApp {
    let mut again = before_reading(app, env);
    again.report(Report::Static { generation: 1.into(), result: Ok(snapshot(app)) });
    again
}

fn before_reading(app: &TestApp, env: Option<&str>) -> TestApp {
    let state = State::new(env.map(str::to_owned), Settings::default(), NOW);
    let mut again = TestApp { state, effects: Vec::new() };
    remember::put_back(&mut again.state, file(app));
    let size = app.state.shared.size;
    update(&mut again.state, Event::Resize(size.width, size.height));
    again.effects = again.state.first_effects();
    again.report(Report::Trust(true));
    again
}

fn snapshot(app: &TestApp) -> Arc<Snapshot> {
    app.state.shared.project.snapshot.clone().unwrap()
}

#[test]
fn a_project_that_was_merely_opened_leaves_nothing_to_write() {
    for (columns, rows) in [(60, 15), (80, 24), (110, 30), (200, 60)] {
        let mut app = TestApp::open(columns, rows);
        assert_eq!(remember::changed(&mut app.state), None, "{columns}x{rows}");
        app.keys("?<esc>2").keys("1");
        assert_eq!(remember::changed(&mut app.state), None, "{columns}x{rows}");
    }
}

#[test]
fn the_screen_is_the_same_in_the_next_session() {
    let mut app = TestApp::open(120, 36);
    app.keys("pdata_processing<enter>").keys("/clean_trips<enter>").keys("zs}}");
    app.keys("3jjj<left>2jjj");
    let (zoom, selected) = (app.state.pipeline.zoom(), app.selected().to_owned());
    let again = reopen(&app, None);
    assert_eq!(again.state.tab, Tab::Catalog);
    assert_eq!(again.state.shared.pipeline, "data_processing");
    assert_eq!((again.state.pipeline.zoom(), again.selected()), (zoom, selected.as_str()));
    assert_eq!(again.state.pipeline.sizing, Sizing::Chosen);
    assert_eq!(again.screen(), app.screen());
    let (mut app, mut again) = (app, again);
    for tab in ["1", "3"] {
        assert_eq!(again.keys(tab).screen(), app.keys(tab).screen());
    }
    again.keys("2");
    assert_eq!(remember::changed(&mut again.state), None);
}

#[test]
fn folds_and_filters_are_remembered() {
    let mut app = TestApp::open(160, 50);
    app.keys("/linear.train<enter>c").keys("&kind:node<enter>");
    let mut again = reopen(&app, None);
    assert_eq!(again.state.pipeline.filter_text, app.state.pipeline.filter_text);
    assert_eq!(again.state.pipeline.choices.folds, app.state.pipeline.choices.folds);
    assert_eq!(again.selected(), app.selected());
    assert_eq!(again.keys("").screen(), app.keys("").screen());
}

#[test]
fn a_drawing_that_was_chosen_to_fit_is_chosen_again() {
    let mut app = TestApp::open(200, 60);
    app.keys("j");
    let mut again = before_reading(&app, None);
    update(&mut again.state, Event::Resize(80, 24));
    again.report(Report::Static { generation: 1.into(), result: Ok(snapshot(&app)) });
    assert_eq!(again.state.pipeline.sizing, Sizing::Fitted);
    app.keys("z");
    let zoom = app.state.pipeline.zoom();
    assert_ne!(zoom, Zoom::Boxes);
    assert_eq!(reopen(&app, None).state.pipeline.zoom(), zoom);
}

#[test]
fn names_that_no_longer_exist_are_dropped() {
    let mut app = TestApp::open(120, 36);
    app.keys("pdata_processing<enter>/clean_trips<enter>3jjj");
    let mut other = (*snapshot(&app)).clone();
    other.pipelines.retain(|pipeline| pipeline.name == "__default__");
    let mut again = before_reading(&app, None);
    again.report(Report::Static { generation: 1.into(), result: Ok(Arc::new(other)) });
    assert_eq!(again.state.shared.pipeline, "__default__");
    assert_eq!(again.state.shared.notice, None);
    // Kedro itself may know the pipeline.
    let generation = 1.into();
    again.report(Report::Exact { generation, result: Ok(snapshot(&app)), stored: false });
    assert_eq!(again.state.shared.pipeline, "data_processing");
    assert_eq!(again.selected(), "clean_trips");
}

#[test]
fn a_file_of_another_kind_changes_nothing_and_unknown_fields_are_ignored() {
    let read = |text: &str| serde_json::from_str::<Remembered>(text);
    assert_eq!(read(r#"{"later": 1, "graph": {"later": []}}"#).unwrap(), Remembered::default());
    assert!(read("3").is_err() && read(r#"{"tab": 4}"#).is_err());
    let mut state = State::new(None, Settings::default(), NOW);
    let odd = r#"{"tab": "Nowhere", "env": "../elsewhere", "side": 900, "runs_filter": "\"(",
        "graph": {"filter": "no:such", "selected": ["node", "gone"]}}"#;
    remember::put_back(&mut state, read(odd).unwrap());
    assert_eq!((state.tab, state.shared.env.clone()), (Tab::Pipeline, None));
    assert_eq!(state.pipeline.filter_text, "");
    assert!(state.shared.panes.side <= 85);
}

#[test]
fn the_environment_of_the_command_line_wins_and_is_not_remembered() {
    let mut app = TestApp::open(120, 36);
    let asked = |app: &TestApp| match &app.effects[0] {
        Effect::ReadStatic { env, .. } => env.clone(),
        other => panic!("{other:?}"),
    };
    app.keys("vbase<enter>");
    assert_eq!(asked(&before_reading(&app, None)).as_deref(), Some("base"));
    let again = reopen(&app, Some("local"));
    assert_eq!(asked(&again).as_deref(), Some("local"));
    assert_eq!(asked(&before_reading(&again, None)).as_deref(), Some("base"));
    // An environment that is gone is not asked for again.
    let mut other = (*snapshot(&app)).clone();
    other.environments.retain(|env| env != "base");
    let mut again = before_reading(&app, None);
    again.effects.clear();
    again.report(Report::Static { generation: 1.into(), result: Ok(Arc::new(other)) });
    assert_eq!(asked(&again), None);
}

#[test]
fn a_killed_session_is_remembered_too() {
    let mut app = TestApp::open(120, 36);
    let kept = |app: &TestApp| {
        app.effects.iter().filter(|effect| matches!(effect, Effect::Remember(_))).count()
    };
    app.happen(Event::Tick(NOW + 20.0));
    assert_eq!(kept(&app), 0);
    app.keys("3");
    app.happen(Event::Tick(NOW + 21.0));
    assert_eq!(kept(&app), 0, "not after each key");
    app.happen(Event::Tick(NOW + 40.0));
    app.happen(Event::Tick(NOW + 60.0));
    assert_eq!(kept(&app), 1);
}

#[test]
fn rows_keep_their_order_when_kedro_has_read_the_project() {
    let mut app = TestApp::open(120, 60);
    let read = snapshot(&app);
    let reversed = |pipeline: &Pipeline| {
        let nodes = pipeline.nodes.iter().rev().map(|node| {
            json!({
                "name": node.name, "func_name": node.func_name, "namespace": node.namespace,
                "tags": [], "inputs": node.inputs, "outputs": node.outputs, "source": null,
            })
        });
        json!({"name": pipeline.name, "nodes": nodes.collect::<Vec<_>>(), "inputs": [], "outputs": []})
    };
    let datasets = read.datasets.values().rev();
    let datasets: serde_json::Map<_, _> = datasets
        .map(|dataset| (dataset.name.clone(), json!({"type": dataset.type_name})))
        .collect();
    let answer = json!({
        "pipelines": read.pipelines.iter().rev().map(reversed).collect::<Vec<_>>(),
        "datasets": datasets,
        "parameter_values": {
            "features": {"use_wind": true, "lags": [1, 7]},
            "trips": {"max_minutes": 240, "min_minutes": 2},
            "seed": 7,
        },
    });
    let rows = |app: &mut TestApp| {
        let names = |pipeline: &Pipeline| pipeline.name.clone();
        let pipelines: Vec<String> = snapshot(app).pipelines.iter().map(names).collect();
        let paths = app.state.parameters.list.rows.iter().map(|row| row.path.clone());
        (pipelines, app.state.catalog.list.rows.clone(), paths.collect::<Vec<_>>())
    };
    let (pipelines, catalog, mut paths) = rows(&mut app);
    let generation = app.state.shared.generations.exact;
    let exact = from_exact(&answer, &read).unwrap();
    app.report(Report::Exact { generation, result: Ok(Arc::new(exact)), stored: false });
    paths.retain(|path| ["seed", "trips", "features"].iter().any(|start| path.starts_with(start)));
    assert_eq!(rows(&mut app), (pipelines, catalog, paths));
}
