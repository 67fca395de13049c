//! The Python process that forks a child for each request; `worker/server.py` is its other half.
//!
//! Two tasks own the socket to the process: one sends requests with the pipes of their children, the other
//! receives the server's status. Dropping the [`Server`] ends the process.
//!
//! A server can copy itself for another process of this program: [`Server::copy_for`] gives the copy the other end of
//! a socket, and [`Server::adopt`] in that process takes it over.

use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream as StdStream;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::time::Duration;

use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};
use serde::Deserialize;
use serde_json::json;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, Interest};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::process::{Child, ChildStderr, Command};
use tokio::sync::{mpsc, watch};

use super::spec::Spec;

/// The bootstrap code for `python -c`; the rest of the package follows over the socket, or in a file.
pub(super) const BOOT: &str = include_str!("worker/boot.py");

/// The package, in the order in which its modules import each other.
pub(super) const SOURCES: [(&str, &str); 17] = [
    ("own", include_str!("worker/own.py")),
    ("events", include_str!("worker/events.py")),
    ("modules", include_str!("worker/modules.py")),
    ("output", include_str!("worker/output.py")),
    ("project", include_str!("worker/project.py")),
    ("snapshot", include_str!("worker/snapshot.py")),
    ("keep", include_str!("worker/keep.py")),
    ("command", include_str!("worker/command.py")),
    ("apart", include_str!("worker/apart.py")),
    ("tracking", include_str!("worker/tracking.py")),
    ("going", include_str!("worker/going.py")),
    ("run", include_str!("worker/run.py")),
    ("child", include_str!("worker/child.py")),
    ("debug", include_str!("worker/debug.py")),
    ("predict", include_str!("worker/predict.py")),
    ("rehearse", include_str!("worker/rehearse.py")),
    ("server", include_str!("worker/server.py")),
];

/// Most bytes of the interpreter's own stderr that are kept.
const COMPLAINT: usize = 4096;
/// How long the server may take to end after it has closed its socket.
const FAREWELL: Duration = Duration::from_secs(2);

/// The child's ends of its pipes: request (read); events, standard output and error, status (write).
pub(super) type Ends = [OwnedFd; 5];

/// The modules that the server imports before it forks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Preload {
    /// Names of modules in the order of their import; if there are none, the server predicts them.
    pub modules: Vec<String>,
    /// Top-level packages that must not be imported, because forking is unsafe with them.
    pub refused: Vec<String>,
}

/// The state of a server.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Condition {
    /// The server is importing about this many modules; 0 when there is nothing to import.
    Warming(usize),
    /// The server has imported its modules.
    Warm(Warm),
    /// These packages make forking unsafe; the server can't be used.
    Refused(Vec<String>),
    /// The server has ended; the text says why.
    Ended(String),
}

/// The size and the files of a warm server.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(super) struct Warm {
    /// Id of the server's process.
    pub pid: u32,
    /// Number of imported modules.
    pub modules: usize,
    /// How long it took to import them, in seconds.
    pub seconds: f64,
    /// Files that make the server outdated when they change.
    pub files: Vec<PathBuf>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Report {
    Warming(usize),
    Warm(Warm),
    Refused(Vec<String>),
}

enum Order {
    Fork(Ends),
    Copy(OwnedFd),
    Learn(Vec<String>),
}

/// A server process. Dropping it ends the process and its children.
#[derive(Debug)]
pub(super) struct Server {
    commands: mpsc::UnboundedSender<Order>,
    condition: watch::Receiver<Condition>,
    /// Id of the process; 0 until it is known.
    pid: Arc<AtomicU32>,
    /// Whether the server ends after one request.
    once: bool,
    at_work: AtomicUsize,
}

impl Server {
    /// Starts the interpreter. Without `preload` the server serves one request and ends. Needs a tokio
    /// runtime.
    ///
    /// # Errors
    /// When the interpreter can't be started.
    pub(super) fn start(spec: &Spec, preload: Option<&Preload>) -> io::Result<Self> {
        let once = preload.is_none();
        let predict = preload.is_some_and(|preload| preload.modules.is_empty());
        let preload = preload.cloned().unwrap_or_default();
        let setup = json!({
            "start": "server",
            "sources": SOURCES,
            "preload": preload.modules,
            "refused": preload.refused,
            "predict": predict,
            "once": once,
        });
        let (ours, theirs) = StdStream::pair()?;
        ours.set_nonblocking(true)?;
        let (reading, writing) = UnixStream::from_std(ours)?.into_split();
        let mut child = Command::new(&spec.python)
            .args(["-c", BOOT])
            .current_dir(&spec.root)
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()?;
        let pid = Arc::new(AtomicU32::new(child.id().unwrap_or_default()));
        let stderr = child.stderr.take();
        let (commands, received) = mpsc::unbounded_channel();
        let (conditions, condition) = watch::channel(Condition::Warming(match predict {
            true => 1,
            false => preload.modules.len(),
        }));
        let setup = setup.to_string();
        let setup = format!("{:010}{setup}", setup.len());
        let talk = tokio::spawn(talk(writing, setup, received));
        let own = pid.clone();
        tokio::spawn(async move {
            let listen = listen(reading, &conditions, &own);
            let ((), complaint) = tokio::join!(listen, complaint(stderr));
            talk.abort();
            let status = match tokio::time::timeout(FAREWELL, child.wait()).await {
                Ok(status) => status,
                Err(_) => ended(&mut child).await,
            };
            conditions.send_replace(Condition::Ended(reason(status, &complaint)));
        });
        Ok(Server { commands, condition, pid, once, at_work: AtomicUsize::new(0) })
    }

    /// Takes over the copy of a server at the other end of `socket`. The copy serves one request and ends. If there is
    /// none, because the first server ended or could not be used, the condition is [`Condition::Refused`]. Needs a
    /// tokio runtime.
    ///
    /// # Errors
    /// When the socket can't be used.
    pub(super) fn adopt(socket: OwnedFd) -> io::Result<Self> {
        let ours = StdStream::from(socket);
        ours.set_nonblocking(true)?;
        let (reading, writing) = UnixStream::from_std(ours)?.into_split();
        let (commands, received) = mpsc::unbounded_channel();
        let (conditions, condition) = watch::channel(Condition::Warming(1));
        let talk = tokio::spawn(talk(writing, String::new(), received));
        let pid = Arc::new(AtomicU32::new(0));
        let own = pid.clone();
        tokio::spawn(async move {
            listen(reading, &conditions, &own).await;
            talk.abort();
            let end = match *conditions.borrow() {
                Condition::Warming(_) => Condition::Refused(Vec::new()),
                _ => Condition::Ended("the worker ended".into()),
            };
            conditions.send_replace(end);
        });
        Ok(Server { commands, condition, pid, once: true, at_work: AtomicUsize::new(0) })
    }

    /// Asks for a copy of the server, as soon as it has imported its modules, that serves this socket and outlives the
    /// server. If the server can't fork, the socket is closed.
    pub(super) fn copy_for(&self, socket: OwnedFd) {
        let _ = self.commands.send(Order::Copy(socket));
    }

    /// Asks for a child. If the server can't fork, the child's status pipe is closed.
    pub(super) fn fork(&self, ends: Ends) {
        // If the server has ended, the pipes are dropped, which closes them.
        let _ = self.commands.send(Order::Fork(ends));
    }

    /// Sends the names of modules to import.
    pub(super) fn learn(&self, modules: Vec<String>) {
        let _ = self.commands.send(Order::Learn(modules));
    }

    /// Whether the server can still fork.
    pub(super) fn works(&self) -> bool {
        matches!(&*self.condition.borrow(), Condition::Warming(_) | Condition::Warm(_))
    }

    /// Whether the server is warm, and serves more than one request.
    pub(super) fn serves_more(&self) -> bool {
        !self.once && matches!(*self.condition.borrow(), Condition::Warm(_))
    }

    /// A receiver for changes of the server's state.
    pub(super) fn condition(&self) -> watch::Receiver<Condition> {
        self.condition.clone()
    }

    /// Waits until the server has ended; returns why.
    pub(super) async fn end(&self) -> String {
        let mut condition = self.condition.clone();
        let ended = condition.wait_for(|condition| matches!(condition, Condition::Ended(_))).await;
        match ended.as_deref() {
            Ok(Condition::Ended(reason)) => reason.clone(),
            _ => "the worker ended".into(),
        }
    }

    /// A child of this server starts to work on a request.
    pub(super) fn begin(&self) {
        self.at_work.fetch_add(1, Ordering::SeqCst);
    }

    /// A request is finished.
    pub(super) fn done(&self) {
        self.at_work.fetch_sub(1, Ordering::SeqCst);
    }

    /// Number of requests in progress.
    pub(super) fn at_work(&self) -> usize {
        self.at_work.load(Ordering::SeqCst)
    }

    /// Id of the server's process.
    pub(super) fn pid(&self) -> u32 {
        self.pid.load(Ordering::SeqCst)
    }
}

async fn ended(child: &mut Child) -> io::Result<ExitStatus> {
    child.start_kill()?;
    child.wait().await
}

/// Sends the setup, which begins with its length, then each command. Returning closes the socket.
async fn talk(
    mut writing: OwnedWriteHalf,
    setup: String,
    mut commands: mpsc::UnboundedReceiver<Order>,
) {
    let mut sent = writing.write_all(setup.as_bytes()).await;
    while sent.is_ok()
        && let Some(command) = commands.recv().await
    {
        sent = match command {
            Order::Fork(ends) => send_with(&writing, b'R', &ends).await,
            Order::Copy(socket) => send_with(&writing, b'D', &[socket]).await,
            Order::Learn(modules) => {
                let names = json!(modules).to_string();
                writing.write_all(format!("L{:010}{names}", names.len()).as_bytes()).await
            }
        };
    }
    if let Err(error) = sent {
        tracing::debug!(%error, "the worker's socket is closed");
    }
}

/// Sends a command with descriptors.
async fn send_with(writing: &OwnedWriteHalf, kind: u8, fds: &[OwnedFd]) -> io::Result<()> {
    let stream = writing.as_ref();
    let fds: Vec<_> = fds.iter().map(AsFd::as_fd).collect();
    let send = || {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(5))];
        let mut rights = SendAncillaryBuffer::new(&mut space);
        rights.push(SendAncillaryMessage::ScmRights(&fds));
        let sent = sendmsg(stream, &[IoSlice::new(&[kind])], &mut rights, SendFlags::empty())?;
        Ok(sent)
    };
    stream.async_io(Interest::WRITABLE, send).await.map(drop)
}

/// Receives the server's status until the server closes the socket.
async fn listen(reading: OwnedReadHalf, conditions: &watch::Sender<Condition>, pid: &AtomicU32) {
    let mut lines = BufReader::new(reading).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        let condition = match serde_json::from_str(&line) {
            Ok(Report::Warming(count)) => Condition::Warming(count),
            Ok(Report::Warm(warm)) => {
                pid.store(warm.pid, Ordering::SeqCst);
                Condition::Warm(warm)
            }
            Ok(Report::Refused(packages)) => Condition::Refused(packages),
            Err(error) => {
                tracing::debug!(%error, "the worker says something unknown");
                continue;
            }
        };
        conditions.send_replace(condition);
    }
}

/// The end of the interpreter's own stderr, which explains why the worker could not be started.
async fn complaint(stderr: Option<ChildStderr>) -> String {
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
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return format!("the worker was killed by signal {signal}");
    }
    match status.code() {
        Some(code) => format!("the worker ended with exit code {code}"),
        None => "the worker ended".to_owned(),
    }
}
