//! What the Experiments screen writes to files and copies.

use mlops_tui::app::effect::Effect;
use mlops_tui::ui::curves;

use crate::common::app::TestApp;
use crate::experiments::{answer, open};

/// The file that was asked for last.
fn file(app: &TestApp) -> Option<&str> {
    app.effects.iter().rev().find_map(|effect| match effect {
        Effect::Export(file) => Some(file.as_str()),
        _ => None,
    })
}

fn svg(app: &TestApp) -> String {
    let (page, room) = app.state.experiments.written_page(&app.state.shared).unwrap().unwrap();
    curves::to_svg(&app.state, page, room)
}

#[test]
fn the_selected_chart_names_the_file() {
    let mut app = open(160, 40);
    app.keys("<enter>");
    answer(&mut app);
    app.keys("l<ctrl-s>");
    assert!(app.screen().contains("write to: r2.svg"), "{}", app.screen());
    app.keys("<enter>");
    assert_eq!(file(&app), Some("r2.svg"));
}

#[test]
fn a_grid_is_written_with_all_visible_charts_and_a_large_chart_alone() {
    let mut app = open(160, 40);
    app.keys("<space><space><enter>");
    answer(&mut app);
    let titles = |svg: &str| svg.matches("class=\"title\"").count();
    let grid = svg(&app);
    assert_eq!(titles(&grid), 3);
    assert!(grid.contains("bold-fox") && grid.contains("calm-owl"));
    app.keys("l<enter>L");
    let large = svg(&app);
    assert_eq!(titles(&large), 1);
    assert!(large.contains(">r2</text>") && large.contains("step · logarithmic"));
}

#[test]
fn curves_as_text_are_those_of_the_screen() {
    for (ascii, sign) in [(false, '⢧'), (true, '+')] {
        let mut app = open(120, 30);
        app.keys("<enter>");
        answer(&mut app);
        app.keys("<enter>");
        app.state.shared.settings.ascii = ascii;
        let (_, room) = app.state.experiments.written_page(&app.state.shared).unwrap().unwrap();
        let text = curves::to_text(&app.state, room);
        assert_eq!(text.is_ascii(), ascii, "{text}");
        assert!(text.starts_with("mae") && text.contains(sign), "{text}");
        assert_eq!(text.lines().count(), usize::from(room.height));
        assert!(text.lines().all(|line| app.screen().contains(line)), "{text}");
    }
}

#[test]
fn values_of_the_visible_charts_are_written_with_their_runs() {
    let mut app = open(160, 40);
    app.keys("<space><space><enter>");
    answer(&mut app);
    app.keys("<enter>");
    let (screen, shared) = (&app.state.experiments, &app.state.shared);
    let (page, room) = screen.written_page(shared).unwrap().unwrap();
    let csv = screen.page_csv(shared, page, room);
    assert_eq!(csv.lines().count(), 1 + 2 * 100);
    let second = format!("{:032x},bold-fox,mae,1,1000,{:?}", 1, 1.0 + (-1.0_f64 / 30.0).exp());
    assert_eq!(csv.lines().nth(2), Some(second.as_str()));
    assert!(csv.contains(",calm-owl,mae,99,99000,"));
}

#[test]
fn curves_that_are_not_read_yet_are_not_written() {
    let mut app = open(160, 40);
    let why = |app: &TestApp| {
        app.state.experiments.written_page(&app.state.shared).map(|page| page.unwrap_err())
    };
    assert_eq!(why(&app), None, "the table is shown");
    app.keys("<enter>");
    assert!(why(&app).unwrap().contains("still being read"));
}

/// The names of the runs of the last comparison.
fn compared(app: &TestApp) -> Vec<&str> {
    let last = app.effects.iter().rev().find_map(|effect| match effect {
        Effect::WriteComparison(file, comparison) => {
            assert_eq!(file, "runs.html");
            Some(&comparison.overview.runs)
        }
        _ => None,
    });
    last.into_iter().flatten().map(|run| run.name.as_str()).collect()
}

#[test]
fn html_compares_the_marked_runs_or_those_of_the_table_or_those_of_the_page() {
    let mut app = open(160, 40);
    let write = "<ctrl-s>runs.html<enter>";
    app.keys(write);
    assert_eq!(compared(&app), ["bold-fox", "calm-owl", "sweep", "dry-elk", "eager-ant"]);
    assert!(app.screen().contains("Writing runs.html"), "{}", app.screen());
    app.keys("j<space><esc>").keys("j<space>");
    app.keys(write);
    assert_eq!(compared(&app), ["dry-elk"]);
    app.keys("<space><enter>");
    answer(&mut app);
    app.keys(write);
    assert_eq!(compared(&app), ["dry-elk", "eager-ant"]);
}

/// What was copied last.
fn copied(app: &TestApp) -> Option<&str> {
    app.effects.iter().rev().find_map(|effect| match effect {
        Effect::Copy(text) => Some(text.as_str()),
        _ => None,
    })
}

#[test]
fn ids_and_values_are_copied_with_all_digits() {
    let mut app = open(160, 40);
    app.keys("y");
    assert_eq!(copied(&app), Some(format!("{:032x}", 1).as_str()));
    app.keys("Y");
    assert_eq!(copied(&app), Some("bold-fox"));
    app.keys("llllY");
    assert_eq!(copied(&app), Some("0.41"), "{}", app.screen());
    app.keys("jjY");
    assert!(app.screen().contains("the cell is empty"), "{}", app.screen());
}

#[test]
fn the_values_at_the_crosshair_are_copied() {
    let mut app = open(160, 40);
    app.keys("<enter>");
    answer(&mut app);
    app.keys("Y");
    assert!(app.screen().contains("there is no crosshair"), "{}", app.screen());
    app.keys("..").keys("Y");
    let first = format!("{:?}", 1.0 + (-1.0_f64 / 30.0).exp());
    assert_eq!(copied(&app), Some(first.as_str()));
    let mut app = open(160, 40);
    app.keys("<space><space><enter>");
    answer(&mut app);
    app.keys("..").keys("Y");
    let second = 1.0 + (-2.0_f64 / 30.0).exp();
    assert_eq!(copied(&app), Some(format!("bold-fox\t{first}\ncalm-owl\t{second:?}").as_str()));
}

#[test]
fn the_filter_is_copied_when_there_is_one() {
    let mut app = open(160, 40);
    let copy = ":copy-filter<enter>";
    app.keys(copy);
    assert_eq!(copied(&app), None);
    app.keys("<esc><esc>").keys("&metrics.r2 > 0.7<enter>").keys(copy);
    assert_eq!(copied(&app), Some("metrics.r2 > 0.7"));
}
