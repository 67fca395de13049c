//! How the values of a param go with those of a metric, over many runs: rank correlation.
//!
//! Ranks say whether a metric rises or falls with a param, whatever the shape of the curve and whatever its outliers.
//! They say nothing of causes, nor of params that act together.

use std::collections::HashMap;

use super::entities::Run;
use super::filter::{Cell, Field, Searched};

/// The values of a field, one for each run.
#[derive(Debug, Clone, PartialEq)]
pub enum Values {
    /// Numbers. NaN and infinities count as missing.
    Numbers(Vec<Option<f64>>),
    /// Texts, by their index among the names.
    Texts {
        /// The different texts, sorted.
        names: Vec<String>,
        /// The text of each run.
        of: Vec<Option<usize>>,
    },
}

impl Values {
    /// The values of the runs: numbers if all of them are numbers, else texts.
    pub fn of(runs: &[&Run], field: &Field) -> Values {
        let cells: Vec<Option<Cell<'_>>> = runs.iter().map(|run| run.cell(field)).collect();
        let number = |cell: &Option<Cell<'_>>| match cell {
            None => Some(None),
            Some(Cell::Number(number)) => Some(Some(*number)),
            Some(Cell::Text(text)) => text.trim().parse::<f64>().ok().map(Some),
        };
        if let Some(numbers) = cells.iter().map(number).collect::<Option<Vec<_>>>() {
            let finite = |number: Option<f64>| number.filter(|number| number.is_finite());
            return Values::Numbers(numbers.into_iter().map(finite).collect());
        }
        let texts: Vec<Option<String>> = cells
            .iter()
            .map(|cell| match cell {
                Some(Cell::Text(text)) => Some((*text).to_owned()),
                Some(Cell::Number(number)) => Some(number.to_string()),
                None => None,
            })
            .collect();
        let mut names: Vec<String> = texts.iter().flatten().cloned().collect();
        names.sort();
        names.dedup();
        let index: HashMap<&String, usize> =
            names.iter().enumerate().map(|(index, name)| (name, index)).collect();
        let of = texts.iter().map(|text| text.as_ref().map(|text| index[text])).collect();
        Values::Texts { names, of }
    }

    /// The position of a run's value along an axis: the number, or the index of the text.
    pub fn position(&self, run: usize) -> Option<f64> {
        match self {
            Values::Numbers(numbers) => *numbers.get(run)?,
            // There are far fewer than 2^53 texts.
            Values::Texts { of, .. } => Some((*of.get(run)?)? as f64),
        }
    }

    /// The first and the last position; `None` without values.
    pub fn extent(&self) -> Option<(f64, f64)> {
        let len = match self {
            Values::Numbers(numbers) => numbers.len(),
            Values::Texts { of, .. } => of.len(),
        };
        let positions = (0..len).filter_map(|run| self.position(run));
        positions.fold(None, |extent, at| match extent {
            None => Some((at, at)),
            Some((low, high)) => Some((f64::min(low, at), f64::max(high, at))),
        })
    }
}

/// How a field goes with a metric.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Relation {
    /// From 0, nothing, to 1, everything: the size of Spearman's rank correlation for numbers, and the correlation ratio of
    /// the metric's ranks for texts.
    pub strength: f64,
    /// Whether the metric rises with the number; `None` for texts.
    pub rises: Option<bool>,
    /// The number of runs that have both values.
    pub runs: usize,
}

impl Relation {
    /// The strength with two digits, negative where the metric falls with the number.
    pub fn text(&self) -> String {
        match self.rises {
            Some(true) => format!("{:+.2}", self.strength),
            Some(false) => format!("{:+.2}", -self.strength),
            None => format!("{:.2}", self.strength),
        }
    }
}

/// The fewest runs that say anything of a relation.
const FEWEST: usize = 3;

/// How values go with those of a metric; `None` where fewer than 3 runs have both, or one of them never changes.
pub fn relation(values: &Values, metric: &Values) -> Option<Relation> {
    let Values::Numbers(metric) = metric else { return None };
    let pairs: Vec<(f64, f64)> = metric
        .iter()
        .enumerate()
        .filter_map(|(run, value)| Some((values.position(run)?, (*value)?)))
        .collect();
    if pairs.len() < FEWEST {
        return None;
    }
    let (xs, ys): (Vec<f64>, Vec<f64>) = pairs.into_iter().unzip();
    let (ranks, runs) = (ranks(&ys), ys.len());
    match values {
        Values::Numbers(_) => {
            let rho = pearson(&self::ranks(&xs), &ranks)?;
            Some(Relation { strength: rho.abs(), rises: Some(rho > 0.0), runs })
        }
        Values::Texts { .. } => {
            let ratio = correlation_ratio(&xs, &ranks)?;
            Some(Relation { strength: ratio, rises: None, runs })
        }
    }
}

/// The ranks from 1 on; equal values share the mean of theirs.
fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|a, b| values[*a].total_cmp(&values[*b]));
    let mut ranks = vec![0.0; values.len()];
    let mut begin = 0;
    while begin < order.len() {
        let same = |index: &&usize| values[**index] == values[order[begin]];
        let count = order[begin..].iter().take_while(same).count();
        let rank = begin as f64 + (count as f64 + 1.0) / 2.0;
        order[begin..begin + count].iter().for_each(|index| ranks[*index] = rank);
        begin += count;
    }
    ranks
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn pearson(xs: &[f64], ys: &[f64]) -> Option<f64> {
    let (x, y) = (mean(xs), mean(ys));
    let sum = |products: &mut dyn Iterator<Item = f64>| products.sum::<f64>();
    let both = sum(&mut xs.iter().zip(ys).map(|(a, b)| (a - x) * (b - y)));
    let own = |values: &[f64], mean: f64| values.iter().map(|v| (v - mean).powi(2)).sum::<f64>();
    let size = (own(xs, x) * own(ys, y)).sqrt();
    (size > 0.0).then(|| (both / size).clamp(-1.0, 1.0))
}

/// The square root of the part of the variance of `ys` that lies between the groups with the same `xs`.
fn correlation_ratio(xs: &[f64], ys: &[f64]) -> Option<f64> {
    let mut groups: HashMap<u64, Vec<f64>> = HashMap::new();
    for (x, y) in xs.iter().zip(ys) {
        groups.entry(x.to_bits()).or_default().push(*y);
    }
    // With a group for each run everything would be explained.
    if groups.len() < 2 || groups.len() == ys.len() {
        return None;
    }
    let all = mean(ys);
    let total: f64 = ys.iter().map(|y| (y - all).powi(2)).sum();
    let between = |group: &Vec<f64>| group.len() as f64 * (mean(group) - all).powi(2);
    let between: f64 = groups.values().map(between).sum();
    (total > 0.0).then(|| (between / total).sqrt().min(1.0))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn numbers(values: &[f64]) -> Values {
        Values::Numbers(values.iter().map(|value| Some(*value)).collect())
    }

    #[test]
    fn spearman_is_that_of_scipy() {
        // scipy.stats.spearmanr([1, 2, 3, 4, 5], [5, 6, 7, 8, 7]) and ([1, 2, 2, 9], [4, 1, 3, 0]).
        let of = |x: &[f64], y: &[f64]| relation(&numbers(x), &numbers(y)).unwrap();
        let found = of(&[1.0, 2.0, 3.0, 4.0, 5.0], &[5.0, 6.0, 7.0, 8.0, 7.0]);
        assert!((found.strength - 0.820_782_681_668_123_3).abs() < 1e-12, "{found:?}");
        assert_eq!((found.rises, found.runs), (Some(true), 5));
        let found = of(&[1.0, 2.0, 2.0, 9.0], &[4.0, 1.0, 3.0, 0.0]);
        assert!((found.strength - 0.948_683_298_050_513_8).abs() < 1e-12, "{found:?}");
        assert_eq!(found.rises, Some(false));
    }

    #[test]
    fn texts_are_compared_by_the_ranks_within_them() {
        let run = |kind: &str, mae: f64| Run {
            params: vec![("kind".into(), kind.into())],
            metrics: vec![("mae".into(), mae)],
            ..Run::default()
        };
        let runs = [run("tree", 1.0), run("tree", 2.0), run("line", 3.0), run("line", 4.0)];
        let runs: Vec<&Run> = runs.iter().collect();
        let kind = Values::of(&runs, &Field::Param("kind".into()));
        let mae = Values::of(&runs, &Field::Metric("mae".into()));
        assert_eq!(kind.extent(), Some((0.0, 1.0)));
        assert_eq!((kind.position(0), mae.position(0)), (Some(1.0), Some(1.0)));
        let found = relation(&kind, &mae).unwrap();
        // Ranks 1, 2 and 3, 4: the means are 1.5 and 3.5, and 4 of 5 lies between them.
        assert!((found.strength - 0.8_f64.sqrt()).abs() < 1e-12, "{found:?}");
        assert_eq!(found.rises, None);
    }

    #[test]
    fn too_little_says_nothing() {
        let of = |x: &[f64], y: &[f64]| relation(&numbers(x), &numbers(y));
        assert_eq!(of(&[1.0, 2.0], &[1.0, 2.0]), None);
        assert_eq!(of(&[1.0, 1.0, 1.0], &[1.0, 2.0, 3.0]), None);
        let names = ["a", "b", "c"].map(str::to_owned).to_vec();
        let alone = Values::Texts { names, of: vec![Some(0), Some(1), Some(2)] };
        assert_eq!(relation(&alone, &numbers(&[1.0, 2.0, 3.0])), None, "each text is alone");
        let missing = Values::Numbers(vec![Some(1.0), None, Some(2.0), Some(3.0)]);
        assert_eq!(relation(&missing, &numbers(&[9.0, 0.0, 8.0, 7.0])).unwrap().runs, 3);
    }

    proptest! {
        #[test]
        fn any_rising_change_of_the_numbers_leaves_the_relation(
            values in prop::collection::vec((-100.0_f64..100.0, -100.0_f64..100.0), 3..40),
        ) {
            let (xs, ys): (Vec<f64>, Vec<f64>) = values.into_iter().unzip();
            let before = relation(&numbers(&xs), &numbers(&ys));
            let bent: Vec<f64> = xs.iter().map(|x| x.powi(3) + x).collect();
            let after = relation(&numbers(&bent), &numbers(&ys));
            prop_assert_eq!(before.map(|one| one.rises), after.map(|one| one.rises));
            let strength = |one: Option<Relation>| one.map_or(-1.0, |one| one.strength);
            prop_assert!((strength(before) - strength(after)).abs() < 1e-9);
            prop_assert!((-1.0..=1.0).contains(&strength(before)));
        }
    }
}
