//! A certificate as far as a herd is concerned: whose it is, and until when.

use std::net::IpAddr;

use herd_proto::ServerName;
use rustls::pki_types::CertificateDer;
use webpki::EndEntityCert;

use super::der::{self, Name};
use super::{Moment, Problem};

/// What begins the URI that says whose a certificate is.
const SCHEME: &str = "herd:";

/// The URI of server `name` of herd `herd`: `herd:ucla/Riley`.
pub fn server_uri(herd: &str, name: &str) -> String {
    format!("{SCHEME}{herd}/{name}")
}

/// The servers of herd `herd` whose certificate this is: one, most often. None if it can't be read.
pub fn servers_of(herd: &str, certificate: &CertificateDer<'_>) -> Vec<String> {
    let Ok(certificate) = EndEntityCert::try_from(certificate) else { return Vec::new() };
    let of_herd = |uri: &str| {
        let name = uri.strip_prefix(SCHEME)?.strip_prefix(herd)?.strip_prefix('/')?;
        ServerName::new(name).ok().map(|name| name.as_str().to_owned())
    };
    certificate.valid_uri_names().filter_map(of_herd).collect()
}

/// What is to be shown of a certificate. Nothing here was verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// URIs among its names.
    pub uris: Vec<String>,
    /// Names of hosts.
    pub hosts: Vec<String>,
    /// Addresses.
    pub addresses: Vec<IpAddr>,
    /// The moment from which it is good.
    pub not_before: Moment,
    /// The last moment at which it is good.
    pub not_after: Moment,
}

impl Certificate {
    /// Reads a certificate; `None` if it is none.
    pub fn read(certificate: &CertificateDer<'_>) -> Option<Self> {
        // The one that decides is asked first: what it can't read is none.
        EndEntityCert::try_from(certificate).ok()?;
        let read = der::certificate(certificate)?;
        let mut shown = Self {
            uris: Vec::new(),
            hosts: Vec::new(),
            addresses: Vec::new(),
            not_before: read.not_before,
            not_after: read.not_after,
        };
        for name in read.names {
            match name {
                Name::Uri(uri) => shown.uris.push(uri.to_owned()),
                Name::Host(host) => shown.hosts.push(host.to_owned()),
                Name::Address(address) => shown.addresses.push(address),
            }
        }
        Some(shown)
    }

    /// All names, as text, URIs first.
    pub fn names(&self) -> Vec<String> {
        let addresses = self.addresses.iter().map(IpAddr::to_string);
        self.uris.iter().chain(&self.hosts).cloned().chain(addresses).collect()
    }

    /// The herd whose CA this says it is: of the URI `herd:ucla`.
    pub fn herd(&self) -> Option<&str> {
        self.uris.iter().filter_map(|uri| uri.strip_prefix(SCHEME)).find(|herd| ServerName::new(*herd).is_ok())
    }

    pub(super) fn check_time(&self, now: Moment) -> Result<(), Problem> {
        if now < self.not_before {
            return Err(Problem::NotYet(self.not_before));
        }
        if now > self.not_after { Err(Problem::Expired(self.not_after)) } else { Ok(()) }
    }
}
