//! One filter language with one set of keys on all screens.

use mlops_tui::app::State;
use mlops_tui::app::event::Report;
use mlops_tui::app::settings::Settings;
use mlops_tui::app::update::remember::{look, put_back};
use mlops_tui::datasets::DatasetStatus;

use crate::common::app::{NOW, TestApp};

fn notice(app: &TestApp) -> &str {
    app.state.shared.notice.as_ref().map_or("", |notice| notice.text.as_str())
}

/// The names of the listed datasets, without groups.
fn datasets(app: &TestApp) -> Vec<String> {
    let snapshot = app.state.shared.project.snapshot.as_deref().unwrap();
    let rows = app.state.catalog.list.rows.iter().map(|row| row.name(snapshot).to_owned());
    rows.filter(|name| snapshot.datasets.contains_key(name)).collect()
}

fn paths(app: &TestApp) -> Vec<&str> {
    let rows = app.state.parameters.list.rows.iter().filter(|row| row.group.is_none());
    rows.map(|row| row.path.as_str()).collect()
}

#[test]
fn the_catalog_is_filtered_and_the_title_counts() {
    let mut app = TestApp::open(120, 36);
    app.keys("2");
    let all = datasets(&app).len();
    app.keys("&type:csv");
    let csv = datasets(&app);
    assert!(!csv.is_empty() && csv.len() < all, "{csv:?}");
    app.keys("<enter>");
    let title = format!("Catalog · {} of ", csv.len());
    assert!(app.screen().contains(&title), "{}", app.screen());
    let missing = csv[0].clone();
    app.keys("&is:missing<enter>");
    assert_eq!(datasets(&app), Vec::<String>::new());
    assert!(app.screen().contains("No dataset matches the filter."), "{}", app.screen());
    app.report(Report::Datasets([(missing.clone(), DatasetStatus::Missing)].into_iter().collect()));
    assert_eq!(datasets(&app), [missing], "a filter of files follows them");
    app.keys("<esc>");
    assert_eq!(datasets(&app).len(), all);
    app.keys("u");
    assert_eq!(notice(&app), "Undone: filter of the catalog.");
    assert_eq!(app.state.catalog.filtering.text, "is:missing");
}

#[test]
fn parameters_are_filtered_with_the_groups_around_them() {
    let mut app = TestApp::open(120, 36);
    app.keys("3");
    let all = paths(&app).len();
    app.keys("&min_minutes<enter>");
    assert_eq!(paths(&app).len(), 1);
    let path = paths(&app)[0].to_owned();
    app.keys("G=7<enter>&is:overridden<enter>");
    assert_eq!(paths(&app), [path.as_str()]);
    app.keys("&-is:overridden<enter>");
    assert_eq!(paths(&app).len(), all - 1);
    app.keys("&in:nowhere<enter>");
    assert!(app.screen().contains("No parameter matches the filter."), "{}", app.screen());
    app.keys("<esc>");
    assert_eq!(paths(&app).len(), all);
}

#[test]
fn keys_and_values_are_completed_by_tab() {
    let mut app = TestApp::open(120, 36);
    app.keys("2&t<tab>");
    let line = |app: &TestApp| {
        let prompt = app.state.shared.prompt.as_ref().unwrap();
        prompt.field.lines()[0].clone()
    };
    assert_eq!(line(&app), "type:");
    app.keys("pandas.C<tab>");
    assert_eq!(line(&app), "type:pandas.CSVDataset");
    app.keys(" is:<tab>");
    assert_eq!(line(&app), "type:pandas.CSVDataset is:missing");
    app.keys("<tab>");
    assert_eq!(line(&app), "type:pandas.CSVDataset is:present");
    app.keys("<esc>");
    assert_eq!(app.state.catalog.filtering.text, "", "leaving restores the filter before");
}

#[test]
fn an_error_leaves_the_last_valid_filter() {
    let mut app = TestApp::open(120, 36);
    app.keys("2&type:csv ");
    let csv = datasets(&app);
    app.keys("tpye:x");
    assert_eq!(datasets(&app), csv);
    assert!(app.screen().contains("There is no key `tpye`. Did you mean `type`?"));
    app.keys("<enter>");
    assert!(app.state.shared.prompt.is_some(), "the line stays open");
}

#[test]
fn screens_without_the_language_say_so() {
    let mut app = TestApp::open(120, 36);
    app.keys("5&");
    assert_eq!(notice(&app), "filter: there is no tracked run");
    app.keys("6&");
    assert_eq!(notice(&app), "filter: this screen has no filter");
}

#[test]
fn filters_of_lists_are_remembered() {
    let mut app = TestApp::open(120, 36);
    app.keys("2&type:csv<enter>3&type:number<enter>");
    let mut state = State::new(None, Settings::default(), NOW);
    put_back(&mut state, look(&app.state));
    assert_eq!(state.catalog.filtering.text, "type:csv");
    assert_eq!(state.parameters.filtering.text, "type:number");
}

#[test]
fn a_filter_as_it_is_seen() {
    for (columns, rows) in [(80, 24), (200, 60)] {
        let mut app = TestApp::open(columns, rows);
        let mut see = |name: &str, keys: &str| {
            let text = app.keys(keys).screen();
            insta::assert_snapshot!(format!("filter_{name}_{columns}x{rows}"), text);
        };
        see("keys", "&");
        see("values", "is:fre<backspace><backspace><tab>");
        see("error", " chnged:code<enter>");
        see("empty", "<esc>2&is:versioned type:none<enter>");
    }
}
