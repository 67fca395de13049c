//! The pipes between this program and a child of the worker.

use std::io;
use std::os::fd::OwnedFd;

use tokio::net::unix::pipe;

/// Requested capacity of a pipe in bytes, where the system lets it be chosen.
pub(super) const WIDE: usize = 1 << 20;
/// Most bytes that are read at once.
pub(super) const READ: usize = 256 << 10;

/// A pipe with a large capacity: reading end and writing end.
pub(super) fn wide() -> io::Result<(OwnedFd, OwnedFd)> {
    let (reading, writing) = io::pipe()?;
    #[cfg(target_os = "linux")]
    {
        // If the system allows less, the pipe is slower but correct.
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

    /// The bytes that are available; empty when there are none, or the pipe was closed.
    pub(super) fn read(&mut self) -> &[u8] {
        let read = self.receiver.try_read(&mut self.buffer);
        self.taken(read)
    }

    /// Like [`Self::read`], but also reads bytes of which the runtime has not been notified yet.
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

    /// Reads and discards until all writers have closed the pipe: a daemon that the run left behind on
    /// purpose may continue to print.
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
    async fn written_bytes_are_read_before_the_runtime_is_notified() {
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
