//! Runs of several stores, named as `RUN` or `STORE:RUN`.

use std::collections::HashMap;

use color_eyre::eyre::Result;

use super::search::experiments;
use super::{Opened, PlaceArguments};
use crate::tracking::entities::{Point, Run, View};
use crate::tracking::filter::Expr;
use crate::tracking::reference::find_run;

/// Runs in the order in which they were asked for, with their stores.
pub(super) struct Found {
    stores: Vec<Named>,
    pub runs: Vec<Run>,
    /// For each run the index of its store.
    of: Vec<usize>,
}

/// An open store.
struct Named {
    /// `None` is the store that is read without a name.
    name: Option<String>,
    opened: Opened,
    /// The ids of its active experiments.
    active: Vec<String>,
}

impl Found {
    /// Finds runs. A store is opened when the first of its runs is looked for.
    pub fn new(place: &PlaceArguments, references: &[String]) -> Result<Self> {
        let known = place.named()?;
        let mut found = Found { stores: Vec::new(), runs: Vec::new(), of: Vec::new() };
        for reference in references {
            let (name, run) = match reference.split_once(':') {
                Some((name, run)) if name == "project" || known.contains(name) => (Some(name), run),
                _ => (None, reference.as_str()),
            };
            let at = found.open(place, name)?;
            let Named { opened, active, .. } = &found.stores[at];
            let run = find_run(&opened.store, run, Some(active))?;
            found.runs.push(run);
            found.of.push(at);
        }
        Ok(found)
    }

    /// The index of a store, which is opened if it is not yet.
    fn open(&mut self, place: &PlaceArguments, name: Option<&str>) -> Result<usize> {
        if let Some(at) = self.stores.iter().position(|store| store.name.as_deref() == name) {
            return Ok(at);
        }
        let opened = match name {
            Some(name) => place.open_named(name)?,
            None => place.open()?,
        };
        let active = experiments(&opened, &[])?;
        self.stores.push(Named { name: name.map(str::to_owned), opened, active });
        Ok(self.stores.len() - 1)
    }

    /// The stores in words; the one without a name by `unnamed`.
    pub fn source(&self, unnamed: impl Fn() -> Result<String>) -> Result<String> {
        let names = self.stores.iter().map(|store| store.name.clone().map_or_else(&unnamed, Ok));
        Ok(names.collect::<Result<Vec<String>>>()?.join(", "))
    }

    /// The names of the experiments by id. Stores give the same ids to different experiments, so those of named stores,
    /// also in the runs, are preceded by the name of the store.
    pub fn name_experiments(&mut self) -> Result<HashMap<String, String>> {
        let within = |name: &Option<String>, id: &str| match name {
            Some(name) => format!("{name}:{id}"),
            None => id.to_owned(),
        };
        let mut names = HashMap::new();
        for Named { name, opened, .. } in &self.stores {
            let all = opened.store.experiments(&Expr::default(), &[], View::All, opened.now)?.items;
            let all = all.iter().map(|one| (within(name, &one.id), within(name, &one.name)));
            names.extend(all);
        }
        for (run, at) in self.runs.iter_mut().zip(&self.of) {
            run.experiment_id = within(&self.stores[*at].name, &run.experiment_id);
        }
        Ok(names)
    }

    /// All values of a metric for the first `count` runs, in their order.
    pub fn histories(&self, count: usize, key: &str) -> Result<Vec<Vec<Point>>> {
        let mut lists = vec![Vec::new(); count.min(self.runs.len())];
        for (at, store) in self.stores.iter().enumerate() {
            let places: Vec<usize> =
                (0..lists.len()).filter(|place| self.of[*place] == at).collect();
            let runs: Vec<Run> = places.iter().map(|place| self.runs[*place].clone()).collect();
            let read = store.opened.store.histories(&runs, key)?;
            places.into_iter().zip(read).for_each(|(place, list)| lists[place] = list);
        }
        Ok(lists)
    }
}
