//! A child of the worker at work on one request: listened to, cancelled, and never left behind.
//!
//! A task owns the pipes. It hands events over a bounded channel (a slow listener slows the
//! project's printing down, memory stays bounded), and says [`RunEvent::RunLost`] when the child
//! ends without a last event. Dropping the [`Process`] kills the child's whole process group.

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use serde::Deserialize;
use serde_json::{Value as Json, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::unix::pipe;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};

use super::event::{RunEvent, Stamped, Stream};
use super::protocol::{Message, Messages, Raw};
use super::request::RunRequest;
use super::server::Server;
use crate::store::now;

/// Batches of messages that wait for the listener; each is at most what a pipe holds.
const QUEUE: usize = 16;
/// How much a pipe holds, in bytes, where the system lets it be chosen.
const PIPE: usize = 1 << 20;
/// How much is read at once, in bytes.
const READ: usize = 256 << 10;
/// How long Python may take to end (exit handlers, threads, uploads) after the last event: then it
/// is told; after an answer, it is killed.
const LINGER: Duration = Duration::from_secs(30);
/// How long pipes are read after the child's end: others may hold them and go on writing.
const DRAIN: Duration = Duration::from_secs(1);
/// How often the state of a line that rewrites itself is looked at.
const REWRITES: Duration = Duration::from_millis(100);

/// Signals that end a process, as Linux and macOS both number them.
const SIGNALS: [(i32, &str); 8] = [
    (2, "SIGINT"),
    (4, "SIGILL"),
    (5, "SIGTRAP"),
    (6, "SIGABRT"),
    (8, "SIGFPE"),
    (9, "SIGKILL"),
    (11, "SIGSEGV"),
    (15, "SIGTERM"),
];

/// Which Python works, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spec {
    /// The interpreter; see [`super::interpreter::choose`].
    pub python: PathBuf,
    /// The project's folder, absolute: the working directory.
    pub root: PathBuf,
    /// How long a cancelled run may take to end before it is killed.
    pub grace: Duration,
}

impl Spec {
    /// The interpreter in the project's folder, with five seconds of grace.
    pub fn new(python: impl Into<PathBuf>, root: impl Into<PathBuf>) -> Self {
        Spec { python: python.into(), root: root.into(), grace: Duration::from_secs(5) }
    }
}

/// A request at work.
#[derive(Debug)]
pub struct Process {
    messages: mpsc::Receiver<Vec<Message>>,
    batch: std::vec::IntoIter<Message>,
    control: mpsc::UnboundedSender<()>,
    child: Group,
    server: Arc<Server>,
    task: JoinHandle<()>,
}

/// What a child teaches of how to serve the next one.
#[derive(Debug)]
pub(super) enum Lesson {
    /// Names of installed modules that it has imported.
    Modules(Vec<String>),
    /// It crashed before the run began, and how.
    Crashed(String),
}

/// What the worker is asked for a run.
pub(super) fn run(request: &RunRequest) -> Json {
    // Its fields are strings, numbers and maps with keys of text.
    let mut request = serde_json::to_value(request).unwrap_or_default();
    request["command"] = json!("run");
    request
}

impl Process {
    /// Asks the server for a child. With `lessons` it is a warm one, and what it teaches goes there.
    pub(super) fn begin(
        server: &Arc<Server>,
        spec: &Spec,
        mut request: Json,
        lessons: Option<mpsc::UnboundedSender<Lesson>>,
    ) -> io::Result<Self> {
        let mark = format!("\0mlops-tui:{:016x}:", rand());
        request["root"] = json!(spec.root);
        request["mark"] = json!(mark);
        request["warm"] = json!(lessons.is_some());
        let (to_read, to_send) = io::pipe()?;
        let (events, their_events) = wide_pipe()?;
        let (stdout, their_stdout) = wide_pipe()?;
        let (stderr, their_stderr) = wide_pipe()?;
        let (status, their_status) = io::pipe()?;
        let ends = [to_read.into(), their_events, their_stdout, their_stderr, their_status.into()];
        let (send, messages) = mpsc::channel(QUEUE);
        let (control, commands) = mpsc::unbounded_channel();
        let child = Group::default();
        let follower = Follower {
            send,
            commands,
            child: child.clone(),
            server: server.clone(),
            grace: spec.grace,
            request: Some(pipe::Sender::from_owned_fd(to_send.into())?),
            status: BufReader::new(pipe::Receiver::from_owned_fd(status.into())?).lines(),
            events: Pipe::new(events)?,
            raw: [
                (Pipe::new(stdout)?, Raw::new(Stream::Stdout, &mark)),
                (Pipe::new(stderr)?, Raw::new(Stream::Stderr, &mark)),
            ],
            messages: Messages::new(),
            lessons,
            began: false,
            running: Vec::new(),
            finished: false,
            cancelled: false,
            deadline: None,
            lingers: None,
        };
        server.fork(ends);
        let task = tokio::spawn(follower.follow(request.to_string()));
        Ok(Process {
            messages,
            batch: Vec::new().into_iter(),
            control,
            child,
            server: server.clone(),
            task,
        })
    }

    /// The next event; `None` when there are no more and the child has ended. The run's last
    /// event comes before the child ends: its exit handlers may still be at work.
    pub async fn next(&mut self) -> Option<Stamped> {
        loop {
            match self.message().await? {
                Message::Event(event) | Message::Last(event) => return Some(event),
                Message::Answer(_) | Message::Modules(_) => {}
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

    /// Asks for the run's end: the project's code gets a `KeyboardInterrupt`, and is killed when it
    /// takes longer than the grace period. The events go on until the last one.
    pub fn cancel(&self) {
        // Nobody to receive it: the child has ended already.
        let _ = self.control.send(());
    }

    /// Id of the child and of its process group, once it has started.
    pub fn pid(&self) -> Option<u32> {
        self.child.pid()
    }

    /// Id of the process that the child was forked from.
    pub fn server_pid(&self) -> u32 {
        self.server.pid()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.child.signal(Signal::KILL);
        self.task.abort();
    }
}

/// A process group; 0 before it is known and after its end.
#[derive(Debug, Clone, Default)]
struct Group(Arc<AtomicU32>);

impl Group {
    fn pid(&self) -> Option<u32> {
        Some(self.0.load(Ordering::SeqCst)).filter(|pid| *pid != 0)
    }

    fn signal(&self, signal: Signal) {
        let pid = self.pid().and_then(|pid| i32::try_from(pid).ok()).and_then(Pid::from_raw);
        if let Some(pid) = pid {
            // Nobody is left in it: that is what was wanted.
            let _ = kill_process_group(pid, signal);
        }
    }

    /// Kills what is left of it; it is nobody's any more.
    fn end(&self) {
        self.signal(Signal::KILL);
        self.0.store(0, Ordering::SeqCst);
    }
}

fn lingering() -> Stamped {
    let text = "The run is over, but its process is still at work: exit handlers, or threads that \
                the project has started. Cancelling ends it.";
    Stamped::log("WARNING", Some("mlops-tui"), text.into())
}

fn wide_pipe() -> io::Result<(OwnedFd, OwnedFd)> {
    let (reading, writing) = io::pipe()?;
    #[cfg(target_os = "linux")]
    {
        // A busy system gives less; it is slower, and right.
        let _ = rustix::pipe::fcntl_setpipe_size(&writing, PIPE);
    }
    Ok((reading.into(), writing.into()))
}

/// A number that the project's code can't guess.
fn rand() -> u64 {
    use std::hash::{BuildHasher, Hasher, RandomState};
    RandomState::new().build_hasher().finish()
}

/// The reading end of a pipe.
struct Pipe {
    receiver: pipe::Receiver,
    buffer: Vec<u8>,
    open: bool,
}

impl Pipe {
    fn new(fd: OwnedFd) -> io::Result<Self> {
        let receiver = pipe::Receiver::from_owned_fd(fd)?;
        Ok(Pipe { receiver, buffer: vec![0; READ], open: true })
    }

    /// Waits until there is something to read.
    async fn readable(&self) {
        if !self.open || self.receiver.readable().await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// What is there now; nothing when there is nothing, or no more.
    fn read(&mut self) -> &[u8] {
        match self.receiver.try_read(&mut self.buffer) {
            Ok(0) => self.open = false,
            Ok(count) => return &self.buffer[..count],
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(_) => self.open = false,
        }
        &[]
    }
}

/// A line on the status pipe.
#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Status {
    Pid(u32),
    Status(i32),
}

/// Listens to a child until it has ended.
struct Follower {
    send: mpsc::Sender<Vec<Message>>,
    commands: mpsc::UnboundedReceiver<()>,
    child: Group,
    server: Arc<Server>,
    grace: Duration,
    request: Option<pipe::Sender>,
    status: tokio::io::Lines<BufReader<pipe::Receiver>>,
    events: Pipe,
    raw: [(Pipe, Raw); 2],
    messages: Messages,
    lessons: Option<mpsc::UnboundedSender<Lesson>>,
    /// Whether the run has begun.
    began: bool,
    /// Nodes that have started and not ended.
    running: Vec<String>,
    /// Whether the last event or the answer was told.
    finished: bool,
    cancelled: bool,
    /// When the child is killed.
    deadline: Option<Instant>,
    /// When it is told that the child is still there after the last event.
    lingers: Option<Instant>,
}

impl Follower {
    async fn follow(mut self, request: String) {
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
                () = self.events.readable() => self.take(true),
                () = self.raw[0].0.readable() => self.take(false),
                () = self.raw[1].0.readable() => self.take(false),
                _ = rewrites.tick() => self.rewriting(),
                () = sleep_until(self.deadline.unwrap_or_else(Instant::now)), if self.deadline.is_some() => {
                    self.deadline = None;
                    let mut out = Vec::new();
                    self.end(RunEvent::RunCancelled, &mut out);
                    self.child.signal(Signal::KILL);
                    (out, false)
                }
                () = sleep_until(self.lingers.unwrap_or_else(Instant::now)), if self.lingers.is_some() => {
                    self.lingers = None;
                    (vec![Message::Event(lingering())], false)
                }
            };
            if !self.hand_over(out).await {
                self.child.end();
                return;
            }
        };
        // Nothing of the group may stay behind.
        self.child.end();
        let until = Instant::now() + DRAIN;
        while Instant::now() < until {
            let (out, any) = self.take(true);
            if !any || !self.hand_over(out).await {
                break;
            }
        }
        let mut out = Vec::new();
        for (_, raw) in &mut self.raw {
            out.extend(raw.finish(now()).into_iter().map(Message::Event));
        }
        if self.finished {
            self.hand_over(out).await;
            return;
        }
        let event = match ended {
            _ if self.cancelled => RunEvent::RunCancelled,
            Some(status) => RunEvent::RunLost { reason: self.reason(status) },
            None => RunEvent::RunLost { reason: self.server.end().await },
        };
        self.end(event, &mut out);
        self.hand_over(out).await;
    }

    /// The child is there, and waits for its request.
    async fn started(&mut self, pid: u32, request: &str) {
        self.child.0.store(pid, Ordering::SeqCst);
        if self.cancelled {
            self.child.signal(Signal::INT);
        }
        if let Some(mut pipe) = self.request.take() {
            // A child that has ended says so on the status pipe.
            let _ = pipe.write_all(request.as_bytes()).await;
        }
    }

    fn cancel(&mut self) {
        if !self.cancelled {
            self.cancelled = true;
            self.deadline = Some(Instant::now() + self.grace);
            self.child.signal(Signal::INT);
        }
    }

    /// Hands messages over; whether anybody listens.
    async fn hand_over(&self, messages: Vec<Message>) -> bool {
        messages.is_empty() || self.send.send(messages).await.is_ok()
    }

    /// Takes what is there from the pipes, and whether there was any. What was printed before an
    /// event is told before it.
    fn take(&mut self, events: bool) -> (Vec<Message>, bool) {
        let mut out = Vec::new();
        // The events are read first: what they follow has been printed by then.
        let bytes = if events { self.events.read() } else { &[] };
        let mut any = !bytes.is_empty();
        let told = self.messages.push(bytes);
        for (pipe, raw) in &mut self.raw {
            let bytes = pipe.read();
            any |= !bytes.is_empty();
            out.extend(raw.push(bytes, now()).into_iter().map(Message::Event));
        }
        for message in told {
            self.tell(message, &mut out);
        }
        (out, any)
    }

    fn rewriting(&mut self) -> (Vec<Message>, bool) {
        let states = self.raw.iter_mut().filter_map(|(_, raw)| raw.rewriting(now()));
        (states.map(Message::Event).collect(), false)
    }

    fn tell(&mut self, message: Message, out: &mut Vec<Message>) {
        match message {
            Message::Modules(names) => {
                self.teach(Lesson::Modules(names));
            }
            Message::Event(stamped) if matches!(stamped.event, RunEvent::Output { .. }) => {
                out.push(Message::Event(stamped));
            }
            _ if self.finished => {}
            Message::Event(stamped) => {
                match &stamped.event {
                    RunEvent::RunStarted { .. } => self.began = true,
                    RunEvent::NodeStarted { node } => self.running.push(node.clone()),
                    RunEvent::NodeFinished { node, .. } | RunEvent::NodeFailed { node, .. } => {
                        self.running.retain(|other| other != node);
                    }
                    _ => {}
                }
                out.push(Message::Event(stamped));
            }
            Message::Last(stamped) => {
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
        if let Some(lessons) = &self.lessons {
            // Nobody to learn from it: the worker has ended.
            let _ = lessons.send(lesson);
        }
    }

    /// Why the child ended, from its status as `waitpid` tells it.
    fn reason(&self, status: i32) -> String {
        let status = ExitStatus::from_raw(status);
        let mut reason = match status.signal() {
            Some(signal) => {
                let name = SIGNALS.iter().find(|(number, _)| *number == signal);
                let name = name.map(|(_, name)| format!(" ({name})")).unwrap_or_default();
                let mut reason = format!("killed by signal {signal}{name}");
                if signal == 9 {
                    reason.push_str("; the system does so when memory runs out");
                } else if !self.began {
                    self.teach(Lesson::Crashed(reason.clone()));
                }
                reason
            }
            None => {
                let code = status.code().unwrap_or_default();
                format!("the process ended by itself with exit code {code}")
            }
        };
        if !self.running.is_empty() {
            let names: Vec<String> = self.running.iter().map(|name| format!("`{name}`")).collect();
            reason.push_str(&format!(", while {} ran", names.join(", ")));
        }
        reason
    }
}
