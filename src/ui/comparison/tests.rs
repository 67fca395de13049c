use std::convert::Infallible;

use super::*;
use crate::app::screens::experiments::columns::Choices;
use crate::text::markup::assert_well_formed;
use crate::tracking::Overview;

/// 2026-11-02, in seconds since the Unix epoch.
const NOW: f64 = 1_793_600_000.0;

fn run(name: &str, params: &[(&str, &str)], metrics: &[(&str, f64)]) -> Run {
    Run {
        id: format!("{name:.8}-id"),
        name: name.into(),
        status: "FINISHED".into(),
        start_time: Some(1_793_500_000_000),
        end_time: Some(1_793_500_090_000),
        params: params.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect(),
        metrics: metrics.iter().map(|(key, value)| ((*key).into(), *value)).collect(),
        ..Run::default()
    }
}

fn compared(runs: &[Run]) -> Comparison {
    let overview = Overview { source: "mlflow.db".into(), ..Overview::default() };
    Comparison::of(&overview, runs, &Choices::default(), NOW)
}

fn points(count: i64, value: impl Fn(i64) -> f64) -> Vec<Point> {
    (0..count).map(|step| Point { step, timestamp: step, value: value(step) }).collect()
}

fn page(comparison: &Comparison, mut read: impl FnMut(&str) -> Vec<Vec<Point>>) -> String {
    let html = html(comparison, |key| Ok::<_, Infallible>(read(key)));
    let Ok(html) = html;
    assert_well_formed(&html.replace("<!doctype html>\n", ""));
    for outside in ["<script", "http:", "https:", "url(", "@import", " src=", " href="] {
        assert!(!html.contains(outside), "{outside}");
    }
    html
}

/// The page without its style.
fn body(html: &str) -> String {
    let (before, rest) = html.split_once("<style>").unwrap();
    before.to_owned() + rest.split_once("</style>").unwrap().1
}

#[test]
fn two_runs() {
    let mut runs = [
        run("bold-fox", &[("lr", "0.1"), ("seed", "7")], &[("mae", 0.412_345_6), ("rows", 9.0)]),
        run("calm-owl", &[("lr", "0.01"), ("seed", "7")], &[("mae", 0.31), ("rows", 9.0)]),
    ];
    runs[1].status = "FAILED".into();
    runs[1].tags = vec![
        ("mlflow.note.content".into(), "first line\nsecond <line>".into()),
        ("mlflow.source.git.commit".into(), "0123abc".into()),
    ];
    let html = page(&compared(&runs), |key| match key {
        "mae" => vec![points(3, |step| 1.0 / (step + 1) as f64), points(1, |_| 0.31)],
        _ => vec![points(1, |_| 9.0), points(1, |_| 9.0)],
    });
    insta::assert_snapshot!(body(&html));
    assert!(html.contains("prefers-color-scheme: dark"));
}

#[test]
fn hostile_texts_stay_text_and_long_ones_are_cut_with_a_mark() {
    let long = "y".repeat(1_000_000);
    let script = "</td><script>alert(1)</script>";
    let mut runs = [
        run(script, &[("a\" onload=\"b", long.as_str()), (script, "1")], &[("m<b>&'", f64::NAN)]),
        run("\u{202e}owl\x1b[31m\u{0}", &[(script, script)], &[("m<b>&'", f64::INFINITY)]),
    ];
    runs[0].tags = vec![("mlflow.note.content".into(), format!("{script}\u{202e}{long}"))];
    runs[1].status = script.into();
    runs[1].experiment_id = script.into();
    let html = page(&compared(&runs), |_| vec![points(2, |_| 1.0), Vec::new()]);
    assert!(html.len() < 100_000, "{} bytes", html.len());
    assert!(html.contains("yyy…</td>"));
    assert!(html.contains("&lt;script&gt;alert(1)&lt;/script&gt;"));
}

#[test]
fn a_hundred_runs_with_a_hundred_metrics_are_at_most_a_megabyte() {
    let keys: Vec<String> = (0..100).map(|key| format!("metric_{key:02}_loss")).collect();
    let runs: Vec<Run> = (0..101)
        .map(|number| {
            let value = |key: usize| 1.0 / (number * 100 + key + 3) as f64;
            let metrics: Vec<(&str, f64)> =
                keys.iter().enumerate().map(|(at, key)| (key.as_str(), value(at))).collect();
            let (lr, depth) = (number.to_string(), (number % 7).to_string());
            run(&format!("run-{number}"), &[("depth", &depth), ("lr", &lr)], &metrics)
        })
        .collect();
    let mut read = 0;
    let html = page(&compared(&runs), |_| {
        read += 1;
        let noisy = |run: i64| points(1_000, move |step| ((step * 7 + run * 13) % 101) as f64);
        (0..100).map(noisy).collect()
    });
    assert!(html.len() <= 1_000_000, "{} bytes", html.len());
    let charts = html.matches("<figure>").count();
    assert!(charts >= 3, "{charts} charts");
    assert_eq!(read, charts + 1, "metrics without room are not read");
    assert!(html.contains("are not drawn, because the page would be larger than 1 MB"));
    assert!(html.contains(&format!("and {} more.", 100 - charts - LISTED)));
    assert!(html.contains("The first 100 of 101 runs."));
    assert!(!html.contains("have no room here"), "all metrics and params are in the table");
}

#[test]
fn the_best_value_of_a_metric_has_a_sign_and_all_its_digits() {
    let runs = [run("a", &[], &[("mae", 0.123_456_789)]), run("b", &[], &[("mae", 2.0)])];
    let html = page(&compared(&runs), |_| vec![Vec::new(), Vec::new()]);
    assert!(
        html.contains("<td class=\"best\" title=\"0.123456789\">★ 0.1235</td>"),
        "{}",
        body(&html)
    );
    assert!(html.contains("mae<small>↓ lowest is best</small>"));
    assert!(!html.contains("Curves"), "no metric has more than one value");
}

#[test]
fn an_error_of_the_store_is_that_of_the_page() {
    let runs = [run("a", &[], &[("mae", 1.0)])];
    assert_eq!(html(&compared(&runs), |_| Err("it is gone")), Err("it is gone"));
}
