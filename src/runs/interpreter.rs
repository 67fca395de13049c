//! Chooses the project's Python interpreter by looking at files only; nothing is executed.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::system::{files, programs};
use crate::text::UserError;

/// An interpreter and why it was chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interpreter {
    /// Path of the interpreter.
    pub path: PathBuf,
    /// Why this interpreter: completes "because of", such as `the project's .venv`.
    pub reason: String,
    /// Whether the interpreter belongs to the project, was named, or is activated. Otherwise it is the
    /// system's Python, which seldom has the project's packages.
    pub environment: bool,
}

/// Chooses the interpreter of the project in `root`: the one named by `--python`; the project's `.venv` or
/// `venv`; what uv, Poetry, conda or pyenv declare; the active environment; `python3`.
///
/// # Errors
/// When the named interpreter does not exist, or there is no Python at all. The error says what to
/// do.
pub fn choose(root: &Path, named: Option<&Path>) -> Result<Interpreter, UserError> {
    choose_in(root, named, &|name| std::env::var_os(name).filter(|value| !value.is_empty()))
}

type Variables<'a> = &'a dyn Fn(&str) -> Option<OsString>;

fn choose_in(
    root: &Path,
    named: Option<&Path>,
    var: Variables<'_>,
) -> Result<Interpreter, UserError> {
    if let Some(named) = named {
        // A folder is an environment; a bare name is searched in `PATH`, as a shell does.
        let path = match python_of(named) {
            Some(path) => Some(path),
            None if named.components().count() == 1 => {
                named.to_str().and_then(|name| on_path(name, var))
            }
            None => named.is_file().then(|| absolute(named)),
        };
        return path.map(|path| chosen(path, "--python")).ok_or_else(|| {
            UserError::hinted(
                format!("`{}` is no Python interpreter", named.display()),
                "Name one that exists.",
            )
        });
    }
    let found = own_folder(root)
        .or_else(|| uv(root, var))
        .or_else(|| poetry(root, var))
        .or_else(|| conda(root, var))
        .or_else(|| pyenv(root, var))
        .or_else(|| {
            let path = python_of(Path::new(&var("VIRTUAL_ENV")?))?;
            Some(chosen(path, "the active virtual environment (VIRTUAL_ENV)"))
        })
        .or_else(|| {
            let path = python_of(Path::new(&var("CONDA_PREFIX")?))?;
            Some(chosen(path, "the active conda environment (CONDA_PREFIX)"))
        });
    if let Some(found) = found {
        return Ok(found);
    }
    ["python3", "python"]
        .iter()
        .find_map(|name| on_path(name, var))
        .map(|path| Interpreter {
            path,
            reason: "the PATH; the project has no environment of its own".into(),
            environment: false,
        })
        .ok_or_else(|| {
            UserError::hinted("There is no Python here.", "Install Python 3, or name one: --python")
        })
}

fn chosen(path: PathBuf, reason: impl Into<String>) -> Interpreter {
    Interpreter { path, reason: reason.into(), environment: true }
}

/// The interpreter of the environment in `folder`. The path is not canonicalized: environments consist of a
/// link to the system's Python, and the link's location makes Python use the environment.
fn python_of(folder: &Path) -> Option<PathBuf> {
    ["bin/python", "bin/python3", "Scripts/python.exe"]
        .iter()
        .map(|name| folder.join(name))
        .find(|path| path.is_file())
        .map(|path| absolute(&path))
}

fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

fn on_path(name: &str, var: Variables<'_>) -> Option<PathBuf> {
    programs::find_in(&var("PATH")?, name)
}

/// `.venv` or `venv` in the project, else in a parent folder within the same repository.
fn own_folder(root: &Path) -> Option<Interpreter> {
    for folder in root.ancestors() {
        for name in [".venv", "venv"] {
            if let Some(path) = python_of(&folder.join(name)) {
                let reason = if folder == root {
                    format!("the project's {name}")
                } else {
                    format!("{} above the project", folder.join(name).display())
                };
                return Some(chosen(path, reason));
            }
        }
        if folder.join(".git").exists() {
            break;
        }
    }
    None
}

fn uv(root: &Path, var: Variables<'_>) -> Option<Interpreter> {
    if !root.join("uv.lock").exists() {
        return None;
    }
    let path = python_of(&root.join(var("UV_PROJECT_ENVIRONMENT")?))?;
    Some(chosen(path, "uv (UV_PROJECT_ENVIRONMENT)"))
}

fn poetry(root: &Path, var: Variables<'_>) -> Option<Interpreter> {
    let text = files::read_text(&root.join("pyproject.toml")).ok()?;
    let document: toml::Table = text.parse().ok()?;
    let poetry = document.get("tool").and_then(|tool| tool.get("poetry"));
    if poetry.is_none() && !root.join("poetry.lock").exists() {
        return None;
    }
    let name = [poetry, document.get("project")]
        .into_iter()
        .flatten()
        .find_map(|table| table.get("name")?.as_str())?;
    let home = PathBuf::from(var("HOME").unwrap_or_default());
    let folders = [
        var("POETRY_VIRTUALENVS_PATH").map(PathBuf::from),
        var("POETRY_CACHE_DIR").map(|cache| PathBuf::from(cache).join("virtualenvs")),
        var("XDG_CACHE_HOME").map(|cache| PathBuf::from(cache).join("pypoetry/virtualenvs")),
        Some(home.join(".cache/pypoetry/virtualenvs")),
        Some(home.join("Library/Caches/pypoetry/virtualenvs")),
    ];
    let start = poetry_name(name, &root.canonicalize().ok()?);
    folders.into_iter().flatten().find_map(|folder| {
        let mut found: Vec<PathBuf> = std::fs::read_dir(folder)
            .ok()?
            .flatten()
            .filter(|entry| entry.file_name().to_string_lossy().starts_with(&start))
            .map(|entry| entry.path())
            .collect();
        found.sort();
        let path = found.iter().rev().find_map(|folder| python_of(folder))?;
        Some(chosen(path, "Poetry's environment of the project"))
    })
}

/// The beginning of the name that Poetry gives to the environment of the project in `root`.
fn poetry_name(name: &str, root: &Path) -> String {
    let replaced = |c: char| if " $`!*@\"\\\r\n\t".contains(c) { '_' } else { c };
    let name: String = name.to_lowercase().chars().map(replaced).take(42).collect();
    let hash = Sha256::digest(root.as_os_str().as_encoded_bytes());
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let bits = hash.iter().take(6).fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte));
    let short: String = (0..8)
        .rev()
        .map(|index| char::from(LETTERS[usize::try_from(bits >> (6 * index) & 63).unwrap_or(0)]))
        .collect();
    format!("{name}-{short}-py")
}

fn conda(root: &Path, var: Variables<'_>) -> Option<Interpreter> {
    let file = ["environment.yml", "environment.yaml"]
        .iter()
        .map(|name| root.join(name))
        .find(|path| path.is_file())?;
    let text = files::read_text(&file).ok()?;
    let name = text.lines().find_map(|line| line.strip_prefix("name:"))?;
    let name = name.split('#').next()?.trim().trim_matches(['"', '\'']);
    if name.is_empty() || name.contains(['/', '\\']) {
        return None;
    }
    let reason = format!("the conda environment `{name}` that environment.yml declares");
    let home = PathBuf::from(var("HOME").unwrap_or_default());
    let active = var("CONDA_PREFIX").map(PathBuf::from).filter(|prefix| prefix.ends_with(name));
    let root_prefix =
        var("CONDA_EXE").and_then(|exe| Some(PathBuf::from(exe).parent()?.parent()?.to_owned()));
    let roots = [".conda", "miniconda3", "anaconda3", "miniforge3", "mambaforge", "micromamba"];
    active
        .into_iter()
        .chain(
            root_prefix
                .into_iter()
                .chain(var("MAMBA_ROOT_PREFIX").map(PathBuf::from))
                .chain(roots.iter().map(|folder| home.join(folder)))
                .map(|prefix| prefix.join("envs").join(name)),
        )
        .find_map(|folder| python_of(&folder))
        .map(|path| chosen(path, reason))
}

fn pyenv(root: &Path, var: Variables<'_>) -> Option<Interpreter> {
    let text = files::read_text(&root.join(".python-version")).ok()?;
    let wanted =
        text.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with('#'))?;
    if wanted.contains(['/', '\\']) || wanted.starts_with('.') {
        return None;
    }
    let versions = match var("PYENV_ROOT") {
        Some(folder) => PathBuf::from(folder),
        None => PathBuf::from(var("HOME")?).join(".pyenv"),
    }
    .join("versions");
    let reason = format!("pyenv, `{wanted}` in .python-version");
    let mut names: Vec<String> = std::fs::read_dir(&versions)
        .ok()?
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| name == wanted || name.starts_with(&format!("{wanted}.")))
        .collect();
    // Choose the newest patch release; compare version parts as numbers.
    names.sort_by_key(|name| {
        name.split('.').map(|part| part.parse::<u32>().unwrap_or(0)).collect::<Vec<_>>()
    });
    let path = names.iter().rev().find_map(|name| python_of(&versions.join(name)))?;
    Some(chosen(path, reason))
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    struct Place {
        folder: tempfile::TempDir,
        vars: HashMap<&'static str, PathBuf>,
    }

    impl Place {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            std::fs::create_dir_all(folder.path().join("project/.git")).unwrap();
            let vars = HashMap::from([
                ("HOME", folder.path().join("home")),
                ("PATH", folder.path().join("usr")),
            ]);
            let place = Place { folder, vars };
            place.file("usr/python3", "");
            place
        }

        fn file(&self, name: &str, text: &str) -> PathBuf {
            let path = self.folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, text).unwrap();
            path
        }

        fn root(&self) -> PathBuf {
            self.folder.path().join("project")
        }

        fn choose(&self, named: Option<&Path>) -> Result<Interpreter, UserError> {
            let var = |name: &str| self.vars.get(name).map(|path| path.clone().into_os_string());
            choose_in(&self.root(), named, &var)
        }

        #[track_caller]
        fn expect(&self, path: &str, reason: &str) {
            let found = self.choose(None).unwrap();
            assert_eq!(found.path, self.folder.path().join(path));
            assert!(found.reason.contains(reason), "{}", found.reason);
        }
    }

    #[test]
    fn the_nearer_declaration_wins() {
        let mut place = Place::new();
        place.expect("usr/python3", "PATH");
        assert!(!place.choose(None).unwrap().environment);

        place.file("conda/bin/python", "");
        place.vars.insert("CONDA_PREFIX", place.folder.path().join("conda"));
        place.expect("conda/bin/python", "CONDA_PREFIX");

        place.file("active/bin/python", "");
        place.vars.insert("VIRTUAL_ENV", place.folder.path().join("active"));
        place.expect("active/bin/python", "VIRTUAL_ENV");

        place.file("project/.python-version", "# ours\n3.12\n");
        place.file("home/.pyenv/versions/3.12.9/bin/python", "");
        place.file("home/.pyenv/versions/3.12.10/bin/python", "");
        place.expect("home/.pyenv/versions/3.12.10/bin/python", "pyenv");

        place.file("project/environment.yml", "name: shop # ours\n");
        place.file("home/miniforge3/envs/shop/bin/python", "");
        place.expect("home/miniforge3/envs/shop/bin/python", "`shop`");

        place.file("project/pyproject.toml", "[tool.poetry]\nname = \"My Shop\"\n");
        let name = poetry_name("My Shop", &place.root().canonicalize().unwrap());
        let poetry = format!("home/.cache/pypoetry/virtualenvs/{name}3.12/bin/python");
        place.file(&poetry, "");
        place.expect(&poetry, "Poetry");

        place.file("project/venv/bin/python", "");
        place.expect("project/venv/bin/python", "the project's venv");
        place.file("project/.venv/bin/python", "");
        place.expect("project/.venv/bin/python", "the project's .venv");

        let named = place.file("mine/python", "");
        assert_eq!(place.choose(Some(&named)).unwrap().path, named);
        let folder = place.folder.path().join("active");
        assert_eq!(place.choose(Some(&folder)).unwrap().path, folder.join("bin/python"));
        assert!(
            place.choose(Some(Path::new("/gone/python"))).unwrap_err().line().contains("/gone")
        );
    }

    #[test]
    fn without_any_python_the_error_says_what_to_do() {
        let mut place = Place::new();
        place.vars.remove("PATH");
        assert!(place.choose(None).unwrap_err().line().contains("--python"));
    }

    #[test]
    fn poetry_names_environments_by_name_and_path() {
        // Expected value from `EnvManager.generate_env_name` of Poetry 2.
        assert_eq!(poetry_name("My Shop", Path::new("/srv/shop")), "my_shop-58fqC6Q1-py");
    }
}
