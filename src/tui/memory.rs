//! The file in which the look of a project's screen is kept: `screen.json` in the store's folder.

use std::io;
use std::path::Path;

use crate::app::remembered::Remembered;
use crate::store;
use crate::system::files;

const FILE: &str = "screen.json";

/// The largest file that is read, in bytes.
const MOST: u64 = 1 << 20;

/// The remembered look; that of the first start if there is no file, or one that can't be used.
pub(super) fn read(root: &Path) -> Remembered {
    let parsed = files::read(&root.join(store::FOLDER).join(FILE), MOST)
        .and_then(|bytes| serde_json::from_slice(&bytes).map_err(io::Error::other));
    parsed.unwrap_or_else(|error| {
        tracing::debug!(%error, "the look of the screen is not remembered");
        Remembered::default()
    })
}

/// Writes the file. A project that can't be written is not remembered.
pub(super) fn write(root: &Path, remembered: &Remembered) {
    let written = serde_json::to_vec(remembered)
        .map_err(io::Error::other)
        .and_then(|bytes| store::write_file(root, FILE, &bytes));
    if let Err(error) = written {
        tracing::debug!(%error, "the look of the screen is not kept");
    }
}
