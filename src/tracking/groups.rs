//! Grouping of runs by params, detection of the param that only repeats a run (the seed), and statistics of a
//! group's metrics.

use std::collections::{BTreeSet, HashMap};

use super::entities::Run;
use super::filter::Field;
use super::table::Keys;

/// Runs with the same values of some params.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    /// The value of each param; `None` if the runs do not have the param.
    pub values: Vec<Option<String>>,
    /// Indices of the runs, in increasing order.
    pub runs: Vec<usize>,
}

/// Statistics of a metric's values. NaN is counted separately; without other values all statistics are
/// `None`.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Spread {
    /// Number of values without NaN.
    pub count: usize,
    /// Number of NaN values.
    pub nan: usize,
    /// Arithmetic mean.
    pub mean: Option<f64>,
    /// Sample standard deviation; needs at least two values.
    pub deviation: Option<f64>,
    /// The smallest value.
    pub min: Option<f64>,
    /// The largest value.
    pub max: Option<f64>,
}

/// Groups runs by the values of params. Groups are sorted by the first param, then the next; missing values
/// come last.
pub fn by(runs: &[Run], params: &[String]) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    let mut known: HashMap<Vec<Option<&str>>, usize> = HashMap::new();
    for (index, run) in runs.iter().enumerate() {
        let values: Vec<Option<&str>> = params.iter().map(|param| run.param(param)).collect();
        let group = *known.entry(values).or_insert_with_key(|values| {
            let values = values.iter().map(|value| value.map(str::to_owned)).collect();
            groups.push(Group { values, runs: Vec::new() });
            groups.len() - 1
        });
        groups[group].runs.push(index);
    }
    let keys: Vec<Keys> =
        params.iter().map(|param| Keys::of(runs, &Field::Param(param.clone()))).collect();
    // Each group has at least one run: the one that created it.
    let rank =
        |group: &Group| -> Vec<u64> { keys.iter().map(|keys| keys.rank(group.runs[0])).collect() };
    groups.sort_by_cached_key(|group| (rank(group), group.values.clone()));
    groups
}

/// The params whose values differ between the runs, by name.
pub fn varying(runs: &[Run]) -> Vec<String> {
    let keys: BTreeSet<&str> =
        runs.iter().flat_map(|run| run.params.iter().map(|(key, _)| key.as_str())).collect();
    let differs = |key: &&str| runs.windows(2).any(|pair| pair[0].param(key) != pair[1].param(key));
    keys.into_iter().filter(differs).map(str::to_owned).collect()
}

/// The params whose values differ, except for one. Runs that are equal in these are repetitions.
pub fn all_but(runs: &[Run], param: &str) -> Vec<String> {
    varying(runs).into_iter().filter(|key| key != param).collect()
}

/// The param that varies while all others are equal. If several do, as in a grid, the one with the name of a
/// seed is chosen.
///
/// # Errors
/// The candidates, when there are none or several.
pub fn seed(runs: &[Run]) -> Result<String, Vec<String>> {
    let repeats = |param: &String| {
        by(runs, &all_but(runs, param)).iter().any(|group| {
            group
                .runs
                .windows(2)
                .any(|pair| runs[pair[0]].param(param) != runs[pair[1]].param(param))
        })
    };
    let mut found: Vec<String> = varying(runs).into_iter().filter(repeats).collect();
    let named: Vec<&String> = found.iter().filter(|param| names_seed(param)).collect();
    match (named.as_slice(), found.len()) {
        ([one], _) => Ok((*one).clone()),
        (_, 1) => Ok(found.remove(0)),
        _ => Err(found),
    }
}

/// Whether a param has a typical name of a seed, fold or repetition.
pub fn names_seed(param: &str) -> bool {
    let last = param.rsplit(['.', '/', ':']).next().unwrap_or_default().to_lowercase();
    let words = ["seed", "fold", "repeat", "replicate", "trial"];
    last == "random_state" || last.split(['_', '-']).any(|word| words.contains(&word))
}

/// Computes the statistics of values.
pub fn spread(values: impl IntoIterator<Item = f64>) -> Spread {
    let mut spread = Spread::default();
    let (mut mean, mut squares) = (0.0, 0.0);
    let (mut min, mut max) = (f64::INFINITY, f64::NEG_INFINITY);
    for value in values {
        if value.is_nan() {
            spread.nan += 1;
            continue;
        }
        // Welford's method is precise for small deviations with a large mean.
        spread.count += 1;
        let before = value - mean;
        mean += before / spread.count as f64;
        squares += before * (value - mean);
        (min, max) = (min.min(value), max.max(value));
    }
    if spread.count > 0 {
        // With infinities the running mean is NaN, even where the true mean is infinite.
        if min.is_infinite() || max.is_infinite() {
            mean = min + max;
        }
        (spread.mean, spread.min, spread.max) = (Some(mean), Some(min), Some(max));
    }
    if spread.count > 1 {
        spread.deviation = Some((squares / (spread.count - 1) as f64).sqrt());
    }
    spread
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(params: &[(&str, &str)]) -> Run {
        let mut params: Vec<(String, String)> =
            params.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        params.sort();
        Run { params, ..Run::default() }
    }

    fn names(list: &[&str]) -> Vec<String> {
        list.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn groups_are_in_the_order_of_their_values() {
        let runs = [
            run(&[("lr", "10"), ("model", "b")]),
            run(&[("lr", "9"), ("model", "a")]),
            run(&[("model", "a")]),
            run(&[("lr", "10"), ("model", "a")]),
            run(&[("lr", "10.0"), ("model", "b")]),
        ];
        let groups = by(&runs, &names(&["lr"]));
        let shown: Vec<_> =
            groups.iter().map(|group| (group.values[0].as_deref(), group.runs.clone())).collect();
        let expected = [
            (Some("9"), vec![1]),
            (Some("10"), vec![0, 3]),
            (Some("10.0"), vec![4]),
            (None, vec![2]),
        ];
        assert_eq!(shown, expected);
        let groups = by(&runs, &names(&["model", "lr"]));
        assert_eq!(groups.iter().map(|group| group.runs[0]).collect::<Vec<_>>(), [1, 3, 2, 0, 4]);
        assert_eq!(by(&runs, &[]).len(), 1);
        assert_eq!(by(&[], &names(&["lr"])), []);
    }

    #[test]
    fn the_seed_varies_while_all_others_are_equal() {
        let repeated = [
            run(&[("lr", "1"), ("depth", "2"), ("x", "7")]),
            run(&[("lr", "1"), ("depth", "2"), ("x", "8")]),
            run(&[("lr", "2"), ("depth", "3"), ("x", "7")]),
        ];
        assert_eq!(seed(&repeated), Ok("x".to_owned()));
        assert_eq!(all_but(&repeated, "x"), ["depth", "lr"]);
        let grid = |other: &str| -> Vec<Run> {
            let cell = |n: usize| {
                run(&[("lr", ["1", "2"][n / 2]), (other, ["0", "1"][n % 2]), ("same", "s")])
            };
            (0..4).map(cell).collect()
        };
        assert_eq!(seed(&grid("model.random_state")), Ok("model.random_state".to_owned()));
        assert_eq!(seed(&grid("np_seed")), Ok("np_seed".to_owned()));
        assert_eq!(seed(&grid("depth")), Err(names(&["depth", "lr"])));
        assert_eq!(seed(&grid("depth")[..1]), Err(Vec::new()));
    }

    #[test]
    fn a_spread_leaves_nan_out_and_counts_it() {
        let found = spread([2.0, f64::NAN, 4.0, 4.0, 6.0]);
        assert_eq!((found.count, found.nan), (4, 1));
        assert_eq!((found.mean, found.min, found.max), (Some(4.0), Some(2.0), Some(6.0)));
        assert!((found.deviation.unwrap() - (8.0_f64 / 3.0).sqrt()).abs() < 1e-12);
        assert_eq!(spread([f64::NAN]), Spread { nan: 1, ..Spread::default() });
        assert_eq!(spread([1.5]).deviation, None);
        let shifted = spread([1e9 + 1.0, 1e9 + 2.0, 1e9 + 3.0]);
        assert_eq!(shifted.deviation, Some(1.0));
        assert_eq!(spread([f64::INFINITY, 1.0, f64::INFINITY]).mean, Some(f64::INFINITY));
        assert!(spread([f64::INFINITY, f64::NEG_INFINITY]).mean.unwrap().is_nan());
    }
}
