//! Where the servers of a herd are, by name.

use std::path::{Path, PathBuf};

use herd_proto::herd::DEFAULT_SERVERS;

use crate::{Address, ConfigError, config};

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

    /// The name.
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

/// The servers of one herd.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Servers {
    /// In the order of the file; never empty.
    list: Vec<Server>,
    file: Option<PathBuf>,
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
        Self { list, file: None }
    }

    /// The servers in a herd's configuration file: `name`, `client` and `admin` of every `[[server]]`. Nothing else in it is looked at.
    ///
    /// # Errors
    /// The file can't be read, is no TOML, or has no server, a server without name or address, or two of one name.
    pub fn from_config(file: &Path) -> Result<Self, ConfigError> {
        Ok(Self { list: config::read_servers(file)?, file: Some(file.to_owned()) })
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
}
