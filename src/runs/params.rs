//! Parameters of a run: see [`crate::project::params`]; and how they are passed to another process.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

pub use crate::project::params::*;
use crate::text::UserError;

/// Parameters passed to another process in a file that only this user can read. On a command line every user
/// could see them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handed {
    /// `--params`.
    pub params: Params,
    /// `--runner-params`.
    pub runner_params: Option<String>,
}

impl Handed {
    /// Whether there are no parameters to pass.
    pub fn is_empty(&self) -> bool {
        self.params.is_empty() && self.runner_params.is_none()
    }

    /// Writes the file, which [`Handed::take`] removes.
    ///
    /// # Errors
    /// A sentence, when the file can't be written.
    pub fn leave(&self) -> Result<PathBuf, UserError> {
        let write = || {
            let mut file = tempfile::NamedTempFile::new()?;
            serde_json::to_writer(&mut file, self)?;
            file.flush()?;
            io::Result::Ok(file.into_temp_path().keep()?)
        };
        write().map_err(|error| {
            let folder = std::env::temp_dir();
            let folder = folder.display();
            format!(
                "The parameters can't be handed over: no file can be written to {folder}: {error}."
            )
            .into()
        })
    }

    /// Reads the file that another process wrote, and removes it.
    ///
    /// # Errors
    /// A sentence, when the file can't be read or removed.
    pub fn take(path: &Path) -> Result<Handed, UserError> {
        let failed = |error: &dyn std::fmt::Display| {
            UserError::from(format!("The parameters can't be read: {error}."))
        };
        let text = std::fs::read_to_string(path).map_err(|error| failed(&error))?;
        std::fs::remove_file(path).map_err(|error| failed(&error))?;
        serde_json::from_str(&text).map_err(|error| failed(&error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn handed_parameters_are_read_once() {
        let handed = Handed {
            params: Params::from([("password".to_owned(), "hush".to_owned())]),
            runner_params: Some("token=hush".into()),
        };
        let file = handed.leave().unwrap();
        assert_eq!(Handed::take(&file), Ok(handed.clone()));
        assert!(!file.exists());
        assert!(Handed::take(&file).unwrap_err().line().contains("can't be read"));
        std::fs::write(&file, "{").unwrap();
        assert!(Handed::take(&file).is_err());
        assert!(!file.exists(), "a file that is broken goes, too");
    }
}
