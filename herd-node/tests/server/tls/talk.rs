//! Both ends of TLS, as others speak it.

use std::net::SocketAddr;
use std::sync::Arc;

use herd_node::config::Config;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::authority::{Authority, Pair};
use crate::support::{TestHerd, soon};

/// A client over TLS that says exactly what it is told and hears exactly what comes.
pub(super) struct SecureClient {
    pub(super) stream: BufReader<TlsStream<TcpStream>>,
}

impl SecureClient {
    pub(super) async fn connect(herd: &TestHerd, name: &str, authority: &Authority) -> Self {
        let address = herd.settings(name).client;
        dial(address, trusting(authority, None)).await.unwrap()
    }

    pub(super) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        soon("room to send", self.stream.write_all(bytes.as_ref())).await.unwrap();
        soon("room to send", self.stream.flush()).await.unwrap();
    }

    /// Says, by TLS and TCP, that nothing more will be sent.
    pub(super) async fn finish(&mut self) {
        let _ = self.stream.shutdown().await;
    }

    /// The next line without its LF; empty at the end of input, too.
    pub(super) async fn text(&mut self) -> String {
        let mut line = String::new();
        soon("a line", self.stream.read_line(&mut line)).await.unwrap();
        line.trim_end_matches('\n').to_owned()
    }

    pub(super) async fn ask(&mut self, line: &str) -> String {
        self.send(format!("{line}\n")).await;
        self.text().await
    }

    pub(super) async fn post(&mut self, client: &str, location: &str, time: &str) -> String {
        let reply = self.ask(&format!("IAMAT {client} {location} {time}")).await;
        reply.strip_prefix("AT ").unwrap_or_else(|| panic!("{reply}")).to_owned()
    }

    /// Everything up to the end, which has to be one of TLS.
    pub(super) async fn rest(&mut self) -> String {
        let mut rest = String::new();
        soon("the end of input", self.stream.read_to_string(&mut rest)).await.unwrap();
        rest
    }
}

/// A client's settings that trust `authority`, with a certificate of its own or none.
pub(super) fn trusting(authority: &Authority, own: Option<&Pair>) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(authority.pem.as_bytes()).unwrap()).unwrap();
    let builder = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots);
    match own {
        None => builder.with_no_client_auth(),
        Some(Pair { certificate, key }) => {
            let chain = CertificateDer::pem_slice_iter(certificate.as_bytes()).map(Result::unwrap).collect();
            builder.with_client_auth_cert(chain, PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap()).unwrap()
        }
    }
}

/// A client that speaks one version of TLS.
pub(super) fn of_version(authority: &Authority, version: &'static SupportedProtocolVersion) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(authority.pem.as_bytes()).unwrap()).unwrap();
    ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_protocol_versions(&[version])
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth()
}

pub(super) async fn dial(address: SocketAddr, config: ClientConfig) -> std::io::Result<SecureClient> {
    let tcp = soon("a connection", TcpStream::connect(address)).await?;
    tcp.set_nodelay(true)?;
    let name = ServerName::try_from("localhost").unwrap();
    let stream = soon("a handshake", TlsConnector::from(Arc::new(config)).connect(name, tcp)).await?;
    Ok(SecureClient { stream: BufReader::new(stream) })
}

/// The names of the servers of `config`.
pub(super) fn names(config: &Config) -> Vec<String> {
    config.servers.iter().map(|server| server.name.clone()).collect()
}
