//! The displayed part of a pipeline's graph.
//!
//! [`View::of`] derives the displayed graph from the whole graph in this order: the focus selects a part;
//! kinds and the filter remove vertices and connect their neighbours; parameters and hubs are replaced by a
//! count; collapsed namespaces become one vertex each. All choices refer to names, so they stay valid when
//! the code changes. Coordinates are not part of a view.

pub mod filter;
mod focus;
mod namespaces;
mod state;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use self::focus::Focus;
use self::namespaces::Namespaces;
pub use self::state::{NodeStatus, RunState, Sum};
use super::{Graph, Id, VertexKind};

/// Most displayed vertices that a removed vertex connects to; more links would make a drawing unreadable.
const MOST_LINKS: usize = 256;

/// Which kinds of vertices are displayed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Detail {
    /// Nodes, datasets and parameters.
    All,
    /// Nodes and datasets; each vertex shows the number of parameters that it hides.
    #[default]
    NoParameters,
    /// Nodes, connected if a dataset connects them.
    NodesAlone,
}

/// How a namespace is displayed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fold {
    /// As a group around its vertices.
    Expanded,
    /// As one vertex.
    Collapsed,
}

/// Thresholds for collapsing and hiding, in vertices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Namespaces are expanded by default while at most this many vertices are displayed.
    pub expanded: usize,
    /// Hubs are hidden if more than this many vertices are displayed.
    pub with_hubs: usize,
    /// A dataset or parameter with at least this many readers is a hub.
    pub hub_readers: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { expanded: 60, with_hubs: 200, hub_readers: 24 }
    }
}

/// The user's choices of what to display.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Choices {
    /// The displayed kinds of vertices.
    pub detail: Detail,
    /// How namespaces are displayed, by name. Others are expanded while the graph is small, see [`Limits`].
    pub folds: BTreeMap<String, Fold>,
    /// The focus. It is ignored if its names are not in the graph.
    pub focus: Option<Focus>,
    /// Thresholds for collapsing and hiding.
    pub limits: Limits,
}

/// An expanded namespace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Full name of the namespace.
    pub name: String,
    /// Index of the group that contains it.
    pub parent: Option<usize>,
}

impl Group {
    /// The name without the namespaces around it.
    pub fn short_name(&self) -> &str {
        self.name.rsplit('.').next().unwrap_or_default()
    }
}

/// The displayed graph, and its mapping to the whole graph.
///
/// Ids of the displayed and the whole graph differ, and both change with the code. Kind and name identify a
/// vertex across changes.
#[derive(Debug, Clone, Default)]
pub struct View {
    /// The displayed graph. A collapsed namespace is a [`VertexKind::Namespace`]; a cycle that collapsing
    /// creates is kept.
    pub graph: Graph,
    /// For each displayed vertex, the vertices of the whole graph that it represents, in increasing order, at
    /// least one.
    pub members: Vec<Vec<Id>>,
    /// For each vertex of the whole graph, the displayed vertex that represents it.
    pub shown_by: Vec<Option<Id>>,
    /// Non-empty expanded namespaces, outer ones before inner ones.
    pub groups: Vec<Group>,
    /// For each displayed vertex, the innermost group that contains it.
    pub group_of: Vec<Option<usize>>,
    /// For each displayed vertex, the hidden parameters and hubs of the whole graph that it reads.
    pub hidden_inputs: Vec<Vec<Id>>,
    /// For each displayed vertex on a cycle, the number of the cycle.
    pub cycles: Vec<Option<usize>>,
    /// Whether some links through removed vertices are not displayed because there are too many.
    pub cut: bool,
}

/// How a vertex of the whole graph is displayed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Shown,
    /// Removed; its neighbours are connected.
    Bridged,
    /// Hidden; its readers count it.
    Counted,
    /// Outside of the focus.
    Outside,
}

impl View {
    /// The displayed part of a graph; `passes` returns whether the filter matches a vertex.
    pub fn of(whole: &Graph, choices: &Choices, passes: impl Fn(Id) -> bool) -> Self {
        let spaces = Namespaces::of(whole);
        let mut fates = fates(whole, &spaces, choices, passes);
        let count = fates.iter().filter(|fate| **fate == Fate::Shown).count();
        let usual = match count > choices.limits.expanded {
            true => Fold::Collapsed,
            false => Fold::Expanded,
        };
        let fold = |name: &str| choices.folds.get(name).copied().unwrap_or(usual);
        let stands = spaces.stands(fold);
        if usual == Fold::Collapsed {
            hide_between(whole, &spaces, &stands, choices.limits.expanded, &mut fates);
        }
        let mut view = View { shown_by: vec![None; fates.len()], ..View::default() };
        let mut space_of = Vec::new();
        for (id, vertex) in whole.vertices.iter().enumerate() {
            if fates[id] != Fate::Shown {
                continue;
            }
            let inner = spaces.home_expanded[id];
            let home = match inner.is_some_and(|inner| stands[inner].is_some()) {
                true => spaces.home[id],
                false => inner,
            };
            let (shown, space) = match home.and_then(|home| stands[home]) {
                Some(space) => {
                    let shown = view.graph.insert(VertexKind::Namespace, spaces.names[space], None);
                    (shown, spaces.parents[space])
                }
                None => (view.graph.insert(vertex.kind, &vertex.name, vertex.node.as_ref()), home),
            };
            if shown == view.members.len() {
                view.members.push(Vec::new());
                space_of.push(space);
            }
            view.members[shown].push(id);
            view.shown_by[id] = Some(shown);
        }
        view.link(whole, &fates);
        view.group(&spaces, &space_of);
        view.cycles = view.graph.cycles();
        view
    }

    /// The name of a displayed vertex, without the namespace of the group that contains it.
    pub fn label(&self, id: Id) -> &str {
        let name = self.graph.vertices[id].name.as_str();
        let space = self.group_of[id].map(|group| self.groups[group].name.as_str());
        let inner = space.and_then(|space| name.strip_prefix(space)?.strip_prefix('.'));
        inner.unwrap_or(name)
    }

    /// Whether an edge of the displayed graph lies on a cycle.
    pub fn on_cycle(&self, from: Id, to: Id) -> bool {
        self.cycles[from].is_some() && self.cycles[from] == self.cycles[to]
    }

    /// Adds the displayed edges, and the hidden inputs of each displayed vertex.
    fn link(&mut self, whole: &Graph, fates: &[Fate]) {
        let (beyond, cut) = self.beyond(whole, fates);
        self.cut = cut;
        let mut linked = vec![usize::MAX; self.members.len()];
        let mut counted = vec![usize::MAX; fates.len()];
        let within = self.made_within(whole);
        for (shown, members) in self.members.iter().enumerate() {
            let mut hidden = Vec::new();
            // No self-loops.
            linked[shown] = shown;
            for member in members {
                for child in &whole.children[*member] {
                    let targets = match self.shown_by[*child].as_ref() {
                        Some(target) => std::slice::from_ref(target),
                        None => beyond[*child].as_slice(),
                    };
                    for target in targets {
                        if within[shown] == Some(*target) {
                            continue;
                        }
                        if std::mem::replace(&mut linked[*target], shown) != shown {
                            self.graph.children[shown].push(*target);
                            self.graph.parents[*target].push(shown);
                        }
                    }
                }
                for parent in &whole.parents[*member] {
                    let counts = fates[*parent] == Fate::Counted;
                    if counts && std::mem::replace(&mut counted[*parent], shown) != shown {
                        hidden.push(*parent);
                    }
                }
            }
            self.hidden_inputs.push(hidden);
        }
    }

    /// For each displayed dataset whose only writer is a collapsed namespace, that namespace. If the
    /// namespace also reads the dataset, an edge back would show a cycle that does not exist.
    fn made_within(&self, whole: &Graph) -> Vec<Option<Id>> {
        let vertices = self.graph.vertices.iter().zip(&self.members);
        let within = vertices.map(|(vertex, members)| {
            let only = members.first().filter(|_| vertex.kind == VertexKind::Dataset)?;
            let mut writers = whole.parents[*only].iter().map(|writer| self.shown_by[*writer]);
            let first = writers.next()??;
            let one = writers.all(|writer| writer == Some(first));
            (one && self.graph.vertices[first].kind == VertexKind::Namespace).then_some(first)
        });
        within.collect()
    }

    /// For each removed vertex, the displayed vertices that it leads to through removed vertices only; and
    /// whether some were dropped because there were too many.
    fn beyond(&self, whole: &Graph, fates: &[Fate]) -> (Vec<Vec<Id>>, bool) {
        let mut beyond: Vec<Vec<Id>> = vec![Vec::new(); fates.len()];
        let bridged = |id: &Id| fates[*id] == Fate::Bridged;
        let chained = |id: Id| bridged(&id) && whole.children[id].iter().any(bridged);
        let order = match (0..fates.len()).any(chained) {
            true => whole.order(),
            false => (0..fates.len()).collect(),
        };
        let mut cut = false;
        let mut seen = vec![usize::MAX; self.members.len()];
        let mut pass = 0;
        // Without cycles one pass is enough.
        let mut again = true;
        while std::mem::take(&mut again) {
            let mut done = vec![false; fates.len()];
            let (mut late, mut grown) = (false, false);
            for id in order.iter().rev().copied().filter(bridged) {
                let mut found = Vec::new();
                let mut many = false;
                for child in &whole.children[id] {
                    let targets = match self.shown_by[*child].as_ref() {
                        Some(target) => std::slice::from_ref(target),
                        None => beyond[*child].as_slice(),
                    };
                    late |= bridged(child) && !done[*child];
                    for target in targets {
                        if std::mem::replace(&mut seen[*target], pass) != pass {
                            match found.len() < MOST_LINKS {
                                true => found.push(*target),
                                false => many = true,
                            }
                        }
                    }
                }
                pass += 1;
                cut |= many;
                done[id] = true;
                grown |= found.len() > beyond[id].len();
                beyond[id] = found;
            }
            again = late && grown;
        }
        (beyond, cut)
    }

    /// Creates the groups from the innermost expanded namespace of each displayed vertex.
    fn group(&mut self, spaces: &Namespaces<'_>, space_of: &[Option<usize>]) {
        let mut used = vec![false; spaces.names.len()];
        for space in space_of {
            let mut at = *space;
            while let Some(space) = at.filter(|space| !used[*space]) {
                used[space] = true;
                at = spaces.parents[space];
            }
        }
        let mut group = vec![None; used.len()];
        for space in (0..used.len()).filter(|space| used[*space]) {
            group[space] = Some(self.groups.len());
            let parent = spaces.parents[space].and_then(|parent| group[parent]);
            self.groups.push(Group { name: spaces.names[space].to_owned(), parent });
        }
        self.group_of = space_of.iter().map(|space| space.and_then(|space| group[space])).collect();
    }
}

/// Removes datasets that only collapsed namespaces write and read, if more than `most` vertices would be
/// displayed besides the namespaces. In a large graph such datasets would be most of the display.
fn hide_between(
    whole: &Graph,
    spaces: &Namespaces<'_>,
    stands: &[Option<usize>],
    most: usize,
    fates: &mut [Fate],
) {
    let collapsed = |id: &Id| spaces.home[*id].is_some_and(|space| stands[space].is_some());
    let shown = (0..fates.len()).filter(|id| fates[*id] == Fate::Shown && !collapsed(id)).count();
    if shown <= most {
        return;
    }
    for (id, vertex) in whole.vertices.iter().enumerate() {
        let made = !whole.parents[id].is_empty();
        let mut users = whole.parents[id].iter().chain(&whole.children[id]);
        let hidden = vertex.kind == VertexKind::Dataset && made && users.all(collapsed);
        if hidden && fates[id] == Fate::Shown {
            fates[id] = Fate::Bridged;
        }
    }
}

/// Decides how each vertex of the whole graph is displayed.
fn fates(
    whole: &Graph,
    spaces: &Namespaces<'_>,
    choices: &Choices,
    passes: impl Fn(Id) -> bool,
) -> Vec<Fate> {
    let detail = choices.detail;
    let displayed = |kind: VertexKind| match kind {
        VertexKind::Node | VertexKind::Namespace => true,
        VertexKind::Dataset => detail != Detail::NodesAlone,
        VertexKind::Parameters => detail == Detail::All,
    };
    let focus = choices.focus.as_ref().and_then(|focus| focus.part(whole, spaces, displayed));
    let inside = |id: Id| focus.as_ref().is_none_or(|part| part.inside[id]);
    let starts = |id: Id| focus.as_ref().is_some_and(|part| part.start.contains(&id));
    let vertices = || whole.vertices.iter().enumerate();
    let mut fates: Vec<Fate> = vertices()
        .map(|(id, vertex)| match vertex.kind {
            _ if starts(id) => Fate::Shown,
            VertexKind::Parameters if !displayed(vertex.kind) && passes(id) => Fate::Counted,
            _ if !inside(id) => Fate::Outside,
            kind if !displayed(kind) || !passes(id) => Fate::Bridged,
            _ => Fate::Shown,
        })
        .collect();
    let shown = fates.iter().filter(|fate| **fate == Fate::Shown).count();
    if shown > choices.limits.with_hubs {
        for (id, vertex) in vertices() {
            let readers = || whole.children[id].iter().filter(|child| inside(**child)).count();
            let data = matches!(vertex.kind, VertexKind::Dataset | VertexKind::Parameters);
            let hub = data && inside(id) && !starts(id);
            if hub && readers() >= choices.limits.hub_readers {
                fates[id] = Fate::Counted;
            }
        }
    }
    fates
}
