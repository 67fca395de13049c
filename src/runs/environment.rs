//! Creates the project's Python environment: `.venv` with the packages that the project requires.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::Command;
use tokio::sync::mpsc;

use super::event::Failure;
use crate::system::files;
use crate::text::UserError;

/// Whether creating the environment is likely to fix the failure: Python or a package is missing.
pub fn would_help(failure: &Failure) -> bool {
    failure.kind.ends_with("ModuleNotFoundError")
        || failure.kind.ends_with("PackageNotFoundError")
        || failure.kind == super::exact::WORKER_LOST
}

/// Creates `.venv` in `root`, or uses the existing one, and installs what `requirements.txt` lists (else
/// `src/requirements.txt`, else the project's `pyproject.toml`): with uv where uv is installed, else with
/// `venv` and pip. Returns the interpreter. Lines of progress go to `progress`; dropping the future stops the
/// work.
///
/// # Errors
/// When the project lists no packages, or a step fails.
pub async fn create(root: &Path, progress: mpsc::Sender<String>) -> Result<PathBuf, UserError> {
    let folder = root.join(".venv");
    let python = folder.join("bin/python");
    let packages = packages(root)?;
    let step = Step { root, progress };
    let uv = step.works("uv", &["--version"]).await;
    if !step.works(&python.to_string_lossy(), &["--version"]).await {
        if folder.exists() {
            return Err(UserError::hinted(
                format!("{} exists, but its Python does not work.", folder.display()),
                "Remove that folder and try again.",
            ));
        }
        let made = if uv {
            step.run("uv", &["venv", ".venv"]).await
        } else {
            step.run("python3", &["-m", "venv", ".venv"]).await
        };
        made.map_err(|failed| {
            UserError::hinted(
                failed.text,
                "Install Python 3 with its venv module (Debian: apt install python3-venv), or uv, \
                 and try again.",
            )
        })?;
    }
    let interpreter = python.to_string_lossy();
    if !uv && !step.works(&interpreter, &["-m", "pip", "--version"]).await {
        // uv created this environment without pip and is no longer installed. If ensurepip fails, the next
        // command reports it.
        let _ = step.run(&interpreter, &["-m", "ensurepip"]).await;
    }
    let installed = if uv {
        let mut arguments = vec!["pip", "install", "--python", &interpreter];
        arguments.extend(&packages);
        step.run("uv", &arguments).await
    } else {
        let mut arguments = vec!["-m", "pip", "install", "--progress-bar=off"];
        arguments.extend(&packages);
        step.run(&interpreter, &arguments).await
    };
    installed.map_err(|failed| {
        UserError::hinted(
            failed.text,
            "See the lines above; mend the requirements or the network, and try again.",
        )
    })?;
    Ok(python)
}

/// The arguments of `pip install` that name the project's packages.
fn packages(root: &Path) -> Result<Vec<&'static str>, UserError> {
    if root.join("requirements.txt").is_file() {
        return Ok(vec!["-r", "requirements.txt"]);
    }
    if root.join("src/requirements.txt").is_file() {
        return Ok(vec!["-r", "src/requirements.txt"]);
    }
    let pyproject = files::read_text(&root.join("pyproject.toml")).unwrap_or_default();
    let has_package = pyproject
        .parse::<toml::Table>()
        .is_ok_and(|table| table.contains_key("project") || table.contains_key("build-system"));
    if has_package {
        return Ok(vec!["-e", "."]);
    }
    Err(UserError::hinted(
        "The project does not say which packages it needs.",
        "Write them into requirements.txt, `kedro` among them, and try again.",
    ))
}

struct Step<'a> {
    root: &'a Path,
    progress: mpsc::Sender<String>,
}

impl Step<'_> {
    fn command(&self, program: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.args(arguments).current_dir(self.root).stdin(Stdio::null()).kill_on_drop(true);
        command
    }

    async fn works(&self, program: &str, arguments: &[&str]) -> bool {
        let mut command = self.command(program, arguments);
        let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status().await;
        status.is_ok_and(|status| status.success())
    }

    async fn run(&self, program: &str, arguments: &[&str]) -> Result<(), UserError> {
        let shown = format!("{program} {}", arguments.join(" "));
        self.report(format!("$ {shown}")).await;
        let mut child = self
            .command(program, arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| format!("`{program}` can't be started: {error}."))?;
        let (out, err) = (child.stdout.take(), child.stderr.take());
        tokio::join!(self.follow(out), self.follow(err));
        match child.wait().await {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(format!("`{shown}` failed ({status}).").into()),
            Err(error) => Err(format!("`{shown}` failed: {error}.").into()),
        }
    }

    async fn follow(&self, stream: Option<impl AsyncRead + Unpin>) {
        let Some(stream) = stream else { return };
        let mut reader = BufReader::new(stream);
        let mut line = Vec::new();
        while matches!(reader.read_until(b'\n', &mut line).await, Ok(1..)) {
            let text = String::from_utf8_lossy(&line);
            let shown = text.trim_end().rsplit('\r').next().unwrap_or_default();
            if !shown.is_empty() {
                self.report(shown.to_owned()).await;
            }
            line.clear();
        }
    }

    async fn report(&self, line: String) {
        // Without a listener the work continues.
        let _ = self.progress.send(line).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_come_from_the_first_file_that_names_them() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        assert!(packages(root).unwrap_err().line().contains("requirements.txt"));
        std::fs::write(root.join("pyproject.toml"), "[project]\nname = \"shop\"\n").unwrap();
        assert_eq!(packages(root).unwrap(), ["-e", "."]);
        std::fs::create_dir(root.join("src")).unwrap();
        std::fs::write(root.join("src/requirements.txt"), "").unwrap();
        assert_eq!(packages(root).unwrap(), ["-r", "src/requirements.txt"]);
        std::fs::write(root.join("requirements.txt"), "").unwrap();
        assert_eq!(packages(root).unwrap(), ["-r", "requirements.txt"]);
    }

    #[tokio::test]
    async fn a_broken_environment_is_not_touched() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("requirements.txt"), "").unwrap();
        std::fs::create_dir(folder.path().join(".venv")).unwrap();
        let (progress, _lines) = mpsc::channel(8);
        let error = create(folder.path(), progress).await.unwrap_err();
        assert!(error.text.contains("does not work"), "{error}");
    }
}
