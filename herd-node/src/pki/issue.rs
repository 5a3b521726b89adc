//! Making a CA, and certificates that it signs.

use std::path::Path;
use std::time::Duration;

use herd_node::tls::{Certificate, Files, Moment, Tls, TlsError, Uses, server_uri};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, SanType, string::Ia5String,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, DnsName};

use super::files::{self, Wanted};
use super::{Host, Init, Issue};
use crate::command::Failure;
use crate::run::say;

const DAY: u64 = 86_400;
/// Certificates are good from a while ago: clocks of servers differ.
const BACK: u64 = 3_600;

pub(super) fn init(Init { common, herd, days }: &Init) -> Result<(), Failure> {
    let (certificate, key) = (common.directory.join("ca.pem"), common.directory.join("ca.key"));
    let pair = KeyPair::generate().map_err(unmade)?;
    let mut params = authority(herd)?;
    let until = Moment(Moment::now().0 + u64::from(*days) * DAY);
    set_validity(&mut params, until);
    let made = params.self_signed(&pair).map_err(unmade)?;
    make_directory(&common.directory)?;
    let files = [
        Wanted { path: key.clone(), text: pair.serialize_pem(), is_secret: true },
        Wanted { path: certificate.clone(), text: made.pem(), is_secret: false },
    ];
    files::write_all(&files, common.force)?;
    say(&format!("{}: the CA of herd {herd:?}, until {until}; for every server and client", certificate.display()));
    say(&format!("{}: its private key; keep it to yourself: who has it can make servers of this herd", key.display()));
    say("next, for each server: herd-node pki issue NAME --address WHERE-CLIENTS-REACH-IT");
    Ok(())
}

pub(super) fn issue(Issue { name, common, addresses, days }: &Issue) -> Result<(), Failure> {
    let directory = &common.directory;
    let (ca_path, ca_key_path) = (directory.join("ca.pem"), directory.join("ca.key"));
    let ca_pem = files::read(&ca_path)?;
    let ca = read_authority(&ca_pem, &ca_path)?;
    let herd = ca.herd().unwrap_or_default();
    let issuer = issuer(herd, &ca_key_path)?;
    let wanted = Moment(Moment::now().0 + u64::from(*days) * DAY);
    let until = wanted.min(ca.not_after);
    let pair = KeyPair::generate().map_err(unmade)?;
    let params = server(herd, name, addresses, until)?;
    let made = params.signed_by(&pair, &issuer).map_err(unmade)?;
    let (certificate, key) = (made.pem(), pair.serialize_pem());
    check(herd, name, &certificate, &key, &ca_pem).map_err(|error| {
        Failure::running(format!(
            "{} and {} are no pair of this program's: {error}",
            ca_path.display(),
            ca_key_path.display()
        ))
    })?;
    let (certificate_path, key_path) =
        (directory.join(format!("{name}.cert.pem")), directory.join(format!("{name}.key.pem")));
    let files = [
        Wanted { path: key_path.clone(), text: key, is_secret: true },
        Wanted { path: certificate_path.clone(), text: certificate, is_secret: false },
    ];
    files::write_all(&files, common.force)?;
    let capped = if until < wanted { ", when the CA ends" } else { "" };
    say(&format!("{}: of server {name} of herd {herd:?}, until {until}{capped}", certificate_path.display()));
    say(&format!("{}: its private key, for that server alone", key_path.display()));
    say(&known_as(name, addresses));
    say_configuration(directory);
    Ok(())
}

fn say_configuration(directory: &Path) {
    let at = directory.display();
    say("the configuration says, with paths from where its file is:");
    say("  [tls]");
    say(&format!("  certificate = \"{at}/{{name}}.cert.pem\""));
    say(&format!("  key         = \"{at}/{{name}}.key.pem\""));
    say(&format!("  ca          = \"{at}/ca.pem\""));
    say("  clients     = true    # without this line only servers speak TLS");
}

/// What the CA of `herd` says of itself. Always the same: it is made again when something is to be signed.
fn authority(herd: &str) -> Result<CertificateParams, Failure> {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.distinguished_name = name_of(herd, "CA");
    params.subject_alt_names = vec![SanType::URI(ascii(&format!("herd:{herd}"))?)];
    Ok(params)
}

fn server(herd: &str, name: &str, addresses: &[Host], until: Moment) -> Result<CertificateParams, Failure> {
    let mut params = CertificateParams::default();
    params.distinguished_name = name_of(herd, name);
    params.subject_alt_names = vec![SanType::URI(ascii(&server_uri(herd, name))?)];
    if let Some(host) = host_name(name) {
        params.subject_alt_names.push(SanType::DnsName(ascii(&host)?));
    }
    for address in addresses {
        params.subject_alt_names.push(match address {
            Host::Address(address) => SanType::IpAddress(*address),
            Host::Name(host) => SanType::DnsName(ascii(host)?),
        });
    }
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    // It is dialled, and dials.
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
    params.use_authority_key_identifier_extension = true;
    set_validity(&mut params, until);
    Ok(params)
}

/// For people, who look at certificates with other programs. Each part may have 64 characters, and no name of ours has more.
fn name_of(herd: &str, name: &str) -> DistinguishedName {
    let mut whole = DistinguishedName::new();
    whole.push(DnType::OrganizationName, herd);
    whole.push(DnType::CommonName, name);
    whole
}

/// The server's name as one of a host, in lower case, for clients that know it by that. Not every name can be one.
fn host_name(name: &str) -> Option<String> {
    let lower = name.to_ascii_lowercase();
    (lower.parse::<std::net::IpAddr>().is_err() && DnsName::try_from(lower.as_str()).is_ok()).then_some(lower)
}

fn known_as(name: &str, addresses: &[Host]) -> String {
    let own = host_name(name).map(|host| format!("{host}, with herd-cli --tls-name {host}"));
    let others = addresses.iter().map(|address| match address {
        Host::Address(address) => address.to_string(),
        Host::Name(host) => host.clone(),
    });
    let all: Vec<String> = others.chain(own).collect();
    if all.is_empty() {
        return "clients can't make sure of it: that needs an --address".to_owned();
    }
    format!("clients make sure of it by {}", all.join("; "))
}

fn set_validity(params: &mut CertificateParams, until: Moment) {
    let epoch = rcgen::date_time_ymd(1970, 1, 1);
    params.not_before = epoch + Duration::from_secs(Moment::now().0.saturating_sub(BACK));
    params.not_after = epoch + Duration::from_secs(until.0);
}

fn ascii(text: &str) -> Result<Ia5String, Failure> {
    text.try_into().map_err(unmade)
}

fn read_authority(pem: &[u8], path: &Path) -> Result<Certificate, Failure> {
    let wrong = |what: &str| Failure::running(format!("{}: {what}", path.display()));
    let der = CertificateDer::from_pem_slice(pem).map_err(|_| wrong("holds no certificate in PEM"))?;
    let ca = Certificate::read(&der).ok_or_else(|| wrong("holds a certificate that cannot be read"))?;
    if ca.herd().is_none() {
        return Err(wrong("is no CA of `herd-node pki init`: no URI herd:NAME is among its names"));
    }
    if Moment::now() > ca.not_after {
        return Err(wrong(&format!("expired at {}", ca.not_after)));
    }
    Ok(ca)
}

fn issuer(herd: &str, key_path: &Path) -> Result<Issuer<'static, KeyPair>, Failure> {
    let pem = files::read(key_path)?;
    let pair = str::from_utf8(&pem).ok().and_then(|pem| KeyPair::from_pem(pem).ok());
    let pair = pair.ok_or_else(|| Failure::running(format!("{}: holds no private key in PEM", key_path.display())))?;
    Ok(Issuer::new(authority(herd)?, pair))
}

/// What the server will find when it reads them.
fn check(herd: &str, name: &str, certificate: &str, key: &str, ca: &[u8]) -> Result<(), TlsError> {
    let files = Files { certificate: certificate.as_bytes(), key: key.as_bytes(), ca: Some(ca) };
    Tls::new(herd, name, &files, Uses { clients: true, peers: true }).map(drop)
}

fn make_directory(directory: &Path) -> Result<(), Failure> {
    std::fs::create_dir_all(directory).map_err(|error| Failure::running(format!("{}: {error}", directory.display())))
}

#[allow(clippy::needless_pass_by_value, reason = "for map_err")]
fn unmade(error: rcgen::Error) -> Failure {
    Failure::running(format!("a certificate can't be made: {error}"))
}
