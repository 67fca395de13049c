//! What a frame costs on a pipeline of 10,000 vertices at 200x60 while statuses change 1,000 times a second, and how soon a key
//! is answered while the drawing is laid out, in a real terminal.
//!
//!     cargo bench --bench frames

#[path = "../tests/common/mod.rs"]
mod common;

use std::time::{Duration, Instant};

use common::app::TestApp;
use common::graphs::Generated;
use common::terminal::Terminal;
use mlops_tui::runs::RunEvent;
use mlops_tui::ui;
use mlops_tui::ui::color::Depth;
use mlops_tui::ui::theme::Theme;
use ratatui::backend::TestBackend;

const VERTICES: usize = 10_000;
/// Frames of half a minute at 60 a second.
const FRAMES: usize = 1_800;
/// Changes for each frame: at least 1,000 a second.
const CHANGES: usize = 17;
/// How often the drawing is asked for while a key is pressed.
const KEYS: usize = 20;

fn main() {
    let graph = Generated::new(VERTICES, 1);
    println!("| frame at 200x60 | median | 99th percentile | longest |");
    println!("|---|---:|---:|---:|");
    for (what, keys) in [
        ("namespaces collapsed", ""),
        ("all expanded, single lines", "O++-"),
        ("all expanded, overview", "O--"),
        ("all expanded, list with lanes", "Ow"),
    ] {
        frames(&graph, what, keys);
    }
    keys(&graph);
}

/// Draws while a run goes on, and scrolls, so that each frame shows another part.
fn frames(graph: &Generated, what: &str, keys: &str) {
    let mut app = TestApp::showing(graph.snapshot(), 200, 60);
    let nodes: Vec<String> = app.state.shared.shown_pipeline().map_or_else(Vec::new, |pipeline| {
        pipeline.nodes.iter().map(|node| node.name.clone()).collect()
    });
    app.keys(keys);
    let names: Vec<&str> = nodes.iter().map(String::as_str).collect();
    app.start_run(&names);
    let mut terminal =
        ratatui::Terminal::new(TestBackend::new(200, 60)).expect("a terminal in memory");
    let theme = Theme::built_in("dark", Depth::True);
    let (mut times, mut at) = (Vec::with_capacity(FRAMES), 0);
    for frame in 0..FRAMES {
        let began = Instant::now();
        for _ in 0..CHANGES {
            let node = nodes[at / 2 % nodes.len()].clone();
            let event = match at % 2 {
                0 => RunEvent::NodeStarted { node },
                _ => RunEvent::NodeFinished { node, seconds: 0.1 },
            };
            app.happens_in_run(frame as f64 / 60.0, event);
            at += 1;
        }
        if frame % 3 == 0 {
            app.keys(if frame / 300 % 2 == 0 { "j" } else { "l" });
        }
        terminal.draw(|frame| ui::draw(frame, &app.state, &theme)).expect("drawn");
        times.push(began.elapsed());
    }
    let [median, most, longest] = shares(&mut times);
    println!("| {what} | {median:.2} ms | {most:.2} ms | {longest:.2} ms |");
}

/// Presses a key while the drawing is arranged anew.
fn keys(graph: &Generated) {
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path().canonicalize().expect("a folder");
    graph.write(&root);
    let home = tempfile::tempdir().expect("a folder");
    let arguments = [root.to_str().expect("UTF-8")];
    let mut terminal = Terminal::start(home.path(), 200, 60, &arguments, &[]);
    terminal.wait_for("▸ team_0");
    terminal.keys("O");
    terminal.wait_for("All namespaces are expanded");
    let mut times = Vec::new();
    for _ in 0..KEYS {
        terminal.keys("=");
        terminal.wait_for("arranged anew");
        let pressed = Instant::now();
        terminal.keys("2");
        terminal.wait_gone("arranged anew");
        times.push(pressed.elapsed());
        terminal.keys("1");
        // Until the drawing is done.
        std::thread::sleep(Duration::from_millis(600));
    }
    terminal.keys("q");
    terminal.wait_exit();
    let [median, _, longest] = shares(&mut times);
    println!(
        "\nA key while {VERTICES} vertices are laid out: {median:.1} ms, {longest:.1} ms at most."
    );
}

/// Median, 99th percentile and the longest in milliseconds.
fn shares(times: &mut [Duration]) -> [f64; 3] {
    times.sort_unstable();
    let at = |part: f64| times[((times.len() - 1) as f64 * part) as usize].as_secs_f64() * 1e3;
    [at(0.5), at(0.99), at(1.0)]
}
