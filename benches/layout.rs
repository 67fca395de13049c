//! Layouts of generated pipelines of 100, 1,000 and 10,000 vertices beside Graphviz `dot` (package `graphviz`), in the same
//! run: the time of both, how many pairs of edges cross in both drawings, and how large the drawings are.
//!
//!     cargo bench --bench layout
//!
//! There is a row for each family of graphs, size and direction: edges to the right between chips of one row (LR), and
//! edges downwards between boxes of three rows (TB). `dot` takes about a minute for 10,000 vertices, so it lays out only
//! two seeds of them, and with `LAYOUT_BENCH=short` one, and of the smaller graphs five instead of 20. What `dot` does not
//! finish in time is left out, and told. Words after `--` select rows: `cargo bench --bench layout -- Flat 1000 LR`.
//!
//! Crossings are counted alike for both, from what is drawn: two edges that do not start from the same vertex count once
//! if their lines cross anywhere. Ours are the corners of the routes, so two edges that share a line count each. `dot`'s
//! are its splines (`-Tplain`), each Bezier piece in eight straight steps. Both get the same graph, direction and boxes.
//! `dot`'s drawing is measured in cells of 8 by 16 points.

#[path = "../tests/common/graphs.rs"]
#[allow(dead_code, reason = "the tests use the rest")]
mod graphs;

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use graphs::{Family, Generated};
use mlops_tui::dag::layout::{Direction, Effort, Rect, Sketch, layout};
use mlops_tui::dag::{Layout, Lines};

/// Vertices, budgets in milliseconds for the whole and the first picture, and the seeds: all, and when it is to be short.
const SIZES: [(usize, u64, u64, [u64; 2]); 3] =
    [(100, 2, 100, [20, 5]), (1_000, 15, 100, [20, 5]), (10_000, 200, 100, [2, 1])];
/// How often a layout is timed; the least counts, as other work of the machine only adds to it.
const TIMES: usize = 3;
/// How long `dot` may take for one graph.
const LIMIT: Duration = Duration::from_secs(600);

fn main() {
    let short = std::env::var("LAYOUT_BENCH").is_ok_and(|which| which == "short");
    let words: Vec<String> =
        std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    println!("medians over the seeds; ratios are ours to dot's");
    println!(
        "{:>8} {:>8} {:>4} {:>16} {:>15} {:>9} {:>9} {:>17} {:>9} {:>12} {:>6} {:>6}",
        "family",
        "vertices",
        "",
        "ours (budget)",
        "first (budget)",
        "dot",
        "time",
        "crossings (dot's)",
        "crossings",
        "size",
        "width",
        "height"
    );
    for size in SIZES {
        for family in Family::ALL {
            for direction in [Direction::LeftRight, Direction::TopBottom] {
                let row = Row { family, direction, size, short };
                if words.is_empty() || words.iter().all(|word| row.is_named(word)) {
                    row.print();
                }
            }
        }
    }
    if words.is_empty() {
        frames();
    }
}

/// A row of the table.
struct Row {
    family: Family,
    direction: Direction,
    size: (usize, u64, u64, [u64; 2]),
    short: bool,
}

impl Row {
    fn way(&self) -> &'static str {
        match self.direction {
            Direction::LeftRight => "LR",
            Direction::TopBottom => "TB",
        }
    }

    /// Whether a word is the row's family, size or direction.
    fn is_named(&self, word: &str) -> bool {
        let names = [format!("{:?}", self.family), self.size.0.to_string(), self.way().to_owned()];
        names.iter().any(|name| name == word)
    }

    fn print(&self) {
        let (count, budget, first, seeds) = self.size;
        let seeds = seeds[usize::from(self.short)];
        // Columns of figures, one a seed.
        let mut all: [Vec<f64>; 11] = Default::default();
        let mut late = 0;
        for seed in 1..=seeds {
            let sketch = sketch(&Generated::of(self.family, count, seed), self.direction);
            let (time, drawing) = timed(&sketch, Effort::Full);
            let (quick, _) = timed(&sketch, Effort::Quick);
            let own = crossings(&lines_of(&drawing));
            let (width, height) = (f64::from(drawing.width), f64::from(drawing.height));
            let mut figures = vec![time.as_secs_f64() * 1e3, quick.as_secs_f64() * 1e3];
            figures.extend([own as f64, width, height]);
            match dot(&sketch) {
                Some(dots) => {
                    let theirs = crossings(&dots.lines);
                    figures.extend([dots.time.as_secs_f64() * 1e3, theirs as f64]);
                    figures.push(time.as_secs_f64() / dots.time.as_secs_f64());
                    figures.push(own.max(1) as f64 / theirs.max(1) as f64);
                    figures.extend([width / dots.size.0, height / dots.size.1]);
                }
                None => late += 1,
            }
            for (column, figure) in std::iter::zip(&mut all, figures) {
                column.push(figure);
            }
        }
        let [time, quick, own, width, height, dots, theirs, faster, fewer, wide, high] =
            all.map(|mut column| median(&mut column));
        println!(
            "{:>8} {count:>8} {:>4} {:>16} {:>15} {:>9} {faster:>9.5} {:>17} {fewer:>9.3} {:>12} {wide:>6.2} {high:>6.2}",
            format!("{:?}", self.family),
            self.way(),
            format!("{time:.1} ms ({budget})"),
            format!("{quick:.1} ms ({first})"),
            format!("{dots:.0} ms"),
            format!("{own:.0} ({theirs:.0})"),
            format!("{width:.0}x{height:.0}"),
        );
        if late > 0 {
            println!("         dot did not finish {late} of {seeds} in time");
        }
    }
}

/// A graph with boxes as the screen draws them.
fn sketch(graph: &Generated, direction: Direction) -> Sketch {
    let height = if direction == Direction::LeftRight { 1 } else { 3 };
    Sketch {
        direction,
        sizes: graph.names.iter().map(|name| (name.len() as i32 + 4, height)).collect(),
        edges: graph.edges.clone(),
        ..Sketch::default()
    }
}

fn timed(sketch: &Sketch, effort: Effort) -> (Duration, Layout) {
    let once = || {
        let began = Instant::now();
        let drawing = layout(sketch, effort, None, &AtomicBool::new(false)).expect("not cancelled");
        (began.elapsed(), drawing)
    };
    let runs = (0..TIMES).map(|_| once());
    runs.min_by_key(|(time, _)| *time).expect("it is timed at least once")
}

fn median(numbers: &mut [f64]) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers.get(numbers.len() / 2).copied().unwrap_or(f64::NAN)
}

/// What a frame of 200x60 cells asks of a layout of 10,000 vertices, at places all over it.
fn frames() {
    let drawing = sketch(&Generated::new(10_000, 1), Direction::LeftRight).layout();
    let began = Instant::now();
    let lines = Lines::of(&drawing);
    let built = began.elapsed();
    let mut times = Vec::new();
    for y in (0..drawing.height).step_by(60) {
        for x in (0..drawing.width).step_by(200) {
            let area = Rect { x, y, width: 200, height: 60 };
            let began = Instant::now();
            let seen = lines.visible(area).len() + lines.boxes(&drawing, area).len();
            std::hint::black_box(seen);
            times.push(began.elapsed().as_secs_f64());
        }
    }
    times.sort_by(f64::total_cmp);
    println!(
        "\n10,000 vertices in {}x{} cells: lines by place {:.1} ms; what 200x60 cells show, 99th percentile {:.3} ms",
        drawing.width,
        drawing.height,
        built.as_secs_f64() * 1e3,
        times[times.len() * 99 / 100] * 1e3,
    );
}

/// A drawn edge: its source, and the corners of its line.
type Line = (usize, Vec<(f64, f64)>);

fn lines_of(drawing: &Layout) -> Vec<Line> {
    let place = |(x, y): &(i32, i32)| (f64::from(*x), f64::from(*y));
    let lines = drawing.routes.iter();
    lines.map(|route| (route.source, route.corners.iter().map(place).collect())).collect()
}

/// What `dot` makes of a sketch.
struct Dots {
    time: Duration,
    lines: Vec<Line>,
    /// Width and height in cells.
    size: (f64, f64),
}

/// Lets `dot` lay a sketch out; `None` when it does not finish in time.
fn dot(sketch: &Sketch) -> Option<Dots> {
    let way = if sketch.direction == Direction::LeftRight { "LR" } else { "TB" };
    let mut text =
        format!("digraph {{ rankdir={way}; node [shape=box, fixedsize=true, label=\"\"]\n");
    for (id, (width, height)) in sketch.sizes.iter().enumerate() {
        // A cell of 8 by 16 points.
        let (width, height) = (f64::from(*width) / 9.0, f64::from(*height) / 4.5);
        let _ = writeln!(text, "{id} [width={width:.3}, height={height:.3}]");
    }
    for (from, to) in &sketch.edges {
        let _ = writeln!(text, "{from} -> {to}");
    }
    text.push('}');
    let began = Instant::now();
    let mut child = Command::new("timeout")
        .arg(LIMIT.as_secs().to_string())
        .args(["dot", "-Tplain"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    child.stdin.take()?.write_all(text.as_bytes()).ok()?;
    let output = child.wait_with_output().ok().filter(|output| output.status.success())?;
    let time = began.elapsed();
    let plain = String::from_utf8(output.stdout).ok()?;
    // `plain` breaks long lines with a backslash.
    let plain = plain.replace("\\\n", "");
    let lines = plain.lines().filter_map(|line| {
        let words: Vec<&str> = line.strip_prefix("edge ")?.split(' ').collect();
        let count: usize = words.get(2)?.parse().ok()?;
        let numbers: Vec<f64> =
            words[3..3 + 2 * count].iter().filter_map(|word| word.parse().ok()).collect();
        let points: Vec<(f64, f64)> = numbers.chunks(2).map(|pair| (pair[0], pair[1])).collect();
        Some((words[0].parse().ok()?, steps(&points)))
    });
    let lines = lines.collect();
    // `graph scale width height`, in inches.
    let graph = plain.lines().find_map(|line| line.strip_prefix("graph "))?;
    let mut sides = graph.split(' ').skip(1).filter_map(|side| side.parse::<f64>().ok());
    let size = (sides.next()? * 9.0, sides.next()? * 4.5);
    Some(Dots { time, lines, size })
}

/// The pieces of a spline in straight steps.
fn steps(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let mut steps = vec![points[0]];
    for piece in points.windows(4).step_by(3) {
        for step in 1..=8 {
            let t = f64::from(step) / 8.0;
            let u = 1.0 - t;
            let weights = [u * u * u, 3.0 * u * u * t, 3.0 * u * t * t, t * t * t];
            let sum = |of: fn(&(f64, f64)) -> f64| {
                piece.iter().zip(weights).map(|(point, weight)| of(point) * weight).sum()
            };
            steps.push((sum(|point| point.0), sum(|point| point.1)));
        }
    }
    steps
}

/// A straight piece of the line of an edge.
type Leg = (usize, [(f64, f64); 2]);

/// How many pairs of edges with different sources cross.
fn crossings(lines: &[Line]) -> usize {
    let ends = || lines.iter().flat_map(|line| &line.1);
    let most = |of: fn(&(f64, f64)) -> f64| ends().map(of).fold(1.0, f64::max);
    let size = (lines.len() as f64).sqrt().max(8.0);
    let (across, down) = (most(|point| point.0) / size, most(|point| point.1) / size);
    let tile = |(x, y): (f64, f64)| ((x / across).floor() as i32, (y / down).floor() as i32);
    let mut tiles: HashMap<(i32, i32), Vec<Leg>> = HashMap::new();
    for (index, (_, corners)) in lines.iter().enumerate() {
        for pair in corners.windows(2) {
            let (one, other) = (tile(pair[0]), tile(pair[1]));
            for x in one.0.min(other.0)..=one.0.max(other.0) {
                for y in one.1.min(other.1)..=one.1.max(other.1) {
                    tiles.entry((x, y)).or_default().push((index, [pair[0], pair[1]]));
                }
            }
        }
    }
    let turn = |a: (f64, f64), b: (f64, f64), c: (f64, f64)| {
        (b.0 - a.0) * (c.1 - a.1) - (b.1 - a.1) * (c.0 - a.0)
    };
    let mut pairs = HashSet::new();
    for legs in tiles.values() {
        for (at, (one, [a, b])) in legs.iter().enumerate() {
            for (other, [c, d]) in &legs[..at] {
                if lines[*one].0 != lines[*other].0
                    && turn(*a, *b, *c) * turn(*a, *b, *d) < 0.0
                    && turn(*c, *d, *a) * turn(*c, *d, *b) < 0.0
                {
                    pairs.insert((one.min(other), one.max(other)));
                }
            }
        }
    }
    pairs.len()
}
