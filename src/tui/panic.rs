//! A panic gives the terminal back, leaves a report, and says where it lies.

use std::backtrace::Backtrace;
use std::fs;
use std::panic;
use std::path::PathBuf;

use super::{folders, terminal};
use crate::system::say::complain;

/// Installs the hook. Call it before the terminal is entered.
pub(super) fn install() {
    panic::set_hook(Box::new(|info| {
        terminal::restore();
        let text = format!(
            "mlops-tui {}\n{info}\n\n{}",
            env!("CARGO_PKG_VERSION"),
            Backtrace::force_capture()
        );
        match write(&text) {
            Ok(path) => complain(&format!(
                "mlops-tui had to stop because of a mistake of its own; your project is untouched.\n\
                 The report lies in {}; please send it to us.",
                path.display()
            )),
            Err(error) => complain(&format!("{text}\nThe report could not be written: {error}.")),
        }
    }));
}

fn write(text: &str) -> std::io::Result<PathBuf> {
    let folder = folders::state();
    fs::create_dir_all(&folder)?;
    let path = folder.join(format!("panic-{}.txt", std::process::id()));
    fs::write(&path, text)?;
    Ok(path)
}
