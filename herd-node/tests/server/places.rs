//! A places service that is slow, fails or says too much; and what clients see of it.

use std::time::Duration;

use socket2::SockRef;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

use super::support::herd::journal_in;
use super::support::mock::{KEY, Mock, one_place};
use super::support::{Client, TestHerd, herd, soon};

const NEAR: &str = r#"{"html_attributions":[],"results":[{"name":"near"}],"status":"OK"}"#;

async fn with_mock(set: impl FnOnce(&mut herd_node::config::Config)) -> (TestHerd, Mock) {
    let mock = Mock::start().await;
    let mut config = herd::riley();
    mock.serve(&mut config);
    set(&mut config);
    (TestHerd::start(config).await, mock)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_places_hold_up_their_own_connection_only_and_keep_its_order() {
    let (herd, mut mock) = with_mock(|_| ()).await;
    let (mut client, mut other) = (herd.connect("Riley").await, herd.connect("Riley").await);
    client.send("IAMAT a +1+2 3\nWHATSAT a 10 5\nIAMAT b +3+4 5\nWHATSAT b 0.5 5\nnonsense\nWHATSAT a 10 0\n").await;
    assert!(client.text().await.ends_with(" a +1+2 3"));
    let (first, second) = (mock.question().await, mock.question().await);
    let (first, second) = if first.target.contains("radius=10000") { (first, second) } else { (second, first) };
    assert!(first.target.contains(&format!("key={KEY}")), "{}", first.target);
    assert!(second.target.contains("radius=500&") || second.target.ends_with("radius=500"), "{}", second.target);
    // Everybody else is served meanwhile; so is a second request's answer kept until its turn.
    assert!(other.ask("WHATSAT b 1 0").await.ends_with(" b +3+4 5"));
    other.body().await;
    second.answer(&one_place("second"));
    assert!(other.ask("IAMAT c +5+6 7").await.ends_with(" c +5+6 7"));
    first.answer(NEAR);
    assert!(client.text().await.ends_with(" a +1+2 3"));
    assert_eq!(client.body().await.trim_end(), NEAR);
    assert!(client.text().await.ends_with(" b +3+4 5"));
    assert!(client.text().await.ends_with(" b +3+4 5"));
    assert_eq!(client.body().await.trim_end(), one_place("second"));
    assert_eq!(client.text().await, "? nonsense");
    assert!(client.text().await.ends_with(" a +1+2 3"));
    client.body().await;
    assert!(!mock.was_asked());
    client.finish().await;
    assert!(client.rest().await.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reply_that_had_to_wait_leaves_in_one_write() {
    let (herd, mut mock) = with_mock(|_| ()).await;
    let mut client = herd.connect("Riley").await;
    client.post("a", "+1+2", "3").await;
    client.send("WHATSAT a 10 5\n").await;
    let question = mock.question().await;
    // One single read, as the clients of courses do, begun long before there is anything to say.
    let mut reply = vec![0; 65_536];
    let mut other = herd.connect("Riley").await;
    let read = client.reader.read(&mut reply);
    tokio::pin!(read);
    for _ in 0..10 {
        tokio::select! {
            biased;
            len = &mut read => panic!("{len:?} bytes of half a reply"),
            _ = other.ask("meanwhile") => {}
        }
    }
    question.answer(NEAR);
    let len = soon("a reply", read).await.unwrap();
    let reply = std::str::from_utf8(&reply[..len]).unwrap();
    assert!(reply.starts_with("AT Riley +") && reply.ends_with(&format!(" a +1+2 3\n{NEAR}\n\n")), "{reply:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_half_closed_client_waits_for_its_places() {
    let (herd, mut mock) = with_mock(|_| ()).await;
    let mut client = herd.connect("Riley").await;
    client.send("IAMAT a +1+2 3\nWHATSAT a 10 5\nlast").await;
    client.finish().await;
    mock.question().await.answer(NEAR);
    let replies = String::from_utf8(client.rest().await).unwrap();
    assert!(replies.ends_with(&format!("\n{NEAR}\n\n? last\n")), "{replies}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_goes_away_takes_the_question_back() {
    let (herd, mut mock) = with_mock(|_| ()).await;
    let stream = TcpStream::connect(herd.settings("Riley").client).await.unwrap();
    SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap();
    let mut client = Client::over(stream);
    client.post("a", "+1+2", "3").await;
    client.send("WHATSAT a 10 5\n").await;
    let question = mock.question().await;
    drop(client);
    question.abandoned().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_waits_for_the_places_of_what_was_read() {
    let (mut herd, mut mock) = with_mock(|_| ()).await;
    let mut client = herd.connect("Riley").await;
    client.post("a", "+1+2", "3").await;
    client.send("WHATSAT a 10 5\nlast\n").await;
    let question = mock.question().await;
    let stopping = herd.begin_stop("Riley");
    // Answered only when the server has begun to stop: it takes no new clients then.
    let address = herd.settings("Riley").client;
    soon("the listener to close", async { while TcpStream::connect(address).await.is_ok() {} }).await;
    question.answer(NEAR);
    let replies = String::from_utf8(client.rest().await).unwrap();
    assert!(replies.ends_with(&format!("\n{NEAR}\n\n? last\n")), "{replies}");
    soon("the stop", stopping).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn so_many_requests_wait_and_no_more_is_read() {
    let directory = tempfile::tempdir().unwrap();
    let (mut herd, mut mock) = with_mock(|config| {
        config.limits.pending_max = 16;
        config.places.deadline = Duration::from_millis(250);
        config.journal = journal_in(&directory);
    })
    .await;
    let mut client = herd.connect("Riley").await;
    client.post("a", "+1+2", "3").await;
    client.send("WHATSAT a 10 5\n".repeat(1_000)).await;
    // It is never answered.
    let _question = mock.question().await;
    for _ in 0..1_000 {
        assert!(client.text().await.ends_with(" a +1+2 3"));
        let body: serde_json::Value = serde_json::from_str(&client.body().await).unwrap();
        assert_eq!((&body["results"], &body["status"]), (&serde_json::json!([]), &"UNKNOWN_ERROR".into()));
        assert!(!body["error_message"].as_str().unwrap().is_empty());
    }
    assert_eq!(client.ask("end").await, "? end");
    herd.stop("Riley").await;
    let journal = std::fs::read_to_string(directory.path().join("Riley.log")).unwrap();
    let questions = journal.lines().skip_while(|line| !line.contains(" WHATSAT "));
    let before_reply = questions.take_while(|line| !line.contains(" sent "));
    // As many as may wait, and the one that takes the place of the first.
    assert_eq!(before_reply.filter(|line| line.contains(" recv ")).count(), 16 + 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failure_is_an_empty_reply_and_no_secret_is_told() {
    let directory = tempfile::tempdir().unwrap();
    let (mut herd, mut mock) = with_mock(|config| config.journal = journal_in(&directory)).await;
    let mut client = herd.connect("Riley").await;
    let told = client.post("a", "+1+2", "3").await;
    let denied = format!(r#"{{"results":[],"status":"REQUEST_DENIED","error_message":"the key {KEY} is bad"}}"#);
    let answers = [
        ("200 OK", denied.as_str(), "REQUEST_DENIED"),
        ("403 Forbidden", KEY, "REQUEST_DENIED"),
        ("302 Found", KEY, "UNKNOWN_ERROR"),
        ("200 OK", "no JSON", "UNKNOWN_ERROR"),
    ];
    let mut said = String::new();
    for (code, body, status) in answers {
        client.send("WHATSAT a 10 5\n").await;
        mock.question().await.answer_with(code, body);
        let (line, body) = (client.text().await, client.body().await);
        assert_eq!(line, format!("AT {told}"));
        let value: serde_json::Value = serde_json::from_str(&body).unwrap();
        assert_eq!((&value["results"], &value["status"]), (&serde_json::json!([]), &status.into()));
        assert!(!value["error_message"].as_str().unwrap().is_empty());
        said += &body;
    }
    let debug = format!("{:?} {:?}", herd.config, herd.handle("Riley"));
    herd.stop("Riley").await;
    let journal = std::fs::read_to_string(directory.path().join("Riley.log")).unwrap();
    assert!(journal.contains(" places-failed ") && journal.contains(" REQUEST_DENIED: "), "{journal}");
    for written in [said, debug, journal] {
        assert!(!written.contains("canary"), "{written}");
    }
}
