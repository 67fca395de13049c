//! What the table and the messages say of any run.

use crate::tracking::entities::Run;

/// The name of a run; the beginning of its id if it has none.
pub fn name(run: &Run) -> String {
    if run.name.is_empty() { run.id.chars().take(8).collect() } else { run.name.clone() }
}

/// How long a run took, in seconds; until `now` if it is going on.
pub fn took(run: &Run, now: f64) -> Option<f64> {
    let end = match (run.end_time, run.status.as_str()) {
        (Some(end), _) => seconds(end),
        (None, "RUNNING") => now,
        _ => return None,
    };
    Some((end - seconds(run.start_time?)).max(0.0))
}

/// Milliseconds as seconds.
pub fn seconds(milliseconds: i64) -> f64 {
    // Times in milliseconds are far below 2^53, so the conversion is exact.
    milliseconds as f64 / 1000.0
}
