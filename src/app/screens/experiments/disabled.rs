//! Why a command of the experiments screen can't act now.

use super::ExperimentsScreen;
use crate::app::command::Command;
use crate::app::shared::Shared;

/// Why a command can't act on the table or on the charts now.
pub(super) fn because(
    screen: &ExperimentsScreen,
    shared: &Shared,
    command: Command,
) -> Option<String> {
    let none = screen.selected(shared).is_none();
    let of_page = matches!(
        command,
        Command::ZoomIn
            | Command::ZoomOut
            | Command::Fit
            | Command::ChartAxis
            | Command::ChartScale
            | Command::Smooth
            | Command::CrosshairLeft
            | Command::CrosshairRight
    );
    let of_both = matches!(command, Command::ColumnLeft | Command::ColumnRight);
    match command {
        _ if of_both => None,
        Command::Zoom if shared.tracked().is_none_or(|overview| overview.runs.is_empty()) => {
            Some("there is no tracked run".into())
        }
        Command::Zoom => None,
        Command::Filter if screen.page.is_some() => None,
        Command::Artifacts if screen.shown(shared).is_some() => None,
        Command::Artifacts if screen.page.is_some() => Some("several runs are shown".into()),
        _ if of_page && screen.page.is_none() => {
            Some("this is for curves; enter shows those of the selected run".into())
        }
        _ if of_page => None,
        Command::CopyValue => screen.copied_value(shared).err().map(str::to_owned),
        Command::Export if screen.page.is_some() => screen.no_chart(),
        _ if screen.page.is_some() => Some("this is for the table; esc goes back to it".into()),
        Command::Fold if screen.nested(shared).is_none() => {
            Some("the run has no nested runs".into())
        }
        Command::Filter if shared.tracked().is_none() => Some("there is no tracked run".into()),
        Command::Mark | Command::Baseline | Command::Export | Command::Artifacts if none => {
            Some("no run is selected".into())
        }
        Command::ChooseView | Command::SaveView if shared.tracked().is_none() => {
            Some("there is no tracked run".into())
        }
        Command::GroupRuns if none => Some("there is no run".into()),
        Command::HideColumn if screen.table.cursor == 0 => {
            Some("the name of the run stays; right goes to the next column".into())
        }
        Command::PinColumn if screen.table.cursor == 0 => Some("the name is always pinned".into()),
        Command::Trend if screen.groups.is_some() => {
            Some("groups have no curves; enter shows those of their runs".into())
        }
        Command::Goal | Command::Trend | Command::FollowMetric
            if screen.table.column().is_none_or(|column| column.metric().is_none()) =>
        {
            Some("this is for columns of metrics; right goes to the next column".into())
        }
        _ => None,
    }
}
