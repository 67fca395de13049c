use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::dag::samples::{any_pipeline, pipeline};
use crate::project::Dataset;

/// A project with one pipeline and datasets with a file.
fn project(pipeline: Pipeline, saved: &[&str]) -> Snapshot {
    let entry = |name: &&str| {
        let dataset = Dataset { type_name: "pandas.CSVDataset".into(), ..Dataset::default() };
        ((*name).to_owned(), dataset)
    };
    let pipeline = Pipeline { complete: true, ..pipeline };
    Snapshot {
        pipelines: vec![pipeline],
        datasets: saved.iter().map(entry).collect(),
        ..Snapshot::default()
    }
}

fn plan(lines: &str, saved: &[&str], grouping: &str) -> Result<Plan, PlanError> {
    Plan::of(&project(pipeline(lines), saved), "demo", &grouping.parse().unwrap())
}

/// Each task as `id = nodes < upstream`.
fn written(plan: &Plan) -> Vec<String> {
    let line = |task: &PlannedTask| {
        let text = format!("{} = {} < {}", task.id, task.nodes.join(" "), task.upstream.join(" "));
        text.trim_end_matches([' ', '<']).to_owned()
    };
    plan.tasks.iter().map(line).collect()
}

#[test]
fn nodes_that_pass_datasets_in_memory_share_a_task() {
    let lines = "raw -> clean -> table
        table -> split -> train test
        train -> fit -> model
        model test -> judge -> score";
    let plan = plan(lines, &["raw", "table", "model"], "memory").unwrap();
    assert_eq!(written(&plan), ["clean = clean", "split-fit-judge = split fit judge < clean"]);
    assert_eq!(plan.task_of("fit").unwrap().id, "split-fit-judge");
    assert_eq!(plan.task_of("nothing"), None);
}

#[test]
fn a_node_between_nodes_that_share_memory_joins_their_task() {
    let lines = "raw -> first -> held file
        file -> between -> other
        held other -> last -> end";
    let plan = plan(lines, &["raw", "file", "other"], "memory").unwrap();
    assert_eq!(written(&plan), ["first-between-last = first between last"]);
}

#[test]
fn transcodings_are_one_dataset() {
    let lines = "raw -> make -> table@pandas
        table@spark -> use -> end";
    let saved = plan(lines, &["table@pandas", "table@spark"], "memory").unwrap();
    assert_eq!(written(&saved), ["make = make", "use = use < make"]);
    let half = plan(lines, &["table@spark"], "memory").unwrap();
    assert_eq!(written(&half), ["make-use = make use"]);
}

#[test]
fn a_dataset_of_type_memory_is_in_memory() {
    let mut project = project(pipeline("raw -> a -> x\nx -> b -> y"), &["x"]);
    let tasks =
        |project: &Snapshot| Plan::of(project, "demo", &Grouping::Memory).unwrap().tasks.len();
    assert_eq!(tasks(&project), 2);
    project.datasets[0].type_name = "kedro.io.MemoryDataset".into();
    assert_eq!(tasks(&project), 1);
}

#[test]
fn namespaces_and_tags_join_further() {
    let lines = "raw -> a.b.one #group.x #fast -> p
        p -> a.two #group.y -> q
        q -> three #group.y #fast -> r";
    let saved = ["raw", "p", "q", "r"];
    let cases = [
        ("node", vec!["a-b-one = a.b.one", "a-two = a.two < a-b-one", "three = three < a-two"]),
        ("namespace", vec!["a = a.b.one a.two", "three = three < a"]),
        ("tag", vec!["group-x = a.b.one", "group-y = a.two three < group-x"]),
    ];
    for (grouping, wanted) in cases {
        assert_eq!(written(&plan(lines, &saved, grouping).unwrap()), wanted, "{grouping}");
    }
    assert_eq!(
        plan(lines, &saved, "tag:fa").unwrap_err().to_string(),
        "With this grouping, tasks would wait for each other in a circle: `a.b.one`, `three` and `a.two`. \
         Group by `memory`, or change the groups."
    );
    let PlanError::Tags { node, tags } = plan(lines, &saved, "tag:").unwrap_err() else { panic!() };
    assert_eq!((node.as_str(), tags), ("a.b.one", vec!["fast".to_owned(), "group.x".to_owned()]));
}

#[test]
fn a_namespace_is_joined_with_what_shares_its_memory() {
    let lines = "raw -> a.one -> p
        p -> two -> q
        q -> a.three -> r";
    let plan = plan(lines, &["raw", "q"], "namespace").unwrap();
    assert_eq!(written(&plan), ["a-two = a.one two a.three"]);
}

#[test]
fn tasks_come_in_the_order_of_the_pipeline() {
    let lines = "raw -> a -> p
        raw -> b -> q
        p -> c -> s
        q -> d -> t
        s -> e -> u";
    let plan = plan(lines, &["raw", "p", "q", "s", "t"], "memory").unwrap();
    let ids: Vec<&str> = plan.tasks.iter().map(|task| task.id.as_str()).collect();
    assert_eq!(ids, ["a", "b", "c", "d", "e"]);
}

#[test]
fn what_is_not_possible_is_refused_with_names() {
    let refused = |lines: &str, saved: &[&str], grouping: &str| {
        plan(lines, saved, grouping).unwrap_err().to_string()
    };
    assert_eq!(
        refused("raw -> a -> x\nx -> b -> y", &["raw"], "node"),
        "These datasets live in memory, and tasks don't share memory: `x` from `a` to `b`. \
         Group by `memory`, or add them to the catalog."
    );
    assert_eq!(
        refused("raw -> a.b -> x\nraw -> a_b -> y", &["raw"], "memory"),
        "`a.b` and `a_b` would both be task `a-b`. Rename one of them."
    );
    assert_eq!(
        refused("raw -> a.b -> x\nraw -> a -> y", &["raw"], "namespace"),
        "`a.b` and `a` would both be task `a`. Rename one of them."
    );
    assert_eq!(
        refused("x -> a -> y\ny -> b -> x", &["x", "y"], "memory"),
        "These nodes depend on each other in a circle: `a`, `b`."
    );
    assert_eq!(
        refused("raw -> ;; -> x", &["raw"], "memory"),
        "No task can be named after `;;`: an id needs letters or digits."
    );
    let mut project = project(pipeline("raw -> a -> x"), &[]);
    let error = |project: &Snapshot, name: &str| {
        Plan::of(project, name, &Grouping::Memory).unwrap_err().to_string()
    };
    assert_eq!(error(&project, "dema"), "There is no pipeline `dema`. Did you mean `demo`?");
    project.pipelines[0].complete = false;
    assert!(error(&project, "demo").starts_with("A part of pipeline `demo` could not be read"));
    project.pipelines[0] = Pipeline { complete: true, name: "demo".into(), ..Pipeline::default() };
    assert_eq!(error(&project, "demo"), "Pipeline `demo` has no nodes.");
    assert!("tags".parse::<Grouping>().is_err());
}

/// Any pipeline without circles, and which of its datasets are saved.
fn any_project() -> impl Strategy<Value = Snapshot> {
    (any_pipeline(), proptest::collection::vec(any::<bool>(), 40)).prop_map(|(pipeline, saved)| {
        // A node may only read what an earlier one has written.
        let mut made: Vec<String> = Vec::new();
        let nodes = pipeline.nodes.iter().map(|node| {
            let mut node = (**node).clone();
            let later = |name: &String| name.starts_with('x') && !made.contains(name);
            node.inputs.retain(|name| !later(name));
            made.extend(node.outputs.clone());
            Arc::new(node)
        });
        let nodes = nodes.collect();
        let saved: Vec<String> =
            (0..40).filter(|at| saved[*at]).map(|at| format!("x{at}")).collect();
        let saved: Vec<&str> = saved.iter().map(String::as_str).collect();
        project(Pipeline { nodes, ..pipeline }, &saved)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_plan_runs_each_node_once_and_in_order(
        project in any_project(),
        grouping in prop_oneof![Just("memory"), Just("node"), Just("namespace"), Just("tag:t")],
    ) {
        let pipeline = &project.pipelines[0];
        let plan = match Plan::of(&project, "demo", &grouping.parse().unwrap()) {
            Ok(plan) => plan,
            Err(PlanError::GroupCircle(_)) if grouping.starts_with(['t', 'n']) => return Ok(()),
            Err(PlanError::Lost(_)) if grouping == "node" => return Ok(()),
            Err(error) => return Err(TestCaseError::fail(error.to_string())),
        };
        let order: Vec<&str> = pipeline.nodes.iter().map(|node| node.name.as_str()).collect();
        let mut planned: Vec<&str> = Vec::new();
        for (at, task) in plan.tasks.iter().enumerate() {
            let places: Vec<_> =
                task.nodes.iter().map(|name| order.iter().position(|one| one == name)).collect();
            prop_assert!(places.is_sorted());
            prop_assert!(task.upstream.iter().all(|id| plan.tasks[..at].iter().any(|task| task.id == *id)));
            planned.extend(task.nodes.iter().map(String::as_str));
        }
        planned.sort_unstable();
        let mut all = order.clone();
        all.sort_unstable();
        prop_assert_eq!(planned, all);
        // A task waits for exactly those tasks that make what it reads, and nothing in memory is between them.
        let mut wanted: Vec<(String, String)> = Vec::new();
        for edge in passed(&project, pipeline) {
            let [from, to] = [edge.from, edge.to].map(|at| plan.task_of(order[at]).unwrap());
            if from != to {
                prop_assert!(!edge.in_memory, "{} is lost", edge.dataset);
                wanted.push((from.id.clone(), to.id.clone()));
            }
        }
        wanted.sort();
        wanted.dedup();
        let mut found: Vec<(String, String)> = plan.tasks.iter()
            .flat_map(|task| task.upstream.iter().map(|id| (id.clone(), task.id.clone())))
            .collect();
        found.sort();
        prop_assert_eq!(found, wanted);
    }

    #[test]
    fn nodes_share_a_task_only_when_they_have_to(project in any_project()) {
        let plan = Plan::of(&project, "demo", &Grouping::Memory).unwrap();
        let nodes = &project.pipelines[0].nodes;
        let count = nodes.len();
        // Whether one node leads to another when memory leads both ways, by repeated widening.
        let mut leads = vec![vec![false; count]; count];
        for edge in passed(&project, &project.pipelines[0]) {
            leads[edge.from][edge.to] = true;
            leads[edge.to][edge.from] |= edge.in_memory;
        }
        for through in 0..count {
            for from in 0..count {
                for to in 0..count {
                    leads[from][to] |= leads[from][through] && leads[through][to];
                }
            }
        }
        for from in 0..count {
            for to in (0..count).filter(|to| *to != from) {
                let together = plan.task_of(&nodes[from].name) == plan.task_of(&nodes[to].name);
                prop_assert_eq!(together, leads[from][to] && leads[to][from]);
            }
        }
    }
}

#[test]
fn tasks_of_others_are_matched_by_their_names() {
    let lines = "raw -> clean -> table
        table -> split_days -> train test
        train test -> fit -> model";
    let snapshot = project(pipeline(lines), &["raw", "table"]);
    // The second is named as Airflow's own tutorials name tasks, and the last one is no node.
    let tasks = ["split-days-fit", "split_days", "clean", "notify"];
    let found = nodes_by_name(&snapshot, "demo", tasks.into_iter());
    let nodes = |task: &str| found.get(task).map(|names| names.join(" "));
    assert_eq!(nodes("split-days-fit").as_deref(), Some("split_days fit"));
    assert_eq!(nodes("split_days").as_deref(), Some("split_days"));
    assert_eq!(nodes("clean").as_deref(), Some("clean"));
    assert_eq!(nodes("notify"), None);
}
