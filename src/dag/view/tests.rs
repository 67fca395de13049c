//! Tests of views, by examples and for any pipeline.

use std::collections::{BTreeSet, HashSet};

use proptest::prelude::*;

use super::super::samples::{any_pipeline, graph, id, large};
use super::*;
use crate::dag::Slice;

const SHOP: &str = "
    orders params:date -> prep.clean #prep -> prep.tidy
    prep.tidy params:rate params:date -> prep.join #prep -> table
    table -> ml.split -> ml.left ml.right
    ml.left -> ml.deep.fit #train -> ml.deep.net
    ml.deep.net -> ml.deep.pack #train -> ml.model
    ml.model ml.right -> ml.score -> report
";

/// The displayed graph as lines: `name in group [hidden]: children`; cycles are marked with `*`.
fn text(view: &View) -> String {
    let line = |id: Id| {
        let vertex = &view.graph.vertices[id];
        let group = view.group_of[id].map(|group| format!(" in {}", view.groups[group].name));
        let hidden = view.hidden_inputs[id].len();
        let hidden = if hidden == 0 { String::new() } else { format!(" [{hidden}]") };
        let child = |to: &Id| {
            let star = if view.on_cycle(id, *to) { "*" } else { "" };
            format!(" {}{star}", view.graph.vertices[*to].name)
        };
        let children: String = view.graph.children[id].iter().map(child).collect();
        let kind = if vertex.kind == VertexKind::Namespace { "+" } else { "" };
        format!("{kind}{}{}{hidden}:{children}", vertex.name, group.unwrap_or_default())
    };
    (0..view.graph.vertices.len()).map(line).collect::<Vec<_>>().join("\n")
}

fn folded(expanded: &[&str], collapsed: &[&str]) -> BTreeMap<String, Fold> {
    let all = |names: &[&str], fold| {
        names.iter().map(move |name| ((*name).to_owned(), fold)).collect::<Vec<_>>()
    };
    all(expanded, Fold::Expanded).into_iter().chain(all(collapsed, Fold::Collapsed)).collect()
}

#[test]
fn a_small_graph_is_expanded_and_free_inputs_and_outputs_lie_outside() {
    let view = View::of(&graph(SHOP), &Choices::default(), |_| true);
    assert_eq!(
        text(&view),
        "prep.clean in prep [1]: prep.tidy\n\
         orders: prep.clean\n\
         prep.tidy in prep: prep.join\n\
         prep.join in prep [2]: table\n\
         table: ml.split\n\
         ml.split in ml: ml.left ml.right\n\
         ml.left in ml: ml.deep.fit\n\
         ml.right in ml: ml.score\n\
         ml.deep.fit in ml.deep: ml.deep.net\n\
         ml.deep.net in ml.deep: ml.deep.pack\n\
         ml.deep.pack in ml.deep: ml.model\n\
         ml.model in ml: ml.score\n\
         ml.score in ml: report\n\
         report:"
    );
    let groups: Vec<_> =
        view.groups.iter().map(|group| (group.short_name(), group.parent)).collect();
    assert_eq!(groups, [("prep", None), ("ml", None), ("deep", Some(1))]);
}

#[test]
fn collapsed_namespaces_are_one_vertex_each() {
    let whole = graph(SHOP);
    let choices = Choices { folds: folded(&[], &["prep", "ml.deep"]), ..Choices::default() };
    let view = View::of(&whole, &choices, |_| true);
    assert_eq!(
        text(&view),
        "+prep [2]: table\n\
         orders: prep\n\
         table: ml.split\n\
         ml.split in ml: ml.left ml.right\n\
         ml.left in ml: ml.deep\n\
         ml.right in ml: ml.score\n\
         +ml.deep in ml: ml.model\n\
         ml.model in ml: ml.score\n\
         ml.score in ml: report\n\
         report:"
    );
    let deep = view.graph.find(VertexKind::Namespace, "ml.deep").unwrap();
    let names: Vec<&str> =
        view.members[deep].iter().map(|id| whole.vertices[*id].name.as_str()).collect();
    assert_eq!(names, ["ml.deep.fit", "ml.deep.net", "ml.deep.pack"]);
    assert_eq!(view.shown_by[id(&whole, "ml.deep.net")], Some(deep));
    assert_eq!(view.shown_by[id(&whole, "params:rate")], None);
    let inner = Choices { folds: folded(&["ml.deep"], &["ml"]), ..Choices::default() };
    let view = View::of(&whole, &inner, |_| true);
    assert!(
        view.graph.find(VertexKind::Namespace, "ml").is_some(),
        "the outer one hides the inner one"
    );
    assert_eq!(view.graph.find(VertexKind::Node, "ml.deep.fit"), None);
}

#[test]
fn a_large_graph_is_collapsed_but_for_what_was_expanded() {
    let whole = graph(SHOP);
    let limits = Limits { expanded: 13, ..Limits::default() };
    let choices = Choices { limits, ..Choices::default() };
    let view = View::of(&whole, &choices, |_| true);
    let names = "+prep [2]: table\norders: prep\ntable: ml\n+ml: report\nreport:";
    assert_eq!(text(&view), names);
    let view = View::of(&whole, &Choices { folds: folded(&["ml"], &[]), ..choices }, |_| true);
    assert!(view.graph.find(VertexKind::Namespace, "ml.deep").is_some(), "what lies within stays");
    assert!(view.graph.find(VertexKind::Node, "ml.score").is_some());
}

#[test]
fn many_datasets_between_collapsed_namespaces_are_hidden() {
    let whole = graph("a -> x.one -> b c d\nb c d -> y.two -> e\ne -> z -> f");
    let limits = Limits { expanded: 4, ..Limits::default() };
    let view = View::of(&whole, &Choices { limits, ..Choices::default() }, |_| true);
    assert_eq!(text(&view), "+x: y\na: x\n+y: e\ne: z\nz: f\nf:");
    let limits = Limits { expanded: 7, ..Limits::default() };
    let view = View::of(&whole, &Choices { limits, ..Choices::default() }, |_| true);
    assert!(view.graph.find(VertexKind::Dataset, "b").is_some());
}

#[test]
fn a_cycle_made_by_collapsing_is_marked() {
    let whole = graph("raw -> a.one -> x\nx -> b -> y\ny -> a.two -> z\nz -> end -> e");
    let choices = Choices { folds: folded(&[], &["a"]), ..Choices::default() };
    let view = View::of(&whole, &choices, |_| true);
    assert_eq!(text(&view), "+a: x* z\nraw: a\nx: b*\nb: y*\ny: a*\nz: end\nend: e\ne:");
}

#[test]
fn datasets_that_need_no_prefix_still_lie_in_their_namespace() {
    let whole = graph("raw -> a.one -> x\nx -> a.b.two -> y\ny -> a.b.three -> z");
    let view = View::of(&whole, &Choices::default(), |_| true);
    assert_eq!(
        text(&view),
        "a.one in a: x\nraw: a.one\nx in a: a.b.two\na.b.two in a.b: y\ny in a.b: a.b.three\n\
         a.b.three in a.b: z\nz:"
    );
}

#[test]
fn nodes_alone_are_linked_where_datasets_link_them() {
    let choices = Choices { detail: Detail::NodesAlone, ..Choices::default() };
    let view = View::of(&graph(SHOP), &choices, |_| true);
    assert_eq!(
        text(&view),
        "prep.clean in prep [1]: prep.join\n\
         prep.join in prep [2]: ml.split\n\
         ml.split in ml: ml.deep.fit ml.score\n\
         ml.deep.fit in ml.deep: ml.deep.pack\n\
         ml.deep.pack in ml.deep: ml.score\n\
         ml.score in ml:"
    );
}

#[test]
fn links_through_removed_vertices_stay() {
    let whole = graph(SHOP);
    let kept = ["orders", "prep.tidy", "ml.score"];
    let passes = |id: Id| kept.contains(&whole.vertices[id].name.as_str());
    let view = View::of(&whole, &Choices::default(), passes);
    assert_eq!(text(&view), "orders: prep.tidy\nprep.tidy in prep: ml.score\nml.score in ml:");
}

#[test]
fn a_focus_shows_the_neighbourhood() {
    let whole = graph(SHOP);
    let around = |kind, name: &str, ancestors, descendants, detail| {
        let focus = Focus::Around { kind, name: name.to_owned(), ancestors, descendants };
        let choices = Choices { focus: Some(focus), detail, ..Choices::default() };
        let view = View::of(&whole, &choices, |_| true);
        let names = view.graph.vertices.iter().map(|vertex| vertex.name.as_str());
        names.collect::<Vec<_>>().join(" ")
    };
    let (one, two) = (Some(1), Some(2));
    let data = Detail::NoParameters;
    assert_eq!(
        around(VertexKind::Node, "ml.split", one, one, data),
        "table ml.split ml.left ml.right"
    );
    assert_eq!(
        around(VertexKind::Node, "ml.deep.fit", two, Some(0), data),
        "ml.split ml.left ml.deep.fit"
    );
    // Only displayed vertices count as steps.
    let alone = Detail::NodesAlone;
    assert_eq!(
        around(VertexKind::Node, "ml.deep.fit", two, Some(0), alone),
        "prep.join ml.split ml.deep.fit"
    );
    assert_eq!(around(VertexKind::Dataset, "table", one, one, alone), "prep.join table ml.split");
    assert_eq!(
        around(VertexKind::Node, "prep.join", None, Some(0), Detail::All).split(' ').count(),
        6
    );
    assert_eq!(
        around(VertexKind::Namespace, "ml.deep", one, one, data),
        "ml.left ml.deep.fit ml.deep.net ml.deep.pack ml.model"
    );
    assert_eq!(around(VertexKind::Node, "gone", one, one, data).split(' ').count(), 14);
}

#[test]
fn the_slice_that_is_displayed_is_the_one_that_runs() {
    let pipeline = super::super::samples::pipeline(SHOP);
    let whole = Graph::of(&pipeline);
    let between = |from: &[&str], to: &[&str]| {
        let ids = |names: &[&str]| names.iter().map(|name| id(&whole, name)).collect::<Vec<_>>();
        Slice::between(&whole, &ids(from), &ids(to))
    };
    let slice = between(&["ml.left"], &["ml.model"]);
    assert_eq!(
        (slice.from_inputs.join(" "), slice.to_outputs.join(" ")),
        ("ml.left".into(), "ml.model".into())
    );
    let nodes = slice.apply(&pipeline).unwrap();
    assert_eq!(nodes, ["ml.deep.fit", "ml.deep.pack"]);
    let focus = Some(Focus::Nodes(nodes));
    let view = View::of(&whole, &Choices { focus, ..Choices::default() }, |_| true);
    assert_eq!(
        text(&view),
        "ml.left in ml: ml.deep.fit\n\
         ml.deep.fit in ml.deep: ml.deep.net\n\
         ml.deep.net in ml.deep: ml.deep.pack\n\
         ml.deep.pack in ml.deep: ml.model\n\
         ml.model in ml:"
    );
    let slice = between(&["prep.join"], &["ml.split"]);
    assert_eq!(slice.apply(&pipeline).unwrap(), ["prep.join", "ml.split"]);
    // A collapsed namespace: the slice starts at the readers of its datasets.
    let slice = between(&["prep.clean", "prep.tidy", "prep.join"], &["table"]);
    assert_eq!(slice.apply(&pipeline).unwrap(), ["prep.clean", "prep.join"]);
    assert!(between(&["report"], &["orders"]).apply(&pipeline).is_err());
}

#[test]
fn hubs_of_a_large_graph_are_counted_where_they_are_read() {
    let whole = Graph::of(&large(400));
    let limits = Limits { expanded: usize::MAX, ..Limits::default() };
    let choices = Choices { limits, ..Choices::default() };
    let view = View::of(&whole, &choices, |_| true);
    assert_eq!(view.shown_by[id(&whole, "hub")], None);
    let node = view.shown_by[id(&whole, "s5.t0.n45")].unwrap();
    let hidden: BTreeSet<&str> =
        view.hidden_inputs[node].iter().map(|id| whole.vertices[*id].name.as_str()).collect();
    assert_eq!(hidden, BTreeSet::from(["hub", "params:p5"]));
    let focus = Focus::Around {
        kind: VertexKind::Dataset,
        name: "hub".into(),
        ancestors: None,
        descendants: Some(1),
    };
    let view = View::of(&whole, &Choices { focus: Some(focus), ..choices }, |_| true);
    assert!(view.shown_by[id(&whole, "hub")].is_some(), "what the focus starts from is displayed");
}

#[test]
fn the_worst_status_comes_first() {
    use crate::dag::staleness::Freshness;
    let status = NodeStatus::of;
    let through = Freshness::StaleThrough { node: "a".into() };
    assert_eq!(status(Some(RunState::Done), Some(&through)), NodeStatus::StaleThrough);
    assert_eq!(status(Some(RunState::Running), Some(&Freshness::Fresh)), NodeStatus::Running);
    assert_eq!(status(Some(RunState::Done), None), NodeStatus::Done);
    assert_eq!(status(None, None), NodeStatus::NeverRun);
    let sum: Sum = [NodeStatus::Fresh, NodeStatus::Stale, NodeStatus::Running, NodeStatus::Fresh]
        .into_iter()
        .collect();
    assert_eq!(
        (sum.worst(), sum.count(NodeStatus::Fresh), sum.total()),
        (Some(NodeStatus::Running), 2, 4)
    );
    let counts: Vec<_> = sum.counts().collect();
    assert_eq!(counts, [(NodeStatus::Running, 1), (NodeStatus::Stale, 1), (NodeStatus::Fresh, 2)]);
    assert_eq!(Sum::default().worst(), None);
    for state in NodeStatus::ALL {
        assert_eq!(NodeStatus::of_rank(state.rank()), Some(state));
    }
    assert!(NodeStatus::ALL.is_sorted());
}

/// Random choices for the pipelines of [`any_pipeline`].
fn any_choices() -> impl Strategy<Value = Choices> {
    let names = ["a", "a.b", "a.b.c", "d", "d.e", "gone"];
    let detail =
        prop_oneof![Just(Detail::All), Just(Detail::NoParameters), Just(Detail::NodesAlone)];
    let steps = || proptest::option::of(0..4_usize);
    let focus = proptest::option::of((0..14_usize, steps(), steps(), any::<bool>()));
    let folds = proptest::collection::btree_map(0..names.len(), any::<bool>(), 0..4);
    (detail, folds, focus, 0..30_usize, 2..9_usize).prop_map(
        move |(detail, folds, focus, expanded, hub_readers)| {
            let fold = |(at, open)| {
                let fold = if open { Fold::Expanded } else { Fold::Collapsed };
                (String::from(names[at]), fold)
            };
            let focus = focus.map(|(at, ancestors, descendants, data)| {
                let (kind, name) = match data {
                    true => (VertexKind::Dataset, format!("x{at}")),
                    false => (VertexKind::Namespace, names[at % names.len()].to_owned()),
                };
                Focus::Around { kind, name, ancestors, descendants }
            });
            let limits = Limits { expanded, with_hubs: expanded, hub_readers };
            Choices { detail, folds: folds.into_iter().map(fold).collect(), focus, limits }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_view_represents_its_graph(
        pipeline in any_pipeline(),
        choices in any_choices(),
        refused in proptest::collection::hash_set(0..60_usize, 0..20),
    ) {
        let whole = Graph::of(&pipeline);
        let view = View::of(&whole, &choices, |id| !refused.contains(&id));
        let count = view.graph.vertices.len();
        prop_assert_eq!(view.members.len(), count);
        prop_assert_eq!(view.group_of.len(), count);
        prop_assert_eq!(view.hidden_inputs.len(), count);
        // `members` and `shown_by` are inverse.
        let stood: usize = view.members.iter().map(Vec::len).sum();
        prop_assert_eq!(stood, view.shown_by.iter().flatten().count());
        for (shown, members) in view.members.iter().enumerate() {
            let vertex = &view.graph.vertices[shown];
            prop_assert!(!members.is_empty() && members.is_sorted());
            prop_assert_eq!(view.graph.find(vertex.kind, &vertex.name), Some(shown));
            for member in members {
                prop_assert_eq!(view.shown_by[*member], Some(shown));
                let whole_vertex = &whole.vertices[*member];
                if vertex.kind != VertexKind::Namespace {
                    prop_assert_eq!(whole_vertex, vertex);
                } else if let Some(namespace) = whole_vertex.namespace() {
                    let rest = namespace.strip_prefix(vertex.name.as_str());
                    prop_assert!(rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.')));
                }
            }
        }
        // Groups are expanded namespaces around their vertices.
        for (at, group) in view.groups.iter().enumerate() {
            prop_assert!(group.parent.is_none_or(|parent| parent < at));
            let outer = group.name.rsplit_once('.').map(|(outer, _)| outer.to_owned());
            prop_assert_eq!(group.parent.map(|parent| view.groups[parent].name.clone()), outer);
            prop_assert_ne!(choices.folds.get(&group.name), Some(&Fold::Collapsed));
            prop_assert_eq!(view.graph.find(VertexKind::Namespace, &group.name), None);
        }
        for (shown, vertex) in view.graph.vertices.iter().enumerate() {
            let group = view.group_of[shown].map(|group| view.groups[group].name.as_str());
            match vertex.kind {
                VertexKind::Node => prop_assert_eq!(group, vertex.namespace()),
                VertexKind::Namespace => prop_assert_eq!(
                    group,
                    vertex.name.rsplit_once('.').map(|(outer, _)| outer)
                ),
                VertexKind::Parameters => prop_assert_eq!(group, None),
                VertexKind::Dataset => {}
            }
        }
        // `parents` and `children` describe the same edges.
        let edges: BTreeSet<(Id, Id)> = (view.graph.children.iter().enumerate())
            .flat_map(|(from, children)| children.iter().map(move |to| (from, *to)))
            .collect();
        let back: BTreeSet<(Id, Id)> = (view.graph.parents.iter().enumerate())
            .flat_map(|(to, parents)| parents.iter().map(move |from| (*from, to)))
            .collect();
        prop_assert_eq!(&edges, &back);
        prop_assert_eq!(view.graph.children.iter().map(Vec::len).sum::<usize>(), edges.len());
    }

    #[test]
    fn links_are_the_paths_through_removed_vertices(
        pipeline in any_pipeline(),
        detail in prop_oneof![Just(Detail::All), Just(Detail::NodesAlone)],
        collapsed in any::<bool>(),
        refused in proptest::collection::hash_set(0..60_usize, 0..30),
    ) {
        let whole = Graph::of(&pipeline);
        let folds = if collapsed { folded(&[], &["a.b", "d"]) } else { folded(&[], &[]) };
        let view = View::of(&whole, &Choices { detail, folds, ..Choices::default() }, |id| {
            !refused.contains(&id)
        });
        prop_assert!(!view.cut);
        let mut expected = BTreeSet::new();
        for (start, from) in view.shown_by.iter().enumerate() {
            let Some(from) = from else { continue };
            let (mut stack, mut seen) = (vec![start], HashSet::new());
            while let Some(at) = stack.pop() {
                for child in &whole.children[at] {
                    match view.shown_by[*child] {
                        Some(to) => drop(expected.insert((*from, to))),
                        None if seen.insert(*child) => stack.push(*child),
                        None => {}
                    }
                }
            }
        }
        // A dataset that a namespace makes and reads itself has no edge back to it.
        let its_own = |from: Id, to: Id| {
            let (vertex, space) = (&view.graph.vertices[from], &view.graph.vertices[to]);
            let writers = &whole.parents[view.members[from][0]];
            (vertex.kind, space.kind) == (VertexKind::Dataset, VertexKind::Namespace)
                && !writers.is_empty()
                && writers.iter().all(|writer| view.shown_by[*writer] == Some(to))
        };
        expected.retain(|(from, to)| from != to && !its_own(*from, *to));
        let edges: BTreeSet<(Id, Id)> = (view.graph.children.iter().enumerate())
            .flat_map(|(from, children)| children.iter().map(move |to| (from, *to)))
            .collect();
        prop_assert_eq!(edges, expected);
    }
}
