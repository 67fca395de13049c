//! The drawing that is chosen so that the whole graph fits the window.

use std::sync::Arc;

use mlops_tui::app::areas::Pane;
use mlops_tui::app::event::Event;
use mlops_tui::app::screens::pipeline::Zoom;
use mlops_tui::dag::view::Detail;
use mlops_tui::project::{Node, Pipeline, Snapshot};

use crate::common::app::TestApp;
use crate::common::graphs::Generated;

/// A generated project with namespaces.
fn generated(count: usize, seed: u64) -> Snapshot {
    let graph = Generated::new(count, seed);
    let ids = (0..graph.names.len()).filter(|id| graph.is_node[*id]);
    let nodes = ids.map(|id| {
        let name = graph.names[id].clone();
        let others = |pick: &dyn Fn(&(usize, usize)) -> Option<usize>| {
            graph.edges.iter().filter_map(pick).map(|id| graph.names[id].clone()).collect()
        };
        Arc::new(Node {
            namespace: name.rsplit_once('.').map(|(space, _)| space.to_owned()),
            inputs: others(&|(from, to)| (*to == id).then_some(*from)),
            outputs: others(&|(from, to)| (*from == id).then_some(*to)),
            name,
            ..Node::default()
        })
    });
    let (name, nodes) = ("__default__".to_owned(), nodes.collect());
    let pipeline = Pipeline { name, nodes, complete: true, ..Pipeline::default() };
    Snapshot { pipelines: vec![pipeline], ..Snapshot::default() }
}

/// The displayed vertices that are in view, and all of them; and the part of the columns that the drawing uses, in
/// percent.
fn seen(app: &TestApp) -> (usize, usize, usize) {
    let screen = &app.state.pipeline;
    let room = app.state.areas().main;
    let count = screen.plot.view.graph.vertices.len();
    if screen.lanes {
        let rows = screen.plot.lanes.as_ref().unwrap().rows.len();
        return (rows.min(usize::from(room.height)), count, 100);
    }
    if screen.zoom() == Zoom::Overview {
        let layout = &screen.plot.layout;
        let overview = screen.overview(room.as_size());
        let shown = layout.boxes.iter().filter(|area| {
            let (x, y) = (area.x + area.width / 2, area.y + area.height / 2);
            overview.area(&mlops_tui::dag::layout::Rect { x, y, width: 1, height: 1 }).is_some()
        });
        return (shown.count(), count, 100);
    }
    let (x, y) = screen.scroll;
    let (right, bottom) = (x + i32::from(room.width), y + i32::from(room.height));
    let inside = screen.plot.layout.boxes.iter().filter(|area| {
        area.x >= x && area.y >= y && area.x + area.width <= right && area.y + area.height <= bottom
    });
    (inside.count(), count, screen.plot.layout.width as usize * 100 / usize::from(room.width))
}

#[test]
fn the_first_drawing_shows_all_and_uses_the_window() {
    let mut named = 0;
    for seed in 0..50 {
        let snapshot = generated(8 + seed as usize, seed);
        for (columns, rows) in [(60, 15), (80, 24), (120, 40), (200, 60)] {
            let app = TestApp::showing(snapshot.clone(), columns, rows);
            let (inside, all, used) = seen(&app);
            let case = || format!("{seed} at {columns}x{rows}:\n{}", app.screen());
            assert!(inside * 10 >= all * 9, "{inside} of {all} are in view, {}", case());
            assert!(used >= 35, "{used} % of the columns are used, {}", case());
            named += usize::from(app.state.pipeline.zoom() != Zoom::Overview);
        }
    }
    assert!(named >= 150, "only {named} of 200 have names");
}

#[test]
fn the_order_goes_from_boxes_to_the_overview() {
    let at = |columns, rows| {
        let app = TestApp::open(columns, rows);
        let screen = &app.state.pipeline;
        (screen.zoom(), screen.choices.detail, screen.lanes)
    };
    assert_eq!(at(400, 120), (Zoom::Boxes, Detail::NoParameters, false));
    assert_eq!(at(200, 60), (Zoom::Chips, Detail::NoParameters, false));
    assert_eq!(at(120, 40), (Zoom::Chips, Detail::NodesAlone, false));
    assert_eq!(at(80, 24), (Zoom::Chips, Detail::NodesAlone, true));
    assert_eq!(at(60, 15), (Zoom::Overview, Detail::NoParameters, false));
}

#[test]
fn the_window_decides_until_the_user_does() {
    let mut app = TestApp::open(200, 60);
    app.happen(Event::Resize(80, 24));
    assert!(app.state.pipeline.lanes, "{}", app.screen());
    app.happen(Event::Resize(200, 60));
    assert_eq!((app.state.pipeline.zoom(), app.state.pipeline.lanes), (Zoom::Chips, false));
    assert_eq!(app.state.pipeline.choices.detail, Detail::NoParameters, "the datasets are back");
    app.keys("+");
    assert_eq!(app.state.pipeline.zoom(), Zoom::Boxes);
    app.happen(Event::Resize(80, 24));
    assert_eq!(app.state.pipeline.zoom(), Zoom::Boxes, "the user has chosen boxes");
    app.keys("0");
    assert!(app.state.pipeline.lanes, "{}", app.screen());
    app.keys("w");
    app.happen(Event::Resize(81, 24));
    assert!(!app.state.pipeline.lanes, "the user has chosen the drawing");
}

#[test]
fn a_part_of_the_graph_fits_better_than_the_whole() {
    let mut app = TestApp::open(120, 40);
    app.keys("/choose_model<enter>i((");
    assert_eq!(app.state.pipeline.choices.detail, Detail::NoParameters, "{}", app.screen());
    app.keys("<esc>");
    assert_eq!(app.state.pipeline.choices.detail, Detail::NodesAlone, "{}", app.screen());
    app.keys("s");
    assert!(app.screen().contains("nodes, datasets and parameters"), "{}", app.screen());
    assert_eq!(app.selected(), "choose_model");
}

#[test]
fn layers_bring_the_datasets_back() {
    let mut app = TestApp::open(80, 24);
    app.keys("W");
    assert!(!app.state.pipeline.plot.bands.is_empty() && !app.state.pipeline.lanes);
    app.keys("W");
    assert!(app.state.pipeline.plot.bands.is_empty() && app.state.pipeline.lanes);
}

#[test]
fn a_narrow_terminal_shows_details_on_request() {
    let mut app = TestApp::open(80, 24);
    assert_eq!(app.state.areas().main.width, 80);
    app.keys("<enter>");
    assert!(app.screen().contains("Details"), "{}", app.screen());
    assert!(app.state.areas().main.width < 60);
    app.keys("<esc>");
    assert_eq!((app.state.areas().main.width, app.state.shared.focus), (80, Pane::Main));
    app.keys("2");
    assert!(app.state.areas().main.width < 60, "the other screens show them always");
}

#[test]
fn panes_are_resized_and_maximised_by_keys() {
    let mut app = TestApp::open(120, 40);
    let widths = |app: &TestApp| {
        let areas = app.state.areas();
        (areas.main.width, areas.side.width)
    };
    let (main, side) = widths(&app);
    app.keys("{");
    assert!(widths(&app).0 < main && widths(&app).1 > side);
    app.keys("}}");
    assert!(widths(&app).0 > main && widths(&app).1 < side);
    app.keys("{Z");
    assert_eq!(widths(&app), (120, 0));
    app.keys("<tab>");
    assert_eq!(widths(&app), (0, 120), "the pane with the focus is the large one");
    insta::assert_snapshot!("details_maximised", app.screen());
    app.keys("}");
    assert_eq!(widths(&app).0 + widths(&app).1 + 1, 120);
    assert!(widths(&app).1 > side, "it grows from its size before");
    app.keys("{<esc>");
    assert_eq!(widths(&app), (main, side));

    app.keys("ry");
    app.start_run(&["clean_stations"]);
    app.keys("<tab><tab>");
    assert_eq!(app.state.shared.focus, Pane::Log);
    let log = app.state.areas().log.height;
    app.keys("}");
    assert_eq!(app.state.areas().log.height, log + 1);
    app.keys("Z");
    assert_eq!((app.state.areas().log.height, app.state.areas().main.height), (32, 3));
    app.keys("2");
    assert!(app.state.areas().main.height > 20, "{}", app.screen());
    for _ in 0..50 {
        app.keys("{");
    }
    assert!(!app.screen().is_empty());
}
