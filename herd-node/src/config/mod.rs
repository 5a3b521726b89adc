//! The configuration: a TOML file, or the default herd without one.
//!
//! ```toml
//! [herd]
//! name = "ucla"                      # default "ucla"
//! secret_file = "herd.secret"        # one secret a line, 32 bytes or more: the first signs, all verify; or environment HERD_SECRET
//! control = "/run/herd"              # where `herd-node reload` finds running servers; default: a directory of the user's own
//!
//! [[server]]                         # one or more
//! name   = "Riley"
//! client = "127.0.0.1:12000"         # IP:PORT; port 0 is any free one
//! peer   = "127.0.0.1:13000"         # loopback, unless there is a secret
//! admin  = "127.0.0.1:14000"         # loopback: /status.json and /healthz over HTTP; default none
//! peers  = ["Jaquez", "Juzang"]      # at most 16, and they name this one too; default none
//! ack    = "replicated"              # local (default), replicated, durable: what the reply to a post promises
//! copies = 1                         # with "replicated": how many peers must have it, 1 (default) to the number of its peers
//! dial   = { Jaquez = "127.0.0.1:20420" }   # reach a peer at another address than its own (NAT, tunnel)
//!
//! [places]                           # each key: see `places::Settings`
//! backend  = "google-legacy"         # embedded (default), google, google-legacy
//! base_url = "http://127.0.0.1:20490/maps/api/place/nearbysearch/json"   # https, unless loopback
//! key_file = "places.key"            # one line; or environment PLACES_KEY
//! data     = ["cafes.geojson"]       # files of places instead of the embedded ones
//! mask     = "pro"                   # pro, enterprise
//! type     = "cafe"                  # default: any
//! ca_file  = "ca.pem"
//! fallback = false                   # answer from the embedded places when Google fails
//! connect_timeout_ms = 3_000         # 10 to 60,000
//! deadline_ms        = 8_000         # 10 to 300,000
//! body_max_bytes     = 8_388_608     # 1,024 to 256 MiB
//! in_flight_max      = 64            # 1 to 4,096
//! queue_max          = 256           # 0 to 1,000,000
//! breaker_failures   = 5             # 1 to 1,000,000
//! breaker_pause_ms   = 10_000        # 1 to 3,600,000
//! calls_per_minute   = 60            # 1 to 1,000,000,000; default: no budget
//! calls_per_day      = 1_000         # the same
//!
//! [journal]                          # each key: see `journal::Settings`
//! enabled   = true
//! directory = "logs"
//! file_bytes_max  = 67_108_864       # 4,096 to 1 TiB
//! files_kept      = 5                # 0 to 1,000
//! queue_bytes_max = 8_388_608        # 65,536 to 1 GiB
//! status_s  = 60                     # how often a line about the server itself; 0 (never) to 86,400
//!
//! [disk]                             # what is known is on disk, too; each key: see `disk::Settings`
//! directory = "data"                 # each server's files are in a directory of its name there
//! commit_wait_ms    = 2              # 0 to 1,000; with ack = "durable" at most half of ack_wait_ms
//! commit_records    = 512            # 1 to 1,000,000
//! compact_bytes_min = 67_108_864     # 4,096 to 1 TiB
//! queue_bytes_max   = 67_108_864     # 1 MiB to 16 GiB
//!
//! [limits]                           # see `Limits`
//! [replication]                      # see `Replication`
//! ```
//!
//! Relative paths are relative to the configuration file's directory; without a file, to the current one (the default herd's
//! journal is in `logs/` there). An environment variable that is set and not empty goes before the file's key, which is then not
//! read. Files with secrets must not be readable by everybody.
//!
//! [`Config::load`] reads and checks everything at once: after it nothing in a [`Config`] contradicts anything else, and nothing
//! was opened but the files named. The first thing wrong is a [`ConfigError`] that names the file, the line and the key. What is
//! *in* the files of `data` and `ca_file` is looked at by the places backend.
//!
//! # While servers run
//! The file can be read again ([`Config::load_after`]): what is in force in running servers is then changed where the file says otherwise,
//! as a whole or not at all. What can't change while a server runs is refused by name: `herd.name`, `herd.control`, its own `client`,
//! `peer` and `admin`, which servers there are in the process, `replication.ttl_s`, and table `[disk]`. Everything else can.

mod changes;
mod error;
mod files;
mod fixed;
mod herd;
mod read;
mod servers;
mod settings;
mod tables;

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use herd_proto::herd::{DEFAULT_NAME, DEFAULT_SERVERS, DefaultServer};

pub use crate::net::{Ack, Limits};
pub use error::{ConfigError, Place, Problem};
pub use settings::{Config, PeerConfig, Replication, ServerConfig};

use crate::secret::Secret;
use crate::{journal, places};
use herd::Herd;
use read::{Section, Source};

/// The environment's variables, by name. A function, so that tests and other programs need not change their own.
pub type Env<'a> = dyn Fn(&str) -> Option<String> + 'a;

/// The variable with the herd's secrets.
pub const SECRET_VARIABLE: &str = "HERD_SECRET";

/// The variable with the key of the places backend.
pub const KEY_VARIABLE: &str = "PLACES_KEY";

/// The largest configuration file, in bytes: nobody names `/dev/zero` with good intent.
const FILE_LEN_MAX: u64 = 1024 * 1024;

impl Config {
    /// The five servers of WIRE §4 on loopback, clients at 12000 and up, peers at 13000 and up, admin at 14000 and up.
    ///
    /// # Errors
    /// A secret or key in the environment that can't be one.
    pub fn default_herd(env: &Env<'_>) -> Result<Self, ConfigError> {
        Ok(Self {
            herd: DEFAULT_NAME.to_owned(),
            secrets: from_env(env, SECRET_VARIABLE, files::parse_secrets)?.unwrap_or_default(),
            servers: DEFAULT_SERVERS.iter().map(default_server).collect(),
            places: places::Settings {
                key: from_env(env, KEY_VARIABLE, files::parse_key)?,
                ..places::Settings::default()
            },
            journal: Some(journal::Settings::default()),
            disk: None,
            limits: Limits::default(),
            replication: Replication::default(),
            control: None,
            origin: None,
        })
    }

    /// Reads and checks the file at `path`, and every file it names.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn load(path: &Path, env: &Env<'_>) -> Result<Self, ConfigError> {
        let in_file = |problem| ConfigError::new(Place::File(path.to_owned(), None), None, problem);
        let bytes = files::read(path, FILE_LEN_MAX).map_err(in_file)?;
        Self::parse(&bytes, path, env)
    }

    /// Checks `text` as [`Config::load`] does, as if it had been read from `path`.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn parse(text: &[u8], path: &Path, env: &Env<'_>) -> Result<Self, ConfigError> {
        let source = Source::new(path, text)?;
        let tree = source.parse()?;
        let root = Section::root(source, &tree);
        root.only(&["herd", "server", "places", "journal", "disk", "limits", "replication"])?;
        let base = path.parent().unwrap_or(Path::new(""));
        let (herd, secrets, control) = herd_table(&root.section("herd")?, env)?;
        let servers = servers::read(&root)?;
        let disk = root.value("disk").map(|value| tables::disk(&value.section()?, base)).transpose()?;
        let servers = Herd::new(source, &servers)?.check(!secrets.is_empty(), disk.is_some())?;
        let limits = tables::limits(&root.section("limits")?)?;
        if let Some(disk) = disk.as_ref().filter(|_| servers.iter().any(|server| server.ack == Ack::Durable)) {
            tables::commits_in_time(&root, &limits, disk)?;
        }
        let env_key = from_env(env, KEY_VARIABLE, files::parse_key)?;
        Ok(Self {
            herd,
            secrets,
            servers,
            places: tables::places(&root.section("places")?, env_key)?,
            journal: tables::journal(&root.section("journal")?, base)?,
            disk,
            limits,
            replication: tables::replication(&root.section("replication")?)?,
            control,
            origin: Some(source.origin()),
        })
    }

    /// The file that this was read from, if it was.
    pub fn path(&self) -> Option<&Path> {
        self.origin.as_ref().map(|origin| origin.path.as_path())
    }

    /// Reads and checks the file at `path`, which is to take the place of this configuration in the running servers called `names`.
    ///
    /// # Errors
    /// The first thing that is wrong, or that can't change while those servers run.
    pub fn load_after(&self, path: &Path, names: &[&str], env: &Env<'_>) -> Result<Self, ConfigError> {
        let next = Self::load(path, env)?;
        self.check_next(&next, names)?;
        Ok(next)
    }

    /// Whether `next` could take the place of this configuration in the running servers called `names`.
    ///
    /// # Errors
    /// The first thing that can't change while they run, at its line in `next`'s file.
    pub fn check_next(&self, next: &Self, names: &[&str]) -> Result<(), ConfigError> {
        fixed::first(self, next, names).map_or(Ok(()), Err)
    }

    /// What is otherwise in `next`, for people: a line each, of what is about all servers or those called `names`.
    pub fn changes_to(&self, next: &Self, names: &[&str]) -> Vec<String> {
        changes::between(self, next, names)
    }

    /// What it takes to reach servers of the file at `path`: its key `herd.control`, and their names. Looks at nothing else in it: what
    /// is wrong there is theirs to say.
    ///
    /// # Errors
    /// The file can't be read, is no TOML, or what it says there is no path.
    pub fn whereabouts(path: &Path) -> Result<(Option<PathBuf>, Vec<String>), ConfigError> {
        let in_file = |problem| ConfigError::new(Place::File(path.to_owned(), None), None, problem);
        let bytes = files::read(path, FILE_LEN_MAX).map_err(in_file)?;
        let source = Source::new(path, &bytes)?;
        let tree = source.parse()?;
        let root = Section::root(source, &tree);
        let control = root.section("herd")?.value("control").map(|value| files::path_of(&value)).transpose()?;
        let servers = root.value("server").and_then(|value| value.list().ok()).unwrap_or_default();
        let name_of =
            |server: &read::Value<'_>| servers::name(&server.section().ok()?.value("name")?).ok().map(str::to_owned);
        Ok((control, servers.iter().filter_map(name_of).collect()))
    }
}

/// The real environment, as an [`Env`]. What isn't UTF-8 comes as U+FFFD and is refused where it matters, not taken as unset.
pub fn process_env(name: &str) -> Option<String> {
    std::env::var_os(name).map(|value| value.to_string_lossy().into_owned())
}

/// Table `[herd]`, and the environment's secrets.
fn herd_table(table: &Section<'_>, env: &Env<'_>) -> Result<(String, Vec<Secret>, Option<PathBuf>), ConfigError> {
    table.only(&["name", "secret_file", "control"])?;
    let name = table.value("name").map_or(Ok(DEFAULT_NAME), |value| servers::name(&value))?;
    let from_file = || table.value("secret_file").map(|value| files::private(&value, files::parse_secrets)).transpose();
    let secrets = match from_env(env, SECRET_VARIABLE, files::parse_secrets)? {
        Some(secrets) => secrets,
        None => from_file()?.unwrap_or_default(),
    };
    let control = table.value("control").map(|value| files::path_of(&value)).transpose()?;
    Ok((name.to_owned(), secrets, control))
}

fn from_env<T>(env: &Env<'_>, name: &str, parse: fn(&[u8]) -> Result<T, Problem>) -> Result<Option<T>, ConfigError> {
    let Some(value) = env(name).filter(|value| !value.is_empty()) else { return Ok(None) };
    let in_env = |problem| ConfigError::new(Place::Environment, Some(name), problem);
    // See `process_env`: what stands for bytes that were lost must not become part of a secret.
    if value.contains(char::REPLACEMENT_CHARACTER) {
        return Err(in_env(Problem::NotUtf8));
    }
    parse(value.as_bytes()).map(Some).map_err(in_env)
}

fn default_server(server: &DefaultServer) -> ServerConfig {
    let loopback = |port: u16| (std::net::Ipv4Addr::LOCALHOST, port).into();
    let peers = DEFAULT_SERVERS.iter().filter(|other| server.peers.contains(&other.name));
    ServerConfig {
        name: server.name.to_owned(),
        client: loopback(server.client_port),
        peer: loopback(server.peer_port),
        admin: cfg!(feature = "admin").then(|| loopback(server.admin_port)),
        peers: peers.map(|peer| PeerConfig { name: peer.name.to_owned(), dial: loopback(peer.peer_port) }).collect(),
        ack: Ack::Local,
    }
}
