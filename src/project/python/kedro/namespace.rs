//! Modular pipelines: namespaces, and the mapping of inputs, outputs and parameters
//! (`Pipeline._map_nodes`).

use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;

use indexmap::IndexMap;

use super::super::call::Args;
use super::super::interp::{Interp, Stop};
use super::super::source::At;
use super::super::value::{Unknown, Value};
use super::KedroNode;
use super::node::Parts;
use crate::project::{is_parameter, strip_transcoding};

/// Old names with their new names.
type Mapping = IndexMap<Rc<str>, Rc<str>>;

/// How a pipeline's datasets are renamed when it is reused.
#[derive(Default)]
pub(super) struct Renaming {
    inputs: Mapping,
    outputs: Mapping,
    parameters: Mapping,
    namespace: Option<Rc<str>>,
    prefix: bool,
    /// Why the renaming may be incomplete.
    pub missing: Option<Rc<Unknown>>,
}

impl<'a> Interp<'a> {
    pub(super) fn renaming(&mut self, args: &Args<'a>, at: At<'a>) -> Result<Renaming, Stop<'a>> {
        let mut missing = args.open.clone();
        let mut mapping = |interp: &mut Self, name: &str| {
            let (mapping, why) = interp.read_mapping(args.named(name), at)?;
            missing = missing.clone().or(why);
            Ok::<_, Stop<'a>>(mapping)
        };
        let inputs = mapping(self, "inputs")?;
        let outputs = mapping(self, "outputs")?;
        let parameters = mapping(self, "parameters")?;
        let namespace = match args.named("namespace") {
            Some(Value::Str(name)) if !name.is_empty() => Some(name),
            Some(Value::None | Value::Str(_)) | None => None,
            Some(other) => {
                missing = missing.or_else(|| Some(self.why(&other, at)));
                None
            }
        };
        let prefix = match args.named("prefix_datasets_with_namespace") {
            None => true,
            Some(value) => match self.truth(&value, at) {
                Ok(prefix) => prefix,
                Err(why) => {
                    missing = missing.or(Some(why));
                    true
                }
            },
        };
        let parameters = parameters.into_iter().map(parameter_names).collect();
        Ok(Renaming { inputs, outputs, parameters, namespace, prefix, missing })
    }

    /// `_get_dataset_names_mapping`: a name, a set of names, or a dictionary from old to new names.
    fn read_mapping(
        &mut self,
        value: Option<Value<'a>>,
        at: At<'a>,
    ) -> Result<(Mapping, Option<Rc<Unknown>>), Stop<'a>> {
        let mut mapping = Mapping::new();
        let mut missing = None;
        match value {
            None | Some(Value::None) => {}
            Some(Value::Str(name)) => drop(mapping.insert(name.clone(), name)),
            Some(Value::Dict(dict)) => {
                self.entry_room(dict.entries.borrow().len())?;
                for (old, new) in dict.entries.borrow().values() {
                    match (old, new) {
                        (Value::Str(old), Value::Str(new)) => {
                            mapping.insert(old.clone(), new.clone());
                        }
                        (old, new) => {
                            let other = if old.as_str().is_none() { old } else { new };
                            missing = Some(self.why(other, at));
                        }
                    }
                }
                missing = missing.or_else(|| dict.open.borrow().clone());
            }
            Some(value) => {
                let (items, open) = self.items(&value, at)?;
                self.entry_room(items.len())?;
                missing = open;
                for item in items {
                    match item {
                        Value::Str(name) => drop(mapping.insert(name.clone(), name)),
                        other => missing = Some(self.why(&other, at)),
                    }
                }
            }
        }
        Ok((mapping, missing))
    }

    /// Renames the datasets and nodes of a pipeline: `Pipeline._map_nodes`.
    pub(super) fn rename_nodes(
        &mut self,
        nodes: &[Rc<KedroNode<'a>>],
        renaming: &Renaming,
        incomplete: bool,
        at: At<'a>,
    ) -> Vec<Rc<KedroNode<'a>>> {
        if !incomplete {
            self.check_renaming(nodes, renaming, at);
        }
        let mut mapping: HashMap<&str, &Rc<str>> = HashMap::new();
        for part in [&renaming.inputs, &renaming.outputs, &renaming.parameters] {
            mapping.extend(part.iter().map(|(old, new)| (&**old, new)));
        }
        let prefix = renaming.namespace.as_ref().filter(|_| renaming.prefix);
        let rename = |name: &Rc<str>| rename(name, &mapping, prefix);
        let order = super::order::order(nodes);
        (order.groups.into_iter().flatten().chain(order.circular))
            .map_while(|node| {
                self.step().ok()?;
                let namespace = match (&renaming.namespace, &node.parts.namespace) {
                    (Some(outer), Some(inner)) => Some(format!("{outer}.{inner}").into()),
                    (Some(only), None) | (None, Some(only)) => Some(only.clone()),
                    (None, None) => None,
                };
                // Every name may be prefixed with the namespace.
                let names = node.inputs.len() + node.outputs.len() + 2;
                let outer = renaming.namespace.as_ref().map_or(0, |name| name.len());
                self.bytes(names.saturating_mul(2 * outer + 64)).ok()?;
                Some(self.node(Parts {
                    inputs: node.parts.inputs.rename(rename),
                    outputs: node.parts.outputs.rename(rename),
                    confirms: node.parts.confirms.rename(rename),
                    namespace,
                    ..node.parts.clone()
                }))
            })
            .collect()
    }

    /// Checks the mapped names like `_validate_datasets_exist` and `_validate_inputs_outputs`.
    fn check_renaming(&mut self, nodes: &[Rc<KedroNode<'a>>], renaming: &Renaming, at: At<'a>) {
        fn bases<'n>(names: impl Iterator<Item = &'n Rc<str>>) -> BTreeSet<&'n str> {
            names.map(|name| strip_transcoding(name)).collect()
        }
        let all_inputs = bases(nodes.iter().flat_map(|node| &node.inputs));
        let all_outputs = bases(nodes.iter().flat_map(|node| &node.outputs));
        let free: BTreeSet<&str> = all_inputs.difference(&all_outputs).copied().collect();
        let exists = |name: &str| all_inputs.contains(name) || all_outputs.contains(name);
        let inputs = bases(renaming.inputs.keys());
        let outputs = bases(renaming.outputs.keys());
        let parameters = bases(renaming.parameters.keys());
        let mut mistakes = Vec::new();
        for name in inputs.iter().chain(&outputs).chain(&parameters) {
            if !exists(name) {
                mistakes.push((
                    format!("`{name}` is mapped here, but no node of the pipeline uses it"),
                    "Correct the name, or remove it from the mapping.",
                ));
            }
        }
        for name in &inputs {
            if is_parameter(name) {
                mistakes.push((
                    format!("`{name}` is a parameter, but mapped among the inputs"),
                    "Map it under `parameters`.",
                ));
            } else if exists(name) && !free.contains(name) {
                mistakes.push((
                    format!("`{name}` is made by a node of the pipeline, so it is no input of it"),
                    "Map it under `outputs`.",
                ));
            }
        }
        for name in outputs.intersection(&free) {
            mistakes.push((
                format!("`{name}` is mapped as an output, but no node of the pipeline makes it"),
                "Map it under `inputs`.",
            ));
        }
        for (text, remedy) in mistakes {
            self.kedro_error(at, text, remedy);
        }
    }
}

/// `_get_param_names_mapping`: both names get `params:`, except `parameters` itself.
fn parameter_names((old, new): (Rc<str>, Rc<str>)) -> (Rc<str>, Rc<str>) {
    if &*old == "parameters" {
        return (old.clone(), old);
    }
    let normal = |name: Rc<str>| match name.starts_with("params:") {
        true => name,
        false => format!("params:{name}").into(),
    };
    (normal(old), normal(new))
}

/// The new name of a dataset: `Pipeline._rename`.
fn rename(
    name: &Rc<str>,
    mapping: &HashMap<&str, &Rc<str>>,
    namespace: Option<&Rc<str>>,
) -> Rc<str> {
    if let Some(new) = mapping.get(&**name) {
        return (*new).clone();
    }
    if &**name == "parameters" {
        return name.clone();
    }
    // Without transcoding, Kedro looks up the whole name again; that lookup failed above.
    if let Some((base, format)) = name.split_once('@')
        && let Some(new) = mapping.get(base)
    {
        return format!("{new}@{format}").into();
    }
    match (namespace, name.strip_prefix("params:")) {
        (None, _) => name.clone(),
        (Some(namespace), Some(parameter)) => format!("params:{namespace}.{parameter}").into(),
        (Some(namespace), None) => format!("{namespace}.{name}").into(),
    }
}
