//! The worker's process: started, listened to, cancelled, and never left behind.
//!
//! A task owns the child and its pipes. It hands events over a bounded channel (a slow listener
//! slows the project's printing down, memory stays bounded), and says [`RunEvent::RunLost`] when
//! the process ends without a last event. Dropping the [`Process`] kills its whole process group.

use std::io;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use serde_json::{Value as Json, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStdin, Command};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};

use super::event::{RunEvent, Stamped};
use super::lines::Lines;
use super::request::RunRequest;

/// The bootstrap that `python -c` gets; the rest of the package follows on stdin.
const BOOT: &str = include_str!("worker/boot.py");

/// The package, in the order in which its modules import each other.
const SOURCES: [(&str, &str); 7] = [
    ("events", include_str!("worker/events.py")),
    ("output", include_str!("worker/output.py")),
    ("project", include_str!("worker/project.py")),
    ("snapshot", include_str!("worker/snapshot.py")),
    ("run", include_str!("worker/run.py")),
    ("child", include_str!("worker/child.py")),
    ("supervisor", include_str!("worker/supervisor.py")),
];

/// Events that wait for the listener.
const QUEUE: usize = 1024;
/// Longest message of a run; the worker sends far shorter ones.
const LONGEST_EVENT: usize = 1 << 20;
/// Longest answer: an exact snapshot of some ten thousand nodes takes a few megabytes.
const LONGEST_ANSWER: usize = 1 << 28;
/// How long Python may take to end (exit handlers, uploads) after the run's last event.
const LINGER: Duration = Duration::from_secs(30);
/// How much of what the interpreter itself complains about is kept.
const COMPLAINT: usize = 4096;

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

/// A worker at work.
#[derive(Debug)]
pub struct Process {
    messages: mpsc::Receiver<Message>,
    control: mpsc::UnboundedSender<()>,
    group: Group,
    task: JoinHandle<()>,
}

/// A line from the worker.
#[derive(Debug)]
pub(super) enum Message {
    Event(Stamped),
    Answer(Json),
}

/// Starts a run. Needs a tokio runtime.
///
/// # Errors
/// When the interpreter can't be started, or the request can't be sent.
pub fn start(spec: &Spec, request: &RunRequest) -> io::Result<Process> {
    let mut request = serde_json::to_value(request)?;
    request["command"] = json!("run");
    start_command(spec, request, LONGEST_EVENT)
}

/// Starts the exact reading: `request` has the keys `env`, `params` and `conf_source`.
pub(super) fn start_snapshot(spec: &Spec, mut request: Json) -> io::Result<Process> {
    request["command"] = json!("snapshot");
    start_command(spec, request, LONGEST_ANSWER)
}

fn start_command(spec: &Spec, mut request: Json, longest: usize) -> io::Result<Process> {
    if cfg!(not(unix)) {
        return Err(io::Error::new(
            io::ErrorKind::Unsupported,
            "the worker needs a Unix system; run mlops-tui in WSL on Windows",
        ));
    }
    request["root"] = json!(spec.root);
    request["grace"] = json!(spec.grace.as_secs_f64());
    let sources = serde_json::to_vec(&SOURCES)?;
    let mut input = format!("{:010}", sources.len()).into_bytes();
    input.extend(sources);
    serde_json::to_writer(&mut input, &request)?;
    input.push(b'\n');

    let mut command = Command::new(&spec.python);
    command
        .args(["-c", BOOT])
        .current_dir(&spec.root)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    #[cfg(unix)]
    command.process_group(0);
    let mut child = command.spawn()?;
    let group = Group::of(&child);
    let (events, messages) = mpsc::channel(QUEUE);
    let (control, commands) = mpsc::unbounded_channel();
    let stdin = child.stdin.take();
    let follower = Follower { events, group: group.clone(), longest };
    let task = tokio::spawn(async move {
        let talk = async {
            if let Some(stdin) = stdin {
                talk(stdin, input, commands).await;
            }
            // Its end must not end the select below.
            std::future::pending::<()>().await;
        };
        tokio::select! {
            () = follower.follow(child) => {}
            () = talk => {}
        }
    });
    Ok(Process { messages, control, group, task })
}

/// Sends the request, then a line for each cancel. Returning closes stdin, which the worker takes
/// for the end of whoever started it.
async fn talk(mut stdin: ChildStdin, input: Vec<u8>, mut commands: mpsc::UnboundedReceiver<()>) {
    let mut sent = stdin.write_all(&input).await;
    while sent.is_ok() && commands.recv().await.is_some() {
        sent = stdin.write_all(b"{\"command\": \"cancel\"}\n").await;
    }
}

impl Process {
    /// The next event; `None` when there are no more and the process has ended. The run's last
    /// event comes before the process ends: its exit handlers may still be at work.
    pub async fn next(&mut self) -> Option<Stamped> {
        loop {
            match self.message().await? {
                Message::Event(event) => return Some(event),
                Message::Answer(_) => {}
            }
        }
    }

    pub(super) async fn message(&mut self) -> Option<Message> {
        self.messages.recv().await
    }

    /// Asks for the run's end: the project's code gets a `KeyboardInterrupt`, and is killed when it
    /// takes longer than the grace period. The events go on until the last one.
    pub fn cancel(&self) {
        // Nobody to receive it: the process has ended already.
        let _ = self.control.send(());
    }

    /// Id of the worker's process and of its group.
    pub fn pid(&self) -> u32 {
        self.group.pid
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.group.kill();
        self.task.abort();
    }
}

/// The worker's process group.
#[derive(Debug, Clone)]
struct Group {
    pid: u32,
    ended: std::sync::Arc<std::sync::atomic::AtomicBool>,
}

impl Group {
    fn of(child: &Child) -> Self {
        Group { pid: child.id().unwrap_or_default(), ended: std::sync::Arc::default() }
    }

    /// Kills all of the group, once.
    fn kill(&self) {
        if self.pid == 0 || self.ended.swap(true, std::sync::atomic::Ordering::SeqCst) {
            return;
        }
        #[cfg(unix)]
        if let Some(pid) = i32::try_from(self.pid).ok().and_then(rustix::process::Pid::from_raw) {
            // Nobody is left in it: that is what was wanted.
            let _ = rustix::process::kill_process_group(pid, rustix::process::Signal::KILL);
        }
    }
}

/// Reads what the worker says until it ends.
struct Follower {
    events: mpsc::Sender<Message>,
    group: Group,
    longest: usize,
}

impl Follower {
    async fn follow(self, mut child: Child) {
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let listen = async {
            match stdout {
                Some(stdout) => self.listen(stdout).await,
                None => false,
            }
        };
        let (ended, complaint) = tokio::join!(listen, complaint(stderr));
        // The supervisor is gone, or has ended: nothing of its group may stay behind.
        self.group.kill();
        let status = child.wait().await;
        if !ended {
            let reason = reason(status, &complaint);
            let event = Stamped { at: now(), event: RunEvent::RunLost { reason } };
            let _ = self.events.send(Message::Event(event)).await;
        }
    }

    /// Hands the lines over; whether the last event or the answer was among them.
    async fn listen(&self, mut stdout: tokio::process::ChildStdout) -> bool {
        let mut lines = Lines::new(self.longest);
        let mut buffer = vec![0; 64 * 1024];
        let mut deadline = None;
        loop {
            let read = tokio::select! {
                read = stdout.read(&mut buffer) => read,
                () = sleep_until(deadline.unwrap_or_else(Instant::now)), if deadline.is_some() => {
                    self.group.kill();
                    return true;
                }
            };
            let Ok(count @ 1..) = read else { return deadline.is_some() };
            for line in lines.push(&buffer[..count]) {
                let Some(message) = parse(&line) else { continue };
                let last = match &message {
                    Message::Event(stamped) => stamped.event.ends_run(),
                    Message::Answer(_) => true,
                };
                if last {
                    deadline = Some(Instant::now() + LINGER);
                }
                if self.events.send(message).await.is_err() {
                    return true; // nobody listens
                }
            }
        }
    }
}

fn parse(line: &[u8]) -> Option<Message> {
    if line.starts_with(b"{\"answer\"") {
        let mut answer: Json = serde_json::from_slice(line).ok()?;
        return Some(Message::Answer(answer["answer"].take()));
    }
    match serde_json::from_slice(line) {
        Ok(event) => Some(Message::Event(event)),
        Err(error) => {
            tracing::debug!(%error, "a line of the worker is not an event");
            None
        }
    }
}

/// The end of what the interpreter itself writes to stderr: it could not start the worker.
async fn complaint(stderr: Option<tokio::process::ChildStderr>) -> String {
    let Some(mut stderr) = stderr else { return String::new() };
    let mut kept = Vec::new();
    let mut buffer = vec![0; COMPLAINT];
    while let Ok(count @ 1..) = stderr.read(&mut buffer).await {
        kept.extend_from_slice(&buffer[..count]);
        let excess = kept.len().saturating_sub(COMPLAINT);
        kept.drain(..excess);
    }
    String::from_utf8_lossy(&kept).trim().to_owned()
}

fn reason(status: io::Result<ExitStatus>, complaint: &str) -> String {
    let last = complaint.lines().last().unwrap_or_default();
    let how = match status {
        Ok(status) => how_it_ended(status),
        Err(error) => format!("how it ended is not known: {error}"),
    };
    if last.is_empty() { how } else { format!("{how}: {last}") }
}

fn how_it_ended(status: ExitStatus) -> String {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return format!("killed by signal {signal}");
    }
    match status.code() {
        Some(code) => format!("the worker ended with exit code {code}"),
        None => "the worker ended".to_owned(),
    }
}

/// Seconds since the Unix epoch.
pub(super) fn now() -> f64 {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0.0, |since| since.as_secs_f64())
}
