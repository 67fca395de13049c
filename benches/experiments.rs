//! The table of tracked runs with 10,000 runs and 40 columns at 200x60: a frame while the cursor moves, a change of one
//! run, sorting, and filtering; the curves of ten runs with 1,000 to 100,000 values each; and 100 runs with 100 metrics
//! of 1,000 values each: their page of charts and their comparison.
//!
//!     cargo bench --bench experiments

#[path = "../tests/common/mod.rs"]
mod common;

use std::time::{Duration, Instant};

use common::app::{NOW, TestApp};
use mlops_tui::app::event::Report;
use mlops_tui::app::shared::TrackingReport;
use mlops_tui::tracking::Overview;
use mlops_tui::tracking::entities::{Point, Run};
use mlops_tui::ui;
use mlops_tui::ui::color::Depth;
use mlops_tui::ui::theme::Theme;
use ratatui::backend::TestBackend;

const RUNS: usize = 10_000;
const FRAMES: usize = 600;
const CHANGES: usize = 30;

/// Half of the columns are params and half are metrics; a tenth of the runs is nested.
fn run(number: usize) -> Run {
    let pseudo = |salt: usize| ((number * 7_919 + salt * 104_729) % 9_973) as f64 / 9_973.0;
    let start = (NOW * 1000.0) as i64 - number as i64 * 1_000;
    let parent = number.is_multiple_of(10).then(|| format!("{:032x}", number / 100 * 100 + 1));
    Run {
        id: format!("{number:032x}"),
        name: format!("run-{number}"),
        experiment_id: (number % 7).to_string(),
        status: "FINISHED".into(),
        start_time: Some(start),
        end_time: Some(start + 60_000),
        params: (0..20).map(|key| (format!("param_{key:02}"), pseudo(key).to_string())).collect(),
        metrics: (0..20).map(|key| (format!("loss_{key:02}"), pseudo(key + 20))).collect(),
        tags: parent.map(|id| ("mlflow.parentRunId".into(), id)).into_iter().collect(),
        ..Run::default()
    }
}

fn main() {
    let mut app = TestApp::open(200, 60);
    app.keys("5");
    let overview = Overview { runs: (0..RUNS).map(run).collect(), ..Overview::default() };
    println!("| {RUNS} runs x 40 columns at 200x60 | median | 99th percentile | longest |");
    println!("|---|---:|---:|---:|");
    let mut first = Vec::new();
    for _ in 0..CHANGES {
        let overview = overview.clone();
        first.push(timed(|| app.report(Report::Tracking(TrackingReport::Live(overview)))));
    }
    row("the store is read", &mut first);
    let mut times = frames(&mut app, &["j", "j", "l", "j", "h"]);
    row("a frame", &mut times);
    let mut times: Vec<Duration> = (0..CHANGES)
        .map(|number| {
            let mut changed = run(number);
            changed.metrics[0].1 += 1.0;
            let report = Report::TrackedRuns { runs: vec![changed], points: Vec::new() };
            timed(|| app.report(report))
        })
        .collect();
    row("one run changes", &mut times);
    let mut times: Vec<Duration> = (0..CHANGES).map(|_| timed(|| _ = app.keys("s"))).collect();
    row("sorting", &mut times);
    app.keys("&");
    let mut times: Vec<Duration> =
        "metrics.loss_00 < 0.25".chars().map(|c| timed(|| _ = app.keys(&c.to_string()))).collect();
    row("a key while the filter is typed", &mut times);
    app.keys("<enter>");
    for points in [1_000, 100_000] {
        curves(&mut app, points);
    }
    many();
}

/// A hundred runs with a hundred metrics each.
fn many() {
    const COUNT: usize = 100;
    let runs = (0..COUNT).map(|number| Run {
        metrics: (0..COUNT).map(|key| (format!("loss_{key:02}"), (number * key) as f64)).collect(),
        params: (0..20)
            .map(|key| (format!("param_{key:02}"), (number * key).to_string()))
            .collect(),
        tags: Vec::new(),
        ..run(number)
    });
    let overview = Overview { runs: runs.collect(), ..Overview::default() };
    let mut app = TestApp::open(200, 60);
    app.keys("5");
    app.report(Report::Tracking(TrackingReport::Live(overview)));
    app.keys(&"<space>".repeat(COUNT));
    let mut terminal =
        ratatui::Terminal::new(TestBackend::new(200, 60)).expect("a terminal in memory");
    let theme = Theme::built_in("dark", Depth::True);
    let mut draw = |app: &TestApp| {
        terminal.draw(|frame| ui::draw(frame, &app.state, &theme)).expect("drawn");
    };
    let mut times: Vec<Duration> = (0..CHANGES)
        .map(|_| {
            let time = timed(|| {
                app.keys("z");
                draw(&app);
            });
            assert!(app.state.experiments.plot.is_shown());
            app.keys("<esc>");
            time
        })
        .collect();
    row("100 runs with 100 metrics, compared", &mut times);
    app.keys("<enter>");
    let page = app.state.experiments.page.as_ref().expect("a page");
    let (runs, keys) = (page.runs.clone(), page.charts.clone());
    assert_eq!((runs.len(), keys.len()), (COUNT, COUNT));
    let mut times = Vec::new();
    for _ in 0..CHANGES {
        app.state.experiments.curves = Default::default();
        let read: Vec<_> = keys[..24]
            .iter()
            .flat_map(|key| runs.iter().enumerate().map(move |(run, id)| (run, id, key)))
            .map(|(run, id, key)| ((id.clone(), key.clone()), Ok(points(run, 1_000))))
            .collect();
        times.push(timed(|| {
            app.report(Report::Curves(read));
            draw(&app);
        }));
    }
    row("their page of charts with 1,000 values each, once they are read", &mut times);
    let mut times = frames(&mut app, &["l", "h"]);
    row("a frame of that page", &mut times);
}

/// The values of a metric of a run.
fn points(run: usize, count: usize) -> Vec<Point> {
    let value = |step: usize| ((step * (run + 3)) as f64 / 900.0).sin() / (1 + run) as f64;
    let at = |step: usize| Point { step: step as i64, timestamp: step as i64, value: value(step) };
    (0..count).map(at).collect()
}

/// The page of ten runs, with one chart over the whole pane.
fn curves(app: &mut TestApp, count: usize) {
    app.keys("g<space><space><space><space><space><space><space><space><space><space><enter>");
    let page = app.state.experiments.page.as_ref().expect("a page");
    let (runs, key) = (page.runs.clone(), page.charts[0].clone());
    let read = runs
        .iter()
        .enumerate()
        .map(|(run, id)| ((id.clone(), key.clone()), Ok(points(run, count))));
    app.report(Report::Curves(read.collect()));
    app.keys("<enter>");
    let mut times = frames(app, &["l"]);
    row(&format!("a frame of 10 curves with {count} values"), &mut times);
    app.keys("<esc><esc><esc><esc>");
    app.state.experiments.curves = Default::default();
}

fn frames(app: &mut TestApp, keys: &[&str]) -> Vec<Duration> {
    let mut terminal =
        ratatui::Terminal::new(TestBackend::new(200, 60)).expect("a terminal in memory");
    let theme = Theme::built_in("dark", Depth::True);
    let frame = |number: usize| {
        let began = Instant::now();
        app.keys(keys[number % keys.len()]);
        terminal.draw(|frame| ui::draw(frame, &app.state, &theme)).expect("drawn");
        began.elapsed()
    };
    (0..FRAMES).map(frame).collect()
}

fn timed(act: impl FnOnce()) -> Duration {
    let began = Instant::now();
    act();
    began.elapsed()
}

fn row(what: &str, times: &mut [Duration]) {
    times.sort_unstable();
    let at = |part: f64| times[((times.len() - 1) as f64 * part) as usize].as_secs_f64() * 1e3;
    println!("| {what} | {:.2} ms | {:.2} ms | {:.2} ms |", at(0.5), at(0.99), at(1.0));
}
