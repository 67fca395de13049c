//! Entering and leaving the terminal, whichever way the program ends.

use std::cell::RefCell;
use std::io::{self, BufWriter, Stdout, Write};
use std::mem::ManuallyDrop;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crossterm::event::{
    DisableBracketedPaste, DisableFocusChange, DisableMouseCapture, EnableBracketedPaste,
    EnableFocusChange, EnableMouseCapture,
};
use crossterm::terminal::{
    BeginSynchronizedUpdate, EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen,
};
use crossterm::{cursor, execute, queue, terminal};
use ratatui::Frame;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcsetattr};
use tokio::sync::Notify;

use super::linking::Linking;
use crate::text::sanitize;
use crate::ui::links::Links;

/// Puts the window's title on xterm's stack, and takes it from there (XTWINOPS 22 and 23).
const KEEP_TITLE: &str = "\x1b[22;2t";
const RESTORE_TITLE: &str = "\x1b[23;2t";

static ENTERED: AtomicBool = AtomicBool::new(false);

/// The terminal while the program has it. Dropping the value restores the terminal.
pub(super) struct Terminal {
    /// Never dropped: ratatui's drop writes to a terminal that may be gone, and panics.
    inner: ManuallyDrop<ratatui::Terminal<Linking<BufWriter<Stdout>>>>,
    links: Rc<RefCell<Links>>,
    mouse: bool,
    /// The title of the window; empty before the first one.
    title: String,
    /// The terminal's initial modes, while another program has it.
    modes: Option<Termios>,
}

impl Terminal {
    /// Enters raw mode and the alternate screen, and enables the mouse if wanted. Before, `ask` may ask the terminal
    /// something: in raw mode, while nothing else reads the input.
    pub(super) fn enter<T>(mouse: bool, ask: impl FnOnce() -> T) -> io::Result<(Self, T)> {
        // crossterm writes broken sequences under NO_COLOR; the theme leaves the colours out itself.
        crossterm::style::force_color_output(true);
        // Large enough for a whole frame, so that a frame takes few writes.
        let out = BufWriter::with_capacity(1 << 18, io::stdout());
        ENTERED.store(true, Ordering::SeqCst);
        terminal::enable_raw_mode()?;
        let answer = ask();
        take(mouse)?;
        let links = Rc::new(RefCell::new(Links::default()));
        let inner = ratatui::Terminal::new(Linking::new(out, Rc::clone(&links)));
        if inner.is_err() {
            restore();
        }
        let inner = ManuallyDrop::new(inner?);
        Ok((Terminal { inner, links, mouse, title: String::new(), modes: None }, answer))
    }

    /// Draws one frame, which the terminal shows as a whole (synchronized update).
    pub(super) fn draw(&mut self, draw: impl FnOnce(&mut Frame<'_>, &mut Links)) -> io::Result<()> {
        if !ENTERED.load(Ordering::SeqCst) {
            return Ok(());
        }
        queue!(self.inner.backend_mut().inner, BeginSynchronizedUpdate)?;
        let links = Rc::clone(&self.links);
        // The links are free again when ratatui writes the cells.
        self.inner.draw(|frame| draw(frame, &mut links.borrow_mut()))?;
        execute!(self.inner.backend_mut().inner, EndSynchronizedUpdate)
    }

    /// Sets the title of the window, if it changes. Consoles without windows may print such a sequence.
    pub(super) fn set_title(&mut self, title: &str) -> io::Result<()> {
        if title == self.title || !has_window() || !ENTERED.load(Ordering::SeqCst) {
            return Ok(());
        }
        title.clone_into(&mut self.title);
        self.write_sequence(&format!("\x1b]2;{}\x07", sanitize(title)))
    }

    /// Size in columns and rows.
    pub(super) fn size(&self) -> io::Result<(u16, u16)> {
        let size = self.inner.size()?;
        Ok((size.width, size.height))
    }

    /// Restores the terminal for an editor or the shell.
    pub(super) fn leave(&mut self) {
        restore();
        self.modes = tcgetattr(io::stdin()).ok();
    }

    /// Enters the terminal again after [`Terminal::leave`]. The next frame is drawn completely.
    pub(super) fn return_to(&mut self) -> io::Result<()> {
        // A program that was killed may have left other modes, which would be taken for the initial ones.
        if let Some(modes) = self.modes.take() {
            let _ = tcsetattr(io::stdin(), OptionalActions::Now, &modes);
        }
        take(self.mouse)?;
        self.title.clear();
        self.clear()
    }

    /// Forgets the content of the screen, so that the next frame is drawn completely. ratatui's own `clear`
    /// asks the terminal where its cursor is, and waits for the answer.
    pub(super) fn clear(&mut self) -> io::Result<()> {
        let size = self.inner.size()?;
        self.inner.resize(ratatui::layout::Rect::new(0, 0, size.width, size.height))
    }

    /// Writes an escape sequence of ours past the frame, such as OSC 52.
    pub(super) fn write_sequence(&mut self, sequence: &str) -> io::Result<()> {
        let out = &mut self.inner.backend_mut().inner;
        out.write_all(sequence.as_bytes())?;
        Write::flush(out)
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        restore();
    }
}

/// Whether the terminal is a window, with a title and colours that can be asked for.
pub(super) fn has_window() -> bool {
    !std::env::var("TERM").is_ok_and(|term| matches!(term.as_str(), "linux" | "dumb" | "vt100"))
}

fn take(mouse: bool) -> io::Result<()> {
    ENTERED.store(true, Ordering::SeqCst);
    terminal::enable_raw_mode()?;
    let mut out = io::stdout();
    if has_window() {
        out.write_all(KEEP_TITLE.as_bytes())?;
    }
    execute!(out, EnterAlternateScreen, EnableBracketedPaste, EnableFocusChange, cursor::Hide)?;
    if mouse {
        execute!(out, EnableMouseCapture)?;
    }
    Ok(())
}

/// Restores the terminal to its initial state. Harmless if the terminal was not entered, so
/// that a panic hook can call it at any time.
pub(super) fn restore() {
    if !ENTERED.swap(false, Ordering::SeqCst) {
        return;
    }
    let mut out = io::stdout();
    if has_window() {
        let _ = out.write_all(RESTORE_TITLE.as_bytes());
    }
    // An error means that the terminal is gone, so nothing is left to restore.
    let _ = execute!(
        out,
        EndSynchronizedUpdate,
        DisableMouseCapture,
        DisableFocusChange,
        DisableBracketedPaste,
        LeaveAlternateScreen,
        cursor::Show
    );
    let _ = terminal::disable_raw_mode();
}

/// Notifies when the terminal is closed, also where SIGHUP is ignored. crossterm reads the end of a closed
/// terminal again and again in the middle of the event loop (`try_read` in its `source/unix/mio.rs`), so an empty
/// pipe takes the terminal's place.
pub(super) fn watch() -> io::Result<Arc<Notify>> {
    let (empty, writer) = pipe_with(PipeFlags::NONBLOCK | PipeFlags::CLOEXEC)?;
    let closed = Arc::new(Notify::new());
    let notify = closed.clone();
    std::thread::Builder::new().name("terminal".into()).spawn(move || {
        let input = io::stdin();
        let ended = PollFlags::HUP | PollFlags::ERR;
        loop {
            let mut polled = [PollFd::new(&input, PollFlags::empty())];
            match poll(&mut polled, None) {
                Ok(_) if polled[0].revents().intersects(ended) => break,
                Err(Errno::INTR) => {}
                // A system that can't poll a terminal relies on the signal.
                _ => return,
            }
        }
        // The writer is kept open: otherwise the pipe would be at its end, too.
        std::mem::forget(writer);
        let _ = rustix::stdio::dup2_stdin(empty);
        notify.notify_one();
    })?;
    Ok(closed)
}

/// Whether the terminal was closed. An error of a read or a write does not tell: crossterm asks `tput` for
/// the size that a closed terminal does not have, and reports the last error of that.
pub(super) fn is_gone() -> bool {
    rustix::termios::tcgetwinsize(io::stdout()).is_err()
}
