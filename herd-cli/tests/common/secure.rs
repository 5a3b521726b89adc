//! Real servers that speak TLS, and their CA.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use herd_node::config::TlsConfig;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, SanType};

use super::servers::{Servers, default_herd};

/// A herd whose servers' certificates are for 127.0.0.1, and its CA: `tls/ca.pem` in a directory. `tls/other.pem` is another's.
pub(crate) struct Secure {
    pub(crate) servers: Servers,
    directory: tempfile::TempDir,
}

/// A CA, PEM, and what signs for it.
pub(crate) fn ca() -> (String, Issuer<'static, KeyPair>) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let pem = params.self_signed(&key).unwrap().pem();
    (pem, Issuer::new(params, key))
}

fn write_private(path: &Path, text: &str) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}

impl Secure {
    pub(crate) fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        std::fs::create_dir(directory.path().join("tls")).unwrap();
        let file = |name: &str| directory.path().join("tls").join(name);
        let (pem, issuer) = ca();
        std::fs::write(file("ca.pem"), pem).unwrap();
        std::fs::write(file("other.pem"), ca().0).unwrap();
        let mut config = default_herd();
        for server in &config.servers {
            let (name, key) = (&server.name, KeyPair::generate().unwrap());
            let mut params = CertificateParams::default();
            params.subject_alt_names = vec![
                SanType::URI(format!("herd:ucla/{name}").try_into().unwrap()),
                SanType::DnsName(name.to_lowercase().try_into().unwrap()),
                SanType::IpAddress("127.0.0.1".parse().unwrap()),
            ];
            std::fs::write(file(&format!("{name}.pem")), params.signed_by(&key, &issuer).unwrap().pem()).unwrap();
            write_private(&file(&format!("{name}.key")), &key.serialize_pem());
        }
        let mut tls = TlsConfig::new(file("{name}.pem"), file("{name}.key"), file("ca.pem"));
        tls.clients = true;
        config.tls = Some(tls);
        Self { servers: Servers::start(config), directory }
    }

    pub(crate) fn directory(&self) -> &Path {
        self.directory.path()
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.directory.path().join("tls").join(name)
    }

    pub(crate) fn address(&self, name: &str) -> SocketAddr {
        self.servers.find(name).clients
    }
}
