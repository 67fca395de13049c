//! Puts DAG files into a folder of DAGs: first what would change, then the change.
//!
//! [`deployment`] makes a file's text and writes nothing. [`Deployment::change`] compares it with what is in a folder.
//! [`Deployment::write`] replaces the file at once, so that Airflow reads either the old or the new one.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use similar::TextDiff;

use super::dag_file::DagFile;
use crate::project::Snapshot;
use crate::system::files;
use crate::text::UserError;

/// After this time the rest counts as replaced.
const TIME: Duration = Duration::from_millis(200);

/// A DAG file that can be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deployment {
    /// Id of the DAG.
    pub id: String,
    /// Name of the file.
    pub name: String,
    /// Text of the file.
    pub text: String,
    /// Keys of `airflow.yml` that this file can't use, because there is no template that reads them.
    pub unused: Vec<String>,
}

/// What writing a file changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// There is no such file.
    New,
    /// The file has this text already.
    Unchanged,
    /// The file has another text; the difference is in the form of `diff -u`.
    Changed(String),
}

/// The file for a pipeline, with the project's own template if it has one.
///
/// # Errors
/// When a setting or the template has a mistake, or another pipeline of the project would have the same DAG.
pub fn deployment(
    snapshot: &Snapshot,
    file: &DagFile<'_>,
    template: Option<&str>,
) -> Result<Deployment, UserError> {
    let (id, name) = (file.id(), file.name());
    let others = snapshot.pipelines.iter().filter(|one| one.name != file.plan.pipeline);
    for other in others {
        let mut plan = file.plan.clone();
        plan.pipeline.clone_from(&other.name);
        let of_other = DagFile { plan: &plan, ..*file };
        if of_other.id() == id || of_other.name() == name {
            return Err(UserError::hinted(
                format!(
                    "Pipelines `{}` and `{}` would both be DAG `{id}`.",
                    file.plan.pipeline, other.name
                ),
                "Rename one of them.",
            ));
        }
    }
    let (text, unused) = match template {
        Some(template) => (file.rendered(template)?, Vec::new()),
        None => {
            let unused = file.settings.unused().into_iter().map(str::to_owned).collect();
            (file.text()?, unused)
        }
    };
    Ok(Deployment { id, name, text, unused })
}

impl Deployment {
    /// Where the file is in a folder.
    pub fn path(&self, folder: &Path) -> PathBuf {
        folder.join(&self.name)
    }

    /// What is left to do once the file is written into a folder: nothing, or to commit it where Airflow reads a repository.
    pub fn next_step(folder: &Path) -> &'static str {
        let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
        let is_in_git = folder.ancestors().any(|above| above.join(".git").exists());
        if is_in_git { "It is in a git repository: commit and push it." } else { "" }
    }

    /// What writing the file into a folder would change.
    ///
    /// # Errors
    /// When the folder is not there, or what is there can't be read.
    pub fn change(&self, folder: &Path) -> Result<Change, UserError> {
        if !folder.is_dir() {
            return Err(UserError::hinted(
                format!("There is no folder {}.", folder.display()),
                "Name the folder from which Airflow reads DAG files: `dags_folder` in airflow.cfg.",
            ));
        }
        let path = self.path(folder);
        let old = match files::read_text(&path) {
            Ok(old) => old,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Change::New),
            Err(error) => return Err(format!("{} can't be read: {error}", path.display()).into()),
        };
        if old == self.text {
            return Ok(Change::Unchanged);
        }
        let diff = TextDiff::configure().timeout(TIME).diff_lines(&old, &self.text);
        let headed = diff.unified_diff().header(&self.name, &self.name).to_string();
        Ok(Change::Changed(headed))
    }

    /// Writes the file into a folder and returns what this has changed. A file that has the text already is left alone.
    ///
    /// # Errors
    /// When the folder is not there, or can't be written to.
    pub fn write(&self, folder: &Path) -> Result<Change, UserError> {
        let change = self.change(folder)?;
        if change != Change::Unchanged {
            let path = self.path(folder);
            self.replace(folder, &path)
                .map_err(|error| format!("{} can't be written: {error}", path.display()))?;
        }
        Ok(change)
    }

    fn replace(&self, folder: &Path, path: &Path) -> io::Result<()> {
        let mut builder = tempfile::Builder::new();
        // Airflow may run as another user. Without this, only the owner could read the file.
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644));
        let mut file = builder.tempfile_in(folder)?;
        file.write_all(self.text.as_bytes())?;
        if let Ok(old) = fs::metadata(path) {
            file.as_file().set_permissions(old.permissions())?;
        }
        file.persist(path)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::Pipeline;
    use crate::remote::{Airflow, DagSettings, Plan, PlannedTask};

    fn made(pipelines: &[&str]) -> Result<Deployment, UserError> {
        let named = |name: &&str| Pipeline { name: (*name).to_owned(), ..Pipeline::default() };
        let mut snapshot =
            Snapshot { pipelines: pipelines.iter().map(named).collect(), ..Snapshot::default() };
        snapshot.metadata.package_name = "shop".into();
        snapshot.env = "local".into();
        let task = PlannedTask { id: "a".into(), nodes: vec!["a".into()], upstream: vec![] };
        let plan = Plan { pipeline: pipelines[0].to_owned(), tasks: vec![task] };
        let settings = DagSettings::default();
        deployment(&snapshot, &DagFile::new(&snapshot, &plan, &settings, Airflow::Three), None)
    }

    #[test]
    fn a_folder_in_a_repository_is_to_be_committed() {
        let folder = tempfile::tempdir().unwrap();
        let dags = folder.path().join("platform/dags");
        fs::create_dir_all(&dags).unwrap();
        assert_eq!(Deployment::next_step(&dags), "");
        fs::create_dir(folder.path().join(".git")).unwrap();
        assert!(Deployment::next_step(&dags).contains("commit and push"));
    }

    #[test]
    fn a_file_is_written_once_and_then_compared() {
        let folder = tempfile::tempdir().unwrap();
        let mut made = made(&["__default__", "other"]).unwrap();
        assert_eq!(made.change(folder.path()).unwrap(), Change::New);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "a comparison writes nothing");
        assert_eq!(made.write(folder.path()).unwrap(), Change::New);
        let path = folder.path().join("shop_dag.py");
        assert_eq!(fs::read_to_string(&path).unwrap(), made.text);

        let before = fs::metadata(&path).unwrap().modified().unwrap();
        assert_eq!(made.write(folder.path()).unwrap(), Change::Unchanged);
        assert_eq!(fs::metadata(&path).unwrap().modified().unwrap(), before);

        made.text = made.text.replace("ENV = 'local'", "ENV = 'cloud'");
        let Change::Changed(diff) = made.write(folder.path()).unwrap() else { panic!() };
        assert!(diff.starts_with("--- shop_dag.py\n+++ shop_dag.py\n@@ -"), "{diff}");
        assert!(diff.contains("\n-ENV = 'local'\n+ENV = 'cloud'\n"), "{diff}");
        assert_eq!(fs::read_to_string(&path).unwrap(), made.text);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no other file stays");
    }

    #[cfg(unix)]
    #[test]
    fn others_may_read_a_new_file_and_an_old_one_keeps_its_permissions() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let mut made = made(&["__default__"]).unwrap();
        made.write(folder.path()).unwrap();
        let path = made.path(folder.path());
        let mode = || fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode() & 0o600, 0o600);
        let plain = folder.path().join("plain");
        fs::write(&plain, "").unwrap();
        assert_eq!(
            mode() | 0o022,
            fs::metadata(plain).unwrap().permissions().mode() & 0o777 | 0o022
        );
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        made.text.push('#');
        made.write(folder.path()).unwrap();
        assert_eq!(mode(), 0o640);
    }

    #[test]
    fn what_can_not_be_deployed_is_told() {
        let error = made(&["a b", "a-b"]).unwrap_err().to_string();
        assert_eq!(error, "Pipelines `a b` and `a-b` would both be DAG `shop-a-b`.");
        let folder = tempfile::tempdir().unwrap();
        let made = made(&["__default__"]).unwrap();
        let error = made.write(&folder.path().join("dags")).unwrap_err();
        assert!(error.text.starts_with("There is no folder "), "{error}");
        fs::create_dir(made.path(folder.path())).unwrap();
        let error = made.write(folder.path()).unwrap_err();
        assert!(error.text.contains("shop_dag.py can't be read"), "{error}");
    }
}
