//! A project's own template of a DAG file, in Jinja's language, with the variables that kedro-airflow gives to it.

use std::collections::BTreeMap;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::ValueKind;
use minijinja::{Environment, ErrorKind, Value as Jinja, context, escape_formatter};

use super::dag_file::DagFile;
use super::slug::slug;
use crate::project::{Located, Value};
use crate::text::UserError;

/// The text that a template makes.
pub(super) fn render(file: &DagFile<'_>, template: &str) -> Result<String, UserError> {
    let mut jinja = Environment::new();
    jinja.set_syntax(SyntaxConfig::builder().lstrip_blocks(true).build().expect("the usual marks"));
    jinja.set_unknown_method_callback(minijinja_contrib::pycompat::unknown_method_callback);
    jinja.add_filter("slugify", |text: &str| slug(text));
    // A template makes Python, so values that are not texts are written as in Python.
    jinja.set_formatter(|out, state, value| match value.kind() {
        ValueKind::Bool => Ok(out.write_str(if value.is_true() { "True" } else { "False" })?),
        ValueKind::None => Ok(out.write_str("None")?),
        _ => escape_formatter(out, state, value),
    });
    let tasks = file.plan.tasks.iter().map(|task| {
        context! { name => &task.id, type => "nodes", nodes => &task.nodes, dependencies => &task.upstream }
    });
    let nodes = file.plan.tasks.iter().flat_map(|task| &task.nodes);
    let variables = context! {
        dag_name => file.package,
        node_objs => tasks.collect::<Vec<_>>(),
        env => file.env,
        pipeline_name => &file.plan.pipeline,
        package_name => file.package,
        pipeline => context! { nodes => nodes.map(|name| context! { name }).collect::<Vec<_>>() },
        conf_source => file.conf_source.display().to_string(),
        ..settings(file)
    };
    let mut text = jinja.render_named_str("template", template, variables).map_err(told)?;
    if !text.ends_with('\n') {
        text.push('\n');
    }
    Ok(text)
}

fn settings(file: &DagFile<'_>) -> Jinja {
    let settings = file.settings.given.iter();
    Jinja::from(
        settings.map(|(key, located)| (key.clone(), value(located))).collect::<BTreeMap<_, _>>(),
    )
}

fn value(located: &Located) -> Jinja {
    match &located.value {
        Value::Null | Value::Secret(_) | Value::Unknown(_) => Jinja::from(()),
        Value::Bool(on) => Jinja::from(*on),
        Value::Int(number) => Jinja::from(*number),
        Value::Float(number) => Jinja::from(*number),
        Value::BigInt(text) | Value::Str(text) => Jinja::from(text.as_str()),
        Value::List(items) => items.iter().map(value).collect(),
        Value::Map(map) => {
            let items = map.iter().map(|(key, item)| (key.clone(), value(item)));
            Jinja::from(items.collect::<BTreeMap<_, _>>())
        }
    }
}

fn told(error: minijinja::Error) -> UserError {
    let line = error.line().map(|line| format!("line {line}: ")).unwrap_or_default();
    let detail = error.detail().map(|detail| format!(": {detail}")).unwrap_or_default();
    let hint = match error.kind() {
        ErrorKind::TemplateNotFound => {
            "A template is one file: it can't include or extend another one."
        }
        _ => "Templates are in Jinja's language. The variables are those of kedro-airflow.",
    };
    UserError::hinted(
        format!("The template of the DAG file, {line}{}{detail}.", error.kind()),
        hint,
    )
}
