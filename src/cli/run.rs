//! `mlops-tui run`: runs nodes as `kedro run` does, through the worker, and records the run.

use color_eyre::eyre::{Result, WrapErr, bail, eyre};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::complete;
use super::detach::detach;
use super::invocation::{Signals, why};
use super::output::{self, ErrorsArgument, complain};
use super::project::ProjectArguments;
use crate::dag::Slice;
use crate::runs;
use crate::runs::history::Asked;
use crate::runs::params::{Handed, Params};
use crate::runs::recorder::{Subject, burst};
use crate::runs::request::{parse_load_versions, parse_params, split_list, split_node_names};
use crate::runs::{
    Failure, Plan, Prepared, Process, Recorder, RunEvent, RunRequest, Spec, Stamped, claims,
    environment, interpreter, plan, staleness,
};
use crate::store::{Outcome, RunRecord, Store};
use crate::text::{json, sanitize};

/// Run nodes as `kedro run` does, and record the run.
///
/// The project is executed by its own Python. Ctrl-C cancels the run; a second one kills it. The
/// exit code is 0 when the run ended well, 130 when it was cancelled, else 1. Lists are separated
/// by commas.
///
/// Example: mlops-tui run --to-nodes train_model --params seed=3
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    project: ProjectArguments,
    /// Pipeline to run [default: __default__]
    #[arg(short, long, value_name = "NAME", add = complete::pipelines())]
    pipeline: Option<String>,
    /// Pipelines to run (Kedro 1.2 and later)
    #[arg(
        long,
        value_name = "NAMES",
        default_value = "",
        hide_default_value = true,
        conflicts_with = "pipeline", add = complete::pipelines())]
    pipelines: String,
    /// Nodes to run, and nothing else
    #[arg(short, long, value_name = "NODES", default_value = "", hide_default_value = true, add = complete::nodes())]
    nodes: String,
    /// Nodes to begin at: these and all nodes after them
    #[arg(long, value_name = "NODES", default_value = "", hide_default_value = true, add = complete::nodes())]
    from_nodes: String,
    /// Nodes to end at: these and all nodes before them
    #[arg(long, value_name = "NODES", default_value = "", hide_default_value = true, add = complete::nodes())]
    to_nodes: String,
    /// Datasets to begin at
    #[arg(long, value_name = "DATASETS", default_value = "", hide_default_value = true, add = complete::datasets())]
    from_inputs: String,
    /// Datasets to end at
    #[arg(long, value_name = "DATASETS", default_value = "", hide_default_value = true, add = complete::datasets())]
    to_outputs: String,
    /// Nodes with any of these tags
    #[arg(short, long, value_name = "TAGS", default_value = "", hide_default_value = true, add = complete::tags())]
    tags: String,
    /// Nodes in any of these namespaces
    #[arg(
        long,
        visible_alias = "namespace",
        value_name = "NAMESPACES",
        default_value = "",
        hide_default_value = true, add = complete::namespaces())]
    namespaces: String,
    /// Parameters for this run: a=1,model.depth=3
    #[arg(long, value_name = "PARAMS", value_parser = parse_params, default_value = "", hide_default_value = true)]
    params: Params,
    /// Runner: SequentialRunner, ThreadRunner, ParallelRunner, or a dotted path to one
    #[arg(short, long, value_name = "RUNNER")]
    runner: Option<String>,
    /// Further arguments for the runner (Kedro 1.2 and later): max_workers=4
    #[arg(long, value_name = "PARAMS")]
    runner_params: Option<String>,
    /// Load and save datasets in threads
    #[arg(long = "async")]
    is_async: bool,
    /// Versions of datasets to load: model:2026-01-31T12.00.00.000Z
    #[arg(long, value_name = "VERSIONS", value_parser = parse_load_versions, default_value = "", hide_default_value = true, add = complete::datasets())]
    load_versions: Versions,
    /// YAML file with options for the command `run`; missing inputs are not made then
    #[arg(short, long, value_name = "FILE")]
    config: Option<String>,
    /// Configuration folder
    #[arg(long, value_name = "PATH")]
    conf_source: Option<String>,
    /// Leave out nodes whose outputs exist (Kedro 1.0 and later)
    #[arg(long)]
    only_missing_outputs: bool,
    /// After a failure, run the nodes that do not depend on the failed one; not with the ParallelRunner
    #[arg(short, long, conflicts_with = "strict")]
    keep_going: bool,
    /// Run only the stale ones of these nodes; `mlops-tui status` shows which and why
    #[arg(long, conflicts_with_all = ["config", "only_missing_outputs"])]
    stale: bool,
    /// Run once for each combination of these values, a few runs at a time: lr=0.1,0.01 depth=4,8. Each
    /// run saves to a folder of its own in .mlops-tui/apart, and the project's data stay unchanged
    #[arg(long, value_name = "GRID", conflicts_with_all = ["plan", "detach", "strict"])]
    grid: Option<String>,
    /// Print which nodes would run, why, and where inputs come from; run nothing
    #[arg(long)]
    plan: bool,
    /// Behave exactly as `kedro run`: add no nodes for missing inputs, and neither load nor keep
    /// datasets that live in memory
    #[arg(long)]
    strict: bool,
    /// Run in the background: the run outlives this terminal
    #[arg(long, conflicts_with = "plan")]
    detach: bool,
    /// Marks the background process of --detach
    #[arg(long, hide = true)]
    detached: bool,
    /// Stdin of the background process is the socket of a warm worker
    #[arg(long, hide = true, requires = "detached")]
    warm: bool,
    /// File with the parameters for the background process
    #[arg(long, hide = true)]
    params_from: Option<PathBuf>,
    /// Python interpreter [default: the project's own]
    #[arg(long, value_name = "FILE")]
    python: Option<PathBuf>,
    /// Print events as JSON lines, then the run's record
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    errors: ErrorsArgument,
}

type Versions = indexmap::IndexMap<String, String>;

impl Arguments {
    fn request(&self) -> RunRequest {
        RunRequest {
            pipeline: self.pipeline.clone(),
            pipelines: split_list(&self.pipelines),
            slice: Slice {
                from_nodes: split_node_names(&self.from_nodes),
                to_nodes: split_node_names(&self.to_nodes),
                nodes: split_node_names(&self.nodes),
                from_inputs: split_list(&self.from_inputs),
                to_outputs: split_list(&self.to_outputs),
                tags: split_list(&self.tags),
                namespaces: split_list(&self.namespaces),
            },
            env: self.project.env(),
            params: self.params.clone(),
            runner: self.runner.clone(),
            runner_params: self.runner_params.clone(),
            is_async: self.is_async,
            load_versions: self.load_versions.clone(),
            config: self.config.as_deref().map(absolute),
            conf_source: self.conf_source.as_deref().map(absolute),
            only_missing_outputs: self.only_missing_outputs,
            keep_going: self.keep_going,
            apart: None,
        }
    }
}

/// The absolute path, because the worker's working directory is the project's folder.
fn absolute(path: &str) -> String {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.into());
    if absolute.exists() { absolute.display().to_string() } else { path.to_owned() }
}

pub(super) fn run(arguments: &Arguments) -> Result<ExitCode> {
    if arguments.detach {
        let (params, runner_params) = (arguments.params.clone(), arguments.runner_params.clone());
        return detach(&Handed { params, runner_params }, arguments.json);
    }
    if arguments.detached {
        runs::detach::start_session().wrap_err("the run can't leave its session")?;
    }
    let root = arguments.project.root()?;
    let interpreter = interpreter::choose(&root, arguments.python.as_deref());
    let mut request = arguments.request();
    if let Some(file) = &arguments.params_from {
        let handed = Handed::take(file).map_err(|error| eyre!(error))?;
        (request.params, request.runner_params) = (handed.params, handed.runner_params);
    }
    if arguments.stale {
        let python = interpreter.as_ref().ok().map(|python| python.path.as_path());
        let due = staleness::due(&root, &request, python)?;
        if due.is_empty() {
            // With --json nothing is printed, because there are no events and no run.
            let text = if arguments.json { "" } else { "Nothing is stale.\n" };
            return output::text(text);
        }
        request.slice = Slice::nodes(due);
    }
    if let Some(grid) = &arguments.grid {
        let python = interpreter.map_err(|error| eyre!(error))?;
        return super::grid::run(&root, &request, grid, &python, arguments.json);
    }
    let prepared = match (arguments.plan, arguments.strict) {
        (true, _) => plan::foresee(&root, request.clone()),
        (false, true) => {
            let mut prepared = Prepared::as_asked(request.clone());
            prepared.writes = plan::foresee(&root, request.clone()).writes;
            prepared
        }
        (false, false) => plan::prepare(&root, request.clone())?,
    };
    prepared.warnings.iter().for_each(output::warn);
    if arguments.plan {
        print_plan(&prepared, arguments.json)?;
        return Ok(arguments.errors.code(prepared.has_errors));
    }
    let interpreter = interpreter.map_err(|error| eyre!(error))?;
    let how = How { json: arguments.json, detached: arguments.detached, warm: arguments.warm };
    perform(&root, request, &prepared, &interpreter, &how)
}

/// Runs what is asked for, as `mlops-tui run` does.
pub(super) fn here(root: &Path, request: RunRequest, json: bool) -> Result<ExitCode> {
    let interpreter = interpreter::choose(root, None).map_err(|error| eyre!(error))?;
    let prepared = plan::prepare(root, request.clone())?;
    prepared.warnings.iter().for_each(output::warn);
    perform(root, request, &prepared, &interpreter, &How { json, ..How::default() })
}

/// How a run is followed.
#[derive(Default)]
struct How {
    json: bool,
    detached: bool,
    warm: bool,
}

fn perform(
    root: &Path,
    request: RunRequest,
    prepared: &Prepared,
    interpreter: &interpreter::Interpreter,
    arguments: &How,
) -> Result<ExitCode> {
    let mut claim = claims::claim(root, prepared).map_err(|error| eyre!(error))?;
    super::block_on(async {
        let mut signals = Signals::new()?;
        let spec = Spec::new(&interpreter.path, root);
        let worker = runs::detach::worker(spec, arguments.warm)?;
        let process = worker
            .start(prepared)
            .wrap_err_with(|| format!("{} can't be started", interpreter.path.display()))?;
        let mut printer = Printer::new(arguments.json, arguments.detached);
        printer.say(&format!("Python {} ({})", interpreter.path.display(), interpreter.reason));
        for note in prepared.plan.iter().flat_map(Plan::notes) {
            printer.say(&note);
        }
        let asked = Asked {
            why: why(std::env::args_os()),
            python: interpreter.path.display().to_string(),
            worker: if arguments.warm { "warm" } else { "fresh" }.into(),
            detached: arguments.detached,
            ..Asked::default()
        };
        let subject = Subject { root: root.to_owned(), request, asked, taken: prepared.taken() };
        let tell = |text: String| complain(&text);
        let (recorder, record) = Recorder::start(Store::new(root), subject, tell).await;
        if let (Some(claim), Some(id)) = (&mut claim, record.id) {
            claim.set_run(id);
        }
        if arguments.detached {
            runs::detach::report_begun(record.id)?;
        }
        follow(process, &mut signals, &mut printer, &recorder, record.new.started_at).await;
        // What is still observed of the run does not keep the next one from its data.
        drop(claim);
        let record = recorder.finish().await.unwrap_or(record);
        printer.close(&record, &mut signals).await;
        Ok(match record.outcome {
            Outcome::Succeeded => ExitCode::SUCCESS,
            Outcome::Cancelled => ExitCode::from(130),
            _ => ExitCode::FAILURE,
        })
    })
}

/// Prints the plan of a run.
fn print_plan(prepared: &Prepared, json: bool) -> Result<ExitCode> {
    let Some(plan) = &prepared.plan else {
        let error = prepared.refused.as_ref().map(ToString::to_string);
        bail!("{}.", error.unwrap_or_else(|| {
            "The pipeline can't be read without Python, so there is no plan; `mlops-tui inspect` says why"
                .into()
        }));
    };
    if json {
        return output::json(&serde_json::to_value(plan)?);
    }
    let lines: String = plan.lines().iter().map(|line| sanitize(line) + "\n").collect();
    output::text(&lines)
}

async fn follow(
    mut worker: Process,
    signals: &mut Signals,
    printer: &mut Printer,
    recorder: &Recorder,
    started_at: f64,
) {
    let mut last = started_at;
    let mut interrupts = 0;
    loop {
        tokio::select! {
            biased;
            () = signals.next() => {
                interrupts += 1;
                if interrupts == 1 {
                    printer.say("Cancelling. Press Ctrl-C again to kill the run.");
                    worker.cancel();
                } else {
                    let cancelled = Stamped { at: last, event: RunEvent::RunCancelled };
                    recorder.record(vec![cancelled]).await;
                    return; // dropping the worker kills it
                }
            }
            () = printer.print(), if printer.waits() => {}
            // A slow reader slows the run down, as it does with Kedro, but does not delay a cancelled run's end.
            event = worker.next(), if interrupts > 0 || !printer.is_full() => {
                let Some(first) = event else { return };
                let events = burst(&mut worker, first).await;
                last = events.last().map_or(last, |event| event.at);
                events.iter().for_each(|event| printer.event(event));
                recorder.record(events).await;
            }
        }
    }
}

/// The amount of waiting text, in bytes, above which no more events are read.
const WAITING: usize = 1 << 20;
/// How long the end of a cancelled run waits for a reader.
const FAREWELL: Duration = Duration::from_secs(2);

/// Prints events until the reader closes the pipe; the run continues then. A thread writes, so that a
/// reader that has stopped reading blocks nothing else.
struct Printer {
    json: bool,
    gone: bool,
    text: String,
    out: mpsc::Sender<String>,
    writes: JoinHandle<()>,
}

impl Printer {
    fn new(json: bool, gone: bool) -> Self {
        let (out, mut texts) = mpsc::channel::<String>(1);
        let writes = tokio::task::spawn_blocking(move || {
            while let Some(text) = texts.blocking_recv() {
                let mut out = io::stdout().lock();
                if out.write_all(text.as_bytes()).and_then(|()| out.flush()).is_err() {
                    return;
                }
            }
        });
        Printer { json, gone, text: String::new(), out, writes }
    }

    fn event(&mut self, stamped: &Stamped) {
        if self.json {
            match json::line(stamped) {
                Ok(line) => self.line(&line),
                Err(error) => complain(&format!("an event can't be printed: {error}")),
            }
        } else if let Some(text) = describe(&stamped.event) {
            self.line(&text);
        }
    }

    fn say(&mut self, text: &str) {
        if !self.json {
            self.line(&sanitize(text));
        }
    }

    /// Prints the outcome of the run, and waits until everything is printed. After a signal the reader has
    /// [`FAREWELL`] to read it.
    async fn close(mut self, record: &RunRecord, signals: &mut Signals) {
        if self.json {
            if let Ok(line) = json::line(record) {
                self.line(&line);
            }
        } else if let Some(id) = record.id {
            self.line(&format!("Recorded as run {id}."));
        }
        let all = async {
            if self.waits() {
                self.print().await;
            }
            drop(self.out);
            let _ = self.writes.await;
        };
        let patience = async {
            if record.outcome != Outcome::Cancelled {
                signals.next().await;
            }
            tokio::time::sleep(FAREWELL).await;
        };
        tokio::select! {
            () = all => {}
            () = patience => {}
        }
    }

    fn line(&mut self, text: &str) {
        // After a signal nobody may be reading.
        if !self.gone && self.text.len() < 4 * WAITING {
            self.text += text;
            self.text.push('\n');
        }
    }

    fn waits(&self) -> bool {
        !self.text.is_empty()
    }

    fn is_full(&self) -> bool {
        self.text.len() > WAITING
    }

    /// Passes the text to the writing thread once the previous text is written.
    async fn print(&mut self) {
        match self.out.reserve().await {
            Ok(room) => room.send(std::mem::take(&mut self.text)),
            Err(_) => {
                self.gone = true;
                self.text.clear();
            }
        }
    }
}

/// An event as a line of text; `None` for events that are not shown.
fn describe(event: &RunEvent) -> Option<String> {
    let line = match event {
        RunEvent::RunStarted { pipeline, env, nodes, kedro_version, runner, .. } => format!(
            "Kedro {kedro_version} · {pipeline} · env {env} · {} node{} · {runner}",
            nodes.len(),
            if nodes.len() == 1 { "" } else { "s" },
        ),
        RunEvent::NodeStarted { node } => format!("▶ {node}"),
        RunEvent::NodeFinished { node, seconds } => format!("✓ {node}  {seconds:.2} s"),
        RunEvent::NodeFailed { node, seconds, failure } => {
            let message = failure.message.trim().lines().next().unwrap_or_default();
            format!("✗ {node}  {seconds:.2} s  {}: {message}", failure.kind)
        }
        RunEvent::Output { node, level, text, .. } => {
            let node = node.as_ref().map(|node| format!("[{node}] ")).unwrap_or_default();
            let level = level.as_ref().filter(|level| *level != "INFO");
            let level = level.map(|level| format!("{level} ")).unwrap_or_default();
            format!("  {node}{level}{text}")
        }
        RunEvent::RunFinished { seconds } => format!("Finished in {seconds:.2} s."),
        RunEvent::RunFailed { failure } => return Some(describe_failure(failure)),
        RunEvent::RunCancelled => "Cancelled.".into(),
        RunEvent::RunLost { reason } => format!("Lost: {reason}."),
        RunEvent::DatasetLoaded { .. }
        | RunEvent::DatasetSaved { .. }
        | RunEvent::DatasetKept { .. }
        | RunEvent::DatasetNotKept { .. }
        | RunEvent::Tracked { .. } => return None,
    };
    Some(sanitize(&line))
}

/// The traceback, the line of the project that failed, and a hint.
fn describe_failure(failure: &Failure) -> String {
    let mut lines: Vec<String> = failure.traceback.trim_end().lines().map(sanitize).collect();
    let message = failure.message.trim().lines().next().unwrap_or_default();
    lines.push(sanitize(&format!("Failed: {}: {message}", failure.kind)));
    if let Some(frame) = failure.project_frame() {
        lines.push(sanitize(&format!("  at {}:{}", frame.file, frame.line)));
    }
    if environment::would_help(failure) {
        lines.push("A package is missing. `mlops-tui env create` makes the project's environment; --python names another one.".into());
    }
    lines.join("\n")
}
