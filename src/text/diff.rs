//! The difference between two texts, line by line, for two columns or for one.

use std::time::{Duration, Instant};

use similar::{Algorithm, DiffOp, capture_diff_deadline};

/// Lines without a change that are shown around one.
const AROUND: usize = 3;
/// After this time the rest counts as replaced; texts of a project may be anything.
const TIME: Duration = Duration::from_millis(200);

/// A row of a difference in two columns. Lines are counted from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DiffRow {
    /// So many equal lines are left out.
    Skipped(usize),
    /// A line that both texts have.
    Same(usize, usize),
    /// A line of the first text, of the second, or of both, which differ.
    Changed(Option<usize>, Option<usize>),
}

/// The rows in two columns: the changes with the lines around them. Empty if the texts are equal.
pub fn side_by_side(first: &str, second: &str) -> Vec<DiffRow> {
    let first: Vec<&str> = first.lines().collect();
    let second: Vec<&str> = second.lines().collect();
    let deadline = Some(Instant::now() + TIME);
    let ops = capture_diff_deadline(
        Algorithm::Patience,
        &first,
        0..first.len(),
        &second,
        0..second.len(),
        deadline,
    );
    // Only the lengths of the operations are taken: the positions of some are not exact.
    let (mut old, mut new) = (0, 0);
    let mut rows = Vec::new();
    for part in ops.chunk_by(|one, other| !is_equal(one) && !is_equal(other)) {
        let olds = part.iter().map(|op| op.old_range().len()).sum::<usize>();
        let news = part.iter().map(|op| op.new_range().len()).sum::<usize>();
        rows.extend((0..olds.max(news)).map(|at| match part.first().is_some_and(is_equal) {
            true => DiffRow::Same(old + at, new + at),
            false => {
                DiffRow::Changed((at < olds).then_some(old + at), (at < news).then_some(new + at))
            }
        }));
        (old, new) = (old + olds, new + news);
    }
    shortened(&rows)
}

fn is_equal(op: &DiffOp) -> bool {
    matches!(op, DiffOp::Equal { .. })
}

/// The rows without the equal lines that are far from any change.
fn shortened(rows: &[DiffRow]) -> Vec<DiffRow> {
    let is_change = |row: &DiffRow| matches!(row, DiffRow::Changed(..));
    let mut out = Vec::with_capacity(rows.len());
    let mut at = 0;
    for part in rows.chunk_by(|one, other| is_change(one) == is_change(other)) {
        let end = at + part.len();
        let after = if at == 0 { 0 } else { AROUND };
        let before = if end == rows.len() { 0 } else { AROUND };
        match part.len().saturating_sub(after + before) {
            _ if is_change(&part[0]) => out.extend_from_slice(part),
            // The line that says so would need as much room.
            0 | 1 if after + before > 0 => out.extend_from_slice(part),
            _ if after + before == 0 => {}
            skipped => {
                out.extend_from_slice(&part[..after]);
                out.push(DiffRow::Skipped(skipped));
                out.extend_from_slice(&part[after + skipped..]);
            }
        }
        at = end;
    }
    out
}

/// The same rows in one column: of neighbouring changes first all old lines, then all new ones.
pub fn unified(rows: &[DiffRow]) -> Vec<DiffRow> {
    let mut out = Vec::with_capacity(rows.len());
    let is_change = |row: &DiffRow| matches!(row, DiffRow::Changed(..));
    for part in rows.chunk_by(|one, other| is_change(one) && is_change(other)) {
        let sides = |row: &DiffRow| match *row {
            DiffRow::Changed(old, new) => (old, new),
            _ => (None, None),
        };
        let old = part.iter().filter_map(|row| sides(row).0);
        let new = part.iter().filter_map(|row| sides(row).1);
        out.extend(old.map(|line| DiffRow::Changed(Some(line), None)));
        out.extend(new.map(|line| DiffRow::Changed(None, Some(line))));
        out.extend(part.iter().filter(|row| !is_change(row)));
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::DiffRow::{Changed, Same, Skipped};
    use super::*;

    #[test]
    fn changes_stand_beside_each_other_with_the_lines_around_them() {
        let first = "a\nb\nc\nd\ne\nold 1\nold 2\nf\ng\nh\ni\nj\n";
        let second = "a\nb\nc\nd\ne\nnew 1\nf\ng\nh\ni\nj\n";
        let rows = side_by_side(first, second);
        assert_eq!(
            rows,
            [
                Skipped(2),
                Same(2, 2),
                Same(3, 3),
                Same(4, 4),
                Changed(Some(5), Some(5)),
                Changed(Some(6), None),
                Same(7, 6),
                Same(8, 7),
                Same(9, 8),
                Skipped(2),
            ]
        );
        let changed = &unified(&rows)[4..7];
        assert_eq!(
            changed,
            [Changed(Some(5), None), Changed(Some(6), None), Changed(None, Some(5))]
        );
        assert_eq!(side_by_side(first, first), []);
        assert_eq!(side_by_side("", "x\n"), [Changed(None, Some(0))]);
    }

    proptest! {
        #[test]
        fn both_texts_follow_from_the_rows(
            first in "([abc]\n){0,20}",
            second in "([abc]\n){0,20}",
        ) {
            let (old, new): (Vec<&str>, Vec<&str>) = (first.lines().collect(), second.lines().collect());
            for rows in [side_by_side(&first, &second), unified(&side_by_side(&first, &second))] {
                let (mut one, mut two) = (0, 0);
                for row in rows {
                    match row {
                        Skipped(count) => {
                            prop_assert_eq!(&old[one..one + count], &new[two..two + count]);
                            one += count;
                            two += count;
                        }
                        Same(a, b) => {
                            prop_assert_eq!((a, b), (one, two));
                            prop_assert_eq!(old[a], new[b]);
                            one += 1;
                            two += 1;
                        }
                        Changed(a, b) => {
                            prop_assert!(a.is_none_or(|a| a == one) && b.is_none_or(|b| b == two));
                            one += usize::from(a.is_some());
                            two += usize::from(b.is_some());
                        }
                    }
                }
                let all = (one, two) == (old.len(), new.len());
                prop_assert!(all || (old == new && (one, two) == (0, 0)));
            }
        }
    }
}
