//! Table `[tls]`, and the files it names.

use std::path::{Path, PathBuf};

use super::files;
use super::read::{Section, Value};
use super::{Config, ConfigError, Place, Problem};
use crate::tls::{Files, Tls, TlsFile, Uses};

/// What stands for the server's name in the paths of `[tls]`, so that one file serves the whole herd.
const NAME: &str = "{name}";

/// Which files a server speaks TLS with, and with whom. Table `[tls]`.
///
/// In every path `{name}` stands for the server's name. The files are read by [`Config::load_tls`], on the machine of the server: those
/// of a herd's other servers are elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsConfig {
    /// The server's certificate and those between it and the CA, PEM. Key `certificate`.
    pub certificate: PathBuf,
    /// Its private key, PEM, in a file that not everybody can read. Key `key`.
    pub key: PathBuf,
    /// The CAs of the herd, PEM. Key `ca`; not needed where servers don't speak TLS with each other.
    pub ca: Option<PathBuf>,
    /// Clients speak TLS. Key `clients`, default false.
    pub clients: bool,
    /// Servers speak TLS with each other, and prove themselves by their certificates. Key `peers`, default true.
    pub peers: bool,
    /// Where each of the paths is written.
    lines: Lines,
}

/// Where the keys are in which file; nowhere, where a program made the configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Lines {
    file: Option<PathBuf>,
    certificate: Option<usize>,
    key: Option<usize>,
    ca: Option<usize>,
}

impl TlsConfig {
    /// TLS between servers with these files, and none for clients yet.
    pub fn new(certificate: impl Into<PathBuf>, key: impl Into<PathBuf>, ca: impl Into<PathBuf>) -> Self {
        let ca = Some(ca.into());
        Self {
            certificate: certificate.into(),
            key: key.into(),
            ca,
            clients: false,
            peers: true,
            lines: Lines::default(),
        }
    }

    /// Reads and checks the files of server `name` of herd `herd`.
    fn load(&self, herd: &str, name: &str) -> Result<Tls, ConfigError> {
        let read = |file: TlsFile, path: &Path, reader: fn(&Path) -> Result<Vec<u8>, Problem>| {
            let path = of_server(path, name);
            reader(&path).map_err(|problem| self.error(file, &path, problem))
        };
        let certificate = read(TlsFile::Certificate, &self.certificate, read_pem)?;
        let key = read(TlsFile::Key, &self.key, files::read_private)?;
        let ca = self.ca.as_deref().map(|path| read(TlsFile::Ca, path, read_pem)).transpose()?;
        let files = Files { certificate: &certificate, key: &key, ca: ca.as_deref() };
        let uses = Uses { clients: self.clients, peers: self.peers };
        Tls::new(herd, name, &files, uses).map_err(|error| {
            let path = match error.file {
                TlsFile::Certificate => Some(&self.certificate),
                TlsFile::Key => Some(&self.key),
                TlsFile::Ca => self.ca.as_ref(),
            };
            let path = path.map(|path| of_server(path, name)).unwrap_or_default();
            self.error(error.file, &path, Problem::Tls(error.problem))
        })
    }

    /// Whether there is a certificate of server `name` here.
    fn has(&self, name: &str) -> bool {
        of_server(&self.certificate, name).exists()
    }

    fn error(&self, file: TlsFile, path: &Path, problem: Problem) -> ConfigError {
        let Lines { file: config, certificate, key, ca } = &self.lines;
        let line = match file {
            TlsFile::Certificate => *certificate,
            TlsFile::Key => *key,
            TlsFile::Ca => *ca,
        };
        let place = config.as_ref().map_or(Place::Program, |config| Place::File(config.clone(), line));
        let problem = Problem::InFile { path: path.to_owned(), problem: Box::new(problem) };
        ConfigError::new(place, Some(&format!("tls.{}", file.key())), problem)
    }
}

impl Config {
    /// What server `name` speaks TLS with: reads and checks its certificate, its key and the CA. `None` without a table `[tls]`.
    ///
    /// # Errors
    /// The first thing that is wrong with one of the files.
    pub fn load_tls(&self, name: &str) -> Result<Option<Tls>, ConfigError> {
        self.tls.as_ref().map(|tls| tls.load(&self.herd, name)).transpose()
    }

    /// The same for every server whose certificate is on this machine, for whoever wants to know whether a configuration is right.
    /// With each the name; `None` where there is no certificate.
    ///
    /// # Errors
    /// The first thing that is wrong with one of the files; or none of the servers has a certificate here.
    pub fn load_all_tls(&self) -> Result<Vec<(&str, Option<Tls>)>, ConfigError> {
        let Some(tls) = &self.tls else { return Ok(Vec::new()) };
        let names = || self.servers.iter().map(|server| server.name.as_str());
        let is_any_here = names().any(|name| tls.has(name));
        let of = |name| {
            let is_wanted = !is_any_here || tls.has(name);
            Ok((name, is_wanted.then(|| tls.load(&self.herd, name)).transpose()?))
        };
        names().map(of).collect()
    }
}

fn of_server(path: &Path, name: &str) -> PathBuf {
    // A path that is not UTF-8 did not come out of a configuration file.
    path.to_str().map_or_else(|| path.to_owned(), |path| path.replace(NAME, name).into())
}

fn read_pem(path: &Path) -> Result<Vec<u8>, Problem> {
    files::read(path, files::PEM_LEN_MAX)
}

/// Table `[tls]`. The files are looked at later.
pub(super) fn table(table: &Section<'_>) -> Result<TlsConfig, ConfigError> {
    table.only(&["certificate", "key", "ca", "clients", "peers"])?;
    let [certificate, key] = [table.required("certificate")?, table.required("key")?];
    let ca = table.value("ca");
    let is_on = |value: Option<Value<'_>>, default| value.map_or(Ok(default), |value| value.boolean());
    let (clients, peers) = (is_on(table.value("clients"), false)?, is_on(table.value("peers"), true)?);
    if peers {
        table.required("ca")?;
    }
    if let Some(value) = table.value("peers").filter(|_| !clients && !peers) {
        return Err(value.error(Problem::TlsForNobody));
    }
    let line = |value: &Value<'_>| Some(value.source.line(value.at));
    Ok(TlsConfig {
        certificate: path(&certificate)?,
        key: path(&key)?,
        ca: ca.as_ref().map(path).transpose()?,
        clients,
        peers,
        lines: Lines {
            file: Some(certificate.source.path.to_owned()),
            certificate: line(&certificate),
            key: line(&key),
            ca: ca.as_ref().and_then(line),
        },
    })
}

fn path(value: &Value<'_>) -> Result<PathBuf, ConfigError> {
    let written = value.string()?;
    // What looks like a placeholder and is none would be looked for on the disk.
    if written.replace(NAME, "").contains(['{', '}']) {
        return Err(value.error(Problem::BadPlaceholder(written.to_owned())));
    }
    files::path_of(value)
}
