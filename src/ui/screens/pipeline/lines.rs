//! The lines between the boxes. Lines at the selection are highlighted, and less so the paths to its ancestors
//! and descendants.

use std::collections::HashMap;

use super::super::super::paint::Paint;
use super::super::super::theme::Role;
use super::canvas::Canvas;
use crate::app::screens::pipeline::Plot;
use crate::dag::layout::{DOWN, LEFT, RIGHT, Rect, UP};
use crate::dag::{Id, VertexKind};

/// The role of highlighted lines, by the vertex whose line it is.
type Lit = HashMap<(i32, i32), (Id, Role)>;

/// Draws the visible parts of all lines.
pub(super) fn draw(paint: &mut Paint<'_>, canvas: &Canvas, plot: &Plot, selected: Option<Id>) {
    let lit = selected.map(|id| lit(canvas, plot, id)).unwrap_or_default();
    let heads = heads(canvas, plot);
    for line in plot.lines.visible(canvas.shown()) {
        let Some((x, y)) = canvas.cell(line.x, line.y) else { continue };
        let (owner, role) = lit.get(&(line.x, line.y)).copied().unwrap_or((line.owner, Role::Edge));
        let sign = match (heads.get(&(line.x, line.y)), line.under) {
            (Some(way), _) => paint.glyphs.head(*way),
            (None, Some(_)) if owner == line.owner => paint.glyphs.crossing,
            (None, _) => paint.glyphs.join(line.ways_of(owner)),
        };
        paint.text(x, y, sign, role, 1);
    }
}

/// Draws where lines leave the outlines of boxes, so that there is no gap.
pub(super) fn exits(paint: &mut Paint<'_>, canvas: &Canvas, plot: &Plot, selected: Option<Id>) {
    let outline = if plot.sideways { UP | DOWN } else { LEFT | RIGHT };
    for route in &plot.layout.routes {
        let Some((x, y)) = route.corners.first().copied() else { continue };
        let area = &plot.layout.boxes[route.source];
        let boxed = matches!(
            plot.view.graph.vertices[route.source].kind,
            VertexKind::Node | VertexKind::Namespace
        );
        let onward =
            if plot.sideways { x == area.x + area.width } else { y == area.y + area.height };
        if !boxed || !onward {
            continue;
        }
        let (cell, way) = if plot.sideways { ((x - 1, y), RIGHT) } else { ((x, y - 1), DOWN) };
        // Text on the outline is kept.
        let edge = paint.glyphs.lines[usize::from(plot.sideways)];
        let free = |place: &(u16, u16)| paint.buffer[*place].symbol() == edge;
        if let Some((column, row)) = canvas.cell(cell.0, cell.1).filter(free) {
            let style = paint.buffer[(column, row)].style();
            let sign = paint.glyphs.join(outline | way);
            let style = match selected == Some(route.source) {
                true => paint.style(Role::EdgeSelected),
                false => style,
            };
            paint.styled(column, row, sign, style, 1);
        }
    }
}

/// The visible ends of lines, with the direction to their boxes.
fn heads(canvas: &Canvas, plot: &Plot) -> HashMap<(i32, i32), u8> {
    let seen = canvas.shown();
    let inside = |(x, y): (i32, i32)| seen.meets(&Rect { x, y, width: 1, height: 1 });
    let routes = plot.layout.routes.iter();
    let ends = routes.filter_map(|route| Some((*route.corners.last()?, route.target)));
    ends.filter(|(end, _)| inside(*end))
        .map(|(end, target)| (end, plot.layout.boxes[target].way_from(end)))
        .collect()
}

/// The visible cells of lines on paths to and from the selection.
fn lit(canvas: &Canvas, plot: &Plot, selected: Id) -> Lit {
    let graph = &plot.view.graph;
    let side = |along: bool| {
        let mut on = vec![false; graph.vertices.len()];
        graph.reach(selected, along).into_iter().for_each(|id| on[id] = true);
        on[selected] = true;
        on
    };
    let (before, after) = (side(false), side(true));
    let mut lit = Lit::new();
    for route in &plot.layout.routes {
        let (source, target) = (route.source, route.target);
        let direct = source == selected || target == selected;
        let role = match direct {
            true => Role::EdgeSelected,
            false if before[source] && before[target] => Role::EdgePath,
            false if after[source] && after[target] => Role::EdgePath,
            false => continue,
        };
        let seen = canvas.shown();
        let mut take = |cell: (i32, i32)| {
            let slot = lit.entry(cell).or_insert((source, role));
            if direct {
                *slot = (source, role);
            }
        };
        if let [only] = route.corners[..] {
            take(only);
        }
        for leg in route.corners.windows(2) {
            let clip = |a: i32, b: i32, from: i32, length: i32| {
                a.min(b).max(from)..=a.max(b).min(from + length - 1)
            };
            for y in clip(leg[0].1, leg[1].1, seen.y, seen.height) {
                for x in clip(leg[0].0, leg[1].0, seen.x, seen.width) {
                    take((x, y));
                }
            }
        }
    }
    lit
}
