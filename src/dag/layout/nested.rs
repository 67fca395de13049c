//! Nested drawings: a group is drawn first and then treated as one box, with ports in its frame, in its
//! parent's drawing. An edge consists of pieces, one in each drawing that it passes.

use std::collections::HashMap;

use super::keep::{Kept, Key, Memory, RememberedSheet, Spot};
use super::layers::{Bound, Wire};
use super::pack::{self, Part};
use super::plan::{Piece, Plan};
use super::route::Drawn;
use super::sheet::{Finished, Sheet};
use super::{
    Before, Direction, Effort, Frame, Layout, Port, Rect, Route, Size, Sketch, Spacing, Stand,
    Stop, Stopped,
};

pub(super) fn draw(
    sketch: &Sketch,
    effort: Effort,
    before: Option<Before<'_>>,
    stop: &Stop,
) -> Result<Layout, Stopped> {
    let before = before.filter(|before| before.layout.direction == sketch.direction);
    let plan = Plan::of(sketch);
    let mut painter = Painter {
        sketch,
        plan: &plan,
        effort,
        before,
        stop,
        spacing: Spacing::of(sketch.direction),
        memory: Memory::default(),
    };
    painter.draw()
}

/// A drawing with its size and its position in the parent's drawing.
#[derive(Default)]
struct Picture {
    finished: Finished,
    /// Size including the frame, if any.
    size: Size,
    ports: Vec<Port>,
    /// Start of the title, relative to the frame.
    title: (i32, i32),
    /// Offset from coordinates in the drawing to those in the frame.
    inset: (i32, i32),
    /// Offset from coordinates in the frame to those in the whole drawing.
    origin: (i32, i32),
}

struct Painter<'a> {
    sketch: &'a Sketch,
    plan: &'a Plan,
    effort: Effort,
    before: Option<Before<'a>>,
    stop: &'a Stop<'a>,
    spacing: Spacing,
    memory: Memory,
}

impl Painter<'_> {
    fn draw(&mut self) -> Result<Layout, Stopped> {
        let mut pictures: Vec<Picture> = Vec::new();
        pictures.resize_with(self.plan.items.len(), Picture::default);
        self.memory.sheets.resize_with(self.plan.items.len(), RememberedSheet::default);
        for group in &self.plan.groups {
            let all: Vec<usize> = (0..self.plan.items[group + 1].len()).collect();
            let (sheet, _) = self.sheet(group + 1, &all, &pictures);
            let kept = self.kept_group(*group, &sheet);
            let finished = sheet.draw(kept.as_ref(), self.effort, &self.spacing, self.stop)?;
            self.remember(group + 1, group + 1, &all, &sheet.wires, &finished);
            pictures[group + 1] = self.frame(*group, finished);
        }
        pictures[0] = self.whole(&pictures)?;
        // Outer groups first, so that the origin of the parent is known.
        for group in self.plan.groups.iter().rev() {
            let parent = self.sketch.groups[*group].parent;
            let parent = parent
                .filter(|parent| *parent < self.sketch.groups.len())
                .map_or(0, |parent| parent + 1);
            let item = self.plan.index[parent].get(&Key::Group(*group));
            let area = item
                .map_or_else(Rect::default, |item| pictures[parent].finished.drawn.boxes[*item]);
            let outer = &pictures[parent];
            let origin =
                (outer.origin.0 + outer.inset.0 + area.x, outer.origin.1 + outer.inset.1 + area.y);
            pictures[group + 1].origin = origin;
        }
        Ok(self.assemble(&pictures))
    }

    /// The items of a drawing, or some of them, as a sheet; and the numbers of the sheet's wires in the
    /// drawing.
    fn sheet(&self, drawing: usize, items: &[usize], pictures: &[Picture]) -> (Sheet, Vec<usize>) {
        let mut sheet = Sheet::default();
        for (index, item) in items.iter().enumerate() {
            let mut bound = Bound::Free;
            let size = match self.plan.items[drawing][*item] {
                Key::Vertex(vertex) => self.size(vertex),
                Key::Group(group) => {
                    sheet.ports.insert(index, pictures[group + 1].ports.clone());
                    pictures[group + 1].size
                }
                Key::Port { bottom, .. } => {
                    bound = if bottom { Bound::Last } else { Bound::First };
                    Size { across: 1, along: 1 }
                }
                Key::Title(group) => {
                    bound = Bound::First;
                    sheet.title = Some(index);
                    Size { across: self.sketch.groups[group].title.max(0) + 2, along: 1 }
                }
            };
            sheet.sizes.push(size);
            sheet.bounds.push(bound);
            sheet.bands.push(match self.plan.items[drawing][*item] {
                Key::Vertex(vertex) => self.sketch.bands.get(vertex).copied().flatten(),
                _ => None,
            });
        }
        let mut place = vec![usize::MAX; self.plan.items[drawing].len()];
        for (index, item) in items.iter().enumerate() {
            place[*item] = index;
        }
        let mut numbers = Vec::new();
        for (number, wire) in self.plan.wires[drawing].iter().enumerate() {
            if place[wire.upper] != usize::MAX {
                let (upper, lower) = (place[wire.upper], place[wire.lower]);
                sheet.wires.push(Wire { upper, lower, ..*wire });
                numbers.push(number);
            }
        }
        (sheet, numbers)
    }

    fn size(&self, vertex: usize) -> Size {
        let (width, height) = self.sketch.sizes[vertex];
        let (width, height) = (width.max(1), height.max(1));
        match self.sketch.direction {
            Direction::TopBottom => Size { across: width, along: height },
            Direction::LeftRight => Size { across: height, along: width },
        }
    }

    /// Puts a frame around a group's drawing.
    fn frame(&self, group: usize, mut finished: Finished) -> Picture {
        let drawn = &mut finished.drawn;
        let sideways = self.sketch.direction == Direction::LeftRight;
        let title = self.sketch.groups[group].title.max(0);
        let keys = &self.plan.items[group + 1];
        let is_port = |key: &Key| matches!(key, Key::Port { .. } | Key::Title(_));
        let (across, mut along) = extent(drawn);
        // Sides without ports still need a border, and space before it.
        let bound = |bottom: bool| {
            keys.iter().any(|key| match key {
                Key::Port { bottom: at, .. } => *at == bottom,
                Key::Title(_) => !bottom,
                _ => false,
            })
        };
        let (first, last) = (bound(false), bound(true));
        let room = if sideways { 2 } else { 1 };
        let lead = if first { 0 } else { room };
        along += lead;
        if !last {
            along += room;
        }
        if sideways && along < title + 4 {
            // Ports on the far side move with it.
            let more = title + 4 - along;
            along += more;
            let edge = along - lead - 1;
            for (key, area) in std::iter::zip(keys, &mut drawn.boxes) {
                if matches!(key, Key::Port { bottom: true, .. }) {
                    area.y = edge;
                }
            }
            for (wire, line) in std::iter::zip(&self.plan.wires[group + 1], &mut drawn.lines) {
                if !matches!(keys[wire.lower], Key::Port { bottom: true, .. }) {
                    continue;
                }
                match line.as_mut_slice() {
                    [] => {}
                    [only] => {
                        let column = only.0;
                        line.push((column, edge - 1));
                    }
                    [.., end] => end.1 = edge - 1,
                }
            }
        }
        let edge = 1 + self.spacing.padding;
        let size = Size { across: across + 2 * edge, along };
        let mut ports = Vec::new();
        let mut place = (2, 0);
        for (key, area) in std::iter::zip(keys, &drawn.boxes) {
            match key {
                Key::Port { owner, bottom, .. } => {
                    let inward = self.plan.wires[group + 1]
                        .iter()
                        .find(|wire| keys[wire.upper] == *key || keys[wire.lower] == *key);
                    let back = inward.is_some_and(|wire| wire.back);
                    let offset = area.x + edge;
                    ports.push(Port { owner: *owner, back, bottom: *bottom, offset });
                }
                Key::Title(_) => place = (area.x + edge + 1, 0),
                _ => {}
            }
        }
        debug_assert!(keys.iter().zip(&drawn.boxes).all(|(key, area)| {
            !is_port(key) || area.y + lead == 0 || area.y + lead == along - 1
        }));
        let title = if sideways { (0, 2) } else { place };
        Picture { finished, size, ports, title, inset: (edge, lead), origin: (0, 0) }
    }

    /// Draws the outermost drawing: its connected parts, packed beside one another.
    fn whole(&mut self, pictures: &[Picture]) -> Result<Picture, Stopped> {
        let count = self.plan.items[0].len();
        let mut whole = Finished::default();
        whole.drawn.boxes = vec![Rect::default(); count];
        whole.drawn.lines = vec![Vec::new(); self.plan.wires[0].len()];
        let mut parts = Vec::new();
        for members in self.parts() {
            let (sheet, numbers) = self.sheet(0, &members, pictures);
            let (kept, origin) = self.kept_part(&members, &sheet);
            let finished = sheet.draw(kept.as_ref(), self.effort, &self.spacing, self.stop)?;
            let (width, height) = extent(&finished.drawn);
            parts.push(Part { members, numbers, sheet, finished, width, height, origin });
        }
        parts.sort_by_key(|part| std::cmp::Reverse(part.members.len()));
        pack::arrange(&mut parts, self.sketch.direction);
        for part in parts {
            let (left, top) = part.origin.unwrap_or_default();
            let id = self.memory.sheets.len();
            self.memory.sheets.push(RememberedSheet {
                tops: part.finished.drawn.tops.clone(),
                origin: (left, top),
            });
            self.remember(0, id, &part.members, &part.sheet.wires, &part.finished);
            for (item, area) in std::iter::zip(part.members, part.finished.drawn.boxes) {
                whole.drawn.boxes[item] = Rect { x: area.x + left, y: area.y + top, ..area };
            }
            for (number, line) in std::iter::zip(part.numbers, part.finished.drawn.lines) {
                whole.drawn.lines[number] =
                    line.into_iter().map(|(x, y)| (x + left, y + top)).collect();
            }
        }
        Ok(Picture { finished: whole, ..Picture::default() })
    }

    /// The connected parts of the outermost drawing, sorted by their first items. Items that were in the same
    /// part before stay together.
    fn parts(&self) -> Vec<Vec<usize>> {
        let items = &self.plan.items[0];
        let mut leader: Vec<usize> = (0..items.len()).collect();
        fn find(leader: &mut [usize], item: usize) -> usize {
            let mut at = item;
            while leader[at] != at {
                leader[at] = leader[leader[at]];
                at = leader[at];
            }
            at
        }
        let mut join = |one: usize, other: usize| {
            let (one, other) = (find(&mut leader, one), find(&mut leader, other));
            leader[one.max(other)] = one.min(other);
        };
        for wire in &self.plan.wires[0] {
            join(wire.upper, wire.lower);
        }
        let mut old: HashMap<usize, usize> = HashMap::new();
        for (item, key) in items.iter().enumerate() {
            if let Some(spot) = self.old_spot(*key) {
                join(*old.entry(spot.sheet).or_insert(item), item);
            }
        }
        // Bands span all parts, so there is only one part.
        if self.sketch.bands.iter().any(Option::is_some) {
            (1..items.len()).for_each(|item| join(0, item));
        }
        let mut number: HashMap<usize, usize> = HashMap::new();
        let mut parts: Vec<Vec<usize>> = Vec::new();
        for item in 0..items.len() {
            let part = *number.entry(find(&mut leader, item)).or_insert(parts.len());
            if part == parts.len() {
                parts.push(Vec::new());
            }
            parts[part].push(item);
        }
        parts
    }

    /// The item's key in the previous drawing.
    fn old_key(&self, key: Key) -> Option<Key> {
        let before = self.before.as_ref()?;
        let vertex = |id: usize| before.vertices.get(id).copied().flatten();
        let group = |id: usize| before.groups.get(id).copied().flatten();
        match key {
            Key::Vertex(id) => vertex(id).map(Key::Vertex),
            Key::Group(id) => match group(id)? {
                Stand::Group(old) => Some(Key::Group(old)),
                Stand::Vertex(old) => Some(Key::Vertex(old)),
            },
            Key::Port { group: id, owner, bottom } => match group(id)? {
                Stand::Group(group) => Some(Key::Port { group, owner: vertex(owner)?, bottom }),
                Stand::Vertex(_) => None,
            },
            Key::Title(id) => match group(id)? {
                Stand::Group(old) => Some(Key::Title(old)),
                Stand::Vertex(_) => None,
            },
        }
    }

    fn old_spot(&self, key: Key) -> Option<Spot> {
        let before = self.before.as_ref()?;
        before.layout.memory.spots.get(&self.old_key(key)?).copied()
    }

    fn kept_group(&self, group: usize, sheet: &Sheet) -> Option<Kept> {
        let before = self.before.as_ref()?;
        let Some(Stand::Group(old)) = before.groups.get(group).copied().flatten() else {
            return None;
        };
        let all: Vec<usize> = (0..self.plan.items[group + 1].len()).collect();
        Some(self.kept(group + 1, &all, sheet, old + 1))
    }

    /// The previous positions of a part of the outermost drawing, and the part's origin.
    fn kept_part(&self, members: &[usize], sheet: &Sheet) -> (Option<Kept>, Option<(i32, i32)>) {
        let Some(before) = &self.before else { return (None, None) };
        let mut votes: HashMap<usize, usize> = HashMap::new();
        for item in members {
            if let Some(spot) = self.old_spot(self.plan.items[0][*item]) {
                *votes.entry(spot.sheet).or_default() += 1;
            }
        }
        let most = votes.into_iter().max_by_key(|(id, votes)| (*votes, std::cmp::Reverse(*id)));
        let Some((old, _)) = most else { return (None, None) };
        let origin = before.layout.memory.sheets[old].origin;
        (Some(self.kept(0, members, sheet, old)), Some(origin))
    }

    fn kept(&self, drawing: usize, items: &[usize], sheet: &Sheet, old: usize) -> Kept {
        let Some(before) = &self.before else { return Kept::default() };
        let memory = &before.layout.memory;
        let keys: Vec<Option<Key>> =
            items.iter().map(|item| self.old_key(self.plan.items[drawing][*item])).collect();
        let spots = keys.iter().map(|key| {
            let spot = memory.spots.get(key.as_ref()?).filter(|spot| spot.sheet == old)?;
            Some((spot.layer, spot.column))
        });
        let bends = sheet.wires.iter().map(|wire| {
            let owner = before.vertices.get(wire.owner).copied().flatten()?;
            memory.bends.get(&(keys[wire.upper]?, keys[wire.lower]?, owner)).cloned()
        });
        let tops = memory.sheets.get(old).map(|sheet| sheet.tops.clone());
        Kept { spots: spots.collect(), bends: bends.collect(), tops: tops.unwrap_or_default() }
    }

    fn remember(
        &mut self,
        drawing: usize,
        sheet: usize,
        items: &[usize],
        wires: &[Wire],
        finished: &Finished,
    ) {
        let keys: Vec<Key> = items.iter().map(|item| self.plan.items[drawing][*item]).collect();
        self.memory.sheets[sheet].tops.clone_from(&finished.drawn.tops);
        for (index, key) in keys.iter().enumerate() {
            let (layer, column) = (finished.layer[index], finished.drawn.boxes[index].x);
            self.memory.spots.insert(*key, Spot { sheet, layer, column });
        }
        for (wire, bends) in std::iter::zip(wires, &finished.bends) {
            if !bends.is_empty() {
                let key = (keys[wire.upper], keys[wire.lower], wire.owner);
                self.memory.bends.insert(key, bends.clone());
            }
        }
    }

    /// The final boxes and edges, transposed if edges point to the right.
    fn assemble(&mut self, pictures: &[Picture]) -> Layout {
        let sideways = self.sketch.direction == Direction::LeftRight;
        let turn = |cell: (i32, i32)| if sideways { (cell.1, cell.0) } else { cell };
        let turn_area = |area: Rect| match sideways {
            true => Rect { x: area.y, y: area.x, width: area.height, height: area.width },
            false => area,
        };
        let shift = |drawing: usize| {
            let picture = &pictures[drawing];
            (picture.origin.0 + picture.inset.0, picture.origin.1 + picture.inset.1)
        };
        let mut layout = Layout {
            direction: self.sketch.direction,
            boxes: vec![Rect::default(); self.sketch.sizes.len()],
            frames: vec![None; self.sketch.groups.len()],
            memory: std::mem::take(&mut self.memory),
            ..Layout::default()
        };
        for (drawing, keys) in self.plan.items.iter().enumerate() {
            let (left, top) = shift(drawing);
            for (key, area) in std::iter::zip(keys, &pictures[drawing].finished.drawn.boxes) {
                let area = turn_area(Rect { x: area.x + left, y: area.y + top, ..*area });
                match key {
                    Key::Vertex(vertex) => layout.boxes[*vertex] = area,
                    Key::Group(group) => {
                        let inner = turn(pictures[group + 1].title);
                        let title = (area.x + inner.0, area.y + inner.1);
                        layout.frames[*group] = Some(Frame { area, title });
                    }
                    _ => {}
                }
            }
        }
        for ((source, target), back, pieces) in &self.plan.edges {
            let mut corners: Vec<(i32, i32)> = Vec::new();
            let mut drawn = true;
            for Piece { drawing, wire } in pieces {
                let (left, top) = shift(*drawing);
                let line = &pictures[*drawing].finished.drawn.lines[*wire];
                drawn &= !line.is_empty();
                let place = |(x, y): &(i32, i32)| turn((x + left, y + top));
                if *back {
                    corners.extend(line.iter().rev().map(place));
                } else {
                    corners.extend(line.iter().map(place));
                }
            }
            if drawn {
                straighten(&mut corners);
                layout.routes.push(Route { source: *source, target: *target, corners });
            }
        }
        layout.routes.sort_by_key(|route| (route.source, route.target));
        let areas = layout.boxes.iter().copied();
        let areas = areas.chain(layout.frames.iter().flatten().map(|frame| frame.area));
        let ends = areas.map(|area| (area.x + area.width, area.y + area.height));
        let cells = layout.routes.iter().flat_map(|route| &route.corners);
        for (x, y) in ends.chain(cells.map(|(x, y)| (x + 1, y + 1))) {
            layout.width = layout.width.max(x);
            layout.height = layout.height.max(y);
        }
        layout
    }
}

/// Removes corners where a line does not turn.
fn straighten(corners: &mut Vec<(i32, i32)>) {
    let mut kept: Vec<(i32, i32)> = Vec::with_capacity(corners.len());
    for corner in corners.drain(..) {
        if kept.last() == Some(&corner) {
            continue;
        }
        if let [.., before, last] = kept.as_slice() {
            let level = before.0 == last.0 && last.0 == corner.0;
            let upright = before.1 == last.1 && last.1 == corner.1;
            if level || upright {
                kept.pop();
            }
        }
        kept.push(corner);
    }
    *corners = kept;
}

/// Width and height of a drawing.
fn extent(drawn: &Drawn) -> (i32, i32) {
    let corners = drawn.lines.iter().flatten().map(|(x, y)| (x + 1, y + 1));
    let boxes = drawn.boxes.iter().map(|area| (area.x + area.width, area.y + area.height));
    corners.chain(boxes).fold((0, 0), |most, end| (most.0.max(end.0), most.1.max(end.1)))
}
