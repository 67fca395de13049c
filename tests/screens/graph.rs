//! The pipeline screen: what of a graph is shown, moving about on it, and what happens live.

use std::sync::Arc;

use crossterm::event::{KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use mlops_tui::app::effect::Effect;
use mlops_tui::app::event::{Event, Report};
use mlops_tui::app::screens::pipeline::{Plot, Sizing, Zoom};
use mlops_tui::app::settings::Settings;
use mlops_tui::dag::VertexKind;
use mlops_tui::dag::staleness::{Freshness, Reason};
use mlops_tui::dag::view::Choices;
use mlops_tui::project::{Node, Pipeline, Snapshot};
use mlops_tui::runs::RunEvent;

use crate::common::app::TestApp;

/// Nodes, one a line, as `inputs -> name [#tag] -> outputs`; what stands before the last dot of a name is its namespace.
const SHOP: &str = "
    orders -> prep.clean #fast -> prep.tidy
    prep.tidy params:rate -> prep.join -> table
    table -> ml.split -> ml.left ml.right
    ml.left -> ml.deep.fit #slow -> ml.deep.net
    ml.deep.net -> ml.deep.pack -> ml.model
    ml.model ml.right -> ml.score -> report
    table report -> publish -> page
";

fn snapshot(text: &str) -> Snapshot {
    let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let nodes = text.lines().filter(|line| line.contains("->")).map(|line| {
        let parts: Vec<&str> = line.split("->").collect();
        let mut middle = words(parts[1]).into_iter();
        let name = middle.next().unwrap();
        Arc::new(Node {
            namespace: name.rsplit_once('.').map(|(space, _)| space.to_owned()),
            func_name: format!("do_{}", name.rsplit('.').next().unwrap()),
            name,
            tags: middle.map(|tag| tag.trim_start_matches('#').to_owned()).collect(),
            inputs: words(parts[0]),
            outputs: words(parts[2]),
            ..Node::default()
        })
    });
    let (name, nodes) = ("__default__".to_owned(), nodes.collect());
    let pipeline = Pipeline { name, nodes, complete: true, ..Pipeline::default() };
    Snapshot { pipelines: vec![pipeline], ..Snapshot::default() }
}

/// The shop with expanded namespaces and edges downwards, whether all of it fits or not.
fn shop(columns: u16, rows: u16) -> TestApp {
    let mut app = TestApp::showing(snapshot(SHOP), columns, rows);
    expand(&mut app);
    app
}

/// Draws the graph with expanded namespaces and edges downwards, as if the user had chosen that.
fn expand(app: &mut TestApp) {
    let screen = &mut app.state.pipeline;
    screen.choices = Choices::default();
    screen.zoom = Some(if app.state.shared.size.height < 30 { Zoom::Chips } else { Zoom::Boxes });
    screen.sideways = Some(false);
    screen.lanes = false;
    screen.sizing = Sizing::Chosen;
    app.keys("=");
    app.state.shared.notice = None;
}

fn shown(app: &TestApp, kind: VertexKind, name: &str) -> bool {
    app.state.pipeline.plot.view.graph.find(kind, name).is_some()
}

/// The first cell of a displayed vertex on the screen.
fn place(app: &TestApp, kind: VertexKind, name: &str) -> (i32, i32) {
    let screen = &app.state.pipeline;
    let id =
        screen.plot.view.graph.find(kind, name).unwrap_or_else(|| panic!("{name} is not there"));
    let area = screen.plot.layout.boxes[id];
    (area.x - screen.scroll.0, area.y - screen.scroll.1)
}

fn mouse(app: &mut TestApp, kind: MouseEventKind, (column, row): (i32, i32), keys: KeyModifiers) {
    let main = app.state.areas().main;
    let column = (column + i32::from(main.x)) as u16;
    let row = (row + i32::from(main.y)) as u16;
    app.happen(Event::Mouse(MouseEvent { kind, column, row, modifiers: keys }));
}

fn press(app: &mut TestApp, at: (i32, i32)) {
    mouse(app, MouseEventKind::Down(MouseButton::Left), at, KeyModifiers::NONE);
    mouse(app, MouseEventKind::Up(MouseButton::Left), at, KeyModifiers::NONE);
}

fn draws(app: &TestApp) -> usize {
    app.effects.iter().filter(|effect| matches!(effect, Effect::Draw(_))).count()
}

#[test]
fn a_namespace_collapses_around_the_selection_and_expands_where_it_stood() {
    let mut app = shop(120, 60);
    app.keys("/ml.deep.fit<enter>");
    assert_eq!(app.selected(), "ml.deep.fit");
    app.keys("c");
    assert_eq!(app.selected(), "ml.deep");
    assert!(
        shown(&app, VertexKind::Namespace, "ml.deep")
            && !shown(&app, VertexKind::Node, "ml.deep.pack")
    );
    app.keys("cc");
    assert_eq!(app.selected(), "ml.deep", "expanded, and collapsed again from within");
    // What lies around it stays in its place.
    let before =
        [place(&app, VertexKind::Node, "ml.split"), place(&app, VertexKind::Namespace, "ml.deep")];
    app.keys("<enter>");
    assert_eq!(app.selected(), "ml.deep.fit");
    let split = place(&app, VertexKind::Node, "ml.split");
    assert!((split.1 - before[0].1).abs() <= 2, "{before:?} {split:?}");
    app.keys("c");
    assert_eq!(place(&app, VertexKind::Namespace, "ml.deep"), before[1]);
    app.keys("O");
    assert!(shown(&app, VertexKind::Node, "prep.clean"), "all are expanded first");
    app.keys("O");
    assert!(shown(&app, VertexKind::Namespace, "prep") && shown(&app, VertexKind::Namespace, "ml"));
    assert!(!shown(&app, VertexKind::Namespace, "ml.deep"));
    app.keys("/publish<enter>c");
    assert!(app.screen().contains("fold: the selection is in no namespace"), "{}", app.screen());
}

#[test]
fn a_collapsed_namespace_tells_how_its_nodes_stand() {
    let mut app = shop(120, 60);
    app.keys("/ml.deep.fit<enter>c");
    let stale =
        Freshness::Stale { reasons: vec![Reason::InputChanged { dataset: "table".into() }] };
    let statuses = [("ml.deep.fit", stale), ("ml.deep.pack", Freshness::Fresh)];
    let statuses = statuses.into_iter().map(|(name, status)| (name.to_owned(), status)).collect();
    let count = draws(&app);
    app.report(Report::Staleness { pipeline: "__default__".into(), statuses });
    let screen = app.screen();
    assert!(screen.contains("▸◐ deep 2"), "{screen}");
    assert!(screen.contains("◐1 ✓1"), "{screen}");
    assert!(screen.contains("1 stale") && screen.contains("1 fresh"), "{screen}");
    assert_eq!(draws(&app), count, "statuses need no new drawing");
}

#[test]
fn a_focus_is_narrowed_widened_and_left() {
    let mut app = shop(120, 60);
    app.keys("/ml.split<enter>i");
    assert!(
        shown(&app, VertexKind::Node, "publish") && shown(&app, VertexKind::Node, "prep.clean")
    );
    app.keys("(((");
    assert!(
        shown(&app, VertexKind::Dataset, "table") && !shown(&app, VertexKind::Node, "prep.join")
    );
    assert!(app.screen().contains("1 step around ml.split"), "{}", app.screen());
    app.keys(")");
    assert!(
        shown(&app, VertexKind::Node, "prep.join") && !shown(&app, VertexKind::Node, "prep.clean")
    );
    assert!(app.screen().contains("· around ml.split"), "{}", app.screen());
    app.keys("<esc>");
    assert!(shown(&app, VertexKind::Node, "prep.clean"));
    app.keys("(");
    assert!(app.screen().contains("no focus is set"), "{}", app.screen());
}

#[test]
fn a_slice_is_what_is_run() {
    let mut app = shop(120, 60);
    app.keys("/ml.deep.fit<enter>S");
    assert!(app.screen().contains("slice: mark a node"), "{}", app.screen());
    // Backwards is the same slice.
    app.keys("/ml.score<enter><space>/ml.split<enter>S");
    assert!(
        shown(&app, VertexKind::Node, "ml.deep.pack") && !shown(&app, VertexKind::Node, "publish")
    );
    assert!(app.screen().contains("4 nodes in the slice"), "{}", app.screen());
    app.keys("Y");
    let copied = app.effects.iter().rev().find_map(|effect| match effect {
        Effect::Copy(text) => Some(text.clone()),
        _ => None,
    });
    let command = "kedro run --from-nodes ml.split --to-nodes ml.score";
    assert_eq!(copied.as_deref().map(|text| text.replace('=', " ")), Some(command.into()));
    app.keys("r");
    let slice = &app.asked_run().unwrap().slice;
    assert_eq!(slice.from_nodes, ["ml.split"]);
    assert_eq!(slice.to_nodes, ["ml.score"]);
    app.keys("<esc>");
    assert!(shown(&app, VertexKind::Node, "publish") && app.state.pipeline.marked.is_empty());
    app.keys("/prep.clean<enter><space>/publish<enter><space>S");
    assert!(app.state.pipeline.slice.is_some());
}

#[test]
fn a_filter_is_tried_while_it_is_typed_and_what_is_wrong_is_told() {
    let mut app = shop(120, 60);
    app.keys("&tag:slow");
    assert!(
        shown(&app, VertexKind::Node, "ml.deep.fit") && !shown(&app, VertexKind::Node, "publish")
    );
    app.keys("<enter>");
    assert!(app.screen().contains("1 of 7 nodes · tag:slow"), "{}", app.screen());
    app.keys("& bad:y<enter>");
    assert!(app.screen().contains("There is no key `bad`."), "{}", app.screen());
    app.keys("<esc><esc>");
    assert!(shown(&app, VertexKind::Node, "publish"));
    app.keys("&nothing<enter>");
    assert!(app.screen().contains("The filter leaves nothing."), "{}", app.screen());
    app.keys("<esc>&status:stale<enter>");
    let stale =
        Freshness::Stale { reasons: vec![Reason::InputChanged { dataset: "table".into() }] };
    let statuses = [("publish".to_owned(), stale)].into_iter().collect();
    app.report(Report::Staleness { pipeline: "__default__".into(), statuses });
    assert!(shown(&app, VertexKind::Node, "publish"), "a filter of statuses follows them");
}

#[test]
fn what_is_hidden_is_found_and_there_is_a_way_back() {
    let mut app = shop(120, 60);
    app.keys("/publish<enter>O");
    assert!(!shown(&app, VertexKind::Node, "ml.deep.fit"));
    app.keys("/do_fit<enter>");
    assert_eq!(app.selected(), "ml.deep.fit", "by its function, in two collapsed namespaces");
    app.keys("/params:rate<enter>");
    assert_eq!(app.selected(), "params:rate", "parameters come out of hiding");
    app.keys("<<");
    assert_eq!(app.selected(), "publish");
    app.keys(">");
    assert_eq!(app.selected(), "ml.deep.fit");
    app.keys("&tag:fast<enter>/publish<enter>");
    assert_eq!(app.selected(), "publish", "the filter makes way");
    assert!(app.state.pipeline.filter_text.is_empty());
    app.keys("/#slow<enter>");
    assert_eq!(app.selected(), "ml.deep.fit", "by its tag");
    app.keys("/ml<enter>");
    let first = app.selected().to_owned();
    app.keys("n");
    assert_ne!(app.selected(), first, "the next match");
    app.keys("N");
    assert_eq!(app.selected(), first);
}

#[test]
fn edges_are_followed_by_arrows_and_numbers() {
    let mut app = shop(120, 60);
    app.keys("/publish<enter>k");
    assert!(["table", "report"].contains(&app.selected()), "{}", app.selected());
    app.keys("/publish<enter>,2");
    let second = app.selected().to_owned();
    app.keys("/publish<enter>,1");
    assert_ne!(app.selected(), second);
    assert!(["table", "report"].contains(&app.selected()));
    app.keys("/page<enter>,");
    assert_eq!(app.selected(), "publish", "the only way needs no choice");
    app.keys("/publish<enter>,");
    assert!(app.screen().contains("Leads here"), "{}", app.screen());
    app.keys("repo<enter>");
    assert_eq!(app.selected(), "report");
    app.keys("/page<enter>.");
    assert!(
        app.screen().contains("children: the selection has no displayed children"),
        "{}",
        app.screen()
    );
}

#[test]
fn it_is_seen_in_three_sizes_and_as_a_list() {
    let mut app = shop(120, 40);
    assert_eq!(app.state.pipeline.zoom(), Zoom::Boxes);
    insta::assert_snapshot!("boxes", app.screen());
    insta::assert_snapshot!("chips", app.keys("-").screen());
    insta::assert_snapshot!("chips_sideways", app.keys("d").screen());
    insta::assert_snapshot!("overview", app.keys("d-").screen());
    app.keys("-");
    assert!(app.screen().contains("The graph can't be drawn smaller."));
    app.keys("<enter>");
    assert_eq!(app.state.pipeline.zoom(), Zoom::Chips);
    insta::assert_snapshot!("lanes", app.keys("w").screen());
    let row = app.selected().to_owned();
    app.keys("jj");
    assert_ne!(app.selected(), row);
    app.keys("kk");
    assert_eq!(app.selected(), row);
    app.keys("l");
    assert_eq!(app.selected(), "prep.tidy", "along an edge");
    app.keys("G");
    assert_eq!(app.selected(), "page");
    app.keys("w+");
    assert_eq!(app.state.pipeline.zoom(), Zoom::Boxes);
}

#[test]
fn small_wide_and_plain_screens_show_it() {
    insta::assert_snapshot!("at_60x15", shop(60, 15).screen());
    insta::assert_snapshot!("at_240x70_collapsed", shop(240, 70).keys("O").screen());
    let mut app = TestApp::showing(snapshot(SHOP), 100, 45);
    app.state.shared.settings = Settings { ascii: true, ..Settings::default() };
    insta::assert_snapshot!("plain", app.screen());
    assert!(app.screen().is_ascii());
    assert!(app.keys("w").screen().is_ascii());
    assert!(app.keys("w--").screen().is_ascii());
}

#[test]
fn the_mouse_selects_folds_drags_and_zooms() {
    let mut app = shop(120, 40);
    let at = place(&app, VertexKind::Node, "prep.join");
    press(&mut app, (at.0 + 3, at.1 + 1));
    assert_eq!(app.selected(), "prep.join");
    let frame = {
        let plot = &app.state.pipeline.plot;
        let group = plot.view.groups.iter().position(|group| group.name == "prep").unwrap();
        plot.layout.frames[group].unwrap().title
    };
    let scroll = app.state.pipeline.scroll;
    press(&mut app, (frame.0 + 2 - scroll.0, frame.1 - scroll.1));
    assert!(shown(&app, VertexKind::Namespace, "prep"), "its title collapses it");
    let at = place(&app, VertexKind::Namespace, "prep");
    press(&mut app, (at.0 + 2, at.1 + 1));
    assert!(shown(&app, VertexKind::Node, "prep.join"), "a selected one expands");
    // The drawing is held and dragged.
    app.keys("+G");
    let before = app.state.pipeline.scroll;
    assert!(before.1 > 0);
    let main = app.state.areas().main;
    let empty = (i32::from(main.width) - 1, 2);
    mouse(&mut app, MouseEventKind::Down(MouseButton::Left), empty, KeyModifiers::NONE);
    let to = (empty.0, empty.1 + 4);
    mouse(&mut app, MouseEventKind::Drag(MouseButton::Left), to, KeyModifiers::NONE);
    mouse(&mut app, MouseEventKind::Up(MouseButton::Left), to, KeyModifiers::NONE);
    assert_eq!(app.state.pipeline.scroll.1, before.1 - 4);
    mouse(&mut app, MouseEventKind::ScrollUp, (5, 5), KeyModifiers::NONE);
    assert_eq!(app.state.pipeline.scroll.1, before.1 - 7);
    mouse(&mut app, MouseEventKind::ScrollDown, (5, 5), KeyModifiers::CONTROL);
    assert_eq!(app.state.pipeline.zoom(), Zoom::Chips);
    mouse(&mut app, MouseEventKind::ScrollDown, (5, 5), KeyModifiers::CONTROL);
    assert_eq!(app.state.pipeline.zoom(), Zoom::Overview);
    mouse(&mut app, MouseEventKind::ScrollUp, (5, 5), KeyModifiers::CONTROL);
    assert_eq!(app.state.pipeline.zoom(), Zoom::Chips);
}

#[test]
fn the_selection_goes_with_the_run_where_that_is_asked_for() {
    let mut app = shop(120, 60);
    let nodes = ["prep.clean", "prep.join", "ml.split"];
    app.start_run(&nodes);
    let started = |node: &str| RunEvent::NodeStarted { node: node.into() };
    app.happens_in_run(1.0, started("prep.join"));
    assert_ne!(app.selected(), "prep.join");
    app.keys("F");
    assert_eq!(app.selected(), "prep.join");
    let count = draws(&app);
    app.happens_in_run(2.0, started("ml.split"));
    assert_eq!(app.selected(), "ml.split");
    assert_eq!(draws(&app), count, "a run needs no new drawing");
    app.keys("F");
    app.happens_in_run(3.0, started("prep.clean"));
    assert_eq!(app.selected(), "ml.split");
}

#[test]
fn an_edit_keeps_the_rest_where_it_was_and_a_late_drawing_is_dropped() {
    let mut app = shop(120, 60);
    app.keys("/ml.split<enter>");
    let before = place(&app, VertexKind::Node, "ml.split");
    let edited = SHOP.replace("publish", "release") + "    page -> post -> mail\n";
    app.report(Report::Static {
        generation: 1.into(),
        result: Ok(std::sync::Arc::new(snapshot(&edited))),
    });
    assert!(shown(&app, VertexKind::Node, "post"));
    assert_eq!(app.selected(), "ml.split");
    assert_eq!(place(&app, VertexKind::Node, "ml.split"), before);
    app.keys("/release<enter>");
    app.report(Report::Static {
        generation: 1.into(),
        result: Ok(std::sync::Arc::new(snapshot(SHOP))),
    });
    assert_eq!(app.selected(), "publish", "it stands where the renamed one stood");
    let late = Report::Drawn { generation: 1.into(), plot: Arc::new(Plot::default()) };
    app.report(late);
    assert!(shown(&app, VertexKind::Node, "publish"));
}

#[test]
fn layers_are_bands_one_after_the_other() {
    let mut app = TestApp::open(120, 60);
    app.keys("W");
    let plot = &app.state.pipeline.plot;
    let names: Vec<&str> = plot.bands.iter().map(|band| band.name.as_str()).collect();
    let expected = [
        "raw",
        "intermediate",
        "primary",
        "feature",
        "model_input",
        "models",
        "model_output",
        "reporting",
    ];
    assert_eq!(names, expected);
    assert!(plot.bands.windows(2).all(|pair| pair[0].to <= pair[1].from), "{:?}", plot.bands);
    insta::assert_snapshot!("layers", app.screen());
    app.keys("d");
    let bands = &app.state.pipeline.plot.bands;
    assert!(bands.windows(2).all(|pair| pair[0].to <= pair[1].from), "{bands:?}");
    app.keys("W");
    assert!(app.state.pipeline.plot.bands.is_empty());
    let mut app = shop(120, 60);
    app.keys("W");
    assert!(
        app.screen().contains("layers: no dataset of the catalog has a layer"),
        "{}",
        app.screen()
    );
}

#[test]
fn what_is_too_large_to_be_drawn_says_so() {
    let lines: String =
        (0..50_000).map(|number| format!("d{number} -> n{number} -> d{}\n", number + 1)).collect();
    let app = TestApp::showing(snapshot(&lines), 200, 60);
    assert!(app.state.pipeline.plot.view.graph.vertices.is_empty());
    let screen = app.screen();
    assert!(screen.contains("Too large to be drawn as a whole"), "{screen}");
    assert!(screen.contains("100001 boxes, 100000 edges."), "{screen}");
}
