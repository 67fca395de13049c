//! Names that are longer than their columns, in letters and in wide characters, at three sizes.

use std::fs;

use mlops_tui::app::event::Report;
use mlops_tui::app::shared::TrackingReport;
use mlops_tui::project::{Options, Reader};
use mlops_tui::tracking::entities::Run;
use mlops_tui::tracking::{Overview, RegisteredModel};

use crate::common::app::{NOW, TestApp};
use crate::common::project::project;

const NODES: &str = "\
def make(node):
    return [
        node(len, 'companies_of_all_the_regions_and_years_before_the_first_cleaning_step', \
'companies_of_all_the_regions_and_years_after_the_first_cleaning_step', \
name='preprocess_companies_of_all_the_regions_and_years_into_a_table'),
        node(len, 'companies_of_all_the_regions_and_years_after_the_first_cleaning_step', \
'北海道と本州と四国と九州のすべての会社の表と北海道と本州と四国と九州のすべての会社の表', \
name='北海道と本州と四国と九州のすべての会社を数えると北海道と本州と四国と九州のすべての会社を数える'),
    ]
";

const CATALOG: &str = "\
companies_of_all_the_regions_and_years_before_the_first_cleaning_step:
  type: a_package_of_ours.with_datasets.CompaniesOfAllRegionsDataset
  filepath: data/01_raw/companies/of/all/the/regions/and/years/before/the/first/cleaning/step.csv
北海道と本州と四国と九州のすべての会社の表と北海道と本州と四国と九州のすべての会社の表:
  type: pandas.CSVDataset
  filepath: data/08_reporting/x.csv
'{a_place}.companies_of_all_the_regions_and_years_of_a_pattern_for_datasets':
  type: pandas.CSVDataset
  filepath: data/{a_place}.csv
";

const PARAMETERS: &str = "\
size: 3
a_parameter_whose_name_is_much_longer_than_its_column_wide: a value that is longer than its column is, too
a_model_with_a_name_that_is_much_longer_than_its_column_is_wide:
  a_depth_with_a_name_that_is_much_longer_than_its_column_is_wide: 12
  北海道と本州と四国と九州のすべての会社の表と北海道と本州と四国と九州のすべての会社の表: 北海道
";

fn open(columns: u16, rows: u16) -> TestApp {
    let folder = project(NODES);
    for (name, text) in [("catalog", CATALOG), ("parameters", PARAMETERS)] {
        fs::write(folder.path().join(format!("conf/base/{name}.yml")), text).unwrap();
    }
    let mut snapshot = Reader::new(folder.path()).read(&Options::default());
    snapshot.metadata.root = "/project".into();
    snapshot.metadata.project_name = "The companies of all the regions and years".into();
    let mut app = TestApp::showing(snapshot, columns, rows);
    let run = |name: &str, value| Run {
        id: "abc".into(),
        name: name.into(),
        experiment_id: name.len().to_string(),
        status: "FINISHED".into(),
        start_time: Some((NOW * 1000.0) as i64 - 100_000),
        end_time: Some((NOW * 1000.0) as i64),
        metrics: vec![
            ("a_metric_with_a_name_that_is_much_longer_than_its_column".into(), value),
            ("mae".into(), value / 3.0),
        ],
        params: vec![("北海道と本州と四国と九州".into(), "wide".into())],
        ..Run::default()
    };
    let runs = vec![
        run("a_run_whose_name_is_much_longer_than_any_column_of_it", 0.5),
        run("北海道と本州と四国と九州のすべての会社の表と北海道と本州と四国と九州", 12.25),
    ];
    let model = RegisteredModel {
        name: "a_model_whose_name_is_much_longer_than_any_column_of_it".into(),
        latest_version: Some(12),
        updated_at: NOW - 100.0,
        aliases: vec![("champion".into(), 11), ("challenger".into(), 12)],
    };
    let name = "an_experiment_with_a_name_that_is_longer_than_its_column".to_owned();
    let experiments = runs.iter().map(|run| (run.experiment_id.clone(), name.clone())).collect();
    let models = vec![model];
    let overview = Overview { source: "mlflow.db".into(), runs, experiments, models };
    app.report(Report::Tracking(TrackingReport::Live(overview)));
    app
}

#[test]
fn long_names_lose_their_middle_and_columns_never_touch() {
    for (columns, rows) in [(60, 15), (80, 24), (200, 60)] {
        let mut app = open(columns, rows);
        let mut seen = String::new();
        for (keys, title) in [
            ("w", "the graph"),
            ("2j", "catalog"),
            ("3j", "parameters"),
            ("5", "experiments"),
            ("6", "models"),
            ("1p", "a choice"),
        ] {
            // The rows between the tabs and the keys.
            let screen = app.keys(keys).screen();
            let rows = screen.lines().skip(1).filter(|line| !line.is_empty());
            seen += &format!("-- {title}\n{}\n", rows.collect::<Vec<_>>().join("\n"));
        }
        insta::assert_snapshot!(format!("{columns}x{rows}"), seen);
    }
}
