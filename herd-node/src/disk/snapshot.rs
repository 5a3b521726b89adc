//! Writing all that is known into a file of its own, on a thread of its own.

use std::io;
use std::sync::{Mutex, PoisonError};

use super::files::{File, Files, create_whole};
use super::line;
use super::name::Name;
use super::shared::Shared;

/// About so many bytes of operands are read from the source and written at once: it holds the source's lock for so long.
const CHUNK_LEN: usize = 256 * 1024;

/// All records that are known, to be read while they change.
///
/// What is read may be of different moments: each record newer than, or the same as, when the reading began. It must be known
/// here before it is [appended](super::Disk::append), or together with that under one lock.
pub trait Source: Send {
    /// Appends records as lines (`<origin> <skew> <client> <location> <time>`, LF) to `out`, from `cursor` on and about
    /// `bytes_max` bytes at most, but one record at least if there is one. Returns the next cursor; `None`: that was all. The
    /// first cursor is 0, and what the others mean is the source's own.
    ///
    /// No record that was there when cursor 0 was asked for, and is still, may be missed. It must not wait for the disk log.
    fn read(&mut self, cursor: u64, out: &mut Vec<u8>, bytes_max: usize) -> Option<u64>;
}

/// What the thread that makes snapshots was given to make them of.
pub(super) type Slot = Mutex<Option<Box<dyn Source>>>;

/// Makes the snapshots that are asked for until the disk log is closed.
pub(super) fn run(shared: &Shared, files: &dyn Files, header: &[u8], slot: &Slot) {
    while let Some(generation) = shared.next_snapshot() {
        let mut source = slot.lock().unwrap_or_else(PoisonError::into_inner);
        let result = match &mut *source {
            Some(source) => write(files, header, generation, &mut **source, &|| shared.is_stopping()),
            None => Err(io::ErrorKind::NotFound.into()),
        };
        drop(source);
        shared.snapshot_ended(result);
    }
}

/// Writes the snapshot of `generation` and then removes what it stands for. Its size.
fn write(
    files: &dyn Files,
    header: &[u8],
    generation: u64,
    source: &mut dyn Source,
    is_stopping: &dyn Fn() -> bool,
) -> io::Result<u64> {
    let name = Name::snapshot(generation);
    let (_, bytes) = create_whole(files, name, |file| fill(file, header, source, is_stopping))?;
    remove_older(files, generation);
    Ok(bytes)
}

fn fill(
    file: &mut dyn File,
    header: &[u8],
    source: &mut dyn Source,
    is_stopping: &dyn Fn() -> bool,
) -> io::Result<u64> {
    let (mut lines, mut out) = (Vec::new(), header.to_vec());
    let (mut records, mut bytes) = (0, 0);
    let mut cursor = Some(0);
    while let Some(from) = cursor {
        if is_stopping() {
            return Err(io::Error::other("closed"));
        }
        lines.clear();
        cursor = source.read(from, &mut lines, CHUNK_LEN);
        records += line::put_records(&mut out, &lines);
        if cursor.is_none() {
            line::put_end(&mut out, records);
        }
        file.write_all(&out)?;
        bytes += out.len() as u64;
        out.clear();
    }
    Ok(bytes)
}

/// What can't be removed now is removed next time, or at the next start.
fn remove_older(files: &dyn Files, generation: u64) {
    for name in files.list().unwrap_or_default() {
        if name.generation < generation {
            let _ = files.remove(name);
        }
    }
}
