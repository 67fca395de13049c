use super::*;
use crate::text::markup::assert_well_formed;
use crate::tracking::Goal;
use crate::tracking::curve::Scale;
use crate::tracking::entities::Point;

fn points(values: impl IntoIterator<Item = f64>) -> Vec<Point> {
    let point = |(step, value): (i64, f64)| Point { step, timestamp: step * 1_000, value };
    (0..).zip(values).map(point).collect()
}

fn drawn(lists: &[(&str, Vec<Point>)], view: &ChartView, form: Form) -> String {
    let series: Vec<Series<'_>> = lists
        .iter()
        .map(|(name, points)| Series { name, points, best: Some(Goal::Lowest) })
        .collect();
    let svg = document(&[Figure::of("val_loss", &series, view, form)], 1, lists.len());
    assert_well_formed(&svg);
    svg
}

const SMALL: Form = Form { width: 100, height: 50, columns: 100, legend: true };

#[test]
fn a_small_chart() {
    let lists = [
        ("bold-fox", points([4.0, 2.0, f64::NAN, 1.0, 0.5])),
        ("calm-owl", points([3.0, f64::INFINITY, 2.5, 2.0, f64::NEG_INFINITY])),
        ("empty", vec![]),
    ];
    insta::assert_snapshot!(drawn(&lists, &ChartView::default(), SMALL));
}

/// The paths of a class.
fn paths<'s>(svg: &'s str, class: &str) -> Vec<&'s str> {
    let start = format!("<path class=\"{class}");
    svg.lines().filter(|line| line.starts_with(&start) && !line.contains("transform")).collect()
}

#[test]
fn a_million_values_give_a_small_file_with_every_spike() {
    let mut values = vec![0.5; 1_000_000];
    values[123_456] = 7.0;
    values[777_777] = -3.0;
    let lists = [("a", points(values))];
    let svg = drawn(&lists, &ChartView::default(), Form::LARGE);
    assert!(svg.len() < 30_000, "{} bytes", svg.len());
    let line = paths(&svg, "line")[0];
    // The plot has 4,000 tenths from 7 down to -3; 0.5 is at 2,599, counted from the top.
    for step in ["-2599 ", " 2599 ", " 1400 ", "-1400 "] {
        assert!(line.contains(step), "there is no step of{step}");
    }
}

#[test]
fn a_line_is_broken_where_a_value_is_no_number() {
    let lists = [("a", points([1.0, 2.0, f64::NAN, 3.0, f64::INFINITY, 1.0]))];
    let svg = drawn(&lists, &ChartView::default(), SMALL);
    assert_eq!(paths(&svg, "line")[0].matches('M').count(), 3);
    assert!(svg.contains(">?</text>") && svg.contains(">↑</text>"));
    assert!(!svg.contains(">↓</text>"));
    let log = ChartView { scale: Scale::Logarithmic, ..ChartView::default() };
    let svg = drawn(&[("a", points([100.0, 0.0, 1.0]))], &log, SMALL);
    assert!(svg.contains(">↓</text>"), "zero has no logarithm");
    assert!(svg.contains(">100</text>") && svg.contains(">1</text>"), "decades");
    assert!(svg.contains("step · logarithmic"));
}

#[test]
fn smoothing_the_window_and_the_crosshair_are_as_on_the_screen() {
    let lists = [("a", points((0..100).map(|step| f64::from(step % 2))))];
    let view = ChartView {
        smoothing: 0.9,
        window: Some((40.0, 60.0)),
        crosshair: Some(50.0),
        ..ChartView::default()
    };
    let svg = drawn(&lists, &view, SMALL);
    assert_eq!(paths(&svg, "raw").len(), 1, "the raw values are behind");
    assert_eq!(paths(&svg, "cross").len(), 1);
    assert!(svg.contains("smoothed 0.9 · zoomed") && svg.contains(">step 50</text>"));
    assert!(!svg.contains(">100</text>"), "{svg}");
    assert!(svg.contains(">a  0</text>"), "the value at the crosshair");
}

#[test]
fn every_run_has_a_stroke_pattern_of_its_own() {
    let rules = dashes(100);
    assert!(rules.contains(".d5 { stroke-dasharray: 60 30 10 30 }"), "{rules}");
    let mut patterns: Vec<&str> =
        rules.lines().filter_map(|rule| rule.split_once(' ')).map(|rule| rule.1).collect();
    patterns.sort_unstable();
    patterns.dedup();
    assert_eq!(patterns.len(), 99, "and the first line is solid");
    assert_eq!((line(0).as_str(), line(13).as_str()), ("line c0", "line c1 d13"));
}

#[test]
fn hostile_names_stay_text() {
    let long = "x".repeat(1_000_000);
    let lists = [
        ("</text><script>alert(1)</script>", points([1.0, 2.0])),
        ("\" onload=\"alert(1)", points([1.0, 2.0])),
        ("a\u{202e}b\x1b]0;x\x07\u{0}", points([1.0, 2.0])),
        (long.as_str(), points([1.0, 2.0])),
    ];
    let svg = drawn(&lists, &ChartView::default(), SMALL);
    assert!(svg.len() < 10_000, "{} bytes", svg.len());
    assert!(!svg.contains("<script") && !svg.contains("onload=\"") && !svg.contains("http://e"));
}

#[test]
fn a_value_alone_is_a_short_line_and_nothing_is_a_note() {
    let svg = drawn(&[("a", points([1.0]))], &ChartView::default(), SMALL);
    assert!(paths(&svg, "line")[0].ends_with("h24\"/>"), "{svg}");
    assert!(drawn(&[("a", vec![])], &ChartView::default(), SMALL).contains("no values yet"));
}

#[test]
fn charts_stand_beside_and_below_each_other() {
    let list = points([1.0, 2.0]);
    let series = [Series { name: "a", points: &list, best: None }];
    let figure = || Figure::of("m", &series, &ChartView::default(), SMALL);
    let (wide, high) = figure().size;
    let svg = document(&[figure(), figure(), figure()], 2, 1);
    let places: Vec<&str> =
        svg.lines().filter(|line| line.starts_with("<g transform=\"translate(")).collect();
    let expected = [(0, 0), (wide, 0), (0, high)];
    for (x, y) in expected {
        assert!(
            places.contains(&format!("<g transform=\"translate({x} {y})\">").as_str()),
            "{places:?}"
        );
    }
    assert!(svg.contains(&format!("viewBox=\"0 0 {} {}\"", 2 * wide, 2 * high)));
}
