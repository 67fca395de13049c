//! The pipes between this program and a child of the worker.

use std::io;
use std::os::fd::OwnedFd;

use tokio::net::unix::pipe;

/// How much a pipe holds, in bytes, where the system lets it be chosen.
pub(super) const WIDE: usize = 1 << 20;
/// How much is read at once, in bytes.
pub(super) const READ: usize = 256 << 10;

/// A pipe that holds much: its reading end, and its writing end.
pub(super) fn wide() -> io::Result<(OwnedFd, OwnedFd)> {
    let (reading, writing) = io::pipe()?;
    #[cfg(target_os = "linux")]
    {
        // A busy system gives less; it is slower, and right.
        let _ = rustix::pipe::fcntl_setpipe_size(&writing, WIDE);
    }
    Ok((reading.into(), writing.into()))
}

/// The reading end of a pipe.
pub(super) struct Pipe {
    receiver: pipe::Receiver,
    buffer: Vec<u8>,
    open: bool,
}

impl Pipe {
    pub(super) fn new(fd: OwnedFd) -> io::Result<Self> {
        let receiver = pipe::Receiver::from_owned_fd(fd)?;
        Ok(Pipe { receiver, buffer: vec![0; READ], open: true })
    }

    /// Waits until there is something to read.
    pub(super) async fn readable(&self) {
        if !self.open || self.receiver.readable().await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// What is known to be there; nothing when there is nothing, or no more.
    pub(super) fn read(&mut self) -> &[u8] {
        let read = self.receiver.try_read(&mut self.buffer);
        self.taken(read)
    }

    /// The same, also when the runtime has not heard yet that there is something.
    pub(super) fn read_now(&mut self) -> &[u8] {
        let read = match self.receiver.try_read(&mut self.buffer) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                rustix::io::read(&self.receiver, &mut self.buffer).map_err(io::Error::from)
            }
            read => read,
        };
        self.taken(read)
    }

    fn taken(&mut self, read: io::Result<usize>) -> &[u8] {
        match read {
            Ok(0) => self.open = false,
            Ok(count) => return &self.buffer[..count],
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => self.open = false,
        }
        &[]
    }

    /// Reads to nowhere until nobody writes any more: a daemon that the run has left on purpose may
    /// go on printing.
    pub(super) async fn drain(mut self) {
        while self.open && self.receiver.readable().await.is_ok() {
            self.read();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::Write;

    use super::*;

    #[tokio::test]
    async fn what_was_written_is_read_before_the_runtime_has_heard_of_it() {
        let (reading, writing) = wide().unwrap();
        let mut pipe = Pipe::new(reading).unwrap();
        let mut writing = File::from(writing);
        assert_eq!(pipe.read_now(), b"");
        for _ in 0..100 {
            writing.write_all(b"text").unwrap();
            assert_eq!(pipe.read_now(), b"text");
            assert_eq!(pipe.read_now(), b"");
        }
        drop(writing);
        assert_eq!(pipe.read_now(), b"");
        assert!(!pipe.open);
    }
}
