//! Places, the journal, what replies promise, and the timing of links.

use std::time::Duration;

use herd_node::config::{Ack, Config};
use herd_node::disk;
use herd_node::journal;
use herd_node::places::{self, Backend};
use herd_node::replica::Replica;
use tokio::net::TcpListener;

use super::super::support::herd::{default_herd, journal_in, riley};
use super::super::support::mock::{Mock, one_place};
use super::super::support::peer::link;
use super::super::support::{Client, TestHerd, file_with, soon};

async fn near(client: &mut Client) -> String {
    client.send("WHATSAT kiwi 10 5\n").await;
    assert!(client.text().await.starts_with("AT Riley "));
    client.body().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn questions_under_way_end_with_the_places_they_began_with_and_the_budget_goes_on() {
    let (mut old, mut new) = (Mock::start().await, Mock::start().await);
    let mut config = riley();
    old.serve(&mut config);
    config.places.calls_per_day = Some(3);
    let mut herd = TestHerd::start(config).await;
    let (mut before, mut after) = (herd.connect("Riley").await, herd.connect("Riley").await);
    before.post("kiwi", "+34.06-118.44", "3").await;
    before.send("WHATSAT kiwi 10 5\n").await;
    let question = old.question().await;
    let url = new.url();
    herd.reload("Riley", |config| config.places.base_url = Some(url)).await.unwrap();
    after.send("WHATSAT kiwi 10 5\n").await;
    new.question().await.answer(&one_place("the new one"));
    assert!(after.text().await.starts_with("AT Riley "));
    assert!(after.body().await.contains("the new one"));
    question.answer(&one_place("the old one"));
    assert!(before.text().await.starts_with("AT Riley "));
    assert!(before.body().await.contains("the old one"));
    // Two calls of three are spent, and neither another key nor a while without Google brings them back.
    herd.reload("Riley", |config| config.places = places::Settings::default()).await.unwrap();
    assert!(near(&mut before).await.contains("\"OK\""));
    let next = |config: &mut Config| {
        new.serve(config);
        config.places.calls_per_day = Some(3);
        config.places.key = Some(herd_node::secret::Secret::new(*b"canary-key-another"));
    };
    herd.reload("Riley", next).await.unwrap();
    before.send("WHATSAT kiwi 10 5\n").await;
    let question = new.question().await;
    assert!(question.target.contains("canary-key-another"));
    question.answer(&one_place("the last one"));
    assert!(before.text().await.starts_with("AT Riley "));
    assert!(before.body().await.contains("the last one"));
    assert!(near(&mut before).await.contains("OVER_QUERY_LIMIT"));
    herd.reload("Riley", |config| config.places.calls_per_day = None).await.unwrap();
    before.send("WHATSAT kiwi 10 5\n").await;
    new.question().await.answer(&one_place("one more"));
    assert!(before.text().await.starts_with("AT Riley "));
    assert!(before.body().await.contains("one more"));
    herd.stop_all().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_breaker_that_is_open_closes_when_what_was_wrong_may_be_right() {
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let mut mock = Mock::start().await;
    let mut config = riley();
    mock.serve(&mut config);
    config.places.base_url = Some(format!("http://{nobody}/json"));
    (config.places.breaker_failures, config.places.breaker_pause) = (1, Duration::from_secs(3_600));
    config.places.deadline = Duration::from_secs(1);
    let mut herd = TestHerd::start(config).await;
    let mut client = herd.connect("Riley").await;
    client.post("kiwi", "+34.06-118.44", "3").await;
    assert!(near(&mut client).await.contains("UNKNOWN_ERROR"));
    let url = mock.url();
    let right =
        |config: &mut Config| (config.places.base_url, config.places.deadline) = (Some(url), Duration::from_secs(8));
    herd.reload("Riley", right).await.unwrap();
    client.send("WHATSAT kiwi 10 5\n").await;
    mock.question().await.answer(&one_place("well again"));
    assert!(client.text().await.starts_with("AT Riley "));
    assert!(client.body().await.contains("well again"));
    herd.stop_all().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_of_places_are_read_again() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("places.csv");
    let place = |name: &str| std::fs::write(&path, format!("name,lat,lng\n{name},34.06,-118.44\n")).unwrap();
    place("Cafe One");
    let mut config = riley();
    config.places =
        places::Settings { backend: Backend::Embedded, data: vec![path.clone()], ..places::Settings::default() };
    let mut herd = TestHerd::start(config).await;
    let mut client = herd.connect("Riley").await;
    client.post("kiwi", "+34.06-118.44", "3").await;
    assert!(near(&mut client).await.contains("Cafe One"));
    place("Cafe Two");
    assert!(near(&mut client).await.contains("Cafe One"));
    herd.reload("Riley", |_| ()).await.unwrap();
    assert!(near(&mut client).await.contains("Cafe Two"));
    std::fs::write(&path, "name,lat,lng\nCafe Three,340,-118.44\n").unwrap();
    herd.reload("Riley", |_| ()).await.unwrap_err();
    assert!(near(&mut client).await.contains("Cafe Two"));
    herd.stop_all().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_journal_moves_is_turned_off_and_on_and_keeps_another_size_while_connections_go_on() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let read = |directory: &tempfile::TempDir| std::fs::read_to_string(directory.path().join("Riley.log")).unwrap();
    let mut config = riley();
    config.journal = None;
    let mut herd = TestHerd::start(config).await;
    let mut client = herd.connect("Riley").await;
    assert_eq!(client.ask("nowhere").await, "? nowhere");
    let (first, second) = (journal_in(&one), journal_in(&two));
    herd.reload("Riley", |config| config.journal.clone_from(&first)).await.unwrap();
    assert_eq!(client.ask("in one").await, "? in one");
    herd.reload("Riley", |config| config.journal.clone_from(&second)).await.unwrap();
    // The one that was left is complete by now.
    let left = read(&one);
    assert!(left.contains(" recv client ") && left.contains(" in one\n") && !left.contains("nowhere"), "{left}");
    assert!(left.ends_with(&format!(" journal - goes on in {}\n", two.path().display())), "{left}");
    assert_eq!(client.ask("in two").await, "? in two");
    herd.reload("Riley", |config| config.journal = None).await.unwrap();
    let left = read(&two);
    assert!(left.contains(" in two\n") && left.ends_with(" journal - is off from here on\n"), "{left}");
    assert_eq!(client.ask("nowhere again").await, "? nowhere again");
    // In one again: a status each second, then never; and files of another size.
    let often = journal::Settings { status_every: Some(Duration::from_millis(20)), ..first.unwrap() };
    herd.reload("Riley", |config| config.journal = Some(often.clone())).await.unwrap();
    let path = one.path().join("Riley.log");
    file_with(&path, "a status", |text| text.contains(" status - ")).await;
    let small = journal::Settings { file_bytes_max: 4_096, files_kept: 1, status_every: None, ..often };
    herd.reload("Riley", |config| config.journal = Some(small)).await.unwrap();
    for _ in 0..100 {
        client.ask(&"x".repeat(200)).await;
    }
    herd.stop_all().await;
    assert!(!read(&one).contains(" status - ") && !read(&one).contains("nowhere"));
    assert!(std::fs::metadata(&path).unwrap().len() <= 4_096);
    assert!(one.path().join("Riley.log.1").exists() && !one.path().join("Riley.log.2").exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reply_promises_what_is_said_at_the_time() {
    let directory = tempfile::tempdir().unwrap();
    let mut config = default_herd();
    config.limits.ack_wait = Duration::from_secs(20);
    config.disk = Some(disk::Settings { directory: directory.path().to_owned(), ..disk::Settings::default() });
    let mut herd = TestHerd::linked(config).await;
    let mut riley = herd.connect("Riley").await;
    riley.post("local", "+1+2", "3").await;
    let copies = |herd: &TestHerd, client: &str, operands: &str| {
        let knows =
            |name: &str| herd.handle(name).look(|replica| replica.find(client.as_bytes()) == Some(operands.as_bytes()));
        ["Jaquez", "Juzang"].into_iter().filter(|name| knows(name)).count()
    };
    for (round, wanted) in [1, 2, 1].into_iter().enumerate() {
        herd.reload("Riley", |config| config.servers[0].ack = Ack::Replicated { copies: wanted }).await.unwrap();
        // At once, though its links are of a time when nobody was asked to say what it has taken in.
        for number in 0..50 {
            let client = format!("of-{round}-{number}");
            let told = riley.post(&client, "+1+2", &format!("{number}")).await;
            assert!(copies(&herd, &client, &told) >= wanted as usize, "{told}");
        }
    }
    // With nobody to have a copy there is no reply; once none is promised there is one.
    herd.kill("Jaquez").await;
    herd.kill("Juzang").await;
    herd.reload("Riley", |config| config.limits.ack_wait = Duration::from_millis(50)).await.unwrap();
    assert_eq!(riley.ask("IAMAT alone +1+2 3").await, "? IAMAT alone +1+2 3");
    herd.reload("Riley", |config| config.servers[0].ack = Ack::Local).await.unwrap();
    riley.post("alone", "+1+2", "4").await;
    // On disk when the reply comes: seen by what a killed server has when it comes back.
    let durable = |config: &mut Config| {
        config.servers[0].ack = Ack::Durable;
        config.limits.ack_wait = Duration::from_secs(20);
    };
    herd.reload("Riley", durable).await.unwrap();
    let told = riley.post("durable", "+1+2", "5").await;
    for name in herd.names() {
        herd.kill(&name).await;
    }
    herd.revive("Riley").await;
    let mut riley = herd.connect("Riley").await;
    assert_eq!(riley.whereabouts("durable").await, Some(told));
    herd.stop_all().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_is_pinged_and_thought_dead_as_soon_as_is_said() {
    let mut config = default_herd();
    (config.replication.ping, config.replication.dead) = (Duration::from_secs(60), Duration::from_secs(600));
    config.servers.truncate(2);
    config
        .servers
        .iter_mut()
        .for_each(|server| server.peers.retain(|peer| peer.name != "Juzang" && peer.name != "Bernard"));
    let mut herd = TestHerd::start(config).await;
    herd.kill("Jaquez").await;
    let mut jaquez = link(herd.peer_address("Riley"), "Jaquez", "Riley").await;
    herd.wait_link("Riley", "Jaquez", true).await;
    let faster = |config: &mut Config| config.replication.ping = Duration::from_millis(50);
    herd.reload("Riley", faster).await.unwrap();
    for _ in 0..3 {
        assert!(jaquez.text().await.starts_with("PING "));
    }
    let deadly = |config: &mut Config| config.replication.dead = Duration::from_millis(200);
    herd.reload("Riley", deadly).await.unwrap();
    let last = String::from_utf8(jaquez.rest().await).unwrap();
    assert!(last.lines().last().unwrap().starts_with("ERR timeout "), "{last}");
    herd.stop_all().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_is_dialled_again_as_soon_as_is_said() {
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = taken.local_addr().unwrap();
    drop(taken);
    let mut config = default_herd();
    config.servers.truncate(1);
    config.servers[0].peers.retain(|peer| peer.name == "Jaquez");
    config.servers[0].peers[0].dial = address;
    (config.replication.backoff_min, config.replication.backoff_max) =
        (Duration::from_secs(600), Duration::from_secs(600));
    let mut herd = TestHerd::start(config).await;
    let is_waiting = |replica: &Replica| {
        let now = herd_node::clock::monotonic();
        replica.links(now).all(|link| link.next_dial.is_some_and(|time| time > Duration::from_secs(60)))
    };
    soon("a dial that comes to nothing", herd.handle("Riley").wait_until(is_waiting)).await;
    let jaquez = TcpListener::bind(address).await.unwrap();
    let sooner = |config: &mut Config| {
        (config.replication.backoff_min, config.replication.backoff_max) =
            (Duration::from_millis(10), Duration::from_millis(50));
    };
    herd.reload("Riley", sooner).await.unwrap();
    soon("a dial", jaquez.accept()).await.unwrap();
    herd.stop_all().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn records_go_over_as_many_links_as_is_said() {
    let mut herd = TestHerd::linked(default_herd()).await;
    herd.reload("Jaquez", |config| config.replication.hops_max = 1).await.unwrap();
    herd.reload("Juzang", |config| config.replication.hops_max = 1).await.unwrap();
    let told = herd.connect("Riley").await.post("kiwi", "+1+2", "3").await;
    for name in ["Jaquez", "Juzang"] {
        let known = herd.handle(name).wait_known(b"kiwi", told.as_bytes());
        soon("news of the first link", known).await;
        let is_exhausted = |replica: &Replica| replica.counters().updates_hops_exhausted == 1;
        soon("the end of its way", herd.handle(name).wait_until(is_exhausted)).await;
    }
    herd.stop_all().await;
}
