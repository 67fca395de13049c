//! Configuration and catalogs read here and by the real Kedro, compared value by value.
//!
//! Each case is a small configuration folder. One Python process answers all of them. Where Kedro
//! raises, the reading here must name an error; where it does not, every value must agree.

mod cases;

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use indexmap::IndexMap;
use mlops_tui::project::catalog::{self, Catalog};
use mlops_tui::project::config::{self, Config};
use mlops_tui::project::settings::Settings;
use mlops_tui::project::{Budget, Located, Options, Problem, Reader, Severity, Value, json};
use serde_json::{Value as Json, json};

/// A configuration folder and how it is loaded.
pub struct Case {
    name: String,
    files: Vec<(String, String)>,
    env: Option<String>,
    runtime_params: Json,
    merge_strategy: IndexMap<String, String>,
    resolvers: IndexMap<String, Json>,
    used: Vec<String>,
}

impl Case {
    /// A case with empty `base` and `local` environments.
    pub fn new(name: impl Into<String>) -> Self {
        Case {
            name: name.into(),
            files: Vec::new(),
            env: None,
            runtime_params: json!({}),
            merge_strategy: IndexMap::new(),
            resolvers: IndexMap::new(),
            used: Vec::new(),
        }
    }

    /// A file below the configuration folder.
    pub fn file(mut self, path: &str, text: impl Into<String>) -> Self {
        self.files.push((path.to_owned(), text.into()));
        self
    }

    /// `base/parameters.yml`.
    pub fn parameters(self, text: impl Into<String>) -> Self {
        self.file("base/parameters.yml", text)
    }

    /// `base/catalog.yml`.
    pub fn catalog(self, text: impl Into<String>) -> Self {
        self.file("base/catalog.yml", text)
    }

    /// `base/globals.yml`.
    pub fn globals(self, text: impl Into<String>) -> Self {
        self.file("base/globals.yml", text)
    }

    /// The run environment.
    pub fn env(self, env: &str) -> Self {
        Case { env: Some(env.to_owned()), ..self }
    }

    /// Runtime parameters.
    pub fn runtime(self, params: Json) -> Self {
        Case { runtime_params: params, ..self }
    }

    /// The merge strategy of a kind.
    pub fn merge(mut self, kind: &str, strategy: &str) -> Self {
        self.merge_strategy.insert(kind.to_owned(), strategy.to_owned());
        self
    }

    /// A custom resolver that gives a constant.
    pub fn resolver(mut self, name: &str, value: Json) -> Self {
        self.resolvers.insert(name.to_owned(), value);
        self
    }

    /// Dataset names that pipelines use.
    pub fn used(self, names: &[&str]) -> Self {
        Case { used: names.iter().map(ToString::to_string).collect(), ..self }
    }

    fn write(&self, root: &Path) {
        let conf = root.join("conf");
        for env in ["base", "local"] {
            fs::create_dir_all(conf.join(env)).unwrap();
        }
        for (path, text) in &self.files {
            let path = conf.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        if !self.files.iter().any(|(path, _)| path.contains("catalog")) {
            fs::write(conf.join("base/catalog.yml"), "").unwrap();
        }
        fs::write(
            root.join("pyproject.toml"),
            "[tool.kedro]\npackage_name = \"p\"\nproject_name = \"p\"\nkedro_init_version = \"1.7.0\"\n",
        )
        .unwrap();
        fs::create_dir_all(root.join("src/p")).unwrap();
        fs::write(root.join("src/p/__init__.py"), "").unwrap();
        fs::write(root.join("src/p/settings.py"), "").unwrap();
    }

    fn question(&self, root: &Path) -> Json {
        json!({
            "conf_source": root.join("conf"),
            "env": self.env,
            "runtime_params": self.runtime_params,
            "merge_strategy": self.merge_strategy,
            "resolvers": self.resolvers,
            "used": self.used,
        })
    }

    /// The reading here: through the reader, or with the settings that the case asks for.
    fn read(&self, root: &Path) -> (Config, Catalog, Vec<Problem>) {
        let runtime_params = json::value_from_json(&self.runtime_params, None);
        let mut config = if self.merge_strategy.is_empty() && self.resolvers.is_empty() {
            let options = Options { env: self.env.clone(), runtime_params, ..Options::default() };
            let read = Reader::new(root).configuration(&options);
            Config { problems: read.problems, ..read.config }
        } else {
            let resolvers = self.resolvers.iter();
            let settings = Settings {
                merge_strategy: self.merge_strategy.clone(),
                custom_resolvers: resolvers
                    .map(|(name, value)| (name.clone(), json::value_from_json(value, None).value))
                    .collect(),
                ..Settings::default()
            };
            let request = config::Request {
                root: root.to_owned(),
                conf_source: root.join("conf"),
                env: self.env.clone(),
                runtime_params,
                settings: &settings,
            };
            config::load(&request, &mut Budget::default())
        };
        let credentials: BTreeSet<String> = config.kinds["credentials"]
            .value
            .as_map()
            .map(|map| map.keys().cloned().collect())
            .unwrap_or_default();
        let definitions = &config.kinds["catalog"];
        let budget = Budget::default();
        let catalog = catalog::resolve(definitions, &credentials, &self.used, &budget);
        let mut problems = std::mem::take(&mut config.problems);
        problems.extend(catalog.problems.clone());
        (config, catalog, problems)
    }
}

fn ask_kedro(questions: &[Json]) -> Vec<Json> {
    let mut child = Command::new(crate::common::python::python())
        .args(["-c", include_str!("config_differential/answer.py")])
        .env("KEDRO_DISABLE_TELEMETRY", "1")
        .env("DO_NOT_TRACK", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(&serde_json::to_vec(questions).unwrap()).unwrap();
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "Kedro's answers");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Says where two values differ. Secrets agree with any scalar, what is unknown with any text.
fn compare(at: &str, ours: &Value, theirs: &Json, differences: &mut Vec<String>) {
    let agrees = match (ours, theirs) {
        (Value::Map(ours), Json::Object(tagged)) if tagged.contains_key("map") => {
            let theirs = tagged["map"].as_object().unwrap();
            for key in ours.keys().filter(|key| !theirs.contains_key(*key)) {
                differences.push(format!("{at}.{key}: only here"));
            }
            for (key, value) in theirs {
                match ours.get(key) {
                    Some(ours) => compare(&format!("{at}.{key}"), &ours.value, value, differences),
                    None => differences.push(format!("{at}.{key}: only in Kedro: {value}")),
                }
            }
            true
        }
        (Value::List(ours), Json::Array(theirs)) if ours.len() == theirs.len() => {
            for (index, (ours, theirs)) in ours.iter().zip(theirs).enumerate() {
                compare(&format!("{at}[{index}]"), &ours.value, theirs, differences);
            }
            true
        }
        (Value::Null, Json::Null) => true,
        (Value::Bool(ours), Json::Bool(theirs)) => ours == theirs,
        (Value::Int(ours), theirs) => theirs["int"] == json!(ours.to_string()),
        (Value::BigInt(ours), theirs) => theirs["int"] == json!(ours),
        (Value::Float(ours), theirs) => theirs["float"].as_str().is_some_and(|text| {
            let theirs: f64 = text.parse().unwrap();
            *ours == theirs || ours.is_nan() && theirs.is_nan()
        }),
        (Value::Str(ours), Json::String(theirs)) => ours == theirs,
        // Texts with a Python representation in them, and bytes.
        (Value::Unknown(_), theirs) => theirs.is_string() || theirs.get("other").is_some(),
        (Value::Secret(_), theirs) => !theirs.is_array() && theirs.get("map").is_none(),
        _ => false,
    };
    if !agrees {
        differences.push(format!("{at}: {ours:?} here, {theirs} in Kedro"));
    }
}

fn compare_catalogs(ours: &Catalog, theirs: &Json, differences: &mut Vec<String>) {
    let patterns: Vec<&str> = ours.patterns.iter().map(|entry| entry.pattern.as_str()).collect();
    if json!(patterns) != theirs["patterns"] {
        differences.push(format!("patterns: {patterns:?} here, {} in Kedro", theirs["patterns"]));
    }
    let theirs = theirs["datasets"].as_array().unwrap();
    let names: Vec<&str> = theirs.iter().map(|dataset| dataset["name"].as_str().unwrap()).collect();
    let our_names: Vec<&String> = ours.datasets.keys().collect();
    if our_names != names {
        differences.push(format!("datasets: {our_names:?} here, {names:?} in Kedro"));
        return;
    }
    for theirs in theirs {
        let ours = &ours.datasets[theirs["name"].as_str().unwrap()];
        let name = &ours.name;
        for (what, ours, theirs) in [
            ("pattern", &ours.pattern, &theirs["pattern"]),
            ("filepath", &ours.filepath, &theirs["filepath"]),
        ] {
            let theirs = match theirs {
                Json::Number(number) => &json!(number.to_string()),
                other => other,
            };
            if json!(ours) != *theirs {
                differences.push(format!("{name}: {what} {ours:?} here, {theirs} in Kedro"));
            }
        }
        compare(name, &ours.definition.value, &theirs["definition"], differences);
    }
}

fn differences(ours: &(Config, Catalog, Vec<Problem>), answer: &Json) -> Vec<String> {
    let (config, catalog, problems) = ours;
    let errors: Vec<&Problem> =
        problems.iter().filter(|problem| problem.severity == Severity::Error).collect();
    if let Some(raised) = answer["error"].as_str() {
        return if errors.is_empty() {
            vec![format!("Kedro raises, and nothing is said here: {raised}")]
        } else {
            Vec::new()
        };
    }
    if !errors.is_empty() {
        return vec![format!("an error is named here, and Kedro takes it: {errors:?}")];
    }
    let mut differences = Vec::new();
    for (kind, theirs) in answer["kinds"].as_object().unwrap() {
        let ours: &Located = &config.kinds[kind];
        compare(kind, &ours.value, theirs, &mut differences);
    }
    compare_catalogs(catalog, &answer["catalog"], &mut differences);
    differences
}

#[test]
fn configuration_and_catalogs_are_read_as_kedro_reads_them() {
    let cases = cases::all();
    let folder = tempfile::tempdir().unwrap();
    let roots: Vec<_> =
        (0..cases.len()).map(|index| folder.path().join(index.to_string())).collect();
    let questions: Vec<Json> = cases
        .iter()
        .zip(&roots)
        .map(|(case, root)| {
            case.write(root);
            case.question(root)
        })
        .collect();
    // Kedro answers while the cases are read here.
    let (answers, readings) = std::thread::scope(|scope| {
        let answers = scope.spawn(|| ask_kedro(&questions));
        let readings: Vec<_> =
            cases.iter().zip(&roots).map(|(case, root)| case.read(root)).collect();
        (answers.join().unwrap(), readings)
    });
    assert_eq!(answers.len(), cases.len());
    let mut report = String::new();
    for ((case, ours), answer) in cases.iter().zip(&readings).zip(&answers) {
        for difference in differences(ours, answer) {
            report += &format!("{}: {difference}\n", case.name);
        }
    }
    assert!(report.is_empty(), "\n{report}");
    let raised = answers.iter().filter(|answer| answer["error"].is_string()).count();
    assert!(raised > 20 && answers.len() - raised > 50, "both ends are exercised: {raised}");
}
