//! The version of a project's code as git sees it: commit, branch, and the uncommitted changes.
//!
//! All calls go through the module `git`: nothing is locked or written in the repository, and no program
//! named by the repository is run. Files that a git filter converts, such as those of Git LFS, show as
//! changed once they are touched, because the filters are off.

use std::path::{Path, PathBuf};

use super::git::Git;
use crate::store::CodeVersion;

/// Longest diff in bytes; a longer one is cut and its last line says so.
pub const LONGEST_DIFF: usize = 1 << 20;
/// Longest output of `git status` that is read, in bytes; thousands of changed files fit.
const LONGEST_STATUS: usize = 1 << 20;
/// Most untracked files that are listed.
const UNTRACKED: usize = 200;
/// Pathspecs of files that may hold secrets and are never read. `git help glossary` explains the syntax.
const SECRETS: [&str; 14] = [
    ":(exclude,top,glob,icase)**/secrets*",
    ":(exclude,top,glob,icase)**/secrets*/**",
    ":(exclude,top,glob,icase)**/conf/**/cred/**",
    ":(exclude,top,glob)**/.netrc",
    ":(exclude,top,glob)**/*.p12",
    ":(exclude,top,glob)**/*.pfx",
    ":(exclude,top,glob,icase)**/*service*account*.json",
    ":(exclude,top,glob)**/conf/local/**",
    ":(exclude,top,glob,icase)**/*credentials*",
    ":(exclude,top,glob,icase)**/*credentials*/**",
    ":(exclude,top,glob)**/.env*",
    ":(exclude,top,glob)**/*.pem",
    ":(exclude,top,glob)**/*.key",
    ":(exclude,top,glob)**/id_rsa*",
];

/// The code's version and its uncommitted changes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Code {
    /// The version, without the hash of the diff.
    pub version: CodeVersion,
    /// Diff of the tracked files in the project's folder to the commit, without secrets; cut at
    /// [`LONGEST_DIFF`] bytes.
    pub diff: Option<String>,
}

/// The version of the code in `root`; `None` without git or a repository.
///
/// `conf_source` is the configuration folder; its environment `local` is private and left out. `secret` are
/// glob patterns of files in each environment that hold secrets; they are left out too.
pub async fn of(root: &Path, conf_source: &Path, secret: &[String]) -> Option<Code> {
    let mut places: Vec<String> = vec![".".into()];
    places.extend(SECRETS.map(str::to_owned));
    if let Ok(conf) = conf_source.join("local").strip_prefix(root) {
        places.push(format!(":(exclude){}", conf.display()));
    }
    if let Ok(conf) = conf_source.strip_prefix(root) {
        let place = |pattern: &String| format!(":(exclude,glob){}/*/{pattern}", conf.display());
        places.extend(secret.iter().map(place));
    }
    let git = Git::at(root).await?;
    // Submodules are ignored: git would read them with their own settings.
    let words = [
        "status",
        "--porcelain=v2",
        "--branch",
        "-z",
        "--untracked-files=normal",
        "--ignore-submodules=all",
        "--no-renames",
        "--",
    ];
    let (status, _) = git.ask(&words, &places, LONGEST_STATUS).await?;
    let (prefix, _) = git.ask(&["rev-parse", "--show-prefix"], &[], LONGEST_STATUS).await?;
    let prefix = String::from_utf8_lossy(&prefix).trim_end_matches('\n').to_owned();
    let mut version = read_status(&String::from_utf8_lossy(&status), &prefix);
    let mut diff = None;
    if version.commit.is_some() && version.dirty {
        let words = [
            "diff",
            "HEAD",
            "--relative",
            "--no-ext-diff",
            "--no-textconv",
            "--no-color",
            "--no-renames",
            "--src-prefix=a/",
            "--dst-prefix=b/",
            "--ignore-submodules=all",
            "--",
        ];
        if let Some((bytes, whole)) = git.ask(&words, &places, LONGEST_DIFF).await {
            let mut text = String::from_utf8_lossy(&bytes).into_owned();
            if !whole {
                text.truncate(text.rfind('\n').map_or(text.len(), |end| end + 1));
                text.push_str("# The difference is longer than 1 MiB; the rest was not kept.\n");
            }
            diff = Some(text).filter(|text| !text.is_empty());
        }
    }
    version.untracked.truncate(UNTRACKED);
    Some(Code { version, diff })
}

/// Parses the output of `git status --porcelain=v2 --branch -z`. `prefix` is the project's folder in the
/// repository; paths in the output begin with it.
fn read_status(status: &str, prefix: &str) -> CodeVersion {
    let mut version = CodeVersion::default();
    let mut parts = status.split('\0');
    while let Some(part) = parts.next() {
        if let Some(commit) = part.strip_prefix("# branch.oid ") {
            version.commit = Some(commit.to_owned()).filter(|commit| commit != "(initial)");
        } else if let Some(branch) = part.strip_prefix("# branch.head ") {
            version.branch = Some(branch.to_owned()).filter(|branch| branch != "(detached)");
        } else if let Some(file) = part.strip_prefix("? ") {
            version.untracked.push(file.strip_prefix(prefix).unwrap_or(file).to_owned());
            version.dirty = true;
        } else if part.starts_with(['1', '2', 'u']) {
            version.dirty = true;
            if part.starts_with('2') {
                // A renamed file is followed by its old name.
                parts.next();
            }
        }
    }
    version
}

/// Files of the project that differ between two commits; `None` when git does not (or no longer) have both.
pub async fn files_between(root: &Path, from: &str, to: &str) -> Option<Vec<PathBuf>> {
    // The hashes come from a store: they must not be read as options.
    let is_hash = |text: &str| text.len() >= 7 && text.chars().all(|c| c.is_ascii_hexdigit());
    if !is_hash(from) || !is_hash(to) {
        return None;
    }
    let words = [
        "diff",
        "--name-only",
        "-z",
        "--relative",
        "--no-ext-diff",
        "--no-textconv",
        "--no-renames",
        "--ignore-submodules=all",
        from,
        to,
        "--",
    ];
    let git = Git::at(root).await?;
    let (names, _) = git.ask(&words, &[".".to_owned()], LONGEST_STATUS).await?;
    let names = String::from_utf8_lossy(&names).into_owned();
    Some(names.split('\0').filter(|name| !name.is_empty()).map(PathBuf::from).collect())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::process::Stdio;

    use super::*;

    /// Runs git with an author's name and email set.
    fn git_in(root: &Path, words: &[&str]) {
        let status = std::process::Command::new("git")
            .args(["-c", "user.name=Ada", "-c", "user.email=ada@example.org"])
            .args(["-c", "init.defaultBranch=main"])
            .args(words)
            .current_dir(root)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .env_remove("GIT_DIR")
            .status()
            .unwrap();
        assert!(status.success(), "git {words:?}");
    }

    fn write(root: &Path, name: &str, text: &str) {
        let path = root.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    #[tokio::test]
    async fn commit_branch_and_diff_are_read_without_secrets() {
        let folder = tempfile::tempdir().unwrap();
        let repository = folder.path().canonicalize().unwrap();
        let root = repository.join("project");
        write(&root, "src/nodes.py", "one = 1\n");
        let conf = root.join("conf");
        let secret = ["logins*".to_owned(), "**/vault/**".to_owned()];
        assert_eq!(of(&root, &conf, &secret).await, None, "no repository");

        git_in(&repository, &["init"]);
        let code = of(&root, &conf, &secret).await.unwrap();
        assert_eq!((code.version.commit, code.version.branch.as_deref()), (None, Some("main")));
        assert!(code.version.dirty && code.diff.is_none());

        for name in [
            "conf/local/catalog.yml",
            "conf/base/credentials.yml",
            "conf/base/my_credentials/a.yml",
            "conf/base/logins.yml",
            "conf/base/sub/vault/a.yml",
            ".env",
        ] {
            write(&root, name, "password: old\n");
        }
        write(&repository, "elsewhere.py", "a = 1\n");
        git_in(&repository, &["add", "."]);
        git_in(&repository, &["commit", "-m", "first"]);
        let clean = of(&root, &conf, &secret).await.unwrap();
        assert_eq!(clean.version.commit.as_ref().unwrap().len(), 40);
        assert!(!clean.version.dirty && clean.diff.is_none(), "{clean:?}");

        for name in [
            "conf/local/catalog.yml",
            "conf/base/credentials.yml",
            "conf/base/my_credentials/a.yml",
            "conf/base/logins.yml",
            "conf/base/sub/vault/a.yml",
            ".env",
        ] {
            write(&root, name, "password: hush\n");
        }
        write(&repository, "elsewhere.py", "a = 2\n");
        let code = of(&root, &conf, &secret).await.unwrap();
        assert_eq!(code, clean, "secrets and other folders are no part of it");

        write(&root, "src/nodes.py", "one = 2\n");
        write(&root, "src/new näme.py", "");
        write(&root, "conf/local/new.yml", "token: hush\n");
        let code = of(&root, &conf, &secret).await.unwrap();
        assert!(code.version.dirty);
        assert_eq!(code.version.untracked, ["src/new näme.py"]);
        let diff = code.diff.unwrap();
        assert!(diff.contains("--- a/src/nodes.py\n") && diff.contains("+one = 2"), "{diff}");
        assert!(!diff.contains("hush"), "{diff}");

        git_in(&repository, &["checkout", "--detach"]);
        assert_eq!(of(&root, &conf, &secret).await.unwrap().version.branch, None);
    }

    #[tokio::test]
    async fn programs_named_by_the_repository_are_not_run() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        let inner = root.join("inner");
        for repository in [&inner, &root] {
            fs::create_dir_all(repository).unwrap();
            git_in(repository, &["init"]);
            write(repository, "a.py", "a = 1\n");
            write(repository, ".gitattributes", "*.py filter=a=b.c diff=trap\n");
            git_in(repository, &["add", "."]);
            git_in(repository, &["commit", "-m", "first"]);
        }
        let trap = root.join("trap");
        write(&root, "trap", "#!/bin/sh\necho \"$0\" >> \"$(dirname \"$0\")\"/tripped\ncat\n");
        fs::set_permissions(&trap, fs::Permissions::from_mode(0o755)).unwrap();
        let trap = trap.to_str().unwrap();
        for repository in [&root, &inner] {
            for key in ["core.fsmonitor", "filter.a=b.c.clean", "filter.a=b.c.process"] {
                git_in(repository, &["config", key, trap]);
            }
            for key in ["diff.external", "diff.trap.command", "diff.trap.textconv", "core.pager"] {
                git_in(repository, &["config", key, trap]);
            }
            git_in(repository, &["config", "filter.a=b.c.required", "true"]);
            write(repository, "a.py", "a = 2\n");
        }
        let code = of(&root, &root.join("conf"), &[]).await.unwrap();
        assert!(!root.join("tripped").exists());
        assert!(code.diff.unwrap().contains("+a = 2"));
        // A plain `git status` runs the programs.
        let _ = std::process::Command::new("git").arg("status").current_dir(&root).output();
        assert!(root.join("tripped").exists());
    }

    #[tokio::test]
    async fn a_long_diff_is_cut_with_a_note() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        git_in(&root, &["init"]);
        write(&root, "a.py", "");
        git_in(&root, &["add", "."]);
        git_in(&root, &["commit", "-m", "first"]);
        let first = of(&root, &root.join("conf"), &[]).await.unwrap().version.commit.unwrap();
        write(&root, "a.py", &"x = 'ü'\n".repeat(200_000));
        let diff = of(&root, &root.join("conf"), &[]).await.unwrap().diff.unwrap();
        assert!(diff.len() < LONGEST_DIFF + 100);
        assert!(diff.ends_with(
            "+x = 'ü'\n# The difference is longer than 1 MiB; the rest was not kept.\n"
        ));

        git_in(&root, &["commit", "-am", "second"]);
        let second = of(&root, &root.join("conf"), &[]).await.unwrap().version.commit.unwrap();
        assert_eq!(files_between(&root, &first, &second).await, Some(vec!["a.py".into()]));
        assert_eq!(files_between(&root, &first, &"0".repeat(40)).await, None);
        assert_eq!(files_between(&root, "--output=x", &second).await, None);
    }

    #[test]
    fn a_renamed_file_is_not_an_entry_of_its_own() {
        let status = ["# branch.oid abc", "2 R. N... 1 2 3 a b R100 new", "? old", ""].join("\0");
        let version = read_status(&status, "");
        assert!(version.dirty && version.untracked == [] as [&str; 0], "{version:?}");
    }
}
