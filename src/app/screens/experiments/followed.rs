//! The metric that the user follows on every tab: its best value in the runs that train, and a threshold at which a message
//! is shown.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::run::name;
use crate::app::words::number_text;
use crate::text::{UserError, sanitize};
use crate::tracking::entities::{Point, Run};
use crate::tracking::{Goal, Overview};

/// A metric that is followed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Followed {
    /// The name of the metric.
    pub metric: String,
    /// Where a message is wanted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threshold: Option<Threshold>,
}

/// A value that a metric may cross.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Threshold {
    /// Whether larger values are beyond it, or smaller ones.
    pub above: bool,
    /// The value.
    pub value: f64,
}

impl Threshold {
    /// Reads `< 0.3` or `> 0.9`; an empty text is no threshold.
    ///
    /// # Errors
    /// If the text is neither.
    pub fn parse(text: &str) -> Result<Option<Threshold>, UserError> {
        let text = text.trim();
        if text.is_empty() {
            return Ok(None);
        }
        let wrong = || {
            UserError::hinted(
                format!("`{text}` is no threshold"),
                "Write < 0.3 or > 0.9, or nothing.",
            )
        };
        let (above, number) = match (text.strip_prefix('<'), text.strip_prefix('>')) {
            (Some(number), _) => (false, number),
            (_, Some(number)) => (true, number),
            _ => return Err(wrong()),
        };
        let number = number.trim_start_matches('=').trim();
        let value: f64 = number.parse().map_err(|_| wrong())?;
        if value.is_nan() { Err(wrong()) } else { Ok(Some(Threshold { above, value })) }
    }

    /// The threshold as it is typed.
    pub fn text(self) -> String {
        format!("{} {}", if self.above { '>' } else { '<' }, self.value)
    }

    fn is_beyond(self, value: f64) -> bool {
        if self.above { value > self.value } else { value < self.value }
    }
}

/// The best values of metrics that were seen in runs, by the id of the run and the metric.
#[derive(Debug, Default)]
pub struct Bests(HashMap<(String, String), f64>);

impl Bests {
    /// Takes new values of the followed metric. Returns the first run that crosses the threshold: none of
    /// its values was beyond it before.
    pub fn take(
        &mut self,
        followed: &Followed,
        goal: Option<Goal>,
        overview: &Overview,
        runs: &[Run],
        points: &[(String, String, Point)],
    ) -> Option<Crossed> {
        let key = followed.metric.as_str();
        let mut crossed = None;
        for run in runs {
            let logged = points.iter().filter(|(id, metric, _)| *id == run.id && metric == key);
            let values = logged.map(|(_, _, point)| point.value).chain(run.metric(key));
            let known = overview.runs.iter().find(|other| other.id == run.id);
            let before = known.and_then(|known| known.metric(key));
            let at = (run.id.clone(), followed.metric.clone());
            let mut values: Vec<f64> = values.filter(|value| !value.is_nan()).collect();
            let old = self.0.get(&at).copied().or(before).filter(|value| !value.is_nan());
            if let Some(threshold) = followed.threshold
                && !old.is_some_and(|old| threshold.is_beyond(old))
                && let Some(value) = values.iter().find(|value| threshold.is_beyond(**value))
            {
                crossed = crossed.or(Some(Crossed::of(run, key, threshold, *value)));
            }
            values.extend(old);
            // The threshold says which way is better where the name of the metric does not.
            let goal = goal.or(followed.threshold.map(|threshold| match threshold.above {
                true => Goal::Highest,
                false => Goal::Lowest,
            }));
            let best = match goal {
                Some(goal) => {
                    values.into_iter().reduce(|a, b| if goal.prefers(b, a) { b } else { a })
                }
                None => values.first().copied(),
            };
            if let Some(best) = best {
                self.0.insert(at, best);
            }
        }
        crossed
    }

    /// The best value so far in the runs that train: the metric, the value, and the run.
    pub fn text(
        &self,
        followed: &Followed,
        goal: Option<Goal>,
        overview: &Overview,
    ) -> Option<String> {
        let key = followed.metric.as_str();
        let running = overview.runs.iter().filter(|run| run.status == "RUNNING");
        let values = running.filter_map(|run| {
            let best = self.0.get(&(run.id.clone(), followed.metric.clone())).copied();
            Some((run, best.or_else(|| run.metric(key))?))
        });
        let (run, value) = values.reduce(|a, b| match goal {
            Some(goal) if goal.prefers(b.1, a.1) => b,
            _ => a,
        })?;
        Some(format!("{} {} {}", sanitize(key), number_text(value), sanitize(&name(run))))
    }
}

/// A followed metric of a run crossed its threshold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Crossed {
    /// The run, the metric and the threshold.
    pub title: String,
    /// The metric with its value.
    pub line: String,
}

impl Crossed {
    fn of(run: &Run, key: &str, threshold: Threshold, value: f64) -> Self {
        let key = sanitize(key);
        Crossed {
            title: format!("{}: {key} {}", sanitize(&name(run)), threshold.text()),
            line: format!("{key} {}", number_text(value)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(status: &str, mae: f64) -> Run {
        Run {
            id: "a".into(),
            name: "fox".into(),
            status: status.into(),
            metrics: vec![("mae".into(), mae)],
            ..Run::default()
        }
    }

    fn point(value: f64) -> (String, String, Point) {
        ("a".into(), "mae".into(), Point { step: 0, timestamp: 0, value })
    }

    #[test]
    fn a_threshold_is_parsed_or_refused() {
        let parsed = |text: &str| Threshold::parse(text).map(|one| one.map(Threshold::text));
        assert_eq!(parsed(" <0.30"), Ok(Some("< 0.3".into())));
        assert_eq!(parsed(">= 1e3"), Ok(Some("> 1000".into())));
        assert_eq!(parsed(""), Ok(None));
        for wrong in ["0.3", "< x", "= 1", "< NaN"] {
            assert!(parsed(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_threshold_is_told_once_for_each_run_and_the_best_value_is_kept() {
        let threshold = Some(Threshold { above: false, value: 0.3 });
        let followed = Followed { metric: "mae".into(), threshold };
        let mut bests = Bests::default();
        let goal = Some(Goal::Lowest);
        let mut overview = Overview { runs: vec![run("RUNNING", 0.5)], ..Overview::default() };
        assert_eq!(bests.text(&followed, goal, &overview).as_deref(), Some("mae 0.5000 fox"));
        let mut told = |overview: &mut Overview, values: &[f64], last: f64| {
            let points: Vec<_> = values.iter().map(|value| point(*value)).collect();
            let runs = [run("RUNNING", last)];
            let crossed = bests.take(&followed, goal, overview, &runs, &points);
            overview.update(runs.to_vec());
            crossed.map(|crossed| format!("{}: {}", crossed.title, crossed.line))
        };
        assert_eq!(told(&mut overview, &[0.45, 0.4], 0.4), None);
        // It was beyond the threshold between two reports.
        let message = told(&mut overview, &[0.28, 0.35], 0.35);
        assert_eq!(message.as_deref(), Some("fox: mae < 0.3: mae 0.2800"));
        assert_eq!(told(&mut overview, &[0.31, 0.29], 0.29), None, "it is known");
        assert_eq!(told(&mut overview, &[f64::NAN], f64::NAN), None);
        assert_eq!(bests.text(&followed, goal, &overview).as_deref(), Some("mae 0.2800 fox"));
        overview.update(vec![run("FINISHED", 0.4)]);
        assert_eq!(bests.text(&followed, goal, &overview), None, "nothing trains");
    }
}
