//! The pipeline: nodes, datasets and the lines between them, as boxes, single lines, an overview or a list.

mod boxes;
mod canvas;
mod lanes;
mod lines;
mod overview;

use ratatui::layout::Rect;

use super::super::paint::Paint;
use super::super::theme::Role;
use crate::app::screens::pipeline::PipelineScreen;
use crate::app::screens::pipeline::plot::Band;
use crate::app::screens::pipeline::{Plot, Zoom};
use crate::app::shared::Shared;
use crate::dag::layout;
use crate::text::{sanitize, width};
use canvas::Canvas;

/// Pipelines with at least this many nodes show a message while they are drawn.
const LARGE: usize = 1_000;

/// Draws the visible part of the drawing.
pub(in super::super) fn draw(
    paint: &mut Paint<'_>,
    area: Rect,
    screen: &PipelineScreen,
    shared: &Shared,
) {
    if screen.plot.view.graph.vertices.is_empty() {
        return empty(paint, area, screen, shared);
    }
    if let Some(lanes) = screen.plot.lanes.as_ref().filter(|_| screen.lanes) {
        return lanes::draw(paint, area, screen, shared, lanes);
    }
    if screen.zoom() == Zoom::Overview {
        return overview::draw(paint, area, screen);
    }
    let canvas = Canvas { area, scroll: screen.scroll };
    drawing(paint, &canvas, screen, shared);
    hints(paint, &canvas, screen);
}

fn drawing(paint: &mut Paint<'_>, canvas: &Canvas, screen: &PipelineScreen, shared: &Shared) {
    let plot = &screen.plot;
    let selected = screen.selected_id();
    let bands = bands(canvas, plot);
    for (area, _) in &bands {
        paint.restyle(*area, Role::Header);
    }
    boxes::frames(paint, canvas, plot);
    lines::draw(paint, canvas, plot, selected);
    boxes::titles(paint, canvas, plot, selected);
    for id in plot.lines.boxes(&plot.layout, canvas.shown()) {
        boxes::vertex(paint, canvas, screen, shared, id, selected == Some(id));
    }
    if plot.boxes {
        lines::exits(paint, canvas, plot, selected);
    }
    names(paint, canvas.area, &bands);
}

/// Draws the visible part of each layer's band, across the pane, with its name.
fn bands<'a>(canvas: &Canvas, plot: &'a Plot) -> Vec<(Rect, &'a str)> {
    let seen = canvas.shown();
    let area = |band: &'a Band| {
        let length = band.to - band.from;
        let area = match plot.sideways {
            true => layout::Rect { x: band.from, width: length, y: seen.y, height: seen.height },
            false => layout::Rect { y: band.from, height: length, x: seen.x, width: seen.width },
        };
        Some((canvas.rect(&area)?, band.name.as_str()))
    };
    plot.bands.iter().filter_map(area).collect()
}

/// Writes the names of layers where there is room in their bands.
fn names(paint: &mut Paint<'_>, pane: Rect, bands: &[(Rect, &str)]) {
    for (area, name) in bands {
        let name = sanitize(name);
        let length = width(&name) as u16 + 1;
        let free = |paint: &Paint<'_>, x: u16, y: u16| {
            (x..x + length).all(|x| paint.buffer[(x, y)].symbol() == " ")
        };
        let mut places = area.positions().filter(|at| at.x + length <= pane.right());
        if let Some(at) = places.find(|at| free(paint, at.x, at.y)) {
            paint.text(at.x, at.y, &name, Role::Comment, length);
        }
    }
}

fn empty(paint: &mut Paint<'_>, area: Rect, screen: &PipelineScreen, shared: &Shared) {
    match &shared.project.snapshot {
        None => paint.note(area, &["Reading the project ..."]),
        Some(snapshot) if snapshot.pipelines.is_empty() => paint.note(
            area,
            &[
                "No pipeline could be read.",
                "The problems (!) say why. Kedro itself may know more: press E to let it read the project.",
            ],
        ),
        Some(_) if shared.shown_pipeline().is_some_and(|shown| shown.nodes.is_empty()) => paint
            .note(area, &["This pipeline has no nodes.", "Press p to choose another one."]),
        // Only a large pipeline takes a noticeable time to draw.
        Some(_) if screen.plot.whole.vertices.is_empty() => {
            let count = shared.shown_pipeline().map_or(0, |pipeline| pipeline.nodes.len());
            if count > LARGE {
                paint.note(area, &["Drawing the pipeline ..."]);
            }
        }
        Some(_) => match screen.plot.too_large {
            Some(too_large) => paint.note(
                area,
                &[
                    "Too large to be drawn as a whole",
                    &format!("{} boxes, {} edges.", too_large.vertices, too_large.edges),
                    "Press & to filter, p to choose another one.",
                ],
            ),
            None => paint.note(area, &["The filter leaves nothing.", "Press esc to show all."]),
        },
    }
}

/// Draws arrows at the edges beyond which the drawing continues.
fn hints(paint: &mut Paint<'_>, canvas: &Canvas, screen: &PipelineScreen) {
    let layout = &screen.plot.layout;
    let area = canvas.area;
    let (x, y) = canvas.scroll;
    let arrows =
        if paint.glyphs.ascii() { ["^", "v", "<", ">"] } else { ["↑", "↓", "←", "→"] };
    let (right, middle_y) = (area.right() - 1, area.y + area.height / 2);
    for (beyond, column, row, arrow) in [
        (y > 0, right, area.y, arrows[0]),
        (layout.height - y > i32::from(area.height), right, area.bottom() - 1, arrows[1]),
        (x > 0, area.x, middle_y, arrows[2]),
        (layout.width - x > i32::from(area.width), right, middle_y, arrows[3]),
    ] {
        if beyond {
            paint.text(column, row, arrow, Role::Accent, 1);
        }
    }
}
