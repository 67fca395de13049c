//! Writes the hyperlinks of cells (OSC 8) where the cells are written.

use std::cell::RefCell;
use std::io::{self, Write};
use std::rc::Rc;

use ratatui::backend::{Backend, ClearType, CrosstermBackend, WindowSize};
use ratatui::buffer::Cell;
use ratatui::layout::{Position, Size};
use ratatui::style::Color;

use crate::ui::links::Links;

/// ratatui's writer of cells, with links.
pub(super) struct Linking<W: Write> {
    /// The writer without links.
    pub inner: CrosstermBackend<W>,
    links: Rc<RefCell<Links>>,
}

impl<W: Write> Linking<W> {
    pub(super) fn new(out: W, links: Rc<RefCell<Links>>) -> Self {
        Linking { inner: CrosstermBackend::new(out), links }
    }
}

impl<W: Write> Backend for Linking<W> {
    type Error = io::Error;

    /// Each run of cells opens and closes its link, so that nothing that is written later belongs to it. The number of
    /// the link tells the terminal which runs are one link.
    fn draw<'a, I>(&mut self, content: I) -> io::Result<()>
    where
        I: Iterator<Item = (u16, u16, &'a Cell)>,
    {
        let cells: Vec<_> = content.collect();
        let links = self.links.borrow();
        for run in cells.chunk_by(|a, b| a.2.underline_color == b.2.underline_color) {
            let mark = run[0].2.underline_color;
            if mark == Color::Reset {
                self.inner.draw(run.iter().copied())?;
                continue;
            }
            let plain: Vec<Cell> = run
                .iter()
                .map(|(_, _, cell)| {
                    let mut cell = (*cell).clone();
                    cell.underline_color = Color::Reset;
                    cell
                })
                .collect();
            let plain = run.iter().zip(&plain).map(|((x, y, _), cell)| (*x, *y, cell));
            let Some((number, target)) = links.of(mark) else {
                self.inner.draw(plain)?;
                continue;
            };
            write!(self.inner, "\x1b]8;id={number};{target}\x1b\\")?;
            self.inner.draw(plain)?;
            write!(self.inner, "\x1b]8;;\x1b\\")?;
        }
        Ok(())
    }

    fn append_lines(&mut self, count: u16) -> io::Result<()> {
        self.inner.append_lines(count)
    }

    fn hide_cursor(&mut self) -> io::Result<()> {
        self.inner.hide_cursor()
    }

    fn show_cursor(&mut self) -> io::Result<()> {
        self.inner.show_cursor()
    }

    fn get_cursor_position(&mut self) -> io::Result<Position> {
        self.inner.get_cursor_position()
    }

    fn set_cursor_position<P: Into<Position>>(&mut self, position: P) -> io::Result<()> {
        self.inner.set_cursor_position(position)
    }

    fn clear(&mut self) -> io::Result<()> {
        self.inner.clear()
    }

    fn clear_region(&mut self, kind: ClearType) -> io::Result<()> {
        self.inner.clear_region(kind)
    }

    fn size(&self) -> io::Result<Size> {
        self.inner.size()
    }

    fn window_size(&mut self) -> io::Result<WindowSize> {
        self.inner.window_size()
    }

    fn flush(&mut self) -> io::Result<()> {
        Backend::flush(&mut self.inner)
    }
}
