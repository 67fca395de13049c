//! The table of tracked runs: columns, order, best values, nested runs, a baseline, the filter.

use mlops_tui::app::effect::{Effect, Made};
use mlops_tui::app::event::Report;
use mlops_tui::app::settings::{Overrides, Settings};
use mlops_tui::app::shared::TrackingReport;
use mlops_tui::app::update::remember;
use mlops_tui::app::{State, update};
use mlops_tui::runs::RunRequest;
use mlops_tui::store::{NewRun, RunRecord};
use mlops_tui::tracking::entities::{DatasetInput, LoggedModel, ModelMetric, Point, Run};
use mlops_tui::tracking::{Belongings, Overview};

use crate::common::app::{NOW, TestApp};
use crate::common::run_id;

fn run(number: i64, name: &str, params: &[(&str, &str)], metrics: &[(&str, f64)]) -> Run {
    let start = (NOW * 1000.0) as i64 - number * 600_000;
    Run {
        id: format!("{number:032x}"),
        name: name.into(),
        experiment_id: "1".into(),
        status: "FINISHED".into(),
        start_time: Some(start),
        end_time: Some(start + 90_000),
        params: params.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect(),
        metrics: metrics.iter().map(|(key, value)| ((*key).into(), *value)).collect(),
        ..Run::default()
    }
}

fn overview() -> Overview {
    let of = |number, name, lr, depth, mae: f64, r2: f64| {
        let params = [("model.depth", depth), ("model.lr", lr), ("seed", "7")];
        run(number, name, &params, &[("mae", mae), ("r2", r2), ("rows", 100.0)])
    };
    let mut runs = vec![
        of(1, "bold-fox", "0.1", "4", 0.41, 0.71),
        of(2, "calm-owl", "0.1", "8", 0.31, 0.83),
        of(3, "dry-elk", "0.01", "4", 0.52, 0.64),
        of(4, "eager-ant", "0.01", "8", f64::NAN, 0.83),
        run(5, "sweep", &[], &[]),
    ];
    runs[0].status = "RUNNING".into();
    runs[0].end_time = None;
    runs[3].status = "FAILED".into();
    for child in [2, 3] {
        runs[child].tags = vec![("mlflow.parentRunId".into(), runs[4].id.clone())];
    }
    let experiments = [("1".to_owned(), "forest".to_owned())].into();
    Overview { source: "mlflow.db".into(), runs, experiments, models: Vec::new() }
}

pub(crate) fn open(columns: u16, rows: u16) -> TestApp {
    let mut app = TestApp::open(columns, rows);
    app.report(Report::Tracking(TrackingReport::Live(overview())));
    app.keys("5");
    app
}

/// The names of the rows in their order.
fn names(app: &TestApp) -> Vec<String> {
    let known = ["bold-fox", "calm-owl", "dry-elk", "eager-ant", "sweep"];
    let screen = app.screen();
    let left = screen.lines().filter_map(|line| {
        let cut = line.char_indices().nth(40).map_or(line.len(), |(at, _)| at);
        known.iter().find(|name| line[..cut].contains(**name)).map(|name| (*name).to_owned())
    });
    left.collect()
}

#[test]
fn the_table_shows_what_differs_and_marks_the_best() {
    for (columns, rows) in [(80, 24), (160, 40)] {
        let mut app = open(columns, rows);
        insta::assert_snapshot!(format!("experiments_table_{columns}"), app.screen());
        app.keys("lllls");
        insta::assert_snapshot!(format!("experiments_sorted_{columns}"), app.screen());
    }
}

#[test]
fn a_key_sorts_by_the_column_and_another_adds_a_column() {
    let mut app = open(160, 40);
    assert_eq!(names(&app), ["bold-fox", "calm-owl", "sweep", "dry-elk", "eager-ant"]);
    // Nested runs stay below their parent.
    app.keys("w");
    assert_eq!(names(&app), ["bold-fox", "calm-owl", "dry-elk", "eager-ant", "sweep"]);
    app.keys("llllls");
    assert_eq!(names(&app), ["calm-owl", "eager-ant", "bold-fox", "dry-elk", "sweep"], "by r2");
    app.keys("s");
    assert_eq!(names(&app), ["dry-elk", "bold-fox", "calm-owl", "eager-ant", "sweep"]);
    app.keys("shS");
    assert_eq!(names(&app)[..3], ["calm-owl", "bold-fox", "dry-elk"], "by mae");
}

#[test]
fn columns_are_hidden_shown_pinned_moved_and_resized() {
    let mut app = open(160, 40);
    let title = |app: &TestApp| app.screen().lines().nth(3).unwrap().to_owned();
    assert!(title(&app).contains("depth") && !title(&app).contains("seed"), "{}", title(&app));
    app.keys("llH");
    assert!(!title(&app).contains("depth"), "{}", title(&app));
    app.keys("a");
    assert!(title(&app).contains("depth") && !title(&app).contains("seed"), "{}", title(&app));
    app.keys("a");
    assert!(title(&app).contains("seed") && title(&app).contains("rows"), "{}", title(&app));
    app.keys("a");
    let at = |app: &TestApp, word: &str| title(app).find(word);
    assert!(at(&app, "depth") < at(&app, "lr"));
    app.keys("h>");
    assert!(at(&app, "depth") > at(&app, "lr"));
    app.keys("<").keys("P");
    assert!(at(&app, "depth") < at(&app, "started"), "a pinned column goes first");
    let before = at(&app, "started");
    app.keys("))");
    assert!(at(&app, "started") > before);
}

#[test]
fn the_cursor_brings_columns_into_view() {
    let mut app = open(60, 15);
    assert!(!app.screen().contains("took"), "{}", app.screen());
    app.keys("llllll");
    assert!(app.screen().contains("took") && app.screen().contains("bold-fox"), "{}", app.screen());
}

#[test]
fn a_baseline_shows_differences() {
    let mut app = open(160, 40);
    app.keys("jB");
    insta::assert_snapshot!("experiments_baseline", app.screen());
    assert!(app.screen().contains("+0.1000 (+32.3%)"), "{}", app.screen());
    app.keys("B");
    assert!(!app.screen().contains('%'), "{}", app.screen());
}

#[test]
fn the_filter_is_mlflows_with_completion_and_the_error_in_its_place() {
    let mut app = open(160, 40);
    app.keys("&ma");
    assert!(app.screen().contains("metrics.mae"), "{}", app.screen());
    app.keys("<tab>< 0.5");
    assert_eq!(names(&app), ["bold-fox", "calm-owl"]);
    app.keys("<enter>");
    assert!(app.screen().contains("2 of 5 · metrics.mae < 0.5"), "{}", app.screen());
    app.keys("&params.model.depth = 8<enter>");
    assert!(app.screen().contains("Expected a quoted string value"), "{}", app.screen());
    app.keys("<esc>");
    assert_eq!(names(&app).len(), 2, "the filter before stays");
    app.keys("<esc>");
    assert_eq!(names(&app).len(), 5);
    app.keys("u");
    assert_eq!(names(&app).len(), 2);
}

#[test]
fn nested_runs_can_be_hidden() {
    let mut app = open(160, 40);
    app.keys("jjc");
    assert_eq!(names(&app), ["bold-fox", "calm-owl", "sweep"]);
    app.keys("c");
    assert_eq!(names(&app).len(), 5);
}

#[test]
fn the_selected_run_stays_selected_when_runs_appear() {
    let mut app = open(160, 40);
    app.keys("j");
    let mut more = overview();
    more.runs.insert(0, run(0, "a-new-one", &[], &[("mae", 0.1)]));
    app.report(Report::Tracking(TrackingReport::Live(more)));
    assert_eq!(app.state.details().name, format!("{:032x}", 2));
    // While another screen is shown, the newest run stays the selected one.
    app.keys("g2");
    let mut newer = overview();
    newer.runs.insert(0, run(0, "a-new-one", &[], &[("mae", 0.1)]));
    newer.runs.insert(0, run(-1, "a-newer-one", &[], &[("mae", 0.1)]));
    app.report(Report::Tracking(TrackingReport::Live(newer)));
    app.keys("5");
    assert!(app.screen().contains("│ a-newer-one"), "{}", app.screen());
}

#[test]
fn the_metrics_of_a_single_run_are_columns() {
    let mut app = TestApp::open(160, 40);
    let runs = vec![run(1, "trained", &[], &[("mae", 0.5)]), run(2, "prepared", &[], &[])];
    app.report(Report::Tracking(TrackingReport::Live(Overview { runs, ..Overview::default() })));
    app.keys("5");
    assert!(app.screen().contains(" mae "), "{}", app.screen());
}

/// What the last key asked to read.
fn asked(app: &TestApp) -> Vec<(String, String)> {
    let wanted = app.effects.iter().filter_map(|effect| match effect {
        Effect::LoadCurves(wanted) => Some(wanted.clone()),
        _ => None,
    });
    wanted.flatten().collect()
}

pub(crate) fn answer(app: &mut TestApp) {
    let curve = |run: &str, key: &str| -> Vec<Point> {
        let down = if key == "mae" { 1.0 } else { -0.5 };
        let faster = if run.ends_with('1') { 1.0 } else { 2.0 };
        let value = |step: i64| 1.0 + down * (-(step as f64) * faster / 30.0).exp();
        let at = |step: i64| Point { step, timestamp: step * 1000, value: value(step) };
        (0..100).map(at).collect()
    };
    let read = |id: (String, String)| {
        let points = curve(&id.0, &id.1);
        (id, Ok(points))
    };
    let curves = asked(app).into_iter().map(read).collect();
    app.report(Report::Curves(curves));
}

#[test]
fn enter_shows_the_curves_of_a_run_and_then_one_of_them() {
    for (columns, rows) in [(80, 24), (160, 40)] {
        let mut app = open(columns, rows);
        app.keys("<enter>");
        assert_eq!(asked(&app).len(), 3, "mae, r2 and rows");
        answer(&mut app);
        insta::assert_snapshot!(format!("experiments_curves_{columns}"), app.screen());
        app.keys("<enter>.").keys("..");
        insta::assert_snapshot!(format!("experiments_curve_{columns}"), app.screen());
        app.keys("<esc><esc>");
        assert!(app.screen().contains("r2"), "{}", app.screen());
        app.keys("<esc>");
        assert!(app.screen().contains("calm-owl"), "the table");
    }
}

#[test]
fn marked_runs_are_drawn_together_with_what_differs_beside_them() {
    let mut app = open(160, 40);
    app.keys("<space><space><enter>");
    assert_eq!(asked(&app).len(), 6);
    answer(&mut app);
    app.keys("xxLm");
    insta::assert_snapshot!("experiments_two_runs", app.screen());
    assert!(app.screen().contains("Params that differ"), "{}", app.screen());
}

#[test]
fn a_page_that_can_not_act_says_why() {
    let mut app = open(160, 40);
    app.keys("x");
    assert!(app.screen().contains("enter shows those of the selected run"), "{}", app.screen());
    app.keys("<enter>s");
    assert!(app.screen().contains("esc goes back to it"), "{}", app.screen());
    let id = format!("{:032x}", 1);
    app.report(Report::Curves(vec![((id, "mae".into()), Err("the file is gone".into()))]));
    assert!(app.screen().contains("The values of mae can't be read"), "{}", app.screen());
}

#[test]
fn the_table_is_remembered() {
    let mut app = open(160, 40);
    app.keys("lllls").keys("hhH&metrics.mae < 0.5").keys("<enter>");
    let look = remember::look(&app.state);
    let mut again =
        TestApp { state: State::new(None, Settings::default(), NOW), effects: Vec::new() };
    remember::put_back(&mut again.state, look);
    update(&mut again.state, mlops_tui::app::event::Event::Resize(160, 40));
    again.report(Report::Tracking(TrackingReport::Live(overview())));
    again.keys("5");
    assert_eq!(names(&again), names(&app));
    assert_eq!(again.state.experiments.choices, app.state.experiments.choices);
    assert!(again.screen().contains("metrics.mae < 0.5"), "{}", again.screen());
}

/// The names of the tracked runs whose pipeline runs were sought last, and why.
fn sought(app: &TestApp) -> (Vec<String>, Made) {
    let found = app.effects.iter().rev().find_map(|effect| match effect {
        Effect::FindPipelineRuns(runs, then) => {
            Some((runs.iter().map(|run| run.name.clone()).collect(), *then))
        }
        _ => None,
    });
    found.expect("something is sought")
}

#[test]
fn two_tracked_runs_lead_to_the_comparison_of_what_made_them() {
    let mut app = open(160, 40);
    app.keys("W");
    assert!(app.screen().contains("mark two runs with space"), "{}", app.screen());
    app.keys("Bj").keys("W");
    let pair = (vec!["bold-fox".into(), "calm-owl".into()], Made::Compare);
    assert_eq!(sought(&app), pair, "the baseline and the selected run");
    app.keys("g<space><space>W");
    assert_eq!(sought(&app), pair, "the marked ones");
    let record = |id| Some(RunRecord::begun(Some(run_id(id)), NewRun::default()));
    let found = |ids: [i64; 2]| {
        let runs = ids.map(|id| (String::from("one"), record(id))).to_vec();
        Report::PipelineRuns(Ok(runs), Made::Compare)
    };
    app.report(found([7, 7]));
    assert!(app.screen().contains("Run 7 has made both."), "{}", app.screen());
    app.report(found([9, 7]));
    let compared = app.effects.iter().rev().find_map(|effect| match effect {
        Effect::Compare(pair) => Some((pair.first, pair.second)),
        _ => None,
    });
    assert_eq!(compared, Some((run_id(7), run_id(9))));
    assert!(app.screen().contains("Runs >"), "{}", app.screen());
}

#[test]
fn what_made_a_tracked_run_is_shown_or_run_again() {
    let mut app = open(160, 40);
    app.keys("r");
    assert_eq!(sought(&app), (vec!["bold-fox".into()], Made::Show));
    let report = |record: Option<RunRecord>, then| {
        Report::PipelineRuns(Ok(vec![("bold-fox".into(), record)]), then)
    };
    app.report(report(None, Made::Show));
    assert!(app.screen().contains("No pipeline run in the history has made bold-fox."));
    let request = RunRequest { pipeline: Some("training".into()), ..RunRequest::default() };
    let new = NewRun { request: serde_json::to_string(&request).unwrap(), ..NewRun::default() };
    let record = RunRecord::begun(Some(run_id(7)), new);
    app.keys("R");
    assert_eq!(sought(&app), (vec!["bold-fox".into()], Made::Again));
    app.report(report(Some(record.clone()), Made::Again));
    app.keys("train.seed=2");
    insta::assert_snapshot!("experiments_again", app.screen());
    app.keys("<esc>");
    app.report(report(Some(record), Made::Show));
    assert!(app.screen().contains("Runs > run 7"), "{}", app.screen());
}

#[test]
fn a_pipeline_run_leads_to_its_tracked_run() {
    let logged = |tracked: Option<&str>| RunRecord {
        mlflow_run: tracked.map(str::to_owned),
        ..RunRecord::begun(Some(run_id(7)), NewRun::default())
    };
    let list = |app: &mut TestApp, tracked: Option<&str>| {
        app.state.runs.list.rows = vec![logged(tracked)];
        app.keys("4=");
    };
    let mut app = TestApp::open(80, 24);
    list(&mut app, Some("x"));
    assert!(app.screen().contains("tracked-run: no tracking store is read"), "{}", app.screen());
    app.report(Report::Tracking(TrackingReport::Live(overview())));
    list(&mut app, None);
    assert!(app.screen().contains("the run has logged to no MLflow run"), "{}", app.screen());
    list(&mut app, Some("x"));
    let told = "mlflow.db does not have the run's MLflow run";
    assert!(app.screen().contains(told), "{}", app.screen());
    // A closed parent, a page and a filter do not hide the run.
    let elk = format!("{:032x}", 3);
    app.keys("5jjc").keys("<enter>");
    list(&mut app, Some(&elk));
    assert_eq!(app.state.details().name, elk);
    assert!(app.screen().contains("Experiments · 5 runs"), "{}", app.screen());
    app.keys("&metrics.mae < 0.5").keys("<enter>");
    list(&mut app, Some(&elk));
    assert_eq!(app.state.details().name, elk);
    app.keys("u");
    assert_eq!(app.state.experiments.query, "metrics.mae < 0.5");
    // The filter stays where the run is shown.
    list(&mut app, Some(&format!("{:032x}", 2)));
    assert_eq!(app.state.experiments.query, "metrics.mae < 0.5");
}

#[test]
fn datasets_and_system_metrics_have_sections_of_their_own() {
    let mut app = TestApp::open(80, 24);
    let metrics = [("mae", 0.5), ("system/cpu_utilization_percentage", 12.345_678)];
    let mut measured = run(1, "trained", &[("lr", "0.1")], &metrics);
    measured.datasets = vec![DatasetInput {
        name: "train".into(),
        digest: "7c1d".into(),
        tags: vec![("mlflow.data.context".into(), "training".into())],
        ..DatasetInput::default()
    }];
    let runs = vec![measured, run(2, "plain", &[("lr", "0.2")], &[("mae", 0.4)])];
    app.report(Report::Tracking(TrackingReport::Live(Overview { runs, ..Overview::default() })));
    app.keys("5<tab>");
    insta::assert_snapshot!("experiments_sections", app.screen());
    app.keys("<esc>j<tab>");
    let screen = app.screen();
    assert!(!screen.contains("Datasets") && !screen.contains("System"), "{screen}");
}

#[test]
fn the_page_of_a_run_lists_its_logged_models_and_datasets() {
    let mut app = open(80, 24);
    let ids = |app: &TestApp| {
        let asked = app.effects.iter().filter_map(|effect| match effect {
            Effect::LoadBelongings(id) => Some(id.clone()),
            _ => None,
        });
        asked.collect::<Vec<_>>()
    };
    let id = format!("{:032x}", 1);
    assert!(ids(&app).is_empty(), "nothing is read for the table");
    app.keys("<enter><esc>").keys("<enter>");
    assert_eq!(ids(&app), [id.as_str()], "it is read once");
    let model = |name: &str, metrics: &[(&str, f64)]| LoggedModel {
        name: name.into(),
        metrics: metrics
            .iter()
            .map(|(key, value)| ModelMetric {
                key: (*key).into(),
                value: *value,
                ..ModelMetric::default()
            })
            .collect(),
        ..LoggedModel::default()
    };
    let mut late = model("late", &[("mae", 0.9), ("mae", 0.4), ("mae", 0.8)]);
    for (metric, step) in late.metrics.iter_mut().zip([1, 20, 5]) {
        metric.step = step;
    }
    let models = vec![(1, model("early", &[("mae", 0.51234)])), (20, late)];
    let datasets = vec![DatasetInput {
        name: "train".into(),
        digest: "7c1d".into(),
        ..DatasetInput::default()
    }];
    let read = Belongings { datasets, models };
    app.report(Report::Belongings(id, Ok(Box::new(read))));
    app.keys("<tab>}}").keys("G");
    insta::assert_snapshot!("experiments_belongings", app.screen());
    app.keys("<esc><esc>").keys("j<enter>");
    assert!(!app.screen().contains("Logged models"), "{}", app.screen());
    app.report(Report::Belongings("x".into(), Err("the file is gone".into())));
    assert!(app.screen().contains("can't be read: the file is gone"), "{}", app.screen());
    // Another reading of the store may have changed it.
    app.report(Report::Tracking(TrackingReport::Live(overview())));
    assert_eq!(ids(&app).len(), 3);
}

#[test]
fn the_end_of_a_training_is_seen_on_every_tab() {
    let mut app = open(120, 30);
    app.keys("2");
    let mut ended = overview().runs[0].clone();
    ended.status = "FINISHED".into();
    ended.end_time = ended.start_time.map(|at| at + 2_500);
    app.report(Report::TrackedRuns { runs: vec![ended.clone()], points: Vec::new() });
    assert!(app.screen().contains("bold-fox finished after 2.50 s"), "{}", app.screen());
    assert!(!app.screen().contains("4 Runs✓"), "the mark on Runs is for pipeline runs");
    ended.metrics[1].1 = f64::NAN;
    app.report(Report::TrackedRuns { runs: vec![ended], points: Vec::new() });
    assert!(app.screen().contains("bold-fox: r2 is NaN"), "{}", app.screen());
}

#[test]
fn a_narrow_column_shows_coarse_numbers_and_no_part_of_a_number() {
    let mut app = open(160, 40);
    app.keys("llll((((");
    let screen = app.screen();
    assert!(screen.contains(" 0.3100") && !screen.contains("★ 0.3100"), "{screen}");
    app.keys("jB");
    assert!(app.screen().contains("+1e-1"), "{}", app.screen());
}

/// Six runs: two learning rates with three seeds each.
pub(crate) fn seeds() -> Overview {
    let of = |number: i64| {
        let (lr, seed) = (["0.1", "0.2"][number as usize % 2], (number / 2).to_string());
        let mae = 1.0 + number as f64 / 10.0;
        run(number, &format!("run-{number}"), &[("lr", lr), ("seed", &seed)], &[("mae", mae)])
    };
    Overview { runs: (0..6).map(of).collect(), ..overview() }
}

#[test]
fn runs_that_differ_in_their_seed_are_one_row_with_mean_and_deviation() {
    for (columns, rows) in [(80, 24), (160, 40)] {
        let mut app = TestApp::open(columns, rows);
        app.report(Report::Tracking(TrackingReport::Live(seeds())));
        app.keys("5O");
        insta::assert_snapshot!(format!("experiments_groups_{columns}"), app.screen());
    }
    let mut app = TestApp::open(160, 40);
    app.report(Report::Tracking(TrackingReport::Live(seeds())));
    app.keys("5O");
    assert!(app.screen().contains("1.300 ± 0.20"), "{}", app.screen());
    // A group is sorted, compared and marked as a run is.
    app.keys("llls");
    let first = |app: &TestApp| app.screen().lines().nth(4).unwrap().to_owned();
    assert!(first(&app).contains("1.200 ± 0.20"), "{}", first(&app));
    app.keys("<space>");
    assert!(app.screen().contains("3 marked"), "{}", app.screen());
    app.keys("<enter>");
    assert!(app.screen().contains("3 runs"), "{}", app.screen());
    // A comparison that is written has the runs of the groups.
    let comparison = app.state.experiments.comparison(&app.state.shared).expect("runs");
    assert_eq!(comparison.overview.runs.len(), 3);
    // Back, and each run again.
    app.keys("<esc><esc>O");
    assert!(app.screen().contains("run-5"), "{}", app.screen());
    // By a param, which is the column of the cursor.
    app.keys("hhlO");
    assert!(app.screen().contains("3 groups"), "{}", app.screen());
    app.keys("O");
    // A group can't be run again.
    app.keys("hhhO").keys("r");
    assert!(app.screen().contains("several runs are shown"), "{}", app.screen());
}

#[test]
fn runs_without_a_seed_are_not_grouped_and_the_reason_is_said() {
    let mut app = TestApp::open(160, 40);
    let runs = (0..4).map(|number| {
        let params =
            [("a", ["1", "2"][number as usize % 2]), ("b", ["1", "2"][number as usize / 2])];
        run(number, &format!("run-{number}"), &params, &[("mae", 1.0)])
    });
    let overview = Overview { runs: runs.collect(), ..overview() };
    app.report(Report::Tracking(TrackingReport::Live(overview)));
    app.keys("5O");
    let screen = app.screen();
    assert!(screen.contains("no two runs differ only in a seed"), "{screen}");
    assert!(screen.contains("run-3"), "{screen}");
}

#[test]
fn a_column_shows_the_curves_of_its_metric() {
    let mut app = open(160, 40);
    app.keys("llllt");
    let wanted = asked(&app);
    assert!(wanted.iter().all(|(_, key)| key == "mae"), "{wanted:?}");
    assert_eq!(wanted.len(), 4, "the run without the metric has no curve");
    let points = |values: [f64; 4]| -> Vec<Point> {
        let point = |(step, value)| Point { step, timestamp: step, value };
        (0..).zip(values).map(point).collect()
    };
    let read = wanted.into_iter().map(|id| (id, Ok(points([0.0, 1.0, f64::NAN, 7.0]))));
    app.report(Report::Curves(read.collect()));
    assert_eq!(app.screen().matches("▁▂?█").count(), 4, "{}", app.screen());
    let run = app.state.shared.tracked().unwrap().runs[0].clone();
    let new = ("mae".to_owned(), Point { step: 9, timestamp: 9, value: 0.0 });
    app.report(Report::TrackedRuns {
        points: vec![(run.id.clone(), new.0, new.1)],
        runs: vec![run],
    });
    assert!(app.screen().contains("▁▂?█▁"), "it grows: {}", app.screen());
    app.keys("t");
    assert!(!app.screen().contains('▁'), "{}", app.screen());
}

/// Thirty runs of two kinds, whose error falls with the depth.
fn sweep() -> Overview {
    let of = |number: i64| {
        let depth = (number % 10).to_string();
        let kind = ["forest", "ridge"][number as usize % 2];
        let mae = 2.0 - (number % 10) as f64 / 10.0 + (number % 3) as f64 / 50.0;
        let params = [("model.depth", depth.as_str()), ("model.kind", kind), ("seed", "7")];
        run(number, &format!("run-{number}"), &params, &[("mae", mae), ("rows", number as f64)])
    };
    Overview { runs: (0..30).map(of).collect(), ..overview() }
}

#[test]
fn many_runs_are_drawn_against_a_param_in_parallel_and_by_rank() {
    for (columns, rows) in [(80, 24), (160, 40)] {
        let mut app = TestApp::open(columns, rows);
        app.report(Report::Tracking(TrackingReport::Live(sweep())));
        // The column of the metric is the one that is drawn.
        app.keys("5lllllz");
        assert!(app.screen().contains("over depth · 30 runs"), "{}", app.screen());
        insta::assert_snapshot!(format!("experiments_scatter_{columns}"), app.screen());
        app.keys("z");
        insta::assert_snapshot!(format!("experiments_parallel_{columns}"), app.screen());
        app.keys("z");
        insta::assert_snapshot!(format!("experiments_ranks_{columns}"), app.screen());
    }
}

#[test]
fn a_brush_and_a_selection_act_on_the_runs_that_count() {
    let mut app = TestApp::open(160, 40);
    app.report(Report::Tracking(TrackingReport::Live(sweep())));
    app.keys("5lllllzz");
    let kept = |app: &mut TestApp| {
        let State { shared, experiments, .. } = &app.state;
        let plotted = experiments.plot.plotted(shared.tracked().unwrap()).unwrap();
        plotted.kept.iter().filter(|kept| **kept).count()
    };
    app.keys("+");
    let half = kept(&mut app);
    assert!((10..20).contains(&half), "{half}");
    app.keys("+");
    assert!(kept(&mut app) < half);
    app.keys("--");
    assert_eq!(kept(&mut app), 30);
    app.keys("+").keys("<esc>");
    assert_eq!(kept(&mut app), 30, "esc takes the brushes first");
    let before = app.screen();
    app.keys(".");
    assert_ne!(before, app.screen(), "another run is selected");
    // What made the selected run is a key away.
    app.keys("r");
    let asked = app.effects.iter().any(|effect| matches!(effect, Effect::FindPipelineRuns(..)));
    assert!(asked, "{:?}", app.effects);
    app.keys("<esc>");
    assert!(app.screen().contains("Experiments · 30 runs"), "{}", app.screen());
    // The rank correlations lead to the drawing of a param.
    app.keys("zzzj<enter>");
    assert!(app.screen().contains("over kind"), "{}", app.screen());
    app.keys("H");
    assert!(app.screen().contains("esc goes back to it"), "{}", app.screen());
}

#[test]
fn runs_without_metrics_are_no_drawing() {
    let mut app = TestApp::open(80, 24);
    let runs = vec![run(1, "a", &[("x", "1")], &[]), run(2, "b", &[("x", "2")], &[])];
    app.report(Report::Tracking(TrackingReport::Live(Overview { runs, ..overview() })));
    app.keys("5zzz");
    assert!(app.screen().contains("no metric to compare"), "{}", app.screen());
}

#[test]
fn a_followed_metric_is_seen_on_every_tab_and_says_when_it_crosses_its_threshold() {
    let mut app = open(160, 40);
    app.keys("llll").keys("f");
    app.keys("0.3<enter>");
    assert!(app.screen().contains("`0.3` is no threshold"), "{}", app.screen());
    app.keys("<esc>f");
    app.keys("< 0.35").keys("<enter>").keys("1");
    assert!(app.screen().contains("★ mae 0.4100 bold-fox"), "{}", app.screen());
    let of = |app: &TestApp| app.state.shared.tracked().unwrap().runs[0].clone();
    let logs = |app: &mut TestApp, value: f64| {
        let mut run = of(app);
        run.metrics[0].1 = value;
        let point = Point { step: 1, timestamp: 1, value };
        let points = vec![(run.id.clone(), "mae".to_owned(), point)];
        app.report(Report::TrackedRuns { points, runs: vec![run] });
    };
    logs(&mut app, 0.38);
    assert!(!app.screen().contains("bold-fox: mae"), "{}", app.screen());
    logs(&mut app, 0.34);
    assert!(app.screen().contains("bold-fox: mae < 0.35"), "{}", app.screen());
    logs(&mut app, 0.36);
    assert!(app.screen().contains("★ mae 0.3400 bold-fox"), "the best so far: {}", app.screen());
    app.keys("<esc>5f").keys("1");
    assert!(!app.screen().contains("★ mae"), "{}", app.screen());
}

#[test]
fn a_view_is_saved_under_a_name_and_chosen_again() {
    let mut app = open(160, 40);
    app.keys("llll").keys("s&metrics.mae < 0.5").keys("<enter>i").keys("good ones<enter>");
    let saved = names(&app);
    app.keys("<esc>").keys("sss");
    assert_ne!(names(&app), saved);
    app.keys("V");
    insta::assert_snapshot!("experiments_views", app.screen());
    app.keys("good").keys("<enter>");
    assert_eq!(names(&app), saved);
    assert!(app.screen().contains("metrics.mae < 0.5"), "{}", app.screen());
    // The views are remembered.
    let look = remember::look(&app.state);
    let mut again =
        TestApp { state: State::new(None, Settings::default(), NOW), effects: Vec::new() };
    remember::put_back(&mut again.state, look);
    assert!(again.state.experiments.views.contains_key("good ones"));
    app.keys("V").keys("all runs<enter>");
    assert_eq!(names(&app).len(), 5);
    app.keys("i").keys("<enter>");
    assert!(app.screen().contains("A view needs a name"), "{}", app.screen());
}

#[test]
fn a_deleted_view_comes_back_by_undo() {
    let mut app = open(80, 24);
    let saved = |app: &TestApp| app.state.experiments.views.keys().cloned().collect::<Vec<_>>();
    app.keys("i").keys("one<enter>").keys("&metrics.mae < 0.5").keys("<enter>i");
    app.keys("two<enter>V<ctrl-x>");
    assert!(app.screen().contains("Only saved views can be deleted."), "{}", app.screen());
    app.keys("tw<ctrl-x>");
    insta::assert_snapshot!("experiments_deleted_view", app.screen());
    assert_eq!(saved(&app), ["one"]);
    app.keys("<esc>u");
    assert_eq!(app.state.experiments.views["two"].filter, "metrics.mae < 0.5");
    // What was saved over a view comes back, too.
    app.keys("i").keys("one<enter>");
    assert_eq!(app.state.experiments.views["one"].filter, "metrics.mae < 0.5");
    app.keys("u");
    assert_eq!(app.state.experiments.views["one"].filter, "");
    app.keys("uuu");
    assert!(saved(&app).is_empty(), "{:?}", saved(&app));
}

#[test]
fn views_of_the_project_are_listed_and_a_saved_one_of_the_same_name_wins() {
    let mut app = open(80, 24);
    let text = "[tool.mlops-tui.views.best]\nfilter = 'metrics.mae < 0.5'\n\
                columns = ['metrics.mae', 'params.seed', 'metrics.r2']\n\
                order-by = ['metrics.mae ASC']\n[tool.mlops-tui.views.plain]\n";
    Overrides::from_pyproject(text).unwrap().apply(&mut app.state.shared.settings);
    app.keys("V");
    insta::assert_snapshot!("experiments_project_views", app.screen());
    app.keys("best<ctrl-x>");
    assert!(app.screen().contains("This view is the project's"), "{}", app.screen());
    app.keys("<enter>");
    insta::assert_snapshot!("experiments_project_view", app.screen());
    assert_eq!(names(&app), ["calm-owl", "bold-fox"]);
    // The key for all columns brings the others back.
    app.keys("a");
    assert!(app.screen().contains("depth"), "{}", app.screen());
    app.keys("<esc>").keys("i").keys("best<enter>").keys("V");
    app.keys("best<enter>");
    assert_eq!(names(&app).len(), 5, "the saved view has no filter");
    app.keys("V").keys("best<ctrl-x>");
    assert!(app.screen().contains("project's view · metrics.mae < 0.5"), "{}", app.screen());
}

#[test]
fn the_key_that_deletes_views_leaves_other_lists_alone() {
    let mut app = open(80, 24);
    app.keys("i").keys("one<enter>").keys("p<ctrl-x>");
    assert_eq!(app.state.shared.dialogs.len(), 1);
    assert!(app.state.experiments.views.contains_key("one"));
}

#[test]
fn the_runs_of_one_experiment_are_shown_alone() {
    let mut app = TestApp::open(160, 40);
    let mut all = overview();
    all.runs[1].experiment_id = "2".into();
    all.experiments.insert("2".into(), "ridge".into());
    app.report(Report::Tracking(TrackingReport::Live(all)));
    app.keys("5V").keys("ridge<enter>");
    assert_eq!(names(&app), ["calm-owl"]);
    assert!(app.screen().contains("ridge · 1 of 5"), "{}", app.screen());
    app.keys("<esc>");
    assert_eq!(names(&app).len(), 5);
}

#[test]
fn a_regular_expression_chooses_the_charts() {
    let mut app = open(160, 40);
    app.keys("<enter>");
    answer(&mut app);
    app.keys("&^(mae|r2)$").keys("<enter>");
    let charts = |app: &TestApp| app.state.experiments.page.as_ref().unwrap().charts.clone();
    assert_eq!(charts(&app), ["mae", "r2"]);
    assert!(app.screen().contains("2 of metrics like ^(mae|r2)$"), "{}", app.screen());
    app.keys("&[").keys("<enter>");
    assert!(app.screen().contains("unclosed character class"), "{}", app.screen());
    app.keys("<esc>");
    assert_eq!(charts(&app), ["mae", "r2"], "the filter before stays");
    app.keys("&nothing").keys("<enter>");
    assert!(app.screen().contains("No metric matches."), "{}", app.screen());
    app.keys("<esc>");
    assert_eq!(charts(&app).len(), 3);
    app.keys("<esc>");
    assert!(app.state.experiments.page.is_none());
    assert_eq!(names(&app).len(), 5, "the table has a filter of its own");
}
