//! Where a server listens for clients.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;
use std::time::Duration;

use tokio::net::TcpStream;

use crate::ClientError;

/// `ip:port`, `[ipv6]:port` or `host:port`. A host is looked up when a connection is made, not before.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Address {
    host: String,
    port: u16,
}

impl Address {
    /// The address of `port` on `host`, which is an IP address or a name.
    pub fn new(host: impl Into<String>, port: u16) -> Self {
        Self { host: host.into(), port }
    }

    /// The host's name, or its IP address without brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The TCP port.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// A plain connection to it, made within `timeout`.
    ///
    /// # Errors
    /// The host is unknown, refuses, or does not answer in time.
    pub async fn connect(&self, timeout: Duration) -> Result<TcpStream, ClientError> {
        let connecting = TcpStream::connect((self.reachable_host(), self.port));
        match tokio::time::timeout(timeout, connecting).await {
            Ok(Ok(stream)) => Ok(stream),
            Ok(Err(source)) => Err(ClientError::Unreachable { address: self.clone(), source }),
            Err(_) => Err(ClientError::ConnectTimedOut { address: self.clone(), timeout }),
        }
    }

    /// The host to connect to. Servers may listen on "any address"; a client that reads so in their configuration means
    /// this machine.
    pub(crate) fn reachable_host(&self) -> String {
        match self.host.parse::<IpAddr>() {
            Ok(IpAddr::V4(ip)) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.to_string(),
            Ok(IpAddr::V6(ip)) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.to_string(),
            _ => self.host.clone(),
        }
    }
}

impl From<SocketAddr> for Address {
    fn from(address: SocketAddr) -> Self {
        Self::new(address.ip().to_string(), address.port())
    }
}

/// Text that is no address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AddressError {
    /// There is no colon and port after the host.
    #[error("expected host:port")]
    NoPort,
    /// The host is empty, or has characters that no host name has.
    #[error("expected a host name or an IP address before the port")]
    Host,
    /// An IPv6 address without brackets, in which the port can't be told from the address.
    #[error("expected brackets around an IPv6 address: [::1]:12000")]
    Brackets,
    /// The port is no number from 1 to 65535.
    #[error("expected a port from 1 to 65535 after the host")]
    Port,
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let (host, port) = text.rsplit_once(':').ok_or(AddressError::NoPort)?;
        let host = read_host(host)?;
        // `parse` alone would take "+80".
        let digits = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
        let port = if digits { port.parse().unwrap_or(0) } else { 0 };
        if port == 0 { Err(AddressError::Port) } else { Ok(Self { host: host.to_owned(), port }) }
    }
}

fn read_host(host: &str) -> Result<&str, AddressError> {
    if let Some(inner) = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return if inner.parse::<Ipv6Addr>().is_ok() { Ok(inner) } else { Err(AddressError::Host) };
    }
    if host.contains(':') {
        return Err(if host.parse::<Ipv6Addr>().is_ok() { AddressError::Brackets } else { AddressError::Host });
    }
    let named = !host.is_empty() && host.chars().all(|ch| ch.is_alphanumeric() || matches!(ch, '-' | '_' | '.'));
    if named { Ok(host) } else { Err(AddressError::Host) }
}

/// As it is written: an IPv6 address in brackets.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_read_and_show_themselves_alike() {
        for text in ["127.0.0.1:12000", "[::1]:12000", "localhost:1", "riley.example.org:65535", "a_b-c:80"] {
            assert_eq!(text.parse::<Address>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_is_no_address_says_why() {
        let cases = [
            ("localhost", AddressError::NoPort),
            (":80", AddressError::Host),
            ("a b:80", AddressError::Host),
            ("[::1:80", AddressError::Host),
            ("[1.2.3.4]:80", AddressError::Host),
            ("::1:80", AddressError::Brackets),
            ("host:", AddressError::Port),
            ("host:0", AddressError::Port),
            ("host:+80", AddressError::Port),
            ("host:65536", AddressError::Port),
        ];
        for (text, error) in cases {
            assert_eq!(text.parse::<Address>(), Err(error), "{text}");
        }
    }

    #[test]
    fn any_address_is_reached_on_this_machine() {
        assert_eq!(Address::new("0.0.0.0", 1).reachable_host(), "127.0.0.1");
        assert_eq!(Address::new("::", 1).reachable_host(), "::1");
        assert_eq!(Address::new("10.0.0.1", 1).reachable_host(), "10.0.0.1");
    }
}
