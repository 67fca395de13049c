//! Changes to the history: cancelling, deleting and pruning runs.

use thiserror::Error;

use super::filter::parse_time;
use crate::store::{
    Outcome, PruneLimits, Pruned, Recording, Remote, RunId, RunRecord, Store, StoreError,
};
use crate::system::signals;
use crate::text::{UserError, size_text};

/// The placeholder of the prompt for pruning limits.
pub const ROOM_HINT: &str = "older:30d size:500MB keep:50 (pinned runs stay)";

/// Why the history could not be changed.
#[derive(Debug, Error)]
pub enum ChangeError {
    /// The run to cancel has ended, or there is no run with that number.
    #[error("Run {0} is not running.")]
    Ended(RunId),
    /// The run to cancel is on another machine.
    #[error("Run {0} is running on {1}; cancel it there.")]
    Elsewhere(RunId, String),
    /// The run to cancel is on an engine.
    #[error(
        "Run {0} runs on `{profile}`; cancel it there: mlops-tui remote cancel {run} --profile {profile} --pipeline {pipeline}",
        profile = .1.profile, run = .1.run, pipeline = .1.pipeline
    )]
    Remote(RunId, Remote),
    /// The process that recorded the run has ended.
    #[error("The program of run {0} has ended; the run counts as lost.")]
    Gone(RunId),
    /// The process can't be signalled, for example because it belongs to another user.
    #[error("Run {0} can't be cancelled: process {1} takes no signal from here ({2}).")]
    Signal(RunId, u32, std::io::Error),
    /// The run to delete is still running.
    #[error("Run {0} is still running; cancel it first. Nothing was deleted.")]
    GoesOn(RunId),
    /// The store can't be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Cancels a run that another program records, as Ctrl-C in that program would: SIGINT to that process, if
/// the process is still the one that recorded the run; SIGTERM if it was started with SIGINT ignored.
///
/// # Errors
/// When the run has ended, is on another machine, or its process can't be signalled.
pub fn cancel(store: &mut Store, id: RunId) -> Result<(), ChangeError> {
    match store.recording(id)? {
        Recording::Ended => Err(ChangeError::Ended(id)),
        Recording::Elsewhere(host) => Err(ChangeError::Elsewhere(id, host)),
        Recording::Remote(remote) => Err(ChangeError::Remote(id, remote)),
        Recording::Gone => {
            store.recover()?;
            Err(ChangeError::Gone(id))
        }
        Recording::By(pid) => interrupt(pid).map_err(|error| ChangeError::Signal(id, pid, error)),
    }
}

#[cfg(unix)]
fn interrupt(pid: u32) -> std::io::Result<()> {
    use rustix::process::{Pid, Signal, kill_process};
    let signal = match signals::is_ignored(pid, Signal::INT) {
        true => Signal::TERM,
        false => Signal::INT,
    };
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    let pid = pid.ok_or_else(|| std::io::Error::other("it is no number of a process"))?;
    kill_process(pid, signal).map_err(Into::into)
}

#[cfg(not(unix))]
fn interrupt(_pid: u32) -> std::io::Result<()> {
    Err(std::io::Error::from(std::io::ErrorKind::Unsupported))
}

/// Deletes runs with everything that the store keeps for them, and frees the space. Returns what was deleted.
///
/// # Errors
/// When one of them is still running (then none is deleted), or the store can't be written or was
/// set aside.
pub fn delete(store: &mut Store, ids: &[RunId]) -> Result<Pruned, ChangeError> {
    let mut deleted = Pruned { folders: Vec::new(), ..deletable(store, ids)? };
    for id in ids {
        match store.delete_run(*id)? {
            Some(one) => deleted.folders.extend(one.folders),
            None => deleted.runs.retain(|run| run != id),
        }
    }
    let rest = store.prune(&PruneLimits::default())?;
    deleted.folders.extend(rest.folders);
    deleted.left = rest.left;
    Ok(deleted)
}

/// What [`delete`] would delete.
///
/// # Errors
/// The same as for [`delete`].
pub fn deletable(store: &mut Store, ids: &[RunId]) -> Result<Pruned, ChangeError> {
    for id in ids {
        let goes_on = |run: &RunRecord| run.outcome == Outcome::Running && run.new.remote.is_none();
        if store.run(*id)?.as_ref().is_some_and(goes_on) {
            return Err(ChangeError::GoesOn(*id));
        }
    }
    Ok(store.deletable(ids)?)
}

/// The hint of error messages: how limits are written.
const LIMITS: &str = "Write older:30d, size:500MB or keep:50.";

/// Parses pruning limits: `older:30d size:500MB keep:50`, at least one of them.
///
/// # Errors
/// When a word is not a limit; the error lists the valid ones.
pub fn parse_prune_limits(text: &str, now: f64) -> Result<PruneLimits, UserError> {
    let mut room = PruneLimits::default();
    for word in text.split_whitespace() {
        match word.split_once(':') {
            Some(("older", age)) => room.before = Some(parse_time(age, now)?),
            Some(("size", size)) => room.bytes = Some(parse_size(size)?),
            Some(("keep", count)) => {
                let count = count.parse().map_err(|_| format!("`{count}` is no count of runs"))?;
                room.runs = Some(count);
            }
            _ => {
                return Err(UserError::hinted(format!("`{word}` is no limit"), LIMITS));
            }
        }
    }
    match room == PruneLimits::default() {
        true => Err(UserError::hinted("There is no limit", LIMITS)),
        false => Ok(room),
    }
}

/// A size in bytes: `500MB`, `2GB`, `64k`. Units are powers of a thousand.
///
/// # Errors
/// When the text is not a size.
pub fn parse_size(text: &str) -> Result<u64, UserError> {
    let wrong = || UserError::hinted(format!("`{text}` is no size"), "Write 500MB or 2GB.");
    let number_end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(number_end);
    let unit = match unit.trim().to_ascii_lowercase().trim_end_matches('b') {
        "" => 1.0,
        "k" => 1e3,
        "m" => 1e6,
        "g" => 1e9,
        "t" => 1e12,
        _ => return Err(wrong()),
    };
    let number: f64 = number.parse().map_err(|_| wrong())?;
    Ok((number * unit) as u64)
}

/// A sentence with what was deleted, and how many folders remain though their runs are deleted.
pub fn report(pruned: &Pruned) -> String {
    let deleted = match summary(pruned) {
        Some(told) => format!("Deleted {told}."),
        None => "Nothing was deleted.".into(),
    };
    match pruned.left.as_slice() {
        [] => deleted,
        [one] => format!("{deleted} {} stays: {}.", one.path.display(), one.why),
        [first, ..] => {
            let folder = first.path.parent().unwrap_or(&first.path);
            format!("{deleted} {} folders in {} stay.", pruned.left.len(), folder.display())
        }
    }
}

/// A summary of what is deleted, such as `3 runs (1 to 4), about 2.1 MB, and 1 folder that its grid saved
/// in`; `None` when nothing is.
pub fn summary(pruned: &Pruned) -> Option<String> {
    let folders = match pruned.folders.len() {
        0 => None,
        1 => Some("1 folder".to_owned()),
        count => Some(format!("{count} folders")),
    };
    let which = match (pruned.runs.as_slice(), &folders) {
        ([], None) => return None,
        ([], Some(folders)) => return Some(format!("{folders} of runs that are gone")),
        ([one], _) => format!("1 run ({one})"),
        ([first, .., last], _) => format!("{} runs ({first} to {last})", pruned.runs.len()),
    };
    let folders = folders.map(|folders| format!(", and {folders} that its grid saved in"));
    Some(format!("{which}, about {}{}", size_text(pruned.bytes), folders.unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;
    use crate::store::NewRun;
    use crate::store::run_id;

    const NOW: f64 = 1_793_600_000.0;

    #[test]
    fn limits_are_parsed() {
        let room = parse_prune_limits("older:30d  size:1.5GB keep:50", NOW);
        let expected = PruneLimits {
            before: Some(NOW - 30.0 * 86_400.0),
            bytes: Some(1_500_000_000),
            runs: Some(50),
        };
        assert_eq!(room, Ok(expected));
        for wrong in ["", "30d", "older:then", "size:much", "keep:some"] {
            assert!(parse_prune_limits(wrong, NOW).is_err(), "{wrong}");
        }
        for (text, bytes) in
            [("500MB", 500_000_000), ("1.5 gb", 1_500_000_000), ("64k", 64_000), ("7", 7)]
        {
            assert_eq!(parse_size(text), Ok(bytes), "{text}");
        }
        assert!(parse_size("lots").is_err() && parse_size("5 apples").is_err());
    }

    #[test]
    fn the_summary_counts_runs_and_folders() {
        let pruned =
            |runs: &[RunId]| Pruned { runs: runs.to_vec(), bytes: 2_100, ..Pruned::default() };
        assert_eq!(summary(&pruned(&[])), None);
        assert_eq!(summary(&pruned(&[run_id(4)])).as_deref(), Some("1 run (4), about 2.1 kB"));
        assert_eq!(
            summary(&pruned(&[1, 2, 4].map(run_id))).as_deref(),
            Some("3 runs (1 to 4), about 2.1 kB")
        );
        let folders = vec!["a".into(), "b".into()];
        let whole = Pruned { folders: folders.clone(), ..pruned(&[run_id(4)]) };
        let expected = "1 run (4), about 2.1 kB, and 2 folders that its grid saved in";
        assert_eq!(summary(&whole).as_deref(), Some(expected));
        let only = Pruned { folders, ..pruned(&[]) };
        assert_eq!(summary(&only).as_deref(), Some("2 folders of runs that are gone"));
        assert_eq!(report(&pruned(&[])), "Nothing was deleted.");
        let left = crate::store::Left { path: "p/apart/x".into(), why: "it is open".into() };
        let mut some = Pruned { left: vec![left.clone()], ..pruned(&[run_id(4)]) };
        let expected = "Deleted 1 run (4), about 2.1 kB. p/apart/x stays: it is open.";
        assert_eq!(report(&some), expected);
        some.left.push(left);
        assert!(report(&some).ends_with(" 2 folders in p/apart stay."), "{}", report(&some));
    }

    #[test]
    fn a_run_on_an_engine_is_cancelled_there() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::new(folder.path());
        let remote = Remote {
            profile: "prod".into(),
            engine: "airflow".into(),
            pipeline: "bikes".into(),
            run: "a".into(),
        };
        let run = store.add_remote_run(&remote, &NewRun::default()).unwrap().id.unwrap();
        let error = cancel(&mut store, run).unwrap_err().to_string();
        assert!(error.ends_with("remote cancel a --profile prod --pipeline bikes"), "{error}");
        assert_eq!(store.run(run).unwrap().unwrap().outcome, Outcome::Running);
        assert_eq!(delete(&mut store, &[run]).unwrap().runs, [run]);
        assert_eq!(store.run(run).unwrap(), None);
    }

    #[test]
    fn only_the_process_that_records_a_run_is_signalled() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::new(folder.path());
        let host = crate::store::liveness::host();
        let run = store.add_run(&NewRun { host, ..NewRun::default() }).unwrap().id.unwrap();
        assert!(matches!(cancel(&mut store, run_id(9)), Err(ChangeError::Ended(_))));
        // SIGINT must end `sleep` even when the tests run in the background, where SIGINT is ignored.
        let mut child = std::process::Command::new("env")
            .args(["--default-signal=INT", "sh", "-c", "echo; exec sleep 60"])
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        child.stdout.take().unwrap().read_exact(&mut [0]).unwrap();
        store.set_process(run, child.id()).unwrap();
        assert!(matches!(delete(&mut store, &[run]), Err(ChangeError::GoesOn(_))));
        cancel(&mut store, run).unwrap();
        assert!(!child.wait().unwrap().success());
        assert!(matches!(cancel(&mut store, run), Err(ChangeError::Gone(_))));
        assert_eq!(store.run(run).unwrap().unwrap().outcome, Outcome::Lost);
        assert!(matches!(cancel(&mut store, run), Err(ChangeError::Ended(_))));
        delete(&mut store, &[run]).unwrap();
        assert_eq!(store.run(run).unwrap(), None);

        let there = NewRun { host: Some("there".into()), ..NewRun::default() };
        let elsewhere = store.add_run(&there).unwrap().id.unwrap();
        let message = cancel(&mut store, elsewhere).unwrap_err().to_string();
        assert_eq!(message, format!("Run {elsewhere} is running on there; cancel it there."));
    }
}
