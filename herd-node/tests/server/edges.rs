//! Each bound at its edge, on a running server: exactly so much is fine, one more is refused, and counted under its own word.

use std::net::Ipv4Addr;
use std::time::Duration;

use herd_node::config::{Ack, Config, PeerConfig};
use herd_node::net::Reason;
use herd_node::replica::Replica;
use tokio::net::TcpSocket;

use super::support::mock::{Mock, one_place};
use super::support::{Client, TestHerd, herd, peer, soon};

const SHORT: Duration = Duration::from_millis(300);

async fn riley_with(set: impl FnOnce(&mut Config)) -> TestHerd {
    let mut config = herd::riley();
    set(&mut config);
    TestHerd::start(config).await
}

/// Waits until so many were refused for `reason`, and none for another.
async fn only(herd: &TestHerd, reasons: &[(Reason, u64)]) {
    let handle = herd.handle("Riley");
    let counted = async {
        while reasons.iter().any(|(reason, count)| handle.refused(*reason) < *count) {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    soon(&format!("{reasons:?}"), counted).await;
    let all: Vec<_> =
        Reason::ALL.into_iter().map(|reason| (reason, handle.refused(reason))).filter(|(_, n)| *n > 0).collect();
    assert_eq!(all, reasons);
}

/// Riley, who knows of Jaquez and Juzang, neither of whom runs.
fn riley_with_peers() -> Config {
    let mut config = herd::default_herd();
    config.servers.truncate(1);
    let peers = std::mem::take(&mut config.servers[0].peers);
    let nowhere = |peer| PeerConfig { dial: "127.0.0.1:1".parse().unwrap(), ..peer };
    config.servers[0].peers = peers.into_iter().map(nowhere).collect();
    config
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_line_of_so_many_bytes_and_not_one_more() {
    let herd = riley_with(|config| config.limits.client_line_bytes_max = 600).await;
    let mut client = herd.connect("Riley").await;
    let line = "x".repeat(600);
    assert_eq!(client.ask(&line).await, format!("? {line}"));
    only(&herd, &[(Reason::InvalidLine, 1)]).await;
    assert_eq!(client.ask(&"x".repeat(601)).await, format!("? {}", &line[..64]));
    only(&herd, &[(Reason::LongLine, 1), (Reason::InvalidLine, 1)]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_over_long_lines_are_forgiven_and_the_third_closes() {
    let herd = riley_with(|_| ()).await;
    let mut client = herd.connect("Riley").await;
    let long = "x".repeat(8_193);
    for _ in 0..2 {
        client.ask(&long).await;
    }
    client.post("kiwi", "+1+2", "3").await;
    only(&herd, &[(Reason::LongLine, 2)]).await;
    client.send(format!("{long}\n")).await;
    assert_eq!(client.rest().await, format!("? {}\n", &long[..64]).as_bytes());
    only(&herd, &[(Reason::LongLines, 1), (Reason::LongLine, 3)]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_id_of_4096_bytes_and_not_one_more() {
    let herd = riley_with(|_| ()).await;
    let mut client = herd.connect("Riley").await;
    client.post(&"k".repeat(4_096), "+1+2", "3").await;
    assert!(client.ask(&format!("IAMAT {} +1+2 3", "k".repeat(4_097))).await.starts_with("? IAMAT kkk"));
    only(&herd, &[(Reason::InvalidLine, 1)]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn time_that_is_up_is_counted_by_what_was_waited_for() {
    let herd = riley_with(|config| {
        config.limits.first_line = SHORT;
        config.limits.line = SHORT;
        config.limits.idle = 4 * SHORT;
    })
    .await;
    let mut silent = herd.connect("Riley").await;
    let (mut dripping, mut idle) = (herd.connect("Riley").await, herd.connect("Riley").await);
    for client in [&mut dripping, &mut idle] {
        client.post("kiwi", "+1+2", "3").await;
    }
    dripping.send("IAM").await;
    let _ = tokio::join!(silent.rest(), dripping.rest(), idle.rest());
    only(&herd, &[(Reason::FirstLineLate, 1), (Reason::LineLate, 1), (Reason::Idle, 1)]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_never_reads_is_counted() {
    let herd = riley_with(|config| config.limits.write_stall = SHORT).await;
    let mut greedy = herd.connect("Riley").await;
    let lines = "WHATSAT nobody 10 5\n".repeat(1_000);
    let flood =
        async { while tokio::io::AsyncWriteExt::write_all(&mut greedy.writer, lines.as_bytes()).await.is_ok() {} };
    soon("the end of the flood", flood).await;
    let handle = herd.handle("Riley");
    assert_eq!(handle.refused(Reason::Stalled), 1);
    assert!(handle.refused(Reason::UnknownClient) > 1_000);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn so_many_connections_in_all_and_not_one_more() {
    let herd = riley_with(|config| config.limits.connections_max = 3).await;
    let mut inside = Vec::new();
    for _ in 0..3 {
        let mut client = herd.connect("Riley").await;
        client.post("kiwi", "+1+2", "3").await;
        inside.push(client);
    }
    assert_eq!(herd.connect("Riley").await.rest().await, b"");
    only(&herd, &[(Reason::ConnectionsFull, 1)]).await;
}

/// A connection from an address of loopback that is not the usual one.
async fn from(address: [u8; 4], herd: &TestHerd) -> Client {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind((Ipv4Addr::from(address), 0).into()).unwrap();
    Client::over(soon("a connection", socket.connect(herd.settings("Riley").client)).await.unwrap())
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_may_have_256_connections_and_not_one_more() {
    let herd = riley_with(|config| config.limits.loopback_is_limited = true).await;
    let mut inside = Vec::new();
    for _ in 0..256 {
        inside.push(from([127, 0, 0, 2], &herd).await);
    }
    inside.last_mut().unwrap().post("kiwi", "+1+2", "3").await;
    for count in 1..=10 {
        assert_eq!(from([127, 0, 0, 2], &herd).await.rest().await, b"");
        only(&herd, &[(Reason::AddressFull, count)]).await;
    }
    // An honest one elsewhere is nobody's neighbour.
    from([127, 0, 0, 3], &herd).await.post("honest", "+1+2", "3").await;
    drop(inside);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn so_many_clients_are_known_and_not_one_more() {
    let herd = riley_with(|config| config.limits.clients_max = 100).await;
    let mut client = herd.connect("Riley").await;
    for number in 0..100 {
        client.post(&format!("client-{number}"), "+1+2", "3").await;
    }
    // Endless new ones: each is refused, none takes another's place.
    let lines: String = (100..2_100).map(|number| format!("IAMAT client-{number} +1+2 3\n")).collect();
    client.send(lines).await;
    for number in 100..2_100 {
        assert_eq!(client.text().await, format!("? IAMAT client-{number} +1+2 3"));
    }
    client.post("client-99", "+1+2", "4").await;
    only(&herd, &[(Reason::StoreFull, 2_000)]).await;
    herd.handle("Riley").look(|replica| assert_eq!(replica.digest().count(), 100));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn so_many_bytes_of_records_and_no_more() {
    let herd = riley_with(|config| config.limits.records_bytes_max = 1 << 20).await;
    let mut client = herd.connect("Riley").await;
    let padding = "k".repeat(4_000);
    let mut known = 0;
    while client.ask(&format!("IAMAT {padding}{known} +1+2 3")).await.starts_with("AT ") {
        known += 1;
    }
    let bytes = herd.handle("Riley").look(Replica::records_bytes);
    assert!(bytes <= 1 << 20 && bytes > (1 << 20) - 5_000, "{bytes} of {known}");
    only(&herd, &[(Reason::StoreFull, 1)]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_time_may_be_a_little_ahead_and_not_more() {
    let herd = riley_with(|config| config.limits.time_ahead_max = Some(Duration::from_secs(1_000))).await;
    let mut client = herd.connect("Riley").await;
    client.post("kiwi", "+1+2", &super::support::posix(900)).await;
    let line = format!("IAMAT kiwi +1+2 {}", super::support::posix(1_100));
    assert_eq!(client.ask(&line).await, format!("? {line}"));
    only(&herd, &[(Reason::TimeAhead, 1)]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn so_many_strangers_at_the_peers_door_and_not_one_more() {
    let mut config = riley_with_peers();
    config.limits.unproven_max = 2;
    config.limits.handshake = Duration::from_secs(60);
    let herd = TestHerd::start(config).await;
    let mut strangers = Vec::new();
    for count in 1..=2 {
        strangers.push(Client::connect(herd.peer_address("Riley")).await);
        let is_so = |replica: &Replica| replica.link_count() == count;
        soon("strangers", herd.handle("Riley").wait_until(is_so)).await;
    }
    assert_eq!(Client::connect(herd.peer_address("Riley")).await.rest().await, b"");
    only(&herd, &[(Reason::UnprovenFull, 1)]).await;
    // And one line that is none of a handshake ends it.
    strangers[0].send("IAMAT kiwi +1+2 3\n").await;
    assert!(strangers[0].rest().await.starts_with(b"ERR bad-message "));
    only(&herd, &[(Reason::UnprovenFull, 1), (Reason::PeerRefused, 1)]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stranger_has_so_long_to_prove_itself() {
    let mut config = riley_with_peers();
    config.limits.handshake = SHORT;
    let herd = TestHerd::start(config).await;
    assert!(Client::connect(herd.peer_address("Riley")).await.rest().await.starts_with(b"ERR timeout "));
    only(&herd, &[(Reason::PeerRefused, 1)]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_may_send_so_many_invalid_lines_and_not_one_more() {
    for invalid_max in [0, 3, 10] {
        let mut config = riley_with_peers();
        config.limits.peer_invalid_lines_max = invalid_max;
        config.replication.dead = Duration::from_secs(600);
        let herd = TestHerd::start(config).await;
        let mut villain = peer::link(herd.peer_address("Riley"), "Jaquez", "Riley").await;
        herd.wait_link("Riley", "Jaquez", true).await;
        for number in 0..invalid_max {
            villain.send(format!("PONG 0{number}\n")).await;
        }
        villain.send("AT Jaquez +0.000000001 kiwi +1+2 3 Jaquez 1\n").await;
        herd.wait_known("kiwi", "Jaquez +0.000000001 kiwi +1+2 3").await;
        only(&herd, &[]).await;
        villain.send("PONG 00\n").await;
        let rest = String::from_utf8(villain.rest().await).unwrap();
        assert!(rest.lines().last().unwrap().starts_with("ERR bad-message "), "{rest}");
        only(&herd, &[(Reason::PeerInvalid, 1)]).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reply_that_can_not_keep_its_promise_in_time_is_counted() {
    let mut config = riley_with_peers();
    config.servers[0].ack = Ack::Replicated { copies: 1 };
    config.limits.ack_wait = Duration::from_millis(60);
    let herd = TestHerd::start(config).await;
    assert_eq!(herd.connect("Riley").await.ask("IAMAT kiwi +1+2 3").await, "? IAMAT kiwi +1+2 3");
    only(&herd, &[(Reason::NotCopied, 1)]).await;
}

/// Riley with a places service, and a client of it that somebody has posted.
async fn riley_with_places(set: impl FnOnce(&mut Config)) -> (TestHerd, Mock, Client) {
    let mock = Mock::start().await;
    let herd = riley_with(|config| {
        mock.serve(config);
        set(config);
    })
    .await;
    let mut client = herd.connect("Riley").await;
    client.post("kiwi", "+1+2", "3").await;
    (herd, mock, client)
}

/// Asks for places and gets none; or some, if `is_good`.
async fn hear_places(client: &mut Client, is_good: bool) {
    assert!(client.text().await.starts_with("AT Riley "));
    let body = client.body().await;
    assert_eq!(body.contains("error_message"), !is_good, "{body}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_places_service_has_so_long() {
    let (herd, mut mock, mut client) = riley_with_places(|config| config.places.deadline = SHORT).await;
    client.send("WHATSAT kiwi 10 5\n").await;
    let _unanswered = mock.question().await;
    hear_places(&mut client, false).await;
    only(&herd, &[(Reason::PlacesLate, 1)]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_about_places_may_be_so_large_and_not_one_byte_more() {
    let place = one_place("near");
    for (body_max, is_good) in [(place.len(), true), (place.len() - 1, false)] {
        let (herd, mut mock, mut client) = riley_with_places(|config| config.places.body_max = body_max).await;
        client.send("WHATSAT kiwi 10 5\n").await;
        mock.question().await.answer(&place);
        hear_places(&mut client, is_good).await;
        let expected = [(Reason::PlacesLarge, 1)];
        only(&herd, if is_good { &[] } else { &expected }).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn so_many_questions_about_places_wait_and_not_one_more() {
    let (herd, mut mock, mut client) = riley_with_places(|config| {
        (config.places.in_flight_max, config.places.queue_max) = (1, 1);
        config.places.deadline = Duration::from_secs(300);
    })
    .await;
    // Each of another radius: of the same there would be one question for all.
    let mut others = [herd.connect("Riley").await, herd.connect("Riley").await];
    others[0].send("WHATSAT kiwi 1 5\n").await;
    let first = mock.question().await;
    others[1].send("WHATSAT kiwi 2 5\n").await;
    let refused = async {
        loop {
            // Until the one that may wait is there.
            client.send("WHATSAT kiwi 3 5\n").await;
            if client.text().await.starts_with("AT ") && client.body().await.contains("OVER_QUERY_LIMIT") {
                return;
            }
        }
    };
    // The second may come late: then it is this one that waits, and the second that is refused.
    tokio::select! {
        () = soon("a refusal", refused) => {}
        body = async { others[1].text().await; others[1].body().await } => assert!(body.contains("OVER_QUERY_LIMIT"), "{body}"),
    }
    only(&herd, &[(Reason::PlacesFull, 1)]).await;
    first.answer(&one_place("near"));
    hear_places(&mut others[0], true).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn so_many_failures_of_places_and_then_nobody_is_asked() {
    let (herd, mut mock, mut client) = riley_with_places(|config| {
        config.places.breaker_failures = 2;
        config.places.breaker_pause = Duration::from_secs(3_600);
    })
    .await;
    for _ in 0..2 {
        client.send("WHATSAT kiwi 10 5\n").await;
        mock.question().await.answer_with("403 Forbidden", "no");
        hear_places(&mut client, false).await;
    }
    only(&herd, &[(Reason::PlacesFailed, 2)]).await;
    client.send("WHATSAT kiwi 10 5\n").await;
    hear_places(&mut client, false).await;
    assert!(!mock.was_asked());
    only(&herd, &[(Reason::PlacesBroken, 1), (Reason::PlacesFailed, 2)]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn so_many_calls_for_places_and_not_one_more() {
    let (herd, mut mock, mut client) = riley_with_places(|config| config.places.calls_per_day = Some(2)).await;
    for _ in 0..2 {
        client.send("WHATSAT kiwi 10 5\n").await;
        mock.question().await.answer(&one_place("near"));
        hear_places(&mut client, true).await;
    }
    client.send("WHATSAT kiwi 10 5\n").await;
    hear_places(&mut client, false).await;
    assert!(!mock.was_asked());
    only(&herd, &[(Reason::PlacesBudget, 1)]).await;
}
