//! Detached runs: this program starts a second process of itself, `mlops-tui run --detached`, which leaves the session
//! of the terminal and therefore outlives its parent.
//!
//! The parent calls [`start`]. The child calls [`start_session`], [`worker`], and [`report_begun`] once its run has a
//! number. A parent that has a warm worker gives the child a copy of it, so that no second Python has to start.

use std::ffi::OsString;
use std::io::{BufRead, BufReader, Read};
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde::{Deserialize, Serialize};

use super::params::{Handed, Params};
use super::{RunRequest, Spec, Worker};
use crate::store::RunId;
use crate::system::say;
use crate::text::{UserError, sanitize};

/// Option that marks the process as the detached run itself.
pub const DETACHED: &str = "--detached";

/// Option that names a file with the parameters; the run removes the file.
pub const PARAMS_FROM: &str = "--params-from";

/// Option that says that stdin is the socket of [`Worker::lend`].
pub const WARM: &str = "--warm";

/// The line that the detached run prints when the run has begun.
#[derive(Debug, Serialize, Deserialize)]
pub struct Begun {
    /// Number of the run; `None` when the run can't be recorded.
    pub run: Option<RunId>,
}

/// The arguments of [`start`] for a request; `python` is the interpreter, if one was named. Writes the parameters, also
/// those of the runner, to a file that the arguments name: other users can read the command line of a process.
///
/// # Errors
/// When the file can't be written.
pub fn arguments(
    root: &std::path::Path,
    python: Option<&std::path::Path>,
    request: &RunRequest,
) -> Result<Vec<OsString>, UserError> {
    let mut words: Vec<OsString> = vec!["run".into(), root.into(), DETACHED.into()];
    if let Some(python) = python {
        words.extend(["--python".into(), python.into()]);
    }
    let without_params =
        RunRequest { params: Params::new(), runner_params: None, ..request.clone() };
    words.extend(without_params.to_options().into_iter().map(Into::into));
    if request.keep_going {
        words.push("--keep-going".into());
    }
    let params =
        Handed { params: request.params.clone(), runner_params: request.runner_params.clone() };
    if !params.is_empty() {
        words.extend([PARAMS_FROM.into(), params.leave()?.into()]);
    }
    Ok(words)
}

/// Starts this program with `arguments` and waits until its run has begun. `worker` is the socket of a copy of this
/// process's worker. The child removes the file of the parameters; if the child fails, this function does.
///
/// # Errors
/// When the process can't be started, or its run can't begin; the error is then the child's output to stderr.
pub fn start(mut arguments: Vec<OsString>, worker: Option<OwnedFd>) -> Result<Begun, UserError> {
    let option = arguments.iter().position(|word| word == PARAMS_FROM);
    let params_file = option.and_then(|index| arguments.get(index + 1)).map(PathBuf::from);
    if worker.is_some() {
        arguments.push(WARM.into());
    }
    let begun = try_start(arguments, worker);
    if begun.is_err()
        && let Some(file) = params_file
    {
        // The child may have removed the file before it failed.
        let _ = std::fs::remove_file(file);
    }
    begun
}

fn try_start(arguments: Vec<OsString>, worker: Option<OwnedFd>) -> Result<Begun, UserError> {
    let failed =
        |error: std::io::Error| UserError::from(format!("The run can't be started: {error}."));
    let program = std::env::current_exe().map_err(failed)?;
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(worker.map_or_else(Stdio::null, Stdio::from))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(failed)?;
    let mut line = String::new();
    if let Some(stdout) = child.stdout.take() {
        BufReader::new(stdout).read_line(&mut line).map_err(failed)?;
    }
    let begun = serde_json::from_str::<Begun>(&line);
    let mut complaint = String::new();
    if begun.is_err()
        && let Some(mut stderr) = child.stderr.take()
    {
        stderr.read_to_string(&mut complaint).map_err(failed)?;
    }
    // A parent that lives on must `wait()` for the child, or it stays a zombie.
    std::thread::spawn(move || child.wait());
    begun.map_err(|_| {
        // The child prints its name first, and `sanitize` replaces line ends by `␊`.
        let complaint = complaint.trim().trim_start_matches("mlops-tui:").trim();
        sanitize(complaint).trim_end_matches('␊').to_owned().into()
    })
}

/// Starts a new session, so that the end of the terminal does not end this run.
///
/// # Errors
/// When the system refuses a new session.
pub fn start_session() -> std::io::Result<()> {
    rustix::process::setsid().map(drop).map_err(Into::into)
}

/// The worker of a detached run: the copy that its parent has given to it, or a new one. Needs a tokio runtime.
///
/// # Errors
/// When stdin is not the socket that the parent gives.
pub fn worker(spec: Spec, warm: bool) -> std::io::Result<Worker> {
    if !warm {
        return Ok(Worker::fresh(spec, "asked for"));
    }
    let socket = rustix::io::fcntl_dupfd_cloexec(rustix::stdio::stdin(), 3)?;
    let nowhere = std::fs::File::open("/dev/null")?;
    rustix::stdio::dup2_stdin(&nowhere)?;
    Worker::adopt(spec, socket)
}

/// Reports that the run has begun, and sends all further output to `/dev/null`.
///
/// # Errors
/// When `/dev/null` can't be opened.
pub fn report_begun(run: Option<RunId>) -> std::io::Result<()> {
    say::tell(&serde_json::to_string(&Begun { run })?);
    let nowhere = std::fs::File::options().read(true).write(true).open("/dev/null")?;
    rustix::stdio::dup2_stdout(&nowhere)?;
    rustix::stdio::dup2_stderr(&nowhere)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dag::Slice;
    use std::path::Path;

    #[test]
    fn a_request_becomes_arguments_of_run() {
        let request = RunRequest {
            pipeline: Some("training".into()),
            slice: Slice::nodes(["a b", "c"]),
            is_async: true,
            keep_going: true,
            ..RunRequest::default()
        };
        let words = arguments(Path::new("/p"), Some(Path::new("/py")), &request).unwrap();
        assert_eq!(
            words,
            [
                "run",
                "/p",
                "--detached",
                "--python",
                "/py",
                "--pipeline=training",
                "--nodes=a b,c",
                "--async",
                "--keep-going"
            ]
        );
        let params = crate::runs::request::parse_params("password=hush,n=1").unwrap();
        let runner_params = Some("token=hush".to_owned());
        let with_params = RunRequest {
            params: params.clone(),
            runner_params: runner_params.clone(),
            ..request.clone()
        };
        let words = arguments(Path::new("/p"), None, &with_params).unwrap();
        assert!(!format!("{words:?}").contains("hush"), "{words:?}");
        let file = Path::new(words.last().unwrap()).to_owned();
        assert_eq!(Handed::take(&file).unwrap(), Handed { params, runner_params });
        assert!(!file.exists());
        assert_eq!(request.to_command(), "kedro run --pipeline=training --nodes='a b,c' --async");
    }
}
