//! The checks of `Node.__init__` and `Pipeline.__init__`. Where Kedro would raise, a problem is
//! listed.

use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::LazyLock;

use regex::Regex;

use super::super::interp::Interp;
use super::super::source::At;
use super::{IdMap, Io, KedroNode};
use crate::project::strip_transcoding;

/// The characters allowed in node names and tags.
static VALID: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"^[\w.-]+\n?$").ok());

fn valid(name: &str) -> bool {
    VALID.as_ref().is_none_or(|valid| valid.is_match(name))
}

impl<'a> Interp<'a> {
    /// The checks of `Node.__init__`.
    pub(super) fn check_node(&mut self, node: &KedroNode<'a>) {
        let (parts, at, name) = (&node.parts, node.parts.at, &node.name);
        // Every input is compared with every output.
        let pairs = (node.inputs.len() + 1).saturating_mul(node.outputs.len() + 1);
        if parts.incomplete.is_some() || self.budget.elements(pairs).is_err() {
            return;
        }
        if parts.inputs.is_empty() && parts.outputs.is_empty() {
            let text = format!("node `{name}` has neither inputs nor outputs");
            self.kedro_error(at, text, "Give it at least one of them.");
        }
        self.check_signature(node);
        for given in parts.name.iter().filter(|name| !valid(name)) {
            let text = format!("`{given}` is no valid name for a node");
            self.kedro_error(at, text, "Use letters, digits, hyphens, underscores and full stops.");
        }
        for tag in parts.tags.iter().filter(|tag| !valid(tag)) {
            let text = format!("`{tag}` is no valid tag");
            self.kedro_error(at, text, "Use letters, digits, hyphens, underscores and full stops.");
        }
        let mut known_names = BTreeSet::new();
        for output in node.outputs.iter().filter(|output| !known_names.insert((*output).clone())) {
            let text = format!("node `{name}` has the output `{output}` twice");
            self.kedro_error(at, text, "Give every output a name of its own.");
        }
        for dataset in node.inputs.iter().chain(&node.outputs) {
            if dataset.matches('@').count() > 1 {
                let text = format!("`{dataset}` has more than one `@`");
                self.kedro_error(at, text, "Transcoding takes one `@`: `name@format`.");
            }
        }
        for input in &node.inputs {
            let base = strip_transcoding(input);
            if node.outputs.iter().any(|output| strip_transcoding(output) == base) {
                let text = format!("node `{name}` has `{base}` both as an input and as an output");
                self.kedro_error(at, text, "Give the output another name.");
            }
        }
    }

    /// `Node._validate_inputs`: the function must accept the inputs.
    fn check_signature(&mut self, node: &KedroNode<'a>) {
        let parts = &node.parts;
        let Some(signature) = &parts.func_info.signature else { return };
        let fits = match &parts.inputs {
            Io::None => signature.takes(0),
            Io::One(_) => signature.takes(1),
            Io::List(names) => signature.takes(names.len()),
            Io::Dict(entries) => {
                let given: Vec<&str> = entries.iter().map(|(argument, _)| &**argument).collect();
                signature.order(&given).is_some()
            }
        };
        if fits {
            return;
        }
        let given = match &parts.inputs {
            Io::None => "no inputs".to_owned(),
            Io::One(_) => "one input".to_owned(),
            Io::List(names) => format!("{} inputs", names.len()),
            Io::Dict(entries) => {
                let names: Vec<_> = entries.iter().map(|(argument, _)| &**argument).collect();
                format!("inputs for ({})", names.join(", "))
            }
        };
        let text = format!(
            "`{}` takes ({}), but node `{}` gives {given}",
            parts.func_info.readable,
            signature.names().join(", "),
            node.name
        );
        self.kedro_error(parts.at, text, "Let inputs and parameters match.");
    }

    /// The checks of `Pipeline.__init__`. Of several nodes with one name, only the first is kept.
    pub(super) fn check_pipeline(
        &mut self,
        nodes: Vec<Rc<KedroNode<'a>>>,
        at: At<'a>,
    ) -> Vec<Rc<KedroNode<'a>>> {
        let mut named: IdMap<u32> = IdMap::default();
        let mut kept: Vec<Rc<KedroNode<'a>>> = Vec::with_capacity(nodes.len());
        for node in nodes {
            let index = u32::try_from(kept.len()).unwrap_or(u32::MAX);
            if named.insert(node.name_id, index).is_none() {
                kept.push(node);
                continue;
            }
            let text = format!("two nodes of this pipeline are named `{}`", node.name);
            // If both nodes come from the same call, the pipeline that lists it is the place to
            // fix.
            let place =
                if node.parts.at.source.shown == at.source.shown { node.parts.at } else { at };
            self.kedro_error(place, text, "Give each node a name of its own, with `name=`.");
        }
        if self.pay_for_edges(&kept).is_err() {
            return kept;
        }
        self.check_outputs(&kept);
        self.check_transcoding(&kept);
        self.check_confirms(&kept);
        kept
    }

    fn check_outputs(&mut self, nodes: &[Rc<KedroNode<'a>>]) {
        let mut makers: IdMap<usize> = IdMap::default();
        for (index, node) in nodes.iter().enumerate() {
            for (id, output) in node.output_ids.iter().zip(&node.outputs) {
                let Some(first) = makers.insert(*id, index).filter(|first| *first != index) else {
                    continue;
                };
                let text = format!(
                    "nodes `{}` and `{}` both have the output `{}`",
                    nodes[first].name,
                    node.name,
                    strip_transcoding(output)
                );
                self.kedro_error(node.parts.at, text, "Rename one of the two outputs.");
            }
        }
    }

    fn check_confirms(&mut self, nodes: &[Rc<KedroNode<'a>>]) {
        let mut confirmed = BTreeSet::new();
        for node in nodes.iter().filter(|node| !node.parts.confirms.is_empty()) {
            for dataset in node.parts.confirms.to_list() {
                if !confirmed.insert(strip_transcoding(&dataset).to_owned()) {
                    let text = format!("`{dataset}` is confirmed by more than one node");
                    self.kedro_error(node.parts.at, text, "Let one node confirm it.");
                }
            }
        }
    }

    /// A dataset must be used either always or never with transcoding.
    fn check_transcoding(&mut self, nodes: &[Rc<KedroNode<'a>>]) {
        let uses = || {
            nodes.iter().flat_map(|node| {
                node.inputs.iter().chain(&node.outputs).map(move |dataset| (node, dataset))
            })
        };
        let transcoded: BTreeSet<&str> =
            uses().filter_map(|(_, dataset)| Some(dataset.split_once('@')?.0)).collect();
        if transcoded.is_empty() {
            return;
        }
        let mixed: Vec<_> = uses()
            .filter(|(_, dataset)| transcoded.contains(&***dataset))
            .map(|(node, dataset)| (node.parts.at, dataset.clone()))
            .collect();
        for (at, dataset) in mixed {
            let text = format!("`{dataset}` is used here without transcoding, elsewhere with it");
            self.kedro_error(at, text, "Write it with `@` everywhere, or nowhere.");
        }
    }
}
