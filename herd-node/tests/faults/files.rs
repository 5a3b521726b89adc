//! The suite's files: configurations, journals, logs. Gone after each scene, unless it failed and somebody may want to look.

use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The directory of all directories, once there is one, and how many there are in it.
static ROOT: Mutex<Option<(PathBuf, u32)>> = Mutex::new(None);

fn root() -> MutexGuard<'static, Option<(PathBuf, u32)>> {
    ROOT.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A new directory.
pub(crate) fn directory() -> io::Result<PathBuf> {
    let mut root = root();
    let (path, count) = match &mut *root {
        Some(root) => root,
        none => none.insert((tempfile::Builder::new().prefix("herd-faults-").tempdir()?.keep(), 0)),
    };
    *count += 1;
    let directory = path.join(count.to_string());
    fs::create_dir(&directory)?;
    Ok(directory)
}

/// Removes all of them.
pub(crate) fn clear() {
    if let Some((path, _)) = root().take() {
        // A process that is just ending may still write there; it is a temporary directory anyway.
        let _ = fs::remove_dir_all(path);
    }
}

/// Leaves them where they are, and says where that is.
pub(crate) fn keep() -> Option<PathBuf> {
    root().take().map(|(path, _)| path)
}
