//! Other certificates and other CAs, while everything goes on.

use herd_node::net::Reason;
use herd_node::replica::{LinkStatus, Replica};
use herd_proto::PeerMessage;

use super::authority::{Authority, secured, tls_in};
use super::talk::{SecureClient, dial, names, trusting};
use crate::support::peer::{OPEN, auth_line, hello, hello_line};
use crate::support::{Client, TestHerd, herd, soon};

/// Which links there are, by number: another number is another link.
fn links(herd: &TestHerd) -> Vec<String> {
    let of = |replica: &Replica| {
        let now = herd_node::clock::monotonic();
        replica.links(now).map(|link: LinkStatus<'_>| format!("{:?}", link.link)).collect::<Vec<_>>()
    };
    herd.handles().flat_map(|handle| handle.look(of)).collect()
}

/// A herd changes its CA without losing a link: first all trust both, then each shows a certificate of the new one, then nobody
/// trusts the old one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_herd_changes_its_ca_and_keeps_its_links() {
    let (directory, old, new) = (tempfile::tempdir().unwrap(), Authority::new(), Authority::new());
    let config = secured(herd::default_herd(), directory.path());
    let names = names(&config);
    old.equip(directory.path(), names.iter().map(String::as_str));
    let herd = TestHerd::linked(config).await;
    let address = herd.settings("Riley").client;
    let mut before = SecureClient::connect(&herd, "Riley", &old).await;
    assert_eq!(before.ask("hello").await, "? hello");
    // Where both have dialled, one of the two links has to be given up first.
    for handle in herd.handles() {
        let peers = herd.settings(handle.name()).peers.len();
        soon("one link for each", handle.wait_until(|replica: &Replica| replica.link_count() == peers)).await;
    }
    let had = links(&herd);
    let reload = || {
        for handle in herd.handles() {
            handle.set_tls(herd.config.load_tls(handle.name()).unwrap());
        }
    };
    let ca = directory.path().join("ca.pem");
    std::fs::write(&ca, old.pem.clone() + &new.pem).unwrap();
    reload();
    new.equip(directory.path(), names.iter().map(String::as_str));
    std::fs::write(&ca, old.pem.clone() + &new.pem).unwrap();
    reload();
    // New connections see the new certificate, and those there are live on.
    let mut after = SecureClient::connect(&herd, "Riley", &new).await;
    assert!(dial(address, trusting(&old, None)).await.is_err());
    let told = after.post("kiwi", "+1+2", "3").await;
    herd.wait_known("kiwi", &told).await;
    assert_eq!(before.ask("WHATSAT kiwi 1 0").await, format!("AT {told}"));
    assert_eq!(links(&herd), had);
    std::fs::write(&ca, &new.pem).unwrap();
    reload();
    assert_eq!(links(&herd), had);
    // A server that comes back is met with what is there now.
    let mut herd = herd;
    herd.kill("Juzang").await;
    herd.wait_link("Bernard", "Juzang", false).await;
    herd.revive("Juzang").await;
    herd.wait_linked().await;
    herd.wait_known("kiwi", &told).await;
}

/// Who connected while a secret was the proof has no certificate to show, and what stands in for a secret is known to everybody.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_came_before_the_certificates_is_not_let_in_without_one() {
    let (directory, authority) = (tempfile::tempdir().unwrap(), Authority::new());
    let mut config = herd::default_herd();
    config.servers.truncate(1);
    config.limits.handshake = std::time::Duration::from_secs(60);
    authority.equip(directory.path(), ["Riley"]);
    let mut herd = TestHerd::start(config).await;
    let (mut stranger, ours) = (Client::connect(herd.peer_address("Riley")).await, hello("ucla", "Jaquez", "Riley"));
    stranger.send(hello_line(&ours)).await;
    let PeerMessage::Hello(theirs) = PeerMessage::parse(stranger.line().await).unwrap() else { panic!("no HELLO") };
    let changed = herd.reload("Riley", |config| {
        config.secrets.clear();
        config.tls = Some(tls_in(directory.path()));
    });
    assert!(!changed.await.unwrap().is_empty());
    stranger.send(auth_line(OPEN, &ours, &theirs)).await;
    let rest = String::from_utf8(stranger.rest().await).unwrap();
    assert_eq!(rest, "ERR bad-auth no certificate was shown, and there is no secret\n");
}

/// What can't be used changes nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mistake_leaves_everything_as_it_was() {
    let (directory, authority) = (tempfile::tempdir().unwrap(), Authority::new());
    let config = secured(herd::riley(), directory.path());
    authority.equip(directory.path(), ["Riley"]);
    let herd = TestHerd::start(config).await;
    std::fs::write(directory.path().join("Riley.cert.pem"), "nothing").unwrap();
    let error = herd.config.load_tls("Riley").unwrap_err().to_string();
    assert!(
        error.starts_with("configuration: tls.certificate: ") && error.ends_with("holds no certificate in PEM"),
        "{error}"
    );
    let mut client = SecureClient::connect(&herd, "Riley", &authority).await;
    assert_eq!(client.ask("hello").await, "? hello");
    let status = herd.handle("Riley").status().tls.unwrap();
    assert!(status.clients && status.peers && (80_000..=86_400).contains(&status.expires_in_s), "{status:?}");
    // TLS for clients can be given up, too; who is there stays.
    herd.handle("Riley").set_tls(None);
    let mut plain = herd.connect("Riley").await;
    assert_eq!(plain.ask("hello").await, "? hello");
    assert_eq!(soon("an answer", client.ask("still here")).await, "? still here");
    assert_eq!(herd.handle("Riley").refused(Reason::TlsHandshake), 0);
    assert!(herd.handle("Riley").status().tls.is_none());
}
