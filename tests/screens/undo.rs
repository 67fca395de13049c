//! Taking back the user's own edits.

use mlops_tui::app::effect::Effect;
use mlops_tui::app::event::Report;
use mlops_tui::app::shared::TrackingReport;

use crate::common::app::TestApp;
use crate::experiments;

fn notice(app: &TestApp) -> &str {
    app.state.shared.notice.as_ref().map_or("", |notice| notice.text.as_str())
}

#[test]
fn overrides_are_undone_one_after_the_other() {
    let mut app = TestApp::open(120, 36);
    app.keys("u");
    assert_eq!(notice(&app), "undo: there is nothing to undo");
    app.keys("3/min_minutes<enter>=");
    let path = app.state.parameters.list.selected().unwrap().path.clone();
    app.keys("7<enter>").keys("=8<enter>").keys("-");
    assert!(app.state.shared.overrides.is_empty());
    app.keys("u");
    assert_eq!(notice(&app), format!("Undone: removing the override of {path}."));
    assert_eq!(app.state.shared.overrides[&path], "8");
    app.effects.clear();
    app.keys("u");
    assert_eq!(app.state.shared.overrides[&path], "7");
    let read = |effect: &Effect| match effect {
        Effect::ReadStatic { params, .. } => params[&path] == "7",
        _ => false,
    };
    assert!(app.effects.iter().any(read), "the project is read with the value before");
    app.keys("u");
    assert_eq!(notice(&app), format!("Undone: override of {path}."));
    assert!(app.state.shared.overrides.is_empty());
}

#[test]
fn a_filter_and_marks_come_back() {
    let mut app = TestApp::open(160, 50);
    app.keys("&kind:node<enter>").keys("<space>j<space>");
    assert_eq!(app.state.pipeline.marked.len(), 2);
    app.keys("<esc><esc>");
    assert!(app.state.pipeline.marked.is_empty() && app.state.pipeline.filter_text.is_empty());
    app.keys("u");
    assert_eq!(notice(&app), "Undone: filter of the graph.");
    assert_eq!(app.state.pipeline.filter_text, "kind:node");
    app.keys("u");
    assert_eq!(app.state.pipeline.marked.len(), 2);
    app.keys("u");
    assert_eq!(app.state.pipeline.filter_text, "");
    app.keys("u");
    assert_eq!(notice(&app), "undo: there is nothing to undo");
}

#[test]
fn marks_of_tracked_runs_come_back() {
    let mut app = experiments::open(160, 40);
    app.keys("<space><space>");
    let marked = app.state.experiments.marked.clone();
    assert_eq!(marked.len(), 2);
    app.keys("<esc>");
    assert!(app.state.experiments.marked.is_empty());
    app.keys("u");
    assert_eq!(notice(&app), "Undone: marks of tracked runs.");
    assert_eq!(app.state.experiments.marked, marked);
    // A group is marked and unmarked as a whole.
    app.report(Report::Tracking(TrackingReport::Live(experiments::seeds())));
    app.keys("<esc>").keys("Og<space>");
    let group = app.state.experiments.marked.clone();
    assert_eq!(group.len(), 3);
    app.keys("k<space>");
    assert!(app.state.experiments.marked.is_empty());
    app.keys("u");
    assert_eq!(notice(&app), "Undone: marks of a group of runs.");
    assert_eq!(app.state.experiments.marked, group);
    app.keys("u");
    assert!(app.state.experiments.marked.is_empty());
}
