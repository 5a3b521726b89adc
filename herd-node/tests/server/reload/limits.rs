//! Each limit holds as soon as it is changed: seen by what clients and strangers may do.

use std::time::Duration;

use herd_node::config::{Ack, Limits};
use herd_node::replica::Replica;

use super::super::herd::wait_settled;
use super::super::support::herd::{SECRET, default_herd, riley};
use super::super::support::mock::{Mock, Question, one_place};
use super::super::support::peer::{auth_line, hello, hello_line};
use super::super::support::{Client, TestHerd, posix, soon};

const SHORT: Duration = Duration::from_millis(100);

async fn riley_with(set: impl FnOnce(&mut Limits)) -> TestHerd {
    let mut config = riley();
    set(&mut config.limits);
    TestHerd::start(config).await
}

async fn set(herd: &mut TestHerd, set: impl FnOnce(&mut Limits)) {
    herd.reload("Riley", |config| set(&mut config.limits)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn times_of_lines_hold_at_the_next_batch() {
    // Of a whole minute each, so that what ends in time has ended by the new ones.
    let minute = Duration::from_secs(60);
    let mut herd = riley_with(|limits| (limits.first_line, limits.line, limits.idle) = (minute, minute, minute)).await;
    let (mut idle, mut slow) = (herd.connect("Riley").await, herd.connect("Riley").await);
    assert_eq!((idle.ask("one").await, slow.ask("one").await), ("? one".to_owned(), "? one".to_owned()));
    set(&mut herd, |limits| limits.first_line = SHORT).await;
    assert!(herd.connect("Riley").await.rest().await.is_empty());
    set(&mut herd, |limits| limits.line = SHORT).await;
    slow.send("never finished").await;
    assert!(slow.rest().await.is_empty());
    // It waits as it did before, until it has had its next line.
    set(&mut herd, |limits| limits.idle = SHORT).await;
    assert_eq!(idle.ask("two").await, "? two");
    assert!(idle.rest().await.is_empty());
    herd.stop_all().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_longer_line_is_for_those_who_come_then() {
    let mut herd = riley_with(|limits| limits.client_line_bytes_max = 512).await;
    let mut before = herd.connect("Riley").await;
    let long = "x".repeat(600);
    assert_eq!(before.ask(&long).await.len(), 2 + 64);
    set(&mut herd, |limits| limits.client_line_bytes_max = 1_000).await;
    assert_eq!(before.ask(&long).await.len(), 2 + 64);
    assert_eq!(herd.connect("Riley").await.ask(&long).await.len(), 2 + 600);
    herd.stop_all().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fewer_connections_send_nobody_away() {
    let mut herd = riley_with(|limits| limits.connections_max = 1).await;
    let mut first = herd.connect("Riley").await;
    assert_eq!(first.ask("one").await, "? one");
    assert!(herd.connect("Riley").await.rest().await.is_empty());
    set(&mut herd, |limits| limits.connections_max = 2).await;
    let mut second = herd.connect("Riley").await;
    assert_eq!(second.ask("two").await, "? two");
    set(&mut herd, |limits| limits.connections_max = 1).await;
    assert_eq!((first.ask("three").await, second.ask("four").await), ("? three".to_owned(), "? four".to_owned()));
    assert!(herd.connect("Riley").await.rest().await.is_empty());
    herd.stop_all().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_store_takes_more_and_forgets_nothing_when_it_may_take_less() {
    let mut herd = riley_with(|limits| limits.clients_max = 1).await;
    let mut client = herd.connect("Riley").await;
    client.post("one", "+1+2", "3").await;
    assert_eq!(client.ask("IAMAT two +1+2 3").await, "? IAMAT two +1+2 3");
    set(&mut herd, |limits| limits.clients_max = 2).await;
    client.post("two", "+1+2", "3").await;
    set(&mut herd, |limits| limits.clients_max = 1).await;
    client.post("two", "+1+2", "4").await;
    assert_eq!(client.ask("IAMAT three +1+2 3").await, "? IAMAT three +1+2 3");
    set(&mut herd, |limits| (limits.clients_max, limits.records_bytes_max) = (10, 1)).await;
    assert_eq!(client.ask("IAMAT three +1+2 3").await, "? IAMAT three +1+2 3");
    set(&mut herd, |limits| limits.records_bytes_max = 1 << 20).await;
    client.post("three", "+1+2", "3").await;
    assert!(client.whereabouts("one").await.is_some());
    herd.stop_all().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clocks_may_run_ahead_as_far_as_is_said() {
    let mut herd = riley_with(|limits| limits.time_ahead_max = Some(Duration::from_secs(60))).await;
    let mut client = herd.connect("Riley").await;
    let ahead = posix(600);
    assert!(client.ask(&format!("IAMAT kiwi +1+2 {ahead}")).await.starts_with("? "));
    set(&mut herd, |limits| limits.time_ahead_max = None).await;
    client.post("kiwi", "+1+2", &ahead).await;
    set(&mut herd, |limits| limits.time_ahead_max = Some(Duration::from_secs(1))).await;
    assert!(client.ask(&format!("IAMAT kiwi +1+2 {}", posix(601))).await.starts_with("? "));
    herd.stop_all().await;
}

/// One place, called by the radius that was asked for.
fn answer(question: Question) {
    let (_, radius) = question.target.split_once("radius=").unwrap();
    let radius = radius.split('&').next().unwrap().to_owned();
    question.answer(&one_place(&radius));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_may_have_as_much_under_way_as_is_said() {
    let mut mock = Mock::start().await;
    let mut config = riley();
    mock.serve(&mut config);
    config.limits.pending_max = 1;
    let mut herd = TestHerd::start(config).await;
    let mut client = herd.connect("Riley").await;
    client.post("kiwi", "+1+2", "3").await;
    client.send("WHATSAT kiwi 10 5\nWHATSAT kiwi 11 5\nWHATSAT kiwi 12 5\n").await;
    let first = mock.question().await;
    // The second is not even read.
    assert_eq!(herd.connect("Riley").await.ask("other").await, "? other");
    assert!(!mock.was_asked());
    set(&mut herd, |limits| limits.pending_max = 8).await;
    answer(first);
    // In whatever order these two come.
    let both = [mock.question().await, mock.question().await];
    both.into_iter().for_each(answer);
    for radius in ["10000", "11000", "12000"] {
        assert!(client.text().await.starts_with("AT Riley "));
        assert!(client.body().await.contains(radius));
    }
    // Less room for replies than one of them takes: it is sent, and nothing is read before.
    set(&mut herd, |limits| limits.output_bytes_max = 1).await;
    client.send("WHATSAT kiwi 13 5\nWHATSAT kiwi 14 5\n").await;
    let fourth = mock.question().await;
    assert_eq!(herd.connect("Riley").await.ask("other").await, "? other");
    assert!(!mock.was_asked());
    answer(fourth);
    answer(mock.question().await);
    for radius in ["13000", "14000"] {
        assert!(client.text().await.starts_with("AT Riley "));
        assert!(client.body().await.contains(radius));
    }
    herd.stop_all().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_does_not_take_replies_is_waited_for_as_long_as_is_said() {
    let mut herd = riley_with(|limits| limits.write_stall = Duration::from_secs(60)).await;
    set(&mut herd, |limits| limits.write_stall = SHORT).await;
    let mut client = herd.connect("Riley").await;
    client.post("kiwi", "+34-118", "3").await;
    // Until the connection is cut, since nobody reads.
    let questions = "WHATSAT kiwi 50 20\n".repeat(1_000);
    soon("a connection that is cut", async {
        while tokio::io::AsyncWriteExt::write_all(&mut client.writer, questions.as_bytes()).await.is_ok() {}
    })
    .await;
    herd.stop_all().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn strangers_who_may_become_peers_are_as_many_and_have_as_long_as_is_said() {
    let mut herd = riley_with(|limits| limits.handshake = Duration::from_secs(60)).await;
    let address = herd.peer_address("Riley");
    let _patient = Client::connect(address).await;
    soon("a stranger to be let in", herd.handle("Riley").wait_until(|replica| replica.link_count() == 1)).await;
    set(&mut herd, |limits| limits.unproven_max = 1).await;
    assert!(Client::connect(address).await.rest().await.is_empty());
    set(&mut herd, |limits| (limits.unproven_max, limits.handshake) = (2, SHORT)).await;
    let last = String::from_utf8(Client::connect(address).await.rest().await).unwrap();
    assert!(last.starts_with("ERR timeout "), "{last}");
    herd.stop_all().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replies_wait_for_copies_as_long_as_is_said() {
    let mut config = default_herd();
    config.servers.truncate(2);
    config.servers[0].peers.retain(|peer| peer.name == "Jaquez");
    config.servers[0].ack = Ack::Replicated { copies: 1 };
    config.limits.ack_wait = Duration::from_secs(3_600);
    let mut herd = TestHerd::start(config).await;
    herd.kill("Jaquez").await;
    herd.wait_link("Riley", "Jaquez", false).await;
    set(&mut herd, |limits| limits.ack_wait = SHORT).await;
    let mut client = herd.connect("Riley").await;
    assert_eq!(client.ask("IAMAT kiwi +1+2 3").await, "? IAMAT kiwi +1+2 3");
    let known = herd.handle("Riley").look(|replica: &Replica| replica.find(b"kiwi").is_some());
    assert!(known);
    herd.stop_all().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn secrets_are_changed_one_after_the_other_and_links_in_service_stay() {
    use herd_node::secret::Secret;
    const NEXT: &[u8] = b"another-secret-another-secret-another";
    let mut herd = TestHerd::linked(default_herd()).await;
    let address = herd.peer_address("Riley");
    // Whether one who dials as Jaquez with this secret is believed.
    let is_believed = async |secret: &[u8]| {
        let mut client = Client::connect(address).await;
        let ours = hello("ucla", "Jaquez", "Riley");
        client.send(hello_line(&ours)).await;
        let herd_proto::PeerMessage::Hello(theirs) = herd_proto::PeerMessage::parse(client.line().await).unwrap()
        else {
            panic!("no HELLO")
        };
        client.send(auth_line(secret, &ours, &theirs)).await;
        client.text().await.starts_with("AUTH ")
    };
    let links = |herd: &TestHerd| -> Vec<_> {
        let of =
            |replica: &Replica| replica.links(herd_node::clock::monotonic()).map(|link| link.link).collect::<Vec<_>>();
        herd.handles().map(|handle| handle.look(of)).collect()
    };
    wait_settled(&herd).await;
    let before = links(&herd);
    assert!(is_believed(SECRET).await && !is_believed(NEXT).await);
    for secrets in [[SECRET, NEXT].as_slice(), &[NEXT, SECRET], &[NEXT]] {
        for name in herd.names() {
            let secrets = secrets.iter().map(|secret| Secret::new(*secret)).collect();
            herd.reload(&name, |config| config.secrets = secrets).await.unwrap();
        }
        assert_eq!((is_believed(SECRET).await, is_believed(NEXT).await), (secrets.contains(&SECRET), true));
    }
    assert_eq!(links(&herd), before);
    // A server that comes back proves itself with the new one.
    let mut config = herd.config.clone();
    config.secrets = vec![Secret::new(NEXT)];
    herd.config = config;
    herd.kill("Campbell").await;
    herd.revive("Campbell").await;
    herd.wait_linked().await;
    let told = herd.connect("Riley").await.post("kiwi", "+1+2", "3").await;
    herd.wait_known("kiwi", &told).await;
    herd.stop_all().await;
}
