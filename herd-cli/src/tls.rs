//! TLS with servers: whom to trust, and what a handshake that came to nothing says.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{CertificateError, ClientConfig, InvalidMessage, RootCertStore};

use crate::Address;

/// A file beyond this holds no CA; it would only fill memory.
const FILE_MAX: u64 = 1024 * 1024;

/// How to make sure of the servers that a client connects to. Clones share what was read.
///
/// Trusted is who has a certificate of one of the CAs given here, for the host that is connected to; the list of CAs that a
/// system has is not used. The herd's own CA is made by `herd-node pki init`.
///
/// ```no_run
/// use herd_cli::{Address, Client, TlsSettings};
///
/// # async fn connect() -> Result<(), Box<dyn std::error::Error>> {
/// let tls = TlsSettings::from_ca_file("ca.pem")?.name("riley")?;
/// let mut herd = Client::builder().server(Address::new("192.0.2.10", 12000)).tls(tls).connect().await?;
/// herd.send_line(b"WHATSAT kiwi.cs.ucla.edu 10 5")?;
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct TlsSettings {
    config: Arc<ClientConfig>,
    name: Option<ServerName<'static>>,
}

impl TlsSettings {
    /// Trusts the CAs in a file, PEM.
    ///
    /// # Errors
    /// The file can't be read, or holds no CA certificate.
    pub fn from_ca_file(file: impl AsRef<Path>) -> Result<Self, TlsError> {
        let file = file.as_ref();
        let pem = read(file).map_err(|source| TlsError::Read { file: file.to_owned(), source })?;
        Self::from_ca_pem(&pem).map_err(|_| TlsError::NoCaIn(file.to_owned()))
    }

    /// Trusts the CAs in a text, PEM.
    ///
    /// # Errors
    /// There is no CA certificate in it.
    pub fn from_ca_pem(pem: &[u8]) -> Result<Self, TlsError> {
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(pem) {
            roots.add(certificate.map_err(|_| TlsError::NoCa)?).map_err(|_| TlsError::NoCa)?;
        }
        if roots.is_empty() {
            return Err(TlsError::NoCa);
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| TlsError::Unusable(error.to_string()))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self { config: Arc::new(config), name: None })
    }

    /// The name that certificates must have: a host's name or an IP address. Without, it is the host that is connected to.
    ///
    /// # Errors
    /// It is neither.
    pub fn name(mut self, name: &str) -> Result<Self, TlsError> {
        self.name = Some(server_name(name)?);
        Ok(self)
    }

    /// The same for a server at `address`, wherever that is found to lead: the host's name is that of the certificate, unless another
    /// was given.
    ///
    /// # Errors
    /// It is no name that a certificate can have.
    pub fn for_server(&self, address: &Address) -> Result<Self, TlsError> {
        Ok(Self { name: Some(self.name_of(address)?), ..self.clone() })
    }

    /// The name that the certificate of a server at `address` must have.
    pub(crate) fn name_of(&self, address: &Address) -> Result<ServerName<'static>, TlsError> {
        self.name.clone().map_or_else(|| server_name(&address.reachable_host()), Ok)
    }

    pub(crate) fn config(&self) -> Arc<ClientConfig> {
        Arc::clone(&self.config)
    }
}

impl std::fmt::Debug for TlsSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TlsSettings").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Why TLS can't be spoken, or not with this server.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// The file of CAs can't be read.
    #[error("can't read the CA file {}", file.display())]
    Read {
        /// The file.
        file: PathBuf,
        /// What the system says of it.
        source: io::Error,
    },
    /// A file without a CA.
    #[error("{} holds no CA certificate in PEM", .0.display())]
    NoCaIn(PathBuf),
    /// A text without a CA.
    #[error("there is no CA certificate in PEM")]
    NoCa,
    /// Neither the name of a host nor an IP address.
    #[error("'{0}' is no name that a certificate can have: expected a host's name or an IP address")]
    Name(String),
    /// What the server says is not TLS.
    #[error("what it says is not TLS")]
    NotTls,
    /// The server closed the connection before there was TLS.
    #[error("it closed the connection during the handshake: does it speak TLS?")]
    Ended,
    /// The server's certificate is not one of the CA's.
    #[error("its certificate is of a CA that is not trusted")]
    OtherCa,
    /// The server's certificate is for others.
    #[error("its certificate is for {}, not for {wanted} (another name can be given)", or_nobody(.found))]
    OtherName {
        /// The name it should have.
        wanted: String,
        /// The names it has.
        found: Vec<String>,
    },
    /// The server's certificate is over.
    #[error("its certificate has expired")]
    Expired,
    /// Something else, in the words of the library.
    #[error("{0}")]
    Unusable(String),
}

impl TlsError {
    /// What made a handshake fail; an error of the connection itself comes back.
    pub(crate) fn of_handshake(error: io::Error) -> Result<Self, io::Error> {
        let Some(tls) = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) else {
            return if error.kind() == io::ErrorKind::UnexpectedEof { Ok(Self::Ended) } else { Err(error) };
        };
        Ok(match tls {
            rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType) => Self::NotTls,
            rustls::Error::InvalidCertificate(certificate) => match certificate {
                CertificateError::UnknownIssuer | CertificateError::BadSignature => Self::OtherCa,
                CertificateError::Expired | CertificateError::ExpiredContext { .. } => Self::Expired,
                CertificateError::NotValidForNameContext { expected, presented } => Self::OtherName {
                    wanted: expected.to_str().into_owned(),
                    found: presented.iter().filter_map(|name| host(name)).collect(),
                },
                other => Self::Unusable(format!("its certificate is not accepted: {other}")),
            },
            rustls::Error::AlertReceived(alert) => Self::Unusable(format!("it refuses: {alert:?}")),
            other => Self::Unusable(other.to_string()),
        })
    }
}

/// A name of a host, or an address, without what the library puts around it: `DnsName("riley")`.
fn host(shown: &str) -> Option<String> {
    let inside = shown.strip_prefix("DnsName(").or_else(|| shown.strip_prefix("IpAddress("))?.strip_suffix(')')?;
    Some(inside.trim_matches('"').to_owned())
}

fn or_nobody(names: &[String]) -> String {
    if names.is_empty() { "no host".to_owned() } else { names.join(", ") }
}

fn server_name(name: &str) -> Result<ServerName<'static>, TlsError> {
    ServerName::try_from(name.to_owned()).map_err(|_| TlsError::Name(name.to_owned()))
}

/// The file, and one byte more than the most it may have, to tell.
fn read(file: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(file)?.take(FILE_MAX + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > FILE_MAX {
        return Err(io::Error::other("it is longer than 1 MiB"));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_without_a_ca_are_refused() {
        let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        for text in ["", "nothing", broken] {
            assert!(matches!(TlsSettings::from_ca_pem(text.as_bytes()), Err(TlsError::NoCa)), "{text}");
        }
    }

    #[test]
    fn names_are_those_of_hosts_and_addresses() {
        for good in ["riley", "riley.example.org", "under_score", "192.0.2.1", "2001:db8::1"] {
            assert!(server_name(good).is_ok(), "{good}");
        }
        for bad in ["", "a b", "-", "two..dots", "riley:12000", "鶴"] {
            assert!(matches!(server_name(bad), Err(TlsError::Name(_))), "{bad}");
        }
        assert_eq!(host("DnsName(\"riley\")").as_deref(), Some("riley"));
        assert_eq!(host("IpAddress(127.0.0.1)").as_deref(), Some("127.0.0.1"));
        assert_eq!(host("UniformResourceIdentifier(\"herd:ucla/Riley\")"), None);
    }
}
