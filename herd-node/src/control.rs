//! How `herd-node reload` reaches servers that run: a socket in the file system, and who may use it.
//!
//! Not a process id in a file, which may be of another process by then, and by which nobody learns what came of it; and not the admin
//! listener, which promises to change nothing. A Unix-domain socket has an owner and a mode (0600), and the system says who is at its other
//! end: only the user that runs the servers and root are answered.
//!
//! The socket is in the directory that the configuration file names (`herd.control`), by the server's name; or else in a directory of the
//! user's own, by the place of the file. So whoever has the file and is the same user finds it, even when the file is wrong by now.
//!
//! One request a connection, a line: `reload` or `check`. The answer: a line `done` or `failed`, and a line of text.

use std::fs::{self, DirBuilder, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use sha2::{Digest, Sha256};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use tokio::time::timeout;

/// From a connection to the end of its request, and from the answer to its last byte.
const TALK_MAX: Duration = Duration::from_secs(5);
/// How long an answer is waited for: a large file of places may have to be read, and others' requests come first.
const ANSWER_MAX: Duration = Duration::from_secs(120);
/// The longest request, its LF included.
const REQUEST_LEN_MAX: u64 = 16;
/// The longest answer that is read.
const ANSWER_LEN_MAX: u64 = 1 << 20;

/// Sockets looked at when what others have left is removed, and how old those are at least, in seconds.
const SWEPT_MAX: usize = 1_000;
const SWEPT_AGE_S: i64 = 60;

/// What stands for all servers of a file in one process. No server's name begins so.
const ALL: &str = "_all";

/// What is asked of servers that run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Request {
    /// Read the file again and put it in force.
    Reload,
    /// Say what that would change.
    Check,
}

impl Request {
    const fn word(self) -> &'static str {
        match self {
            Self::Reload => "reload",
            Self::Check => "check",
        }
    }
}

/// Whose socket it is: of servers of the file at `file`, or of the default herd.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Whose<'a> {
    pub(crate) file: Option<&'a Path>,
    /// What the file says about where.
    pub(crate) directory: Option<&'a Path>,
    /// The one server of the process, or all of the herd.
    pub(crate) server: Option<&'a str>,
}

impl Whose<'_> {
    /// Where the socket is.
    pub(crate) fn socket(&self) -> io::Result<PathBuf> {
        let server = self.server.unwrap_or(ALL);
        match self.directory {
            Some(directory) => Ok(directory.join(format!("{server}.sock"))),
            None => Ok(own_directory().0.join(format!("{}.sock", key(self.file, server)?))),
        }
    }

    /// Makes the directory, if it is not there.
    fn make_directory(&self) -> io::Result<()> {
        match self.directory {
            Some(directory) => DirBuilder::new().recursive(true).mode(0o750).create(directory),
            None => make_own_directory(),
        }
    }
}

/// The user's own directory for sockets, and whether it has to be looked after: not if a service manager does that.
fn own_directory() -> (PathBuf, bool) {
    let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    // Of systemd there may be several, separated by colons.
    let managed = variable("RUNTIME_DIRECTORY").and_then(|paths| std::env::split_paths(&paths).next());
    match (managed, variable("XDG_RUNTIME_DIR")) {
        (Some(directory), _) => (directory, false),
        (None, Some(directory)) => (PathBuf::from(directory).join("herd-node"), true),
        (None, None) => {
            let user = rustix::process::geteuid().as_raw();
            (std::env::temp_dir().join(format!("herd-node-{user}")), true)
        }
    }
}

/// In a directory that everybody can write into somebody else may have been first.
fn make_own_directory() -> io::Result<()> {
    let (directory, is_ours) = own_directory();
    if !is_ours {
        return Ok(());
    }
    match DirBuilder::new().mode(0o700).create(&directory) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        made => return made,
    }
    let there = fs::symlink_metadata(&directory)?;
    let is_private = there.is_dir() && there.uid() == rustix::process::geteuid().as_raw() && there.mode() & 0o077 == 0;
    if is_private { Ok(()) } else { Err(io::Error::other("not a directory of this user that is closed to others")) }
}

/// Removes from the user's own directory the sockets that killed processes have left there: their files may never be used again.
///
/// Only those at which nobody answers, and that were there well before `now`: another process may be about to listen.
fn sweep(now: i64) {
    let Ok(entries) = fs::read_dir(own_directory().0) else { return };
    for path in entries.take(SWEPT_MAX).filter_map(Result::ok).map(|entry| entry.path()) {
        let is_old = |there: &fs::Metadata| there.file_type().is_socket() && there.mtime() < now - SWEPT_AGE_S;
        let is_left = fs::symlink_metadata(&path).is_ok_and(|there| is_old(&there))
            && std::os::unix::net::UnixStream::connect(&path)
                .is_err_and(|error| error.kind() == io::ErrorKind::ConnectionRefused);
        if is_left {
            // Whoever starts next tries again.
            let _ = fs::remove_file(&path);
        }
    }
}

/// Tells the files of one user apart, in few enough bytes for the path of a socket.
fn key(file: Option<&Path>, server: &str) -> io::Result<String> {
    let file = file.map(std::path::absolute).transpose()?.unwrap_or_default();
    let digest =
        Sha256::new().chain_update(file.as_os_str().as_encoded_bytes()).chain_update("\0").chain_update(server);
    Ok(digest.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect())
}

/// The servers' end. The socket is removed with it.
#[derive(Debug)]
pub(crate) struct Door {
    listener: UnixListener,
    path: PathBuf,
    /// Device and number of the socket in the file system, to be told from another's at the same place.
    identity: (u64, u64),
}

impl Door {
    /// Opens the socket. What a killed process has left there is removed; one that is answered at is not.
    pub(crate) fn open(whose: &Whose<'_>) -> io::Result<Self> {
        let path = whose.socket()?;
        whose.make_directory()?;
        match fs::symlink_metadata(&path) {
            Ok(there) if !there.file_type().is_socket() => {
                return Err(io::Error::other("something that is no socket is there"));
            }
            Ok(_) if std::os::unix::net::UnixStream::connect(&path).is_ok() => {
                return Err(io::Error::other("another process answers there"));
            }
            Ok(_) => fs::remove_file(&path)?,
            Err(_) => {}
        }
        let listener = UnixListener::bind(&path)?;
        // Until then the mode is the user's choice, so whoever connects is looked at besides.
        fs::set_permissions(&path, Permissions::from_mode(0o600))?;
        let there = fs::symlink_metadata(&path)?;
        if whose.directory.is_none() && own_directory().1 {
            sweep(there.mtime());
        }
        Ok(Self { listener, path, identity: (there.dev(), there.ino()) })
    }

    /// The next request. Who is not to ask gets no answer, and neither does one who asks for what there is not.
    pub(crate) async fn next(&self) -> Asked {
        loop {
            // An error here is of that one connection, or for want of files: the next may be better.
            let Ok((stream, _)) = self.listener.accept().await else {
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            };
            if let Some(asked) = asked(stream).await {
                return asked;
            }
        }
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        if fs::symlink_metadata(&self.path).is_ok_and(|there| (there.dev(), there.ino()) == self.identity) {
            // Best effort: the next process that opens it there removes it.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// A request that waits for its answer.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) request: Request,
    stream: UnixStream,
}

async fn asked(stream: UnixStream) -> Option<Asked> {
    let user = stream.peer_cred().ok()?.uid();
    if user != 0 && user != rustix::process::geteuid().as_raw() {
        return None;
    }
    let mut line = Vec::new();
    let mut stream = stream;
    let read = async {
        let mut limited = (&mut stream).take(REQUEST_LEN_MAX);
        while !line.ends_with(b"\n") && limited.read_buf(&mut line).await.is_ok_and(|len| len > 0) {}
    };
    timeout(TALK_MAX, read).await.ok()?;
    let request = [Request::Reload, Request::Check]
        .into_iter()
        .find(|request| line.strip_suffix(b"\n").is_some_and(|line| line == request.word().as_bytes()))?;
    Some(Asked { request, stream })
}

impl Asked {
    /// Answers. Whoever has gone is not waited for.
    pub(crate) async fn answer(mut self, answer: &Result<String, String>) {
        let text = match answer {
            Ok(text) => format!("done\n{text}\n"),
            Err(text) => format!("failed\n{text}\n"),
        };
        let write = async {
            self.stream.write_all(text.as_bytes()).await?;
            self.stream.shutdown().await
        };
        // It was for whoever asked; the journal has it, too.
        let _ = timeout(TALK_MAX, write).await;
    }
}

/// Asks the servers at `socket`. `None`: nobody is there. The inner error is the servers' own.
pub(crate) async fn ask(socket: &Path, request: Request) -> io::Result<Option<Result<String, String>>> {
    let mut stream = match UnixStream::connect(socket).await {
        Ok(stream) => stream,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused) => {
            return Ok(None);
        }
        Err(error) => return Err(error),
    };
    let talk = async {
        stream.write_all(format!("{}\n", request.word()).as_bytes()).await?;
        let mut answer = Vec::new();
        (&mut stream).take(ANSWER_LEN_MAX).read_to_end(&mut answer).await?;
        io::Result::Ok(String::from_utf8_lossy(&answer).into_owned())
    };
    let answer = timeout(ANSWER_MAX, talk).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))?;
    match answer.trim_end().split_once('\n') {
        Some(("done", text)) => Ok(Some(Ok(text.to_owned()))),
        Some(("failed", text)) => Ok(Some(Err(text.to_owned()))),
        _ => Err(io::Error::other("no answer: the servers end, or are of another version")),
    }
}
