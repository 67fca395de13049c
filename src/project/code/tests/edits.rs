//! Edits of a multi-module project: the nodes that each edit affects, and the definitions that it
//! changes.

use std::collections::BTreeSet;

use super::project::{FILES, VALUES};
use super::{Project, changed};

/// A file, the text to replace in it, the new text, the affected nodes, and the names of the
/// definitions that were changed, added or removed.
type Edit = (&'static str, &'static str, &'static str, &'static str, &'static str);

#[rustfmt::skip]
const EDITS: &[Edit] = &[
    // Edits without a meaning.
    ("nodes.py", "    # A comment.\n", "", "", ""),
    ("nodes.py", "def train", "# New.\n\n\n\ndef train", "", ""),
    ("nodes.py", "\"\"\"Cleans.\"\"\"", "\"\"\"Cleans well.\"\"\"", "", ""),
    ("nodes.py", "    \"\"\"Cleans.\"\"\"\n", "", "", ""),
    ("nodes.py", "def train(b, scaler=Scaler):\n", "def train(b, scaler=Scaler):\n    'Trains.'\n", "", ""),
    ("nodes.py", "\"\"\"Nodes.\"\"\"", "\"\"\"The nodes.\"\"\"", "", ""),
    ("nodes.py", "a: int, flag: bool = True) -> str", "a, flag=True)", "", ""),
    ("nodes.py", "a: int, flag: bool", "a: 'list[int]', flag: object", "", ""),
    ("nodes.py", "LIMIT: int = 10", "LIMIT = 10", "", ""),
    ("nodes.py", "','.join(kept)", "(\n        \",\" . join (kept,)\n    )", "", ""),
    ("nodes.py", "kept = [", "kept: list = [", "", ""),
    ("nodes.py", "['a', 'b']", "[\n    \"a\",\n    \"b\",\n]", "", ""),
    ("nodes.py", "LIMIT: int = 10", "LIMIT: int = 1_0", "", ""),
    ("nodes.py", "def rows(h):\n    return h[:ROWS]", "def rows(h):\n\treturn (h [ : ROWS ])", "", ""),
    ("nodes.py", "    return x\n", "    pass\n    return x\n", "", ""),
    ("tools/maths.py", "\"\"\"Scales.\"\"\"\n    size", "size", "", ""),
    ("tools/maths.py", "    pass\n", "    \"\"\"The type of scalers.\"\"\"\n", "", ""),
    ("choices.py", "def label(self) -> str", "def label(self)", "", ""),
    // Code that no node uses.
    ("nodes.py", "def unused(x):\n    return x", "def unused(x):\n    return x + 1", "", ""),
    ("nodes.py", "def unused", "def new():\n    return 1\n\ndef unused", "", ""),
    ("tools/text.py", "def other(text):\n    return text", "def other(text):\n    return text * 2", "", ""),
    ("tools/text.py", "    from pkg.nodes import unused", "    from pkg.nodes import clean", "", ""),
    ("tools/maths.py", "return sum(xs)", "return sum(xs) + 1", "", ""),
    ("__init__.py", "VERSION = '1'", "VERSION = '2'", "", ""),
    ("steps.py", "def step_two(x):\n    return x", "def step_two(x):\n    return -x", "", ""),
    ("speed.py", "def slow(x):\n    return x", "def slow(x):\n    return -x", "", ""),
    ("state.py", "return 0", "return 1", "", ""),
    ("registry.py", "def untouched(x):\n    return x", "def untouched(x):\n    return -x", "", ""),
    ("values.py", "BIG, SMALL = 2, 1", "BIG, SMALL = 3, 1", "", ""),
    ("settings_like.py", "return 'other'", "return 'others'", "", ""),
    ("pipeline_registry.py", "unrelated = 1", "unrelated = 2", "", ""),
    ("plugins/__init__.py", "NAMES = ['one']", "NAMES = ['two']", "", ""),
    ("state.py", "def idle", "if __name__ == '__main__':\n    bump()\n\ndef idle", "", ""),
    ("state.py", "COUNT = 0\nLIMITS = {}\n\n", "LIMITS = {}\nCOUNT = 0\n", "", ""),
    // Functions and the functions that they call.
    ("nodes.py", "','.join", "';'.join", "clean", "nodes.clean"),
    ("nodes.py", "flag: bool = True", "flag: bool = False", "clean", "nodes.clean"),
    ("nodes.py", "if row in COLUMNS", "if row not in COLUMNS", "clean", "nodes.clean"),
    ("nodes.py", "scale(b) + mean(b)", "scale(b) - mean(b)", "train", "nodes.train"),
    ("tools/text.py", "' ', text", "'_', text", "clean lambda", "tools.text.strip"),
    ("steps.py", "x / 2", "x / 3", "score", "steps._half"),
    ("nodes.py", "if x > threshold", "if x >= threshold", "score", "nodes.score"),
    ("nodes.py", "return h[:ROWS]", "return h[ROWS:]", "rows", "nodes.rows"),
    ("nodes.py", "return engine(i) * by", "return engine(i) + by", "partial", "nodes.scaled"),
    ("speed.py", "def fast(x):\n    return x", "def fast(x):\n    return -x", "partial", "speed.fast"),
    ("tools/maths.py", "np.mean", "np.median", "train", "tools.maths.mean"),
    // Constants.
    ("nodes.py", "['a', 'b']", "['a', 'c']", "clean", "nodes.COLUMNS"),
    ("nodes.py", "LIMIT: int = 10", "LIMIT: int = 11", "score", "nodes.LIMIT"),
    ("nodes.py", "math.pi > 3", "math.pi > 4", "rows", "nodes.ROWS"),
    ("nodes.py", "ROWS = 6", "ROWS = 7", "rows", "nodes.ROWS"),
    ("tools/text.py", "\\s+", "\\s", "clean lambda", "tools.text.PATTERN"),
    ("tools/text.py", "x='X'", "x='Y'", "score", "tools.text:TITLES.update"),
    ("values.py", "KEYS = ['a']", "KEYS = ['z']", "counted", "values.KEYS"),
    ("values.py", "append('b')", "append('y')", "counted", "values:KEYS.append"),
    ("values.py", "+= ['c']", "+= ['x']", "counted", "values.KEYS (2)"),
    ("values.py", "len(key)", "len(key) + 1", "counted", "values.key"),
    // Classes.
    ("tools/maths.py", "size: int = 1", "size: float = 1", "train", "tools.maths.Scaler"),
    ("tools/maths.py", "x * self.factor", "x + self.factor", "train", "tools.maths.Scaler"),
    ("tools/maths.py", "factor = 2", "factor = 3", "train", "tools.maths.Base"),
    ("tools/maths.py", "    pass\n", "    kind = 1\n", "train", "tools.maths.Meta"),
    ("tools/maths.py", "def helper(x):\n    return x", "def helper(x):\n    return -x", "train", "tools.maths.helper"),
    ("methods.py", "depth = 3", "depth = 4", "method", "methods.Model"),
    ("methods.py", "return 1\n\ndef tree", "return 2\n\ndef tree", "method", "methods.Model"),
    ("methods.py", "return j", "return -j", "method", "methods.tree"),
    ("choices.py", "size: int = 3", "size: float = 3", "values whole", "choices.Config"),
    // Closures, lambdas, decorators.
    ("methods.py", "k ** exponent", "k * exponent", "closure", "methods.power.raised"),
    ("methods.py", "return 0", "return 1", "closure", "methods.shift"),
    ("pipeline_registry.py", "text.strip(g)", "text.strip(g) + ''", "lambda", "pipeline_registry.register_pipelines.<lambda>"),
    ("pipeline_registry.py", "nodes.rows(h)", "nodes.rows(h)[1:]", "rows", "pipeline_registry.register_pipelines.<lambda>"),
    ("registry.py", "return function(*args)", "return function(*args) or 0", "checked", "registry.traced registry.traced.wrapper"),
    ("nodes.py", "checked(l: list[int])", "checked(l: list[str])", "checked", "nodes.checked"),
    ("registry.py", "@choice('first')\ndef first(x):\n    return x", "@choice('first')\ndef first(x):\n    return -x", "plugged", "registry.first"),
    ("registry.py", "CHOICES[name] = function\n", "CHOICES[name] = function or 1\n", "plugged", "registry.choice"),
    // Imports.
    ("tools/__init__.py", "import strip as strip_text", "import other as strip_text", "clean", "tools.text.PATTERN tools.text.other tools.text.re tools.text.strip"),
    ("tools/maths.py", "import numpy as np", "import cupy as np", "train", "tools.maths.np"),
    ("tools/text.py", "import re\n", "import regex as re\n", "clean lambda", "tools.text.re"),
    ("tools/__init__.py", "from .maths import *", "from .maths import hidden as mean, Scaler", "train", "tools.maths.hidden tools.maths.mean tools.maths.np"),
    ("nodes.py", "from pkg.speed import fast", "from pkg.speed import slow", "partial", "nodes.engine speed.fast speed.slow"),
    ("plugins/one.py", "eval(e)", "eval(e) + 1", "plugged", "plugins.one.run"),
    ("nodes.py", "'pkg.plugins.one'", "'pkg.plugins'", "plugged", "nodes.plugged plugins.NAMES plugins.one.run"),
    // State that other code writes.
    ("state.py", "COUNT += 1", "COUNT += 2", "limited chosen", "state.bump"),
    ("state.py", "COUNT = 0", "COUNT = 1", "limited chosen", "state.COUNT"),
    ("state.py", "LIMITS[key] = 1", "LIMITS[key] = 2", "limited", "state.note"),
    ("state.py", "return COUNT", "return -COUNT", "chosen", "state.read"),
    ("settings_like.py", "return MODE", "return MODE * 2", "values", "settings_like.describe"),
    ("settings_like.py", "MODE = 'x'", "MODE = 'y'", "values", "settings_like.MODE"),
    // A name that is known only at run time.
    ("choices.py", "return -1", "return -2", "whole", "choices.down"),
    ("choices.py", "def up", "def more():\n    return 2\n\ndef up", "whole", "choices.more"),
    // Statements that bind nothing.
    ("frames.py", "copy_on_write', True", "copy_on_write', False", "frame lambda rows", "frames:pd.set_option"),
    ("plugins/__init__.py", "['PLUGINS'] = '1'", "['PLUGINS'] = '2'", "frame lambda plugged rows", "plugins:os.environ"),
    ("frames.py", "def frame", "pd.DataFrame.total = sum\n\ndef frame", "frame lambda rows", "frames:pd.DataFrame.total"),
    ("tools/__init__.py", "from .maths", "print('loaded')\nfrom .maths", "clean train score limited plugged lambda rows partial checked chosen", "tools:print"),
];

#[test]
fn an_edit_affects_exactly_the_nodes_that_reach_it() {
    let files: Vec<(&str, &str)> = FILES.iter().chain(&VALUES).copied().collect();
    let mut project = Project::new(&files);
    let before = project.read();
    let words = |text: &str, prefix: &str| -> BTreeSet<String> {
        // The number of a second binding is part of its name.
        let text = text.replace(" (", "\u{a0}(");
        text.split(' ')
            .filter(|word| !word.is_empty())
            .map(|word| format!("{prefix}{}", word.replace('\u{a0}', " ")))
            .collect()
    };
    let mut wrong = Vec::new();
    assert!(EDITS.len() > 60);
    for (file, from, to, nodes, names) in EDITS {
        let path = format!("pkg/{file}");
        let (_, text) = files.iter().find(|(known, _)| *known == path).expect("a file");
        if !text.contains(from) {
            wrong.push(format!("{file} has no {from:?}"));
            continue;
        }
        project.write(&path, &text.replacen(from, to, 1));
        let (concerned, named) = changed(&before, &project.read());
        if concerned != words(nodes, "") || named != words(names, "pkg.") {
            wrong.push(format!("{file}: {to:?} concerns {concerned:?} by {named:?}"));
        }
        project.write(&path, text);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let (concerned, _) = changed(&before, &project.read());
    assert!(concerned.is_empty());
}
