//! A child of the worker that works on one request: reading its output, cancelling it, and killing it when it
//! is not wanted any more.
//!
//! A task owns the pipes. It sends events over a bounded channel: a slow listener slows down the project's
//! printing, and memory stays bounded. A child that ends without a last event has failed;
//! [`RunEvent::RunLost`] means that the reason is not known. If the run ended by itself, processes that it
//! left behind stay, as with `kedro run`. Otherwise, and when the [`Process`] is dropped, all of its
//! processes are killed.

use std::io::{self, Read};
use std::sync::Arc;
use std::time::Duration;

use rustix::process::Signal;
use serde::Deserialize;
use serde_json::{Value as Json, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::unix::pipe;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};

use super::event::{RunEvent, Stamped, Stream};
use super::exit::Exit;
use super::group::Group;
use super::pipes::{self, Pipe};
use super::protocol::{self, Message, Messages, Raw, TrackedRun};
use super::request::RunRequest;
use super::server::{Condition, Ends, Server};
pub use super::spec::Spec;
use crate::store::now;

/// Capacity of the channel to the listener, in batches of messages; a batch is at most what a pipe holds.
const QUEUE: usize = 16;
/// How long Python may take to end (exit handlers, threads, uploads) after the last event of a run, before
/// the log says that it is still there; or after an answer, before it is killed.
const LINGER: Duration = Duration::from_secs(30);
/// How long pipes are read after the child's end: other processes may hold them open and continue to write.
const DRAIN: Duration = Duration::from_secs(1);
/// How long a request waits for the imports of the server.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long ending the MLflow runs of a killed run may take.
const FAREWELL: Duration = Duration::from_secs(30);
/// Most bytes of messages that are read from the spill file.
const SPILLED: u64 = 64 << 20;
/// How often the state of a line that rewrites itself (a progress bar) is read.
const REWRITES: Duration = Duration::from_millis(100);

/// A child that works on a request.
#[derive(Debug)]
pub struct Process {
    messages: mpsc::Receiver<Vec<Message>>,
    batch: std::vec::IntoIter<Message>,
    control: mpsc::UnboundedSender<()>,
    child: Group,
    task: JoinHandle<()>,
}

/// What the end of a child teaches about serving the next request.
#[derive(Debug)]
pub(super) enum Lesson {
    /// Names of installed modules that the child has imported.
    Modules(Vec<String>),
    /// The child crashed before the run began; the text says how.
    Crashed(String),
}

/// The connection of a request to the worker that keeps the server.
pub(super) struct Warm {
    pub(super) lessons: mpsc::UnboundedSender<Lesson>,
    pub(super) replace: Replace,
}

/// Gives the server that takes the place of one that refuses to serve.
pub(super) type Replace = Box<dyn Fn(&Arc<Server>) -> io::Result<Arc<Server>> + Send + Sync>;

/// The worker's request for a run.
pub(super) fn run(request: &RunRequest) -> Json {
    // The fields are strings, numbers and maps with string keys: serializing can't fail.
    let mut request = serde_json::to_value(request).unwrap_or_default();
    request["command"] = json!("run");
    request
}

impl Process {
    /// Asks the server for a child, as soon as the server has imported its modules. `warm` is `None` for a
    /// server that serves this request only.
    pub(super) fn begin(
        server: Arc<Server>,
        spec: &Spec,
        mut request: Json,
        warm: Option<Warm>,
    ) -> io::Result<Self> {
        // The project's code must not be able to guess the mark.
        let random = getrandom::u64().map_err(io::Error::other)?;
        let mark = format!("\0mlops-tui:{random:016x}:");
        request["root"] = json!(spec.root);
        request["mark"] = json!(mark);
        request["warm"] = json!(warm.is_some());
        let (to_read, to_send) = io::pipe()?;
        let (events, their_events) = pipes::wide()?;
        let (stdout, their_stdout) = pipes::wide()?;
        let (stderr, their_stderr) = pipes::wide()?;
        let (status, their_status) = io::pipe()?;
        let spill = tempfile::NamedTempFile::with_prefix("mlops-tui-").ok();
        request["spill"] = json!(spill.as_ref().map(|file| file.path()));
        let mut written = Vec::new();
        for pipe in [&events, &stdout, &stderr] {
            written.push(rustix::fs::fstat(pipe)?.st_ino);
        }
        let ends = [to_read.into(), their_events, their_stdout, their_stderr, their_status.into()];
        let (send, messages) = mpsc::channel(QUEUE);
        let (control, commands) = mpsc::unbounded_channel();
        let child = Group::new(server.clone(), &written);
        let follower = Follower {
            send,
            commands,
            child: child.clone(),
            server,
            spec: spec.clone(),
            request: Some(pipe::Sender::from_owned_fd(to_send.into())?),
            status: BufReader::new(pipe::Receiver::from_owned_fd(status.into())?).lines(),
            events: Pipe::new(events)?,
            raw: vec![
                (Pipe::new(stdout)?, Raw::new(Stream::Stdout, &mark)),
                (Pipe::new(stderr)?, Raw::new(Stream::Stderr, &mark)),
            ],
            messages: Messages::new(),
            spill,
            warm,
            is_run: request["command"] == "run",
            // A crash at a prompt is no reason to distrust the worker.
            began: request["command"] == "debug",
            over: false,
            running: Vec::new(),
            finished: false,
            cancelled: false,
            tracked: Vec::new(),
            killed: false,
            deadline: None,
            lingers: None,
        };
        let task = tokio::spawn(follower.follow(ends, request.to_string()));
        Ok(Process { messages, batch: Vec::new().into_iter(), control, child, task })
    }

    /// The next event; `None` after the last one, when the child has ended. A run's last event comes before
    /// the child ends: its exit handlers may still be running.
    pub async fn next(&mut self) -> Option<Stamped> {
        loop {
            match self.message().await? {
                Message::Event(event) | Message::Last(event) => return Some(event),
                Message::Answer(_) | Message::Modules(_) | Message::Tracked(_) => {}
            }
        }
    }

    pub(super) async fn message(&mut self) -> Option<Message> {
        loop {
            if let Some(message) = self.batch.next() {
                return Some(message);
            }
            self.batch = self.messages.recv().await?.into_iter();
        }
    }

    /// Asks the run to end: the project's code gets a `KeyboardInterrupt`, and is killed if it takes longer
    /// than the grace period. Events continue until the last one.
    pub fn cancel(&self) {
        // Sending fails when the child has ended already.
        let _ = self.control.send(());
    }

    /// Id of the child, which is also the id of its process group, once it has started.
    pub fn pid(&self) -> Option<u32> {
        self.child.pid()
    }

    /// Id of the process that the child was forked from.
    pub fn server_pid(&self) -> u32 {
        self.child.server_pid()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.child.kill();
        self.task.abort();
    }
}

/// Ends the MLflow runs of a process that was killed: they would stay RUNNING.
async fn end_tracked(server: &Arc<Server>, spec: &Spec, runs: &[TrackedRun]) -> Result<(), String> {
    if runs.is_empty() {
        return Ok(());
    }
    let server = match server.serves_more() {
        true => Ok(server.clone()),
        false => Server::start(spec, None).map(Arc::new),
    };
    let request = json!({"command": "end_tracked", "runs": runs});
    let begun = server.and_then(|server| Process::begin(server, spec, request, None));
    let mut process = begun.map_err(|error| error.to_string())?;
    let answer = async {
        loop {
            match process.message().await {
                Some(Message::Answer(_)) => return Ok(()),
                Some(Message::Last(Stamped { event, .. })) => match event {
                    RunEvent::RunFailed { failure } => return Err(failure.message),
                    RunEvent::RunLost { reason } => return Err(reason),
                    _ => {}
                },
                Some(_) => {}
                None => return Err("Python gave no answer".to_owned()),
            }
        }
    };
    let limited = tokio::time::timeout(FAREWELL, answer).await;
    limited.unwrap_or_else(|_| Err(format!("no answer in {} s", FAREWELL.as_secs())))
}

fn deaf() -> Stamped {
    let text = "The project's code has closed descriptors that are not its own: what was printed after \
                that may be missing here.";
    Stamped::log("WARNING", Some("mlops-tui"), text.into())
}

fn lingering() -> Stamped {
    let text = "The run is over, but its process is still at work: exit handlers, or threads that \
                the project has started. Cancelling ends it.";
    Stamped::log("WARNING", Some("mlops-tui"), text.into())
}

/// A line on the status pipe.
#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Status {
    Pid(u32),
    Status(i32),
}

/// Reads the output of a child until it has ended.
struct Follower {
    send: mpsc::Sender<Vec<Message>>,
    commands: mpsc::UnboundedReceiver<()>,
    child: Group,
    server: Arc<Server>,
    spec: Spec,
    request: Option<pipe::Sender>,
    status: tokio::io::Lines<BufReader<pipe::Receiver>>,
    events: Pipe,
    raw: Vec<(Pipe, Raw)>,
    messages: Messages,
    /// The file where the child reports ends of nodes and of the run if the project's code has closed the
    /// event pipe.
    spill: Option<tempfile::NamedTempFile>,
    warm: Option<Warm>,
    is_run: bool,
    /// Whether the run has begun.
    began: bool,
    /// Whether the child has reported the run's end.
    over: bool,
    /// Nodes that have started and not ended, and when they started.
    running: Vec<(String, f64)>,
    /// Whether the last event or the answer was handed over.
    finished: bool,
    cancelled: bool,
    /// The MLflow runs that have begun.
    tracked: Vec<TrackedRun>,
    /// Whether the child was killed because it did not end when it was cancelled.
    killed: bool,
    /// When the child is killed.
    deadline: Option<Instant>,
    /// When to log that the child is still there after the last event.
    lingers: Option<Instant>,
}

impl Follower {
    async fn follow(mut self, ends: Ends, request: String) {
        if !self.ask(ends).await {
            let mut out = Vec::new();
            self.end(RunEvent::RunCancelled, &mut out);
            self.hand_over(out).await;
            return;
        }
        let mut rewrites = tokio::time::interval(REWRITES);
        rewrites.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let ended = loop {
            let (out, _) = tokio::select! {
                line = self.status.next_line() => {
                    let line = line.ok().flatten().unwrap_or_default();
                    match serde_json::from_str(&line) {
                        Ok(Status::Pid(pid)) => self.started(pid, &request).await,
                        Ok(Status::Status(status)) => break Some(status),
                        Err(_) => break None,
                    }
                    continue;
                }
                Some(()) = self.commands.recv() => {
                    self.cancel();
                    continue;
                }
                () = self.events.readable() => self.take(),
                () = self.raw[0].0.readable() => self.take(),
                () = self.raw[1].0.readable() => self.take(),
                _ = rewrites.tick() => self.rewriting(),
                () = sleep_until(self.deadline.unwrap_or_else(Instant::now)), if self.deadline.is_some() => {
                    self.deadline = None;
                    self.killed = self.cancelled;
                    let mut out = Vec::new();
                    self.end(RunEvent::RunCancelled, &mut out);
                    self.child.kill();
                    (out, false)
                }
                () = sleep_until(self.lingers.unwrap_or_else(Instant::now)), if self.lingers.is_some() => {
                    self.lingers = None;
                    (vec![Message::Event(lingering())], false)
                }
            };
            if !self.hand_over(out).await {
                self.child.kill();
                self.child.forget();
                return;
            }
        };
        if !self.over || self.cancelled {
            self.child.kill();
        }
        self.child.forget();
        let until = Instant::now() + DRAIN;
        while Instant::now() < until {
            let (out, any) = self.take();
            if !any || !self.hand_over(out).await {
                break;
            }
        }
        let mut out = Vec::new();
        for (_, raw) in &mut self.raw {
            out.extend(raw.finish(now()).into_iter().map(Message::Event));
        }
        self.read_spill(&mut out);
        if !self.finished {
            match ended {
                _ if self.cancelled => self.end(RunEvent::RunCancelled, &mut out),
                Some(status) => self.ended_early(&Exit::new(status), &mut out),
                None => {
                    let reason = self.server.end().await;
                    self.end(RunEvent::RunLost { reason }, &mut out);
                }
            }
        }
        if self.killed
            && let Err(error) = end_tracked(&self.server, &self.spec, &self.tracked).await
        {
            let text = format!("MLflow does not know that the run was killed: {error}");
            out.push(Message::Event(Stamped::log("WARNING", Some("mlops-tui"), text)));
        }
        self.hand_over(out).await;
        for (pipe, _) in std::mem::take(&mut self.raw) {
            tokio::spawn(pipe.drain());
        }
    }

    /// Waits until the server has imported its modules, and asks it for the child: a child that is forked
    /// earlier would import the same modules once more. Returns false if the request is cancelled meanwhile.
    async fn ask(&mut self, ends: Ends) -> bool {
        let limit = Instant::now() + PATIENCE;
        loop {
            let mut condition = self.server.condition();
            let ready = condition.wait_for(|now| !matches!(now, Condition::Warming(1..)));
            let refused = tokio::select! {
                now = ready => now.is_ok_and(|now| matches!(*now, Condition::Refused(_))),
                Some(()) = self.commands.recv() => return false,
                () = sleep_until(limit) => false,
            };
            match self.warm.as_ref().filter(|_| refused).map(|warm| (warm.replace)(&self.server)) {
                Some(Ok(server)) => {
                    self.child.move_to(server.clone());
                    self.server = server;
                }
                // If the server has ended, this closes the pipes.
                _ => break self.server.fork(ends),
            }
        }
        true
    }

    /// Reads the messages that the child could not send because its pipe was closed.
    fn read_spill(&mut self, out: &mut Vec<Message>) {
        let Some(mut file) = self.spill.take() else { return };
        let mut text = Vec::new();
        // If the file can't be read, the exit status is used to report the run's end.
        let _ = file.as_file_mut().take(SPILLED).read_to_end(&mut text);
        if text.is_empty() {
            return;
        }
        out.push(Message::Event(deaf()));
        for message in protocol::messages(&text) {
            self.accept(message, out);
        }
    }

    /// The child has ended without a last event.
    fn ended_early(&mut self, exit: &Exit, out: &mut Vec<Message>) {
        if exit.is_crash() && !self.began {
            self.teach(Lesson::Crashed(exit.reason()));
        }
        let running = std::mem::take(&mut self.running);
        let failure = exit.failure(running.iter().map(|(name, _)| name.as_str()));
        if !self.is_run {
            return self.end(RunEvent::RunLost { reason: failure.message }, out);
        }
        let at = now();
        for (node, began) in running {
            let event =
                RunEvent::NodeFailed { node, seconds: at - began, failure: failure.clone() };
            out.push(Message::Event(Stamped { at, event }));
        }
        self.end(RunEvent::RunFailed { failure }, out);
    }

    /// The child has started and waits for its request.
    async fn started(&mut self, pid: u32, request: &str) {
        self.child.started(pid);
        if self.cancelled {
            self.child.signal(Signal::INT);
        }
        if let Some(mut pipe) = self.request.take() {
            // If writing fails the child has ended, which the status pipe reports.
            let _ = pipe.write_all(request.as_bytes()).await;
        }
    }

    fn cancel(&mut self) {
        if !self.cancelled {
            self.cancelled = true;
            self.deadline = Some(Instant::now() + self.spec.grace);
            self.child.signal(Signal::INT);
        }
    }

    /// Hands messages over; returns whether the listener still exists.
    async fn hand_over(&self, messages: Vec<Message>) -> bool {
        messages.is_empty() || self.send.send(messages).await.is_ok()
    }

    /// Reads what is available from the pipes; the flag says whether there was anything. Raw output of a node
    /// comes before the node's end, and all raw output before the run's end.
    fn take(&mut self) -> (Vec<Message>, bool) {
        let mut out = Vec::new();
        // Read the events first: output that preceded them is in the other pipes by then.
        let bytes = self.events.read_now();
        let mut any = !bytes.is_empty();
        let messages = self.messages.push(bytes);
        let mut printed = Vec::new();
        for (pipe, raw) in &mut self.raw {
            let bytes = pipe.read();
            any |= !bytes.is_empty();
            printed.extend(raw.push(bytes, now()).into_iter().map(Message::Event));
        }
        for message in messages {
            if ends(&message) {
                out.append(&mut printed);
            }
            if matches!(message, Message::Last(_)) {
                self.take_rest(&mut out);
            }
            self.accept(message, &mut out);
        }
        out.append(&mut printed);
        (out, any)
    }

    /// Reads everything that was printed before the run's end, up to the capacity of the pipes.
    fn take_rest(&mut self, out: &mut Vec<Message>) {
        for (pipe, raw) in &mut self.raw {
            for _ in 0..=pipes::WIDE / pipes::READ {
                let bytes = pipe.read_now();
                if bytes.is_empty() {
                    break;
                }
                out.extend(raw.push(bytes, now()).into_iter().map(Message::Event));
            }
        }
    }

    fn rewriting(&mut self) -> (Vec<Message>, bool) {
        let states = self.raw.iter_mut().filter_map(|(_, raw)| raw.rewriting(now()));
        (states.map(Message::Event).collect(), false)
    }

    fn accept(&mut self, message: Message, out: &mut Vec<Message>) {
        match message {
            Message::Modules(names) => {
                self.teach(Lesson::Modules(names));
            }
            Message::Tracked(run) => self.tracked.push(run),
            Message::Event(stamped) if matches!(stamped.event, RunEvent::Output { .. }) => {
                out.push(Message::Event(stamped));
            }
            _ if self.finished => {}
            Message::Event(stamped) => {
                match &stamped.event {
                    RunEvent::RunStarted { .. } => self.began = true,
                    RunEvent::NodeStarted { node } => self.running.push((node.clone(), stamped.at)),
                    RunEvent::NodeFinished { node, .. } | RunEvent::NodeFailed { node, .. } => {
                        self.running.retain(|(other, _)| other != node);
                    }
                    _ => {}
                }
                out.push(Message::Event(stamped));
            }
            Message::Last(stamped) => {
                self.over = true;
                let event = match stamped.event {
                    RunEvent::RunFailed { .. } if self.cancelled => RunEvent::RunCancelled,
                    event => event,
                };
                self.finish(Message::Last(Stamped { at: stamped.at, event }), out);
            }
            Message::Answer(answer) => self.finish(Message::Answer(answer), out),
        }
    }

    fn end(&mut self, event: RunEvent, out: &mut Vec<Message>) {
        if !self.finished {
            self.finish(Message::Last(Stamped { at: now(), event }), out);
        }
    }

    fn finish(&mut self, message: Message, out: &mut Vec<Message>) {
        let until = Some(Instant::now() + LINGER);
        match message {
            Message::Answer(_) => self.deadline = until,
            _ => self.lingers = until,
        }
        out.push(message);
        self.finished = true;
    }

    fn teach(&self, lesson: Lesson) {
        if let Some(warm) = &self.warm {
            // Sending fails when the worker has ended.
            let _ = warm.lessons.send(lesson);
        }
    }
}

/// Whether a message is the end of a node or of the run.
fn ends(message: &Message) -> bool {
    match message {
        Message::Last(_) => true,
        Message::Event(stamped) => {
            matches!(stamped.event, RunEvent::NodeFinished { .. } | RunEvent::NodeFailed { .. })
        }
        _ => false,
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.child.close();
    }
}
