//! All calls of git. They run such that a repository can't make this program run anything.
//!
//! A repository's own configuration and attributes can name programs: filters, hooks, a file-system monitor,
//! external diffs, transports that fetch missing objects. All of them are turned off here for each call,
//! under every git since 2.31. The `git` program is used instead of a library: it is installed wherever there
//! is a repository, it knows every repository format, and a pure-Rust library with status and diff would
//! triple this program's dependencies.
//!
//! Each switch is documented by git itself: `git help config`, `gitattributes`, and the environment variables
//! in `git help git`.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::process::Command;

use crate::system::programs;

/// How long one call may take.
const LIMIT: Duration = Duration::from_secs(10);
/// Longest list of a repository's filters that is read, in bytes.
const LONGEST_LIST: usize = 1 << 16;
/// Settings that override the repository's own.
const SETTINGS: [(&str, &str); 7] = [
    ("core.fsmonitor", "false"),
    ("core.hooksPath", "/dev/null"),
    ("core.quotePath", "false"),
    ("core.sshCommand", "false"),
    ("diff.external", ""),
    ("protocol.allow", "never"),
    ("safe.bareRepository", "explicit"),
];
/// Environment variables of each call: git takes no locks, fetches nothing and never prompts.
const VARIABLES: [(&str, &str); 9] = [
    ("GIT_OPTIONAL_LOCKS", "0"),
    ("GIT_TERMINAL_PROMPT", "0"),
    ("GIT_NO_LAZY_FETCH", "1"),
    ("GIT_NO_REPLACE_OBJECTS", "1"),
    ("GIT_ALLOW_PROTOCOL", "none"),
    ("GIT_ASKPASS", "false"),
    ("GIT_PAGER", "cat"),
    ("GIT_EDITOR", "false"),
    ("LC_ALL", "C"),
];
/// Environment variables that are removed: a hook or a shell may have set them for another repository.
const FOREIGN: [&str; 10] = [
    "GIT_DIR",
    "GIT_COMMON_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_PREFIX",
    "GIT_NAMESPACE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_EXTERNAL_DIFF",
    "GIT_CONFIG_PARAMETERS",
];

/// The repository that contains a folder.
#[derive(Debug)]
pub(super) struct Git {
    program: PathBuf,
    folder: PathBuf,
    /// Settings that turn off the filters named by the repository.
    filters: Vec<(String, &'static str)>,
}

impl Git {
    /// Reads the filters of the repository that contains `folder`; `None` without git.
    pub(super) async fn at(folder: &Path) -> Option<Git> {
        let program = programs::find("git")?;
        let mut git = Git { program, folder: folder.to_owned(), filters: Vec::new() };
        let words = ["config", "--null", "--name-only", "--get-regexp", r"^filter\."];
        let names = match git.run(&words, &[], LONGEST_LIST).await? {
            Answer { whole: true, success: true, bytes } => String::from_utf8(bytes).ok()?,
            // git exits with an error and prints nothing when no setting matches.
            Answer { whole: true, success: false, bytes } if bytes.is_empty() => String::new(),
            _ => return None,
        };
        let mut drivers: Vec<&str> = names
            .split('\0')
            .filter_map(|name| Some(name.strip_prefix("filter.")?.rsplit_once('.')?.0))
            .collect();
        drivers.sort_unstable();
        drivers.dedup();
        for driver in drivers {
            for (variable, value) in
                [("clean", ""), ("smudge", ""), ("process", ""), ("required", "false")]
            {
                git.filters.push((format!("filter.{driver}.{variable}"), value));
            }
        }
        Some(git)
    }

    /// The output of a git command, at most `longest` bytes, and whether it is complete; `None` when git
    /// fails. `words` begin with a built-in command of git; `places` are paths or pathspecs.
    pub(super) async fn ask(
        &self,
        words: &[&str],
        places: &[String],
        longest: usize,
    ) -> Option<(Vec<u8>, bool)> {
        let answer = self.run(words, places, longest).await?;
        answer.success.then_some((answer.bytes, answer.whole))
    }

    async fn run(&self, words: &[&str], places: &[String], longest: usize) -> Option<Answer> {
        let mut command = Command::new(&self.program);
        command
            .arg("--no-pager")
            .args(words)
            .args(places)
            .current_dir(&self.folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true);
        for variable in FOREIGN {
            command.env_remove(variable);
        }
        command.envs(VARIABLES).env("PATH", programs::path());
        let own = SETTINGS.map(|(name, value)| (name.to_owned(), value));
        let settings = own.iter().chain(&self.filters);
        let mut count = 0;
        for (index, (name, value)) in settings.enumerate() {
            command.env(format!("GIT_CONFIG_KEY_{index}"), name);
            command.env(format!("GIT_CONFIG_VALUE_{index}"), value);
            count = index + 1;
        }
        command.env("GIT_CONFIG_COUNT", count.to_string());
        let ask = async {
            let mut child = command.spawn().ok()?;
            let mut stdout = child.stdout.take()?;
            let mut bytes = Vec::new();
            (&mut stdout).take(longest as u64 + 1).read_to_end(&mut bytes).await.ok()?;
            if bytes.len() > longest {
                bytes.truncate(longest);
                return Some(Answer { bytes, whole: false, success: true });
            }
            let success = child.wait().await.ok()?.success();
            Some(Answer { bytes, whole: true, success })
        };
        tokio::time::timeout(LIMIT, ask).await.ok().flatten()
    }
}

struct Answer {
    bytes: Vec<u8>,
    whole: bool,
    success: bool,
}
