//! Reads files that a project chooses: only plain files, up to a size limit. Reading a pipe, device
//! or socket could block or never end.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rustix::fs::OFlags;

/// The default size limit of text files in bytes: far more than people write by hand.
pub const TEXT: u64 = 16 << 20;

/// Opens a plain file. Links are followed, and opening never blocks.
///
/// # Errors
/// If there is no such file, it is not a plain file, or it can't be opened.
pub fn open(path: &Path) -> io::Result<File> {
    let flags = i32::try_from(OFlags::NONBLOCK.bits()).unwrap_or_default();
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    match file.metadata()?.is_file() {
        true => Ok(file),
        false => Err(io::Error::other("it is not a plain file")),
    }
}

/// The contents of a plain file of at most `most` bytes.
///
/// # Errors
/// Those of [`open`]; also if the file is larger.
pub fn read(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    // Files such as those in `/proc` report no size, and other files may grow.
    open(path)?.take(most + 1).read_to_end(&mut bytes)?;
    match bytes.len() as u64 > most {
        true => Err(io::Error::other(format!("it is larger than {} MB", most >> 20))),
        false => Ok(bytes),
    }
}

/// The text of a plain file of at most [`TEXT`] bytes.
///
/// # Errors
/// Those of [`read`]; also if the file is not UTF-8.
pub fn read_text(path: &Path) -> io::Result<String> {
    let invalid = |_| io::Error::new(io::ErrorKind::InvalidData, "it is not written in UTF-8");
    String::from_utf8(read(path, TEXT)?).map_err(invalid)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_files_up_to_a_size_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        std::fs::write(path("plain"), "1234").unwrap();
        std::os::unix::fs::symlink(path("plain"), path("link")).unwrap();
        assert_eq!(read(&path("link"), 4).unwrap(), b"1234");
        let larger = read(&path("plain"), 3).unwrap_err().to_string();
        assert!(larger.starts_with("it is larger"), "{larger}");
        let (kind, mode) = (rustix::fs::FileType::Fifo, rustix::fs::Mode::RWXU);
        rustix::fs::mknodat(rustix::fs::CWD, path("pipe"), kind, mode, 0).unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(path("socket")).unwrap();
        for name in ["pipe", "socket", "", "/dev/zero", "/dev/tty", "gone"] {
            assert!(open(&path(name)).is_err(), "{name}");
        }
        std::fs::write(path("binary"), [0xff]).unwrap();
        assert!(read_text(&path("binary")).unwrap_err().to_string().contains("UTF-8"));
    }
}
