//! Tracked runs compared in one HTML file: a table, equal params, charts, notes. It needs no network and no script, and its
//! size is bounded: what has no room is left out, and the page says so.

mod style;
mod tables;
#[cfg(test)]
mod tests;

use crate::app::chart::ChartView;
use crate::app::screens::experiments::columns::{Column, SYSTEM, Source, columns, name};
use crate::app::screens::experiments::comparison::Comparison;
use crate::text::markup::{cut, escaped};
use crate::tracking::entities::{Point, Run};
use crate::ui::chart::Series;
use crate::ui::chart::svg::{Figure, Form, line};

/// Bytes of the page beyond which no chart is added.
const MOST: usize = 950_000;
/// Bytes that one chart takes at most, roughly.
const CHART: usize = 60_000;
/// Bytes of a column of one curve.
const COLUMN: usize = 24;
/// Most characters of a name or a key.
const NAME: usize = 120;
/// Most names of metrics that are listed as left out.
const LISTED: usize = 20;

/// The page. `read` returns the values of a metric, those of each run in the order of the runs. Charts are drawn one by one, so that
/// the values of one metric are in memory at a time, and metrics that have no room are not read.
///
/// # Errors
/// Those of `read`.
pub fn html<E>(
    comparison: &Comparison,
    read: impl FnMut(&str) -> Result<Vec<Vec<Point>>, E>,
) -> Result<String, E> {
    let Comparison { overview, choices, now, .. } = comparison;
    let source = Source { overview, choices, groups: None, baseline: None, now: *now };
    let all: Vec<usize> = (0..overview.runs.len()).collect();
    let page = Page { comparison, source, columns: columns(&source, &all) };
    let title = match overview.runs.len() {
        1 => "1 run".to_owned(),
        count => format!("Comparison of {count} runs"),
    };
    let mut out = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n\
         <title>{title}</title>\n<style>\n{}</style>\n</head>\n<body>\n<header>\n<h1>{title}</h1>\n\
         <p>{} · {}</p>\n",
        style::page(overview.runs.len()),
        cut(&overview.source, NAME),
        tables::time((now * 1e3) as i64),
    );
    if comparison.left_out > 0 {
        out += &format!("<p class=\"left\">{}</p>\n", comparison.excess());
    }
    out += "</header>\n<main>\n";
    page.runs(&mut out);
    page.equal_params(&mut out);
    let mut end = String::new();
    page.notes(&mut end);
    end += "</main>\n</body>\n</html>\n";
    page.charts(&mut out, end.len(), read)?;
    Ok(out + &end)
}

/// What the page shows.
struct Page<'a> {
    comparison: &'a Comparison,
    source: Source<'a>,
    /// All columns, in the order of use.
    columns: Vec<Column>,
}

impl<'a> Page<'a> {
    fn run_list(&self) -> &'a [Run] {
        &self.comparison.overview.runs
    }

    /// The columns of metrics, those of the system last.
    fn metrics(&self) -> impl Iterator<Item = (&Column, &str)> {
        let metrics = || self.columns.iter().filter_map(|column| Some((column, column.metric()?)));
        let own = metrics().filter(|(_, key)| !key.starts_with(SYSTEM));
        own.chain(metrics().filter(|(_, key)| key.starts_with(SYSTEM)))
    }

    /// Writes a chart for each metric with more than one value, as long as there is room.
    fn charts<E>(
        &self,
        out: &mut String,
        reserved: usize,
        mut read: impl FnMut(&str) -> Result<Vec<Vec<Point>>, E>,
    ) -> Result<(), E> {
        let names: Vec<String> = self.run_list().iter().map(name).collect();
        let start = out.len();
        self.legend(out, &names);
        let begun = out.len();
        let mut metrics = self.metrics();
        let mut left: Vec<&str> = Vec::new();
        for (column, key) in metrics.by_ref() {
            let lists = read(key)?;
            let count = lists.iter().filter(|list| list.len() > 1).count();
            if count == 0 {
                continue;
            }
            let series: Vec<Series<'_>> = names
                .iter()
                .zip(&lists)
                .map(|(name, points)| Series { name, points, best: column.goal })
                .collect();
            let columns = (CHART / count / COLUMN).clamp(24, 360) as u16;
            let form = Form { width: 420, height: 200, columns, legend: false };
            let figure = Figure::of(key, &series, &ChartView::default(), form).inline(key);
            if out.len() + figure.len() + reserved > MOST {
                left.push(key);
                break;
            }
            *out += "<figure>\n";
            *out += &figure;
            *out += "</figure>\n";
        }
        left.extend(metrics.map(|(_, key)| key));
        if out.len() == begun && left.is_empty() {
            out.truncate(start);
            return Ok(());
        }
        *out += "</div>\n";
        if let Some(text) = left_out(&left) {
            *out += &text;
        }
        *out += "</section>\n";
        Ok(())
    }

    /// Begins the section of charts with the lines and markers of the runs.
    fn legend(&self, out: &mut String, names: &[String]) {
        *out += "<section>\n<h2>Curves</h2>\n<ul class=\"legend\">\n";
        let empty: Vec<Series<'_>> =
            names.iter().map(|name| Series { name, points: &[], best: None }).collect();
        let markers = crate::ui::chart::markers(&empty);
        for (index, (name, marker)) in names.iter().zip(markers).enumerate() {
            *out += &format!(
                "<li><svg viewBox=\"0 0 36 8\" aria-hidden=\"true\"><path class=\"{}\" transform=\"scale(.1)\" \
                 d=\"M0 40h360\"/></svg> <b>{marker}</b> {}</li>\n",
                line(index),
                cut(name, NAME)
            );
        }
        *out += "</ul>\n<div class=\"charts\">\n";
    }
}

/// What is said of metrics that have no chart for want of room.
fn left_out(metrics: &[&str]) -> Option<String> {
    let names: Vec<String> = metrics.iter().take(LISTED).map(|key| escaped_code(key)).collect();
    let more = match metrics.len().saturating_sub(LISTED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    (!metrics.is_empty()).then(|| {
        format!(
            "<p class=\"left\">These metrics are not drawn, because the page would be larger than 1 MB: {}{more}.</p>\n",
            names.join(", ")
        )
    })
}

fn escaped_code(key: &str) -> String {
    format!("<code>{}</code>", cut(key, NAME))
}

/// An element with text.
fn element(name: &str, class: &str, text: &str) -> String {
    match class {
        "" => format!("<{name}>{}</{name}>", escaped(text)),
        class => format!("<{name} class=\"{class}\">{}</{name}>", escaped(text)),
    }
}
