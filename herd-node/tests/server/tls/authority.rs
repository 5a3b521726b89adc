//! Certificates of all kinds, made for a test.

use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;

use herd_node::clock;
use herd_node::config::{Config, TlsConfig};
use rcgen::{BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, SanType};

const DAY: i64 = 86_400;

/// A CA.
pub(super) struct Authority {
    pub(super) pem: String,
    issuer: Issuer<'static, KeyPair>,
}

/// What a certificate is to say. From yesterday to tomorrow, for both ends of a connection, on loopback.
#[derive(Clone)]
pub(super) struct Wanted {
    pub(super) uris: Vec<String>,
    pub(super) days: (i64, i64),
    pub(super) uses: Vec<ExtendedKeyUsagePurpose>,
}

impl Wanted {
    pub(super) fn server(name: &str) -> Self {
        let uses = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        Self { uris: vec![format!("herd:ucla/{name}")], days: (-1, 1), uses }
    }
}

/// A certificate and its key, PEM.
pub(super) struct Pair {
    pub(super) certificate: String,
    pub(super) key: String,
}

impl Authority {
    pub(super) fn new() -> Self {
        Self::of_days(-1, 100)
    }

    pub(super) fn of_days(from: i64, to: i64) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, "a CA of a test");
        set_days(&mut params, (from, to));
        let pem = params.self_signed(&key).unwrap().pem();
        Self { pem, issuer: Issuer::new(params, key) }
    }

    pub(super) fn issue(&self, wanted: &Wanted) -> Pair {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        let uris = wanted.uris.iter().map(|uri| SanType::URI(uri.as_str().try_into().unwrap()));
        let loopback = SanType::IpAddress(IpAddr::from([127, 0, 0, 1]));
        params.subject_alt_names = uris.chain([loopback, SanType::DnsName("localhost".try_into().unwrap())]).collect();
        params.extended_key_usages.clone_from(&wanted.uses);
        set_days(&mut params, wanted.days);
        Pair { certificate: params.signed_by(&key, &self.issuer).unwrap().pem(), key: key.serialize_pem() }
    }

    /// Writes the CA and a certificate of each of these servers into `directory`.
    pub(super) fn equip<'a>(&self, directory: &Path, names: impl IntoIterator<Item = &'a str>) {
        std::fs::write(directory.join("ca.pem"), &self.pem).unwrap();
        for name in names {
            self.issue(&Wanted::server(name)).write(directory, name);
        }
    }
}

impl Pair {
    pub(super) fn write(&self, directory: &Path, name: &str) {
        std::fs::write(directory.join(format!("{name}.cert.pem")), &self.certificate).unwrap();
        write_private(&directory.join(format!("{name}.key.pem")), &self.key);
    }
}

pub(super) fn write_private(path: &Path, text: &str) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}

/// From so many days on until so many days on.
fn set_days(params: &mut CertificateParams, (from, to): (i64, i64)) {
    let seconds = |days: i64| Duration::from_secs(clock::posix().seconds().saturating_add_signed(days * DAY));
    let epoch = rcgen::date_time_ymd(1970, 1, 1);
    (params.not_before, params.not_after) = (epoch + seconds(from), epoch + seconds(to));
}

/// What `[tls]` says of the files in `directory`.
pub(super) fn tls_in(directory: &Path) -> TlsConfig {
    let file = |name: &str| directory.join(name);
    TlsConfig::new(file("{name}.cert.pem"), file("{name}.key.pem"), file("ca.pem"))
}

/// Has the servers of `config` speak TLS, with certificates in `directory`.
pub(super) fn secured(mut config: Config, directory: &Path) -> Config {
    let mut tls = tls_in(directory);
    tls.clients = true;
    config.tls = Some(tls);
    config
}
