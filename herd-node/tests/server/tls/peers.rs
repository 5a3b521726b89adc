//! Servers over TLS.

use super::authority::{Authority, secured};
use super::talk::{SecureClient, names};
use crate::support::{TestHerd, herd};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_herd_of_five_converges_and_takes_one_back() {
    let (directory, authority) = (tempfile::tempdir().unwrap(), Authority::new());
    let mut config = secured(herd::default_herd(), directory.path());
    authority.equip(directory.path(), names(&config).iter().map(String::as_str));
    // The certificates are the only proof.
    config.secrets.clear();
    let mut herd = TestHerd::linked(config).await;
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
