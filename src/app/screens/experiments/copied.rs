//! What is copied as a value: the cell of the table, or what the crosshair shows, with all digits.

use super::ExperimentsScreen;
use super::export::value;
use crate::app::chart::Track;
use crate::app::shared::Shared;
use crate::text::csv::exact;
use crate::text::sanitize;

impl ExperimentsScreen {
    /// The value under the cursor of the table, or of the selected chart at the crosshair. Several runs have a line each,
    /// with the name of the run and a tab before the value.
    ///
    /// # Errors
    /// If there is no value.
    pub fn copied_value(&self, shared: &Shared) -> Result<String, &'static str> {
        if self.page.is_some() {
            return self.at_crosshair(shared);
        }
        let cell = self.source(shared).zip(self.selected(shared)).zip(self.table.column());
        let ((source, run), column) = cell.ok_or("no run is selected")?;
        let text = value(&source, column, run);
        if text.is_empty() { Err("the cell is empty") } else { Ok(text) }
    }

    fn at_crosshair(&self, shared: &Shared) -> Result<String, &'static str> {
        let page = self.page.as_ref().ok_or("there is no chart")?;
        let key = page.charts.get(page.selected).ok_or("there is no chart")?;
        let x = page.view.crosshair.ok_or("there is no crosshair; , and . move it")?;
        let runs = self.page_runs(shared);
        let values = runs.iter().filter_map(|(name, run)| {
            let points = self.curves.get(&run.id, key)?;
            let value = Track::of(points, page.view.axis).nearest(x)?.value;
            Some((sanitize(name), exact(value)))
        });
        let values: Vec<(String, String)> = values.collect();
        match values.as_slice() {
            [] => Err("no value is there"),
            [(_, value)] if runs.len() == 1 => Ok(value.clone()),
            values => {
                let lines = values.iter().map(|(name, value)| format!("{name}\t{value}"));
                Ok(lines.collect::<Vec<_>>().join("\n"))
            }
        }
    }
}
