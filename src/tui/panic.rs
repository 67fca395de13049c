//! A panic in any task writes a report and ends the loop, which restores the terminal and prints where the
//! report lies.

use std::backtrace::Backtrace;
use std::fs;
use std::io;
use std::panic;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::thread;

use tokio::sync::Notify;

use super::{folders, terminal};
use crate::system::contained::is_contained;
use crate::text::secrets::redact;

/// The message to print once the terminal is restored. Only the first panic sets it: others are consequences.
static MESSAGE: Mutex<Option<String>> = Mutex::new(None);
static HAPPENED: Notify = Notify::const_new();

/// Installs the hook. Call it on the loop's thread, before the terminal is entered.
pub(super) fn install() {
    let own = thread::current().id();
    panic::set_hook(Box::new(move |info| {
        if is_contained() {
            return;
        }
        let mut message = MESSAGE.lock().unwrap_or_else(PoisonError::into_inner);
        if message.is_some() {
            return;
        }
        let text = format!(
            "mlops-tui {}\n{info}\n\n{}",
            env!("CARGO_PKG_VERSION"),
            Backtrace::force_capture()
        );
        let text = redact(&text);
        *message = Some(match write(&text) {
            Ok(path) => format!(
                "mlops-tui had to stop because of a mistake of its own; your project is untouched.\n\
                 The report lies in {}; please send it to us.",
                path.display()
            ),
            Err(error) => format!("{text}\nThe report could not be written: {error}."),
        });
        // On another thread the loop restores the terminal, because it may be in the middle of a frame.
        if thread::current().id() == own {
            terminal::restore();
        }
        HAPPENED.notify_one();
    }));
}

/// Waits for a panic.
pub(super) async fn happened() {
    HAPPENED.notified().await;
}

/// The message of the panic; `None` if there was none.
pub(super) fn message() -> Option<String> {
    MESSAGE.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

fn write(text: &str) -> io::Result<PathBuf> {
    let folder = folders::state();
    fs::create_dir_all(&folder)?;
    let path = folder.join(format!("panic-{}.txt", std::process::id()));
    fs::write(&path, text)?;
    Ok(path)
}

/// Panics for tests, where `MLOPS_TUI_PANIC` says: in `task`, `thread`, `loop`, or `contained` work. Release builds ignore the variable.
#[cfg(debug_assertions)]
#[expect(clippy::panic, reason = "that is what it is for")]
pub(super) fn provoke() {
    use crate::system::contained::contained;

    match std::env::var("MLOPS_TUI_PANIC").as_deref() {
        Ok("task") => drop(tokio::spawn(async { panic!("asked for in a task") })),
        Ok("thread") => drop(thread::spawn(|| panic!("asked for in a thread"))),
        Ok("contained") => drop(contained(|| panic!("asked for in contained work"))),
        Ok("loop") => panic!("asked for in the loop"),
        _ => {}
    }
}
