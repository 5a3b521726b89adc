//! The rows of a file, read by a thread of its own and no further ahead than they are wanted: a file on a disk that hangs or
//! somebody at the other end of a pipe holds nothing up but themselves.

use std::cell::Cell;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use std::rc::Rc;
use std::thread;

use herd_proto::Escaped;
use tokio::sync::mpsc;

use super::ReplayArgs;
use crate::fault::{Fault, causes};
use crate::track::{Broken, Format, Naming, Row, Track};

/// The most rows read ahead.
const AHEAD: usize = 64;

/// How much is asked of the system in one read.
const READ_LEN: usize = 64 * 1024;

/// What comes from a file; a closed channel is its end.
#[derive(Debug)]
pub(super) enum Item {
    /// First, once it is known.
    Format(Format),
    /// And how many bytes of the file were needed so far.
    Row(Row, u64),
    /// Last, if there is more that can't be read.
    Broken(Broken),
}

/// A file that is read.
#[derive(Debug)]
pub(super) struct Source {
    /// As [`Escaped`] shows it, if it is not UTF-8.
    pub(super) name: String,
    pub(super) is_escaped: bool,
    pub(super) items: mpsc::Receiver<Item>,
    /// How long the file is, if it has an end that is known.
    pub(super) len: Option<u64>,
}

impl Source {
    /// Opens the file, `-` being standard input, and begins to read.
    pub(super) fn open(args: &ReplayArgs) -> Result<Self, Fault> {
        if args.file == OsStr::new("-") {
            return Self::start(args, "standard input".to_owned(), None, Naming::new(args.id(), None), io::stdin());
        }
        let path = Path::new(&args.file);
        let name = match path.to_str() {
            Some(name) => name.to_owned(),
            None => Escaped(args.file.as_encoded_bytes()).to_string(),
        };
        let broken = |error| Fault::Unusable(said(&name, &Broken::Read(error)));
        let file = File::open(path).map_err(broken)?;
        let metadata = file.metadata().map_err(broken)?;
        if metadata.is_dir() {
            return Err(broken(io::Error::from(io::ErrorKind::IsADirectory)));
        }
        let len = Some(metadata.len()).filter(|_| metadata.is_file());
        let source = Self::start(args, name, len, Naming::new(args.id(), Some(path)), file)?;
        Ok(Self { is_escaped: path.to_str().is_none(), ..source })
    }

    fn start(
        args: &ReplayArgs,
        name: String,
        len: Option<u64>,
        naming: Naming,
        from: impl Read + Send + 'static,
    ) -> Result<Self, Fault> {
        let (to, items) = mpsc::channel(AHEAD);
        let from = BufReader::with_capacity(READ_LEN, from);
        let (format, altitude) = (args.from, args.altitude);
        let run = move || {
            if let Err(broken) = pass_on(from, format, naming, altitude, &to) {
                let _ = to.blocking_send(Item::Broken(broken));
            }
        };
        thread::Builder::new().name("track".to_owned()).spawn(run).map_err(Fault::Runtime)?;
        Ok(Self { name, is_escaped: false, items, len })
    }

    /// Rows that are there already, of a file that is as good as read.
    #[cfg(test)]
    pub(super) fn of(rows: Vec<Item>) -> Self {
        let (to, items) = mpsc::channel(rows.len().max(1));
        rows.into_iter().for_each(|row| to.try_send(row).unwrap());
        Self { name: "walk".to_owned(), is_escaped: false, items, len: None }
    }
}

/// Ends quietly when nobody listens any more.
fn pass_on(
    from: BufReader<impl Read>,
    format: Option<Format>,
    naming: Naming,
    altitude: bool,
    to: &mpsc::Sender<Item>,
) -> Result<(), Broken> {
    let taken = Rc::new(Cell::new(0));
    let from = Counted { from, taken: Rc::clone(&taken) };
    let mut track = Track::open(from, format, naming, altitude)?;
    let mut item = Item::Format(track.format());
    while to.blocking_send(item).is_ok() {
        match track.next()? {
            Some(row) => item = Item::Row(row, taken.get()),
            None => break,
        }
    }
    Ok(())
}

/// A fault of a file as one line: `walk.gpx:12: …`.
pub(super) fn said(name: &str, broken: &Broken) -> String {
    match broken {
        Broken::At { .. } => format!("{name}:{broken}"),
        other => format!("{name}: {}", causes(other)),
    }
}

/// A reader that tells how much was taken from it.
#[derive(Debug)]
struct Counted<R> {
    from: BufReader<R>,
    taken: Rc<Cell<u64>>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let count = self.from.read(to)?;
        self.taken.set(self.taken.get() + count as u64);
        Ok(count)
    }
}

impl<R: Read> BufRead for Counted<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.from.fill_buf()
    }

    fn consume(&mut self, count: usize) {
        self.taken.set(self.taken.get() + count as u64);
        self.from.consume(count);
    }
}
