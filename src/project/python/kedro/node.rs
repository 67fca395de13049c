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
use crate::project::{ASK_KEDRO, Node, Problem, Severity};

/// A node, with the values that Kedro computes in its constructor.
pub(in super::super) struct KedroNode<'a> {
    /// The full name, with its namespace.
    pub name: Rc<str>,
    /// Interned id of `Node._unique_key`: nodes with the same id are equal.
    pub key: u32,
    pub parts: Parts<'a>,
    /// `Node.inputs`, in the order of the function's parameters.
    pub inputs: Vec<Rc<str>>,
    pub outputs: Vec<Rc<str>>,
    /// Interned ids of the inputs and outputs, without transcoding.
    pub input_ids: Vec<u32>,
    pub output_ids: Vec<u32>,
    /// Interned id of the full name.
    pub name_id: u32,
    /// The node as the project snapshot has it; created at its first use, and shared by all pipelines.
    pub snapshot: OnceCell<Arc<Node>>,
}

/// The arguments of a node.
#[derive(Clone)]
pub(in super::super) struct Parts<'a> {
    pub func: Value<'a>,
    pub func_info: Rc<Func>,
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
        let prefix = self.parts.name.as_ref().map_or(String::new(), |name| format!("{name}: "));
        format!(
            "{prefix}{}({}) -> {}",
            self.parts.func_info.readable,
            io_text(&self.parts.inputs, &self.inputs),
            io_text(&self.parts.outputs, &self.outputs)
        )
    }
}

/// Inputs or outputs as `Node.__str__` writes them.
fn io_text(io: &Io, names: &[Rc<str>]) -> String {
    match io.is_empty() {
        true => "None".to_owned(),
        false => format!("[{}]", names.join(";")),
    }
}

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
        let func_source = func_source(args, at);
        let Some(func_info) = self.func(&func, &func_source, at) else {
            let text = format!("the first argument of a node is a `{}`", func.type_name());
            self.kedro_error(at, text, "Give a function, without calling it.");
            let why = Self::error_at(at, "the node has no function");
            return Ok(Value::Unknown(why));
        };
        for given in [&inputs, &outputs] {
            if let Value::Unknown(why) = given {
                return Ok(self.unknown_node(&func_source, why));
            }
        }
        let (name, namespace) = match (self.read_name(name), self.read_name(namespace)) {
            (Ok(name), Ok(namespace)) => (name, namespace),
            (Err(why), _) | (_, Err(why)) => return Ok(self.unknown_node(&func_source, &why)),
        };
        let inputs = self.read_io(&inputs, "inputs", at)?;
        let outputs = self.read_io(&outputs, "outputs", at)?;
        let confirms = self.read_io(&confirms.unwrap_or(Value::None), "confirms", at)?;
        let tags = self.read_names(tags, at)?;
        let missing = [inputs.missing, outputs.missing, confirms.missing, tags.missing];
        let incomplete = missing.into_iter().flatten().next();
        let node = self.node(Parts {
            func,
            func_info: Rc::new(func_info),
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
            self.report_missing(&format!("A part of node `{}`", node.name), &why);
        }
        Ok(Value::Node(node))
    }

    /// The result of a call with a syntax error, such as a missing bracket: the parser takes the nodes that follow
    /// for arguments of the call. They become a pipeline that is marked incomplete.
    fn salvage(&mut self, args: &Args<'a>, at: At<'a>) -> Value<'a> {
        let why = Self::error_at(at, "the call is not finished");
        self.report_missing("This node", &why);
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

    fn unknown_node(&mut self, func_source: &str, why: &Rc<Unknown>) -> Value<'a> {
        let reason = format!("the node of `{func_source}` is not known because {}", why.reason);
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
        let mut missing = None;
        let mut text = |interp: &mut Self, value: Value<'a>| match value {
            Value::Str(text) => Some(text),
            Value::Unknown(_) | Value::External(_) | Value::Instance(_) => {
                missing.get_or_insert(interp.why(&value, at));
                None
            }
            other => {
                let text =
                    format!("{what} of a node must be strings, not a `{}`", other.type_name());
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
                missing = Some(self.why(value, at));
                return Ok(Read { names: Io::None, missing });
            }
            other => {
                let list = matches!(other, Value::List(_));
                let empty = matches!(self.truth(other, at), Ok(false));
                if !list && !empty {
                    let text = format!(
                        "`{what}` of a node must be a string, a list, a dictionary or `None`, \
                         not a `{}`",
                        other.type_name()
                    );
                    self.kedro_error(at, text, "Write the names of the datasets as a list.");
                }
                let (items, _) = self.items(other, at)?;
                Io::List(items.into_iter().filter_map(|item| text(self, item)).collect())
            }
        };
        Ok(Read { names, missing: missing.or_else(|| value.open()) })
    }

    /// Creates a node, and computes its name and the order of its inputs.
    pub(super) fn node(&mut self, parts: Parts<'a>) -> Rc<KedroNode<'a>> {
        // The result is ignored: if the budget is spent, the next step of the evaluation reports that.
        let _ = self.budget.bytes(node_bytes(&parts));
        let (inputs, order_unknown) = ordered_inputs(&parts);
        let outputs = parts.outputs.to_list();
        let local_name = match &parts.name {
            Some(name) => name.clone(),
            None => self.generated_name(&parts, &inputs, &outputs).into(),
        };
        let name: Rc<str> = match &parts.namespace {
            Some(namespace) => format!("{namespace}.{local_name}").into(),
            None => local_name,
        };
        if let Some(doubt) = &parts.func_info.doubt {
            let doubt = doubt.clone();
            if parts.name.is_none() {
                self.unsure(&format!("The name that Kedro makes for node `{name}`"), &doubt);
            }
            if parts.func_info.unknown {
                self.unsure(&format!("The function of node `{name}`"), &doubt);
            }
        }
        if order_unknown && parts.inputs.to_list().len() > 1 && parts.func_info.doubt.is_some() {
            self.problem(Problem::new(
                Severity::Info,
                Some(parts.at.place()),
                format!(
                    "The inputs of `{name}` are shown in the order in which they are written. Kedro \
                     orders them like the parameters of the function, which is defined outside of \
                     the project."
                ),
                ASK_KEDRO,
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
    fn generated_name(&self, parts: &Parts<'a>, inputs: &[Rc<str>], outputs: &[Rc<str>]) -> String {
        if self.metadata.kedro_major_minor() < (1, 0) {
            let inputs = io_text(&parts.inputs, inputs);
            let outputs = io_text(&parts.outputs, outputs);
            return format!("{}({inputs}) -> {outputs}", parts.func_info.readable);
        }
        let python_list = |names: &[Rc<str>]| {
            let quoted: Vec<_> = names.iter().map(|name| str_repr(name)).collect();
            format!("[{}]", quoted.join(", "))
        };
        let hashed =
            format!("{}|{}|{}", parts.func_info.hashed, python_list(inputs), python_list(outputs));
        let digest = Sha256::digest(hashed.as_bytes());
        let mut name = format!("{}__", parts.func_info.base);
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
                    let readable = Value::str(parts.func_info.readable.replace('_', " "));
                    return self.call_method(&readable, "title", Args::default(), at);
                }
            },
            "namespace" => parts.namespace.clone().map_or(Value::None, Value::Str),
            "_name" => parts.name.clone().map_or(Value::None, Value::Str),
            "_func_name" => Value::Str(parts.func_info.readable.clone()),
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
        if let Some(why) = &tags.missing {
            self.report_missing(&format!("The tags of node `{}`", node.name), why);
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

    /// Adds a problem for an error that Kedro would raise; `text` becomes a sentence. The evaluation continues.
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

/// An estimate of the memory of a node in bytes, including its copy in the snapshot.
fn node_bytes(parts: &Parts<'_>) -> usize {
    const NODE_BYTES: usize = 1_200;
    let names = |io: &Io| match io {
        Io::None => 0,
        Io::One(name) => 64 + 2 * name.len(),
        Io::List(names) => names.iter().map(|name| 64 + 2 * name.len()).sum(),
        Io::Dict(entries) => entries.iter().map(|(_, name)| 128 + 2 * name.len()).sum(),
    };
    let names_bytes = parts.name.iter().chain(&parts.namespace).map(|name| 4 * name.len());
    let tags = parts.tags.iter().map(|tag| 64 + tag.len());
    let io = names(&parts.inputs) + names(&parts.outputs) + names(&parts.confirms);
    NODE_BYTES + io + names_bytes.sum::<usize>() + tags.sum::<usize>()
}

/// The source text of the argument `func`; that of the whole call if there is none.
fn func_source<'a>(args: &Args<'a>, at: At<'a>) -> String {
    let Some(call) = args.written else { return at.text() };
    let expr = call.arguments.find_argument_value("func", 0);
    expr.map_or_else(|| at.text(), |expr| At::new(at.source, expr).text())
}

/// `Node.inputs`: a dictionary's values in the order of the function's parameters
/// (`_dict_inputs_to_list`), and whether that order is unknown because the signature is. If the signature does not accept
/// the arguments, the order is that of the dictionary, and `check_node` reports the error.
fn ordered_inputs(parts: &Parts<'_>) -> (Vec<Rc<str>>, bool) {
    let Io::Dict(entries) = &parts.inputs else { return (parts.inputs.to_list(), false) };
    let argument_names: Vec<&str> = entries.iter().map(|(argument, _)| &**argument).collect();
    match parts.func_info.signature.as_ref().and_then(|signature| signature.order(&argument_names))
    {
        Some(order) => (order.into_iter().map(|index| entries[index].1.clone()).collect(), false),
        None => (parts.inputs.to_list(), parts.func_info.signature.is_none()),
    }
}
