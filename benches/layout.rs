//! Layouts of generated pipelines of 100, 1,000 and 10,000 vertices beside Graphviz `dot` (package `graphviz`), in the same
//! run: the time of both, and how many pairs of edges cross in both drawings.
//!
//!     cargo bench --bench layout
//!
//! `dot` takes minutes for 10,000 vertices, so only a few of the 20 seeds are compared at that size; with
//! `LAYOUT_BENCH=all`, all are.
//!
//! Crossings are counted alike for both, from what is drawn: two edges that do not start from the same vertex count once
//! if their lines cross anywhere. Ours are the corners of the routes, so two edges that share a line count each. `dot`'s
//! are its splines (`-Tplain`), each Bezier piece in eight straight steps. Both get the same graph, direction and boxes.

#[path = "../tests/common/graphs.rs"]
#[allow(dead_code, reason = "the tests use the rest")]
mod graphs;

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use graphs::Generated;
use mlops_tui::dag::layout::{Direction, Effort, Rect, Sketch, layout};
use mlops_tui::dag::{Layout, Lines};

const SEEDS: u64 = 20;
/// Vertices, budget in milliseconds, seeds that `dot` lays out by default.
const SIZES: [(usize, u64, u64); 3] = [(100, 2, SEEDS), (1_000, 15, SEEDS), (10_000, 400, 2)];
/// How long `dot` may take for one graph.
const LIMIT: Duration = Duration::from_secs(600);

fn main() {
    let all = std::env::var("LAYOUT_BENCH").is_ok_and(|which| which == "all");
    println!("medians over {SEEDS} seeds, left to right, one row for each vertex");
    println!(
        "{:>8} {:>10} {:>10} {:>10} {:>12} {:>12} {:>12} {:>10}",
        "vertices", "ours", "budget", "first", "dot", "time ours/dot", "crossings", "ours/dot"
    );
    for (count, budget, compared) in SIZES {
        let (mut ours, mut quick, mut dots) = (Vec::new(), Vec::new(), Vec::new());
        let (mut faster, mut fewer, mut crossed) = (Vec::new(), Vec::new(), Vec::new());
        for seed in 1..=SEEDS {
            let graph = Generated::new(count, seed);
            let sketch = sketch(&graph);
            let (time, drawing) = timed(&sketch, Effort::Full);
            quick.push(timed(&sketch, Effort::Quick).0.as_secs_f64());
            ours.push(time.as_secs_f64());
            let own = crossings(&lines_of(&drawing));
            crossed.push(own as f64);
            if seed > compared && !all {
                continue;
            }
            let Some((time, lines)) = dot(&sketch) else { continue };
            let theirs = crossings(&lines);
            dots.push(time.as_secs_f64());
            faster.push(ours[ours.len() - 1] / time.as_secs_f64());
            fewer.push(own.max(1) as f64 / theirs.max(1) as f64);
        }
        let finished = dots.len();
        println!(
            "{count:>8} {:>7.1} ms {budget:>7} ms {:>7.1} ms {:>9.0} ms {:>12.5} {:>12.0} {:>10.3}   ({finished} by dot)",
            median(&mut ours) * 1e3,
            median(&mut quick) * 1e3,
            median(&mut dots) * 1e3,
            median(&mut faster),
            median(&mut crossed),
            median(&mut fewer),
        );
    }
    frames();
}

fn sketch(graph: &Generated) -> Sketch {
    Sketch {
        direction: Direction::LeftRight,
        sizes: graph.names.iter().map(|name| (name.len() as i32 + 4, 1)).collect(),
        edges: graph.edges.clone(),
        ..Sketch::default()
    }
}

fn timed(sketch: &Sketch, effort: Effort) -> (Duration, Layout) {
    let began = Instant::now();
    let drawing = layout(sketch, effort, None, &AtomicBool::new(false)).expect("not cancelled");
    (began.elapsed(), drawing)
}

fn median(numbers: &mut [f64]) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers.get(numbers.len() / 2).copied().unwrap_or(f64::NAN)
}

/// What a frame of 200x60 cells asks of a layout of 10,000 vertices, at places all over it.
fn frames() {
    let (_, drawing) = timed(&sketch(&Generated::new(10_000, 1)), Effort::Full);
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

/// Lets `dot` lay a sketch out; `None` when it does not finish in time.
fn dot(sketch: &Sketch) -> Option<(Duration, Vec<Line>)> {
    let mut text =
        String::from("digraph { rankdir=LR; node [shape=box, fixedsize=true, label=\"\"]\n");
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
    Some((time, lines.collect()))
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
