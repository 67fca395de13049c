//! Graphs that look like the pipelines of large Kedro projects, from a seed.
//!
//! Nodes lie in stages and in namespaces. A node reads mostly what its own namespace made in the stage before, now and
//! then what another namespace or a much earlier stage made, or a source of its own. A few datasets are read by many
//! (hubs), a few nodes read many (reports). Every dataset has one producer at most, as in Kedro. Edges per vertex come
//! to about 1.1, which is a mean degree of about 2.2. [`Family`] varies this.

/// A kind of generated graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// A namespace for every 60 vertices, few hubs.
    Mixed,
    /// A namespace for every 25 vertices.
    Modular,
    /// Many datasets that are read all over the graph.
    Hubs,
    /// Inputs from anywhere before, the later the likelier; deep graphs.
    Recent,
    /// No namespaces: inputs from anywhere in the stages before.
    Flat,
}

impl Family {
    /// All families.
    pub const ALL: [Family; 5] =
        [Family::Mixed, Family::Modular, Family::Hubs, Family::Recent, Family::Flat];

    fn shape(self) -> Shape {
        let mixed =
            Shape { per_space: 60, hub_every: 150, from_hub: 4, from_elsewhere: 11, recent: false };
        match self {
            Family::Mixed => mixed,
            Family::Modular => Shape { per_space: 25, ..mixed },
            Family::Hubs => Shape { hub_every: 40, from_hub: 16, ..mixed },
            Family::Recent => Shape { recent: true, ..mixed },
            Family::Flat => Shape { per_space: usize::MAX, ..mixed },
        }
    }
}

/// The parameters of a family.
struct Shape {
    /// Vertices for each namespace; `usize::MAX` for no namespaces.
    per_space: usize,
    /// One of so many datasets becomes a hub.
    hub_every: usize,
    /// Percentage of inputs that are hubs.
    from_hub: usize,
    /// Percentage of inputs that may be from another namespace.
    from_elsewhere: usize,
    /// Whether inputs are the recent datasets of any stage instead of mostly those of the stage before.
    recent: bool,
}

impl Shape {
    fn spaces(&self, count: usize) -> usize {
        if self.per_space == usize::MAX { 1 } else { (count / self.per_space).max(2) }
    }
}

/// A generated graph; vertices are numbered from 0.
#[derive(Debug, Clone, Default)]
pub struct Generated {
    /// Name, with the namespace before it, of each vertex.
    pub names: Vec<String>,
    /// Whether each vertex is a node and not a dataset.
    pub is_node: Vec<bool>,
    /// The namespace of each vertex, if it has one.
    pub namespaces: Vec<Option<usize>>,
    /// Source and target of each edge, each pair once.
    pub edges: Vec<(usize, usize)>,
}

/// Random numbers from a seed (SplitMix64), the same on every machine.
pub struct Random(u64);

impl Random {
    /// A sequence for a seed.
    pub fn new(seed: u64) -> Self {
        Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0x5851_F42D_4C95_7F2D)
    }

    /// The next number below `end`, which is not 0.
    pub fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (((z ^ (z >> 31)) >> 32) as usize * end) >> 32
    }

    /// Whether something happens that happens `percent` times in 100.
    pub fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }
}

impl Generated {
    /// A graph of exactly `count` vertices.
    pub fn new(count: usize, seed: u64) -> Self {
        Generated::of(Family::Mixed, count, seed)
    }

    /// A graph of a family, of exactly `count` vertices.
    pub fn of(family: Family, count: usize, seed: u64) -> Self {
        let shape = family.shape();
        let mut random = Random::new(seed ^ ((count as u64) << 32));
        let mut graph = Generated::default();
        let stages = (3.0 * (count as f64).powf(0.22)).round().max(1.0) as usize;
        let spaces = shape.spaces(count);
        // What each namespace has made in each stage.
        let mut made: Vec<Vec<Vec<usize>>> = vec![vec![Vec::new(); stages]; spaces];
        let mut hubs: Vec<(usize, usize)> = Vec::new();
        let per_stage = (count as f64 / 2.25 / stages as f64).ceil().max(1.0) as usize;
        'all: for stage in 0..stages {
            for _ in 0..per_stage {
                let space = random.below(spaces);
                let Some(node) = graph.add(true, space, stage, count) else { break 'all };
                let reads = match random.below(100) {
                    0..56 => 1,
                    56..87 => 2,
                    87..98 => 3,
                    _ => 6 + random.below(10),
                };
                for _ in 0..reads {
                    let from = graph.pick(&mut random, &shape, &made, &hubs, (space, stage));
                    let from = match from {
                        Some(from) => from,
                        None => match graph.add(false, space, stage, count) {
                            Some(source) => source,
                            None => break 'all,
                        },
                    };
                    graph.connect(from, node);
                }
                let writes = match random.below(100) {
                    0..88 => 1,
                    88..97 => 2,
                    _ => 3,
                };
                for _ in 0..writes {
                    let Some(to) = graph.add(false, space, stage, count) else { break 'all };
                    graph.connect(node, to);
                    made[space][stage].push(to);
                    if random.below(shape.hub_every) == 0 {
                        hubs.push((stage, to));
                    }
                }
            }
        }
        while graph.names.len() < count {
            // Reports at the end fill up what is missing.
            let node = graph.add(true, 0, stages, count);
            let from = random.below(graph.names.len() - 1);
            if let Some(node) = node
                && !graph.is_node[from]
            {
                graph.connect(from, node);
            }
        }
        if family == Family::Flat {
            graph.namespaces.fill(None);
            for name in &mut graph.names {
                *name = name.trim_start_matches("team_0.").to_owned();
            }
        }
        graph
    }

    fn add(&mut self, node: bool, space: usize, stage: usize, count: usize) -> Option<usize> {
        let id = self.names.len();
        let what = if node { "node" } else { "data" };
        (id < count).then(|| {
            self.names.push(format!("team_{space}.{what}_{stage}_{id}"));
            self.is_node.push(node);
            self.namespaces.push(Some(space));
            id
        })
    }

    fn connect(&mut self, from: usize, to: usize) {
        if !self.edges.iter().rev().take(64).any(|edge| *edge == (from, to)) {
            self.edges.push((from, to));
        }
    }

    /// A dataset for a node to read; `None` for a new source.
    fn pick(
        &self,
        random: &mut Random,
        shape: &Shape,
        made: &[Vec<Vec<usize>>],
        hubs: &[(usize, usize)],
        (space, stage): (usize, usize),
    ) -> Option<usize> {
        let chance = random.below(100);
        if chance < 9 || stage == 0 && !shape.recent {
            return None;
        }
        let (hub, elsewhere) = (9 + shape.from_hub, 9 + shape.from_hub + shape.from_elsewhere);
        if chance < hub {
            let earlier = hubs.iter().take_while(|(made, _)| *made < stage).count();
            return (earlier > 0).then(|| hubs[random.below(earlier)].1);
        }
        let space = if chance < elsewhere { random.below(made.len()) } else { space };
        if shape.recent {
            let all = made[space].iter().flatten();
            // The smallest of three numbers: half of all inputs are among the last fifth.
            let count = all.clone().count();
            let back = (0..3).map(|_| random.below(count.max(1))).min()?;
            return all.rev().nth(back).copied();
        }
        let back = match random.below(100) {
            0..78 => 1,
            78..90 => 2,
            _ => 1 + random.below(stage),
        };
        let from = stage.saturating_sub(back);
        let found = made[space][..=from].iter().rev().find(|made| !made.is_empty())?;
        Some(found[random.below(found.len())])
    }
}

/// The same as a pipeline of Kedro, in a project that has nothing else.
impl Generated {
    /// What a node reads (`inputs`) or writes, by vertex.
    fn used(&self, node: usize, inputs: bool) -> Vec<String> {
        let edges = self.edges.iter().filter_map(|(from, to)| match inputs {
            true => (*to == node).then_some(*from),
            false => (*from == node).then_some(*to),
        });
        edges.map(|data| self.names[data].clone()).collect()
    }

    /// As a snapshot of a project.
    pub fn snapshot(&self) -> mlops_tui::project::Snapshot {
        use mlops_tui::project::{Node, Pipeline, Snapshot};
        let (mut inputs, mut outputs) =
            (vec![Vec::new(); self.names.len()], vec![Vec::new(); self.names.len()]);
        for (from, to) in &self.edges {
            match self.is_node[*to] {
                true => inputs[*to].push(self.names[*from].clone()),
                false => outputs[*from].push(self.names[*to].clone()),
            }
        }
        let nodes = (0..self.names.len()).filter(|id| self.is_node[*id]).map(|id| {
            let namespace = self.namespaces[id].map(|space| format!("team_{space}"));
            let (inputs, outputs) = (inputs[id].clone(), outputs[id].clone());
            let name = self.names[id].clone();
            std::sync::Arc::new(Node { name, namespace, inputs, outputs, ..Node::default() })
        });
        let (name, nodes) = ("__default__".to_owned(), nodes.collect());
        let pipeline = Pipeline { name, nodes, complete: true, ..Pipeline::default() };
        Snapshot { pipelines: vec![pipeline], ..Snapshot::default() }
    }

    /// As files of a project in a folder.
    pub fn write(&self, root: &std::path::Path) {
        let write = |path: &str, text: &str| {
            let path = root.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        let tool = "[tool.kedro]\npackage_name = \"big\"\nproject_name = \"Big\"\n\
                    kedro_init_version = \"1.7.0\"\n";
        write("pyproject.toml", tool);
        write("conf/base/catalog.yml", "");
        write("conf/local/credentials.yml", "");
        write("src/big/__init__.py", "");
        write("src/big/settings.py", "");
        write("src/big/nodes.py", "def work(*data):\n    return data\n");
        let nodes: Vec<usize> = (0..self.names.len()).filter(|id| self.is_node[*id]).collect();
        let (mut imports, mut sum) = (String::new(), String::new());
        for (part, nodes) in nodes.chunks(200).enumerate() {
            let mut text =
                "from kedro.pipeline import node, pipeline\n\nfrom ..nodes import work\n\n\n\
                            def create_pipeline():\n    return pipeline([\n"
                    .to_owned();
            for id in nodes {
                let (inputs, outputs) = (self.used(*id, true), self.used(*id, false));
                let short = self.names[*id].rsplit('.').next().unwrap();
                let space = self.namespaces[*id].map_or(0, |space| space);
                text.push_str(&format!(
                    "        node(work, {inputs:?}, {outputs:?}, name={short:?}, namespace=\"team_{space}\"),\n"
                ));
            }
            text.push_str("    ])\n");
            write(&format!("src/big/pipelines/part_{part}.py"), &text);
            imports.push_str(&format!("from .pipelines import part_{part}\n"));
            sum.push_str(&format!(" + part_{part}.create_pipeline()"));
        }
        write("src/big/pipelines/__init__.py", "");
        let text = format!(
            "{imports}\n\ndef register_pipelines():\n    return {{\"__default__\": {}}}\n",
            sum.trim_start_matches(" + ")
        );
        write("src/big/pipeline_registry.py", &text);
    }
}
