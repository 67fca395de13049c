//! The store's folder, opened once and accessed through its descriptor, so that a symbolic link in
//! its path can't redirect later accesses.
//!
//! [`Folder::make`] and [`Folder::open`] check the entries of the folder. Entries are removed only
//! by [`Folder::remove_file`] and [`Folder::remove_tree`], which do not follow links and leave
//! everything without this store's [`Mark`] alone.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, Stat};
use thiserror::Error;

use super::FOLDER;

/// The file that marks a folder as belonging to a store.
pub(super) const MARK: &str = ".mlops-tui-store";
/// How many nested folders [`Folder::remove_tree`] descends into; each level takes a descriptor.
const DEEPEST: usize = 200;
/// The largest number of entries of a folder that are checked when the store is opened.
const LOOKED_AT: usize = 10_000;

/// Why the store's folder is not used.
#[derive(Debug, Error)]
pub enum FolderError {
    /// The folder is a symbolic link or contains one.
    #[error("{} is a symbolic link, and mlops-tui follows no links in its own folder. Remove the link.", .0.display())]
    Link(PathBuf),
    /// The folder contains a device, pipe or socket, or is itself not a folder.
    #[error("{} is not a {expected}. Move it away.", path.display())]
    Kind {
        /// The path of the entry.
        path: PathBuf,
        /// The expected kind: `folder` or `plain file`.
        expected: &'static str,
    },
    /// The folder or an entry of it belongs to another user.
    #[error("{} belongs to another user (uid {uid}). Move it away, or take it over with chown.", path.display())]
    Foreign {
        /// The path of the entry.
        path: PathBuf,
        /// The owner's user id.
        uid: u32,
    },
    /// The folder or a file in it can't be read or created.
    #[error("{}: {source}.", path.display())]
    Io {
        /// The path of the folder or file.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
}

/// The mark of one store: a random number that its database generated on creation. Files and
/// folders carry it, so that only the store's own ones are ever removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark(pub(super) String);

impl Mark {
    /// The first line of each marked file, including the line end.
    pub fn line(&self) -> String {
        format!("mlops-tui store {}\n", self.0)
    }
}

/// A folder of the store.
#[derive(Debug)]
pub(super) struct Folder {
    fd: OwnedFd,
    path: PathBuf,
    /// The trusted owners of entries: the user of this process, and the owner of the project's
    /// folder.
    owners: [u32; 2],
}

/// Why something was not removed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(super) enum Kept {
    #[error("it does not carry this store's mark")]
    Unmarked,
    #[error("{0}")]
    Io(String),
}

impl From<io::Error> for Kept {
    fn from(error: io::Error) -> Self {
        Kept::Io(error.to_string())
    }
}

impl From<rustix::io::Errno> for Kept {
    fn from(error: rustix::io::Errno) -> Self {
        io::Error::from(error).into()
    }
}

impl Folder {
    /// The checked store folder of the project in `root`; `None` if there is none.
    ///
    /// # Errors
    /// If the folder or an entry of it is a link, belongs to another user or has an unexpected
    /// kind.
    pub(super) fn open(root: &Path) -> Result<Option<Folder>, FolderError> {
        let path = root.join(FOLDER);
        let owners = owners(root)?;
        let Some(folder) = at(rustix::fs::CWD, path.as_os_str(), path.clone(), owners)? else {
            return Ok(None);
        };
        folder.check()?;
        Ok(Some(folder))
    }

    /// Like [`Folder::open`], but creates a missing folder: readable only by its owner and ignored
    /// by git.
    ///
    /// # Errors
    /// Those of [`Folder::open`]; also if the folder can't be created or written.
    pub(super) fn make(root: &Path) -> Result<Folder, FolderError> {
        let path = root.join(FOLDER);
        make(rustix::fs::CWD, path.as_os_str()).map_err(|source| io_at(&path, source))?;
        let folder = Self::open(root)?
            .ok_or_else(|| io_at(&path, io::Error::from(io::ErrorKind::NotFound)))?;
        match folder.create(OsStr::new(".gitignore"), b"*\n") {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                Err(io_at(&folder.path.join(".gitignore"), error))
            }
            _ => Ok(folder),
        }
    }

    /// The subfolder `name`; `None` if there is none.
    pub(super) fn sub(&self, name: &OsStr) -> Result<Option<Folder>, FolderError> {
        at(&self.fd, name, self.path.join(name), self.owners)
    }

    /// The subfolder `name`, created if missing.
    pub(super) fn make_sub(&self, name: &OsStr) -> Result<Folder, FolderError> {
        let path = self.path.join(name);
        make(&self.fd, name).map_err(|source| io_at(&path, source))?;
        self.sub(name)?.ok_or_else(|| io_at(&path, io::Error::from(io::ErrorKind::NotFound)))
    }

    /// The path of the folder.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The names of the entries.
    pub(super) fn names(&self) -> io::Result<Vec<OsString>> {
        let mut names = Vec::new();
        for entry in Dir::read_from(&self.fd)? {
            let name = OsStr::from_bytes(entry?.file_name().to_bytes()).to_owned();
            if name != "." && name != ".." {
                names.push(name);
            }
        }
        names.sort();
        Ok(names)
    }

    /// The metadata of an entry, without following links.
    pub(super) fn stat(&self, name: &OsStr) -> io::Result<Stat> {
        Ok(rustix::fs::statat(&self.fd, name, AtFlags::SYMLINK_NOFOLLOW)?)
    }

    /// Whether the entry `name` exists and is a plain file.
    pub(super) fn has_file(&self, name: &OsStr) -> bool {
        Path::new(name).components().count() == 1
            && self.stat(name).is_ok_and(|stat| kind(&stat) == FileType::RegularFile)
    }

    /// Creates a new file that only its owner can read; fails if the file exists.
    pub(super) fn create(&self, name: &OsStr, bytes: &[u8]) -> io::Result<()> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        let fd = rustix::fs::openat(&self.fd, name, flags, Mode::from_raw_mode(0o600))?;
        let written = File::from(fd).write_all(bytes);
        if written.is_err() {
            // Removes the half-written file, which would look complete; on a full disk it is empty.
            let _ = rustix::fs::unlinkat(&self.fd, name, AtFlags::empty());
        }
        written
    }

    /// Renames an entry within this folder.
    pub(super) fn rename(&self, from: &OsStr, to: &OsStr) -> io::Result<()> {
        Ok(rustix::fs::renameat(&self.fd, from, &self.fd, to)?)
    }

    /// Whether a plain file starts with the mark's line.
    pub(super) fn is_marked(&self, name: &OsStr, mark: &Mark) -> io::Result<bool> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = File::from(rustix::fs::openat(&self.fd, name, flags, Mode::empty())?);
        if !file.metadata()?.is_file() {
            return Ok(false);
        }
        let line = mark.line();
        let mut start = Vec::new();
        file.take(line.len() as u64).read_to_end(&mut start)?;
        Ok(start == line.as_bytes())
    }

    /// Removes a plain file that starts with the mark's line; returns its size in bytes.
    pub(super) fn remove_file(&self, name: &OsStr, mark: &Mark) -> Result<u64, Kept> {
        let stat = self.stat(name)?;
        if kind(&stat) != FileType::RegularFile || !self.is_marked(name, mark)? {
            return Err(Kept::Unmarked);
        }
        rustix::fs::unlinkat(&self.fd, name, AtFlags::empty())?;
        Ok(u64::try_from(stat.st_size).unwrap_or(0))
    }

    /// Removes a folder with its contents, if it contains the file [`MARK`] of this store; returns
    /// the freed bytes. Links in it are removed, but not their targets. The mark is removed last,
    /// so that an interrupted removal can be repeated.
    pub(super) fn remove_tree(&self, name: &OsStr, mark: &Mark) -> Result<u64, Kept> {
        let folder = self.sub(name).map_err(|error| Kept::Io(error.to_string()))?;
        let Some(folder) = folder else { return Err(Kept::Unmarked) };
        match folder.is_marked(OsStr::new(MARK), mark) {
            Ok(true) => {}
            Ok(false) => return Err(Kept::Unmarked),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(Kept::Unmarked),
            Err(error) => return Err(error.into()),
        }
        let device = rustix::fs::fstat(&folder.fd)?.st_dev;
        let bytes = folder.empty(device, DEEPEST, &|name| name == MARK)?;
        rustix::fs::unlinkat(&folder.fd, MARK, AtFlags::empty())?;
        rustix::fs::unlinkat(&self.fd, name, AtFlags::REMOVEDIR)?;
        Ok(bytes)
    }

    /// Removes all entries except those for which `is_kept` is true; returns the freed bytes.
    fn empty(
        &self,
        device: u64,
        levels_left: usize,
        is_kept: &dyn Fn(&OsStr) -> bool,
    ) -> Result<u64, Kept> {
        let mut bytes = 0;
        for name in self.names()?.iter().filter(|name| !is_kept(name)) {
            let path = self.path.join(name);
            let stat = self.stat(name)?;
            if kind(&stat) != FileType::Directory {
                rustix::fs::unlinkat(&self.fd, name, AtFlags::empty())?;
                bytes += u64::try_from(stat.st_size).unwrap_or(0);
                continue;
            }
            if stat.st_dev != device {
                return Err(Kept::Io(format!("{} is on another file system", path.display())));
            }
            if levels_left == 0 {
                return Err(Kept::Io(format!("{} lies too deep", path.display())));
            }
            let inner = at(&self.fd, name, path, self.owners);
            let inner = inner.map_err(|error| Kept::Io(error.to_string()))?;
            if let Some(inner) = inner {
                bytes += inner.empty(device, levels_left - 1, &|_| false)?;
            }
            rustix::fs::unlinkat(&self.fd, name, AtFlags::REMOVEDIR)?;
        }
        Ok(bytes)
    }

    /// Checks that all entries, and those of subfolders, are plain files and folders of a trusted
    /// owner.
    fn check(&self) -> Result<(), FolderError> {
        let names = self.names().map_err(|source| io_at(&self.path, source))?;
        for name in names.iter().take(LOOKED_AT) {
            let path = self.path.join(name);
            let stat = match self.stat(name) {
                Ok(stat) => stat,
                // Another program has just removed the entry.
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(source) => return Err(io_at(&path, source)),
            };
            check_owner(&stat, &path, self.owners)?;
            match kind(&stat) {
                FileType::Symlink => return Err(FolderError::Link(path)),
                FileType::Directory => drop(self.sub(name)?),
                FileType::RegularFile => self.close(name, &stat),
                _ => return Err(FolderError::Kind { path, expected: "plain file" }),
            }
        }
        Ok(())
    }

    /// Removes the permissions of other users from a file.
    fn close(&self, name: &OsStr, stat: &Stat) {
        let mode = Mode::from_raw_mode(stat.st_mode);
        if mode.intersects(Mode::RWXG | Mode::RWXO) {
            let own = mode & Mode::RWXU;
            // A file system without permissions may refuse, which is harmless.
            let _ = rustix::fs::chmodat(&self.fd, name, own, AtFlags::empty());
        }
    }
}

/// Opens the folder `name` in another folder, without following links.
fn at(
    parent: impl std::os::fd::AsFd,
    name: &OsStr,
    path: PathBuf,
    owners: [u32; 2],
) -> Result<Option<Folder>, FolderError> {
    use rustix::io::Errno;
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let fd = match rustix::fs::openat(&parent, name, flags, Mode::empty()) {
        Ok(fd) => fd,
        Err(Errno::NOENT) => return Ok(None),
        Err(error @ (Errno::LOOP | Errno::NOTDIR)) => {
            let stat = rustix::fs::statat(&parent, name, AtFlags::SYMLINK_NOFOLLOW);
            return Err(match stat.as_ref().map(kind) {
                Ok(FileType::Symlink) => FolderError::Link(path),
                Ok(_) => FolderError::Kind { path, expected: "folder" },
                Err(_) => io_at(&path, error.into()),
            });
        }
        Err(error) => return Err(io_at(&path, error.into())),
    };
    let stat = rustix::fs::fstat(&fd).map_err(|error| io_at(&path, error.into()))?;
    check_owner(&stat, &path, owners)?;
    let mode = Mode::from_raw_mode(stat.st_mode);
    if mode.intersects(Mode::RWXG | Mode::RWXO) {
        let _ = rustix::fs::fchmod(&fd, mode & Mode::RWXU);
    }
    Ok(Some(Folder { fd, path, owners }))
}

/// Creates a folder that only its owner can read; an existing folder is left unchanged.
fn make(parent: impl std::os::fd::AsFd, name: &OsStr) -> io::Result<()> {
    match rustix::fs::mkdirat(parent, name, Mode::RWXU) {
        Ok(()) | Err(rustix::io::Errno::EXIST) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

fn owners(root: &Path) -> Result<[u32; 2], FolderError> {
    let metadata = root.metadata().map_err(|source| io_at(root, source))?;
    Ok([rustix::process::geteuid().as_raw(), metadata.uid()])
}

fn check_owner(stat: &Stat, path: &Path, owners: [u32; 2]) -> Result<(), FolderError> {
    match owners.contains(&stat.st_uid) {
        true => Ok(()),
        false => Err(FolderError::Foreign { path: path.to_owned(), uid: stat.st_uid }),
    }
}

fn kind(stat: &Stat) -> FileType {
    FileType::from_raw_mode(stat.st_mode)
}

fn io_at(path: &Path, source: io::Error) -> FolderError {
    FolderError::Io { path: path.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn mark() -> Mark {
        Mark("0123".into())
    }

    /// A project, and an unrelated folder beside it.
    fn places() -> (tempfile::TempDir, PathBuf, PathBuf) {
        let place = tempfile::tempdir().unwrap();
        let (root, foreign) = (place.path().join("project"), place.path().join("foreign"));
        fs::create_dir_all(&root).unwrap();
        fs::create_dir_all(foreign.join("deep")).unwrap();
        fs::write(foreign.join("thesis.txt"), "years").unwrap();
        fs::write(foreign.join("deep/data.csv"), "1,2").unwrap();
        (place, root, foreign)
    }

    fn is_whole(foreign: &Path) -> bool {
        foreign.join("thesis.txt").is_file() && foreign.join("deep/data.csv").is_file()
    }

    #[test]
    fn a_link_anywhere_in_the_folder_refuses_the_folder() {
        for name in ["", "apart", "kept", "store.db", "store.db-wal", ".gitignore", "other"] {
            let (_place, root, foreign) = places();
            if !name.is_empty() {
                fs::create_dir(root.join(FOLDER)).unwrap();
            }
            let link = root.join(FOLDER).join(name);
            let link = link.components().as_path().to_owned();
            symlink(&foreign, &link).unwrap();
            let refused = Folder::make(&root).unwrap_err();
            assert!(matches!(&refused, FolderError::Link(path) if *path == link), "{refused}");
            assert!(is_whole(&foreign) && fs::read_dir(&foreign).unwrap().count() == 2, "{name}");
        }
    }

    #[test]
    fn an_entry_that_is_not_a_plain_file_refuses_the_folder() {
        let (_place, root, _) = places();
        let folder = Folder::make(&root).unwrap();
        let pipe = folder.path.join("pipe");
        rustix::fs::mknodat(
            rustix::fs::CWD,
            &pipe,
            FileType::Fifo,
            Mode::RWXU,
            rustix::fs::makedev(0, 0),
        )
        .unwrap();
        let refused = Folder::open(&root).unwrap_err();
        assert!(matches!(&refused, FolderError::Kind { path, .. } if *path == pipe), "{refused}");
    }

    #[test]
    fn only_the_owner_can_read_the_folder() {
        let (_place, root, _) = places();
        fs::create_dir(root.join(FOLDER)).unwrap();
        fs::write(root.join(FOLDER).join("old"), "").unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        fs::set_permissions(root.join(FOLDER), fs::Permissions::from_mode(0o755)).unwrap();
        let folder = Folder::make(&root).unwrap();
        folder.create(OsStr::new("new"), b"").unwrap();
        let sub = folder.make_sub(OsStr::new("sub")).unwrap();
        assert_eq!(mode(&folder.path), 0o700);
        assert_eq!(mode(&sub.path), 0o700);
        for file in ["old", "new", ".gitignore"] {
            assert_eq!(mode(&folder.path.join(file)), 0o600, "{file}");
        }
    }

    #[test]
    fn a_folder_of_another_user_is_refused() {
        let (_place, root, _) = places();
        let folder = Folder::make(&root).unwrap();
        if std::os::unix::fs::chown(&folder.path, Some(4321), None).is_err() {
            return; // only root can give a folder away
        }
        let refused = Folder::open(&root).unwrap_err();
        assert!(matches!(refused, FolderError::Foreign { uid: 4321, .. }), "{refused}");
        // The owner of the project may also own the entries of its store.
        std::os::unix::fs::chown(&root, Some(4321), None).unwrap();
        assert!(Folder::open(&root).unwrap().is_some());
    }

    #[test]
    fn only_marked_trees_are_removed_and_links_are_not_followed() {
        let (_place, root, foreign) = places();
        let folder = Folder::make(&root).unwrap();
        let tree = folder.make_sub(OsStr::new("tree")).unwrap();
        fs::create_dir_all(tree.path.join("a/b")).unwrap();
        fs::write(tree.path.join("a/b/data"), "12345").unwrap();
        symlink(&foreign, tree.path.join("a/link")).unwrap();
        symlink(foreign.join("thesis.txt"), tree.path.join("thesis")).unwrap();
        let name = OsStr::new("tree");
        assert_eq!(folder.remove_tree(name, &mark()), Err(Kept::Unmarked));
        tree.create(OsStr::new(MARK), Mark("other".into()).line().as_bytes()).unwrap();
        assert_eq!(folder.remove_tree(name, &mark()), Err(Kept::Unmarked));
        assert!(tree.path.join("a/b/data").is_file());
        fs::write(tree.path.join(MARK), mark().line()).unwrap();
        assert!(folder.remove_tree(name, &mark()).unwrap() >= 5);
        assert!(!tree.path.exists() && is_whole(&foreign));

        symlink(&foreign, folder.path.join("tree")).unwrap();
        fs::write(foreign.join(MARK), mark().line()).unwrap();
        assert!(folder.remove_tree(name, &mark()).is_err());
        assert!(is_whole(&foreign) && folder.path.join("tree").is_symlink());
    }

    #[test]
    fn only_marked_files_are_removed() {
        let (_place, root, foreign) = places();
        let folder = Folder::make(&root).unwrap();
        let name = OsStr::new("file");
        folder.create(name, b"mlops-tui store 012").unwrap();
        assert_eq!(folder.remove_file(name, &mark()), Err(Kept::Unmarked));
        fs::write(folder.path.join(name), mark().line() + "data").unwrap();
        assert_eq!(folder.remove_file(name, &mark()), Ok(mark().line().len() as u64 + 4));
        fs::write(foreign.join("thesis.txt"), mark().line()).unwrap();
        symlink(foreign.join("thesis.txt"), folder.path.join(name)).unwrap();
        assert_eq!(folder.remove_file(name, &mark()), Err(Kept::Unmarked));
        assert!(is_whole(&foreign));
    }
}
