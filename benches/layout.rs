//! Layouts of generated pipelines of 100, 1,000 and 10,000 vertices beside Graphviz `dot` (package `graphviz`), in the same
//! run: the time of both, and how many pairs of edges cross in both drawings.
//!
//!     cargo bench --bench layout
//!
//! `dot` takes about a minute for 10,000 vertices, so all 20 seeds take half an hour; `LAYOUT_BENCH=short` compares only
//! two of them at that size. What `dot` does not finish in time is left out, and told.
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
/// Vertices, budgets in milliseconds for the whole and the first picture, seeds that `dot` lays out when it is to be short.
const SIZES: [(usize, u64, u64, u64); 3] =
    [(100, 2, 100, SEEDS), (1_000, 15, 100, SEEDS), (10_000, 400, 100, 2)];
/// How often a layout is timed; the least counts, as other work of the machine only adds to it.
const TIMES: usize = 3;
/// How long `dot` may take for one graph.
const LIMIT: Duration = Duration::from_secs(600);

fn main() {
    let short = std::env::var("LAYOUT_BENCH").is_ok_and(|which| which == "short");
    println!(
        "medians over {SEEDS} seeds, left to right, one row for each vertex; ratios are ours to dot's"
    );
    println!(
        "{:>8} {:>19} {:>19} {:>10} {:>10} {:>17} {:>10}",
        "vertices", "ours (budget)", "first (budget)", "dot", "ratio", "crossings (dot's)", "ratio"
    );
    for (count, budget, first, few) in SIZES {
        let seeds = if short { few } else { SEEDS };
        let (mut ours, mut quick, mut dots) = (Vec::new(), Vec::new(), Vec::new());
        let (mut faster, mut fewer) = (Vec::new(), Vec::new());
        let (mut crossed, mut dots_crossed) = (Vec::new(), Vec::new());
        for seed in 1..=SEEDS {
            let graph = Generated::new(count, seed);
            let sketch = sketch(&graph);
            let (time, drawing) = timed(&sketch, Effort::Full);
            quick.push(timed(&sketch, Effort::Quick).0.as_secs_f64());
            ours.push(time.as_secs_f64());
            let own = crossings(&lines_of(&drawing));
            crossed.push(own as f64);
            if seed > seeds {
                continue;
            }
            let Some((dots_time, lines)) = dot(&sketch) else { continue };
            let theirs = crossings(&lines);
            dots.push(dots_time.as_secs_f64());
            faster.push(time.as_secs_f64() / dots_time.as_secs_f64());
            dots_crossed.push(theirs as f64);
            fewer.push(own.max(1) as f64 / theirs.max(1) as f64);
        }
        let late = seeds as usize - dots.len();
        let ours = format!("{:.1} ms ({budget})", median(&mut ours) * 1e3);
        let quick = format!("{:.1} ms ({first})", median(&mut quick) * 1e3);
        let dots = format!("{:.0} ms", median(&mut dots) * 1e3);
        let crossed = format!("{:.0} ({:.0})", median(&mut crossed), median(&mut dots_crossed));
        println!(
            "{count:>8} {ours:>19} {quick:>19} {dots:>10} {:>10.5} {crossed:>17} {:>10.3}",
            median(&mut faster),
            median(&mut fewer),
        );
        if seeds < SEEDS || late > 0 {
            println!(
                "         dot was given {seeds} of the seeds and did not finish {late} of them"
            );
        }
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
    let drawing = sketch(&Generated::new(10_000, 1)).layout();
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
