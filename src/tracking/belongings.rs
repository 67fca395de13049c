//! What a run has read and logged besides its values: the datasets, and the models of MLflow 3.

use super::entities::{DatasetInput, LoggedModel};
use super::filter::{Attribute, Comparator, Compare, Expr, Field, Value};
use super::{Store, TrackingError};

/// What a run has read and logged besides its values.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Belongings {
    /// The datasets that it has read.
    pub datasets: Vec<DatasetInput>,
    /// The models that it has logged with their steps, in the order of the steps.
    pub models: Vec<(i64, LoggedModel)>,
}

impl Belongings {
    /// Reads what belongs to a run. A run that is gone has nothing.
    ///
    /// # Errors
    /// When the store can't be read.
    pub fn read(store: &Store, id: &str) -> Result<Self, TrackingError> {
        let Some(run) = store.run(id)? else { return Ok(Belongings::default()) };
        let of_run = Expr::Compare(Compare {
            field: Field::Attribute(Attribute::RunId),
            comparator: Comparator::Equal,
            value: Value::Text(id.to_owned()),
        });
        let now = jiff::Timestamp::now().as_millisecond();
        let experiment = [run.experiment_id.clone()];
        let found = store.logged_models(Some(&experiment), &of_run, &[], now)?.items;
        let step = |model: &LoggedModel| {
            let output = run.model_outputs.iter().find(|(id, _)| *id == model.id);
            output.map_or(0, |(_, step)| *step)
        };
        let mut models: Vec<_> = found.into_iter().map(|model| (step(&model), model)).collect();
        models.sort_by(|a, b| (a.0, &a.1.id).cmp(&(b.0, &b.1.id)));
        Ok(Belongings { datasets: run.datasets, models })
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::tracking::files::FileStore;

    #[test]
    fn the_models_of_a_run_come_in_the_order_of_their_steps() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("mlruns");
        let write = |path: String, text: &str| {
            let path = root.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write("0/meta.yaml".to_owned(), "experiment_id: '0'\nname: Default\n");
        write("0/own/meta.yaml".to_owned(), "run_id: own\nexperiment_id: '0'\n");
        for (id, run, step) in [("m-a", "own", 20), ("m-b", "own", 3), ("m-c", "other", 1)] {
            let meta = format!(
                "model_id: {id}\nexperiment_id: '0'\nname: of {id}\nsource_run_id: {run}\n"
            );
            write(format!("0/models/{id}/meta.yaml"), &meta);
            let output = format!("destination_id: {id}\nstep: {step}\n");
            write(format!("0/own/outputs/{id}/meta.yaml"), &output);
        }
        let store = Store::Files(FileStore::new(&root));
        let found = Belongings::read(&store, "own").unwrap();
        let models: Vec<_> =
            found.models.iter().map(|(step, model)| (*step, model.name.as_str())).collect();
        assert_eq!(models, [(3, "of m-b"), (20, "of m-a")]);
        assert_eq!(Belongings::read(&store, "gone").unwrap(), Belongings::default());
    }
}
