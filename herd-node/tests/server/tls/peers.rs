//! Servers over TLS.

use std::sync::Arc;
use std::time::Duration;

use herd_node::config::Config;
use herd_node::net::Reason;
use herd_node::replica::Replica;
use herd_node::secret::Secret;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::authority::{Authority, Pair, Wanted, secured, tls_in};
use super::talk::{SecureClient, dial, names, trusting};
use crate::support::herd::{SECRET, index, journal_in};
use crate::support::peer::{auth_line, hello, hello_line};
use crate::support::{Client, TestHerd, file_with, herd, soon};

/// Five servers whose certificates are their only proof.
fn five(directory: &tempfile::TempDir, authority: &Authority) -> Config {
    let mut config = secured(herd::default_herd(), directory.path());
    authority.equip(directory.path(), names(&config).iter().map(String::as_str));
    config.secrets.clear();
    config
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_herd_of_five_converges_and_takes_one_back() {
    let (directory, authority) = (tempfile::tempdir().unwrap(), Authority::new());
    let mut herd = TestHerd::linked(five(&directory, &authority)).await;
    let mut riley = SecureClient::connect(&herd, "Riley", &authority).await;
    let told = riley.post("kiwi", "+34-118", "1621464827").await;
    herd.wait_known("kiwi", &told).await;
    herd.kill("Juzang").await;
    herd.wait_link("Riley", "Juzang", false).await;
    let told = riley.post("kiwi", "+34-119", "1621464828").await;
    herd.wait_known("kiwi", &told).await;
    herd.revive("Juzang").await;
    herd.wait_linked().await;
    herd.wait_known("kiwi", &told).await;
    herd.stop_all().await;
}

/// More than fits into the buffers of a link, both ways at once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_records_go_over() {
    let (directory, authority) = (tempfile::tempdir().unwrap(), Authority::new());
    let herd = TestHerd::linked(five(&directory, &authority)).await;
    let mut clients = Vec::new();
    for name in ["Riley", "Campbell"] {
        let mut client = SecureClient::connect(&herd, name, &authority).await;
        let id = "x".repeat(1_000);
        let lines: String = (0..1_500).map(|number| format!("IAMAT {name}{number}{id} +1+2 3\n")).collect();
        client.send(lines).await;
        clients.push(client);
    }
    for client in &mut clients {
        for _ in 0..1_500 {
            assert!(client.text().await.starts_with("AT "));
        }
    }
    for handle in herd.handles() {
        soon("all records", handle.wait_until(|replica: &Replica| replica.records().count() == 3_000)).await;
    }
}

/// Riley, who knows of Jaquez and Juzang; neither of them runs.
struct Door {
    directory: tempfile::TempDir,
    authority: Authority,
    herd: TestHerd,
}

impl Door {
    async fn new() -> Self {
        let (directory, authority) = (tempfile::tempdir().unwrap(), Authority::new());
        authority.equip(directory.path(), ["Riley"]);
        let mut config = herd::default_herd();
        config.tls = Some(tls_in(directory.path()));
        config.servers.truncate(1);
        config.limits.handshake = Duration::from_millis(500);
        config.journal = journal_in(&directory);
        Self { herd: TestHerd::start(config).await, directory, authority }
    }

    /// Comes as the owner of this certificate, and says nothing yet.
    async fn come(&self, own: Option<&Pair>) -> std::io::Result<SecureClient> {
        dial(self.herd.peer_address("Riley"), trusting(&self.authority, own)).await
    }

    /// Is not let in: the journal says `why`, which counts as `reason`.
    async fn shut(&self, own: Option<&Pair>, reason: Reason, why: &str) {
        let before = self.herd.handle("Riley").refused(reason);
        // With TLS 1.3 a client is through before the server has looked at its certificate.
        if let Ok(mut client) = self.come(own).await {
            let mut rest = Vec::new();
            let _ = soon("the end", client.stream.read_to_end(&mut rest)).await;
            assert_eq!(String::from_utf8_lossy(&rest), "");
        }
        self.journal(why).await;
        assert_eq!(self.herd.handle("Riley").refused(reason), before + 1, "{why}");
    }

    async fn journal(&self, what: &str) {
        let path = self.directory.path().join("Riley.log");
        file_with(&path, what, |journal| journal.lines().any(|line| line.contains(what))).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn strangers_are_not_let_in() {
    let door = Door::new().await;
    let jaquez = Wanted::server("Jaquez");
    let tls = Reason::TlsHandshake;
    door.shut(None, tls, " TLS: no certificate was shown").await;
    door.shut(Some(&Authority::new().issue(&jaquez)), tls, " TLS: the certificate is of another CA").await;
    let expired = door.authority.issue(&Wanted { days: (-3, -1), ..jaquez.clone() });
    door.shut(Some(&expired), tls, " TLS: the certificate has expired").await;
    let early = door.authority.issue(&Wanted { days: (2, 3), ..jaquez.clone() });
    door.shut(Some(&early), tls, " TLS: the certificate is not valid yet").await;
    let uses = vec![rcgen::ExtendedKeyUsagePurpose::ServerAuth];
    let server_only = door.authority.issue(&Wanted { uses, ..jaquez.clone() });
    door.shut(Some(&server_only), tls, " TLS: the certificate is not meant for this use").await;
    // Of the CA, but of no server of this herd.
    for uri in ["herd:usc/Jaquez", "herd:ucla/", "herd:ucla", "herd:ucla/.x", "https://ucla/Jaquez"] {
        let wanted = Wanted { uris: vec![uri.to_owned()], ..jaquez.clone() };
        let why = " TLS: the certificate is of no server of herd ucla";
        door.shut(Some(&door.authority.issue(&wanted)), Reason::CertificateName, why).await;
    }
    door.herd.handle("Riley").look(|replica| assert_eq!(replica.link_count(), 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hello_has_to_say_what_the_certificate_says() {
    let door = Door::new().await;
    let juzang = door.authority.issue(&Wanted::server("Juzang"));
    let mut client = door.come(Some(&juzang)).await.unwrap();
    // It even knows the secret.
    client.send(hello_line(&hello("ucla", "Jaquez", "Riley"))).await;
    assert_eq!(client.rest().await, "ERR wrong-name the certificate is of Juzang, not of Jaquez\n");
    door.journal("accepted, wrong-name: the certificate is of Juzang, not of Jaquez").await;
    let riley = door.herd.handle("Riley");
    assert_eq!([riley.refused(Reason::CertificateName), riley.refused(Reason::PeerRefused)], [1, 0]);
    // Names of servers are told apart by case.
    let lower = door.authority.issue(&Wanted::server("jaquez"));
    let mut client = door.come(Some(&lower)).await.unwrap();
    client.send(hello_line(&hello("ucla", "Jaquez", "Riley"))).await;
    assert_eq!(client.rest().await, "ERR wrong-name the certificate is of jaquez, not of Jaquez\n");
    // One certificate may be of several servers.
    let both =
        Wanted { uris: ["Jaquez", "Juzang"].map(|name| format!("herd:ucla/{name}")).into(), ..Wanted::server("x") };
    let mut client = door.come(Some(&door.authority.issue(&both))).await.unwrap();
    client.send(hello_line(&hello("ucla", "Jaquez", "Riley"))).await;
    assert!(client.text().await.starts_with("HELLO herd/1 ucla Riley Jaquez "));
}

/// A certificate does not stand for the secret where there is one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_secret_is_asked_for_as_well() {
    let door = Door::new().await;
    let jaquez = door.authority.issue(&Wanted::server("Jaquez"));
    let ours = hello("ucla", "Jaquez", "Riley");
    for (secret, expected) in [(&b"another secret of thirty-two bytes"[..], "ERR bad-auth "), (SECRET, "AUTH ")] {
        let mut client = door.come(Some(&jaquez)).await.unwrap();
        client.send(hello_line(&ours)).await;
        let theirs = match herd_proto::PeerMessage::parse(client.text().await.into_bytes()).unwrap() {
            herd_proto::PeerMessage::Hello(theirs) => theirs,
            other => panic!("{other:?}"),
        };
        client.send(auth_line(secret, &ours, &theirs)).await;
        let reply = client.text().await;
        assert!(reply.starts_with(expected), "{reply}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plain_hello_is_refused() {
    let door = Door::new().await;
    let mut client = Client::connect(door.herd.peer_address("Riley")).await;
    client.send(hello_line(&hello("ucla", "Jaquez", "Riley"))).await;
    let rest = client.rest().await;
    assert!(rest.starts_with(&[0x15, 0x03]) && rest.len() == 7, "{rest:?}");
    door.journal(" TLS: what came is not TLS").await;
    assert_eq!(door.herd.handle("Riley").refused(Reason::TlsHandshake), 1);
}

/// Who is slow at it is given up, and so many at once and no more are waited for.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn handshakes_have_a_time_and_a_number() {
    let (directory, authority) = (tempfile::tempdir().unwrap(), Authority::new());
    authority.equip(directory.path(), ["Riley"]);
    let mut config = herd::default_herd();
    config.tls = Some(tls_in(directory.path()));
    config.servers.truncate(1);
    config.limits.handshake = Duration::from_millis(500);
    config.limits.unproven_max = 2;
    let herd = TestHerd::start(config).await;
    let riley = herd.handle("Riley");
    let mut silent = Vec::new();
    for _ in 0..3 {
        silent.push(Client::connect(herd.peer_address("Riley")).await);
    }
    for client in &mut silent {
        assert!(client.rest().await.is_empty());
    }
    soon("the count", async {
        while riley.refused(Reason::TlsHandshake) < 2 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert_eq!([riley.refused(Reason::TlsHandshake), riley.refused(Reason::UnprovenFull)], [2, 1]);
    // Their places are free again.
    let jaquez = authority.issue(&Wanted::server("Jaquez"));
    let mut client = dial(herd.peer_address("Riley"), trusting(&authority, Some(&jaquez))).await.unwrap();
    client.send(hello_line(&hello("ucla", "Jaquez", "Riley"))).await;
    assert!(client.text().await.starts_with("HELLO "));
}

/// Somebody who answers at a peer's address with a certificate, and keeps what is said.
async fn impostor(
    own: &Pair,
    authority: &Authority,
) -> (std::net::SocketAddr, tokio::sync::mpsc::UnboundedReceiver<Vec<u8>>) {
    let chain = CertificateDer::pem_slice_iter(own.certificate.as_bytes()).map(Result::unwrap).collect();
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(authority.pem.as_bytes()).unwrap()).unwrap();
    let config = rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, PrivateKeyDer::from_pem_slice(own.key.as_bytes()).unwrap())
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (said, heard) = tokio::sync::mpsc::unbounded_channel();
    tokio::spawn(async move {
        let acceptor = TlsAcceptor::from(Arc::new(config));
        while let Ok((tcp, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(tcp).await else { continue };
            let mut some = vec![0; 1_000];
            let count = stream.read(&mut some).await.unwrap_or_default();
            if count > 0 && said.send(some[..count].to_vec()).is_err() {
                return;
            }
        }
    });
    (address, heard)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_dialled_has_to_be_who_was_meant() {
    let (directory, authority) = (tempfile::tempdir().unwrap(), Authority::new());
    authority.equip(directory.path(), ["Riley"]);
    let cases = [
        (authority.issue(&Wanted::server("Juzang")), "TLS: the certificate is not that of herd:ucla/Jaquez"),
        (Authority::new().issue(&Wanted::server("Jaquez")), "TLS: the certificate is of another CA"),
        (authority.issue(&Wanted { days: (-2, -1), ..Wanted::server("Jaquez") }), "TLS: the certificate has expired"),
    ];
    for (own, why) in cases {
        let (address, mut heard) = impostor(&own, &authority).await;
        let mut config = herd::default_herd();
        config.tls = Some(tls_in(directory.path()));
        config.servers.truncate(1);
        config.servers[0].peers.retain(|peer| peer.name == "Jaquez");
        config.servers[0].peers[0].dial = address;
        let journal = tempfile::tempdir().unwrap();
        config.journal = journal_in(&journal);
        let herd = TestHerd::start(config).await;
        let path = journal.path().join("Riley.log");
        let text = file_with(&path, why, |journal| journal.contains(why)).await;
        assert!(text.contains(&format!("Jaquez at {address}, {why}\n")), "{text}");
        assert!(herd.handle("Riley").refused(Reason::TlsHandshake) > 0);
        assert!(heard.try_recv().is_err(), "not even HELLO");
        herd.handle("Riley").look(|replica| assert!(!replica.has_link(index(replica, "Jaquez"))));
    }
}

/// Peers at addresses that others can reach need a proof, and certificates are one.
#[tokio::test]
async fn certificates_are_proof_enough_for_any_address() {
    use herd_node::server::{BindError, Server};
    let (directory, authority) = (tempfile::tempdir().unwrap(), Authority::new());
    authority.equip(directory.path(), ["Riley"]);
    let mut config = herd::riley();
    config.secrets.clear();
    config.servers[0].peer = "0.0.0.0:0".parse().unwrap();
    assert!(matches!(Server::bind(&config, "Riley").await, Err(BindError::NoSecret { .. })));
    let mut tls = tls_in(directory.path());
    config.tls = Some(tls.clone());
    Server::bind(&config, "Riley").await.unwrap();
    (tls.clients, tls.peers) = (true, false);
    config.tls = Some(tls);
    assert!(matches!(Server::bind(&config, "Riley").await, Err(BindError::NoSecret { .. })));
    config.secrets = vec![Secret::new(SECRET)];
    Server::bind(&config, "Riley").await.unwrap();
    config.tls = Some(tls_in(&directory.path().join("elsewhere")));
    let error = Server::bind(&config, "Riley").await.unwrap_err();
    assert!(matches!(error, BindError::Tls(_)), "{error:?}");
}
