//! 10,000 runs with 40 columns in memory: sorted by a column, and filtered.

use std::hint::black_box;

use mlops_tui::tracking::entities::Run;
use mlops_tui::tracking::filter::{Entity, Field, Matcher, parse};
use mlops_tui::tracking::table::Keys;

use crate::{KEYS, row};

const RUNS: u32 = 10_000;

pub fn measure() {
    let runs: Vec<Run> = (0..RUNS).map(run).collect();
    let columns = [
        ("a metric", Field::Metric("metric_07".into())),
        ("a param of numbers", Field::Param("param_07".into())),
        ("a param of texts", Field::Param("param_08".into())),
    ];
    for (what, column) in columns {
        row(&format!("{RUNS} runs sorted by {what}"), || {
            black_box(Keys::of(&runs, &column).order(true));
        });
        let keys = Keys::of(&runs, &column);
        row("the same in the other direction", || drop(black_box(keys.order(false))));
    }
    for text in [
        "metrics.metric_07 < 0.5",
        "metrics.metric_07 < 0.5 and params.param_07 != '3' and tags.stage LIKE 'ba%'",
        "params.param_08 ~ 'model-[0-9]*7$' or ridge",
        "ridge best",
    ] {
        let filter = parse(Entity::Run, text).expect("a filter");
        row(&format!("{RUNS} runs filtered by `{text}`"), || {
            let matcher = Matcher::new(&filter, 0);
            black_box(runs.iter().filter(|run| matcher.accepts(*run)).count());
        });
    }
}

/// A run with values that look random.
fn run(number: u32) -> Run {
    let dice = |key: u32| (number * KEYS + key).wrapping_mul(2_654_435_761) >> 12;
    let param = |key: u32| match key % 2 {
        1 => format!("{}", dice(key) % 1_000),
        _ => format!("model-{}", dice(key)),
    };
    let keys = 0..KEYS;
    Run {
        id: format!("{number:032x}"),
        name: format!("{}-{number}", ["ridge", "forest", "baseline"][number as usize % 3]),
        status: "FINISHED".into(),
        start_time: Some(1_700_000_000_000 + i64::from(number)),
        metrics: keys
            .clone()
            .map(|key| (format!("metric_{key:02}"), f64::from(dice(key)) / f64::from(1 << 20)))
            .collect(),
        params: keys.map(|key| (format!("param_{key:02}"), param(key))).collect(),
        tags: vec![("stage".into(), ["base", "final"][number as usize % 2].into())],
        ..Run::default()
    }
}
