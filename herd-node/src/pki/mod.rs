//! `herd-node pki`: a CA for a herd, certificates for its servers, and what stands in one.
//!
//! A herd's CA vouches for nothing else, and all that it signs says whose it is as [`herd_node::tls`] wants it. Private keys are made
//! on this machine, come into being readable by nobody else, and are never shown.

mod files;
mod issue;

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use herd_node::tls::{Certificate, Moment};
use herd_proto::{Escaped, ServerName};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, DnsName};

use crate::command::Failure;
use crate::run::say;

/// How long a CA lasts, unless told otherwise: ten years.
const CA_DAYS: u32 = 3_650;
/// How long a server's certificate lasts, unless told otherwise.
const SERVER_DAYS: u32 = 365;
/// Nothing lasts longer than a hundred years.
const DAYS_MAX: u32 = 36_500;

#[derive(Debug, Subcommand)]
pub(crate) enum Pki {
    /// Make the CA of a herd: ca.pem for every server and client, ca.key for nobody.
    Init(Init),
    /// Make a server's certificate and its private key: NAME.cert.pem and NAME.key.pem.
    Issue(Issue),
    /// Show whose certificates are in a file, and until when.
    Show {
        /// The file, PEM.
        file: PathBuf,
    },
}

#[derive(Args, Debug)]
pub(crate) struct Init {
    #[command(flatten)]
    common: Common,
    /// The herd's name.
    #[arg(long, value_name = "NAME", default_value = herd_proto::herd::DEFAULT_NAME, value_parser = server_name)]
    herd: String,
    /// For how many days the CA is good.
    #[arg(long, default_value_t = CA_DAYS, value_parser = clap::value_parser!(u32).range(1..=i64::from(DAYS_MAX)))]
    days: u32,
}

#[derive(Args, Debug)]
pub(crate) struct Issue {
    /// The server's name.
    #[arg(value_parser = server_name)]
    name: String,
    #[command(flatten)]
    common: Common,
    /// Where clients reach it: an IP address or a host's name, as they write it. As often as there are such.
    #[arg(long = "address", value_name = "IP|HOST", value_parser = host)]
    addresses: Vec<Host>,
    /// For how many days the certificate is good; never longer than the CA.
    #[arg(long, default_value_t = SERVER_DAYS, value_parser = clap::value_parser!(u32).range(1..=i64::from(DAYS_MAX)))]
    days: u32,
}

#[derive(Args, Debug)]
struct Common {
    /// Where the files are.
    #[arg(long, value_name = "DIR", default_value = "tls")]
    directory: PathBuf,
    /// Replace files that are there.
    #[arg(long)]
    force: bool,
}

/// What clients call a server.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Host {
    Address(IpAddr),
    Name(String),
}

fn server_name(text: &str) -> Result<String, &'static str> {
    let named = ServerName::new(text).map(|name| name.as_str().to_owned());
    named.map_err(|_| "1 to 64 of A-Z a-z 0-9 - _ . beginning with a letter or digit")
}

fn host(text: &str) -> Result<Host, &'static str> {
    match text.parse::<IpAddr>() {
        Ok(address) if address.is_unspecified() => Err("nobody reaches a server at the address that stands for all"),
        Ok(address) => Ok(Host::Address(address)),
        Err(_) if DnsName::try_from(text).is_ok() => Ok(Host::Name(text.to_owned())),
        Err(_) => Err("expected an IP address or a host's name, without a port"),
    }
}

pub(crate) fn perform(pki: &Pki) -> Result<(), Failure> {
    match pki {
        Pki::Init(init) => issue::init(init),
        Pki::Issue(issue) => issue::issue(issue),
        Pki::Show { file } => show(file),
    }
}

fn show(file: &Path) -> Result<(), Failure> {
    let pem = files::read(file)?;
    let certificates = CertificateDer::pem_slice_iter(&pem).collect::<Result<Vec<_>, _>>().unwrap_or_default();
    if certificates.is_empty() {
        return Err(Failure::running(format!("{}: holds no certificate in PEM", file.display())));
    }
    let now = Moment::now();
    for der in &certificates {
        let Some(certificate) = Certificate::read(der) else {
            return Err(Failure::running(format!("{}: holds a certificate that cannot be read", file.display())));
        };
        let names = match certificate.names() {
            names if names.is_empty() => "no name".to_owned(),
            names => names.join(", "),
        };
        let names = Escaped(names.as_bytes()).to_string();
        say(&format!("{names}; {}", validity(&certificate, now)));
    }
    Ok(())
}

fn validity(certificate: &Certificate, now: Moment) -> String {
    let Certificate { not_before, not_after, .. } = certificate;
    let days = not_after.seconds_since(now) / 86_400;
    if now < *not_before {
        format!("not valid before {not_before}, then until {not_after}")
    } else if now > *not_after {
        format!("expired at {not_after}")
    } else {
        format!("valid until {not_after}, {days} more {}", if days == 1 { "day" } else { "days" })
    }
}
