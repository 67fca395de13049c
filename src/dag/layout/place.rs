//! Where each vertex lies in its layer: near the middle of what it is joined to, edges straight.

use super::Spacing;
use super::order::Mesh;

/// How often all layers are gone through.
const SWEEPS: usize = 16;
/// Kinks up to so many cells are taken out where there is room.
const KINK: i32 = 3;

/// The left edge of each vertex and point.
pub(super) fn left_edges(mesh: &Mesh, spacing: &Spacing) -> Vec<i32> {
    let mut centre = vec![0.0_f64; mesh.layer.len()];
    for row in &mesh.rows {
        let mut x = 0.0;
        for (index, id) in row.iter().enumerate() {
            if index > 0 {
                x += apart(mesh, spacing, row[index - 1], *id);
            }
            centre[*id] = x;
        }
    }
    for sweep in 0..SWEEPS {
        for step in 0..mesh.rows.len() {
            let index = if sweep % 2 == 0 { step } else { mesh.rows.len() - 1 - step };
            let row = &mesh.rows[index];
            let wanted: Vec<(f64, f64)> = row
                .iter()
                .map(|id| {
                    let (mut sum, mut weight) = (0.0, 0.0);
                    for other in mesh.above[*id].iter().chain(&mesh.below[*id]) {
                        let w = pull(mesh, *id, *other);
                        sum += centre[*other] * w;
                        weight += w;
                    }
                    if weight == 0.0 { (centre[*id], 0.1) } else { (sum / weight, weight) }
                })
                .collect();
            let gaps: Vec<f64> =
                row.windows(2).map(|pair| apart(mesh, spacing, pair[0], pair[1])).collect();
            let placed = spread(&wanted, &gaps);
            row.iter().zip(placed).for_each(|(id, x)| centre[*id] = x);
        }
    }
    whole(mesh, spacing, &centre)
}

/// How strongly two neighbours pull at each other: chains and long edges want to be straight.
fn pull(mesh: &Mesh, a: usize, b: usize) -> f64 {
    let points = usize::from(a >= mesh.vertices) + usize::from(b >= mesh.vertices);
    let (upper, lower) = if mesh.layer[a] < mesh.layer[b] { (a, b) } else { (b, a) };
    let chain = mesh.below[upper].len() == 1 && mesh.above[lower].len() == 1;
    match (points, chain) {
        (2, _) => 8.0,
        (_, true) => 6.0,
        (1, _) => 2.0,
        _ => 1.0,
    }
}

/// Least distance of the centres of two neighbours.
fn apart(mesh: &Mesh, spacing: &Spacing, a: usize, b: usize) -> f64 {
    let gap = match (a < mesh.vertices, b < mesh.vertices) {
        (true, true) => spacing.boxes,
        _ => spacing.lines,
    };
    f64::from(mesh.size[a].0 + mesh.size[b].0) / 2.0 + f64::from(gap)
}

/// The places nearest to the wanted ones (value and weight) that keep the distances: the pool
/// adjacent violators algorithm (Ayer and others, 1955).
fn spread(wanted: &[(f64, f64)], gaps: &[f64]) -> Vec<f64> {
    // Distances taken out, what is left must not fall.
    let mut shift = vec![0.0; wanted.len()];
    for index in 1..wanted.len() {
        shift[index] = shift[index - 1] + gaps[index - 1];
    }
    let mut pools: Vec<(f64, f64, usize)> = Vec::new();
    for (index, (value, weight)) in wanted.iter().enumerate() {
        let mut pool = ((value - shift[index]) * weight, *weight, 1);
        while let Some((sum, weight, count)) = pools.last().copied() {
            if sum / weight <= pool.0 / pool.1 {
                break;
            }
            pools.pop();
            pool = (pool.0 + sum, pool.1 + weight, pool.2 + count);
        }
        pools.push(pool);
    }
    let mut placed = Vec::with_capacity(wanted.len());
    for (sum, weight, count) in pools {
        for _ in 0..count {
            placed.push(sum / weight + shift[placed.len()]);
        }
    }
    placed
}

/// Left edges in whole cells, from 0, with the distances kept.
fn whole(mesh: &Mesh, spacing: &Spacing, centre: &[f64]) -> Vec<i32> {
    let mut left = vec![0i32; centre.len()];
    for row in &mesh.rows {
        let mut least = i32::MIN;
        for (index, id) in row.iter().enumerate() {
            if index > 0 {
                let before = row[index - 1];
                let gap = match (before < mesh.vertices, *id < mesh.vertices) {
                    (true, true) => spacing.boxes,
                    _ => spacing.lines,
                };
                least = left[before] + mesh.size[before].0 + gap;
            }
            let wanted = (centre[*id] - f64::from(mesh.size[*id].0) / 2.0 + 1e-6).round() as i32;
            left[*id] = wanted.max(least);
        }
    }
    for down in [true, false, true] {
        straighten(mesh, spacing, &mut left, down);
    }
    let first = left.iter().copied().min().unwrap_or(0);
    left.iter().map(|x| x - first).collect()
}

/// The column in which the lines of a vertex or point leave and arrive.
pub(super) fn column(mesh: &Mesh, left: &[i32], id: usize) -> i32 {
    left[id] + (mesh.size[id].0 - 1) / 2
}

/// Takes small kinks out of edges that are the only one at one of their ends.
fn straighten(mesh: &Mesh, spacing: &Spacing, left: &mut [i32], down: bool) {
    let count = mesh.rows.len();
    for step in 0..count {
        let row = &mesh.rows[if down { step } else { count - 1 - step }];
        for (index, id) in row.iter().enumerate() {
            let (towards, away) = if down {
                (&mesh.above[*id], &mesh.below)
            } else {
                (&mesh.below[*id], &mesh.above)
            };
            let [only] = towards.as_slice() else { continue };
            let others = &away[*only];
            // Of several that hang on one, the middle one hangs straight.
            let middle = others.len() % 2 == 1 && {
                let mut places: Vec<i32> = others.iter().map(|it| left[*it]).collect();
                places.sort_unstable();
                places[places.len() / 2] == left[*id]
            };
            let shift = column(mesh, left, *only) - column(mesh, left, *id);
            if !middle || shift == 0 || shift.abs() > KINK {
                continue;
            }
            let gap = |a: usize, b: usize| match (a < mesh.vertices, b < mesh.vertices) {
                (true, true) => spacing.boxes,
                _ => spacing.lines,
            };
            let room_left = index.checked_sub(1).map(|before| row[before]).is_none_or(|other| {
                left[other] + mesh.size[other].0 + gap(other, *id) <= left[*id] + shift
            });
            let room_right = row.get(index + 1).is_none_or(|other| {
                left[*id] + shift + mesh.size[*id].0 + gap(*id, *other) <= left[*other]
            });
            if room_left && room_right {
                left[*id] += shift;
            }
        }
    }
}
