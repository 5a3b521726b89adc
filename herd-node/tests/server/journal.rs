//! The journal of a running server: live, complete, and nobody's to forge.

use std::path::Path;
use std::time::Duration;

use herd_node::clock;
use herd_node::journal;
use herd_node::server::Server;

use super::support::herd::journal_in;
use super::support::{TestHerd, file_with, herd};

fn lines_of(directory: &Path, name: &str) -> Vec<String> {
    let text = std::fs::read_to_string(directory.join(format!("{name}.log"))).unwrap();
    assert!(text.ends_with('\n'));
    text.lines().map(str::to_owned).collect()
}

/// The lines without their time, which has to be one; and those that match `of` only.
fn events(directory: &Path, name: &str, of: impl Fn(&str) -> bool) -> Vec<String> {
    let untimed = |line: &String| {
        let (time, event) = line.split_once(' ').unwrap();
        assert!(time.len() == 27 && time.ends_with('Z') && time.as_bytes()[10] == b'T', "{line:?}");
        event.to_owned()
    };
    lines_of(directory, name).iter().map(untimed).filter(|event| of(event)).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_line_can_be_seen_while_the_server_runs() {
    let directory = tempfile::tempdir().unwrap();
    let mut config = herd::riley();
    config.journal = journal_in(&directory);
    let herd = TestHerd::start(config).await;
    let mut client = herd.connect("Riley").await;
    let begun = clock::monotonic();
    let told = client.post("kiwi", "+1+2", "3").await;
    let is_there = |journal: &str| journal.contains(&format!("AT {told}\n"));
    file_with(&directory.path().join("Riley.log"), "the reply", is_there).await;
    assert!(clock::monotonic() - begun < Duration::from_secs(1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_that_comes_and_goes_is_written() {
    let directory = tempfile::tempdir().unwrap();
    let mut config = herd::default_herd();
    config.journal = journal_in(&directory);
    let mut herd = TestHerd::linked(config).await;
    let mut client = herd.connect("Riley").await;
    let address = client.writer.local_addr().unwrap();
    let told = client.post("kiwi", "+1+2", "3").await;
    client.whereabouts("kiwi").await.unwrap();
    assert_eq!(client.ask("").await, "? ");
    herd.wait_known("kiwi", &told).await;
    client.finish().await;
    client.rest().await;
    herd.stop_all().await;
    let of_client = events(directory.path(), "Riley", |event| event.contains(&format!(" client {address}")));
    let json = ["{", "   \"html_attributions\" : [],", "   \"results\" : [],", "   \"status\" : \"OK\"", "}", ""];
    let mut expected = vec!["connected".to_owned(), "recv IAMAT kiwi +1+2 3".to_owned(), format!("sent AT {told}")];
    expected.extend(["recv WHATSAT kiwi 1 0".to_owned(), format!("sent AT {told}")]);
    expected.extend(json.iter().map(|line| format!("sent {line}").trim_end().to_owned()));
    expected.extend(["recv".to_owned(), "sent ? ".to_owned(), "disconnected closed by the client".to_owned()]);
    let said: Vec<_> = of_client.iter().map(|event| event.replacen(&format!(" client {address}"), "", 1)).collect();
    assert_eq!(said, expected);
    // Between servers: what one wrote as sent the other wrote as received, handshake, records and goodbye.
    let all = |name| events(directory.path(), name, |_| true);
    for (name, peer) in [("Riley", "Jaquez"), ("Campbell", "Bernard")] {
        let own = all(name);
        assert!(own[0].starts_with("start - clients 127.0.0.1:"), "{}", own[0]);
        assert_eq!(own.last().unwrap(), "stop -");
        assert!(own.iter().any(|event| event.starts_with(&format!("link-up peer {peer} "))), "{own:?}");
        assert!(own.iter().any(|event| event.starts_with(&format!("link-lost peer {peer} "))), "{own:?}");
        let verbs = ["HELLO", "AUTH", "READY"];
        for verb in verbs {
            assert!(own.iter().any(|event| event.starts_with("recv ") && event.contains(&format!(" {verb} "))));
            assert!(own.iter().any(|event| event.starts_with("sent ") && event.contains(&format!(" {verb} "))));
        }
    }
    for name in ["Jaquez", "Juzang", "Bernard", "Campbell"] {
        let records = events(directory.path(), name, |event| event.starts_with("recv peer ") && event.contains(&told));
        assert!(!records.is_empty(), "{name}");
        assert!(
            std::fs::read_to_string(directory.path().join(format!("{name}.log")))
                .is_ok_and(|it| !it.contains("canary"))
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_that_can_not_be_reached_is_told_of_once() {
    let directory = tempfile::tempdir().unwrap();
    let mut config = herd::default_herd();
    config.servers.retain(|server| ["Riley", "Jaquez"].contains(&server.name.as_str()));
    config.servers.iter_mut().for_each(|server| server.peers.retain(|peer| ["Riley", "Jaquez"].contains(&&*peer.name)));
    config.replication.backoff_min = Duration::from_millis(10);
    config.replication.backoff_max = Duration::from_millis(20);
    config.journal = journal_in(&directory);
    let mut herd = TestHerd::linked(config).await;
    for kill in [true, false] {
        if kill {
            herd.kill("Jaquez").await;
        } else {
            herd.stop("Jaquez").await;
        }
        let dials = std::cell::Cell::new(0);
        // The replica changes with each dial that fails.
        let often = herd.handle("Riley").wait_until(|_| dials.replace(dials.get() + 1) > 10);
        super::support::soon("many dials", often).await;
        herd.revive("Jaquez").await;
        herd.wait_linked().await;
    }
    herd.stop_all().await;
    let address = herd.peer_address("Jaquez");
    let told = events(directory.path(), "Riley", |event| event.starts_with("unreachable "));
    let is_right = |event: &String| event.starts_with(&format!("unreachable - Jaquez at {address}, "));
    assert!(told.len() <= 3 && told.len() >= 2 && told.iter().all(is_right), "{told:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_client_can_write_a_line_of_its_own() {
    let directory = tempfile::tempdir().unwrap();
    let mut config = herd::riley();
    config.journal = journal_in(&directory);
    let mut herd = TestHerd::start(config).await;
    let mut client = herd.connect("Riley").await;
    let hostile: &[&[u8]] = &[
        b"2021-05-19T00:00:00.000000Z stop -\r2021-05-19T00:00:00.000000Z stop -",
        b"\x1b[2K\x1b[1A2021-05-19T00:00:00.000000Z stop -",
        "\u{202e}- pots\u{2028}2021-05-19T00:00:00.000000Z stop -\u{85}".as_bytes(),
        b"\x0b2021-05-19T00:00:00.000000Z stop -\x0c\x00\xff",
    ];
    for line in hostile {
        client.send([line, &b"\n"[..]].concat()).await;
        assert_eq!(client.line().await, [b"? ", *line].concat());
    }
    // An ID may hold nearly anything; so may a place that comes with it.
    client.send(b"IAMAT \x1b]0;x\x07\xe2\x80\xae +1+2 3\n").await;
    assert!(client.line().await.starts_with(b"AT Riley "));
    client.finish().await;
    client.rest().await;
    herd.stop("Riley").await;
    let events = events(directory.path(), "Riley", |_| true);
    let kinds: Vec<&str> = events.iter().map(|event| event.split(' ').next().unwrap()).collect();
    let expected = ["start", "connected"].into_iter().chain(["recv", "sent"].repeat(5)).chain(["disconnected", "stop"]);
    assert_eq!(kinds, expected.collect::<Vec<_>>());
    let text = events.concat();
    assert!(text.chars().all(|c| !c.is_control() && !matches!(c, '\u{202a}'..='\u{202e}' | '\u{2028}')), "{text:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_appends() {
    let directory = tempfile::tempdir().unwrap();
    let mut config = herd::riley();
    config.journal = journal_in(&directory);
    let mut herd = TestHerd::start(config).await;
    herd.stop("Riley").await;
    herd.revive("Riley").await;
    herd.kill("Riley").await;
    herd.revive("Riley").await;
    herd.stop("Riley").await;
    let kinds = events(directory.path(), "Riley", |_| true);
    let kinds: Vec<&str> = kinds.iter().map(|event| event.split(' ').next().unwrap()).collect();
    // The killed one said nothing of its end, and may have had no time to say that it began.
    assert!(
        kinds == ["start", "stop", "start", "start", "stop"] || kinds == ["start", "stop", "start", "stop"],
        "{kinds:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_can_not_be_written_is_said_at_once_and_off_is_off() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("a-file");
    std::fs::write(&file, "").unwrap();
    let mut config = herd::riley();
    config.journal = Some(journal::Settings { directory: file.clone(), ..journal::Settings::default() });
    let error = Server::bind(&config, "Riley").await.unwrap_err();
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert!(error.to_string() == "journal" && source.starts_with(file.join("Riley.log").to_str().unwrap()), "{source}");
    config.journal = None;
    let mut herd = TestHerd::start(config).await;
    herd.connect("Riley").await.ask("hello").await;
    herd.stop("Riley").await;
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
}
