//! Misspelled names: what `inspect` and the other verbs say of them, and how they end.

use std::path::Path;
use std::process::{Command, Output};

use crate::common::project::{copy_of_sample, project};

const NODES: &str = r#"
def use(x):
    return x

def make(node):
    return [
        node(use, "raw", "X_train", name="split"),
        node(use, "X_trian", "model", name="fit"),
        node(use, "given_by_a_hook", "report", name="report"),
        node(use, "params:model.deph", "depth", name="tune"),
        node(use, "params:day", "days", name="daily"),
    ]
"#;

const CATALOG: &str = "raw:\n  type: pandas.CSVDatset\n  filepath: raw.csv\n\n\
    own:\n  type: shop.nodes.Sales\n  filepath: ${runtime_params:folder,data}/x\n\n\
    \"{any}_out\":\n  type: pickle.PickelDataset\n  filepath: x\n";

fn verb(words: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mlops-tui"));
    command.args(words).env_remove("KEDRO_ENV").output().unwrap()
}

fn texts(output: &Output) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_owned()).unwrap();
    (text(&output.stdout), text(&output.stderr))
}

fn faulty() -> tempfile::TempDir {
    let folder = project(NODES);
    std::fs::write(folder.path().join("conf/base/catalog.yml"), CATALOG).unwrap();
    folder
}

#[test]
fn a_similar_name_is_suggested_with_the_place() {
    let folder = faulty();
    let output = verb(&["inspect", folder.path().to_str().unwrap()]);
    let (text, _) = texts(&output);
    for line in [
        "warning  src/shop/nodes.py:8: Nothing makes dataset `X_trian`, an input of node `fit`, and no catalog entry matches it. Did you mean `X_train`?",
        "warning  conf/base/catalog.yml:2: There is no dataset type `pandas.CSVDatset` (of `raw`). Did you mean `pandas.CSVDataset`?",
        "warning  conf/base/catalog.yml:10: There is no dataset type `pickle.PickelDataset` (of `{any}_out`). Did you mean `pickle.PickleDataset`?",
        "error  src/shop/nodes.py:10: Node `tune` reads parameter `model.deph`, which no parameters file defines. Did you mean `model.depth`?",
        "error  src/shop/nodes.py:11: Node `daily` reads parameter `day`, which no parameters file defines.\n",
    ] {
        assert!(text.contains(line), "`{line}` is not in\n{text}");
    }
    assert!(!text.contains("given_by_a_hook`,") && !text.contains("shop.nodes.Sales`"), "{text}");
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn errors_decide_the_exit_code_unless_they_shall_not() {
    let folder = faulty();
    let (_sample, sound) = copy_of_sample();
    let (path, sound) = (folder.path().to_str().unwrap(), sound.to_str().unwrap());
    // Python that can't be started: `doctor` finds an error in a sound project, too.
    let doctor = ["doctor", "--python", "/dev/null"];
    let verbs: [(&[&str], i32); 5] = [
        (&["inspect"], 0),
        (&["status"], 0),
        (&["run", "--plan"], 0),
        (&["config", "parameters"], 0),
        (&doctor, 1),
    ];
    for (words, when_sound) in verbs {
        let code = |folder: &str, more: &[&str]| {
            let output = verb(&[words, &["-C", folder], more].concat());
            output.status.code().unwrap_or(-1)
        };
        // The configuration itself has no error: that a node reads a missing parameter is one of the pipeline.
        let when_faulty = if words[0] == "config" { 0 } else { 1 };
        assert_eq!(code(path, &[]), when_faulty, "{words:?} of a project with errors");
        assert_eq!(code(path, &["--exit-zero"]), 0, "{words:?} --exit-zero");
        assert_eq!(code(sound, &[]), when_sound, "{words:?} of a sound project");
    }
    std::fs::write(folder.path().join("conf/base/parameters.yml"), "a: [1\n").unwrap();
    let config =
        |more: &[&str]| verb(&[&["config", path, "parameters"], more].concat()).status.code();
    assert_eq!((config(&[]), config(&["--exit-zero"])), (Some(1), Some(0)));
}

#[test]
fn parameters_that_nothing_defines_are_warned_of() {
    let folder = faulty();
    let path = folder.path().to_str().unwrap();
    let given = "sise=4,model.depht=1,day=1,folder=x,model.depth=3";
    for words in [&["inspect"][..], &["status"], &["run", "--plan"]] {
        let output = verb(&[words, &["-C", path, "--params", given]].concat());
        let (out, errors) = texts(&output);
        let all = out + &errors;
        let warned = all.matches("is in no parameters file").count();
        assert_eq!(warned, 2, "{words:?}:\n{all}");
        assert!(all.contains("`sise` is in no parameters file. Did you mean `size`?"), "{all}");
        assert!(
            all.contains("`model.depht` is in no parameters file. Did you mean `model.depth`?")
        );
    }
}

#[test]
fn a_misspelled_verb_is_no_folder() {
    let output = verb(&["inspct"]);
    let (_, errors) = texts(&output);
    assert!(errors.contains("Did you mean `mlops-tui inspect`?"), "{errors}");
    assert_eq!(output.status.code(), Some(1));
    let (_, errors) = texts(&verb(&["man", "rnu"]));
    assert!(errors.contains("There is no verb `rnu`. Did you mean `run`?"), "{errors}");
}

#[test]
fn a_project_is_named_once() {
    let (_folder, root) = copy_of_sample();
    let root = root.to_str().unwrap();
    for words in [&["inspect"][..], &["layout"], &["status"], &["doctor"], &["config", "globals"]] {
        let output = verb(&[&words[..1], &[root], &words[1..], &["-C", root]].concat());
        assert!(!output.status.success(), "{words:?}");
    }
}

/// The names that bash would offer for the last of these words.
fn offered(folder: &Path, words: &[&str]) -> Vec<String> {
    let output = Command::new(env!("CARGO_BIN_EXE_mlops-tui"))
        .args([&["--", "mlops-tui"], words].concat())
        .current_dir(folder)
        .env("MLOPS_TUI_COMPLETE", "bash")
        .env("_CLAP_COMPLETE_INDEX", words.len().to_string())
        .env("_CLAP_IFS", "\n")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn the_shell_completes_the_names_of_the_project() {
    let (folder, root) = copy_of_sample();
    let at = root.to_str().unwrap();
    let names: [(&[&str], &[&str]); 8] = [
        (&["run", "--nodes", "split"], &["split_days"]),
        (&["run", "--nodes", "split_days,plot"], &["split_days,plot_forecast"]),
        (&["run", "--pipeline", "data_p"], &["data_processing"]),
        (&["run", "--tags", "cl"], &["cleaning"]),
        (&["run", "--from-inputs", "stations_"], &["stations_raw"]),
        (&["run", "--namespaces", "for"], &["forest"]),
        (&["status", "--env", "cl"], &["cloud"]),
        (&["--theme", "gruv"], &["gruvbox-dark"]),
    ];
    for (words, found) in names {
        assert_eq!(offered(&root, words), found, "{words:?}");
    }
    let elsewhere = offered(folder.path(), &["run", "-C", at, "--nodes", "split"]);
    assert_eq!(elsewhere, ["split_days"]);
    assert_eq!(offered(folder.path(), &["run", "--nodes", "split"]), Vec::<String>::new());
    assert!(offered(folder.path(), &["insp"]).contains(&"inspect".to_owned()));
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let (script, errors) = texts(&verb(&["completions", shell]));
        assert!(script.contains("MLOPS_TUI_COMPLETE"), "{shell}: {errors}");
    }
}

#[test]
fn every_verb_has_a_manual_page() {
    let folder = tempfile::tempdir().unwrap();
    assert!(verb(&["man", "--all", folder.path().to_str().unwrap()]).status.success());
    for page in ["mlops-tui.1", "mlops-tui-run.1", "mlops-tui-runs-list.1", "mlops-tui-man.1"] {
        let text = std::fs::read_to_string(folder.path().join(page)).unwrap();
        assert!(text.contains(".SH SYNOPSIS"), "{page}:\n{text}");
    }
    let (page, _) = texts(&verb(&["man", "runs", "list"]));
    assert!(page.contains("mlops\\-tui\\-runs\\-list"), "{page}");
}
