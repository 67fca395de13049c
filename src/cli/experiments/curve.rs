//! The curve that `mlops-tui experiments history --plot` draws.

use clap::ValueEnum;

use crate::app::words::seconds_text;
use crate::cli::plot::{Plot, draw, range};
use crate::text::{UserError, sanitize, truncate};
use crate::tracking::curve::{Axis, Scale, Split, ordered, smooth, split};
use crate::tracking::entities::{Point, Run};

/// Options of the curve.
#[derive(Debug, clap::Args)]
pub(super) struct CurveArguments {
    /// Draw the curve
    #[arg(long, conflicts_with_all = ["json", "csv"])]
    pub plot: bool,
    /// Smooth it as TensorBoard does, from 0 to below 1
    #[arg(long, value_name = "WEIGHT", requires = "plot", value_parser = weight)]
    smooth: Option<f64>,
    /// Draw on a logarithmic scale
    #[arg(long, requires = "plot")]
    log: bool,
    /// The horizontal axis: steps, the time, or the time since the first value
    #[arg(long, value_name = "AXIS", requires = "plot", default_value = "step")]
    axis: AxisArgument,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum AxisArgument {
    Step,
    Time,
    Relative,
}

fn weight(text: &str) -> Result<f64, UserError> {
    let weight = text.parse().ok().filter(|weight| (0.0..1.0).contains(weight));
    weight.ok_or_else(|| "It has to be a number from 0 to below 1.".into())
}

impl CurveArguments {
    /// The curve of a metric for a terminal of this many columns, with its name above, and a note on values that are not shown below.
    pub(super) fn draw(&self, run: &Run, metric: &str, points: &[Point], columns: usize) -> String {
        let (axis, name) = match self.axis {
            AxisArgument::Step => (Axis::Step, "step"),
            AxisArgument::Time => (Axis::Time, "time"),
            AxisArgument::Relative => (Axis::Relative, "since the first value"),
        };
        let scale = if self.log { Scale::Logarithmic } else { Scale::Linear };
        let points = ordered(points, axis);
        let smoothed = self.smooth.map(|weight| smooth(&points, weight));
        let split = split(smoothed.as_deref().unwrap_or(&points), axis, scale);
        let mut title = format!("{metric}  {}  {}", run.name, run.id.get(..8).unwrap_or(&run.id));
        title += &match points.len() {
            1 => "  1 value".to_owned(),
            count => format!("  {count} values"),
        };
        if let Some(weight) = self.smooth {
            title += &format!(", smoothed by {weight}");
        }
        if self.log {
            title += ", logarithmic";
        }
        let mut text = format!("{}\n", truncate(&sanitize(&title), columns));
        if split.spots.is_empty() {
            text += "There is no value that can be drawn.\n";
        } else {
            let marks: Vec<f64> =
                [&split.nan, &split.infinite, &split.negative_infinite, &split.not_positive]
                    .into_iter()
                    .flatten()
                    .copied()
                    .collect();
            let (first, last) = range(&split.spots, &marks);
            let label = |x| place(axis, x, last - first);
            let labels = [&label(first), name, &label(last)];
            text += &draw(Plot { spots: &split.spots, scale, marks: &marks, labels }, columns);
        }
        text += &notes(&split);
        text
    }
}

/// The label of a position on the axis; the axis's length `span` decides how exact a time is.
fn place(axis: Axis, x: f64, span: f64) -> String {
    match axis {
        Axis::Step => format!("{x}"),
        Axis::Relative if span < 1.0 => format!("{:.0} ms", x * 1e3),
        Axis::Relative => seconds_text(x),
        Axis::Time => {
            let form = match span {
                span if span < 10.0 => "%Y-%m-%d %H:%M:%S%.3f",
                span if span < 3600.0 => "%Y-%m-%d %H:%M:%S",
                _ => "%Y-%m-%d %H:%M",
            };
            let time = jiff::Timestamp::from_millisecond((x * 1e3).round() as i64);
            let zone = jiff::tz::TimeZone::system();
            time.map(|time| time.to_zoned_datetime(zone).strftime(form).to_string())
                .unwrap_or_else(|_| format!("{x}"))
        }
    }
}

/// A note on values that can't be drawn.
fn notes(split: &Split) -> String {
    let kinds = [
        (&split.nan, "NaN"),
        (&split.infinite, "infinite"),
        (&split.negative_infinite, "negative infinity"),
        (&split.not_positive, "zero or negative, where no logarithm is"),
    ];
    let mut text = String::new();
    for (places, what) in kinds {
        let (values, are) = if places.len() == 1 { ("value", "is") } else { ("values", "are") };
        if !places.is_empty() {
            text += &format!("× {} {values} {are} {what}.\n", places.len());
        }
    }
    text
}
