//! The links of each point, prepared for counting crossings: where they end, and how many cross.

use super::layers::Point;

/// Links, grouped by the point at one end.
#[derive(Debug, Clone, Default)]
pub(super) struct Ends {
    starts: Vec<u32>,
    ends: Vec<End>,
}

/// The other end of a link, and the number of edges that share the link.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct End {
    pub(super) point: u32,
    pub(super) weight: u32,
    /// The ports at the near and the far end of the link, counted from the left; 0 where ports are not fixed.
    pub(super) near: u32,
    pub(super) far: u32,
}

impl End {
    /// Sort key of the link's far end: position of the point, then port.
    pub(super) fn place(&self, position: &[u32]) -> u64 {
        u64::from(position[self.point as usize]) << 32 | u64::from(self.far)
    }
}

impl Ends {
    pub(super) fn of(count: usize, links: impl Iterator<Item = (usize, End)> + Clone) -> Self {
        let mut starts = vec![0_u32; count + 1];
        for (from, _) in links.clone() {
            starts[from + 1] += 1;
        }
        for point in 0..count {
            starts[point + 1] += starts[point];
        }
        let mut next = starts.clone();
        let mut ends = vec![End::default(); starts[count] as usize];
        for (from, end) in links {
            ends[next[from] as usize] = end;
            next[from] += 1;
        }
        Ends { starts, ends }
    }

    pub(super) fn at(&self, point: Point) -> &[End] {
        &self.ends[self.starts[point] as usize..self.starts[point + 1] as usize]
    }

    /// Sorts the links of a point from left to right and returns them.
    pub(super) fn sort(&mut self, point: Point, position: &[u32]) -> &[End] {
        let ends = &mut self.ends[self.starts[point] as usize..self.starts[point + 1] as usize];
        if ends.len() > 24 {
            ends.sort_by_key(|end| end.place(position));
        } else {
            for at in 1..ends.len() {
                let end = ends[at];
                let place = end.place(position);
                let mut to = at;
                while to > 0 && ends[to - 1].place(position) > place {
                    ends[to] = ends[to - 1];
                    to -= 1;
                }
                ends[to] = end;
            }
        }
        ends
    }
}

/// The crossings that are saved by exchanging a point with its right neighbour. `left` and `right` are the
/// sorted links of the two.
pub(super) fn exchanged(left: &[End], right: &[End], position: &[u32]) -> i64 {
    let place = |end: &End| end.place(position);
    let weight = |end: &End| i64::from(end.weight);
    if let ([one], [other]) = (left, right) {
        let sign = (place(other) < place(one)) as i64 - (place(one) < place(other)) as i64;
        return sign * weight(one) * weight(other);
    }
    let total: i64 = right.iter().map(weight).sum();
    // Number (and weight) of the right point's links that end left of the current link's end, and of those
    // that end there or left of it.
    let (mut before, mut until) = (0, 0);
    let (mut weight_before, mut weight_until) = (0, 0);
    let mut gain = 0;
    for end in left {
        let at = place(end);
        while before < right.len() && place(&right[before]) < at {
            weight_before += weight(&right[before]);
            before += 1;
        }
        while until < right.len() && place(&right[until]) <= at {
            weight_until += weight(&right[until]);
            until += 1;
        }
        gain += weight(end) * (weight_before - (total - weight_until));
    }
    gain
}
