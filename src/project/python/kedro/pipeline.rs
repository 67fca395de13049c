//! Pipelines: `kedro.pipeline.Pipeline`, its constructor and operators.

use std::cell::OnceCell;
use std::collections::BTreeSet;
use std::rc::Rc;

use ruff_python_ast::Operator;

use super::super::call::Args;
use super::super::interp::{Eval, Interp};
use super::super::source::At;
use super::super::value::{Unknown, Value};
use super::namespace::Renaming;
use super::{IdMap, KedroNode, order};

/// A pipeline of evaluated nodes, possibly incomplete.
pub(in super::super) struct KedroPipeline<'a> {
    /// `Pipeline._nodes`: in order of creation.
    pub nodes: Rc<[Rc<KedroNode<'a>>]>,
    /// Why nodes may be missing.
    pub incomplete: Option<Rc<Unknown>>,
    pub at: At<'a>,
    groups: OnceCell<Vec<Vec<Rc<KedroNode<'a>>>>>,
}

/// Nodes, and the reason why there may be more.
type Members<'a> = (Vec<Rc<KedroNode<'a>>>, Option<Rc<Unknown>>);

const KEYWORDS: [&str; 7] = [
    "nodes",
    "inputs",
    "outputs",
    "parameters",
    "tags",
    "namespace",
    "prefix_datasets_with_namespace",
];

impl<'a> Interp<'a> {
    /// `pipeline(nodes, inputs=..., ...)`, `Pipeline(...)`.
    pub(super) fn make_pipeline(&mut self, args: &Args<'a>, at: At<'a>) -> Eval<'a> {
        // Before Kedro 1, `pipe` was the first parameter of `pipeline`.
        let first = args.positional.first().cloned();
        let nodes = first.or_else(|| args.named("nodes")).or_else(|| args.named("pipe"));
        let Some(nodes) = nodes else {
            return match &args.open {
                Some(why) => Ok(Value::Unknown(why.clone())),
                None => self.raise(
                    at,
                    "TypeError",
                    "a pipeline needs its nodes",
                    "Give a list of nodes and pipelines.",
                ),
            };
        };
        if let Some(unexpected) = args.unexpected(&KEYWORDS).filter(|name| *name != "pipe") {
            let text = format!("a pipeline does not take `{unexpected}`");
            self.kedro_error(at, text, "Remove it, or correct its spelling.");
        }
        let (members, mut incomplete) = self.members(&nodes, at)?;
        if args.written.is_some() && at.source.broken_call(at.range) {
            let why = Self::error_at(at, "the call is not finished");
            incomplete = incomplete.or(Some(why));
        }
        incomplete = incomplete.or_else(|| args.open.clone());
        let mut nodes = self.check_pipeline(members, at);
        let renaming = self.read_renaming(args, at)?;
        if let Some(renaming) = renaming {
            let missing = renaming.missing.clone();
            nodes = self.rename_nodes(&nodes, &renaming, incomplete.is_some(), at);
            if let Some(why) = missing {
                self.report_missing("How this pipeline renames its datasets", &why);
                incomplete = incomplete.or(Some(why));
            }
            nodes = self.check_pipeline(nodes, at);
        }
        let tags = self.read_names(args.named("tags"), at)?;
        if let Some(why) = &tags.missing {
            self.report_missing("A tag of this pipeline's nodes", why);
            incomplete = incomplete.or_else(|| Some(why.clone()));
        }
        if !tags.names.is_empty() {
            nodes = self.all_tagged(&nodes, &tags.names)?;
        }
        let pipeline = self.pipeline(nodes, incomplete, at);
        if let Value::Pipeline(pipeline) = &pipeline {
            self.groups(pipeline);
        }
        Ok(pipeline)
    }

    /// The nodes in a list of nodes and pipelines, and the reason why there may be more.
    fn members(&mut self, value: &Value<'a>, at: At<'a>) -> Result<Members<'a>, super::Stop<'a>> {
        let (items, mut missing) = match value {
            Value::Pipeline(_) => (vec![value.clone()], None),
            Value::Node(_) => {
                self.kedro_error(
                    at,
                    "a pipeline takes a list of nodes, this is a single node",
                    "Put it into brackets.",
                );
                (vec![value.clone()], None)
            }
            Value::None => {
                self.kedro_error(
                    at,
                    "the nodes of this pipeline are `None`",
                    "Check whether a function forgets to return them.",
                );
                (Vec::new(), None)
            }
            _ => self.items(value, at)?,
        };
        if let Some(why) = &missing {
            self.report_missing("A part of a pipeline", why);
        }
        let mut nodes = Vec::with_capacity(items.len());
        for item in items {
            match item {
                Value::Node(node) => {
                    missing = missing.or_else(|| node.parts.incomplete.clone());
                    nodes.push(node);
                }
                Value::Pipeline(pipeline) => {
                    missing = missing.or_else(|| pipeline.incomplete.clone());
                    self.room(2 * pipeline.nodes.len())?;
                    nodes.extend(self.sorted(&pipeline));
                }
                Value::Unknown(_) | Value::External(_) | Value::Instance(_) => {
                    let why = self.why(&item, at);
                    self.report_missing("A part of a pipeline", &why);
                    missing = missing.or(Some(why));
                }
                other => {
                    let text = format!(
                        "a pipeline consists of nodes and pipelines, but here is a `{}`",
                        other.type_name()
                    );
                    let remedy = match other {
                        Value::List(_) => "Put a `*` before the list.",
                        _ => "Give nodes and pipelines only.",
                    };
                    self.kedro_error(at, text, remedy);
                    missing = missing.or_else(|| {
                        Some(Self::error_at(at, "it is neither a node nor a pipeline"))
                    });
                }
            }
        }
        self.elements(4 * nodes.len())?;
        Ok((nodes, missing))
    }

    /// A pipeline of `nodes`, without checks.
    pub(super) fn pipeline(
        &mut self,
        nodes: Vec<Rc<KedroNode<'a>>>,
        incomplete: Option<Rc<Unknown>>,
        at: At<'a>,
    ) -> Value<'a> {
        let pipeline =
            KedroPipeline { nodes: nodes.into(), incomplete, at, groups: OnceCell::new() };
        self.keep(Value::Pipeline(Rc::new(pipeline)))
    }

    /// `Pipeline.grouped_nodes`. Nodes on a cycle come last, and the cycle is listed as an error.
    pub(super) fn groups<'p>(
        &mut self,
        pipeline: &'p KedroPipeline<'a>,
    ) -> &'p [Vec<Rc<KedroNode<'a>>>] {
        if let Some(groups) = pipeline.groups.get() {
            return groups;
        }
        // If the budget does not cover a pipeline, the pipeline stays unsorted, because the
        // evaluation stops here.
        if self.pay_for_edges(&pipeline.nodes).is_err() {
            return pipeline.groups.get_or_init(|| vec![pipeline.nodes.to_vec()]);
        }
        let order = order::order(&pipeline.nodes);
        let mut groups = order.groups;
        if !order.circular.is_empty() {
            const SHOWN: usize = 8;
            let names: Vec<_> =
                order.circular.iter().take(SHOWN).map(|node| format!("`{}`", node.name)).collect();
            let more = order.circular.len().saturating_sub(SHOWN);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            let text =
                format!("nodes depend on each other in a circle: {}{more}", names.join(", "));
            let at = order.circular[0].parts.at;
            self.kedro_error(at, text, "Rename an input or output so that the circle opens.");
            groups.push(order.circular);
        }
        pipeline.groups.get_or_init(|| groups)
    }

    /// Charges the cost of visiting all nodes and the edges between them.
    pub(super) fn pay_for_edges(&self, nodes: &[Rc<KedroNode<'a>>]) -> Result<(), super::Stop<'a>> {
        self.elements(8 * nodes.len())?;
        let names = nodes.iter().map(|node| node.inputs.len() + node.outputs.len());
        self.elements(names.sum::<usize>().saturating_mul(2))?;
        self.bytes(order::edges(nodes).saturating_mul(8))
    }

    /// `Pipeline.nodes`: in topological order.
    pub(super) fn sorted(&mut self, pipeline: &KedroPipeline<'a>) -> Vec<Rc<KedroNode<'a>>> {
        self.groups(pipeline).concat()
    }

    /// A pipeline of the known nodes that is marked as having unknown ones too.
    pub(in super::super) fn pipeline_with_more(
        &mut self,
        pipeline: &KedroPipeline<'a>,
        why: &Rc<Unknown>,
    ) -> Value<'a> {
        self.report_missing("A part of a pipeline", why);
        let incomplete = pipeline.incomplete.clone().or_else(|| Some(why.clone()));
        self.pipeline(pipeline.nodes.to_vec(), incomplete, pipeline.at)
    }

    /// `+`, `-`, `&` and `|` of pipelines; `0 + pipeline` makes `sum` work.
    pub(in super::super) fn combine(
        &mut self,
        left: &Value<'a>,
        op: Operator,
        right: &Value<'a>,
        at: At<'a>,
    ) -> Eval<'a> {
        let (a, b) = match (left, right) {
            (Value::Pipeline(a), Value::Pipeline(b)) => (a, b),
            (Value::Int(0), Value::Pipeline(_)) if op == Operator::Add => return Ok(right.clone()),
            _ => {
                let other = if matches!(left, Value::Pipeline(_)) { right } else { left };
                let text = format!("a pipeline can't be combined with a `{}`", other.type_name());
                return self.raise(at, "TypeError", text, "Combine pipelines with pipelines.");
            }
        };
        let incomplete = a.incomplete.clone().or_else(|| b.incomplete.clone());
        self.room(2 * (a.nodes.len() + b.nodes.len()))?;
        let nodes = match op {
            Operator::Add | Operator::BitOr => {
                let all = a.nodes.iter().chain(b.nodes.iter());
                distinct(all)
            }
            Operator::Sub => {
                let others: BTreeSet<u32> = b.nodes.iter().map(|node| node.key).collect();
                a.nodes.iter().filter(|node| !others.contains(&node.key)).cloned().collect()
            }
            Operator::BitAnd => {
                // Python iterates over the smaller set, or over the right one if they have equal
                // size.
                let (from, to) = if b.nodes.len() > a.nodes.len() { (a, b) } else { (b, a) };
                let others: BTreeSet<u32> = to.nodes.iter().map(|node| node.key).collect();
                from.nodes.iter().filter(|node| others.contains(&node.key)).cloned().collect()
            }
            _ => {
                let text = format!("pipelines have no `{}`", op.as_str());
                return self.raise(at, "TypeError", text, "Use `+`, `-`, `&` or `|`.");
            }
        };
        let nodes = self.check_pipeline(nodes, at);
        Ok(self.pipeline(nodes, incomplete, at))
    }

    /// `sum(pipelines)`, checked once at the end: the same result as repeated `+`, but much faster.
    pub(in super::super) fn sum_of_pipelines(
        &mut self,
        items: &[Value<'a>],
        start: Option<&Value<'a>>,
        open: Option<&Rc<Unknown>>,
        at: At<'a>,
    ) -> Option<Value<'a>> {
        let mut pipelines = Vec::with_capacity(items.len());
        let mut incomplete = open.cloned();
        match start {
            None | Some(Value::Int(0)) => {}
            Some(Value::Pipeline(pipeline)) => pipelines.push(pipeline.clone()),
            Some(_) => return None,
        }
        for item in items {
            match item {
                Value::Pipeline(pipeline) => pipelines.push(pipeline.clone()),
                Value::Unknown(why) => drop(incomplete.get_or_insert_with(|| why.clone())),
                _ => return None,
            }
        }
        if pipelines.is_empty() {
            return None;
        }
        if let Some(why) = &incomplete {
            self.report_missing("A part of a sum of pipelines", &why.clone());
        }
        for pipeline in &pipelines {
            incomplete = incomplete.or_else(|| pipeline.incomplete.clone());
        }
        if let ([only], None) = (&pipelines[..], &incomplete) {
            return Some(Value::Pipeline(only.clone()));
        }
        let count = pipelines.iter().map(|pipeline| pipeline.nodes.len());
        if let Err(why) = self.afford(count.sum::<usize>().saturating_mul(4), at) {
            return Some(Value::Unknown(why));
        }
        let nodes = distinct(pipelines.iter().flat_map(|pipeline| pipeline.nodes.iter()));
        let nodes = self.check_pipeline(nodes, at);
        Some(self.pipeline(nodes, incomplete, at))
    }

    fn read_renaming(
        &mut self,
        args: &Args<'a>,
        at: At<'a>,
    ) -> Result<Option<Renaming>, super::Stop<'a>> {
        let given = ["inputs", "outputs", "parameters", "namespace"];
        let mut any = false;
        for name in given {
            let value = args.named(name).unwrap_or(Value::None);
            any |= !matches!(self.truth(&value, at), Ok(false));
        }
        if any { self.renaming(args, at).map(Some) } else { Ok(None) }
    }
}

/// The nodes without duplicates; of equal nodes the first is kept.
fn distinct<'n, 'a: 'n>(
    nodes: impl Iterator<Item = &'n Rc<KedroNode<'a>>>,
) -> Vec<Rc<KedroNode<'a>>> {
    let mut seen: IdMap<()> = IdMap::default();
    nodes.filter(|node| seen.insert(node.key, ()).is_none()).cloned().collect()
}
