//! A single drawing: items and wires in, boxes and lines out. A group has a drawing of its own and is an item
//! of its parent's drawing.

use std::collections::HashMap;

use super::bands;
use super::keep::{self, Kept};
use super::layers::{self, Bound, Layered, Wire};
use super::order;
use super::place::Placer;
use super::ports;
use super::route::{self, Drawn};
use super::{Effort, Port, Size, Spacing, Stop, Stopped};

/// The input of a drawing; items are numbered from 0.
#[derive(Debug, Default)]
pub(super) struct Sheet {
    pub(super) sizes: Vec<Size>,
    pub(super) bounds: Vec<Bound>,
    /// The fixed ports of items.
    pub(super) ports: HashMap<usize, Vec<Port>>,
    pub(super) wires: Vec<Wire>,
    /// The band of each item.
    pub(super) bands: Vec<Option<usize>>,
    /// An item that must come first in its layer: the title.
    pub(super) title: Option<usize>,
}

/// A finished drawing, with the positions that keep the next one similar.
#[derive(Debug, Default)]
pub(super) struct Finished {
    pub(super) drawn: Drawn,
    pub(super) layer: Vec<usize>,
    /// The columns of each wire's bends, starting at its upper end.
    pub(super) bends: Vec<Vec<i32>>,
}

impl Sheet {
    /// Draws the sheet, as similar to an earlier drawing as possible if `kept` is given.
    pub(super) fn draw(
        &self,
        kept: Option<&Kept>,
        effort: Effort,
        spacing: &Spacing,
        stop: &Stop,
    ) -> Result<Finished, Stopped> {
        let mut layer = match kept {
            Some(kept) => keep::layers(&self.bounds, &self.wires, kept),
            None => layers::layers(&self.bounds, &self.wires, effort, stop)?,
        };
        if self.bands.iter().any(Option::is_some) {
            bands::separate(&mut layer, &self.wires, &self.bands);
        }
        let mut layered = Layered::new(layer, &self.wires);
        let mut sizes = self.sizes.clone();
        let preferred = match kept {
            Some(kept) => keep::order(&mut layered, &self.ports, kept, stop)?,
            None => {
                order::reduce_crossings(&mut layered, &self.ports, effort, stop)?;
                Vec::new()
            }
        };
        if let Some(title) = self.title {
            let layer = &mut layered.layers[layered.layer[title]];
            layer.retain(|point| *point != title);
            layer.insert(0, title);
        }
        layered.merge_bends(&self.wires);
        stop.check()?;
        let offsets = ports::assign(&layered, &mut sizes, &self.ports);
        let placer = Placer::new(&layered, &sizes, &offsets, spacing);
        let columns = match kept {
            Some(_) => keep::columns(&placer, &layered, &preferred),
            None => placer.columns(effort, stop)?,
        };
        let before = kept.map(|kept| kept.tops.as_slice());
        let drawn = route::draw(&layered, &sizes, &columns, &offsets, before, spacing, stop)?;
        let bends = layered.paths.iter().map(|path| {
            path.iter().filter(|point| layered.is_bend(**point)).map(|point| columns[*point])
        });
        let bends = bends.map(Iterator::collect).collect();
        layered.layer.truncate(layered.items);
        Ok(Finished { drawn, layer: layered.layer, bends })
    }
}
