//! Bands: all vertices of a band come after all vertices of earlier bands, independent of edges.

use super::layers::Wire;

/// Moves items to later layers so that each band begins after the last layer of the bands before, and every
/// wire still leads forward. If an edge leads back to an earlier band (an error in the order of bands), the
/// edge takes precedence.
pub(super) fn separate(layer: &mut [usize], wires: &[Wire], bands: &[Option<usize>]) {
    let last = bands.iter().flatten().max().copied().unwrap_or(0);
    for band in 1..=last {
        let before = (0..bands.len()).filter(|item| bands[*item].is_some_and(|own| own < band));
        let Some(end) = before.map(|item| layer[item]).max() else { continue };
        for item in (0..bands.len()).filter(|item| bands[*item] == Some(band)) {
            layer[item] = layer[item].max(end + 1);
        }
        lead_onward(layer, wires);
    }
    // Remove empty layers.
    let mut used = layer.to_vec();
    used.sort_unstable();
    used.dedup();
    for layer in layer {
        *layer = used.partition_point(|other| other < layer);
    }
}

/// Moves the lower end of each wire below its upper end. The wires have no cycles, so this terminates.
fn lead_onward(layer: &mut [usize], wires: &[Wire]) {
    let mut below: Vec<Vec<usize>> = vec![Vec::new(); layer.len()];
    wires.iter().for_each(|wire| below[wire.upper].push(wire.lower));
    let mut moved: Vec<usize> = (0..layer.len()).collect();
    while let Some(item) = moved.pop() {
        for lower in &below[item] {
            if layer[*lower] <= layer[item] {
                layer[*lower] = layer[item] + 1;
                moved.push(*lower);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;

    use proptest::prelude::*;

    use super::super::{Direction, Effort, Sketch, layout};

    proptest! {
        #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn bands_keep_apart(
            edges in proptest::collection::vec((0..20_usize, 0..20_usize), 0..40),
            cuts in proptest::collection::vec(any::<bool>(), 20),
            sideways in any::<bool>(),
        ) {
            // Edges and bands both lead forward: some of the vertices 0 to 19 are in one of four bands.
            let edges = edges.into_iter().filter(|(from, to)| from < to).collect();
            let bands: Vec<Option<usize>> =
                cuts.iter().enumerate().map(|(id, in_one)| in_one.then_some(id / 5)).collect();
            let direction = if sideways { Direction::LeftRight } else { Direction::TopBottom };
            let sizes = vec![(6, 1); 20];
            let sketch = Sketch { direction, sizes, edges, bands: bands.clone(), ..Sketch::default() };
            let drawn = layout(&sketch, Effort::Full, None, &AtomicBool::new(false)).unwrap();
            let span = |id: usize| {
                let area = drawn.boxes[id];
                if sideways { (area.x, area.x + area.width) } else { (area.y, area.y + area.height) }
            };
            for (one, first) in bands.iter().enumerate() {
                for (other, second) in bands.iter().enumerate() {
                    if let (Some(first), Some(second)) = (first, second) && first < second {
                        prop_assert!(span(one).1 <= span(other).0, "{one} {other} {drawn:?}");
                    }
                }
            }
        }
    }
}
