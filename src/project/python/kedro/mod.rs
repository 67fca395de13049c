//! Kedro's own objects: nodes, pipelines, and their operations.
//!
//! The rules follow `kedro/pipeline/node.py` and `kedro/pipeline/pipeline.py`. Where Kedro would
//! raise, a problem is listed and as much as possible is kept.

mod callable;
mod checks;
mod convert;
mod discover;
mod func;
mod namespace;
mod node;
mod order;
mod pipeline;
mod select;

use std::collections::{BTreeSet, HashMap};
use std::hash::{BuildHasherDefault, Hasher};
use std::rc::Rc;

pub(super) use node::KedroNode;
pub(super) use pipeline::KedroPipeline;

use super::call::Args;
use super::interp::{Eval, Interp, Stop};
use super::source::At;
use super::value::{Unknown, Value};

/// The inputs, outputs or `confirms` of a node, as given.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(super) enum Io {
    #[default]
    None,
    One(Rc<str>),
    List(Vec<Rc<str>>),
    /// Pairs of (argument or key, dataset).
    Dict(Vec<(Rc<str>, Rc<str>)>),
}

impl Io {
    /// The names as a list: `_to_list` of `kedro/pipeline/node.py`.
    fn to_list(&self) -> Vec<Rc<str>> {
        match self {
            Io::None => Vec::new(),
            Io::One(name) => vec![name.clone()],
            Io::List(names) => names.clone(),
            Io::Dict(entries) => entries.iter().map(|(_, name)| name.clone()).collect(),
        }
    }

    fn is_empty(&self) -> bool {
        match self {
            Io::None => true,
            Io::One(name) => name.is_empty(),
            Io::List(names) => names.is_empty(),
            Io::Dict(entries) => entries.is_empty(),
        }
    }

    /// The same structure with every dataset renamed.
    fn rename(&self, rename: impl Fn(&Rc<str>) -> Rc<str>) -> Io {
        match self {
            Io::None => Io::None,
            Io::One(name) => Io::One(rename(name)),
            Io::List(names) => Io::List(names.iter().map(rename).collect()),
            Io::Dict(entries) => {
                Io::Dict(entries.iter().map(|(key, name)| (key.clone(), rename(name))).collect())
            }
        }
    }

    /// The form that node equality compares: the key order of a dictionary does not matter.
    fn canonical(&self) -> Io {
        let mut io = self.clone();
        if let Io::Dict(entries) = &mut io {
            entries.sort();
        }
        io
    }
}

/// Interned names: small numbers make sets of nodes and datasets fast.
#[derive(Default)]
pub(super) struct Names {
    ids: HashMap<Rc<str>, u32>,
    nodes: HashMap<(Rc<str>, Io, Io), u32>,
}

impl Names {
    fn id(&mut self, name: &Rc<str>) -> u32 {
        let next = u32::try_from(self.ids.len()).unwrap_or(u32::MAX);
        *self.ids.entry(name.clone()).or_insert(next)
    }

    /// The number of a dataset, without its transcoding.
    fn dataset(&mut self, name: &Rc<str>) -> u32 {
        match name.split_once('@') {
            Some((base, _)) => self.id(&base.into()),
            None => self.id(name),
        }
    }

    /// The number of the tuple that `Node._unique_key` compares.
    fn node(&mut self, name: &Rc<str>, inputs: &Io, outputs: &Io) -> u32 {
        let next = u32::try_from(self.nodes.len()).unwrap_or(u32::MAX);
        let key = (name.clone(), inputs.canonical(), outputs.canonical());
        *self.nodes.entry(key).or_insert(next)
    }
}

/// A map with the numbers of [`Names`] as keys.
type IdMap<T> = HashMap<u32, T, BuildHasherDefault<IdHasher>>;

/// Spreads small numbers. The evaluator assigns the numbers, so nobody can provoke collisions.
#[derive(Default)]
struct IdHasher(u64);

impl Hasher for IdHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u32(&mut self, id: u32) {
        self.0 = u64::from(id).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}

/// Names read from a value, and the reason why there may be more.
struct Read<T> {
    names: T,
    missing: Option<Rc<Unknown>>,
}

impl<'a> Interp<'a> {
    /// Calls a function or class of Kedro.
    pub(super) fn call_kedro(&mut self, name: &str, args: Args<'a>, at: At<'a>) -> Eval<'a> {
        let last = name.rsplit('.').next().unwrap_or(name);
        let of_pipelines =
            name.starts_with("kedro.pipeline.") || name.starts_with("kedro.modular_pipeline");
        match last {
            "node" | "Node" if of_pipelines => self.make_node(&args, at),
            "pipeline" | "Pipeline" if of_pipelines => self.make_pipeline(&args, at),
            "find_pipelines" => self.find_pipelines(&args, at),
            _ => {
                let reason = format!("`{}` calls Kedro's own code", at.text());
                Ok(self.unknown(at, reason))
            }
        }
    }

    /// A string, or a list or set of strings, as `tags` and similar arguments accept.
    fn read_names(
        &mut self,
        value: Option<Value<'a>>,
        at: At<'a>,
    ) -> Result<Read<BTreeSet<Rc<str>>>, Stop<'a>> {
        let (items, mut missing) = match value {
            None | Some(Value::None) => (Vec::new(), None),
            Some(Value::Str(text)) => (vec![Value::Str(text)], None),
            Some(Value::Dict(dict)) => {
                self.room(dict.entries.borrow().len())?;
                let open = dict.open.borrow().clone();
                (dict.entries.borrow().values().map(|(_, value)| value.clone()).collect(), open)
            }
            Some(value) => self.items(&value, at)?,
        };
        self.room(2 * items.len())?;
        let mut names = BTreeSet::new();
        for item in items {
            match item {
                Value::Str(name) => drop(names.insert(name)),
                other => missing = missing.or_else(|| Some(self.why(&other, at))),
            }
        }
        Ok(Read { names, missing })
    }
}
