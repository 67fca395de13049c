//! Parser of metrics files: one line per value, `time value step`; then the dataset, or for a logged model
//! the run and the dataset.

use std::cmp::Ordering;
use std::fs::File;
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};

use crate::text::UserError;
use crate::tracking::entities::{ModelMetric, Point};

/// Longest line in bytes; a line has five numbers and names of a few hundred characters each.
const LONGEST: usize = 64 << 10;
/// Most values of one metric; they take 480 MB.
const MOST_POINTS: usize = 20_000_000;
/// Most bytes of a file that a follower reads at once.
const PIECE: u64 = 16 << 20;

/// All values of a run's metric, in file order.
///
/// # Errors
/// When the file can't be read, or a line is invalid; the error has the line number.
pub(super) fn history(file: File, buffer: &mut Vec<u8>) -> Result<Vec<Point>, UserError> {
    let mut points = Vec::new();
    each(file, buffer, |line| {
        if points.len() == MOST_POINTS {
            return Err(format!("there are more than {MOST_POINTS} values").into());
        }
        points.push(point(line)?);
        Ok(())
    })?;
    Ok(points)
}

/// The latest value of a run's metric, if any.
///
/// # Errors
/// The same as for [`history`].
pub(super) fn latest(file: File, buffer: &mut Vec<u8>) -> Result<Option<Point>, UserError> {
    let mut latest: Option<Point> = None;
    each(file, buffer, |line| {
        let point = point(line)?;
        if latest.is_none_or(|latest| is_later(point, latest)) {
            latest = Some(point);
        }
        Ok(())
    })?;
    Ok(latest)
}

/// The latest value of a logged model's metric for each dataset, in the order in which the datasets first
/// occur.
///
/// # Errors
/// The same as for [`history`].
pub(super) fn of_model(
    key: &str,
    file: File,
    buffer: &mut Vec<u8>,
) -> Result<Vec<ModelMetric>, UserError> {
    let mut metrics: Vec<ModelMetric> = Vec::new();
    each(file, buffer, |line| {
        let metric = model_metric(key, line)?;
        let at = |metric: &ModelMetric| Point {
            step: metric.step,
            timestamp: metric.timestamp,
            value: metric.value,
        };
        match metrics.iter_mut().find(|other| other.dataset == metric.dataset) {
            None => metrics.push(metric),
            Some(latest) if is_later(at(&metric), at(latest)) => *latest = metric,
            Some(_) => {}
        }
        Ok(())
    })?;
    Ok(metrics)
}

/// Whether MLflow considers a point on a later line as later than another: Python's `max` of (step, time,
/// value), where NaN is never greater than a number, and no number is greater than NaN.
fn is_later(point: Point, than: Point) -> bool {
    let ordering = point.step.cmp(&than.step).then(point.timestamp.cmp(&than.timestamp));
    match ordering {
        Ordering::Equal => point.value > than.value,
        ordering => ordering.is_gt(),
    }
}

/// The values in the complete lines of the next piece of a run's metrics file, starting at an offset; the
/// offset where these lines end; and the error of the first invalid line.
///
/// # Errors
/// When the file can't be read, or a line is too long.
pub(super) fn added(
    mut file: File,
    from: u64,
    buffer: &mut Vec<u8>,
) -> Result<(Vec<Point>, u64, Option<String>), UserError> {
    let (mut points, mut broken) = (Vec::new(), None);
    file.seek(SeekFrom::Start(from)).map_err(UserError::plain)?;
    let (length, _) = complete(file.take(PIECE), buffer, &mut |line| {
        match point(line) {
            Ok(point) => points.push(point),
            Err(reason) => broken = broken.take().or(Some(reason.text)),
        }
        Ok(())
    })?;
    Ok((points, from + length, broken))
}

/// The offset where the last complete line ends.
///
/// # Errors
/// When the file can't be read.
pub(super) fn last_end(mut file: File) -> io::Result<u64> {
    let size = file.metadata()?.len();
    let mut tail = Vec::new();
    let from = size.saturating_sub(LONGEST as u64);
    file.seek(SeekFrom::Start(from))?;
    file.take(LONGEST as u64).read_to_end(&mut tail)?;
    Ok(memchr::memrchr(b'\n', &tail).map_or(from, |at| from + at as u64 + 1))
}

/// Calls back for each line. An invalid last line without a line end is ignored, because it is still being
/// written.
fn each(
    file: impl Read,
    buffer: &mut Vec<u8>,
    mut take: impl FnMut(&[u8]) -> Result<(), UserError>,
) -> Result<(), UserError> {
    let (_, rest) = complete(file, buffer, &mut take)?;
    if !rest.is_empty() {
        let _ = take(rest);
    }
    Ok(())
}

/// Calls back for each complete line. Returns the total length of these lines and the incomplete rest.
fn complete<'a>(
    mut file: impl Read,
    buffer: &'a mut Vec<u8>,
    take: &mut impl FnMut(&[u8]) -> Result<(), UserError>,
) -> Result<(u64, &'a [u8]), UserError> {
    buffer.resize(LONGEST.max(buffer.len()), 0);
    let (mut held, mut number, mut length) = (0, 0_u64, 0);
    loop {
        let read = match file.read(&mut buffer[held..]) {
            Ok(read) => read,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(UserError::plain(error)),
        };
        let end = held + read;
        let mut start = 0;
        // The bytes carried over contain no line end.
        let mut searched = held;
        while let Some(at) = memchr::memchr(b'\n', &buffer[searched..end]) {
            number += 1;
            take(&buffer[start..searched + at])
                .map_err(|reason| reason.within(&format!("line {number}")))?;
            searched += at + 1;
            start = searched;
        }
        length += start as u64;
        if read == 0 {
            return Ok((length, &buffer[start..end]));
        }
        if start == 0 && end == buffer.len() {
            return Err(format!("line {}: it is too long", number + 1).into());
        }
        buffer.copy_within(start..end, 0);
        held = end - start;
    }
}

/// Splits a line into fields separated by single blanks.
fn fields<const N: usize>(line: &[u8]) -> ([&[u8]; N], usize) {
    let mut fields = [&[][..]; N];
    let mut count = 0;
    for field in line.trim_ascii().split(|byte| *byte == b' ') {
        if let Some(place) = fields.get_mut(count) {
            *place = field;
        }
        count += 1;
    }
    (fields, count)
}

fn point(line: &[u8]) -> Result<Point, UserError> {
    let ([time, value, step], count) = fields(line);
    // Without a step, or if a dataset follows directly, MLflow uses step 0.
    let step = match count {
        2 | 5 => 0,
        3 => whole("step", step)?,
        _ => return Err(format!("it has {count} fields, and a metric has 2, 3 or 5").into()),
    };
    Ok(Point { step, timestamp: whole("time", time)?, value: number(value)? })
}

fn model_metric(key: &str, line: &[u8]) -> Result<ModelMetric, UserError> {
    let ([time, value, step, run, name, digest], count) = fields(line);
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    let dataset = match count {
        4 => None,
        6 => Some((text(name), text(digest))),
        _ => return Err(format!("it has {count} fields, and a model's metric has 4 or 6").into()),
    };
    Ok(ModelMetric {
        key: key.to_owned(),
        value: number(value)?,
        step: whole("step", step)?,
        timestamp: whole("time", time)?,
        run_id: text(run),
        dataset,
    })
}

fn whole(what: &str, field: &[u8]) -> Result<i64, UserError> {
    let number = std::str::from_utf8(field).ok().and_then(|text| text.parse().ok());
    number.ok_or_else(|| format!("its {what} is no whole number").into())
}

fn number(field: &[u8]) -> Result<f64, UserError> {
    let number = std::str::from_utf8(field).ok().and_then(|text| text.parse().ok());
    number.ok_or_else(|| "its value is no number".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> File {
        let mut file = tempfile::tempfile().unwrap();
        std::io::Write::write_all(&mut file, text.as_bytes()).unwrap();
        std::io::Seek::rewind(&mut file).unwrap();
        file
    }

    fn read(text: &str) -> Result<Vec<(i64, i64, f64)>, UserError> {
        let points = history(file(text), &mut Vec::new())?;
        Ok(points.iter().map(|point| (point.step, point.timestamp, point.value)).collect())
    }

    fn last(text: &str) -> Option<f64> {
        latest(file(text), &mut Vec::new()).unwrap().map(|point| point.value)
    }

    #[test]
    fn lines_have_two_three_or_five_fields() {
        let lines = "5 0.5\n6 -1e-05 7\r\n8 inf 9 train d1\n1 -inf -9223372036854775808";
        let points = [(0, 5, 0.5), (7, 6, -1e-5), (0, 8, f64::INFINITY)];
        let lowest = (i64::MIN, 1, f64::NEG_INFINITY);
        assert_eq!(read(lines).unwrap(), [&points[..], &[lowest]].concat());
        assert!(read("1 nan 0\n").unwrap()[0].2.is_nan());
        assert_eq!(read("").unwrap(), []);
    }

    #[test]
    fn a_broken_line_is_named() {
        let reason = |text| read(text).unwrap_err().text;
        let fields = "line 2: it has 6 fields, and a metric has 2, 3 or 5";
        assert_eq!(reason("1 2 3\n1 2 3 a b d\n"), fields);
        assert_eq!(reason("1.5 2 3\n"), "line 1: its time is no whole number");
        assert_eq!(reason("1 x 3\n"), "line 1: its value is no number");
        assert_eq!(reason("1 2 \n1 2  3\n").split(':').next(), Some("line 2"));
        assert_eq!(reason("\n").split(':').next(), Some("line 1"));
        assert_eq!(reason(&"1".repeat(LONGEST + 1)), "line 1: it is too long");
        // The last line may still be incomplete.
        assert_eq!(read("1 2 3\n1").unwrap(), [(3, 1, 2.0)]);
    }

    #[test]
    fn the_latest_is_that_of_the_largest_step_time_and_value() {
        assert_eq!(last("1 5 2\n9 4 1\n"), Some(5.0));
        assert_eq!(last("1 5 2\n2 4 2\n"), Some(4.0));
        assert_eq!(last("1 5 2\n1 4 2\n"), Some(5.0));
        assert_eq!(last("1 -1 0\n1 nan 0\n"), Some(-1.0));
        assert!(last("1 nan 0\n1 1 0\n").unwrap().is_nan());
        assert_eq!(last("1 nan 0\n2 1 0\n"), Some(1.0));
        assert_eq!(last(""), None);
    }

    #[test]
    fn lines_are_read_across_the_ends_of_the_buffer() {
        let lines: Vec<String> =
            (0..50_000).map(|step| format!("17{step} 0.{step} {step}\n")).collect();
        let points = read(&lines.concat()).unwrap();
        assert_eq!(points.len(), 50_000);
        assert!(points.iter().enumerate().all(|(index, point)| point.0 == index as i64));
        assert_eq!(last(&lines.concat()), Some(0.49999));
    }

    #[test]
    fn added_lines_are_read_up_to_the_last_line_end() {
        let added = |text: &str, from| {
            let (points, end, broken) = added(file(text), from, &mut Vec::new()).unwrap();
            (points.iter().map(|point| point.step).collect::<Vec<_>>(), end, broken)
        };
        assert_eq!(added("1 2 3\n1 2 4\n1 2", 0), (vec![3, 4], 12, None));
        assert_eq!(added("1 2 3\n1 2 4\n1 2", 12), (vec![], 12, None));
        assert_eq!(added("1 2 3\n1 2 4\n1 2 5\n", 12), (vec![5], 18, None));
        let reason = "its value is no number".into();
        assert_eq!(added("1 x 3\n1 2 4\n1\n", 0), (vec![4], 14, Some(reason)));
    }

    #[test]
    fn metrics_of_models_are_kept_by_dataset() {
        let lines = "1 0.5 0 r\n2 0.7 1 r a d\n3 0.6 2 r a e\n4 0.8 2 r a d\n";
        let metrics = of_model("score", file(lines), &mut Vec::new()).unwrap();
        let values: Vec<_> =
            metrics.iter().map(|metric| (metric.value, metric.dataset.is_some())).collect();
        assert_eq!(values, [(0.5, false), (0.8, true), (0.6, true)]);
        assert!(of_model("score", file("1 2 3\n"), &mut Vec::new()).is_err());
    }
}
