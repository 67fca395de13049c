//! The page of a run or of two runs, which replaces the list, and moving on it.

use strum::VariantArray;

use super::RunsScreen;
use super::comparison::{Section, WIDE, rows};
use crate::app::command::Command;
use crate::app::list::Position;
use crate::app::log_view::LogView;
use crate::app::screens::Screen;
use crate::app::shared::Shared;
use crate::store::{RunId, RunPair};
use crate::text::UserError;

/// Lines over the part of a run's page: the run, and the titles of the parts.
pub const HEAD: u16 = 2;

/// A page in place of the list.
#[derive(Debug)]
pub enum Page {
    /// A run.
    Run(Box<RunPage>),
    /// Two runs beside each other.
    Comparison(ComparisonPage),
}

/// The page of a run.
#[derive(Debug)]
pub struct RunPage {
    /// The run.
    pub id: RunId,
    /// The part that is shown.
    pub part: Part,
    /// The position among the run's nodes.
    pub nodes: Position,
    /// The run's log.
    pub log: LogView,
}

/// A part of a run's page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, VariantArray)]
pub enum Part {
    /// The nodes in time.
    #[default]
    Timeline,
    /// The log.
    Log,
    /// Everything else that is known about the run.
    About,
}

impl Part {
    /// The title of the part.
    pub fn title(self) -> &'static str {
        match self {
            Part::Timeline => "Timeline",
            Part::Log => "Log",
            Part::About => "About",
        }
    }
}

/// The page of two runs.
#[derive(Debug)]
pub struct ComparisonPage {
    /// The runs.
    pub runs: RunPair,
    /// How they differ, or why the comparison failed; `None` until it is known.
    pub compared: Option<Result<Vec<Section>, UserError>>,
    /// The first visible line.
    pub offset: usize,
}

impl RunsScreen {
    /// Lines of the page below its head.
    pub(super) fn body_height(&self, shared: &Shared) -> usize {
        usize::from(self.areas(shared).main.height.saturating_sub(HEAD))
    }

    /// Moves on the page by `by` lines, or sideways. Returns false if the page is a plain list, and if
    /// there is no page.
    pub(super) fn go_on_page(&mut self, shared: &mut Shared, command: Command, by: isize) -> bool {
        let height = self.body_height(shared);
        let wide = self.areas(shared).main.width >= WIDE;
        if self.shown_part() == Some(Part::About) {
            let last = self.details(shared).lines.len().saturating_sub(height);
            shared.side_offset = shared.side_offset.saturating_add_signed(by).min(last);
            return true;
        }
        match &mut self.page {
            Some(Page::Comparison(page)) => {
                let len = match &page.compared {
                    Some(Ok(sections)) => rows(sections, wide).count(),
                    _ => 0,
                };
                let last = len.saturating_sub(height);
                page.offset = page.offset.saturating_add_signed(by).min(last);
            }
            Some(Page::Run(page)) if page.part == Part::Log => match command {
                Command::Left => page.log.scroll_sideways(-1),
                Command::Right => page.log.scroll_sideways(1),
                Command::First => page.log.first(),
                Command::Last => page.log.last(height),
                _ => page.log.scroll(by, height),
            },
            Some(Page::Run(_)) | None => return false,
        }
        true
    }
}
