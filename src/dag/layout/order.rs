//! The order in each layer: few crossings.

use crate::dag::Graph;

/// How often all layers are gone through; more changes little.
const SWEEPS: usize = 12;
/// Largest layer in which neighbours are exchanged one by one.
const EXCHANGED: usize = 300;

/// A graph whose edges lead from one layer to the next: long edges run over points between.
#[derive(Debug, Clone)]
pub(super) struct Mesh {
    /// Vertices of the graph first, then the points of long edges.
    pub vertices: usize,
    /// Layer of each vertex and point.
    pub layer: Vec<usize>,
    /// Width and height; points are one cell wide.
    pub size: Vec<(i32, i32)>,
    /// What leads to each, all from the layer above.
    pub above: Vec<Vec<usize>>,
    /// What each leads to, all in the layer below.
    pub below: Vec<Vec<usize>>,
    /// The layers, each in order.
    pub rows: Vec<Vec<usize>>,
    /// The edges: source, target, and what they run over from the upper to the lower end.
    pub chains: Vec<Chain>,
}

/// An edge.
#[derive(Debug, Clone)]
pub(super) struct Chain {
    pub source: usize,
    pub target: usize,
    pub over: Vec<usize>,
}

impl Mesh {
    pub(super) fn new(graph: &Graph, layer: &[usize], sizes: &[(i32, i32)]) -> Self {
        let count = graph.vertices.len();
        let mut mesh = Mesh {
            vertices: count,
            layer: layer.to_vec(),
            size: sizes.to_vec(),
            above: vec![Vec::new(); count],
            below: vec![Vec::new(); count],
            rows: Vec::new(),
            chains: Vec::new(),
        };
        for source in 0..count {
            // Points of edges that leave one vertex are shared as far as they run together.
            let mut shared: Vec<usize> = Vec::new();
            let mut children: Vec<usize> = graph.children[source].clone();
            children.sort_by_key(|child| std::cmp::Reverse(layer[*child]));
            for target in children {
                let (upper, lower) = match layer[source].cmp(&layer[target]) {
                    std::cmp::Ordering::Less => (source, target),
                    std::cmp::Ordering::Greater => (target, source),
                    std::cmp::Ordering::Equal => continue,
                };
                let length = layer[lower] - layer[upper];
                let back = upper == target;
                let mut over = vec![upper];
                for step in 1..length {
                    let point = match shared.get(step - 1).filter(|_| !back) {
                        Some(point) => *point,
                        None => {
                            let point = mesh.point(layer[upper] + step);
                            if !back {
                                shared.push(point);
                            }
                            point
                        }
                    };
                    over.push(point);
                }
                over.push(lower);
                for pair in over.windows(2) {
                    if !mesh.below[pair[0]].contains(&pair[1]) {
                        mesh.below[pair[0]].push(pair[1]);
                        mesh.above[pair[1]].push(pair[0]);
                    }
                }
                mesh.chains.push(Chain { source, target, over });
            }
        }
        mesh.rows = mesh.first_order();
        mesh
    }

    fn point(&mut self, layer: usize) -> usize {
        self.layer.push(layer);
        self.size.push((1, 1));
        self.above.push(Vec::new());
        self.below.push(Vec::new());
        self.layer.len() - 1
    }

    /// Depth first from each vertex in turn, along and against the edges: what belongs together
    /// comes together.
    fn first_order(&self) -> Vec<Vec<usize>> {
        let layers = self.layer.iter().max().map_or(0, |last| last + 1);
        let mut rows = vec![Vec::new(); layers];
        let mut seen = vec![false; self.layer.len()];
        for start in 0..self.layer.len() {
            let mut stack = vec![start];
            while let Some(id) = stack.pop() {
                if std::mem::replace(&mut seen[id], true) {
                    continue;
                }
                rows[self.layer[id]].push(id);
                stack.extend(self.above[id].iter().rev().filter(|other| !seen[**other]));
                stack.extend(self.below[id].iter().rev().filter(|other| !seen[**other]));
            }
        }
        rows
    }

    /// Orders the layers so that few edges cross.
    pub(super) fn untangle(&mut self) {
        let mut best = self.rows.clone();
        let mut fewest = self.crossings();
        for sweep in 0..SWEEPS {
            if fewest == 0 {
                break;
            }
            self.sweep(sweep % 2 == 0);
            self.exchange();
            let crossings = self.crossings();
            if crossings < fewest {
                fewest = crossings;
                best.clone_from(&self.rows);
            }
        }
        self.rows = best;
    }

    fn positions(&self) -> Vec<usize> {
        let mut at = vec![0; self.layer.len()];
        for row in &self.rows {
            row.iter().enumerate().for_each(|(index, id)| at[*id] = index);
        }
        at
    }

    /// Sorts each layer by the middle of its neighbours in the layer before.
    fn sweep(&mut self, down: bool) {
        let mut at = self.positions();
        let count = self.rows.len();
        for step in 1..count {
            let index = if down { step } else { count - 1 - step };
            let neighbours = if down { &self.above } else { &self.below };
            let mut keyed: Vec<(f64, usize)> = self.rows[index]
                .iter()
                .map(|id| {
                    let mut around: Vec<usize> = neighbours[*id].iter().map(|it| at[*it]).collect();
                    around.sort_unstable();
                    let middle = match around.len() {
                        0 => at[*id] as f64,
                        length => {
                            let sum: usize = around.iter().sum();
                            let mean = sum as f64 / length as f64;
                            (around[length / 2] + around[(length - 1) / 2]) as f64 / 2.0
                                + mean * 1e-3
                        }
                    };
                    (middle, *id)
                })
                .collect();
            keyed.sort_by(|a, b| a.0.total_cmp(&b.0));
            self.rows[index] = keyed.into_iter().map(|(_, id)| id).collect();
            self.rows[index].iter().enumerate().for_each(|(place, id)| at[*id] = place);
        }
    }

    /// Exchanges neighbours where that takes crossings away.
    fn exchange(&mut self) {
        let mut at = self.positions();
        for index in 0..self.rows.len() {
            if self.rows[index].len() > EXCHANGED {
                continue;
            }
            let mut again = 4;
            let mut changed = true;
            while changed && again > 0 {
                changed = false;
                again -= 1;
                for place in 1..self.rows[index].len() {
                    let (a, b) = (self.rows[index][place - 1], self.rows[index][place]);
                    let crossings = |a: usize, b: usize| {
                        between(&self.above[a], &self.above[b], &at)
                            + between(&self.below[a], &self.below[b], &at)
                    };
                    if crossings(b, a) < crossings(a, b) {
                        self.rows[index].swap(place - 1, place);
                        (at[a], at[b]) = (place, place - 1);
                        changed = true;
                    }
                }
            }
        }
    }

    /// How many pairs of edges cross.
    pub(super) fn crossings(&self) -> usize {
        let at = self.positions();
        let mut count = 0;
        for row in &self.rows {
            let mut ends = Vec::new();
            for id in row {
                let mut below: Vec<usize> = self.below[*id].iter().map(|it| at[*it]).collect();
                below.sort_unstable();
                ends.extend(below);
            }
            count += inversions(&ends);
        }
        count
    }
}

/// Crossings of the edges of `a`, which stands left, with those of `b`.
fn between(a: &[usize], b: &[usize], at: &[usize]) -> usize {
    a.iter().map(|x| b.iter().filter(|y| at[**y] < at[*x]).count()).sum()
}

/// Pairs that stand in the wrong order, by a tree of counts (Barth, Jünger and Mutzel, 2002).
fn inversions(values: &[usize]) -> usize {
    let size = values.iter().max().map_or(0, |last| last + 1);
    let mut tree = vec![0usize; size + 1];
    let mut count = 0;
    for (seen, value) in values.iter().enumerate() {
        let mut index = value + 1;
        let mut smaller_or_equal = 0;
        while index > 0 {
            smaller_or_equal += tree[index];
            index &= index - 1;
        }
        count += seen - smaller_or_equal;
        let mut index = value + 1;
        while index <= size {
            tree[index] += 1;
            index += index & index.wrapping_neg();
        }
    }
    count
}
