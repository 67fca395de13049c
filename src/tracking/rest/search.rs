//! Searches for runs, experiments, registered models, model versions and logged models.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashSet};

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value as Json, json};

use super::plan::{Plan, clauses, plan};
use super::transport::{Ask, Failure, Method};
use super::{RestStore, ask, get, shapes};
use crate::tracking::TrackingError;
use crate::tracking::entities::{
    Experiment, LoggedModel, Model, ModelVersion, Results, Run, RunQuery, View,
};
use crate::tracking::filter::{
    Cell, DatasetField, Entity, Expr, Field, Matcher, Order, Searched, compare_by,
};
use crate::tracking::searched::{IS_PROMPT, names_prompts, without_prompts};

/// Runs per page; each takes about 6 kB.
const RUNS: usize = 10_000;
const EXPERIMENTS: usize = 10_000;
/// Servers return no more models per page.
const MODELS: usize = 1_000;
const VERSIONS: usize = 10_000;
const LOGGED_MODELS: usize = 500;

/// A search request.
#[derive(Clone)]
struct Search<'a> {
    entity: Entity,
    method: Method,
    path: &'static str,
    /// The name of the list in the answer.
    list: &'static str,
    page: usize,
    fields: Map<String, Json>,
    filter: &'a Expr,
    orders: &'a [Order],
    now: i64,
    limit: Option<usize>,
}

impl Search<'_> {
    fn ask(&self, asked: &str) -> Ask {
        let mut fields = self.fields.clone();
        fields.insert("filter".to_owned(), asked.into());
        let orders = clauses(self.entity, self.orders).into_iter();
        let orders: Vec<Json> = match self.entity {
            Entity::LoggedModel => orders
                .filter_map(|clause| {
                    let (name, direction) = clause.rsplit_once(' ')?;
                    Some(json!({"field_name": name, "ascending": direction == "ASC"}))
                })
                .collect(),
            _ => orders.map(Json::from).collect(),
        };
        if !orders.is_empty() {
            fields.insert("order_by".to_owned(), orders.into());
        }
        Ask { method: self.method, path: self.path, fields }
    }
}

/// A run whose metric histories are requested from the server if a filter needs them.
struct Held<'a> {
    run: &'a Run,
    store: &'a RestStore,
    /// The first failed request for a history; the result of the filter is unknown then.
    failure: &'a RefCell<Option<Failure>>,
}

impl Searched for Held<'_> {
    fn cell(&self, field: &Field) -> Option<Cell<'_>> {
        self.run.cell(field)
    }

    fn datasets(&self, field: DatasetField) -> Vec<&str> {
        self.run.datasets(field)
    }

    fn history(&self, metric: &str) -> Vec<f64> {
        // A summary can exist only if the metric does.
        if self.run.metric(metric).is_none() || self.failure.borrow().is_some() {
            return Vec::new();
        }
        match self.store.points(&self.run.id, metric) {
            Ok(points) => points.into_iter().map(|point| point.value).collect(),
            Err(failure) => {
                self.failure.replace(Some(failure));
                Vec::new()
            }
        }
    }
}

impl RestStore {
    /// Experiments that match, in MLflow's order.
    ///
    /// # Errors
    /// When the request to the server fails.
    pub fn experiments(
        &self,
        filter: &Expr,
        orders: &[Order],
        view: View,
        now: i64,
    ) -> Result<Results<Experiment>, TrackingError> {
        let search = Search {
            entity: Entity::Experiment,
            method: Method::Post,
            path: "/api/2.0/mlflow/experiments/search",
            list: "experiments",
            page: EXPERIMENTS,
            fields: fields(json!({"view_type": named(view)})),
            filter,
            orders,
            now,
            limit: None,
        };
        self.search::<shapes::OfExperiment, Experiment>(&search, |matcher, experiment| {
            matcher.accepts(experiment)
        })
        .map_err(|failure| self.failed(failure))
    }

    /// Runs that match, in MLflow's order, with their datasets, which the server returns anyway.
    ///
    /// # Errors
    /// When the request to the server fails.
    pub fn search_runs(&self, query: &RunQuery) -> Result<Results<Run>, TrackingError> {
        let experiments = match &query.experiments {
            Some(ids) => ids.clone(),
            None => {
                let all = self.experiments(&Expr::default(), &[], View::All, query.now)?.items;
                all.into_iter().map(|experiment| experiment.id).collect()
            }
        };
        if experiments.is_empty() {
            return Ok(Results::default());
        }
        let found = match any_of(&query.filter, query.now) {
            None => self.runs_of(&experiments, query, &query.filter),
            // A request for each alternative is much less than a request for all runs.
            Some(parts) => self.runs_of_any(&experiments, query, parts),
        };
        found.map_err(|failure| self.failed(failure))
    }

    fn runs_of(
        &self,
        experiments: &[String],
        query: &RunQuery,
        filter: &Expr,
    ) -> Result<Results<Run>, Failure> {
        let search = Search {
            entity: Entity::Run,
            method: Method::Post,
            path: "/api/2.0/mlflow/runs/search",
            list: "runs",
            page: RUNS,
            fields: fields(
                json!({"experiment_ids": experiments, "run_view_type": named(query.view)}),
            ),
            filter,
            orders: &query.order,
            now: query.now,
            limit: query.limit,
        };
        let failure = RefCell::new(None);
        let mut found = self.search::<shapes::OfRun, Run>(&search, |matcher, run| {
            matcher.accepts(&Held { run, store: self, failure: &failure })
        })?;
        if let Some(failure) = failure.into_inner() {
            return Err(failure);
        }
        // The server counts pages from the newest run: a run that starts in the meantime shifts the others,
        // and the last run of a page is repeated.
        let mut seen = HashSet::new();
        found.items.retain(|run| seen.insert(run.id.clone()));
        Ok(found)
    }

    fn runs_of_any(
        &self,
        experiments: &[String],
        query: &RunQuery,
        parts: &[Expr],
    ) -> Result<Results<Run>, Failure> {
        let mut seen = HashSet::new();
        let mut runs = Vec::new();
        let mut truncated = false;
        for part in parts {
            let found = self.runs_of(experiments, query, part)?;
            truncated |= found.truncated;
            runs.extend(found.items.into_iter().filter(|run| seen.insert(run.id.clone())));
        }
        query.sort(&mut runs);
        let found = Results::of(runs, query.limit);
        Ok(Results { truncated: truncated || found.truncated, ..found })
    }

    /// Registered models that match, in MLflow's order; without prompts, unless the filter names their tag.
    ///
    /// # Errors
    /// When the request to the server fails.
    pub fn models(
        &self,
        filter: &Expr,
        orders: &[Order],
        now: i64,
    ) -> Result<Results<Model>, TrackingError> {
        let search = Search {
            entity: Entity::RegisteredModel,
            method: Method::Get,
            path: "/api/2.0/mlflow/registered-models/search",
            list: "registered_models",
            page: MODELS,
            fields: Map::new(),
            filter,
            orders,
            now,
            limit: None,
        };
        let mut found = self
            .search::<shapes::OfModel, Model>(&search, |matcher, model| matcher.accepts(model))
            .map_err(|failure| self.failed(failure))?;
        hide_prompts(&mut found.items, filter);
        Ok(found)
    }

    /// Versions of registered models that match, in MLflow's order; without prompts, unless the filter names
    /// their tag.
    ///
    /// # Errors
    /// When the request to the server fails.
    pub fn versions(
        &self,
        filter: &Expr,
        orders: &[Order],
        now: i64,
    ) -> Result<Results<ModelVersion>, TrackingError> {
        let search = Search {
            entity: Entity::ModelVersion,
            method: Method::Get,
            path: "/api/2.0/mlflow/model-versions/search",
            list: "model_versions",
            page: VERSIONS,
            fields: Map::new(),
            filter,
            orders,
            now,
            limit: None,
        };
        let mut found = self
            .search::<shapes::OfVersion, ModelVersion>(&search, |matcher, version| {
                matcher.accepts(version)
            })
            .map_err(|failure| self.failed(failure))?;
        hide_prompts(&mut found.items, filter);
        self.add_aliases(&mut found.items).map_err(|failure| self.failed(failure))?;
        Ok(found)
    }

    /// Logged models that match, in MLflow's order, of some experiments or of all; empty before MLflow 3.
    ///
    /// # Errors
    /// When the request to the server fails.
    pub fn logged_models(
        &self,
        experiments: Option<&[String]>,
        filter: &Expr,
        orders: &[Order],
        now: i64,
    ) -> Result<Results<LoggedModel>, TrackingError> {
        let experiments = match experiments {
            Some(ids) => ids.to_vec(),
            None => {
                let all = self.experiments(&Expr::default(), &[], View::All, now)?.items;
                all.into_iter().map(|experiment| experiment.id).collect()
            }
        };
        if experiments.is_empty() {
            return Ok(Results::default());
        }
        let search = Search {
            entity: Entity::LoggedModel,
            method: Method::Post,
            path: "/api/2.0/mlflow/logged-models/search",
            list: "models",
            page: LOGGED_MODELS,
            fields: fields(json!({"experiment_ids": experiments})),
            filter,
            orders,
            now,
            limit: None,
        };
        let found = self.search::<shapes::OfLoggedModel, LoggedModel>(&search, |matcher, model| {
            matcher.accepts(model)
        });
        match found {
            Err(Failure::Refused { status: 404, code, .. }) if code.is_empty() => {
                Ok(Results::default())
            }
            found => found.map_err(|failure| self.failed(failure)),
        }
    }

    /// Searches on the server, and evaluates the rest of the filter here. A server that rejects the filter,
    /// or then the order, may have an older language: then everything is evaluated here.
    fn search<S: DeserializeOwned, T: From<S> + Searched>(
        &self,
        search: &Search<'_>,
        accepts: impl Fn(&Matcher, &T) -> bool,
    ) -> Result<Results<T>, Failure> {
        let plan = plan(search.entity, search.filter, search.orders, search.now);
        let is_refused =
            |failure: &Failure| matches!(failure, Failure::Refused { status: 400, .. });
        let mut found = self.planned(search, &plan, &accepts);
        let rest = match search.entity {
            Entity::RegisteredModel | Entity::ModelVersion => without_prompts(search.filter),
            _ => search.filter.clone(),
        };
        let own = Plan { asked: String::new(), rest };
        if !plan.asked.is_empty() && found.as_ref().is_err_and(is_refused) {
            found = self.planned(search, &own, &accepts);
        }
        if !search.orders.is_empty() && found.as_ref().is_err_and(is_refused) {
            let unordered = Search { orders: &[], limit: None, ..search.clone() };
            let mut items = self.planned(&unordered, &own, &accepts)?.items;
            // The sort is stable: ties keep the server's default order.
            items.sort_by(|a, b| compare_by(search.orders, a, b));
            found = Ok(Results::of(items, search.limit));
        }
        found
    }

    fn planned<S: DeserializeOwned, T: From<S>>(
        &self,
        search: &Search<'_>,
        plan: &Plan,
        accepts: &impl Fn(&Matcher, &T) -> bool,
    ) -> Result<Results<T>, Failure> {
        let is_all = plan.rest == Expr::default();
        let matcher = Matcher::new(&plan.rest, search.now);
        // One more than the limit shows whether there are more.
        let wanted = search.limit.map_or(usize::MAX, |limit| limit.saturating_add(1));
        let page = if is_all { search.page.min(wanted) } else { search.page };
        let mut items = Vec::new();
        if wanted > 0 {
            self.pages(&search.ask(&plan.asked), search.list, page, |item: S| {
                let item = T::from(item);
                if is_all || accepts(&matcher, &item) {
                    items.push(item);
                }
                items.len() < wanted
            })?;
        }
        Ok(Results::of(items, search.limit))
    }

    /// Searches return no aliases of versions, so the aliases of their models are requested.
    fn add_aliases(&self, versions: &mut [ModelVersion]) -> Result<(), Failure> {
        #[derive(Deserialize)]
        struct Answer {
            registered_model: shapes::OfModel,
        }
        if versions.is_empty() {
            return Ok(());
        }
        let mut models: BTreeMap<String, Vec<(String, i64)>> = BTreeMap::new();
        let all = ask(Method::Get, "/api/2.0/mlflow/registered-models/search", json!({}));
        self.pages(&all, "registered_models", MODELS, |model: shapes::OfModel| {
            let model = Model::from(model);
            models.insert(model.name, model.aliases);
            true
        })?;
        for version in versions {
            if !models.contains_key(&version.name) {
                // Prompts are not in the list of all models.
                let path = "/api/2.0/mlflow/registered-models/get";
                let answer: Answer = self.read(&get(path, json!({"name": version.name})))?;
                let model = Model::from(answer.registered_model);
                models.insert(version.name.clone(), model.aliases);
            }
            let aliases = models.get(&version.name).into_iter().flatten();
            let own = aliases.filter(|(_, number)| *number == version.version);
            version.aliases = own.map(|(alias, _)| alias.clone()).collect();
        }
        Ok(())
    }
}

fn fields(json: Json) -> Map<String, Json> {
    match json {
        Json::Object(fields) => fields,
        _ => Map::new(),
    }
}

fn named(view: View) -> &'static str {
    match view {
        View::Active => "ACTIVE_ONLY",
        View::Deleted => "DELETED_ONLY",
        View::All => "ALL",
    }
}

/// The alternatives of an `OR`, if each can be evaluated by the server.
fn any_of(filter: &Expr, now: i64) -> Option<&[Expr]> {
    let parts = match filter {
        Expr::Or(parts) => parts,
        Expr::And(all) => match all.as_slice() {
            [Expr::Or(parts)] => parts,
            _ => return None,
        },
        _ => return None,
    };
    let is_asked = |part: &Expr| {
        let plan = plan(Entity::Run, part, &[], now);
        plan.rest == Expr::default() && !plan.asked.is_empty()
    };
    (parts.len() <= 8 && parts.iter().all(is_asked)).then_some(parts)
}

/// Servers with a file store do not filter out prompts.
fn hide_prompts<T: Searched>(found: &mut Vec<T>, filter: &Expr) {
    if !names_prompts(filter) {
        let tag = Field::Tag(IS_PROMPT.to_owned());
        found.retain(|item| item.cell(&tag) != Some(Cell::Text("true")));
    }
}
