//! What is wrong with a configuration: where, which key, what.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;

use herd_proto::Escaped;

/// The first thing that is wrong with a configuration. Shown in one line:
/// `herd.toml:14: server.peers: "Jaquez" does not name "Riley" back; links go both ways`.
///
/// It holds no secret, and nothing of a secret's file but its name and how many bytes are wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    /// Where to look.
    pub place: Place,
    /// The key, with its table: `server.peers`. `None` if it is about the whole file.
    pub key: Option<String>,
    /// What is wrong.
    pub problem: Box<Problem>,
}

impl ConfigError {
    pub(super) fn new(place: Place, key: Option<&str>, problem: Problem) -> Self {
        Self { place, key: key.map(str::to_owned), problem: Box::new(problem) }
    }
}

/// Where a configuration is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// In this file, at this line (from 1), if there is a line to name.
    File(PathBuf, Option<usize>),
    /// In the environment; the key is the variable.
    Environment,
    /// In what a program made without a file.
    Program,
}

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// A file can't be read: what the file system said.
    #[error("cannot be read: {0}")]
    Unreadable(String),
    /// Something that isn't a file was named.
    #[error("is not a regular file")]
    NotAFile,
    /// A file is too large for what it is.
    #[error("has more than {0} bytes")]
    TooLarge(u64),
    /// The file isn't text.
    #[error("is not UTF-8")]
    NotUtf8,
    /// The file isn't TOML: what the parser said.
    #[error("is not TOML: {0}")]
    Syntax(String),
    /// A key nobody knows, and the ones that are known.
    #[error("unknown key; known here: {}", .0.join(", "))]
    UnknownKey(&'static [&'static str]),
    /// A key that must be there.
    #[error("is missing")]
    Missing,
    /// A value of another type.
    #[error("should be {expected}, not {found}")]
    WrongType {
        /// What is wanted.
        expected: &'static str,
        /// What is there.
        found: &'static str,
    },
    /// A number out of range.
    #[error("{found} is not between {min} and {max}")]
    OutOfRange {
        /// As written.
        found: String,
        /// The least.
        min: u64,
        /// The most.
        max: u64,
    },
    /// A word that is none of those known.
    #[error("{} is none of {}", Quoted(.found), .choices.join(", "))]
    BadChoice {
        /// As written.
        found: String,
        /// What could stand there.
        choices: Vec<&'static str>,
    },
    /// Not a name of a server or herd.
    #[error("{} is not a name: 1 to 64 of A-Z a-z 0-9 - _ . beginning with a letter or digit", Quoted(.0))]
    BadName(String),
    /// Not an address.
    #[error("{} is not IP:PORT, such as 127.0.0.1:12000 or [::1]:12000 (host names are not looked up)", Quoted(.0))]
    BadAddress(String),
    /// An empty path.
    #[error("is empty")]
    Empty,
    /// The herd has no server.
    #[error("no server: at least one [[server]] is needed")]
    NoServers,
    /// A name given twice.
    #[error("{} is the server at line {line} already", Quoted(.name))]
    DuplicateName {
        /// The name.
        name: String,
        /// Where it was given first.
        line: usize,
    },
    /// An address given twice, or overlapping.
    #[error("{address} is taken by {other} at line {line}")]
    DuplicateAddress {
        /// The later one.
        address: SocketAddr,
        /// The earlier one.
        other: SocketAddr,
        /// Where that is.
        line: usize,
    },
    /// A peer listed twice.
    #[error("{} is listed twice", Quoted(.0))]
    DuplicatePeer(String),
    /// A server is its own peer.
    #[error("{} names itself", Quoted(.0))]
    SelfLink(String),
    /// A peer that isn't in the herd.
    #[error("{} is not a server of this herd", Quoted(.0))]
    UnknownPeer(String),
    /// A link only one side knows.
    #[error("{} does not name {} back; links go both ways", Quoted(.to), Quoted(.from))]
    OneSided {
        /// Who names the other.
        from: String,
        /// Who doesn't.
        to: String,
    },
    /// More peers than a server may have.
    #[error("{found} peers; a server has at most {max}")]
    TooManyPeers {
        /// How many there are.
        found: usize,
        /// How many there may be.
        max: usize,
    },
    /// An address to dial someone who isn't a peer.
    #[error("{} is not a peer of {}", Quoted(.name), Quoted(.server))]
    NotAPeer {
        /// Whom to dial.
        name: String,
        /// Who would.
        server: String,
    },
    /// An address nobody can dial.
    #[error("{0} cannot be dialled")]
    NotDiallable(SocketAddr),
    /// A peer that listens everywhere doesn't say where it is.
    #[error("{} listens on {address}, which cannot be dialled: {} needs dial = {{ {peer} = \"IP:PORT\" }}", Quoted(.peer), Quoted(.server))]
    NeedsDial {
        /// Who listens.
        peer: String,
        /// Where.
        address: SocketAddr,
        /// Who has to dial it.
        server: String,
    },
    /// Two parts of the herd with no link between them.
    #[error("no links lead from {} to {}", Quoted(.from), Quoted(.to))]
    Unconnected {
        /// The first server.
        from: String,
        /// One that can't be reached from it.
        to: String,
    },
    /// Strangers could reach the link and nobody would ask them for proof.
    #[error("{0} is not loopback: that needs a secret, from herd.secret_file or the environment's HERD_SECRET")]
    NeedsSecret(SocketAddr),
    /// A number of copies for replies that wait for none.
    #[error("goes with ack = \"replicated\" only")]
    NeedsReplicated,
    /// More copies than there are peers to have them.
    #[error("{copies} copies are more than {} has peers: {peers}", Quoted(.server))]
    TooManyCopies {
        /// How many are wanted.
        copies: u32,
        /// How many peers there are.
        peers: usize,
        /// Whose.
        server: String,
    },
    /// Replies that promise a disk, and there is none.
    #[error("\"durable\" needs a table [disk]")]
    NeedsDisk,
    /// Strangers could reach the admin listener, which asks nobody for proof.
    #[error("{0} is not loopback: the admin listener is for this machine only")]
    AdminNotLoopback(SocketAddr),
    /// An admin listener, and a program that was built without it.
    #[error("this program was built without the admin listener (its feature `admin`)")]
    NoAdmin,
    /// Something else than what is in force, where that can't change.
    #[error("can't change while the server runs; restart it")]
    Fixed,
    /// A server that runs and is not in the herd any more.
    #[error("{} runs, and is not in the file: stop it instead", Quoted(.0))]
    Gone(String),
    /// A server more, where a process runs all there are.
    #[error("{} is new: a process with all servers can't begin one more while it runs; restart it", Quoted(.0))]
    New(String),
    /// A file of secrets that everybody can read.
    #[error("can be read by everybody: chmod 600 {}", Plain(.0))]
    WorldReadable(PathBuf),
    /// No secret where one should be.
    #[error("holds no secret")]
    NoSecret,
    /// A secret that could be guessed.
    #[error("secret {number} has {found} bytes; at least {min} are needed")]
    ShortSecret {
        /// Which, from 1.
        number: usize,
        /// How long it is.
        found: usize,
        /// How long it should be.
        min: usize,
    },
    /// More secrets than rotation needs.
    #[error("holds more than {0} secrets")]
    TooManySecrets(usize),
    /// A key with bytes no key has.
    #[error("is not a key: a key is printable ASCII without spaces")]
    BadKey,
    /// A backend that can't work without a key.
    #[error("{} needs a key, from places.key_file or the environment's PLACES_KEY", Quoted(.0))]
    NeedsKey(&'static str),
    /// Not an endpoint places can be asked at.
    #[error("is not a URL fit for places: {0}")]
    BadUrl(&'static str),
    /// Not a type of place.
    #[error("{} is not a type of place: letters a-z, digits and _", Quoted(.0))]
    BadPlaceType(String),
    /// Two keys that don't go together.
    #[error("{key} is {found} but should be at least {least}, {why}")]
    TooLittle {
        /// Which of the two is too little.
        key: &'static str,
        /// As written, or the default.
        found: u64,
        /// The least that makes sense.
        least: u64,
        /// What that is.
        why: &'static str,
    },
    /// A problem with another file that the key names.
    #[error("{} {problem}", Plain(.path))]
    InFile {
        /// That file.
        path: PathBuf,
        /// What is wrong with it.
        problem: Box<Problem>,
    },
}

impl std::error::Error for ConfigError {}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::File(path, None) => write!(f, "{}: ", Plain(path))?,
            Place::File(path, Some(line)) => write!(f, "{}:{line}: ", Plain(path))?,
            Place::Environment => f.write_str("environment: ")?,
            Place::Program => f.write_str("configuration: ")?,
        }
        if let Some(key) = &self.key {
            write!(f, "{}: ", Escaped(key.as_bytes()))?;
        }
        self.problem.fmt(f)
    }
}

/// Text of the file, in quotes and in one line.
struct Quoted<'a>(&'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", Escaped(self.0.as_bytes()))
    }
}

/// A path in one line.
struct Plain<'a>(&'a std::path::Path);

impl fmt::Display for Plain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Escaped(self.0.as_os_str().as_encoded_bytes()).fmt(f)
    }
}
