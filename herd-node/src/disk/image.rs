//! Files in memory that are read and not written: what a start would make of any bytes, asked without a directory.

use std::collections::BTreeMap;
use std::io::{self, Cursor};
use std::path::PathBuf;

use bytes::Bytes;

use super::files::{File, Files, Readable};
use super::name::Name;
use super::recover::recover;
use super::{OpenError, Recovered, line};

/// What a start would find in files, and what it would do to them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// What was found.
    pub recovered: Recovered,
    /// The log that would be gone on with, and how many of its bytes would stay. None: a new one would be begun.
    pub log: Option<(String, u64)>,
    /// Files that would be removed.
    pub leftovers: Vec<String>,
}

/// Reads files as [`Disk::open`](super::Disk::open) would, and changes nothing. A name that is none of the disk log's is passed over.
///
/// # Errors
/// Those of the files: another's, or of another version.
pub fn read_image(
    files: impl IntoIterator<Item = (String, Bytes)>,
    herd: &str,
    server: &str,
    on_record: &mut dyn FnMut(&[u8]) -> bool,
) -> Result<Finding, OpenError> {
    let image = Image(files.into_iter().filter_map(|(name, bytes)| Some((Name::parse(&name)?, bytes))).collect());
    let found = recover(&image, &line::header(herd, server), on_record, &mut |_| ())?;
    Ok(Finding {
        recovered: found.recovered,
        log: found.log.map(|(generation, kept)| (Name::log(generation).to_string(), kept)),
        leftovers: found.leftovers.iter().map(Name::to_string).collect(),
    })
}

struct Image(BTreeMap<Name, Bytes>);

impl Files for Image {
    fn list(&self) -> io::Result<Vec<Name>> {
        Ok(self.0.keys().copied().collect())
    }

    fn read(&self, name: Name) -> io::Result<Box<dyn Readable>> {
        let bytes = self.0.get(&name).cloned().ok_or(io::ErrorKind::NotFound)?;
        Ok(Box::new(Cursor::new(bytes)))
    }

    fn create(&self, _: Name) -> io::Result<Box<dyn File>> {
        read_only()
    }

    fn append(&self, _: Name, _: u64) -> io::Result<Box<dyn File>> {
        read_only()
    }

    fn rename(&self, _: Name, _: Name) -> io::Result<()> {
        read_only()
    }

    fn remove(&self, _: Name) -> io::Result<()> {
        read_only()
    }

    fn sync(&self) -> io::Result<()> {
        read_only()
    }

    fn path(&self, name: Name) -> PathBuf {
        name.to_string().into()
    }
}

fn read_only<T>() -> io::Result<T> {
    Err(io::ErrorKind::ReadOnlyFilesystem.into())
}

impl Readable for Cursor<Bytes> {
    fn len(&self) -> io::Result<u64> {
        Ok(self.get_ref().len() as u64)
    }

    fn read_end(&self, into: &mut [u8]) -> io::Result<usize> {
        let bytes = self.get_ref();
        let len = bytes.len().min(into.len());
        into[..len].copy_from_slice(&bytes[bytes.len() - len..]);
        Ok(len)
    }
}
