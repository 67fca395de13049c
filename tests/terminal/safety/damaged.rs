//! Stores that are damaged in 200 ways: verbs end with an answer or the reason, nothing outside the store
//! is touched, and nothing in it is lost.

use std::fs::{self, File};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

use mlops_tui::store::{NewRun, Store};
use rusqlite::Connection;

use super::deletion::{NODES, content, foreign};
use crate::common::graphs::Random;
use crate::common::history::noisy_run;
use crate::common::project::{copy, project};
use crate::common::python::python;

const STORES: usize = 200;
/// Threads that share them.
const LANES: usize = 2;
/// Of these stores every so manieth is run upon by the program itself.
const RUN_UPON: usize = 25;
/// And every so manieth is read by `status`, which reads the whole project.
const READ_BY_STATUS: usize = 5;
/// A verb that takes longer hangs.
const HANGS: Duration = Duration::from_secs(60);
/// A folder that a run of a grid saved in, long ago.
const SAVED: &str = "apart/one";

/// A project with a history: one that is closed, and one as a killed program leaves it, with a journal.
struct Histories {
    folder: tempfile::TempDir,
    closed: PathBuf,
    killed: PathBuf,
}

fn histories() -> Histories {
    let folder = project(NODES);
    let root = folder.path();
    let place = tempfile::tempdir().unwrap().keep();
    let mut store = Store::new(root);
    for number in 1..=4 {
        let mut new = NewRun { started_at: f64::from(number), ..NewRun::default() };
        if number == 2 {
            new.request = format!(r#"{{"apart": ".mlops-tui/{SAVED}"}}"#);
            store.make_apart(&format!(".mlops-tui/{SAVED}")).unwrap();
        }
        noisy_run(&mut store, &new, 300);
    }
    store.keeping().unwrap();
    let own = root.join(".mlops-tui");
    fs::write(own.join(SAVED).join("data"), "weeks of computing").unwrap();
    copy(&own, &place.join("killed"));
    drop(store);
    copy(&own, &place.join("closed"));
    fs::remove_dir_all(&own).unwrap();
    Histories { folder, closed: place.join("closed"), killed: place.join("killed") }
}

impl Drop for Histories {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(self.closed.parent().unwrap());
    }
}

type Damage = fn(&Path, &Path, &mut Random);

/// Changes the bytes of a file in the store.
fn rewrite(path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = fs::read(path).unwrap();
    change(&mut bytes);
    fs::write(path, bytes).unwrap();
}

fn garbage(random: &mut Random, bytes: usize) -> Vec<u8> {
    (0..bytes).map(|_| u8::try_from(random.below(256)).unwrap()).collect()
}

fn fill_page(path: &Path, random: &mut Random, with: u8) {
    rewrite(path, |bytes| {
        let page = random.below(bytes.len() / 4096) * 4096;
        bytes[page..page + 4096].fill(with);
    });
}

fn sql(own: &Path, text: &str) {
    let connection = Connection::open(own.join("store.db")).unwrap();
    connection.execute_batch(text).unwrap();
}

fn replace(own: &Path, name: &str, make: impl FnOnce(&Path)) {
    let path = own.join(name);
    match path.is_dir() {
        true => fs::remove_dir_all(&path).unwrap(),
        false => drop(fs::remove_file(&path)),
    }
    make(&path);
}

fn pipe(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

/// What happens to the store in `own`, which was closed.
const DAMAGES: [(&str, Damage); 26] = [
    ("cut off", |own, _, random| {
        rewrite(&own.join("store.db"), |bytes| bytes.truncate(random.below(bytes.len())));
    }),
    ("some bytes", |own, _, random| {
        rewrite(&own.join("store.db"), |bytes| {
            for _ in 0..1 + random.below(200) {
                let at = random.below(bytes.len());
                bytes[at] = u8::try_from(random.below(256)).unwrap();
            }
        });
    }),
    ("a page of ones", |own, _, random| fill_page(&own.join("store.db"), random, 0xff)),
    ("a page of zeros", |own, _, random| fill_page(&own.join("store.db"), random, 0)),
    ("no header", |own, _, _| rewrite(&own.join("store.db"), |bytes| bytes[..100].fill(0))),
    ("garbage", |own, _, random| {
        let bytes = random.below(100_000);
        fs::write(own.join("store.db"), garbage(random, bytes)).unwrap();
    }),
    ("empty", |own, _, _| fs::write(own.join("store.db"), "").unwrap()),
    ("a foreign journal", |own, _, random| {
        let name = ["store.db-wal", "store.db-journal", "store.db-shm"][random.below(3)];
        fs::write(own.join(name), garbage(random, 50_000)).unwrap();
    }),
    ("a folder for it", |own, _, _| replace(own, "store.db", |path| fs::create_dir(path).unwrap())),
    ("a pipe for it", |own, _, _| replace(own, "store.db", pipe)),
    ("a link for it", |own, theirs, _| {
        replace(own, "store.db", |path| symlink(theirs.join("store.db"), path).unwrap());
    }),
    ("a link to nothing for it", |own, theirs, _| {
        replace(own, "store.db", |path| symlink(theirs.join("new.db"), path).unwrap());
    }),
    ("a link for a journal", |own, theirs, _| {
        replace(own, "store.db-wal", |path| symlink(theirs.join("new-wal"), path).unwrap());
    }),
    ("a view", |own, _, _| {
        sql(
            own,
            "ALTER TABLE runs RENAME TO r; CREATE VIEW runs AS WITH RECURSIVE n(x) AS \
                  (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT * FROM r, n",
        );
    }),
    ("a trigger", |own, _, _| {
        sql(own, "CREATE TRIGGER t AFTER DELETE ON runs BEGIN DELETE FROM store; END");
    }),
    ("no tables of some name", |own, _, random| {
        let table = ["runs", "log", "events", "nodes", "store", "kept"][random.below(6)];
        sql(own, &format!("PRAGMA foreign_keys = off; DROP TABLE {table}"));
    }),
    ("no mark", |own, _, random| {
        let sets = [
            "DELETE FROM store",
            "UPDATE store SET mark = '../../x'",
            "UPDATE store SET key = 'text'",
        ];
        sql(own, sets[random.below(sets.len())]);
    }),
    ("odd values", |own, _, random| {
        let sets = [
            "outcome = 'odd'",
            "started_at = 'text'",
            "request = x'ff00'",
            "request = '{'",
            "started_at = 9e999",
            "git = '[[['",
            "parameters = 7",
            "nodes_total = -1",
            "command = 1.5",
        ];
        sql(own, &format!("UPDATE runs SET {}", sets[random.below(sets.len())]));
    }),
    ("odd logs", |own, _, _| sql(own, "UPDATE log SET packed = randomblob(500)")),
    ("another program's", |own, theirs, _| {
        fs::copy(theirs.join("store.db"), own.join("store.db")).unwrap();
    }),
    ("a newer one", |own, _, random| {
        let version = [6, 99, i64::from(i32::MAX), -1][random.below(4)];
        sql(own, &format!("PRAGMA user_version = {version}"));
    }),
    ("an older one by name", |own, _, random| {
        sql(own, &format!("PRAGMA user_version = {}", random.below(5)));
    }),
    ("read-only", |own, _, _| {
        fs::set_permissions(own.join("store.db"), fs::Permissions::from_mode(0o400)).unwrap();
    }),
    ("links for its folders", |own, theirs, random| {
        let name = ["apart", "kept"][random.below(2)];
        replace(own, name, |path| symlink(theirs, path).unwrap());
    }),
    ("a pipe among its files", |own, _, random| {
        pipe(&own.join(["other", "kept/a.pickle", "apart/x"][random.below(3)]));
    }),
    ("a link for all", |own, theirs, _| {
        fs::remove_dir_all(own).unwrap();
        symlink(theirs, own).unwrap();
    }),
];

/// The same of a store that a killed program left.
const DAMAGES_OF_KILLED: [(&str, Damage); 6] = [
    ("killed", |_, _, _| {}),
    ("no journal", |own, _, _| fs::remove_file(own.join("store.db-wal")).unwrap()),
    ("a journal cut off", |own, _, random| {
        rewrite(&own.join("store.db-wal"), |bytes| bytes.truncate(random.below(bytes.len())));
    }),
    ("some bytes of the journal", |own, _, random| {
        rewrite(&own.join("store.db-wal"), |bytes| {
            for _ in 0..1 + random.below(50) {
                let at = random.below(bytes.len());
                bytes[at] = u8::try_from(random.below(256)).unwrap();
            }
        });
    }),
    ("no shared memory", |own, _, _| fs::remove_file(own.join("store.db-shm")).unwrap()),
    ("odd shared memory", |own, _, random| {
        fs::write(own.join("store.db-shm"), garbage(random, 32 << 10)).unwrap();
    }),
];

/// Calls a verb; whether it did what it should, and what it said of errors.
fn verb(root: &Path, words: &[&str]) -> (bool, String) {
    let told = tempfile::NamedTempFile::new().unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_mlops-tui"))
        .args(words)
        .current_dir(root)
        // Errors take ten times as long with it.
        .env("RUST_BACKTRACE", "0")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(told.reopen().unwrap())
        .spawn()
        .unwrap();
    let began = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if began.elapsed() > HANGS {
            child.kill().unwrap();
            panic!("{words:?} hangs");
        }
        std::thread::sleep(Duration::from_millis(1));
    };
    let told = fs::read_to_string(told.path()).unwrap();
    assert!([Some(0), Some(1)].contains(&status.code()), "{words:?}: {status:?} {told}");
    assert!(status.success() || !told.is_empty(), "{words:?} fails without a word");
    (status.success(), told)
}

/// Whether an error tells what to do.
fn names_the_remedy(told: &str) -> bool {
    let remedies = ["Move ", "move ", "Remove ", "Check ", "cancel it first"];
    // What was not there any more, or is kept under another name, needs none.
    let plain = ["There is no run", "is set aside as"];
    remedies.iter().chain(&plain).any(|words| told.contains(words))
}

/// Whether a folder holds a file of this content, under any name.
fn holds(own: &Path, bytes: &[u8]) -> bool {
    let entries = fs::read_dir(own).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.is_file()).any(|path| fs::read(path).unwrap() == bytes)
}

/// The files of a project outside its store, without what Python makes of its modules.
fn outside(root: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let entries = fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path());
    let mut files = Vec::new();
    for path in entries.filter(|path| !path.ends_with(".mlops-tui")) {
        match path.is_dir() {
            true => files.extend(content(&path)),
            false => files.push((path.clone(), fs::read(&path).unwrap())),
        }
    }
    files.retain(|(path, _)| !path.iter().any(|part| part == "__pycache__"));
    files.sort();
    files
}

fn runs(own: &Path) -> Option<i64> {
    let connection = Connection::open(own.join("store.db")).ok()?;
    connection.query_row("SELECT COUNT(*) FROM runs", [], |row| row.get(0)).ok()
}

/// Damages one store, and looks at what comes of it.
fn damage_one(histories: &Histories, number: usize) {
    let mut random = Random::new(number as u64);
    let which = number % (DAMAGES.len() + DAMAGES_OF_KILLED.len());
    let (history, (name, damage)) = match DAMAGES.get(which) {
        Some(damage) => (&histories.closed, *damage),
        None => (&histories.killed, DAMAGES_OF_KILLED[which - DAMAGES.len()]),
    };
    let place = tempfile::tempdir().unwrap();
    let root = place.path().join("project");
    let own = root.join(".mlops-tui");
    copy(histories.folder.path(), &root);
    copy(history, &own);
    let old = SystemTime::now() - Duration::from_secs(100 * 24 * 60 * 60);
    File::open(own.join(SAVED)).unwrap().set_modified(old).unwrap();
    let theirs = foreign();
    let text = "PRAGMA application_id = 7; CREATE TABLE thesis (text); \
                    INSERT INTO thesis VALUES ('years of work')";
    sql(theirs.path(), text);
    damage(&own, theirs.path(), &mut random);
    let (before, before_theirs) = (outside(&root), content(theirs.path()));
    let database = own.join("store.db");
    let plain = database.symlink_metadata().is_ok_and(|metadata| metadata.is_file());
    let damaged = if plain { fs::read(&database).unwrap() } else { Vec::new() };

    let case = format!("{number}, {name}");
    let mut set_aside = false;
    let reads: [&[&str]; 3] =
        [&["runs", "list"], &["runs", "show", "3"], &["runs", "prune", "--keep", "9", "--dry-run"]];
    let deletes: [&[&str]; 2] = [&["runs", "delete", "1"], &["runs", "prune", "--keep", "1"]];
    let round = number / (DAMAGES.len() + DAMAGES_OF_KILLED.len());
    let mut verbs = vec![reads[number % 3], deletes[round % 2]];
    if number.is_multiple_of(READ_BY_STATUS) {
        verbs.push(&["status"]);
    }
    for words in verbs {
        let (done, told) = verb(&root, words);
        assert!(done || names_the_remedy(&told), "{case}: {words:?}: {told}");
        // The verb that finds the damage tells of it.
        if own.join("store.broken-1.db").exists() && !set_aside {
            set_aside = true;
            assert!(words[0] != "runs" || told.contains("set aside as"), "{case}: {words:?}");
        }
    }
    if set_aside {
        assert!(own.join(SAVED).join("data").is_file(), "{case}: what a run saved is deleted");
        let is_whole = which >= DAMAGES.len() || holds(&own, &damaged);
        assert!(is_whole || runs(&own).is_some(), "{case}: the database is lost");
    }
    let added = Store::new(&root).add_run(&NewRun::default());
    match added {
        Ok(run) => assert!(run.id.is_some() && runs(&own) > Some(0), "{case}"),
        Err(error) => assert!(names_the_remedy(&error.to_string()), "{case}: {error}"),
    }
    if number.is_multiple_of(RUN_UPON) {
        let (done, told) = verb(&root, &["run", "--python", python().to_str().unwrap()]);
        assert!(done && (told.is_empty() || names_the_remedy(&told)), "{case}: {told}");
    }
    assert_eq!(outside(&root), before, "{case}: the project is touched");
    assert_eq!(content(theirs.path()), before_theirs, "{case}: what is foreign is touched");
}

#[test]
fn two_hundred_damaged_stores_harm_nothing() {
    let histories = histories();
    // All are tried, so that each that fails is told.
    let fails = |number: &usize| {
        std::panic::catch_unwind(AssertUnwindSafe(|| damage_one(&histories, *number))).is_err()
    };
    let failed: Vec<usize> = std::thread::scope(|scope| {
        let lanes: Vec<_> = (0..LANES)
            .map(|lane| (lane..STORES).step_by(LANES))
            .map(|numbers| scope.spawn(|| numbers.filter(fails).collect::<Vec<_>>()))
            .collect();
        lanes.into_iter().flat_map(|lane| lane.join().unwrap()).collect()
    });
    assert!(failed.is_empty(), "{failed:?}");
}
