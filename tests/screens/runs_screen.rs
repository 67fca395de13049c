//! The Runs screen over a real store: what is asked of the services is done at once, and the answers go
//! in.

use std::io::Read;
use std::path::{Path, PathBuf};

use mlops_tui::app::effect::{Effect, RunKey};
use mlops_tui::app::event::{Event, Report};
use mlops_tui::app::log_view;
use mlops_tui::app::{shared::Exact, tab::Tab};
use mlops_tui::project::{Options, Reader};
use mlops_tui::runs::history::{self, change};
use mlops_tui::runs::{Failure, RunEvent, Stamped};
use mlops_tui::store::{
    Level, NewRun, NodeOutcome, NodeRecord, Outcome, Progress, Remote, RunFilter, RunId, RunRecord,
    Store,
};

use crate::common::app::{NOW, TestApp};
use crate::common::history::{BEGAN, line, node, two_runs};
use crate::common::run_id;

/// The screen, the store that it shows, and the other programs' connection to that.
struct Screen {
    app: TestApp,
    root: PathBuf,
    store: Store,
    /// Effects that were done.
    done: usize,
    _folder: tempfile::TempDir,
}

impl Screen {
    /// Two runs, a good one and a failed one of the next day, which is today.
    fn open(columns: u16, rows: u16) -> Self {
        Self::over(two_runs(), columns, rows)
    }

    fn over((folder, store): (tempfile::TempDir, Store), columns: u16, rows: u16) -> Self {
        let root = folder.path().to_owned();
        let mut snapshot = Reader::new(&root).read(&Options::default());
        snapshot.metadata.root = "/project".into();
        let mut app = TestApp::showing(snapshot, columns, rows);
        app.state.shared.project.exact = Exact::None;
        let mut screen = Screen { app, root, store, done: 0, _folder: folder };
        screen.app.happen(Event::Tick(NOW + 90_000.0));
        screen.serve();
        screen.keys("4");
        screen
    }

    fn keys(&mut self, script: &str) -> &mut Self {
        self.app.keys(script);
        self.serve();
        self
    }

    /// Another program has written.
    fn written(&mut self) {
        self.app.report(Report::HistoryChanged);
        self.serve();
    }

    /// Does what was asked for, until nothing more is.
    fn serve(&mut self) {
        while let Some(effect) = self.app.effects.get(self.done).cloned() {
            self.done += 1;
            assert!(self.done < 1000, "the screen asks for ever");
            for report in answer(&self.root, &mut self.store, effect) {
                self.app.report(report);
            }
        }
    }

    fn text(&self) -> String {
        self.app.screen()
    }

    #[track_caller]
    fn shows(&self, text: &str) {
        assert!(self.text().contains(text), "no `{text}`:\n{}", self.text());
    }

    #[track_caller]
    fn hides(&self, text: &str) {
        assert!(!self.text().contains(text), "`{text}`:\n{}", self.text());
    }

    fn run(&mut self, id: RunId) -> Option<RunRecord> {
        self.store.run(id).unwrap()
    }
}

/// What the services report of an effect.
fn answer(root: &Path, store: &mut Store, effect: Effect) -> Vec<Report> {
    let changed = |result: Result<(), change::ChangeError>| {
        let notice = result.err().map(|error| Report::Notice(error.to_string()));
        notice.into_iter().chain([Report::HistoryChanged]).collect()
    };
    match effect {
        Effect::LoadRuns { generation, filter } => {
            let (runs, total) = (store.runs(&filter).unwrap(), store.count_runs().unwrap());
            vec![Report::Runs { generation, runs, total }]
        }
        Effect::LoadRun(id) => {
            let whole = history::whole(store, id).unwrap();
            whole.into_iter().map(|whole| Report::RunRead(Box::new(whole))).collect()
        }
        Effect::FindInLog { run, generation, filter, from } => {
            let line = log_view::find(store, run, &filter, from).unwrap();
            vec![Report::LogFound { run, generation, line }]
        }
        Effect::LoadLog { run, generation, filter, from } => {
            let lines = store.log(run, &filter, from, log_view::PAGE).unwrap();
            vec![Report::Log { run, generation, lines }]
        }
        Effect::LoadTimings => vec![Report::Timings(store.timings(20).unwrap())],
        Effect::Compare(runs) => {
            let mut read = |id| history::whole(store, id).unwrap().unwrap();
            let (first, second) = (read(runs.first), read(runs.second));
            let runtime = tokio::runtime::Runtime::new().unwrap();
            let compared = runtime.block_on(history::compare(root, None, &first, &second));
            vec![Report::Compared { runs, result: Ok(Box::new(compared)) }]
        }
        Effect::Pin(id, pinned) => changed(store.pin(id, pinned).map(drop).map_err(Into::into)),
        Effect::Note(id, note) => changed(store.note(id, &note).map(drop).map_err(Into::into)),
        Effect::DeleteRun(id) => changed(change::delete(store, &[id]).map(drop)),
        Effect::CancelElsewhere(id) => changed(change::cancel(store, id)),
        Effect::Prunable(room) => {
            let pruned = store.prunable(&room).unwrap();
            vec![Report::Prunable(room, pruned)]
        }
        Effect::Prune(room) => changed(store.prune(&room).map(drop).map_err(Into::into)),
        _ => Vec::new(),
    }
}

/// Adds a run of these nodes that goes on, recorded by this process.
fn going_on(store: &mut Store, nodes: &[NodeRecord]) -> RunRecord {
    let new = NewRun {
        started_at: NOW + 89_990.0,
        pipeline: "__default__".into(),
        command: "kedro run".into(),
        detached: true,
        ..NewRun::default()
    };
    let mut run = store.add_run(&new).unwrap();
    run.nodes_total = nodes.len() as u32;
    record(store, &run, 1, "it begins", nodes);
    run
}

fn record(store: &mut Store, run: &RunRecord, first: u64, text: &str, nodes: &[NodeRecord]) {
    let entries = [line(run.new.started_at, None, Level::Info, text)];
    let progress = Progress { record: run, first, entries: &entries, nodes, datasets: &[] };
    store.record(&progress).unwrap();
}

/// A name as long as no person would type it.
fn long_name() -> String {
    format!("preprocess.{}.node", "a_very_long_namespace_".repeat(8))
}

#[test]
fn every_view_at_two_sizes() {
    for (columns, rows) in [(80, 24), (200, 60)] {
        let mut screen = Screen::open(columns, rows);
        let see = |screen: &Screen, name: &str| {
            let text = without_clock(&screen.text());
            insta::assert_snapshot!(format!("{name}_{columns}x{rows}"), text);
        };
        see(&screen, "list");
        screen.keys("fnothing like it<enter>");
        see(&screen, "no_match");
        screen.keys("<esc>").keys("<enter>");
        see(&screen, "failed_run");
        screen.keys("L");
        see(&screen, "log");
        screen.keys("<tab>");
        see(&screen, "about");
        screen.keys("<esc>").keys("j<enter>");
        see(&screen, "timeline");
        screen.keys("<esc>g<space>jc");
        see(&screen, "comparison");
        let empty = crate::common::project::project("def make(node):\n    return []\n");
        let store = Store::new(empty.path());
        see(&Screen::over((empty, store), columns, rows), "empty");
    }
}

/// The log's clock is that of the machine.
fn without_clock(screen: &str) -> String {
    let clock = |line: &str| {
        let is = |at: usize| line.get(at..=at) == Some(":");
        match is(3) && is(6) {
            true => format!(" hh:mm:ss{}", &line[9..]),
            false => line.to_owned(),
        }
    };
    screen.lines().map(clock).collect::<Vec<_>>().join("\n")
}

#[test]
fn long_names_and_values_fit() {
    let (folder, mut store) = two_runs();
    let name = long_name();
    let mut nodes = [
        node(&name, 0, NodeOutcome::Succeeded, 89_991.0, 3.0),
        node("\u{1b}[31mred 漢字漢字漢字", 1, NodeOutcome::Running, 89_994.0, 0.0),
    ];
    nodes[1].seconds = None;
    let run = going_on(&mut store, &nodes);
    record(&mut store, &run, 2, &"words ".repeat(100), &nodes);
    store.note(run.id.unwrap(), &"a note that goes on ".repeat(9)).unwrap();
    let mut screen = Screen::over((folder, store), 80, 24);
    for (keys, view) in [("", "list"), ("<enter>", "timeline"), ("L", "log"), ("<tab>", "about")] {
        screen.keys(keys);
        let text = without_clock(&screen.text());
        insta::assert_snapshot!(format!("long_{view}"), text);
    }
}

#[test]
fn a_filter_is_tried_as_it_is_typed_and_esc_takes_it_back() {
    let mut screen = Screen::open(120, 30);
    screen.keys("&is:fail");
    screen.shows("filter: is:fail");
    screen.shows("1 d ago"); // not yet a word that chooses
    screen.keys("ed");
    screen.hides("1 d ago");
    screen.keys("<esc>").shows("1 d ago");
    screen.keys("&is:good<enter>").shows("`good` is not among: failed, succeeded");
    screen.keys("<esc>&node:train since:30min<enter>");
    screen.shows("Runs · 0 of 2 · node:train since:30min");
    assert_eq!(screen.app.state.runs.list.rows.len(), 0);
    screen.keys("<esc>");
    assert_eq!(screen.app.state.runs.list.rows.len(), 2);
}

#[test]
fn the_timeline_leads_to_a_node_s_log_and_the_log_is_searched() {
    let mut screen = Screen::open(120, 30);
    screen.keys("j<enter>").shows("critical path 6.00 s of 8.00 s, 1.00 s to start");
    // The last node, and what it said.
    screen.keys("G<enter>").shows("it does not converge");
    screen.shows("node train");
    screen.hides("Disk slow");
    screen.keys("<esc>").shows("Disk slow");
    screen.keys("s").hides("reading rows");
    screen.shows("warnings and errors");
    screen.keys("s").hides("converge");
    screen.keys("s&converge<enter>").hides("Disk slow");
    screen.shows("it does not converge");
    screen.keys("<esc><esc>").shows("Runs ─");
}

#[test]
fn runs_are_pinned_noted_deleted_and_pruned() {
    let mut screen = Screen::open(120, 30);
    screen.keys("jPithe good one<enter>");
    screen.shows("the good one");
    let run = screen.run(run_id(1)).unwrap();
    assert!(run.pinned && run.note.as_deref() == Some("the good one"));
    screen.keys("Xkeep<enter>").shows("`keep` is no limit");
    screen.keys("<esc>Xkeep:1<enter>").shows("1 run (2), about");
    screen.keys("n");
    assert!(screen.run(run_id(2)).is_some());
    screen.keys("Xolder:30min size:1MB<enter>").shows("Delete old runs?");
    // A key that is pressed for other things deletes nothing.
    screen.keys("<enter>").shows("Delete old runs?");
    screen.keys("y");
    assert_eq!((screen.run(run_id(2)), screen.app.state.runs.list.rows.len()), (None, 1));
    screen.keys("Xkeep:0<enter>").shows("There is nothing to delete.");
    screen.keys("dy").shows("No run is recorded yet.");
    screen.shows("Run 1 is deleted; u brings it back until you quit.");
    screen.written();
    screen.shows("No run is recorded yet.");
    screen.keys("u").shows("Undone: deleting run 1.");
    screen.keys("u").shows("Undone: note of run 1.");
    assert_eq!(screen.run(run_id(1)).unwrap().note.as_deref().unwrap_or_default(), "");
    screen.keys("dy");
    assert_eq!(screen.app.state.runs.delete_for_good(), [Effect::DeleteRun(run_id(1))]);
}

#[test]
fn runs_are_compared_by_marks_or_with_the_selected_one() {
    let mut screen = Screen::open(120, 30);
    screen.keys("c").shows("mark a run with space");
    screen.keys("<space>").shows("1 marked");
    screen.keys("jc").shows("run 1 and run 2");
    for part in
        ["overridden", "size", "changed: nodes.train", "+     model.seed = 2", "added: nodes.fit"]
    {
        screen.shows(part);
    }
    screen.keys("G");
    for part in ["failed, 4.00 s", "metrics saved"] {
        screen.shows(part);
    }
    screen.keys("<esc><space>").shows("2 marked");
    screen.keys("gc").shows("run 1 and run 2");
    screen.keys("<esc><esc>").hides("marked");
}

#[test]
fn a_run_of_another_program_goes_on_live_and_is_cancelled() {
    let mut screen = Screen::open(120, 30);
    let mut nodes = vec![
        node("clean", 0, NodeOutcome::Succeeded, 89_991.0, 2.0),
        node("train", 1, NodeOutcome::Running, 89_993.0, 0.0),
    ];
    nodes[1].seconds = None;
    let mut run = going_on(&mut screen.store, &nodes);
    // SIGINT ends `sleep`, which stands for the other program, also where the tests run in the
    // background and it is ignored.
    let mut program = std::process::Command::new("env")
        .args(["--default-signal=INT", "sh", "-c", "echo; exec sleep 60"])
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    program.stdout.take().unwrap().read_exact(&mut [0]).unwrap();
    screen.store.set_process(run.id.unwrap(), program.id()).unwrap();
    assert_eq!(screen.app.state.runs.list.rows.len(), 2);
    screen.written();
    assert_eq!(screen.app.state.runs.list.rows.len(), 3);
    assert!(screen.app.state.shows_time());
    screen.keys("g<enter>");
    // Train took 4 s before: what is left of that is seen.
    let now = BEGAN + 89_994.0;
    screen.app.happen(Event::Tick(now));
    screen.shows("1.00 s");
    assert!(screen.text().contains("····"), "{}", screen.text());
    screen.keys("L").shows("it begins");
    record(&mut screen.store, &run, 2, "and goes on", &nodes);
    screen.written();
    screen.shows("and goes on");
    let before = screen.app.effects.len();
    screen.app.happen(Event::Tick(now + 1.0));
    assert_eq!(screen.app.effects.len(), before, "time alone asks for nothing");

    screen.keys("x").shows("Cancel this run?");
    screen.keys("y");
    assert!(!program.wait().unwrap().success());
    run.outcome = Outcome::Cancelled;
    run.ended_at = Some(now + 2.0);
    nodes[1].outcome = NodeOutcome::Stopped;
    record(&mut screen.store, &run, 3, "it ends", &nodes);
    screen.written();
    screen.shows("it ends");
    screen.shows("cancelled");
    assert!(!screen.app.state.shows_time());
    screen.keys("x").shows("nothing is running");
}

#[test]
fn a_remote_run_is_shown_as_one_and_left_to_its_engine() {
    let (folder, mut store) = two_runs();
    let remote = Remote {
        profile: "prod".into(),
        engine: "airflow".into(),
        pipeline: "bikes".into(),
        run: "manual__7".into(),
    };
    let new = NewRun { started_at: 89_990.0, pipeline: "remote_one".into(), ..NewRun::default() };
    let mut run = store.add_remote_run(&remote, &new).unwrap();
    let mut screen = Screen::over((folder, store), 160, 30);
    screen.shows("on prod");
    screen.shows("prod (airflow), bikes, manual__7");
    screen.keys("x").shows("the run is on prod, see the Remote tab");
    run.outcome = Outcome::Failed;
    record(&mut screen.store, &run, 1, "it ends", &[]);
    screen.written();
    screen.keys("C").shows("the run is on prod, see the Remote tab");
    assert!(!screen.app.effects.iter().any(|effect| matches!(effect, Effect::CancelElsewhere(_))));
}

#[test]
fn a_run_whose_program_was_killed_is_lost() {
    let (folder, mut store) = two_runs();
    let run = going_on(&mut store, &[node("train", 0, NodeOutcome::Running, 89_991.0, 0.0)]);
    let mut program = std::process::Command::new("sleep").arg("60").spawn().unwrap();
    store.set_process(run.id.unwrap(), program.id()).unwrap();
    let mut screen = Screen::over((folder, store), 120, 30);
    screen.shows("running");
    program.kill().unwrap();
    program.wait().unwrap();
    assert_eq!(screen.store.recover().unwrap(), [run.id.unwrap()]);
    screen.written();
    screen.shows("lost");
    screen.keys("x").shows("nothing is running");
}

#[test]
fn a_detached_run_is_asked_for_and_selected_when_it_is_listed() {
    let mut screen = Screen::open(120, 30);
    screen.keys("1oG");
    screen.keys("<esc>B");
    let asked = screen.app.effects.iter().rev().find_map(|effect| match effect {
        Effect::RunDetached { generation, request } => Some((*generation, request.clone())),
        _ => None,
    });
    let (generation, request) = asked.unwrap();
    assert_eq!(request.to_command(), "kedro run");
    let run = going_on(&mut screen.store, &[]);
    screen.app.report(Report::Detached { generation, result: Ok(run.id) });
    screen.serve();
    screen.shows("Run 3 continues in the background");
    screen.keys("4");
    assert_eq!(screen.app.state.runs.list.selected().unwrap().id, RunId::new(3));
    let result = Err("Kedro is not \u{1b}[1minstalled.".into());
    screen.app.report(Report::Detached { generation, result });
    screen.shows("Kedro is not");
}

#[test]
fn sigint_ends_the_run_first_and_the_program_when_there_is_none() {
    let mut app = TestApp::open(80, 24);
    app.keys("a");
    app.start_run(&["clean_stations"]);
    app.happen(Event::Interrupt);
    assert_eq!(app.effects.last(), Some(&Effect::Cancel(1.into())));
    app.happen(Event::Interrupt);
    assert_eq!(app.effects.last(), Some(&Effect::Quit));
}

#[test]
fn the_live_log_is_searched_and_filtered_on_its_page() {
    for keys in ["&", "/"] {
        let mut app = TestApp::open(120, 40);
        app.keys("ry");
        app.start_run(&["clean_stations"]);
        app.keys("<tab><tab>").keys(keys);
        assert!(app.screen().contains("Runs > run 1"), "{}", app.screen());
        assert!(app.state.shared.prompt.is_some(), "{}", app.screen());
        // The filter of the graph is another one.
        app.keys("<esc>1").keys(keys);
        assert!(!app.screen().contains("Runs > run 1"), "{}", app.screen());
    }
}

#[test]
fn runs_that_are_not_recorded_are_told_apart() {
    let mut app = TestApp::open(100, 30);
    for key in [1, 2] {
        let new = NewRun { started_at: NOW + key as f64, ..NewRun::default() };
        let run = Box::new(RunRecord::begun(None, new));
        app.report(Report::RunStarted { generation: None, key: RunKey::from(key), run });
    }
    let failure = Failure { message: "no cups".into(), ..Failure::default() };
    let event = RunEvent::RunFailed { failure };
    let events = vec![Stamped { at: NOW + 3.0, event }];
    app.report(Report::Run { key: 2.into(), events });
    let ended = |app: &TestApp| -> Vec<bool> {
        app.state.shared.beside.iter().map(|run| run.ended.is_some()).collect()
    };
    assert_eq!(ended(&app), [false, true]);
    let outcomes: Vec<Outcome> = app.state.runs.list.rows.iter().map(|run| run.outcome).collect();
    assert_eq!(outcomes, [Outcome::Failed, Outcome::Running]);
    app.keys("4jd");
    assert!(app.screen().contains("this run is not in the history"), "{}", app.screen());
    app.keys("x");
    assert_eq!(app.effects.last(), Some(&Effect::Cancel(1.into())));
}

#[test]
fn a_grid_is_cancelled_as_a_whole_and_one_that_is_refused_says_so() {
    let mut app = TestApp::open(100, 30);
    app.keys("mseed=1,2<enter>");
    let Some(Effect::RunGrid { requests, .. }) = app.effects.last() else { panic!() };
    assert_eq!(requests.len(), 2);
    for (id, batch) in (1..=6).map(|id| (id, format!("grid {}", (id + 1) / 2))) {
        let new = NewRun { batch: Some(batch), ..NewRun::default() };
        let run = Box::new(RunRecord::begun(RunId::new(id), new));
        app.report(Report::RunStarted {
            generation: None,
            key: RunKey::from(id.unsigned_abs()),
            run,
        });
    }
    let cancels = |app: &TestApp| -> Vec<Effect> {
        let all = app.effects.iter();
        all.filter(|effect| matches!(effect, Effect::Cancel(_))).cloned().collect()
    };
    app.keys("x");
    assert_eq!(cancels(&app), [Effect::Cancel(6.into())], "the one that began last, with its grid");
    app.keys("4jjx");
    assert_eq!(app.state.runs.list.selected().unwrap().id, RunId::new(4));
    assert_eq!(
        cancels(&app),
        [6, 4].map(|key| Effect::Cancel(RunKey::from(key))),
        "the one that is shown"
    );
    app.keys("x1");
    assert_eq!(cancels(&app).len(), 2, "the shown one is being cancelled");
    app.happen(Event::Interrupt);
    assert_eq!(
        cancels(&app),
        [6, 4, 2].map(|key| Effect::Cancel(RunKey::from(key))),
        "the last grid"
    );
    app.keys("x");
    assert_eq!(cancels(&app).len(), 3, "all are being cancelled");
    app.happen(Event::Interrupt);
    assert_eq!(app.effects.last(), Some(&Effect::Quit));

    let refused = |message: &str, needs_environment| {
        let failure = Failure { message: message.into(), ..Failure::default() };
        Report::RunRefused { generation: None, failure, needs_environment }
    };
    app.report(refused("Python can't be started.", false));
    assert!(app.screen().contains("Python can't be started"), "{}", app.screen());
    app.report(refused("Kedro is not installed there.", true));
    assert!(app.screen().contains("Make the Python environment?"), "{}", app.screen());
    assert!(app.screen().contains("Kedro is not installed there"), "{}", app.screen());
}

#[test]
fn what_is_read_late_changes_nothing_else() {
    let mut screen = Screen::open(120, 30);
    screen.keys("<enter>");
    let late = RunFilter { text: Some("size=1".into()), ..RunFilter::default() };
    let runs = screen.store.runs(&late).unwrap();
    screen.app.report(Report::Runs { generation: 0.into(), runs, total: 0 });
    assert_eq!(screen.app.state.runs.list.rows.len(), 2);
    assert_eq!(screen.app.state.tab, Tab::Runs);
}
