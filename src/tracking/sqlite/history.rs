//! The history of a metric, read in pieces: a single read of a million points would hold the lock for too
//! long.

use super::{SqliteStore, rows};
use crate::tracking::TrackingError;
use crate::tracking::entities::Point;

/// Points per read; takes about 20 milliseconds.
pub(super) const PIECE: i64 = 25_000;

impl SqliteStore {
    /// All values of a metric of a run, sorted by time, step and value, like MLflow.
    ///
    /// # Errors
    /// When SQLite returns an error.
    pub fn history(&self, run_id: &str, key: &str) -> Result<Vec<Point>, TrackingError> {
        let mut points = match self.schema.steps_indexed {
            true => self.by_step(run_id, key)?,
            false => self.by_row(run_id, key)?,
        };
        sort(&mut points);
        Ok(points)
    }

    /// Reads in pieces along the index of steps. The last step of a piece is read again with the next piece.
    fn by_step(&self, run_id: &str, key: &str) -> Result<Vec<Point>, TrackingError> {
        const SQL: &str = "SELECT step, timestamp, CASE WHEN is_nan THEN NULL ELSE value END FROM metrics \
                           WHERE run_uuid = ?1 AND key = ?2 AND step >= ?3 ORDER BY step LIMIT ?4";
        let mut points: Vec<Point> = Vec::new();
        let (mut from, mut piece) = (i64::MIN, PIECE);
        loop {
            let read = self.ask(|connection| {
                rows(connection, SQL, (run_id, key, from, piece), |row| {
                    Ok(Point {
                        step: row.get(0)?,
                        timestamp: row.get(1)?,
                        value: row.get::<_, Option<f64>>(2)?.unwrap_or(f64::NAN),
                    })
                })
            })?;
            let is_last = (read.len() as i64) < piece;
            let last = read.last().map_or(from, |point| point.step);
            if is_last {
                points.extend(read);
                return Ok(points);
            }
            if last == from {
                // A single step has more points than a piece.
                piece *= 2;
                continue;
            }
            points.extend(read.into_iter().filter(|point| point.step < last));
            (from, piece) = (last, PIECE);
        }
    }

    /// Reads in pieces along the rows of the run.
    fn by_row(&self, run_id: &str, key: &str) -> Result<Vec<Point>, TrackingError> {
        const SQL: &str = "SELECT rowid, key = ?2, step, timestamp, CASE WHEN is_nan THEN NULL ELSE value END \
                           FROM metrics WHERE run_uuid = ?1 AND rowid > ?3 ORDER BY rowid LIMIT ?4";
        let mut points = Vec::new();
        let mut from = i64::MIN;
        loop {
            let read = self.ask(|connection| {
                rows(connection, SQL, (run_id, key, from, PIECE), |row| {
                    let point = Point {
                        step: row.get(2)?,
                        timestamp: row.get(3)?,
                        value: row.get::<_, Option<f64>>(4)?.unwrap_or(f64::NAN),
                    };
                    Ok((row.get::<_, i64>(0)?, row.get::<_, bool>(1)?, point))
                })
            })?;
            let Some((last, ..)) = read.last() else { return Ok(points) };
            from = *last;
            points
                .extend(read.into_iter().filter(|(_, is_key, _)| *is_key).map(|(.., point)| point));
        }
    }
}

/// Sorts values by time, step and value, as MLflow does, which stores NaN as zero.
pub(super) fn sort(points: &mut [Point]) {
    let value = |point: &Point| if point.value.is_nan() { 0.0 } else { point.value };
    points.sort_by(|a, b| {
        let order = (a.timestamp, a.step).cmp(&(b.timestamp, b.step));
        order.then_with(|| value(a).total_cmp(&value(b)))
    });
}
