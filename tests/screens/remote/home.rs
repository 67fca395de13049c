//! A run on an engine here: its states on the graph, its failed task in the editor, and the run in the history.

use mlops_tui::app::screens::remote::asked::KeptRun;
use mlops_tui::app::tab::Tab;
use mlops_tui::dag::Slice;
use mlops_tui::dag::view::NodeStatus;
use mlops_tui::runs::{Failure, Frame};

use super::*;
use crate::common::run_id;

/// What the history keeps of the run that goes on.
fn kept() -> KeptRun {
    let failure = Failure {
        kind: "builtins.KeyError".into(),
        message: "'price'".into(),
        traceback: "Traceback (most recent call last):\nKeyError: 'price'".into(),
        frames: vec![Frame {
            file: "src/harbour_bikes/nodes.py".into(),
            line: 12,
            function: "train".into(),
            in_project: true,
        }],
    };
    let nodes = [
        ("clean-trips", vec!["clean_trips".to_owned()]),
        ("train-model", vec!["split_days".to_owned(), "forest.train_model".to_owned()]),
        ("evaluate", vec!["choose_model".to_owned()]),
    ];
    KeptRun {
        id: Some(run_id(7)),
        pipeline: "__default__".into(),
        env: Some("prod".into()),
        nodes: nodes.into_iter().map(|(task, nodes)| (task.to_owned(), nodes)).collect(),
        failures: vec![("forest.train_model".into(), failure)],
    }
}

fn opened_and_kept(columns: u16, rows: u16) -> TestApp {
    let mut app = opened(columns, rows);
    let kept = Box::new(kept());
    answer(&mut app, Answer::Kept { profile: "prod".into(), id: id("manual__4"), kept });
    app
}

#[test]
fn the_graph_shows_the_states_of_a_run_on_an_engine_as_they_change() {
    let mut app = opened(120, 36);
    app.keys("o");
    assert!(app.screen().contains("no run of this project's pipelines"), "{}", app.screen());
    let mut app = opened_and_kept(120, 36);
    asked(&mut app);
    app.keys("o");
    insta::assert_snapshot!("remote_on_graph", app.screen());
    // The run is followed on.
    assert_eq!(asked(&mut app), []);
    assert_eq!(app.state.shared.node_status("clean_trips"), NodeStatus::Done);
    assert_eq!(app.state.shared.node_status("choose_model"), NodeStatus::Running);
    let mut changed = tasks();
    changed[2].state = state("failed");
    let run = Box::new(runs().remove(0));
    answer(&mut app, Answer::Run { profile: "prod".into(), run, tasks: changed });
    assert_eq!(app.state.shared.node_status("choose_model"), NodeStatus::Failed);
    app.keys("<esc>");
    assert_eq!(asked(&mut app), [Ask::Show(None)]);
    assert!(!app.screen().contains("states on prod"), "{}", app.screen());
}

#[test]
fn a_failed_task_is_brought_home_with_the_parameters_of_its_run() {
    let mut app = opened_and_kept(120, 30);
    app.keys("j<tab><tab><tab>");
    let screen = app.screen();
    assert!(screen.contains("KeyError: 'price'") && screen.contains("split_days"), "{screen}");
    app.keys("T");
    assert!(
        app.screen().contains("Traceback of forest.train_model, manual__4"),
        "{}",
        app.screen()
    );
    app.keys("<esc>J");
    let edited = app.effects.iter().any(|effect| match effect {
        Effect::Edit(place) => place.to_string().contains("src/harbour_bikes/nodes.py:12"),
        _ => false,
    });
    assert!(edited);
    // The node that failed, not the first one that the task holds.
    app.keys("b");
    let debugged = app.effects.iter().find_map(|effect| match effect {
        Effect::Debug(prompt, request) => Some((prompt.node.clone(), (**request).clone())),
        _ => None,
    });
    let (node, request) = debugged.unwrap();
    assert_eq!(node, "forest.train_model");
    let params = [("model.alpha".to_owned(), "0.5".to_owned())].into();
    assert_eq!((request.env.as_deref(), &request.params), (Some("prod"), &params));
    app.keys("R");
    let request = app.asked_run().unwrap();
    assert_eq!(request.slice, Slice::nodes(["forest.train_model"]));
    assert_eq!((request.env.as_deref(), &request.params), (Some("prod"), &params));
    assert_eq!(app.state.tab, Tab::Pipeline);
}

#[test]
fn a_task_without_a_node_of_the_project_is_not_run_here() {
    let mut app = opened_and_kept(120, 30);
    app.keys("jjjR");
    assert!(app.screen().contains("no task is selected that holds a node"), "{}", app.screen());
    app.keys("=");
    assert!(app.screen().contains("Runs > run 7"), "{}", app.screen());
}
