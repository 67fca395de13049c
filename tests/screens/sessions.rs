//! Whole sessions without a terminal: events go in, effects and screens come out.

use std::collections::HashMap;

use crossterm::event::{KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use mlops_tui::app::effect::Effect;
use mlops_tui::app::keymap::Keymap;
use mlops_tui::app::screens::pipeline::Zoom;
use mlops_tui::app::settings::AskFresh;
use mlops_tui::app::{
    event::{Event, Report},
    shared::TrackingReport,
};
use mlops_tui::dag::Slice;
use mlops_tui::dag::staleness::Freshness;
use mlops_tui::project::{Options, Reader, Snapshot};
use mlops_tui::runs::{Failure, Frame, RunEvent, Stream};
use mlops_tui::store::{NewRun, NodeOutcome, NodeRecord, Outcome, RunId, RunRecord, Timing};
use mlops_tui::tracking::Overview;
use mlops_tui::tracking::entities::Run;

use crate::common::app::{NOW, TestApp};

#[test]
fn the_pipeline_at_three_sizes() {
    for (columns, rows) in [(60, 15), (80, 24), (200, 60)] {
        let app = TestApp::open(columns, rows);
        insta::assert_snapshot!(format!("pipeline_{columns}x{rows}"), app.screen());
    }
}

#[test]
fn the_other_tabs() {
    let mut app = TestApp::open(110, 30);
    for (key, name) in [
        ("2", "catalog"),
        ("3", "parameters"),
        ("4", "runs"),
        ("5", "experiments"),
        ("7", "remote"),
    ] {
        app.keys(key);
        insta::assert_snapshot!(name, app.screen());
    }
}

#[test]
fn dialogs() {
    let mut app = TestApp::open(80, 24);
    insta::assert_snapshot!("help", app.keys("?").screen());
    insta::assert_snapshot!("palette", app.keys("<esc>:env").screen());
    insta::assert_snapshot!("choose_pipeline", app.keys("<esc>p").screen());
    insta::assert_snapshot!("run_options", app.keys("<esc>o").screen());
}

#[test]
fn a_search_selects_and_a_run_of_the_selected_node_is_asked_for() {
    let mut app = TestApp::open(80, 24);
    app.keys("/linear.train<enter>");
    assert_eq!(app.selected(), "linear.train_model");
    app.keys("r");
    assert_eq!(app.asked_run().unwrap().slice, Slice::nodes(["linear.train_model"]));
    app.refuse_run();
    app.keys("f");
    assert_eq!(app.asked_run().unwrap().slice.from_nodes, ["linear.train_model"]);
    app.refuse_run();
    app.keys("t");
    assert_eq!(app.asked_run().unwrap().slice.to_nodes, ["linear.train_model"]);
    app.refuse_run();
    app.keys("a");
    assert!(app.asked_run().unwrap().slice.is_empty());
}

#[test]
fn marked_nodes_are_run_together_in_the_pipeline_s_order() {
    let mut app = TestApp::open(200, 60);
    app.keys("/clean_weather<enter><space>/clean_stations<enter><space>r");
    assert_eq!(app.asked_run().unwrap().slice, Slice::nodes(["clean_stations", "clean_weather"]));
    app.refuse_run();
    app.keys("<esc><esc>r");
    assert_eq!(app.asked_run().unwrap().slice, Slice::nodes(["clean_stations"]));
}

#[test]
fn the_options_form_comes_to_a_request_and_says_what_is_wrong() {
    let mut app = TestApp::open(120, 36);
    app.keys("o");
    assert!(app.screen().contains("1 node"));
    app.keys("x");
    assert!(app.screen().contains("has no node `clean_stationsx`; did you mean `clean_stations`?"));
    app.keys("<enter>");
    assert_eq!(app.asked_run(), None);
    app.keys("<esc>o");
    // nodes ... params is the eighth field.
    app.keys("<tab><tab><tab><tab><tab><tab><tab>seed=3,trips.min_minutes=2<enter>");
    let request = app.asked_run().unwrap();
    assert_eq!(request.params["seed"], "3");
    assert_eq!(
        request.to_command(),
        "kedro run --pipeline=__default__ --nodes=clean_stations --params=seed=3,trips.min_minutes=2"
    );
}

#[test]
fn the_options_form_takes_the_names_of_unnamed_nodes() {
    let mut app = TestApp::open(120, 36);
    let mut snapshot = (**app.state.shared.project.snapshot.as_ref().unwrap()).clone();
    let name = "count([clean_trips,holidays]) -> [daily_trips]";
    for pipeline in &mut snapshot.pipelines {
        for node in &mut pipeline.nodes {
            if node.name == "count_daily_trips" {
                std::sync::Arc::make_mut(node).name = name.into();
            }
        }
    }
    app.report(Report::Static { generation: 1.into(), result: Ok(std::sync::Arc::new(snapshot)) });
    app.keys("o<tab>").happen(Event::Paste(format!("{name},clean_stations")));
    app.keys("<enter>");
    let request = app.asked_run().unwrap();
    assert_eq!(request.slice.from_nodes, [name, "clean_stations"]);
}

#[test]
fn a_search_line_is_edited_as_every_other_line() {
    let mut app = TestApp::open(80, 24);
    app.keys("2/trps<left><left>i");
    assert_eq!(app.state.shared.search, "trips");
    let screen = app.screen();
    let bar = screen.lines().last().unwrap();
    assert!(bar.starts_with(" /trips"), "{bar}");
    let at = |app: &TestApp| app.state.catalog.list.position.selected;
    let first = at(&app);
    app.keys("<tab>");
    assert!(at(&app) > first);
    app.keys("xyz");
    assert!(app.screen().lines().last().unwrap().contains("nothing is named"));
    app.keys("<backspace><backspace><backspace><enter>");
    assert_eq!(app.state.shared.search, "trips");
}

#[test]
fn keys_inside_dialogs_can_be_bound() {
    let mut app = TestApp::open(80, 24);
    let text = "extends: default\nask: {yes: j, no: l}\nline: {accept: z}\n";
    app.state.shared.keymap = Keymap::parse("own", text, &|_| None).unwrap().0;
    app.report(Report::Trust(false));
    app.keys("r");
    let screen = app.screen();
    assert!(screen.contains("j trust it   l not now"), "{screen}");
    app.keys("yn<esc>");
    assert_eq!(app.state.shared.dialogs.len(), 1, "these keys have no meaning in it any more");
    app.keys("l");
    assert!(app.state.shared.dialogs.is_empty() && app.asked_run().is_none());
    app.keys("rj");
    assert!(app.asked_run().is_some());
    app.keys("2/trips").keys("z");
    assert!(app.state.shared.prompt.is_none());
    app.keys("?");
    app.happen(Event::Paste("ask: yes".into()));
    assert!(app.screen().contains("ask: yes"));
}

#[test]
fn a_run_is_followed_to_its_failure() {
    let mut app = TestApp::open(100, 30);
    app.keys("a");
    app.start_run(&["clean_stations", "clean_trips", "count_daily_trips"]);
    let node = |name: &str| name.to_owned();
    app.happens_in_run(1.0, RunEvent::NodeStarted { node: node("clean_stations") });
    let text = "15 of 16 stations\u{1b}[31m are open".into();
    app.happens_in_run(
        1.1,
        RunEvent::Output {
            node: Some(node("clean_stations")),
            stream: Stream::Stdout,
            level: None,
            logger: None,
            text,
            partial: false,
        },
    );
    app.happens_in_run(1.2, RunEvent::NodeFinished { node: node("clean_stations"), seconds: 0.2 });
    app.happens_in_run(1.3, RunEvent::NodeStarted { node: node("clean_trips") });
    app.happen(Event::Tick(NOW + 3.0));
    assert!(app.state.shows_time());
    // The clock of the log is that of the machine.
    let clock = |screen: String| {
        let mut lines: Vec<String> = screen.lines().map(ToOwned::to_owned).collect();
        for line in &mut lines {
            let digits = |at: usize| line.get(at..=at).is_some_and(|c| c == ":");
            if digits(3) && digits(6) {
                line.replace_range(1..9, "hh:mm:ss");
            }
        }
        lines.join("\n")
    };
    insta::assert_snapshot!("running", clock(app.screen()));

    let failure = Failure {
        kind: "builtins.KeyError".into(),
        message: "'duration'".into(),
        traceback:
            "Traceback (most recent call last):\n  File \"nodes.py\", line 26\nKeyError: 'duration'"
                .into(),
        frames: vec![Frame {
            file: "src/harbour_bikes/pipelines/data_processing/nodes.py".into(),
            line: 26,
            function: "clean_trips".into(),
            in_project: true,
        }],
    };
    let node = node("clean_trips");
    app.happens_in_run(3.1, RunEvent::NodeFailed { node, seconds: 1.8, failure: failure.clone() });
    app.happens_in_run(3.2, RunEvent::RunFailed { failure });
    assert!(app.state.shared.running().is_none());
    insta::assert_snapshot!("failed", clock(app.screen()));
    app.keys("T");
    assert!(app.screen().contains("KeyError: 'duration'"));
    app.keys("e");
    let edit = app.effects.iter().rev().find_map(|effect| match effect {
        Effect::Edit(place) => Some(place.to_string()),
        _ => None,
    });
    assert_eq!(edit.as_deref(), Some("src/harbour_bikes/pipelines/data_processing/nodes.py:26"));

    app.keys("<esc>-");
    assert_eq!(app.state.pipeline.zoom(), Zoom::Overview);
    let overview = app.screen();
    let failed = overview.lines().find(|line| line.contains("clean_trips")).unwrap_or_default();
    assert!(failed.contains('✗'), "{overview}");
}

#[test]
fn a_command_that_can_not_act_says_why() {
    let mut app = TestApp::open(100, 30);
    app.keys("x");
    assert!(app.screen().contains("cancel-run: nothing is running"));
    app.keys("2r");
    assert!(app.screen().contains("run: this is for Pipeline"));
    app.keys("§");
    assert!(app.screen().contains("§ does nothing here; ? lists the keys"));
}

#[test]
fn an_answer_that_comes_late_is_dropped() {
    let mut app = TestApp::open(100, 30);
    let old = Snapshot::default();
    app.report(Report::Changed { files: vec!["conf/base/catalog.yml".into()], tracking: false });
    app.report(Report::Static { generation: 1.into(), result: Ok(std::sync::Arc::new(old)) });
    assert!(app.screen().contains("15 nodes"));
}

#[test]
fn a_change_reads_again_and_keeps_selection_and_scroll() {
    let mut app = TestApp::open(80, 24);
    app.keys("/write_summary<enter>");
    let before = app.screen();
    app.effects.clear();
    app.report(Report::Changed { files: vec!["conf/base/catalog.yml".into()], tracking: false });
    assert!(app.effects.iter().any(
        |effect| matches!(effect, Effect::ReadStatic { generation, .. } if *generation == 2.into())
    ));
    let snapshot = (**app.state.shared.project.snapshot.as_ref().unwrap()).clone();
    app.report(Report::Static { generation: 2.into(), result: Ok(std::sync::Arc::new(snapshot)) });
    assert_eq!(app.screen(), before);
}

#[test]
fn a_node_that_gets_another_name_stays_selected() {
    let mut app = TestApp::open(80, 24);
    app.keys("/count_docks<enter>");
    let mut snapshot = (**app.state.shared.project.snapshot.as_ref().unwrap()).clone();
    for node in snapshot.pipelines.iter_mut().flat_map(|pipeline| &mut pipeline.nodes) {
        if node.name == "count_docks" {
            std::sync::Arc::make_mut(node).name = "another_name".into();
        }
    }
    app.report(Report::Changed { files: vec!["src/x.py".into()], tracking: false });
    app.report(Report::Static { generation: 2.into(), result: Ok(std::sync::Arc::new(snapshot)) });
    assert_eq!(app.selected(), "another_name");
}

#[test]
fn the_two_readings_are_compared() {
    let mut app = TestApp::open(100, 30);
    let mut exact = (**app.state.shared.project.snapshot.as_ref().unwrap()).clone();
    exact.datasets.shift_remove("summary");
    let generation = app.state.shared.generations.exact;
    app.report(Report::Exact { generation, result: Ok(std::sync::Arc::new(exact)), stored: false });
    assert!(app.screen().contains("exact, differs in 1"));
    app.keys("D");
    assert!(app.screen().contains("dataset `summary`: only in the files"));
}

#[test]
fn long_names_and_many_metrics_fit() {
    let mut app = TestApp::open(80, 24);
    let metric = |index: usize| (format!("a_metric_with_a_long_name_{index}"), 0.5 + index as f64);
    let run = Run {
        id: "abc".into(),
        name: "a run with a name that is much too long for any column that there is".into(),
        status: "FINISHED".into(),
        start_time: Some((NOW * 1000.0) as i64 - 100_000),
        end_time: Some((NOW * 1000.0) as i64),
        metrics: (0..12).map(metric).collect(),
        params: vec![("表".into(), "wide".into())],
        ..Run::default()
    };
    let overview = Overview { source: "mlflow.db".into(), runs: vec![run], ..Overview::default() };
    app.report(Report::Tracking(TrackingReport::Live(overview)));
    insta::assert_snapshot!("experiments_long", app.keys("5").screen());
}

#[test]
fn a_project_that_can_not_be_read_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("pyproject.toml"), "[tool.kedro]\npackage_name = \n")
        .unwrap();
    let mut snapshot = Reader::new(folder.path()).read(&Options::default());
    snapshot.metadata.root = "/project".into();
    let mut app = TestApp::showing(snapshot, 80, 24);
    assert!(app.screen().contains("No pipeline could be read."));
    app.keys("!");
    assert!(app.screen().contains("pyproject.toml:2"), "{}", app.screen());
    app.keys("<esc>");
    app.report(Report::Datasets(HashMap::new()));
    for key in ["2", "3", "4", "5", "6", "7"] {
        app.keys(key);
        assert!(!app.screen().is_empty());
    }
}

#[test]
fn a_run_key_pressed_twice_starts_one_run() {
    let mut app = TestApp::open(120, 40);
    app.keys("/clean_trips<enter>r");
    let asked = |app: &TestApp| {
        app.effects.iter().filter(|effect| matches!(effect, Effect::Run { .. })).count()
    };
    assert_eq!(asked(&app), 1);
    app.keys("r");
    assert_eq!(asked(&app), 1);
    assert!(app.screen().contains("a run of clean_trips is already starting"), "{}", app.screen());
    // What could not be started can be asked for again.
    app.refuse_run();
    app.keys("r");
    assert_eq!(asked(&app), 2);
    // Other nodes need not wait, and the run that was asked for first is not lost.
    app.keys("/clean_stations<enter>r");
    assert_eq!(asked(&app), 3);
    let asked = app.effects.iter().filter_map(|effect| match effect {
        Effect::Run { generation, .. } => Some(*generation),
        _ => None,
    });
    let asked: Vec<_> = asked.collect();
    let (first, second) = (Some(asked[1]), Some(asked[2]));
    let new = |nodes: &str| NewRun { command: nodes.into(), started_at: NOW, ..NewRun::default() };
    let begun = |id, nodes| Box::new(RunRecord::begun(RunId::new(id), new(nodes)));
    app.report(Report::RunStarted { generation: second, key: 8.into(), run: begun(8, "stations") });
    app.report(Report::RunStarted { generation: first, key: 7.into(), run: begun(7, "trips") });
    assert_eq!(app.state.shared.run.as_ref().unwrap().record.id, RunId::new(8));
    assert_eq!(app.state.shared.beside[0].record.id, RunId::new(7));
    assert!(app.state.shared.starting.is_empty());
}

#[test]
fn an_override_is_checked_where_it_is_typed() {
    let mut app = TestApp::open(110, 30);
    app.keys("3/max_minutes<enter>");
    let path = app.state.parameters.list.selected().unwrap().path.clone();
    app.keys("=[1, 2<enter>");
    assert!(app.screen().contains("not valid YAML"), "{}", app.screen());
    assert!(app.state.shared.prompt.is_some() && app.state.shared.overrides.is_empty());
    app.keys("]<enter>");
    assert!(app.screen().contains("Change the type?"), "{}", app.screen());
    assert!(app.screen().contains("is a number; `[1, 2]` is a list."), "{}", app.screen());
    app.keys("n");
    assert!(app.state.shared.overrides.is_empty());
    app.keys("=5<enter>");
    assert!(app.state.shared.overrides.contains_key(&path), "a number stays a number");
}

#[test]
fn the_end_of_a_run_is_seen_on_every_tab() {
    let mut app = TestApp::open(110, 30);
    app.keys("ry");
    app.start_run(&["clean_stations", "clean_trips"]);
    assert_eq!(app.state.window_title(), "● 0/2 Harbour Bikes");
    app.keys("2");
    let failure = Failure {
        kind: "builtins.KeyError".into(),
        message: "'duration' is not there".into(),
        ..Failure::default()
    };
    app.happens_in_run(1.0, RunEvent::NodeStarted { node: "clean_trips".into() });
    let node = "clean_trips".to_owned();
    app.happens_in_run(2.0, RunEvent::NodeFailed { node, seconds: 1.0, failure: failure.clone() });
    app.happens_in_run(2.5, RunEvent::RunFailed { failure });
    let screen = app.screen();
    insta::assert_snapshot!("toast", screen);
    assert_eq!(app.state.window_title(), "failed Harbour Bikes");
    assert!(app.effects.iter().any(|effect| matches!(effect, Effect::Notify(text)
        if text == "run 1 failed in clean_trips after 2.50 s: KeyError: 'duration' is not there")));
    app.keys("M");
    assert!(app.screen().contains("! run 1 failed in clean_trips"), "{}", app.screen());
    app.keys("<esc>T");
    let screen = app.screen();
    assert!(screen.contains("Traceback of clean_trips"), "its key works here, too:\n{screen}");
    app.keys("<esc><esc>");
    assert!(app.state.shared.toast.is_none());
    assert!(app.screen().contains("4 Runs✗"), "{}", app.screen());
    app.keys("4");
    assert!(!app.screen().contains("4 Runs✗"), "{}", app.screen());
    assert_eq!(app.state.window_title(), "Harbour Bikes");
}

#[test]
fn a_toast_goes_by_itself_and_a_terminal_with_the_focus_is_not_notified() {
    let mut app = TestApp::open(60, 15);
    app.happen(Event::Focus(true));
    app.keys("ry");
    app.start_run(&["clean_stations"]);
    app.happens_in_run(2.5, RunEvent::RunFinished { seconds: 2.0 });
    assert!(app.screen().contains("✓ run 1 succeeded after 2.50 s"), "{}", app.screen());
    assert!(!app.effects.iter().any(|effect| matches!(effect, Effect::Notify(_))));
    assert!(app.state.shows_time());
    app.happen(Event::Tick(NOW + 30.0));
    assert!(!app.screen().contains("succeeded after"), "{}", app.screen());
}

#[test]
fn the_time_left_follows_from_earlier_runs() {
    let mut app = TestApp::open(110, 30);
    let timing = |median: f64| Timing { last: median, median, runs: 3 };
    let names = ["clean_stations", "clean_trips"];
    let timings = names.into_iter().zip([10.0, 30.0]);
    let timings = timings.map(|(name, median)| (name.to_owned(), timing(median)));
    app.report(Report::Timings(timings.collect()));
    app.keys("ry");
    app.start_run(&names);
    app.happens_in_run(1.0, RunEvent::NodeStarted { node: names[0].into() });
    app.happen(Event::Tick(NOW + 5.0));
    let screen = app.screen();
    assert!(screen.contains("run 1 0/2 ~36.0 s left"), "{screen}");
    assert!(screen.contains("running for 4.00 s in run 1, ~"), "{screen}");
    app.happen(Event::Tick(NOW + 15.0));
    let screen = app.screen();
    assert!(screen.contains("~30.0 s left") && !screen.contains("run 1, ~"), "{screen}");
}

#[test]
fn what_the_header_calls_failed_is_among_the_problems() {
    let mut app = TestApp::open(110, 30);
    app.report(Report::Tracking(TrackingReport::Failed("mlflow.db is no database".into())));
    let failure = Failure {
        kind: "builtins.ImportError".into(),
        message: "no module".into(),
        frames: vec![Frame {
            file: "src/harbour_bikes/settings.py".into(),
            line: 3,
            function: "<module>".into(),
            in_project: true,
        }],
        ..Failure::default()
    };
    let generation = app.state.shared.generations.exact;
    app.report(Report::Exact { generation, result: Err(failure), stored: false });
    assert!(app.screen().contains("Kedro failed"), "{}", app.screen());
    let screen = app.keys("!").screen();
    assert!(screen.contains("src/harbour_bikes/settings.py:3"), "{screen}");
    assert!(screen.contains("Kedro can't read the project: ImportError: no module"), "{screen}");
    assert!(
        screen.contains("The tracking store can't be read: mlflow.db is no database"),
        "{screen}"
    );
}

#[test]
fn a_run_of_another_program_is_seen_cancelled_and_reported() {
    let mut app = TestApp::open(110, 30);
    let new = NewRun { started_at: NOW, detached: true, ..NewRun::default() };
    let mut record = RunRecord::begun(RunId::new(9), new);
    let node = |name: &str, outcome: NodeOutcome, failure: Option<&str>| NodeRecord {
        node: name.into(),
        outcome,
        started_at: Some(NOW),
        seconds: Some(2.0),
        failure: failure.map(str::to_owned),
        ..NodeRecord::default()
    };
    let names = ["clean_stations", "clean_trips", "clean_weather"];
    let nodes = vec![
        node(names[0], NodeOutcome::Succeeded, None),
        node(names[1], NodeOutcome::Running, None),
        node(names[2], NodeOutcome::Waiting, None),
    ];
    app.keys("F");
    app.report(Report::GoingOn(vec![(record.clone(), nodes)]));
    let screen = app.screen();
    assert!(screen.contains("● run 9 1/3 in the background"), "{screen}");
    assert_eq!(app.selected(), "clean_trips", "the selection follows it");
    assert!(screen.contains("in run 9"), "{screen}");
    assert_eq!(app.state.window_title(), "● 1/3 Harbour Bikes");
    app.keys("x");
    assert!(app.screen().contains("Another program runs run 9."), "{}", app.screen());
    app.keys("y");
    assert!(app.effects.contains(&Effect::CancelElsewhere(RunId::new(9).unwrap())));

    record.outcome = Outcome::Failed;
    record.failed_node = Some(names[1].into());
    record.ended_at = Some(NOW + 4.0);
    let failure = r#"{"kind": "KeyError", "message": "'day'"}"#;
    let nodes = vec![node(names[1], NodeOutcome::Failed, Some(failure))];
    app.report(Report::GoingOn(vec![(record.clone(), nodes.clone())]));
    let screen = app.screen();
    assert!(screen.contains("✗ run 9 failed in clean_trips after 4.00 s"), "{screen}");
    assert!(screen.contains("KeyError: 'day'") && screen.contains("4 Runs✗"), "{screen}");
    assert!(!screen.contains("in the background"), "{screen}");
    app.keys("<esc>");
    app.report(Report::GoingOn(vec![(record, nodes)]));
    assert!(app.state.shared.toast.is_none(), "an end is reported once");
}

#[test]
fn making_the_environment_is_seen_hidden_and_cancelled() {
    let mut app = TestApp::open(110, 30);
    app.keys(":make-env<enter>y");
    assert!(app.effects.contains(&Effect::CreateEnvironment));
    for line in [
        "$ uv pip install",
        "Resolved 3 packages in 9ms",
        "Downloading numpy (15MiB)",
        " Downloaded numpy",
    ] {
        app.report(Report::EnvironmentProgress(line.into()));
    }
    insta::assert_snapshot!("environment", app.screen());
    app.keys("<enter>2");
    let screen = app.screen();
    assert!(
        screen.contains("● .venv: 1 of 3 packages, numpy") && screen.contains("Catalog"),
        "{screen}"
    );
    app.keys("1r");
    app.refuse_run_for_environment();
    let screen = app.screen();
    assert!(screen.contains("The run starts when the Python environment is made."), "{screen}");
    app.report(Report::EnvironmentDone(Ok(())));
    assert!(app.asked_run().is_some() && !app.screen().contains(".venv:"), "{}", app.screen());

    app.keys(":make-env<enter>y<esc>");
    assert!(app.effects.contains(&Effect::CancelEnvironment));
    app.report(Report::EnvironmentDone(Err("killed".into())));
    let screen = app.screen();
    assert!(screen.contains("is not complete") && !screen.contains("killed"), "{screen}");
    app.keys(":make-env<enter>y<enter>");
    app.report(Report::EnvironmentDone(Err("No network.".into())));
    assert!(app.screen().contains("No network."), "{}", app.screen());
    app.keys("<esc>");
    assert!(app.state.shared.dialogs.is_empty());
}

#[test]
fn the_keys_on_the_bottom_line_can_be_clicked_and_ages_advance() {
    let mut app = TestApp::open(110, 30);
    let click = |app: &mut TestApp, word: &str| {
        let line = app.screen().lines().last().unwrap().to_owned();
        let column = line[..line.find(word).unwrap()].chars().count() as u16;
        let (kind, modifiers) = (MouseEventKind::Down(MouseButton::Left), KeyModifiers::NONE);
        app.happen(Event::Mouse(MouseEvent { kind, column, row: 29, modifiers }));
    };
    click(&mut app, "options");
    assert!(app.screen().contains("Run with options"), "{}", app.screen());
    app.keys("<esc>");
    click(&mut app, "? help");
    assert!(app.screen().contains("Help:"), "{}", app.screen());
    app.keys("<esc>M");
    app.keys("<esc>");
    app.state.shared.tell("Something.");
    click(&mut app, "Something");
    assert!(app.state.shared.dialogs.is_empty(), "a message is no key");
    app.happen(Event::Tick(NOW + 130.0));
    assert!(app.keys("M").screen().contains("Something.  (2 min ago)"), "{}", app.screen());
}

#[test]
fn a_run_of_fresh_nodes_is_confirmed_as_often_as_the_settings_say() {
    for (ask, questions) in [
        (AskFresh::Once, [true, false]),
        (AskFresh::Always, [true, true]),
        (AskFresh::Never, [false, false]),
    ] {
        let mut app = TestApp::open(80, 24);
        app.state.shared.settings.ask_fresh = ask;
        let statuses = HashMap::from([("linear.train_model".to_owned(), Freshness::Fresh)]);
        app.report(Report::Staleness { pipeline: "__default__".into(), statuses });
        app.keys("/linear.train<enter>");
        for asked in questions {
            app.keys("r");
            assert_eq!(app.screen().contains("Run it again?"), asked, "{ask:?}: {}", app.screen());
            if asked {
                app.keys("n");
            } else {
                assert!(app.asked_run().is_some(), "{ask:?}");
                app.refuse_run();
            }
        }
    }
}
