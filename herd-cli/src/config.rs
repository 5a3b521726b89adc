//! What a client has to know of a herd's configuration file: the name, client and admin address of every `[[server]]`, and of `[tls]`
//! whether clients speak it and which CA vouches for the servers.
//!
//! Whether the rest of the file makes a herd is the servers' question (`herd-node check-config`); a client must be able to
//! read a file whose secrets and directories are on another machine.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use herd_proto::{ParseError, ServerName};
use serde::Deserialize;
use toml::Spanned;

use crate::servers::Server;
use crate::{Address, AddressError};

/// A file beyond this is no configuration; it would only fill memory.
const FILE_MAX: u64 = 4 * 1024 * 1024;

/// What is wrong with a configuration file, and where.
#[derive(Debug, thiserror::Error)]
#[error("{}{}: {problem}", file.display(), line.map(|line| format!(":{line}")).unwrap_or_default())]
pub struct ConfigError {
    /// The file.
    pub file: PathBuf,
    /// The line, counted from 1, where one is to blame.
    pub line: Option<usize>,
    /// What is wrong.
    pub problem: ConfigProblem,
    /// What the system says of it.
    pub source: Option<io::Error>,
}

/// What can be wrong with a configuration file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigProblem {
    /// It can't be read.
    #[error("can't be read")]
    Read,
    /// It is longer than 4 MiB.
    #[error("is longer than 4 MiB")]
    TooLong,
    /// It has bytes that are not UTF-8.
    #[error("is not UTF-8 here")]
    NotUtf8,
    /// It is not TOML, or lacks a key.
    #[error("{0}")]
    Toml(String),
    /// It has no `[[server]]`.
    #[error("no server: at least one [[server]] is needed")]
    NoServer,
    /// A name no server can have.
    #[error("key `name`: {0}")]
    Name(ParseError),
    /// An address that can't be understood.
    #[error("key `client`: {0}")]
    Client(AddressError),
    /// An admin address that can't be understood.
    #[error("key `admin`: {0}")]
    Admin(AddressError),
    /// Two servers of one name.
    #[error("key `name`: there is another server called '{0}'")]
    Twice(String),
}

#[derive(Deserialize)]
struct Tables {
    #[serde(default)]
    server: Vec<Table>,
    tls: Option<Tls>,
}

#[derive(Deserialize)]
struct Tls {
    #[serde(default)]
    clients: bool,
    ca: Option<String>,
}

/// What a configuration says to a client.
#[derive(Debug)]
pub(crate) struct Herd {
    /// In the order of the file; at least one.
    pub(crate) servers: Vec<Server>,
    /// Clients speak TLS.
    pub(crate) speaks_tls: bool,
    /// Who vouches for the servers.
    pub(crate) ca: Option<PathBuf>,
}

#[derive(Deserialize)]
struct Table {
    name: Spanned<String>,
    client: Spanned<String>,
    admin: Option<Spanned<String>>,
}

/// What stands in `file`.
pub(crate) fn read_herd(file: &Path) -> Result<Herd, ConfigError> {
    let error = |line, problem| ConfigError { file: file.to_owned(), line, problem, source: None };
    let bytes =
        read(file).map_err(|source| ConfigError { source: Some(source), ..error(None, ConfigProblem::Read) })?;
    if bytes.len() as u64 > FILE_MAX {
        return Err(error(None, ConfigProblem::TooLong));
    }
    let text = str::from_utf8(&bytes)
        .map_err(|wrong| error(Some(line_of(&bytes, wrong.valid_up_to())), ConfigProblem::NotUtf8))?;
    let mut herd =
        herd(text).map_err(|(offset, problem)| error(offset.map(|offset| line_of(&bytes, offset)), problem))?;
    // As for the servers, paths are from where the file is.
    herd.ca = herd.ca.map(|ca| file.parent().unwrap_or(Path::new("")).join(ca));
    Ok(herd)
}

/// The file, and one byte more than the most a file may have, to tell.
fn read(file: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(file)?.take(FILE_MAX + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// What is wrong, and the offset of the byte where it is.
type Wrong = (Option<usize>, ConfigProblem);

fn herd(text: &str) -> Result<Herd, Wrong> {
    let tables: Tables = toml::from_str(text).map_err(|error| {
        // One line, whatever the library makes of it.
        let message = error.message().lines().collect::<Vec<_>>().join("; ");
        (error.span().map(|span| span.start), ConfigProblem::Toml(message))
    })?;
    let mut servers: Vec<Server> = Vec::with_capacity(tables.server.len());
    for table in &tables.server {
        let server = server(table)?;
        if servers.iter().any(|other| other.name() == server.name()) {
            return Err((Some(table.name.span().start), ConfigProblem::Twice(server.name().to_owned())));
        }
        servers.push(server);
    }
    if servers.is_empty() {
        return Err((None, ConfigProblem::NoServer));
    }
    let Tls { clients, ca } = tables.tls.unwrap_or(Tls { clients: false, ca: None });
    // One for each server is no CA of all, and whose it is is not known here.
    let ca = ca.filter(|ca| !ca.contains("{name}")).map(PathBuf::from);
    Ok(Herd { servers, speaks_tls: clients, ca })
}

fn server(Table { name, client, admin }: &Table) -> Result<Server, Wrong> {
    let known = ServerName::new(name.get_ref().as_str())
        .map_err(|error| (Some(name.span().start), ConfigProblem::Name(error)))?;
    let address = address(client, ConfigProblem::Client)?;
    let admin = admin.as_ref().map(|admin| self::address(admin, ConfigProblem::Admin)).transpose()?;
    Ok(Server::new(known.as_str().to_owned(), address, admin))
}

fn address(text: &Spanned<String>, problem: fn(AddressError) -> ConfigProblem) -> Result<Address, Wrong> {
    text.get_ref().parse().map_err(|error| (Some(text.span().start), problem(error)))
}

fn line_of(text: &[u8], offset: usize) -> usize {
    1 + text.iter().take(offset).filter(|byte| **byte == b'\n').count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(text: &str) -> String {
        let (offset, problem) = herd(text).unwrap_err();
        let line = offset.map(|offset| line_of(text.as_bytes(), offset));
        format!("{}: {problem}", line.map(|line| line.to_string()).unwrap_or_default())
    }

    #[test]
    fn other_keys_are_none_of_a_clients_business() {
        let text = "[herd]\nname = 'x'\n[[server]]\nname = 'A'\nclient = '127.0.0.1:1'\npeer = 3\n[places]\nbackend = 1\n\
                    [[server]]\nname = 'B'\nclient = 'example.org:2'\n";
        let servers = herd(text).unwrap().servers;
        let shown: Vec<_> = servers.iter().map(|server| format!("{} {}", server.name(), server.address())).collect();
        assert_eq!(shown, ["A 127.0.0.1:1", "B example.org:2"]);
    }

    #[test]
    fn whether_tls_is_spoken_stands_in_the_file() {
        let alone = "[[server]]\nname = 'A'\nclient = '127.0.0.1:1'\n";
        let read = |tls: &str| herd(&format!("{tls}{alone}")).map(|herd| (herd.speaks_tls, herd.ca)).unwrap();
        assert_eq!(read(""), (false, None));
        assert_eq!(read("[tls]\nca = 'ca.pem'\nkey = 7\n"), (false, Some("ca.pem".into())));
        assert_eq!(read("[tls]\nclients = true\nca = '{name}.pem'\n"), (true, None));
        assert!(wrong("[tls]\nclients = 'yes'\n").starts_with("2: invalid type"));
    }

    #[test]
    fn errors_name_the_line_and_the_key() {
        assert_eq!(wrong(""), ": no server: at least one [[server]] is needed");
        assert_eq!(wrong("[[server]]\nname = 'A'\n"), "1: missing field `client`");
        assert_eq!(wrong("[[server]]\nname = 'A'\nclient = 'localhost'\n"), "3: key `client`: expected host:port");
        let twice = "[[server]]\nname = 'A'\nclient = 'a:1'\n[[server]]\nname = 'A'\nclient = 'a:2'\n";
        assert_eq!(wrong(twice), "5: key `name`: there is another server called 'A'");
        assert!(
            wrong("[[server]]\nname = 'A B'\nclient = 'a:1'\n").starts_with("2: key `name`: server name at byte 1")
        );
        assert!(wrong("[[server]]\nname = 7\nclient = 'a:1'\n").starts_with("2: invalid type"));
        assert!(wrong("\n[[server\n").starts_with("2: "));
        let admin = "[[server]]\nname = 'A'\nclient = 'a:1'\nadmin = '127.0.0.1'\n";
        assert_eq!(wrong(admin), "4: key `admin`: expected host:port");
    }
}
