//! The library's examples and the one in its README, compiled and run.

mod common;

#[allow(dead_code, reason = "its main is for people")]
#[path = "../examples/nearby.rs"]
mod nearby;
#[allow(dead_code, reason = "its main is for people")]
#[path = "../examples/track.rs"]
mod track;

use std::time::Duration;

use common::fake::{Deed, Fake};
use common::{answering_all, pair};
use herd_cli::Client;

#[test]
fn a_tracker_outlives_its_server() {
    let [mut riley, jaquez] = pair::start();
    let servers = || Client::builder().server(riley.clients).server(jaquez.clients);
    let (before, after) = (servers(), servers());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(track::track(before, 5, Duration::ZERO)).unwrap();
    riley.kill();
    runtime.block_on(track::track(after, 5, Duration::ZERO)).unwrap();
    // The last step is the newest there.
    let position = jaquez.handle.look(|replica| replica.find(b"tracker.example").map(<[u8]>::to_vec)).unwrap();
    let position = String::from_utf8(position).unwrap();
    assert!(position.starts_with("Jaquez ") && position.contains(" tracker.example +34.0603"), "{position}");
}

#[tokio::test]
async fn a_tracker_passes_over_what_can_not_be_said() {
    let server = Fake::new([Deed::Close]);
    let client = Client::builder().server(server.address).attempts_max(1);
    track::track(client, 3, Duration::ZERO).await.unwrap();
}

#[tokio::test]
async fn nearby_asks_for_all_at_once() {
    let mut client = Client::connect(&answering_all(common::reply).to_string()).await.unwrap();
    let ids = ["kiwi", "nobody", "kiwi"].map(str::to_owned);
    nearby::nearby(&mut client, &ids).await.unwrap();
    assert_eq!(client.unanswered(), 0);
    let rubbish = Fake::new([Deed::Says(b"hello\n".to_vec())]);
    let mut client = Client::connect(&rubbish.address.to_string()).await.unwrap();
    let error = nearby::nearby(&mut client, &ids).await.unwrap_err().to_string();
    assert!(error.starts_with("not what was asked for: "), "{error}");
}

/// That one is compiled with the library's documentation.
#[test]
fn the_readme_shows_the_example_of_the_front_page() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/");
    let read = |file: &str| std::fs::read_to_string(format!("{root}{file}")).unwrap();
    let block = |text: &str, fence: &str| text.split(fence).nth(1).unwrap().split("```").next().unwrap().to_owned();
    let front = read("src/lib.rs")
        .lines()
        .filter_map(|line| line.strip_prefix("//!"))
        .fold(String::new(), |all, line| all + line.strip_prefix(' ').unwrap_or(line) + "\n");
    let shown: String = block(&front, "```no_run\n")
        .lines()
        .filter(|line| !line.starts_with("# "))
        .fold(String::new(), |all, line| all + line + "\n");
    assert_eq!(block(&read("README.md"), "```rust\n"), shown);
}
