//! Many runs at once: a metric over another value, parallel coordinates, and rank correlations.

use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::app::screens::experiments::plot::{Form, PlotPage, Plotted, part};
use crate::app::shared::Shared;
use crate::app::words::number_text;
use crate::text::{truncate_middle, width};
use crate::tracking::Overview;
use crate::tracking::relate::Values;
use crate::ui::chart::{Canvas, Plane, Tick, numbers};
use crate::ui::paint::Paint;
use crate::ui::screens::focused;
use crate::ui::theme::Role;

/// The fewest cells between two axes of parallel coordinates.
const APART: u16 = 12;
/// The widths of the bar and of the number of a rank correlation.
const BAR: u16 = 24;
/// Least height of a plot.
const LEAST: u16 = 4;

/// Draws the page.
pub(super) fn draw(
    paint: &mut Paint<'_>,
    area: Rect,
    page: &PlotPage,
    overview: &Overview,
    shared: &Shared,
) {
    let Some(plotted) = page.plotted(overview) else {
        return paint.note(area, &["These runs have no metric to compare.", "esc goes back."]);
    };
    if area.height < LEAST || area.width < APART {
        return paint.note(area, &["There is no room for a drawing."]);
    }
    match page.form {
        Form::Scatter => scatter(paint, area, page, &plotted),
        Form::Parallel => parallel(paint, area, page, &plotted),
        Form::Importance => importance(paint, area, page, &plotted, shared),
    }
}

/// A sign for each run, at the value of the field and of the metric.
fn scatter(paint: &mut Paint<'_>, area: Rect, page: &PlotPage, plotted: &Plotted<'_>) {
    let titles = page.titles();
    let (xs, ys) = (&plotted.values[page.field], &plotted.values[page.metric]);
    paint.name(area.x, area.y, &titles[page.metric], Role::Title, area.width / 2);
    let has_both = |run: &usize| xs.position(*run).is_some() && ys.position(*run).is_some();
    let drawn = (0..plotted.runs.len()).filter(has_both);
    let chosen = drawn.clone().filter(|run| plotted.kept[*run]).count();
    let hint = match drawn.count() {
        drawn if drawn > chosen => format!("{chosen} of {drawn} runs chosen"),
        drawn if drawn < plotted.runs.len() => format!("{drawn} runs have both"),
        _ => String::new(),
    };
    paint.right(area.right(), area.y, &hint, Role::Dim, area.width / 2);
    let (Some(x), Some(y)) = (xs.extent(), ys.extent()) else {
        let rest = Rect { y: area.y + 1, height: area.height - 1, ..area };
        return paint.note(rest, &["None of these runs has both values."]);
    };
    let body = Rect { y: area.y + 1, height: area.height - 3, ..area };
    let ticks = numbers(y, usize::from(body.height / 2).clamp(2, 5), usize::from(area.width / 3));
    let margin = ticks.iter().map(|tick| width(&tick.label)).max().unwrap_or(0) as u16;
    let plot =
        Rect { x: body.x + margin + 1, width: body.width.saturating_sub(margin + 2), ..body };
    let plane = Plane::of(plot, x, y);
    paint.upright(Rect { x: plot.x - 1, width: 1, ..plot }, Role::Border);
    for tick in &ticks {
        paint.right(plot.x - 1, plane.y(tick.at), &tick.label, Role::Dim, margin);
    }
    paint.rule(Rect { y: plot.bottom(), height: 1, ..plot }, Role::Border);
    let below = Rect { y: plot.bottom() + 1, height: 1, ..plot };
    labels(paint, below, &plane, xs, &titles[page.field]);
    let signs = if paint.glyphs.ascii() { ["o", "."] } else { ["●", "·"] };
    for run in order(plotted) {
        let (Some(x), Some(y)) = (xs.position(run), ys.position(run)) else { continue };
        let at = plane.at(x, y);
        let (sign, role) = match run {
            _ if Some(run) == plotted.selected => (paint.glyphs.selected, Role::Mark),
            _ if Some(run) == plotted.best => (paint.glyphs.best, Role::Good),
            _ if plotted.kept[run] => (signs[0], Role::Accent),
            _ => (signs[1], Role::Dim),
        };
        paint.text(at.x, at.y, sign, role, 1);
    }
}

/// The names or numbers along the horizontal axis, and its title where there is room.
fn labels(paint: &mut Paint<'_>, area: Rect, plane: &Plane, values: &Values, title: &str) {
    let ticks: Vec<Tick> = match values {
        Values::Numbers(_) => {
            let extent = values.extent().unwrap_or_default();
            numbers(extent, usize::from(area.width / 10).max(2), usize::from(area.width / 3))
        }
        Values::Texts { names, .. } => {
            let room = usize::from(area.width) / names.len().max(1);
            let tick = |(index, name): (usize, &String)| Tick {
                at: index as f64,
                label: truncate_middle(name, room.saturating_sub(1).max(1)),
            };
            names.iter().enumerate().map(tick).collect()
        }
    };
    let mut free = area.x;
    for tick in ticks {
        let cells = width(&tick.label) as u16;
        let middle = plane.x(tick.at).saturating_sub(cells / 2);
        let start = middle.min(area.right().saturating_sub(cells)).max(area.x);
        if start >= free {
            free = start + paint.text(start, area.y, &tick.label, Role::Dim, cells) + 1;
        }
    }
    let cells = width(title) as u16;
    if free + cells + 1 < area.right() {
        paint.right(area.right(), area.y, title, Role::Title, cells);
    } else if area.y > 0 {
        // On the line above, where nothing else is.
        let title = truncate_middle(title, usize::from(area.width / 2));
        paint.right(area.right(), area.y - 1, &format!(" {title} "), Role::Title, area.width);
    }
}

/// The runs in the order of drawing: those that count, the best, and the selected one come last.
fn order(plotted: &Plotted<'_>) -> Vec<usize> {
    let mut order: Vec<usize> = (0..plotted.runs.len()).collect();
    let rank = |run: usize| {
        let own = Some(run);
        (own == plotted.selected, own == plotted.best, plotted.kept[run])
    };
    order.sort_by_key(|run| rank(*run));
    order
}

/// An axis for each field and a line for each run.
fn parallel(paint: &mut Paint<'_>, area: Rect, page: &PlotPage, plotted: &Plotted<'_>) {
    let titles = page.titles();
    let count = usize::from(area.width / APART).max(2).min(page.fields.len());
    // The selected axis and the metric are in view.
    let first = page.field.saturating_sub(count.saturating_sub(1));
    let mut shown: Vec<usize> = (first..page.fields.len()).take(count).collect();
    if !shown.contains(&page.metric)
        && let Some(last) = shown.iter_mut().rfind(|index| **index != page.field)
    {
        *last = page.metric;
    }
    let step = f64::from(area.width - APART) / (shown.len().max(2) - 1) as f64;
    let plot =
        Rect { x: area.x, y: area.y + 2, width: area.width, height: area.height.saturating_sub(3) };
    if plot.height == 0 {
        return;
    }
    let place = |axis: usize| area.x + APART / 2 + (axis as f64 * step).round() as u16;
    let roles = [Role::Dim, Role::Accent, Role::Good, Role::Mark];
    let styles: Vec<Style> = roles.map(|role| paint.style(role)).to_vec();
    let mut canvas = Canvas::new(plot);
    let dots = usize::from(plot.height) * 4 - 1;
    for run in order(plotted) {
        let owner = match run {
            _ if Some(run) == plotted.selected => 3,
            _ if Some(run) == plotted.best => 2,
            _ => usize::from(plotted.kept[run]),
        };
        let mut before: Option<(usize, usize)> = None;
        for (axis, field) in shown.iter().enumerate() {
            let row = part(&plotted.values[*field], run)
                .map(|part| ((1.0 - part) * dots as f64).round() as usize);
            let now = row.map(|row| (usize::from(place(axis) - plot.x) * 2, row));
            if let (Some(from), Some(to)) = (before, now) {
                canvas.line(from, to, owner);
            }
            // A line goes on to the next value that the run has.
            before = now.or(before);
        }
    }
    canvas.draw(paint, &styles);
    for (axis, field) in shown.iter().enumerate() {
        let x = place(axis);
        axis_of(paint, plot, x, page, plotted, *field, &titles[*field]);
    }
}

/// An axis of parallel coordinates: its title, its ends, and the brushed part.
fn axis_of(
    paint: &mut Paint<'_>,
    plot: Rect,
    x: u16,
    page: &PlotPage,
    plotted: &Plotted<'_>,
    field: usize,
    title: &str,
) {
    let role = if field == page.field { Role::Focus } else { Role::Title };
    let mut centred = |y: u16, text: &str, role: Role| {
        let text = truncate_middle(text, usize::from(APART) - 1);
        let start = x.saturating_sub(width(&text) as u16 / 2).max(plot.x);
        paint.text(start, y, &text, role, plot.right().saturating_sub(start));
    };
    centred(plot.y - 2, title, role);
    let (low, high) = ends(&plotted.values[field]);
    centred(plot.y - 1, &high, Role::Dim);
    centred(plot.bottom(), &low, Role::Dim);
    paint.upright(Rect { x, width: 1, ..plot }, Role::Border);
    let name = crate::tracking::table::title(&page.fields[field]);
    if let Some((from, to)) = page.brushes.get(&name) {
        let height = f64::from(plot.height);
        let top = plot.y + ((1.0 - to) * height).floor() as u16;
        let bottom = plot.y + ((1.0 - from) * height).ceil() as u16;
        let bar = if paint.glyphs.ascii() { "#" } else { "┃" };
        for y in top..bottom.clamp(top + 1, plot.bottom()) {
            paint.text(x, y, bar, Role::Mark, 1);
        }
    }
}

/// The lowest and the highest value in words.
fn ends(values: &Values) -> (String, String) {
    match values {
        Values::Numbers(_) => match values.extent() {
            Some((low, high)) => (end_text(low), end_text(high)),
            None => ("-".into(), "-".into()),
        },
        Values::Texts { names, .. } => {
            let end = |name: Option<&String>| name.cloned().unwrap_or_default();
            (end(names.first()), end(names.last()))
        }
    }
}

/// A number with all its digits if they are few.
fn end_text(value: f64) -> String {
    let exact = value.to_string();
    if exact.len() <= 6 { exact } else { number_text(value) }
}

/// The params, the strongest relation first.
fn importance(
    paint: &mut Paint<'_>,
    area: Rect,
    page: &PlotPage,
    plotted: &Plotted<'_>,
    shared: &Shared,
) {
    let relations = page.relations(plotted);
    if relations.is_empty() {
        return paint.note(
            area,
            &["No param says anything of this metric.", "At least 3 runs must differ in one."],
        );
    }
    let titles = page.titles();
    let names = relations.iter().map(|(index, _)| width(&titles[*index]));
    let most = area.width.saturating_sub(BAR + 26).max(8);
    let name = u16::try_from(names.max().unwrap_or(0)).unwrap_or(most).clamp(5, most);
    let bar_x = area.x + 2 + name + 2;
    let bar = BAR.min(area.right().saturating_sub(bar_x + 22));
    paint.text(area.x + 2, area.y, "param", Role::Dim, name);
    let head = format!("{} with {}", "rank correlation", titles[page.metric]);
    paint.name(bar_x, area.y, &head, Role::Dim, area.right().saturating_sub(bar_x));
    let rows = relations.iter().enumerate().skip(page.position.offset);
    for (y, (index, (field, relation))) in (area.y + 1..area.bottom()).zip(rows) {
        paint.row(area, y, index == page.position.selected, focused(shared));
        paint.name(area.x + 2, y, &titles[*field], Role::Parameters, name);
        let full = (relation.strength * f64::from(bar)).round() as u16;
        let sign = if paint.glyphs.ascii() { "#" } else { "█" };
        paint.text(bar_x, y, &sign.repeat(usize::from(full)), Role::Accent, bar);
        let x = bar_x + bar + 1;
        paint.right(x + 5, y, &relation.text(), Role::Number, 5);
        let note = match relation.rises {
            Some(_) => format!("{} runs", relation.runs),
            None => format!("{} runs, texts", relation.runs),
        };
        paint.text(x + 7, y, &note, Role::Dim, area.right().saturating_sub(x + 7));
    }
}
