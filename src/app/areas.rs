//! Where the parts of the screen lie. Drawing and the mouse both use these areas.

use ratatui::layout::{Rect, Size};

use super::tab::Tab;

/// The panes of a screen, which take the focus in turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Pane {
    /// The graph, or a screen's list.
    #[default]
    Main,
    /// The details of the selection.
    Side,
    /// The log.
    Log,
}

/// Pane sizes that the user can change by dragging a border.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Panes {
    /// Width of the side pane in hundredths of the screen.
    pub side: u16,
    /// Height of the log in rows.
    pub log: u16,
    /// Whether the pane that has the focus takes the room of the others.
    pub maximised: bool,
    /// The border that the mouse is dragging.
    pub dragging: Option<Drag>,
}

impl Default for Panes {
    fn default() -> Self {
        Panes { side: 38, log: 6, maximised: false, dragging: None }
    }
}

impl Panes {
    /// The smallest and the largest width of the side pane, in hundredths of the screen.
    const SIDE: [u16; 2] = [15, 85];
    /// The smallest height of the log in rows.
    const LOG: u16 = 2;
    /// How much a key changes the side pane's width, in hundredths of the screen.
    const STEP: u16 = 4;

    /// Sets the width of the side pane, in hundredths of the screen.
    pub fn set_side(&mut self, side: u16) {
        self.side = side.clamp(Self::SIDE[0], Self::SIDE[1]);
    }

    /// Sets the height of the log in rows.
    pub fn set_log(&mut self, log: u16) {
        self.log = log.max(Self::LOG);
    }

    /// Makes a pane larger or smaller by a step.
    pub fn resize(&mut self, pane: Pane, larger: bool) {
        match (pane, larger) {
            (Pane::Side, true) | (Pane::Main, false) => self.set_side(self.side + Self::STEP),
            (Pane::Side, false) | (Pane::Main, true) => {
                self.set_side(self.side.saturating_sub(Self::STEP));
            }
            (Pane::Log, true) => self.set_log(self.log + 1),
            (Pane::Log, false) => self.set_log(self.log - 1),
        }
    }
}

/// A border that can be dragged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Drag {
    /// The border between the main and the side pane.
    Side,
    /// The border above the log.
    Log,
}

/// The smallest terminal, in columns and rows, on which everything is reachable.
pub const SMALLEST: Size = Size::new(60, 15);

/// Rows of the main pane beside a maximised log.
const MAIN_BESIDE_LOG: u16 = 3;

/// Columns from which the graph and the details have room beside each other.
pub const ROOM_FOR_DETAILS: u16 = 100;

/// The parts of the screen. A part that is not shown has a width or height of 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Areas {
    /// The first line: project, pipeline, environment, and how the project was read.
    pub header: Rect,
    /// The line of tabs.
    pub tabs: Rect,
    /// The rule over the main and the side pane, with their titles.
    pub rule: Rect,
    /// The graph, or a screen's list.
    pub main: Rect,
    /// The border between the main and the side pane.
    pub border: Rect,
    /// The details of what is selected.
    pub side: Rect,
    /// The rule over the log, with the run's state.
    pub log_rule: Rect,
    /// The log of a run.
    pub log: Rect,
    /// The last line: keys, messages.
    pub bar: Rect,
}

impl Areas {
    /// The areas of a terminal of `size` columns and rows. With `log` the log is shown, and with
    /// `full_width` the main pane takes the whole width.
    pub fn of(size: Size, panes: &Panes, log: bool, full_width: bool) -> Areas {
        let Size { width, height } = size;
        let row = |y: u16, height: u16| Rect { x: 0, y, width, height };
        let body = height.saturating_sub(4);
        let log = match log {
            // The graph keeps at least half of the height.
            true => panes.log.clamp(2, (body / 2).max(2)) + 1,
            false => 0,
        };
        let upper = body.saturating_sub(log);
        let side = (u32::from(width) * u32::from(panes.side) / 100) as u16;
        let side = side.clamp(20, width.saturating_sub(21).max(20));
        let (main, side) = match full_width {
            true => (width, 0),
            false => (width.saturating_sub(side + 1), side),
        };
        let column = |x: u16, width: u16| Rect { x, y: 3, width, height: upper };
        Areas {
            header: row(0, 1),
            tabs: row(1, 1),
            rule: row(2, 1),
            main: column(0, main),
            border: column(main, u16::from(side > 0)),
            side: column(main + u16::from(side > 0), side),
            log_rule: row(3 + upper, u16::from(log > 0)),
            log: row(4 + upper, log.saturating_sub(1)),
            bar: row(height.saturating_sub(1), 1),
        }
    }

    /// The same areas with one pane in the room of the others. The log leaves a few rows to the main pane.
    #[must_use]
    pub fn maximise(self, pane: Pane) -> Areas {
        let body = Rect { height: self.bar.y.saturating_sub(self.main.y), ..self.main };
        let whole = Rect { width: self.rule.width, ..body };
        let none = Rect::default();
        match pane {
            Pane::Main => {
                Areas { main: whole, border: none, side: none, log_rule: none, log: none, ..self }
            }
            Pane::Side => {
                let main = Rect { width: 0, ..whole };
                Areas { main, border: none, side: whole, log_rule: none, log: none, ..self }
            }
            Pane::Log => {
                let main = Rect { height: whole.height.min(MAIN_BESIDE_LOG), ..self.main };
                let log_rule = Rect { y: main.bottom(), height: 1, ..whole };
                let height = whole.bottom().saturating_sub(log_rule.bottom());
                let log = Rect { y: log_rule.bottom(), height, ..whole };
                let [border, side] =
                    [self.border, self.side].map(|area| Rect { height: main.height, ..area });
                Areas { main, border, side, log_rule, log, ..self }
            }
        }
    }

    /// The area of one pane.
    pub fn pane(&self, pane: Pane) -> Rect {
        match pane {
            Pane::Main => self.main,
            Pane::Side => self.side,
            Pane::Log => self.log,
        }
    }
}

/// A tab's title on the tab line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TabTitle {
    /// The tab.
    pub tab: Tab,
    /// First column: that of the tab's number.
    pub x: u16,
    /// Columns of number and title.
    pub width: u16,
    /// The title; the short one on a narrow terminal.
    pub title: &'static str,
}

/// The positions of the titles on a tab line of `width` columns: with the widest spacing that fits, else with short
/// titles.
pub fn tab_titles(width: u16) -> Vec<TabTitle> {
    let titles = |short: bool| {
        let title = move |tab: &Tab| if short { tab.short_title() } else { tab.title() };
        Tab::ALL.iter().map(move |tab| (*tab, title(tab)))
    };
    // A title is preceded by its number and a blank; the narrowest form leaves the blank out.
    let needed = |gap: usize| titles(false).map(|(_, title)| title.len() + 2 + gap).sum::<usize>();
    let room = usize::from(width);
    let (short, gap) = match () {
        () if needed(2) <= room => (false, 2),
        () if needed(1) <= room => (false, 1),
        () => (true, 0),
    };
    let mut x = u16::from(gap > 0);
    titles(short)
        .map(|(tab, title)| {
            let cells = title.len() as u16 + 1 + u16::from(gap > 0);
            let tab_title = TabTitle { tab, x, width: cells, title };
            x += cells + gap.max(1);
            tab_title
        })
        .collect()
}

/// The area of a toast with `lines` lines of at most `width` cells: in the upper right corner, below the tabs.
pub fn toast(size: Size, width: u16, lines: u16) -> Rect {
    let (width, height) = ((width + 4).min(size.width.saturating_sub(2)), lines + 2);
    Rect { x: size.width - width - 1, y: 3, width, height }
}

/// The area of a dialog that wants `width` x `height` cells, its border included.
pub fn dialog(size: Size, width: u16, height: u16) -> Rect {
    let width = width.min(size.width.saturating_sub(2));
    let height = height.min(size.height.saturating_sub(2));
    Rect { x: (size.width - width) / 2, y: (size.height - height) / 3, width, height }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_maximised_pane_fills_the_room_above_the_bar() {
        for log in [false, true] {
            let areas = Areas::of(Size::new(100, 30), &Panes::default(), log, false);
            for pane in [Pane::Main, Pane::Side] {
                let area = areas.maximise(pane).pane(pane);
                assert_eq!(area, Rect::new(0, 3, 100, 26), "{pane:?} {log}");
                assert_eq!(area.bottom(), areas.bar.y);
            }
        }
    }
}
