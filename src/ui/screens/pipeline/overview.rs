//! The overview: the whole drawing in dots, with statuses, and with names where there is room.

use std::cmp::Reverse;

use ratatui::layout::{Position, Rect};

use super::super::super::paint::Paint;
use super::super::super::theme::Role;
use crate::app::screens::pipeline::PipelineScreen;
use crate::dag::layout;
use crate::dag::overview::Overview;
use crate::dag::view::NodeStatus;
use crate::dag::{Id, VertexKind};
use crate::text::{sanitize, width};

/// Names of ordinary vertices are written if there are at most this many vertices; more leave no room.
const FEW: usize = 500;

/// Draws the overview, with a frame around the part that the larger drawing shows, the selection, statuses and names.
pub(super) fn draw(paint: &mut Paint<'_>, area: Rect, screen: &PipelineScreen) {
    let overview = screen.overview(area.as_size());
    let left = area.x + area.width.saturating_sub(overview.width as u16) / 2;
    let top = area.y + area.height.saturating_sub(overview.height as u16) / 2;
    let map = Map { overview, area, corner: Position { x: left, y: top } };
    dots(paint, &map, screen);
    let mut taken = Taken { area, cells: vec![false; usize::from(area.width * area.height)] };
    statuses(paint, &map, screen, &mut taken);
    names(paint, &map, screen, &mut taken);
    viewport(paint, &map, screen);
}

/// The overview and its place on the screen.
struct Map {
    overview: Overview,
    /// The pane.
    area: Rect,
    /// The upper left cell of the overview.
    corner: Position,
}

impl Map {
    /// The cells of the screen that show a part of the drawing.
    fn shown(&self, part: &layout::Rect) -> Option<Rect> {
        let seen = self.overview.area(part)?;
        Some(Rect {
            x: self.corner.x + seen.x as u16,
            y: self.corner.y + seen.y as u16,
            width: seen.width as u16,
            height: seen.height as u16,
        })
    }
}

/// The cells of the pane that names must not cover.
struct Taken {
    area: Rect,
    cells: Vec<bool>,
}

impl Taken {
    fn index(&self, at: Position) -> usize {
        usize::from(at.y - self.area.y) * usize::from(self.area.width)
            + usize::from(at.x - self.area.x)
    }

    /// Whether a place is inside of the pane.
    fn has(&self, place: &Rect) -> bool {
        self.area.union(*place) == self.area
    }

    /// Whether a name has room at a place.
    fn is_free(&self, place: &Rect) -> bool {
        self.has(place) && place.positions().all(|at| !self.cells[self.index(at)])
    }

    fn take(&mut self, place: &Rect) {
        for at in place.positions() {
            let index = self.index(at);
            self.cells[index] = true;
        }
    }
}

fn dots(paint: &mut Paint<'_>, map: &Map, screen: &PipelineScreen) {
    let selected = screen.selected_id().map(|id| screen.plot.layout.boxes[id]);
    let selected = selected.and_then(|place| map.shown(&place));
    for row in 0..map.overview.height {
        for (column, cell) in map.overview.row(row).iter().enumerate() {
            let (x, y) = (map.corner.x + column as u16, map.corner.y + row as u16);
            let here = selected.is_some_and(|place| place.contains(Position { x, y }));
            if cell.dots == 0 {
                continue;
            }
            let role = match notable(NodeStatus::of_rank(cell.rank)) {
                _ if here => Role::Accent,
                None => Role::Edge,
                Some(state) => paint.glyphs.of_state(state).1,
            };
            let mut bytes = [0; 4];
            let sign = match (paint.glyphs.ascii(), here) {
                (true, true) => "@",
                (true, false) => plain(cell.dots),
                (false, _) => &*cell.sign().encode_utf8(&mut bytes),
            };
            paint.text(x, y, sign, role, 1);
        }
    }
}

/// Marks the part that the larger drawing shows, unless that is all of it.
fn viewport(paint: &mut Paint<'_>, map: &Map, screen: &PipelineScreen) {
    let (x, y) = screen.scroll;
    let (width, height) = (i32::from(map.area.width), i32::from(map.area.height));
    let all = (map.overview.width as u16, map.overview.height as u16);
    let seen = map.shown(&layout::Rect { x, y, width, height });
    if let Some(seen) = seen.filter(|seen| (seen.width, seen.height) != all) {
        paint.restyle(seen, Role::Selection);
    }
}

/// Writes the glyph of each status that needs attention at the first cell of its vertex; the worst one, if several share a
/// cell.
fn statuses(paint: &mut Paint<'_>, map: &Map, screen: &PipelineScreen, taken: &mut Taken) {
    let boxes = screen.plot.layout.boxes.iter().enumerate();
    let mut places: Vec<(NodeStatus, Position)> = boxes
        .filter_map(|(id, place)| {
            let status = notable(screen.state(id))?;
            Some((status, map.shown(place)?.as_position()))
        })
        .collect();
    places.sort_by_key(|(status, at)| (at.y, at.x, Reverse(*status)));
    places.dedup_by_key(|(_, at)| *at);
    for (status, at) in &places {
        let (sign, role) = paint.glyphs.of_state(*status);
        paint.text(at.x, at.y, sign, role, 1);
        taken.take(&Rect { x: at.x, y: at.y, width: 1, height: 1 });
    }
}

/// The status, if it needs attention.
fn notable(status: Option<NodeStatus>) -> Option<NodeStatus> {
    status.filter(|status| {
        !matches!(status, NodeStatus::NeverRun | NodeStatus::Fresh | NodeStatus::Done)
    })
}

/// Writes the name of the selection, those of namespaces, those of failed and running nodes, and, where there is nothing
/// else, those of other vertices. No name covers another one or a status.
fn names(paint: &mut Paint<'_>, map: &Map, screen: &PipelineScreen, taken: &mut Taken) {
    let plot = &screen.plot;
    let (selected, boxes) = (screen.selected_id(), &plot.layout.boxes);
    let vertices = &plot.view.graph.vertices;
    // Right, left, below, above.
    let around = |id: Id| {
        let place = map.shown(&boxes[id])?;
        let text = format!(" {} ", plot.labels[id]);
        let right = Rect { x: place.right(), width: width(&text) as u16, height: 1, ..place };
        let left = place.x.checked_sub(right.width).map(|x| Rect { x, ..right });
        let below = Rect { x: place.x, y: place.bottom(), ..right };
        let above = place.y.checked_sub(1).map(|y| Rect { y, ..below });
        let places = [Some(right), left, Some(below), above];
        Some((places.into_iter().flatten(), text))
    };
    if let Some((places, text)) = selected.and_then(around) {
        let places: Vec<Rect> = places.filter(|place| taken.has(place)).collect();
        let free = places.iter().find(|place| taken.is_free(place));
        if let Some(place) = free.or(places.first()) {
            write(paint, &text, Role::Accent, *place, taken);
        }
    }
    let mut groups: Vec<usize> = (0..plot.view.groups.len()).collect();
    let size = |group: &usize| {
        let frame = plot.layout.frames.get(*group).copied().flatten();
        frame.map_or(0, |frame| frame.area.width * frame.area.height)
    };
    groups.sort_by_key(|group| Reverse(size(group)));
    for group in groups {
        let frame = plot.layout.frames.get(group).copied().flatten();
        let Some(place) = frame.and_then(|frame| map.shown(&frame.area)) else { continue };
        let name = sanitize(plot.view.groups[group].short_name());
        let text = format!("{} {name} ", paint.glyphs.open);
        let place = Rect { width: width(&text) as u16, height: 1, ..place };
        if taken.is_free(&place) {
            write(paint, &text, Role::Title, place, taken);
        }
    }
    let rank = |id: &Id| match (vertices[*id].kind, screen.state(*id)) {
        (VertexKind::Namespace, _) => 0,
        (_, Some(NodeStatus::Failed | NodeStatus::Running)) => 1,
        (VertexKind::Node, _) => 2,
        _ => 3,
    };
    let with_name = |id: &Id| Some(*id) != selected && (boxes.len() <= FEW || rank(id) < 2);
    let mut others: Vec<Id> = (0..boxes.len()).filter(with_name).collect();
    others.sort_by_key(rank);
    for id in others {
        let Some((mut places, text)) = around(id) else { continue };
        let important = rank(&id) < 2;
        let row = map.shown(&boxes[id]).map(|place| place.y);
        let empty = |place: &Rect| {
            Some(place.y) == row
                && place
                    .positions()
                    .all(|at| paint.buffer.cell(at).is_some_and(|c| c.symbol() == " "))
        };
        let place = places.find(|place| taken.is_free(place) && (important || empty(place)));
        if let Some(place) = place {
            let role = match vertices[id].kind {
                VertexKind::Namespace => Role::Title,
                VertexKind::Node => Role::Node,
                VertexKind::Dataset => Role::Dataset,
                VertexKind::Parameters => Role::Parameters,
            };
            write(paint, &text, role, place, taken);
        }
    }
}

fn write(paint: &mut Paint<'_>, text: &str, role: Role, place: Rect, taken: &mut Taken) {
    paint.text(place.x, place.y, text, role, place.width);
    taken.take(&place);
}

/// The ASCII character that is about as dark as the dots.
fn plain(dots: u8) -> &'static str {
    match dots.count_ones() {
        0..=2 => ".",
        3..=5 => "o",
        _ => "#",
    }
}
