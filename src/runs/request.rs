//! The request of a run: the options of `kedro run`.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use super::params::{self, Params};
use crate::dag::Slice;
use crate::text::UserError;
use crate::text::secrets::{HIDDEN, is_hidden, redact_with};

/// The options of a `kedro run` command.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RunRequest {
    /// `--pipeline`; `__default__` when `None`.
    pub pipeline: Option<String>,
    /// `--pipelines` (Kedro 1.2 and later): the nodes of all of them.
    pub pipelines: Vec<String>,
    /// Which of the pipeline's nodes to run.
    #[serde(flatten)]
    pub slice: Slice,
    /// `--env`; the project's default when `None`.
    pub env: Option<String>,
    /// `--params`: dotted keys to YAML texts.
    #[serde(deserialize_with = "params::lenient")]
    pub params: Params,
    /// `--runner`: a class name, `SequentialRunner` when `None`.
    pub runner: Option<String>,
    /// `--runner-params` (Kedro 1.2 and later), as written.
    pub runner_params: Option<String>,
    /// `--async`: load and save datasets in threads.
    pub is_async: bool,
    /// `--load-versions`: dataset name to version.
    pub load_versions: IndexMap<String, String>,
    /// `--config`: a YAML file with further options.
    pub config: Option<String>,
    /// `--conf-source`.
    pub conf_source: Option<String>,
    /// `--only-missing-outputs` (Kedro 1.0 and later).
    pub only_missing_outputs: bool,
    /// Not an option of Kedro: after a failure, run the nodes that do not depend on the failed one.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub keep_going: bool,
    /// Not an option of Kedro: a folder, relative to the project's, that receives all saved files instead of
    /// the project's data folders. Runs of a grid use it so as not to overwrite the project's data or each
    /// other's.
    pub apart: Option<String>,
}

impl RunRequest {
    /// The request with each secret replaced by its `mask`.
    pub fn masked(&self, mask: &dyn Fn(&str) -> String) -> RunRequest {
        RunRequest {
            params: params::masked(&self.params, mask),
            runner_params: self.runner_params.as_deref().map(|text| redact_with(text, mask)),
            ..self.clone()
        }
    }

    /// The parameters whose value was a secret and therefore not stored.
    pub fn not_kept(&self) -> Vec<&str> {
        let hidden = self.params.iter().filter(|(_, text)| is_hidden(text));
        hidden.map(|(key, _)| key.as_str()).collect()
    }

    /// The equivalent `kedro run` command, quoted for a POSIX shell, without the values of secrets.
    pub fn to_command(&self) -> String {
        let mut command = "kedro run".to_owned();
        for option in self.masked(&|_| HIDDEN.into()).to_options() {
            command.push(' ');
            match option.split_once('=') {
                Some((name, value)) => command.push_str(&format!("{name}={}", quote(value))),
                None => command.push_str(&option),
            }
        }
        command
    }

    /// The options of [`Self::to_command`], with all values: `--nodes=a,b`, `--async`.
    pub fn to_options(&self) -> Vec<String> {
        let mut words = Vec::new();
        let mut option = |name: &str, value: String| {
            if !value.is_empty() {
                words.push(format!("{name}={value}"));
            }
        };
        option("--pipeline", self.pipeline.clone().unwrap_or_default());
        option("--pipelines", self.pipelines.join(","));
        let slice = &self.slice;
        for (name, values) in [
            ("--from-nodes", &slice.from_nodes),
            ("--to-nodes", &slice.to_nodes),
            ("--nodes", &slice.nodes),
            ("--from-inputs", &slice.from_inputs),
            ("--to-outputs", &slice.to_outputs),
            ("--tags", &slice.tags),
            ("--namespaces", &slice.namespaces),
        ] {
            option(name, values.join(","));
        }
        option("--env", self.env.clone().unwrap_or_default());
        let params: Vec<String> =
            self.params.iter().map(|(key, text)| format!("{key}={text}")).collect();
        option("--params", params.join(","));
        option("--runner", self.runner.clone().unwrap_or_default());
        option("--runner-params", self.runner_params.clone().unwrap_or_default());
        let versions: Vec<String> =
            self.load_versions.iter().map(|(name, version)| format!("{name}:{version}")).collect();
        option("--load-versions", versions.join(","));
        option("--config", self.config.clone().unwrap_or_default());
        option("--conf-source", self.conf_source.clone().unwrap_or_default());
        if self.is_async {
            words.push("--async".into());
        }
        if self.only_missing_outputs {
            words.push("--only-missing-outputs".into());
        }
        words
    }
}

/// Items of a comma-separated option, such as `--tags`.
pub fn split_list(text: &str) -> Vec<String> {
    text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect()
}

/// Node names of a comma-separated option. Commas in square brackets belong to the name, as in
/// `func([a,b]) -> [c]`, which older versions of Kedro give to unnamed nodes.
pub fn split_node_names(text: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut name = String::new();
    let mut depth = 0_i32;
    for c in text.chars().chain([',']) {
        match c {
            '[' => depth += 1,
            ']' => depth -= 1,
            _ => {}
        }
        if c == ',' && depth <= 0 {
            let done = std::mem::take(&mut name);
            if !done.trim().is_empty() {
                names.push(done.trim().to_owned());
            }
        } else {
            name.push(c);
        }
    }
    names
}

/// Parses `--params`: `a=1,b.c=text`. Also accepts `:` instead of `=`, as Kedro 0.18 does.
///
/// # Errors
/// When an item has no separator or no key; the text names the item.
pub fn parse_params(text: &str) -> Result<Params, UserError> {
    let mut parsed = Params::new();
    for item in split_list(text) {
        let (key, value) =
            item.split_once('=').or_else(|| item.split_once(':')).ok_or_else(|| {
                UserError::hinted(format!("`{item}` has no `=`"), "Write `key=value`.")
            })?;
        let key = key.trim();
        if key.is_empty() {
            return Err(UserError::hinted(
                format!("`{item}` has no key before the `=`"),
                "Write `key=value`.",
            ));
        }
        parsed.insert(key.to_owned(), value.to_owned());
    }
    Ok(parsed)
}

/// Parses `--load-versions`: `name:version,...`.
///
/// # Errors
/// When an item has no `:`, or its version is not a single path component.
pub fn parse_load_versions(text: &str) -> Result<IndexMap<String, String>, UserError> {
    let mut parsed = IndexMap::new();
    for item in split_list(text) {
        let (name, version) = item.split_once(':').ok_or_else(|| {
            UserError::hinted(format!("`{item}` has no `:`"), "Write `dataset:version`.")
        })?;
        if matches!(version, "" | "." | "..") || version.contains(['/', '\\']) {
            return Err(UserError::hinted(
                format!("`{version}` is not a version"),
                "A version is the name of one folder.",
            ));
        }
        parsed.insert(name.to_owned(), version.to_owned());
    }
    Ok(parsed)
}

/// Quotes a word for a POSIX shell, if needed.
pub fn quote(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./:=,@%+".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use serde_json::json;

    use super::*;

    #[test]
    fn the_command_has_all_options() {
        assert_eq!(RunRequest::default().to_command(), "kedro run");
        let request = RunRequest {
            pipeline: Some("training".into()),
            slice: Slice {
                tags: vec!["fast".into(), "it's".into()],
                ..Slice::nodes(["f([a]) -> [b]"])
            },
            env: Some("cloud".into()),
            params: parse_params("seed=3, model.name=big one,on='yes'").unwrap(),
            load_versions: parse_load_versions("model:2026-01-01T00.00.00.000Z").unwrap(),
            is_async: true,
            only_missing_outputs: true,
            ..RunRequest::default()
        };
        assert_eq!(
            request.to_command(),
            r"kedro run --pipeline=training --nodes='f([a]) -> [b]' --tags='fast,it'\''s' --env=cloud \
              --params='seed=3,model.name=big one,on='\''yes'\''' \
              --load-versions=model:2026-01-01T00.00.00.000Z --async --only-missing-outputs"
                .replace("\\\n              ", "")
        );
    }

    #[test]
    fn a_shell_parses_the_command_of_a_slice_correctly() {
        let names = ["a", "it's", "f([a, b]) -> [c]", "$HOME `x` \\", "größe\nzwei", "~", "*"];
        for name in names {
            let slice = Slice {
                from_nodes: vec![name.into()],
                to_nodes: vec!["b".into()],
                ..Slice::default()
            };
            let request =
                RunRequest { pipeline: Some("my pipe".into()), slice, ..RunRequest::default() };
            let command = request.to_command().replacen("kedro run", r"printf '%s\0'", 1);
            let output = Command::new("sh").args(["-c", &command]).output().unwrap();
            let expected = format!("--pipeline=my pipe\0--from-nodes={name}\0--to-nodes=b\0");
            assert_eq!(String::from_utf8(output.stdout).unwrap(), expected);
        }
    }

    #[test]
    fn a_request_survives_json() {
        let request = RunRequest {
            slice: Slice::nodes(["a"]),
            params: parse_params("a.b=1").unwrap(),
            ..RunRequest::default()
        };
        let json = serde_json::to_value(&request).unwrap();
        assert_eq!(json["nodes"], json!(["a"]));
        assert_eq!(serde_json::from_value::<RunRequest>(json).unwrap(), request);
    }

    #[test]
    fn params_need_a_key_and_a_separator() {
        assert_eq!(
            parse_params("a=1,b.c:two,d=x=y").unwrap(),
            IndexMap::from([
                ("a".to_owned(), "1".to_owned()),
                ("b.c".to_owned(), "two".to_owned()),
                ("d".to_owned(), "x=y".to_owned()),
            ])
        );
        assert!(parse_params("").unwrap().is_empty());
        assert!(parse_params("a").unwrap_err().line().contains("`a` has no `=`"));
        assert!(parse_params("=1").unwrap_err().line().contains("no key"));
    }

    #[test]
    fn load_versions_are_one_folder_name() {
        assert_eq!(parse_load_versions("a:1:2").unwrap()["a"], "1:2");
        for wrong in ["a", "a:", "a:..", "a:x/y"] {
            assert!(parse_load_versions(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn commas_in_brackets_belong_to_the_node_name() {
        assert_eq!(split_node_names("a, f([b,c]) -> [d,e] ,,g"), ["a", "f([b,c]) -> [d,e]", "g"]);
    }
}
