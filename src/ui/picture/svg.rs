//! A picture as SVG: cells at fixed positions, lines as paths, selectable text, the colours of the light theme.

use std::fmt::Write as _;

use super::Picture;
use crate::dag::layout::{DOWN, LEFT, LineCell, RIGHT, Rect, UP};
use crate::text::markup::escaped;
use crate::text::width;
use crate::ui::color::{Depth, web};
use crate::ui::glyphs::Glyphs;
use crate::ui::theme::{Role, Theme};

/// Size of a cell in units of the picture.
const CELL: (f32, f32) = (8.0, 16.0);
/// Half the gap in a line that passes under another.
const GAP: f32 = 2.5;

/// The roles that have a class, with its name.
const CLASSES: [(Role, &str); 10] = [
    (Role::Good, "good"),
    (Role::Bad, "bad"),
    (Role::Stale, "stale"),
    (Role::Running, "running"),
    (Role::Warning, "stopped"),
    (Role::Dim, "dim"),
    (Role::Node, "node"),
    (Role::Dataset, "dataset"),
    (Role::Parameters, "parameters"),
    (Role::Title, "title"),
];

impl Picture<'_> {
    /// The drawing as an SVG document.
    pub fn to_svg(&self) -> String {
        // A cell of margin all around.
        let (width, height) = corner((self.layout.width + 2, self.layout.height + 2));
        let (left, top) = corner((-1, -1));
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
             viewBox=\"{left} {top} {width} {height}\">\n"
        );
        svg.push_str(&style());
        rect(&mut svg, "paper", (left, top), (width, height));
        let whole = Rect { x: 0, y: 0, width: self.layout.width, height: self.layout.height };
        for (area, title, place) in self.frames(whole) {
            rect(
                &mut svg,
                "frame",
                middle((area.x, area.y)),
                corner((area.width - 1, area.height - 1)),
            );
            if !title.is_empty() {
                rect(&mut svg, "paper", corner(place), corner((cells(title), 1)));
                // SVG drops spaces at the ends and would stretch the rest.
                let ahead = title.len() - title.trim_start().len();
                written(&mut svg, "title", (place.0 + ahead as i32, place.1), title.trim());
            }
        }
        for band in self.bands() {
            let mut path = Path::default();
            for cell in self.lines.visible(band) {
                path.cell(&cell);
            }
            let heads: String = self.heads(band).map(|(place, way)| head(place, way)).collect();
            for (class, path) in [("line", path.finish()), ("head", heads)] {
                if !path.is_empty() {
                    let _ = writeln!(svg, "<path class=\"{class}\" d=\"{path}\"/>");
                }
            }
        }
        for (label, area, place) in self.boxes(whole) {
            let (sign, role) = label.look(Glyphs::of(false));
            let class = class(role);
            rect(
                &mut svg,
                &format!("box {class}"),
                corner((area.x, area.y)),
                corner((area.width, area.height)),
            );
            written(&mut svg, class, place, &format!("{sign} {}", label.text));
        }
        svg.push_str("</svg>\n");
        svg
    }
}

/// The upper left corner of a cell.
fn corner((x, y): (i32, i32)) -> (f32, f32) {
    (x as f32 * CELL.0, y as f32 * CELL.1)
}

fn middle(cell: (i32, i32)) -> (f32, f32) {
    let (x, y) = corner(cell);
    (x + CELL.0 / 2.0, y + CELL.1 / 2.0)
}

/// The middle of a side of a cell.
fn side(cell: (i32, i32), way: u8) -> (f32, f32) {
    let (x, y) = middle(cell);
    match way {
        UP => (x, y - CELL.1 / 2.0),
        DOWN => (x, y + CELL.1 / 2.0),
        LEFT => (x - CELL.0 / 2.0, y),
        _ => (x + CELL.0 / 2.0, y),
    }
}

fn cells(text: &str) -> i32 {
    width(text) as i32
}

fn class(role: Role) -> &'static str {
    CLASSES.iter().find(|(other, _)| *other == role).map_or("", |(_, class)| class)
}

fn rect(svg: &mut String, class: &str, (x, y): (f32, f32), (width, height): (f32, f32)) {
    let _ = writeln!(
        svg,
        "<rect class=\"{class}\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" rx=\"4\"/>"
    );
}

/// A text that begins at a cell, as wide as in a terminal whatever the font is.
fn written(svg: &mut String, class: &str, cell: (i32, i32), text: &str) {
    let (x, y) = corner(cell);
    let (wide, _) = corner((cells(text), 1));
    let escaped = escaped(text);
    let _ = writeln!(
        svg,
        "<text class=\"{class}\" x=\"{x}\" y=\"{}\" textLength=\"{wide}\">{escaped}</text>",
        y + 0.72 * CELL.1
    );
}

/// The arrow head in a cell: its tip at the side that the line leads to.
fn head(cell: (i32, i32), way: u8) -> String {
    let (x, y) = side(cell, way);
    let (dx, dy) = match way {
        UP => (0.0, 7.0),
        DOWN => (0.0, -7.0),
        LEFT => (7.0, 0.0),
        _ => (-7.0, 0.0),
    };
    let (wide, high) = (dy / 2.0, dx / 2.0);
    format!("M{x} {y}L{} {}L{} {}Z", x + dx + wide, y + dy + high, x + dx - wide, y + dy - high)
}

fn style() -> String {
    let theme = Theme::built_in("light", Depth::True);
    let ink = |role: Role| web(theme.style(role).fg);
    let paper = web(theme.style(Role::Background).bg);
    let (edge, border) = (ink(Role::Edge), ink(Role::Border));
    let mut style = format!(
        "<style>\n\
         text {{ font: {}px ui-monospace, Menlo, Consolas, \"DejaVu Sans Mono\", monospace; white-space: pre }}\n\
         .paper {{ fill: {paper} }}\n\
         .frame {{ fill: none; stroke: {border}; stroke-dasharray: 4 3 }}\n\
         .box {{ fill: {paper}; stroke: {border} }}\n\
         .line {{ fill: none; stroke: {edge}; stroke-width: 1.2 }}\n\
         .head {{ fill: {edge} }}\n",
        // Characters of most monospaced fonts are 0.6 times as wide as high.
        CELL.0 / 0.6
    );
    for (role, class) in CLASSES {
        let _ = writeln!(style, "text.{class} {{ fill: {} }}", ink(role));
        if matches!(role, Role::Good | Role::Bad | Role::Stale | Role::Running | Role::Warning) {
            let _ = writeln!(style, ".box.{class} {{ stroke: {} }}", ink(role));
        }
    }
    style + "</style>\n"
}

/// A straight piece of a line: whether it is vertical, its position across, its source, its start and end.
type Piece = (bool, i32, usize, f32, f32);

/// The lines of a band.
#[derive(Default)]
struct Path {
    straight: Vec<Piece>,
    turns: String,
}

impl Path {
    fn cell(&mut self, cell: &LineCell) {
        let at = (cell.x, cell.y);
        let ways = cell.ways & (UP | DOWN | LEFT | RIGHT);
        let (upright, level) = (ways & (UP | DOWN), ways & (LEFT | RIGHT));
        if upright.count_ones() == 1 && level.count_ones() == 1 {
            let ((from_x, from_y), (to_x, to_y)) = (side(at, upright), side(at, level));
            let (x, y) = middle(at);
            let _ = write!(self.turns, "M{from_x} {from_y}Q{x} {y} {to_x} {to_y}");
        } else {
            self.pieces(at, upright, cell.owner);
            self.pieces(at, level, cell.owner);
        }
        if let Some((_, owner)) = cell.under {
            let (x, _) = middle(at);
            self.straight.push((false, cell.y, owner, side(at, LEFT).0, x - GAP));
            self.straight.push((false, cell.y, owner, x + GAP, side(at, RIGHT).0));
        }
    }

    /// Two directions from the middle of a cell that form a straight line.
    fn pieces(&mut self, at: (i32, i32), ways: u8, owner: usize) {
        let upright = ways & (UP | DOWN) != 0;
        let (back, onward) = if upright { (UP, DOWN) } else { (LEFT, RIGHT) };
        let along = |(x, y): (f32, f32)| if upright { y } else { x };
        let end = |way: u8| along(if ways & way != 0 { side(at, way) } else { middle(at) });
        if ways != 0 {
            let across = if upright { at.0 } else { at.1 };
            self.straight.push((upright, across, owner, end(back), end(onward)));
        }
    }

    fn finish(mut self) -> String {
        self.straight.sort_by(|one, other| {
            (one.0, one.1, one.2).cmp(&(other.0, other.1, other.2)).then(one.3.total_cmp(&other.3))
        });
        let mut joined: Vec<Piece> = Vec::new();
        for piece in self.straight {
            match joined.last_mut() {
                Some(last)
                    if (last.0, last.1, last.2) == (piece.0, piece.1, piece.2)
                        && piece.3 <= last.4 =>
                {
                    last.4 = last.4.max(piece.4);
                }
                _ => joined.push(piece),
            }
        }
        let mut path = self.turns;
        for (upright, across, _, from, to) in joined {
            let (x, y) = middle((across, across));
            let _ = match upright {
                true => write!(path, "M{x} {from}V{to}"),
                false => write!(path, "M{from} {y}H{to}"),
            };
        }
        path
    }
}
