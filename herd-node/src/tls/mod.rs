//! TLS: a server's certificate, who may speak to it, and what connections are made with.
//!
//! Clients find a server that has a certificate; servers find each other by certificates both ways (WIRE §7). A certificate says
//! whose it is by a URI among its alternative names, `herd:` HERD `/` NAME, such as `herd:ucla/Riley`: names of servers are told
//! apart by case and may be what no name of DNS is. What is checked, and when:
//!
//! - [`Tls::new`] checks a server's own files: everything that would have the others refuse it is refused here, with words.
//! - Whoever connects shows a certificate of the herd's CA, or there is no connection; [`servers_of`] says which servers' it is, and
//!   HELLO has to name one of those.
//! - Whoever is dialled shows one of the server that was meant.
//!
//! This module knows no socket and opens no file. It is given the time by `clock` alone. Nothing is resumed between servers: each
//! connection is a whole handshake, so that what was replaced is not met again.

mod certificate;
mod der;
mod error;
mod moment;
mod verifier;

use std::sync::Arc;

use rustls::client::Resumption;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::time_provider::TimeProvider;
use rustls::{ClientConfig, InconsistentKeys, RootCertStore, ServerConfig};

pub use certificate::{Certificate, server_uri, servers_of};
pub use error::{Problem, TlsError, TlsFile};
pub use moment::Moment;

use verifier::PeerVerifier;

/// The texts of a server's files, PEM.
#[derive(Clone, Copy)]
pub struct Files<'a> {
    /// Its certificate, first, and those between it and the CA.
    pub certificate: &'a [u8],
    /// The private key of the certificate.
    pub key: &'a [u8],
    /// The certificates of the CAs that vouch for the herd's servers. Servers can't meet without.
    pub ca: Option<&'a [u8]>,
}

impl std::fmt::Debug for Files<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // One of them is a secret.
        f.write_str("Files")
    }
}

/// Which listeners speak TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Uses {
    /// That for clients. They show no certificate.
    pub clients: bool,
    /// That for peers, and connections to them. Both ends show one.
    pub peers: bool,
}

/// What one server needs to speak TLS, checked and ready. Cheap to replace as a whole: connections there are keep what they were
/// made with.
#[derive(Debug)]
pub struct Tls {
    clients: Option<Arc<ServerConfig>>,
    peers: Option<Peers>,
    /// What the server shows of itself.
    chain: Vec<CertificateDer<'static>>,
    not_after: Moment,
}

#[derive(Debug)]
struct Peers {
    herd: String,
    acceptor: Arc<ServerConfig>,
    /// What is the same whoever is dialled.
    dialler: ClientConfig,
    roots: Arc<RootCertStore>,
}

impl Tls {
    /// Checks the files of server `name` of herd `herd`, and makes of them what `uses` need.
    ///
    /// # Errors
    /// The first thing that is wrong, and in which file. See [`Problem`].
    pub fn new(herd: &str, name: &str, files: &Files<'_>, uses: Uses) -> Result<Self, TlsError> {
        let provider = provider();
        let now = Moment::now();
        let (chain, not_after) = chain(herd, name, files.certificate, now).map_err(TlsFile::Certificate.fault())?;
        let key = key(files.key, &chain, &provider).map_err(TlsFile::Key.fault())?;
        let roots = files.ca.map(|ca| roots(ca, now)).transpose().map_err(TlsFile::Ca.fault())?.map(Arc::new);
        if let Some(roots) = &roots {
            vouched(&chain, roots, &provider, now).map_err(TlsFile::Certificate.fault())?;
        }
        let certified = Arc::new(key);
        let clients = uses.clients.then(|| for_clients(&provider, &certified)).transpose();
        let peers = match (uses.peers, roots) {
            (false, _) => Ok(None),
            (true, Some(roots)) => for_peers(herd, &provider, &certified, roots).map(Some),
            (true, None) => return Err(TlsFile::Ca.fault()(Problem::NoCa)),
        };
        let unusable = |error: rustls::Error| TlsFile::Certificate.fault()(Problem::Unusable(error.to_string()));
        Ok(Self { clients: clients.map_err(unusable)?, peers: peers.map_err(unusable)?, chain, not_after })
    }

    /// What is otherwise in `next` by the contents of the files, in words. `whose`: nothing, or " of " and the server.
    pub(crate) fn changes_to(&self, next: &Self, whose: &str) -> Vec<String> {
        let mut changes = Vec::new();
        if self.chain != next.chain {
            changes.push(format!("another certificate{whose}, valid until {}", next.not_after));
        }
        let anchors = |tls: &Self| tls.peers.as_ref().map(|peers| peers.roots.roots.clone());
        if anchors(self).zip(anchors(next)).is_some_and(|(before, after)| before != after) {
            changes.push(format!("other CAs{whose}"));
        }
        changes
    }

    /// When the first certificate of the server's own chain is over, in POSIX seconds.
    pub fn not_after(&self) -> Moment {
        self.not_after
    }

    /// Which listeners speak TLS.
    pub fn uses(&self) -> Uses {
        Uses { clients: self.clients.is_some(), peers: self.peers.is_some() }
    }

    /// For a client that connects, if clients are to speak TLS.
    pub(crate) fn clients(&self) -> Option<Arc<ServerConfig>> {
        self.clients.clone()
    }

    /// For a peer that connects, if peers are to speak TLS.
    pub(crate) fn acceptor(&self) -> Option<Arc<ServerConfig>> {
        self.peers.as_ref().map(|peers| Arc::clone(&peers.acceptor))
    }

    /// For a connection to server `peer`, which has to show a certificate of that server.
    pub(crate) fn dialler(&self, peer: &str) -> Option<Arc<ClientConfig>> {
        let Peers { herd, dialler, roots, .. } = self.peers.as_ref()?;
        let mut config = dialler.clone();
        let verifier = PeerVerifier::new(Arc::clone(roots), provider(), server_uri(herd, peer));
        config.dangerous().set_certificate_verifier(Arc::new(verifier));
        Some(Arc::new(config))
    }
}

/// The cryptography, said out loud: the process has no default that another part could change.
fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// Time, for rustls.
#[derive(Debug)]
struct Clock;

impl TimeProvider for Clock {
    fn current_time(&self) -> Option<UnixTime> {
        Some(Moment::now().into())
    }
}

/// A server's certificates as they are sent, and when the first of them is over.
fn chain(herd: &str, name: &str, pem: &[u8], now: Moment) -> Result<(Vec<CertificateDer<'static>>, Moment), Problem> {
    let chain = certificates(pem)?;
    let read = chain.iter().map(|der| Certificate::read(der).ok_or(Problem::NotACertificate));
    let read = read.collect::<Result<Vec<_>, _>>()?;
    let names = chain.first().map(|own| servers_of(herd, own)).unwrap_or_default();
    if !names.iter().any(|of| of == name) {
        let found = read.first().map(Certificate::names).unwrap_or_default();
        return Err(Problem::OtherName { wanted: server_uri(herd, name), found });
    }
    read.iter().try_for_each(|certificate| certificate.check_time(now))?;
    let ends = read.iter().map(|certificate| certificate.not_after);
    Ok((chain, ends.min().unwrap_or(now)))
}

fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, Problem> {
    let chain = CertificateDer::pem_slice_iter(pem).collect::<Result<Vec<_>, _>>();
    match chain {
        Ok(chain) if !chain.is_empty() => Ok(chain),
        _ => Err(Problem::NotPem("certificate")),
    }
}

fn key(pem: &[u8], chain: &[CertificateDer<'static>], provider: &CryptoProvider) -> Result<CertifiedKey, Problem> {
    let key = PrivateKeyDer::from_pem_slice(pem).map_err(|_| Problem::NotPem("unencrypted private key"))?;
    CertifiedKey::from_der(chain.to_vec(), key, provider).map_err(|error| match error {
        rustls::Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => Problem::OtherKey,
        error => Problem::Unusable(error.to_string()),
    })
}

/// The CAs. Of several, as while one takes over from another, some may be over.
fn roots(pem: &[u8], now: Moment) -> Result<RootCertStore, Problem> {
    let mut roots = RootCertStore::empty();
    let mut trouble = Ok(());
    for der in certificates(pem)? {
        let certificate = Certificate::read(&der).ok_or(Problem::NotACertificate)?;
        match certificate.check_time(now) {
            Ok(()) => roots.add(der).map_err(|error| Problem::Unusable(error.to_string()))?,
            Err(problem) => trouble = Err(problem),
        }
    }
    if roots.is_empty() { trouble.map(|()| roots) } else { Ok(roots) }
}

/// What others will find of the certificate, found first: for a server that is dialled as for one that dials.
fn vouched(
    chain: &[CertificateDer<'static>],
    roots: &Arc<RootCertStore>,
    provider: &Arc<CryptoProvider>,
    now: Moment,
) -> Result<(), Problem> {
    let Some((own, between)) = chain.split_first() else { return Err(Problem::NotPem("certificate")) };
    let refused = |error: rustls::Error| Problem::NotVouched(error::words(&error));
    verifier::verify_server(own, between, roots, provider, now.into()).map_err(refused)?;
    let clients = client_verifier(Arc::clone(roots), provider).map_err(refused)?;
    clients.verify_client_cert(own, between, now.into()).map(drop).map_err(refused)
}

fn client_verifier(
    roots: Arc<RootCertStore>,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<dyn ClientCertVerifier>, rustls::Error> {
    WebPkiClientVerifier::builder_with_provider(roots, Arc::clone(provider))
        .build()
        .map_err(|error| rustls::Error::General(error.to_string()))
}

fn for_clients(provider: &Arc<CryptoProvider>, key: &Arc<CertifiedKey>) -> Result<Arc<ServerConfig>, rustls::Error> {
    let config = ServerConfig::builder_with_details(Arc::clone(provider), Arc::new(Clock))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(SingleCertAndKey::from(Arc::clone(key))));
    Ok(Arc::new(config))
}

fn for_peers(
    herd: &str,
    provider: &Arc<CryptoProvider>,
    key: &Arc<CertifiedKey>,
    roots: Arc<RootCertStore>,
) -> Result<Peers, rustls::Error> {
    let mut acceptor = ServerConfig::builder_with_details(Arc::clone(provider), Arc::new(Clock))
        .with_safe_default_protocol_versions()?
        .with_client_cert_verifier(client_verifier(Arc::clone(&roots), provider)?)
        .with_cert_resolver(Arc::new(SingleCertAndKey::from(Arc::clone(key))));
    acceptor.session_storage = Arc::new(NoServerSessionStorage {});
    acceptor.send_tls13_tickets = 0;
    let nobody = PeerVerifier::new(Arc::clone(&roots), Arc::clone(provider), String::new());
    let mut dialler = ClientConfig::builder_with_details(Arc::clone(provider), Arc::new(Clock))
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(nobody))
        .with_client_cert_resolver(Arc::new(SingleCertAndKey::from(Arc::clone(key))));
    dialler.resumption = Resumption::disabled();
    // The name that counts is none of DNS.
    dialler.enable_sni = false;
    Ok(Peers { herd: herd.to_owned(), acceptor: Arc::new(acceptor), dialler, roots })
}

/// Why a handshake came to nothing, for people.
pub(crate) fn words(error: &std::io::Error) -> String {
    match error.get_ref().and_then(|source| source.downcast_ref::<rustls::Error>()) {
        Some(error) => error::words(error),
        None if error.kind() == std::io::ErrorKind::UnexpectedEof => {
            "the connection ended during the handshake".to_owned()
        }
        None => error.to_string(),
    }
}
