//! Nodes: `kedro.pipeline.node`.

use std::cell::OnceCell;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::rc::Rc;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::super::call::Args;
use super::super::interp::{Eval, Interp, Stop};
use super::super::repr::str_repr;
use super::super::source::At;
use super::super::value::{Unknown, Value};
use super::func::Func;
use super::{Io, Read};
use crate::project::{Node, Problem, Severity};

/// A node, with the values that Kedro computes in its constructor.
pub(in super::super) struct KedroNode<'a> {
    /// The full name, with its namespace.
    pub name: Rc<str>,
    /// The number of the key that node equality compares.
    pub key: u32,
    pub parts: Parts<'a>,
    /// `Node.inputs`, in the order of the function's parameters.
    pub inputs: Vec<Rc<str>>,
    pub outputs: Vec<Rc<str>>,
    /// Numbers of the inputs and outputs, without transcoding.
    pub input_ids: Vec<u32>,
    pub output_ids: Vec<u32>,
    pub name_id: u32,
    /// The node as a snapshot type, created once for all pipelines.
    pub snapshot: OnceCell<Arc<Node>>,
}

/// The arguments that a node is made from.
#[derive(Clone)]
pub(in super::super) struct Parts<'a> {
    pub func: Value<'a>,
    pub facts: Rc<Func>,
    pub inputs: Io,
    pub outputs: Io,
    pub name: Option<Rc<str>>,
    pub tags: BTreeSet<Rc<str>>,
    pub confirms: Io,
    pub namespace: Option<Rc<str>>,
    pub at: At<'a>,
    /// Why a part of the node is missing.
    pub incomplete: Option<Rc<Unknown>>,
}

impl KedroNode<'_> {
    /// The node as text: `Node.__str__`.
    pub(in super::super) fn describe(&self) -> String {
        let list = |given: &Io, names: &[Rc<str>]| match given.is_empty() {
            true => "None".to_owned(),
            false => format!("[{}]", names.join(";")),
        };
        let prefix = self.parts.name.as_ref().map_or(String::new(), |name| format!("{name}: "));
        format!(
            "{prefix}{}({}) -> {}",
            self.parts.facts.readable,
            list(&self.parts.inputs, &self.inputs),
            list(&self.parts.outputs, &self.outputs)
        )
    }
}

const EXACT: &str = "The exact reading, by Kedro itself, tells it.";

impl<'a> Interp<'a> {
    /// `node(func, inputs, outputs, name=..., ...)`.
    pub(super) fn make_node(&mut self, args: &Args<'a>, at: At<'a>) -> Eval<'a> {
        if args.written.is_some() && at.source.broken_call(at.range) {
            return Ok(self.salvage(args, at));
        }
        let [func, inputs, outputs] = args.bind(["func", "inputs", "outputs"]);
        let [name, tags, confirms, namespace] = ["name", "tags", "confirms", "namespace"]
            .map(|name| args.named(name).or_else(|| args.open.clone().map(Value::Unknown)));
        let (Some(func), Some(inputs), Some(outputs)) = (func, inputs, outputs) else {
            return self.raise(
                at,
                "TypeError",
                "a node needs `func`, `inputs` and `outputs`",
                "Give all three; `None` stands for no inputs or no outputs.",
            );
        };
        if let Some(unexpected) = args.unexpected(&KEYWORDS) {
            let text = format!("a node does not take `{unexpected}`");
            self.kedro_error(at, text, "Remove it, or correct its spelling.");
        }
        let written = written(args, at);
        let Some(facts) = self.func(&func, &written, at) else {
            let text = format!("the first argument of a node is a `{}`", func.type_name());
            self.kedro_error(at, text, "Give a function, without calling it.");
            let why = Self::error_at(at, "the node has no function");
            return Ok(Value::Unknown(why));
        };
        for given in [&inputs, &outputs] {
            if let Value::Unknown(why) = given {
                return Ok(self.unknown_node(&written, why));
            }
        }
        let (name, namespace) = match (self.read_name(name), self.read_name(namespace)) {
            (Ok(name), Ok(namespace)) => (name, namespace),
            (Err(why), _) | (_, Err(why)) => return Ok(self.unknown_node(&written, &why)),
        };
        let inputs = self.read_io(&inputs, "inputs", at)?;
        let outputs = self.read_io(&outputs, "outputs", at)?;
        let confirms = self.read_io(&confirms.unwrap_or(Value::None), "confirms", at)?;
        let tags = self.read_names(tags, at)?;
        let lost = [inputs.lost, outputs.lost, confirms.lost, tags.lost];
        let incomplete = lost.into_iter().flatten().next();
        let node = self.node(Parts {
            func,
            facts: Rc::new(facts),
            inputs: inputs.names,
            outputs: outputs.names,
            name,
            tags: tags.names,
            confirms: confirms.names,
            namespace,
            at,
            incomplete: incomplete.clone(),
        });
        self.check_node(&node);
        if let Some(why) = incomplete {
            self.lost(&format!("A part of node `{}`", node.name), &why);
        }
        Ok(Value::Node(node))
    }

    /// The nodes inside an unfinished call. The result is marked incomplete.
    fn salvage(&mut self, args: &Args<'a>, at: At<'a>) -> Value<'a> {
        let why = Self::error_at(at, "the call is not finished");
        self.lost("This node", &why);
        let named = args.named.iter().map(|(_, value)| value);
        let nodes = (args.positional.iter().chain(named))
            .flat_map(|value| match value {
                Value::Node(node) => vec![node.clone()],
                Value::Pipeline(pipeline) => pipeline.nodes.to_vec(),
                _ => Vec::new(),
            })
            .collect();
        self.pipeline(nodes, Some(why), at)
    }

    fn unknown_node(&mut self, written: &str, why: &Rc<Unknown>) -> Value<'a> {
        let reason = format!("the node of `{written}` is not known because {}", why.reason);
        Value::Unknown(Rc::new(Unknown { reason, ..(**why).clone() }))
    }

    fn read_name(&self, value: Option<Value<'a>>) -> Result<Option<Rc<str>>, Rc<Unknown>> {
        match value {
            Some(Value::Str(name)) if !name.is_empty() => Ok(Some(name)),
            Some(Value::Unknown(why)) => Err(why),
            _ => Ok(None),
        }
    }

    /// Inputs, outputs or `confirms`: a string, a list, a dictionary or `None`.
    fn read_io(&mut self, value: &Value<'a>, what: &str, at: At<'a>) -> Result<Read<Io>, Stop<'a>> {
        let mut lost = None;
        let mut text = |interp: &mut Self, value: Value<'a>| match value {
            Value::Str(text) => Some(text),
            Value::Unknown(_) | Value::External(_) | Value::Instance(_) => {
                lost.get_or_insert(interp.why(&value, at));
                None
            }
            other => {
                let text = format!("{what} of a node must be texts, not a `{}`", other.type_name());
                interp.kedro_error(at, text, "Give the names of datasets.");
                None
            }
        };
        let names = match value {
            Value::None => Io::None,
            Value::Str(name) => Io::One(name.clone()),
            Value::Dict(dict) => {
                self.room(3 * dict.entries.borrow().len())?;
                let entries: Vec<_> = dict.entries.borrow().values().cloned().collect();
                let mut pairs = Vec::with_capacity(entries.len());
                for (key, name) in entries {
                    if let (Some(key), Some(name)) = (text(self, key), text(self, name)) {
                        pairs.push((key, name));
                    }
                }
                Io::Dict(pairs)
            }
            Value::External(_) | Value::Instance(_) | Value::Class(_) => {
                lost = Some(self.why(value, at));
                return Ok(Read { names: Io::None, lost });
            }
            other => {
                let list = matches!(other, Value::List(_));
                let empty = matches!(self.truth(other, at), Ok(false));
                if !list && !empty {
                    let text = format!(
                        "`{what}` of a node must be a text, a list, a dictionary or `None`, \
                         not a `{}`",
                        other.type_name()
                    );
                    self.kedro_error(at, text, "Write it as a list.");
                }
                let (items, _) = self.items(other, at)?;
                Io::List(items.into_iter().filter_map(|item| text(self, item)).collect())
            }
        };
        Ok(Read { names, lost: lost.or_else(|| value.open()) })
    }

    /// A node of these parts; computes its name and the order of its inputs.
    pub(super) fn node(&mut self, parts: Parts<'a>) -> Rc<KedroNode<'a>> {
        // A node is no larger than its parts. If the budget is spent, the next step of evaluation
        // reports that.
        let _ = self.budget.bytes(node_bytes(&parts));
        let (inputs, unordered) = ordered_inputs(&parts);
        let outputs = parts.outputs.to_list();
        let own = match &parts.name {
            Some(name) => name.clone(),
            None => self.made_name(&parts, &inputs, &outputs).into(),
        };
        let name: Rc<str> = match &parts.namespace {
            Some(namespace) => format!("{namespace}.{own}").into(),
            None => own,
        };
        if let Some(doubt) = &parts.facts.doubt {
            let doubt = doubt.clone();
            if parts.name.is_none() {
                self.unsure(&format!("The name that Kedro makes for node `{name}`"), &doubt);
            }
            if parts.facts.unknown {
                self.unsure(&format!("The function of node `{name}`"), &doubt);
            }
        }
        if unordered && parts.inputs.to_list().len() > 1 && parts.facts.doubt.is_some() {
            self.problem(Problem::new(
                Severity::Info,
                Some(parts.at.place()),
                format!(
                    "The order of the inputs of `{name}` is that of its function's parameters, \
                     which stand outside the project; they are shown as written."
                ),
                EXACT,
            ));
        }
        let names = &mut self.names;
        let node = KedroNode {
            key: names.node(&name, &parts.inputs, &parts.outputs),
            input_ids: inputs.iter().map(|name| names.dataset(name)).collect(),
            output_ids: outputs.iter().map(|name| names.dataset(name)).collect(),
            name_id: names.id(&name),
            name,
            inputs,
            outputs,
            parts,
            snapshot: OnceCell::new(),
        };
        let node = Rc::new(node);
        self.keep(Value::Node(node.clone()));
        node
    }

    /// The name of an unnamed node: `Node._set_unique_name` since Kedro 1.0, `str(node)` before.
    fn made_name(&self, parts: &Parts<'a>, inputs: &[Rc<str>], outputs: &[Rc<str>]) -> String {
        if self.metadata.kedro_major_minor() < (1, 0) {
            let list = |given: &Io, names: &[Rc<str>]| match given.is_empty() {
                true => "None".to_owned(),
                false => format!("[{}]", names.join(";")),
            };
            let (inputs, outputs) = (list(&parts.inputs, inputs), list(&parts.outputs, outputs));
            return format!("{}({inputs}) -> {outputs}", parts.facts.readable);
        }
        let list = |names: &[Rc<str>]| {
            let quoted: Vec<_> = names.iter().map(|name| str_repr(name)).collect();
            format!("[{}]", quoted.join(", "))
        };
        let hashed = format!("{}|{}|{}", parts.facts.hashed, list(inputs), list(outputs));
        let digest = Sha256::digest(hashed.as_bytes());
        let mut name = format!("{}__", parts.facts.base);
        for byte in digest.iter().take(4) {
            let _ = write!(name, "{byte:02x}");
        }
        name
    }

    /// `node.name` and the other attributes.
    pub(in super::super) fn node_attribute(
        &mut self,
        node: &Rc<KedroNode<'a>>,
        name: &str,
        at: At<'a>,
    ) -> Eval<'a> {
        self.room(node.inputs.len() + node.outputs.len() + node.parts.tags.len())?;
        let list = |interp: &mut Self, names: &[Rc<str>]| {
            interp.list(names.iter().cloned().map(Value::Str).collect())
        };
        let parts = &node.parts;
        Ok(match name {
            "name" => Value::Str(node.name.clone()),
            "short_name" => match &parts.name {
                Some(name) => Value::Str(name.clone()),
                None => {
                    let readable = Value::str(parts.facts.readable.replace('_', " "));
                    return self.call_method(&readable, "title", Args::default(), at);
                }
            },
            "namespace" => parts.namespace.clone().map_or(Value::None, Value::Str),
            "_name" => parts.name.clone().map_or(Value::None, Value::Str),
            "_func_name" => Value::Str(parts.facts.readable.clone()),
            "func" | "_func" => parts.func.clone(),
            "inputs" => list(self, &node.inputs),
            "outputs" => list(self, &node.outputs),
            "confirms" => list(self, &parts.confirms.to_list()),
            "tags" => {
                let tags: Vec<_> = parts.tags.iter().cloned().map(Value::Str).collect();
                self.set(tags, None, at)
            }
            "tag" => Value::Method(Rc::new((Value::Node(node.clone()), name.into()))),
            _ => self.not_evaluated(at),
        })
    }

    pub(in super::super) fn node_method(
        &mut self,
        node: &Rc<KedroNode<'a>>,
        name: &str,
        args: &Args<'a>,
        at: At<'a>,
    ) -> Eval<'a> {
        if name != "tag" {
            return Ok(self.not_evaluated(at));
        }
        let [tags] = args.bind(["tags"]);
        let tags = self.read_names(tags, at)?;
        if let Some(why) = &tags.lost {
            self.lost(&format!("The tags of node `{}`", node.name), why);
        }
        Ok(Value::Node(self.tagged(node, &tags.names)))
    }

    /// `Pipeline.tag`: adds tags to every node.
    pub(super) fn all_tagged(
        &mut self,
        nodes: &[Rc<KedroNode<'a>>],
        tags: &BTreeSet<Rc<str>>,
    ) -> Result<Vec<Rc<KedroNode<'a>>>, Stop<'a>> {
        let mut tagged = Vec::with_capacity(nodes.len());
        for node in nodes {
            self.step()?;
            self.elements(tags.len().saturating_mul(4))?;
            tagged.push(self.tagged(node, tags));
        }
        Ok(tagged)
    }

    /// `Node.tag`: a copy of the node with more tags.
    pub(super) fn tagged(
        &mut self,
        node: &Rc<KedroNode<'a>>,
        tags: &BTreeSet<Rc<str>>,
    ) -> Rc<KedroNode<'a>> {
        if tags.is_subset(&node.parts.tags) {
            return node.clone();
        }
        let mut parts = node.parts.clone();
        parts.tags.extend(tags.iter().cloned());
        self.node(parts)
    }

    /// Lists an error that Kedro would raise.
    pub(super) fn kedro_error(&mut self, at: At<'a>, text: impl Into<String>, remedy: &str) {
        let mut text = text.into();
        if let Some(first) = text.get(..1).map(str::to_uppercase) {
            text.replace_range(..1, &first);
        }
        self.problem(Problem::new(Severity::Error, Some(at.place()), text + ".", remedy));
    }
}

const KEYWORDS: [&str; 8] =
    ["func", "inputs", "outputs", "name", "tags", "confirms", "namespace", "preview_fn"];

/// The bytes of a node of these parts, including its copy in the snapshot.
fn node_bytes(parts: &Parts<'_>) -> usize {
    const NODE_BYTES: usize = 1_200;
    let names = |io: &Io| match io {
        Io::None => 0,
        Io::One(name) => 64 + 2 * name.len(),
        Io::List(names) => names.iter().map(|name| 64 + 2 * name.len()).sum(),
        Io::Dict(entries) => entries.iter().map(|(_, name)| 128 + 2 * name.len()).sum(),
    };
    let own = parts.name.iter().chain(&parts.namespace).map(|name| 4 * name.len());
    let tags = parts.tags.iter().map(|tag| 64 + tag.len());
    let io = names(&parts.inputs) + names(&parts.outputs) + names(&parts.confirms);
    NODE_BYTES + io + own.sum::<usize>() + tags.sum::<usize>()
}

/// The source text of the node's function argument.
fn written<'a>(args: &Args<'a>, at: At<'a>) -> String {
    let Some(call) = args.written else { return at.text() };
    let expr = call.arguments.find_argument_value("func", 0);
    expr.map_or_else(|| at.text(), |expr| At::new(at.source, expr).text())
}

/// `Node.inputs`: a dictionary's values in the order of the function's parameters
/// (`_dict_inputs_to_list`), and whether that order is unknown.
fn ordered_inputs(parts: &Parts<'_>) -> (Vec<Rc<str>>, bool) {
    let Io::Dict(entries) = &parts.inputs else { return (parts.inputs.to_list(), false) };
    let given: Vec<&str> = entries.iter().map(|(argument, _)| &**argument).collect();
    match parts.facts.signature.as_ref().and_then(|signature| signature.order(&given)) {
        Some(order) => (order.into_iter().map(|index| entries[index].1.clone()).collect(), false),
        None => (parts.inputs.to_list(), parts.facts.signature.is_none()),
    }
}
