//! Round times on an axis: durations, and times of the clock.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::ticks::Tick;

const SECOND: i64 = 1000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// Round steps below a day, in milliseconds.
const STEPS: [i64; 27] = [
    1,
    2,
    5,
    10,
    20,
    50,
    100,
    200,
    500,
    SECOND,
    2 * SECOND,
    5 * SECOND,
    10 * SECOND,
    15 * SECOND,
    30 * SECOND,
    MINUTE,
    2 * MINUTE,
    5 * MINUTE,
    10 * MINUTE,
    15 * MINUTE,
    30 * MINUTE,
    HOUR,
    2 * HOUR,
    3 * HOUR,
    6 * HOUR,
    12 * HOUR,
    DAY,
];

/// The smallest round step with at most `most` multiples in a time.
fn step(span: i64, most: usize) -> i64 {
    let fits = |step: &i64| span / step < most.max(1) as i64;
    let days = (0..8).flat_map(|power| [1, 2, 5].map(|digit| digit * 10_i64.pow(power) * DAY));
    STEPS.into_iter().chain(days).find(fits).unwrap_or(i64::MAX)
}

/// The multiples of a step in a window of seconds, in milliseconds. `offset` is added before a multiple is sought.
fn multiples((from, to): (f64, f64), step: i64, offset: i64) -> impl Iterator<Item = i64> {
    let (from, to) = ((from * 1e3).ceil() as i64, (to * 1e3).floor() as i64);
    let first = from.saturating_add(offset).saturating_add(step - 1).div_euclid(step);
    let last = to.saturating_add(offset).div_euclid(step);
    (first..=last).map(move |count| count * step - offset)
}

fn span((from, to): (f64, f64)) -> i64 {
    ((to - from) * 1e3) as i64
}

/// Ticks of a window of seconds, with labels such as `1 h 30 min`.
pub(super) fn durations(window: (f64, f64), most: usize) -> Vec<Tick> {
    let step = step(span(window), most);
    let tick = |time: i64| Tick { at: time as f64 / 1e3, label: duration(time) };
    multiples(window, step, 0).map(tick).collect()
}

/// A round duration in its two largest units.
fn duration(milliseconds: i64) -> String {
    let size = milliseconds.abs();
    let sign = if milliseconds < 0 { "-" } else { "" };
    if size < SECOND && size > 0 {
        return format!("{sign}{size} ms");
    }
    if size % SECOND > 0 {
        let seconds = format!("{:.3}", size as f64 / 1e3);
        return format!("{sign}{} s", seconds.trim_end_matches('0'));
    }
    let units = [(DAY, "d"), (HOUR, "h"), (MINUTE, "min"), (SECOND, "s")];
    let mut rest = size;
    let mut parts = Vec::new();
    for (unit, name) in units {
        if rest >= unit {
            parts.push(format!("{} {name}", rest / unit));
            rest %= unit;
        }
    }
    match parts.is_empty() {
        true => "0 s".into(),
        false => format!("{sign}{}", parts.join(" ")),
    }
}

/// Ticks of a window of seconds since the epoch, with times of the clock as labels, and dates at midnight.
pub(super) fn times(window: (f64, f64), most: usize, zone: &TimeZone) -> Vec<Tick> {
    let step = step(span(window), most);
    let start = Timestamp::from_millisecond((window.0 * 1e3) as i64);
    let offset = start.map_or(0, |time| i64::from(zone.to_offset(time).seconds()) * SECOND);
    let tick = |time: i64| {
        let local = Timestamp::from_millisecond(time).ok()?.to_zoned_datetime(zone.clone());
        let midnight = (time + offset).rem_euclid(DAY) == 0;
        let form = match step {
            step if step >= 300 * DAY => "%Y-%m-%d",
            step if step >= DAY || midnight => "%m-%d",
            step if step >= MINUTE => "%H:%M",
            step if step >= SECOND => "%H:%M:%S",
            _ => "%H:%M:%S%.3f",
        };
        Some(Tick { at: time as f64 / 1e3, label: local.strftime(form).to_string() })
    };
    multiples(window, step, offset).filter_map(tick).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(ticks: Vec<Tick>) -> Vec<String> {
        ticks.into_iter().map(|tick| tick.label).collect()
    }

    #[test]
    fn durations_are_round() {
        for (from, to, expected) in [
            (0.0, 1.0, &["0 s", "500 ms", "1 s"][..]),
            (0.0, 100.0, &["0 s", "30 s", "1 min", "1 min 30 s"]),
            (0.0, 3.0 * 3600.0, &["0 s", "1 h", "2 h", "3 h"]),
            (3600.0, 3.0 * 3600.0, &["1 h", "1 h 30 min", "2 h", "2 h 30 min", "3 h"]),
            (2.1, 2.9, &["2.2 s", "2.4 s", "2.6 s", "2.8 s"]),
            (0.0, 9e5, &["0 s", "5 d", "10 d"]),
            (0.0, 0.0, &["0 s"]),
        ] {
            assert_eq!(labels(durations((from, to), 5)), expected, "{from} to {to}");
        }
    }

    #[test]
    fn times_are_round_in_their_zone_and_midnight_is_a_date() {
        let utc = TimeZone::UTC;
        let half = TimeZone::fixed(jiff::tz::Offset::from_seconds(19_800).unwrap());
        let day = 1_767_225_600.0; // 2026-01-01 00:00 UTC
        for (zone, from, to, expected) in [
            (&utc, -7200.0, 7200.0, &["22:00", "23:00", "01-01", "01:00", "02:00"][..]),
            (&half, 0.0, 7200.0, &["05:30", "06:00", "06:30", "07:00", "07:30"]),
            (&utc, 1.0, 4.0, &["00:00:01", "00:00:02", "00:00:03", "00:00:04"]),
            (&utc, 0.5, 0.502, &["00:00:00.500", "00:00:00.501", "00:00:00.502"]),
            (&utc, 0.0, 3e5, &["01-01", "01-02", "01-03", "01-04"]),
        ] {
            let ticks = times((day + from, day + to), 5, zone);
            assert_eq!(labels(ticks), expected, "{from} to {to}");
        }
        assert_eq!(times((9e15, 9.1e15), 5, &utc), [], "no calendar has these");
    }

    #[test]
    fn any_window_has_few_ticks() {
        for power in -3..16 {
            for digit in 1..10 {
                let to = f64::from(digit) * 10_f64.powi(power);
                let count = durations((0.0, to), 5).len();
                assert!((1..=5).contains(&count), "{to}: {count}");
            }
        }
    }
}
