//! The file system as the disk log uses it: few operations, so that tests can put one in its place that fails, forgets what was
//! not synced, or holds a sync up.

use std::fs::{self, DirBuilder, File as StdFile, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::OpenError;
use super::name::Name;

/// The file that says that somebody has the directory open.
const LOCK: &str = "lock";

/// The files of one directory.
pub(super) trait Files: Send + Sync + 'static {
    /// All of the disk log's, whatever else there is.
    fn list(&self) -> io::Result<Vec<Name>>;
    /// Opens a file to be read from its beginning.
    fn read(&self, name: Name) -> io::Result<Box<dyn Readable>>;
    /// Makes a new file, instead of one of that name.
    fn create(&self, name: Name) -> io::Result<Box<dyn File>>;
    /// Opens a file to be written from `len` on, and cuts off what is there.
    fn append(&self, name: Name, len: u64) -> io::Result<Box<dyn File>>;
    /// Gives a file another name, instead of one of that name.
    fn rename(&self, from: Name, to: Name) -> io::Result<()>;
    /// Removes a file.
    fn remove(&self, name: Name) -> io::Result<()>;
    /// Returns when all names are on disk.
    fn sync(&self) -> io::Result<()>;
    /// For people.
    fn path(&self, name: Name) -> PathBuf;
}

/// A file that is read.
pub(super) trait Readable: Read {
    /// How large it is.
    fn len(&self) -> io::Result<u64>;
    /// Its last bytes, as many as there are room and bytes for.
    fn read_end(&self, into: &mut [u8]) -> io::Result<usize>;
}

/// A file that is written. Dropped, it is closed and nothing else.
pub(super) trait File: Write + Send {
    /// Returns when everything written is on disk.
    fn sync(&mut self) -> io::Result<()>;
}

/// Makes `name` by way of its unfinished name: it has all that `fill` writes, on disk, or it is not there.
///
/// # Errors
/// The first there is. The file is given up, and under its unfinished name removed.
pub(super) fn create_whole<T>(
    files: &dyn Files,
    name: Name,
    fill: impl FnOnce(&mut dyn File) -> io::Result<T>,
) -> io::Result<(Box<dyn File>, T)> {
    let mut file = files.create(name.unfinished())?;
    let finish = || {
        let filled = fill(&mut *file)?;
        file.sync()?;
        files.rename(name.unfinished(), name)?;
        files.sync()?;
        Ok(filled)
    };
    match finish() {
        Ok(filled) => Ok((file, filled)),
        Err(error) => {
            // The disk may be full. If this fails, too, the next start removes it.
            let _ = files.remove(name.unfinished());
            Err(error)
        }
    }
}

/// A real directory, locked for as long as this lives.
#[derive(Debug)]
pub(super) struct Directory {
    path: PathBuf,
    /// The lock goes with it, however the process ends.
    _lock: StdFile,
}

impl Directory {
    /// Opens `path` and locks it; makes it, for the owner alone, if it is not there.
    pub(super) fn open(path: PathBuf) -> Result<Self, OpenError> {
        make(&path).map_err(|source| OpenError::File { path: path.clone(), source })?;
        let lock_path = path.join(LOCK);
        let failed = |source: io::Error| OpenError::File { path: lock_path.clone(), source };
        let lock = options().truncate(false).create(true).open(&lock_path).map_err(failed)?;
        match rustix::fs::flock(&lock, rustix::fs::FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Self { path, _lock: lock }),
            Err(rustix::io::Errno::WOULDBLOCK) => Err(OpenError::InUse { path: lock_path }),
            Err(error) => Err(failed(error.into())),
        }
    }
}

impl Files for Directory {
    fn list(&self) -> io::Result<Vec<Name>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.path)? {
            names.extend(entry?.file_name().to_str().and_then(Name::parse));
        }
        Ok(names)
    }

    fn read(&self, name: Name) -> io::Result<Box<dyn Readable>> {
        Ok(Box::new(open_regular(&self.path(name))?))
    }

    fn create(&self, name: Name) -> io::Result<Box<dyn File>> {
        Ok(Box::new(options().create(true).truncate(true).open(self.path(name))?))
    }

    fn append(&self, name: Name, len: u64) -> io::Result<Box<dyn File>> {
        let file = OpenOptions::new().append(true).open(self.path(name))?;
        if file.metadata()?.len() > len {
            file.set_len(len)?;
        }
        Ok(Box::new(file))
    }

    fn rename(&self, from: Name, to: Name) -> io::Result<()> {
        fs::rename(self.path(from), self.path(to))
    }

    fn remove(&self, name: Name) -> io::Result<()> {
        fs::remove_file(self.path(name))
    }

    fn sync(&self) -> io::Result<()> {
        sync_directory(&self.path)
    }

    fn path(&self, name: Name) -> PathBuf {
        self.path.join(name.to_string())
    }
}

impl File for StdFile {
    fn sync(&mut self) -> io::Result<()> {
        self.sync_data()
    }
}

impl Readable for StdFile {
    fn len(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }

    fn read_end(&self, into: &mut [u8]) -> io::Result<usize> {
        let mut at = self.metadata()?.len().saturating_sub(into.len() as u64);
        let mut filled = 0;
        while filled < into.len() {
            match self.read_at(&mut into[filled..], at) {
                Ok(0) => break,
                Ok(len) => {
                    filled += len;
                    at += len as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(filled)
    }
}

/// Opens a file to be read, if it is one: a pipe would wait for somebody to write to it.
pub(super) fn open_regular(path: &Path) -> io::Result<StdFile> {
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
    }
    StdFile::open(path)
}

/// It says where people are: for nobody else on this machine.
fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).mode(0o600);
    options
}

/// Makes a directory, and those above it, so that a power cut does not take them away again.
fn make(path: &Path) -> io::Result<()> {
    let missing: Vec<&Path> =
        path.ancestors().take_while(|path| !path.as_os_str().is_empty() && !path.exists()).collect();
    DirBuilder::new().recursive(true).mode(0o700).create(path)?;
    for made in missing.iter().rev() {
        match made.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => sync_directory(parent)?,
            _ => sync_directory(Path::new("."))?,
        }
    }
    Ok(())
}

fn sync_directory(path: &Path) -> io::Result<()> {
    StdFile::open(path)?.sync_all()
}
