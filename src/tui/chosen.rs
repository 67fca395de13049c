//! The theme and the keymap that the user chose on the screen: `chosen.yaml` in the user's state folder.
//!
//! The user's settings files win over it and are never written.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::Path;

use crate::app::settings::{AUTO, Overrides, Settings};
use crate::system::files;

const FILE: &str = "chosen.yaml";

/// What was chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Theme,
    Keymap,
}

impl Kind {
    /// The name of the setting.
    pub(super) fn name(self) -> &'static str {
        match self {
            Kind::Theme => "theme",
            Kind::Keymap => "keymap",
        }
    }

    /// The choice that needs no file.
    fn default_name(self) -> String {
        match self {
            Kind::Theme => AUTO.into(),
            Kind::Keymap => Settings::default().keymap,
        }
    }
}

/// The choices; none if there is no file, or one that can't be used.
pub(super) fn read(folder: &Path) -> Overrides {
    let mut names = names(folder);
    let [theme, keymap] = [Kind::Theme, Kind::Keymap].map(|kind| names.remove(kind.name()));
    Overrides { theme, keymap, ..Overrides::default() }
}

fn names(folder: &Path) -> BTreeMap<String, String> {
    let text = files::read_text(&folder.join(FILE)).unwrap_or_default();
    serde_yaml::from_str(&text).unwrap_or_else(|error| {
        tracing::debug!(%error, "the chosen theme and keymap can't be read");
        BTreeMap::new()
    })
}

/// Keeps a choice; the default is kept by forgetting the one before.
///
/// # Errors
/// If the file can't be written.
pub(super) fn write(folder: &Path, kind: Kind, name: &str) -> io::Result<()> {
    let before = names(folder);
    let mut names = before.clone();
    match name == kind.default_name() {
        true => names.remove(kind.name()),
        false => names.insert(kind.name().into(), name.into()),
    };
    if names == before {
        return Ok(());
    }
    let text = serde_yaml::to_string(&names).map_err(io::Error::other)?;
    fs::create_dir_all(folder)?;
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.persist(folder.join(FILE))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_is_kept_until_the_default_is_chosen() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("state");
        write(&folder, Kind::Theme, AUTO).unwrap();
        assert!(!folder.exists(), "the default needs no file");
        write(&folder, Kind::Theme, "nord").unwrap();
        write(&folder, Kind::Keymap, "vim").unwrap();
        let chosen = read(&folder);
        assert_eq!(
            (chosen.theme.as_deref(), chosen.keymap.as_deref()),
            (Some("nord"), Some("vim"))
        );
        write(&folder, Kind::Theme, AUTO).unwrap();
        write(&folder, Kind::Keymap, "default").unwrap();
        assert_eq!(read(&folder), Overrides::default());
        fs::write(folder.join(FILE), "- odd").unwrap();
        assert_eq!(read(&folder), Overrides::default());
    }
}
