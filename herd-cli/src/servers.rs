//! Where the servers of a herd are, by name.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use herd_proto::herd::DEFAULT_SERVERS;

use crate::{Address, AddressError, ConfigError, config};

/// A server's name and its addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    name: String,
    address: Address,
    admin: Option<Address>,
}

impl Server {
    pub(crate) const fn new(name: String, address: Address, admin: Option<Address>) -> Self {
        Self { name, address, admin }
    }

    /// The name; of one that is only known by its address, that.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where it listens for clients.
    pub const fn address(&self) -> &Address {
        &self.address
    }

    /// Where it answers to those who watch over it, if it does.
    pub const fn admin(&self) -> Option<&Address> {
        self.admin.as_ref()
    }
}

/// A server that is only known by its address.
impl From<Address> for Server {
    fn from(address: Address) -> Self {
        Self::new(address.to_string(), address, None)
    }
}

/// A server that is only known by its address.
impl From<SocketAddr> for Server {
    fn from(address: SocketAddr) -> Self {
        Address::from(address).into()
    }
}

impl From<&Server> for Server {
    fn from(server: &Self) -> Self {
        server.clone()
    }
}

/// The servers of one herd.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Servers {
    /// In the order of the file; never empty.
    list: Vec<Server>,
    file: Option<PathBuf>,
    speaks_tls: bool,
    ca: Option<PathBuf>,
}

impl Servers {
    /// The five servers of the default herd, on this machine (WIRE §4).
    pub fn default_herd() -> Self {
        let list = DEFAULT_SERVERS
            .iter()
            .map(|server| {
                let on_loopback = |port| Address::new("127.0.0.1", port);
                let (clients, admin) = (on_loopback(server.client_port), on_loopback(server.admin_port));
                Server::new(server.name.to_owned(), clients, Some(admin))
            })
            .collect();
        Self { list, file: None, speaks_tls: false, ca: None }
    }

    /// The servers in a herd's configuration file: `name`, `client` and `admin` of every `[[server]]`, and of
    /// `[tls]` `clients` and `ca`. Nothing else in it is looked at.
    ///
    /// # Errors
    /// The file can't be read, is no TOML, or has no server, a server without name or address, or two of one name.
    pub fn from_config(file: &Path) -> Result<Self, ConfigError> {
        let config::Herd { servers, speaks_tls, ca } = config::read_herd(file)?;
        Ok(Self { list: servers, file: Some(file.to_owned()), speaks_tls, ca })
    }

    /// Whether they speak TLS with clients, as far as their configuration says.
    pub const fn speak_tls(&self) -> bool {
        self.speaks_tls
    }

    /// The file of the CAs that vouch for them, if their configuration names one for all.
    pub fn ca(&self) -> Option<&Path> {
        self.ca.as_deref()
    }

    /// The server of this name, compared byte by byte.
    ///
    /// # Errors
    /// There is none.
    pub fn find(&self, name: &str) -> Result<&Server, UnknownServer> {
        self.list.iter().find(|server| server.name == name).ok_or_else(|| UnknownServer {
            name: name.to_owned(),
            known: self.list.iter().map(|server| server.name.clone()).collect(),
            file: self.file.clone(),
        })
    }

    /// The server that a text means: the address it is, if it has a colon, and else the name.
    ///
    /// # Errors
    /// There is no such name, or the text is no address.
    pub fn target(&self, text: &str) -> Result<Server, TargetError> {
        if !text.contains(':') {
            return Ok(self.find(text)?.clone());
        }
        let address: Address = text.parse().map_err(|source| TargetError::Address { text: text.to_owned(), source })?;
        Ok(address.into())
    }

    /// All of them, in the order of the file.
    pub fn iter(&self) -> impl Iterator<Item = &Server> {
        self.list.iter()
    }
}

/// No server of the herd has this name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no server is called '{name}' in {}: there are {}", herd(file.as_deref()), known.join(", "))]
pub struct UnknownServer {
    /// The name.
    pub name: String,
    /// The names there are.
    pub known: Vec<String>,
    /// Where they come from; `None` for the default herd.
    pub file: Option<PathBuf>,
}

/// A text that means no server.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TargetError {
    /// It has no colon, so it should be a name.
    #[error(transparent)]
    Unknown(#[from] UnknownServer),
    /// It has a colon, so it should be an address.
    #[error("server '{text}'")]
    Address {
        /// The text.
        text: String,
        /// What is wrong with it.
        source: AddressError,
    },
}

fn herd(file: Option<&Path>) -> String {
    file.map_or_else(|| "the default herd".to_owned(), |file| file.display().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_herd_is_found_by_name() {
        let servers = Servers::default_herd();
        assert_eq!(servers.iter().count(), 5);
        let campbell = servers.find("Campbell").unwrap();
        assert_eq!(campbell.address().to_string(), "127.0.0.1:12003");
        assert_eq!(campbell.admin().unwrap().to_string(), "127.0.0.1:14003");
        assert_eq!(
            servers.find("riley").unwrap_err().to_string(),
            "no server is called 'riley' in the default herd: there are Riley, Jaquez, Juzang, Campbell, Bernard"
        );
    }

    #[test]
    fn a_target_is_a_name_or_an_address() {
        let servers = Servers::default_herd();
        assert_eq!(servers.target("Bernard").unwrap().address().port(), 12004);
        let server = servers.target("[::1]:9").unwrap();
        assert_eq!((server.name(), server.address().host(), server.admin()), ("[::1]:9", "::1", None));
        assert!(matches!(servers.target("nobody"), Err(TargetError::Unknown(_))));
        let error = servers.target("localhost:x").unwrap_err();
        assert_eq!(error.to_string(), "server 'localhost:x'");
        assert!(matches!(error, TargetError::Address { source: AddressError::Port, .. }));
    }
}
