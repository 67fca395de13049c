//! The values of metrics over time that were read so far, and those that are still to be read.

use std::collections::{HashMap, HashSet};

use crate::app::sparkline::sparkline;
use crate::tracking::entities::Point;

/// A metric of a run: the id of the run and the name of the metric.
pub type CurveId = (String, String);

/// A metric of a run with its values, or why they can't be read.
pub type ReadCurve = (CurveId, Result<Vec<Point>, String>);

/// How many of the last values are searched for one that was reported twice.
const OVERLAP: usize = 1_000;

/// The values of metrics that were read, or are being read.
#[derive(Debug, Default)]
pub struct Curves {
    loaded: HashMap<CurveId, Vec<Point>>,
    /// Those that are being read, with the values that came meanwhile.
    coming: HashMap<CurveId, Vec<Point>>,
    /// Those that can't be read; they are not asked for again.
    failed: HashSet<CurveId>,
    /// Those that are shown, and read once more when they are wanted: the store may have changed in any way.
    old: HashSet<CurveId>,
    /// Curves as lines of text, as long as they have not changed.
    trends: HashMap<CurveId, String>,
}

/// The cells of a curve in the table.
pub const TREND: u16 = 10;

impl Curves {
    /// The values of a metric; `None` until they are read.
    pub fn get(&self, run: &str, key: &str) -> Option<&[Point]> {
        self.loaded.get(&(run.to_owned(), key.to_owned())).map(Vec::as_slice)
    }

    /// The curve of a metric as a line of at most [`TREND`] characters.
    pub fn trend(&self, run: &str, key: &str) -> Option<&str> {
        self.trends.get(&(run.to_owned(), key.to_owned())).map(String::as_str)
    }

    /// Makes lines of text of those that are read and have none.
    pub fn make_trends<'i>(&mut self, ids: impl Iterator<Item = &'i CurveId>, ascii: bool) {
        for id in ids {
            if let Some(points) = self.loaded.get(id)
                && !self.trends.contains_key(id)
            {
                self.trends.insert(id.clone(), sparkline(points, usize::from(TREND), ascii));
            }
        }
    }

    /// Which of these have to be read. They count as being read from now on.
    pub fn ask(&mut self, wanted: impl Iterator<Item = CurveId>) -> Vec<CurveId> {
        let new = wanted.filter(|id| {
            let old = self.old.remove(id);
            let known = self.loaded.contains_key(id) || self.failed.contains(id);
            let new = (old || !known) && !self.coming.contains_key(id);
            if new {
                self.coming.insert(id.clone(), Vec::new());
            }
            new
        });
        new.collect()
    }

    /// Whether any of these is still being read for the first time.
    pub fn are_coming(&self, mut wanted: impl Iterator<Item = CurveId>) -> bool {
        wanted.any(|id| self.coming.contains_key(&id) && !self.loaded.contains_key(&id))
    }

    /// Takes values that were read, and adds those that came meanwhile.
    pub fn take(&mut self, id: CurveId, points: Option<Vec<Point>>) {
        let late = self.coming.remove(&id).unwrap_or_default();
        self.trends.remove(&id);
        let Some(mut points) = points else {
            self.loaded.remove(&id);
            self.failed.insert(id);
            return;
        };
        late.into_iter().for_each(|point| add(&mut points, point));
        self.loaded.insert(id, points);
    }

    /// Takes a new value of a metric, if the metric was read or is being read.
    pub fn add(&mut self, run: String, key: String, point: Point) {
        let id = (run, key);
        self.trends.remove(&id);
        if let Some(points) = self.loaded.get_mut(&id) {
            add(points, point);
        }
        if let Some(late) = self.coming.get_mut(&id) {
            late.push(point);
        }
    }

    /// Has everything read again that is wanted. What is shown stays until then.
    pub fn expire(&mut self) {
        self.old.extend(self.loaded.keys().cloned());
        self.failed.clear();
    }
}

/// Adds a value, unless it was read already: a report and a reading may both have it.
fn add(points: &mut Vec<Point>, point: Point) {
    let same = |other: &Point| {
        (other.step, other.timestamp) == (point.step, point.timestamp)
            && other.value.to_bits() == point.value.to_bits()
    };
    if !points.iter().rev().take(OVERLAP).any(same) {
        points.push(point);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(step: i64) -> Point {
        Point { step, timestamp: step, value: f64::NAN }
    }

    fn id(key: &str) -> CurveId {
        ("a".into(), key.into())
    }

    #[test]
    fn values_that_come_while_others_are_read_are_neither_lost_nor_doubled() {
        let mut curves = Curves::default();
        curves.add("a".into(), "loss".into(), point(0));
        assert_eq!(curves.ask([id("loss"), id("acc")].into_iter()), [id("loss"), id("acc")]);
        assert_eq!(curves.ask([id("loss")].into_iter()), [] as [CurveId; 0], "it is being read");
        curves.add("a".into(), "loss".into(), point(2));
        curves.add("a".into(), "loss".into(), point(3));
        assert_eq!(curves.get("a", "loss"), None);
        curves.take(id("loss"), Some((0..3).map(point).collect()));
        curves.add("a".into(), "loss".into(), point(4));
        let steps: Vec<i64> = curves.get("a", "loss").unwrap().iter().map(|one| one.step).collect();
        assert_eq!(steps, [0, 1, 2, 3, 4]);
        curves.take(id("acc"), None);
        assert_eq!(curves.ask([id("acc"), id("loss")].into_iter()), [] as [CurveId; 0]);
    }

    #[test]
    fn what_is_shown_stays_until_it_is_read_again() {
        let mut curves = Curves::default();
        drop(curves.ask([id("loss"), id("acc")].into_iter()));
        curves.take(id("loss"), Some((0..3).map(point).collect()));
        curves.take(id("acc"), None);
        curves.expire();
        let count = |curves: &Curves| curves.get("a", "loss").map(<[Point]>::len);
        assert_eq!(count(&curves), Some(3));
        assert_eq!(curves.ask([id("loss"), id("acc")].into_iter()), [id("loss"), id("acc")]);
        assert_eq!(curves.ask([id("loss"), id("acc")].into_iter()), [] as [CurveId; 0]);
        curves.add("a".into(), "loss".into(), point(7));
        assert_eq!(count(&curves), Some(4));
        curves.take(id("loss"), Some((0..2).map(point).collect()));
        assert_eq!(count(&curves), Some(3), "another store, and the value that came meanwhile");
        curves.expire();
        drop(curves.ask([id("loss")].into_iter()));
        curves.take(id("loss"), None);
        assert_eq!(count(&curves), None, "it is gone");
    }
}
