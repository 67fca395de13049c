//! Groups of runs that repeat each other, each shown as one row: the mean of every metric, with its deviation.
//!
//! A group is made into a run of its own, so that the table sorts, marks and compares groups as it does runs.

use std::collections::{BTreeMap, HashMap};

use super::run::{name, took};
use crate::app::words::{Details, Line, Tone, number_text, pairs};
use crate::tracking::Overview;
use crate::tracking::entities::Run;
use crate::tracking::groups::{Spread, by, names_seed, spread, varying};

/// The groups of the runs that match the filter.
#[derive(Debug, Default)]
pub struct Groups {
    /// The groups as runs, newest first.
    pub overview: Overview,
    /// Ids of the runs of each group, newest first, by the id of the group.
    members: HashMap<String, Vec<String>>,
    /// Statistics of the metrics of each group that has several runs.
    spreads: HashMap<String, BTreeMap<String, Spread>>,
    /// What repeats the runs of a group: the params that are left out.
    pub repeated: Vec<String>,
}

impl Groups {
    /// Groups the runs of these indices. With a param, runs with the same value of it are a group; otherwise those that
    /// differ only in params with the name of a seed. Runs of different experiments are never in one group.
    ///
    /// # Errors
    /// Why no two runs are in one group.
    pub fn of(
        overview: &Overview,
        indices: &[usize],
        param: Option<&str>,
        now: f64,
    ) -> Result<Groups, String> {
        let mut experiments: BTreeMap<&str, Vec<Run>> = BTreeMap::new();
        for run in indices.iter().map(|index| &overview.runs[*index]) {
            experiments.entry(&run.experiment_id).or_default().push(run.clone());
        }
        let mut groups = Groups::default();
        let mut runs = Vec::new();
        for members in experiments.values() {
            let params = match param {
                Some(param) => vec![param.to_owned()],
                None => {
                    let (seeds, params): (Vec<String>, Vec<String>) =
                        varying(members).into_iter().partition(|key| names_seed(key));
                    groups.repeated.extend(seeds);
                    params
                }
            };
            for group in by(members, &params) {
                let group: Vec<&Run> = group.runs.iter().map(|run| &members[*run]).collect();
                runs.push(groups.add(&group, now));
            }
        }
        if groups.members.values().all(|members| members.len() < 2) {
            return Err(
                "no two runs differ only in a seed; go to the column of a param to group by it"
                    .into(),
            );
        }
        runs.sort_by_key(|run| std::cmp::Reverse(run.start_time));
        groups.repeated.sort();
        groups.repeated.dedup();
        groups.overview = Overview {
            source: overview.source.clone(),
            runs,
            experiments: overview.experiments.clone(),
            models: Vec::new(),
        };
        Ok(groups)
    }

    /// Makes a run of a group.
    fn add(&mut self, group: &[&Run], now: f64) -> Run {
        let first = group[0];
        // The oldest run stays when others join the group.
        let oldest =
            group.iter().min_by_key(|run| run.start_time).map_or("", |run| run.id.as_str());
        let id = format!("group {oldest}");
        self.members.insert(id.clone(), group.iter().map(|run| run.id.clone()).collect());
        if let [only] = group {
            return Run { id, ..(*only).clone() };
        }
        let mut values: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
        for (key, value) in group.iter().flat_map(|run| &run.metrics) {
            values.entry(key).or_default().push(*value);
        }
        let spreads: BTreeMap<String, Spread> =
            values.into_iter().map(|(key, values)| (key.to_owned(), spread(values))).collect();
        let metrics = spreads.iter();
        let metrics = metrics.map(|(key, spread)| (key.clone(), spread.mean.unwrap_or(f64::NAN)));
        let metrics = metrics.collect();
        self.spreads.insert(id.clone(), spreads);
        let same = |pair: &&(String, String), value: fn(&Run, &str) -> Option<String>| {
            group.iter().all(|run| value(run, &pair.0).as_ref() == Some(&pair.1))
        };
        let param = |run: &Run, key: &str| run.param(key).map(str::to_owned);
        let tag = |run: &Run, key: &str| run.tag(key).map(str::to_owned);
        let start_time = group.iter().filter_map(|run| run.start_time).max();
        let times: Vec<f64> = group.iter().filter_map(|run| took(run, now)).collect();
        let mean = times.iter().sum::<f64>() / times.len().max(1) as f64;
        let any = |status: &str| group.iter().any(|run| run.status == status);
        let status = ["RUNNING", "FAILED", "KILLED"].into_iter().find(|status| any(status));
        Run {
            id,
            name: format!("{} runs", group.len()),
            experiment_id: first.experiment_id.clone(),
            status: status.unwrap_or(&first.status).to_owned(),
            start_time,
            end_time: start_time.map(|start| start.saturating_add((mean * 1000.0) as i64)),
            params: first.params.iter().filter(|pair| same(pair, param)).cloned().collect(),
            tags: first.tags.iter().filter(|pair| same(pair, tag)).cloned().collect(),
            metrics,
            ..Run::default()
        }
    }

    /// The ids of the runs of a group, newest first.
    pub fn members(&self, id: &str) -> &[String] {
        self.members.get(id).map(Vec::as_slice).unwrap_or_default()
    }

    /// The mean of a metric with its deviation, if the group has several runs.
    pub fn text(&self, id: &str, metric: &str) -> Option<String> {
        let spread = self.spreads.get(id)?.get(metric)?;
        let mean = number_text(spread.mean?);
        Some(match spread.deviation {
            Some(deviation) => format!("{mean} ± {}", short(deviation)),
            None => mean,
        })
    }

    /// The details of a group: its runs, what they share, and the spread of every metric.
    pub(super) fn details(&self, shown: &Run, overview: &Overview) -> Details {
        let ids = self.members(&shown.id);
        let mut lines = vec![Line::Title(shown.name.clone())];
        let experiment = overview.experiment(shown).to_owned();
        lines.push(Line::Field("in", experiment, Tone::Plain));
        if !self.repeated.is_empty() {
            lines.push(Line::Field("repeats", self.repeated.join(", "), Tone::Plain));
        }
        let spreads = self.spreads.get(&shown.id).into_iter().flatten();
        let text = |(key, spread): (&String, &Spread)| {
            let mut text = self.text(&shown.id, key).unwrap_or_else(|| "NaN".into());
            if let (Some(min), Some(max)) = (spread.min, spread.max) {
                text += &format!("  ({} to {})", number_text(min), number_text(max));
            }
            if spread.nan > 0 {
                text += &format!("  {} NaN", spread.nan);
            }
            (key.clone(), text)
        };
        let metrics: Vec<(String, String)> = spreads.map(text).collect();
        pairs(
            &mut lines,
            "Metrics",
            metrics.iter().map(|(key, text)| (key, text.clone())).collect(),
        );
        let params = shown.params.iter().map(|(key, value)| (key, value.clone()));
        pairs(&mut lines, "Params", params.collect());
        lines.push(Line::Text("Runs".into(), Tone::Name));
        for id in ids {
            let run = overview.runs.iter().find(|run| run.id == *id);
            lines.extend(run.map(|run| Line::Text(format!("  {}", name(run)), Tone::Plain)));
        }
        Details { lines, place: None, name: ids.join(" ") }
    }
}

/// A deviation with two digits: more say nothing of so few runs.
fn short(deviation: f64) -> String {
    if deviation == 0.0 {
        return "0".into();
    }
    let digits = 1 - deviation.abs().log10().floor() as i32;
    match digits {
        ..=0 => format!("{deviation:.0}"),
        1..=6 => format!("{deviation:.*}", digits as usize),
        _ => format!("{deviation:.1e}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(id: &str, start: i64, params: &[(&str, &str)], mae: f64) -> Run {
        Run {
            id: id.into(),
            name: id.into(),
            status: "FINISHED".into(),
            start_time: Some(start),
            end_time: Some(start + 1000),
            params: params.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect(),
            metrics: vec![("mae".into(), mae)],
            ..Run::default()
        }
    }

    fn overview() -> Overview {
        let runs = vec![
            run("d", 4, &[("lr", "1"), ("seed", "1")], 5.0),
            run("c", 3, &[("lr", "2"), ("seed", "0")], f64::NAN),
            run("b", 2, &[("lr", "1"), ("seed", "0")], 3.0),
            run("a", 1, &[("lr", "1"), ("seed", "2")], 4.0),
        ];
        Overview { runs, ..Overview::default() }
    }

    #[test]
    fn runs_that_differ_in_their_seed_are_one_row() {
        let groups = Groups::of(&overview(), &[0, 1, 2, 3], None, 0.0).unwrap();
        assert_eq!(groups.repeated, ["seed"]);
        let names: Vec<&str> = groups.overview.runs.iter().map(|run| run.name.as_str()).collect();
        assert_eq!(names, ["3 runs", "c"]);
        let group = &groups.overview.runs[0];
        assert_eq!(groups.members(&group.id), ["d", "b", "a"]);
        assert_eq!((group.param("lr"), group.param("seed")), (Some("1"), None));
        assert_eq!(groups.text(&group.id, "mae").as_deref(), Some("4.000 ± 1.0"));
        assert_eq!(groups.text(&groups.overview.runs[1].id, "mae"), None);
    }

    #[test]
    fn runs_are_grouped_by_a_param_or_not_without_a_reason() {
        let by_lr = Groups::of(&overview(), &[0, 1, 2, 3], Some("seed"), 0.0).unwrap();
        assert_eq!(by_lr.overview.runs.len(), 3);
        let why = Groups::of(&overview(), &[0, 1], None, 0.0).unwrap_err();
        assert!(why.starts_with("no two runs differ only in a seed"), "{why}");
        let grid = ["1", "2"].map(|alpha| run(alpha, 1, &[("alpha", alpha)], 1.0)).into();
        let grid = Overview { runs: grid, ..Overview::default() };
        assert!(Groups::of(&grid, &[0, 1], None, 0.0).is_err(), "alpha is no seed");
        let equal: Vec<Run> = ["a", "b"].map(|id| run(id, 1, &[("lr", "1")], 1.0)).into();
        let equal = Overview { runs: equal, ..Overview::default() };
        assert_eq!(Groups::of(&equal, &[0, 1], None, 0.0).unwrap().overview.runs.len(), 1);
    }

    #[test]
    fn a_deviation_has_two_digits() {
        let texts = [0.0, 0.004_112, 0.052, 1.26, 12.6, 1234.5, 1.5e-9].map(short);
        assert_eq!(texts, ["0", "0.0041", "0.052", "1.3", "13", "1234", "1.5e-9"]);
    }
}
