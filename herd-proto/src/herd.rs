//! The default herd (WIRE §4): five servers that know each other without any configuration file.

/// One server of the default herd (WIRE §4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DefaultServer {
    /// Its name.
    pub name: &'static str,
    /// Its TCP port for clients, on 127.0.0.1.
    pub client_port: u16,
    /// Its TCP port for peers, on 127.0.0.1.
    pub peer_port: u16,
    /// Its TCP port for those who watch over it, on 127.0.0.1 (HTTP, and none of the protocol's business).
    pub admin_port: u16,
    /// The names of its peers; it is among theirs, too.
    pub peers: &'static [&'static str],
}

/// The default herd's name (WIRE §4).
pub const DEFAULT_NAME: &str = "ucla";

/// The default herd's servers: clients at 12000 and up, peers at 13000 and up, admin at 14000 and up, all on loopback.
pub const DEFAULT_SERVERS: [DefaultServer; 5] = [
    DefaultServer {
        name: "Riley",
        client_port: 12000,
        peer_port: 13000,
        admin_port: 14000,
        peers: &["Jaquez", "Juzang"],
    },
    DefaultServer {
        name: "Jaquez",
        client_port: 12001,
        peer_port: 13001,
        admin_port: 14001,
        peers: &["Riley", "Bernard"],
    },
    DefaultServer {
        name: "Juzang",
        client_port: 12002,
        peer_port: 13002,
        admin_port: 14002,
        peers: &["Riley", "Bernard", "Campbell"],
    },
    DefaultServer {
        name: "Campbell",
        client_port: 12003,
        peer_port: 13003,
        admin_port: 14003,
        peers: &["Bernard", "Juzang"],
    },
    DefaultServer {
        name: "Bernard",
        client_port: 12004,
        peer_port: 13004,
        admin_port: 14004,
        peers: &["Jaquez", "Juzang", "Campbell"],
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_link_is_there_both_ways() {
        for server in &DEFAULT_SERVERS {
            for peer in server.peers {
                let peer = DEFAULT_SERVERS.iter().find(|other| other.name == *peer).unwrap();
                assert!(peer.peers.contains(&server.name), "{} does not know {}", peer.name, server.name);
            }
        }
        assert_eq!(DEFAULT_SERVERS.iter().map(|server| server.peers.len()).sum::<usize>(), 12);
    }
}
