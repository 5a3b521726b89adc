//! Clients over TLS.

use super::authority::{Authority, secured};
use super::talk::SecureClient;
use crate::support::{Client, TestHerd, herd};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_posts_and_asks() {
    let (directory, authority) = (tempfile::tempdir().unwrap(), Authority::new());
    authority.equip(directory.path(), ["Riley"]);
    let herd = TestHerd::start(secured(herd::riley(), directory.path())).await;
    let mut client = SecureClient::connect(&herd, "Riley", &authority).await;
    let told = client.post("kiwi", "+34-118", "1621464827").await;
    assert_eq!(client.ask("WHATSAT kiwi 1 0").await, format!("AT {told}"));
    while !client.text().await.is_empty() {}
    assert_eq!(client.ask("nonsense").await, "? nonsense");
    // Half-closed: what was sent is answered, the last line without an LF too (WIRE §1.1).
    client.send("WHATSAT nobody 1 0\nWHATSAT nowhere 1 0").await;
    client.finish().await;
    assert_eq!(client.rest().await, "? WHATSAT nobody 1 0\n? WHATSAT nowhere 1 0\n");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_in_plain_text_gets_an_alert_and_nothing_else() {
    let (directory, authority) = (tempfile::tempdir().unwrap(), Authority::new());
    authority.equip(directory.path(), ["Riley"]);
    let herd = TestHerd::start(secured(herd::riley(), directory.path())).await;
    let mut client: Client = herd.connect("Riley").await;
    client.send("IAMAT kiwi +34-118 1621464827\n").await;
    let rest = client.rest().await;
    // A fatal alert of TLS (RFC 8446, section 6).
    assert!(rest.starts_with(&[0x15, 0x03]) && rest.len() == 7 && rest[5] == 2, "{rest:?}");
    herd.handle("Riley").look(|replica| assert_eq!(replica.records().count(), 0));
}
