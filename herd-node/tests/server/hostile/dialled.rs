//! A villain that is dialled: what dialling again won't mend is dialled again at the slowest.

use std::time::Duration;

use herd_node::clock;
use tokio::net::TcpListener;

use super::super::support::Client;
use super::super::support::herd::SECRET;
use super::super::support::peer::{hello, hello_line, proof};
use super::villain::{accept, is_sent_away, read_hello};
use super::{RILEY, Scene, Villain};

const BACKOFF_MIN: Duration = Duration::from_millis(10);
const BACKOFF_MAX: Duration = Duration::from_millis(800);

/// Does to the server that has dialled what `offence` names, and is sent away for what is returned.
async fn offend(scene: &Scene, client: &mut Client, offence: &str) {
    let theirs = read_hello(client).await;
    let ours = super::villain::hello(scene, 1);
    match offence {
        "noise" => client.send(b"\0\xff\x80 noise\n").await,
        "another herd" => client.send(hello_line(&hello("usc", "Jaquez", "Riley"))).await,
        "another server" => client.send(hello_line(&hello("ucla", "Bernard", "Riley"))).await,
        "the friend's name" => client.send(hello_line(&hello("ucla", "Juzang", "Riley"))).await,
        "the victim's name" => client.send(hello_line(&hello("ucla", "Riley", "Riley"))).await,
        "its own boot id" => client.send(hello_line(&super::villain::hello(scene, theirs.boot()))).await,
        "READY without proof" => {
            client.send([&hello_line(&ours)[..], b"READY 0 0000000000000000\n"].concat()).await;
        }
        "another secret" => {
            let forged = proof(b"another secret of more than thirty-two bytes", false, &theirs, &ours);
            client.send([hello_line(&ours), forged].concat()).await;
        }
        "its proof sent back" => {
            client.send(hello_line(&ours)).await;
            let mut reflected = client.line().await;
            reflected.push(b'\n');
            client.send(reflected).await;
        }
        "a record before READY" => {
            let good = proof(SECRET, false, &theirs, &ours);
            let record = super::at(scene, "smuggled", 7);
            client.send([hello_line(&ours), good, record.into_bytes()].concat()).await;
        }
        _ => client.send(format!("ERR {offence} go away\n")).await,
    }
}

/// What the victim says at the end; `None` where it was told, and has nothing to say.
const OFFENCES: [(&str, Option<&str>); 13] = [
    ("noise", Some("bad-message command")),
    ("another herd", Some("wrong-herd this is herd ucla")),
    ("another server", Some("wrong-name dialled Jaquez, reached Bernard")),
    ("the friend's name", Some("wrong-name dialled Jaquez, reached Juzang")),
    ("the victim's name", Some("duplicate-name another process runs as Riley")),
    ("its own boot id", Some("self-dial Riley dialled itself")),
    ("READY without proof", Some("bad-message READY out of order")),
    ("another secret", Some("bad-auth not the herd's secret")),
    ("its proof sent back", Some("bad-auth not the herd's secret")),
    ("a record before READY", Some("bad-message AT out of order")),
    ("unknown-peer", None),
    ("settings", None),
    ("bad-auth", None),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_will_not_mend_is_dialled_at_the_slowest() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut scene = Scene::dialling(RILEY, listener.local_addr().unwrap(), |config| {
        config.replication.backoff_min = BACKOFF_MIN;
        config.replication.backoff_max = BACKOFF_MAX;
    })
    .await;
    for (offence, verdict) in OFFENCES {
        // A good link first: what comes after it is dialled at once, if there is hope.
        let mut villain = Villain::accept(&scene, &listener).await;
        villain.say("BYE see you\n").await;
        villain.client.rest().await;
        let mut client = accept(&listener).await;
        let begun = clock::monotonic();
        offend(&scene, &mut client, offence).await;
        match verdict {
            Some(verdict) => is_sent_away(&mut client, verdict).await,
            None => assert!(!String::from_utf8(client.rest().await).unwrap().contains("ERR ")),
        }
        drop(client);
        let next = accept(&listener).await;
        let took = clock::monotonic() - begun;
        // Spread over the upper half of the longest time; the second after a good link would be a fiftieth of that.
        assert!(took >= BACKOFF_MAX / 2, "dialled again {took:?} after {offence}");
        drop(next);
        let told = verdict.map_or(format!("peer says {offence}: go away"), |verdict| verdict.replacen(' ', ": ", 1));
        scene.journal(&format!("dialled for Jaquez, {told}")).await;
    }
    scene.assert_unharmed().await;
}

/// The same of a link that was in service.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_that_misbehaves_in_service_is_dialled_at_the_slowest() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut scene = Scene::dialling(RILEY, listener.local_addr().unwrap(), |config| {
        config.replication.backoff_min = BACKOFF_MIN;
        config.replication.backoff_max = BACKOFF_MAX;
    })
    .await;
    for (lines, verdict) in [
        ("PONG 01\n".repeat(11), "bad-message sequence number"),
        ("IAMAT kiwi +1+2 3\n".to_owned(), "bad-message command"),
        ("AT Juzang +0.000000001 kiwi +1+2 3 Juzang 1\n".to_owned(), "bad-message sender"),
        ("HELLO\n".to_owned() + &"\u{0}\n".repeat(20), "bad-message command"),
    ] {
        let mut villain = Villain::accept(&scene, &listener).await;
        let begun = clock::monotonic();
        villain.say(lines).await;
        villain.is_sent_away(verdict).await;
        let next = accept(&listener).await;
        let took = clock::monotonic() - begun;
        assert!(took >= BACKOFF_MAX / 2, "dialled again {took:?} after {verdict}");
        drop(next);
    }
    scene.assert_unharmed().await;
}
