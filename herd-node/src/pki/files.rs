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
///
/// A new key that stands beside an old certificate is no pair, and the old key is in no other place: so all of them are whole and on
/// disk before the first takes the place of an old one.
pub(super) fn write_all(files: &[Wanted], force: bool) -> Result<(), Failure> {
    // Before the first is made: half a pair helps nobody.
    for Wanted { path, .. } in files {
        match path.symlink_metadata() {
            Ok(_) if !force => {
                return Err(Failure::running(format!("{} is there already; --force replaces it", path.display())));
            }
            Ok(found) if found.is_dir() => {
                return Err(Failure::running(format!("{} is a directory", path.display())));
            }
            _ => {}
        }
    }
    let made: Vec<PathBuf> =
        files.iter().map(|file| if force { beside(&file.path) } else { file.path.clone() }).collect();
    for (index, (file, path)) in files.iter().zip(&made).enumerate() {
        if let Err(error) = create(file, path, force) {
            // Best effort: what stays behind holds nothing that anybody uses.
            made[..index].iter().for_each(|made| drop(std::fs::remove_file(made)));
            return Err(failure(path, &error));
        }
    }
    // Keys last: who is killed in between has the old key still, or all that is new.
    for is_secret in [false, true] {
        let moved = files.iter().zip(&made).filter(|(file, made)| file.is_secret == is_secret && file.path != **made);
        for (file, made) in moved {
            std::fs::rename(made, &file.path).map_err(|error| failure(&file.path, &error))?;
        }
    }
    files.iter().try_for_each(|file| sync_directory(&file.path).map_err(|error| failure(&file.path, &error)))
}

/// Where a file is made that is to replace the one at `path`: who reads that meanwhile reads the old or the new one, and a new file has
/// the rights of a new file.
fn beside(path: &Path) -> PathBuf {
    let mut beside = path.to_owned().into_os_string();
    beside.push(".new");
    beside.into()
}

/// Makes `file` at `path`, whole and on disk, or not at all. With `force` one that an earlier run left there goes first.
fn create(file: &Wanted, path: &Path, force: bool) -> std::io::Result<()> {
    if force {
        match std::fs::remove_file(path) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    let mode = if file.is_secret { 0o600 } else { 0o644 };
    let mut made = OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?;
    let written = made.write_all(file.text.as_bytes()).and_then(|()| made.sync_all());
    if written.is_err() {
        // Half a key; the disk may be full.
        let _ = std::fs::remove_file(path);
    }
    written
}

/// Has the name `path` outlive a power cut.
fn sync_directory(path: &Path) -> std::io::Result<()> {
    let directory = path.parent().filter(|directory| !directory.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(directory)?.sync_all()
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
