//! A villain at the peers' door: nobody gets in without the whole handshake, in its order, with the secret, in time.

use std::time::Duration;

use herd_node::replica::Replica;
use tokio::io::AsyncWriteExt;

use super::super::support::herd::SECRET;
use super::super::support::peer::{hello_line, key_id, proof};
use super::super::support::{Numbers, soon};
use super::villain::{greet, hello, is_sent_away};
use super::{BERNARD, RILEY, Scene, at};

/// Bytes of every kind, the last of which ends a line.
fn noise(numbers: &mut Numbers, len: usize) -> Vec<u8> {
    let mut noise: Vec<u8> = (0..len).map(|_| numbers.below(256) as u8).collect();
    noise.push(b'\n');
    noise
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn noise_before_hello() {
    let mut scene = Scene::new(RILEY).await;
    let mut numbers = Numbers(1);
    for _ in 0..20 {
        let mut stranger = scene.stranger().await;
        let len = 1 + numbers.below(10_000);
        stranger.send(noise(&mut numbers, len)).await;
        is_sent_away(&mut stranger, "bad-message ").await;
    }
    scene.journal(" refused stranger 127.0.0.1:").await;
    assert_eq!(scene.counters().peer_lines_invalid, 0, "only peers are given the benefit of counting");
    scene.assert_unharmed().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn noise_after_hello() {
    let mut scene = Scene::new(RILEY).await;
    let mut numbers = Numbers(2);
    for _ in 0..20 {
        let mut stranger = scene.stranger().await;
        greet(&mut stranger, &hello(&scene, 1)).await;
        let len = 1 + numbers.below(10_000);
        stranger.send(noise(&mut numbers, len)).await;
        is_sent_away(&mut stranger, "bad-message ").await;
    }
    scene.journal("accepted, says it is Jaquez, bad-message: ").await;
    scene.assert_unharmed().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lines_out_of_their_order() {
    let mut scene = Scene::new(RILEY).await;
    let hello_again = hello_line(&hello(&scene, 1));
    let record = at(&scene, "smuggled", 7);
    // After HELLO, before any proof.
    for (line, verb) in [
        (hello_again.as_slice(), "HELLO"),
        (b"READY 0 0000000000000000\n", "READY"),
        (record.as_bytes(), "AT"),
        (b"PING 1 0 0000000000000000\n", "PING"),
        (b"LST -\n", "LST"),
        (b"GET - 0000000000000000\n", "GET"),
    ] {
        let mut stranger = scene.stranger().await;
        greet(&mut stranger, &hello(&scene, 1)).await;
        stranger.send(line).await;
        is_sent_away(&mut stranger, &format!("bad-message {verb} out of order")).await;
    }
    // After the proof, before READY: it is of the herd, and not in service.
    for (line, verb) in [
        (hello_again.as_slice(), "HELLO"),
        (record.as_bytes(), "AT"),
        (b"PING 1 0 0000000000000000\n", "PING"),
        (b"LST -\n", "LST"),
    ] {
        let mut stranger = scene.stranger().await;
        let (ours, theirs) = greet(&mut stranger, &hello(&scene, 1)).await;
        stranger.send([&proof(SECRET, true, &ours, &theirs), line].concat()).await;
        is_sent_away(&mut stranger, &format!("bad-message {verb} out of order")).await;
    }
    scene.assert_unharmed().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_proof_that_was_overheard_on_another_connection() {
    let mut scene = Scene::new(RILEY).await;
    let mut first = scene.stranger().await;
    let (ours, theirs) = greet(&mut first, &hello(&scene, 1)).await;
    let overheard = proof(SECRET, true, &ours, &theirs);
    first.send(&overheard).await;
    assert!(first.text().await.starts_with("AUTH "), "the proof is good");
    // The very HELLO, the very proof: but the other side's nonce is another.
    let mut second = scene.stranger().await;
    greet(&mut second, &ours).await;
    second.send(&overheard).await;
    is_sent_away(&mut second, "bad-auth ").await;
    drop(first);
    scene.assert_unharmed().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn proofs_by_wrong_keys_and_of_the_wrong_role() {
    let mut scene = Scene::new(BERNARD).await;
    let another = b"another secret of more than thirty-two bytes";
    for forgery in 0..4 {
        let mut stranger = scene.stranger().await;
        let (ours, theirs) = greet(&mut stranger, &hello(&scene, 1)).await;
        let proof = match forgery {
            0 => proof(another, true, &ours, &theirs),
            // Says that it is by the right key.
            1 => {
                let wrong = String::from_utf8(proof(another, true, &ours, &theirs)).unwrap();
                wrong.replace(&key_id(another), &key_id(SECRET)).into_bytes()
            }
            // By the right secret, whose key nobody has named so.
            2 => {
                let right = String::from_utf8(proof(SECRET, true, &ours, &theirs)).unwrap();
                right.replace(&key_id(SECRET), "open").into_bytes()
            }
            // As the acceptor would prove itself: what a server could be made to say to somebody else.
            _ => proof(SECRET, false, &ours, &theirs),
        };
        stranger.send(proof).await;
        is_sent_away(&mut stranger, "bad-auth not the herd's secret").await;
    }
    let journal = scene.journal("bad-auth: not the herd's secret").await;
    assert!(!journal.contains(" peer Campbell "), "{journal}");
    scene.assert_unharmed().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_echo_of_the_servers_own_boot_id() {
    let mut scene = Scene::new(RILEY).await;
    let mut stranger = scene.stranger().await;
    let (_, theirs) = greet(&mut stranger, &hello(&scene, 1)).await;
    let mut echo = scene.stranger().await;
    echo.send(hello_line(&hello(&scene, theirs.boot()))).await;
    is_sent_away(&mut echo, "self-dial Riley dialled itself").await;
    scene.journal("self-dial: Riley dialled itself").await;
    scene.assert_unharmed().await;
}

/// The deadline is absolute: whoever is half in, and sends byte after byte, is sent away when the whole handshake's time is over.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_handshake_that_drips() {
    let handshake = Duration::from_millis(400);
    let mut scene = Scene::with(RILEY, |config| config.limits.handshake = handshake).await;
    let mut drips = Vec::new();
    for knows_the_secret in [false, true] {
        let mut stranger = scene.stranger().await;
        let (ours, theirs) = greet(&mut stranger, &hello(&scene, 1)).await;
        if knows_the_secret {
            stranger.send(proof(SECRET, true, &ours, &theirs)).await;
        }
        drips.push(stranger);
    }
    for mut stranger in drips {
        let drip = async {
            while stranger.writer.write_all(b"R").await.is_ok() {
                tokio::time::sleep(handshake / 20).await;
            }
        };
        soon("the end of dripping", drip).await;
        // A reset may have overtaken the words; the journal has them.
    }
    scene.journal("says it is Jaquez, timeout: the handshake took too long").await;
    scene.wait("only the honest link to be left", |replica| replica.link_count() == 1).await;
    scene.assert_unharmed().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn half_a_handshake_and_silence() {
    let mut scene = Scene::with(BERNARD, |config| config.limits.handshake = Duration::from_millis(300)).await;
    let (mut mute, mut half) = (scene.stranger().await, scene.stranger().await);
    half.send(&hello_line(&hello(&scene, 1))[..40]).await;
    let mut proven = scene.stranger().await;
    let (ours, theirs) = greet(&mut proven, &hello(&scene, 1)).await;
    proven.send(proof(SECRET, true, &ours, &theirs)).await;
    for stranger in [&mut mute, &mut half, &mut proven] {
        is_sent_away(stranger, "timeout the handshake took too long").await;
    }
    let is_alone = |replica: &Replica| replica.link_count() == 1;
    scene.wait("only the honest link to be left", is_alone).await;
    scene.assert_unharmed().await;
}
