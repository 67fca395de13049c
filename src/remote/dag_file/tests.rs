use std::process::{Command, Stdio};

use super::*;
use crate::project::{Located, Value};

fn task(id: &str, nodes: &[&str], upstream: &[&str]) -> PlannedTask {
    let owned = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
    PlannedTask { id: id.into(), nodes: owned(nodes), upstream: owned(upstream) }
}

fn plan(pipeline: &str) -> Plan {
    let tasks = vec![
        task("split", &["split"], &[]),
        task("odd", &["it's \"odd\"\n'''", "fit\\"], &["split"]),
    ];
    Plan { pipeline: pipeline.into(), tasks }
}

fn file<'a>(plan: &'a Plan, settings: &'a DagSettings) -> DagFile<'a> {
    DagFile {
        plan,
        settings,
        airflow: Airflow::Three,
        package: "harbour_bikes",
        project: Path::new("/srv/it's \"here\""),
        conf_source: Path::new("/srv/conf"),
        env: "local",
        code: Some("abc1234"),
    }
}

#[test]
fn names_follow_pipeline_and_environment() {
    let settings = DagSettings::default();
    let cases = [
        ("__default__", "local", "harbour-bikes", "harbour_bikes_dag.py"),
        ("__default__", "cloud", "harbour-bikes-cloud", "harbour_bikes_cloud_dag.py"),
        ("training", "local", "harbour-bikes-training", "harbour_bikes_training_dag.py"),
        ("../a b", "local", "harbour-bikes-a-b", "harbour_bikes_.._a_b_dag.py"),
    ];
    for (pipeline, env, id, name) in cases {
        let plan = plan(pipeline);
        let file = DagFile { env, ..file(&plan, &settings) };
        assert_eq!((file.id().as_str(), file.name().as_str()), (id, name));
    }
}

#[test]
fn the_file_is_for_a_line_of_airflow() {
    let (plan, settings) = (plan("training"), DagSettings::default());
    let three = file(&plan, &settings);
    insta::assert_snapshot!(three.text().unwrap());
    let two = DagFile { airflow: Airflow::Two, ..three };
    assert_eq!(
        two.text().unwrap(),
        three.text().unwrap().replace("from airflow.sdk import", "from airflow.decorators import")
    );
}

#[test]
fn nodes_are_found_in_the_documentation_of_a_task() {
    for task in plan("x").tasks {
        assert_eq!(nodes_of(&doc(&task)), Some(task.nodes));
    }
    assert_eq!(nodes_of("Kedro nodes: all"), None);
    assert_eq!(nodes_of(""), None);
}

/// A stand-in for Airflow and Kedro that notes what is asked of it.
const STAND_IN: &str = r#"
import json, os, sys, types
seen = {"tasks": {}, "edges": [], "runs": []}
def module(name, **content):
    made = types.ModuleType(name)
    vars(made).update(content)
    sys.modules[name] = made
class Made:
    def __init__(self, task_id): self.task_id = task_id
    def __rshift__(self, other): seen["edges"].append([self.task_id, other.task_id])
functions = {}
def task(task_id, doc_md):
    def wrap(function):
        functions[task_id] = function
        seen["tasks"][task_id] = doc_md
        return lambda: Made(task_id)
    return wrap
def dag(**given):
    seen["dag"] = {key: str(value) for key, value in given.items()}
    return lambda function: function
class Session:
    def __enter__(self): return self
    def __exit__(self, *_): return False
    def run(self, pipeline_name=None, node_names=None):
        seen["runs"].append({"pipeline": pipeline_name, "nodes": node_names})
class NewSession(Session):
    def run(self, pipeline_name=None, pipeline_names=None, node_names=None):
        seen["runs"].append({"pipelines": pipeline_names, "nodes": node_names})
class Old:
    @classmethod
    def create(cls, package_name=None, project_path=None, save_on_close=True, env=None, extra_params=None, conf_source=None):
        seen["old"] = {"path": project_path, "env": env, "params": extra_params, "conf": conf_source}
        return Session()
class New:
    @classmethod
    def create(cls, project_path=None, save_on_close=True, env=None, runtime_params=None, conf_source=None):
        seen["new"] = {"path": project_path, "env": env, "params": runtime_params, "conf": conf_source}
        return NewSession()
class Pipelines:
    def set_requested(self, names): raise RuntimeError("all pipelines are needed")
pipelines = Pipelines()
module("airflow"); module("airflow.sdk", dag=dag, task=task)
module("kedro"); module("kedro.framework")
module("kedro.framework.startup", bootstrap_project=lambda path: seen.update(boot=str(path)))
module("kedro.framework.project", pipelines=pipelines)
module("kedro.framework.session", KedroSession=Old)
os.chdir = lambda path: seen.update(folder=path)
exec(compile(sys.stdin.read(), "dag.py", "exec"), {"__name__": "dag"})
run = types.SimpleNamespace(dag_id="d", run_id="r", conf={"model": {"depth": 3}, "_mlops_tui": {"env": "cloud", "id": "x"}})
functions["odd"](dag_run=run)
seen["tags"] = json.loads(os.environ["MLFLOW_RUN_CONTEXT"])
module("kedro.framework.session", KedroSession=New)
functions["split"](dag_run=types.SimpleNamespace(dag_id="d", run_id="r", conf=None))
pipelines.set_requested(["one"])
print(json.dumps(seen))
"#;

#[test]
fn the_file_runs_nodes_with_any_kedro() {
    let (plan, settings) = (plan("training"), DagSettings::default());
    let text = file(&plan, &settings).text().unwrap();
    let mut python = Command::new("python3")
        .args(["-c", STAND_IN])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    std::io::Write::write_all(&mut python.stdin.take().unwrap(), text.as_bytes()).unwrap();
    let output = python.wait_with_output().unwrap();
    let seen: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let (path, conf) = ("/srv/it's \"here\"", "/srv/conf");
    assert_eq!(seen["boot"], path);
    assert_eq!(seen["folder"], path);
    let old = serde_json::json!({"path": path, "env": "cloud", "params": {"model": {"depth": 3}}, "conf": conf});
    assert_eq!(seen["old"], old);
    let new = serde_json::json!({"path": path, "env": "local", "params": {}, "conf": conf});
    assert_eq!(seen["new"], new);
    let runs = serde_json::json!([
        {"pipeline": "training", "nodes": plan.tasks[1].nodes},
        {"pipelines": ["training"], "nodes": ["split"]},
    ]);
    assert_eq!(seen["runs"], runs);
    let tags =
        serde_json::json!({"airflow.dag_id": "d", "airflow.run_id": "r", "airflow.task_id": "odd"});
    assert_eq!(seen["tags"], tags);
    assert_eq!(seen["edges"], serde_json::json!([["split", "odd"]]));
    let doc = seen["tasks"]["odd"].as_str().unwrap();
    assert_eq!(nodes_of(doc), Some(plan.tasks[1].nodes.clone()));
    assert_eq!(seen["dag"]["dag_id"], "harbour-bikes-training");
    assert!(seen["dag"]["doc_md"].as_str().unwrap().contains("`abc1234`"));
}

#[test]
fn a_template_gets_what_kedro_airflow_gives() {
    let plan = plan("training");
    let settings = DagSettings {
        given: [("catchup", Value::Bool(true)), ("owner", Value::Str("ada".into()))]
            .into_iter()
            .map(|(key, value)| (key.to_owned(), Located { value, origin: None }))
            .collect(),
    };
    let file = file(&plan, &settings);
    let template = "{{ dag_name | safe | slugify | replace('-', '_') }} {{ package_name }} {{ env }} {{ conf_source }}
catchup={{ catchup | default(False) }} wait={{ depends_on_past | default(False) }} {{ owner | default('airflow') }}
datetime({{ start_date | default([2023, 1, 1]) | join(',') }}) {{ schedule | default(schedule_interval | default('@once')) }}
{%- for group in node_objs %}
{{ group.name | slugify }} {{ group.type }} {{ group.nodes | length }} {{ group.dependencies | join(' ') }} {{ loop.last }}
{%- endfor %}
    {% if pipeline_name.startswith('train') %}
{{ pipeline.nodes[0].name }}
    {% endif %}";
    assert_eq!(
        file.rendered(template).unwrap(),
        "harbour_bikes harbour_bikes local /srv/conf\n\
         catchup=True wait=False ada\n\
         datetime(2023,1,1) @once\n\
         split nodes 1  False\n\
         odd nodes 2 split True\n\
         \nsplit\n"
    );
    let error = file.rendered("a\n{{ nothing.at.all }}").unwrap_err();
    assert!(error.text.contains("line 2"), "{error}");
    let error = file.rendered("{% include 'other.j2' %}").unwrap_err();
    assert!(error.line().contains("it can't include"), "{}", error.line());
}
