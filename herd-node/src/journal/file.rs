//! The file on disk: appended to, rotated by size, opened again when someone took it away.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

/// Where the writer puts lines. A trait so that tests can hold the writer up and make it fail.
pub(super) trait Sink: Send + 'static {
    /// Writes whole lines.
    ///
    /// # Errors
    /// Something could not be written. The next call starts afresh.
    fn write(&mut self, lines: &[u8]) -> Result<(), Unwritten>;
}

/// What a sink could not write.
#[derive(Debug)]
pub(super) struct Unwritten {
    /// How many bytes of the lines were written before.
    pub(super) written: usize,
    /// Why no more were.
    pub(super) source: io::Error,
}

/// `<name>.log`, `<name>.log.1` (the one before) and so on.
#[derive(Debug)]
pub(super) struct RotatingFile {
    path: PathBuf,
    sizes: Arc<Sizes>,
    open: Option<Open>,
}

/// How large a file may grow, and how many older ones stay. Both may change while it is written.
#[derive(Debug)]
pub(super) struct Sizes {
    bytes_max: AtomicU64,
    files_kept: AtomicU32,
}

impl Sizes {
    pub(super) const fn new(bytes_max: u64, files_kept: u32) -> Self {
        Self { bytes_max: AtomicU64::new(bytes_max), files_kept: AtomicU32::new(files_kept) }
    }

    /// From the next line on.
    pub(super) fn set(&self, bytes_max: u64, files_kept: u32) {
        self.bytes_max.store(bytes_max, Ordering::Relaxed);
        self.files_kept.store(files_kept, Ordering::Relaxed);
    }
}

#[derive(Debug)]
struct Open {
    file: File,
    len: u64,
}

impl RotatingFile {
    /// Opens `path`, making it and its directories if they are not there. No file grows over its size (unless by a single longer
    /// line).
    ///
    /// # Errors
    /// Those of the file system, and anything there that is not a file.
    pub(super) fn open(path: PathBuf, sizes: Arc<Sizes>) -> io::Result<Self> {
        let open = open(&path)?;
        Ok(Self { path, sizes, open: Some(open) })
    }

    fn write_some(&mut self, lines: &[u8]) -> io::Result<usize> {
        let open = match &mut self.open {
            Some(open) => open,
            closed => closed.insert(open(&self.path)?),
        };
        let room = self.sizes.bytes_max.load(Ordering::Relaxed).saturating_sub(open.len);
        let len = match fitting(lines, room) {
            0 if open.len > 0 => {
                self.open = None;
                rotate(&self.path, self.sizes.files_kept.load(Ordering::Relaxed))?;
                return Ok(0);
            }
            0 => memchr::memchr(b'\n', lines).map_or(lines.len(), |end| end + 1),
            len => len,
        };
        let written = open.file.write(&lines[..len])?;
        open.len += written as u64;
        if written == 0 { Err(io::ErrorKind::WriteZero.into()) } else { Ok(written) }
    }

    /// A file that was moved or removed would take lines nobody can see.
    fn check_place(&mut self) {
        let is_in_place = |open: &Open| {
            fs::metadata(&self.path).is_ok_and(|there| open.file.metadata().is_ok_and(|ours| is_same(&there, &ours)))
        };
        if !self.open.as_ref().is_some_and(is_in_place) {
            self.open = None;
        }
    }
}

impl Sink for RotatingFile {
    fn write(&mut self, lines: &[u8]) -> Result<(), Unwritten> {
        self.check_place();
        let mut written = 0;
        while written < lines.len() {
            match self.write_some(&lines[written..]) {
                Ok(len) => written += len,
                Err(source) if source.kind() == io::ErrorKind::Interrupted => {}
                Err(source) => {
                    // Opening again ends the line that was torn.
                    self.open = None;
                    return Err(Unwritten { written, source });
                }
            }
        }
        Ok(())
    }
}

/// How many bytes of `lines` are whole lines and fit into `room`.
fn fitting(lines: &[u8], room: u64) -> usize {
    match usize::try_from(room) {
        Ok(room) if room < lines.len() => memchr::memrchr(b'\n', &lines[..room]).map_or(0, |end| end + 1),
        _ => lines.len(),
    }
}

fn open(path: &Path) -> io::Result<Open> {
    if let Some(directory) = path.parent() {
        fs::create_dir_all(directory)?;
    }
    // Opening a pipe would wait for somebody to read it.
    if fs::metadata(path).is_ok_and(|there| !there.is_file()) {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
    }
    let mut file = options().open(path)?;
    let mut len = file.metadata()?.len();
    if len > 0 && !ends_with_lf(&mut file)? {
        // A line torn by a crash or a full disk: what follows must not look like part of it.
        file.write_all(b"\n")?;
        len += 1;
    }
    Ok(Open { file, len })
}

fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).append(true).create(true);
    // It says where people are: not for everybody on this machine.
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o640);
    options
}

fn ends_with_lf(file: &mut File) -> io::Result<bool> {
    let mut last = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    Ok(last == *b"\n")
}

/// Moves the file away, and each older one to the next number. The oldest is overwritten.
fn rotate(path: &Path, files_kept: u32) -> io::Result<()> {
    if files_kept == 0 {
        return fs::remove_file(path);
    }
    // Only up to the first free number: else a move that fails again and again would push the older ones out.
    let last = (1..files_kept).find(|&number| !numbered(path, number).exists()).unwrap_or(files_kept);
    for number in (1..last).rev() {
        fs::rename(numbered(path, number), numbered(path, number + 1))?;
    }
    fs::rename(path, numbered(path, 1))
}

fn numbered(path: &Path, number: u32) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{number}"));
    name.into()
}

#[cfg(unix)]
fn is_same(left: &Metadata, right: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    (left.dev(), left.ino()) == (right.dev(), right.ino())
}

#[cfg(not(unix))]
fn is_same(_: &Metadata, _: &Metadata) -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opened(directory: &Path, bytes_max: u64, files_kept: u32) -> RotatingFile {
        RotatingFile::open(directory.join("Riley.log"), Arc::new(Sizes::new(bytes_max, files_kept))).unwrap()
    }

    fn contents(directory: &Path) -> Vec<(String, String)> {
        let mut files: Vec<_> = fs::read_dir(directory)
            .unwrap()
            .map(|entry| entry.unwrap())
            .map(|entry| (entry.file_name().into_string().unwrap(), fs::read_to_string(entry.path()).unwrap()))
            .collect();
        files.sort();
        files
    }

    fn named(files: &[(&str, &str)]) -> Vec<(String, String)> {
        files.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
    }

    #[test]
    fn rotates_at_the_exact_edge() {
        let directory = tempfile::tempdir().unwrap();
        let mut file = opened(directory.path(), 8, 2);
        file.write(b"abc\n").unwrap();
        file.write(b"def\n").unwrap();
        assert_eq!(contents(directory.path()), named(&[("Riley.log", "abc\ndef\n")]));
        file.write(b"g\n").unwrap();
        assert_eq!(contents(directory.path()), named(&[("Riley.log", "g\n"), ("Riley.log.1", "abc\ndef\n")]));
        file.write(b"hijkl\nm\nnopqrstuvwxyz\no\n").unwrap();
        let kept = named(&[("Riley.log", "o\n"), ("Riley.log.1", "nopqrstuvwxyz\n"), ("Riley.log.2", "m\n")]);
        assert_eq!(contents(directory.path()), kept);
    }

    #[test]
    fn nothing_older_is_kept_if_so_wished() {
        let directory = tempfile::tempdir().unwrap();
        let mut file = opened(directory.path(), 4, 0);
        file.write(b"abc\ndef\n").unwrap();
        assert_eq!(contents(directory.path()), named(&[("Riley.log", "def\n")]));
    }

    #[test]
    fn appends_and_ends_a_torn_line() {
        let directory = tempfile::tempdir().unwrap();
        opened(directory.path(), 100, 1).write(b"one\n").unwrap();
        fs::OpenOptions::new().append(true).open(directory.path().join("Riley.log")).unwrap().write_all(b"to").unwrap();
        opened(directory.path(), 100, 1).write(b"three\n").unwrap();
        assert_eq!(contents(directory.path()), named(&[("Riley.log", "one\nto\nthree\n")]));
    }

    #[test]
    fn a_file_moved_away_is_made_again() {
        let directory = tempfile::tempdir().unwrap();
        let mut file = opened(&directory.path().join("logs"), 100, 1);
        file.write(b"one\n").unwrap();
        fs::rename(directory.path().join("logs"), directory.path().join("old")).unwrap();
        file.write(b"two\n").unwrap();
        assert_eq!(contents(&directory.path().join("old")), named(&[("Riley.log", "one\n")]));
        assert_eq!(contents(&directory.path().join("logs")), named(&[("Riley.log", "two\n")]));
    }

    #[test]
    fn what_is_no_file_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir(directory.path().join("Riley.log")).unwrap();
        let error = RotatingFile::open(directory.path().join("Riley.log"), Arc::new(Sizes::new(100, 1))).unwrap_err();
        assert_eq!(error.to_string(), "not a regular file");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn an_error_says_how_much_was_written() {
        let mut file = RotatingFile {
            path: "/dev/full".into(),
            sizes: Arc::new(Sizes::new(100, 1)),
            open: Some(Open { file: OpenOptions::new().write(true).open("/dev/full").unwrap(), len: 0 }),
        };
        let unwritten = file.write(b"one\ntwo\n").unwrap_err();
        assert_eq!((unwritten.written, unwritten.source.kind()), (0, io::ErrorKind::StorageFull));
        assert!(file.open.is_none());
    }
}
