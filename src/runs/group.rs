//! The processes of a run: they are signalled together, and none survives when the run is killed.
//!
//! Each run has a process group of its own. A process that leaves the group (`setsid`, a daemon) is found on
//! Linux in three ways: its ancestors lead to the run's process; it is an orphan, and orphans become children
//! of the worker's server; or it holds one of the run's pipes. On other systems only the group is known.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

use super::server::Server;

/// Most rounds of searching and killing.
const ROUNDS: usize = 50;
/// Time between two rounds, for killed processes to end.
const PAUSE: Duration = Duration::from_millis(2);

/// A run's processes; the id is 0 before the run's process starts and after it ends.
#[derive(Debug, Clone)]
pub(super) struct Group {
    pid: Arc<AtomicU32>,
    /// When the run's process started, in the system's own clock.
    began: Arc<AtomicU64>,
    server: Arc<Mutex<Arc<Server>>>,
    /// Inode numbers of the pipes that the run writes to.
    pipes: Arc<[u64]>,
}

impl Group {
    pub(super) fn new(server: Arc<Server>, pipes: &[u64]) -> Self {
        server.begin();
        let server = Arc::new(Mutex::new(server));
        Group { pid: Arc::default(), began: Arc::default(), server, pipes: pipes.into() }
    }

    fn server(&self) -> MutexGuard<'_, Arc<Server>> {
        self.server.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Another server will start the run's process.
    pub(super) fn move_to(&self, server: Arc<Server>) {
        server.begin();
        std::mem::replace(&mut *self.server(), server).done();
    }

    /// Id of the server's process.
    pub(super) fn server_pid(&self) -> u32 {
        self.server().pid()
    }

    /// Id of the run's process.
    pub(super) fn pid(&self) -> Option<u32> {
        Some(self.pid.load(Ordering::SeqCst)).filter(|pid| *pid != 0)
    }

    /// The run's process has started.
    pub(super) fn started(&self, pid: u32) {
        self.began.store(processes::began(pid).unwrap_or(u64::MAX), Ordering::SeqCst);
        self.pid.store(pid, Ordering::SeqCst);
    }

    /// Signals the group; if that fails, the run's process alone, which may have left the group.
    pub(super) fn signal(&self, signal: Signal) {
        if let Some(pid) = self.pid().and_then(to_pid) {
            // Errors mean that no process is left, which is the goal.
            let alive = || self.pid().is_some_and(|pid| self.is(pid));
            if kill_process_group(pid, signal).is_err() && alive() {
                let _ = kill_process(pid, signal);
            }
        }
    }

    /// Whether the id still belongs to the run's process, not to a later one.
    fn is(&self, pid: u32) -> bool {
        processes::began(pid).unwrap_or(u64::MAX) == self.began.load(Ordering::SeqCst)
    }

    /// Kills all of the run's processes.
    pub(super) fn kill(&self) {
        let Some(run) = self.pid() else { return };
        for _ in 0..ROUNDS {
            let alone = self.server().at_work() == 1;
            let server = self.server_pid();
            let began = self.began.load(Ordering::SeqCst);
            let found = processes::of_run(run, began, alone.then_some(server), &self.pipes);
            self.signal(Signal::KILL);
            for pid in found.iter().filter_map(|pid| to_pid(*pid)) {
                let _ = kill_process(pid, Signal::KILL);
            }
            if found.is_empty() {
                return;
            }
            std::thread::sleep(PAUSE);
        }
    }

    /// The run's process has ended. Processes that it left behind are not touched any more.
    pub(super) fn forget(&self) {
        self.pid.store(0, Ordering::SeqCst);
    }

    /// The listener of the run is done.
    pub(super) fn close(&self) {
        self.server().done();
    }
}

fn to_pid(pid: u32) -> Option<Pid> {
    i32::try_from(pid).ok().and_then(Pid::from_raw)
}

#[cfg(target_os = "linux")]
mod processes {
    use std::collections::HashSet;
    use std::fs;
    use std::os::unix::fs::MetadataExt;

    /// A process as listed in `/proc`.
    struct Entry {
        pid: u32,
        parent: u32,
        began: u64,
    }

    fn entry(pid: u32) -> Option<Entry> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // The second field is the name in parentheses, which may hold anything.
        let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
        if matches!(*fields.first()?, "Z" | "X") {
            return None;
        }
        Some(Entry {
            pid,
            parent: fields.get(1)?.parse().ok()?,
            began: fields.get(19)?.parse().ok()?,
        })
    }

    /// When a process started, in clock ticks since boot.
    pub(super) fn began(pid: u32) -> Option<u64> {
        entry(pid).map(|entry| entry.began)
    }

    /// The processes of a run that still exist. Orphans that are children of `server` belong to the run.
    pub(super) fn of_run(run: u32, began: u64, server: Option<u32>, pipes: &[u64]) -> Vec<u32> {
        let Ok(folder) = fs::read_dir("/proc") else { return Vec::new() };
        let own = std::process::id();
        let mut entries: Vec<Entry> = folder
            .filter_map(|one| entry(one.ok()?.file_name().to_str()?.parse().ok()?))
            .filter(|entry| entry.began >= began && entry.pid != own)
            .collect();
        entries.sort_by_key(|entry| (entry.began, entry.pid));
        let mut known = HashSet::from([run]);
        let mut before = 0;
        // Process ids wrap around, so a child can have a lower id than its parent; repeat until nothing is
        // added.
        while before != known.len() {
            before = known.len();
            for entry in &entries {
                let orphan = server == Some(entry.parent);
                if known.contains(&entry.parent) || orphan || holds(entry.pid, pipes) {
                    known.insert(entry.pid);
                }
            }
        }
        entries.iter().map(|entry| entry.pid).filter(|pid| known.contains(pid)).collect()
    }

    /// Whether a process has one of the pipes open for writing.
    fn holds(pid: u32, pipes: &[u64]) -> bool {
        let Ok(folder) = fs::read_dir(format!("/proc/{pid}/fd")) else { return false };
        folder.filter_map(Result::ok).any(|one| {
            let writes = one.metadata().is_ok_and(|link| link.mode() & 0o200 != 0);
            writes
                && fs::read_link(one.path()).is_ok_and(|target| {
                    let name = target.to_string_lossy();
                    let inode = name.strip_prefix("pipe:[").and_then(|rest| rest.strip_suffix(']'));
                    inode.and_then(|id| id.parse().ok()).is_some_and(|id| pipes.contains(&id))
                })
        })
    }
}

#[cfg(not(target_os = "linux"))]
mod processes {
    pub(super) fn began(_: u32) -> Option<u64> {
        None
    }

    pub(super) fn of_run(_: u32, _: u64, _: Option<u32>, _: &[u64]) -> Vec<u32> {
        Vec::new()
    }
}
