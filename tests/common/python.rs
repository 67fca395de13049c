//! A Python with Kedro for the tests: the one that `MLOPS_TUI_TEST_PYTHON` names, else an
//! environment made once from `tests/requirements.txt` and kept beside the build.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// The interpreter.
pub fn python() -> &'static Path {
    static PYTHON: OnceLock<PathBuf> = OnceLock::new();
    PYTHON.get_or_init(|| match std::env::var_os("MLOPS_TUI_TEST_PYTHON") {
        Some(path) => path.into(),
        None => environment("tests/requirements.txt", None),
    })
}

/// The interpreter of an environment with the packages of a list in the repository; made when it
/// is not there yet. `version` is that of Python, where the packages don't take any.
pub fn environment(requirements: &str, version: Option<&str>) -> PathBuf {
    let requirements = Path::new(env!("CARGO_MANIFEST_DIR")).join(requirements);
    let text = fs::read(&requirements).expect("the list of packages");
    let hash = blake3::hash(&text).to_hex();
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("the target folder");
    let folder = target.join(format!("test-python-{}", &hash[..12]));
    let done = folder.join("complete");
    let python = folder.join("bin/python");
    // Tests of other processes wait here while one of them makes it.
    let lock = File::create(folder.with_extension("lock")).expect("the lock file");
    lock.lock().expect("the lock");
    if !done.exists() {
        let _ = fs::remove_dir_all(&folder);
        let uv = Command::new("uv")
            .arg("--version")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success());
        if uv {
            let mut venv = Command::new("uv");
            run(venv
                .arg("venv")
                .args(version.map(|version| ["--python", version]).iter().flatten())
                .arg(&folder));
            run(Command::new("uv")
                .args(["pip", "install", "--python"])
                .arg(&python)
                .arg("-r")
                .arg(&requirements));
        } else {
            let python3 = format!("python{}", version.unwrap_or("3"));
            run(Command::new(python3).args(["-m", "venv"]).arg(&folder));
            run(Command::new(&python)
                .args(["-m", "pip", "install", "--quiet", "-r"])
                .arg(&requirements));
        }
        File::create(&done).expect("the mark of completion");
    }
    python
}

fn run(command: &mut Command) {
    let status = command.status().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(status.success(), "{command:?}: {status}");
}
