//! Filters as SQL and filters evaluated on what was read find the same runs, extensions included.

use mlops_tui::tracking::entities::{Run, RunQuery};
use mlops_tui::tracking::filter::{
    Cell, DatasetField, Entity, Field, Matcher, Searched, compare_by, parse, parse_orders,
};
use mlops_tui::tracking::{Location, Store};

use crate::corpus::corpus;
use crate::dice::Dice;

const FILTERS: usize = 3_000;
/// A time among the starts of the runs, in milliseconds.
const NOW: i64 = 1_700_001_200_000;

/// A run whose histories are read when they are asked for.
struct Held<'a> {
    run: Run,
    store: &'a Store,
}

impl Searched for Held<'_> {
    fn cell(&self, field: &Field) -> Option<Cell<'_>> {
        self.run.cell(field)
    }

    fn datasets(&self, field: DatasetField) -> Vec<&str> {
        self.run.datasets(field)
    }

    fn history(&self, metric: &str) -> Vec<f64> {
        let points = self.store.history(&self.run.id, metric).unwrap();
        points.into_iter().map(|point| point.value).collect()
    }
}

// Left out is what SQL and MLflow's file store decide in different ways: infinities, names whose tag was
// deleted, patterns over line ends or letters outside ASCII.
const FIELDS: [(&str, &str, &str); 9] = [
    (
        "metrics.rmse metrics.acc metrics.nan metrics.absent metrics.loss",
        "= != < <= > >=",
        "0 0.05 0.25 0.5 1 -1 1e9",
    ),
    (
        "metrics.rmse.min metrics.loss.max metrics.loss.mean metrics.rmse.best metrics.absent.min",
        "< <= > >= !=",
        "0 0.1 0.3 1 100",
    ),
    ("start_time end_time", "< <= > >= = !=", "1700000600000 1700001020000 0 1700000600000.5"),
    (
        "params.lr params.model params.seed params.absent",
        "= != LIKE ILIKE ~",
        "'0.1' '1e-3' '%r%' 'Ridge' 'RIDGE' '^r' '[0-9]+$'",
    ),
    ("tags.stage tags.absent", "= != LIKE ~", "'prod' 'dev' 'pr%' 'o'"),
    (
        "status user_id",
        "= != LIKE ILIKE ~",
        "'FINISHED' 'finished' 'F%' 'ada' \"o'neil\" '^(FAILED|KILLED)$'",
    ),
    (
        "datasets.name datasets.digest datasets.context",
        "= != LIKE ~",
        "'train' 'd1' 'training' 't%' 'x'",
    ),
    ("params.lr tags.stage params.absent", "IS+NULL IS+NOT+NULL", ""),
    ("run_id", "IN NOT+IN", "('d8dfab3cc4b04a1b9d6a01c9ff18bec6','x') ('x')"),
];

fn filter(dice: &mut Dice, depth: usize) -> String {
    match dice.below(if depth > 2 { 6 } else { 10 }) {
        0 => format!("last {} {}", dice.below(30), dice.word("minutes hours days")),
        1 => dice.word("grid ridge odd-1 running nothing zz"),
        6 => format!("{} OR {}", filter(dice, depth + 1), filter(dice, depth + 1)),
        7 => format!("({})", filter(dice, depth + 1)),
        8 => format!("NOT {}", filter(dice, depth + 1)),
        9 => format!("{} AND {}", filter(dice, depth + 1), filter(dice, depth + 1)),
        _ => {
            let (fields, comparators, values) = FIELDS[dice.below(FIELDS.len())];
            format!("{} {} {}", dice.word(fields), dice.word(comparators), dice.word(values))
        }
    }
}

#[test]
fn sql_and_evaluation_find_the_same_runs_in_the_same_order() {
    let corpus = corpus("3.17.2", "sqlite", true);
    let store = Store::open(&Location::Sqlite(corpus.folder.join("mlflow.db")), None).unwrap();
    let mut all = store.search_runs(&RunQuery::default()).unwrap().items;
    let Store::Sqlite(sqlite) = &store else { panic!("a database") };
    sqlite.add_datasets(&mut all).unwrap();
    let all: Vec<Held<'_>> = all.into_iter().map(|run| Held { run, store: &store }).collect();
    let mut dice = Dice(0xf117e5);
    let (mut wrong, mut some) = (Vec::new(), 0);
    for _ in 0..FILTERS {
        let text = filter(&mut dice, 0);
        let order =
            ["metrics.rmse DESC", "params.model", "tags.stage DESC", "metrics.nan", "end_time"];
        let order = vec![order[dice.below(order.len())].to_owned()];
        let parsed = parse(Entity::Run, &text).unwrap_or_else(|error| panic!("{text}: {error}"));
        let orders = parse_orders(Entity::Run, &order).unwrap();
        let matcher = Matcher::new(&parsed, NOW);
        let mut expected: Vec<&Held<'_>> = all.iter().filter(|run| matcher.accepts(*run)).collect();
        expected.sort_by(|a, b| {
            let newest = || b.run.start_time.cmp(&a.run.start_time).then(a.run.id.cmp(&b.run.id));
            compare_by(&orders, *a, *b).then_with(newest)
        });
        let expected: Vec<&str> = expected.iter().map(|held| held.run.id.as_str()).collect();
        let query = RunQuery { filter: parsed, order: orders, now: NOW, ..RunQuery::default() };
        let found = store.search_runs(&query).unwrap().items;
        let found: Vec<&str> = found.iter().map(|run| run.id.as_str()).collect();
        some += usize::from(!found.is_empty() && found.len() < all.len());
        if found != expected {
            wrong.push(format!(
                "{text} by {order:?}: SQL {}, evaluation {}",
                found.len(),
                expected.len()
            ));
        }
    }
    assert!(some > FILTERS / 3, "only {some} filters find some runs and not others");
    assert!(
        wrong.is_empty(),
        "{} differ:\n{}",
        wrong.len(),
        wrong[..wrong.len().min(20)].join("\n")
    );
}
