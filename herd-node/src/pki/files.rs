//! The files of a CA and of servers: nothing is overwritten unasked, and a private key is never readable by others, not for a moment.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crate::command::Failure;

/// The largest file that is read.
const LEN_MAX: u64 = 1024 * 1024;

/// A file that is to be made.
pub(super) struct Wanted {
    pub(super) path: PathBuf,
    pub(super) text: String,
    /// A private key.
    pub(super) is_secret: bool,
}

/// Makes all of `files`, or says why not; without `force` only where none of them is there.
pub(super) fn write_all(files: &[Wanted], force: bool) -> Result<(), Failure> {
    // Before the first is made: half a pair helps nobody.
    for file in files.iter().filter(|_| !force) {
        if file.path.symlink_metadata().is_ok() {
            return Err(Failure::running(format!("{} is there already; --force replaces it", file.path.display())));
        }
    }
    files.iter().try_for_each(|file| write(file, force).map_err(|error| failure(&file.path, &error)))
}

fn write(file: &Wanted, force: bool) -> std::io::Result<()> {
    let mode = if file.is_secret { 0o600 } else { 0o644 };
    let create = |path: &Path| -> std::io::Result<()> {
        let mut made = OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?;
        made.write_all(file.text.as_bytes())?;
        made.sync_all()
    };
    if !force {
        return create(&file.path);
    }
    // Beside it first: who reads it meanwhile reads the old or the new one, and a new file has the rights of a new file.
    let mut beside = file.path.clone().into_os_string();
    beside.push(".new");
    let beside = PathBuf::from(beside);
    match std::fs::remove_file(&beside) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    create(&beside)?;
    std::fs::rename(&beside, &file.path)
}

/// What is in a file of certificates or of a key.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    // Asked before opening: opening a pipe would wait for a writer.
    let is_file = std::fs::metadata(path).map_err(|error| failure(path, &error))?.is_file();
    if !is_file {
        return Err(Failure::running(format!("{}: is not a regular file", path.display())));
    }
    let file = File::open(path).map_err(|error| failure(path, &error))?;
    file.take(LEN_MAX + 1).read_to_end(&mut bytes).map_err(|error| failure(path, &error))?;
    if bytes.len() as u64 > LEN_MAX {
        return Err(Failure::running(format!("{}: has more than {LEN_MAX} bytes", path.display())));
    }
    Ok(bytes)
}

fn failure(path: &Path, error: &std::io::Error) -> Failure {
    Failure::running(format!("{}: {error}", path.display()))
}
